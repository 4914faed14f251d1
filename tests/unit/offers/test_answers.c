/* SPDX-License-Identifier: Apache-2.0 */
/* What a customer answers: taken once, changed in its time, locked by a comment, and never anything else than an
 * answer. */
#include "unit/offers/offer_scene.h"

#include <stdio.h>
#include <stdlib.h>

#include "desk/reading.h"

enum { RATING = 9 };

/* A star scale with a tick and two further questions. */
#define RICH                                                                                                           \
        ",\"contact\":true,\"questions\":[{\"id\":\"why\",\"kind\":\"choices\",\"choices\":[\"slow\",\"rude\"]},"      \
        "{\"id\":\"ease\",\"kind\":\"scale\",\"min\":1,\"max\":5},{\"id\":\"more\",\"kind\":\"text\"},"                \
        "{\"id\":\"who\",\"kind\":\"choice\",\"choices\":[\"a\",\"b\"]}],\"lang\":\"en\",\"texts\":[" TEXTS "]"
#define TEXTS                                                                                                          \
        "{\"lang\":\"en\",\"questions\":[{\"id\":\"why\",\"text\":\"Why?\",\"choices\":[{\"id\":\"slow\",\"label\":"   \
        "\"Too slow\"},{\"id\":\"rude\",\"label\":\"Rude\"}]},"                                                        \
        "{\"id\":\"ease\",\"text\":\"How easy?\"},{\"id\":\"more\",\"text\":\"More?\"},"                               \
        "{\"id\":\"who\",\"text\":\"Who?\",\"choices\":[{\"id\":\"a\",\"label\":\"A\"},{\"id\":\"b\",\"label\":\"B\"}" \
        "]}]}"

static struct scene asked(void **state, const char *form)
{
        struct scene scene = scene_open(state, form);
        solve(&scene, scene.conv);
        offer_is(&scene, "waiting", "");
        return scene;
}

static void an_answer_is_kept_at_the_offer_and_in_its_message(void **state)
{
        struct scene scene = asked(state, "");
        take_seq(rate(&scene, ",\"score\":4"));
        offer_is(&scene, "answered", "");
        assert_int_equal(1, offer_int(&scene, "score = 4 AND way = 1 AND is_locked = 0 AND answered_ms = changed_ms"));
        assert_int_equal(4,
                         room_sql(scene.room, "SELECT json_extract(body, '$.survey.score') FROM entry WHERE kind = 8"));
        assert_int_equal(1, room_sql(scene.room, "SELECT count(*) FROM entry WHERE log = 1 AND body LIKE"
                                                 " '%the customer answered the survey: 4 of 5; counted for Eve%'"));
        scene_close(&scene);
}

static void an_answer_is_no_message(void **state)
{
        struct scene scene = asked(state, "");
        const struct conversation_row before = room_cached(scene.room, scene.conv)->row;
        take_seq(rate(&scene, ",\"score\":1,\"said\":\"awful\""));
        const struct conversation_row *row = &room_cached(scene.room, scene.conv)->row;
        assert_string_equal("solved", ticket_status_in(scene.room, scene.conv));
        assert_int_equal(0, row->unanswered);
        assert_int_equal(0, row->waiting_since);
        assert_int_equal(before.unread, row->unread);
        assert_int_equal(before.last_seq, row->last_seq);
        assert_int_equal(before.owner, row->owner);
        scene_close(&scene);
}

static void the_same_score_again_changes_nothing(void **state)
{
        struct scene scene = asked(state, "");
        take_seq(rate(&scene, ",\"score\":4"));
        int64_t notes = room_sql(scene.room, "SELECT count(*) FROM entry WHERE log = 1");
        later(&scene, HOURS(1));
        take_seq(rate(&scene, ",\"score\":4"));
        assert_int_equal(1, offer_int(&scene, "answered_ms = changed_ms"));
        assert_int_equal(notes, room_sql(scene.room, "SELECT count(*) FROM entry WHERE log = 1"));
        later(&scene, HOURS(24));
        take_seq(rate(&scene, ",\"score\":4")); /* nobody minds when it is late */
        assert_int_equal(1, room_sql(scene.room, "SELECT count(*) FROM survey_offer"));
        scene_close(&scene);
}

static void another_score_counts_within_a_day(void **state)
{
        struct scene scene = asked(state, "");
        take_seq(rate(&scene, ",\"score\":4"));
        later(&scene, HOURS(24) - 5000);
        take_seq(rate(&scene, ",\"score\":2"));
        assert_int_equal(1, offer_int(&scene, "score = 2 AND changed_ms > answered_ms"));
        later(&scene, 6000);
        refused(rate(&scene, ",\"score\":5"), "locked", NULL);
        assert_int_equal(2, offer_int(&scene, "score"));
        take_seq(rate(&scene, ",\"said\":\"a first comment may come later\""));
        assert_int_equal(1, offer_int(&scene, "score = 2 AND is_locked = 1"));
        scene_close(&scene);
}

static void a_comment_locks_the_answer(void **state)
{
        struct scene scene = asked(state, "");
        char cmid[64];
        snprintf(cmid, sizeof cmid, "%s", room_cmid(scene.room));
        json_int_t seq = take_seq(rate_as(&scene, &scene.ann, cmid, ",\"score\":4,\"said\":\"good\""));
        refused(rate(&scene, ",\"score\":5"), "locked", NULL);
        refused(rate(&scene, ",\"said\":\"very good\""), "locked", NULL);
        refused(rate(&scene, ",\"score\":4"), "locked", NULL);
        json_t *again = rate_as(&scene, &scene.ann, cmid, ",\"score\":4,\"said\":\"good\"");
        assert_true(json_is_true(json_object_get(json_object_get(again, "result"), "dup")));
        assert_int_equal(seq, take_seq(again));
        refused(rate_as(&scene, &scene.ann, cmid, ",\"score\":3,\"said\":\"good\""), "idempotency_conflict", NULL);
        assert_int_equal(1, count_kind(&scene, RATING));
        assert_int_equal(1, offer_int(&scene, "comment = 'good' AND score = 4"));
        assert_int_equal(
                1, room_sql(scene.room, "SELECT json_extract(body, '$.survey.locked') FROM entry WHERE kind = 8"));
        scene_close(&scene);
}

static void a_comment_alone_is_an_answer_without_a_score(void **state)
{
        struct scene scene = asked(state, "");
        take_seq(rate(&scene, ",\"said\":\"no number can say it\""));
        offer_is(&scene, "answered", "");
        assert_int_equal(1, offer_int(&scene, "score IS NULL AND is_locked = 1"));
        scene_close(&scene);
}

static void what_was_not_asked_is_not_taken(void **state)
{
        struct scene scene = asked(state, ",\"comment\":false");
        refused(rate(&scene, ",\"score\":6"), "bad_request", "rated.score");
        refused(rate(&scene, ",\"score\":0"), "bad_request", "rated.score");
        refused(rate(&scene, ""), "bad_request", "rated.score");
        refused(rate(&scene, ",\"score\":5,\"said\":\"x\""), "bad_request", "rated.said");
        refused(rate(&scene, ",\"score\":5,\"contact\":true"), "bad_request", "rated.contact");
        refused(rate(&scene, ",\"score\":5,\"answers\":[{\"question\":\"no\",\"number\":1}]"), "bad_request",
                "rated.answers[0]");
        assert_int_equal(0, count_kind(&scene, RATING));
        offer_is(&scene, "waiting", "");
        scene_close(&scene);
}

static void further_questions_take_what_fits_them(void **state)
{
        struct scene scene = asked(state, RICH);
        static const char *const wrong[] = {
                "{\"question\":\"why\",\"number\":1}",
                "{\"question\":\"why\",\"chosen\":[\"late\"]}",
                "{\"question\":\"why\",\"chosen\":[\"slow\",\"slow\"]}",
                "{\"question\":\"who\",\"chosen\":[\"a\",\"b\"]}",
                "{\"question\":\"ease\",\"number\":6}",
                "{\"question\":\"ease\",\"words\":\"easy\"}",
                "{\"question\":\"more\",\"chosen\":[\"a\"]}",
                "{\"question\":\"ease\",\"number\":1},{\"question\":\"ease\",\"number\":2}",
        };
        char what[300];
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
                snprintf(what, sizeof what, ",\"score\":5,\"answers\":[%s]", wrong[i]);
                refused(rate(&scene, what), "bad_request",
                        strstr(wrong[i], "},{") ? "rated.answers[1]" : "rated.answers[0]");
        }
        take_seq(rate(
                &scene,
                ",\"score\":2,\"contact\":true,\"answers\":[{\"question\":\"why\",\"chosen\":[\"slow\",\"rude\"]}]"));
        take_seq(rate(&scene,
                      ",\"answers\":[{\"question\":\"ease\",\"number\":3},{\"question\":\"more\",\"words\":\"no\"}]"));
        assert_int_equal(1, offer_int(&scene, "wants_contact = 1 AND json_array_length(answers) = 3"));
        assert_int_equal(3, offer_int(&scene, "json_extract(answers, '$[1].number')"));
        take_seq(rate(&scene, ",\"answers\":[{\"question\":\"ease\",\"number\":4}]"));
        assert_int_equal(1, offer_int(&scene, "json_array_length(answers) = 3 AND answers LIKE '%\"number\":4%'"));
        scene_close(&scene);
}

static void only_its_customer_answers(void **state)
{
        struct scene scene = asked(state, "");
        struct client bob = room_customer(scene.room, "bob", 0);
        refused(rate_as(&scene, &bob, NULL, ",\"score\":1"), "not_found", NULL);
        char *mine = room_conversation(scene.room, &bob, "main");
        take_seq(room_send(scene.room, &bob, mine, NULL, "hi"));
        char *hers = scene.conv;
        scene.conv = mine;
        refused(rate_as(&scene, &bob, NULL, ",\"score\":1"), "not_found", "rated.seq");
        scene.conv = hers;
        json_t *answer = rate_as(&scene, &scene.eve, NULL, ",\"score\":5");
        assert_non_null(words(answer, "error.data.tag"));
        json_decref(answer);
        offer_is(&scene, "waiting", "");
        free(mine);
        scene_close(&scene);
}

static void two_devices_answer_and_the_last_counts(void **state)
{
        struct scene scene = asked(state, "");
        struct client phone = room_customer(scene.room, "ann", 1);
        unsigned one = room_queue(scene.room, &scene.ann, "message.send",
                                  "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"rating\",\"rated\":{\"seq\":%lld,"
                                  "\"score\":1},\"fallback_text\":\"*\"}",
                                  room_cmid(scene.room), scene.conv, (long long)offer_int(&scene, "seq"));
        unsigned two = room_queue(scene.room, &phone, "message.send",
                                  "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"rating\",\"rated\":{\"seq\":%lld,"
                                  "\"score\":5},\"fallback_text\":\"*\"}",
                                  room_cmid(scene.room), scene.conv, (long long)offer_int(&scene, "seq"));
        room_turn(scene.room);
        take_seq(room_answer(scene.room, one));
        take_seq(room_answer(scene.room, two));
        assert_int_equal(5, offer_int(&scene, "score"));
        assert_int_equal(1, room_sql(scene.room, "SELECT count(*) FROM survey_offer"));
        scene_close(&scene);
}

static void after_the_close_nothing_changes(void **state)
{
        struct scene scene = asked(state, ",\"until_hours\":672,\"change_hours\":672");
        take_seq(rate(&scene, ",\"score\":2"));
        later(&scene, DAYS(4) + 1000);
        assert_string_equal("closed", ticket_status_in(scene.room, scene.conv));
        offer_is(&scene, "answered", "");
        refused(rate(&scene, ",\"score\":5"), "locked", NULL);
        refused(rate(&scene, ",\"said\":\"too late\""), "locked", NULL);
        assert_int_equal(2, offer_int(&scene, "score"));
        scene_close(&scene);
}

/* ---- by link ---- */

static int by_link(const struct scene *scene, struct protocol_rated rated, struct fault *fault)
{
        struct arena arena = {0};
        struct desk *desk = scene->room->desk;
        desk->now_ms = clock_wall_ms();
        assert_int_equal(0, db_begin(desk->db));
        desk->is_in_transaction = true;
        int rc = surveys_answer_by_link(desk, (uint64_t)offer_int(scene, "ext"), &rated, &arena, fault);
        room_turn(scene->room); /* commits */
        arena_done(&arena);
        return rc;
}

static void a_link_answers_as_the_customer(void **state)
{
        struct scene scene = asked(state, "");
        struct fault fault = {0};
        struct protocol_rated rated = {.has_score = true, .score = 3};
        assert_int_equal(0, by_link(&scene, rated, &fault));
        assert_int_equal(1, offer_int(&scene, "score = 3 AND way = 2"));
        assert_int_equal(1, room_sql(scene.room, "SELECT count(*) FROM entry e JOIN conversation c ON c.id = e.conv"
                                                 " WHERE e.kind = 9 AND e.author = c.customer"));
        assert_int_equal(0, by_link(&scene, rated, &fault)); /* the button was pressed twice */
        assert_int_equal(1, count_kind(&scene, RATING));
        rated.score = 4;
        assert_int_equal(0, by_link(&scene, rated, &fault));
        rated.score = 3; /* back again is another answer */
        assert_int_equal(0, by_link(&scene, rated, &fault));
        assert_int_equal(1, offer_int(&scene, "score = 3"));
        assert_int_equal(3, count_kind(&scene, RATING));
        rated = (struct protocol_rated){.has_said = true, .said = SPAN("fine")};
        assert_int_equal(0, by_link(&scene, rated, &fault));
        assert_int_equal(0, by_link(&scene, rated, &fault)); /* locked, and the same: thanks */
        rated.said = SPAN("fine!");
        assert_int_equal(-PROTOCOL_ERR_LOCKED, by_link(&scene, rated, &fault));
        rated = (struct protocol_rated){.has_score = true, .score = 9};
        assert_int_equal(-PROTOCOL_ERR_BAD_REQUEST, by_link(&scene, rated, &fault));
        assert_int_equal(4, count_kind(&scene, RATING));
        scene_close(&scene);
}

/* ---- reading ---- */

static json_t *answers(const struct scene *scene, const char *filter)
{
        json_t *answer = room_operate(scene->room, "survey.answers", "{%s}", filter);
        if (!json_object_get(json_object_get(answer, "result"), "offers"))
                fail_msg("%s: %s", filter, json_dumps(answer, 0));
        return answer;
}

static void finds(const struct scene *scene, const char *filter, size_t count)
{
        json_t *answer = answers(scene, filter);
        size_t found = json_array_size(json_object_get(json_object_get(answer, "result"), "offers"));
        if (found != count)
                fail_msg("{%s}: %zu, expected %zu", filter, found, count);
        json_decref(answer);
}

static void answers_are_found_by_their_words_and_scores(void **state)
{
        struct scene scene = asked(state, ",\"interval_days\":0");
        take_seq(rate(&scene, ",\"score\":1,\"said\":\"The refund never came, 환불해주세요\""));
        char *first = scene.conv;
        scene.conv = talk(&scene, &scene.ann, "second");
        solve(&scene, scene.conv);
        take_seq(rate(&scene, ",\"score\":5,\"said\":\"Refunded at once, 谢谢 ありがとう\""));
        finds(&scene, "", 2);
        finds(&scene, "\"query\":\"refund\"", 2);
        finds(&scene, "\"query\":\"refund never\"", 1);
        finds(&scene, "\"query\":\"환불\"", 1);
        finds(&scene, "\"query\":\"谢谢\"", 1);
        finds(&scene, "\"query\":\"ありがとう\"", 1);
        finds(&scene, "\"query\":\"gloxinia\"", 0);
        finds(&scene, "\"max_score\":2", 1);
        finds(&scene, "\"min_score\":4,\"query\":\"refund\"", 1);
        finds(&scene, "\"metric\":\"nps\"", 0);
        finds(&scene, "\"commented\":false", 0);
        char filter[80];
        snprintf(filter, sizeof filter, "\"agent\":\"%s\"", scene.eve.id);
        finds(&scene, filter, 2);
        snprintf(filter, sizeof filter, "\"from\":%lld", (long long)clock_wall_ms() + 1000);
        finds(&scene, filter, 0);
        free(scene.conv);
        scene.conv = first;
        scene_close(&scene);
}

static void pages_hold_each_once(void **state)
{
        struct scene scene = scene_open(state, ",\"interval_days\":0");
        char before[80] = "", seen[16][40];
        for (int i = 0; i < 7; i++) {
                char key[16];
                snprintf(key, sizeof key, "k%d", i);
                free(scene.conv);
                scene.conv = talk(&scene, &scene.ann, key);
                solve(&scene, scene.conv);
                take_seq(rate(&scene, ",\"score\":4"));
        }
        size_t count = 0, i;
        for (bool more = true; more;) {
                char filter[120];
                json_t *row;
                snprintf(filter, sizeof filter, "\"limit\":3%s", before);
                json_t *answer = answers(&scene, filter);
                json_array_foreach(json_object_get(json_object_get(answer, "result"), "offers"), i, row) {
                        snprintf(seen[count], sizeof seen[count], "%s", words(row, "offer"));
                        for (size_t j = 0; j < count; j++)
                                assert_string_not_equal(seen[j], seen[count]);
                        count++;
                }
                const char *next = words(answer, "result.next");
                more = next != NULL;
                snprintf(before, sizeof before, ",\"before\":\"%s\"", next ? next : "");
                json_decref(answer);
        }
        assert_int_equal(7, count);
        scene_close(&scene);
}

/* ---- a store that fails ---- */

static void an_answer_is_whole_or_not_there(void **state)
{
        struct scene scene = asked(state, "");
        int nth = 1;
        for (; offer_int(&scene, "answered_ms") == 0; nth++) {
                assert_in_range(nth, 1, 200);
                offer_is(&scene, "waiting", "");
                assert_int_equal(0, count_kind(&scene, RATING));
                assert_int_equal(0, room_sql(scene.room, "SELECT count(*) FROM survey_word"));
                db_fault_reset(&db_sqlite);
                db_fault_add((struct db_fault_rule){.op = DB_FAULT_STEP,
                                                    .kind = DB_FAULT_FAIL,
                                                    .mode = DB_WRITER,
                                                    .nth = (unsigned)nth,
                                                    .error = DB_IO});
                json_decref(rate(&scene, ",\"score\":1,\"said\":\"two words\""));
                db_fault_reset(&db_sqlite);
                room_turn(scene.room);
        }
        assert_true(nth > 8);
        offer_is(&scene, "answered", "");
        assert_int_equal(1, count_kind(&scene, RATING));
        assert_int_equal(2, room_sql(scene.room, "SELECT count(*) FROM survey_word"));
        scene_close(&scene);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {T(an_answer_is_kept_at_the_offer_and_in_its_message),
                                           T(an_answer_is_no_message),
                                           T(the_same_score_again_changes_nothing),
                                           T(another_score_counts_within_a_day),
                                           T(a_comment_locks_the_answer),
                                           T(a_comment_alone_is_an_answer_without_a_score),
                                           T(what_was_not_asked_is_not_taken),
                                           T(further_questions_take_what_fits_them),
                                           T(only_its_customer_answers),
                                           T(two_devices_answer_and_the_last_counts),
                                           T(after_the_close_nothing_changes),
                                           T(a_link_answers_as_the_customer),
                                           T(answers_are_found_by_their_words_and_scores),
                                           T(pages_hold_each_once),
                                           T(an_answer_is_whole_or_not_there)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
