/* SPDX-License-Identifier: Apache-2.0 */
/* A form below a message's text: a label and a field for each thing that is asked, and a button. What is typed is kept
 * in the item, so that it is still there when the row was scrolled away. */
#include <string.h>

#include "row_private.h"

enum { VALUE_CHARS = 1000 };

static struct item_field *field_at(struct row *row, GtkWidget *entry)
{
        unsigned index = GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(entry), "index"));

        return row->item && row->item->form && index < row->item->form->len ? row->item->form->pdata[index] : NULL;
}

static void on_changed(GtkEditable *entry, gpointer data)
{
        struct item_field *field = field_at(data, GTK_WIDGET(entry));

        if (!field)
                return;
        g_free(field->value);
        field->value = g_strdup(gtk_editable_get_text(entry));
        gtk_widget_remove_css_class(GTK_WIDGET(entry), "wrong");
}

static GtkWidget *entry_of(struct row *row, const char *id)
{
        for (GtkWidget *child = gtk_widget_get_first_child(row->extra); child;
             child = gtk_widget_get_next_sibling(child)) {
                struct item_field *field = GTK_IS_ENTRY(child) ? field_at(row, child) : NULL;
                if (field && g_strcmp0(field->id, id) == 0)
                        return child;
        }
        return NULL;
}

static const char *complaint(const struct item_field *field)
{
        g_autofree char *value = g_strstrip(g_strdup(field->value));

        if (!*value)
                return "This has to be filled in";
        if (strcmp(field->input, "email") == 0)
                return "An e-mail address, please: name@example.com";
        if (strcmp(field->input, "number") == 0)
                return "A number, please";
        return strcmp(field->input, "date") == 0 ? "A date, please: YYYY-MM-DD" : "This does not fit";
}

static void point_at(struct row *row, const char *id)
{
        GtkWidget *entry = entry_of(row, id), *hint = g_object_get_data(G_OBJECT(row->extra), "hint");

        if (!entry)
                return;
        gtk_widget_add_css_class(entry, "wrong");
        gtk_label_set_text(GTK_LABEL(hint), complaint(field_at(row, entry)));
        gtk_widget_set_visible(hint, TRUE);
        gtk_widget_grab_focus(entry);
}

static void submit(struct row *row)
{
        g_autofree char *wrong = NULL;

        if (!row->item || !row->item->form || row->item->chosen)
                return;
        g_autoptr(ChatItem) item = g_object_ref(row->item);
        wrong = row->actions->fill(row->actions->data, item);
        if (wrong && row->item == item)
                point_at(row, wrong);
}

static void on_submit(GtkWidget *widget, gpointer data)
{
        (void)widget;
        submit(data);
}

static GtkWidget *entry_new(struct row *row, unsigned index)
{
        const struct item_field *field = row->item->form->pdata[index];
        GtkWidget *entry = gtk_entry_new();

        gtk_widget_add_css_class(entry, "form-entry");
        gtk_entry_set_max_length(GTK_ENTRY(entry), VALUE_CHARS);
        gtk_editable_set_text(GTK_EDITABLE(entry), field->value);
        if (strcmp(field->input, "email") == 0)
                gtk_entry_set_input_purpose(GTK_ENTRY(entry), GTK_INPUT_PURPOSE_EMAIL);
        else if (strcmp(field->input, "number") == 0)
                gtk_entry_set_input_purpose(GTK_ENTRY(entry), GTK_INPUT_PURPOSE_NUMBER);
        else if (strcmp(field->input, "date") == 0)
                gtk_entry_set_placeholder_text(GTK_ENTRY(entry), "YYYY-MM-DD");
        gtk_accessible_update_property(GTK_ACCESSIBLE(entry), GTK_ACCESSIBLE_PROPERTY_LABEL, field->label,
                                       GTK_ACCESSIBLE_PROPERTY_REQUIRED, (gboolean)field->required, -1);
        g_object_set_data(G_OBJECT(entry), "index", GUINT_TO_POINTER(index));
        g_signal_connect(entry, "changed", G_CALLBACK(on_changed), row);
        g_signal_connect(entry, "activate", G_CALLBACK(on_submit), row);
        return entry;
}

static GtkWidget *label_new(const char *class, const char *text)
{
        GtkWidget *label = gtk_label_new(text);

        gtk_widget_add_css_class(label, class);
        gtk_label_set_xalign(GTK_LABEL(label), 0);
        gtk_label_set_wrap(GTK_LABEL(label), TRUE);
        gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
        return label;
}

GtkWidget *row_form_new(struct row *row)
{
        GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 4), *button, *hint;
        bool is_answered = row->item->chosen != NULL;

        gtk_widget_add_css_class(box, "form");
        for (unsigned i = 0; i < row->item->form->len && !is_answered; i++) {
                const struct item_field *field = row->item->form->pdata[i];
                g_autofree char *label = g_strconcat(field->label, field->required ? " *" : "", NULL);
                gtk_box_append(GTK_BOX(box), label_new("form-label", label));
                gtk_box_append(GTK_BOX(box), entry_new(row, i));
        }
        hint = label_new("form-hint", NULL);
        gtk_widget_set_visible(hint, FALSE);
        gtk_box_append(GTK_BOX(box), hint);
        g_object_set_data(G_OBJECT(box), "hint", hint);
        button = gtk_button_new_with_label(is_answered ? "Answered" : "Send answers");
        gtk_widget_add_css_class(button, "choice");
        gtk_widget_set_sensitive(button, !is_answered);
        g_signal_connect(button, "clicked", G_CALLBACK(on_submit), row);
        gtk_box_append(GTK_BOX(box), button);
        return box;
}
