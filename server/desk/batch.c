/* SPDX-License-Identifier: Apache-2.0 */
/* Batches. Commands run one after the other in one transaction; their answers and events wait in `leaving`; after the
 * commit they leave; after a rollback every caller is refused instead (delivery A1, A2). Desk thread only. */
#include "desk/bot_relearn.h"
#include "desk/desk_private.h"

#include <stdlib.h>
#include <unistd.h>

#include "protocol/planted.h"

enum {
        BATCH_COMMANDS = 2000,
        BATCH_BYTES = 4 * 1024 * 1024,
        BATCH_MS = 5,
        CLOCK_CHECK_EVERY = 32,
        DONE_KEPT_MS = 24 * 3600 * 1000,
        DONE_SWEEP_EVERY_MS = 3600 * 1000,
};

static void leave_now(struct desk *desk)
{
        for (uint32_t i = 0; i < desk->sink_count; i++) {
                struct mailbox_item *item = desk->leaving[i].first;
                struct mailbox_list list = desk->leaving[i];
                desk->leaving[i] = (struct mailbox_list){0};
                if (list.count > 0 && mailbox_push_list(desk->sinks[i], &list) < 0) {
                        while (item) { /* the thread has ended */
                                struct mailbox_item *next = item->next;
                                note_free(note_of(item));
                                item = next;
                        }
                }
        }
}

static void forget_leaving(struct desk *desk)
{
        for (uint32_t i = 0; i < desk->sink_count; i++) {
                struct mailbox_item *item = desk->leaving[i].first;
                desk->leaving[i] = (struct mailbox_list){0};
                while (item) {
                        struct mailbox_item *next = item->next;
                        note_free(note_of(item));
                        item = next;
                }
        }
}

static void free_batch(struct desk *desk)
{
        struct mailbox_item *item = desk->batch.first;
        desk->batch = (struct mailbox_list){0};
        while (item) {
                struct mailbox_item *next = item->next;
                struct desk_command *command = command_of(item);
                if (command->done)
                        command->done(command->done_data, command->stored);
                command_free(command);
                item = next;
        }
}

static void publish_keys(struct desk *desk)
{
        char *why = NULL;
        struct keyring *fresh = keyring_load(desk->db, &why);
        desk->keys_are_stale = !fresh; /* tried again after the next commit */
        if (!fresh) {
                log_error(&desk->log, "keys could not be read again; the old ones stay for now", "why", why);
                free(why);
                return;
        }
        pthread_mutex_lock(&desk->keyring_lock);
        struct keyring *old = desk->keyring;
        desk->keyring = fresh;
        pthread_mutex_unlock(&desk->keyring_lock);
        atomic_fetch_add_explicit(&desk->keyring_version, 1, memory_order_release);
        keyring_unref(old);
        sessions_close_keys(desk, fresh);
}

static void batch_committed(struct desk *desk)
{
        atomic_store_explicit(&desk->committed_rev, desk->rev, memory_order_release);
        cache_committed(desk);
        directory_settle(desk->directory);
        if (desk->keys_changed || desk->keys_are_stale)
                publish_keys(desk);
        if (desk->names_changed)
                atomic_fetch_add_explicit(&desk->directory_version, 1, memory_order_release);
        desk->keys_changed = desk->names_changed = false;
        atomic_store_explicit(&desk->is_read_only, false, memory_order_relaxed);
        atomic_fetch_add_explicit(&desk->batches, 1, memory_order_relaxed);
        leave_now(desk);
        webhooks_committed(desk);
        uploads_committed(desk);
        people_committed(desk);
        reports_committed(desk);
        recovery_committed(desk);
        surveys_committed(desk);
        tickets_committed(desk);
        hours_committed(desk);
        bots_committed(desk);
        bot_turns_committed(desk);
        bot_relearn_committed(desk);
        customers_committed(desk);
        free_batch(desk);
}

/* Nothing of the batch happened: refuse every caller, forget what memory thought (A2). */
static void batch_refused(struct desk *desk, int db_rc)
{
        forget_leaving(desk);
        cache_rolled_back(desk);
        jobs_rolled_back(desk);
        webhooks_rolled_back(desk);
        uploads_rolled_back(desk);
        people_rolled_back(desk);
        hours_rolled_back(desk);
        tickets_rolled_back(desk);
        surveys_rolled_back(desk);
        recovery_rolled_back(desk);
        reports_rolled_back(desk);
        rules_stale(desk);
        views_rolled_back(desk);
        desk->bots.are_changed = false;
        bot_turns_rolled_back(desk);
        bot_relearn_rolled_back(desk);
        customers_rolled_back(desk);
        if (desk->names_changed)
                directory_reread(desk->directory);
        bool full = db_rc == DB_FULL || db_rc == DB_BUSY;
        if (full) {
                desk->retry_write_ms = clock_mono_ms() + READ_ONLY_RETRY_MS;
                if (!atomic_exchange_explicit(&desk->is_read_only, true, memory_order_relaxed))
                        log_error(&desk->log, "no space to store anything; read-only until there is", "why",
                                  db_message(desk->db));
        } else {
                log_error(&desk->log, "a batch was rolled back", "code", db_rc, "why", db_message(desk->db));
        }
        atomic_fetch_add_explicit(&desk->commit_failures, 1, memory_order_relaxed);
        desk->keys_changed = desk->names_changed = false;
        struct writer out;
        char first[512];
        writer_init(&out, first, sizeof first);
        for (struct mailbox_item *item = desk->batch.first; item; item = item->next) {
                struct desk_command *command = command_of(item);
                struct desk_session *session = sessions_find(desk, command->from);
                if (session)
                        session->predecessor_count = 0;
                if (command->kind == COMMAND_DRAIN)
                        dispatch_drain(desk); /* was forgotten with the rest, and needs no store */
                if (command->kind != COMMAND_METHOD)
                        continue;
                if (command->method == PROTOCOL_M_SESSION_OPEN)
                        dispatch_forget_opening(desk, command->from);
                dispatch_refuse(desk, command, full ? -PROTOCOL_ERR_STORAGE_FULL : -PROTOCOL_ERR_INTERNAL, &out);
        }
        writer_done(&out);
        directory_drop_fresh(desk->directory);
        leave_now(desk);
        free_batch(desk);
}

/* The outcome is unknown (A2): nobody is answered, the process ends. A command of the operator is told so, because its
 * caller waits for it. */
static void batch_unknown(struct desk *desk)
{
        log_error(&desk->log, "the outcome of a commit is unknown; ending", "why", db_message(desk->db));
        forget_leaving(desk);
        for (struct mailbox_item *item = desk->batch.first; item; item = item->next)
                command_of(item)->stored = SPAN(
                        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":23,\"message\":\"the outcome is unknown\","
                        "\"data\":{\"tag\":\"internal\",\"class\":\"retry\",\"retry_after_ms\":1000}}}");
        free_batch(desk);
        desk->has_ended = true;
        atomic_store(&desk->is_stopping, true);
        if (desk->on_fatal)
                desk->on_fatal(desk->fatal_data);
}

/* Answers that are remembered (A6) are forgotten after a day; an hourly job of some running transaction. */
static int sweep_done(struct desk *desk)
{
        uint64_t now_ms = clock_mono_ms();
        if (now_ms < desk->sweep_due_ms)
                return DB_OK;
        desk->sweep_due_ms = now_ms + DONE_SWEEP_EVERY_MS;
        return done_sweep(desk->db, desk->now_ms - DONE_KEPT_MS);
}

static void batch_failed(struct desk *desk, int failure)
{
        if (failure == DB_UNKNOWN) {
                batch_unknown(desk);
                return;
        }
        db_rollback(desk->db);
        batch_refused(desk, failure);
}

/* Only notifications: a read of theirs that failed has changed nothing. */
static void batch_end_quietly(struct desk *desk)
{
        int failure = desk->db_failure;
        desk->db_failure = 0;
        if (failure == DB_UNKNOWN) {
                batch_unknown(desk);
                return;
        }
        leave_now(desk);
        free_batch(desk);
}

static void batch_end(struct desk *desk)
{
        if (!desk->is_in_transaction) {
                batch_end_quietly(desk);
                return;
        }
        if (desk->db_failure == 0) {
                int rc = sweep_done(desk);
                if (rc >= 0)
                        rc = webhooks_sweep(desk);
                if (rc >= 0 && routing_run(desk) < 0)
                        rc = DB_NOMEM; /* or the failure that is remembered already: never half a batch */
                if (rc >= 0 && desk->db_failure == 0)
                        rc = tickets_flush(desk);
                if (rc >= 0 && desk->db_failure == 0)
                        rc = reports_flush(desk);
                if (rc >= 0 && desk->db_failure == 0)
                        rc = people_flush(desk);
                if (rc >= 0 && desk->db_failure == 0)
                        rc = cache_flush(desk);
                if (rc < 0)
                        desk_db_failed(desk, rc);
        }
        desk->is_in_transaction = desk->is_log_moved = false;
        int failure = desk->db_failure;
        desk->db_failure = 0;
        if (failure != 0) {
                batch_failed(desk, failure);
                return;
        }
        uint64_t start = clock_mono_ns();
        if (PLANTED("ack_before_commit")) {
                leave_now(desk);
                usleep(3000); /* a slow disk, so that a kill finds the gap */
        }
        int rc = db_commit(desk->db);
        atomic_fetch_add_explicit(&desk->commit_us, (clock_mono_ns() - start) / 1000, memory_order_relaxed);
        if (rc == DB_OK)
                batch_committed(desk);
        else if (rc == DB_FULL || rc == DB_BUSY)
                batch_refused(desk, rc);
        else
                batch_unknown(desk);
}

static bool batch_begin(struct desk *desk)
{
        if (desk->is_in_transaction)
                return true;
        int rc = db_begin(desk->db);
        if (rc < 0) {
                desk_db_failed(desk, rc);
                desk->is_in_transaction = true; /* so that the batch is ended as refused */
                return false;
        }
        desk->is_in_transaction = true;
        return true;
}

/* Whether there is space again: a little is written, and committed with whatever else is due. */
static void try_writing(struct desk *desk)
{
        if (!batch_begin(desk))
                return;
        int rc = meta_put_int(desk->db, "rev", desk->rev);
        if (rc < 0)
                desk_db_failed(desk, rc);
}

static bool refuses_writes(const struct desk *desk)
{
        return atomic_load_explicit(&desk->is_read_only, memory_order_relaxed) &&
               clock_mono_ms() < desk->retry_write_ms;
}

/* What works on the database itself, not on rows in it: outside of a transaction, by itself. */
static bool is_alone(const struct desk_command *command)
{
        return command->kind == COMMAND_METHOD &&
               (command->method == PROTOCOL_M_STORE_BACKUP || command->method == PROTOCOL_M_STORE_SETTLE ||
                command->method == PROTOCOL_M_SEARCH_REBUILD || command->method == PROTOCOL_M_SEARCH_SETTLE);
}

static struct desk_command *next_command(struct desk *desk)
{
        if (!desk->pending)
                desk->pending = mailbox_take(&desk->in);
        struct mailbox_item *item = desk->pending;
        if (!item)
                return NULL;
        desk->pending = item->next;
        item->next = NULL;
        return command_of(item);
}

void batch_run(struct desk *desk)
{
        struct writer out;
        char first[4096];
        writer_init(&out, first, sizeof first);
        uint64_t start_ms = clock_mono_ms();
        desk->now_ms = clock_wall_ms();
        struct desk_command *command;
        while (desk->batch.count < BATCH_COMMANDS && desk->batch.bytes < BATCH_BYTES &&
               (command = next_command(desk))) {
                if (is_alone(command) && desk->is_in_transaction) { /* after this batch */
                        command->item.next = desk->pending;
                        desk->pending = &command->item;
                        break;
                }
                mailbox_list_add(&desk->batch, &command->item, command->bytes);
                if (dispatch_is_quiet(command) || is_alone(command)) {
                        dispatch_command(desk, command, &out);
                } else if (refuses_writes(desk)) {
                        dispatch_refuse(desk, command, -PROTOCOL_ERR_STORAGE_FULL, &out); /* while there is no space */
                } else if (batch_begin(desk)) {
                        dispatch_command(desk, command, &out);
                }
                if (desk->db_failure != 0)
                        break;
                if (desk->batch.count % CLOCK_CHECK_EVERY == 0 && clock_mono_ms() - start_ms >= BATCH_MS)
                        break;
        }
        atomic_fetch_add_explicit(&desk->commands, desk->batch.count, memory_order_relaxed);
        bool may_begin = !desk->is_in_transaction && desk->db_failure == 0 && !refuses_writes(desk);
        if (may_begin && desk->flush_due_ms != 0 && clock_mono_ms() >= desk->flush_due_ms)
                batch_begin(desk); /* marks that have waited long enough */
        if (may_begin && desk_is_read_only(desk))
                try_writing(desk);
        if (desk->db_failure == 0 && !refuses_writes(desk) && jobs_are_due(desk) && batch_begin(desk))
                jobs_run(desk);
        if (desk->db_failure == 0 && !refuses_writes(desk) && bot_turns_are_due(desk) && batch_begin(desk))
                bot_turns_run_due(desk);
        if (desk->db_failure == 0 && !refuses_writes(desk) && people_are_due(desk) && batch_begin(desk))
                people_run_due(desk);
        if (desk->db_failure == 0 && !refuses_writes(desk) && tickets_due_ms(desk) <= desk->now_ms && batch_begin(desk))
                tickets_run_due(desk);
        if (desk->db_failure == 0 && !refuses_writes(desk) && surveys_due_ms(desk) <= desk->now_ms && batch_begin(desk))
                surveys_run_due(desk);
        if (desk->db_failure == 0 && !refuses_writes(desk) && recovery_due_ms(desk) <= desk->now_ms &&
            batch_begin(desk))
                recovery_run_due(desk);
        if (desk->db_failure == 0 && !refuses_writes(desk) && !desk->is_in_transaction && routing_is_due(desk))
                batch_begin(desk); /* routing_run does it at the end */
        jobs_look_at_clock(desk);
        batch_end(desk);
        writer_done(&out);
}

void batch_drop(struct desk *desk)
{
        struct desk_command *command;
        while ((command = next_command(desk)) != NULL) {
                if (command->done)
                        command->done(
                                command->done_data,
                                SPAN("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":13,\"message\":\"the server is "
                                     "stopping\",\"data\":{\"tag\":\"unavailable\",\"class\":\"retry\","
                                     "\"retry_after_ms\":1000}}}"));
                command_free(command);
        }
        forget_leaving(desk);
        free_batch(desk);
}

/* A flush that fails here is as bad as one in a commit (A2). */
static void move_log(struct desk *desk, bool idle)
{
        if (db_checkpoint(desk->db, idle) == DB_UNKNOWN)
                batch_unknown(desk);
}

/* Waits for commands or for what is due. The log is moved into the file when it is long, or when nothing has come for a
 * while: a pause between two messages is not idleness. */
void batch_wait(struct desk *desk)
{
        int64_t due_ms = desk_next_due_ms(desk);
        move_log(desk, false);
        if (desk->is_log_moved) {
                desk->pending = mailbox_wait(&desk->in, due_ms);
                return;
        }
        bool is_sooner = due_ms >= 0 && due_ms < IDLE_MS;
        uint64_t start_ms = clock_mono_ms();
        desk->pending = mailbox_wait(&desk->in, is_sooner ? due_ms : IDLE_MS);
        if (!desk->pending && !is_sooner && clock_mono_ms() - start_ms >= IDLE_MS) {
                move_log(desk, true);
                desk->is_log_moved = true;
        }
}

void desk_turn(struct desk *desk)
{
        batch_run(desk);
        if (desk->has_ended)
                return;
        marks_commit(desk);
        feed_commit(desk);
        attendance_commit(desk);
        views_turn(desk);
        people_commit(desk);
        routing_commit(desk);
        leave_now(desk);
}
