/* SPDX-License-Identifier: Apache-2.0 */
/* Zone rules: "CET-1CEST,M3.5.0,M10.5.0/3" and all that POSIX and RFC 8536 allow in its place. Names of zones are read
 * over; only the offsets and the days of change are kept. */
#include "desk/hours/zone_rule.h"

#include "desk/hours/civil.h"

enum { DAY_S = 86400, HOURS_MAX = 167 };

struct text {
        const char *at, *end;
};

static bool take(struct text *text, char c)
{
        if (text->at == text->end || *text->at != c)
                return false;
        text->at++;
        return true;
}

static bool is_digit(const struct text *text)
{
        return text->at < text->end && *text->at >= '0' && *text->at <= '9';
}

static bool take_number(struct text *text, int max, int *out)
{
        int value = 0;
        if (!is_digit(text))
                return false;
        while (is_digit(text) && value <= max)
                value = value * 10 + (*text->at++ - '0');
        *out = value;
        return value <= max;
}

static bool is_letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool skip_name(struct text *text)
{
        const char *start = text->at;
        if (take(text, '<')) {
                while (text->at < text->end && *text->at != '>')
                        text->at++;
                return text->at - start > 3 && take(text, '>');
        }
        while (text->at < text->end && is_letter(*text->at))
                text->at++;
        return text->at - start >= 3;
}

static bool take_time(struct text *text, int32_t *out)
{
        int hours, minutes = 0, seconds = 0;
        bool is_negative = take(text, '-');
        if (!is_negative)
                take(text, '+');
        if (!take_number(text, HOURS_MAX, &hours))
                return false;
        if (take(text, ':')) {
                if (!take_number(text, 59, &minutes))
                        return false;
                if (take(text, ':') && !take_number(text, 59, &seconds))
                        return false;
        }
        int32_t value = hours * 3600 + minutes * 60 + seconds;
        *out = is_negative ? -value : value;
        return true;
}

/* An offset is said as what has to be added to local time: west is positive. */
static bool take_offset(struct text *text, int32_t *out)
{
        int32_t west;
        if (!take_time(text, &west) || west < -25 * 3600 || west > 25 * 3600)
                return false;
        *out = -west;
        return true;
}

static bool take_day(struct text *text, struct zone_day *out)
{
        *out = (struct zone_day){.kind = ZONE_DAY_ZERO, .time_s = 2 * 3600};
        if (take(text, 'M')) {
                out->kind = ZONE_DAY_WEEK;
                if (!take_number(text, 12, &out->month) || out->month < 1 || !take(text, '.') ||
                    !take_number(text, 5, &out->week) || out->week < 1 || !take(text, '.') ||
                    !take_number(text, 6, &out->weekday))
                        return false;
        } else if (take(text, 'J')) {
                out->kind = ZONE_DAY_JULIAN;
                if (!take_number(text, 365, &out->number) || out->number < 1)
                        return false;
        } else if (!take_number(text, 365, &out->number)) {
                return false;
        }
        return !take(text, '/') || take_time(text, &out->time_s);
}

bool zone_rule_parse(struct span line, struct zone_rule *out_rule)
{
        struct text text = {line.at, line.at + line.len};
        struct zone_rule rule = {0};
        if (!skip_name(&text) || !take_offset(&text, &rule.standard_s))
                return false;
        if (text.at < text.end) {
                rule.has_summer = true;
                if (!skip_name(&text))
                        return false;
                rule.summer_s = rule.standard_s + 3600;
                if (text.at < text.end && *text.at != ',' && !take_offset(&text, &rule.summer_s))
                        return false;
                if (!take(&text, ',') || !take_day(&text, &rule.begins) || !take(&text, ',') ||
                    !take_day(&text, &rule.ends) || text.at != text.end)
                        return false;
        }
        *out_rule = rule;
        return true;
}

/* Seconds since 1970 of that day's change in `year`, by the clock before it. */
static int64_t local_change(const struct zone_day *day, int64_t year)
{
        int64_t days = civil_to_days(year, 1, 1);
        if (day->kind == ZONE_DAY_ZERO) {
                days += day->number;
        } else if (day->kind == ZONE_DAY_JULIAN) {
                days += day->number - 1 + (civil_is_leap(year) && day->number > 59);
        } else {
                int64_t first = civil_to_days(year, day->month, 1);
                int ahead = (day->weekday + 6) % 7 - civil_weekday(first);
                days = first + (ahead + 7) % 7 + 7 * (day->week - 1);
                if (days >= first + civil_month_days(year, day->month))
                        days -= 7;
        }
        return days * DAY_S + day->time_s;
}

/* The changes of three years, in order. Where summer time ends and begins at one moment, it goes on. */
struct zone_stretch zone_rule_at(const struct zone_rule *rule, int64_t utc_s)
{
        enum { YEARS = 3 };
        struct zone_stretch found = {INT64_MIN, INT64_MAX, rule->standard_s};
        if (!rule->has_summer)
                return found;
        int64_t year = civil_from_days(civil_floor_div(utc_s, DAY_S)).year;
        bool is_summer = false;
        for (int64_t y = year - 1; y < year - 1 + YEARS; y++) {
                int64_t begins = local_change(&rule->begins, y) - rule->standard_s;
                int64_t ends = local_change(&rule->ends, y) - rule->summer_s;
                for (int turn = 0; turn < 2; turn++) {
                        bool to_summer = (begins < ends) == (turn == 0);
                        int64_t at = to_summer ? begins : ends;
                        if (at <= utc_s && at >= found.from_s) {
                                found.from_s = at;
                                is_summer = to_summer;
                        } else if (at > utc_s && at < found.to_s) {
                                found.to_s = at;
                        }
                }
        }
        found.offset_s = is_summer ? rule->summer_s : rule->standard_s;
        return found;
}
