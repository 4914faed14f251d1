/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks of a bot, and what all parts of the check use. */
#include "check/check.h"

#include <stdio.h>
#include <string.h>

#include "bots/text.h"
#include "pattern.h"
#include "source/lex.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct bot_place check_place(const struct check *check)
{
        return bot_place_of(check->places, check->files, check->what);
}

size_t check_characters(const char *text)
{
        size_t count = 0;
        for (; *text; text++)
                count += ((unsigned char)*text & 0xC0) != 0x80;
        return count;
}

bool check_is_name(const char *name)
{
        return lex_is_name(span_of(name));
}

/* Words that would be read as something else where a line names a slot, an argument or a fact. */
static bool is_reserved(const char *name)
{
        static const char *const words[] = {"and",  "as",   "else",    "expect", "false", "has",      "hint",
                                            "in",   "into", "not",     "of",     "or",    "priority", "retry",
                                            "team", "then", "timeout", "true",   "when"};
        for (size_t i = 0; i < COUNT_OF(words); i++) {
                if (strcmp(name, words[i]) == 0)
                        return true;
        }
        return false;
}

bool check_is_key(const char *name)
{
        return check_is_name(name) && !strchr(name, '-');
}

bool check_is_slot(const char *name)
{
        return check_is_key(name) && !strchr(name, '.') && name[0] >= 'a' && name[0] <= 'z' && !is_reserved(name);
}

bool check_is_path(const char *name, bool may_be_reserved)
{
        return check_is_key(name) && name[0] >= 'a' && name[0] <= 'z' && (may_be_reserved || !is_reserved(name));
}

bool check_is_language(const char *lang)
{
        return lex_is_language(span_of(lang));
}

/* A string without a zero byte: those of jansson may hold one. */
static bool is_text(const json_t *value)
{
        return json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value);
}

static bool is_of(struct check *check, const json_t *value, const char *where, const struct check_member *member)
{
        json_int_t count = json_integer_value(value);
        switch (member->type) {
        case CHECK_TEXT:
                return is_text(value);
        case CHECK_NAME:
                return is_text(value) && check_is_name(json_string_value(value));
        case CHECK_KEY:
                return is_text(value) && check_is_key(json_string_value(value));
        case CHECK_SLOT:
                return is_text(value) && check_is_slot(json_string_value(value));
        case CHECK_COUNT:
                return json_is_integer(value) && count >= member->least && count <= member->most;
        case CHECK_LIST:
                return json_is_array(value);
        case CHECK_OBJECT:
                return json_is_object(value);
        case CHECK_CONDITION:
                check_condition(check, value, 0);
                return true;
        case CHECK_TARGET:
                check_target(check, value);
                return true;
        case CHECK_ANY:
                return true;
        }
        (void)where;
        return false;
}

static const char *type_says(const struct check_member *member, char room[64])
{
        static const char *const says[] = {[CHECK_TEXT] = "a text",
                                           [CHECK_NAME] = "a name of a-z, 0-9, _ - .",
                                           [CHECK_KEY] = "a name of a-z, 0-9, _ .",
                                           [CHECK_SLOT] = "a name of a-z, 0-9, _ that no step uses as a word",
                                           [CHECK_LIST] = "a list",
                                           [CHECK_OBJECT] = "an object",
                                           [CHECK_ANY] = "a value",
                                           [CHECK_TARGET] = "where to go on",
                                           [CHECK_CONDITION] = "a condition"};
        if (member->type != CHECK_COUNT)
                return says[member->type];
        snprintf(room, 64, "a number from %lld to %lld", (long long)member->least, (long long)member->most);
        return room;
}

bool check_members(struct check *check, const json_t *object, const char *where, const struct check_member *members,
                   size_t count)
{
        const char *name;
        json_t *value;
        char room[64];
        bool is_good = true;
        if (!json_is_object(object)) {
                check_error(check, NULL, "%s is no object.", where);
                return false;
        }
        json_object_foreach((json_t *)object, name, value) {
                const struct check_member *member = NULL;
                for (size_t i = 0; !member && i < count; i++)
                        member = strcmp(members[i].name, name) == 0 ? &members[i] : NULL;
                if (!member) {
                        check_error(check, NULL, "%s has a member that is not known: %.64s.", where, name);
                        is_good = false;
                } else if (!is_of(check, value, where, member)) {
                        check_error(check, NULL, "%s: %s is not %s.", where, name, type_says(member, room));
                        is_good = false;
                }
        }
        for (size_t i = 0; i < count; i++) {
                if (members[i].is_needed && !json_object_get(object, members[i].name)) {
                        check_error(check, NULL, "%s lacks %s.", where, members[i].name);
                        is_good = false;
                }
        }
        return is_good;
}

static bool check_said(struct check *check, const json_t *text, const char *where, size_t most)
{
        if (!is_text(text) || json_string_length(text) == 0) {
                check_error(check, NULL, "%s is empty, or no text.", where);
                return false;
        }
        if (check_characters(json_string_value(text)) > most) {
                check_error(check, "Put the long form into an article and link it.",
                            "%s is longer than %zu characters.", where, most);
                return false;
        }
        const char *at = json_string_value(text);
        for (size_t i = 0; at[i]; i++) {
                if ((unsigned char)at[i] < 0x20 && at[i] != '\n' && at[i] != '\t') {
                        check_error(check, NULL, "%s holds a control character.", where);
                        return false;
                }
        }
        return true;
}

void check_texts(struct check *check, const json_t *texts)
{
        const char *lang, *key;
        json_t *by_key, *text;
        char where[128];
        json_object_foreach((json_t *)texts, lang, by_key) {
                if (!check_is_language(lang) || !json_is_object(by_key)) {
                        check_error(check, "Write for example en, ko, zh-TW.", "There is no language \"%.40s\".", lang);
                        continue;
                }
                if (json_object_size(by_key) == 0)
                        check_error(check, "Leave the language out.", "There is no text in %s.", lang);
                json_object_foreach(by_key, key, text) {
                        snprintf(where, sizeof(where), "Text @%.64s (%.20s)", key, lang);
                        if (!check_is_key(key))
                                check_error(check, NULL, "%s: the name is not of a-z, 0-9, _ .", where);
                        check_said(check, text, where, BOT_TEXT_CHARACTERS);
                }
        }
}

void check_key(struct check *check, const json_t *texts, const json_t *key, const char *where)
{
        const char *name = json_string_value(key);
        if (!name || !json_object_get(json_object_get(texts, check->lang), name))
                check_error(check, "Write the text behind its name, or in the part of that language.",
                            "%s: text @%.64s is missing in the bot's own language (%s).", where, name ? name : "",
                            check->lang);
}

static void check_lines(struct check *check, const char *lang, const json_t *lines, const char *what, size_t most)
{
        json_t *line;
        size_t i;
        char where[96];
        if (lines && json_array_size(lines) == 0) {
                check_error(check, "Leave it out.", "The list of each %s in %s is empty, or no list.", what, lang);
                return;
        }
        json_array_foreach(lines, i, line) {
                snprintf(where, sizeof(where), "The %s number %zu (%.20s)", what, i + 1, lang);
                check_said(check, line, where, most);
        }
}

void check_examples(struct check *check, const char *lang, const json_t *where)
{
        const json_t *patterns = json_object_get(where, "patterns"), *pattern;
        size_t i;
        check_lines(check, lang, json_object_get(where, "examples"), "example", BOT_EXAMPLE_CHARACTERS);
        check_lines(check, lang, json_object_get(where, "not"), "question of another answer", BOT_EXAMPLE_CHARACTERS);
        check_lines(check, lang, patterns, "pattern", BOT_EXAMPLE_CHARACTERS);
        check->examples += json_array_size(json_object_get(where, "examples"));
        json_array_foreach(patterns, i, pattern) {
                const char *wrong = bot_pattern_wrong(span_of(json_string_value(pattern)));
                if (wrong)
                        check_error(check, "Write for example: refund .. (how | policy | rule*)",
                                    "The pattern \"%.100s\": %s.", json_string_value(pattern), wrong);
        }
}

/* ---- faq ----------------------------------------------------------------------------------------------------- */

static void check_faq_texts(struct check *check, const json_t *faq)
{
        static const struct check_member members[] = {
                {.name = "examples", .type = CHECK_LIST}, {.name = "patterns", .type = CHECK_LIST},
                {.name = "not", .type = CHECK_LIST},      {.name = "answers", .type = CHECK_LIST},
                {.name = "buttons", .type = CHECK_LIST},
        };
        const char *lang;
        json_t *texts;
        size_t buttons = json_array_size(json_object_get(faq, "buttons"));
        json_object_foreach(json_object_get(faq, "texts"), lang, texts) {
                if (!check_is_language(lang)) {
                        check_error(check, "Write for example en, ko, zh-TW.", "There is no language \"%.40s\".", lang);
                        continue;
                }
                if (!check_members(check, texts, "The faq's texts", members, COUNT_OF(members)))
                        continue;
                if (json_object_size(texts) == 0)
                        check_error(check, "Leave the language out.", "There is no text in %s.", lang);
                check_examples(check, lang, texts);
                check_lines(check, lang, json_object_get(texts, "answers"), "answer", BOT_TEXT_CHARACTERS);
                const json_t *labels = json_object_get(texts, "buttons");
                check_lines(check, lang, labels, "button", BOT_LABEL_CHARACTERS);
                if (labels && json_array_size(labels) != buttons)
                        check_error(check, "Write as many labels, in the same order.",
                                    "There are %zu buttons, and %zu labels for them in %s.", buttons,
                                    json_array_size(labels), lang);
        }
        const json_t *own = json_object_get(json_object_get(faq, "texts"), check->lang);
        bool has_way = json_object_get(faq, "goto") || json_object_get(faq, "article");
        if (!has_way && json_array_size(json_object_get(own, "answers")) == 0)
                check_error(check, "Write it: = The answer.", "There is no answer in the bot's own language (%s).",
                            check->lang);
        if (buttons > 0 && !json_object_get(own, "buttons"))
                check_error(check, NULL, "The buttons have no labels in the bot's own language (%s).", check->lang);
}

static void check_faq(struct check *check, const json_t *faq)
{
        static const struct check_member members[] = {
                {.name = "texts", .type = CHECK_OBJECT, .is_needed = true},
                {.name = "priority", .type = CHECK_COUNT, .least = 0, .most = 9},
                {.name = "when", .type = CHECK_CONDITION},
                {.name = "article", .type = CHECK_TEXT},
                {.name = "buttons", .type = CHECK_LIST},
                {.name = "helped", .type = CHECK_ANY},
                {.name = "goto", .type = CHECK_TARGET},
        };
        const json_t *helped = json_object_get(faq, "helped"), *button;
        size_t i;
        if (!check_members(check, faq, "The faq", members, COUNT_OF(members)))
                return;
        bool is_off = json_is_string(helped) && strcmp(json_string_value(helped), "off") == 0;
        if (json_is_object(helped) && json_object_size(helped) == 1 && json_object_get(helped, "no"))
                check_target(check, json_object_get(helped, "no"));
        else if (helped && !is_off)
                check_error(check, "Write: helped? no -> handoff NAME, or: helped? off.",
                            "`helped` is not understood.");
        if (json_array_size(json_object_get(faq, "buttons")) > BOT_BUTTONS_MAX)
                check_error(check, NULL, "There are more than %d buttons.", BOT_BUTTONS_MAX);
        json_array_foreach(json_object_get(faq, "buttons"), i, button)
                check_target(check, button);
        check_faq_texts(check, faq);
}

/* ---- flow, handoff, fallback --------------------------------------------------------------------------------- */

static void check_flow(struct check *check, const json_t *flow)
{
        static const struct check_member members[] = {
                {.name = "texts", .type = CHECK_OBJECT, .is_needed = true},
                {.name = "steps", .type = CHECK_LIST, .is_needed = true},
                {.name = "triggers", .type = CHECK_OBJECT},
                {.name = "when", .type = CHECK_CONDITION},
        };
        static const struct check_member trigger[] = {
                {.name = "examples", .type = CHECK_LIST},
                {.name = "patterns", .type = CHECK_LIST},
                {.name = "not", .type = CHECK_LIST},
        };
        const char *lang;
        json_t *where;
        if (!check_members(check, flow, "The flow", members, COUNT_OF(members)))
                return;
        check_texts(check, json_object_get(flow, "texts"));
        if (json_array_size(json_object_get(flow, "steps")) == 0)
                check_error(check, "Write what happens: say \"...\"", "The flow has no step.");
        check_steps(check, json_object_get(flow, "texts"), json_object_get(flow, "steps"), 0);
        json_object_foreach(json_object_get(flow, "triggers"), lang, where) {
                if (!check_is_language(lang))
                        check_error(check, NULL, "There is no language \"%.40s\".", lang);
                else if (check_members(check, where, "What begins the flow", trigger, COUNT_OF(trigger)))
                        check_examples(check, lang, where);
        }
}

static void check_handoff(struct check *check, const json_t *handoff)
{
        static const struct check_member members[] = {
                {.name = "texts", .type = CHECK_OBJECT, .is_needed = true},
                {.name = "team", .type = CHECK_NAME},
                {.name = "priority", .type = CHECK_NAME},
                {.name = "carry", .type = CHECK_LIST},
                {.name = "open", .type = CHECK_LIST},
                {.name = "closed", .type = CHECK_LIST},
        };
        static const char *const priorities[] = {"low", "normal", "high", "urgent"};
        const json_t *slot;
        size_t i;
        if (!check_members(check, handoff, "The handoff", members, COUNT_OF(members)))
                return;
        const char *priority = json_string_value(json_object_get(handoff, "priority"));
        bool is_known = !priority;
        for (i = 0; i < COUNT_OF(priorities); i++)
                is_known = is_known || strcmp(priority, priorities[i]) == 0;
        if (!is_known)
                check_error(check, "There are: low, normal, high, urgent.", "There is no priority %.64s.", priority);
        json_array_foreach(json_object_get(handoff, "carry"), i, slot) {
                if (!json_is_string(slot) || !check_is_slot(json_string_value(slot)))
                        check_error(check, NULL, "`carry` holds what is no name of a slot.");
        }
        check_texts(check, json_object_get(handoff, "texts"));
        check_steps(check, json_object_get(handoff, "texts"), json_object_get(handoff, "open"), 0);
        check_steps(check, json_object_get(handoff, "texts"), json_object_get(handoff, "closed"), 0);
}

static void check_miss(struct check *check, const json_t *texts, const json_t *miss, size_t number)
{
        static const struct check_member members[] = {
                {.name = "do", .type = CHECK_NAME, .is_needed = true},
                {.name = "text", .type = CHECK_KEY},
                {.name = "to", .type = CHECK_NAME},
                {.name = "count", .type = CHECK_COUNT, .least = 1, .most = 3},
        };
        char where[32], target[96];
        snprintf(where, sizeof(where), "Miss %zu", number);
        if (!check_members(check, miss, where, members, COUNT_OF(members)))
                return;
        const char *word = json_string_value(json_object_get(miss, "do")),
                   *to = json_string_value(json_object_get(miss, "to"));
        if (strcmp(word, "handoff") == 0 && to) {
                snprintf(target, sizeof(target), "handoff %.64s", to);
                json_t *value = json_string(target);
                check_target(check, value);
                json_decref(value);
        } else if (strcmp(word, "rephrase") == 0 || (strcmp(word, "choices") == 0 && json_object_get(miss, "count"))) {
                check_key(check, texts, json_object_get(miss, "text"), where);
        } else {
                check_error(check, "There are: rephrase \"text\", choices 3 \"text\", handoff NAME.",
                            "%s is no way to go on.", where);
        }
}

static void check_fallback(struct check *check)
{
        static const struct check_member members[] = {
                {.name = "texts", .type = CHECK_OBJECT},
                {.name = "misses", .type = CHECK_LIST, .is_needed = true},
        };
        const json_t *fallback = json_object_get(check->bot, "fallback"), *texts, *miss;
        size_t i;
        snprintf(check->what, sizeof(check->what), "fallback");
        if (!fallback || !check_members(check, fallback, "The fallback", members, COUNT_OF(members)))
                return;
        texts = json_object_get(fallback, "texts");
        check_texts(check, texts);
        if (json_array_size(json_object_get(fallback, "misses")) > 5)
                check_error(check, NULL, "More than 5 misses in a row are too many for anybody.");
        json_array_foreach(json_object_get(fallback, "misses"), i, miss)
                check_miss(check, texts, miss, i + 1);
}

static void check_group(struct check *check, const char *group, const char *word,
                        void (*check_one)(struct check *check, const json_t *one))
{
        const char *name;
        json_t *one;
        json_object_foreach(json_object_get(check->bot, group), name, one) {
                snprintf(check->what, sizeof(check->what), "%s %.64s", word, name);
                if (!check_is_name(name))
                        check_error(check, "Use a-z, 0-9, _ - and . inside, at most 64 characters.",
                                    "\"%.64s\" is no name.", name);
                check_one(check, one);
        }
}

static void check_bounds(struct check *check)
{
        check->what[0] = '\0';
        check->answers = json_object_size(json_object_get(check->bot, "faqs")) +
                         json_object_size(json_object_get(check->bot, "flows"));
        if (check->answers > BOT_ANSWERS_MAX)
                check_error(check, NULL, "More than %d faqs and flows.", BOT_ANSWERS_MAX);
        if (check->answers == 0)
                check_error(check, "Begin with: faq NAME, ? a question, = the answer.", "The bot knows no answer.");
        if (check->steps > BOT_STEPS_MAX)
                check_error(check, NULL, "More than %d steps.", BOT_STEPS_MAX);
        if (check->examples > BOT_EXAMPLES_MAX)
                check_error(check, NULL, "More than %d examples.", BOT_EXAMPLES_MAX);
}

bool bot_check(const json_t *bot, const json_t *places, const struct bot_file *files, struct bot_problems *problems)
{
        static const struct check_member members[] = {
                {.name = "schema", .type = CHECK_TEXT, .is_needed = true},
                {.name = "lang", .type = CHECK_TEXT, .is_needed = true},
                {.name = "entities", .type = CHECK_OBJECT},
                {.name = "synonyms", .type = CHECK_OBJECT},
                {.name = "faqs", .type = CHECK_OBJECT},
                {.name = "flows", .type = CHECK_OBJECT},
                {.name = "handoffs", .type = CHECK_OBJECT},
                {.name = "fallback", .type = CHECK_OBJECT},
                {.name = "texts", .type = CHECK_OBJECT},
                {.name = "tests", .type = CHECK_LIST},
        };
        struct check check = {.bot = bot, .places = places, .files = files, .problems = problems, .lang = ""};
        const char *schema = json_string_value(json_object_get(bot, "schema"));
        size_t before = problems->errors;
        if (schema && strncmp(schema, "bot/", 4) == 0 && strcmp(schema, "bot/1") != 0) {
                check_error(&check, "Use the deskbell that made it, or a newer one.",
                            "This bot is of schema %.20s; this program knows bot/1.", schema);
                return false;
        }
        if (!schema || strcmp(schema, "bot/1") != 0) {
                check_error(&check, NULL, "This is no bot: schema is not \"bot/1\".");
                return false;
        }
        if (!check_members(&check, bot, "The bot", members, COUNT_OF(members)))
                return false;
        check.lang = json_string_value(json_object_get(bot, "lang"));
        if (!check_is_language(check.lang))
                check_error(&check, "Begin the first file with a line like: lang en", "The bot has no language.");
        check_entities(&check);
        check_synonyms(&check);
        check_group(&check, "faqs", "faq", check_faq);
        check_group(&check, "flows", "flow", check_flow);
        check_group(&check, "handoffs", "handoff", check_handoff);
        check_fallback(&check);
        snprintf(check.what, sizeof(check.what), "texts");
        check_texts(&check, json_object_get(bot, "texts"));
        check_tests(&check);
        check_bounds(&check);
        return problems->errors == before;
}
