/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the platform make the system do. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

struct faked {
        atomic_int wall_ahead_s; /* somebody has set the clock */
        int early_ends;          /* that many timed waits end before their time */
        bool has_no_random;
        int random_at_once; /* bytes; 0 = all that is asked for */
        int interrupted;    /* that many calls for randomness */
        int flushes, full_flushes;
        bool fails_flush, fails_full_flush;
        int overwritten_unmaps; /* munmap of a page that was zeros */
};

extern struct faked faked;
