/* SPDX-License-Identifier: Apache-2.0 */
/* What the SDK costs an application: wake-ups and memory of an idle connected client, opening a long conversation from
 * the cache, and handing over a message. Prints each figure beside its bar; exit 1 when a bar is missed. bench_sdk.py
 * starts a server with a long conversation and runs it.
 *
 * The idle client is a process of its own, watched from outside through /proc: what watches costs it nothing. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "deskbell/deskbell.h"

enum { SAMPLE_MS = 100, OPENINGS = 21, SENDS = 300, PATIENCE_S = 120, SETTLE_MS = 3000 };

struct bench {
        struct deskbell_options options;
        const char *program, *folder, *part; /* part NULL = all */
        int seconds;
        bool has_bars, has_missed;

        pthread_mutex_t lock;
        pthread_cond_t wake;
        bool is_online, is_opened;
        int64_t entries, sent;
};

static int64_t now_us(clockid_t clock)
{
        struct timespec now;

        clock_gettime(clock, &now);
        return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void pause_ms(int ms)
{
        poll(NULL, 0, ms);
}

static void fail(const char *what, int rc)
{
        fprintf(stderr, "bench_sdk: %s: %s\n", what, deskbell_error_text(rc));
        exit(70);
}

/* A figure that may not be above its bar. */
static void report(struct bench *bench, const char *what, double figure, const char *unit, double bar)
{
        bool is_missed = figure > bar;

        printf("%-58s %9.1f %-9s bar %6.1f  %s\n", what, figure, unit, bar, is_missed ? "MISSED" : "ok");
        fflush(stdout);
        bench->has_missed |= is_missed && bench->has_bars;
}

static void remark(const char *what, double figure, const char *unit)
{
        printf("%-58s %9.1f %s\n", what, figure, unit);
}

static int compare(const void *a, const void *b)
{
        const int64_t *left = a, *right = b;

        return (*left > *right) - (*left < *right);
}

static double rank(int64_t *values, size_t count, double part)
{
        qsort(values, count, sizeof(*values), compare);
        return (double)values[(size_t)((double)(count - 1) * part)];
}

/* ---- callbacks: the client's thread ------------------------------------------------------------------------------ */

static void on_state(deskbell_client *client, const struct deskbell_state *state, void *data)
{
        struct bench *bench = data;

        (void)client;
        pthread_mutex_lock(&bench->lock);
        bench->is_online = state->connection == DESKBELL_ONLINE && state->caught_up;
        pthread_cond_signal(&bench->wake);
        pthread_mutex_unlock(&bench->lock);
}

static void on_entry(deskbell_client *client, const struct deskbell_entry *entry, void *data)
{
        struct bench *bench = data;

        (void)client;
        (void)entry;
        pthread_mutex_lock(&bench->lock);
        bench->entries++;
        pthread_mutex_unlock(&bench->lock);
}

static void on_message(deskbell_client *client, const struct deskbell_message *message, void *data)
{
        struct bench *bench = data;

        (void)client;
        pthread_mutex_lock(&bench->lock);
        bench->sent += message->state == DESKBELL_SENT;
        pthread_cond_signal(&bench->wake);
        pthread_mutex_unlock(&bench->lock);
}

static void on_opened(deskbell_client *client, deskbell_conversation *conversation, int64_t seq, int64_t iseq,
                      void *data)
{
        struct bench *bench = data;

        (void)client;
        (void)conversation;
        (void)seq;
        (void)iseq;
        pthread_mutex_lock(&bench->lock);
        bench->is_opened = true;
        pthread_cond_signal(&bench->wake);
        pthread_mutex_unlock(&bench->lock);
}

static bool is_online(const struct bench *bench)
{
        return bench->is_online;
}

static bool is_opened(const struct bench *bench)
{
        return bench->is_opened;
}

static bool is_all_sent(const struct bench *bench)
{
        return bench->sent > 0;
}

static void await(struct bench *bench, const char *what, bool (*holds)(const struct bench *bench))
{
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += PATIENCE_S;
        pthread_mutex_lock(&bench->lock);
        while (!holds(bench)) {
                if (pthread_cond_timedwait(&bench->wake, &bench->lock, &until) == ETIMEDOUT) {
                        fprintf(stderr, "bench_sdk: not %s in %d s\n", what, PATIENCE_S);
                        exit(70);
                }
        }
        pthread_mutex_unlock(&bench->lock);
}

static deskbell_client *client_of(struct bench *bench, const char *part, bool connects)
{
        deskbell_client *client = NULL;
        char folder[4096];

        snprintf(folder, sizeof(folder), "%s/%s", bench->folder, part);
        bench->options.data_dir = folder;
        bench->is_online = bench->is_opened = false;
        int rc = deskbell_open(&bench->options, &client);
        if (rc == DESKBELL_OK && connects)
                rc = deskbell_connect(client);
        if (rc != DESKBELL_OK)
                fail("open", rc);
        if (connects)
                await(bench, "online", is_online);
        return client;
}

static deskbell_conversation *conversation_of(struct bench *bench, deskbell_client *client)
{
        deskbell_conversation *conversation = NULL;

        int rc = deskbell_conversation_open(client, "main", &conversation);
        if (rc != DESKBELL_OK)
                fail("conversation", rc);
        await(bench, "opened", is_opened);
        return conversation;
}

/* ---- idle: a process of its own ---------------------------------------------------------------------------------- */

/* The child: online with an open conversation, and then nothing. */
static int idle(struct bench *bench)
{
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        deskbell_client *client = client_of(bench, "idle", false);
        conversation_of(bench, client);
        deskbell_connect(client);
        await(bench, "online", is_online);
        if (write(1, "ready\n", 6) != 6)
                return 70;
        for (;;)
                pause();
}

/* Private pages of a process, in KiB. */
static int64_t private_kib(pid_t pid)
{
        char path[64], line[256];
        int64_t sum = 0, one;

        snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
        FILE *file = fopen(path, "r");
        if (!file)
                return -1;
        while (fgets(line, sizeof(line), file))
                if (sscanf(line, "Private_Clean: %ld", &one) == 1 || sscanf(line, "Private_Dirty: %ld", &one) == 1)
                        sum += one;
        fclose(file);
        return sum;
}

/* How often its threads were given a processor. */
static int64_t switches(pid_t pid)
{
        char path[320], line[256];
        int64_t sum = 0, one;
        struct dirent *entry;

        snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
        DIR *tasks = opendir(path);
        while (tasks && (entry = readdir(tasks))) {
                snprintf(path, sizeof(path), "/proc/%d/task/%s/status", (int)pid, entry->d_name);
                FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
                while (file && fgets(line, sizeof(line), file))
                        if (sscanf(line, "voluntary_ctxt_switches: %ld", &one) == 1)
                                sum += one;
                if (file)
                        fclose(file);
        }
        if (tasks)
                closedir(tasks);
        return sum;
}

static pid_t spawn(const char *const args[], int *out_read)
{
        int pair[2];

        if (pipe(pair) < 0)
                exit(71);
        pid_t pid = fork();
        if (pid == 0) {
                dup2(pair[1], 1);
                close(pair[0]);
                close(pair[1]);
                execv(args[0], (char *const *)args);
                _exit(71);
        }
        close(pair[1]);
        *out_read = pair[0];
        return pid;
}

static void reap(pid_t pid)
{
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
}

static int64_t empty_kib(void)
{
        const char *const args[] = {"/bin/sleep", "10", NULL};
        int fd;

        pid_t pid = spawn(args, &fd);
        pause_ms(200);
        int64_t kib = private_kib(pid);
        reap(pid);
        close(fd);
        return kib;
}

/* Moments at which anything of it ran: what happens within a sample, or goes on in the next, is one; the device woke
 * once for all of it. */
static void watch(struct bench *bench, pid_t pid)
{
        int64_t first = switches(pid), last = first, moments = 0;
        int64_t end_us = now_us(CLOCK_MONOTONIC) + (int64_t)bench->seconds * 1000000;
        bool is_awake = false;

        while (now_us(CLOCK_MONOTONIC) < end_us) {
                pause_ms(SAMPLE_MS);
                int64_t now = switches(pid);
                moments += now != last && !is_awake;
                is_awake = now != last;
                last = now;
        }
        report(bench, "idle and connected: wake-ups", (double)moments * 60 / bench->seconds, "a minute", 3);
        remark("  context switches of all its threads", (double)(last - first) * 60 / bench->seconds, "a minute");
}

static void bench_idle(struct bench *bench)
{
        const char *const args[] = {
                bench->program, "--idle", bench->options.url, bench->options.app, bench->options.token,
                bench->folder,  NULL};
        char line[16];
        int fd;

        pid_t pid = spawn(args, &fd);
        if (read(fd, line, sizeof(line)) <= 0) {
                fprintf(stderr, "bench_sdk: the idle client did not get ready\n");
                exit(70);
        }
        pause_ms(SETTLE_MS); /* its marks go out within a second */
        report(bench, "idle and connected: private memory above an empty program",
               (double)(private_kib(pid) - empty_kib()) / 1024, "MiB", 6);
        watch(bench, pid);
        reap(pid);
        close(fd);
}

/* ---- opening and sending ----------------------------------------------------------------------------------------- */

static void bench_open(struct bench *bench)
{
        int64_t took[OPENINGS], opened[OPENINGS];

        bench->options.first_page = -1;
        deskbell_client *client = client_of(bench, "cached", false);
        conversation_of(bench, client);
        deskbell_connect(client);
        int64_t asked_us = now_us(CLOCK_MONOTONIC);
        await(bench, "online", is_online); /* caught up: all entries are in the cache */
        int64_t entries = bench->entries, fetch_us = now_us(CLOCK_MONOTONIC) - asked_us;
        deskbell_close(client);
        for (int i = 0; i < OPENINGS; i++) {
                int64_t began = now_us(CLOCK_MONOTONIC);
                client = client_of(bench, "cached", false);
                opened[i] = now_us(CLOCK_MONOTONIC) - began;
                began += opened[i];
                bench->entries = 0;
                conversation_of(bench, client);
                took[i] = now_us(CLOCK_MONOTONIC) - began;
                deskbell_close(client);
        }
        printf("the cached conversation has %lld entries; %lld are shown\n", (long long)entries,
               (long long)bench->entries);
        if (entries)
                remark("  fetched and stored before that", (double)entries * 1000000 / (double)fetch_us, "entries/s");
        report(bench, "opening it, median", rank(took, OPENINGS, 0.5) / 1000, "ms", 5);
        remark("  slowest", rank(took, OPENINGS, 1) / 1000, "ms");
        remark("  opening the client before that, median", rank(opened, OPENINGS, 0.5) / 1000, "ms");
}

static bool are_all_sent(const struct bench *bench)
{
        return bench->sent >= SENDS;
}

/* Processor's time of all threads but this one. */
static int64_t others_us(void)
{
        return now_us(CLOCK_PROCESS_CPUTIME_ID) - now_us(CLOCK_THREAD_CPUTIME_ID);
}

static void forget_sent(struct bench *bench)
{
        pthread_mutex_lock(&bench->lock);
        bench->sent = 0;
        pthread_mutex_unlock(&bench->lock);
}

/* One message at a time, or all as fast as they are taken. */
static void send_all(struct bench *bench, deskbell_conversation *conversation, bool is_burst, int waits)
{
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;
        int64_t wall[SENDS], processor[SENDS], others = others_us();
        const char *what = waits      ? "deskbell_send, wait_for_disk"
                           : is_burst ? "in a burst"
                                      : "deskbell_send while online";
        char line[80];

        options.wait_for_disk = waits;
        forget_sent(bench);
        for (int i = 0; i < SENDS; i++) {
                if (!is_burst)
                        forget_sent(bench);
                int64_t began = now_us(CLOCK_MONOTONIC), used = now_us(CLOCK_THREAD_CPUTIME_ID);
                int rc = deskbell_send(conversation, "How long until somebody answers?", &options, NULL);
                processor[i] = now_us(CLOCK_THREAD_CPUTIME_ID) - used;
                wall[i] = now_us(CLOCK_MONOTONIC) - began;
                if (rc != DESKBELL_OK)
                        fail("send", rc);
                if (!is_burst)
                        await(bench, "sent", is_all_sent);
        }
        if (is_burst)
                await(bench, "sent", are_all_sent);
        snprintf(line, sizeof(line), "%s, median", what);
        if (waits)
                remark(line, rank(wall, SENDS, 0.5), "us");
        else
                report(bench, line, rank(wall, SENDS, 0.5), "us", 50);
        remark("  99 of 100 are below", rank(wall, SENDS, 0.99), "us");
        remark("  of it the processor's time, median", rank(processor, SENDS, 0.5), "us");
        remark("  99 of 100 are below", rank(processor, SENDS, 0.99), "us");
        remark("  processor's time of the library's threads, each message", (double)(others_us() - others) / SENDS,
               "us");
}

static void bench_send(struct bench *bench)
{
        deskbell_client *client = client_of(bench, "send", true);
        deskbell_conversation *conversation = conversation_of(bench, client);

        send_all(bench, conversation, false, 0);
        send_all(bench, conversation, true, 0);
        send_all(bench, conversation, false, 1);
        deskbell_close(client);
}

/* ------------------------------------------------------------------------------------------------------------------ */

static int usage(void)
{
        fprintf(stderr,
                "usage: bench_sdk [--no-bars] [--sealed] [--part idle|send|open] [--seconds N] URL APP TOKEN FOLDER\n"
                "--sealed: the clients' files are, under a key.\n"
                "The idle client is watched for N seconds (default 180). The user's conversation \"main\" is\n"
                "what is opened; FOLDER is for the clients' files.\n");
        return 64;
}

int main(int argc, char **argv)
{
        struct bench bench = {.program = "/proc/self/exe", .seconds = 180, .has_bars = true};
        static const uint8_t key[32] = "a key of the bench's own, no use";
        bool is_idle = false, is_sealed = false;
        int at = 1;

        for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
                if (strcmp(argv[at], "--idle") == 0)
                        is_idle = true;
                else if (strcmp(argv[at], "--no-bars") == 0)
                        bench.has_bars = false;
                else if (strcmp(argv[at], "--sealed") == 0)
                        is_sealed = true;
                else if (strcmp(argv[at], "--part") == 0 && at + 1 < argc)
                        bench.part = argv[++at];
                else if (strcmp(argv[at], "--seconds") == 0 && at + 1 < argc)
                        bench.seconds = atoi(argv[++at]);
                else
                        return usage();
        }
        if (argc - at != 4 || bench.seconds < 1)
                return usage();
        bench.options = (struct deskbell_options)DESKBELL_OPTIONS_INIT;
        bench.options.url = argv[at];
        bench.options.app = argv[at + 1];
        bench.options.token = argv[at + 2];
        bench.folder = argv[at + 3];
        bench.options.store_key = is_sealed ? key : NULL;
        bench.options.store_key_len = is_sealed ? sizeof(key) : 0;
        bench.options.data = &bench;
        bench.options.on_state = on_state;
        bench.options.on_entry = on_entry;
        bench.options.on_message = on_message;
        bench.options.on_opened = on_opened;
        pthread_mutex_init(&bench.lock, NULL);
        pthread_cond_init(&bench.wake, NULL);
        if (is_idle)
                return idle(&bench);
        if (!bench.part || strcmp(bench.part, "idle") == 0)
                bench_idle(&bench);
        if (!bench.part || strcmp(bench.part, "send") == 0)
                bench_send(&bench);
        if (!bench.part || strcmp(bench.part, "open") == 0)
                bench_open(&bench);
        return bench.has_missed;
}
