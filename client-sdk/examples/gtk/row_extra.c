/* SPDX-License-Identifier: Apache-2.0 */
/* What stands below a message's text: buttons of choices, the link of a card or an article. And the menu of what can be
 * done with it. */
#include <string.h>

#include "markup.h"
#include "row_private.h"

/* ---- choices, cards, articles ------------------------------------------------------------------------------------ */

static void on_choice(GtkButton *button, gpointer data)
{
        struct row *row = data;
        unsigned index = GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(button), "index"));

        if (row->item && row->item->choices && index < row->item->choices->len)
                row->actions->press(row->actions->data, row->item, row->item->choices->pdata[index]);
}

static GtkWidget *choice_new(struct row *row, unsigned index)
{
        const struct item_choice *choice = row->item->choices->pdata[index];
        GtkWidget *button = gtk_button_new(), *label = gtk_label_new(choice->label);
        bool is_chosen = g_strcmp0(row->item->chosen, choice->id) == 0;

        gtk_label_set_wrap(GTK_LABEL(label), TRUE);
        gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
        gtk_label_set_justify(GTK_LABEL(label), GTK_JUSTIFY_CENTER);
        gtk_button_set_child(GTK_BUTTON(button), label);
        gtk_widget_add_css_class(button, "choice");
        if (is_chosen)
                gtk_widget_add_css_class(button, "chosen");
        gtk_widget_set_sensitive(button, !row->item->chosen);
        g_object_set_data(G_OBJECT(button), "index", GUINT_TO_POINTER(index));
        g_signal_connect(button, "clicked", G_CALLBACK(on_choice), row);
        return button;
}

static void on_open(GtkButton *button, gpointer data)
{
        struct row *row = data;

        (void)button;
        if (row->item && markup_link_is_safe(row->item->link))
                row->actions->open(row->actions->data, row->item->link);
}

static GtkWidget *open_new(struct row *row)
{
        bool is_article = row->item->kind == DESKBELL_KIND_ARTICLE;
        GtkWidget *button = gtk_button_new_with_label(is_article ? "Read the article" : "Open");

        gtk_widget_add_css_class(button, "choice");
        gtk_widget_set_tooltip_text(button, row->item->link);
        g_signal_connect(button, "clicked", G_CALLBACK(on_open), row);
        return button;
}

static char *sign_of(const ChatItem *item)
{
        g_autofree char *files = row_files_sign(item), *survey = row_survey_sign(item);

        return g_strdup_printf("%p %d %d %s %s %s", (const void *)item, item->kind, item->chosen != NULL,
                               item->chosen ? item->chosen : "", files, survey);
}

static void build_extra(struct row *row)
{
        const ChatItem *item = row->item;

        if (row->extra)
                gtk_box_remove(GTK_BOX(row->bubble), row->extra);
        row->extra = NULL;
        gtk_widget_remove_css_class(row->bubble, "pictured");
        if (item->kind == DESKBELL_KIND_ERASED ||
            (!item->choices && !item->form && !item->files && !item->survey && !*item->link))
                return;
        row->extra = item->files    ? row_files_new(row)
                     : item->form   ? row_form_new(row)
                     : item->survey ? row_survey_new(row)
                                    : gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
        gtk_widget_add_css_class(row->extra, "extra");
        for (unsigned i = 0; item->choices && i < item->choices->len; i++)
                gtk_box_append(GTK_BOX(row->extra), choice_new(row, i));
        if (*item->link)
                gtk_box_append(GTK_BOX(row->extra), open_new(row));
        if (!item->files) {
                gtk_box_append(GTK_BOX(row->bubble), row->extra);
                return;
        }
        gtk_widget_add_css_class(row->extra, "files");
        gtk_box_insert_child_after(GTK_BOX(row->bubble), row->extra, row->quote);
        if (item_file_at(item, 0)->picture)
                gtk_widget_add_css_class(row->bubble, "pictured");
}

/* Buttons must not vanish under the pointer because a number beside them changed. */
void row_show_extra(struct row *row)
{
        g_autofree char *sign = sign_of(row->item);

        if (g_strcmp0(sign, row->extra_sign) != 0) {
                g_free(row->extra_sign);
                row->extra_sign = g_steal_pointer(&sign);
                build_extra(row);
        }
        if (row->extra && row->item->files)
                row_files_progress(row->extra, row->item);
}

/* ---- the menu ---------------------------------------------------------------------------------------------------- */

/* A popover of buttons; each runs one action on the item it was opened for. */
struct menu {
        const struct row_actions *actions;
        ChatItem *item;
        GtkWidget *popover, *box;
};

static void menu_free(void *data)
{
        struct menu *menu = data;

        g_object_unref(menu->item);
        g_free(menu);
}

static gboolean unparent_later(gpointer data)
{
        gtk_widget_unparent(data);
        g_object_unref(data);
        return G_SOURCE_REMOVE;
}

static void on_closed(GtkPopover *popover, gpointer data)
{
        (void)data;
        g_idle_add(unparent_later, g_object_ref(popover));
}

static void on_menu_button(GtkButton *button, gpointer data)
{
        struct menu *menu = data;
        void (*act)(void *, ChatItem *) = g_object_get_data(G_OBJECT(button), "act");
        const struct row_actions *actions = menu->actions;
        g_autoptr(ChatItem) item = g_object_ref(menu->item);

        gtk_popover_popdown(GTK_POPOVER(menu->popover));
        if (act) {
                act(actions->data, item);
                return;
        }
        g_autofree char *copied = g_strdup(*item->text ? item->text : item->title);
        gdk_clipboard_set_text(gtk_widget_get_clipboard(menu->popover), copied);
}

static void menu_add(struct menu *menu, const char *text, void (*act)(void *, ChatItem *), const char *class)
{
        GtkWidget *button = gtk_button_new_with_label(text);

        gtk_widget_set_halign(gtk_button_get_child(GTK_BUTTON(button)), GTK_ALIGN_START);
        gtk_widget_add_css_class(button, "flat");
        gtk_widget_add_css_class(button, "menu-item");
        if (class)
                gtk_widget_add_css_class(button, class);
        g_object_set_data(G_OBJECT(button), "act", (gpointer)act);
        g_signal_connect(button, "clicked", G_CALLBACK(on_menu_button), menu);
        gtk_box_append(GTK_BOX(menu->box), button);
}

static void menu_fill(struct menu *menu)
{
        const ChatItem *item = menu->item;
        const struct row_actions *actions = menu->actions;

        if (item_has_failed(item)) {
                GtkWidget *why = gtk_label_new(item_failure_text(item));
                gtk_label_set_wrap(GTK_LABEL(why), TRUE);
                gtk_label_set_max_width_chars(GTK_LABEL(why), 32);
                gtk_label_set_xalign(GTK_LABEL(why), 0);
                gtk_widget_add_css_class(why, "menu-why");
                gtk_box_append(GTK_BOX(menu->box), why);
                menu_add(menu, "Try again", actions->retry, NULL);
        }
        if (item->number > 0 && item->kind != DESKBELL_KIND_ERASED)
                menu_add(menu, "Reply", actions->reply, NULL);
        if (*item->text || *item->title)
                menu_add(menu, "Copy", NULL, NULL);
        if (item_can_be_edited(item))
                menu_add(menu, "Edit", actions->edit, NULL);
        if (item_can_be_erased(item))
                menu_add(menu, "Delete…", actions->erase, "danger");
        if (item_has_failed(item))
                menu_add(menu, "Discard", actions->forget, "danger");
}

void row_open_menu(struct row *row, GtkWidget *parent)
{
        if (!row->item || row->item->is_remark)
                return;
        struct menu *menu = g_new0(struct menu, 1);
        menu->actions = row->actions;
        menu->item = g_object_ref(row->item);
        menu->popover = gtk_popover_new();
        menu->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
        menu_fill(menu);
        gtk_popover_set_child(GTK_POPOVER(menu->popover), menu->box);
        gtk_widget_add_css_class(menu->popover, "menu");
        g_object_set_data_full(G_OBJECT(menu->popover), "menu", menu, menu_free);
        g_signal_connect(menu->popover, "closed", G_CALLBACK(on_closed), NULL);
        gtk_widget_set_parent(menu->popover, parent);
        gtk_popover_popup(GTK_POPOVER(menu->popover));
}
