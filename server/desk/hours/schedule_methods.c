/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.add and its sisters. What was asked for is made whole first, as a draft, and written only when all of it is
 * right; memory is read again from the store after that. */
#include "desk/desk_private.h"
#include "desk/hours/hours_private.h"
#include "desk/people/people.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A page of rows ends here, well below what a frame holds. */
enum { PAGE_ROWS = 50 };

/* ---- what is asked for ---- */

static int calendar_fault(struct fault *fault, const char *field, const struct calendar_error *error)
{
        char expected[FAULT_EXPECTED_BYTES];
        snprintf(expected, sizeof expected, "at character %zu: %s", error->at + 1, error->expected);
        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, field, expected);
}

static int draft_zone(struct schedule_draft *draft, struct span name, struct fault *fault)
{
        schedule_draft_done(draft);
        int rc = zone_file_read(name, &draft->zone_data, &draft->zone_len);
        if (rc == 0)
                rc = zone_parse((struct span){draft->zone_data, draft->zone_len}, &draft->zone);
        if (rc == -ENOMEM)
                return -PROTOCOL_ERR_INTERNAL;
        if (rc < 0)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "zone",
                                 "a time zone that this system knows, such as Asia/Seoul");
        memcpy(draft->zone_name, name.at, name.len);
        draft->zone_name[name.len] = '\0';
        draft->calendar.zone = draft->zone;
        return 0;
}

static int draft_week(struct schedule_draft *draft, struct span text, struct fault *fault)
{
        struct calendar_error error;
        int rc = calendar_read_week(text, draft->calendar.week, &error);
        return rc < 0 ? calendar_fault(fault, "hours", &error) : 0;
}

static int draft_days(struct schedule_draft *draft, const struct span *days, size_t count, struct fault *fault)
{
        struct calendar_error error;
        char field[32];
        for (size_t i = 0; i < count; i++) {
                snprintf(field, sizeof field, "days[%zu]", i);
                if (calendar_read_day(days[i], &draft->days[i], &error) < 0)
                        return calendar_fault(fault, field, &error);
        }
        if (calendar_sort_days(draft->days, count) >= 0)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "days", "each date once");
        draft->calendar.day_count = count;
        return 0;
}

static int draft_check(struct schedule_draft *draft, int64_t now_ms, struct fault *fault)
{
        draft->calendar.days = draft->days;
        int64_t opens_ms = calendar_next_open(&draft->calendar, now_ms);
        if (opens_ms == CALENDAR_NEVER || opens_ms > now_ms + CALENDAR_HAS_OPEN_MS)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "hours", "some open time within the next five years");
        return 0;
}

static int check_name(const struct desk *desk, struct span name, int64_t but, struct fault *fault)
{
        const struct schedule *same = hours_schedule_named(desk, name);
        return same && same->id != but ? fault_set(fault, PROTOCOL_ERR_CONFLICT, "name", "a name that no other has")
                                       : 0;
}

static size_t count_schedules(const struct desk *desk)
{
        size_t count = 0;
        for (size_t i = 0; i < desk->hours->schedule_count; i++)
                count += !desk->hours->schedules[i]->is_removed;
        return count;
}

/* ---- adding ---- */

static int insert_schedule(struct desk *desk, uint64_t ext, struct span name, const struct schedule_draft *draft)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SCHEDULE_INSERT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, (int64_t)ext);
        db_bind_text(stmt, 3, name);
        db_bind_int(stmt, 4, desk->now_ms);
        int rc = db_run(stmt);
        if (rc >= 0)
                rc = schedule_version_put(desk, db_last_id(desk->db), desk->now_ms, draft);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static int add(struct desk *desk, const struct protocol_schedule_add *params, uint64_t ext,
               struct schedule_draft *draft, struct fault *fault)
{
        if (count_schedules(desk) >= HOURS_SCHEDULES)
                return -PROTOCOL_ERR_TOO_MANY;
        int rc = check_name(desk, params->name, 0, fault);
        if (rc == 0)
                rc = draft_zone(draft, params->zone, fault);
        if (rc == 0)
                rc = draft_week(draft, params->hours, fault);
        if (rc == 0 && params->has_days)
                rc = draft_days(draft, params->days, params->days_count, fault);
        if (rc == 0)
                rc = draft_check(draft, desk->now_ms, fault);
        if (rc == 0)
                rc = insert_schedule(desk, ext, params->name, draft);
        return rc;
}

int handle_schedule_add(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        struct protocol_schedule_add_result result = {.schedule = desk_new_id(desk)};
        struct schedule_draft *draft = calloc(1, sizeof *draft);
        if (!draft)
                return -PROTOCOL_ERR_INTERNAL;
        int rc = add(desk, command->params, result.schedule, draft, fault);
        schedule_draft_done(draft);
        free(draft);
        if (rc == 0)
                rc = admin_audit(desk, &command->caller, "schedule.add", "sch", result.schedule, (struct span){0});
        if (rc == 0)
                rc = hours_read_again(desk);
        if (rc == 0)
                protocol_schedule_add_result_write(out, &result);
        return rc;
}

/* ---- changing ---- */

/* Starts from what the newest version says; the time zone is read from the system anew. */
static int draft_from(struct schedule_draft *draft, const struct schedule_version *version, struct fault *fault)
{
        draft->calendar = version->calendar;
        if (version->calendar.day_count > 0)
                memcpy(draft->days, version->days, version->calendar.day_count * sizeof draft->days[0]);
        return draft_zone(draft, span_of(version->zone_name), fault);
}

static int draft_changes(struct desk *desk, const struct protocol_schedule_set *params, const struct schedule *schedule,
                         struct schedule_draft *draft, struct fault *fault)
{
        int rc = draft_from(draft, schedule_newest(schedule), fault);
        if (rc == 0 && params->has_zone)
                rc = draft_zone(draft, params->zone, fault);
        if (rc == 0 && params->has_hours)
                rc = draft_week(draft, params->hours, fault);
        if (rc == 0 && params->has_days)
                rc = draft_days(draft, params->days, params->days_count, fault);
        return rc == 0 ? draft_check(draft, desk->now_ms, fault) : rc;
}

static int set(struct desk *desk, const struct protocol_schedule_set *params, const struct schedule *schedule,
               struct schedule_draft *draft, struct fault *fault)
{
        bool is_version = params->has_zone || params->has_hours || params->has_days;
        int rc = params->has_name ? check_name(desk, params->name, schedule->id, fault) : 0;
        if (rc == 0 && is_version)
                rc = draft_changes(desk, params, schedule, draft, fault);
        if (rc < 0)
                return rc;
        int db_rc = DB_OK;
        if (params->has_name) {
                struct db_stmt *stmt = db_stmt(desk->db, SQL_SCHEDULE_RENAME);
                db_bind_int(stmt, 1, schedule->id);
                db_bind_text(stmt, 2, params->name);
                db_rc = db_run(stmt);
        }
        if (db_rc >= 0 && is_version)
                db_rc = schedule_version_put(desk, schedule->id, desk->now_ms + 1, draft); /* after all of this batch */
        return db_rc < 0 ? desk_db_failed(desk, db_rc) : 0;
}

int handle_schedule_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_schedule_set *params = command->params;
        const struct schedule *schedule = hours_schedule_ext(desk, params->schedule);
        struct protocol_schedule_set_result result = {.schedule = params->schedule};
        struct schedule_draft *draft = schedule ? calloc(1, sizeof *draft) : NULL;
        if (!draft)
                return schedule ? -PROTOCOL_ERR_INTERNAL : -PROTOCOL_ERR_NOT_FOUND;
        int64_t id = schedule->id;
        int rc = set(desk, params, schedule, draft, fault);
        schedule_draft_done(draft);
        free(draft);
        if (rc == 0)
                rc = admin_audit(desk, &command->caller, "schedule.set", "sch", params->schedule, (struct span){0});
        if (rc == 0)
                rc = hours_read_again(desk);
        if (rc < 0)
                return rc;
        clocks_reckon(desk, id);
        protocol_schedule_set_result_write(out, &result);
        return 0;
}

/* ---- removing ---- */

struct user {
        int64_t schedule;
        bool is_used;
};

static bool look_at_team(void *data, const struct team *team)
{
        struct user *user = data;
        user->is_used |= team->schedule == user->schedule;
        return !user->is_used;
}

static bool look_at_agent(void *data, struct agent_profile *agent)
{
        struct user *user = data;
        user->is_used |= agent->schedule == user->schedule;
        return !user->is_used;
}

static int check_unused(struct desk *desk, const struct schedule *schedule, struct fault *fault)
{
        struct user user = {.schedule = schedule->id};
        for (size_t i = 0; i < desk->hours->policy_count; i++) {
                const struct policy *policy = &desk->hours->policies[i];
                if (!policy->is_removed && policy_newest(policy)->schedule == schedule->id)
                        return fault_set(fault, PROTOCOL_ERR_CONFLICT, "schedule", "one that no SLA policy uses");
        }
        people_each_team(desk, look_at_team, &user);
        if (user.is_used)
                return fault_set(fault, PROTOCOL_ERR_CONFLICT, "schedule", "one that no team uses");
        people_each_agent(desk, 0, look_at_agent, &user);
        return user.is_used ? fault_set(fault, PROTOCOL_ERR_CONFLICT, "schedule", "one that no agent uses") : 0;
}

int handle_schedule_remove(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_schedule_remove *params = command->params;
        const struct schedule *schedule = hours_schedule_ext(desk, params->schedule);
        struct protocol_schedule_remove_result result = {0};
        if (!schedule)
                return -PROTOCOL_ERR_NOT_FOUND;
        int rc = check_unused(desk, schedule, fault);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SCHEDULE_REMOVE);
        db_bind_int(stmt, 1, schedule->id);
        db_bind_int(stmt, 2, desk->now_ms);
        if ((rc = db_run(stmt)) < 0)
                return desk_db_failed(desk, rc);
        rc = admin_audit(desk, &command->caller, "schedule.remove", "sch", params->schedule, (struct span){0});
        if (rc == 0)
                rc = hours_read_again(desk);
        if (rc == 0)
                protocol_schedule_remove_result_write(out, &result);
        return rc;
}

/* ---- showing ---- */

static struct span keep(struct arena *arena, const struct writer *writer)
{
        char *copy = writer->failed ? NULL : arena_take(arena, writer->len);
        if (copy && writer->len > 0)
                memcpy(copy, writer->bytes, writer->len);
        return (struct span){copy, copy ? writer->len : 0};
}

static void describe(const struct desk *desk, const struct schedule *schedule, struct arena *arena,
                     struct protocol_schedule_row *row)
{
        const struct schedule_version *newest = schedule_newest(schedule);
        struct writer week;
        char first[CALENDAR_TEXT_BYTES];
        writer_init(&week, first, sizeof first);
        calendar_write_week(newest->calendar.week, &week);
        *row = (struct protocol_schedule_row){.schedule = schedule->ext,
                                              .name = span_of(schedule->name),
                                              .zone = span_of(newest->zone_name),
                                              .hours = keep(arena, &week),
                                              .days = (int64_t)newest->calendar.day_count,
                                              .tzdata = span_of(newest->tzdata),
                                              .versions = (int64_t)schedule->times.count,
                                              .since = newest->from_ms,
                                              .open = calendar_is_open(&newest->calendar, desk->now_ms)};
        writer_done(&week);
}

int handle_schedule_list(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_schedule_list *params = command->params;
        const struct schedule *after = params->has_after ? hours_schedule_ext(desk, params->after) : NULL;
        struct protocol_schedule_list_result result = {0};
        if (params->has_after && !after)
                return -PROTOCOL_ERR_NOT_FOUND;
        result.schedules = arena_take(&command->arena, PAGE_ROWS * sizeof *result.schedules);
        if (!result.schedules)
                return -PROTOCOL_ERR_INTERNAL;
        for (size_t i = 0; i < desk->hours->schedule_count; i++) {
                const struct schedule *schedule = desk->hours->schedules[i];
                if (schedule->is_removed || (after && schedule->id <= after->id))
                        continue;
                if (result.schedules_count == PAGE_ROWS) {
                        result.more = result.has_more = true;
                        break;
                }
                describe(desk, schedule, &command->arena, &result.schedules[result.schedules_count++]);
        }
        protocol_schedule_list_result_write(out, &result);
        return 0;
}

int handle_schedule_show(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_schedule_show *params = command->params;
        const struct schedule *schedule = hours_schedule_ext(desk, params->schedule);
        struct protocol_schedule_show_result result = {0};
        if (!schedule)
                return -PROTOCOL_ERR_NOT_FOUND;
        const struct calendar *calendar = &schedule_newest(schedule)->calendar;
        describe(desk, schedule, &command->arena, &result.row);
        result.days = arena_take(&command->arena, (calendar->day_count + 1) * sizeof *result.days);
        if (!result.days)
                return -PROTOCOL_ERR_INTERNAL;
        for (size_t i = 0; i < calendar->day_count; i++) {
                struct writer text;
                char first[CALENDAR_DAY_BYTES];
                writer_init(&text, first, sizeof first);
                calendar_write_day(&calendar->days[i], &text);
                result.days[result.days_count++] = keep(&command->arena, &text);
                writer_done(&text);
        }
        protocol_schedule_show_result_write(out, &result);
        return 0;
}

int handle_schedule_test(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_schedule_test *params = command->params;
        const struct schedule *schedule = hours_schedule_ext(desk, params->schedule);
        int64_t at_ms = params->has_at ? params->at : desk->now_ms;
        if (!schedule)
                return -PROTOCOL_ERR_NOT_FOUND;
        const struct calendar *calendar = timetable_at(&schedule->times, at_ms)->calendar;
        int64_t opens_ms = calendar_next_open(calendar, at_ms);
        int64_t closes_ms = opens_ms == CALENDAR_NEVER ? opens_ms : calendar_next_close(calendar, opens_ms);
        struct protocol_schedule_test_result result = {.open = opens_ms == at_ms,
                                                       .has_next_open = opens_ms != CALENDAR_NEVER,
                                                       .next_open = opens_ms,
                                                       .has_next_close = closes_ms != CALENDAR_NEVER,
                                                       .next_close = closes_ms};
        protocol_schedule_test_result_write(out, &result);
        return 0;
}
