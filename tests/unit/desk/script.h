/* SPDX-License-Identifier: Apache-2.0 */
/* One batch in which everything happens, and how a client comes out of a failure of it: it repeats what was not
 * answered under the same keys, until each is accepted once. */
#pragma once

#include "unit/desk/room.h"

enum { SCRIPT_SENDS = 6 };

struct script {
        struct room *room;
        struct client ann, eve, late;
        char *conv;
        unsigned ids[SCRIPT_SENDS];
        bool is_late_in;
};

/* Ann and Eve with a conversation of three messages, all committed. */
void script_begin(struct script *script, struct room *room);
void script_queue(struct script *script); /* sends, a note, an edit, an erasure, marks, a login under a new name */
/* Runs it. Returns how many were refused or not answered at all; what was answered well stays so. */
int script_run(struct script *script);
/* Says everything again, which now has to go well, and checks that each thing is there once. */
void script_heal(struct script *script);
void script_end(struct script *script);
