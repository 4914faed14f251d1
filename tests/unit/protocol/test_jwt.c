/* SPDX-License-Identifier: Apache-2.0 */
/* User tokens: what is accepted, and cases 1 to 9 of the threat model, each with every algorithm where it can matter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include "base64url.h"
#include "jwt_private.h"
#include "keys.h"

enum { NOW = 1790000000, DAY = 24 * 3600 };

static const char secret_text[] = "0123456789abcdef0123456789abcdef";
static const char app[] = "app_0000000000001";
static struct pair pairs[JWT_EDDSA + 1]; /* made once: RSA keys are slow to find */
static struct jwt_key *keys[JWT_EDDSA + 1];
static const char *const names[] = {"", "HS256", "RS256", "ES256", "EdDSA"};

static struct span secret(void)
{
        return span_of(secret_text);
}

static int make_keys(void **state)
{
        (void)state;
        keys[JWT_HS256] = jwt_key_new(JWT_HS256, secret());
        for (int alg = JWT_RS256; alg <= JWT_EDDSA; alg++) {
                pairs[alg] = pair_make((enum jwt_alg)alg);
                keys[alg] = jwt_key_new((enum jwt_alg)alg, span_of(pairs[alg].pem));
        }
        return 0;
}

static int drop_keys(void **state)
{
        (void)state;
        for (int alg = JWT_HS256; alg <= JWT_EDDSA; alg++) {
                keys[alg] = jwt_key_free(keys[alg]);
                pair_done(&pairs[alg]);
        }
        return 0;
}

static char *sign(int alg, const char *header, const char *claims)
{
        return token_sign(header, claims, (enum jwt_alg)alg, alg == JWT_HS256 ? NULL : &pairs[alg], secret());
}

static const char *header_of(int alg)
{
        static char text[128];

        snprintf(text, sizeof(text), "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"k1\"}", names[alg]);
        return text;
}

/* Claims that are good but for `more`, which follows them; or in place of one when it names it. */
static const char *claims_with(const char *times, const char *more)
{
        static char text[16384];

        snprintf(text, sizeof(text), "{\"aud\":\"%s\",\"use\":\"chat\",\"sub\":\"user-1\",%s%s}", app, times, more);
        return text;
}

static const char *good_claims(void)
{
        return claims_with("\"iat\":1789999990,\"exp\":1790003600", "");
}

static enum jwt_verdict verify(int alg, const char *token)
{
        struct jwt_claims claims;
        enum jwt_verdict verdict = jwt_verify(keys[alg], span_of(token), SPAN("app_0000000000001"), NOW, &claims);

        if (verdict == JWT_OK)
                free(claims.attrs);
        return verdict;
}

/* Verdict on a token with this header and these claims, properly signed. */
static enum jwt_verdict judge(int alg, const char *header, const char *claims)
{
        char *token = sign(alg, header, claims);
        enum jwt_verdict verdict = verify(alg, token);

        free(token);
        return verdict;
}

static enum jwt_verdict judge_claims(const char *claims)
{
        return judge(JWT_HS256, header_of(JWT_HS256), claims);
}

static void a_good_token_passes_with_every_algorithm(void **state)
{
        (void)state;
        for (int alg = JWT_HS256; alg <= JWT_EDDSA; alg++) {
                assert_int_equal(JWT_OK, judge(alg, header_of(alg), good_claims()));
        }
        assert_int_equal(JWT_OK, judge(JWT_HS256, "{\"kid\":\"k1\",\"alg\":\"HS256\"}", good_claims()));
}

static void the_claims_come_out_as_they_were_signed(void **state)
{
        struct jwt_claims claims;
        char *token =
                sign(JWT_ES256, header_of(JWT_ES256),
                     claims_with("\"iat\":1789999990,\"exp\":1790003600",
                                 ",\"name\":\"김민아\",\"email\":\"m@x.kr\",\"locale\":\"ko-KR\",\"tier\":\"gold\","
                                 "\"attrs\":{\"plan\":\"pro\",\"seats\":3,\"ok\":true,\"none\":null},\"other\":[1]"));

        (void)state;
        assert_int_equal(JWT_OK, jwt_verify(keys[JWT_ES256], span_of(token), span_of(app), NOW, &claims));
        assert_string_equal("user-1", claims.subject);
        assert_string_equal("김민아", claims.name);
        assert_string_equal("m@x.kr", claims.email);
        assert_string_equal("ko-KR", claims.locale);
        assert_string_equal("gold", claims.tier);
        assert_string_equal("{\"plan\":\"pro\",\"seats\":3,\"ok\":true,\"none\":null}", claims.attrs);
        assert_true(claims.issued_s == 1789999990 && claims.expires_s == 1790003600);
        free(claims.attrs);
        free(token);
}

static void a_made_token_is_a_good_one(void **state)
{
        char *token = jwt_make_hs256(secret(), "k1", app, "user-1", "Mina", NOW, NOW + 3600);
        char *nameless = jwt_make_hs256(secret(), "k1", app, "user-1", NULL, NOW, NOW + 3600);
        struct jwt_claims claims;
        char kid[65];

        (void)state;
        assert_int_equal(JWT_OK, jwt_verify(keys[JWT_HS256], span_of(token), span_of(app), NOW, &claims));
        assert_string_equal("Mina", claims.name);
        assert_null(claims.attrs);
        assert_int_equal(JWT_OK, jwt_verify(keys[JWT_HS256], span_of(nameless), span_of(app), NOW, &claims));
        assert_string_equal("", claims.name);
        assert_int_equal(0, jwt_peek_kid(span_of(token), kid));
        assert_string_equal("k1", kid);
        free(token);
        free(nameless);
}

/* ---- 1 to 3: the algorithm is the key's ---- */

static void case_1_no_algorithm_is_no_signature(void **state)
{
        static const char *const algs[] = {"none", "None", "NoNe", "NONE", "", "HS512", "hs256", "HS256 "};

        (void)state;
        for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
                for (int alg = JWT_HS256; alg <= JWT_EDDSA; alg++) {
                        char header[128], *token, *dot;

                        snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"k1\"}", algs[i]);
                        token = sign(alg, header, good_claims());
                        assert_int_equal(JWT_INVALID, verify(alg, token));
                        dot = strrchr(token, '.');
                        dot[1] = '\0'; /* an empty signature */
                        assert_int_equal(JWT_INVALID, verify(alg, token));
                        dot[0] = '\0'; /* two parts */
                        assert_int_equal(JWT_INVALID, verify(alg, token));
                        free(token);
                }
        }
        assert_int_equal(JWT_INVALID, judge(JWT_HS256, "{\"kid\":\"k1\"}", good_claims()));
        assert_int_equal(JWT_INVALID, judge(JWT_HS256, "{\"alg\":null}", good_claims()));
        assert_int_equal(JWT_INVALID, judge(JWT_HS256, "{\"alg\":[\"HS256\"]}", good_claims()));
}

static void case_2_a_public_key_is_no_secret(void **state)
{
        (void)state;
        for (int alg = JWT_RS256; alg <= JWT_EDDSA; alg++) {
                char *token = token_sign(header_of(JWT_HS256), good_claims(), JWT_HS256, NULL, span_of(pairs[alg].pem));

                assert_int_equal(JWT_INVALID, verify(alg, token));
                free(token);
                token = token_sign(header_of(alg), good_claims(), JWT_HS256, NULL, span_of(pairs[alg].pem));
                assert_int_equal(JWT_INVALID, verify(alg, token));
                free(token);
        }
}

static void case_3_no_key_verifies_the_tokens_of_another_algorithm(void **state)
{
        char *empty = token_sign(header_of(JWT_HS256), good_claims(), JWT_HS256, NULL, SPAN(""));

        (void)state;
        for (int alg = JWT_HS256; alg <= JWT_EDDSA; alg++) {
                assert_int_equal(JWT_INVALID, verify(alg, empty));
                for (int other = JWT_HS256; other <= JWT_EDDSA; other++) {
                        char *token = sign(other, header_of(alg), good_claims());

                        if (other != alg)
                                assert_int_equal(JWT_INVALID, verify(alg, token));
                        free(token);
                        token = sign(other, header_of(other), good_claims());
                        if (other != alg)
                                assert_int_equal(JWT_INVALID, verify(alg, token));
                        free(token);
                }
        }
        free(empty);
}

static void only_a_key_that_fits_its_algorithm_is_a_key(void **state)
{
        struct pair small = pair_of(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024));
        struct pair curve = pair_of(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384"));
        struct pair other = pair_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"));
        static const char locked[] = "-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\n"
                                     "DEK-Info: AES-256-CBC,00000000000000000000000000000000\n\n"
                                     "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
                                     "-----END PUBLIC KEY-----\n";

        (void)state;
        assert_null(jwt_key_new(JWT_HS256, SPAN("0123456789abcdef0123456789abcde"))); /* 31 bytes */
        assert_null(jwt_key_new(JWT_RS256, span_of(small.pem)));
        assert_null(jwt_key_new(JWT_ES256, span_of(curve.pem)));
        assert_null(jwt_key_new(JWT_EDDSA, span_of(other.pem)));
        assert_null(jwt_key_new(JWT_EDDSA, span_of(locked)));
        assert_null(jwt_key_new(JWT_EDDSA, SPAN("")));
        assert_null(jwt_key_new(JWT_RS256, SPAN("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n")));
        assert_null(jwt_key_new((enum jwt_alg)0, secret()));
        assert_null(jwt_key_new((enum jwt_alg)5, secret()));
        for (int alg = JWT_RS256; alg <= JWT_EDDSA; alg++) {
                for (int pair = JWT_RS256; pair <= JWT_EDDSA; pair++) {
                        struct jwt_key *key = jwt_key_new((enum jwt_alg)alg, span_of(pairs[pair].pem));

                        assert_int_equal(alg == pair, key != NULL);
                        jwt_key_free(key);
                }
        }
        pair_done(&small);
        pair_done(&curve);
        pair_done(&other);
}

/* ---- 4 and 5: the header ---- */

static int peek(const char *header, char kid[65])
{
        char *token = token_sign(header, "{}", JWT_HS256, NULL, secret());
        int rc = jwt_peek_kid(span_of(token), kid);

        free(token);
        return rc;
}

static void case_4_a_kid_is_a_short_plain_word(void **state)
{
        static const char *const bad[] = {
                "{}",
                "{\"kid\":\"\"}",
                "{\"kid\":5}",
                "{\"kid\":\"../../etc/passwd\"}",
                "{\"kid\":\"a/b\"}",
                "{\"kid\":\"' OR 1=1 --\"}",
                "{\"kid\":\"a\\u0000b\"}",
                "{\"kid\":\"a\\n\"}",
                "{\"kid\":\"é\"}",
                "{\"kid\":\"01234567890123456789012345678901234567890123456789012345678901234\"}",
                "{\"kid\":\"a\",\"kid\":\"b\"}",
                "[\"kid\"]",
                "{\"kid\":\"a\"",
        };
        char kid[65], *header = malloc(10300);

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                assert_int_equal(-1, peek(bad[i], kid));
        sprintf(header, "{\"kid\":\"%0*d\"}", 10240, 0);
        assert_int_equal(-1, peek(header, kid));
        assert_int_equal(0, peek("{\"alg\":\"none\",\"kid\":\"Az09._-\"}", kid));
        assert_string_equal("Az09._-", kid);
        assert_int_equal(0,
                         peek("{\"kid\":\"0123456789012345678901234567890123456789012345678901234567890123\"}", kid));
        assert_int_equal(64, strlen(kid));
        free(header);
}

static void case_5_a_header_that_points_elsewhere_is_refused(void **state)
{
        static const char *const more[] = {"\"jku\":\"https://evil/keys\"",
                                           "\"x5u\":\"https://evil/cert\"",
                                           "\"jwk\":{}",
                                           "\"x5c\":[]",
                                           "\"crit\":[\"exp\"]",
                                           "\"b64\":false",
                                           "\"typ\":\"JWE\"",
                                           "\"typ\":\"jwt\"",
                                           "\"typ\":null",
                                           "\"typ\":5",
                                           "\"zip\":\"DEF\""};

        (void)state;
        for (int alg = JWT_HS256; alg <= JWT_EDDSA; alg++) {
                for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
                        char header[256];

                        snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"k1\",%s}", names[alg], more[i]);
                        assert_int_equal(JWT_INVALID, judge(alg, header, good_claims()));
                }
        }
        assert_int_equal(JWT_OK, judge(JWT_HS256, "{\"alg\":\"HS256\",\"kid\":\"k1\",\"note\":1}", good_claims()));
}

/* ---- 6 and 7: the claims ---- */

static void case_6_times_out_of_bounds_are_refused(void **state)
{
        static const struct {
                const char *times;
                enum jwt_verdict verdict;
        } cases[] = {
                {"\"iat\":1790000000,\"exp\":1790000001", JWT_OK},
                {"\"iat\":1789999000,\"exp\":1789999941", JWT_OK},      /* 59 s ago: within the skew */
                {"\"iat\":1789999000,\"exp\":1789999940", JWT_EXPIRED}, /* 60 s ago */
                {"\"iat\":1,\"exp\":2", JWT_EXPIRED},
                {"\"iat\":1790000060,\"exp\":1790003600", JWT_OK},
                {"\"iat\":1790000061,\"exp\":1790003600", JWT_INVALID},
                {"\"iat\":1790000000,\"exp\":1790086400", JWT_OK}, /* 24 h */
                {"\"iat\":1790000000,\"exp\":1790086401", JWT_INVALID},
                {"\"iat\":1790000000,\"exp\":4940000000", JWT_INVALID}, /* 100 years */
                {"\"iat\":1790000000,\"exp\":1790000000", JWT_INVALID},
                {"\"iat\":1790000000,\"exp\":1790003600,\"nbf\":1790000060", JWT_OK},
                {"\"iat\":1790000000,\"exp\":1790003600,\"nbf\":1790000061", JWT_INVALID},
                {"\"iat\":1790000000,\"exp\":1790003600,\"nbf\":\"0\"", JWT_INVALID},
                {"\"iat\":1790000000", JWT_INVALID},
                {"\"exp\":1790003600", JWT_INVALID},
                {"\"iat\":1790000000,\"exp\":1790003600.0", JWT_INVALID},
                {"\"iat\":1790000000,\"exp\":\"1790003600\"", JWT_INVALID},
                {"\"iat\":1790000000,\"exp\":-1", JWT_INVALID},
                {"\"iat\":-5,\"exp\":1790003600", JWT_INVALID},
                {"\"iat\":0,\"exp\":1790003600", JWT_INVALID},
                {"\"iat\":1790000000,\"exp\":1e300", JWT_INVALID},
                {"\"iat\":1e300,\"exp\":1790003600", JWT_INVALID},
                {"\"iat\":1790000000,\"exp\":9223372036854775807", JWT_INVALID},
                {"\"iat\":1790000000,\"exp\":9223372036854775808", JWT_INVALID},
                {"\"iat\":1790000000,\"exp\":null", JWT_INVALID},
                {"\"iat\":1790000000,\"exp\":true", JWT_INVALID},
                {"\"iat\":1790000000,\"exp\":[1790003600]", JWT_INVALID},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                if (judge_claims(claims_with(cases[i].times, "")) != cases[i].verdict)
                        fail_msg("%s", cases[i].times);
        }
}

static void case_7_a_token_for_something_else_is_refused(void **state)
{
        static const char times[] = "\"iat\":1790000000,\"exp\":1790003600";
        static const char *const starts[] = {
                "\"use\":\"chat\",\"sub\":\"u\"",                               /* no aud */
                "\"aud\":\"app_0000000000002\",\"use\":\"chat\",\"sub\":\"u\"", /* another app */
                "\"aud\":\"app_0000000000001 \",\"use\":\"chat\",\"sub\":\"u\"",
                "\"aud\":\"\",\"use\":\"chat\",\"sub\":\"u\"",
                "\"aud\":[\"app_0000000000001\",\"x\"],\"use\":\"chat\",\"sub\":\"u\"",
                "\"aud\":\"app_0000000000001\",\"sub\":\"u\"", /* no use */
                "\"aud\":\"app_0000000000001\",\"use\":\"webhook\",\"sub\":\"u\"",
                "\"aud\":\"app_0000000000001\",\"use\":\"csat\",\"sub\":\"u\"",
                "\"aud\":\"app_0000000000001\",\"use\":\"upload\",\"sub\":\"u\"",
                "\"aud\":\"app_0000000000001\",\"use\":\"chat\"", /* no sub */
                "\"aud\":\"app_0000000000001\",\"use\":\"chat\",\"sub\":\"\"",
                "\"aud\":\"app_0000000000001\",\"use\":\"chat\",\"sub\":7",
                "\"aud\":\"app_0000000000001\",\"use\":\"chat\",\"sub\":\"a\\nb\"",
                "\"aud\":\"app_0000000000001\",\"use\":\"chat\",\"sub\":\"a\\u0000b\"",
        };

        (void)state;
        for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
                char claims[512];

                snprintf(claims, sizeof(claims), "{%s,%s}", starts[i], times);
                if (judge_claims(claims) != JWT_INVALID)
                        fail_msg("%s", claims);
        }
        assert_int_equal(JWT_INVALID, judge_claims("[]"));
        assert_int_equal(JWT_INVALID, judge_claims("5"));
        assert_int_equal(JWT_INVALID, judge_claims("{}"));
}

static void optional_claims_have_bounds_too(void **state)
{
        static const struct {
                const char *start;
                int fill;
                const char *end;
                enum jwt_verdict verdict;
        } cases[] = {
                {",\"name\":\"", 200, "\"", JWT_OK},
                {",\"name\":\"", 201, "\"", JWT_INVALID},
                {",\"email\":\"", 254, "\"", JWT_OK},
                {",\"email\":\"", 255, "\"", JWT_INVALID},
                {",\"locale\":\"", 35, "\"", JWT_OK},
                {",\"locale\":\"", 36, "\"", JWT_INVALID},
                {",\"tier\":\"", 64, "\"", JWT_OK},
                {",\"tier\":\"", 65, "\"", JWT_INVALID},
                {",\"name\":{\"x\":\"", 1, "\"}", JWT_INVALID},
                {",\"name\":\"\\u001b", 1, "\"", JWT_INVALID},
                {",\"attrs\":{\"x\":\"", 4088, "\"}", JWT_OK},
                {",\"attrs\":{\"x\":\"", 4089, "\"}", JWT_INVALID},
                {",\"attrs\":{\"x\":[\"", 1, "\"]}", JWT_INVALID},
                {",\"attrs\":{\"x\":{\"y\":\"", 1, "\"}}", JWT_INVALID},
                {",\"attrs\":[\"", 1, "\"]", JWT_INVALID},
                {",\"attrs\":\"", 1, "\"", JWT_INVALID},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                char more[8192];

                snprintf(more, sizeof(more), "%s%0*d%s", cases[i].start, cases[i].fill, 0, cases[i].end);
                if (judge_claims(claims_with("\"iat\":1790000000,\"exp\":1790003600", more)) != cases[i].verdict)
                        fail_msg("%s %d", cases[i].start, cases[i].fill);
        }
}

/* ---- 8 and 9: the bytes ---- */

static void case_8_every_member_stands_once(void **state)
{
        (void)state;
        assert_int_equal(JWT_INVALID, judge(JWT_HS256, "{\"alg\":\"HS256\",\"alg\":\"HS256\"}", good_claims()));
        assert_int_equal(JWT_INVALID, judge(JWT_HS256, "{\"alg\":\"HS256\",\"\\u0061lg\":\"none\"}", good_claims()));
        assert_int_equal(JWT_INVALID,
                         judge_claims(claims_with("\"iat\":1790000000,\"exp\":1790003600", ",\"sub\":\"admin\"")));
        assert_int_equal(JWT_INVALID, judge_claims(claims_with("\"iat\":1790000000,\"exp\":1790003600",
                                                               ",\"attrs\":{\"a\":1,\"a\":2}")));
}

/* The token with one change; freed by the caller. */
static char *changed(const char *token, size_t at, size_t cut, const char *put)
{
        char *text = malloc(strlen(token) + strlen(put) + 1);

        sprintf(text, "%.*s%s%s", (int)at, token, put, token + at + cut);
        return text;
}

static void case_8_base64_has_one_form(void **state)
{
        (void)state;
        for (int alg = JWT_HS256; alg <= JWT_EDDSA; alg++) {
                char *token = sign(alg, header_of(alg), good_claims());
                size_t len = strlen(token), first = strcspn(token, ".");
                static const char *const pieces[] = {"=", "==", " ", "\n", "+", "/", ".", "\t", "%3d", "\x80"};
                size_t places[] = {0, 3, first, first + 1, len - 1, len};

                for (size_t p = 0; p < 6; p++) {
                        for (size_t i = 0; i < 10; i++) {
                                char *bad = changed(token, places[p], 0, pieces[i]);

                                assert_int_equal(JWT_INVALID, verify(alg, bad));
                                free(bad);
                        }
                }
                free(token);
        }
        /* The last digit of 32 bytes has two bits to spare, of 64 and 256 bytes four. */
        for (int alg = JWT_HS256; alg <= JWT_EDDSA; alg++) {
                static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
                char *token = sign(alg, header_of(alg), good_claims());
                size_t last = strlen(token) - 1, good = 0;

                for (const char *digit = digits; *digit; digit++) {
                        token[last] = *digit;
                        good += verify(alg, token) == JWT_OK;
                }
                assert_int_equal(1, good);
                free(token);
        }
}

static void case_8_a_signed_token_has_at_most_8_kib(void **state)
{
        char more[8192];

        (void)state;
        for (int fill = 5700; fill < 6400; fill += 600) {
                char *token;

                snprintf(more, sizeof(more), ",\"other\":\"%0*d\"", fill, 0);
                token = sign(JWT_HS256, header_of(JWT_HS256),
                             claims_with("\"iat\":1790000000,\"exp\":1790003600", more));
                assert_int_equal(strlen(token) <= 8192 ? JWT_OK : JWT_INVALID, verify(JWT_HS256, token));
                assert_int_equal(fill < 6000, strlen(token) <= 8192);
                free(token);
        }
}

static void case_8_a_token_has_three_parts_and_a_size(void **state)
{
        char *token = sign(JWT_HS256, header_of(JWT_HS256), good_claims());
        char *huge = malloc(1 << 20), *more = changed(token, strlen(token), 0, ".x.y");
        char kid[65];

        (void)state;
        assert_int_equal(JWT_INVALID, verify(JWT_HS256, more));
        assert_int_equal(-1, jwt_peek_kid(span_of(more), kid));
        assert_int_equal(JWT_INVALID, verify(JWT_HS256, ""));
        assert_int_equal(JWT_INVALID, verify(JWT_HS256, "."));
        assert_int_equal(JWT_INVALID, verify(JWT_HS256, ".."));
        assert_int_equal(JWT_INVALID, verify(JWT_HS256, "..."));
        assert_int_equal(JWT_INVALID, verify(JWT_HS256, "a.b"));
        assert_int_equal(JWT_INVALID, verify(JWT_HS256, "a.b.c.d.e"));
        memset(huge, 'A', (1 << 20) - 1);
        huge[(1 << 20) - 1] = '\0';
        huge[100] = huge[200] = '.';
        assert_int_equal(JWT_INVALID, verify(JWT_HS256, huge));
        assert_int_equal(-1, jwt_peek_kid(span_of(huge), kid));
        assert_int_equal(-1, jwt_peek_kid((struct span){NULL, 0}, kid));
        free(huge);
        free(more);
        free(token);
}

/* Puts another signature into a token. */
static char *with_signature(const char *token, const uint8_t *signature, size_t len)
{
        size_t start = (size_t)(strrchr(token, '.') + 1 - token);
        char *text = calloc(1, start + base64url_bytes(len) + 1);

        memcpy(text, token, start);
        base64url_write(text + start, signature, len);
        return text;
}

static void refuses_signature(int alg, const char *token, const uint8_t *signature, size_t len)
{
        char *bad = with_signature(token, signature, len);

        assert_int_equal(JWT_INVALID, verify(alg, bad));
        free(bad);
}

static void case_9_one_flipped_bit_breaks_a_signature(void **state)
{
        (void)state;
        for (int alg = JWT_HS256; alg <= JWT_EDDSA; alg++) {
                char *token = sign(alg, header_of(alg), good_claims());
                uint8_t signature[1024];
                ptrdiff_t len = base64url_read(span_of(strrchr(token, '.') + 1), signature, sizeof(signature));

                assert_true(len >= 32);
                for (ptrdiff_t i = 0; i < len; i++) {
                        signature[i] ^= (uint8_t)(1 << i % 8);
                        refuses_signature(alg, token, signature, (size_t)len);
                        signature[i] ^= (uint8_t)(1 << i % 8);
                }
                refuses_signature(alg, token, signature, (size_t)len - 1);
                signature[len] = 0;
                refuses_signature(alg, token, signature, (size_t)len + 1);
                memset(signature, 0, sizeof(signature));
                refuses_signature(alg, token, signature, (size_t)len);
                refuses_signature(alg, token, signature, sizeof(signature));
                free(token);
        }
}

static void case_9_an_ecdsa_signature_is_two_numbers_and_neither_is_zero(void **state)
{
        char *token = sign(JWT_ES256, header_of(JWT_ES256), good_claims());
        uint8_t signature[64], spoiled[64], der[] = {0x30, 6, 2, 1, 1, 2, 1, 1};

        (void)state;
        assert_int_equal(64, base64url_read(span_of(strrchr(token, '.') + 1), signature, sizeof(signature)));
        memcpy(spoiled, signature, 64);
        memset(spoiled, 0, 32);
        refuses_signature(JWT_ES256, token, spoiled, 64);
        memcpy(spoiled, signature, 64);
        memset(spoiled + 32, 0, 32);
        refuses_signature(JWT_ES256, token, spoiled, 64);
        memset(spoiled, 0xff, 64);
        refuses_signature(JWT_ES256, token, spoiled, 64);
        refuses_signature(JWT_ES256, token, der, sizeof(der));
        free(token);
}

static void case_9_the_right_signature_as_der_is_refused(void **state)
{
        char *token = sign(JWT_ES256, header_of(JWT_ES256), good_claims());
        size_t signed_len = (size_t)(strrchr(token, '.') - token), len = 128;
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        uint8_t der[128];

        (void)state;
        assert_int_equal(1, EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, pairs[JWT_ES256].private));
        assert_int_equal(1, EVP_DigestSign(context, der, &len, (uint8_t *)token, signed_len));
        refuses_signature(JWT_ES256, token, der, len);
        EVP_MD_CTX_free(context);
        free(token);
}

static void a_refusal_leaves_no_error_for_the_threads_tls(void **state)
{
        char *token = sign(JWT_ES256, header_of(JWT_ES256), good_claims());
        uint8_t signature[64];

        (void)state;
        ERR_clear_error();
        memset(signature, 0xff, sizeof(signature));
        for (int alg = JWT_HS256; alg <= JWT_EDDSA; alg++)
                refuses_signature(alg, token, signature, sizeof(signature));
        assert_null(jwt_key_new(JWT_RS256, SPAN("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")));
        assert_int_equal(0, ERR_peek_error());
        free(token);
}

/* ---- vectors ---- */

static void holds(enum jwt_alg alg, struct span material, const char *token)
{
        struct jwt_key *key = jwt_key_new(alg, material);
        char *spoiled = strdup(token);

        assert_non_null(key);
        assert_true(jwt_signature_holds(key, span_of(token)));
        spoiled[strcspn(spoiled, ".") + 3] ^= 1;
        assert_false(jwt_signature_holds(key, span_of(spoiled)));
        free(spoiled);
        jwt_key_free(key);
}

static void the_vectors_of_rfc_7515_and_8037_hold(void **state)
{
        static const char claims[] =
                "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290"
                "Ijp0cnVlfQ";
        static const char shared[] =
                "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        static const char rsa[] = "-----BEGIN PUBLIC KEY-----\n"
                                  "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj\n"
                                  "NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz\n"
                                  "P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo\n"
                                  "9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB\n"
                                  "EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX\n"
                                  "FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp\n"
                                  "oQIDAQAB\n"
                                  "-----END PUBLIC KEY-----\n";
        static const char p256[] = "-----BEGIN PUBLIC KEY-----\n"
                                   "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
                                   "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
                                   "-----END PUBLIC KEY-----\n";
        static const char ed25519[] = "-----BEGIN PUBLIC KEY-----\n"
                                      "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
                                      "-----END PUBLIC KEY-----\n";
        uint8_t bytes[64];
        char token[1024];

        (void)state;
        assert_int_equal(64, base64url_read(span_of(shared), bytes, sizeof(bytes)));
        snprintf(token, sizeof(token), "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.%s.%s", claims,
                 "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        holds(JWT_HS256, (struct span){(char *)bytes, 64}, token); /* RFC 7515 A.1 */
        snprintf(token, sizeof(token), "eyJhbGciOiJSUzI1NiJ9.%s.%s", claims,
                 "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
                 "O8W2Fp5jujGbds9uJdb"
                 "F9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_"
                 "eSN9383"
                 "LcOLn6_dO--xi12jzDwusC-"
                 "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWy"
                 "wlVmtVrBp0igcN_IoypGlUPQGe77Rw");
        holds(JWT_RS256, span_of(rsa), token); /* A.2 */
        snprintf(token, sizeof(token), "eyJhbGciOiJFUzI1NiJ9.%s.%s", claims,
                 "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
        holds(JWT_ES256, span_of(p256), token); /* A.3 */
        holds(JWT_EDDSA, span_of(ed25519),
              "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
              "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"); /* RFC 8037 A.4
                                                                                                          */
}

static void base64url_of_rfc_4648(void **state)
{
        static const char *const pairs_of[][2] = {
                {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
                {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};

        (void)state;
        for (size_t i = 0; i < 7; i++) {
                char text[16] = {0};
                uint8_t bytes[16];

                base64url_write(text, pairs_of[i][0], strlen(pairs_of[i][0]));
                assert_string_equal(pairs_of[i][1], text);
                assert_int_equal(strlen(pairs_of[i][0]), base64url_read(span_of(text), bytes, sizeof(bytes)));
                assert_memory_equal(pairs_of[i][0], bytes, strlen(pairs_of[i][0]));
        }
        assert_int_equal(-1, base64url_read(SPAN("Zm9vYmFy"), (uint8_t[4]){0}, 4));
        assert_int_equal(-1, base64url_read(SPAN("Zh"), (uint8_t[4]){0}, 4));
        assert_int_equal(-1, base64url_read(SPAN("A"), (uint8_t[4]){0}, 4));
        assert_int_equal(-1, base64url_read(SPAN("Zm9vA"), (uint8_t[4]){0}, 4));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_good_token_passes_with_every_algorithm),
                cmocka_unit_test(the_claims_come_out_as_they_were_signed),
                cmocka_unit_test(a_made_token_is_a_good_one),
                cmocka_unit_test(case_1_no_algorithm_is_no_signature),
                cmocka_unit_test(case_2_a_public_key_is_no_secret),
                cmocka_unit_test(case_3_no_key_verifies_the_tokens_of_another_algorithm),
                cmocka_unit_test(only_a_key_that_fits_its_algorithm_is_a_key),
                cmocka_unit_test(case_4_a_kid_is_a_short_plain_word),
                cmocka_unit_test(case_5_a_header_that_points_elsewhere_is_refused),
                cmocka_unit_test(case_6_times_out_of_bounds_are_refused),
                cmocka_unit_test(case_7_a_token_for_something_else_is_refused),
                cmocka_unit_test(optional_claims_have_bounds_too),
                cmocka_unit_test(case_8_every_member_stands_once),
                cmocka_unit_test(case_8_base64_has_one_form),
                cmocka_unit_test(case_8_a_signed_token_has_at_most_8_kib),
                cmocka_unit_test(case_8_a_token_has_three_parts_and_a_size),
                cmocka_unit_test(case_9_one_flipped_bit_breaks_a_signature),
                cmocka_unit_test(case_9_an_ecdsa_signature_is_two_numbers_and_neither_is_zero),
                cmocka_unit_test(case_9_the_right_signature_as_der_is_refused),
                cmocka_unit_test(a_refusal_leaves_no_error_for_the_threads_tls),
                cmocka_unit_test(the_vectors_of_rfc_7515_and_8037_hold),
                cmocka_unit_test(base64url_of_rfc_4648),
        };

        return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
