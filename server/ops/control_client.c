/* SPDX-License-Identifier: Apache-2.0 */
/* Control, the caller's end: see control.h. Blocking, with one deadline for the whole call. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ops/clock.h"
#include "ops/control.h"
#include "ops/control_private.h"

int control_address(const char *dir, struct sockaddr_un *out_address)
{
        int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        *out_address = (struct sockaddr_un){.sun_family = AF_UNIX};
        snprintf(out_address->sun_path, sizeof(out_address->sun_path), "/proc/self/fd/%d/control.sock", fd);
        return fd;
}

static int wait_for(int fd, short events, uint64_t deadline)
{
        for (;;) {
                uint64_t now = clock_mono_ms();
                struct pollfd pollfd = {.fd = fd, .events = events};
                int rc = now >= deadline ? 0 : poll(&pollfd, 1, (int)(deadline - now));
                if (rc < 0 && errno == EINTR)
                        continue;
                return rc < 0 ? -errno : rc == 0 ? -ETIMEDOUT : 0;
        }
}

static int send_all(int fd, struct span bytes, uint64_t deadline)
{
        while (bytes.len > 0) {
                ssize_t sent = send(fd, bytes.at, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (sent < 0 && errno != EAGAIN && errno != EINTR)
                        return -errno;
                if (sent > 0) {
                        bytes.at += sent;
                        bytes.len -= (size_t)sent;
                        continue;
                }
                int rc = wait_for(fd, POLLOUT, deadline);
                if (rc < 0)
                        return rc;
        }
        return 0;
}

/* Grows *bytes until a line feed has come. */
static int receive_line(int fd, char **bytes, size_t *out_len, uint64_t deadline)
{
        size_t len = 0, room = 0;

        for (;;) {
                if (len == room) {
                        char *bigger = realloc(*bytes, room = room ? room * 2 : 4096);
                        if (!bigger)
                                return -ENOMEM;
                        *bytes = bigger;
                }
                int rc = wait_for(fd, POLLIN, deadline);
                if (rc < 0)
                        return rc;
                ssize_t got = recv(fd, *bytes + len, room - len, 0);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0)
                        return got < 0 ? -errno : -ECONNRESET;
                char *end = memchr(*bytes + len, '\n', (size_t)got);
                len += (size_t)got;
                if (end) {
                        *end = '\0';
                        *out_len = (size_t)(end - *bytes);
                        return 0;
                }
        }
}

static int dial(const char *dir)
{
        struct sockaddr_un address;
        int dir_fd = control_address(dir, &address);
        if (dir_fd < 0)
                return dir_fd;
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int rc = fd < 0 ? -errno : 0;
        if (rc == 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
                rc = -errno;
                close(fd);
        }
        close(dir_fd);
        return rc < 0 ? rc : fd;
}

int control_call(const char *dir, struct span request, unsigned timeout_ms, char **out_response, size_t *out_len,
                 char **out_why)
{
        uint64_t deadline = clock_mono_ms() + timeout_ms;
        char *bytes = NULL;
        int fd = -1;
        int rc = request.len >= CONTROL_LINE_BYTES || memchr(request.at, '\n', request.len) ? -EMSGSIZE : dial(dir);

        if (rc >= 0) {
                fd = rc;
                rc = send_all(fd, request, deadline);
        }
        if (rc == 0)
                rc = send_all(fd, SPAN("\n"), deadline);
        if (rc == 0)
                rc = receive_line(fd, &bytes, out_len, deadline);
        if (fd >= 0)
                close(fd);
        if (rc == 0) {
                *out_response = bytes;
                return 0;
        }
        free(bytes);
        if (out_why && asprintf(out_why, "%s/control.sock: %s", dir, strerror(-rc)) < 0)
                *out_why = NULL;
        return rc;
}
