/* SPDX-License-Identifier: Apache-2.0 */
/* The life of what is known of customers: loading, who may see whom, being found by words, joining two, erasing one. */
#include "desk/customers/customers.h"

#include <stdlib.h>

#include "desk/customers/attributes.h"
#include "desk/customers/cards.h"
#include "desk/customers/words.h"
#include "desk/desk_private.h"
#include "desk/people/reach.h"

enum { WORDS_OF_CUSTOMER = 100, INDEX_AT_ONCE = 1000 };

/* ---- life ---- */

/* A store that was made before customers were found by words: all of them, once. */
static int index_all(struct desk *desk)
{
        int64_t done = 0, above = 0;
        int rc = meta_get_int(desk->db, "customer_words", &done);
        if (rc < 0 || (rc == DB_ROW && done == 1))
                return rc < 0 ? rc : DB_OK;
        if ((rc = db_begin(desk->db)) < 0)
                return rc;
        int64_t found[INDEX_AT_ONCE];
        int count = INDEX_AT_ONCE;
        while (rc >= 0 && count == INDEX_AT_ONCE) {
                struct db_stmt *stmt = db_stmt(desk->db, SQL_CUSTOMERS_ALL);
                db_bind_int(stmt, 1, above);
                db_bind_int(stmt, 2, INDEX_AT_ONCE);
                for (count = 0; count < INDEX_AT_ONCE && (rc = db_step(stmt)) == DB_ROW; count++)
                        found[count] = above = db_int(stmt, 0);
                db_reset(stmt);
                for (int i = 0; i < count && rc >= 0; i++)
                        if (customers_index(desk, found[i]) < 0)
                                rc = desk->db_failure;
        }
        if (rc >= 0)
                rc = meta_put_int(desk->db, "customer_words", 1);
        if (rc >= 0)
                return db_commit(desk->db);
        db_rollback(desk->db);
        return rc;
}

int customers_load(struct desk *desk)
{
        desk->customers.is_blocked_stale = true;
        int rc = attributes_load(desk);
        return rc < 0 ? rc : index_all(desk);
}

void customers_done(struct desk *desk)
{
        attributes_forget(&desk->customers);
        cards_forget(&desk->customers);
        free(desk->customers.cards);
        free(desk->customers.blocked);
        desk->customers = (struct customers){0};
}

void customers_committed(struct desk *desk)
{
        cards_settle(&desk->customers);
}

void customers_rolled_back(struct desk *desk)
{
        desk->customers.are_attributes_stale = desk->customers.is_blocked_stale = true;
        cards_forget(&desk->customers);
}

/* ---- who may see whom ---- */

int customers_reached(struct db *db, const struct reach *reach, int64_t customer)
{
        if (reach->is_all)
                return 1;
        int64_t convs[PROTOCOL_CONVERSATIONS];
        int count = 0, rc = DB_OK;
        struct db_stmt *stmt = db_stmt(db, SQL_CONVERSATIONS_OF);
        db_bind_int(stmt, 1, customer);
        db_bind_int(stmt, 2, 0);
        while (count < PROTOCOL_CONVERSATIONS && (rc = db_step(stmt)) == DB_ROW)
                convs[count++] = db_int(stmt, 0);
        db_reset(stmt);
        int holds = rc < 0 ? rc : 0;
        for (int i = 0; i < count && holds == 0; i++)
                holds = reach_holds_id(reach, db, convs[i]);
        return holds;
}

int customers_reach(struct db *db, const struct caller *caller, struct reach *out_reach)
{
        if (caller->role != ROLE_OPERATOR)
                return reach_load(db, caller, out_reach);
        *out_reach = reach_of_all(0, caller->workspace);
        return DB_OK;
}

int customers_look(struct db *db, const struct caller *caller, struct principal_id named, struct principal_row *out_row)
{
        struct reach reach;
        int rc = principals_load_ext(db, named.id, out_row);
        if (rc == DB_ROW && out_row->alias_of != 0)
                rc = principals_load(db, out_row->alias_of, out_row);
        if (rc < 0)
                return rc;
        if (rc == DB_OK || named.role != ROLE_CUSTOMER || out_row->role != ROLE_CUSTOMER ||
            out_row->workspace != caller->workspace)
                return DB_OK;
        if ((rc = customers_reach(db, caller, &reach)) < 0)
                return rc;
        rc = customers_reached(db, &reach, out_row->id);
        return rc == 1 ? DB_ROW : rc;
}

int customers_find(struct desk *desk, const struct caller *caller, struct principal_id named,
                   struct principal_row *out_row)
{
        int rc = customers_look(desk->db, caller, named, out_row);
        return rc < 0 ? desk_db_failed(desk, rc) : rc == DB_ROW ? 0 : -PROTOCOL_ERR_NOT_FOUND;
}

/* ---- words ---- */

static int add_known(struct desk *desk, int64_t customer, struct words *words)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_CUSTOMER_ATTRIBUTES_OF);
        db_bind_int(stmt, 1, customer);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                if (words_add(words, db_text(stmt, 1)) < 0) {
                        db_reset(stmt);
                        return DB_NOMEM;
                }
        }
        return rc;
}

static int put_words(struct desk *desk, int64_t customer, const struct words *words)
{
        for (size_t i = 0; i < words->count; i++) {
                struct db_stmt *stmt = db_stmt(desk->db, SQL_CUSTOMER_WORD_PUT);
                db_bind_int(stmt, 1, desk->workspace);
                db_bind_text(stmt, 2, words->at[i]);
                db_bind_int(stmt, 3, customer);
                int rc = db_run(stmt);
                if (rc < 0)
                        return rc;
        }
        return DB_OK;
}

static int run_for(struct desk *desk, enum sql_id id, int64_t customer)
{
        struct db_stmt *stmt = db_stmt(desk->db, id);
        db_bind_int(stmt, 1, customer);
        return db_run(stmt);
}

int customers_index(struct desk *desk, int64_t customer)
{
        struct principal_row row;
        struct arena arena;
        struct words words;
        char first[8192];
        arena_init(&arena, first, sizeof first);
        int rc = principals_load(desk->db, customer, &row);
        if (rc == DB_ROW) {
                bool is_full = words_init(&words, &arena, WORDS_OF_CUSTOMER) < 0 ||
                               words_add(&words, span_of(row.name)) < 0 || words_add(&words, span_of(row.email)) < 0 ||
                               words_add(&words, span_of(row.external_id)) < 0;
                rc = is_full ? DB_NOMEM : add_known(desk, customer, &words);
                if (rc >= 0)
                        rc = run_for(desk, SQL_CUSTOMER_WORDS_DELETE, customer);
                if (rc >= 0)
                        rc = put_words(desk, customer, &words);
        }
        arena_done(&arena);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* ---- changing ---- */

void customers_changed(struct desk *desk, int64_t customer)
{
        struct ticket *ticket;
        card_forget(&desk->customers, customer);
        tickets_each(desk, i, ticket)
        {
                if (ticket->customer == customer)
                        ticket_touch(desk, ticket);
        }
}

/* ---- joining two ---- */

static int run_both(struct desk *desk, enum sql_id id, int64_t from, int64_t into)
{
        struct db_stmt *stmt = db_stmt(desk->db, id);
        db_bind_int(stmt, 1, from);
        db_bind_int(stmt, 2, into);
        return db_run(stmt);
}

struct profile {
        char tier[CUSTOMER_NAME_BYTES + 1], reason[PROTOCOL_LABEL_POINTS * 4 + 1];
        int64_t origin, blocked_ms, blocked_by;
};

static void copy_text(char *to, size_t room, struct span text)
{
        size_t len = text.len < room ? text.len : room - 1;
        if (len > 0)
                memcpy(to, text.at, len);
        to[len] = 0;
}

/* DB_ROW or DB_OK (none). */
static int load_profile(struct desk *desk, int64_t customer, struct profile *out)
{
        *out = (struct profile){0};
        struct db_stmt *stmt = db_stmt(desk->db, SQL_PROFILE_GET);
        db_bind_int(stmt, 1, customer);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        copy_text(out->tier, sizeof out->tier, db_text(stmt, 0));
        out->origin = db_int(stmt, 1);
        out->blocked_ms = db_int(stmt, 2);
        out->blocked_by = db_int(stmt, 3);
        copy_text(out->reason, sizeof out->reason, db_text(stmt, 4));
        db_reset(stmt);
        return DB_ROW;
}

/* A tier that the other one has not; a block stays a block. */
static int join_profiles(struct desk *desk, int64_t from, int64_t into)
{
        struct profile theirs, own;
        int rc = load_profile(desk, from, &theirs);
        if (rc != DB_ROW)
                return rc;
        rc = load_profile(desk, into, &own);
        if (rc >= 0)
                rc = run_both(desk, SQL_PROFILE_MAKE, into, desk->workspace);
        if (rc >= 0 && theirs.tier[0] && !own.tier[0]) {
                struct db_stmt *stmt = db_stmt(desk->db, SQL_PROFILE_TIER);
                db_bind_int(stmt, 1, into);
                db_bind_text(stmt, 2, span_of(theirs.tier));
                db_bind_int(stmt, 3, origin_is_verified(theirs.origin) ? ORIGIN_CLIENT : theirs.origin);
                rc = db_run(stmt);
        }
        if (rc >= 0 && theirs.blocked_ms > 0 && own.blocked_ms == 0) {
                struct db_stmt *stmt = db_stmt(desk->db, SQL_PROFILE_BLOCK);
                db_bind_int(stmt, 1, into);
                db_bind_int(stmt, 2, theirs.blocked_ms);
                db_bind_int(stmt, 3, theirs.blocked_by);
                db_bind_text(stmt, 4, theirs.reason[0] ? span_of(theirs.reason) : (struct span){0});
                rc = db_run(stmt);
        }
        return rc < 0 ? rc : run_for(desk, SQL_PROFILE_DELETE, from);
}

int customers_joined(struct desk *desk, int64_t from, int64_t into)
{
        static const enum sql_id moves[] = {
                SQL_CUSTOMER_ATTRIBUTES_MOVE, SQL_CUSTOMER_TAGS_MOVE,    SQL_STORY_MOVE,
                SQL_CUSTOMER_TICKETS_MOVE,    SQL_CUSTOMER_ALIASES_MOVE, SQL_ROUTING_GIVEN_MOVE};
        static const enum sql_id ends[] = {SQL_CUSTOMER_ATTRIBUTES_DELETE, SQL_CUSTOMER_TAGS_DELETE,
                                           SQL_CUSTOMER_WORDS_DELETE};
        desk->customers.is_blocked_stale = true;
        int rc = join_profiles(desk, from, into);
        for (size_t i = 0; rc >= 0 && i < sizeof moves / sizeof *moves; i++)
                rc = run_both(desk, moves[i], from, into);
        for (size_t i = 0; rc >= 0 && i < sizeof ends / sizeof *ends; i++)
                rc = run_for(desk, ends[i], from);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        rc = story_add(desk, into, STORY_MERGED, 0, (struct span){0});
        if (rc == 0)
                rc = customers_index(desk, into);
        if (rc < 0)
                return rc;
        struct ticket *ticket;
        tickets_each(desk, i, ticket)
        {
                if (ticket->customer == from) {
                        ticket->customer = into;
                        ticket_touch(desk, ticket);
                }
        }
        card_forget(&desk->customers, from);
        customers_changed(desk, into);
        desk->customers.is_blocked_stale = true;
        return 0;
}

int customers_erase(struct desk *desk, int64_t customer)
{
        static const enum sql_id all[] = {SQL_PROFILE_DELETE, SQL_CUSTOMER_ATTRIBUTES_DELETE, SQL_CUSTOMER_TAGS_DELETE,
                                          SQL_STORY_DELETE, SQL_CUSTOMER_WORDS_DELETE};
        int rc = DB_OK;
        desk->customers.is_blocked_stale = true;
        for (size_t i = 0; rc >= 0 && i < sizeof all / sizeof *all; i++)
                rc = run_for(desk, all[i], customer);
        customers_changed(desk, customer);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}
