/* SPDX-License-Identifier: Apache-2.0 */
/* Jwt: see jwt.h. The order matters: shape, then header against the key's own algorithm, then the signature over the
 * bytes as they came, and only then are the claims looked at. */
#include "jwt_private.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "base64url.h"
#include "protocol_generated.h"

enum {
        HEADER_BYTES = 1024,
        CLAIMS_BYTES = PROTOCOL_TOKEN_BYTES,
        SIGNATURE_BYTES = 1024, /* RSA of 8192 bits */
        KID_BYTES = 64,
        SECRET_LEAST_BYTES = 32,
        RSA_LEAST_BITS = 2048,
        RSA_MOST_BITS = 8192,
        MAC_BYTES = 32,
        PAIR_BYTES = 64, /* r and s of P-256; an Ed25519 signature */
        DER_BYTES = 80,
};

struct jwt_key {
        enum jwt_alg alg;
        EVP_PKEY *public; /* NULL with HS256 */
        size_t secret_len;
        uint8_t secret[];
};

struct parts {
        struct span header, claims, signature, signed_bytes;
};

static const char *alg_name(enum jwt_alg alg)
{
        static const char *const names[] = {"", "HS256", "RS256", "ES256", "EdDSA"};

        return names[alg];
}

/* ---- keys ---- */

static int no_password(char *buffer, int size, int writing, void *data)
{
        (void)buffer, (void)size, (void)writing, (void)data;
        return -1; /* never ask on a terminal */
}

static bool is_p256(const EVP_PKEY *key)
{
        char group[32];

        return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
               EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 && strcmp(group, "prime256v1") == 0;
}

static bool suits(enum jwt_alg alg, const EVP_PKEY *key)
{
        int bits = EVP_PKEY_get_bits(key);

        switch (alg) {
        case JWT_RS256:
                return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && bits >= RSA_LEAST_BITS && bits <= RSA_MOST_BITS;
        case JWT_ES256:
                return is_p256(key);
        case JWT_EDDSA:
                return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
        default:
                return false;
        }
}

static EVP_PKEY *read_public(struct span pem)
{
        BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
        EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL) : NULL;

        BIO_free(bio);
        return key;
}

struct jwt_key *jwt_key_new(enum jwt_alg alg, struct span material)
{
        size_t secret_len = alg == JWT_HS256 ? material.len : 0;
        struct jwt_key *key;

        if (alg < JWT_HS256 || alg > JWT_EDDSA || material.len > PROTOCOL_TOKEN_BYTES)
                return NULL;
        if (alg == JWT_HS256 && secret_len < SECRET_LEAST_BYTES)
                return NULL;
        key = calloc(1, sizeof(*key) + secret_len);
        if (!key)
                return NULL;
        key->alg = alg;
        key->secret_len = secret_len;
        if (alg == JWT_HS256) {
                memcpy(key->secret, material.at, secret_len);
                return key;
        }
        ERR_set_mark();
        key->public = read_public(material);
        if (!key->public || !suits(alg, key->public))
                key = jwt_key_free(key);
        ERR_pop_to_mark();
        return key;
}

struct jwt_key *jwt_key_free(struct jwt_key *key)
{
        if (key) {
                EVP_PKEY_free(key->public);
                OPENSSL_cleanse(key->secret, key->secret_len);
                free(key);
        }
        return NULL;
}

/* ---- signatures ---- */

static bool mac_holds(const struct jwt_key *key, struct span bytes, const uint8_t *signature, size_t len)
{
        uint8_t mac[EVP_MAX_MD_SIZE];
        unsigned mac_len = 0;

        if (len != MAC_BYTES)
                return false;
        if (!HMAC(EVP_sha256(), key->secret, (int)key->secret_len, (const uint8_t *)bytes.at, bytes.len, mac, &mac_len))
                return false;
        return mac_len == MAC_BYTES && CRYPTO_memcmp(mac, signature, MAC_BYTES) == 0;
}

/* r and s side by side, as JWS has them, to the DER that OpenSSL wants. The length, or 0. */
static size_t pair_to_der(const uint8_t *pair, size_t len, uint8_t out[DER_BYTES])
{
        ECDSA_SIG *both = ECDSA_SIG_new();
        BIGNUM *r, *s;
        int der_len = 0;

        if (!both || len != PAIR_BYTES)
                goto out;
        r = BN_bin2bn(pair, 32, NULL);
        s = BN_bin2bn(pair + 32, 32, NULL);
        if (!r || !s || BN_is_zero(r) || BN_is_zero(s) || ECDSA_SIG_set0(both, r, s) != 1) {
                BN_free(r);
                BN_free(s);
                goto out;
        }
        if (i2d_ECDSA_SIG(both, NULL) <= DER_BYTES)
                der_len = i2d_ECDSA_SIG(both, &out);
out:
        ECDSA_SIG_free(both);
        return der_len > 0 ? (size_t)der_len : 0;
}

static bool public_holds(const struct jwt_key *key, struct span bytes, const uint8_t *signature, size_t len)
{
        const EVP_MD *digest = key->alg == JWT_EDDSA ? NULL : EVP_sha256();
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        bool holds = context && EVP_DigestVerifyInit(context, NULL, digest, NULL, key->public) == 1 &&
                     EVP_DigestVerify(context, signature, len, (const uint8_t *)bytes.at, bytes.len) == 1;

        EVP_MD_CTX_free(context);
        return holds;
}

static bool signature_holds(const struct jwt_key *key, const struct parts *parts)
{
        uint8_t signature[SIGNATURE_BYTES], der[DER_BYTES];
        ptrdiff_t len = base64url_read(parts->signature, signature, sizeof(signature));
        size_t der_len;

        if (len <= 0)
                return false;
        switch (key->alg) {
        case JWT_HS256:
                return mac_holds(key, parts->signed_bytes, signature, (size_t)len);
        case JWT_ES256:
                der_len = pair_to_der(signature, (size_t)len, der);
                return der_len && public_holds(key, parts->signed_bytes, der, der_len);
        case JWT_RS256:
                return len == EVP_PKEY_get_size(key->public) &&
                       public_holds(key, parts->signed_bytes, signature, (size_t)len);
        default:
                return len == PAIR_BYTES && public_holds(key, parts->signed_bytes, signature, (size_t)len);
        }
}

/* ---- shape and header ---- */

/* Exactly three parts, none of them empty. */
static int split(struct span token, struct parts *out)
{
        const char *end = token.at + token.len, *first, *second;

        if (!token.at || token.len > PROTOCOL_TOKEN_BYTES)
                return -1;
        first = memchr(token.at, '.', token.len);
        second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
        if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
                return -1;
        out->header = (struct span){token.at, (size_t)(first - token.at)};
        out->claims = (struct span){first + 1, (size_t)(second - first - 1)};
        out->signature = (struct span){second + 1, (size_t)(end - second - 1)};
        out->signed_bytes = (struct span){token.at, (size_t)(second - token.at)};
        return out->header.len && out->claims.len && out->signature.len ? 0 : -1;
}

json_t *jwt_json(const uint8_t *bytes, size_t len)
{
        /* jansson passes over a zero byte behind a number */
        bool is_text = !memchr(bytes, '\0', len);
        json_t *value = is_text ? json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, NULL) : NULL;

        if (value && !json_is_object(value)) {
                json_decref(value);
                return NULL;
        }
        return value;
}

static json_t *read_header(struct span text)
{
        uint8_t bytes[HEADER_BYTES];
        ptrdiff_t len = base64url_read(text, bytes, sizeof(bytes));

        return len > 0 ? jwt_json(bytes, (size_t)len) : NULL;
}

/* Whether the header asks for nothing but this key's algorithm. */
static bool header_suits(const json_t *header, enum jwt_alg alg)
{
        static const char *const refused[] = {"jku", "x5u", "jwk", "x5c", "crit", "b64", "enc", "zip"};
        const char *name = json_string_value(json_object_get(header, "alg"));
        const json_t *type = json_object_get(header, "typ");

        for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
                if (json_object_get(header, refused[i]))
                        return false;
        }
        if (type && (!json_is_string(type) || strcmp(json_string_value(type), "JWT") != 0))
                return false;
        return name && strcmp(name, alg_name(alg)) == 0;
}

static bool is_kid(const char *kid, size_t len)
{
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

        return len >= 1 && len <= KID_BYTES && strspn(kid, allowed) == len;
}

int jwt_peek_kid(struct span token, char out_kid[65])
{
        struct parts parts;
        json_t *header;
        const json_t *kid;
        int rc = -1;

        if (split(token, &parts) < 0)
                return -1;
        header = read_header(parts.header);
        kid = json_object_get(header, "kid");
        if (json_is_string(kid) && is_kid(json_string_value(kid), json_string_length(kid))) {
                memcpy(out_kid, json_string_value(kid), json_string_length(kid) + 1);
                rc = 0;
        }
        json_decref(header);
        return rc;
}

static bool is_signed(const struct jwt_key *key, const struct parts *parts)
{
        json_t *header = read_header(parts->header);
        bool holds;

        ERR_set_mark(); /* OpenSSL's errors of this thread belong to its TLS connections */
        holds = header && header_suits(header, key->alg) && signature_holds(key, parts);
        ERR_pop_to_mark();
        json_decref(header);
        return holds;
}

bool jwt_signature_holds(const struct jwt_key *key, struct span token)
{
        struct parts parts;

        return split(token, &parts) == 0 && is_signed(key, &parts);
}

enum jwt_verdict jwt_verify(const struct jwt_key *key, struct span token, struct span audience, int64_t now_s,
                            struct jwt_claims *out_claims)
{
        uint8_t bytes[CLAIMS_BYTES];
        enum jwt_verdict verdict = JWT_INVALID;
        struct parts parts;
        json_t *claims;
        ptrdiff_t len;

        if (split(token, &parts) < 0 || !is_signed(key, &parts))
                return JWT_INVALID;
        len = base64url_read(parts.claims, bytes, sizeof(bytes));
        claims = len > 0 ? jwt_json(bytes, (size_t)len) : NULL;
        if (claims)
                verdict = jwt_claims_read(claims, audience, now_s, out_claims);
        json_decref(claims);
        return verdict;
}

/* ---- making one ---- */

/* Appends base64url of `bytes` to a text that has room for it. */
static char *append(char *out, const void *bytes, size_t len)
{
        base64url_write(out, bytes, len);
        return out + base64url_bytes(len);
}

static char *sign(struct span secret, const char *header, const char *claims)
{
        size_t header_len = strlen(header), claims_len = strlen(claims);
        size_t total = base64url_bytes(header_len) + base64url_bytes(claims_len) + base64url_bytes(MAC_BYTES) + 3;
        char *token = malloc(total), *at = token;
        uint8_t mac[EVP_MAX_MD_SIZE];

        if (!token)
                return NULL;
        at = append(at, header, header_len);
        *at++ = '.';
        at = append(at, claims, claims_len);
        if (!HMAC(EVP_sha256(), secret.at, (int)secret.len, (uint8_t *)token, (size_t)(at - token), mac, NULL)) {
                free(token);
                return NULL;
        }
        *at++ = '.';
        at = append(at, mac, MAC_BYTES);
        *at = '\0';
        return token;
}

char *jwt_make_hs256(struct span secret, const char *kid, const char *audience, const char *subject, const char *name,
                     int64_t issued_s, int64_t expires_s)
{
        json_t *header = json_pack("{s:s, s:s, s:s}", "alg", "HS256", "typ", "JWT", "kid", kid);
        json_t *claims = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s*}", "aud", audience, "sub", subject, "use", "chat",
                                   "iat", (json_int_t)issued_s, "exp", (json_int_t)expires_s, "name", name);
        char *header_text = header ? json_dumps(header, JSON_COMPACT) : NULL;
        char *claims_text = claims ? json_dumps(claims, JSON_COMPACT) : NULL;
        char *token = header_text && claims_text ? sign(secret, header_text, claims_text) : NULL;

        free(header_text);
        free(claims_text);
        json_decref(header);
        json_decref(claims);
        return token;
}
