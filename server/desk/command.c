/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/command.h"

#include <openssl/sha.h>
#include <stdlib.h>

#include "desk/bot_builder.h"
#include "files/file_store.h"

enum { ARENA_SLACK = 256, ALIGN = 16 };

struct desk_command *command_new(enum command_kind kind, size_t room)
{
        struct desk_command *command = malloc(sizeof *command + room);
        if (!command)
                return NULL;
        memset(command, 0, sizeof *command);
        command->kind = kind;
        command->bytes = sizeof *command + room;
        arena_init(&command->arena, command->memory, room);
        return command;
}

struct desk_command *command_free(struct desk_command *command)
{
        if (!command)
                return NULL;
        if (command->login) /* a password stands there */
                explicit_bzero(command->memory, command->bytes - sizeof *command);
        arena_done(&command->arena);
        free(command->login);
        file_job_free(command->ended);
        bot_draft_free(command->draft);
        free(command->opening);
        free(command);
        return NULL;
}

/* The content in stored form, in the command's memory. */
static int store_content(struct desk_command *command, int kind, const struct protocol_content *content)
{
        struct writer writer;
        char first[2048];
        writer_init(&writer, first, sizeof first);
        content_store(&writer, content);
        int rc = -PROTOCOL_ERR_INTERNAL;
        char *kept = writer.failed ? NULL : arena_take(&command->arena, writer.len);
        if (kept) {
                memcpy(kept, writer.bytes, writer.len);
                command->stored = (struct span){kept, writer.len};
                content_hash(kind, command->stored, command->hash);
                rc = 0;
        }
        writer_done(&writer);
        return rc;
}

/* An app's back end says for whom it writes, and nobody else may. *role becomes that one's. */
static int take_act_as(struct desk_command *command, bool has_act_as, struct span act_as, enum principal_role *role,
                       struct fault *fault)
{
        if (has_act_as != (*role == ROLE_APP))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "act_as",
                                 has_act_as ? "nothing: only an app key writes for others" : "whom it is written for");
        if (!has_act_as)
                return 0;
        struct principal_id who;
        bool is_subject = act_as.len > 5 && memcmp(act_as.at, "user:", 5) == 0;
        bool is_id =
                !is_subject && principal_read(act_as, &who) == 0 && (who.role == ROLE_CUSTOMER || who.role == ROLE_BOT);
        if (!is_id && (!is_subject || act_as.len - 5 > PROTOCOL_EXTERNAL_ID_BYTES))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "act_as", "usr_..., bot_..., or user: and an id");
        *role = is_subject ? ROLE_CUSTOMER : who.role;
        command->act_as = act_as;
        return 0;
}

static int prepare_send(struct desk_command *command, enum principal_role role, struct fault *fault)
{
        const struct protocol_message_send *send = command->params;
        int act = take_act_as(command, send->has_act_as, send->act_as, &role, fault);
        if (act < 0)
                return act;
        bool team = send->has_log && send->log == PROTOCOL_MESSAGE_SEND_LOG_TEAM;
        if (team && role != ROLE_AGENT)
                return fault_set(fault, PROTOCOL_ERR_FORBIDDEN, "log", "public");
        if (send->content.has_bot)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "bot", "nothing: the server writes it");
        int rc = protocol_content_check(send->kind, team, role, &send->content, fault);
        if (rc == 0)
                rc = store_content(command, (int)send->kind, &send->content);
        return rc;
}

static int prepare_open(struct desk_command *command, enum principal_role role, struct fault *fault)
{
        const struct protocol_conversation_open *open = command->params;
        int rc = take_act_as(command, open->has_act_as, open->act_as, &role, fault);
        if (rc == 0 && open->has_act_as && role != ROLE_CUSTOMER)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "act_as", "the customer whose conversation it is");
        return rc;
}

static int prepare_event(struct desk_command *command, enum principal_role role, struct fault *fault)
{
        const struct protocol_customer_event *event = command->params;
        return take_act_as(command, event->has_act_as, event->act_as, &role, fault);
}

static int prepare_describe(struct desk_command *command, enum principal_role role, struct fault *fault)
{
        const struct protocol_customer_describe *describe = command->params;
        return take_act_as(command, describe->has_act_as, describe->act_as, &role, fault);
}

static int prepare_survey_offer(struct desk_command *command, enum principal_role role, struct fault *fault)
{
        const struct protocol_survey_offer *offer = command->params;
        return take_act_as(command, offer->has_act_as, offer->act_as, &role, fault);
}

static int prepare_survey_link(struct desk_command *command, enum principal_role role, struct fault *fault)
{
        const struct protocol_survey_link *link = command->params;
        return take_act_as(command, link->has_act_as, link->act_as, &role, fault);
}

static int prepare_edit(struct desk_command *command)
{
        const struct protocol_message_edit *edit = command->params;
        struct protocol_content content = {.has_of = true,
                                           .of = edit->of,
                                           .has_version = true,
                                           .version = edit->version + 1,
                                           .has_text = true,
                                           .text = edit->text};
        return store_content(command, PROTOCOL_ENTRY_EDIT, &content);
}

static int prepare_erase(struct desk_command *command)
{
        const struct protocol_message_erase *erase = command->params;
        struct protocol_content content = {.has_of = true, .of = erase->of};
        return store_content(command, PROTOCOL_ENTRY_ERASE, &content);
}

/* What a repeat under the same cmid has to equal: method and body, byte for byte. */
static void hash_done(struct desk_command *command, struct span body)
{
        uint8_t digest[SHA256_DIGEST_LENGTH];
        SHA256_CTX sum;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
        const char *name = protocol_methods[command->method].name;
        SHA256_Init(&sum);
        SHA256_Update(&sum, name, strlen(name) + 1);
        SHA256_Update(&sum, body.at, body.len);
        SHA256_Final(digest, &sum);
#pragma GCC diagnostic pop
        memcpy(command->hash, digest, sizeof command->hash);
}

static int decode_into(struct desk_command *command, struct span body, enum principal_role role, struct fault *fault)
{
        const struct protocol_method_info *info = &protocol_methods[command->method];
        char *copy = arena_take(&command->arena, body.len);
        command->params = arena_take(&command->arena, info->params_bytes);
        if (!copy || !command->params)
                return -PROTOCOL_ERR_INTERNAL;
        memcpy(copy, body.at, body.len);
        if (info->keyed == PROTOCOL_KEYED_DONE)
                hash_done(command, body);

        struct reader reader;
        reader_init(&reader, copy, body.len, READER_STRICT, &command->arena, fault);
        int rc = info->read_params(&reader, command->params);
        if (rc < 0)
                return rc;
        switch (command->method) {
        case PROTOCOL_M_MESSAGE_SEND:
                return prepare_send(command, role, fault);
        case PROTOCOL_M_CONVERSATION_OPEN:
                return prepare_open(command, role, fault);
        case PROTOCOL_M_CUSTOMER_EVENT:
                return prepare_event(command, role, fault);
        case PROTOCOL_M_CUSTOMER_DESCRIBE:
                return prepare_describe(command, role, fault);
        case PROTOCOL_M_SURVEY_OFFER:
                return prepare_survey_offer(command, role, fault);
        case PROTOCOL_M_SURVEY_LINK:
                return prepare_survey_link(command, role, fault);
        case PROTOCOL_M_MESSAGE_EDIT:
                return prepare_edit(command);
        case PROTOCOL_M_MESSAGE_ERASE:
                return prepare_erase(command);
        default:
                return 0;
        }
}

int command_decode(enum protocol_method method, const struct request_id *id, struct span body, enum principal_role role,
                   struct desk_command **out_command, struct fault *fault)
{
        size_t room = 2 * body.len + protocol_methods[method].params_bytes + ARENA_SLACK + 4 * ALIGN;
        struct desk_command *command = command_new(COMMAND_METHOD, room);
        if (!command)
                return -PROTOCOL_ERR_INTERNAL;
        command->method = method;
        if (id)
                command->id = *id;
        int rc = decode_into(command, body, role, fault);
        if (rc < 0) {
                command_free(command);
                return rc;
        }
        *out_command = command;
        return 0;
}
