/* SPDX-License-Identifier: Apache-2.0 */
/* Webhook: the signature of a webhook as in Standard Webhooks: HMAC-SHA256 over "id.timestamp.body", header
 * `webhook-signature: v1,<base64>`, during a rotation several of them with a space between. Pure; any thread. */
#pragma once

#include "protocol/span.h"

enum {
        WEBHOOK_SECRET_MIN = 24, /* bytes of a secret */
        WEBHOOK_SECRET_MAX = 64,
        WEBHOOK_SIGNATURE_BYTES = 47, /* "v1," and 44 characters */
        WEBHOOK_TOLERANCE_S = 300,    /* how far the two clocks may be apart */
};

enum webhook_verdict {
        WEBHOOK_GOOD = 0,
        WEBHOOK_MALFORMED,     /* a header is missing or not as it should be */
        WEBHOOK_TOO_OLD,       /* more than five minutes ago: a replay, or a wrong clock */
        WEBHOOK_TOO_NEW,       /* more than five minutes ahead: a wrong clock */
        WEBHOOK_BAD_SIGNATURE, /* other body, other id, other time or other secret */
};

/* Decodes "whsec_<base64>" into `out` (WEBHOOK_SECRET_MAX bytes). How many bytes, or -1: not such a secret. */
int webhook_secret_read(struct span text, uint8_t *out);

/* Writes WEBHOOK_SIGNATURE_BYTES bytes, no terminator. 0, or -1 when the library failed. */
int webhook_sign(const uint8_t *secret, size_t secret_len, struct span id, int64_t timestamp_s, struct span body,
                 char out[WEBHOOK_SIGNATURE_BYTES]);

/* What a receiver does with the three headers and the raw body. A caller with an old secret asks once for each. To be
 * safe against repeats within the five minutes it keeps the ids that it has handled. */
enum webhook_verdict webhook_verify(const uint8_t *secret, size_t secret_len, struct span id, struct span timestamp,
                                    struct span signatures, struct span body, int64_t now_s);

const char *webhook_verdict_text(enum webhook_verdict verdict); /* a sentence */
