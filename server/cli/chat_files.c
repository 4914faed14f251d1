/* SPDX-License-Identifier: Apache-2.0 */
/* Files in the terminal client: sending them, the short numbers by which received ones are named, and saving them. What
 * a sender calls a file is shown clean and never chooses a place outside the folder the user named. */
#include "chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void attached_free(struct attached *attached)
{
        free(attached->path);
        free(attached->caption);
        free(attached);
}

/* Taken off the list; NULL = it is not there. */
static struct attached *take_attached(struct chat *chat, const char *cmid)
{
        for (struct attached **at = &chat->attached; *at; at = &(*at)->next) {
                struct attached *attached = *at;
                if (strcmp(attached->cmid, cmid) != 0)
                        continue;
                *at = attached->next;
                return attached;
        }
        return NULL;
}

void chat_files_done(struct chat *chat)
{
        for (size_t i = 0; i < chat->files_count; i++) {
                free((char *)chat->files[i].id);
                free((char *)chat->files[i].name);
        }
        free(chat->files);
        chat->files = NULL;
        chat->files_count = 0;
        while (chat->attached)
                attached_free(take_attached(chat, chat->attached->cmid));
}

/* Its number, from 1; 0 = no memory. */
static size_t number_of(struct chat *chat, const struct deskbell_file *file)
{
        struct deskbell_file *files;

        for (size_t i = 0; i < chat->files_count; i++)
                if (strcmp(chat->files[i].id, file->id) == 0)
                        return i + 1;
        files = realloc(chat->files, (chat->files_count + 1) * sizeof(*files));
        if (!files)
                return 0;
        chat->files = files;
        struct deskbell_file *copy = &files[chat->files_count];
        *copy = *file;
        copy->id = strdup(file->id);
        copy->name = strdup(file->name);
        copy->media = NULL;
        if (!copy->id || !copy->name) {
                free((char *)copy->id);
                free((char *)copy->name);
                return 0;
        }
        return ++chat->files_count;
}

static void write_size(int64_t bytes, char *out, size_t room)
{
        if (bytes < 0)
                snprintf(out, room, "size unknown");
        else if (bytes < 1000)
                snprintf(out, room, "%lld B", (long long)bytes);
        else if (bytes < 1000000)
                snprintf(out, room, "%.1f kB", (double)bytes / 1000);
        else
                snprintf(out, room, "%.1f MB", (double)bytes / 1000000);
}

/* "[file 1: photo.png, 2.1 MB, image/png, 640x480]" for each, one a line or one after the other; malloc'd. */
char *chat_files_text(struct chat *chat, const struct deskbell_file *files, size_t count, bool on_lines)
{
        char *text = NULL, size[32], number[24], measures[32];
        size_t room = 0;
        FILE *out = open_memstream(&text, &room);
        if (!out)
                return NULL;

        for (size_t i = 0; i < count; i++) {
                size_t which = files[i].id[0] ? number_of(chat, &files[i]) : 0;
                write_size(files[i].size, size, sizeof(size));
                number[0] = measures[0] = '\0';
                if (which)
                        snprintf(number, sizeof(number), " %zu", which);
                if (files[i].width)
                        snprintf(measures, sizeof(measures), ", %dx%d", files[i].width, files[i].height);
                fprintf(out, "%s[file%s: %s, %s, %s%s]", i ? on_lines ? "\n" : " " : "", number, files[i].name, size,
                        files[i].media, measures);
        }
        if (fclose(out) != 0) {
                free(text);
                return NULL;
        }
        return text;
}

/* Whether the text only names the files, which are shown anyway. */
bool chat_files_say_it_all(const char *text, const struct deskbell_file *files, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                size_t len = strlen(files[i].name);
                if (i && strncmp(text, ", ", 2) == 0)
                        text += 2;
                if (strncmp(text, files[i].name, len) != 0)
                        return false;
                text += len;
        }
        return count > 0 && !*text;
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

/* The path up to the first space that does not belong to it: a backslash before a space, or quotes around it all. */
static char *take_path(const char *text, const char **out_rest)
{
        char *path = malloc(strlen(text) + 1), quote = *text == '"' || *text == '\'' ? *text : '\0';
        size_t len = 0;
        if (!path)
                return NULL;

        text += quote != '\0';
        while (*text && (quote ? *text != quote : *text != ' ')) {
                text += !quote && *text == '\\' && text[1];
                path[len++] = *text++;
        }
        text += quote && *text;
        path[len] = '\0';
        *out_rest = text + strspn(text, " ");
        return path;
}

static char *at_home(char *path)
{
        const char *home = getenv("HOME");
        char *whole = NULL;

        if (strncmp(path, "~/", 2) != 0 || !home || asprintf(&whole, "%s%s", home, path + 1) < 0)
                return path;
        free(path);
        return whole;
}

/* Without memory it is forgotten, and would have to be chosen once more. */
static void remember(struct chat *chat, const char *cmid, const char *path, const char *caption)
{
        struct attached *attached = calloc(1, sizeof(*attached));
        if (!attached)
                return;

        snprintf(attached->cmid, sizeof(attached->cmid), "%s", cmid);
        attached->path = strdup(path);
        attached->caption = strdup(caption);
        if (!attached->path || !attached->caption) {
                attached_free(attached);
                return;
        }
        attached->next = chat->attached;
        chat->attached = attached;
}

static int send_file(struct chat *chat, const char *path, const char *caption, char out_cmid[33])
{
        struct deskbell_file_options options = DESKBELL_FILE_OPTIONS_INIT;
        struct deskbell_file_source source = {.path = path};

        options.files = &source;
        options.files_count = 1;
        options.text = *caption ? caption : NULL;
        int rc = deskbell_send_file(chat->conv, &options, out_cmid);
        if (rc == 0)
                remember(chat, out_cmid, path, caption);
        return rc;
}

int chat_attach_again(struct chat *chat, const char *cmid, char out_cmid[33])
{
        struct attached *attached = take_attached(chat, cmid);
        if (!attached)
                return DESKBELL_E_NOT_FOUND;

        int rc = send_file(chat, attached->path, attached->caption, out_cmid);
        if (rc == 0) {
                attached_free(attached);
        } else {
                attached->next = chat->attached;
                chat->attached = attached;
        }
        return rc;
}

void chat_attach(struct chat *chat, const char *text)
{
        const char *caption = "";
        char cmid[33];
        char *path = *text ? take_path(text, &caption) : NULL;

        if (!path || !*path || !chat->conv) {
                chat_say(chat,
                         chat->conv ? "usage: /attach PATH [CAPTION]" : "no conversation is open: /list, then /open");
                free(path);
                return;
        }
        path = at_home(path);
        chat->scroll = 0;
        int rc = send_file(chat, path, caption, cmid);
        if (rc == DESKBELL_E_NOT_FOUND || rc == DESKBELL_E_INVALID)
                chat_say(chat, "%s: %s", path,
                         rc == DESKBELL_E_INVALID ? "cannot be sent: empty or too large"
                                                  : "there is no such file, or it cannot be read");
        else if (rc < 0)
                chat_say(chat, "%s", deskbell_error_text(rc));
        chat->failed += chat->is_plain && rc < 0;
        free(path);
}

void chat_cancel(struct chat *chat)
{
        if (!chat->upload_cmid[0] || deskbell_upload_cancel(chat->client, chat->upload_cmid) < 0)
                chat_say(chat, "nothing is being uploaded");
        else
                chat->upload_cmid[0] = '\0';
}

/* On a screen the message itself shows how far it is. */
void chat_progress(struct chat *chat, const struct deskbell_progress *progress)
{
        if (!chat->is_plain) {
                transcript_progress(&chat->transcript, progress->cmid,
                                    (int)(100 * progress->sent / (progress->total ? progress->total : 1)),
                                    progress->file + 1, progress->files);
                chat->is_dirty = true;
        } else if (progress->sent == progress->total) {
                chat_say(chat, "uploaded file %zu of %zu, %lld bytes", progress->file + 1, progress->files,
                         (long long)progress->total);
        }
}

void chat_upload_told(struct chat *chat, const struct deskbell_message *message)
{
        bool is_nowhere = message->state == DESKBELL_FAILED && strcmp(message->tag, "store") == 0;
        struct attached *attached = is_nowhere ? NULL : take_attached(chat, message->cmid);

        if (attached)
                attached_free(attached); /* it is in the outbox, which knows its file */
        if (message->state == DESKBELL_UPLOADING) {
                snprintf(chat->upload_cmid, sizeof(chat->upload_cmid), "%s", message->cmid);
                char *files =
                        chat->is_plain ? chat_files_text(chat, message->files, message->files_count, false) : NULL;
                if (files)
                        chat_say(chat, "uploading %s", files);
                free(files);
        }
        if (message->files_count && !chat->is_plain) {
                char *files = chat_files_text(chat, message->files, message->files_count, true);
                struct shown *row = transcript_find_cmid(&chat->transcript, message->cmid);
                if (row && files)
                        shown_set_more(row, files);
                if (row)
                        row->is_paused = message->is_paused != 0;
                free(files);
        }
}

/* ---- saving ------------------------------------------------------------------------------------------------------ */

/* A name of this folder and no other, whatever the sender called it; malloc'd. */
static char *safe_name(const char *name)
{
        char *safe = chat_text_clean(*name ? name : "file", false);

        for (char *at = safe; *at; at++)
                if (*at == '/' || *at == '\\')
                        *at = '_';
        if (safe[0] == '.')
                safe[0] = '_';
        return safe;
}

static bool is_folder(const char *path)
{
        struct stat info;

        return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* FOLDER/name, or FOLDER/name-1.png when that is taken; malloc'd, NULL when all are. */
static char *free_path(const char *folder, const char *name)
{
        const char *dot = strrchr(name, '.');
        int stem = (int)(dot && dot > name ? (size_t)(dot - name) : strlen(name));
        char *path = NULL;

        for (int n = 0; n < 1000; n++) {
                char more[16] = "";
                if (n)
                        snprintf(more, sizeof(more), "-%d", n);
                if (asprintf(&path, "%s/%.*s%s%s", folder, stem, name, more, name + stem) < 0)
                        return NULL;
                if (access(path, F_OK) < 0)
                        return path;
                free(path);
        }
        return NULL;
}

static void on_saved(deskbell_client *client, int64_t fetch, int error, const char *path, void *data)
{
        struct chat *chat = data;

        (void)client;
        (void)fetch;
        chat->saving--;
        if (error) {
                chat_say(chat, "not saved to %s: %s", path, deskbell_error_text(error));
                chat->failed += chat->is_plain;
        } else {
                chat_say(chat, "saved to %s", path);
        }
        chat->is_dirty = true;
}

static void on_saving(deskbell_client *client, int64_t fetch, int64_t received, int64_t total, void *data)
{
        struct chat *chat = data;

        (void)client;
        (void)fetch;
        chat->saved_percent = (int)(100 * received / total);
        chat->is_dirty = true;
}

static void save_to(struct chat *chat, const struct deskbell_file *file, char *path)
{
        int rc = DESKBELL_E_EXISTS;

        if (path && access(path, F_OK) < 0)
                rc = deskbell_file_fetch(chat->client, file, path, on_saving, on_saved, chat, NULL);
        if (rc == DESKBELL_E_EXISTS)
                chat_say(chat, "%s is there already: say another path", path ? path : file->name);
        else if (rc < 0)
                chat_say(chat, "%s", deskbell_error_text(rc));
        chat->saved_percent = 0;
        chat->saving += rc == 0;
        chat->failed += chat->is_plain && rc < 0;
}

void chat_save(struct chat *chat, const char *text)
{
        char *end, *path = NULL;
        unsigned long number = strtoul(text, &end, 10);
        const char *rest = "";

        if (end == text || number < 1 || number > chat->files_count) {
                chat_say(chat, end == text ? "usage: /save N [PATH]" : "there is no file of that number");
                chat->failed += chat->is_plain;
                return;
        }
        const struct deskbell_file *file = &chat->files[number - 1];
        end += strspn(end, " ");
        path = *end ? take_path(end, &rest) : NULL;
        if (path)
                path = at_home(path);
        if (!path || is_folder(path)) {
                char *name = safe_name(file->name), *whole = free_path(path ? path : ".", name);
                free(name);
                free(path);
                path = whole;
        }
        save_to(chat, file, path);
        free(path);
}
