/* SPDX-License-Identifier: Apache-2.0 */
/* Ranker: which answer a question asks for, learned from examples. Training is part of publishing: it may use floating
 * point, and the same examples in the same order give the same blob. Answering uses integers alone, so that every build
 * gives the same bytes. A blob is data from outside: bot_ranker_load checks all of it. No I/O, no clock, no threads of
 * its own; a loaded ranker never changes and may be used from many threads. */
#pragma once

#include "bots/text.h"
#include "protocol/writer.h"

enum {
        BOT_RANKER_ANSWERS = 4096,
        BOT_RANKER_EXAMPLES = 100000,
        BOT_RANKER_TEXT = 4000,     /* bytes of an example that are read */
        BOT_RANKER_BLOB = 64 << 20, /* bytes of a blob at most */
        BOT_RANKER_CHOICES = 3,     /* offered at most */
        BOT_RANKER_RECIPE = 2,      /* how features are made; a blob of another recipe is refused */
        BOT_SCORE_ONE = 65535,      /* scores and probabilities: 0 = none, 65535 = certain */
        BOT_WISH_LEAST = 50,        /* wished precision of a lone answer, in hundredths */
        BOT_WISH_MOST = 98,
        BOT_WISH_USUAL = 90,
        BOT_WISHES = (BOT_WISH_MOST - BOT_WISH_LEAST) / 2 + 1, /* a row for 50, 52, ... 98 */
};

struct bot_example {
        uint32_t answer; /* 0 to BOT_RANKER_ANSWERS - 1 */
        struct span text;
        bool is_negative; /* belongs elsewhere: must not rank this answer first */
};

/* What the author is told. Shares are in 1/65535. */
struct bot_train_report {
        uint32_t answers, examples, features, weights;
        uint32_t shared;     /* examples that stand under two answers */
        uint16_t top1, top3; /* of examples held back, in cross-validation */
        uint16_t wish_most;  /* highest wish that the examples can reach, in hundredths; 0: choices only */
        uint16_t kept;       /* examples answered alone at the usual wish, in cross-validation */
        uint16_t off_topic;  /* off-topic lines answered alone at the usual wish, in cross-validation */
};

enum bot_ranker_error {
        BOT_RANKER_NO_MEMORY = 1,
        BOT_RANKER_NO_EXAMPLES, /* none, or none with a letter in it */
        BOT_RANKER_TOO_MANY,    /* answers or examples beyond the limits above */
        BOT_RANKER_DAMAGED,     /* no blob of ours, or changed */
        BOT_RANKER_OTHER_RECIPE /* of a newer or older program: train again from the examples */
};

/* The lines bundled for `lang` ("en", "ko-KR" ...; unknown: those of English); one a line, borrowed for ever. */
struct span bot_off_topic(const char *lang);

/* Appends the blob to `out`. `off_topic` = lines that no answer answers, one a line; may be empty. `out_report` may be
 * NULL. 0 or -enum bot_ranker_error. Takes memory of about 2 KB an example while it runs. */
int bot_ranker_train(const struct bot_example *examples, size_t count, const char *lang, struct span off_topic,
                     struct writer *out, struct bot_train_report *out_report);

enum { BOT_HELD_BACK_MOST = 3000 /* examples that bot_ranker_held_back takes */ };

/* Which answer comes first for each example when it is asked of the others: five times a fifth of every answer's
 * examples is held back. `out_first` has `count` places; UINT32_MAX: not asked (negative, without a letter, or the only
 * example of its answer). 0 or -enum bot_ranker_error; -BOT_RANKER_TOO_MANY beyond BOT_HELD_BACK_MOST. Takes the time
 * of five trainings. */
int bot_ranker_held_back(const struct bot_example *examples, size_t count, const char *lang, struct span off_topic,
                         uint32_t *out_first);

struct bot_ranker;

/* Takes a copy of what it needs. 0 or -enum bot_ranker_error. */
int bot_ranker_load(struct span blob, struct bot_ranker **out_ranker);
struct bot_ranker *bot_ranker_free(struct bot_ranker *ranker); /* NULL is welcome; always returns NULL */

uint32_t bot_ranker_answers(const struct bot_ranker *ranker); /* one more than the highest answer */
size_t bot_ranker_bytes(const struct bot_ranker *ranker);     /* memory held */

struct bot_candidate {
        uint32_t answer;
        uint16_t score;       /* how well the answer fits, whatever the others do */
        uint16_t probability; /* that this answer is the right one, given that one of them is */
};

/* Best first, at most `room` (1 to 64); returns how many. `allowed` = one bit an answer, bit 0 of byte 0 is answer 0;
 * at least (bot_ranker_answers + 7) / 8 bytes; NULL allows all. A message equal to an example (bot_text_key) puts that
 * answer first with score and probability BOT_SCORE_ONE. Takes about 150 KB of stack; bounded time. */
size_t bot_ranker_rank(const struct bot_ranker *ranker, const struct bot_text *text, const uint8_t *allowed,
                       struct bot_candidate *out, size_t room);

enum bot_decision {
        BOT_MISS,
        BOT_CHOICES, /* up to BOT_RANKER_CHOICES of the candidates */
        BOT_LONE,    /* the first candidate, alone */
};

/* The thresholds of a wish (hundredths, held to 50..98; 0 = BOT_WISH_USUAL). */
struct bot_thresholds {
        uint16_t probability, score; /* a lone answer needs both; BOT_SCORE_ONE both: exact matches only */
        uint16_t floor;              /* choices need this score */
};
struct bot_thresholds bot_ranker_thresholds(const struct bot_ranker *ranker, unsigned wish);

/* What to do with the candidates of bot_ranker_rank. `out_choices` (may be NULL) = how many of them to offer. */
enum bot_decision bot_ranker_decide(const struct bot_ranker *ranker, const struct bot_candidate *candidates,
                                    size_t count, unsigned wish, size_t *out_choices);
