/* SPDX-License-Identifier: Apache-2.0 */
/* What a file is, by its bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "files/media.h"

struct sample {
        const char *media;
        uint32_t width, height;
        struct span bytes;
};

#define BYTES(literal)                                                                                                 \
        {                                                                                                              \
                literal, sizeof(literal) - 1                                                                           \
        }

static const struct sample images[] = {
        {"image/png", 640, 480, BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x02\0\0\0crc!")},
        {"image/gif", 300, 2, BYTES("GIF89a\x2c\x01\x02\0\x80\0\0")},
        {"image/gif", 1, 65535, BYTES("GIF87a\x01\0\xff\xff\0\0\0")},
        {"image/jpeg", 513, 257,
         BYTES("\xff\xd8\xff\xe0\0\x04JF\xff\xff\xc4\0\x03x\xff\xc2\0\x0b\x08\x01\x01\x02\x01\x01\0\0\0")},
        {"image/webp", 400, 301, BYTES("RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a\x90\x41\x2d\x81\0\0")},
        {"image/webp", 386, 395, BYTES("RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\x81\x81\x62\0\0\0\0\0\0\0")},
        {"image/webp", 1000, 70, BYTES("RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\xe7\x03\0\x45\0\0")},
};

static struct media_facts look(struct span bytes, const char *said)
{
        char *exact = malloc(bytes.len ? bytes.len : 1); /* so that a read behind the end is seen */
        assert_non_null(exact);
        memcpy(exact, bytes.at ? bytes.at : "", bytes.len);
        struct media_facts facts = media_look((struct span){exact, bytes.len}, span_of(said));
        free(exact);
        return facts;
}

static void four_kinds_of_images_are_known_by_their_bytes_whatever_is_said(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
                struct media_facts facts = look(images[i].bytes, "text/html");
                assert_string_equal(images[i].media, facts.media);
                assert_int_equal(images[i].width, facts.width);
                assert_int_equal(images[i].height, facts.height);
                assert_true(media_is_inline(span_of(facts.media)));
        }
}

static void an_image_whose_header_is_cut_or_makes_no_sense_is_none(void **state)
{
        static const struct span bad[] = {
                BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0\0\0\x01\xe0\x08\x02\0\0\0crc!"),
                BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x01\0\0\0\0\0\x01\x08\x02\0\0\0crc!"),
                BYTES("\x89PNG\r\n\x1a\n\0\0\0\x0eIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0crc!"),
                BYTES("GIF89a\0\0\x02\0\x80\0\0"),
                BYTES("GIF88a\x01\0\x02\0\x80\0\0"),
                BYTES("\xff\xd8\xff\xda\0\x0b"),
                BYTES("\xff\xd8\xff\xe0\0\x01xx"),
                BYTES("\xff\xd8\xff\xe0\0\x04JFxxxx"),
                BYTES("\xff\xd8\xff\xc0\0\x0b\x08\0\0\x02\x01\x01\0\0\0"),
                BYTES("\xff\xd8\xff\xc0\0\x05\x08\0\0\x02\x01\x01"),
                BYTES("RIFF\0\0\0\0WEBPVP9 \0\0\0\0\0\0\0\x9d\x01\x2a\x90\x41\x2d\x81\0\0"),
                BYTES("RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\xff\xff\xff\x45\0\0"),
                BYTES("<svg onload=x>"),
                BYTES(""),
        };
        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
                assert_string_equal("application/octet-stream", look(bad[i], "image/png").media);
        for (size_t i = 0; i < sizeof images / sizeof *images; i++)
                for (size_t len = 0; len < images[i].bytes.len; len++) {
                        struct media_facts facts = look((struct span){images[i].bytes.at, len}, "image/png");
                        bool is_sane = facts.width == 0 || facts.width == images[i].width;
                        assert_true(is_sane && (facts.width == 0) == (facts.height == 0));
                }
}

static void a_jpeg_whose_frame_lies_far_behind_has_no_size_yet(void **state)
{
        (void)state;
        struct media_facts facts = look((struct span)BYTES("\xff\xd8\xff\xe1\xff\xff"
                                                           "Exif"),
                                        "image/jpeg");
        assert_string_equal("image/jpeg", facts.media);
        assert_int_equal(0, facts.width);
}

static void changed_headers_never_read_beyond_and_never_claim_too_much(void **state)
{
        (void)state;
        uint32_t seed = 7;
        for (int round = 0; round < 200000; round++) {
                char bytes[64];
                const struct sample *sample = &images[(size_t)round % (sizeof images / sizeof *images)];
                memcpy(bytes, sample->bytes.at, sample->bytes.len);
                for (int i = 0; i < 1 + round % 4; i++) {
                        seed = seed * 1664525 + 1013904223;
                        bytes[(seed >> 8) % sample->bytes.len] = (char)(seed >> 24);
                }
                size_t len = (size_t)round % 3 == 0 ? (seed >> 5) % (sample->bytes.len + 1) : sample->bytes.len;
                struct media_facts facts = look((struct span){bytes, len}, "image/png");
                assert_true(facts.width <= 65535 && facts.height <= 65535);
                assert_true(media_is_inline(span_of(facts.media)) || (facts.width == 0 && facts.height == 0));
        }
}

static void what_is_said_counts_only_from_the_list_of_safe_types(void **state)
{
        static const char *const unsafe[] = {
                "text/html", "image/svg+xml",  "application/xhtml+xml", "text/xml", "text/javascript", "image/png", "",
                "text",      "TEXT/HTML; x=1", "application/pdfx"};
        (void)state;
        assert_string_equal("application/pdf", look((struct span)BYTES("%PDF"), "application/pdf").media);
        assert_string_equal("text/plain", look((struct span)BYTES("hi"), "Text/Plain; charset=utf-8").media);
        assert_string_equal("video/mp4", look((struct span)BYTES("x"), "video/mp4").media);
        for (size_t i = 0; i < sizeof unsafe / sizeof *unsafe; i++)
                assert_string_equal("application/octet-stream", look((struct span)BYTES("x"), unsafe[i]).media);
        assert_false(media_is_inline(SPAN("application/pdf")));
        assert_false(media_is_inline(SPAN("image/svg+xml")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(four_kinds_of_images_are_known_by_their_bytes_whatever_is_said),
                cmocka_unit_test(an_image_whose_header_is_cut_or_makes_no_sense_is_none),
                cmocka_unit_test(a_jpeg_whose_frame_lies_far_behind_has_no_size_yet),
                cmocka_unit_test(changed_headers_never_read_beyond_and_never_claim_too_much),
                cmocka_unit_test(what_is_said_counts_only_from_the_list_of_safe_types),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
