/* SPDX-License-Identifier: Apache-2.0 */
/* Link: the address of a file that needs no header: /f/<file>/<expiry>-<principal>/<mac>. The mac (HMAC-SHA256 under a
 * secret of the store) binds the file to one principal and one moment of expiry; whoever checks it looks again whether
 * that principal may see the file. A link is a secret: it goes into no log. Pure; any thread. */
#pragma once

#include "files/layout.h"
#include "protocol/ids.h"

enum { LINK_KEY_BYTES = 32, LINK_MAC_BYTES = 32, LINK_TEXT = 192, LINK_LIFE_MS = 5 * 60 * 1000 };

struct file_link {
        uint8_t file[FILE_ID_BYTES];
        int64_t expires_ms; /* wall */
        struct principal_id who;
        uint8_t mac[LINK_MAC_BYTES];
};

/* Writes the path, terminated; returns its length. */
size_t link_write(char out[LINK_TEXT], const uint8_t key[LINK_KEY_BYTES], const uint8_t file[FILE_ID_BYTES],
                  int64_t expires_ms, struct principal_id who);

/* 0, or -1 when the path is not of that form. Proves nothing. */
int link_read(struct span path, struct file_link *out_link);

/* Whether it was made with that key and has not expired. */
bool link_is_good(const struct file_link *link, const uint8_t key[LINK_KEY_BYTES], int64_t now_ms);
