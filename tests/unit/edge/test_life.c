/* SPDX-License-Identifier: Apache-2.0 */
/* Edges as a program uses them: several threads on one port, calls from other threads, references that outlive their
 * connection, and starts that fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge/edge.h"

enum { THREADS = 2, CLIENTS = 64 };

static const char handshake[] = "GET /v1/ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Protocol: deskbell.v1\r\n\r\n";

/* One network thread as the server has it. */
struct net {
        struct edge *edge;
        pthread_t thread;
        char address[64];
        const char *listen[2];
        struct edge_options options;
        struct edge_ref refs[CLIENTS];
        struct edge_frame *frame; /* to be sent to all when woken */
        atomic_int opened, closed, woken, texts;
};

static void *on_open(void *owner, struct edge_conn *conn, const struct edge_peer *peer)
{
        struct net *net = owner;
        assert_false(peer->over_tls);
        assert_true(IN6_IS_ADDR_V4MAPPED(&peer->address.sin6_addr));
        net->refs[atomic_fetch_add(&net->opened, 1)] = edge_conn_ref(conn);
        edge_conn_trusted(conn);
        return net;
}

static void on_text(void *user, char *bytes, size_t len)
{
        struct net *net = user;
        assert_int_equal(2, len);
        assert_memory_equal("hi", bytes, 2);
        atomic_fetch_add(&net->texts, 1);
}

static void on_close(void *user)
{
        struct net *net = user;
        atomic_fetch_add(&net->closed, 1);
}

static void on_wake(void *owner)
{
        struct net *net = owner;
        atomic_fetch_add(&net->woken, 1);
        for (int i = 0; net->frame && i < atomic_load(&net->opened); i++) {
                struct edge_conn *conn = edge_conn_of(net->edge, net->refs[i]);
                if (conn)
                        assert_int_equal(0, edge_send_frame(conn, net->frame));
        }
}

static const struct edge_handlers handlers = {
        .on_open = on_open, .on_text = on_text, .on_close = on_close, .on_wake = on_wake};

static void *run(void *data)
{
        struct net *net = data;
        edge_run(net->edge);
        return NULL;
}

static void make(struct net *net, uint32_t number, uint16_t port)
{
        char *why = NULL;
        snprintf(net->address, sizeof(net->address), "127.0.0.1:%u", port);
        net->listen[0] = net->address;
        net->options = (struct edge_options){.thread = number,
                                             .listen = net->listen,
                                             .handlers = &handlers,
                                             .owner = net,
                                             .pending_per_address = 1000,
                                             .handshakes_per_minute = 1000};
        assert_int_equal(0, edge_new(&net->options, &net->edge, &why));
        assert_null(why);
        assert_true(edge_port(net->edge, 0) > 0);
        assert_int_equal(0, edge_port(net->edge, 1));
}

static void start(struct net *net)
{
        assert_int_equal(0, pthread_create(&net->thread, NULL, run, net));
}

static void stop(struct net *net)
{
        edge_stop(net->edge);
        pthread_join(net->thread, NULL);
        net->edge = edge_free(net->edge);
}

static int dial(uint16_t port)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        struct timeval patience = {.tv_sec = 20};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        assert_int_equal(0, connect(fd, (struct sockaddr *)&address, sizeof(address)));
        return fd;
}

static int dial_websocket(uint16_t port)
{
        char answer[512];
        size_t len = 0;
        int fd = dial(port);
        assert_int_equal(sizeof(handshake) - 1, send(fd, handshake, sizeof(handshake) - 1, MSG_NOSIGNAL));
        while (len < 4 || memcmp(answer + len - 4, "\r\n\r\n", 4) != 0) {
                assert_int_equal(1, recv(fd, answer + len, 1, 0));
                len++;
        }
        assert_memory_equal("HTTP/1.1 101", answer, 12);
        return fd;
}

static int sum(struct net nets[THREADS], size_t offset)
{
        int total = 0;
        for (int i = 0; i < THREADS; i++)
                total += atomic_load((atomic_int *)(void *)((char *)&nets[i] + offset));
        return total;
}

static void await_sum(struct net nets[THREADS], size_t offset, int wanted)
{
        for (int i = 0; i < 20000 && sum(nets, offset) != wanted; i++)
                usleep(1000);
        assert_int_equal(wanted, sum(nets, offset));
}

static void several_edges_share_a_port_and_a_frame(void **state)
{
        static struct net nets[THREADS];
        int clients[CLIENTS];
        (void)state;
        make(&nets[0], 0, 0);
        uint16_t port = edge_port(nets[0].edge, 0);
        make(&nets[1], 1, port);
        assert_int_equal(port, edge_port(nets[1].edge, 0));
        struct edge_frame *frame = edge_frame_new(SPAN("to all"));
        for (int i = 0; i < THREADS; i++) {
                nets[i].frame = edge_frame_ref(frame);
                start(&nets[i]);
        }
        edge_frame_unref(frame);

        for (int i = 0; i < CLIENTS; i++) {
                clients[i] = dial_websocket(port);
                assert_int_equal(8, send(clients[i], "\x81\x82\0\0\0\0hi", 8, MSG_NOSIGNAL));
        }
        await_sum(nets, offsetof(struct net, texts), CLIENTS);
        assert_true(atomic_load(&nets[0].opened) > 0 && atomic_load(&nets[1].opened) > 0);
        for (int i = 0; i < THREADS; i++)
                edge_wake(nets[i].edge);
        for (int i = 0; i < CLIENTS; i++) {
                char got[8];
                assert_int_equal(8, recv(clients[i], got, 8, MSG_WAITALL));
                assert_memory_equal("\x81\x06to all", got, 8);
        }
        for (int i = 0; i < CLIENTS / 2; i++)
                close(clients[i]);
        await_sum(nets, offsetof(struct net, closed), CLIENTS / 2);
        for (int i = CLIENTS / 2; i < CLIENTS; i++)
                shutdown(clients[i], SHUT_RDWR), close(clients[i]);
        for (int i = 0; i < THREADS; i++) {
                stop(&nets[i]);
                nets[i].frame = edge_frame_unref(nets[i].frame);
        }
        assert_int_equal(CLIENTS, sum(nets, offsetof(struct net, closed)));
}

static void a_reference_finds_nobody_when_its_slot_has_a_new_owner(void **state)
{
        static struct net net;
        (void)state;
        make(&net, 3, 0);
        uint16_t port = edge_port(net.edge, 0);
        start(&net);
        close(dial_websocket(port));
        while (atomic_load(&net.closed) < 1)
                usleep(1000);
        close(dial_websocket(port));
        while (atomic_load(&net.closed) < 2)
                usleep(1000);
        edge_stop(net.edge);
        pthread_join(net.thread, NULL);
        assert_int_equal(net.refs[0].slot, net.refs[1].slot);
        assert_int_not_equal(net.refs[0].generation, net.refs[1].generation);
        assert_null(edge_conn_of(net.edge, net.refs[0]));
        assert_null(edge_conn_of(net.edge, net.refs[1]));
        assert_null(edge_conn_of(net.edge, (struct edge_ref){0, 0, 3}));
        assert_null(edge_conn_of(net.edge, (struct edge_ref){4000000, 1, 3}));
        assert_int_equal(-1, edge_reply(net.edge, net.refs[1], 200, NULL, SPAN(""), SPAN("")));
        edge_free(net.edge);
}

static void many_wakes_become_few_and_none_is_lost(void **state)
{
        static struct net net;
        (void)state;
        make(&net, 0, 0);
        start(&net);
        for (int i = 0; i < 100000; i++)
                edge_wake(net.edge);
        int before = atomic_load(&net.woken);
        edge_wake(net.edge);
        for (int i = 0; i < 20000 && atomic_load(&net.woken) == 0; i++)
                usleep(1000);
        assert_true(atomic_load(&net.woken) >= 1 && before < 100000);
        stop(&net);
}

static void an_edge_may_be_stopped_before_it_runs_or_never_run(void **state)
{
        static struct net net;
        (void)state;
        make(&net, 0, 0);
        edge_free(net.edge);
        make(&net, 0, 0);
        edge_stop(net.edge);
        edge_run(net.edge);
        edge_free(net.edge);
        assert_null(edge_free(NULL));
}

static void a_start_that_fails_says_what_and_where(void **state)
{
        static const char *const addresses[] = {"nonsense",        "127.0.0.1:",     "192.0.2.1:0", "::1:80",
                                                "127.0.0.1:99999", "127.0.0.1:http", "[::1:80"};
        (void)state;
        for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
                const char *listen[] = {addresses[i], NULL};
                struct edge_options options = {.listen = listen, .handlers = &handlers};
                struct edge *edge = NULL;
                char *why = NULL;
                assert_true(edge_new(&options, &edge, &why) < 0);
                assert_null(edge);
                assert_non_null(strstr(why, addresses[i]));
                free(why);
        }
}

static void it_listens_on_v6_too(void **state)
{
        const char *listen[] = {"[::1]:0", "127.0.0.1:0", NULL};
        struct edge_options options = {.listen = listen, .handlers = &handlers};
        struct edge *edge = NULL;
        char *why = NULL;
        (void)state;
        if (edge_new(&options, &edge, &why) < 0) { /* a machine without v6 */
                free(why);
                skip();
        }
        assert_true(edge_port(edge, 0) > 0 && edge_port(edge, 1) > 0);
        edge_free(edge);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(several_edges_share_a_port_and_a_frame),
                cmocka_unit_test(a_reference_finds_nobody_when_its_slot_has_a_new_owner),
                cmocka_unit_test(many_wakes_become_few_and_none_is_lost),
                cmocka_unit_test(an_edge_may_be_stopped_before_it_runs_or_never_run),
                cmocka_unit_test(a_start_that_fails_says_what_and_where),
                cmocka_unit_test(it_listens_on_v6_too),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
