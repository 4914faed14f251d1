/* SPDX-License-Identifier: Apache-2.0 */
#include "files/link.h"

#include <stdio.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

/* What is signed begins with what it is for, so that the key can never prove anything else. 0, or -1. */
static int make_mac(const uint8_t key[LINK_KEY_BYTES], const uint8_t file[FILE_ID_BYTES], int64_t expires_ms,
                    struct principal_id who, uint8_t out_mac[LINK_MAC_BYTES])
{
        char text[128], name[FILE_ID_TEXT], principal[ID_TEXT_BYTES];
        unsigned int len = 0;
        file_id_write(name, file);
        size_t principal_len = principal_write(principal, who);
        int text_len = snprintf(text, sizeof text, "deskbell file link\n%.*s\n%lld\n%.*s", FILE_ID_TEXT, name,
                                (long long)expires_ms, (int)principal_len, principal);
        return HMAC(EVP_sha256(), key, LINK_KEY_BYTES, (const unsigned char *)text, (size_t)text_len, out_mac, &len)
                       ? 0
                       : -1;
}

size_t link_write(char out[LINK_TEXT], const uint8_t key[LINK_KEY_BYTES], const uint8_t file[FILE_ID_BYTES],
                  int64_t expires_ms, struct principal_id who)
{
        uint8_t mac[LINK_MAC_BYTES];
        char name[FILE_ID_TEXT], principal[ID_TEXT_BYTES], halves[2][FILE_ID_TEXT];
        if (make_mac(key, file, expires_ms, who, mac) < 0) {
                out[0] = 0;
                return 0;
        }
        file_id_write(name, file);
        file_id_write(halves[0], mac);
        file_id_write(halves[1], mac + FILE_ID_BYTES);
        size_t principal_len = principal_write(principal, who);
        return (size_t)snprintf(out, LINK_TEXT, "/f/%.*s/%lld-%.*s/%.*s%.*s", FILE_ID_TEXT, name, (long long)expires_ms,
                                (int)principal_len, principal, FILE_ID_TEXT, halves[0], FILE_ID_TEXT, halves[1]);
}

/* What stands before the next `stop`, which is passed; the rest when `stop` is 0. At NULL: there is none. */
static struct span take_until(struct span *text, char stop)
{
        const char *end = stop ? memchr(text->at, stop, text->len) : text->at + text->len;
        if (!end)
                return (struct span){0};
        struct span taken = {text->at, (size_t)(end - text->at)};
        text->at = stop ? end + 1 : end;
        text->len -= taken.len + (stop ? 1 : 0);
        return taken;
}

static bool read_time(struct span text, int64_t *out_ms)
{
        int64_t value = 0;
        if (!text.at || text.len == 0 || text.len > 15)
                return false;
        for (size_t i = 0; i < text.len; i++) {
                if (text.at[i] < '0' || text.at[i] > '9' || (i == 0 && text.at[i] == '0'))
                        return false;
                value = value * 10 + (text.at[i] - '0');
        }
        *out_ms = value;
        return true;
}

int link_read(struct span path, struct file_link *out_link)
{
        struct span before = SPAN("/f/"), rest = path;
        if (path.len <= before.len || memcmp(path.at, before.at, before.len) != 0)
                return -1;
        rest.at += before.len;
        rest.len -= before.len;
        struct span file = take_until(&rest, '/'), expiry = take_until(&rest, '-'), who = take_until(&rest, '/');
        struct span mac = take_until(&rest, 0);
        struct file_link link;
        if (!file.at || !expiry.at || !who.at || mac.len != 2 * FILE_ID_TEXT)
                return -1;
        if (file_id_read(file, link.file) < 0 || !read_time(expiry, &link.expires_ms) ||
            principal_read(who, &link.who) < 0 || file_id_read((struct span){mac.at, FILE_ID_TEXT}, link.mac) < 0 ||
            file_id_read((struct span){mac.at + FILE_ID_TEXT, FILE_ID_TEXT}, link.mac + FILE_ID_BYTES) < 0)
                return -1;
        *out_link = link;
        return 0;
}

bool link_is_good(const struct file_link *link, const uint8_t key[LINK_KEY_BYTES], int64_t now_ms)
{
        uint8_t mac[LINK_MAC_BYTES];
        return make_mac(key, link->file, link->expires_ms, link->who, mac) == 0 &&
               CRYPTO_memcmp(mac, link->mac, sizeof mac) == 0 && now_ms < link->expires_ms;
}
