/* SPDX-License-Identifier: Apache-2.0 */
/* Dialer: the thread around dial_race.c and dial_proxy.c. What it needs of the road is copied, and its memory is the C
 * library's, not the application's allocator's: a lookup that hangs may outlive the client. The last of owner and
 * thread frees it. */
#include "dial.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "platform.h"

#undef calloc
#undef free

enum { CONNECT_MS = 10000, PATIENCE_MS = 250 };

struct dialer {
        struct road_address to;
        bool has_proxy;
        struct road_proxy proxy;

        pthread_mutex_t lock;
        pthread_cond_t changed;
        dial_done_fn done; /* NULL: the owner has gone */
        void *data;
        int64_t wanted; /* ticket; 0 = nobody waits */
        bool has_thread, is_running, is_looking;
        int refs;                   /* owner and running thread */
        struct platform_waker stop; /* readable: what is under way is not wanted any more */
        pthread_t thread;
};

struct dialer *dialer_new(const struct road *road, dial_done_fn done, void *data)
{
        struct dialer *dialer = calloc(1, sizeof(*dialer));
        if (!dialer)
                return NULL;

        if (!platform_waker_open(&dialer->stop)) {
                free(dialer);
                return NULL;
        }
        dialer->to = road->to;
        dialer->has_proxy = road->has_proxy;
        dialer->proxy = road->proxy;
        dialer->done = done;
        dialer->data = data;
        dialer->refs = 1;
        pthread_mutex_init(&dialer->lock, NULL);
        platform_cond_init(&dialer->changed);
        return dialer;
}

/* With the lock held, which it gives back. */
static void unref_and_unlock(struct dialer *dialer)
{
        bool is_last = --dialer->refs == 0;

        pthread_mutex_unlock(&dialer->lock);
        if (!is_last)
                return;
        pthread_cond_destroy(&dialer->changed);
        pthread_mutex_destroy(&dialer->lock);
        platform_waker_close(&dialer->stop);
        free(dialer);
}

/* ---- the thread -------------------------------------------------------------------------------------------------- */

static struct addrinfo *look_up(struct dialer *dialer, struct dial_outcome *out)
{
        struct addrinfo hints = {.ai_flags = AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *found = NULL;
        const char *host = dialer->has_proxy ? dialer->proxy.host : dialer->to.host;
        char port[8];

        snprintf(port, sizeof(port), "%u", dialer->has_proxy ? dialer->proxy.port : dialer->to.port);
        int rc = getaddrinfo(host, port, &hints, &found);
        if (rc == 0 && found)
                return found;
        out->why = dialer->has_proxy ? "proxy" : "network";
        snprintf(out->detail, sizeof(out->detail), "the name was not found: %s", gai_strerror(rc));
        return NULL;
}

static void connect_to(struct dialer *dialer, const struct addrinfo *addresses, struct dial_outcome *out)
{
        int64_t until_ms = platform_mono_ms() + CONNECT_MS;
        int fd = dial_race(addresses, dialer->stop.fd, until_ms, out);

        if (dialer->has_proxy && fd < 0)
                out->why = "proxy";
        if (fd >= 0 && dialer->has_proxy &&
            dial_ask_proxy(fd, &dialer->to, &dialer->proxy, dialer->stop.fd, until_ms, out) < 0) {
                close(fd);
                fd = -1;
        }
        out->fd = fd;
}

/* With the lock held. */
static void dial_once(struct dialer *dialer)
{
        struct dial_outcome outcome = {.fd = -1, .why = "network"};

        dialer->is_looking = true;
        pthread_mutex_unlock(&dialer->lock);
        struct addrinfo *addresses = look_up(dialer, &outcome);
        pthread_mutex_lock(&dialer->lock);
        dialer->is_looking = false;
        pthread_cond_broadcast(&dialer->changed);
        /* Whoever waits now, also if he came while the lookup was under way. */
        int64_t ticket = dialer->wanted;
        platform_waker_clear(&dialer->stop);
        if (ticket && addresses) {
                pthread_mutex_unlock(&dialer->lock);
                connect_to(dialer, addresses, &outcome);
                pthread_mutex_lock(&dialer->lock);
        }
        if (addresses)
                freeaddrinfo(addresses);
        if (ticket && dialer->wanted == ticket) {
                dialer->wanted = 0;
                dialer->done(dialer->data, ticket, &outcome);
        } else if (outcome.fd >= 0) {
                close(outcome.fd);
        }
}

static void *run(void *data)
{
        struct dialer *dialer = data;

        pthread_mutex_lock(&dialer->lock);
        while (dialer->wanted)
                dial_once(dialer);
        dialer->is_running = false;
        unref_and_unlock(dialer);
        return NULL;
}

/* No signal of the application's is delivered to it. */
static bool begin_thread(struct dialer *dialer)
{
        sigset_t all, before;

        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &before);
        bool has_begun = pthread_create(&dialer->thread, NULL, run, dialer) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return has_begun;
}

/* ---- the owner --------------------------------------------------------------------------------------------------- */

/* With the lock held. */
static void stop_what_runs(struct dialer *dialer)
{
        dialer->wanted = 0;
        if (dialer->is_running)
                platform_waker_wake(&dialer->stop);
}

bool dialer_begin(struct dialer *dialer, int64_t ticket)
{
        bool is_well = true;

        pthread_mutex_lock(&dialer->lock);
        stop_what_runs(dialer);
        dialer->wanted = ticket;
        if (!dialer->is_running) {
                if (dialer->has_thread)
                        pthread_join(dialer->thread, NULL); /* it has ended, or is about to, without the lock */
                dialer->is_running = dialer->has_thread = is_well = begin_thread(dialer);
                dialer->refs += is_well;
                if (!is_well)
                        dialer->wanted = 0;
        }
        pthread_mutex_unlock(&dialer->lock);
        return is_well;
}

void dialer_cancel(struct dialer *dialer)
{
        pthread_mutex_lock(&dialer->lock);
        stop_what_runs(dialer);
        pthread_mutex_unlock(&dialer->lock);
}

static void await_lookup(struct dialer *dialer)
{
        int64_t until_ms = platform_mono_ms() + PATIENCE_MS;

        while (dialer->is_looking && platform_cond_wait(&dialer->changed, &dialer->lock, until_ms))
                continue;
}

struct dialer *dialer_free(struct dialer *dialer)
{
        if (!dialer)
                return NULL;
        pthread_mutex_lock(&dialer->lock);
        stop_what_runs(dialer);
        await_lookup(dialer);
        dialer->done = NULL;
        bool is_left_alone = dialer->is_looking, has_thread = dialer->has_thread;
        pthread_t thread = dialer->thread;
        pthread_mutex_unlock(&dialer->lock);
        if (has_thread && is_left_alone)
                pthread_detach(thread);
        else if (has_thread)
                pthread_join(thread, NULL);
        pthread_mutex_lock(&dialer->lock);
        unref_and_unlock(dialer);
        return NULL;
}
