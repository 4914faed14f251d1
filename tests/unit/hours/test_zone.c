/* SPDX-License-Identifier: Apache-2.0 */
/* Time zones: the rule at the end of a file, what is refused, and what local times mean where clocks change. Agreement
 * with Python's zoneinfo is the job of zones.py. */
#include <errno.h>
#include <stdlib.h>

#include "desk/hours/zone.h"
#include "desk/hours/zone_file.h"
#include "desk/hours/zone_rule.h"
#include "unit/ops/cmocka_all.h"

static char *bytes;
static size_t len;

static struct zone *load(const char *name)
{
        struct zone *zone = NULL;
        free(bytes);
        bytes = NULL;
        assert_int_equal(0, zone_file_read(span_of(name), &bytes, &len));
        assert_int_equal(0, zone_parse((struct span){bytes, len}, &zone));
        return zone;
}

static int forget(void **state)
{
        (void)state;
        free(bytes);
        bytes = NULL;
        return 0;
}

/* ---- rules ---- */

static void assert_offset(const char *rule, int64_t utc_s, int32_t offset_s)
{
        struct zone_rule parsed;
        assert_true(zone_rule_parse(span_of(rule), &parsed));
        struct zone_stretch at = zone_rule_at(&parsed, utc_s);
        assert_int_equal(offset_s, at.offset_s);
        assert_true(at.from_s <= utc_s && utc_s < at.to_s);
}

#define SUMMER_2030 INT64_C(1909000000) /* 29 June 2030 */
#define WINTER_2030 INT64_C(1893600000) /* 3 January 2030 */

static void a_rule_says_summer_and_winter_on_both_halves_of_the_earth(void **state)
{
        (void)state;
        assert_offset("CET-1CEST,M3.5.0,M10.5.0/3", SUMMER_2030, 7200);
        assert_offset("CET-1CEST,M3.5.0,M10.5.0/3", WINTER_2030, 3600);
        assert_offset("AEST-10AEDT,M10.1.0,M4.1.0/3", SUMMER_2030, 36000);
        assert_offset("AEST-10AEDT,M10.1.0,M4.1.0/3", WINTER_2030, 39600);
}

static void a_rule_may_have_negative_summer_half_hours_and_hours_beyond_a_day(void **state)
{
        (void)state;
        assert_offset("IST-1GMT0,M10.5.0,M3.5.0/1", WINTER_2030, 0);
        assert_offset("IST-1GMT0,M10.5.0,M3.5.0/1", SUMMER_2030, 3600);
        assert_offset("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", SUMMER_2030, 37800);
        assert_offset("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", SUMMER_2030, -3600);
        assert_offset("EET-2EEST,M3.4.4/50,M10.4.4/50", SUMMER_2030, 10800);
}

static void summer_that_ends_when_it_begins_is_for_ever(void **state)
{
        (void)state;
        assert_offset("XXX3EDT4,0/0,J365/23", SUMMER_2030, -14400);
        assert_offset("XXX3EDT4,0/0,J365/23", WINTER_2030, -14400);
        assert_offset("XXX3EDT4,0/0,J365/23", INT64_C(1893466800), -14400); /* the moment itself: 2030-01-01 03:00 */
}

static void a_day_of_the_year_counts_29_february_or_not_as_it_says(void **state)
{
        (void)state;
        const int64_t march_1_2032 = INT64_C(1961712000), day_s = 86400; /* a leap year */
        assert_offset("AAA0BBB,J60/0,J300/0", march_1_2032, 3600);
        assert_offset("AAA0BBB,J60/0,J300/0", march_1_2032 - 1, 0);
        assert_offset("AAA0BBB,59/0,300/0", march_1_2032 - day_s, 3600);
        assert_offset("AAA0BBB,59/0,300/0", march_1_2032 - day_s - 1, 0);
}

static void a_rule_that_is_not_one_is_refused(void **state)
{
        (void)state;
        static const char *const bad[] = {"",
                                          "CET",
                                          "C-1",
                                          "CET-1CEST",
                                          "CET-1CEST,M3.5.0",
                                          "CET-1CEST,M13.5.0,M10.5.0",
                                          "CET-1CEST,M3.6.0,M10.5.0",
                                          "CET-1CEST,M3.5.7,M10.5.0",
                                          "CET-1CEST,J0,J300",
                                          "CET-1CEST,366,300",
                                          "CET-26",
                                          "CET-1CEST,M3.5.0/168,M10.5.0",
                                          "CET-1CEST,M3.5.0,M10.5.0 ",
                                          "<CET-1",
                                          "<>1",
                                          "CET-1:60",
                                          "CET-1:",
                                          "CET-99999999999999999999"};
        struct zone_rule rule;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
                if (zone_rule_parse(span_of(bad[i]), &rule))
                        fail_msg("taken: %s", bad[i]);
}

/* ---- files ---- */

static void every_cut_and_every_changed_byte_of_a_file_is_refused_or_harmless(void **state)
{
        (void)state;
        zone_free(load("Europe/Berlin"));
        size_t taken = 0;
        for (size_t cut = 0; cut < len; cut++) {
                struct zone *zone = NULL;
                char *copy = malloc(cut ? cut : 1); /* a read beyond its end would be seen */
                memcpy(copy, bytes, cut);
                taken += zone_parse((struct span){copy, cut}, &zone) == 0;
                zone_free(zone);
                free(copy);
        }
        assert_int_equal(0, taken);
        for (size_t i = 0; i < len; i++) {
                struct zone *zone = NULL;
                bytes[i] = (char)(bytes[i] ^ 0x5a);
                if (zone_parse((struct span){bytes, len}, &zone) == 0) {
                        struct zone_stretch at = zone_at(zone, SUMMER_2030);
                        assert_true(at.from_s <= SUMMER_2030 && SUMMER_2030 < at.to_s);
                }
                zone_free(zone);
                bytes[i] = (char)(bytes[i] ^ 0x5a);
        }
}

static void a_file_of_the_first_version_or_with_leap_seconds_is_refused(void **state)
{
        (void)state;
        struct zone *zone = NULL;
        zone_free(load("Asia/Seoul"));
        bytes[4] = '\0';
        assert_int_equal(-EINVAL, zone_parse((struct span){bytes, len}, &zone));
        bytes[4] = '2';
        assert_int_equal(0, zone_parse((struct span){bytes, len}, &zone));
        zone_free(zone);
        char *leap = NULL;
        size_t leap_len = 0;
        assert_int_equal(-ENOENT, zone_file_read(SPAN("right/Asia/Seoul"), &leap, &leap_len));
}

static void a_name_is_never_a_way_out_of_the_folder(void **state)
{
        (void)state;
        static const char *const bad[] = {"",
                                          "/etc/passwd",
                                          "../passwd",
                                          "Europe/../Asia/Seoul",
                                          "Europe//Berlin",
                                          "a/",
                                          "Asia/Seoul\n",
                                          "Asia Seoul",
                                          ".",
                                          "Asia/./Seoul"};
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
                assert_false(zone_name_is_fine(span_of(bad[i])));
        assert_false(zone_name_is_fine((struct span){"Asia\0Seoul", 10}));
        assert_true(zone_name_is_fine(SPAN("America/Argentina/Buenos_Aires")));
        assert_true(zone_name_is_fine(SPAN("Etc/GMT+9")));
        char *none = NULL;
        size_t none_len = 0;
        assert_int_equal(-ENOENT, zone_file_read(SPAN("Europe"), &none, &none_len));
        assert_int_equal(-ENOENT, zone_file_read(SPAN("Europe/Nowhere"), &none, &none_len));
}

static void the_release_of_the_database_is_known_or_said_to_be_unknown(void **state)
{
        (void)state;
        char version[ZONE_VERSION_BYTES] = "";
        setenv("DESKBELL_TEST_ZONEINFO", "/nonexistent", 1);
        zone_file_version(version);
#ifndef NDEBUG
        assert_string_equal("unknown", version);
#endif
        unsetenv("DESKBELL_TEST_ZONEINFO");
        zone_file_version(version);
        assert_true(strlen(version) >= 5);
}

/* ---- local times ---- */

static void a_time_shown_twice_is_the_first_and_one_never_shown_is_moved_on(void **state)
{
        (void)state;
        struct zone *berlin = load("Europe/Berlin");
        const int64_t put_back = INT64_C(1919293200), put_forward = INT64_C(1901149200); /* 2030, 01:00 UTC */
        assert_int_equal(7200, zone_at(berlin, put_back - 1).offset_s);
        assert_int_equal(3600, zone_at(berlin, put_back).offset_s);
        assert_int_equal(put_back - 1800, zone_from_local(berlin, put_back - 1800 + 7200));       /* 02:30 */
        assert_int_equal(put_back + 3600, zone_from_local(berlin, put_back + 3600 + 3600));       /* 03:00 */
        assert_int_equal(put_forward + 1800, zone_from_local(berlin, put_forward + 1800 + 3600)); /* 02:30: 03:30 */
        assert_int_equal(put_forward - 1, zone_from_local(berlin, put_forward - 1 + 3600));
        zone_free(berlin);
}

static void a_day_that_was_left_out_is_left_out(void **state)
{
        (void)state;
        struct zone *apia = load("Pacific/Apia"); /* went over the date line: no 30 December 2011 */
        struct zone_stretch before = zone_at(apia, INT64_C(1325239199));
        assert_int_equal(before.to_s, INT64_C(1325239200));
        assert_int_equal(86400, zone_at(apia, before.to_s).offset_s - before.offset_s);
        zone_free(apia);
}

static void without_a_zone_it_is_utc(void **state)
{
        (void)state;
        assert_int_equal(0, zone_at(NULL, SUMMER_2030).offset_s);
        assert_int_equal(SUMMER_2030, zone_from_local(NULL, SUMMER_2030));
        assert_true(zone_at(NULL, INT64_MAX).to_s > ZONE_SECOND_MAX);
        assert_true(zone_at(NULL, INT64_MIN).from_s == -ZONE_SECOND_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_rule_says_summer_and_winter_on_both_halves_of_the_earth),
                cmocka_unit_test(a_rule_may_have_negative_summer_half_hours_and_hours_beyond_a_day),
                cmocka_unit_test(summer_that_ends_when_it_begins_is_for_ever),
                cmocka_unit_test(a_day_of_the_year_counts_29_february_or_not_as_it_says),
                cmocka_unit_test(a_rule_that_is_not_one_is_refused),
                cmocka_unit_test(every_cut_and_every_changed_byte_of_a_file_is_refused_or_harmless),
                cmocka_unit_test(a_file_of_the_first_version_or_with_leap_seconds_is_refused),
                cmocka_unit_test(a_name_is_never_a_way_out_of_the_folder),
                cmocka_unit_test(the_release_of_the_database_is_known_or_said_to_be_unknown),
                cmocka_unit_test(a_time_shown_twice_is_the_first_and_one_never_shown_is_moved_on),
                cmocka_unit_test(a_day_that_was_left_out_is_left_out),
                cmocka_unit_test(without_a_zone_it_is_utc),
        };
        return cmocka_run_group_tests(tests, NULL, forget);
}
