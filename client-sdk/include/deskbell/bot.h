/* SPDX-License-Identifier: Apache-2.0 */
/* A bot of an app, as a program: the server asks it for its turn each time a customer wrote, and its answer is taken
 * whole or not at all. For a client that was opened with the key of a bot (options.agent_token) whose kind is
 * `program` (or `webhook`, which has promised an answer); see docs/bots.md of the server.
 *
 *     static void on_turn(deskbell_client *client, const struct deskbell_turn *turn, void *data)
 *     {
 *             deskbell_act_say(client, turn, "Hello");
 *     }
 *     ...
 *     struct deskbell_bot bot = DESKBELL_BOT_INIT;
 *     bot.on_turn = on_turn;
 *     deskbell_bot_start(client, &bot);
 *     deskbell_connect(client);
 *
 * Nothing of it is in the client's file, and nothing is lost: after a restart what was not answered is asked again, and
 * the server knows a turn by its number, so nothing is said twice. An answer is sent until the server has taken or
 * refused it, over as many connections as that takes. A turn that nobody answers within 30 s goes to people.
 *
 * Threads, texts and lifetimes are as in deskbell.h. */
#ifndef DESKBELL_BOT_H
#define DESKBELL_BOT_H

#include <deskbell/deskbell.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the bot is asked. */
struct deskbell_turn {
        const char *conversation;                 /* "cnv_..." */
        int64_t turn;                             /* its number in that conversation */
        int64_t seq;                              /* of the customer's message */
        const char *key;                          /* of the conversation: "main" */
        const char *customer;                     /* "usr_..." */
        const char *external_id;                  /* the app's own id of the user; "" = none */
        const char *name;                         /* of the customer; "" = none told */
        const char *locale;                       /* BCP 47; "" = none told */
        const char *state;                        /* what the turn before kept; "" = nothing */
        const char *text;                         /* what he wrote; of an attachment the caption; "" = nothing */
        const char *pressed_id;                   /* the choice that was tapped; "" = none */
        const struct deskbell_form_value *filled; /* what was filled into a form */
        size_t filled_count;
        const struct deskbell_form_value *facts; /* id = name: open, online, opens, wait; what the app told of him */
        size_t facts_count;
        int64_t deadline_ms; /* then people get the conversation; 0 = not told */
};

enum deskbell_does {
        DESKBELL_SAY = 1,      /* `text` */
        DESKBELL_OFFER = 2,    /* `text` with buttons: `choices` */
        DESKBELL_HAND_OFF = 3, /* gives the conversation to people: `why`, `team`; the last action */
        DESKBELL_TAG = 4,      /* notes `text` on it */
        DESKBELL_END = 5       /* ends the bot's dialogue, the state goes; the last action */
};

struct deskbell_action {
        enum deskbell_does does;
        const char *text;
        const struct deskbell_choice *choices;
        size_t choices_count; /* 1-10 */
        const char *why;      /* a word for the team and the numbers, 1-64 bytes; NULL = "asked" */
        const char *team;     /* 1-64 bytes; NULL = none */
};

/* What the bot made of the message; counted by the server. */
enum deskbell_decision {
        DESKBELL_DECIDED_NOTHING = 0,
        DESKBELL_DECIDED_ANSWER = 1,
        DESKBELL_DECIDED_CHOICES = 2,
        DESKBELL_DECIDED_MISS = 3, /* it did not understand */
        DESKBELL_DECIDED_FLOW = 4, /* a step of a dialogue */
        DESKBELL_DECIDED_HELPED = 5,
        DESKBELL_DECIDED_NOT_HELPED = 6
};

struct deskbell_act {
        size_t size; /* sizeof(struct deskbell_act) */
        const struct deskbell_action *actions;
        size_t actions_count; /* 0-8; 0 = silence */
        const char *state;    /* to be told at the next turn, at most 4,096 bytes; NULL = nothing */
        enum deskbell_decision decision;
        const char *rule; /* the answer decided for, 1-128 bytes; NULL = none */
};

#define DESKBELL_ACT_INIT                                                                                              \
        {                                                                                                              \
                sizeof(struct deskbell_act), 0, 0, 0, DESKBELL_DECIDED_NOTHING, 0                                      \
        }

/* What became of a deskbell_act. */
struct deskbell_acted {
        const char *conversation;
        int64_t turn;
        int error;       /* 0: said and kept. REFUSED: nothing of it was, for good; `tag` says why */
        const char *tag; /* "not_owner": a person was faster, or the turn is over; "bad_request", ...; else "" */
};

typedef void (*deskbell_turn_fn)(deskbell_client *client, const struct deskbell_turn *turn, void *data);
typedef void (*deskbell_acted_fn)(deskbell_client *client, const struct deskbell_acted *acted, void *data);

struct deskbell_bot {
        size_t size;                /* sizeof(struct deskbell_bot) */
        deskbell_turn_fn on_turn;   /* a turn, once; perhaps again when its answer was refused */
        deskbell_acted_fn on_acted; /* once for each deskbell_act that returned 0, unless the client is closed before;
                                     * may be NULL */
        void *data;
};

#define DESKBELL_BOT_INIT                                                                                              \
        {                                                                                                              \
                sizeof(struct deskbell_bot), 0, 0, 0                                                                   \
        }

/* From now on the client is a bot: asks for what waits in each session, and hears of what comes. Once a client. Errors:
 * INVALID (also: no on_turn), STATE (no agent_token, or done before). */
DESKBELL_API int deskbell_bot_start(deskbell_client *client, const struct deskbell_bot *bot);

/* Answers a turn, at once or later, from any thread: of `turn` only conversation, turn and seq are looked at. All is
 * copied. Sent when there is a session, and again until the server has answered; on_acted tells what it said. Errors:
 * INVALID (also: an action behind a hand-off or an end), TEXT, TOO_LONG, NOMEM, EXISTS (this turn's answer is under
 * way), STATE (not after deskbell_bot_start). */
DESKBELL_API int deskbell_act(deskbell_client *client, const struct deskbell_turn *turn,
                              const struct deskbell_act *act);

/* One action, and no more. Errors as above. */
static inline int deskbell_act_one(deskbell_client *client, const struct deskbell_turn *turn,
                                   struct deskbell_action action, enum deskbell_decision decision)
{
        struct deskbell_act act = DESKBELL_ACT_INIT;

        act.actions = &action;
        act.actions_count = 1;
        act.decision = decision;
        return deskbell_act(client, turn, &act);
}

/* The answer. */
static inline int deskbell_act_say(deskbell_client *client, const struct deskbell_turn *turn, const char *text)
{
        struct deskbell_action action = {DESKBELL_SAY, text, 0, 0, 0, 0};

        return deskbell_act_one(client, turn, action, DESKBELL_DECIDED_ANSWER);
}

/* Choices, because the bot is less sure. */
static inline int deskbell_act_offer(deskbell_client *client, const struct deskbell_turn *turn, const char *text,
                                     const struct deskbell_choice *choices, size_t choices_count)
{
        struct deskbell_action action = {DESKBELL_OFFER, text, choices, choices_count, 0, 0};

        return deskbell_act_one(client, turn, action, DESKBELL_DECIDED_CHOICES);
}

/* To people; why, team: may be NULL. */
static inline int deskbell_act_hand_off(deskbell_client *client, const struct deskbell_turn *turn, const char *why,
                                        const char *team)
{
        struct deskbell_action action = {DESKBELL_HAND_OFF, 0, 0, 0, why, team};

        return deskbell_act_one(client, turn, action, DESKBELL_DECIDED_NOTHING);
}

#ifdef __cplusplus
}
#endif

#endif
