/* SPDX-License-Identifier: Apache-2.0 */
/* The axis of a plot, and figures in words. */
#include "cli/plot/plot.h"

#include <math.h>
#include <string.h>

struct plot_axis plot_axis_of(double low, double high)
{
        static const double steps[] = {1, 2, 2.5, 5, 10};
        if (!(low < high)) { /* one figure, or none */
                double room = isnan(low) || low == 0 ? 1 : fabs(low) * 0.1;
                high = isnan(low) ? 1 : low + room;
                low = isnan(low) ? 0 : low - room;
        }
        double unit = pow(10, floor(log10((high - low) / 5)));
        struct plot_axis axis = {0};
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
                axis.step = steps[i] * unit;
                axis.from = floor(low / axis.step + 1e-9) * axis.step;
                axis.to = ceil(high / axis.step - 1e-9) * axis.step;
                axis.ticks = (int)lround((axis.to - axis.from) / axis.step) + 1;
                axis.decimals = steps[i] == 2.5 && unit <= 1 ? 1 : 0;
                if (axis.ticks <= 7)
                        break;
        }
        if (unit < 1)
                axis.decimals += (int)lround(-log10(unit));
        return axis;
}

static void reach(double value, double *low, double *high)
{
        if (isnan(value))
                return;
        *low = isnan(*low) || value < *low ? value : *low;
        *high = isnan(*high) || value > *high ? value : *high;
}

struct plot_axis plot_axis_for(const struct plot *plot)
{
        double low = NAN, high = NAN;
        const double others[] = {plot->target, plot->band_low, plot->band_high, plot->floor, plot->ceiling};
        for (size_t s = 0; s < plot->series_count; s++)
                for (size_t i = 0; i < plot->label_count; i++) {
                        reach(plot->series[s].values[i], &low, &high);
                        reach(plot->series[s].low ? plot->series[s].low[i] : NAN, &low, &high);
                        reach(plot->series[s].high ? plot->series[s].high[i] : NAN, &low, &high);
                }
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
                reach(others[i], &low, &high);
        return plot_axis_of(low, high);
}

void plot_number(double value, const char *unit, int decimals, char out[64])
{
        if (isnan(value)) {
                memcpy(out, "-", 2);
                return;
        }
        int len = snprintf(out, 40, "%.*f", decimals, value);
        if (strchr(out, '.')) {
                while (out[len - 1] == '0')
                        out[--len] = 0;
                if (out[len - 1] == '.')
                        out[--len] = 0;
        }
        if (strcmp(out, "-0") == 0)
                memcpy(out, "0", 2);
        if (*unit)
                snprintf(out + strlen(out), 20, " %s", unit);
}
