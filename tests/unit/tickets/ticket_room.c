/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/tickets/ticket_room.h"

#include <stdlib.h>
#include <string.h>

#include "desk/tickets/ticket_rows.h"

static void same_text(const char *memory, const char *disk)
{
        assert_string_equal(disk ? disk : "", memory ? memory : "");
}

static void same_ticket(const struct ticket *memory, const struct ticket *disk)
{
#define SAME(member) assert_int_equal(disk->member, memory->member)
        SAME(ext);
        SAME(number);
        SAME(conv);
        SAME(conv_ext);
        SAME(customer);
        SAME(app);
        SAME(status);
        SAME(status_ms);
        SAME(priority);
        SAME(team);
        SAME(assignee);
        SAME(version);
        SAME(first_seq);
        SAME(issued_ms);
        SAME(queued_ms);
        SAME(assigned_ms);
        SAME(first_reply_ms);
        SAME(solved_ms);
        SAME(last_solved_ms);
        SAME(reopens);
        SAME(transfers);
        SAME(snooze_until_ms);
        SAME(consent_seq);
        SAME(reminded_ms);
        SAME(is_exempt);
        SAME(is_handed);
        SAME(follows);
        SAME(merged_into);
        SAME(split_from);
        SAME(customer_ms);
        SAME(last_ms);
        SAME(unanswered);
        SAME(is_bots);
        SAME(tag_count);
        SAME(skill_count);
#undef SAME
        for (size_t i = 0; i < memory->tag_count; i++)
                assert_string_equal(disk->tags[i], memory->tags[i]);
        same_text(memory->subject, disk->subject);
        same_text(memory->topic, disk->topic);
        same_text(memory->fields, disk->fields);
        same_text(memory->lang, disk->lang);
}

static void check_shape(const struct ticket *ticket)
{
        assert_int_equal(ticket->status == TICKET_PENDING, ticket->queued_ms > 0);
        if (ticket->status == TICKET_PENDING)
                assert_int_equal(0, ticket->assignee);
        if (ticket->status == TICKET_SOLVED)
                assert_true(ticket->last_solved_ms >= ticket->solved_ms && ticket->solved_ms > 0);
        if (ticket->status != TICKET_NEW && ticket->status != TICKET_SOLVED && ticket->solved_ms == 0)
                assert_true(ticket->issued_ms > 0);
        if (ticket->snooze_until_ms > 0)
                assert_int_equal(TICKET_SNOOZED, ticket->status);
        if (ticket->consent_seq > 0)
                assert_true(ticket->status == TICKET_OPEN || ticket->status == TICKET_WAITING);
}

static bool is_in_table(const char *from, const char *to)
{
        for (int s = TICKET_NEW; s < TICKET_STATUSES; s++)
                for (int e = 0; e < TICKET_EVENTS && strcmp(ticket_status_names[s], from) == 0; e++) {
                        const struct ticket_row *row = &ticket_life[s][e];
                        if ((row->to && strcmp(ticket_status_names[row->to], to) == 0) ||
                            (row->or_to && strcmp(ticket_status_names[row->or_to], to) == 0))
                                return true;
                }
        return false;
}

static bool is_first(const char *status)
{
        return strcmp(status, "new") == 0 || strcmp(status, "pending") == 0 || strcmp(status, "bot") == 0;
}

/* What the log says of each ticket's status, from its beginning on. */
static void check_log(struct room *room)
{
        struct db_stmt *stmt = db_stmt(room->view, SQL_ENTRIES_OF_KIND);
        json_t *now = json_object();
        db_bind_int(stmt, 1, PROTOCOL_ENTRY_CHANGE);
        while (db_step(stmt) == DB_ROW) {
                struct span body = db_text(stmt, 0);
                json_t *entry = json_loadb(body.at, body.len, 0, NULL), *field;
                const char *ticket = words(entry, "change.ticket");
                size_t i;
                json_array_foreach(json_object_get(json_object_get(entry, "change"), "fields"), i, field) {
                        if (strcmp(words(field, "name"), "status") != 0)
                                continue;
                        const char *before = json_string_value(json_object_get(now, ticket));
                        if (before) /* its birth is no entry: it is new, or what the first message made of it */
                                assert_string_equal(before, words(field, "old"));
                        else if (!is_first(words(field, "old")))
                                fail_msg("the first change of a ticket begins at %s", words(field, "old"));
                        if (!is_in_table(words(field, "old"), words(field, "now")))
                                fail_msg("%s -> %s", words(field, "old"), words(field, "now"));
                        json_object_set_new(now, ticket, json_string(words(field, "now")));
                }
                json_decref(entry);
        }
        for (size_t i = 0; i < room->desk->tickets.count; i++) {
                char ext[ID_TEXT_BYTES + 1] = "";
                id_write(ext, "tkt", room->desk->tickets.all[i]->ext);
                const char *last = json_string_value(json_object_get(now, ext));
                const char *status = ticket_status_names[room->desk->tickets.all[i]->status];
                if (last)
                        assert_string_equal(last, status);
                else if (!is_first(status))
                        fail_msg("a ticket is %s and the log says nothing", status);
        }
        json_decref(now);
}

void tickets_check(struct room *room)
{
        struct tickets *tickets = &room->desk->tickets;
        assert_int_equal(tickets->count, room_sql(room, "SELECT COUNT(*) FROM ticket WHERE status < 9"));
        assert_int_equal(0, room_sql(room, "SELECT COUNT(*) FROM (SELECT conv FROM ticket WHERE status < 9"
                                           " GROUP BY conv HAVING COUNT(*) > 1)"));
        for (size_t i = 0; i < tickets->count; i++) {
                struct ticket *disk = NULL;
                assert_int_equal(DB_ROW, ticket_row_by_id(room->view, tickets->all[i]->id, &disk));
                same_ticket(tickets->all[i], disk);
                check_shape(tickets->all[i]);
                assert_false(tickets->all[i]->is_changed);
                assert_ptr_equal(tickets->all[i], tickets_find(room->desk, disk->ext));
                assert_ptr_equal(tickets->all[i], tickets_of_conversation(room->desk, disk->conv));
                ticket_free(disk);
        }
        for (size_t i = 1; i < tickets->heap_count; i++)
                assert_true(tickets->heap[(i - 1) / 2]->due_ms <= tickets->heap[i]->due_ms);
        check_log(room);
}

/* Whether the desk has it in memory or not. */
static int64_t row_of(struct room *room, const char *conv)
{
        struct conversation_row row;
        uint64_t ext;
        assert_int_equal(0, id_read(span_of(conv), "cnv", &ext));
        assert_int_equal(DB_ROW, conversations_load(room->view, ext, &row));
        return row.id;
}

struct ticket *ticket_in(struct room *room, const char *conv)
{
        struct ticket *ticket = tickets_of_conversation(room->desk, row_of(room, conv));
        assert_non_null(ticket);
        return ticket;
}

json_t *ticket_ask_for(struct room *room, const struct client *client, const char *conv, const char *method,
                       const char *more)
{
        const struct ticket *ticket = ticket_in(room, conv);
        char ext[ID_TEXT_BYTES + 1] = "";
        id_write(ext, "tkt", ticket->ext);
        return room_ask(room, client, method, "{\"cmid\":\"%s\",\"ticket\":\"%s\",\"version\":%lld%s}", room_cmid(room),
                        ext, (long long)ticket->version, more);
}

void ticket_do(struct room *room, const struct client *client, const char *conv, const char *method, const char *more)
{
        json_t *answer = ticket_ask_for(room, client, conv, method, more);
        if (!json_object_get(answer, "result"))
                fail_msg("%s%s: %s", method, more, json_dumps(answer, 0));
        json_decref(answer);
}

const char *ticket_status_in(struct room *room, const char *conv)
{
        struct ticket *ticket = NULL;
        assert_int_equal(DB_ROW, ticket_row_newest(room->view, row_of(room, conv), &ticket));
        enum ticket_status status = ticket->status;
        ticket_free(ticket);
        return ticket_status_names[status];
}
