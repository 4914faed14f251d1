/* SPDX-License-Identifier: Apache-2.0 */
/* The table of tickets in memory: found by their outside id and by their conversation, ordered by what time brings,
 * written at the end of a batch, put right after a rollback. */
#include "desk/tickets/tickets.h"

#include <stdlib.h>

#include "desk/desk_private.h"
#include "desk/tickets/ticket_private.h"
#include "desk/tickets/ticket_rows.h"
#include "desk/views/views.h"

enum { FIRST_SLOTS = 1024, TIMERS_AT_ONCE = 50 };

/* ---- the table ---- */

static size_t slot_of(const struct tickets *tickets, uint64_t key)
{
        return (key * 0x9e3779b97f4a7c15u >> 24) & (tickets->slot_count - 1);
}

static void chain(struct tickets *tickets, struct ticket *ticket)
{
        struct ticket **by_ext = &tickets->by_ext[slot_of(tickets, ticket->ext)];
        struct ticket **by_conv = &tickets->by_conv[slot_of(tickets, (uint64_t)ticket->conv)];
        ticket->ext_next = *by_ext;
        *by_ext = ticket;
        ticket->conv_next = *by_conv;
        *by_conv = ticket;
}

/* Twice as many slots as tickets at least. On failure the table stays as it is: only slower. */
static void grow_slots(struct tickets *tickets)
{
        size_t wanted = tickets->slot_count;
        while (wanted < tickets->count * 2)
                wanted *= 2;
        if (wanted == tickets->slot_count)
                return;
        struct ticket **by_ext = calloc(wanted, sizeof *by_ext), **by_conv = calloc(wanted, sizeof *by_conv);
        if (!by_ext || !by_conv) {
                free(by_ext);
                free(by_conv);
                return;
        }
        free(tickets->by_ext);
        free(tickets->by_conv);
        tickets->by_ext = by_ext;
        tickets->by_conv = by_conv;
        tickets->slot_count = wanted;
        for (size_t i = 0; i < tickets->count; i++)
                chain(tickets, tickets->all[i]);
}

/* Room for one more in the arrays, so that adding cannot fail later. */
static int make_room(struct tickets *tickets)
{
        if (tickets->count < tickets->room)
                return 0;
        size_t room = tickets->room ? tickets->room * 2 : FIRST_SLOTS;
        struct ticket **all = realloc(tickets->all, room * sizeof(*all));
        if (!all)
                return DB_NOMEM;
        tickets->all = all;
        struct ticket **heap = realloc(tickets->heap, room * sizeof(*heap));
        if (!heap)
                return DB_NOMEM;
        tickets->heap = heap;
        tickets->room = room;
        return 0;
}

int tickets_put(struct desk *desk, struct ticket *ticket)
{
        struct tickets *tickets = &desk->tickets;
        int rc = make_room(tickets);
        if (rc < 0)
                return rc;
        ticket->place = tickets->count;
        tickets->all[tickets->count++] = ticket;
        size_t before = tickets->slot_count;
        grow_slots(tickets);
        if (tickets->slot_count == before)
                chain(tickets, ticket);
        ticket_reschedule(desk, ticket);
        return 0;
}

static void unchain(struct tickets *tickets, struct ticket *ticket)
{
        struct ticket **link = &tickets->by_ext[slot_of(tickets, ticket->ext)];
        while (*link != ticket)
                link = &(*link)->ext_next;
        *link = ticket->ext_next;
        link = &tickets->by_conv[slot_of(tickets, (uint64_t)ticket->conv)];
        while (*link != ticket)
                link = &(*link)->conv_next;
        *link = ticket->conv_next;
}

static void heap_remove(struct tickets *tickets, struct ticket *ticket);

static void forget(struct desk *desk, struct ticket *ticket)
{
        struct tickets *tickets = &desk->tickets;
        unchain(tickets, ticket);
        heap_remove(tickets, ticket);
        struct ticket *last = tickets->all[--tickets->count];
        tickets->all[ticket->place] = last;
        last->place = ticket->place;
        sla_ticket_forget(ticket);
        routing_ticket_forget(ticket);
        ticket_free(ticket);
}

struct ticket *tickets_find(const struct desk *desk, uint64_t ext)
{
        struct ticket *ticket = desk->tickets.by_ext[slot_of(&desk->tickets, ext)];
        while (ticket && ticket->ext != ext)
                ticket = ticket->ext_next;
        return ticket && ticket->status != TICKET_CLOSED ? ticket : NULL;
}

struct ticket *tickets_of_conversation(const struct desk *desk, int64_t conv)
{
        struct ticket *ticket = desk->tickets.by_conv[slot_of(&desk->tickets, (uint64_t)conv)];
        while (ticket && (ticket->conv != conv || ticket->status == TICKET_CLOSED))
                ticket = ticket->conv_next;
        return ticket;
}

struct ticket *tickets_by_id(const struct desk *desk, int64_t id)
{
        struct ticket *ticket;
        tickets_each(desk, i, ticket) if (ticket->id == id) return ticket;
        return NULL;
}

/* ---- what time brings: a binary heap by due_ms ---- */

static void heap_set(struct tickets *tickets, size_t place, struct ticket *ticket)
{
        tickets->heap[place] = ticket;
        ticket->heap_place = place;
}

static void heap_settle(struct tickets *tickets, size_t place)
{
        struct ticket *ticket = tickets->heap[place];
        for (; place > 0 && tickets->heap[(place - 1) / 2]->due_ms > ticket->due_ms; place = (place - 1) / 2)
                heap_set(tickets, place, tickets->heap[(place - 1) / 2]);
        for (;;) {
                size_t child = place * 2 + 1;
                if (child + 1 < tickets->heap_count && tickets->heap[child + 1]->due_ms < tickets->heap[child]->due_ms)
                        child++;
                if (child >= tickets->heap_count || tickets->heap[child]->due_ms >= ticket->due_ms)
                        break;
                heap_set(tickets, place, tickets->heap[child]);
                place = child;
        }
        heap_set(tickets, place, ticket);
}

static void heap_remove(struct tickets *tickets, struct ticket *ticket)
{
        size_t place = ticket->heap_place;
        if (place == SIZE_MAX)
                return;
        struct ticket *last = tickets->heap[--tickets->heap_count];
        ticket->heap_place = SIZE_MAX;
        if (last == ticket)
                return;
        heap_set(tickets, place, last);
        heap_settle(tickets, place);
}

void ticket_reschedule(struct desk *desk, struct ticket *ticket)
{
        struct tickets *tickets = &desk->tickets;
        int64_t due_ms = ticket_next_ms(&tickets->settings, ticket), other_ms = sla_due_ms(ticket);
        due_ms = other_ms < due_ms ? other_ms : due_ms;
        other_ms = routing_due_ms(ticket);
        ticket->due_ms = other_ms < due_ms ? other_ms : due_ms;
        if (ticket->status == TICKET_CLOSED)
                ticket->due_ms = INT64_MAX;
        if (ticket->due_ms == INT64_MAX) {
                heap_remove(tickets, ticket);
                return;
        }
        if (ticket->heap_place == SIZE_MAX)
                heap_set(tickets, tickets->heap_count++, ticket);
        heap_settle(tickets, ticket->heap_place);
}

int64_t tickets_due_ms(const struct desk *desk)
{
        return desk->tickets.heap_count > 0 ? desk->tickets.heap[0]->due_ms : INT64_MAX;
}

int tickets_run_due(struct desk *desk)
{
        for (int done = 0; done < TIMERS_AT_ONCE && tickets_due_ms(desk) <= desk->now_ms; done++) {
                struct ticket *ticket = desk->tickets.heap[0];
                int rc = ticket_run_time(desk, ticket);
                if (rc == 0)
                        rc = sla_run_due(desk, ticket);
                if (rc == 0)
                        rc = routing_run_due(desk, ticket);
                if (rc < 0)
                        return rc;
                ticket_reschedule(desk, ticket);
                if (ticket->due_ms <= desk->now_ms) /* nothing of it could be done now: never in a circle */
                        ticket->due_ms = desk->now_ms + 1000;
                if (ticket->heap_place != SIZE_MAX)
                        heap_settle(&desk->tickets, ticket->heap_place);
        }
        return 0;
}

void tickets_reschedule_all(struct desk *desk)
{
        struct ticket *ticket;
        tickets_each(desk, i, ticket) ticket_reschedule(desk, ticket);
}

/* ---- from the store and back ---- */

static int load_one(struct desk *desk, struct ticket *ticket)
{
        int rc = ticket ? sla_ticket_load(desk, ticket) : DB_NOMEM;
        if (rc >= 0)
                rc = routing_ticket_load(desk, ticket);
        if (rc >= 0)
                rc = tickets_put(desk, ticket);
        if (rc < 0 && ticket) {
                sla_ticket_forget(ticket);
                routing_ticket_forget(ticket);
                ticket_free(ticket);
        }
        return rc < 0 ? rc : DB_OK;
}

static int load_all(struct desk *desk)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_TICKETS_OPEN);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                rc = load_one(desk, ticket_row_read(stmt));
                if (rc < 0) {
                        db_reset(stmt);
                        return rc;
                }
        }
        return rc;
}

static int load_number(struct desk *desk)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_TICKET_NUMBER_LAST);
        db_bind_int(stmt, 1, desk->workspace);
        int rc = db_step(stmt);
        desk->tickets.next_number = rc == DB_ROW ? db_int(stmt, 0) + 1 : 1;
        db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

int tickets_init(struct desk *desk)
{
        struct tickets *tickets = &desk->tickets;
        tickets->by_ext = calloc(FIRST_SLOTS, sizeof(*tickets->by_ext));
        tickets->by_conv = calloc(FIRST_SLOTS, sizeof(*tickets->by_conv));
        tickets->slot_count = FIRST_SLOTS;
        if (!tickets->by_ext || !tickets->by_conv)
                return DB_NOMEM;
        int rc = ticket_settings_load(desk);
        if (rc >= 0)
                rc = load_number(desk);
        return rc < 0 ? rc : load_all(desk);
}

void tickets_done(struct desk *desk)
{
        struct tickets *tickets = &desk->tickets;
        for (size_t i = 0; i < tickets->count; i++) {
                sla_ticket_forget(tickets->all[i]);
                routing_ticket_forget(tickets->all[i]);
                ticket_free(tickets->all[i]);
        }
        free(tickets->all);
        free(tickets->heap);
        free(tickets->by_ext);
        free(tickets->by_conv);
        *tickets = (struct tickets){0};
}

void ticket_heard(struct desk *desk, struct ticket *ticket)
{
        if (ticket->is_changed)
                return;
        ticket->is_changed = true;
        ticket->changed_next = desk->tickets.changed_first;
        desk->tickets.changed_first = ticket;
}

void ticket_changed(struct desk *desk, struct ticket *ticket)
{
        ticket->is_dirty = true;
        ticket_heard(desk, ticket);
}

void ticket_touch(struct desk *desk, struct ticket *ticket)
{
        struct conversation *conversation = NULL;
        ticket_changed(desk, ticket);
        ticket_reschedule(desk, ticket);
        if (ticket_conversation(desk, ticket, &conversation) == 0)
                conversation_changed(desk, conversation, false);
}

int ticket_conversation(struct desk *desk, const struct ticket *ticket, struct conversation **out_conversation)
{
        return conversation_find(desk, ticket->conv_ext, out_conversation);
}

/* What tickets keep of their conversations: whatever changed it, those who follow the ticket hear of it. */
static void follow_conversations(struct desk *desk)
{
        for (const struct conversation *at = desk->changed_first; at; at = at->changed_next) {
                struct ticket *ticket = tickets_of_conversation(desk, at->row.id);
                bool is_bots = at->row.owner == OWNER_BOT;
                if (!ticket || (ticket->unanswered == at->row.unanswered && ticket->is_bots == is_bots &&
                                ticket->customer_ms == at->row.waiting_since && ticket->last_ms == at->row.last_ts))
                        continue;
                ticket->unanswered = at->row.unanswered;
                ticket->is_bots = is_bots;
                ticket->customer_ms = at->row.waiting_since;
                ticket->last_ms = at->row.last_ts;
                ticket_heard(desk, ticket);
                ticket_reschedule(desk, ticket);
        }
}

int tickets_flush(struct desk *desk)
{
        follow_conversations(desk);
        for (struct ticket *at = desk->tickets.changed_first; at; at = at->changed_next) {
                int rc = at->is_dirty ? ticket_row_save(desk->db, at) : DB_OK;
                if (rc >= 0 && at->is_dirty)
                        rc = sla_ticket_save(desk, at);
                if (rc >= 0 && at->is_dirty)
                        rc = routing_ticket_save(desk, at);
                if (rc < 0)
                        return rc;
        }
        return DB_OK;
}

void tickets_committed(struct desk *desk)
{
        struct ticket *at = desk->tickets.changed_first;
        desk->tickets.changed_first = NULL;
        routing_committed(desk);
        while (at) {
                struct ticket *next = at->changed_next;
                bool is_gone = at->status == TICKET_CLOSED;
                at->is_changed = at->is_dirty = at->is_new = false;
                views_committed(desk, at, is_gone);
                if (is_gone)
                        forget(desk, at);
                at = next;
        }
        if (desk->tickets.are_settings_changed && ticket_settings_load(desk) >= 0)
                tickets_reschedule_all(desk);
}

/* Whatever memory thought of them in this batch is forgotten; those that were there before are read again. */
void tickets_rolled_back(struct desk *desk)
{
        struct ticket *at = desk->tickets.changed_first;
        desk->tickets.changed_first = NULL;
        desk->tickets.are_settings_changed = false;
        while (at) {
                struct ticket *next = at->changed_next, *again = NULL;
                int64_t id = at->is_new ? 0 : at->id;
                forget(desk, at);
                int rc = id != 0 ? ticket_row_by_id(desk->db, id, &again) : DB_OK;
                if (rc == DB_ROW)
                        rc = load_one(desk, again);
                if (rc < 0)
                        log_error(&desk->log, "a ticket could not be read again", "code", rc);
                at = next;
        }
        routing_rolled_back(desk);
        if (load_number(desk) < 0)
                log_error(&desk->log, "the number of the newest ticket could not be read again");
}
