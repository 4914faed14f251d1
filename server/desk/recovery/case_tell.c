/* SPDX-License-Identifier: Apache-2.0 */
/* Who hears of a case: its owner and its managers, by an event; everybody who reads the conversation, by notes. */
#include "desk/recovery/recovery_private.h"
#include "desk/tickets/ticket_rows.h"

#include <stdio.h>

/* ---- the event ---- */

static struct edge_frame *frame_of(struct desk *desk, const struct recovery_case *one, enum case_what what, bool mine)
{
        struct protocol_event_recovery event = {.recovery = one->ext,
                                                .conv = one->conv_ext,
                                                .version = one->version,
                                                .what = (enum protocol_event_recovery_what)what,
                                                .stage = (enum protocol_event_recovery_stage)one->stage,
                                                .has_owner = one->owner != 0,
                                                .owner = one->owner ? directory_author(desk->directory, one->owner)
                                                                    : (struct principal_id){0},
                                                .has_mine = mine,
                                                .mine = mine,
                                                .has_contact_due = case_is_open(one) && one->contacted_ms == 0,
                                                .contact_due = one->contact_due_ms,
                                                .has_fix_due = case_is_open(one) && one->taken_on_ms == 0,
                                                .fix_due = one->fix_due_ms};
        char first[512];
        struct writer writer;
        writer_init(&writer, first, sizeof first);
        frame_call_begin(&writer, NULL, SPAN("recovery"));
        protocol_event_recovery_write(&writer, &event);
        frame_end(&writer);
        struct edge_frame *frame = writer.failed ? NULL : edge_frame_new((struct span){writer.bytes, writer.len});
        writer_done(&writer);
        return frame;
}

struct telling {
        struct desk *desk;
        const struct recovery_case *one;
        struct edge_frame *frame;
        bool of_team; /* only managers of its team */
        int told;
};

static bool tell_manager(void *data, struct agent_profile *agent)
{
        struct telling *telling = data;
        bool is_in_team = telling->one->team != 0 && people_is_member(agent, telling->one->team);
        if (agent->id == telling->one->owner || !people_may(agent, PROTOCOL_MAY_RECOVERY_ADMIN) ||
            is_in_team != telling->of_team || !case_is_read_by(telling->desk, telling->one, agent))
                return true;
        people_tell(telling->desk, agent->id, telling->frame);
        telling->told++;
        return true;
}

/* Those of its team; when it has none, all. */
static void tell_managers(struct desk *desk, const struct recovery_case *one, enum case_what what)
{
        struct telling telling = {desk, one, frame_of(desk, one, what, false), true, 0};
        if (!telling.frame)
                return; /* a push is a hint (R3) */
        people_each_agent(desk, 0, tell_manager, &telling);
        telling.of_team = false;
        if (telling.told == 0)
                people_each_agent(desk, 0, tell_manager, &telling);
        edge_frame_unref(telling.frame);
}

void case_tell(struct desk *desk, const struct recovery_case *one, enum case_what what)
{
        if (one->owner != 0) {
                struct edge_frame *frame = frame_of(desk, one, what, true);
                if (frame) {
                        people_tell(desk, one->owner, frame);
                        edge_frame_unref(frame);
                }
        }
        tell_managers(desk, one, what);
}

/* ---- notes ---- */

void case_describe_score(const struct case_score *score, char out[64])
{
        if (score->has_score)
                snprintf(out, 64, "score %d of %d", score->score, score->top);
        else
                snprintf(out, 64, "no score");
}

static int put_note(struct desk *desk, const struct recovery_case *one, const struct ticket *ticket, int64_t actor,
                    struct span text)
{
        struct conversation *conversation = NULL;
        int rc = conversation_find(desk, one->conv_ext, &conversation);
        if (rc < 0)
                return rc;
        struct protocol_change change = {.ticket = ticket->ext, .version = ticket->version, .what = SPAN("recovery")};
        struct protocol_content content = {.has_text = true, .text = text, .has_change = true, .change = change};
        struct writer body;
        char first[512];
        writer_init(&body, first, sizeof first);
        content_store(&body, &content);
        struct entry_row entry = {
                .log = LOG_TEAM, .author = actor, .kind = PROTOCOL_ENTRY_CHANGE, .body = {body.bytes, body.len}};
        rc = body.failed ? desk_db_failed(desk, DB_NOMEM)
                         : entry_add(desk, conversation, &entry, &content, actor ? ROLE_AGENT : ROLE_NONE);
        writer_done(&body);
        return rc < 0 ? rc : 0;
}

int case_note(struct desk *desk, const struct recovery_case *one, int64_t actor, const char *text)
{
        struct ticket *ticket = tickets_of_conversation(desk, one->conv), *closed = NULL;
        char id[ID_TEXT_BYTES], line[300];
        if (!ticket) {
                int rc = ticket_row_newest(desk->db, one->conv, &closed);
                if (rc < 0)
                        return desk_db_failed(desk, rc);
                if (rc != DB_ROW)
                        return 0; /* no ticket ever: its own log says it */
        }
        id_write(id, "rec", one->ext);
        int len = snprintf(line, sizeof line, "recovery case %.*s %s", ID_TEXT_BYTES, id, text);
        int rc = put_note(desk, one, ticket ? ticket : closed, actor, (struct span){line, (size_t)len});
        ticket_free(closed);
        return rc;
}
