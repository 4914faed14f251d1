/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ops/cmocka_all.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ops/metrics.h"
#include "ops/ops_http.h"

static atomic_bool is_ready;

static bool ready(void *data, FILE *out)
{
        (void)data;
        fprintf(out, ",\"read_only\":%s", is_ready ? "false" : "true");
        return is_ready;
}

static int set_up(void **state)
{
        struct ops_http_options options = {.listen = "127.0.0.1:0", .ready = ready};
        struct ops_http *http = NULL;
        int rc = ops_http_start(&options, &http, NULL);

        is_ready = true;
        *state = http;
        return rc;
}

static int tear_down(void **state)
{
        ops_http_stop(*state);
        return 0;
}

static int dial(struct ops_http *http)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons(ops_http_port(http)),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

static void ask(struct ops_http *http, const char *request, char *out, size_t room)
{
        int fd = dial(http);
        size_t len = 0;
        ssize_t got;

        assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
        while ((got = recv(fd, out + len, room - 1 - len, 0)) > 0)
                len += (size_t)got;
        out[len] = '\0';
        close(fd);
}

static void readiness_is_200_or_503_and_says_what_is_wrong(void **state)
{
        char text[4096];

        ask(*state, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof(text));
        assert_memory_equal(text, "HTTP/1.1 200 ", 13);
        assert_non_null(strstr(text, "\r\n\r\n{\"ready\":true,\"read_only\":false,\"sandbox\":{\"core\":false,"));
        is_ready = false;
        ask(*state, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof(text));
        assert_memory_equal(text, "HTTP/1.1 503 ", 13);
        assert_non_null(strstr(text, "{\"ready\":false,\"read_only\":true,"));
}

static void metrics_are_the_text_of_prometheus(void **state)
{
        static struct metric counted = METRIC_COUNTER("deskbell_test_total", "counted in this test");
        char text[8192];

        metric_register(&counted);
        metric_add(&counted, 3);
        ask(*state, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof(text));
        metric_forget(&counted);
        assert_memory_equal(text, "HTTP/1.1 200 ", 13);
        assert_non_null(strstr(text, "text/plain; version=0.0.4"));
        assert_non_null(strstr(text, "# TYPE deskbell_test_total counter\ndeskbell_test_total 3\n"));
}

static void other_paths_and_methods_are_refused(void **state)
{
        char text[4096];

        ask(*state, "GET / HTTP/1.1\r\n\r\n", text, sizeof(text));
        assert_memory_equal(text, "HTTP/1.1 404 ", 13);
        ask(*state, "GET /metricsx HTTP/1.1\r\n\r\n", text, sizeof(text));
        assert_memory_equal(text, "HTTP/1.1 404 ", 13);
        ask(*state, "POST /metrics HTTP/1.1\r\n\r\n", text, sizeof(text));
        assert_memory_equal(text, "HTTP/1.1 405 ", 13);
        ask(*state, "x\n\n", text, sizeof(text));
        assert_memory_equal(text, "HTTP/1.1 405 ", 13);
}

static void an_endless_head_is_closed(void **state)
{
        char chunk[1024], text[64];
        int fd = dial(*state);

        memset(chunk, 'x', sizeof(chunk));
        for (int i = 0; i < 8; i++)
                if (send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL) < 0)
                        break;
        assert_true(recv(fd, text, sizeof(text), 0) <= 0);
        close(fd);
}

static void silent_connections_beyond_the_limit_wait_and_are_served_later(void **state)
{
        int fds[20];
        char text[4096];

        for (int i = 0; i < 20; i++)
                fds[i] = dial(*state);
        for (int i = 0; i < 20; i++)
                close(fds[i]);
        ask(*state, "GET /readyz HTTP/1.1\r\n\r\n", text, sizeof(text));
        assert_memory_equal(text, "HTTP/1.1 200 ", 13);
}

static void what_is_no_address_or_is_taken_is_refused_with_the_reason(void **state)
{
        static const char *const wrong[] = {
                "", "9464", "host.example:1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x", "[::1:1", "1.2.3:80"};
        struct ops_http *http = NULL;
        char taken[32], *why = NULL;

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                struct ops_http_options options = {.listen = wrong[i], .ready = ready};
                assert_int_equal(ops_http_start(&options, &http, &why), -EINVAL);
                assert_non_null(strstr(why, "expected ADDRESS:PORT"));
                free(why);
        }
        snprintf(taken, sizeof(taken), "127.0.0.1:%u", ops_http_port(*state));
        struct ops_http_options options = {.listen = taken, .ready = ready};
        assert_int_equal(ops_http_start(&options, &http, &why), -EADDRINUSE);
        assert_null(http);
        free(why);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_SERVER(readiness_is_200_or_503_and_says_what_is_wrong),
                WITH_SERVER(metrics_are_the_text_of_prometheus),
                WITH_SERVER(other_paths_and_methods_are_refused),
                WITH_SERVER(an_endless_head_is_closed),
                WITH_SERVER(silent_connections_beyond_the_limit_wait_and_are_served_later),
                WITH_SERVER(what_is_no_address_or_is_taken_is_refused_with_the_reason),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
