/* SPDX-License-Identifier: Apache-2.0 */
/* customer.set, customer.describe and tier.set: changing what is known of a customer. */
#include "desk/customers/profile.h"

#include "desk/customers/attributes.h"
#include "desk/desk_private.h"
#include "desk/people/people.h"
#include "desk/reading.h"

enum { DESCRIBE_EVERY_MS = 1000 };

static int run_for(struct desk *desk, enum sql_id id, int64_t customer)
{
        struct db_stmt *stmt = db_stmt(desk->db, id);
        db_bind_int(stmt, 1, customer);
        return db_run(stmt);
}

/* 1 when there is no profile yet. */
static int load_version(struct desk *desk, int64_t customer, int64_t *out_version)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_PROFILE_GET);
        db_bind_int(stmt, 1, customer);
        int rc = db_step(stmt);
        *out_version = rc == DB_ROW ? db_int(stmt, 5) : 1;
        db_reset(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static int put_tag(struct desk *desk, int64_t customer, struct span tag, bool is_added)
{
        struct db_stmt *stmt = db_stmt(desk->db, is_added ? SQL_CUSTOMER_TAG_PUT : SQL_CUSTOMER_TAG_DELETE);
        db_bind_int(stmt, 1, customer);
        db_bind_text(stmt, 2, tag);
        if (is_added)
                db_bind_int(stmt, 3, desk->workspace);
        return db_run(stmt);
}

/* In the savepoint of the call, so that one too many is taken back with everything else. */
static int write_tags(struct desk *desk, int64_t customer, const struct protocol_customer_set *params)
{
        int rc = DB_OK, count = 0;
        for (size_t i = 0; rc >= 0 && params->has_remove_tags && i < params->remove_tags_count; i++)
                rc = put_tag(desk, customer, params->remove_tags[i], false);
        for (size_t i = 0; rc >= 0 && params->has_add_tags && i < params->add_tags_count; i++)
                rc = put_tag(desk, customer, params->add_tags[i], true);
        if (rc >= 0) {
                struct db_stmt *stmt = db_stmt(desk->db, SQL_CUSTOMER_TAGS_OF);
                db_bind_int(stmt, 1, customer);
                while ((rc = db_step(stmt)) == DB_ROW)
                        count++;
        }
        if (rc < 0)
                return desk_db_failed(desk, rc);
        return count > CUSTOMER_TAGS ? -PROTOCOL_ERR_TOO_MANY : 0;
}

static int raise_version(struct desk *desk, int64_t customer)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_PROFILE_MAKE);
        db_bind_int(stmt, 1, customer);
        db_bind_int(stmt, 2, desk->workspace);
        int rc = db_run(stmt);
        if (rc >= 0)
                rc = run_for(desk, SQL_PROFILE_VERSION, customer);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int handle_customer_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_customer_set *params = command->params;
        bool is_agent = command->caller.role == ROLE_AGENT;
        struct sayer sayer = {.origin = is_agent ? ORIGIN_AGENT : ORIGIN_OPERATOR,
                              .author = is_agent ? command->caller.principal : 0};
        struct said said = {.at = params->attributes,
                            .count = params->has_attributes ? params->attributes_count : 0,
                            .has_tier = params->has_tier,
                            .tier = params->tier};
        struct principal_row row;
        int64_t version = 0;
        int rc = customers_find(desk, &command->caller, params->customer, &row);
        if (rc == 0)
                rc = load_version(desk, row.id, &version);
        if (rc == 0 && params->has_version && params->version != version)
                return fault_set(fault, PROTOCOL_ERR_STALE, "version", "the version it has now");
        if (rc == 0)
                rc = said_check(desk, &row, &sayer, &said, fault);
        if (rc == 0)
                rc = write_tags(desk, row.id, params);
        if (rc == 0)
                rc = raise_version(desk, row.id);
        if (rc == 0)
                rc = said_write(desk, &row, &sayer, &said);
        if (rc < 0)
                return rc;
        struct protocol_customer_set_result result = {.version = version + 1};
        protocol_customer_set_result_write(out, &result);
        return admin_audit(desk, &command->caller, "customer.set", "usr", row.ext, (struct span){0});
}

/* A client that says something each moment has to wait. */
static int check_pace(struct desk *desk, int64_t customer)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_CUSTOMER_ATTRIBUTE_NEWEST);
        db_bind_int(stmt, 1, customer);
        db_bind_int(stmt, 2, ORIGIN_CLIENT);
        int rc = db_step(stmt);
        int64_t since_ms = rc == DB_ROW ? desk->now_ms - db_int(stmt, 0) : DESCRIBE_EVERY_MS;
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (since_ms < 0 || since_ms >= DESCRIBE_EVERY_MS)
                return 0;
        desk->answer.retry_after_ms = DESCRIBE_EVERY_MS - since_ms;
        return -PROTOCOL_ERR_RATE_LIMITED;
}

int handle_customer_describe(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_customer_describe *params = command->params;
        struct sayer sayer = {.origin = command->caller.via_app ? ORIGIN_APP : ORIGIN_CLIENT};
        struct said said = {.at = params->attributes,
                            .count = params->attributes_count,
                            .has_tier = params->has_tier,
                            .tier = params->tier};
        struct principal_row row;
        if (command->caller.role != ROLE_CUSTOMER)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "act_as", "a customer");
        if (said.has_tier && sayer.origin != ORIGIN_APP)
                return fault_set(fault, PROTOCOL_ERR_FORBIDDEN, "tier", "nothing: only the app's back end says it");
        int rc = principals_load(desk->db, command->caller.principal, &row);
        if (rc != DB_ROW)
                return rc < 0 ? desk_db_failed(desk, rc) : -PROTOCOL_ERR_NOT_FOUND;
        rc = said_check(desk, &row, &sayer, &said, fault);
        if (rc == 0 && sayer.origin == ORIGIN_CLIENT)
                rc = check_pace(desk, row.id);
        if (rc == 0)
                rc = said_write(desk, &row, &sayer, &said);
        if (rc < 0)
                return rc;
        struct protocol_customer_describe_result result = {0};
        protocol_customer_describe_result_write(out, &result);
        return 0;
}

/* ---- tiers ---- */

int handle_tier_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_tier_set *params = command->params;
        for (size_t i = 0; i < params->tiers_count; i++)
                for (size_t other = 0; other < i; other++)
                        if (span_equal(params->tiers[i], params->tiers[other]))
                                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "tiers", "none twice");
        int rc = run_for(desk, SQL_TIERS_CLEAR, desk->workspace);
        for (size_t i = 0; rc >= 0 && i < params->tiers_count; i++) {
                struct db_stmt *stmt = db_stmt(desk->db, SQL_TIER_INSERT);
                db_bind_int(stmt, 1, desk->workspace);
                db_bind_int(stmt, 2, (int64_t)i + 1);
                db_bind_text(stmt, 3, params->tiers[i]);
                rc = db_run(stmt);
        }
        if (rc < 0)
                return desk_db_failed(desk, rc);
        struct protocol_tier_set_result result = {0};
        protocol_tier_set_result_write(out, &result);
        return admin_audit(desk, &command->caller, "tier.set", "tie", 0, (struct span){0});
}

int read_tier_list(const struct reading *reading)
{
        struct protocol_tier_list_result result = {0};
        result.tiers = arena_take(&reading->command->arena, CUSTOMER_TIERS * sizeof *result.tiers);
        if (!result.tiers)
                return -PROTOCOL_ERR_INTERNAL;
        struct db_stmt *stmt = db_stmt(reading->db, SQL_TIERS_ALL);
        db_bind_int(stmt, 1, reading->command->caller.workspace);
        int rc = DB_OK;
        while (result.tiers_count < CUSTOMER_TIERS && (rc = db_step(stmt)) == DB_ROW)
                result.tiers[result.tiers_count++] = reading_copy(reading, db_text(stmt, 0));
        db_reset(stmt);
        if (rc < 0)
                return reading_failed(reading, rc);
        protocol_tier_list_result_write(reading->out, &result);
        return 0;
}
