/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator's methods of bots share. In a batch of the desk; 0, or a negative protocol error. */
#pragma once

#include "desk/bot_builder.h"
#include "desk/bots.h"
#include "desk/desk_private.h"

enum { BOT_VERSIONS_KEPT = 200 };

/* A bot as it stands in the store. */
struct bot_row {
        int64_t id, app, live, canary, before;
        int canary_share, holdout;
        enum bot_kind kind;
        bool is_on, is_offline;
        char url[PROTOCOL_URL_BYTES + 1], articles[PROTOCOL_URL_BYTES + 1]; /* "" = none */
        uint8_t secret[64];
        size_t secret_len;
        int64_t timeout_ms; /* 0 = the default */
};

/* By its outside id. NOT_FOUND: there is none, or it was removed. */
int bot_admin_find(struct desk *desk, struct principal_id who, struct bot_row *out_row);

/* Runs a statement that changes a bot, of which memory hears after the commit. */
int bot_admin_run(struct desk *desk, struct db_stmt *stmt);
int bot_admin_audit(struct desk *desk, const char *action, struct principal_id bot, struct span detail);

/* Keeps a draft as a version of `bot` and forgets what is too old. *out_id is its row; *out_is_new, that it was not
 * there. BAD_REQUEST when a version of the same name holds another source. */
int bot_publish_keep(struct desk *desk, const struct bot_row *bot, const struct bot_draft *draft, struct span label,
                     int64_t *out_id, bool *out_is_new);

/* Replaces what a version has learned, in its row. `label`: "" keeps the one it has. 1; 0: there is no such version any
 * more; or a negative protocol error. */
int bot_publish_again(struct desk *desk, int64_t id, const struct bot_draft *draft, struct span label);

/* The lowest and the highest hash that begin with these digits; false: not 8 to 64 lower-case hex digits. Any thread.
 */
bool bot_publish_prefix(struct span digits, uint8_t low[32], uint8_t high[32]);
