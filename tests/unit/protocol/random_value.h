/* SPDX-License-Identifier: Apache-2.0 */
/* Random value: fills any struct of the protocol with allowed values by its shape, and compares two of them. For tests.
 */
#pragma once

#include "shape.h"

struct random {
        uint64_t state;
};

uint64_t random_next(struct random *random);
uint64_t random_below(struct random *random, uint64_t limit); /* limit above 0 */

/* `*out` has shape->bytes bytes; memory comes from the arena. `full`: every optional member is there. */
void random_value(struct random *random, const struct shape *shape, struct arena *arena, bool full, void *out);

/* NULL: equal; otherwise the name of the first member that differs. */
const char *value_difference(const struct shape *shape, const void *a, const void *b);
