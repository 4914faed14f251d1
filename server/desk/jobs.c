/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/jobs.h"

#include <stdlib.h>

#include "desk/desk_private.h"
#include "desk/reports/reports_private.h"

enum { AT_ONCE = 20, EVERY_MS = 100, POSTPONE_MS = 60000, LOOK_EVERY_MS = 1000 };

struct job_row {
        int64_t id, subject, due_ms;
        int kind;
        size_t body_len;
        char *body; /* NULL = none */
};

struct job_kind_info {
        job_fn *run;
        bool is_destructive; /* waits while the clock is suspect */
};

static const struct job_kind_info kinds[] = {
        [JOB_PUSH_WANTED] = {.run = push_wanted_run},
        [JOB_UPLOAD_SWEEP] = {.run = uploads_sweep_run, .is_destructive = true},
        [JOB_FILE_UNLINK] = {.run = uploads_unlink_run}, /* what was erased never waits for the clock */
        [JOB_REPORTS_BUILD] = {.run = reports_build_run},
};

static const struct job_kind_info *info_of(int kind)
{
        bool is_known = kind > 0 && (size_t)kind < sizeof kinds / sizeof *kinds && kinds[kind].run;
        return is_known ? &kinds[kind] : NULL;
}

static int read_next_due(struct desk *desk)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_JOB_NEXT_DUE);
        int rc = db_step(stmt);
        if (rc < 0)
                return rc;
        desk->jobs.next_due_ms = rc == DB_ROW && !db_is_null(stmt, 0) ? db_int(stmt, 0) : INT64_MAX;
        db_reset(stmt);
        return DB_OK;
}

int jobs_open(struct desk *desk)
{
        int64_t last_ms = 0, accepted_ms = 0;
        int rc = meta_get_int(desk->db, "committed_ms", &last_ms);
        if (rc >= 0)
                rc = meta_get_int(desk->db, "clock_accepted_ms", &accepted_ms);
        if (rc < 0)
                return rc;
        clock_watch_start(&desk->jobs.clock, clock_mono_ms(), clock_wall_ms(),
                          accepted_ms > last_ms ? accepted_ms : last_ms);
        atomic_store_explicit(&desk->is_clock_suspect, desk->jobs.clock.is_suspect, memory_order_relaxed);
        if (desk->jobs.clock.is_suspect)
                log_warn(&desk->log, "the clock is far from the last commit: what destroys waits until it is accepted",
                         "last_commit_ms", last_ms);
        return read_next_due(desk);
}

int jobs_put(struct desk *desk, enum job_kind kind, int64_t subject, int64_t due_ms, struct span body)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_JOB_PUT);
        db_bind_int(stmt, 1, kind);
        db_bind_int(stmt, 2, subject);
        db_bind_int(stmt, 3, due_ms);
        db_bind_text(stmt, 4, body);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (due_ms < desk->jobs.next_due_ms)
                desk->jobs.next_due_ms = due_ms;
        return 0;
}

int jobs_has(struct desk *desk, enum job_kind kind, int64_t subject)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_JOB_FIND);
        db_bind_int(stmt, 1, kind);
        db_bind_int(stmt, 2, subject);
        int rc = db_step(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        db_reset(stmt);
        return rc == DB_ROW;
}

bool jobs_are_due(const struct desk *desk)
{
        return desk->jobs.next_due_ms <= clock_wall_ms() && clock_mono_ms() - desk->jobs.ran_ms >= EVERY_MS;
}

uint64_t jobs_due_mono_ms(const struct desk *desk)
{
        if (desk->jobs.next_due_ms == INT64_MAX)
                return UINT64_MAX;
        int64_t wait_ms = desk->jobs.next_due_ms - clock_wall_ms();
        uint64_t due_ms = clock_mono_ms() + (uint64_t)(wait_ms > 0 ? wait_ms : 0);
        uint64_t again_ms = desk->jobs.ran_ms + EVERY_MS;
        return due_ms > again_ms ? due_ms : again_ms;
}

/* Copies what is due, so that handlers may use the connection. Returns how many, or a negative db_error. */
static int read_due(struct desk *desk, struct job_row rows[AT_ONCE])
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_JOBS_DUE);
        db_bind_int(stmt, 1, clock_wall_ms());
        db_bind_int(stmt, 2, AT_ONCE);
        int count = 0, rc;
        while ((rc = db_step(stmt)) == DB_ROW && count < AT_ONCE) {
                struct job_row *row = &rows[count++];
                struct span body = db_text(stmt, 3);
                *row = (struct job_row){.id = db_int(stmt, 0),
                                        .kind = (int)db_int(stmt, 1),
                                        .subject = db_int(stmt, 2),
                                        .due_ms = db_int(stmt, 4),
                                        .body_len = body.len,
                                        .body = body.at ? strndup(body.at, body.len) : NULL};
        }
        if (rc == DB_ROW)
                db_reset(stmt);
        while (rc < 0 && count > 0)
                free(rows[--count].body);
        return rc < 0 ? rc : count;
}

static int end_job(struct desk *desk, const struct job_row *row, bool is_postponed)
{
        struct db_stmt *stmt = db_stmt(desk->db, is_postponed ? SQL_JOB_POSTPONE : SQL_JOB_REMOVE);
        db_bind_int(stmt, 1, row->id);
        if (is_postponed)
                db_bind_int(stmt, 2, clock_wall_ms() + POSTPONE_MS);
        return db_run(stmt);
}

static int run_one(struct desk *desk, const struct job_row *row)
{
        const struct job_kind_info *info = info_of(row->kind);
        bool waits = info && info->is_destructive && desk->jobs.clock.is_suspect;
        if (!info)
                log_error(&desk->log, "a job of unknown kind was dropped", "kind", row->kind);
        else if (!waits)
                info->run(desk, row->subject, (struct span){row->body, row->body_len});
        return desk->db_failure != 0 ? desk->db_failure : end_job(desk, row, waits);
}

void jobs_run(struct desk *desk)
{
        struct job_row rows[AT_ONCE];
        desk->jobs.ran_ms = clock_mono_ms();
        int count = read_due(desk, rows), rc = count;
        for (int i = 0; i < count; i++) {
                if (rc >= 0)
                        rc = run_one(desk, &rows[i]);
                free(rows[i].body);
        }
        if (rc >= 0)
                rc = read_next_due(desk);
        if (rc < 0)
                desk_db_failed(desk, rc);
}

void jobs_rolled_back(struct desk *desk)
{
        if (read_next_due(desk) < 0)
                desk->jobs.next_due_ms = clock_wall_ms() + EVERY_MS;
}

void jobs_look_at_clock(struct desk *desk)
{
        uint64_t now_ms = clock_mono_ms();
        if (now_ms - desk->jobs.looked_ms < LOOK_EVERY_MS)
                return;
        desk->jobs.looked_ms = now_ms;
        if (!clock_watch_look(&desk->jobs.clock, now_ms, clock_wall_ms()))
                return;
        atomic_store_explicit(&desk->is_clock_suspect, desk->jobs.clock.is_suspect, memory_order_relaxed);
        if (desk->jobs.clock.is_suspect)
                log_warn(&desk->log, "the clock has jumped: what destroys waits until it is accepted");
        else
                log_info(&desk->log, "the clock is trusted again");
}
