/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules as the store has them. A version keeps the bytes of its time zone, so that what it counted can be counted
 * again after the system's time zones have changed, or on another machine. */
#include "desk/desk_private.h"
#include "desk/hours/hours_private.h"

#include <stdlib.h>

struct schedule *schedules_find(const struct hours *hours, int64_t id)
{
        size_t low = 0, high = hours->schedule_count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (hours->schedules[middle]->id == id)
                        return hours->schedules[middle];
                if (hours->schedules[middle]->id < id)
                        low = middle + 1;
                else
                        high = middle;
        }
        return NULL;
}

const struct schedule_version *schedule_newest(const struct schedule *schedule)
{
        return schedule->kept[schedule->times.count - 1];
}

/* ---- memory ---- */

static void version_free(struct schedule_version *version)
{
        if (!version)
                return;
        zone_free(version->zone);
        free(version->zone_data);
        free(version->days);
        free(version);
}

void schedules_free(struct hours *hours)
{
        for (size_t i = 0; i < hours->schedule_count; i++) {
                struct schedule *schedule = hours->schedules[i];
                for (size_t v = 0; v < schedule->times.count; v++)
                        version_free(schedule->kept[v]);
                free(schedule->kept);
                free(schedule->times.versions);
                free(schedule);
        }
        free(hours->schedules);
        hours->schedules = NULL;
        hours->schedule_count = 0;
}

void schedule_draft_done(struct schedule_draft *draft)
{
        draft->zone = zone_free(draft->zone);
        free(draft->zone_data);
        draft->zone_data = NULL;
}

/* ---- reading ---- */

static void copy_text(char *out, size_t room, struct span text)
{
        size_t len = text.len < room ? text.len : room - 1;
        if (len > 0)
                memcpy(out, text.at, len);
        out[len] = '\0';
}

static int read_schedules(struct desk *desk, struct hours *hours)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SCHEDULES_ALL);
        int rc;
        db_bind_int(stmt, 1, desk->workspace);
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct schedule **more = realloc(hours->schedules, (hours->schedule_count + 1) * sizeof *more);
                if (more)
                        hours->schedules = more;
                struct schedule *schedule = more ? calloc(1, sizeof *schedule) : NULL;
                if (!schedule) {
                        db_reset(stmt);
                        return DB_NOMEM;
                }
                schedule->id = db_int(stmt, 0);
                schedule->ext = (uint64_t)db_int(stmt, 1);
                schedule->is_removed = db_int(stmt, 3) != 0;
                copy_text(schedule->name, sizeof schedule->name, db_text(stmt, 2));
                hours->schedules[hours->schedule_count++] = schedule;
        }
        return rc;
}

/* A day a line. DB_DAMAGED when it cannot be read. */
static int read_days(struct span lines, struct schedule_version *version)
{
        struct calendar_error error;
        size_t count = 0;
        for (size_t i = 0; i < lines.len; i++)
                count += lines.at[i] == '\n';
        version->days = calloc(count + 1, sizeof *version->days);
        if (!version->days)
                return DB_NOMEM;
        for (size_t i = 0; i < count; i++) {
                const char *end = memchr(lines.at, '\n', lines.len);
                size_t len = (size_t)(end - lines.at);
                if (calendar_read_day((struct span){lines.at, len}, &version->days[i], &error) < 0)
                        return DB_DAMAGED;
                lines.at += len + 1;
                lines.len -= len + 1;
        }
        version->calendar.days = version->days;
        version->calendar.day_count = count;
        return calendar_sort_days(version->days, count) < 0 ? DB_OK : DB_DAMAGED;
}

static int read_version(struct db_stmt *stmt, struct schedule_version *version)
{
        struct calendar_error error;
        struct span data = db_blob(stmt, 7);
        version->id = db_int(stmt, 0);
        version->from_ms = db_int(stmt, 2);
        copy_text(version->zone_name, sizeof version->zone_name, db_text(stmt, 3));
        copy_text(version->tzdata, sizeof version->tzdata, db_text(stmt, 6));
        version->zone_data = malloc(data.len + 1);
        if (!version->zone_data)
                return DB_NOMEM;
        copy_text(version->zone_data, data.len + 1, data);
        version->zone_len = data.len;
        if (zone_parse(data, &version->zone) < 0 ||
            calendar_read_week(db_text(stmt, 4), version->calendar.week, &error) < 0)
                return DB_DAMAGED;
        version->calendar.zone = version->zone;
        return read_days(db_text(stmt, 5), version);
}

static int keep_version(struct schedule *schedule, struct schedule_version *version)
{
        size_t count = schedule->times.count;
        struct schedule_version **kept = realloc(schedule->kept, (count + 1) * sizeof *kept);
        if (kept)
                schedule->kept = kept;
        struct timetable_version *times = realloc(schedule->times.versions, (count + 1) * sizeof *times);
        if (times)
                schedule->times.versions = times;
        if (!kept || !times)
                return DB_NOMEM;
        kept[count] = version;
        times[count] = (struct timetable_version){version->id, version->from_ms, &version->calendar};
        schedule->times.count++;
        copy_text(schedule->zone, sizeof schedule->zone, span_of(version->zone_name));
        return DB_OK;
}

static int read_versions(struct desk *desk, struct hours *hours)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SCHEDULE_VERSIONS);
        int rc;
        db_bind_int(stmt, 1, desk->workspace);
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct schedule *schedule = schedules_find(hours, db_int(stmt, 1));
                struct schedule_version *version = calloc(1, sizeof *version);
                rc = version ? read_version(stmt, version) : DB_NOMEM;
                if (rc == DB_OK)
                        rc = schedule ? keep_version(schedule, version) : DB_DAMAGED;
                if (rc < 0) {
                        version_free(version);
                        db_reset(stmt);
                        return rc;
                }
        }
        return rc;
}

int schedules_read(struct desk *desk, struct hours *hours)
{
        int rc = read_schedules(desk, hours);
        if (rc == DB_OK)
                rc = read_versions(desk, hours);
        for (size_t i = 0; rc == DB_OK && i < hours->schedule_count; i++)
                if (hours->schedules[i]->times.count == 0)
                        rc = DB_DAMAGED;
        return rc;
}

/* ---- writing ---- */

int schedule_version_put(struct desk *desk, int64_t schedule, int64_t from_ms, const struct schedule_draft *draft)
{
        char tzdata[ZONE_VERSION_BYTES];
        struct writer week, days;
        writer_init(&week, NULL, 0);
        writer_init(&days, NULL, 0);
        calendar_write_week(draft->calendar.week, &week);
        for (size_t i = 0; i < draft->calendar.day_count; i++) {
                calendar_write_day(&draft->days[i], &days);
                writer_char(&days, '\n');
        }
        zone_file_version(tzdata);
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SCHEDULE_VERSION_INSERT);
        db_bind_int(stmt, 1, schedule);
        db_bind_int(stmt, 2, from_ms);
        db_bind_text(stmt, 3, span_of(draft->zone_name));
        db_bind_text(stmt, 4, week.len ? (struct span){week.bytes, week.len} : SPAN(""));
        db_bind_text(stmt, 5, days.len ? (struct span){days.bytes, days.len} : SPAN(""));
        db_bind_text(stmt, 6, span_of(tzdata));
        db_bind_blob(stmt, 7, draft->zone_data, draft->zone_len);
        int rc = week.failed || days.failed ? DB_NOMEM : db_run(stmt);
        if (week.failed || days.failed)
                db_reset(stmt);
        writer_done(&week);
        writer_done(&days);
        return rc;
}

/* ---- when the system's time zones change ---- */

static int follow_zone(struct desk *desk, const struct schedule *schedule, int64_t now_ms, bool *changed)
{
        const struct schedule_version *newest = schedule_newest(schedule);
        struct schedule_draft *draft = calloc(1, sizeof *draft);
        if (!draft)
                return DB_NOMEM;
        int rc = DB_OK;
        copy_text(draft->zone_name, sizeof draft->zone_name, span_of(newest->zone_name));
        int found = zone_file_read(span_of(newest->zone_name), &draft->zone_data, &draft->zone_len);
        bool same = found < 0 || (draft->zone_len == newest->zone_len &&
                                  memcmp(draft->zone_data, newest->zone_data, newest->zone_len) == 0);
        if (!same) {
                draft->calendar = newest->calendar;
                if (newest->calendar.day_count > 0)
                        memcpy(draft->days, newest->days, newest->calendar.day_count * sizeof draft->days[0]);
                rc = schedule_version_put(desk, schedule->id, now_ms, draft);
                *changed = true;
        }
        schedule_draft_done(draft);
        free(draft);
        return rc;
}

int schedules_follow_zones(struct desk *desk)
{
        bool changed = false;
        int64_t now_ms = clock_wall_ms();
        int rc = desk->hours->schedule_count > 0 ? db_begin(desk->db) : DB_OK;
        if (rc < 0 || desk->hours->schedule_count == 0)
                return rc;
        for (size_t i = 0; rc == DB_OK && i < desk->hours->schedule_count; i++)
                if (!desk->hours->schedules[i]->is_removed)
                        rc = follow_zone(desk, desk->hours->schedules[i], now_ms, &changed);
        if (rc < 0 || !changed) {
                db_rollback(desk->db);
                return rc;
        }
        rc = db_commit(desk->db);
        struct hours *fresh = NULL;
        if (rc == DB_OK)
                rc = hours_read(desk, &fresh);
        if (rc < 0 || !fresh)
                return rc;
        log_info(&desk->log, "the system's time zones have changed; schedules use them from now on");
        hours_free(desk->hours);
        desk->hours = fresh;
        fresh->are_news = true;
        return DB_OK;
}
