/* SPDX-License-Identifier: Apache-2.0 */
/* A box whose layout is replaced by one of two functions. */
#include "clamp.h"

static int max_width_of(GtkWidget *widget)
{
        return GPOINTER_TO_INT(g_object_get_data(G_OBJECT(widget), "max-width"));
}

static GtkSizeRequestMode request_mode(GtkWidget *widget)
{
        (void)widget;
        return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural,
                    int *minimum_baseline, int *natural_baseline)
{
        GtkWidget *child = gtk_widget_get_first_child(widget);
        int max_width = max_width_of(widget);

        *minimum_baseline = *natural_baseline = -1;
        if (orientation == GTK_ORIENTATION_VERTICAL && for_size > max_width)
                for_size = max_width;
        gtk_widget_measure(child, orientation, for_size, minimum, natural, NULL, NULL);
        if (orientation == GTK_ORIENTATION_HORIZONTAL)
                *natural = MAX(*minimum, MIN(*natural, max_width));
}

static void allocate(GtkWidget *widget, int width, int height, int baseline)
{
        GtkWidget *child = gtk_widget_get_first_child(widget);
        int given = MIN(width, max_width_of(widget));
        GtkAllocation place = {(width - given) / 2, 0, given, height};

        gtk_widget_size_allocate(child, &place, baseline);
}

GtkWidget *clamp_new(GtkWidget *child, int max_width)
{
        GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);

        g_object_set_data(G_OBJECT(box), "max-width", GINT_TO_POINTER(max_width));
        gtk_box_append(GTK_BOX(box), child);
        gtk_widget_set_layout_manager(box, gtk_custom_layout_new(request_mode, measure, allocate));
        return box;
}
