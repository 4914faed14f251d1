/* SPDX-License-Identifier: Apache-2.0 */
/* The list of what is wrong. Never longer than 16 KiB: a file that is none is not listed line by line. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_private.h"

enum { MAX_ERROR_BYTES = 16384 };

static void append_line(struct config_errors *errors, char *line)
{
        size_t before = errors->text ? strlen(errors->text) : 0;
        size_t more = strlen(line);

        errors->count++;
        if (before + more + 2 > MAX_ERROR_BYTES)
                return;
        for (char *at = line; *at; at++)
                if ((unsigned char)*at < 0x20 || *at == 0x7f)
                        *at = '?';
        char *text = realloc(errors->text, before + more + 2);
        if (!text)
                return;
        snprintf(text + before, more + 2, "%s\n", line);
        errors->text = text;
}

void config_error(struct config_errors *errors, const char *where, const char *key, const char *format, ...)
{
        char *what = NULL, *line = NULL;
        va_list args;

        va_start(args, format);
        int rc = vasprintf(&what, format, args);
        va_end(args);
        if (rc >= 0) {
                if (asprintf(&line, "%s: %s%s%s", where, key, *key ? ": " : "", what) >= 0) {
                        append_line(errors, line);
                        free(line);
                } else {
                        errors->count++;
                }
                free(what);
        } else {
                errors->count++;
        }
}

void config_errors_done(struct config_errors *errors)
{
        free(errors->text);
        *errors = (struct config_errors){0};
}
