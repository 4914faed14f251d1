/* SPDX-License-Identifier: Apache-2.0 */
/* A survey below its question: a button for each score, and, once there is one, the comment and the tick. A tap leaves
 * at once; as long as the answer may be changed, another tap changes it. Further questions are left to programs that
 * have room for them. */
#include <string.h>

#include "row_private.h"

enum { COMMENT_CHARS = 2000 };

static int score_of(const struct item_survey *survey)
{
        return survey->tapped >= 0 ? survey->tapped : survey->score;
}

/* What stands on the button of `score`. */
static void draw(const struct item_survey *survey, int score, char *out, size_t room)
{
        static const char *const faces[] = {"😠", "🙁", "😐", "🙂", "😀"};

        if (strcmp(survey->style, "stars") == 0)
                g_strlcpy(out, score <= score_of(survey) ? "★" : "☆", room);
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
        if (score == score_of(survey))
                gtk_widget_add_css_class(button, "chosen");
        g_snprintf(spoken, sizeof(spoken), "%d of %d", score, survey->max);
        gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL, spoken, -1);
        gtk_widget_set_tooltip_text(button, spoken);
        gtk_widget_set_sensitive(button, item_survey_is_open(row->item));
        g_object_set_data(G_OBJECT(button), "score", GINT_TO_POINTER(score));
        g_signal_connect(button, "clicked", G_CALLBACK(on_score), row);
        return button;
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

static void add_scale(struct row *row, GtkWidget *box)
{
        const struct item_survey *survey = row->item->survey;
        GtkWidget *scores = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, survey->max > 7 ? 2 : 6);

        gtk_widget_set_halign(scores, GTK_ALIGN_START);
        for (int score = survey->min; score <= survey->max; score++)
                gtk_box_append(GTK_BOX(scores), score_new(row, score));
        gtk_box_append(GTK_BOX(box), scores);
        if (!*survey->low && !*survey->high)
                return;
        GtkWidget *ends = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12), *high = label_new("dim", survey->high);
        gtk_widget_set_hexpand(high, TRUE);
        gtk_label_set_xalign(GTK_LABEL(high), 1);
        gtk_widget_add_css_class(ends, "scale-ends");
        gtk_box_append(GTK_BOX(ends), label_new("dim", survey->low));
        gtk_box_append(GTK_BOX(ends), high);
        gtk_box_append(GTK_BOX(box), ends);
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
}

static void on_send(GtkWidget *widget, gpointer data)
{
        struct row *row = data;

        (void)widget;
        if (!row->item || !item_survey_is_open(row->item))
                return;
        g_autofree char *comment = g_strstrip(g_strdup(row->item->survey->draft));
        if (*comment)
                row->actions->rate(row->actions->data, row->item, -1, comment, -1);
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
        GtkWidget *line = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6), *entry = gtk_entry_new();
        GtkWidget *button = gtk_button_new_with_label("Send");

        gtk_widget_add_css_class(entry, "form-entry");
        gtk_widget_set_hexpand(entry, TRUE);
        gtk_entry_set_max_length(GTK_ENTRY(entry), COMMENT_CHARS);
        gtk_editable_set_text(GTK_EDITABLE(entry), survey->draft);
        gtk_accessible_update_property(GTK_ACCESSIBLE(entry), GTK_ACCESSIBLE_PROPERTY_LABEL, survey->comment, -1);
        g_signal_connect(entry, "changed", G_CALLBACK(on_typed), row);
        g_signal_connect(entry, "activate", G_CALLBACK(on_send), row);
        gtk_widget_add_css_class(button, "choice");
        g_signal_connect(button, "clicked", G_CALLBACK(on_send), row);
        gtk_box_append(GTK_BOX(box), label_new("form-label", survey->comment));
        gtk_box_append(GTK_BOX(line), entry);
        gtk_box_append(GTK_BOX(line), button);
        gtk_box_append(GTK_BOX(box), line);
}

static void add_tick(struct row *row, GtkWidget *box)
{
        GtkWidget *tick = gtk_check_button_new_with_label(row->item->survey->contact);

        gtk_check_button_set_active(GTK_CHECK_BUTTON(tick), row->item->survey->wants_contact);
        gtk_widget_set_sensitive(tick, item_survey_is_open(row->item));
        g_signal_connect(tick, "toggled", G_CALLBACK(on_tick), row);
        gtk_box_append(GTK_BOX(box), tick);
}

static const char *closing(const struct item_survey *survey)
{
        if (survey->state == DESKBELL_SURVEY_EXPIRED)
                return "The time for an answer is over";
        if (survey->state == DESKBELL_SURVEY_WITHDRAWN)
                return "No longer asked";
        return score_of(survey) >= 0 || *survey->said ? survey->thanks : "";
}

GtkWidget *row_survey_new(struct row *row)
{
        const struct item_survey *survey = row->item->survey;
        GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 4);
        bool has_answer = score_of(survey) >= 0;

        gtk_widget_add_css_class(box, "survey");
        add_scale(row, box);
        if (has_answer && *survey->contact)
                add_tick(row, box);
        if (has_answer && *survey->comment && item_survey_is_open(row->item))
                add_comment(row, box);
        if (*survey->said)
                gtk_box_append(GTK_BOX(box), label_new("survey-said", survey->said));
        if (*closing(survey))
                gtk_box_append(GTK_BOX(box), label_new("dim", closing(survey)));
        return box;
}

char *row_survey_sign(const ChatItem *item)
{
        const struct item_survey *survey = item->survey;

        if (!survey)
                return g_strdup("");
        return g_strdup_printf("%d %d %d %d %d", survey->state, score_of(survey), survey->is_locked,
                               survey->wants_contact, *survey->said != 0);
}
