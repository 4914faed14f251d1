/* SPDX-License-Identifier: Apache-2.0 */
/* The index on SQLite's FTS5, with our own tokenizer. Rows are numbered by time (milliseconds and a counter within the
 * millisecond), so that "newest first" is the order of the index itself and costs no sorting. */
#include "store/search.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "store/db_sqlite_private.h"
#include "store/tokens.h"

enum {
        SEARCH_VERSION = 1,
        ROWS_A_MS = 1024,
        OPTIMIZE_PAGES = 64, /* a step; between two, readers see a whole index */
        PROGRESS_OPS = 200,
};

enum text {
        TEXT_ROW_OF,
        TEXT_LAST_ROW,
        TEXT_PLACE_PUT,
        TEXT_PLACE_REMOVE,
        TEXT_WORDS_PUT,
        TEXT_WORDS_REMOVE,
        TEXT_QUERY,
        TEXT_MARK_GET,
        TEXT_MARK_PUT,
        TEXT_MERGE,
        TEXT_KEPT,
        TEXT_NEWEST,
        TEXT_ROWS_OF_CONV,
        TEXTS
};

static const char query_text[] =
        "SELECT p.row, p.conv, p.log, p.seq FROM words w CROSS JOIN place p ON p.row = w.rowid "
        "WHERE w.words MATCH $1 AND w.rowid < $2 ORDER BY w.rowid DESC LIMIT $3";

static const char *const texts[TEXTS] = {
        [TEXT_ROW_OF] = "SELECT row FROM place WHERE conv = $1 AND log = $2 AND seq = $3",
        [TEXT_LAST_ROW] = "SELECT max(row) FROM place WHERE row >= $1 AND row < $2",
        [TEXT_PLACE_PUT] = "INSERT INTO place (row, conv, log, seq) VALUES ($1, $2, $3, $4)",
        [TEXT_PLACE_REMOVE] = "DELETE FROM place WHERE row = $1",
        [TEXT_WORDS_PUT] = "INSERT INTO words (rowid, body, scope) VALUES ($1, $2, $3)",
        [TEXT_WORDS_REMOVE] = "DELETE FROM words WHERE rowid = $1",
        [TEXT_QUERY] = query_text,
        [TEXT_MARK_GET] = "SELECT value FROM mark WHERE name = $1",
        [TEXT_MARK_PUT] = "INSERT OR REPLACE INTO mark (name, value) VALUES ($1, $2)",
        [TEXT_MERGE] = "INSERT INTO words (words, rank) VALUES ('merge', $1)",
        [TEXT_KEPT] = "SELECT body, scope FROM words WHERE rowid = $1",
        [TEXT_NEWEST] = ("SELECT p.seq, w.scope FROM place p JOIN words w ON w.rowid = p.row "
                         "WHERE p.conv = $1 AND p.log = $2 ORDER BY p.seq DESC LIMIT 1"),
        [TEXT_ROWS_OF_CONV] = "SELECT row FROM place WHERE conv = $1 LIMIT $2",
};

#define TABLES                                                                                                         \
        "CREATE TABLE place (row INTEGER NOT NULL PRIMARY KEY, conv INTEGER NOT NULL, log INTEGER NOT NULL,"           \
        " seq INTEGER NOT NULL, UNIQUE (conv, log, seq));"                                                             \
        "CREATE TABLE mark (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"                    \
        "CREATE VIRTUAL TABLE words USING fts5 (body, scope, tokenize = 'deskbell', prefix = '2 3', columnsize = 0);"

static const char schema[] = "BEGIN;" TABLES "PRAGMA user_version = 1;COMMIT;";
static const char clearing[] = "DROP TABLE words; DROP TABLE mark; DROP TABLE place;" TABLES;
_Static_assert(SEARCH_VERSION == 1, "the schema says so too");

struct search {
        struct db *db;
        struct db_stmt *stmts[TEXTS]; /* prepared on first use; the connection's */
        int64_t deadline_ms;          /* of the running query */
        int64_t removed;
        bool is_late;
};

/* --- tokenizer for the engine --- */

static int tokenizer_new(void *context, const char **arguments, int count, Fts5Tokenizer **out_tokenizer)
{
        (void)arguments, (void)count;
        *out_tokenizer = context; /* has no state; any pointer but NULL will do */
        return SQLITE_OK;
}

static void tokenizer_free(Fts5Tokenizer *tokenizer)
{
        (void)tokenizer;
}

struct sink {
        void *context;
        int (*take)(void *context, int flags, const char *token, int len, int start, int end);
};

/* Places in the text are not told: nothing here marks or cuts out what was found. */
static int give_token(void *data, struct span token, bool is_beside)
{
        struct sink *sink = data;
        return sink->take(sink->context, is_beside ? FTS5_TOKEN_COLOCATED : 0, token.at, (int)token.len, 0, 0);
}

static int tokenizer_cut(Fts5Tokenizer *tokenizer, void *context, int flags, const char *text, int len,
                         int (*take)(void *, int, const char *, int, int, int))
{
        (void)tokenizer;
        struct sink sink = {context, take};
        enum token_purpose purpose = flags & FTS5_TOKENIZE_QUERY ? TOKENS_QUERY : TOKENS_TEXT;
        int rc = tokens_cut((struct span){text, len > 0 ? (size_t)len : 0}, purpose, give_token, &sink);
        return rc == -1 ? SQLITE_NOMEM : rc;
}

static int add_tokenizer(sqlite3 *handle)
{
        static fts5_tokenizer table = {tokenizer_new, tokenizer_free, tokenizer_cut};
        fts5_api *api = NULL;
        sqlite3_stmt *stmt = NULL;
        int rc = sqlite3_prepare_v2(handle, "SELECT fts5(?1)", -1, &stmt, NULL);
        if (rc == SQLITE_OK) {
                sqlite3_bind_pointer(stmt, 1, &api, "fts5_api_ptr", NULL);
                sqlite3_step(stmt);
                rc = sqlite3_finalize(stmt);
        }
        if (rc != SQLITE_OK)
                return rc;
        return api ? api->xCreateTokenizer(api, "deskbell", &table, &table, NULL) : SQLITE_ERROR;
}

/* --- opening --- */

static sqlite3 *handle_of(struct search *search)
{
        return ((struct sqlite_db *)search->db)->handle;
}

static struct db_stmt *stmt_of(struct search *search, enum text which)
{
        if (!search->stmts[which])
                search->stmts[which] = db_prepare(search->db, texts[which]);
        else
                db_reset(search->stmts[which]);
        return search->stmts[which];
}

static int read_int(struct db *db, const char *text, int64_t *out_value)
{
        struct db_stmt *stmt = db_prepare(db, text);
        if (!stmt)
                return DB_NOMEM;
        int rc = db_step(stmt);
        if (rc == DB_ROW) {
                *out_value = db_int(stmt, 0);
                rc = DB_OK;
        }
        db_reset(stmt);
        return rc;
}

/* DB_OK: as this version makes it. */
static int prove(struct search *search, bool *out_is_new)
{
        int64_t version = 0, tables = 0, rows = 0;
        int rc = read_int(search->db, "PRAGMA user_version", &version);
        if (rc == DB_OK)
                rc = read_int(search->db, "SELECT count(*) FROM sqlite_schema", &tables);
        if (rc != DB_OK)
                return rc;
        if (tables == 0 && search->db->mode == DB_WRITER) {
                *out_is_new = true;
                return db_exec(search->db, schema);
        }
        if (version != SEARCH_VERSION)
                return DB_DAMAGED;
        rc = read_int(search->db, "SELECT count(*) FROM (SELECT 1 FROM mark LIMIT 1)", &rows);
        if (rc == DB_OK)
                rc = read_int(search->db, "SELECT count(*) FROM (SELECT 1 FROM words LIMIT 1)", &tables);
        *out_is_new = rows == 0 && tables == 0;
        return rc;
}

static int open_once(const char *path, enum db_mode mode, struct search *search, bool *out_is_new, char **out_why)
{
        int rc = sqlite_db_open(path, mode, true, &search->db, out_why);
        if (rc != DB_OK)
                return rc;
        rc = sqlite_error((struct sqlite_db *)search->db, add_tokenizer(handle_of(search)));
        if (rc == DB_OK)
                rc = prove(search, out_is_new);
        if (rc == DB_OK)
                return DB_OK;
        db_because(out_why, rc, "%s cannot be opened: %s", path, db_message(search->db));
        search->db = db_close(search->db);
        memset(search->stmts, 0, sizeof search->stmts);
        return rc;
}

int search_discard(const char *path)
{
        static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
        int rc = DB_OK;
        for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
                char *name = NULL;
                if (asprintf(&name, "%s%s", path, tails[i]) < 0)
                        return DB_NOMEM;
                if (unlink(name) < 0 && errno != ENOENT)
                        rc = DB_IO;
                free(name);
        }
        return rc;
}

int search_open(const char *path, enum db_mode mode, struct search **out_search, bool *out_is_new, char **out_why)
{
        struct search *search = calloc(1, sizeof *search);
        if (!search)
                return DB_NOMEM;
        char *why = NULL;
        bool is_new = false;
        int rc = open_once(path, mode, search, &is_new, &why);
        if ((rc == DB_DAMAGED || rc == DB_MISUSE) && mode == DB_WRITER) {
                free(why);
                why = NULL;
                rc = search_discard(path);
                if (rc == DB_OK)
                        rc = open_once(path, mode, search, &is_new, &why);
        }
        if (rc != DB_OK) {
                free(search);
                if (out_why)
                        *out_why = why;
                else
                        free(why);
                return rc;
        }
        *out_search = search;
        if (out_is_new)
                *out_is_new = is_new;
        return DB_OK;
}

struct search *search_close(struct search *search)
{
        if (search)
                db_close(search->db);
        free(search);
        return NULL;
}

/* --- writing --- */

int search_begin(struct search *search)
{
        return db_begin(search->db);
}

int search_commit(struct search *search)
{
        int rc = db_commit(search->db);
        return rc == DB_OK ? db_checkpoint(search->db, true) : rc;
}

void search_rollback(struct search *search)
{
        db_rollback(search->db);
}

/* DB_ROW: it is kept in *out_row; DB_OK: it is not. */
static int find_row(struct search *search, int64_t conv, int log, int64_t seq, int64_t *out_row)
{
        struct db_stmt *stmt = stmt_of(search, TEXT_ROW_OF);
        if (!stmt)
                return DB_NOMEM;
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, log);
        db_bind_int(stmt, 3, seq);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        *out_row = db_int(stmt, 0);
        db_reset(stmt);
        return DB_ROW;
}

static int run_row(struct search *search, enum text which, int64_t row)
{
        struct db_stmt *stmt = stmt_of(search, which);
        if (!stmt)
                return DB_NOMEM;
        db_bind_int(stmt, 1, row);
        return db_run(stmt);
}

/* The next free row of a millisecond, or of one after it. */
static int free_row(struct search *search, int64_t ts, int64_t *out_row)
{
        for (;; ts++) {
                struct db_stmt *stmt = stmt_of(search, TEXT_LAST_ROW);
                if (!stmt)
                        return DB_NOMEM;
                db_bind_int(stmt, 1, ts * ROWS_A_MS);
                db_bind_int(stmt, 2, (ts + 1) * ROWS_A_MS);
                int rc = db_step(stmt);
                if (rc != DB_ROW)
                        return rc < 0 ? rc : DB_DAMAGED;
                int64_t row = db_is_null(stmt, 0) ? ts * ROWS_A_MS : db_int(stmt, 0) + 1;
                db_reset(stmt);
                *out_row = row;
                if (row < (ts + 1) * ROWS_A_MS)
                        return DB_OK;
        }
}

static int put_place(struct search *search, const struct search_entry *entry, int64_t row)
{
        struct db_stmt *stmt = stmt_of(search, TEXT_PLACE_PUT);
        if (!stmt)
                return DB_NOMEM;
        db_bind_int(stmt, 1, row);
        db_bind_int(stmt, 2, entry->conv);
        db_bind_int(stmt, 3, entry->log);
        db_bind_int(stmt, 4, entry->seq);
        return db_run(stmt);
}

/* A scope is a word of its own column: `s8 s17`. */
static size_t write_scopes(char *out, size_t size, const int64_t *scopes, size_t count, const char *quote,
                           const char *between)
{
        size_t len = 0;
        for (size_t i = 0; i < count && len < size; i++)
                len += (size_t)snprintf(out + len, size - len, "%s%ss%lld%s", i ? between : "", quote,
                                        (long long)scopes[i], quote);
        return len;
}

/* What is kept of an entry, in the form in which it is kept. */
struct kept {
        char scope_bytes[SEARCH_MAX_SCOPES * 22 + 1];
        struct span scopes, text;
};

static int kept_of(const struct search_entry *entry, struct kept *out)
{
        if (entry->scope_count > SEARCH_MAX_SCOPES)
                return DB_MISUSE;
        size_t len =
                write_scopes(out->scope_bytes, sizeof out->scope_bytes, entry->scopes, entry->scope_count, "", " ");
        out->scopes = (struct span){out->scope_bytes, len};
        out->text = entry->text;
        if (out->text.len > SEARCH_MAX_TEXT)
                out->text.len = SEARCH_MAX_TEXT;
        return DB_OK;
}

/* DB_ROW: it is kept just so already. */
static int is_kept(struct search *search, const struct kept *kept, int64_t row)
{
        struct db_stmt *stmt = stmt_of(search, TEXT_KEPT);
        if (!stmt)
                return DB_NOMEM;
        db_bind_int(stmt, 1, row);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        bool same = span_equal(db_text(stmt, 0), kept->text) && span_equal(db_text(stmt, 1), kept->scopes);
        db_reset(stmt);
        return same ? DB_ROW : DB_OK;
}

static int put_words(struct search *search, const struct kept *kept, int64_t row)
{
        struct db_stmt *stmt = stmt_of(search, TEXT_WORDS_PUT);
        if (!stmt)
                return DB_NOMEM;
        db_bind_int(stmt, 1, row);
        db_bind_text(stmt, 2, kept->text);
        db_bind_text(stmt, 3, kept->scopes);
        return db_run(stmt);
}

int search_put(struct search *search, const struct search_entry *entry)
{
        if (entry->ts < 0 || entry->ts >= INT64_C(1) << 42)
                return DB_MISUSE;
        struct kept kept;
        int64_t row = 0;
        int rc = kept_of(entry, &kept);
        if (rc == DB_OK)
                rc = find_row(search, entry->conv, entry->log, entry->seq, &row);
        if (rc == DB_ROW) {
                rc = is_kept(search, &kept, row);
                if (rc == DB_ROW)
                        return DB_OK;
                search->removed++;
                if (rc == DB_OK)
                        rc = run_row(search, TEXT_WORDS_REMOVE, row);
        } else if (rc == DB_OK) {
                rc = free_row(search, entry->ts, &row);
                if (rc == DB_OK)
                        rc = put_place(search, entry, row);
        }
        return rc == DB_OK ? put_words(search, &kept, row) : rc;
}

static int remove_row(struct search *search, int64_t row)
{
        search->removed++;
        int rc = run_row(search, TEXT_WORDS_REMOVE, row);
        return rc == DB_OK ? run_row(search, TEXT_PLACE_REMOVE, row) : rc;
}

int search_remove(struct search *search, int64_t conv, int log, int64_t seq)
{
        int64_t row = 0;
        int rc = find_row(search, conv, log, seq, &row);
        if (rc != DB_ROW)
                return rc;
        return remove_row(search, row);
}

int search_forget(struct search *search, int64_t conv)
{
        enum { AT_ONCE = 256 };
        for (;;) {
                int64_t rows[AT_ONCE];
                int count = 0, rc;
                struct db_stmt *stmt = stmt_of(search, TEXT_ROWS_OF_CONV);
                if (!stmt)
                        return DB_NOMEM;
                db_bind_int(stmt, 1, conv);
                db_bind_int(stmt, 2, AT_ONCE);
                while ((rc = db_step(stmt)) == DB_ROW)
                        rows[count++] = db_int(stmt, 0);
                for (int i = 0; i < count && rc == DB_OK; i++)
                        rc = remove_row(search, rows[i]);
                if (rc < 0 || count < AT_ONCE)
                        return rc;
        }
}

int search_clear(struct search *search)
{
        for (int i = 0; i < TEXTS; i++)
                if (search->stmts[i])
                        db_reset(search->stmts[i]);
        return db_exec(search->db, clearing);
}

int search_newest(struct search *search, const struct search_entry *of, int64_t *out_seq, bool *out_is_same)
{
        struct kept kept;
        struct db_stmt *stmt = stmt_of(search, TEXT_NEWEST);
        int rc = stmt ? kept_of(of, &kept) : DB_NOMEM;
        if (rc < 0)
                return rc;
        db_bind_int(stmt, 1, of->conv);
        db_bind_int(stmt, 2, of->log);
        rc = db_step(stmt);
        if (rc < 0)
                return rc;
        *out_seq = rc == DB_ROW ? db_int(stmt, 0) : 0;
        *out_is_same = rc != DB_ROW || span_equal(db_text(stmt, 1), kept.scopes);
        db_reset(stmt);
        return DB_OK;
}

int64_t search_removed(const struct search *search)
{
        return search->removed;
}

/* The engine's incremental form of 'optimize': the first step takes all segments together, the others go on until one
 * changes nothing more than its own bookkeeping. */
int search_optimize(struct search *search)
{
        int64_t before, pages = -OPTIMIZE_PAGES;
        int rc;
        do {
                before = sqlite3_total_changes64(handle_of(search));
                rc = run_row(search, TEXT_MERGE, pages);
                pages = OPTIMIZE_PAGES;
        } while (rc == DB_OK && sqlite3_total_changes64(handle_of(search)) - before >= 2);
        return rc == DB_OK ? db_checkpoint_empty(search->db) : rc;
}

int search_mark_get(struct search *search, const char *name, int64_t *out_value)
{
        struct db_stmt *stmt = stmt_of(search, TEXT_MARK_GET);
        if (!stmt)
                return DB_NOMEM;
        db_bind_text(stmt, 1, span_of(name));
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        *out_value = db_int(stmt, 0);
        db_reset(stmt);
        return DB_ROW;
}

int search_mark_put(struct search *search, const char *name, int64_t value)
{
        struct db_stmt *stmt = stmt_of(search, TEXT_MARK_PUT);
        if (!stmt)
                return DB_NOMEM;
        db_bind_text(stmt, 1, span_of(name));
        db_bind_int(stmt, 2, value);
        return db_run(stmt);
}

/* --- asking --- */

int search_place(struct search *search, int64_t conv, int log, int64_t seq, int64_t *out_place)
{
        return find_row(search, conv, log, seq, out_place);
}

int64_t search_place_after(int64_t ts)
{
        return (ts + 1) * ROWS_A_MS;
}

static int64_t mono_ms(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int on_progress(void *data)
{
        struct search *search = data;
        if (!search->is_late)
                search->is_late = mono_ms() >= search->deadline_ms;
        return search->is_late;
}

/* The terms of what was typed, in the body; and one of the scopes, in its own column. NULL in *out_match: nothing. */
static int write_match(const struct search_query *query, char **out_match)
{
        char *terms = NULL, within[64] = "";
        char scopes[SEARCH_MAX_SCOPES * 28 + 1];
        *out_match = NULL;
        if (query->scope_count == 0)
                return DB_OK;
        if (query->scope_count > SEARCH_MAX_SCOPES)
                return DB_MISUSE;
        int count = tokens_query(query->typed, "{body}", &terms);
        if (count <= 0)
                return count < 0 ? DB_NOMEM : DB_OK;
        write_scopes(scopes, sizeof scopes, query->scopes, query->scope_count, "\"", " OR ");
        if (query->within != 0)
                snprintf(within, sizeof within, " AND {scope} : (\"s%lld\")", (long long)query->within);
        int rc = asprintf(out_match, "(%s) AND {scope} : (%s)%s", terms, scopes, within);
        free(terms);
        if (rc < 0)
                *out_match = NULL;
        return rc < 0 ? DB_NOMEM : DB_OK;
}

static int read_hits(struct search *search, struct db_stmt *stmt, size_t limit, struct search_hit *hits,
                     size_t *out_count)
{
        size_t count = 0;
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW && count < limit) {
                int64_t row = db_int(stmt, 0);
                hits[count++] = (struct search_hit){.conv = db_int(stmt, 1),
                                                    .log = (int)db_int(stmt, 2),
                                                    .seq = db_int(stmt, 3),
                                                    .ts = row / ROWS_A_MS,
                                                    .place = row};
        }
        db_reset(stmt);
        *out_count = count;
        return rc < 0 && !search->is_late ? rc : DB_OK;
}

int search_query(struct search *search, const struct search_query *query, size_t limit, struct search_hit *hits,
                 size_t *out_count, bool *out_is_cut)
{
        char *match = NULL;
        size_t count = 0;
        search->is_late = false;
        int rc = write_match(query, &match);
        struct db_stmt *stmt = match ? stmt_of(search, TEXT_QUERY) : NULL;
        if (match && !stmt)
                rc = DB_NOMEM;
        if (stmt) {
                db_bind_text(stmt, 1, span_of(match));
                db_bind_int(stmt, 2, query->before > 0 ? query->before : INT64_MAX);
                db_bind_int(stmt, 3, (int64_t)limit);
                search->deadline_ms = mono_ms() + (query->budget_ms > 0 ? query->budget_ms : SEARCH_BUDGET_MS);
                sqlite3_progress_handler(handle_of(search), PROGRESS_OPS, on_progress, search);
                rc = read_hits(search, stmt, limit, hits, &count);
                sqlite3_progress_handler(handle_of(search), 0, NULL, NULL);
        }
        free(match);
        if (rc != DB_OK)
                return rc;
        *out_count = count;
        *out_is_cut = search->is_late;
        return DB_OK;
}
