/* SPDX-License-Identifier: Apache-2.0 */
/* Range: one range of bytes of a file (RFC 9110, 14). Pure; any thread. */
#pragma once

#include "protocol/span.h"

enum range_kind {
        RANGE_WHOLE, /* no range, another unit, or not a range at all: the whole file, as if nothing had been said */
        RANGE_PART,
        RANGE_REFUSED, /* beyond the end, empty, or several: 416 */
};

/* `header` may be absent. `size` is at least 1. For RANGE_PART and RANGE_WHOLE *out_from and *out_len say what to
 * send. */
enum range_kind range_read(struct span header, int64_t size, int64_t *out_from, int64_t *out_len);
