/* SPDX-License-Identifier: Apache-2.0 */
/* Floor: the least that a durable relay can do, to compare the server with. One thread, bare epoll, a minimal RFC 6455:
 * connections 2i and 2i+1 (in the order in which they were accepted) are a pair. A message is appended to a log file
 * and, after one fdatasync per turn of the loop, answered to its sender and delivered to the partner.
 *
 * It speaks the frames of `deskbell bench` by fixed offsets and understands nothing: a request that is message.send is
 * answered {"seq","ts"} and relayed as an entry, entries.read gets 50 made-up entries, all other requests get {}. It
 * trusts its peer, so it is a yardstick on loopback and nothing else. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <signal.h>
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

enum {
        READ_BYTES = 256 * 1024,
        EVENTS = 1024,
        HISTORY_ENTRIES = 50,
        FRAME_BYTES_MAX = 64 * 1024,
        LOG_PIECE_BYTES = 256 * 1024,
        IDLE_CONNS = 2000,
};

struct bytes {
        char *at;
        size_t start, len, room; /* unsent bytes are [start, len) */
};

struct conn {
        int fd;
        uint32_t number;     /* in order of acceptance; its partner is number ^ 1 */
        bool is_open;        /* the WebSocket handshake is done */
        bool is_dirty;       /* is in floor.dirty */
        bool waits_for_room; /* EPOLLOUT is armed */
        struct bytes out;
        char *rest; /* start of a frame that has not come whole */
        size_t rest_len;
};

struct floor {
        int epoll, listener, log;
        struct conn **conns; /* by number; NULL = gone */
        size_t conn_count, conn_room;
        uint64_t *pair_seq; /* by number / 2 */
        struct conn **dirty;
        size_t dirty_count;
        struct bytes unwritten; /* log records; written in pieces that the cache still holds */
        bool is_unsynced;
        char *in;                       /* READ_BYTES + FRAME_BYTES_MAX */
        struct bytes history;           /* members of the answer to entries.read, made once */
        sigset_t signals_while_waiting; /* SIGTERM and SIGINT are let in only there, so that none is missed */
        uint64_t asked, relayed;
        uint64_t lose_every, double_every, refuse_every; /* planted faults, 0 = none: the driver has to notice them */
};

static _Noreturn void die(const char *what)
{
        fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
        exit(71);
}

static char *bytes_reserve(struct bytes *b, size_t more)
{
        if (b->len + more > b->room) {
                size_t room = b->room ? b->room : 4096;
                while (room < b->len + more)
                        room *= 2;
                b->at = realloc(b->at, room);
                if (!b->at)
                        die("memory");
                b->room = room;
        }
        return b->at + b->len;
}

static void bytes_add(struct bytes *b, const void *what, size_t len)
{
        memcpy(bytes_reserve(b, len), what, len);
        b->len += len;
}

static size_t put_number(char *out, uint64_t value)
{
        char digits[20];
        size_t count = 0;
        do {
                digits[count++] = (char)('0' + value % 10);
                value /= 10;
        } while (value);
        for (size_t i = 0; i < count; i++)
                out[i] = digits[count - 1 - i];
        return count;
}

static size_t put_text(char *out, const char *text, size_t len)
{
        memcpy(out, text, len);
        return len;
}
#define PUT(out, literal) put_text(out, literal, sizeof(literal) - 1)

/* Header of an unmasked text frame. */
static size_t put_head(char *out, size_t len)
{
        out[0] = (char)0x81;
        if (len < 126) {
                out[1] = (char)len;
                return 2;
        }
        if (len < 65536) {
                out[1] = 126;
                out[2] = (char)(len >> 8);
                out[3] = (char)len;
                return 4;
        }
        out[1] = 127;
        for (int i = 0; i < 8; i++)
                out[2 + i] = (char)(len >> (56 - 8 * i));
        return 10;
}

static void conn_mark_dirty(struct floor *floor, struct conn *conn)
{
        if (conn->is_dirty)
                return;
        conn->is_dirty = true;
        floor->dirty[floor->dirty_count++] = conn;
}

static void conn_watch(struct floor *floor, struct conn *conn, int op, bool for_room)
{
        struct epoll_event event = {.events = EPOLLIN | (for_room ? EPOLLOUT : 0), .data.ptr = conn};
        conn->waits_for_room = for_room;
        if (epoll_ctl(floor->epoll, op, conn->fd, &event) < 0)
                die("epoll_ctl");
}

static void conn_close(struct floor *floor, struct conn *conn)
{
        for (size_t i = 0; i < floor->dirty_count; i++)
                if (floor->dirty[i] == conn)
                        floor->dirty[i] = floor->dirty[--floor->dirty_count];
        floor->conns[conn->number] = NULL;
        close(conn->fd);
        free(conn->out.at);
        free(conn->rest);
        free(conn);
}

/* Returns false when the connection is gone. */
static bool conn_flush(struct floor *floor, struct conn *conn)
{
        struct bytes *out = &conn->out;
        while (out->start < out->len) {
                ssize_t n = send(conn->fd, out->at + out->start, out->len - out->start, MSG_NOSIGNAL);
                if (n < 0 && (errno == EAGAIN || errno == EINTR))
                        break;
                if (n < 0) {
                        conn_close(floor, conn);
                        return false;
                }
                out->start += (size_t)n;
        }
        bool is_left = out->start < out->len;
        if (is_left != conn->waits_for_room)
                conn_watch(floor, conn, EPOLL_CTL_MOD, is_left);
        if (!is_left)
                out->start = out->len = 0;
        if (!is_left && floor->conn_count > IDLE_CONNS) {
                free(out->at); /* thousands of connections that hardly speak: keep none of their memory */
                *out = (struct bytes){0};
        }
        return true;
}

static void log_write(struct floor *floor)
{
        struct bytes *unwritten = &floor->unwritten;
        for (size_t done = 0; done < unwritten->len;) {
                ssize_t n = write(floor->log, unwritten->at + done, unwritten->len - done);
                if (n < 0)
                        die("write to the log");
                done += (size_t)n;
        }
        floor->is_unsynced = floor->is_unsynced || unwritten->len;
        unwritten->len = 0;
}

static void log_add(struct floor *floor, const char *record, size_t len)
{
        uint32_t prefix = (uint32_t)len;
        bytes_add(&floor->unwritten, &prefix, sizeof(prefix));
        bytes_add(&floor->unwritten, record, len);
        if (floor->unwritten.len > LOG_PIECE_BYTES)
                log_write(floor);
}

static void log_sync(struct floor *floor)
{
        log_write(floor);
        if (floor->is_unsynced && fdatasync(floor->log) < 0)
                die("fdatasync of the log");
        floor->is_unsynced = false;
}

static uint64_t wall_ms(void)
{
        struct timespec now;
        clock_gettime(CLOCK_REALTIME_COARSE, &now);
        return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The answer: {"jsonrpc":"2.0","id":ID,"result":{BODY}}. `id` is echoed as it came. */
static void answer(struct floor *floor, struct conn *conn, const char *id, size_t id_len, const char *body, size_t len)
{
        char head[10];
        size_t total = 22 + id_len + 11 + len + 2;
        char *at = bytes_reserve(&conn->out, total + sizeof(head));
        char *start = at;
        at += put_head(at, total);
        at += PUT(at, "{\"jsonrpc\":\"2.0\",\"id\":");
        at += put_text(at, id, id_len);
        at += PUT(at, ",\"result\":{");
        at += put_text(at, body, len);
        at += PUT(at, "}}");
        conn->out.len += (size_t)(at - start);
        conn_mark_dirty(floor, conn);
}

/* The entry as the server would say it; `members` are those of the request's params from "cmid" on, with both closing
 * braces, so that nothing has to be read. */
static void deliver(struct floor *floor, struct conn *to, uint64_t seq, uint64_t ts, const char *members, size_t len)
{
        char numbers[64];
        size_t n = put_number(numbers, seq);
        n += PUT(numbers + n, ",\"ts\":");
        n += put_number(numbers + n, ts);
        n += PUT(numbers + n, ",\"author\":\"usr_0000000000001\",");

        static const char before[] = "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"seq\":";
        size_t total = sizeof(before) - 1 + n + len;
        char *at = bytes_reserve(&to->out, total + 10);
        char *start = at;
        at += put_head(at, total);
        at += put_text(at, before, sizeof(before) - 1);
        at += put_text(at, numbers, n);
        at += put_text(at, members, len);
        to->out.len += (size_t)(at - start);
        conn_mark_dirty(floor, to);
}

static void refuse(struct floor *floor, struct conn *conn, const char *id, size_t id_len)
{
        static const char error[] = ",\"error\":{\"code\":11,\"message\":\"the server is busy; retry later\",\"data\":{"
                                    "\"tag\":\"overloaded\",\"class\":\"retry\",\"retry_after_ms\":5}}}";
        size_t total = 22 + id_len + sizeof(error) - 1;
        char *at = bytes_reserve(&conn->out, total + 10);
        char *start = at;
        at += put_head(at, total);
        at += PUT(at, "{\"jsonrpc\":\"2.0\",\"id\":");
        at += put_text(at, id, id_len);
        at += PUT(at, error);
        conn->out.len += (size_t)(at - start);
        conn_mark_dirty(floor, conn);
}

static void relay(struct floor *floor, struct conn *from, const char *id, size_t id_len, const char *members,
                  size_t len)
{
        if (floor->refuse_every && ++floor->asked % floor->refuse_every == 0) {
                refuse(floor, from, id, id_len);
                return;
        }
        uint64_t seq = ++floor->pair_seq[from->number / 2], ts = wall_ms();
        if (floor->log >= 0)
                log_add(floor, members, len);

        char result[64];
        size_t n = PUT(result, "\"seq\":");
        n += put_number(result + n, seq);
        n += PUT(result + n, ",\"ts\":");
        n += put_number(result + n, ts);
        answer(floor, from, id, id_len, result, n);

        uint32_t partner = from->number ^ 1;
        struct conn *to = partner < floor->conn_count ? floor->conns[partner] : NULL;
        floor->relayed++;
        if (!to || !to->is_open || (floor->lose_every && floor->relayed % floor->lose_every == 0))
                return;
        deliver(floor, to, seq, ts, members, len);
        if (floor->double_every && floor->relayed % floor->double_every == 0)
                deliver(floor, to, seq + 1, ts, members, len);
}

static bool begins(const char *at, const char *end, const char *with, size_t len)
{
        return (size_t)(end - at) >= len && memcmp(at, with, len) == 0;
}
#define BEGINS(at, end, literal) begins(at, end, literal, sizeof(literal) - 1)

/* One text message. Only requests with an id get an answer. */
static void on_text(struct floor *floor, struct conn *conn, const char *text, size_t len)
{
        const char *end = text + len;
        if (!BEGINS(text, end, "{\"jsonrpc\":\"2.0\",\"id\":"))
                return;
        const char *id = text + 22, *id_end = id;
        while (id_end < end && *id_end != ',')
                id_end++;
        const char *method = id_end;
        if (!BEGINS(method, end, ",\"method\":\""))
                return;
        method += 11;
        if (BEGINS(method, end, "message.send\",\"params\":{"))
                relay(floor, conn, id, (size_t)(id_end - id), method + 24, (size_t)(end - method) - 24);
        else if (BEGINS(method, end, "entries.read\""))
                answer(floor, conn, id, (size_t)(id_end - id), floor->history.at, floor->history.len);
        else
                answer(floor, conn, id, (size_t)(id_end - id), "", 0);
}

static void unmask(char *bytes, size_t len, const char mask[4])
{
        uint32_t m32;
        memcpy(&m32, mask, 4);
        uint64_t m64 = m32 | (uint64_t)m32 << 32;
        size_t i = 0;
        for (; i + 8 <= len; i += 8) {
                uint64_t word;
                memcpy(&word, bytes + i, 8);
                word ^= m64;
                memcpy(bytes + i, &word, 8);
        }
        for (; i < len; i++)
                bytes[i] ^= mask[i & 3];
}

/* Handles the frames in [at, end); returns the first byte not used, NULL when the connection has to go. */
static char *on_frames(struct floor *floor, struct conn *conn, char *at, char *end)
{
        while (end - at >= 6) {
                size_t head = 2, len = at[1] & 0x7f;
                if (len == 126) {
                        if (end - at < 8)
                                break;
                        len = (size_t)(unsigned char)at[2] << 8 | (unsigned char)at[3];
                        head = 4;
                } else if (len == 127) {
                        return NULL;
                }
                if ((size_t)(end - at) < head + 4 + len)
                        break;
                char *mask = at + head, *text = mask + 4;
                if ((at[0] & 0x0f) == 8)
                        return NULL;
                unmask(text, len, mask);
                if ((at[0] & 0x0f) == 1)
                        on_text(floor, conn, text, len);
                at = text + len;
        }
        return at;
}

/* Answers the upgrade once its head is whole. Returns the first byte not used, NULL when it is not an upgrade. */
static char *on_handshake(struct floor *floor, struct conn *conn, char *at, char *end)
{
        char *head_end = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
        if (!head_end)
                return at;
        static const char name[] = "\r\nSec-WebSocket-Key: ";
        char *key = memmem(at, (size_t)(head_end - at), name, sizeof(name) - 1);
        if (!key || head_end - key < (ptrdiff_t)sizeof(name) - 1 + 24)
                return NULL;
        char joined[24 + 36 + 1];
        memcpy(joined, key + sizeof(name) - 1, 24);
        memcpy(joined + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 37);
        unsigned char digest[SHA_DIGEST_LENGTH], accept[32];
        SHA1((unsigned char *)joined, 60, digest);
        EVP_EncodeBlock(accept, digest, SHA_DIGEST_LENGTH);

        char reply[256];
        int n = snprintf(reply, sizeof(reply),
                         "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: deskbell.v1\r\n\r\n",
                         accept);
        bytes_add(&conn->out, reply, (size_t)n);
        conn_mark_dirty(floor, conn);
        conn->is_open = true;
        return head_end + 4;
}

static void conn_keep_rest(struct conn *conn, const char *at, size_t len)
{
        free(conn->rest);
        conn->rest = NULL;
        conn->rest_len = len;
        if (!len)
                return;
        conn->rest = malloc(len);
        if (!conn->rest)
                die("memory");
        memcpy(conn->rest, at, len);
}

static void on_readable(struct floor *floor, struct conn *conn)
{
        char *at = floor->in;
        if (conn->rest_len)
                memcpy(at, conn->rest, conn->rest_len);
        ssize_t n = recv(conn->fd, at + conn->rest_len, READ_BYTES, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n <= 0) {
                conn_close(floor, conn);
                return;
        }
        char *end = at + conn->rest_len + n;
        if (!conn->is_open)
                at = on_handshake(floor, conn, at, end);
        if (at && conn->is_open)
                at = on_frames(floor, conn, at, end);
        if (!at || end - at > FRAME_BYTES_MAX)
                conn_close(floor, conn);
        else if (conn->rest_len || end > at)
                conn_keep_rest(conn, at, (size_t)(end - at));
}

static void floor_grow(struct floor *floor)
{
        if (floor->conn_count < floor->conn_room)
                return;
        floor->conn_room = floor->conn_room ? floor->conn_room * 2 : 1024;
        floor->conns = realloc(floor->conns, floor->conn_room * sizeof(*floor->conns));
        floor->dirty = realloc(floor->dirty, floor->conn_room * sizeof(*floor->dirty));
        floor->pair_seq = realloc(floor->pair_seq, floor->conn_room * sizeof(*floor->pair_seq));
        if (!floor->conns || !floor->dirty || !floor->pair_seq)
                die("memory");
}

static void on_acceptable(struct floor *floor)
{
        for (;;) {
                int fd = accept4(floor->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
                        return;
                if (fd < 0)
                        die("accept");
                int one = 1;
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
                struct conn *conn = calloc(1, sizeof(*conn));
                if (!conn)
                        die("memory");
                floor_grow(floor);
                conn->fd = fd;
                conn->number = (uint32_t)floor->conn_count;
                floor->conns[floor->conn_count++] = conn;
                floor->pair_seq[conn->number / 2] = 0;
                conn_watch(floor, conn, EPOLL_CTL_ADD, false);
        }
}

static volatile sig_atomic_t is_stopping;

static void on_signal(int number)
{
        (void)number;
        is_stopping = 1;
}

static void floor_take_signals(struct floor *floor)
{
        struct sigaction stop = {.sa_handler = on_signal};
        sigaction(SIGTERM, &stop, NULL);
        sigaction(SIGINT, &stop, NULL);
        sigset_t held;
        sigemptyset(&held);
        sigaddset(&held, SIGTERM);
        sigaddset(&held, SIGINT);
        sigprocmask(SIG_BLOCK, &held, &floor->signals_while_waiting);
        sigdelset(&floor->signals_while_waiting, SIGTERM);
        sigdelset(&floor->signals_while_waiting, SIGINT);
}

static void floor_turn(struct floor *floor)
{
        static struct epoll_event events[EVENTS];
        int count = epoll_pwait(floor->epoll, events, EVENTS, -1, &floor->signals_while_waiting);
        if (count < 0 && errno != EINTR)
                die("epoll_pwait");
        for (int i = 0; i < count; i++) {
                struct conn *conn = events[i].data.ptr;
                if (!conn) {
                        on_acceptable(floor);
                        continue;
                }
                if ((events[i].events & EPOLLOUT) && !conn_flush(floor, conn))
                        continue;
                if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                        on_readable(floor, conn);
        }
        log_sync(floor);
        while (floor->dirty_count) {
                struct conn *conn = floor->dirty[--floor->dirty_count];
                conn->is_dirty = false;
                conn_flush(floor, conn);
        }
}

static void floor_make_history(struct floor *floor)
{
        char text[201];
        memset(text, 'x', 200);
        text[200] = '\0';
        bytes_add(&floor->history, "\"entries\":[", 11);
        for (int i = 0; i < HISTORY_ENTRIES; i++) {
                char entry[512];
                int n = snprintf(entry, sizeof(entry),
                                 "%s{\"conv\":\"cnv_0000000000001\",\"seq\":%d,\"ts\":1700000000000,\"author\":"
                                 "\"usr_0000000000001\",\"cmid\":\"018bcfe5680070008000000000000001\",\"kind\":"
                                 "\"text\",\"text\":\"%s\"}",
                                 i ? "," : "", 1000000 + i, text);
                bytes_add(&floor->history, entry, (size_t)n);
        }
        bytes_add(&floor->history, "],\"head\":1000049,\"more\":true", 28);
}

static void floor_listen(struct floor *floor, const char *where)
{
        char host[64];
        const char *colon = strrchr(where, ':');
        struct sockaddr_in address = {.sin_family = AF_INET};
        if (!colon || (size_t)(colon - where) >= sizeof(host)) {
                fprintf(stderr, "floor: --listen wants HOST:PORT\n");
                exit(64);
        }
        memcpy(host, where, (size_t)(colon - where));
        host[colon - where] = '\0';
        address.sin_port = htons((uint16_t)atoi(colon + 1));
        if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
                fprintf(stderr, "floor: %s is not an IPv4 address\n", host);
                exit(64);
        }
        floor->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int one = 1;
        socklen_t len = sizeof(address);
        setsockopt(floor->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (bind(floor->listener, (struct sockaddr *)&address, len) < 0 || listen(floor->listener, 4096) < 0 ||
            getsockname(floor->listener, (struct sockaddr *)&address, &len) < 0)
                die(where);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
        if (epoll_ctl(floor->epoll, EPOLL_CTL_ADD, floor->listener, &event) < 0)
                die("epoll_ctl");
        printf("listening on %s:%u\n", host, ntohs(address.sin_port));
        fflush(stdout);
}

static void floor_done(struct floor *floor)
{
        for (size_t i = 0; i < floor->conn_count; i++)
                if (floor->conns[i])
                        conn_close(floor, floor->conns[i]);
        close(floor->listener);
        close(floor->epoll);
        if (floor->log >= 0)
                close(floor->log);
        free(floor->conns);
        free(floor->dirty);
        free(floor->pair_seq);
        free(floor->unwritten.at);
        free(floor->history.at);
        free(floor->in);
}

static const char usage[] =
        "usage: floor [--listen HOST:PORT] [--log PATH | --no-store] [FAULT]\n"
        "\n"
        "A bare relay over WebSocket to compare a server with. It appends each message to PATH (default floor.log),\n"
        "syncs once per turn of its loop, then answers the sender and delivers to the partner.\n"
        "  --listen HOST:PORT   default 127.0.0.1:0, any free port\n"
        "  --no-store           relay only, nothing on disk\n"
        "  --lose-every N       plant a fault: every Nth delivery is lost\n"
        "  --double-every N     plant a fault: every Nth delivery comes twice, at two places\n"
        "  --refuse-every N     plant a fault: every Nth message is refused, to be sent again after 5 ms\n";

/* Exits on --help and on what it does not know. `*log_path` NULL: store nothing. */
static void options_read(int argc, char **argv, struct floor *floor, const char **listen_on, const char **log_path)
{
        static const struct option options[] = {
                {"listen", required_argument, NULL, 'l'},
                {"log", required_argument, NULL, 'f'},
                {"no-store", no_argument, NULL, 'n'},
                {"lose-every", required_argument, NULL, 'L'},
                {"double-every", required_argument, NULL, 'D'},
                {"refuse-every", required_argument, NULL, 'R'},
                {"help", no_argument, NULL, 'h'},
                {NULL, 0, NULL, 0},
        };
        for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
                switch (c) {
                case 'l':
                        *listen_on = optarg;
                        break;
                case 'f':
                        *log_path = optarg;
                        break;
                case 'n':
                        *log_path = NULL;
                        break;
                case 'L':
                        floor->lose_every = strtoull(optarg, NULL, 10);
                        break;
                case 'D':
                        floor->double_every = strtoull(optarg, NULL, 10);
                        break;
                case 'R':
                        floor->refuse_every = strtoull(optarg, NULL, 10);
                        break;
                case 'h':
                        fputs(usage, stdout);
                        exit(0);
                default:
                        fputs(usage, stderr);
                        exit(64);
                }
        }
}

int main(int argc, char **argv)
{
        struct floor floor = {.log = -1};
        const char *listen_on = "127.0.0.1:0", *log_path = "floor.log";
        options_read(argc, argv, &floor, &listen_on, &log_path);

        struct rlimit files;
        if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
                files.rlim_cur = files.rlim_max;
                setrlimit(RLIMIT_NOFILE, &files);
        }
        floor_take_signals(&floor);
        floor.epoll = epoll_create1(EPOLL_CLOEXEC);
        floor.in = malloc(READ_BYTES + FRAME_BYTES_MAX);
        if (floor.epoll < 0 || !floor.in)
                die("start");
        if (log_path) {
                floor.log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
                if (floor.log < 0)
                        die(log_path);
        }
        floor_make_history(&floor);
        floor_listen(&floor, listen_on);
        while (!is_stopping)
                floor_turn(&floor);
        floor_done(&floor);
        return 0;
}
