/* SPDX-License-Identifier: Apache-2.0 */
/* What a customer is shown of a survey: one language for all of it, so that two languages are never mixed; in it the
 * survey's own words, and for what it does not say the built-in ones. Pure; any thread. */
#include <stdio.h>

#include "desk/surveys/survey_defs_private.h"
#include "desk/surveys/survey_words.h"

typedef bool lang_fits(struct span own, struct span wanted);

static bool is_exact(struct span own, struct span wanted)
{
        return survey_lang_equal(own, wanted);
}

static bool is_base(struct span own, struct span wanted)
{
        return survey_lang_equal(own, survey_lang_base(wanted));
}

static bool is_near(struct span own, struct span wanted)
{
        return survey_lang_equal(survey_lang_base(own), survey_lang_base(wanted));
}

/* Its question is its own: then built-in words of another language would ask something else. */
static bool has_own_question(const struct protocol_survey_form *form)
{
        bool has = form->questions_count > 0;
        for (size_t i = 0; i < form->texts_count && !has; i++)
                has = form->texts[i].has_question;
        return has;
}

static bool is_among(const struct span *langs, size_t count, struct span lang)
{
        for (size_t i = 0; i < count; i++)
                if (survey_lang_equal(langs[i], lang))
                        return true;
        return false;
}

size_t survey_form_langs(const struct protocol_survey_form *form, struct span *out_langs)
{
        size_t count = 0;
        for (size_t i = 0; i < form->texts_count && i < SURVEY_LANGUAGES; i++)
                out_langs[count++] = form->texts[i].lang;
        for (size_t i = 0; i < SURVEY_BUILT_IN && !has_own_question(form); i++)
                if (!is_among(out_langs, count, span_of(survey_built_in[i].lang)))
                        out_langs[count++] = span_of(survey_built_in[i].lang);
        for (size_t i = 1; i < count; i++) { /* its own to the front */
                if (!survey_lang_equal(out_langs[i], form->lang))
                        continue;
                for (; i > 0; i--)
                        out_langs[i] = out_langs[i - 1];
                out_langs[0] = form->lang;
                break;
        }
        return count;
}

struct span survey_form_lang(const struct protocol_survey_form *form, struct span lang)
{
        static lang_fits *const ways[] = {is_exact, is_base, is_near};
        struct span langs[SURVEY_LANGUAGES + SURVEY_BUILT_IN];
        size_t count = survey_form_langs(form, langs);
        for (size_t way = 0; lang.len > 0 && way < sizeof ways / sizeof *ways; way++)
                for (size_t i = 0; i < count; i++)
                        if (ways[way](langs[i], lang))
                                return langs[i];
        return form->lang;
}

struct span survey_lang(const struct survey *survey, struct span lang)
{
        return survey_form_lang(survey->form, lang);
}

/* ---- words ---- */

/* Where the words of one showing come from. */
struct voice {
        const struct protocol_survey_text *own, *first; /* of the language, of the survey's own; either may be NULL */
        const struct survey_words *built_in;            /* of the language, or else English */
        bool is_built_in_near;                          /* built_in is of the language */
        enum survey_asking asking;
};

static const struct protocol_survey_text *text_in(const struct protocol_survey_form *form, struct span lang)
{
        for (size_t i = 0; i < form->texts_count; i++)
                if (survey_lang_equal(form->texts[i].lang, lang))
                        return &form->texts[i];
        return NULL;
}

static enum survey_asking asking_of(const struct protocol_survey_form *form)
{
        return form->metric == PROTOCOL_SURVEY_FORM_METRIC_NPS    ? SURVEY_ASKS_NPS
               : form->metric == PROTOCOL_SURVEY_FORM_METRIC_CES  ? SURVEY_ASKS_CES
               : form->style == PROTOCOL_SURVEY_FORM_STYLE_THUMBS ? SURVEY_ASKS_THUMBS
                                                                  : SURVEY_ASKS_CSAT;
}

static struct voice voice_of(const struct protocol_survey_form *form, struct span lang)
{
        const struct survey_words *near = survey_words_of(lang);
        return (struct voice){.own = text_in(form, lang),
                              .first = text_in(form, form->lang),
                              .built_in = near ? near : &survey_built_in[0],
                              .is_built_in_near = near != NULL,
                              .asking = asking_of(form)};
}

/* What it says itself in that language; the built-in words of it; what it says in its own; English. */
static struct span pick(const struct voice *voice, struct span own, struct span first, const char *built_in)
{
        return own.len > 0 ? own : voice->is_built_in_near || first.len == 0 ? span_of(built_in) : first;
}

#define PICK(voice, member, built_in)                                                                                  \
        pick(voice, (voice)->own ? (voice)->own->member : (struct span){0},                                            \
             (voice)->first ? (voice)->first->member : (struct span){0}, built_in)

/* ---- further questions ---- */

static void show_choices(const struct protocol_survey_ask *ask, const struct protocol_survey_ask_text *words,
                         struct protocol_survey_question *out)
{
        for (size_t i = 0; i < ask->choices_count; i++)
                for (size_t c = 0; c < words->choices_count; c++)
                        if (span_equal(words->choices[c].id, ask->choices[i]))
                                out->choices[out->choices_count++] = words->choices[c];
        out->has_choices = true;
}

static void show_scale(const struct protocol_survey_ask *ask, const struct protocol_survey_ask_text *words,
                       struct protocol_survey_question *out)
{
        out->has_min = out->has_max = true;
        out->min = ask->has_min ? ask->min : 1;
        out->max = ask->has_max ? ask->max : 5;
        out->has_low = words->has_low;
        out->low = words->low;
        out->has_high = words->has_high;
        out->high = words->high;
}

static int show_question(const struct protocol_survey_ask *ask, const struct protocol_survey_ask_text *words,
                         struct arena *arena, struct protocol_survey_question *out)
{
        *out = (struct protocol_survey_question){.id = ask->id,
                                                 .kind = (enum protocol_survey_question_kind)ask->kind,
                                                 .text = words->text,
                                                 .has_required = ask->has_required && ask->required,
                                                 .required = ask->required,
                                                 .has_from_score = ask->has_from_score,
                                                 .from_score = ask->from_score,
                                                 .has_to_score = ask->has_to_score,
                                                 .to_score = ask->to_score};
        if (ask->kind == PROTOCOL_SURVEY_ASK_KIND_SCALE)
                show_scale(ask, words, out);
        if (!ask->has_choices)
                return 0;
        out->choices = arena_take(arena, ask->choices_count * sizeof *out->choices);
        if (!out->choices)
                return -PROTOCOL_ERR_INTERNAL;
        show_choices(ask, words, out);
        return 0;
}

static int show_questions(const struct protocol_survey_form *form, const struct protocol_survey_text *text,
                          struct arena *arena, struct protocol_survey_shown *out)
{
        if (!text || form->questions_count == 0)
                return 0;
        out->questions = arena_take(arena, form->questions_count * sizeof *out->questions);
        if (!out->questions)
                return -PROTOCOL_ERR_INTERNAL;
        int rc = 0;
        for (size_t i = 0; rc == 0 && i < form->questions_count; i++)
                for (size_t t = 0; rc == 0 && t < text->questions_count; t++)
                        if (span_equal(text->questions[t].id, form->questions[i].id))
                                rc = show_question(&form->questions[i], &text->questions[t], arena,
                                                   &out->questions[out->questions_count++]);
        out->has_questions = true;
        return rc;
}

/* ---- the whole ---- */

static void show_words(const struct protocol_survey_form *form, const struct voice *voice,
                       struct protocol_survey_shown *out)
{
        const struct survey_words *words = voice->built_in;
        out->has_low = out->has_high = out->has_thanks = true;
        out->low = PICK(voice, low, words->of[voice->asking].low);
        out->high = PICK(voice, high, words->of[voice->asking].high);
        out->thanks = PICK(voice, thanks, words->thanks);
        out->has_comment = form->comment;
        out->comment = PICK(voice, comment, words->comment);
        out->has_contact = form->contact;
        out->contact = PICK(voice, contact, words->contact);
        out->has_brand = form->has_brand;
        out->brand = form->brand;
        out->has_colour = form->has_colour;
        out->colour = form->colour;
}

/* For clients that cannot draw it: the question and its scale. */
static int show_fallback(const struct protocol_survey_shown *shown, struct span question, struct arena *arena,
                         struct span *out_text)
{
        size_t room = question.len + shown->low.len + shown->high.len + 64;
        char *text = arena_take(arena, room);
        if (!text)
                return -PROTOCOL_ERR_INTERNAL;
        int len = snprintf(text, room, "%.*s (%lld: %.*s, %lld: %.*s)", (int)question.len, question.at,
                           (long long)shown->min, (int)shown->low.len, shown->low.at, (long long)shown->max,
                           (int)shown->high.len, shown->high.at);
        *out_text = (struct span){text, (size_t)len};
        return 0;
}

int survey_form_show(const struct protocol_survey_form *form, struct span lang, struct arena *arena,
                     struct protocol_content *out_content)
{
        struct voice voice = voice_of(form, survey_form_lang(form, lang));
        struct protocol_survey_shown *shown = &out_content->survey;
        *out_content = (struct protocol_content){.has_text = true, .has_fallback_text = true, .has_survey = true};
        shown->metric = (enum protocol_survey_shown_metric)form->metric;
        shown->style = (enum protocol_survey_shown_style)form->style;
        shown->min = survey_lowest((int)form->metric, (int)form->style);
        shown->max = form->top;
        shown->state = PROTOCOL_SURVEY_SHOWN_STATE_WAITING;
        show_words(form, &voice, shown);
        out_content->text = PICK(&voice, question, voice.built_in->of[voice.asking].question);
        int rc = show_questions(form, voice.own, arena, shown);
        return rc < 0 ? rc : show_fallback(shown, out_content->text, arena, &out_content->fallback_text);
}

int survey_show(const struct survey *survey, struct span lang, struct arena *arena,
                struct protocol_content *out_content)
{
        int rc = survey_form_show(survey->form, lang, arena, out_content);
        out_content->survey.survey = survey->ext;
        out_content->survey.version = survey->version;
        return rc;
}
