/* SPDX-License-Identifier: Apache-2.0 */
/* Push: where notifications reach this device, kept in the file and told to the server once in each run and after each
 * change; and what becomes of a notification that came: the client is brought up to date, and the application is told
 * when it is, so that a process woken for it can end. */
#include "machine_private.h"

#include <stdio.h>

enum { SETTLE_MS = 25000 };

/* ---- the token --------------------------------------------------------------------------------------------------- */

void push_load(struct machine *machine)
{
        struct push *push = &machine->push;
        size_t room = sizeof(push->token) - 1;
        size_t len = cache_value_get(machine->cache, "push_token", push->token, room);

        push->token[len <= room ? len : 0] = '\0';
        push->service = (int)cache_number_get(machine->cache, "push_service");
        push->is_removal = cache_number_get(machine->cache, "push_removal") != 0;
        if (!push->token[0])
                push->service = 0;
        if (!push->is_told)
                push->is_wanted = push->service != 0 || push->is_removal;
}

void push_keep(struct machine *machine)
{
        struct push *push = &machine->push;

        cache_value_set(machine->cache, "push_token", push->token, strlen(push->token));
        cache_number_set(machine->cache, "push_service", push->service);
        cache_number_set(machine->cache, "push_removal", push->is_removal);
}

int machine_set_push(struct machine *machine, int service, const char *token)
{
        struct push *push = &machine->push;

        if (machine->set.is_staff)
                return DESKBELL_E_STATE;
        if (token && push->service == service && strcmp(push->token, token) == 0)
                return 0;
        if (!token && push->service == 0)
                return 0; /* nothing was registered, or its removal is on its way */
        push->is_removal = !token;
        push->service = token ? service : 0;
        snprintf(push->token, sizeof(push->token), "%s", token ? token : "");
        push->changes++;
        push->is_wanted = true;
        push->is_told = false;
        push->at_ms = 0;
        push_keep(machine);
        return 0;
}

void push_doubt(struct machine *machine)
{
        struct push *push = &machine->push;

        push->is_told = false;
        push->is_wanted = push->service != 0 || push->is_removal;
}

void push_lost_link(struct machine *machine)
{
        machine->push.is_asked = false;
}

static enum protocol_device_push_service service_of(int service)
{
        static const enum protocol_device_push_service services[] = {
                [DESKBELL_PUSH_FCM] = PROTOCOL_DEVICE_PUSH_SERVICE_FCM,
                [DESKBELL_PUSH_APNS] = PROTOCOL_DEVICE_PUSH_SERVICE_APNS,
                [DESKBELL_PUSH_WNS] = PROTOCOL_DEVICE_PUSH_SERVICE_WNS,
                [DESKBELL_PUSH_HMS] = PROTOCOL_DEVICE_PUSH_SERVICE_HMS,
                [DESKBELL_PUSH_WEBPUSH] = PROTOCOL_DEVICE_PUSH_SERVICE_WEBPUSH,
                [DESKBELL_PUSH_CUSTOM] = PROTOCOL_DEVICE_PUSH_SERVICE_CUSTOM,
        };
        bool is_known = service >= DESKBELL_PUSH_FCM && service <= DESKBELL_PUSH_CUSTOM;

        return services[is_known ? service : DESKBELL_PUSH_CUSTOM];
}

void push_pump(struct machine *machine)
{
        struct push *push = &machine->push;
        struct protocol_device_push set = {.service = service_of(push->service), .token = span_of(push->token)};
        struct protocol_device_push_remove remove = {0};
        struct writer writer;
        const char *method = push->service ? PROTOCOL_N_DEVICE_PUSH : PROTOCOL_N_DEVICE_PUSH_REMOVE;

        if (!push->is_wanted || push->is_asked || push->at_ms > machine->now_ms || !machine_may_ask(machine) ||
            !machine_request_begin(machine, &writer, REQUEST_PUSH, method))
                return;
        push->is_asked = true;
        push->asked_changes = push->changes;
        if (push->service)
                protocol_device_push_write(&writer, &set);
        else
                protocol_device_push_remove_write(&writer, &remove);
        machine_frame_end(machine, &writer);
}

/* What was asked is settled; when it was changed meanwhile the change is told next. */
static void settled(struct machine *machine)
{
        struct push *push = &machine->push;

        push->is_asked = false;
        if (push->asked_changes != push->changes)
                return;
        push->is_wanted = false;
        push->is_told = true;
        push->failures = 0;
        if (push->is_removal) {
                push->is_removal = false;
                push_keep(machine);
        }
}

void push_answered(struct machine *machine)
{
        settled(machine);
}

void push_refused(struct machine *machine, const struct protocol_error_body *error)
{
        if (error->permanent) {
                settled(machine); /* said again in the next run; it would be refused now too */
                return;
        }
        machine->push.is_asked = false;
        machine->push.at_ms =
                machine->now_ms + machine_pause_ms(machine, &machine->push.failures, error->retry_after_ms);
}

int machine_begin_log_out(struct machine *machine, bool discard)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        machine_status(machine, &status);
        if (status.queued > 0 && !discard)
                return DESKBELL_E_UNSENT;
        if (!machine->set.is_staff)
                machine_set_push(machine, 0, NULL);
        return 0;
}

int machine_change_store_key(struct machine *machine, const uint8_t *key)
{
        struct cache *visitor = machine->set.visitor;

        if (!cache_is_sealed(machine->cache))
                return DESKBELL_E_STATE;
        if (visitor &&
            cache_is_sealed(visitor)) { /* first: what opens the user's file is what the application goes by */
                cache_begin(visitor, true);
                cache_key_change(visitor, key);
                if (cache_commit(visitor) < 0)
                        return DESKBELL_E_STORE;
                cache_key_forget(visitor);
        }
        cache_key_change(machine->cache, key);
        return 0;
}

void machine_forget_old_key(struct machine *machine)
{
        cache_key_forget(machine->cache);
}

void machine_wipe_at_close(struct machine *machine, const char *path, int *out_rc)
{
        cache_wipe_at_close(machine->cache, path, out_rc);
}

bool machine_is_push_known(const struct machine *machine)
{
        return !machine->push.is_wanted && !machine->push.is_asked;
}

/* ---- a notification that came ------------------------------------------------------------------------------------ */

static bool is_cached(struct machine *machine, uint64_t conv_id, int64_t seq)
{
        const deskbell_conversation *conv = conv_by_id(machine, conv_id);

        return conv && seq > 0 && conv->place[0].at.low > 0 && conv->place[0].at.cursor >= seq;
}

int machine_push_received(struct machine *machine, uint64_t conv_id, int64_t seq, bool *out_is_news)
{
        struct push *push = &machine->push;

        if (machine->state == SESSION_IDLE || machine->state == SESSION_STOPPED)
                return DESKBELL_E_STATE;
        *out_is_news = !is_cached(machine, conv_id, seq);
        if (!*out_is_news)
                return 0;
        push->is_settling = true;
        push->settle_until_ms = machine->now_ms + SETTLE_MS;
        sync_want_feed(machine);
        background_stay(machine, push->settle_until_ms);
        if (machine->state == SESSION_PAUSED)
                session_wake(machine);
        else if (machine->state == SESSION_WAITING || machine->state == SESSION_OPEN)
                machine_network_changed(machine);
        return 0;
}

void push_check(struct machine *machine)
{
        struct push *push = &machine->push;
        struct event *event;

        if (!push->is_settling)
                return;
        bool is_done = machine->state == SESSION_OPEN && sync_is_caught_up(machine) && !machine->has_to_give;
        bool is_hopeless = machine->state == SESSION_STOPPED || machine->state == SESSION_IDLE;
        if (!is_done && !is_hopeless && push->settle_until_ms > machine->now_ms)
                return;
        event = event_new(EVENT_PUSH);
        if (!event) {
                machine_tell_later(machine);
                return;
        }
        push->is_settling = false;
        event->is_caught_up = is_done;
        machine_push(machine, event);
}

int64_t push_next_ms(const struct machine *machine)
{
        const struct push *push = &machine->push;
        int64_t next = push->is_settling ? push->settle_until_ms : INT64_MAX;

        if (machine->state == SESSION_OPEN && push->is_wanted && !push->is_asked && push->at_ms > machine->now_ms &&
            push->at_ms < next)
                next = push->at_ms;
        return next;
}
