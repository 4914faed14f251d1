/* SPDX-License-Identifier: Apache-2.0 */
/* Session: connecting, heartbeats, and what each end of a connection means. Pauses between tries are drawn from
 * the whole range (full jitter), grow while tries fail, and never undercut what the server asked for. */
#include "machine_private.h"

#include <stdlib.h>

/* ---- ends of a connection ---------------------------------------------------------------------------------------- */

void session_set_state(struct machine *machine, enum session_state state, const char *why)
{
        machine->state = state;
        machine->is_delayed = false;
        machine->deadline_ms = 0;
        machine->retry_at_ms = 0;
        /* `why` may be the room itself. */
        char copy[sizeof(machine->why_room)];
        size_t len = strlen(why);
        len = len < sizeof(copy) ? len : sizeof(copy) - 1;
        memcpy(copy, why, len);
        memcpy(machine->why_room, copy, len);
        machine->why_room[len] = '\0';
        machine->why = machine->why_room;
}

/* Forgets everything that belonged to the link. */
static void drop_link(struct machine *machine, int code)
{
        if (machine->has_link)
                machine_set_wish(machine, WISH_CLOSE, code);
        machine->has_link = false;
        sending_lost_link(machine);
        push_lost_link(machine);
        machine_requests_clear(machine);
        machine_cancel_histories(machine, DESKBELL_E_CANCELLED);
        machine_cancel_searches(machine, DESKBELL_E_CANCELLED);
        machine_cancel_calls(machine);
        uploads_lost_link(machine);
        machine->is_feed_asked = false;
        machine->renew_at_ms = 0;
        machine->wants_renewal = false;
        if (machine->state == SESSION_OPEN && machine->now_ms - machine->opened_ms >= STEADY_MS)
                machine->attempts = 0;
}

static int64_t pause_ms(struct machine *machine)
{
        int64_t ceiling = BACKOFF_CAP_MS;

        if (machine->attempts < 6)
                ceiling = (int64_t)BACKOFF_BASE_MS << machine->attempts;
        if (ceiling > BACKOFF_CAP_MS)
                ceiling = BACKOFF_CAP_MS;
        machine->attempts++;
        return machine_random_below(machine, ceiling + 1);
}

void session_give_up(struct machine *machine, const char *why, int64_t after_ms)
{
        if (machine->state == SESSION_IDLE || machine->state == SESSION_STOPPED ||
            machine->state == SESSION_NEEDS_TOKEN || machine->state == SESSION_WAITING ||
            machine->state == SESSION_PAUSED)
                return;
        drop_link(machine, 1000);
        int64_t pause = pause_ms(machine);
        session_set_state(machine, SESSION_WAITING, why);
        machine->is_delayed = after_ms >= 0;
        if (after_ms >= 0) {
                /* Those who were sent away together should not come back together; and no pause at all is no answer to
                 * one who was sent away again and again. */
                after_ms = after_ms < RETRY_AFTER_MOST_MS ? after_ms : RETRY_AFTER_MOST_MS;
                after_ms += machine_random_below(machine, BACKOFF_BASE_MS);
                pause = after_ms > pause ? after_ms : pause;
        }
        machine->retry_at_ms = machine->now_ms + pause;
}

void session_stop(struct machine *machine, const char *why)
{
        drop_link(machine, 1000);
        push_doubt(machine);
        session_set_state(machine, SESSION_STOPPED, why);
        machine_log(machine, DESKBELL_LOG_WARN, "stopped: %s", machine->why);
}

static void ask_for_token(struct machine *machine)
{
        machine->is_token_owed |= machine->set.asks_for_token;
}

void session_token_refused(struct machine *machine, const char *why)
{
        if (machine->set.is_visitor) {
                session_stop(machine, why);
                return;
        }
        drop_link(machine, 1000);
        push_doubt(machine);
        session_set_state(machine, SESSION_NEEDS_TOKEN, why);
        machine->token_failures++;
        free(machine->token);
        machine->token = NULL;
        ask_for_token(machine);
}

/* ---- connecting -------------------------------------------------------------------------------------------------- */

static void connect_now(struct machine *machine)
{
        if (!machine->set.is_visitor && !machine->token) {
                session_set_state(machine, SESSION_NEEDS_TOKEN, "");
                ask_for_token(machine);
                return;
        }
        session_set_state(machine, SESSION_CONNECTING, machine->why);
        machine->closing_after_ms = -1;
        machine->deadline_ms = machine->now_ms + CONNECT_MS;
        machine_set_wish(machine, WISH_OPEN, 0);
}

void machine_connect(struct machine *machine)
{
        if (machine->state != SESSION_IDLE && machine->state != SESSION_STOPPED)
                return;
        machine->attempts = 0;
        machine->why = "";
        connect_now(machine);
}

void machine_disconnect(struct machine *machine)
{
        drop_link(machine, 1000);
        session_set_state(machine, SESSION_IDLE, "");
        machine->attempts = 0;
}

void session_pause(struct machine *machine)
{
        bool is_delayed = machine->state == SESSION_WAITING && machine->is_delayed;
        int64_t retry_at_ms = is_delayed ? machine->retry_at_ms : 0;

        drop_link(machine, 1000);
        session_set_state(machine, SESSION_PAUSED, "");
        machine->background.retry_at_ms = retry_at_ms;
}

void session_wake(struct machine *machine)
{
        if (machine->state != SESSION_PAUSED)
                return;
        machine->attempts = 0;
        if (machine->background.retry_at_ms <= machine->now_ms) {
                connect_now(machine);
                return;
        }
        session_set_state(machine, SESSION_WAITING, "");
        machine->is_delayed = true;
        machine->retry_at_ms = machine->background.retry_at_ms;
}

void machine_network_changed(struct machine *machine)
{
        uploads_hurry(machine);
        fetches_hurry(machine);
        if (machine->state == SESSION_WAITING && !machine->is_delayed) {
                machine->attempts = 0;
                connect_now(machine);
        } else if (machine->state == SESSION_CONNECTING) {
                connect_now(machine); /* on a new connection */
        } else if (machine->state == SESSION_OPENING && machine->deadline_ms > machine->now_ms + PROBE_MS) {
                machine->deadline_ms = machine->now_ms + PROBE_MS;
        } else if (machine->state == SESSION_OPEN) {
                sync_want_feed(machine);
                sync_pump(machine);
                for (int i = 0; i < REQUESTS_MAX; i++)
                        if (machine->requests[i].id && machine->requests[i].due_ms > machine->now_ms + PROBE_MS)
                                machine->requests[i].due_ms = machine->now_ms + PROBE_MS;
        }
}

static void renew(struct machine *machine)
{
        struct protocol_session_renew params = {.token = span_of(machine->token)};
        struct writer writer;
        struct request *request = machine_request_begin(machine, &writer, REQUEST_RENEW, PROTOCOL_N_SESSION_RENEW);
        if (!request)
                return;

        protocol_session_renew_write(&writer, &params);
        machine_frame_end(machine, &writer);
}

int machine_set_token(struct machine *machine, const char *token)
{
        if (machine->set.is_visitor)
                return DESKBELL_E_STATE;

        char *copy = strdup(token);
        if (!copy)
                return DESKBELL_E_NOMEM;
        free(machine->token);
        machine->token = copy;
        machine->is_token_owed = false;
        if (machine->state == SESSION_NEEDS_TOKEN) {
                session_set_state(machine, SESSION_WAITING, machine->why);
                /* A token that is refused again and again must not make a storm. */
                machine->retry_at_ms = machine->now_ms + (machine->token_failures > 1 ? pause_ms(machine) : 0);
                session_time(machine);
        } else if (machine->state == SESSION_OPEN && machine->wants_renewal && machine_may_ask(machine)) {
                machine->wants_renewal = false;
                renew(machine);
        }
        return 0;
}

/* ---- while it lives ---------------------------------------------------------------------------------------------- */

void session_heartbeat(struct machine *machine, int64_t rev, int64_t now_ms)
{
        struct protocol_session_alive params = {0};
        struct writer writer;

        machine->skew_ms = now_ms - machine->wall_ms;
        machine_notify_begin(machine, &writer, PROTOCOL_N_SESSION_ALIVE);
        protocol_session_alive_write(&writer, &params);
        machine_frame_end(machine, &writer);
        if (rev > machine->rev)
                sync_want_feed(machine);
}

void session_closing(struct machine *machine, const struct protocol_event_session_closing *event)
{
        machine->closing_after_ms = event->has_retry_after_ms ? event->retry_after_ms : -1;
}

void machine_link_closed(struct machine *machine, int code)
{
        const char *tag = protocol_close_tag(code);
        int64_t after_ms = machine->closing_after_ms;

        if (!machine->has_link)
                return;
        machine->has_link = false;
        machine->closing_after_ms = -1;
        machine_log(machine, DESKBELL_LOG_INFO, "connection closed with code %d", code);
        switch (code) {
        case PROTOCOL_CLOSE_TOKEN_INVALID:
                session_token_refused(machine, tag);
                break;
        case PROTOCOL_CLOSE_REPLACED:
        case PROTOCOL_CLOSE_REVOKED:
        case PROTOCOL_CLOSE_UPGRADE_REQUIRED:
                session_stop(machine, tag);
                break;
        case PROTOCOL_CLOSE_TOO_MANY_ERRORS:
                session_give_up(machine, tag, 30000);
                break;
        case PROTOCOL_CLOSE_SLOW_READER:
        case PROTOCOL_CLOSE_AUTH_REQUIRED:
                session_give_up(machine, tag, -1);
                break;
        default:
                session_give_up(machine, tag ? tag : "network", after_ms);
                break;
        }
}

void machine_link_failed(struct machine *machine, const char *why, int64_t retry_after_ms)
{
        if (!machine->has_link)
                return;
        machine->has_link = false;
        machine->closing_after_ms = -1;
        session_give_up(machine, why, retry_after_ms);
}

static bool is_due(int64_t at_ms, int64_t now_ms)
{
        return at_ms > 0 && at_ms <= now_ms;
}

void session_time(struct machine *machine)
{
        if (machine->state == SESSION_WAITING && machine->retry_at_ms <= machine->now_ms)
                connect_now(machine);
        if (is_due(machine->deadline_ms, machine->now_ms))
                session_give_up(machine, "network", -1);
        if (machine->state == SESSION_OPEN && machine->now_ms - machine->heard_ms >= machine->dead_ms)
                session_give_up(machine, "silent", -1);
        if (is_due(machine->renew_at_ms, machine->now_ms)) {
                machine->renew_at_ms = 0;
                machine->wants_renewal = true;
                ask_for_token(machine);
        }
}

int64_t session_next_ms(const struct machine *machine)
{
        int64_t next = INT64_MAX;

        if (machine->state == SESSION_WAITING)
                next = machine->retry_at_ms;
        if (machine->deadline_ms > 0 && machine->deadline_ms < next)
                next = machine->deadline_ms;
        if (machine->state == SESSION_OPEN && machine->heard_ms + machine->dead_ms < next)
                next = machine->heard_ms + machine->dead_ms;
        if (machine->renew_at_ms > 0 && machine->renew_at_ms < next)
                next = machine->renew_at_ms;
        return next;
}

/* ---- telling ----------------------------------------------------------------------------------------------------- */

static enum deskbell_connection connection_of(const struct machine *machine)
{
        switch (machine->state) {
        case SESSION_WAITING:
                return machine->is_delayed ? DESKBELL_DELAYED : DESKBELL_WAITING;
        case SESSION_CONNECTING:
        case SESSION_OPENING:
                return DESKBELL_CONNECTING;
        case SESSION_OPEN:
                return DESKBELL_ONLINE;
        case SESSION_NEEDS_TOKEN:
                return DESKBELL_NEEDS_TOKEN;
        case SESSION_STOPPED:
                return DESKBELL_STOPPED;
        case SESSION_PAUSED:
                return DESKBELL_PAUSED;
        case SESSION_IDLE:
                break;
        }
        return DESKBELL_DISCONNECTED;
}

static bool push_state(struct machine *machine, enum deskbell_connection connection, bool caught_up)
{
        struct event *event = event_new(EVENT_STATE);

        if (event) {
                event->state.connection = connection;
                event->state.retry_in_ms = 0;
                if (machine->state == SESSION_WAITING && machine->retry_at_ms > machine->now_ms)
                        event->state.retry_in_ms = machine->retry_at_ms - machine->now_ms;
                event->state.why = event_text(event, span_of(machine->why));
                event->state.caught_up = caught_up;
                event->state.principal = event_text(event, span_of(machine->me_text));
                event->state.name = event_text(event, span_of(machine->name));
                event->state.epoch = event_text(event, span_of(machine->epoch_text));
                if (!event->state.why || !event->state.principal || !event->state.name || !event->state.epoch)
                        event = event_free(event);
        }
        if (event)
                machine_push(machine, event);
        return event != NULL;
}

void session_tell_token(struct machine *machine)
{
        struct event *event = machine->is_token_owed ? event_new(EVENT_TOKEN) : NULL;

        if (event) {
                machine->is_token_owed = false;
                machine_push(machine, event);
        } else if (machine->is_token_owed) {
                machine_tell_later(machine);
        }
}

void session_tell(struct machine *machine)
{
        enum deskbell_connection connection = connection_of(machine);
        bool caught_up = machine->state == SESSION_OPEN && sync_is_caught_up(machine);

        if (machine->is_state_told && connection == machine->told_connection && caught_up == machine->told_caught_up &&
            machine->retry_at_ms == machine->told_retry_at_ms && strcmp(machine->why, machine->told_why) == 0)
                return;
        machine->is_state_told = push_state(machine, connection, caught_up);
        if (!machine->is_state_told)
                machine_tell_later(machine);
        machine->told_connection = connection;
        machine->told_caught_up = caught_up;
        machine->told_retry_at_ms = machine->retry_at_ms;
        memcpy(machine->told_why, machine->why_room, sizeof(machine->told_why));
}
