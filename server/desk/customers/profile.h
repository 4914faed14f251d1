/* SPDX-License-Identifier: Apache-2.0 */
/* Who says what of a customer: the checks, and what is written. Desk thread only. */
#pragma once

#include "desk/customers/customers.h"

struct protocol_attribute_said;

struct sayer {
        enum attribute_origin origin;
        int64_t author; /* row id of an agent; 0 otherwise */
};

struct said {
        const struct protocol_attribute_said *at;
        size_t count;
        bool has_tier;
        struct span tier; /* empty = none */
};

/* 0, or a negative protocol error with `fault` naming the member; nothing is changed. */
int said_check(struct desk *desk, const struct principal_row *row, const struct sayer *sayer, const struct said *said,
               struct fault *fault);
/* Writes what was checked, and the words he is found by. `row` gets a new name and so on. The same errors (the store).
 */
int said_write(struct desk *desk, struct principal_row *row, const struct sayer *sayer, const struct said *said);
