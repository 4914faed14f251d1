/* SPDX-License-Identifier: Apache-2.0 */
/* The table of settings and what reads it. */
#pragma once

#include "config/config.h"

enum setting_type { SETTING_NUMBER, SETTING_BOOL, SETTING_TEXT, SETTING_LIST, SETTING_LEVEL };

struct setting {
        const char *section, *key;
        enum setting_type type;
        bool is_live;
        uint32_t min, max;   /* numbers */
        size_t offset;       /* in struct config */
        const char *initial; /* as it would be written */
        const char *unit;    /* "" = none */
        const char *doc;     /* lines separated by \n */
};

extern const struct setting settings[];
extern const size_t setting_count;

/* NULL: no such key. */
const struct setting *setting_find(struct span key);

static inline void *setting_at(const struct config *config, const struct setting *setting)
{
        return (char *)config + setting->offset;
}

/* One thing wrong: "<where>: <key>: <what>". Control characters become '?'. */
__attribute__((format(printf, 4, 5))) void config_error(struct config_errors *errors, const char *where,
                                                        const char *key, const char *format, ...);

/* Reads `value` into the config. Lists are appended to. An error is added when it is not such a value. -ENOMEM. */
int setting_put(struct config *config, const struct setting *setting, struct span value, const char *where,
                struct config_errors *errors);
void setting_clear(struct config *config, const struct setting *setting); /* texts and lists: freed, NULL */
int setting_copy(struct config *to, const struct config *from, const struct setting *setting); /* -ENOMEM */
void setting_swap(struct config *a, struct config *b, const struct setting *setting);
bool setting_equal(const struct config *a, const struct config *b, const struct setting *setting);

/* Puts every line of an INI file. */
int config_put_file(struct config *config, struct span bytes, const char *name, struct config_errors *errors);

/* What only shows when settings are seen together. */
int config_check(struct config *config, struct config_errors *errors);
