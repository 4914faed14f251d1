/* SPDX-License-Identifier: Apache-2.0 */
/* Allocator: the one choice this library makes for a whole process, and the count of clients that keeps it from being
 * made again under blocks that are in use. Any thread. */
#pragma once

void allocator_hold(void);    /* a client begins: before its first block */
void allocator_release(void); /* and has ended: after its last */
