/* SPDX-License-Identifier: Apache-2.0 */
/* Whole runs of the load generator against the floor: that it accounts for every message, and above all that it notices
 * when one is lost or comes twice. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/bench/bench.h"
#include "cli/bench/history.h"
#include "cli/bench/idle.h"
#include "cli/bench/load.h"

static char dir[64];

static struct load_plan small_plan(void)
{
        return (struct load_plan){
                .pairs = 4, .conversations = 4, .in_flight = 2, .text_bytes = 200, .seconds = 0.3, .patience_s = 1};
}

/* Runs a plan against the floor (or a script that starts it) and stops it again. */
static int run_floor(const char *floor, const struct load_plan *plan, struct load_result *out_result)
{
        struct bench_error error = {0};
        struct target_options how = {.floor = floor, .parent_dir = dir, .server_cpu = -1};
        struct target target = {0};
        int rc = target_start(&how, &target, &error);
        if (rc == 0)
                rc = load_run(plan, &target, out_result, &error);
        if (target_stop(&target, &error) < 0)
                print_message("%s\n", error.text);
        load_result_done(out_result);
        return error.exit_code ? -1 : rc;
}

/* A floor with a planted fault. */
static const char *faulty_floor(const char *fault)
{
        static char path[80];
        snprintf(path, sizeof(path), "%s/faulty", dir);
        FILE *script = fopen(path, "w");
        assert_non_null(script);
        fprintf(script, "#!/bin/sh\nexec %s %s \"$@\"\n", FLOOR_PATH, fault);
        assert_int_equal(fclose(script), 0);
        assert_int_equal(chmod(path, 0700), 0);
        return path;
}

static struct load_result *result_new(void)
{
        struct load_result *result = calloc(1, sizeof(*result));
        assert_non_null(result);
        return result;
}

static void every_message_of_a_good_run_is_accounted_for(void **state)
{
        (void)state;
        struct load_plan plan = small_plan();
        struct load_result *result = result_new();
        assert_int_equal(run_floor(FLOOR_PATH, &plan, result), 0);
        assert_true(load_is_accounted(result));
        assert_true(result->acks > 0 && result->acks <= result->sent);
        assert_int_equal(result->delivered, result->sent);
        assert_int_equal(result->ack.count, result->acks);
        free(result);
}

static void several_conversations_a_pair_are_used_in_turn(void **state)
{
        (void)state;
        struct load_plan plan = small_plan();
        plan.conversations = 4 * 70;
        plan.in_flight = 16;
        struct load_result *result = result_new();
        assert_int_equal(run_floor(FLOOR_PATH, &plan, result), 0);
        assert_true(load_is_accounted(result));
        free(result);
}

static void one_lost_delivery_in_a_hundred_is_noticed(void **state)
{
        (void)state;
        struct load_plan plan = small_plan();
        plan.limit = 300; /* however slow the disk is */
        struct load_result *result = result_new();
        assert_int_equal(run_floor(faulty_floor("--lose-every 100"), &plan, result), 0);
        assert_false(load_is_accounted(result));
        assert_int_equal(result->acked, result->sent);
        assert_int_equal(result->sent - result->delivered, result->sent / 100);
        free(result);
}

static void a_message_at_two_places_is_noticed(void **state)
{
        (void)state;
        struct load_plan plan = small_plan();
        plan.limit = 300; /* however slow the disk is */
        struct load_result *result = result_new();
        assert_int_equal(run_floor(faulty_floor("--double-every 100"), &plan, result), 0);
        assert_false(load_is_accounted(result));
        assert_int_equal(result->delivered_twice, result->sent / 100);
        assert_true(result->disagreements > 0);
        free(result);
}

static void a_refused_message_is_sent_again_until_it_is_taken(void **state)
{
        (void)state;
        struct load_plan plan = small_plan();
        plan.in_flight = 8;
        struct load_result *result = result_new();
        assert_int_equal(run_floor(faulty_floor("--refuse-every 50"), &plan, result), 0);
        assert_true(load_is_accounted(result));
        assert_true(result->retried >= result->sent / 50);
        free(result);
}

static void an_offered_rate_is_what_is_sent(void **state)
{
        (void)state;
        struct load_plan plan = small_plan();
        plan.rate = 500;
        plan.seconds = 2;
        plan.in_flight = 1000;
        struct load_result *result = result_new();
        assert_int_equal(run_floor(FLOOR_PATH, &plan, result), 0);
        assert_true(load_is_accounted(result));
        assert_in_range(result->sent, 995, 1200);
        free(result);
}

static void a_limit_ends_a_run_at_exactly_that_many(void **state)
{
        (void)state;
        struct load_plan plan = small_plan();
        plan.limit = 777;
        plan.is_one_sided = true;
        struct load_result *result = result_new();
        assert_int_equal(run_floor(FLOOR_PATH, &plan, result), 0);
        assert_int_equal(result->sent, 777);
        assert_int_equal(result->acked, 777);
        free(result);
}

static int bench(const char *first, ...)
{
        const char *argv[24] = {"bench", "--dir", dir, "--server-cpu", "-1", "--driver-cpu", "-1"};
        int argc = 7;
        va_list rest;
        va_start(rest, first);
        for (const char *word = first; word && argc < 23; word = va_arg(rest, const char *))
                argv[argc++] = word;
        va_end(rest);
        return cli_bench(argc, (char **)(uintptr_t)argv);
}

static void the_command_says_by_its_exit_code_how_it_went(void **state)
{
        (void)state;
        assert_int_equal(bench("--floor", FLOOR_PATH, "--only-floor", "--pairs", "2", "--seconds", "0.2", "--warm", "0",
                               "--json", NULL),
                         0);
        assert_int_equal(bench("--floor", faulty_floor("--lose-every 50"), "--only-floor", "--pairs", "2", "--seconds",
                               "0.2", "--warm", "0", "--patience", "0.5", NULL),
                         1);
        assert_int_equal(bench("--floor", "/nonexistent/floor", "--only-floor", NULL), 69);
}

static void wrong_options_are_refused_before_anything_is_started(void **state)
{
        (void)state;
        assert_int_equal(bench("--pairs", "0", NULL), 64);
        assert_int_equal(bench("--size", "20x", NULL), 64);
        assert_int_equal(bench("--nothing-such", NULL), 64);
        assert_int_equal(bench("--seconds", NULL), 64);
        assert_int_equal(bench("word", NULL), 64);
        assert_int_equal(bench("--pairs", "3", "--conversations", "10", NULL), 64);
        assert_int_equal(bench("--pairs", "1", "--conversations", "201", NULL), 64);
        assert_int_equal(bench("--idle", "10", "--history", "1000", NULL), 64);
        assert_int_equal(bench("--only-floor", NULL), 64);
}

static void idle_connections_are_held_and_measured(void **state)
{
        (void)state;
        assert_int_equal(bench("--floor", FLOOR_PATH, "--only-floor", "--idle", "300", "--seconds", "0.2", NULL), 0);
}

static void the_last_page_is_read_over_and_over(void **state)
{
        (void)state;
        assert_int_equal(bench("--floor", FLOOR_PATH, "--only-floor", "--history", "100", "--pairs", "3", "--seconds",
                               "0.2", "--warm", "0", NULL),
                         0);
}

static void no_folder_is_left_behind(void **state)
{
        (void)state;
        struct load_plan plan = small_plan();
        struct load_result *result = result_new();
        assert_int_equal(run_floor(FLOOR_PATH, &plan, result), 0);
        free(result);
        DIR *listing = opendir(dir);
        assert_non_null(listing);
        for (struct dirent *entry; (entry = readdir(listing));)
                assert_int_not_equal(strncmp(entry->d_name, "deskbell-bench", 14), 0);
        closedir(listing);
}

static int make_dir(void **state)
{
        (void)state;
        snprintf(dir, sizeof(dir), "/tmp/bench-test-XXXXXX");
        return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
        (void)state;
        char command[100];
        snprintf(command, sizeof(command), "rm -rf %s", dir);
        return system(command);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_message_of_a_good_run_is_accounted_for),
                cmocka_unit_test(several_conversations_a_pair_are_used_in_turn),
                cmocka_unit_test(one_lost_delivery_in_a_hundred_is_noticed),
                cmocka_unit_test(a_message_at_two_places_is_noticed),
                cmocka_unit_test(a_refused_message_is_sent_again_until_it_is_taken),
                cmocka_unit_test(an_offered_rate_is_what_is_sent),
                cmocka_unit_test(a_limit_ends_a_run_at_exactly_that_many),
                cmocka_unit_test(the_command_says_by_its_exit_code_how_it_went),
                cmocka_unit_test(wrong_options_are_refused_before_anything_is_started),
                cmocka_unit_test(idle_connections_are_held_and_measured),
                cmocka_unit_test(the_last_page_is_read_over_and_over),
                cmocka_unit_test(no_folder_is_left_behind),
        };
        return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
