/* SPDX-License-Identifier: Apache-2.0 */
/* Dates: written with numbers (2026-11-21, 21.11.2026, 11/21, 11월 21일, 11月21日), with a month's name (21 November,
 * 21 de noviembre), by a word (today, 내일, 后天, あさって), or by a weekday, which is the next one to come. A day and
 * a month that could be either are read the way of the language: English month first, others day first. A date without
 * a year is the one nearest to today. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builtin.h"

int64_t calendar_days(int year, int month, int day)
{
        int64_t y = month <= 2 ? year - 1 : year;
        int64_t era = y / 400, of_era = y - era * 400;
        int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
        return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void calendar_date(int64_t days, int *out_year, int *out_month, int *out_day)
{
        int64_t z = days + 719468, era = z / 146097, of_era = z - era * 146097;
        int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
        int64_t of_year = of_era - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;
        *out_day = (int)(of_year - (153 * m + 2) / 5 + 1);
        *out_month = (int)(m < 10 ? m + 3 : m - 9);
        *out_year = (int)(y + era * 400 + (*out_month <= 2));
}

bool calendar_is_date(int year, int month, int day)
{
        int y, m, d;
        if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31)
                return false;
        calendar_date(calendar_days(year, month, day), &y, &m, &d);
        return y == year && m == month && d == day;
}

bool calendar_time(const char *text, int64_t *out_ms, int *out_offset_minutes)
{
        int year, month, day, hour, minute, used = 0, offset_hours = 0, offset_minutes = 0;
        char sign = 0;
        if (sscanf(text, "%4d-%2d-%2dT%2d:%2d%n", &year, &month, &day, &hour, &minute, &used) != 5 || used == 0 ||
            !calendar_is_date(year, month, day) || hour > 23 || minute > 59 || hour < 0 || minute < 0)
                return false;
        if (strcmp(text + used, "Z") != 0 &&
            (sscanf(text + used, "%c%2d:%2d", &sign, &offset_hours, &offset_minutes) != 3 ||
             (sign != '+' && sign != '-')))
                return false;
        *out_offset_minutes = (offset_hours * 60 + offset_minutes) * (sign == '-' ? -1 : 1);
        *out_ms = ((calendar_days(year, month, day) * 24 + hour) * 60 + minute - *out_offset_minutes) * 60000;
        return true;
}

static int64_t today(const struct bot_words *words)
{
        int64_t local = words->now_ms + (int64_t)words->utc_offset_minutes * 60000;
        return local >= 0 ? local / 86400000 : 0;
}

/* Words that say a day, from today. */
static const struct {
        const char *word;
        int days;
} DAYS[] = {
        {"the day after tomorrow", 2},
        {"day after tomorrow", 2},
        {"the day before yesterday", -2},
        {"tomorrow", 1},
        {"today", 0},
        {"yesterday", -1},
        {"모레", 2},
        {"내일", 1},
        {"오늘", 0},
        {"그저께", -2},
        {"그제", -2},
        {"어제", -1},
        {"后天", 2},
        {"後天", 2},
        {"明天", 1},
        {"今天", 0},
        {"前天", -2},
        {"昨天", -1},
        {"明後日", 2},
        {"あさって", 2},
        {"明日", 1},
        {"あした", 1},
        {"今日", 0},
        {"きょう", 0},
        {"一昨日", -2},
        {"おととい", -2},
        {"昨日", -1},
        {"きのう", -1},
        {"pasado mañana", 2},
        {"mañana", 1},
        {"hoy", 0},
        {"ayer", -1},
        {"übermorgen", 2},
        {"morgen", 1},
        {"heute", 0},
        {"vorgestern", -2},
        {"gestern", -1},
        {"après-demain", 2},
        {"demain", 1},
        {"aujourd'hui", 0},
        {"hier", -1},
};

/* Weekdays, Monday = 0; Chinese and Japanese take the sign after 星期, 周, or before 曜. */
static const struct {
        const char *word;
        int weekday;
} WEEKDAYS[] = {
        {"monday", 0},   {"tuesday", 1}, {"wednesday", 2}, {"thursday", 3}, {"friday", 4},     {"saturday", 5},
        {"sunday", 6},   {"월요일", 0},  {"화요일", 1},    {"수요일", 2},   {"목요일", 3},     {"금요일", 4},
        {"토요일", 5},   {"일요일", 6},  {"星期一", 0},    {"星期二", 1},   {"星期三", 2},     {"星期四", 3},
        {"星期五", 4},   {"星期六", 5},  {"星期日", 6},    {"星期天", 6},   {"周一", 0},       {"周二", 1},
        {"周三", 2},     {"周四", 3},    {"周五", 4},      {"周六", 5},     {"周日", 6},       {"月曜", 0},
        {"火曜", 1},     {"水曜", 2},    {"木曜", 3},      {"金曜", 4},     {"土曜", 5},       {"日曜", 6},
        {"lunes", 0},    {"martes", 1},  {"miércoles", 2}, {"jueves", 3},   {"viernes", 4},    {"sábado", 5},
        {"domingo", 6},  {"montag", 0},  {"dienstag", 1},  {"mittwoch", 2}, {"donnerstag", 3}, {"freitag", 4},
        {"samstag", 5},  {"sonntag", 6}, {"lundi", 0},     {"mardi", 1},    {"mercredi", 2},   {"jeudi", 3},
        {"vendredi", 4}, {"samedi", 5},  {"dimanche", 6},
};

static const struct {
        const char *word;
        int month;
} MONTHS[] = {
        {"january", 1},   {"february", 2},  {"march", 3},      {"april", 4},     {"may", 5},        {"june", 6},
        {"july", 7},      {"august", 8},    {"september", 9},  {"october", 10},  {"november", 11},  {"december", 12},
        {"jan", 1},       {"feb", 2},       {"mar", 3},        {"apr", 4},       {"jun", 6},        {"jul", 7},
        {"aug", 8},       {"sep", 9},       {"sept", 9},       {"oct", 10},      {"nov", 11},       {"dec", 12},
        {"enero", 1},     {"febrero", 2},   {"marzo", 3},      {"abril", 4},     {"mayo", 5},       {"junio", 6},
        {"julio", 7},     {"agosto", 8},    {"septiembre", 9}, {"octubre", 10},  {"noviembre", 11}, {"diciembre", 12},
        {"januar", 1},    {"februar", 2},   {"märz", 3},       {"mai", 5},       {"juni", 6},       {"juli", 7},
        {"oktober", 10},  {"dezember", 12}, {"janvier", 1},    {"février", 2},   {"mars", 3},       {"avril", 4},
        {"juin", 6},      {"juillet", 7},   {"août", 8},       {"septembre", 9}, {"octobre", 10},   {"novembre", 11},
        {"décembre", 12},
};

/* The message in its normal form, as UTF-8 between two blanks. */
static void normal_form(const struct bot_text *text, char out[4 * BOT_TEXT_POINTS + 3])
{
        size_t len = 0;
        out[len++] = ' ';
        for (size_t i = 0; i < text->count; i++) {
                uint32_t point = text->points[i];
                if (point < 0x80) {
                        out[len++] = (char)point;
                } else if (point < 0x800) {
                        out[len++] = (char)(0xC0 | point >> 6);
                        out[len++] = (char)(0x80 | (point & 0x3F));
                } else {
                        if (point < 0x10000) {
                                out[len++] = (char)(0xE0 | point >> 12);
                        } else {
                                out[len++] = (char)(0xF0 | point >> 18);
                                out[len++] = (char)(0x80 | (point >> 12 & 0x3F));
                        }
                        out[len++] = (char)(0x80 | (point >> 6 & 0x3F));
                        out[len++] = (char)(0x80 | (point & 0x3F));
                }
        }
        out[len++] = ' ';
        out[len] = '\0';
}

static bool is_letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* A word of letters stands whole; one of another script anywhere. NULL: it is not there. */
static const char *find_word(const char *text, const char *word)
{
        size_t len = strlen(word);
        for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) {
                bool is_plain = is_letter(word[0]) || is_letter(word[len - 1]);
                if (!is_plain || (!is_letter(at[-1]) && !is_letter(at[len])))
                        return at;
        }
        return NULL;
}

static bool put_date(char out[BOT_ENTITY_VALUE], int year, int month, int day)
{
        if (!calendar_is_date(year, month, day))
                return false;
        snprintf(out, BOT_ENTITY_VALUE, "%04d-%02d-%02d", year, month, day);
        return true;
}

static bool put_days(char out[BOT_ENTITY_VALUE], int64_t days)
{
        int year, month, day;
        calendar_date(days, &year, &month, &day);
        return put_date(out, year, month, day);
}

/* The year in which that day lies nearest to today. */
static bool put_nearest(const struct bot_words *words, char out[BOT_ENTITY_VALUE], int month, int day)
{
        int year, m, d, best = 0;
        int64_t now = today(words), nearest = INT64_MAX;
        calendar_date(now, &year, &m, &d);
        for (int y = year - 1; y <= year + 1; y++) {
                int64_t off = calendar_is_date(y, month, day) ? llabs(calendar_days(y, month, day) - now) : INT64_MAX;
                if (off < nearest) {
                        nearest = off;
                        best = y;
                }
        }
        return best > 0 && put_date(out, best, month, day);
}

static int number_at(const char **at)
{
        int number = 0, digits = 0;
        for (; **at >= '0' && **at <= '9' && digits < 5; digits++)
                number = number * 10 + *(*at)++ - '0';
        return digits == 0 || digits > 4 ? -1 : number;
}

/* After a number: a separator of dates, or a sign such as 년 and 月; passes it and blanks. */
static bool pass_separator(const char **at)
{
        static const char *const signs[] = {"년", "年", "월", "月", "-", "/", "."};
        for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
                size_t len = strlen(signs[i]);
                if (strncmp(*at, signs[i], len) != 0)
                        continue;
                *at += len;
                while (**at == ' ')
                        ++*at;
                return **at >= '0' && **at <= '9';
        }
        return false;
}

static bool read_numbers(const struct bot_words *words, const char *at, char out[BOT_ENTITY_VALUE])
{
        int parts[3], count = 0;
        const char *next = at;
        while (count < 3 && (parts[count] = number_at(&next)) >= 0) {
                count++;
                if (!pass_separator(&next))
                        break;
        }
        bool is_month_first = strncmp(words->lang, "en", 2) == 0 || strncmp(words->lang, "ko", 2) == 0 ||
                              strncmp(words->lang, "zh", 2) == 0 || strncmp(words->lang, "ja", 2) == 0;
        if (count == 3 && parts[0] > 31)
                return put_date(out, parts[0], parts[1], parts[2]);
        if (count == 3)
                parts[2] += parts[2] < 100 ? 2000 : 0;
        if (count < 2)
                return false;
        int month = parts[is_month_first ? 0 : 1], day = parts[is_month_first ? 1 : 0];
        if (month > 12) {
                int swap = month;
                month = day;
                day = swap;
        }
        return count == 3 ? put_date(out, parts[2], month, day) : put_nearest(words, out, month, day);
}

/* The number next to a month's name: "21 november 2026", "november 21st, 2026", "21 de noviembre". */
static bool read_named_month(const struct bot_words *words, const char *text, const char *at, size_t len, int month,
                             char out[BOT_ENTITY_VALUE])
{
        const char *before = at, *after = at + len;
        int day = -1, year = -1;
        while (before > text && (before[-1] == ' ' || before[-1] == '.'))
                before--;
        if (before - text > 3 && strncmp(before - 3, " de", 3) == 0)
                before -= 3;
        while (before > text && before[-1] >= 'a' && before[-1] <= 'z')
                before--; /* st, nd, rd, th */
        const char *from = before;
        while (from > text && from[-1] >= '0' && from[-1] <= '9')
                from--;
        if (from < before)
                day = number_at(&from);
        while (*after == ' ' || *after == ',' || *after == '.')
                after++;
        if (*after >= '0' && *after <= '9') {
                int number = number_at(&after);
                if (number > 31)
                        year = number;
                else if (day < 0)
                        day = number;
        }
        while (year < 0 && *after && !(*after >= '0' && *after <= '9') && (is_letter(*after) || strchr(" ,", *after)))
                after++;
        if (year < 0 && *after >= '0' && *after <= '9')
                year = number_at(&after);
        if (day < 1)
                return false;
        return year > 31 ? put_date(out, year, month, day) : put_nearest(words, out, month, day);
}

bool builtin_date(const struct bot_words *words, char out[BOT_ENTITY_VALUE])
{
        char text[4 * BOT_TEXT_POINTS + 3];
        normal_form(words->text, text);
        for (const char *at = text + 1; *at; at++) {
                bool is_begin = *at >= '0' && *at <= '9' && !is_letter(at[-1]);
                if (is_begin && read_numbers(words, at, out))
                        return true;
        }
        for (size_t i = 0; i < sizeof(MONTHS) / sizeof(MONTHS[0]); i++) {
                const char *at = find_word(text, MONTHS[i].word);
                if (at && read_named_month(words, text, at, strlen(MONTHS[i].word), MONTHS[i].month, out))
                        return true;
        }
        for (size_t i = 0; i < sizeof(DAYS) / sizeof(DAYS[0]); i++) {
                if (find_word(text, DAYS[i].word))
                        return put_days(out, today(words) + DAYS[i].days);
        }
        for (size_t i = 0; i < sizeof(WEEKDAYS) / sizeof(WEEKDAYS[0]); i++) {
                if (!find_word(text, WEEKDAYS[i].word))
                        continue;
                int64_t now = today(words), weekday = (now + 3) % 7; /* 1970-01-01 was a Thursday */
                return put_days(out, now + (WEEKDAYS[i].weekday - weekday + 6) % 7 + 1);
        }
        return false;
}
