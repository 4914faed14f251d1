/* SPDX-License-Identifier: Apache-2.0 */
/* Which app a command means. */
#pragma once

#include <stddef.h>

struct console;

/* The app said, or the only one there is. Exit code, printed when not 0. */
int app_choose(struct console *console, const char *said, char *out_app, size_t room);
