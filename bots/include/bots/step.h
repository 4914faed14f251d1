/* SPDX-License-Identifier: Apache-2.0 */
/* Step: one turn of the bot: version + state + event -> state + actions. A pure function: no clock, no randomness, no
 * I/O; the same input gives the same bytes, so a log can be replayed and a turn that was interrupted can be run again.
 *
 * Bounds: 32 steps and 5 actions a turn, a state of 4 KB. What would exceed them ends in a hand-off, never in silence.
 */
#pragma once

#include "bots/version.h"

enum { BOT_STATE_BYTES = 4096, BOT_TURN_STEPS = 32, BOT_TURN_ACTIONS = 5 };

enum bot_event_kind {
        BOT_EVENT_MESSAGE, /* the customer wrote */
        BOT_EVENT_TAP,     /* the customer tapped what an action of the bot offered */
        BOT_EVENT_CALL,    /* a call has an answer, or has none */
};

struct bot_event {
        enum bot_event_kind kind;
        struct span text;     /* MESSAGE: any bytes; TAP: the id of the option */
        struct span call;     /* CALL: the id that the action had */
        const json_t *result; /* CALL: what came, an object; NULL = it failed */
        const char *locale;   /* of the customer's profile; NULL = not known */
        /* What is true now, an object or NULL: "open" and "online" (bools), "opens" (a moment, 2026-11-23T09:00+09:00)
         * and "wait" (seconds), "utc_offset_minutes" (number), and whatever the application told about the customer
         * ("plan": "pro"). A text gets the moment and the seconds in the customer's language. */
        const json_t *facts;
        uint64_t conversation; /* chooses between the variants of an answer */
};

/* Each an object of its own; free with bot_turn_done. */
struct bot_turn {
        json_t *state;   /* to be kept with the conversation, as its canonical dump */
        json_t *actions; /* a list; see docs/bots.md, "What the bot does" */
        json_t *why;     /* how it came to that: normal form, language, rule, candidates, thresholds */
};

/* `state` = the text of the state of the turn before, empty for a new conversation. One that is damaged, or of a newer
 * program, is begun anew. 0, or -1: out of memory, or facts and result that are no objects; `out` is then untouched. */
int bot_step(const struct bot_version *version, struct span state, const struct bot_event *event, int64_t now_ms,
             struct bot_turn *out);

void bot_turn_done(struct bot_turn *turn);
