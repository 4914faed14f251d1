/* SPDX-License-Identifier: Apache-2.0 */
/* One command of a batch: finds its handler, runs it (or answers a repeat from what is remembered), and puts its answer
 * or its refusal with what leaves after the commit. Desk thread only. */
#include "desk/bot_relearn.h"
#include "desk/desk_private.h"
#include "desk/reading.h"

#include <stdlib.h>

typedef int handler_fn(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault);

static handler_fn *const handlers[PROTOCOL_METHODS] = {
#define ROW(method, name) [PROTOCOL_M_##method] = handle_##name,
        DESK_HANDLERS(ROW) PART_HANDLERS(ROW)
#undef ROW
};
static void answer_bytes(struct desk *desk, struct desk_command *command, struct span bytes)
{
        if (command->done) {
                command->done(command->done_data, bytes);
                command->done = NULL;
                return;
        }
        if (command->from.generation == 0 || command->id.len == 0)
                return;
        struct desk_note *note = note_new(desk->answer.kind, command->from, bytes);
        if (!note)
                return; /* unknown to the client, who asks again (A3) */
        note->is_http = command->is_http;
        note->is_page =
                protocol_methods[command->method].runs == PROTOCOL_RUNS_READ; /* upload.end: counted as a read */
        note->conv = desk->answer.conv;
        note->customer = desk->answer.customer;
        note->conv_ext = desk->answer.conv_ext;
        note->caller = desk->answer.caller;
        note->who = desk->answer.who;
        note->expires_ms = desk->answer.expires_ms;
        note->key_tag = desk->answer.key_tag;
        note->close_code = desk->answer.close_code;
        if (note->kind == NOTE_OPENED && note->caller.role != ROLE_CUSTOMER) {
                note->reach = malloc(sizeof *note->reach);
                if (!note->reach) {
                        note_free(note);
                        return; /* the same */
                }
                *note->reach = desk->answer.reach;
        }
        desk_leave(desk, command->from.thread, note);
}

static void answer_reset(struct desk *desk)
{
        desk->answer = (struct answer){.kind = NOTE_REPLY, .retry_after_ms = -1};
}

static int64_t retry_hint(struct desk *desk, int error)
{
        if (desk->answer.retry_after_ms >= 0)
                return desk->answer.retry_after_ms;
        switch (error) {
        case PROTOCOL_ERR_STORAGE_FULL:
                return READ_ONLY_RETRY_MS;
        case PROTOCOL_ERR_PREDECESSOR_UNKNOWN:
                return 0;
        default:
                return protocol_error_info((enum protocol_error)error)->permanent ? -1 : 1000;
        }
}

static void write_refusal(struct desk *desk, struct desk_command *command, int rc, const struct fault *fault,
                          struct writer *out)
{
        out->len = 0;
        out->failed = false;
        frame_error(out, &command->id, (enum protocol_error) - rc, retry_hint(desk, -rc), fault);
}

/* A repeat of something remembered: its answer again, or a conflict. 1 = answered. */
static int repeat_done(struct desk *desk, struct desk_command *command, const struct cmid *cmid, struct writer *out)
{
        int method;
        uint8_t hash[16];
        struct span result;
        struct db_stmt *stmt;
        int rc = done_find(desk->db, command->caller.principal, cmid, &method, hash, &result, &stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK)
                return 0;
        bool same = memcmp(hash, command->hash, sizeof hash) == 0;
        if (same)
                writer_raw(out, result);
        db_reset(stmt);
        return same ? 1 : -PROTOCOL_ERR_IDEMPOTENCY_CONFLICT;
}

static int run_remembered(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_method_info *info = &protocol_methods[command->method];
        const struct cmid *cmid = (const struct cmid *)((const char *)command->params + info->cmid_offset);
        int rc = repeat_done(desk, command, cmid, out);
        if (rc != 0)
                return rc < 0 ? rc : 0;
        size_t start = out->len;
        int db_rc = db_savepoint(desk->db);
        if (db_rc < 0)
                return desk_db_failed(desk, db_rc);
        rc = handlers[command->method](desk, command, out, fault);
        if (rc == 0 && !out->failed) {
                struct span result = {out->bytes + start, out->len - start};
                int put = done_put(desk->db, command->caller.principal, cmid, 0, command->hash, result, desk->now_ms);
                if (put < 0)
                        rc = desk_db_failed(desk, put);
        }
        if (desk->db_failure != 0)
                return rc;
        if (rc < 0 || out->failed) {
                db_rollback_to(desk->db); /* forgets the savepoint too */
                return rc < 0 ? rc : -PROTOCOL_ERR_INTERNAL;
        }
        db_rc = db_release(desk->db);
        return db_rc < 0 ? desk_db_failed(desk, db_rc) : 0;
}

static int run_handler(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        if (command->is_http && command->opening) {
                int admitted = opening_admit(desk, command);
                if (admitted < 0)
                        return admitted;
        }
        int allowed = people_authorize(desk, &command->caller, protocol_methods[command->method].needs);
        if (allowed < 0)
                return allowed;
        if (command->caller.role == ROLE_CUSTOMER && claim_is_alias(desk, command->caller.principal, 0))
                return -PROTOCOL_ERR_REVOKED;           /* its connection was told to go; here is what was on the way */
        if (command->method == PROTOCOL_M_MESSAGE_SEND) /* writes its whole answer: the hot path */
                return handle_message_send(desk, command, out, fault);
        frame_result_begin(out, &command->id);
        int rc = protocol_methods[command->method].keyed == PROTOCOL_KEYED_DONE
                         ? run_remembered(desk, command, out, fault)
                 : handlers[command->method] ? handlers[command->method](desk, command, out, fault)
                                             : reading_here(desk, command, out, fault);
        frame_end(out);
        return rc;
}

/* Of a session that was opened in a batch that is not kept, or whose answer could not be written. */
void dispatch_forget_opening(struct desk *desk, struct edge_ref ref)
{
        struct desk_session *session = sessions_find(desk, ref);
        if (!session)
                return;
        for (struct desk_session *other = session->who->sessions; other; other = other->sibling)
                if (memcmp(other->device, session->device, sizeof other->device) == 0)
                        other->is_replaced = false;
        sessions_remove(desk, ref);
}

void dispatch_refuse(struct desk *desk, struct desk_command *command, int rc, struct writer *out)
{
        if (command->kind == COMMAND_BOT_LEARNED)
                bot_relearn_refused(desk, command);
        answer_reset(desk);
        write_refusal(desk, command, rc, NULL, out);
        answer_bytes(desk, command, (struct span){out->bytes, out->len});
}

static void refuse_method(struct desk *desk, struct desk_command *command, int rc, const struct fault *fault,
                          struct writer *out)
{
        if (desk->answer.kind != NOTE_REFUSED)
                desk->answer.kind = NOTE_REPLY; /* whatever the handler had begun */
        if (command->method == PROTOCOL_M_SESSION_OPEN)
                dispatch_forget_opening(desk, command->from);
        if (command->from.generation != 0 && desk->answer.kind != NOTE_REFUSED) /* that the connection's thread says */
                denied_say(protocol_methods[command->method].name, -rc,
                           command->caller.principal > 0 ? directory_author(desk->directory, command->caller.principal)
                                                         : (struct principal_id){0},
                           (struct span){0});
        write_refusal(desk, command, rc, fault, out);
}

bool dispatch_is_quiet(const struct desk_command *command)
{
        if (command->kind == COMMAND_OUTBOUND || command->kind == COMMAND_FILE_GONE ||
            command->kind == COMMAND_BOT_TURN || command->kind == COMMAND_BOT_FAILED ||
            command->kind == COMMAND_BOT_UNREADABLE || command->kind == COMMAND_BOT_LEARNED)
                return false;
        return command->kind != COMMAND_METHOD || command->method == PROTOCOL_M_MARKS ||
               command->method == PROTOCOL_M_TYPING || command->method == PROTOCOL_M_PRESENCE_SET ||
               command->method == PROTOCOL_M_VIEWING;
}

static void run_method(struct desk *desk, struct desk_command *command, struct writer *out)
{
        struct fault fault = {0};
        out->len = 0;
        out->failed = false;
        answer_reset(desk);
        int rc = run_handler(desk, command, out, &fault);
        if (desk->db_failure != 0)
                return; /* the whole batch will be refused */
        if (rc == 0 && out->failed)
                rc = -PROTOCOL_ERR_INTERNAL;
        if (rc < 0)
                refuse_method(desk, command, rc, &fault, out);
        if (out->failed)
                return;      /* no memory even for that: unknown to the client, who asks again (A3) */
        if (command->done) { /* the operator hears of it after the commit, like everybody */
                char *copy = arena_take(&command->arena, out->len);
                if (copy)
                        memcpy(copy, out->bytes, out->len);
                command->stored = (struct span){copy, copy ? out->len : 0};
                return;
        }
        answer_bytes(desk, command, (struct span){out->bytes, out->len});
}

void dispatch_drain(struct desk *desk)
{
        for (uint32_t i = 0; i < desk->sink_count; i++) {
                struct desk_note *note = note_new(NOTE_DRAIN, (struct edge_ref){0}, (struct span){0});
                if (!note)
                        continue;
                note->close_code = PROTOCOL_CLOSE_DRAIN;
                desk_leave(desk, i, note);
        }
}

void dispatch_command(struct desk *desk, struct desk_command *command, struct writer *out)
{
        switch (command->kind) {
        case COMMAND_CLOSED:
                sessions_remove(desk, command->from);
                break;
        case COMMAND_DRAIN:
                dispatch_drain(desk);
                break;
        case COMMAND_IDLE:
                attendance_idle(desk, command->from, command->is_idle);
                break;
        case COMMAND_OUTBOUND:
                outbound_settle(desk, command->params, command->result_count);
                break;
        case COMMAND_FILE_GONE: {
                int64_t id;
                memcpy(&id, command->memory, sizeof id);
                uploads_removed(desk, id);
                break;
        }
        case COMMAND_BOT_TURN:
                bot_act_came(desk, command);
                break;
        case COMMAND_BOT_FAILED:
                bot_act_failed(desk, command);
                break;
        case COMMAND_BOT_PROMISED:
                bot_act_promised(desk, command);
                break;
        case COMMAND_BOT_UNREADABLE:
                bot_act_unreadable(desk, command);
                break;
        case COMMAND_BOT_LEARNED:
                bot_relearn_came(desk, command);
                break;
        case COMMAND_FILE_LOOK: /* a reader's */
                break;
        case COMMAND_METHOD:
                run_method(desk, command, out);
                break;
        }
}
