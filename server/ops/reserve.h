/* SPDX-License-Identifier: Apache-2.0 */
/* Reserve: DIR/reserve keeps 16 MiB of the disk back, so that a full disk still has room for the log to be moved into
 * the database and for an erasure (delivery A2). Blocking. */
#pragma once

#include <stdbool.h>

enum { RESERVE_BYTES = 16 * 1024 * 1024 };

/* Makes it if it is not there whole. 0, or a negative errno (-ENOSPC: no room; nothing is left behind). */
int reserve_make(const char *dir);

/* Gives the space back. 0 also when there was none. */
int reserve_release(const char *dir);

bool reserve_is_held(const char *dir);
