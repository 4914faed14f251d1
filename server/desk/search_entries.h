/* SPDX-License-Identifier: Apache-2.0 */
/* search.entries, on a reader's thread: hits come from the index, but what is shown of them is read from the log in the
 * reader's own view, with the caller's rights, so that an index that lags behind shows nothing it should not. */
#pragma once

#include "desk/command.h"
#include "desk/directory.h"

struct desk;
struct search;

/* The index as one reader has it open. */
struct search_view {
        struct search *search; /* NULL: not open */
        uint64_t generation;
};

void search_view_done(struct search_view *view);

/* Writes the members of the result. 0, or a negative protocol error. `db` is within a snapshot. */
int search_entries(struct desk *desk, struct db *db, struct directory *directory, struct search_view *view,
                   const struct desk_command *command, struct writer *out, struct fault *fault);
