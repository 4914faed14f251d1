/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell bot report, questions, learn and settle: what the bots of a server did, and what they should have known.
 * What the numbers mean: docs/bots.md. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/bot.h"
#include "cli/bot_server.h"
#include "cli/cli.h"
#include "cli/secrets.h"

enum { LEARN_MOST = 100, SETTLE_MOST = 200, SHOWN_ANSWERS = 20, SHOWN_DAYS = 14 };

static long long number(const json_t *object, const char *member)
{
        return json_integer_value(json_object_get(object, member));
}

/* ---- report ---- */

static double percent(long long part, long long all)
{
        return all > 0 ? 100.0 * (double)part / (double)all : 0;
}

static void print_share(const char *name, long long part, long long all, const char *meaning)
{
        printf("  %-15s %8lld  %5.1f %%  %s\n", name, part, percent(part, all), meaning);
}

static const char *day_of(json_int_t ms, char out[32])
{
        time_t seconds = (time_t)(ms / 1000);
        struct tm parts;
        strftime(out, 32, "%Y-%m-%d", gmtime_r(&seconds, &parts));
        return out;
}

static const char *time_of(long long ms, char out[32])
{
        long long seconds = ms / 1000;
        if (seconds < 120)
                snprintf(out, 32, "%lld s", seconds);
        else if (seconds < 7200)
                snprintf(out, 32, "%lld min", seconds / 60);
        else
                snprintf(out, 32, "%lld h", seconds / 3600);
        return out;
}

static void print_outcomes(const json_t *outcomes)
{
        long long all = number(outcomes, "episodes");
        printf("%lld episodes in %lld conversations\n", all, number(outcomes, "conversations"));
        print_share("confirmed", number(outcomes, "confirmed"), all, "the customer said that it helped");
        print_share("assumed", number(outcomes, "assumed"), all, "answered; no word since, not back within 72 h");
        print_share("returned", number(outcomes, "returned"), all, "answered; back on the topic within 72 h");
        print_share("handed off", number(outcomes, "handed_off"), all, "a person was needed");
        print_share("left", number(outcomes, "left"), all, "went away at a question, choices or a miss");
        print_share("open", number(outcomes, "open"), all, "younger than 72 h");
}

static void print_coverage(const json_t *report)
{
        const json_t *coverage = json_object_get(report, "coverage"), *choices = json_object_get(report, "choices");
        long long answered = number(coverage, "answered"), offered = number(coverage, "choices"),
                  missed = number(coverage, "missed"), all = answered + offered + missed,
                  yes = number(report, "helped"), no = number(report, "not_helped");
        printf("\n%lld questions\n", all);
        print_share("answered alone", answered, all, "one sure answer");
        print_share("choices", offered, all, "less sure");
        print_share("missed", missed, all, "nothing understood");
        printf("\nChoices: offered %lld, taken the first %lld, the second %lld, the third %lld, another button %lld\n",
               number(choices, "offered"), number(choices, "first"), number(choices, "second"),
               number(choices, "third"), number(choices, "other"));
        printf("Did it help? yes %lld, no %lld (%.1f %% no)\n", yes, no, percent(no, yes + no));
}

static void print_people(const json_t *report)
{
        const json_t *waits = json_object_get(report, "waits"), *holdout = json_object_get(report, "holdout");
        char median[32], most[32];
        printf("Hand-offs: %lld, a person spoke after %lld", number(waits, "handed"), number(waits, "reached"));
        if (json_object_get(waits, "median_ms"))
                printf("; half waited %s or less, nine of ten %s or less", time_of(number(waits, "median_ms"), median),
                       time_of(number(waits, "p90_ms"), most));
        printf("\nWithin 72 h a person spoke in %lld of %lld conversations with the bot, in %lld of %lld held out\n",
               number(holdout, "bot_people"), number(holdout, "bot"), number(holdout, "held_out_people"),
               number(holdout, "held_out"));
        if (json_object_get(holdout, "difference"))
                printf("  difference %.1f points, 95 %% interval %.1f to %.1f\n",
                       (double)number(holdout, "difference") / 100, (double)number(holdout, "low") / 100,
                       (double)number(holdout, "high") / 100);
}

static void print_tables(const json_t *report)
{
        const json_t *answers = json_object_get(report, "answers"), *days = json_object_get(report, "days");
        size_t count = json_array_size(days), first = count > SHOWN_DAYS ? count - SHOWN_DAYS : 0;
        if (json_array_size(answers) > 0)
                printf("\n   shown   helped      not  handed off\n");
        for (size_t i = 0; i < json_array_size(answers) && i < SHOWN_ANSWERS; i++) {
                const json_t *row = json_array_get(answers, i);
                printf("%8lld %8lld %8lld    %8lld  %s\n", number(row, "shown"), number(row, "helped"),
                       number(row, "not_helped"), number(row, "handed_off"), cli_text(row, "rule"));
        }
        if (count > 0)
                printf("\nday         lang  questions   missed\n");
        for (size_t i = first; i < count; i++) {
                const json_t *row = json_array_get(days, i);
                printf("%-10s  %-5s %9lld %8lld\n", cli_text(row, "day"), cli_text(row, "lang"),
                       number(row, "questions"), number(row, "missed"));
        }
        if (first > 0 || json_array_size(answers) > SHOWN_ANSWERS || json_is_true(json_object_get(report, "more")))
                printf("(the most shown answers and the last days; all with --json)\n");
}

static void print_report(const json_t *report)
{
        char from[32], to[32];
        printf("%s to %s, UTC\n\n", day_of(number(report, "from"), from), day_of(number(report, "to"), to));
        print_outcomes(json_object_get(report, "outcomes"));
        print_coverage(report);
        print_people(report);
        print_tables(report);
}

/* A day as "2026-11-22" becomes its first millisecond, UTC, in `params`. EX_OK, also when nothing was said. */
static int put_day(json_t *params, const char *member, const char *said)
{
        struct tm parts = {0};
        const char *end = said ? strptime(said, "%Y-%m-%d", &parts) : NULL;
        if (!said)
                return EX_OK;
        if (!end || *end || timegm(&parts) < 0)
                return cli_fail(EX_USAGE, "--%s: a day such as 2026-11-22, not \"%s\"", member, said);
        json_object_set_new(params, member, json_integer((json_int_t)timegm(&parts) * 1000));
        return EX_OK;
}

int bot_run_report(int argc, char **argv)
{
        const char *data = NULL, *bot = NULL, *from = NULL, *to = NULL, *lang = NULL, *version = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                CLI_BOT(bot),
                {.name = "from",
                 .value = "DAY",
                 .text = &from,
                 .help = "first day, UTC; default 30 days before the end"},
                {.name = "to", .value = "DAY", .text = &to, .help = "the day after the last; default now"},
                {.name = "lang", .value = "TAG", .text = &lang, .help = "only what was spoken in this language"},
                {.name = "of", .value = "VERSION", .text = &version, .help = "only what began under this version"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "bot report [options]",
                .about = "What became of the conversations that the bot touched: confirmed, assumed, returned, handed\n"
                         "off, left; what it understood; and the difference to those held out.",
                .examples = "  deskbell bot report\n"
                            "  deskbell bot report --from 2026-11-01 --to 2026-12-01 --lang ko --json\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL, *params;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        params = json_pack("{s:s*, s:s*}", "lang", lang, "version", version);
        int rc = put_day(params, "from", from);
        if (rc == EX_OK)
                rc = put_day(params, "to", to);
        if (rc == EX_OK)
                rc = bot_call(cli_data(data), bot, "bot.report", params, &result);
        else
                json_decref(params);
        return cli_answer(rc, json, result, print_report);
}

/* ---- questions ---- */

static void print_nearest(const json_t *question)
{
        const json_t *nearest = json_object_get(question, "nearest");
        for (size_t i = 0; i < json_array_size(nearest); i++)
                printf("%s%s", i == 0 ? "        nearest: " : ", ", json_string_value(json_array_get(nearest, i)));
        if (json_array_size(nearest) > 0)
                printf("\n");
}

static void print_cluster(const json_t *cluster)
{
        const json_t *questions = json_object_get(cluster, "questions");
        char when[32];
        printf("\n%5lld  %-5s %s\n", number(cluster, "count"), cli_text(cluster, "lang"), cli_text(cluster, "title"));
        print_nearest(json_array_get(questions, 0));
        for (size_t i = 0; i < json_array_size(questions); i++) {
                const json_t *question = json_array_get(questions, i);
                printf("        %-8lld %s  %s\n", number(question, "id"), cli_time(number(question, "at"), when),
                       cli_text(question, "text"));
        }
}

static void print_questions(const json_t *result)
{
        const json_t *clusters = json_object_get(result, "clusters");
        bool has_more = json_is_true(json_object_get(result, "more"));
        printf("%lld questions%s\n", number(result, "questions"), has_more ? ", the newest; there are more" : "");
        for (size_t i = 0; i < json_array_size(clusters); i++)
                print_cluster(json_array_get(clusters, i));
        if (json_array_size(clusters) > 0)
                printf("\nTeach them:     deskbell bot learn \"faq NAME\" ID...\n"
                       "Put them away:  deskbell bot settle ID...\n");
}

int bot_run_questions(int argc, char **argv)
{
        const char *data = NULL, *bot = NULL, *since = NULL, *lang = NULL, *limit = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                CLI_BOT(bot),
                {.name = "since",
                 .value = "DAY",
                 .text = &since,
                 .help = "only what was asked on that day or later, UTC"},
                {.name = "lang", .value = "TAG", .text = &lang, .help = "only what was asked in this language"},
                {.name = "limit", .value = "N", .text = &limit, .help = "groups shown, 1 to 100; default 20"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "bot questions [options]",
                .about = "What customers asked that the bot was not sure of: alike ones together, the most asked "
                         "first,\n"
                         "with the answers of the live version that come nearest. Digits and e-mail addresses are "
                         "masked.",
                .examples = "  deskbell bot questions --lang ko\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        json_t *params = json_pack("{s:s*}", "lang", lang);
        int rc = bot_put_number(params, "limit", limit, 1, 100);
        if (rc == EX_OK)
                rc = put_day(params, "since", since);
        if (rc == EX_OK)
                rc = bot_call(cli_data(data), bot, "bot.questions", params, &result);
        else
                json_decref(params);
        return cli_answer(rc, json, result, print_questions);
}

/* ---- learn and settle ---- */

/* The ids said, as a list; NULL: it was said what is wrong with them. */
static json_t *read_ids(int count, char **ids)
{
        json_t *list = json_array();
        for (int i = 0; i < count; i++) {
                char *end = NULL;
                errno = 0;
                long long id = strtoll(ids[i], &end, 10);
                if (errno == 0 && end != ids[i] && !*end && id > 0) {
                        json_array_append_new(list, json_integer(id));
                        continue;
                }
                cli_fail(EX_USAGE, "\"%s\" is not the number of a question; see: deskbell bot questions", ids[i]);
                json_decref(list);
                return NULL;
        }
        return list;
}

static void print_learned(const json_t *result)
{
        const char *version = cli_text(result, "version");
        printf("draft %.12s: %lld new examples, %lld questions settled\n"
               "It speaks when it is published: deskbell bot publish %.12s\n",
               version, number(result, "added"), number(result, "settled"), version);
}

int bot_run_learn(int argc, char **argv)
{
        const char *data = NULL, *bot = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_BOT(bot), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "bot learn ANSWER QUESTION... [options]",
                .about =
                        "Makes questions (numbers of bot questions) examples of an answer, each in its language: in a\n"
                        "draft of the newest version. Nothing is published. Keep your files in step: bot pull prints "
                        "it.",
                .examples = "  deskbell bot learn \"faq delivery.countries\" 145 146 152\n",
                CLI_OPTIONS(options),
                .max_free = LEARN_MOST + 1,
        };
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (argc - first < 2)
                return cli_fail(EX_USAGE, "which answer, and which questions? see: deskbell bot learn --help");
        json_t *ids = read_ids(argc - first - 1, argv + first + 1);
        if (!ids)
                return EX_USAGE;
        int rc = bot_call(cli_data(data), bot, "bot.learn",
                          json_pack("{s:o, s:s, s:o}", "cmid", secret_cmid(), "answer", argv[first], "questions", ids),
                          &result);
        return cli_answer(rc, json, result, print_learned);
}

static void print_settled(const json_t *result)
{
        printf("%lld\n", number(result, "settled"));
}

int bot_run_settle(int argc, char **argv)
{
        const char *data = NULL, *bot = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_BOT(bot), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "bot settle QUESTION... [options]",
                .about = "Puts questions away: bot questions does not show them again. Prints how many were not yet.",
                .examples = "  deskbell bot settle 145 146 152\n",
                CLI_OPTIONS(options),
                .max_free = SETTLE_MOST,
        };
        json_t *result = NULL;
        int rc, first = cli_parse_named(&page, argc, argv, "which questions? see: deskbell bot questions", &rc);
        if (first < 0)
                return rc;
        json_t *ids = read_ids(argc - first, argv + first);
        if (!ids)
                return EX_USAGE;
        rc = bot_call(cli_data(data), bot, "bot.settle",
                      json_pack("{s:o, s:o}", "cmid", secret_cmid(), "questions", ids), &result);
        return cli_answer(rc, json, result, print_settled);
}
