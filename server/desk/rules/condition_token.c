/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting an expression into tokens, and reading numbers and durations. Pure. */
#include "desk/rules/condition_token.h"

static bool is_word_byte(unsigned char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80 ||
               (c != 0 && strchr("_.@-+:/*#", c));
}

static void read_string(struct parse *parse)
{
        size_t at = parse->at + 1;
        while (at < parse->source.len && parse->source.at[at] != '"' && (unsigned char)parse->source.at[at] >= 0x20) {
                if (parse->source.at[at] == '\\')
                        at++; /* the quote or control character behind it is met in the next line */
                if (at < parse->source.len && (unsigned char)parse->source.at[at] >= 0x20)
                        at++;
        }
        if (at >= parse->source.len || parse->source.at[at] != '"') {
                parse->token.kind = TOKEN_BAD;
                return;
        }
        parse->token.kind = TOKEN_STRING;
        parse->token.text = (struct span){parse->source.at + parse->at + 1, at - parse->at - 1};
        parse->at = at + 1;
}

static void read_compare(struct parse *parse, char c)
{
        bool has_equal = parse->at + 1 < parse->source.len && parse->source.at[parse->at + 1] == '=';
        parse->token.kind = TOKEN_COMPARE;
        parse->token.compare = c == '='   ? COMPARE_EQUAL
                               : c == '!' ? COMPARE_NOT_EQUAL
                               : c == '<' ? (has_equal ? COMPARE_AT_MOST : COMPARE_LESS)
                                          : (has_equal ? COMPARE_AT_LEAST : COMPARE_MORE);
        if (c == '!' && !has_equal)
                parse->token.kind = TOKEN_BAD;
        parse->at += c != '=' && has_equal ? 2 : 1;
}

void condition_next(struct parse *parse)
{
        const char *source = parse->source.at;
        while (parse->at < parse->source.len && (source[parse->at] == ' ' || source[parse->at] == '\t' ||
                                                 source[parse->at] == '\n' || source[parse->at] == '\r'))
                parse->at++;
        parse->token = (struct token){.kind = TOKEN_END, .at = parse->at};
        if (parse->at >= parse->source.len)
                return;
        char c = source[parse->at];
        if (c == '"') {
                read_string(parse);
        } else if (c == '(' || c == ')' || c == ',') {
                parse->token.kind = c == '(' ? TOKEN_OPEN : c == ')' ? TOKEN_CLOSE : TOKEN_COMMA;
                parse->at++;
        } else if (c == '=' || c == '!' || c == '<' || c == '>') {
                read_compare(parse, c);
        } else if (is_word_byte((unsigned char)c)) {
                size_t from = parse->at;
                while (parse->at < parse->source.len && is_word_byte((unsigned char)source[parse->at]))
                        parse->at++;
                parse->token.kind = TOKEN_WORD;
                parse->token.text = (struct span){source + from, parse->at - from};
        } else {
                parse->token.kind = TOKEN_BAD;
        }
}

bool condition_is_word(struct span text, const char *word)
{
        if (text.len != strlen(word))
                return false;
        for (size_t i = 0; i < text.len; i++) {
                char c = text.at[i];
                if ((c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c) != word[i])
                        return false;
        }
        return true;
}

/* The token is that keyword: it is passed over. */
bool condition_take(struct parse *parse, const char *word)
{
        if (parse->token.kind != TOKEN_WORD || !condition_is_word(parse->token.text, word))
                return false;
        condition_next(parse);
        return true;
}

bool condition_number(struct span text, int64_t *out)
{
        bool is_negative = text.len > 0 && text.at[0] == '-';
        size_t i = is_negative ? 1 : 0;
        int64_t value = 0;
        if (i == text.len || text.len - i > 15)
                return false;
        for (; i < text.len; i++) {
                if (text.at[i] < '0' || text.at[i] > '9')
                        return false;
                value = value * 10 + (text.at[i] - '0');
        }
        *out = is_negative ? -value : value;
        return true;
}

static int64_t unit_seconds(char unit)
{
        switch (unit) {
        case 's':
                return 1;
        case 'm':
                return 60;
        case 'h':
                return 3600;
        case 'd':
                return 86400;
        case 'w':
                return 604800;
        default:
                return 0;
        }
}

enum { LONGEST_SECONDS = 1000000000 }; /* about 31 years */

/* "1h30m"; a bare number is seconds. */
bool condition_duration(struct span text, int64_t *out)
{
        bool is_negative = text.len > 1 && text.at[0] == '-';
        size_t i = is_negative ? 1 : 0;
        int64_t total = 0;
        if (i == text.len)
                return false;
        while (i < text.len) {
                int64_t part = 0;
                size_t first = i;
                for (; i < text.len && text.at[i] >= '0' && text.at[i] <= '9' && part <= LONGEST_SECONDS; i++)
                        part = part * 10 + (text.at[i] - '0');
                int64_t unit = i < text.len ? unit_seconds(text.at[i]) : first == (is_negative ? 1u : 0u) ? 1 : 0;
                if (i == first || unit == 0 || part > LONGEST_SECONDS / unit)
                        return false;
                total += part * unit;
                if (total > LONGEST_SECONDS)
                        return false;
                i += i < text.len;
        }
        *out = is_negative ? -total : total;
        return true;
}

bool condition_yes(struct span text, int64_t *out)
{
        bool is_yes = condition_is_word(text, "yes") || condition_is_word(text, "true");
        if (!is_yes && !condition_is_word(text, "no") && !condition_is_word(text, "false"))
                return false;
        *out = is_yes;
        return true;
}
