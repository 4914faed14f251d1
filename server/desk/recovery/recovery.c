/* SPDX-License-Identifier: Apache-2.0 */
/* The life of the module: what is in memory, what is due, and what happens to cases when customers are merged or
 * erased. */
#include "desk/recovery/recovery_private.h"

#include <stdlib.h>

/* ---- memory ---- */

static int count_of(struct desk *desk, enum sql_id statement, int64_t *out_count)
{
        struct db_stmt *stmt = db_stmt(desk->db, statement);
        int rc = db_step(stmt);
        if (rc == DB_ROW)
                *out_count = db_int(stmt, 0); /* NULL is 0 */
        db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

static int count_all(struct desk *desk)
{
        struct recovery *recovery = desk->recovery;
        int64_t next_ms = 0;
        int rc = count_of(desk, SQL_RECOVERY_OPEN_COUNT, &recovery->open_count);
        if (rc >= 0)
                rc = count_of(desk, SQL_RECOVERY_OWNERLESS_COUNT, &recovery->ownerless_count);
        if (rc >= 0)
                rc = count_of(desk, SQL_RECOVERY_NEXT, &next_ms);
        recovery->next_ms = next_ms > 0 ? next_ms : INT64_MAX;
        return rc;
}

int recovery_init(struct desk *desk)
{
        desk->recovery = calloc(1, sizeof *desk->recovery);
        if (!desk->recovery)
                return DB_NOMEM;
        desk->recovery->has_to_look = true; /* agents and schedules may have changed meanwhile */
        int rc = recovery_settings_load(desk);
        return rc < 0 ? rc : count_all(desk);
}

void recovery_done(struct desk *desk)
{
        free(desk->recovery);
        desk->recovery = NULL;
}

/* What could not be read is read after the next commit, which comes by itself. */
static void read_again(struct desk *desk)
{
        struct recovery *recovery = desk->recovery;
        int rc = recovery->are_settings_moved ? recovery_settings_load(desk) : DB_OK;
        if (rc >= 0)
                rc = count_all(desk);
        if (rc < 0) {
                log_error(&desk->log, "recovery cases could not be counted; tried again", "code", rc);
                recovery->next_ms = desk->now_ms + LOOK_EVERY_MS;
        }
        recovery->is_moved = rc < 0;
        recovery->are_settings_moved = rc < 0 && recovery->are_settings_moved;
}

void recovery_committed(struct desk *desk)
{
        if (!desk->recovery->is_moved)
                desk->recovery->are_settings_moved = false;
        else
                read_again(desk);
}

void recovery_rolled_back(struct desk *desk)
{
        desk->recovery->has_to_look = true; /* that may have been what was not kept */
        if (desk->recovery->is_moved || desk->recovery->are_settings_moved)
                read_again(desk);
}

void recovery_look_again(struct desk *desk)
{
        if (desk->recovery)
                desk->recovery->has_to_look = true;
}

/* ---- what is due ---- */

int64_t recovery_due_ms(const struct desk *desk)
{
        const struct recovery *recovery = desk->recovery;
        if (recovery->has_to_look && recovery->open_count > 0)
                return 0;
        return recovery->ownerless_count > 0 && recovery->look_ms < recovery->next_ms ? recovery->look_ms
                                                                                      : recovery->next_ms;
}

/* An open case: its owner is still one who may own it, and its deadlines are what the schedule says. */
static int look_at(struct desk *desk, struct recovery_case *one)
{
        int64_t contact_ms = one->contact_due_ms, fix_ms = one->fix_due_ms;
        case_reckon(desk, one);
        int rc = contact_ms != one->contact_due_ms || fix_ms != one->fix_due_ms ? case_save(desk, one) : 0;
        return rc == 0 ? case_owner_check(desk, one, "looked again") : rc;
}

static int look_at_all(struct desk *desk)
{
        int64_t ids[CASES_AT_ONCE], above = 0;
        int count, rc = 0;
        do {
                count = case_ids(desk, SQL_RECOVERY_OPEN_ALL, above, CASES_AT_ONCE, ids, CASES_AT_ONCE);
                for (int i = 0; rc == 0 && i < count; i++) {
                        struct recovery_case one = {0};
                        rc = case_load(desk, above = ids[i], &one);
                        if (rc == 0)
                                rc = look_at(desk, &one);
                }
        } while (rc == 0 && count == CASES_AT_ONCE);
        return count < 0 ? count : rc;
}

int recovery_run_due(struct desk *desk)
{
        struct recovery *recovery = desk->recovery;
        int64_t ids[CASES_AT_ONCE];
        int rc = 0;
        if (recovery->has_to_look || (recovery->ownerless_count > 0 && recovery->look_ms <= desk->now_ms)) {
                recovery->look_ms = desk->now_ms + LOOK_EVERY_MS;
                rc = look_at_all(desk);
                recovery->has_to_look = rc < 0;
        }
        int count = rc == 0 ? case_ids(desk, SQL_RECOVERY_DUE, desk->now_ms, CASES_AT_ONCE, ids, CASES_AT_ONCE) : rc;
        for (int i = 0; rc == 0 && i < count; i++) {
                struct recovery_case one = {0};
                rc = case_load(desk, ids[i], &one);
                if (rc == 0)
                        rc = case_run_due(desk, &one);
        }
        recovery->is_moved = true; /* what is next */
        return count < 0 ? count : rc;
}

/* ---- what the desk tells ---- */

int recovery_staff_wrote(struct desk *desk, const struct conversation *conversation, const struct entry_row *entry)
{
        const struct recovery *recovery = desk->recovery;
        struct recovery_case one = {0};
        int64_t id, last_ms;
        if (recovery->open_count == 0 && !recovery->is_moved)
                return 0;
        int rc = case_number(desk, SQL_RECOVERY_OWNED_IN, conversation->row.id, entry->author, &id);
        if (rc <= 0)
                return rc;
        rc = case_load(desk, id, &one);
        if (rc == 0 && one.contacted_ms != 0) {
                rc = case_number(desk, SQL_RECOVERY_LAST_CHAT, id, 0, &last_ms);
                if (rc < 0 || desk->now_ms < last_ms + CHAT_EVERY_MS)
                        return rc < 0 ? rc : 0;
                rc = 0;
        }
        return rc < 0 ? rc
                      : case_contact(desk, &one, entry->author, PROTOCOL_RECOVERY_CONTACT_CHANNEL_CHAT, false,
                                     entry->seq, (struct span){0});
}

int recovery_given(struct desk *desk, int64_t conv, int64_t customer)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RECOVERY_GIVE);
        struct recovery_case first = {0}, other = {0};
        int64_t ids[2];
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, customer);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        int count;
        while ((count = case_ids(desk, SQL_RECOVERY_OPEN_OF_CUSTOMER, customer, 0, ids, 2)) == 2) {
                rc = case_load(desk, ids[0], &first);
                if (rc == 0)
                        rc = case_load(desk, ids[1], &other);
                if (rc == 0)
                        rc = case_fold(desk, &other, &first);
                if (rc < 0)
                        return rc;
        }
        return count < 0 ? count : 0;
}

static int erase_text(struct desk *desk, enum sql_id statement, int64_t customer)
{
        struct db_stmt *stmt = db_stmt(desk->db, statement);
        db_bind_int(stmt, 1, customer);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int recovery_erase(struct desk *desk, int64_t customer)
{
        int64_t ids[CASES_AT_ONCE];
        int count = case_ids(desk, SQL_RECOVERY_OF_CUSTOMER, customer, 0, ids, CASES_AT_ONCE), rc = 0;
        for (int i = 0; rc == 0 && i < count; i++) {
                struct recovery_case one = {0};
                rc = case_load(desk, ids[i], &one);
                if (rc == 0 && case_is_open(&one))
                        rc = case_resolve(desk, &one, 0, CASE_UNREACHABLE, "erased", (struct span){0});
                if (rc == 0 && one.resurvey_ms != 0 && one.asked_ms == 0) {
                        one.resurvey_ms = 0;
                        rc = case_save(desk, &one);
                }
        }
        if (count < 0 || rc < 0)
                return count < 0 ? count : rc;
        rc = erase_text(desk, SQL_RECOVERY_LOG_ERASE, customer);
        return rc == 0 ? erase_text(desk, SQL_RECOVERY_ACTION_ERASE, customer) : rc;
}
