/* SPDX-License-Identifier: Apache-2.0 */
/* Faults: see faults.h. One thread. */
#include "faults.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "protocol/memory.h"

static struct {
        enum fault_source source;
        long at, width, seen;
} plan;

static long held;

static bool fails_now(enum fault_source source)
{
        if (plan.source != source)
                return false;
        plan.seen++;
        return plan.at > 0 && plan.seen >= plan.at && plan.seen < plan.at + plan.width;
}

void faults_arm(enum fault_source source, long at, long width)
{
        plan.source = source;
        plan.at = at;
        plan.width = width;
        plan.seen = 0;
}

long faults_seen(void)
{
        return plan.seen;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void *take(size_t bytes, void *data)
{
        void *block = fails_now(FAULT_MEMORY) ? NULL : malloc(bytes);

        (void)data;
        held += block != NULL;
        return block;
}

static void *take_more(void *block, size_t bytes, void *data)
{
        (void)data;
        return fails_now(FAULT_MEMORY) ? NULL : realloc(block, bytes);
}

static void give_back(void *block, void *data)
{
        (void)data;
        held--;
        free(block);
}

long faults_held(void)
{
        return held;
}

static sqlite3_mem_methods real_memory;

static void *sqlite_take(int bytes)
{
        return fails_now(FAULT_SQLITE_MEMORY) ? NULL : real_memory.xMalloc(bytes);
}

static void *sqlite_take_more(void *block, int bytes)
{
        return fails_now(FAULT_SQLITE_MEMORY) ? NULL : real_memory.xRealloc(block, bytes);
}

/* ---- SQLite's disk ----------------------------------------------------------------------------------------------- */

struct file {
        sqlite3_file base;
        sqlite3_file *real;
};

static sqlite3_file *real_of(sqlite3_file *file)
{
        return ((struct file *)file)->real;
}

static int file_close(sqlite3_file *file)
{
        return real_of(file)->pMethods->xClose(real_of(file));
}

static int file_read(sqlite3_file *file, void *out, int len, sqlite3_int64 at)
{
        return real_of(file)->pMethods->xRead(real_of(file), out, len, at);
}

static int file_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
        if (fails_now(FAULT_DISK))
                return plan.seen % 2 ? SQLITE_FULL : SQLITE_IOERR_WRITE;
        return real_of(file)->pMethods->xWrite(real_of(file), bytes, len, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
        return fails_now(FAULT_DISK) ? SQLITE_IOERR_TRUNCATE : real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
        (void)file;
        (void)flags;
        return fails_now(FAULT_DISK) ? SQLITE_IOERR_FSYNC : SQLITE_OK; /* no power is cut here: time is saved */
}

static int file_size(sqlite3_file *file, sqlite3_int64 *out)
{
        return real_of(file)->pMethods->xFileSize(real_of(file), out);
}

static int file_lock(sqlite3_file *file, int lock)
{
        return real_of(file)->pMethods->xLock(real_of(file), lock);
}

static int file_unlock(sqlite3_file *file, int lock)
{
        return real_of(file)->pMethods->xUnlock(real_of(file), lock);
}

static int file_is_reserved(sqlite3_file *file, int *out)
{
        return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
        return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int file_sector(sqlite3_file *file)
{
        return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_traits(sqlite3_file *file)
{
        return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int file_shm_map(sqlite3_file *file, int region, int bytes, int extends, void volatile **out)
{
        return real_of(file)->pMethods->xShmMap(real_of(file), region, bytes, extends, out);
}

static int file_shm_lock(sqlite3_file *file, int at, int count, int flags)
{
        return real_of(file)->pMethods->xShmLock(real_of(file), at, count, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
        real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int file_shm_unmap(sqlite3_file *file, int removes)
{
        return real_of(file)->pMethods->xShmUnmap(real_of(file), removes);
}

static const sqlite3_io_methods methods = {
        .iVersion = 2,
        .xClose = file_close,
        .xRead = file_read,
        .xWrite = file_write,
        .xTruncate = file_truncate,
        .xSync = file_sync,
        .xFileSize = file_size,
        .xLock = file_lock,
        .xUnlock = file_unlock,
        .xCheckReservedLock = file_is_reserved,
        .xFileControl = file_control,
        .xSectorSize = file_sector,
        .xDeviceCharacteristics = file_traits,
        .xShmMap = file_shm_map,
        .xShmLock = file_shm_lock,
        .xShmBarrier = file_shm_barrier,
        .xShmUnmap = file_shm_unmap,
};

static sqlite3_vfs shim, *real_vfs;

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
        struct file *ours = (struct file *)file;

        (void)vfs;
        ours->base.pMethods = NULL;
        ours->real = (sqlite3_file *)(ours + 1);
        int rc = real_vfs->xOpen(real_vfs, name, ours->real, flags, out_flags);
        if (rc == SQLITE_OK)
                ours->base.pMethods = &methods;
        return rc;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int syncs)
{
        (void)vfs;
        return fails_now(FAULT_DISK) ? SQLITE_IOERR_DELETE : real_vfs->xDelete(real_vfs, name, syncs);
}

void faults_init(void)
{
        static const struct memory memory = {NULL, take, take_more, give_back};
        sqlite3_mem_methods ours;

        memory_use(&memory);
        sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory);
        ours = real_memory;
        ours.xMalloc = sqlite_take;
        ours.xRealloc = sqlite_take_more;
        sqlite3_config(SQLITE_CONFIG_MALLOC, &ours);
        sqlite3_initialize();
        real_vfs = sqlite3_vfs_find(NULL);
        shim = *real_vfs;
        shim.zName = "faults";
        shim.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
        shim.xOpen = vfs_open;
        shim.xDelete = vfs_delete;
        sqlite3_vfs_register(&shim, 1);
}

/* ---- the library's disk ------------------------------------------------------------------------------------------ */

ssize_t __real_write(int fd, const void *bytes, size_t len);
int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_fdatasync(int fd);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
int __wrap_unlinkat(int dir, const char *name, int flags);
ssize_t __real_pwrite(int fd, const void *bytes, size_t len, off_t at);
int __real_rename(const char *from, const char *to);
int __real_link(const char *from, const char *to);
int __real_ftruncate(int fd, off_t len);
int __wrap_fsync(int fd);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t len, off_t at);
int __wrap_rename(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);
int __wrap_ftruncate(int fd, off_t len);

static bool disk_fails(void)
{
        if (!fails_now(FAULT_DISK))
                return false;
        errno = ENOSPC;
        return true;
}

int __wrap_fsync(int fd)
{
        (void)fd;
        return disk_fails() ? -1 : 0;
}

int __wrap_fdatasync(int fd)
{
        (void)fd;
        return disk_fails() ? -1 : 0;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
        return disk_fails() ? -1 : __real_write(fd, bytes, len);
}

int __wrap_unlinkat(int dir, const char *name, int flags)
{
        return disk_fails() ? -1 : __real_unlinkat(dir, name, flags);
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t len, off_t at)
{
        return disk_fails() ? -1 : __real_pwrite(fd, bytes, len, at);
}

int __wrap_rename(const char *from, const char *to)
{
        return disk_fails() ? -1 : __real_rename(from, to);
}

int __wrap_link(const char *from, const char *to)
{
        return disk_fails() ? -1 : __real_link(from, to);
}

int __wrap_ftruncate(int fd, off_t len)
{
        return disk_fails() ? -1 : __real_ftruncate(fd, len);
}
