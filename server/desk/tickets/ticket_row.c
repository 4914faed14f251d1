/* SPDX-License-Identifier: Apache-2.0 */
/* A ticket as others see it: short in lists and in the feed, whole when it is asked for, and as facts for conditions.
 */
#include <stdlib.h>

#include "desk/customers/customers.h"
#include "desk/hours/hours.h"
#include "desk/people/people.h"
#include "desk/routing/routing.h"
#include "desk/rules/facts.h"
#include "desk/tickets/ticket_private.h"
#include "desk/tickets/ticket_rows.h"

/* ---- for the wire ---- */

static void fill_people(struct desk *desk, const struct ticket *ticket, struct protocol_ticket_brief *out)
{
        const struct team *team = ticket->team ? people_team(desk, ticket->team) : NULL;
        const struct principal *who = ticket->assignee ? directory_find(desk->directory, ticket->assignee) : NULL;
        if (team) {
                out->has_team = out->has_team_name = true;
                out->team = team->ext;
                out->team_name = span_of(team->name);
        }
        if (!who)
                return;
        out->has_assignee = true;
        out->assignee = (struct principal_id){who->role, who->ext};
        if (who->name) {
                out->has_assignee_name = true;
                out->assignee_name = span_of(who->name);
        }
}

void ticket_brief_fill(struct desk *desk, const struct ticket *ticket, struct protocol_ticket_brief *out_brief)
{
        struct protocol_ticket_brief *out = out_brief;
        *out = (struct protocol_ticket_brief){
                .ticket = ticket->ext,
                .number = ticket->number,
                .status = (enum protocol_ticket_brief_status)ticket->status,
                .priority = (enum protocol_ticket_brief_priority)ticket->priority,
                .version = ticket->version,
        };
        fill_people(desk, ticket, out);
        if (ticket->subject) {
                out->has_subject = true;
                out->subject = span_of(ticket->subject);
        }
        int64_t due_ms = ticket->sla ? sla_deadline_ms(ticket) : CALENDAR_NEVER;
        if (due_ms != CALENDAR_NEVER) {
                out->has_due = true;
                out->due = due_ms;
        }
        int64_t missed = ticket->sla ? sla_misses(ticket) : 0;
        if (missed > 0) {
                out->has_missed = true;
                out->missed = missed;
        }
        if (ticket->status == TICKET_SNOOZED) {
                out->has_snooze_until = true;
                out->snooze_until = ticket->snooze_until_ms;
        }
        int64_t until_ms = 0, offered = routing_offered_to(ticket, &until_ms);
        const struct principal *asked = offered ? directory_find(desk->directory, offered) : NULL;
        if (asked) {
                out->has_offered = true;
                out->offered = (struct principal_id){asked->role, asked->ext};
        }
}

int ticket_brief_of(struct desk *desk, int64_t conv, struct ticket **out_keep, struct protocol_ticket_brief *out_brief)
{
        struct ticket *ticket = tickets_of_conversation(desk, conv);
        *out_keep = NULL;
        if (!ticket) {
                int rc = ticket_row_newest(desk->db, conv, out_keep);
                if (rc != DB_ROW)
                        return rc < 0 ? desk_db_failed(desk, rc) : 0;
                ticket = *out_keep;
        }
        ticket_brief_fill(desk, ticket, out_brief);
        return 1;
}

int ticket_feed_fill(struct desk *desk, int64_t conv, struct ticket **out_keep, struct protocol_feed_row *row)
{
        int rc = ticket_brief_of(desk, conv, out_keep, &row->ticket);
        row->has_ticket = rc == 1;
        return rc < 0 ? rc : 0;
}

static int ext_of(struct desk *desk, int64_t id, uint64_t *out_ext)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_TICKET_EXT_OF);
        db_bind_int(stmt, 1, id);
        int rc = db_step(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        *out_ext = rc == DB_ROW ? (uint64_t)db_int(stmt, 0) : 0;
        db_reset(stmt);
        return rc == DB_ROW;
}

static struct span *spans_of(struct arena *arena, char *const *words, size_t count)
{
        struct span *out = count ? arena_take(arena, count * sizeof *out) : NULL;
        for (size_t i = 0; out && i < count; i++)
                out[i] = span_of(words[i]);
        return out;
}

static int fill_others(struct desk *desk, const struct ticket *ticket, struct protocol_ticket_row *out)
{
        int rc = 0;
        if (ticket->follows && (rc = ext_of(desk, ticket->follows, &out->follows)) >= 0)
                out->has_follows = rc;
        if (rc >= 0 && ticket->merged_into && (rc = ext_of(desk, ticket->merged_into, &out->merged_into)) >= 0)
                out->has_merged_into = rc;
        if (rc >= 0 && ticket->split_from && (rc = ext_of(desk, ticket->split_from, &out->split_from)) >= 0)
                out->has_split_from = rc;
        return rc < 0 ? rc : 0;
}

#define SAY(member, value)                                                                                             \
        do {                                                                                                           \
                out->has_##member = true;                                                                              \
                out->member = (value);                                                                                 \
        } while (0)

int ticket_row_fill(struct desk *desk, const struct ticket *ticket, struct arena *arena,
                    struct protocol_ticket_row *out_row)
{
        struct protocol_ticket_row *out = out_row;
        const struct principal *customer = directory_find(desk->directory, ticket->customer);
        *out = (struct protocol_ticket_row){.conv = ticket->conv_ext,
                                            .app = directory_app(desk->directory, ticket->app),
                                            .first_seq = ticket->first_seq,
                                            .issued = ticket->issued_ms,
                                            .status_since = ticket->status_ms,
                                            .reopens = ticket->reopens,
                                            .transfers = ticket->transfers};
        ticket_brief_fill(desk, ticket, &out->ticket_brief);
        if (customer)
                out->customer = (struct principal_id){customer->role, customer->ext};
        if (ticket->topic)
                SAY(topic, span_of(ticket->topic));
        if (ticket->lang[0])
                SAY(lang, span_of(ticket->lang));
        if (ticket->fields)
                SAY(fields, span_of(ticket->fields));
        if (ticket->tag_count > 0 && (out->tags = spans_of(arena, ticket->tags, ticket->tag_count)) != NULL) {
                out->has_tags = true;
                out->tags_count = ticket->tag_count;
        }
        if (ticket->skill_count > 0 && (out->skills = spans_of(arena, ticket->skills, ticket->skill_count)) != NULL) {
                out->has_skills = true;
                out->skills_count = ticket->skill_count;
        }
        if (ticket->queued_ms)
                SAY(queued, ticket->queued_ms);
        if (ticket->first_reply_ms)
                SAY(first_reply, ticket->first_reply_ms);
        if (ticket->solved_ms)
                SAY(solved, ticket->solved_ms);
        if (ticket->closed_ms)
                SAY(closed, ticket->closed_ms);
        if (ticket->consent_seq)
                SAY(asking, ticket->consent_seq);
        if (ticket->is_exempt)
                SAY(exempt, true);
        if (ticket->close_reason[0])
                SAY(close_reason, span_of(ticket->close_reason));
        int rc = surveys_brief_of(desk, ticket->id, arena, &out->survey);
        out->has_survey = rc == 1;
        return rc < 0 ? rc : fill_others(desk, ticket, out);
}

/* ---- for conditions ---- */

static void set_number(struct fact_value *out, int64_t number, bool is_set)
{
        out->is_set = is_set;
        out->number = number;
}

static void set_text(struct fact_value *out, const char *text)
{
        out->is_set = text && *text;
        out->text = out->is_set ? span_of(text) : (struct span){0};
}

static void set_words(struct fact_value *out, char *const *words, size_t count)
{
        out->is_set = count > 0;
        out->count = (uint32_t)count;
        for (size_t i = 0; i < count; i++)
                out->room[i] = span_of(words[i]);
        out->items = out->room;
}

int ticket_handoff_team(struct desk *desk, struct conversation *conversation, struct arena *arena,
                        struct span *out_team)
{
        enum { NEWEST = 50 };
        struct protocol_content content = {0};
        struct db_stmt *stmt = db_stmt(desk->db, SQL_TICKET_HANDOFF_LAST);
        db_bind_int(stmt, 1, conversation->row.id);
        db_bind_int(stmt, 2, conversation->row.ihead - NEWEST);
        db_bind_int(stmt, 3, PROTOCOL_ENTRY_HANDOFF);
        int rc = db_step(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        struct span body = rc == DB_ROW ? db_text(stmt, 0) : (struct span){0};
        char *copy = body.len > 0 ? arena_take(arena, body.len) : NULL;
        if (copy) {
                struct reader reader;
                struct fault ignored = {0};
                memcpy(copy, body.at, body.len);
                reader_init(&reader, copy, body.len, READER_TOLERANT, arena, &ignored);
                if (protocol_content_read(&reader, &content) == 0 && content.has_handoff && content.handoff.has_team)
                        *out_team = content.handoff.team;
        }
        db_reset(stmt);
        return 0;
}

/* What is said in the conversation; lent until the next question of this kind. */
static int fact_of_log(const struct fact_scene *scene, enum fact fact, struct fact_value *out)
{
        static char room[PROTOCOL_TEXT_BYTES + 1]; /* desk thread only */
        struct arena arena;
        char first[4096];
        struct protocol_content content;
        int kind = 0, rc = 0;
        if (!scene->conversation)
                return 0;
        arena_init(&arena, first, sizeof first);
        struct span text = {0};
        if (fact == FACT_MESSAGE && scene->ticket->first_seq > 0) {
                rc = entry_content(scene->desk, scene->conversation, scene->ticket->first_seq, &arena, &kind, &content);
                text = rc == 0 && content.has_text ? content.text : (struct span){0};
        } else if (fact == FACT_HANDOFF) {
                rc = ticket_handoff_team(scene->desk, scene->conversation, &arena, &text);
        }
        if (text.len > 0 && text.len < sizeof room) {
                memcpy(room, text.at, text.len);
                out->is_set = true;
                out->text = (struct span){room, text.len};
        }
        arena_done(&arena);
        return rc == -PROTOCOL_ERR_NOT_FOUND ? 0 : rc;
}

/* A ticket knows what its conversation was like after the last batch; one that has changed since is in memory. */
static void fact_of_conversation(const struct fact_scene *scene, enum fact fact, struct fact_value *out)
{
        const struct ticket *ticket = scene->ticket;
        const struct conversation *conversation = scene->conversation;
        if (!conversation)
                conversation = conversation_peek(scene->desk, ticket->conv_ext);
        if (fact == FACT_BOT)
                set_number(out, conversation ? conversation->row.owner == OWNER_BOT : ticket->is_bots, true);
        else
                set_number(out, conversation ? conversation->row.unanswered : ticket->unanswered, true);
}

static void fact_of_time(const struct fact_scene *scene, enum fact fact, struct fact_value *out)
{
        const struct ticket *ticket = scene->ticket;
        int64_t due_ms;
        switch (fact) {
        case FACT_AGE:
                set_number(out, ticket->issued_ms, ticket->issued_ms > 0);
                break;
        case FACT_WAITING:
                set_number(out, ticket->customer_ms, ticket->customer_ms > 0);
                break;
        case FACT_ACTIVITY:
                set_number(out, ticket->last_ms, ticket->last_ms > 0);
                break;
        case FACT_SNOOZE:
                set_number(out, ticket->snooze_until_ms, ticket->snooze_until_ms > 0);
                break;
        default:
                due_ms = ticket->sla ? sla_deadline_ms(ticket) : CALENDAR_NEVER;
                set_number(out, due_ms, due_ms != CALENDAR_NEVER);
                break;
        }
}

int ticket_fact(const struct fact_scene *scene, enum fact fact, struct span name, struct fact_value *out)
{
        static char field[TICKET_FIELDS_BYTES]; /* desk thread only; until the next field is asked for */
        const struct ticket *ticket = scene->ticket;
        const struct team *team;
        switch (fact) {
        case FACT_STATUS:
                set_number(out, ticket->status, true);
                return 0;
        case FACT_PRIORITY:
                set_number(out, ticket->priority, true);
                return 0;
        case FACT_TEAM:
                set_number(out, ticket->team, ticket->team != 0);
                return 0;
        case FACT_ASSIGNEE:
                set_number(out, ticket->assignee, ticket->assignee != 0);
                return 0;
        case FACT_APP:
                set_number(out, ticket->app, true);
                return 0;
        case FACT_CUSTOMER:
                set_number(out, ticket->customer, true);
                return 0;
        case FACT_NUMBER:
                set_number(out, ticket->number, true);
                return 0;
        case FACT_REOPENS:
                set_number(out, ticket->reopens, true);
                return 0;
        case FACT_SLA:
                set_number(out, ticket->sla ? (int64_t)sla_state(ticket) : 0, true);
                return 0;
        case FACT_SUBJECT:
                set_text(out, ticket->subject);
                return 0;
        case FACT_TOPIC:
                set_text(out, ticket->topic);
                return 0;
        case FACT_LANGUAGE:
                set_text(out, ticket->lang);
                return 0;
        case FACT_TAG:
                set_words(out, ticket->tags, ticket->tag_count);
                return 0;
        case FACT_SKILL:
                set_words(out, ticket->skills, ticket->skill_count);
                return 0;
        case FACT_AGE:
        case FACT_WAITING:
        case FACT_ACTIVITY:
        case FACT_SNOOZE:
        case FACT_DUE:
                fact_of_time(scene, fact, out);
                return 0;
        case FACT_BOT:
        case FACT_UNANSWERED:
                fact_of_conversation(scene, fact, out);
                return 0;
        case FACT_FIELD:
                return fields_fact(scene->desk, ticket->fields ? span_of(ticket->fields) : (struct span){0}, name,
                                   field, sizeof field, out);
        case FACT_HOURS:
                team = ticket->team ? people_team(scene->desk, ticket->team) : NULL;
                set_number(out, hours_is_open(scene->desk, team ? team->schedule : 0, scene->now_ms), true);
                return 0;
        case FACT_MESSAGE:
        case FACT_HANDOFF:
                return fact_of_log(scene, fact, out);
        default:
                return customers_fact(scene->desk, ticket->customer, fact, name, out);
        }
}
