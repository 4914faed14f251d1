/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/totp.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

enum { DIGITS = 6, MODULUS = 1000000 };

uint32_t totp_code(const uint8_t *secret, size_t len, int64_t step, uint32_t modulus)
{
        uint8_t counter[8], mac[EVP_MAX_MD_SIZE];
        unsigned int mac_len = 0;
        for (int i = 0; i < 8; i++)
                counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
        if (!HMAC(EVP_sha1(), secret, (int)len, counter, sizeof counter, mac, &mac_len) || mac_len != 20)
                return UINT32_MAX; /* no code is that high */
        const uint8_t *at = mac + (mac[19] & 15);
        uint32_t number = (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
        return number % modulus;
}

int64_t totp_step_of(const uint8_t secret[TOTP_SECRET], struct span code, int64_t now_s, int64_t last_step)
{
        int64_t present = now_s / TOTP_STEP_S, found = 0;
        if (code.len != DIGITS)
                return 0;
        for (int64_t step = present - 1; step <= present + 1; step++) {
                char text[16];
                snprintf(text, sizeof text, "%06u", totp_code(secret, TOTP_SECRET, step, MODULUS));
                if (CRYPTO_memcmp(text, code.at, DIGITS) == 0 && step > last_step && found == 0)
                        found = step;
        }
        return found;
}

/* 20 bytes are 32 digits without a remainder. */
void totp_base32(const uint8_t secret[TOTP_SECRET], char out[TOTP_BASE32])
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        uint32_t bits = 0, held = 0;
        size_t len = 0;
        for (size_t i = 0; i < TOTP_SECRET; i++) {
                bits = bits << 8 | secret[i];
                for (held += 8; held >= 5; held -= 5)
                        out[len++] = digits[bits >> (held - 5) & 31];
        }
        out[len] = 0;
}
