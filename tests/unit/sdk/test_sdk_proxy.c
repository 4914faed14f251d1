/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a proxy for a way to the server: what is said to it, and what each of its answers means. The proxy is the
 * other end of a socket pair, and has answered before it is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client-sdk/src/dial.h"

static int pair[2], stop[2]; /* ours and the proxy's; the end that is watched, and the one that is written to */
static struct dial_outcome outcome;

static int set_up(void **state)
{
        (void)state;
        assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
        assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, stop));
        assert_int_equal(0, fcntl(pair[0], F_SETFL, O_NONBLOCK));
        outcome = (struct dial_outcome){.why = ""};
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        for (int i = 0; i < 2; i++) {
                close(pair[i]);
                close(stop[i]);
        }
        return 0;
}

static int64_t in_ms(int64_t ms)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + ms;
}

static void answer(const char *bytes, size_t len)
{
        assert_int_equal(len, write(pair[1], bytes, len));
}

static void say(const char *text)
{
        answer(text, strlen(text));
}

static int ask(const char *url, const char *proxy_url, int64_t until_ms)
{
        struct road_address to;
        struct road_proxy proxy;

        assert_true(road_read_address(url, &to));
        assert_true(road_read_proxy(proxy_url, &proxy));
        return dial_ask_proxy(pair[0], &to, &proxy, stop[0], until_ms, &outcome);
}

static int ask_for_any(void)
{
        return ask("wss://shop.example/v1/ws", "http://proxy.example:3128", in_ms(60000));
}

static void expect_failure(const char *why, const char *detail)
{
        assert_int_equal(-1, ask_for_any());
        assert_string_equal(why, outcome.why);
        assert_string_equal(detail, outcome.detail);
}

static void expect_request(const char *request)
{
        char said[2048] = "";
        ssize_t len = read(pair[1], said, sizeof(said) - 1);

        assert_true(len > 0);
        assert_string_equal(request, said);
}

static void a_way_is_asked_for_by_name_and_port(void **state)
{
        (void)state;
        say("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n");
        assert_int_equal(0, ask_for_any());
        expect_request("CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n\r\n");
}

static void an_ipv6_address_is_asked_for_in_brackets_and_credentials_are_given(void **state)
{
        (void)state;
        say("HTTP/1.0 204 \r\n\r\n");
        assert_int_equal(0, ask("ws://[::1]:8080/", "http://ann:p%3Aw@proxy.example:3128", in_ms(60000)));
        expect_request(
                "CONNECT [::1]:8080 HTTP/1.1\r\nHost: [::1]:8080\r\nProxy-Authorization: Basic YW5uOnA6dw==\r\n\r\n");
}

static void each_answer_means_what_it_says(void **state)
{
        static const struct {
                const char *answer, *why, *detail;
        } cases[] = {
                {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "proxy_auth", "the proxy answered 407"},
                {"HTTP/1.1 502\r\n\r\n", "proxy", "the proxy answered 502"},
                {"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "proxy", "the proxy answered 302"},
                {"HTTP/1.1 100 Continue\r\n\r\n", "proxy", "the proxy answered 100"},
                {"HTTP/1.1 2x0 OK\r\n\r\n", "proxy", "the proxy does not speak HTTP"},
                {"HTTP/1.1 2000\r\n\r\n", "proxy", "the proxy does not speak HTTP"},
                {"HTTP/1.1 600 \r\n\r\n", "proxy", "the proxy does not speak HTTP"},
                {"HTTP/1.7 200 OK\r\n\r\n", "proxy", "the proxy does not speak HTTP"},
                {"HTTP/2 200 OK\r\n\r\n", "proxy", "the proxy does not speak HTTP"},
                {"SSH-2.0-OpenSSH_9\r\n", "proxy", "the proxy does not speak HTTP"},
                {"HTTP/1.1 200 OK\r\n\r\n\x16\x03", "proxy", "the proxy says more than it was asked"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                say(cases[i].answer);
                expect_failure(cases[i].why, cases[i].detail);
                tear_down(NULL);
                set_up(NULL);
        }
}

static void a_byte_of_zero_is_no_part_of_an_answer(void **state)
{
        (void)state;
        answer("HTTP/1.1 200 OK\0\r\n\r\n", 20);
        expect_failure("proxy", "the proxy does not speak HTTP");
}

static void an_answer_without_end_is_cut_off(void **state)
{
        char line[1000];

        (void)state;
        say("HTTP/1.1 200 OK\r\n");
        memset(line, 'x', sizeof(line));
        for (int i = 0; i < 9; i++)
                answer(line, sizeof(line));
        expect_failure("proxy", "the proxy's answer is too long");
}

static void a_proxy_that_leaves_is_told_whenever_it_does(void **state)
{
        (void)state;
        say("HTTP/1.1 2");
        assert_int_equal(0, shutdown(pair[1], SHUT_WR));
        expect_failure("proxy", "the proxy hung up"); /* in its answer */
        tear_down(NULL);
        set_up(NULL);
        close(pair[1]);
        pair[1] = -1;
        expect_failure("proxy", "the proxy hung up"); /* before the question */
}

static void a_proxy_that_says_nothing_is_left_in_time_and_at_once_when_nobody_waits_any_more(void **state)
{
        int64_t began = in_ms(0);

        (void)state;
        assert_int_equal(-1, ask("wss://shop.example", "http://proxy.example:3128", began + 50));
        assert_string_equal("the proxy does not answer", outcome.detail);
        assert_true(in_ms(0) >= began + 50);
        assert_int_equal(1, write(stop[1], "x", 1));
        expect_failure("proxy", "the proxy does not answer"); /* a minute has not passed, or this test fails by time */
}

static void a_proxy_that_does_not_read_is_left_in_time(void **state)
{
        char bytes[4096] = "";

        (void)state;
        while (write(pair[0], bytes, sizeof(bytes)) > 0)
                ;
        assert_int_equal(-1, ask("wss://shop.example", "http://proxy.example:3128", in_ms(50)));
        assert_string_equal("the proxy does not read", outcome.detail);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(a_way_is_asked_for_by_name_and_port),
                T(an_ipv6_address_is_asked_for_in_brackets_and_credentials_are_given),
                T(each_answer_means_what_it_says),
                T(a_byte_of_zero_is_no_part_of_an_answer),
                T(an_answer_without_end_is_cut_off),
                T(a_proxy_that_leaves_is_told_whenever_it_does),
                T(a_proxy_that_says_nothing_is_left_in_time_and_at_once_when_nobody_waits_any_more),
                T(a_proxy_that_does_not_read_is_left_in_time),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
