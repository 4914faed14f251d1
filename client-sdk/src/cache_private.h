/* SPDX-License-Identifier: Apache-2.0 */
/* Cache, shared between its files: one connection and its prepared statements. */
#pragma once

#include <sqlite3.h>

#include "cache.h"

/* X(name, text): every statement, prepared on first use. */
#define CACHE_STATEMENTS(X)                                                                                            \
        X(VALUE_GET, "SELECT value FROM meta WHERE name = ?1")                                                         \
        X(VALUE_SET, "INSERT OR REPLACE INTO meta(name, value) VALUES(?1, ?2)")                                        \
        X(CONVS, "SELECT " CONV_COLUMNS " FROM conv ORDER BY row")                                                     \
        X(CONV_GET, "SELECT " CONV_COLUMNS " FROM conv WHERE row = ?1")                                                \
        X(CONV_PUT, "INSERT OR REPLACE INTO conv(" CONV_COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "   \
                    "?11, ?12, ?13, ?14, ?15)")                                                                        \
        X(ENTRY_PUT, "INSERT OR REPLACE INTO entry(" ENTRY_COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")         \
        X(ENTRIES_UP, "SELECT " ENTRY_COLUMNS " FROM entry WHERE conv = ?1 AND log = ?2 AND number BETWEEN ?3 AND ?4 " \
                      "ORDER BY number LIMIT ?5")                                                                      \
        X(ENTRIES_END, "SELECT " ENTRY_COLUMNS " FROM (SELECT * FROM entry WHERE conv = ?1 AND log = ?2 AND number "   \
                       "BETWEEN ?3 AND ?4 ORDER BY number DESC LIMIT ?5) ORDER BY number")                             \
        X(ABOUT, "SELECT " ENTRY_COLUMNS " FROM entry WHERE of = ?3 AND conv = ?1 AND log = ?2 AND kind = ?5 AND "     \
                 "number > ?4 ORDER BY number")                                                                        \
        X(ENTRY_FIND, "SELECT number FROM entry WHERE cmid = ?3 AND conv = ?1 AND log = ?2")                           \
        X(UNREAD, "SELECT count(*) FROM entry WHERE conv = ?1 AND log = 0 AND number > ?2 AND counts = 1")             \
        X(WIPE, "DELETE FROM entry WHERE conv = ?1")                                                                   \
        X(MESSAGE_ADD,                                                                                                 \
          "INSERT INTO outbox(cmid, conv, op, log, content, hash, target, of, version, epoch, queued_ms, "             \
          "first_ms, state, told) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0)")                  \
        X(MESSAGE_SAVE, "UPDATE outbox SET state = ?2, tag = ?3, number = ?4, at_seq = ?5, ts = ?6, epoch = ?7, "      \
                        "dup = ?8, told = ?9, queued_ms = ?10, first_ms = ?11, of = ?12 WHERE pos = ?1")               \
        X(MESSAGE_TOLD, "UPDATE outbox SET told = 1 WHERE pos = ?1")                                                   \
        X(MESSAGE_DROP, "DELETE FROM outbox WHERE pos = ?1")                                                           \
        X(MESSAGE_ERASE,                                                                                               \
          "DELETE FROM outbox WHERE (cmid = ?1 AND op = 1 OR target = ?1 AND op = 2) AND state BETWEEN "               \
          "2 AND 6")                                                                                                   \
        X(SWEEP, "DELETE FROM outbox WHERE state BETWEEN 2 AND 4 AND told = 1 AND queued_ms < ?1")                     \
        X(UNSENT, "SELECT " MESSAGE_COLUMNS " FROM outbox WHERE (state = 1 OR state = 2 AND number = 0) AND "          \
                  "(?1 = 0 OR conv = ?1) ORDER BY pos")                                                                \
        X(UNTOLD, "SELECT " MESSAGE_COLUMNS " FROM outbox WHERE state BETWEEN 2 AND 6 AND told = 0 AND (?1 = 0 OR "    \
                  "conv = ?1) ORDER BY pos")                                                                           \
        X(OFFER_AGAIN, "UPDATE outbox SET state = 2, number = 0 WHERE state BETWEEN 2 AND 4")                          \
        X(SHOWN, "SELECT " MESSAGE_COLUMNS " FROM outbox WHERE state IN (1, 5, 6, 7) AND conv = ?1 ORDER BY pos")      \
        X(UPLOADING, "SELECT " MESSAGE_COLUMNS " FROM outbox WHERE state = 7 AND (?1 = 0 OR conv = ?1) ORDER BY pos")  \
        X(UPLOAD_PUT, "INSERT OR REPLACE INTO upload(" UPLOAD_COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "  \
                      "?10, ?11, ?12, ?13, ?14, ?15, ?16)")                                                            \
        X(UPLOADS, "SELECT " UPLOAD_COLUMNS " FROM upload WHERE pos = ?1 ORDER BY at")                                 \
        X(UPLOADS_MOVE, "UPDATE upload SET pos = ?2 WHERE pos = ?1")                                                   \
        X(UPLOADS_DROP, "DELETE FROM upload WHERE pos = ?1")                                                           \
        X(UPLOAD_KNOWS, "SELECT count(*) FROM upload WHERE path = ?1")                                                 \
        X(MESSAGE_GET, "SELECT " MESSAGE_COLUMNS " FROM outbox WHERE cmid = ?1")                                       \
        X(BELOW, "SELECT " MESSAGE_COLUMNS " FROM outbox WHERE conv = ?1 AND number BETWEEN 1 AND ?2 AND state >= 2 "  \
                 "AND state < ?3 AND log = 0 AND op = 1 ORDER BY number")                                              \
        X(PAGE_COUNT, "PRAGMA page_count")                                                                             \
        X(FREE_COUNT, "PRAGMA freelist_count")                                                                         \
        X(PAGE_SIZE, "PRAGMA page_size")                                                                               \
        X(OPENED_PUT, "INSERT OR REPLACE INTO recent(conv, opened_ms) VALUES(?1, ?2)")                                 \
        X(BY_OPENING, "SELECT row FROM conv LEFT JOIN recent ON recent.conv = row ORDER BY coalesce(opened_ms, 0), "   \
                      "row")                                                                                           \
        X(ENTRIES_DROP, "DELETE FROM entry WHERE conv = ?1 AND log = ?2 AND number <= ?3")                             \
        X(FAILED_COUNT, "SELECT count(*) FROM outbox WHERE state IN (5, 6)")                                           \
        X(LAST, "SELECT coalesce(max(pos), 0) FROM outbox")

#define CONV_COLUMNS                                                                                                   \
        "row, id, key, confirmed, gone, low0, cursor0, head0, done0, low1, cursor1, head1, done1, my_read, feed"
#define ENTRY_COLUMNS "conv, log, number, kind, of, counts, cmid, body"
#define MESSAGE_COLUMNS                                                                                                \
        "pos, cmid, conv, op, log, content, hash, target, of, version, epoch, queued_ms, first_ms, state, tag, "       \
        "number, "                                                                                                     \
        "at_seq, ts, dup, told"

#define UPLOAD_COLUMNS                                                                                                 \
        "pos, at, cmid, path, copy, name, media, size, mtime, sha256, file, complete, width, height, tries, paused"

enum cache_statement {
#define X(name, text) CACHE_##name,
        CACHE_STATEMENTS(X)
#undef X
                CACHE_STATEMENT_COUNT
};

struct cache {
        sqlite3 *db;
        int lock_fd;     /* -1 = in memory */
        bool is_durable; /* PRAGMA synchronous as it stands: FULL */
        bool is_in_turn, has_failed;
        bool is_damaged;       /* a page could not be read */
        int64_t rescued;       /* -1 = no file was set aside */
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

/* Takes what can be taken from all files "<path>.rescue-<ms>" into the turn; done, after the commit: they are
 * "<path>.damaged-<ms>" from now on (the last one, malloc'd; NULL = there was none). */
void cache_rescue(struct cache *cache, const char *path);
char *cache_rescue_done(const char *path);
bool cache_seal_holds(struct cache *cache); /* or there is none yet */
bool cache_rescue_can_read(sqlite3 *db);    /* the tables of a newer file are known */
