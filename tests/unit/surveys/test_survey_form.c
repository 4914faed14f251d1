/* SPDX-License-Identifier: Apache-2.0 */
/* Forms of surveys: what is said by default, what holds together, which language a customer gets, and links. */
#include "desk/surveys/survey_defs_private.h"
#include "desk/surveys/survey_link.h"
#include "desk/surveys/survey_words.h"
#include "protocol/writer.h"
#include "unit/ops/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

/* A form of JSON with what it borrows. */
struct paper {
        struct protocol_survey_form form;
        struct arena arena;
};

static struct paper *paper(const char *json)
{
        struct paper *made = calloc(1, sizeof *made);
        struct reader reader;
        struct fault fault = {0};
        size_t len = strlen(json);
        assert_non_null(made);
        arena_init(&made->arena, NULL, 0);
        char *copy = arena_take(&made->arena, len + 1);
        memcpy(copy, json, len);
        reader_init(&reader, copy, len, READER_STRICT, &made->arena, &fault);
        if (protocol_survey_form_read(&reader, &made->form) < 0)
                fail_msg("%s: %s", fault.field, fault.expected);
        return made;
}

static void paper_free(struct paper *made)
{
        arena_done(&made->arena);
        free(made);
}

/* What is made of it. 0, or the field that is refused. */
static const char *refused(const struct protocol_survey_form *base, const char *json)
{
        static struct fault fault;
        struct protocol_survey_form whole;
        struct paper *patch = paper(json);
        fault_clear(&fault);
        survey_form_merge(base, &patch->form, &whole);
        int rc = survey_form_check(base, &whole, &fault);
        paper_free(patch);
        return rc < 0 ? fault.field : NULL;
}

static void one_line_is_a_whole_survey_of_each_metric(void **state)
{
        (void)state;
        const struct {
                const char *json;
                int64_t top, min, interval, until, text;
        } of[] = {{"{\"name\":\"S\"}", 5, 1, 7, 96, 250},
                  {"{\"name\":\"S\",\"style\":\"thumbs\"}", 1, 0, 7, 96, 250},
                  {"{\"name\":\"S\",\"metric\":\"nps\"}", 10, 0, 90, 336, 0},
                  {"{\"name\":\"S\",\"metric\":\"ces\"}", 7, 1, 7, 96, 250}};
        for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
                struct paper *patch = paper(of[i].json);
                struct protocol_survey_form whole;
                struct fault fault = {0};
                survey_form_merge(NULL, &patch->form, &whole);
                assert_int_equal(0, survey_form_check(NULL, &whole, &fault));
                assert_int_equal(of[i].top, whole.top);
                assert_int_equal(of[i].min, survey_lowest((int)whole.metric, (int)whole.style));
                assert_int_equal(of[i].interval, whole.interval_days);
                assert_int_equal(of[i].until, whole.until_hours);
                assert_int_equal(of[i].text, whole.min_text);
                paper_free(patch);
        }
}

static void what_does_not_hold_together_is_refused_by_its_field(void **state)
{
        (void)state;
        static const char *const bad[][2] = {
                {"{}", "form.name"},
                {"{\"name\":\"S\",\"metric\":\"nps\",\"style\":\"stars\"}", "form.style"},
                {"{\"name\":\"S\",\"top\":4}", "form.top"},
                {"{\"name\":\"S\",\"style\":\"thumbs\",\"top\":3}", "form.top"},
                {"{\"name\":\"S\",\"metric\":\"ces\",\"top\":5}", "form.top"},
                {"{\"name\":\"S\",\"on\":[\"solved\",\"solved\"]}", "form.on"},
                {"{\"name\":\"S\",\"until_hours\":24,\"remind_hours\":24}", "form.remind_hours"},
                {"{\"name\":\"S\",\"colour\":\"#12345g\"}", "form.colour"},
                {"{\"name\":\"S\",\"colour\":\"red\"}", "form.colour"},
                {"{\"name\":\"S\",\"lang\":\"fr\"}", "form.lang"},
                {"{\"name\":\"S\",\"texts\":[{\"lang\":\"e n\"}]}", "form.texts[0].lang"},
                {"{\"name\":\"S\",\"texts\":[{\"lang\":\"en\"},{\"lang\":\"EN\"}]}", "form.texts[1].lang"},
                {"{\"name\":\"S\",\"questions\":[{\"id\":\"a\",\"kind\":\"text\"}]}", "form.texts"},
                {"{\"name\":\"S\",\"questions\":[{\"id\":\"a\",\"kind\":\"text\"}],\"texts\":[{\"lang\":\"en\"}]}",
                 "form.texts[0].questions"},
                {"{\"name\":\"S\",\"questions\":[{\"id\":\"a\",\"kind\":\"text\"},{\"id\":\"a\",\"kind\":\"text\"}]}",
                 "form.questions[1].id"},
                {"{\"name\":\"S\",\"questions\":[{\"id\":\"a\",\"kind\":\"choice\"}]}", "form.questions[0].choices"},
                {"{\"name\":\"S\",\"questions\":[{\"id\":\"a\",\"kind\":\"choice\",\"choices\":[\"x\",\"x\"]}]}",
                 "form.questions[0].choices"},
                {"{\"name\":\"S\",\"questions\":[{\"id\":\"a\",\"kind\":\"text\",\"min\":1}]}",
                 "form.questions[0].min"},
                {"{\"name\":\"S\",\"questions\":[{\"id\":\"a\",\"kind\":\"scale\",\"min\":5}]}",
                 "form.questions[0].max"},
                {"{\"name\":\"S\",\"questions\":[{\"id\":\"a\",\"kind\":\"text\",\"from_score\":6}]}",
                 "form.questions[0].from_score"},
                {"{\"name\":\"S\",\"questions\":[{\"id\":\"a\",\"kind\":\"text\",\"from_score\":3,\"to_score\":2}]}",
                 "form.questions[0].to_score"},
                {"{\"name\":\"S\",\"questions\":[{\"id\":\"a\",\"kind\":\"choice\",\"choices\":[\"x\",\"y\"]}],"
                 "\"texts\":[{\"lang\":\"en\",\"questions\":[{\"id\":\"a\",\"text\":\"?\",\"choices\":[{\"id\":\"x\","
                 "\"label\":\"X\"},{\"id\":\"z\",\"label\":\"Z\"}]}]}]}",
                 "form.texts[0].questions"},
        };
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                const char *field = refused(NULL, bad[i][0]);
                assert_string_equal(bad[i][1], field ? field : "taken");
        }
}

static void metric_and_scale_never_change_but_the_rest_does(void **state)
{
        (void)state;
        struct paper *patch = paper("{\"name\":\"S\",\"brand\":\"Acorn\",\"colour\":\"#112233\"}");
        struct protocol_survey_form base, whole;
        survey_form_merge(NULL, &patch->form, &base);
        assert_string_equal("form.metric", refused(&base, "{\"metric\":\"ces\"}"));
        assert_string_equal("form.top", refused(&base, "{\"top\":3}"));
        assert_string_equal("form.style", refused(&base, "{\"style\":\"thumbs\"}"));
        assert_null(refused(&base, "{\"style\":\"emoji\",\"on\":[]}"));
        struct paper *off = paper("{\"brand\":\"\",\"enabled\":false}");
        survey_form_merge(&base, &off->form, &whole);
        assert_false(whole.has_brand);
        assert_false(whole.enabled);
        assert_true(whole.has_colour);
        assert_int_equal(base.until_hours, whole.until_hours);
        paper_free(off);
        paper_free(patch);
}

/* The question that somebody of that language reads. */
static void expect_question(const struct protocol_survey_form *form, const char *lang, const char *in,
                            const char *question)
{
        struct protocol_content content;
        struct arena arena;
        char text[512];
        arena_init(&arena, NULL, 0);
        struct span taken = survey_form_lang(form, span_of(lang));
        snprintf(text, sizeof text, "%.*s", (int)taken.len, taken.at);
        assert_string_equal(in, text);
        assert_int_equal(0, survey_form_show(form, span_of(lang), &arena, &content));
        snprintf(text, sizeof text, "%.*s", (int)content.text.len, content.text.at);
        assert_string_equal(question, text);
        assert_true(content.fallback_text.len > content.text.len);
        arena_done(&arena);
}

static void a_survey_of_one_line_speaks_four_languages_and_english_to_the_rest(void **state)
{
        (void)state;
        for (int metric = 0; metric < 4; metric++) {
                static const char *const json[] = {"{\"name\":\"S\"}", "{\"name\":\"S\",\"style\":\"thumbs\"}",
                                                   "{\"name\":\"S\",\"metric\":\"nps\"}",
                                                   "{\"name\":\"S\",\"metric\":\"ces\"}"};
                struct paper *patch = paper(json[metric]);
                struct protocol_survey_form form;
                survey_form_merge(NULL, &patch->form, &form);
                for (size_t i = 0; i < SURVEY_BUILT_IN; i++)
                        expect_question(&form, survey_built_in[i].lang, survey_built_in[i].lang,
                                        survey_built_in[i].of[metric].question);
                expect_question(&form, "ko-KR", "ko", survey_built_in[1].of[metric].question);
                expect_question(&form, "fr", "en", survey_built_in[0].of[metric].question);
                expect_question(&form, "", "en", survey_built_in[0].of[metric].question);
                expect_question(&form, "kok", "en", survey_built_in[0].of[metric].question);
                paper_free(patch);
        }
}

static void the_exact_tag_wins_then_its_base_then_another_region_then_the_surveys_own(void **state)
{
        (void)state;
        struct paper *patch = paper("{\"name\":\"S\",\"lang\":\"de\",\"texts\":[{\"lang\":\"de\",\"question\":\"DE\"},"
                                    "{\"lang\":\"pt-BR\",\"question\":\"BR\"},{\"lang\":\"pt\",\"question\":\"PT\"},"
                                    "{\"lang\":\"es-MX\",\"question\":\"MX\"}]}");
        struct protocol_survey_form form;
        struct fault fault = {0};
        survey_form_merge(NULL, &patch->form, &form);
        assert_int_equal(0, survey_form_check(NULL, &form, &fault));
        expect_question(&form, "pt-br", "pt-BR", "BR");
        expect_question(&form, "pt-PT", "pt", "PT");
        expect_question(&form, "es-ES", "es-MX", "MX");
        expect_question(&form, "ko", "de", "DE"); /* its question is its own: the built-in one asks something else */
        paper_free(patch);
}

static void what_a_text_does_not_say_is_built_in_in_its_language(void **state)
{
        (void)state;
        struct paper *patch = paper("{\"name\":\"S\",\"lang\":\"ko\",\"contact\":true,\"texts\":[{\"lang\":\"ko\","
                                    "\"question\":\"어땠나요?\",\"thanks\":\"고마워요\"},{\"lang\":\"fr\","
                                    "\"question\":\"Alors ?\"}]}");
        struct protocol_survey_form form;
        struct protocol_content content;
        struct arena arena;
        survey_form_merge(NULL, &patch->form, &form);
        arena_init(&arena, NULL, 0);
        assert_int_equal(0, survey_form_show(&form, SPAN("ko"), &arena, &content));
        assert_true(span_equal(content.survey.thanks, SPAN("고마워요")));
        assert_true(span_equal(content.survey.comment, span_of(survey_built_in[1].comment)));
        assert_true(span_equal(content.survey.contact, span_of(survey_built_in[1].contact)));
        assert_int_equal(0, survey_form_show(&form, SPAN("fr"), &arena, &content));
        assert_true(span_equal(content.survey.thanks, SPAN("고마워요"))); /* the survey's own before English */
        assert_true(span_equal(content.survey.comment, span_of(survey_built_in[0].comment)));
        arena_done(&arena);
        paper_free(patch);
}

static void a_further_question_is_shown_with_the_labels_of_the_language_in_its_own_order(void **state)
{
        (void)state;
        struct paper *patch = paper(
                "{\"name\":\"S\",\"questions\":[{\"id\":\"why\",\"kind\":\"choice\",\"choices\":[\"slow\",\"rude\"],"
                "\"to_score\":2,\"required\":true},{\"id\":\"ease\",\"kind\":\"scale\"}],\"texts\":[{\"lang\":\"en\","
                "\"questions\":[{\"id\":\"ease\",\"text\":\"Easy?\",\"low\":\"no\"},{\"id\":\"why\",\"text\":\"Why?\","
                "\"choices\":[{\"id\":\"rude\",\"label\":\"Rude\"},{\"id\":\"slow\",\"label\":\"Slow\"}]}]}]}");
        struct protocol_survey_form form;
        struct protocol_content content;
        struct fault fault = {0};
        struct arena arena;
        survey_form_merge(NULL, &patch->form, &form);
        assert_int_equal(0, survey_form_check(NULL, &form, &fault));
        arena_init(&arena, NULL, 0);
        assert_int_equal(0, survey_form_show(&form, SPAN("ja"), &arena, &content));
        const struct protocol_survey_question *asked = content.survey.questions;
        assert_int_equal(2, content.survey.questions_count);
        assert_true(span_equal(asked[0].text, SPAN("Why?")));
        assert_true(span_equal(asked[0].choices[0].label, SPAN("Slow")));
        assert_true(asked[0].has_to_score && asked[0].to_score == 2 && asked[0].required);
        assert_int_equal(1, asked[1].min);
        assert_int_equal(5, asked[1].max);
        assert_true(asked[1].has_low && !asked[1].has_high);
        arena_done(&arena);
        paper_free(patch);
}

static void a_form_is_the_same_after_it_was_stored(void **state)
{
        (void)state;
        struct paper *patch =
                paper("{\"name\":\"S\",\"contact\":true,\"texts\":[{\"lang\":\"ko\",\"question\":\"\\\"?\\\"\"}]}");
        struct protocol_survey_form form;
        const struct protocol_survey_form *back = NULL;
        struct writer first, second;
        struct arena arena;
        survey_form_merge(NULL, &patch->form, &form);
        arena_init(&arena, NULL, 0);
        writer_init(&first, NULL, 0);
        writer_init(&second, NULL, 0);
        protocol_survey_form_write(&first, &form);
        assert_int_equal(0, survey_form_decode((struct span){first.bytes, first.len}, &arena, &back));
        protocol_survey_form_write(&second, back);
        assert_int_equal(first.len, second.len);
        assert_memory_equal(first.bytes, second.bytes, first.len);
        writer_done(&first);
        writer_done(&second);
        arena_done(&arena);
        paper_free(patch);
}

static void a_link_is_good_only_as_it_was_made(void **state)
{
        (void)state;
        static const uint8_t key[LINK_KEY_BYTES] = {7}, other[LINK_KEY_BYTES] = {8};
        char path[SURVEY_LINK_TEXT];
        struct survey_link link;
        size_t len = survey_link_write(path, key, 0x123456789abcdefu, 1800000000000);
        assert_int_equal(strlen(path), len);
        assert_int_equal(0, survey_link_read((struct span){path, len}, &link));
        assert_int_equal(0x123456789abcdefu, link.offer);
        assert_int_equal(1800000000000, link.expires_ms);
        assert_true(survey_link_is_made(&link, key));
        assert_false(survey_link_is_made(&link, other));
        for (size_t i = 0; i < len; i++) { /* each byte changed: another link, or none */
                char was = path[i];
                path[i] = was == '0' ? '1' : '0';
                if (survey_link_read((struct span){path, len}, &link) == 0)
                        assert_false(survey_link_is_made(&link, key));
                path[i] = was;
        }
        assert_int_equal(-1, survey_link_read((struct span){path, len - 1}, &link));
        path[len] = '0';
        assert_int_equal(-1, survey_link_read((struct span){path, len + 1}, &link));
        assert_int_equal(-1, survey_link_read(SPAN("/s/"), &link));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_line_is_a_whole_survey_of_each_metric),
                cmocka_unit_test(what_does_not_hold_together_is_refused_by_its_field),
                cmocka_unit_test(metric_and_scale_never_change_but_the_rest_does),
                cmocka_unit_test(a_survey_of_one_line_speaks_four_languages_and_english_to_the_rest),
                cmocka_unit_test(the_exact_tag_wins_then_its_base_then_another_region_then_the_surveys_own),
                cmocka_unit_test(what_a_text_does_not_say_is_built_in_in_its_language),
                cmocka_unit_test(a_further_question_is_shown_with_the_labels_of_the_language_in_its_own_order),
                cmocka_unit_test(a_form_is_the_same_after_it_was_stored),
                cmocka_unit_test(a_link_is_good_only_as_it_was_made),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
