/* SPDX-License-Identifier: Apache-2.0 */
/* Proc: what a process and a disk cost, read from outside. Main thread. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "error.h"
#include "histogram.h"

/* CPU time of all threads of a process so far, user and system, in ns; 0 when it cannot be read. */
uint64_t proc_cpu_ns(pid_t pid);
uint64_t proc_own_cpu_ns(void);

struct proc_memory {
        uint64_t rss_kib, private_kib, anonymous_kib;
};

int proc_memory_read(pid_t pid, struct proc_memory *out_memory); /* 0, or -1 */

/* Appends 200 bytes and syncs, for half a second or 400 times, to a file of its own in `dir`. */
int proc_disk_probe(const char *dir, struct histogram *out_sync, struct bench_error *error);
