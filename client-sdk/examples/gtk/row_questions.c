/* SPDX-License-Identifier: Apache-2.0 */
/* The further questions of a survey, below its scale: those that the score asks for, each to be filled in until the
 * answer is locked, then as it was answered. What is filled in is kept in the item, so that it is still there when the
 * row was scrolled away, and leaves with one button. */
#include <string.h>

#include "row_private.h"

enum { WORDS_CHARS = 2000 };

static struct item_question *question_at(struct row *row, GtkWidget *widget)
{
        unsigned index = GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(widget), "question"));
        struct item_survey *survey = row->item ? row->item->survey : NULL;

        return survey && index < survey->questions->len ? survey->questions->pdata[index] : NULL;
}

static int place_of(GtkWidget *widget)
{
        return GPOINTER_TO_INT(g_object_get_data(G_OBJECT(widget), "place"));
}

static void mark(GtkWidget *widget, unsigned question, int place)
{
        g_object_set_data(G_OBJECT(widget), "question", GUINT_TO_POINTER(question));
        g_object_set_data(G_OBJECT(widget), "place", GINT_TO_POINTER(place));
}

/* Somebody has filled something in: what he was reminded of is no longer pointed at. */
static void filled(struct row *row)
{
        GtkWidget *hint = g_object_get_data(G_OBJECT(row->extra), "hint");

        for (GtkWidget *child = gtk_widget_get_first_child(row->extra); child;
             child = gtk_widget_get_next_sibling(child))
                gtk_widget_remove_css_class(child, "missing");
        gtk_widget_set_visible(hint, FALSE);
        row_survey_filled(row);
}

/* ---- kinds --------------------------------------------------------------------------------------------------------
 */

static void on_choice(GtkCheckButton *button, gpointer data)
{
        struct item_question *question = question_at(data, GTK_WIDGET(button));
        unsigned bit = 1u << place_of(GTK_WIDGET(button));

        if (!question)
                return;
        if (gtk_check_button_get_active(button))
                question->draft.picked |= bit;
        else
                question->draft.picked &= ~bit;
        filled(data);
}

static GtkWidget *choices_new(struct row *row, unsigned index)
{
        const struct item_question *question = row->item->survey->questions->pdata[index];
        GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0), *first = NULL;

        for (unsigned i = 0; i < question->choices->len; i++) {
                const struct item_choice *choice = question->choices->pdata[i];
                GtkWidget *button = gtk_check_button_new(), *label = row_survey_label("choice-label", choice->label);
                gtk_check_button_set_child(GTK_CHECK_BUTTON(button), label);
                gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL, choice->label,
                                               -1);
                if (question->kind == QUESTION_CHOICE && first)
                        gtk_check_button_set_group(GTK_CHECK_BUTTON(button), GTK_CHECK_BUTTON(first));
                first = first ? first : button;
                mark(button, index, (int)i);
                gtk_check_button_set_active(GTK_CHECK_BUTTON(button), (question->draft.picked & 1u << i) != 0);
                g_signal_connect(button, "toggled", G_CALLBACK(on_choice), row);
                gtk_box_append(GTK_BOX(box), button);
        }
        return box;
}

static void on_number(GtkButton *button, gpointer data)
{
        struct item_question *question = question_at(data, GTK_WIDGET(button));
        GtkWidget *scale = gtk_widget_get_parent(GTK_WIDGET(button));

        if (!question)
                return;
        question->draft.number = place_of(GTK_WIDGET(button));
        for (GtkWidget *other = gtk_widget_get_first_child(scale); other; other = gtk_widget_get_next_sibling(other))
                gtk_widget_remove_css_class(other, "chosen");
        gtk_widget_add_css_class(GTK_WIDGET(button), "chosen");
        filled(data);
}

static GtkWidget *numbers_new(struct row *row, unsigned index)
{
        const struct item_question *question = row->item->survey->questions->pdata[index];
        GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 4);
        GtkWidget *scale = row_scale_new(question->max - question->min + 1);

        for (int number = question->min; number <= question->max; number++) {
                char text[16], spoken[64];
                g_snprintf(text, sizeof(text), "%d", number);
                g_snprintf(spoken, sizeof(spoken), "%d of %d", number, question->max);
                GtkWidget *button = gtk_button_new_with_label(text);
                gtk_widget_add_css_class(button, "score");
                if (number == question->draft.number)
                        gtk_widget_add_css_class(button, "chosen");
                gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL, spoken, -1);
                mark(button, index, number);
                g_signal_connect(button, "clicked", G_CALLBACK(on_number), row);
                row_scale_put(scale, button, number - question->min);
        }
        gtk_box_append(GTK_BOX(box), scale);
        row_scale_ends(box, question->low, question->high);
        return box;
}

static void on_words(GtkEditable *entry, gpointer data)
{
        struct item_question *question = question_at(data, GTK_WIDGET(entry));

        if (!question)
                return;
        g_free(question->draft.words);
        question->draft.words = g_strstrip(g_strdup(gtk_editable_get_text(entry)));
        filled(data);
}

static GtkWidget *words_new(struct row *row, unsigned index)
{
        const struct item_question *question = row->item->survey->questions->pdata[index];
        GtkWidget *entry = gtk_entry_new();

        gtk_widget_add_css_class(entry, "form-entry");
        gtk_entry_set_max_length(GTK_ENTRY(entry), WORDS_CHARS);
        gtk_editable_set_text(GTK_EDITABLE(entry), question->draft.words);
        gtk_accessible_update_property(GTK_ACCESSIBLE(entry), GTK_ACCESSIBLE_PROPERTY_LABEL, question->text,
                                       GTK_ACCESSIBLE_PROPERTY_REQUIRED, (gboolean)question->required, -1);
        mark(entry, index, 0);
        g_signal_connect(entry, "changed", G_CALLBACK(on_words), row);
        return entry;
}

/* ---- all of them --------------------------------------------------------------------------------------------------
 */

static void add_open(struct row *row, GtkWidget *box, unsigned index)
{
        const struct item_question *question = row->item->survey->questions->pdata[index];
        GtkWidget *part = gtk_box_new(GTK_ORIENTATION_VERTICAL, 4);
        g_autofree char *text = g_strconcat(question->text, question->required ? " *" : "", NULL);

        gtk_widget_add_css_class(part, "question");
        mark(part, index, -1);
        gtk_box_append(GTK_BOX(part), row_survey_label("form-label", text));
        gtk_box_append(GTK_BOX(part), question->kind == QUESTION_SCALE  ? numbers_new(row, index)
                                      : question->kind == QUESTION_TEXT ? words_new(row, index)
                                                                        : choices_new(row, index));
        gtk_box_append(GTK_BOX(box), part);
}

/* As it was answered; what was left out is not shown. */
static void add_answered(GtkWidget *box, const struct item_question *question)
{
        g_autoptr(GString) text = g_string_new(question->said.words);

        if (item_said_is_empty(&question->said))
                return;
        if (question->kind == QUESTION_SCALE)
                g_string_printf(text, "%d of %d", question->said.number, question->max);
        for (unsigned i = 0; i < question->choices->len; i++)
                if (question->said.picked & 1u << i)
                        g_string_append_printf(text, "%s%s", text->len ? ", " : "",
                                               ((struct item_choice *)question->choices->pdata[i])->label);
        gtk_box_append(GTK_BOX(box), row_survey_label("answered-question", question->text));
        gtk_box_append(GTK_BOX(box), row_survey_label("answered", text->str));
}

void row_questions_add(struct row *row, GtkWidget *box)
{
        const struct item_survey *survey = row->item->survey;

        for (unsigned i = 0; i < survey->questions->len; i++) {
                if (!item_question_is_asked(survey, survey->questions->pdata[i]))
                        continue;
                if (item_survey_is_open(row->item))
                        add_open(row, box, i);
                else
                        add_answered(box, survey->questions->pdata[i]);
        }
}

bool row_questions_remind(struct row *row)
{
        struct item_survey *survey = row->item->survey;
        GtkWidget *hint = g_object_get_data(G_OBJECT(row->extra), "hint");

        for (GtkWidget *part = gtk_widget_get_first_child(row->extra); part && !survey->was_reminded;
             part = gtk_widget_get_next_sibling(part)) {
                struct item_question *question =
                        gtk_widget_has_css_class(part, "question") ? question_at(row, part) : NULL;
                if (!question || !question->required || !item_said_is_empty(&question->draft))
                        continue;
                survey->was_reminded = true;
                gtk_widget_add_css_class(part, "missing");
                gtk_widget_set_visible(hint, TRUE);
                gtk_widget_child_focus(part, GTK_DIR_TAB_FORWARD);
                return true;
        }
        return false;
}
