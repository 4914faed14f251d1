/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of reports in words. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/chat.h"
#include "cli/plot/plot.h"
#include "cli/report/report.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS };

static bool is(const char *a, const char *b)
{
        return strcmp(a, b) == 0;
}

double report_number(const json_t *cell, const char *member, const char *unit)
{
        const json_t *value = json_object_get(cell, member);
        if (!json_is_integer(value))
                return NAN;
        double number = (double)json_integer_value(value);
        if (is(unit, "percent") || is(unit, "points"))
                return number / 100;
        return is(unit, "mean") ? number / 1000 : number;
}

static void say_count(double value, char out[64])
{
        char digits[40];
        int len = snprintf(digits, sizeof digits, "%.0f", fabs(value)), at = 0;
        if (value < 0)
                out[at++] = '-';
        for (int i = 0; i < len; i++) {
                if (i > 0 && (len - i) % 3 == 0)
                        out[at++] = ',';
                out[at++] = digits[i];
        }
        out[at] = 0;
}

static void say_time(double ms, char out[64])
{
        long long all = llround(fabs(ms));
        const char *sign = ms < 0 ? "-" : "";
        if (all < MINUTE_MS)
                snprintf(out, 64, "%s%.1f s", sign, (double)all / SECOND_MS);
        else if (all < HOUR_MS)
                snprintf(out, 64, "%s%lld min %02lld s", sign, all / MINUTE_MS, all % MINUTE_MS / SECOND_MS);
        else if (all < DAY_MS)
                snprintf(out, 64, "%s%lld h %02lld min", sign, all / HOUR_MS, all % HOUR_MS / MINUTE_MS);
        else
                snprintf(out, 64, "%s%lld d %02lld h", sign, all / DAY_MS, all % DAY_MS / HOUR_MS);
}

static void say_number(double number, const char *unit, char out[64])
{
        if (isnan(number))
                snprintf(out, 64, "-");
        else if (is(unit, "ms"))
                say_time(number, out);
        else if (is(unit, "count"))
                say_count(number, out);
        else
                plot_number(number, is(unit, "percent") ? "%" : "", is(unit, "mean") ? 2 : 1, out);
}

void report_say(const json_t *cell, const char *member, const char *unit, char out[64])
{
        say_number(report_number(cell, member, unit), unit, out);
}

void report_say_interval(const json_t *cell, const char *unit, char out[96])
{
        char low[64], high[64];
        *out = 0;
        if (!json_object_get(cell, "low") || !json_object_get(cell, "high"))
                return;
        plot_number(report_number(cell, "low", unit), "", is(unit, "mean") ? 2 : 1, low);
        plot_number(report_number(cell, "high", unit), "", is(unit, "mean") ? 2 : 1, high);
        snprintf(out, 96, "%.40s to %.40s", low, high);
}

void report_say_change(const json_t *now, const json_t *before, const char *unit, char out[64])
{
        double a = report_number(before, "value", unit), b = report_number(now, "value", unit);
        *out = 0;
        if (isnan(a) || isnan(b))
                return;
        bool is_relative = is(unit, "ms") || is(unit, "count");
        if (is_relative && a == 0)
                return;
        char text[64];
        plot_number(is_relative ? 100 * (b - a) / a : b - a, is_relative ? "%" : "", is(unit, "mean") ? 2 : 1, text);
        snprintf(out, 64, "%s%.60s", *text == '-' || is(text, "0") || is(text, "0 %") ? "" : "+", text);
}

void report_title(const char *metric, char out[64])
{
        static const char *const short_ones[] = {"csat", "nps", "ces"};
        static const char *const others[][2] = {{"sla_first", "First response in time"},
                                                {"sla_resolution", "Resolved in time"},
                                                {"next_missed", "Next responses missed"},
                                                {"bot_time", "Time with the bot"},
                                                {"bot_solved", "Solved by the bot"},
                                                {"cases", "Recovery cases"},
                                                {"cases_in_time", "Cases contacted in time"},
                                                {"online", "Agents online"},
                                                {"away", "Agents away"},
                                                {"away_over", "Away beyond the allowed"},
                                                {"bot_episodes", "Bot episodes"},
                                                {"bot_confirmed", "Bot: it helped"},
                                                {"bot_assumed", "Bot: assumed to have helped"},
                                                {"bot_returned", "Bot: came back"},
                                                {"bot_handed_off", "Bot: handed off"},
                                                {"bot_left", "Bot: went away"},
                                                {"bot_open", "Bot: not decided yet"}};
        size_t len = 0;
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
                if (strcmp(metric, others[i][0]) == 0) {
                        snprintf(out, 64, "%s", others[i][1]);
                        return;
                }
        for (; metric[len] && len < 63; len++)
                out[len] = metric[len] == '_' ? ' ' : metric[len];
        out[len] = 0;
        out[0] = (char)toupper((unsigned char)out[0]);
        for (size_t i = 0; i < sizeof short_ones / sizeof *short_ones; i++)
                if (strncmp(metric, short_ones[i], strlen(short_ones[i])) == 0)
                        for (size_t c = 0; c < strlen(short_ones[i]); c++)
                                out[c] = (char)toupper((unsigned char)out[c]);
}

void report_row_name(const json_t *row, char out[128])
{
        const char *name = cli_text(row, "name");
        char *clean = chat_text_clean(*name ? name : cli_text(row, "key"), false); /* names are of others */
        snprintf(out, 128, "%s", *clean ? clean : "(none)");
        free(clean);
}

double report_scale(const json_t *rows, size_t column, const char *unit, const char **out_unit)
{
        static const struct {
                double ms;
                const char *unit;
        } scales[] = {{DAY_MS, "d"}, {HOUR_MS, "h"}, {MINUTE_MS, "min"}, {SECOND_MS, "s"}};
        double largest = 0;
        size_t i;
        json_t *row;
        *out_unit = is(unit, "percent") ? "%" : "";
        if (!is(unit, "ms"))
                return 1;
        json_array_foreach((json_t *)rows, i, row) {
                double value = report_number(json_array_get(json_object_get(row, "values"), column), "value", unit);
                largest = value > largest ? value : largest;
        }
        size_t s = 0;
        while (s < 3 && largest < 2 * scales[s].ms)
                s++;
        *out_unit = scales[s].unit;
        return scales[s].ms;
}
