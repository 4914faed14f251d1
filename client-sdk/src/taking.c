/* SPDX-License-Identifier: Apache-2.0 */
/* Taking: what the application has handed over goes into the file, all that waited in one transaction, and is told as
 * QUEUED or UPLOADING when that is on disk. When the turn fails, which may be for anything else in it, what was handed
 * over is written once more in a transaction of its own; only when that fails too is it told as FAILED. */
#include "handover.h"
#include "machine_private.h"

#include <stdlib.h>

#include "protocol/hot.h"

int machine_has_message(struct machine *machine, const struct cmid *cmid)
{
        int found = cache_message_find(machine->cache, cmid, NULL, NULL);

        return found > 0 ? DESKBELL_E_EXISTS : found;
}

/* ---- one message ------------------------------------------------------------------------------------------------- */

static bool note_target(void *data, const struct cached_entry *entry)
{
        struct cached_message *row = data;

        row->has_target = entry->cmid != NULL;
        if (entry->cmid)
                row->target = *entry->cmid;
        return false;
}

/* The cmid of the message that is changed. In another epoch than it was handed over in, its number says nothing. */
static void find_target(struct machine *machine, const deskbell_conversation *conv, struct cached_message *row)
{
        if (row->op != DESKBELL_OP_SEND && memcmp(row->epoch, machine->epoch, sizeof(row->epoch)) == 0)
                cache_entries(machine->cache, conv->row, row->log, row->of, row->of, 1, false, note_target, row);
}

static void put_files(struct machine *machine, const struct handed *handed, int64_t pos)
{
        for (size_t i = 0; i < handed->files_count; i++) {
                const struct file_source *file = &handed->files[i];
                struct cached_upload row = {
                        .pos = pos,
                        .at = (int)i,
                        .cmid = machine_cmid(machine, machine_true_wall(machine)),
                        .path = span_of(file->path),
                        .is_copy = file->is_copy,
                        .has_secret = file->has_secret,
                        .name = span_of(file->name),
                        .media = span_of(file->media),
                        .size = file->size,
                        .mtime_ns = file->mtime_ns,
                };
                memcpy(row.secret, file->secret, sizeof(row.secret));
                cache_upload_put(machine->cache, &row);
        }
}

static void take_message(struct machine *machine, const struct handed *handed)
{
        struct cached_message row = handed->row;
        deskbell_conversation *conv = handed->conv;

        if (handed->is_named && machine_has_message(machine, &row.cmid) == DESKBELL_E_EXISTS)
                return; /* the visitor who was claimed meanwhile had queued it: its outcome is told under that cmid */
        conv_need_row(conv);
        row.conv = conv->row;
        row.queued_ms = row.first_ms = machine_true_wall(machine);
        if (handed->what == HANDED_FILES) {
                row.state = DESKBELL_UPLOADING;
                cache_message_add(machine->cache, &row);
                put_files(machine, handed, row.pos);
                uploads_append(machine, conv, &row);
                return;
        }
        find_target(machine, conv, &row);
        if (row.op == DESKBELL_OP_SEND)
                content_hash(handed->is_rating ? PROTOCOL_ENTRY_RATING : PROTOCOL_ENTRY_TEXT, row.content, row.hash);
        if (row.op == DESKBELL_OP_EDIT) /* to know it whole after damage */
                content_hash(PROTOCOL_ENTRY_EDIT, row.content, row.hash);
        if (outbox_append(machine, conv, &row) == 0)
                answers_sent(machine, &row);
}

static bool copy_row(void *data, const struct cached_message *row)
{
        *(struct outgoing **)data = outbox_row(row);
        return false;
}

static void put_back(struct machine *machine, struct handed *handed)
{
        struct outgoing *old = NULL;

        handed->is_broken = !cache_message_get(machine->cache, &handed->old, copy_row, &old); /* it was erased since */
        if (!old) {
                if (!handed->is_broken)
                        cache_fail(machine->cache);
                return;
        }
        struct cached_message row = old->row;
        int64_t before = row.pos;
        cache_uploads_move(machine->cache, before, -before); /* dropping the message would take its files along */
        cache_message_drop(machine->cache, before);
        machine->failed_count--;
        answers_gone(machine, &handed->old);
        row.cmid = handed->row.cmid;
        row.first_ms = handed->row.first_ms;
        row.tag = SPAN("");
        row.number = row.at_seq = row.ts_ms = 0;
        row.is_told = row.is_duplicate = false;
        if (!uploads_wait_again(machine, handed->conv, &row, -before)) {
                row.queued_ms = machine_true_wall(machine);
                row.first_ms = row.first_ms ? row.first_ms : row.queued_ms;
                if (outbox_append(machine, handed->conv, &row) == 0)
                        cache_uploads_move(machine->cache, -before, row.pos);
        }
        free(old);
}

static void take_all(struct machine *machine)
{
        for (struct handed *handed = machine->taken; handed; handed = handed->next) {
                if (handed->is_broken)
                        continue;
                if (handed->what == HANDED_RETRY)
                        put_back(machine, handed);
                else
                        take_message(machine, handed);
        }
}

void machine_take(struct machine *machine, struct handed *handed)
{
        machine->taken = handed;
        take_all(machine);
}

/* ---- the end of the turn ----------------------------------------------------------------------------------------- */

/* Nothing but what was handed over, after a turn that failed. */
static bool write_again(struct machine *machine)
{
        struct event_list before = machine->turn_events;

        machine->turn_events = (struct event_list){0};
        machine->is_in_turn = true;
        cache_begin(machine->cache, true);
        if (machine->is_reload_owed)
                machine_reload(machine);
        take_all(machine);
        conv_flush(machine);
        bool is_written = cache_commit(machine->cache) == 0;
        machine->is_in_turn = false;
        if (!is_written) {
                event_list_clear(&machine->turn_events);
                machine_reload(machine);
        }
        event_list_move(&before, &machine->turn_events);
        machine->turn_events = before;
        return is_written;
}

static bool tell_old(void *data, const struct cached_message *row)
{
        struct machine *machine = data;
        deskbell_conversation *conv = conv_by_row(machine, row->conv);

        if (conv)
                sending_tell(machine, conv, row, true);
        return false;
}

static bool add_files(struct event *event, const struct handed *handed)
{
        for (size_t i = 0; i < handed->files_count; i++) {
                const struct file_source *file = &handed->files[i];
                struct cached_upload row = {.name = span_of(file->name), .media = span_of(file->media)};

                row.size = file->size;
                if (event_add_upload(event, &row) < 0)
                        return false;
        }
        return true;
}

/* It is nowhere: this is told once, and cannot be told again after a restart. False: out of memory. */
static bool tell_lost(struct machine *machine, const struct handed *handed)
{
        struct event *event = event_new(EVENT_MESSAGE);
        struct cached_message row = handed->row;

        row.state = DESKBELL_FAILED;
        row.tag = SPAN("store");
        row.queued_ms = machine_true_wall(machine);
        if (event && (event_fill_message(event, handed->conv, &row) < 0 || !add_files(event, handed)))
                event = event_free(event);
        if (!event)
                return false;
        event->is_lost = true;
        machine_push(machine, event);
        return true;
}

static void forget_copies(struct machine *machine, const struct handed *handed)
{
        for (size_t i = 0; i < handed->files_count; i++) {
                struct job *job = handed->files[i].is_copy ? job_new(JOB_UNLINK, handed->files[i].path) : NULL;

                if (job) /* without memory it is swept away later */
                        machine_job_push(machine, job);
        }
}

/* A message that was to be put back is what it was before; told, so that it is shown as such again. False: out of
 * memory, nothing was told. */
static bool fail(struct machine *machine, const struct handed *handed)
{
        bool is_old = handed->what == HANDED_RETRY;

        if ((!is_old || memcmp(&handed->old, &handed->row.cmid, sizeof(handed->old)) != 0) &&
            !tell_lost(machine, handed))
                return false;
        if (is_old)
                cache_message_get(machine->cache, &handed->old, tell_old, machine);
        forget_copies(machine, handed);
        return true;
}

static void tell_all_lost(struct machine *machine)
{
        while (machine->lost && fail(machine, machine->lost)) {
                struct handed *told = machine->lost;

                machine->lost = told->next;
                handed_free(told);
        }
        if (machine->lost)
                machine_tell_later(machine);
}

static void lose(struct machine *machine, struct handed *handed)
{
        struct handed **at = &machine->lost;

        while (*at)
                at = &(*at)->next;
        handed->next = NULL;
        *at = handed;
}

void taking_end(struct machine *machine, bool is_kept)
{
        bool is_written = is_kept || !machine->taken || write_again(machine);
        struct handed *next;

        for (struct handed *handed = machine->taken; handed; handed = next) {
                bool is_lost = !is_written || handed->is_broken;

                next = handed->next;
                if (is_lost && !handed->wait) {
                        lose(machine, handed);
                        continue;
                }
                if (handed->wait)
                        *handed->wait = (struct handed_wait){true, is_lost ? DESKBELL_E_STORE : 0};
                handed_free(handed);
        }
        machine->taken = NULL;
        tell_all_lost(machine);
}

void taking_free(struct machine *machine)
{
        while (machine->lost) {
                struct handed *next = machine->lost->next;

                handed_free(machine->lost);
                machine->lost = next;
        }
}
