/* SPDX-License-Identifier: Apache-2.0 */
/* Files in the window: chosen, dropped, sent, looked at, saved. */
#include "window_private.h"

void window_attach(struct window *window, const char *path)
{
        if (!composer_attach(window->composer, path))
                banner_say(window->banner, "At most ten files go with one message.");
}

void window_send_draft(struct window *window)
{
        composer_send(window->composer);
}

bool window_send_files(void *data, const GPtrArray *files, const char *text, int64_t reply_to)
{
        struct window *window = data;
        int rc = talk_send_files(window->talk, files, text, reply_to);

        if (rc == DESKBELL_E_NOT_FOUND)
                banner_say(window->banner, "A file is not there any more or cannot be read.");
        else
                window_say_error(window, rc);
        if (rc == DESKBELL_OK)
                window_to_end(window);
        return rc == DESKBELL_OK;
}

/* ---- choosing and dropping --------------------------------------------------------------------------------------- */

static void attach_file(struct window *window, GFile *file)
{
        g_autofree char *path = g_file_get_path(file);

        if (path)
                window_attach(window, path);
        else
                banner_say(window->banner, "Only files of this computer can be attached.");
}

static void on_chosen(GtkNativeDialog *dialog, int answer, gpointer data)
{
        if (answer == GTK_RESPONSE_ACCEPT) {
                g_autoptr(GListModel) files = gtk_file_chooser_get_files(GTK_FILE_CHOOSER(dialog));
                for (unsigned i = 0, n = g_list_model_get_n_items(files); i < n; i++) {
                        g_autoptr(GFile) file = g_list_model_get_item(files, i);
                        attach_file(data, file);
                }
        }
        g_object_unref(dialog);
}

void window_choose_files(void *data)
{
        struct window *window = data;
        GtkFileChooserNative *dialog = gtk_file_chooser_native_new("Attach files", GTK_WINDOW(window->widget),
                                                                   GTK_FILE_CHOOSER_ACTION_OPEN, "Attach", "Cancel");

        gtk_file_chooser_set_select_multiple(GTK_FILE_CHOOSER(dialog), TRUE);
        g_signal_connect(dialog, "response", G_CALLBACK(on_chosen), window);
        gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static gboolean on_drop(GtkDropTarget *target, const GValue *value, double x, double y, gpointer data)
{
        (void)target;
        (void)x;
        (void)y;
        for (GSList *each = g_value_get_boxed(value); each; each = each->next)
                attach_file(data, each->data);
        return TRUE;
}

void window_accept_drops(struct window *window)
{
        GtkDropTarget *target = gtk_drop_target_new(GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);

        g_signal_connect(target, "drop", G_CALLBACK(on_drop), window);
        gtk_widget_add_controller(window->widget, GTK_EVENT_CONTROLLER(target));
}

/* ---- files of messages ------------------------------------------------------------------------------------------- */

static void on_want(void *data, ChatItem *item, unsigned index)
{
        shelf_want(((struct window *)data)->shelf, item, index);
}

static void save_from_viewer(GtkButton *button, gpointer data)
{
        struct window *window = data;
        ChatItem *item = g_object_get_data(G_OBJECT(button), "item");

        window->row_actions.save(window, item, GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(button), "index")));
}

static gboolean close_viewer(GtkWidget *viewer, GVariant *args, gpointer data)
{
        (void)args;
        (void)data;
        gtk_window_close(GTK_WINDOW(viewer));
        return TRUE;
}

static void on_look(void *data, ChatItem *item, unsigned index)
{
        struct window *window = data;
        const struct item_file *file = item_file_at(item, index);
        GtkWidget *viewer, *picture, *bar, *save;
        GtkEventController *keys = gtk_shortcut_controller_new();

        viewer = gtk_window_new();
        picture = file->path ? gtk_picture_new_for_filename(file->path)
                             : gtk_picture_new_for_paintable(GDK_PAINTABLE(file->picture));
        gtk_picture_set_alternative_text(GTK_PICTURE(picture), file->name);
        bar = gtk_header_bar_new();
        save = gtk_button_new_from_icon_name("document-save-symbolic");
        gtk_widget_set_tooltip_text(save, "Save…");
        gtk_widget_add_css_class(save, "flat");
        g_object_set_data_full(G_OBJECT(save), "item", g_object_ref(item), g_object_unref);
        g_object_set_data(G_OBJECT(save), "index", GUINT_TO_POINTER(index));
        g_signal_connect(save, "clicked", G_CALLBACK(save_from_viewer), window);
        gtk_header_bar_pack_start(GTK_HEADER_BAR(bar), save);
        gtk_window_set_titlebar(GTK_WINDOW(viewer), bar);
        gtk_window_set_title(GTK_WINDOW(viewer), file->name);
        gtk_window_set_child(GTK_WINDOW(viewer), picture);
        gtk_window_set_transient_for(GTK_WINDOW(viewer), GTK_WINDOW(window->widget));
        gtk_window_set_destroy_with_parent(GTK_WINDOW(viewer), TRUE);
        gtk_window_set_default_size(GTK_WINDOW(viewer), 800, 640);
        gtk_widget_add_css_class(viewer, "support");
        gtk_shortcut_controller_add_shortcut(GTK_SHORTCUT_CONTROLLER(keys),
                                             gtk_shortcut_new(gtk_keyval_trigger_new(GDK_KEY_Escape, 0),
                                                              gtk_callback_action_new(close_viewer, NULL, NULL)));
        gtk_widget_add_controller(viewer, keys);
        gtk_window_present(GTK_WINDOW(viewer));
}

static void on_save_chosen(GtkNativeDialog *dialog, int answer, gpointer data)
{
        struct window *window = data;

        if (answer == GTK_RESPONSE_ACCEPT) {
                g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
                g_autofree char *path = file ? g_file_get_path(file) : NULL;
                if (path)
                        shelf_save(window->shelf, g_object_get_data(G_OBJECT(dialog), "item"),
                                   GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(dialog), "index")), path);
        }
        g_object_unref(dialog);
}

/* The dialog proposes the sender's name of the file without what would make it a path or hide it. */
static void on_save(void *data, ChatItem *item, unsigned index)
{
        struct window *window = data;
        const struct item_file *file = item_file_at(item, index);
        g_autofree char *name = g_strdup(file->name);
        GtkFileChooserNative *dialog = gtk_file_chooser_native_new("Save file", GTK_WINDOW(window->widget),
                                                                   GTK_FILE_CHOOSER_ACTION_SAVE, "Save", "Cancel");

        g_strdelimit(name, "/\\:", '_');
        gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(dialog), name[0] == '.' ? "file" : name);
        g_object_set_data_full(G_OBJECT(dialog), "item", g_object_ref(item), g_object_unref);
        g_object_set_data(G_OBJECT(dialog), "index", GUINT_TO_POINTER(index));
        g_signal_connect(dialog, "response", G_CALLBACK(on_save_chosen), window);
        gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static void on_pause(void *data, ChatItem *item)
{
        struct window *window = data;

        window_say_error(window, talk_upload(window->talk, item->cmid, !item->is_paused));
}

static void on_cancel(void *data, ChatItem *item)
{
        struct window *window = data;

        window_say_error(window, talk_upload_cancel(window->talk, item->cmid));
}

void window_fill_file_actions(struct window *window)
{
        window->row_actions.want = on_want;
        window->row_actions.look = on_look;
        window->row_actions.save = on_save;
        window->row_actions.pause = on_pause;
        window->row_actions.cancel = on_cancel;
}
