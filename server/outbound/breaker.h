/* SPDX-License-Identifier: Apache-2.0 */
/* Breaker: whether somebody who failed may be asked again. Closed: asked. After 3 errors in a row it is open: for 60 s
 * nobody is asked, then one is, whose outcome decides. Pure: the caller says what time it is (monotonic, ms). One
 * thread at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { BREAKER_ERRORS = 3, BREAKER_OPEN_MS = 60 * 1000 };

struct breaker { /* all zero: closed */
        unsigned errors;
        bool is_open, is_trying;
        uint64_t until_ms; /* open: nobody is asked before */
};

/* Whether the caller may ask now; then breaker_said has to follow. */
bool breaker_lets(struct breaker *breaker, uint64_t now_ms);
/* What came of it. */
void breaker_said(struct breaker *breaker, bool is_good, uint64_t now_ms);
/* It was not asked after all: nothing is known. */
void breaker_unasked(struct breaker *breaker);
