/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/surveys/survey_link.h"

#include <stdio.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { OFFER_DIGITS = ID_TEXT_BYTES - 4, EXPIRY_DIGITS = 13, MAC_TEXT = 2 * FILE_ID_TEXT };

static const struct span before = {"/s/", 3};

/* What is signed begins with what it is for, so that the key can never prove anything else. 0, or -1. */
static int make_mac(const uint8_t key[LINK_KEY_BYTES], uint64_t offer, int64_t expires_ms,
                    uint8_t out_mac[LINK_MAC_BYTES])
{
        char text[96], id[ID_TEXT_BYTES];
        unsigned int len = 0;
        id_write(id, "off", offer);
        int text_len = snprintf(text, sizeof text, "deskbell survey link\n%.*s\n%lld", ID_TEXT_BYTES, id,
                                (long long)expires_ms);
        return HMAC(EVP_sha256(), key, LINK_KEY_BYTES, (const unsigned char *)text, (size_t)text_len, out_mac, &len)
                       ? 0
                       : -1;
}

size_t survey_link_write(char out[SURVEY_LINK_TEXT], const uint8_t key[LINK_KEY_BYTES], uint64_t offer,
                         int64_t expires_ms)
{
        uint8_t mac[LINK_MAC_BYTES];
        char id[ID_TEXT_BYTES], halves[2][FILE_ID_TEXT];
        if (make_mac(key, offer, expires_ms, mac) < 0) {
                out[0] = 0;
                return 0;
        }
        id_write(id, "off", offer);
        file_id_write(halves[0], mac);
        file_id_write(halves[1], mac + FILE_ID_BYTES);
        return (size_t)snprintf(out, SURVEY_LINK_TEXT, "/s/%.*s-%0*lld-%.*s%.*s", OFFER_DIGITS, id + 4, EXPIRY_DIGITS,
                                (long long)expires_ms, FILE_ID_TEXT, halves[0], FILE_ID_TEXT, halves[1]);
}

static int read_offer(const char *digits, uint64_t *out_offer)
{
        char id[ID_TEXT_BYTES] = "off_";
        memcpy(id + 4, digits, OFFER_DIGITS);
        return id_read((struct span){id, sizeof id}, "off", out_offer);
}

static int read_expiry(const char *digits, int64_t *out_ms)
{
        int64_t value = 0;
        for (int i = 0; i < EXPIRY_DIGITS; i++) {
                if (digits[i] < '0' || digits[i] > '9')
                        return -1;
                value = value * 10 + (digits[i] - '0');
        }
        *out_ms = value;
        return 0;
}

int survey_link_read(struct span path, struct survey_link *out_link)
{
        struct survey_link link;
        if (path.len != before.len + OFFER_DIGITS + 1 + EXPIRY_DIGITS + 1 + MAC_TEXT ||
            memcmp(path.at, before.at, before.len) != 0)
                return -1;
        const char *offer = path.at + before.len, *expiry = offer + OFFER_DIGITS + 1;
        const char *mac = expiry + EXPIRY_DIGITS + 1;
        if (expiry[-1] != '-' || mac[-1] != '-' || read_offer(offer, &link.offer) < 0 ||
            read_expiry(expiry, &link.expires_ms) < 0 || file_id_read((struct span){mac, FILE_ID_TEXT}, link.mac) < 0 ||
            file_id_read((struct span){mac + FILE_ID_TEXT, FILE_ID_TEXT}, link.mac + FILE_ID_BYTES) < 0)
                return -1;
        *out_link = link;
        return 0;
}

bool survey_link_is_made(const struct survey_link *link, const uint8_t key[LINK_KEY_BYTES])
{
        uint8_t mac[LINK_MAC_BYTES];
        return make_mac(key, link->offer, link->expires_ms, mac) == 0 && CRYPTO_memcmp(mac, link->mac, sizeof mac) == 0;
}
