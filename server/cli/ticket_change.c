/* SPDX-License-Identifier: Apache-2.0 */
/* Changing a ticket from a script. A change says the version it was made for: --version, else the one the ticket has a
 * moment before. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/console.h"
#include "cli/named.h"
#include "cli/secrets.h"
#include "cli/ticket.h"
#include "ops/clock.h"

/* One run of a subcommand that changes a ticket. */
struct change {
        const char *data, *version;
        bool json;
        struct console *console;
        json_t *ticket; /* as it is */
        json_t *params; /* begun with its id and version */
};

#define CHANGE_VERSION(change)                                                                                         \
        {                                                                                                              \
                .name = "version", .value = "N", .text = &(change).version,                                            \
                .help = "only if it is at this version; default: whatever it is at"                                    \
        }

static int begin(struct change *change, const char *said)
{
        int rc = console_open(cli_data(change->data), CONSOLE_USE, &change->console);

        if (rc == EX_OK)
                rc = ticket_find(change->console, said, &change->ticket);
        if (rc != EX_OK)
                return rc;
        long long version = json_integer_value(json_object_get(change->ticket, "version"));
        if (change->version && (rc = named_number("version", change->version, INT64_MAX, &version)) != EX_OK)
                return rc;
        change->params = json_pack("{s:o, s:s, s:I}", "cmid", secret_cmid(), "ticket",
                                   cli_text(change->ticket, "ticket"), "version", (json_int_t)version);
        return EX_OK;
}

/* Does it when `rc` is EX_OK, prints what became of the ticket, and ends. */
static int conclude(struct change *change, int rc, const char *method)
{
        json_t *result = NULL, *now = NULL;

        if (rc == EX_OK) {
                rc = console_do(change->console, method, json_incref(change->params), &result);
                if (rc == EX_OK && json_is_true(json_object_get(result, "over")))
                        fprintf(stderr, "deskbell: that agent has more now than his capacity\n");
                const char *id =
                        *cli_text(result, "ticket") ? cli_text(result, "ticket") : cli_text(change->ticket, "ticket");
                if (rc == EX_OK && change->json)
                        rc = cli_print(json_incref(result));
                else if (rc == EX_OK && (rc = ticket_find(change->console, id, &now)) == EX_OK)
                        ticket_print(now);
        }
        console_close(change->console);
        json_decref(change->ticket);
        json_decref(change->params);
        json_decref(result);
        json_decref(now);
        return rc == EX_OK ? cli_finish() : rc;
}

static void put(json_t *params, const char *name, const char *value)
{
        if (value)
                json_object_set_new(params, name, json_string(value));
}

/* ---- set --------------------------------------------------------------------------------------------------------- */

static bool is_among(const char *const *words, const char *word)
{
        for (; *words; words++)
                if (strcmp(*words, word) == 0)
                        return true;
        return false;
}

/* All its tags with those, and without these. */
static json_t *tags_of(const json_t *ticket, const char *const *more, const char *const *less)
{
        json_t *tags = json_array(), *tag;
        size_t i;

        json_array_foreach(json_object_get(ticket, "tags"), i, tag)
                if (!is_among(more, json_string_value(tag)) && !is_among(less, json_string_value(tag)))
                        json_array_append(tags, tag);
        for (; *more; more++)
                json_array_append_new(tags, json_string(*more));
        return tags;
}

/* NULL and printed: one of them has no "=". */
static char *fields_of(const char *const *said)
{
        json_t *fields = json_object();

        for (; *said; said++) {
                const char *equals = strchr(*said, '=');
                char name[80];

                if (!equals || equals == *said || equals - *said >= (long)sizeof(name)) {
                        cli_fail(EX_USAGE, "--field NAME=VALUE; %s is none", *said);
                        json_decref(fields);
                        return NULL;
                }
                snprintf(name, sizeof(name), "%.*s", (int)(equals - *said), *said);
                json_object_set_new(fields, name, equals[1] ? json_string(equals + 1) : json_null());
        }
        char *text = json_dumps(fields, JSON_COMPACT);
        json_decref(fields);
        return text;
}

int ticket_run_set(int argc, char **argv)
{
        struct change change = {0};
        const char *priority = NULL, *subject = NULL, *topic = NULL, *lang = NULL;
        const char *tags[CLI_LIST + 1] = {0}, *untags[CLI_LIST + 1] = {0}, *fields[CLI_LIST + 1] = {0};
        const struct cli_option options[] = {
                CLI_DATA(change.data),
                CHANGE_VERSION(change),
                {.name = "priority", .value = "WORD", .text = &priority, .help = "low, normal, high or urgent"},
                {.name = "subject", .value = "TEXT", .text = &subject, .help = "\"\" for none"},
                {.name = "topic", .value = "WORD", .text = &topic, .help = "\"\" for none"},
                {.name = "lang", .value = "LANG", .text = &lang, .help = "the customer's language, as en"},
                {.name = "tag", .value = "WORD", .list = tags, .help = "one more tag; may be repeated"},
                {.name = "untag", .value = "WORD", .list = untags, .help = "one tag less; may be repeated"},
                {.name = "field",
                 .value = "NAME=VALUE",
                 .list = fields,
                 .help = "a custom field; no value takes it away"},
                CLI_JSON(change.json),
        };
        const struct cli_page page = {
                .usage = "ticket set TICKET [options]",
                .about = "Changes what is said of a ticket, all of it or nothing.",
                .examples = "  deskbell ticket set 12 --priority high --tag refund\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = cli_parse_named(&page, argc, argv, "which ticket? see: deskbell ticket list", &rc);
        if (first < 0)
                return rc;
        char *said = fields[0] ? fields_of(fields) : NULL;
        if (fields[0] && !said)
                return EX_USAGE;

        rc = begin(&change, argv[first]);
        put(change.params, "priority", priority);
        put(change.params, "subject", subject);
        put(change.params, "topic", topic);
        put(change.params, "lang", lang);
        put(change.params, "fields", said);
        if (rc == EX_OK && (tags[0] || untags[0]))
                json_object_set_new(change.params, "tags", tags_of(change.ticket, tags, untags));
        free(said);
        return conclude(&change, rc, "ticket.set");
}

/* ---- assign, move ------------------------------------------------------------------------------------------------ */

int ticket_run_assign(int argc, char **argv)
{
        struct change change = {0};
        const char *team = NULL, *agent = NULL, *note = NULL;
        bool nobody = false, no_team = false;
        const struct cli_option options[] = {
                CLI_DATA(change.data),
                CHANGE_VERSION(change),
                {.name = "team", .value = "TEAM", .text = &team, .help = "name or tea_..."},
                {.name = "agent", .value = "AGENT", .text = &agent, .help = "name, address or agt_..."},
                {.name = "nobody", .flag = &nobody, .help = "it waits for somebody to take it"},
                {.name = "no-team", .flag = &no_team, .help = "it has no team any more"},
                {.name = "note", .value = "TEXT", .text = &note, .help = "for whoever gets it"},
                CLI_JSON(change.json),
        };
        const struct cli_page page = {
                .usage = "ticket assign TICKET [--team TEAM] [--agent AGENT] [options]",
                .about = "Gives a ticket to a team, to an agent, or back to the queue.",
                .examples = "  deskbell ticket assign 12 --team Orders --nobody --note 'needs an invoice'\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        char id[FOLDER_ID];
        int rc, first = cli_parse_named(&page, argc, argv, "which ticket? see: deskbell ticket list", &rc);
        if (first < 0)
                return rc;

        rc = begin(&change, argv[first]);
        if (rc == EX_OK && team && (rc = named_find(change.console, NAMED_TEAM, team, id)) == EX_OK)
                put(change.params, "team", id);
        if (rc == EX_OK && agent && (rc = named_find(change.console, NAMED_AGENT, agent, id)) == EX_OK)
                put(change.params, "assignee", id);
        if (nobody && change.params)
                json_object_set_new(change.params, "nobody", json_true());
        if (no_team && change.params)
                json_object_set_new(change.params, "no_team", json_true());
        put(change.params, "note", note);
        return conclude(&change, rc, "ticket.assign");
}

/* "2h" from now, in ms since 1970; -1: not understood. */
static json_int_t take_until(const char *text)
{
        char *unit;
        long long count = strtoll(text, &unit, 10);
        long long size_s = *unit == 's' ? 1 : *unit == 'm' ? 60 : *unit == 'h' ? 3600 : *unit == 'd' ? 86400 : 0;

        if (unit == text || !size_s || unit[1] || count < 1 || count > 366LL * 86400 / size_s)
                return -1;
        return clock_wall_ms() + count * size_s * 1000;
}

int ticket_run_move(int argc, char **argv)
{
        struct change change = {0};
        const char *until = NULL, *reason = NULL, *why = NULL;
        bool ask = false;
        const struct cli_option options[] = {
                CLI_DATA(change.data),
                CHANGE_VERSION(change),
                {.name = "ask", .flag = &ask, .help = "solved: the customer is asked first"},
                {.name = "until",
                 .value = "TIME",
                 .text = &until,
                 .help = "snoozed: 30m, 2h or 3d; default the next reply"},
                {.name = "reason", .value = "WORD", .text = &reason, .help = "closed: why, as spam"},
                {.name = "why", .value = "TEXT", .text = &why, .help = "for the log"},
                CLI_JSON(change.json),
        };
        const struct cli_page page = {
                .usage = "ticket move TICKET STATUS [options]",
                .about = "Moves a ticket along its life: open, waiting, on_hold, snoozed, solved or closed.",
                .examples = "  deskbell ticket move 12 snoozed --until 2h\n"
                            "  deskbell ticket move 12 closed --reason spam\n",
                CLI_OPTIONS(options),
                .max_free = 2,
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (argc - first < 2)
                return cli_fail(EX_USAGE, "which ticket, and where? see: deskbell ticket move --help");
        json_int_t until_ms = until ? take_until(until) : 0;
        if (until_ms < 0)
                return cli_fail(EX_USAGE, "--until 30m, 2h or 3d");

        int rc = begin(&change, argv[first]);
        put(change.params, "to", argv[first + 1]);
        put(change.params, "reason", reason);
        put(change.params, "why", why);
        if (until_ms && change.params)
                json_object_set_new(change.params, "until", json_integer(until_ms));
        if (ask && change.params)
                json_object_set_new(change.params, "ask", json_true());
        return conclude(&change, rc, "ticket.move");
}

/* ---- merge, split ------------------------------------------------------------------------------------------------ */

int ticket_run_merge(int argc, char **argv)
{
        struct change change = {0};
        const struct cli_option options[] = {CLI_DATA(change.data), CHANGE_VERSION(change), CLI_JSON(change.json)};
        const struct cli_page page = {
                .usage = "ticket merge TICKET INTO [options]",
                .about = "The first one goes on in the second one, of the same customer, and is closed.",
                .examples = "  deskbell ticket merge 12 7\n",
                CLI_OPTIONS(options),
                .max_free = 2,
        };
        json_t *into = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (argc - first < 2)
                return cli_fail(EX_USAGE, "which ticket, and into which? see: deskbell ticket merge --help");

        int rc = begin(&change, argv[first]);
        if (rc == EX_OK && (rc = ticket_find(change.console, argv[first + 1], &into)) == EX_OK)
                put(change.params, "into", cli_text(into, "ticket"));
        json_decref(into);
        return conclude(&change, rc, "ticket.merge");
}

int ticket_run_split(int argc, char **argv)
{
        struct change change = {0};
        const char *subject = NULL, *seqs[CLI_LIST + 1] = {0};
        const struct cli_option options[] = {
                CLI_DATA(change.data),
                CHANGE_VERSION(change),
                {.name = "seq", .value = "N", .list = seqs, .help = "a message that goes; may be repeated"},
                {.name = "subject", .value = "TEXT", .text = &subject, .help = "what the new one is about"},
                CLI_JSON(change.json),
        };
        const struct cli_page page = {
                .usage = "ticket split TICKET --seq N [--seq N ...] [options]",
                .about = "Some of its messages become a ticket of their own.",
                .examples = "  deskbell ticket split 12 --seq 3 --seq 4 --subject 'the second lamp'\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (first == argc || !seqs[0])
                return cli_fail(EX_USAGE, "which ticket, and which messages (--seq)?");

        json_t *list = json_array();
        int rc = EX_OK;
        for (size_t i = 0; rc == EX_OK && seqs[i]; i++) {
                long long seq = 0;
                rc = named_number("seq", seqs[i], INT64_MAX, &seq);
                json_array_append_new(list, json_integer(seq));
        }
        if (rc == EX_OK)
                rc = begin(&change, argv[first]);
        put(change.params, "subject", subject);
        if (rc == EX_OK)
                json_object_set(change.params, "seqs", list);
        json_decref(list);
        return conclude(&change, rc, "ticket.split");
}
