/* SPDX-License-Identifier: Apache-2.0 */
/* One column of a report's answer as a plot: values, intervals, what they stand on, target, what is usual. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/plot/plot.h"
#include "cli/report/report.h"

struct report_plot {
        struct plot plot;
        struct plot_series series[2];
        double *numbers; /* values, low, high, weights of the first, values of the second: a row of `count` each */
        char (*names)[128];
        const char **labels;
        char title[64];
};

enum { VALUES, LOW, HIGH, WEIGHTS, BEFORE, KINDS };

static double *kind_of(const struct report_plot *made, int kind)
{
        return made->numbers + (size_t)kind * made->plot.label_count;
}

static void fill_row(struct report_plot *made, const json_t *row, size_t i, size_t column, const char *unit,
                     double scale)
{
        const json_t *cell = json_array_get(json_object_get(row, "values"), column);
        report_row_name(row, made->names[i]);
        made->labels[i] = made->names[i];
        kind_of(made, VALUES)[i] = report_number(cell, "value", unit) / scale;
        kind_of(made, LOW)[i] = report_number(cell, "low", unit) / scale;
        kind_of(made, HIGH)[i] = report_number(cell, "high", unit) / scale;
        kind_of(made, WEIGHTS)[i] = report_number(cell, "n", "count");
        kind_of(made, BEFORE)[i] = NAN;
}

static bool has_any(const double *numbers, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (!isnan(numbers[i]))
                        return true;
        return false;
}

static void fill_plot(struct report_plot *made, const json_t *heading, const json_t *rows, size_t column,
                      const json_t *before)
{
        const char *unit = cli_text(heading, "unit"), *shown = "";
        double scale = report_scale(rows, column, unit, &shown);
        size_t count = made->plot.label_count;
        for (size_t i = 0; i < count; i++)
                fill_row(made, json_array_get(rows, i), i, column, unit, scale);
        for (size_t i = 0; i < count && i < json_array_size(before); i++)
                kind_of(made, BEFORE)[i] =
                        report_number(json_array_get(json_object_get(json_array_get(before, i), "values"), column),
                                      "value", unit) /
                        scale;
        bool has_interval = has_any(kind_of(made, LOW), count);
        made->series[0] = (struct plot_series){.name = "now",
                                               .values = kind_of(made, VALUES),
                                               .low = has_interval ? kind_of(made, LOW) : NULL,
                                               .high = has_interval ? kind_of(made, HIGH) : NULL,
                                               .weights = strcmp(unit, "count") ? kind_of(made, WEIGHTS) : NULL};
        made->series[1] = (struct plot_series){.name = "before", .values = kind_of(made, BEFORE)};
        report_title(cli_text(heading, "metric"), made->title);
        made->plot.title = made->title;
        made->plot.unit = shown;
        made->plot.labels = made->labels;
        made->plot.series = made->series;
        made->plot.series_count = before ? 2 : 1;
        made->plot.target = report_number(heading, "target", unit) / scale;
        made->plot.band_low = report_number(heading, "band_low", unit) / scale;
        made->plot.band_high = report_number(heading, "band_high", unit) / scale;
        made->plot.floor = strcmp(unit, "count") == 0 || strcmp(unit, "ms") == 0 ? 0 : NAN;
        made->plot.ceiling = NAN;
}

int report_plot_make(const json_t *answer, size_t column, const json_t *before, struct report_plot **out_plot)
{
        const json_t *rows = json_object_get(answer, "rows");
        struct report_plot *made = calloc(1, sizeof *made);
        size_t count = json_array_size(rows), room = count ? count : 1;
        if (made) {
                made->plot.label_count = count;
                made->numbers = calloc(room * KINDS, sizeof *made->numbers);
                made->names = calloc(room, sizeof *made->names);
                made->labels = calloc(room, sizeof *made->labels);
        }
        if (!made || !made->numbers || !made->names || !made->labels) {
                report_plot_free(made);
                return cli_fail(EX_OSERR, "out of memory");
        }
        fill_plot(made, json_array_get(json_object_get(answer, "columns"), column), rows, column, before);
        *out_plot = made;
        return EX_OK;
}

const struct plot *report_plot_of(const struct report_plot *plot)
{
        return &plot->plot;
}

void report_plot_free(struct report_plot *plot)
{
        if (!plot)
                return;
        free(plot->numbers);
        free(plot->names);
        free(plot->labels);
        free(plot);
}
