/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/routing/choose.h"

#include <string.h>
#include <strings.h>

static bool has_word(const char *const *words, uint32_t count, const char *word)
{
        for (uint32_t i = 0; i < count; i++)
                if (strcasecmp(words[i], word) == 0)
                        return true;
        return false;
}

static size_t primary(const char *lang)
{
        return strcspn(lang, "-_");
}

/* "pt-BR" is spoken by who speaks "pt" or "pt-PT": the first part decides. */
static bool speaks(const struct choose_agent *agent, const char *lang)
{
        size_t len = primary(lang);
        for (uint32_t i = 0; i < agent->lang_count; i++)
                if (primary(agent->langs[i]) == len && strncasecmp(agent->langs[i], lang, len) == 0)
                        return true;
        return false;
}

bool choose_fits(const struct want *want, const struct choose_agent *agent)
{
        for (uint32_t i = 0; i < want->passed_count; i++)
                if (want->passed[i] == agent->id)
                        return false;
        for (uint32_t i = 0; i < want->skill_count; i++)
                if (!has_word(agent->skills, agent->skill_count, want->skills[i]))
                        return false;
        return !want->needs_lang || want->lang[0] == '\0' || speaks(agent, want->lang);
}

static bool has_room(const struct want *want, const struct choose_agent *agent)
{
        if (want->weight > agent->capacity)
                return agent->capacity > 0 && agent->load == 0;
        return agent->load <= agent->capacity - want->weight;
}

bool choose_can(const struct want *want, const struct choose_agent *agent)
{
        return agent->is_available && has_room(want, agent) && choose_fits(want, agent);
}

/* Whether `a` comes before `b`; both can. */
static bool is_better(enum choose_manner manner, const struct want *want, const struct choose_agent *a,
                      const struct choose_agent *b)
{
        if (want->lang[0] != '\0') {
                bool first = speaks(a, want->lang), second = speaks(b, want->lang);
                if (first != second)
                        return first;
        }
        if (manner != CHOOSE_ROUND_ROBIN) { /* load / capacity, without dividing */
                int64_t left = (int64_t)a->load * b->capacity, right = (int64_t)b->load * a->capacity;
                if (left != right)
                        return left < right;
        }
        return a->turn != b->turn ? a->turn < b->turn : a->id < b->id;
}

struct choose_agent *choose_agent(const struct choose_team *team, const struct want *want, int64_t sticky)
{
        struct choose_agent *best = NULL;
        for (size_t i = 0; i < team->agent_count; i++) {
                struct choose_agent *one = team->agents[i];
                if (!choose_can(want, one))
                        continue;
                if (team->manner == CHOOSE_STICKY && sticky != 0 && one->id == sticky)
                        return one;
                if (!best || is_better(team->manner, want, one, best))
                        best = one;
        }
        return best;
}

/* The first of all heads that may still find somebody. */
static struct queue_lane *first_lane(const struct choose_team *teams, size_t count, const struct choose_team **out_team)
{
        struct queue_lane *first = NULL;
        for (size_t i = 0; i < count; i++) {
                for (size_t j = 0; j < teams[i].queue->lane_count; j++) {
                        struct queue_lane *lane = teams[i].queue->lanes[j];
                        if (lane->is_hopeless || (first && !queue_is_before(lane->items[0], first->items[0])))
                                continue;
                        first = lane;
                        *out_team = &teams[i];
                }
        }
        return first;
}

static void hope_again(const struct choose_team *teams, size_t count)
{
        for (size_t i = 0; i < count; i++)
                for (size_t j = 0; j < teams[i].queue->lane_count; j++)
                        teams[i].queue->lanes[j]->is_hopeless = false;
}

/* Within a run agents only get fuller: once nobody can take the head of a lane, nobody can till the end. */
size_t choose_run(const struct choose_team *teams, size_t team_count, size_t limit, choose_give *give, void *data)
{
        size_t given = 0;
        hope_again(teams, team_count);
        while (given < limit) {
                const struct choose_team *team = NULL;
                struct queue_lane *lane = first_lane(teams, team_count, &team);
                if (!lane)
                        break;
                struct queue_item *item = lane->items[0];
                struct choose_agent *agent = choose_agent(team, &lane->want, item->sticky);
                if (!agent) {
                        lane->is_hopeless = true;
                        continue;
                }
                if (!give(data, team, item, agent))
                        break;
                given++;
        }
        return given;
}
