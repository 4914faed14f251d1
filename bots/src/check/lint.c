/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bots/text.h"
#include "check/check.h"
#include "pattern.h"

enum { EXAMPLES_WISHED = 5 };

struct lint {
        struct check check; /* its places and problems */
        json_t *languages;  /* {lang: true}: those in which anything is answered */
        json_t *names;      /* {name: true}: slots that something sets, and facts every turn has */
        json_t *asked;      /* {entity: true} */
        json_t *examples;   /* {"lang key": "faq x"} */
        json_t *rules;      /* names of the answers by the number that patterns give them */
        struct {
                const char *lang;
                struct bot_patterns *patterns; /* NULL: out of memory */
        } sets[BOT_LANGUAGES_MAX];
        size_t set_count;
};

#define lint_warn(lint, advice, ...)                                                                                   \
        bot_problem_warn((lint)->check.problems, check_place(&(lint)->check), (advice), __VA_ARGS__)

static void note(json_t *set, const char *name)
{
        if (name)
                json_object_set_new(set, name, json_true());
}

/* ---- gathering ------------------------------------------------------------------------------------------------ */

static void gather_steps(struct lint *lint, const json_t *steps)
{
        json_t *step, *a_case;
        size_t i, j;
        json_array_foreach(steps, i, step) {
                note(lint->names, json_string_value(json_object_get(step, "as")));
                note(lint->names, json_string_value(json_object_get(step, "into")));
                note(lint->asked, json_string_value(json_object_get(step, "entity")));
                gather_steps(lint, json_object_get(step, "else"));
                json_array_foreach(json_object_get(step, "cases"), j, a_case)
                        gather_steps(lint, json_object_get(a_case, "steps"));
        }
}

static void gather(struct lint *lint)
{
        static const char *const facts[] = {"open", "online", "opens", "wait", "lang"};
        const json_t *bot = lint->check.bot;
        json_t *one, *unused;
        const char *name, *lang;
        for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
                note(lint->names, facts[i]);
        note(lint->languages, lint->check.lang);
        json_object_foreach(json_object_get(bot, "faqs"), name, one) {
                json_object_foreach(json_object_get(one, "texts"), lang, unused)
                        note(lint->languages, lang);
        }
        json_object_foreach(json_object_get(bot, "flows"), name, one) {
                gather_steps(lint, json_object_get(one, "steps"));
                json_object_foreach(json_object_get(one, "triggers"), lang, unused)
                        note(lint->languages, lang);
        }
        json_object_foreach(json_object_get(bot, "handoffs"), name, one) {
                gather_steps(lint, json_object_get(one, "open"));
                gather_steps(lint, json_object_get(one, "closed"));
        }
}

/* ---- texts ---------------------------------------------------------------------------------------------------- */

static void lint_names_in(struct lint *lint, const char *text)
{
        for (const char *at = strchr(text, '$'); at; at = strchr(at + 1, '$')) {
                char name[72];
                size_t len = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz0123456789_");
                if (len == 0 || len >= sizeof(name) || (at[1] >= '0' && at[1] <= '9'))
                        continue;
                memcpy(name, at + 1, len);
                name[len] = '\0';
                if (!json_object_get(lint->names, name))
                        lint_warn(lint, "If the application tells it as a fact, all is well; else correct the name.",
                                  "A text names $%s, and no step sets it.", name);
        }
}

/* Each key of the bot's own language in each other one. */
static void lint_keys(struct lint *lint, const json_t *texts)
{
        const char *lang, *key;
        json_t *unused, *text;
        json_object_foreach(json_object_get(texts, lint->check.lang), key, text) {
                lint_names_in(lint, json_string_value(text));
                json_object_foreach(lint->languages, lang, unused) {
                        if (!json_object_get(json_object_get(texts, lang), key))
                                lint_warn(lint, "Customers of that language read the bot's own language there.",
                                          "Text @%s is missing in %s.", key, lang);
                }
        }
}

static void lint_faq_texts(struct lint *lint, const json_t *faq)
{
        const char *lang;
        json_t *unused, *answer;
        size_t i;
        bool has_buttons = json_array_size(json_object_get(faq, "buttons")) > 0;
        json_object_foreach(lint->languages, lang, unused) {
                const json_t *texts = json_object_get(json_object_get(faq, "texts"), lang);
                size_t count = json_array_size(json_object_get(texts, "examples"));
                bool has_pattern = json_array_size(json_object_get(texts, "patterns")) > 0;
                if (json_array_size(json_object_get(texts, "answers")) == 0 && !json_object_get(faq, "goto"))
                        lint_warn(lint, "Customers of that language read the bot's own language there.",
                                  "There is no answer in %s.", lang);
                if (count < EXAMPLES_WISHED && !(count == 0 && has_pattern))
                        lint_warn(lint,
                                  "Write ten, as customers would ask; the unanswered questions are the best ones.",
                                  "There are %zu examples in %s; below %d the bot can only offer choices.", count, lang,
                                  EXAMPLES_WISHED);
                if (has_buttons && !json_object_get(texts, "buttons"))
                        lint_warn(lint, "Write the labels alone: buttons \"...\" | \"...\"",
                                  "The buttons have no labels in %s.", lang);
                json_array_foreach(json_object_get(texts, "answers"), i, answer)
                        lint_names_in(lint, json_string_value(answer));
        }
}

/* ---- examples ------------------------------------------------------------------------------------------------- */

static const struct bot_patterns *set_of(const struct lint *lint, const char *lang)
{
        for (size_t i = 0; i < lint->set_count; i++) {
                if (strcmp(lint->sets[i].lang, lang) == 0)
                        return lint->sets[i].patterns;
        }
        return NULL;
}

static void lint_example(struct lint *lint, const char *lang, const json_t *example)
{
        struct bot_text text;
        struct bot_pattern_hit hit;
        const struct bot_patterns *patterns = set_of(lint, lang);
        char key[BOT_TEXT_KEY + 40];
        size_t len = (size_t)snprintf(key, 40, "%s ", lang);
        bot_text_of((struct span){json_string_value(example), json_string_length(example)}, &text);
        len += bot_text_key(&text, key + len);
        key[len] = '\0';
        const char *other = json_string_value(json_object_get(lint->examples, key));
        if (other && strcmp(other, lint->check.what) != 0)
                lint_warn(lint, "Keep it under one of them.", "\"%.100s\" is an example of %s, too.",
                          json_string_value(example), other);
        else
                json_object_set_new(lint->examples, key, json_string(lint->check.what));
        if (!patterns || bot_patterns_match(patterns, &text, NULL, &hit, 1) == 0)
                return;
        const char *taker = json_string_value(json_array_get(lint->rules, hit.rule));
        if (strcmp(taker, lint->check.what) != 0)
                lint_warn(lint, "Make that pattern narrower, or move the example.",
                          "The example \"%.100s\" is taken by a pattern of %s.", json_string_value(example), taker);
}

static void lint_examples(struct lint *lint, const json_t *where)
{
        const char *lang;
        json_t *texts, *example;
        size_t i;
        json_object_foreach((json_t *)where, lang, texts) {
                json_array_foreach(json_object_get(texts, "examples"), i, example)
                        lint_example(lint, lang, example);
        }
}

/* The patterns of one language; rules number `names`. NULL: none, or out of memory. */
static struct bot_patterns *patterns_of(const json_t *bot, const char *lang, json_t *names)
{
        static const char *const groups[][3] = {{"faqs", "faq", "texts"}, {"flows", "flow", "triggers"}};
        struct bot_patterns *patterns = bot_patterns_new();
        const json_t *synonyms = json_object_get(json_object_get(bot, "synonyms"), lang);
        bool is_first = json_array_size(names) == 0;
        uint32_t rule = 0;
        for (size_t group = 0; patterns && group < 2; group++) {
                const char *name;
                json_t *one, *pattern;
                size_t i;
                json_object_foreach(json_object_get(bot, groups[group][0]), name, one) {
                        const json_t *where = json_object_get(json_object_get(one, groups[group][2]), lang);
                        const json_t *priority = json_object_get(one, "priority");
                        if (is_first)
                                json_array_append_new(names, json_sprintf("%s %s", groups[group][1], name));
                        json_array_foreach(json_object_get(where, "patterns"), i, pattern)
                                bot_patterns_add(patterns, span_of(json_string_value(pattern)), rule,
                                                 priority ? (unsigned)json_integer_value(priority) : 5, synonyms);
                        rule++;
                }
        }
        if (patterns && bot_patterns_seal(patterns) < 0)
                return bot_patterns_free(patterns);
        return patterns;
}

/* ---- steps ---------------------------------------------------------------------------------------------------- */

static bool ends(const json_t *step)
{
        static const char *const words[] = {"goto", "handoff", "ticket", "close"};
        const char *word = json_string_value(json_object_get(step, "do"));
        for (size_t i = 0; word && i < sizeof(words) / sizeof(words[0]); i++) {
                if (strcmp(word, words[i]) == 0)
                        return true;
        }
        return false;
}

static void lint_steps(struct lint *lint, const json_t *steps)
{
        json_t *step, *a_case;
        size_t i, j, says = 0;
        json_array_foreach(steps, i, step) {
                const char *word = json_string_value(json_object_get(step, "do"));
                if (i + 1 < json_array_size(steps) && ends(step))
                        lint_warn(lint, "Take the steps behind it away, or put them before it.",
                                  "Nothing behind `%s` is ever reached.", word);
                says = strcmp(word, "say") == 0 ? says + 1 : 0;
                if (says == 4)
                        lint_warn(lint, "Make one text of several.", "More than three texts follow each other.");
                if (strcmp(word, "call") == 0 && !json_object_get(step, "else"))
                        lint_warn(lint, "Write: else say \"...\" then handoff NAME.",
                                  "The call %s has no `else`: when it fails the customer goes to a person.",
                                  json_string_value(json_object_get(step, "name")));
                lint_steps(lint, json_object_get(step, "else"));
                json_array_foreach(json_object_get(step, "cases"), j, a_case)
                        lint_steps(lint, json_object_get(a_case, "steps"));
        }
}

static void lint_handoff(struct lint *lint, const json_t *handoff)
{
        lint_keys(lint, json_object_get(handoff, "texts"));
        lint_steps(lint, json_object_get(handoff, "open"));
        lint_steps(lint, json_object_get(handoff, "closed"));
        if (json_object_get(handoff, "open") && !json_object_get(handoff, "closed"))
                lint_warn(lint, "Write: closed say \"We are back $opens.\"",
                          "It is not said what happens outside of hours.");
}

static void lint_fallback(struct lint *lint)
{
        const json_t *fallback = json_object_get(lint->check.bot, "fallback");
        const json_t *misses = json_object_get(fallback, "misses");
        const json_t *last = json_array_get(misses, json_array_size(misses) - 1);
        const char *word = json_string_value(json_object_get(last, "do"));
        snprintf(lint->check.what, sizeof(lint->check.what), "fallback");
        if (fallback && (!word || strcmp(word, "handoff") != 0))
                lint_warn(lint, "End it with: miss 3 handoff default.", "The last miss does not lead to a person.");
        lint_keys(lint, json_object_get(fallback, "texts"));
}

static void lint_entities(struct lint *lint)
{
        const char *name;
        json_t *unused;
        json_object_foreach(json_object_get(lint->check.bot, "entities"), name, unused) {
                snprintf(lint->check.what, sizeof(lint->check.what), "entity %.64s", name);
                if (!json_object_get(lint->asked, name))
                        lint_warn(lint, NULL, "No flow asks for %s.", name);
        }
}

/* ---- all ------------------------------------------------------------------------------------------------------ */

static void lint_answers(struct lint *lint)
{
        const char *name;
        json_t *one;
        json_object_foreach(json_object_get(lint->check.bot, "faqs"), name, one) {
                snprintf(lint->check.what, sizeof(lint->check.what), "faq %.64s", name);
                lint_faq_texts(lint, one);
                lint_examples(lint, json_object_get(one, "texts"));
        }
        json_object_foreach(json_object_get(lint->check.bot, "flows"), name, one) {
                snprintf(lint->check.what, sizeof(lint->check.what), "flow %.64s", name);
                lint_keys(lint, json_object_get(one, "texts"));
                lint_steps(lint, json_object_get(one, "steps"));
                lint_examples(lint, json_object_get(one, "triggers"));
        }
        json_object_foreach(json_object_get(lint->check.bot, "handoffs"), name, one) {
                snprintf(lint->check.what, sizeof(lint->check.what), "handoff %.64s", name);
                lint_handoff(lint, one);
        }
}

void bot_lint(const json_t *bot, const json_t *places, const struct bot_file *files, struct bot_problems *problems)
{
        struct lint lint = {
                .check = {.bot = bot,
                          .places = places,
                          .files = files,
                          .problems = problems,
                          .lang = json_string_value(json_object_get(bot, "lang"))},
                .languages = json_object(),
                .names = json_object(),
                .asked = json_object(),
                .examples = json_object(),
                .rules = json_array(),
        };
        json_t *unused;
        const char *lang;
        gather(&lint);
        json_object_foreach(lint.languages, lang, unused) {
                if (lint.set_count == BOT_LANGUAGES_MAX)
                        break;
                lint.sets[lint.set_count].lang = lang;
                lint.sets[lint.set_count++].patterns = patterns_of(bot, lang, lint.rules);
        }
        lint_answers(&lint);
        lint_fallback(&lint);
        lint_entities(&lint);
        for (size_t i = 0; i < lint.set_count; i++)
                bot_patterns_free(lint.sets[i].patterns);
        json_decref(lint.rules);
        json_decref(lint.languages);
        json_decref(lint.names);
        json_decref(lint.asked);
        json_decref(lint.examples);
}
