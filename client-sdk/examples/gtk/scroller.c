/* SPDX-License-Identifier: Apache-2.0 */
/* A GtkListView keeps its place by itself as long as nobody else moves it, so the adjustment is moved here only to stay
 * at the end. Whether the user left the end is told from a change of the value that comes without a change of the size:
 * rows that are measured later than they are shown change both. */
#include "scroller.h"

#include "clamp.h"

enum { NEAR_END = 24, MARK_MS = 1600 };

struct scroller {
        struct scroller_listener listener;
        struct transcript *transcript;
        GtkWidget *root, *list, *empty, *button, *count, *spinner, *typing, *typing_label;
        GtkAdjustment *adjustment;
        double value, upper, page; /* as last seen */
        bool keeps_end, was_at_end;
        guint end_idle, mark_timer, top_idle;
        ChatItem *marked;
};

bool scroller_is_at_end(const struct scroller *scroller)
{
        return scroller->keeps_end;
}

double scroller_place(const struct scroller *scroller)
{
        double room = scroller->upper - scroller->page;

        return room > 0 ? scroller->value / room : 1;
}

/* ---- keeping the place ------------------------------------------------------------------------------------------- */

static void show_button(struct scroller *scroller)
{
        bool is_shown = !scroller->keeps_end && scroller->upper > scroller->page + NEAR_END;

        gtk_revealer_set_reveal_child(GTK_REVEALER(scroller->button), is_shown);
        gtk_widget_set_can_target(scroller->button, is_shown);
        if (scroller->keeps_end != scroller->was_at_end) {
                scroller->was_at_end = scroller->keeps_end;
                scroller->listener.end_reached(scroller->listener.data, scroller->keeps_end);
        }
}

static gboolean move_to_end(gpointer data)
{
        struct scroller *scroller = data;
        unsigned n = g_list_model_get_n_items(transcript_model(scroller->transcript));

        scroller->end_idle = 0;
        if (scroller->keeps_end && n > 0) {
                gtk_widget_activate_action(scroller->list, "list.scroll-to-item", "u", n - 1);
                gtk_adjustment_set_value(scroller->adjustment, gtk_adjustment_get_upper(scroller->adjustment));
        }
        return G_SOURCE_REMOVE;
}

static void want_end(struct scroller *scroller)
{
        if (scroller->keeps_end && !scroller->end_idle)
                scroller->end_idle = g_idle_add_full(G_PRIORITY_HIGH_IDLE, move_to_end, scroller, NULL);
}

static gboolean tell_near_top(gpointer data)
{
        struct scroller *scroller = data;

        scroller->top_idle = 0;
        scroller->listener.near_top(scroller->listener.data);
        return G_SOURCE_REMOVE;
}

/* The size of the list changed, or the user moved. */
static void on_adjusted(GtkAdjustment *adjustment, gpointer data)
{
        struct scroller *scroller = data;
        double value = gtk_adjustment_get_value(adjustment), upper = gtk_adjustment_get_upper(adjustment);
        double page = gtk_adjustment_get_page_size(adjustment);
        bool has_same_size = upper == scroller->upper && page == scroller->page;
        bool is_at_end = value + page >= upper - NEAR_END;

        if (has_same_size && value != scroller->value)
                scroller->keeps_end = is_at_end;
        scroller->value = value;
        scroller->upper = upper;
        scroller->page = page;
        if (!is_at_end)
                want_end(scroller);
        if (value < page && page > 1 && !scroller->top_idle)
                scroller->top_idle = g_idle_add(tell_near_top, scroller);
        show_button(scroller);
}

static void on_items_changed(GListModel *model, unsigned position, unsigned removed, unsigned added, gpointer data)
{
        struct scroller *scroller = data;

        (void)position;
        (void)removed;
        (void)added;
        gtk_widget_set_visible(scroller->empty, g_list_model_get_n_items(model) == 0);
        want_end(scroller);
}

void scroller_to_end(struct scroller *scroller)
{
        scroller->keeps_end = true;
        want_end(scroller);
        show_button(scroller);
}

/* ---- going to a message ------------------------------------------------------------------------------------------ */

static gboolean unmark(gpointer data)
{
        struct scroller *scroller = data;

        scroller->mark_timer = 0;
        if (scroller->marked) {
                scroller->marked->is_marked = false;
                item_changed(scroller->marked);
        }
        g_clear_object(&scroller->marked);
        return G_SOURCE_REMOVE;
}

void scroller_show(struct scroller *scroller, unsigned position)
{
        g_clear_handle_id(&scroller->mark_timer, g_source_remove);
        unmark(scroller);
        scroller->marked = g_list_model_get_item(transcript_model(scroller->transcript), position);
        if (!scroller->marked)
                return;
        scroller->keeps_end = false;
        scroller->marked->is_marked = true;
        item_changed(scroller->marked);
        scroller->mark_timer = g_timeout_add(MARK_MS, unmark, scroller);
        gtk_widget_activate_action(scroller->list, "list.scroll-to-item", "u", position);
        show_button(scroller);
}

/* ---- what lies over the list ------------------------------------------------------------------------------------- */

void scroller_set_unread(struct scroller *scroller, unsigned count)
{
        g_autofree char *text = count > 99 ? g_strdup("99+") : g_strdup_printf("%u", count);
        g_autofree char *spoken =
                count ? g_strdup_printf("To the newest message, %u unread", count) : g_strdup("To the newest message");
        GtkWidget *button = gtk_revealer_get_child(GTK_REVEALER(scroller->button));

        gtk_widget_set_visible(scroller->count, count > 0);
        gtk_label_set_text(GTK_LABEL(scroller->count), text);
        gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL, spoken, -1);
}

void scroller_set_loading(struct scroller *scroller, bool is_loading)
{
        gtk_widget_set_visible(scroller->spinner, is_loading);
        gtk_spinner_set_spinning(GTK_SPINNER(scroller->spinner), is_loading);
}

void scroller_set_typing(struct scroller *scroller, const char *name)
{
        g_autofree char *text = name ? g_strdup_printf("%s is writing", name) : NULL;

        if (text)
                gtk_label_set_text(GTK_LABEL(scroller->typing_label), text);
        gtk_revealer_set_reveal_child(GTK_REVEALER(scroller->typing), name != NULL);
}

static void on_to_end(GtkButton *button, gpointer data)
{
        struct scroller *scroller = data;

        (void)button;
        scroller_to_end(scroller);
        scroller->listener.to_end(scroller->listener.data);
}

static gboolean on_menu_key(GtkWidget *list, GVariant *args, gpointer data)
{
        (void)args;
        (void)data;
        return row_menu_of_focus(list);
}

/* ---- building ---------------------------------------------------------------------------------------------------- */

static GtkWidget *build_button(struct scroller *scroller)
{
        GtkWidget *button = gtk_button_new(), *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 4);

        scroller->count = gtk_label_new(NULL);
        gtk_widget_add_css_class(scroller->count, "badge");
        gtk_box_append(GTK_BOX(box), scroller->count);
        gtk_box_append(GTK_BOX(box), gtk_image_new_from_icon_name("go-down-symbolic"));
        gtk_button_set_child(GTK_BUTTON(button), box);
        gtk_widget_add_css_class(button, "to-end");
        gtk_widget_set_tooltip_text(button, "To the newest message (Ctrl+End)");
        g_signal_connect(button, "clicked", G_CALLBACK(on_to_end), scroller);
        scroller->button = gtk_revealer_new();
        gtk_revealer_set_transition_type(GTK_REVEALER(scroller->button), GTK_REVEALER_TRANSITION_TYPE_CROSSFADE);
        gtk_revealer_set_child(GTK_REVEALER(scroller->button), button);
        gtk_widget_set_halign(scroller->button, GTK_ALIGN_END);
        gtk_widget_set_valign(scroller->button, GTK_ALIGN_END);
        return scroller->button;
}

static GtkWidget *build_typing(struct scroller *scroller)
{
        GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8), *dots = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 4);
        GtkWidget *row = g_object_new(GTK_TYPE_BOX, "accessible-role", GTK_ACCESSIBLE_ROLE_STATUS, NULL);
        static const char *const classes[] = {"dot1", "dot2", "dot3"};

        for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
                GtkWidget *dot = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0);
                gtk_widget_add_css_class(dot, "dot");
                gtk_widget_add_css_class(dot, classes[i]);
                gtk_widget_set_valign(dot, GTK_ALIGN_CENTER);
                gtk_box_append(GTK_BOX(dots), dot);
        }
        scroller->typing_label = gtk_label_new(NULL);
        gtk_label_set_ellipsize(GTK_LABEL(scroller->typing_label), PANGO_ELLIPSIZE_END);
        gtk_widget_add_css_class(scroller->typing_label, "dim");
        gtk_box_append(GTK_BOX(box), dots);
        gtk_box_append(GTK_BOX(box), scroller->typing_label);
        gtk_widget_add_css_class(box, "typing");
        gtk_box_append(GTK_BOX(row), box);
        scroller->typing = gtk_revealer_new();
        gtk_revealer_set_child(GTK_REVEALER(scroller->typing), clamp_new(row, CLAMP_COLUMN));
        return scroller->typing;
}

static GtkWidget *build_empty(struct scroller *scroller)
{
        GtkWidget *title = gtk_label_new("How can we help?");
        GtkWidget *text = gtk_label_new("Write to us at any time. You can close this window: "
                                        "the answer will be here when you come back.");

        scroller->empty = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
        gtk_label_set_wrap(GTK_LABEL(text), TRUE);
        gtk_label_set_justify(GTK_LABEL(text), GTK_JUSTIFY_CENTER);
        gtk_label_set_max_width_chars(GTK_LABEL(text), 40);
        gtk_widget_add_css_class(title, "empty-title");
        gtk_widget_add_css_class(text, "dim");
        gtk_box_append(GTK_BOX(scroller->empty), title);
        gtk_box_append(GTK_BOX(scroller->empty), text);
        gtk_widget_set_halign(scroller->empty, GTK_ALIGN_CENTER);
        gtk_widget_set_valign(scroller->empty, GTK_ALIGN_CENTER);
        gtk_widget_add_css_class(scroller->empty, "empty");
        gtk_widget_set_can_target(scroller->empty, FALSE);
        return scroller->empty;
}

static GtkWidget *build_list(struct scroller *scroller, const struct row_actions *actions)
{
        GtkWidget *window = gtk_scrolled_window_new();
        GtkEventController *keys = gtk_shortcut_controller_new();
        GtkSelectionModel *model =
                GTK_SELECTION_MODEL(gtk_no_selection_new(g_object_ref(transcript_model(scroller->transcript))));

        scroller->list =
                g_object_new(GTK_TYPE_LIST_VIEW, "model", model, "accessible-role", GTK_ACCESSIBLE_ROLE_LOG, NULL);
        g_object_unref(model);
        GtkListItemFactory *factory = row_factory_new(scroller->transcript, actions);
        gtk_list_view_set_factory(GTK_LIST_VIEW(scroller->list), factory);
        g_object_unref(factory);
        gtk_widget_add_css_class(scroller->list, "transcript");
        gtk_accessible_update_property(GTK_ACCESSIBLE(scroller->list), GTK_ACCESSIBLE_PROPERTY_LABEL, "Conversation",
                                       -1);
        static const char *const triggers[] = {"Menu", "<Shift>F10"};
        for (size_t i = 0; i < G_N_ELEMENTS(triggers); i++)
                gtk_shortcut_controller_add_shortcut(
                        GTK_SHORTCUT_CONTROLLER(keys),
                        gtk_shortcut_new(gtk_shortcut_trigger_parse_string(triggers[i]),
                                         gtk_callback_action_new(on_menu_key, NULL, NULL)));
        gtk_widget_add_controller(scroller->list, keys);
        gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(window), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
        gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(window), scroller->list);
        gtk_widget_set_vexpand(window, TRUE);
        scroller->adjustment = gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(window));
        return window;
}

struct scroller *scroller_new(struct transcript *transcript, const struct row_actions *actions,
                              const struct scroller_listener *listener)
{
        struct scroller *scroller = g_new0(struct scroller, 1);
        GtkWidget *overlay = gtk_overlay_new();

        scroller->listener = *listener;
        scroller->transcript = transcript;
        scroller->keeps_end = scroller->was_at_end = true;
        gtk_overlay_set_child(GTK_OVERLAY(overlay), build_list(scroller, actions));
        gtk_overlay_add_overlay(GTK_OVERLAY(overlay), build_empty(scroller));
        gtk_overlay_add_overlay(GTK_OVERLAY(overlay), build_button(scroller));
        scroller->spinner = gtk_spinner_new();
        gtk_widget_add_css_class(scroller->spinner, "loading");
        gtk_widget_set_halign(scroller->spinner, GTK_ALIGN_CENTER);
        gtk_widget_set_valign(scroller->spinner, GTK_ALIGN_START);
        gtk_overlay_add_overlay(GTK_OVERLAY(overlay), scroller->spinner);
        scroller->root = g_object_ref_sink(gtk_box_new(GTK_ORIENTATION_VERTICAL, 0));
        gtk_box_append(GTK_BOX(scroller->root), overlay);
        gtk_box_append(GTK_BOX(scroller->root), build_typing(scroller));
        scroller_set_loading(scroller, false);
        scroller_set_unread(scroller, 0);
        g_signal_connect(scroller->adjustment, "changed", G_CALLBACK(on_adjusted), scroller);
        g_signal_connect(scroller->adjustment, "value-changed", G_CALLBACK(on_adjusted), scroller);
        g_signal_connect(transcript_model(transcript), "items-changed", G_CALLBACK(on_items_changed), scroller);
        g_object_ref(scroller->adjustment);
        return scroller;
}

struct scroller *scroller_free(struct scroller *scroller)
{
        if (!scroller)
                return NULL;
        g_signal_handlers_disconnect_by_data(scroller->adjustment, scroller);
        g_signal_handlers_disconnect_by_data(transcript_model(scroller->transcript), scroller);
        g_clear_handle_id(&scroller->end_idle, g_source_remove);
        g_clear_handle_id(&scroller->top_idle, g_source_remove);
        g_clear_handle_id(&scroller->mark_timer, g_source_remove);
        g_clear_object(&scroller->marked);
        g_object_unref(scroller->adjustment);
        g_object_unref(scroller->root);
        g_free(scroller);
        return NULL;
}

GtkWidget *scroller_widget(struct scroller *scroller)
{
        return scroller->root;
}
