/* SPDX-License-Identifier: Apache-2.0 */
/* What commands that erase ask of the search index. */
#pragma once

struct console;

/* Returns when all that was accepted before the call is in the index and no word of what was erased is in its file; or
 * after so many seconds, with EX_TEMPFAIL. Exit code. */
int search_settle(struct console *console, int seconds);
