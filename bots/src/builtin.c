/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, addresses and yes or no; dates are in builtin_date.c. */
#include "builtin.h"

#include <stdio.h>
#include <string.h>

static bool is_digit(uint32_t point)
{
        return point >= '0' && point <= '9';
}

bool builtin_text(const struct bot_words *words, char out[BOT_ENTITY_VALUE])
{
        struct span text = words->original;
        while (text.len > 0 && strchr(" \t\r\n", text.at[0])) {
                text.at++;
                text.len--;
        }
        while (text.len > 0 && strchr(" \t\r\n", text.at[text.len - 1]))
                text.len--;
        if (text.len >= BOT_ENTITY_VALUE) {
                text.len = BOT_ENTITY_VALUE - 1;
                while (text.len > 0 && ((unsigned char)text.at[text.len] & 0xC0) == 0x80)
                        text.len--;
        }
        for (size_t i = 0; i < text.len; i++)
                out[i] = (unsigned char)text.at[i] < 0x20 ? ' ' : text.at[i];
        out[text.len] = '\0';
        return words->text->count > 0 && text.len > 0;
}

/* Digits with a sign, grouped by commas, with a point: "1,234.5" is 1234.5. Two different numbers are no answer. */
bool builtin_number(const struct bot_words *words, char out[BOT_ENTITY_VALUE])
{
        const struct bot_text *text = words->text;
        char found[40];
        bool has_one = false;
        for (size_t i = 0; i < text->count; i++) {
                size_t len = 0;
                bool has_point = false;
                if (!is_digit(text->points[i]))
                        continue;
                if (i > 0 && text->points[i - 1] == '-' && (i == 1 || text->points[i - 2] == ' '))
                        found[len++] = '-';
                for (; i < text->count && len + 1 < sizeof(found); i++) {
                        uint32_t point = text->points[i];
                        bool goes_on = i + 1 < text->count && is_digit(text->points[i + 1]);
                        if (is_digit(point))
                                found[len++] = (char)point;
                        else if (point == '.' && goes_on && !has_point)
                                found[len++] = '.', has_point = true;
                        else if (point != ',' || !goes_on)
                                break;
                }
                found[len] = '\0';
                if (has_one && strcmp(found, out) != 0)
                        return false;
                memcpy(out, found, len + 1);
                has_one = true;
        }
        return has_one;
}

static bool is_address(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c && strchr("._%+-", c));
}

/* Something@name.name: whether it exists only a message can tell. */
bool builtin_email(const struct bot_words *words, char out[BOT_ENTITY_VALUE])
{
        struct span text = words->original;
        for (size_t i = 1; i + 3 < text.len; i++) {
                size_t from = i, to = i + 1, point = 0;
                if (text.at[i] != '@')
                        continue;
                while (from > 0 && is_address(text.at[from - 1]))
                        from--;
                for (; to < text.len && is_address(text.at[to]) && !strchr("_%+", text.at[to]); to++)
                        point = text.at[to] == '.' ? to : point;
                while (to > i && (text.at[to - 1] == '.' || text.at[to - 1] == '-'))
                        to--;
                if (point >= to) {
                        for (point = to - 1; point > i && text.at[point] != '.';)
                                point--;
                }
                bool is_whole =
                        from < i && point > i + 1 && to - point > 2 && text.at[i + 1] != '.' && text.at[from] != '.';
                if (is_whole && to - from < BOT_ENTITY_VALUE) {
                        memcpy(out, text.at + from, to - from);
                        out[to - from] = '\0';
                        return true;
                }
        }
        return false;
}

/* 7 to 15 digits (E.164), perhaps after a +, with blanks, points, strokes and brackets between. */
bool builtin_phone(const struct bot_words *words, char out[BOT_ENTITY_VALUE])
{
        const struct bot_text *text = words->text;
        for (size_t i = 0; i < text->count; i++) {
                size_t len = 0, digits = 0;
                if (!is_digit(text->points[i]) && text->points[i] != '+' && text->points[i] != '(')
                        continue;
                if (text->points[i] == '+')
                        out[len++] = '+', i++;
                for (; i < text->count && (is_digit(text->points[i]) || (text->points[i] < 0x80 && text->points[i] &&
                                                                         strchr(" .-()/", (int)text->points[i])));
                     i++) {
                        if (is_digit(text->points[i]) && digits < 16)
                                out[len++] = (char)text->points[i], digits++;
                }
                out[len] = '\0';
                if (digits >= 7 && digits <= 15)
                        return true;
        }
        return false;
}

/* Without blanks and marks, as bot_text_key gives it. */
static const char *const YES[] = {
        "yes",
        "y",
        "yeah",
        "yep",
        "yup",
        "sure",
        "ok",
        "okay",
        "correct",
        "right",
        "thatsright",
        "that'sright",
        "itdid",
        "yesitdid",
        "네",
        "예",
        "넵",
        "응",
        "그래",
        "그래요",
        "맞아요",
        "맞아",
        "맞습니다",
        "좋아요",
        "네맞아요",
        "네도움이됐어요",
        "是",
        "是的",
        "对",
        "對",
        "好",
        "好的",
        "嗯",
        "可以",
        "没错",
        "沒錯",
        "有",
        "有帮助",
        "有幫助",
        "はい",
        "うん",
        "ええ",
        "そうです",
        "お願いします",
        "はいお願いします",
        "大丈夫です",
        "役に立ちました",
        "sí",
        "si",
        "claro",
        "ja",
        "jawohl",
        "genau",
        "oui",
        "ouais",
        "d'accord",
        "vale",
};
static const char *const NO[] = {
        "no",
        "n",
        "nope",
        "nah",
        "notreally",
        "wrong",
        "incorrect",
        "itdidnot",
        "itdidn't",
        "noitdidn't",
        "아니",
        "아니요",
        "아니오",
        "아뇨",
        "아닙니다",
        "틀려요",
        "싫어요",
        "안됐어요",
        "도움이안됐어요",
        "不",
        "不是",
        "不对",
        "不對",
        "不行",
        "没有",
        "沒有",
        "否",
        "没用",
        "沒用",
        "いいえ",
        "いや",
        "ううん",
        "違います",
        "ちがいます",
        "だめです",
        "役に立ちませんでした",
        "nein",
        "nee",
        "non",
        "nicht",
        "falsch",
};

static bool is_one_of(struct span key, const char *const *list, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                if (span_equal(key, span_of(list[i])))
                        return true;
        }
        return false;
}

bool builtin_yesno(const struct bot_words *words, char out[BOT_ENTITY_VALUE])
{
        char room[BOT_TEXT_KEY];
        struct span key = {room, bot_text_key(words->text, room)};
        bool is_yes = is_one_of(key, YES, sizeof(YES) / sizeof(YES[0]));
        if (!is_yes && !is_one_of(key, NO, sizeof(NO) / sizeof(NO[0])))
                return false;
        snprintf(out, BOT_ENTITY_VALUE, "%s", is_yes ? "yes" : "no");
        return true;
}
