/* SPDX-License-Identifier: Apache-2.0 */
/* Format: line by line, without understanding more than how deep a line stands and whether a text follows its sign. */
#include <string.h>

#include "bots/source.h"

enum { LEVELS = 16 };

struct format {
        struct writer *out;
        int indents[LEVELS], depth;                      /* of the lines that the next one may stand below */
        bool has_gap, has_line, was_comment, was_single; /* single: a line at the left edge with nothing below it */
};

static bool is_blank(char c)
{
        return c == ' ' || c == '\t';
}

/* entity, syn, lang and bot are lines of their own: they stand together. */
static bool is_single(struct span line)
{
        static const char *const words[] = {"entity ", "entity\t", "syn ", "syn\t", "lang ", "bot ", "#"};
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
                size_t len = strlen(words[i]);
                if (line.len >= len && memcmp(line.at, words[i], len) == 0)
                        return true;
        }
        return false;
}

/* "?text" and "?   text" become "? text". */
static void put_line(struct format *format, struct span line)
{
        size_t from = 0;
        if (format->depth > 0 && strchr("?~!=|", line.at[0])) {
                writer_char(format->out, line.at[0]);
                from = 1;
                while (from < line.len && is_blank(line.at[from]))
                        from++;
                if (from < line.len)
                        writer_char(format->out, ' ');
        }
        writer_raw(format->out, (struct span){line.at + from, line.len - from});
        writer_char(format->out, '\n');
}

/* How deep a line of that indentation stands: below the nearest line above that is indented less. */
static void find_depth(struct format *format, int indent)
{
        while (format->depth > 0 && indent <= format->indents[format->depth - 1])
                format->depth--;
        if (format->depth < LEVELS)
                format->indents[format->depth] = indent;
}

static void format_line(struct format *format, struct span raw)
{
        int indent = 0;
        size_t at = 0;
        while (at < raw.len && is_blank(raw.at[at])) {
                indent += raw.at[at] == '\t' ? 8 - indent % 8 : 1;
                at++;
        }
        while (raw.len > at && (is_blank(raw.at[raw.len - 1]) || raw.at[raw.len - 1] == '\r'))
                raw.len--;
        if (at == raw.len) {
                format->has_gap = true;
                return;
        }
        struct span line = {raw.at + at, raw.len - at};
        find_depth(format, indent);
        bool is_top = format->depth == 0, single = is_top && is_single(line);
        /* Between two blocks, but not between single lines, nor between a comment and what it is about. */
        bool wants_gap = format->has_gap || (is_top && !format->was_comment && !(single && format->was_single));
        if (wants_gap && format->has_line)
                writer_char(format->out, '\n');
        for (int i = 0; i < format->depth; i++)
                writer_raw(format->out, SPAN("  "));
        put_line(format, line);
        if (format->depth < LEVELS)
                format->depth++;
        format->has_gap = false;
        format->has_line = true;
        format->was_single = single;
        format->was_comment = is_top && line.at[0] == '#';
}

void bot_source_format(struct span text, struct writer *out)
{
        struct format format = {.out = out};
        size_t at = text.len >= 3 && memcmp(text.at, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
        while (at < text.len) {
                const char *end = memchr(text.at + at, '\n', text.len - at);
                size_t next = end ? (size_t)(end - text.at) + 1 : text.len;
                format_line(&format, (struct span){text.at + at, (end ? next - 1 : next) - at});
                at = next;
        }
}
