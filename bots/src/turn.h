/* SPDX-License-Identifier: Apache-2.0 */
/* Turn: what the parts of one step share. The state is a JSON object that is changed in place; actions and reasons are
 * appended. Nothing here outlives the step. Running out of memory sets `failed`, and the whole turn is dropped.
 *
 * State: v (1), bot (16 digits of the version it last ran in), lang, turn, slots {}, misses, last (the answer given
 * last), help (the answer whose "did this help?" is open), offers (names of what is offered now, in order), flow ("flow
 * NAME", "handoff NAME"), part ("steps", "open", "closed"), at (place in its steps), retries, call (the id waited for),
 * backs (digressions in this step), is_done (handed off: the bot says nothing any more). */
#pragma once

#include "bots/step.h"
#include "version_private.h"

enum { SLOTS_MAX = 24, MEMBERS_MAX = 24, TURN_NESTING = 24 };

struct turn {
        const struct bot_version *version;
        const struct version_language *language;
        const struct bot_event *event;
        int64_t now_ms;
        struct bot_text *text; /* of a MESSAGE, normalised; NULL otherwise */
        json_t *state, *actions, *why;
        int steps;         /* done in this turn */
        bool is_over;      /* handed off, closed, or a ticket: nothing more this turn */
        bool has_failed;   /* out of memory */
        bool knows_nobody; /* conditions are not judged: every answer is allowed (lone.c) */
};

/* ---- says.c: texts ------------------------------------------------------------------------------------------- */

/* A text that every bot has ("helped.ask"): the author's, else ours, in the customer's language. New reference. */
json_t *turn_own_text(struct turn *turn, const char *key);
/* Ours, as it stands; borrowed for ever. */
struct span turn_own_line(const struct turn *turn, const char *key);

/* `text` with $slot, $slot.member and $fact filled in; what comes from outside cannot be read as markup. New reference.
 */
json_t *turn_fill(struct turn *turn, const char *text);

/* spoken.c: the value of the fact `opens` or `wait` in the customer's words; new reference. NULL: it is none of these.
 */
json_t *turn_spoken(struct turn *turn, const char *fact, const json_t *value);

/* ---- values.c: slots, facts, conditions ----------------------------------------------------------------------- */

const json_t *turn_var(struct turn *turn, const char *path);  /* "order" or "o.status"; NULL: not set */
json_t *turn_value(struct turn *turn, const json_t *operand); /* new reference; null when not set */
bool turn_holds(struct turn *turn, const json_t *condition);  /* NULL holds */
/* A slot, a text of at most 256 bytes or another plain value, or an object of such; more is not kept. */
void turn_set(struct turn *turn, const char *slot, json_t *value); /* takes the reference */
bool turn_fact_is_true(struct turn *turn, const char *name, bool otherwise);

/* ---- actions.c ------------------------------------------------------------------------------------------------ */

/* Takes the reference of `action`; adds the rule it came from. */
void turn_act(struct turn *turn, json_t *action, const char *rule);
void turn_say(struct turn *turn, json_t *text, const char *rule); /* takes the reference; NULL says nothing */
/* `options` = [{"id", "label"}]; both references are taken. */
void turn_offer(struct turn *turn, json_t *text, json_t *options, const char *rule);
json_t *turn_option(const char *id, json_t *label);                     /* takes `label` */
void turn_because(struct turn *turn, const char *what, json_t *detail); /* takes `detail`, may be NULL */

/* ---- flow.c: running steps ------------------------------------------------------------------------------------ */

/* Begins "flow NAME" or "handoff NAME"; anything that was being run is left. `why` = for the hand-off. */
void flow_begin(struct turn *turn, const char *name, const char *why);
void flow_leave(struct turn *turn);
bool flow_is_running(struct turn *turn);
const json_t *flow_waits_at(struct turn *turn); /* the step that waits for the customer or a call; NULL */
/* The customer answered the step that waits; false: that is no answer to it. */
bool flow_answer(struct turn *turn, struct span original);
bool flow_tapped(struct turn *turn, int option); /* option of a `choices` step */
void flow_refused(struct turn *turn);            /* no answer: asks again, or goes the way of `else` */
void flow_asks_again(struct turn *turn);         /* after a digression */
void flow_call_done(struct turn *turn);
void turn_go(struct turn *turn, const char *target,
             const char *why); /* "faq X", "flow X", "handoff X", "ticket", "close" */
void turn_hand_off(struct turn *turn, const char *name, const char *why);

/* ---- answers.c: faqs, choices, misses -------------------------------------------------------------------------- */

void answer_give(struct turn *turn, const struct version_answer *answer, int score, bool is_digression);
void answer_helped(struct turn *turn, bool has_helped);
void answer_message(struct turn *turn); /* patterns, then the ranker, then the ladder of misses */
/* A lone answer that is sure enough to interrupt a flow; NULL. */
const struct version_answer *answer_sure(struct turn *turn, int *out_score);
void answer_miss(struct turn *turn, const char *why);
void answer_offer_person(struct turn *turn);

/* step.c: the language to speak, from the message, what was spoken before and the profile. */
void turn_choose_language(struct turn *turn);

/* Small things. */
const char *state_text(struct turn *turn, const char *name); /* "" when it is not there */
json_int_t state_count(struct turn *turn, const char *name);
void state_set(struct turn *turn, const char *name, json_t *value); /* takes it; NULL takes the member away */
