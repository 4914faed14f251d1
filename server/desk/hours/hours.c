/* SPDX-License-Identifier: Apache-2.0 */
/* Hours: see hours.h. Here is the life of the module, and what others ask. */
#include "desk/desk_private.h"
#include "desk/hours/civil.h"
#include "desk/hours/hours_private.h"

#include <stdlib.h>
#include <strings.h>

struct hours *hours_free(struct hours *hours)
{
        if (!hours)
                return NULL;
        policies_free(hours);
        schedules_free(hours);
        free(hours);
        return NULL;
}

int hours_read(struct desk *desk, struct hours **out_hours)
{
        struct hours *hours = calloc(1, sizeof *hours);
        int rc = hours ? schedules_read(desk, hours) : DB_NOMEM;
        if (rc >= 0)
                rc = policies_read(desk, hours);
        if (rc < 0)
                hours_free(hours);
        else
                *out_hours = hours;
        return rc < 0 ? rc : DB_OK;
}

static int read_anew(struct desk *desk)
{
        struct hours *fresh = NULL;
        int rc = hours_read(desk, &fresh);
        if (rc < 0)
                return rc;
        fresh->is_changed = desk->hours->is_changed;
        hours_free(desk->hours);
        desk->hours = fresh;
        return DB_OK;
}

int hours_read_again(struct desk *desk)
{
        desk->hours->is_changed = true;
        int rc = read_anew(desk);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int hours_init(struct desk *desk)
{
        int rc = hours_read(desk, &desk->hours);
        return rc < 0 ? rc : schedules_follow_zones(desk);
}

void hours_done(struct desk *desk)
{
        desk->hours = hours_free(desk->hours);
}

void hours_committed(struct desk *desk)
{
        desk->hours->is_changed = false;
}

void hours_rolled_back(struct desk *desk)
{
        if (desk->hours->is_changed && read_anew(desk) < 0)
                log_error(&desk->log, "the schedules could not be read again");
        else
                desk->hours->is_changed = false;
}

/* ---- what others ask ---- */

const struct schedule *hours_schedule(const struct desk *desk, int64_t id)
{
        const struct schedule *schedule = id ? schedules_find(desk->hours, id) : NULL;
        return schedule && !schedule->is_removed ? schedule : NULL;
}

const struct schedule *hours_schedule_ext(const struct desk *desk, uint64_t ext)
{
        for (size_t i = 0; i < desk->hours->schedule_count; i++)
                if (desk->hours->schedules[i]->ext == ext && !desk->hours->schedules[i]->is_removed)
                        return desk->hours->schedules[i];
        return NULL;
}

const struct schedule *hours_schedule_named(const struct desk *desk, struct span name)
{
        for (size_t i = 0; i < desk->hours->schedule_count; i++) {
                const struct schedule *schedule = desk->hours->schedules[i];
                if (!schedule->is_removed && strlen(schedule->name) == name.len &&
                    strncasecmp(schedule->name, name.at, name.len) == 0)
                        return schedule;
        }
        return NULL;
}

static const struct calendar *calendar_of(const struct desk *desk, int64_t schedule, int64_t at_ms)
{
        const struct schedule *found = hours_schedule(desk, schedule);
        return found ? timetable_at(&found->times, at_ms)->calendar : &calendar_always;
}

bool hours_is_open(const struct desk *desk, int64_t schedule, int64_t at_ms)
{
        return calendar_is_open(calendar_of(desk, schedule, at_ms), at_ms);
}

int64_t hours_next_open(const struct desk *desk, int64_t schedule, int64_t at_ms)
{
        return calendar_next_open(calendar_of(desk, schedule, at_ms), at_ms);
}

int32_t hours_offset_s(const struct desk *desk, int64_t schedule, int64_t at_ms)
{
        return zone_at(calendar_of(desk, schedule, at_ms)->zone, civil_floor_div(at_ms, 1000)).offset_s;
}
