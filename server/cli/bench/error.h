/* SPDX-License-Identifier: Apache-2.0 */
/* Error: why a run ended early, filled where it is found out and printed once by cli_bench. */
#pragma once

#include <stdbool.h>

enum {
        BENCH_UNACCOUNTED = 1,
        BENCH_USAGE = 64,
        BENCH_UNAVAILABLE = 69,
        BENCH_SOFTWARE = 70,
        BENCH_CANNOT_CREATE = 73,
        BENCH_INTERRUPTED = 130,
};

struct bench_error {
        int exit_code; /* 0 = nothing failed */
        char text[400];
};

/* Keeps the first failure. Always returns -1. */
int bench_fail(struct bench_error *error, int exit_code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* True once SIGINT or SIGTERM has come. Any thread. */
bool bench_is_interrupted(void);
