/* SPDX-License-Identifier: Apache-2.0 */
/* Which passwords are refused, and that what was hashed fits and nothing else does. */
#include "desk/password.h"

#include <stdio.h>

#include "unit/ops/cmocka_all.h"

static void refused(const char *text)
{
        if (!password_fault(span_of(text)))
                fail_msg("'%s' was let through", text);
}

static void allowed(const char *text)
{
        const char *why = password_fault(span_of(text));
        if (why)
                fail_msg("'%s' was refused: %s", text, why);
}

static void short_passwords_are_refused_by_characters_not_bytes(void **state)
{
        (void)state;
        refused("");
        refused("kX9#mQ2$vL7");        /* 11 */
        allowed("kX9#mQ2$vL7!");       /* 12 */
        refused("비밀번호를고르자요"); /* 9 characters of 27 bytes */
        allowed("오늘아침에고등어를구웠다네");
}

static void what_everybody_thinks_of_first_is_refused(void **state)
{
        (void)state;
        static const char *const obvious[] = {
                "password1234", "Password2024!", "P@ssw0rd!!!!",   "passwordpassword", "123456789012", "000000000000",
                "abcdefghijkl", "qwertyuiopas",  "qwertyuiop12",   "1qaz2wsx3edc",     "letmein12345", "welcome12345",
                "admin1234567", "Administrator", "Administrator1", "iloveyou2024",     "changeme1234", "sunshine2023",
                "football1234", "Liverpool2024", "superman1234",   "monkeymonkey",     "dragon123456", "Deskbell2024!",
                "support12345", "!!!password!",  "p455w0rd1234",   "qwertyqwerty",     "asdfghjklasd", "987654321098",
                "aaaaaaaaaaaa", "abcabcabcabc",  "Summer2024!!",   "december2024",     "michael12345", "princess1234",
                "zxcvbnmzxcvb", "trustno12345",  "helloworld12",   "secret123456",     "secretsecret", "companysecret",
        };
        for (size_t i = 0; i < sizeof obvious / sizeof obvious[0]; i++)
                refused(obvious[i]);
}

static void what_nobody_would_guess_first_is_allowed(void **state)
{
        (void)state;
        static const char *const fine[] = {
                "correcthorsebatterystaple",
                "kettle-marble-9-owl",
                "Zu7!qLw0pTn4",
                "the rain fell on tin",
                "vbnqwopxzmtr",
                "my cat eats 3 herrings",
                "92hfk2ls0dk3",
                "ÜbermorgenGibtsSuppe",
                "wq8#Rt!mZx2&",
                "jumbled-otters-sing",
        };
        for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
                allowed(fine[i]);
}

/* Each of the words with what people put around them: several tens of thousands. */
static void the_words_of_the_list_are_refused_however_they_are_dressed(void **state)
{
        (void)state;
        static const char *const some[] = {"password", "qwerty",  "dragon", "princess",
                                           "computer", "welcome", "charlie"};
        static const char *const before[] = {"", "!", "1", "12", "***"}, *const after[] = {"12345678", "2024!!!!",
                                                                                           "!!!!!!!!", "00000000",
                                                                                           "1234567890"};
        for (size_t w = 0; w < sizeof some / sizeof some[0]; w++) {
                for (size_t b = 0; b < sizeof before / sizeof before[0]; b++) {
                        for (size_t a = 0; a < sizeof after / sizeof after[0]; a++) {
                                char text[64];
                                snprintf(text, sizeof text, "%s%s%s", before[b], some[w], after[a]);
                                refused(text);
                                text[strlen(before[b])] ^= 0x20;
                                refused(text);
                        }
                }
        }
}

static void a_hash_fits_its_password_alone_and_tells_nothing_of_it(void **state)
{
        (void)state;
        char first[PASSWORD_ENCODED], second[PASSWORD_ENCODED];
        struct span right = SPAN("kettle-marble-9-owl");
        assert_int_equal(0, password_hash(right, first));
        assert_int_equal(0, password_hash(right, second));
        assert_string_not_equal(first, second); /* a salt of its own */
        assert_non_null(strstr(first, "$argon2id$v=19$m=65536,t=3,p=1$"));
        assert_true(password_fits(first, right));
        assert_false(password_fits(first, SPAN("kettle-marble-9-owk")));
        assert_false(password_fits(first, SPAN("")));
        assert_false(password_fits("nonsense", right));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(short_passwords_are_refused_by_characters_not_bytes),
                cmocka_unit_test(what_everybody_thinks_of_first_is_refused),
                cmocka_unit_test(what_nobody_would_guess_first_is_allowed),
                cmocka_unit_test(the_words_of_the_list_are_refused_however_they_are_dressed),
                cmocka_unit_test(a_hash_fits_its_password_alone_and_tells_nothing_of_it),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
