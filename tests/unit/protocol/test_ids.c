/* SPDX-License-Identifier: Apache-2.0 */
/* Ids, principals and client message ids as texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/ids.h"

static void an_id_has_one_text(void **state)
{
        static const uint64_t ids[] = {1, 31, 32, 0x0123456789abcdef, UINT64_MAX, UINT64_C(1) << 63};
        char text[ID_TEXT_BYTES];
        uint64_t back;

        (void)state;
        for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
                id_write(text, "cnv", ids[i]);
                assert_memory_equal("cnv_", text, 4);
                assert_int_equal(0, id_read((struct span){text, sizeof(text)}, "cnv", &back));
                assert_true(back == ids[i]);
        }
        id_write(text, "tkt", 32);
        assert_memory_equal("tkt_0000000000010", text, sizeof(text));
}

static void every_other_text_is_no_id(void **state)
{
        static const char *const texts[] = {
                "",
                "cnv",
                "cnv_",
                "cnv_000000000001",   /* 12 digits */
                "cnv_00000000000011", /* 14 */
                "usr_0000000000001",
                "CNV_0000000000001",
                "cnv-0000000000001",
                "cnv_0000000000000", /* zero */
                "cnv_000000000000O",
                "cnv_000000000000o",
                "cnv_000000000000i",
                "cnv_000000000000l",
                "cnv_000000000000u",
                "cnv_000000000000A", /* not canonical */
                "cnv_g000000000001", /* 65 bits */
                "cnv_000000000000 ",
                "cnv_000000000000\xc3",
        };
        uint64_t id;

        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
                assert_int_equal(-1, id_read(span_of(texts[i]), "cnv", &id));
        assert_int_equal(0, id_read(SPAN("cnv_fzzzzzzzzzzzz"), "cnv", &id));
        assert_true(id == UINT64_MAX);
}

static void an_id_holds_its_time_and_sorts_by_it(void **state)
{
        uint64_t now = UINT64_C(1790000000123);
        uint64_t early = id_make(now, 0xffffffff), late = id_make(now + 1, 0);

        (void)state;
        assert_true(early >> 22 == now);
        assert_true(early < late);
        assert_true(id_make(0, 0) != 0);
        assert_true(id_make((UINT64_C(1) << 42) - 1, 0xffffffff) == UINT64_MAX);
}

static void a_principal_tells_its_role(void **state)
{
        static const struct principal_id all[] = {
                {ROLE_CUSTOMER, 5}, {ROLE_AGENT, 6},  {ROLE_BOT, 7},      {ROLE_APP, 8},
                {ROLE_SYSTEM, 0},   {ROLE_ERASED, 0}, {ROLE_OPERATOR, 0},
        };
        char text[ID_TEXT_BYTES];
        struct principal_id back;

        (void)state;
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
                size_t len = principal_write(text, all[i]);

                assert_int_equal(0, principal_read((struct span){text, len}, &back));
                assert_int_equal(all[i].role, back.role);
                assert_true(all[i].id == back.id);
        }
        assert_int_equal(4, principal_write(text, (struct principal_id){ROLE_ERASED, 0}));
        assert_memory_equal("gone", text, 4);
        assert_int_equal(0, principal_write(text, (struct principal_id){ROLE_NONE, 0}));
}

static void other_words_are_no_principal(void **state)
{
        static const char *const texts[] = {
                "", "usr", "sy", "syss", "gone ", "SYS", "cnv_0000000000001", "usr_0000000000000"};
        struct principal_id who;

        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
                assert_int_equal(-1, principal_read(span_of(texts[i]), &who));
}

static void a_cmid_is_32_lower_case_digits(void **state)
{
        struct cmid cmid, back;
        char text[CMID_TEXT_BYTES];

        (void)state;
        assert_int_equal(0, cmid_read(SPAN("0123456789abcdef0123456789abcdef"), &cmid));
        assert_int_equal(0x01, cmid.bytes[0]);
        assert_int_equal(0xef, cmid.bytes[15]);
        cmid_write(text, &cmid);
        assert_int_equal(0, cmid_read((struct span){text, sizeof(text)}, &back));
        assert_memory_equal(&cmid, &back, sizeof(cmid));
        assert_int_equal(-1, cmid_read(SPAN("0123456789ABCDEF0123456789abcdef"), &back));
        assert_int_equal(-1, cmid_read(SPAN("0123456789abcdef0123456789abcde"), &back));
        assert_int_equal(-1, cmid_read(SPAN("0123456789abcdef0123456789abcdef0"), &back));
        assert_int_equal(-1, cmid_read(SPAN("0123456789abcdef0123456789abcdeg"), &back));
        assert_int_equal(-1, cmid_read(SPAN("00000000000000000000000000000000"), &back));
}

static void cmids_of_one_device_sort_by_time(void **state)
{
        uint8_t low[10] = {0}, high[10];
        struct cmid before, after;

        (void)state;
        memset(high, 0xff, sizeof(high));
        before = cmid_make(UINT64_C(1790000000123), high);
        after = cmid_make(UINT64_C(1790000000124), low);
        assert_true(memcmp(&before, &after, sizeof(before)) < 0);
        assert_int_equal(0x7f, before.bytes[6]); /* version 7 */
        assert_int_equal(0xbf, before.bytes[8]); /* variant */
        assert_int_equal(0x70, after.bytes[6]);
        assert_int_equal(0x80, after.bytes[8]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_id_has_one_text),
                cmocka_unit_test(every_other_text_is_no_id),
                cmocka_unit_test(an_id_holds_its_time_and_sorts_by_it),
                cmocka_unit_test(a_principal_tells_its_role),
                cmocka_unit_test(other_words_are_no_principal),
                cmocka_unit_test(a_cmid_is_32_lower_case_digits),
                cmocka_unit_test(cmids_of_one_device_sort_by_time),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
