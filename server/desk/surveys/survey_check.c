/* SPDX-License-Identifier: Apache-2.0 */
/* Forms of surveys: what a change makes of one, and whether it holds together. Pure; any thread. */
#include <stdio.h>

#include "desk/surveys/survey_defs_private.h"
#include "desk/surveys/survey_words.h"

#define BAD(field, expected) fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, field, expected)

enum { FIELD_BYTES = FAULT_PATH_BYTES };

int survey_lowest(int metric, int style)
{
        return metric == PROTOCOL_SURVEY_FORM_METRIC_NPS || style == PROTOCOL_SURVEY_FORM_STYLE_THUMBS ? 0 : 1;
}

enum survey_cause survey_cause_of(int on)
{
        switch (on) {
        case PROTOCOL_SURVEY_FORM_ON_CLOSED:
                return SURVEY_CAUSE_CLOSED;
        case PROTOCOL_SURVEY_FORM_ON_LATER:
                return SURVEY_CAUSE_LATER;
        case PROTOCOL_SURVEY_FORM_ON_CASE:
                return SURVEY_CAUSE_CASE;
        default:
                return SURVEY_CAUSE_SOLVED;
        }
}

/* ---- merging ---- */

static int64_t top_of(enum protocol_survey_form_metric metric, enum protocol_survey_form_style style)
{
        return metric == PROTOCOL_SURVEY_FORM_METRIC_NPS    ? 10
               : metric == PROTOCOL_SURVEY_FORM_METRIC_CES  ? 7
               : style == PROTOCOL_SURVEY_FORM_STYLE_THUMBS ? 1
                                                            : 5;
}

/* All that a form of that metric and style says when nobody has said otherwise. */
static void set_defaults(const struct protocol_survey_form *patch, struct protocol_survey_form *out)
{
        static enum protocol_survey_form_on solved[] = {PROTOCOL_SURVEY_FORM_ON_SOLVED};
        static enum protocol_survey_form_on later[] = {PROTOCOL_SURVEY_FORM_ON_LATER};
        enum protocol_survey_form_metric metric = patch->has_metric ? patch->metric : PROTOCOL_SURVEY_FORM_METRIC_CSAT;
        bool is_csat = metric == PROTOCOL_SURVEY_FORM_METRIC_CSAT, is_nps = metric == PROTOCOL_SURVEY_FORM_METRIC_NPS;
        enum protocol_survey_form_style style = patch->has_style ? patch->style
                                                : is_csat        ? PROTOCOL_SURVEY_FORM_STYLE_STARS
                                                                 : PROTOCOL_SURVEY_FORM_STYLE_NUMBERS;
        struct span lang = patch->has_texts && patch->texts_count > 0 ? patch->texts[0].lang : SPAN("en");
        *out = (struct protocol_survey_form){.enabled = true,
                                             .metric = metric,
                                             .style = style,
                                             .top = top_of(metric, style),
                                             .on = is_nps ? later : solved,
                                             .on_count = 1,
                                             .days_after = 7,
                                             .until_hours = is_nps ? 336 : 96,
                                             .change_hours = 24,
                                             .interval_days = is_nps ? 90 : 7,
                                             .sample_percent = 100,
                                             .min_text = is_nps ? 0 : 250,
                                             .max_age_days = is_nps ? 0 : 7,
                                             .comment = true,
                                             .lang = lang};
        out->has_enabled = out->has_metric = out->has_style = out->has_top = out->has_on = true;
        out->has_delay_minutes = out->has_days_after = out->has_remind_hours = out->has_until_hours = true;
        out->has_change_hours = out->has_interval_days = out->has_sample_percent = out->has_min_text = true;
        out->has_max_age_days = out->has_asks_bot = out->has_comment = out->has_contact = out->has_lang = true;
}

#define TAKE(member)                                                                                                   \
        do {                                                                                                           \
                if (patch->has_##member) {                                                                             \
                        out->has_##member = true;                                                                      \
                        out->member = patch->member;                                                                   \
                }                                                                                                      \
        } while (0)
#define TAKE_LIST(member)                                                                                              \
        do {                                                                                                           \
                TAKE(member);                                                                                          \
                if (patch->has_##member)                                                                               \
                        out->member##_count = patch->member##_count;                                                   \
        } while (0)

static void take_rules(const struct protocol_survey_form *patch, struct protocol_survey_form *out)
{
        TAKE_LIST(on);
        TAKE(delay_minutes);
        TAKE(days_after);
        TAKE(remind_hours);
        TAKE(until_hours);
        TAKE(change_hours);
        TAKE(interval_days);
        TAKE(sample_percent);
        TAKE(min_text);
        TAKE(max_age_days);
        TAKE(asks_bot);
}

void survey_form_merge(const struct protocol_survey_form *base, const struct protocol_survey_form *patch,
                       struct protocol_survey_form *out)
{
        if (base)
                *out = *base;
        else
                set_defaults(patch, out);
        TAKE(name);
        TAKE(enabled);
        TAKE(metric);
        TAKE(style);
        TAKE(top);
        take_rules(patch, out);
        TAKE(comment);
        TAKE(contact);
        TAKE(brand);
        TAKE(colour);
        TAKE(lang);
        TAKE_LIST(questions);
        TAKE_LIST(texts);
        out->has_brand = out->brand.len > 0; /* empty takes it away */
        out->has_colour = out->colour.len > 0;
        out->has_questions = out->questions_count > 0;
        out->has_texts = out->texts_count > 0;
        out->has_when = false; /* kept apart */
        out->when = (struct span){0};
}

/* ---- the scale ---- */

static int check_scale(const struct protocol_survey_form *base, const struct protocol_survey_form *form,
                       struct fault *fault)
{
        bool is_csat = form->metric == PROTOCOL_SURVEY_FORM_METRIC_CSAT;
        bool is_thumbs = form->style == PROTOCOL_SURVEY_FORM_STYLE_THUMBS;
        if (base && form->metric != base->metric)
                return BAD("form.metric", "the one it has: another metric is another survey");
        if (!is_csat && form->style != PROTOCOL_SURVEY_FORM_STYLE_NUMBERS)
                return BAD("form.style", "numbers: stars, emoji and thumbs are for csat");
        if (base && form->top != base->top)
                return BAD("form.top", "the one it has: another scale is another survey");
        if (base && is_thumbs != (base->style == PROTOCOL_SURVEY_FORM_STYLE_THUMBS))
                return BAD("form.style", "one of the same scale: thumbs are another survey");
        bool is_good = form->top == top_of(form->metric, form->style) || (is_csat && !is_thumbs && form->top == 3);
        return is_good ? 0 : BAD("form.top", "csat 5 or 3, with thumbs 1; nps 10; ces 7");
}

static int check_times(const struct protocol_survey_form *form, struct fault *fault)
{
        uint32_t seen = 0;
        for (size_t i = 0; i < form->on_count; i++) {
                if (seen & 1u << form->on[i])
                        return BAD("form.on", "each once");
                seen |= 1u << form->on[i];
        }
        if (form->remind_hours >= form->until_hours)
                return BAD("form.remind_hours", "less than until_hours");
        return 0;
}

static int check_colour(struct span colour, struct fault *fault)
{
        bool is_good = colour.len == 7 && colour.at[0] == '#';
        for (size_t i = 1; is_good && i < colour.len; i++)
                is_good = memchr("0123456789abcdefABCDEF", colour.at[i], 22) != NULL;
        return is_good || colour.len == 0 ? 0 : BAD("form.colour", "#rrggbb");
}

/* ---- further questions ---- */

static int bad_ask(size_t index, const char *member, const char *expected, struct fault *fault)
{
        char field[FIELD_BYTES];
        snprintf(field, sizeof field, "form.questions[%zu].%s", index, member);
        return BAD(field, expected);
}

static bool are_apart(const struct span *ids, size_t count)
{
        for (size_t i = 0; i < count; i++)
                for (size_t other = 0; other < i; other++)
                        if (span_equal(ids[i], ids[other]))
                                return false;
        return true;
}

static int64_t ask_min(const struct protocol_survey_ask *ask)
{
        return ask->has_min ? ask->min : 1;
}

static int64_t ask_max(const struct protocol_survey_ask *ask)
{
        return ask->has_max ? ask->max : 5;
}

static bool has_choices(const struct protocol_survey_ask *ask)
{
        return ask->kind == PROTOCOL_SURVEY_ASK_KIND_CHOICE || ask->kind == PROTOCOL_SURVEY_ASK_KIND_CHOICES;
}

static int check_ask(const struct protocol_survey_form *form, size_t i, struct fault *fault)
{
        const struct protocol_survey_ask *ask = &form->questions[i];
        int64_t lowest = survey_lowest((int)form->metric, (int)form->style);
        bool is_scale = ask->kind == PROTOCOL_SURVEY_ASK_KIND_SCALE;
        for (size_t other = 0; other < i; other++)
                if (span_equal(ask->id, form->questions[other].id))
                        return bad_ask(i, "id", "one that no other question has", fault);
        if (has_choices(ask) != ask->has_choices)
                return bad_ask(i, "choices", has_choices(ask) ? "ids of two choices or more" : "nothing", fault);
        if (!are_apart(ask->choices, ask->choices_count))
                return bad_ask(i, "choices", "each once", fault);
        if (!is_scale && (ask->has_min || ask->has_max))
                return bad_ask(i, ask->has_min ? "min" : "max", "nothing: it is no scale", fault);
        if (is_scale && ask_min(ask) >= ask_max(ask))
                return bad_ask(i, "max", "more than min", fault);
        if (ask->has_from_score && (ask->from_score < lowest || ask->from_score > form->top))
                return bad_ask(i, "from_score", "a score of the survey", fault);
        if (ask->has_to_score && (ask->to_score < lowest || ask->to_score > form->top))
                return bad_ask(i, "to_score", "a score of the survey", fault);
        if (ask->has_from_score && ask->has_to_score && ask->from_score > ask->to_score)
                return bad_ask(i, "to_score", "from_score or more", fault);
        return 0;
}

/* ---- texts ---- */

static int bad_text(size_t index, const char *member, const char *expected, struct fault *fault)
{
        char field[FIELD_BYTES];
        snprintf(field, sizeof field, "form.texts[%zu].%s", index, member);
        return BAD(field, expected);
}

/* The text of that question, once. NULL: none, or several. */
static const struct protocol_survey_ask_text *text_of(const struct protocol_survey_text *text, struct span id)
{
        const struct protocol_survey_ask_text *found = NULL;
        for (size_t i = 0; i < text->questions_count; i++) {
                if (!span_equal(text->questions[i].id, id))
                        continue;
                if (found)
                        return NULL;
                found = &text->questions[i];
        }
        return found;
}

/* A label for each choice, and no other. */
static bool has_labels(const struct protocol_survey_ask *ask, const struct protocol_survey_ask_text *text)
{
        if (text->choices_count != ask->choices_count)
                return false;
        for (size_t i = 0; i < ask->choices_count; i++) {
                size_t labels = 0;
                for (size_t c = 0; c < text->choices_count; c++)
                        labels += span_equal(text->choices[c].id, ask->choices[i]);
                if (labels != 1)
                        return false;
        }
        return true;
}

static int check_text(const struct protocol_survey_form *form, size_t i, struct fault *fault)
{
        const struct protocol_survey_text *text = &form->texts[i];
        if (!survey_lang_is_valid(text->lang))
                return bad_text(i, "lang", "a language tag, as ko or pt-BR", fault);
        for (size_t other = 0; other < i; other++)
                if (survey_lang_equal(text->lang, form->texts[other].lang))
                        return bad_text(i, "lang", "one text a language", fault);
        for (size_t q = 0; q < form->questions_count; q++) {
                const struct protocol_survey_ask_text *words = text_of(text, form->questions[q].id);
                if (!words)
                        return bad_text(i, "questions", "one for each further question", fault);
                if (!has_labels(&form->questions[q], words))
                        return bad_text(i, "questions", "a label for each choice of each question", fault);
        }
        if (text->questions_count > form->questions_count)
                return bad_text(i, "questions", "only questions of the survey", fault);
        return 0;
}

static bool speaks(const struct protocol_survey_form *form, struct span lang)
{
        struct span langs[SURVEY_LANGUAGES + SURVEY_BUILT_IN];
        size_t count = survey_form_langs(form, langs);
        for (size_t i = 0; i < count; i++)
                if (survey_lang_equal(langs[i], lang))
                        return true;
        return false;
}

int survey_form_check(const struct protocol_survey_form *base, const struct protocol_survey_form *form,
                      struct fault *fault)
{
        if (!form->has_name)
                return BAD("form.name", "a name");
        int rc = check_scale(base, form, fault);
        if (rc == 0)
                rc = check_times(form, fault);
        if (rc == 0)
                rc = check_colour(form->colour, fault);
        for (size_t i = 0; rc == 0 && i < form->questions_count; i++)
                rc = check_ask(form, i, fault);
        if (rc == 0 && form->questions_count > 0 && form->texts_count == 0)
                rc = BAD("form.texts", "the words of the further questions");
        for (size_t i = 0; rc == 0 && i < form->texts_count; i++)
                rc = check_text(form, i, fault);
        if (rc == 0 && !speaks(form, form->lang))
                rc = BAD("form.lang", "a language that the survey has");
        return rc;
}
