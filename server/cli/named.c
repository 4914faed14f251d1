/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/named.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct listed named_lists[] = {
        [NAMED_TEAM] = {.method = "team.list", .list = "teams", .id = "team", .what = "team"},
        [NAMED_ROLE] = {.method = "role.list", .list = "roles", .id = "role", .what = "role"},
        [NAMED_AGENT] = {.method = "agent.list", .list = "agents", .id = "agent", .what = "agent"},
};

int named_find(struct console *console, enum named_kind kind, const char *text, char out_id[FOLDER_ID])
{
        static const char *const prefixes[] = {[NAMED_TEAM] = "tea_", [NAMED_ROLE] = "rol_", [NAMED_AGENT] = "agt_"};
        json_t *row = NULL;
        int rc = EX_OK;
        if (strncmp(text, prefixes[kind], strlen(prefixes[kind])) != 0)
                rc = listed_find(console, &named_lists[kind], text, &row);
        if (rc == EX_OK)
                snprintf(out_id, FOLDER_ID, "%s", row ? cli_text(row, named_lists[kind].id) : text);
        json_decref(row);
        return rc;
}

int named_number(const char *option, const char *text, long long max, long long *out_number)
{
        char *end = NULL;
        errno = 0;
        long long number = strtoll(text, &end, 10);
        if (errno != 0 || end == text || *end != 0 || number < 0 || number > max)
                return cli_fail(EX_USAGE, "--%s is a whole number from 0 to %lld", option, max);
        *out_number = number;
        return EX_OK;
}

json_t *named_list(const char *const *texts)
{
        json_t *list = json_array();
        for (int i = 0; list && texts[i]; i++) {
                for (const char *at = texts[i]; *at;) {
                        size_t len = strcspn(at, ",");
                        if (len > 0)
                                json_array_append_new(list, json_stringn(at, len));
                        at += len + (at[len] == ',');
                }
        }
        return list;
}
