/* SPDX-License-Identifier: Apache-2.0 */
/* Care of the store by the operator: copying it while it is written (store.backup), emptying its log (store.settle),
 * and erasing a person (customer.erase), whose ledger DIR/erased.jsonl outlives any restore (delivery R5). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "desk/bot_numbers.h"
#include "desk/desk_private.h"
#include "ops/reserve.h"
#include "store/backup.h"

/* ---- store.backup ---- */

void care_done(struct desk *desk)
{
        if (!desk->backup)
                return;
        db_backup_end(desk->backup);
        desk->backup = NULL;
}

static char *backup_path(const struct desk *desk, const char *name)
{
        char *path = NULL;
        return asprintf(&path, "%s/backup.part%s%s", desk->data_dir, name ? "/" : "", name ? name : "") < 0 ? NULL
                                                                                                            : path;
}

static int backup_begin(struct desk *desk)
{
        care_done(desk);
        char *dir = backup_path(desk, NULL), *file = backup_path(desk, BACKUP_STORE);
        int rc = dir && file ? DB_OK : DB_NOMEM;
        if (rc == DB_OK && unlink(file) < 0 && errno != ENOENT && errno != ENOTDIR)
                rc = DB_IO;
        if (rc == DB_OK && mkdir(dir, 0700) < 0 && errno != EEXIST)
                rc = errno == ENOSPC ? DB_FULL : DB_IO;
        if (rc == DB_OK)
                rc = db_backup_begin(desk->db, file, &desk->backup);
        free(dir);
        free(file);
        return rc;
}

/* The copy's own trouble is answered to its caller; it is none of the batch's. */
static int backup_failed(struct desk *desk, int rc)
{
        care_done(desk);
        log_error(&desk->log, "a backup was given up", "code", rc, "why", db_message(desk->db));
        return rc == DB_FULL ? -PROTOCOL_ERR_STORAGE_FULL : -PROTOCOL_ERR_INTERNAL;
}

int handle_store_backup(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_store_backup *params = command->params;
        struct protocol_store_backup_result result = {0};
        if (params->has_begin && params->begin) {
                int rc = backup_begin(desk);
                if (rc < 0)
                        return backup_failed(desk, rc);
        }
        if (!desk->backup)
                return -PROTOCOL_ERR_CONFLICT;
        int rc = db_backup_step(desk->backup, (int)params->pages, &result.left, &result.total);
        if (rc < 0 && rc != DB_BUSY)
                return backup_failed(desk, rc);
        if (rc == DB_OK) {
                result.left = 0;
                care_done(desk);
        } else if (result.left == 0) {
                result.left = 1; /* not flushed yet */
        }
        protocol_store_backup_result_write(out, &result);
        return 0;
}

/* ---- store.settle ---- */

int handle_store_settle(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)command;
        (void)fault;
        int rc = uploads_are_leaving(desk);
        rc = rc == 1 ? DB_BUSY : rc < 0 ? rc : db_checkpoint_empty(desk->db);
        if (rc == DB_BUSY) {
                desk->answer.retry_after_ms = 200;
                return -PROTOCOL_ERR_OVERLOADED;
        }
        if (rc == DB_FULL && reserve_release(desk->data_dir) == 0) /* what it is kept for */
                rc = db_checkpoint_empty(desk->db);
        if (rc < 0)
                return rc == DB_FULL ? -PROTOCOL_ERR_STORAGE_FULL : -PROTOCOL_ERR_INTERNAL;
        struct protocol_store_settle_result result = {0};
        protocol_store_settle_result_write(out, &result);
        return 0;
}

/* ---- customer.erase ---- */

/* One line of ids and time, on disk before the erasure is committed: an erasure noted and not done is done again by a
 * restore, one done and not noted would come back with it. */
static int write_ledger(struct desk *desk, uint64_t customer)
{
        char *path = NULL, line[128], id[ID_TEXT_BYTES];
        if (asprintf(&path, "%s/erased.jsonl", desk->data_dir) < 0)
                return DB_NOMEM;
        id_write(id, "usr", customer);
        int len = snprintf(line, sizeof line, "{\"customer\":\"%.*s\",\"at\":%lld}\n", (int)sizeof id, id,
                           (long long)desk->now_ms);
        int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        free(path);
        if (fd < 0)
                return errno == ENOSPC ? DB_FULL : DB_IO;
        int rc = write(fd, line, (size_t)len) == len && fsync(fd) == 0 ? DB_OK : errno == ENOSPC ? DB_FULL : DB_IO;
        close(fd);
        return rc;
}

static int note_erasure(struct desk *desk, uint64_t customer)
{
        int rc = write_ledger(desk, customer);
        if (rc == DB_FULL && reserve_release(desk->data_dir) == 0)
                rc = write_ledger(desk, customer);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static int run_bound(struct desk *desk, enum sql_id id, int64_t first, int64_t *out_changes)
{
        struct db_stmt *stmt = db_stmt(desk->db, id);
        db_bind_int(stmt, 1, first);
        int rc = db_run(stmt);
        if (rc >= 0 && out_changes)
                *out_changes += db_changes(desk->db);
        return rc;
}

/* What is told of a conversation without content: nobody waits for an answer to what is gone. A client learns from the
 * missing last message that everything it keeps of the conversation has to go. */
static void forget_content(struct conversation_row *row)
{
        row->preview_len = 0;
        row->preview[0] = 0;
        row->last_seq = row->last_author = row->last_kind = 0;
        row->unread = row->unanswered = row->waiting_since = 0;
}

static int erase_conversation(struct desk *desk, uint64_t ext, int64_t *entries)
{
        struct conversation *conversation = NULL;
        int rc = conversation_find(desk, ext, &conversation);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_ENTRIES_ERASE_ALL);
        db_bind_int(stmt, 1, conversation->row.id);
        db_bind_int(stmt, 2, PROTOCOL_ENTRY_ERASED);
        db_bind_int(stmt, 3, PROTOCOL_ENTRY_SYSTEM);
        db_bind_int(stmt, 4, PROTOCOL_ENTRY_CHOICES);
        rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        *entries += db_changes(desk->db);
        rc = uploads_erase_conversation(desk, conversation->row.id);
        if (rc == 0)
                rc = work_erase_conversation(desk, conversation->row.id);
        if (rc == 0)
                rc = bot_forget_conversation(desk, conversation->row.id);
        if (rc < 0)
                return rc;
        if (conversation->row.owner == OWNER_BOT) { /* what it is about to say comes too late */
                conversation->row.owner_turn++;
                bot_turns_end(desk, conversation);
        }
        forget_content(&conversation->row);
        conversation_changed(desk, conversation, true);
        return outbound_forget(desk, conversation, 0);
}

static int erase_conversations(struct desk *desk, int64_t customer, struct protocol_customer_erase_result *result)
{
        enum { AT_ONCE = 1024 };
        uint64_t found[AT_ONCE];
        int64_t above = 0;
        for (;;) {
                int count = 0, rc;
                struct db_stmt *stmt = db_stmt(desk->db, SQL_CONVERSATIONS_OF);
                db_bind_int(stmt, 1, customer);
                db_bind_int(stmt, 2, above);
                while ((rc = db_step(stmt)) == DB_ROW && count < AT_ONCE) {
                        above = db_int(stmt, 0);
                        found[count++] = (uint64_t)db_int(stmt, 1);
                }
                if (rc == DB_ROW)
                        db_reset(stmt);
                if (rc < 0)
                        return desk_db_failed(desk, rc);
                for (int i = 0; i < count; i++)
                        if ((rc = erase_conversation(desk, found[i], &result->entries)) < 0)
                                return rc;
                result->conversations += count;
                if (count < AT_ONCE)
                        return 0;
        }
}

static int erase_profile(struct desk *desk, int64_t customer)
{
        attendance_forget(desk, customer);
        int rc = uploads_erase_owner(desk, customer);
        if (rc < 0)
                return rc;
        if ((rc = customers_erase(desk, customer)) < 0 || (rc = tickets_erase(desk, customer)) < 0 ||
            (rc = surveys_erase(desk, customer)) < 0 || (rc = recovery_erase(desk, customer)) < 0)
                return rc;
        rc = run_bound(desk, SQL_PRINCIPAL_ERASE, customer, NULL);
        if (rc >= 0)
                rc = run_bound(desk, SQL_DEVICES_ERASE, customer, NULL);
        if (rc >= 0)
                rc = run_bound(desk, SQL_DONE_ERASE, customer, NULL);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* The visitors he has claimed. Each stands in the ledger too: a store of before the claim knows it by itself. */
static int erase_aliases(struct desk *desk, int64_t customer, bool is_replay)
{
        int64_t above = 0;
        for (;;) {
                struct db_stmt *stmt = db_stmt(desk->db, SQL_ALIASES_OF);
                db_bind_int(stmt, 1, customer);
                db_bind_int(stmt, 2, above);
                int rc = db_step(stmt);
                if (rc == DB_OK)
                        return 0;
                if (rc < 0)
                        return desk_db_failed(desk, rc);
                above = db_int(stmt, 0);
                uint64_t ext = (uint64_t)db_int(stmt, 1);
                db_reset(stmt);
                rc = is_replay ? 0 : note_erasure(desk, ext);
                if (rc == 0)
                        rc = erase_profile(desk, above);
                if (rc < 0)
                        return rc;
        }
}

static int erase_person(struct desk *desk, const struct principal_row *row, bool is_replay,
                        struct protocol_customer_erase_result *result)
{
        int rc = erase_conversations(desk, row->id, result);
        if (rc == 0)
                rc = erase_profile(desk, row->id);
        if (rc == 0)
                rc = erase_aliases(desk, row->id, is_replay);
        if (rc < 0)
                return rc;
        if ((rc = principals_revoke(desk->db, row->id, desk->now_ms, desk->now_ms / 1000 + 1)) < 0)
                return desk_db_failed(desk, rc);
        struct principal_row erased; /* memory must not tell the name either */
        desk->names_changed = true;
        rc = principals_load(desk->db, row->id, &erased);
        struct principal *who = rc == DB_ROW ? directory_put(desk->directory, &erased) : NULL;
        if (!who)
                return desk_db_failed(desk, rc < 0 ? rc : DB_NOMEM);
        sessions_close_principal(desk, who, PROTOCOL_CLOSE_REVOKED);
        return 0;
}

int handle_customer_erase(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_customer_erase *params = command->params;
        struct protocol_customer_erase_result result = {0};
        struct principal_row row;
        int rc = principals_load_ext(desk->db, params->customer.id, &row);
        if (rc == DB_ROW && row.alias_of != 0) /* a claimed visitor: the user it belongs to */
                rc = principals_load(desk->db, row.alias_of, &row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK && params->has_if_there && params->if_there) {
                protocol_customer_erase_result_write(out, &result);
                return 0;
        }
        if (rc == DB_OK || row.role != ROLE_CUSTOMER || params->customer.role != ROLE_CUSTOMER)
                return -PROTOCOL_ERR_NOT_FOUND;
        bool is_replay = params->has_if_there && params->if_there; /* it stands in the ledger already */
        if (!is_replay && (rc = note_erasure(desk, row.ext)) < 0)
                return rc;
        rc = erase_person(desk, &row, is_replay, &result);
        if (rc < 0)
                return rc;
        protocol_customer_erase_result_write(out, &result);
        char object[ID_TEXT_BYTES];
        id_write(object, "usr", row.ext);
        rc = audit_put(desk->db, desk->now_ms, 0, ROLE_OPERATOR, "customer.erase", (struct span){object, sizeof object},
                       (struct span){0});
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}
