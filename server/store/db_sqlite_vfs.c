/* SPDX-License-Identifier: Apache-2.0 */
/* How the writer's log is written: SQLite hands over each frame in two small writes; here neighbours are gathered and
 * leave in one large write, before the flush that makes a commit (a third of the processor time of an append was these
 * calls). Everything but the log of a writing connection goes straight to the system's own functions.
 *
 * Always true: bytes reach the file in the order they were written; what is asked for, measured, cut or flushed is in
 * the file before; bytes that could not be written stay here and are tried again before anything after them. Other
 * connections look at a frame only after the flush of its commit, so this needs synchronous = FULL. */
#include <stdlib.h>

#include "protocol/planted.h"
#include "store/db_sqlite_private.h"

enum { GATHER_BYTES = (1 << 17) - 1 }; /* the most that the system functions of SQLite write at once */

struct log_file {
        sqlite3_file base;
        char *bytes; /* GATHER_BYTES */
        size_t len;
        sqlite3_int64 at;   /* place of bytes[0] in the file */
        sqlite3_file *real; /* follows this struct */
};

static sqlite3_vfs vfs, *real_vfs;

static struct log_file *log_of(sqlite3_file *file)
{
        return (struct log_file *)file;
}

static int put_out(struct log_file *log)
{
        if (log->len == 0)
                return SQLITE_OK;
        int rc = log->real->pMethods->xWrite(log->real, log->bytes, (int)log->len, log->at);
        if (rc == SQLITE_OK)
                log->len = 0;
        return rc;
}

static int log_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
        struct log_file *log = log_of(file);
        bool follows = at == log->at + (sqlite3_int64)log->len;
        if (!follows || log->len + (size_t)len > GATHER_BYTES) {
                int rc = put_out(log);
                if (rc != SQLITE_OK)
                        return rc;
                log->at = at;
        }
        if (len > GATHER_BYTES)
                return log->real->pMethods->xWrite(log->real, bytes, len, at);
        memcpy(log->bytes + log->len, bytes, (size_t)len);
        log->len += (size_t)len;
        return SQLITE_OK;
}

static int log_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 at)
{
        struct log_file *log = log_of(file);
        bool is_apart = at + len <= log->at || at >= log->at + (sqlite3_int64)log->len;
        int rc = is_apart ? SQLITE_OK : put_out(log);
        return rc == SQLITE_OK ? log->real->pMethods->xRead(log->real, bytes, len, at) : rc;
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
        struct log_file *log = log_of(file);
        int rc = put_out(log);
        return rc == SQLITE_OK ? log->real->pMethods->xTruncate(log->real, size) : rc;
}

static int log_sync(sqlite3_file *file, int flags)
{
        struct log_file *log = log_of(file);
        int rc = put_out(log);
        if (PLANTED("fsync_skipped"))
                return rc;
        return rc == SQLITE_OK ? log->real->pMethods->xSync(log->real, flags) : rc;
}

static int log_size(sqlite3_file *file, sqlite3_int64 *out_size)
{
        struct log_file *log = log_of(file);
        int rc = put_out(log);
        return rc == SQLITE_OK ? log->real->pMethods->xFileSize(log->real, out_size) : rc;
}

/* What was not flushed belongs to no commit. */
static int log_close(sqlite3_file *file)
{
        struct log_file *log = log_of(file);
        free(log->bytes);
        return log->real->pMethods->xClose(log->real);
}

static int log_lock(sqlite3_file *file, int level)
{
        return log_of(file)->real->pMethods->xLock(log_of(file)->real, level);
}

static int log_unlock(sqlite3_file *file, int level)
{
        return log_of(file)->real->pMethods->xUnlock(log_of(file)->real, level);
}

static int log_check_lock(sqlite3_file *file, int *out_is_locked)
{
        return log_of(file)->real->pMethods->xCheckReservedLock(log_of(file)->real, out_is_locked);
}

static int log_control(sqlite3_file *file, int what, void *data)
{
        return log_of(file)->real->pMethods->xFileControl(log_of(file)->real, what, data);
}

static int log_sector(sqlite3_file *file)
{
        return log_of(file)->real->pMethods->xSectorSize(log_of(file)->real);
}

static int log_device(sqlite3_file *file)
{
        return log_of(file)->real->pMethods->xDeviceCharacteristics(log_of(file)->real);
}

static const sqlite3_io_methods log_methods = {
        .iVersion = 1,
        .xClose = log_close,
        .xRead = log_read,
        .xWrite = log_write,
        .xTruncate = log_truncate,
        .xSync = log_sync,
        .xFileSize = log_size,
        .xLock = log_lock,
        .xUnlock = log_unlock,
        .xCheckReservedLock = log_check_lock,
        .xFileControl = log_control,
        .xSectorSize = log_sector,
        .xDeviceCharacteristics = log_device,
};

static int open_file(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
        (void)self;
        if (!(flags & SQLITE_OPEN_WAL))
                return real_vfs->xOpen(real_vfs, name, file, flags, out_flags);
        struct log_file *log = log_of(file);
        memset(log, 0, sizeof *log);
        log->real = (sqlite3_file *)(log + 1);
        log->bytes = malloc(GATHER_BYTES);
        if (!log->bytes)
                return SQLITE_NOMEM;
        int rc = real_vfs->xOpen(real_vfs, name, log->real, flags, out_flags);
        if (rc != SQLITE_OK) {
                free(log->bytes);
                return rc;
        }
        log->base.pMethods = &log_methods;
        return SQLITE_OK;
}

int sqlite_vfs_register(void)
{
        real_vfs = sqlite3_vfs_find(NULL);
        if (!real_vfs)
                return SQLITE_ERROR;
        vfs = *real_vfs;
        vfs.pNext = NULL;
        vfs.zName = SQLITE_WRITER_VFS;
        vfs.szOsFile = (int)sizeof(struct log_file) + real_vfs->szOsFile;
        vfs.xOpen = open_file;
        return sqlite3_vfs_register(&vfs, 0);
}
