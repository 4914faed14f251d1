/* SPDX-License-Identifier: Apache-2.0 */
/* A stand-in for what Apple's systems have and Linux has not: included before everything else when the platform's files
 * are compiled as if they were there. All headers come first, so that none of them sees the name of that system. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define __APPLE__    1
#define F_FULLFSYNC  51
#define SO_NOSIGPIPE 0x1022
#define st_mtimespec st_mtim
#define fcntl        apple_fcntl
#define send         apple_send
#define setsockopt   apple_setsockopt

#undef MSG_NOSIGNAL
#define fdatasync                 is_not_there
#define pthread_condattr_setclock is_not_there
#define pthread_cond_timedwait    is_not_there

int apple_fcntl(int fd, int command, ...);
ssize_t apple_send(int fd, const void *bytes, size_t len, int flags);
int apple_setsockopt(int fd, int level, int option, const void *value, socklen_t len);
int pthread_cond_timedwait_relative_np(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *left);
