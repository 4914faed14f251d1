/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell canned: replies that are written once and used often, shared by everybody. */
#include <stdio.h>
#include <string.h>

#include "cli/canned_import.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/secrets.h"

#define WHICH "which one? (can_...); see: deskbell canned list"

/* "ko=안녕하세요" as texts. EX_OK, or EX_USAGE. */
static int put_texts(json_t *params, const char *const *said)
{
        json_t *texts = json_array();
        for (int i = 0; said[i]; i++) {
                const char *equals = strchr(said[i], '=');
                if (!equals || equals == said[i]) {
                        json_decref(texts);
                        return cli_fail(EX_USAGE, "%s: not LANG=TEXT", said[i]);
                }
                json_array_append_new(texts,
                                      json_pack("{s:o, s:s}", "lang", json_stringn(said[i], (size_t)(equals - said[i])),
                                                "text", equals + 1));
        }
        if (said[0])
                json_object_set_new(params, "texts", texts);
        else
                json_decref(texts);
        return EX_OK;
}

static int run_add(int argc, char **argv)
{
        const char *data = NULL, *name = NULL, *folder = NULL, *texts[CLI_LIST] = {NULL};
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "name", .value = "TEXT", .text = &name, .help = "what people read (needed)"},
                {.name = "text", .value = "LANG=TEXT", .list = texts, .help = "its text in a language; again for more"},
                {.name = "folder", .value = "NAME", .text = &folder, .help = "where it stands; / parts folders"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "canned add SHORTCUT --name NAME --text LANG=TEXT [options]",
                .about = "Makes a canned reply for everybody. {{customer.name|there}} in a text becomes the "
                         "customer's name, or\n\"there\".",
                .examples = "  deskbell canned add hello --name Greeting --text 'en=Hello {{customer.name|there}}' "
                            "--text 'ko=안녕하세요'\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (first == argc || !name || !texts[0])
                return cli_fail(EX_USAGE, "a shortcut, --name and --text are needed; see: deskbell canned add --help");
        json_t *params = json_pack("{s:o, s:s, s:s, s:s*}", "cmid", secret_cmid(), "shortcut", argv[first], "name",
                                   name, "folder", folder);
        int rc = put_texts(params, texts);
        if (rc != EX_OK) {
                json_decref(params);
                return rc;
        }
        rc = console_call(cli_data(data), "canned.add", params, &result);
        return cli_answer_id(rc, json, result, "canned");
}

static void print_row(const json_t *row)
{
        const json_t *lang;
        size_t i;
        printf("%s  %-16s  %s%s%s  used %lld  (", cli_text(row, "canned"), cli_text(row, "shortcut"),
               cli_text(row, "folder"), *cli_text(row, "folder") ? ": " : "", cli_text(row, "name"),
               (long long)json_integer_value(json_object_get(row, "uses")));
        json_array_foreach(json_object_get(row, "langs"), i, lang)
                printf("%s%s", i == 0 ? "" : ", ", json_string_value(lang));
        printf(")\n");
}

static int run_list(int argc, char **argv)
{
        const char *data = NULL, *query = NULL, *folder = NULL, *after = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "query",
                 .value = "WORDS",
                 .text = &query,
                 .help = "words of shortcut, name, folder or text begin so"},
                {.name = "folder", .value = "NAME", .text = &folder, .help = "only of this folder and those in it"},
                {.name = "after", .value = "POSITION", .text = &after, .help = "where the page before ended"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "canned list [options]",
                .about = "Everybody's canned replies by shortcut, 200 at a time.",
                .examples = "  deskbell canned list --query refund\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        int rc = console_call(
                cli_data(data), "canned.list",
                json_pack("{s:s*, s:s*, s:s*, s:i}", "query", query, "folder", folder, "after", after, "limit", 200),
                &result);
        return cli_answer_page(rc, json, result, "rows", print_row, "--after");
}

static void print_whole(const json_t *result)
{
        const json_t *text;
        size_t i;
        print_row(json_object_get(result, "row"));
        json_array_foreach(json_object_get(result, "texts"), i, text)
                printf("%s: %s\n", cli_text(text, "lang"), cli_text(text, "text"));
}

static int run_show(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "canned show CANNED [options]",
                .about = "A canned reply with its texts.",
                .examples = "  deskbell canned show can_0000000000001\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int rc, first = cli_parse_named(&page, argc, argv, WHICH, &rc);
        if (first < 0)
                return rc;
        rc = console_call(cli_data(data), "canned.get", json_pack("{s:s}", "canned", argv[first]), &result);
        return cli_answer(rc, json, result, print_whole);
}

static int run_remove(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "canned remove CANNED [options]",
                .about = "Removes a canned reply.",
                .examples = "  deskbell canned remove can_0000000000001\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = cli_parse_named(&page, argc, argv, WHICH, &rc);
        if (first < 0)
                return rc;
        return console_call(cli_data(data), "canned.remove",
                            json_pack("{s:o, s:s}", "cmid", secret_cmid(), "canned", argv[first]), NULL);
}

int cli_canned(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"add", "make one", run_add},
                {"list", "those there are", run_list},
                {"show", "one with its texts", run_show},
                {"remove", "remove one", run_remove},
                {"import", "take many from a file", canned_run_import},
        };

        return cli_group("canned", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
