/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell backup and restore. A backup is a folder whose manifest names every file with size and sum; it is copied by
 * the server itself while it runs, a few pages between two batches, or by this process when none does. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/attachments.h"
#include "cli/bench/progress.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/folder.h"
#include "cli/search.h"
#include "cli/secrets.h"
#include "files/layout.h"
#include "ops/clock.h"
#include "ops/files.h"
#include "ops/lock.h"
#include "store/backup.h"

enum { PAGES_AT_ONCE = 1000, PAGE_BYTES = 4096, COPY_BYTES = 1 << 16, SETTLE_TRIES = 25, SEARCH_S = 600 };

#define LEDGER "erased.jsonl"

/* ---- backup ---- */

static int copy_pages(struct console *console, json_int_t *out_total)
{
        struct progress progress;
        bool is_started = false;
        for (json_int_t left = 1; left > 0;) {
                json_t *result = NULL;
                json_t *params = json_pack("{s:i, s:b}", "pages", PAGES_AT_ONCE, "begin", !is_started);
                int rc = console_do(console, "store.backup", params, &result);
                if (rc != EX_OK)
                        return rc;
                left = json_integer_value(json_object_get(result, "left"));
                *out_total = json_integer_value(json_object_get(result, "total"));
                json_decref(result);
                if (!is_started)
                        progress_init(&progress, "pages", (uint64_t)*out_total);
                is_started = true;
                progress_show(&progress, (uint64_t)(*out_total > left ? *out_total - left : 0));
        }
        progress_done(&progress);
        return EX_OK;
}

static int copy_bytes(int from, int to)
{
        char bytes[COPY_BYTES];
        ssize_t got;
        while ((got = read(from, bytes, sizeof bytes)) > 0)
                for (ssize_t done = 0; done < got;) {
                        ssize_t put = write(to, bytes + done, (size_t)(got - done));
                        if (put < 0)
                                return -errno;
                        done += put;
                }
        return got < 0 ? -errno : fsync(to) < 0 ? -errno : 0;
}

/* Across file systems a rename is a copy. */
static int move_file(const char *from, const char *to)
{
        if (rename(from, to) == 0)
                return 0;
        if (errno != EXDEV)
                return -errno;
        int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        int rc = in < 0 || out < 0 ? -errno : copy_bytes(in, out);
        if (in >= 0)
                close(in);
        if (out >= 0)
                close(out);
        if (rc < 0)
                unlink(to);
        else
                unlink(from);
        return rc;
}

static int make_target(const char *to)
{
        if (mkdir(to, 0700) == 0)
                return EX_OK;
        if (errno != EEXIST)
                return cli_fail(EX_CANTCREAT, "%s: %s", to, strerror(errno));
        DIR *dir = opendir(to);
        int count = 0;
        for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;)
                count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
        if (dir)
                closedir(dir);
        return dir && count == 0 ? EX_OK : cli_fail(EX_CANTCREAT, "%s: not an empty folder", to);
}

static int64_t bytes_of(const char *dir, const char *name)
{
        char *path = files_path(dir, name);
        struct stat stat_buffer;
        int64_t bytes = path && stat(path, &stat_buffer) == 0 ? stat_buffer.st_size : 0;
        free(path);
        return bytes;
}

static int check_room(const char *data, const char *to)
{
        struct statvfs here;
        struct stat from, there;
        int64_t need = bytes_of(data, BACKUP_STORE) + bytes_of(data, BACKUP_STORE "-wal");
        if (stat(data, &from) == 0 && stat(to, &there) == 0 && from.st_dev != there.st_dev)
                need += attachments_bytes(data); /* elsewhere a hard link is of no use */
        if (statvfs(to, &here) == 0 && (int64_t)(here.f_bavail * here.f_frsize) < need)
                return cli_fail(EX_CANTCREAT, "%s: %lld bytes are free, the copy may need %lld", to,
                                (long long)here.f_bavail * (long long)here.f_frsize, (long long)need);
        return EX_OK;
}

/* The copied store, the attachments it knows, and last the manifest. */
static int take_away(const char *data, const char *to, int64_t *out_files, int64_t *out_bytes)
{
        char *from = files_path(data, "backup.part/" BACKUP_STORE), *part = files_path(data, "backup.part");
        char *target = files_path(to, BACKUP_STORE), *why = NULL;
        int rc = from && part && target ? move_file(from, target) : -ENOMEM;
        if (rc < 0) {
                rc = cli_fail(EX_CANTCREAT, "%s: %s", to, strerror(-rc));
        } else {
                rmdir(part);
                rc = attachments_back_up(data, to, out_files, out_bytes);
                if (rc == EX_OK && backup_seal(to, clock_wall_ms(), &why) < 0)
                        rc = cli_fail(EX_CANTCREAT, "%s", why ? why : to);
        }
        free(from);
        free(part);
        free(target);
        free(why);
        return rc;
}

static int back_up(const char *data, const char *to, bool json)
{
        struct console *console = NULL;
        json_int_t pages = 0;
        int64_t files = 0, file_bytes = 0;
        int rc = make_target(to);
        if (rc == EX_OK)
                rc = check_room(data, to);
        if (rc == EX_OK)
                rc = console_open(data, CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = copy_pages(console, &pages);
        console_close(console);
        if (rc == EX_OK)
                rc = take_away(data, to, &files, &file_bytes);
        if (rc != EX_OK)
                return rc;
        if (json)
                return cli_print(json_pack("{s:s, s:I, s:I, s:I}", "backup", to, "bytes",
                                           (json_int_t)(pages * PAGE_BYTES), "files", (json_int_t)files, "file_bytes",
                                           (json_int_t)file_bytes));
        if (files > 0)
                printf("%lld attachments of %lld bytes\n", (long long)files, (long long)file_bytes);
        printf("%s holds a backup of %lld bytes; keep %s/" LEDGER " beside your backups: a restore replays it\n", to,
               (long long)(pages * PAGE_BYTES), data);
        return cli_finish();
}

int cli_backup(int argc, char **argv)
{
        const char *data = NULL, *to = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                CLI_JSON(json),
                {.name = "to",
                 .value = "FOLDER",
                 .text = &to,
                 .help = "made, or empty; gets the copy and its manifest"},
        };
        const struct cli_page page = {
                .usage = "backup --to FOLDER [options]",
                .about = "Copies the store and its attachments, also while a server writes to them. In the same file "
                         "system\n"
                         "attachments are hard links: they take no room, and stay when the original is erased.",
                .examples = "  deskbell backup --data /var/lib/deskbell --to /backup/monday\n",
                CLI_OPTIONS(options),
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (!to)
                return cli_fail(EX_USAGE, "where to? see: deskbell backup --help");
        return back_up(cli_data(data), to, json);
}

/* ---- restore ---- */

/* Old copies of pages and the files of what was erased are gone when this returns EX_OK. */
static int settle(struct console *console)
{
        int rc = EX_TEMPFAIL;
        for (int i = 0; i < SETTLE_TRIES && rc == EX_TEMPFAIL; i++) {
                rc = console_do(console, "store.settle", NULL, NULL);
                if (rc == EX_TEMPFAIL)
                        usleep(200 * 1000);
        }
        return rc;
}

/* Erases again whom the ledger names: a backup may be older than an erasure. */
static int replay_ledger(const char *data, int *out_count)
{
        char *path = files_path(data, LEDGER), line[256];
        FILE *file = path ? fopen(path, "re") : NULL;
        free(path);
        if (!file)
                return EX_OK;
        struct console *console = NULL;
        int rc = console_open(data, CONSOLE_USE, &console);
        while (rc == EX_OK && fgets(line, sizeof line, file)) {
                json_t *row = json_loads(line, 0, NULL);
                const char *customer = cli_text(row, "customer");
                int done = *customer ? console_do(console, "customer.erase",
                                                  json_pack("{s:o, s:s, s:b}", "cmid", secret_cmid(), "customer",
                                                            customer, "if_there", true),
                                                  NULL)
                                     : EX_OK;
                rc = done;
                *out_count += *customer && done == EX_OK;
                json_decref(row);
        }
        if (rc == EX_OK && *out_count > 0)
                rc = settle(console);
        console_close(console);
        fclose(file);
        return rc;
}

/* Root may read a backup that the folder's owner may not; what it made in the folder becomes the owner's. */
struct owner {
        const char *data;
        uid_t user;
        gid_t group;
};

static int give_path(const struct owner *owner, char *path)
{
        int rc = path && lchown(path, owner->user, owner->group) == 0 ? 0 : errno == ENOENT ? 0 : -1;
        free(path);
        return rc;
}

static int give_attachment(void *data, const uint8_t id[FILE_ID_BYTES], int64_t size, int64_t changed_ms)
{
        const struct owner *owner = data;
        (void)size;
        (void)changed_ms;
        int rc = give_path(owner, layout_whole(owner->data, id));
        return rc == 0 ? give_path(owner, layout_whole_folder(owner->data, id)) : rc;
}

static int give_to_owner(const char *data)
{
        static const char *const made[] = {BACKUP_STORE, "lock", "files", "files.before-restore"};
        struct stat folder;
        if (geteuid() != 0 || stat(data, &folder) < 0)
                return EX_OK;
        struct owner owner = {data, folder.st_uid, folder.st_gid};
        if (layout_walk(data, give_attachment, &owner) < 0)
                return cli_fail(EX_NOPERM, "%s/files: %s", data, strerror(errno));
        for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
                char *path = files_path(data, made[i]);
                int rc = path ? chown(path, folder.st_uid, folder.st_gid) : -1;
                free(path);
                if (rc < 0 && errno != ENOENT)
                        return cli_fail(EX_NOPERM, "%s/%s: %s", data, made[i], strerror(errno));
        }
        return EX_OK;
}

static int restore_into(const char *data, const char *from, bool json)
{
        uint8_t epoch[8];
        char *why = NULL;
        int fd = -1, erased = 0, rc = EX_OK;
        int64_t moved = 0;
        if (lock_take(data, &fd, &why) < 0)
                rc = cli_fail(EX_TEMPFAIL, "%s", why ? why : data);
        if (rc == EX_OK && backup_restore(from, data, epoch, &why) < 0)
                rc = cli_fail(EX_DATAERR, "%s", why ? why : from);
        if (rc == EX_OK)
                rc = attachments_after_restore(data, &moved);
        lock_drop(fd);
        free(why);
        if (rc == EX_OK)
                rc = give_to_owner(data);
        if (rc == EX_OK)
                rc = replay_ledger(data, &erased);
        if (rc != EX_OK)
                return rc;
        if (json)
                return cli_print(json_pack("{s:s, s:i}", "restored", from, "erased_again", erased));
        if (moved > 0)
                printf("%lld attachments that the backup does not know are in %s/files.before-restore\n",
                       (long long)moved, data);
        printf("restored; clients will read everything again and offer what the backup lacks. %d erasure%s replayed; "
               "the "
               "replaced store is %s/%s.before-restore\n",
               erased, erased == 1 ? "" : "s", data, BACKUP_STORE);
        return cli_finish();
}

int cli_restore(int argc, char **argv)
{
        const char *data = NULL, *from = NULL;
        bool json = false, no_ledger = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                CLI_JSON(json),
                {.name = "from", .value = "FOLDER", .text = &from, .help = "a backup"},
                {.name = "no-ledger",
                 .flag = &no_ledger,
                 .help = "restore although DIR/" LEDGER " is not there: who was erased since the backup comes back"},
        };
        const struct cli_page page = {
                .usage = "restore --from FOLDER [options]",
                .about = "Puts a backup in place of the store, which must not be in use. The backup is checked against "
                         "its\n"
                         "manifest first; the store that was there stays beside it. Erasures noted in DIR/" LEDGER "\n"
                         "are done again.",
                .examples = "  deskbell restore --data /var/lib/deskbell --from /backup/monday\n",
                CLI_OPTIONS(options),
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (!from)
                return cli_fail(EX_USAGE, "from where? see: deskbell restore --help");
        data = cli_data(data);
        char *ledger = files_path(data, LEDGER);
        bool has_ledger = ledger && access(ledger, F_OK) == 0;
        free(ledger);
        if (!has_ledger && !no_ledger)
                return cli_fail(EX_NOINPUT,
                                "%s/" LEDGER
                                " is not there: put it back, or say --no-ledger when nobody was erased since",
                                data);
        return restore_into(data, from, json);
}

/* ---- erase ---- */

static int erase(const char *data, const char *customer, bool json)
{
        struct console *console = NULL;
        json_t *result = NULL;
        int rc = console_open(data, CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = console_do(console, "customer.erase",
                                json_pack("{s:o, s:s}", "cmid", secret_cmid(), "customer", customer), &result);
        if (rc == EX_OK)
                rc = settle(console);
        if (rc == EX_OK)
                rc = search_settle(console, SEARCH_S);
        console_close(console);
        if (rc == EX_OK && json) {
                rc = cli_print(json_incref(result));
        } else if (rc == EX_OK) {
                printf("erased: %" JSON_INTEGER_FORMAT " conversations, %" JSON_INTEGER_FORMAT
                       " entries. Backups made before still hold them; %s/" LEDGER " makes a restore erase again.\n",
                       json_integer_value(json_object_get(result, "conversations")),
                       json_integer_value(json_object_get(result, "entries")), data);
                rc = cli_finish();
        }
        json_decref(result);
        return rc;
}

int cli_erase(int argc, char **argv)
{
        const char *data = NULL, *customer = NULL;
        bool json = false, yes = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                CLI_JSON(json),
                {.name = "customer", .value = "ID", .text = &customer, .help = "usr_..."},
                {.name = "yes", .flag = &yes, .help = "do it: there is no way back"},
        };
        const struct cli_page page = {
                .usage = "erase --customer ID --yes [options]",
                .about = "Erases a person for good: all that was said in his conversations, by both sides, notes "
                         "included;\n"
                         "his name, address, devices and access. The places in the logs stay, so that nothing else "
                         "moves.\n"
                         "It is complete when the command ends: old copies of the pages are gone from the files too.",
                .examples = "  deskbell erase --customer usr_0000000000001 --yes\n",
                CLI_OPTIONS(options),
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (!customer)
                return cli_fail(EX_USAGE, "whom? see: deskbell erase --help");
        if (!yes)
                return cli_fail(EX_USAGE, "nothing was erased: there is no way back, say --yes to do it");
        return erase(cli_data(data), customer, json);
}
