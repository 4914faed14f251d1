/* SPDX-License-Identifier: Apache-2.0 */
/* Plots as SVG: plain shapes with classes, colours from the page, a title on each mark that says its figures. */
#include "cli/plot/plot.h"

#include <math.h>
#include <string.h>

enum {
        WIDE = 600,
        TALL = 240,
        LEFT = 52,
        RIGHT = 20,
        TOP = 16,
        BOTTOM = 34,
        BAR_TALL = 30,
        BAR_LEFT = 170,
        BAR_RIGHT = 140,
        HEAT_LEFT = 40,
        CELL = 23
};

const char plot_svg_style[] =
        ".plot{width:100%;height:auto;display:block;font:12px "
        "system-ui,sans-serif}@media(max-width:520px){.plot{font-size:17px}}\n"
        ".plot text{fill:var(--muted)}.plot .ink{fill:var(--ink)}.plot .end{text-anchor:end}.plot "
        ".mid{text-anchor:middle}\n"
        ".plot .grid{stroke:var(--grid);stroke-width:1}.plot .band{fill:var(--band)}\n"
        ".plot .s0{stroke:var(--a);fill:none;stroke-width:2.5;stroke-linejoin:round;stroke-linecap:round}\n"
        ".plot .s1{stroke:var(--b);fill:none;stroke-width:1.5;stroke-dasharray:2 4;stroke-linecap:round}\n"
        ".plot .i0{fill:var(--a);opacity:.16}.plot .p0{fill:var(--a)}.plot .p1{fill:var(--b)}\n"
        ".plot .bar{fill:var(--a)}.plot .whisker{stroke:var(--ink);stroke-width:1.25;opacity:.65}\n"
        ".plot .target{stroke:var(--target);stroke-width:1.5;stroke-dasharray:6 4}.plot text.t{fill:var(--target)}\n"
        ".plot .cell{fill:var(--a)}.plot .none{fill:var(--grid)}\n";

void plot_escape(FILE *out, const char *text)
{
        for (; *text; text++) {
                switch (*text) {
                case '&':
                        fputs("&amp;", out);
                        break;
                case '<':
                        fputs("&lt;", out);
                        break;
                case '>':
                        fputs("&gt;", out);
                        break;
                case '"':
                        fputs("&quot;", out);
                        break;
                default:
                        fputc(*text, out);
                }
        }
}

static void open_svg(FILE *out, const char *title, int wide, int tall)
{
        fprintf(out,
                "<svg class=\"plot\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "
                "aria-label=\"",
                wide, tall);
        plot_escape(out, title);
        fputs("\">\n", out);
}

/* ---- a line over time ---- */

struct frame {
        FILE *out;
        const struct plot *plot;
        struct plot_axis axis;
};

static double x_of(const struct frame *frame, size_t i)
{
        size_t steps = frame->plot->label_count > 1 ? frame->plot->label_count - 1 : 1;
        double room = WIDE - LEFT - RIGHT;
        return frame->plot->label_count > 1 ? LEFT + room * (double)i / (double)steps : LEFT + room / 2;
}

static double y_of(const struct frame *frame, double value)
{
        return TOP + (TALL - TOP - BOTTOM) * (frame->axis.to - value) / (frame->axis.to - frame->axis.from);
}

static void write_band(const struct frame *frame)
{
        const struct plot *plot = frame->plot;
        if (isnan(plot->band_low) || isnan(plot->band_high))
                return;
        double top = y_of(frame, plot->band_high), bottom = y_of(frame, plot->band_low);
        fprintf(frame->out,
                "<rect class=\"band\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"><title>usual in the "
                "field</title></rect>\n",
                LEFT, top, WIDE - LEFT - RIGHT, bottom - top);
}

static void write_grid(const struct frame *frame)
{
        char text[64];
        for (int i = 0; i < frame->axis.ticks; i++) {
                double value = frame->axis.from + frame->axis.step * i, y = y_of(frame, value);
                plot_number(value, "", frame->axis.decimals, text);
                fprintf(frame->out,
                        "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text class=\"end\" "
                        "x=\"%d\" y=\"%.1f\">%s</text>\n",
                        LEFT, WIDE - RIGHT, y, y, LEFT - 8, y + 4, text);
        }
}

/* As many as fit without touching; the last one always. */
static void write_labels(const struct frame *frame)
{
        const struct plot *plot = frame->plot;
        size_t widest = 1;
        for (size_t i = 0; i < plot->label_count; i++)
                widest = strlen(plot->labels[i]) > widest ? strlen(plot->labels[i]) : widest;
        size_t fit = (size_t)(WIDE - LEFT - RIGHT) / (widest * 9 + 14),
               every = (plot->label_count + fit) / (fit ? fit : 1);
        every = every ? every : 1;
        for (size_t i = 0; i < plot->label_count; i++) {
                if ((plot->label_count - 1 - i) % every != 0)
                        continue;
                bool is_last = i + 1 == plot->label_count && plot->label_count > 1;
                fprintf(frame->out, "<text class=\"%s\" x=\"%.1f\" y=\"%d\">", is_last ? "end" : "mid",
                        is_last ? x_of(frame, i) + 8 : x_of(frame, i), TALL - 10);
                plot_escape(frame->out, plot->labels[i]);
                fputs("</text>\n", frame->out);
        }
}

/* Runs of neighbours that are there. Returns the end of the run that begins at or behind `from`; *out_first its start.
 */
static size_t next_run(const double *values, size_t count, size_t from, size_t *out_first)
{
        while (from < count && isnan(values[from]))
                from++;
        *out_first = from;
        while (from < count && !isnan(values[from]))
                from++;
        return from;
}

static void write_interval(const struct frame *frame, const struct plot_series *series)
{
        size_t first, end = 0;
        if (!series->low || !series->high)
                return;
        while ((end = next_run(series->low, frame->plot->label_count, end, &first)) > first) {
                fputs("<polygon class=\"i0\" points=\"", frame->out);
                for (size_t i = first; i < end; i++)
                        fprintf(frame->out, "%.1f,%.1f ", x_of(frame, i), y_of(frame, series->high[i]));
                for (size_t i = end; i-- > first;)
                        fprintf(frame->out, "%.1f,%.1f ", x_of(frame, i), y_of(frame, series->low[i]));
                fputs("\"/>\n", frame->out);
        }
}

static void write_point(const struct frame *frame, const struct plot_series *series, size_t which, size_t i)
{
        char value[64], low[64], high[64];
        plot_number(series->values[i], frame->plot->unit, 1, value);
        fprintf(frame->out, "<circle class=\"p%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"%s\"><title>", which, x_of(frame, i),
                y_of(frame, series->values[i]), which ? "1.6" : "3");
        plot_escape(frame->out, frame->plot->labels[i]);
        fputs(": ", frame->out);
        plot_escape(frame->out, value);
        if (series->low && !isnan(series->low[i])) {
                plot_number(series->low[i], "", 1, low);
                plot_number(series->high[i], "", 1, high);
                fprintf(frame->out, " (%s to %s)", low, high);
        }
        if (series->weights && !isnan(series->weights[i]))
                fprintf(frame->out, ", n %.0f", series->weights[i]);
        fputs("</title></circle>\n", frame->out);
}

static void write_series(const struct frame *frame, const struct plot_series *series, size_t which)
{
        size_t first, end = 0, count = frame->plot->label_count;
        while ((end = next_run(series->values, count, end, &first)) > first) {
                fprintf(frame->out, "<polyline class=\"s%zu\" points=\"", which);
                for (size_t i = first; i < end; i++)
                        fprintf(frame->out, "%.1f,%.1f ", x_of(frame, i), y_of(frame, series->values[i]));
                fputs("\"/>\n", frame->out);
        }
        for (size_t i = 0; i < count; i++)
                if (!isnan(series->values[i]))
                        write_point(frame, series, which, i);
}

static void write_target(const struct frame *frame)
{
        char text[64];
        if (isnan(frame->plot->target))
                return;
        double y = y_of(frame, frame->plot->target);
        plot_number(frame->plot->target, frame->plot->unit, 1, text);
        fprintf(frame->out,
                "<line class=\"target\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text class=\"end t\" x=\"%d\" "
                "y=\"%.1f\">target ",
                LEFT, WIDE - RIGHT, y, y, WIDE - RIGHT, y - 5);
        plot_escape(frame->out, text);
        fputs("</text>\n", frame->out);
}

void plot_svg_line(FILE *out, const struct plot *plot)
{
        struct frame frame = {out, plot, plot_axis_for(plot)};
        open_svg(out, plot->title, WIDE, TALL);
        write_band(&frame);
        write_grid(&frame);
        write_labels(&frame);
        if (plot->series_count > 0)
                write_interval(&frame, &plot->series[0]);
        for (size_t s = plot->series_count < 2 ? plot->series_count : 2; s-- > 0;)
                write_series(&frame, &plot->series[s], s);
        write_target(&frame);
        fputs("</svg>\n", out);
}

/* ---- bars ---- */

static double bar_x(const struct plot_axis *axis, double value)
{
        return BAR_LEFT + (WIDE - BAR_LEFT - BAR_RIGHT) * (value - axis->from) / (axis->to - axis->from);
}

static void write_label(FILE *out, const char *label, int y)
{
        char cut[96];
        size_t len = 0, points = 0;
        while (label[len] && points < 22) { /* what fits beside the bar */
                len++;
                while (((unsigned char)label[len] & 0xc0) == 0x80)
                        len++;
                points++;
        }
        snprintf(cut, sizeof cut, "%.*s%s", (int)(len < 80 ? len : 80), label, label[len] ? "…" : "");
        fprintf(out, "<text class=\"end ink\" x=\"%d\" y=\"%d\">", BAR_LEFT - 10, y);
        plot_escape(out, cut);
        fputs("</text>", out);
}

static void write_bar(FILE *out, const struct plot *plot, const struct plot_axis *axis, size_t i)
{
        const struct plot_series *series = &plot->series[0];
        int y = TOP + (int)i * BAR_TALL;
        char value[64];
        write_label(out, plot->labels[i], y + 15);
        plot_number(series->values[i], plot->unit, 1, value);
        if (!isnan(series->values[i])) {
                double zero = bar_x(axis, axis->from < 0 ? 0 : axis->from), end = bar_x(axis, series->values[i]);
                fprintf(out, "<rect class=\"bar\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"3\"/>",
                        fmin(zero, end), y + 2, fmax(fabs(end - zero), 1), BAR_TALL - 12);
        }
        if (series->low && !isnan(series->low[i]))
                fprintf(out, "<line class=\"whisker\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>",
                        bar_x(axis, series->low[i]), bar_x(axis, series->high[i]), y + 11, y + 11);
        fprintf(out, "<text class=\"ink\" x=\"%d\" y=\"%d\">", WIDE - BAR_RIGHT + 12, y + 15);
        plot_escape(out, value);
        fputs("</text>", out);
        if (series->weights && !isnan(series->weights[i]))
                fprintf(out, "<text class=\"end\" x=\"%d\" y=\"%d\">n %.0f</text>", WIDE - 4, y + 15,
                        series->weights[i]);
        fputc('\n', out);
}

void plot_svg_bars(FILE *out, const struct plot *plot)
{
        struct plot from_zero = *plot;
        from_zero.floor = isnan(plot->floor) || plot->floor > 0 ? 0 : plot->floor;
        struct plot_axis axis = plot_axis_for(&from_zero);
        open_svg(out, plot->title, WIDE, TOP * 2 + (int)plot->label_count * BAR_TALL);
        for (size_t i = 0; i < plot->label_count; i++)
                write_bar(out, plot, &axis, i);
        if (!isnan(plot->target)) {
                double x = bar_x(&axis, plot->target);
                fprintf(out,
                        "<line class=\"target\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" "
                        "y2=\"%d\"><title>target</title></line>\n",
                        x, x, TOP - 6, TOP + (int)plot->label_count * BAR_TALL);
        }
        fputs("</svg>\n", out);
}

/* ---- the week ---- */

void plot_svg_heat(FILE *out, const struct plot_heat *heat)
{
        static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
        double largest = 0;
        for (int i = 0; i < 7 * 24; i++)
                largest = heat->values[i] > largest ? heat->values[i] : largest;
        open_svg(out, heat->title, WIDE, 7 * 26 + 30);
        for (int hour = 0; hour < 24; hour += 3)
                fprintf(out, "<text x=\"%d\" y=\"14\">%02d</text>", HEAT_LEFT + 2 + hour * CELL, hour);
        for (int day = 0; day < 7; day++) {
                fprintf(out, "\n<text x=\"4\" y=\"%d\">%s</text>", 38 + day * 26, days[day]);
                for (int hour = 0; hour < 24; hour++) {
                        double value = heat->values[day * 24 + hour];
                        bool is_none = !(value > 0);
                        fprintf(out,
                                "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"24\" rx=\"3\" "
                                "opacity=\"%.2f\"><title>",
                                is_none ? "none" : "cell", HEAT_LEFT + hour * CELL, 22 + day * 26, CELL - 2,
                                is_none ? 0.5 : 0.15 + 0.85 * value / largest);
                        fprintf(out, "%s %02d:00: %.0f ", days[day], hour, is_none ? 0 : value);
                        plot_escape(out, heat->unit);
                        fputs("</title></rect>", out);
                }
        }
        fputs("\n</svg>\n", out);
}
