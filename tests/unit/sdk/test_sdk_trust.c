/* SPDX-License-Identifier: Apache-2.0 */
/* Which certificates are believed: chains made here, of a root, an authority below it and a server, each with a fault
 * of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client-sdk/src/trust.h"
#include "deskbell/deskbell.h"
#include "folder.h"

enum { DAY_S = 86400 };

struct party {
        EVP_PKEY *key;
        X509 *certificate;
};

static char folder[64], ca_path[96];
static struct party root, authority;

static void extend(X509 *certificate, X509 *issuer, int what, const char *value)
{
        X509V3_CTX context;

        X509V3_set_ctx_nodb(&context);
        X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, what, value);
        assert_non_null(extension);
        assert_int_equal(1, X509_add_ext(certificate, extension, -1));
        X509_EXTENSION_free(extension);
}

/* `names` NULL: an authority. Valid from yesterday to `until_s` from now. */
static struct party make(const struct party *issuer, const char *name, const char *names, long until_s)
{
        static long serial = 1;
        struct party made = {EVP_EC_gen("P-256"), X509_new()};
        X509_NAME *subject = X509_get_subject_name(made.certificate);
        const struct party *signer = issuer ? issuer : &made;

        assert_non_null(made.key);
        X509_set_version(made.certificate, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), serial++);
        X509_gmtime_adj(X509_getm_notBefore(made.certificate), -2 * DAY_S);
        X509_gmtime_adj(X509_getm_notAfter(made.certificate), until_s);
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
        X509_set_issuer_name(made.certificate, X509_get_subject_name(signer->certificate));
        X509_set_pubkey(made.certificate, made.key);
        extend(made.certificate, signer->certificate, NID_basic_constraints,
               names ? "critical,CA:FALSE" : "critical,CA:TRUE");
        if (names)
                extend(made.certificate, signer->certificate, NID_subject_alt_name, names);
        assert_true(X509_sign(made.certificate, signer->key, EVP_sha256()) > 0);
        return made;
}

static void drop(struct party *party)
{
        X509_free(party->certificate);
        EVP_PKEY_free(party->key);
        *party = (struct party){0};
}

static int set_up(void **state)
{
        (void)state;
        snprintf(ca_path, sizeof(ca_path), "%s/ca.pem", stage_folder(folder));
        root = make(NULL, "a root", NULL, DAY_S);
        authority = make(&root, "an authority", NULL, DAY_S);
        FILE *file = fopen(ca_path, "w");
        assert_non_null(file);
        assert_int_equal(1, PEM_write_X509(file, root.certificate));
        assert_int_equal(0, fclose(file));
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        drop(&authority);
        drop(&root);
        return 0;
}

static struct trust *trust_of(const char *ca_file, const char *const *pins, size_t count)
{
        struct trust *trust = NULL;

        assert_int_equal(0, trust_new(ca_file, pins, count, &trust));
        return trust;
}

/* As a TLS connection would ask. */
static bool is_believed(struct trust *trust, const struct party *server, const char *host,
                        struct trust_verdict *verdict)
{
        SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
        X509_STORE_CTX *chain = X509_STORE_CTX_new();
        STACK_OF(X509) *given = sk_X509_new_null();

        assert_true(trust_set_up(trust, tls));
        sk_X509_push(given, authority.certificate);
        assert_int_equal(1, X509_STORE_CTX_init(chain, SSL_CTX_get_cert_store(tls), server->certificate, given));
        bool is = trust_verify(trust, chain, host, verdict) == 1;
        sk_X509_free(given);
        X509_STORE_CTX_free(chain);
        SSL_CTX_free(tls);
        return is;
}

static void expect_refusal(const struct party *server, const char *host, const char *reason)
{
        struct trust *trust = trust_of(ca_path, NULL, 0);
        struct trust_verdict verdict;

        assert_false(is_believed(trust, server, host, &verdict));
        assert_false(verdict.is_pin);
        if (!strstr(verdict.reason, reason))
                fail_msg("%s: \"%s\", awaited \"%s\"", host, verdict.reason, reason);
        trust_free(trust);
}

static void a_server_is_believed_under_each_name_of_its_certificate_and_no_other(void **state)
{
        static const char *const good[] = {"shop.example", "SHOP.example", "a.wild.example", "127.0.0.1", "::1"};
        struct party server =
                make(&authority, "shop", "DNS:shop.example,DNS:*.wild.example,DNS:f*.part.example,IP:127.0.0.1,IP:::1",
                     DAY_S);
        struct trust *trust = trust_of(ca_path, NULL, 0);
        struct trust_verdict verdict;

        (void)state;
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
                if (!is_believed(trust, &server, good[i], &verdict))
                        fail_msg("%s: %s", good[i], verdict.reason);
                assert_string_equal("", verdict.reason);
        }
        expect_refusal(&server, "other.example", "hostname mismatch");
        expect_refusal(&server, "shop.example.com", "hostname mismatch");
        expect_refusal(&server, "a.b.wild.example", "hostname mismatch");
        expect_refusal(&server, "full.part.example", "hostname mismatch");
        expect_refusal(&server, "127.0.0.2", "IP address mismatch");
        expect_refusal(&server, "shop", "hostname mismatch"); /* the common name counts for nothing */
        trust_free(trust);
        drop(&server);
}

static void a_certificate_that_is_not_valid_today_is_refused(void **state)
{
        struct party server = make(&authority, "shop", "DNS:shop.example", -DAY_S);

        (void)state;
        expect_refusal(&server, "shop.example", "expired");
        drop(&server);
}

static void who_is_signed_by_nobody_we_know_is_refused(void **state)
{
        struct party stranger = make(NULL, "a root", NULL, DAY_S), /* of the same name */
                server = make(&stranger, "shop", "DNS:shop.example", DAY_S),
                     alone = make(NULL, "alone", "DNS:shop.example", DAY_S);

        (void)state;
        expect_refusal(&server, "shop.example", "");
        expect_refusal(&alone, "shop.example", "self-signed");
        drop(&alone);
        drop(&server);
        drop(&stranger);
}

static void a_server_that_signs_others_is_refused(void **state)
{
        struct party server = make(&authority, "shop", "DNS:shop.example", DAY_S),
                     other = make(&server, "other", "DNS:other.example", DAY_S), real = authority;

        (void)state;
        authority = server; /* the chain that is given */
        expect_refusal(&other, "other.example", "");
        authority = real;
        drop(&other);
        drop(&server);
}

static void roots_that_cannot_be_read_are_none(void **state)
{
        struct party server = make(&authority, "shop", "DNS:shop.example", DAY_S);
        struct trust *trust = trust_of("/nowhere/ca.pem", NULL, 0), *of_system = trust_of(NULL, NULL, 0);
        struct trust_verdict verdict;

        (void)state;
        assert_false(is_believed(trust, &server, "shop.example", &verdict));
        assert_false(is_believed(of_system, &server, "shop.example", &verdict));
        assert_null(trust_free(of_system));
        assert_null(trust_free(trust));
        drop(&server);
}

static char *pin_of(const struct party *party, char out[64])
{
        unsigned char *key = NULL, hash[SHA256_DIGEST_LENGTH];
        int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(party->certificate), &key);

        SHA256(key, (size_t)len, hash);
        OPENSSL_free(key);
        memcpy(out, "sha256/", 7);
        EVP_EncodeBlock((unsigned char *)out + 7, hash, sizeof(hash));
        return out;
}

static void one_pinned_key_of_the_chain_is_enough_and_a_pin_is_no_root(void **state)
{
        struct party server = make(&authority, "shop", "DNS:shop.example", DAY_S), other = make(NULL, "o", NULL, DAY_S);
        char rooms[4][64];
        const char *const pins[] = {pin_of(&other, rooms[0]), pin_of(&server, rooms[1]), pin_of(&authority, rooms[2]),
                                    pin_of(&root, rooms[3])};
        struct trust_verdict verdict;

        (void)state;
        for (int i = 0; i < 4; i++) {
                const char *two[] = {pins[0], pins[i]};
                struct trust *trust = trust_of(ca_path, two, 2);
                assert_int_equal(i > 0, is_believed(trust, &server, "shop.example", &verdict));
                assert_int_equal(i == 0, verdict.is_pin);
                trust_free(trust);
        }
        assert_string_equal("", verdict.reason);
        struct trust *trust = trust_of("/nowhere/ca.pem", pins, 4);
        assert_false(is_believed(trust, &server, "shop.example", &verdict));
        assert_false(verdict.is_pin);
        trust_free(trust);
        drop(&other);
        drop(&server);
}

static void what_is_no_pin_is_refused_at_once(void **state)
{
        static const char good[] = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        static const char *const bad[] = {
                "",
                "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
                "sha1/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
                "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
                "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUx",
                "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSu===",
                "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hS*FU=",
                "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU==",
        };
        const char *many[17];
        struct trust *trust = NULL;

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                const char *two[] = {good, bad[i]};
                if (trust_new(NULL, two, 2, &trust) != DESKBELL_E_INVALID)
                        fail_msg("taken as a pin: %s", bad[i]);
        }
        for (size_t i = 0; i < 17; i++)
                many[i] = good;
        assert_int_equal(DESKBELL_E_INVALID, trust_new(NULL, many, 17, &trust));
        assert_int_equal(DESKBELL_E_INVALID, trust_new(NULL, NULL, 1, &trust));
        many[0] = NULL;
        assert_int_equal(DESKBELL_E_INVALID, trust_new(NULL, many, 1, &trust));
        assert_null(trust);
        assert_null(trust_free(NULL));
}

static void a_context_speaks_tls_1_2_at_least_and_verifies_and_shares_the_roots(void **state)
{
        struct trust *trust = trust_of(ca_path, NULL, 0);
        SSL_CTX *one = SSL_CTX_new(TLS_client_method()), *two = SSL_CTX_new(TLS_client_method());

        (void)state;
        assert_true(trust_set_up(trust, one) && trust_set_up(trust, two));
        assert_int_equal(TLS1_2_VERSION, SSL_CTX_get_min_proto_version(one));
        assert_int_equal(SSL_VERIFY_PEER, SSL_CTX_get_verify_mode(one));
        assert_ptr_equal(SSL_CTX_get_cert_store(one), SSL_CTX_get_cert_store(two));
        SSL_CTX_free(one);
        trust_free(trust); /* the other context still has them */
        assert_non_null(SSL_CTX_get_cert_store(two));
        SSL_CTX_free(two);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_server_is_believed_under_each_name_of_its_certificate_and_no_other),
                cmocka_unit_test(a_certificate_that_is_not_valid_today_is_refused),
                cmocka_unit_test(who_is_signed_by_nobody_we_know_is_refused),
                cmocka_unit_test(a_server_that_signs_others_is_refused),
                cmocka_unit_test(roots_that_cannot_be_read_are_none),
                cmocka_unit_test(one_pinned_key_of_the_chain_is_enough_and_a_pin_is_no_root),
                cmocka_unit_test(what_is_no_pin_is_refused_at_once),
                cmocka_unit_test(a_context_speaks_tls_1_2_at_least_and_verifies_and_shares_the_roots),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
