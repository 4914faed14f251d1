/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell webhook: who is told of events, and what became of them. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/secrets.h"
#include "cli/webhook_verify.h"
#include "ops/clock.h"

enum { TEST_WAIT_MS = 12000, TEST_LOOK_MS = 200 };

/* ---- add, rotate: what makes a secret ---- */

static json_t *list_of(const char *const *texts)
{
        json_t *list = json_array();
        for (int i = 0; texts[i]; i++)
                json_array_append_new(list, json_string(texts[i]));
        return list;
}

static int print_secret(bool json, const char *webhook, const char *secret)
{
        if (json)
                return cli_print(json_pack("{s:s, s:s}", "webhook", webhook, "secret", secret));
        printf("%s\nsecret, shown only now: %s\n", webhook, secret);
        return cli_finish();
}

static int run_add(int argc, char **argv)
{
        const char *data = NULL, *url = NULL, *app = NULL, *bot = NULL, *events[CLI_LIST] = {NULL};
        static const char *const usual[] = {"message.created", "conversation.changed", NULL};
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "url", .value = "URL", .text = &url, .help = "where events are posted (needed)"},
                {.name = "event",
                 .value = "NAME",
                 .list = events,
                 .help = "message.created, conversation.changed or push.wanted; default the first two"},
                {.name = "app", .value = "ID", .text = &app, .help = "only events of this app; default all"},
                {.name = "bot",
                 .value = "ID",
                 .text = &bot,
                 .help = "the bot behind it: its own messages are left out"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "webhook add --url URL [options]",
                .about = "Makes a webhook and prints its secret, once. The URL is https on port 443 in the public "
                         "internet;\n"
                         "anything else has to be named by the setting webhook_allow of the running server.",
                .examples = "  deskbell webhook add --url https://shop.example/hooks/deskbell\n"
                            "  deskbell webhook add --url https://shop.example/push --event push.wanted\n",
                CLI_OPTIONS(options),
        };
        char secret[SECRET_WEBHOOK_TEXT];
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (!url)
                return cli_fail(EX_USAGE, "--url is needed; see: deskbell webhook add --help");

        secret_make_webhook(secret);
        json_t *params = json_pack("{s:o, s:s, s:o, s:s, s:s*, s:s*}", "cmid", secret_cmid(), "url", url, "events",
                                   list_of(events[0] ? events : usual), "secret", secret, "app", app, "bot", bot);
        int rc = console_call(cli_data(data), "webhook.add", params, &result);
        if (rc == EX_OK)
                rc = print_secret(json, cli_text(result, "webhook"), secret);
        json_decref(result);
        secret_forget(secret, sizeof(secret));
        return rc;
}

/* The commands whose one argument is a webhook: reads it. An exit code, or EX_OK with *out_id set. */
static int parse_one(const struct cli_page *page, int argc, char **argv, const char **out_id, bool *out_end)
{
        int first = cli_parse(page, argc, argv);
        *out_end = first < 0;
        if (first < 0)
                return cli_parsed(first);
        if (first >= argc)
                return cli_fail(EX_USAGE, "which webhook? (whk_...); see: deskbell webhook list");
        *out_id = argv[first];
        return EX_OK;
}

static int run_rotate(int argc, char **argv)
{
        const char *data = NULL, *id = NULL;
        bool json = false, is_end;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "webhook rotate WEBHOOK [options]",
                .about = "Gives a webhook a new secret and prints it, once. For 24 h events carry a signature with "
                         "the old\none too. A second rotation in that time ends the oldest.",
                .examples = "  deskbell webhook rotate whk_01h8x9example0\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        char secret[SECRET_WEBHOOK_TEXT];
        int rc = parse_one(&page, argc, argv, &id, &is_end);
        if (is_end || rc != EX_OK)
                return rc;

        secret_make_webhook(secret);
        rc = console_call(cli_data(data), "webhook.rotate",
                          json_pack("{s:o, s:s, s:s}", "cmid", secret_cmid(), "webhook", id, "secret", secret), NULL);
        if (rc == EX_OK)
                rc = print_secret(json, id, secret);
        secret_forget(secret, sizeof(secret));
        return rc;
}

/* ---- list, remove, resume ---- */

static void print_list(const json_t *result)
{
        json_t *row, *event;
        size_t i, e;
        json_array_foreach(json_object_get(result, "webhooks"), i, row) {
                printf("%s  %-9s  waiting %lld  dead %lld  failures %lld  %s ", cli_text(row, "webhook"),
                       cli_text(row, "state"), (long long)json_integer_value(json_object_get(row, "waiting")),
                       (long long)json_integer_value(json_object_get(row, "dead")),
                       (long long)json_integer_value(json_object_get(row, "failures")), cli_text(row, "url"));
                json_array_foreach(json_object_get(row, "events"), e, event)
                        printf(" %s", json_string_value(event));
                printf("\n");
        }
}

static int run_list(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "webhook list [options]",
                .about = "All webhooks, oldest first.",
                .examples = "  deskbell webhook list\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        int rc = console_call(cli_data(data), "webhook.list", NULL, &result);
        return cli_answer(rc, json, result, print_list);
}

static int run_plain(int argc, char **argv, const char *method, const struct cli_page *say)
{
        const char *data = NULL, *id = NULL;
        bool is_end;
        const struct cli_option options[] = {CLI_DATA(data)};
        struct cli_page page = *say;
        page.options = options;
        page.count = sizeof(options) / sizeof(options[0]);
        page.max_free = 1;
        int rc = parse_one(&page, argc, argv, &id, &is_end);
        if (is_end || rc != EX_OK)
                return rc;
        return console_call(cli_data(data), method, json_pack("{s:o, s:s}", "cmid", secret_cmid(), "webhook", id),
                            NULL);
}

static int run_remove(int argc, char **argv)
{
        static const struct cli_page page = {
                .usage = "webhook remove WEBHOOK [options]",
                .about = "Removes a webhook and whatever still waits for it.",
                .examples = "  deskbell webhook remove whk_01h8x9example0\n",
        };
        return run_plain(argc, argv, "webhook.remove", &page);
}

static int run_resume(int argc, char **argv)
{
        static const struct cli_page page = {
                .usage = "webhook resume WEBHOOK [options]",
                .about = "Ends the pause or suspension of a webhook that failed. What was given up is sent again "
                         "with\ndeskbell webhook replay.",
                .examples = "  deskbell webhook resume whk_01h8x9example0\n",
        };
        return run_plain(argc, argv, "webhook.resume", &page);
}

/* ---- what became of events ---- */

static void print_deliveries(const json_t *result)
{
        json_t *row;
        size_t i;
        char when[32];
        json_array_foreach(json_object_get(result, "deliveries"), i, row)
                printf("%lld  %s  %s  %-20s  %-9s  tries %lld  status %lld  %s\n",
                       (long long)json_integer_value(json_object_get(row, "number")),
                       cli_time(json_integer_value(json_object_get(row, "created")), when), cli_text(row, "event"),
                       cli_text(row, "type"), cli_text(row, "state"),
                       (long long)json_integer_value(json_object_get(row, "tries")),
                       (long long)json_integer_value(json_object_get(row, "status")), cli_text(row, "answer"));
}

static int run_deliveries(int argc, char **argv)
{
        const char *data = NULL, *webhook = NULL, *state = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "webhook", .value = "ID", .text = &webhook, .help = "only of this webhook"},
                {.name = "state", .value = "STATE", .text = &state, .help = "only waiting, delivered or dead ones"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "webhook deliveries [options]",
                .about = "The last 200 events and what became of them, newest first. Delivered ones are kept for 3 "
                         "days,\ndead ones (given up) for 30.",
                .examples = "  deskbell webhook deliveries --state dead\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        json_t *params = json_pack("{s:s*, s:s*, s:i}", "webhook", webhook, "state", state, "limit", 200);
        int rc = console_call(cli_data(data), "webhook.deliveries", params, &result);
        return cli_answer(rc, json, result, print_deliveries);
}

static int run_replay(int argc, char **argv)
{
        const char *data = NULL, *event = NULL, *id = NULL;
        bool all = false, is_end;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "event", .value = "ID", .text = &event, .help = "this dead event"},
                {.name = "all", .flag = &all, .help = "all dead events of the webhook"},
        };
        const struct cli_page page = {
                .usage = "webhook replay WEBHOOK --event ID|--all [options]",
                .about = "Tries dead events again, under their old ids, as often as new ones.",
                .examples = "  deskbell webhook replay whk_01h8x9example0 --all\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int rc = parse_one(&page, argc, argv, &id, &is_end);
        if (is_end || rc != EX_OK)
                return rc;
        if (all == (event != NULL))
                return cli_fail(EX_USAGE, "either --event ID or --all");
        rc = console_call(cli_data(data), "webhook.replay",
                          json_pack("{s:o, s:s, s:s*}", "cmid", secret_cmid(), "webhook", id, "event", event), &result);
        if (rc == EX_OK) {
                printf("%lld\n", (long long)json_integer_value(json_object_get(result, "count")));
                rc = cli_finish();
        }
        json_decref(result);
        return rc;
}

/* Looks until the event was tried. */
static int wait_for(struct console *console, const char *event, json_t **out_row)
{
        uint64_t deadline = clock_mono_ms() + TEST_WAIT_MS;
        for (;;) {
                json_t *result = NULL;
                int rc = console_do(console, "webhook.deliveries", json_pack("{s:s}", "event", event), &result);
                json_t *row = json_array_get(json_object_get(result, "deliveries"), 0);
                bool is_tried = json_integer_value(json_object_get(row, "tries")) > 0;
                if (rc == EX_OK && is_tried)
                        *out_row = json_incref(row);
                json_decref(result);
                if (rc != EX_OK || is_tried)
                        return rc;
                if (clock_mono_ms() >= deadline)
                        return cli_fail(EX_TEMPFAIL, "%s was not tried yet; see: deskbell webhook deliveries", event);
                poll(NULL, 0, TEST_LOOK_MS);
        }
}

static int run_test(int argc, char **argv)
{
        const char *data = NULL, *id = NULL;
        bool is_end;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "webhook test WEBHOOK [options]",
                .about = "Sends the event webhook.test and says what the receiver answered. Needs a running server.",
                .examples = "  deskbell webhook test whk_01h8x9example0\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        struct console *console = NULL;
        json_t *result = NULL, *row = NULL;
        int rc = parse_one(&page, argc, argv, &id, &is_end);
        if (is_end || rc != EX_OK)
                return rc;
        rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK && !console_is_remote(console))
                rc = cli_fail(EX_UNAVAILABLE, "no server is running on that folder");
        if (rc == EX_OK)
                rc = console_do(console, "webhook.test", json_pack("{s:o, s:s}", "cmid", secret_cmid(), "webhook", id),
                                &result);
        if (rc == EX_OK)
                rc = wait_for(console, cli_text(result, "event"), &row);
        if (rc == EX_OK) {
                bool is_good = strcmp(cli_text(row, "state"), "delivered") == 0;
                printf("%s: status %lld %s\n", is_good ? "delivered" : "failed",
                       (long long)json_integer_value(json_object_get(row, "status")), cli_text(row, "answer"));
                rc = is_good ? cli_finish() : EX_UNAVAILABLE;
        }
        json_decref(row);
        json_decref(result);
        console_close(console);
        return rc;
}

int cli_webhook(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"add", "make a webhook", run_add},
                {"list", "show all webhooks", run_list},
                {"remove", "remove a webhook", run_remove},
                {"rotate", "give a webhook a new secret", run_rotate},
                {"test", "send an event to try it", run_test},
                {"deliveries", "what became of events", run_deliveries},
                {"replay", "send events again that were given up", run_replay},
                {"resume", "end a pause or suspension", run_resume},
                {"verify", "check a webhook as its receiver does", webhook_run_verify},
        };

        return cli_group("webhook", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
