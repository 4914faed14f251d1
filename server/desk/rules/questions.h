/* SPDX-License-Identifier: Apache-2.0 */
/* Questions: many conditions asked together, about up to 64 tickets at a time. What they share, a fact or a whole test,
 * is asked once of each ticket. The answers are those of condition_holds and condition_turns_ms, one by one
 * (tests/unit/rules/test_questions.c). Pure; of one thread at a time. */
#pragma once

#include "desk/rules/condition.h"

enum { QUESTIONS_TICKETS = 64 };

struct question {
        const struct condition *condition; /* NULL: it never holds */
        int64_t me;                        /* principal row that `me` means; 0 = nobody */
};

struct questions;

/* The conditions are borrowed until it is freed. NULL: out of memory. */
struct questions *questions_new(const struct question *all, size_t count, const struct condition_world *world);
struct questions *questions_free(struct questions *questions); /* NULL is welcome; returns NULL */

bool questions_ask_for(const struct questions *questions, enum fact fact); /* some test needs it */

/* Asks all of them about `count` tickets, at most QUESTIONS_TICKETS, at `now_ms` (wall). `out_holds` has a word for
 * each question: bit n says whether it holds of ticket n; `out_turns_ms` for each ticket the first moment after now at
 * which time alone may change some answer, INT64_MAX = never. Returns the tickets of which some fact could not be
 * learned, a bit each: what is said of those means nothing. Never allocates. */
uint64_t questions_ask(struct questions *questions, struct desk *desk, int64_t now_ms,
                       const struct ticket *const *tickets, unsigned count, uint64_t *out_holds,
                       int64_t out_turns_ms[QUESTIONS_TICKETS]);
