/* SPDX-License-Identifier: Apache-2.0 */
/* Policies and ledgers in words. Times are UTC, to the second; durations are the two largest units. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/sla.h"

static long long number(const json_t *object, const char *member)
{
        return (long long)json_integer_value(json_object_get(object, member));
}

static const char *duration(long long ms, char out[48])
{
        long long s = ms / 1000;
        if (s >= 3600)
                snprintf(out, 48, "%lld h %02lld min", s / 3600, s / 60 % 60);
        else if (s >= 60)
                snprintf(out, 48, "%lld min %02lld s", s / 60, s % 60);
        else
                snprintf(out, 48, "%lld s", s);
        return out;
}

static const char *moment(long long ms, char out[32])
{
        time_t at = (time_t)(ms / 1000);
        struct tm tm;
        gmtime_r(&at, &tm);
        strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm);
        return out;
}

/* "first_response" as "first response". */
static const char *words(const char *name, char out[48])
{
        snprintf(out, 48, "%s", name);
        for (char *at = out; (at = strchr(at, '_')) != NULL;)
                *at = ' ';
        return out;
}

static void print_target(const json_t *target)
{
        char metric[48], time[48];
        const char *priority = cli_text(target, "priority");
        long long days = number(target, "working_days");
        printf("  %-14s  %-7s  ", words(cli_text(target, "metric"), metric), *priority ? priority : "all");
        if (days > 0)
                printf("%lld working day%s\n", days, days == 1 ? "" : "s");
        else
                printf("%s\n", duration(number(target, "seconds") * 1000, time));
}

void sla_print_policy(const json_t *row)
{
        const json_t *targets = json_object_get(row, "targets"), *pauses = json_object_get(row, "pauses");
        const char *schedule = cli_text(row, "schedule"), *when = cli_text(row, "when");
        printf("%s  %s\n  for %s; %s%s; warns at %lld %%; stands still in", cli_text(row, "policy"),
               cli_text(row, "name"), *when ? when : "all tickets", *schedule ? "hours of " : "all the time counts",
               schedule, number(row, "warn_percent"));
        for (size_t i = 0; i < json_array_size(pauses); i++)
                printf("%s %s", i ? "," : "", json_string_value(json_array_get(pauses, i)));
        printf("%s\n", json_array_size(pauses) ? "" : " no status");
        for (size_t i = 0; i < json_array_size(targets); i++)
                print_target(json_array_get(targets, i));
}

static void print_meter(const json_t *meter)
{
        char metric[48], counted[48], target[48], at[32];
        printf("%-16s  %-7s  counted %s", words(cli_text(meter, "metric"), metric), cli_text(meter, "state"),
               duration(number(meter, "counted"), counted));
        if (json_object_get(meter, "target"))
                printf(" of %s", duration(number(meter, "target"), target));
        if (json_object_get(meter, "due"))
                printf(", due %s", moment(number(meter, "due"), at));
        printf("%s\n", json_is_true(json_object_get(meter, "missed")) ? ", MISSED" : "");
}

static void print_span(const json_t *span)
{
        char metric[48], counted[48], from[32], to[32];
        printf("%-16s  %s - %s  %-8s  counted %s", words(cli_text(span, "metric"), metric),
               moment(number(span, "from"), from), moment(number(span, "to"), to), cli_text(span, "status"),
               duration(number(span, "counted"), counted));
        if (number(span, "version"))
                printf("  (hours, version %lld)", number(span, "version"));
        if (number(span, "seq"))
                printf("  message %lld", number(span, "seq"));
        printf("\n");
}

static void print_miss(const json_t *miss)
{
        char metric[48], at[32];
        printf("missed: %s, due %s", words(cli_text(miss, "metric"), metric), moment(number(miss, "due"), at));
        if (number(miss, "seq"))
                printf(", message %lld", number(miss, "seq"));
        printf("\n");
}

void sla_print_explanation(const json_t *result)
{
        const json_t *meters = json_object_get(result, "meters"), *spans = json_object_get(result, "spans"),
                     *misses = json_object_get(result, "misses");
        const char *name = cli_text(result, "name");
        char state[48];
        printf("policy    %s\npriority  %s\nstate     %s\n\n", *name ? name : "none", cli_text(result, "priority"),
               words(cli_text(result, "state"), state));
        for (size_t i = 0; i < json_array_size(meters); i++)
                print_meter(json_array_get(meters, i));
        printf("\nledger (UTC)\n");
        for (size_t i = 0; i < json_array_size(spans); i++)
                print_span(json_array_get(spans, i));
        for (size_t i = 0; i < json_array_size(misses); i++)
                print_miss(json_array_get(misses, i));
        printf("\n%s\n", json_is_true(json_object_get(result, "agrees"))
                                 ? "The clock that is kept is what these events make."
                                 : "THE CLOCK THAT IS KEPT IS NOT WHAT THESE EVENTS MAKE.");
}
