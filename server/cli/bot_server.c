/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell bot add, list, set and remove: the bots of a server, running or not. What they say: bot_push.c. */
#include "cli/bot_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/app.h"
#include "cli/bot.h"
#include "cli/cli.h"
#include "cli/console.h"
#include "cli/secrets.h"

/* ---- what the commands share ---- */

static bool is_meant(const json_t *row, const char *said)
{
        return !said || strcmp(cli_text(row, "bot"), said) == 0 || strcmp(cli_text(row, "name"), said) == 0;
}

int bot_choose(struct console *console, const char *said, char out_bot[BOT_ID])
{
        json_t *result = NULL, *row;
        size_t i, found = 0;
        int rc = console_do(console, "bot.list", NULL, &result);
        json_array_foreach(json_object_get(result, "bots"), i, row) {
                if (is_meant(row, said) && ++found == 1)
                        snprintf(out_bot, BOT_ID, "%s", cli_text(row, "bot"));
        }
        json_decref(result);
        if (rc != EX_OK || found == 1)
                return rc;
        if (found > 1)
                return cli_fail(EX_USAGE, "there are %zu such bots: say which with --bot; see: deskbell bot list",
                                found);
        if (said)
                return cli_fail(EX_USAGE, "there is no bot \"%s\"; see: deskbell bot list", said);
        return cli_fail(EX_USAGE, "there is no bot yet; make one with: deskbell bot add");
}

int bot_call(const char *dir, const char *said, const char *method, json_t *params, json_t **out_result)
{
        struct console *console = NULL;
        char bot[BOT_ID];
        int rc = console_open(dir, CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = bot_choose(console, said, bot);
        if (rc == EX_OK) {
                json_object_set_new(params, "bot", json_string(bot));
                rc = console_do(console, method, params, out_result);
        } else {
                json_decref(params);
        }
        console_close(console);
        return rc;
}

int bot_put_number(json_t *params, const char *member, const char *said, long least, long most)
{
        char *end = NULL;
        if (!said)
                return EX_OK;
        errno = 0;
        long value = strtol(said, &end, 10);
        if (errno != 0 || end == said || *end || value < least || value > most)
                return cli_fail(EX_USAGE, "--%s: a number from %ld to %ld, not \"%s\"", member, least, most, said);
        json_object_set_new(params, member, json_integer(value));
        return EX_OK;
}

/* ---- add ---- */

/* Adds a secret of our own when there is a URL to post to. */
static void put_secret(json_t *params, const char *url, char secret[SECRET_WEBHOOK_TEXT])
{
        secret[0] = '\0';
        if (!url || !*url)
                return;
        secret_make_webhook(secret);
        json_object_set_new(params, "secret", json_string(secret));
}

static int print_added(const char *bot, const char *name, const char *kind, const char *secret, bool json)
{
        if (json)
                return cli_print(json_pack("{s:s, s:s*}", "bot", bot, "secret", *secret ? secret : NULL));
        printf("%s\n", bot);
        if (*secret)
                printf("secret, shown only now: %s\n", secret);
        if (strcmp(kind, "built_in") == 0)
                printf("It answers as soon as something is published: deskbell bot push --publish FILE...\n");
        if (strcmp(kind, "program") == 0)
                printf("Give it a key: deskbell key add --bot \"%s\"\n", name);
        return cli_finish();
}

static int add(const char *dir, const char *app_said, json_t *params, json_t **out_result)
{
        struct console *console = NULL;
        char app[BOT_ID];
        int rc = console_open(dir, CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = app_choose(console, app_said, app, sizeof(app));
        if (rc == EX_OK) {
                json_object_set_new(params, "app", json_string(app));
                rc = console_do(console, "bot.add", params, out_result);
        } else {
                json_decref(params);
        }
        console_close(console);
        return rc;
}

int bot_run_add(int argc, char **argv)
{
        const char *data = NULL, *app = NULL, *name = "Bot", *kind = "built_in", *url = NULL, *articles = NULL,
                   *timeout = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "app", .value = "ID", .text = &app, .help = "the app; default the only one"},
                {.name = "name", .value = "NAME", .text = &name, .help = "what customers see; default Bot"},
                {.name = "kind",
                 .value = "KIND",
                 .text = &kind,
                 .help = "built_in (.bot files; default), webhook (your URL answers) or program (it connects by "
                         "itself)"},
                {.name = "url",
                 .value = "URL",
                 .text = &url,
                 .help = "webhook: who answers; built_in: who takes its calls. A secret is made and printed, once"},
                {.name = "articles", .value = "URL", .text = &articles, .help = "what stands before an article's name"},
                {.name = "timeout-ms", .value = "MS", .text = &timeout, .help = "how long the URL may take"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "bot add [options]",
                .about = "Gives an app a bot; an app has at most one. Then write .bot files and push them.",
                .examples =
                        "  deskbell bot add --name \"Shop helper\"\n"
                        "  deskbell bot push --publish shop/\n"
                        "  deskbell bot add --app app_01h8x9example0 --kind webhook --url https://bot.example/turn\n",
                CLI_OPTIONS(options),
        };
        char secret[SECRET_WEBHOOK_TEXT];
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        json_t *params = json_pack("{s:o, s:s, s:s, s:s*, s:s*}", "cmid", secret_cmid(), "name", name, "kind", kind,
                                   "url", url, "articles", articles);
        int rc = bot_put_number(params, "timeout_ms", timeout, 100, 60000);
        put_secret(params, url, secret);
        if (rc == EX_OK)
                rc = add(cli_data(data), app, params, &result);
        else
                json_decref(params);
        if (rc == EX_OK)
                rc = print_added(cli_text(result, "bot"), name, kind, secret, json);
        json_decref(result);
        secret_forget(secret, sizeof(secret));
        return rc;
}

/* ---- list ---- */

static void print_list(const json_t *result)
{
        json_t *row;
        size_t i;
        json_array_foreach(json_object_get(result, "bots"), i, row) {
                json_int_t holdout = json_integer_value(json_object_get(row, "holdout"));
                const char *live = cli_text(row, "live"), *canary = cli_text(row, "canary");
                printf("%s  %s  %-8s  %-3s  ", cli_text(row, "bot"), cli_text(row, "app"), cli_text(row, "kind"),
                       json_is_true(json_object_get(row, "on")) ? "on" : "off");
                if (strcmp(cli_text(row, "kind"), "built_in") == 0)
                        printf("%s%.12s  ", *live ? "live " : "nothing published", live);
                if (*canary)
                        printf("trial %lld %% %.12s  ",
                               (long long)json_integer_value(json_object_get(row, "canary_share")), canary);
                if (holdout > 0)
                        printf("held out %lld %%  ", (long long)holdout);
                printf("%s\n", cli_text(row, "name"));
        }
}

int bot_run_list(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "bot list [options]",
                .about = "The bots of this server, oldest first, with the beginning of the version that is live.",
                .examples = "  deskbell bot list\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        int rc = console_call(cli_data(data), "bot.list", NULL, &result);
        return cli_answer(rc, json, result, print_list);
}

/* ---- set, remove ---- */

/* "yes" and "no" as a member of `params`. */
static int put_yes(json_t *params, const char *member, const char *said)
{
        if (!said)
                return EX_OK;
        bool is_yes = strcmp(said, "yes") == 0;
        if (!is_yes && strcmp(said, "no") != 0)
                return cli_fail(EX_USAGE, "--%s: yes or no, not \"%s\"", member, said);
        json_object_set_new(params, member, json_boolean(is_yes));
        return EX_OK;
}

static int set(const char *dir, const char *bot, json_t *params, const char *secret, bool json)
{
        json_t *result = NULL;
        int rc = bot_call(dir, bot, "bot.set", params, &result);
        if (rc == EX_OK && json) {
                rc = cli_print(*secret ? json_pack("{s:s}", "secret", secret) : json_object());
        } else if (rc == EX_OK) {
                if (*secret)
                        printf("secret, shown only now: %s\n", secret);
                rc = cli_finish();
        }
        json_decref(result);
        return rc;
}

int bot_run_set(int argc, char **argv)
{
        const char *data = NULL, *bot = NULL, *holdout = NULL, *offline = NULL, *articles = NULL, *url = NULL,
                   *timeout = NULL;
        bool on = false, off = false, anew = false, json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                CLI_BOT(bot),
                {.name = "on", .flag = &on, .help = "it answers"},
                {.name = "off", .flag = &off, .help = "it does not: people answer everything"},
                {.name = "holdout",
                 .value = "PERCENT",
                 .text = &holdout,
                 .help = "so many of 100 conversations skip it, to compare (0 to 90)"},
                {.name = "offline",
                 .value = "YES",
                 .text = &offline,
                 .help = "yes: devices may take it along, to answer without a connection"},
                {.name = "articles", .value = "URL", .text = &articles, .help = "what stands before an article's name"},
                {.name = "url", .value = "URL", .text = &url, .help = "where it is asked, or its calls go; \"\": none"},
                {.name = "new-secret", .flag = &anew, .help = "make a new secret for the URL and print it, once"},
                {.name = "timeout-ms", .value = "MS", .text = &timeout, .help = "how long the URL may take"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "bot set [options]",
                .about = "Changes a bot: only what is said. A new URL keeps the secret, unless --new-secret is said.",
                .examples = "  deskbell bot set --off\n"
                            "  deskbell bot set --bot \"Shop helper\" --holdout 10\n",
                CLI_OPTIONS(options),
        };
        char secret[SECRET_WEBHOOK_TEXT];
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (on && off)
                return cli_fail(EX_USAGE, "--on or --off");
        json_t *params = json_pack("{s:o, s:s*, s:s*}", "cmid", secret_cmid(), "url", url, "articles", articles);
        if (on || off)
                json_object_set_new(params, "on", json_boolean(on));
        put_secret(params, anew ? "made" : NULL, secret);
        int rc = bot_put_number(params, "timeout_ms", timeout, 100, 60000);
        if (rc == EX_OK)
                rc = bot_put_number(params, "holdout", holdout, 0, 90);
        if (rc == EX_OK)
                rc = put_yes(params, "offline", offline);
        if (rc == EX_OK && json_object_size(params) == 1)
                rc = cli_fail(EX_USAGE, "what should change? see: deskbell bot set --help");
        if (rc == EX_OK)
                rc = set(cli_data(data), bot, params, secret, json);
        else
                json_decref(params);
        secret_forget(secret, sizeof(secret));
        return rc;
}

int bot_run_remove(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "bot remove BOT [options]",
                .about = "Takes a bot, by id or name, away from its app, with its versions. What it said stays. To "
                         "keep it "
                         "and let\n"
                         "people answer: deskbell bot set --off.",
                .examples = "  deskbell bot remove \"Shop helper\"\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = cli_parse_named(&page, argc, argv, "which bot? see: deskbell bot list", &rc);
        if (first < 0)
                return rc;
        return bot_call(cli_data(data), argv[first], "bot.remove", json_pack("{s:o}", "cmid", secret_cmid()), NULL);
}
