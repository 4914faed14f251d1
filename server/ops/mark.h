/* SPDX-License-Identifier: Apache-2.0 */
/* Mark: DIR/mark holds the store's epoch and the highest rev it ever answered for, outside the database, so that a
 * database file put back from a copy is noticed at start (delivery R5). Blocking. */
#pragma once

#include <stdint.h>

/* 0, or a negative errno; the old mark stays then. */
int mark_write(const char *dir, const uint8_t epoch[8], int64_t rev);

/* 0; -ENOENT: none yet; -EBADMSG: not a mark; other negative errno. */
int mark_read(const char *dir, uint8_t out_epoch[8], int64_t *out_rev);
