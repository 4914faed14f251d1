/* SPDX-License-Identifier: Apache-2.0 */
/* Plots for a terminal: eighths of a block make columns finer than a row. */
#include "cli/plot/plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/chat.h"

enum { LABEL_COLUMNS = 24, NUMBER_COLUMNS = 10, INTERVAL_COLUMNS = 18 };

static const char *const eighths[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

static void repeat(FILE *out, const char *text, int count)
{
        for (int i = 0; i < count; i++)
                fputs(text, out);
}

/* ---- columns ---- */

struct columns {
        FILE *out;
        const struct plot *plot;
        struct plot_axis axis;
        int height, column; /* rows; characters a label has, with its space */
        int axis_columns;
        size_t first; /* label that is drawn first */
};

/* Eighths of a row from the bottom of the drawing. */
static int eighths_of(const struct columns *columns, double value)
{
        double share = (value - columns->axis.from) / (columns->axis.to - columns->axis.from);
        return (int)lround(share * columns->height * 8);
}

static void write_axis(const struct columns *columns, int row)
{
        const struct plot_axis *axis = &columns->axis;
        char text[64] = "";
        for (int i = 0; i < axis->ticks; i++) {
                double tick = axis->from + axis->step * i;
                int at = eighths_of(columns, tick) / 8;
                if ((at < columns->height ? at : columns->height - 1) == row)
                        plot_number(tick, "", axis->decimals, text);
        }
        fprintf(columns->out, "%*s │", columns->axis_columns, text);
}

static void write_row(const struct columns *columns, int row)
{
        const struct plot *plot = columns->plot;
        bool is_target = !isnan(plot->target) && eighths_of(columns, plot->target) / 8 == row;
        write_axis(columns, row);
        for (size_t i = columns->first; i < plot->label_count; i++) {
                double value = plot->series[0].values[i];
                int level = isnan(value) ? 0 : eighths_of(columns, value) - row * 8;
                if (!isnan(value) && row == 0 && level < 1)
                        level = 1; /* it is there, and at the bottom */
                level = level < 0 ? 0 : level > 8 ? 8 : level;
                const char *fill = level == 0 && is_target ? "╌" : eighths[level];
                fputs(is_target ? "╌" : " ", columns->out);
                repeat(columns->out, fill, columns->column - 1);
        }
        if (is_target)
                fputs(" target", columns->out);
        fputc('\n', columns->out);
}

static void write_labels(const struct columns *columns)
{
        const struct plot *plot = columns->plot;
        int free_from = 0, at = 1;
        fprintf(columns->out, "%*s └", columns->axis_columns, "");
        repeat(columns->out, "─", columns->column * (int)(plot->label_count - columns->first));
        fprintf(columns->out, "\n%*s  ", columns->axis_columns, "");
        for (size_t i = columns->first; i < plot->label_count; i++, at += columns->column) {
                int wide = plot_text_width(plot->labels[i]);
                if (at < free_from)
                        continue; /* no room beside the label before */
                repeat(columns->out, " ", at - (free_from > 0 ? free_from - 1 : 0));
                fputs(plot->labels[i], columns->out);
                free_from = at + wide + 1;
        }
        fputc('\n', columns->out);
}

void plot_text_columns(FILE *out, const struct plot *plot, int width, int height)
{
        struct columns columns = {.out = out, .plot = plot, .axis = plot_axis_for(plot), .height = height};
        char text[64];
        for (int i = 0; i < columns.axis.ticks; i++) {
                plot_number(columns.axis.from + columns.axis.step * i, "", columns.axis.decimals, text);
                columns.axis_columns =
                        (int)strlen(text) > columns.axis_columns ? (int)strlen(text) : columns.axis_columns;
        }
        int room = width - columns.axis_columns - 10;
        columns.column = plot->label_count ? room / (int)plot->label_count : 2;
        columns.column = columns.column < 2 ? 2 : columns.column > 8 ? 8 : columns.column;
        if ((int)plot->label_count * columns.column > room)
                columns.first = plot->label_count - (size_t)(room / columns.column);
        fprintf(out, "%s%s%s%s\n", plot->title, *plot->unit ? " (" : "", plot->unit, *plot->unit ? ")" : "");
        if (columns.first > 0)
                fprintf(out, "(the last %zu of %zu)\n", plot->label_count - columns.first, plot->label_count);
        for (int row = height - 1; row >= 0; row--)
                write_row(&columns, row);
        write_labels(&columns);
}

/* ---- bars ---- */

static double largest_of(const struct plot *plot)
{
        double largest = isnan(plot->ceiling) ? 0 : plot->ceiling;
        for (size_t i = 0; i < plot->label_count; i++)
                if (fabs(plot->series[0].values[i]) > largest)
                        largest = fabs(plot->series[0].values[i]);
        return largest;
}

static void write_interval(FILE *out, const struct plot_series *series, size_t i)
{
        char low[64], high[64], both[160] = "";
        if (series->low && !isnan(series->low[i])) {
                plot_number(series->low[i], "", 1, low);
                plot_number(series->high[i], "", 1, high);
                snprintf(both, sizeof both, "%s to %s", low, high);
        }
        plot_text_pad(out, both, INTERVAL_COLUMNS);
}

void plot_text_bars(FILE *out, const struct plot *plot, int width)
{
        const struct plot_series *series = &plot->series[0];
        double largest = largest_of(plot);
        int room = width - LABEL_COLUMNS - NUMBER_COLUMNS - 4 - (series->low ? INTERVAL_COLUMNS : 0) -
                   (series->weights ? NUMBER_COLUMNS : 0);
        room = room < 8 ? 8 : room > 40 ? 40 : room;
        for (size_t i = 0; i < plot->label_count; i++) {
                char text[64];
                double value = series->values[i];
                int level = isnan(value) || largest == 0 ? 0 : (int)lround(fabs(value) / largest * room * 8);
                plot_text_pad(out, plot->labels[i], LABEL_COLUMNS);
                fputc(' ', out);
                repeat(out, eighths[8], level / 8);
                fputs(eighths[level % 8], out);
                repeat(out, " ", room - level / 8);
                plot_number(value, "", 1, text);
                fprintf(out, " %*s  ", NUMBER_COLUMNS - 3, text);
                if (series->low)
                        write_interval(out, series, i);
                if (series->weights)
                        fprintf(out, "n %.0f", isnan(series->weights[i]) ? 0 : series->weights[i]);
                fputc('\n', out);
        }
}

/* ---- the week ---- */

void plot_text_heat(FILE *out, const struct plot_heat *heat, int width)
{
        static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
        static const char *const shades[] = {"·", "░", "▒", "▓", "█"};
        double largest = 0;
        int wide = width >= 80 ? 3 : 2;
        for (int i = 0; i < 7 * 24; i++)
                largest = heat->values[i] > largest ? heat->values[i] : largest;
        fprintf(out, "%s\n     ", heat->title);
        for (int hour = 0; hour < 24; hour += 3) {
                int len = fprintf(out, "%02d", hour);
                repeat(out, " ", 3 * wide - len);
        }
        fputc('\n', out);
        for (int day = 0; day < 7; day++) {
                fprintf(out, "%s  ", days[day]);
                for (int hour = 0; hour < 24; hour++) {
                        double value = heat->values[day * 24 + hour];
                        int shade = largest > 0 && value > 0 ? 1 + (int)(value / largest * 3.999) : 0;
                        repeat(out, shades[shade], wide - 1);
                        fputc(' ', out);
                }
                fputc('\n', out);
        }
        fprintf(out, "     %s none", shades[0]);
        for (int shade = 1; shade <= 4; shade++)
                fprintf(out, "  %s to %.0f", shades[shade], ceil(largest * shade / 4));
        fprintf(out, " %s\n", heat->unit);
}

/* ---- texts ---- */

int plot_text_width(const char *text)
{
        return chat_text_columns(text, strlen(text));
}

void plot_text_pad(FILE *out, const char *text, int width)
{
        const char *end = text + strlen(text);
        int used = 0, room = plot_text_width(text) > width ? width - 1 : width;
        while (text < end) {
                size_t len = chat_text_char(text, end);
                int columns = chat_text_columns(text, len);
                if (used + columns > room)
                        break;
                fwrite(text, 1, len, out);
                used += columns;
                text += len;
        }
        if (text < end) {
                fputs("…", out);
                used++;
        }
        repeat(out, " ", width - used);
}
