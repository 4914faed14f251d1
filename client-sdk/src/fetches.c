/* SPDX-License-Identifier: Apache-2.0 */
/* Fetches: files on their way to a path of the application's. Pieces are asked for by HTTP one after the other and
 * appended to a part beside the path; the whole is checked before it takes its name. Fetches live in memory only: the
 * part on disk is what a later one goes on with. Whoever asked is answered exactly once. */
#include "machine_private.h"

#include <stdio.h>
#include <stdlib.h>

enum {
        FETCHES_AT_ONCE = 2,
        TRIES = 2, /* of a file from nothing, when what came was not it */
};

static void fetch_free(struct fetch *fetch)
{
        event_free(fetch->answer);
        free(fetch->path);
        free(fetch->part);
        free(fetch);
}

/* Tells the end and forgets it. */
static void finish(struct machine *machine, struct fetch *fetch, int error)
{
        struct event *event = fetch->answer;
        struct fetch **at = &machine->fetches;

        fetch->answer = NULL;
        event->fetch.error = error;
        machine_push(machine, event);
        while (*at != fetch)
                at = &(*at)->next;
        *at = fetch->next;
        fetch_free(fetch);
}

static void tell_progress(struct machine *machine, const struct fetch *fetch)
{
        struct event *event = fetch->progress ? event_new(EVENT_FETCHING) : NULL;
        if (!event)
                return; /* the next one tells */

        event->fetch.progress = fetch->progress;
        event->fetch.data = fetch->data;
        event->fetch.fetch = fetch->id;
        event->fetch.received = fetch->offset;
        event->fetch.total = fetch->size;
        machine_push(machine, event);
}

static void hold(struct machine *machine, struct fetch *fetch, int64_t asked_ms)
{
        fetch->hold_until_ms = machine->now_ms + machine_pause_ms(machine, &fetch->failures, asked_ms);
        fetch->is_held_by_server = asked_ms >= 0;
}

/* As with uploads: the server wants none of them now. */
static void hold_all(struct machine *machine, struct fetch *fetch, int64_t asked_ms)
{
        hold(machine, fetch, asked_ms);
        if (machine->fetches_hold_until_ms < fetch->hold_until_ms)
                machine->fetches_hold_until_ms = fetch->hold_until_ms;
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static void go_on(struct machine *machine, struct fetch *fetch)
{
        bool is_whole = fetch->offset == fetch->size;
        struct job *job = job_new(is_whole ? JOB_SEAL : JOB_GET, fetch->part);

        if (job && is_whole)
                job->target = strdup(fetch->path);
        if (!job || (is_whole && !job->target)) {
                job_free(job);
                hold(machine, fetch, -1);
                return;
        }
        job->id = fetch->serial = ++machine->next_serial;
        job->size = fetch->size;
        job->offset = fetch->offset;
        memcpy(job->sha256, fetch->sha256, sizeof(job->sha256));
        memcpy(job->file, fetch->file, sizeof(job->file));
        memcpy(job->token, machine->http_token, sizeof(job->token));
        fetch->step = is_whole ? FETCH_SEALING : FETCH_GETTING;
        machine_job_push(machine, job);
}

void fetches_pump(struct machine *machine)
{
        int busy = 0;

        if (machine->fetches_hold_until_ms > machine->now_ms)
                return;
        for (const struct fetch *fetch = machine->fetches; fetch; fetch = fetch->next)
                busy += fetch->step != FETCH_NEXT;
        for (struct fetch *fetch = machine->fetches; fetch && busy < FETCHES_AT_ONCE; fetch = fetch->next) {
                if (fetch->step != FETCH_NEXT || fetch->hold_until_ms > machine->now_ms || !machine->http_token[0])
                        continue;
                go_on(machine, fetch);
                busy += fetch->step != FETCH_NEXT;
        }
}

int64_t fetches_next_ms(const struct machine *machine)
{
        int64_t next = INT64_MAX;

        for (const struct fetch *fetch = machine->fetches; machine->state == SESSION_OPEN && fetch;
             fetch = fetch->next) {
                int64_t until = fetch->hold_until_ms > machine->fetches_hold_until_ms ? fetch->hold_until_ms
                                                                                      : machine->fetches_hold_until_ms;
                if (until > machine->now_ms && until < next)
                        next = until;
        }
        return next;
}

void fetches_hurry(struct machine *machine)
{
        for (struct fetch *fetch = machine->fetches; fetch; fetch = fetch->next)
                if (!fetch->is_held_by_server)
                        fetch->hold_until_ms = 0;
}

/* Jobs of that turn were never seen by anybody; what others bring back is not waited for any more. */
void fetches_turn_failed(struct machine *machine)
{
        for (struct fetch *fetch = machine->fetches; fetch; fetch = fetch->next)
                fetch->step = FETCH_NEXT;
}

/* ---- outcomes ---------------------------------------------------------------------------------------------------- */

static void got(struct machine *machine, struct fetch *fetch, const struct job *job)
{
        bool is_further = job->offset > fetch->offset && job->offset <= fetch->size;

        switch (job->status) {
        case 200:
        case 206:
                if (is_further) {
                        fetch->failures = 0;
                        fetch->offset = job->offset;
                        tell_progress(machine, fetch);
                } else {
                        hold(machine, fetch, -1);
                }
                break;
        case 404:
        case 410:
                finish(machine, fetch, DESKBELL_E_NOT_FOUND);
                break;
        case 401:
        case 408:
        case 409:
                hold(machine, fetch, job->retry_after_ms);
                break;
        case 429:
        case 503:
                hold_all(machine, fetch, job->retry_after_ms);
                break;
        default:
                if (job->status >= 400 && job->status < 500)
                        finish(machine, fetch, job->status == 416 ? DESKBELL_E_DAMAGED : DESKBELL_E_REFUSED);
                else
                        hold(machine, fetch, job->retry_after_ms);
                break;
        }
}

static void sealed(struct machine *machine, struct fetch *fetch, const struct job *job)
{
        if (job->outcome == JOB_OK) {
                finish(machine, fetch, 0);
        } else if (job->outcome == JOB_CHANGED && ++fetch->tries < TRIES) {
                fetch->offset = -1;
                hold(machine, fetch, -1);
        } else if (job->outcome == JOB_CHANGED) {
                finish(machine, fetch, DESKBELL_E_DAMAGED);
        } else {
                finish(machine, fetch, job->outcome == JOB_NO_MEMORY ? DESKBELL_E_NOMEM : DESKBELL_E_STORE);
        }
}

bool fetches_job_done(struct machine *machine, const struct job *job)
{
        struct fetch *fetch = machine->fetches;

        while (fetch && (fetch->step == FETCH_NEXT || fetch->serial != job->id))
                fetch = fetch->next;
        if (!fetch)
                return false;
        fetch->step = FETCH_NEXT;
        if (job->kind == JOB_SEAL)
                sealed(machine, fetch, job);
        else if (job->outcome == JOB_OK)
                got(machine, fetch, job);
        else if (job->outcome == JOB_NO_ANSWER || job->outcome == JOB_NO_MEMORY)
                hold(machine, fetch, -1);
        else
                finish(machine, fetch, DESKBELL_E_STORE);
        return true;
}

/* ---- the application's calls ------------------------------------------------------------------------------------- */

static struct fetch *fetch_new(const struct deskbell_file *file, const char *path)
{
        struct fetch *fetch = calloc(1, sizeof(*fetch));
        if (!fetch)
                return NULL;

        snprintf(fetch->file, sizeof(fetch->file), "%s", file->id);
        fetch->path = strdup(path);
        fetch->answer = event_new(EVENT_FETCHED);
        if (fetch->answer)
                fetch->answer->fetch.path = event_text(fetch->answer, span_of(path));
        if (asprintf(&fetch->part, "%s.%.8s.part", path, file->id) < 0)
                fetch->part = NULL;
        if (!fetch->path || !fetch->part || !fetch->answer || !fetch->answer->fetch.path) {
                fetch_free(fetch);
                return NULL;
        }
        fetch->size = file->size;
        fetch->offset = -1;
        memcpy(fetch->sha256, file->sha256, sizeof(fetch->sha256));
        return fetch;
}

int machine_fetch(struct machine *machine, const struct deskbell_file *file, const char *path,
                  deskbell_fetch_progress_fn progress, deskbell_fetch_done_fn done, void *data, int64_t *out_fetch)
{
        struct fetch **at = &machine->fetches;

        for (; *at; at = &(*at)->next)
                if (strcmp((*at)->path, path) == 0)
                        return DESKBELL_E_EXISTS;
        struct fetch *fetch = fetch_new(file, path);
        if (!fetch)
                return DESKBELL_E_NOMEM;
        fetch->id = fetch->answer->fetch.fetch = ++machine->next_serial;
        fetch->progress = progress;
        fetch->data = fetch->answer->fetch.data = data;
        fetch->answer->fetch.done = done;
        *at = fetch;
        *out_fetch = fetch->id;
        return 0;
}

static void cancel(struct machine *machine, struct fetch *fetch)
{
        if (fetch->step != FETCH_NEXT)
                machine_job_abort(machine, fetch->serial);
        finish(machine, fetch, DESKBELL_E_CANCELLED);
}

int machine_fetch_cancel(struct machine *machine, int64_t id)
{
        for (struct fetch *fetch = machine->fetches; fetch; fetch = fetch->next) {
                if (fetch->id == id) {
                        cancel(machine, fetch);
                        return 0;
                }
        }
        return DESKBELL_E_NOT_FOUND;
}

void machine_cancel_fetches(struct machine *machine)
{
        while (machine->fetches)
                cancel(machine, machine->fetches);
}
