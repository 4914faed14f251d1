/* SPDX-License-Identifier: Apache-2.0 */
/* Bot hours: what a bot is told of the team that would get a conversation now: whether it is open, whether somebody is
 * there, when it opens, how long customers wait. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct conversation;
struct desk;

struct bot_hours {
        bool is_open;         /* by the team's schedule; without one: as is_online */
        bool is_online;       /* somebody of the team is at work */
        int64_t opens_ms;     /* wall; 0 = it is open, or nobody knows */
        int32_t opens_offset; /* seconds that the schedule's clocks are ahead of UTC then */
        int64_t wait_s;       /* whoever comes now waits as long; 0 = not at all, or nobody knows */
};

/* The team is the ticket's own; else the one that the rules would give it, as far as they do not ask what the bot says
 * when it hands over; else the default team; else everybody who is connected. Desk thread. */
struct bot_hours bot_hours_of(struct desk *desk, struct conversation *conversation);

/* Puts them before `facts` (an object, which is taken; NULL = none) as open, online, opens and wait; what an app told
 * under these names is left out. NULL: no memory. Any thread. */
json_t *bot_hours_facts(const struct bot_hours *hours, json_t *facts);
