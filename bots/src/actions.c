/* SPDX-License-Identifier: Apache-2.0 */
/* Actions of a turn. The last of the five is kept for what waits for the customer or ends the turn: what the bot only
 * says beyond four is put below what it said before. */
#include <string.h>

#include "turn.h"

void turn_because(struct turn *turn, const char *what, json_t *detail)
{
        json_t *reason = json_pack("{s:s}", "what", what);
        if (reason && detail && json_object_set(reason, "detail", detail) < 0)
                turn->has_failed = true;
        json_decref(detail);
        if (!reason || json_array_append_new(turn->why, reason) < 0)
                turn->has_failed = true;
}

static bool is_kind(const json_t *action, const char *kind)
{
        const char *word = json_string_value(json_object_get(action, "do"));
        return word && strcmp(word, kind) == 0;
}

/* The text of `action` goes below the last thing that was said; false: nothing was. */
static bool join(struct turn *turn, const json_t *action)
{
        for (size_t i = json_array_size(turn->actions); i-- > 0;) {
                json_t *before = json_array_get(turn->actions, i);
                const char *said = json_string_value(json_object_get(before, "text"));
                const char *more = json_string_value(json_object_get(action, "text"));
                if (!said || !more)
                        continue;
                json_t *both = json_sprintf("%s\n\n%s", said, more);
                if (!both || json_object_set_new(before, "text", both) < 0)
                        turn->has_failed = true;
                return true;
        }
        return false;
}

void turn_act(struct turn *turn, json_t *action, const char *rule)
{
        if (!action || (rule && json_object_set_new(action, "rule", json_string(rule)) < 0)) {
                turn->has_failed = true;
                json_decref(action);
                return;
        }
        bool is_end = is_kind(action, "handoff") || is_kind(action, "ticket") || is_kind(action, "close");
        if (is_end && json_array_size(turn->actions) == BOT_TURN_ACTIONS)
                json_array_remove(turn->actions, BOT_TURN_ACTIONS - 1); /* an offer that nobody can take any more */
        size_t room =
                BOT_TURN_ACTIONS - (is_kind(action, "say") || is_kind(action, "tag") || is_kind(action, "article"));
        if (json_array_size(turn->actions) >= room) {
                /* A tag or an article is dropped here and named; a text is not lost. */
                if (!join(turn, action))
                        turn_because(turn, "action_dropped", json_incref(action));
                json_decref(action);
                return;
        }
        if (json_array_append_new(turn->actions, action) < 0)
                turn->has_failed = true;
}

void turn_say(struct turn *turn, json_t *text, const char *rule)
{
        if (!text || json_string_length(text) == 0) {
                json_decref(text);
                return;
        }
        turn_act(turn, json_pack("{s:s, s:o}", "do", "say", "text", text), rule);
}

json_t *turn_option(const char *id, json_t *label)
{
        return json_pack("{s:s, s:o}", "id", id, "label", label);
}

void turn_offer(struct turn *turn, json_t *text, json_t *options, const char *rule)
{
        turn_act(turn, json_pack("{s:s, s:o, s:o}", "do", "choices", "text", text, "options", options), rule);
}
