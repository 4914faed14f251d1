/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations: the numbered scripts of the driver, each in a transaction of its own together with its number in `meta`.
 * A script that fails leaves the store as it was. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "store/db_private.h"
#include "store/meta.h"

static int read_schema(struct db *db, int64_t *out_schema, char **out_why)
{
        int rc = db->driver->probe(db);
        if (rc == DB_OK) {
                *out_schema = 0;
                return DB_OK;
        }
        if (rc == DB_ROW)
                rc = meta_get_int(db, "schema", out_schema);
        if (rc == DB_ROW)
                return DB_OK;
        if (rc == DB_OK || rc == DB_DAMAGED)
                return db_because(out_why, DB_DAMAGED, "%s is not a store of this program", db->path);
        return db_because(out_why, rc, "%s cannot be read: %s", db->path, db_message(db));
}

static int64_t now_ms(void)
{
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int put_new_epoch(struct db *db, uint8_t out_epoch[8])
{
        uint8_t epoch[8];
        if (getrandom(epoch, sizeof epoch, 0) != sizeof epoch)
                return DB_IO;
        int rc = meta_put_blob(db, "epoch", epoch, sizeof epoch);
        if (rc == DB_OK)
                memcpy(out_epoch, epoch, sizeof epoch);
        return rc;
}

static int fill_new_store(struct db *db)
{
        uint8_t epoch[8];
        int rc = put_new_epoch(db, epoch);
        if (rc == DB_OK)
                rc = meta_put_int(db, "made_ms", now_ms());
        if (rc == DB_OK)
                rc = meta_put_int(db, "last_ts", 0);
        return rc;
}

static int apply_step(struct db *db, struct db_migrations list, int64_t number, char **out_why)
{
        const struct sql_migration *step = &list.steps[number - 1];
        int rc = db_begin(db);
        if (rc != DB_OK)
                return db_because(out_why, rc, "migration %d of %s cannot begin: %s", (int)number, db->path,
                                  db_message(db));
        rc = db_exec(db, step->text);
        if (rc == DB_OK && number == 1)
                rc = fill_new_store(db);
        if (rc == DB_OK)
                rc = meta_put_int(db, "schema", number);
        if (rc == DB_OK)
                rc = db_commit(db);
        if (rc == DB_OK)
                return DB_OK;
        db_because(out_why, rc, "migration %d (%s) of %s failed: %s", (int)number, step->name, db->path,
                   db_message(db));
        db_rollback(db);
        return rc;
}

/* Bytes that the copy lacks room for; 0 = it fits. What does not know its size is not held up. */
static int64_t missing_bytes(const char *path)
{
        struct stat file;
        struct statvfs disk;
        if (stat(path, &file) < 0 || statvfs(path, &disk) < 0)
                return 0;
        int64_t room = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
        return file.st_size > room ? file.st_size - room : 0;
}

static int copy_whole(struct db *db, const char *path)
{
        struct db_backup *backup = NULL;
        int64_t left = 0, total = 0;
        int rc = db_backup_begin(db, path, &backup);
        if (rc != DB_OK)
                return rc;
        do {
                rc = db_backup_step(backup, 1000, &left, &total);
        } while (rc == DB_ROW);
        db_backup_end(backup);
        return rc;
}

static int keep_old(struct db *db, int64_t schema, char **out_why)
{
        char *path = NULL;
        if (asprintf(&path, "%s.schema-%d", db->path, (int)schema) < 0)
                return DB_NOMEM;
        int64_t missing = missing_bytes(db->path);
        int rc = DB_OK;
        if (missing > 0) {
                db_because(out_why, DB_FULL, "no room to copy %s before its migration: %lld bytes are missing",
                           db->path, (long long)missing);
                rc = DB_FULL;
        } else if (remove(path) < 0 && errno != ENOENT) { /* of a migration that failed */
                rc = db_because(out_why, DB_IO, "%s is in the way", path);
        } else {
                rc = copy_whole(db, path);
                if (rc != DB_OK)
                        db_because(out_why, rc, "%s cannot be copied to %s", db->path, path);
        }
        free(path);
        return rc;
}

int db_migrate_list(struct db *db, struct db_migrations list, bool keep_copy, char **out_why)
{
        int64_t schema = 0;
        char *why = NULL;
        int rc = read_schema(db, &schema, &why);
        if (rc == DB_OK && schema > list.count)
                rc = db_because(&why, DB_NEWER, "%s was made by a newer program: its schema is %lld, this one knows %d",
                                db->path, (long long)schema, list.count);
        if (rc == DB_OK && schema > 0 && schema < list.count && keep_copy)
                rc = keep_old(db, schema, &why);
        while (rc == DB_OK && schema < list.count)
                rc = apply_step(db, list, ++schema, &why);
        if (out_why && rc != DB_OK)
                *out_why = why;
        else
                free(why);
        return rc;
}

int db_migrate(struct db *db, char **out_why)
{
        return db_migrate_list(db, db->driver->migrations(), true, out_why);
}

int db_epoch_renew(struct db *db, uint8_t out_epoch[8])
{
        uint8_t epoch[8];
        int rc = db_begin(db);
        if (rc != DB_OK)
                return rc;
        rc = put_new_epoch(db, epoch);
        if (rc == DB_OK)
                rc = db_commit(db);
        else
                db_rollback(db);
        if (rc == DB_OK)
                memcpy(out_epoch, epoch, sizeof epoch);
        return rc;
}
