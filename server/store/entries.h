/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the conversation logs. Errors are db_error. */
#pragma once

#include "protocol/ids.h"
#include "store/db.h"

enum entry_log { LOG_PUBLIC = 0, LOG_TEAM = 1 };

struct entry_row {
        int64_t conv;
        enum entry_log log;
        int64_t seq;    /* team log: the iseq */
        int64_t at_seq; /* team log: public head when it was written */
        int64_t ts, author;
        int kind;
        int64_t version;
        bool has_cmid, has_hash;
        struct cmid cmid;
        uint8_t hash[16];
        struct span body; /* stored content, a JSON object; lent by the statement, at NULL when erased */
};

/* Appends. DB_OK, or DB_ROW when (cmid, author) is there already and nothing was stored. */
int entries_append(struct db *db, const struct entry_row *row);

/* The entry of that key: all but author, version and body. DB_ROW or DB_OK (none). */
int entries_by_cmid(struct db *db, const struct cmid *cmid, int64_t author, struct entry_row *out_row);

/* The same under the visitors that `user` has claimed; author is not told. */
int entries_by_cmid_alias(struct db *db, const struct cmid *cmid, int64_t user, struct entry_row *out_row,
                          uint64_t *out_conv_ext);

/* One entry. DB_ROW (then end with db_reset(*out_stmt): the body is lent until then) or DB_OK (none). */
int entries_get(struct db *db, int64_t conv, enum entry_log log, int64_t seq, struct entry_row *out_row,
                struct db_stmt **out_stmt);

int entries_replace_content(struct db *db, int64_t conv, enum entry_log log, int64_t seq, int64_t version,
                            struct span body);
int entries_blank(struct db *db, int64_t conv, enum entry_log log, int64_t seq, int erased_kind);

/* How many public entries above `after` and up to `until` count as unread for somebody who is not `author`. */
int entries_count_unread(struct db *db, int64_t conv, int64_t after, int64_t until, int64_t author, int64_t *out_count);

/* Customer messages behind the last public message of an agent, and the time of the oldest (0 = none). */
int entries_count_unanswered(struct db *db, int64_t conv, int64_t customer, int64_t *out_count, int64_t *out_since);

/* Blanks every entry of `kind` (edit or revision) above `above` in that log whose body says `of`. */
int entries_blank_about(struct db *db, int64_t conv, enum entry_log log, int kind, int64_t of, int64_t above);

/* Reads one row of a running entries_after or entries_before statement (conv and log are the caller's). */
void entries_read_row(struct db_stmt *stmt, struct entry_row *out_row);
