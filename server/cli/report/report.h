/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `deskbell report` share: the period and the filter that were asked for, answers of report.query
 * read whole, and figures in words. One thread. Functions that return an exit code have printed why. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "cli/cli.h"
#include "cli/console.h"

/* ---- ask.c: what is asked for ---- */

struct report_said {
        const char *data, *last, *from, *to, *filter;
        bool json;
};

/* The period, and where the numbers are. */
#define REPORT_PERIOD(said)                                                                                            \
        CLI_DATA((said).data),                                                                                         \
                {.name = "last",                                                                                       \
                 .value = "N",                                                                                         \
                 .text = &(said).last,                                                                                 \
                 .help = "the last days, weeks or months, today among them: 30d, 12w, 6m; default 30d"},               \
                {.name = "from", .value = "DAY", .text = &(said).from, .help = "first day, as 2026-10-01"},            \
        {                                                                                                              \
                .name = "to", .value = "DAY", .text = &(said).to, .help = "last day; default today"                    \
        }
#define REPORT_FILTER(said)                                                                                            \
        {                                                                                                              \
                .name = "filter", .value = "KIND=WHAT", .text = &(said).filter,                                        \
                .help = "only of one team, agent, app, language, topic, tier, priority, handled_by, survey, reason "   \
                        "or bot"                                                                                       \
        }

struct report_period {
        char from[12], to[12];
};
/* `today`: as 2026-10-31. EX_OK or EX_USAGE. */
int report_period(const struct report_said *said, const char *today, struct report_period *out);
/* Opens the way to the desk, and reads the period: today is the day in the zone of reports. The caller closes. */
int report_open(const struct report_said *said, struct console **out_console, struct report_period *out_period);
/* Days in it. */
int report_period_days(const struct report_period *period);
/* What a line over it is best made of: "day" up to 35 days, "week" up to 26 weeks, else "month". */
const char *report_period_by(const struct report_period *period);

/* {from, to, filter_by?, filter?}, of the caller's; teams and agents are found by their names. EX_OK or EX_USAGE. */
int report_params(struct console *console, const struct report_said *said, const struct report_period *period,
                  json_t **out_params);
/* report.query with all its rows. Takes `params`. */
int report_query(struct console *console, json_t *params, json_t **out_answer);
/* The rows of report.query for as many days before those of `params`, the caller's. */
int report_query_before(struct console *console, const json_t *params, json_t **out_rows);
/* Puts the rows of report.query's answer in order of a column, the highest first and those without a figure last; keeps
 * the first `most` of them, 0 = all. */
void report_sort(json_t *answer, size_t column, size_t most);
/* All rows of a method that answers {list, more, next} (or no next: the last row's `key`) to `after`. Takes `params`.
 */
int report_pages(struct console *console, const char *method, json_t *params, const char *list, const char *key,
                 json_t **out_rows);
/* A comma-separated text as an array of words. */
json_t *report_words_of(const char *text);

/* ---- words.c: figures in words ---- */

/* The figure of a cell in its own unit: percent, points, times in ms, means. NAN: there is none. */
double report_number(const json_t *cell, const char *member, const char *unit);
/* "87.5 %", "+23", "3 h 12 min", "1,204", "-". */
void report_say(const json_t *cell, const char *member, const char *unit, char out[64]);
/* "83.1 to 90.7", or "". */
void report_say_interval(const json_t *cell, const char *unit, char out[96]);
/* The change against before: "+3.1", "-12 %" of counts and times, or "". */
void report_say_change(const json_t *now, const json_t *before, const char *unit, char out[64]);
/* "First response", "CSAT" of "first_response", "csat". */
void report_title(const char *metric, char out[64]);
/* What a row is called: its name, or its key said for people. `by`: NULL for time. */
void report_row_name(const json_t *row, char out[128]);
/* Milliseconds are drawn in the unit that suits them: "s", "min", "h", "d", and how many ms that is; 1 for others. */
double report_scale(const json_t *rows, size_t column, const char *unit, const char **out_unit);

/* ---- plots of an answer ---- */

struct plot;
/* A plot of one column of report.query's answer; everything in it lives as long as the answer and until
 * report_plot_free. EX_OK or EX_OSERR. `with_before`: rows of the period before, or NULL. */
struct report_plot;
int report_plot_make(const json_t *answer, size_t column, const json_t *before, struct report_plot **out_plot);
const struct plot *report_plot_of(const struct report_plot *plot);
void report_plot_free(struct report_plot *plot);

/* ---- the commands ---- */

int report_live(int argc, char **argv);
int report_overview(int argc, char **argv);
int report_show(int argc, char **argv);
int report_list(int argc, char **argv);
int report_metrics(int argc, char **argv);
int report_words(int argc, char **argv);
int report_target(int argc, char **argv);
int report_page(int argc, char **argv);
int report_export(int argc, char **argv);
int report_check(int argc, char **argv);
int report_rebuild(int argc, char **argv);
