/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell report html: a page for a manager in one file, without scripts and without anything from elsewhere. Cards
 * say where the desk stands, charts how it came there, and the definitions at the end what each number is. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/chat.h"
#include "cli/plot/plot.h"
#include "cli/report/report.h"

enum { BARS = 15, WORDS = 20 };

struct page {
        struct console *console;
        FILE *out;
        const char *by; /* day, week or month */
        json_t *params; /* period and filter */
        const json_t *overview;
};

static const char style[] =
        "*{box-sizing:border-box}:root{color-scheme:light dark;" PLOT_LIGHT "}\n"
        "@media(prefers-color-scheme:dark){:root{" PLOT_DARK "}}\n"
        "body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}\n"
        "main{max-width:1080px;margin:0 auto;padding:24px 20px "
        "64px}h1{font-size:26px;margin:0}h2{font-size:19px;margin:40px 0 12px}\n"
        "p{max-width:70ch}.soft{color:var(--muted)}.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax("
        "200px,1fr));gap:12px}\n"
        ".card{border:1px solid var(--grid);border-radius:10px;padding:14px 16px}.card "
        "b{display:block;font-size:25px;line-height:1.3;font-weight:650}\n"
        ".card small{color:var(--muted);display:block}.good{color:var(--good)}.bad{color:var(--bad)}\n"
        ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,460px),1fr));gap:24px}figure{"
        "margin:0;min-width:0}\n"
        "figcaption{font-weight:600;margin-bottom:6px}figcaption span{font-weight:400;color:var(--muted)}\n"
        ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:14px}td,th{padding:5px 10px 5px "
        "0;text-align:right;border-bottom:1px solid var(--grid);white-space:nowrap}\n"
        "td:first-child,th:first-child{text-align:left}th{color:var(--muted);font-weight:600}dt{font-weight:600;margin-"
        "top:10px}dd{margin:0;color:var(--muted)}\n"
        "@media print{main{max-width:none;padding:0}figure,.card{break-inside:avoid}}\n";

/* ---- pieces ---- */

static void text(const struct page *page, const char *plain)
{
        char *clean = chat_text_clean(plain, false); /* names and words are of others */
        plot_escape(page->out, clean);
        free(clean);
}

/* The place of a metric in the overview; -1: it is not in it. */
static int find_column(const struct page *page, const char *metric)
{
        size_t i;
        json_t *column;
        json_array_foreach(json_object_get(page->overview, "columns"), i, column) {
                if (strcmp(cli_text(column, "metric"), metric) == 0)
                        return (int)i;
        }
        return -1;
}

/* Less of it is better. */
static bool is_burden(const char *metric)
{
        static const char *const burdens[] = {
                "first_response", "next_response", "resolution",     "total_resolution", "waiting",
                "reopened",       "reopen_rate",   "transfer_rate",  "transfers",        "next_missed",
                "backlog",        "cases",         "handling",       "on_hold",          "customer_waiting",
                "bot_returned",   "bot_left",      "bot_handed_off", "away_over"};
        for (size_t i = 0; i < sizeof burdens / sizeof *burdens; i++)
                if (strcmp(metric, burdens[i]) == 0)
                        return true;
        return false;
}

static bool has_direction(const char *metric)
{
        return strcmp(metric, "tickets") != 0 && strcmp(metric, "solved") != 0;
}

/* "good", "bad" or "": of a change upward (`is_up`). */
static const char *class_of(const char *metric, bool is_up)
{
        return !has_direction(metric) ? "" : is_up == is_burden(metric) ? "bad" : "good";
}

/* ---- cards ---- */

static void write_change(const struct page *page, const char *metric, const char *unit, const json_t *now,
                         const json_t *before)
{
        char change[64];
        report_say_change(now, before, unit, change);
        if (!*change)
                return;
        bool is_same = strcmp(change, "0") == 0 || strcmp(change, "0 %") == 0;
        fprintf(page->out, "<small><span class=\"%s\">%s</span> against as long before</small>",
                is_same ? "" : class_of(metric, *change == '+'), change);
}

static void write_target(const struct page *page, const char *metric, const json_t *column, const json_t *now)
{
        const char *unit = cli_text(column, "unit");
        double line = report_number(column, "target", unit), value = report_number(now, "value", unit);
        char said[64];
        if (isnan(line))
                return;
        plot_number(line, "", 2, said);
        json_t *cell = json_pack("{s:O}", "value", json_object_get(column, "target"));
        report_say(cell, "value", unit, said);
        json_decref(cell);
        bool is_met = is_burden(metric) ? value <= line : value >= line;
        fprintf(page->out, "<small>target %s%s</small>", said,
                isnan(value) ? ""
                : is_met     ? ": <span class=\"good\">reached</span>"
                             : ": <span class=\"bad\">not reached</span>");
}

static void write_card(const struct page *page, const char *metric)
{
        int at = find_column(page, metric);
        if (at < 0)
                return;
        const json_t *column = json_array_get(json_object_get(page->overview, "columns"), (size_t)at);
        const json_t *now = json_array_get(json_object_get(page->overview, "totals"), (size_t)at);
        const json_t *before = json_array_get(json_object_get(page->overview, "before"), (size_t)at);
        const char *unit = cli_text(column, "unit");
        char title[64], value[64], interval[96];
        report_title(metric, title);
        report_say(now, "value", unit, value);
        report_say_interval(now, unit, interval);
        fprintf(page->out, "<div class=\"card\">%s<b>%s</b>", title, value);
        if (*interval)
                fprintf(page->out, "<small>95 %%: %s, n %lld</small>", interval,
                        (long long)json_integer_value(json_object_get(now, "n")));
        if (json_object_get(now, "median")) {
                report_say(now, "median", unit, value);
                fprintf(page->out, "<small>half within %s</small>", value);
        }
        write_change(page, metric, unit, now, before);
        write_target(page, metric, column, now);
        fputs("</div>\n", page->out);
}

static void write_cards(const struct page *page)
{
        static const char *const metrics[] = {
                "csat",        "nps",      "ces",           "first_response",  "resolution",
                "one_touch",   "tickets",  "solved",        "backlog",         "sla_first",
                "bot_solved",  "cases",    "cases_in_time", "cases_recovered", "bot_confirmed",
                "bot_assumed", "away_over"};
        fputs("<section class=\"cards\">\n", page->out);
        for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
                write_card(page, metrics[i]);
        fputs("</section>\n", page->out);
}

/* ---- charts ---- */

static int ask(const struct page *page, const char *metric, const char *by, json_t **out_answer)
{
        json_t *params = json_deep_copy(page->params);
        json_object_set_new(params, "metrics", json_pack("[s]", metric));
        json_object_set_new(params, "by", json_string(by));
        return report_query(page->console, params, out_answer);
}

static bool has_figures(const json_t *answer)
{
        size_t i;
        json_t *row;
        json_array_foreach(json_object_get(answer, "rows"), i, row) {
                if (json_object_get(json_array_get(json_object_get(row, "values"), 0), "value"))
                        return true;
        }
        return false;
}

/* A figure, unless there is nothing in it. `draw` 'l' line, 'b' bars. Takes `answer` and `before`. */
static int write_figure(const struct page *page, const char *title, const char *note, char draw, json_t *answer,
                        json_t *before)
{
        struct report_plot *made = NULL;
        int rc = EX_OK;
        if (has_figures(answer))
                rc = report_plot_make(answer, 0, before, &made);
        if (made) {
                const char *unit = report_plot_of(made)->unit;
                fprintf(page->out, "<figure><figcaption>%s%s%s%s <span>%s</span></figcaption>\n", title,
                        *unit ? " (" : "", unit, *unit ? ")" : "", note);
                if (draw == 'l')
                        plot_svg_line(page->out, report_plot_of(made));
                else
                        plot_svg_bars(page->out, report_plot_of(made));
                fputs("</figure>\n", page->out);
        }
        report_plot_free(made);
        json_decref(answer);
        json_decref(before);
        return rc;
}

static int write_line(const struct page *page, const char *metric, const char *note)
{
        json_t *answer = NULL, *before = NULL, *params = json_deep_copy(page->params);
        char title[64];
        json_object_set_new(params, "metrics", json_pack("[s]", metric));
        json_object_set_new(params, "by", json_string(page->by));
        int rc = ask(page, metric, page->by, &answer);
        if (rc == EX_OK)
                rc = report_query_before(page->console, params, &before);
        json_decref(params);
        report_title(metric, title);
        return rc == EX_OK ? write_figure(page, title, note, 'l', answer, before) : rc;
}

/* Those that nothing happened to are no bars. */
static void drop_empty(json_t *answer)
{
        json_t *rows = json_object_get(answer, "rows");
        for (size_t i = json_array_size(rows); i-- > 0;) {
                const json_t *cell = json_array_get(json_object_get(json_array_get(rows, i), "values"), 0);
                if (json_integer_value(json_object_get(cell, "n")) == 0)
                        json_array_remove(rows, i);
        }
}

/* Nothing where there is a filter: that goes with rows of time alone. */
static int write_bars(const struct page *page, const char *metric, const char *by)
{
        json_t *answer = NULL;
        char title[64], whole[96];
        if (json_object_get(page->params, "filter"))
                return EX_OK;
        int rc = ask(page, metric, by, &answer);
        if (rc != EX_OK)
                return rc;
        drop_empty(answer);
        report_sort(answer, 0, BARS);
        report_title(metric, title);
        snprintf(whole, sizeof whole, "%s by %s", title, by);
        return write_figure(page, whole, "", 'b', answer, NULL);
}

/* How many were asked how it went. */
static json_int_t find_asked(const struct page *page)
{
        static const char *const scores[] = {"csat", "nps", "ces"};
        json_int_t asked = 0;
        for (size_t i = 0; i < sizeof scores / sizeof *scores; i++) {
                int at = find_column(page, scores[i]);
                const json_t *now =
                        at < 0 ? NULL : json_array_get(json_object_get(page->overview, "totals"), (size_t)at);
                asked += json_integer_value(json_object_get(now, "offered"));
        }
        return asked;
}

static int write_scores(const struct page *page)
{
        static const char note[] = "shaded: 95 % interval; dotted: as long before; band: usual in the field";
        fputs("<h2>What customers say</h2><div class=\"charts\">\n", page->out);
        if (find_asked(page) == 0)
                fputs("<p class=\"soft\">Nobody was asked in this period: deskbell survey add.</p>", page->out);
        int rc = write_line(page, "csat", note);
        if (rc == EX_OK)
                rc = write_line(page, "nps", note);
        if (rc == EX_OK)
                rc = write_line(page, "ces", note);
        if (rc == EX_OK)
                rc = write_bars(page, "csat", "team");
        if (rc == EX_OK)
                rc = write_bars(page, "csat", "agent");
        fputs("</div>\n", page->out);
        return rc;
}

static int write_times(const struct page *page)
{
        fputs("<h2>How fast</h2><div class=\"charts\">\n", page->out);
        int rc = write_line(page, "first_response", "mean; dotted: as long before");
        if (rc == EX_OK)
                rc = write_line(page, "resolution", "mean; dotted: as long before");
        if (rc == EX_OK)
                rc = write_bars(page, "first_response", "team");
        if (rc == EX_OK)
                rc = write_line(page, "sla_first", "share in time");
        fputs("</div>\n", page->out);
        return rc;
}

static int write_heat(const struct page *page)
{
        struct plot_heat heat = {.title = "Tickets by hour of the week", .unit = "tickets"};
        json_t *answer = NULL, *row;
        size_t i;
        if (json_object_get(page->params, "filter"))
                return EX_OK;
        int rc = ask(page, "tickets", "hour_of_week", &answer);
        json_array_foreach(json_object_get(answer, "rows"), i, row) {
                long hour = strtol(cli_text(row, "key"), NULL, 10);
                double value = report_number(json_array_get(json_object_get(row, "values"), 0), "value", "count");
                if (hour >= 0 && hour < 7 * 24 && !isnan(value))
                        heat.values[hour] = value;
        }
        json_decref(answer);
        if (rc != EX_OK)
                return rc;
        fputs("<figure><figcaption>When customers come <span>tickets by hour of the week</span></figcaption>\n",
              page->out);
        plot_svg_heat(page->out, &heat);
        fputs("</figure>\n", page->out);
        return EX_OK;
}

static int write_work(const struct page *page)
{
        json_t *came = NULL, *solved = NULL;
        fputs("<h2>How much</h2><div class=\"charts\">\n", page->out);
        int rc = ask(page, "tickets", page->by, &came);
        if (rc == EX_OK)
                rc = ask(page, "solved", page->by, &solved);
        if (rc == EX_OK)
                rc = write_figure(page, "Tickets", "line: came; dotted: solved", 'l', came,
                                  json_incref(json_object_get(solved, "rows")));
        else
                json_decref(came);
        json_decref(solved);
        if (rc == EX_OK)
                rc = write_line(page, "backlog", "at the end; dotted: as long before");
        if (rc == EX_OK)
                rc = write_heat(page);
        if (rc == EX_OK)
                rc = write_bars(page, "solved", "agent");
        fputs("</div>\n", page->out);
        return rc;
}

/* What bots came to and where the agents' time away went; neither can be parted by what tickets can. */
static int write_bots_and_time(const struct page *page)
{
        static const char *const lines[] = {"bot_confirmed", "bot_assumed", "bot_handed_off"};
        if (json_object_get(page->params, "filter"))
                return EX_OK;
        fputs("<h2>Bots, and time away</h2><div class=\"charts\">\n", page->out);
        int rc = EX_OK;
        for (size_t i = 0; rc == EX_OK && i < sizeof lines / sizeof *lines; i++)
                rc = write_line(page, lines[i], "of all episodes; shaded: 95 % interval; dotted: as long before");
        if (rc == EX_OK)
                rc = write_bars(page, "away", "reason");
        fputs("</div>\n", page->out);
        return rc;
}

/* ---- words, numbers, definitions ---- */

static int write_words(const struct page *page)
{
        json_t *answer = NULL, *word;
        size_t i;
        json_t *params = json_pack("{s:O, s:O, s:s, s:i}", "from", json_object_get(page->params, "from"), "to",
                                   json_object_get(page->params, "to"), "metric", "csat", "low", 2);
        int rc = console_do(page->console, "report.words", params, &answer);
        const json_t *words = json_object_get(answer, "words");
        if (rc == EX_OK && json_array_size(words) > 0) {
                fputs("<h2>Words that go with low scores</h2><div class=\"wide\"><table><tr><th>word<th>in low<th>in "
                      "others<th>certainty</tr>\n",
                      page->out);
                json_array_foreach((json_t *)words, i, word) {
                        if (i >= WORDS)
                                break;
                        fputs("<tr><td>", page->out);
                        text(page, cli_text(word, "word"));
                        fprintf(page->out, "<td>%lld<td>%lld<td>%.1f</tr>\n",
                                (long long)json_integer_value(json_object_get(word, "low")),
                                (long long)json_integer_value(json_object_get(word, "other")),
                                (double)json_integer_value(json_object_get(word, "certainty")) / 1000);
                }
                fputs("</table></div>\n", page->out);
        }
        json_decref(answer);
        return rc;
}

static void write_numbers(const struct page *page)
{
        size_t i;
        json_t *column;
        char title[64], value[64], old[64], change[64], interval[96];
        fputs("<h2>All numbers</h2><div class=\"wide\"><table><tr><th><th>now<th>before<th>change<th>n<th>95 % "
              "interval</tr>\n",
              page->out);
        json_array_foreach(json_object_get(page->overview, "columns"), i, column) {
                const json_t *now = json_array_get(json_object_get(page->overview, "totals"), i);
                const json_t *before = json_array_get(json_object_get(page->overview, "before"), i);
                const char *unit = cli_text(column, "unit");
                report_title(cli_text(column, "metric"), title);
                report_say(now, "value", unit, value);
                report_say(before, "value", unit, old);
                report_say_change(now, before, unit, change);
                report_say_interval(now, unit, interval);
                fprintf(page->out, "<tr><td>%s<td>%s<td>%s<td>%s<td>%lld<td>%s</tr>\n", title, value, old, change,
                        (long long)json_integer_value(json_object_get(now, "n")), interval);
        }
        fputs("</table></div>\n", page->out);
}

static int write_definitions(const struct page *page)
{
        json_t *metrics = NULL, *metric;
        size_t i;
        char title[64];
        int rc = report_pages(page->console, "report.metrics", json_object(), "metrics", "metric", &metrics);
        if (rc != EX_OK)
                return rc;
        fputs("<h2>What the numbers are</h2><dl>\n", page->out);
        json_array_foreach(metrics, i, metric) {
                report_title(cli_text(metric, "metric"), title);
                fprintf(page->out, "<dt>%s</dt><dd>", title);
                text(page, cli_text(metric, "formula"));
                fputs(". ", page->out);
                text(page, cli_text(metric, "text"));
                fputs("</dd>\n", page->out);
        }
        fputs("</dl>\n", page->out);
        json_decref(metrics);
        return EX_OK;
}

/* ---- the page ---- */

static void write_head(const struct page *page, const char *filter)
{
        char when[32];
        fprintf(page->out,
                "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                "'unsafe-inline'\">\n"
                "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>Support, %s to "
                "%s</title>\n<style>%s%s</style></head>\n<body><main>\n<h1>Support</h1>\n",
                cli_text(page->params, "from"), cli_text(page->params, "to"), style, plot_svg_style);
        fprintf(page->out, "<p class=\"soft\">%s to %s, days of %s", cli_text(page->params, "from"),
                cli_text(page->params, "to"), cli_text(page->overview, "zone"));
        if (filter) {
                fputs(", charts only of ", page->out);
                text(page, filter);
        }
        fprintf(page->out, "; made %s. A dash means that there is nothing, which is not 0.</p>\n",
                cli_time((json_int_t)time(NULL) * 1000, when));
        if (json_is_true(json_object_get(page->overview, "building")))
                fputs("<p class=\"bad\">These numbers are being made again and are not whole yet.</p>\n", page->out);
}

static int write_page(const struct page *page, const char *filter)
{
        write_head(page, filter);
        write_cards(page);
        int rc = write_scores(page);
        if (rc == EX_OK)
                rc = write_times(page);
        if (rc == EX_OK)
                rc = write_work(page);
        if (rc == EX_OK)
                rc = write_bots_and_time(page);
        if (rc == EX_OK)
                rc = write_words(page);
        if (rc == EX_OK)
                write_numbers(page);
        if (rc == EX_OK)
                rc = write_definitions(page);
        fputs("</main></body></html>\n", page->out);
        return rc;
}

/* Written when the data folder is left: until then root acts as the owner of that. */
static int write_file(const char *name, const char *whole, size_t len)
{
        FILE *file = fopen(name, "w");
        bool is_written = file && fwrite(whole, 1, len, file) == len;
        if (file && fclose(file) != 0)
                is_written = false;
        return is_written ? EX_OK : cli_fail(EX_CANTCREAT, "cannot write %s", name);
}

static int make(const struct report_said *said, const char *name)
{
        struct report_period period;
        struct page page = {0};
        json_t *overview = NULL;
        char *whole = NULL;
        size_t len = 0;
        int rc = report_open(said, &page.console, &period);
        if (rc == EX_OK)
                rc = report_params(page.console, said, &period, &page.params);
        if (rc == EX_OK)
                rc = console_do(page.console, "report.overview",
                                json_pack("{s:s, s:s}", "from", period.from, "to", period.to), &overview);
        if (rc == EX_OK && !(page.out = open_memstream(&whole, &len)))
                rc = cli_fail(EX_OSERR, "out of memory");
        if (rc == EX_OK) {
                page.overview = overview;
                page.by = report_period_by(&period);
                rc = write_page(&page, said->filter);
        }
        if (page.out && fclose(page.out) != 0 && rc == EX_OK)
                rc = cli_fail(EX_OSERR, "out of memory");
        console_close(page.console);
        if (rc == EX_OK)
                rc = write_file(name, whole, len);
        free(whole);
        json_decref(page.params);
        json_decref(overview);
        return rc;
}

int report_page(int argc, char **argv)
{
        struct report_said said = {0};
        const struct cli_option options[] = {REPORT_PERIOD(said), REPORT_FILTER(said)};
        const struct cli_page page = {
                .usage = "report html FILE [options]",
                .about = "A page with cards, charts, words and all numbers, with their definitions, in one file that "
                         "needs "
                         "nothing else:\n"
                         "send it, print it, keep it.",
                .examples = "  deskbell report html october.html --from 2026-10-01 --to 2026-10-31\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = cli_parse_named(&page, argc, argv, "say which file to write", &rc);
        if (first < 0)
                return rc;
        rc = make(&said, argv[first]);
        return rc == EX_OK ? cli_finish() : rc;
}
