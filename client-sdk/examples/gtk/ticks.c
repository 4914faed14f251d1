/* SPDX-License-Identifier: Apache-2.0 */
/* Drawn, since no icon theme has two ticks. The colour is that of the style: `.ticks` and `.ticks.read`. */
#include "ticks.h"

enum { WIDTH = 18, HEIGHT = 12 };

static void draw_tick(cairo_t *cr, double x)
{
        cairo_move_to(cr, x, 6.5);
        cairo_line_to(cr, x + 3, 9.5);
        cairo_line_to(cr, x + 9, 2.5);
        cairo_stroke(cr);
}

static void draw_clock(cairo_t *cr)
{
        cairo_arc(cr, 12, 6, 4.6, 0, 2 * G_PI);
        cairo_stroke(cr);
        cairo_move_to(cr, 12, 3.5);
        cairo_line_to(cr, 12, 6);
        cairo_line_to(cr, 14, 7);
        cairo_stroke(cr);
}

static void draw(GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer data)
{
        enum deskbell_message_state state = GPOINTER_TO_INT(g_object_get_data(G_OBJECT(area), "state"));
        GdkRGBA colour;

        (void)data;
        cairo_translate(cr, (width - WIDTH) / 2.0, (height - HEIGHT) / 2.0);
        gtk_style_context_get_color(gtk_widget_get_style_context(GTK_WIDGET(area)), &colour);
        gdk_cairo_set_source_rgba(cr, &colour);
        cairo_set_line_width(cr, 1.4);
        cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
        cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
        if (state == DESKBELL_QUEUED) {
                draw_clock(cr);
                return;
        }
        draw_tick(cr, state == DESKBELL_SENT ? 7 : 3);
        if (state != DESKBELL_SENT)
                draw_tick(cr, 8);
}

GtkWidget *ticks_new(void)
{
        GtkWidget *ticks = g_object_new(GTK_TYPE_DRAWING_AREA, "accessible-role", GTK_ACCESSIBLE_ROLE_IMG, NULL);

        gtk_drawing_area_set_content_width(GTK_DRAWING_AREA(ticks), WIDTH);
        gtk_drawing_area_set_content_height(GTK_DRAWING_AREA(ticks), HEIGHT);
        gtk_drawing_area_set_draw_func(GTK_DRAWING_AREA(ticks), draw, NULL, NULL);
        gtk_widget_set_valign(ticks, GTK_ALIGN_CENTER);
        gtk_widget_add_css_class(ticks, "ticks");
        return ticks;
}

void ticks_set(GtkWidget *ticks, enum deskbell_message_state state)
{
        bool is_shown = state == DESKBELL_QUEUED || state == DESKBELL_SENT || state == DESKBELL_DELIVERED ||
                        state == DESKBELL_READ;

        gtk_widget_set_visible(ticks, is_shown);
        g_object_set_data(G_OBJECT(ticks), "state", GINT_TO_POINTER((int)state));
        if (state == DESKBELL_READ)
                gtk_widget_add_css_class(ticks, "read");
        else
                gtk_widget_remove_css_class(ticks, "read");
        gtk_widget_queue_draw(ticks);
}
