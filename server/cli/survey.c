/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell survey: what customers are asked, and what they answered. */
#include "cli/survey.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/secrets.h"

const struct listed survey_listed = {.method = "survey.list", .list = "surveys", .id = "survey", .what = "survey"};

static int run_add(int argc, char **argv)
{
        struct survey_said said = {0};
        struct cli_option options[SURVEY_OPTIONS];
        const struct cli_page page = {
                .usage = "survey add --name NAME [options]",
                .about = "Makes a survey and prints its id. One line is enough: the words are there in English, "
                         "Korean, Chinese and Japanese.\n"
                         "Further questions need a file; what it may say: docs/surveys.md.",
                .examples =
                        "  deskbell survey add --name Satisfaction\n"
                        "  deskbell survey add --name Loyalty --metric nps --days-after 30 --brand 'Acorn Shop'\n"
                        "  deskbell survey add --name Gold --style emoji --when 'customer.tier = gold' --contact \\\n"
                        "          --question 'en=How did we do?' --question 'ko=저희가 잘 도와드렸나요?'\n"
                        "  deskbell survey add --file delivery.json\n",
                .options = options,
                .count = survey_options(&said, options),
        };
        json_t *form = NULL, *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        int rc = survey_form_of(&said, NULL, &form);
        if (rc == EX_OK)
                rc = console_call(cli_data(said.data), "survey.add",
                                  json_pack("{s:o, s:o}", "cmid", secret_cmid(), "form", form), &result);
        return cli_answer_id(rc, said.json, result, "survey");
}

/* The survey of that name or id, whole. An exit code; *out_result is the caller's. */
static int get(struct console *console, const char *name, const char *version, json_t **out_result)
{
        json_t *row = NULL;
        int rc = listed_find(console, &survey_listed, name, &row);
        json_t *params = json_pack("{s:O*}", "survey", json_object_get(row, "survey"));
        if (version)
                json_object_set_new(params, "version", json_integer(strtoll(version, NULL, 10)));
        rc = rc == EX_OK ? console_do(console, "survey.get", json_incref(params), out_result) : rc;
        json_decref(params);
        json_decref(row);
        return rc;
}

static int set(struct console *console, const struct survey_said *said, const char *name, json_t **out_result)
{
        json_t *now = NULL, *form = NULL;
        int rc = get(console, name, NULL, &now);
        if (rc == EX_OK)
                rc = survey_form_of(said, json_object_get(json_object_get(now, "form"), "texts"), &form);
        if (rc == EX_OK)
                rc = console_do(console, "survey.set",
                                json_pack("{s:o, s:O, s:O, s:o}", "cmid", secret_cmid(), "survey",
                                          json_object_get(now, "survey"), "version", json_object_get(now, "newest"),
                                          "form", form),
                                out_result);
        json_decref(now);
        return rc;
}

static int run_set(int argc, char **argv)
{
        struct survey_said said = {0};
        struct cli_option options[SURVEY_OPTIONS];
        const struct cli_page page = {
                .usage = "survey set SURVEY [options]",
                .about = "Changes a survey: makes its next version, whose number is printed. What was shown and "
                         "answered stays\n"
                         "as it was; metric and scale never change.",
                .examples = "  deskbell survey set Satisfaction --sample 50 --remind 24\n"
                            "  deskbell survey set Satisfaction --disable\n",
                .options = options,
                .count = survey_options(&said, options),
                .max_free = 1,
        };
        struct console *console = NULL;
        json_t *result = NULL;
        int rc, first = listed_parse(&survey_listed, &page, argc, argv, &rc);
        if (first < 0)
                return rc;
        rc = console_open(cli_data(said.data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = set(console, &said, argv[first], &result);
        console_close(console);
        if (rc == EX_OK && said.json)
                rc = cli_print(json_incref(result));
        else if (rc == EX_OK)
                rc = printf("version %lld\n", (long long)json_integer_value(json_object_get(result, "version"))) > 0
                             ? cli_finish()
                             : EX_IOERR;
        json_decref(result);
        return rc;
}

static int run_list(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "survey list [options]",
                .about = "All surveys.",
                .examples = "  deskbell survey list\n",
                CLI_OPTIONS(options),
        };
        int first = cli_parse(&page, argc, argv);
        return first < 0 ? cli_parsed(first) : listed_answer_all(data, &survey_listed, json, survey_print_row);
}

static int run_show(int argc, char **argv)
{
        const char *data = NULL, *version = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "version", .value = "N", .text = &version, .help = "as that version was; default the newest"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "survey show SURVEY [options]",
                .about = "A survey with all that it asks. --json prints what survey add --file and set --file read.",
                .examples = "  deskbell survey show Satisfaction\n"
                            "  deskbell survey show Satisfaction --json > satisfaction.json\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        struct console *console = NULL;
        json_t *result = NULL;
        int rc, first = listed_parse(&survey_listed, &page, argc, argv, &rc);
        if (first < 0)
                return rc;
        rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = get(console, argv[first], version, &result);
        console_close(console);
        return cli_answer(rc, json, result, survey_print_form);
}

/* The newest version of it: nobody has changed it in between. */
static int remove_newest(const char *data, const char *name)
{
        struct console *console = NULL;
        json_t *row = NULL;
        int rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = listed_find(console, &survey_listed, name, &row);
        if (rc == EX_OK)
                rc = console_do(console, "survey.remove",
                                json_pack("{s:o, s:O, s:O}", "cmid", secret_cmid(), "survey",
                                          json_object_get(row, "survey"), "version", json_object_get(row, "version")),
                                NULL);
        console_close(console);
        json_decref(row);
        return rc;
}

static int run_remove(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "survey remove SURVEY [options]",
                .about = "It is never asked again. What was answered stays in the numbers.",
                .examples = "  deskbell survey remove Satisfaction\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = listed_parse(&survey_listed, &page, argc, argv, &rc);
        return first < 0 ? rc : remove_newest(data, argv[first]);
}

static int run_preview(int argc, char **argv)
{
        const char *data = NULL, *lang = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "lang", .value = "LANG", .text = &lang, .help = "of the customer; default the survey's own"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "survey preview SURVEY [options]",
                .about = "What a customer of that language is shown.",
                .examples = "  deskbell survey preview Satisfaction --lang ko-KR\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int rc, first = listed_parse(&survey_listed, &page, argc, argv, &rc);
        if (first < 0)
                return rc;
        rc = listed_call(data, &survey_listed, argv[first], "survey.preview", json_pack("{s:s*}", "lang", lang),
                         &result);
        return cli_answer(rc, json, result, survey_print_preview);
}

int cli_survey(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"add", "make a survey", run_add},
                {"set", "change a survey", run_set},
                {"list", "show all surveys", run_list},
                {"show", "show one survey", run_show},
                {"preview", "what a customer is shown", run_preview},
                {"remove", "never ask it again", run_remove},
                {"offer", "ask a customer now", survey_run_offer},
                {"withdraw", "take an asking back", survey_run_withdraw},
                {"link", "the address for answering without the app", survey_run_link},
                {"offers", "who was asked, and who was not and why", survey_run_offers},
                {"answers", "what customers answered", survey_run_answers},
        };
        return cli_group("survey", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
