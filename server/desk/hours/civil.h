/* SPDX-License-Identifier: Apache-2.0 */
/* Civil: days since 1970-01-01 and dates of the Gregorian calendar, for all years. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct civil {
        int64_t year;
        int month, day; /* from 1 */
};

static inline int64_t civil_floor_div(int64_t a, int64_t b)
{
        return a / b - (a % b < 0);
}

static inline bool civil_is_leap(int64_t year)
{
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static inline int civil_month_days(int64_t year, int month)
{
        static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        return days[month - 1] + (month == 2 && civil_is_leap(year));
}

/* Years are counted from March, so that the day added in leap years is the last of its year. */
static inline int64_t civil_to_days(int64_t year, int month, int day)
{
        int64_t y = month <= 2 ? year - 1 : year;
        int64_t era = civil_floor_div(y, 400), of_era = y - era * 400;
        int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
        return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static inline struct civil civil_from_days(int64_t days)
{
        int64_t z = days + 719468, era = civil_floor_div(z, 146097), of_era = z - era * 146097;
        int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
        int64_t of_year = of_era - (365 * year + year / 4 - year / 100), m = (5 * of_year + 2) / 153;
        int month = (int)(m < 10 ? m + 3 : m - 9);
        return (struct civil){year + era * 400 + (month <= 2), month, (int)(of_year - (153 * m + 2) / 5 + 1)};
}

/* 0 = Monday. */
static inline int civil_weekday(int64_t days)
{
        return (int)(days + 3 - civil_floor_div(days + 3, 7) * 7);
}
