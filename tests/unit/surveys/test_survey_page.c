/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a signed link: what it writes is HTML whatever people have written, and what a browser sends is read
 * strictly. */
#include "session/survey_form.h"
#include "session/survey_html.h"
#include "unit/ops/cmocka_all.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define ID 0x123456789abcdefu

/* What the form becomes, as JSON; NULL: refused. */
static json_t *form(const char *text)
{
        char *body = strdup(text);
        struct writer out;
        writer_init(&out, NULL, 0);
        int rc = survey_form_read(body, strlen(body), ID, &out);
        json_t *params = rc == 0 ? json_loadb(out.bytes, out.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
        if (rc == 0 && !params)
                fail_msg("no JSON of %s", text);
        writer_done(&out);
        free(body);
        return params;
}

static void expect_form(const char *text, const char *expected)
{
        json_t *params = form(text), *wanted = json_loads(expected, 0, NULL);
        assert_non_null(params);
        assert_non_null(wanted);
        json_object_del(params, "offer");
        if (!json_equal(params, wanted))
                fail_msg("%s became %s", text, json_dumps(params, 0));
        json_decref(params);
        json_decref(wanted);
}

static void a_browsers_form_becomes_the_params_of_an_answer(void **state)
{
        (void)state;
        expect_form("", "{}");
        expect_form("score=4", "{\"score\":4}");
        expect_form("score=10&said=&contact=1", "{\"score\":10,\"contact\":true}");
        expect_form("score=0&said=a%2Bb+%26+c%0D%0Ad%22", "{\"score\":0,\"said\":\"a+b & c\\nd\\\"\"}");
        expect_form("said=+%0A+x+%0A", "{\"said\":\"x\"}");
        expect_form("score=2&n.ease=3&t.why=too+late&c.what=a&c.what=b",
                    "{\"score\":2,\"answers\":[{\"question\":\"ease\",\"number\":3},{\"question\":\"why\",\"words\":"
                    "\"too late\"},{\"question\":\"what\",\"chosen\":[\"a\",\"b\"]}]}");
        expect_form("t.why=&c.a=&n.b=&score=1", "{\"score\":1}");
        expect_form("c.%EC%9D%B4%EC%9C%A0=%EB%8A%A6%EC%9D%8C",
                    "{\"answers\":[{\"question\":\"이유\",\"chosen\":[\"늦음\"]}]}");
        expect_form("t.%22x=%22%7D", "{\"answers\":[{\"question\":\"\\\"x\",\"words\":\"\\\"}\"}]}");
}

static void what_is_no_such_form_is_refused(void **state)
{
        (void)state;
        static const char *const bad[] = {"score",
                                          "score=",
                                          "score=x",
                                          "score=-1",
                                          "score=04",
                                          "score=100",
                                          "score=1&score=1",
                                          "score=1&said=a&said=b",
                                          "said=%",
                                          "said=%4",
                                          "said=%zz",
                                          "seq=1",
                                          "offer=off_0000000000001",
                                          "n.=1",
                                          "n.a=x",
                                          "n.a=1&t.a=x",
                                          "n.a=1&n.a=2",
                                          "t.a=1&t.b=1&t.c=1&t.d=1&t.e=1&t.f=1",
                                          "x.a=1",
                                          "c.a=1&c.a=2&c.a=3&c.a=4&c.a=5&c.a=6&c.a=7&c.a=8&c.a=9&c.a=10&c.a=11"};
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                json_t *params = form(bad[i]);
                if (params)
                        fail_msg("taken: %s", bad[i]);
        }
}

static char *page_of(enum survey_html_kind kind, const struct protocol_survey_page_result *page, char *out_csp)
{
        struct writer out;
        writer_init(&out, NULL, 0);
        survey_html_write(kind, page, &out, out_csp);
        assert_false(out.failed);
        char *text = strndup(out.bytes, out.len);
        writer_done(&out);
        return text;
}

static size_t count(const char *text, const char *part)
{
        size_t found = 0;
        for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
                found++;
        return found;
}

#define EVIL "<script>alert('1')</script>\"><img src=x onerror=1>&"

/* A survey whose every text is hostile. */
static struct protocol_survey_page_result evil(struct protocol_survey_question *questions,
                                               struct protocol_survey_choice *choices)
{
        struct span text = SPAN(EVIL);
        choices[0] = choices[1] = (struct protocol_survey_choice){.id = text, .label = text};
        questions[0] = (struct protocol_survey_question){.id = text,
                                                         .kind = PROTOCOL_SURVEY_QUESTION_KIND_CHOICE,
                                                         .text = text,
                                                         .choices = choices,
                                                         .choices_count = 2};
        questions[1] = (struct protocol_survey_question){.id = text,
                                                         .kind = PROTOCOL_SURVEY_QUESTION_KIND_SCALE,
                                                         .text = text,
                                                         .min = 0,
                                                         .max = 10,
                                                         .low = text,
                                                         .high = text};
        questions[2] =
                (struct protocol_survey_question){.id = text, .kind = PROTOCOL_SURVEY_QUESTION_KIND_TEXT, .text = text};
        return (struct protocol_survey_page_result){.lang = text,
                                                    .text = text,
                                                    .shown = {.metric = PROTOCOL_SURVEY_SHOWN_METRIC_CSAT,
                                                              .style = PROTOCOL_SURVEY_SHOWN_STYLE_THUMBS,
                                                              .min = 0,
                                                              .max = 1,
                                                              .low = text,
                                                              .high = text,
                                                              .questions = questions,
                                                              .questions_count = 3,
                                                              .has_comment = true,
                                                              .comment = text,
                                                              .has_contact = true,
                                                              .contact = text,
                                                              .has_thanks = true,
                                                              .thanks = text,
                                                              .has_colour = true,
                                                              .colour = SPAN("</styl"),
                                                              .has_brand = true,
                                                              .brand = text}};
}

static void nothing_that_people_wrote_is_markup(void **state)
{
        (void)state;
        struct protocol_survey_question questions[3];
        struct protocol_survey_choice choices[2];
        struct protocol_survey_page_result page = evil(questions, choices);
        for (int kind = SURVEY_HTML_FORM; kind <= SURVEY_HTML_LATER; kind++) {
                char csp[SURVEY_HTML_CSP];
                char *text = page_of((enum survey_html_kind)kind, &page, csp);
                assert_int_equal(0, count(text, "<script"));
                assert_int_equal(0, count(text, "<img"));
                assert_int_equal(0, count(text, "alert('"));
                assert_int_equal(1, count(text, "</style>"));
                assert_int_equal(kind <= SURVEY_HTML_AGAIN, count(text, "<form"));
                assert_int_equal(0, count(text, " style="));
                assert_int_equal(0, count(text, "http")); /* nothing comes from elsewhere */
                assert_non_null(strstr(csp, "default-src 'none'"));
                assert_null(strstr(csp, "unsafe"));
                free(text);
        }
}

static void each_state_says_its_own_thing_in_the_language_of_the_offer(void **state)
{
        (void)state;
        struct protocol_survey_page_result page = {.lang = SPAN("ko"),
                                                   .text = SPAN("어땠나요?"),
                                                   .shown = {.style = PROTOCOL_SURVEY_SHOWN_STYLE_STARS,
                                                             .min = 1,
                                                             .max = 5,
                                                             .state = PROTOCOL_SURVEY_SHOWN_STATE_WAITING}};
        static const char *const says[] = {[SURVEY_HTML_FORM] = "보내기",
                                           [SURVEY_HTML_AGAIN] = "다시 보내 주세요",
                                           [SURVEY_HTML_THANKS] = "감사합니다",
                                           [SURVEY_HTML_ANSWERED] = "이미 답변",
                                           [SURVEY_HTML_ENDED] = "종료된"};
        char csp[SURVEY_HTML_CSP];
        for (int kind = SURVEY_HTML_FORM; kind <= SURVEY_HTML_ENDED; kind++) {
                char *text = page_of((enum survey_html_kind)kind, &page, csp);
                assert_int_equal(1, count(text, "<html lang=\"ko\">"));
                assert_true(count(text, says[kind]) >= 1);
                free(text);
        }
        char *text = page_of(SURVEY_HTML_BAD_LINK, NULL, csp);
        assert_int_equal(1, count(text, "This link is not valid."));
        assert_int_equal(1, count(text, "このリンクは無効です。"));
        free(text);
}

static void an_answer_that_was_given_is_filled_in_and_can_be_changed_until_it_is_locked(void **state)
{
        (void)state;
        struct protocol_survey_page_result page = {.lang = SPAN("en"),
                                                   .text = SPAN("How?"),
                                                   .shown = {.style = PROTOCOL_SURVEY_SHOWN_STYLE_NUMBERS,
                                                             .min = 1,
                                                             .max = 5,
                                                             .has_score = true,
                                                             .score = 2,
                                                             .state = PROTOCOL_SURVEY_SHOWN_STATE_ANSWERED}};
        char csp[SURVEY_HTML_CSP];
        char *text = page_of(SURVEY_HTML_FORM, &page, csp);
        assert_int_equal(1, count(text, " checked"));
        assert_non_null(strstr(text, "value=\"2\" id=\"s2\" required checked"));
        assert_int_equal(1, count(text, "You can still change your answer."));
        free(text);
        text = page_of(SURVEY_HTML_THANKS, &page, csp);
        assert_int_equal(1, count(text, "<a href=\"\">"));
        free(text);
        page.shown.has_locked = page.shown.locked = true;
        text = page_of(SURVEY_HTML_THANKS, &page, csp);
        assert_int_equal(0, count(text, "<a "));
        free(text);
}

static void a_branch_is_shown_only_at_its_scores_and_is_never_required_of_the_browser(void **state)
{
        (void)state;
        struct protocol_survey_question question = {.id = SPAN("why"),
                                                    .kind = PROTOCOL_SURVEY_QUESTION_KIND_TEXT,
                                                    .text = SPAN("Why?"),
                                                    .has_required = true,
                                                    .required = true,
                                                    .has_to_score = true,
                                                    .to_score = 2};
        struct protocol_survey_page_result page = {.lang = SPAN("en"),
                                                   .text = SPAN("How?"),
                                                   .shown = {.style = PROTOCOL_SURVEY_SHOWN_STYLE_STARS,
                                                             .min = 1,
                                                             .max = 5,
                                                             .questions = &question,
                                                             .questions_count = 1}};
        char csp[SURVEY_HTML_CSP], other[SURVEY_HTML_CSP];
        char *text = page_of(SURVEY_HTML_FORM, &page, csp);
        assert_non_null(strstr(text, "form:not(:has(:is(#none,#s1,#s2):checked)) .q0{display:none}"));
        assert_null(strstr(text, "name=\"t.why\" maxlength=\"2000\" aria-label=\"Why?\" required"));
        free(text);
        question.has_to_score = false;
        text = page_of(SURVEY_HTML_FORM, &page, other);
        assert_non_null(strstr(text, "aria-label=\"Why?\" required"));
        assert_null(strstr(text, ".q0{display:none}"));
        assert_string_not_equal(csp, other); /* the policy names the style that is there */
        free(text);
}

static void what_did_not_fit_comes_back_filled_in_with_what_is_missing_marked(void **state)
{
        (void)state;
        struct protocol_survey_question questions[2] = {
                {.id = SPAN("why"),
                 .kind = PROTOCOL_SURVEY_QUESTION_KIND_TEXT,
                 .text = SPAN("Why?"),
                 .has_required = true,
                 .required = true,
                 .has_to_score = true,
                 .to_score = 2},
                {.id = SPAN("more"), .kind = PROTOCOL_SURVEY_QUESTION_KIND_TEXT, .text = SPAN("More?")}};
        struct protocol_survey_said said = {.question = SPAN("more"), .has_words = true, .words = SPAN("so <long>")};
        struct protocol_survey_page_result page = {.lang = SPAN("en"),
                                                   .text = SPAN("How?"),
                                                   .shown = {.style = PROTOCOL_SURVEY_SHOWN_STYLE_STARS,
                                                             .min = 1,
                                                             .max = 5,
                                                             .questions = questions,
                                                             .questions_count = 2,
                                                             .has_comment = true,
                                                             .comment = SPAN("Else?"),
                                                             .has_score = true,
                                                             .score = 2,
                                                             .has_answers = true,
                                                             .answers = &said,
                                                             .answers_count = 1,
                                                             .has_said = true,
                                                             .said = SPAN("a & b")}};
        char csp[SURVEY_HTML_CSP];
        char *text = page_of(SURVEY_HTML_AGAIN, &page, csp);
        assert_non_null(strstr(text, "class=\"more q0 missing\""));
        assert_non_null(strstr(text, "class=\"more q1\""));
        assert_non_null(strstr(text, "value=\"2\" id=\"s2\" required checked"));
        assert_non_null(strstr(text, ">so &lt;long&gt;</textarea>"));
        assert_non_null(strstr(text, "name=\"said\" maxlength=\"2000\">a &amp; b</textarea>"));
        free(text);
        page.shown.score = 3; /* then it is not asked for */
        text = page_of(SURVEY_HTML_AGAIN, &page, csp);
        assert_null(strstr(text, "class=\"more q0 missing\""));
        free(text);
        page.shown.score = 2;
        text = page_of(SURVEY_HTML_FORM, &page, csp); /* nobody is blamed before he has answered */
        assert_null(strstr(text, "class=\"more q0 missing\""));
        free(text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_browsers_form_becomes_the_params_of_an_answer),
                cmocka_unit_test(what_is_no_such_form_is_refused),
                cmocka_unit_test(nothing_that_people_wrote_is_markup),
                cmocka_unit_test(each_state_says_its_own_thing_in_the_language_of_the_offer),
                cmocka_unit_test(an_answer_that_was_given_is_filled_in_and_can_be_changed_until_it_is_locked),
                cmocka_unit_test(a_branch_is_shown_only_at_its_scores_and_is_never_required_of_the_browser),
                cmocka_unit_test(what_did_not_fit_comes_back_filled_in_with_what_is_missing_marked),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
