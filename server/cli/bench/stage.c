/* SPDX-License-Identifier: Apache-2.0 */
/* Stage: everything before the first message. Connection 2p is the customer of pair p and 2p+1 its agent, as the floor
 * pairs them; an agent watches at most PROTOCOL_WATCHED conversations a connection, so further connections of the
 * agents follow behind, each as another device. */
#include "load_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "progress.h"
#include "protocol_generated.h"

enum { OPEN_WINDOW = 64, REQUEST_WINDOW = 64, QUIET_MS = 20000 };

/* Requests 0..count-1, a window at a time; the request id is the number + 1. */
struct script {
        struct load *load;
        const char *what;
        uint32_t count, sent, answered;
        int (*ask)(struct load *load, uint32_t number);
        int (*take)(struct load *load, uint32_t number, const struct wire_in *message);
};

uint32_t stage_agent_conn(const struct load *load, uint32_t pair, uint32_t index)
{
        uint32_t group = index / load->talks_a_group;
        return group == 0 ? 2 * pair + 1 : 2 * load->plan->pairs + pair * (load->groups - 1) + group - 1;
}

static char *token_of(void *owner, uint32_t conn)
{
        const struct load *load = owner;
        uint32_t lane = load->conn_lanes[conn];
        if (lane % 2 == SIDE_CUSTOMER)
                return target_customer_token(load->target, "bench", lane / 2);
        if (load->target->is_plain)
                return strdup("floor");
        return strdup(load->target->agent_tokens[lane / 2 % load->target->agent_count]);
}

static void script_on_message(void *owner, uint32_t conn, const struct wire_in *message)
{
        struct script *script = owner;
        (void)conn;
        if (message->kind == WIRE_ERROR)
                bench_fail(script->load->error, BENCH_UNAVAILABLE, "%s was refused: %.*s", script->what,
                           (int)message->tag.len, message->tag.at ? message->tag.at : "");
        if (message->kind != WIRE_RESULT || message->id == 0 || message->id > script->count)
                return;
        script->answered++;
        script->take(script->load, (uint32_t)message->id - 1, message);
}

static int script_run(struct script *script)
{
        static const struct driver_events events = {.on_message = script_on_message};
        struct load *load = script->load;
        struct progress progress;
        progress_init(&progress, script->what, script->count);
        driver_set_events(load->driver, &events, script);
        uint64_t heard_ns = driver_clock_ns();
        while (script->answered < script->count && !load->error->exit_code) {
                uint32_t before = script->answered;
                while (script->sent < script->count && script->sent - script->answered < REQUEST_WINDOW)
                        if (script->ask(load, script->sent++) < 0)
                                break;
                driver_turn(load->driver, 100, load->error);
                progress_show(&progress, script->answered);
                if (script->answered > before)
                        heard_ns = driver_now_ns(load->driver);
                else if (driver_now_ns(load->driver) - heard_ns > QUIET_MS * UINT64_C(1000000))
                        bench_fail(load->error, BENCH_UNAVAILABLE, "%s: %u of %u answered, then nothing for 20 s",
                                   script->what, script->answered, script->count);
        }
        progress_done(&progress);
        driver_set_events(load->driver, NULL, NULL);
        return load->error->exit_code ? -1 : 0;
}

/* Scripts go round the pairs, so that requests of one connection are far apart. */
static struct talk *script_talk(struct load *load, uint32_t number)
{
        uint32_t pairs = load->plan->pairs;
        return &load->talks[number % pairs * load->talks_a_pair + number / pairs];
}

static int ask_open(struct load *load, uint32_t number)
{
        char json[160], key[24] = "main";
        uint32_t index = number / load->plan->pairs;
        if (load->talks_a_pair > 1)
                snprintf(key, sizeof(key), "bench-%u", index);
        int len =
                snprintf(json, sizeof(json),
                         "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"conversation.open\",\"params\":{\"key\":\"%s\"}}",
                         number + 1, key);
        return driver_say(load->driver, script_talk(load, number)->conns[SIDE_CUSTOMER],
                          (struct span){json, (size_t)len});
}

static int take_open(struct load *load, uint32_t number, const struct wire_in *message)
{
        struct span conv = wire_string(message->text, "\"conv\":");
        if (conv.len != ID_TEXT_BYTES)
                return bench_fail(load->error, BENCH_UNAVAILABLE, "conversation.open named no conversation");
        memcpy(script_talk(load, number)->id, conv.at, ID_TEXT_BYTES);
        return 0;
}

static int ask_watch(struct load *load, uint32_t number)
{
        char json[160];
        const struct talk *talk = script_talk(load, number);
        int len = snprintf(
                json, sizeof(json),
                "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"conversation.watch\",\"params\":{\"conv\":\"%.*s\"}}",
                number + 1, ID_TEXT_BYTES, talk->id);
        return driver_say(load->driver, talk->conns[SIDE_AGENT], (struct span){json, (size_t)len});
}

static int take_watch(struct load *load, uint32_t number, const struct wire_in *message)
{
        (void)load;
        (void)number;
        (void)message;
        return 0;
}

uint32_t load_conns(const struct load_plan *plan, bool is_plain)
{
        uint32_t each = plan->conversations / plan->pairs;
        uint32_t groups = is_plain || plan->is_one_sided ? 1 : (each + PROTOCOL_WATCHED - 1) / PROTOCOL_WATCHED;
        return plan->pairs * (1 + groups);
}

static int stage_prepare(struct load *load)
{
        const struct load_plan *plan = load->plan;
        load->conn_count = load_conns(plan, load->target->is_plain);
        load->groups = load->conn_count / plan->pairs - 1;
        load->talks_a_pair = plan->conversations / plan->pairs;
        load->talks_a_group = (load->talks_a_pair + load->groups - 1) / load->groups;
        load->talks = calloc(plan->conversations, sizeof(*load->talks));
        load->conn_lanes = calloc(load->conn_count, sizeof(*load->conn_lanes));
        if (!load->talks || !load->conn_lanes)
                return bench_fail(load->error, BENCH_SOFTWARE, "out of memory");
        for (uint32_t i = 0; i < plan->conversations; i++) {
                uint32_t pair = i / load->talks_a_pair;
                struct talk *talk = &load->talks[i];
                id_write(talk->id, "cnv", i + 1);
                talk->conns[SIDE_CUSTOMER] = 2 * pair;
                talk->conns[SIDE_AGENT] = stage_agent_conn(load, pair, i % load->talks_a_pair);
                load->conn_lanes[talk->conns[SIDE_CUSTOMER]] = 2 * pair;
                load->conn_lanes[talk->conns[SIDE_AGENT]] = 2 * pair + 1;
        }
        return 0;
}

int stage_open(struct load *load)
{
        if (stage_prepare(load) < 0)
                return -1;
        load->driver = driver_new(load->target->address, load->conn_count, load->error);
        if (!load->driver || driver_open(load->driver, load->conn_count, OPEN_WINDOW, token_of, load, load->error) < 0)
                return -1;
        if (load->target->is_plain)
                return 0;

        struct script open = {.load = load,
                              .what = "conversation.open",
                              .count = load->plan->conversations,
                              .ask = ask_open,
                              .take = take_open};
        struct script watch = {.load = load,
                               .what = "conversation.watch",
                               .count = load->plan->conversations,
                               .ask = ask_watch,
                               .take = take_watch};
        if (script_run(&open) < 0)
                return -1;
        return load->plan->is_one_sided ? 0 : script_run(&watch);
}
