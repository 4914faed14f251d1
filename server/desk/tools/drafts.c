/* SPDX-License-Identifier: Apache-2.0 */
/* Drafts: what an agent was writing, kept for his other devices. The highest version wins; one that was sent or emptied
 * keeps its version, so that an older one that comes late does not bring it back. */
#include "desk/desk_private.h"
#include "desk/people/people.h"
#include "desk/tools/work_private.h"

struct draft {
        int64_t version, at_ms;
        struct span text; /* copied into an arena; absent = none */
};

static int load(struct desk *desk, int64_t agent, int64_t conv, enum entry_log log, struct arena *arena,
                struct draft *out)
{
        *out = (struct draft){0};
        struct db_stmt *stmt = db_stmt(desk->db, SQL_DRAFT_GET);
        db_bind_int(stmt, 1, agent);
        db_bind_int(stmt, 2, conv);
        db_bind_int(stmt, 3, log);
        int rc = db_step(stmt);
        if (rc == DB_ROW) {
                struct span text = db_text(stmt, 1);
                char *copy = text.at && arena ? arena_take(arena, text.len + 1) : NULL;
                if (copy)
                        memcpy(copy, text.at, text.len);
                *out = (struct draft){db_int(stmt, 0), db_int(stmt, 2), {copy, copy ? text.len : 0}};
                if (!arena && text.at) /* only whether there is one */
                        out->text = SPAN("");
        }
        db_reset(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static int put(struct desk *desk, int64_t agent, int64_t conv, enum entry_log log, int64_t version, struct span text)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_DRAFT_PUT);
        db_bind_int(stmt, 1, agent);
        db_bind_int(stmt, 2, conv);
        db_bind_int(stmt, 3, log);
        db_bind_int(stmt, 4, version);
        db_bind_text(stmt, 5, text);
        db_bind_int(stmt, 6, desk->now_ms);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* His connections hear of it; the one it came from knows the version already. */
static void tell(struct desk *desk, int64_t agent, const struct conversation *conversation, enum entry_log log,
                 int64_t version, struct span text)
{
        struct protocol_event_draft event = {.conv = conversation->row.ext,
                                             .log = log == LOG_TEAM ? PROTOCOL_EVENT_DRAFT_LOG_TEAM
                                                                    : PROTOCOL_EVENT_DRAFT_LOG_PUBLIC,
                                             .version = version,
                                             .has_text = text.at != NULL,
                                             .text = text};
        char first[1024];
        struct writer writer;
        writer_init(&writer, first, sizeof first);
        frame_call_begin(&writer, NULL, SPAN("draft"));
        protocol_event_draft_write(&writer, &event);
        frame_end(&writer);
        struct edge_frame *frame = writer.failed ? NULL : edge_frame_new((struct span){writer.bytes, writer.len});
        writer_done(&writer);
        if (!frame)
                return; /* a push is a hint (R3) */
        people_tell(desk, agent, frame);
        edge_frame_unref(frame);
}

int handle_draft_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_draft_set *params = command->params;
        enum entry_log log = params->has_log && params->log == PROTOCOL_DRAFT_SET_LOG_TEAM ? LOG_TEAM : LOG_PUBLIC;
        struct conversation *conversation = NULL;
        struct draft draft = {0};
        int rc = conversation_for(desk, &command->caller, params->conv, &conversation);
        if (conversation)
                rc = load(desk, command->caller.principal, conversation->row.id, log, NULL, &draft);
        if (rc < 0 || !conversation)
                return rc;
        struct protocol_draft_set_result result = {.version = draft.version};
        if (params->version > draft.version) {
                struct span text = params->has_text && params->text.len > 0 ? params->text : (struct span){0};
                rc = put(desk, command->caller.principal, conversation->row.id, log, params->version, text);
                if (rc < 0)
                        return rc;
                tell(desk, command->caller.principal, conversation, log, params->version, text);
                if (text.at)
                        work_types(desk, conversation, command->caller.principal);
                result.version = params->version;
        }
        protocol_draft_set_result_write(out, &result);
        return 0;
}

int handle_draft_get(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_draft_get *params = command->params;
        enum entry_log log = params->has_log && params->log == PROTOCOL_DRAFT_GET_LOG_TEAM ? LOG_TEAM : LOG_PUBLIC;
        struct conversation *conversation = NULL;
        struct draft draft = {0};
        int rc = conversation_for(desk, &command->caller, params->conv, &conversation);
        if (conversation)
                rc = load(desk, command->caller.principal, conversation->row.id, log, &command->arena, &draft);
        if (rc < 0)
                return rc;
        struct protocol_draft_get_result result = {.version = draft.version,
                                                   .has_text = draft.text.at != NULL,
                                                   .text = draft.text,
                                                   .has_at = draft.version > 0,
                                                   .at = draft.at_ms};
        protocol_draft_get_result_write(out, &result);
        return 0;
}

int draft_sent(struct desk *desk, const struct conversation *conversation, int64_t agent, enum entry_log log)
{
        struct draft draft = {0};
        int rc = load(desk, agent, conversation->row.id, log, NULL, &draft);
        if (rc < 0 || !draft.text.at)
                return rc;
        rc = put(desk, agent, conversation->row.id, log, draft.version + 1, (struct span){0});
        if (rc == 0)
                tell(desk, agent, conversation, log, draft.version + 1, (struct span){0});
        return rc;
}

int work_erase_conversation(struct desk *desk, int64_t conv)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_DRAFTS_ERASE);
        db_bind_int(stmt, 1, conv);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}
