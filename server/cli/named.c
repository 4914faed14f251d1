/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/named.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static const struct {
        const char *prefix, *method, *list, *id, *what;
} kinds[] = {
        [NAMED_TEAM] = {"tea_", "team.list", "teams", "team", "team"},
        [NAMED_ROLE] = {"rol_", "role.list", "roles", "role", "role"},
        [NAMED_AGENT] = {"agt_", "agent.list", "agents", "agent", "agent"},
};

int named_find(struct operator* operator, enum named_kind kind, const char *text, char out_id[FOLDER_ID])
{
        json_t *result = NULL, *row;
        size_t i, found = 0;
        if (strncmp(text, kinds[kind].prefix, strlen(kinds[kind].prefix)) == 0) {
                snprintf(out_id, FOLDER_ID, "%s", text);
                return EX_OK;
        }
        int rc = operator_do(operator, kinds[kind].method, NULL, &result);
        if (rc != EX_OK)
                return rc;
        json_array_foreach(json_object_get(result, kinds[kind].list), i, row)
        {
                if (strcmp(cli_text(row, "name"), text) != 0 || json_is_true(json_object_get(row, "revoked")))
                        continue;
                snprintf(out_id, FOLDER_ID, "%s", cli_text(row, kinds[kind].id));
                found++;
        }
        json_decref(result);
        if (found == 1)
                return EX_OK;
        return cli_fail(EX_USAGE, "%s %s is called '%s'; see: deskbell %s list", found == 0 ? "no" : "more than one",
                        kinds[kind].what, text, kinds[kind].what);
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
