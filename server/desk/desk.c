/* SPDX-License-Identifier: Apache-2.0 */
/* The desk's life: opening its store, its threads, and what other threads may ask of it. What it does in a turn is in
 * batch.c. */
#include "desk/desk_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "desk/bot_builder.h"
#include "desk/bot_relearn.h"
#include "desk/bot_thread.h"
#include "desk/indexer.h"
#include "ops/mark.h"

enum { QUEUE_ITEMS = 200000, QUEUE_BYTES = 32 * 1024 * 1024, CROWDED_ITEMS = 20000 };

static void *desk_main(void *data)
{
        struct desk *desk = data;
        while (!atomic_load_explicit(&desk->is_stopping, memory_order_acquire) || desk->pending ||
               mailbox_count(&desk->in) > 0) {
                if (!desk->pending)
                        batch_wait(desk);
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
        bool is_behind = has_mark && !is_new && (memcmp(marked_epoch, desk->epoch, 8) != 0 || desk->rev < marked_rev);
        if (!is_new && !is_behind)
                return DB_OK;
        if (is_behind)
                log_warn(&desk->log, "the store is older than its mark: it was copied back; new epoch", "rev",
                         desk->rev, "mark", marked_rev);
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

static void keep_first(void *data, const char *finding)
{
        char **first = data;
        if (!*first)
                *first = strdup(finding);
}

/* The last writer did not end in order: a disk that lies is noticed before anybody is served from it. */
static int check_after_crash(struct desk *desk, const char *path, int64_t bytes, char **out_why)
{
        if (!db_was_left_open(desk->db) || desk->settings.quick_check_mb == 0)
                return DB_OK;
        if (bytes >> 20 >= desk->settings.quick_check_mb) {
                log_warn(&desk->log, "unclean end, and the store is too large for a check now: run deskbell check",
                         "mb", bytes >> 20, "quick_check_mb", desk->settings.quick_check_mb);
                return DB_OK;
        }
        char *first = NULL;
        uint64_t start_ms = clock_mono_ms();
        int found = db_quick_check(desk->db, keep_first, &first);
        log_info(&desk->log, "unclean end; the store was checked", "findings", found, "mb", bytes >> 20, "ms",
                 clock_mono_ms() - start_ms);
        if (found > 0 &&
            asprintf(out_why, "%s is damaged: %s (deskbell check says more, deskbell restore takes a backup)", path,
                     first ? first : "") < 0)
                *out_why = NULL;
        free(first);
        return found > 0 ? DB_DAMAGED : found;
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
        } else if (is_there && probe.st_size == 0 &&
                   !create) { /* never a store: it would come up without apps and keys */
                rc = DB_DAMAGED;
                if (asprintf(out_why, "%s: the file is empty; put a backup in its place with deskbell restore", path) <
                    0)
                        *out_why = NULL;
        } else {
                rc = db_open(desk->settings.driver, path, DB_WRITER, &desk->db, out_why);
                if (rc == DB_OK)
                        rc = check_after_crash(desk, path, is_there ? probe.st_size : 0, out_why);
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
            sessions_init(&desk->sessions) < 0 || attendance_init(&desk->attendance) < 0)
                return open_failed(desk, DB_NOMEM);
        int rc = open_store(desk, create, out_why);
        if (rc < 0)
                return open_failed(desk, rc);
        desk->directory = directory_new(desk->db);
        if (!desk->directory)
                return open_failed(desk, DB_NOMEM);
        if ((rc = load_epoch(desk, out_why)) < 0 || (rc = load_workspace(desk)) < 0 || (rc = jobs_open(desk)) < 0 ||
            (rc = webhooks_load(desk)) < 0 || (rc = bots_load(desk)) < 0 || (rc = hours_init(desk)) < 0 ||
            (rc = people_load(desk)) < 0 || (rc = customers_load(desk)) < 0 || (rc = routing_init(desk)) < 0 ||
            (rc = tickets_init(desk)) < 0 || (rc = views_init(desk)) < 0 || (rc = surveys_init(desk)) < 0 ||
            (rc = recovery_init(desk)) < 0 || (rc = reports_init(desk)) < 0 || (rc = bot_turns_init(desk)) < 0 ||
            (rc = bot_relearn_init(desk)) < 0 || (rc = uploads_open(desk, out_why)) < 0)
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
        batch_drop(desk);
        readers_free(desk);
        indexer_free(desk->indexer);
        crypto_free(desk);
        bot_builder_free(desk);
        bot_thread_free(desk);
        if (desk->directory && desk->keyring)
                mark_write(desk->data_dir, desk->epoch, atomic_load(&desk->committed_rev));
        care_done(desk);
        keyring_unref(desk->keyring);
        http_tokens_free(desk->http_tokens);
        sessions_done(&desk->sessions);
        attendance_done(&desk->attendance);
        directory_free(desk->directory);
        cache_done(&desk->cache);
        webhooks_done(desk);
        bot_turns_done(desk);
        bot_relearn_done(desk);
        bots_done(desk);
        reports_done(desk);
        recovery_done(desk);
        surveys_done(desk);
        customers_done(desk);
        work_done(desk);
        views_done(desk);
        rules_done(desk);
        tickets_done(desk);
        routing_done(desk);
        people_done(desk); /* seats of routing are its agents */
        hours_done(desk);
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
        if ((rc = crypto_start(desk)) < 0 || (rc = bot_builder_start(desk)) < 0 || (rc = bot_thread_start(desk)) < 0 ||
            (rc = bot_relearn_recover(desk)) < 0 || (rc = bot_turns_recover(desk)) < 0) {
                bot_thread_stop(desk);
                bot_builder_stop(desk);
                crypto_stop(desk);
                readers_stop(desk);
                return rc;
        }
        if (indexer_start(desk->indexer) < 0 || pthread_create(&desk->thread, NULL, desk_main, desk) != 0) {
                indexer_stop(desk->indexer);
                bot_thread_stop(desk);
                bot_builder_stop(desk);
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
        bot_thread_stop(desk);
        bot_builder_stop(desk);
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
                .bot_turns = atomic_load_explicit(&desk->bot_turns_taken, memory_order_relaxed),
                .bot_failures = atomic_load_explicit(&desk->bot_turns_failed, memory_order_relaxed),
                .bot_posts = atomic_load_explicit(&desk->bot_posts, memory_order_relaxed),
                .bot_posts_failed = atomic_load_explicit(&desk->bot_posts_failed, memory_order_relaxed),
                .bot_circuits = atomic_load_explicit(&desk->bot_circuits, memory_order_relaxed),
                .queued = mailbox_count(&desk->in),
        };
}
