/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of a row, for the files that draw its parts. */
#ifndef DESKBELL_GTK_ROW_PRIVATE_H
#define DESKBELL_GTK_ROW_PRIVATE_H

#include "row.h"

struct row {
        struct transcript *transcript;
        const struct row_actions *actions;
        ChatItem *item; /* bound to; NULL = none */
        gulong following;
        GtkWidget *root, *day, *unread, *line, *avatar, *name, *bubble, *quote, *quote_who, *quote_text, *title, *text;
        GtkWidget *extra; /* choices, a form, a link or files; NULL = none */
        char *extra_sign; /* what `extra` was made for: it is made anew only when that changes */
        GtkWidget *foot, *changing, *edited, *time, *ticks, *failed;
};

/* Makes `row->extra` what the item needs. */
void row_show_extra(struct row *row);
/* The fields of the item's form, or that it is answered. */
GtkWidget *row_form_new(struct row *row);
/* The further questions of the item's survey that its score asks for, into `box`: to be filled in, or as they were
 * answered. What depends on them: row_survey_sign. */
void row_questions_add(struct row *row, GtkWidget *box);
/* What of them is required and missing, which is pointed at; false = nothing is. */
bool row_questions_remind(struct row *row);
/* The button that sends what is filled in follows it. */
void row_survey_filled(struct row *row);
/* A grid for `count` scores, below it what the ends mean, and a line of text. Of row_survey.c. */
GtkWidget *row_scale_new(int count);
void row_scale_put(GtkWidget *scale, GtkWidget *button, int at);
void row_scale_ends(GtkWidget *box, const char *low, const char *high);
GtkWidget *row_survey_label(const char *class, const char *text);
/* The scale of the item's survey and what may be said besides, and what it depends on. g_free the sign. */
GtkWidget *row_survey_new(struct row *row);
char *row_survey_sign(const ChatItem *item);
/* A widget for each file of the item, and what it depends on. g_free the sign. */
GtkWidget *row_files_new(struct row *row);
char *row_files_sign(const ChatItem *item);
/* Writes how far the files are into what row_files_new made. */
void row_files_progress(GtkWidget *files, const ChatItem *item);
/* Opens what can be done with the message, beside `parent`. */
void row_open_menu(struct row *row, GtkWidget *parent);

#endif
