/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell report list, metrics, words and target: what is behind a number, what there is, and the lines to reach. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/chat.h"
#include "cli/plot/plot.h"
#include "cli/report/report.h"
#include "cli/secrets.h"

/* ---- list ---- */

/* What an agent was doing: from when to when, and how much of that is in the period. */
static void print_stretch(const json_t *item)
{
        char from[32], until[32] = "-", counted[64];
        const json_t *end = json_object_get(item, "until");
        if (end)
                cli_time(json_integer_value(end), until);
        report_say(item, "value", "ms", counted);
        printf("%s  %-23s  %-18s %-7s %14s  %s\n", cli_time(json_integer_value(json_object_get(item, "at")), from),
               until, cli_text(item, "agent"), cli_text(item, "status"), counted, cli_text(item, "reason"));
}

/* A message, or what a bot and a customer had with each other from it on. */
static void print_said(const json_t *item)
{
        char when[32];
        printf("%s  %-18s %6lld  %s%s", cli_time(json_integer_value(json_object_get(item, "at")), when),
               cli_text(item, "conv"), (long long)json_integer_value(json_object_get(item, "seq")),
               cli_text(item, "agent"), cli_text(item, "bot"));
        printf("%s%s\n", *cli_text(item, "outcome") ? "  " : "", cli_text(item, "outcome"));
}

static void print_thing(const json_t *item)
{
        char when[32];
        const json_t *value = json_object_get(item, "value"), *number = json_object_get(item, "number");
        const char *what = cli_text(item, "ticket"), *offer = cli_text(item, "offer"),
                   *ours = cli_text(item, "recovery");
        printf("%s  %-18s", cli_time(json_integer_value(json_object_get(item, "at")), when), *what ? what : "-");
        if (number)
                printf(" #%-7lld", (long long)json_integer_value(number));
        if (value)
                printf(" %10lld", (long long)json_integer_value(value));
        printf("  %s %s%s\n", cli_text(item, "conv"), offer, ours);
}

static void print_item(const json_t *item)
{
        if (json_object_get(item, "status"))
                print_stretch(item);
        else if (json_object_get(item, "seq") || json_object_get(item, "bot"))
                print_said(item);
        else
                print_thing(item);
}

int report_list(int argc, char **argv)
{
        struct report_said said = {0};
        const char *hour = NULL, *value = NULL;
        const struct cli_option options[] = {
                REPORT_PERIOD(said),
                CLI_JSON(said.json),
                REPORT_FILTER(said),
                {.name = "hour", .value = "N", .text = &hour, .help = "only of that hour of the week, 0 = Monday 0:00"},
                {.name = "value", .value = "N", .text = &value, .help = "only what adds that much: of a share 1 or 0"},
        };
        const struct cli_page page = {
                .usage = "report list METRIC [options]",
                .about =
                        "What a number is made of: same number, same days, same filter. Of tickets, answers and cases "
                        "the third\n"
                        "column is what each adds to it: milliseconds, 1 or 0, a score. Of the agents' time: from, to, "
                        "who, status,\n"
                        "how long of it in these days, why. Of messages and bots: conversation, number in it, who, "
                        "outcome.",
                .examples = "  deskbell report list csat --last 7d --filter agent='Ada Park'\n"
                            "  deskbell report list tickets --hour 9\n"
                            "  deskbell report list away --last 7d --filter reason=lunch\n"
                            "  deskbell report list bot_returned --value 1\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        struct console *console = NULL;
        struct report_period period;
        json_t *params = NULL, *items = NULL, *item;
        size_t i;
        int rc, first = cli_parse_named(&page, argc, argv, "say which number; see: deskbell report metrics", &rc);
        if (first < 0)
                return rc;

        rc = report_open(&said, &console, &period);
        if (rc == EX_OK)
                rc = report_params(console, &said, &period, &params);
        if (rc == EX_OK) {
                json_object_set_new(params, "metric", json_string(argv[first]));
                if (hour)
                        json_object_set_new(params, "hour", json_integer(strtoll(hour, NULL, 10)));
                if (value)
                        json_object_set_new(params, "value", json_integer(strtoll(value, NULL, 10)));
                rc = report_pages(console, "report.list", params, "items", NULL, &items);
        }
        console_close(console);
        if (rc != EX_OK)
                return rc;
        if (said.json)
                return cli_print(json_pack("{s:o}", "items", items));
        json_array_foreach(items, i, item)
                print_item(item);
        json_decref(items);
        return cli_finish();
}

/* ---- metrics ---- */

int report_metrics(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "report metrics [options]",
                .about = "Every number there is: its name, how it is made, and what it counts and does not count.",
                .examples = "  deskbell report metrics\n",
                CLI_OPTIONS(options),
        };
        struct console *console = NULL;
        json_t *metrics = NULL, *metric;
        size_t i;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);

        int rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = report_pages(console, "report.metrics", json_object(), "metrics", "metric", &metrics);
        console_close(console);
        if (rc != EX_OK)
                return rc;
        if (json)
                return cli_print(json_pack("{s:o}", "metrics", metrics));
        json_array_foreach(metrics, i, metric)
                printf("%-28s %-8s %s\n%38s%s\n", cli_text(metric, "metric"), cli_text(metric, "unit"),
                       cli_text(metric, "formula"), "", cli_text(metric, "text"));
        json_decref(metrics);
        return cli_finish();
}

/* ---- words ---- */

static void print_words(const json_t *answer)
{
        json_t *word;
        size_t i;
        printf("%lld comments with a low score, %lld others\n\n%-24s %6s %6s %8s %9s\n",
               (long long)json_integer_value(json_object_get(answer, "low")),
               (long long)json_integer_value(json_object_get(answer, "other")), "word", "low", "other", "weight",
               "certainty");
        json_array_foreach(json_object_get(answer, "words"), i, word) {
                char *clean = chat_text_clean(cli_text(word, "word"), false);
                plot_text_pad(stdout, clean, 24);
                free(clean);
                printf(" %6lld %6lld %8.2f %9.2f\n", (long long)json_integer_value(json_object_get(word, "low")),
                       (long long)json_integer_value(json_object_get(word, "other")),
                       (double)json_integer_value(json_object_get(word, "weight")) / 1000,
                       (double)json_integer_value(json_object_get(word, "certainty")) / 1000);
        }
}

int report_words(int argc, char **argv)
{
        struct report_said said = {0};
        const char *metric = "csat", *low = NULL;
        const struct cli_option options[] = {
                REPORT_PERIOD(said),
                CLI_JSON(said.json),
                {.name = "metric", .value = "NAME", .text = &metric, .help = "csat, nps or ces; default csat"},
                {.name = "low",
                 .value = "N",
                 .text = &low,
                 .help = "a score is low up to that; default 2 of CSAT, 6 of NPS, 3 of CES"},
        };
        const struct cli_page page = {
                .usage = "report words [options]",
                .about = "Words of comments that go with low scores, the most certain first; from a certainty of 1.96 "
                         "on "
                         "it is hardly\n"
                         "chance. What the comments say: deskbell survey answers.",
                .examples = "  deskbell report words --last 90d\n",
                CLI_OPTIONS(options),
        };
        struct console *console = NULL;
        struct report_period period;
        json_t *answer = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);

        int rc = report_open(&said, &console, &period);
        int up_to = low                          ? (int)strtol(low, NULL, 10)
                    : strcmp(metric, "nps") == 0 ? 6
                    : strcmp(metric, "ces") == 0 ? 3
                                                 : 2;
        if (rc == EX_OK)
                rc = console_do(console, "report.words",
                                json_pack("{s:s, s:s, s:s, s:i}", "from", period.from, "to", period.to, "metric",
                                          metric, "low", up_to),
                                &answer);
        console_close(console);
        if (rc == EX_OK && said.json)
                rc = cli_print(json_incref(answer));
        else if (rc == EX_OK)
                print_words(answer);
        json_decref(answer);
        return rc == EX_OK ? cli_finish() : rc;
}

/* ---- target ---- */

/* The unit of a metric, as report.metrics says it; "" and printed: there is none of that name. */
static int find_metric(struct console *console, const char *name, json_t **out_metric)
{
        json_t *metrics = NULL, *metric;
        size_t i;
        int rc = report_pages(console, "report.metrics", json_object(), "metrics", "metric", &metrics);
        json_array_foreach(metrics, i, metric) {
                if (strcmp(cli_text(metric, "metric"), name) == 0)
                        *out_metric = json_incref(metric);
        }
        json_decref(metrics);
        if (rc == EX_OK && !*out_metric)
                rc = cli_fail(EX_USAGE, "no number is called '%s'; see: deskbell report metrics", name);
        return rc;
}

/* "80", "45s", "5min", "2h" in the unit of the metric. */
static int read_line(const char *text, const char *unit, json_int_t *out)
{
        char *end = NULL;
        double number = strtod(text, &end);
        bool is_time = strcmp(unit, "ms") == 0;
        double times = strcmp(unit, "mean") == 0 ? 1000 : strcmp(unit, "count") == 0 ? 1 : 100;
        if (is_time)
                times = strcmp(end, "s") == 0     ? 1000
                        : strcmp(end, "min") == 0 ? 60000
                        : strcmp(end, "h") == 0   ? 3600000
                        : strcmp(end, "d") == 0   ? 86400000
                                                  : 0;
        if (end == text || (!is_time && *end && strcmp(end, "%") != 0) || times == 0 || !isfinite(number))
                return cli_fail(EX_USAGE, "'%s' is not a %s", text,
                                is_time ? "time; one is 45s, 5min, 2h or 1d" : "number");
        *out = (json_int_t)llround(number * times);
        return EX_OK;
}

static int set_target(struct console *console, const char *name, const char *text)
{
        json_t *metric = NULL;
        json_int_t line = 0;
        int rc = find_metric(console, name, &metric);
        bool is_none = strcmp(text, "none") == 0;
        if (rc == EX_OK && !is_none)
                rc = read_line(text, cli_text(metric, "unit"), &line);
        json_decref(metric);
        if (rc != EX_OK)
                return rc;
        json_t *params = json_pack("{s:o, s:s}", "cmid", secret_cmid(), "metric", name);
        if (!is_none)
                json_object_set_new(params, "value", json_integer(line));
        return console_do(console, "report.target_set", params, NULL);
}

static int list_targets(struct console *console, bool json)
{
        json_t *answer = NULL, *target, *metric = NULL;
        size_t i;
        char text[64];
        int rc = console_do(console, "report.target_list", NULL, &answer);
        if (rc == EX_OK && json)
                return cli_print(answer);
        json_array_foreach(json_object_get(answer, "targets"), i, target) {
                rc = rc == EX_OK ? find_metric(console, cli_text(target, "metric"), &metric) : rc;
                report_say(target, "value", cli_text(metric, "unit"), text);
                printf("%-28s %s\n", cli_text(target, "metric"), text);
                json_decref(metric);
                metric = NULL;
        }
        json_decref(answer);
        return rc;
}

int report_target(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "report target [METRIC VALUE|none] [options]",
                .about = "The lines to reach, drawn in plots and beside numbers. Without arguments: those there are.",
                .examples = "  deskbell report target csat 80\n"
                            "  deskbell report target first_response 15min\n"
                            "  deskbell report target csat none\n",
                CLI_OPTIONS(options),
                .max_free = 2,
        };
        struct console *console = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (argc - first == 1)
                return cli_fail(EX_USAGE, "say the number to reach too, or none");

        int rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = first < argc ? set_target(console, argv[first], argv[first + 1]) : list_targets(console, json);
        console_close(console);
        return rc == EX_OK ? cli_finish() : rc;
}
