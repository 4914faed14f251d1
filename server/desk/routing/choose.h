/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets which ticket. One run is made whenever something changed, be it that a ticket came or that an agent became
 * free: the first ticket of all queues that somebody can take goes to the best of those, until nobody can take any.
 *
 * What a run guarantees: nobody is given more than his capacity; nobody is left idle while a ticket waits that he could
 * have; of the tickets that an agent could have, he gets the most urgent one, and of those the one that waits longest.
 * The same world gives the same answer. Pure: no store, no clock, no allocation. */
#pragma once

#include "desk/routing/queue.h"

enum choose_manner {                      /* as teams say it */
                     CHOOSE_LEAST_LOADED, /* the smallest share of his capacity in use; of equals, as round robin */
                     CHOOSE_ROUND_ROBIN,  /* whose turn it is: the longest without a new one */
                     CHOOSE_STICKY,       /* whom the customer had last, when he can; else the least loaded */
};

/* An agent as this module sees him. The words are lent. */
struct choose_agent {
        int64_t id;
        bool is_available;
        int32_t capacity, load; /* in weights; capacity 0: he takes only what he is given by hand */
        int64_t turn; /* grows with each ticket given to anybody; smaller = longer without; 0 = never had one */
        const char *const *skills;
        const char *const *langs;
        uint32_t skill_count, lang_count;
};

/* Whether he could ever have it: skills, language, not passed. */
bool choose_fits(const struct want *want, const struct choose_agent *agent);
/* Whether he can take it now. A ticket that is heavier than his whole capacity takes all of it. */
bool choose_can(const struct want *want, const struct choose_agent *agent);

/* The agents of one queue. */
struct choose_team {
        struct queue *queue;
        enum choose_manner manner;
        struct choose_agent *const *agents;
        size_t agent_count;
};

/* The one who gets it; NULL: nobody can now. */
struct choose_agent *choose_agent(const struct choose_team *team, const struct want *want, int64_t sticky);

/* Takes the item out of its queue and raises the agent's load and turn. False: the run ends there. */
typedef bool choose_give(void *data, const struct choose_team *team, struct queue_item *item,
                         struct choose_agent *agent);

/* One run over these teams; an agent may be in several. At most `limit` are given. Returns how many were: `limit` means
 * that there may be more. */
size_t choose_run(const struct choose_team *teams, size_t team_count, size_t limit, choose_give *give, void *data);
