/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "base64url.h"

enum { TOKEN_BYTES = 65536, SIGNATURE_BYTES = 1024 };

static void must(bool holds)
{
        if (!holds)
                abort();
}

struct pair pair_of(EVP_PKEY *private)
{
        BIO *bio = BIO_new(BIO_s_mem());
        struct pair pair = {private, NULL};
        char *bytes;
        long len;

        must(private && bio && PEM_write_bio_PUBKEY(bio, private) == 1);
        len = BIO_get_mem_data(bio, &bytes);
        pair.pem = strndup(bytes, (size_t)len);
        BIO_free(bio);
        return pair;
}

struct pair pair_make(enum jwt_alg alg)
{
        switch (alg) {
        case JWT_RS256:
                return pair_of(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048));
        case JWT_ES256:
                return pair_of(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"));
        default:
                return pair_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
        }
}

void pair_done(struct pair *pair)
{
        EVP_PKEY_free(pair->private);
        free(pair->pem);
        *pair = (struct pair){0};
}

static size_t der_to_pair(const uint8_t *der, size_t len, uint8_t out[64])
{
        ECDSA_SIG *both = d2i_ECDSA_SIG(NULL, &der, (long)len);

        must(both && BN_bn2binpad(ECDSA_SIG_get0_r(both), out, 32) == 32 &&
             BN_bn2binpad(ECDSA_SIG_get0_s(both), out + 32, 32) == 32);
        ECDSA_SIG_free(both);
        return 64;
}

static size_t sign(const char *bytes, size_t len, enum jwt_alg alg, const struct pair *pair, struct span secret,
                   uint8_t *out)
{
        const EVP_MD *digest = alg == JWT_EDDSA ? NULL : EVP_sha256();
        size_t out_len = SIGNATURE_BYTES;
        uint8_t der[SIGNATURE_BYTES];
        unsigned mac_len;
        EVP_MD_CTX *context;

        if (!pair) {
                must(HMAC(EVP_sha256(), secret.at, (int)secret.len, (const uint8_t *)bytes, len, out, &mac_len));
                return mac_len;
        }
        context = EVP_MD_CTX_new();
        must(EVP_DigestSignInit(context, NULL, digest, NULL, pair->private) == 1);
        must(EVP_DigestSign(context, der, &out_len, (const uint8_t *)bytes, len) == 1);
        EVP_MD_CTX_free(context);
        if (alg == JWT_ES256)
                return der_to_pair(der, out_len, out);
        memcpy(out, der, out_len);
        return out_len;
}

char *token_sign(const char *header, const char *claims, enum jwt_alg alg, const struct pair *pair, struct span secret)
{
        char *token = calloc(1, TOKEN_BYTES);
        uint8_t signature[SIGNATURE_BYTES];
        size_t len, signed_len;

        base64url_write(token, header, strlen(header));
        strcat(token, ".");
        base64url_write(token + strlen(token), claims, strlen(claims));
        signed_len = strlen(token);
        len = sign(token, signed_len, alg, pair, secret, signature);
        token[signed_len] = '.';
        base64url_write(token + signed_len + 1, signature, len);
        return token;
}
