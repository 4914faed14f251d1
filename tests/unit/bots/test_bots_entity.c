/* SPDX-License-Identifier: Apache-2.0 */
/* What a flow asks for, found in what people write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "builtin.h"

enum { SEOUL = 540 };

/* 2026-11-21, a Saturday, 10:00 in Seoul. */
static const int64_t NOW_MS = 1795222800000;

struct wanted {
        const char *lang, *text, *value; /* NULL: there is none */
};

static void check(const char *entity, const struct wanted *wanted, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                struct bot_text text;
                char value[BOT_ENTITY_VALUE] = "";
                bot_text_of(span_of(wanted[i].text), &text);
                const struct bot_words words = {span_of(wanted[i].text), &text, wanted[i].lang, NOW_MS, SEOUL};
                bool is_found = bot_builtin_find(entity, &words, value);
                if (is_found != (wanted[i].value != NULL) || (is_found && strcmp(value, wanted[i].value) != 0))
                        fail_msg("%s in \"%s\": %s, wanted %s", entity, wanted[i].text, is_found ? value : "none",
                                 wanted[i].value ? wanted[i].value : "none");
        }
}

#define CHECK(entity, ...)                                                                                             \
        do {                                                                                                           \
                static const struct wanted wanted[] = {__VA_ARGS__};                                                   \
                check(entity, wanted, sizeof(wanted) / sizeof(wanted[0]));                                             \
        } while (0)

static void dates_are_read_as_people_write_them(void **state)
{
        (void)state;
        CHECK("date", {"en", "2026-11-23", "2026-11-23"}, {"en", "on 11/23 please", "2026-11-23"},
              {"de", "am 23.11.2026", "2026-11-23"}, {"de", "23.11.", "2026-11-23"}, {"en", "23/11", "2026-11-23"},
              {"fr", "le 3/12", "2026-12-03"}, {"en", "12/3", "2026-12-03"}, {"ko", "11월 23일에요", "2026-11-23"},
              {"zh", "11月23日", "2026-11-23"}, {"ja", "2026年11月23日", "2026-11-23"}, {"en", "1/2", "2027-01-02"},
              {"en", "November 23rd", "2026-11-23"}, {"en", "23 november 2027", "2027-11-23"},
              {"en", "december 1, 2025", "2025-12-01"}, {"es", "el 23 de noviembre", "2026-11-23"},
              {"de", "3. März", "2027-03-03"}, {"en", "today", "2026-11-21"},
              {"en", "the day after tomorrow", "2026-11-23"}, {"ko", "내일 와 주세요", "2026-11-22"},
              {"ko", "모레", "2026-11-23"}, {"zh", "后天可以", "2026-11-23"}, {"ja", "昨日です", "2026-11-20"},
              {"es", "pasado mañana", "2026-11-23"}, {"fr", "hier", "2026-11-20"}, {"en", "next monday", "2026-11-23"},
              {"en", "saturday", "2026-11-28"}, {"ko", "금요일", "2026-11-27"}, {"ja", "日曜日", "2026-11-22"},
              {"zh", "星期三", "2026-11-25"}, {"en", "2026-02-30", NULL}, {"en", "13/13", NULL},
              {"en", "no idea", NULL}, {"en", "", NULL}, {"en", "may i ask", NULL}, {"en", "99999999999/1", NULL});
}

static void numbers_addresses_and_yes_or_no(void **state)
{
        (void)state;
        CHECK("number", {"en", "I have 3", "3"}, {"en", "1,234.50 euros", "1234.50"}, {"en", "-5", "-5"},
              {"ko", "２개요", "2"}, {"en", "3 or 4", NULL}, {"en", "3, I said 3", "3"}, {"en", "none", NULL},
              {"en", "3.", "3"});
        CHECK("email", {"en", "write to a.b+c@mail.example.com, please", "a.b+c@mail.example.com"},
              {"ko", "메일은 x@y.kr이에요", "x@y.kr"}, {"en", "a@b", NULL}, {"en", "@b.com", NULL},
              {"en", "a@.com", NULL}, {"en", "a b@c.de.", "b@c.de"}, {"en", "", NULL});
        CHECK("phone", {"ko", "010-1234-5678 입니다", "01012345678"}, {"en", "+49 (30) 123 456", "+4930123456"},
              {"en", "12345", NULL}, {"en", "12345678901234567", NULL});
        CHECK("yesno", {"en", "Yes!", "yes"}, {"en", "no", "no"}, {"ko", "네", "yes"}, {"ko", "아니요.", "no"},
              {"zh", "是的", "yes"}, {"zh", "没有", "no"}, {"ja", "はい", "yes"}, {"ja", "いいえ", "no"},
              {"de", "nein", "no"}, {"es", "sí", "yes"}, {"fr", "oui", "yes"}, {"en", "yes but no", NULL});
        CHECK("text", {"en", "  anything at all ", "anything at all"}, {"en", "  ", NULL}, {"en", "a\nb", "a b"});
}

static void a_list_gives_its_value_for_each_of_its_words(void **state)
{
        json_t *json =
                json_loads("{\"list\": [{\"value\": \"phone\", \"words\": {\"en\": [\"handset\", \"mobile (any)\"], "
                           "\"ko\": [\"휴대폰\"]}}, {\"value\": \"tablet\"}]}",
                           0, NULL);
        struct bot_entity *entity = bot_entity_new(json);
        static const struct wanted wanted[] = {{"en", "a Handset, please", "phone"},
                                               {"ko", "휴대폰이요", "phone"},
                                               {"en", "tablet", "tablet"},
                                               {"en", "tablets", NULL},
                                               {"en", "a table", NULL}};
        (void)state;
        for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
                struct bot_text text;
                char value[BOT_ENTITY_VALUE];
                bot_text_of(span_of(wanted[i].text), &text);
                const struct bot_words words = {span_of(wanted[i].text), &text, wanted[i].lang, 0, 0};
                assert_int_equal(bot_entity_find(entity, &words, value), wanted[i].value != NULL);
                if (wanted[i].value)
                        assert_string_equal(value, wanted[i].value);
        }
        bot_entity_free(entity);
        json_decref(json);
}

static void the_calendar_goes_there_and_back(void **state)
{
        (void)state;
        assert_int_equal(calendar_days(1970, 1, 1), 0);
        assert_int_equal(calendar_days(2000, 3, 1), 11017);
        for (int64_t day = -719162; day < 2932896; day += 97) {
                int year, month, date;
                calendar_date(day, &year, &month, &date);
                assert_int_equal(calendar_days(year, month, date), day);
        }
        assert_true(calendar_is_date(2024, 2, 29));
        assert_false(calendar_is_date(2026, 2, 29));
        assert_false(calendar_is_date(2100, 2, 29));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(dates_are_read_as_people_write_them),
                cmocka_unit_test(numbers_addresses_and_yes_or_no),
                cmocka_unit_test(a_list_gives_its_value_for_each_of_its_words),
                cmocka_unit_test(the_calendar_goes_there_and_back),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
