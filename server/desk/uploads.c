/* SPDX-License-Identifier: Apache-2.0 */
/* upload.begin, upload.end and upload.cancel; and what a message needs of its files. */
#include "desk/desk_private.h"

#include <openssl/sha.h>
#include <stdio.h>

enum { DAY_MS = 24 * 3600 * 1000, AGENT_TIMES = 10, FULL_RETRY_MS = 60000 };

/* ---- upload.begin ---- */

/* What a repeat under the same cmid has to equal. */
static void hash_asked(const struct protocol_upload_begin *params, uint8_t out_hash[16])
{
        uint8_t digest[SHA256_DIGEST_LENGTH];
        uint64_t numbers[2] = {params->has_conv ? params->conv : 0, (uint64_t)params->size};
        uint8_t bytes[sizeof numbers + FILE_NAME_ROOM + FILE_MEDIA_ROOM + 1];
        size_t len = sizeof numbers;
        memcpy(bytes, numbers, len);
        memcpy(bytes + len, params->name.at, params->name.len);
        len += params->name.len;
        bytes[len++] = 0;
        memcpy(bytes + len, params->media.at, params->media.len);
        SHA256(bytes, len + params->media.len, digest);
        memcpy(out_hash, digest, 16);
}

static int write_begun(struct desk *desk, const struct file_row *row, int64_t touched_ms, struct writer *out)
{
        int64_t offset = row->state == FILE_WHOLE ? row->size : layout_offset(desk->data_dir, row->ext);
        if (offset < 0) {
                log_error(&desk->log, "an upload could not be looked at", "errno", -offset);
                return -PROTOCOL_ERR_INTERNAL;
        }
        struct protocol_upload_begin_result result = {.offset = offset < row->size ? offset : row->size,
                                                      .piece_bytes = PROTOCOL_PIECE_BYTES,
                                                      .expires = touched_ms + UPLOAD_LIFE_MS};
        memcpy(result.file, row->ext, sizeof result.file);
        protocol_upload_begin_result_write(out, &result);
        return 0;
}

/* Whether the caller has begun so many in a day that he has to wait. */
static int check_day(struct desk *desk, const struct caller *caller)
{
        int64_t count = 0, first_ms = 0;
        int64_t most = (int64_t)desk->settings.attachments_per_day * (caller->role == ROLE_CUSTOMER ? 1 : AGENT_TIMES);
        int rc = file_rows_since(desk->db, caller->principal, desk->now_ms - DAY_MS, &count, &first_ms);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (count < most)
                return 0;
        desk->answer.retry_after_ms = first_ms + DAY_MS > desk->now_ms ? first_ms + DAY_MS - desk->now_ms : 1000;
        return -PROTOCOL_ERR_RATE_LIMITED;
}

static int check_room(struct desk *desk, int64_t size)
{
        int64_t quota = desk->settings.attachment_quota_bytes;
        int64_t free_bytes = file_store_free_bytes(desk->data_dir);
        desk->answer.retry_after_ms = FULL_RETRY_MS;
        if (free_bytes >= 0 && free_bytes < FILE_STORE_RESERVE + size)
                return -PROTOCOL_ERR_STORAGE_FULL;
        if (quota > 0 && !desk->uploads.knows_bytes) {
                int rc = file_rows_bytes(desk->db, &desk->uploads.bytes);
                if (rc < 0)
                        return desk_db_failed(desk, rc);
                desk->uploads.knows_bytes = true;
        }
        if (quota > 0 && desk->uploads.bytes + size > quota)
                return -PROTOCOL_ERR_STORAGE_FULL;
        desk->answer.retry_after_ms = -1;
        return 0;
}

/* A sweep is due when the first upload may be too old. */
static int want_sweep(struct desk *desk)
{
        int rc = jobs_has(desk, JOB_UPLOAD_SWEEP, 0);
        return rc != 0 ? (rc < 0 ? rc : 0)
                       : jobs_put(desk, JOB_UPLOAD_SWEEP, 0, desk->now_ms + UPLOAD_LIFE_MS, (struct span){0});
}

static int check_begin(struct desk *desk, const struct desk_command *command, struct fault *fault)
{
        const struct protocol_upload_begin *params = command->params;
        char expected[64];
        struct conversation *conversation = NULL;
        if (params->size > (int64_t)desk->settings.attachment_bytes) {
                snprintf(expected, sizeof expected, "at most %lld", (long long)desk->settings.attachment_bytes);
                return fault_set(fault, PROTOCOL_ERR_ATTACHMENT_TOO_LARGE, "size", expected);
        }
        int rc = params->has_conv ? conversation_for(desk, &command->caller, params->conv, &conversation) : 0;
        if (rc == 0)
                rc = check_day(desk, &command->caller);
        return rc == 0 ? check_room(desk, params->size) : rc;
}

static int begin(struct desk *desk, struct desk_command *command, const uint8_t asked[16], struct writer *out)
{
        const struct protocol_upload_begin *params = command->params;
        struct file_row row = {.owner = command->caller.principal, .size = params->size};
        random_bytes(row.ext, sizeof row.ext);
        memcpy(row.asked, asked, sizeof row.asked);
        snprintf(row.name, sizeof row.name, "%.*s", (int)params->name.len, params->name.at);
        snprintf(row.media, sizeof row.media, "%.*s", (int)params->media.len, params->media.at);
        int rc = file_rows_insert(desk->db, &row, command->caller.workspace, &params->cmid, desk->now_ms);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        desk->uploads.bytes += row.size;
        rc = want_sweep(desk);
        return rc < 0 ? rc : write_begun(desk, &row, desk->now_ms, out);
}

int handle_upload_begin(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_upload_begin *params = command->params;
        struct file_row row;
        uint8_t asked[16];
        hash_asked(params, asked);
        int rc = file_rows_by_cmid(desk->db, command->caller.principal, &params->cmid, &row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK) {
                rc = check_begin(desk, command, fault);
                return rc < 0 ? rc : begin(desk, command, asked, out);
        }
        if (memcmp(row.asked, asked, sizeof asked) != 0)
                return -PROTOCOL_ERR_IDEMPOTENCY_CONFLICT;
        rc = file_rows_touch(desk->db, row.id, desk->now_ms);
        return rc < 0 ? desk_db_failed(desk, rc) : write_begun(desk, &row, desk->now_ms, out);
}

/* ---- upload.end: a files thread has looked at the bytes (files_read.c) ---- */

static void write_ended(const struct file_row *row, struct writer *out)
{
        struct protocol_upload_end_result result = {.size = row->size,
                                                    .media = span_of(row->media),
                                                    .has_width = row->width > 0,
                                                    .width = row->width,
                                                    .has_height = row->height > 0,
                                                    .height = row->height};
        memcpy(result.file, row->ext, sizeof result.file);
        protocol_upload_end_result_write(out, &result);
}

int uploads_say_whole(const struct file_row *row, const struct protocol_upload_end *params, struct writer *out,
                      struct fault *fault)
{
        if (memcmp(row->sha256, params->sha256, sizeof row->sha256) != 0)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "sha256", "the one that it was ended with");
        write_ended(row, out);
        return 0;
}

/* The bytes were wrong: the upload goes, although its caller is refused. */
static int end_wrongly(struct desk *desk, const struct file_row *row, struct fault *fault)
{
        int rc = uploads_let_go(desk, row->id);
        return rc < 0 ? rc
                      : fault_set(fault, PROTOCOL_ERR_WRONG_HASH, "sha256",
                                  "the SHA-256 of the bytes that were sent; begin another upload");
}

int handle_upload_end(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_upload_end *params = command->params;
        const struct file_job *ended = command->ended;
        struct file_row row;
        char expected[96];
        if (!ended)
                return -PROTOCOL_ERR_INTERNAL;
        int rc = file_rows_own(desk->db, params->file, command->caller.principal, &row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK)
                return -PROTOCOL_ERR_NOT_FOUND;
        if (row.state == FILE_WHOLE)
                return uploads_say_whole(&row, params, out, fault);
        if (ended->result == -PROTOCOL_ERR_INCOMPLETE) {
                snprintf(expected, sizeof expected, "%lld bytes; %lld are here", (long long)row.size,
                         (long long)ended->offset);
                return fault_set(fault, PROTOCOL_ERR_INCOMPLETE, "file", expected);
        }
        if (ended->result == -PROTOCOL_ERR_WRONG_HASH)
                return end_wrongly(desk, &row, fault);
        if (ended->result < 0)
                return ended->result;
        snprintf(row.media, sizeof row.media, "%s", ended->facts.media);
        row.width = ended->facts.width;
        row.height = ended->facts.height;
        memcpy(row.sha256, params->sha256, sizeof row.sha256);
        rc = file_rows_whole(desk->db, &row, desk->now_ms);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        write_ended(&row, out);
        return 0;
}

int handle_upload_cancel(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_upload_cancel *params = command->params;
        struct protocol_upload_cancel_result result = {0};
        struct file_row row;
        int rc = file_rows_own(desk->db, params->file, command->caller.principal, &row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK)
                return -PROTOCOL_ERR_NOT_FOUND;
        if (row.conv != 0)
                return -PROTOCOL_ERR_LOCKED;
        rc = uploads_let_go(desk, row.id);
        if (rc < 0)
                return rc;
        protocol_upload_cancel_result_write(out, &result);
        return 0;
}

/* ---- messages ---- */

static bool is_as_stored(const struct protocol_file_info *said, const struct file_row *row)
{
        return row->state == FILE_WHOLE && row->conv == 0 && span_equal(said->name, span_of(row->name)) &&
               span_equal(said->media, span_of(row->media)) && said->size == row->size && row->has_sha256 &&
               memcmp(said->sha256, row->sha256, sizeof row->sha256) == 0 &&
               (!said->has_width || said->width == row->width) && (!said->has_height || said->height == row->height);
}

int uploads_check(struct desk *desk, const struct desk_command *command, const struct protocol_content *content,
                  struct fault *fault)
{
        char field[32];
        for (size_t i = 0; i < content->files_count; i++) {
                const struct protocol_file_info *said = &content->files[i];
                struct file_row row;
                bool is_twice = false;
                for (size_t j = 0; j < i; j++)
                        is_twice = is_twice || memcmp(content->files[j].file, said->file, sizeof said->file) == 0;
                int rc = file_rows_own(desk->db, said->file, command->caller.principal, &row);
                if (rc < 0)
                        return desk_db_failed(desk, rc);
                if (rc == DB_ROW && !is_twice && is_as_stored(said, &row))
                        continue;
                snprintf(field, sizeof field, "files[%zu]", i);
                return fault_set(fault, PROTOCOL_ERR_FILE_UNKNOWN, field,
                                 "a whole file of the sender, as upload.end told it, that no message carries");
        }
        return 0;
}

int uploads_attach(struct desk *desk, const struct desk_command *command, const struct protocol_content *content,
                   const struct entry_row *entry)
{
        for (size_t i = 0; i < content->files_count; i++) {
                struct file_row row;
                int rc = file_rows_own(desk->db, content->files[i].file, command->caller.principal, &row);
                if (rc == DB_ROW)
                        rc = file_rows_attach(desk->db, row.id, entry->conv, entry->log, entry->seq);
                if (rc != DB_ROW) /* uploads_check has seen it in the same transaction */
                        return desk_db_failed(desk, rc < 0 ? rc : DB_DAMAGED);
        }
        return 0;
}
