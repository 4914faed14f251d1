/* SPDX-License-Identifier: Apache-2.0 */
/* A guest that leaves no trace: notes the state of its process, has a client live a whole life with traffic against a
 * real server, twice, and compares. Signal dispositions and mask, environment, locale, working folder, umask, threads
 * and descriptors have to be what they were, and all memory given back; that nothing was printed the caller sees.
 * What differs is written to REPORT. Usage: quiet URL APP TOKEN FOLDER REPORT */
#include <dirent.h>
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "deskbell/deskbell.h"

extern char **environ;

enum { SIGNALS = 65, PATIENCE_S = 60, LIVES = 2 };
enum { FLAGS = SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER };

struct state {
        struct sigaction actions[SIGNALS];
        sigset_t mask;
        char folder[4096], locale[256];
        uint64_t environment; /* a hash of all of it, and where it is */
        mode_t umask;
        int threads, descriptors;
};

static FILE *report;
static int differences;
static atomic_long blocks, blocks_ever;

static void differs(const char *what)
{
        fprintf(report, "%s\n", what);
        differences++;
}

static int count_in(const char *folder)
{
        struct dirent *entry;
        int count = 0;

        DIR *dir = opendir(folder);
        while (dir && (entry = readdir(dir)))
                count += entry->d_name[0] != '.';
        if (dir)
                closedir(dir);
        return count;
}

static uint64_t hash_environment(void)
{
        uint64_t hash = 14695981039346656037u;

        for (char **at = environ; *at; at++)
                for (const char *c = *at;; c++) {
                        hash = (hash ^ (unsigned char)*c) * 1099511628211u;
                        if (!*c)
                                break;
                }
        return hash;
}

static void note(struct state *state)
{
        memset(state, 0, sizeof(*state));
        for (int i = 1; i < SIGNALS; i++)
                sigaction(i, NULL, &state->actions[i]); /* fails for the two numbers that are the C library's */
        pthread_sigmask(SIG_SETMASK, NULL, &state->mask);
        if (!getcwd(state->folder, sizeof(state->folder)))
                exit(71);
        snprintf(state->locale, sizeof(state->locale), "%s", setlocale(LC_ALL, NULL));
        state->environment = hash_environment();
        state->umask = umask(0);
        umask(state->umask);
        state->threads = count_in("/proc/self/task");
        state->descriptors = count_in("/proc/self/fd");
}

static void compare(const struct state *before, const struct state *after)
{
        char text[64];

        for (int i = 1; i < SIGNALS; i++) {
                const struct sigaction *old = &before->actions[i], *new = &after->actions[i];
                if (old->sa_handler == new->sa_handler && (old->sa_flags & FLAGS) == (new->sa_flags &FLAGS))
                        continue; /* other bits are the C library's own */
                snprintf(text, sizeof(text), "disposition of signal %d", i);
                differs(text);
        }
        for (int i = 1; i < SIGNALS; i++)
                if (sigismember(&before->mask, i) != sigismember(&after->mask, i))
                        differs("signal mask");
        if (strcmp(before->folder, after->folder) != 0)
                differs("working folder");
        if (strcmp(before->locale, after->locale) != 0)
                differs("locale");
        if (before->environment != after->environment)
                differs("environment");
        if (before->umask != after->umask)
                differs("umask");
        if (before->threads != after->threads)
                differs("threads");
        if (before->descriptors != after->descriptors)
                differs("descriptors");
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void *counting_malloc(size_t bytes, void *data)
{
        (void)data;
        void *block = malloc(bytes);
        blocks += block != NULL;
        blocks_ever += block != NULL;
        return block;
}

static void *counting_realloc(void *block, size_t bytes, void *data)
{
        (void)data;
        return realloc(block, bytes);
}

static void counting_free(void *block, void *data)
{
        (void)data;
        blocks--;
        free(block);
}

/* ---- a life ------------------------------------------------------------------------------------------------------ */

static void on_message(deskbell_client *client, const struct deskbell_message *message, void *data)
{
        int *sent = data;

        (void)client;
        *sent += message->state == DESKBELL_SENT;
}

static bool live(char **argv)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        deskbell_conversation *conversation = NULL;
        deskbell_client *client = NULL;
        int sent = 0;

        options.url = argv[1];
        options.app = argv[2];
        options.token = argv[3];
        options.data_dir = argv[4];
        options.callbacks_by_dispatch = 1;
        options.on_message = on_message;
        options.data = &sent;
        if (deskbell_open(&options, &client) || deskbell_conversation_open(client, "main", &conversation) ||
            deskbell_connect(client) || deskbell_send(conversation, "Hello", NULL, NULL))
                return false;
        struct pollfd events = {deskbell_fd(client), POLLIN, 0};
        time_t end = time(NULL) + PATIENCE_S;
        while (!sent && time(NULL) < end) {
                poll(&events, 1, 1000);
                deskbell_dispatch(client, 0);
        }
        deskbell_close(client);
        return sent == 1;
}

static void *do_nothing(void *data)
{
        return data;
}

int main(int argc, char **argv)
{
        const struct deskbell_allocator counting = {sizeof(counting), NULL, counting_malloc, counting_realloc,
                                                    counting_free};
        struct state before, after;
        pthread_t first;

        if (argc != 6 || !(report = fopen(argv[5], "w")))
                return 64;
        if (deskbell_set_allocator(&counting) != DESKBELL_OK)
                differs("the allocator was refused");
        /* A sanitizer begins a thread of its own with the first one: before the count. */
        if (pthread_create(&first, NULL, do_nothing, NULL) != 0)
                return 71;
        pthread_join(first, NULL);
        note(&before);
        for (int i = 0; i < LIVES; i++) {
                if (!live(argv))
                        differs("the message was not sent");
                note(&after);
                compare(&before, &after);
                if (blocks != 0 || blocks_ever == 0)
                        differs("memory was not given back, or did not come from the allocator");
        }
        fclose(report);
        return differences != 0;
}
