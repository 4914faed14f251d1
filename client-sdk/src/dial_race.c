/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting to one of several addresses (RFC 8305): a broken IPv6 must not cost a user more than a quarter of a
 * second. All sockets but the winner are closed before it returns. */
#include "dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform.h"

enum { ADDRESSES_MAX = 16, STAGGER_MS = 250 };

struct race {
        const struct addrinfo *order[ADDRESSES_MAX];
        size_t count, next;
        struct pollfd fds[ADDRESSES_MAX + 1]; /* the last one of fds_count: stop_fd */
        size_t running;
        int64_t next_at_ms;
        int error; /* of the last that failed */
};

int dial_wait(int fd, short events, int stop_fd, int64_t until_ms)
{
        struct pollfd fds[] = {{stop_fd, POLLIN, 0}, {fd, events, 0}};
        int ready;

        do {
                int64_t left = until_ms - platform_mono_ms();
                ready = poll(fds, 2, left > 0 ? (int)left : 0);
        } while (ready < 0 && errno == EINTR);
        if (ready > 0 && fds[0].revents)
                return -1;
        return ready > 0;
}

static const struct addrinfo *next_of(const struct addrinfo *at, int family, bool is_same)
{
        while (at && ((at->ai_family == family) != is_same))
                at = at->ai_next;
        return at;
}

/* As the resolver ordered them, but the families take turns. */
static void put_in_order(struct race *race, const struct addrinfo *addresses)
{
        int family = addresses->ai_family;
        const struct addrinfo *same = addresses, *other = next_of(addresses, family, false);

        while (race->count < ADDRESSES_MAX && (same || other)) {
                bool takes_same = same && (!other || race->count % 2 == 0);
                race->order[race->count++] = takes_same ? same : other;
                if (takes_same)
                        same = next_of(same->ai_next, family, true);
                else
                        other = next_of(other->ai_next, family, false);
        }
}

static void begin_next(struct race *race)
{
        const struct addrinfo *to = race->order[race->next++];
        int one = 1, fd = platform_socket(to->ai_family);

        race->next_at_ms = platform_mono_ms() + STAGGER_MS;
        if (fd >= 0) {
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
                if (connect(fd, to->ai_addr, to->ai_addrlen) == 0 || errno == EINPROGRESS) {
                        race->fds[race->running++] = (struct pollfd){fd, POLLOUT, 0};
                        return;
                }
        }
        race->error = errno;
        race->next_at_ms = 0; /* the one after it at once */
        if (fd >= 0)
                close(fd);
}

/* The socket that has connected, or -1. Those that failed are closed. */
static int look(struct race *race)
{
        for (size_t i = 0; i < race->running;) {
                int fd = race->fds[i].fd, error = 0;
                socklen_t len = sizeof(error);

                if (!race->fds[i].revents) {
                        i++;
                        continue;
                }
                getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
                race->fds[i] = race->fds[--race->running];
                if (error == 0)
                        return fd;
                race->error = error;
                race->next_at_ms = 0;
                close(fd);
        }
        return -1;
}

/* How long until something else has to be done. */
static int pause_ms(const struct race *race, int64_t until_ms)
{
        int64_t now = platform_mono_ms(), at = until_ms;

        if (race->next < race->count && race->next_at_ms < at)
                at = race->next_at_ms;
        return at > now ? (int)(at - now) : 0;
}

static int run_race(struct race *race, int stop_fd, int64_t until_ms, struct dial_outcome *out)
{
        while (race->running || race->next < race->count) {
                if (race->next < race->count && platform_mono_ms() >= race->next_at_ms) {
                        begin_next(race);
                        continue;
                }
                race->fds[race->running] = (struct pollfd){stop_fd, POLLIN, 0};
                int ready = poll(race->fds, race->running + 1, pause_ms(race, until_ms));
                if (ready < 0)
                        continue;
                if (race->fds[race->running].revents)
                        return -1;
                int fd = look(race);
                if (fd >= 0)
                        return fd;
                if (platform_mono_ms() >= until_ms) {
                        race->error = ETIMEDOUT;
                        break;
                }
        }
        char room[96];
        snprintf(out->detail, sizeof(out->detail), "no connection: %s",
                 platform_error_text(race->error, room, sizeof(room)));
        return -1;
}

int dial_race(const struct addrinfo *addresses, int stop_fd, int64_t until_ms, struct dial_outcome *out)
{
        struct race race = {0};

        put_in_order(&race, addresses);
        out->why = "network";
        int fd = run_race(&race, stop_fd, until_ms, out);
        while (race.running)
                close(race.fds[--race.running].fd);
        return fd;
}
