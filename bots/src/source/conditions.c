/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions: `$order.status == "shipped" and not (plan in ("free", "trial"))` as nested lists:
 * ["and", ["==", {"var": "order.status"}, "shipped"], ["not", ["in", {"fact": "plan"}, "free", "trial"]]]. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "source/source_private.h"

enum { CONDITION_NESTING = 8 };

static json_t *take_or(struct source *source, struct lex *lex, int depth);

/* A number, a truth value, or the name of a fact. */
static json_t *word_operand(struct span word)
{
        char text[SOURCE_KEY], *end;
        if (word.len >= sizeof(text))
                return NULL;
        memcpy(text, word.at, word.len);
        text[word.len] = '\0';
        if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
                return json_boolean(text[0] == 't');
        if ((text[0] >= '0' && text[0] <= '9') || text[0] == '-' || text[0] == '+') {
                errno = 0;
                long long whole = strtoll(text, &end, 10);
                if (*end == '\0' && errno == 0)
                        return json_integer(whole);
                double part = strtod(text, &end);
                return *end == '\0' && isfinite(part) ? json_real(part) : NULL;
        }
        return json_pack("{s:s}", "fact", text);
}

json_t *source_take_operand(struct source *source, struct lex *lex)
{
        json_t *operand = NULL;
        if (lex->now.kind == TOKEN_VAR)
                operand = json_pack("{s:s%}", "var", lex->now.text.at, lex->now.text.len);
        else if (lex->now.kind == TOKEN_TEXT)
                operand = json_stringn(lex->now.text.at, lex->now.text.len);
        else if (lex->now.kind == TOKEN_WORD)
                operand = word_operand(lex->now.text);
        if (!operand) {
                source_error(source, lex->now.at, NULL,
                             "Here comes a value: $slot, \"text\", a number, true, false, or the name of a fact.");
                return NULL;
        }
        lex_next(lex);
        return operand;
}

/* operand in (a, b, ...): after `in`. */
static json_t *take_in(struct source *source, struct lex *lex, json_t *left)
{
        json_t *list = json_pack("[s,o]", "in", left);
        if (lex->now.kind != TOKEN_OPEN) {
                source_error(source, lex->now.at, "Write: in (\"a\", \"b\").", "After `in` comes a list.");
                json_decref(list);
                return NULL;
        }
        do {
                lex_next(lex);
                json_t *value = source_take_operand(source, lex);
                if (!value) {
                        json_decref(list);
                        return NULL;
                }
                json_array_append_new(list, value);
        } while (lex->now.kind == TOKEN_COMMA);
        if (lex->now.kind != TOKEN_CLOSE) {
                source_error(source, lex->now.at, NULL, "The list is not closed with ).");
                json_decref(list);
                return NULL;
        }
        lex_next(lex);
        return list;
}

static json_t *take_compare(struct source *source, struct lex *lex)
{
        bool is_has = lex_take_word(lex, "has");
        json_t *left = source_take_operand(source, lex), *right;
        char sign[4] = "";
        if (!left)
                return NULL;
        if (is_has)
                return json_pack("[s,o]", "has", left);
        if (lex_take_word(lex, "in"))
                return take_in(source, lex, left);
        if (lex->now.kind != TOKEN_COMPARE)
                return json_pack("[s,o]", "is", left);
        memcpy(sign, lex->now.text.at, lex->now.text.len);
        lex_next(lex);
        right = source_take_operand(source, lex);
        if (!right) {
                json_decref(left);
                return NULL;
        }
        return json_pack("[s,o,o]", sign, left, right);
}

static json_t *take_not(struct source *source, struct lex *lex, int depth)
{
        json_t *inner;
        if (depth > CONDITION_NESTING) {
                source_error(source, lex->now.at, "Split it into two lines.", "The condition is nested too deep.");
                return NULL;
        }
        if (lex_take_word(lex, "not")) {
                inner = take_not(source, lex, depth + 1);
                return inner ? json_pack("[s,o]", "not", inner) : NULL;
        }
        if (lex->now.kind != TOKEN_OPEN)
                return take_compare(source, lex);
        lex_next(lex);
        inner = take_or(source, lex, depth + 1);
        if (inner && lex->now.kind != TOKEN_CLOSE) {
                source_error(source, lex->now.at, NULL, "The condition has no closing ).");
                json_decref(inner);
                return NULL;
        }
        if (inner)
                lex_next(lex);
        return inner;
}

/* a WORD b WORD c as one list. */
static json_t *take_joined(struct source *source, struct lex *lex, int depth, const char *word,
                           json_t *(*take)(struct source *source, struct lex *lex, int depth))
{
        json_t *first = take(source, lex, depth), *all = NULL;
        while (first && lex_take_word(lex, word)) {
                json_t *next = take(source, lex, depth);
                if (!all)
                        all = json_pack("[s,o]", word, first);
                if (!next) {
                        json_decref(all);
                        return NULL;
                }
                json_array_append_new(all, next);
        }
        return all ? all : first;
}

static json_t *take_and(struct source *source, struct lex *lex, int depth)
{
        return take_joined(source, lex, depth, "and", take_not);
}

static json_t *take_or(struct source *source, struct lex *lex, int depth)
{
        return take_joined(source, lex, depth, "or", take_and);
}

json_t *source_take_condition(struct source *source, struct lex *lex)
{
        return take_or(source, lex, 0);
}
