/* SPDX-License-Identifier: Apache-2.0 */
/* Mentions: agents named in a note, and colleagues invited into a conversation. Kept until they were seen; only of
 * conversations that the one who was named may read. */
#include "desk/customers/customers.h"
#include "desk/desk_private.h"
#include "desk/people/people.h"
#include "desk/people/reach.h"
#include "desk/reading.h"
#include "desk/tools/work_private.h"

enum { LOOKED_AT_MAX = 1000 };

/* ---- being named ---- */

static void tell(struct desk *desk, int64_t agent, const struct conversation *conversation, int64_t iseq, int64_t by,
                 bool is_invite)
{
        struct protocol_event_mention event = {.conv = conversation->row.ext,
                                               .iseq = iseq,
                                               .by = directory_author(desk->directory, by),
                                               .has_invited = is_invite,
                                               .invited = is_invite};
        char first[512];
        struct writer writer;
        writer_init(&writer, first, sizeof first);
        frame_call_begin(&writer, NULL, SPAN("mention"));
        protocol_event_mention_write(&writer, &event);
        frame_end(&writer);
        struct edge_frame *frame = writer.failed ? NULL : edge_frame_new((struct span){writer.bytes, writer.len});
        writer_done(&writer);
        if (!frame)
                return; /* a push is a hint (R3) */
        people_tell(desk, agent, frame);
        edge_frame_unref(frame);
}

static int put(struct desk *desk, int64_t agent, const struct conversation *conversation, int64_t iseq, int64_t by,
               bool is_invite)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_MENTION_PUT);
        db_bind_int(stmt, 1, agent);
        db_bind_int(stmt, 2, conversation->row.id);
        db_bind_int(stmt, 3, iseq);
        db_bind_int(stmt, 4, by);
        db_bind_int(stmt, 5, is_invite);
        db_bind_int(stmt, 6, desk->now_ms);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        tell(desk, agent, conversation, iseq, by, is_invite);
        return 0;
}

static bool may_read(struct desk *desk, const struct conversation *conversation, const struct agent_profile *agent)
{
        const struct caller caller = {.principal = agent->id, .workspace = desk->workspace, .role = ROLE_AGENT};
        const struct ticket *ticket = tickets_of_conversation(desk, conversation->row.id);
        return people_may_read(desk, &caller, ticket ? ticket->team : 0, ticket ? ticket->assignee : 0,
                               conversation->row.id);
}

static int name_all(struct desk *desk, const struct conversation *conversation, const struct entry_row *entry,
                    const struct protocol_content *content)
{
        for (size_t i = 0; i < content->mentions_count; i++) {
                const struct agent_profile *agent = people_agent_ext(desk, content->mentions[i].id);
                if (content->mentions[i].role != ROLE_AGENT || !agent || agent->id == entry->author ||
                    !may_read(desk, conversation, agent))
                        continue;
                int rc = put(desk, agent->id, conversation, entry->seq, entry->author, false);
                if (rc < 0)
                        return rc;
        }
        return 0;
}

int work_sent(struct desk *desk, struct conversation *conversation, const struct entry_row *entry,
              const struct protocol_content *content)
{
        int rc = draft_sent(desk, conversation, entry->author, entry->log);
        if (rc == 0 && entry->log == LOG_TEAM && content->has_mentions)
                rc = name_all(desk, conversation, entry, content);
        return rc;
}

/* ---- conversation.invite ---- */

static int write_note(struct desk *desk, const struct desk_command *command, struct conversation *conversation,
                      struct entry_row *entry)
{
        const struct protocol_conversation_invite *params = command->params;
        struct principal_id mentions[] = {params->agent};
        const struct principal *who = directory_find(desk->directory, people_agent_ext(desk, params->agent.id)->id);
        struct writer text, body;
        char first[512];
        writer_init(&text, first, sizeof first);
        writer_raw(&text, SPAN("Invited "));
        writer_raw(&text, who && who->name ? span_of(who->name) : SPAN("a colleague"));
        if (params->has_note) {
                writer_raw(&text, SPAN(": "));
                writer_raw(&text, params->note);
        }
        struct protocol_content content = {.has_text = true,
                                           .text = {text.bytes, text.len},
                                           .has_mentions = true,
                                           .mentions = mentions,
                                           .mentions_count = 1};
        writer_init(&body, NULL, 0);
        content_store(&body, &content);
        *entry = (struct entry_row){.log = LOG_TEAM,
                                    .author = command->caller.principal,
                                    .kind = PROTOCOL_ENTRY_TEXT,
                                    .body = {body.bytes, body.len}};
        int rc = text.failed || body.failed ? desk_db_failed(desk, DB_NOMEM)
                                            : entry_add(desk, conversation, entry, &content, ROLE_AGENT);
        writer_done(&body);
        writer_done(&text);
        return rc < 0 ? rc : 0;
}

int handle_conversation_invite(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_conversation_invite *params = command->params;
        const struct agent_profile *agent =
                params->agent.role == ROLE_AGENT ? people_agent_ext(desk, params->agent.id) : NULL;
        struct conversation *conversation = NULL;
        struct entry_row entry = {0};
        int rc = conversation_for(desk, &command->caller, params->conv, &conversation);
        if (rc < 0 || !conversation)
                return rc;
        if (!agent || agent->id == command->caller.principal)
                return fault_set(fault, agent ? PROTOCOL_ERR_BAD_REQUEST : PROTOCOL_ERR_NOT_FOUND, "agent",
                                 "a colleague who is there");
        rc = people_invite(desk, conversation, agent->id, command->caller.principal);
        if (rc == 0)
                rc = write_note(desk, command, conversation, &entry);
        if (rc == 0)
                rc = put(desk, agent->id, conversation, entry.seq, command->caller.principal, true);
        if (rc < 0)
                return rc;
        struct protocol_conversation_invite_result result = {.iseq = entry.seq};
        protocol_conversation_invite_result_write(out, &result);
        return 0;
}

/* ---- mention.seen, mention.list ---- */

int handle_mention_seen(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_mention_seen *params = command->params;
        struct conversation *conversation = NULL;
        if (params->has_until == params->has_conv)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "until", "exactly one of until and conv");
        int rc = params->has_conv ? conversation_for(desk, &command->caller, params->conv, &conversation) : 0;
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, params->has_conv ? SQL_MENTIONS_SEEN_CONV : SQL_MENTIONS_SEEN_UNTIL);
        db_bind_int(stmt, 1, command->caller.principal);
        db_bind_int(stmt, 2, params->has_conv ? conversation->row.id : params->until);
        db_bind_int(stmt, 3, desk->now_ms);
        rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        struct protocol_mention_seen_result result = {0};
        protocol_mention_seen_result_write(out, &result);
        return 0;
}

static int fill(const struct reading *reading, const struct reach *reach, int64_t after,
                struct protocol_mention_list_result *result)
{
        struct db_stmt *stmt = db_stmt(reading->db, SQL_MENTIONS_UNSEEN);
        db_bind_int(stmt, 1, reading->command->caller.principal);
        db_bind_int(stmt, 2, 0);
        db_bind_int(stmt, 3, LOOKED_AT_MAX);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                int is_his = reach_holds_id(reach, reading->db, db_int(stmt, 6));
                if (is_his < 0) {
                        rc = is_his;
                        break;
                }
                if (is_his == 0)
                        continue;
                result->unseen++;
                if (db_int(stmt, 0) <= after || result->mentions_count == MENTIONS_TOLD)
                        continue;
                result->mentions[result->mentions_count++] =
                        (struct protocol_mention_row){.mention = db_int(stmt, 0),
                                                      .conv = (uint64_t)db_int(stmt, 1),
                                                      .iseq = db_int(stmt, 2),
                                                      .by = directory_author(reading->directory, db_int(stmt, 3)),
                                                      .has_invited = db_int(stmt, 4) != 0,
                                                      .invited = db_int(stmt, 4) != 0,
                                                      .at = db_int(stmt, 5)};
        }
        db_reset(stmt);
        return rc < 0 ? rc : 0;
}

int read_mention_list(const struct reading *reading)
{
        const struct protocol_mention_list *params = reading->command->params;
        struct protocol_mention_list_result result = {0};
        struct reach reach;
        result.mentions = arena_take(&reading->command->arena, MENTIONS_TOLD * sizeof *result.mentions);
        if (!result.mentions)
                return -PROTOCOL_ERR_INTERNAL;
        int rc = reach_load(reading->db, &reading->command->caller, &reach);
        if (rc >= 0)
                rc = fill(reading, &reach, params->has_after ? params->after : 0, &result);
        if (rc < 0)
                return reading_failed(reading, rc);
        protocol_mention_list_result_write(reading->out, &result);
        return 0;
}
