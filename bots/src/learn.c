/* SPDX-License-Identifier: Apache-2.0 */
/* Learn: see learn.h. The examples of a faq stand in texts.LANG.examples, those of a flow in triggers.LANG.examples. */
#include "bots/learn.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bots/text.h"

enum { LANG_BYTES = 36 };

/* The object of an answer by its name, and under which member its texts are. NULL: there is none. */
static json_t *find_answer(json_t *bot, const char *answer, const char **out_member)
{
        bool is_flow = strncmp(answer, "flow ", 5) == 0;
        if (!is_flow && strncmp(answer, "faq ", 4) != 0)
                return NULL;
        *out_member = is_flow ? "triggers" : "texts";
        return json_object_get(json_object_get(bot, is_flow ? "flows" : "faqs"), answer + (is_flow ? 5 : 4));
}

static bool group_speaks(const json_t *group, const char *member, const char *lang)
{
        const char *name;
        json_t *one;
        json_object_foreach((json_t *)group, name, one) {
                if (json_object_get(json_object_get(one, member), lang))
                        return true;
        }
        return false;
}

static bool speaks(const json_t *bot, const char *lang)
{
        return group_speaks(json_object_get(bot, "faqs"), "texts", lang) ||
               group_speaks(json_object_get(bot, "flows"), "triggers", lang);
}

/* The bot's language for one who asks in `lang`. Lent by `bot`, or by `room`. */
static const char *language_for(const json_t *bot, const char *lang, char room[LANG_BYTES])
{
        size_t len = strcspn(lang, "-");
        if (*lang && speaks(bot, lang))
                return lang;
        if (len > 0 && len < LANG_BYTES) {
                memcpy(room, lang, len);
                room[len] = 0;
                if (speaks(bot, room))
                        return room;
        }
        return json_string_value(json_object_get(bot, "lang"));
}

/* The list of that name in an object, made when it is not there. Borrowed. */
static json_t *list_in(json_t *object, const char *name)
{
        json_t *list = json_object_get(object, name);
        if (list || !object)
                return list;
        list = json_array();
        return json_object_set_new(object, name, list) < 0 ? NULL : list;
}

static json_t *object_in(json_t *object, const char *name)
{
        json_t *inner = json_object_get(object, name);
        if (inner || !object)
                return inner;
        inner = json_object();
        return json_object_set_new(object, name, inner) < 0 ? NULL : inner;
}

static size_t key_of(struct span text, char key[BOT_TEXT_KEY])
{
        struct bot_text read;
        bot_text_of(text, &read);
        return bot_text_key(&read, key);
}

static bool has_example(const json_t *examples, struct span text)
{
        char key[BOT_TEXT_KEY], other[BOT_TEXT_KEY];
        size_t len = key_of(text, key), i;
        json_t *example;
        json_array_foreach((json_t *)examples, i, example) {
                const char *there = json_string_value(example);
                if (there && key_of(span_of(there), other) == len && memcmp(key, other, len) == 0)
                        return true;
        }
        return false;
}

/* One line without blanks at its ends. Freed by the caller. */
static char *line_of(struct span text, size_t *out_len)
{
        char *line = malloc(text.len + 1);
        size_t len = 0;
        for (size_t i = 0; line && i < text.len; i++) {
                bool is_blank = strchr(" \t\n\r", text.at[i]) != NULL && text.at[i] != 0;
                if (!is_blank)
                        line[len++] = text.at[i];
                else if (len > 0 && line[len - 1] != ' ')
                        line[len++] = ' ';
        }
        while (len > 0 && line[len - 1] == ' ')
                len--;
        if (line)
                line[len] = 0;
        *out_len = len;
        return line;
}

/* 1: added; 0: it was there, or says nothing; -1: out of memory. */
static int take_lesson(const json_t *bot, json_t *texts, const struct bot_lesson *lesson)
{
        char room[LANG_BYTES];
        size_t len = 0;
        const char *lang = language_for(bot, lesson->lang, room);
        json_t *examples = lang ? list_in(object_in(texts, lang), "examples") : NULL;
        char *line = line_of(lesson->text, &len);
        int rc = examples && line ? 0 : -1;
        if (rc == 0 && len > 0 && !has_example(examples, (struct span){line, len}))
                rc = json_array_append_new(examples, json_stringn(line, len)) < 0 ? -1 : 1;
        free(line);
        return rc;
}

json_t *bot_learn(const json_t *bot, const char *answer, const struct bot_lesson *lessons, size_t count,
                  size_t *out_added)
{
        const char *member = NULL;
        json_t *copy = json_deep_copy(bot), *found = copy ? find_answer(copy, answer, &member) : NULL;
        json_t *texts = found ? object_in(found, member) : NULL;
        size_t added = 0;
        int rc = texts ? 0 : -1;
        for (size_t i = 0; rc >= 0 && i < count; i++) {
                rc = take_lesson(bot, texts, &lessons[i]);
                added += rc > 0;
        }
        *out_added = rc >= 0 ? added : copy && !found ? 0 : SIZE_MAX;
        if (rc >= 0)
                return copy;
        json_decref(copy);
        return NULL;
}
