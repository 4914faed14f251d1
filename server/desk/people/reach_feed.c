/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/people/reach_feed.h"

#include <stdlib.h>

static int keep(struct reach_feed *feed, int64_t rev, int64_t conv, uint64_t ext)
{
        if (feed->count == feed->room) {
                size_t room = feed->room ? feed->room * 2 : 32;
                struct reach_left *rows = realloc(feed->rows, room * sizeof *rows);
                if (!rows)
                        return DB_NOMEM;
                feed->rows = rows;
                feed->room = room;
        }
        feed->rows[feed->count++] = (struct reach_left){rev, conv, ext};
        return DB_OK;
}

static bool is_scope_of(const struct reach *reach, int64_t scope)
{
        if (scope == scope_of_agent(reach->agent))
                return true;
        if (scope == scope_of_nobody(reach->workspace))
                return reach->has_unassigned;
        for (uint8_t i = 0; i < reach->team_count; i++)
                if (scope == scope_of_team(reach->teams[i]))
                        return true;
        return false;
}

/* Whether it has left another of his scopes later: it is said then. 1, 0 or a negative db_error. */
static int leaves_later(struct db *db, const struct reach *reach, int64_t conv, int64_t rev)
{
        struct db_stmt *stmt = db_stmt(db, SQL_SCOPE_LEFT_OF);
        db_bind_int(stmt, 1, conv);
        int rc;
        bool is_later = false;
        while (!is_later && (rc = db_step(stmt)) == DB_ROW)
                is_later = db_int(stmt, 1) > rev && is_scope_of(reach, db_int(stmt, 0));
        db_reset(stmt);
        return is_later ? 1 : rc;
}

static int read_scope(struct reach_feed *feed, struct db *db, const struct reach *reach, int64_t scope, int64_t rev,
                      int64_t limit)
{
        struct db_stmt *stmt = db_stmt(db, SQL_SCOPE_LEFT_SINCE);
        db_bind_int(stmt, 1, scope);
        db_bind_int(stmt, 2, rev);
        db_bind_int(stmt, 3, limit);
        int64_t count = 0, last = 0;
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct conversation_row row = {.id = db_int(stmt, 1), .workspace = reach->workspace};
                conversations_read_reach(stmt, 3, &row);
                last = db_int(stmt, 0);
                count++;
                int skips = reach_holds(reach, db, &row);
                if (skips == 0)
                        skips = leaves_later(db, reach, row.id, last);
                if (skips == 0)
                        skips = keep(feed, last, row.id, (uint64_t)db_int(stmt, 2));
                if (skips < 0) {
                        db_reset(stmt);
                        return skips;
                }
        }
        if (rc >= 0 && count == limit && last < feed->horizon)
                feed->horizon = last;
        return rc;
}

static int by_conversation(const void *a, const void *b)
{
        const struct reach_left *x = a, *y = b;
        return x->conv != y->conv ? (x->conv > y->conv) - (x->conv < y->conv) : (x->rev > y->rev) - (x->rev < y->rev);
}

static int by_rev(const void *a, const void *b)
{
        const struct reach_left *x = a, *y = b;
        return (x->rev > y->rev) - (x->rev < y->rev);
}

/* One that has left several of his scopes at once is said once. */
static void sort_out(struct reach_feed *feed)
{
        size_t kept = 0;
        if (feed->count == 0)
                return;
        qsort(feed->rows, feed->count, sizeof *feed->rows, by_conversation);
        for (size_t i = 0; i < feed->count; i++) {
                if (i + 1 < feed->count && feed->rows[i + 1].conv == feed->rows[i].conv)
                        continue;
                feed->rows[kept++] = feed->rows[i];
        }
        feed->count = kept;
        qsort(feed->rows, feed->count, sizeof *feed->rows, by_rev);
}

int reach_feed_begin(struct reach_feed *feed, struct db *db, const struct reach *reach, int64_t rev, int64_t limit)
{
        *feed = (struct reach_feed){.horizon = INT64_MAX};
        if (reach->is_all || rev == 0)
                return DB_OK; /* whoever knows nothing has nothing to put away */
        int64_t since = rev > reach->since_rev ? rev : reach->since_rev;
        int rc = read_scope(feed, db, reach, scope_of_agent(reach->agent), since, limit + 1);
        if (rc >= 0 && reach->has_unassigned)
                rc = read_scope(feed, db, reach, scope_of_nobody(reach->workspace), since, limit + 1);
        for (uint8_t i = 0; rc >= 0 && i < reach->team_count; i++)
                rc = read_scope(feed, db, reach, scope_of_team(reach->teams[i]), since, limit + 1);
        if (rc >= 0)
                sort_out(feed);
        return rc < 0 ? rc : DB_OK;
}

void reach_feed_done(struct reach_feed *feed)
{
        free(feed->rows);
        *feed = (struct reach_feed){0};
}

const struct reach_left *reach_feed_peek(const struct reach_feed *feed, int64_t until)
{
        bool is_there = feed->at < feed->count && feed->rows[feed->at].rev <= until;
        return is_there ? &feed->rows[feed->at] : NULL;
}

void reach_feed_take(struct reach_feed *feed)
{
        feed->at++;
}
