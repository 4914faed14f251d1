/* SPDX-License-Identifier: Apache-2.0 */
/* Sending: the outbox in motion. A message is in the file before anything else knows of it. Messages of one
 * conversation leave in the order of queueing; a send names the unanswered one before it, so that the server refuses
 * what would overtake. No answer means unknown: the same cmid is offered again. An edit or erasure travels alone in its
 * conversation, since it cannot name a predecessor. */
#include "machine_private.h"

/* ---- transmitting ------------------------------------------------------------------------------------------------ */

int sending_read_content(struct span stored, struct arena *arena, struct protocol_content *out)
{
        struct fault fault = {0};
        struct reader reader;
        char *copy = arena_take(arena, stored.len + 1);
        if (!copy)
                return DESKBELL_E_NOMEM;

        memcpy(copy, stored.at, stored.len);
        reader_init(&reader, copy, stored.len, READER_TOLERANT, arena, &fault);
        int rc = protocol_content_read(&reader, out);
        if (rc < 0)
                return rc == -PROTOCOL_ERR_INTERNAL ? DESKBELL_E_NOMEM : DESKBELL_E_DAMAGED;
        return 0;
}

static const struct cmid *unanswered_before(const struct outgoing *out)
{
        for (const struct outgoing *before = out->prev; before; before = before->prev)
                if (before->conv == out->conv && before->is_in_flight)
                        return &before->row.cmid;
        return NULL;
}

static void write_send(struct writer *writer, const struct outgoing *out, const struct protocol_content *content)
{
        const struct cmid *after = unanswered_before(out);
        const deskbell_conversation *conv = out->conv;
        bool has_id = conv->id && conv->is_confirmed;
        enum protocol_entry_kind plain = content->has_rated ? PROTOCOL_ENTRY_RATING : PROTOCOL_ENTRY_TEXT;
        struct protocol_message_send params = {
                .content = *content,
                .cmid = out->row.cmid,
                .has_conv = has_id,
                .conv = conv->id,
                .has_key = !has_id,
                .key = span_of(conv->key),
                .has_after = after != NULL,
                .has_log = out->row.log == 1,
                .log = PROTOCOL_MESSAGE_SEND_LOG_TEAM,
                .kind = content->files_count ? PROTOCOL_ENTRY_ATTACHMENT : plain,
        };

        if (after)
                params.after = *after;
        protocol_message_send_write(writer, &params);
}

static void write_change(struct writer *writer, const struct outgoing *out, const struct protocol_content *content)
{
        bool is_team = out->row.log == 1;

        if (out->row.op == DESKBELL_OP_EDIT) {
                struct protocol_message_edit params = {
                        .cmid = out->row.cmid,
                        .conv = out->conv->id,
                        .has_log = is_team,
                        .log = PROTOCOL_MESSAGE_EDIT_LOG_TEAM,
                        .of = out->row.of,
                        .version = out->row.version,
                        .text = content->text,
                };
                protocol_message_edit_write(writer, &params);
        } else {
                struct protocol_message_erase params = {
                        .cmid = out->row.cmid,
                        .conv = out->conv->id,
                        .has_log = is_team,
                        .log = PROTOCOL_MESSAGE_ERASE_LOG_TEAM,
                        .of = out->row.of,
                };
                protocol_message_erase_write(writer, &params);
        }
}

static void transmit(struct machine *machine, struct outgoing *out)
{
        static const char *const methods[] = {
                [DESKBELL_OP_SEND] = PROTOCOL_N_MESSAGE_SEND,
                [DESKBELL_OP_EDIT] = PROTOCOL_N_MESSAGE_EDIT,
                [DESKBELL_OP_ERASE] = PROTOCOL_N_MESSAGE_ERASE,
        };
        struct protocol_content content;
        struct arena arena;
        struct writer writer;
        struct request *request;

        arena_init(&arena, NULL, 0);
        if (sending_read_content(out->row.content, &arena, &content) == 0 &&
            (request = machine_request_begin(machine, &writer, REQUEST_SEND, methods[out->row.op]))) {
                request->message = out;
                request->conv = out->conv;
                if (out->row.op == DESKBELL_OP_SEND)
                        write_send(&writer, out, &content);
                else
                        write_change(&writer, out, &content);
                machine_frame_end(machine, &writer);
                out->is_in_flight = out->may_have_left = true;
                out->conv->in_flight++;
                out->conv->has_barrier = out->row.op != DESKBELL_OP_SEND;
        }
        arena_done(&arena);
}

/* ---- which may go ------------------------------------------------------------------------------------------------ */

enum target { TARGET_READY, TARGET_WAIT, TARGET_UNKNOWN };

static bool copy_place(void *data, const struct cached_message *row)
{
        struct cached_message *place = data;

        place->number = row->number;
        memcpy(place->epoch, row->epoch, sizeof(place->epoch));
        return false;
}

/* The number of the message meant, in the present epoch. */
static enum target find_target(struct machine *machine, struct outgoing *out)
{
        deskbell_conversation *conv = out->conv;
        const struct place *place = &conv->place[out->row.log];
        struct cached_message target = {0};
        int64_t number = 0;

        if (memcmp(out->row.epoch, machine->epoch, sizeof(machine->epoch)) == 0)
                return TARGET_READY;
        if (!out->row.has_target)
                return TARGET_UNKNOWN;
        if (cache_message_get(machine->cache, &out->row.target, copy_place, &target) &&
            memcmp(target.epoch, machine->epoch, sizeof(machine->epoch)) == 0)
                number = target.number;
        if (number <= 0)
                number = cache_entry_find(machine->cache, conv->row, out->row.log, &out->row.target);
        if (number > 0) {
                out->row.of = number;
                memcpy(out->row.epoch, machine->epoch, sizeof(out->row.epoch));
                return TARGET_READY;
        }
        if (machine->is_feed_wanted || machine->is_feed_asked)
                return TARGET_WAIT;
        bool is_whole = place->at.low > 0 && place->at.cursor >= place->at.head;
        return !sync_follows(machine, conv, out->row.log) || is_whole ? TARGET_UNKNOWN : TARGET_WAIT;
}

static void finish(struct machine *machine, struct outgoing *out, enum deskbell_message_state state, struct span tag);

static bool is_change_ready(struct machine *machine, struct outgoing *out)
{
        deskbell_conversation *conv = out->conv;

        if (conv->in_flight > 0 || !conv->id || !conv->is_confirmed)
                return false;
        return find_target(machine, out) == TARGET_READY;
}

/* The message meant is not there: nothing can be changed. False when it may still turn up. */
static bool drop_change(struct machine *machine, struct outgoing *out)
{
        if (out->conv->in_flight > 0 || find_target(machine, out) != TARGET_UNKNOWN)
                return false;
        if (out->is_offered_again) {
                cache_message_drop(machine->cache, out->row.pos); /* what it changed is gone */
                outbox_remove(machine, out);
        } else {
                finish(machine, out, DESKBELL_FAILED, SPAN("target_unknown"));
        }
        return true;
}

/* The disk has changed it: nobody wrote what would be sent. */
static bool drop_damaged(struct machine *machine, struct outgoing *out)
{
        if (out->was_checked || cache_message_is_whole(&out->row)) {
                out->was_checked = true;
                return false;
        }
        if (out->is_offered_again) {
                cache_message_drop(machine->cache, out->row.pos);
                outbox_remove(machine, out);
        } else {
                finish(machine, out, DESKBELL_FAILED, SPAN("damaged"));
        }
        return true;
}

static bool may_go(struct machine *machine, struct outgoing *out)
{
        deskbell_conversation *conv = out->conv;

        if (conv->is_draining || conv->has_barrier || conv->hold_until_ms > machine->now_ms)
                return false;
        if (out->row.op != DESKBELL_OP_SEND)
                return is_change_ready(machine, out);
        return (conv->id && conv->is_confirmed) || (conv->key[0] && !machine->set.is_staff);
}

void sending_pump(struct machine *machine)
{
        int64_t window = machine->limit_in_flight < SEND_WINDOW ? machine->limit_in_flight : SEND_WINDOW;
        struct outgoing *next;

        if (machine->hold_until_ms > machine->now_ms)
                return;
        for (struct outgoing *out = machine->out_first; out; out = out->next)
                out->conv->is_blocked = false;
        for (struct outgoing *out = machine->out_first; out; out = next) {
                next = out->next;
                if (machine->sends_in_flight >= window || !machine_may_ask(machine))
                        return;
                if (out->is_in_flight || out->conv->is_blocked)
                        continue;
                if (drop_damaged(machine, out))
                        continue;
                if (may_go(machine, out))
                        transmit(machine, out);
                else if (out->row.op != DESKBELL_OP_SEND && drop_change(machine, out))
                        continue;
                else
                        out->conv->is_blocked = true;
        }
}

int64_t sending_next_ms(const struct machine *machine)
{
        /* In a session the heartbeats wake the client: the sweep goes with one of them. */
        int64_t next = machine->state == SESSION_OPEN ? INT64_MAX : machine->sweep_at_ms;

        if (machine->state != SESSION_OPEN || !machine->out_first)
                return next;
        if (machine->hold_until_ms > machine->now_ms && machine->hold_until_ms < next)
                next = machine->hold_until_ms;
        for (const struct outgoing *out = machine->out_first; out; out = out->next) {
                int64_t until = out->conv->hold_until_ms;
                if (until > machine->now_ms && until < next)
                        next = until;
        }
        return next;
}

/* ---- outcomes ---------------------------------------------------------------------------------------------------- */

/* Gives the message its final answer and takes it off the list. */
static void finish(struct machine *machine, struct outgoing *out, enum deskbell_message_state state, struct span tag)
{
        bool is_again = out->is_offered_again;

        out->row.state = (int)state;
        out->row.tag = tag;
        if (state != DESKBELL_SENT) {
                out->row.number = 0;
                machine->failed_count++;
        }
        out->row.is_told = is_again && state == DESKBELL_SENT ? out->row.is_told : false;
        cache_message_save(machine->cache, &out->row);
        sending_tell(machine, out->conv, &out->row, is_again);
        if (state == DESKBELL_SENT && out->row.op == DESKBELL_OP_SEND)
                uploads_sent(machine, out);
        outbox_remove(machine, out);
}

static void landed(struct machine *machine, const struct request *request)
{
        deskbell_conversation *conv = request->conv;

        request->message->is_in_flight = false;
        if (conv->in_flight > 0)
                conv->in_flight--;
        if (request->message->row.op != DESKBELL_OP_SEND)
                conv->has_barrier = false;
        if (conv->in_flight == 0)
                conv->is_draining = false;
        (void)machine;
}

struct acked {
        int64_t number, at_seq, ts;
        bool is_duplicate;
        uint64_t conv;
};

#define ACKED_FROM(result, is_team)                                                                                    \
        (struct acked)                                                                                                 \
        {                                                                                                              \
                .number = (is_team) ? ((result).has_iseq ? (result).iseq : 0) : ((result).has_seq ? (result).seq : 0), \
                .at_seq = (result).has_at_seq ? (result).at_seq : 0, .ts = (result).ts,                                \
                .is_duplicate = (result).has_dup && (result).dup                                                       \
        }

static bool read_ack(const struct outgoing *out, struct reader *reader, struct acked *acked)
{
        bool is_team = out->row.log == 1;

        if (out->row.op == DESKBELL_OP_SEND) {
                struct protocol_message_send_result result;
                if (protocol_message_send_result_read(reader, &result) < 0)
                        return false;
                *acked = ACKED_FROM(result, is_team);
                acked->conv = result.has_conv ? result.conv : 0;
        } else if (out->row.op == DESKBELL_OP_EDIT) {
                struct protocol_message_edit_result result;
                if (protocol_message_edit_result_read(reader, &result) < 0)
                        return false;
                *acked = ACKED_FROM(result, is_team);
        } else {
                struct protocol_message_erase_result result;
                if (protocol_message_erase_result_read(reader, &result) < 0)
                        return false;
                *acked = ACKED_FROM(result, is_team);
        }
        return acked->number > 0;
}

/* The entry itself comes live; it is asked for only when it does not. */
static void expect_entry(struct machine *machine, deskbell_conversation *conv, int log, int64_t number)
{
        struct place *place = &conv->place[log];

        if (number <= place->at.head)
                return;
        if (place->at.cursor == place->at.head && place->pause.until_ms <= machine->now_ms)
                place->pause.until_ms = machine->now_ms + ENTRY_GRACE_MS;
        place->at.head = number;
        conv_touch(conv, false);
        sync_want(machine, conv);
}

void sending_answered(struct machine *machine, const struct request *request, struct reader *reader)
{
        struct outgoing *out = request->message;
        deskbell_conversation *conv = out->conv;
        struct acked acked = {0};

        if (!read_ack(out, reader, &acked)) {
                session_give_up(machine, "invalid_message", -1); /* unknown: it is offered again */
                return;
        }
        landed(machine, request);
        conv->refusals = 0;
        if (acked.conv && !(conv->id == acked.conv && conv->is_confirmed)) {
                deskbell_conversation *known = conv_by_id(machine, acked.conv);
                if (known && acked.is_duplicate)
                        conv = known; /* it was sent as a visitor, whose conversation has another key by now */
                if (!known && acked.is_duplicate && machine->is_claimed)
                        conv->key[0] = '\0'; /* perhaps the same: the feed will tell */
                if (!known)
                        conv_set_id(conv, acked.conv);
                conv->is_confirmed = conv->id == acked.conv;
                conv_touch(conv, true);
        }
        out->row.number = acked.number;
        out->row.at_seq = acked.at_seq;
        out->row.ts_ms = acked.ts;
        out->row.is_duplicate = acked.is_duplicate;
        memcpy(out->row.epoch, machine->epoch, sizeof(out->row.epoch));
        int log = out->row.log;
        finish(machine, out, DESKBELL_SENT, SPAN(""));
        expect_entry(machine, conv, log, acked.number);
        if (log == 0)
                marks_progress(conv);
}

static int64_t refusal_pause(struct machine *machine, deskbell_conversation *conv, bool is_predecessor)
{
        int64_t ceiling = BACKOFF_BASE_MS << (conv->refusals < 6 ? conv->refusals : 6);

        conv->refusals++;
        if (is_predecessor && conv->refusals <= SEND_WINDOW)
                return 0; /* all that were sent behind a refused one come back like this */
        return machine_random_below(machine, ceiling < BACKOFF_CAP_MS ? ceiling : BACKOFF_CAP_MS) + 1;
}

bool sending_is_for_all(struct span tag)
{
        return span_equal(tag, SPAN("rate_limited")) || span_equal(tag, SPAN("overloaded")) ||
               span_equal(tag, SPAN("storage_full")) || span_equal(tag, SPAN("unavailable"));
}

void sending_refused(struct machine *machine, const struct request *request, const struct protocol_error_body *error)
{
        struct outgoing *out = request->message;
        deskbell_conversation *conv = out->conv;

        landed(machine, request);
        bool has_no_files = span_equal(error->tag, SPAN("file_unknown"));
        if (has_no_files && uploads_take_back(machine, out))
                return;
        if (has_no_files &&
            out->is_offered_again) { /* it was sent; a restore lost its files, and we have them no more */
                finish(machine, out, DESKBELL_FAILED, SPAN("file_missing"));
                return;
        }
        if (error->permanent) {
                finish(machine, out, DESKBELL_FAILED, error->tag);
                return;
        }
        int64_t pause = refusal_pause(machine, conv, span_equal(error->tag, SPAN("predecessor_unknown")));
        if (error->retry_after_ms > pause)
                pause = error->retry_after_ms;
        if (sending_is_for_all(error->tag) && machine->now_ms + pause > machine->hold_until_ms)
                machine->hold_until_ms = machine->now_ms + pause;
        if (machine->now_ms + pause > conv->hold_until_ms)
                conv->hold_until_ms = machine->now_ms + pause;
        conv->is_draining = conv->in_flight > 0;
}

void sending_expire(struct machine *machine)
{
        int64_t since = machine_true_wall(machine) - machine->retry_days * DAY_MS;
        struct outgoing *next;

        for (struct outgoing *out = machine->out_first; out; out = next) {
                next = out->next;
                if (!out->is_in_flight && !out->is_offered_again && out->row.queued_ms < since)
                        finish(machine, out, DESKBELL_EXPIRED, SPAN(""));
        }
        uploads_expire(machine, since);
        cache_messages_sweep(machine->cache, since);
}

void sending_time(struct machine *machine)
{
        if (machine->sweep_at_ms > machine->now_ms)
                return;
        machine->sweep_at_ms = machine->now_ms + SWEEP_EVERY_MS;
        sending_expire(machine);
}
