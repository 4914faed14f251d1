/* SPDX-License-Identifier: Apache-2.0 */
/* A canned reply as it stands in the store, and its text for somebody. */
#pragma once

#include "desk/command.h"
#include "store/db.h"

struct desk;

struct canned_row {
        int64_t id, owner, version, uses, used_ms;
        uint64_t ext;
        char shortcut[65], name[801], folder[65], lang[36];
};

/* Each: DB_ROW, DB_OK (none, or somebody else's own), or a db_error. `viewer`: row id of the agent; 0 = the operator,
 * who sees everybody's. Any thread. */
int canned_by_ext(struct db *db, int64_t workspace, int64_t viewer, uint64_t ext, struct canned_row *out_row);
int canned_by_shortcut(struct db *db, int64_t workspace, int64_t viewer, struct span shortcut,
                       struct canned_row *out_row); /* his own first */
void canned_read_row(struct db_stmt *stmt, struct canned_row *out_row);

/* Its text in the language wanted (absent or "" = its own), or in one near it, or in its own; copied into `arena`.
 * DB_ROW or a db_error. Any thread. */
int canned_text_in(struct db *db, const struct canned_row *row, struct span lang, struct arena *arena,
                   struct span *out_lang, struct span *out_text);

/* The row id that owns what the caller sees as his own. */
static inline int64_t canned_viewer(const struct caller *caller)
{
        return caller->role == ROLE_AGENT ? caller->principal : 0;
}
/* Whether the caller may change what `owner` has: his own, or everybody's with the permission. 0 or
 * -PROTOCOL_ERR_FORBIDDEN. */
int canned_may_change(const struct desk *desk, const struct caller *caller, int64_t owner);
/* One use more. 0 or a negative protocol error (the store failed). */
int canned_count_use(struct desk *desk, int64_t id);
