/* SPDX-License-Identifier: Apache-2.0 */
/* The desk's life and its batches. In a batch: commands run one after the other in one transaction; their answers and
 * events wait in `leaving`; after the commit they leave; after a rollback every caller is refused instead. */
#include "desk/desk_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "desk/indexer.h"
#include "ops/mark.h"
#include "ops/planted.h"

enum { DONE_KEPT_MS = 24 * 3600 * 1000, DONE_SWEEP_EVERY_MS = 3600 * 1000 };

enum { QUEUE_ITEMS = 200000, QUEUE_BYTES = 32 * 1024 * 1024, CROWDED_ITEMS = 20000, CLOCK_CHECK_EVERY = 32 };

typedef int handler_fn(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault);

static handler_fn *const handlers[PROTOCOL_METHODS] = {
#define ROW(method, name) [PROTOCOL_M_##method] = handle_##name,
        DESK_HANDLERS(ROW)
#undef ROW
};

/* ---- what handlers use ---- */

int desk_db_failed(struct desk *desk, int rc)
{
        if (desk->db_failure == 0)
                desk->db_failure = rc;
        return rc == DB_FULL || rc == DB_BUSY ? -PROTOCOL_ERR_STORAGE_FULL : -PROTOCOL_ERR_INTERNAL;
}

void desk_leave(struct desk *desk, uint32_t thread, struct desk_note *note)
{
        if (thread >= desk->sink_count)
                note_free(note);
        else
                mailbox_list_add(&desk->leaving[thread], &note->item, sizeof *note + note->len);
}

void desk_broadcast(struct desk *desk, const struct conversation *conversation, bool team, struct edge_frame *frame)
{
        for (uint32_t i = 0; i < desk->sink_count; i++) {
                struct desk_note *note = note_new(NOTE_EVENT, (struct edge_ref){ 0 }, (struct span){ 0 });
                if (!note)
                        continue; /* a push is a hint (R3) */
                note->conv = conversation->row.id;
                note->customer = team ? 0 : conversation->row.customer;
                note->workspace = conversation->row.workspace;
                note->frame = edge_frame_ref(frame);
                desk_leave(desk, i, note);
        }
}

void desk_tell_entry(struct desk *desk, const struct conversation *conversation, const struct entry_row *entry)
{
        const struct principal *author = directory_find(desk->directory, entry->author);
        struct entry_head head = { .conv = conversation->row.ext,
                                   .team = entry->log == LOG_TEAM && !PLANTED("note_leak"),
                                   .number = entry->seq,
                                   .at_seq = entry->at_seq,
                                   .ts = entry->ts,
                                   .author = directory_author(desk->directory, entry->author),
                                   .cmid = entry->has_cmid ? &entry->cmid : NULL,
                                   .kind = entry->kind,
                                   .version = 1,
                                   .content = entry->body };
        if (author && author->name && author->role != ROLE_CUSTOMER)
                head.name = span_of(author->name);
        char first[2048];
        struct writer writer;
        writer_init(&writer, first, sizeof first);
        hot_entry_event(&writer, &head);
        struct edge_frame *frame = writer.failed ? NULL : edge_frame_new((struct span){ writer.bytes, writer.len });
        writer_done(&writer);
        if (!frame)
                return; /* a push is a hint (R3) */
        desk_broadcast(desk, conversation, head.team, frame);
        edge_frame_unref(frame);
}

int desk_team_ts(struct desk *desk, const struct conversation *conversation, int64_t *ts)
{
        struct entry_row newest;
        struct db_stmt *stmt;
        if (conversation->row.ihead == 0)
                return 0;
        int rc = entries_get(desk->db, conversation->row.id, LOG_TEAM, conversation->row.ihead, &newest, &stmt);
        if (rc != DB_ROW)
                return desk_db_failed(desk, rc < 0 ? rc : DB_DAMAGED);
        db_reset(stmt);
        if (*ts < newest.ts)
                *ts = newest.ts;
        return 0;
}

/* Ids of one millisecond are steps of an odd, random width from a random start: 22 bits drawn anew for each would meet
 * the same ones again within one batch of a thousand. */
uint64_t desk_new_id(struct desk *desk)
{
        if (desk->id_ms != desk->now_ms) {
                desk->id_ms = desk->now_ms;
                random_bytes(&desk->id_bits, sizeof desk->id_bits);
                random_bytes(&desk->id_step, sizeof desk->id_step);
        }
        desk->id_bits += desk->id_step | 1;
        return id_make((uint64_t)desk->now_ms, desk->id_bits & 0x3fffff);
}

/* ---- one command ---- */

static void answer_bytes(struct desk *desk, struct desk_command *command, struct span bytes)
{
        if (command->done) {
                command->done(command->done_data, bytes);
                command->done = NULL;
                return;
        }
        if (command->from.generation == 0 || command->id.len == 0)
                return;
        struct desk_note *note = note_new(desk->answer.kind, command->from, bytes);
        if (!note)
                return; /* unknown to the client, who asks again (A3) */
        note->is_http = command->is_http;
        note->conv = desk->answer.conv;
        note->caller = desk->answer.caller;
        note->who = desk->answer.who;
        note->expires_ms = desk->answer.expires_ms;
        note->key_tag = desk->answer.key_tag;
        note->close_code = desk->answer.close_code;
        desk_leave(desk, command->from.thread, note);
}

static void answer_reset(struct desk *desk)
{
        desk->answer = (struct answer){ .kind = NOTE_REPLY, .retry_after_ms = -1 };
}

static int64_t retry_hint(struct desk *desk, int error)
{
        if (desk->answer.retry_after_ms >= 0)
                return desk->answer.retry_after_ms;
        switch (error) {
        case PROTOCOL_ERR_STORAGE_FULL:
                return READ_ONLY_RETRY_MS;
        case PROTOCOL_ERR_PREDECESSOR_UNKNOWN:
                return 0;
        default:
                return protocol_error_info((enum protocol_error)error)->permanent ? -1 : 1000;
        }
}

static void write_refusal(struct desk *desk, struct desk_command *command, int rc, const struct fault *fault,
                          struct writer *out)
{
        out->len = 0;
        out->failed = false;
        frame_error(out, &command->id, (enum protocol_error)-rc, retry_hint(desk, -rc), fault);
}

/* A repeat of something remembered: its answer again, or a conflict. 1 = answered. */
static int repeat_done(struct desk *desk, struct desk_command *command, const struct cmid *cmid, struct writer *out)
{
        int method;
        uint8_t hash[16];
        struct span result;
        struct db_stmt *stmt;
        int rc = done_find(desk->db, command->caller.principal, cmid, &method, hash, &result, &stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK)
                return 0;
        bool same = memcmp(hash, command->hash, sizeof hash) == 0;
        if (same)
                writer_raw(out, result);
        db_reset(stmt);
        return same ? 1 : -PROTOCOL_ERR_IDEMPOTENCY_CONFLICT;
}

static int run_remembered(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_method_info *info = &protocol_methods[command->method];
        const struct cmid *cmid = (const struct cmid *)((const char *)command->params + info->cmid_offset);
        int rc = repeat_done(desk, command, cmid, out);
        if (rc != 0)
                return rc < 0 ? rc : 0;
        size_t start = out->len;
        int db_rc = db_savepoint(desk->db);
        if (db_rc < 0)
                return desk_db_failed(desk, db_rc);
        rc = handlers[command->method](desk, command, out, fault);
        if (rc == 0 && !out->failed) {
                struct span result = { out->bytes + start, out->len - start };
                int put = done_put(desk->db, command->caller.principal, cmid, 0, command->hash, result, desk->now_ms);
                if (put < 0)
                        rc = desk_db_failed(desk, put);
        }
        if (desk->db_failure != 0)
                return rc;
        if (rc < 0 || out->failed) {
                db_rollback_to(desk->db); /* forgets the savepoint too */
                return rc < 0 ? rc : -PROTOCOL_ERR_INTERNAL;
        }
        db_rc = db_release(desk->db);
        return db_rc < 0 ? desk_db_failed(desk, db_rc) : 0;
}

static int run_handler(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        if (command->is_http && command->opening) {
                int admitted = opening_admit(desk, command);
                if (admitted < 0)
                        return admitted;
        }
        if (command->caller.role == ROLE_CUSTOMER && claim_is_alias(desk, command->caller.principal, 0))
                return -PROTOCOL_ERR_REVOKED; /* its connection was told to go; here is what was on the way */
        if (command->method == PROTOCOL_M_MESSAGE_SEND) /* writes its whole answer: the hot path */
                return handle_message_send(desk, command, out, fault);
        frame_result_begin(out, &command->id);
        int rc = protocol_methods[command->method].keyed == PROTOCOL_KEYED_DONE
                         ? run_remembered(desk, command, out, fault)
                         : handlers[command->method](desk, command, out, fault);
        frame_end(out);
        return rc;
}

/* Of a session that was opened in a batch that is not kept, or whose answer could not be written. */
static void forget_opening(struct desk *desk, struct edge_ref ref)
{
        struct desk_session *session = sessions_find(desk, ref);
        if (!session)
                return;
        for (struct desk_session *other = session->who->sessions; other; other = other->sibling)
                if (memcmp(other->device, session->device, sizeof other->device) == 0)
                        other->is_replaced = false;
        sessions_remove(desk, ref);
}

static void refuse_method(struct desk *desk, struct desk_command *command, int rc, const struct fault *fault,
                          struct writer *out)
{
        if (desk->answer.kind != NOTE_REFUSED)
                desk->answer.kind = NOTE_REPLY; /* whatever the handler had begun */
        if (command->method == PROTOCOL_M_SESSION_OPEN)
                forget_opening(desk, command->from);
        if (command->from.generation != 0 && desk->answer.kind != NOTE_REFUSED) /* that the connection's thread says */
                denied_say(protocol_methods[command->method].name, -rc,
                           command->caller.principal > 0
                                   ? directory_author(desk->directory, command->caller.principal)
                                   : (struct principal_id){ 0 },
                           (struct span){ 0 });
        write_refusal(desk, command, rc, fault, out);
}

static bool is_quiet(const struct desk_command *command)
{
        if (command->kind == COMMAND_OUTBOUND)
                return false;
        return command->kind != COMMAND_METHOD || command->method == PROTOCOL_M_MARKS ||
               command->method == PROTOCOL_M_TYPING;
}

static void run_method(struct desk *desk, struct desk_command *command, struct writer *out)
{
        struct fault fault = { 0 };
        out->len = 0;
        out->failed = false;
        answer_reset(desk);
        int rc = handlers[command->method] ? run_handler(desk, command, out, &fault) : -PROTOCOL_ERR_UNKNOWN_METHOD;
        if (desk->db_failure != 0)
                return; /* the whole batch will be refused */
        if (rc == 0 && out->failed)
                rc = -PROTOCOL_ERR_INTERNAL;
        if (rc < 0)
                refuse_method(desk, command, rc, &fault, out);
        if (out->failed)
                return; /* no memory even for that: unknown to the client, who asks again (A3) */
        if (command->done) { /* the operator hears of it after the commit, like everybody */
                char *copy = arena_take(&command->arena, out->len);
                if (copy)
                        memcpy(copy, out->bytes, out->len);
                command->stored = (struct span){ copy, copy ? out->len : 0 };
                return;
        }
        answer_bytes(desk, command, (struct span){ out->bytes, out->len });
}

static void drain(struct desk *desk)
{
        for (uint32_t i = 0; i < desk->sink_count; i++) {
                struct desk_note *note = note_new(NOTE_DRAIN, (struct edge_ref){ 0 }, (struct span){ 0 });
                if (!note)
                        continue;
                note->close_code = PROTOCOL_CLOSE_DRAIN;
                desk_leave(desk, i, note);
        }
}

static void run_command(struct desk *desk, struct desk_command *command, struct writer *out)
{
        switch (command->kind) {
        case COMMAND_CLOSED:
                sessions_remove(desk, command->from);
                break;
        case COMMAND_DRAIN:
                drain(desk);
                break;
        case COMMAND_OUTBOUND:
                outbound_settle(desk, command->params, command->result_count);
                break;
        case COMMAND_METHOD:
                run_method(desk, command, out);
                break;
        }
}

/* ---- one batch ---- */

static void leave_now(struct desk *desk)
{
        for (uint32_t i = 0; i < desk->sink_count; i++) {
                struct mailbox_item *item = desk->leaving[i].first;
                struct mailbox_list list = desk->leaving[i];
                desk->leaving[i] = (struct mailbox_list){ 0 };
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
                desk->leaving[i] = (struct mailbox_list){ 0 };
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
        desk->batch = (struct mailbox_list){ 0 };
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
        free_batch(desk);
}

/* Nothing of the batch happened: refuse every caller, forget what memory thought (A2). */
static void batch_refused(struct desk *desk, int db_rc)
{
        forget_leaving(desk);
        cache_rolled_back(desk);
        jobs_rolled_back(desk);
        webhooks_rolled_back(desk);
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
                        drain(desk); /* was forgotten with the rest, and needs no store */
                if (command->kind != COMMAND_METHOD)
                        continue;
                if (command->method == PROTOCOL_M_SESSION_OPEN)
                        forget_opening(desk, command->from);
                answer_reset(desk);
                write_refusal(desk, command, full ? -PROTOCOL_ERR_STORAGE_FULL : -PROTOCOL_ERR_INTERNAL, NULL, &out);
                answer_bytes(desk, command, (struct span){ out.bytes, out.len });
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
                command_of(item)->stored =
                        SPAN("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":23,\"message\":\"the outcome is unknown\","
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
                if (rc >= 0)
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
        return atomic_load_explicit(&desk->is_read_only, memory_order_relaxed) && clock_mono_ms() < desk->retry_write_ms;
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

/* While there is no space: everything that would write is refused at once. */
static void refuse_full(struct desk *desk, struct desk_command *command, struct writer *out)
{
        answer_reset(desk);
        write_refusal(desk, command, -PROTOCOL_ERR_STORAGE_FULL, NULL, out);
        answer_bytes(desk, command, (struct span){ out->bytes, out->len });
}

static void run_batch(struct desk *desk)
{
        struct writer out;
        char first[4096];
        writer_init(&out, first, sizeof first);
        uint64_t start_ms = clock_mono_ms();
        desk->now_ms = clock_wall_ms();
        struct desk_command *command;
        while (desk->batch.count < BATCH_COMMANDS && desk->batch.bytes < BATCH_BYTES && (command = next_command(desk))) {
                if (is_alone(command) && desk->is_in_transaction) { /* after this batch */
                        command->item.next = desk->pending;
                        desk->pending = &command->item;
                        break;
                }
                mailbox_list_add(&desk->batch, &command->item, command->bytes);
                if (is_quiet(command) || is_alone(command)) {
                        run_command(desk, command, &out);
                } else if (refuses_writes(desk)) {
                        refuse_full(desk, command, &out);
                } else if (batch_begin(desk)) {
                        run_command(desk, command, &out);
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
        jobs_look_at_clock(desk);
        batch_end(desk);
        writer_done(&out);
}

static void drop_pending(struct desk *desk)
{
        struct desk_command *command;
        while ((command = next_command(desk)) != NULL) {
                if (command->done)
                        command->done(command->done_data,
                                      SPAN("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":13,\"message\":\"the server is "
                                           "stopping\",\"data\":{\"tag\":\"unavailable\",\"class\":\"retry\","
                                           "\"retry_after_ms\":1000}}}"));
                command_free(command);
        }
}

/* A flush that fails here is as bad as one in a commit (A2). */
static void move_log(struct desk *desk, bool idle)
{
        if (db_checkpoint(desk->db, idle) == DB_UNKNOWN)
                batch_unknown(desk);
}

/* Waits for commands or for what is due. The log is moved into the file when it is long, or when nothing has come for a
 * while: a pause between two messages is not idleness. */
static void wait_for_work(struct desk *desk)
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
        run_batch(desk);
        if (desk->has_ended)
                return;
        marks_commit(desk);
        feed_commit(desk);
        leave_now(desk);
}

static void *desk_main(void *data)
{
        struct desk *desk = data;
        while (!atomic_load_explicit(&desk->is_stopping, memory_order_acquire) || desk->pending ||
               mailbox_count(&desk->in) > 0) {
                if (!desk->pending)
                        wait_for_work(desk);
                if (desk->has_ended)
                        break;
                size_t queued = mailbox_count(&desk->in);
                atomic_store_explicit(&desk->is_crowded, queued > CROWDED_ITEMS, memory_order_relaxed);
                desk_turn(desk);
                if (desk->has_ended)
                        break;
        }
        return NULL;
}

/* ---- life ---- */

static int open_failed(struct desk *desk, int rc)
{
        desk_close(desk);
        return rc;
}

static int load_epoch(struct desk *desk, char **out_why)
{
        int rc = meta_get_blob(desk->db, "epoch", desk->epoch, sizeof desk->epoch);
        bool is_new = rc == DB_OK;
        if (rc < 0)
                return rc;
        if (!is_new && (rc = meta_get_int(desk->db, "rev", &desk->rev)) < 0)
                return rc;
        uint8_t marked_epoch[8];
        int64_t marked_rev = 0;
        bool has_mark = mark_read(desk->data_dir, marked_epoch, &marked_rev) == 0;
        /* A mark of another epoch: this is not the store that was served here last. */
        bool is_behind = has_mark && !is_new &&
                         (memcmp(marked_epoch, desk->epoch, 8) != 0 || desk->rev < marked_rev);
        if (!is_new && !is_behind)
                return DB_OK;
        if (is_behind)
                log_warn(&desk->log, "the store is older than its mark: it was copied back; new epoch", "rev", desk->rev,
                         "mark", marked_rev);
        random_bytes(desk->epoch, sizeof desk->epoch);
        if ((rc = db_begin(desk->db)) < 0 || (rc = meta_put_blob(desk->db, "epoch", desk->epoch, 8)) < 0 ||
            (rc = meta_put_int(desk->db, "rev", desk->rev)) < 0 || (rc = db_commit(desk->db)) < 0) {
                if (asprintf(out_why, "%s/deskbell.db: cannot write the epoch: %s", desk->data_dir,
                             db_message(desk->db)) < 0)
                        *out_why = NULL;
                return rc;
        }
        return DB_OK;
}

static int load_workspace(struct desk *desk)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_WORKSPACE_FIRST);
        int rc = db_step(stmt);
        if (rc == DB_ROW) {
                desk->workspace = db_int(stmt, 0);
                desk->workspace_ext = (uint64_t)db_int(stmt, 1);
                db_reset(stmt);
                return DB_OK;
        }
        if (rc < 0)
                return rc;
        desk->now_ms = clock_wall_ms();
        if ((rc = db_begin(desk->db)) < 0)
                return rc;
        stmt = db_stmt(desk->db, SQL_WORKSPACE_INSERT);
        desk->workspace_ext = desk_new_id(desk);
        db_bind_int(stmt, 1, (int64_t)desk->workspace_ext);
        db_bind_text(stmt, 2, SPAN("Main"));
        db_bind_int(stmt, 3, desk->now_ms);
        if ((rc = db_run(stmt)) < 0)
                return rc;
        desk->workspace = db_last_id(desk->db);
        return db_commit(desk->db);
}

static int open_store(struct desk *desk, bool create, char **out_why)
{
        char *path = NULL;
        if (asprintf(&path, "%s/deskbell.db", desk->data_dir) < 0)
                return DB_NOMEM;
        struct stat probe;
        bool is_there = stat(path, &probe) == 0;
        int rc = DB_IO;
        if (!is_there && !create) {
                if (asprintf(out_why, "%s: %s (deskbell init makes a store)", path, strerror(errno)) < 0)
                        *out_why = NULL;
        } else if (is_there && probe.st_size == 0 && !create) { /* never a store: it would come up without apps and keys */
                rc = DB_DAMAGED;
                if (asprintf(out_why, "%s: the file is empty; put a backup in its place with deskbell restore", path) < 0)
                        *out_why = NULL;
        } else {
                rc = db_open(desk->settings.driver, path, DB_WRITER, &desk->db, out_why);
                if (rc == DB_OK)
                        rc = db_migrate(desk->db, out_why);
        }
        free(path);
        return rc;
}

int desk_open(const struct desk_settings *settings, bool create, struct desk **out_desk, char **out_why)
{
        *out_why = NULL;
        struct desk *desk = calloc(1, sizeof *desk);
        if (!desk)
                return DB_NOMEM;
        desk->settings = *settings;
        if (!settings->driver)
                desk->settings.driver = &db_sqlite;
        desk->log.area = "desk";
        desk->changed_last = &desk->changed_first;
        desk->feed_last = &desk->feed_first;
        mailbox_init(&desk->in, QUEUE_ITEMS, QUEUE_BYTES, NULL, NULL);
        pthread_mutex_init(&desk->keyring_lock, NULL);
        desk->data_dir = strdup(settings->data_dir);
        desk->http_tokens = http_tokens_new();
        desk->indexer = desk->data_dir ? indexer_new(desk) : NULL;
        if (!desk->indexer || !desk->http_tokens || cache_init(&desk->cache) < 0 ||
            sessions_init(&desk->sessions) < 0)
                return open_failed(desk, DB_NOMEM);
        int rc = open_store(desk, create, out_why);
        if (rc < 0)
                return open_failed(desk, rc);
        desk->directory = directory_new(desk->db);
        if (!desk->directory)
                return open_failed(desk, DB_NOMEM);
        if ((rc = load_epoch(desk, out_why)) < 0 || (rc = load_workspace(desk)) < 0 ||
            (rc = jobs_open(desk)) < 0 || (rc = webhooks_load(desk)) < 0)
                return open_failed(desk, rc);
        atomic_init(&desk->committed_rev, desk->rev);
        desk->keyring = keyring_load(desk->db, out_why);
        atomic_init(&desk->keyring_version, 1);
        if (!desk->keyring)
                return open_failed(desk, DB_DAMAGED);
        *out_desk = desk;
        return DB_OK;
}

struct desk *desk_close(struct desk *desk)
{
        if (!desk)
                return NULL;
        drop_pending(desk);
        forget_leaving(desk);
        free_batch(desk);
        readers_free(desk);
        indexer_free(desk->indexer);
        crypto_free(desk);
        if (desk->directory && desk->keyring)
                mark_write(desk->data_dir, desk->epoch, atomic_load(&desk->committed_rev));
        care_done(desk);
        keyring_unref(desk->keyring);
        http_tokens_free(desk->http_tokens);
        sessions_done(&desk->sessions);
        directory_free(desk->directory);
        cache_done(&desk->cache);
        webhooks_done(desk);
        db_close(desk->db);
        mailbox_done(&desk->in);
        pthread_mutex_destroy(&desk->keyring_lock);
        free(desk->data_dir);
        free(desk);
        return NULL;
}

void desk_add_sink(struct desk *desk, uint32_t thread, struct mailbox *notes)
{
        desk->sinks[thread] = notes;
        if (thread >= desk->sink_count)
                desk->sink_count = thread + 1;
}

int desk_start(struct desk *desk, void (*on_fatal)(void *data), void *data)
{
        desk->on_fatal = on_fatal;
        desk->fatal_data = data;
        int rc = readers_start(desk);
        if (rc < 0)
                return rc;
        if ((rc = crypto_start(desk)) < 0) {
                readers_stop(desk);
                return rc;
        }
        if ((rc = indexer_start(desk->indexer)) < 0 || pthread_create(&desk->thread, NULL, desk_main, desk) != 0) {
                indexer_stop(desk->indexer);
                crypto_stop(desk);
                readers_stop(desk);
                return DB_NOMEM;
        }
        desk->is_running = true;
        return DB_OK;
}

void desk_stop(struct desk *desk)
{
        if (!desk->is_running)
                return;
        crypto_stop(desk);
        readers_stop(desk);
        atomic_store_explicit(&desk->is_stopping, true, memory_order_release);
        mailbox_close(&desk->in);
        pthread_join(desk->thread, NULL);
        indexer_stop(desk->indexer);
        desk->is_running = false;
}

/* ---- from other threads ---- */

int desk_post(struct desk *desk, struct desk_command *command)
{
        int rc = command->kind == COMMAND_METHOD ? mailbox_push(&desk->in, &command->item, command->bytes)
                                                 : mailbox_force(&desk->in, &command->item, command->bytes);
        return rc < 0 ? -PROTOCOL_ERR_OVERLOADED : 0;
}

int desk_post_read(struct desk *desk, struct desk_command *command)
{
        return readers_post(desk, command) < 0 ? -PROTOCOL_ERR_OVERLOADED : 0;
}

void desk_post_drain(struct desk *desk)
{
        struct desk_command *command = command_new(COMMAND_DRAIN, 0);
        if (command && desk_post(desk, command) < 0)
                command_free(command);
}

bool desk_is_crowded(const struct desk *desk)
{
        return atomic_load_explicit(&desk->is_crowded, memory_order_relaxed);
}

int64_t desk_rev(const struct desk *desk)
{
        return atomic_load_explicit(&desk->committed_rev, memory_order_acquire);
}

void desk_epoch(const struct desk *desk, uint8_t out_epoch[8])
{
        memcpy(out_epoch, desk->epoch, sizeof desk->epoch);
}

bool desk_is_clock_suspect(const struct desk *desk)
{
        return atomic_load_explicit(&desk->is_clock_suspect, memory_order_relaxed);
}

bool desk_is_read_only(const struct desk *desk)
{
        return atomic_load_explicit(&desk->is_read_only, memory_order_relaxed);
}

struct keyring *desk_keyring(struct desk *desk)
{
        pthread_mutex_lock(&desk->keyring_lock);
        struct keyring *keyring = keyring_ref(desk->keyring);
        pthread_mutex_unlock(&desk->keyring_lock);
        return keyring;
}

struct http_tokens *desk_http_tokens(struct desk *desk)
{
        return desk->http_tokens;
}

uint64_t desk_keyring_version(const struct desk *desk)
{
        return atomic_load_explicit(&desk->keyring_version, memory_order_acquire);
}

void desk_stats_read(const struct desk *desk, struct desk_stats *out_stats)
{
        *out_stats = (struct desk_stats){
                .batches = atomic_load_explicit(&desk->batches, memory_order_relaxed),
                .commands = atomic_load_explicit(&desk->commands, memory_order_relaxed),
                .messages = atomic_load_explicit(&desk->messages, memory_order_relaxed),
                .duplicates = atomic_load_explicit(&desk->duplicates, memory_order_relaxed),
                .commit_failures = atomic_load_explicit(&desk->commit_failures, memory_order_relaxed),
                .commit_us = atomic_load_explicit(&desk->commit_us, memory_order_relaxed),
                .queued = mailbox_count(&desk->in),
        };
}

/* ---- the operator ---- */

static int operator_command(struct span method, char *params, size_t len, struct desk_command **out_command,
                            struct writer *refusal)
{
        static const struct request_id one = { 1, "1" };
        struct fault fault = { 0 };
        int id = protocol_method_find(method);
        int rc = -PROTOCOL_ERR_UNKNOWN_METHOD;
        if (id >= 0 && (protocol_methods[id].who & PROTOCOL_WHO_OPERATOR))
                rc = command_decode((enum protocol_method)id, &one, (struct span){ params, len }, ROLE_OPERATOR,
                                    out_command, &fault);
        if (rc < 0) {
                int64_t retry_ms = protocol_error_info((enum protocol_error)-rc)->permanent ? -1 : 1000;
                frame_error(refusal, &one, (enum protocol_error)-rc, retry_ms, &fault);
                return rc;
        }
        (*out_command)->caller = (struct caller){ .role = ROLE_OPERATOR };
        return 0;
}

struct called {
        struct writer *out;
        bool is_error;
};

static void keep_response(void *data, struct span response)
{
        struct called *called = data;
        writer_raw(called->out, response);
        struct span good = SPAN("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":");
        called->is_error = response.len < good.len || memcmp(response.at, good.at, good.len) != 0;
}

int desk_call(struct desk *desk, struct span method, char *params, size_t len, struct writer *out)
{
        struct desk_command *command = NULL;
        if (operator_command(method, params, len, &command, out) < 0)
                return 1;
        struct called called = { out, false };
        command->caller.workspace = desk->workspace;
        command->done = keep_response;
        command->done_data = &called;
        command->item.next = NULL;
        desk->pending = &command->item;
        run_batch(desk);
        return called.is_error;
}

int desk_post_operator(struct desk *desk, struct span method, char *params, size_t len,
                       void (*done)(void *data, struct span response), void *data)
{
        struct desk_command *command = NULL;
        struct writer refusal;
        writer_init(&refusal, NULL, 0);
        if (operator_command(method, params, len, &command, &refusal) < 0) {
                done(data, (struct span){ refusal.bytes, refusal.len });
                writer_done(&refusal);
                return 0;
        }
        writer_done(&refusal);
        command->caller.workspace = desk->workspace;
        command->done = done;
        command->done_data = data;
        int rc = desk_post(desk, command);
        if (rc < 0) {
                command->done = NULL;
                command_free(command);
        }
        return rc;
}
