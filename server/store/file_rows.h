/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of attachments. Errors are db_error. */
#pragma once

#include "protocol/ids.h"
#include "protocol_generated.h"
#include "store/db.h"

enum file_state { FILE_ARRIVING = 0, FILE_WHOLE = 1, FILE_GONE = 2, FILE_REMOVED = 3 }; /* stored: never change one */

enum { FILE_NAME_ROOM = 4 * 255 + 1, FILE_MEDIA_ROOM = 128 };

struct file_row {
        int64_t id, owner; /* row ids */
        uint8_t ext[16];
        char name[FILE_NAME_ROOM], media[FILE_MEDIA_ROOM];
        int64_t size;
        bool has_sha256;
        uint8_t sha256[32];
        uint32_t width, height; /* 0 = not known */
        enum file_state state;
        int64_t conv, seq; /* of the message that carries it; conv 0 = none */
        int log;           /* enum entry_log */
        int64_t touched_ms;
        uint8_t asked[16];
};

/* Who wants to read it. */
struct file_viewer {
        int64_t principal, workspace; /* row ids */
        enum principal_role role;
};

/* Each: DB_ROW when found, DB_OK when there is none. */
int file_rows_by_cmid(struct db *db, int64_t owner, const struct cmid *cmid, struct file_row *out_row);
int file_rows_by_ext(struct db *db, const uint8_t ext[16], struct file_row *out_row);
int file_rows_own(struct db *db, const uint8_t ext[16], int64_t owner, struct file_row *out_row);
int file_rows_view(struct db *db, const uint8_t ext[16], const struct file_viewer *viewer, struct file_row *out_row);

/* Inserts an upload that begins: ext, owner, name, media, size and asked of `row`; row->id is set. */
int file_rows_insert(struct db *db, struct file_row *row, int64_t workspace, const struct cmid *cmid, int64_t now_ms);
int file_rows_touch(struct db *db, int64_t id, int64_t now_ms);
/* It is whole: media, sha256, width and height of `row`. */
int file_rows_whole(struct db *db, const struct file_row *row, int64_t now_ms);
/* A message carries it from now on. DB_ROW: done; DB_OK: another one does, or it is not whole. */
int file_rows_attach(struct db *db, int64_t id, int64_t conv, int log, int64_t seq);

int file_rows_let_go(struct db *db, int64_t id);
/* The same for those of one message; of a whole conversation; of one owner; and those in no message that were not
 * touched since. *out_count (may be NULL) grows by how many. */
int file_rows_let_go_at(struct db *db, int64_t conv, int log, int64_t seq, int64_t *out_count);
int file_rows_let_go_conversation(struct db *db, int64_t conv, int64_t *out_count);
int file_rows_let_go_owner(struct db *db, int64_t owner, int64_t *out_count);
int file_rows_let_go_loose(struct db *db, int64_t until_ms, int64_t *out_count);

/* When the oldest of those in no message was touched; INT64_MAX: there is none. */
int file_rows_next_loose(struct db *db, int64_t *out_ms);
/* Up to `room` of those to be removed, above row `above`. Count, or a db_error. */
int file_rows_gone(struct db *db, int64_t above, int64_t *out_ids, uint8_t (*out_exts)[16], int room);
int file_rows_removed(struct db *db, int64_t id);
int file_rows_forget(struct db *db, int64_t until_ms); /* those that were removed and are older */
/* How many an owner has begun since, and when the first of them. */
int file_rows_since(struct db *db, int64_t owner, int64_t since_ms, int64_t *out_count, int64_t *out_first_ms);
int file_rows_bytes(struct db *db, int64_t *out_bytes); /* on the disk, or promised to be */

/* Reads one row of a running statement of files. */
void file_row_read(struct db_stmt *stmt, struct file_row *out_row);
