/* SPDX-License-Identifier: Apache-2.0 */
/* Names: see bot_names.h. An open table of numbers, at most half full. */
#include "desk/bot_names.h"

#include <stdlib.h>

enum { FIRST = 64 };

int bot_names_init(struct bot_names *names)
{
        *names = (struct bot_names){.texts = calloc(FIRST, sizeof *names->texts),
                                    .slots = calloc(2 * FIRST, sizeof *names->slots),
                                    .room = FIRST,
                                    .slot_count = 2 * FIRST};
        if (names->texts && names->slots && (names->texts[0] = strdup("")))
                return 0;
        bot_names_done(names);
        return -1;
}

void bot_names_done(struct bot_names *names)
{
        for (uint32_t i = 0; names->texts && i <= names->count; i++)
                free(names->texts[i]);
        free(names->texts);
        free(names->slots);
        *names = (struct bot_names){0};
}

static uint32_t hash_of(struct span text)
{
        uint32_t hash = 2166136261u; /* FNV-1a */
        for (size_t i = 0; i < text.len; i++)
                hash = (hash ^ (uint8_t)text.at[i]) * 16777619u;
        return hash;
}

/* Where the text is, or could be put. */
static uint32_t slot_of(const struct bot_names *names, struct span text)
{
        uint32_t slot = hash_of(text) & (names->slot_count - 1);
        while (names->slots[slot] && !span_equal(text, span_of(names->texts[names->slots[slot]])))
                slot = (slot + 1) & (names->slot_count - 1);
        return slot;
}

static int grow(struct bot_names *names)
{
        uint32_t room = 2 * names->room;
        char **texts = realloc(names->texts, room * sizeof *texts);
        if (texts)
                names->texts = texts;
        uint32_t *slots = texts ? calloc(2 * room, sizeof *slots) : NULL;
        if (!slots)
                return -1;
        free(names->slots);
        names->slots = slots;
        names->room = room;
        names->slot_count = 2 * room;
        for (uint32_t i = 1; i <= names->count; i++)
                names->slots[slot_of(names, span_of(names->texts[i]))] = i;
        return 0;
}

int64_t bot_names_number(struct bot_names *names, struct span text, bool *out_is_new)
{
        if (out_is_new)
                *out_is_new = false;
        if (text.len == 0)
                return 0;
        uint32_t slot = slot_of(names, text);
        if (names->slots[slot])
                return names->slots[slot];
        if (names->count >= BOT_NAMES_MAX) {
                names->is_full = true;
                return 0;
        }
        if (names->count + 1 == names->room) {
                if (grow(names) < 0)
                        return -1;
                slot = slot_of(names, text);
        }
        char *copy = strndup(text.at, text.len);
        if (!copy)
                return -1;
        names->texts[++names->count] = copy;
        names->slots[slot] = names->count;
        if (out_is_new)
                *out_is_new = true;
        return names->count;
}
