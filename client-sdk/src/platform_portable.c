/* SPDX-License-Identifier: Apache-2.0 */
/* Platform, the portable form: POSIX.1-2008 alone, as Apple's systems have it. Descriptors get their flags after they
 * were made: a child that another thread starts in between inherits them. */
#include "platform.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool set_flags(int fd)
{
        int flags = fcntl(fd, F_GETFL);

        return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

/* As close, and errno stays. */
static void drop(int fd)
{
        int error = errno;

        close(fd);
        errno = error;
}

bool platform_waker_open(struct platform_waker *out_waker)
{
        int ends[2];

        *out_waker = PLATFORM_NO_WAKER;
        if (pipe(ends) < 0)
                return false;
        if (!set_flags(ends[0]) || !set_flags(ends[1])) {
                drop(ends[0]);
                drop(ends[1]);
                return false;
        }
        *out_waker = (struct platform_waker){ends[0], ends[1]};
        return true;
}

int platform_socket(int family)
{
        int fd = socket(family, SOCK_STREAM, 0);
        bool is_ready = fd >= 0 && set_flags(fd);

#ifdef SO_NOSIGPIPE
        int one = 1;
        is_ready = is_ready && setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &one, sizeof(one)) == 0;
#endif
        if (fd < 0 || is_ready)
                return fd;
        drop(fd);
        return -1;
}

bool platform_move_fd(int from, int to)
{
        bool is_done = dup2(from, to) >= 0;

        if (is_done)
                fcntl(to, F_SETFD, FD_CLOEXEC);
        drop(from);
        return is_done;
}

/* On the loopback address, at a port that the kernel chose: local sockets without a file are Linux's own, and the
 * folders of an iOS application are too deep for the name of one with a file. */
bool platform_door_open(struct platform_door *out_door)
{
        struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof(name);
        int fd = platform_socket(AF_INET);

        if (fd < 0)
                return false;
        if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, 1) < 0 ||
            getsockname(fd, (struct sockaddr *)&name, &len) < 0) {
                drop(fd);
                return false;
        }
        *out_door = (struct platform_door){.fd = fd, .port = ntohs(name.sin_port)};
        snprintf(out_door->address, sizeof(out_door->address), "127.0.0.1");
        return true;
}

bool platform_random(void *out, size_t len)
{
        if (len <= INT32_MAX && RAND_bytes(out, (int)len) == 1)
                return true;
        OPENSSL_cleanse(out, len);
        return false;
}

const char *platform_error_text(int error, char *out, size_t room)
{
        if (strerror_r(error, out, room) != 0)
                snprintf(out, room, "error %d", error);
        return out;
}
