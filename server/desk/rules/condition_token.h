/* SPDX-License-Identifier: Apache-2.0 */
/* What a text being compiled is cut into, and how far it is compiled. Of condition_parse.c and condition_token.c. */
#pragma once

#include "desk/rules/condition_private.h"

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_STRING, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_COMMA, TOKEN_COMPARE, TOKEN_BAD };

struct token {
        enum token_kind kind;
        size_t at;        /* where it begins */
        struct span text; /* of a word: its bytes; of a string: what stands between the quotes, escapes and all */
        enum condition_compare compare;
};

struct parse {
        struct span source;
        size_t at; /* behind the token */
        struct token token;
        unsigned use, depth;
        const struct condition_names *names;
        struct condition_error *error;
        struct condition head;
        struct condition_node nodes[CONDITION_NODES];
        struct condition_value values[CONDITION_VALUES];
        size_t text_len, text_room;
        char *texts;
};

/* Reads the next token of parse->source into parse->token; at its end for ever TOKEN_END. */
void condition_next(struct parse *parse);
bool condition_is_word(struct span text, const char *word); /* but for the case of ASCII letters */
bool condition_take(struct parse *parse, const char *word); /* the token is that word: it is passed over */

/* Values; false: it is none. */
bool condition_number(struct span text, int64_t *out);
bool condition_duration(struct span text, int64_t *out_seconds); /* "1h30m", a bare number is seconds; to 31 years */
bool condition_yes(struct span text, int64_t *out);              /* yes, true: 1; no, false: 0 */
