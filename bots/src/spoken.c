/* SPDX-License-Identifier: Apache-2.0 */
/* Spoken: two facts that are handed in as a machine says them and put into a text as a person would: `opens`, a moment
 * (2026-11-23T09:00+09:00), and `wait`, a number of seconds. In the language of the turn; the clock is the one that the
 * moment was written by. */
#include <stdio.h>
#include <string.h>

#include "turn.h"

enum { DAY_S = 86400, HOUR_S = 3600, MINUTE_S = 60, WEEK = 7, MINUTES_MOST = 90 };

struct moment {
        int64_t day;    /* since 1970-01-01, by the clock that it was written by */
        int32_t offset; /* seconds that that clock is ahead of UTC */
        int month, date, hour, minute;
};

/* ---- reading ---- */

/* Two or four digits; -1: they are none. Moves on. */
static int digits(const char **at, int count)
{
        int value = 0;
        for (int i = 0; i < count; i++, (*at)++) {
                if (**at < '0' || **at > '9')
                        return -1;
                value = 10 * value + (**at - '0');
        }
        return value;
}

static bool skip(const char **at, char sign)
{
        if (**at != sign)
                return false;
        (*at)++;
        return true;
}

/* Howard Hinnant's days_from_civil: years begin in March, so that a leap day is the last of its year. */
static int64_t days_of(int year, int month, int date)
{
        int64_t from_march = month <= 2 ? year - 1 : year, era = from_march / 400, of_era = from_march - era * 400;
        int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + date - 1;
        return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool read_offset(const char *at, int32_t *out)
{
        int sign = *at == '-' ? -1 : 1;
        if (strcmp(at, "Z") == 0) {
                *out = 0;
                return true;
        }
        if (!skip(&at, '+') && !skip(&at, '-'))
                return false;
        int hours = digits(&at, 2);
        if (hours < 0 || hours > 18 || !skip(&at, ':'))
                return false;
        int minutes = digits(&at, 2);
        *out = sign * (hours * HOUR_S + minutes * MINUTE_S);
        return minutes >= 0 && minutes < 60 && *at == '\0';
}

/* YYYY-MM-DDThh:mm and an offset; anything else is a text that somebody wrote for people. */
static bool read_moment(const char *at, struct moment *out)
{
        int year = digits(&at, 4);
        if (year < 1970 || !skip(&at, '-'))
                return false;
        out->month = digits(&at, 2);
        if (out->month < 1 || out->month > 12 || !skip(&at, '-'))
                return false;
        out->date = digits(&at, 2);
        if (out->date < 1 || out->date > 31 || !skip(&at, 'T'))
                return false;
        out->hour = digits(&at, 2);
        if (out->hour < 0 || out->hour > 23 || !skip(&at, ':'))
                return false;
        out->minute = digits(&at, 2);
        out->day = days_of(year, out->month, out->date);
        return out->minute >= 0 && out->minute < 60 && read_offset(at, &out->offset);
}

/* ---- saying ---- */

/* Of "Monday|Tuesday|...", the one at that place. */
static struct span word_at(struct span words, int place)
{
        size_t from = 0, to = 0;
        for (; to <= words.len; to++) {
                if (to < words.len && words.at[to] != '|')
                        continue;
                if (place-- == 0)
                        return (struct span){words.at + from, to - from};
                from = to + 1;
        }
        return (struct span){"", 0};
}

struct filling {
        const char *name; /* with its braces */
        struct span with;
};

/* The line with its {names} filled in; new reference. */
static json_t *fill_line(struct turn *turn, const char *key, const struct filling *fillings, size_t count)
{
        struct span line = turn_own_line(turn, key);
        struct writer out;
        writer_init(&out, NULL, 0);
        for (size_t at = 0, step; at < line.len; at += step) {
                step = 1;
                size_t i = 0;
                while (i < count && (line.len - at < strlen(fillings[i].name) ||
                                     memcmp(line.at + at, fillings[i].name, strlen(fillings[i].name)) != 0))
                        i++;
                if (i < count) {
                        step = strlen(fillings[i].name);
                        writer_raw(&out, fillings[i].with);
                } else {
                        writer_char(&out, line.at[at]);
                }
        }
        json_t *text = out.failed || out.len == 0 ? NULL : json_stringn(out.bytes, out.len);
        writer_done(&out);
        return text;
}

static const char *key_of(int64_t days_ahead)
{
        if (days_ahead == 0)
                return "opens.today";
        if (days_ahead == 1)
                return "opens.tomorrow";
        return days_ahead > 1 && days_ahead < WEEK ? "opens.weekday" : "opens.date";
}

/* " (UTC+9)" where the app has told that the customer's clock is another one. */
static void write_zone(const struct turn *turn, int32_t offset, char out[24])
{
        const json_t *his = json_object_get(turn->event->facts, "utc_offset_minutes");
        int minutes = offset / MINUTE_S, ahead = minutes < 0 ? -minutes : minutes;
        out[0] = '\0';
        if (!json_is_number(his) || (int64_t)json_number_value(his) == minutes)
                return;
        int len = snprintf(out, 24, " (UTC%c%d", minutes < 0 ? '-' : '+', ahead / 60);
        len += ahead % 60 ? snprintf(out + len, 24 - (size_t)len, ":%02d", ahead % 60) : 0;
        snprintf(out + len, 24 - (size_t)len, ")");
}

static json_t *say_moment(struct turn *turn, const struct moment *moment)
{
        char clock[40], zone[24], date[16];
        int64_t now_s = turn->now_ms / 1000 + moment->offset, today = now_s / DAY_S;
        write_zone(turn, moment->offset, zone);
        snprintf(clock, sizeof(clock), "%02d:%02d%s", moment->hour, moment->minute, zone);
        snprintf(date, sizeof(date), "%d", moment->date);
        const struct filling fillings[] = {
                {"{time}", span_of(clock)},
                {"{date}", span_of(date)},
                {"{day}", word_at(turn_own_line(turn, "opens.days"), (int)((moment->day + 3) % WEEK))},
                {"{month}", word_at(turn_own_line(turn, "opens.months"), moment->month - 1)},
        };
        return fill_line(turn, key_of(moment->day - today), fillings, sizeof(fillings) / sizeof(fillings[0]));
}

static json_t *say_wait(struct turn *turn, json_int_t seconds)
{
        char number[24];
        json_int_t minutes = seconds / MINUTE_S + (seconds % MINUTE_S > 0);
        bool is_long = minutes > MINUTES_MOST;
        snprintf(number, sizeof(number), "%lld", (long long)(is_long ? minutes / 60 + (minutes % 60 > 0) : minutes));
        const struct filling filling = {"{n}", span_of(number)};
        return fill_line(turn, minutes <= 1 ? "wait.minute" : is_long ? "wait.hours" : "wait.minutes", &filling, 1);
}

json_t *turn_spoken(struct turn *turn, const char *fact, const json_t *value)
{
        struct moment moment;
        if (strcmp(fact, "opens") == 0 && json_is_string(value) && read_moment(json_string_value(value), &moment))
                return say_moment(turn, &moment);
        if (strcmp(fact, "wait") == 0 && json_is_integer(value) && json_integer_value(value) > 0)
                return say_wait(turn, json_integer_value(value));
        return NULL;
}
