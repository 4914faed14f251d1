/* SPDX-License-Identifier: Apache-2.0 */
/* A survey below its question: a button for each score, and, once there is one, the questions it asks for, the comment
 * and the tick. A tap leaves at once; as long as the answer may be changed, another tap changes it. What is filled in
 * besides leaves with one button. */
#include <string.h>

#include "row_private.h"

enum { COMMENT_CHARS = 2000, ONE_LINE = 7, COLUMNS = 6 };

/* What stands on the button of `score`. */
static void draw(const struct item_survey *survey, int score, char *out, size_t room)
{
        static const char *const faces[] = {"😠", "🙁", "😐", "🙂", "😀"};

        if (strcmp(survey->style, "stars") == 0)
                g_strlcpy(out, score <= item_survey_score(survey) ? "★" : "☆", room);
        else if (strcmp(survey->style, "emoji") == 0 && survey->max > survey->min)
                g_strlcpy(out, faces[(score - survey->min) * 4 / (survey->max - survey->min)], room);
        else if (strcmp(survey->style, "thumbs") == 0)
                g_strlcpy(out, score > survey->min ? "👍" : "👎", room);
        else
                g_snprintf(out, (gulong)room, "%d", score);
}

static void on_score(GtkButton *button, gpointer data)
{
        struct row *row = data;
        int score = GPOINTER_TO_INT(g_object_get_data(G_OBJECT(button), "score"));

        if (row->item && item_survey_is_open(row->item))
                row->actions->rate(row->actions->data, row->item, score, "", -1);
}

static GtkWidget *score_new(struct row *row, int score)
{
        const struct item_survey *survey = row->item->survey;
        char drawn[16], spoken[64];

        draw(survey, score, drawn, sizeof(drawn));
        GtkWidget *button = gtk_button_new_with_label(drawn);
        gtk_widget_add_css_class(button, "score");
        if (strcmp(survey->style, "stars") == 0)
                gtk_widget_add_css_class(button, "star");
        if (score == item_survey_score(survey))
                gtk_widget_add_css_class(button, "chosen");
        g_snprintf(spoken, sizeof(spoken), "%d of %d", score, survey->max);
        gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL, spoken, -1);
        gtk_widget_set_tooltip_text(button, spoken);
        gtk_widget_set_sensitive(button, item_survey_is_open(row->item));
        g_object_set_data(G_OBJECT(button), "score", GINT_TO_POINTER(score));
        g_signal_connect(button, "clicked", G_CALLBACK(on_score), row);
        return button;
}

GtkWidget *row_survey_label(const char *class, const char *text)
{
        GtkWidget *label = gtk_label_new(text);

        gtk_widget_add_css_class(label, class);
        gtk_label_set_xalign(GTK_LABEL(label), 0);
        gtk_label_set_wrap(GTK_LABEL(label), TRUE);
        gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
        return label;
}

GtkWidget *row_scale_new(int count)
{
        GtkWidget *scale = gtk_grid_new();

        gtk_widget_set_halign(scale, GTK_ALIGN_START);
        gtk_grid_set_column_spacing(GTK_GRID(scale), 6);
        gtk_grid_set_row_spacing(GTK_GRID(scale), 6);
        gtk_grid_set_column_homogeneous(GTK_GRID(scale), TRUE);
        g_object_set_data(G_OBJECT(scale), "columns", GINT_TO_POINTER(count > ONE_LINE ? COLUMNS : count));
        return scale;
}

void row_scale_put(GtkWidget *scale, GtkWidget *button, int at)
{
        int columns = GPOINTER_TO_INT(g_object_get_data(G_OBJECT(scale), "columns"));

        gtk_grid_attach(GTK_GRID(scale), button, at % columns, at / columns, 1, 1);
}

void row_scale_ends(GtkWidget *box, const char *low, const char *high)
{
        if (!*low && !*high)
                return;
        GtkWidget *ends = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12), *right = row_survey_label("dim", high);
        gtk_widget_set_hexpand(right, TRUE);
        gtk_label_set_xalign(GTK_LABEL(right), 1);
        gtk_widget_add_css_class(ends, "scale-ends");
        gtk_box_append(GTK_BOX(ends), row_survey_label("dim", low));
        gtk_box_append(GTK_BOX(ends), right);
        gtk_box_append(GTK_BOX(box), ends);
}

static void add_scale(struct row *row, GtkWidget *box)
{
        const struct item_survey *survey = row->item->survey;
        GtkWidget *scale = row_scale_new(survey->max - survey->min + 1);

        for (int score = survey->min; score <= survey->max; score++)
                row_scale_put(scale, score_new(row, score), score - survey->min);
        gtk_box_append(GTK_BOX(box), scale);
        row_scale_ends(box, survey->low, survey->high);
}

/* ---- what is said besides the score -------------------------------------------------------------------------------
 */

static void on_typed(GtkEditable *entry, gpointer data)
{
        struct row *row = data;

        if (!row->item || !row->item->survey)
                return;
        g_free(row->item->survey->draft);
        row->item->survey->draft = g_strdup(gtk_editable_get_text(entry));
        row_survey_filled(row);
}

void row_survey_filled(struct row *row)
{
        const struct item_survey *survey = row->item->survey;
        GtkWidget *button = g_object_get_data(G_OBJECT(row->extra), "send");

        if (button)
                gtk_widget_set_sensitive(button, !survey->is_sending && item_survey_has_news(survey));
}

static void on_send(GtkWidget *widget, gpointer data)
{
        struct row *row = data;

        (void)widget;
        if (!row->item || !item_survey_is_open(row->item))
                return;
        const struct item_survey *survey = row->item->survey;
        if (!survey->is_sending && item_survey_has_news(survey) && !row_questions_remind(row))
                row->actions->say(row->actions->data, row->item);
}

static void on_tick(GtkCheckButton *tick, gpointer data)
{
        struct row *row = data;

        if (row->item && item_survey_is_open(row->item))
                row->actions->rate(row->actions->data, row->item, -1, "", gtk_check_button_get_active(tick));
}

static void add_comment(struct row *row, GtkWidget *box)
{
        const struct item_survey *survey = row->item->survey;
        GtkWidget *entry = gtk_entry_new();

        gtk_widget_add_css_class(entry, "form-entry");
        gtk_widget_set_hexpand(entry, TRUE);
        gtk_entry_set_max_length(GTK_ENTRY(entry), COMMENT_CHARS);
        gtk_editable_set_text(GTK_EDITABLE(entry), survey->draft);
        gtk_accessible_update_property(GTK_ACCESSIBLE(entry), GTK_ACCESSIBLE_PROPERTY_LABEL, survey->comment, -1);
        g_signal_connect(entry, "changed", G_CALLBACK(on_typed), row);
        g_signal_connect(entry, "activate", G_CALLBACK(on_send), row);
        gtk_box_append(GTK_BOX(box), row_survey_label("form-label", survey->comment));
        gtk_box_append(GTK_BOX(box), entry);
}

static void add_send(struct row *row, GtkWidget *box)
{
        const struct item_survey *survey = row->item->survey;
        GtkWidget *button = gtk_button_new_with_label(survey->is_sending ? "On its way…" : "Send");
        GtkWidget *hint =
                row_survey_label("form-hint", "Please answer what is marked, or press Send again to leave it out");

        gtk_widget_add_css_class(button, "choice");
        gtk_widget_set_halign(button, GTK_ALIGN_START);
        gtk_widget_set_sensitive(button, !survey->is_sending && item_survey_has_news(survey));
        g_signal_connect(button, "clicked", G_CALLBACK(on_send), row);
        gtk_widget_set_visible(hint, FALSE);
        gtk_box_append(GTK_BOX(box), hint);
        gtk_box_append(GTK_BOX(box), button);
        g_object_set_data(G_OBJECT(box), "hint", hint);
        g_object_set_data(G_OBJECT(box), "send", button);
}

/* There is something to fill in. */
static bool is_fillable(const ChatItem *item)
{
        const struct item_survey *survey = item->survey;
        bool has_fields = *survey->comment != 0;

        for (unsigned i = 0; i < survey->questions->len; i++)
                has_fields |= item_question_is_asked(survey, survey->questions->pdata[i]);
        return has_fields && item_survey_is_open(item) && item_survey_score(survey) >= 0;
}

static void add_tick(struct row *row, GtkWidget *box)
{
        GtkWidget *tick = gtk_check_button_new();

        gtk_check_button_set_child(GTK_CHECK_BUTTON(tick),
                                   row_survey_label("choice-label", row->item->survey->contact));
        gtk_accessible_update_property(GTK_ACCESSIBLE(tick), GTK_ACCESSIBLE_PROPERTY_LABEL, row->item->survey->contact,
                                       -1);
        gtk_check_button_set_active(GTK_CHECK_BUTTON(tick), row->item->survey->wants_contact);
        gtk_widget_set_sensitive(tick, item_survey_is_open(row->item));
        g_signal_connect(tick, "toggled", G_CALLBACK(on_tick), row);
        gtk_box_append(GTK_BOX(box), tick);
}

/* The score is given, and so is an answer to a question it asks for, when it asks for any. */
static bool is_done(const struct item_survey *survey)
{
        bool asks = false, is_answered = false;

        for (unsigned i = 0; i < survey->questions->len; i++) {
                const struct item_question *question = survey->questions->pdata[i];
                bool is_asked = item_question_is_asked(survey, question);
                asks |= is_asked;
                is_answered |= is_asked && !item_said_is_empty(&question->said);
        }
        return item_survey_score(survey) >= 0 && (is_answered || !asks);
}

static const char *closing(const struct item_survey *survey)
{
        if (survey->state == DESKBELL_SURVEY_EXPIRED)
                return "The time for an answer is over";
        if (survey->state == DESKBELL_SURVEY_WITHDRAWN)
                return "No longer asked";
        return is_done(survey) || *survey->said ? survey->thanks : "";
}

GtkWidget *row_survey_new(struct row *row)
{
        const struct item_survey *survey = row->item->survey;
        GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 4);
        bool has_answer = item_survey_score(survey) >= 0, is_open = item_survey_is_open(row->item);

        gtk_widget_add_css_class(box, "survey");
        add_scale(row, box);
        if (has_answer)
                row_questions_add(row, box);
        if (has_answer && *survey->contact && (is_open || survey->wants_contact))
                add_tick(row, box);
        if (has_answer && *survey->comment && is_open)
                add_comment(row, box);
        if (is_fillable(row->item))
                add_send(row, box);
        if (*survey->said)
                gtk_box_append(GTK_BOX(box), row_survey_label("survey-said", survey->said));
        if (*closing(survey))
                gtk_box_append(GTK_BOX(box), row_survey_label("dim", closing(survey)));
        return box;
}

char *row_survey_sign(const ChatItem *item)
{
        const struct item_survey *survey = item->survey;

        if (!survey)
                return g_strdup("");
        g_autoptr(GString) sign = g_string_new(NULL);
        g_string_printf(sign, "%d %d %d %d %d %d", survey->state, item_survey_score(survey), survey->is_locked,
                        survey->wants_contact, *survey->said != 0, survey->is_sending);
        for (unsigned i = 0; i < survey->questions->len; i++) {
                const struct item_said *said = &((struct item_question *)survey->questions->pdata[i])->said;
                g_string_append_printf(sign, " %x %d %x", said->picked, said->number, g_str_hash(said->words));
        }
        return g_string_free(g_steal_pointer(&sign), FALSE);
}
