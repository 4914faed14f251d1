/* SPDX-License-Identifier: Apache-2.0 */
/* Named: people write names, methods want ids. Finds a team, a role or an agent by its id or by its exact name. */
#pragma once

#include "cli/folder.h"
#include "cli/listed.h"

enum named_kind { NAMED_TEAM, NAMED_ROLE, NAMED_AGENT };

extern const struct listed named_lists[]; /* by kind */

/* EX_OK with *out_id filled; EX_USAGE: none of that name, or several agents of one name; or what the operator says. */
int named_find(struct console *console, enum named_kind kind, const char *text, char out_id[FOLDER_ID]);

/* A whole number from 0 to `max`. EX_OK, or EX_USAGE naming the option. */
int named_number(const char *option, const char *text, long long max, long long *out_number);

/* A text list as JSON: what was said once a word, or with commas between. NULL: out of memory. */
json_t *named_list(const char *const *texts);
