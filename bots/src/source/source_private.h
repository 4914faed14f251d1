/* SPDX-License-Identifier: Apache-2.0 */
/* Source: what the parts of the .bot source share while they read. A block is a line at the left edge and the indented
 * lines below it; each kind of block is one row of a table. One thread. */
#pragma once

#include <jansson.h>

#include "bots/source.h"
#include "source/lex.h"

enum { SOURCE_NESTING = 8, SOURCE_KEY = 72 };

struct source;

/* A kind of block. */
struct block_kind {
        const char *word;
        /* The rest of the first line; `now` is what follows the word. */
        void (*begin)(struct source *source, struct lex *lex);
        /* An indented line; NULL: the block has none. */
        void (*line)(struct source *source, int indent);
};

struct source {
        struct bot_problems *problems;
        json_t *bot, *places;
        const struct bot_file *files, *file;
        int line_no;
        struct span line; /* without the end of line */
        size_t at;        /* first byte of it that is no blank */
        char lang[36];    /* "" = none said yet */

        const struct block_kind *block; /* NULL: none, or one that was not understood: its lines are skipped */
        json_t *it;                     /* the block's object, borrowed; NULL with block NULL */
        bool is_translation;            /* begun a second time, in another language: texts only */
        int auto_keys;                  /* texts without a key of their own so far */
        json_t *answer_of;              /* array whose last text a line with | goes on; borrowed; NULL = none */
        /* Open lists of steps, the innermost last: steps that are indented deeper than `indent` belong there. */
        struct {
                int indent;
                json_t *steps;
        } nest[SOURCE_NESTING];
        int nested;
};

struct bot_place source_place(const struct source *source, size_t at);

/* An error at a byte of the line. */
#define source_error(source, at, advice, ...)                                                                          \
        bot_problem_error((source)->problems, source_place((source), (at)), (advice), __VA_ARGS__)

/* The object or array of that name in `object`, made when it is not there. */
json_t *source_object(json_t *object, const char *name);
json_t *source_array(json_t *object, const char *name);

/* object[block]["texts"][lang]; makes what is missing. */
json_t *source_texts(struct source *source);

/* Begins "faq ID", "flow ID" or "handoff ID": sets source->it and is_translation; false after an error. `group` is the
 * member of the bot that holds them. */
bool source_begin_named(struct source *source, struct lex *lex, const char *word, const char *group);

/* The value of a token, zero-terminated; false and an error when it is too long or of another kind. */
bool source_take_id(struct source *source, struct lex *lex, const char *what, char out[SOURCE_KEY]);
bool source_take_end(struct source *source, struct lex *lex); /* the line ends here */

/* [@key] ["text"]: puts the text under its key and gives the key. `key`: the one it has when none is written; NULL =
 * the next of s1, s2, ... */
bool source_take_text(struct source *source, struct lex *lex, const char *key, char out_key[SOURCE_KEY]);

/* "flow ID", "faq ID", "handoff ID", "ticket" or "close" as one string. NULL after an error. */
json_t *source_take_target(struct source *source, struct lex *lex);

/* A line of text as it stands after its sign, with \\ \# and, where blanks would be lost, \s and \t read; new
 * reference, NULL after an error. */
json_t *source_raw_text(struct source *source, size_t at);

/* ?, ~, ! and their lists in `where` (of the current language); false: the line is none of these. */
bool source_example_line(struct source *source, json_t *where);

/* A line `@key "text"` of a translation. */
void source_key_line(struct source *source);

/* Conditions and operands: source/conditions.c. New references, NULL after an error. */
json_t *source_take_condition(struct source *source, struct lex *lex);
json_t *source_take_operand(struct source *source, struct lex *lex);

/* Steps: source/steps.c. The line's step goes to the list its indentation says. */
void source_step_line(struct source *source, int indent);
void source_steps_open(struct source *source, int indent, json_t *steps);
/* STEP then STEP ... until the line ends, into `steps`. */
void source_take_steps(struct source *source, struct lex *lex, json_t *steps);

/* A whole number into made[name]. */
bool source_take_count(struct source *source, struct lex *lex, const char *name, json_t *made);

/* The kinds of blocks, each in its file. */
extern const struct block_kind BLOCK_ENTITY, BLOCK_SYNONYMS, BLOCK_FAQ, BLOCK_FLOW, BLOCK_HANDOFF, BLOCK_FALLBACK,
        BLOCK_TEXTS, BLOCK_TEST;
