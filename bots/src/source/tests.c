/* SPDX-License-Identifier: Apache-2.0 */
/* Tests: what an author expects of his bot, as turns of a conversation. Run by `deskbell bot test`. */
#include <string.h>

#include "source/source_private.h"

static void begin_test(struct source *source, struct lex *lex)
{
        if (lex->now.kind != TOKEN_TEXT) {
                source_error(source, lex->now.at, "Write: test \"a refund, after hours\".",
                             "Here comes what is tested, between \".");
                return;
        }
        json_t *test = json_pack("{s:s%, s:[]}", "name", lex->now.text.at, lex->now.text.len, "turns");
        if (!test) {
                source_error(source, lex->now.at, "Save the file as UTF-8.", "This text is not UTF-8.");
                return;
        }
        if (source->lang[0])
                json_object_set_new(test, "lang", json_string(source->lang));
        json_array_append_new(source_array(source->bot, "tests"), test);
        source->it = test;
        lex_next(lex);
        source_take_end(source, lex);
}

/* A word or a text as a string; NULL after an error. */
static json_t *take_string(struct source *source, struct lex *lex, const char *what)
{
        if (lex->now.kind != TOKEN_WORD && lex->now.kind != TOKEN_TEXT) {
                source_error(source, lex->now.at, NULL, "Here comes %s.", what);
                return NULL;
        }
        json_t *string = json_stringn(lex->now.text.at, lex->now.text.len);
        if (!string)
                source_error(source, lex->now.at, "Save the file as UTF-8.", "This text is not UTF-8.");
        else
                lex_next(lex);
        return string;
}

static bool take_assignment(struct source *source, struct lex *lex, json_t *into)
{
        char name[SOURCE_KEY];
        if (!source_take_id(source, lex, "a name", name))
                return false;
        if (lex->now.kind != TOKEN_SET) {
                source_error(source, lex->now.at, NULL, "Here comes = and a value.");
                return false;
        }
        lex_next(lex);
        json_t *value = source_take_operand(source, lex);
        if (value)
                json_object_set_new(into, name, value);
        return value != NULL;
}

/* What one turn should bring. A row says how many words follow the first. */
static const struct {
        const char *word;
        enum { NO_WORD, ONE_WORD, MANY_WORDS, SLOT_VALUE } then;
} EXPECTED[] = {
        {"faq", ONE_WORD},  {"flow", ONE_WORD},     {"handoff", ONE_WORD}, {"choices", MANY_WORDS}, {"miss", NO_WORD},
        {"asks", ONE_WORD}, {"slot", SLOT_VALUE},   {"says", ONE_WORD},    {"ticket", NO_WORD},     {"close", NO_WORD},
        {"call", ONE_WORD}, {"language", ONE_WORD}, {"silence", NO_WORD},  {"article", ONE_WORD},   {"tag", ONE_WORD},
        {"stop", NO_WORD},  {"care", NO_WORD},
};

static json_t *take_expected(struct source *source, struct lex *lex)
{
        for (size_t i = 0; i < sizeof(EXPECTED) / sizeof(EXPECTED[0]); i++) {
                if (!lex_take_word(lex, EXPECTED[i].word))
                        continue;
                json_t *made = json_pack("[s]", EXPECTED[i].word), *next = NULL;
                bool more = EXPECTED[i].then == ONE_WORD || EXPECTED[i].then == SLOT_VALUE ||
                            (EXPECTED[i].then == MANY_WORDS && lex->now.kind == TOKEN_WORD);
                while (more && (next = take_string(source, lex, "a name or a text"))) {
                        json_array_append_new(made, next);
                        more = EXPECTED[i].then == MANY_WORDS && lex->now.kind == TOKEN_WORD;
                }
                if (EXPECTED[i].then == SLOT_VALUE && next && lex->now.kind == TOKEN_SET) {
                        lex_next(lex);
                        next = source_take_operand(source, lex);
                        if (next)
                                json_array_append_new(made, next);
                }
                if (EXPECTED[i].then != NO_WORD && json_array_size(made) == 1 && EXPECTED[i].then != MANY_WORDS) {
                        json_decref(made);
                        return NULL;
                }
                return made;
        }
        source_error(
                source, lex->now.at,
                "There are: faq, flow, handoff, choices, miss, asks, slot, says, ticket, close, call, article, tag, "
                "language, stop, care, silence.",
                "This is nothing that can be expected.");
        return NULL;
}

/* expect THIS, THAT; an `expect` on a line of its own belongs to the turn above. */
static void take_expect(struct source *source, struct lex *lex, json_t *turn)
{
        do {
                json_t *made = take_expected(source, lex);
                if (!made)
                        return;
                json_array_append_new(source_array(turn, "expect"), made);
                if (lex->now.kind != TOKEN_COMMA)
                        break;
                lex_next(lex);
        } while (lex->now.kind != TOKEN_END);
        source_take_end(source, lex);
}

/* user "text", or user tap "label" or name=value, then perhaps expect. */
static void take_user(struct source *source, struct lex *lex, json_t *turns)
{
        const char *member = lex_take_word(lex, "tap") ? "tap" : "user";
        json_t *said = take_string(source, lex, "what the customer writes or taps, between \"");
        if (!said)
                return;
        if (member[0] == 't' && lex->now.kind == TOKEN_SET) {
                lex_next(lex);
                json_t *value = take_string(source, lex, "yes or no");
                json_t *both = value ? json_sprintf("%s=%s", json_string_value(said), json_string_value(value)) : NULL;
                json_decref(said);
                json_decref(value);
                said = both;
        }
        if (!said)
                return;
        json_t *turn = json_pack("{s:o}", member, said);
        json_array_append_new(turns, turn);
        if (lex_take_word(lex, "expect"))
                take_expect(source, lex, turn);
        else
                source_take_end(source, lex);
}

/* call NAME gives a="1" b=2, or call NAME fails */
static void take_call(struct source *source, struct lex *lex, json_t *turns)
{
        char name[SOURCE_KEY];
        if (!source_take_id(source, lex, "the name of a call", name))
                return;
        json_t *turn = json_pack("{s:s}", "call", name);
        json_array_append_new(turns, turn);
        if (lex_take_word(lex, "fails")) {
                json_object_set_new(turn, "fails", json_true());
        } else if (lex_take_word(lex, "gives")) {
                json_t *value = source_object(turn, "gives");
                while (lex->now.kind == TOKEN_WORD && !lex_is_word(lex, "expect")) {
                        if (!take_assignment(source, lex, value))
                                return;
                }
        } else {
                source_error(source, lex->now.at, "Write: call orders.lookup gives status=\"shipped\", or ... fails.",
                             "It is not said what the call brings.");
                return;
        }
        if (lex_take_word(lex, "expect"))
                take_expect(source, lex, turn);
        else
                source_take_end(source, lex);
}

/* at TIME, open, closed, fact NAME = value, lang TAG: what holds from here on in this test. */
static bool take_setting(struct source *source, struct lex *lex, json_t *turns)
{
        json_t *turn = json_object(), *value = NULL;
        bool is_setting = true;
        if (lex_take_word(lex, "at"))
                value = take_string(source, lex, "a time such as 2026-11-21T23:30+09:00");
        if (value)
                json_object_set_new(turn, "at", value);
        else if (lex_is_word(lex, "open") || lex_is_word(lex, "closed"))
                json_object_set_new(turn, "facts", json_pack("{s:b}", "open", lex_is_word(lex, "open")));
        else if (lex_take_word(lex, "fact"))
                take_assignment(source, lex, source_object(turn, "facts"));
        else if (lex_take_word(lex, "lang") && (value = take_string(source, lex, "a language")))
                json_object_set_new(turn, "lang", value);
        else
                is_setting = false;
        if (lex_is_word(lex, "open") || lex_is_word(lex, "closed"))
                lex_next(lex);
        if (is_setting && source_take_end(source, lex))
                json_array_append(turns, turn);
        json_decref(turn);
        return is_setting;
}

/* Something the bot answers, not only what holds from here on. */
static bool is_said(const json_t *turn)
{
        return json_object_get(turn, "user") || json_object_get(turn, "tap") || json_object_get(turn, "call");
}

static void test_line(struct source *source, int indent)
{
        struct lex lex;
        json_t *turns = source_array(source->it, "turns");
        json_t *last = json_array_get(turns, json_array_size(turns) - 1);
        (void)indent;
        lex_init(&lex, source->line, source->at);
        if (lex_take_word(&lex, "user"))
                take_user(source, &lex, turns);
        else if (lex_take_word(&lex, "call"))
                take_call(source, &lex, turns);
        else if (last && is_said(last) && lex_take_word(&lex, "expect"))
                take_expect(source, &lex, last);
        else if (lex_is_word(&lex, "expect"))
                source_error(source, source->at, "Move it below a line with user or call.",
                             "What is expected belongs to what the customer says or a call brings.");
        else if (!take_setting(source, &lex, turns))
                source_error(source, source->at, "In a test stand: user, call, expect, at, open, closed, fact, lang.",
                             "This line is not understood.");
        lex_done(&lex);
}

const struct block_kind BLOCK_TEST = {"test", begin_test, test_line};
