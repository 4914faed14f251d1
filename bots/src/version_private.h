/* SPDX-License-Identifier: Apache-2.0 */
/* What a loaded version holds. Answers are numbered: the faqs by name, then the flows by name. */
#pragma once

#include "always.h"
#include "bots/version.h"
#include "entity.h"
#include "pattern.h"

enum { TARGET_ID = 17 }; /* 16 hex digits of SHA-256 of "faq refund.policy" */

struct version_answer {
        char name[80]; /* "faq refund.policy" */
        char id[TARGET_ID];
        const json_t *it; /* borrowed of the bot */
        bool is_flow;
};

struct version_language {
        char lang[36];
        struct bot_ranker *ranker;     /* NULL: no examples */
        struct bot_patterns *patterns; /* of the author */
};

struct bot_version {
        json_t *bot;
        char id[BOT_VERSION_NAME];
        const char *lang; /* the bot's own */
        struct version_answer *answers;
        size_t answer_count;
        struct version_language languages[BOT_LANGUAGES_MAX];
        size_t language_count;
        struct always *always; /* in every language that we know, not only in those of the bot */
        struct version_entity {
                const char *name;
                struct bot_entity *entity;
        } * entities;
        size_t entity_count;
};

const struct version_language *version_language(const struct bot_version *version, const char *lang); /* never NULL */
const struct version_answer *version_answer(const struct bot_version *version, const char *name);     /* NULL: none */
/* Its number, or -1. */
int version_answer_no(const struct bot_version *version, const char *name);
void version_target_id(const char *target, char out[TARGET_ID]);
const struct bot_entity *version_entity(const struct bot_version *version, const char *name); /* NULL: built in */

/* A member of `texts` in that language, else in its short form, else in the bot's own; NULL: nowhere. */
const json_t *version_texts(const struct bot_version *version, const json_t *texts, const char *lang);
