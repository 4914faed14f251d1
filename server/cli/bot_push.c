/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell bot push, publish, rollback, versions and pull: the way of .bot files into the server and back. A push is
 * checked and tested here, where file and line can be said; the server checks it again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bot.h"
#include "cli/bot_server.h"
#include "cli/bot_sources.h"
#include "cli/bot_tests.h"
#include "cli/cli.h"
#include "cli/console.h"
#include "cli/secrets.h"
#include "protocol_generated.h"

enum { SHOWN_DIGITS = 12 };

/* ---- publish, rollback ---- */

static void print_places(const json_t *result)
{
        const char *live = cli_text(result, "live"), *before = cli_text(result, "before");
        const char *canary = cli_text(result, "canary");
        printf("live %.*s", SHOWN_DIGITS, *live ? live : "nothing");
        if (*canary)
                printf(", trial on %lld %% %.*s",
                       (long long)json_integer_value(json_object_get(result, "canary_share")), SHOWN_DIGITS, canary);
        if (*before)
                printf(", before %.*s", SHOWN_DIGITS, before);
        printf("\n");
}

int bot_run_publish(int argc, char **argv)
{
        const char *data = NULL, *bot = NULL, *share = "100";
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                CLI_BOT(bot),
                {.name = "share",
                 .value = "PERCENT",
                 .text = &share,
                 .help = "try it out on so many of 100 conversations, beside the live one; default 100: for everybody"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "bot publish VERSION [options]",
                .about = "Makes a version live at once; its first 8 digits are enough. A conversation in the middle of "
                         "a "
                         "dialogue\n"
                         "ends it with the version it began with.",
                .examples = "  deskbell bot publish 3f2a9c1d\n"
                            "  deskbell bot publish 3f2a9c1d --share 10\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int rc, first = cli_parse_named(&page, argc, argv, "which version? see: deskbell bot versions", &rc);
        if (first < 0)
                return rc;
        json_t *params = json_pack("{s:o, s:s}", "cmid", secret_cmid(), "version", argv[first]);
        rc = bot_put_number(params, "share", share, 1, 100);
        if (rc == EX_OK)
                rc = bot_call(cli_data(data), bot, "bot.publish", params, &result);
        else
                json_decref(params);
        return cli_answer(rc, json, result, print_places);
}

int bot_run_rollback(int argc, char **argv)
{
        const char *data = NULL, *bot = NULL;
        bool trial = false, json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                CLI_BOT(bot),
                {.name = "trial", .flag = &trial, .help = "only end the trial of another version; live stays"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "bot rollback [options]",
                .about = "Makes live again what was live before the last publication, and ends a trial. A second call "
                         "takes it back.",
                .examples = "  deskbell bot rollback\n"
                            "  deskbell bot rollback --trial\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        int rc = bot_call(cli_data(data), bot, trial ? "bot.canary_end" : "bot.rollback",
                          json_pack("{s:o}", "cmid", secret_cmid()), &result);
        return cli_answer(rc, json, result, print_places);
}

/* ---- push ---- */

struct push {
        const char *dir, *bot, *label;
        bool is_published, is_anyway, is_json;
        struct bot_sources sources;
        json_t *drafted, *published;
};

/* The tests need a version; its ranker is built as the server will build it. */
static int try_out(struct push *push)
{
        struct bot_version *version = NULL;
        struct bot_build_report report;
        struct writer blob;
        const char *wrong = NULL;
        size_t passed = 0, failed = 0;
        int rc = EX_OK;
        if (!bot_tests_any(push->sources.bot))
                return EX_OK;
        writer_init(&blob, NULL, 0);
        if (bot_version_build(push->sources.bot, push->sources.problems, &blob, &report) < 0)
                rc = cli_fail(EX_OSERR, "the bot could not be built");
        else if (!(version = bot_version_load((struct span){blob.bytes, blob.len}, &wrong)))
                rc = cli_fail(EX_SOFTWARE, "%s", wrong);
        else
                rc = bot_tests_run(version, true, &passed, &failed);
        bot_version_free(version);
        writer_done(&blob);
        if (rc == EX_OK && failed > 0)
                bot_tests_explain(&report);
        if (rc == EX_OK && failed > 0 && !push->is_anyway)
                return cli_fail(EX_DATAERR, "%zu of %zu tests failed, nothing was pushed; mend them, or say --anyway",
                                failed, passed + failed);
        if (rc == EX_OK && !push->is_json)
                printf("%zu tests passed, %zu failed\n", passed, failed);
        return rc;
}

static int check_files(struct push *push, char *const *paths)
{
        int rc = bot_sources_read(&push->sources, paths);
        if (rc != EX_OK)
                return rc;
        size_t shown = push->sources.problems->count;
        bot_lint(push->sources.bot, push->sources.places, push->sources.files, push->sources.problems);
        bot_sources_print(push->sources.problems, &shown);
        return try_out(push);
}

static int draft(const struct push *push, struct console *console, const char *bot, json_t **out_result)
{
        char *source = bot_canonical(push->sources.bot);
        if (!source)
                return cli_fail(EX_OSERR, "out of memory");
        size_t bytes = strlen(source);
        json_t *params = json_pack("{s:s, s:s, s:s*}", "bot", bot, "source", source, "label", push->label);
        free(source);
        if (bytes > PROTOCOL_BOT_SOURCE_BYTES) {
                json_decref(params);
                return cli_fail(EX_DATAERR, "the bot has %zu bytes in its canonical form; at most %d bytes are taken",
                                bytes, PROTOCOL_BOT_SOURCE_BYTES);
        }
        return console_do(console, "bot.draft", params, out_result);
}

static int send(struct push *push)
{
        struct console *console = NULL;
        char bot[BOT_ID];
        int rc = console_open(push->dir, CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = bot_choose(console, push->bot, bot);
        if (rc == EX_OK)
                rc = draft(push, console, bot, &push->drafted);
        if (rc == EX_OK && push->is_published)
                rc = console_do(console, "bot.publish",
                                json_pack("{s:o, s:s, s:s, s:i}", "cmid", secret_cmid(), "bot", bot, "version",
                                          cli_text(push->drafted, "version"), "share", 100),
                                &push->published);
        console_close(console);
        return rc;
}

static void print_languages(const json_t *languages)
{
        json_t *row;
        size_t i;
        json_array_foreach(languages, i, row) {
                json_int_t right = json_integer_value(json_object_get(row, "right"));
                json_int_t alone = json_integer_value(json_object_get(row, "alone"));
                printf("%-6s ", cli_text(row, "lang"));
                if (json_object_get(row, "error")) {
                        printf("%s\n", cli_text(row, "error"));
                        continue;
                }
                printf("%lld answers, %lld examples; of examples held back right %lld %%, ",
                       (long long)json_integer_value(json_object_get(row, "answers")),
                       (long long)json_integer_value(json_object_get(row, "examples")), (long long)(right / 10));
                if (alone > 0)
                        printf("answered alone %lld %%\n", (long long)(alone / 10));
                else
                        printf("too few, or too unlike each other, to answer alone: it offers choices\n");
        }
}

static int print_pushed(const struct push *push)
{
        const char *version = cli_text(push->drafted, "version");
        if (push->is_json) {
                json_t *all = json_incref(push->drafted);
                json_object_set_new(all, "published", json_boolean(push->published != NULL));
                return cli_print(all);
        }
        print_languages(json_object_get(push->drafted, "languages"));
        json_int_t warned = json_integer_value(json_object_get(push->drafted, "warned"));
        if (warned > 0)
                printf("%lld warnings\n", (long long)warned);
        bool is_new = json_is_true(json_object_get(push->drafted, "is_new"));
        printf("version %s%s\n", version, is_new ? "" : ", which was there already");
        if (push->published)
                printf("it is live\n");
        else if (is_new)
                printf("not live yet: deskbell bot publish %.*s\n", SHOWN_DIGITS, version);
        return cli_finish();
}

/* Said before the work begins: that there is a bot to push to. */
static int look_for_bot(const struct push *push)
{
        struct console *console = NULL;
        char bot[BOT_ID];
        int rc = console_open(push->dir, CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = bot_choose(console, push->bot, bot);
        console_close(console);
        return rc;
}

int bot_run_push(int argc, char **argv)
{
        const char *data = NULL;
        struct push push = {0};
        const struct cli_option options[] = {
                CLI_DATA(data),
                CLI_BOT(push.bot),
                {.name = "publish", .flag = &push.is_published, .help = "make it live at once"},
                {.name = "label", .value = "TEXT", .text = &push.label, .help = "what to remember it by"},
                {.name = "anyway", .flag = &push.is_anyway, .help = "also when one of its tests fails"},
                CLI_JSON(push.is_json),
        };
        const struct cli_page page = {
                .usage = "bot push [options] FILE...",
                .about = "Checks .bot files, or folders of them, runs their tests, and keeps them in the server as a "
                         "version. It is\n"
                         "live after --publish, or deskbell bot publish.",
                .examples = "  deskbell bot push --publish shop/\n"
                            "  deskbell bot push shop/ --label \"opening hours at Christmas\"\n",
                CLI_OPTIONS(options),
                .max_free = 200,
        };
        int rc, first = cli_parse_named(&page, argc, argv, "which files? see: deskbell bot push --help", &rc);
        if (first < 0)
                return rc;
        push.dir = cli_data(data);
        rc = look_for_bot(&push);
        if (rc == EX_OK)
                rc = check_files(&push, argv + first);
        if (rc == EX_OK)
                rc = send(&push);
        if (rc == EX_OK)
                rc = print_pushed(&push);
        json_decref(push.drafted);
        json_decref(push.published);
        bot_sources_done(&push.sources);
        return rc;
}

/* ---- versions, pull ---- */

static void print_versions(const json_t *result)
{
        json_t *row;
        size_t i;
        char when[32];
        json_array_foreach(json_object_get(result, "versions"), i, row)
                printf("%.*s  %-6s  %s  %8lld bytes  %s\n", SHOWN_DIGITS, cli_text(row, "version"),
                       cli_text(row, "state"), cli_time(json_integer_value(json_object_get(row, "created")), when),
                       (long long)json_integer_value(json_object_get(row, "bytes")), cli_text(row, "label"));
}

int bot_run_versions(int argc, char **argv)
{
        const char *data = NULL, *bot = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_BOT(bot), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "bot versions [options]",
                .about = "The versions that are kept, newest first. Of a bot 200 are kept; the oldest that nothing "
                         "needs "
                         "go first.",
                .examples = "  deskbell bot versions\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        int rc = bot_call(cli_data(data), bot, "bot.versions", json_object(), &result);
        return cli_answer(rc, json, result, print_versions);
}

static int print_source(const char *source, bool as_json)
{
        struct writer out;
        if (as_json) {
                puts(source);
                return cli_finish();
        }
        json_t *bot = json_loads(source, 0, NULL);
        writer_init(&out, NULL, 0);
        if (bot)
                bot_source_write(bot, &out);
        int rc = !bot || out.failed ? cli_fail(EX_OSERR, "the version could not be read") : EX_OK;
        if (rc == EX_OK)
                fwrite(out.bytes, 1, out.len, stdout);
        writer_done(&out);
        json_decref(bot);
        return rc == EX_OK ? cli_finish() : rc;
}

int bot_run_pull(int argc, char **argv)
{
        const char *data = NULL, *bot = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                CLI_BOT(bot),
                {.name = "json", .flag = &json, .help = "the canonical JSON instead"},
        };
        const struct cli_page page = {
                .usage = "bot pull [VERSION] [options]",
                .about = "Prints the live version, or the one whose first digits are said, as one .bot file. Comments "
                         "are not kept\n"
                         "in a version.",
                .examples = "  deskbell bot pull > shop.bot\n"
                            "  deskbell bot pull 3f2a9c1d --json\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        json_t *params = json_pack("{s:s*}", "version", first < argc ? argv[first] : NULL);
        int rc = bot_call(cli_data(data), bot, "bot.source", params, &result);
        if (rc == EX_OK)
                rc = print_source(cli_text(result, "source"), json);
        json_decref(result);
        return rc;
}
