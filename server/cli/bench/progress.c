/* SPDX-License-Identifier: Apache-2.0 */
/* Progress. */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "driver.h"

enum { BAR_WIDTH = 30 };

void progress_init(struct progress *progress, const char *what, uint64_t total)
{
        *progress = (struct progress){.what = what, .total = total, .began_ns = driver_clock_ns()};
}

void progress_show(struct progress *progress, uint64_t done)
{
        uint64_t now = driver_clock_ns();
        if (now - progress->began_ns < 500000000 || now - progress->drawn_ns < 100000000 || !isatty(STDERR_FILENO))
                return;
        progress->drawn_ns = now;
        progress->is_drawn = true;
        size_t full = progress->total ? (size_t)(done * BAR_WIDTH / progress->total) : 0;
        char bar[BAR_WIDTH + 1];
        memset(bar, '.', BAR_WIDTH);
        memset(bar, '#', full < BAR_WIDTH ? full : BAR_WIDTH);
        bar[BAR_WIDTH] = '\0';
        fprintf(stderr, "\r%-14s [%s] %llu of %llu, %.0f/s \033[K", progress->what, bar, (unsigned long long)done,
                (unsigned long long)progress->total, (double)done * 1e9 / (double)(now - progress->began_ns));
}

void progress_done(struct progress *progress)
{
        if (progress->is_drawn)
                fputs("\r\033[K", stderr);
        progress->is_drawn = false;
}
