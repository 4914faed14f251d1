/* SPDX-License-Identifier: Apache-2.0 */
/* Machine: its life and its turns. What a turn wants to send, tell and have done waits until the file is written; when
 * that fails, the turn did not happen. */
#include "machine_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void machine_log(const struct machine *machine, enum deskbell_level level, const char *format, ...)
{
        char line[256];
        va_list args;

        if (!machine->set.log)
                return;
        va_start(args, format);
        vsnprintf(line, sizeof(line), format, args);
        va_end(args);
        machine->set.log(machine->set.data, level, line);
}

int64_t machine_random_below(struct machine *machine, int64_t bound)
{
        uint64_t bits = 0;

        machine->set.random(machine->set.data, &bits, sizeof(bits));
        return bound > 0 ? (int64_t)(bits % (uint64_t)bound) : 0;
}

int64_t machine_true_wall(const struct machine *machine)
{
        return machine->wall_ms + machine->skew_ms;
}

void machine_push_hint(struct machine *machine, struct event *event)
{
        if (event)
                event_list_push(&machine->turn_events, event);
        else
                machine_log(machine, DESKBELL_LOG_ERROR, "out of memory: a hint is lost");
}

void machine_push(struct machine *machine, struct event *event)
{
        if (event)
                event_list_push(&machine->turn_events, event);
        else
                cache_fail(machine->cache);
}

void machine_tell_later(struct machine *machine)
{
        machine_log(machine, DESKBELL_LOG_ERROR, "out of memory: something is told later");
        machine->tell_again_ms = machine->now_ms + STUCK_MS;
}

void machine_notice(struct machine *machine, enum deskbell_notice notice, deskbell_conversation *conv,
                    const char *detail)
{
        struct event *event = event_new(EVENT_NOTICE);

        if (event) {
                event->notice.notice = notice;
                event->notice.conversation = conv;
                event->notice.detail = event_text(event, span_of(detail));
                if (!event->notice.detail)
                        event = event_free(event);
        }
        machine_push(machine, event);
}

void machine_say(struct machine *machine, enum deskbell_notice notice, const char *detail)
{
        machine_notice(machine, notice, NULL, detail);
}

/* ---- turns ------------------------------------------------------------------------------------------------------ */

void machine_begin(struct machine *machine, int64_t mono_ms, int64_t wall_ms, bool touches_outbox)
{
        machine->now_ms = mono_ms;
        machine->wall_ms = wall_ms;
        machine->turn++;
        if (machine->is_reload_owed)
                anew_check(machine, NULL);
        machine->is_in_turn = true;
        if (machine->tell_again_ms <= mono_ms)
                machine->tell_again_ms = 0;
        cache_begin(machine->cache, touches_outbox || machine->sends_in_flight > 0 || machine->uploads ||
                                            machine->state == SESSION_OPENING || sending_next_ms(machine) <= mono_ms);
        if (machine->is_reload_owed && cache_is_damaged(machine->cache))
                cache_fail(machine->cache); /* so does what would be read */
        else if (machine->is_reload_owed)
                machine_reload(machine); /* when it fails again, so does this turn */
}

static void pump(struct machine *machine)
{
        if (machine->state == SESSION_OPEN) {
                sync_pump(machine);
                uploads_pump(machine); /* what it ends goes into the outbox */
                sending_pump(machine);
                search_pump(machine);
                fetches_pump(machine);
                push_pump(machine);
                marks_pump(machine);
                presence_pump(machine);
                answers_pump(machine);
                turns_pump(machine);
                calls_pump(machine);
        }
}

/* Some callbacks are owed, and some tell of what is not in the file: those hold whatever becomes of the turn. */
static bool outlives_turn(const struct event *event)
{
        switch (event->kind) {
        case EVENT_TOKEN:
        case EVENT_PUSH:
        case EVENT_TYPING:
        case EVENT_PRESENCE:
        case EVENT_TURN:
        case EVENT_ACTED:
        case EVENT_TOLD:
                return true;
        case EVENT_NOTICE:
                return event->notice.notice == DESKBELL_NOTICE_STORE_SET_ASIDE ||
                       event->notice.notice == DESKBELL_NOTICE_OUTBOX_RESCUED ||
                       event->notice.notice == DESKBELL_NOTICE_CLAIM_REFUSED;
        default:
                return event_is_owed(event);
        }
}

static void forget_turn(struct machine *machine)
{
        struct event *event;
        struct event_list kept = {0};

        while ((event = event_list_pop(&machine->turn_events))) {
                machine->is_state_told &= event->kind != EVENT_STATE;
                machine->was_unread_told &= event->kind != EVENT_UNREAD;
                if (outlives_turn(event))
                        event_list_push(&kept, event);
                else
                        event_free(event);
        }
        event_list_move(&machine->ready_events, &kept);
        frames_clear(&machine->turn_frames);
        jobs_clear(&machine->turn_jobs);
        fetches_turn_failed(machine);
        machine->turn_wish = WISH_NOTHING;
}

void machine_reload(struct machine *machine)
{
        bool is_alone = !machine->is_in_turn;

        if (is_alone)
                cache_begin(machine->cache, false);
        sending_clear(machine);
        uploads_clear(machine);
        conv_reload_all(machine);
        bool is_read = session_load(machine) == 0 && sending_load(machine) == 0 && uploads_load(machine) == 0;
        machine->is_reload_owed = !is_read || cache_has_failed(machine->cache);
        if (is_alone)
                cache_rollback(machine->cache);
        else if (machine->is_reload_owed)
                cache_fail(machine->cache);
}

/* The file could not be written: the turn did not happen. */
static void turn_failed(struct machine *machine)
{
        struct anew_before before;

        forget_turn(machine);
        frames_clear(&machine->ready_frames);
        machine->is_in_turn = false;
        anew_remember(machine, &before);
        machine_reload(machine);
        anew_check(machine, &before);
        session_give_up(machine, "store", STUCK_MS);
        machine_set_wish(machine, WISH_CLOSE, 1000); /* also when the turn had closed or opened one */
        machine_notice(machine, DESKBELL_NOTICE_STORE_FAILING, NULL, "");
        session_tell(machine);
}

static void publish(struct machine *machine)
{
        uint64_t epoch;

        if (machine->turn_wish != WISH_NOTHING) {
                /* Frames of before belong to the connection that is given up. */
                frames_clear(&machine->ready_frames);
                machine->wish = machine->turn_wish;
                machine->wish_code = machine->turn_wish_code;
                machine->turn_wish = WISH_NOTHING;
        }
        frames_move(&machine->ready_frames, &machine->turn_frames);
        jobs_move(&machine->ready_jobs, &machine->turn_jobs);
        event_list_move(&machine->ready_events, &machine->turn_events);
        memcpy(&epoch, machine->epoch, sizeof(epoch));
        machine->seen_epoch = epoch;
        machine->is_in_turn = false;
}

int machine_end(struct machine *machine)
{
        pump(machine);
        evict_check(machine);
        conv_flush(machine);
        marks_tell_unread(machine);
        push_check(machine);
        background_check(machine);
        session_tell_token(machine);
        session_tell(machine);

        int rc = cache_commit(machine->cache);
        claim_turn_ended(machine, rc == 0);
        if (rc < 0)
                turn_failed(machine);
        taking_end(machine, rc == 0);
        publish(machine);
        return rc;
}

struct event_list *machine_events(struct machine *machine)
{
        return &machine->ready_events;
}

static int64_t requests_due_ms(const struct machine *machine)
{
        int64_t due = INT64_MAX;

        for (int i = 0; i < REQUESTS_MAX; i++)
                if (machine->requests[i].id && machine->requests[i].due_ms < due)
                        due = machine->requests[i].due_ms;
        return due;
}

static int64_t least(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

int64_t machine_next_ms(const struct machine *machine)
{
        int64_t next = least(session_next_ms(machine), sending_next_ms(machine));
        int64_t told = machine->tell_again_ms ? machine->tell_again_ms : INT64_MAX;

        if (background_sleeps(machine))
                return told;
        next = least(next, told);
        next = least(next, least(push_next_ms(machine), background_next_ms(machine)));
        next = least(next, evict_next_ms(machine));
        next = least(next, requests_due_ms(machine));
        next = least(next, sync_next_ms(machine));
        next = least(next, least(uploads_next_ms(machine), fetches_next_ms(machine)));
        next = least(next, least(presence_next_ms(machine), answers_next_ms(machine)));
        next = least(next, turns_next_ms(machine));
        return least(next, marks_next_ms(machine));
}

void machine_time(struct machine *machine)
{
        if (requests_due_ms(machine) <= machine->now_ms)
                session_give_up(machine, "silent", -1);
        session_time(machine);
        sending_time(machine);
        marks_time(machine);
        answers_time(machine);
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

static char *copy_text(const char *text)
{
        return text ? strdup(text) : NULL;
}

static bool own_strings(struct machine *machine, const struct machine_settings *settings)
{
        machine->token = copy_text(settings->token);
        machine->set.token = NULL;
        machine->set.locale = copy_text(settings->locale);
        machine->set.client_name = copy_text(settings->client_name);
        machine->set.client_version = copy_text(settings->client_version);
        return (machine->token || !settings->token) && (machine->set.locale || !settings->locale) &&
               machine->set.client_name && machine->set.client_version;
}

static struct machine *free_parts(struct machine *machine)
{
        sending_clear(machine);
        taking_free(machine);
        uploads_clear(machine);
        machine_cancel_fetches(machine);
        machine_cancel_searches(machine, DESKBELL_E_CANCELLED);
        machine_cancel_calls(machine);
        answers_free(machine);
        turns_free(machine);
        jobs_clear(&machine->turn_jobs);
        jobs_clear(&machine->ready_jobs);
        conv_free_all(machine);
        frames_clear(&machine->turn_frames);
        frames_clear(&machine->ready_frames);
        event_list_clear(&machine->turn_events);
        event_list_clear(&machine->ready_events);
        free(machine->token);
        free((char *)machine->set.locale);
        free((char *)machine->set.client_name);
        free((char *)machine->set.client_version);
        free(machine);
        return NULL;
}

int machine_new(const struct machine_settings *settings, struct cache *cache, int64_t mono_ms, int64_t wall_ms,
                struct machine **out_machine)
{
        struct machine *machine = calloc(1, sizeof(*machine));
        if (!machine)
                return DESKBELL_E_NOMEM;

        machine->set = *settings;
        machine->cache = cache;
        machine->why = "";
        machine->limit_in_flight = PROTOCOL_IN_FLIGHT;
        machine->retry_days = PROTOCOL_RETRY_DAYS;
        machine->key_window_days = PROTOCOL_KEY_WINDOW_DAYS;
        machine->closing_after_ms = -1;
        int rc = own_strings(machine, settings) ? 0 : DESKBELL_E_NOMEM;
        machine->sweep_at_ms = mono_ms + 60000;
        machine->evict_wanted = true;
        machine_begin(machine, mono_ms, wall_ms, true);
        if (rc == 0)
                rc = session_load(machine);
        if (rc == 0)
                rc = conv_load_all(machine);
        if (rc == 0)
                rc = sending_load(machine);
        if (rc == 0)
                rc = uploads_load(machine);
        if (rc == 0 && cache_has_failed(cache))
                rc = DESKBELL_E_STORE;
        if (rc < 0) {
                cache_rollback(cache);
                free_parts(machine);
                return rc;
        }
        sending_tell_untold(machine);
        rc = machine_end(machine);
        if (rc < 0) {
                free_parts(machine);
                return rc;
        }
        machine->is_begun = true;
        *out_machine = machine;
        return 0;
}

struct machine *machine_free(struct machine *machine)
{
        if (!machine)
                return NULL;

        struct cache *cache = machine->cache, *visitor = machine->set.visitor;
        free_parts(machine);
        cache_close(cache); /* on disk before the visitor's may go */
        cache_close(visitor);
        return NULL;
}

struct cmid machine_cmid(struct machine *machine, int64_t wall_ms)
{
        uint8_t random[10];

        machine->set.random(machine->set.data, random, sizeof(random));
        return cmid_make((uint64_t)wall_ms, random);
}
