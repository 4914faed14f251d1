/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that asks bots. A job lives from bot_poster_ask until its function has run; all state but the mailbox and
 * the figures is the thread's own. */
#include "outbound/bot_post.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "ops/clock.h"
#include "ops/log.h"
#include "ops/mailbox.h"
#include "outbound/breaker.h"
#include "outbound/post.h"
#include "protocol/webhook.h"

enum {
        AT_ONCE = 32,      /* requests of one bot */
        AT_ONCE_ALL = 256, /* of all together */
        WAITING_MAX = 10000,
        WAITING_BYTES = 64 * 1024 * 1024,
        ID_MAX = 64,
        TICK_MS = 250, /* while some wait for their turn */
};

/* A bot that was asked. */
struct asked {
        struct asked *next;
        int64_t bot;
        uint64_t url_hash; /* another URL: another chance */
        struct breaker breaker;
        unsigned under_way;
};

struct job {
        struct mailbox_item item; /* first; then the link of its list */
        int64_t bot;
        char *url, *body;
        size_t body_len;
        uint8_t secret[WEBHOOK_SECRET_MAX];
        size_t secret_len;
        char id[ID_MAX + 1];
        uint64_t due_ms; /* monotonic: its time is over */
        bot_posted_fn fn;
        void *data;
        struct asked *asked; /* under way: of whom */
        struct post *post;
};

struct bot_poster {
        struct bot_poster_options options;
        struct egress *egress;
        CURLM *multi;
        struct mailbox in;
        struct job *waiting, **last_waiting, *under_way;
        size_t count; /* under way */
        struct asked *bots;
        struct log log;
        pthread_t thread;
        bool is_running;
        atomic_bool is_stopping;
};

static struct job *job_of(struct mailbox_item *item)
{
        return (struct job *)item;
}

static struct job *next_of(const struct job *job)
{
        return (struct job *)job->item.next;
}

static void job_free(struct job *job)
{
        if (!job)
                return;
        post_free(job->post);
        free(job->url);
        free(job->body);
        free(job);
}

static void count(_Atomic uint64_t *figure)
{
        if (figure)
                atomic_fetch_add_explicit(figure, 1, memory_order_relaxed);
}

/* ---- who was asked ---- */

static uint64_t hash_of(const char *text)
{
        uint64_t hash = 0xcbf29ce484222325u;
        for (; *text; text++)
                hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
        return hash;
}

static void set_circuit(struct bot_poster *poster, struct asked *asked, bool was_open)
{
        if (asked->breaker.is_open == was_open)
                return;
        if (poster->options.circuits)
                atomic_fetch_add_explicit(poster->options.circuits, was_open ? -1 : 1, memory_order_relaxed);
        if (was_open)
                log_info(&poster->log, "a bot answers again", "bot", asked->bot);
        else
                log_warn(&poster->log, "a bot has failed 3 times in a row and is not asked for a minute", "bot",
                         asked->bot);
}

static struct asked *asked_of(struct bot_poster *poster, const struct job *job)
{
        struct asked *asked = poster->bots;
        while (asked && asked->bot != job->bot)
                asked = asked->next;
        if (!asked && (asked = calloc(1, sizeof *asked)) != NULL) {
                asked->bot = job->bot;
                asked->next = poster->bots;
                poster->bots = asked;
        }
        uint64_t hash = hash_of(job->url);
        if (asked && asked->url_hash != hash) {
                bool was_open = asked->breaker.is_open;
                asked->url_hash = hash;
                asked->breaker = (struct breaker){0};
                set_circuit(poster, asked, was_open);
        }
        return asked;
}

/* ---- the end of a job ---- */

/* Takes the job, which is in no list any more. */
static bool end(struct job *job, const struct bot_posted *posted)
{
        bool is_good = job->fn(job->data, posted);
        job_free(job);
        return is_good && !posted->why;
}

static void fail(struct bot_poster *poster, struct job *job, const char *why)
{
        count(poster->options.failed);
        end(job, &(struct bot_posted){.why = why});
}

static void conclude(struct bot_poster *poster, struct job *job, CURLcode code)
{
        struct job **link = &poster->under_way;
        struct asked *asked = job->asked;
        struct bot_posted posted = {.why = "no_answer"};
        struct post_verdict verdict;
        while (*link != job)
                link = (struct job **)&(*link)->item.next;
        *link = next_of(job);
        poster->count--;
        asked->under_way--;
        post_judge(job->post, code, false, &verdict);
        posted.status = verdict.status;
        if (post_answer(job->post, code, &posted.answer))
                posted.why = NULL;
        else
                log_warn(&poster->log, "a bot did not answer", "bot", asked->bot, "why",
                         verdict.status ? "the answer did not come whole" : verdict.answer);
        bool was_open = asked->breaker.is_open, is_good = end(job, &posted);
        if (!is_good)
                count(poster->options.failed);
        breaker_said(&asked->breaker, is_good, clock_mono_ms());
        set_circuit(poster, asked, was_open);
}

static void reap(struct bot_poster *poster)
{
        CURLMsg *message;
        int left;
        while ((message = curl_multi_info_read(poster->multi, &left)) != NULL)
                if (message->msg == CURLMSG_DONE)
                        conclude(poster, post_data(message->easy_handle), message->data.result);
}

/* ---- its beginning ---- */

static struct post *post_job(struct bot_poster *poster, struct job *job, uint64_t now_ms)
{
        char timestamp[24], signature[WEBHOOK_SIGNATURE_BYTES];
        int64_t now_s = clock_wall_ms() / 1000;
        const char *ca_path = poster->options.ca_path, *wrong = NULL;
        struct span id = span_of(job->id), body = {job->body, job->body_len};
        int digits = snprintf(timestamp, sizeof timestamp, "%lld", (long long)now_s);
        if (webhook_sign(job->secret, job->secret_len, id, now_s, body, signature) < 0)
                return NULL;
        struct post_request request = {.url = job->url,
                                       .egress = poster->egress,
                                       .ca_path = ca_path && *ca_path ? ca_path : NULL,
                                       .id = id,
                                       .timestamp = {timestamp, (size_t)digits},
                                       .signatures = {signature, sizeof signature},
                                       .body = body,
                                       .total_ms = (uint32_t)(job->due_ms - now_ms),
                                       .keeps_answer = true};
        struct post *post = post_new(poster->multi, &request, job, &wrong);
        if (!post)
                log_warn(&poster->log, "a bot cannot be asked", "bot", job->bot, "expected", wrong ? wrong : "memory");
        return post;
}

/* Takes the job. */
static void begin(struct bot_poster *poster, struct job *job, struct asked *asked, uint64_t now_ms)
{
        if (job->due_ms <= now_ms) {
                fail(poster, job, "busy");
                return;
        }
        if (!breaker_lets(&asked->breaker, now_ms)) {
                fail(poster, job, "circuit");
                return;
        }
        job->post = post_job(poster, job, now_ms);
        if (!job->post) {
                breaker_unasked(&asked->breaker);
                fail(poster, job, "not_asked");
                return;
        }
        count(poster->options.asked);
        job->asked = asked;
        job->item.next = (struct mailbox_item *)poster->under_way;
        poster->under_way = job;
        poster->count++;
        asked->under_way++;
}

static void begin_waiting(struct bot_poster *poster)
{
        struct job **link = &poster->waiting;
        uint64_t now_ms = clock_mono_ms();
        while (*link) {
                struct job *job = *link;
                struct asked *asked = asked_of(poster, job);
                bool has_room = asked && poster->count < AT_ONCE_ALL && asked->under_way < AT_ONCE;
                if (asked && !has_room && job->due_ms > now_ms) {
                        link = (struct job **)&job->item.next;
                        continue;
                }
                *link = next_of(job);
                job->item.next = NULL;
                if (asked)
                        begin(poster, job, asked, now_ms);
                else
                        fail(poster, job, "memory");
        }
        poster->last_waiting = link;
}

static void take_new(struct bot_poster *poster)
{
        struct mailbox_item *item = mailbox_take(&poster->in);
        while (item) {
                struct job *job = job_of(item);
                item = item->next;
                job->item.next = NULL;
                *poster->last_waiting = job;
                poster->last_waiting = (struct job **)&job->item.next;
        }
}

static void *poster_main(void *data)
{
        struct bot_poster *poster = data;
        while (!atomic_load_explicit(&poster->is_stopping, memory_order_acquire)) {
                int running, ready;
                take_new(poster);
                begin_waiting(poster);
                curl_multi_perform(poster->multi, &running);
                reap(poster);
                begin_waiting(poster); /* there may be room for others */
                curl_multi_poll(poster->multi, NULL, 0, poster->waiting ? TICK_MS : 60000, &ready);
        }
        return NULL;
}

/* ---- for others ---- */

static bool copy_request(struct job *job, const struct bot_post_request *request)
{
        if (request->secret.len > sizeof job->secret || request->id.len > ID_MAX)
                return false;
        job->bot = request->bot;
        job->due_ms = clock_mono_ms() + request->timeout_ms;
        job->secret_len = request->secret.len;
        if (request->secret.len > 0)
                memcpy(job->secret, request->secret.at, request->secret.len);
        memcpy(job->id, request->id.at, request->id.len);
        job->url = strdup(request->url);
        job->body = malloc(request->body.len + 1);
        job->body_len = request->body.len;
        if (job->body)
                memcpy(job->body, request->body.at, request->body.len);
        return job->url && job->body;
}

int bot_poster_ask(struct bot_poster *poster, const struct bot_post_request *request, bot_posted_fn fn, void *data)
{
        struct job *job = calloc(1, sizeof *job);
        if (!job)
                return -1;
        job->fn = fn;
        job->data = data;
        if (copy_request(job, request) && mailbox_push(&poster->in, &job->item, sizeof *job + job->body_len) == 0)
                return 0;
        job_free(job);
        return -1;
}

static void wake(void *data)
{
        struct bot_poster *poster = data;
        curl_multi_wakeup(poster->multi);
}

int bot_poster_start(const struct bot_poster_options *options, struct bot_poster **out_poster)
{
        struct bot_poster *poster = calloc(1, sizeof *poster);
        if (!poster)
                return -ENOMEM;
        poster->options = *options;
        poster->log.area = "bots";
        poster->last_waiting = &poster->waiting;
        mailbox_init(&poster->in, WAITING_MAX, WAITING_BYTES, wake, poster);
        int rc = egress_new(options->allow, &poster->egress, NULL);
        if (rc == 0 && (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(poster->multi = curl_multi_init())))
                rc = -ENOMEM;
        if (rc == 0)
                rc = -pthread_create(&poster->thread, NULL, poster_main, poster);
        poster->is_running = rc == 0;
        if (rc < 0)
                bot_poster_stop(poster);
        else
                *out_poster = poster;
        return rc;
}

static void stop_list(struct job *job)
{
        while (job) {
                struct job *next = next_of(job);
                end(job, &(struct bot_posted){.why = "stopped", .is_stopped = true});
                job = next;
        }
}

struct bot_poster *bot_poster_stop(struct bot_poster *poster)
{
        if (!poster)
                return NULL;
        mailbox_close(&poster->in);
        if (poster->is_running) {
                atomic_store_explicit(&poster->is_stopping, true, memory_order_release);
                curl_multi_wakeup(poster->multi);
                pthread_join(poster->thread, NULL);
        }
        stop_list(poster->under_way);
        stop_list(poster->waiting);
        stop_list(job_of(mailbox_take(&poster->in)));
        while (poster->bots) {
                struct asked *next = poster->bots->next;
                free(poster->bots);
                poster->bots = next;
        }
        if (poster->multi)
                curl_multi_cleanup(poster->multi);
        egress_free(poster->egress);
        mailbox_done(&poster->in);
        free(poster);
        return NULL;
}
