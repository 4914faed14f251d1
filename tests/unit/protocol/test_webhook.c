/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of webhooks against the vectors that receivers may use too. */
#include <jansson.h>

#include "protocol/webhook.h"
#include "unit/ops/cmocka_all.h"

static const char *text_of(const json_t *vector, const char *name)
{
        return json_string_value(json_object_get(vector, name));
}

static enum webhook_verdict verdict_of(const char *word)
{
        static const char *const words[] = {"good", "malformed", "too_old", "too_new", "bad_signature"};
        for (int i = 0; i < 5; i++)
                if (strcmp(word, words[i]) == 0)
                        return (enum webhook_verdict)i;
        fail_msg("no verdict %s", word);
        return WEBHOOK_GOOD;
}

static json_t *vectors(json_t **out_root)
{
        json_error_t error;
        *out_root = json_load_file(WEBHOOK_VECTORS, 0, &error);
        if (!*out_root)
                fail_msg("%s", error.text);
        return json_object_get(*out_root, "vectors");
}

static void every_vector_gets_its_verdict(void **state)
{
        (void)state;
        json_t *root, *vector, *list = vectors(&root);
        size_t i;
        json_array_foreach(list, i, vector) {
                uint8_t secret[WEBHOOK_SECRET_MAX];
                int len = webhook_secret_read(span_of(text_of(vector, "secret")), secret);
                assert_true(len > 0);
                enum webhook_verdict got = webhook_verify(
                        secret, (size_t)len, span_of(text_of(vector, "id")), span_of(text_of(vector, "timestamp")),
                        span_of(text_of(vector, "signature")), span_of(text_of(vector, "body")),
                        json_integer_value(json_object_get(vector, "now")));
                if (got != verdict_of(text_of(vector, "verdict")))
                        fail_msg("%s: %s", text_of(vector, "name"), webhook_verdict_text(got));
        }
        assert_true(i > 15);
        json_decref(root);
}

/* The example in the documents of others who sign the same way; its secret is shorter than ours may be. */
static void signing_makes_the_published_signature(void **state)
{
        (void)state;
        static const uint8_t secret[] = {0xa6, 0x52, 0x77, 0x9e, 0x6c, 0x82, 0x0c, 0x60, 0x4a,
                                         0x22, 0x76, 0xaf, 0x74, 0xe2, 0xb5, 0xe6, 0x3b, 0x25};
        static const char expected[] = "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=";
        char signature[WEBHOOK_SIGNATURE_BYTES];
        assert_int_equal(sizeof expected - 1, WEBHOOK_SIGNATURE_BYTES);
        assert_int_equal(webhook_sign(secret, sizeof secret, SPAN("msg_loFOjxBNrRLzqYUf"), 1731705121,
                                      SPAN("{\"event_type\":\"ping\",\"data\":{\"success\":true}}"), signature),
                         0);
        assert_memory_equal(signature, expected, WEBHOOK_SIGNATURE_BYTES);
}

static void a_secret_has_one_form_and_enough_bytes(void **state)
{
        (void)state;
        static const char *const bad[] = {
                "",
                "whsec_",
                "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La",         /* 21 bytes */
                "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",      /* not whole */
                "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_",     /* of base64url */
                "whsec_ MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",     /* white space */
                "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAB==", /* bits behind the last byte */
        };
        uint8_t secret[WEBHOOK_SECRET_MAX];
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
                if (webhook_secret_read(span_of(bad[i]), secret) != -1)
                        fail_msg("taken: %s", bad[i]);
        assert_int_equal(webhook_secret_read(SPAN("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAA=="), secret), 25);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_vector_gets_its_verdict),
                cmocka_unit_test(signing_makes_the_published_signature),
                cmocka_unit_test(a_secret_has_one_form_and_enough_bytes),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
