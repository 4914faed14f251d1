/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked for: the period, the filter, and answers read whole. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/named.h"
#include "cli/report/report.h"

enum { DAY_S = 86400 };

/* ---- the period ---- */

static bool read_day(const char *text, struct tm *out)
{
        *out = (struct tm){0};
        if (strlen(text) != 10 || text[4] != '-' || text[7] != '-')
                return false;
        const char *end = strptime(text, "%Y-%m-%d", out);
        if (!end || *end != 0)
                return false;
        struct tm again = *out;
        return timegm(&again) != -1 && again.tm_mday == out->tm_mday && again.tm_mon == out->tm_mon;
}

static void write_day(const struct tm *day, char out[12])
{
        struct tm copy = *day;
        timegm(&copy); /* the days before the first of a month are in the month before */
        strftime(out, 12, "%Y-%m-%d", &copy);
}

/* The first day of the last so many days, weeks or months that end with `to`. */
static bool go_back(const char *last, const struct tm *to, struct tm *out_from)
{
        char *end = NULL;
        long count = strtol(last, &end, 10);
        *out_from = *to;
        if (end == last || count < 1 || count > 3700 || !*end || end[1])
                return false;
        switch (*end) {
        case 'd':
                out_from->tm_mday -= (int)count - 1;
                return true;
        case 'w':
                out_from->tm_mday -= (int)count * 7 - 1;
                return count <= 520;
        case 'm': /* whole months, the one of `to` among them */
                out_from->tm_mon -= (int)count - 1;
                out_from->tm_mday = 1;
                return count <= 120;
        default:
                return false;
        }
}

int report_period(const struct report_said *said, const char *today, struct report_period *out)
{
        struct tm from, to;
        if (!read_day(said->to ? said->to : today, &to))
                return cli_fail(EX_USAGE, "--to '%s' is not a day; one is 2026-10-31", said->to);
        if (said->from && said->last)
                return cli_fail(EX_USAGE, "say --from or --last, not both");
        if (said->from && !read_day(said->from, &from))
                return cli_fail(EX_USAGE, "--from '%s' is not a day; one is 2026-10-01", said->from);
        if (!said->from && !go_back(said->last ? said->last : "30d", &to, &from))
                return cli_fail(EX_USAGE, "--last '%s' is not a number of days, weeks or months; one is 30d, 12w or 6m",
                                said->last);
        write_day(&from, out->from);
        write_day(&to, out->to);
        return report_period_days(out) >= 1 ? EX_OK : cli_fail(EX_USAGE, "%s is later than %s", out->from, out->to);
}

int report_period_days(const struct report_period *period)
{
        struct tm from, to;
        read_day(period->from, &from);
        read_day(period->to, &to);
        return (int)((timegm(&to) - timegm(&from)) / DAY_S) + 1;
}

const char *report_period_by(const struct report_period *period)
{
        int days = report_period_days(period);
        return days <= 35 ? "day" : days <= 26 * 7 ? "week" : "month";
}

/* What day it is in the zone of reports; an unknown zone is UTC here. */
static int read_today(struct console *console, char out[12])
{
        json_t *answer = NULL;
        time_t now = time(NULL);
        struct tm today;
        int rc = console_do(
                console, "report.query",
                json_pack("{s:[s], s:s, s:s}", "metrics", "tickets", "from", "2026-01-01", "to", "2026-01-01"),
                &answer);
        if (rc != EX_OK)
                return rc;
        setenv("TZ", cli_text(answer, "zone"), 1);
        tzset();
        localtime_r(&now, &today);
        strftime(out, 12, "%Y-%m-%d", &today);
        json_decref(answer);
        return EX_OK;
}

int report_open(const struct report_said *said, struct console **out_console, struct report_period *out_period)
{
        struct console *console = NULL;
        char today[12];
        int rc = console_open(cli_data(said->data), CONSOLE_USE, &console);
        if (rc != EX_OK)
                return rc;
        rc = said->to ? EX_OK : read_today(console, today);
        if (rc == EX_OK)
                rc = report_period(said, today, out_period);
        *out_console = rc == EX_OK ? console : console_close(console);
        return rc;
}

/* ---- the filter ---- */

static int find_filter(struct console *console, const char *filter, json_t *params)
{
        const char *equals = strchr(filter, '=');
        char id[FOLDER_ID];
        int rc = EX_OK;
        if (!equals || equals == filter)
                return cli_fail(EX_USAGE, "--filter '%s' is not a kind and what; one is team=Returns", filter);
        const char *what = equals + 1;
        size_t len = (size_t)(equals - filter);
        if (*what && strncmp(filter, "team", len) == 0 && len == 4) {
                rc = named_find(console, NAMED_TEAM, what, id);
                what = id;
        } else if (*what && strncmp(filter, "agent", len) == 0 && len == 5) {
                rc = named_find(console, NAMED_AGENT, what, id);
                what = id;
        }
        if (rc == EX_OK) {
                json_object_set_new(params, "filter_by", json_stringn(filter, len));
                json_object_set_new(params, "filter", json_string(what));
        }
        return rc;
}

int report_params(struct console *console, const struct report_said *said, const struct report_period *period,
                  json_t **out_params)
{
        json_t *params = json_pack("{s:s, s:s}", "from", period->from, "to", period->to);
        int rc = params ? EX_OK : EX_OSERR;
        if (rc == EX_OK && said->filter)
                rc = find_filter(console, said->filter, params);
        if (rc != EX_OK) {
                json_decref(params);
                return rc;
        }
        *out_params = params;
        return EX_OK;
}

/* ---- answers, whole ---- */

/* Whether there is a page behind this one; then `params` asks for it. */
static bool next_page(json_t *params, const json_t *answer, const json_t *rows, const char *key)
{
        const char *next = cli_text(answer, "next");
        if (!json_is_true(json_object_get(answer, "more")) || json_array_size(rows) == 0)
                return false;
        if (!*next && key)
                next = cli_text(json_array_get(rows, json_array_size(rows) - 1), key);
        json_object_set_new(params, "after", json_string(next));
        return *next;
}

int report_query(struct console *console, json_t *params, json_t **out_answer)
{
        json_t *whole = NULL;
        int rc = EX_OK;
        for (bool more = true; rc == EX_OK && more;) {
                json_t *answer = NULL;
                rc = console_do(console, "report.query", json_deep_copy(params), &answer);
                if (rc != EX_OK)
                        break;
                more = next_page(params, answer, json_object_get(answer, "rows"), NULL);
                if (whole)
                        json_array_extend(json_object_get(whole, "rows"), json_object_get(answer, "rows"));
                else
                        whole = json_incref(answer);
                json_decref(answer);
        }
        json_decref(params);
        if (rc != EX_OK) {
                json_decref(whole);
                return rc;
        }
        json_object_del(whole, "more");
        json_object_del(whole, "next");
        *out_answer = whole;
        return EX_OK;
}

int report_pages(struct console *console, const char *method, json_t *params, const char *list, const char *key,
                 json_t **out_rows)
{
        json_t *rows = json_array();
        int rc = EX_OK;
        for (bool more = true; rc == EX_OK && more;) {
                json_t *answer = NULL;
                rc = console_do(console, method, json_deep_copy(params), &answer);
                if (rc == EX_OK) {
                        json_array_extend(rows, json_object_get(answer, list));
                        more = next_page(params, answer, rows, key);
                }
                json_decref(answer);
        }
        json_decref(params);
        if (rc != EX_OK) {
                json_decref(rows);
                return rc;
        }
        *out_rows = rows;
        return EX_OK;
}

json_t *report_words_of(const char *text)
{
        json_t *words = json_array();
        while (*text) {
                size_t len = strcspn(text, ",");
                if (len > 0)
                        json_array_append_new(words, json_stringn(text, len));
                text += len + (text[len] == ',');
        }
        return words;
}

int report_query_before(struct console *console, const json_t *params, json_t **out_rows)
{
        char last[16];
        struct report_period period, before;
        json_t *other = json_deep_copy(params), *answer = NULL;
        snprintf(period.from, sizeof period.from, "%s", cli_text(params, "from"));
        snprintf(period.to, sizeof period.to, "%s", cli_text(params, "to"));
        struct report_said eve = {.to = period.from, .last = "2d"}, said = {.last = last};
        snprintf(last, sizeof last, "%dd", report_period_days(&period));
        int rc = report_period(&eve, NULL, &before); /* from: the day before the first */
        if (rc == EX_OK) {
                struct report_period eve_period = before;
                said.to = eve_period.from;
                rc = report_period(&said, NULL, &before);
        }
        if (rc != EX_OK) {
                json_decref(other);
                return rc;
        }
        json_object_set_new(other, "from", json_string(before.from));
        json_object_set_new(other, "to", json_string(before.to));
        rc = report_query(console, other, &answer);
        *out_rows = json_incref(json_object_get(answer, "rows"));
        json_decref(answer);
        return rc;
}

/* ---- order ---- */

struct sorted {
        json_t *row;
        double value;
        size_t place; /* so that equal ones keep their order */
};

static int higher_first(const void *a, const void *b)
{
        const struct sorted *one = a, *other = b;
        bool has_one = !isnan(one->value), has_other = !isnan(other->value);
        if (has_one != has_other)
                return has_one ? -1 : 1;
        if (has_one && one->value != other->value)
                return one->value > other->value ? -1 : 1;
        return one->place < other->place ? -1 : 1;
}

void report_sort(json_t *answer, size_t column, size_t most)
{
        json_t *rows = json_object_get(answer, "rows"), *sorted = json_array();
        const char *unit = cli_text(json_array_get(json_object_get(answer, "columns"), column), "unit");
        size_t count = json_array_size(rows);
        struct sorted *all = calloc(count ? count : 1, sizeof *all);
        if (all && sorted) {
                for (size_t i = 0; i < count; i++) {
                        json_t *row = json_array_get(rows, i);
                        const json_t *cell = json_array_get(json_object_get(row, "values"), column);
                        all[i] = (struct sorted){row, report_number(cell, "value", unit), i};
                }
                qsort(all, count, sizeof *all, higher_first);
                for (size_t i = 0; i < count && (most == 0 || i < most); i++)
                        json_array_append(sorted, all[i].row);
                json_object_set(answer, "rows", sorted);
        }
        free(all);
        json_decref(sorted);
}
