/* SPDX-License-Identifier: Apache-2.0 */
/* DNS rebinding (security 63): whatever a name stands for at the moment of connecting is checked, each time. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "ops/clock.h"
#include "outbound/post.h"
#include "unit/ops/cmocka_all.h"

struct place {
        CURLM *multi;
        int listener;
        unsigned port;
};

static int set_up(void **state)
{
        static struct place place;
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof address;
        curl_global_init(CURL_GLOBAL_DEFAULT);
        place.multi = curl_multi_init();
        place.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(place.listener, (struct sockaddr *)&address, len), 0);
        assert_int_equal(listen(place.listener, 8), 0);
        getsockname(place.listener, (struct sockaddr *)&address, &len);
        place.port = ntohs(address.sin_port);
        *state = &place;
        return 0;
}

static int tear_down(void **state)
{
        struct place *place = *state;
        curl_multi_cleanup(place->multi);
        close(place->listener);
        return 0;
}

/* Posts once; the name stands for `resolved`. */
static struct post_verdict try_once(struct place *place, const struct egress *egress, const char *url,
                                    const char *resolved)
{
        struct post_request request = {.url = url,
                                       .egress = egress,
                                       .resolved = resolved,
                                       .id = SPAN("evt_1"),
                                       .timestamp = SPAN("1"),
                                       .signatures = SPAN("v1,x"),
                                       .body = SPAN("{}")};
        struct post_verdict verdict;
        const char *wrong = NULL;
        struct post *post = post_new(place->multi, &request, place, &wrong);
        assert_non_null(post);
        CURLMsg *message = NULL;
        uint64_t deadline = clock_mono_ms() + 20000;
        while (!message && clock_mono_ms() < deadline) {
                int running, left;
                curl_multi_perform(place->multi, &running);
                curl_multi_poll(place->multi, NULL, 0, 20, NULL);
                message = curl_multi_info_read(place->multi, &left);
        }
        assert_non_null(message);
        assert_ptr_equal(post_data(message->easy_handle), place);
        post_judge(post, message->data.result, false, &verdict);
        post_free(post);
        return verdict;
}

static bool was_called(const struct place *place)
{
        struct pollfd poll_fd = {.fd = place->listener, .events = POLLIN};
        return poll(&poll_fd, 1, 0) > 0;
}

static void a_name_that_moves_inside_is_not_connected_to(void **state)
{
        struct place *place = *state;
        static const char *const inside[] = {"127.0.0.1", "[::1]",           "[::ffff:127.0.0.1]",
                                             "10.0.0.1",  "169.254.169.254", "127.0.0.1,10.0.0.1"};
        for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
                struct post_verdict verdict = try_once(place, NULL, "https://shop.example/", inside[i]);
                assert_false(verdict.is_good);
                assert_string_equal(verdict.answer, "not connected: the address is not public and not allowed");
        }
        assert_false(was_called(place));
}

static void an_allowed_network_does_not_open_its_neighbours(void **state)
{
        struct place *place = *state;
        static const char *const allow[] = {"10.9.0.0/16", NULL};
        struct egress *egress = NULL;
        char url[64];
        assert_int_equal(egress_new(allow, &egress, NULL), 0);
        snprintf(url, sizeof url, "http://hooks.corp.example:%u/", place->port);
        struct post_verdict verdict = try_once(place, egress, url, "127.0.0.1");
        assert_string_equal(verdict.answer, "not connected: the address is not public and not allowed");
        assert_false(was_called(place));
        egress_free(egress);
}

/* The same request with the address allowed does arrive: the refusals above are not for another reason. */
static void an_allowed_address_is_connected_to(void **state)
{
        struct place *place = *state;
        static const char *const allow[] = {"127.0.0.1", NULL};
        struct egress *egress = NULL;
        char url[64];
        const char *wrong = NULL;
        assert_int_equal(egress_new(allow, &egress, NULL), 0);
        snprintf(url, sizeof url, "http://hooks.corp.example:%u/", place->port);
        struct post_request request = {.url = url,
                                       .egress = egress,
                                       .resolved = "127.0.0.1",
                                       .id = SPAN("evt_1"),
                                       .timestamp = SPAN("1"),
                                       .signatures = SPAN("v1,x"),
                                       .body = SPAN("{}")};
        struct post *post = post_new(place->multi, &request, NULL, &wrong);
        assert_non_null(post);
        for (int i = 0; i < 500 && !was_called(place); i++) {
                int running;
                curl_multi_perform(place->multi, &running);
                curl_multi_poll(place->multi, NULL, 0, 10, NULL);
        }
        assert_true(was_called(place));
        post_free(post);
        egress_free(egress);
}

static void a_url_that_is_no_longer_allowed_is_not_tried(void **state)
{
        struct place *place = *state;
        const char *wrong = NULL;
        struct post_request request = {.url = "http://127.0.0.1:80/", .id = SPAN("evt_1"), .body = SPAN("{}")};
        assert_null(post_new(place->multi, &request, NULL, &wrong));
        assert_non_null(wrong);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_name_that_moves_inside_is_not_connected_to),
                cmocka_unit_test(an_allowed_network_does_not_open_its_neighbours),
                cmocka_unit_test(an_allowed_address_is_connected_to),
                cmocka_unit_test(a_url_that_is_no_longer_allowed_is_not_tried),
        };
        return cmocka_run_group_tests(tests, set_up, tear_down);
}
