/* SPDX-License-Identifier: Apache-2.0 */
/* History. Filling is a one-sided load by one customer with a window as wide as the server's cap on buffered output
 * allows; reading is done by agents, because a customer may have only a few devices. */
#include "history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "proc.h"
#include "progress.h"

enum { FILL_IN_FLIGHT = 256, OPEN_WINDOW = 64 };

struct history {
        const struct history_plan *plan;
        const struct target *target;
        struct driver *driver;
        struct history_result *result;
        struct bench_error *error;
        char request[160];
        size_t request_len;
        uint64_t *asked_ns; /* by connection */
        bool is_measuring;
};

static char *token_of(void *owner, uint32_t conn)
{
        const struct history *history = owner;
        if (history->target->is_plain)
                return strdup("floor");
        return strdup(history->target->agent_tokens[conn % history->target->agent_count]);
}

static void ask(struct history *history, uint32_t conn)
{
        history->asked_ns[conn] = driver_now_ns(history->driver);
        driver_say(history->driver, conn, (struct span){history->request, history->request_len});
}

static uint32_t count_of(struct span text, const char *what)
{
        uint32_t count = 0;
        size_t len = strlen(what);
        const char *at = text.at, *end = text.at + text.len;
        while ((at = memmem(at, (size_t)(end - at), what, len))) {
                at += len;
                count++;
        }
        return count;
}

static void on_message(void *owner, uint32_t conn, const struct wire_in *message)
{
        struct history *history = owner;
        struct history_result *result = history->result;
        if (message->kind == WIRE_ERROR)
                bench_fail(history->error, BENCH_UNAVAILABLE, "entries.read was refused: %.*s", (int)message->tag.len,
                           message->tag.at ? message->tag.at : "");
        if (message->kind != WIRE_RESULT)
                return;
        uint32_t entries = count_of(message->text, "\"cmid\":");
        result->short_pages += entries != HISTORY_PAGE;
        if (history->is_measuring) {
                result->requests++;
                result->entries += entries;
                result->bytes += message->text.len;
                histogram_add(&result->latency, driver_now_ns(history->driver) - history->asked_ns[conn]);
        }
        ask(history, conn);
}

static int fill(const struct history_plan *plan, const struct target *target, struct history_result *result,
                char out_conv[ID_TEXT_BYTES], struct bench_error *error)
{
        struct load_plan load = {.pairs = 1,
                                 .conversations = 1,
                                 .in_flight = FILL_IN_FLIGHT,
                                 .text_bytes = plan->text_bytes,
                                 .limit = plan->messages,

                                 .patience_s = 60,
                                 .is_one_sided = true};
        struct load_result *loaded = calloc(1, sizeof(*loaded));
        if (!loaded)
                return bench_fail(error, BENCH_SOFTWARE, "out of memory");
        int rc = load_run(&load, target, loaded, error);
        if (rc == 0 && !load_is_accounted(loaded))
                rc = bench_fail(error, BENCH_UNACCOUNTED, "while filling: sent %llu, acknowledged %llu",
                                (unsigned long long)loaded->sent, (unsigned long long)loaded->acked);
        result->fill_s = loaded->elapsed_s;
        result->filled = loaded->acked;
        memcpy(out_conv, loaded->conv, ID_TEXT_BYTES);
        load_result_done(loaded);
        free(loaded);
        return rc;
}

static int turn_until(struct history *history, double seconds)
{
        uint64_t until = driver_clock_ns() + (uint64_t)(seconds * 1e9);
        while (driver_clock_ns() < until)
                if (driver_turn(history->driver, 10, history->error) < 0)
                        return -1;
        return 0;
}

static int read_pages(struct history *history)
{
        static const struct driver_events events = {.on_message = on_message};
        const struct history_plan *plan = history->plan;
        history->driver = driver_new(history->target->address, plan->readers, history->error);
        history->asked_ns = calloc(plan->readers, sizeof(*history->asked_ns));
        if (!history->driver || !history->asked_ns ||
            driver_open(history->driver, plan->readers, OPEN_WINDOW, token_of, history, history->error) < 0)
                return -1;
        driver_set_events(history->driver, &events, history);
        for (uint32_t i = 0; i < plan->readers; i++)
                ask(history, i);
        if (turn_until(history, plan->warm_s) < 0)
                return -1;

        pid_t pid = history->target->pid;
        uint64_t cpu = pid ? proc_cpu_ns(pid) : 0, began = driver_clock_ns();
        history->is_measuring = true;
        int rc = turn_until(history, plan->seconds);
        history->is_measuring = false;
        history->result->elapsed_s = (double)(driver_clock_ns() - began) / 1e9;
        history->result->server_cpu_ns = pid ? proc_cpu_ns(pid) - cpu : 0;
        return rc;
}

int history_run(const struct history_plan *plan, const struct target *target, struct history_result *out_result,
                struct bench_error *error)
{
        struct history history = {.plan = plan, .target = target, .result = out_result, .error = error};
        char conv[ID_TEXT_BYTES];
        memset(out_result, 0, sizeof(*out_result));
        if (target->is_plain)
                id_write(conv, "cnv", 1);
        else if (fill(plan, target, out_result, conv, error) < 0)
                return -1;
        history.request_len = (size_t)snprintf(history.request, sizeof(history.request),
                                               "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"entries.read\",\"params\":{"
                                               "\"conv\":\"%.*s\",\"limit\":%d}}",
                                               ID_TEXT_BYTES, conv, HISTORY_PAGE);
        int rc = read_pages(&history);
        driver_free(history.driver);
        free(history.asked_ns);
        return rc;
}
