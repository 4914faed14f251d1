/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a ticket along the table of life.json: where an event leads, and what goes with each status. */
#include "desk/tickets/ticket_private.h"

#include <stdio.h>
#include <time.h>

#include "desk/people/people.h"

/* ---- where an event leads ---- */

/* Somebody has it and can be expected to see it. A team that leaves tickets with agents who are gone says so. */
static bool has_somebody(struct desk *desk, const struct ticket *ticket)
{
        const struct agent_profile *agent = ticket->assignee ? people_agent(desk, ticket->assignee) : NULL;
        const struct team *team = ticket->team ? people_team(desk, ticket->team) : NULL;
        if (!agent || agent->is_gone)
                return false;
        return people_is_available(desk, agent) || (team && !team->offline_requeue);
}

static int is_the_bots(struct desk *desk, const struct ticket *ticket, bool *out_is)
{
        struct conversation *conversation = NULL;
        int rc = ticket_conversation(desk, ticket, &conversation);
        *out_is = rc == 0 && conversation->row.owner == OWNER_BOT;
        return rc;
}

/* 0, 1: the table has no such row, or a negative protocol error. */
static int find_way(struct desk *desk, const struct ticket *ticket, enum ticket_event event, enum ticket_status *out_to)
{
        const struct ticket_row *row = &ticket_life[ticket->status][event];
        bool is_other = false;
        int rc = 0;
        if (row->to == 0)
                return 1;
        if (event == TICKET_EVENT_FIRST_MESSAGE)
                rc = is_the_bots(desk, ticket, &is_other);
        else if (row->or_to != 0)
                is_other = !has_somebody(desk, ticket);
        *out_to = is_other ? row->or_to : row->to;
        return rc;
}

/* ---- what goes with a status ---- */

struct changed_field ticket_move_to(struct desk *desk, struct ticket *ticket, enum ticket_status to)
{
        enum ticket_status from = ticket->status;
        ticket->was_status = from;
        ticket->status = to;
        ticket->status_ms = desk->now_ms;
        ticket->consent_seq = 0;
        ticket->reminded_ms = 0;
        ticket->snooze_until_ms = 0;
        ticket->queued_ms = to != TICKET_PENDING ? 0 : ticket->queued_ms ? ticket->queued_ms : desk->now_ms;
        if (to == TICKET_SOLVED) {
                ticket->last_solved_ms = desk->now_ms;
                if (ticket->solved_ms == 0)
                        ticket->solved_ms = desk->now_ms;
        }
        if (to == TICKET_CLOSED)
                ticket->closed_ms = desk->now_ms;
        return (struct changed_field){"status", span_of(ticket_status_names[from]), span_of(ticket_status_names[to])};
}

static int tell_customer(struct desk *desk, struct ticket *ticket)
{
        int label = ticket_customer_labels[ticket->status];
        struct conversation *conversation = NULL;
        int rc = ticket_conversation(desk, ticket, &conversation);
        if (rc < 0)
                return rc;
        struct protocol_content content = {
                .has_fallback_text = true,
                .fallback_text = ticket_customer_label(desk, ticket->status, ticket->lang),
                .has_status = true,
                .status = {.number = ticket->number, .label = (enum protocol_status_said_label)(label + 1)}};
        struct writer body;
        char first[512];
        writer_init(&body, first, sizeof first);
        content_store(&body, &content);
        struct entry_row entry = {.log = LOG_PUBLIC, .kind = PROTOCOL_ENTRY_STATUS, .body = {body.bytes, body.len}};
        rc = body.failed ? desk_db_failed(desk, DB_NOMEM) : entry_add(desk, conversation, &entry, &content, ROLE_NONE);
        writer_done(&body);
        ticket->last_ms = conversation->row.last_ts;
        return rc < 0 ? rc : 0;
}

void ticket_happened(struct desk *desk, struct ticket *ticket, enum ticket_happening what, int64_t at_ms, int64_t seq)
{
        sla_happened(desk, ticket, what, at_ms, seq);
        reports_happened(desk, ticket, what, at_ms, seq);
}

int ticket_moved(struct desk *desk, struct ticket *ticket)
{
        int rc = 0;
        if (ticket_customer_labels[ticket->was_status] != ticket_customer_labels[ticket->status])
                rc = tell_customer(desk, ticket);
        if (rc < 0)
                return rc;
        ticket_happened(desk, ticket, TICKET_STATUS, desk->now_ms, 0);
        bool needs_people = ticket->status == TICKET_PENDING &&
                            (ticket->was_status == TICKET_NEW || ticket->was_status == TICKET_BOT);
        if (ticket->status == TICKET_PENDING && ticket->was_status == TICKET_BOT) {
                ticket->is_handed = true;
                ticket_happened(desk, ticket, TICKET_HANDED, desk->now_ms, 0);
        }
        if (needs_people) {
                struct conversation *conversation = NULL;
                rc = ticket_conversation(desk, ticket, &conversation);
                if (rc == 0)
                        rc = rules_run(desk, ticket, conversation);
        }
        if (rc >= 0)
                rc = surveys_ticket_moved(desk, ticket);
        ticket_reschedule(desk, ticket);
        return rc < 0 ? rc : desk->db_failure != 0 ? -PROTOCOL_ERR_INTERNAL : 0;
}

/* ---- events ---- */

static int move(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, enum ticket_event event,
                enum ticket_status to)
{
        struct changed_field fields[3];
        size_t count = 0;
        bool is_left = to == TICKET_PENDING && ticket->assignee != 0 && event != TICKET_EVENT_FIRST_MESSAGE;
        ticket->reopens += ticket_life[ticket->status][event].counts_reopen;
        fields[count++] = ticket_move_to(desk, ticket, to);
        if (event == TICKET_EVENT_FIRST_MESSAGE) /* its birth: the message itself says it */
                count = 0;
        if (is_left) {
                const struct principal *who = directory_find(desk->directory, ticket->assignee);
                fields[count++] = (struct changed_field){
                        "assignee", who && who->name ? span_of(who->name) : SPAN("an agent"), {0}};
                ticket->assignee = 0;
        }
        int rc = ticket_tell(desk, ticket, by, ticket_event_names[event], fields, count,
                             is_left ? TICKET_PLACE : TICKET_DETAILS);
        if (rc == 0 && is_left)
                rc = ticket_belongs(desk, ticket);
        return rc == 0 ? ticket_moved(desk, ticket) : rc;
}

int ticket_happens(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, enum ticket_event event)
{
        enum ticket_status to = ticket->status;
        int rc = find_way(desk, ticket, event, &to);
        if (rc != 0)
                return rc < 0 ? rc : 0;
        return move(desk, ticket, by, event, to);
}

static int refuse(const struct ticket *ticket, enum ticket_event event, struct fault *fault)
{
        char text[FAULT_EXPECTED_BYTES];
        snprintf(text, sizeof text, "no '%s' while it is '%s'", ticket_event_names[event],
                 ticket_status_names[ticket->status]);
        return fault_set(fault, PROTOCOL_ERR_CONFLICT, "to", text);
}

int ticket_apply(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, enum ticket_event event,
                 struct fault *fault)
{
        enum ticket_status to = ticket->status;
        int rc = find_way(desk, ticket, event, &to);
        if (rc == 1)
                return refuse(ticket, event, fault);
        if (rc < 0)
                return rc;
        if (event == TICKET_EVENT_TAKE && by->agent != 0 && ticket->assignee != by->agent && ticket->assignee == 0) {
                rc = ticket_assign(desk, ticket, by, ticket->team, by->agent);
                if (rc < 0 || ticket->status == TICKET_OPEN)
                        return rc < 0 ? rc : 0;
        }
        return move(desk, ticket, by, event, to);
}

int ticket_snooze(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, int64_t until_ms,
                  struct fault *fault)
{
        if (!ticket_may(ticket, TICKET_EVENT_SNOOZE))
                return refuse(ticket, TICKET_EVENT_SNOOZE, fault);
        char text[24];
        struct tm utc;
        time_t until_s = (time_t)(until_ms / 1000);
        struct changed_field fields[2] = {ticket_move_to(desk, ticket, TICKET_SNOOZED)};
        size_t count = 1;
        ticket->snooze_until_ms = until_ms;
        if (until_ms > 0) {
                strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", gmtime_r(&until_s, &utc));
                fields[count++] = (struct changed_field){"until", {0}, span_of(text)};
        }
        int rc = ticket_tell(desk, ticket, by, ticket_event_names[TICKET_EVENT_SNOOZE], fields, count, TICKET_DETAILS);
        return rc == 0 ? ticket_moved(desk, ticket) : rc;
}

int ticket_discard(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, const char *reason)
{
        if (!ticket_may(ticket, TICKET_EVENT_DISCARD))
                return 0;
        struct changed_field fields[2] = {ticket_move_to(desk, ticket, TICKET_CLOSED),
                                          {"reason", {0}, span_of(reason)}};
        snprintf(ticket->close_reason, sizeof ticket->close_reason, "%s", reason);
        int rc = ticket_tell(desk, ticket, by, ticket_event_names[TICKET_EVENT_DISCARD], fields, 2, TICKET_DETAILS);
        return rc == 0 ? ticket_moved(desk, ticket) : rc;
}
