/* SPDX-License-Identifier: Apache-2.0 */
/* The driver that fails on purpose. It behaves after a failure as a real driver does: an error of the disk or of memory
 * loses the running transaction, and after DB_UNKNOWN a connection never answers anything else. */
#include "store/db_fault.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "store/db_private.h"

static struct {
        pthread_mutex_t lock;
        const struct db_driver *inner;
        struct db_fault_rule rules[DB_FAULT_RULES];
        int rule_count;
        uint64_t calls[2][DB_FAULT_OPS]; /* by mode */
        bool is_cut;
} plan = {.lock = PTHREAD_MUTEX_INITIALIZER, .inner = &db_sqlite};

struct fault_db;

struct fault_stmt {
        struct db_stmt base;
        struct fault_db *db;
        struct db_stmt *inner;
        struct fault_stmt *next; /* of db->loose */
};

struct fault_db {
        struct db base;
        struct db *inner;
        struct fault_stmt *loose;
        int lost; /* why the running transaction is gone */
        bool in_transaction, is_dead;
        struct fault_stmt stmts[SQL_COUNT];
};

struct fault_backup {
        struct db_backup base;
        struct fault_db *db;
        struct db_backup *inner;
};

/* --- the plan --- */

void db_fault_reset(const struct db_driver *inner)
{
        pthread_mutex_lock(&plan.lock);
        plan.inner = inner;
        plan.rule_count = 0;
        plan.is_cut = false;
        memset(plan.calls, 0, sizeof plan.calls);
        pthread_mutex_unlock(&plan.lock);
}

bool db_fault_add(struct db_fault_rule rule)
{
        pthread_mutex_lock(&plan.lock);
        bool has_room = plan.rule_count < DB_FAULT_RULES;
        if (has_room)
                plan.rules[plan.rule_count++] = rule;
        pthread_mutex_unlock(&plan.lock);
        return has_room;
}

uint64_t db_fault_calls(enum db_fault_op op, enum db_mode mode)
{
        pthread_mutex_lock(&plan.lock);
        uint64_t calls = plan.calls[mode][op];
        pthread_mutex_unlock(&plan.lock);
        return calls;
}

static bool is_due(const struct db_fault_rule *rule, enum db_fault_op op, enum db_mode mode)
{
        if (rule->mode != mode || (rule->op != DB_FAULT_ANY && rule->op != op))
                return false;
        uint64_t call = plan.calls[mode][rule->op];
        uint64_t times = rule->times ? rule->times : 1;
        return call >= rule->nth && call - rule->nth < times;
}

struct verdict {
        int before, after; /* DB_OK: go on; else the error to answer before or after the call */
        bool cut_after;
};

/* Counts a call and says what is to become of it. Waits here when told to. */
static struct verdict judge(enum db_fault_op op, enum db_mode mode)
{
        struct verdict verdict = {DB_OK, DB_OK, false};
        uint32_t delay_ms = 0;
        pthread_mutex_lock(&plan.lock);
        plan.calls[mode][op]++;
        plan.calls[mode][DB_FAULT_ANY]++;
        for (int i = 0; i < plan.rule_count && !plan.is_cut; i++) {
                const struct db_fault_rule *rule = &plan.rules[i];
                if (!is_due(rule, op, mode))
                        continue;
                if (rule->kind == DB_FAULT_FAIL)
                        verdict.before = rule->error;
                else if (rule->kind == DB_FAULT_FAIL_AFTER)
                        verdict.after = rule->error;
                else if (rule->kind == DB_FAULT_DELAY)
                        delay_ms += rule->delay_ms;
                else if (rule->kind == DB_FAULT_CUT)
                        plan.is_cut = true;
                else
                        verdict.cut_after = true;
        }
        if (plan.is_cut)
                verdict.before = DB_UNKNOWN;
        pthread_mutex_unlock(&plan.lock);
        struct timespec pause = {delay_ms / 1000, (long)(delay_ms % 1000) * 1000000};
        while (delay_ms && nanosleep(&pause, &pause) < 0)
                continue;
        return verdict;
}

static void cut(void)
{
        pthread_mutex_lock(&plan.lock);
        plan.is_cut = true;
        pthread_mutex_unlock(&plan.lock);
}

/* --- what an error does to a connection --- */

static bool loses_transaction(int error)
{
        return error == DB_FULL || error == DB_IO || error == DB_NOMEM || error == DB_DAMAGED;
}

static int suffer(struct fault_db *db, int error)
{
        if (error == DB_UNKNOWN)
                db->is_dead = true;
        else if (db->in_transaction && db->lost == DB_OK && loses_transaction(error)) {
                db->lost = error;
                db_rollback(db->inner);
        }
        return error;
}

static int standing_error(const struct fault_db *db)
{
        return db->is_dead ? DB_UNKNOWN : db->lost;
}

/* The answer after the inner call said `rc`. */
static int finish(struct fault_db *db, struct verdict verdict, int rc)
{
        if (verdict.cut_after) {
                cut();
                return suffer(db, DB_UNKNOWN);
        }
        if (verdict.after != DB_OK)
                return suffer(db, verdict.after);
        return rc == DB_UNKNOWN ? suffer(db, rc) : rc;
}

/* --- connection --- */

static int open_db(const char *path, enum db_mode mode, struct db **out_db, char **out_why)
{
        struct verdict verdict = judge(DB_FAULT_OPEN, mode);
        if (verdict.before != DB_OK)
                return db_because(out_why, verdict.before, "%s cannot be opened: fault ordered", path);
        struct fault_db *db = calloc(1, sizeof *db);
        if (!db)
                return DB_NOMEM;
        pthread_mutex_lock(&plan.lock);
        const struct db_driver *inner = plan.inner;
        pthread_mutex_unlock(&plan.lock);
        int rc = db_open(inner, path, mode, &db->inner, out_why);
        if (rc != DB_OK) {
                free(db);
                return rc;
        }
        db->base = *db->inner;
        db->base.driver = &db_fault;
        *out_db = &db->base;
        return DB_OK;
}

static void end_db(struct fault_db *db, bool is_orderly)
{
        if (is_orderly)
                db_close(db->inner);
        else
                db_abandon(db->inner);
        while (db->loose) {
                struct fault_stmt *next = db->loose->next;
                free(db->loose);
                db->loose = next;
        }
        free(db);
}

static void close_db(struct db *base)
{
        struct fault_db *db = (struct fault_db *)base;
        pthread_mutex_lock(&plan.lock);
        bool is_orderly = !plan.is_cut && !db->is_dead;
        pthread_mutex_unlock(&plan.lock);
        end_db(db, is_orderly);
}

static void abandon_db(struct db *base)
{
        end_db((struct fault_db *)base, false);
}

/* --- statements --- */

static struct db_stmt *stmt_of(struct db *base, enum sql_id id)
{
        struct fault_db *db = (struct fault_db *)base;
        db->stmts[id] = (struct fault_stmt){.base = {&db_fault}, .db = db, .inner = db_stmt(db->inner, id)};
        return &db->stmts[id].base;
}

static struct db_stmt *stmt_new(struct db *base, const char *text)
{
        struct fault_db *db = (struct fault_db *)base;
        struct fault_stmt *stmt = calloc(1, sizeof *stmt);
        struct db_stmt *inner = stmt ? db_prepare(db->inner, text) : NULL;
        if (!inner) {
                free(stmt);
                return NULL;
        }
        *stmt = (struct fault_stmt){.base = {&db_fault}, .db = db, .inner = inner, .next = db->loose};
        db->loose = stmt;
        return &stmt->base;
}

static struct db_stmt *inner_of(struct db_stmt *base)
{
        return ((struct fault_stmt *)base)->inner;
}

static void bind_int(struct db_stmt *stmt, int index, int64_t value)
{
        db_bind_int(inner_of(stmt), index, value);
}

static void bind_null(struct db_stmt *stmt, int index)
{
        db_bind_null(inner_of(stmt), index);
}

static void bind_text(struct db_stmt *stmt, int index, struct span text)
{
        db_bind_text(inner_of(stmt), index, text);
}

static void bind_blob(struct db_stmt *stmt, int index, const void *bytes, size_t len)
{
        db_bind_blob(inner_of(stmt), index, bytes, len);
}

static int step(struct db_stmt *base)
{
        struct fault_db *db = ((struct fault_stmt *)base)->db;
        struct verdict verdict = judge(DB_FAULT_STEP, db->base.mode);
        int rc = standing_error(db);
        if (rc == DB_OK && verdict.before != DB_OK)
                rc = suffer(db, verdict.before);
        if (rc != DB_OK) {
                db_reset(inner_of(base));
                return rc;
        }
        rc = finish(db, verdict, db_step(inner_of(base)));
        if (rc < 0)
                db_reset(inner_of(base));
        return rc;
}

static void reset(struct db_stmt *stmt)
{
        db_reset(inner_of(stmt));
}

static int64_t column_int(struct db_stmt *stmt, int column)
{
        return db_int(inner_of(stmt), column);
}

static struct span column_text(struct db_stmt *stmt, int column)
{
        return db_text(inner_of(stmt), column);
}

static struct span column_blob(struct db_stmt *stmt, int column)
{
        return db_blob(inner_of(stmt), column);
}

static bool column_is_null(struct db_stmt *stmt, int column)
{
        return db_is_null(inner_of(stmt), column);
}

/* --- transactions --- */

static int commit(struct fault_db *db, struct verdict verdict)
{
        int error = db->lost != DB_OK ? db->lost : verdict.before;
        if (error == DB_OK) {
                int rc = db_commit(db->inner);
                db->in_transaction = false;
                return finish(db, verdict, rc);
        }
        if (error != DB_FULL && error != DB_BUSY)
                return suffer(db, DB_UNKNOWN);
        db_rollback(db->inner);
        db->in_transaction = false;
        db->lost = DB_OK;
        return error;
}

static int begin(struct fault_db *db, struct verdict verdict)
{
        if (verdict.before != DB_OK)
                return suffer(db, verdict.before);
        int rc = db_begin(db->inner);
        db->in_transaction = rc == DB_OK;
        return finish(db, verdict, rc);
}

static int savepoint(struct fault_db *db, enum db_control what, struct verdict verdict)
{
        if (db->lost != DB_OK)
                return db->lost;
        if (verdict.before != DB_OK)
                return suffer(db, verdict.before);
        return finish(db, verdict, db->inner->driver->control(db->inner, what));
}

static void rollback(struct fault_db *db)
{
        db->lost = DB_OK;
        db->in_transaction = false;
        db_rollback(db->inner);
}

static int control(struct db *base, enum db_control what)
{
        struct fault_db *db = (struct fault_db *)base;
        if (db->is_dead)
                return DB_UNKNOWN;
        switch (what) {
        case DB_BEGIN:
                return begin(db, judge(DB_FAULT_BEGIN, base->mode));
        case DB_COMMIT:
                return commit(db, judge(DB_FAULT_COMMIT, base->mode));
        case DB_ROLLBACK:
                rollback(db);
                return DB_OK;
        case DB_SAVEPOINT:
        case DB_RELEASE:
        case DB_ROLLBACK_TO:
                return savepoint(db, what, judge(DB_FAULT_SAVEPOINT, base->mode));
        case DB_SNAPSHOT_BEGIN:
        case DB_SNAPSHOT_END:
                return db->inner->driver->control(db->inner, what);
        }
        return DB_MISUSE;
}

/* --- the rest of the table --- */

static int checkpoint(struct db *base, enum db_checkpoint_kind kind)
{
        struct fault_db *db = (struct fault_db *)base;
        struct verdict verdict = judge(DB_FAULT_CHECKPOINT, base->mode);
        if (db->is_dead)
                return DB_UNKNOWN;
        if (verdict.before != DB_OK)
                return suffer(db, verdict.before);
        return finish(db, verdict, db->inner->driver->checkpoint(db->inner, kind));
}

static int exec(struct db *base, const char *script)
{
        struct fault_db *db = (struct fault_db *)base;
        struct verdict verdict = judge(DB_FAULT_STEP, base->mode);
        int rc = standing_error(db);
        if (rc != DB_OK)
                return rc;
        if (verdict.before != DB_OK)
                return suffer(db, verdict.before);
        return finish(db, verdict, db_exec(db->inner, script));
}

static int probe(struct db *base)
{
        struct fault_db *db = (struct fault_db *)base;
        return db->inner->driver->probe(db->inner);
}

static int check(struct db *base, bool deep, void (*say)(void *data, const char *finding), void *data, int *count)
{
        struct fault_db *db = (struct fault_db *)base;
        return db->inner->driver->check(db->inner, deep, say, data, count);
}

static int64_t changes(const struct db *base)
{
        return db_changes(((const struct fault_db *)base)->inner);
}

static int64_t last_id(const struct db *base)
{
        return db_last_id(((const struct fault_db *)base)->inner);
}

static const char *message(const struct db *base)
{
        const char *words = db_message(((const struct fault_db *)base)->inner);
        return *words ? words : "fault ordered";
}

static struct db_migrations migrations(void)
{
        return plan.inner->migrations();
}

static int backup_begin(struct db *base, const char *path, struct db_backup **out_backup)
{
        struct fault_db *db = (struct fault_db *)base;
        struct verdict verdict = judge(DB_FAULT_BACKUP, base->mode);
        if (db->is_dead || verdict.before != DB_OK)
                return db->is_dead ? DB_UNKNOWN : verdict.before;
        struct fault_backup *backup = calloc(1, sizeof *backup);
        if (!backup)
                return DB_NOMEM;
        backup->base.driver = &db_fault;
        backup->db = db;
        int rc = db_backup_begin(db->inner, path, &backup->inner);
        if (rc != DB_OK) {
                free(backup);
                return rc;
        }
        *out_backup = &backup->base;
        return DB_OK;
}

static int backup_step(struct db_backup *base, int pages, int64_t *out_left, int64_t *out_total)
{
        struct fault_backup *backup = (struct fault_backup *)base;
        struct verdict verdict = judge(DB_FAULT_BACKUP, backup->db->base.mode);
        if (verdict.before != DB_OK)
                return verdict.before;
        int rc = db_backup_step(backup->inner, pages, out_left, out_total);
        return verdict.after != DB_OK ? verdict.after : rc;
}

static void backup_end(struct db_backup *base)
{
        struct fault_backup *backup = (struct fault_backup *)base;
        db_backup_end(backup->inner);
        free(backup);
}

const struct db_driver db_fault = {
        .name = "fault",
        .migrations = migrations,
        .open = open_db,
        .close = close_db,
        .abandon = abandon_db,
        .stmt = stmt_of,
        .prepare = stmt_new,
        .bind_int = bind_int,
        .bind_null = bind_null,
        .bind_text = bind_text,
        .bind_blob = bind_blob,
        .step = step,
        .reset = reset,
        .column_int = column_int,
        .column_text = column_text,
        .column_blob = column_blob,
        .column_is_null = column_is_null,
        .changes = changes,
        .last_id = last_id,
        .message = message,
        .control = control,
        .checkpoint = checkpoint,
        .exec = exec,
        .probe = probe,
        .check = check,
        .backup_begin = backup_begin,
        .backup_step = backup_step,
        .backup_end = backup_end,
};
