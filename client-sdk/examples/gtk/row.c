/* SPDX-License-Identifier: Apache-2.0 */
/* Builds a row, binds it to an item and writes the item's state into it. Text of others reaches the label only through
 * markup_of; names and times are set as plain text. */
#include <string.h>

#include "clamp.h"
#include "markup.h"
#include "row_private.h"
#include "ticks.h"

enum { BUBBLE_CHARS = 62, AVATAR_COLOURS = 6 };

static struct row *row_of(GtkWidget *widget)
{
        return g_object_get_data(G_OBJECT(widget), "row");
}

/* ---- writing an item into it ---------------------------------------------------------------------------------------
 */

static void set_class(GtkWidget *widget, const char *class, bool is_on)
{
        if (is_on)
                gtk_widget_add_css_class(widget, class);
        else
                gtk_widget_remove_css_class(widget, class);
}

static void show_avatar(struct row *row)
{
        const ChatItem *item = row->item;

        gtk_widget_set_visible(row->avatar, !item->is_mine && !item->is_remark);
        if (item->is_mine)
                return;
        bool is_shown = item->begins_group && !item->is_remark;
        gtk_widget_set_opacity(row->avatar, is_shown ? 1 : 0); /* keeps its place */
        g_autofree char *letters = markup_initials(item_who(item));
        gtk_label_set_text(GTK_LABEL(row->avatar), letters);
        unsigned colour = g_str_hash(item->author) % AVATAR_COLOURS;
        for (unsigned i = 0; i < AVATAR_COLOURS; i++) {
                const char class[] = {'a', 'v', (char)('0' + i), 0};
                set_class(row->avatar, class, i == colour);
        }
}

static void show_quote(struct row *row)
{
        const ChatItem *item = row->item;
        const ChatItem *quoted = transcript_find(row->transcript, item->reply_to, NULL);

        gtk_widget_set_visible(row->quote, item->reply_to > 0 && item->kind != DESKBELL_KIND_ERASED);
        if (item->reply_to <= 0)
                return;
        g_autofree char *preview = quoted ? markup_preview(*quoted->text ? quoted->text : quoted->title, 120) : NULL;
        if (quoted && quoted->kind == DESKBELL_KIND_ERASED)
                preview = (g_free(preview), g_strdup("Deleted message"));
        gtk_label_set_text(GTK_LABEL(row->quote_who), quoted ? item_who(quoted) : "Earlier message");
        gtk_label_set_text(GTK_LABEL(row->quote_text), preview ? preview : "Show it");
}

/* Without a caption the text of files is a line that names them, for programs that show no files. */
static bool names_files(const ChatItem *item)
{
        const struct item_file *first = item_file_at(item, 0);

        return first && *first->name && strstr(item->text, first->name) != NULL;
}

static void show_text(struct row *row)
{
        const ChatItem *item = row->item;
        bool is_erased = item->kind == DESKBELL_KIND_ERASED;
        g_autofree char *markup = markup_of(is_erased ? "This message was deleted" : item->text);

        gtk_widget_set_visible(row->title, *item->title && !is_erased);
        gtk_label_set_text(GTK_LABEL(row->title), item->title);
        bool is_own_words = !item->files || !names_files(item);
        gtk_widget_set_visible(row->text, *markup && is_own_words && g_strcmp0(item->text, item->title) != 0);
        gtk_label_set_markup(GTK_LABEL(row->text), markup);
        gtk_label_set_selectable(GTK_LABEL(row->text), !is_erased && !item->is_remark);
        set_class(row->bubble, "erased", is_erased);
}

static void show_foot(struct row *row)
{
        const ChatItem *item = row->item;
        bool has_failed = item_has_failed(item);
        bool is_edited = item->version > 1 && item->kind != DESKBELL_KIND_ERASED;
        bool is_shown = item->ends_group || has_failed || is_edited || item->changing ||
                        item->state == DESKBELL_QUEUED || item->state == DESKBELL_UPLOADING;
        g_autofree char *when = item_time(item);

        gtk_widget_set_visible(row->foot, is_shown && !item->is_remark);
        gtk_label_set_text(GTK_LABEL(row->time), when);
        gtk_widget_set_visible(row->time, !has_failed);
        gtk_widget_set_visible(row->edited, is_edited && !item->changing);
        gtk_widget_set_visible(row->changing, item->changing != NULL);
        gtk_label_set_text(GTK_LABEL(row->changing), item->changing ? item->changing : "");
        gtk_widget_set_visible(row->failed, has_failed);
        ticks_set(row->ticks, item->kind == DESKBELL_KIND_ERASED ? 0 : item->state);
        gtk_widget_set_tooltip_text(row->ticks, item_state_text(item));
}

static void show_place(struct row *row)
{
        const ChatItem *item = row->item;
        GtkAlign side = item->is_remark ? GTK_ALIGN_CENTER : item->is_mine ? GTK_ALIGN_END : GTK_ALIGN_START;

        gtk_widget_set_visible(row->day, item->begins_day);
        if (item->begins_day) {
                g_autofree char *day = item_day(item);
                gtk_label_set_text(GTK_LABEL(row->day), day);
        }
        gtk_widget_set_visible(row->unread, item->begins_unread);
        gtk_widget_set_halign(row->line, side);
        gtk_widget_set_halign(row->bubble, side);
        gtk_widget_set_halign(row->foot, side);
        gtk_widget_set_visible(row->name, !item->is_mine && !item->is_remark && item->begins_group);
        gtk_label_set_text(GTK_LABEL(row->name), item_who(item));
        set_class(row->line, "mine", item->is_mine);
        set_class(row->line, "remark", item->is_remark);
        set_class(row->line, "begins", item->begins_group);
        set_class(row->line, "ends", item->ends_group);
        set_class(row->line, "failed", item_has_failed(item));
        set_class(row->line, "waits", item->state == DESKBELL_QUEUED);
        set_class(row->line, "marked", item->is_marked);
}

static void update(struct row *row)
{
        g_autofree char *spoken = item_spoken(row->item);

        show_place(row);
        show_avatar(row);
        show_quote(row);
        show_text(row);
        row_show_extra(row);
        show_foot(row);
        gtk_accessible_update_property(GTK_ACCESSIBLE(row->root), GTK_ACCESSIBLE_PROPERTY_LABEL, spoken, -1);
}

/* ---- what the user does ------------------------------------------------------------------------------------------ */

static gboolean on_link(GtkLabel *label, const char *link, gpointer data)
{
        struct row *row = data;

        (void)label;
        if (markup_link_is_safe(link))
                row->actions->open(row->actions->data, link);
        return TRUE; /* never by GTK itself, whatever it is */
}

static void on_quote(GtkButton *button, gpointer data)
{
        struct row *row = data;

        (void)button;
        if (row->item)
                row->actions->jump(row->actions->data, row->item->reply_to);
}

static void on_failed(GtkButton *button, gpointer data)
{
        struct row *row = data;

        (void)button;
        row_open_menu(row, row->foot);
}

static void on_secondary(GtkGestureClick *gesture, int presses, double x, double y, gpointer data)
{
        struct row *row = data;

        (void)presses;
        (void)x;
        (void)y;
        gtk_gesture_set_state(GTK_GESTURE(gesture), GTK_EVENT_SEQUENCE_CLAIMED);
        row_open_menu(row, row->bubble);
}

static void on_long_press(GtkGestureLongPress *gesture, double x, double y, gpointer data)
{
        (void)gesture;
        (void)x;
        (void)y;
        row_open_menu(data, ((struct row *)data)->bubble);
}

bool row_menu_of_focus(GtkWidget *list)
{
        GtkWidget *focus = gtk_root_get_focus(gtk_widget_get_root(list));

        for (GtkWidget *up = focus; up && up != list; up = gtk_widget_get_parent(up)) {
                GtkWidget *child = gtk_widget_get_first_child(up);
                struct row *row = row_of(up) ? row_of(up) : child ? row_of(child) : NULL;
                if (row && row->item) {
                        row_open_menu(row, row->bubble);
                        return true;
                }
        }
        return false;
}

/* ---- building ---------------------------------------------------------------------------------------------------- */

static GtkWidget *label_new(const char *class, const char *text)
{
        GtkWidget *label = gtk_label_new(text);

        gtk_widget_add_css_class(label, class);
        gtk_label_set_xalign(GTK_LABEL(label), 0);
        return label;
}

static GtkWidget *wrapping_label_new(const char *class)
{
        GtkWidget *label = label_new(class, NULL);

        gtk_label_set_wrap(GTK_LABEL(label), TRUE);
        gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
        gtk_label_set_max_width_chars(GTK_LABEL(label), BUBBLE_CHARS);
        return label;
}

static GtkWidget *build_quote(struct row *row)
{
        GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);

        row->quote = gtk_button_new();
        gtk_widget_add_css_class(row->quote, "quote");
        gtk_widget_set_tooltip_text(row->quote, "Go to this message");
        row->quote_who = label_new("quote-who", NULL);
        row->quote_text = label_new("quote-text", NULL);
        gtk_label_set_ellipsize(GTK_LABEL(row->quote_text), PANGO_ELLIPSIZE_END);
        gtk_label_set_max_width_chars(GTK_LABEL(row->quote_text), 40);
        gtk_label_set_ellipsize(GTK_LABEL(row->quote_who), PANGO_ELLIPSIZE_END);
        gtk_box_append(GTK_BOX(box), row->quote_who);
        gtk_box_append(GTK_BOX(box), row->quote_text);
        gtk_button_set_child(GTK_BUTTON(row->quote), box);
        g_signal_connect(row->quote, "clicked", G_CALLBACK(on_quote), row);
        return row->quote;
}

static GtkWidget *build_bubble(struct row *row)
{
        GtkGesture *click = gtk_gesture_click_new(), *press = gtk_gesture_long_press_new();

        row->bubble = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
        gtk_widget_add_css_class(row->bubble, "bubble");
        gtk_box_append(GTK_BOX(row->bubble), build_quote(row));
        row->title = wrapping_label_new("title");
        row->text = wrapping_label_new("text");
        gtk_box_append(GTK_BOX(row->bubble), row->title);
        gtk_box_append(GTK_BOX(row->bubble), row->text);
        g_signal_connect(row->text, "activate-link", G_CALLBACK(on_link), row);

        gtk_gesture_single_set_button(GTK_GESTURE_SINGLE(click), GDK_BUTTON_SECONDARY);
        gtk_event_controller_set_propagation_phase(GTK_EVENT_CONTROLLER(click), GTK_PHASE_CAPTURE);
        g_signal_connect(click, "pressed", G_CALLBACK(on_secondary), row);
        gtk_widget_add_controller(row->bubble, GTK_EVENT_CONTROLLER(click));
        gtk_gesture_single_set_touch_only(GTK_GESTURE_SINGLE(press), TRUE);
        g_signal_connect(press, "pressed", G_CALLBACK(on_long_press), row);
        gtk_widget_add_controller(row->bubble, GTK_EVENT_CONTROLLER(press));
        return row->bubble;
}

static GtkWidget *build_foot(struct row *row)
{
        row->foot = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 4);
        gtk_widget_add_css_class(row->foot, "foot");
        row->changing = label_new("dim", NULL);
        row->edited = label_new("dim", "edited");
        row->time = label_new("dim", NULL);
        row->ticks = ticks_new();
        row->failed = gtk_button_new_with_label("Not sent");
        gtk_widget_add_css_class(row->failed, "not-sent");
        gtk_widget_set_tooltip_text(row->failed, "Why, and what can be done");
        g_signal_connect(row->failed, "clicked", G_CALLBACK(on_failed), row);
        GtkWidget *parts[] = {row->changing, row->edited, row->time, row->ticks, row->failed};
        for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
                gtk_box_append(GTK_BOX(row->foot), parts[i]);
        return row->foot;
}

static GtkWidget *build_unread(void)
{
        GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8), *left, *right;

        gtk_widget_add_css_class(box, "unread-line");
        left = gtk_separator_new(GTK_ORIENTATION_HORIZONTAL);
        right = gtk_separator_new(GTK_ORIENTATION_HORIZONTAL);
        GtkWidget *parts[] = {left, gtk_label_new("New messages"), right};
        for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
                gtk_widget_set_hexpand(parts[i], i != 1);
                gtk_widget_set_valign(parts[i], GTK_ALIGN_CENTER);
                gtk_box_append(GTK_BOX(box), parts[i]);
        }
        return box;
}

static GtkWidget *build_line(struct row *row)
{
        GtkWidget *column = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);

        row->line = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
        gtk_widget_add_css_class(row->line, "line");
        row->avatar = gtk_label_new(NULL);
        gtk_widget_add_css_class(row->avatar, "avatar");
        gtk_widget_set_valign(row->avatar, GTK_ALIGN_START);
        gtk_box_append(GTK_BOX(row->line), row->avatar);
        row->name = label_new("name", NULL);
        gtk_label_set_ellipsize(GTK_LABEL(row->name), PANGO_ELLIPSIZE_END);
        gtk_box_append(GTK_BOX(column), row->name);
        gtk_box_append(GTK_BOX(column), build_bubble(row));
        gtk_box_append(GTK_BOX(column), build_foot(row));
        gtk_box_append(GTK_BOX(row->line), column);
        return row->line;
}

static void row_free(void *data)
{
        struct row *row = data;

        g_free(row->extra_sign);
        g_free(row);
}

static void on_setup(GtkSignalListItemFactory *factory, GtkListItem *list_item, gpointer data)
{
        const struct row *model = data;
        struct row *row = g_new0(struct row, 1);
        GtkWidget *column = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);

        (void)factory;
        row->transcript = model->transcript;
        row->actions = model->actions;
        row->day = gtk_label_new(NULL);
        gtk_widget_add_css_class(row->day, "day");
        gtk_widget_set_halign(row->day, GTK_ALIGN_CENTER);
        row->unread = build_unread();
        gtk_box_append(GTK_BOX(column), row->day);
        gtk_box_append(GTK_BOX(column), row->unread);
        gtk_box_append(GTK_BOX(column), build_line(row));
        row->root = clamp_new(column, CLAMP_COLUMN);
        gtk_widget_add_css_class(row->root, "message");
        g_object_set_data_full(G_OBJECT(row->root), "row", row, row_free);
        gtk_list_item_set_child(list_item, row->root);
        gtk_list_item_set_activatable(list_item, FALSE);
}

static void on_bind(GtkSignalListItemFactory *factory, GtkListItem *list_item, gpointer data)
{
        struct row *row = row_of(gtk_list_item_get_child(list_item));

        (void)factory;
        (void)data;
        row->item = g_object_ref(gtk_list_item_get_item(list_item));
        row->following = g_signal_connect_swapped(row->item, "changed", G_CALLBACK(update), row);
        update(row);
}

static void on_unbind(GtkSignalListItemFactory *factory, GtkListItem *list_item, gpointer data)
{
        struct row *row = row_of(gtk_list_item_get_child(list_item));

        (void)factory;
        (void)data;
        g_clear_signal_handler(&row->following, row->item);
        g_clear_object(&row->item);
}

static void model_free(gpointer data, GClosure *closure)
{
        (void)closure;
        g_free(data);
}

GtkListItemFactory *row_factory_new(struct transcript *transcript, const struct row_actions *actions)
{
        GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
        struct row *model = g_new0(struct row, 1); /* what all rows share */

        model->transcript = transcript;
        model->actions = actions;
        g_signal_connect_data(factory, "setup", G_CALLBACK(on_setup), model, model_free, 0);
        g_signal_connect(factory, "bind", G_CALLBACK(on_bind), NULL);
        g_signal_connect(factory, "unbind", G_CALLBACK(on_unbind), NULL);
        return factory;
}
