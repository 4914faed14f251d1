/* SPDX-License-Identifier: Apache-2.0 */
/* Serve: the running server: locks the data folder, opens the store, listens, and returns when it was told to stop
 * (SIGTERM, SIGINT) and has drained, or cannot go on. The caller has called sandbox_early, and no other thread exists.
 */
#pragma once

struct config;

/* How SIGHUP reads the settings again: fills *out_config (config_done is called on it) and returns 0, or says on
 * standard error what is wrong and returns anything else; the old settings stay then. NULL: SIGHUP only reloads
 * certificates. */
struct serve_reload {
        int (*load)(void *data, struct config *out_config);
        void *data;
};

/* Prints `listening on HOST:PORT` to standard output for each listener once it accepts. Returns an exit code: 0 stopped
 * as asked; EX_TEMPFAIL the folder is in use; EX_UNAVAILABLE; EX_SOFTWARE (70) the outcome of a commit is unknown. */
int serve_run(struct config *config, const struct serve_reload *reload);
