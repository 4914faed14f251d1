/* SPDX-License-Identifier: Apache-2.0 */
/* What Apple's headers declare and no others, for `portable.py apple`: the shape of it, never linked. */
#pragma once

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>

int pthread_cond_timedwait_relative_np(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *left);

#define F_FULLFSYNC  51
#define SO_NOSIGPIPE 0x1022
#define st_mtimespec st_mtim

/* And what they have not. */
#undef MSG_NOSIGNAL
#undef SOCK_CLOEXEC
#undef SOCK_NONBLOCK
#define fdatasync                 fdatasync_is_not_there
#define pthread_condattr_setclock pthread_condattr_setclock_is_not_there
