/* SPDX-License-Identifier: Apache-2.0 */
/* Bench of the store's hot path, with every flush on: batches of appends, round-robin over conversations, one update of
 * the conversation row for each conversation in a batch, and the checkpoints of the writer.
 *
 *   bench_store [--dir DIR] [--messages N] [--bytes N] [--savepoints] [--pragma TEXT]
 *
 * Prints for each mix: processor time a message, messages a second, commit p50 and p99. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "store/conversations.h"
#include "store/db_private.h"
#include "store/entries.h"

struct options {
        const char *dir;
        const char *pragma; /* run once after opening; for trying settings */
        int messages, bytes;
        bool has_savepoints;
};

struct mix {
        int batch, conversations;
};

struct run {
        const struct options *options;
        struct mix mix;
        struct db *db;
        struct conversation_row *rows; /* by number, from 0 */
        int64_t rev, ts;
        uint64_t made; /* messages so far */
        uint64_t random;
        double *commit_ms;
        int commits;
        char *body;
};

static double seconds(clockid_t clock)
{
        struct timespec now;
        clock_gettime(clock, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void must(struct run *run, int rc, const char *what)
{
        if (rc == DB_OK)
                return;
        fprintf(stderr, "%s: %d %s\n", what, rc, db_message(run->db));
        exit(1);
}

static void fill(struct run *run)
{
        must(run, db_begin(run->db), "begin");
        must(run,
             db_exec(run->db, "INSERT INTO workspace (id, ext, created_ms) VALUES (1, 1, 0);"
                              "INSERT INTO app (id, workspace, ext, created_ms) VALUES (1, 1, 1, 0);"),
             "fill");
        struct db_stmt *who = db_prepare(run->db, "INSERT INTO principal (id, workspace, ext, role, created_ms) "
                                                  "VALUES ($1, 1, $1, 1, 0)");
        struct db_stmt *conv = db_prepare(run->db, "INSERT INTO conversation (id, workspace, ext, app, customer, key, "
                                                   "created_ms) VALUES ($1, 1, $1, 1, $1, 'main', 0)");
        for (int i = 1; i <= run->mix.conversations; i++) {
                db_bind_int(who, 1, i);
                must(run, db_run(who), "principal");
                db_bind_int(conv, 1, i);
                must(run, db_run(conv), "conversation");
        }
        must(run, db_commit(run->db), "commit");
}

static uint64_t next_random(struct run *run)
{
        run->random ^= run->random << 13;
        run->random ^= run->random >> 7;
        run->random ^= run->random << 17;
        return run->random;
}

static void append(struct run *run, int64_t conv)
{
        struct conversation_row *row = &run->rows[conv - 1];
        uint64_t random = next_random(run);
        struct entry_row entry = {
                .conv = conv,
                .log = LOG_PUBLIC,
                .seq = ++row->head,
                .ts = run->ts,
                .author = conv,
                .kind = 1,
                .version = 1,
                .has_cmid = true,
                .has_hash = true,
                .body = {run->body, (size_t)run->options->bytes},
        };
        uint8_t tail[10];
        memcpy(tail, &random, 8);
        memcpy(tail + 8, &run->made, 2);
        entry.cmid = cmid_make((uint64_t)run->ts + (random & 1023), tail); /* clients' clocks differ */
        memcpy(entry.hash, &random, 8);
        memcpy(entry.hash + 8, &run->made, 8);
        must(run, entries_append(run->db, &entry), "append");
        row->last_ts = run->ts;
        row->last_seq = row->head;
        row->unanswered++;
}

/* Round-robin in a scattered order, so that neighbours in a batch are no neighbours in the file. */
static int64_t place(const struct run *run, int64_t turn)
{
        return turn * 7919 % run->mix.conversations + 1;
}

static void batch(struct run *run)
{
        int conversations = run->mix.conversations;
        must(run, db_begin(run->db), "begin");
        int64_t first = (int64_t)(run->made % (uint64_t)conversations);
        for (int i = 0; i < run->mix.batch; i++, run->made++) {
                if (run->options->has_savepoints)
                        must(run, db_savepoint(run->db), "savepoint");
                append(run, place(run, first + i));
                if (run->options->has_savepoints)
                        must(run, db_release(run->db), "release");
        }
        int touched = run->mix.batch < conversations ? run->mix.batch : conversations;
        for (int i = 0; i < touched; i++)
                must(run, conversations_save(run->db, &run->rows[place(run, first + i) - 1], ++run->rev, true), "save");
        double start = seconds(CLOCK_MONOTONIC);
        must(run, db_commit(run->db), "commit");
        run->commit_ms[run->commits++] = (seconds(CLOCK_MONOTONIC) - start) * 1000;
        run->ts += 10;
        must(run, db_checkpoint(run->db, false), "checkpoint");
}

static int by_value(const void *a, const void *b)
{
        double left = *(const double *)a, right = *(const double *)b;
        return (left > right) - (left < right);
}

static void report(struct run *run, double wall, double cpu)
{
        qsort(run->commit_ms, (size_t)run->commits, sizeof *run->commit_ms, by_value);
        printf("batch %4d, %5d conversations: %6.2f us CPU/msg, %7.0f msg/s, commit p50 %.2f ms p99 %.2f ms\n",
               run->mix.batch, run->mix.conversations, cpu * 1e6 / (double)run->made, (double)run->made / wall,
               run->commit_ms[run->commits / 2], run->commit_ms[run->commits * 99 / 100]);
        fflush(stdout);
}

static void measure(const struct options *options, struct mix mix)
{
        char path[512], *why = NULL;
        snprintf(path, sizeof path, "%s/bench-%d-%d.db", options->dir, mix.batch, mix.conversations);
        struct run run = {.options = options, .mix = mix, .ts = 1700000000000, .random = 88172645463325252u};
        run.rows = calloc((size_t)mix.conversations, sizeof *run.rows);
        for (int i = 0; i < mix.conversations; i++)
                run.rows[i] = (struct conversation_row){.id = i + 1, .workspace = 1, .first = 1, .preview_len = 80};
        run.commit_ms = calloc((size_t)(options->messages / mix.batch + 2), sizeof *run.commit_ms);
        run.body = malloc((size_t)options->bytes + 80);
        memset(run.body, 'a', (size_t)options->bytes + 80);
        int rc = db_open(&db_sqlite, path, DB_WRITER, &run.db, &why);
        if (rc == DB_OK)
                rc = db_migrate(run.db, &why);
        if (rc != DB_OK) {
                fprintf(stderr, "%s\n", why ? why : "cannot open");
                exit(1);
        }
        if (options->pragma)
                must(&run, db_exec(run.db, options->pragma), "pragma");
        fill(&run);
        double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
        while (run.made < (uint64_t)options->messages)
                batch(&run);
        report(&run, seconds(CLOCK_MONOTONIC) - wall, seconds(CLOCK_THREAD_CPUTIME_ID) - cpu);
        db_close(run.db);
        unlink(path);
        free(run.rows);
        free(run.commit_ms);
        free(run.body);
}

static struct options read_options(int argc, char **argv)
{
        static const struct option known[] = {
                {"dir", required_argument, NULL, 'd'},    {"messages", required_argument, NULL, 'm'},
                {"bytes", required_argument, NULL, 'b'},  {"savepoints", no_argument, NULL, 's'},
                {"pragma", required_argument, NULL, 'p'}, {NULL, 0, NULL, 0}};
        struct options options = {.dir = ".", .messages = 200000, .bytes = 120};
        int option;
        while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
                if (option == 'd')
                        options.dir = optarg;
                else if (option == 'm')
                        options.messages = atoi(optarg);
                else if (option == 'b')
                        options.bytes = atoi(optarg);
                else if (option == 's')
                        options.has_savepoints = true;
                else if (option == 'p')
                        options.pragma = optarg;
                else
                        exit(64);
        }
        if (options.messages < 1000 || options.bytes < 1)
                exit(64);
        return options;
}

int main(int argc, char **argv)
{
        static const struct mix mixes[] = {{200, 100}, {1000, 100}, {200, 20000}, {1000, 20000}};
        struct options options = read_options(argc, argv);
        for (size_t i = 0; i < sizeof mixes / sizeof *mixes; i++)
                measure(&options, mixes[i]);
        return 0;
}
