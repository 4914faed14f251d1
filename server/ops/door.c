/* SPDX-License-Identifier: Apache-2.0 */
/* Door: see door.h. Thread: its own, from door_start to door_stop; only door_wake comes from elsewhere. A slot is free
 * exactly when its fd is -1. */
#include "ops/door.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ops/clock.h"

enum { FIRST_ROOM = 65536 };

struct door_conn {
        int fd;
        uint64_t number;
        uint64_t deadline; /* monotonic ms */
        char *in;
        size_t in_len, in_room; /* grows up to what is allowed */
        size_t in_seen;         /* bytes that were looked at, and nothing was consumed */
        char *out;
        size_t out_len, out_sent;
        bool is_held, is_finishing, is_broken, has_news;
};

struct door {
        struct door_options options;
        pthread_t thread;
        int wake_fd;
        atomic_bool is_stopping;
        uint64_t next_number;
        struct door_conn conns[DOOR_CONNECTIONS];
};

void door_wake(struct door *door)
{
        uint64_t one = 1;
        ssize_t wrote = write(door->wake_fd, &one, sizeof(one));

        (void)wrote; /* a full counter is awake already */
}

uint64_t door_conn_number(const struct door_conn *conn)
{
        return conn->number;
}

struct door_conn *door_find(struct door *door, uint64_t number)
{
        for (int i = 0; i < DOOR_CONNECTIONS; i++)
                if (door->conns[i].fd >= 0 && door->conns[i].number == number)
                        return &door->conns[i];
        return NULL;
}

void door_send(struct door_conn *conn, const char *bytes, size_t len)
{
        char *bigger = realloc(conn->out, conn->out_len + len);

        if (!bigger) {
                conn->is_broken = true;
                return;
        }
        memcpy(bigger + conn->out_len, bytes, len);
        conn->out = bigger;
        conn->out_len += len;
}

void door_finish(struct door_conn *conn)
{
        conn->is_finishing = true;
}

void door_hold(struct door_conn *conn, bool held)
{
        /* What came in meanwhile has not been looked at. */
        conn->has_news = conn->has_news || (conn->is_held && !held && conn->in_len > 0);
        conn->is_held = held;
}

static void drop(struct door_conn *conn)
{
        close(conn->fd);
        free(conn->in);
        free(conn->out);
        *conn = (struct door_conn){.fd = -1};
}

static void rearm(struct door *door, struct door_conn *conn)
{
        conn->deadline = clock_mono_ms() + door->options.deadline_ms;
}

static void admit(struct door *door)
{
        int fd = accept4(door->options.listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
                return;
        for (int i = 0; i < DOOR_CONNECTIONS; i++) {
                struct door_conn *conn = &door->conns[i];
                if (conn->fd >= 0)
                        continue;
                if (door->options.on_peer && !door->options.on_peer(door->options.owner, fd))
                        break;
                *conn = (struct door_conn){.fd = fd, .number = ++door->next_number};
                rearm(door, conn);
                return;
        }
        close(fd);
}

static bool has_room(const struct door *door)
{
        for (int i = 0; i < DOOR_CONNECTIONS; i++)
                if (door->conns[i].fd < 0)
                        return true;
        return false;
}

static void flush(struct door_conn *conn)
{
        while (conn->out_sent < conn->out_len) {
                ssize_t sent = send(conn->fd, conn->out + conn->out_sent, conn->out_len - conn->out_sent, MSG_NOSIGNAL);
                if (sent < 0 && errno == EINTR)
                        continue;
                if (sent < 0) {
                        conn->is_broken = conn->is_broken || (errno != EAGAIN && errno != EWOULDBLOCK);
                        return;
                }
                conn->out_sent += (size_t)sent;
        }
        free(conn->out);
        conn->out = NULL;
        conn->out_len = conn->out_sent = 0;
}

static bool make_room(struct door_conn *conn, size_t most)
{
        size_t room = conn->in_room ? 2 * conn->in_room : FIRST_ROOM;
        room = room < most ? room : most;
        char *bigger = realloc(conn->in, room);
        if (!bigger)
                return false;
        conn->in = bigger;
        conn->in_room = room;
        return true;
}

static void receive(struct door *door, struct door_conn *conn)
{
        if (conn->in_len == conn->in_room && !make_room(conn, door->options.max_input)) {
                conn->is_broken = true;
                return;
        }
        ssize_t got = recv(conn->fd, conn->in + conn->in_len, conn->in_room - conn->in_len, 0);
        if (got > 0) {
                conn->in_len += (size_t)got;
                conn->has_news = true;
        } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
                conn->is_broken = true;
        }
}

static void consume(struct door *door, struct door_conn *conn)
{
        while (conn->has_news && !conn->is_held && !conn->is_finishing && !conn->is_broken && conn->in_len > 0) {
                ptrdiff_t used =
                        door->options.on_bytes(door->options.owner, conn, conn->in, conn->in_len, conn->in_seen);
                if (used < 0) {
                        conn->is_finishing = true;
                        return;
                }
                conn->has_news = used > 0;
                conn->in_seen = used > 0 ? 0 : conn->in_len;
                if (used > 0) {
                        conn->in_len -= (size_t)used;
                        memmove(conn->in, conn->in + used, conn->in_len);
                        if (conn->in_len == 0 && conn->in_room > FIRST_ROOM) { /* a large request is rare */
                                free(conn->in);
                                conn->in = NULL;
                                conn->in_room = 0;
                        }
                        rearm(door, conn);
                }
        }
        if (conn->in_len == door->options.max_input && !conn->is_held && !conn->is_finishing) {
                if (door->options.on_too_much)
                        door->options.on_too_much(door->options.owner, conn);
                conn->is_finishing = true;
        }
}

/* Moves everything that can be moved; ends what has to end. */
static void turn(struct door *door, struct door_conn *conn)
{
        consume(door, conn);
        if (conn->out_len > 0)
                flush(conn);
        bool is_late = !conn->is_held && clock_mono_ms() >= conn->deadline;
        if (conn->is_broken || is_late || (conn->is_finishing && conn->out_len == 0))
                drop(conn);
}

static int poll_timeout(const struct door *door)
{
        uint64_t now = clock_mono_ms(), next = now + 60000;

        for (int i = 0; i < DOOR_CONNECTIONS; i++) {
                const struct door_conn *conn = &door->conns[i];
                if (conn->fd >= 0 && !conn->is_held && conn->deadline < next)
                        next = conn->deadline;
        }
        return next > now ? (int)(next - now) : 0;
}

static void wait_for_events(struct door *door, struct pollfd *fds)
{
        fds[0] = (struct pollfd){.fd = door->wake_fd, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = has_room(door) ? door->options.listen_fd : -1, .events = POLLIN};
        for (int i = 0; i < DOOR_CONNECTIONS; i++) {
                const struct door_conn *conn = &door->conns[i];
                short events = 0;
                if (!conn->is_held && !conn->is_finishing)
                        events |= POLLIN;
                if (conn->out_len > 0)
                        events |= POLLOUT;
                fds[2 + i] = (struct pollfd){.fd = conn->fd, .events = events};
        }
        poll(fds, 2 + DOOR_CONNECTIONS, poll_timeout(door));
}

static void *run(void *data)
{
        struct door *door = data;
        struct pollfd fds[2 + DOOR_CONNECTIONS];
        uint64_t count;

        pthread_setname_np(pthread_self(), door->options.name);
        while (!atomic_load(&door->is_stopping)) {
                wait_for_events(door, fds);
                if (fds[0].revents && read(door->wake_fd, &count, sizeof(count)) > 0 && door->options.on_wake)
                        door->options.on_wake(door->options.owner);
                for (int i = 0; i < DOOR_CONNECTIONS; i++) {
                        struct door_conn *conn = &door->conns[i];
                        if (conn->fd < 0)
                                continue;
                        if (fds[2 + i].revents & POLLIN)
                                receive(door, conn);
                        else if (fds[2 + i].revents & (POLLERR | POLLHUP | POLLNVAL))
                                conn->is_broken = true;
                        turn(door, conn);
                }
                if (fds[1].revents)
                        admit(door);
        }
        return NULL;
}

static void free_door(struct door *door)
{
        for (int i = 0; i < DOOR_CONNECTIONS; i++)
                if (door->conns[i].fd >= 0)
                        drop(&door->conns[i]);
        close(door->options.listen_fd);
        if (door->wake_fd >= 0)
                close(door->wake_fd);
        free(door);
}

int door_start(const struct door_options *options, struct door **out_door)
{
        struct door *door = calloc(1, sizeof(*door));
        if (!door) {
                close(options->listen_fd);
                return -ENOMEM;
        }
        door->options = *options;
        for (int i = 0; i < DOOR_CONNECTIONS; i++)
                door->conns[i].fd = -1;
        door->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

        int rc = door->wake_fd < 0 ? -errno : -pthread_create(&door->thread, NULL, run, door);
        if (rc < 0)
                free_door(door);
        else
                *out_door = door;
        return rc;
}

struct door *door_stop(struct door *door)
{
        if (!door)
                return NULL;
        atomic_store(&door->is_stopping, true);
        door_wake(door);
        pthread_join(door->thread, NULL);
        free_door(door);
        return NULL;
}
