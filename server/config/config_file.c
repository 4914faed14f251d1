/* SPDX-License-Identifier: Apache-2.0 */
/* The INI file: inih takes the lines apart, we hand it one line at a time from memory and keep count, so that every
 * mistake is told with its line. Lines that inih would misunderstand (too long for its buffer, NUL inside, neither
 * section nor key = value) never reach it. */
#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_private.h"

struct file {
        struct config *config;
        struct config_errors *errors;
        const char *name;
        struct span rest;
        unsigned line;
        bool *is_said; /* one a setting */
        int rc;
};

/* Where the reader stands: "name:line". */
static const char *where(const struct file *file, char *out, size_t room)
{
        snprintf(out, room, "%s:%u", file->name, file->line);
        return out;
}

static bool is_space(char c)
{
        return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static struct span trim(struct span text)
{
        while (text.len > 0 && is_space(*text.at)) {
                text.at++;
                text.len--;
        }
        while (text.len > 0 && is_space(text.at[text.len - 1]))
                text.len--;
        return text;
}

static const char *what_is_wrong(struct span line, int room)
{
        if (line.len > 0 && memchr(line.at, '\0', line.len))
                return "expected text, there is a NUL byte";
        if (line.len == 0 || *line.at == '#' || *line.at == ';')
                return NULL;
        if (line.len + 2 > (size_t)room)
                return "the line is too long; a list may be said on several lines, its key on each";
        if (*line.at == '[')
                return memchr(line.at, ']', line.len) ? NULL : "expected [section]";
        const char *equals = memchr(line.at, '=', line.len);
        return equals && equals > line.at ? NULL : "expected key = value, [section] or a comment";
}

static struct span next_line(struct file *file)
{
        const char *end = memchr(file->rest.at, '\n', file->rest.len);
        size_t len = end ? (size_t)(end - file->rest.at) : file->rest.len;
        struct span line = trim((struct span){file->rest.at, len});

        file->rest.at += len + (end ? 1 : 0);
        file->rest.len -= len + (end ? 1 : 0);
        file->line++;
        return line;
}

/* fgets for inih. Comments and mistakes become empty lines; leading blanks go, so that an indented line is not taken
 * for more of the line above. */
static char *give_line(char *out, int room, void *data)
{
        struct file *file = data;
        char place[128];
        if (file->rest.len == 0)
                return NULL;
        struct span line = next_line(file);
        const char *wrong = what_is_wrong(line, room);

        if (wrong)
                config_error(file->errors, where(file, place, sizeof(place)), "", "%s", wrong);
        if (wrong || line.len == 0 || *line.at == '#' || *line.at == ';')
                line.len = 0;
        if (line.len > 0)
                memcpy(out, line.at, line.len);
        out[line.len] = '\n';
        out[line.len + 1] = '\0';
        return out;
}

static int on_pair(void *data, const char *section, const char *key, const char *value)
{
        struct file *file = data;
        const struct setting *setting = setting_find(span_of(key));
        char place[128];

        where(file, place, sizeof(place));
        if (!setting) {
                config_error(file->errors, place, key, "there is no such setting");
                return 1;
        }
        if (strcmp(section, setting->section) != 0) {
                config_error(file->errors, place, key, "expected in section [%s], not in [%s]", setting->section,
                             section);
                return 1;
        }
        bool *is_said = &file->is_said[setting - settings];
        if (*is_said && setting->type != SETTING_LIST) {
                config_error(file->errors, place, key, "is said twice");
                return 1;
        }
        if (!*is_said)
                setting_clear(file->config, setting);
        *is_said = true;
        if (file->rc == 0)
                file->rc = setting_put(file->config, setting, span_of(value), place, file->errors);
        return 1;
}

static struct span without_mark(struct span bytes)
{
        if (bytes.len >= 3 && memcmp(bytes.at, "\xef\xbb\xbf", 3) == 0)
                return (struct span){bytes.at + 3, bytes.len - 3};
        return bytes;
}

int config_put_file(struct config *config, struct span bytes, const char *name, struct config_errors *errors)
{
        struct file file = {.config = config, .errors = errors, .name = name, .rest = without_mark(bytes)};

        file.is_said = calloc(setting_count, sizeof(*file.is_said));
        if (!file.is_said)
                return -ENOMEM;
        ini_parse_stream(give_line, &file, on_pair, &file);
        free(file.is_said);
        return file.rc;
}
