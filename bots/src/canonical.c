/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>
#include <string.h>

#include "bots/source.h"

char *bot_canonical(const json_t *bot)
{
        return json_dumps(bot, JSON_SORT_KEYS | JSON_COMPACT | JSON_REAL_PRECISION(17));
}

bool bot_version_name(const char *canonical, char out[65])
{
        static const char digits[] = "0123456789abcdef";
        unsigned char hash[EVP_MAX_MD_SIZE];
        unsigned int len = 0;
        if (!EVP_Digest(canonical, strlen(canonical), hash, &len, EVP_sha256(), NULL))
                return false;
        for (unsigned int i = 0; i < 32; i++) {
                out[2 * i] = digits[hash[i] >> 4];
                out[2 * i + 1] = digits[hash[i] & 15];
        }
        out[64] = '\0';
        return true;
}
