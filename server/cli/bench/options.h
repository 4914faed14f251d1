/* SPDX-License-Identifier: Apache-2.0 */
/* Options of `deskbell bench`. Main thread. */
#pragma once

#include "history.h"
#include "idle.h"
#include "load.h"

enum options_verdict { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_WRONG };

struct options {
        struct load_plan load;
        struct history_plan history; /* messages 0 = not asked for */
        struct idle_plan idle;       /* conns 0 = not asked for */
        struct target_options target;
        const char *floor;
        bool only_floor, as_json;
        int driver_cpu; /* -1 = not pinned */
        char program[4096];
};

/* Fills `options` with defaults and the command line; on OPTIONS_WRONG `error` says what. */
enum options_verdict options_read(int argc, char **argv, struct options *options, struct bench_error *error);
const char *options_help(void);
