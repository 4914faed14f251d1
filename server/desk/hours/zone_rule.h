/* SPDX-License-Identifier: Apache-2.0 */
/* The last line of a TZif file: a POSIX TZ string, with the hours beyond a day of RFC 8536. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "desk/hours/zone.h"

enum zone_day_kind { ZONE_DAY_JULIAN = 1 /* Jn, without 29 February */, ZONE_DAY_ZERO /* n, with it */, ZONE_DAY_WEEK };

struct zone_day {
        enum zone_day_kind kind;
        int month, week, weekday; /* ZONE_DAY_WEEK: 1-12, 1-5 (5 = the last), 0-6 (0 = Sunday) */
        int number;               /* of the day, otherwise */
        int32_t time_s;           /* after that day's midnight, by the clock before the change */
};

struct zone_rule {
        int32_t standard_s, summer_s; /* offsets */
        bool has_summer;
        struct zone_day begins, ends; /* of summer time */
};

bool zone_rule_parse(struct span text, struct zone_rule *out_rule);
/* The stretch an instant is in, |utc_s| <= ZONE_SECOND_MAX. */
struct zone_stretch zone_rule_at(const struct zone_rule *rule, int64_t utc_s);
