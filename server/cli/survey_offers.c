/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell survey offer, withdraw, link, offers, answers: the asking. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/named.h"
#include "cli/secrets.h"
#include "cli/survey.h"

/* What has become of an offer. */
static void print_state(const json_t *result)
{
        const char *reason = cli_text(result, "reason");
        printf("%s  %s%s%s\n", cli_text(result, "offer"), cli_text(result, "state"), *reason ? ": " : "", reason);
}

int survey_run_offer(int argc, char **argv)
{
        const char *data = NULL, *survey = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "survey", .value = "SURVEY", .text = &survey, .help = "which; default the one that fits"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "survey offer TICKET|CONVERSATION [options]",
                .about = "Asks the customer now, and prints the asking's id and state. When something stands in the "
                         "way the state\nis refused, and why.",
                .examples = "  deskbell survey offer tkt_01h8x9example0\n"
                            "  deskbell survey offer cnv_01h8x9example0 --survey Loyalty\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int rc, first = cli_parse_named(&page, argc, argv, "about which ticket (tkt_...) or conversation (cnv_...)?",
                                        &rc);
        if (first < 0)
                return rc;
        const char *what = strncmp(argv[first], "cnv_", 4) == 0 ? "conv" : "ticket";
        rc = console_call(cli_data(data), "survey.offer",
                          json_pack("{s:o, s:s, s:s*}", "cmid", secret_cmid(), what, argv[first], "survey", survey),
                          &result);
        return cli_answer(rc, json, result, print_state);
}

int survey_run_withdraw(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "survey withdraw OFFER [options]",
                .about = "Takes back what is planned or waits for an answer: the customer sees that it has ended, "
                         "and it counts nowhere.",
                .examples = "  deskbell survey withdraw off_01h8x9example0\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int rc, first = cli_parse_named(&page, argc, argv, "which asking? See: deskbell survey offers", &rc);
        if (first < 0)
                return rc;
        rc = console_call(cli_data(data), "survey.withdraw",
                          json_pack("{s:o, s:s}", "cmid", secret_cmid(), "offer", argv[first]), &result);
        return cli_answer(rc, json, result, print_state);
}

int survey_run_link(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "survey link OFFER [options]",
                .about = "The path of the page on which the customer can answer without the app, as from an e-mail. "
                         "Put https://\nand the server's name before it. Whoever has it can answer; it ends with the "
                         "offer.",
                .examples = "  deskbell survey link off_01h8x9example0\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int rc, first = cli_parse_named(&page, argc, argv, "which asking? See: deskbell survey offers", &rc);
        if (first < 0)
                return rc;
        rc = console_call(cli_data(data), "survey.link", json_pack("{s:s}", "offer", argv[first]), &result);
        return cli_answer_id(rc, json, result, "path");
}

/* ---- lists ---- */

struct wanted {
        const char *data, *survey, *days, *limit, *before;     /* both */
        const char *ticket, *conv, *customer, *state;          /* offers */
        const char *metric, *min, *max, *agent, *team, *query; /* answers */
        bool commented, json;
};

#define LIST_OPTIONS(wanted)                                                                                           \
        CLI_DATA((wanted).data),                                                                                       \
                {.name = "survey", .value = "SURVEY", .text = &(wanted).survey, .help = "only this one"},              \
                {.name = "days", .value = "N", .text = &(wanted).days, .help = "only of the last so many days"},       \
                {.name = "limit", .value = "N", .text = &(wanted).limit, .help = "rows, up to 200; default 50"},       \
                {.name = "before", .value = "POSITION", .text = &(wanted).before, .help = "where a page ended"},       \
                CLI_JSON((wanted).json)

static int put_number(json_t *params, const char *option, const char *member, const char *text, long long max)
{
        long long number = 0;
        int rc = text ? named_number(option, text, max, &number) : EX_OK;
        if (rc == EX_OK && text)
                json_object_set_new(params, member, json_integer(number));
        return rc;
}

static int put_days(json_t *params, const char *days)
{
        long long number = 0;
        int rc = days ? named_number("days", days, 36500, &number) : EX_OK;
        if (rc == EX_OK && days)
                json_object_set_new(params, "from", json_integer(((json_int_t)time(NULL) - number * 86400) * 1000));
        return rc;
}

/* Names become ids. */
static int put_named(struct console *console, const struct wanted *wanted, json_t *params)
{
        char id[FOLDER_ID];
        json_t *row = NULL;
        int rc = wanted->survey ? listed_find(console, &survey_listed, wanted->survey, &row) : EX_OK;
        if (row)
                json_object_set(params, "survey", json_object_get(row, "survey"));
        json_decref(row);
        if (rc == EX_OK && wanted->agent && (rc = named_find(console, NAMED_AGENT, wanted->agent, id)) == EX_OK)
                json_object_set_new(params, "agent", json_string(id));
        if (rc == EX_OK && wanted->team && (rc = named_find(console, NAMED_TEAM, wanted->team, id)) == EX_OK)
                json_object_set_new(params, "team", json_string(id));
        return rc;
}

static int run_page(const struct wanted *wanted, const char *method, json_t *params)
{
        struct console *console = NULL;
        json_t *result = NULL;
        int rc = params ? EX_OK : cli_fail(EX_DATAERR, "what is said has to be UTF-8");
        if (rc == EX_OK)
                rc = put_number(params, "limit", "limit", wanted->limit, 200);
        if (rc == EX_OK)
                rc = put_number(params, "min", "min_score", wanted->min, 10);
        if (rc == EX_OK)
                rc = put_number(params, "max", "max_score", wanted->max, 10);
        if (rc == EX_OK)
                rc = put_days(params, wanted->days);
        if (rc == EX_OK)
                rc = console_open(cli_data(wanted->data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = put_named(console, wanted, params);
        if (rc == EX_OK)
                rc = console_do(console, method, json_incref(params), &result);
        console_close(console);
        json_decref(params);
        return cli_answer_page(rc, wanted->json, result, "offers", survey_print_offer, "--before");
}

int survey_run_offers(int argc, char **argv)
{
        struct wanted wanted = {0};
        const struct cli_option options[] = {
                {.name = "ticket", .value = "TICKET", .text = &wanted.ticket, .help = "only about this one"},
                {.name = "conv", .value = "CONVERSATION", .text = &wanted.conv, .help = "only in this one"},
                {.name = "customer", .value = "CUSTOMER", .text = &wanted.customer, .help = "only this one (usr_...)"},
                {.name = "state",
                 .value = "STATE",
                 .text = &wanted.state,
                 .help = "planned, waiting, answered, expired, withdrawn, refused"},
                LIST_OPTIONS(wanted),
        };
        const struct cli_page page = {
                .usage = "survey offers [options]",
                .about = "Who was asked, will be, or was not and why, newest first.",
                .examples = "  deskbell survey offers --state refused --days 7\n",
                CLI_OPTIONS(options),
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        return run_page(&wanted, "survey.offers",
                        json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*}", "ticket", wanted.ticket, "conv", wanted.conv,
                                  "customer", wanted.customer, "state", wanted.state, "before", wanted.before));
}

int survey_run_answers(int argc, char **argv)
{
        struct wanted wanted = {0};
        const struct cli_option options[] = {
                {.name = "min", .value = "SCORE", .text = &wanted.min, .help = "a score of that or more"},
                {.name = "max", .value = "SCORE", .text = &wanted.max, .help = "a score of that or less"},
                {.name = "metric", .value = "METRIC", .text = &wanted.metric, .help = "only csat, nps or ces"},
                {.name = "agent", .value = "AGENT", .text = &wanted.agent, .help = "only about this person"},
                {.name = "team", .value = "TEAM", .text = &wanted.team, .help = "only of this team"},
                {.name = "commented", .flag = &wanted.commented, .help = "only with a comment"},
                LIST_OPTIONS(wanted),
        };
        const struct cli_page page = {
                .usage = "survey answers [WORDS] [options]",
                .about = "What customers answered, newest first; with words, whose comment has all of them.",
                .examples = "  deskbell survey answers --max 2 --days 7\n"
                            "  deskbell survey answers 'late delivery' --metric csat\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        json_t *params = json_pack("{s:s*, s:s*, s:s*}", "query", first < argc ? argv[first] : NULL, "metric",
                                   wanted.metric, "before", wanted.before);
        if (params && wanted.commented)
                json_object_set_new(params, "commented", json_true());
        return run_page(&wanted, "survey.answers", params);
}
