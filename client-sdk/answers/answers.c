/* SPDX-License-Identifier: Apache-2.0 */
/* The table of deskbell/answers.h: a version of the bot, loaded as if a stranger had made it, and the one answer it is
 * sure of (bots/lone.h). No state of its own: what is loaded belongs to the client that loaded it. */
#include "deskbell/answers.h"

#include <stdlib.h>
#include <string.h>

#include "bots/lone.h"
#include "bots/version.h"

struct loaded {
        struct bot_version *version;
        struct bot_lone last; /* lent until the next question */
};

static void unload(void *data, void *loaded_version)
{
        struct loaded *loaded = loaded_version;

        (void)data;
        if (!loaded)
                return;
        bot_version_free(loaded->version);
        free(loaded->last.text);
        free(loaded);
}

static void *load(void *data, const void *bytes, size_t len, const char *version)
{
        struct loaded *loaded = calloc(1, sizeof(*loaded));

        if (!loaded)
                return NULL;
        loaded->version = bot_version_load((struct span){bytes, len}, NULL);
        if (!loaded->version || strcmp(bot_version_id(loaded->version), version) != 0) {
                unload(data, loaded);
                return NULL;
        }
        return loaded;
}

static int answer(void *data, void *loaded_version, const char *text, const char *locale, const char **out_text,
                  const char **out_rule)
{
        struct loaded *loaded = loaded_version;

        (void)data;
        free(loaded->last.text);
        loaded->last = (struct bot_lone){0};
        if (bot_lone_answer(loaded->version, span_of(text), locale, &loaded->last) != 1)
                return 0;
        *out_text = loaded->last.text;
        *out_rule = loaded->last.rule;
        return 1;
}

const struct deskbell_answers *deskbell_answers(void)
{
        static const struct deskbell_answers table = {
                .size = sizeof(table),
                .name = "libdeskbell-answers " DESKBELL_VERSION,
                .load = load,
                .answer = answer,
                .unload = unload,
        };

        return &table;
}
