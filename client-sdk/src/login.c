/* SPDX-License-Identifier: Apache-2.0 */
/* Login: what is said to open a session, and what is kept of the answer; some of it for good. */
#include "machine_private.h"

#include "protocol/ids.h"

/* ---- what lasts -------------------------------------------------------------------------------------------------- */

static void make_epoch_text(struct machine *machine)
{
        static const char digits[] = "0123456789abcdef";

        machine->epoch_text[0] = '\0';
        if (!machine->has_epoch)
                return;
        for (int i = 0; i < 8; i++) {
                machine->epoch_text[2 * i] = digits[machine->epoch[i] >> 4];
                machine->epoch_text[2 * i + 1] = digits[machine->epoch[i] & 15];
        }
        machine->epoch_text[16] = '\0';
}

static void load_me(struct machine *machine)
{
        size_t len = cache_value_get(machine->cache, "principal", machine->me_text, ID_TEXT_BYTES);

        machine->me_text[len <= ID_TEXT_BYTES ? len : 0] = '\0';
        if (principal_read(span_of(machine->me_text), &machine->me) < 0)
                machine->me = (struct principal_id){0};
}

int session_load(struct machine *machine)
{
        if (cache_value_get(machine->cache, "device", machine->device, sizeof(machine->device)) !=
            sizeof(machine->device)) {
                machine->set.random(machine->set.data, machine->device, sizeof(machine->device));
                if (machine->is_in_turn)
                        cache_value_set(machine->cache, "device", machine->device, sizeof(machine->device));
        }
        size_t len = cache_value_get(machine->cache, "visitor_secret", machine->visitor_secret,
                                     sizeof(machine->visitor_secret) - 1);
        machine->visitor_secret[len < sizeof(machine->visitor_secret) ? len : 0] = '\0';
        load_me(machine);
        claim_load(machine);
        machine->has_epoch = cache_value_get(machine->cache, "epoch", machine->epoch, sizeof(machine->epoch)) ==
                             sizeof(machine->epoch);
        make_epoch_text(machine);
        push_load(machine);
        answers_load(machine);
        machine->rev = cache_number_get(machine->cache, "rev");
        machine->skew_ms = cache_number_get(machine->cache, "skew");
        return 0;
}

/* ---- login ------------------------------------------------------------------------------------------------------- */

void machine_link_opened(struct machine *machine)
{
        struct protocol_session_open params = {
                .protocol = {.min = 1, .max = 1},
                .has_client = true,
                .client = {.name = span_of(machine->set.client_name), .version = span_of(machine->set.client_version)},
        };
        struct writer writer;

        if (machine->state != SESSION_CONNECTING)
                return;
        session_set_state(machine, SESSION_OPENING, machine->why);
        machine->deadline_ms = machine->now_ms + CONNECT_MS;
        machine->heard_ms = machine->now_ms;
        memcpy(params.device, machine->device, sizeof(params.device));
        if (machine->set.is_visitor) {
                params.has_visitor = true;
                params.visitor.app = machine->set.app;
                params.visitor.has_secret = machine->visitor_secret[0] != '\0';
                params.visitor.secret = span_of(machine->visitor_secret);
        } else {
                params.has_token = true;
                params.token = span_of(machine->token);
        }
        params.has_claim = machine->claim_secret[0] != '\0';
        params.claim = span_of(machine->claim_secret);
        params.has_locale = machine->set.locale != NULL;
        params.locale = span_of(machine->set.locale);
        params.has_epoch = params.has_rev = machine->has_epoch;
        memcpy(params.epoch, machine->epoch, sizeof(params.epoch));
        params.rev = machine->rev;
        if (!machine_request_begin(machine, &writer, REQUEST_SESSION_OPEN, PROTOCOL_N_SESSION_OPEN))
                return;
        protocol_session_open_write(&writer, &params);
        machine_frame_end(machine, &writer);
}

static bool is_bound_to_another(struct machine *machine, struct principal_id who)
{
        return machine->me.role != ROLE_NONE && (machine->me.role != who.role || machine->me.id != who.id);
}

static void keep_identity(struct machine *machine, const struct protocol_session_open_result *result)
{
        size_t name_len = result->has_name ? result->name.len : 0;

        if (machine->me.role == ROLE_NONE) {
                machine->me = result->principal;
                machine->me_text[principal_write(machine->me_text, machine->me)] = '\0';
                cache_value_set(machine->cache, "principal", machine->me_text, strlen(machine->me_text));
        }
        if (result->has_visitor_secret && machine->set.is_visitor) {
                memcpy(machine->visitor_secret, result->visitor_secret.at, result->visitor_secret.len);
                machine->visitor_secret[result->visitor_secret.len] = '\0';
                cache_value_set(machine->cache, "visitor_secret", result->visitor_secret.at,
                                result->visitor_secret.len);
        }
        name_len = name_len < sizeof(machine->name) ? name_len : 0;
        if (name_len)
                memcpy(machine->name, result->name.at, name_len);
        machine->name[name_len] = '\0';
}

static void keep_http_token(struct machine *machine, const struct protocol_session_open_result *result)
{
        size_t len = result->has_http_token ? result->http_token.len : 0;

        len = len < sizeof(machine->http_token) ? len : 0;
        if (len)
                memcpy(machine->http_token, result->http_token.at, len);
        machine->http_token[len] = '\0';
}

static void keep_epoch(struct machine *machine, const struct protocol_session_open_result *result)
{
        bool is_same = machine->has_epoch && memcmp(machine->epoch, result->epoch, sizeof(machine->epoch)) == 0;

        if (is_same && !result->has_reset)
                return;
        bool is_first = !machine->has_epoch;
        push_doubt(machine);
        memcpy(machine->epoch, result->epoch, sizeof(machine->epoch));
        machine->has_epoch = true;
        make_epoch_text(machine);
        cache_value_set(machine->cache, "epoch", machine->epoch, sizeof(machine->epoch));
        machine->rev = 0;
        cache_number_set(machine->cache, "rev", 0);
        if (!is_first) {
                machine_log(machine, DESKBELL_LOG_WARN, "reset: the server's numbers are new");
                sync_reset(machine);
        }
}

static void keep_limits(struct machine *machine, const struct protocol_session_open_result *result)
{
        const struct protocol_session_limits *limits = &result->limits;

        machine->limit_in_flight = limits->in_flight > 0 ? limits->in_flight : 1;
        machine->dead_ms = limits->dead_ms;
        /* Retrying longer than we promise, or than the server recognises a repeat, could store a message twice. */
        machine->retry_days = limits->retry_days < PROTOCOL_RETRY_DAYS ? limits->retry_days : PROTOCOL_RETRY_DAYS;
        machine->key_window_days = limits->key_window_days;
        if (machine->retry_days >= machine->key_window_days)
                machine->retry_days = machine->key_window_days / 3;
        machine->skew_ms = result->now - machine->wall_ms;
        cache_number_set(machine->cache, "skew", machine->skew_ms);
        machine->renew_at_ms = 0;
        if (result->has_expires && machine->set.asks_for_token && !machine->set.is_staff) {
                int64_t left = result->expires - result->now - RENEW_AHEAD_MS;
                machine->renew_at_ms = machine->now_ms + (left > 1000 ? left : 1000);
        }
}

void session_answered(struct machine *machine, struct reader *reader)
{
        struct protocol_session_open_result result;

        if (machine->state != SESSION_OPENING)
                return;
        if (protocol_session_open_result_read(reader, &result) < 0) {
                session_give_up(machine, "invalid_message", -1);
                return;
        }
        if (is_bound_to_another(machine, result.principal)) {
                session_stop(machine, "other_user");
                return;
        }
        session_set_state(machine, SESSION_OPEN, "");
        machine->opened_ms = machine->now_ms;
        machine->token_failures = 0;
        keep_identity(machine, &result);
        keep_http_token(machine, &result);
        uploads_hurry(machine);
        fetches_hurry(machine);
        keep_limits(machine, &result);
        keep_epoch(machine, &result);
        cache_note_owner(machine->cache);
        claim_accepted(machine);
        sync_begin(machine);
        marks_begin(machine);
        presence_begin(machine);
        answers_begin(machine);
        turns_begin(machine);
        if (result.has_team)
                presence_team(machine, result.team == PROTOCOL_SESSION_OPEN_TEAM_HERE);
        sending_expire(machine);
}

static bool tag_is(const struct protocol_error_body *error, const char *tag)
{
        return span_equal(error->tag, span_of(tag));
}

static void copy_tag(char out[40], struct span tag)
{
        size_t len = tag.len < 39 ? tag.len : 39;

        if (len)
                memcpy(out, tag.at, len);
        out[len] = '\0';
}

void session_refused(struct machine *machine, const struct protocol_error_body *error)
{
        char tag[40];

        copy_tag(tag, error->tag);
        if (claim_refused(machine, error))
                session_give_up(machine, "claim_refused", 0); /* and comes back as the user alone */
        else if (tag_is(error, "token_invalid") || tag_is(error, "token_expired"))
                session_token_refused(machine, tag);
        else if (tag_is(error, "auth_required") || !error->permanent)
                session_give_up(machine, tag, error->retry_after_ms);
        else
                session_stop(machine, tag);
}

void session_renewed(struct machine *machine, struct reader *reader)
{
        struct protocol_session_renew_result result;

        if (protocol_session_renew_result_read(reader, &result) < 0 || !machine->set.asks_for_token)
                return;
        int64_t left = result.expires - machine_true_wall(machine) - RENEW_AHEAD_MS;
        machine->renew_at_ms = machine->now_ms + (left > 1000 ? left : 1000);
}
