/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target of user tokens. The first byte chooses: 'T' the bytes are a token, tried with a key of each algorithm;
 * 'C' they are claims that are then properly signed; 'H' they are a header that is. Promises: no crash; nothing that we
 * did not sign is good; what is good has claims within their bounds. */
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

#include "base64url.h"
#include "fuzz.h"
#include "protocol/jwt.h"

enum { NOW = 1790000000, MAC_BYTES = 32 };

static const char secret[] = "0123456789abcdef0123456789abcdef";
static const char good_header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}";
static const char good_claims[] = "{\"aud\":\"app_0000000000001\",\"use\":\"chat\",\"sub\":\"u\",\"iat\":1790000000,"
                                  "\"exp\":1790003600}";
static const char ec_key[] = "-----BEGIN PUBLIC KEY-----\n"
                             "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
                             "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
                             "-----END PUBLIC KEY-----\n";
static const char ed_key[] = "-----BEGIN PUBLIC KEY-----\n"
                             "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
                             "-----END PUBLIC KEY-----\n";
static const char rsa_key[] = "-----BEGIN PUBLIC KEY-----\n"
                              "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj\n"
                              "NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz\n"
                              "P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo\n"
                              "9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB\n"
                              "EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX\n"
                              "FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp\n"
                              "oQIDAQAB\n"
                              "-----END PUBLIC KEY-----\n";

static void promise(bool kept, const char *what)
{
        if (!kept) {
                fprintf(stderr, "broken: %s\n", what);
                abort();
        }
}

static const struct jwt_key *key_of(int which)
{
        static struct jwt_key *keys[4];

        if (!keys[0]) {
                keys[0] = jwt_key_new(JWT_HS256, SPAN(secret));
                keys[1] = jwt_key_new(JWT_RS256, SPAN(rsa_key));
                keys[2] = jwt_key_new(JWT_ES256, SPAN(ec_key));
                keys[3] = jwt_key_new(JWT_EDDSA, SPAN(ed_key));
                promise(keys[0] && keys[1] && keys[2] && keys[3], "the keys are good");
        }
        return keys[which];
}

static bool ends(const char *text, size_t room)
{
        return memchr(text, '\0', room) != NULL;
}

static enum jwt_verdict verify(int which, struct span token)
{
        struct jwt_claims claims;
        enum jwt_verdict verdict = jwt_verify(key_of(which), token, SPAN("app_0000000000001"), NOW, &claims);

        if (verdict != JWT_OK)
                return verdict;
        promise(claims.subject[0] && ends(claims.subject, sizeof(claims.subject)), "a subject");
        promise(ends(claims.name, sizeof(claims.name)) && ends(claims.email, sizeof(claims.email)), "texts that end");
        promise(ends(claims.locale, sizeof(claims.locale)) && ends(claims.tier, sizeof(claims.tier)), "texts that end");
        promise(claims.expires_s > NOW - 60 && claims.expires_s <= NOW + 60 + 24 * 3600, "an expiry within bounds");
        promise(claims.issued_s <= NOW + 60 && claims.expires_s > claims.issued_s, "issued before it expires");
        promise(!claims.attrs || strlen(claims.attrs) <= 4096, "attributes within bounds");
        free(claims.attrs);
        return verdict;
}

static size_t encode(char *out, const void *bytes, size_t len)
{
        base64url_write(out, bytes, len);
        return base64url_bytes(len);
}

/* Verdict on a token that holds these bytes and is signed as it should be. */
static enum jwt_verdict verify_signed(struct span header, struct span claims)
{
        char *token =
                malloc(base64url_bytes(header.len) + base64url_bytes(claims.len) + base64url_bytes(MAC_BYTES) + 2);
        uint8_t mac[EVP_MAX_MD_SIZE];
        enum jwt_verdict verdict;
        char kid[65];
        size_t len;

        promise(token != NULL, "memory");
        len = encode(token, header.at, header.len);
        token[len++] = '.';
        len += encode(token + len, claims.at, claims.len);
        promise(HMAC(EVP_sha256(), secret, sizeof(secret) - 1, (uint8_t *)token, len, mac, NULL) != NULL, "a mac");
        token[len++] = '.';
        len += encode(token + len, mac, MAC_BYTES);
        if (jwt_peek_kid((struct span){token, len}, kid) == 0)
                promise(strlen(kid) >= 1 && strlen(kid) <= 64, "a short kid");
        verdict = verify(0, (struct span){token, len});
        free(token);
        return verdict;
}

/* The one token of the corpus that is good may pass; whatever else passes would be a forgery. */
static void fuzz_token(struct span token)
{
        static char *good;
        char kid[65];

        if (!good)
                good = jwt_make_hs256(SPAN(secret), "k1", "app_0000000000001", "u", NULL, NOW, NOW + 3600);
        jwt_peek_kid(token, kid);
        for (int which = 0; which < 4; which++)
                promise(verify(which, token) != JWT_OK || span_equal(token, span_of(good)), "nothing forged is good");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct span rest = {(const char *)data + 1, size - 1};

        if (size < 1)
                return 0;
        if (data[0] == 'C')
                verify_signed(SPAN(good_header), rest);
        else if (data[0] == 'H')
                verify_signed(rest, SPAN(good_claims));
        else
                fuzz_token(rest);
        return 0;
}
