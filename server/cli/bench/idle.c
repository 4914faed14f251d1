/* SPDX-License-Identifier: Apache-2.0 */
/* Idle. The first connections warm the server up and are not counted: its memory is read before and after the others.
 */
#include "idle.h"

#include "progress.h"

enum { BASE_CONNS = 100, OPEN_WINDOW = 128, SETTLE_MS = 1000 };

static char *token_of(void *owner, uint32_t conn)
{
        return target_customer_token(owner, "idle", conn);
}

static int turn_for(struct driver *driver, double seconds, const char *what, struct bench_error *error)
{
        struct progress progress;
        uint64_t began = driver_clock_ns(), length = (uint64_t)(seconds * 1e9);
        progress_init(&progress, what, (uint64_t)seconds);
        while (driver_clock_ns() - began < length) {
                if (driver_turn(driver, 50, error) < 0)
                        break;
                progress_show(&progress, (driver_clock_ns() - began) / 1000000000);
        }
        progress_done(&progress);
        return error->exit_code ? -1 : 0;
}

static void memory_read(const struct target *target, struct proc_memory *out_memory)
{
        if (target->pid)
                proc_memory_read(target->pid, out_memory);
}

static int open_all(struct driver *driver, const struct idle_plan *plan, struct target *target,
                    struct idle_result *result, struct bench_error *error)
{
        double settle_s = SETTLE_MS / 1e3;
        result->base_conns = plan->conns / 2 < BASE_CONNS ? plan->conns / 2 : BASE_CONNS;
        if (driver_open(driver, result->base_conns, OPEN_WINDOW, token_of, target, error) < 0 ||
            turn_for(driver, settle_s, "settling", error) < 0)
                return -1;
        memory_read(target, &result->before);

        uint64_t cpu = target->pid ? proc_cpu_ns(target->pid) : 0, began = driver_clock_ns();
        if (driver_open(driver, plan->conns, OPEN_WINDOW, token_of, target, error) < 0)
                return -1;
        result->open_s = (double)(driver_clock_ns() - began) / 1e9;
        result->open_cpu_ns = target->pid ? proc_cpu_ns(target->pid) - cpu : 0;
        if (turn_for(driver, settle_s, "settling", error) < 0)
                return -1;
        memory_read(target, &result->after);
        return 0;
}

int idle_run(const struct idle_plan *plan, const struct target *target, struct idle_result *out_result,
             struct bench_error *error)
{
        *out_result = (struct idle_result){.conns = plan->conns};
        struct driver *driver = driver_new(target->address, plan->conns, error);
        int rc = driver ? open_all(driver, plan, (struct target *)target, out_result, error) : -1;
        if (rc == 0) {
                uint64_t heartbeats = driver_heartbeats(driver), began = driver_clock_ns();
                uint64_t cpu = target->pid ? proc_cpu_ns(target->pid) : 0;
                rc = turn_for(driver, plan->seconds, "holding (s)", error);
                out_result->held_s = (double)(driver_clock_ns() - began) / 1e9;
                out_result->held_cpu_ns = target->pid ? proc_cpu_ns(target->pid) - cpu : 0;
                out_result->heartbeats = driver_heartbeats(driver) - heartbeats;
                memory_read(target, &out_result->held);
        }
        driver_free(driver);
        return rc;
}
