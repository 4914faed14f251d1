/* SPDX-License-Identifier: Apache-2.0 */
/* Blocked customers: who is, in memory as row ids in order; customer.block and .unblock. What a blocked one writes is
 * stored and answered as ever, and his tickets are closed as they begin: he is not told. */
#include "desk/customers/customers.h"

#include <stdlib.h>

#include "desk/desk_private.h"
#include "desk/people/people.h"

static int load_blocked(struct desk *desk)
{
        struct customers *customers = &desk->customers;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_PROFILES_BLOCKED);
        db_bind_int(stmt, 1, desk->workspace);
        size_t count = 0, room = 0;
        int64_t *ids = NULL;
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                if (count == room) {
                        room = room ? room * 2 : 64;
                        int64_t *more = realloc(ids, room * sizeof *ids);
                        if (!more) {
                                rc = DB_NOMEM;
                                break;
                        }
                        ids = more;
                }
                ids[count++] = db_int(stmt, 0);
        }
        db_reset(stmt);
        if (rc < 0) {
                free(ids);
                return rc;
        }
        free(customers->blocked);
        customers->blocked = ids;
        customers->blocked_count = count;
        customers->is_blocked_stale = false;
        return DB_OK;
}

static int compare_ids(const void *a, const void *b)
{
        int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
        return left < right ? -1 : left > right;
}

bool customers_is_blocked(struct desk *desk, int64_t customer)
{
        struct customers *customers = &desk->customers;
        if (customers->is_blocked_stale) {
                int rc = load_blocked(desk);
                if (rc < 0)
                        desk_db_failed(desk, rc);
        }
        return customers->blocked_count > 0 &&
               bsearch(&customer, customers->blocked, customers->blocked_count, sizeof customer, compare_ids) != NULL;
}

/* In the order of `all`, which changes as they are closed: from behind. */
static int close_tickets(struct desk *desk, const struct caller *caller, int64_t customer)
{
        struct ticket_by by = {.agent = caller->role == ROLE_AGENT ? caller->principal : 0,
                               .why = "the customer is blocked"};
        for (size_t i = desk->tickets.count; i-- > 0;) {
                struct ticket *ticket = desk->tickets.all[i];
                if (ticket->customer != customer || ticket->status == TICKET_CLOSED)
                        continue;
                int rc = ticket_discard(desk, ticket, &by, "blocked");
                if (rc < 0)
                        return rc;
        }
        return 0;
}

/* blocked_ms 0 ends the block. */
static int write_block(struct desk *desk, const struct caller *caller, int64_t customer, int64_t blocked_ms,
                       struct span reason)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_PROFILE_MAKE);
        db_bind_int(stmt, 1, customer);
        db_bind_int(stmt, 2, desk->workspace);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        stmt = db_stmt(desk->db, SQL_PROFILE_BLOCK);
        db_bind_int(stmt, 1, customer);
        db_bind_int(stmt, 2, blocked_ms);
        db_bind_int(stmt, 3, blocked_ms > 0 && caller->role == ROLE_AGENT ? caller->principal : 0);
        db_bind_text(stmt, 4, reason);
        rc = db_run(stmt);
        desk->customers.is_blocked_stale = true;
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static int change_block(struct desk *desk, const struct caller *caller, const struct principal_row *row,
                        bool is_blocked, struct span reason)
{
        if (customers_is_blocked(desk, row->id) == is_blocked)
                return 0; /* says the same again */
        int64_t author = caller->role == ROLE_AGENT ? caller->principal : 0;
        int rc = write_block(desk, caller, row->id, is_blocked ? desk->now_ms : 0, reason);
        if (rc == 0)
                rc = story_add(desk, row->id, is_blocked ? STORY_BLOCKED : STORY_UNBLOCKED, author, reason);
        if (rc == 0)
                rc = admin_audit(desk, caller, is_blocked ? "customer.block" : "customer.unblock", "usr", row->ext,
                                 (struct span){0});
        if (rc == 0 && is_blocked)
                rc = close_tickets(desk, caller, row->id);
        desk->customers.is_blocked_stale = true;
        return rc;
}

int handle_customer_block(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_customer_block *params = command->params;
        struct principal_row row;
        int rc = customers_find(desk, &command->caller, params->customer, &row);
        if (rc == 0)
                rc = change_block(desk, &command->caller, &row, true,
                                  params->has_reason ? params->reason : (struct span){0});
        struct protocol_customer_block_result result = {0};
        protocol_customer_block_result_write(out, &result);
        return rc;
}

int handle_customer_unblock(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_customer_unblock *params = command->params;
        struct principal_row row;
        int rc = customers_find(desk, &command->caller, params->customer, &row);
        if (rc == 0)
                rc = change_block(desk, &command->caller, &row, false, (struct span){0});
        struct protocol_customer_unblock_result result = {0};
        protocol_customer_unblock_result_write(out, &result);
        return rc;
}
