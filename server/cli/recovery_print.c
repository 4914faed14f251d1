/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery cases in words. Times are UTC; what is of others is printed without control characters. */
#include <stdio.h>
#include <string.h>

#include "cli/recovery.h"

static long long number(const json_t *row, const char *member)
{
        return (long long)json_integer_value(json_object_get(row, member));
}

static bool has(const json_t *row, const char *member)
{
        return json_object_get(row, member) != NULL;
}

/* What people wrote, on one line. */
static void put_text(const char *text)
{
        for (const char *at = text; *at; at++)
                putchar((unsigned char)*at < ' ' || *at == 0x7f ? ' ' : *at);
}

static void put_score(const json_t *row, const char *before, const char *score, const char *top, const char *metric)
{
        if (has(row, score))
                printf("%s%s %lld of %lld", before, cli_text(row, metric), number(row, score), number(row, top));
}

static const char *duration(long long ms, char out[48])
{
        long long minutes = ms / 60000;
        if (minutes >= 48 * 60)
                snprintf(out, 48, "%lld d %lld h", minutes / 1440, minutes / 60 % 24);
        else if (minutes >= 60)
                snprintf(out, 48, "%lld h %02lld min", minutes / 60, minutes % 60);
        else
                snprintf(out, 48, "%lld min", minutes);
        return out;
}

void recovery_print_line(const json_t *row)
{
        const char *owner = cli_text(row, "owner_name"), *who = cli_text(row, "customer_name");
        char when[32];
        printf("%s  %-9s %s  owner ", cli_text(row, "recovery"), cli_text(row, "stage"),
               cli_time(number(row, "opened"), when));
        put_text(*owner ? owner : has(row, "owner") ? cli_text(row, "owner") : "NOBODY");
        printf("  customer ");
        put_text(*who ? who : cli_text(row, "customer"));
        put_score(row, "  ", "score_before", "top_before", "metric_before");
        put_score(row, " -> ", "score_after", "top_after", "metric_after");
        if (*cli_text(row, "cause"))
                printf("  cause %s", cli_text(row, "cause"));
        if (*cli_text(row, "outcome"))
                printf("  %s", cli_text(row, "outcome"));
        else if (!has(row, "contacted"))
                printf("  contact until %s", cli_time(number(row, "contact_due"), when));
        else if (!has(row, "taken_on"))
                printf("  fix until %s", cli_time(number(row, "fix_due"), when));
        if (json_is_true(json_object_get(row, "overdue")))
                printf("  OVERDUE");
        putchar('\n');
}

static void print_reason(const json_t *row)
{
        char when[32];
        printf("  %s  %s", cli_time(number(row, "at"), when), cli_text(row, "kind"));
        put_score(row, ", ", "score", "top", "metric");
        if (!json_is_true(json_object_get(row, "standing")))
                printf(" (the answer is better now)");
        if (*cli_text(row, "comment")) {
                printf(": ");
                put_text(cli_text(row, "comment"));
        }
        putchar('\n');
}

static void print_action(const json_t *row)
{
        char when[32];
        printf("  %lld. ", number(row, "action"));
        put_text(*cli_text(row, "text") ? cli_text(row, "text") : "(erased)");
        printf("  %s", cli_text(row, "owner"));
        if (has(row, "done"))
                printf("  done %s", cli_time(number(row, "done"), when));
        else if (has(row, "due"))
                printf("  until %s", cli_time(number(row, "due"), when));
        putchar('\n');
}

static void print_log_line(const json_t *row)
{
        char when[32];
        printf("  %s  %-14s %s", cli_time(number(row, "at"), when), cli_text(row, "what"), cli_text(row, "by"));
        if (has(row, "owner"))
                printf("  to %s", cli_text(row, "owner"));
        if (has(row, "channel"))
                printf("  %s, %s", cli_text(row, "channel"),
                       json_is_true(json_object_get(row, "reached")) ? "reached" : "not reached");
        if (has(row, "cause"))
                printf("  %s", cli_text(row, "cause"));
        if (has(row, "gave"))
                printf("  %s %lld %s (smallest unit)", cli_text(row, "gave"), number(row, "amount"),
                       cli_text(row, "currency"));
        if (has(row, "outcome"))
                printf("  %s", cli_text(row, "outcome"));
        if (has(row, "action"))
                printf("  action %lld", number(row, "action"));
        if (has(row, "reason"))
                printf("  (%s)", cli_text(row, "reason"));
        if (has(row, "score"))
                printf("  score %lld", number(row, "score"));
        if (has(row, "text")) {
                printf("  ");
                put_text(cli_text(row, "text"));
        }
        putchar('\n');
}

static void print_list(const char *title, const json_t *rows, void (*print)(const json_t *row))
{
        json_t *row;
        size_t i;
        if (json_array_size(rows) > 0)
                printf("%s\n", title);
        json_array_foreach(rows, i, row)
                print(row);
}

void recovery_print_case(const json_t *result)
{
        const json_t *row = json_object_get(result, "row");
        recovery_print_line(row);
        printf("version %lld, %s", number(row, "version"), cli_text(row, "conv"));
        if (has(row, "rated"))
                printf(", about %s", cli_text(row, "rated"));
        if (*cli_text(row, "team_name")) {
                printf(", team ");
                put_text(cli_text(row, "team_name"));
        }
        if (has(row, "in_time"))
                printf(", first contact %s", json_is_true(json_object_get(row, "in_time")) ? "in time" : "late");
        if (number(row, "earlier") > 0)
                printf(", %lld before it", number(row, "earlier"));
        putchar('\n');
        print_list("reasons", json_object_get(result, "reasons"), print_reason);
        print_list("actions", json_object_get(result, "actions"), print_action);
        print_list("log", json_object_get(result, "log"), print_log_line);
        if (json_is_true(json_object_get(result, "more")))
                printf("  ... more: --after LINE\n");
}

/* ---- the report ---- */

static void put_share(long long part, long long whole)
{
        if (whole > 0)
                printf(" %7.1f%%", 100.0 * (double)part / (double)whole);
        else
                printf(" %8s", "-");
}

static void put_permille(const json_t *row, const char *member)
{
        if (has(row, member))
                printf(" %7.1f%%", (double)number(row, member) / 10);
        else
                printf(" %8s", "-");
}

static void print_count(const json_t *row)
{
        char median[48];
        printf(" %6lld %9lld", number(row, "opened"), number(row, "contacted"));
        put_share(number(row, "in_time"), number(row, "due"));
        printf(" %12s", has(row, "median_ms") ? duration(number(row, "median_ms"), median) : "-");
        put_share(number(row, "recovered"), number(row, "contacted"));
        put_permille(row, "before_permille");
        put_permille(row, "after_permille");
        printf(" %6lld %4lld of %lld\n", number(row, "scored"), number(row, "repeat_customers"),
               number(row, "customers"));
}

void recovery_print_report(const json_t *result)
{
        json_t *row;
        size_t i;
        printf("%-7s  %-16s %-16s %6s %9s %8s %12s %9s %8s %8s %6s %s\n", "MONTH", "TEAM", "CAUSE", "opened",
               "contacted", "in time", "median wait", "recovered", "before", "after", "n", "came again");
        json_array_foreach(json_object_get(result, "rows"), i, row) {
                const char *team = cli_text(row, "team_name"), *cause = cli_text(row, "cause");
                printf("%-7s  %-16.16s %-16.16s", cli_text(row, "month"), *team ? team : "-", *cause ? cause : "-");
                print_count(row);
        }
        printf("%-7s  %-16s %-16s", "all", "", "");
        print_count(json_object_get(result, "total"));
}
