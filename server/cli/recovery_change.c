/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell recovery assign, contact, action, done, cause, compensate, resolve, reopen: what is done in a case. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/named.h"
#include "cli/recovery.h"
#include "cli/secrets.h"

enum { ACTIONS_MOST = 50 };

/* The case as it is now, then the change, under its version. Takes params. An agent named by `who` is found first and
 * put in as the owner. */
static int change(const char *data, const char *id, const char *who, const char *method, json_t *params)
{
        struct console *console = NULL;
        json_t *shown = NULL, *result = NULL;
        char agent[FOLDER_ID];
        int rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK && who)
                rc = named_find(console, NAMED_AGENT, who, agent);
        if (rc == EX_OK && who)
                json_object_set_new(params, "owner", json_string(agent));
        if (rc == EX_OK)
                rc = console_do(console, "recovery.get", json_pack("{s:s}", "recovery", id), &shown);
        if (rc == EX_OK) {
                json_object_set_new(params, "cmid", secret_cmid());
                json_object_set_new(params, "recovery", json_string(id));
                json_object_set(params, "version", json_object_get(json_object_get(shown, "row"), "version"));
                rc = console_do(console, method, json_incref(params), &result);
        }
        if (rc == EX_OK && json_object_get(result, "action"))
                printf("%lld\n", (long long)json_integer_value(json_object_get(result, "action")));
        console_close(console);
        json_decref(params);
        json_decref(shown);
        json_decref(result);
        return rc == EX_OK ? cli_finish() : rc;
}

/* Index of the first free argument when there are `wanted` of them; else -1 with the exit code. */
static int parse(const struct cli_page *page, int argc, char **argv, int wanted, int *out_rc)
{
        int first = cli_parse(page, argc, argv);
        *out_rc = first < 0 ? cli_parsed(first) : EX_OK;
        if (first >= 0 && argc - first != wanted) {
                *out_rc = cli_fail(EX_USAGE, "usage: deskbell %s", page->usage);
                return -1;
        }
        return first;
}

#define NOTE(variable)                                                                                                 \
        {                                                                                                              \
                .name = "note", .value = "TEXT", .text = &(variable), .help = "a note for the log"                     \
        }

int recovery_run_assign(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "recovery assign CASE AGENT",
                .about = "Gives a case to an agent, by id or exact name. Never to one whom it is about.",
                .examples = "  deskbell recovery assign rec_01h8x9example0 Bob\n",
                CLI_OPTIONS(options),
                .max_free = 2,
        };
        int rc, first = parse(&page, argc, argv, 2, &rc);
        return first < 0 ? rc : change(data, argv[first], argv[first + 1], "recovery.assign", json_object());
}

int recovery_run_contact(int argc, char **argv)
{
        const char *data = NULL, *channel = "phone", *note = NULL;
        bool missed = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "channel",
                 .value = "WORD",
                 .text = &channel,
                 .help = "chat, phone (default), mail, elsewhere"},
                {.name = "not-reached", .flag = &missed, .help = "it was tried, and nobody was there"},
                NOTE(note),
        };
        const struct cli_page page = {
                .usage = "recovery contact CASE [options]",
                .about = "Somebody has spoken to the customer, or tried to. A message of the owner in the conversation "
                         "counts by\nitself.",
                .examples = "  deskbell recovery contact rec_01h8x9example0 --note 'wants the money back'\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = parse(&page, argc, argv, 1, &rc);
        return first < 0 ? rc
                         : change(data, argv[first], NULL, "recovery.contact",
                                  json_pack("{s:s, s:b, s:s*}", "channel", channel, "reached", !missed, "note", note));
}

/* "2026-12-24" or "2026-12-24T18:00", UTC. -1: neither. */
static json_int_t time_of(const char *text)
{
        struct tm tm = {.tm_hour = 23, .tm_min = 59};
        const char *end = strptime(text, "%Y-%m-%d", &tm);
        if (end && *end == 'T')
                end = strptime(end + 1, "%H:%M", &tm);
        return end && !*end ? (json_int_t)timegm(&tm) * 1000 : -1;
}

int recovery_run_action(int argc, char **argv)
{
        const char *data = NULL, *who = NULL, *due = NULL;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "owner", .value = "AGENT", .text = &who, .help = "who; default the owner of the case"},
                {.name = "due",
                 .value = "DATE",
                 .text = &due,
                 .help = "until when, such as 2026-12-24 or 2026-12-24T18:00, UTC"},
        };
        const struct cli_page page = {
                .usage = "recovery action CASE TEXT [options]",
                .about = "Something is to be done; prints its number. With a date the case is taken on.",
                .examples =
                        "  deskbell recovery action rec_01h8x9example0 'send a new one' --owner Bob --due 2026-12-24\n",
                CLI_OPTIONS(options),
                .max_free = 2,
        };
        int rc, first = parse(&page, argc, argv, 2, &rc);
        if (first < 0)
                return rc;
        json_int_t due_ms = due ? time_of(due) : 0;
        if (due_ms < 0)
                return cli_fail(EX_USAGE, "--due: a date such as 2026-12-24 or 2026-12-24T18:00");
        json_t *params = json_pack("{s:s}", "text", argv[first + 1]);
        if (due)
                json_object_set_new(params, "due", json_integer(due_ms));
        return change(data, argv[first], who, "recovery.action_add", params);
}

int recovery_run_done(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "recovery done CASE NUMBER",
                .about = "An action was done.",
                .examples = "  deskbell recovery done rec_01h8x9example0 1\n",
                CLI_OPTIONS(options),
                .max_free = 2,
        };
        long long action = 0;
        int rc, first = parse(&page, argc, argv, 2, &rc);
        if (first < 0)
                return rc;
        if (named_number("NUMBER", argv[first + 1], ACTIONS_MOST, &action) != EX_OK)
                return EX_USAGE;
        return change(data, argv[first], NULL, "recovery.action_done",
                      json_pack("{s:I}", "action", (json_int_t)action));
}

int recovery_run_cause(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "recovery cause CASE CAUSE",
                .about = "Says what was the matter: a word of `deskbell recovery causes`.",
                .examples = "  deskbell recovery cause rec_01h8x9example0 delivery\n",
                CLI_OPTIONS(options),
                .max_free = 2,
        };
        int rc, first = parse(&page, argc, argv, 2, &rc);
        return first < 0 ? rc
                         : change(data, argv[first], NULL, "recovery.cause",
                                  json_pack("{s:s}", "cause", argv[first + 1]));
}

int recovery_run_compensate(int argc, char **argv)
{
        const char *data = NULL, *gave = "refund", *amount = NULL, *currency = NULL, *note = NULL;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "what", .value = "WORD", .text = &gave, .help = "refund (default), voucher, goods, ..."},
                {.name = "amount", .value = "N", .text = &amount, .help = "in the smallest unit: 1500 are 15.00 EUR"},
                {.name = "currency", .value = "CODE", .text = &currency, .help = "ISO 4217, such as EUR"},
                NOTE(note),
        };
        const struct cli_page page = {
                .usage = "recovery compensate CASE --amount N --currency CODE [options]",
                .about = "The customer was given something.",
                .examples = "  deskbell recovery compensate rec_01h8x9example0 --what voucher --amount 1500 --currency "
                            "EUR\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        long long value = 0;
        int rc, first = parse(&page, argc, argv, 1, &rc);
        if (first < 0)
                return rc;
        if (!amount || !currency)
                return cli_fail(EX_USAGE, "--amount and --currency are needed");
        if (named_number("amount", amount, 1LL << 50, &value) != EX_OK)
                return EX_USAGE;
        return change(data, argv[first], NULL, "recovery.compensate",
                      json_pack("{s:s, s:I, s:s, s:s*}", "gave", gave, "amount", (json_int_t)value, "currency",
                                currency, "note", note));
}

int recovery_run_resolve(int argc, char **argv)
{
        const char *data = NULL, *note = NULL;
        const struct cli_option options[] = {CLI_DATA(data), NOTE(note)};
        const struct cli_page page = {
                .usage = "recovery resolve CASE recovered|not_recovered|unreachable|declined [options]",
                .about = "It is over. A recovered customer is asked again after some days.",
                .examples = "  deskbell recovery resolve rec_01h8x9example0 recovered\n",
                CLI_OPTIONS(options),
                .max_free = 2,
        };
        int rc, first = parse(&page, argc, argv, 2, &rc);
        return first < 0 ? rc
                         : change(data, argv[first], NULL, "recovery.resolve",
                                  json_pack("{s:s, s:s*}", "outcome", argv[first + 1], "note", note));
}

int recovery_run_reopen(int argc, char **argv)
{
        const char *data = NULL, *note = NULL;
        const struct cli_option options[] = {CLI_DATA(data), NOTE(note)};
        const struct cli_page page = {
                .usage = "recovery reopen CASE [options]",
                .about = "It is not over after all; its deadlines begin anew.",
                .examples = "  deskbell recovery reopen rec_01h8x9example0 --note 'he called again'\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = parse(&page, argc, argv, 1, &rc);
        return first < 0 ? rc : change(data, argv[first], NULL, "recovery.reopen", json_pack("{s:s*}", "note", note));
}
