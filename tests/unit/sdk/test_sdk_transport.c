/* SPDX-License-Identifier: Apache-2.0 */
/* The transport over libwebsockets against a socket of the test's own: handshake, framing, ends, and what must not
 * leak. */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
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

#include "deskbell/deskbell.h"

static struct {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        enum deskbell_connection connection;
        struct {
                bool is_new; /* told since somebody waited for it: a state may be over before he looks */
                char why[40];
        } told[8]; /* by enum deskbell_connection */
        int count;
} seen;

static int listener, peer = -1;
static uint16_t port;
static deskbell_client *client;

static void on_state(deskbell_client *which, const struct deskbell_state *state, void *data)
{
        (void)which;
        (void)data;
        pthread_mutex_lock(&seen.lock);
        seen.connection = state->connection;
        seen.told[state->connection].is_new = true;
        snprintf(seen.told[state->connection].why, sizeof(seen.told[0].why), "%s", state->why);
        seen.count++;
        pthread_cond_broadcast(&seen.changed);
        pthread_mutex_unlock(&seen.lock);
}

static void await_state(enum deskbell_connection connection, const char *why)
{
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 20;
        pthread_mutex_lock(&seen.lock);
        while (!seen.told[connection].is_new || strcmp(why, seen.told[connection].why) != 0)
                if (pthread_cond_timedwait(&seen.changed, &seen.lock, &until) == ETIMEDOUT)
                        break;
        assert_true(seen.told[connection].is_new);
        assert_string_equal(why, seen.told[connection].why);
        seen.told[connection].is_new = false;
        pthread_mutex_unlock(&seen.lock);
}

static void await_leaving(void)
{
        pthread_mutex_lock(&seen.lock);
        while (seen.connection == DESKBELL_ONLINE)
                pthread_cond_wait(&seen.changed, &seen.lock);
        pthread_mutex_unlock(&seen.lock);
}

static int listen_somewhere(uint16_t *out_port)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(0, bind(fd, (struct sockaddr *)&address, sizeof(address)));
        assert_int_equal(0, listen(fd, 8));
        assert_int_equal(0, getsockname(fd, (struct sockaddr *)&address, &len));
        *out_port = ntohs(address.sin_port);
        return fd;
}

static bool is_readable(int fd, int ms)
{
        struct pollfd one = {.fd = fd, .events = POLLIN};

        return poll(&one, 1, ms) == 1;
}

static int set_up(void **state)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        char url[64];

        (void)state;
        memset(&seen, 0, sizeof(seen));
        pthread_mutex_init(&seen.lock, NULL);
        pthread_cond_init(&seen.changed, NULL);
        listener = listen_somewhere(&port);
        snprintf(url, sizeof(url), "ws://127.0.0.1:%u", port);
        options.url = url;
        options.app = "app_0000000000009";
        options.token = "secret-token";
        options.on_state = on_state;
        assert_int_equal(0, deskbell_open(&options, &client));
        assert_int_equal(0, deskbell_connect(client));
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        assert_int_equal(0, deskbell_close(client));
        if (peer >= 0)
                close(peer);
        close(listener);
        peer = -1;
        return 0;
}

/* Reads the request's head. False: the client has left again. */
static bool try_take_request(char *head, size_t room)
{
        size_t len = 0;

        head[0] = '\0';
        assert_true(is_readable(listener, 20000));
        peer = accept(listener, NULL, NULL);
        assert_true(peer >= 0);
        while (!strstr(head, "\r\n\r\n")) {
                assert_true(is_readable(peer, 20000) && len + 1 < room);
                ssize_t got = read(peer, head + len, room - len - 1);
                if (got <= 0)
                        return false;
                len += (size_t)got;
                head[len] = '\0';
        }
        return true;
}

static void take_request(char *head, size_t room)
{
        assert_true(try_take_request(head, room));
}

static void upgrade(const char *head)
{
        static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
        const char *at = strcasestr(head, "sec-websocket-key:");
        unsigned char hash[SHA_DIGEST_LENGTH], accept_text[32];
        char key[64], answer[512];

        assert_non_null(at);
        assert_int_equal(1, sscanf(at + 18, " %24s", key));
        memcpy(key + strlen(key), magic, sizeof(magic));
        SHA1((unsigned char *)key, strlen(key), hash);
        EVP_EncodeBlock(accept_text, hash, sizeof(hash));
        int len = snprintf(answer, sizeof(answer),
                           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: deskbell.v1\r\n\r\n",
                           accept_text);
        send(peer, answer, (size_t)len, MSG_NOSIGNAL); /* a client that has left shows when it is read from */
}

static bool read_all(void *out, size_t len)
{
        for (size_t have = 0; have < len;) {
                assert_true(is_readable(peer, 20000));
                ssize_t got = read(peer, (char *)out + have, len - have);
                if (got <= 0)
                        return false;
                have += (size_t)got;
        }
        return true;
}

/* One frame of the client: returns its opcode, unmasked into `out`; -1: it has left. */
static int take_frame(char *out, size_t room, size_t *out_len)
{
        uint8_t head[2], more[2], mask[4];
        size_t len;

        if (!read_all(head, 2))
                return -1;
        assert_true(head[1] & 0x80); /* clients mask */
        len = head[1] & 0x7f;
        if (len == 126) {
                assert_true(read_all(more, 2));
                len = (size_t)more[0] << 8 | more[1];
        }
        assert_true(read_all(mask, 4));
        assert_true(len < room);
        assert_true(read_all(out, len));
        for (size_t i = 0; i < len; i++)
                out[i] = (char)(out[i] ^ mask[i % 4]);
        out[len] = '\0';
        *out_len = len;
        return head[0] & 0x0f;
}

static void say_frame(uint8_t first, const void *bytes, size_t len)
{
        uint8_t head[10] = {first, len < 126 ? (uint8_t)len : len < 65536 ? 126 : 127};
        size_t head_len = len < 126 ? 2 : len < 65536 ? 4 : 10;

        for (size_t i = 2; i < head_len; i++)
                head[i] = (uint8_t)(len >> 8 * (head_len - 1 - i));
        assert_int_equal(head_len, send(peer, head, head_len, MSG_NOSIGNAL));
        for (size_t sent = 0; sent < len;) {
                ssize_t wrote = send(peer, (const char *)bytes + sent, len - sent, MSG_NOSIGNAL);
                if (wrote <= 0)
                        break; /* it has closed already */
                sent += (size_t)wrote;
        }
}

/* What stands behind the id of session.open's answer. */
static const char session[] =
        ",\"result\":{\"principal\":\"usr_0000000000001\","
        "\"epoch\":\"00000000000000e1\",\"rev\":1,\"now\":1,\"protocol\":1,\"features\":[],\"limits\":"
        "{\"in_flight\":16,\"frame_bytes\":65536,\"key_window_days\":90,\"retry_days\":30,"
        "\"heartbeat_ms\":25000,\"dead_ms\":35000}}}";

/* The answer to the session.open in `frame`. */
static size_t answer_open(const char *frame, char out[1024])
{
        const char *id = strstr(frame, "\"id\":");

        assert_non_null(id);
        return (size_t)snprintf(out, 1024, "{\"jsonrpc\":\"2.0\",\"id\":%lld%s", atoll(id + 5), session);
}

/* The first frame of a connection that stays. A client that hears of a changed network while it is connecting leaves
 * that connection and makes another: the first one then ends, with or without a close. */
static void take_first_frame(char *frame, size_t room)
{
        char head[4096];
        size_t len;

        for (;;) {
                if (try_take_request(head, sizeof(head))) {
                        upgrade(head);
                        int opcode = take_frame(frame, room, &len);
                        if (opcode == 1)
                                return;
                        assert_true(opcode == 8 || opcode == -1);
                }
                close(peer);
                peer = -1;
        }
}

static void log_in(void)
{
        char answer[1024];
        char frame[4096];

        take_first_frame(frame, sizeof(frame));
        assert_non_null(strstr(frame, "\"session.open\""));
        assert_non_null(strstr(frame, "secret-token"));
        say_frame(0x81, answer, answer_open(frame, answer));
        await_state(DESKBELL_ONLINE, "");
}

static void the_handshake_asks_for_path_host_and_subprotocol(void **state)
{
        char head[4096] = "", host[64];

        (void)state;
        take_request(head, sizeof(head));
        snprintf(host, sizeof(host), "127.0.0.1:%u", port);
        assert_int_equal(0, strncmp(head, "GET /v1/ws HTTP/1.1\r\n", 21));
        assert_non_null(strcasestr(head, host));
        assert_non_null(strcasestr(head, "Sec-WebSocket-Protocol: deskbell.v1\r\n"));
        assert_non_null(strcasestr(head, "Sec-WebSocket-Version: 13\r\n"));
        assert_null(strcasestr(head, "Sec-WebSocket-Extensions"));
        assert_null(strstr(head, "secret-token"));
}

static void a_message_in_fragments_is_one_message(void **state)
{
        char head[4096] = "", frame[4096], answer[1024];
        size_t len;

        (void)state;
        take_request(head, sizeof(head));
        upgrade(head);
        assert_int_equal(1, take_frame(frame, sizeof(frame), &len));
        size_t whole = answer_open(frame, answer);
        say_frame(0x01, answer, whole / 2);
        say_frame(0x89, "ping", 4);
        say_frame(0x80, answer + whole / 2, whole - whole / 2);
        await_state(DESKBELL_ONLINE, "");
}

static void a_close_code_is_understood(void **state)
{
        (void)state;
        log_in();
        say_frame(0x88,
                  "\x0f\xac"
                  "drain",
                  7); /* 4012 */
        await_state(DESKBELL_WAITING, "drain");
}

static void a_connection_that_breaks_is_tried_again(void **state)
{
        (void)state;
        log_in();
        struct linger hard = {1, 0};
        setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
        close(peer);
        peer = -1;
        log_in();
}

static void what_is_larger_than_any_message_may_be_ends_the_connection(void **state)
{
        char *huge = calloc(1, 200000), frame[70000];
        size_t len;
        int opcode;

        (void)state;
        memset(huge, ' ', 200000);
        log_in();
        say_frame(0x81, huge, 200000);
        free(huge);
        do {
                opcode = take_frame(frame, sizeof(frame), &len);
        } while (opcode == 1);
        assert_int_equal(8, opcode);
        assert_memory_equal("\x03\xf1", frame, 2); /* 1009 */
        await_state(DESKBELL_WAITING, "network");
}

static void binary_is_refused(void **state)
{
        char frame[70000];
        size_t len;
        int opcode;

        (void)state;
        log_in();
        say_frame(0x82, "bytes", 5);
        do {
                opcode = take_frame(frame, sizeof(frame), &len);
        } while (opcode == 1);
        assert_int_equal(8, opcode);
        assert_memory_equal("\x03\xeb", frame, 2); /* 1003 */
}

static void a_redirect_is_not_followed(void **state)
{
        char head[4096] = "", answer[256];
        uint16_t other_port;
        int other = listen_somewhere(&other_port);

        (void)state;
        take_request(head, sizeof(head));
        int len = snprintf(answer, sizeof(answer),
                           "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%u/v1/ws\r\nContent-Length: 0\r\n\r\n",
                           other_port);
        assert_int_equal(len, write(peer, answer, (size_t)len));
        await_state(DESKBELL_WAITING, "handshake");
        assert_false(is_readable(other, 0));
        close(other);
}

static void disconnecting_says_so(void **state)
{
        char frame[70000];
        size_t len;
        int opcode;

        (void)state;
        log_in();
        assert_int_equal(0, deskbell_disconnect(client));
        do {
                opcode = take_frame(frame, sizeof(frame), &len);
        } while (opcode == 1);
        assert_int_equal(8, opcode);
        assert_memory_equal("\x03\xe8", frame, 2); /* 1000 */
        await_state(DESKBELL_DISCONNECTED, "");
}

/* The start of something wrong, with a lot behind it. */
static void whatever_is_wrong_with_a_frame_the_client_lives_and_comes_back(void **state)
{
        static const struct {
                const char *bytes;
                size_t len;
        } cases[] = {
                {"\x88\x02\x03\xe8", 4},         /* a close with bytes behind it */
                {"\x88\x00", 2},                 /* without a code */
                {"\x88\x01\x03", 3},             /* with half a code */
                {"\x88\x04\x0f\xac\xff\xfe", 6}, /* with a reason that is no text */
                {"\x81\x03"
                 "a\xff"
                 "b",
                 5}, /* a text that is none */
                {"\xf1\x01"
                 "a",
                 3}, /* reserved bits */
                {"\x83\x01"
                 "a",
                 3}, /* an unknown opcode */
                {"\x80\x01"
                 "a",
                 3},                     /* a continuation of nothing */
                {"\x89\x7e\x01\x00", 4}, /* a ping that is too long */
                {"\x81\x81\x01\x02\x03\x04"
                 "a",
                 7},                                              /* masked by a server */
                {"\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 10}, /* 2^63 bytes to come */
                {"\x01\x01"
                 "a\x81\x01"
                 "b",
                 6}, /* a message inside another */
        };
        char *junk = malloc(100000);

        (void)state;
        memset(junk, 'z', 100000);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                log_in();
                assert_int_equal(cases[i].len, send(peer, cases[i].bytes, cases[i].len, MSG_NOSIGNAL));
                send(peer, junk, 100000, MSG_NOSIGNAL);
                /* What was let pass as it came waits for more: the end of the stream comes instead. */
                shutdown(peer, SHUT_WR);
                while (is_readable(peer, 20000) && read(peer, junk, 1000) > 0)
                        memset(junk, 'z', 1000);
                close(peer);
                peer = -1;
                await_leaving();
                deskbell_network_changed(client); /* no pause */
        }
        free(junk);
        log_in();
}

static void the_process_keeps_its_disposition_of_sigpipe(void **state)
{
        struct sigaction now;

        (void)state;
        log_in();
        assert_int_equal(0, sigaction(SIGPIPE, NULL, &now));
        assert_true(now.sa_handler == SIG_DFL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(the_handshake_asks_for_path_host_and_subprotocol),
                T(a_message_in_fragments_is_one_message),
                T(a_close_code_is_understood),
                T(a_connection_that_breaks_is_tried_again),
                T(what_is_larger_than_any_message_may_be_ends_the_connection),
                T(binary_is_refused),
                T(a_redirect_is_not_followed),
                T(disconnecting_says_so),
                T(whatever_is_wrong_with_a_frame_the_client_lives_and_comes_back),
                T(the_process_keeps_its_disposition_of_sigpipe),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
