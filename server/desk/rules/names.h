/* SPDX-License-Identifier: Apache-2.0 */
/* Names in conditions: teams by name or id, agents by e-mail address or id, apps by name or id, customers by id; and
 * how the desk answers a condition. Desk thread only. */
#pragma once

#include "desk/rules/condition.h"
#include "protocol/arena.h"

struct desk;

struct condition_names rules_names(struct desk *desk);
/* A condition_show_fn; `data` is the desk. */
size_t rules_show(void *data, enum fact fact, int64_t id, char out[CONDITION_SHOWN_BYTES]);
/* Facts of tickets, and the teams of whoever looks. */
extern const struct condition_world rules_world;

/* Compiles what a caller wrote in `field`, and writes its canonical text, which is what is stored, into `out_text` (an
 * empty writer). 0, or a negative protocol error with `fault` naming the place. *out_condition is the caller's. */
int rules_compile(struct desk *desk, struct span text, enum condition_use use, const char *field,
                  struct condition **out_condition, struct writer *out_text, struct fault *fault);
/* The same for who keeps the text: in the arena. `out_condition` may be NULL. */
int rules_canonical(struct desk *desk, struct arena *arena, struct span text, enum condition_use use, const char *field,
                    struct condition **out_condition, struct span *out_text, struct fault *fault);
/* What was stored. NULL: out of memory, or it is damaged, which is logged. */
struct condition *rules_stored(struct desk *desk, struct span text, enum condition_use use);
