/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ops/cmocka_all.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "ops/control.h"
#include "ops/files.h"
#include "tests/unit/ops/tmpdir.h"

/* A desk that answers on a thread of its own. */
struct fake {
        char *dir;
        struct control *control;
        pthread_mutex_t lock;
        pthread_cond_t changed;
        struct call {
                char method[64], params[128];
                void (*done)(void *data, struct span response);
                void *data;
        } calls[32];
        int count, answered;
        bool is_busy, is_silent, is_ending;
        pthread_t thread;
};

static void answer(struct call *call)
{
        char text[512];
        int len = snprintf(text, sizeof(text),
                           "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"method\":\"%s\",\"params\":%s}}", call->method,
                           call->params);

        call->done(call->data, (struct span){text, (size_t)len});
}

static void *run(void *data)
{
        struct fake *fake = data;

        pthread_mutex_lock(&fake->lock);
        while (!fake->is_ending || fake->answered < fake->count) { /* whatever was asked is answered before the end */
                if ((fake->is_silent && !fake->is_ending) || fake->answered == fake->count) {
                        pthread_cond_wait(&fake->changed, &fake->lock);
                        continue;
                }
                struct call call = fake->calls[fake->answered++];
                pthread_mutex_unlock(&fake->lock);
                answer(&call);
                pthread_mutex_lock(&fake->lock);
        }
        pthread_mutex_unlock(&fake->lock);
        return NULL;
}

static int post(void *data, struct span method, char *params, size_t len,
                void (*done)(void *data, struct span response), void *done_data)
{
        struct fake *fake = data;
        int rc = 0;

        pthread_mutex_lock(&fake->lock);
        if (fake->is_busy || fake->count == 32) {
                rc = -1;
        } else {
                struct call *call = &fake->calls[fake->count++];
                snprintf(call->method, sizeof(call->method), "%.*s", (int)method.len, method.at);
                snprintf(call->params, sizeof(call->params), "%.*s", (int)len, params);
                memset(params, 'x', len); /* it is ours to change */
                call->done = done;
                call->data = done_data;
                pthread_cond_broadcast(&fake->changed);
        }
        pthread_mutex_unlock(&fake->lock);
        return rc;
}

static int set_up(void **state)
{
        struct fake *fake = calloc(1, sizeof(*fake));
        if (!fake || !(fake->dir = tmpdir_make()))
                return -1;
        pthread_mutex_init(&fake->lock, NULL);
        pthread_cond_init(&fake->changed, NULL);
        pthread_create(&fake->thread, NULL, run, fake);
        struct control_options options = {.dir = fake->dir, .post = post, .post_data = fake};
        *state = fake;
        return control_start(&options, &fake->control, NULL);
}

static int tear_down(void **state)
{
        struct fake *fake = *state;

        control_stop(fake->control);
        pthread_mutex_lock(&fake->lock);
        fake->is_ending = true;
        pthread_cond_broadcast(&fake->changed);
        pthread_mutex_unlock(&fake->lock);
        pthread_join(fake->thread, NULL);
        pthread_cond_destroy(&fake->changed);
        pthread_mutex_destroy(&fake->lock);
        tmpdir_drop(fake->dir);
        free(fake);
        return 0;
}

static json_t *call(const char *dir, const char *request)
{
        char *response = NULL, *why = NULL;
        size_t len = 0;
        int rc = control_call(dir, span_of(request), 10000, &response, &len, &why);

        if (rc < 0)
                fail_msg("%s", why);
        assert_int_equal(strlen(response), len);
        json_t *json = json_loads(response, 0, NULL);
        assert_non_null(json);
        free(response);
        return json;
}

static void expect_error(const char *dir, const char *request, int code, const char *class)
{
        json_t *json = call(dir, request), *error = json_object_get(json, "error");

        assert_int_equal(json_integer_value(json_object_get(error, "code")), code);
        assert_string_equal(json_string_value(json_object_get(json_object_get(error, "data"), "class")), class);
        json_decref(json);
}

static void a_method_is_answered_with_the_id_of_its_caller(void **state)
{
        struct fake *fake = *state;
        json_t *json =
                call(fake->dir, "{\"jsonrpc\":\"2.0\",\"id\":\"mine\",\"method\":\"app.list\",\"params\":{\"a\":[1]}}");
        json_t *result = json_object_get(json, "result");

        assert_string_equal(json_string_value(json_object_get(json, "id")), "mine");
        assert_string_equal(json_string_value(json_object_get(result, "method")), "app.list");
        assert_int_equal(json_array_size(json_object_get(json_object_get(result, "params"), "a")), 1);
        json_decref(json);
}

static void what_is_no_request_is_refused_and_never_posted(void **state)
{
        struct fake *fake = *state;

        expect_error(fake->dir, "nonsense", -32700, "permanent");
        expect_error(fake->dir, "{\"id\":1,\"id\":2}", -32700, "permanent");
        expect_error(fake->dir, "[]", -32600, "permanent");
        expect_error(fake->dir, "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}", -32600, "permanent");
        expect_error(fake->dir, "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"x\"}", -32600, "permanent");
        expect_error(fake->dir, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":[]}", -32600, "permanent");
        assert_int_equal(fake->count, 0);
}

static void a_busy_desk_is_told_as_retry(void **state)
{
        struct fake *fake = *state;

        fake->is_busy = true;
        expect_error(fake->dir, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"app.list\"}", 11, "retry");
        fake->is_busy = false;
        json_decref(call(fake->dir, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"app.list\"}"));
}

static int dial(const char *dir)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        snprintf(address.sun_path, sizeof(address.sun_path), "%s/control.sock", dir);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

static void a_line_that_never_ends_is_refused_at_its_limit(void **state)
{
        struct fake *fake = *state;
        char chunk[4096], answer_text[512] = "";
        int fd = dial(fake->dir);
        size_t sent = 0;

        memset(chunk, 'x', sizeof(chunk));
        while (sent < CONTROL_LINE_BYTES)
                sent += (size_t)send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL);
        assert_true(recv(fd, answer_text, sizeof(answer_text) - 1, 0) > 0);
        assert_non_null(strstr(answer_text, "too_large"));
        assert_true(recv(fd, answer_text, sizeof(answer_text), 0) <= 0);
        close(fd);
}

static void requests_sent_in_one_go_are_answered_one_by_one(void **state)
{
        struct fake *fake = *state;
        static const char two[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"one\"}\n"
                                  "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"two\"}\n";
        char text[1024] = "";
        size_t len = 0;
        int fd = dial(fake->dir);

        assert_int_equal(send(fd, two, sizeof(two) - 1, 0), sizeof(two) - 1);
        while (!strstr(text, "\"two\"") || text[len - 1] != '\n') {
                ssize_t got = recv(fd, text + len, sizeof(text) - 1 - len, 0);
                assert_true(got > 0);
                len += (size_t)got;
                text[len] = '\0';
        }
        assert_true(strstr(text, "\"one\"") < strstr(text, "\"two\""));
        close(fd);
}

static void a_caller_that_leaves_does_not_disturb_its_answer(void **state)
{
        struct fake *fake = *state;
        static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"slow\"}\n";

        pthread_mutex_lock(&fake->lock);
        fake->is_silent = true;
        pthread_mutex_unlock(&fake->lock);
        int fd = dial(fake->dir);
        assert_int_equal(send(fd, request, sizeof(request) - 1, 0), sizeof(request) - 1);
        pthread_mutex_lock(&fake->lock);
        while (fake->count == 0)
                pthread_cond_wait(&fake->changed, &fake->lock);
        close(fd);
        fake->is_silent = false;
        pthread_cond_broadcast(&fake->changed);
        pthread_mutex_unlock(&fake->lock);
        json_decref(call(fake->dir, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"next\"}"));
}

static void an_answer_later_than_the_stop_is_dropped(void **state)
{
        struct fake *fake = *state;
        static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"slow\"}\n";

        pthread_mutex_lock(&fake->lock);
        fake->is_silent = true;
        pthread_mutex_unlock(&fake->lock);
        int fd = dial(fake->dir);
        assert_int_equal(send(fd, request, sizeof(request) - 1, 0), sizeof(request) - 1);
        pthread_mutex_lock(&fake->lock);
        while (fake->count == 0)
                pthread_cond_wait(&fake->changed, &fake->lock);
        pthread_mutex_unlock(&fake->lock);
        fake->control = control_stop(fake->control);
        answer(&fake->calls[0]);
        fake->answered = 1;
        close(fd);
}

static void nobody_listening_is_told_apart(void **state)
{
        struct fake *fake = *state;
        char *response = NULL, *why = NULL;
        size_t len;

        fake->control = control_stop(fake->control);
        assert_int_equal(control_call(fake->dir, SPAN("{}"), 1000, &response, &len, &why), -ENOENT);
        assert_non_null(strstr(why, "control.sock"));
        assert_null(response);
        free(why);
}

static void a_silent_server_is_given_up_after_the_time_said(void **state)
{
        struct fake *fake = *state;
        char *response = NULL;
        size_t len;

        pthread_mutex_lock(&fake->lock);
        fake->is_silent = true;
        pthread_mutex_unlock(&fake->lock);
        assert_int_equal(control_call(fake->dir, SPAN("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}"), 50, &response,
                                      &len, NULL),
                         -ETIMEDOUT);
        pthread_mutex_lock(&fake->lock);
        fake->is_silent = false;
        pthread_cond_broadcast(&fake->changed);
        pthread_mutex_unlock(&fake->lock);
}

static void the_socket_is_for_its_owner_only_and_replaces_a_dead_one(void **state)
{
        struct fake *fake = *state;
        struct stat st;
        char *path = files_path(fake->dir, "control.sock");

        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        /* As after a crash: the name is there and nobody behind it. */
        fake->control = control_stop(fake->control);
        assert_int_equal(mknod(path, S_IFIFO | 0600, 0), 0);
        struct control_options options = {.dir = fake->dir, .post = post, .post_data = fake};
        assert_int_equal(control_start(&options, &fake->control, NULL), 0);
        json_decref(call(fake->dir, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}"));
        free(path);
}

static void another_user_is_shown_out(void **state)
{
        struct fake *fake = *state;
        int status;
        if (geteuid() != 0)
                skip();
        /* The socket and the folder are opened wide: only the check of the peer is left. */
        char *path = files_path(fake->dir, "control.sock");
        assert_int_equal(chmod(path, 0666), 0);
        assert_int_equal(chmod(fake->dir, 0755), 0);
        free(path);
        pid_t child = fork();
        if (child == 0) {
                char *response = NULL;
                size_t len;
                if (setresuid(65534, 65534, 65534) < 0)
                        _exit(2);
                int rc = control_call(fake->dir, SPAN("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}"), 5000,
                                      &response, &len, NULL);
                _exit(rc == -ECONNRESET || rc == -EPIPE ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_int_equal(fake->count, 0);
}

static void a_folder_with_a_very_long_name_works(void **state)
{
        struct fake *fake = *state;
        char name[200], *deep;
        struct control *control = NULL;

        memset(name, 'd', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        deep = files_path(fake->dir, name);
        assert_int_equal(mkdir(deep, 0700), 0);
        struct control_options options = {.dir = deep, .post = post, .post_data = fake};
        assert_int_equal(control_start(&options, &control, NULL), 0);
        json_decref(call(deep, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}"));
        control_stop(control);
        free(deep);
}

#define WITH_FAKE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_FAKE(a_method_is_answered_with_the_id_of_its_caller),
                WITH_FAKE(what_is_no_request_is_refused_and_never_posted),
                WITH_FAKE(a_busy_desk_is_told_as_retry),
                WITH_FAKE(a_line_that_never_ends_is_refused_at_its_limit),
                WITH_FAKE(requests_sent_in_one_go_are_answered_one_by_one),
                WITH_FAKE(a_caller_that_leaves_does_not_disturb_its_answer),
                WITH_FAKE(an_answer_later_than_the_stop_is_dropped),
                WITH_FAKE(nobody_listening_is_told_apart),
                WITH_FAKE(a_silent_server_is_given_up_after_the_time_said),
                WITH_FAKE(the_socket_is_for_its_owner_only_and_replaces_a_dead_one),
                WITH_FAKE(another_user_is_shown_out),
                WITH_FAKE(a_folder_with_a_very_long_name_works),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
