/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell bot export: a bot in another form. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bot.h"
#include "cli/bot_sources.h"
#include "cli/cli.h"

/* RFC 4180. */
static void put_field(const char *text, char end)
{
        putchar('"');
        for (; *text; text++) {
                if (*text == '"')
                        putchar('"');
                putchar(*text);
        }
        putchar('"');
        putchar(end);
}

/* A row for each example: question, answer, language. */
static void export_csv(const json_t *bot)
{
        const char *name, *lang;
        json_t *faq, *texts, *example;
        size_t i;
        puts("question,answer,lang");
        json_object_foreach(json_object_get(bot, "faqs"), name, faq) {
                json_object_foreach(json_object_get(faq, "texts"), lang, texts) {
                        const char *answer = json_string_value(json_array_get(json_object_get(texts, "answers"), 0));
                        json_array_foreach(json_object_get(texts, "examples"), i, example) {
                                put_field(json_string_value(example), ',');
                                put_field(answer ? answer : "", ',');
                                put_field(lang, '\n');
                        }
                }
        }
}

static int export_form(const json_t *bot, const char *form)
{
        if (strcmp(form, "csv") == 0) {
                export_csv(bot);
                return EX_OK;
        }
        if (strcmp(form, "json") == 0) {
                char *canonical = bot_canonical(bot);
                if (!canonical)
                        return cli_fail(EX_OSERR, "out of memory");
                puts(canonical);
                free(canonical);
                return EX_OK;
        }
        if (strcmp(form, "bot") != 0)
                return cli_fail(EX_USAGE, "--form is bot, json or csv");
        struct writer out;
        writer_init(&out, NULL, 0);
        bot_source_write(bot, &out);
        int rc = out.failed ? cli_fail(EX_OSERR, "out of memory") : EX_OK;
        if (rc == EX_OK)
                fwrite(out.bytes, 1, out.len, stdout);
        writer_done(&out);
        return rc;
}

static int export_paths(char *const *paths, const char *form)
{
        json_t *bot = NULL;
        int rc = bot_object_of(paths, &bot);
        if (rc == EX_OK)
                rc = export_form(bot, form);
        json_decref(bot);
        return rc;
}

int bot_run_export(int argc, char **argv)
{
        const char *form = "bot";
        const struct cli_option options[] = {
                {.name = "form", .value = "FORM", .text = &form, .help = "bot, json (canonical) or csv; default bot"},
        };
        const struct cli_page page = {
                .usage = "bot export [options] FILE...",
                .about = "A bot on standard output: as one .bot file, as its canonical JSON, or its questions and "
                         "answers as CSV.",
                .examples = "  deskbell bot export shop/ --form json > shop.json\n",
                CLI_OPTIONS(options),
                .max_free = 200,
        };
        int rc, first = cli_parse_named(&page, argc, argv, "which files? see: deskbell bot export --help", &rc);
        if (first < 0)
                return rc;
        rc = export_paths(argv + first, form);
        return rc == EX_OK ? cli_finish() : rc;
}
