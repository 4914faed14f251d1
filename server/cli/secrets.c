/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets: see secrets.h. */
#include "cli/secrets.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "ops/clock.h"
#include "ops/random.h"
#include "protocol/ids.h"

static void to_hex(char *out, const unsigned char *bytes, size_t count)
{
        for (size_t i = 0; i < count; i++)
                snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

void secret_make(const char *prefix, char out_text[SECRET_TEXT], char out_hash[SECRET_HASH])
{
        unsigned char bytes[32], digest[SHA256_DIGEST_LENGTH];
        char base64[48];

        random_bytes(bytes, sizeof(bytes));
        EVP_EncodeBlock((unsigned char *)base64, bytes, sizeof(bytes));
        for (char *at = base64; *at; at++)
                *at = (char)(*at == '+' ? '-' : *at == '/' ? '_' : *at);
        /* 32 bytes are 43 characters and one of padding. */
        snprintf(out_text, SECRET_TEXT, "%.4s%.43s", prefix, base64);
        SHA256((const unsigned char *)out_text, strlen(out_text), digest);
        to_hex(out_hash, digest, sizeof(digest));
        secret_forget(bytes, sizeof(bytes));
        secret_forget(base64, sizeof(base64));
}

void secret_make_key(char out_text[SECRET_KEY_TEXT])
{
        unsigned char bytes[SECRET_KEY_BYTES];

        random_bytes(bytes, sizeof(bytes));
        EVP_EncodeBlock((unsigned char *)out_text, bytes, sizeof(bytes));
        secret_forget(bytes, sizeof(bytes));
}

void secret_make_webhook(char out_text[SECRET_WEBHOOK_TEXT])
{
        char key[SECRET_KEY_TEXT];

        secret_make_key(key);
        snprintf(out_text, SECRET_WEBHOOK_TEXT, "whsec_%s", key);
        secret_forget(key, sizeof(key));
}

void secret_make_kid(char out_kid[16])
{
        unsigned char bytes[4];

        random_bytes(bytes, sizeof(bytes));
        snprintf(out_kid, 16, "key_%02x%02x%02x%02x", bytes[0], bytes[1], bytes[2], bytes[3]);
}

json_t *secret_cmid(void)
{
        char text[CMID_TEXT_BYTES];
        uint8_t bytes[10];

        random_bytes(bytes, sizeof(bytes));
        struct cmid cmid = cmid_make((uint64_t)clock_wall_ms(), bytes);
        cmid_write(text, &cmid);
        return json_stringn(text, sizeof(text));
}

void secret_forget(void *bytes, size_t count)
{
        explicit_bzero(bytes, count);
}
