/* SPDX-License-Identifier: Apache-2.0 */
/* Machine: turns, frames out, requests and their answers, events of the server. What comes from the server is data: it
 * is checked by the codec, and whatever it says cannot do more than end the connection. */
#include "machine_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FRAME_BYTES = 1024 };

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

/* ---- frames out ------------------------------------------------------------------------------------------------- */

static void frames_push(struct frames *frames, struct machine_frame *frame)
{
        frame->next = NULL;
        if (frames->last)
                frames->last->next = frame;
        else
                frames->first = frame;
        frames->last = frame;
}

static void frames_clear(struct frames *frames)
{
        while (frames->first) {
                struct machine_frame *frame = frames->first;
                frames->first = frame->next;
                free(frame);
        }
        frames->last = NULL;
}

static void frames_move(struct frames *to, struct frames *from)
{
        if (!from->first)
                return;
        if (to->last)
                to->last->next = from->first;
        else
                to->first = from->first;
        to->last = from->last;
        *from = (struct frames){0};
}

struct machine_frame *machine_frame_take(struct machine *machine)
{
        struct machine_frame *frame = machine->ready_frames.first;
        if (!frame)
                return NULL;

        machine->ready_frames.first = frame->next;
        if (!frame->next)
                machine->ready_frames.last = NULL;
        return frame;
}

void machine_frame_end(struct machine *machine, struct writer *writer)
{
        struct machine_frame *frame = NULL;

        frame_end(writer);
        if (!writer->failed)
                frame = malloc(sizeof(*frame) + writer->len);
        if (frame) {
                frame->len = writer->len;
                memcpy(frame->bytes, writer->bytes, writer->len);
                frames_push(&machine->turn_frames, frame);
        } else {
                /* The request stays unanswered and its time runs out: the connection is then made anew. */
                machine_log(machine, DESKBELL_LOG_ERROR, "out of memory: a frame is lost");
        }
        writer_done(writer);
}

bool machine_may_ask(const struct machine *machine)
{
        return machine->requests_in_flight < machine->limit_in_flight && machine->requests_in_flight < REQUESTS_MAX;
}

static bool is_read(enum request_kind kind)
{
        return kind == REQUEST_ENTRIES || kind == REQUEST_HISTORY || kind == REQUEST_FEED;
}

struct request *machine_request_begin(struct machine *machine, struct writer *writer, enum request_kind kind,
                                      enum protocol_method method)
{
        struct request_id id = {0};

        for (int i = 0; i < REQUESTS_MAX; i++) {
                struct request *request = &machine->requests[i];
                if (request->id)
                        continue;

                *request = (struct request){.id = ++machine->next_id, .kind = kind};
                request->due_ms = machine->now_ms + ANSWER_MS;
                machine->requests_in_flight++;
                machine->reads_in_flight += is_read(kind);
                machine->sends_in_flight += kind == REQUEST_SEND;
                id.len = (uint8_t)snprintf(id.raw, sizeof(id.raw), "%lld", (long long)request->id);
                writer_init(writer, NULL, 0);
                writer_reserve(writer, FRAME_BYTES);
                frame_call_begin(writer, &id, span_of(protocol_method_names[method]));
                return request;
        }
        return NULL;
}

void machine_notify_begin(struct machine *machine, struct writer *writer, enum protocol_method method)
{
        (void)machine;
        writer_init(writer, NULL, 0);
        writer_reserve(writer, FRAME_BYTES);
        frame_call_begin(writer, NULL, span_of(protocol_method_names[method]));
}

static void request_end(struct machine *machine, struct request *request)
{
        machine->requests_in_flight--;
        machine->reads_in_flight -= is_read(request->kind);
        machine->sends_in_flight -= request->kind == REQUEST_SEND;
        request->id = 0;
}

void machine_requests_clear(struct machine *machine)
{
        for (int i = 0; i < REQUESTS_MAX; i++) {
                struct request *request = &machine->requests[i];
                if (!request->id)
                        continue;
                request_end(machine, request);
                if (request->kind == REQUEST_HISTORY)
                        history_finish(machine, request->history, DESKBELL_E_CANCELLED);
        }
}

void machine_set_wish(struct machine *machine, enum machine_wish wish, int code)
{
        machine->turn_wish = wish;
        machine->turn_wish_code = code;
        machine->has_link = wish == WISH_OPEN;
        if (wish == WISH_CLOSE)
                frames_clear(&machine->turn_frames);
}

enum machine_wish machine_wish(struct machine *machine, int *out_code)
{
        enum machine_wish wish = machine->wish;

        *out_code = machine->wish_code;
        machine->wish = WISH_NOTHING;
        return wish;
}

/* ---- frames in -------------------------------------------------------------------------------------------------- */

static struct request *request_of(struct machine *machine, const struct request_id *id)
{
        int64_t number = 0;

        for (size_t i = 0; i < id->len; i++) {
                if (id->raw[i] < '0' || id->raw[i] > '9' || number > INT64_MAX / 100)
                        return NULL;
                number = 10 * number + (id->raw[i] - '0');
        }
        for (int i = 0; number > 0 && i < REQUESTS_MAX; i++)
                if (machine->requests[i].id == number)
                        return &machine->requests[i];
        return NULL;
}

static void on_result(struct machine *machine, const struct request *request, struct reader *reader)
{
        switch (request->kind) {
        case REQUEST_SESSION_OPEN:
                session_answered(machine, reader);
                break;
        case REQUEST_RENEW:
                session_renewed(machine, reader);
                break;
        case REQUEST_CONV_OPEN:
        case REQUEST_WATCH:
                sync_conv_answered(machine, request, reader);
                break;
        case REQUEST_UNWATCH:
                break;
        case REQUEST_FEED:
                sync_feed_answered(machine, reader);
                break;
        case REQUEST_ENTRIES:
                sync_entries_answered(machine, request, reader);
                break;
        case REQUEST_HISTORY:
                history_answered(machine, request->history, reader);
                break;
        case REQUEST_PUSH:
                push_answered(machine);
                break;
        case REQUEST_SEND:
                sending_answered(machine, request, reader);
                break;
        case REQUEST_UPLOAD_BEGIN:
        case REQUEST_UPLOAD_END:
        case REQUEST_UPLOAD_CANCEL:
                uploads_answered(machine, request, reader);
                break;
        case REQUEST_SEARCH:
                search_answered(machine, request, reader);
                break;
        case REQUEST_PRESENCE:
                presence_answered(machine);
                break;
        }
}

static void on_error(struct machine *machine, const struct request *request, const struct protocol_error_body *error)
{
        machine_log(machine, DESKBELL_LOG_INFO, "a request of kind %d was refused: %.*s", request->kind,
                    (int)(error->tag.len > 32 ? 32 : error->tag.len), error->tag.at ? error->tag.at : "");
        switch (request->kind) {
        case REQUEST_SESSION_OPEN:
                session_refused(machine, error);
                break;
        case REQUEST_RENEW:
        case REQUEST_UNWATCH:
                break; /* the server closes when the time is up */
        case REQUEST_HISTORY:
                history_finish(machine, request->history, DESKBELL_E_REFUSED);
                break;
        case REQUEST_PUSH:
                push_refused(machine, error);
                break;
        case REQUEST_SEND:
                sending_refused(machine, request, error);
                break;
        case REQUEST_UPLOAD_BEGIN:
        case REQUEST_UPLOAD_END:
        case REQUEST_UPLOAD_CANCEL:
                uploads_refused(machine, request, error);
                break;
        case REQUEST_SEARCH:
                search_refused(machine, request);
                break;
        case REQUEST_PRESENCE:
                presence_refused(machine, error);
                break;
        default:
                sync_refused(machine, request, error);
                break;
        }
}

static void on_event(struct machine *machine, struct span name, struct reader *reader)
{
        union {
                struct protocol_event_entry entry;
                struct protocol_event_feed feed;
                struct protocol_event_typing typing;
                struct protocol_event_presence presence;
                struct protocol_event_marks marks;
                struct protocol_event_heartbeat heartbeat;
                struct protocol_event_session_closing closing;
        } is;
        int event = protocol_event_find(name);

        if (event < 0 || protocol_events[event].params_bytes > sizeof(is) ||
            protocol_events[event].read_params(reader, &is) < 0)
                return; /* an event of a newer server, or one we cannot read: what matters is in the feed */
        switch (event) {
        case PROTOCOL_E_ENTRY:
                sync_entry(machine, &is.entry.entry);
                break;
        case PROTOCOL_E_FEED:
                for (size_t i = 0; i < is.feed.rows_count; i++)
                        sync_row(machine, &is.feed.rows[i]);
                break;
        case PROTOCOL_E_TYPING:
                marks_typing(machine, &is.typing);
                break;
        case PROTOCOL_E_MARKS: {
                deskbell_conversation *conv = conv_by_id(machine, is.marks.conv);
                if (conv)
                        marks_merge(conv, &is.marks.marks);
                break;
        }
        case PROTOCOL_E_PRESENCE:
                presence_event(machine, &is.presence);
                break;
        case PROTOCOL_E_HEARTBEAT:
                session_heartbeat(machine, is.heartbeat.rev, is.heartbeat.now);
                break;
        case PROTOCOL_E_SESSION_CLOSING:
                session_closing(machine, &is.closing);
                break;
        default:
                break;
        }
}

static const struct protocol_error_body *bounded(struct protocol_error_body *error)
{
        if (error->retry_after_ms > RETRY_AFTER_MOST_MS)
                error->retry_after_ms = RETRY_AFTER_MOST_MS;
        return error;
}

static void on_frame(struct machine *machine, struct frame *frame, struct arena *arena)
{
        struct fault fault = {0};
        struct reader reader;
        struct request *request = NULL;

        if (frame->kind == FRAME_RESULT || frame->kind == FRAME_ERROR) {
                request = request_of(machine, &frame->id);
                if (!request) {
                        machine_log(machine, DESKBELL_LOG_WARN, "an answer to nothing that was asked");
                        return;
                }
        }
        if (frame->kind != FRAME_ERROR)
                reader_init(&reader, (char *)frame->body.at, frame->body.len, READER_TOLERANT, arena, &fault);
        if (frame->kind == FRAME_NOTIFICATION) {
                if (machine->state == SESSION_OPEN || span_equal(frame->name, SPAN("session.closing")))
                        on_event(machine, frame->name, &reader);
                return;
        }
        if (!request)
                return; /* a request: servers ask nothing in this version */

        struct request asked = *request;
        request_end(machine, request);
        if (frame->kind == FRAME_RESULT)
                on_result(machine, &asked, &reader);
        else
                on_error(machine, &asked, bounded(&frame->error));
}

void machine_link_text(struct machine *machine, char *bytes, size_t len)
{
        char first[4096];
        struct arena arena;
        struct fault fault = {0};
        struct frame frame;

        if (!machine->has_link)
                return;
        machine->heard_ms = machine->now_ms;
        arena_init(&arena, first, sizeof(first));
        if (len > PROTOCOL_SERVER_FRAME_BYTES || frame_read(bytes, len, READER_TOLERANT, &arena, &frame, &fault) < 0) {
                machine_log(machine, DESKBELL_LOG_WARN, "a message that is not of the protocol");
                session_give_up(machine, "invalid_message", -1);
        } else {
                on_frame(machine, &frame, &arena);
        }
        arena_done(&arena);
}

/* ---- turns ------------------------------------------------------------------------------------------------------ */

void machine_begin(struct machine *machine, int64_t mono_ms, int64_t wall_ms, bool touches_outbox)
{
        machine->now_ms = mono_ms;
        machine->wall_ms = wall_ms;
        machine->is_in_turn = true;
        machine->turn++;
        if (machine->tell_again_ms <= mono_ms)
                machine->tell_again_ms = 0;
        cache_begin(machine->cache, touches_outbox || machine->sends_in_flight > 0 || machine->uploads ||
                                            machine->state == SESSION_OPENING || sending_next_ms(machine) <= mono_ms);
        if (machine->is_reload_owed)
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
        forget_turn(machine);
        frames_clear(&machine->ready_frames);
        machine->is_in_turn = false;
        machine_reload(machine);
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
        next = least(next, presence_next_ms(machine));
        return least(next, marks_next_ms(machine));
}

void machine_time(struct machine *machine)
{
        if (requests_due_ms(machine) <= machine->now_ms)
                session_give_up(machine, "silent", -1);
        session_time(machine);
        sending_time(machine);
        marks_time(machine);
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
