/* SPDX-License-Identifier: Apache-2.0 */
/* Backup of the SQLite driver: pages are copied from the writer's own connection, so what it writes meanwhile reaches
 * the copy too. The copy is flushed once, at the end. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/db_sqlite_private.h"

struct sqlite_backup {
        struct db_backup base;
        struct sqlite_db *db;
        sqlite3 *target;
        sqlite3_backup *handle;
        char *path;
        bool is_whole; /* flushed to disk */
};

static int create_file(const char *path)
{
        int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return errno == ENOSPC || errno == EDQUOT || errno == EROFS ? DB_FULL : DB_IO;
        close(fd);
        return DB_OK;
}

static int begin(struct sqlite_backup *backup, const char *path)
{
        int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
        int rc = sqlite3_open_v2(path, &backup->target, flags, NULL);
        if (rc == SQLITE_OK) /* a copy that is cut short is thrown away, so it needs neither journal nor flushes */
                rc = sqlite3_exec(backup->target, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL,
                                  NULL);
        if (rc != SQLITE_OK)
                return sqlite_error_code(rc, 0);
        backup->handle = sqlite3_backup_init(backup->target, "main", backup->db->handle, "main");
        return backup->handle ? DB_OK : sqlite_error_code(sqlite3_extended_errcode(backup->target), 0);
}

int sqlite_backup_begin(struct db *base, const char *path, struct db_backup **out_backup)
{
        int rc = create_file(path);
        if (rc != DB_OK)
                return rc;
        struct sqlite_backup *backup = calloc(1, sizeof *backup);
        char *own_path = strdup(path);
        if (!backup || !own_path) {
                free(own_path);
                free(backup);
                unlink(path);
                return DB_NOMEM;
        }
        backup->base.driver = base->driver;
        backup->db = (struct sqlite_db *)base;
        backup->path = own_path;
        rc = begin(backup, path);
        if (rc != DB_OK) {
                sqlite_backup_end(&backup->base);
                return rc;
        }
        *out_backup = &backup->base;
        return DB_OK;
}

/* The file, then the folder that names it. */
static int flush(const char *path)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        int rc = fd < 0 ? -1 : fsync(fd);
        if (fd >= 0)
                close(fd);
        if (rc < 0)
                return DB_IO;
        const char *slash = strrchr(path, '/');
        char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
        if (!folder)
                return DB_NOMEM;
        fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        free(folder);
        rc = fd < 0 ? -1 : fsync(fd);
        if (fd >= 0)
                close(fd);
        return rc < 0 ? DB_IO : DB_OK;
}

int sqlite_backup_step(struct db_backup *base, int pages, int64_t *out_left, int64_t *out_total)
{
        struct sqlite_backup *backup = (struct sqlite_backup *)base;
        if (!backup->handle)
                return backup->is_whole ? DB_OK : DB_MISUSE;
        int rc = sqlite3_backup_step(backup->handle, pages);
        *out_left = sqlite3_backup_remaining(backup->handle);
        *out_total = sqlite3_backup_pagecount(backup->handle);
        if (rc == SQLITE_OK)
                return DB_ROW;
        if (rc != SQLITE_DONE)
                return sqlite_error_code(rc, sqlite3_system_errno(backup->target));
        rc = sqlite3_backup_finish(backup->handle);
        backup->handle = NULL;
        if (rc == SQLITE_OK)
                rc = sqlite3_close(backup->target);
        if (rc != SQLITE_OK)
                return sqlite_error_code(rc, 0);
        backup->target = NULL;
        rc = flush(backup->path);
        backup->is_whole = rc == DB_OK;
        return rc;
}

void sqlite_backup_end(struct db_backup *base)
{
        struct sqlite_backup *backup = (struct sqlite_backup *)base;
        if (backup->handle)
                sqlite3_backup_finish(backup->handle);
        sqlite3_close(backup->target);
        if (!backup->is_whole)
                unlink(backup->path);
        free(backup->path);
        free(backup);
}
