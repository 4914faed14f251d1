/* SPDX-License-Identifier: Apache-2.0 */
/* Step: what an event is, in the order of docs/bots.md: an option that was offered, words that always hold, the answer
 * a flow waits for, and only then a question of its own. */
#include "bots/step.h"

#include <string.h>

#include "always.h"
#include "turn.h"

enum { STATE_FORM = 1 };

/* ---- the state ------------------------------------------------------------------------------------------------ */

static json_t *fresh_state(void)
{
        return json_pack("{s:i, s:{}, s:i}", "v", STATE_FORM, "slots", "turn", 0);
}

/* What another program, or a version that has gone, may have left behind. */
static bool is_sound(const json_t *state)
{
        static const char *const texts[] = {"lang", "last", "help", "flow", "part", "call", "why", "bot"};
        static const char *const counts[] = {"turn", "misses", "retries", "backs", "asked"};
        const json_t *place = json_object_get(state, "at"), *at;
        size_t i;
        if (json_integer_value(json_object_get(state, "v")) != STATE_FORM ||
            !json_is_object(json_object_get(state, "slots")) || (place && !json_is_array(place)))
                return false;
        for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                const json_t *text = json_object_get(state, texts[i]);
                if (text && (!json_is_string(text) || json_string_length(text) > 79))
                        return false;
        }
        for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
                const json_t *count = json_object_get(state, counts[i]);
                if (count && (!json_is_integer(count) || json_integer_value(count) < 0 ||
                              json_integer_value(count) > 1000000000))
                        return false;
        }
        json_array_foreach(place, i, at) {
                if (!json_is_integer(at) || json_integer_value(at) < (i % 2 ? -1 : 0) ||
                    json_integer_value(at) > 100000)
                        return false;
        }
        return true;
}

static json_t *load_state(struct span text)
{
        json_t *state = text.len > 0 && text.len <= BOT_STATE_BYTES
                                ? json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, NULL)
                                : NULL;
        if (state && is_sound(state))
                return state;
        json_decref(state);
        return fresh_state();
}

/* ---- taps ----------------------------------------------------------------------------------------------------- */

/* "flow x", "handoff y", ... whose id it is; false: nothing of this version. */
static bool find_target(struct turn *turn, struct span id, char out[96])
{
        static const char *const alone[] = {"ticket", "close", "handoff default"};
        const char *name;
        json_t *unused;
        char known[TARGET_ID];
        for (size_t i = 0; i < turn->version->answer_count; i++) {
                if (span_equal(id, span_of(turn->version->answers[i].id))) {
                        snprintf(out, 96, "%s", turn->version->answers[i].name);
                        return true;
                }
        }
        for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
                version_target_id(alone[i], known);
                snprintf(out, 96, "%s", alone[i]);
                if (span_equal(id, span_of(known)))
                        return true;
        }
        json_object_foreach(json_object_get(turn->version->bot, "handoffs"), name, unused) {
                snprintf(out, 96, "handoff %s", name);
                version_target_id(out, known);
                if (span_equal(id, span_of(known)))
                        return true;
        }
        return false;
}

/* "7-1" is the second option of what was offered in turn 7; -1 when that is not the last offer. */
static int option_of(struct turn *turn, struct span id)
{
        char asked[32], number = id.len > 0 ? id.at[id.len - 1] : 0;
        int len = snprintf(asked, sizeof(asked), "%lld-", (long long)state_count(turn, "asked"));
        bool is_last = id.len == (size_t)len + 1 && memcmp(id.at, asked, (size_t)len) == 0;
        return is_last && number >= '0' && number <= '9' ? number - '0' : -1;
}

static void on_tap(struct turn *turn)
{
        struct span id = turn->event->text, rest = {id.at + 2, id.len > 2 ? id.len - 2 : 0};
        char target[96];
        if (span_equal(id, SPAN("person"))) {
                flow_leave(turn);
                turn_hand_off(turn, "default", "asked");
        } else if (span_equal(id, SPAN("none"))) {
                flow_leave(turn);
                answer_miss(turn, "misses");
        } else if (span_equal(id, SPAN("keep"))) {
                turn_say(turn, turn_own_text(turn, "stop.done"), NULL);
        } else if (id.len < 3 || id.at[1] != '-') {
                turn_because(turn, "tap_unknown", NULL);
        } else if (id.at[0] == 's') {
                if (!flow_tapped(turn, option_of(turn, rest)))
                        turn_because(turn, "tap_too_late", NULL);
        } else if (!find_target(turn, rest, target)) {
                turn_because(turn, "tap_unknown", NULL);
        } else if (id.at[0] == 'y' || id.at[0] == 'n') {
                state_set(turn, "help", json_string(target));
                answer_helped(turn, id.at[0] == 'y');
        } else {
                turn_because(turn, "tapped", json_string(target));
                flow_leave(turn);
                turn_go(turn, target, "asked");
        }
}

/* ---- messages ------------------------------------------------------------------------------------------------- */

void turn_choose_language(struct turn *turn)
{
        const char *kept = state_text(turn, "lang"), *hint = turn->event->locale;
        const char *spoken = turn->text && turn->text->token_count > 0
                                     ? bot_language_of(turn->text, kept[0] ? kept : hint)
                             : kept[0] ? kept
                                       : hint;
        /* zh-TW of the profile stays zh-TW when the message is Chinese */
        if (hint && spoken && strncmp(hint, spoken, strcspn(spoken, "-")) == 0 && hint[strcspn(spoken, "-")] == '-')
                spoken = hint;
        turn->language = version_language(turn->version, spoken);
        state_set(turn, "lang", json_string(turn->language->lang));
}

static bool on_always(struct turn *turn)
{
        const char *kept = state_text(turn, "lang"), *spoken = bot_language_of(turn->text, kept[0] ? kept : NULL);
        int rule = always_match(turn->version->always, spoken, turn->text);
        if (rule < 0)
                return false;
        static const char *const names[] = {[ALWAYS_CARE] = "care",
                                            [ALWAYS_PERSON] = "person",
                                            [ALWAYS_STOP] = "stop",
                                            [ALWAYS_RESTART] = "restart"};
        turn_because(turn, "always", json_string(names[rule]));
        flow_leave(turn);
        state_set(turn, "help", NULL);
        state_set(turn, "misses", NULL);
        switch ((enum always_rule)rule) {
        case ALWAYS_CARE:
                turn_hand_off(turn, "default", "care");
                break;
        case ALWAYS_PERSON:
                turn_hand_off(turn, "default", "asked");
                break;
        case ALWAYS_STOP:
                turn_say(turn, turn_own_text(turn, "stop.done"), NULL);
                break;
        default:
                state_set(turn, "slots", json_object());
                state_set(turn, "last", NULL);
                turn_say(turn, turn_own_text(turn, "start.again"), NULL);
                break;
        }
        return true;
}

/* Yes or no while "did this help?" is open. */
static bool on_helped_words(struct turn *turn)
{
        const struct bot_words words = {turn->event->text, turn->text, turn->language->lang, turn->now_ms, 0};
        char value[BOT_ENTITY_VALUE];
        if (state_text(turn, "help")[0] == '\0' || !bot_builtin_find("yesno", &words, value))
                return false;
        answer_helped(turn, value[0] == 'y');
        return true;
}

/* A question in the middle of a flow is answered once, then the flow's own question comes again. */
static bool on_digression(struct turn *turn)
{
        int score = 0;
        const struct version_answer *answer = state_count(turn, "backs") == 0 ? answer_sure(turn, &score) : NULL;
        if (!answer || strcmp(answer->name, state_text(turn, "flow")) == 0)
                return false;
        if (answer->is_flow)
                return false;
        turn_because(turn, "digression", json_string(answer->name));
        state_set(turn, "backs", json_integer(1));
        answer_give(turn, answer, score, true);
        flow_asks_again(turn);
        return true;
}

static void on_message(struct turn *turn)
{
        if (turn->text->token_count == 0) {
                turn_because(turn, "empty", NULL);
                return;
        }
        if (on_always(turn) || on_helped_words(turn))
                return;
        state_set(turn, "help", NULL);
        if (flow_is_running(turn)) {
                if (state_text(turn, "call")[0]) {
                        turn_because(turn, "waits_for_call", NULL);
                        return;
                }
                if (flow_answer(turn, turn->event->text) || on_digression(turn))
                        return;
                flow_refused(turn);
                return;
        }
        state_set(turn, "fresh", json_true());
        answer_message(turn);
}

static void on_call(struct turn *turn)
{
        if (!span_equal(turn->event->call, span_of(state_text(turn, "call"))) || turn->event->call.len == 0)
                turn_because(turn, "call_unknown", NULL);
        else
                flow_call_done(turn);
}

/* ---- the turn ------------------------------------------------------------------------------------------------- */

static void note_text(struct turn *turn)
{
        char key[BOT_TEXT_KEY];
        size_t len = bot_text_key(turn->text, key);
        turn_because(turn, "read",
                     json_pack("{s:s%, s:s, s:i}", "key", key, len, "lang", turn->language->lang, "words",
                               (int)turn->text->token_count));
}

static void run_event(struct turn *turn)
{
        turn_choose_language(turn);
        if (json_is_true(json_object_get(turn->state, "is_done"))) {
                turn_because(turn, "handed_off", NULL);
                return;
        }
        state_set(turn, "turn", json_integer(state_count(turn, "turn") + 1));
        state_set(turn, "bot", json_stringn(turn->version->id, 16));
        switch (turn->event->kind) {
        case BOT_EVENT_MESSAGE:
                note_text(turn);
                on_message(turn);
                break;
        case BOT_EVENT_TAP:
                on_tap(turn);
                break;
        case BOT_EVENT_CALL:
                on_call(turn);
                break;
        }
        state_set(turn, "fresh", NULL);
}

/* A state that has grown too large to be kept goes to a person, with what fits. */
static void bound_state(struct turn *turn)
{
        size_t bytes = json_dumpb(turn->state, NULL, 0, JSON_SORT_KEYS | JSON_COMPACT);
        if (bytes > 0 && bytes <= BOT_STATE_BYTES)
                return;
        turn_because(turn, "state_too_large", json_integer((json_int_t)bytes));
        turn->is_over = false;
        flow_leave(turn);
        if (!json_is_true(json_object_get(turn->state, "is_done")))
                turn_hand_off(turn, "default", "error");
        flow_leave(turn);
        state_set(turn, "slots", json_object());
        state_set(turn, "is_done", json_true());
}

int bot_step(const struct bot_version *version, struct span state, const struct bot_event *event, int64_t now_ms,
             struct bot_turn *out)
{
        struct turn turn = {.version = version, .event = event, .now_ms = now_ms};
        struct bot_text text;
        if ((event->facts && !json_is_object(event->facts)) || (event->result && !json_is_object(event->result)))
                return -1;
        if (event->kind == BOT_EVENT_MESSAGE) {
                bot_text_of(event->text, &text);
                turn.text = &text;
        }
        turn.state = load_state(state);
        turn.actions = json_array();
        turn.why = json_array();
        if (turn.state && turn.actions && turn.why) {
                run_event(&turn);
                bound_state(&turn);
        } else {
                turn.has_failed = true;
        }
        struct bot_turn made = {turn.state, turn.actions, turn.why};
        if (turn.has_failed) {
                bot_turn_done(&made);
                return -1;
        }
        *out = made;
        return 0;
}

void bot_turn_done(struct bot_turn *turn)
{
        json_decref(turn->state);
        json_decref(turn->actions);
        json_decref(turn->why);
        *turn = (struct bot_turn){0};
}
