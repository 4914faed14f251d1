/* SPDX-License-Identifier: Apache-2.0 */
/* Calendars as people write them, and as they are kept: what is printed is read again as the same. Pure. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "desk/hours/calendar.h"
#include "desk/hours/civil.h"

static const char *const day_names[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

struct reading_text {
        const char *start, *at, *end;
        struct calendar_error *error;
};

static int expected(const struct reading_text *text, const char *what)
{
        *text->error = (struct calendar_error){(size_t)(text->at - text->start), what};
        return -EINVAL;
}

static void skip_spaces(struct reading_text *text)
{
        while (text->at < text->end && (*text->at == ' ' || *text->at == '\n' || *text->at == '\t'))
                text->at++;
}

static bool take(struct reading_text *text, char c)
{
        if (text->at == text->end || *text->at != c)
                return false;
        text->at++;
        return true;
}

/* Exactly `digits` of them, or -1 with nothing taken. */
static int take_digits(struct reading_text *text, int digits)
{
        int value = 0;
        if (text->end - text->at < digits)
                return -1;
        for (int i = 0; i < digits; i++) {
                char c = text->at[i];
                if (c < '0' || c > '9')
                        return -1;
                value = value * 10 + (c - '0');
        }
        text->at += digits;
        return value;
}

static int read_minute(struct reading_text *text, uint16_t *out)
{
        struct reading_text at = *text;
        int hour = take_digits(text, 2), minute = hour >= 0 && take(text, ':') ? take_digits(text, 2) : -1;
        if (hour < 0 || minute < 0 || minute > 59 || hour > 24 || (hour == 24 && minute > 0)) {
                text->at = at.at;
                return expected(text, "a time from 00:00 to 24:00");
        }
        *out = (uint16_t)(hour * 60 + minute);
        return 0;
}

static int read_interval(struct reading_text *text, struct calendar_hours *hours)
{
        struct calendar_interval *last = hours->count > 0 ? &hours->at[hours->count - 1] : NULL, at;
        const char *start = text->at;
        if (hours->count == CALENDAR_INTERVALS)
                return expected(text, "at most 6 intervals a day");
        int rc = read_minute(text, &at.from);
        if (rc < 0)
                return rc;
        if (!take(text, '-'))
                return expected(text, "- and the time it ends");
        rc = read_minute(text, &at.to);
        if (rc < 0)
                return rc;
        if (at.to <= at.from || (last && at.from < last->to)) {
                bool is_backwards = at.to <= at.from;
                text->at = start;
                return expected(text, is_backwards
                                              ? "an end after the beginning (a night: 22:00-24:00, then 00:00-06:00)"
                                              : "intervals in order that do not overlap");
        }
        if (last && at.from == last->to) /* touching ones are one */
                last->to = at.to;
        else
                hours->at[hours->count++] = at;
        return 0;
}

static int read_hours(struct reading_text *text, struct calendar_hours *out)
{
        struct calendar_hours hours = {0};
        do {
                skip_spaces(text);
                int rc = read_interval(text, &hours);
                if (rc < 0)
                        return rc;
                skip_spaces(text);
        } while (take(text, ','));
        *out = hours;
        return 0;
}

static int read_day_name(struct reading_text *text)
{
        for (int day = 0; text->end - text->at >= 3 && day < 7; day++) {
                if (strncasecmp(text->at, day_names[day], 3) == 0) {
                        text->at += 3;
                        return day;
                }
        }
        return expected(text, "mon, tue, wed, thu, fri, sat or sun");
}

/* "mon-fri" or "mon"; "sat-mon" goes over the end of the week. */
static int read_days(struct reading_text *text, unsigned *days)
{
        const char *start = text->at;
        int first = read_day_name(text), last = first;
        if (first >= 0 && take(text, '-'))
                last = read_day_name(text);
        if (first < 0 || last < 0)
                return -EINVAL;
        for (int day = first;; day = (day + 1) % 7) {
                if (*days & 1u << day) {
                        text->at = start;
                        return expected(text, "each day once");
                }
                *days |= 1u << day;
                if (day == last)
                        return 0;
        }
}

static int read_part(struct reading_text *text, unsigned *seen, struct calendar_hours week[7])
{
        struct calendar_hours hours;
        unsigned before = *seen;
        do {
                skip_spaces(text);
                int rc = read_days(text, seen);
                if (rc < 0)
                        return rc;
        } while (take(text, ','));
        if (text->at == text->end || *text->at != ' ')
                return expected(text, "a space and hours such as 09:00-17:00");
        int rc = read_hours(text, &hours);
        for (int day = 0; rc == 0 && day < 7; day++)
                if ((*seen & ~before) & 1u << day)
                        week[day] = hours;
        return rc;
}

int calendar_read_week(struct span said, struct calendar_hours out_week[7], struct calendar_error *error)
{
        struct reading_text text = {said.at, said.at, said.at + said.len, error};
        struct calendar_hours week[7] = {0};
        unsigned seen = 0;
        if (said.len > CALENDAR_TEXT_BYTES)
                return expected(&text, "at most 512 bytes");
        for (;;) {
                int rc = read_part(&text, &seen, week);
                if (rc < 0)
                        return rc;
                skip_spaces(&text);
                bool is_more = take(&text, ';');
                skip_spaces(&text);
                if (text.at == text.end)
                        break;
                if (!is_more)
                        return expected(&text, "; and further days");
        }
        memcpy(out_week, week, sizeof week);
        return 0;
}

static int read_date(struct reading_text *text, struct calendar_day *out)
{
        const char *start = text->at;
        int year = take_digits(text, 4), month, day;
        if (year >= 0 && !take(text, '-'))
                year = -1;
        if (year < 0)
                text->at = start;
        month = take_digits(text, 2);
        day = month >= 0 && take(text, '-') ? take_digits(text, 2) : -1;
        int64_t of = year < 0 ? 2000 : year; /* 29 February may be a day of every year: it is one in leap years */
        bool is_date = month >= 1 && month <= 12 && day >= 1 && day <= civil_month_days(of, month);
        if (!is_date || (year >= 0 && (year < 1970 || year > 9999))) {
                text->at = start;
                return expected(text, "a date such as 2026-10-05, or 10-05 of every year");
        }
        *out = (struct calendar_day){(int16_t)(year < 0 ? 0 : year), (uint8_t)month, (uint8_t)day, {0}};
        return 0;
}

int calendar_read_day(struct span said, struct calendar_day *out_day, struct calendar_error *error)
{
        struct reading_text text = {said.at, said.at, said.at + said.len, error};
        struct calendar_day day;
        int rc = said.len > CALENDAR_DAY_BYTES ? expected(&text, "at most 96 bytes") : read_date(&text, &day);
        if (rc == 0 && text.at < text.end && *text.at == ' ')
                rc = read_hours(&text, &day.hours);
        if (rc == 0 && text.at != text.end)
                rc = expected(&text, "a space and hours such as 09:00-12:00, or nothing");
        if (rc == 0)
                *out_day = day;
        return rc;
}

static int by_date(const void *a, const void *b)
{
        const struct calendar_day *x = a, *y = b;
        if (x->year != y->year)
                return x->year - y->year;
        return x->month != y->month ? x->month - y->month : x->day - y->day;
}

int calendar_sort_days(struct calendar_day *days, size_t count)
{
        if (count > 0)
                qsort(days, count, sizeof *days, by_date);
        for (size_t i = 1; i < count; i++)
                if (by_date(&days[i - 1], &days[i]) == 0)
                        return (int)i;
        return -1;
}

static void write_text(struct writer *out, const char *text)
{
        writer_raw(out, span_of(text));
}

static void write_hours(const struct calendar_hours *hours, struct writer *out)
{
        for (int i = 0; i < hours->count; i++) {
                char text[32];
                const struct calendar_interval *at = &hours->at[i];
                snprintf(text, sizeof text, "%s%02d:%02d-%02d:%02d", i ? "," : "", at->from / 60, at->from % 60,
                         at->to / 60, at->to % 60);
                write_text(out, text);
        }
}

static bool same_hours(const struct calendar_hours *a, const struct calendar_hours *b)
{
        bool same = a->count == b->count;
        for (int i = 0; same && i < a->count; i++)
                same = a->at[i].from == b->at[i].from && a->at[i].to == b->at[i].to;
        return same;
}

void calendar_write_week(const struct calendar_hours week[7], struct writer *out)
{
        bool is_first = true;
        for (int day = 0; day < 7;) {
                int last = day;
                while (last + 1 < 7 && same_hours(&week[day], &week[last + 1]))
                        last++;
                if (week[day].count > 0) {
                        write_text(out, is_first ? "" : "; ");
                        write_text(out, day_names[day]);
                        if (last > day) {
                                write_text(out, "-");
                                write_text(out, day_names[last]);
                        }
                        write_text(out, " ");
                        write_hours(&week[day], out);
                        is_first = false;
                }
                day = last + 1;
        }
}

void calendar_write_day(const struct calendar_day *day, struct writer *out)
{
        char text[32];
        int len = day->year ? snprintf(text, sizeof text, "%04d-", day->year) : 0;
        snprintf(text + len, sizeof text - (size_t)len, "%02d-%02d%s", day->month, day->day,
                 day->hours.count ? " " : "");
        write_text(out, text);
        write_hours(&day->hours, out);
}
