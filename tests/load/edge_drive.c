/* SPDX-License-Identifier: Apache-2.0 */
/* Edge drive: loads edge_echo with texts over plain epoll and tells what a message and an idle connection cost the
 * server, from the server's own counters (GET /stats).
 *
 *      edge_drive PORT CONNECTIONS DEPTH SECONDS [BYTES]     DEPTH 0: only open them and tell the memory
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READ_BYTES = 65536, EVENTS = 512 };

struct conn {
        int fd;
        size_t got; /* bytes of the echo in hand */
};

static struct drive {
        uint16_t port;
        int epoll;
        struct conn *conns;
        int count, depth;
        size_t bytes;      /* of a text */
        size_t echo_bytes; /* of its frame from the server */
        char *burst;       /* `depth` frames */
        size_t frame_len;
        long long messages;
} drive;

static void die(const char *what)
{
        perror(what);
        exit(1);
}

static double now(void)
{
        struct timespec time;
        clock_gettime(CLOCK_MONOTONIC, &time);
        return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int connect_one(void)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(drive.port)};
        int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                die("connect");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        return fd;
}

static void send_all(int fd, const char *bytes, size_t len)
{
        while (len) {
                ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
                if (n < 0)
                        die("send");
                bytes += n;
                len -= (size_t)n;
        }
}

/* Reads up to the end of an HTTP head and returns what follows in `out`. */
static size_t read_head(int fd, char *out, size_t room)
{
        size_t len = 0;
        for (;;) {
                ssize_t n = recv(fd, out + len, room - 1 - len, 0);
                if (n <= 0)
                        die("recv");
                len += (size_t)n;
                out[len] = '\0';
                char *end = strstr(out, "\r\n\r\n");
                if (end)
                        return len;
        }
}

static long long stat_of(const char *text, const char *name)
{
        const char *at = strstr(text, name);
        return at ? atoll(at + strlen(name)) : 0;
}

static void read_stats(long long *out_cpu_us, long long *out_anon)
{
        char text[4096];
        int fd = connect_one();
        static const char get[] = "GET /stats HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        send_all(fd, get, sizeof(get) - 1);
        size_t len = read_head(fd, text, sizeof(text));
        for (ssize_t n; (n = recv(fd, text + len, sizeof(text) - 1 - len, 0)) > 0;)
                len += (size_t)n;
        text[len] = '\0';
        close(fd);
        *out_cpu_us = stat_of(text, "\"cpu_us\":");
        *out_anon = stat_of(text, "\"anon_bytes\":");
}

static void open_all(void)
{
        static const char upgrade[] = "GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                                      "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: deskbell.v1\r\n\r\n";
        char text[1024];
        for (int i = 0; i < drive.count; i++) {
                drive.conns[i].fd = connect_one();
                send_all(drive.conns[i].fd, upgrade, sizeof(upgrade) - 1);
                read_head(drive.conns[i].fd, text, sizeof(text));
                if (strncmp(text, "HTTP/1.1 101", 12) != 0)
                        die(text);
                struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
                epoll_ctl(drive.epoll, EPOLL_CTL_ADD, drive.conns[i].fd, &event);
        }
}

static void make_burst(void)
{
        size_t header_len = drive.bytes < 126 ? 2 : 4;
        drive.echo_bytes = header_len + drive.bytes;
        drive.frame_len = drive.echo_bytes + 4;
        drive.burst = calloc((size_t)drive.depth, drive.frame_len);
        for (int i = 0; i < drive.depth; i++) {
                char *frame = drive.burst + (size_t)i * drive.frame_len;
                frame[0] = (char)0x81;
                frame[1] = (char)(0x80 | (drive.bytes < 126 ? drive.bytes : 126));
                if (drive.bytes >= 126) {
                        frame[2] = (char)(drive.bytes >> 8);
                        frame[3] = (char)drive.bytes;
                }
                memset(frame + header_len + 4, 'm', drive.bytes); /* the mask is zero */
        }
}

/* A burst is sent when the one before has come back whole. */
static void on_readable(struct conn *conn)
{
        static char bytes[READ_BYTES];
        ssize_t n = recv(conn->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n <= 0)
                die("recv");
        size_t burst_bytes = drive.echo_bytes * (size_t)drive.depth;
        conn->got += (size_t)n;
        if (conn->got < burst_bytes)
                return;
        conn->got -= burst_bytes;
        drive.messages += drive.depth;
        send_all(conn->fd, drive.burst, drive.frame_len * (size_t)drive.depth);
}

static void run(double seconds)
{
        struct epoll_event events[EVENTS];
        for (double end = now() + seconds; now() < end;) {
                int n = epoll_wait(drive.epoll, events, EVENTS, 100);
                for (int i = 0; i < n; i++)
                        on_readable(&drive.conns[events[i].data.u32]);
        }
}

static void measure(double seconds)
{
        long long cpu_before, cpu_after, anon;
        make_burst();
        for (int i = 0; i < drive.count; i++)
                send_all(drive.conns[i].fd, drive.burst, drive.frame_len * (size_t)drive.depth);
        run(0.5); /* warm */
        drive.messages = 0;
        read_stats(&cpu_before, &anon);
        double start = now();
        run(seconds);
        double took = now() - start;
        read_stats(&cpu_after, &anon);
        printf("depth %d, %zu bytes: %.0f messages/s, %.2f us server CPU a message\n", drive.depth, drive.bytes,
               (double)drive.messages / took, (double)(cpu_after - cpu_before) / (double)drive.messages);
}

int main(int argc, char **argv)
{
        if (argc < 5) {
                fprintf(stderr, "usage: edge_drive PORT CONNECTIONS DEPTH SECONDS [BYTES]\n");
                return 64;
        }
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                setrlimit(RLIMIT_NOFILE, &limit);
        }
        drive.port = (uint16_t)atoi(argv[1]);
        drive.count = atoi(argv[2]);
        drive.depth = atoi(argv[3]);
        drive.bytes = argc > 5 ? (size_t)atoi(argv[5]) : 200;
        drive.epoll = epoll_create1(EPOLL_CLOEXEC);
        drive.conns = calloc((size_t)drive.count, sizeof(*drive.conns));

        long long cpu_before, cpu_after, anon_before, anon_after;
        read_stats(&cpu_before, &anon_before);
        open_all();
        read_stats(&cpu_after, &anon_after);
        printf("%d connections: %.1f us CPU to open one, %.0f bytes each\n", drive.count,
               (double)(cpu_after - cpu_before) / drive.count, (double)(anon_after - anon_before) / drive.count);
        if (drive.depth > 0)
                measure(atof(argv[4]));
        return 0;
}
