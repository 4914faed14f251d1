/* SPDX-License-Identifier: Apache-2.0 */
/* Single values of the store (epoch, rev), remembered answers (delivery A6) and the audit trail. Errors are db_error.
 */
#pragma once

#include "protocol/ids.h"
#include "store/db.h"

int meta_get_int(struct db *db, const char *name, int64_t *out_value); /* DB_ROW or DB_OK (none) */
int meta_put_int(struct db *db, const char *name, int64_t value);
int meta_get_blob(struct db *db, const char *name, uint8_t *out_bytes,
                  size_t len); /* DB_ROW; DB_OK: none of that size */
int meta_put_blob(struct db *db, const char *name, const uint8_t *bytes, size_t len);

/* The answer remembered for (author, cmid). DB_ROW (then db_reset(*out_stmt) when done with *out_result) or DB_OK. */
int done_find(struct db *db, int64_t author, const struct cmid *cmid, int *out_method, uint8_t out_hash[16],
              struct span *out_result, struct db_stmt **out_stmt);
int done_put(struct db *db, int64_t author, const struct cmid *cmid, int method, const uint8_t hash[16],
             struct span result, int64_t now_ms);
int done_sweep(struct db *db, int64_t before_ms);

/* One line of the audit trail. `object` and `detail` hold ids and settings, never content or secrets. */
int audit_put(struct db *db, int64_t now_ms, int64_t actor, enum principal_role role, const char *action,
              struct span object, struct span detail);
