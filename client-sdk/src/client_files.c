/* SPDX-License-Identifier: Apache-2.0 */
/* The public calls for files and search: arguments and local files are checked here, bytes are copied to disk before
 * the machine hears of them; and the setting up of the thread for files. */
#include "client_private.h"
#include "folder.h"
#include "seal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define COPY_LIFE_S INT64_C(2678400) /* 31 days: longer than any message waits */

/* ---- setting up -------------------------------------------------------------------------------------------------- */

void client_job_done(void *data, struct job *job)
{
        struct deskbell_client *client = data;
        struct job **at = &client->done_jobs;

        job->next = NULL;
        pthread_mutex_lock(&client->inbox_lock);
        while (*at)
                at = &(*at)->next;
        *at = job;
        client->is_poked = true;
        pthread_cond_signal(&client->inbox_wake);
        pthread_mutex_unlock(&client->inbox_lock);
}

/* wss://host:1/v1/ws -> https://host:1/v1/files; malloc'd. NULL: out of memory. */
static char *files_base(const char *url)
{
        const char *rest = strstr(url, "://"), *scheme = strncmp(url, "wss:", 4) == 0 ? "https" : "http";
        size_t len = strlen(rest), tail = strlen("/v1/ws");
        char *base = NULL;

        if (len > tail && strcmp(rest + len - tail, "/v1/ws") == 0)
                len -= tail;
        else
                len = 3 + strcspn(rest + 3, "/");
        return asprintf(&base, "%s%.*s/v1/files", scheme, (int)len, rest) < 0 ? NULL : base;
}

int client_open_files(struct deskbell_client *client, const struct deskbell_options *options)
{
        struct transfer_settings settings = {.on_done = client_job_done, .data = client};
        int rc = DESKBELL_E_NOMEM;

        if (!client->url[0] || (options->transport && !client->transport.http))
                return 0;
        if (options->transport) {
                settings.http = client->transport.http;
                settings.http_cancel = client->transport.http_cancel;
                settings.http_data = client->transport.data;
        } else {
                settings.http = http_curl_begin;
                settings.http_cancel = http_curl_cancel;
                settings.http_data = settings.curl = http_curl_new(client->road);
                if (!settings.curl)
                        return DESKBELL_E_NOMEM;
        }
        char *base = files_base(client->url);
        settings.base = base;
        if (base)
                rc = transfer_new(&settings, &client->transfer);
        free(base);
        if (rc < 0)
                http_curl_free(settings.curl);
        else
                client_sweep_copies(client);
        return rc;
}

void client_sweep_copies(struct deskbell_client *client)
{
        DIR *folder = client->copies_dir ? opendir(client->copies_dir) : NULL;
        int64_t before = client_wall_ms(client) / 1000 - COPY_LIFE_S;
        const struct dirent *found;
        struct stat info;
        char *path;
        if (!folder)
                return;

        while ((found = readdir(folder))) {
                if (found->d_name[0] == '.' || asprintf(&path, "%s/%s", client->copies_dir, found->d_name) < 0)
                        continue;
                if (lstat(path, &info) == 0 && info.st_mtime < before && !machine_knows_copy(client->machine, path))
                        unlink(path);
                free(path);
        }
        closedir(folder);
}

/* ---- a local file ------------------------------------------------------------------------------------------------ */

static const char *guess_media(const char *name)
{
        static const struct {
                const char *end, *media;
        } known[] = {
                {".png", "image/png"},
                {".jpg", "image/jpeg"},
                {".jpeg", "image/jpeg"},
                {".gif", "image/gif"},
                {".webp", "image/webp"},
                {".heic", "image/heic"},
                {".pdf", "application/pdf"},
                {".txt", "text/plain"},
                {".log", "text/plain"},
                {".csv", "text/csv"},
                {".json", "application/json"},
                {".zip", "application/zip"},
                {".mp4", "video/mp4"},
                {".mov", "video/quicktime"},
                {".webm", "video/webm"},
                {".mp3", "audio/mpeg"},
                {".m4a", "audio/mp4"},
                {".ogg", "audio/ogg"},
                {".wav", "audio/wav"},
                {".doc", "application/msword"},
                {".xls", "application/vnd.ms-excel"},
                {".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
                {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
                {".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
        };
        const char *dot = strrchr(name, '.');

        for (size_t i = 0; dot && i < sizeof(known) / sizeof(known[0]); i++)
                if (strcasecmp(dot, known[i].end) == 0)
                        return known[i].media;
        return "application/octet-stream";
}

static bool is_name(const char *name)
{
        size_t points = 0;

        return client_is_line(name, 1020) && client_is_utf8(name, &points) && points <= 255;
}

/* What a caller named, checked; path is ours to free. */
struct taken {
        struct file_source source;
        char *path;
};

static int take_name(struct file_source *out, const struct deskbell_file_source *given)
{
        const char *slash = given->path ? strrchr(given->path, '/') : NULL;
        const char *last = slash ? slash + 1 : given->path ? given->path : "";

        out->name = given->name ? given->name : is_name(last) ? last : "file";
        out->media = given->media ? given->media : guess_media(out->name);
        return is_name(out->name) && client_is_line(out->media, 127) ? 0 : DESKBELL_E_INVALID;
}

static int look_at(struct file_source *out, const char *path)
{
        struct stat info;
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        int rc = fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) ? DESKBELL_E_NOT_FOUND : 0;

        if (fd >= 0)
                close(fd);
        if (rc < 0)
                return rc;
        out->size = info.st_size;
        out->mtime_ns = platform_mtime_ns(&info);
        return 0;
}

static int take_path(struct taken *out, const char *path)
{
        out->path = realpath(path, NULL);
        if (!out->path)
                return errno == ENOMEM ? DESKBELL_E_NOMEM : DESKBELL_E_NOT_FOUND;
        out->source.path = out->path;
        int rc = look_at(&out->source, out->path);
        if (rc < 0)
                return rc;
        return out->source.size >= 1 && out->source.size <= PROTOCOL_FILE_BYTES ? 0 : DESKBELL_E_INVALID;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
        while (len) {
                ssize_t wrote = write(fd, bytes, len);
                if (wrote < 0 && errno != EINTR)
                        return false;
                bytes += wrote > 0 ? wrote : 0;
                len -= wrote > 0 ? (size_t)wrote : 0;
        }
        return true;
}

static bool sync_file(const char *path)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        bool is_done = fd >= 0 && platform_flush(fd) == 0;

        if (fd >= 0)
                close(fd);
        return is_done;
}

bool client_sync_copies(struct deskbell_client *client, const struct handed *handed)
{
        bool is_done = true, has_copies = false;

        for (size_t i = 0; i < handed->files_count; i++) {
                if (!handed->files[i].is_copy)
                        continue;
                has_copies = true;
                is_done &= sync_file(handed->files[i].path);
        }
        return is_done && (!has_copies || folder_sync(client->copies_dir));
}

static bool write_sealed(int fd, const struct deskbell_file_source *given, struct file_source *out)
{
        out->has_secret = seal_file_key(out->secret) == 0;
        return out->has_secret && seal_file_write(fd, out->secret, given->bytes, given->bytes_len) == 0;
}

static bool is_known(struct deskbell_client *client, const char *path)
{
        pthread_mutex_lock(&client->lock);
        bool is = machine_knows_copy(client->machine, path);
        pthread_mutex_unlock(&client->lock);
        return is;
}

/* Bytes go into a file at once; they are written through by client_sync_copies, before anything refers to them. */
static int take_bytes(struct deskbell_client *client, struct taken *out, const struct deskbell_file_source *given,
                      const char cmid[CMID_TEXT_BYTES], size_t at)
{
        if (!client->copies_dir)
                return DESKBELL_E_STATE;
        if (given->bytes_len < 1 || given->bytes_len > PROTOCOL_FILE_BYTES)
                return DESKBELL_E_INVALID;
        if (mkdir(client->copies_dir, 0700) < 0 && errno != EEXIST)
                return DESKBELL_E_STORE;
        if (asprintf(&out->path, "%s/%.32s-%zu%s", client->copies_dir, cmid, at, client->is_sealed ? ".sealed" : "") <
            0) {
                out->path = NULL;
                return DESKBELL_E_NOMEM;
        }
        int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
        int fd = open(out->path, flags, 0600);
        if (fd < 0 && errno == EEXIST && !is_known(client, out->path)) {
                unlink(out->path); /* of a process that died before the message was queued */
                fd = open(out->path, flags, 0600);
        }
        if (fd < 0)
                return errno == EEXIST ? DESKBELL_E_EXISTS : DESKBELL_E_STORE;
        out->source.is_copy = true;
        out->source.path = out->path;
        bool is_written = client->is_sealed ? write_sealed(fd, given, &out->source)
                                            : write_all(fd, given->bytes, given->bytes_len);
        close(fd);
        if (!is_written)
                return DESKBELL_E_STORE;
        int rc = look_at(&out->source, out->path);
        out->source.size = (int64_t)given->bytes_len;
        return rc;
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

static int take_all(struct deskbell_client *client, const struct deskbell_file_options *options,
                    const struct cmid *cmid, struct taken *out)
{
        char text[CMID_TEXT_BYTES];

        cmid_write(text, cmid);
        for (size_t i = 0; i < options->files_count; i++) {
                const struct deskbell_file_source *given = &options->files[i];
                if (!given->path == !given->bytes)
                        return DESKBELL_E_INVALID;
                int rc = take_name(&out[i].source, given);
                if (rc == 0)
                        rc = given->path ? take_path(&out[i], given->path)
                                         : take_bytes(client, &out[i], given, text, i);
                if (rc < 0)
                        return rc;
        }
        return 0;
}

static void drop_all(struct taken *taken, size_t count, bool is_queued)
{
        for (size_t i = 0; i < count; i++) {
                if (!is_queued && taken[i].source.is_copy)
                        unlink(taken[i].path);
                free(taken[i].path);
        }
}

static int check_options(const struct deskbell_file_options *options)
{
        if (!options->files || options->files_count < 1 || options->files_count > PROTOCOL_ATTACHMENTS ||
            (options->log != DESKBELL_PUBLIC && options->log != DESKBELL_TEAM) || options->reply_to < 0 ||
            (options->wait_for_disk != 0 && options->wait_for_disk != 1))
                return DESKBELL_E_INVALID;
        return options->text ? client_check_text(options->text) : 0;
}

/* Before a copy is made under that name. */
static bool is_taken(struct deskbell_client *client, const struct cmid *cmid)
{
        pthread_mutex_lock(&client->lock);
        bool is = client_waits_with(client, cmid) || machine_has_message(client->machine, cmid) == DESKBELL_E_EXISTS;
        pthread_mutex_unlock(&client->lock);
        return is;
}

static int queue_files(deskbell_conversation *conversation, const struct deskbell_file_options *options,
                       const struct message_options *how, struct taken *taken, char *out_cmid)
{
        deskbell_client *client = machine_conv_client(conversation);
        struct file_source sources[PROTOCOL_ATTACHMENTS];

        for (size_t i = 0; i < options->files_count; i++)
                sources[i] = taken[i].source;
        struct handed *handed = NULL;
        int rc = handed_files(conversation, sources, options->files_count, options->text, how, &handed);
        return rc < 0 ? rc : client_hand_over(client, handed, how->waits, out_cmid);
}

int deskbell_send_file(deskbell_conversation *conversation, const struct deskbell_file_options *given, char *out_cmid)
{
        struct deskbell_file_options options = DESKBELL_FILE_OPTIONS_INIT;
        struct taken taken[PROTOCOL_ATTACHMENTS] = {0};

        if (!conversation || !given ||
            !client_take_struct(&options, sizeof(options), given, offsetof(struct deskbell_file_options, text)))
                return DESKBELL_E_INVALID;
        deskbell_client *client = machine_conv_client(conversation);
        int rc = check_options(&options);
        if (rc == 0 && !client->transfer)
                rc = DESKBELL_E_STATE;
        if (rc < 0)
                return rc;
        struct message_options how = {
                .waits = options.wait_for_disk != 0,
                .log = (int)options.log,
                .reply_to = options.reply_to,
        };
        rc = client_take_cmid(client, options.cmid, &how);
        if (rc < 0)
                return rc;
        if (options.cmid && is_taken(client, &how.cmid))
                return DESKBELL_E_EXISTS;
        rc = take_all(client, &options, &how.cmid, taken);
        if (rc == 0)
                rc = queue_files(conversation, &options, &how, taken, out_cmid);
        drop_all(taken, options.files_count, rc == 0);
        return rc;
}

static int change(deskbell_client *client, const char *cmid, int what)
{
        struct cmid message;

        if (!client || !cmid || cmid_read(span_of(cmid), &message) < 0)
                return DESKBELL_E_INVALID;
        client_begin_all(client);
        int rc = what == 2 ? machine_upload_cancel(client->machine, &message)
                           : machine_upload_pause(client->machine, &message, what == 1);
        int stored = client_end(client);
        return rc < 0 ? rc : stored;
}

int deskbell_upload_pause(deskbell_client *client, const char *cmid)
{
        return change(client, cmid, 1);
}

int deskbell_upload_resume(deskbell_client *client, const char *cmid)
{
        return change(client, cmid, 0);
}

int deskbell_upload_cancel(deskbell_client *client, const char *cmid)
{
        return change(client, cmid, 2);
}

/* ---- fetching ---------------------------------------------------------------------------------------------------- */

int deskbell_file_fetch(deskbell_client *client, const struct deskbell_file *file, const char *path,
                        deskbell_fetch_progress_fn progress, deskbell_fetch_done_fn done, void *data,
                        int64_t *out_fetch)
{
        int64_t fetch = 0;

        if (!client || !file || !path || !*path || !done || !file->id || strlen(file->id) != 32 ||
            strspn(file->id, "0123456789abcdef") != 32 || file->size < 1 || file->size > PROTOCOL_FILE_BYTES)
                return DESKBELL_E_INVALID;
        if (!client->transfer)
                return DESKBELL_E_STATE;
        client_begin(client, false);
        int rc = machine_fetch(client->machine, file, path, progress, done, data, &fetch);
        if (rc == 0 && out_fetch)
                *out_fetch = fetch;
        client_end(client); /* when the turn fails the fetch goes on: it is not in the file */
        return rc;
}

int deskbell_file_fetch_cancel(deskbell_client *client, int64_t fetch)
{
        if (!client)
                return DESKBELL_E_INVALID;
        client_begin(client, false);
        int rc = machine_fetch_cancel(client->machine, fetch);
        client_end(client);
        return rc;
}

/* ---- searching --------------------------------------------------------------------------------------------------- */

int deskbell_search(deskbell_client *client, const char *query, const struct deskbell_search_options *given,
                    deskbell_search_fn fn, void *data)
{
        struct deskbell_search_options options = DESKBELL_SEARCH_OPTIONS_INIT;
        size_t points = 0;

        if (!client || !query || !fn)
                return DESKBELL_E_INVALID;
        if (given &&
            !client_take_struct(&options, sizeof(options), given, offsetof(struct deskbell_search_options, before)))
                return DESKBELL_E_INVALID;
        if (options.limit < 1 || options.limit > PROTOCOL_FOUND_ROWS ||
            (options.before && !client_is_line(options.before, 64)))
                return DESKBELL_E_INVALID;
        if (!client_is_utf8(query, &points) || points < 1 || points > PROTOCOL_QUERY_POINTS)
                return DESKBELL_E_TEXT;
        for (const char *at = query; *at; at++)
                if ((unsigned char)*at < 0x20 || *at == 0x7f)
                        return DESKBELL_E_TEXT;
        client_begin(client, false);
        int rc = machine_search(client->machine, query, &options, fn, data);
        client_end(client);
        return rc;
}
