/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/reports/report_bot.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DAY_MS INT64_C(86400000)

void report_disk(struct room *room, const char *sql)
{
        sqlite3 *db;
        char *why = NULL;
        assert_int_equal(SQLITE_OK, sqlite3_open(room->path, &db));
        sqlite3_busy_timeout(db, 5000);
        if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
                fail_msg("%s: %s", sql, why);
        sqlite3_close(db);
}

void report_bot_add(struct room *room, bool is_on, char out_bot[32])
{
        report_disk(room, "INSERT INTO principal(workspace, ext, role, name, created_ms)"
                          " SELECT id, 77, 3, 'Robin', 1 FROM workspace;"
                          "INSERT INTO bot(workspace, app, principal, kind, is_on, live, created_ms)"
                          " SELECT p.workspace, a.id, p.id, 1, 0, 1, 1 FROM principal p, app a WHERE p.ext = 77;"
                          "INSERT INTO bot_version(bot, hash, source, blob, published_ms, created_ms)"
                          " SELECT id, zeroblob(32), '{}', x'00', 1, 1 FROM bot");
        if (is_on)
                report_disk(room, "UPDATE bot SET is_on = 1");
        bots_load(room->desk);
        id_write(out_bot, "bot", 77);
        out_bot[ID_TEXT_BYTES] = '\0';
}

bool report_bot_does(struct room *room, const char *conv, enum bot_happening kind, int64_t seq, const char *rule,
                     const char *lang)
{
        struct desk *desk = room->desk;
        const struct conversation *conversation = room_cached(room, conv);
        struct bot_event_row row = {.kind = kind, .seq = seq, .rule = span_of(rule), .lang = span_of(lang)};
        if (!conversation || db_begin(desk->db) < 0)
                return false;
        desk->now_ms = clock_wall_ms();
        desk->db_failure = 0;
        int rc = bots_happened(desk, bots_in_app(desk, room->app_row), conversation, &row);
        if (rc == 0)
                rc = reports_flush(desk);
        if (rc >= 0)
                rc = db_commit(desk->db);
        desk->db_failure = 0;
        if (rc >= 0)
                return true;
        db_rollback(desk->db);
        db_fault_reset(&db_sqlite);
        reports_rolled_back(desk);
        return false;
}

static const char *day_of(int64_t ms, char out[11])
{
        time_t seconds = (time_t)(ms / 1000);
        struct tm utc;
        strftime(out, 11, "%Y-%m-%d", gmtime_r(&seconds, &utc));
        return out;
}

json_int_t report_bot_agrees(struct room *room, const char *bot)
{
        static const char *const outcomes[] = {"confirmed", "assumed", "returned", "handed_off", "left", "open"};
        char from[11], to[11], path[64];
        int64_t now_ms = clock_wall_ms();
        json_t *told = room_operate(room, "bot.report", "{\"bot\":\"%s\",\"from\":%lld,\"to\":%lld}", bot,
                                    (long long)(now_ms - 390 * DAY_MS), (long long)(now_ms + DAY_MS));
        json_t *counted = room_operate(
                room, "report.query",
                "{\"metrics\":[\"bot_confirmed\",\"bot_assumed\",\"bot_returned\",\"bot_handed_off\",\"bot_left\","
                "\"bot_open\",\"bot_episodes\"],\"from\":\"%s\",\"to\":\"%s\",\"filter_by\":\"bot\",\"filter\":\"%s\"}",
                day_of(now_ms - 391 * DAY_MS, from), day_of(now_ms + 2 * DAY_MS, to), bot);
        json_int_t all = number(told, "result.outcomes.episodes");
        assert_int_equal(all, number(counted, "result.totals.6.value"));
        for (int i = 0; i < 6 && all > 0; i++) {
                snprintf(path, sizeof path, "result.outcomes.%s", outcomes[i]);
                json_int_t n = number(told, path);
                snprintf(path, sizeof path, "result.totals.%d.value", i);
                if (llround(10000.0 * (double)n / (double)all) != number(counted, path))
                        fail_msg("%s: %lld of %lld, the report says %lld", outcomes[i], (long long)n, (long long)all,
                                 (long long)number(counted, path));
        }
        json_decref(told);
        json_decref(counted);
        return all;
}

void report_settle(struct room *room)
{
        room_turn(room);
        room_forget(room);
        for (int i = 0; i < 10000 && room_sql(room, "SELECT COUNT(*) FROM job WHERE kind = 4") > 0; i++) {
                clock_shift_mono(200);
                room_turn(room);
        }
        json_t *answer = room_operate(room, "report.check", "{}");
        if (number(answer, "result.differences") != 0)
                fail_msg("%s", words(answer, "result.first") ? words(answer, "result.first") : json_dumps(answer, 0));
        assert_null(json_object_get(json_object_get(answer, "result"), "building"));
        json_decref(answer);
}
