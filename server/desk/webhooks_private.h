/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the webhooks share. In a batch of the desk; 0, or a negative protocol error after desk_db_failed.
 */
#pragma once

#include "desk/desk_private.h"

/* Lent until the table is loaded again; NULL: none. */
struct webhook_target *webhooks_find(struct desk *desk, uint64_t ext);
struct webhook_target *webhooks_find_id(struct desk *desk, int64_t id);

int webhooks_run(struct desk *desk, struct db_stmt *stmt); /* a statement that the outbound thread should hear of */
int webhooks_load_again(struct desk *desk);
int webhooks_save_progress(struct desk *desk, const struct webhook_target *target);
/* From that time on every event has its rows at webhook `id` (0: at all of them). Within a batch; a db_error. */
int webhooks_save_since(struct desk *desk, int64_t id, int64_t since_ms);
/* The URL may be posted to. 0, or BAD_REQUEST with `fault` naming `url`. */
int webhooks_check_url(const struct desk *desk, struct span url, struct fault *fault);
/* Its bytes' number, or BAD_REQUEST with `fault` naming `secret`. */
int webhooks_read_secret(struct span text, uint8_t secret[64], struct fault *fault);
int webhooks_audit(struct desk *desk, const char *action, enum principal_role role, uint64_t ext);
