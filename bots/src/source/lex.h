/* SPDX-License-Identifier: Apache-2.0 */
/* Lex: one line of a .bot file as tokens. Borrows the line; a text token is unescaped into memory of its own that lives
 * until the next token. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "protocol/span.h"

enum token_kind {
        TOKEN_END,
        TOKEN_WORD,  /* bare: letters of any script, digits, and - _ . / * ? : + */
        TOKEN_TEXT,  /* "..." with \" \\ \n */
        TOKEN_KEY,   /* @name: which text of its block */
        TOKEN_VAR,   /* $slot or $slot.member */
        TOKEN_ARROW, /* -> */
        TOKEN_PIPE,
        TOKEN_SET,     /* = */
        TOKEN_COMPARE, /* == != < <= > >= */
        TOKEN_OPEN,
        TOKEN_CLOSE,
        TOKEN_COMMA,
        TOKEN_BAD /* no token begins so, or a text without its end */
};

struct token {
        enum token_kind kind;
        struct span text; /* WORD, KEY and VAR without their sign, COMPARE; TEXT unescaped, zero-terminated */
        size_t at;        /* byte of the line where it begins */
};

struct lex {
        struct span line;
        size_t at; /* after `now` */
        struct token now;
        char *unescaped; /* of `now` */
        const char *bad; /* BAD: what is wrong; static */
};

/* `at`: byte of the line to begin at; `now` is the first token. */
void lex_init(struct lex *lex, struct span line, size_t at);
void lex_done(struct lex *lex);
void lex_next(struct lex *lex);

/* `now` is that word; then it is passed. */
bool lex_take_word(struct lex *lex, const char *word);
bool lex_is_word(const struct lex *lex, const char *word);

/* `now` is a word that begins with a whole number of at most 18 digits, perhaps after a minus; *out_rest is what
 * follows the number in the word. */
bool lex_number(const struct lex *lex, long *out_number, struct span *out_rest);

/* Without what follows two blanks and "# ", and without blanks at both ends. */
struct span lex_raw(struct span line, size_t at);

/* The column, from 1 and in characters, of a byte of the line. */
int lex_column(struct span line, size_t at);

/* Names of blocks and entities: 1-64 of a-z 0-9 _ - and, not at the ends, points. */
bool lex_is_name(struct span text);
bool lex_is_language(struct span tag); /* "en", "zh-TW": 2-35 letters, from the third on also - and digits */
