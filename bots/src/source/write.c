/* SPDX-License-Identifier: Apache-2.0 */
/* Write: the canonical object as one .bot file: the structure with the texts of the bot's own language in place, then a
 * part for each other language. Every text is written with its key, so that reading it gives the same keys again. */
#include <stdlib.h>
#include <string.h>

#include "bots/source.h"

struct printer {
        struct writer *out;
        const json_t *texts; /* of the block, in the language being written; borrowed; NULL = none */
        json_t *used;        /* {key: true}: those of the block that were written where a step names them */
};

static void put(struct printer *printer, const char *text)
{
        writer_raw(printer->out, span_of(text));
}

static void put_indent(struct printer *printer, int depth)
{
        for (int i = 0; i < depth; i++)
                put(printer, "  ");
}

static void put_quoted(struct printer *printer, const json_t *text)
{
        const char *at = json_string_value(text);
        writer_char(printer->out, '"');
        for (; at && *at; at++) {
                if (*at == '"' || *at == '\\')
                        writer_char(printer->out, '\\');
                if (*at == '\n')
                        put(printer, "\\n");
                else
                        writer_char(printer->out, *at);
        }
        writer_char(printer->out, '"');
}

static void put_string(struct printer *printer, const json_t *object, const char *member)
{
        put(printer, json_string_value(json_object_get(object, member)));
}

/* A text behind ?, ~, ! or =; a blank line of an answer begins with |. */
static void put_raw(struct printer *printer, const char *sign, const char *text)
{
        put(printer, "  ");
        put(printer, sign);
        if (*text)
                writer_char(printer->out, ' ');
        for (const char *at = text; *at; at++) {
                bool is_edge = at == text || at[-1] == '\n' || at[1] == '\n' || at[1] == '\0';
                if (*at == '\\' || *at == '#')
                        writer_char(printer->out, '\\');
                if (*at == '\n')
                        put(printer, at[1] == '\n' || at[1] == '\0' ? "\n  |" : "\n  | ");
                else if (*at == '\t' || (*at == ' ' && is_edge))
                        put(printer, *at == ' ' ? "\\s" : "\\t");
                else
                        writer_char(printer->out, *at);
        }
        writer_char(printer->out, '\n');
}

/* @key "text" */
static void put_text(struct printer *printer, const json_t *key)
{
        const json_t *text = json_object_get(printer->texts, json_string_value(key));
        writer_char(printer->out, '@');
        put(printer, json_string_value(key));
        json_object_set_new(printer->used, json_string_value(key), json_true());
        if (text) {
                writer_char(printer->out, ' ');
                put_quoted(printer, text);
        }
}

static void put_operand(struct printer *printer, const json_t *operand)
{
        const json_t *var = json_object_get(operand, "var"), *fact = json_object_get(operand, "fact");
        if (var || fact) {
                put(printer, var ? "$" : "");
                put(printer, json_string_value(var ? var : fact));
        } else if (json_is_string(operand)) {
                put_quoted(printer, operand);
        } else {
                char *text = json_dumps(operand, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
                if (!text)
                        printer->out->failed = true;
                put(printer, text ? text : "");
                free(text);
        }
}

/* Always with brackets around what is joined: the source needs no table of who binds closer. */
static void put_condition(struct printer *printer, const json_t *condition)
{
        const char *word = json_string_value(json_array_get(condition, 0));
        const json_t *left = json_array_get(condition, 1);
        if (strcmp(word, "and") == 0 || strcmp(word, "or") == 0) {
                for (size_t i = 1; i < json_array_size(condition); i++) {
                        put(printer, i == 1 ? "(" : ") ");
                        if (i > 1) {
                                put(printer, word);
                                put(printer, " (");
                        }
                        put_condition(printer, json_array_get(condition, i));
                }
                put(printer, ")");
        } else if (strcmp(word, "not") == 0) {
                put(printer, "not (");
                put_condition(printer, left);
                put(printer, ")");
        } else if (strcmp(word, "in") == 0) {
                put_operand(printer, left);
                for (size_t i = 2; i < json_array_size(condition); i++) {
                        put(printer, i == 2 ? " in (" : ", ");
                        put_operand(printer, json_array_get(condition, i));
                }
                put(printer, ")");
        } else {
                bool is_has = strcmp(word, "has") == 0, is_alone = strcmp(word, "is") == 0;
                put(printer, is_has ? "has " : "");
                put_operand(printer, left);
                if (!is_has && !is_alone) {
                        writer_char(printer->out, ' ');
                        put(printer, word);
                        writer_char(printer->out, ' ');
                        put_operand(printer, json_array_get(condition, 2));
                }
        }
}

static void put_steps_in_line(struct printer *printer, const json_t *steps);

static void put_word_and(struct printer *printer, const char *word, const json_t *step, const char *member)
{
        if (!json_object_get(step, member))
                return;
        put(printer, word);
        put_string(printer, step, member);
}

static void put_else(struct printer *printer, const json_t *step)
{
        const json_t *steps = json_object_get(step, "else");
        if (!steps)
                return;
        put(printer, " else ");
        put_steps_in_line(printer, steps);
}

static void put_ask(struct printer *printer, const json_t *step)
{
        const json_t *hint = json_object_get(step, "hint"), *retry = json_object_get(step, "retry");
        put_word_and(printer, "ask ", step, "entity");
        put_word_and(printer, " as ", step, "as");
        put(printer, " ");
        put_text(printer, json_object_get(step, "text"));
        if (hint) {
                put(printer, " hint ");
                put_text(printer, hint);
        }
        if (retry) {
                put(printer, " retry ");
                writer_int(printer->out, json_integer_value(retry));
        }
        put_else(printer, step);
}

static void put_choices(struct printer *printer, const json_t *step)
{
        const json_t *option;
        size_t i;
        put(printer, "choices ");
        put_text(printer, json_object_get(step, "text"));
        put_word_and(printer, " as ", step, "as");
        json_array_foreach(json_object_get(step, "options"), i, option) {
                put(printer, i == 0 ? " of " : " | ");
                put_text(printer, json_object_get(option, "label"));
                if (json_object_get(option, "to")) {
                        put_word_and(printer, " -> ", option, "to");
                } else {
                        put(printer, " = ");
                        put_operand(printer, json_object_get(option, "value"));
                }
        }
}

static void put_call(struct printer *printer, const json_t *step)
{
        const char *name;
        const json_t *value, *timeout = json_object_get(step, "timeout_ms");
        put_word_and(printer, "call ", step, "name");
        json_object_foreach((json_t *)json_object_get(step, "args"), name, value) {
                put(printer, " ");
                put(printer, name);
                put(printer, "=");
                put_operand(printer, value);
        }
        put_word_and(printer, " into ", step, "into");
        if (timeout) {
                put(printer, " timeout ");
                writer_int(printer->out, json_integer_value(timeout));
                put(printer, "ms");
        }
        put_else(printer, step);
}

/* Any step but a branch. */
static void put_step(struct printer *printer, const json_t *step)
{
        const char *word = json_string_value(json_object_get(step, "do"));
        if (strcmp(word, "say") == 0) {
                put(printer, "say ");
                put_text(printer, json_object_get(step, "text"));
        } else if (strcmp(word, "ask") == 0) {
                put_ask(printer, step);
        } else if (strcmp(word, "choices") == 0) {
                put_choices(printer, step);
        } else if (strcmp(word, "set") == 0) {
                put_word_and(printer, "set ", step, "as");
                put(printer, " = ");
                put_operand(printer, json_object_get(step, "value"));
        } else if (strcmp(word, "call") == 0) {
                put_call(printer, step);
        } else if (strcmp(word, "article") == 0) {
                put(printer, "article ");
                put_quoted(printer, json_object_get(step, "ref"));
        } else {
                put(printer, word);
                put_word_and(printer, " ", step, "to");
                put_word_and(printer, " ", step, "name");
        }
}

static void put_steps_in_line(struct printer *printer, const json_t *steps)
{
        const json_t *step;
        size_t i;
        json_array_foreach(steps, i, step) {
                put(printer, i ? " then " : "");
                put_step(printer, step);
        }
}

static void put_steps(struct printer *printer, const json_t *steps, int depth);

static void put_branch(struct printer *printer, const json_t *cases, int depth)
{
        const json_t *a_case, *condition;
        size_t i;
        json_array_foreach(cases, i, a_case) {
                condition = json_object_get(a_case, "when");
                put_indent(printer, depth);
                put(printer, condition ? "when " : "else");
                if (condition)
                        put_condition(printer, condition);
                put(printer, "\n");
                put_steps(printer, json_object_get(a_case, "steps"), depth + 1);
        }
}

static void put_steps(struct printer *printer, const json_t *steps, int depth)
{
        const json_t *step;
        size_t i;
        json_array_foreach(steps, i, step) {
                const json_t *cases = json_object_get(step, "cases");
                if (cases) {
                        put_branch(printer, cases, depth);
                        continue;
                }
                put_indent(printer, depth);
                put_step(printer, step);
                put(printer, "\n");
        }
}

/* ---- blocks -------------------------------------------------------------------------------------------------- */

static void put_lines(struct printer *printer, const json_t *where, const char *list, const char *sign)
{
        const json_t *text;
        size_t i;
        json_array_foreach(json_object_get(where, list), i, text)
                put_raw(printer, sign, json_string_value(text));
}

static void put_examples(struct printer *printer, const json_t *where)
{
        put_lines(printer, where, "examples", "?");
        put_lines(printer, where, "patterns", "~");
        put_lines(printer, where, "not", "!");
}

static void put_words(struct printer *printer, const json_t *words, const char *between)
{
        const json_t *word;
        size_t i;
        json_array_foreach(words, i, word) {
                put(printer, i ? ", " : between);
                put(printer, json_string_value(word));
        }
}

static void put_entities(struct printer *printer, const json_t *bot, const char *lang, bool is_own)
{
        const char *name;
        json_t *entity, *item;
        size_t i;
        json_object_foreach(json_object_get(bot, "entities"), name, entity) {
                const json_t *match = json_object_get(entity, "match"), *example = json_object_get(entity, "example");
                if (match && !is_own)
                        continue;
                put(printer, "entity ");
                put(printer, name);
                if (match) {
                        put(printer, " match ");
                        put_quoted(printer, match);
                        put(printer, example ? " example " : "");
                        if (example)
                                put_quoted(printer, example);
                }
                json_array_foreach(json_object_get(entity, "list"), i, item) {
                        put(printer, i ? "; " : " list ");
                        put_string(printer, item, "value");
                        put_words(printer, json_object_get(json_object_get(item, "words"), lang), ": ");
                }
                put(printer, "\n");
        }
}

static void put_synonyms(struct printer *printer, const json_t *bot, const char *lang)
{
        const char *word;
        json_t *others;
        json_object_foreach(json_object_get(json_object_get(bot, "synonyms"), lang), word, others) {
                put(printer, "syn ");
                put(printer, word);
                put_words(printer, others, " = ");
                put(printer, "\n");
        }
}

/* Every text of the block that no step has brought yet. */
static void put_key_lines(struct printer *printer, const json_t *texts)
{
        const char *key;
        json_t *text;
        json_object_foreach((json_t *)texts, key, text) {
                if (json_object_get(printer->used, key))
                        continue;
                put(printer, "  @");
                put(printer, key);
                put(printer, " ");
                put_quoted(printer, text);
                put(printer, "\n");
        }
}

static void put_buttons(struct printer *printer, const json_t *labels, const json_t *targets)
{
        size_t count =
                json_array_size(labels) > json_array_size(targets) ? json_array_size(labels) : json_array_size(targets);
        for (size_t i = 0; i < count; i++) {
                const json_t *label = json_array_get(labels, i), *target = json_array_get(targets, i);
                put(printer, i ? " | " : "  buttons ");
                if (label)
                        put_quoted(printer, label);
                if (target) {
                        put(printer, label ? " -> " : "-> ");
                        put(printer, json_string_value(target));
                }
        }
        put(printer, count ? "\n" : "");
}

static void put_faq_head(struct printer *printer, const json_t *faq)
{
        const json_t *priority = json_object_get(faq, "priority"), *condition = json_object_get(faq, "when");
        if (priority) {
                put(printer, " priority ");
                writer_int(printer->out, json_integer_value(priority));
        }
        if (condition) {
                put(printer, " when ");
                put_condition(printer, condition);
        }
        put(printer, "\n");
}

static void put_faq(struct printer *printer, const json_t *faq, const json_t *texts, bool is_own)
{
        const json_t *helped = json_object_get(faq, "helped");
        put_examples(printer, texts);
        put_lines(printer, texts, "answers", "=");
        put_buttons(printer, json_object_get(texts, "buttons"), is_own ? json_object_get(faq, "buttons") : NULL);
        if (!is_own)
                return;
        if (json_object_get(faq, "article")) {
                put(printer, "  article ");
                put_quoted(printer, json_object_get(faq, "article"));
                put(printer, "\n");
        }
        if (helped) {
                put(printer, json_is_string(helped) ? "  helped? off" : "  helped? no -> ");
                put_string(printer, helped, "no");
                put(printer, "\n");
        }
        if (json_object_get(faq, "goto")) {
                put(printer, "  goto ");
                put_string(printer, faq, "goto");
                put(printer, "\n");
        }
}

static void put_faqs(struct printer *printer, const json_t *bot, const char *lang, bool is_own)
{
        const char *name;
        json_t *faq;
        json_object_foreach(json_object_get(bot, "faqs"), name, faq) {
                const json_t *texts = json_object_get(json_object_get(faq, "texts"), lang);
                if (!is_own && !texts)
                        continue;
                put(printer, "\nfaq ");
                put(printer, name);
                if (is_own)
                        put_faq_head(printer, faq);
                else
                        put(printer, "\n");
                put_faq(printer, faq, texts, is_own);
        }
}

static void put_flows(struct printer *printer, const json_t *bot, const char *lang, bool is_own)
{
        const char *name;
        json_t *flow;
        json_object_foreach(json_object_get(bot, "flows"), name, flow) {
                const json_t *triggers = json_object_get(json_object_get(flow, "triggers"), lang);
                const json_t *condition = json_object_get(flow, "when");
                printer->texts = json_object_get(json_object_get(flow, "texts"), lang);
                if (!is_own && !printer->texts && !triggers)
                        continue;
                put(printer, "\nflow ");
                put(printer, name);
                if (is_own && condition) {
                        put(printer, " when ");
                        put_condition(printer, condition);
                }
                put(printer, "\n");
                put_examples(printer, triggers);
                if (is_own)
                        put_steps(printer, json_object_get(flow, "steps"), 1);
                put_key_lines(printer, printer->texts);
                json_object_clear(printer->used);
        }
}

static void put_handoff(struct printer *printer, const json_t *handoff)
{
        const char *const parts[] = {"open", "closed"};
        const json_t *slot;
        size_t i;
        put_word_and(printer, "  team ", handoff, "team");
        put(printer, json_object_get(handoff, "team") ? "\n" : "");
        put_word_and(printer, "  priority ", handoff, "priority");
        put(printer, json_object_get(handoff, "priority") ? "\n" : "");
        json_array_foreach(json_object_get(handoff, "carry"), i, slot) {
                put(printer, i ? " " : "  carry ");
                put(printer, json_string_value(slot));
        }
        put(printer, json_array_size(json_object_get(handoff, "carry")) ? "\n" : "");
        for (i = 0; i < 2; i++) {
                const json_t *steps = json_object_get(handoff, parts[i]);
                if (!steps)
                        continue;
                put_indent(printer, 1);
                put(printer, parts[i]);
                put(printer, "\n");
                put_steps(printer, steps, 2);
        }
}

static void put_handoffs(struct printer *printer, const json_t *bot, const char *lang, bool is_own)
{
        const char *name;
        json_t *handoff;
        json_object_foreach(json_object_get(bot, "handoffs"), name, handoff) {
                printer->texts = json_object_get(json_object_get(handoff, "texts"), lang);
                if (!is_own && !printer->texts)
                        continue;
                put(printer, "\nhandoff ");
                put(printer, name);
                put(printer, "\n");
                if (is_own)
                        put_handoff(printer, handoff);
                put_key_lines(printer, printer->texts);
                json_object_clear(printer->used);
        }
}

static void put_fallback(struct printer *printer, const json_t *bot, const char *lang, bool is_own)
{
        const json_t *fallback = json_object_get(bot, "fallback"), *miss;
        size_t i;
        printer->texts = json_object_get(json_object_get(fallback, "texts"), lang);
        if (!fallback || (!is_own && !printer->texts))
                return;
        put(printer, "\nfallback\n");
        if (!is_own) {
                put_key_lines(printer, printer->texts);
                return;
        }
        json_array_foreach(json_object_get(fallback, "misses"), i, miss) {
                put(printer, "  miss ");
                writer_int(printer->out, (int64_t)i + 1);
                put_word_and(printer, " ", miss, "do");
                if (json_object_get(miss, "count")) {
                        put(printer, " ");
                        writer_int(printer->out, json_integer_value(json_object_get(miss, "count")));
                }
                put(printer, " ");
                if (json_object_get(miss, "to"))
                        put_string(printer, miss, "to");
                else
                        put_text(printer, json_object_get(miss, "text"));
                put(printer, "\n");
        }
        put_key_lines(printer, printer->texts);
        json_object_clear(printer->used);
}

/* ---- tests --------------------------------------------------------------------------------------------------- */

static void put_expected(struct printer *printer, const json_t *turn)
{
        const json_t *expected, *word;
        size_t i, j;
        json_array_foreach(json_object_get(turn, "expect"), i, expected) {
                const char *first = json_string_value(json_array_get(expected, 0));
                put(printer, i ? ", " : " expect ");
                put(printer, first);
                json_array_foreach(expected, j, word) {
                        if (j == 0)
                                continue;
                        bool is_value = strcmp(first, "slot") == 0 && j == 2;
                        put(printer, is_value ? " = " : " ");
                        if (is_value || strcmp(first, "says") == 0 || strcmp(first, "article") == 0)
                                put_operand(printer, word);
                        else
                                put(printer, json_string_value(word));
                }
        }
        put(printer, "\n");
}

static void put_settings(struct printer *printer, const json_t *turn)
{
        const char *name;
        json_t *value;
        json_object_foreach(json_object_get(turn, "facts"), name, value) {
                put(printer, "  fact ");
                put(printer, name);
                put(printer, " = ");
                put_operand(printer, value);
                put(printer, "\n");
        }
        put_word_and(printer, "  at ", turn, "at");
        put(printer, json_object_get(turn, "at") ? "\n" : "");
        put_word_and(printer, "  lang ", turn, "lang");
        put(printer, json_object_get(turn, "lang") ? "\n" : "");
}

static void put_turn(struct printer *printer, const json_t *turn)
{
        const json_t *user = json_object_get(turn, "user"), *tap = json_object_get(turn, "tap");
        const char *name;
        json_t *value;
        if (user || tap) {
                put(printer, user ? "  user " : "  user tap ");
                put_quoted(printer, user ? user : tap);
                put_expected(printer, turn);
        } else if (json_object_get(turn, "call")) {
                put_word_and(printer, "  call ", turn, "call");
                put(printer, json_object_get(turn, "fails") ? " fails" : " gives");
                json_object_foreach(json_object_get(turn, "gives"), name, value) {
                        put(printer, " ");
                        put(printer, name);
                        put(printer, "=");
                        put_operand(printer, value);
                }
                put_expected(printer, turn);
        } else {
                put_settings(printer, turn);
        }
}

static void put_tests(struct printer *printer, const json_t *bot)
{
        const json_t *test, *turn;
        const char *lang = json_string_value(json_object_get(bot, "lang"));
        size_t i, j;
        json_array_foreach(json_object_get(bot, "tests"), i, test) {
                const char *its = json_string_value(json_object_get(test, "lang"));
                put(printer, "\n");
                if (its && (!lang || strcmp(its, lang) != 0)) {
                        put(printer, "lang ");
                        put(printer, its);
                        put(printer, "\n");
                        lang = its;
                }
                put(printer, "test ");
                put_quoted(printer, json_object_get(test, "name"));
                put(printer, "\n");
                json_array_foreach(json_object_get(test, "turns"), j, turn)
                        put_turn(printer, turn);
        }
}

/* Every language that has a text anywhere, but the bot's own, as keys of a new object. */
static void note_languages(json_t *all, const json_t *texts)
{
        const char *lang;
        json_t *unused;
        json_object_foreach((json_t *)texts, lang, unused)
                json_object_set_new(all, lang, json_true());
}

static json_t *other_languages(const json_t *bot, const char *own)
{
        static const char *const groups[] = {"faqs", "flows", "handoffs"};
        json_t *all = json_object(), *item;
        const char *name;
        size_t i;
        for (size_t group = 0; group < sizeof(groups) / sizeof(groups[0]); group++) {
                json_object_foreach(json_object_get(bot, groups[group]), name, item) {
                        note_languages(all, json_object_get(item, "texts"));
                        note_languages(all, json_object_get(item, "triggers"));
                }
        }
        json_object_foreach(json_object_get(bot, "entities"), name, item) {
                json_t *word;
                json_array_foreach(json_object_get(item, "list"), i, word)
                        note_languages(all, json_object_get(word, "words"));
        }
        note_languages(all, json_object_get(bot, "synonyms"));
        note_languages(all, json_object_get(bot, "texts"));
        note_languages(all, json_object_get(json_object_get(bot, "fallback"), "texts"));
        json_object_del(all, own);
        return all;
}

static void put_language(struct printer *printer, const json_t *bot, const char *lang, bool is_own)
{
        const json_t *texts = json_object_get(json_object_get(bot, "texts"), lang);
        put(printer, is_own ? "lang " : "\nlang ");
        put(printer, lang);
        put(printer, "\n");
        put_entities(printer, bot, lang, is_own);
        put_synonyms(printer, bot, lang);
        put_faqs(printer, bot, lang, is_own);
        put_flows(printer, bot, lang, is_own);
        put_handoffs(printer, bot, lang, is_own);
        put_fallback(printer, bot, lang, is_own);
        put(printer, json_object_size(texts) ? "\ntexts\n" : "");
        put_key_lines(printer, texts);
}

void bot_source_write(const json_t *bot, struct writer *out)
{
        struct printer printer = {.out = out, .used = json_object()};
        const char *own = json_string_value(json_object_get(bot, "lang")), *lang;
        json_t *others, *unused;
        own = own ? own : "en";
        others = other_languages(bot, own);
        if (!others || !printer.used) {
                out->failed = true;
                json_decref(others);
                json_decref(printer.used);
                return;
        }
        put(&printer, "bot 1\n");
        put_language(&printer, bot, own, true);
        put_tests(&printer, bot); /* first, while the language is the bot's own */
        json_object_foreach(others, lang, unused)
                put_language(&printer, bot, lang, false);
        json_decref(others);
        json_decref(printer.used);
}
