/* SPDX-License-Identifier: Apache-2.0 */
#include "always.h"

#include <stdlib.h>
#include <string.h>

#include "lines.h"

static const char *const RULES[ALWAYS_RULES] = {
        [ALWAYS_CARE] = "care", [ALWAYS_PERSON] = "person", [ALWAYS_STOP] = "stop", [ALWAYS_RESTART] = "restart"};

/* Care before a person before the rest. */
static int add_lines(struct bot_patterns *patterns, struct span lines)
{
        struct span word, text;
        while (bot_lines_next(&lines, &word, &text)) {
                uint32_t rule = 0;
                while (rule < ALWAYS_RULES && !span_equal(word, span_of(RULES[rule])))
                        rule++;
                if (rule == ALWAYS_RULES || bot_patterns_add(patterns, text, rule, ALWAYS_RULES - rule, NULL) < 0)
                        return -1;
        }
        return 0;
}

enum { LANGUAGES_MAX = 16 };

struct always {
        struct {
                const char *lang;
                struct bot_patterns *patterns;
        } sets[LANGUAGES_MAX];
        size_t count;
};

struct always *always_new(void)
{
        struct always *always = calloc(1, sizeof(*always));
        struct span english = bot_lines_of(bot_always, "en");
        for (const struct bot_lines *row = bot_always; always && row->lang && always->count < LANGUAGES_MAX; row++) {
                struct bot_patterns *patterns = bot_patterns_new();
                always->sets[always->count].lang = row->lang;
                always->sets[always->count++].patterns = patterns;
                if (!patterns || add_lines(patterns, row->lines) < 0 ||
                    (row->lines.at != english.at && add_lines(patterns, english) < 0) ||
                    bot_patterns_seal(patterns) < 0)
                        return always_free(always);
        }
        return always;
}

struct always *always_free(struct always *always)
{
        for (size_t i = 0; always && i < always->count; i++)
                bot_patterns_free(always->sets[i].patterns);
        free(always);
        return NULL;
}

int always_match(const struct always *always, const char *lang, const struct bot_text *text)
{
        size_t len = strcspn(lang, "-"), chosen = 0;
        struct bot_pattern_hit hit;
        for (size_t i = 0; i < always->count; i++) {
                const char *its = always->sets[i].lang;
                if (strcmp(its, "en") == 0 && chosen == 0)
                        chosen = i;
                if (strlen(its) == len && strncmp(its, lang, len) == 0) {
                        chosen = i;
                        break;
                }
        }
        return bot_patterns_match(always->sets[chosen].patterns, text, NULL, &hit, 1) ? (int)hit.rule : -1;
}
