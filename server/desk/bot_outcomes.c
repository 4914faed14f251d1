/* SPDX-License-Identifier: Apache-2.0 */
/* Outcomes: see bot_outcomes.h. Rows are first gathered into episodes, then each episode is judged by itself and by the
 * one that follows. */
#include "desk/bot_outcomes.h"

#include <math.h>

#include "desk/reports/scores.h"

bool bot_happening_is_turn(enum bot_happening kind)
{
        switch (kind) {
        case BOT_ANSWERED:
        case BOT_OFFERED:
        case BOT_MISSED:
        case BOT_IN_FLOW:
        case BOT_HANDED:
        case BOT_TICKET:
        case BOT_CLOSED:
        case BOT_FAILED:
        case BOT_SILENT:
                return true;
        default:
                return false;
        }
}

bool bot_happening_is_handoff(enum bot_happening kind)
{
        return kind == BOT_HANDED || kind == BOT_TICKET || kind == BOT_FAILED;
}

bool bot_happening_is_people(enum bot_happening kind)
{
        return kind == BOT_PERSON || bot_happening_is_handoff(kind);
}

/* Of the customer or of people: it belongs to the episode before it, unless that is decided by then. */
static bool is_late_word(enum bot_happening kind)
{
        return kind == BOT_HELPED || kind == BOT_NOT_HELPED || kind == BOT_PERSON || kind == BOT_TAGGED;
}

static size_t gather(const struct bot_happened *rows, size_t count, struct bot_episode *out)
{
        size_t made = 0;
        bool is_running = false;
        for (size_t i = 0; i < count; i++) {
                is_running = is_running && rows[i].kind != BOT_HELD_OUT && /* what follows is not the bot's */
                             rows[i].at_ms - rows[out[made - 1].last].at_ms < BOT_DECIDED_AFTER_MS;
                if (bot_happening_is_turn(rows[i].kind)) {
                        if (!is_running || rows[i].silent_ms >= BOT_EPISODE_SILENT_MS)
                                out[made++].first = i;
                        out[made - 1].last = i;
                        is_running = true;
                } else if (is_running && is_late_word(rows[i].kind)) {
                        out[made - 1].last = i;
                }
        }
        return made;
}

/* Before `until_ms`. */
static bool needed_people(const struct bot_happened *rows, const struct bot_episode *episode, int64_t until_ms)
{
        for (size_t i = episode->first; i <= episode->last && rows[i].at_ms < until_ms; i++)
                if (bot_happening_is_people(rows[i].kind))
                        return true;
        return false;
}

/* The last act that leaves something with the customer, or takes it from him. BOT_SILENT: there is none. */
static enum bot_happening last_act(const struct bot_happened *rows, const struct bot_episode *episode)
{
        for (size_t i = episode->last + 1; i-- > episode->first;)
                if (rows[i].kind >= BOT_ANSWERED && rows[i].kind <= BOT_CLOSED)
                        return rows[i].kind;
        return BOT_SILENT;
}

static bool said_helped(const struct bot_happened *rows, const struct bot_episode *episode)
{
        for (size_t i = episode->last + 1; i-- > episode->first;)
                if (rows[i].kind == BOT_HELPED || rows[i].kind == BOT_NOT_HELPED)
                        return rows[i].kind == BOT_HELPED;
        return false;
}

static bool has_rule(const struct bot_happened *rows, const struct bot_episode *episode, uint32_t rule)
{
        for (size_t i = episode->first; rule != 0 && i <= episode->last; i++)
                if (rows[i].rule == rule &&
                    (rows[i].kind == BOT_ANSWERED || rows[i].kind == BOT_IN_FLOW || rows[i].kind == BOT_CLOSED))
                        return true;
        return false;
}

/* `next` may be NULL: there is none. */
static bool has_returned(const struct bot_happened *rows, const struct bot_episode *episode,
                         const struct bot_episode *next)
{
        int64_t until_ms = rows[episode->last].at_ms + BOT_DECIDED_AFTER_MS; /* later it is decided */
        if (!next || rows[next->first].at_ms >= until_ms)
                return false;
        return needed_people(rows, next, until_ms) || has_rule(rows, episode, rows[next->first].rule);
}

static enum bot_outcome judge(const struct bot_happened *rows, const struct bot_episode *episode,
                              const struct bot_episode *next, int64_t now_ms)
{
        enum bot_happening act = last_act(rows, episode);
        if (needed_people(rows, episode, INT64_MAX))
                return BOT_HANDED_OFF;
        if (now_ms - rows[episode->last].at_ms < BOT_DECIDED_AFTER_MS)
                return BOT_OPEN;
        if (act != BOT_ANSWERED && act != BOT_CLOSED && act != BOT_HELPED)
                return BOT_LEFT;
        if (said_helped(rows, episode))
                return BOT_CONFIRMED;
        return has_returned(rows, episode, next) ? BOT_RETURNED : BOT_ASSUMED;
}

size_t bot_episodes(const struct bot_happened *rows, size_t count, int64_t now_ms, struct bot_episode *out)
{
        size_t made = gather(rows, count, out);
        for (size_t i = 0; i < made; i++)
                out[i].outcome = judge(rows, &out[i], i + 1 < made ? &out[i + 1] : NULL, now_ms);
        return made;
}

/* ---- two shares ---- */

bool bot_difference_of(int64_t hits1, int64_t all1, int64_t hits2, int64_t all2, struct bot_difference *out)
{
        if (all1 <= 0 || all2 <= 0)
                return false;
        double p1 = (double)hits1 / (double)all1, p2 = (double)hits2 / (double)all2, l1, u1, l2, u2;
        score_wilson(p1, (double)all1, &l1, &u1);
        score_wilson(p2, (double)all2, &l2, &u2);
        *out = (struct bot_difference){
                .difference = p1 - p2,
                .low = p1 - p2 - sqrt((p1 - l1) * (p1 - l1) + (u2 - p2) * (u2 - p2)),
                .high = p1 - p2 + sqrt((u1 - p1) * (u1 - p1) + (p2 - l2) * (p2 - l2)),
        };
        return true;
}
