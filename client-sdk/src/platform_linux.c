/* SPDX-License-Identifier: Apache-2.0 */
/* Platform, the form for Linux (Android is one): flags in the call itself, so that no descriptor is ever without them,
 * and an event descriptor where POSIX needs a pipe. */
#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool platform_waker_open(struct platform_waker *out_waker)
{
        int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

        *out_waker = (struct platform_waker){fd, fd};
        return fd >= 0;
}

int platform_socket(int family)
{
        return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

bool platform_move_fd(int from, int to)
{
        bool is_done = dup3(from, to, O_CLOEXEC) >= 0;
        int error = errno;

        close(from);
        errno = error;
        return is_done;
}

/* An abstract one, under a name that the kernel chose; "@" is what libwebsockets writes for its leading zero. */
bool platform_door_open(struct platform_door *out_door)
{
        struct sockaddr_un name = {.sun_family = AF_UNIX};
        socklen_t len = sizeof(name);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return false;
        if (bind(fd, (struct sockaddr *)&name, sizeof(name.sun_family)) < 0 || listen(fd, 1) < 0 ||
            getsockname(fd, (struct sockaddr *)&name, &len) < 0) {
                close(fd);
                return false;
        }
        *out_door = (struct platform_door){.fd = fd};
        snprintf(out_door->address, sizeof(out_door->address), "+@%.*s",
                 (int)(len - offsetof(struct sockaddr_un, sun_path) - 1), name.sun_path + 1);
        return true;
}

bool platform_random(void *out, size_t len)
{
        for (size_t have = 0; have < len;) {
                ssize_t got = getrandom((char *)out + have, len - have, 0);
                if (got < 0 && errno != EINTR) {
                        OPENSSL_cleanse(out, len);
                        return false;
                }
                have += got > 0 ? (size_t)got : 0;
        }
        return true;
}

const char *platform_error_text(int error, char *out, size_t room)
{
        char words[96];

        snprintf(out, room, "%s", strerror_r(error, words, sizeof(words)));
        return out;
}
