/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for the way to the desk: keeps what was asked and answers what the test said. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

enum { FAKE_CALLS = 16 };

struct fake_call {
        char method[32];
        json_t *params;
};

extern struct fake_call fake_calls[FAKE_CALLS];
extern int fake_count;
extern int fake_open_code; /* what console_open returns */
extern bool fake_is_remote;
extern char fake_dir[256]; /* the last folder asked for */

/* The next call of that method is answered so, and those behind it when nothing else was said; `code` other than 0
 * refuses it. */
void fake_answer(const char *method, int code, const char *result);
void fake_reset(void);
