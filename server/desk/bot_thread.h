/* SPDX-License-Identifier: Apache-2.0 */
/* The bot thread: finds out what a bot is asked, through a reading connection of its own, has the bot find its words,
 * and hands them to the desk as one bot.act. The desk does not wait for it; no message of anybody waits for a bot.
 * Questions are taken in order, so a conversation's too. */
#pragma once

#include "desk/bot_hours.h"
#include "desk/bots.h"

/* What the desk wants to be asked. Row ids but for conv_ext. */
struct bot_question {
        int64_t conv, customer;
        uint64_t conv_ext;
        int64_t turn, version;
        int64_t lost;                /* a version that cannot be loaded; 0 = none */
        int64_t now_ms, deadline_ms; /* wall; deadline: people get the conversation; 0 = not known */
        struct bot_hours hours;      /* of the team that would get it */
};

int bot_thread_start(struct desk *desk); /* 0 or a negative db_error */
void bot_thread_stop(struct desk *desk); /* what is under way is forgotten; asked again at the next start */
void bot_thread_free(struct desk *desk);

/* Desk thread. 0, or -1: there is no thread, no memory, or too many wait. `bot` is copied. */
int bot_thread_ask(struct desk *desk, const struct bot *bot, const struct bot_question *question);
