/* SPDX-License-Identifier: Apache-2.0 */
/* Keys first: Enter is looked at before the text view sees it, and offered to the input method; only what the input
 * method leaves alone while nothing is being composed sends. The draft is written half a second after the last change
 * and at the end. */
#include "composer.h"

#include <glib/gstdio.h>
#include <string.h>

#include "clamp.h"
#include "markup.h"

enum { MAX_CHARS = 10000, WARN_CHARS = 9500, DRAFT_MS = 500, MAX_HEIGHT = 168 };

struct composer {
        struct composer_listener listener;
        char *draft_path, *key;
        guint draft_timer;
        bool is_composing; /* an input method shows letters that are not text yet */
        bool is_quiet;     /* the text is changed by us: nobody is typing */
        int64_t reply_to, editing, version;
        char *kept; /* what was being written before an edit began */
        struct staging *staging;
        GtkWidget *root, *context, *context_who, *context_text, *view, *hint, *count, *send;
        GtkTextBuffer *buffer;
};

/* ---- drafts ------------------------------------------------------------------------------------------------------ */

static char *text_of(struct composer *composer)
{
        GtkTextIter start, end;

        gtk_text_buffer_get_bounds(composer->buffer, &start, &end);
        return gtk_text_buffer_get_text(composer->buffer, &start, &end, FALSE);
}

static void save_draft(struct composer *composer)
{
        g_autoptr(GKeyFile) file = g_key_file_new();
        g_autofree char *text = composer->editing ? g_strdup(composer->kept ? composer->kept : "") : text_of(composer);

        g_key_file_load_from_file(file, composer->draft_path, G_KEY_FILE_NONE, NULL);
        if (*text)
                g_key_file_set_string(file, "drafts", composer->key, text);
        else
                g_key_file_remove_key(file, "drafts", composer->key, NULL);
        gsize len = 0;
        g_autofree char *bytes = g_key_file_to_data(file, &len, NULL);
        if (!g_file_set_contents_full(composer->draft_path, bytes, (gssize)len, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                      NULL))
                g_warning("The draft could not be kept.");
}

static gboolean on_draft_timer(gpointer data)
{
        struct composer *composer = data;

        composer->draft_timer = 0;
        save_draft(composer);
        return G_SOURCE_REMOVE;
}

static void set_text(struct composer *composer, const char *text)
{
        composer->is_quiet = true;
        gtk_text_buffer_set_text(composer->buffer, text, -1);
        composer->is_quiet = false;
}

static void load_draft(struct composer *composer)
{
        g_autoptr(GKeyFile) file = g_key_file_new();

        if (!g_key_file_load_from_file(file, composer->draft_path, G_KEY_FILE_NONE, NULL))
                return;
        g_autofree char *text = g_key_file_get_string(file, "drafts", composer->key, NULL);
        if (text && g_utf8_validate(text, -1, NULL))
                set_text(composer, text);
}

/* ---- what is written --------------------------------------------------------------------------------------------- */

static void show_count(struct composer *composer)
{
        int chars = gtk_text_buffer_get_char_count(composer->buffer);
        bool is_empty = chars == 0, has_files = staging_files(composer->staging)->len > 0;

        gtk_widget_set_visible(composer->hint, is_empty && !composer->is_composing);
        gtk_widget_set_sensitive(composer->send, (!is_empty || has_files) && chars <= MAX_CHARS);
        gtk_widget_set_visible(composer->count, chars > WARN_CHARS);
        if (chars > WARN_CHARS) {
                g_autofree char *text = g_strdup_printf("%d", MAX_CHARS - chars);
                gtk_label_set_text(GTK_LABEL(composer->count), text);
        }
}

static void on_changed(GtkTextBuffer *buffer, gpointer data)
{
        struct composer *composer = data;

        (void)buffer;
        show_count(composer);
        if (composer->is_quiet)
                return;
        if (gtk_text_buffer_get_char_count(composer->buffer) > 0)
                composer->listener.typing(composer->listener.data);
        if (!composer->draft_timer)
                composer->draft_timer = g_timeout_add(DRAFT_MS, on_draft_timer, composer);
}

static void show_context(struct composer *composer, const char *who, const char *text)
{
        gtk_label_set_text(GTK_LABEL(composer->context_who), who ? who : "");
        gtk_label_set_text(GTK_LABEL(composer->context_text), text ? text : "");
        gtk_revealer_set_reveal_child(GTK_REVEALER(composer->context), who != NULL);
}

bool composer_cancel(struct composer *composer)
{
        bool had = composer->reply_to || composer->editing;

        if (composer->editing)
                set_text(composer, composer->kept ? composer->kept : "");
        g_clear_pointer(&composer->kept, g_free);
        composer->reply_to = composer->editing = composer->version = 0;
        show_context(composer, NULL, NULL);
        return had;
}

void composer_reply(struct composer *composer, ChatItem *item)
{
        g_autofree char *who = g_strdup_printf("Reply to %s", item->is_mine ? "yourself" : item_who(item));
        g_autofree char *preview = markup_preview(*item->text ? item->text : item->title, 120);

        composer_cancel(composer);
        composer->reply_to = item->number;
        show_context(composer, who, preview);
        composer_focus(composer);
}

void composer_edit(struct composer *composer, ChatItem *item)
{
        g_autofree char *preview = markup_preview(item->text, 120);

        composer_cancel(composer);
        composer->kept = text_of(composer);
        composer->editing = item->number;
        composer->version = item->version;
        show_context(composer, "Edit message", preview);
        set_text(composer, item->text);
        composer_focus(composer);
}

static bool hand_over(struct composer *composer, const char *text)
{
        const GPtrArray *files = staging_files(composer->staging);

        if (files->len == 0 || composer->editing)
                return *text && composer->listener.send(composer->listener.data, text, composer->reply_to,
                                                        composer->editing, composer->version);
        if (!composer->listener.send_files(composer->listener.data, files, text, composer->reply_to))
                return false;
        staging_clear(composer->staging);
        return true;
}

void composer_send(struct composer *composer)
{
        g_autofree char *text = text_of(composer);

        g_strstrip(text);
        if (g_utf8_strlen(text, -1) > MAX_CHARS || !hand_over(composer, text))
                return;
        if (!composer->editing)
                set_text(composer, "");
        composer_cancel(composer);
        g_clear_handle_id(&composer->draft_timer, g_source_remove);
        save_draft(composer);
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

/* The input method is asked first. What was being composed when the key went down is ended by this Enter, and not sent
 * by it: in Korean, Chinese and Japanese that is how a word is taken. */
static bool on_enter(struct composer *composer, GtkEventControllerKey *controller, GdkModifierType mods)
{
        bool was_composing = composer->is_composing;
        GdkEvent *event = gtk_event_controller_get_current_event(GTK_EVENT_CONTROLLER(controller));

        if (gtk_text_view_im_context_filter_keypress(GTK_TEXT_VIEW(composer->view), event) || was_composing)
                return true;
        if (mods & (GDK_SHIFT_MASK | GDK_ALT_MASK))
                gtk_text_buffer_insert_interactive_at_cursor(composer->buffer, "\n", 1, TRUE);
        else
                composer_send(composer);
        return true;
}

static gboolean on_key(GtkEventControllerKey *controller, guint key, guint code, GdkModifierType mods, gpointer data)
{
        struct composer *composer = data;

        (void)code;
        if (key == GDK_KEY_Return || key == GDK_KEY_KP_Enter || key == GDK_KEY_ISO_Enter)
                return on_enter(composer, controller, mods);
        if (composer->is_composing)
                return FALSE;
        if (key == GDK_KEY_Escape)
                return composer_cancel(composer);
        if (key == GDK_KEY_Up && gtk_text_buffer_get_char_count(composer->buffer) == 0 && !composer->editing) {
                composer->listener.edit_last(composer->listener.data);
                return TRUE;
        }
        if (key == GDK_KEY_Tab && !(mods & GDK_CONTROL_MASK))
                return gtk_widget_child_focus(GTK_WIDGET(gtk_widget_get_root(composer->root)), GTK_DIR_TAB_FORWARD);
        return FALSE;
}

static void on_preedit(GtkTextView *view, const char *preedit, gpointer data)
{
        struct composer *composer = data;

        (void)view;
        composer->is_composing = *preedit != 0;
        show_count(composer);
        if (composer->is_composing)
                composer->listener.typing(composer->listener.data);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

bool composer_attach(struct composer *composer, const char *path)
{
        return staging_add_path(composer->staging, path);
}

static void on_staged(void *data)
{
        struct composer *composer = data;

        if (composer->send)
                show_count(composer);
}

static void on_attach(GtkButton *button, gpointer data)
{
        struct composer *composer = data;

        (void)button;
        composer->listener.attach(composer->listener.data);
}

static void on_pasted(GObject *clipboard, GAsyncResult *result, gpointer data)
{
        GtkWidget *view = data;
        struct composer *composer = g_object_get_data(G_OBJECT(view), "composer");
        GdkTexture *picture = gdk_clipboard_read_texture_finish(GDK_CLIPBOARD(clipboard), result, NULL);

        if (picture && composer)
                staging_add_picture(composer->staging, picture);
        g_clear_object(&picture);
        g_object_unref(view);
}

/* A picture without words is attached; all else is the text view's. */
static void on_paste(GtkTextView *view, gpointer data)
{
        GdkClipboard *clipboard = gtk_widget_get_clipboard(GTK_WIDGET(view));
        GdkContentFormats *formats = gdk_clipboard_get_formats(clipboard);

        (void)data;
        if (gdk_content_formats_contain_gtype(formats, G_TYPE_STRING) ||
            !gdk_content_formats_contain_gtype(formats, GDK_TYPE_TEXTURE))
                return;
        g_signal_stop_emission_by_name(view, "paste-clipboard");
        gdk_clipboard_read_texture_async(clipboard, NULL, on_pasted, g_object_ref(view));
}

static void on_send(GtkButton *button, gpointer data)
{
        (void)button;
        composer_send(data);
        composer_focus(data);
}

static void on_cancel(GtkButton *button, gpointer data)
{
        (void)button;
        composer_cancel(data);
        composer_focus(data);
}

/* ---- building ---------------------------------------------------------------------------------------------------- */

static GtkWidget *icon_button_new(const char *icon, const char *what, const char *class)
{
        GtkWidget *button = gtk_button_new_from_icon_name(icon);

        gtk_widget_set_tooltip_text(button, what);
        gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL, what, -1);
        gtk_widget_add_css_class(button, class);
        return button;
}

static GtkWidget *build_context(struct composer *composer)
{
        GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8), *texts = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
        GtkWidget *close = icon_button_new("window-close-symbolic", "Cancel", "flat");

        composer->context_who = gtk_label_new(NULL);
        composer->context_text = gtk_label_new(NULL);
        gtk_widget_add_css_class(composer->context_who, "quote-who");
        gtk_widget_add_css_class(composer->context_text, "quote-text");
        GtkWidget *labels[] = {composer->context_who, composer->context_text};
        for (size_t i = 0; i < G_N_ELEMENTS(labels); i++) {
                gtk_label_set_xalign(GTK_LABEL(labels[i]), 0);
                gtk_label_set_ellipsize(GTK_LABEL(labels[i]), PANGO_ELLIPSIZE_END);
                gtk_box_append(GTK_BOX(texts), labels[i]);
        }
        gtk_widget_set_hexpand(texts, TRUE);
        gtk_widget_set_valign(close, GTK_ALIGN_CENTER);
        gtk_widget_add_css_class(close, "circular");
        g_signal_connect(close, "clicked", G_CALLBACK(on_cancel), composer);
        gtk_box_append(GTK_BOX(row), texts);
        gtk_box_append(GTK_BOX(row), close);
        gtk_widget_add_css_class(row, "context");
        composer->context = gtk_revealer_new();
        gtk_revealer_set_child(GTK_REVEALER(composer->context), row);
        return composer->context;
}

static GtkWidget *build_view(struct composer *composer)
{
        GtkWidget *scroller = gtk_scrolled_window_new(), *overlay = gtk_overlay_new();
        GtkEventController *keys = gtk_event_controller_key_new();

        composer->view = gtk_text_view_new();
        composer->buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(composer->view));
        gtk_text_view_set_wrap_mode(GTK_TEXT_VIEW(composer->view), GTK_WRAP_WORD_CHAR);
        gtk_text_view_set_accepts_tab(GTK_TEXT_VIEW(composer->view), FALSE);
        gtk_text_buffer_set_enable_undo(composer->buffer, TRUE);
        gtk_accessible_update_property(GTK_ACCESSIBLE(composer->view), GTK_ACCESSIBLE_PROPERTY_LABEL, "Message", -1);
        gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
        g_signal_connect(keys, "key-pressed", G_CALLBACK(on_key), composer);
        gtk_widget_add_controller(composer->view, keys);
        g_object_set_data(G_OBJECT(composer->view), "composer", composer);
        g_signal_connect(composer->view, "paste-clipboard", G_CALLBACK(on_paste), composer);
        g_signal_connect(composer->view, "preedit-changed", G_CALLBACK(on_preedit), composer);
        g_signal_connect(composer->buffer, "changed", G_CALLBACK(on_changed), composer);

        /* No bar: it would make a line of text as high as three. Wheel and cursor move it. */
        gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER, GTK_POLICY_EXTERNAL);
        gtk_scrolled_window_set_propagate_natural_height(GTK_SCROLLED_WINDOW(scroller), TRUE);
        gtk_scrolled_window_set_max_content_height(GTK_SCROLLED_WINDOW(scroller), MAX_HEIGHT);
        gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), composer->view);
        gtk_widget_set_hexpand(scroller, TRUE);
        gtk_widget_set_valign(scroller, GTK_ALIGN_CENTER);
        composer->hint = gtk_label_new("Write a message…");
        gtk_widget_add_css_class(composer->hint, "hint");
        gtk_widget_set_halign(composer->hint, GTK_ALIGN_START);
        gtk_widget_set_valign(composer->hint, GTK_ALIGN_CENTER);
        gtk_widget_set_can_target(composer->hint, FALSE);
        gtk_overlay_set_child(GTK_OVERLAY(overlay), scroller);
        gtk_overlay_add_overlay(GTK_OVERLAY(overlay), composer->hint);
        gtk_widget_set_hexpand(overlay, TRUE);
        return overlay;
}

static GtkWidget *build_entry(struct composer *composer)
{
        GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
        GtkWidget *attach = icon_button_new("mail-attachment-symbolic", "Attach files", "attach");

        g_signal_connect(attach, "clicked", G_CALLBACK(on_attach), composer);
        gtk_widget_set_valign(attach, GTK_ALIGN_END);
        gtk_box_append(GTK_BOX(row), attach);
        composer->count = gtk_label_new(NULL);
        gtk_widget_add_css_class(composer->count, "count");
        composer->send = icon_button_new("go-up-symbolic", "Send (Enter)", "send");
        g_signal_connect(composer->send, "clicked", G_CALLBACK(on_send), composer);
        gtk_widget_set_valign(composer->send, GTK_ALIGN_END);
        gtk_box_append(GTK_BOX(row), build_view(composer));
        gtk_box_append(GTK_BOX(row), composer->count);
        gtk_box_append(GTK_BOX(row), composer->send);
        gtk_widget_add_css_class(row, "entry-box");
        return row;
}

struct composer *composer_new(const char *draft_path, const char *key, const struct composer_listener *listener)
{
        struct composer *composer = g_new0(struct composer, 1);
        GtkWidget *column = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);

        composer->listener = *listener;
        composer->draft_path = g_strdup(draft_path);
        composer->key = g_strdup(key);
        composer->staging = staging_new(on_staged, composer);
        gtk_box_append(GTK_BOX(column), build_context(composer));
        gtk_box_append(GTK_BOX(column), staging_widget(composer->staging));
        gtk_box_append(GTK_BOX(column), build_entry(composer));
        composer->root = g_object_ref_sink(clamp_new(column, CLAMP_COLUMN));
        gtk_widget_add_css_class(composer->root, "composer");
        load_draft(composer);
        show_count(composer);
        return composer;
}

struct composer *composer_free(struct composer *composer)
{
        if (!composer)
                return NULL;
        g_clear_handle_id(&composer->draft_timer, g_source_remove);
        save_draft(composer);
        g_signal_handlers_disconnect_by_data(composer->view, composer);
        g_signal_handlers_disconnect_by_data(composer->buffer, composer);
        g_object_set_data(G_OBJECT(composer->view), "composer", NULL);
        staging_free(composer->staging);
        g_object_unref(composer->root);
        g_free(composer->kept);
        g_free(composer->draft_path);
        g_free(composer->key);
        g_free(composer);
        return NULL;
}

GtkWidget *composer_widget(struct composer *composer)
{
        return composer->root;
}

void composer_focus(struct composer *composer)
{
        gtk_widget_grab_focus(composer->view);
}
