/* SPDX-License-Identifier: Apache-2.0 */
/* session.open: who is calling, as the network thread proved it, becomes a principal with a session. */
#include "desk/desk_private.h"

#include <stdio.h>

enum {
        STAFF_IDLE_MS = 12 * 3600 * 1000,
        STAFF_SEEN_EVERY_MS = 5 * 60 * 1000,
        PROTOCOL_VERSION = 1,
};

static int refuse(struct desk *desk, int close_code, int error)
{
        desk->answer.kind = NOTE_REFUSED;
        desk->answer.close_code = close_code;
        return -error;
}

static void copy_text(char *to, size_t room, const char *from)
{
        snprintf(to, room, "%s", from);
}

static int insert_customer(struct desk *desk, const struct opening *opening, struct principal_row *row)
{
        *row = (struct principal_row){.workspace = opening->workspace, .ext = desk_new_id(desk), .role = ROLE_CUSTOMER};
        if (opening->how == OPENING_NEW_VISITOR)
                row->app = opening->app;
        copy_text(row->external_id, sizeof row->external_id, opening->subject);
        copy_text(row->name, sizeof row->name, opening->name);
        copy_text(row->email, sizeof row->email, opening->email);
        copy_text(row->locale, sizeof row->locale, opening->locale);
        int rc = principals_insert(desk->db, row, opening->how == OPENING_NEW_VISITOR ? opening->secret_hash : NULL,
                                   NULL, 0, desk->now_ms);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        return row->name[0] || row->external_id[0] ? customers_index(desk, row->id) : 0;
}

/* The token says who the user is today: a changed name or address is kept. */
static int describe_user(struct desk *desk, const struct opening *opening, struct principal_row *row)
{
        bool same = (!opening->name[0] || strcmp(row->name, opening->name) == 0) &&
                    (!opening->email[0] || strcmp(row->email, opening->email) == 0) &&
                    (!opening->locale[0] || strcmp(row->locale, opening->locale) == 0);
        if (same)
                return 0;
        if (opening->name[0])
                copy_text(row->name, sizeof row->name, opening->name);
        if (opening->email[0])
                copy_text(row->email, sizeof row->email, opening->email);
        if (opening->locale[0])
                copy_text(row->locale, sizeof row->locale, opening->locale);
        desk->names_changed = true;
        int rc = principals_describe(desk->db, row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        customers_changed(desk, row->id);
        return customers_index(desk, row->id);
}

static int find_user(struct desk *desk, struct opening *opening, struct principal_row *row, bool *out_fresh)
{
        int rc = principals_find_external(desk->db, opening->workspace, span_of(opening->subject), row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        bool is_new = rc == DB_OK;
        *out_fresh = is_new && !opening->has_claim;
        if (*out_fresh) {
                rc = insert_customer(desk, opening, row);
                return rc < 0 ? rc : customers_described(desk, opening, row);
        }
        if (!is_new && (row->revoked_ms != 0 || opening->issued_s < row->valid_from_s))
                return refuse(desk, PROTOCOL_CLOSE_REVOKED, PROTOCOL_ERR_REVOKED);
        if (opening->has_claim)
                rc = is_new ? claim_become(desk, opening, row) : claim_join(desk, opening, row);
        if (rc >= 0)
                rc = describe_user(desk, opening, row);
        return rc < 0 ? rc : customers_described(desk, opening, row);
}

static int find_visitor(struct desk *desk, const struct opening *opening, struct principal_row *row)
{
        int rc = principals_find_secret(desk->db, opening->secret_hash, row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK || row->app != opening->app || principal_is_claimed(row))
                return refuse(desk, PROTOCOL_CLOSE_TOKEN_INVALID, PROTOCOL_ERR_TOKEN_INVALID);
        if (row->revoked_ms != 0)
                return refuse(desk, PROTOCOL_CLOSE_REVOKED, PROTOCOL_ERR_REVOKED);
        return 0;
}

static int find_staff(struct desk *desk, struct opening *opening, struct principal_row *row)
{
        struct staff_session_row session;
        int rc = staff_sessions_find(desk->db, opening->secret_hash, &session);
        if (rc == DB_OK)
                return refuse(desk, PROTOCOL_CLOSE_TOKEN_INVALID, PROTOCOL_ERR_TOKEN_INVALID);
        if (rc == DB_ROW)
                rc = principals_load(desk->db, session.principal, row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK || row->revoked_ms != 0)
                return refuse(desk, PROTOCOL_CLOSE_REVOKED, PROTOCOL_ERR_REVOKED);
        if (desk->now_ms >= session.expires_ms || desk->now_ms - session.seen_ms > STAFF_IDLE_MS)
                return refuse(desk, PROTOCOL_CLOSE_TOKEN_INVALID, PROTOCOL_ERR_TOKEN_EXPIRED);
        opening->workspace = row->workspace;
        opening->expires_ms = session.expires_ms;
        if (desk->now_ms - session.seen_ms < STAFF_SEEN_EVERY_MS)
                return 0;
        rc = staff_sessions_seen(desk->db, opening->secret_hash, desk->now_ms);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static int find_bot(struct desk *desk, struct opening *opening, struct principal_row *row)
{
        int rc = principals_load(desk->db, opening->bot, row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK || row->role != ROLE_BOT || row->revoked_ms != 0)
                return refuse(desk, PROTOCOL_CLOSE_REVOKED, PROTOCOL_ERR_REVOKED);
        return 0;
}

static bool may_act_as(const struct opening *opening, const struct principal_row *row)
{
        bool is_here = row->role == ROLE_CUSTOMER ? row->app == 0 || row->app == opening->app : row->role == ROLE_BOT;
        return is_here && row->workspace == opening->workspace;
}

/* Whom an app's back end writes for: a user by the app's own id, or a customer or bot by ours. */
static int find_acted(struct desk *desk, const struct opening *opening, struct principal_row *row, bool *out_fresh)
{
        bool is_subject = opening->subject[0] != 0;
        int rc = is_subject ? principals_find_external(desk->db, opening->workspace, span_of(opening->subject), row)
                            : principals_load_ext(desk->db, opening->act_as.id, row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_ROW && row->alias_of != 0 && (rc = principals_load(desk->db, row->alias_of, row)) < 0)
                return desk_db_failed(desk, rc);
        *out_fresh = rc == DB_OK && is_subject;
        if (*out_fresh)
                return insert_customer(desk, opening, row);
        if (rc == DB_OK || row->role != (is_subject ? ROLE_CUSTOMER : opening->act_as.role) ||
            !may_act_as(opening, row))
                return -PROTOCOL_ERR_NOT_FOUND;
        return row->revoked_ms != 0 ? -PROTOCOL_ERR_FORBIDDEN : 0;
}

static int find_principal(struct desk *desk, struct opening *opening, struct principal **out_who)
{
        struct principal_row row = {0};
        bool is_fresh = false;
        int rc = 0;
        switch (opening->how) {
        case OPENING_USER:
                rc = find_user(desk, opening, &row, &is_fresh);
                break;
        case OPENING_NEW_VISITOR:
                is_fresh = true;
                rc = insert_customer(desk, opening, &row);
                break;
        case OPENING_VISITOR:
                rc = find_visitor(desk, opening, &row);
                break;
        case OPENING_STAFF:
                rc = find_staff(desk, opening, &row);
                break;
        case OPENING_BOT:
                rc = find_bot(desk, opening, &row);
                break;
        case OPENING_APP:
                rc = find_acted(desk, opening, &row, &is_fresh);
                break;
        }
        if (rc < 0)
                return rc;
        struct principal *who = directory_put(desk->directory, &row);
        if (!who)
                return desk_db_failed(desk, DB_NOMEM);
        if (is_fresh)
                directory_made(desk->directory, who);
        *out_who = who;
        return 0;
}

/* One live socket per device, the newer wins; and a bound on devices at once. */
static int make_place(struct desk *desk, struct principal *who, const uint8_t device[16])
{
        uint32_t others = 0;
        for (struct desk_session *session = who->sessions; session; session = session->sibling)
                others += !session->is_replaced && memcmp(session->device, device, 16) != 0;
        uint32_t limit =
                who->role == ROLE_CUSTOMER ? desk->settings.devices_per_customer : desk->settings.devices_per_agent;
        if (others >= limit)
                return refuse(desk, PROTOCOL_CLOSE_RATE_LIMITED, PROTOCOL_ERR_TOO_MANY);
        for (struct desk_session *session = who->sessions; session; session = session->sibling) {
                if (session->is_replaced || memcmp(session->device, device, 16) != 0)
                        continue;
                session_tell_close(desk, session, PROTOCOL_CLOSE_REPLACED);
                session->is_replaced = true; /* known until it is gone: a batch that is not kept keeps it */
        }
        return 0;
}

static void fill_reset(struct desk *desk, const struct protocol_session_open *params, const struct reach *reach,
                       struct protocol_session_open_result *result)
{
        if (!params->has_epoch)
                return;
        if (params->has_rev && params->rev < reach->since_rev) {
                result->has_reset = true;
                result->reset = PROTOCOL_SESSION_OPEN_RESET_REACH;
        }
        if (memcmp(params->epoch, desk->epoch, sizeof desk->epoch) != 0) {
                result->has_reset = true;
                result->reset = PROTOCOL_SESSION_OPEN_RESET_EPOCH;
        } else if (params->has_rev && params->rev > result->rev) {
                log_warn(&desk->log, "a client is ahead of the store", "its_rev", params->rev, "rev", result->rev);
                result->has_reset = true;
                result->reset = PROTOCOL_SESSION_OPEN_RESET_AHEAD;
        }
}

static void write_result(struct desk *desk, const struct protocol_session_open *params, const struct opening *opening,
                         const struct principal *who, struct writer *out)
{
        struct protocol_session_open_result result = {0};
        result.principal = (struct principal_id){who->role, who->ext};
        if (who->name) {
                result.has_name = true;
                result.name = span_of(who->name);
        }
        if (opening->how == OPENING_NEW_VISITOR) {
                result.has_visitor_secret = true;
                result.visitor_secret = span_of(opening->secret);
        }
        if (opening->http_token[0]) {
                result.has_http_token = true;
                result.http_token = span_of(opening->http_token);
        }
        memcpy(result.epoch, desk->epoch, sizeof result.epoch);
        result.rev = desk->rev + desk->changed_count; /* what this batch has changed so far will not be pushed to it */
        fill_reset(desk, params, &desk->answer.reach, &result);
        result.now = desk->now_ms;
        if (opening->expires_ms > 0) {
                result.has_expires = true;
                result.expires = opening->expires_ms;
        }
        result.protocol = PROTOCOL_VERSION;
        result.limits = (struct protocol_session_limits){.in_flight = desk->settings.in_flight,
                                                         .frame_bytes = PROTOCOL_CLIENT_FRAME_BYTES,
                                                         .key_window_days = desk->settings.key_window_days,
                                                         .retry_days = desk->settings.retry_days,
                                                         .heartbeat_ms = desk->settings.heartbeat_ms,
                                                         .dead_ms = desk->settings.dead_ms};
        struct span features[] = {SPAN("attachments")};
        result.features = features;
        result.features_count = desk->settings.files ? sizeof features / sizeof *features : 0;
        result.has_team = who->role == ROLE_CUSTOMER;
        result.team = desk->attendance.is_team_here ? PROTOCOL_SESSION_OPEN_TEAM_HERE : PROTOCOL_SESSION_OPEN_TEAM_AWAY;
        protocol_session_open_result_write(out, &result);
}

int handle_session_open(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_session_open *params = command->params;
        struct opening *opening = command->opening;
        if (params->protocol.min > PROTOCOL_VERSION || params->protocol.max < PROTOCOL_VERSION)
                return refuse(desk, PROTOCOL_CLOSE_UPGRADE_REQUIRED, PROTOCOL_ERR_UPGRADE_REQUIRED);
        if (opening->key_tag != 0 && !keyring_has_tag(desk->keyring, opening->key_tag))
                return refuse(desk, PROTOCOL_CLOSE_TOKEN_INVALID, PROTOCOL_ERR_TOKEN_INVALID); /* removed meanwhile */
        struct principal *who = NULL;
        int rc = find_principal(desk, opening, &who);
        if (who)
                rc = make_place(desk, who, params->device);
        if (rc < 0 && opening->is_claim_refused)
                return fault_set(fault, -rc, "claim", "the secret of a visitor nobody has claimed");
        if (rc < 0 || !who)
                return rc;
        struct span client = params->has_client ? params->client.name : (struct span){0};
        struct span locale = params->has_locale ? params->locale : (struct span){0};
        rc = devices_seen(desk->db, who->id, params->device, locale, client, desk->now_ms);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (!sessions_add(desk, command->from, params->device, opening->key_tag, who))
                return desk_db_failed(desk, DB_NOMEM);

        desk->answer.kind = NOTE_OPENED;
        desk->answer.caller = (struct caller){.principal = who->id,
                                              .workspace = who->workspace,
                                              .app = who->role == ROLE_CUSTOMER ? opening->app : 0,
                                              .role = who->role};
        desk->answer.who = (struct principal_id){who->role, who->ext};
        desk->answer.reach = people_reach_of(desk, &desk->answer.caller);
        desk->answer.expires_ms = opening->expires_ms;
        desk->answer.key_tag = opening->key_tag;
        write_result(desk, params, opening, who, out);
        return 0;
}

int opening_admit(struct desk *desk, struct desk_command *command)
{
        struct opening *opening = command->opening;
        struct principal *who = NULL;
        if (opening->key_tag != 0 && !keyring_has_tag(desk->keyring, opening->key_tag))
                return -PROTOCOL_ERR_TOKEN_INVALID; /* removed meanwhile */
        int rc = find_principal(desk, opening, &who);
        if (!who)
                return rc;
        bool via_app = opening->how == OPENING_APP;
        command->caller = (struct caller){.principal = who->id,
                                          .workspace = who->workspace,
                                          .app = who->role == ROLE_CUSTOMER || via_app ? opening->app : 0,
                                          .role = who->role,
                                          .via_app = via_app};
        return 0;
}

static int look_for_staff(struct db *db, const struct opening *opening, int64_t now_ms, struct principal_row *row)
{
        struct staff_session_row session;
        int rc = staff_sessions_find(db, opening->secret_hash, &session);
        if (rc == DB_OK)
                return -PROTOCOL_ERR_TOKEN_INVALID;
        if (rc == DB_ROW)
                rc = principals_load(db, session.principal, row);
        if (rc < 0)
                return -PROTOCOL_ERR_INTERNAL;
        if (rc == DB_OK || row->revoked_ms != 0)
                return -PROTOCOL_ERR_REVOKED;
        bool is_over = now_ms >= session.expires_ms || now_ms - session.seen_ms > STAFF_IDLE_MS;
        return is_over ? -PROTOCOL_ERR_TOKEN_EXPIRED : 0;
}

static int look_for_user(struct db *db, const struct opening *opening, struct principal_row *row)
{
        int rc = principals_find_external(db, opening->workspace, span_of(opening->subject), row);
        if (rc < 0)
                return -PROTOCOL_ERR_INTERNAL;
        if (rc == DB_OK)
                *row = (struct principal_row){.id = -1, .workspace = opening->workspace, .role = ROLE_CUSTOMER};
        else if (row->revoked_ms != 0 || opening->issued_s < row->valid_from_s)
                return -PROTOCOL_ERR_REVOKED;
        return 0;
}

static int look_for_bot(struct db *db, const struct opening *opening, struct principal_row *row)
{
        int rc = principals_load(db, opening->bot, row);
        if (rc < 0)
                return -PROTOCOL_ERR_INTERNAL;
        return rc == DB_OK || row->role != ROLE_BOT || row->revoked_ms != 0 ? -PROTOCOL_ERR_REVOKED : 0;
}

int opening_look(struct db *db, const struct opening *opening, int64_t now_ms, struct caller *out_caller)
{
        struct principal_row row = {0};
        int rc = -PROTOCOL_ERR_FORBIDDEN;
        if (opening->how == OPENING_USER)
                rc = look_for_user(db, opening, &row);
        else if (opening->how == OPENING_STAFF)
                rc = look_for_staff(db, opening, now_ms, &row);
        else if (opening->how == OPENING_BOT)
                rc = look_for_bot(db, opening, &row);
        if (rc < 0)
                return rc;
        *out_caller = (struct caller){.principal = row.id,
                                      .workspace = row.workspace,
                                      .app = row.role == ROLE_CUSTOMER ? opening->app : 0,
                                      .role = row.role};
        return 0;
}
