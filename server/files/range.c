/* SPDX-License-Identifier: Apache-2.0 */
#include "files/range.h"

#include <strings.h>

/* Digits at the beginning of *text, which moves behind them; -1: none. Numbers that are too large become the largest.
 */
static int64_t take_number(struct span *text)
{
        int64_t value = 0;
        size_t len = 0;
        for (; len < text->len && text->at[len] >= '0' && text->at[len] <= '9'; len++) {
                int digit = text->at[len] - '0';
                value = value > (INT64_MAX - digit) / 10 ? INT64_MAX : value * 10 + digit;
        }
        text->at += len;
        text->len -= len;
        return len == 0 ? -1 : value;
}

enum range_kind range_read(struct span header, int64_t size, int64_t *out_from, int64_t *out_len)
{
        struct span unit = SPAN("bytes=");
        *out_from = 0;
        *out_len = size;
        if (!header.at || header.len <= unit.len || strncasecmp(header.at, unit.at, unit.len) != 0)
                return RANGE_WHOLE;
        struct span rest = {header.at + unit.len, header.len - unit.len};
        if (memchr(rest.at, ',', rest.len))
                return RANGE_REFUSED;
        int64_t first = take_number(&rest);
        if (rest.len == 0 || rest.at[0] != '-')
                return RANGE_WHOLE;
        rest.at++;
        rest.len--;
        int64_t last = take_number(&rest);
        if (rest.len > 0 || (first < 0 && last < 0) || (first >= 0 && last >= 0 && last < first))
                return RANGE_WHOLE;
        if (first < 0) { /* the last so many */
                if (last == 0)
                        return RANGE_REFUSED;
                *out_len = last < size ? last : size;
                *out_from = size - *out_len;
                return RANGE_PART;
        }
        if (first >= size)
                return RANGE_REFUSED;
        *out_from = first;
        *out_len = (last < 0 || last >= size ? size - 1 : last) - first + 1;
        return RANGE_PART;
}
