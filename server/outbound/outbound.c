/* SPDX-License-Identifier: Apache-2.0 */
/* The outbound thread. An attempt lives from the moment its row was read until the store shows what came of it; a row
 * with an attempt is not read again. All state is the thread's own, but for the kick and the figures. */
#include "outbound/outbound.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "ops/clock.h"
#include "ops/log.h"
#include "ops/random.h"
#include "outbound/post.h"
#include "protocol/webhook.h"
#include "protocol/writer.h"

enum {
        AT_ONCE = 4,       /* requests of one webhook */
        AT_ONCE_ALL = 128, /* of all together */
        UNSETTLED = 64,    /* of one webhook, under way or not yet seen in the store */
        READ_ROWS = UNSETTLED + AT_ONCE,
        OVERTAKEN_AFTER = 3, /* failures after which later events of a conversation no longer wait */
        TRIES_MAX = 32,
        SCAN_AT_LEAST_MS = 30000,
        TICK_MS = 250, /* while something is under way */
        SAY_AGAIN_MS = 5000,
        RETRY_SCAN_MS = 1000,
};

struct endpoint {
        int64_t id, paused_until_ms;
        char *url;
        uint8_t secret[WEBHOOK_SECRET_MAX], old_secret[WEBHOOK_SECRET_MAX];
        size_t secret_len, old_len; /* old_len 0 = none that is still good */
};

struct attempt {
        struct attempt *next;
        struct post *post; /* NULL: it has ended */
        struct outbound_result result;
        bool is_done;
        uint64_t said_ms; /* monotonic; 0 = not told to the desk */
};

struct outbound {
        struct outbound_options options;
        struct egress *egress;
        struct db *db;
        CURLM *multi;
        struct attempt *attempts;
        int64_t gaps_ms[TRIES_MAX];
        size_t gap_count;
        uint64_t scan_due_ms;
        pthread_t thread;
        bool is_running;
        atomic_bool is_stopping, is_kicked;
        struct log log;
        _Atomic uint64_t tries, delivered, failed, dead;
};

/* ---- endpoints ---- */

static size_t keep_secret(uint8_t *out, struct span secret)
{
        if (!secret.at || secret.len > WEBHOOK_SECRET_MAX)
                return 0;
        memcpy(out, secret.at, secret.len);
        return secret.len;
}

static void free_endpoints(struct endpoint *endpoints, size_t count)
{
        for (size_t i = 0; i < count; i++)
                free(endpoints[i].url);
        free(endpoints);
}

static bool read_endpoint(struct db_stmt *stmt, int64_t now_ms, struct endpoint *out)
{
        struct span url = db_text(stmt, 2);
        *out = (struct endpoint){.id = db_int(stmt, 0), .paused_until_ms = db_int(stmt, 6)};
        out->secret_len = keep_secret(out->secret, db_blob(stmt, 3));
        if (db_int(stmt, 5) > now_ms)
                out->old_len = keep_secret(out->old_secret, db_blob(stmt, 4));
        out->url = url.at ? strndup(url.at, url.len) : NULL;
        return out->url != NULL;
}

/* DB_OK or a db_error; the list is the caller's. */
static int read_endpoints(struct outbound *outbound, int64_t now_ms, struct endpoint **out_list, size_t *out_count)
{
        struct endpoint *list = NULL;
        size_t count = 0;
        struct db_stmt *stmt = db_stmt(outbound->db, SQL_WEBHOOKS_ACTIVE);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct endpoint *longer = realloc(list, (count + 1) * sizeof *list);
                if (longer)
                        list = longer;
                if (!longer || !read_endpoint(stmt, now_ms, &list[count])) {
                        db_reset(stmt);
                        free_endpoints(list, count);
                        return DB_NOMEM;
                }
                count++;
        }
        if (rc < 0) {
                free_endpoints(list, count);
                return rc;
        }
        *out_list = list;
        *out_count = count;
        return DB_OK;
}

/* ---- results ---- */

static int64_t next_due_ms(const struct outbound *outbound, int64_t tries)
{
        int64_t gap_ms = outbound->gaps_ms[tries - 1];
        int64_t spread = gap_ms / 10; /* so that what failed together does not come back together */
        int64_t moved_ms = spread > 0 ? (int64_t)(random_u64() % (uint64_t)(2 * spread + 1)) - spread : 0;
        return clock_wall_ms() + gap_ms + moved_ms;
}

static void conclude(struct outbound *outbound, struct attempt *attempt, const struct post_verdict *verdict)
{
        struct outbound_result *result = &attempt->result;
        result->status = verdict->status;
        memcpy(result->answer, verdict->answer, sizeof result->answer);
        bool is_last = (size_t)result->tries > outbound->gap_count;
        result->state = verdict->is_good ? OUTBOUND_DELIVERED : is_last ? OUTBOUND_DEAD : OUTBOUND_WAITING;
        result->due_ms = result->state == OUTBOUND_WAITING ? next_due_ms(outbound, result->tries) : 0;
        attempt->post = post_free(attempt->post);
        attempt->is_done = true;
        atomic_fetch_add_explicit(verdict->is_good ? &outbound->delivered : &outbound->failed, 1, memory_order_relaxed);
        if (result->state == OUTBOUND_DEAD)
                atomic_fetch_add_explicit(&outbound->dead, 1, memory_order_relaxed);
        outbound->scan_due_ms = 0; /* there is room for another one */
}

static void reap(struct outbound *outbound)
{
        struct post_verdict verdict;
        CURLMsg *message;
        int left;
        while ((message = curl_multi_info_read(outbound->multi, &left)) != NULL) {
                if (message->msg != CURLMSG_DONE)
                        continue;
                struct attempt *attempt = post_data(message->easy_handle);
                post_judge(attempt->post, message->data.result, false, &verdict);
                conclude(outbound, attempt, &verdict);
        }
        uint64_t now_ms = clock_mono_ms();
        for (struct attempt *attempt = outbound->attempts; attempt; attempt = attempt->next) {
                if (!attempt->post || !post_is_overdue(attempt->post, now_ms))
                        continue;
                post_judge(attempt->post, CURLE_OPERATION_TIMEDOUT, true, &verdict);
                conclude(outbound, attempt, &verdict);
        }
}

/* Tells the desk what has ended since, and again what it did not write down (it may have had no space). */
static void report(struct outbound *outbound)
{
        struct outbound_result results[AT_ONCE_ALL];
        struct attempt *said[AT_ONCE_ALL];
        size_t count = 0;
        uint64_t now_ms = clock_mono_ms();
        for (struct attempt *attempt = outbound->attempts; attempt && count < AT_ONCE_ALL; attempt = attempt->next) {
                if (!attempt->is_done || (attempt->said_ms != 0 && now_ms - attempt->said_ms < SAY_AGAIN_MS))
                        continue;
                said[count] = attempt;
                results[count++] = attempt->result;
        }
        if (count == 0 || desk_post_outbound(outbound->options.desk, results, count) < 0)
                return;
        for (size_t i = 0; i < count; i++)
                said[i]->said_ms = now_ms;
}

/* ---- what is due ---- */

static struct attempt *attempt_of(const struct outbound *outbound, int64_t id)
{
        struct attempt *attempt = outbound->attempts;
        while (attempt && attempt->result.id != id)
                attempt = attempt->next;
        return attempt;
}

static size_t count_attempts(const struct outbound *outbound, int64_t target, bool only_under_way)
{
        size_t count = 0;
        for (const struct attempt *attempt = outbound->attempts; attempt; attempt = attempt->next)
                count += (target == 0 || attempt->result.target == target) && (attempt->post || !only_under_way);
        return count;
}

/* Attempts whose outcome the store shows are forgotten. */
static int forget_settled(struct outbound *outbound)
{
        struct attempt **link = &outbound->attempts;
        while (*link) {
                struct attempt *attempt = *link;
                bool is_settled = false;
                if (attempt->is_done) {
                        struct db_stmt *stmt = db_stmt(outbound->db, SQL_OUTBOUND_STATE);
                        db_bind_int(stmt, 1, attempt->result.id);
                        int rc = db_step(stmt);
                        if (rc < 0)
                                return rc;
                        is_settled = rc == DB_OK || db_int(stmt, 0) != OUTBOUND_WAITING ||
                                     db_int(stmt, 1) != attempt->result.tries - 1;
                        if (rc == DB_ROW)
                                db_reset(stmt);
                }
                if (!is_settled) {
                        link = &attempt->next;
                        continue;
                }
                *link = attempt->next;
                free(attempt);
        }
        return DB_OK;
}

static void sign(const struct endpoint *endpoint, struct span id, int64_t now_s, struct span body,
                 char out[2 * WEBHOOK_SIGNATURE_BYTES + 2])
{
        size_t len = 0;
        if (webhook_sign(endpoint->secret, endpoint->secret_len, id, now_s, body, out) == 0)
                len = WEBHOOK_SIGNATURE_BYTES;
        if (endpoint->old_len > 0) {
                out[len] = ' ';
                if (webhook_sign(endpoint->old_secret, endpoint->old_len, id, now_s, body, out + len + 1) == 0)
                        len += WEBHOOK_SIGNATURE_BYTES + 1;
        }
        out[len] = '\0';
}

static void write_erased(struct writer *writer, uint64_t event, struct span type)
{
        writer_raw(writer, SPAN("{\"type\":"));
        writer_string(writer, type);
        writer_raw(writer, SPAN(",\"id\":"));
        writer_id(writer, "evt", event);
        writer_raw(writer, SPAN(",\"erased\":true}"));
}

static void post_row(struct outbound *outbound, const struct endpoint *endpoint, struct attempt *attempt,
                     uint64_t event, struct span body)
{
        char id[ID_TEXT_BYTES], timestamp[24], signatures[2 * WEBHOOK_SIGNATURE_BYTES + 2];
        int64_t now_s = clock_wall_ms() / 1000;
        struct egress_url url;
        const char *wrong = NULL;
        id_write(id, "evt", event);
        int digits = snprintf(timestamp, sizeof timestamp, "%lld", (long long)now_s);
        sign(endpoint, (struct span){id, sizeof id}, now_s, body, signatures);
        const char *ca_path = outbound->options.ca_path;
        struct post_request request = {.url = endpoint->url,
                                       .egress = outbound->egress,
                                       .ca_path = ca_path && *ca_path ? ca_path : NULL,
                                       .id = {id, sizeof id},
                                       .timestamp = {timestamp, (size_t)digits},
                                       .signatures = span_of(signatures),
                                       .body = body};
        if (outbound->options.resolve && !egress_url_read(outbound->egress, span_of(endpoint->url), &url))
                request.resolved = outbound->options.resolve(outbound->options.resolve_data, url.host);
        attempt->post = post_new(outbound->multi, &request, attempt, &wrong);
        atomic_fetch_add_explicit(&outbound->tries, 1, memory_order_relaxed);
        if (attempt->post)
                return;
        struct post_verdict verdict = {0};
        snprintf(verdict.answer, sizeof verdict.answer, "not tried: %s%s", wrong ? "expected " : "out of memory",
                 wrong ? wrong : "");
        conclude(outbound, attempt, &verdict);
}

static void start_row(struct outbound *outbound, const struct endpoint *endpoint, struct db_stmt *stmt)
{
        struct attempt *attempt = calloc(1, sizeof *attempt);
        if (!attempt)
                return; /* still due */
        struct writer erased;
        char first[256];
        uint64_t event = (uint64_t)db_int(stmt, 1);
        struct span body = db_text(stmt, 3);
        writer_init(&erased, first, sizeof first);
        if (!body.at) {
                write_erased(&erased, event, db_text(stmt, 2));
                body = (struct span){erased.bytes, erased.len};
        }
        attempt->result =
                (struct outbound_result){.id = db_int(stmt, 0), .target = endpoint->id, .tries = db_int(stmt, 4) + 1};
        attempt->next = outbound->attempts;
        outbound->attempts = attempt;
        post_row(outbound, endpoint, attempt, event, body);
        writer_done(&erased);
}

static int start_due(struct outbound *outbound, const struct endpoint *endpoint, int64_t now_ms)
{
        size_t under_way = count_attempts(outbound, endpoint->id, true);
        size_t unsettled = count_attempts(outbound, endpoint->id, false);
        size_t all = count_attempts(outbound, 0, true);
        if (under_way >= AT_ONCE || unsettled >= UNSETTLED || all >= AT_ONCE_ALL)
                return DB_OK; /* when one ends there is another look */
        struct db_stmt *stmt = db_stmt(outbound->db, SQL_OUTBOUND_READY);
        db_bind_int(stmt, 1, endpoint->id);
        db_bind_int(stmt, 2, now_ms);
        db_bind_int(stmt, 3, READ_ROWS);
        db_bind_int(stmt, 4, OVERTAKEN_AFTER);
        int rc = DB_OK;
        while (under_way < AT_ONCE && unsettled < UNSETTLED && all < AT_ONCE_ALL && (rc = db_step(stmt)) == DB_ROW) {
                if (attempt_of(outbound, db_int(stmt, 0)))
                        continue;
                start_row(outbound, endpoint, stmt);
                under_way++, unsettled++, all++;
        }
        if (rc == DB_ROW)
                db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

static void look_again_at(struct outbound *outbound, int64_t wall_ms, int64_t now_ms)
{
        int64_t wait_ms = wall_ms > now_ms ? wall_ms - now_ms : 0;
        uint64_t due_ms = clock_mono_ms() + (uint64_t)(wait_ms < SCAN_AT_LEAST_MS ? wait_ms : SCAN_AT_LEAST_MS);
        if (due_ms < outbound->scan_due_ms)
                outbound->scan_due_ms = due_ms;
}

static int serve_endpoint(struct outbound *outbound, const struct endpoint *endpoint, int64_t now_ms)
{
        if (endpoint->paused_until_ms > now_ms) {
                look_again_at(outbound, endpoint->paused_until_ms, now_ms);
                return DB_OK;
        }
        int rc = start_due(outbound, endpoint, now_ms);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(outbound->db, SQL_OUTBOUND_NEXT_DUE);
        db_bind_int(stmt, 1, endpoint->id);
        db_bind_int(stmt, 2, now_ms);
        rc = db_step(stmt);
        if (rc == DB_ROW) {
                if (!db_is_null(stmt, 0))
                        look_again_at(outbound, db_int(stmt, 0), now_ms);
                db_reset(stmt);
        }
        return rc < 0 ? rc : DB_OK;
}

static int scan(struct outbound *outbound)
{
        struct endpoint *endpoints = NULL;
        size_t count = 0;
        int64_t now_ms = clock_wall_ms();
        outbound->scan_due_ms = clock_mono_ms() + SCAN_AT_LEAST_MS;
        int rc = db_snapshot_begin(outbound->db);
        if (rc < 0)
                return rc;
        rc = forget_settled(outbound);
        if (rc == DB_OK)
                rc = read_endpoints(outbound, now_ms, &endpoints, &count);
        for (size_t i = 0; rc == DB_OK && i < count; i++)
                rc = serve_endpoint(outbound, &endpoints[i], now_ms);
        db_snapshot_end(outbound->db);
        free_endpoints(endpoints, count);
        return rc;
}

static void scan_if_due(struct outbound *outbound)
{
        bool is_kicked = atomic_exchange_explicit(&outbound->is_kicked, false, memory_order_acquire);
        if (!is_kicked && clock_mono_ms() < outbound->scan_due_ms)
                return;
        int rc = scan(outbound);
        if (rc >= 0)
                return;
        log_warn(&outbound->log, "what is due could not be read; again in a second", "code", rc);
        outbound->scan_due_ms = clock_mono_ms() + RETRY_SCAN_MS;
}

static int wait_ms(const struct outbound *outbound)
{
        uint64_t now_ms = clock_mono_ms();
        uint64_t left_ms = outbound->scan_due_ms > now_ms ? outbound->scan_due_ms - now_ms : 0;
        if (left_ms > TICK_MS && outbound->attempts)
                left_ms = TICK_MS;
        return (int)left_ms;
}

static void *outbound_main(void *data)
{
        struct outbound *outbound = data;
        while (!atomic_load_explicit(&outbound->is_stopping, memory_order_acquire)) {
                int running, ready;
                scan_if_due(outbound);
                curl_multi_perform(outbound->multi, &running);
                reap(outbound);
                report(outbound);
                curl_multi_poll(outbound->multi, NULL, 0, wait_ms(outbound), &ready);
        }
        return NULL;
}

/* ---- life ---- */

static void on_kick(void *data)
{
        struct outbound *outbound = data;
        if (!atomic_exchange_explicit(&outbound->is_kicked, true, memory_order_release))
                curl_multi_wakeup(outbound->multi);
}

static int set_gaps(struct outbound *outbound, const char *const *tries_s)
{
        static const char *const usual[] = {"5",     "60",    "300",   "1800",   "7200",
                                            "21600", "43200", "86400", "172800", NULL};
        int64_t before_s = 0;
        for (const char *const *text = tries_s && *tries_s ? tries_s : usual; *text; text++) {
                char *end = NULL;
                errno = 0;
                int64_t at_s = strtoll(*text, &end, 10);
                if (errno != 0 || *end || end == *text || at_s < before_s || at_s > 30 * 86400 ||
                    outbound->gap_count == TRIES_MAX)
                        return -EINVAL;
                outbound->gaps_ms[outbound->gap_count++] = (at_s - before_s) * 1000;
                before_s = at_s;
        }
        return 0;
}

static int failed(struct outbound *outbound, int rc, char **out_why, const char *what, const char *which)
{
        if (out_why && !*out_why && asprintf(out_why, "%s%s", what, which ? which : "") < 0)
                *out_why = NULL;
        outbound_stop(outbound);
        return rc;
}

int outbound_start(const struct outbound_options *options, struct outbound **out_outbound, char **out_why)
{
        const char *bad = NULL;
        char path[4096];
        *out_why = NULL;
        struct outbound *outbound = calloc(1, sizeof *outbound);
        if (!outbound)
                return -ENOMEM;
        outbound->options = *options;
        outbound->log.area = "outbound";
        if (set_gaps(outbound, options->tries_s) < 0)
                return failed(outbound, -EINVAL, out_why, "webhook_tries_s: expected rising numbers of seconds", NULL);
        if (egress_new(options->allow, &outbound->egress, &bad) < 0)
                return failed(outbound, -EINVAL, out_why, "webhook_allow: expected a host, address or network, not ",
                              bad);
        snprintf(path, sizeof path, "%s/deskbell.db", options->data_dir);
        if (db_open(&db_sqlite, path, DB_READER, &outbound->db, out_why) < 0)
                return failed(outbound, -EIO, out_why, path, NULL);
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(outbound->multi = curl_multi_init()))
                return failed(outbound, -ENOMEM, out_why, "libcurl cannot be started", NULL);
        atomic_init(&outbound->is_kicked, true);
        desk_on_outbound(options->desk, on_kick, outbound);
        if (pthread_create(&outbound->thread, NULL, outbound_main, outbound) != 0)
                return failed(outbound, -EAGAIN, out_why, "no thread", NULL);
        outbound->is_running = true;
        *out_outbound = outbound;
        return 0;
}

struct outbound *outbound_stop(struct outbound *outbound)
{
        if (!outbound)
                return NULL;
        if (outbound->is_running) {
                atomic_store_explicit(&outbound->is_stopping, true, memory_order_release);
                curl_multi_wakeup(outbound->multi);
                pthread_join(outbound->thread, NULL);
        }
        desk_on_outbound(outbound->options.desk, NULL, NULL);
        while (outbound->attempts) {
                struct attempt *next = outbound->attempts->next;
                post_free(outbound->attempts->post);
                free(outbound->attempts);
                outbound->attempts = next;
        }
        if (outbound->multi)
                curl_multi_cleanup(outbound->multi);
        db_close(outbound->db);
        egress_free(outbound->egress);
        free(outbound);
        return NULL;
}

void outbound_stats_read(const struct outbound *outbound, struct outbound_stats *out_stats)
{
        *out_stats = (struct outbound_stats){
                .tries = atomic_load_explicit(&outbound->tries, memory_order_relaxed),
                .delivered = atomic_load_explicit(&outbound->delivered, memory_order_relaxed),
                .failed = atomic_load_explicit(&outbound->failed, memory_order_relaxed),
                .dead = atomic_load_explicit(&outbound->dead, memory_order_relaxed),
        };
}
