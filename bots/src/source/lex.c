/* SPDX-License-Identifier: Apache-2.0 */
#include "source/lex.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 64 };

static bool is_blank(char c)
{
        return c == ' ' || c == '\t';
}

static bool is_word_byte(char c)
{
        return (unsigned char)c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               (c && strchr("-_./*?:+%&'", c));
}

static bool is_name_byte(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '.';
}

static void take_bad(struct lex *lex, const char *why)
{
        lex->now.kind = TOKEN_BAD;
        lex->bad = why;
        lex->at = lex->line.len;
}

static void take_run(struct lex *lex, enum token_kind kind, size_t skip, bool (*belongs)(char c))
{
        size_t from = lex->at + skip, to = from;
        while (to < lex->line.len && belongs(lex->line.at[to]))
                to++;
        if (to == from) {
                take_bad(lex, "a name is missing after this sign");
                return;
        }
        lex->now.kind = kind;
        lex->now.text = (struct span){lex->line.at + from, to - from};
        lex->at = to;
}

static void take_text(struct lex *lex)
{
        char *out = malloc(lex->line.len - lex->at + 1);
        size_t len = 0;
        if (!out) {
                take_bad(lex, "out of memory");
                return;
        }
        free(lex->unescaped);
        lex->unescaped = out;
        for (size_t i = lex->at + 1; i < lex->line.len; i++) {
                char c = lex->line.at[i];
                if (c == '"') {
                        out[len] = '\0';
                        lex->now.kind = TOKEN_TEXT;
                        lex->now.text = (struct span){out, len};
                        lex->at = i + 1;
                        return;
                }
                if (c == '\\' && i + 1 < lex->line.len) {
                        c = lex->line.at[++i];
                        if (c != '"' && c != '\\' && c != 'n') {
                                take_bad(lex, "after a backslash comes \", \\ or n");
                                return;
                        }
                        c = c == 'n' ? '\n' : c;
                }
                out[len++] = c;
        }
        take_bad(lex, "the text has no closing \"");
}

/* Signs of one or two characters; false: none begins here. */
static bool take_sign(struct lex *lex)
{
        static const struct {
                const char *sign;
                enum token_kind kind;
        } signs[] = {
                {"->", TOKEN_ARROW},   {"==", TOKEN_COMPARE}, {"!=", TOKEN_COMPARE}, {"<=", TOKEN_COMPARE},
                {">=", TOKEN_COMPARE}, {"<", TOKEN_COMPARE},  {">", TOKEN_COMPARE},  {"=", TOKEN_SET},
                {"|", TOKEN_PIPE},     {"(", TOKEN_OPEN},     {")", TOKEN_CLOSE},    {",", TOKEN_COMMA},
        };
        const char *at = lex->line.at + lex->at;
        size_t left = lex->line.len - lex->at;
        for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
                size_t len = strlen(signs[i].sign);
                if (len > left || memcmp(at, signs[i].sign, len) != 0)
                        continue;
                lex->now.kind = signs[i].kind;
                lex->now.text = (struct span){at, len};
                lex->at += len;
                return true;
        }
        return false;
}

void lex_next(struct lex *lex)
{
        while (lex->at < lex->line.len && is_blank(lex->line.at[lex->at]))
                lex->at++;
        lex->now = (struct token){.kind = TOKEN_END, .at = lex->at};
        if (lex->at == lex->line.len ||
            (lex->line.at[lex->at] == '#' && (lex->at == 0 || is_blank(lex->line.at[lex->at - 1])))) {
                lex->at = lex->line.len;
                return;
        }
        char c = lex->line.at[lex->at];
        if (c == '"')
                take_text(lex);
        else if (c == '@')
                take_run(lex, TOKEN_KEY, 1, is_name_byte);
        else if (c == '$')
                take_run(lex, TOKEN_VAR, 1, is_name_byte);
        else if (take_sign(lex))
                return;
        else if (is_word_byte(c))
                take_run(lex, TOKEN_WORD, 0, is_word_byte);
        else
                take_bad(lex, "this sign means nothing here; texts stand between \"");
}

void lex_init(struct lex *lex, struct span line, size_t at)
{
        *lex = (struct lex){.line = line, .at = at};
        lex_next(lex);
}

void lex_done(struct lex *lex)
{
        free(lex->unescaped);
        lex->unescaped = NULL;
}

bool lex_is_word(const struct lex *lex, const char *word)
{
        return lex->now.kind == TOKEN_WORD && span_equal(lex->now.text, span_of(word));
}

bool lex_take_word(struct lex *lex, const char *word)
{
        if (!lex_is_word(lex, word))
                return false;
        lex_next(lex);
        return true;
}

struct span lex_raw(struct span line, size_t at)
{
        size_t end = line.len;
        while (at < line.len && is_blank(line.at[at]))
                at++;
        for (size_t i = at; i + 3 < line.len; i++) {
                if (is_blank(line.at[i]) && is_blank(line.at[i + 1]) && line.at[i + 2] == '#' &&
                    is_blank(line.at[i + 3])) {
                        end = i;
                        break;
                }
        }
        while (end > at && is_blank(line.at[end - 1]))
                end--;
        return (struct span){line.at + at, end - at};
}

bool lex_number(const struct lex *lex, long *out_number, struct span *out_rest)
{
        enum { DIGITS = 18 };
        struct span word = lex->now.text;
        if (lex->now.kind != TOKEN_WORD)
                return false;
        size_t begin = word.len > 0 && word.at[0] == '-', i = begin;
        long number = 0;
        for (; i < word.len && i < begin + DIGITS && word.at[i] >= '0' && word.at[i] <= '9'; i++)
                number = 10 * number + (word.at[i] - '0');
        *out_number = begin ? -number : number;
        *out_rest = (struct span){word.at + i, word.len - i};
        return i > begin;
}

int lex_column(struct span line, size_t at)
{
        int column = 1;
        for (size_t i = 0; i < at && i < line.len; i++)
                column += ((unsigned char)line.at[i] & 0xC0) != 0x80;
        return column;
}

bool lex_is_name(struct span text)
{
        for (size_t i = 0; i < text.len; i++) {
                char c = text.at[i];
                bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
                if (!is_plain && (c != '.' || i == 0 || i + 1 == text.len))
                        return false;
        }
        return text.len > 0 && text.len <= NAME_MAX_BYTES;
}

bool lex_is_language(struct span tag)
{
        for (size_t i = 0; i < tag.len; i++) {
                char c = tag.at[i];
                bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
                if (!is_letter && (i < 2 || (c != '-' && (c < '0' || c > '9'))))
                        return false;
        }
        return tag.len >= 2 && tag.len <= 35;
}
