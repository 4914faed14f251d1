/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of unhappy customers of a seeded desk: their cases are worked on, most of them are won back. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/console.h"
#include "cli/secrets.h"
#include "cli/seed.h"

enum { HOUR_MS = 3600 * 1000 };

/* The open case of that conversation; NULL: it has none. The caller's. */
static int find_case(struct seed *seed, const char *conv, json_t **out_row)
{
        json_t *result = NULL;
        int rc = console_do(seed->console, "recovery.list",
                            json_pack("{s:s, s:b, s:i}", "conv", conv, "open", 1, "limit", 1), &result);

        *out_row = json_incref(json_array_get(json_object_get(result, "cases"), 0));
        json_decref(result);
        return rc;
}

/* One change; the row gets the new version. Takes `said`. */
static int change(struct seed *seed, json_t *row, const char *method, json_t *said)
{
        json_t *result = NULL;

        json_object_set_new(said, "cmid", secret_cmid());
        json_object_set(said, "recovery", json_object_get(row, "recovery"));
        json_object_set(said, "version", json_object_get(row, "version"));
        int rc = console_do(seed->console, method, said, &result);
        if (rc == EX_OK)
                json_object_set(row, "version", json_object_get(result, "version"));
        json_decref(result);
        return rc;
}

int seed_contact(struct seed *seed, const char *conv, bool *out_has_case)
{
        static const char *const causes[] = {"slow_answer", "slow_answer", "delivery", "product_defect",
                                             "wrong_answer"};
        json_t *row = NULL;
        int rc = find_case(seed, conv, &row);

        *out_has_case = row != NULL;
        if (rc == EX_OK && row)
                rc = change(seed, row, "recovery.contact",
                            json_pack("{s:s, s:b}", "channel", seed_below(seed, 3) ? "phone" : "mail", "reached",
                                      seed_below(seed, 6) != 0));
        if (rc == EX_OK && row)
                rc = change(seed, row, "recovery.cause", json_pack("{s:s}", "cause", causes[seed_below(seed, 5)]));
        if (rc == EX_OK && row && seed_below(seed, 2) && json_object_get(row, "owner"))
                rc = change(seed, row, "recovery.action_add",
                            json_pack("{s:s, s:O, s:I}", "text", "look into it and call back", "owner",
                                      json_object_get(row, "owner"), "due", seed->now_ms + (json_int_t)20 * HOUR_MS));
        json_decref(row);
        return rc;
}

int seed_resolve(struct seed *seed, const char *conv)
{
        static const char *const outcomes[] = {"recovered", "recovered",   "recovered", "recovered",
                                               "recovered", "unreachable", "declined",  "not_recovered"};
        json_t *row = NULL;
        int rc = find_case(seed, conv, &row);

        if (rc == EX_OK && row && seed_below(seed, 4) == 0)
                rc = change(seed, row, "recovery.compensate",
                            json_pack("{s:s, s:i, s:s}", "gave", "voucher", "amount", 500 * (1 + seed_below(seed, 4)),
                                      "currency", "EUR"));
        if (rc == EX_OK && row && json_object_get(row, "contacted"))
                rc = change(seed, row, "recovery.resolve",
                            json_pack("{s:s}", "outcome", outcomes[seed_below(seed, 8)]));
        json_decref(row);
        return rc;
}
