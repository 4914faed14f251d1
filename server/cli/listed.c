/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/listed.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

int listed_read(struct operator* operator, const struct listed * listed, json_t **out_rows)
{
        json_t *rows = json_array();
        int rc = rows ? EX_OK : EX_OSERR;
        for (bool more = true; rc == EX_OK && more;) {
                json_t *result = NULL, *last = json_array_get(rows, json_array_size(rows) - 1);
                json_t *params = last ? json_pack("{s:s}", "after", cli_text(last, listed->id)) : json_object();
                rc = operator_do(operator, listed->method, params, &result);
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

int listed_find(struct operator* operator, const struct listed * listed, const char *text, json_t **out_row)
{
        json_t *rows = NULL, *row, *found = NULL;
        size_t i, count = 0;
        int rc = listed_read(operator, listed, &rows);
        if (rc != EX_OK)
                return rc;
        json_array_foreach(rows, i, row)
        {
                if (strcmp(cli_text(row, listed->id), text) != 0 && strcmp(cli_text(row, "name"), text) != 0)
                        continue;
                found = row;
                count++;
        }
        if (count == 1)
                *out_row = json_incref(found);
        else
                rc = cli_fail(EX_USAGE, "%s %s is called '%s'; see: deskbell %s list",
                              count == 0 ? "no" : "more than one", listed->what, text, listed->what);
        json_decref(rows);
        return rc;
}

void listed_print_words(const json_t *words, const char *before, const char *between)
{
        const json_t *word;
        size_t i;
        json_array_foreach((json_t *)words, i, word) printf("%s%s", i == 0 ? before : between, json_string_value(word));
}
