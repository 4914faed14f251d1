/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell recovery causes, settings: what the workspace says of cases. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/named.h"
#include "cli/recovery.h"
#include "cli/secrets.h"

/* ---- causes ---- */

static void print_cause(const json_t *row)
{
        printf("%s%s\n", cli_text(row, "cause"), json_is_true(json_object_get(row, "built_in")) ? "" : "  (own)");
}

static int print_causes(const char *data, bool json)
{
        json_t *result = NULL;
        int rc = console_call(cli_data(data), "recovery.cause_list", NULL, &result);
        return cli_answer_rows(rc, json, result, "causes", print_cause);
}

int recovery_run_causes(int argc, char **argv)
{
        const char *data = NULL, *add = NULL, *gone = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "add", .value = "WORD", .text = &add, .help = "add one: small letters, digits and _"},
                {.name = "remove", .value = "WORD", .text = &gone, .help = "remove one; cases keep it"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "recovery causes [options]",
                .about = "The words for what was the matter.",
                .examples = "  deskbell recovery causes\n  deskbell recovery causes --add courier\n",
                CLI_OPTIONS(options),
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (add && gone)
                return cli_fail(EX_USAGE, "either --add or --remove");
        if (!add && !gone)
                return print_causes(data, json);
        return console_call(cli_data(data), add ? "recovery.cause_add" : "recovery.cause_remove",
                            json_pack("{s:o, s:s}", "cmid", secret_cmid(), "cause", add ? add : gone), NULL);
}

/* ---- settings ---- */

struct said {
        const char *csat, *nps, *ces, *contact, *fix, *again, *hours, *tick;
        const char *tiers[CLI_LIST + 1];
};

/* A whole number, perhaps -1. False: it is none, and that was said. */
static bool put_number(json_t *settings, const char *member, const char *option, const char *text, long long unit)
{
        char *end = NULL;
        long long value = text ? strtoll(text, &end, 10) : 0;
        if (!text)
                return true;
        if (!*text || *end || value < -1 || value > 1000000) {
                cli_fail(EX_USAGE, "--%s: a whole number", option);
                return false;
        }
        json_object_set_new(settings, member, json_integer(value * unit));
        return true;
}

static bool put_switch(json_t *settings, const char *member, const char *option, const char *text)
{
        if (!text)
                return true;
        if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0) {
                cli_fail(EX_USAGE, "--%s: yes or no", option);
                return false;
        }
        json_object_set_new(settings, member, json_boolean(strcmp(text, "yes") == 0));
        return true;
}

static bool put_all(json_t *settings, const struct said *said)
{
        const long long hour_ms = 3600000;
        bool is_fine = put_number(settings, "csat_low", "csat", said->csat, 1) &&
                       put_number(settings, "nps_low", "nps", said->nps, 1) &&
                       put_number(settings, "ces_low", "ces", said->ces, 1) &&
                       put_number(settings, "contact_ms", "contact-hours", said->contact, hour_ms) &&
                       put_number(settings, "fix_ms", "fix-hours", said->fix, hour_ms) &&
                       put_number(settings, "resurvey_ms", "ask-again-days", said->again, 24 * hour_ms) &&
                       put_switch(settings, "business_hours", "business-hours", said->hours) &&
                       put_switch(settings, "contact_tick", "tick", said->tick);
        if (is_fine && said->tiers[0] && strcmp(said->tiers[0], "none") == 0)
                json_object_set_new(settings, "tiers", json_array());
        else if (is_fine && said->tiers[0])
                json_object_set_new(settings, "tiers", named_list(said->tiers));
        return is_fine;
}

static long long number(const json_t *row, const char *member)
{
        return (long long)json_integer_value(json_object_get(row, member));
}

static void print_settings(const json_t *set)
{
        const long long hour_ms = 3600000;
        json_t *tier;
        size_t i;
        printf("csat            %lld of 5 or less (0 = never)\n", number(set, "csat_low"));
        printf("nps             %lld or less (-1 = never)\n", number(set, "nps_low"));
        printf("ces             %lld of 7 or less (0 = never)\n", number(set, "ces_low"));
        printf("tick            %s\n", json_is_true(json_object_get(set, "contact_tick")) ? "yes" : "no");
        printf("contact-hours   %lld\n", number(set, "contact_ms") / hour_ms);
        printf("fix-hours       %lld\n", number(set, "fix_ms") / hour_ms);
        printf("business-hours  %s\n", json_is_true(json_object_get(set, "business_hours")) ? "yes" : "no");
        printf("ask-again-days  %lld (0 = never)\n", number(set, "resurvey_ms") / (24 * hour_ms));
        printf("tiers          ");
        json_array_foreach(json_object_get(set, "tiers"), i, tier)
                printf(" %s", json_string_value(tier));
        printf("%s\n", json_array_size(json_object_get(set, "tiers")) ? "" : " none");
}

int recovery_run_settings(int argc, char **argv)
{
        const char *data = NULL;
        struct said said = {0};
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "csat",
                 .value = "N",
                 .text = &said.csat,
                 .help = "a satisfaction of that or less, of five; 0 = none"},
                {.name = "nps", .value = "N", .text = &said.nps, .help = "a recommendation of that or less; -1 = none"},
                {.name = "ces", .value = "N", .text = &said.ces, .help = "an ease of that or less, of seven; 0 = none"},
                {.name = "tick",
                 .value = "yes|no",
                 .text = &said.tick,
                 .help = "the tick 'please contact me' opens one"},
                {.name = "tiers",
                 .value = "WORD",
                 .list = said.tiers,
                 .help = "tiers whose missed targets open one; none"},
                {.name = "contact-hours", .value = "N", .text = &said.contact, .help = "time to speak to the customer"},
                {.name = "fix-hours", .value = "N", .text = &said.fix, .help = "time to fix it or to take it on"},
                {.name = "business-hours",
                 .value = "yes|no",
                 .text = &said.hours,
                 .help = "both count the team's opening hours"},
                {.name = "ask-again-days", .value = "N", .text = &said.again, .help = "after `recovered`; 0 = never"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "recovery settings [options]",
                .about = "Shows when a case is opened and its deadlines; with options, changes them for cases to come.",
                .examples = "  deskbell recovery settings\n"
                            "  deskbell recovery settings --csat 3 --contact-hours 8 --tiers gold\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL, *settings = json_object();
        int first = cli_parse(&page, argc, argv), rc = EX_OK;
        if (first < 0)
                rc = cli_parsed(first);
        else if (!put_all(settings, &said))
                rc = EX_USAGE;
        else if (json_object_size(settings) > 0)
                rc = console_call(cli_data(data), "recovery.settings_set",
                                  json_pack("{s:o, s:O}", "cmid", secret_cmid(), "settings", settings), NULL);
        else if ((rc = console_call(cli_data(data), "recovery.settings", NULL, &result)) == EX_OK && json)
                rc = cli_print(json_incref(json_object_get(result, "settings")));
        else if (rc == EX_OK)
                print_settings(json_object_get(result, "settings"));
        json_decref(settings);
        json_decref(result);
        return rc == EX_OK && first >= 0 ? cli_finish() : rc;
}
