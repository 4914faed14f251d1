/* SPDX-License-Identifier: Apache-2.0 */
/* Platform: what operating systems differ in, and nothing else. No other file of the SDK names a call that POSIX.1-2008
 * does not have, or that Apple's systems lack. platform.c is POSIX with Apple's spelling beside it; what comes in two
 * forms is in platform_linux.c (one system call where POSIX needs several) and platform_portable.c, of which CMake
 * takes one (DESKBELL_PORTABLE). Any thread, unless it says otherwise. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* ---- clocks ------------------------------------------------------------------------------------------------------ */

int64_t platform_mono_ms(void); /* never goes back; setting the device's clock does not move it */
int64_t platform_wall_ms(void); /* since 1970 */

/* ---- waiting with a deadline ------------------------------------------------------------------------------------- */

void platform_cond_init(pthread_cond_t *cond); /* for platform_cond_wait; pthread_cond_wait may be used, too */

/* With `lock` held, as pthread_cond_timedwait. False: platform_mono_ms() has come to `until_ms`, never before. True:
 * woken, perhaps for nothing; look again. */
bool platform_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ms);

/* ---- waking what polls ------------------------------------------------------------------------------------------- */

/* A descriptor that is readable from platform_waker_wake until platform_waker_clear, however often it was woken. */
struct platform_waker {
        int fd;  /* to be polled for reading; -1 = none: then the calls below do nothing */
        int end; /* where it is written; may be the same */
};

#define PLATFORM_NO_WAKER ((struct platform_waker){-1, -1})

bool platform_waker_open(struct platform_waker *out_waker); /* false, and no waker: no descriptors */
void platform_waker_wake(const struct platform_waker *waker);
/* Clear first, then look at what it was woken for: a wake that comes meanwhile makes it readable again. */
void platform_waker_clear(const struct platform_waker *waker);
void platform_waker_close(struct platform_waker *waker); /* no other call is running; none any more */

/* ---- descriptors ------------------------------------------------------------------------------------------------- */

/* A stream socket that does not block, ends at exec and raises no SIGPIPE with platform_send. -1 with errno. */
int platform_socket(int family);
ssize_t platform_send(int fd, const void *bytes, size_t len); /* as send, without SIGPIPE */

/* `to` becomes what `from` is and ends at exec; `from` is closed. False with errno: `to` is what it was. */
bool platform_move_fd(int from, int to);

/* Something in this process that can be connected to, for who has to say whom to connect to: nobody accepts it. */
struct platform_door {
        int fd; /* the listening socket: close it */
        char address[112];
        int port; /* 0 = the address is enough */
};

/* The address is as libwebsockets takes it: a name of a local socket after '+', or a number of this machine. */
bool platform_door_open(struct platform_door *out_door);

/* ---- files ------------------------------------------------------------------------------------------------------- */

int platform_flush(int fd);      /* as fsync: through the drive's own cache */
int platform_flush_data(int fd); /* as fdatasync: what is needed to read it again */
int64_t platform_mtime_ns(const struct stat *info);

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

/* False: there is no randomness, and `out` is zeros, not to be used. */
bool platform_random(void *out, size_t len);

/* Zeroed pages of their own for a secret: kept out of swap and of core dumps where that is possible. NULL: no memory.
 */
void *platform_secret_new(size_t bytes);
void platform_secret_free(void *secret, size_t bytes); /* overwrites it */

/* What errno `error` means, in `out` (NUL-terminated, cut to `room`). Returns `out`. */
const char *platform_error_text(int error, char *out, size_t room);
