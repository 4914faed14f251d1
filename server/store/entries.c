/* SPDX-License-Identifier: Apache-2.0 */
#include "store/entries.h"

#include <stdlib.h>

#include "protocol_generated.h"

/* Kinds below this number are messages and count as unread; the ones from it on are about messages (entries.json). */
enum { FIRST_UNCOUNTED_KIND = PROTOCOL_ENTRY_EDIT };

int entries_append(struct db *db, const struct entry_row *row)
{
        struct db_stmt *stmt = db_stmt(db, SQL_ENTRY_APPEND);
        db_bind_int(stmt, 1, row->conv);
        db_bind_int(stmt, 2, row->log);
        db_bind_int(stmt, 3, row->seq);
        if (row->log == LOG_TEAM)
                db_bind_int(stmt, 4, row->at_seq);
        else
                db_bind_null(stmt, 4);
        db_bind_int(stmt, 5, row->ts);
        db_bind_int(stmt, 6, row->author);
        db_bind_int(stmt, 7, row->kind);
        if (row->has_cmid)
                db_bind_blob(stmt, 8, row->cmid.bytes, sizeof row->cmid.bytes);
        else
                db_bind_null(stmt, 8);
        if (row->has_hash)
                db_bind_blob(stmt, 9, row->hash, sizeof row->hash);
        else
                db_bind_null(stmt, 9);
        db_bind_text(stmt, 10, row->body);
        int rc = db_run(stmt);
        if (rc == DB_OK && db_changes(db) == 0)
                return DB_ROW;
        return rc;
}

static bool copy_blob(uint8_t out[16], struct span blob)
{
        if (blob.len != 16)
                return false;
        memcpy(out, blob.at, 16);
        return true;
}

/* What both statements by cmid begin with. */
static void read_place(struct db_stmt *stmt, const struct cmid *cmid, struct entry_row *out_row)
{
        *out_row = (struct entry_row){.conv = db_int(stmt, 0),
                                      .log = (enum entry_log)db_int(stmt, 1),
                                      .seq = db_int(stmt, 2),
                                      .at_seq = db_int(stmt, 3),
                                      .ts = db_int(stmt, 4),
                                      .kind = (int)db_int(stmt, 5),
                                      .has_cmid = true,
                                      .cmid = *cmid};
        out_row->has_hash = copy_blob(out_row->hash, db_blob(stmt, 6));
}

int entries_by_cmid(struct db *db, const struct cmid *cmid, int64_t author, struct entry_row *out_row)
{
        struct db_stmt *stmt = db_stmt(db, SQL_ENTRY_BY_CMID);
        db_bind_blob(stmt, 1, cmid->bytes, sizeof cmid->bytes);
        db_bind_int(stmt, 2, author);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        read_place(stmt, cmid, out_row);
        out_row->author = author;
        db_reset(stmt);
        return DB_ROW;
}

int entries_by_cmid_alias(struct db *db, const struct cmid *cmid, int64_t user, struct entry_row *out_row,
                          uint64_t *out_conv_ext)
{
        struct db_stmt *stmt = db_stmt(db, SQL_ENTRY_BY_CMID_ALIAS);
        db_bind_blob(stmt, 1, cmid->bytes, sizeof cmid->bytes);
        db_bind_int(stmt, 2, user);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        read_place(stmt, cmid, out_row);
        *out_conv_ext = (uint64_t)db_int(stmt, 7);
        db_reset(stmt);
        return DB_ROW;
}

int entries_get(struct db *db, int64_t conv, enum entry_log log, int64_t seq, struct entry_row *out_row,
                struct db_stmt **out_stmt)
{
        struct db_stmt *stmt = db_stmt(db, SQL_ENTRY_GET);
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, log);
        db_bind_int(stmt, 3, seq);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        struct entry_row row = {.conv = conv,
                                .log = log,
                                .seq = seq,
                                .ts = db_int(stmt, 0),
                                .author = db_int(stmt, 1),
                                .kind = (int)db_int(stmt, 2),
                                .version = db_int(stmt, 3),
                                .body = db_text(stmt, 6),
                                .at_seq = db_int(stmt, 7)};
        row.has_cmid = copy_blob(row.cmid.bytes, db_blob(stmt, 4));
        row.has_hash = copy_blob(row.hash, db_blob(stmt, 5));
        *out_row = row;
        *out_stmt = stmt;
        return DB_ROW;
}

static struct db_stmt *bind_place(struct db *db, enum sql_id id, int64_t conv, enum entry_log log, int64_t seq)
{
        struct db_stmt *stmt = db_stmt(db, id);
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, log);
        db_bind_int(stmt, 3, seq);
        return stmt;
}

int entries_replace_content(struct db *db, int64_t conv, enum entry_log log, int64_t seq, int64_t version,
                            struct span body)
{
        struct db_stmt *stmt = bind_place(db, SQL_ENTRY_REPLACE_CONTENT, conv, log, seq);
        db_bind_int(stmt, 4, version);
        db_bind_text(stmt, 5, body);
        return db_run(stmt);
}

int entries_blank(struct db *db, int64_t conv, enum entry_log log, int64_t seq, int erased_kind)
{
        struct db_stmt *stmt = bind_place(db, SQL_ENTRY_BLANK, conv, log, seq);
        db_bind_int(stmt, 4, erased_kind);
        return db_run(stmt);
}

int entries_count_unread(struct db *db, int64_t conv, int64_t after, int64_t until, int64_t author, int64_t *out_count)
{
        struct db_stmt *stmt = db_stmt(db, SQL_ENTRIES_UNREAD);
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, after);
        db_bind_int(stmt, 3, author);
        db_bind_int(stmt, 4, FIRST_UNCOUNTED_KIND);
        db_bind_int(stmt, 5, until);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc < 0 ? rc : DB_DAMAGED;
        *out_count = db_int(stmt, 0);
        db_reset(stmt);
        return DB_OK;
}

int entries_count_unanswered(struct db *db, int64_t conv, int64_t customer, int64_t *out_count, int64_t *out_since)
{
        struct db_stmt *stmt = db_stmt(db, SQL_ENTRIES_UNANSWERED);
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, customer);
        db_bind_int(stmt, 3, FIRST_UNCOUNTED_KIND);
        db_bind_int(stmt, 4, PROTOCOL_ENTRY_ERASED);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc < 0 ? rc : DB_DAMAGED;
        *out_count = db_int(stmt, 0);
        *out_since = db_int(stmt, 1);
        db_reset(stmt);
        return DB_OK;
}

static int blank_about(struct db *db, int64_t conv, enum entry_log log, int64_t seq)
{
        struct db_stmt *stmt = bind_place(db, SQL_ENTRY_BLANK_ABOUT, conv, log, seq);
        db_bind_int(stmt, 4, PROTOCOL_ENTRY_ERASED);
        return db_run(stmt);
}

/* The member `of` of a stored body; 0 = none. Stored bodies are written by us, in canonical form. */
static int64_t of_member(struct span body)
{
        char copy[64];
        const char *found = body.at ? memmem(body.at, body.len, "\"of\":", 5) : NULL;
        if (!found)
                return 0;
        size_t rest = body.len - (size_t)(found + 5 - body.at);
        size_t len = rest < sizeof copy ? rest : sizeof copy - 1;
        memcpy(copy, found + 5, len);
        copy[len] = 0;
        return strtoll(copy, NULL, 10);
}

int entries_blank_about(struct db *db, int64_t conv, enum entry_log log, int kind, int64_t of, int64_t above)
{
        enum { AT_ONCE = 64 };
        for (;;) {
                int64_t found[AT_ONCE];
                int count = 0;
                struct db_stmt *stmt = db_stmt(db, SQL_ENTRIES_ABOUT);
                db_bind_int(stmt, 1, conv);
                db_bind_int(stmt, 2, log);
                db_bind_int(stmt, 3, kind);
                db_bind_int(stmt, 4, above);
                int rc;
                while ((rc = db_step(stmt)) == DB_ROW && count < AT_ONCE)
                        if (of_member(db_text(stmt, 1)) == of)
                                found[count++] = db_int(stmt, 0);
                if (rc == DB_ROW)
                        db_reset(stmt);
                for (int i = 0; i < count && rc >= 0; i++)
                        rc = blank_about(db, conv, log, found[i]);
                if (rc < 0 || count < AT_ONCE)
                        return rc < 0 ? rc : DB_OK;
        }
}

void entries_read_row(struct db_stmt *stmt, struct entry_row *out_row)
{
        struct entry_row row = {.seq = db_int(stmt, 0),
                                .at_seq = db_int(stmt, 1),
                                .ts = db_int(stmt, 2),
                                .author = db_int(stmt, 3),
                                .kind = (int)db_int(stmt, 4),
                                .version = db_int(stmt, 5),
                                .body = db_text(stmt, 7)};
        row.has_cmid = copy_blob(row.cmid.bytes, db_blob(stmt, 6));
        *out_row = row;
}
