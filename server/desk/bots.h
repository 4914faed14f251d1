/* SPDX-License-Identifier: Apache-2.0 */
/* Bots: which app has one, who answers a conversation, what the bot has been asked and what it did. The desk decides
 * whether a bot may speak; how it finds its words is not known here: a turn goes to a bot thread (bot_threads.h) and
 * comes back as one `bot.act`, which is accepted whole or refused.
 *
 * Always true: at most one turn of a conversation is under way; what it says is stored under ids made from the turn, so
 * it cannot be said twice; a person's word ends the bot's ownership in the same transaction; a customer's message that
 * the bot has to answer is noted in the transaction that stores it, so that it is asked again after a crash.
 * Desk thread only. */
#pragma once

#include "desk/command.h"
#include "store/conversations.h"

struct desk;
struct conversation;
struct entry_row;

/* bot.kind in the store. */
enum bot_kind { BOT_BUILT_IN = 1, BOT_WEBHOOK = 2, BOT_PROGRAM = 3 };

/* bot_event.kind in the store; a number never changes its meaning. */
enum bot_happening {
        BOT_ANSWERED = 1,   /* one sure answer */
        BOT_OFFERED = 2,    /* choices, because it was less sure */
        BOT_MISSED = 3,     /* nothing understood */
        BOT_IN_FLOW = 4,    /* a step of a dialogue */
        BOT_HELPED = 5,     /* the customer said so */
        BOT_NOT_HELPED = 6, /* and so */
        BOT_HANDED = 7,     /* to people; rule: why */
        BOT_TICKET = 8,     /* the same while nobody was there */
        BOT_CLOSED = 9,     /* ended its dialogue */
        BOT_FAILED = 10,    /* no turn came, or a broken one: opened to people; rule: why */
        BOT_HELD_OUT = 11,  /* the conversation skips the bot, to compare */
        BOT_PERSON = 12,    /* a person took it: spoke for the first time since, or took it over */
        BOT_GIVEN_BACK = 13,
        BOT_SILENT = 14, /* a turn that says nothing of the above */
        BOT_TAGGED = 15, /* rule: the tag */
};

enum {
        BOT_SECRET_MAX = 64,
        BOT_WEBHOOK_MS = 5000,       /* a webhook bot's time for its answer, unless it is set */
        BOT_PROMISED_MS = 60 * 1000, /* for bot.act, after it has answered 202 */
        BOT_LEARNING_MS = 60 * 1000, /* for a version that is learned anew, before people get the conversation */
        BOT_RETURNS_AFTER_MS = 72 * 3600 * 1000, /* silence after a person's last word; then the bot answers again */
};

/* A bot as the writer knows it. */
struct bot {
        int64_t id, app, principal; /* row ids */
        enum bot_kind kind;
        bool is_on, is_offline;
        int64_t live, canary;      /* bot_version rows; 0 = none */
        int canary_share, holdout; /* percent */
        char *url, *articles;      /* NULL = none */
        uint8_t secret[BOT_SECRET_MAX];
        size_t secret_len;
        uint32_t timeout_ms; /* 0 = the default */
};

struct bot_relearning;
struct bot_turns;

struct bots {
        struct bot *rows;
        size_t count;
        bool are_changed; /* in this batch: read again after the commit */
        struct bot_turns *turns;
        struct bot_relearning *relearning;
};

/* 0 or a negative db_error. Reads the table; what was there before is replaced only when all of it was read. */
int bots_load(struct desk *desk);
void bots_done(struct desk *desk);
void bots_committed(struct desk *desk);

/* The bot that answers in that app, or NULL: none, off, or nothing published. Lent until the next bots_load. */
const struct bot *bots_of_app(const struct desk *desk, int64_t app);
const struct bot *bots_in_app(const struct desk *desk, int64_t app); /* whether on or not */
const struct bot *bots_find(const struct desk *desk, int64_t id);    /* whether on or not */

/* Inside the transaction of a public message, after it was counted. 0 or a negative protocol error (the store failed).
 * `silent_ms`: since the message before it. */
int bots_customer_wrote(struct desk *desk, struct conversation *conversation, const struct entry_row *entry,
                        int64_t silent_ms);
int bots_person_wrote(struct desk *desk, struct conversation *conversation);
/* A bot's message.send: only its own conversations, where the app has a bot. 0 or -PROTOCOL_ERR_NOT_OWNER. */
int bots_may_send(const struct desk *desk, const struct conversation *conversation, int64_t principal);

/* What happened, for the numbers. Texts may be absent. */
struct bot_event_row {
        enum bot_happening kind;
        int64_t seq, version;
        struct span rule, lang, question;
        int score;
};
int bots_happened(struct desk *desk, const struct bot *bot, const struct conversation *conversation,
                  const struct bot_event_row *event);

/* The conversation is people's from now on; `handoff` says why, in the team's log. 0 or a negative protocol error. */
int bots_hand_over(struct desk *desk, const struct bot *bot, struct conversation *conversation,
                   const struct protocol_handoff *handoff, enum bot_happening kind, int64_t version);
/* The same because the bot could not go on: `why` is a word for the log and the numbers. */
int bots_fail(struct desk *desk, const struct bot *bot, struct conversation *conversation, const char *why);

/* It was the bot's, and there is no bot any more. */
int bots_abandon(struct desk *desk, struct conversation *conversation);

/* ---- turns under way (bot_turns.c) ---- */

int bot_turns_init(struct desk *desk); /* 0 or DB_NOMEM */
void bot_turns_done(struct desk *desk);
/* Something waits for the bot in that conversation: it is asked after the commit, unless it is being asked. */
void bot_turns_want(struct desk *desk, const struct conversation *conversation);
/* The turn is over, or the conversation is not the bot's any more. */
void bot_turns_end(struct desk *desk, const struct conversation *conversation);
void bot_turns_committed(struct desk *desk);
void bot_turns_rolled_back(struct desk *desk);
int bot_turns_recover(struct desk *desk); /* at start: all that the store says is waiting; 0 or a negative db_error */
/* More time for the turn under way: an answer was promised. */
void bot_turns_extend(struct desk *desk, const struct conversation *conversation, uint32_t ms);
/* The turn under way waits for a version that is learned anew: until bot_turns_wake, at most BOT_LEARNING_MS in all.
 * False: it has waited often enough, and cannot have what it wants. */
bool bot_turns_wait(struct desk *desk, const struct conversation *conversation, int64_t version);
/* Whoever waits for that version is asked again: now, or in a batch after `in_ms`. Not within a transaction. */
void bot_turns_wake(struct desk *desk, int64_t version, uint32_t in_ms);
/* That version is lost: asked again without it. In a transaction. 0, or why nobody can be asked. */
const char *bot_turns_without(struct desk *desk, struct conversation *conversation, int64_t version);
/* In a batch, in a transaction: turns that did not come are asked again; the third time it has failed. */
bool bot_turns_are_due(const struct desk *desk);
void bot_turns_run_due(struct desk *desk);
uint64_t bot_turns_due_ms(const struct desk *desk); /* monotonic; UINT64_MAX = never */

/* ---- a turn that came (bot_act.c) ---- */

/* COMMAND_BOT_TURN: a built-in or webhook bot's, whose conversation and caller the command names. */
void bot_act_came(struct desk *desk, struct desk_command *command);
/* Whether the actions are as they have to be; pure, any thread. 0 or -PROTOCOL_ERR_BAD_REQUEST with `fault`. */
int bot_act_check(const struct protocol_bot_act *act, bool is_built_in, struct fault *fault);
/* COMMAND_BOT_PROMISED: more time for the turn, if it is still the one. */
void bot_act_promised(struct desk *desk, struct desk_command *command);
/* COMMAND_BOT_FAILED. */
void bot_act_failed(struct desk *desk, struct desk_command *command);
/* COMMAND_BOT_UNREADABLE: the version that has to answer cannot be loaded. */
void bot_act_unreadable(struct desk *desk, struct desk_command *command);
