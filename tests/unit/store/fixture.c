/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void place_make(struct place *place)
{
        snprintf(place->dir, sizeof place->dir, "/tmp/deskbell-store-XXXXXX");
        assert_non_null(mkdtemp(place->dir));
        snprintf(place->path, sizeof place->path, "%s/deskbell.db", place->dir);
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
        (void)facts, (void)kind, (void)where;
        return remove(path);
}

void place_remove(struct place *place)
{
        nftw(place->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *place_path(const struct place *place, const char *name)
{
        static char paths[4][256];
        static int turn;
        char *out = paths[turn++ % 4];
        snprintf(out, sizeof paths[0], "%s/%s", place->dir, name);
        return out;
}

struct db *store_open(const struct db_driver *driver, const char *path, enum db_mode mode)
{
        struct db *db = NULL;
        char *why = NULL;
        if (db_open(driver, path, mode, &db, &why) != DB_OK)
                fail_msg("%s", why ? why : "cannot open");
        return db;
}

struct db *store_make(const struct db_driver *driver, const char *path, int conversations)
{
        struct db *db = store_open(driver, path, DB_WRITER);
        char *why = NULL;
        if (db_migrate(db, &why) != DB_OK)
                fail_msg("%s", why ? why : "cannot migrate");
        assert_int_equal(DB_OK, db_begin(db));
        assert_int_equal(DB_OK, db_exec(db, "INSERT INTO workspace (id, ext, created_ms) VALUES (1, 1, 0);"
                                            "INSERT INTO app (id, workspace, ext, created_ms) VALUES (1, 1, 1, 0);"
                                            "INSERT INTO principal (id, workspace, ext, role, created_ms)"
                                            " VALUES (1, 1, 1, 1, 0);"));
        struct db_stmt *stmt = db_prepare(db, "INSERT INTO conversation (id, workspace, ext, app, customer, key, "
                                              "created_ms) VALUES ($1, 1, $1, 1, 1, $2, 0)");
        for (int i = 1; i <= conversations; i++) {
                char key[16];
                snprintf(key, sizeof key, "k%d", i);
                db_bind_int(stmt, 1, i);
                db_bind_text(stmt, 2, span_of(key));
                assert_int_equal(DB_OK, db_run(stmt));
        }
        assert_int_equal(DB_OK, db_commit(db));
        return db;
}

int store_append(struct db *db, int64_t conv, int64_t seq, const char *text)
{
        uint8_t cmid[16] = {0}, hash[16] = {7};
        memcpy(cmid, &conv, sizeof conv);
        memcpy(cmid + 8, &seq, sizeof seq);
        struct db_stmt *stmt = db_stmt(db, SQL_ENTRY_APPEND);
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, 0);
        db_bind_int(stmt, 3, seq);
        db_bind_null(stmt, 4);
        db_bind_int(stmt, 5, 1000 + seq);
        db_bind_int(stmt, 6, 1);
        db_bind_int(stmt, 7, 1);
        db_bind_blob(stmt, 8, cmid, sizeof cmid);
        db_bind_blob(stmt, 9, hash, sizeof hash);
        db_bind_text(stmt, 10, span_of(text));
        int rc = db_run(stmt);
        if (rc != DB_OK)
                return rc;
        stmt = db_prepare(db, "UPDATE conversation SET head = $2 WHERE id = $1");
        if (!stmt)
                return DB_NOMEM;
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, seq);
        return db_run(stmt);
}

int64_t ask(struct db *db, const char *text)
{
        struct db_stmt *stmt = db_prepare(db, text);
        assert_non_null(stmt);
        int rc = db_step(stmt);
        if (rc < 0)
                fail_msg("%s: %d %s", text, rc, db_message(db));
        int64_t value = rc == DB_ROW ? db_int(stmt, 0) : -1;
        db_reset(stmt);
        return value;
}

static void print_finding(void *data, const char *finding)
{
        (void)data;
        print_message("finding: %s\n", finding);
}

int count_findings(struct db *db)
{
        return db_check(db, true, print_finding, NULL);
}

void file_read(const char *path, char **out_bytes, size_t *out_len)
{
        FILE *file = fopen(path, "rb");
        *out_bytes = NULL;
        *out_len = 0;
        if (!file)
                return;
        fseek(file, 0, SEEK_END);
        long size = ftell(file);
        rewind(file);
        *out_bytes = malloc((size_t)size + 1);
        assert_non_null(*out_bytes);
        *out_len = fread(*out_bytes, 1, (size_t)size, file);
        fclose(file);
}

bool file_holds(const char *path, const char *words)
{
        char *bytes = NULL;
        size_t len = 0;
        file_read(path, &bytes, &len);
        bool holds = bytes && memmem(bytes, len, words, strlen(words));
        free(bytes);
        return holds;
}
