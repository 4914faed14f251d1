/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/listed.h"

#include <stdio.h>
#include <string.h>

/* Of "sla.list": "sla". */
static int command_len(const struct listed *listed)
{
        return (int)strcspn(listed->method, ".");
}

int listed_read(struct console *console, const struct listed *listed, json_t **out_rows)
{
        json_t *rows = json_array();
        int rc = rows ? EX_OK : EX_OSERR;
        for (bool more = true; rc == EX_OK && more;) {
                json_t *result = NULL, *last = json_array_get(rows, json_array_size(rows) - 1);
                json_t *params = last ? json_pack("{s:s}", "after", cli_text(last, listed->id)) : json_object();
                rc = console_do(console, listed->method, params, &result);
                if (rc == EX_OK)
                        json_array_extend(rows, json_object_get(result, listed->list));
                more = json_is_true(json_object_get(result, "more")) &&
                       json_array_size(json_object_get(result, listed->list)) > 0;
                json_decref(result);
        }
        if (rc != EX_OK) {
                json_decref(rows);
                return rc;
        }
        *out_rows = rows;
        return EX_OK;
}

int listed_find(struct console *console, const struct listed *listed, const char *text, json_t **out_row)
{
        json_t *rows = NULL, *row, *found = NULL;
        size_t i, count = 0;
        int rc = listed_read(console, listed, &rows);
        if (rc != EX_OK)
                return rc;
        json_array_foreach(rows, i, row) {
                bool is_it = strcmp(cli_text(row, listed->id), text) == 0 || strcmp(cli_text(row, "name"), text) == 0;
                if (!is_it || json_is_true(json_object_get(row, "revoked")))
                        continue;
                found = row;
                count++;
        }
        if (count == 1)
                *out_row = json_incref(found);
        else
                rc = cli_fail(EX_USAGE, "%s %s is called '%s'; see: deskbell %.*s list",
                              count == 0 ? "no" : "more than one", listed->what, text, command_len(listed),
                              listed->method);
        json_decref(rows);
        return rc;
}

int listed_parse(const struct listed *listed, const struct cli_page *page, int argc, char **argv, int *out_rc)
{
        char missing[96];
        snprintf(missing, sizeof(missing), "which %s? see: deskbell %.*s list", listed->what, command_len(listed),
                 listed->method);
        return cli_parse_named(page, argc, argv, missing, out_rc);
}

static int call(const char *data, const struct listed *listed, const char *text, bool is_change, const char *method,
                json_t *params, json_t **out_result)
{
        struct console *console = NULL;
        json_t *row = NULL;
        int rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = listed_find(console, listed, text, &row);
        if (is_change && json_is_true(json_object_get(row, "built_in")))
                rc = cli_fail(EX_USAGE, "%s is built in: it stays as it is", text);
        if (rc == EX_OK) {
                json_object_set(params, listed->id, json_object_get(row, listed->id));
                rc = console_do(console, method, json_incref(params), out_result);
        }
        console_close(console);
        json_decref(row);
        json_decref(params);
        return rc;
}

int listed_call(const char *data, const struct listed *listed, const char *text, const char *method, json_t *params,
                json_t **out_result)
{
        return call(data, listed, text, false, method, params, out_result);
}

int listed_change(const char *data, const struct listed *listed, const char *text, const char *method, json_t *params,
                  json_t **out_result)
{
        return call(data, listed, text, true, method, params, out_result);
}

int listed_answer_all(const char *data, const struct listed *listed, bool json, void (*print_row)(const json_t *row))
{
        struct console *console = NULL;
        json_t *rows = NULL;
        int rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = listed_read(console, listed, &rows);
        console_close(console);
        return cli_answer_rows(rc, json, json_pack("{s:o*}", listed->list, rows), listed->list, print_row);
}

int listed_answer_one(const char *data, const struct listed *listed, const char *text, bool json,
                      void (*print_row)(const json_t *row))
{
        struct console *console = NULL;
        json_t *row = NULL;
        int rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = listed_find(console, listed, text, &row);
        console_close(console);
        return cli_answer(rc, json, row, print_row);
}

void listed_print_words(const json_t *words, const char *before, const char *between)
{
        const json_t *word;
        size_t i;
        json_array_foreach((json_t *)words, i, word)
                printf("%s%s", i == 0 ? before : between, json_string_value(word));
}
