/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/webhook.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>

enum { MAC_BYTES = 32, TIMESTAMP_DIGITS = 12, ID_MAX = 128 };

int webhook_secret_read(struct span text, uint8_t *out)
{
        static const char prefix[] = "whsec_";
        uint8_t decoded[WEBHOOK_SECRET_MAX + 6], again[WEBHOOK_SECRET_MAX * 2];
        size_t skip = sizeof prefix - 1;
        if (text.len <= skip || memcmp(text.at, prefix, skip) != 0)
                return -1;
        text.at += skip;
        text.len -= skip;
        if (text.len % 4 != 0 || text.len / 4 * 3 > sizeof decoded)
                return -1;
        int len = EVP_DecodeBlock(decoded, (const uint8_t *)text.at, (int)text.len);
        for (size_t i = text.len; len > 0 && i > text.len - 2 && text.at[i - 1] == '='; i--)
                len--;
        bool is_fine = len >= WEBHOOK_SECRET_MIN && len <= WEBHOOK_SECRET_MAX &&
                       EVP_EncodeBlock(again, decoded, len) == (int)text.len &&
                       memcmp(again, text.at, text.len) == 0; /* one form of each secret, no white space */
        if (is_fine)
                memcpy(out, decoded, (size_t)len);
        OPENSSL_cleanse(decoded, sizeof decoded);
        OPENSSL_cleanse(again, sizeof again);
        return is_fine ? len : -1;
}

static int mac_of(const uint8_t *secret, size_t secret_len, struct span id, struct span timestamp, struct span body,
                  uint8_t out[MAC_BYTES])
{
        char digest[] = "SHA256";
        const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0), OSSL_PARAM_construct_end()};
        EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
        EVP_MAC_CTX *context = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
        size_t len = 0;
        bool ok = context && EVP_MAC_init(context, secret, secret_len, params) == 1 &&
                  EVP_MAC_update(context, (const uint8_t *)id.at, id.len) == 1 &&
                  EVP_MAC_update(context, (const uint8_t *)".", 1) == 1 &&
                  EVP_MAC_update(context, (const uint8_t *)timestamp.at, timestamp.len) == 1 &&
                  EVP_MAC_update(context, (const uint8_t *)".", 1) == 1 &&
                  EVP_MAC_update(context, (const uint8_t *)body.at, body.len) == 1 &&
                  EVP_MAC_final(context, out, &len, MAC_BYTES) == 1 && len == MAC_BYTES;
        EVP_MAC_CTX_free(context);
        EVP_MAC_free(hmac);
        return ok ? 0 : -1;
}

static int signature_of(const uint8_t *secret, size_t secret_len, struct span id, struct span timestamp,
                        struct span body, char out[WEBHOOK_SIGNATURE_BYTES])
{
        uint8_t mac[MAC_BYTES];
        char text[WEBHOOK_SIGNATURE_BYTES + 1] = "v1,";
        if (mac_of(secret, secret_len, id, timestamp, body, mac) < 0)
                return -1;
        EVP_EncodeBlock((uint8_t *)text + 3, mac, sizeof mac);
        memcpy(out, text, WEBHOOK_SIGNATURE_BYTES);
        return 0;
}

int webhook_sign(const uint8_t *secret, size_t secret_len, struct span id, int64_t timestamp_s, struct span body,
                 char out[WEBHOOK_SIGNATURE_BYTES])
{
        char timestamp[24];
        int len = snprintf(timestamp, sizeof timestamp, "%lld", (long long)timestamp_s);
        return signature_of(secret, secret_len, id, (struct span){timestamp, (size_t)len}, body, out);
}

/* Digits only, no leading zero. -1: not a time. */
static int64_t timestamp_of(struct span text)
{
        int64_t value = 0;
        if (text.len == 0 || text.len > TIMESTAMP_DIGITS || text.at[0] == '0')
                return -1;
        for (size_t i = 0; i < text.len; i++) {
                if (text.at[i] < '0' || text.at[i] > '9')
                        return -1;
                value = value * 10 + (text.at[i] - '0');
        }
        return value;
}

/* Whether one of the signatures, separated by spaces, is the expected one. Looks at all of them. */
static bool is_among(struct span signatures, const char expected[WEBHOOK_SIGNATURE_BYTES])
{
        bool found = false;
        size_t at = 0;
        while (at < signatures.len) {
                size_t end = at;
                while (end < signatures.len && signatures.at[end] != ' ')
                        end++;
                if (end - at == WEBHOOK_SIGNATURE_BYTES)
                        found |= CRYPTO_memcmp(signatures.at + at, expected, WEBHOOK_SIGNATURE_BYTES) == 0;
                at = end + 1;
        }
        return found;
}

enum webhook_verdict webhook_verify(const uint8_t *secret, size_t secret_len, struct span id, struct span timestamp,
                                    struct span signatures, struct span body, int64_t now_s)
{
        char expected[WEBHOOK_SIGNATURE_BYTES];
        int64_t then_s = timestamp_of(timestamp);
        if (id.len == 0 || id.len > ID_MAX || memchr(id.at, '.', id.len) || then_s < 0 || signatures.len == 0)
                return WEBHOOK_MALFORMED;
        if (signature_of(secret, secret_len, id, timestamp, body, expected) < 0 || !is_among(signatures, expected))
                return WEBHOOK_BAD_SIGNATURE;
        if (then_s < now_s - WEBHOOK_TOLERANCE_S)
                return WEBHOOK_TOO_OLD;
        return then_s > now_s + WEBHOOK_TOLERANCE_S ? WEBHOOK_TOO_NEW : WEBHOOK_GOOD;
}

const char *webhook_verdict_text(enum webhook_verdict verdict)
{
        static const char *const texts[] = {
                [WEBHOOK_GOOD] = "the signature is good",
                [WEBHOOK_MALFORMED] = "a header is missing or malformed",
                [WEBHOOK_TOO_OLD] = "signed more than five minutes ago",
                [WEBHOOK_TOO_NEW] = "signed more than five minutes in the future",
                [WEBHOOK_BAD_SIGNATURE] = "the signature does not fit body, id, time and secret",
        };
        return texts[verdict];
}
