/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ops/cmocka_all.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ops/metrics.h"

static char *printed(void)
{
        char *text = NULL;
        size_t len = 0;
        FILE *out = open_memstream(&text, &len);

        metrics_print(out);
        fclose(out);
        return text;
}

static void a_histogram_counts_cumulatively_and_in_seconds(void **state)
{
        struct metric commit = METRIC_SECONDS("deskbell_commit_seconds", "time of a commit");
        (void)state;

        metric_register(&commit);
        metric_observe(&commit, 100000);      /* 100 us: in the first bucket */
        metric_observe(&commit, 100001);      /* in the second */
        metric_observe(&commit, 20000000000); /* beyond all */
        char *text = printed();
        metric_forget(&commit);
        assert_non_null(strstr(text, "# TYPE deskbell_commit_seconds histogram\n"));
        assert_non_null(strstr(text, "deskbell_commit_seconds_bucket{le=\"0.0001\"} 1\n"));
        assert_non_null(strstr(text, "deskbell_commit_seconds_bucket{le=\"0.00025\"} 2\n"));
        assert_non_null(strstr(text, "deskbell_commit_seconds_bucket{le=\"10\"} 2\n"));
        assert_non_null(strstr(text, "deskbell_commit_seconds_bucket{le=\"+Inf\"} 3\n"));
        assert_non_null(strstr(text, "deskbell_commit_seconds_sum 20.0002\n"));
        assert_non_null(strstr(text, "deskbell_commit_seconds_count 3\n"));
        free(text);
}

static int64_t seven(void *data)
{
        return *(int *)data + 6;
}

static void labels_share_one_heading_and_a_reader_is_asked(void **state)
{
        int one = 1;
        struct metric full = METRIC_COUNTER("deskbell_refused_total", "requests refused");
        struct metric busy = METRIC_COUNTER("deskbell_refused_total", "requests refused");
        struct metric live = METRIC_GAUGE("deskbell_connections", "live connections");
        (void)state;

        full.labels = "why=\"full\"";
        busy.labels = "why=\"busy\"";
        live.read = seven;
        live.data = &one;
        metric_register(&full);
        metric_register(&busy);
        metric_register(&busy);
        metric_register(&live);
        metric_add(&busy, 2);
        char *text = printed();
        metric_forget(&full);
        metric_forget(&busy);
        metric_forget(&live);
        assert_string_equal(text, "# HELP deskbell_refused_total requests refused\n"
                                  "# TYPE deskbell_refused_total counter\n"
                                  "deskbell_refused_total{why=\"full\"} 0\n"
                                  "deskbell_refused_total{why=\"busy\"} 2\n"
                                  "# HELP deskbell_connections live connections\n"
                                  "# TYPE deskbell_connections gauge\n"
                                  "deskbell_connections 7\n");
        free(text);
        text = printed();
        assert_string_equal(text, "");
        free(text);
}

static void *count_up(void *data)
{
        for (int i = 0; i < 10000; i++)
                metric_add(data, 1);
        return NULL;
}

static void counting_from_many_threads_loses_nothing(void **state)
{
        struct metric counter = METRIC_COUNTER("deskbell_x_total", "x");
        pthread_t threads[4];
        (void)state;

        for (int i = 0; i < 4; i++)
                pthread_create(&threads[i], NULL, count_up, &counter);
        for (int i = 0; i < 4; i++)
                pthread_join(threads[i], NULL);
        assert_int_equal(metric_get(&counter), 40000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_histogram_counts_cumulatively_and_in_seconds),
                cmocka_unit_test(labels_share_one_heading_and_a_reader_is_asked),
                cmocka_unit_test(counting_from_many_threads_loses_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
