/* SPDX-License-Identifier: Apache-2.0 */
/* Looking up names, with a resolver of the test's own: what hangs in it holds up nobody, and of several addresses the
 * one that works is found soon. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "client-sdk/src/transfer.h"
#include "deskbell/deskbell.h"

enum { SOON_MS = 2000, PATIENCE_S = 60 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int begun, ended;   /* lookups */
static int tries, leaves;  /* states told: CONNECTING, DISCONNECTED */
static bool is_hanging;    /* of "slow.test" */
static uint16_t dead_port; /* of the first address of "two.test"; on the address dead_host */
static const char *dead_host;

typedef int (*lookup_fn)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static int look_up(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
        lookup_fn real;

        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
        return real(node, service, hints, out);
}

static void set_port(struct addrinfo *of, uint16_t port)
{
        if (of->ai_family == AF_INET6)
                ((struct sockaddr_in6 *)of->ai_addr)->sin6_port = htons(port);
        else
                ((struct sockaddr_in *)of->ai_addr)->sin_port = htons(port);
}

/* Instead of the C library's, for everybody in this process. */
int getaddrinfo(const char *restrict node, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict out)
{
        if (strcmp(node, "two.test") == 0) {
                int rc = look_up(dead_host, service, hints, out);
                if (rc != 0)
                        return rc;
                set_port(*out, dead_port);
                return look_up("127.0.0.1", service, hints, &(*out)->ai_next);
        }
        if (strcmp(node, "slow.test") != 0)
                return look_up(node, service, hints, out);
        pthread_mutex_lock(&lock);
        begun++;
        pthread_cond_broadcast(&changed);
        while (is_hanging)
                pthread_cond_wait(&changed, &lock);
        pthread_mutex_unlock(&lock);
        int rc = look_up("127.0.0.1", service, hints, out);
        pthread_mutex_lock(&lock);
        ended++;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
        return rc;
}

static int64_t now_ms(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void await(const int *count, int at_least)
{
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += PATIENCE_S;
        pthread_mutex_lock(&lock);
        while (*count < at_least)
                if (pthread_cond_timedwait(&changed, &lock, &until) == ETIMEDOUT)
                        break;
        assert_true(*count >= at_least);
        pthread_mutex_unlock(&lock);
}

static void let_go(void)
{
        pthread_mutex_lock(&lock);
        is_hanging = false;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
}

static int set_up(void **state)
{
        (void)state;
        begun = ended = tries = leaves = 0;
        is_hanging = true;
        return 0;
}

static int listen_at(const char *host, int backlog, uint16_t *out_port)
{
        struct addrinfo *at = NULL, hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
        struct sockaddr_in6 room;
        socklen_t len = sizeof(room);

        assert_int_equal(0, look_up(host, "0", &hints, &at));
        int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (bind(fd, at->ai_addr, at->ai_addrlen) < 0) {
                freeaddrinfo(at);
                close(fd);
                return -1;
        }
        freeaddrinfo(at);
        assert_int_equal(0, listen(fd, backlog));
        assert_int_equal(0, getsockname(fd, (struct sockaddr *)&room, &len));
        *out_port = ntohs(room.sin6_port); /* where IPv4 has it too */
        return fd;
}

static void on_state(deskbell_client *client, const struct deskbell_state *state, void *data)
{
        (void)client;
        (void)data;
        pthread_mutex_lock(&lock);
        tries += state->connection == DESKBELL_CONNECTING;
        leaves += state->connection == DESKBELL_DISCONNECTED;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
}

static deskbell_client *open_client(const char *host, uint16_t port, bool dispatches)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        deskbell_client *client = NULL;
        char url[64];

        snprintf(url, sizeof(url), "ws://%s:%u", host, port);
        options.url = url;
        options.app = "app_0000000000009";
        options.token = "token";
        options.callbacks_by_dispatch = dispatches;
        options.on_state = on_state;
        assert_int_equal(0, deskbell_open(&options, &client));
        assert_int_equal(0, deskbell_connect(client));
        return client;
}

static void a_lookup_that_hangs_holds_up_neither_sending_nor_callbacks_nor_closing(void **state)
{
        deskbell_conversation *conversation = NULL;
        deskbell_client *client = open_client("slow.test", 9, true);

        (void)state;
        await(&begun, 1);
        int64_t began = now_ms();
        assert_int_equal(0, deskbell_conversation_open(client, "main", &conversation));
        for (int i = 0; i < 3; i++) {
                assert_int_equal(0, deskbell_send(conversation, "hello", NULL, NULL));
                assert_int_equal(0, deskbell_network_changed(client)); /* wants a new connection each time */
        }
        assert_true(deskbell_dispatch(client, 0) > 0);
        assert_int_equal(0, deskbell_disconnect(client));
        assert_int_equal(0, deskbell_connect(client));
        assert_int_equal(0, deskbell_close(client));
        assert_true(now_ms() - began < SOON_MS);
        assert_int_equal(1, begun); /* one lookup for all of them */
        assert_int_equal(0, ended); /* which is still under way */
        let_go();
        await(&ended, 1);
}

static void whoever_waits_when_the_lookup_ends_is_served(void **state)
{
        uint16_t port;
        int listener = listen_at("127.0.0.1", 8, &port);
        struct pollfd come = {listener, POLLIN, 0};
        deskbell_client *client = open_client("slow.test", port, false);

        (void)state;
        await(&begun, 1);
        await(&tries, 1);
        leaves = 0;
        assert_int_equal(0, deskbell_disconnect(client)); /* leaves the first try */
        await(&leaves, 1);
        assert_int_equal(0, deskbell_connect(client)); /* begins a second one */
        await(&tries, 2);
        assert_int_equal(0, poll(&come, 1, 0));
        let_go();
        assert_int_equal(1, poll(&come, 1, PATIENCE_S * 1000));
        assert_true(begun <= 2); /* 2: the lookup ended before the second try had asked */
        assert_int_equal(0, deskbell_close(client));
        close(listener);
}

static void never_done(void *data, struct job *job)
{
        (void)data;
        job_free(job);
}

static void files_do_not_wait_for_a_lookup_at_the_end(void **state)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        struct road *road = NULL;
        struct transfer *transfer = NULL;
        char path[] = "/tmp/test_sdk_dns_XXXXXX";

        (void)state;
        close(mkstemp(path));
        assert_int_equal(0, road_new("ws://slow.test:9/v1/ws", &options, &road));
        struct http_curl *curl = http_curl_new(road);
        struct transfer_settings settings = {.base = "http://slow.test:9/v1/files",
                                             .http = http_curl_begin,
                                             .http_cancel = http_curl_cancel,
                                             .http_data = curl,
                                             .curl = curl,
                                             .on_done = never_done};
        assert_int_equal(0, transfer_new(&settings, &transfer));
        struct job *job = job_new(JOB_GET, path);
        job->size = 100;
        snprintf(job->file, sizeof(job->file), "%032d", 1);
        transfer_post(transfer, job);
        await(&begun, 1);
        int64_t began = now_ms();
        transfer_stop(transfer);
        transfer_free(transfer);
        road_free(road);
        assert_true(now_ms() - began < SOON_MS);
        let_go();
        await(&ended, 1);
        unlink(path);
}

/* The first address of the name is dead: a connection comes to the second one soon. Returns after how many ms. */
static int64_t time_of_the_second(void)
{
        uint16_t port;
        int listener = listen_at("127.0.0.1", 8, &port);
        struct pollfd come = {listener, POLLIN, 0};
        int64_t began = now_ms();
        deskbell_client *client = open_client("two.test", port, false);

        assert_int_equal(1, poll(&come, 1, PATIENCE_S * 1000));
        int64_t took = now_ms() - began;
        assert_int_equal(0, deskbell_close(client));
        close(listener);
        return took;
}

static void an_ipv6_address_that_refuses_costs_next_to_nothing(void **state)
{
        int taken;

        (void)state;
        dead_host = "::1";
        taken = listen_at(dead_host, 1, &dead_port);
        if (taken < 0) {
                print_message("SKIPPED: this machine has no IPv6 loopback\n");
                skip();
        }
        close(taken); /* nobody listens there any more */
        assert_true(time_of_the_second() < SOON_MS);
}

static void an_address_that_does_not_answer_costs_a_quarter_of_a_second(void **state)
{
        int clients[8], count = 0;

        (void)state;
        dead_host = "127.0.0.2";
        int silent = listen_at(dead_host, 0, &dead_port);
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(dead_port)};
        to.sin_addr.s_addr = htonl(0x7f000002);
        struct pollfd one = {.events = POLLOUT};
        do { /* its queue is filled, until a connection stays without an answer */
                one.fd = clients[count++] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
                connect(one.fd, (struct sockaddr *)&to, sizeof(to));
        } while (count < 8 && poll(&one, 1, 100) == 1);
        assert_true(count < 8);
        int64_t took = time_of_the_second();
        assert_true(took >= 240 && took < SOON_MS);
        while (count)
                close(clients[--count]);
        close(silent);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, set_up)
        const struct CMUnitTest tests[] = {
                T(a_lookup_that_hangs_holds_up_neither_sending_nor_callbacks_nor_closing),
                T(whoever_waits_when_the_lookup_ends_is_served),
                T(files_do_not_wait_for_a_lookup_at_the_end),
                T(an_ipv6_address_that_refuses_costs_next_to_nothing),
                T(an_address_that_does_not_answer_costs_a_quarter_of_a_second),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
