/* SPDX-License-Identifier: Apache-2.0 */
/* report.check: every fact is made again from what is stored and compared with the one that is kept; what they add up
 * to is compared with the cells, and messages with their count. In one view of the store, writing nothing. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/reading.h"
#include "desk/reports/reports_private.h"
#include "protocol/writer.h"
#include "store/db.h"

enum { AT_ONCE = 256, FIRST_BYTES = 400 };

struct check {
        struct db *db;
        struct tally tally;
        const struct report_state *state;
        int64_t tickets, offers, episodes, cells, differences;
        char first[FIRST_BYTES];
};

static void differs(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void differs(struct check *check, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        if (check->differences++ == 0)
                vsnprintf(check->first, sizeof check->first, format, args);
        va_end(args);
}

typedef int check_fn(struct check *check, int64_t id);

static int each_row(struct check *check, enum sql_id sql, int64_t until, check_fn *one)
{
        int64_t ids[AT_ONCE], above = 0;
        for (;;) {
                struct db_stmt *stmt = db_stmt(check->db, sql);
                int count = 0, rc;
                db_bind_int(stmt, 1, above);
                db_bind_int(stmt, 2, AT_ONCE);
                while ((rc = db_step(stmt)) == DB_ROW)
                        ids[count++] = db_int(stmt, 0);
                for (int i = 0; rc >= 0 && i < count && ids[i] <= until; i++)
                        rc = one(check, ids[i]);
                if (rc < 0 || count == 0 || ids[count - 1] > until)
                        return rc;
                above = ids[count - 1];
        }
}

/* ---- facts ---- */

static int check_ticket(struct check *check, int64_t id)
{
        struct ticket_fact kept, made;
        int rc = fact_load(check->db, id, &kept);
        if (rc >= 0)
                rc = fact_make(check->db, id, &made);
        if (rc < 0)
                return rc;
        check->tickets++;
        tally_fact(&check->tally, &made, 1);
        if (fact_same(&kept, &made))
                return rc;
        for (int i = 0; i < FIGURES; i++)
                if (kept.figures[i] != made.figures[i])
                        differs(check, "ticket row %lld, number %d: kept %lld, made %lld", (long long)id, i,
                                (long long)kept.figures[i], (long long)made.figures[i]);
        differs(check,
                "ticket row %lld: issued %lld and %lld, solved %lld and %lld, ended %lld and %lld, place or words",
                (long long)id, (long long)kept.issued_ms, (long long)made.issued_ms, (long long)kept.solved_ms,
                (long long)made.solved_ms, (long long)kept.ended_ms, (long long)made.ended_ms);
        return rc;
}

static int check_offer(struct check *check, int64_t id)
{
        struct offer_fact kept, made;
        int rc = offer_fact_load(check->db, id, &kept);
        if (rc >= 0)
                rc = offer_fact_make(check->db, id, &made);
        if (rc < 0)
                return rc;
        check->offers++;
        tally_offer(&check->tally, &made, 1);
        if (!offer_fact_same(&kept, &made))
                differs(check, "asking row %lld: kept %s score %lld, made %s score %lld", (long long)id,
                        kept.counts ? "and" : "not,", (long long)kept.score, made.counts ? "and" : "not,",
                        (long long)made.score);
        return rc;
}

static int check_episodes_of(struct check *check, int64_t conv, int64_t bot)
{
        struct episode_list kept = {0}, made = {0};
        int rc = episodes_load(check->db, conv, bot, 0, &kept);
        if (rc >= 0)
                rc = episodes_make(check->db, conv, bot, 0, &made);
        for (size_t i = 0; rc >= 0 && i < made.count; i++) {
                const struct episode_fact *fact = &made.facts[i];
                tally_episode(&check->tally, fact, 1);
                if (i >= kept.count || !episode_same(&kept.facts[i], fact))
                        differs(check, "episode row %lld: made with outcome %d, open until %lld, kept with %d and %lld",
                                (long long)fact->episode, fact->outcome, (long long)fact->open_ms,
                                i < kept.count ? kept.facts[i].outcome : -1,
                                i < kept.count ? (long long)kept.facts[i].open_ms : 0);
        }
        check->episodes += (int64_t)made.count;
        episodes_done(&kept);
        episodes_done(&made);
        return rc;
}

static int check_conversation(struct check *check, int64_t conv)
{
        int64_t bots[REPORT_BOTS];
        int count = episodes_bots(check->db, conv, bots), rc = count < 0 ? count : DB_OK;
        for (int i = 0; rc >= 0 && i < count; i++)
                rc = check_episodes_of(check, conv, bots[i]);
        return rc;
}

/* No more are kept than were made. */
static int check_episodes(struct check *check)
{
        int rc = each_row(check, SQL_REPORT_BOT_CONVERSATIONS_AFTER, check->state->episodes, check_conversation);
        struct db_stmt *stmt = db_stmt(check->db, SQL_REPORT_EPISODES_COUNT);
        if (rc >= 0)
                rc = db_step(stmt);
        int64_t kept = rc == DB_ROW ? db_int(stmt, 0) : 0;
        db_reset(stmt);
        if (rc >= 0 && kept != check->episodes)
                differs(check, "%lld episodes are kept, %lld made", (long long)kept, (long long)check->episodes);
        return rc;
}

/* ---- cells ---- */

static int by_place(const void *a, const void *b)
{
        const struct tally_cell *x = *(struct tally_cell *const *)a, *y = *(struct tally_cell *const *)b;
        if (x->dim != y->dim)
                return x->dim < y->dim ? -1 : 1;
        int rc = strcmp(x->key, y->key);
        return rc ? rc : (x->day > y->day) - (x->day < y->day);
}

static struct tally_cell **list_cells(const struct tally *tally)
{
        struct tally_cell **list = calloc(tally->count + 1, sizeof *list);
        size_t count = 0;
        for (size_t i = 0; list && i < tally->slot_count; i++)
                for (struct tally_cell *at = tally->slots[i]; at; at = at->next)
                        list[count++] = at;
        if (list && count > 1)
                qsort(list, count, sizeof(*list), by_place);
        return list;
}

static void compare_cell(struct check *check, const struct tally_cell *place, const struct cell *kept,
                         const struct cell *made)
{
        check->cells++;
        for (int id = 1; id < METRICS; id++) {
                static const struct cell_part none;
                const struct cell_part *a = cell_part(kept, id), *b = cell_part(made, id);
                a = a ? a : &none;
                b = b ? b : &none;
                if (a->n != b->n || a->sum != b->sum)
                        differs(check,
                                "%s of day %lld, dimension %d, key of %zu bytes: kept n %lld sum %lld, made n %lld sum "
                                "%lld",
                                metrics[id].name, (long long)place->day, (int)place->dim, strlen(place->key),
                                (long long)a->n, (long long)a->sum, (long long)b->n, (long long)b->sum);
        }
}

/* What is kept at one place against what was made there; either may be empty. */
static int compare_bytes(struct check *check, const struct tally_cell *place, struct span kept, const struct cell *made)
{
        struct writer bytes;
        char first[4096];
        struct cell cell = {0};
        writer_init(&bytes, first, sizeof first);
        cell_write(made, &bytes);
        bool is_same = bytes.len == kept.len && (kept.len == 0 || memcmp(bytes.bytes, kept.at, kept.len) == 0);
        check->cells += is_same;
        cell_read(&cell, kept, UINT64_MAX);
        if (!is_same) {
                int64_t before = check->differences;
                compare_cell(check, place, &cell, made);
                if (check->differences == before)
                        differs(check, "buckets of day %lld, dimension %d", (long long)place->day, (int)place->dim);
        }
        int rc = bytes.failed || cell.has_failed ? DB_NOMEM : DB_OK;
        cell_done(&cell);
        writer_done(&bytes);
        return rc;
}

static int compare_cells(struct check *check, struct tally_cell **list)
{
        static const struct cell empty;
        struct db_stmt *stmt = db_stmt(check->db, SQL_REPORT_CELLS_ALL);
        size_t next = 0;
        int rc, found = DB_OK;
        while ((rc = db_step(stmt)) == DB_ROW && found >= 0) {
                struct tally_cell place = {.dim = (enum report_dim)db_int(stmt, 0), .day = db_int(stmt, 2)},
                                  *at = &place;
                struct span key = db_text(stmt, 1);
                snprintf(place.key, sizeof place.key, "%.*s", (int)key.len, key.at);
                int order = -1;
                while (found >= 0 && list[next] && (order = by_place(&list[next], &at)) < 0) {
                        found = compare_bytes(check, list[next], SPAN(""), &list[next]->cell);
                        next++;
                }
                bool is_there = list[next] && order == 0;
                if (found >= 0)
                        found = compare_bytes(check, &place, db_blob(stmt, 3), is_there ? &list[next]->cell : &empty);
                next += is_there;
        }
        db_reset(stmt);
        for (; rc >= 0 && found >= 0 && list[next]; next++)
                found = compare_bytes(check, list[next], SPAN(""), &list[next]->cell);
        return rc < 0 ? rc : found;
}

/* ---- messages ---- */

static int check_messages(struct check *check)
{
        struct db_stmt *stmt = db_stmt(check->db, SQL_REPORT_TRAFFIC_DIFFERENCES);
        int rc;
        db_bind_int(stmt, 1, PROTOCOL_ENTRY_SYSTEM);
        db_bind_int(stmt, 2, PROTOCOL_ENTRY_ERASED);
        db_bind_int(stmt, 3, PROTOCOL_ENTRY_CHOICES);
        db_bind_int(stmt, 4, check->state->conversations);
        while ((rc = db_step(stmt)) == DB_ROW)
                differs(check, "messages of quarter %lld, kind %lld: %lld too many are kept",
                        (long long)db_int(stmt, 1), (long long)db_int(stmt, 0), (long long)db_int(stmt, 2));
        return rc;
}

/* ---- all of it ---- */

static int check_all(struct check *check)
{
        int rc = each_row(check, SQL_REPORT_TICKETS_AFTER, check->state->tickets, check_ticket);
        if (rc >= 0)
                rc = each_row(check, SQL_REPORT_OFFERS_AFTER, check->state->offers, check_offer);
        if (rc >= 0)
                rc = check_episodes(check);
        if (rc >= 0)
                rc = check_messages(check);
        struct tally_cell **list = rc >= 0 ? list_cells(&check->tally) : NULL;
        if (rc >= 0)
                rc = list && !check->tally.has_failed ? compare_cells(check, list) : DB_NOMEM;
        free(list);
        return rc;
}

int read_report_check(const struct reading *reading)
{
        struct report_state state = {0};
        int rc = report_state_for(reading, &state);
        struct check check = {.db = reading->db, .state = &state, .tally = {.zone = state.zone}};
        if (rc == 0)
                rc = check_all(&check);
        tally_done(&check.tally);
        struct protocol_report_check_result result = {.tickets = check.tickets,
                                                      .offers = check.offers,
                                                      .episodes = check.episodes,
                                                      .cells = check.cells,
                                                      .differences = check.differences,
                                                      .has_first = check.differences > 0,
                                                      .first = span_of(check.first),
                                                      .has_building = !report_state_is_whole(&state),
                                                      .building = true};
        report_state_done(&state);
        if (rc < 0)
                return reading_failed(reading, rc);
        protocol_report_check_result_write(reading->out, &result);
        return 0;
}
