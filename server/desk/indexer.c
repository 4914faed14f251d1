/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/indexer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "desk/desk_private.h"
#include "protocol/planted.h"
#include "store/search.h"

enum {
        LOOK_EVERY_MS = 250,
        TROUBLE_MS = 5000,
        PUTS_A_TURN = 400,
        CONVERSATIONS_A_TURN = 64,
        ENTRIES_AT_ONCE = 200,
        CLEAN_AFTER_MS = 20 * 60 * 1000, /* within the hour of an erasure its words are gone from the file */
        NICE = 10,
};

struct indexer {
        struct desk *desk;
        struct log log;
        char *path;
        struct db *store;
        struct search *search;
        int64_t rev, audit;     /* up to where the index has followed */
        int64_t unclean_ms;     /* since when words that were removed are in the file; 0 = there are none */
        int64_t removed;        /* of search_removed, when it was last looked at */
        int puts;               /* of the running turn: new messages alone, for only they move the next turn on */
        bool is_store_at_fault; /* the error of this turn is the store's, not the index's */
        bool is_known;          /* rev, audit and unclean_ms are those of the open index */
        _Atomic int64_t shown_rev, settled_rev, wanted_rev;
        _Atomic uint64_t generation;
        atomic_bool wants_rebuild;
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t moved;
        bool is_running, is_stopping, is_kicked; /* the last two: under the lock */
};

struct followed {
        int64_t rev, id, workspace, app, customer;
};

static int store_failed(struct indexer *indexer, int rc)
{
        indexer->is_store_at_fault = true;
        return rc;
}

/* ---- one entry ---- */

static struct search_entry entry_at(const struct followed *conversation, enum entry_log log, int64_t scopes[3])
{
        struct search_entry entry = {.conv = conversation->id, .log = log, .scopes = scopes};
        scopes[entry.scope_count++] = scope_of_workspace(conversation->workspace);
        scopes[entry.scope_count++] = scope_of_app(conversation->app);
        if (log == LOG_PUBLIC)
                scopes[entry.scope_count++] = scope_of_customer(conversation->customer);
        return entry;
}

static bool is_message(const struct entry_row *row)
{
        const struct protocol_entry_info *info = protocol_entry_info((enum protocol_entry_kind)row->kind);
        return info && info->unread && row->kind != PROTOCOL_ENTRY_ERASED;
}

static int decode(struct arena *arena, struct span body, struct protocol_content *out_content)
{
        memset(out_content, 0, sizeof *out_content);
        char *copy = body.at ? arena_take(arena, body.len) : NULL;
        if (!copy)
                return body.at ? DB_NOMEM : DB_OK;
        memcpy(copy, body.at, body.len);
        struct reader reader;
        struct fault ignored = {0};
        reader_init(&reader, copy, body.len, READER_TOLERANT, arena, &ignored);
        if (protocol_content_read(&reader, out_content) < 0)
                memset(out_content, 0, sizeof *out_content); /* what cannot be read cannot be found */
        return DB_OK;
}

static int put_message(struct indexer *indexer, const struct followed *conversation, enum entry_log log,
                       const struct entry_row *row, const struct protocol_content *content)
{
        int64_t scopes[3];
        struct search_entry entry = entry_at(conversation, log, scopes);
        struct span text = content->has_text ? content->text : content->fallback_text;
        entry.seq = row->seq;
        entry.ts = row->ts;
        entry.text = text.at ? text : SPAN("");
        return search_put(indexer->search, &entry);
}

/* A message that was edited or erased, as it stands now. */
static int index_again(struct indexer *indexer, const struct followed *conversation, enum entry_log log, int64_t of)
{
        if (PLANTED("erased_text_in_search"))
                return DB_OK;
        struct entry_row row;
        struct db_stmt *stmt;
        int rc = entries_get(indexer->store, conversation->id, log, of, &row, &stmt);
        if (rc < 0)
                return store_failed(indexer, rc);
        if (rc == DB_OK || !is_message(&row)) {
                if (rc == DB_ROW)
                        db_reset(stmt);
                return search_remove(indexer->search, conversation->id, log, of);
        }
        struct arena arena;
        char first[4096];
        struct protocol_content content;
        arena_init(&arena, first, sizeof first);
        rc = decode(&arena, row.body, &content);
        if (rc == DB_OK)
                rc = put_message(indexer, conversation, log, &row, &content);
        db_reset(stmt);
        arena_done(&arena);
        return rc;
}

static int index_entry(struct indexer *indexer, const struct followed *conversation, enum entry_log log,
                       const struct entry_row *row)
{
        bool is_about = row->kind == PROTOCOL_ENTRY_EDIT || row->kind == PROTOCOL_ENTRY_ERASE;
        if (!is_about && !is_message(row))
                return DB_OK;
        struct arena arena;
        char first[4096];
        struct protocol_content content;
        arena_init(&arena, first, sizeof first);
        int rc = decode(&arena, row->body, &content);
        if (rc == DB_OK && is_about)
                rc = content.has_of ? index_again(indexer, conversation, log, content.of) : DB_OK;
        else if (rc == DB_OK)
                rc = put_message(indexer, conversation, log, row, &content);
        indexer->puts += !is_about;
        arena_done(&arena);
        return rc;
}

/* ---- one conversation ---- */

/* Entries above `after`, at most ENTRIES_AT_ONCE. Moves *after; returns how many, or a negative db_error. */
static int index_page(struct indexer *indexer, const struct followed *conversation, enum entry_log log, int64_t *after)
{
        struct db_stmt *stmt = db_stmt(indexer->store, SQL_ENTRIES_AFTER);
        db_bind_int(stmt, 1, conversation->id);
        db_bind_int(stmt, 2, log);
        db_bind_int(stmt, 3, *after);
        db_bind_int(stmt, 4, ENTRIES_AT_ONCE);
        for (int count = 0;; count++) {
                struct entry_row row;
                int rc = db_step(stmt);
                if (rc != DB_ROW)
                        return rc < 0 ? store_failed(indexer, rc) : count;
                entries_read_row(stmt, &row);
                rc = index_entry(indexer, conversation, log, &row);
                if (rc < 0) {
                        db_reset(stmt);
                        return rc;
                }
                *after = row.seq;
        }
}

/* Every message that is there has its row in the index once it was looked at; so what lies above the highest row is
 * what has not been looked at, or is no message. 1: the turn is full, 0: all of the log is in. */
static int index_log(struct indexer *indexer, const struct followed *conversation, enum entry_log log)
{
        int64_t scopes[3], after = 0;
        struct search_entry probe = entry_at(conversation, log, scopes);
        bool is_same = true;
        int rc = search_newest(indexer->search, &probe, &after, &is_same);
        if (rc == DB_OK && !is_same) { /* it has another customer by now */
                after = 0;
                rc = search_forget(indexer->search, conversation->id);
        }
        int count = ENTRIES_AT_ONCE;
        while (rc == DB_OK && count == ENTRIES_AT_ONCE) {
                if (indexer->puts >= PUTS_A_TURN)
                        return 1;
                count = index_page(indexer, conversation, log, &after);
                rc = count < 0 ? count : DB_OK;
        }
        return rc;
}

static int index_conversation(struct indexer *indexer, const struct followed *conversation)
{
        int rc = index_log(indexer, conversation, LOG_PUBLIC);
        return rc == DB_OK ? index_log(indexer, conversation, LOG_TEAM) : rc;
}

/* ---- following ---- */

static int read_followed(struct indexer *indexer, enum sql_id id, int64_t subject, int64_t above, struct followed *out)
{
        struct db_stmt *stmt = db_stmt(indexer->store, id);
        db_bind_int(stmt, 1, subject);
        db_bind_int(stmt, 2, above);
        db_bind_int(stmt, 3, CONVERSATIONS_A_TURN);
        int count = 0, rc;
        while ((rc = db_step(stmt)) == DB_ROW && count < CONVERSATIONS_A_TURN)
                out[count++] = (struct followed){db_int(stmt, 0), db_int(stmt, 1), db_int(stmt, 2), db_int(stmt, 3),
                                                 db_int(stmt, 4)};
        db_reset(stmt);
        return rc < 0 ? store_failed(indexer, rc) : count;
}

/* All conversations of an erased person: nothing of them stays but what was said afterwards. */
static int forget_person(struct indexer *indexer, struct span who)
{
        struct principal_id id;
        struct principal_row row;
        if (principal_read(who, &id) < 0 || id.role != ROLE_CUSTOMER)
                return DB_OK;
        int rc = principals_load_ext(indexer->store, id.id, &row);
        if (rc != DB_ROW)
                return rc < 0 ? store_failed(indexer, rc) : DB_OK;
        int64_t above = 0;
        for (int count = CONVERSATIONS_A_TURN; count == CONVERSATIONS_A_TURN;) {
                struct followed found[CONVERSATIONS_A_TURN];
                count = read_followed(indexer, SQL_SEARCH_OF_CUSTOMER, row.id, above, found);
                for (int i = 0; i < count && rc >= 0; i++) {
                        above = found[i].id;
                        rc = search_forget(indexer->search, found[i].id);
                        for (int more = 1; rc >= 0 && more > 0;) {
                                indexer->puts = 0;
                                more = index_conversation(indexer, &found[i]);
                                rc = more < 0 ? more : rc;
                        }
                }
                if (count < 0 || rc < 0)
                        return count < 0 ? count : rc;
        }
        return DB_OK;
}

/* The erasures of persons leave no entry; they stand in the audit trail. 1: there may be more. */
static int follow_erasures(struct indexer *indexer)
{
        char object[ID_TEXT_BYTES * 2];
        struct db_stmt *stmt = db_stmt(indexer->store, SQL_SEARCH_ERASURES);
        db_bind_int(stmt, 1, indexer->audit);
        db_bind_text(stmt, 2, SPAN("customer.erase"));
        int rc = db_step(stmt);
        if (rc < 0)
                return store_failed(indexer, rc);
        if (rc == DB_ROW) {
                struct span who = db_text(stmt, 1);
                size_t len = who.len < sizeof object ? who.len : sizeof object;
                memcpy(object, who.at ? who.at : "", len);
                indexer->audit = db_int(stmt, 0);
                db_reset(stmt);
                rc = PLANTED("erased_text_in_search") ? DB_OK : forget_person(indexer, (struct span){object, len});
                return rc < 0 ? rc : 1;
        }
        stmt = db_stmt(indexer->store, SQL_SEARCH_AUDIT_LAST);
        rc = db_step(stmt);
        if (rc == DB_ROW)
                indexer->audit = db_int(stmt, 0);
        db_reset(stmt);
        return rc < 0 ? store_failed(indexer, rc) : 0;
}

/* 1: there is more. */
static int follow_changes(struct indexer *indexer, int64_t store_rev)
{
        struct followed changed[CONVERSATIONS_A_TURN];
        int count = read_followed(indexer, SQL_SEARCH_CHANGED, scope_of_workspace(indexer->desk->workspace),
                                  indexer->rev, changed);
        if (count < 0)
                return count;
        for (int i = 0; i < count; i++) {
                int rc = index_conversation(indexer, &changed[i]);
                if (rc != DB_OK)
                        return rc;
                indexer->rev = changed[i].rev;
        }
        if (count == CONVERSATIONS_A_TURN)
                return 1;
        indexer->rev = store_rev;
        return 0;
}

/* ---- marks ---- */

static int64_t epoch_of(const struct desk *desk)
{
        int64_t epoch;
        memcpy(&epoch, desk->epoch, sizeof epoch);
        return epoch;
}

static int read_marks(struct indexer *indexer, int64_t *out_epoch)
{
        indexer->rev = indexer->audit = indexer->unclean_ms = *out_epoch = 0;
        int rc = search_mark_get(indexer->search, "epoch", out_epoch);
        if (rc >= 0)
                rc = search_mark_get(indexer->search, "rev", &indexer->rev);
        if (rc >= 0)
                rc = search_mark_get(indexer->search, "audit", &indexer->audit);
        if (rc >= 0)
                rc = search_mark_get(indexer->search, "unclean_ms", &indexer->unclean_ms);
        return rc < 0 ? rc : DB_OK;
}

static int write_marks(struct indexer *indexer)
{
        int64_t removed = search_removed(indexer->search);
        if (removed != indexer->removed && indexer->unclean_ms == 0)
                indexer->unclean_ms = clock_wall_ms();
        indexer->removed = removed;
        int rc = search_mark_put(indexer->search, "epoch", epoch_of(indexer->desk));
        if (rc == DB_OK)
                rc = search_mark_put(indexer->search, "rev", indexer->rev);
        if (rc == DB_OK)
                rc = search_mark_put(indexer->search, "audit", indexer->audit);
        return rc == DB_OK ? search_mark_put(indexer->search, "unclean_ms", indexer->unclean_ms) : rc;
}

/* From nothing: what the old one held is overwritten by the engine as its pages are given up. */
static int begin_anew(struct indexer *indexer)
{
        int rc = search_clear(indexer->search);
        indexer->rev = indexer->audit = 0;
        indexer->unclean_ms = clock_wall_ms();
        return rc;
}

/* An index of another epoch, or ahead of the store, is of another store. */
static int settle_marks(struct indexer *indexer, int64_t store_rev)
{
        int64_t epoch = epoch_of(indexer->desk);
        int rc = indexer->is_known ? DB_OK : read_marks(indexer, &epoch);
        if (rc < 0)
                return rc;
        indexer->is_known = true;
        bool is_wanted = atomic_load(&indexer->wants_rebuild);
        if (epoch == epoch_of(indexer->desk) && indexer->rev <= store_rev && !is_wanted)
                return DB_OK;
        if (is_wanted) {
                atomic_store(&indexer->settled_rev, -1);
                atomic_store(&indexer->wants_rebuild, false);
        }
        return begin_anew(indexer);
}

/* ---- one turn ---- */

static int open_store(struct indexer *indexer)
{
        char *path = NULL, *why = NULL;
        if (indexer->store)
                return DB_OK;
        if (asprintf(&path, "%s/deskbell.db", indexer->desk->data_dir) < 0)
                return DB_NOMEM;
        int rc = db_open(indexer->desk->settings.driver, path, DB_READER, &indexer->store, &why);
        free(path);
        if (rc < 0)
                log_error(&indexer->log, "the store cannot be read", "why", why);
        free(why);
        return rc < 0 ? store_failed(indexer, rc) : DB_OK;
}

static int open_both(struct indexer *indexer)
{
        int rc = open_store(indexer);
        if (rc < 0 || indexer->search)
                return rc;
        char *why = NULL;
        bool is_new = false;
        rc = search_open(indexer->path, DB_WRITER, &indexer->search, &is_new, &why);
        if (rc < 0)
                log_error(&indexer->log, "the search index cannot be opened", "why", why);
        free(why);
        indexer->is_known = false;
        indexer->removed = 0;
        atomic_fetch_add(&indexer->generation, 1);
        return rc;
}

static int follow(struct indexer *indexer)
{
        int64_t store_rev = 0;
        int rc = meta_get_int(indexer->store, "rev", &store_rev);
        if (rc < 0)
                return store_failed(indexer, rc);
        rc = settle_marks(indexer, store_rev);
        if (rc == DB_OK)
                rc = follow_erasures(indexer);
        int more = rc == DB_OK ? follow_changes(indexer, store_rev) : rc;
        if (more < 0)
                return more;
        rc = write_marks(indexer);
        return rc < 0 ? rc : more;
}

static int follow_once(struct indexer *indexer)
{
        indexer->puts = 0;
        int rc = search_begin(indexer->search);
        if (rc < 0)
                return rc;
        rc = db_snapshot_begin(indexer->store);
        int more = rc < 0 ? store_failed(indexer, rc) : follow(indexer);
        db_snapshot_end(indexer->store);
        if (more < 0) {
                search_rollback(indexer->search);
                indexer->is_known = false;
                return more;
        }
        rc = search_commit(indexer->search);
        if (rc < 0)
                return rc;
        atomic_store(&indexer->shown_rev, indexer->rev);
        return more;
}

/* Takes the words that were removed out of the file too. */
static int clean(struct indexer *indexer)
{
        int64_t unclean_ms = indexer->unclean_ms;
        int rc = search_optimize(indexer->search);
        if (rc == DB_OK)
                rc = search_begin(indexer->search);
        if (rc < 0)
                return rc;
        indexer->unclean_ms = 0;
        rc = write_marks(indexer);
        if (rc == DB_OK)
                rc = search_commit(indexer->search);
        else
                search_rollback(indexer->search);
        if (rc < 0)
                indexer->unclean_ms = unclean_ms;
        return rc;
}

static bool wants_cleaning(const struct indexer *indexer)
{
        if (indexer->unclean_ms == 0)
                return false;
        int64_t age_ms = clock_wall_ms() - indexer->unclean_ms;
        return atomic_load(&indexer->wanted_rev) > atomic_load(&indexer->settled_rev) || age_ms < 0 ||
               age_ms >= CLEAN_AFTER_MS;
}

static int turn(struct indexer *indexer)
{
        int rc = open_both(indexer);
        if (rc == DB_OK)
                rc = follow_once(indexer);
        if (rc != DB_OK)
                return rc;
        if (wants_cleaning(indexer) && (rc = clean(indexer)) < 0)
                return rc;
        if (indexer->unclean_ms == 0 && !atomic_load(&indexer->wants_rebuild))
                atomic_store(&indexer->settled_rev, indexer->rev);
        return 0;
}

/* An index that fails is thrown away; a store that fails, or a full disk, is waited for. */
static void recover(struct indexer *indexer, int rc)
{
        log_warn(&indexer->log, "the search index does not follow", "code", rc, "store",
                 (int)indexer->is_store_at_fault);
        bool is_index_bad = !indexer->is_store_at_fault &&
                            (rc == DB_DAMAGED || rc == DB_UNKNOWN || rc == DB_MISUSE || rc == DB_CONSTRAINT);
        if (!is_index_bad)
                return;
        indexer->search = search_close(indexer->search);
        search_discard(indexer->path);
        atomic_store(&indexer->settled_rev, -1);
        atomic_fetch_add(&indexer->generation, 1);
}

int indexer_turn(struct indexer *indexer)
{
        indexer->is_store_at_fault = false;
        int rc = turn(indexer);
        if (rc < 0 && rc != DB_BUSY)
                recover(indexer, rc);
        return rc;
}

/* ---- the thread ---- */

static bool is_behind(const struct indexer *indexer)
{
        return desk_rev(indexer->desk) != atomic_load(&indexer->shown_rev) || atomic_load(&indexer->wants_rebuild) ||
               wants_cleaning(indexer);
}

/* Until there is something to do, or `ms` are over. False: the thread has to end. */
static bool wait_a_little(struct indexer *indexer, int64_t ms)
{
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += ms / 1000;
        until.tv_nsec += ms % 1000 * 1000000;
        if (until.tv_nsec >= 1000000000) {
                until.tv_sec++;
                until.tv_nsec -= 1000000000;
        }
        pthread_mutex_lock(&indexer->lock);
        int rc = 0;
        while (!indexer->is_stopping && !indexer->is_kicked && rc == 0)
                rc = pthread_cond_timedwait(&indexer->moved, &indexer->lock, &until);
        indexer->is_kicked = false;
        bool goes_on = !indexer->is_stopping;
        pthread_mutex_unlock(&indexer->lock);
        return goes_on;
}

static void *indexer_main(void *data)
{
        struct indexer *indexer = data;
        setpriority(PRIO_PROCESS, 0, NICE); /* of this thread alone, on Linux; a wish */
        int rc = 1;
        do {
                rc = rc == 1 || is_behind(indexer) ? indexer_turn(indexer) : 0;
        } while (wait_a_little(indexer, rc == 1 ? 0 : rc < 0 && rc != DB_BUSY ? TROUBLE_MS : LOOK_EVERY_MS));
        return NULL;
}

static void kick(struct indexer *indexer)
{
        pthread_mutex_lock(&indexer->lock);
        indexer->is_kicked = true;
        pthread_cond_signal(&indexer->moved);
        pthread_mutex_unlock(&indexer->lock);
}

/* ---- life ---- */

struct indexer *indexer_new(struct desk *desk)
{
        struct indexer *indexer = calloc(1, sizeof *indexer);
        if (!indexer)
                return NULL;
        if (asprintf(&indexer->path, "%s/search.db", desk->data_dir) < 0) {
                free(indexer);
                return NULL;
        }
        indexer->desk = desk;
        indexer->log.area = "search";
        atomic_init(&indexer->settled_rev, -1);
        pthread_mutex_init(&indexer->lock, NULL);
        pthread_condattr_t by_monotonic;
        pthread_condattr_init(&by_monotonic);
        pthread_condattr_setclock(&by_monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&indexer->moved, &by_monotonic);
        pthread_condattr_destroy(&by_monotonic);
        return indexer;
}

struct indexer *indexer_free(struct indexer *indexer)
{
        if (!indexer)
                return NULL;
        search_close(indexer->search);
        db_close(indexer->store);
        pthread_cond_destroy(&indexer->moved);
        pthread_mutex_destroy(&indexer->lock);
        free(indexer->path);
        free(indexer);
        return NULL;
}

int indexer_start(struct indexer *indexer)
{
        if (pthread_create(&indexer->thread, NULL, indexer_main, indexer) != 0)
                return DB_NOMEM;
        indexer->is_running = true;
        return DB_OK;
}

void indexer_stop(struct indexer *indexer)
{
        if (!indexer->is_running)
                return;
        pthread_mutex_lock(&indexer->lock);
        indexer->is_stopping = true;
        pthread_cond_signal(&indexer->moved);
        pthread_mutex_unlock(&indexer->lock);
        pthread_join(indexer->thread, NULL);
        indexer->is_running = indexer->is_stopping = false;
}

void indexer_rebuild(struct indexer *indexer)
{
        atomic_store(&indexer->wants_rebuild, true);
        kick(indexer);
}

bool indexer_settle(struct indexer *indexer, int64_t rev)
{
        if (!atomic_load(&indexer->wants_rebuild) && atomic_load(&indexer->settled_rev) >= rev)
                return true;
        if (atomic_load(&indexer->wanted_rev) < rev)
                atomic_store(&indexer->wanted_rev, rev);
        kick(indexer);
        return false;
}

int64_t indexer_rev(const struct indexer *indexer)
{
        return atomic_load(&indexer->shown_rev);
}

uint64_t indexer_generation(const struct indexer *indexer)
{
        return atomic_load(&indexer->generation);
}

const char *indexer_path(const struct indexer *indexer)
{
        return indexer->path;
}

bool indexer_is_running(const struct indexer *indexer)
{
        return indexer->is_running;
}
