/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell canned import: a JSON file with an array of {shortcut, name, folder?, texts: {LANG: TEXT}}. What has a
 * shortcut that is there already is changed, so that the same file may be imported again. */
#include "cli/canned_import.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/console.h"
#include "cli/secrets.h"

/* The texts of a file's entry as the method wants them. NULL: not what is expected. */
static json_t *texts_of(const json_t *entry)
{
        json_t *texts = json_array(), *from = json_object_get(entry, "texts"), *text;
        const char *lang;
        json_object_foreach(from, lang, text) {
                if (!json_is_string(text)) {
                        json_decref(texts);
                        return NULL;
                }
                json_array_append_new(texts, json_pack("{s:s, s:O}", "lang", lang, "text", text));
        }
        if (json_array_size(texts) > 0)
                return texts;
        json_decref(texts);
        return NULL;
}

/* The shared canned reply of that shortcut, borrowed from `known`; NULL: none. */
static json_t *find(json_t *known, const char *shortcut)
{
        return json_object_get(known, shortcut);
}

/* All shared ones by shortcut. */
static int load_known(struct console *console, json_t *known)
{
        json_t *after = NULL;
        int rc = EX_OK;
        for (bool more = true; more && rc == EX_OK;) {
                json_t *result = NULL, *row;
                size_t i;
                json_t *params = json_pack("{s:i}", "limit", 200);
                if (after)
                        json_object_set(params, "after", after);
                rc = console_do(console, "canned.list", params, &result);
                json_array_foreach(json_object_get(result, "rows"), i, row)
                        json_object_set(known, cli_text(row, "shortcut"), row);
                json_decref(after);
                after = json_incref(json_object_get(result, "next"));
                more = after != NULL;
                json_decref(result);
        }
        json_decref(after);
        return rc;
}

static int import_one(struct console *console, json_t *known, const json_t *entry, size_t which, bool *out_added)
{
        const char *shortcut = cli_text(entry, "shortcut"), *name = cli_text(entry, "name");
        json_t *texts = texts_of(entry), *row = find(known, shortcut);
        if (!*shortcut || !*name || !texts) {
                json_decref(texts);
                return cli_fail(EX_DATAERR, "entry %zu: shortcut, name and texts are needed", which + 1);
        }
        const char *folder = cli_text(entry, "folder");
        json_t *params = json_pack("{s:o, s:s, s:s, s:o}", "cmid", secret_cmid(), "shortcut", shortcut, "name", name,
                                   "texts", texts);
        if (*folder)
                json_object_set_new(params, "folder", json_string(folder));
        if (row) {
                json_object_set(params, "canned", json_object_get(row, "canned"));
                json_object_set(params, "version", json_object_get(row, "version"));
        }
        *out_added = !row;
        return console_do(console, row ? "canned.set" : "canned.add", params, NULL);
}

static int import_all(const char *dir, const json_t *list)
{
        struct console *console = NULL;
        json_t *known = json_object(), *entry;
        size_t i, added = 0;
        int rc = console_open(dir, CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = load_known(console, known);
        json_array_foreach(list, i, entry) {
                bool is_added = false;
                if (rc != EX_OK)
                        break;
                rc = import_one(console, known, entry, i, &is_added);
                if (rc != EX_OK)
                        fprintf(stderr, "deskbell: stopped at entry %zu; those before it are in\n", i + 1);
                added += rc == EX_OK && is_added;
        }
        if (rc == EX_OK)
                printf("%zu added, %zu changed\n", added, json_array_size(list) - added);
        console_close(console);
        json_decref(known);
        return rc == EX_OK ? cli_finish() : rc;
}

int canned_run_import(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "canned import FILE [options]",
                .about = "Takes canned replies from a JSON file: an array of {shortcut, name, folder?, texts: {LANG: "
                         "TEXT}}.\nOne whose shortcut is there already is changed. The first language answers for "
                         "those that have no text.",
                .examples = "  deskbell canned import replies.json\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_error_t error;
        int rc, first = cli_parse_named(&page, argc, argv, "which file? see: deskbell canned import --help", &rc);
        if (first < 0)
                return rc;
        json_t *list = json_load_file(argv[first], JSON_REJECT_DUPLICATES, &error);
        if (!list)
                return cli_fail(EX_DATAERR, "%s:%d: %s", argv[first], error.line, error.text);
        rc = json_is_array(list) ? import_all(cli_data(data), list)
                                 : cli_fail(EX_DATAERR, "%s: not a JSON array", argv[first]);
        json_decref(list);
        return rc;
}
