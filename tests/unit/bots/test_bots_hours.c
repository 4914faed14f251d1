/* SPDX-License-Identifier: Apache-2.0 */
/* What the bot says of the team's hours: the facts open, online, opens and wait, in the customer's language. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "shop.h"

#define FRIDAY_EVENING 1795777200000 /* 2026-11-27 20:00 in Seoul */

static const char english[] = "bot 1\n"
                              "lang en\n"
                              "faq back\n"
                              "  ~ ping\n"
                              "  = $opens, $wait\n"
                              "faq busy when wait > 600\n"
                              "  ~ crowd\n"
                              "  = Many are waiting.\n"
                              "faq quiet when not wait\n"
                              "  ~ crowd\n"
                              "  = Nobody is waiting.\n";

static const char *const others[] = {"ko", "ja", "zh", "de", "fr", "es"};

static struct bot_version *bot;

static int build(void **state)
{
        static char texts[6][160];
        const char *files[7] = {english};
        (void)state;
        for (size_t i = 0; i < 6; i++) {
                snprintf(texts[i], sizeof(texts[i]), "lang %s\nfaq back\n  ~ ping\n  = $opens, $wait\n", others[i]);
                files[i + 1] = texts[i];
        }
        bot = shop_build(files, 7);
        return 0;
}

static int give_back(void **state)
{
        (void)state;
        bot = bot_version_free(bot);
        return 0;
}

/* What is answered to that text while these facts hold; lent till the next call. */
static const char *told(const char *locale, const char *text, json_t *facts)
{
        static char kept[400];
        struct trial trial;
        assert_int_equal(trial_init(&trial, bot, locale, FRIDAY_EVENING), 0);
        json_object_update(trial.facts, facts);
        json_decref(facts);
        assert_int_equal(trial_says(&trial, span_of(text)), 0);
        const char *said = json_string_value(json_object_get(json_array_get(trial.turn.actions, 0), "text"));
        assert_non_null(said);
        snprintf(kept, sizeof(kept), "%s", said);
        trial_done(&trial);
        return kept;
}

static const char *told_of(const char *locale, const char *opens, int wait)
{
        return told(locale, "ping", json_pack("{s:s, s:i}", "opens", opens, "wait", wait));
}

static void the_next_opening_is_said_in_the_customers_language(void **state)
{
        static const struct {
                const char *lang, *today, *tomorrow, *monday, *later;
        } rows[] = {
                {"en", "today at 22:30, about a minute", "tomorrow at 09:00, about 5 minutes",
                 "on Monday at 09:00, about 90 minutes", "on 7 January at 09:05, about 3 hours"},
                {"ko", "오늘 22:30, 약 1분", "내일 09:00, 약 5분", "월요일 09:00, 약 90분", "1월 7일 09:05, 약 3시간"},
                {"ja", "今日の22:30, 約1分", "明日の09:00, 約5分", "月曜日の09:00, 約90分", "1月7日の09:05, 約3時間"},
                {"zh", "今天 22:30, 大约 1 分钟", "明天 09:00, 大约 5 分钟", "周一 09:00, 大约 90 分钟",
                 "1月7日 09:05, 大约 3 小时"},
                {"de", "heute um 22:30 Uhr, etwa eine Minute", "morgen um 09:00 Uhr, etwa 5 Minuten",
                 "am Montag um 09:00 Uhr, etwa 90 Minuten", "am 7. Januar um 09:05 Uhr, etwa 3 Stunden"},
                {"fr", "aujourd'hui à 22:30, environ une minute", "demain à 09:00, environ 5 minutes",
                 "lundi à 09:00, environ 90 minutes", "le 7 janvier à 09:05, environ 3 heures"},
                {"es", "hoy a las 22:30, alrededor de un minuto", "mañana a las 09:00, unos 5 minutos",
                 "el lunes a las 09:00, unos 90 minutos", "el 7 de enero a las 09:05, unas 3 horas"},
        };
        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                const char *lang = rows[i].lang;
                assert_string_equal(told_of(lang, "2026-11-27T22:30+09:00", 10), rows[i].today);
                assert_string_equal(told_of(lang, "2026-11-28T09:00+09:00", 241), rows[i].tomorrow);
                assert_string_equal(told_of(lang, "2026-11-30T09:00+09:00", 5400), rows[i].monday);
                assert_string_equal(told_of(lang, "2027-01-07T09:05+09:00", 7201), rows[i].later);
        }
}

/* 20:00 in Seoul is 06:00 of the same day in New York and 11:00 in London. */
static void the_day_is_reckoned_by_the_clock_that_the_opening_is_told_by(void **state)
{
        (void)state;
        assert_string_equal(told_of("en", "2026-11-27T09:00-05:00", 10), "today at 09:00, about a minute");
        assert_string_equal(told_of("en", "2026-11-28T00:30+14:00", 10), "today at 00:30, about a minute");
        assert_string_equal(told_of("en", "2026-12-03T09:00Z", 10), "on Thursday at 09:00, about a minute");
        assert_string_equal(told_of("en", "2026-12-04T09:00Z", 10), "on 4 December at 09:00, about a minute");
        assert_string_equal(told_of("en", "2028-02-29T09:00Z", 10), "on 29 February at 09:00, about a minute");
}

static void a_customer_of_another_zone_is_told_whose_clock_it_is(void **state)
{
        json_t *his =
                json_pack("{s:s, s:i, s:i}", "opens", "2026-11-28T09:00+05:30", "wait", 10, "utc_offset_minutes", 540);
        json_t *same =
                json_pack("{s:s, s:i, s:i}", "opens", "2026-11-28T09:00-09:00", "wait", 10, "utc_offset_minutes", -540);
        (void)state;
        assert_string_equal(told("en", "ping", his), "tomorrow at 09:00 (UTC+5:30), about a minute");
        assert_string_equal(told("en", "ping", same), "tomorrow at 09:00, about a minute");
}

static void a_text_that_is_no_moment_stands_as_it_is(void **state)
{
        static const char *const texts[] = {"next week",
                                            "2026-11-28",
                                            "2026-13-28T09:00Z",
                                            "2026-11-28T24:00Z",
                                            "2026-11-28T09:00",
                                            "2026-11-28T09:00+09:00 or so",
                                            "2026-11-28T09:00+99:00"};
        char expected[80];
        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                snprintf(expected, sizeof(expected), "%s, about a minute", texts[i]);
                assert_string_equal(told_of("en", texts[i], 1), expected);
        }
        assert_string_equal(told("en", "ping", json_pack("{s:s, s:s}", "opens", "soon", "wait", "5 min")),
                            "soon, 5 min");
        assert_string_equal(told("en", "ping", json_object()), ", ");
}

static void conditions_ask_how_long_the_wait_is(void **state)
{
        (void)state;
        assert_string_equal(told("en", "crowd", json_pack("{s:i}", "wait", 601)), "Many are waiting.");
        assert_string_equal(told("en", "crowd", json_object()), "Nobody is waiting.");
}

static void a_hand_off_says_whether_and_when_a_person_comes(void **state)
{
        static const char wish[] = "a person please";
        json_t *away = json_pack("{s:b, s:b}", "open", 1, "online", 0);
        json_t *closed = json_pack("{s:b, s:b}", "open", 0, "online", 1);
        json_t *known = json_pack("{s:b, s:b, s:s}", "open", 0, "online", 0, "opens", "2026-11-30T09:00+09:00");
        (void)state;
        assert_string_equal(told("en", wish, json_object()),
                            "I am handing you over to a person. They can see what we have said so far.");
        assert_string_equal(told("en", wish, away), "Nobody of our team is online just now, though we are open. A "
                                                    "person will answer you in this chat.");
        assert_string_equal(told("en", wish, closed),
                            "Our team is not here just now. A person will answer you in this chat.");
        assert_string_equal(told("en", wish, known),
                            "Our team is back on Monday at 09:00. A person will answer you in this chat.");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_next_opening_is_said_in_the_customers_language),
                cmocka_unit_test(the_day_is_reckoned_by_the_clock_that_the_opening_is_told_by),
                cmocka_unit_test(a_customer_of_another_zone_is_told_whose_clock_it_is),
                cmocka_unit_test(a_text_that_is_no_moment_stands_as_it_is),
                cmocka_unit_test(conditions_ask_how_long_the_wait_is),
                cmocka_unit_test(a_hand_off_says_whether_and_when_a_person_comes),
        };
        return cmocka_run_group_tests(tests, build, give_back);
}
