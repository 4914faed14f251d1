/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a message: a picture where there is one, else a line with name and size; how far it is on its way, and
 * buttons to pause, cancel or save. Names of files are plain text and never a path. */
#include "row_private.h"

enum { MAX_WIDTH = 240, MAX_HEIGHT = 220 };

static struct row *row_of(GtkWidget *widget)
{
        return g_object_get_data(G_OBJECT(widget), "row");
}

static unsigned index_of(GtkWidget *widget)
{
        return GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(widget), "index"));
}

static void on_look(GtkButton *button, gpointer data)
{
        struct row *row = row_of(GTK_WIDGET(button));

        (void)data;
        if (row->item)
                row->actions->look(row->actions->data, row->item, index_of(GTK_WIDGET(button)));
}

static void on_save(GtkButton *button, gpointer data)
{
        struct row *row = row_of(GTK_WIDGET(button));

        (void)data;
        if (row->item)
                row->actions->save(row->actions->data, row->item, index_of(GTK_WIDGET(button)));
}

static void on_pause(GtkButton *button, gpointer data)
{
        struct row *row = row_of(GTK_WIDGET(button));

        (void)data;
        if (row->item)
                row->actions->pause(row->actions->data, row->item);
}

static void on_cancel(GtkButton *button, gpointer data)
{
        struct row *row = row_of(GTK_WIDGET(button));

        (void)data;
        if (row->item)
                row->actions->cancel(row->actions->data, row->item);
}

static void bind(GtkWidget *button, struct row *row, unsigned index, GCallback clicked)
{
        g_object_set_data(G_OBJECT(button), "row", row);
        g_object_set_data(G_OBJECT(button), "index", GUINT_TO_POINTER(index));
        g_signal_connect(button, "clicked", clicked, NULL);
}

static GtkWidget *icon_button_new(struct row *row, unsigned index, const char *icon, const char *what,
                                  GCallback clicked)
{
        GtkWidget *button = gtk_button_new_from_icon_name(icon);

        gtk_widget_add_css_class(button, "file-button");
        gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
        gtk_widget_set_tooltip_text(button, what);
        gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL, what, -1);
        bind(button, row, index, clicked);
        return button;
}

/* ---- how far it is ----------------------------------------------------------------------------------------------- */

static void draw_bar(GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer data)
{
        const double *fraction = g_object_get_data(G_OBJECT(area), "fraction");
        GdkRGBA colour;

        (void)data;
        gtk_style_context_get_color(gtk_widget_get_style_context(GTK_WIDGET(area)), &colour);
        cairo_set_source_rgba(cr, colour.red, colour.green, colour.blue, 0.25);
        cairo_rectangle(cr, 0, 0, width, height);
        cairo_fill(cr);
        gdk_cairo_set_source_rgba(cr, &colour);
        cairo_rectangle(cr, 0, 0, width * *fraction, height);
        cairo_fill(cr);
}

static GtkWidget *bar_new(void)
{
        GtkWidget *bar = g_object_new(GTK_TYPE_DRAWING_AREA, "accessible-role", GTK_ACCESSIBLE_ROLE_PROGRESS_BAR, NULL);

        g_object_set_data_full(G_OBJECT(bar), "fraction", g_new0(double, 1), g_free);
        gtk_drawing_area_set_content_height(GTK_DRAWING_AREA(bar), 4);
        gtk_drawing_area_set_draw_func(GTK_DRAWING_AREA(bar), draw_bar, NULL, NULL);
        gtk_widget_set_overflow(bar, GTK_OVERFLOW_HIDDEN);
        gtk_widget_add_css_class(bar, "file-bar");
        return bar;
}

static void bar_set(GtkWidget *bar, double fraction)
{
        *(double *)g_object_get_data(G_OBJECT(bar), "fraction") = CLAMP(fraction, 0, 1);
        gtk_accessible_update_property(GTK_ACCESSIBLE(bar), GTK_ACCESSIBLE_PROPERTY_VALUE_NOW, fraction, -1);
        gtk_widget_queue_draw(bar);
}

/* ---- one file ---------------------------------------------------------------------------------------------------- */

static GtkWidget *picture_new(struct row *row, const struct item_file *file, unsigned index)
{
        GtkWidget *button = gtk_button_new();
        GtkWidget *picture = gtk_picture_new_for_paintable(GDK_PAINTABLE(file->picture));
        int width = gdk_paintable_get_intrinsic_width(GDK_PAINTABLE(file->picture));
        int height = gdk_paintable_get_intrinsic_height(GDK_PAINTABLE(file->picture));
        double scale = MIN(1.0, MIN((double)MAX_WIDTH / MAX(width, 1), (double)MAX_HEIGHT / MAX(height, 1)));

        gtk_widget_set_size_request(picture, MAX(48, (int)(width * scale)), MAX(32, (int)(height * scale)));
        gtk_picture_set_alternative_text(GTK_PICTURE(picture), file->name);
        gtk_widget_set_overflow(button, GTK_OVERFLOW_HIDDEN);
        gtk_button_set_child(GTK_BUTTON(button), picture);
        gtk_widget_add_css_class(button, "picture");
        gtk_widget_set_halign(button, GTK_ALIGN_START);
        gtk_widget_set_tooltip_text(button, file->name);
        bind(button, row, index, G_CALLBACK(on_look));
        return button;
}

static const char *icon_of(const struct item_file *file)
{
        if (g_str_has_prefix(file->media, "image/"))
                return "image-x-generic-symbolic";
        if (g_str_has_prefix(file->media, "video/"))
                return "video-x-generic-symbolic";
        return g_str_has_prefix(file->media, "audio/") ? "audio-x-generic-symbolic" : "text-x-generic-symbolic";
}

static GtkWidget *named_new(struct row *row, const struct item_file *file, unsigned index)
{
        GtkWidget *line = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 10),
                  *texts = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
        GtkWidget *icon = gtk_image_new_from_icon_name(icon_of(file)), *name = gtk_label_new(file->name);
        GtkWidget *size = gtk_label_new(NULL);
        bool is_sending = row->item->number == 0;

        gtk_widget_add_css_class(icon, "file-icon");
        gtk_widget_set_valign(icon, GTK_ALIGN_CENTER);
        gtk_label_set_ellipsize(GTK_LABEL(name), PANGO_ELLIPSIZE_MIDDLE);
        gtk_label_set_max_width_chars(GTK_LABEL(name), 28);
        gtk_label_set_xalign(GTK_LABEL(name), 0);
        gtk_label_set_xalign(GTK_LABEL(size), 0);
        gtk_widget_set_tooltip_text(name, file->name);
        gtk_widget_add_css_class(name, "file-name");
        gtk_widget_add_css_class(size, "file-size");
        gtk_box_append(GTK_BOX(texts), name);
        gtk_box_append(GTK_BOX(texts), size);
        gtk_widget_set_hexpand(texts, TRUE);
        gtk_box_append(GTK_BOX(line), icon);
        gtk_box_append(GTK_BOX(line), texts);
        if (!is_sending)
                gtk_box_append(GTK_BOX(line),
                               icon_button_new(row, index, "document-save-symbolic", "Save…", G_CALLBACK(on_save)));
        g_object_set_data(G_OBJECT(line), "size", size);
        return line;
}

static GtkWidget *file_new(struct row *row, unsigned index)
{
        const struct item_file *file = item_file_at(row->item, index);
        GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 4), *bar = bar_new(), *shown;

        shown = file->picture ? picture_new(row, file, index) : named_new(row, file, index);
        gtk_widget_add_css_class(box, "file");
        gtk_box_append(GTK_BOX(box), shown);
        gtk_box_append(GTK_BOX(box), bar);
        g_object_set_data(G_OBJECT(box), "bar", bar);
        g_object_set_data(G_OBJECT(box), "size", g_object_get_data(G_OBJECT(shown), "size"));
        return box;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

char *row_files_sign(const ChatItem *item)
{
        GString *sign = g_string_new(NULL);

        for (unsigned i = 0; item->files && i < item->files->len; i++) {
                const struct item_file *file = item->files->pdata[i];
                g_string_append_printf(sign, "%s %d %d;", file->id, (int)file->place, file->picture != NULL);
        }
        g_string_append_printf(sign, "%d %d %d", item->state == DESKBELL_UPLOADING, item->is_paused, item->number > 0);
        return g_string_free(sign, FALSE);
}

GtkWidget *row_files_new(struct row *row)
{
        ChatItem *item = row->item;
        GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);

        for (unsigned i = 0; i < item->files->len; i++) {
                gtk_box_append(GTK_BOX(box), file_new(row, i));
                row->actions->want(row->actions->data, item, i);
        }
        if (item->state == DESKBELL_UPLOADING) {
                GtkWidget *buttons = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 4);
                gtk_widget_set_halign(buttons, GTK_ALIGN_END);
                gtk_box_append(GTK_BOX(buttons), item->is_paused
                                                         ? icon_button_new(row, 0, "media-playback-start-symbolic",
                                                                           "Go on", G_CALLBACK(on_pause))
                                                         : icon_button_new(row, 0, "media-playback-pause-symbolic",
                                                                           "Pause", G_CALLBACK(on_pause)));
                gtk_box_append(GTK_BOX(buttons), icon_button_new(row, 0, "window-close-symbolic", "Do not send it",
                                                                 G_CALLBACK(on_cancel)));
                gtk_box_append(GTK_BOX(box), buttons);
        }
        return box;
}

static char *size_text(const ChatItem *item, const struct item_file *file)
{
        g_autofree char *size = file->size >= 0 ? g_format_size((guint64)file->size) : g_strdup("");

        if (file->place == FILE_REFUSED)
                return g_strdup("Could not be fetched");
        if (item->state == DESKBELL_UPLOADING && item->is_paused)
                return g_strdup_printf("%s, paused", size);
        return g_steal_pointer(&size);
}

void row_files_progress(GtkWidget *files, const ChatItem *item)
{
        GtkWidget *box = gtk_widget_get_first_child(files);

        for (unsigned i = 0; i < item->files->len && box; i++, box = gtk_widget_get_next_sibling(box)) {
                const struct item_file *file = item->files->pdata[i];
                GtkWidget *bar = g_object_get_data(G_OBJECT(box), "bar");
                GtkWidget *size = g_object_get_data(G_OBJECT(box), "size");
                g_autofree char *text = size_text(item, file);
                bool is_moving = item->state == DESKBELL_UPLOADING || file->place == FILE_FETCHING;
                gtk_widget_set_visible(bar, is_moving);
                if (file->total > 0)
                        bar_set(bar, (double)file->done / (double)file->total);
                if (size)
                        gtk_label_set_text(GTK_LABEL(size), text);
        }
}
