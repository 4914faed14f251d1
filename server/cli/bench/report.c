/* SPDX-License-Identifier: Apache-2.0 */
/* Report. The JSON is made first and the lines are printed from it, so that both always say the same. */
#include "report.h"

#include <stdio.h>
#include <string.h>

static json_t *quantiles(const struct histogram *h)
{
        return json_pack("{s:f, s:f, s:f, s:f}", "p50_ms", (double)histogram_quantile(h, 0.5) / 1e6, "p99_ms",
                         (double)histogram_quantile(h, 0.99) / 1e6, "p999_ms",
                         (double)histogram_quantile(h, 0.999) / 1e6, "max_ms", (double)h->max_ns / 1e6);
}

static void add_cpu(json_t *to, uint64_t cpu_ns, uint64_t count, double elapsed_s)
{
        if (!cpu_ns || !count)
                return;
        json_object_set_new(to, "server_cpu_us", json_real((double)cpu_ns / 1e3 / (double)count));
        json_object_set_new(to, "per_server_cpu_s", json_real((double)count * 1e9 / (double)cpu_ns));
        json_object_set_new(to, "server_cpu_percent", json_real((double)cpu_ns / 1e7 / elapsed_s));
}

static double counted(const json_t *figures, const char *name)
{
        return json_number_value(json_object_get(json_object_get(figures, name), "count"));
}

/* Group commit, from the server's counters: how many messages shared a transaction, and what a COMMIT took. */
static void add_batches(json_t *to, const json_t *figures, double elapsed_s)
{
        double batches = counted(figures, "deskbell_batches_total"),
               messages = counted(figures, "deskbell_messages_total");
        double commit_us = counted(figures, "deskbell_commit_microseconds_total");
        if (batches > 0)
                json_object_set_new(to, "batches",
                                    json_pack("{s:f, s:f, s:f}", "per_s", batches / elapsed_s, "messages_each",
                                              messages / batches, "commit_ms", commit_us / batches / 1e3));
}

json_t *report_load(const struct load_result *r)
{
        json_t *to = json_object();
        json_object_set_new(to, "elapsed_s", json_real(r->elapsed_s));
        json_object_set_new(to, "messages_per_s", json_real((double)r->acks / r->elapsed_s));
        json_object_set_new(to, "deliveries_per_s", json_real((double)r->deliveries / r->elapsed_s));
        json_object_set_new(to, "ack", quantiles(&r->ack));
        json_object_set_new(to, "delivery", quantiles(&r->delivery));
        add_cpu(to, r->server_cpu_ns, r->acks, r->elapsed_s);
        json_object_set_new(to, "driver_cpu_percent", json_real((double)r->driver_cpu_ns / 1e7 / r->elapsed_s));
        if (r->figures) {
                add_batches(to, r->figures, r->elapsed_s);
                json_object_set(to, "figures", r->figures);
        }
        json_object_set_new(to, "account",
                            json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "complete",
                                      load_is_accounted(r), "sent", (json_int_t)r->sent, "acked", (json_int_t)r->acked,
                                      "delivered", (json_int_t)r->delivered, "retried", (json_int_t)r->retried,
                                      "acked_twice", (json_int_t)r->acked_twice, "delivered_twice",
                                      (json_int_t)r->delivered_twice, "disagreements", (json_int_t)r->disagreements,
                                      "misdelivered", (json_int_t)r->misdelivered, "out_of_order",
                                      (json_int_t)r->out_of_order, "most_due", (json_int_t)r->most_due));
        return to;
}

json_t *report_history(const struct history_result *r)
{
        json_t *to = json_object();
        json_object_set_new(to, "messages", json_integer((json_int_t)r->filled));
        if (r->fill_s > 0)
                json_object_set_new(to, "fill_per_s", json_real((double)r->filled / r->fill_s));
        json_object_set_new(to, "elapsed_s", json_real(r->elapsed_s));
        json_object_set_new(to, "requests_per_s", json_real((double)r->requests / r->elapsed_s));
        json_object_set_new(to, "bytes_per_request",
                            json_real(r->requests ? (double)r->bytes / (double)r->requests : 0));
        json_object_set_new(to, "short_pages", json_integer((json_int_t)r->short_pages));
        json_object_set_new(to, "latency", quantiles(&r->latency));
        add_cpu(to, r->server_cpu_ns, r->requests, r->elapsed_s);
        return to;
}

static void add_memory(json_t *to, const char *when, const struct proc_memory *m)
{
        json_object_set_new(to, when,
                            json_pack("{s:I, s:I, s:I}", "rss_kib", (json_int_t)m->rss_kib, "private_kib",
                                      (json_int_t)m->private_kib, "anonymous_kib", (json_int_t)m->anonymous_kib));
}

json_t *report_idle(const struct idle_result *r)
{
        json_t *to = json_object();
        double counted = (double)(r->conns - r->base_conns);
        json_object_set_new(to, "connections", json_integer(r->conns));
        json_object_set_new(to, "logins_per_s", json_real(counted / r->open_s));
        json_object_set_new(to, "held_s", json_real(r->held_s));
        json_object_set_new(to, "heartbeats", json_integer((json_int_t)r->heartbeats));
        if (!r->before.rss_kib)
                return to;
        add_memory(to, "before", &r->before);
        add_memory(to, "after", &r->after);
        add_memory(to, "held", &r->held);
        json_object_set_new(to, "login_cpu_us", json_real((double)r->open_cpu_ns / 1e3 / counted));
        json_object_set_new(to, "held_cpu_percent", json_real((double)r->held_cpu_ns / 1e7 / r->held_s));
        double rss = (double)r->held.rss_kib - (double)r->before.rss_kib;
        double private = (double)r->held.private_kib - (double)r->before.private_kib;
        double anonymous = (double)r->held.anonymous_kib - (double)r->before.anonymous_kib;
        json_object_set_new(to, "kib_per_connection",
                            json_pack("{s:f, s:f, s:f}", "rss", rss / counted, "private", private / counted,
                                      "anonymous", anonymous / counted));
        return to;
}

json_t *report_disk(const struct histogram *sync)
{
        json_t *to = quantiles(sync);
        json_object_set_new(to, "syncs", json_integer((json_int_t)sync->count));
        return to;
}

static double real(const json_t *from, const char *name)
{
        return json_number_value(json_object_get(from, name));
}

static long long whole(const json_t *from, const char *name)
{
        return (long long)json_integer_value(json_object_get(from, name));
}

static void print_quantiles(const char *what, const json_t *q)
{
        printf("              %-10s p50 %.2f  p99 %.2f  p99.9 %.2f  most %.2f ms\n", what, real(q, "p50_ms"),
               real(q, "p99_ms"), real(q, "p999_ms"), real(q, "max_ms"));
}

static void print_cpu(const json_t *from, const char *one)
{
        if (json_object_get(from, "server_cpu_us"))
                printf("              CPU        %.2f us a %s, %.0f a CPU-second, %.0f %% of a core\n",
                       real(from, "server_cpu_us"), one, real(from, "per_server_cpu_s"),
                       real(from, "server_cpu_percent"));
}

/* The account in words: all is well, or every figure that is not. */
static void print_account(const json_t *account)
{
        static const char *const wrong[] = {"acked_twice", "delivered_twice", "disagreements", "misdelivered"};
        static const char *const notable[] = {"retried", "out_of_order"};
        long long sent = whole(account, "sent");
        if (json_is_true(json_object_get(account, "complete"))) {
                printf("              account    sent %lld = acknowledged %lld, delivered %lld", sent,
                       whole(account, "acked"), whole(account, "delivered"));
        } else {
                printf("              account    WRONG: sent %lld, acknowledged %lld, delivered %lld", sent,
                       whole(account, "acked"), whole(account, "delivered"));
                for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
                        if (whole(account, wrong[i]))
                                printf(", %s %lld", wrong[i], whole(account, wrong[i]));
        }
        for (size_t i = 0; i < sizeof(notable) / sizeof(*notable); i++)
                if (whole(account, notable[i]))
                        printf(", %s %lld", notable[i], whole(account, notable[i]));
        putchar('\n');
}

/* The server's own histograms of the window; counters stay in the JSON. */
static void print_figures(json_t *figures)
{
        const char *name;
        json_t *figure;
        json_object_foreach(figures, name, figure) {
                if (json_object_get(figure, "mean"))
                        printf("              says       %s: %lld, mean %.6g\n", name, whole(figure, "count"),
                               real(figure, "mean"));
        }
}

void report_print_load(const char *who, const json_t *load)
{
        printf("  %-10s  %.0f messages/s, %.0f deliveries/s\n", who, real(load, "messages_per_s"),
               real(load, "deliveries_per_s"));
        print_quantiles("ack", json_object_get(load, "ack"));
        print_quantiles("delivery", json_object_get(load, "delivery"));
        print_cpu(load, "message");
        printf("              driver     %.0f %% of a core\n", real(load, "driver_cpu_percent"));
        const json_t *batches = json_object_get(load, "batches");
        if (batches)
                printf("              batches    %.0f/s of %.1f messages, COMMIT %.2f ms each\n",
                       real(batches, "per_s"), real(batches, "messages_each"), real(batches, "commit_ms"));
        print_figures(json_object_get(load, "figures"));
        print_account(json_object_get(load, "account"));
}

void report_print_history(const char *who, const json_t *history)
{
        printf("  %-10s  %.0f requests/s for the last %d entries, %.0f bytes each\n", who,
               real(history, "requests_per_s"), HISTORY_PAGE, real(history, "bytes_per_request"));
        print_quantiles("answer", json_object_get(history, "latency"));
        print_cpu(history, "request");
        if (whole(history, "messages"))
                printf("              filled     %lld messages, %.0f/s\n", whole(history, "messages"),
                       real(history, "fill_per_s"));
        if (whole(history, "short_pages"))
                printf("              account    WRONG: %lld answers without %d entries\n",
                       whole(history, "short_pages"), HISTORY_PAGE);
}

void report_print_idle(const char *who, const json_t *idle)
{
        const json_t *each = json_object_get(idle, "kib_per_connection");
        printf("  %-10s  %lld connections, %.0f logins/s, held %.0f s, %lld heartbeats answered\n", who,
               whole(idle, "connections"), real(idle, "logins_per_s"), real(idle, "held_s"), whole(idle, "heartbeats"));
        if (!each)
                return;
        printf("              memory     %.2f KiB a connection (RSS), %.2f private, %.2f anonymous; %lld KiB in all\n",
               real(each, "rss"), real(each, "private"), real(each, "anonymous"),
               whole(json_object_get(idle, "held"), "rss_kib"));
        printf("              CPU        %.0f us a login, %.1f %% of a core while idle\n", real(idle, "login_cpu_us"),
               real(idle, "held_cpu_percent"));
}

void report_print_disk(const json_t *disk)
{
        printf("  %-10s  fdatasync of 200 bytes: p50 %.2f  p99 %.2f ms (%lld times)\n", "disk", real(disk, "p50_ms"),
               real(disk, "p99_ms"), whole(disk, "syncs"));
}
