/* SPDX-License-Identifier: Apache-2.0 */
/* How files leave: rows are let go in the transaction that erases or sweeps; after its commit the files threads unlink
 * them and say so; then the rows are closed. A job asks again for what a crash or a failing disk has left. */
#include "desk/desk_private.h"

#include <errno.h>
#include <stdio.h>

#include "files/file_work.h"

enum { AT_ONCE = 256, AGAIN_MS = 60000, SOON_MS = 1000 };

/* ---- life ---- */

static int keep_part(void *data, const uint8_t id[FILE_ID_BYTES])
{
        struct desk *desk = data;
        struct file_row row;
        int rc = file_rows_by_ext(desk->db, id, &row);
        return rc < 0 ? rc : rc == DB_ROW && row.state == FILE_ARRIVING;
}

static int load_key(struct desk *desk)
{
        int rc = meta_get_blob(desk->db, "link_key", desk->uploads.link_key, LINK_KEY_BYTES);
        if (rc != DB_OK)
                return rc < 0 ? rc : DB_OK;
        random_bytes(desk->uploads.link_key, LINK_KEY_BYTES);
        if ((rc = db_begin(desk->db)) < 0 ||
            (rc = meta_put_blob(desk->db, "link_key", desk->uploads.link_key, LINK_KEY_BYTES)) < 0)
                return rc;
        return db_commit(desk->db);
}

int uploads_open(struct desk *desk, char **out_why)
{
        desk->uploads.files = desk->settings.files;
        desk->uploads.has_gone = true;
        int rc = load_key(desk);
        if (rc < 0)
                return rc;
        int removed = layout_make(desk->data_dir);
        if (removed == 0)
                removed = layout_sweep_parts(desk->data_dir, keep_part, desk);
        if (removed > 0)
                log_info(&desk->log, "uploads that nobody knows were removed", "count", removed);
        if (removed >= 0)
                return DB_OK;
        if (asprintf(out_why, "%s/files: %s", desk->data_dir, strerror(-removed)) < 0)
                *out_why = NULL;
        return removed == -ENOSPC ? DB_FULL : DB_IO;
}

/* ---- after a commit ---- */

static void say_removed(struct desk *desk, struct desk_command *command)
{
        if (mailbox_force(&desk->in, &command->item, command->bytes) < 0)
                command_free(command);
}

/* On a files thread, or on the desk's when no server runs. */
static void file_is_gone(struct file_job *job)
{
        struct desk *desk = job->owner;
        struct desk_command *command = job->data;
        if (job->result == 0)
                say_removed(desk, command);
        else
                command_free(command);
        atomic_fetch_sub(&desk->uploads.leaving, 1);
        file_job_free(job);
}

static bool ask_to_go(struct desk *desk, int64_t id, const uint8_t ext[16])
{
        struct desk_command *command = command_new(COMMAND_FILE_GONE, sizeof id);
        struct file_job *job = command ? file_job_new(FILE_REMOVE, ext, 0) : NULL;
        if (!job) {
                command_free(command);
                return false;
        }
        memcpy(command->memory, &id, sizeof id);
        job->done = file_is_gone;
        job->owner = desk;
        job->data = command;
        atomic_fetch_add(&desk->uploads.leaving, 1);
        if (!desk->uploads.files) {
                struct file_thread here = {.data_dir = desk->data_dir, .log = desk->log};
                file_work_do(&here, job);
                file_is_gone(job);
                return true;
        }
        if (file_store_post(desk->uploads.files, job) == 0)
                return true;
        atomic_fetch_sub(&desk->uploads.leaving, 1);
        command_free(command);
        file_job_free(job);
        return false;
}

void uploads_committed(struct desk *desk)
{
        int64_t ids[AT_ONCE];
        uint8_t exts[AT_ONCE][16];
        if (!desk->uploads.has_gone || atomic_load(&desk->uploads.leaving) > 0)
                return;
        int count = file_rows_gone(desk->db, 0, ids, exts, AT_ONCE);
        if (count < 0)
                return; /* asked again by the job */
        desk->uploads.has_gone = false;
        for (int i = 0; i < count; i++)
                if (!ask_to_go(desk, ids[i], exts[i]))
                        return;
}

void uploads_rolled_back(struct desk *desk)
{
        desk->uploads.knows_bytes = false;
}

void uploads_removed(struct desk *desk, int64_t id)
{
        int rc = file_rows_removed(desk->db, id);
        if (rc < 0)
                desk_db_failed(desk, rc);
        desk->uploads.knows_bytes = false;
        desk->uploads.has_gone = true; /* there may be more than were asked at once */
}

int uploads_are_leaving(struct desk *desk)
{
        int64_t id;
        uint8_t ext[1][16];
        int count = file_rows_gone(desk->db, 0, &id, ext, 1);
        if (count <= 0)
                return count;
        desk->uploads.has_gone = true;
        uploads_committed(desk);
        return 1;
}

/* ---- letting go ---- */

static int let_go(struct desk *desk, int rc, int64_t count)
{
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (count == 0)
                return 0;
        desk->uploads.has_gone = true;
        rc = jobs_has(desk, JOB_FILE_UNLINK, 0);
        return rc != 0 ? (rc < 0 ? rc : 0)
                       : jobs_put(desk, JOB_FILE_UNLINK, 0, desk->now_ms + AGAIN_MS, (struct span){0});
}

int uploads_let_go(struct desk *desk, int64_t id)
{
        return let_go(desk, file_rows_let_go(desk->db, id), 1);
}

int uploads_erase_at(struct desk *desk, int64_t conv, int log, int64_t seq)
{
        int64_t count = 0;
        int rc = file_rows_let_go_at(desk->db, conv, log, seq, &count);
        return let_go(desk, rc, count);
}

int uploads_erase_conversation(struct desk *desk, int64_t conv)
{
        int64_t count = 0;
        int rc = file_rows_let_go_conversation(desk->db, conv, &count);
        return let_go(desk, rc, count);
}

int uploads_erase_owner(struct desk *desk, int64_t owner)
{
        int64_t count = 0;
        int rc = file_rows_let_go_owner(desk->db, owner, &count);
        return let_go(desk, rc, count);
}

/* ---- jobs ---- */

int uploads_sweep_run(struct desk *desk, int64_t subject, struct span body)
{
        (void)subject;
        (void)body;
        int64_t count = 0, next_ms = 0;
        int rc = file_rows_let_go_loose(desk->db, desk->now_ms - UPLOAD_LIFE_MS, &count);
        if (rc >= 0)
                rc = file_rows_forget(desk->db, desk->now_ms - UPLOAD_LIFE_MS);
        if (rc >= 0)
                rc = file_rows_next_loose(desk->db, &next_ms);
        if (rc >= 0 && count > 0)
                log_info(&desk->log, "uploads that no message carries were removed", "count", count);
        rc = let_go(desk, rc, count);
        if (rc < 0 || next_ms == INT64_MAX)
                return rc;
        next_ms += UPLOAD_LIFE_MS;
        return jobs_put(desk, JOB_UPLOAD_SWEEP, 0, next_ms > desk->now_ms + SOON_MS ? next_ms : desk->now_ms + SOON_MS,
                        (struct span){0});
}

/* Asks again until nothing is left. */
int uploads_unlink_run(struct desk *desk, int64_t subject, struct span body)
{
        (void)subject;
        (void)body;
        int64_t id;
        uint8_t ext[1][16];
        int count = file_rows_gone(desk->db, 0, &id, ext, 1);
        if (count < 0)
                return desk_db_failed(desk, count);
        if (count == 0)
                return 0;
        desk->uploads.has_gone = true;
        return jobs_put(desk, JOB_FILE_UNLINK, 0, desk->now_ms + AGAIN_MS, (struct span){0});
}
