/* SPDX-License-Identifier: Apache-2.0 */
/* The two ways to the desk: in this process, and through the control socket of the process that holds the folder. */
#include "tests/unit/ops/cmocka_all.h"

#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/console.h"
#include "cli/secrets.h"
#include "desk/desk.h"
#include "ops/control.h"
#include "ops/files.h"
#include "ops/lock.h"
#include "ops/log.h"
#include "tests/unit/ops/tmpdir.h"

static char *dir;

static int set_up(void **state)
{
        struct console *console = NULL;
        (void)state;

        log_set_level(LOG_ERROR);
        dir = tmpdir_make();
        int rc = dir ? console_open(dir, CONSOLE_CREATE, &console) : -1;
        console_close(console);
        return rc;
}

static int tear_down(void **state)
{
        (void)state;
        tmpdir_drop(dir);
        return 0;
}

/* A server in this process, as far as an operator can see. */
struct server {
        int lock_fd;
        struct desk *desk;
        struct control *control;
};

static int post(void *data, struct span method, char *params, size_t len,
                void (*done)(void *data, struct span response), void *done_data)
{
        struct server *server = data;

        return desk_post_operator(server->desk, method, params, len, done, done_data);
}

static void fatal(void *data)
{
        (void)data;
        abort();
}

static void start(struct server *server)
{
        struct desk_settings settings = {.data_dir = dir,
                                         .readers = 1,
                                         .retry_days = 30,
                                         .key_window_days = 90,
                                         .in_flight = 16,
                                         .heartbeat_ms = 25000,
                                         .dead_ms = 35000,
                                         .devices_per_customer = 10,
                                         .devices_per_agent = 20};
        char *why = NULL;
        struct control_options control = {.dir = dir, .post = post, .post_data = server};

        assert_int_equal(lock_take(dir, &server->lock_fd, NULL), 0);
        assert_int_equal(desk_open(&settings, false, &server->desk, &why), 0);
        assert_int_equal(desk_start(server->desk, fatal, NULL), 0);
        assert_int_equal(control_start(&control, &server->control, NULL), 0);
}

static void stop(struct server *server)
{
        control_stop(server->control);
        desk_stop(server->desk);
        desk_close(server->desk);
        lock_drop(server->lock_fd);
}

static json_t *app_named(const char *name)
{
        return json_pack("{s:o, s:s}", "cmid", secret_cmid(), "name", name);
}

static size_t count_apps(void)
{
        json_t *result = NULL;

        assert_int_equal(console_call(dir, "app.list", NULL, &result), EX_OK);
        size_t count = json_array_size(json_object_get(result, "apps"));
        json_decref(result);
        return count;
}

static void what_one_way_stores_the_other_way_reads(void **state)
{
        struct server server = {0};
        struct console *console = NULL;
        json_t *result = NULL;
        (void)state;

        assert_int_equal(console_call(dir, "app.add", app_named("One"), NULL), EX_OK);
        start(&server);
        assert_int_equal(console_open(dir, CONSOLE_USE, &console), EX_OK);
        assert_true(console_is_remote(console));
        assert_int_equal(console_do(console, "app.add", app_named("Two"), &result), EX_OK);
        assert_memory_equal(cli_text(result, "app"), "app_", 4);
        console_close(console);
        json_decref(result);
        assert_int_equal(count_apps(), 2);
        stop(&server);
        assert_int_equal(count_apps(), 2);
}

static void the_same_cmid_is_the_same_call_on_both_ways(void **state)
{
        struct server server = {0};
        json_t *params = app_named("Once"), *first = NULL, *second = NULL;
        (void)state;

        assert_int_equal(console_call(dir, "app.add", json_incref(params), &first), EX_OK);
        start(&server);
        assert_int_equal(console_call(dir, "app.add", json_incref(params), &second), EX_OK);
        assert_string_equal(cli_text(first, "app"), cli_text(second, "app"));
        assert_int_equal(count_apps(), 1);
        stop(&server);
        json_decref(first);
        json_decref(second);
        json_decref(params);
}

static void a_refusal_is_the_same_exit_code_on_both_ways(void **state)
{
        struct server server = {0};
        (void)state;

        for (int remote = 0; remote < 2; remote++) {
                if (remote)
                        start(&server);
                json_t *result = NULL;
                assert_int_equal(console_call(dir, "no.such", NULL, &result), EX_DATAERR);
                assert_int_equal(console_call(dir, "key.list", json_pack("{s:s}", "app", "nonsense"), &result),
                                 EX_DATAERR);
                assert_int_equal(console_call(dir, "key.list", json_pack("{s:s}", "app", "app_0000000000001"), &result),
                                 EX_DATAERR);
                assert_int_equal(console_call(dir, "app.add", json_pack("{s:s}", "name", "no cmid"), &result),
                                 EX_DATAERR);
                assert_null(result);
        }
        stop(&server);
}

static void a_folder_without_a_store_or_none_at_all_is_said_so(void **state)
{
        struct console *console = NULL;
        char *empty = files_path(dir, "empty"), *missing = files_path(dir, "missing");
        (void)state;

        assert_int_equal(mkdir(empty, 0700), 0);
        assert_int_equal(console_open(empty, CONSOLE_USE, &console), EX_NOINPUT);
        assert_int_equal(console_open(missing, CONSOLE_USE, &console), EX_NOINPUT);
        assert_null(console);
        free(empty);
        free(missing);
}

static void a_folder_in_use_cannot_be_made_anew(void **state)
{
        struct console *console = NULL;
        int fd = -1;
        (void)state;

        assert_int_equal(lock_take(dir, &fd, NULL), 0);
        assert_int_equal(console_open(dir, CONSOLE_CREATE, &console), EX_TEMPFAIL);
        assert_null(console);
        lock_drop(fd);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
        struct console *console = NULL;
        char text[8192];
        (void)state;

        memset(text, 'x', sizeof(text));
        assert_int_equal(files_replace(dir, "deskbell.db", (struct span){text, sizeof(text)}), 0);
        assert_int_equal(console_open(dir, CONSOLE_USE, &console), EX_DATAERR);
        assert_null(console);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(what_one_way_stores_the_other_way_reads),
                TEST(the_same_cmid_is_the_same_call_on_both_ways),
                TEST(a_refusal_is_the_same_exit_code_on_both_ways),
                TEST(a_folder_without_a_store_or_none_at_all_is_said_so),
                TEST(a_folder_in_use_cannot_be_made_anew),
                TEST(a_file_that_is_no_database_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
