/* SPDX-License-Identifier: Apache-2.0 */
/* Login: session tokens kept in the user's configuration folder: $XDG_CONFIG_HOME/deskbell or ~/.config/deskbell
 * (0700), one file an agent, AGENT.token (0600). */
#pragma once

#include <stddef.h>

/* Keeps the token, replacing an older one, and tells the file's path. Exit code, printed when not 0. */
int login_store(const char *agent, const char *token, char *out_path, size_t room);
