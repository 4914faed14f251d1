/* SPDX-License-Identifier: Apache-2.0 */
/* Surveys in the terminal client: how one is shown, one key or /rate that answers it, and the further questions, the
 * comment and the tick, each of which may be left out. A tap leaves at once; what is said after it leaves as one more
 * answer. What is asked is looked up in the SDK's cache each time: nothing of it is kept here. */
#include "chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 1800 };

/* A step that waits for the survey. */
struct step {
        struct chat *chat;
        char *line; /* NULL = ask; else the answer to what was asked */
};

static void fail(struct chat *chat, const char *what)
{
        chat_say(chat, "%s", what);
        chat->failed += chat->is_plain;
}

static void tell(struct chat *chat, int rc)
{
        if (rc == DESKBELL_E_STATE)
                fail(chat, "this survey is over, or its answer cannot be changed any more");
        else if (rc == DESKBELL_E_FORM)
                fail(chat, "that does not answer the survey");
        else if (rc < 0)
                fail(chat, deskbell_error_text(rc));
}

/* ---- how it looks -------------------------------------------------------------------------------------------------
 */

/* A score as its style draws it; "" = as a number alone. */
static void draw(const struct deskbell_survey *survey, int score, char *out, size_t room)
{
        static const char *const faces[] = {"😠", "🙁", "😐", "🙂", "😀"};
        size_t len = 0;

        out[0] = '\0';
        if (strcmp(survey->style, "thumbs") == 0)
                snprintf(out, room, "%s", score > survey->min ? "👍" : "👎");
        else if (strcmp(survey->style, "emoji") == 0 && survey->max > survey->min)
                snprintf(out, room, "%s", faces[(score - survey->min) * 4 / (survey->max - survey->min)]);
        else if (strcmp(survey->style, "stars") == 0)
                for (int i = 1; i <= survey->max && len + 4 < room; i++)
                        len += (size_t)snprintf(out + len, room - len, "%s", i <= score ? "★" : "☆");
}

char *chat_survey_text(const struct deskbell_survey *survey)
{
        char *text = NULL, drawn[64];
        size_t room = 0;
        FILE *out = open_memstream(&text, &room);
        if (!out)
                return NULL;

        if (strcmp(survey->style, "numbers") == 0 || survey->max - survey->min > 6) {
                fprintf(out, "\n  %d to %d", survey->min, survey->max);
        } else {
                fputs("\n ", out);
                for (int score = survey->min; score <= survey->max; score++) {
                        draw(survey, score, drawn, sizeof(drawn));
                        fprintf(out, " %d%s%s ", score, *drawn ? " " : "", drawn);
                }
        }
        if (*survey->low || *survey->high)
                fprintf(out, "\n  %d = %s, %d = %s", survey->min, survey->low, survey->max, survey->high);
        if (fclose(out) != 0) {
                free(text);
                return NULL;
        }
        return text;
}

static const char *of_state(const struct chat *chat, const struct deskbell_survey *survey)
{
        switch (survey->state) {
        case DESKBELL_SURVEY_WAITING:
                return chat->is_staff ? "waits for an answer" : "/rate N answers";
        case DESKBELL_SURVEY_ANSWERED:
                return "answered";
        case DESKBELL_SURVEY_EXPIRED:
                return "its time is over";
        case DESKBELL_SURVEY_WITHDRAWN:
                return "no longer asked";
        default:
                return "";
        }
}

/* The line below the survey that says what has become of it. */
static void describe(const struct chat *chat, const struct deskbell_survey *survey, char *out, size_t room)
{
        char drawn[64] = "";

        if (survey->score >= 0)
                draw(survey, survey->score, drawn, sizeof(drawn));
        if (survey->state == DESKBELL_SURVEY_WAITING && !chat->is_staff && !chat->is_plain && survey->max < 10)
                snprintf(out, room, "  press %d to %d, or /rate N", survey->min, survey->max);
        else if (survey->score >= 0 && !*drawn)
                snprintf(out, room, "  %s: %d/%d", of_state(chat, survey), survey->score, survey->max);
        else
                snprintf(out, room, "  %s%s%s", of_state(chat, survey), *drawn ? ": " : "", drawn);
}

/* ---- what is told of it -------------------------------------------------------------------------------------------
 */

static void say_scale(struct chat *chat, const struct deskbell_survey *survey, const char *state)
{
        char *scale = chat_survey_text(survey);

        if (scale)
                chat_say(chat, "%s\n%s", scale + strspn(scale, " \n"), state);
        free(scale);
}

static void begin(struct chat *chat, const struct deskbell_entry *entry)
{
        const struct deskbell_survey *survey = entry->survey;
        bool is_open = survey->state == DESKBELL_SURVEY_WAITING || survey->state == DESKBELL_SURVEY_ANSWERED;
        struct shown *row = transcript_find(&chat->transcript, DESKBELL_PUBLIC, entry->number);
        char text[200];

        describe(chat, survey, text, sizeof(text));
        if (chat->is_plain)
                say_scale(chat, survey, text);
        else if (row)
                shown_set_more(row, text);
        if (chat->is_staff || entry->number < chat->survey.number)
                return;
        chat_survey_cancel(chat);
        chat->survey.number = entry->number;
        chat->survey.min = survey->min;
        chat->survey.max = survey->max;
        chat->survey.is_open = is_open && !survey->is_locked;
        chat->survey.takes_keys = survey->state == DESKBELL_SURVEY_WAITING;
}

/* What an answer or an end says, below the survey it is about. */
static void change(struct chat *chat, const struct deskbell_entry *entry)
{
        struct shown *row = transcript_find(&chat->transcript, DESKBELL_PUBLIC, entry->of);
        const struct deskbell_survey *said = entry->survey;
        size_t first = strcspn(entry->text, "\n");
        char text[200];

        snprintf(text, sizeof(text), "  %s", of_state(chat, said));
        if (said->score >= 0)
                snprintf(text, sizeof(text), "  answered: %.*s", (int)(first < 100 ? first : 100), entry->text);
        if (row && (said->score >= 0 || said->state != DESKBELL_SURVEY_ANSWERED || !row->more))
                shown_set_more(row, text);
        if (chat->is_plain && entry->kind == DESKBELL_KIND_SURVEY_END)
                chat_say(chat, "survey #%lld: %s", (long long)entry->of, of_state(chat, said));
        if (entry->of != chat->survey.number)
                return;
        chat->survey.takes_keys = false;
        if (said->state != DESKBELL_SURVEY_ANSWERED || said->is_locked) {
                chat->survey.is_open = false;
                chat_survey_cancel(chat);
        }
}

void chat_survey_entry(struct chat *chat, const struct deskbell_entry *entry)
{
        if (entry->log != DESKBELL_PUBLIC)
                return;
        if (entry->kind == DESKBELL_KIND_SURVEY && entry->survey)
                begin(chat, entry);
        else if (entry->survey && entry->of)
                change(chat, entry);
        else if (entry->number > chat->survey.number)
                chat->survey.takes_keys = false; /* the talk has gone on: a digit may begin a message */
}

/* ---- answering ----------------------------------------------------------------------------------------------------
 */

static void drop_said(struct chat *chat)
{
        struct chat_survey *survey = &chat->survey;

        for (size_t i = 0; i < survey->answers_count; i++) {
                for (size_t j = 0; j < survey->answers[i].chosen_count; j++)
                        free((char *)survey->answers[i].chosen[j]);
                free((void *)survey->answers[i].chosen);
                free((char *)survey->answers[i].question);
                free((char *)survey->answers[i].words);
        }
        survey->answers_count = 0;
        free(survey->comment);
        survey->comment = NULL;
        survey->wants_contact = false;
}

static int send(struct chat *chat, int64_t number, const struct deskbell_rating *rating)
{
        chat->scroll = 0;
        return deskbell_survey_answer(chat->conv, number, rating, NULL);
}

static void finish(struct chat *chat, const char *thanks)
{
        struct chat_survey *survey = &chat->survey;
        struct deskbell_rating rating = DESKBELL_RATING_INIT;

        rating.said = survey->comment;
        rating.answers = survey->answers;
        rating.answers_count = survey->answers_count;
        rating.wants_contact = survey->wants_contact ? 1 : -1;
        survey->is_asking = false;
        if (survey->comment || survey->answers_count || survey->wants_contact)
                tell(chat, send(chat, survey->number, &rating));
        drop_said(chat);
        chat_say(chat, "%s", *thanks ? thanks : "thank you");
}

static bool is_to_ask(const struct chat_survey *state, const struct deskbell_survey_question *question)
{
        static const char *const kinds[] = {"choice", "choices", "scale", "text"};
        bool is_known = false;

        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
                is_known |= strcmp(question->kind, kinds[i]) == 0;
        return is_known && state->score >= question->from_score && state->score <= question->to_score;
}

static void ask_one(struct chat *chat, const struct deskbell_survey_question *question)
{
        char text[TEXT_BYTES];
        size_t len = (size_t)snprintf(text, sizeof(text), "%s", question->text);

        for (size_t i = 0; i < question->choices_count && len < sizeof(text); i++)
                len += (size_t)snprintf(text + len, sizeof(text) - len, "\n  [%zu] %s", i + 1,
                                        question->choices[i].label);
        if (strcmp(question->kind, "choices") == 0 && len < sizeof(text))
                snprintf(text + len, sizeof(text) - len, "\n  (numbers, with spaces between)");
        if (strcmp(question->kind, "scale") == 0 && len < sizeof(text))
                snprintf(text + len, sizeof(text) - len, " (%d %s to %d %s)", question->min, question->low,
                         question->max, question->high);
        chat_say(chat, "%s", text);
}

/* Asks what comes next; without anything left it is done. */
static void ask(struct chat *chat, const struct deskbell_survey *survey)
{
        struct chat_survey *state = &chat->survey;
        size_t count = survey->questions_count;

        for (; state->at < count; state->at++) {
                if (!is_to_ask(state, &survey->questions[state->at]))
                        continue;
                ask_one(chat, &survey->questions[state->at]);
                return;
        }
        if (state->at == count && *survey->contact && survey->wants_contact != 1) {
                chat_say(chat, "%s (y = yes)", survey->contact);
                return;
        }
        state->at = state->at == count ? count + 1 : state->at;
        if (state->at == count + 1 && *survey->comment && !*survey->said) {
                chat_say(chat, "%s", survey->comment);
                return;
        }
        finish(chat, survey->thanks);
}

/* "1 3": ids of those choices, malloc'd. False: it names none, or one that is not there. */
static bool take_choices(const struct deskbell_survey_question *question, const char *line,
                         struct deskbell_survey_said *out)
{
        const char **chosen = calloc(question->choices_count + 1, sizeof(*chosen));
        char *end;

        out->chosen = chosen;
        for (const char *at = line; chosen && at[strspn(at, " ,")]; at = end) {
                at += strspn(at, " ,");
                long which = strtol(at, &end, 10);
                if (end == at || which < 1 || (size_t)which > question->choices_count ||
                    out->chosen_count == question->choices_count)
                        return false;
                chosen[out->chosen_count++] = strdup(question->choices[which - 1].id);
        }
        return out->chosen_count > 0;
}

/* False: the line does not answer that question. */
static bool take_said(struct chat *chat, const struct deskbell_survey *survey, const char *line)
{
        struct chat_survey *state = &chat->survey;
        const struct deskbell_survey_question *question = &survey->questions[state->at];
        struct deskbell_survey_said *out = &state->answers[state->answers_count++];
        struct deskbell_rating rating = DESKBELL_RATING_INIT;
        char *end = NULL;
        bool is_read = true;

        *out = (struct deskbell_survey_said){.question = strdup(question->id), .number = -1};
        if (strcmp(question->kind, "scale") == 0) {
                out->number = (int)strtol(line, &end, 10);
                is_read = *end == '\0';
        } else if (question->choices_count) {
                is_read = take_choices(question, line, out);
        } else {
                out->words = strdup(line);
        }
        rating.answers = state->answers;
        rating.answers_count = state->answers_count;
        if (is_read && deskbell_survey_check(survey, &rating, NULL) == DESKBELL_OK)
                return true;
        struct chat_survey failed = {.answers = {*out}, .answers_count = 1};
        struct chat_survey kept = *state;
        *state = failed;
        drop_said(chat);
        kept.answers_count--;
        *state = kept;
        return false;
}

static void take_line(struct chat *chat, const struct deskbell_survey *survey, const char *line)
{
        struct chat_survey *state = &chat->survey;
        bool is_question = state->at < survey->questions_count;

        if (!*line && is_question && survey->questions[state->at].required && !state->was_pressed) {
                state->was_pressed = true;
                chat_say(chat, "please answer this one; an empty line once more leaves it out");
                return;
        }
        if (*line && is_question && !take_said(chat, survey, line)) {
                chat_say(chat, "that does not answer it; an empty line leaves it out");
                return;
        }
        if (state->at == survey->questions_count)
                state->wants_contact = *line == 'y' || *line == 'Y';
        if (*line && state->at > survey->questions_count)
                state->comment = strdup(line);
        state->was_pressed = false;
        state->at++;
        if (state->at > survey->questions_count + 1)
                finish(chat, survey->thanks);
        else
                ask(chat, survey);
}

static void on_survey(deskbell_client *client, int error, const struct deskbell_entry *entries, size_t count,
                      int64_t head, int more, void *data)
{
        struct step *step = data;
        struct chat *chat = step->chat;
        const struct deskbell_entry *entry = count ? &entries[count - 1] : NULL;

        (void)client;
        (void)head;
        (void)more;
        chat->looking--;
        bool is_there = !error && entry && entry->number == chat->survey.number && entry->survey;
        if (is_there && chat->survey.is_asking) {
                if (step->line)
                        take_line(chat, entry->survey, step->line);
                else
                        ask(chat, entry->survey);
        } else {
                chat_survey_cancel(chat);
        }
        chat->is_dirty = true;
        free(step->line);
        free(step);
}

/* Looks the survey up, then goes on with it. */
static void go_on(struct chat *chat, const char *line)
{
        struct deskbell_history_options options = DESKBELL_HISTORY_OPTIONS_INIT;
        struct step *step = calloc(1, sizeof(*step));
        if (!step)
                return;

        step->chat = chat;
        step->line = line ? strdup(line) : NULL;
        options.before = chat->survey.number + 1;
        options.limit = 1;
        int rc = deskbell_history(chat->conv, &options, on_survey, step);
        chat->looking += rc == 0;
        if (rc < 0) {
                tell(chat, rc);
                free(step->line);
                free(step);
        }
}

static void rate(struct chat *chat, int64_t number, int score, const char *comment)
{
        struct deskbell_rating rating = DESKBELL_RATING_INIT;

        rating.score = score;
        rating.said = comment;
        int rc = send(chat, number, &rating);
        tell(chat, rc);
        if (rc < 0 || number != chat->survey.number)
                return;
        chat->survey.takes_keys = false;
        chat->survey.score = score;
        if (*comment || chat->is_plain)
                return; /* locked from now on; and in a pipe nobody can be asked */
        drop_said(chat);
        chat->survey.is_asking = true;
        chat->survey.at = 0;
        chat_say(chat, "an empty line leaves a question out, /cancel leaves out all");
        go_on(chat, NULL);
}

void chat_rate(struct chat *chat, const char *text)
{
        long long number = chat->survey.number;
        char *rest = (char *)text;

        if (chat->is_staff || !chat->conv) {
                fail(chat, "only customers answer surveys");
                return;
        }
        if (chat->is_plain && !chat->was_caught_up) { /* the survey may not be here yet */
                char *later = strdup(text);
                free(chat->survey.later);
                chat->survey.later = later;
                return;
        }
        if (*text == '#') {
                number = strtoll(text + 1, &rest, 10);
                rest += strspn(rest, " ");
        }
        char *end;
        long score = strtol(rest, &end, 10);
        if (end == rest || (*end && *end != ' ') || score < 0 || score > 10)
                fail(chat, "usage: /rate [#SEQ] N [COMMENT]");
        else if (number < 1)
                fail(chat, "nothing is asked here");
        else
                rate(chat, number, (int)score, end + strspn(end, " "));
}

void chat_rate_later(struct chat *chat)
{
        char *text = chat->survey.later;

        chat->survey.later = NULL;
        if (text)
                chat_rate(chat, text);
        free(text);
}

void chat_contact(struct chat *chat)
{
        struct deskbell_rating rating = DESKBELL_RATING_INIT;

        rating.wants_contact = 1;
        if (chat->is_staff || !chat->conv || chat->survey.number < 1)
                fail(chat, "nothing is asked here");
        else
                tell(chat, send(chat, chat->survey.number, &rating));
}

/* ---- keys and lines -----------------------------------------------------------------------------------------------
 */

static bool takes_keys(const struct chat *chat)
{
        return chat->survey.takes_keys && chat->survey.is_open && !chat->survey.is_asking && !chat->filling &&
               chat->conv;
}

bool chat_survey_key(struct chat *chat, char byte)
{
        const struct editor *editor = &chat->editor;
        int score = byte - '0';
        bool is_alone = editor->len == 0 && editor->pending_len == 0 && !editor->is_pasting;

        if (!takes_keys(chat) || !is_alone || score < chat->survey.min || score > 9 || score > chat->survey.max)
                return false;
        if (score == 1 && chat->survey.max == 10) /* or the first digit of 10: as a line */
                return false;
        rate(chat, chat->survey.number, score, "");
        chat->is_dirty = true;
        return true;
}

bool chat_survey_line(struct chat *chat, const char *line)
{
        char *end;

        if (chat->survey.is_asking) {
                go_on(chat, line);
                return true;
        }
        long score = strtol(line, &end, 10);
        if (chat->is_plain || !takes_keys(chat) || end == line || *end || score < chat->survey.min ||
            score > chat->survey.max)
                return false;
        rate(chat, chat->survey.number, (int)score, "");
        return true;
}

void chat_survey_cancel(struct chat *chat)
{
        chat->survey.is_asking = false;
        drop_said(chat);
}

void chat_survey_done(struct chat *chat)
{
        chat_survey_cancel(chat);
        free(chat->survey.later);
        chat->survey.later = NULL;
}
