/* SPDX-License-Identifier: Apache-2.0 */
/* Progress: one line on a terminal's standard error that is drawn over, at most ten times a second. Draws nothing when
 * standard error is not a terminal, and nothing in the first half second. Main thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
        const char *what; /* outlives it */
        uint64_t total, began_ns, drawn_ns;
        bool is_drawn;
};

void progress_init(struct progress *progress, const char *what, uint64_t total);
void progress_show(struct progress *progress, uint64_t done);
void progress_done(struct progress *progress); /* wipes the line */
