/* SPDX-License-Identifier: Apache-2.0 */
/* Plots: figures drawn as text for a terminal and as SVG for a page. What is not there (NAN) is left out, never drawn
 * as zero. Pure: writes to the stream it is given. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A row of figures over the same labels. `low` and `high`: where the true figure lies; NULL = not known. */
struct plot_series {
        const char *name;
        const double *values, *low, *high; /* as many as there are labels; NAN = none */
        const double *weights;             /* what each stands on (n); NULL = not known */
};

/* Figures over time or over kinds. Borrows all. */
struct plot {
        const char *title, *unit; /* unit: "%", "min", "" ... */
        const char *const *labels;
        size_t label_count;
        const struct plot_series *series; /* the first is drawn strongly, a second as what it is compared with */
        size_t series_count;
        double target;              /* NAN = none */
        double band_low, band_high; /* what is usual in the field; NAN = none */
        double floor, ceiling;      /* the axis shows at least these; NAN = as the figures are */
};

/* Hours of a week: values[day * 24 + hour], day 0 = Monday. */
struct plot_heat {
        const char *title, *unit;
        double values[7 * 24];
};

/* ---- the axis ---- */

/* Even steps of 1, 2, 2.5 or 5 times a power of ten that cover low to high in 2 to 8 ticks. */
struct plot_axis {
        double from, to, step;
        int ticks;    /* from, from + step, ..., to */
        int decimals; /* that the steps need */
};
struct plot_axis plot_axis_of(double low, double high);
/* For all that the plot shows: values, intervals, target, band. */
struct plot_axis plot_axis_for(const struct plot *plot);
/* "82.1 %", "-" for NAN; at most `decimals` digits behind the point, none that are only zeros. */
void plot_number(double value, const char *unit, int decimals, char out[64]);

/* ---- text ---- */

/* Columns over their labels, with the axis at the left, the target as a line, n below. `width`: columns of the
 * terminal, 40 and up; `height`: rows of the drawing, 4 and up. With more labels than fit, only the last are drawn, and
 * it says so. */
void plot_text_columns(FILE *out, const struct plot *plot, int width, int height);
/* A row each: label, bar, figure, interval, n. */
void plot_text_bars(FILE *out, const struct plot *plot, int width);
void plot_text_heat(FILE *out, const struct plot_heat *heat, int width);
/* Columns that a text takes in a terminal: two for a wide character. `text` is UTF-8. */
int plot_text_width(const char *text);
/* Writes it and as many spaces as it lacks of `width`; cut with "…" when it is longer. */
void plot_text_pad(FILE *out, const char *text, int width);

/* ---- SVG ---- */

/* One <svg> element for a page. It is drawn with the page's colours: plot_svg_style is what they need. */
void plot_svg_line(FILE *out, const struct plot *plot);
void plot_svg_bars(FILE *out, const struct plot *plot);
void plot_svg_heat(FILE *out, const struct plot_heat *heat);
extern const char plot_svg_style[]; /* CSS: what the classes look like, in the colours below */
/* The colours, as custom properties, on a light and on a dark ground. */
#define PLOT_LIGHT                                                                                                     \
        "--paper:#fff;--ink:#1d2433;--muted:#5b6474;--grid:#e3e7ee;--a:#2f6fde;--b:#8a94a6;--band:#2f9e6e1c;"          \
        "--target:#b4530a;--good:#1b7f4b;--bad:#b3261e"
#define PLOT_DARK                                                                                                      \
        "--paper:#141923;--ink:#e8ecf4;--muted:#9aa5b8;--grid:#2b3342;--a:#6ea8ff;--b:#7d889c;--band:#3ecf8e22;"       \
        "--target:#ffa94d;--good:#5fd39a;--bad:#ff8a80"
/* Text for an element or an attribute in double quotes. */
void plot_escape(FILE *out, const char *text);
