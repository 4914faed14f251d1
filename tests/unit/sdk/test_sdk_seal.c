/* SPDX-License-Identifier: Apache-2.0 */
/* Seal: keys and values as they have to be, and everything that is not as it was sealed refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client-sdk/src/seal.h"

#define PLACE SPAN("entry.body\x01\x02\x03")

enum { CHUNK = 65536, FILE_BYTES = 3 * CHUNK + 77 };

static const uint8_t key[SEAL_KEY_BYTES] = "the key of the application......";
static const uint8_t other_key[SEAL_KEY_BYTES] = "another key of the application..";

static void from_hex(const char *hex, uint8_t *out)
{
        for (unsigned byte; sscanf(hex, "%2x", &byte) == 1; hex += 2)
                *out++ = (uint8_t)byte;
}

static void the_derivation_is_that_of_rfc_5869(void **state)
{
        uint8_t secret[22], salt[13], wanted[32], made[32];

        (void)state;
        memset(secret, 0x0b, sizeof(secret));
        from_hex("000102030405060708090a0b0c", salt);
        /* Test case 1, whose info is the bytes f0 to f9; its first 32 bytes. */
        from_hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf", wanted);
        assert_int_equal(0, seal_derive(secret, sizeof(secret), (struct span){(char *)salt, sizeof(salt)},
                                        "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9", made));
        assert_memory_equal(wanted, made, sizeof(made));
}

/* What anybody can do who has the data key: AES-256-GCM, written out here once more. */
static void open_by_hand(const uint8_t *values_key, struct span bound, const uint8_t *box, size_t len, uint8_t *out)
{
        EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
        uint8_t tag[16];
        int got;

        memcpy(tag, box + 12 + len, sizeof(tag));
        assert_int_equal(1, EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, values_key, box));
        assert_int_equal(1, EVP_DecryptUpdate(cipher, NULL, &got, (const uint8_t *)bound.at, (int)bound.len));
        assert_int_equal(1, EVP_DecryptUpdate(cipher, out, &got, box + 12, (int)len));
        assert_int_equal(1, EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, sizeof(tag), tag));
        assert_int_equal(1, EVP_DecryptFinal_ex(cipher, out + len, &got));
        EVP_CIPHER_CTX_free(cipher);
}

static void a_wrapped_key_and_a_value_are_what_the_decision_record_says(void **state)
{
        uint8_t wrapped[SEAL_WRAPPED_BYTES], wrap_key[32], values_key[32], data_key[32], sealed[64], plain[6] = "";
        struct seal *seal = seal_new();

        (void)state;
        assert_int_equal(0, seal_wrap(seal, key, wrapped));
        assert_int_equal(0, seal_derive(key, 32, (struct span){(char *)wrapped + 1, 16}, "deskbell wrap 1", wrap_key));
        open_by_hand(wrap_key, (struct span){(char *)wrapped, 17}, wrapped + 17, 32, data_key);
        assert_int_equal(0, seal_derive(data_key, 32, (struct span){0}, "deskbell values 1", values_key));
        assert_int_equal(0, seal_close(seal, SPAN("here"), 7, SPAN("Hello"), sealed));
        open_by_hand(values_key, SPAN("\x07here"), sealed + 1, 5, plain);
        assert_string_equal("Hello", (char *)plain);
        seal_free(seal);
}

static void a_value_comes_back_as_it_was_whatever_its_length(void **state)
{
        struct seal *seal = seal_new();
        uint8_t plain[300], sealed[300 + SEAL_EXTRA_BYTES], back[300], form;

        (void)state;
        for (size_t i = 0; i < sizeof(plain); i++)
                plain[i] = (uint8_t)i;
        for (size_t len = 0; len <= sizeof(plain); len++) {
                form = 0;
                assert_int_equal(0, seal_close(seal, PLACE, 2, (struct span){(char *)plain, len}, sealed));
                assert_int_equal(
                        0, seal_open(seal, PLACE, (struct span){(char *)sealed, len + SEAL_EXTRA_BYTES}, &form, back));
                assert_int_equal(2, form);
                assert_memory_equal(plain, back, len);
        }
        seal_free(seal);
}

static void the_same_value_is_sealed_otherwise_each_time(void **state)
{
        enum { TIMES = 1000, LEN = 5 + SEAL_EXTRA_BYTES };
        static uint8_t sealed[TIMES][LEN];
        struct seal *seal = seal_new();

        (void)state;
        for (int i = 0; i < TIMES; i++) {
                assert_int_equal(0, seal_close(seal, PLACE, 1, SPAN("Hello"), sealed[i]));
                for (int k = 0; k < i; k++)
                        assert_memory_not_equal(sealed[k] + 1, sealed[i] + 1, 12);
        }
        seal_free(seal);
}

static void a_value_with_any_bit_changed_or_cut_anywhere_is_refused(void **state)
{
        enum { LEN = 5 + SEAL_EXTRA_BYTES };
        struct seal *seal = seal_new();
        uint8_t sealed[LEN], back[LEN], form;
        const struct span whole = {(char *)sealed, LEN};

        (void)state;
        assert_int_equal(0, seal_close(seal, PLACE, 1, SPAN("Hello"), sealed));
        for (int bit = 0; bit < 8 * LEN; bit++) {
                sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
                assert_int_equal(SEAL_REFUSED, seal_open(seal, PLACE, whole, &form, back));
                sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t len = 0; len < LEN; len++)
                assert_int_equal(SEAL_REFUSED, seal_open(seal, PLACE, (struct span){(char *)sealed, len}, &form, back));
        assert_int_equal(0, seal_open(seal, PLACE, whole, &form, back));
        seal_free(seal);
}

static void a_value_of_another_place_or_store_is_refused(void **state)
{
        enum { LEN = 5 + SEAL_EXTRA_BYTES };
        struct seal *seal = seal_new(), *other = seal_new();
        uint8_t sealed[LEN], back[LEN], form;
        const struct span whole = {(char *)sealed, LEN};

        (void)state;
        assert_int_equal(0, seal_close(seal, PLACE, 1, SPAN("Hello"), sealed));
        assert_int_equal(SEAL_REFUSED, seal_open(seal, SPAN("entry.body\x01\x02\x04"), whole, &form, back));
        assert_int_equal(SEAL_REFUSED, seal_open(seal, SPAN("entry.body\x01\x02"), whole, &form, back));
        assert_int_equal(SEAL_REFUSED, seal_open(other, PLACE, whole, &form, back));
        seal_free(seal);
        seal_free(other);
}

static void a_wrong_key_is_told_from_a_damaged_one(void **state)
{
        struct seal *seal = seal_new(), *back = NULL;
        uint8_t wrapped[SEAL_WRAPPED_BYTES];

        (void)state;
        assert_int_equal(0, seal_wrap(seal, key, wrapped));
        assert_int_equal(SEAL_REFUSED, seal_unwrap(other_key, wrapped, &back));
        for (size_t i = 0; i < sizeof(wrapped); i++) {
                wrapped[i] ^= 0x40;
                assert_int_equal(SEAL_BROKEN, seal_unwrap(key, wrapped, &back));
                wrapped[i] ^= 0x40;
        }
        assert_null(back);
        assert_int_equal(0, seal_unwrap(key, wrapped, &back));
        seal_free(back);
        seal_free(seal);
}

static void values_open_after_the_application_has_changed_its_key(void **state)
{
        struct seal *seal = seal_new(), *back = NULL;
        uint8_t wrapped[SEAL_WRAPPED_BYTES], sealed[5 + SEAL_EXTRA_BYTES], plain[5], form;

        (void)state;
        assert_int_equal(0, seal_close(seal, PLACE, 1, SPAN("Hello"), sealed));
        assert_int_equal(0, seal_wrap(seal, other_key, wrapped));
        seal_free(seal);
        assert_int_equal(0, seal_unwrap(other_key, wrapped, &back));
        assert_int_equal(0, seal_open(back, PLACE, (struct span){(char *)sealed, sizeof(sealed)}, &form, plain));
        assert_memory_equal("Hello", plain, 5);
        seal_free(back);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static uint8_t content[FILE_BYTES], piece[FILE_BYTES];

static int sealed_file(uint8_t secret[SEAL_KEY_BYTES])
{
        char path[] = "/tmp/deskbell-seal-XXXXXX";
        int fd = mkstemp(path);

        assert_true(fd >= 0);
        unlink(path);
        for (size_t i = 0; i < FILE_BYTES; i++)
                content[i] = (uint8_t)(i * 2654435761U >> 11);
        assert_int_equal(0, seal_file_key(secret));
        assert_int_equal(0, seal_file_write(fd, secret, content, FILE_BYTES));
        return fd;
}

static void any_piece_of_a_file_can_be_read(void **state)
{
        static const int64_t offsets[] = {0, 1, CHUNK - 1, CHUNK, 2 * CHUNK + 5, FILE_BYTES - 1};
        uint8_t secret[SEAL_KEY_BYTES];
        int fd = sealed_file(secret);

        (void)state;
        assert_int_equal(seal_file_size(FILE_BYTES), lseek(fd, 0, SEEK_END));
        for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
                for (size_t k = 0; k < sizeof(offsets) / sizeof(offsets[0]); k++) {
                        size_t len = (size_t)offsets[k] + 1;
                        if (offsets[i] + (int64_t)len > FILE_BYTES)
                                continue;
                        assert_int_equal(0, seal_file_read(fd, secret, 0, FILE_BYTES, offsets[i], piece, len));
                        assert_memory_equal(content + offsets[i], piece, len);
                }
        close(fd);
}

static void nothing_of_a_file_is_readable_as_it_lies(void **state)
{
        uint8_t secret[SEAL_KEY_BYTES];
        int fd = sealed_file(secret);
        static uint8_t raw[FILE_BYTES + 4096];
        ssize_t len = pread(fd, raw, sizeof(raw), 0);

        (void)state;
        assert_int_equal(seal_file_size(FILE_BYTES), len);
        for (size_t at = 0; at + 16 < FILE_BYTES; at += 997)
                assert_null(memmem(raw, (size_t)len, content + at, 16));
        close(fd);
}

static void change(int fd, int64_t at, uint8_t with)
{
        uint8_t byte;

        assert_int_equal(1, pread(fd, &byte, 1, at));
        byte ^= with;
        assert_int_equal(1, pwrite(fd, &byte, 1, at));
}

static void a_file_with_a_byte_changed_is_refused_where_it_was_changed(void **state)
{
        uint8_t secret[SEAL_KEY_BYTES];
        int fd = sealed_file(secret);

        (void)state;
        for (int64_t at = 0; at < seal_file_size(FILE_BYTES); at += 4999) {
                int64_t chunk = at / (CHUNK + 16), other = chunk ? 0 : 1;
                change(fd, at, 0x10);
                assert_int_equal(SEAL_REFUSED, seal_file_read(fd, secret, 0, FILE_BYTES, chunk * CHUNK, piece, 1));
                assert_int_equal(0, seal_file_read(fd, secret, 0, FILE_BYTES, other * CHUNK, piece, 1));
                change(fd, at, 0x10);
        }
        close(fd);
}

static void chunks_that_are_exchanged_or_left_out_are_refused(void **state)
{
        static uint8_t first[CHUNK + 16], second[CHUNK + 16];
        uint8_t secret[SEAL_KEY_BYTES];
        int fd = sealed_file(secret);

        (void)state;
        assert_int_equal(sizeof(first), pread(fd, first, sizeof(first), 0));
        assert_int_equal(sizeof(second), pread(fd, second, sizeof(second), sizeof(first)));
        assert_int_equal(sizeof(second), pwrite(fd, second, sizeof(second), 0));
        assert_int_equal(sizeof(first), pwrite(fd, first, sizeof(first), sizeof(first)));
        assert_int_equal(SEAL_REFUSED, seal_file_read(fd, secret, 0, FILE_BYTES, 0, piece, 1));
        assert_int_equal(SEAL_REFUSED, seal_file_read(fd, secret, 0, FILE_BYTES, CHUNK, piece, 1));
        /* Cut at the end of a chunk it is no whole file of that length either. */
        assert_int_equal(SEAL_REFUSED, seal_file_read(fd, secret, 0, 3 * CHUNK, 2 * CHUNK, piece, 1));
        assert_int_equal(0, ftruncate(fd, 3 * (CHUNK + 16)));
        assert_int_equal(SEAL_BROKEN, seal_file_read(fd, secret, 0, FILE_BYTES, 3 * CHUNK, piece, 1));
        close(fd);
}

static void a_file_set_aside_says_how_long_it_was_to_who_has_the_key(void **state)
{
        uint8_t head[SEAL_ASIDE_BYTES], made[SEAL_KEY_BYTES], back[SEAL_KEY_BYTES], wrong[SEAL_KEY_BYTES];
        int64_t size = 0;

        (void)state;
        assert_int_equal(0, seal_aside_begin(key, 12345678901, head, made));
        assert_true(seal_aside_look(key, head, &size, back));
        assert_true(size == 12345678901);
        assert_memory_equal(made, back, sizeof(made));
        assert_true(seal_aside_look(other_key, head, &size, wrong));
        assert_memory_not_equal(made, wrong, sizeof(made));
        head[3] ^= 1;
        assert_false(seal_aside_look(key, head, &size, back));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_derivation_is_that_of_rfc_5869),
                cmocka_unit_test(a_wrapped_key_and_a_value_are_what_the_decision_record_says),
                cmocka_unit_test(a_value_comes_back_as_it_was_whatever_its_length),
                cmocka_unit_test(the_same_value_is_sealed_otherwise_each_time),
                cmocka_unit_test(a_value_with_any_bit_changed_or_cut_anywhere_is_refused),
                cmocka_unit_test(a_value_of_another_place_or_store_is_refused),
                cmocka_unit_test(a_wrong_key_is_told_from_a_damaged_one),
                cmocka_unit_test(values_open_after_the_application_has_changed_its_key),
                cmocka_unit_test(any_piece_of_a_file_can_be_read),
                cmocka_unit_test(nothing_of_a_file_is_readable_as_it_lies),
                cmocka_unit_test(a_file_with_a_byte_changed_is_refused_where_it_was_changed),
                cmocka_unit_test(chunks_that_are_exchanged_or_left_out_are_refused),
                cmocka_unit_test(a_file_set_aside_says_how_long_it_was_to_who_has_the_key),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
