/* SPDX-License-Identifier: Apache-2.0 */
/* Upload queue: the messages with files that are not in the outbox yet, as the file has them; queueing, pausing and
 * giving up; and the step into the outbox when all files are on the server. The local files are looked at by others:
 * what is known of them here was written down when they were queued. */
#include "machine_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol/hot.h"

/* ---- the list ---------------------------------------------------------------------------------------------------- */

static struct upload *upload_free(struct upload *upload)
{
        for (size_t i = 0; i < upload->count; i++)
                free(upload->files[i].texts);
        free(upload->out);
        free(upload);
        return NULL;
}

static void list_remove(struct machine *machine, struct upload *upload)
{
        struct upload **at = &machine->uploads;

        while (*at != upload)
                at = &(*at)->next;
        *at = upload->next;
        upload_free(upload);
}

static void list_add(struct machine *machine, struct upload *upload)
{
        struct upload **at = &machine->uploads;

        while (*at)
                at = &(*at)->next;
        *at = upload;
}

/* A copy with memory of its own for its texts. */
static bool copy_file(struct upload_file *out, const struct cached_upload *row)
{
        size_t path_len = row->path.len, name_len = row->name.len;

        out->texts = calloc(1, path_len + name_len + row->media.len + 3);
        if (!out->texts)
                return false;
        char *name = out->texts + path_len + 1, *media = name + name_len + 1;
        memcpy(out->texts, row->path.at, path_len);
        memcpy(name, row->name.at, name_len);
        memcpy(media, row->media.at, row->media.len);
        out->row = *row;
        out->row.path.at = out->texts;
        out->row.name.at = name;
        out->row.media.at = media;
        return true;
}

static bool load_file(void *data, const struct cached_upload *row)
{
        struct upload *upload = data;

        if (upload->count == PROTOCOL_ATTACHMENTS)
                return false;
        if (!copy_file(&upload->files[upload->count], row)) {
                upload->has_failed = true;
                return false;
        }
        upload->count++;
        upload->is_paused |= row->is_paused;
        return true;
}

/* From the file. NULL: out of memory, or the row is not whole: it has no files. */
static struct upload *upload_new(struct machine *machine, deskbell_conversation *conv, const struct cached_message *row,
                                 bool *out_is_whole)
{
        struct upload *upload = calloc(1, sizeof(*upload));
        if (!upload)
                return NULL;

        upload->out = outbox_row(row);
        if (!upload->out)
                return upload_free(upload);
        upload->out->conv = conv;
        cache_uploads(machine->cache, row->pos, load_file, upload);
        *out_is_whole = upload->count > 0 || upload->has_failed;
        return upload->count && !upload->has_failed ? upload : upload_free(upload);
}

static bool load_one(void *data, const struct cached_message *row)
{
        struct machine *machine = data;
        deskbell_conversation *conv = conv_by_row(machine, row->conv);
        bool is_whole = true;
        struct upload *upload = conv ? upload_new(machine, conv, row, &is_whole) : NULL;

        if (upload)
                list_add(machine, upload);
        else if (conv && is_whole)
                cache_fail(machine->cache);
        return true;
}

int uploads_load(struct machine *machine)
{
        cache_messages(machine->cache, MESSAGES_UPLOADING, 0, load_one, machine);
        return 0;
}

void uploads_clear(struct machine *machine)
{
        while (machine->uploads)
                list_remove(machine, machine->uploads);
}

size_t uploads_count(const struct machine *machine)
{
        size_t count = 0;

        for (const struct upload *upload = machine->uploads; upload; upload = upload->next)
                count++;
        return count;
}

static struct upload *upload_by_cmid(struct machine *machine, const struct cmid *cmid)
{
        for (struct upload *upload = machine->uploads; upload; upload = upload->next)
                if (memcmp(&upload->out->row.cmid, cmid, sizeof(*cmid)) == 0)
                        return upload;
        return NULL;
}

/* ---- after sending ---------------------------------------------------------------------------------------------- */

/* What was a copy is one no more: it goes now, and would be missed then. */
static void keep_file(struct machine *machine, struct upload *upload, size_t at)
{
        struct cached_upload *row = &upload->files[at].row;

        if (row->is_copy)
                row->path = SPAN("");
        row->is_copy = row->has_secret = false;
        row->tries = 0;
        uploads_save_file(machine, upload, at);
}

/* A restored server may lack the files: those at a path of the application's can be uploaded once more. */
void uploads_sent(struct machine *machine, struct outgoing *out)
{
        bool is_whole = true, has_source = false;
        struct upload *upload = NULL;

        if (!uploads_has_rows(machine, out->row.pos))
                return;
        upload = upload_new(machine, out->conv, &out->row, &is_whole);
        for (size_t i = 0; upload && i < upload->count; i++)
                has_source |= !upload->files[i].row.is_copy;
        if (has_source) {
                uploads_remove_copies(machine, out->row.pos);
                for (size_t i = 0; i < upload->count; i++)
                        keep_file(machine, upload, i);
        } else if (upload) {
                uploads_forget_copies(machine, out->row.pos);
        } else if (is_whole) {
                cache_fail(machine->cache); /* no memory: the turn happens again */
        }
        if (upload)
                upload_free(upload);
}

/* ---- queueing ---------------------------------------------------------------------------------------------------- */

int uploads_append(struct machine *machine, deskbell_conversation *conv, struct cached_message *row)
{
        row->state = DESKBELL_UPLOADING;
        bool is_whole = true;
        struct upload *upload = upload_new(machine, conv, row, &is_whole);
        if (!upload) {
                cache_fail(machine->cache);
                return DESKBELL_E_NOMEM;
        }
        list_add(machine, upload);
        sending_tell(machine, conv, row, false);
        return 0;
}

/* ---- pausing and giving up --------------------------------------------------------------------------------------- */

static void stop_work(struct machine *machine, struct upload *upload)
{
        if (upload->step == UPLOAD_HASHING || upload->step == UPLOAD_PUTTING)
                machine_job_abort(machine, upload->serial);
        upload->step = UPLOAD_NEXT;
}

static bool is_there(void *data, const struct cached_message *row)
{
        (void)data;
        (void)row;
        return false;
}

int machine_upload_pause(struct machine *machine, const struct cmid *cmid, bool is_paused)
{
        struct upload *upload = upload_by_cmid(machine, cmid);

        if (!upload)
                return cache_message_get(machine->cache, cmid, is_there, NULL) ? DESKBELL_E_STATE
                                                                               : DESKBELL_E_NOT_FOUND;
        if (upload->is_paused == is_paused)
                return 0;
        if (is_paused)
                stop_work(machine, upload);
        upload->is_paused = upload->files[0].row.is_paused = is_paused;
        upload->hold_until_ms = 0;
        upload->failures = 0;
        uploads_save_file(machine, upload, 0);
        sending_tell(machine, upload->out->conv, &upload->out->row, false);
        return 0;
}

/* The server removes what is not asked for any more by itself, a day later; so this is only a courtesy. */
static bool ask_cancel(void *data, const struct cached_upload *row)
{
        struct machine *machine = data;
        struct protocol_upload_cancel params = {0};
        struct writer writer;

        if (!row->has_file || machine->state != SESSION_OPEN || !machine_may_ask(machine) ||
            !machine_request_begin(machine, &writer, REQUEST_UPLOAD_CANCEL, PROTOCOL_N_UPLOAD_CANCEL))
                return true;
        memcpy(params.file, row->file, sizeof(params.file));
        protocol_upload_cancel_write(&writer, &params);
        machine_frame_end(machine, &writer);
        return true;
}

static void tell_cancelled(struct machine *machine, struct outgoing *out)
{
        struct cached_message row = out->row;

        row.state = DESKBELL_FAILED;
        row.tag = SPAN("cancelled");
        row.is_told = true; /* nothing is left to be told again */
        sending_tell(machine, out->conv, &row, false);
        cache_uploads(machine->cache, row.pos, ask_cancel, machine);
        uploads_forget_copies(machine, row.pos);
        cache_message_drop(machine->cache, row.pos);
}

int machine_upload_cancel(struct machine *machine, const struct cmid *cmid)
{
        struct upload *upload = upload_by_cmid(machine, cmid);
        struct outgoing *out = machine->out_first;

        if (upload) {
                stop_work(machine, upload);
                tell_cancelled(machine, upload->out);
                list_remove(machine, upload);
                return 0;
        }
        while (out && memcmp(&out->row.cmid, cmid, sizeof(*cmid)) != 0)
                out = out->next;
        if (!out)
                return cache_message_get(machine->cache, cmid, is_there, NULL) ? DESKBELL_E_STATE
                                                                               : DESKBELL_E_NOT_FOUND;
        if (out->may_have_left || out->is_offered_again || !uploads_has_rows(machine, out->row.pos))
                return DESKBELL_E_STATE;
        tell_cancelled(machine, out);
        outbox_remove(machine, out);
        return 0;
}

/* ---- ends -------------------------------------------------------------------------------------------------------- */

void uploads_fail(struct machine *machine, struct upload *upload, enum deskbell_message_state state, struct span tag)
{
        struct outgoing *out = upload->out;

        out->row.state = (int)state;
        out->row.tag = tag;
        machine->failed_count++;
        cache_message_save(machine->cache, &out->row);
        sending_tell(machine, out->conv, &out->row, false);
        list_remove(machine, upload);
}

void uploads_expire(struct machine *machine, int64_t since_ms)
{
        struct upload *next;

        for (struct upload *upload = machine->uploads; upload; upload = next) {
                next = upload->next;
                if (upload->out->row.queued_ms >= since_ms)
                        continue;
                stop_work(machine, upload);
                uploads_fail(machine, upload, DESKBELL_EXPIRED, SPAN(""));
        }
}

/* A line for those who do not know attachments: the names, as many as fit. */
static void name_files(struct writer *writer, const struct upload *upload)
{
        for (size_t i = 0; i < upload->count; i++) {
                if (writer->len + upload->files[i].row.name.len > PROTOCOL_FALLBACK_POINTS - 8) {
                        writer_raw(writer, SPAN(", ..."));
                        return;
                }
                writer_raw(writer, i ? SPAN(", ") : SPAN(""));
                writer_raw(writer, upload->files[i].row.name);
        }
}

static void fill_files(struct protocol_content *content, struct protocol_file_info *files, const struct upload *upload)
{
        for (size_t i = 0; i < upload->count; i++) {
                const struct cached_upload *row = &upload->files[i].row;

                files[i] = (struct protocol_file_info){.name = row->name, .media = row->media, .size = row->size};
                memcpy(files[i].file, row->file, sizeof(files[i].file));
                memcpy(files[i].sha256, row->sha256, sizeof(files[i].sha256));
                files[i].has_width = files[i].has_height = row->width > 0;
                files[i].width = row->width;
                files[i].height = row->height;
        }
        content->has_files = true;
        content->files = files;
        content->files_count = upload->count;
}

/* The message's content with its files. 0, DESKBELL_E_NOMEM, or DESKBELL_E_DAMAGED: it cannot be read. */
static int write_content(struct writer *writer, const struct upload *upload)
{
        struct protocol_file_info files[PROTOCOL_ATTACHMENTS];
        struct protocol_content content;
        struct arena arena;
        struct writer names;

        arena_init(&arena, NULL, 0);
        writer_init(&names, NULL, 0);
        int rc = sending_read_content(upload->out->row.content, &arena, &content);
        if (rc == 0) {
                name_files(&names, upload);
                fill_files(&content, files, upload);
                content.has_fallback_text = true;
                content.fallback_text = (struct span){names.bytes, names.len};
                content_store(writer, &content);
        }
        if (rc == 0 && (names.failed || writer->failed))
                rc = DESKBELL_E_NOMEM;
        writer_done(&names);
        arena_done(&arena);
        return rc;
}

void uploads_promote(struct machine *machine, struct upload *upload)
{
        struct cached_message row = upload->out->row;
        struct writer writer;
        int64_t before = row.pos;

        writer_init(&writer, NULL, 0);
        int rc = write_content(&writer, upload);
        if (rc == 0) {
                row.content = (struct span){writer.bytes, writer.len};
                content_hash(PROTOCOL_ENTRY_ATTACHMENT, row.content, row.hash);
                cache_uploads_move(machine->cache, before, -before); /* dropping the message would take them along */
                cache_message_drop(machine->cache, before);
                if (outbox_append(machine, upload->out->conv, &row) == 0)
                        cache_uploads_move(machine->cache, -before, row.pos);
        } else if (rc == DESKBELL_E_NOMEM) {
                cache_fail(machine->cache);
        }
        writer_done(&writer);
        if (rc == DESKBELL_E_DAMAGED) /* the disk has changed it: nobody wrote what would be sent */
                uploads_fail(machine, upload, DESKBELL_FAILED, SPAN("damaged"));
        else
                list_remove(machine, upload);
}

struct taking_back {
        size_t count;
        bool is_in_vain;
};

static bool take_back_file(void *data, const struct cached_upload *row)
{
        struct taking_back *taking = data;

        taking->is_in_vain |= row->tries > 0 || taking->count == PROTOCOL_ATTACHMENTS;
        taking->count++;
        return !taking->is_in_vain;
}

/* Without its files in the content, as it was before they were there. */
static bool strip_content(struct writer *writer, struct span stored)
{
        struct protocol_content content;
        struct arena arena;

        arena_init(&arena, NULL, 0);
        bool is_read = sending_read_content(stored, &arena, &content) == 0;
        if (is_read) {
                content.has_files = false;
                content.files_count = 0;
                content.has_fallback_text = false;
                content_store(writer, &content);
        }
        arena_done(&arena);
        return is_read && !writer->failed;
}

static void begin_all_anew(struct machine *machine, struct upload *upload)
{
        for (size_t i = 0; i < upload->count; i++) {
                uploads_begin_anew(machine, &upload->files[i].row);
                upload->files[i].row.tries++;
                uploads_save_file(machine, upload, i);
        }
}

/* Only of a message that this server, as it is now, has not accepted: which is why its cmid may carry other content. */
bool uploads_take_back(struct machine *machine, struct outgoing *out)
{
        struct taking_back taking = {0};
        struct cached_message row = out->row;
        deskbell_conversation *conv = out->conv;
        struct writer writer;

        cache_uploads(machine->cache, row.pos, take_back_file, &taking);
        if (taking.is_in_vain || !taking.count)
                return false;
        writer_init(&writer, NULL, 0);
        bool is_whole = strip_content(&writer, row.content);
        if (is_whole) {
                int64_t before = row.pos;

                row.content = (struct span){writer.bytes, writer.len};
                row.state = DESKBELL_UPLOADING;
                memset(row.hash, 0, sizeof(row.hash));
                cache_uploads_move(machine->cache, before, -before);
                cache_message_drop(machine->cache, before);
                cache_message_add(machine->cache, &row);
                cache_uploads_move(machine->cache, -before, row.pos);
                if (uploads_append(machine, conv, &row) == 0)
                        begin_all_anew(machine, upload_by_cmid(machine, &row.cmid));
                outbox_remove(machine, out);
        }
        writer_done(&writer);
        return is_whole;
}

bool uploads_wait_again(struct machine *machine, deskbell_conversation *conv, struct cached_message *row,
                        int64_t files_pos)
{
        struct protocol_content content;
        struct arena arena;

        arena_init(&arena, NULL, 0);
        bool is_whole = sending_read_content(row->content, &arena, &content) == 0 && content.files_count > 0;
        arena_done(&arena);
        if (is_whole || !uploads_has_rows(machine, files_pos))
                return false;

        row->conv = conv->row;
        row->queued_ms = machine_true_wall(machine);
        row->first_ms = row->first_ms ? row->first_ms : row->queued_ms;
        row->state = DESKBELL_UPLOADING;
        cache_message_add(machine->cache, row);
        cache_uploads_move(machine->cache, files_pos, row->pos);
        if (uploads_append(machine, conv, row) < 0)
                return true; /* the turn fails */
        struct upload *upload = upload_by_cmid(machine, &row->cmid);
        begin_all_anew(machine, upload);
        for (size_t i = 0; i < upload->count; i++) {
                upload->files[i].row.tries = 0;
                upload->files[i].row.size = -1; /* whatever it is now */
                uploads_save_file(machine, upload, i);
        }
        return true;
}
