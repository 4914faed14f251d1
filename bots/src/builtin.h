/* SPDX-License-Identifier: Apache-2.0 */
/* Builtin: the entities that every bot has; what each gives is said in entity.h. Any thread. */
#pragma once

#include "entity.h"

bool builtin_text(const struct bot_words *words, char out[BOT_ENTITY_VALUE]);
bool builtin_number(const struct bot_words *words, char out[BOT_ENTITY_VALUE]);
bool builtin_date(const struct bot_words *words, char out[BOT_ENTITY_VALUE]);
bool builtin_email(const struct bot_words *words, char out[BOT_ENTITY_VALUE]);
bool builtin_phone(const struct bot_words *words, char out[BOT_ENTITY_VALUE]);
bool builtin_yesno(const struct bot_words *words, char out[BOT_ENTITY_VALUE]);

/* Days since 1970-01-01 of a date of the Gregorian calendar, and back: Howard Hinnant, "chrono-Compatible Low-Level
 * Date Algorithms". Years 1 to 9999. */
int64_t calendar_days(int year, int month, int day);
void calendar_date(int64_t days, int *out_year, int *out_month, int *out_day);
bool calendar_is_date(int year, int month, int day);

/* "2026-11-21T23:30+09:00" or "...Z": milliseconds since 1970 UTC and the offset in minutes; false: no such time. */
bool calendar_time(const char *text, int64_t *out_ms, int *out_offset_minutes);
