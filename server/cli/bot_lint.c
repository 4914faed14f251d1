/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell bot lint, fmt, build and diff: an author's files, and what becomes of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/bot.h"
#include "cli/bot_sources.h"
#include "cli/cli.h"

/* ---- lint ------------------------------------------------------------------------------------------------------ */

/* What is no fault, but keeps the bot from being sure. */
static int print_notes(const struct bot_sources *sources)
{
        struct bot_problems *notes = bot_problems_new();
        size_t shown = 0;
        int rc = EX_OK;
        if (!notes || bot_lint_thin(sources->bot, sources->places, sources->files, notes) < 0)
                rc = cli_fail(EX_OSERR, "out of memory");
        else
                bot_sources_print_as("note", notes, &shown);
        bot_problems_free(notes);
        return rc;
}

int bot_run_lint(int argc, char **argv)
{
        bool strict = false;
        const struct cli_option options[] = {
                {.name = "strict", .flag = &strict, .help = "warnings count as errors"},
        };
        const struct cli_page page = {
                .usage = "bot lint [options] FILE...",
                .about = "Checks .bot files, or folders of them, and says what is wrong and what could be better, with "
                         "file and\n"
                         "line; notes name answers whose examples are too unlike each other. Ends with 65 when there "
                         "is an error.",
                .examples = "  deskbell bot lint shop/\n"
                            "  deskbell bot lint shop.bot shop.ko.bot --strict\n",
                CLI_OPTIONS(options),
                .max_free = 200,
        };
        struct bot_sources sources;
        int rc, first = cli_parse_named(&page, argc, argv, "which files? see: deskbell bot lint --help", &rc);
        if (first < 0)
                return rc;
        rc = bot_sources_read(&sources, argv + first);
        size_t shown = sources.problems ? sources.problems->count : 0;
        if (rc == EX_OK) {
                bot_lint(sources.bot, sources.places, sources.files, sources.problems);
                bot_sources_print(sources.problems, &shown);
                rc = print_notes(&sources);
        }
        if (sources.problems && sources.bot) {
                printf("%zu errors, %zu warnings\n", sources.problems->errors, sources.problems->warnings);
                if (rc == EX_OK && strict && sources.problems->warnings > 0)
                        rc = EX_DATAERR;
        }
        bot_sources_done(&sources);
        return rc == EX_OK ? cli_finish() : rc;
}

/* ---- fmt ------------------------------------------------------------------------------------------------------- */

/* Beside the file and then over it: a full disk leaves the old one. */
static int replace_file(const char *path, const struct writer *text)
{
        char beside[4096];
        snprintf(beside, sizeof(beside), "%.4000s.new", path);
        FILE *file = fopen(beside, "wb");
        bool is_written = file && fwrite(text->bytes, 1, text->len, file) == text->len && fflush(file) == 0 &&
                          fsync(fileno(file)) == 0;
        if (file && fclose(file) != 0)
                is_written = false;
        if (is_written && rename(beside, path) == 0)
                return EX_OK;
        unlink(beside);
        return cli_fail(EX_CANTCREAT, "%s cannot be written", path);
}

struct formatting {
        bool only_check, differs;
};

static int format_file(const char *path, void *data)
{
        struct formatting *formatting = data;
        struct writer out;
        size_t len = 0;
        int rc = EX_OK;
        char *text = bot_read_file(path, 1 << 20, &len);
        if (!text)
                return EX_NOINPUT;
        writer_init(&out, NULL, 0);
        bot_source_format((struct span){text, len}, &out);
        bool differs = !span_equal((struct span){out.bytes, out.len}, (struct span){text, len});
        if (out.failed)
                rc = cli_fail(EX_OSERR, "out of memory");
        else if (differs && formatting->only_check)
                printf("%s\n", path);
        else if (differs)
                rc = replace_file(path, &out);
        formatting->differs = formatting->differs || differs;
        writer_done(&out);
        free(text);
        return rc;
}

int bot_run_fmt(int argc, char **argv)
{
        struct formatting formatting = {0};
        const struct cli_option options[] = {
                {.name = "check",
                 .flag = &formatting.only_check,
                 .help = "change nothing; name the files that would change, end with 1"},
        };
        const struct cli_page page = {
                .usage = "bot fmt [options] FILE...",
                .about =
                        "Puts .bot files, or folders of them, into the usual form: indentation and empty lines. Words, "
                        "comments and\n"
                        "order stay.",
                .examples = "  deskbell bot fmt shop/\n",
                CLI_OPTIONS(options),
                .max_free = 200,
        };
        int first = cli_parse(&page, argc, argv), rc = EX_OK;
        if (first < 0)
                return cli_parsed(first);
        if (first == argc)
                return cli_fail(EX_USAGE, "which files? see: deskbell bot fmt --help");
        for (int i = first; rc == EX_OK && i < argc; i++)
                rc = bot_each_file(argv[i], format_file, &formatting);
        if (rc == EX_OK && formatting.only_check && formatting.differs)
                rc = 1;
        int end = cli_finish();
        return rc == EX_OK ? end : rc;
}

/* ---- build ----------------------------------------------------------------------------------------------------- */

static void print_report(const struct bot_build_report *report)
{
        for (size_t i = 0; i < report->count; i++) {
                const struct bot_language_report *language = &report->languages[i];
                const struct bot_train_report *train = &language->train;
                if (language->error) {
                        printf("%-6s no examples: patterns alone\n", language->lang);
                        continue;
                }
                printf("%-6s %u answers, %u examples; of examples held back right %.0f %%, among three %.0f %%; ",
                       language->lang, train->answers, train->examples, train->top1 * 100.0 / BOT_SCORE_ONE,
                       train->top3 * 100.0 / BOT_SCORE_ONE);
                if (train->wish_most < BOT_WISH_USUAL)
                        printf("they are too few, or too unlike each other, to answer alone: it offers choices\n");
                else
                        printf("answers %.0f %% alone, %.0f %% of what is off topic\n",
                               train->kept * 100.0 / BOT_SCORE_ONE, train->off_topic * 100.0 / BOT_SCORE_ONE);
        }
}

static int write_version(const char *path, const struct bot_sources *sources)
{
        struct bot_build_report report;
        struct writer blob;
        const char *wrong = NULL;
        int rc = EX_OK;
        writer_init(&blob, NULL, 0);
        struct bot_version *version = NULL;
        if (bot_version_build(sources->bot, sources->problems, &blob, &report) < 0)
                rc = cli_fail(EX_OSERR, "the bot could not be built");
        else if (!(version = bot_version_load((struct span){blob.bytes, blob.len}, &wrong)))
                rc = cli_fail(EX_SOFTWARE, "%s", wrong);
        else
                rc = replace_file(path, &blob);
        if (rc == EX_OK) {
                print_report(&report);
                printf("version %s, %zu bytes, in %s\n", bot_version_id(version), blob.len, path);
        }
        bot_version_free(version);
        writer_done(&blob);
        return rc;
}

int bot_run_build(int argc, char **argv)
{
        const char *out = NULL;
        const struct cli_option options[] = {
                {.name = "out", .value = "FILE", .text = &out, .help = "where the version goes; needed"},
        };
        const struct cli_page page = {
                .usage = "bot build --out FILE.botv FILE...",
                .about = "Checks the files, learns from their examples, and writes one version: what `why`, `test` and "
                         "`sim` can run\n"
                         "at once. Its name is the hash of what the files say.",
                .examples = "  deskbell bot build --out shop.botv shop/\n",
                CLI_OPTIONS(options),
                .max_free = 200,
        };
        struct bot_sources sources;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (!out || first == argc)
                return cli_fail(EX_USAGE, "which files, and --out? see: deskbell bot build --help");
        int rc = bot_sources_read(&sources, argv + first);
        if (rc == EX_OK)
                rc = write_version(out, &sources);
        bot_sources_done(&sources);
        return rc == EX_OK ? cli_finish() : rc;
}

/* ---- diff ------------------------------------------------------------------------------------------------------ */

/* What is in one and not in the other, or differs, one line each: "+ faq x", "- faq y", "~ flow z". */
static size_t print_group(const json_t *a, const json_t *b, const char *group, const char *word)
{
        json_t *left = json_object_get(a, group), *right = json_object_get(b, group), *one;
        const char *name;
        size_t count = 0;
        json_object_foreach(left, name, one) {
                const json_t *other = json_object_get(right, name);
                if (other && json_equal(one, (json_t *)other))
                        continue;
                printf("%c %s %s\n", other ? '~' : '-', word, name);
                count++;
        }
        json_object_foreach(right, name, one) {
                if (json_object_get(left, name))
                        continue;
                printf("+ %s %s\n", word, name);
                count++;
        }
        return count;
}

static size_t print_whole(const json_t *a, const json_t *b, const char *member)
{
        json_t *left = json_object_get(a, member), *right = json_object_get(b, member);
        if ((!left && !right) || (left && right && json_equal(left, right)))
                return 0;
        printf("%c %s\n", left && right ? '~' : left ? '-' : '+', member);
        return 1;
}

int bot_run_diff(int argc, char **argv)
{
        const struct cli_page page = {
                .usage = "bot diff OLD NEW",
                .about = "What differs between two bots: folders, .bot files, canonical .json files or built versions. "
                         "Ends with 1\n"
                         "when anything does.",
                .examples = "  deskbell bot diff shop.botv shop/\n",
                .max_free = 2,
        };
        json_t *old = NULL, *new = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (argc - first != 2)
                return cli_fail(EX_USAGE, "which two? see: deskbell bot diff --help");
        char *left[] = {argv[first], NULL}, *right[] = {argv[first + 1], NULL};
        int rc = bot_object_of(left, &old);
        if (rc == EX_OK)
                rc = bot_object_of(right, &new);
        if (rc == EX_OK) {
                size_t count = print_group(old, new, "faqs", "faq") + print_group(old, new, "flows", "flow") +
                               print_group(old, new, "handoffs", "handoff") +
                               print_group(old, new, "entities", "entity") + print_whole(old, new, "fallback") +
                               print_whole(old, new, "synonyms") + print_whole(old, new, "texts") +
                               print_whole(old, new, "tests") + print_whole(old, new, "lang");
                int end = cli_finish();
                rc = end != EX_OK ? end : count > 0;
        }
        json_decref(old);
        json_decref(new);
        return rc;
}
