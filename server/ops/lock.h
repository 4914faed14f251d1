/* SPDX-License-Identifier: Apache-2.0 */
/* Lock: one process at a time in a data folder: flock on DIR/lock, which holds the pid for the message. The kernel
 * gives it back when the process ends, however it ends. */
#pragma once

/* 0 and *out_fd (close-on-exec). -EWOULDBLOCK: somebody else holds it. Other negative errno: cannot be had at all.
 * *out_why, on failure: malloc'd sentence that names folder and holder; out_why may be NULL. */
int lock_take(const char *dir, int *out_fd, char **out_why);

void lock_drop(int fd); /* -1 is welcome */
