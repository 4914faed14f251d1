/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads: the files of messages on their way to the server. One file at a time: its hash, upload.begin (which tells
 * how much the server has already), pieces by HTTP until it has all, upload.end. Whatever goes wrong is tried again
 * after a pause of that message alone, or of all uploads when the server wants none now; texts are never held up. Only
 * what cannot become better ends in FAILED. */
#include "machine_private.h"

#include <stdlib.h>

enum {
        TRIES = 2,    /* of a file from nothing */
        SETBACKS = 8, /* times the server may have less of it than before */
};

static struct upload_file *current(struct upload *upload)
{
        for (size_t i = 0; i < upload->count; i++)
                if (!upload->files[i].row.is_complete)
                        return &upload->files[i];
        return NULL;
}

static void hex_of(char out[33], const uint8_t bytes[16])
{
        static const char digits[] = "0123456789abcdef";

        for (int i = 0; i < 16; i++) {
                out[2 * i] = digits[bytes[i] >> 4];
                out[2 * i + 1] = digits[bytes[i] & 15];
        }
        out[32] = '\0';
}

static void tell_progress(struct machine *machine, const struct upload *upload, const struct upload_file *file)
{
        struct event *event = event_new(EVENT_PROGRESS);
        char cmid[CMID_TEXT_BYTES];

        if (event) {
                cmid_write(cmid, &upload->out->row.cmid);
                event->progress.conversation = upload->out->conv;
                event->progress.cmid = event_text(event, (struct span){cmid, sizeof(cmid)});
                event->progress.file = (size_t)(file - upload->files);
                event->progress.files = upload->count;
                event->progress.sent = file->offset;
                event->progress.total = file->row.size;
                if (!event->progress.cmid)
                        event = event_free(event);
        }
        machine_push_hint(machine, event);
}

/* ---- pauses and ends --------------------------------------------------------------------------------------------- */

int64_t machine_pause_ms(struct machine *machine, int *failures, int64_t asked_ms)
{
        int64_t ceiling = (int64_t)BACKOFF_BASE_MS << (*failures < 6 ? *failures : 6);
        int64_t pause = machine_random_below(machine, ceiling < BACKOFF_CAP_MS ? ceiling : BACKOFF_CAP_MS) + 1;

        ++*failures;
        asked_ms = asked_ms < RETRY_AFTER_MOST_MS ? asked_ms : RETRY_AFTER_MOST_MS;
        return asked_ms > pause ? asked_ms : pause;
}

static void hold(struct machine *machine, struct upload *upload, int64_t asked_ms)
{
        upload->hold_until_ms = machine->now_ms + machine_pause_ms(machine, &upload->failures, asked_ms);
        upload->is_held_by_server = asked_ms >= 0;
}

/* What was refused to one would be refused to the next one. Neither news of a network nor a new session ends this. */
static void hold_all(struct machine *machine, struct upload *upload, int64_t asked_ms)
{
        hold(machine, upload, asked_ms);
        machine->uploads_hold_until_ms = upload->hold_until_ms;
}

/* What the server has of this file is of no use: once more from zero, then never. */
static void begin_anew(struct machine *machine, struct upload *upload, struct upload_file *file, struct span tag)
{
        if (file->row.tries + 1 >= TRIES) {
                uploads_fail(machine, upload, DESKBELL_FAILED, tag);
                return;
        }
        file->row.tries++;
        uploads_begin_anew(machine, &file->row);
        file->has_begun = false;
        file->offset = 0;
        file->setbacks = 0;
        uploads_save_file(machine, upload, (size_t)(file - upload->files));
        hold(machine, upload, -1);
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static struct job *job_for(struct machine *machine, struct upload *upload, const struct upload_file *file,
                           enum job_kind kind, enum upload_step step)
{
        struct job *job = job_new(kind, file->row.path.at);
        if (!job) {
                hold(machine, upload, -1);
                return NULL;
        }
        upload->serial = job->id = ++machine->next_serial;
        upload->step = step;
        job->size = file->row.size;
        job->mtime_ns = file->row.mtime_ns;
        job->has_secret = file->row.has_secret;
        memcpy(job->secret, file->row.secret, sizeof(job->secret));
        return job;
}

static void hash_file(struct machine *machine, struct upload *upload, const struct upload_file *file)
{
        struct job *job = job_for(machine, upload, file, JOB_HASH, UPLOAD_HASHING);

        if (job)
                machine_job_push(machine, job);
}

static void put_piece(struct machine *machine, struct upload *upload, const struct upload_file *file)
{
        struct job *job = job_for(machine, upload, file, JOB_PUT, UPLOAD_PUTTING);
        int64_t left = file->row.size - file->offset;
        if (!job)
                return;

        job->offset = file->offset;
        job->len = left < JOB_PIECE_BYTES ? left : JOB_PIECE_BYTES;
        hex_of(job->file, file->row.file);
        memcpy(job->token, machine->http_token, sizeof(job->token));
        machine_job_push(machine, job);
}

static void ask_begin(struct machine *machine, struct upload *upload, const struct upload_file *file)
{
        /* The conversation is not named: it may become known between two tries, and the same cmid has to say the same.
         */
        struct protocol_upload_begin params = {
                .cmid = file->row.cmid,
                .name = file->row.name,
                .size = file->row.size,
                .media = file->row.media,
        };
        struct writer writer;
        struct request *request =
                machine_request_begin(machine, &writer, REQUEST_UPLOAD_BEGIN, PROTOCOL_N_UPLOAD_BEGIN);
        if (!request)
                return;

        request->asked = upload->serial = ++machine->next_serial;
        upload->step = UPLOAD_BEGINNING;
        protocol_upload_begin_write(&writer, &params);
        machine_frame_end(machine, &writer);
}

static void ask_end(struct machine *machine, struct upload *upload, const struct upload_file *file)
{
        struct protocol_upload_end params = {0};
        struct writer writer;
        struct request *request = machine_request_begin(machine, &writer, REQUEST_UPLOAD_END, PROTOCOL_N_UPLOAD_END);
        if (!request)
                return;

        request->asked = upload->serial = ++machine->next_serial;
        upload->step = UPLOAD_ENDING;
        memcpy(params.file, file->row.file, sizeof(params.file));
        memcpy(params.sha256, file->row.sha256, sizeof(params.sha256));
        protocol_upload_end_write(&writer, &params);
        machine_frame_end(machine, &writer);
}

static void go_on(struct machine *machine, struct upload *upload)
{
        struct upload_file *file = current(upload);

        if (!file)
                uploads_promote(machine, upload);
        else if (!file->row.has_sha256)
                hash_file(machine, upload, file);
        else if (!file->has_begun && machine_may_ask(machine))
                ask_begin(machine, upload, file);
        else if (file->has_begun && file->offset < file->row.size)
                put_piece(machine, upload, file);
        else if (file->has_begun && machine_may_ask(machine))
                ask_end(machine, upload, file);
}

void uploads_pump(struct machine *machine)
{
        struct upload *next;

        for (const struct upload *upload = machine->uploads; upload; upload = upload->next)
                if (upload->step != UPLOAD_NEXT)
                        return; /* one at a time */
        if (!machine->http_token[0] || machine->uploads_hold_until_ms > machine->now_ms)
                return;
        for (struct upload *upload = machine->uploads; upload; upload = next) {
                next = upload->next;
                if (upload->is_paused || upload->hold_until_ms > machine->now_ms)
                        continue;
                bool is_last_step = !current(upload);
                go_on(machine, upload);
                if (!is_last_step)
                        return; /* this one's step, if it could be taken */
        }
}

int64_t uploads_next_ms(const struct machine *machine)
{
        int64_t next = INT64_MAX;

        if (machine->state != SESSION_OPEN)
                return next;
        for (const struct upload *upload = machine->uploads; upload; upload = upload->next) {
                int64_t until = upload->hold_until_ms > machine->uploads_hold_until_ms ? upload->hold_until_ms
                                                                                       : machine->uploads_hold_until_ms;
                if (!upload->is_paused && until > machine->now_ms && until < next)
                        next = until;
        }
        return next;
}

void uploads_lost_link(struct machine *machine)
{
        machine->http_token[0] = '\0';
        for (struct upload *upload = machine->uploads; upload; upload = upload->next)
                if (upload->step == UPLOAD_BEGINNING || upload->step == UPLOAD_ENDING)
                        upload->step = UPLOAD_NEXT;
}

void uploads_hurry(struct machine *machine)
{
        for (struct upload *upload = machine->uploads; upload; upload = upload->next)
                if (!upload->is_held_by_server)
                        upload->hold_until_ms = 0;
}

void uploads_reset(struct machine *machine)
{
        for (struct upload *upload = machine->uploads; upload; upload = upload->next)
                for (size_t i = 0; i < upload->count; i++)
                        upload->files[i].has_begun = false;
}

/* ---- answers of jobs --------------------------------------------------------------------------------------------- */

static struct upload *upload_of(struct machine *machine, int64_t serial)
{
        for (struct upload *upload = machine->uploads; upload; upload = upload->next)
                if (upload->step != UPLOAD_NEXT && upload->serial == serial)
                        return upload;
        return NULL;
}

static void hashed(struct machine *machine, struct upload *upload, struct upload_file *file, const struct job *job)
{
        file->row.size = job->size;
        file->row.mtime_ns = job->mtime_ns;
        memcpy(file->row.sha256, job->sha256, sizeof(file->row.sha256));
        file->row.has_sha256 = true;
        uploads_save_file(machine, upload, (size_t)(file - upload->files));
}

static void advance(struct machine *machine, struct upload *upload, struct upload_file *file, int64_t offset)
{
        bool is_further = offset > file->offset;

        if (offset < 0 || offset > file->row.size) {
                hold(machine, upload, -1);
                return;
        }
        if (offset < file->offset && ++file->setbacks > SETBACKS) {
                begin_anew(machine, upload, file, SPAN("incomplete"));
                return;
        }
        file->offset = offset;
        if (is_further) {
                upload->failures = 0;
                tell_progress(machine, upload, file);
        } else {
                hold(machine, upload, -1);
        }
}

static void put_answered(struct machine *machine, struct upload *upload, struct upload_file *file,
                         const struct job *job)
{
        switch (job->status) {
        case 200:
        case 204:
        case 412: /* it has more or less than we thought */
                advance(machine, upload, file, job->told_offset);
                break;
        case 401: /* the token has ended: the next session brings another one */
        case 408:
        case 409: /* our connection of before is not dead yet for the server */
                hold(machine, upload, job->retry_after_ms);
                break;
        case 429:
        case 503:
        case 507:
                hold_all(machine, upload, job->retry_after_ms);
                break;
        case 403:
                uploads_fail(machine, upload, DESKBELL_FAILED, SPAN("forbidden"));
                break;
        case 404:
                begin_anew(machine, upload, file, SPAN("not_found"));
                break;
        case 413:
                uploads_fail(machine, upload, DESKBELL_FAILED, SPAN("attachment_too_large"));
                break;
        default:
                if (job->status >= 400 && job->status < 500)
                        uploads_fail(machine, upload, DESKBELL_FAILED, SPAN("bad_request"));
                else
                        hold(machine, upload, job->retry_after_ms);
                break;
        }
}

bool uploads_job_done(struct machine *machine, const struct job *job)
{
        struct upload *upload = job->kind == JOB_HASH || job->kind == JOB_PUT ? upload_of(machine, job->id) : NULL;
        struct upload_file *file = upload ? current(upload) : NULL;
        if (!file)
                return false;

        upload->step = UPLOAD_NEXT;
        if (job->outcome == JOB_MISSING || job->outcome == JOB_DISK)
                uploads_fail(machine, upload, DESKBELL_FAILED, SPAN("file_missing"));
        else if (job->outcome == JOB_CHANGED)
                uploads_fail(machine, upload, DESKBELL_FAILED, SPAN("file_changed"));
        else if (job->outcome != JOB_OK)
                hold(machine, upload, -1);
        else if (job->kind == JOB_HASH)
                hashed(machine, upload, file, job);
        else
                put_answered(machine, upload, file, job);
        return true;
}

/* ---- answers of the server --------------------------------------------------------------------------------------- */

static bool begun(struct machine *machine, struct upload *upload, struct upload_file *file, struct reader *reader)
{
        struct protocol_upload_begin_result result;

        if (protocol_upload_begin_result_read(reader, &result) < 0 || result.offset > file->row.size)
                return false;
        memcpy(file->row.file, result.file, sizeof(file->row.file));
        file->row.has_file = file->has_begun = true;
        file->offset = result.offset;
        upload->failures = 0;
        uploads_save_file(machine, upload, (size_t)(file - upload->files));
        tell_progress(machine, upload, file);
        return true;
}

static bool ended(struct machine *machine, struct upload *upload, struct upload_file *file, struct reader *reader)
{
        struct protocol_upload_end_result result;
        struct upload_file with = *file;
        size_t name_len = file->row.name.len, path_len = file->row.path.len;

        if (protocol_upload_end_result_read(reader, &result) < 0 || result.size != file->row.size)
                return false;
        /* What the server calls it replaces our guess. */
        with.texts = malloc(path_len + name_len + result.media.len + 3);
        if (!with.texts) {
                cache_fail(machine->cache);
                return true;
        }
        char *name = with.texts + path_len + 1, *media = name + name_len + 1;
        memcpy(with.texts, file->row.path.at, path_len + 1);
        memcpy(name, file->row.name.at, name_len + 1);
        if (result.media.len)
                memcpy(media, result.media.at, result.media.len);
        media[result.media.len] = '\0';
        free(file->texts);
        *file = with;
        file->row.path.at = file->texts;
        file->row.name.at = name;
        file->row.media = (struct span){media, result.media.len};
        file->row.width = result.has_width && result.has_height ? (int)result.width : 0;
        file->row.height = result.has_width && result.has_height ? (int)result.height : 0;
        file->row.is_complete = true;
        upload->failures = 0;
        uploads_save_file(machine, upload, (size_t)(file - upload->files));
        return true;
}

void uploads_answered(struct machine *machine, const struct request *request, struct reader *reader)
{
        struct upload *upload = upload_of(machine, request->asked);
        struct upload_file *file = upload ? current(upload) : NULL;
        if (!file || request->kind == REQUEST_UPLOAD_CANCEL)
                return;

        upload->step = UPLOAD_NEXT;
        bool is_read = request->kind == REQUEST_UPLOAD_BEGIN ? begun(machine, upload, file, reader)
                                                             : ended(machine, upload, file, reader);
        if (!is_read)
                hold(machine, upload, STUCK_MS);
}

/* The server has less than it told. */
static void look_again(struct machine *machine, struct upload *upload, struct upload_file *file)
{
        file->has_begun = false;
        if (upload->failures >= 3)
                begin_anew(machine, upload, file, SPAN("incomplete"));
        else
                hold(machine, upload, -1);
}

void uploads_refused(struct machine *machine, const struct request *request, const struct protocol_error_body *error)
{
        struct upload *upload = upload_of(machine, request->asked);
        struct upload_file *file = upload ? current(upload) : NULL;
        if (!file || request->kind == REQUEST_UPLOAD_CANCEL)
                return;

        upload->step = UPLOAD_NEXT;
        if (!error->permanent && sending_is_for_all(error->tag))
                hold_all(machine, upload, error->retry_after_ms);
        else if (!error->permanent)
                hold(machine, upload, error->retry_after_ms);
        else if (span_equal(error->tag, SPAN("incomplete")) && file->row.tries == 0)
                look_again(machine, upload, file);
        else if (request->kind == REQUEST_UPLOAD_END || span_equal(error->tag, SPAN("idempotency_conflict")))
                begin_anew(machine, upload, file, error->tag); /* a wrong hash, or the bytes are gone */
        else
                uploads_fail(machine, upload, DESKBELL_FAILED, error->tag);
}
