/* SPDX-License-Identifier: Apache-2.0 */
/* Outcomes: what became of the conversations that a bot touched, from the rows of bot_event alone. The rules stand in
 * docs/bots.md, "Is it any good"; each is here once. Pure: no store, no clock. Any thread. */
#pragma once

#include <stddef.h>

#include "desk/bots.h"

#define BOT_EPISODE_SILENT_MS ((int64_t)30 * 60 * 1000)   /* no message for so long: the next turn begins an episode */
#define BOT_DECIDED_AFTER_MS  ((int64_t)72 * 3600 * 1000) /* after an episode's last happening */

enum bot_outcome {
        BOT_CONFIRMED,  /* the customer said that it helped */
        BOT_ASSUMED,    /* answered, no word since, and not back on the topic */
        BOT_RETURNED,   /* answered, and back on the topic */
        BOT_HANDED_OFF, /* a person was needed */
        BOT_LEFT,       /* the last act was a question, choices or a miss */
        BOT_OPEN,       /* not decided yet */
        BOT_OUTCOMES,
};

/* A row of one bot in one conversation. */
struct bot_happened {
        int64_t at_ms;
        int64_t silent_ms; /* before it: without any message and any row; at least BOT_EPISODE_SILENT_MS or less is all
                              that matters */
        int64_t seq;       /* the customer's message; 0 = none */
        int64_t version;   /* row id; 0 = none */
        enum bot_happening kind;
        uint32_t rule, lang; /* numbers of names; 0 = none */
};

/* A stretch of rows that belong to one request of the customer; rows of others may lie between. */
struct bot_episode {
        size_t first, last; /* its first and last row */
        enum bot_outcome outcome;
};

/* `rows`: all of one bot in one conversation, in order of their ids. `out` has room for `count`. Returns how many
 * episodes there are; every row that begins or belongs to one lies in exactly one, between its first and last. */
size_t bot_episodes(const struct bot_happened *rows, size_t count, int64_t now_ms, struct bot_episode *out);

/* A turn of the bot, as opposed to a word of the customer or a person's. */
bool bot_happening_is_turn(enum bot_happening kind);
/* It needs, or has, a person. */
bool bot_happening_is_people(enum bot_happening kind);
/* A hand-off: to people, as a ticket, or by failing. */
bool bot_happening_is_handoff(enum bot_happening kind);

/* Two shares and a 95 % interval for p1 - p2, where p = hits / all: the hybrid of Wilson's scores (Newcombe 1998,
 * Statistics in Medicine 17, 873-890, method 10). False: one side is empty; nothing is written. */
struct bot_difference {
        double difference, low, high;
};
bool bot_difference_of(int64_t hits1, int64_t all1, int64_t hits2, int64_t all2, struct bot_difference *out);
