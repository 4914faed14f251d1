/* SPDX-License-Identifier: Apache-2.0 */
/* Cache, shared between its files: one connection and its prepared statements. */
#pragma once

#include <glob.h>
#include <sqlite3.h>

#include "cache.h"
#include "seal.h"

/* X(name, text): every statement, prepared on first use. */
#define CACHE_STATEMENTS(X)                                                                                                 \
        X(BEGIN, "BEGIN IMMEDIATE")                                                                                         \
        X(COMMIT, "COMMIT")                                                                                                 \
        X(VALUE_GET, "SELECT " VALUE_COLUMN " FROM meta WHERE name = ?1")                                                   \
        X(VALUE_SET, "INSERT OR REPLACE INTO meta(name, value) VALUES(?1, " SEALED("?2", "meta.value", "?1") ")")           \
        X(NUMBER_GET, "SELECT value FROM meta WHERE name = ?1")                                                             \
        X(NUMBER_SET, "INSERT OR REPLACE INTO meta(name, value) VALUES(?1, ?2)")                                            \
        X(VALUE_DROP, "DELETE FROM meta WHERE name = ?1")                                                                   \
        X(CONVS, "SELECT " CONV_COLUMNS " FROM conv ORDER BY row")                                                          \
        X(CONV_GET, "SELECT " CONV_COLUMNS " FROM conv WHERE row = ?1")                                                     \
        X(CONV_NEXT, "SELECT coalesce(max(row), 0) + 1 FROM conv")                                                          \
        X(CONV_PUT, "INSERT OR REPLACE INTO conv(" CONV_LIST(NAMED) ") VALUES(?1, ?2, " SEALED(                             \
                            "?3", "conv.key",                                                                               \
                            "?1, ?2") ", ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, " SEALED("?15", "conv.feed",      \
                                                                                                   "?1, ?2") ")")           \
        X(ENTRY_PUT, "INSERT OR REPLACE INTO entry(" ENTRY_LIST(NAMED) ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, " SEALED(      \
                             "?8", "entry.body", "?1, ?2, ?3") ")")                                                         \
        X(ENTRIES_UP, "SELECT " ENTRY_COLUMNS " FROM entry WHERE conv = ?1 AND log = ?2 AND number BETWEEN ?3 AND ?4 "      \
                      "ORDER BY number LIMIT ?5")                                                                           \
        X(ENTRIES_END, "SELECT " ENTRY_COLUMNS " FROM (SELECT * FROM entry WHERE conv = ?1 AND log = ?2 AND number "        \
                       "BETWEEN ?3 AND ?4 ORDER BY number DESC LIMIT ?5) ORDER BY number")                                  \
        X(ABOUT, "SELECT " ENTRY_COLUMNS " FROM entry WHERE of = ?3 AND conv = ?1 AND log = ?2 AND kind = ?5 AND "          \
                 "number > ?4 ORDER BY number")                                                                             \
        X(ENTRY_FIND, "SELECT number FROM entry WHERE cmid = ?3 AND conv = ?1 AND log = ?2")                                \
        X(UNREAD, "SELECT count(*) FROM entry WHERE conv = ?1 AND log = 0 AND number > ?2 AND counts = 1")                  \
        X(WIPE, "DELETE FROM entry WHERE conv = ?1")                                                                        \
        X(MESSAGE_ADD,                                                                                                      \
          "INSERT INTO outbox(cmid, conv, op, log, content, hash, target, of, version, epoch, queued_ms, "                  \
          "first_ms, state, told) VALUES(?1, ?2, ?3, ?4, " SEALED(                                                          \
                  "?5", "outbox.content",                                                                                   \
                  "?1, ?2, ?3, ?4, ?7") ", " SEALED("?6", "outbox.hash",                                                    \
                                                    "?1, ?2, ?3, ?4, ?7") ", ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0)")           \
        X(MESSAGE_SAVE, "UPDATE outbox SET state = ?2, tag = ?3, number = ?4, at_seq = ?5, ts = ?6, epoch = ?7, "           \
                        "dup = ?8, told = ?9, queued_ms = ?10, first_ms = ?11, of = ?12 WHERE pos = ?1")                    \
        X(MESSAGE_TOLD, "UPDATE outbox SET told = 1 WHERE pos = ?1")                                                        \
        X(MESSAGE_DROP, "DELETE FROM outbox WHERE pos = ?1")                                                                \
        X(MESSAGE_ERASE,                                                                                                    \
          "DELETE FROM outbox WHERE (cmid = ?1 AND op = 1 OR target = ?1 AND op = 2) AND state BETWEEN "                    \
          "2 AND 6")                                                                                                        \
        X(SWEEP, "DELETE FROM outbox WHERE state BETWEEN 2 AND 4 AND told = 1 AND queued_ms < ?1")                          \
        X(UNSENT, "SELECT " MESSAGE_COLUMNS " FROM outbox WHERE (state = 1 OR state = 2 AND number = 0) AND "               \
                  "(?1 = 0 OR conv = ?1) ORDER BY pos")                                                                     \
        X(UNTOLD, "SELECT " MESSAGE_COLUMNS " FROM outbox WHERE state BETWEEN 2 AND 6 AND told = 0 AND (?1 = 0 OR "         \
                  "conv = ?1) ORDER BY pos")                                                                                \
        X(OFFER_AGAIN, "UPDATE outbox SET state = 2, number = 0 WHERE state BETWEEN 2 AND 4")                               \
        X(SHOWN, "SELECT " MESSAGE_COLUMNS " FROM outbox WHERE state IN (1, 5, 6, 7) AND conv = ?1 ORDER BY pos")           \
        X(UPLOADING, "SELECT " MESSAGE_COLUMNS " FROM outbox WHERE state = 7 AND (?1 = 0 OR conv = ?1) ORDER BY pos")       \
        X(UPLOAD_PUT,                                                                                                       \
          "INSERT OR REPLACE INTO upload(" UPLOAD_LIST(NAMED) ") VALUES(?1, ?2, ?3, " SEALED(                               \
                  "?4", "upload.path",                                                                                      \
                  "?1, ?2") ", ?5, " SEALED("?6", "upload.name",                                                            \
                                            "?1, ?2") ", " SEALED("?7", "upload.media",                                     \
                                                                  "?1, ?2") ", ?8, ?9, " SEALED("?10",                      \
                                                                                                "upload.sha256",            \
                                                                                                "?1, ?2") ", ?11, "         \
                                                                                                          "?12, ?13, "      \
                                                                                                          "?14, ?15, "      \
                                                                                                          "?16,"            \
                                                                                                          " " SEALED(       \
                                                                                                                  "?1"      \
                                                                                                                  "7",      \
                                                                                                                  "up"      \
                                                                                                                  "lo"      \
                                                                                                                  "ad"      \
                                                                                                                  ".s"      \
                                                                                                                  "ec"      \
                                                                                                                  "re"      \
                                                                                                                  "t",      \
                                                                                                                  "?1"      \
                                                                                                                  ", "      \
                                                                                                                  "?"       \
                                                                                                                  "2") ")") \
        X(UPLOADS, "SELECT " UPLOAD_COLUMNS " FROM upload WHERE pos = ?1 ORDER BY at")                                      \
        X(UPLOADS_DROP, "DELETE FROM upload WHERE pos = ?1")                                                                \
        X(UPLOAD_KNOWS,                                                                                                     \
          "SELECT count(*) FROM upload WHERE copy = 1 AND " UNSEALED("path", "upload.path", "pos, at") " = ?1")             \
        X(COPY_NEXT, "SELECT min(pos) FROM upload WHERE copy = 1 AND pos > ?1")                                             \
        X(MESSAGE_GET, "SELECT " MESSAGE_COLUMNS " FROM outbox WHERE cmid = ?1")                                            \
        X(BELOW, "SELECT " MESSAGE_COLUMNS " FROM outbox WHERE conv = ?1 AND number BETWEEN 1 AND ?2 AND state >= 2 "       \
                 "AND state < ?3 AND log = 0 AND op = 1 ORDER BY number")                                                   \
        X(PAGE_COUNT, "PRAGMA page_count")                                                                                  \
        X(FREE_COUNT, "PRAGMA freelist_count")                                                                              \
        X(PAGE_SIZE, "PRAGMA page_size")                                                                                    \
        X(OPENED_PUT, "INSERT OR REPLACE INTO recent(conv, opened_ms) VALUES(?1, ?2)")                                      \
        X(BY_OPENING, "SELECT row FROM conv LEFT JOIN recent ON recent.conv = row ORDER BY coalesce(opened_ms, 0), "        \
                      "row")                                                                                                \
        X(ENTRIES_DROP, "DELETE FROM entry WHERE conv = ?1 AND log = ?2 AND number <= ?3")                                  \
        X(FAILED_COUNT, "SELECT count(*) FROM outbox WHERE state IN (5, 6)")                                                \
        X(LAST, "SELECT coalesce(max(pos), 0) FROM outbox")

/* The tables with their columns, once. A column that says something about people or content goes through F: what it is
 * called and the columns that tell its place, which are bound to it and never change while it stands there. The SQL
 * functions seal() and unseal() are those of cache_key.c; without a key they change nothing. */
#define NAMED(value, what, place)    value
#define SEALED(value, what, place)   "seal(" value ", '" what "', " place ")"
#define UNSEALED(value, what, place) "unseal(" value ", '" what "', " place ")"

#define CONV_LIST(F)                                                                                                   \
        "row, id, " F("key", "conv.key", "row, id") ", confirmed, gone, low0, cursor0, head0, done0, low1, cursor1, "  \
                                                    "head1, done1, my_read, " F("feed", "conv.feed", "row, id")
#define ENTRY_LIST(F) "conv, log, number, kind, of, counts, cmid, " F("body", "entry.body", "conv, log, number")
#define MESSAGE_LIST(F)                                                                                                \
        "pos, cmid, conv, op, log, " F("content", "outbox.content", "cmid, conv, op, log, target") ", " F(             \
                "hash", "outbox.hash",                                                                                 \
                "cmid, conv, op, log, target") ", target, of, version, epoch, queued_ms, first_ms, "                   \
                                               "state, tag, number, at_seq, ts, dup, told"
#define UPLOAD_LIST(F)                                                                                                 \
        "pos, at, cmid, " F("path", "upload.path", "pos, at") ", copy, " F("name", "upload.name", "pos, at") ", " F(   \
                "media", "upload.media",                                                                               \
                "pos, at") ", size, mtime, " F("sha256", "upload.sha256",                                              \
                                               "pos, at") ", file, "                                                   \
                                                          "complete, width, height, tries, paused, " F(                \
                                                                  "secret", "upload.secret", "pos, at")

#define CMID_INDEX "sqlite_autoindex_outbox_1"

#define VALUE_COLUMN    UNSEALED("value", "meta.value", "name")
#define CONV_COLUMNS    CONV_LIST(UNSEALED)
#define ENTRY_COLUMNS   ENTRY_LIST(UNSEALED)
#define MESSAGE_COLUMNS MESSAGE_LIST(UNSEALED)
#define UPLOAD_COLUMNS  UPLOAD_LIST(UNSEALED)

enum cache_statement {
#define X(name, text) CACHE_##name,
        CACHE_STATEMENTS(X)
#undef X
                CACHE_STATEMENT_COUNT
};

struct cache {
        sqlite3 *db;
        struct seal *seal;  /* NULL = the file is plain */
        const uint8_t *key; /* the application's, while the file is being opened; NULL = none */
        int lock_fd;        /* -1 = in memory */
        bool is_durable;    /* PRAGMA synchronous as it stands: FULL */
        bool is_in_turn, has_failed;
        bool is_damaged;                     /* a page could not be read */
        int64_t rescued;                     /* -1 = no file was set aside */
        char *path;                          /* NULL = in memory */
        uint8_t wrapped[SEAL_WRAPPED_BYTES]; /* the data key of the file that is replaced */
        bool has_wrapped;
        bool is_anew;          /* the file is being replaced while it is used: what is set aside is under our seal */
        const char *wipe_path; /* NULL = the file stays */
        int *wipe_rc;
        sqlite3_stmt *statements[CACHE_STATEMENT_COUNT];
};

/* Ready to be bound; NULL (and has_failed) when it cannot be prepared. */
sqlite3_stmt *cache_statement(struct cache *cache, enum cache_statement which);
/* Steps to the end and resets; a failure is remembered. NULL is welcome. */
void cache_run(struct cache *cache, sqlite3_stmt *statement);
int64_t cache_one_number(struct cache *cache, enum cache_statement which); /* 0 = no row */
/* Steps once: true on a row; otherwise resets, and remembers a failure. */
bool cache_step(struct cache *cache, sqlite3_stmt *statement);
struct span cache_text(sqlite3_stmt *statement, int column);
void cache_bind_text(sqlite3_stmt *statement, int index, struct span text);
struct cached_message cache_read_message(sqlite3_stmt *statement); /* of MESSAGE_COLUMNS; lives as long as the row */

int cache_exec(struct cache *cache, const char *sql);    /* SQLite's code */
int64_t cache_ask(struct cache *cache, const char *sql); /* one number; -1 = none, or it failed */
bool cache_is_damage(int rc);

/* ---- cache_open.c ---- */
extern const char cache_schema[], cache_schema_files[];
int cache_open_db(struct cache *cache, const char *path, sqlite3 **out_db); /* SQLite's code */
int cache_set_up(struct cache *cache);                                      /* SQLite's code */
void cache_close_db(struct cache *cache);
char *cache_join(const char *path, const char *more); /* malloc'd */

/* ---- cache_key.c ---- */

enum key_verdict { KEY_NONE, KEY_TAKEN, KEY_WRONG, KEY_DAMAGED, KEY_ERROR };

/* The SQL functions seal(value, what, place...) and unseal(...), which use *seal; while it is NULL they give the value
 * as it is. SQLite's code. */
int cache_key_functions(sqlite3 *db, struct seal **seal);
/* NONE: the file is plain. WRONG: it is sealed, and not under this key (NULL: none). */
enum key_verdict cache_key_read(sqlite3 *db, const uint8_t *key, struct seal **out_seal);
void cache_key_write(struct cache *cache, const uint8_t *key); /* within a turn; a failure shows at the commit */
/* The wrapped data key as the file has it. False: it is nowhere whole. And into a new file, as cache_key_write. */
bool cache_key_take(struct cache *cache, uint8_t out_wrapped[SEAL_WRAPPED_BYTES]);
void cache_key_put(struct cache *cache, const uint8_t wrapped[SEAL_WRAPPED_BYTES]);

/* ---- cache_convert.c ---- */

/* What is left of a conversion that was interrupted goes, before the file is opened. */
void cache_convert_tidy(const char *path);
/* The plain file that is open becomes a sealed one of the same name. 0, DESKBELL_E_NOMEM, DESKBELL_E_STORE (the plain
 * file is open as before), DESKBELL_E_DAMAGED (it cannot be read to its end, and is open as before). */
int cache_convert(struct cache *cache, const char *path);
void cache_convert_finish(struct cache *cache); /* plain copies of bytes that are sealed now are removed; in a turn */
/* Plain files that were set aside are sealed whole, each under its name. */
void cache_convert_asides(const char *path, const uint8_t key[SEAL_KEY_BYTES]);

/* ---- cache_wipe.c ---- */
bool cache_wipe_file(int dir, const char *name); /* overwritten, then removed; AT_FDCWD: `name` is a path */
bool cache_overwrite(int fd);

/* ---- cache_rescue.c ---- */

/* The paths "<path><what>-<number>" of files set aside; globfree() them. */
bool cache_find_asides(const char *path, const char *what, glob_t *out_found);
int cache_open_old(const char *path, sqlite3 **out_old); /* only to be read; SQLite's code */

/* Takes what can be taken from all files "<path>.rescue-<ms>" into the turn; done, after the commit: they are
 * "<path>.damaged-<ms>" from now on (the last one, malloc'd; NULL = there was none). */
void cache_rescue(struct cache *cache, const char *path);
char *cache_rescue_done(const char *path);
bool cache_owner_holds(struct cache *cache); /* or there is none yet */
bool cache_rescue_can_read(sqlite3 *db);     /* the tables of a newer file are known */
