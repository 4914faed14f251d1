/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/breaker.h"

bool breaker_lets(struct breaker *breaker, uint64_t now_ms)
{
        if (!breaker->is_open)
                return true;
        if (breaker->is_trying || now_ms < breaker->until_ms)
                return false;
        breaker->is_trying = true;
        return true;
}

void breaker_said(struct breaker *breaker, bool is_good, uint64_t now_ms)
{
        if (is_good) {
                *breaker = (struct breaker){0};
                return;
        }
        breaker->errors++;
        if (breaker->errors < BREAKER_ERRORS)
                return;
        /* Those asked before it opened do not keep it open for longer: only a trial does. */
        if (!breaker->is_open || breaker->is_trying)
                breaker->until_ms = now_ms + BREAKER_OPEN_MS;
        breaker->is_open = true;
        breaker->is_trying = false;
}

void breaker_unasked(struct breaker *breaker)
{
        breaker->is_trying = false;
}
