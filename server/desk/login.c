/* SPDX-License-Identifier: Apache-2.0 */
/* Agents' logins: what the crypto thread has checked becomes a session here, if it is still true; and the operator's
 * way to let somebody in again, or out. A session's token is told once; the store keeps its hash. */
#include "desk/desk_private.h"

#include "desk/totp.h"

enum { INVITE_MS = 72 * 3600 * 1000, IDLE_END_MS = 12 * 3600 * 1000, SESSION_NAME = 8, SESSIONS_MAX = 100 };
#define SESSION_MS ((int64_t)30 * 24 * 3600 * 1000)

static int audit(struct desk *desk, int64_t actor, const char *action, uint64_t ext, struct span detail)
{
        char object[ID_TEXT_BYTES];
        id_write(object, "agt", ext);
        int rc = audit_put(desk->db, desk->now_ms, actor, actor ? ROLE_AGENT : ROLE_OPERATOR, action,
                           (struct span){object, sizeof object}, detail);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static void make_token(char out[HTTP_TOKEN_TEXT], uint8_t out_hash[32])
{
        http_token_make(out); /* 256 random bits; what it is good for stands in front */
        memcpy(out, "dbs_", 4);
        http_token_hash(span_of(out), out_hash);
}

static int run_with(struct desk *desk, enum sql_id id, int64_t principal, int64_t a, int64_t b)
{
        struct db_stmt *stmt = db_stmt(desk->db, id);
        db_bind_int(stmt, 1, principal);
        if (id == SQL_STAFF_SESSIONS_SWEEP) {
                db_bind_int(stmt, 2, a);
                db_bind_int(stmt, 3, b);
        }
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* A new session for somebody who has proved himself; writes the answer. */
static int let_in(struct desk *desk, const struct principal_row *row, bool has_label, struct span label,
                  const char *action, struct writer *out)
{
        char token[HTTP_TOKEN_TEXT];
        uint8_t hash[32];
        struct protocol_login_password_result result = {.agent = {ROLE_AGENT, row->ext},
                                                        .expires = desk->now_ms + SESSION_MS};
        int rc = run_with(desk, SQL_STAFF_SESSIONS_SWEEP, row->id, desk->now_ms, desk->now_ms - IDLE_END_MS);
        if (rc < 0)
                return rc;
        make_token(token, hash);
        rc = staff_sessions_put(desk->db, hash, row->id, has_label ? label : SPAN("login"), desk->now_ms,
                                result.expires);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        result.token = span_of(token);
        protocol_login_password_result_write(out, &result);
        explicit_bzero(token, sizeof token);
        return audit(desk, row->id, action, row->ext, has_label ? label : (struct span){0});
}

struct credential {
        int64_t changed_ms, step;
        bool has_totp, has_new;
        uint8_t totp[TOTP_SECRET], fresh[TOTP_SECRET];
};

static bool copy_secret(struct span stored, uint8_t out[TOTP_SECRET])
{
        if (!stored.at)
                return false;
        memcpy(out, stored.at, stored.len < TOTP_SECRET ? stored.len : TOTP_SECRET);
        return true;
}

static int credential_get(struct desk *desk, int64_t principal, struct credential *out)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_CREDENTIAL_GET);
        db_bind_int(stmt, 1, principal);
        int rc = db_step(stmt);
        *out = (struct credential){0};
        if (rc == DB_ROW) {
                out->changed_ms = db_int(stmt, 0);
                out->has_totp = copy_secret(db_blob(stmt, 1), out->totp);
                out->has_new = copy_secret(db_blob(stmt, 2), out->fresh);
                out->step = db_int(stmt, 3);
                db_reset(stmt);
        }
        return rc;
}

static int put_step(struct desk *desk, enum sql_id id, int64_t principal, int64_t step)
{
        struct db_stmt *stmt = db_stmt(desk->db, id);
        db_bind_int(stmt, 1, principal);
        db_bind_int(stmt, 2, step);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* The second factor of somebody who set one up: a code that was not used before. */
static int check_totp(struct desk *desk, int64_t principal, const struct credential *credential, struct span code,
                      struct fault *fault)
{
        int64_t step = totp_step_of(credential->totp, code, desk->now_ms / 1000, credential->step);
        if (!credential->has_totp)
                return 0;
        if (step == 0)
                return fault_set(fault, PROTOCOL_ERR_TOKEN_INVALID, "totp",
                                 "the code that the authenticator shows now");
        return put_step(desk, SQL_TOTP_USED, principal, step);
}

int handle_login_password(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_login_password *params = command->params;
        struct principal_row row = {0};
        struct credential credential = {0};
        if (!command->login)
                return -PROTOCOL_ERR_FORBIDDEN;
        int rc = credential_get(desk, command->login->principal, &credential);
        if (rc == DB_ROW)
                rc = principals_load(desk->db, command->login->principal, &row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK || row.revoked_ms != 0 || credential.changed_ms != command->login->changed_ms)
                return fault_set(fault, PROTOCOL_ERR_TOKEN_INVALID, "password", "address and password of an agent");
        rc = check_totp(desk, row.id, &credential, params->has_totp ? params->totp : SPAN(""), fault);
        return rc < 0 ? rc : let_in(desk, &row, params->has_label, params->label, "login.password", out);
}

/* Everything that was open for this agent is over. */
static int end_all(struct desk *desk, int64_t principal)
{
        int rc = staff_sessions_end(desk->db, principal);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        http_tokens_drop_principal(desk->http_tokens, principal);
        struct principal *who = directory_find(desk->directory, principal);
        if (who)
                sessions_close_principal(desk, who, PROTOCOL_CLOSE_REVOKED);
        return 0;
}

static int find_invited(struct desk *desk, struct span invite, struct principal_row *row)
{
        uint8_t hash[32];
        http_token_hash(invite, hash);
        struct db_stmt *stmt = db_stmt(desk->db, SQL_PRINCIPAL_BY_INVITE);
        db_bind_blob(stmt, 1, hash, sizeof hash);
        int rc = db_step(stmt);
        if (rc == DB_ROW) {
                int64_t id = db_int(stmt, 0), until_ms = db_int(stmt, 1);
                db_reset(stmt);
                rc = until_ms > desk->now_ms ? principals_load(desk->db, id, row) : DB_OK;
        }
        if (rc < 0)
                return desk_db_failed(desk, rc);
        return rc == DB_ROW && row->revoked_ms == 0 ? 0 : -PROTOCOL_ERR_TOKEN_INVALID;
}

static int put_invite(struct desk *desk, int64_t principal, const uint8_t *hash, int64_t until_ms)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_INVITE_PUT);
        db_bind_int(stmt, 1, principal);
        if (hash)
                db_bind_blob(stmt, 2, hash, 32);
        else
                db_bind_null(stmt, 2);
        db_bind_int(stmt, 3, until_ms);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static int put_credential(struct desk *desk, int64_t principal, const char *encoded)
{
        struct credential before;
        int rc = credential_get(desk, principal, &before);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        struct db_stmt *stmt = db_stmt(desk->db, SQL_CREDENTIAL_PUT);
        db_bind_int(stmt, 1, principal);
        db_bind_text(stmt, 2, span_of(encoded));
        db_bind_int(stmt, 3, desk->now_ms > before.changed_ms ? desk->now_ms : before.changed_ms + 1);
        rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int handle_login_accept_invite(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_login_accept_invite *params = command->params;
        struct principal_row row = {0};
        if (!command->login)
                return -PROTOCOL_ERR_FORBIDDEN;
        int rc = find_invited(desk, params->invite, &row);
        if (rc == -PROTOCOL_ERR_TOKEN_INVALID)
                return fault_set(fault, PROTOCOL_ERR_TOKEN_INVALID, "invite", "an invitation that was not used yet");
        if (rc == 0)
                rc = put_credential(desk, row.id, command->login->encoded);
        if (rc == 0)
                rc = put_invite(desk, row.id, NULL, 0);
        if (rc == 0)
                rc = end_all(desk, row.id);
        return rc < 0 ? rc : let_in(desk, &row, params->has_label, params->label, "login.accept_invite", out);
}

/* ---- the second factor ---- */

int handle_login_totp_begin(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        struct protocol_login_totp_begin_result result = {0};
        uint8_t secret[TOTP_SECRET];
        char text[TOTP_BASE32];
        random_bytes(secret, sizeof secret);
        struct db_stmt *stmt = db_stmt(desk->db, SQL_TOTP_BEGIN);
        db_bind_int(stmt, 1, command->caller.principal);
        db_bind_blob(stmt, 2, secret, sizeof secret);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (db_changes(desk->db) == 0)
                return -PROTOCOL_ERR_NOT_FOUND; /* lets himself in without a password */
        totp_base32(secret, text);
        result.secret = span_of(text);
        protocol_login_totp_begin_result_write(out, &result);
        explicit_bzero(text, sizeof text);
        return 0;
}

int handle_login_totp_confirm(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_login_totp_confirm *params = command->params;
        struct protocol_login_totp_confirm_result result = {0};
        struct credential credential;
        int64_t me = command->caller.principal;
        int rc = credential_get(desk, me, &credential);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK || !credential.has_new)
                return -PROTOCOL_ERR_NOT_FOUND;
        int64_t step = totp_step_of(credential.fresh, params->code, desk->now_ms / 1000, 0);
        if (step == 0)
                return fault_set(fault, PROTOCOL_ERR_TOKEN_INVALID, "code",
                                 "the code that the authenticator shows now");
        rc = put_step(desk, SQL_TOTP_CONFIRM, me, step);
        if (rc < 0)
                return rc;
        protocol_login_totp_confirm_result_write(out, &result);
        return audit(desk, me, "login.totp", directory_author(desk->directory, me).id, (struct span){0});
}

/* ---- sessions ---- */

static int read_session(struct desk_command *command, struct db_stmt *stmt, struct protocol_login_row *row)
{
        struct span hash = db_blob(stmt, 0), label = db_text(stmt, 1);
        char *copy = arena_take(&command->arena, label.len);
        if (!copy || hash.len != 32)
                return -PROTOCOL_ERR_INTERNAL;
        memcpy(row->session, hash.at, SESSION_NAME);
        if (label.len > 0)
                memcpy(copy, label.at, label.len);
        row->label = (struct span){copy, label.len};
        row->created = db_int(stmt, 2);
        row->seen = db_int(stmt, 3);
        row->expires = db_int(stmt, 4);
        return 0;
}

static int write_sessions(struct desk *desk, struct desk_command *command, int64_t principal, struct writer *out)
{
        struct protocol_login_sessions_result result = {0};
        result.sessions = arena_take(&command->arena, SESSIONS_MAX * sizeof *result.sessions);
        if (!result.sessions)
                return -PROTOCOL_ERR_INTERNAL;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_STAFF_SESSIONS_OF);
        db_bind_int(stmt, 1, principal);
        int rc = 0, db_rc = DB_OK;
        while (rc == 0 && result.sessions_count < SESSIONS_MAX && (db_rc = db_step(stmt)) == DB_ROW)
                rc = read_session(command, stmt, &result.sessions[result.sessions_count++]);
        db_reset(stmt);
        if (db_rc < 0)
                return desk_db_failed(desk, db_rc);
        if (rc == 0)
                protocol_login_sessions_result_write(out, &result);
        return rc;
}

static int find_session(struct desk *desk, int64_t principal, const uint8_t name[SESSION_NAME], uint8_t out_hash[32])
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_STAFF_SESSIONS_OF);
        db_bind_int(stmt, 1, principal);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct span hash = db_blob(stmt, 0);
                if (hash.len != 32 || memcmp(hash.at, name, SESSION_NAME) != 0)
                        continue;
                memcpy(out_hash, hash.at, 32);
                db_reset(stmt);
                return 0;
        }
        return rc < 0 ? desk_db_failed(desk, rc) : -PROTOCOL_ERR_NOT_FOUND;
}

/* The connections are told to go too: which of them came in with this token is not remembered, so all of the agent's
 * are closed, and those whose token is good come back by themselves. */
static int end_session(struct desk *desk, int64_t principal, const uint8_t name[SESSION_NAME])
{
        uint8_t hash[32];
        int rc = find_session(desk, principal, name, hash);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_STAFF_SESSION_END);
        db_bind_blob(stmt, 1, hash, sizeof hash);
        db_bind_int(stmt, 2, principal);
        if ((rc = db_run(stmt)) < 0)
                return desk_db_failed(desk, rc);
        http_tokens_drop_principal(desk->http_tokens, principal);
        struct principal *who = directory_find(desk->directory, principal);
        if (who)
                sessions_close_principal(desk, who, PROTOCOL_CLOSE_TOKEN_INVALID);
        return 0;
}

int handle_login_sessions(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        return write_sessions(desk, command, command->caller.principal, out);
}

int handle_login_end(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_login_end *params = command->params;
        struct protocol_login_end_result result = {0};
        int rc = end_session(desk, command->caller.principal, params->session);
        if (rc < 0)
                return rc;
        protocol_login_end_result_write(out, &result);
        return audit(desk, command->caller.principal, "login.end",
                     directory_author(desk->directory, command->caller.principal).id, (struct span){0});
}

/* ---- the operator ---- */

static int find_agent(struct desk *desk, struct principal_id who, struct principal_row *row)
{
        int rc = principals_load_ext(desk->db, who.id, row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        return rc == DB_ROW && who.role == ROLE_AGENT && row->role == ROLE_AGENT ? 0 : -PROTOCOL_ERR_NOT_FOUND;
}

int handle_agent_invite(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_agent_invite *params = command->params;
        struct protocol_agent_invite_result result = {0};
        struct principal_row row;
        bool is_reset = params->has_reset && params->reset;
        int rc = find_agent(desk, params->agent, &row);
        if (rc == 0 && row.revoked_ms != 0)
                rc = -PROTOCOL_ERR_REVOKED;
        if (rc == 0)
                rc = put_invite(desk, row.id, params->invite, desk->now_ms + INVITE_MS);
        if (rc == 0 && is_reset)
                rc = run_with(desk, SQL_CREDENTIAL_END, row.id, 0, 0);
        if (rc == 0 && is_reset)
                rc = end_all(desk, row.id);
        if (rc < 0)
                return rc;
        protocol_agent_invite_result_write(out, &result);
        return audit(desk, 0, is_reset ? "agent.reset" : "agent.invite", row.ext, (struct span){0});
}

int handle_agent_logins(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_agent_logins *params = command->params;
        struct principal_row row;
        int rc = find_agent(desk, params->agent, &row);
        return rc < 0 ? rc : write_sessions(desk, command, row.id, out);
}

int handle_agent_session_end(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_agent_session_end *params = command->params;
        struct protocol_agent_session_end_result result = {0};
        struct principal_row row;
        int rc = find_agent(desk, params->agent, &row);
        if (rc == 0)
                rc = end_session(desk, row.id, params->session);
        if (rc < 0)
                return rc;
        protocol_agent_session_end_result_write(out, &result);
        return audit(desk, 0, "agent.session_end", row.ext, (struct span){0});
}
