/* SPDX-License-Identifier: Apache-2.0 */
/* Proc. CPU time comes from /proc/PID/stat, which counts all threads, also those that have ended, in ticks of 10 ms:
 * over a window of seconds that is fine enough. */
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "driver.h"

enum { PROBE_TIMES = 400, PROBE_BYTES = 200 };

/* NOLINTBEGIN(cert-err34-c): the numbers are the kernel's own */

uint64_t proc_cpu_ns(pid_t pid)
{
        char path[64], line[1024];
        snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        FILE *file = fopen(path, "re");
        if (!file)
                return 0;
        char *got = fgets(line, sizeof(line), file);
        fclose(file);
        char *at = got ? strrchr(line, ')') : NULL;
        unsigned long long user = 0, system = 0;
        if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) != 2)
                return 0;
        return (user + system) * (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK));
}

uint64_t proc_own_cpu_ns(void)
{
        struct rusage used;
        getrusage(RUSAGE_SELF, &used);
        return ((uint64_t)used.ru_utime.tv_sec + (uint64_t)used.ru_stime.tv_sec) * 1000000000 +
               ((uint64_t)used.ru_utime.tv_usec + (uint64_t)used.ru_stime.tv_usec) * 1000;
}

/* What anybody may read: resident pages, and those of them that belong to files or are shared. */
static int memory_read_coarsely(pid_t pid, struct proc_memory *out_memory)
{
        char path[64];
        unsigned long long resident = 0, shared = 0, page_kib = (unsigned long long)sysconf(_SC_PAGESIZE) / 1024;
        snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
        FILE *file = fopen(path, "re");
        int got = file ? fscanf(file, "%*u %llu %llu", &resident, &shared) : 0;
        if (file)
                fclose(file);
        if (got != 2 || !resident)
                return -1;
        uint64_t own = (resident - shared) * page_kib;
        *out_memory = (struct proc_memory){.rss_kib = resident * page_kib, .private_kib = own, .anonymous_kib = own};
        return 0;
}

int proc_memory_read(pid_t pid, struct proc_memory *out_memory)
{
        char path[64], line[256];
        snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
        FILE *file = fopen(path, "re");
        if (!file)
                return memory_read_coarsely(pid, out_memory);
        struct proc_memory memory = {0};
        unsigned long long kib;
        while (fgets(line, sizeof(line), file)) {
                if (sscanf(line, "Rss: %llu", &kib) == 1)
                        memory.rss_kib = kib;
                else if (sscanf(line, "Private_Clean: %llu", &kib) == 1 ||
                         sscanf(line, "Private_Dirty: %llu", &kib) == 1)
                        memory.private_kib += kib;
                else if (sscanf(line, "Anonymous: %llu", &kib) == 1)
                        memory.anonymous_kib = kib;
        }
        fclose(file);
        if (!memory.rss_kib) /* a process that may not be looked into: it opens, and reading it fails */
                return memory_read_coarsely(pid, out_memory);
        *out_memory = memory;
        return 0;
}
/* NOLINTEND(cert-err34-c) */

int proc_disk_probe(const char *dir, struct histogram *out_sync, struct bench_error *error)
{
        char path[300], block[PROBE_BYTES];
        memset(block, 'x', sizeof(block));
        snprintf(path, sizeof(path), "%s/probe-XXXXXX", dir);
        int fd = mkostemp(path, O_APPEND | O_CLOEXEC);
        if (fd < 0)
                return bench_fail(error, BENCH_CANNOT_CREATE, "%s: %s", path, strerror(errno));
        unlink(path);
        uint64_t began = driver_clock_ns(), before = began;
        for (int i = 0; i < PROBE_TIMES && before - began < 500000000; i++) {
                if (write(fd, block, sizeof(block)) != (ssize_t)sizeof(block) || fdatasync(fd) < 0) {
                        close(fd);
                        return bench_fail(error, BENCH_CANNOT_CREATE, "%s: %s", path, strerror(errno));
                }
                uint64_t now = driver_clock_ns();
                histogram_add(out_sync, now - before);
                before = now;
        }
        close(fd);
        return 0;
}
