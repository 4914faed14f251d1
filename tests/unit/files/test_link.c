/* SPDX-License-Identifier: Apache-2.0 */
/* Links: good for one file, one principal and a while, under one key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "files/link.h"

static const uint8_t key[LINK_KEY_BYTES] = "a key of thirty-two bytes, it is";
static const uint8_t file[FILE_ID_BYTES] = "sixteen bytes id";
static const struct principal_id ann = {ROLE_CUSTOMER, 0x123456789abcd};
enum { EXPIRY = 1000000 };

static size_t make(char out[LINK_TEXT])
{
        size_t len = link_write(out, key, file, EXPIRY, ann);
        assert_true(len > 0 && len < LINK_TEXT && strlen(out) == len);
        return len;
}

static void what_was_written_is_read_and_good_until_it_expires(void **state)
{
        char text[LINK_TEXT];
        struct file_link link;
        (void)state;
        make(text);
        assert_int_equal(0, link_read(span_of(text), &link));
        assert_memory_equal(file, link.file, sizeof file);
        assert_int_equal(EXPIRY, link.expires_ms);
        assert_true(link.who.role == ann.role && link.who.id == ann.id);
        assert_true(link_is_good(&link, key, EXPIRY - 1));
        assert_false(link_is_good(&link, key, EXPIRY));
}

static void another_key_file_time_or_person_is_another_link(void **state)
{
        char text[LINK_TEXT];
        struct file_link link, other;
        uint8_t other_key[LINK_KEY_BYTES];
        (void)state;
        make(text);
        assert_int_equal(0, link_read(span_of(text), &link));
        memcpy(other_key, key, sizeof key);
        other_key[31] ^= 1;
        assert_false(link_is_good(&link, other_key, 0));
        other = link;
        other.file[15] ^= 1;
        assert_false(link_is_good(&other, key, 0));
        other = link;
        other.expires_ms++;
        assert_false(link_is_good(&other, key, 0));
        other = link;
        other.who.id++;
        assert_false(link_is_good(&other, key, 0));
        other = link;
        other.who.role = ROLE_AGENT;
        assert_false(link_is_good(&other, key, 0));
        for (size_t i = 0; i < LINK_MAC_BYTES; i++) {
                other = link;
                other.mac[i] ^= 0x80;
                assert_false(link_is_good(&other, key, 0));
        }
}

static void every_changed_character_is_refused_and_every_cut_too(void **state)
{
        char text[LINK_TEXT];
        struct file_link link;
        (void)state;
        size_t len = make(text);
        for (size_t i = 0; i < len; i++) {
                char changed[LINK_TEXT];
                memcpy(changed, text, len + 1);
                changed[i] = changed[i] == '1' ? '2' : '1';
                bool is_read = link_read(span_of(changed), &link) == 0;
                assert_false(is_read && link_is_good(&link, key, 0));
                assert_int_equal(-1, link_read((struct span){text, i}, &link));
        }
        strcat(text, "0");
        assert_int_equal(-1, link_read(span_of(text), &link));
}

static void a_name_of_a_file_is_32_lower_case_digits_and_nothing_else(void **state)
{
        uint8_t id[FILE_ID_BYTES];
        char text[FILE_ID_TEXT];
        (void)state;
        file_id_write(text, file);
        assert_int_equal(0, file_id_read((struct span){text, FILE_ID_TEXT}, id));
        assert_memory_equal(file, id, sizeof id);
        assert_int_equal(-1, file_id_read((struct span){text, FILE_ID_TEXT - 1}, id));
        assert_int_equal(-1, file_id_read(SPAN("0123456789ABCDEF0123456789abcdef"), id));
        assert_int_equal(-1, file_id_read(SPAN("../../../../../../etc/passwd0000"), id));
        assert_int_equal(-1, file_id_read(SPAN("0123456789abcdef0123456789abcdef0"), id));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_was_written_is_read_and_good_until_it_expires),
                cmocka_unit_test(another_key_file_time_or_person_is_another_link),
                cmocka_unit_test(every_changed_character_is_refused_and_every_cut_too),
                cmocka_unit_test(a_name_of_a_file_is_32_lower_case_digits_and_nothing_else),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
