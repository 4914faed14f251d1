/* SPDX-License-Identifier: Apache-2.0 */
/* Bot post: a thread that posts what a bot is asked to its URL, signed like a webhook, and hands the answer back. No
 * request is repeated: who waits for it decides. A bot that fails 3 times in a row is not asked for 60 s (breaker.h).
 * At most 32 requests of a bot, and 256 of all, are under way; the others wait, their time running. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/span.h"

struct bot_poster;

enum { BOT_POST_ANSWER_BYTES = 64 * 1024 }; /* with the headers */

struct bot_poster_options {
        const char *const *allow; /* see egress_new; NULL = none */
        const char *ca_path;      /* PEM; NULL or "" = the system's certificates */
        /* The figures, where others read them; any thread. */
        _Atomic uint64_t *asked;   /* requests made */
        _Atomic uint64_t *failed;  /* of these without a usable answer */
        _Atomic int64_t *circuits; /* open at this moment */
};

struct bot_post_request { /* all copied */
        int64_t bot;      /* whose breaker */
        const char *url;
        struct span secret, id, body; /* secret: raw bytes; id: idempotency key, at most 64 bytes */
        uint32_t timeout_ms;          /* from now to the end of the answer */
};

struct bot_posted {
        const char *why;    /* NULL: an answer came whole, of whatever status. Else why not, a static word for logs */
        bool is_stopped;    /* given up because the server stops */
        int status;         /* 0 = no answer */
        struct span answer; /* lent */
};

/* On the poster's thread, or inside bot_poster_stop (is_stopped). Whether the answer was one of a bot that
 * is well; false is an error for the breaker. Without an answer it is one anyway. */
typedef bool (*bot_posted_fn)(void *data, const struct bot_posted *posted);

int bot_poster_start(const struct bot_poster_options *options, struct bot_poster **out_poster); /* 0, negative errno */
/* Any thread. 0: `fn` runs exactly once, later. -1: no memory, too many wait, or it is being stopped: never. */
int bot_poster_ask(struct bot_poster *poster, const struct bot_post_request *request, bot_posted_fn fn, void *data);
/* What is under way is given up; every `fn` has run. NULL is welcome; returns NULL. */
struct bot_poster *bot_poster_stop(struct bot_poster *poster);
