/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/file_look.h"

#include "desk/desk_private.h"
#include "protocol/planted.h"

static int store_failed(const struct desk *desk, struct db *db, int rc)
{
        log_error(&desk->log, "a file could not be looked up", "code", rc, "why", db_message(db));
        return -PROTOCOL_ERR_INTERNAL;
}

static int found(const struct desk *desk, struct db *db, int rc)
{
        return rc < 0 ? store_failed(desk, db, rc) : rc == DB_OK ? -PROTOCOL_ERR_NOT_FOUND : 0;
}

/* Who looks, as he is now: by a link, or as he has proved. Every way in which it can be bad is one answer. */
static int find_viewer(struct desk *desk, struct db *db, const struct desk_command *command, struct file_viewer *out)
{
        const struct file_look *look = command->params;
        struct principal_row row;
        if (look->is_by_link && !link_is_good(&look->link, desk->uploads.link_key, clock_wall_ms()))
                return -PROTOCOL_ERR_NOT_FOUND;
        int rc = look->is_by_link ? principals_load_ext(db, look->link.who.id, &row)
                                  : principals_load(db, command->caller.principal, &row);
        if (rc < 0)
                return store_failed(desk, db, rc);
        bool is_his = rc == DB_ROW && row.role == (look->is_by_link ? look->link.who.role : command->caller.role);
        if (!is_his || row.revoked_ms != 0 || row.alias_of != 0)
                return -PROTOCOL_ERR_NOT_FOUND;
        *out = (struct file_viewer){row.id, row.workspace, row.role};
        return 0;
}

/* A file that the viewer may read: by the statement, and an agent only within his reach. */
static int view(const struct desk *desk, struct db *db, const uint8_t file[16], const struct file_viewer *viewer,
                struct file_row *out_row)
{
        struct reach reach;
        struct file_row row;
        struct caller caller = {.principal = viewer->principal, .workspace = viewer->workspace, .role = viewer->role};
        int rc = found(desk, db, file_rows_view(db, file, viewer, &row));
        if (rc == 0 && viewer->role == ROLE_AGENT && row.conv != 0) {
                rc = reach_load(db, &caller, &reach);
                if (rc >= 0)
                        rc = reach_holds_id(&reach, db, row.conv);
                rc = found(desk, db, rc);
        }
        if (rc == 0)
                *out_row = row;
        return rc;
}

static struct file_viewer viewer_of(const struct caller *caller)
{
        return (struct file_viewer){caller->principal, caller->workspace, caller->role};
}

int file_look_run(struct desk *desk, struct db *db, const struct desk_command *command, struct file_row *out_row)
{
        const struct file_look *look = command->params;
        struct file_viewer viewer;
        int rc = find_viewer(desk, db, command, &viewer);
        if (rc < 0)
                return rc;
        if (look->is_put)
                return found(desk, db, file_rows_own(db, look->file, viewer.principal, out_row));
        if (PLANTED("file_without_membership"))
                return found(desk, db, file_rows_by_ext(db, look->file, out_row));
        return view(desk, db, look->file, &viewer, out_row);
}

int file_link_make(struct desk *desk, struct db *db, const struct desk_command *command, struct writer *out)
{
        const struct protocol_file_link *params = command->params;
        struct file_viewer viewer = viewer_of(&command->caller);
        struct file_row row;
        struct principal_row who;
        char url[LINK_TEXT];
        int rc = view(desk, db, params->file, &viewer, &row);
        if (rc == 0)
                rc = found(desk, db, principals_load(db, viewer.principal, &who));
        if (rc < 0)
                return rc;
        struct protocol_file_link_result result = {.expires = clock_wall_ms() + LINK_LIFE_MS};
        size_t len = link_write(url, desk->uploads.link_key, params->file, result.expires,
                                (struct principal_id){who.role, who.ext});
        if (len == 0)
                return -PROTOCOL_ERR_INTERNAL;
        result.url = (struct span){url, len};
        protocol_file_link_result_write(out, &result);
        return 0;
}

/* On a files thread: the desk decides. */
static void upload_examined(struct file_job *job)
{
        struct desk *desk = job->owner;
        struct desk_command *command = job->data;
        command->ended = job;
        if (mailbox_force(&desk->in, &command->item, command->bytes) < 0)
                command_free(command); /* the server is stopping: unknown to the client, who asks again (A3) */
}

int upload_end_pass(struct desk *desk, struct db *db, struct desk_command *command, struct writer *out,
                    struct fault *fault)
{
        const struct protocol_upload_end *params = command->params;
        struct file_row row;
        int rc = found(desk, db, file_rows_own(db, params->file, command->caller.principal, &row));
        if (rc < 0)
                return rc;
        if (row.state == FILE_WHOLE)
                return uploads_say_whole(&row, params, out, fault);
        if (!desk->uploads.files)
                return -PROTOCOL_ERR_UNAVAILABLE;
        struct span said = span_of(row.media);
        struct file_job *job = file_job_new(FILE_FINISH, row.ext, said.len);
        if (!job)
                return -PROTOCOL_ERR_INTERNAL;
        memcpy(job->bytes, said.at, said.len);
        job->len = said.len;
        job->size = row.size;
        memcpy(job->sha256, params->sha256, sizeof job->sha256);
        job->done = upload_examined;
        job->owner = desk;
        job->data = command;
        rc = file_store_post(desk->uploads.files, job);
        if (rc == 0)
                return 1;
        file_job_free(job);
        return rc;
}
