/* SPDX-License-Identifier: Apache-2.0 */
/* Questions that are asked at some scores only: an answer fits the score that counts, whoever sends it and however. */
#include "unit/offers/offer_scene.h"

#include <stdio.h>

/* why: needed, up to 2; more: words, up to 2; praise: from 4; ease: always. */
#define FORM                                                                                                           \
        ",\"questions\":[{\"id\":\"why\",\"kind\":\"choices\",\"choices\":[\"slow\",\"rude\"],\"to_score\":2,"         \
        "\"required\":true},{\"id\":\"more\",\"kind\":\"text\",\"to_score\":2},{\"id\":\"praise\",\"kind\":"           \
        "\"choice\","                                                                                                  \
        "\"choices\":[\"a\",\"b\"],\"from_score\":4},{\"id\":\"ease\",\"kind\":\"scale\",\"min\":1,\"max\":5}],"       \
        "\"lang\":\"en\",\"texts\":[{\"lang\":\"en\",\"questions\":[{\"id\":\"why\",\"text\":\"Why?\",\"choices\":["   \
        "{\"id\":\"slow\",\"label\":\"Slow\"},{\"id\":\"rude\",\"label\":\"Rude\"}]},{\"id\":\"more\",\"text\":"       \
        "\"More?\"},{\"id\":\"praise\",\"text\":\"Whom?\",\"choices\":[{\"id\":\"a\",\"label\":\"A\"},{\"id\":\"b\","  \
        "\"label\":\"B\"}]},{\"id\":\"ease\",\"text\":\"Easy?\"}]}]"
#define WHY           "{\"question\":\"why\",\"chosen\":[\"slow\"]}"
#define MORE          "{\"question\":\"more\",\"words\":\"gloxinia\"}"
#define PRAISE        "{\"question\":\"praise\",\"chosen\":[\"a\"]}"
#define EASE          "{\"question\":\"ease\",\"number\":3}"
#define ANSWERS(list) ",\"answers\":[" list "]"

static struct scene asked(void **state)
{
        struct scene scene = scene_open(state, FORM);
        solve(&scene, scene.conv);
        offer_is(&scene, "waiting", "");
        return scene;
}

/* What row and message say of the answers to further questions: "why ease". */
static void answered_are(const struct scene *scene, const char *expected)
{
        char sql[400];
        static const char list[] = "coalesce((SELECT group_concat(json_extract(value, '$.question'), ' ')"
                                   " FROM json_each(%s)), '') = '%s'";
        snprintf(sql, sizeof sql, list, "o.answers", expected);
        if (offer_int(scene, sql) != 1)
                fail_msg("the row has not '%s'", expected);
        snprintf(sql, sizeof sql, list,
                 "(SELECT json_extract(e.body, '$.survey.answers') FROM entry e WHERE e.conv = o.conv AND"
                 " e.log = 0 AND e.seq = o.seq)",
                 expected);
        if (offer_int(scene, sql) != 1)
                fail_msg("the message has not '%s'", expected);
}

static void an_answer_is_taken_only_at_the_scores_that_ask_for_it(void **state)
{
        struct scene scene = asked(state);
        refused(rate(&scene, ANSWERS(WHY)), "bad_request", "rated.answers[0]"); /* no score yet */
        refused(rate(&scene, ",\"score\":3" ANSWERS(WHY)), "bad_request", "rated.answers[0]");
        refused(rate(&scene, ",\"score\":5" ANSWERS(EASE "," PRAISE "," WHY)), "bad_request", "rated.answers[2]");
        refused(rate(&scene, ",\"score\":3" ANSWERS(PRAISE)), "bad_request", "rated.answers[0]");
        offer_is(&scene, "waiting", "");
        json_t *answer = rate(&scene, ",\"score\":5" ANSWERS(WHY));
        assert_string_equal("only questions that are asked at that score", words(answer, "error.data.expected"));
        json_decref(answer);
        take_seq(rate(&scene, ANSWERS(EASE))); /* asked of everybody, also before the score */
        take_seq(rate(&scene, ",\"score\":2"));
        refused(rate(&scene, ANSWERS(PRAISE)), "bad_request", "rated.answers[0]"); /* the score that counts is 2 */
        take_seq(rate(&scene, ANSWERS(WHY)));
        answered_are(&scene, "ease why");
        take_seq(rate(&scene, ",\"score\":4" ANSWERS(PRAISE)));
        answered_are(&scene, "ease praise");
        scene_close(&scene);
}

static void another_score_drops_what_it_does_not_ask_for(void **state)
{
        struct scene scene = asked(state);
        take_seq(rate(&scene, ",\"score\":1" ANSWERS(WHY "," MORE "," EASE)));
        answered_are(&scene, "why more ease");
        assert_int_equal(1, room_sql(scene.room, "SELECT count(*) FROM survey_word WHERE word = 'gloxinia'"));
        take_seq(rate(&scene, ",\"score\":2"));
        answered_are(&scene, "why more ease"); /* it asks for the same */
        take_seq(rate(&scene, ",\"score\":3"));
        answered_are(&scene, "ease");
        assert_int_equal(0, room_sql(scene.room, "SELECT count(*) FROM survey_word"));
        take_seq(rate(&scene, ",\"score\":1"));
        answered_are(&scene, "ease"); /* dropped is dropped */
        scene_close(&scene);
}

/* What the SDK and `deskbell chat` send: the tap at once, then what was said to the questions, of which a required one
 * may have been left out. */
static void a_tap_counts_though_a_question_is_required(void **state)
{
        struct scene scene = asked(state);
        take_seq(rate(&scene, ",\"score\":1"));
        offer_is(&scene, "answered", "");
        take_seq(rate(&scene, ANSWERS(EASE)));
        answered_are(&scene, "ease");
        take_seq(rate(&scene, ",\"said\":\"it was slow\""));
        assert_int_equal(1, offer_int(&scene, "score = 1 AND is_locked = 1 AND comment = 'it was slow'"));
        scene_close(&scene);
}

/* ---- the page of a signed link ---- */

static json_t *reply(const struct scene *scene, const char *what)
{
        char offer[32];
        offer_id(scene, offer);
        json_t *answer = room_operate(scene->room, "survey.reply", "{\"offer\":\"%s\"%s}", offer, what);
        if (!json_object_get(answer, "result"))
                fail_msg("%s: %s", what, json_dumps(answer, 0));
        return answer;
}

static void taken(const struct scene *scene, const char *what)
{
        json_t *answer = reply(scene, what);
        if (!json_is_true(json_object_get(json_object_get(answer, "result"), "taken")))
                fail_msg("%s: %s", what, json_dumps(answer, 0));
        json_decref(answer);
}

static void the_page_asks_again_for_what_is_required_and_keeps_what_was_filled_in(void **state)
{
        struct scene scene = asked(state);
        json_t *answer = reply(&scene, ",\"score\":2,\"said\":\"late\"" ANSWERS(EASE));
        json_t *result = json_object_get(answer, "result"), *shown = json_object_get(result, "shown");
        assert_true(json_is_false(json_object_get(result, "taken")));
        assert_true(json_is_true(json_object_get(result, "again")));
        assert_string_equal("waiting", words(answer, "result.shown.state"));
        assert_string_equal("late", words(answer, "result.shown.said"));
        assert_int_equal(2, json_integer_value(json_object_get(shown, "score")));
        assert_int_equal(1, json_array_size(json_object_get(shown, "answers")));
        json_decref(answer);
        offer_is(&scene, "waiting", "");
        assert_int_equal(1, offer_int(&scene, "score IS NULL AND comment IS NULL AND answers IS NULL"));
        taken(&scene, ",\"score\":2" ANSWERS(EASE "," WHY));
        answered_are(&scene, "ease why");
        scene_close(&scene);
}

static void the_page_asks_again_also_for_an_answer_that_is_to_be_changed(void **state)
{
        struct scene scene = asked(state);
        taken(&scene,
              ",\"score\":5" ANSWERS(PRAISE "," WHY)); /* what is not asked is left out: hidden fields are sent */
        answered_are(&scene, "praise");
        json_t *answer = reply(&scene, ",\"score\":1");
        assert_true(json_is_true(json_object_get(json_object_get(answer, "result"), "again")));
        json_decref(answer);
        assert_int_equal(5, offer_int(&scene, "score"));
        taken(&scene, ",\"score\":1" ANSWERS(WHY));
        answered_are(&scene, "why");
        later(&scene, HOURS(24));
        answer = reply(&scene, ",\"score\":2"); /* too late for another score: nothing is asked again */
        assert_null(json_object_get(json_object_get(answer, "result"), "again"));
        assert_true(json_is_false(json_object_get(json_object_get(answer, "result"), "taken")));
        json_decref(answer);
        assert_int_equal(1, offer_int(&scene, "score"));
        scene_close(&scene);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {T(an_answer_is_taken_only_at_the_scores_that_ask_for_it),
                                           T(another_score_drops_what_it_does_not_ask_for),
                                           T(a_tap_counts_though_a_question_is_required),
                                           T(the_page_asks_again_for_what_is_required_and_keeps_what_was_filled_in),
                                           T(the_page_asks_again_also_for_an_answer_that_is_to_be_changed)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
