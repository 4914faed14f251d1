/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "turn.h"

enum { OWN_LINE = 512 }; /* bytes of one of ours */

struct span turn_own_line(const struct turn *turn, const char *key)
{
        struct span lines = bot_lines_of(bot_says, turn->language->lang), word, rest;
        while (bot_lines_next(&lines, &word, &rest)) {
                if (span_equal(word, span_of(key)))
                        return rest;
        }
        return (struct span){"", 0};
}

json_t *turn_own_text(struct turn *turn, const char *key)
{
        const json_t *mine = json_object_get(turn->version->bot, "texts");
        const json_t *text = json_object_get(json_object_get(mine, turn->language->lang), key);
        char line[OWN_LINE];
        if (text)
                return turn_fill(turn, json_string_value(text));
        struct span ours = turn_own_line(turn, key);
        snprintf(line, sizeof(line), "%.*s", (int)ours.len, ours.at);
        return turn_fill(turn, line);
}

/* ---- filling in ----------------------------------------------------------------------------------------------- */

static bool is_path(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* What the protocol's subset of Markdown would read as markup is escaped; a line stays a line. */
static void put_value(struct writer *out, const char *text)
{
        for (; *text; text++) {
                if (strchr("\\*_`[]<>", *text))
                        writer_char(out, '\\');
                writer_char(out, *text == '\n' || *text == '\r' ? ' ' : *text);
        }
}

static void put_var(struct turn *turn, struct writer *out, const char *path)
{
        const json_t *value = turn_var(turn, path), *fact = json_object_get(turn->event->facts, path);
        json_t *spoken = value ? NULL : turn_spoken(turn, path, fact);
        char number[40];
        if (!value)
                value = fact;
        if (spoken) {
                writer_raw(out, (struct span){json_string_value(spoken), json_string_length(spoken)});
        } else if (json_is_string(value)) {
                put_value(out, json_string_value(value));
        } else if (json_is_integer(value)) {
                writer_int(out, json_integer_value(value));
        } else if (json_is_real(value)) {
                snprintf(number, sizeof(number), "%.10g", json_real_value(value));
                writer_raw(out, span_of(number));
        } else if (json_is_boolean(value)) {
                writer_raw(out, span_of(json_is_true(value) ? "true" : "false"));
        }
        json_decref(spoken);
}

json_t *turn_fill(struct turn *turn, const char *text)
{
        struct writer out;
        char path[80];
        writer_init(&out, NULL, 0);
        while (*text) {
                size_t len = 0;
                if (text[0] == '$' && text[1] >= 'a' && text[1] <= 'z') {
                        while (len + 1 < sizeof(path) &&
                               (is_path(text[1 + len]) || (text[1 + len] == '.' && is_path(text[2 + len]))))
                                len++;
                        memcpy(path, text + 1, len);
                        path[len] = '\0';
                        put_var(turn, &out, path);
                        text += len + 1;
                } else {
                        writer_char(&out, *text++);
                }
        }
        json_t *filled = out.failed ? NULL : json_stringn(out.len ? out.bytes : "", out.len);
        writer_done(&out);
        turn->has_failed = turn->has_failed || !filled;
        return filled;
}
