/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of tickets without a saved view: those that are not closed by any condition, from memory; closed ones by fixed
 * keys, one indexed query a page, by a reader. */
#include <stdio.h>

#include "desk/people/reach.h"
#include "desk/reading.h"
#include "desk/views/views_private.h"

enum { LIMIT = 50, LOOKED_AT = 20000, PAGE = 256, CLOSED_AT_ONCE = 200 };

/* ---- not closed ---- */

struct search {
        struct desk *desk;
        const struct caller *caller;
        struct condition *condition; /* NULL = all */
        struct protocol_view_ticket *rows;
        char (*places)[VIEW_PLACE + 1];
        size_t count, limit, looked_at, bytes;
        struct order_item last; /* looked at */
        bool more;
};

static int look_at(struct search *search, struct order_item item)
{
        struct desk *desk = search->desk;
        const struct ticket *ticket = tickets_find(desk, (uint64_t)item.id);
        int64_t me = search->caller->role == ROLE_AGENT ? search->caller->principal : 0;
        struct fact_scene scene = {.desk = desk, .ticket = ticket, .now_ms = desk->now_ms, .me = me};
        search->last = item;
        search->looked_at++;
        int holds = !ticket ? 0 : search->condition ? condition_holds(search->condition, &rules_world, &scene) : 1;
        if (holds <= 0 || !people_may_read(desk, search->caller, ticket->team, ticket->assignee, ticket->conv))
                return holds;
        struct protocol_view_ticket *row = &search->rows[search->count];
        view_row_fill(desk, ticket, item, search->places[search->count++], row);
        search->bytes += view_brief_bytes(&row->ticket, row->customer_name);
        return 1;
}

/* Walks all tickets by that order, behind `after`. 0 or a negative protocol error. */
static int walk(struct search *search, const struct order *all, const struct order_item *after)
{
        struct order_item page[PAGE];
        size_t got = order_page(all, after, page, PAGE);
        while (got > 0) {
                for (size_t i = 0; i < got; i++) {
                        search->more = search->count == search->limit || search->looked_at == LOOKED_AT ||
                                       search->bytes >= PROTOCOL_PAGE_BYTES;
                        if (search->more)
                                return 0;
                        int rc = look_at(search, page[i]);
                        if (rc < 0)
                                return rc;
                }
                got = order_page(all, &page[got - 1], page, PAGE);
        }
        return 0;
}

static int compile_when(struct desk *desk, const struct protocol_ticket_list *params, struct condition **out_condition,
                        struct fault *fault)
{
        struct writer text;
        if (!params->has_when)
                return 0;
        writer_init(&text, NULL, 0);
        int rc = rules_compile(desk, params->when, CONDITION_OF_VIEW, "when", out_condition, &text, fault);
        writer_done(&text);
        return rc;
}

int handle_ticket_list(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_ticket_list *params = command->params;
        struct search search = {
                .desk = desk, .caller = &command->caller, .limit = params->has_limit ? (size_t)params->limit : LIMIT};
        enum view_sort sort = params->has_sort ? (enum view_sort)params->sort : VIEW_ACTIVITY;
        struct order_item after;
        if (params->has_after && view_place_read(params->after, &after) < 0)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "after", "`next` of the page before");
        search.rows = arena_take(&command->arena, search.limit * sizeof *search.rows);
        search.places = arena_take(&command->arena, search.limit * sizeof *search.places);
        if (!search.rows || !search.places)
                return -PROTOCOL_ERR_INTERNAL;
        int rc = compile_when(desk, params, &search.condition, fault);
        if (rc == 0)
                rc = walk(&search, &desk->views->all[sort]->order, params->has_after ? &after : NULL);
        condition_free(search.condition);
        if (rc < 0)
                return rc;
        char next[VIEW_PLACE + 1];
        view_place_write(next, search.last);
        struct protocol_ticket_list_result result = {.rows = search.rows,
                                                     .rows_count = search.count,
                                                     .more = search.more,
                                                     .has_next = search.more,
                                                     .next = span_of(next)};
        protocol_ticket_list_result_write(out, &result);
        return 0;
}

/* ---- closed ---- */

struct closed_page {
        const struct reading *reading;
        struct reach reach;
        struct protocol_closed_row *rows;
        size_t count, limit, looked_at, bytes;
        uint64_t last_ext;
        int64_t last_closed_ms;
};

/* A copy that lives as long as the answer. */
static struct span keep(const struct reading *reading, struct span text)
{
        char *copy = text.len > 0 ? arena_take(&reading->command->arena, text.len) : NULL;
        if (copy)
                memcpy(copy, text.at, text.len);
        return (struct span){copy ? copy : "", copy ? text.len : 0};
}

static void read_row(struct closed_page *page, struct db_stmt *stmt)
{
        struct protocol_closed_row *row = &page->rows[page->count++];
        struct protocol_ticket_brief *ticket = &row->ticket;
        *row = (struct protocol_closed_row){
                .conv = (uint64_t)db_int(stmt, 10),
                .customer = {(enum principal_role)db_int(stmt, 11), (uint64_t)db_int(stmt, 12)},
                .issued = db_int(stmt, 6),
                .closed = db_int(stmt, 7)};
        *ticket = (struct protocol_ticket_brief){.ticket = (uint64_t)db_int(stmt, 1),
                                                 .number = db_int(stmt, 2),
                                                 .status = PROTOCOL_TICKET_BRIEF_STATUS_CLOSED,
                                                 .priority = (enum protocol_ticket_brief_priority)db_int(stmt, 3),
                                                 .version = db_int(stmt, 4),
                                                 .has_team = !db_is_null(stmt, 13),
                                                 .has_team_name = !db_is_null(stmt, 14),
                                                 .has_assignee = !db_is_null(stmt, 15),
                                                 .has_assignee_name = db_text(stmt, 16).len > 0};
        ticket->subject = keep(page->reading, db_text(stmt, 5));
        ticket->has_subject = ticket->subject.len > 0;
        row->reason = keep(page->reading, db_text(stmt, 8));
        row->has_reason = row->reason.len > 0;
        if (ticket->has_team)
                ticket->team = (uint64_t)db_int(stmt, 13);
        if (ticket->has_team_name)
                ticket->team_name = keep(page->reading, db_text(stmt, 14));
        if (ticket->has_assignee)
                ticket->assignee = (struct principal_id){ROLE_AGENT, (uint64_t)db_int(stmt, 15)};
        if (ticket->has_assignee_name)
                ticket->assignee_name = keep(page->reading, db_text(stmt, 16));
        page->bytes += view_brief_bytes(ticket, row->reason);
}

/* What the list is of: the statement, and its first parameter. 0 or a negative protocol error. */
static int choose(const struct reading *reading, enum sql_id *out_sql, int64_t *out_key)
{
        const struct protocol_ticket_closed *params = reading->command->params;
        struct principal_id who = params->has_assignee ? params->assignee : params->customer;
        if (params->has_team + params->has_assignee + params->has_customer > 1)
                return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "", "one of team, assignee and customer");
        *out_key = reading->command->caller.workspace;
        *out_sql = params->has_team       ? SQL_CLOSED_OF_TEAM
                   : params->has_assignee ? SQL_CLOSED_OF_ASSIGNEE
                   : params->has_customer ? SQL_CLOSED_OF_CUSTOMER
                                          : SQL_CLOSED_ALL;
        if (params->has_assignee || params->has_customer) {
                struct principal_row row;
                int rc = principals_load_ext(reading->db, who.id, &row);
                if (rc < 0)
                        return reading_failed(reading, rc);
                if (rc == DB_OK || row.role != who.role || row.workspace != reading->command->caller.workspace)
                        return fault_set(reading->fault, PROTOCOL_ERR_NOT_FOUND,
                                         params->has_assignee ? "assignee" : "customer", "somebody of this workspace");
                *out_key = row.id;
        }
        if (!params->has_team)
                return 0;
        struct db_stmt *stmt = db_stmt(reading->db, SQL_CLOSED_TEAM);
        db_bind_int(stmt, 1, (int64_t)params->team);
        db_bind_int(stmt, 2, reading->command->caller.workspace);
        int rc = db_step(stmt);
        if (rc == DB_ROW)
                *out_key = db_int(stmt, 0);
        db_reset(stmt);
        return rc == DB_ROW ? 0
               : rc < 0     ? reading_failed(reading, rc)
                            : fault_set(reading->fault, PROTOCOL_ERR_NOT_FOUND, "team", "a team");
}

/* Where the page begins. 0 or a negative protocol error. */
static int find_place(const struct reading *reading, int64_t *out_closed_ms, int64_t *out_id)
{
        const struct protocol_ticket_closed *params = reading->command->params;
        struct order_item item;
        *out_closed_ms = *out_id = INT64_MAX;
        if (!params->has_after)
                return 0;
        if (view_place_read(params->after, &item) < 0)
                return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "after", "`next` of the page before");
        struct db_stmt *stmt = db_stmt(reading->db, SQL_CLOSED_PLACE);
        db_bind_int(stmt, 1, item.id);
        db_bind_int(stmt, 2, reading->command->caller.workspace);
        int rc = db_step(stmt);
        if (rc == DB_ROW) {
                *out_id = db_int(stmt, 0);
                *out_closed_ms = db_int(stmt, 1);
        }
        db_reset(stmt);
        return rc == DB_ROW ? 0
               : rc < 0     ? reading_failed(reading, rc)
                            : fault_set(reading->fault, PROTOCOL_ERR_NOT_FOUND, "after", "a closed ticket");
}

static int take_row(struct closed_page *page, struct db_stmt *stmt)
{
        int rc = page->reach.is_all ? 1 : reach_holds_id(&page->reach, page->reading->db, db_int(stmt, 9));
        page->looked_at++;
        page->last_ext = (uint64_t)db_int(stmt, 1);
        page->last_closed_ms = db_int(stmt, 7);
        if (rc == 1)
                read_row(page, stmt);
        return rc;
}

static int read_page(struct closed_page *page, bool *out_more)
{
        int64_t key = 0, closed_ms = 0, id = 0;
        enum sql_id sql = SQL_CLOSED_ALL;
        int rc = choose(page->reading, &sql, &key);
        if (rc == 0)
                rc = find_place(page->reading, &closed_ms, &id);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(page->reading->db, sql);
        db_bind_int(stmt, 1, key);
        db_bind_int(stmt, 2, closed_ms);
        db_bind_int(stmt, 3, id);
        db_bind_int(stmt, 4, page->reach.is_all ? (int64_t)page->limit + 1 : CLOSED_AT_ONCE + 1);
        while ((rc = db_step(stmt)) == DB_ROW) {
                *out_more = page->count == page->limit || page->looked_at == CLOSED_AT_ONCE ||
                            page->bytes >= PROTOCOL_PAGE_BYTES;
                if (*out_more || (rc = take_row(page, stmt)) < 0)
                        break;
        }
        db_reset(stmt);
        return rc < 0 ? reading_failed(page->reading, rc) : 0;
}

int read_ticket_closed(const struct reading *reading)
{
        const struct protocol_ticket_closed *params = reading->command->params;
        struct closed_page page = {.reading = reading, .limit = params->has_limit ? (size_t)params->limit : LIMIT};
        bool more = false;
        page.rows = arena_take(&reading->command->arena, page.limit * sizeof *page.rows);
        if (!page.rows)
                return -PROTOCOL_ERR_INTERNAL;
        int rc = reach_load(reading->db, &reading->command->caller, &page.reach);
        if (rc < 0)
                return reading_failed(reading, rc);
        rc = read_page(&page, &more);
        if (rc < 0)
                return rc;
        char next[VIEW_PLACE + 1];
        view_place_write(next, (struct order_item){page.last_closed_ms, (int64_t)page.last_ext});
        struct protocol_ticket_closed_result result = {
                .rows = page.rows, .rows_count = page.count, .more = more, .has_next = more, .next = span_of(next)};
        protocol_ticket_closed_result_write(reading->out, &result);
        return 0;
}
