/* SPDX-License-Identifier: Apache-2.0 */
#include "entity.h"

#include <stdlib.h>
#include <string.h>

#include "builtin.h"
#include "match.h"
#include "pattern.h"

struct bot_entity {
        struct bot_match *match;       /* or */
        struct bot_patterns *patterns; /* a rule is the place of its value in the list */
        json_t *list;
};

static const struct {
        const char *name;
        bool (*find)(const struct bot_words *words, char out[BOT_ENTITY_VALUE]);
} BUILTINS[] = {
        {"text", builtin_text},   {"number", builtin_number}, {"date", builtin_date},
        {"email", builtin_email}, {"phone", builtin_phone},   {"yesno", builtin_yesno},
};

bool bot_entity_is_builtin(const char *name)
{
        for (size_t i = 0; i < sizeof(BUILTINS) / sizeof(BUILTINS[0]); i++) {
                if (strcmp(BUILTINS[i].name, name) == 0)
                        return true;
        }
        return false;
}

bool bot_builtin_find(const char *name, const struct bot_words *words, char out[BOT_ENTITY_VALUE])
{
        for (size_t i = 0; i < sizeof(BUILTINS) / sizeof(BUILTINS[0]); i++) {
                if (strcmp(BUILTINS[i].name, name) == 0)
                        return BUILTINS[i].find(words, out);
        }
        return false;
}

/* A list's words are taken as they are: no sign of a pattern means anything in them. */
static int add_word(struct bot_patterns *patterns, const char *word, size_t value)
{
        char plain[BOT_ENTITY_VALUE * 2];
        size_t len = 0;
        for (; *word && len + 1 < sizeof(plain); word++)
                plain[len++] = strchr("()|*^$.", *word) ? ' ' : *word;
        struct span text = {plain, len};
        return bot_pattern_wrong(text) ? 0 : bot_patterns_add(patterns, text, (uint32_t)value, 0, NULL);
}

static int compile_list(struct bot_entity *entity)
{
        json_t *item, *words, *word;
        const char *lang;
        size_t i, j;
        entity->patterns = bot_patterns_new();
        if (!entity->patterns)
                return -1;
        json_array_foreach(entity->list, i, item) {
                if (add_word(entity->patterns, json_string_value(json_object_get(item, "value")), i) < 0)
                        return -1;
                json_object_foreach(json_object_get(item, "words"), lang, words) {
                        json_array_foreach(words, j, word) {
                                if (add_word(entity->patterns, json_string_value(word), i) < 0)
                                        return -1;
                        }
                }
        }
        return bot_patterns_seal(entity->patterns);
}

struct bot_entity *bot_entity_new(const json_t *from)
{
        struct bot_entity *entity = calloc(1, sizeof(*entity));
        if (!entity)
                return NULL;
        const json_t *match = json_object_get(from, "match");
        if (match) {
                entity->match = bot_match_new((struct span){json_string_value(match), json_string_length(match)}, NULL);
                return entity->match ? entity : bot_entity_free(entity);
        }
        entity->list = json_incref(json_object_get(from, "list"));
        return compile_list(entity) == 0 ? entity : bot_entity_free(entity);
}

struct bot_entity *bot_entity_free(struct bot_entity *entity)
{
        if (entity) {
                bot_match_free(entity->match);
                bot_patterns_free(entity->patterns);
                json_decref(entity->list);
        }
        free(entity);
        return NULL;
}

bool bot_entity_find(const struct bot_entity *entity, const struct bot_words *words, char out[BOT_ENTITY_VALUE])
{
        struct bot_pattern_hit hit;
        struct span found;
        if (entity->match) {
                if (!bot_match_find(entity->match, words->original, &found) || found.len >= BOT_ENTITY_VALUE)
                        return false;
                memcpy(out, found.at, found.len);
                out[found.len] = '\0';
                return true;
        }
        if (bot_patterns_match(entity->patterns, words->text, NULL, &hit, 1) == 0)
                return false;
        const json_t *value = json_object_get(json_array_get(entity->list, hit.rule), "value");
        size_t len = json_string_length(value);
        if (len >= BOT_ENTITY_VALUE)
                return false;
        memcpy(out, json_string_value(value), len + 1);
        return true;
}
