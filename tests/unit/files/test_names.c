/* SPDX-License-Identifier: Apache-2.0 */
/* A stranger's name of a file, in a header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "files/disposition.h"

static void a_name_is_written_so_that_only_its_letters_are_left(void **state)
{
        static const char *const cases[][2] = {
                {"photo.png", "photo.png"},
                {"a b.txt", "a%20b.txt"},
                {"\xe6\x97\xa5.png", "%E6%97%A5.png"},
                {"../../etc/passwd", "_._.._etc_passwd"},
                {"C:\\x.txt", "C__x.txt"},
                {".htaccess", "_htaccess"},
                {"a\"b;c=d", "a%22b%3Bc%3Dd"},
                {"a\r\nSet-Cookie: x", "a__Set-Cookie_%20x"},
                {"a%0d%0ab", "a%250d%250ab"},
                {"\xe2\x80\xae"
                 "cod.exe",
                 "_cod.exe"},
                {"\xe2\x81\xa6x\xe2\x81\xa9", "_x_"},
                {"\xff\xfe", "__"},
                {"\xe6\x97", "__"},
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                char out[DISPOSITION_ROOM], expected[256] = "attachment; filename*=UTF-8''";
                strcat(expected, cases[i][1]);
                assert_int_equal(strlen(expected), disposition_write(out, span_of(cases[i][0]), false));
                assert_string_equal(expected, out);
        }
}

static void the_longest_names_fit_and_are_cut_between_characters(void **state)
{
        char name[4096], out[DISPOSITION_ROOM];
        (void)state;
        for (size_t i = 0; i < sizeof name; i += 4)
                memcpy(name + i, "\xf0\x9f\x98\x80", 4);
        size_t len = disposition_write(out, (struct span){name, 4 * 255}, true);
        assert_int_equal(strlen("inline; filename*=UTF-8''") + 255 * 12, len);
        len = disposition_write(out, (struct span){name, sizeof name}, true);
        assert_true(len < DISPOSITION_ROOM && (len - strlen("inline; filename*=UTF-8''")) % 12 == 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_name_is_written_so_that_only_its_letters_are_left),
                cmocka_unit_test(the_longest_names_fit_and_are_cut_between_characters),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
