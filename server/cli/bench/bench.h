/* SPDX-License-Identifier: Apache-2.0 */
/* Bench: `deskbell bench`, the load generator. Starts a server of its own in a temporary folder (or drives one that
 * runs), measures, checks that every message was acknowledged once and delivered once, and says so. */
#pragma once

/* `argv[0]` is "bench". Returns an exit code: 0 measured and every message accounted for, 1 not accounted for, 64
 * usage, 69 a server could not be reached or ended, 70 out of memory or a call failed, 73 no temporary folder, 130
 * interrupted. Main thread; SIGINT and SIGTERM are handled meanwhile and restored. */
int cli_bench(int argc, char **argv);
