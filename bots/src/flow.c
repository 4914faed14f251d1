/* SPDX-License-Identifier: Apache-2.0 */
/* Flow: steps of flows and of hand-offs, run until one waits for the customer or a call, or the end is reached. The
 * place is a list of numbers in the state: [3] is the fourth step; [3, 1, 0] the first step of the second case of the
 * branch there; [3, -1, 0] the first of its `else`. A place that the bot's version no longer has counts as the flow's
 * end. */
#include <stdlib.h>
#include <string.h>

#include "turn.h"

/* ---- where we are --------------------------------------------------------------------------------------------- */

static const json_t *running_block(struct turn *turn)
{
        const char *name = state_text(turn, "flow");
        if (strncmp(name, "flow ", 5) == 0)
                return json_object_get(json_object_get(turn->version->bot, "flows"), name + 5);
        if (strncmp(name, "handoff ", 8) == 0)
                return json_object_get(json_object_get(turn->version->bot, "handoffs"), name + 8);
        return NULL;
}

bool flow_is_running(struct turn *turn)
{
        return running_block(turn) != NULL;
}

void flow_leave(struct turn *turn)
{
        static const char *const members[] = {"flow", "part", "at", "retries", "call", "backs", "why", "asked"};
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
                state_set(turn, members[i], NULL);
}

/* The list that the place's last number counts in; *out_step = the step there, NULL behind the end. */
static const json_t *find_list(struct turn *turn, const json_t **out_step)
{
        const json_t *place = json_object_get(turn->state, "at");
        const json_t *list = json_object_get(running_block(turn), state_text(turn, "part"));
        size_t depth = json_array_size(place);
        *out_step = NULL;
        if (!json_is_array(list) || depth == 0 || depth % 2 == 0 || depth > TURN_NESTING)
                return NULL;
        for (size_t i = 0; i + 2 < depth; i += 2) {
                const json_t *step = json_array_get(list, (size_t)json_integer_value(json_array_get(place, i)));
                json_int_t way = json_integer_value(json_array_get(place, i + 1));
                list = way < 0 ? json_object_get(step, "else")
                               : json_object_get(json_array_get(json_object_get(step, "cases"), (size_t)way), "steps");
                if (!json_is_array(list))
                        return NULL;
        }
        *out_step = json_array_get(list, (size_t)json_integer_value(json_array_get(place, depth - 1)));
        return list;
}

/* The step after this one; out of lists that have ended. */
static void go_next(struct turn *turn)
{
        json_t *place = json_object_get(turn->state, "at");
        const json_t *step;
        for (;;) {
                size_t last = json_array_size(place) - 1;
                json_int_t at = json_integer_value(json_array_get(place, last));
                json_array_set_new(place, last, json_integer(at + 1));
                find_list(turn, &step);
                if (step || last < 2)
                        break;
                json_array_remove(place, last);
                json_array_remove(place, last - 1);
        }
        state_set(turn, "retries", NULL);
        state_set(turn, "backs", NULL);
}

/* Into a case (0 and up) or the `else` (-1) of the step where we are. */
static void go_into(struct turn *turn, json_int_t way)
{
        json_t *place = json_object_get(turn->state, "at");
        if (json_array_append_new(place, json_integer(way)) < 0 || json_array_append_new(place, json_integer(0)) < 0)
                turn->has_failed = true;
        state_set(turn, "retries", NULL);
        state_set(turn, "backs", NULL);
}

static bool is_step(const json_t *step, const char *word)
{
        const char *its = json_string_value(json_object_get(step, "do"));
        return its && strcmp(its, word) == 0;
}

const json_t *flow_waits_at(struct turn *turn)
{
        const json_t *step = NULL;
        if (!flow_is_running(turn))
                return NULL;
        find_list(turn, &step);
        return is_step(step, "ask") || is_step(step, "choices") || is_step(step, "call") ? step : NULL;
}

/* ---- texts of the block --------------------------------------------------------------------------------------- */

static json_t *block_text(struct turn *turn, const json_t *key)
{
        const json_t *texts = json_object_get(running_block(turn), "texts");
        const char *name = json_string_value(key);
        const json_t *text = json_object_get(version_texts(turn->version, texts, turn->language->lang), name);
        if (!text)
                text = json_object_get(json_object_get(texts, turn->version->lang), name);
        return text ? turn_fill(turn, json_string_value(text)) : NULL;
}

static void say_key(struct turn *turn, const json_t *key)
{
        turn_say(turn, block_text(turn, key), state_text(turn, "flow"));
}

/* ---- ending --------------------------------------------------------------------------------------------------- */

/* {slot: value} of what the hand-off names, or of all plain slots. */
static json_t *carried(struct turn *turn, const json_t *handoff)
{
        json_t *slots = json_object_get(turn->state, "slots"), *kept = json_object(), *name;
        const json_t *names = json_object_get(handoff, "carry");
        size_t i;
        if (!names) {
                json_decref(kept);
                return json_deep_copy(slots);
        }
        json_array_foreach(names, i, name) {
                json_t *value = json_object_get(slots, json_string_value(name));
                if (value)
                        json_object_set_new(kept, json_string_value(name), json_deep_copy(value));
        }
        return kept;
}

static void end_turn(struct turn *turn, json_t *action, const char *rule)
{
        turn_act(turn, action, rule);
        flow_leave(turn);
        state_set(turn, "offers", NULL);
        state_set(turn, "help", NULL);
        state_set(turn, "is_done", json_true());
        turn->is_over = true;
}

/* The action itself, after what the block says. */
static void give_over(struct turn *turn, const char *name, const char *why)
{
        const json_t *handoff = json_object_get(json_object_get(turn->version->bot, "handoffs"), name);
        const char *priority = json_string_value(json_object_get(handoff, "priority"));
        json_t *action = json_pack("{s:s, s:s, s:s, s:s, s:o}", "do", "handoff", "to", name, "why", why, "priority",
                                   strcmp(why, "care") == 0 ? "urgent"
                                   : priority               ? priority
                                                            : "normal",
                                   "carry", carried(turn, handoff));
        const json_t *team = json_object_get(handoff, "team");
        if (action && team)
                json_object_set(action, "team", (json_t *)team);
        end_turn(turn, action, NULL);
}

/* Which of our texts tells the truth about the person who is to come. */
static const char *person_key(struct turn *turn, const char *why, bool is_open)
{
        if (strcmp(why, "care") == 0)
                return "person.care";
        if (is_open && !turn_fact_is_true(turn, "online", true))
                return "person.away";
        if (strcmp(why, "error") == 0 && is_open)
                return "error.open";
        if (is_open)
                return "person.open";
        return json_object_get(turn->event->facts, "opens") ? "person.back" : "person.closed";
}

void turn_hand_off(struct turn *turn, const char *name, const char *why)
{
        char block[80];
        const json_t *handoff = json_object_get(json_object_get(turn->version->bot, "handoffs"), name);
        bool is_open = turn_fact_is_true(turn, "open", true);
        const char *part = is_open ? "open" : "closed";
        if (turn->is_over)
                return;
        if (handoff && json_array_size(json_object_get(handoff, part)) > 0 && strcmp(why, "care") != 0) {
                snprintf(block, sizeof(block), "handoff %s", name);
                flow_begin(turn, block, why);
                return;
        }
        turn_say(turn, turn_own_text(turn, person_key(turn, why, is_open)), NULL);
        give_over(turn, name, why);
}

/* Behind the last step: a hand-off is done, a flow leaves the customer free to ask anything. */
static void reach_end(struct turn *turn)
{
        char name[80], why[32];
        snprintf(name, sizeof(name), "%s", state_text(turn, "flow"));
        snprintf(why, sizeof(why), "%s", state_text(turn, "why"));
        flow_leave(turn);
        if (strncmp(name, "handoff ", 8) == 0)
                give_over(turn, name + 8, why[0] ? why : "flow");
        else
                turn_because(turn, "flow_ended", json_string(name));
}

/* ---- steps ---------------------------------------------------------------------------------------------------- */

/* A step says whether to go on with the next one. */
enum after { GO_NEXT, GO_HERE, WAIT };

/* What the customer said when the flow began may hold the answer already; only what an author described is looked for.
 */
static bool is_known_already(struct turn *turn, const json_t *step)
{
        char value[BOT_ENTITY_VALUE];
        const char *name = json_string_value(json_object_get(step, "entity"));
        const struct bot_entity *entity = version_entity(turn->version, name);
        if (!entity || !turn->text || !json_is_true(json_object_get(turn->state, "fresh")))
                return false;
        const struct bot_words words = {turn->event->text, turn->text, turn->language->lang, turn->now_ms, 0};
        if (!bot_entity_find(entity, &words, value))
                return false;
        turn_set(turn, json_string_value(json_object_get(step, "as")), json_string(value));
        return true;
}

static enum after step_ask(struct turn *turn, const json_t *step)
{
        if (is_known_already(turn, step))
                return GO_NEXT;
        say_key(turn, json_object_get(step, "text"));
        return WAIT;
}

static void offer_options(struct turn *turn, const json_t *step)
{
        json_t *options = json_array(), *option;
        char id[40];
        size_t i;
        state_set(turn, "asked", json_integer(state_count(turn, "turn")));
        json_array_foreach(json_object_get(step, "options"), i, option) {
                snprintf(id, sizeof(id), "s-%lld-%zu", (long long)state_count(turn, "turn"), i);
                json_array_append_new(options, turn_option(id, block_text(turn, json_object_get(option, "label"))));
        }
        turn_offer(turn, block_text(turn, json_object_get(step, "text")), options, state_text(turn, "flow"));
}

static enum after step_choices(struct turn *turn, const json_t *step)
{
        offer_options(turn, step);
        return WAIT;
}

static enum after step_set(struct turn *turn, const json_t *step)
{
        turn_set(turn, json_string_value(json_object_get(step, "as")),
                 turn_value(turn, json_object_get(step, "value")));
        return GO_NEXT;
}

static enum after step_call(struct turn *turn, const json_t *step)
{
        const char *name;
        json_t *operand, *args = json_object();
        const json_t *timeout = json_object_get(step, "timeout_ms");
        char id[40];
        snprintf(id, sizeof(id), "c%lld-%d", (long long)state_count(turn, "turn"), turn->steps);
        json_object_foreach(json_object_get(step, "args"), name, operand)
                json_object_set_new(args, name, turn_value(turn, operand));
        turn_act(turn,
                 json_pack("{s:s, s:s, s:s, s:o, s:I}", "do", "call", "id", id, "name",
                           json_string_value(json_object_get(step, "name")), "args", args, "timeout_ms",
                           timeout ? json_integer_value(timeout) : (json_int_t)3000),
                 state_text(turn, "flow"));
        state_set(turn, "call", json_string(id));
        return WAIT;
}

static enum after step_branch(struct turn *turn, const json_t *step)
{
        const json_t *a_case;
        size_t i;
        json_array_foreach(json_object_get(step, "cases"), i, a_case) {
                if (!turn_holds(turn, json_object_get(a_case, "when")))
                        continue;
                go_into(turn, (json_int_t)i);
                return GO_HERE;
        }
        return GO_NEXT;
}

static enum after step_goto(struct turn *turn, const json_t *step)
{
        char target[96];
        snprintf(target, sizeof(target), "%s", json_string_value(json_object_get(step, "to")));
        flow_leave(turn);
        turn_go(turn, target, "flow");
        return WAIT;
}

static enum after step_handoff(struct turn *turn, const json_t *step)
{
        char name[80];
        snprintf(name, sizeof(name), "%s", json_string_value(json_object_get(step, "to")));
        flow_leave(turn);
        turn_hand_off(turn, name, "flow");
        return WAIT;
}

static enum after step_say(struct turn *turn, const json_t *step)
{
        say_key(turn, json_object_get(step, "text"));
        return GO_NEXT;
}

static enum after step_article(struct turn *turn, const json_t *step)
{
        turn_act(turn, json_pack("{s:s, s:O}", "do", "article", "ref", json_object_get(step, "ref")),
                 state_text(turn, "flow"));
        return GO_NEXT;
}

static enum after step_tag(struct turn *turn, const json_t *step)
{
        turn_act(turn, json_pack("{s:s, s:O}", "do", "tag", "name", json_object_get(step, "name")),
                 state_text(turn, "flow"));
        return GO_NEXT;
}

static enum after step_ticket(struct turn *turn, const json_t *step)
{
        (void)step;
        turn_go(turn, "ticket", "flow");
        return WAIT;
}

static enum after step_close(struct turn *turn, const json_t *step)
{
        (void)step;
        turn_go(turn, "close", "flow");
        return WAIT;
}

static const struct {
        const char *word;
        enum after (*run)(struct turn *turn, const json_t *step);
} STEPS[] = {
        {"say", step_say},         {"ask", step_ask},   {"choices", step_choices}, {"set", step_set},
        {"call", step_call},       {"goto", step_goto}, {"branch", step_branch},   {"handoff", step_handoff},
        {"article", step_article}, {"tag", step_tag},   {"ticket", step_ticket},   {"close", step_close},
};

static enum after run_step(struct turn *turn, const json_t *step)
{
        for (size_t i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]); i++) {
                if (is_step(step, STEPS[i].word))
                        return STEPS[i].run(turn, step);
        }
        return GO_NEXT;
}

/* From the place where we are. A turn that takes too many steps ends with a person. */
static void run(struct turn *turn)
{
        const json_t *step;
        while (!turn->is_over && !turn->has_failed && flow_is_running(turn)) {
                if (turn->steps++ == BOT_TURN_STEPS) {
                        flow_leave(turn);
                        turn_because(turn, "too_many_steps", NULL);
                        turn_say(turn, turn_own_text(turn, "error.open"), NULL);
                        give_over(turn, "default", "error");
                        return;
                }
                find_list(turn, &step);
                if (!step) {
                        reach_end(turn);
                        return;
                }
                enum after after = run_step(turn, step);
                if (after == WAIT)
                        return;
                if (after == GO_NEXT)
                        go_next(turn);
        }
}

void flow_begin(struct turn *turn, const char *name, const char *why)
{
        char block[80];
        snprintf(block, sizeof(block), "%s", name);
        flow_leave(turn);
        if (turn->is_over)
                return;
        bool is_open = turn_fact_is_true(turn, "open", true);
        state_set(turn, "flow", json_string(block));
        state_set(turn, "part", json_string(strncmp(block, "flow ", 5) == 0 ? "steps" : is_open ? "open" : "closed"));
        state_set(turn, "at", json_pack("[i]", 0));
        if (why)
                state_set(turn, "why", json_string(why));
        turn_because(turn, "begins", json_string(block));
        run(turn);
}

void turn_go(struct turn *turn, const char *target, const char *why)
{
        const struct version_answer *answer;
        if (turn->is_over)
                return;
        if (turn->steps++ >= BOT_TURN_STEPS)
                turn_hand_off(turn, "default", "error");
        else if (strncmp(target, "handoff ", 8) == 0)
                turn_hand_off(turn, target + 8, why);
        else if (strncmp(target, "flow ", 5) == 0)
                flow_begin(turn, target, why);
        else if ((answer = version_answer(turn->version, target)) != NULL)
                answer_give(turn, answer, 0, false);
        else if (strcmp(target, "ticket") == 0)
                end_turn(turn, json_pack("{s:s, s:s, s:o}", "do", "ticket", "why", why, "carry", carried(turn, NULL)),
                         NULL);
        else
                end_turn(turn, json_pack("{s:s}", "do", "close"), NULL);
}

/* ---- answers to a step that waits ----------------------------------------------------------------------------- */

/* The option whose label, or whose number in the list, the customer wrote; -1. */
static int option_said(struct turn *turn, const json_t *step)
{
        char said[BOT_TEXT_KEY], label[BOT_TEXT_KEY];
        size_t said_len = bot_text_key(turn->text, said), i;
        json_t *option;
        json_array_foreach(json_object_get(step, "options"), i, option) {
                struct bot_text text;
                char number[24];
                json_t *shown = block_text(turn, json_object_get(option, "label"));
                bot_text_of((struct span){json_string_value(shown), json_string_length(shown)}, &text);
                size_t len = bot_text_key(&text, label);
                json_decref(shown);
                snprintf(number, sizeof(number), "%zu", i + 1);
                if (span_equal((struct span){said, said_len}, (struct span){label, len}) ||
                    span_equal((struct span){said, said_len}, span_of(number)))
                        return (int)i;
        }
        return -1;
}

bool flow_tapped(struct turn *turn, int number)
{
        const json_t *step = flow_waits_at(turn);
        const json_t *option = json_array_get(json_object_get(step, "options"), (size_t)number);
        const char *slot = json_string_value(json_object_get(step, "as"));
        char target[96] = "";
        if (!is_step(step, "choices") || number < 0 || !option)
                return false;
        if (json_object_get(option, "to"))
                snprintf(target, sizeof(target), "%s", json_string_value(json_object_get(option, "to")));
        if (slot && json_object_get(option, "value"))
                turn_set(turn, slot, turn_value(turn, json_object_get(option, "value")));
        if (target[0]) {
                flow_leave(turn);
                turn_go(turn, target, "flow");
        } else {
                go_next(turn);
                run(turn);
        }
        return true;
}

bool flow_answer(struct turn *turn, struct span original)
{
        const json_t *step = flow_waits_at(turn);
        const json_t *utc = json_object_get(turn->event->facts, "utc_offset_minutes");
        const struct bot_words words = {original, turn->text, turn->language->lang, turn->now_ms,
                                        (int)json_integer_value(utc)};
        char value[BOT_ENTITY_VALUE];
        if (is_step(step, "choices"))
                return flow_tapped(turn, option_said(turn, step));
        if (!is_step(step, "ask"))
                return false;
        const char *name = json_string_value(json_object_get(step, "entity"));
        const struct bot_entity *entity = version_entity(turn->version, name);
        if (!(entity ? bot_entity_find(entity, &words, value) : bot_builtin_find(name, &words, value)))
                return false;
        turn_because(turn, "answers", json_pack("{s:s, s:s}", "entity", name, "value", value));
        turn_set(turn, json_string_value(json_object_get(step, "as")), json_string(value));
        go_next(turn);
        run(turn);
        return true;
}

void flow_asks_again(struct turn *turn)
{
        const json_t *step = flow_waits_at(turn);
        if (is_step(step, "choices"))
                offer_options(turn, step);
        else if (is_step(step, "ask"))
                say_key(turn, json_object_get(step, "text"));
}

void flow_refused(struct turn *turn)
{
        const json_t *step = flow_waits_at(turn), *retry = json_object_get(step, "retry");
        json_int_t most = retry ? json_integer_value(retry) : 2, done = state_count(turn, "retries");
        if (done >= most) {
                turn_because(turn, "retries_used", json_integer(done));
                if (json_object_get(step, "else")) {
                        go_into(turn, -1);
                        run(turn);
                } else {
                        flow_leave(turn);
                        turn_hand_off(turn, "default", "misses");
                }
                return;
        }
        state_set(turn, "retries", json_integer(done + 1));
        turn_say(turn, turn_own_text(turn, "retry"), state_text(turn, "flow"));
        if (json_object_get(step, "hint"))
                say_key(turn, json_object_get(step, "hint"));
        else
                flow_asks_again(turn);
}

void flow_call_done(struct turn *turn)
{
        const json_t *step = flow_waits_at(turn);
        const char *slot = json_string_value(json_object_get(step, "into"));
        state_set(turn, "call", NULL);
        if (!is_step(step, "call"))
                return;
        turn_because(turn, turn->event->result ? "call_answered" : "call_failed",
                     json_incref(json_object_get(step, "name")));
        if (turn->event->result) {
                if (slot)
                        turn_set(turn, slot, json_incref((json_t *)turn->event->result));
                go_next(turn);
                run(turn);
        } else if (json_object_get(step, "else")) {
                go_into(turn, -1);
                run(turn);
        } else {
                flow_leave(turn);
                turn_hand_off(turn, "default", "error");
        }
}
