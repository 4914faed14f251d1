/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/denied.h"

#include <stdatomic.h>

#include "ops/clock.h"
#include "ops/log.h"

enum { LINES_PER_SECOND = 20 };

static const struct log log_denied = {.area = "denied"};
static _Atomic uint64_t second;
static atomic_uint said, left_out;

/* Counts the line; false: too many in this second. */
static bool has_turn(unsigned *out_left_out)
{
        uint64_t now = clock_mono_ms() / 1000, before = atomic_exchange(&second, now);
        if (before != now)
                atomic_store(&said, 0);
        if (atomic_fetch_add(&said, 1) >= LINES_PER_SECOND) {
                atomic_fetch_add(&left_out, 1);
                return false;
        }
        *out_left_out = atomic_exchange(&left_out, 0);
        return true;
}

static void say(const char *what, const char *why, struct principal_id who, struct span address)
{
        unsigned count = 0;
        if (!has_turn(&count))
                return;
        char id[ID_TEXT_BYTES];
        struct span by = {id, who.role == ROLE_NONE ? 0 : principal_write(id, who)};
        log_warn(&log_denied, "denied", "method", what, "why", why, "who", by, "address", address, "left_out", count);
}

static bool is_worth_a_line(int error)
{
        switch (error) {
        case PROTOCOL_ERR_TOKEN_INVALID:
        case PROTOCOL_ERR_TOKEN_EXPIRED:
        case PROTOCOL_ERR_REVOKED:
        case PROTOCOL_ERR_FORBIDDEN:
        case PROTOCOL_ERR_NOT_FOUND:
        case PROTOCOL_ERR_RATE_LIMITED:
        case PROTOCOL_ERR_TOO_MANY:
        case PROTOCOL_ERR_IDEMPOTENCY_CONFLICT:
                return true;
        default:
                return false;
        }
}

void denied_say(const char *what, int error, struct principal_id who, struct span address)
{
        if (is_worth_a_line(error))
                say(what, protocol_error_info((enum protocol_error)error)->tag, who, address);
}

void denied_close(const char *what, int close_code, struct principal_id who, struct span address)
{
        const char *tag = protocol_close_tag(close_code);
        if (tag)
                say(what, tag, who, address);
}
