/* SPDX-License-Identifier: Apache-2.0 */
/* feed.read and conversation.list, answered by a reader from one view of the store. Staff read what their reach holds
 * (people/reach.h): the walk is along one index, in the order that was asked for, and what is out of reach is passed
 * over as if it did not exist. */
#include "desk/desk_private.h"
#include "desk/people/reach_feed.h"
#include "desk/reading.h"
#include "desk/tickets/ticket_rows.h"
#include "protocol/planted.h"

#include <stdio.h>
#include <stdlib.h>

enum { FEED_DEFAULT = 100, LIST_DEFAULT = 50, ROW_SLACK = 2048 };

static bool is_staff(const struct caller *caller)
{
        return caller->role == ROLE_AGENT || caller->role == ROLE_BOT;
}

/* The rows of one answer. */
struct rows {
        const struct reading *reading;
        struct reach reach; /* staff */
        bool for_staff;
        size_t start; /* of the array in the output */
        int64_t count, limit, said;
        bool more; /* the page was full */
};

static bool is_full(struct rows *rows)
{
        size_t used = rows->reading->out->len - rows->start;
        rows->more = rows->count == rows->limit || (rows->count > 0 && used > PROTOCOL_PAGE_BYTES - ROW_SLACK);
        return rows->more;
}

/* 0 or a negative db_error. */
static int write_row(struct rows *rows, const struct conversation_row *row)
{
        const struct reading *reading = rows->reading;
        struct protocol_feed_row out;
        struct arena arena;
        char first[2048];
        int rc = 0;
        arena_init(&arena, first, sizeof first);
        feed_row_fill(&out, row, rows->for_staff, reading->directory);
        if (rows->for_staff && !out.has_left) {
                rc = ticket_brief_read(reading->db, row->id, reading->directory, &arena, &out.ticket);
                out.has_ticket = rc == 1;
        }
        if (rows->count++ > 0)
                writer_char(reading->out, ',');
        protocol_feed_row_write(reading->out, &out);
        rows->said = row->rev;
        arena_done(&arena);
        return rc < 0 ? rc : 0;
}

static int rows_begin(struct rows *rows, const struct reading *reading, int64_t limit)
{
        const struct caller *caller = &reading->command->caller;
        *rows = (struct rows){.reading = reading, .for_staff = is_staff(caller), .limit = limit};
        int rc = rows->for_staff ? reach_load(reading->db, caller, &rows->reach) : DB_OK;
        writer_raw(reading->out, SPAN("{\"rows\":["));
        rows->start = reading->out->len;
        return rc < 0 ? reading_failed(reading, rc) : 0;
}

/* ---- feed.read ---- */

static struct db_stmt *feed_statement(const struct rows *rows, int64_t rev)
{
        const struct caller *caller = &rows->reading->command->caller;
        struct db_stmt *stmt = db_stmt(rows->reading->db, rows->for_staff ? SQL_FEED_SCOPE : SQL_FEED_CUSTOMER);
        bool walks = rows->for_staff && !rows->reach.is_all;
        db_bind_int(stmt, 1, rows->for_staff ? scope_of_workspace(caller->workspace) : caller->principal);
        db_bind_int(stmt, 2, rev);
        db_bind_int(stmt, 3, walks ? INT64_MAX : rows->limit + 1);
        return stmt;
}

/* What left the reach before that rev, as far as there is room. */
static int write_left(struct rows *rows, struct reach_feed *feed, int64_t before)
{
        const struct reach_left *left;
        while (!rows->more && (left = reach_feed_peek(feed, before)) && !is_full(rows)) {
                struct conversation_row row = {.ext = left->ext, .rev = left->rev, .has_left = true};
                int rc = write_row(rows, &row);
                if (rc < 0)
                        return rc;
                reach_feed_take(feed);
        }
        return 0;
}

/* One row of the walk. 1: the page ends before it. 0: go on. */
static int write_next(struct rows *rows, struct reach_feed *feed, struct db_stmt *stmt)
{
        struct conversation_row row;
        conversations_read_row(stmt, &row);
        if (!rows->for_staff)
                return is_full(rows) ? 1 : write_row(rows, &row);
        row.has_left = db_int(stmt, 25) != 0;
        conversations_read_reach(stmt, 26, &row);
        if (row.rev > feed->horizon)
                return 1;
        int rc = write_left(rows, feed, row.rev);
        int holds = rc == 0 && !rows->more ? reach_holds(&rows->reach, rows->reading->db, &row) : 0;
        if (rc < 0 || holds < 0)
                return rc < 0 ? rc : holds;
        if (rows->more)
                return 1;
        return !holds ? 0 : is_full(rows) ? 1 : write_row(rows, &row);
}

static int walk_feed(struct rows *rows, struct reach_feed *feed, int64_t rev)
{
        struct db_stmt *stmt = feed_statement(rows, rev);
        int rc, ends = 0;
        while (ends == 0 && (rc = db_step(stmt)) == DB_ROW)
                if (!PLANTED("feed_misses_event") || db_int(stmt, 7) % 7 != 0)
                        ends = write_next(rows, feed, stmt);
        db_reset(stmt);
        if (ends < 0 || rc < 0)
                return ends < 0 ? ends : rc;
        if (rows->for_staff && !rows->more)
                rc = write_left(rows, feed, feed->horizon);
        if (rc >= 0 && !rows->more && feed->horizon != INT64_MAX) { /* there is more behind it */
                rows->more = true;
                rows->said = feed->horizon > rows->said ? feed->horizon : rows->said;
        }
        return rc < 0 ? rc : 0;
}

int read_feed_read(const struct reading *reading)
{
        const struct protocol_feed_read *params = reading->command->params;
        struct rows rows;
        struct reach_feed feed = {.horizon = INT64_MAX};
        int64_t rev = 0;
        int rc = meta_get_int(reading->db, "rev", &rev);
        if (rc < 0)
                return reading_failed(reading, rc);
        if ((rc = rows_begin(&rows, reading, params->has_limit ? params->limit : FEED_DEFAULT)) < 0)
                return rc;
        rows.said = params->rev;
        rc = rows.for_staff ? reach_feed_begin(&feed, reading->db, &rows.reach, params->rev, rows.limit) : DB_OK;
        if (rc >= 0)
                rc = walk_feed(&rows, &feed, params->rev);
        reach_feed_done(&feed);
        if (rc < 0)
                return reading_failed(reading, rc);
        writer_raw(reading->out, SPAN("],\"rev\":"));
        writer_int(reading->out, rows.more ? rows.said : rev > rows.said ? rev : rows.said);
        if (rows.more)
                writer_raw(reading->out, SPAN(",\"more\":true"));
        writer_char(reading->out, '}');
        return 0;
}

/* ---- conversation.list ---- */

/* `after` of a page: the sort value and row id of its last row, as two decimal numbers with a dot between. */
static bool read_position(struct span text, int64_t *out_value, int64_t *out_id)
{
        char copy[65], *end = NULL;
        if (text.len >= sizeof copy)
                return false;
        memcpy(copy, text.at, text.len);
        copy[text.len] = 0;
        *out_value = strtoll(copy, &end, 10);
        if (end == copy || *end != '.')
                return false;
        const char *rest = end + 1;
        *out_id = strtoll(rest, &end, 10);
        return end != rest && *end == 0;
}

static int list_ids(const struct reading *reading, const struct protocol_conversation_list *params, int64_t *out_app,
                    int64_t *out_customer)
{
        *out_app = *out_customer = 0;
        if (params->has_app) {
                struct db_stmt *stmt = db_stmt(reading->db, SQL_APP_BY_EXT);
                db_bind_int(stmt, 1, (int64_t)params->app);
                int rc = db_step(stmt);
                *out_app = rc == DB_ROW ? db_int(stmt, 0) : -1;
                db_reset(stmt);
                if (rc < 0)
                        return reading_failed(reading, rc);
        }
        if (params->has_customer) {
                struct principal_row row;
                int rc = principals_load_ext(reading->db, params->customer.id, &row);
                if (rc < 0)
                        return reading_failed(reading, rc);
                *out_customer = rc != DB_ROW ? -1 : row.alias_of != 0 ? row.alias_of : row.id;
        }
        return 0;
}

struct list {
        bool by_waiting;
        int64_t workspace, value, id, app, customer, filter, limit;
};

static struct db_stmt *list_statement(const struct rows *rows, const struct list *list)
{
        enum sql_id id = list->by_waiting ? SQL_LIST_LONGEST_WAITING
                         : list->customer ? SQL_LIST_OF_CUSTOMER
                                          : SQL_LIST_NEWEST;
        int64_t limit = rows->reach.is_all ? list->limit + 1 : INT64_MAX; /* else it is walked until the page is full */
        struct db_stmt *stmt = db_stmt(rows->reading->db, id);
        db_bind_int(stmt, 1, list->workspace);
        db_bind_int(stmt, 2, list->value);
        db_bind_int(stmt, 3, list->id);
        db_bind_int(stmt, 4, list->app);
        db_bind_int(stmt, 5, list->customer);
        if (list->by_waiting) {
                db_bind_int(stmt, 6, limit);
        } else {
                db_bind_int(stmt, 6, list->filter);
                db_bind_int(stmt, 7, limit);
        }
        return stmt;
}

static int prepare_list(const struct reading *reading, struct list *out)
{
        const struct protocol_conversation_list *params = reading->command->params;
        *out = (struct list){.workspace = reading->command->caller.workspace,
                             .limit = params->has_limit ? params->limit : LIST_DEFAULT,
                             .by_waiting = params->has_sort &&
                                           params->sort == PROTOCOL_CONVERSATION_LIST_SORT_LONGEST_WAITING};
        out->value = out->id = out->by_waiting ? 0 : INT64_MAX;
        if (params->has_filter && params->filter == PROTOCOL_CONVERSATION_LIST_FILTER_WAITING)
                out->filter = 1;
        if (params->has_filter && params->filter == PROTOCOL_CONVERSATION_LIST_FILTER_ANSWERED)
                out->filter = 2;
        if (out->by_waiting && out->filter == 2)
                return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "sort", "newest, with the filter answered");
        if (params->has_after && !read_position(params->after, &out->value, &out->id))
                return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "after", "`next` of a page before");
        return list_ids(reading, params, &out->app, &out->customer);
}

static int walk_list(struct rows *rows, struct list *list)
{
        struct db_stmt *stmt = list_statement(rows, list);
        int rc, holds = 0;
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct conversation_row row;
                conversations_read_row(stmt, &row);
                conversations_read_reach(stmt, 25, &row);
                holds = reach_holds(&rows->reach, rows->reading->db, &row);
                if (holds < 0 || (holds && is_full(rows)) || (holds && (rc = write_row(rows, &row)) < 0))
                        break;
                if (!holds)
                        continue;
                list->value = list->by_waiting ? row.waiting_since : row.last_ts;
                list->id = row.id;
        }
        db_reset(stmt);
        return holds < 0 ? holds : rc < 0 ? rc : 0;
}

int read_conversation_list(const struct reading *reading)
{
        struct list list;
        struct rows rows;
        int rc = prepare_list(reading, &list);
        if (rc < 0 || (rc = rows_begin(&rows, reading, list.limit)) < 0)
                return rc;
        if ((rc = walk_list(&rows, &list)) < 0)
                return reading_failed(reading, rc);
        writer_char(reading->out, ']');
        if (rows.more) {
                char next[64];
                snprintf(next, sizeof next, "%lld.%lld", (long long)list.value, (long long)list.id);
                writer_raw(reading->out, SPAN(",\"next\":"));
                writer_string(reading->out, span_of(next));
        }
        writer_char(reading->out, '}');
        return 0;
}
