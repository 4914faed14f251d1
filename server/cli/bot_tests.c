/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell bot test, and the same before a push. */
#include "cli/bot_tests.h"

#include <stdio.h>
#include <string.h>

#include "bots/trial.h"
#include "cli/bot.h"
#include "cli/bot_sources.h"
#include "cli/cli.h"

/* Answers and flows, and where their questions stand. */
static const struct {
        const char *group, *member, *word;
} places[] = {{"faqs", "texts", "faq"}, {"flows", "triggers", "flow"}};

enum { PLACES = sizeof(places) / sizeof(places[0]) };

/* Calls `each` for every ! line until it does not return 0. */
static int each_not_line(const json_t *bot,
                         int (*each)(void *data, const char *rule, const char *lang, const json_t *line), void *data)
{
        const char *name, *lang;
        json_t *one, *texts, *line;
        size_t i;
        int rc = 0;
        for (size_t p = 0; p < PLACES; p++)
                json_object_foreach(json_object_get(bot, places[p].group), name, one) {
                        char rule[96];
                        snprintf(rule, sizeof(rule), "%s %.64s", places[p].word, name);
                        json_object_foreach(json_object_get(one, places[p].member), lang, texts) {
                                json_array_foreach(json_object_get(texts, "not"), i, line) {
                                        rc = rc ? rc : each(data, rule, lang, line);
                                }
                        }
                }
        return rc;
}

static int stop_at_once(void *data, const char *rule, const char *lang, const json_t *line)
{
        (void)data, (void)rule, (void)lang, (void)line;
        return 1;
}

bool bot_tests_any(const json_t *bot)
{
        return json_array_size(json_object_get(bot, "tests")) > 0 || each_not_line(bot, stop_at_once, NULL) != 0;
}

struct run {
        const struct bot_version *version;
        size_t passed, failed;
};

/* A ! line is a question of another answer: this one must not give it. */
static int run_not_line(void *data, const char *rule, const char *lang, const json_t *line)
{
        struct run *run = data;
        struct trial trial;
        bool is_given = false;
        json_t *action;
        size_t i;
        if (trial_init(&trial, run->version, lang, 0) < 0)
                return -1;
        if (trial_says(&trial, (struct span){json_string_value(line), json_string_length(line)}) < 0) {
                trial_done(&trial);
                return -1;
        }
        json_array_foreach(trial.turn.actions, i, action)
                is_given = is_given || strcmp(cli_text(action, "rule"), rule) == 0;
        trial_done(&trial);
        run->failed += is_given;
        run->passed += !is_given;
        if (is_given)
                fprintf(stderr, "not ok: \"%s\" is given to %s, which says it is not its own\n",
                        json_string_value(line), rule);
        return 0;
}

static int run_blocks(struct run *run, bool is_quiet)
{
        struct bot_problems *problems = bot_problems_new();
        json_t *test;
        size_t i, shown = 0;
        int failed = problems ? 0 : -1;
        json_array_foreach(json_object_get(bot_version_bot(run->version), "tests"), i, test) {
                if (failed < 0 || (failed = trial_run(run->version, test, problems)) < 0)
                        break;
                if (!is_quiet)
                        printf("%sok %zu - %s\n", failed ? "not " : "", i + 1, cli_text(test, "name"));
                run->failed += failed > 0;
                run->passed += failed == 0;
        }
        if (problems)
                bot_sources_print(problems, &shown);
        bot_problems_free(problems);
        return failed < 0 ? -1 : 0;
}

int bot_tests_run(const struct bot_version *version, bool is_quiet, size_t *out_passed, size_t *out_failed)
{
        struct run run = {.version = version};
        if (run_blocks(&run, is_quiet) < 0 || each_not_line(bot_version_bot(version), run_not_line, &run) < 0)
                return cli_fail(EX_OSERR, "out of memory");
        *out_passed = run.passed;
        *out_failed = run.failed;
        return EX_OK;
}

void bot_tests_explain(const struct bot_build_report *report)
{
        for (size_t i = 0; i < report->count; i++) {
                const struct bot_train_report *train = &report->languages[i].train;
                if (report->languages[i].error || train->wish_most >= BOT_WISH_USUAL)
                        continue;
                fprintf(stderr,
                        "note: in %s nothing is answered alone, it offers choices: of %u examples held back it finds "
                        "only %.0f %%. More of them, and\nsome that are near each other, tell the answers apart; a "
                        "test can also say: expect choices NAME\n",
                        report->languages[i].lang, train->examples, train->top1 * 100.0 / BOT_SCORE_ONE);
        }
}

int bot_run_test(int argc, char **argv)
{
        const struct cli_page page = {
                .usage = "bot test FILE...",
                .about = "Runs the test blocks of a bot, and checks that no ! question goes to the answer it stands "
                         "under. Ends with 1\n"
                         "when one fails.",
                .examples = "  deskbell bot test shop/\n",
                .max_free = 200,
        };
        struct bot_version *version = NULL;
        struct bot_build_report report;
        size_t passed = 0, failed = 0;
        int rc, first = cli_parse_named(&page, argc, argv, "which files? see: deskbell bot test --help", &rc);
        if (first < 0)
                return rc;
        rc = bot_version_of(argv + first, &version, &report);
        if (rc == EX_OK)
                rc = bot_tests_run(version, false, &passed, &failed);
        if (rc == EX_OK) {
                if (failed > 0)
                        bot_tests_explain(&report);
                printf("%zu passed, %zu failed\n", passed, failed);
                int end = cli_finish();
                rc = end != EX_OK ? end : failed > 0;
        }
        bot_version_free(version);
        return rc;
}
