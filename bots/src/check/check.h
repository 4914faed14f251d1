/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the check share. Every function adds an error for what it refuses. */
#pragma once

#include "bots/check.h"

struct check {
        const json_t *bot, *places;
        const struct bot_file *files;
        struct bot_problems *problems;
        const char *lang; /* the bot's own; "" when it is not said */
        char what[96];    /* the block: "flow return.start" */
        size_t steps, examples, answers;
};

struct bot_place check_place(const struct check *check);

#define check_error(check, advice, ...) bot_problem_error((check)->problems, check_place(check), (advice), __VA_ARGS__)

enum check_type {
        CHECK_TEXT,
        CHECK_NAME,
        CHECK_KEY,
        CHECK_SLOT,
        CHECK_COUNT,
        CHECK_LIST,
        CHECK_OBJECT,
        CHECK_CONDITION,
        CHECK_TARGET,
        CHECK_ANY
};

struct check_member {
        const char *name;
        enum check_type type;
        bool is_needed;
        json_int_t least, most; /* COUNT */
};

/* An object with these members, the needed ones there, all of their type, and no other. `where` is for the message. */
bool check_members(struct check *check, const json_t *object, const char *where, const struct check_member *members,
                   size_t count);

bool check_is_name(const char *name); /* of blocks and entities: a-z 0-9 _ - . */
bool check_is_key(const char *name);  /* of texts: a-z 0-9 _ . */
bool check_is_slot(const char *name); /* of slots and arguments: a-z 0-9 _, and no word of the steps */
bool check_is_path(const char *name, bool may_be_reserved); /* of facts and members: slot.member */
bool check_is_language(const char *lang);
size_t check_characters(const char *text);

/* Texts by language and key: {"en": {"s1": "..."}}. */
void check_texts(struct check *check, const json_t *texts);
/* A key that a step uses has a text in the bot's own language. */
void check_key(struct check *check, const json_t *texts, const json_t *key, const char *where);
/* examples, patterns and not of one language. */
void check_examples(struct check *check, const char *lang, const json_t *where);

void check_condition(struct check *check, const json_t *condition, int depth);
bool check_operand(struct check *check, const json_t *operand);
void check_target(struct check *check, const json_t *target);
void check_steps(struct check *check, const json_t *texts, const json_t *steps, int depth);

void check_entities(struct check *check);
void check_synonyms(struct check *check);
void check_tests(struct check *check);
