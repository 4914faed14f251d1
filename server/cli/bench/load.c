/* SPDX-License-Identifier: Apache-2.0 */
/* Load, the run. Closed loop: an answer frees a place in its lane's window, and the lane is filled again at the end of
 * the turn. Open loop: messages fall due at fixed times whatever the server does; latency counts from that time, so a
 * server that stalls cannot hide it, and the driver spins so that its own timer adds nothing. */
#include "load_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "proc.h"
#include "progress.h"
#include "protocol_generated.h"
#include "scrape.h"

enum { RING_OPEN_LOOP = 4096, SETTLE_MS = 100 };

static void lane_touch(struct load *load, uint32_t number)
{
        struct lane *lane = &load->lanes[number];
        if (lane->is_dirty)
                return;
        lane->is_dirty = true;
        load->dirty[load->dirty_count++] = number;
}

static struct slot *lane_slot(const struct load *load, const struct lane *lane, uint64_t number)
{
        return &lane->ring[number & load->ring_mask];
}

static struct talk *lane_talk(const struct load *load, uint32_t lane, uint64_t number)
{
        return &load->talks[lane / 2 * load->talks_a_pair + number % load->talks_a_pair];
}

/* The sender's message before it in that conversation, when that one has no answer yet. */
static const struct slot *predecessor(const struct load *load, const struct lane *lane, uint64_t number)
{
        if (number < load->talks_a_pair)
                return NULL;
        const struct slot *slot = lane_slot(load, lane, number - load->talks_a_pair);
        bool waits = slot->number == number - load->talks_a_pair && (slot->state & SLOT_WAITS_ACK);
        return waits ? slot : NULL;
}

static int message_put(struct load *load, uint32_t lane_number, const struct slot *slot)
{
        struct lane *lane = &load->lanes[lane_number];
        const struct talk *talk = lane_talk(load, lane_number, slot->number);
        const struct slot *before = predecessor(load, lane, slot->number);
        const struct wire_plan *plan = &load->plans[before != NULL];
        struct wire_key key = {slot->made_ms, slot->number, (uint16_t)lane_number}, after = {0};
        if (before)
                after = (struct wire_key){before->made_ms, before->number, (uint16_t)lane_number};
        uint32_t conn = talk->conns[lane_number % 2];
        char *room = driver_room(load->driver, conn, plan->len);
        if (!room)
                return -1;
        wire_plan_put(plan, room, &key, &after, talk->id);
        driver_add(load->driver, conn, plan->len);
        lane->in_flight++;
        return 0;
}

/* Refused messages go again, in order, once everything sent has an answer and the server's pause is over. */
static void lane_resend(struct load *load, uint32_t lane_number)
{
        struct lane *lane = &load->lanes[lane_number];
        if (lane->in_flight || driver_now_ns(load->driver) < lane->paused_until_ns) {
                if (!lane->in_flight)
                        lane_touch(load, lane_number);
                return;
        }
        for (uint64_t number = lane->resend_from; lane->refused && number < lane->next; number++) {
                struct slot *slot = lane_slot(load, lane, number);
                if (slot->number != number || !(slot->state & SLOT_REFUSED))
                        continue;
                if (message_put(load, lane_number, slot) < 0)
                        return;
                slot->state &= ~(uint32_t)SLOT_REFUSED;
                lane->refused--;
                load->result->retried++;
        }
        lane->resend_from = lane->next;
}

static uint64_t lane_due_ns(const struct load *load, uint32_t lane_number, uint64_t number)
{
        if (!load->plan->rate)
                return driver_now_ns(load->driver);
        double place = (double)(number * load->lane_count + lane_number);
        return load->rate_from_ns + (uint64_t)(place * 1e9 / load->plan->rate);
}

static bool lane_may_send(const struct load *load, const struct lane *lane)
{
        if (!load->is_sending || lane->in_flight >= load->plan->in_flight || lane->refused)
                return false;
        if (load->plan->limit && load->result->sent >= load->plan->limit)
                return false;
        if (load->plan->rate && lane->next >= lane->due)
                return false;
        return lane_slot(load, lane, lane->next)->state == 0;
}

static void lane_fill(struct load *load, uint32_t lane_number)
{
        struct lane *lane = &load->lanes[lane_number];
        if (lane->refused)
                lane_resend(load, lane_number);
        while (lane_may_send(load, lane)) {
                struct slot *slot = lane_slot(load, lane, lane->next);
                uint64_t due_ns = lane_due_ns(load, lane_number, lane->next);
                *slot = (struct slot){
                        .number = lane->next,
                        .due_ns = due_ns,
                        .made_ms = due_ns / 1000000 + load->wall_offset_ms,
                        .state = SLOT_WAITS_ACK | (load->plan->is_one_sided ? 0 : SLOT_WAITS_DELIVERY),
                };
                if (message_put(load, lane_number, slot) < 0)
                        return;
                lane->next++;
                load->result->sent++;
                load->unanswered++;
                load->undelivered += !load->plan->is_one_sided;
        }
}

/* Whoever comes second, ack or delivery, has to name the same place. */
static void slot_agree(struct load *load, struct slot *slot, int64_t seq)
{
        if (slot->seq && slot->seq != seq)
                load->result->disagreements++;
        slot->seq = seq;
}

static uint64_t slot_age(const struct load *load, const struct slot *slot)
{
        uint64_t now = driver_now_ns(load->driver);
        return now > slot->due_ns ? now - slot->due_ns : 0;
}

static void on_ack(struct load *load, uint32_t lane_number, uint64_t number, int64_t seq)
{
        struct lane *lane = &load->lanes[lane_number];
        struct slot *slot = lane_slot(load, lane, number);
        if (slot->number != number || !(slot->state & SLOT_WAITS_ACK) || number >= lane->next) {
                load->result->acked_twice++;
                return;
        }
        slot->state &= ~(uint32_t)SLOT_WAITS_ACK;
        slot_agree(load, slot, seq);
        struct talk *talk = lane_talk(load, lane_number, number);
        talk->count++;
        talk->last_seq = seq > talk->last_seq ? seq : talk->last_seq;
        talk->first_seq = !talk->first_seq || seq < talk->first_seq ? seq : talk->first_seq;
        lane->in_flight--;
        load->unanswered--;
        load->result->acked++;
        load->heard_ns = driver_now_ns(load->driver);
        lane_touch(load, lane_number);
        if (load->is_measuring) {
                load->result->acks++;
                histogram_add(&load->result->ack, slot_age(load, slot));
        }
}

static void on_refusal(struct load *load, uint32_t lane_number, uint64_t number, const struct wire_in *message)
{
        struct lane *lane = &load->lanes[lane_number];
        struct slot *slot = lane_slot(load, lane, number);
        if (!message->is_retry || slot->number != number || !(slot->state & SLOT_WAITS_ACK)) {
                bench_fail(load->error, BENCH_UNACCOUNTED, "a message was refused: %.*s", (int)message->tag.len,
                           message->tag.at ? message->tag.at : "no tag");
                return;
        }
        uint64_t pause_ms = message->retry_after_ms > 0 ? (uint64_t)message->retry_after_ms : 10;
        uint64_t until_ns = driver_now_ns(load->driver) + pause_ms * 1000000;
        slot->state |= SLOT_REFUSED;
        lane->paused_until_ns = until_ns > lane->paused_until_ns ? until_ns : lane->paused_until_ns;
        lane->resend_from = number < lane->resend_from || !lane->refused ? number : lane->resend_from;
        lane->refused++;
        lane->in_flight--;
        load->heard_ns = driver_now_ns(load->driver);
        lane_touch(load, lane_number);
}

static void on_entry(struct load *load, uint32_t conn, const struct wire_in *message)
{
        uint32_t lane_number = message->lane, receiver = load->conn_lanes[conn];
        if (!message->is_ours || lane_number >= load->lane_count || receiver == lane_number)
                return; /* a lane's own entries come back to it, too */
        if ((receiver ^ 1) != lane_number) {
                load->result->misdelivered++;
                return;
        }
        struct lane *lane = &load->lanes[lane_number];
        struct slot *slot = lane_slot(load, lane, message->number);
        load->result->delivered++;
        load->heard_ns = driver_now_ns(load->driver);
        if (slot->number == message->number)
                slot_agree(load, slot, message->seq);
        if (slot->number != message->number || !(slot->state & SLOT_WAITS_DELIVERY)) {
                load->result->delivered_twice++;
                return;
        }
        slot->state &= ~(uint32_t)SLOT_WAITS_DELIVERY;
        load->undelivered--;
        struct talk *talk = lane_talk(load, lane_number, message->number);
        load->result->out_of_order += message->seq <= talk->received[receiver % 2];
        if (message->seq > talk->received[receiver % 2])
                talk->received[receiver % 2] = message->seq;
        lane_touch(load, lane_number);
        if (load->is_measuring) {
                load->result->deliveries++;
                histogram_add(&load->result->delivery, slot_age(load, slot));
        }
}

static void on_message(void *owner, uint32_t conn, const struct wire_in *message)
{
        struct load *load = owner;
        if (message->kind == WIRE_ENTRY) {
                on_entry(load, conn, message);
        } else if (message->kind == WIRE_RESULT && message->id >= WIRE_ID_FIRST) {
                on_ack(load, load->conn_lanes[conn], message->id - WIRE_ID_FIRST, message->seq);
        } else if (message->kind == WIRE_ERROR && message->id >= WIRE_ID_FIRST) {
                on_refusal(load, load->conn_lanes[conn], message->id - WIRE_ID_FIRST, message);
        } else if (message->kind == WIRE_ERROR) {
                bench_fail(load->error, BENCH_UNACCOUNTED, "an error for request %llu: %.*s",
                           (unsigned long long)message->id, (int)message->tag.len,
                           message->tag.at ? message->tag.at : "");
        }
}

/* Marks of the conversations [from, from + count) that one connection has received something in. */
static void marks_say(struct load *load, uint32_t conn, int side, uint32_t from, uint32_t count)
{
        static const char begin[] = "{\"jsonrpc\":\"2.0\",\"method\":\"marks\",\"params\":{\"marks\":[";
        char json[128 + PROTOCOL_MARKS_PER_FRAME * 96];
        size_t len = sizeof(begin) - 1, rows = 0;
        memcpy(json, begin, len);
        for (uint32_t i = from; i < from + count && rows < PROTOCOL_MARKS_PER_FRAME; i++) {
                struct talk *talk = &load->talks[i];
                if (talk->conns[side] != conn || talk->received[side] <= talk->told[side])
                        continue;
                talk->told[side] = talk->received[side];
                len += (size_t)snprintf(json + len, 96, "%s{\"conv\":\"%.*s\",\"recv\":%lld,\"read\":%lld}",
                                        rows++ ? "," : "", ID_TEXT_BYTES, talk->id, (long long)talk->told[side],
                                        (long long)talk->told[side]);
        }
        memcpy(json + len, "]}}", 3);
        if (rows)
                driver_say(load->driver, conn, (struct span){json, len + 3});
}

/* Every connection has its turn once a second, spread over that second. */
static void marks_turn(struct load *load)
{
        uint64_t now = driver_now_ns(load->driver);
        uint64_t due = (uint64_t)((double)(now - load->marks_from_ns) / 1e9 * load->conn_count);
        if (due > load->marks_count + load->conn_count)
                load->marks_count = due - load->conn_count;
        for (; load->marks_count < due; load->marks_count++) {
                uint32_t conn = (uint32_t)(load->marks_count % load->conn_count), lane = load->conn_lanes[conn];
                marks_say(load, conn, (int)(lane % 2), lane / 2 * load->talks_a_pair, load->talks_a_pair);
        }
}

static void rate_turn(struct load *load)
{
        uint64_t now = driver_now_ns(load->driver), most = 0;
        uint64_t due = (uint64_t)((double)(now - load->rate_from_ns) / 1e9 * load->plan->rate) + 1;
        for (; load->rate_count < due; load->rate_count++) {
                uint32_t number = (uint32_t)(load->rate_count % load->lane_count);
                load->lanes[number].due++;
                lane_touch(load, number);
                uint64_t waiting = load->lanes[number].due - load->lanes[number].next;
                most = waiting > most ? waiting : most;
        }
        if (most > load->result->most_due)
                load->result->most_due = most;
}

static void on_turn(void *owner)
{
        struct load *load = owner;
        if (load->plan->rate && load->is_sending)
                rate_turn(load);
        uint32_t count = load->dirty_count;
        load->dirty_count = 0;
        for (uint32_t i = 0; i < count; i++) { /* a lane that has to wait marks itself again, never beyond i */
                uint32_t number = load->dirty[i];
                load->lanes[number].is_dirty = false;
                lane_fill(load, number);
        }
        if (!load->plan->is_one_sided)
                marks_turn(load);
}

static int load_prepare(struct load *load)
{
        const struct load_plan *plan = load->plan;
        uint32_t ring = plan->rate ? RING_OPEN_LOOP : 64, wanted = 2 * plan->in_flight + 2 * load->talks_a_pair;
        while (ring < wanted)
                ring *= 2;
        load->ring_mask = ring - 1;
        load->lane_count = 2 * plan->pairs;
        load->lanes = calloc(load->lane_count, sizeof(*load->lanes));
        load->dirty = calloc(load->lane_count, sizeof(*load->dirty));
        if (!load->lanes || !load->dirty)
                return bench_fail(load->error, BENCH_SOFTWARE, "out of memory");
        for (uint32_t i = 0; i < load->lane_count; i++) {
                load->lanes[i].ring = calloc(ring, sizeof(struct slot));
                if (!load->lanes[i].ring)
                        return bench_fail(load->error, BENCH_SOFTWARE, "out of memory");
        }
        uint8_t random[10];
        if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
                return bench_fail(load->error, BENCH_SOFTWARE, "no random bytes");
        wire_set_run(random);
        if (wire_plan_init(&load->plans[0], plan->text_bytes, false) < 0 ||
            wire_plan_init(&load->plans[1], plan->text_bytes, true) < 0)
                return bench_fail(load->error, BENCH_SOFTWARE, "out of memory");
        struct timespec wall;
        clock_gettime(CLOCK_REALTIME, &wall);
        load->wall_offset_ms =
                (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / 1000000 - driver_clock_ns() / 1000000;
        return 0;
}

static void load_done(struct load *load)
{
        for (uint32_t i = 0; load->lanes && i < load->lane_count; i++)
                free(load->lanes[i].ring);
        free(load->lanes);
        free(load->dirty);
        free(load->talks);
        free(load->conn_lanes);
        wire_plan_done(&load->plans[0]);
        wire_plan_done(&load->plans[1]);
        driver_free(load->driver);
}

/* Spins when times have to be exact. */
static int load_turn(struct load *load)
{
        return driver_turn(load->driver, load->plan->rate && load->is_sending ? 0 : 10, load->error);
}

static int load_warm(struct load *load)
{
        uint64_t until = driver_clock_ns() + (uint64_t)(load->plan->warm_s * 1e9);
        while (!load->plan->limit && driver_clock_ns() < until)
                if (load_turn(load) < 0)
                        return -1;
        return 0;
}

/* Nothing came for so long that what is missing counts as lost; an open loop that offers little is silent at times. */
static bool is_silent(const struct load *load)
{
        uint64_t quiet_ns = driver_now_ns(load->driver) - load->heard_ns;
        return (load->unanswered || load->undelivered) && (double)quiet_ns > load->plan->patience_s * 1e9;
}

static void load_take_figures(struct load *load, char *before)
{
        char *after = before ? scrape_read(load->target->metrics_address) : NULL;
        load->result->figures = scrape_means(before, after);
        free(before);
        free(after);
}

static int load_measure(struct load *load)
{
        const struct load_plan *plan = load->plan;
        struct load_result *result = load->result;
        struct progress progress;
        progress_init(&progress, "messages", plan->limit ? plan->limit : 0);
        pid_t pid = load->target->pid;
        char *figures = scrape_read(load->target->metrics_address);
        uint64_t server_cpu = pid ? proc_cpu_ns(pid) : 0, own_cpu = proc_own_cpu_ns();
        uint64_t began = driver_clock_ns(), length = (uint64_t)(plan->seconds * 1e9);
        load->is_measuring = true;
        while (load_turn(load) == 0) {
                uint64_t elapsed = driver_now_ns(load->driver) - began;
                bool is_over = plan->limit ? result->acked >= plan->limit : elapsed >= length;
                if (is_over)
                        break;
                if (!plan->limit) /* what will have been done at the end if it goes on like this */
                        progress.total = (uint64_t)((double)result->acks * (double)length / (double)(elapsed + 1));
                progress_show(&progress, result->acks);
                if (is_silent(load))
                        break; /* silence: the account tells what is missing */
        }
        load->is_measuring = false;
        result->elapsed_s = (double)(driver_now_ns(load->driver) - began) / 1e9;
        if (pid)
                result->server_cpu_ns = proc_cpu_ns(pid) - server_cpu;
        result->driver_cpu_ns = proc_own_cpu_ns() - own_cpu;
        progress_done(&progress);
        load_take_figures(load, figures);
        return load->error->exit_code ? -1 : 0;
}

/* Nothing new is sent; waits for what is missing as long as anything comes, then a little for what should not come. */
static int load_drain(struct load *load)
{
        load->is_sending = false;
        load->heard_ns = driver_now_ns(load->driver);
        while (load->unanswered || load->undelivered) {
                if (load_turn(load) < 0)
                        return -1;
                if (is_silent(load))
                        return 0;
        }
        uint64_t until = driver_now_ns(load->driver) + SETTLE_MS * UINT64_C(1000000);
        while (driver_now_ns(load->driver) < until)
                if (load_turn(load) < 0)
                        return -1;
        return 0;
}

/* Messages of one conversation need at least as many places as there are messages. */
static void load_check_places(struct load *load)
{
        for (uint32_t i = 0; i < load->plan->conversations; i++) {
                const struct talk *talk = &load->talks[i];
                if (talk->count > (uint64_t)(talk->last_seq - talk->first_seq + 1))
                        load->result->disagreements++;
        }
}

int load_run(const struct load_plan *plan, const struct target *target, struct load_result *out_result,
             struct bench_error *error)
{
        static const struct driver_events events = {.on_message = on_message, .on_turn = on_turn};
        struct load load = {.plan = plan, .target = target, .result = out_result, .error = error};
        memset(out_result, 0, sizeof(*out_result));
        int rc = stage_open(&load) < 0 || load_prepare(&load) < 0 ? -1 : 0;
        if (rc == 0) {
                driver_set_events(load.driver, &events, &load);
                load.rate_from_ns = load.marks_from_ns = load.heard_ns = driver_clock_ns();
                load.is_sending = true;
                for (uint32_t i = 0; i < load.lane_count; i += plan->is_one_sided ? 2 : 1)
                        lane_touch(&load, i);
                rc = load_warm(&load) < 0 || load_measure(&load) < 0 || load_drain(&load) < 0 ? -1 : 0;
                load_check_places(&load);
                out_result->expected_deliveries = plan->is_one_sided ? 0 : out_result->sent;
                memcpy(out_result->conv, load.talks[0].id, ID_TEXT_BYTES);
        }
        load_done(&load);
        return rc;
}

void load_result_done(struct load_result *result)
{
        json_decref(result->figures);
        result->figures = NULL;
}

bool load_is_accounted(const struct load_result *r)
{
        return r->sent > 0 && r->acked == r->sent && r->delivered == r->expected_deliveries && !r->acked_twice &&
               !r->delivered_twice && !r->disagreements && !r->misdelivered;
}
