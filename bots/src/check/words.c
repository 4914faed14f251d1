/* SPDX-License-Identifier: Apache-2.0 */
/* Entities, synonyms and tests. */
#include <stdio.h>
#include <string.h>

#include "builtin.h"
#include "check/check.h"
#include "entity.h"
#include "match.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { LIST_VALUES = 500, LIST_WORDS = 100, WORD_CHARACTERS = 80, SYNONYMS = 500, TESTS = 2000, TURNS = 300 };

/* A word that lists, synonyms and values can hold: what the line form can write. */
static bool is_word(const json_t *word)
{
        const char *text = json_string_value(word);
        return text && *text && strlen(text) == json_string_length(word) && check_characters(text) <= WORD_CHARACTERS &&
               !strpbrk(text, ",;:=\n\r\t#\"") && *text != ' ' && text[strlen(text) - 1] != ' ';
}

static void check_word_list(struct check *check, const json_t *words, const char *of)
{
        const json_t *word;
        size_t i;
        if (!json_is_array(words) || json_array_size(words) == 0 || json_array_size(words) > LIST_WORDS)
                check_error(check, NULL, "%s: here are 1 to %d words.", of, LIST_WORDS);
        json_array_foreach(words, i, word) {
                if (!is_word(word))
                        check_error(check, "A word has no , ; : = # or \" in it.", "%s: word %zu cannot be used.", of,
                                    i + 1);
        }
}

static void check_match(struct check *check, const json_t *entity)
{
        const char *pattern = json_string_value(json_object_get(entity, "match"));
        const char *example = json_string_value(json_object_get(entity, "example"));
        const char *wrong = NULL;
        struct bot_match *match = bot_match_new(span_of(pattern), &wrong);
        if (!match) {
                check_error(check, "Use classes such as [A-Z] and [0-9], ? * + {2,5}, ( | ).", "`match`: %s.", wrong);
                return;
        }
        if (example && !bot_match_whole(match, span_of(example)))
                check_error(check, "Correct one of the two.", "The example \"%.100s\" does not match.", example);
        bot_match_free(match);
}

static void check_list(struct check *check, const json_t *list)
{
        static const struct check_member members[] = {
                {.name = "value", .type = CHECK_TEXT, .is_needed = true},
                {.name = "words", .type = CHECK_OBJECT},
        };
        const json_t *item;
        const char *lang;
        json_t *words;
        size_t i;
        if (json_array_size(list) == 0 || json_array_size(list) > LIST_VALUES)
                check_error(check, NULL, "A list has 1 to %d values.", LIST_VALUES);
        json_array_foreach(list, i, item) {
                if (!check_members(check, item, "A value of the list", members, COUNT_OF(members)))
                        continue;
                if (!is_word(json_object_get(item, "value")))
                        check_error(check, "A value has no , ; : = # or \" in it.", "Value %zu cannot be used.", i + 1);
                json_object_foreach(json_object_get(item, "words"), lang, words) {
                        if (!check_is_language(lang))
                                check_error(check, NULL, "There is no language \"%.40s\".", lang);
                        check_word_list(check, words, json_string_value(json_object_get(item, "value")));
                }
        }
}

void check_entities(struct check *check)
{
        static const struct check_member members[] = {
                {.name = "match", .type = CHECK_TEXT},
                {.name = "example", .type = CHECK_TEXT},
                {.name = "list", .type = CHECK_LIST},
        };
        const char *name;
        json_t *entity;
        json_object_foreach(json_object_get(check->bot, "entities"), name, entity) {
                snprintf(check->what, sizeof(check->what), "entity %.64s", name);
                if (!check_is_name(name) || bot_entity_is_builtin(name))
                        check_error(check, "Use another name of a-z, 0-9, _ - .",
                                    "\"%.64s\" is no name for an entity, or is one that is there already.", name);
                if (!check_members(check, entity, "The entity", members, COUNT_OF(members)))
                        continue;
                const json_t *list = json_object_get(entity, "list"), *match = json_object_get(entity, "match");
                if (!list == !match || (list && json_object_get(entity, "example")))
                        check_error(check, NULL, "An entity has either a list, or `match` and perhaps `example`.");
                else if (match)
                        check_match(check, entity);
                else
                        check_list(check, list);
        }
}

void check_synonyms(struct check *check)
{
        const char *lang, *word;
        json_t *by_word, *others;
        snprintf(check->what, sizeof(check->what), "syn");
        json_object_foreach(json_object_get(check->bot, "synonyms"), lang, by_word) {
                if (!check_is_language(lang) || !json_is_object(by_word) || json_object_size(by_word) > SYNONYMS) {
                        check_error(check, NULL, "The synonyms of \"%.40s\" cannot be used.", lang);
                        continue;
                }
                json_object_foreach(by_word, word, others) {
                        json_t *text = json_string(word);
                        if (!is_word(text))
                                check_error(check, NULL, "\"%.80s\" cannot have synonyms.", word);
                        json_decref(text);
                        check_word_list(check, others, word);
                }
        }
}

/* ---- tests --------------------------------------------------------------------------------------------------- */

static void check_values(struct check *check, const json_t *values)
{
        const char *name;
        json_t *value;
        json_object_foreach((json_t *)values, name, value) {
                if (!check_is_slot(name) || !(json_is_string(value) || json_is_number(value) || json_is_boolean(value)))
                        check_error(check, NULL, "%.64s: this is no fact.", name);
        }
}

/* What stands behind the word that says what is expected. */
static bool is_expectation(const json_t *expected)
{
        static const struct {
                const char *word;
                size_t least, most;
                bool (*is_good)(const char *text); /* of each that follows; NULL = any text */
        } kinds[] = {
                {"faq", 1, 1, check_is_name},
                {"flow", 1, 1, check_is_name},
                {"handoff", 1, 1, check_is_name},
                {"choices", 0, 10, check_is_name},
                {"miss", 0, 0, NULL},
                {"asks", 1, 1, check_is_slot},
                {"slot", 1, 2, check_is_slot},
                {"says", 1, 1, NULL},
                {"ticket", 0, 0, NULL},
                {"close", 0, 0, NULL},
                {"call", 1, 1, check_is_name},
                {"language", 1, 1, check_is_language},
                {"silence", 0, 0, NULL},
                {"article", 1, 1, NULL},
                {"tag", 1, 1, check_is_name},
                {"stop", 0, 0, NULL},
                {"care", 0, 0, NULL},
        };
        const char *word = json_string_value(json_array_get(expected, 0));
        size_t count = json_array_size(expected), kind = 0;
        while (word && kind < COUNT_OF(kinds) && strcmp(kinds[kind].word, word) != 0)
                kind++;
        if (!word || kind == COUNT_OF(kinds) || count - 1 < kinds[kind].least || count - 1 > kinds[kind].most)
                return false;
        for (size_t i = 1; i < count; i++) {
                const json_t *value = json_array_get(expected, i);
                const char *text = json_string_value(value);
                bool is_slot_value = i == 2 && strcmp(word, "slot") == 0;
                if (is_slot_value ? !(text || json_is_number(value) || json_is_boolean(value))
                                  : !text || (kinds[kind].is_good && !kinds[kind].is_good(text)))
                        return false;
        }
        return true;
}

static void check_turn(struct check *check, const json_t *turn)
{
        static const struct check_member members[] = {
                {.name = "user", .type = CHECK_TEXT},    {.name = "tap", .type = CHECK_TEXT},
                {.name = "call", .type = CHECK_NAME},    {.name = "gives", .type = CHECK_OBJECT},
                {.name = "fails", .type = CHECK_ANY},    {.name = "expect", .type = CHECK_LIST},
                {.name = "facts", .type = CHECK_OBJECT}, {.name = "at", .type = CHECK_TEXT},
                {.name = "lang", .type = CHECK_TEXT},
        };
        const json_t *expected;
        const char *at = json_string_value(json_object_get(turn, "at"));
        const char *lang = json_string_value(json_object_get(turn, "lang"));
        int64_t unused_ms;
        int unused_minutes;
        size_t i;
        if (!check_members(check, turn, "A turn", members, COUNT_OF(members)))
                return;
        check_values(check, json_object_get(turn, "facts"));
        check_values(check, json_object_get(turn, "gives"));
        if (at && !calendar_time(at, &unused_ms, &unused_minutes))
                check_error(check, "Write it like 2026-11-21T23:30+09:00.", "\"%.40s\" is no time.", at);
        if (lang && !check_is_language(lang))
                check_error(check, NULL, "There is no language \"%.40s\".", lang);
        if (json_object_get(turn, "expect") && !json_object_get(turn, "user") && !json_object_get(turn, "tap") &&
            !json_object_get(turn, "call"))
                check_error(check, NULL, "What is expected belongs to what the customer says or a call brings.");
        json_array_foreach(json_object_get(turn, "expect"), i, expected) {
                if (!is_expectation(expected))
                        check_error(check, NULL, "What is expected is not understood.");
        }
}

void check_tests(struct check *check)
{
        static const struct check_member members[] = {
                {.name = "name", .type = CHECK_TEXT, .is_needed = true},
                {.name = "turns", .type = CHECK_LIST, .is_needed = true},
                {.name = "lang", .type = CHECK_TEXT},
        };
        const json_t *tests = json_object_get(check->bot, "tests"), *test, *turn;
        size_t i, j;
        if (json_array_size(tests) > TESTS)
                check_error(check, NULL, "More than %d tests.", TESTS);
        json_array_foreach(tests, i, test) {
                snprintf(check->what, sizeof(check->what), "test %zu", i + 1);
                if (!check_members(check, test, "The test", members, COUNT_OF(members)))
                        continue;
                if (json_array_size(json_object_get(test, "turns")) > TURNS)
                        check_error(check, NULL, "More than %d turns.", TURNS);
                json_array_foreach(json_object_get(test, "turns"), j, turn)
                        check_turn(check, turn);
        }
}
