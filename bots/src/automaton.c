/* SPDX-License-Identifier: Apache-2.0 */
/* States are a trie whose children hang in a list; state 0 is the root. `fail` and `shorter` are made by sealing: the
 * longest suffix that is a state, and the nearest such suffix at which a word ends. */
#include "automaton.h"

#include <stdlib.h>
#include <string.h>

struct state {
        uint32_t point;
        uint32_t child, sibling;
        uint32_t fail, shorter;
        uint32_t whole, beginning; /* 1 + number of the word that ends here */
        uint16_t depth;
};

struct automaton {
        struct state *states;
        uint32_t count, room;
        uint32_t words;
};

struct automaton *automaton_new(void)
{
        struct automaton *automaton = calloc(1, sizeof(*automaton));
        if (!automaton)
                return NULL;
        automaton->states = calloc(64, sizeof(*automaton->states));
        automaton->room = 64;
        automaton->count = 1;
        return automaton->states ? automaton : automaton_free(automaton);
}

struct automaton *automaton_free(struct automaton *automaton)
{
        if (automaton)
                free(automaton->states);
        free(automaton);
        return NULL;
}

static uint32_t child_of(const struct automaton *automaton, uint32_t state, uint32_t point)
{
        uint32_t child = automaton->states[state].child;
        while (child && automaton->states[child].point != point)
                child = automaton->states[child].sibling;
        return child;
}

/* 0: out of memory. */
static uint32_t make_child(struct automaton *automaton, uint32_t state, uint32_t point)
{
        uint32_t child = child_of(automaton, state, point);
        if (child)
                return child;
        if (automaton->count == automaton->room) {
                struct state *states = realloc(automaton->states, (size_t)automaton->room * 2 * sizeof(*states));
                if (!states)
                        return 0;
                automaton->states = states;
                automaton->room *= 2;
        }
        child = automaton->count++;
        automaton->states[child] = (struct state){.point = point,
                                                  .sibling = automaton->states[state].child,
                                                  .depth = (uint16_t)(automaton->states[state].depth + 1)};
        automaton->states[state].child = child;
        return child;
}

/* Marks at the ends are no part of a word; from >= to: it has no letter and no digit. */
static void bounds_of(const struct bot_text *text, size_t *out_from, size_t *out_to)
{
        size_t from = text->count, to = 0;
        for (uint16_t t = 0; t < text->token_count; t++) {
                const struct bot_token *token = &text->tokens[t];
                if (token->script == BOT_SCRIPT_MARK)
                        continue;
                from = from < token->start ? from : token->start;
                to = (size_t)token->start + token->len;
        }
        *out_from = from;
        *out_to = to;
}

int automaton_add(struct automaton *automaton, struct span word, bool is_beginning, uint32_t *out_number)
{
        struct bot_text text;
        size_t from, to;
        uint32_t state = 0, *number;
        bot_text_of(word, &text);
        bounds_of(&text, &from, &to);
        if (from >= to)
                return -2;
        if (!automaton)
                return 0;
        for (size_t i = from; i < to; i++) {
                state = make_child(automaton, state, text.points[i]);
                if (!state)
                        return -1;
        }
        number = is_beginning ? &automaton->states[state].beginning : &automaton->states[state].whole;
        if (!*number) {
                if (automaton->words == AUTOMATON_WORDS)
                        return -1;
                *number = ++automaton->words;
        }
        *out_number = *number - 1;
        return 0;
}

size_t automaton_words(const struct automaton *automaton)
{
        return automaton->words;
}

static bool ends_word(const struct state *state)
{
        return state->whole || state->beginning;
}

int automaton_seal(struct automaton *automaton)
{
        uint32_t *queue = calloc(automaton->count, sizeof(*queue)), head = 0, tail = 0;
        if (!queue)
                return -1;
        queue[tail++] = 0;
        while (head < tail) {
                uint32_t parent = queue[head++];
                for (uint32_t at = automaton->states[parent].child; at; at = automaton->states[at].sibling) {
                        struct state *state = &automaton->states[at];
                        uint32_t fail = automaton->states[parent].fail, next = 0;
                        queue[tail++] = at;
                        while (parent && !(next = child_of(automaton, fail, state->point)) && fail)
                                fail = automaton->states[fail].fail;
                        state->fail = next;
                        state->shorter = ends_word(&automaton->states[next]) ? next : automaton->states[next].shorter;
                }
        }
        free(queue);
        return 0;
}

struct finding {
        const struct bot_text *text;
        struct automaton_hit *out;
        size_t count;
        uint16_t token_at[BOT_TEXT_POINTS + 1];
};

static const struct bot_token *token_at(const struct finding *finding, size_t point)
{
        uint16_t token = finding->token_at[point];
        return token == finding->text->token_count ? NULL : &finding->text->tokens[token];
}

static bool stands_free(uint8_t script)
{
        return script == BOT_SCRIPT_HANGUL || script == BOT_SCRIPT_HAN || script == BOT_SCRIPT_KANA ||
               script == BOT_SCRIPT_OTHER;
}

/* May what is found begin, or end, at this point of a token? */
static bool may_cut(size_t point, const struct bot_token *inside)
{
        bool is_edge = point == inside->start || point == (size_t)inside->start + inside->len;
        return is_edge || stands_free(inside->script);
}

static void add_hit(struct finding *finding, uint32_t number, size_t start, size_t end)
{
        if (number && finding->count < AUTOMATON_HITS)
                finding->out[finding->count++] = (struct automaton_hit){number - 1, (uint16_t)start, (uint16_t)end};
}

/* A word of the automaton stands at start..end. */
static void judge(struct finding *finding, const struct state *state, size_t start, size_t end)
{
        const struct bot_token *first = token_at(finding, start), *last = token_at(finding, end - 1);
        if (!first || !last || !may_cut(start, first))
                return;
        if (may_cut(end, last))
                add_hit(finding, state->whole, start, end);
        add_hit(finding, state->beginning, start, (size_t)last->start + last->len);
}

size_t automaton_find(const struct automaton *automaton, const struct bot_text *text,
                      struct automaton_hit out[AUTOMATON_HITS])
{
        struct finding finding = {.text = text, .out = out};
        uint32_t state = 0;
        for (size_t i = 0; i <= text->count; i++)
                finding.token_at[i] = text->token_count;
        for (uint16_t t = 0; t < text->token_count; t++) {
                for (uint16_t i = 0; i < text->tokens[t].len; i++)
                        finding.token_at[text->tokens[t].start + i] = t;
        }
        for (size_t i = 0; i < text->count; i++) {
                uint32_t next;
                while (!(next = child_of(automaton, state, text->points[i])) && state)
                        state = automaton->states[state].fail;
                state = next;
                for (uint32_t at = ends_word(&automaton->states[state]) ? state : automaton->states[state].shorter; at;
                     at = automaton->states[at].shorter)
                        judge(&finding, &automaton->states[at], i + 1 - automaton->states[at].depth, i + 1);
        }
        return finding.count;
}
