/* SPDX-License-Identifier: Apache-2.0 */
/* Upload rows: what the file says of the local files of a message, and the copies of ours among them. */
#include "machine_private.h"

struct telling {
        struct event *event;
        bool has_failed;
};

static bool tell_file(void *data, const struct cached_upload *row)
{
        struct telling *telling = data;

        telling->has_failed = event_add_upload(telling->event, row) < 0;
        return !telling->has_failed;
}

bool uploads_tell_files(struct machine *machine, struct event *event, int64_t pos)
{
        struct telling telling = {.event = event};

        cache_uploads(machine->cache, pos, tell_file, &telling);
        return !telling.has_failed;
}

static bool note_row(void *data, const struct cached_upload *row)
{
        (void)row;
        *(bool *)data = true;
        return false;
}

bool uploads_has_rows(struct machine *machine, int64_t pos)
{
        bool has = false;

        cache_uploads(machine->cache, pos, note_row, &has);
        return has;
}

static bool forget_copy(void *data, const struct cached_upload *row)
{
        struct machine *machine = data;
        struct job *job = row->is_copy ? job_new(JOB_UNLINK, row->path.at) : NULL;

        if (job)
                machine_job_push(machine, job);
        return true;
}

void uploads_remove_copies(struct machine *machine, int64_t pos)
{
        cache_uploads(machine->cache, pos, forget_copy, machine);
}

void uploads_forget_copies(struct machine *machine, int64_t pos)
{
        uploads_remove_copies(machine, pos);
        cache_uploads_drop(machine->cache, pos);
}

void uploads_save_file(struct machine *machine, const struct upload *upload, size_t at)
{
        cache_upload_put(machine->cache, &upload->files[at].row);
}

void uploads_begin_anew(struct machine *machine, struct cached_upload *file)
{
        file->cmid = machine_cmid(machine, machine_true_wall(machine));
        file->has_sha256 = file->has_file = file->is_complete = false;
        file->width = file->height = 0;
}

bool machine_knows_copy(struct machine *machine, const char *path)
{
        return cache_upload_knows(machine->cache, span_of(path));
}
