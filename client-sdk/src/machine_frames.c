/* SPDX-License-Identifier: Apache-2.0 */
/* Machine: frames out, requests and their answers, events of the server. What comes from the server is data: it is
 * checked by the codec, and whatever it says cannot do more than end the connection. */
#include "machine_private.h"

#include <stdio.h>
#include <stdlib.h>

enum { FRAME_BYTES = 1024 };

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

void frames_clear(struct frames *frames)
{
        while (frames->first) {
                struct machine_frame *frame = frames->first;
                frames->first = frame->next;
                free(frame);
        }
        frames->last = NULL;
}

void frames_move(struct frames *to, struct frames *from)
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
                                      const char *method)
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
                frame_call_begin(writer, &id, span_of(method));
                return request;
        }
        return NULL;
}

void machine_notify_begin(struct machine *machine, struct writer *writer, const char *method)
{
        (void)machine;
        writer_init(writer, NULL, 0);
        writer_reserve(writer, FRAME_BYTES);
        frame_call_begin(writer, NULL, span_of(method));
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
        case REQUEST_ANSWERS:
                answers_answered(machine, reader);
                break;
        case REQUEST_TURNS:
                turns_listed(machine, reader);
                break;
        case REQUEST_ACT:
                turns_acted(machine, request);
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
        case REQUEST_CALL:
                calls_answered(machine, request, (struct span){reader->at, (size_t)(reader->end - reader->at)});
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
        case REQUEST_ANSWERS:
                answers_refused(machine, error);
                break;
        case REQUEST_TURNS:
                turns_unlisted(machine, error);
                break;
        case REQUEST_ACT:
                turns_refused(machine, request, error);
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
        case REQUEST_CALL:
                calls_refused(machine, request, error);
                break;
        default:
                sync_refused(machine, request, error);
                break;
        }
}

/* By hand, not by the table of all events: a client that uses some needs the shapes of the others nowhere. One that
 * cannot be read is passed over: what matters is in the feed. */
static void on_event(struct machine *machine, struct span name, struct reader *reader)
{
        union {
                struct protocol_event_entry entry;
                struct protocol_event_feed feed;
                struct protocol_event_typing typing;
                struct protocol_event_presence presence;
                struct protocol_event_bot_turn turn;
                struct protocol_event_marks marks;
                struct protocol_event_heartbeat heartbeat;
                struct protocol_event_session_closing closing;
        } is;

        if (span_equal(name, SPAN("entry"))) {
                if (protocol_event_entry_read(reader, &is.entry) == 0)
                        sync_entry(machine, &is.entry.entry);
        } else if (span_equal(name, SPAN("feed"))) {
                calls_event(machine, name, (struct span){reader->at, (size_t)(reader->end - reader->at)});
                size_t count = protocol_event_feed_read(reader, &is.feed) == 0 ? is.feed.rows_count : 0;
                for (size_t i = 0; i < count; i++)
                        sync_row(machine, &is.feed.rows[i]);
        } else if (span_equal(name, SPAN("typing"))) {
                if (protocol_event_typing_read(reader, &is.typing) == 0)
                        marks_typing(machine, &is.typing);
        } else if (span_equal(name, SPAN("marks"))) {
                deskbell_conversation *conv =
                        protocol_event_marks_read(reader, &is.marks) == 0 ? conv_by_id(machine, is.marks.conv) : NULL;
                if (conv)
                        marks_merge(conv, &is.marks.marks);
        } else if (span_equal(name, SPAN("presence"))) {
                if (protocol_event_presence_read(reader, &is.presence) == 0)
                        presence_event(machine, &is.presence);
        } else if (span_equal(name, SPAN("bot.turn"))) {
                if (protocol_event_bot_turn_read(reader, &is.turn) == 0)
                        turns_event(machine, &is.turn.bot_asked);
        } else if (span_equal(name, SPAN("heartbeat"))) {
                if (protocol_event_heartbeat_read(reader, &is.heartbeat) == 0)
                        session_heartbeat(machine, is.heartbeat.rev, is.heartbeat.now);
        } else if (span_equal(name, SPAN("session.closing"))) {
                if (protocol_event_session_closing_read(reader, &is.closing) == 0)
                        session_closing(machine, &is.closing);
        } else {
                calls_event(machine, name, (struct span){reader->at, (size_t)(reader->end - reader->at)});
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
