/* SPDX-License-Identifier: Apache-2.0 */
/* Planted: bugs put in on purpose, to prove that the rigs catch them. Only the preset `planted` has them, chosen at run
 * time by DESKBELL_PLANTED=name; everywhere else PLANTED(name) is the constant false. */
#pragma once

#include <stdbool.h>

#ifdef DESKBELL_PLANTED
#include <stdlib.h>
#include <string.h>

static inline bool planted_is(const char *name)
{
        static const char *chosen;
        static bool is_known;
        if (!is_known) {
                chosen = getenv("DESKBELL_PLANTED");
                is_known = true;
        }
        return chosen && strcmp(chosen, name) == 0;
}
#define PLANTED(name) planted_is(name)
#else
#define PLANTED(name) false
#endif
