/* SPDX-License-Identifier: Apache-2.0 */
/* Ids as they cross the wire (design: 42 bits of milliseconds, 22 random bits, 13 Crockford base32 digits behind a
 * prefix of three letters and '_') and the client's message id. Pure; any thread. */
#pragma once

#include "protocol/span.h"

enum { ID_TEXT_BYTES = 17, CMID_TEXT_BYTES = 32 };

/* Who acts. The prefix of a principal's id tells its role. */
enum principal_role {
        ROLE_NONE = 0,     /* absent */
        ROLE_CUSTOMER = 1, /* usr_: named user or visitor */
        ROLE_AGENT = 2,    /* agt_ */
        ROLE_BOT = 3,      /* bot_ */
        ROLE_APP = 4,      /* app_: an app's back end */
        ROLE_SYSTEM = 5,   /* sys_: the server itself; id 0 */
        ROLE_ERASED = 6,   /* gone_: an erased person; id 0, text "gone" */
        ROLE_OPERATOR = 7, /* opr_: the operator at the control socket; id 0 */
};

struct principal_id {
        enum principal_role role;
        uint64_t id;
};

struct cmid {
        uint8_t bytes[16];
};

/* Composes an id from the time (ms since 1970, below 2^42) and 22 random bits; never 0. */
uint64_t id_make(uint64_t now_ms, uint32_t random_bits);

/* Writes exactly ID_TEXT_BYTES bytes, no terminator: "cnv_" and 13 digits. `prefix` has three letters. */
void id_write(char out[ID_TEXT_BYTES], const char *prefix, uint64_t id);

/* 0, or -1 when `text` is not exactly prefix, '_' and 13 canonical lower-case digits of a value that is not 0. */
int id_read(struct span text, const char *prefix, uint64_t *out_id);

/* Writes at most ID_TEXT_BYTES bytes; returns how many. Roles without id write their bare word (sys, gone, opr). */
size_t principal_write(char out[ID_TEXT_BYTES], struct principal_id who);
int principal_read(struct span text, struct principal_id *out_who);

void cmid_write(char out[CMID_TEXT_BYTES], const struct cmid *cmid);
int cmid_read(struct span text, struct cmid *out_cmid); /* 32 lower-case hex digits, not all zero */

/* UUIDv7 layout: 48 bits of milliseconds, version and variant bits, 74 random bits taken from `random`. */
struct cmid cmid_make(uint64_t now_ms, const uint8_t random[10]);
