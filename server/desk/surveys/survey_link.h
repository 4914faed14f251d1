/* SPDX-License-Identifier: Apache-2.0 */
/* Survey link: the address of the page on which a customer answers without the app: /s/<offer>-<expiry>-<mac>. The mac
 * (HMAC-SHA256 under a secret of the store) binds one offer to the moment at which it ends. A link is a secret: it goes
 * into no log. Pure, but for survey_link_check; any thread. */
#pragma once

#include "files/link.h"
#include "protocol/ids.h"

struct desk;

enum { SURVEY_LINK_TEXT = 128 };

struct survey_link {
        uint64_t offer;     /* off_... */
        int64_t expires_ms; /* wall */
        uint8_t mac[LINK_MAC_BYTES];
};

/* Writes the path, terminated; returns its length, 0 = it could not be signed. */
size_t survey_link_write(char out[SURVEY_LINK_TEXT], const uint8_t key[LINK_KEY_BYTES], uint64_t offer,
                         int64_t expires_ms);
/* 0, or -1 when the path is not of that form. Proves nothing. */
int survey_link_read(struct span path, struct survey_link *out_link);
/* Whether it was made with that key; it may be over. */
bool survey_link_is_made(const struct survey_link *link, const uint8_t key[LINK_KEY_BYTES]);

/* Of a running desk: 0 with the offer; -PROTOCOL_ERR_NOT_FOUND: no link of ours; -PROTOCOL_ERR_LOCKED: its time is
 * over. Touches no store. */
int survey_link_check(const struct desk *desk, struct span path, uint64_t *out_offer);
