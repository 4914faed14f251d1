/* SPDX-License-Identifier: Apache-2.0 */
/* A small reader of Markdown that writes Pango markup. Always true: an element is written only when its end was found
 * first, so elements nest and close whatever the text; all other text passes through one function that escapes. */
#include "markup.h"

#include <string.h>

/* How far is looked for the end of something: a hostile text of 40,000 bytes must not cost more than its length times a
 * small number. */
enum { MAX_DEPTH = 8, MAX_LINK = 2000, MAX_LABEL = 300, MAX_CODE = 2000, MARKS = 5 };

static void write_span(GString *out, const char *text, size_t len, int depth);

static void write_plain(GString *out, const char *text, size_t len)
{
        g_autofree char *escaped = g_markup_escape_text(text, (gssize)len);

        g_string_append(out, escaped);
}

/* ---- links ------------------------------------------------------------------------------------------------------- */

bool markup_link_is_safe(const char *link)
{
        if (!link || strlen(link) > MAX_LINK || !g_utf8_validate(link, -1, NULL))
                return false;
        for (const char *at = link; *at; at = g_utf8_next_char(at)) {
                gunichar c = g_utf8_get_char(at);
                if (c <= ' ' || g_unichar_iscntrl(c) || g_unichar_isspace(c) || g_unichar_type(c) == G_UNICODE_FORMAT)
                        return false;
        }
        g_autoptr(GUri) uri = g_uri_parse(link, G_URI_FLAGS_PARSE_RELAXED, NULL);
        if (!uri)
                return false;
        const char *scheme = g_uri_get_scheme(uri);
        if (g_ascii_strcasecmp(scheme, "mailto") == 0)
                return strchr(g_uri_get_path(uri), '@') != NULL;
        bool is_web = g_ascii_strcasecmp(scheme, "http") == 0 || g_ascii_strcasecmp(scheme, "https") == 0;
        return is_web && g_uri_get_host(uri) && *g_uri_get_host(uri);
}

/* The label is plain text: elements <a> do not nest, and a label that looks like another address stays one to read. */
static void write_link(GString *out, const char *label, size_t label_len, const char *link)
{
        g_autofree char *href = g_markup_escape_text(link, -1);

        g_string_append_printf(out, "<a href=\"%s\" title=\"%s\">", href, href);
        write_plain(out, label, label_len);
        g_string_append(out, "</a>");
}

/* Bytes of the address that begins at `text`, 0 = none. Punctuation that ends a sentence is not part of it. */
static size_t address_length(const char *text, size_t len)
{
        static const char *const ends[] = {"。", "、", "，", "！", "？", "）", "」", "』", "】"};
        size_t n = 0;

        if ((len < 8 || g_ascii_strncasecmp(text, "http://", 7) != 0) &&
            (len < 9 || g_ascii_strncasecmp(text, "https://", 8) != 0))
                return 0;
        while (n < len && (unsigned char)text[n] > ' ' && !strchr("<>\"`{}|\\^", text[n])) {
                if (n > MAX_LINK)
                        return 0;
                for (size_t i = 0; (unsigned char)text[n] >= 0x80 && i < G_N_ELEMENTS(ends); i++)
                        if (len - n >= strlen(ends[i]) && memcmp(text + n, ends[i], strlen(ends[i])) == 0)
                                return n > 8 ? n : 0;
                n++;
        }
        while (n > 8 && strchr(".,;:!?'*_~]", text[n - 1]))
                n--;
        if (n > 8 && text[n - 1] == ')' && !memchr(text, '(', n))
                n--;
        return n > 8 ? n : 0;
}

static size_t try_address(GString *out, const char *text, size_t len, bool is_word)
{
        size_t n = is_word ? 0 : address_length(text, len);

        if (!n)
                return 0;
        g_autofree char *link = g_strndup(text, n);
        if (!markup_link_is_safe(link))
                return 0;
        write_link(out, text, n, link);
        return n;
}

/* [label](link) */
static size_t try_link(GString *out, const char *text, size_t len)
{
        const char *close = memchr(text, ']', MIN(len, MAX_LABEL));

        if (!close || close == text + 1 || (size_t)(close - text) + 2 >= len || close[1] != '(')
                return 0;
        const char *end = memchr(close, ')', MIN(len - (size_t)(close - text), MAX_LINK + 3));
        if (!end || memchr(text + 1, '[', (size_t)(close - text) - 1) || memchr(text, '\n', (size_t)(end - text)))
                return 0;
        g_autofree char *link = g_strndup(close + 2, (size_t)(end - close) - 2);
        if (!markup_link_is_safe(link))
                return 0;
        write_link(out, text + 1, (size_t)(close - text) - 1, link);
        return (size_t)(end - text) + 1;
}

/* ---- inside a line ----------------------------------------------------------------------------------------------- */

static const struct mark {
        const char *sign, *element;
        bool needs_word_edge; /* snake_case_names are no italics */
} marks[MARKS] = {
        {"**", "b", false}, {"__", "b", true}, {"~~", "s", false}, {"*", "i", false}, {"_", "i", true},
};

static bool is_word_byte(char c)
{
        return g_ascii_isalnum(c) || (unsigned char)c >= 0x80;
}

/* Where the closing sign stands, NULL = nowhere in this paragraph. */
static const char *closing(const char *text, size_t len, const struct mark *mark)
{
        size_t sign = strlen(mark->sign);

        for (size_t i = sign + 1; i + sign <= len; i++) {
                if (memcmp(text + i, mark->sign, sign) != 0 || g_ascii_isspace(text[i - 1]))
                        continue;
                if (mark->needs_word_edge && i + sign < len && is_word_byte(text[i + sign]))
                        continue;
                if (sign == 1 && i + 1 < len && text[i + 1] == mark->sign[0]) {
                        i++; /* a doubled sign belongs to somebody inside */
                        continue;
                }
                return text + i;
        }
        return NULL;
}

/* `is_open` remembers which signs have no end in the rest of this span. */
static size_t try_mark(GString *out, const char *text, size_t len, bool after_word, int depth, bool is_open[MARKS])
{
        for (size_t i = 0; i < MARKS; i++) {
                size_t sign = strlen(marks[i].sign);
                if (is_open[i] || len < 2 * sign + 1 || memcmp(text, marks[i].sign, sign) != 0)
                        continue;
                if (g_ascii_isspace(text[sign]) || (marks[i].needs_word_edge && after_word))
                        continue;
                const char *end = closing(text, len, &marks[i]);
                if (!end) {
                        is_open[i] = true;
                        continue;
                }
                g_string_append_printf(out, "<%s>", marks[i].element);
                write_span(out, text + sign, (size_t)(end - text) - sign, depth + 1);
                g_string_append_printf(out, "</%s>", marks[i].element);
                return (size_t)(end - text) + sign;
        }
        return 0;
}

static size_t try_code(GString *out, const char *text, size_t len)
{
        const char *end = len > 2 ? memchr(text + 1, '`', MIN(len - 1, MAX_CODE)) : NULL;

        if (!end || end == text + 1)
                return 0;
        g_string_append(out, "<tt>");
        write_plain(out, text + 1, (size_t)(end - text) - 1);
        g_string_append(out, "</tt>");
        return (size_t)(end - text) + 1;
}

static size_t try_element(GString *out, const char *text, size_t len, bool after_word, int depth, bool is_open[MARKS])
{
        switch (*text) {
        case '`':
                return try_code(out, text, len);
        case '[':
                return try_link(out, text, len);
        case 'h':
        case 'H':
                /* Between words of scripts without spaces an address may stand alone. */
                return try_address(out, text, len, after_word && g_ascii_isalnum(text[-1]));
        case '*':
        case '_':
        case '~':
                return depth < MAX_DEPTH ? try_mark(out, text, len, after_word, depth, is_open) : 0;
        default:
                return 0;
        }
}

static void write_span(GString *out, const char *text, size_t len, int depth)
{
        bool is_open[MARKS] = {false};
        size_t plain = 0;

        for (size_t i = 0; i < len;) {
                if (text[i] == '\\' && i + 1 < len && strchr("*_~`[\\", text[i + 1])) {
                        write_plain(out, text + plain, i - plain);
                        plain = i + 1;
                        i += 2;
                        continue;
                }
                if (!strchr("`[hH*_~", text[i])) {
                        i++;
                        continue;
                }
                write_plain(out, text + plain, i - plain);
                plain = i;
                size_t used = try_element(out, text + i, len - i, i > 0 && is_word_byte(text[i - 1]), depth, is_open);
                i += used ? used : 1;
                plain = used ? i : plain;
        }
        write_plain(out, text + plain, len - plain);
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static void write_line(GString *out, const char *line, size_t len)
{
        size_t hashes = 0;

        while (hashes < len && hashes < 3 && line[hashes] == '#')
                hashes++;
        if (hashes && hashes + 1 < len && line[hashes] == ' ') {
                g_string_append(out, "<b>");
                write_span(out, line + hashes + 1, len - hashes - 1, 1);
                g_string_append(out, "</b>");
        } else if (len > 2 && strchr("-*+", line[0]) && line[1] == ' ') {
                g_string_append(out, " •  ");
                write_span(out, line + 2, len - 2, 0);
        } else if (len > 2 && line[0] == '>' && line[1] == ' ') {
                g_string_append(out, "<i>❝ ");
                write_span(out, line + 2, len - 2, 1);
                g_string_append(out, "</i>");
        } else {
                write_span(out, line, len, 0);
        }
}

/* A block between two lines of ```; 0 = it is not ended. */
static size_t try_block(GString *out, const char *text)
{
        const char *first = strchr(text, '\n');
        const char *end = first ? strstr(first, "\n```") : NULL;

        if (!end)
                return 0;
        g_string_append(out, "<tt>");
        if (end > first)
                write_plain(out, first + 1, (size_t)(end - first) - 1);
        g_string_append(out, "</tt>");
        end += 4;
        while (*end && *end != '\n')
                end++;
        return (size_t)(end - text);
}

char *markup_of(const char *text)
{
        g_autofree char *valid = g_utf8_make_valid(text, -1);
        GString *out = g_string_sized_new(strlen(valid) + 32);

        for (const char *line = valid; *line;) {
                size_t used = g_str_has_prefix(line, "```") ? try_block(out, line) : 0;
                if (!used) {
                        used = strcspn(line, "\n");
                        write_line(out, line, used);
                }
                line += used;
                if (*line == '\n') {
                        g_string_append_c(out, '\n');
                        line++;
                }
        }
        return g_string_free(out, FALSE);
}

/* ---- lines for other places -------------------------------------------------------------------------------------- */

/* Marks that embed, override or isolate a direction: they would turn what stands around a name. */
static bool turns_direction(gunichar c)
{
        return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

char *markup_clean_line(const char *text)
{
        g_autofree char *valid = g_utf8_make_valid(text, -1);
        GString *out = g_string_new(NULL);

        for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
                gunichar c = g_utf8_get_char(at);
                if (turns_direction(c))
                        continue;
                if (g_unichar_iscntrl(c) || c == 0x2028 || c == 0x2029)
                        c = ' ';
                g_string_append_unichar(out, c);
        }
        return g_strstrip(g_string_free(out, FALSE));
}

/* The text between the elements of our own markup. */
static char *without_elements(const char *markup)
{
        static const struct {
                const char *entity;
                char c;
        } entities[] = {{"&amp;", '&'},  {"&lt;", '<'},    {"&gt;", '>'},
                        {"&quot;", '"'}, {"&apos;", '\''}, {"&#39;", '\''}};
        GString *out = g_string_new(NULL);

        while (*markup) {
                size_t used = *markup == '<' ? strcspn(markup, ">") + 1 : 0;
                for (size_t i = 0; *markup == '&' && !used && i < G_N_ELEMENTS(entities); i++) {
                        if (!g_str_has_prefix(markup, entities[i].entity))
                                continue;
                        g_string_append_c(out, entities[i].c);
                        used = strlen(entities[i].entity);
                }
                if (!used)
                        g_string_append_c(out, *markup);
                markup += used ? used : 1;
        }
        return g_string_free(out, FALSE);
}

char *markup_preview(const char *text, int max_chars)
{
        g_autofree char *markup = markup_of(text);
        g_autofree char *bare = without_elements(markup);
        g_autofree char *line = markup_clean_line(bare);

        if (g_utf8_strlen(line, -1) <= max_chars)
                return g_steal_pointer(&line);
        g_autofree char *cut = g_utf8_substring(line, 0, max_chars - 1);
        return g_strconcat(cut, "…", NULL);
}

char *markup_initials(const char *name)
{
        GString *out = g_string_new(NULL);
        bool at_word = true;
        int count = 0;

        for (const char *at = name; *at && count < 2; at = g_utf8_next_char(at)) {
                gunichar c = g_utf8_get_char(at);
                if (at_word && g_unichar_isalnum(c)) {
                        g_string_append_unichar(out, g_unichar_toupper(c));
                        count++;
                        if (g_unichar_iswide(c))
                                break;
                }
                at_word = !g_unichar_isalnum(c);
        }
        return g_string_free(out, FALSE);
}
