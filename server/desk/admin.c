/* SPDX-License-Identifier: Apache-2.0 */
/* Methods of the operator: apps, signing keys, agents, taking access back. Each change leaves a line in the audit
 * trail. */
#include "desk/desk_private.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

enum { INVITE_MS = 72 * 3600 * 1000 };
#define STAFF_SESSION_MS ((int64_t)30 * 24 * 3600 * 1000)

int operator_audit(struct desk *desk, const char *action, const char *prefix, uint64_t ext, struct span detail)
{
        char object[ID_TEXT_BYTES];
        id_write(object, prefix, ext);
        int rc = audit_put(desk->db, desk->now_ms, 0, ROLE_OPERATOR, action, (struct span){object, sizeof object},
                           detail);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int operator_find_app(struct desk *desk, uint64_t ext, int64_t *out_id)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_APP_BY_EXT);
        db_bind_int(stmt, 1, (int64_t)ext);
        int rc = db_step(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK)
                return -PROTOCOL_ERR_NOT_FOUND;
        *out_id = db_int(stmt, 0);
        db_reset(stmt);
        return 0;
}

/* Origins as a JSON array; absent = none. */
static void write_origins(struct writer *writer, const struct protocol_app_add *params)
{
        writer_char(writer, '[');
        for (size_t i = 0; params->has_origins && i < params->origins_count; i++) {
                if (i > 0)
                        writer_char(writer, ',');
                writer_string(writer, params->origins[i]);
        }
        writer_char(writer, ']');
}

int handle_app_add(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_app_add *params = command->params;
        struct protocol_app_add_result result = {.app = desk_new_id(desk)};
        struct writer origins;
        writer_init(&origins, NULL, 0);
        write_origins(&origins, params);
        struct db_stmt *stmt = db_stmt(desk->db, SQL_APP_INSERT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, (int64_t)result.app);
        db_bind_text(stmt, 3, params->name);
        db_bind_text(stmt, 4, (struct span){origins.bytes, origins.len});
        db_bind_int(stmt, 5, desk->now_ms);
        int rc = origins.failed ? DB_NOMEM : db_run(stmt);
        writer_done(&origins);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        desk->keys_changed = true;
        protocol_app_add_result_write(out, &result);
        return operator_audit(desk, "app.add", "app", result.app, (struct span){0});
}

int handle_app_list(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        struct protocol_app_list_result result = {0};
        enum { APPS_MAX = 1000 };
        result.apps = arena_take(&command->arena, APPS_MAX * sizeof *result.apps);
        if (!result.apps)
                return -PROTOCOL_ERR_INTERNAL;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_APPS_ALL);
        int rc = DB_OK;
        while (result.apps_count < APPS_MAX && (rc = db_step(stmt)) == DB_ROW) {
                struct protocol_app_row *row = &result.apps[result.apps_count++];
                struct span name = db_text(stmt, 3);
                char *copy = arena_take(&command->arena, name.len);
                if (copy)
                        memcpy(copy, name.at, name.len);
                row->app = (uint64_t)db_int(stmt, 2);
                row->name = (struct span){copy, copy ? name.len : 0};
                row->created = db_int(stmt, 5);
        }
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        protocol_app_list_result_write(out, &result);
        return 0;
}

/* HS256 secrets come as base64. The decoded length, or -1. */
static int decode_secret(struct span text, uint8_t *out, size_t room)
{
        if (text.len % 4 != 0 || text.len / 4 * 3 > room)
                return -1;
        int len = EVP_DecodeBlock(out, (const uint8_t *)text.at, (int)text.len);
        for (size_t i = text.len; len > 0 && i > 0 && text.at[i - 1] == '='; i--)
                len--;
        return len;
}

static bool is_kid(struct span kid)
{
        for (size_t i = 0; i < kid.len; i++) {
                char c = kid.at[i];
                bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                            c == '_' || c == '-';
                if (!fine)
                        return false;
        }
        return kid.len > 0;
}

static int insert_key(struct desk *desk, int64_t app, const struct protocol_key_add *params, struct span material)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_KEY_INSERT);
        db_bind_int(stmt, 1, app);
        db_bind_text(stmt, 2, params->kid);
        db_bind_int(stmt, 3, params->alg);
        db_bind_blob(stmt, 4, material.at, material.len);
        db_bind_int(stmt, 5, desk->now_ms);
        int rc = db_run(stmt);
        if (rc == DB_CONSTRAINT)
                return -PROTOCOL_ERR_CONFLICT;
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int handle_key_add(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_key_add *params = command->params;
        uint8_t secret[PROTOCOL_TOKEN_BYTES];
        struct span material = params->material;
        int64_t app = 0;
        int rc = operator_find_app(desk, params->app, &app);
        if (rc < 0)
                return rc;
        if (!is_kid(params->kid))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "kid", "letters, digits, . _ -");
        if (params->alg == PROTOCOL_KEY_ADD_ALG_HS256) {
                int len = decode_secret(material, secret, sizeof secret);
                if (len < 32)
                        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "material", "base64 of at least 32 bytes");
                material = (struct span){(char *)secret, (size_t)len};
        }
        struct jwt_key *key = jwt_key_new((enum jwt_alg)params->alg, material);
        if (!key)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "material",
                                 "a public key in PEM that fits the algorithm");
        jwt_key_free(key);
        rc = insert_key(desk, app, params, material);
        if (rc < 0)
                return rc;
        desk->keys_changed = true;
        struct protocol_key_add_result result = {.kid = params->kid};
        protocol_key_add_result_write(out, &result);
        return operator_audit(desk, "key.add", "app", params->app, params->kid);
}

int handle_key_list(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_key_list *params = command->params;
        enum { KEYS_MAX = 100 };
        struct protocol_key_list_result result = {0};
        int64_t app = 0;
        int rc = operator_find_app(desk, params->app, &app);
        if (rc < 0)
                return rc;
        result.keys = arena_take(&command->arena, KEYS_MAX * sizeof *result.keys);
        if (!result.keys)
                return -PROTOCOL_ERR_INTERNAL;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_KEYS_OF);
        db_bind_int(stmt, 1, app);
        while (result.keys_count < KEYS_MAX && (rc = db_step(stmt)) == DB_ROW) {
                struct protocol_key_row *row = &result.keys[result.keys_count++];
                struct span kid = db_text(stmt, 0);
                char *copy = arena_take(&command->arena, kid.len);
                if (copy)
                        memcpy(copy, kid.at, kid.len);
                row->kid = (struct span){copy, copy ? kid.len : 0};
                row->alg = (enum protocol_key_row_alg)db_int(stmt, 1);
                row->created = db_int(stmt, 2);
        }
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        protocol_key_list_result_write(out, &result);
        return 0;
}

int handle_key_remove(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_key_remove *params = command->params;
        int64_t app = 0;
        int rc = operator_find_app(desk, params->app, &app);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_KEY_REMOVE);
        db_bind_int(stmt, 1, app);
        db_bind_text(stmt, 2, params->kid);
        rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (db_changes(desk->db) == 0)
                return -PROTOCOL_ERR_NOT_FOUND;
        desk->keys_changed = true;
        struct protocol_key_remove_result result = {0};
        protocol_key_remove_result_write(out, &result);
        return operator_audit(desk, "key.remove", "app", params->app, params->kid);
}

int handle_agent_add(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_agent_add *params = command->params;
        int allowed = people_may_manage(desk, &command->caller, NULL, fault);
        if (allowed < 0)
                return allowed;
        struct principal_row row = {.workspace = desk->workspace, .ext = desk_new_id(desk), .role = ROLE_AGENT};
        snprintf(row.name, sizeof row.name, "%.*s", (int)params->name.len, params->name.at);
        if (params->has_email)
                snprintf(row.email, sizeof row.email, "%.*s", (int)params->email.len, params->email.at);
        int rc = principals_insert(desk->db, &row, NULL, params->has_invite ? params->invite : NULL,
                                   params->has_invite ? desk->now_ms + INVITE_MS : 0, desk->now_ms);
        if (rc == DB_CONSTRAINT)
                return -PROTOCOL_ERR_CONFLICT;
        if (rc < 0)
                return desk_db_failed(desk, rc);
        people_changed(desk);
        struct protocol_agent_add_result result = {.agent = {ROLE_AGENT, row.ext}};
        protocol_agent_add_result_write(out, &result);
        return admin_audit(desk, &command->caller, "agent.add", "agt", row.ext, (struct span){0});
}

static int find_principal(struct desk *desk, struct principal_id who, struct principal_row *out_row)
{
        int rc = principals_load_ext(desk->db, who.id, out_row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        return rc == DB_ROW && out_row->role == who.role ? 0 : -PROTOCOL_ERR_NOT_FOUND;
}

int handle_agent_session(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_agent_session *params = command->params;
        struct principal_row row;
        int rc = find_principal(desk, params->agent, &row);
        if (rc == 0 && row.role != ROLE_AGENT)
                rc = -PROTOCOL_ERR_NOT_FOUND;
        if (rc == 0 && row.revoked_ms != 0)
                rc = -PROTOCOL_ERR_REVOKED;
        if (rc < 0)
                return rc;
        struct protocol_agent_session_result result = {.expires = desk->now_ms + STAFF_SESSION_MS};
        rc = staff_sessions_put(desk->db, params->token_hash, row.id, params->label, desk->now_ms, result.expires);
        if (rc == DB_CONSTRAINT)
                return -PROTOCOL_ERR_CONFLICT; /* that token is in use */
        if (rc < 0)
                return desk_db_failed(desk, rc);
        protocol_agent_session_result_write(out, &result);
        return operator_audit(desk, "agent.session", "agt", row.ext, params->label);
}

/* Tokens issued up to now are refused; open connections are told to go after the commit. */
static int revoke(struct desk *desk, const struct principal_row *row, bool for_good)
{
        int64_t valid_from_s = desk->now_ms / 1000 + 1;
        int rc = principals_revoke(desk->db, row->id, for_good ? desk->now_ms : 0, valid_from_s);
        if (rc >= 0)
                rc = devices_push_end(desk->db, row->id);
        if (rc >= 0)
                rc = staff_sessions_end(desk->db, row->id);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (row->role == ROLE_AGENT)
                people_changed(desk);
        http_tokens_drop_principal(desk->http_tokens, row->id);
        struct principal *who = directory_find(desk->directory, row->id);
        if (who)
                sessions_close_principal(desk, who, PROTOCOL_CLOSE_REVOKED);
        return 0;
}

int handle_agent_revoke(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_agent_revoke *params = command->params;
        struct principal_row row;
        int rc = find_principal(desk, params->agent, &row);
        if (rc == 0 && row.role != ROLE_AGENT)
                rc = -PROTOCOL_ERR_NOT_FOUND;
        if (rc == 0)
                rc = people_may_manage(desk, &command->caller, people_agent(desk, row.id), fault);
        if (rc == 0)
                rc = revoke(desk, &row, true);
        if (rc < 0)
                return rc;
        struct protocol_agent_revoke_result result = {0};
        protocol_agent_revoke_result_write(out, &result);
        return admin_audit(desk, &command->caller, "agent.revoke", "agt", row.ext, (struct span){0});
}

int handle_customer_revoke(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_customer_revoke *params = command->params;
        struct principal_row row;
        int rc = find_principal(desk, params->customer, &row);
        if (rc == 0 && row.alias_of != 0 && (rc = principals_load(desk->db, row.alias_of, &row)) != DB_ROW)
                return desk_db_failed(desk, rc < 0 ? rc : DB_DAMAGED); /* a claimed visitor: the user it belongs to */
        if (rc == DB_ROW)
                rc = 0;
        if (rc == 0 && row.role != ROLE_CUSTOMER)
                rc = -PROTOCOL_ERR_NOT_FOUND;
        if (rc == 0)
                rc = revoke(desk, &row, row.app != 0); /* a visitor's secret has no time of issue: it ends for good */
        if (rc < 0)
                return rc;
        struct protocol_customer_revoke_result result = {0};
        protocol_customer_revoke_result_write(out, &result);
        return operator_audit(desk, "customer.revoke", "usr", row.ext, (struct span){0});
}

static int64_t count_of(struct desk *desk, enum sql_id id)
{
        struct db_stmt *stmt = db_stmt(desk->db, id);
        int rc = db_step(stmt);
        int64_t count = rc == DB_ROW ? db_int(stmt, 0) : 0;
        if (rc < 0)
                desk_db_failed(desk, rc);
        db_reset(stmt);
        return count;
}

int handle_store_status(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)command;
        (void)fault;
        struct protocol_store_status_result result = {0};
        result.workspace = desk->workspace_ext;
        memcpy(result.epoch, desk->epoch, sizeof result.epoch);
        result.rev = desk->rev;
        if (meta_get_int(desk->db, "schema", &result.schema) < 0)
                return desk_db_failed(desk, DB_IO);
        result.conversations = count_of(desk, SQL_COUNT_CONVERSATIONS);
        result.customers = count_of(desk, SQL_COUNT_CUSTOMERS);
        result.agents = count_of(desk, SQL_COUNT_AGENTS);
        result.read_only = desk_is_read_only(desk);
        result.clock_suspect = desk_is_clock_suspect(desk);
        protocol_store_status_result_write(out, &result);
        return 0;
}
