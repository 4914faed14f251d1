/* SPDX-License-Identifier: Apache-2.0 */
/* Bench: one run of the command: the disk, then the server, then the floor, each under the same plan. */
#include "bench.h"

#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "options.h"
#include "report.h"

static volatile sig_atomic_t is_interrupted;

static void on_signal(int number)
{
        (void)number;
        is_interrupted = 1;
}

bool bench_is_interrupted(void)
{
        return is_interrupted;
}

int bench_fail(struct bench_error *error, int exit_code, const char *format, ...)
{
        if (error->exit_code)
                return -1;
        va_list rest;
        va_start(rest, format);
        vsnprintf(error->text, sizeof(error->text), format, rest);
        va_end(rest);
        error->exit_code = exit_code;
        return -1;
}

static json_t *measure_load(const struct options *options, const struct target *target, struct bench_error *error)
{
        struct load_result *result = calloc(1, sizeof(*result));
        json_t *report = NULL;
        if (!result)
                bench_fail(error, BENCH_SOFTWARE, "out of memory");
        else if (load_run(&options->load, target, result, error) == 0)
                report = report_load(result);
        if (report && !load_is_accounted(result))
                bench_fail(error, BENCH_UNACCOUNTED, "not every message is accounted for");
        if (result)
                load_result_done(result);
        free(result);
        return report;
}

static json_t *measure_history(const struct options *options, const struct target *target, struct bench_error *error)
{
        struct history_result *result = calloc(1, sizeof(*result));
        json_t *report = NULL;
        if (!result)
                bench_fail(error, BENCH_SOFTWARE, "out of memory");
        else if (history_run(&options->history, target, result, error) == 0)
                report = report_history(result);
        if (report && (result->short_pages || !result->requests))
                bench_fail(error, BENCH_UNACCOUNTED, "answers without the last %d entries", HISTORY_PAGE);
        free(result);
        return report;
}

static json_t *measure_idle(const struct options *options, const struct target *target, struct bench_error *error)
{
        struct idle_result result;
        return idle_run(&options->idle, target, &result, error) == 0 ? report_idle(&result) : NULL;
}

/* Starts the target, measures what was asked for, stops it. NULL, or what could be measured. */
static json_t *measure(const struct options *options, const char *floor, struct bench_error *error)
{
        struct target_options how = options->target;
        struct target target = {0};
        json_t *report = NULL;
        how.floor = floor;
        if (target_start(&how, &target, error) == 0) {
                if (options->idle.conns)
                        report = measure_idle(options, &target, error);
                else if (options->history.messages)
                        report = measure_history(options, &target, error);
                else
                        report = measure_load(options, &target, error);
        }
        target_stop(&target, error);
        return report;
}

/* The figure that server and floor are compared by; how often is given with --rate, so there it is how soon. */
static double headline(const struct options *options, const json_t *report)
{
        if (options->history.messages)
                return json_number_value(json_object_get(report, "requests_per_s"));
        if (options->load.rate)
                return json_number_value(json_object_get(json_object_get(report, "delivery"), "p50_ms"));
        return json_number_value(json_object_get(report, "messages_per_s"));
}

static void print_one(const struct options *options, const char *who, const json_t *report)
{
        if (options->idle.conns)
                report_print_idle(who, report);
        else if (options->history.messages)
                report_print_history(who, report);
        else
                report_print_load(who, report);
}

static void print_all(const struct options *options, const json_t *all)
{
        const struct load_plan *load = &options->load;
        if (!options->idle.conns && !options->history.messages) {
                printf("%u pairs, %u in flight a side, %u-byte texts, %u conversations, %.0f s", load->pairs,
                       load->in_flight, load->text_bytes, load->conversations, load->seconds);
                if (load->rate)
                        printf(", offered %.0f/s", load->rate);
                putchar('\n');
        }
        static const char *const who[] = {"server", "floor"};
        if (json_object_get(all, "disk"))
                report_print_disk(json_object_get(all, "disk"));
        for (size_t i = 0; i < sizeof(who) / sizeof(*who); i++)
                if (json_object_get(all, who[i]))
                        print_one(options, who[i], json_object_get(all, who[i]));
        if (json_object_get(all, "ratio_to_floor"))
                printf("  ratio       %.3f of the floor%s\n", json_number_value(json_object_get(all, "ratio_to_floor")),
                       options->load.rate ? "'s delivery p50" : "");
}

static json_t *plan_json(const struct options *options)
{
        const struct load_plan *load = &options->load;
        return json_pack("{s:i, s:i, s:i, s:i, s:f, s:f, s:I, s:i}", "pairs", (int)load->pairs, "in_flight",
                         (int)load->in_flight, "text_bytes", (int)load->text_bytes, "conversations",
                         (int)load->conversations, "rate", load->rate, "seconds", load->seconds, "history",
                         (json_int_t)options->history.messages, "idle", (int)options->idle.conns);
}

static json_t *measure_all(const struct options *options, struct bench_error *error)
{
        json_t *all = json_object(), *server = NULL, *floor = NULL;
        struct histogram *sync = calloc(1, sizeof(*sync));
        json_object_set_new(all, "plan", plan_json(options));
        if (sync && proc_disk_probe(options->target.parent_dir, sync, error) == 0)
                json_object_set_new(all, "disk", report_disk(sync));
        free(sync);
        if (!error->exit_code && !options->only_floor && (server = measure(options, NULL, error)))
                json_object_set_new(all, "server", server);
        if (!error->exit_code && options->floor && (floor = measure(options, options->floor, error)))
                json_object_set_new(all, "floor", floor);
        if (server && floor && headline(options, floor) > 0)
                json_object_set_new(all, "ratio_to_floor",
                                    json_real(headline(options, server) / headline(options, floor)));
        return all;
}

static void prepare_process(const struct options *options)
{
        struct rlimit files;
        if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
                files.rlim_cur = files.rlim_max;
                setrlimit(RLIMIT_NOFILE, &files);
        }
        if (options->driver_cpu >= 0) {
                cpu_set_t set;
                CPU_ZERO(&set);
                CPU_SET((unsigned)options->driver_cpu, &set);
                sched_setaffinity(0, sizeof(set), &set);
        }
}

static int run(const struct options *options, struct bench_error *error)
{
        struct sigaction take = {.sa_handler = on_signal}, before[2];
        cpu_set_t cpus;
        bool has_cpus = sched_getaffinity(0, sizeof(cpus), &cpus) == 0;
        is_interrupted = 0;
        sigaction(SIGINT, &take, &before[0]);
        sigaction(SIGTERM, &take, &before[1]);
        prepare_process(options);
        json_t *all = measure_all(options, error);
        sigaction(SIGINT, &before[0], NULL);
        sigaction(SIGTERM, &before[1], NULL);
        if (has_cpus)
                sched_setaffinity(0, sizeof(cpus), &cpus);

        if (error->exit_code)
                json_object_set_new(all, "error", json_string(error->text));
        if (options->as_json) {
                json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
                putchar('\n');
        } else {
                print_all(options, all);
        }
        fflush(stdout);
        json_decref(all);
        return error->exit_code;
}

int cli_bench(int argc, char **argv)
{
        static struct options options;
        struct bench_error error = {0};
        switch (options_read(argc, argv, &options, &error)) {
        case OPTIONS_HELP:
                fputs(options_help(), stdout);
                return 0;
        case OPTIONS_WRONG:
                fprintf(stderr, "deskbell bench: %s (see --help)\n", error.text);
                return error.exit_code;
        case OPTIONS_RUN:
                break;
        }
        run(&options, &error);
        if (error.exit_code)
                fprintf(stderr, "deskbell bench: %s\n", error.text);
        return error.exit_code;
}
