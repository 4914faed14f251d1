/* SPDX-License-Identifier: Apache-2.0 */
#include "store/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/db_private.h"

enum { MANIFEST_MAX_BYTES = 256 << 20, FORMAT = 1, SUM_BYTES = 32, SUM_TEXT = 64, MAX_DEPTH = 8 };

/* --- one file --- */

static int io_error(int system_errno)
{
        return system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EROFS ? DB_FULL : DB_IO;
}

static int because_errno(char **out_why, const char *path, const char *what)
{
        int error = io_error(errno);
        return db_because(out_why, error, "%s cannot be %s: %s", path, what, strerror(errno));
}

static int path_in(const char *dir, const char *name, const char *tail, char **out_path)
{
        return asprintf(out_path, "%s/%s%s", dir, name, tail) < 0 ? DB_NOMEM : DB_OK;
}

static int remove_name(const char *dir, const char *name, char **out_why)
{
        char *path = NULL;
        int rc = path_in(dir, name, "", &path);
        if (rc != DB_OK)
                return rc;
        if (unlink(path) < 0 && errno != ENOENT)
                rc = because_errno(out_why, path, "removed");
        free(path);
        return rc;
}

static int remove_names(const char *dir, const char *const *names, char **out_why)
{
        int rc = DB_OK;
        for (; *names && rc == DB_OK; names++)
                rc = remove_name(dir, *names, out_why);
        return rc;
}

static int sync_path(const char *path, char **out_why)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        int rc = fd < 0 || fsync(fd) < 0 ? because_errno(out_why, path, "flushed") : DB_OK;
        if (fd >= 0)
                close(fd);
        return rc;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
        while (len > 0) {
                ssize_t done = write(fd, bytes, len);
                if (done < 0 && errno == EINTR)
                        continue;
                if (done <= 0)
                        return false;
                bytes += done;
                len -= (size_t)done;
        }
        return true;
}

/* Reads `from` to its end, into the sum and, unless -1, into `to`. Bytes read; -1: errno tells. */
static int64_t pass_bytes(int from, int to, EVP_MD_CTX *sum)
{
        static const size_t size = 1 << 18;
        char *buffer = malloc(size);
        int64_t total = 0;
        ssize_t got = buffer ? 1 : -1;
        while (got > 0) {
                got = read(from, buffer, size);
                if (got < 0 && errno == EINTR) {
                        got = 1;
                        continue;
                }
                if (got > 0 && (EVP_DigestUpdate(sum, buffer, (size_t)got) != 1 ||
                                (to >= 0 && !write_all(to, buffer, (size_t)got))))
                        got = -1;
                total += got > 0 ? got : 0;
        }
        free(buffer);
        return got < 0 ? -1 : total;
}

/* Size and sum (in hex) of what is left in `from`, copied to `to` unless that is -1. */
static int sum_stream(int from, int to, int64_t *out_size, char out_sum[SUM_TEXT + 1])
{
        unsigned char sum[SUM_BYTES] = {0};
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        int rc = DB_NOMEM;
        if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1) {
                *out_size = pass_bytes(from, to, context);
                if (*out_size < 0)
                        rc = DB_IO;
                else if (EVP_DigestFinal_ex(context, sum, NULL) == 1)
                        rc = DB_OK;
        }
        EVP_MD_CTX_free(context);
        for (size_t i = 0; i < SUM_BYTES; i++)
                snprintf(out_sum + 2 * i, 3, "%02x", sum[i]);
        return rc;
}

/* The size and sum of a file, copied to `to_path` on the way unless that is NULL (made new, 0600, flushed). */
static int take_sum(const char *path, const char *to_path, int64_t *out_size, char out_sum[SUM_TEXT + 1],
                    char **out_why)
{
        int from = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (from < 0)
                return because_errno(out_why, path, "read");
        int to = -1;
        if (to_path)
                to = open(to_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        int rc = to_path && to < 0 ? because_errno(out_why, to_path, "written") : DB_OK;
        if (rc == DB_OK) {
                rc = sum_stream(from, to, out_size, out_sum);
                if (rc == DB_IO || (rc == DB_OK && to >= 0 && fsync(to) < 0))
                        rc = because_errno(out_why, to_path ? to_path : path, to_path ? "copied" : "read");
        }
        close(from);
        if (to >= 0)
                close(to);
        return rc;
}

/* --- sealing --- */

/* A path that stays below its folder and means one file only. */
static bool is_plain_path(const char *name)
{
        size_t len = strlen(name);
        if (len == 0 || len > 512 || name[0] == '/' || name[len - 1] == '/' || strstr(name, "//"))
                return false;
        for (const char *at = name; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL)
                if (at[0] == '.')
                        return false;
        return true;
}

struct walk {
        const char *root;
        json_t *files; /* sums by path below root */
        char **out_why;
};

static int add_file(struct walk *walk, const char *path, const char *name)
{
        int64_t size = 0;
        char sum[SUM_TEXT + 1] = "";
        int rc = take_sum(path, NULL, &size, sum, walk->out_why);
        if (rc == DB_OK)
                rc = sync_path(path, walk->out_why);
        if (rc != DB_OK)
                return rc;
        json_t *file = json_pack("{s:I, s:s}", "bytes", (json_int_t)size, "sha256", sum);
        return json_object_set_new(walk->files, name, file) < 0 ? DB_NOMEM : DB_OK;
}

static int walk_folder(struct walk *walk, const char *below, int depth);

static int walk_one(struct walk *walk, const char *below, const char *entry, int depth)
{
        char *path = NULL, *name = NULL;
        struct stat facts;
        int rc = DB_NOMEM;
        if (asprintf(&name, "%s%s%s", below, *below ? "/" : "", entry) < 0)
                return DB_NOMEM;
        if (asprintf(&path, "%s/%s", walk->root, name) < 0)
                path = NULL;
        else if (lstat(path, &facts) < 0)
                rc = because_errno(walk->out_why, path, "read");
        else if (S_ISDIR(facts.st_mode) && depth < MAX_DEPTH)
                rc = walk_folder(walk, name, depth + 1);
        else if (S_ISREG(facts.st_mode) && is_plain_path(name))
                rc = add_file(walk, path, name);
        else
                rc = db_because(walk->out_why, DB_DAMAGED, "%s has no place in a backup", path);
        free(path);
        free(name);
        return rc;
}

static int walk_folder(struct walk *walk, const char *below, int depth)
{
        char *path = NULL;
        if (asprintf(&path, "%s/%s", walk->root, below) < 0)
                return DB_NOMEM;
        DIR *folder = opendir(path);
        if (!folder) {
                int error = because_errno(walk->out_why, path, "read");
                free(path);
                return error;
        }
        int rc = DB_OK;
        struct dirent *entry;
        while (rc == DB_OK && (entry = readdir(folder)) != NULL)
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        rc = walk_one(walk, below, entry->d_name, depth);
        closedir(folder);
        if (rc == DB_OK)
                rc = sync_path(path, walk->out_why);
        free(path);
        return rc;
}

static int write_manifest(const char *dir, json_t *manifest, char **out_why)
{
        char *path = NULL, *final = NULL;
        char *text = json_dumps(manifest, JSON_INDENT(1) | JSON_SORT_KEYS);
        int rc = DB_NOMEM;
        if (text && asprintf(&path, "%s/%s.part", dir, BACKUP_MANIFEST) >= 0 &&
            asprintf(&final, "%s/%s", dir, BACKUP_MANIFEST) >= 0) {
                int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
                bool is_good = fd >= 0 && write_all(fd, text, strlen(text)) && fsync(fd) == 0;
                if (fd >= 0)
                        close(fd);
                is_good = is_good && rename(path, final) == 0;
                rc = is_good ? sync_path(dir, out_why) : because_errno(out_why, final, "written");
        }
        free(text);
        free(path);
        free(final);
        return rc;
}

int backup_seal(const char *dir, int64_t made_ms, char **out_why)
{
        json_t *manifest = json_pack("{s:i, s:I, s:s, s:{}}", "format", FORMAT, "made_ms", (json_int_t)made_ms,
                                     "program", DESKBELL_VERSION, "files");
        if (!manifest)
                return DB_NOMEM;
        static const char *const old[] = {BACKUP_MANIFEST, BACKUP_MANIFEST ".part", NULL};
        struct walk walk = {dir, json_object_get(manifest, "files"), out_why};
        int rc = remove_names(dir, old, out_why);
        if (rc == DB_OK)
                rc = walk_folder(&walk, "", 0);
        if (rc == DB_OK && !json_object_get(walk.files, BACKUP_STORE))
                rc = db_because(out_why, DB_DAMAGED, "%s holds no %s", dir, BACKUP_STORE);
        if (rc == DB_OK)
                rc = write_manifest(dir, manifest, out_why);
        json_decref(manifest);
        return rc;
}

/* --- verifying --- */

static bool is_manifest(const json_t *manifest)
{
        const json_t *files = json_object_get(manifest, "files");
        return json_integer_value(json_object_get(manifest, "format")) == FORMAT && json_is_object(files) &&
               json_object_get(files, BACKUP_STORE);
}

static int read_manifest(const char *dir, json_t **out_manifest, char **out_why)
{
        char *path = NULL;
        json_error_t error;
        struct stat facts;
        if (path_in(dir, BACKUP_MANIFEST, "", &path) != DB_OK)
                return DB_NOMEM;
        int rc = DB_OK;
        json_t *manifest = NULL;
        if (lstat(path, &facts) < 0)
                rc = because_errno(out_why, path, "read");
        else if (S_ISREG(facts.st_mode) && facts.st_size <= MANIFEST_MAX_BYTES)
                manifest = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
        if (rc == DB_OK && json_integer_value(json_object_get(manifest, "format")) > FORMAT)
                rc = db_because(out_why, DB_NEWER, "%s was made by a newer program", path);
        else if (rc == DB_OK && !is_manifest(manifest))
                rc = db_because(out_why, DB_DAMAGED, "%s is not a manifest", path);
        free(path);
        if (rc == DB_OK)
                *out_manifest = manifest;
        else
                json_decref(manifest);
        return rc;
}

static int verify_file(const char *dir, const char *name, const json_t *facts, const char *copy_to, int64_t *total,
                       char **out_why)
{
        const char *expected = json_string_value(json_object_get(facts, "sha256"));
        json_int_t bytes = json_integer_value(json_object_get(facts, "bytes"));
        char sum[SUM_TEXT + 1] = "", *path = NULL;
        int64_t size = 0;
        if (!is_plain_path(name) || !expected || strlen(expected) != SUM_TEXT || bytes < 0)
                return db_because(out_why, DB_DAMAGED, "the manifest of %s has a bad line", dir);
        if (asprintf(&path, "%s/%s", dir, name) < 0)
                return DB_NOMEM;
        int rc = DB_OK;
        if (access(path, F_OK) < 0 && errno == ENOENT)
                rc = db_because(out_why, DB_DAMAGED, "%s is missing", path);
        if (rc == DB_OK)
                rc = take_sum(path, copy_to, &size, sum, out_why);
        if (rc == DB_OK && size != bytes)
                rc = db_because(out_why, DB_DAMAGED, "%s has %lld bytes, the manifest says %lld", path, (long long)size,
                                (long long)bytes);
        if (rc == DB_OK && strcmp(sum, expected) != 0)
                rc = db_because(out_why, DB_DAMAGED, "%s does not have the SHA-256 of the manifest", path);
        free(path);
        if (rc == DB_OK)
                *total += size;
        return rc;
}

static int find_strangers(const char *dir, const char *below, const json_t *files, int depth, char **out_why);

static int find_stranger(const char *dir, const char *below, const char *entry, const json_t *files, int depth,
                         char **out_why)
{
        char *name = NULL, *path = NULL;
        struct stat facts;
        if (asprintf(&name, "%s%s%s", below, *below ? "/" : "", entry) < 0)
                return DB_NOMEM;
        int rc = path_in(dir, name, "", &path);
        if (rc == DB_OK && lstat(path, &facts) < 0)
                rc = because_errno(out_why, path, "read");
        else if (rc == DB_OK && S_ISDIR(facts.st_mode) && depth < MAX_DEPTH)
                rc = find_strangers(dir, name, files, depth + 1, out_why);
        else if (rc == DB_OK && strcmp(name, BACKUP_MANIFEST) != 0 && !json_object_get(files, name))
                rc = db_because(out_why, DB_DAMAGED, "%s is not in the manifest", path);
        free(path);
        free(name);
        return rc;
}

static int find_strangers(const char *dir, const char *below, const json_t *files, int depth, char **out_why)
{
        char *path = NULL;
        int rc = path_in(dir, below, "", &path);
        if (rc != DB_OK)
                return rc;
        DIR *folder = opendir(path);
        if (!folder)
                rc = because_errno(out_why, path, "read");
        free(path);
        if (!folder)
                return rc;
        struct dirent *entry;
        while (rc == DB_OK && (entry = readdir(folder)) != NULL)
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        rc = find_stranger(dir, below, entry->d_name, files, depth, out_why);
        closedir(folder);
        return rc;
}

int backup_verify(const char *dir, int64_t *out_bytes, char **out_why)
{
        json_t *manifest = NULL;
        int64_t total = 0;
        int rc = read_manifest(dir, &manifest, out_why);
        if (rc != DB_OK)
                return rc;
        json_t *files = json_object_get(manifest, "files"), *facts;
        const char *name;
        json_object_foreach(files, name, facts) {
                if (rc == DB_OK)
                        rc = verify_file(dir, name, facts, NULL, &total, out_why);
        }
        if (rc == DB_OK)
                rc = find_strangers(dir, "", files, 0, out_why);
        json_decref(manifest);
        if (rc == DB_OK && out_bytes)
                *out_bytes = total;
        return rc;
}

/* --- restoring --- */

/* Makes the folders that `path` names below `root`. */
static int make_parents(const char *root, char *path, char **out_why)
{
        for (char *slash = strchr(path + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = 0;
                int rc = mkdir(path, 0700) < 0 && errno != EEXIST ? because_errno(out_why, path, "made") : DB_OK;
                *slash = '/';
                if (rc != DB_OK)
                        return rc;
        }
        return DB_OK;
}

/* The flushed copy `part` takes its name. The file of that name may be a hard link of the backup's own: never written.
 */
static int give_name(const char *part, char *path, char **out_why)
{
        if (rename(part, path) < 0)
                return because_errno(out_why, path, "named");
        char *slash = strrchr(path, '/');
        *slash = 0;
        int rc = sync_path(path, out_why);
        *slash = '/';
        return rc;
}

/* The store is copied to its name and ".restored", everything else to where it belongs. Sums are taken on the way. */
static int copy_file(const char *backup_dir, const char *data_dir, const char *name, const json_t *facts,
                     char **out_why)
{
        char *path = NULL, *part = NULL;
        int64_t total = 0;
        if (!is_plain_path(name))
                return db_because(out_why, DB_DAMAGED, "the manifest of %s has a bad line", backup_dir);
        int rc = path_in(data_dir, name, strcmp(name, BACKUP_STORE) == 0 ? ".restored" : "", &path);
        if (rc == DB_OK)
                rc = path_in(data_dir, name, ".part", &part);
        if (rc == DB_OK)
                rc = make_parents(data_dir, path, out_why);
        if (rc == DB_OK)
                rc = verify_file(backup_dir, name, facts, part, &total, out_why);
        if (rc == DB_OK)
                rc = give_name(part, path, out_why);
        else if (part)
                unlink(part);
        free(path);
        free(part);
        return rc;
}

static int copy_files(const char *backup_dir, const char *data_dir, char **out_why)
{
        static const char *const stale[] = {BACKUP_STORE ".restored-wal", BACKUP_STORE ".restored-shm", NULL};
        json_t *manifest = NULL, *facts;
        const char *name;
        int rc = read_manifest(backup_dir, &manifest, out_why);
        if (rc == DB_OK)
                rc = remove_names(data_dir, stale, out_why);
        json_object_foreach(json_object_get(manifest, "files"), name, facts) {
                if (rc == DB_OK)
                        rc = copy_file(backup_dir, data_dir, name, facts, out_why);
        }
        json_decref(manifest);
        return rc;
}

static void keep_first_finding(void *data, const char *finding)
{
        char *first = data;
        if (!*first)
                snprintf(first, 200, "%s", finding);
}

/* Checks the copy and gives it a new epoch. Its log is in the file when this returns DB_OK. */
static int adopt(const char *path, uint8_t out_epoch[8], char **out_why)
{
        struct db *db = NULL;
        char first[200] = "";
        int rc = db_open(&db_sqlite, path, DB_WRITER, &db, out_why);
        if (rc != DB_OK)
                return rc;
        rc = db_migrate_list(db, db_sqlite.migrations(), false, out_why);
        int findings = rc == DB_OK ? db_check(db, true, keep_first_finding, first) : 0;
        if (findings > 0)
                rc = db_because(out_why, DB_DAMAGED, "%s has %d faults, the first: %s", path, findings, first);
        else if (findings < 0)
                rc = db_because(out_why, findings, "%s cannot be checked: %s", path, db_message(db));
        if (rc == DB_OK)
                rc = db_epoch_renew(db, out_epoch);
        if (rc == DB_OK)
                rc = db_checkpoint_empty(db);
        db_close(db);
        return rc;
}

/* Moves the log of the store that lies there into its file, so that one name is the whole of it. One that cannot be
 * opened is kept as it is, log and all. */
static void fold_old(const char *data_dir)
{
        char *path = NULL;
        struct db *db = NULL;
        if (path_in(data_dir, BACKUP_STORE, "", &path) != DB_OK)
                return;
        if (access(path, F_OK) == 0 && db_open(&db_sqlite, path, DB_WRITER, &db, NULL) == DB_OK) {
                (void)db_checkpoint_empty(db);
                db_close(db);
        }
        free(path);
}

/* A second name for what must not be lost. */
static int keep_name(const char *data_dir, const char *from, const char *to, char **out_why)
{
        char *old = NULL, *new = NULL;
        int rc = path_in(data_dir, from, "", &old);
        if (rc == DB_OK)
                rc = path_in(data_dir, to, "", &new);
        if (rc == DB_OK && link(old, new) < 0 && errno != ENOENT)
                rc = because_errno(out_why, old, "kept");
        free(old);
        free(new);
        return rc;
}

static int exchange(const char *data_dir, const char *restored, char **out_why)
{
        static const char *const older[] = {BACKUP_STORE ".before-restore", BACKUP_STORE ".before-restore-wal",
                                            BACKUP_STORE ".before-restore-shm", NULL};
        static const char *const loose[] = {BACKUP_STORE "-wal", BACKUP_STORE "-shm", NULL};
        static const char *const index[] = {"search.db", "search.db-wal", "search.db-shm", NULL};
        char *path = NULL;
        fold_old(data_dir);
        int rc = remove_names(data_dir, older, out_why);
        if (rc == DB_OK)
                rc = keep_name(data_dir, BACKUP_STORE, BACKUP_STORE ".before-restore", out_why);
        if (rc == DB_OK)
                rc = keep_name(data_dir, BACKUP_STORE "-wal", BACKUP_STORE ".before-restore-wal", out_why);
        if (rc == DB_OK)
                rc = remove_names(data_dir, loose, out_why);
        if (rc == DB_OK)
                rc = path_in(data_dir, BACKUP_STORE, "", &path);
        if (rc == DB_OK)
                rc = give_name(restored, path, out_why);
        free(path);
        return rc == DB_OK ? remove_names(data_dir, index, out_why) : rc;
}

int backup_restore(const char *backup_dir, const char *data_dir, uint8_t out_epoch[8], char **out_why)
{
        char *restored = NULL;
        uint8_t epoch[8];
        int rc = path_in(data_dir, BACKUP_STORE, ".restored", &restored);
        if (rc == DB_OK)
                rc = backup_verify(backup_dir, NULL, out_why);
        if (rc == DB_OK)
                rc = copy_files(backup_dir, data_dir, out_why);
        if (rc == DB_OK) {
                rc = adopt(restored, epoch, out_why);
                if (rc == DB_OK)
                        rc = exchange(data_dir, restored, out_why);
                if (rc != DB_OK)
                        unlink(restored);
        }
        if (rc == DB_OK)
                memcpy(out_epoch, epoch, sizeof epoch);
        free(restored);
        return rc;
}
