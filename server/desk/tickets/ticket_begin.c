/* SPDX-License-Identifier: Apache-2.0 */
/* What messages do to tickets: the first one begins a ticket, a customer's wakes or opens it again, a person's takes
 * it. Runs in the transaction of the message. */
#include "desk/tickets/ticket_private.h"

#include <stdlib.h>

#include "desk/customers/customers.h"
#include "desk/people/people.h"
#include "desk/tickets/ticket_rows.h"

static const struct ticket_by nobody = {0};

/* ---- a new one ---- */

static int look_back(struct desk *desk, struct conversation *conversation, struct ticket *ticket)
{
        struct ticket *before = NULL;
        struct principal_row customer;
        int rc = ticket_row_newest(desk->db, conversation->row.id, &before);
        if (rc < 0)
                return rc;
        if (rc == DB_ROW)
                ticket->follows = before->id;
        ticket_free(before);
        rc = principals_load(desk->db, conversation->row.customer, &customer);
        if (rc == DB_ROW)
                memcpy(ticket->lang, customer.locale, sizeof ticket->lang);
        return rc < 0 ? rc : DB_OK;
}

struct ticket *ticket_begin(struct desk *desk, struct conversation *conversation, int64_t split_from)
{
        struct ticket *ticket = calloc(1, sizeof *ticket);
        int rc = ticket ? DB_OK : DB_NOMEM;
        if (ticket) {
                *ticket = (struct ticket){.ext = desk_new_id(desk),
                                          .number = desk->tickets.next_number,
                                          .conv = conversation->row.id,
                                          .conv_ext = conversation->row.ext,
                                          .customer = conversation->row.customer,
                                          .app = conversation->row.app,
                                          .status = TICKET_NEW,
                                          .was_status = TICKET_NEW,
                                          .status_ms = desk->now_ms,
                                          .priority = PRIORITY_NORMAL,
                                          .version = 1,
                                          .split_from = split_from,
                                          .last_ms = conversation->row.last_ts,
                                          .customer_ms = conversation->row.waiting_since,
                                          .heap_place = SIZE_MAX,
                                          .due_ms = INT64_MAX,
                                          .is_new = true};
                rc = look_back(desk, conversation, ticket);
        }
        if (rc >= 0)
                rc = ticket_row_insert(desk->db, desk->workspace, ticket, desk->now_ms);
        if (rc >= 0)
                rc = tickets_put(desk, ticket);
        if (rc < 0) {
                ticket_free(ticket);
                desk_db_failed(desk, rc);
                return NULL;
        }
        desk->tickets.next_number++;
        ticket_changed(desk, ticket);
        conversation_changed(desk, conversation, false);
        return ticket;
}

/* ---- the customer's answer to "is it solved?" ---- */

static struct span consent_text(const struct ticket *ticket, int which)
{
        static const char *const texts[3][TICKET_LANGUAGES] = {
                {"Is your question solved?", "문의가 해결되었나요?", "您的问题解决了吗？",
                 "お問い合わせは解決しましたか？"},
                {"Yes, solved", "네, 해결됐어요", "是的，解决了", "はい、解決しました"},
                {"No, not yet", "아니요, 아직이에요", "还没有", "いいえ、まだです"},
        };
        return span_of(texts[which][ticket_language_of(ticket->lang)]);
}

int ticket_ask(struct desk *desk, struct ticket *ticket, int64_t agent)
{
        struct conversation *conversation = NULL;
        int rc = ticket_conversation(desk, ticket, &conversation);
        if (rc < 0)
                return rc;
        struct protocol_choice choices[] = {{.id = SPAN("solved"), .label = consent_text(ticket, 1)},
                                            {.id = SPAN("not_solved"), .label = consent_text(ticket, 2)}};
        struct protocol_content content = {.has_text = true,
                                           .text = consent_text(ticket, 0),
                                           .has_fallback_text = true,
                                           .fallback_text = consent_text(ticket, 0),
                                           .has_choices = true,
                                           .choices = choices,
                                           .choices_count = 2};
        struct writer body;
        char first[1024];
        writer_init(&body, first, sizeof first);
        content_store(&body, &content);
        struct entry_row entry = {
                .log = LOG_PUBLIC, .author = agent, .kind = PROTOCOL_ENTRY_CHOICES, .body = {body.bytes, body.len}};
        rc = body.failed ? desk_db_failed(desk, DB_NOMEM)
                         : entry_add(desk, conversation, &entry, &content, agent ? ROLE_AGENT : ROLE_NONE);
        writer_done(&body);
        if (rc < 0)
                return rc;
        ticket->last_ms = conversation->row.last_ts;
        ticket->customer_ms = conversation->row.waiting_since;
        ticket->consent_seq = entry.seq;
        struct changed_field field = {"asks", {0}, SPAN("whether it is solved")};
        struct ticket_by by = {.agent = agent};
        return ticket_tell(desk, ticket, &by, "ask", &field, 1, TICKET_DETAILS);
}

/* Which of the two choices this message presses: 1 solved, 0 the other, -1 none of them. */
static int pressed_consent(struct desk *desk, struct conversation *conversation, const struct entry_row *entry,
                           const struct ticket *ticket)
{
        struct arena arena = {0};
        struct protocol_content content = {0};
        int kind = 0, pressed = -1;
        if (entry_content(desk, conversation, entry->seq, &arena, &kind, &content) == 0 && content.has_pressed &&
            content.pressed.seq == ticket->consent_seq)
                pressed = span_equal(content.pressed.id, SPAN("solved"));
        arena_done(&arena);
        return pressed;
}

/* ---- messages ---- */

/* All clocks start here. */
static int issue(struct desk *desk, struct ticket *ticket, const struct entry_row *entry)
{
        ticket->first_seq = entry->seq;
        ticket->issued_ms = entry->ts;
        ticket_changed(desk, ticket);
        ticket_happened(desk, ticket, TICKET_MADE, entry->ts, entry->seq);
        return ticket_belongs(desk, ticket);
}

static int first_message(struct desk *desk, struct ticket *ticket)
{
        int rc = ticket_happens(desk, ticket, &nobody, TICKET_EVENT_FIRST_MESSAGE);
        if (rc == 0 && ticket->status == TICKET_PENDING && ticket->assignee != 0) /* we had written first */
                rc = ticket_happens(desk, ticket, &nobody, TICKET_EVENT_ASSIGN);
        return rc;
}

static int customer_wrote(struct desk *desk, struct conversation *conversation, struct ticket *ticket,
                          const struct entry_row *entry)
{
        int rc = 0;
        if (!ticket && !(ticket = ticket_begin(desk, conversation, 0)))
                return -PROTOCOL_ERR_INTERNAL;
        ticket->last_ms = entry->ts;
        ticket->customer_ms = conversation->row.waiting_since;
        ticket_heard(desk, ticket);
        if (ticket->issued_ms == 0)
                rc = issue(desk, ticket, entry);
        if (rc < 0)
                return rc;
        if (ticket->status == TICKET_NEW) {
                rc = first_message(desk, ticket);
        } else if (ticket->consent_seq > 0) {
                bool agrees = pressed_consent(desk, conversation, entry, ticket) == 1;
                rc = ticket_happens(desk, ticket, &nobody, agrees ? TICKET_EVENT_CONFIRM : TICKET_EVENT_DECLINE);
        } else {
                rc = ticket_happens(desk, ticket, &nobody, TICKET_EVENT_CUSTOMER_MESSAGE);
        }
        if (rc == 0)
                ticket_happened(desk, ticket, TICKET_CUSTOMER_WROTE, entry->ts, entry->seq);
        if (rc == 0 && customers_is_blocked(desk, ticket->customer)) {
                static const struct ticket_by by = {.why = "the customer is blocked"};
                rc = ticket_happens(desk, ticket, &by, TICKET_EVENT_SOLVE);
        }
        ticket_reschedule(desk, ticket);
        routing_wants(desk, ticket);
        return rc;
}

/* Whoever replies to a ticket that nobody has, has it; a reply to one that waits opens it. */
static int staff_wrote(struct desk *desk, struct conversation *conversation, struct ticket *ticket,
                       const struct entry_row *entry)
{
        int rc = 0;
        struct ticket_by by = {.agent = entry->author};
        if (!ticket && !(ticket = ticket_begin(desk, conversation, 0)))
                return -PROTOCOL_ERR_INTERNAL;
        ticket->last_ms = entry->ts;
        ticket->customer_ms = 0;
        ticket_heard(desk, ticket);
        ticket_happened(desk, ticket, TICKET_STAFF_WROTE, entry->ts, entry->seq);
        if (ticket->first_reply_ms == 0 && ticket->issued_ms > 0) {
                ticket->first_reply_ms = entry->ts;
                ticket_changed(desk, ticket);
        }
        if (ticket->status == TICKET_NEW && ticket->assignee == 0)
                rc = ticket_assign(desk, ticket, &by, ticket->team, entry->author);
        else if (ticket_may(ticket, TICKET_EVENT_TAKE))
                rc = ticket_apply(desk, ticket, &by, TICKET_EVENT_TAKE, NULL);
        ticket_reschedule(desk, ticket);
        routing_wants(desk, ticket);
        return rc < 0 ? rc : 0;
}

int tickets_message(struct desk *desk, struct conversation *conversation, const struct entry_row *entry,
                    enum principal_role role)
{
        struct ticket *ticket = tickets_of_conversation(desk, conversation->row.id);
        if (role == ROLE_CUSTOMER)
                return customer_wrote(desk, conversation, ticket, entry);
        if (role == ROLE_AGENT) {
                int rc = staff_wrote(desk, conversation, ticket, entry);
                return rc < 0 ? rc : recovery_staff_wrote(desk, conversation, entry);
        }
        if (ticket) {
                ticket->last_ms = entry->ts;
                ticket_heard(desk, ticket);
                ticket_reschedule(desk, ticket);
        }
        return 0;
}

int tickets_owner_changed(struct desk *desk, struct conversation *conversation)
{
        struct ticket *ticket = tickets_of_conversation(desk, conversation->row.id);
        /* a person who takes it is heard of by his message, or by tickets_taken */
        if (!ticket || conversation->row.owner != OWNER_PEOPLE || conversation->row.handed_ms == 0)
                return 0;
        return ticket_happens(desk, ticket, &nobody, TICKET_EVENT_HAND_OVER);
}

int tickets_taken(struct desk *desk, struct conversation *conversation, int64_t agent)
{
        struct ticket *ticket = tickets_of_conversation(desk, conversation->row.id);
        struct ticket_by by = {.agent = agent};
        if (!ticket || !ticket_may(ticket, TICKET_EVENT_TAKE))
                return 0;
        return ticket_apply(desk, ticket, &by, TICKET_EVENT_TAKE, NULL);
}

/* ---- another customer, or none ---- */

int tickets_given(struct desk *desk, struct conversation *conversation)
{
        struct ticket *ticket = tickets_of_conversation(desk, conversation->row.id);
        if (ticket) {
                ticket->customer = conversation->row.customer;
                ticket_changed(desk, ticket);
        }
        struct db_stmt *stmt = db_stmt(desk->db, SQL_TICKETS_GIVE);
        db_bind_int(stmt, 1, conversation->row.id);
        db_bind_int(stmt, 2, conversation->row.customer);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        rc = surveys_given(desk, conversation->row.id, conversation->row.customer);
        return rc < 0 ? rc : recovery_given(desk, conversation->row.id, conversation->row.customer);
}

int tickets_erase(struct desk *desk, int64_t customer)
{
        struct ticket *ticket;
        tickets_each(desk, i, ticket)
        {
                if (ticket->customer != customer)
                        continue;
                free(ticket->subject);
                free(ticket->fields);
                ticket->subject = ticket->fields = NULL;
                ticket_changed(desk, ticket);
        }
        struct db_stmt *stmt = db_stmt(desk->db, SQL_TICKETS_ERASE);
        db_bind_int(stmt, 1, customer);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}
