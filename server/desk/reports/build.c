/* SPDX-License-Identifier: Apache-2.0 */
/* Making the numbers again from what is stored: cells and the count of messages are emptied, and tickets, askings, what
 * bots did and conversations are counted in the order of their row ids, some at a time, by a job beside other work.
 * What lies behind the place that was reached is kept up to date as things happen; what lies before it is left for its
 * turn. So the sum is right whenever the end is reached, whatever happened meanwhile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/desk_private.h"
#include "desk/hours/zone_file.h"
#include "desk/reports/reports_private.h"

enum { AT_ONCE = 256, SLICE_MS = 15 };

/* ---- the state ---- */

static int load_zone(const char *name, struct zone **out_zone)
{
        char *bytes = NULL;
        size_t len = 0;
        if (strcmp(name, "UTC") == 0)
                return 0;
        int rc = zone_file_read(span_of(name), &bytes, &len);
        if (rc == 0)
                rc = zone_parse((struct span){bytes, len}, out_zone);
        free(bytes);
        return rc;
}

int report_state_load(struct db *db, int64_t workspace, struct report_state *out_state)
{
        struct db_stmt *stmt = db_stmt(db, SQL_REPORT_STATE_GET);
        *out_state = (struct report_state){.zone_name = "UTC"};
        db_bind_int(stmt, 1, workspace);
        int rc = db_step(stmt);
        if (rc == DB_ROW) {
                struct span zone = db_text(stmt, 0);
                snprintf(out_state->zone_name, sizeof out_state->zone_name, "%.*s", (int)zone.len, zone.at);
                out_state->tickets = db_int(stmt, 1);
                out_state->offers = db_int(stmt, 2);
                out_state->conversations = db_int(stmt, 3);
                out_state->episodes = db_int(stmt, 4);
        }
        db_reset(stmt);
        if (rc == DB_ROW && load_zone(out_state->zone_name, &out_state->zone) < 0)
                return DB_IO;
        return rc;
}

void report_state_done(struct report_state *state)
{
        state->zone = zone_free(state->zone);
}

bool report_state_is_whole(const struct report_state *state)
{
        return state->tickets == REPORT_WHOLE && state->offers == REPORT_WHOLE && state->episodes == REPORT_WHOLE &&
               state->conversations == REPORT_WHOLE;
}

static int save_state(struct desk *desk)
{
        const struct report_state *state = &desk->reports->state;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_REPORT_STATE_PUT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_text(stmt, 2, span_of(state->zone_name));
        db_bind_int(stmt, 3, state->tickets);
        db_bind_int(stmt, 4, state->offers);
        db_bind_int(stmt, 5, state->conversations);
        db_bind_int(stmt, 6, state->episodes);
        return db_run(stmt);
}

/* ---- counting one ---- */

int reports_count_ticket(struct desk *desk, struct tally *tally, int64_t ticket, bool was_counted)
{
        struct ticket_fact was = {0}, is;
        int rc = was_counted ? fact_load(desk->db, ticket, &was) : DB_OK;
        if (rc >= 0)
                rc = fact_make(desk->db, ticket, &is);
        if (rc < 0 || (was_counted && fact_same(&was, &is)))
                return rc;
        tally_fact(tally, &was, -1);
        tally_fact(tally, &is, 1);
        return fact_save(desk->db, &is);
}

int reports_count_offer(struct desk *desk, struct tally *tally, int64_t offer, bool was_counted)
{
        struct offer_fact was = {0}, is;
        int rc = was_counted ? offer_fact_load(desk->db, offer, &was) : DB_OK;
        if (rc >= 0)
                rc = offer_fact_make(desk->db, offer, &is);
        if (rc < 0 || (was_counted && offer_fact_same(&was, &is)))
                return rc;
        tally_offer(tally, &was, -1);
        tally_offer(tally, &is, 1);
        return offer_fact_save(desk->db, &is);
}

static int add_message(void *data, int64_t at_ms, bool is_by_customer, int64_t author)
{
        struct db_stmt *stmt = db_stmt(data, SQL_REPORT_TRAFFIC_ADD);
        db_bind_int(stmt, 1, is_by_customer ? REPORT_CUSTOMERS : REPORT_STAFF);
        db_bind_int(stmt, 2, at_ms / REPORT_SLOT_MS);
        db_bind_int(stmt, 3, is_by_customer ? 0 : author);
        db_bind_int(stmt, 4, 1);
        return db_run(stmt);
}

/* ---- some at a time ---- */

typedef int count_fn(struct desk *desk, struct tally *tally, int64_t id);

static int count_ticket(struct desk *desk, struct tally *tally, int64_t id)
{
        return reports_count_ticket(desk, tally, id, false);
}

static int count_offer(struct desk *desk, struct tally *tally, int64_t id)
{
        return reports_count_offer(desk, tally, id, false);
}

static int count_conversation(struct desk *desk, struct tally *tally, int64_t id)
{
        (void)tally;
        return report_messages(desk->db, id, 1, INT64_MAX, add_message, desk->db);
}

static int count_met(struct desk *desk, struct tally *tally, int64_t id)
{
        return reports_count_episodes(desk, tally, id);
}

static int read_ids(struct db *db, enum sql_id sql, int64_t above, int64_t ids[AT_ONCE])
{
        struct db_stmt *stmt = db_stmt(db, sql);
        int count = 0, rc;
        db_bind_int(stmt, 1, above);
        db_bind_int(stmt, 2, AT_ONCE);
        while ((rc = db_step(stmt)) == DB_ROW)
                ids[count++] = db_int(stmt, 0);
        return rc < 0 ? rc : count;
}

/* Goes on from *cursor. 0 or a negative db_error. */
static int advance(struct desk *desk, struct tally *tally, enum sql_id sql, count_fn *one, int64_t *cursor,
                   uint64_t until_ms)
{
        int64_t ids[AT_ONCE];
        int count = *cursor == REPORT_WHOLE ? 0 : read_ids(desk->db, sql, *cursor, ids);
        if (count < 0)
                return count;
        for (int i = 0; i < count && clock_mono_ms() < until_ms; i++) {
                int rc = one(desk, tally, ids[i]);
                if (rc < 0)
                        return rc;
                *cursor = ids[i];
        }
        if (count == 0)
                *cursor = REPORT_WHOLE;
        return DB_OK;
}

static int build_some(struct desk *desk)
{
        struct report_state *state = &desk->reports->state;
        struct tally tally = {.zone = state->zone};
        uint64_t until_ms = clock_mono_ms() + SLICE_MS;
        int rc = DB_OK;
        do {
                if (state->tickets != REPORT_WHOLE)
                        rc = advance(desk, &tally, SQL_REPORT_TICKETS_AFTER, count_ticket, &state->tickets, until_ms);
                else if (state->offers != REPORT_WHOLE)
                        rc = advance(desk, &tally, SQL_REPORT_OFFERS_AFTER, count_offer, &state->offers, until_ms);
                else if (state->episodes != REPORT_WHOLE)
                        rc = advance(desk, &tally, SQL_REPORT_BOT_CONVERSATIONS_AFTER, count_met, &state->episodes,
                                     until_ms);
                else
                        rc = advance(desk, &tally, SQL_REPORT_CONVERSATIONS_AFTER, count_conversation,
                                     &state->conversations, until_ms);
        } while (rc >= 0 && !report_state_is_whole(state) && clock_mono_ms() < until_ms);
        if (rc >= 0)
                rc = tally_flush(&tally, desk->db);
        tally_done(&tally);
        return rc < 0 ? rc : save_state(desk);
}

int reports_build_run(struct desk *desk, int64_t subject, struct span body)
{
        (void)subject;
        (void)body;
        if (report_state_is_whole(&desk->reports->state))
                return 0;
        int rc = build_some(desk);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (report_state_is_whole(&desk->reports->state)) {
                log_info(&desk->log, "the reports are whole");
                return 0;
        }
        return jobs_put(desk, JOB_REPORTS_BUILD, 0, desk->now_ms, (struct span){0});
}

/* ---- when ---- */

/* A store that has no row of it yet: an empty one is whole, another has to be counted. In a transaction. */
static int begin_state(struct desk *desk)
{
        struct report_state *state = &desk->reports->state;
        int64_t ids[AT_ONCE];
        int count = read_ids(desk->db, SQL_REPORT_CONVERSATIONS_AFTER, 0, ids);
        if (count < 0)
                return count;
        state->tickets = state->offers = state->conversations = state->episodes = count == 0 ? REPORT_WHOLE : 0;
        int rc = save_state(desk);
        if (rc < 0 || count == 0)
                return rc;
        log_info(&desk->log, "the reports are made from what is stored; until then they are not whole");
        return jobs_put(desk, JOB_REPORTS_BUILD, 0, clock_wall_ms(), (struct span){0}) < 0 ? desk->db_failure : DB_OK;
}

/* What this version counts and the one that wrote the store did not. In a transaction. */
static int go_on(struct desk *desk)
{
        if (report_state_is_whole(&desk->reports->state) || jobs_has(desk, JOB_REPORTS_BUILD, 0) != 0)
                return desk->db_failure;
        log_info(&desk->log,
                 "the reports have numbers that were not counted before; until they are, they are not whole");
        return jobs_put(desk, JOB_REPORTS_BUILD, 0, clock_wall_ms(), (struct span){0}) < 0 ? desk->db_failure : DB_OK;
}

int reports_build_init(struct desk *desk)
{
        int rc = report_state_load(desk->db, desk->workspace, &desk->reports->state);
        if (rc == DB_IO) {
                log_error(&desk->log,
                          "the zone of the reports cannot be read: deskbell report rebuild --zone names another",
                          "zone", desk->reports->state.zone_name);
                return DB_OK;
        }
        if (rc < 0 || (rc == DB_ROW && report_state_is_whole(&desk->reports->state)))
                return rc < 0 ? rc : DB_OK;
        bool is_known = rc == DB_ROW;
        rc = db_begin(desk->db);
        if (rc < 0)
                return rc;
        rc = is_known ? go_on(desk) : begin_state(desk);
        if (rc >= 0)
                return db_commit(desk->db);
        db_rollback(desk->db);
        return rc;
}

static int begin_again(struct desk *desk, const char *zone_name, struct zone *zone)
{
        struct report_state *state = &desk->reports->state;
        if (zone_name) {
                snprintf(state->zone_name, sizeof state->zone_name, "%s", zone_name);
                zone_free(state->zone);
                state->zone = zone;
        }
        state->tickets = state->offers = state->conversations = state->episodes = 0;
        desk->reports->traffic_count = desk->reports->met_count = 0; /* they are counted again with all others */
        int rc = db_run(db_stmt(desk->db, SQL_REPORT_CELL_CLEAR));
        if (rc >= 0)
                rc = db_run(db_stmt(desk->db, SQL_REPORT_TRAFFIC_CLEAR));
        if (rc >= 0)
                rc = db_run(db_stmt(desk->db, SQL_REPORT_EPISODES_CLEAR));
        if (rc >= 0)
                rc = save_state(desk);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        rc = jobs_has(desk, JOB_REPORTS_BUILD, 0);
        return rc != 0 ? rc : jobs_put(desk, JOB_REPORTS_BUILD, 0, desk->now_ms, (struct span){0});
}

int handle_report_rebuild(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_report_rebuild *params = command->params;
        struct protocol_report_rebuild_result result = {0};
        char name[65] = "";
        struct zone *zone = NULL;
        if (params->has_zone) {
                snprintf(name, sizeof name, "%.*s", (int)params->zone.len, params->zone.at);
                if (load_zone(name, &zone) < 0)
                        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "zone",
                                         "UTC, or a time zone such as Asia/Seoul");
        }
        int rc = begin_again(desk, params->has_zone ? name : NULL, zone);
        if (rc < 0)
                return rc;
        protocol_report_rebuild_result_write(out, &result);
        return operator_audit(desk, "report.rebuild", "wsp", desk->workspace_ext, span_of(name));
}
