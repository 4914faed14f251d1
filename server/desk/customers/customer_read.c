/* SPDX-License-Identifier: Apache-2.0 */
/* customer.get and customer.list, from a reader's view: whom the caller does not reach is not there. */
#include <stdio.h>
#include <stdlib.h>

#include "desk/customers/attributes.h"
#include "desk/customers/words.h"
#include "desk/desk_private.h"
#include "desk/people/reach.h"
#include "desk/reading.h"

enum { ALIASES_MAX = 100, KNOWN_MAX = 200, LIST_DEFAULT = 50, LOOKED_AT_MAX = 5000 };

/* A row of the statements customer_by_id and customer_page...; texts in the command's arena. */
static void take_row(const struct reading *reading, struct db_stmt *stmt, struct protocol_customer_row *out)
{
        *out = (struct protocol_customer_row){.customer = {ROLE_CUSTOMER, (uint64_t)db_int(stmt, 1)},
                                              .external_id = reading_copy(reading, db_text(stmt, 2)),
                                              .name = reading_copy(reading, db_text(stmt, 3)),
                                              .email = reading_copy(reading, db_text(stmt, 4)),
                                              .locale = reading_copy(reading, db_text(stmt, 5)),
                                              .created = db_int(stmt, 6),
                                              .tier = reading_copy(reading, db_text(stmt, 9)),
                                              .blocked = db_int(stmt, 10)};
        out->has_external_id = out->external_id.len > 0;
        out->has_verified = out->verified = out->has_external_id;
        out->has_name = out->name.len > 0;
        out->has_email = out->email.len > 0;
        out->has_locale = out->locale.len > 0;
        out->has_tier = out->tier.len > 0;
        out->has_blocked = out->blocked > 0;
}

/* ---- customer.get ---- */

/* The customer by id or conversation. 0 or a negative protocol error. */
static int find(const struct reading *reading, const struct protocol_customer_get *params,
                struct principal_row *out_row)
{
        const struct caller *caller = &reading->command->caller;
        struct principal_id named = params->customer;
        if (params->has_customer == params->has_conv)
                return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "customer",
                                 "exactly one of customer and conv");
        if (params->has_conv) {
                struct db_stmt *stmt = db_stmt(reading->db, SQL_CUSTOMER_OF_CONVERSATION);
                db_bind_int(stmt, 1, (int64_t)params->conv);
                db_bind_int(stmt, 2, caller->workspace);
                int rc = db_step(stmt);
                int64_t id = rc == DB_ROW ? db_int(stmt, 0) : 0;
                db_reset(stmt);
                if (rc == DB_ROW)
                        rc = principals_load(reading->db, id, out_row);
                if (rc < 0)
                        return reading_failed(reading, rc);
                named = (struct principal_id){ROLE_CUSTOMER, rc == DB_ROW ? out_row->ext : 0};
        }
        int rc = customers_look(reading->db, caller, named, out_row);
        return rc < 0 ? reading_failed(reading, rc) : rc == DB_ROW ? 0 : -PROTOCOL_ERR_NOT_FOUND;
}

static int read_known(const struct reading *reading, int64_t customer, struct protocol_customer_get_result *result)
{
        result->attributes = arena_take(&reading->command->arena, KNOWN_MAX * sizeof *result->attributes);
        if (!result->attributes)
                return DB_NOMEM;
        struct db_stmt *stmt = db_stmt(reading->db, SQL_CUSTOMER_ATTRIBUTES_KINDS);
        db_bind_int(stmt, 1, customer);
        db_bind_int(stmt, 2, reading->command->caller.workspace);
        int rc = DB_OK;
        while (result->attributes_count < KNOWN_MAX && (rc = db_step(stmt)) == DB_ROW) {
                struct protocol_attribute_known *one = &result->attributes[result->attributes_count++];
                *one = (struct protocol_attribute_known){.name = reading_copy(reading, db_text(stmt, 0)),
                                                         .value = reading_copy(reading, db_text(stmt, 1)),
                                                         .origin =
                                                                 (enum protocol_attribute_known_origin)db_int(stmt, 2),
                                                         .has_by = db_int(stmt, 3) != 0,
                                                         .by = directory_author(reading->directory, db_int(stmt, 3)),
                                                         .at = db_int(stmt, 4),
                                                         .has_kind = db_int(stmt, 5) != 0,
                                                         .kind = (enum protocol_attribute_known_kind)db_int(stmt, 5)};
                one->has_verified = one->verified = origin_is_verified((int64_t)one->origin);
        }
        db_reset(stmt);
        return rc;
}

static int read_tags(const struct reading *reading, int64_t customer, struct protocol_customer_get_result *result)
{
        result->tags = arena_take(&reading->command->arena, CUSTOMER_TAGS * sizeof *result->tags);
        if (!result->tags)
                return DB_NOMEM;
        struct db_stmt *stmt = db_stmt(reading->db, SQL_CUSTOMER_TAGS_OF);
        db_bind_int(stmt, 1, customer);
        int rc = DB_OK;
        while (result->tags_count < CUSTOMER_TAGS && (rc = db_step(stmt)) == DB_ROW)
                result->tags[result->tags_count++] = reading_copy(reading, db_text(stmt, 0));
        db_reset(stmt);
        return rc;
}

static int read_aliases(const struct reading *reading, int64_t customer, struct protocol_customer_get_result *result)
{
        result->aliases = arena_take(&reading->command->arena, ALIASES_MAX * sizeof *result->aliases);
        if (!result->aliases)
                return DB_NOMEM;
        struct db_stmt *stmt = db_stmt(reading->db, SQL_CUSTOMER_ALIAS_IDS);
        db_bind_int(stmt, 1, customer);
        int rc = DB_OK;
        while (result->aliases_count < ALIASES_MAX && (rc = db_step(stmt)) == DB_ROW)
                result->aliases[result->aliases_count++] =
                        (struct principal_id){ROLE_CUSTOMER, (uint64_t)db_int(stmt, 0)};
        db_reset(stmt);
        result->has_aliases = result->aliases_count > 0;
        return rc;
}

static int read_profile(const struct reading *reading, int64_t customer, struct protocol_customer_get_result *result)
{
        result->version = 1;
        struct db_stmt *stmt = db_stmt(reading->db, SQL_PROFILE_GET);
        db_bind_int(stmt, 1, customer);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        bool is_blocked = db_int(stmt, 2) > 0;
        result->version = db_int(stmt, 5);
        result->has_blocked_by = is_blocked && db_int(stmt, 3) != 0;
        result->blocked_by = directory_author(reading->directory, db_int(stmt, 3));
        result->block_reason = reading_copy(reading, db_text(stmt, 4));
        result->has_block_reason = is_blocked && result->block_reason.len > 0;
        db_reset(stmt);
        return DB_OK;
}

static int read_row(const struct reading *reading, int64_t customer, struct protocol_customer_row *out)
{
        struct db_stmt *stmt = db_stmt(reading->db, SQL_CUSTOMER_BY_ID);
        db_bind_int(stmt, 1, customer);
        int rc = db_step(stmt);
        if (rc == DB_ROW)
                take_row(reading, stmt, out);
        db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

int read_customer_get(const struct reading *reading)
{
        struct principal_row row = {0};
        struct protocol_customer_get_result result = {0};
        int rc = find(reading, reading->command->params, &row);
        if (rc < 0)
                return rc;
        rc = read_row(reading, row.id, &result.customer);
        if (rc >= 0)
                rc = read_profile(reading, row.id, &result);
        if (rc >= 0)
                rc = read_known(reading, row.id, &result);
        if (rc >= 0)
                rc = read_tags(reading, row.id, &result);
        if (rc >= 0)
                rc = read_aliases(reading, row.id, &result);
        if (rc < 0)
                return reading_failed(reading, rc);
        protocol_customer_get_result_write(reading->out, &result);
        return 0;
}

/* ---- customer.list ---- */

struct list {
        const struct reading *reading;
        const struct protocol_customer_list *params;
        struct word_range terms[WORD_TERMS];
        int term_count;
        int64_t before, limit;
        struct reach reach;
        bool has_next;
};

/* The narrowest of what is asked leads; everything else is looked at row by row. */
static struct db_stmt *list_statement(const struct list *list)
{
        const struct protocol_customer_list *params = list->params;
        enum sql_id id = list->term_count > 0                     ? SQL_CUSTOMER_PAGE_WORD
                         : params->has_tag                        ? SQL_CUSTOMER_PAGE_TAG
                         : params->has_blocked && params->blocked ? SQL_CUSTOMER_PAGE_BLOCKED
                         : params->has_tier                       ? SQL_CUSTOMER_PAGE_TIER
                                                                  : SQL_CUSTOMER_PAGE;
        struct db_stmt *stmt = db_stmt(list->reading->db, id);
        db_bind_int(stmt, 1, list->reading->command->caller.workspace);
        db_bind_int(stmt, 2, list->before);
        db_bind_int(stmt, 3, LOOKED_AT_MAX);
        if (id == SQL_CUSTOMER_PAGE_WORD) {
                db_bind_text(stmt, 4, list->terms[0].low);
                db_bind_text(stmt, 5, list->terms[0].high);
        } else if (id == SQL_CUSTOMER_PAGE_TAG || id == SQL_CUSTOMER_PAGE_TIER) {
                db_bind_text(stmt, 4, id == SQL_CUSTOMER_PAGE_TAG ? params->tag : params->tier);
        }
        return stmt;
}

/* 1, 0 or a db_error. */
static int has_words(const struct list *list, int64_t customer)
{
        int rc = 1;
        for (int i = 1; rc == 1 && i < list->term_count; i++) {
                struct db_stmt *stmt = db_stmt(list->reading->db, SQL_CUSTOMER_HAS_WORD);
                db_bind_int(stmt, 1, customer);
                db_bind_text(stmt, 2, list->terms[i].low);
                db_bind_text(stmt, 3, list->terms[i].high);
                rc = db_step(stmt);
                db_reset(stmt);
        }
        return rc;
}

static int has_tag(const struct list *list, int64_t customer)
{
        if (!list->params->has_tag)
                return 1;
        struct db_stmt *stmt = db_stmt(list->reading->db, SQL_CUSTOMER_HAS_TAG);
        db_bind_int(stmt, 1, customer);
        db_bind_text(stmt, 2, list->params->tag);
        int rc = db_step(stmt);
        db_reset(stmt);
        return rc;
}

static int is_asked_for(const struct list *list, struct db_stmt *stmt)
{
        const struct protocol_customer_list *params = list->params;
        int64_t customer = db_int(stmt, 0);
        if (params->has_tier && !span_equal(db_text(stmt, 9), params->tier))
                return 0;
        if (params->has_blocked && params->blocked && db_int(stmt, 10) == 0)
                return 0;
        int rc = has_words(list, customer);
        if (rc == 1)
                rc = has_tag(list, customer);
        return rc == 1 ? customers_reached(list->reading->db, &list->reach, customer) : rc;
}

/* Ends with the page, or with what may be looked at for one. */
static int fill_page(struct list *list, struct protocol_customer_list_result *result)
{
        struct db_stmt *stmt = list_statement(list);
        int looked_at = 0, rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                if ((int64_t)result->customers_count == list->limit) {
                        list->has_next = true;
                        break;
                }
                int64_t id = db_int(stmt, 0);
                int fits = is_asked_for(list, stmt);
                if (fits < 0) {
                        rc = fits;
                        break;
                }
                if (fits == 1)
                        take_row(list->reading, stmt, &result->customers[result->customers_count++]);
                list->before = id;
                list->has_next = ++looked_at == LOOKED_AT_MAX;
        }
        db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

static int prepare(struct list *list)
{
        const struct protocol_customer_list *params = list->params;
        const struct reading *reading = list->reading;
        list->limit = params->has_limit ? params->limit : LIST_DEFAULT;
        list->before = INT64_MAX;
        if (params->has_after) {
                char text[33], *end;
                snprintf(text, sizeof text, "%.*s", (int)params->after.len, params->after.at);
                list->before = strtoll(text, &end, 10);
                if (*end || list->before <= 0)
                        return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "after", "`next` of a page before");
        }
        if (params->has_query) {
                list->term_count = words_query(params->query, &reading->command->arena, list->terms);
                if (list->term_count < 0)
                        return -PROTOCOL_ERR_INTERNAL;
                if (list->term_count == 0)
                        return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "query", "letters or digits");
        }
        int rc = customers_reach(reading->db, &reading->command->caller, &list->reach);
        return rc < 0 ? reading_failed(reading, rc) : 0;
}

int read_customer_list(const struct reading *reading)
{
        struct list list = {.reading = reading, .params = reading->command->params};
        int rc = prepare(&list);
        if (rc < 0)
                return rc;
        struct protocol_customer_list_result result = {0};
        result.customers = arena_take(&reading->command->arena, (size_t)list.limit * sizeof *result.customers);
        if (!result.customers)
                return -PROTOCOL_ERR_INTERNAL;
        rc = fill_page(&list, &result);
        if (rc < 0)
                return reading_failed(reading, rc);
        char next[32];
        if (list.has_next) {
                snprintf(next, sizeof next, "%lld", (long long)list.before);
                result.has_next = true;
                result.next = span_of(next);
        }
        protocol_customer_list_result_write(reading->out, &result);
        return 0;
}
