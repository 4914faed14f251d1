/* SPDX-License-Identifier: Apache-2.0 */
/* Agents and teams as routing sees them: who is a member, who is there, how much each has. A seat, once made, stays:
 * tickets point at it. */
#include "desk/routing/routing_private.h"

#include <stdlib.h>

/* ---- agents ---- */

static size_t slot_of(int64_t agent)
{
        return ((uint64_t)agent * 0x9e3779b97f4a7c15u >> 40) % ROUTING_SEAT_SLOTS;
}

struct seat *seat_find(const struct routing *routing, int64_t agent)
{
        struct seat *seat = routing->seats[slot_of(agent)];
        while (seat && seat->agent.id != agent)
                seat = seat->hash_next;
        return seat;
}

/* What others say of him is copied or pointed to: the profile is lent for good, its words change only with it. */
static void refresh_words(struct seat *seat)
{
        const struct agent_profile *profile = seat->profile;
        seat->agent.skills = seat->skills;
        seat->agent.langs = seat->langs;
        seat->agent.skill_count = profile->skill_count;
        seat->agent.lang_count = profile->language_count;
        seat->agent.capacity = profile->capacity;
        seat->profile->load = seat->agent.load - seat->offered;
        for (uint32_t i = 0; i < profile->skill_count; i++)
                seat->skills[i] = profile->skills[i];
        for (uint32_t i = 0; i < profile->language_count; i++)
                seat->langs[i] = profile->languages[i];
}

struct seat *seat_get(struct routing *routing, int64_t agent)
{
        struct seat *seat = seat_find(routing, agent);
        if (seat)
                return seat;
        struct agent_profile *profile = people_agent(routing->desk, agent);
        seat = profile ? calloc(1, sizeof *seat) : NULL;
        if (!seat)
                return NULL;
        seat->agent.id = agent;
        seat->profile = profile;
        refresh_words(seat);
        seat->hash_next = routing->seats[slot_of(agent)];
        routing->seats[slot_of(agent)] = seat;
        return seat;
}

void seat_dirty(struct routing *routing, const struct seat *seat)
{
        for (uint8_t i = 0; i < seat->profile->team_count; i++) {
                struct team_queue *queue = team_queue_find(routing, seat->profile->teams[i]);
                if (queue)
                        queue->is_dirty = true;
        }
        routing->wants_run = true;
}

void seat_add_load(struct routing *routing, struct seat *seat, int32_t weight)
{
        seat->agent.load += weight;
        seat->profile->load = seat->agent.load - seat->offered;
        if (weight < 0)
                seat_dirty(routing, seat);
}

int64_t seat_gone_ms(const struct seat *seat)
{
        const struct agent_profile *profile = seat->profile;
        if (profile->is_gone)
                return 1;
        bool is_away = profile->status == AGENT_AWAY || profile->status == AGENT_OFFLINE;
        return is_away ? profile->since_ms > 0 ? profile->since_ms : 1 : 0;
}

/* ---- teams ---- */

struct team_queue *team_queue_find(const struct routing *routing, int64_t team)
{
        size_t low = 0, high = routing->queue_count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (routing->queues[middle]->team < team)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < routing->queue_count && routing->queues[low]->team == team ? routing->queues[low] : NULL;
}

static bool has_room(struct routing *routing)
{
        if (routing->queue_count < routing->queue_room)
                return true;
        size_t room = routing->queue_room ? routing->queue_room * 2 : 16;
        struct team_queue **longer = realloc(routing->queues, room * sizeof(struct team_queue *));
        if (!longer)
                return false;
        routing->queues = longer;
        routing->queue_room = room;
        return true;
}

static int find_members(struct routing *routing, struct team_queue *queue);

struct team_queue *team_queue_get(struct routing *routing, int64_t team)
{
        struct team_queue *queue = team_queue_find(routing, team);
        if (queue)
                return queue;
        queue = has_room(routing) ? calloc(1, sizeof *queue) : NULL;
        if (!queue)
                return NULL;
        queue->team = team;
        if (find_members(routing, queue) < 0 || given_load_pace(routing, queue) < 0) {
                free(queue->members);
                free(queue);
                return NULL;
        }
        size_t at = routing->queue_count++;
        for (; at > 0 && routing->queues[at - 1]->team > team; at--)
                routing->queues[at] = routing->queues[at - 1];
        routing->queues[at] = queue;
        return queue;
}

struct member_search {
        struct routing *routing;
        struct team_queue *queue;
        bool has_failed;
};

static bool add_member(void *data, struct agent_profile *profile)
{
        struct member_search *search = data;
        struct team_queue *queue = search->queue;
        struct seat *seat = seat_get(search->routing, profile->id);
        if (seat && queue->member_count == queue->member_room) {
                size_t room = queue->member_room ? queue->member_room * 2 : 16;
                struct choose_agent **longer = realloc(queue->members, room * sizeof(struct choose_agent *));
                if (longer) {
                        queue->members = longer;
                        queue->member_room = room;
                } else {
                        seat = NULL;
                }
        }
        search->has_failed = !seat;
        if (seat)
                queue->members[queue->member_count++] = &seat->agent;
        return !search->has_failed;
}

static int find_members(struct routing *routing, struct team_queue *queue)
{
        struct member_search search = {.routing = routing, .queue = queue};
        queue->member_count = 0;
        if (queue->team != 0 && people_team(routing->desk, queue->team))
                people_each_agent(routing->desk, queue->team, add_member, &search);
        return search.has_failed ? -1 : 0;
}

struct team_search {
        struct routing *routing;
        bool has_failed;
};

static bool add_team(void *data, const struct team *team)
{
        struct team_search *search = data;
        search->has_failed = !team_queue_get(search->routing, team->id);
        return !search->has_failed;
}

int teams_refresh(struct routing *routing)
{
        struct team_search search = {.routing = routing};
        for (size_t i = 0; i < ROUTING_SEAT_SLOTS; i++)
                for (struct seat *seat = routing->seats[i]; seat; seat = seat->hash_next)
                        refresh_words(seat);
        if (!team_queue_get(routing, 0))
                return -1;
        people_each_team(routing->desk, add_team, &search);
        for (size_t i = 0; i < routing->queue_count && !search.has_failed; i++) {
                search.has_failed = find_members(routing, routing->queues[i]) < 0;
                routing->queues[i]->is_dirty = true;
        }
        return search.has_failed ? -1 : 0;
}

void seats_refresh(struct routing *routing)
{
        for (size_t i = 0; i < routing->queue_count; i++) {
                const struct team_queue *queue = routing->queues[i];
                for (size_t j = 0; queue->is_dirty && j < queue->member_count; j++) {
                        struct seat *seat = (struct seat *)queue->members[j];
                        seat->agent.is_available = people_is_available(routing->desk, seat->profile);
                }
        }
}

void seats_done(struct routing *routing)
{
        for (size_t i = 0; i < routing->queue_count; i++) {
                queue_done(&routing->queues[i]->queue);
                free(routing->queues[i]->members);
                free(routing->queues[i]);
        }
        free(routing->queues);
        routing->queues = NULL;
        routing->queue_count = 0;
        for (size_t i = 0; i < ROUTING_SEAT_SLOTS; i++) {
                while (routing->seats[i]) {
                        struct seat *seat = routing->seats[i];
                        routing->seats[i] = seat->hash_next;
                        free(seat);
                }
        }
}
