/* SPDX-License-Identifier: Apache-2.0 */
/* Variables in canned texts: {{customer.name}}, and {{customer.name|there}} with the words that stand for a value that
 * is missing. What may be named: customer.name, .email, .locale, .id, .tier and the attributes of customers;
 * agent.name; ticket.number, ticket.subject; field.<custom field>. Desk thread only. */
#pragma once

#include "protocol/arena.h"
#include "protocol/span.h"

struct desk;
struct fault;
struct ticket;

enum { VARIABLES_MAX = 20 }; /* of one text */

/* 0, or -PROTOCOL_ERR_BAD_REQUEST with `fault` naming `field` and what is wrong with which variable. */
int variables_check(struct desk *desk, struct span text, const char *field, struct fault *fault);

struct variables_scene {
        int64_t customer, agent;     /* row ids */
        const struct ticket *ticket; /* NULL = none */
};
struct variables_missing {
        struct span names[VARIABLES_MAX]; /* lent by the text */
        size_t count;
};

/* The text with its values, from `arena`. 0 or a negative protocol error. */
int variables_fill(struct desk *desk, const struct variables_scene *scene, struct span text, struct arena *arena,
                   struct span *out_text, struct variables_missing *out_missing);
