/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a time zone, as hours of a week and as a date: refused, or taken and consistent. A zone's stretches hold
 * what they were asked for and follow one another; what was read of a text is printed and read again as the same. */
#include <stdlib.h>
#include <string.h>

#include "desk/hours/calendar.h"
#include "desk/hours/zone.h"
#include "fuzz.h"

static void must(bool claim)
{
        if (!claim)
                abort();
}

static void look(const struct zone *zone, int64_t at_s)
{
        struct zone_stretch here = zone_at(zone, at_s);
        must(here.from_s <= at_s && at_s < here.to_s);
        must(here.offset_s > -100000 && here.offset_s < 100000);
        if (here.to_s <= ZONE_SECOND_MAX)
                must(zone_at(zone, here.to_s).from_s == here.to_s);
        if (here.from_s > -ZONE_SECOND_MAX)
                must(zone_at(zone, here.from_s - 1).to_s == here.from_s);
        int64_t back_s = zone_from_local(zone, at_s + here.offset_s);
        must(llabs(back_s - at_s) < 3 * 86400);
}

static void check_zone(struct span bytes)
{
        struct zone *zone = NULL;
        if (zone_parse(bytes, &zone) < 0)
                return;
        for (int64_t at_s = -4000000000; at_s < 8000000000; at_s += 97654321)
                look(zone, at_s);
        look(zone, ZONE_SECOND_MAX - 1);
        look(zone, -ZONE_SECOND_MAX);
        zone_free(zone);
}

static void check_week(struct span text)
{
        struct calendar calendar = {0};
        struct calendar_hours again[7];
        struct calendar_error error = {0, NULL};
        struct writer out;
        if (calendar_read_week(text, calendar.week, &error) < 0) {
                must(error.expected && error.at <= text.len);
                return;
        }
        writer_init(&out, NULL, 0);
        calendar_write_week(calendar.week, &out);
        must(calendar_read_week((struct span){out.bytes, out.len}, again, &error) == 0);
        must(memcmp(again, calendar.week, sizeof again) == 0);
        writer_done(&out);
        int64_t at_ms = calendar_next_open(&calendar, 0);
        must(calendar_is_open(&calendar, at_ms));
        must(calendar_between(&calendar, 0, calendar_add(&calendar, 0, 7777777)) == 7777777);
}

static void check_day(struct span text)
{
        struct calendar_day day, again;
        struct calendar_error error = {0, NULL};
        struct writer out;
        if (calendar_read_day(text, &day, &error) < 0) {
                must(error.expected && error.at <= text.len);
                return;
        }
        writer_init(&out, NULL, 0);
        calendar_write_day(&day, &out);
        must(calendar_read_day((struct span){out.bytes, out.len}, &again, &error) == 0);
        must(again.year == day.year && again.month == day.month && again.day == day.day);
        must(memcmp(&again.hours, &day.hours, sizeof day.hours) == 0);
        writer_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
        struct span input = {(const char *)bytes, len};
        check_zone(input);
        check_week(input);
        check_day(input);
        return 0;
}
