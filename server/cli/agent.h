/* SPDX-License-Identifier: Apache-2.0 */
/* Agent: the subcommands of `deskbell agent` that let somebody in, or out again. Exit codes, printed when not 0. */
#pragma once

#include <stdbool.h>

int agent_run_invite(int argc, char **argv);
int agent_run_reset(int argc, char **argv);
int agent_run_sessions(int argc, char **argv);
int agent_run_logout(int argc, char **argv);
int agent_run_set(int argc, char **argv);
int agent_run_status(int argc, char **argv);
int agent_run_away(int argc, char **argv);

/* Over HTTP, from anywhere: with `invite` (the link, or what stands behind its #) or with `email`; asks for the
 * password; `totp` NULL = no second factor is set up. Keeps the session's token and prints the name of its file. */
int agent_login_at(const char *url, const char *email, const char *invite, const char *totp, const char *label,
                   bool json);
