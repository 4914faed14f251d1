/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attachments.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "files/layout.h"
#include "ops/clock.h"
#include "ops/files.h"
#include "store/backup.h"

enum { ROWS_AT_ONCE = 64, PIECE_BYTES = 1 << 16, ORPHAN_MS = 24 * 3600 * 1000 };

#define KEPT "files.before-restore"

int attachments_each(struct db *db, int (*each)(void *data, const struct file_row *row), void *data)
{
        struct file_row *rows = calloc(ROWS_AT_ONCE, sizeof *rows);
        int64_t above = 0;
        int count = ROWS_AT_ONCE, rc = rows ? 0 : DB_NOMEM;
        while (rc == 0 && count == ROWS_AT_ONCE) {
                struct db_stmt *stmt = db_stmt(db, SQL_FILES_WHOLE);
                db_bind_int(stmt, 1, above);
                for (count = 0; count < ROWS_AT_ONCE && (rc = db_step(stmt)) == DB_ROW; count++)
                        file_row_read(stmt, &rows[count]);
                db_reset(stmt);
                rc = rc < 0 ? rc : 0;
                for (int i = 0; rc == 0 && i < count; i++) {
                        above = rows[i].id;
                        rc = each(data, &rows[i]);
                }
        }
        free(rows);
        return rc;
}

/* Reads `from` to its end, into `to` and into the sum; either may be absent (-1, NULL). 0 or a negative errno. */
static int pass(int from, int to, EVP_MD_CTX *sum)
{
        char bytes[PIECE_BYTES];
        ssize_t got;
        while ((got = read(from, bytes, sizeof bytes)) > 0) {
                if (sum && EVP_DigestUpdate(sum, bytes, (size_t)got) != 1)
                        return -ENOMEM;
                for (ssize_t done = 0; to >= 0 && done < got;) {
                        ssize_t put = write(to, bytes + done, (size_t)(got - done));
                        if (put < 0)
                                return -errno;
                        done += put;
                }
        }
        return got < 0 ? -errno : 0;
}

static int open_whole(const char *data, const uint8_t file[16])
{
        char *path = layout_whole(data, file);
        int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
        int error = path ? errno : ENOMEM;
        free(path);
        return fd >= 0 ? fd : -error;
}

int attachments_copy(const char *data, const uint8_t file[16], const char *to)
{
        int from = open_whole(data, file);
        if (from < 0)
                return from;
        int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        int rc = out < 0 ? -errno : pass(from, out, NULL);
        if (rc == 0 && fsync(out) < 0)
                rc = -errno;
        if (out >= 0)
                close(out);
        close(from);
        if (rc < 0 && out >= 0)
                unlink(to);
        return rc;
}

/* ---- backup ---- */

struct copying {
        const char *data, *to;
        int64_t count, bytes;
};

static int make_folder(char *path)
{
        int rc = path && (mkdir(path, 0700) == 0 || errno == EEXIST) ? 0 : -(path ? errno : ENOMEM);
        free(path);
        return rc;
}

static int copy_one(void *data, const struct file_row *row)
{
        struct copying *copying = data;
        char *from = layout_whole(copying->data, row->ext), *to = layout_whole(copying->to, row->ext);
        int rc = from && to ? make_folder(files_path(copying->to, "files")) : -ENOMEM;
        if (rc == 0)
                rc = make_folder(layout_whole_folder(copying->to, row->ext));
        if (rc == 0 && link(from, to) < 0) {
                rc = -errno;
                if (rc == -EXDEV || rc == -EPERM || rc == -EMLINK || rc == -EACCES || rc == -EOPNOTSUPP)
                        rc = attachments_copy(copying->data, row->ext, to);
        }
        free(from);
        free(to);
        if (rc == -ENOENT) /* erased since the store was copied; a restore finds its row and says so */
                return 0;
        if (rc < 0)
                return cli_fail(EX_CANTCREAT, "%s: an attachment cannot be copied: %s", copying->to, strerror(-rc));
        copying->count++;
        copying->bytes += row->size;
        return 0;
}

/* Opened by the one who made it: what that leaves beside the copied store goes again. */
static void remove_loose(const char *dir)
{
        static const char *const names[] = {BACKUP_STORE "-wal", BACKUP_STORE "-shm"};
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
                char *path = files_path(dir, names[i]);
                if (path)
                        unlink(path);
                free(path);
        }
}

static int open_store(const char *dir, struct db **out_db)
{
        char *path = files_path(dir, BACKUP_STORE), *why = NULL;
        int rc = path ? db_open(&db_sqlite, path, DB_WRITER, out_db, &why) : DB_NOMEM;
        if (rc < 0)
                rc = cli_fail(EX_UNAVAILABLE, "%s", why ? why : dir);
        free(path);
        free(why);
        return rc;
}

static int said(struct db *db, int rc)
{
        return rc < 0 ? cli_fail(EX_UNAVAILABLE, "the store cannot be read: %s", db_message(db)) : rc;
}

int attachments_back_up(const char *data, const char *to, int64_t *out_count, int64_t *out_bytes)
{
        struct copying copying = {.data = data, .to = to};
        struct db *db = NULL;
        int rc = open_store(to, &db);
        if (rc != EX_OK)
                return rc;
        rc = said(db, attachments_each(db, copy_one, &copying));
        db_close(db);
        remove_loose(to);
        *out_count = copying.count;
        *out_bytes = copying.bytes;
        return rc;
}

static int add_size(void *data, const uint8_t id[FILE_ID_BYTES], int64_t size, int64_t changed_ms)
{
        int64_t *total = data;
        (void)id;
        (void)changed_ms;
        *total += size;
        return 0;
}

int64_t attachments_bytes(const char *data)
{
        int64_t total = 0;
        return layout_walk(data, add_size, &total) < 0 ? 0 : total;
}

/* ---- restore ---- */

struct moving {
        struct db *db;
        const char *data, *kept;
        int64_t count;
};

static int move_unknown(void *data, const uint8_t id[FILE_ID_BYTES], int64_t size, int64_t changed_ms)
{
        struct moving *moving = data;
        struct file_row row;
        char name[FILE_ID_TEXT + 1] = "";
        (void)size;
        (void)changed_ms;
        int rc = file_rows_by_ext(moving->db, id, &row);
        if (rc < 0 || (rc == DB_ROW && row.state == FILE_WHOLE))
                return rc < 0 ? rc : 0;
        file_id_write(name, id);
        char *from = layout_whole(moving->data, id), *to = files_path(moving->kept, name);
        rc = from && to && rename(from, to) == 0 ? 0 : DB_IO;
        free(from);
        free(to);
        moving->count += rc == 0;
        return rc;
}

/* Empties a folder that holds files alone. */
static void empty_folder(const char *path)
{
        DIR *dir = opendir(path);
        for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;)
                if (entry->d_name[0] != '.')
                        unlinkat(dirfd(dir), entry->d_name, 0);
        if (dir)
                closedir(dir);
}

int attachments_after_restore(const char *data, int64_t *out_moved)
{
        struct moving moving = {.data = data};
        char *kept = files_path(data, KEPT);
        int rc = open_store(data, &moving.db);
        if (rc == EX_OK && kept) {
                empty_folder(kept);
                moving.kept = kept;
                rc = make_folder(files_path(data, KEPT)) < 0
                             ? cli_fail(EX_CANTCREAT, "%s: %s", kept, strerror(errno))
                             : said(moving.db, layout_walk(data, move_unknown, &moving));
                rmdir(kept); /* stays when there is something in it */
        }
        db_close(moving.db);
        free(kept);
        *out_moved = moving.count;
        return rc;
}

/* ---- check ---- */

struct checking {
        struct db *db;
        const char *data;
        bool deep;
        void (*say)(void *data, const char *finding);
        void *say_data;
        int count;
};

/* NULL when it is as its row says, else what is wrong. */
static const char *fault_of(const struct checking *checking, const struct file_row *row)
{
        uint8_t sum[32];
        struct stat facts;
        int fd = open_whole(checking->data, row->ext);
        const char *fault = fd == -ENOENT ? "is missing" : fd < 0 ? "cannot be read" : NULL;
        if (!fault && (fstat(fd, &facts) < 0 || facts.st_size != row->size))
                fault = "has another size";
        if (!fault && checking->deep) {
                EVP_MD_CTX *context = EVP_MD_CTX_new();
                bool is_read = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
                               pass(fd, -1, context) == 0 && EVP_DigestFinal_ex(context, sum, NULL) == 1;
                EVP_MD_CTX_free(context);
                fault = !is_read                                    ? "cannot be read"
                        : memcmp(sum, row->sha256, sizeof sum) != 0 ? "has another SHA-256"
                                                                    : NULL;
        }
        if (fd >= 0)
                close(fd);
        return fault;
}

static void report(struct checking *checking, const uint8_t id[FILE_ID_BYTES], const char *fault)
{
        char text[128], name[FILE_ID_TEXT];
        file_id_write(name, id);
        snprintf(text, sizeof text, "attachment %.*s %s", FILE_ID_TEXT, name, fault);
        checking->say(checking->say_data, text);
        checking->count++;
}

static int check_row(void *data, const struct file_row *row)
{
        struct checking *checking = data;
        struct file_row now;
        const char *fault = fault_of(checking, row);
        if (!fault)
                return 0;
        int rc = file_rows_by_ext(checking->db, row->ext, &now); /* erased while we looked? */
        if (rc == DB_ROW && now.state == FILE_WHOLE)
                report(checking, row->ext, fault);
        return rc < 0 ? rc : 0;
}

static int check_file(void *data, const uint8_t id[FILE_ID_BYTES], int64_t size, int64_t changed_ms)
{
        struct checking *checking = data;
        struct file_row row;
        (void)size;
        int rc = file_rows_by_ext(checking->db, id, &row);
        bool is_orphan = rc == DB_OK || (rc == DB_ROW && row.state == FILE_REMOVED);
        if (is_orphan && changed_ms < clock_wall_ms() - ORPHAN_MS)
                report(checking, id, "belongs to nothing");
        return rc < 0 ? rc : 0;
}

int attachments_check(struct db *db, const char *data, bool deep, void (*say)(void *data, const char *finding),
                      void *say_data, int *out_count)
{
        struct checking checking = {.db = db, .data = data, .deep = deep, .say = say, .say_data = say_data};
        int rc = attachments_each(db, check_row, &checking);
        if (rc == 0)
                rc = layout_walk(data, check_file, &checking);
        *out_count += checking.count;
        return said(db, rc);
}
