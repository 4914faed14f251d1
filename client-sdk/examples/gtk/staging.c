/* SPDX-License-Identifier: Apache-2.0 */
/* A list of files and a row of chips that shows it. */
#include "staging.h"

struct staging {
        void (*changed)(void *data);
        void *data;
        GPtrArray *files;
        GtkWidget *root, *chips;
};

static void staged_free(void *data)
{
        struct staged_file *file = data;

        g_free(file->path);
        g_free(file->name);
        g_clear_pointer(&file->bytes, g_bytes_unref);
        g_clear_object(&file->picture);
        g_free(file);
}

static void show(struct staging *staging);

static void on_remove(GtkButton *button, gpointer data)
{
        struct staging *staging = data;

        g_ptr_array_remove(staging->files, g_object_get_data(G_OBJECT(button), "file"));
        show(staging);
}

static GtkWidget *chip_new(struct staging *staging, struct staged_file *file)
{
        GtkWidget *chip = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 4), *name = gtk_label_new(file->name);
        GtkWidget *remove = gtk_button_new_from_icon_name("window-close-symbolic");
        g_autofree char *what = g_strdup_printf("Do not attach %s", file->name);

        gtk_label_set_ellipsize(GTK_LABEL(name), PANGO_ELLIPSIZE_MIDDLE);
        gtk_label_set_max_width_chars(GTK_LABEL(name), 20);
        gtk_widget_add_css_class(chip, "chip");
        gtk_widget_add_css_class(remove, "flat");
        gtk_widget_add_css_class(remove, "circular");
        gtk_accessible_update_property(GTK_ACCESSIBLE(remove), GTK_ACCESSIBLE_PROPERTY_LABEL, what, -1);
        g_object_set_data(G_OBJECT(remove), "file", file);
        g_signal_connect(remove, "clicked", G_CALLBACK(on_remove), staging);
        gtk_box_append(GTK_BOX(chip), gtk_image_new_from_icon_name("mail-attachment-symbolic"));
        gtk_box_append(GTK_BOX(chip), name);
        gtk_box_append(GTK_BOX(chip), remove);
        return chip;
}

static void show(struct staging *staging)
{
        GtkFlowBox *chips = GTK_FLOW_BOX(staging->chips);
        GtkWidget *child;

        while ((child = gtk_widget_get_first_child(staging->chips)))
                gtk_flow_box_remove(chips, child);
        for (unsigned i = 0; i < staging->files->len; i++)
                gtk_flow_box_insert(chips, chip_new(staging, staging->files->pdata[i]), -1);
        gtk_revealer_set_reveal_child(GTK_REVEALER(staging->root), staging->files->len > 0);
        staging->changed(staging->data);
}

struct staging *staging_new(void (*changed)(void *data), void *data)
{
        struct staging *staging = g_new0(struct staging, 1);

        staging->changed = changed;
        staging->data = data;
        staging->files = g_ptr_array_new_with_free_func(staged_free);
        staging->chips = gtk_flow_box_new();
        gtk_flow_box_set_selection_mode(GTK_FLOW_BOX(staging->chips), GTK_SELECTION_NONE);
        gtk_flow_box_set_max_children_per_line(GTK_FLOW_BOX(staging->chips), 4);
        gtk_widget_add_css_class(staging->chips, "chips");
        gtk_widget_set_halign(staging->chips, GTK_ALIGN_START);
        staging->root = g_object_ref_sink(gtk_revealer_new());
        gtk_revealer_set_child(GTK_REVEALER(staging->root), staging->chips);
        return staging;
}

struct staging *staging_free(struct staging *staging)
{
        if (!staging)
                return NULL;
        g_ptr_array_unref(staging->files);
        g_object_unref(staging->root);
        g_free(staging);
        return NULL;
}

GtkWidget *staging_widget(struct staging *staging)
{
        return staging->root;
}

static bool add(struct staging *staging, const char *path, GBytes *bytes, GdkTexture *picture, const char *name)
{
        if (staging->files->len >= STAGING_MAX)
                return false;
        struct staged_file *file = g_new0(struct staged_file, 1);
        file->path = g_strdup(path);
        file->bytes = bytes ? g_bytes_ref(bytes) : NULL;
        file->picture = picture ? g_object_ref(picture) : NULL;
        file->name = g_utf8_make_valid(name, -1);
        g_ptr_array_add(staging->files, file);
        show(staging);
        return true;
}

bool staging_add_path(struct staging *staging, const char *path)
{
        g_autofree char *name = g_path_get_basename(path);

        return add(staging, path, NULL, NULL, name);
}

bool staging_add_picture(struct staging *staging, GdkTexture *picture)
{
        g_autoptr(GBytes) bytes = gdk_texture_save_to_png_bytes(picture);
        g_autoptr(GDateTime) now = g_date_time_new_now_local();
        g_autofree char *name = g_date_time_format(now, "Picture %Y-%m-%d %H-%M-%S.png");

        return add(staging, NULL, bytes, picture, name);
}

void staging_clear(struct staging *staging)
{
        g_ptr_array_set_size(staging->files, 0);
        show(staging);
}

const GPtrArray *staging_files(const struct staging *staging)
{
        return staging->files;
}
