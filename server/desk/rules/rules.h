/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: what gives a ticket its team, priority, skills and tags when it begins to need people (docs/desk.md). They are
 * looked at once, in their order; each condition is asked about the ticket as it was before the first of them, so that
 * none can set off another. Desk thread only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "desk/rules/names.h"
#include "desk/tickets/tickets.h"

enum { RULES = 200 };

struct rule {
        int64_t id;
        uint64_t ext;
        int64_t place;
        struct span name, when;        /* when: canonical text */
        struct condition *condition;   /* NULL: it could not be read, and never matches */
        int64_t team;                  /* 0 = it says none */
        enum ticket_priority priority; /* 0 = it says none */
        struct span skills[TICKET_SKILLS], tags[TICKET_TAGS];
        size_t skill_count, tag_count;
        bool is_on, stops;
        int64_t created_ms;
        char *memory; /* of the texts */
};

struct rules {
        struct rule *all; /* in their order */
        size_t count;
        bool is_fresh; /* as the store has them; else they are read before they are used */
};

/* Reads them when they may have changed. 0 or a negative protocol error (the store failed). */
int rules_refresh(struct desk *desk);
void rules_stale(struct desk *desk); /* a row was changed, or a batch that changed one was not kept */
void rules_done(struct desk *desk);

/* What the rules say about a ticket. */
struct rules_plan {
        int64_t team;
        enum ticket_priority priority;
        struct span skills[TICKET_SKILLS], tags[TICKET_TAGS]; /* lent by the rules */
        size_t skill_count, tag_count;
        const struct rule *team_by, *priority_by, *skill_by[TICKET_SKILLS], *tag_by[TICKET_TAGS];
};

/* `say` hears of each rule that was looked at, in order; NULL = nobody. 0 or a negative protocol error. */
typedef void rules_say(void *data, const struct rule *rule, bool matches, const struct fact_scene *scene,
                       const struct rules_plan *before);
int rules_make_plan(struct desk *desk, const struct fact_scene *scene, rules_say *say, void *data,
                    struct rules_plan *out_plan);
