/* SPDX-License-Identifier: Apache-2.0 */
/* Marks and typing (delivery, Marks; I13): registers that only grow, counted like a recount, told after the commit and
 * at most once a second; and the live feed of staff. */
#include "unit/desk/room.h"

#include <stdlib.h>

struct scene {
        struct room *room;
        struct client ann, eve;
        char *conv;
};

/* Six messages: customer, agent, agent, customer, agent, customer. */
static struct scene scene_of(void **state)
{
        struct scene scene = {.room = *state};
        scene.ann = room_customer(scene.room, "ann", 0);
        scene.eve = room_agent(scene.room, "Eve", 0);
        scene.conv = room_conversation(scene.room, &scene.ann, "main");
        for (const char *by = "aeeaea"; *by; by++)
                take_seq(room_send(scene.room, *by == 'a' ? &scene.ann : &scene.eve, scene.conv, NULL, "x"));
        room_flush(scene.room);
        room_forget(scene.room);
        return scene;
}

static void mark(struct scene *scene, const struct client *who, int recv, int read)
{
        room_notify(scene->room, who, "marks", "{\"marks\":[{\"conv\":\"%s\",\"recv\":%d,\"read\":%d}]}", scene->conv,
                    recv, read);
}

static const struct conversation_row *row_of(struct scene *scene)
{
        return &room_cached(scene->room, scene->conv)->row;
}

static void marks_only_grow(void **state)
{
        struct scene scene = scene_of(state);
        mark(&scene, &scene.ann, 5, 3);
        mark(&scene, &scene.ann, 2, 1);
        assert_int_equal(5, row_of(&scene)->customer_recv);
        assert_int_equal(3, row_of(&scene)->customer_read);
        mark(&scene, &scene.ann, 4, 4);
        assert_int_equal(5, row_of(&scene)->customer_recv);
        assert_int_equal(4, row_of(&scene)->customer_read);
        room_check(scene.room);
        free(scene.conv);
}

static void reading_implies_receiving_and_nothing_passes_the_head(void **state)
{
        struct scene scene = scene_of(state);
        mark(&scene, &scene.ann, 0, 4);
        assert_int_equal(4, row_of(&scene)->customer_recv);
        room_notify(scene.room, &scene.eve, "marks",
                    "{\"marks\":[{\"conv\":\"%s\",\"recv\":9007199254740991,\"read\":9007199254740991}]}", scene.conv);
        assert_int_equal(6, row_of(&scene)->staff_recv);
        assert_int_equal(6, row_of(&scene)->staff_read);
        assert_int_equal(4, row_of(&scene)->customer_read);
        room_check(scene.room);
        free(scene.conv);
}

static void unread_equals_a_recount_at_every_mark(void **state)
{
        struct scene scene = scene_of(state);
        static const int expected[] = {3, 3, 2, 1, 1, 0, 0};
        for (int read = 0; read <= 6; read++) {
                mark(&scene, &scene.ann, read, read);
                assert_int_equal(expected[read], row_of(&scene)->unread);
                room_check(scene.room);
        }
        take_seq(room_send(scene.room, &scene.eve, scene.conv, NULL, "x"));
        assert_int_equal(1, row_of(&scene)->unread);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "x"));
        assert_int_equal(1, row_of(&scene)->unread);
        room_check(scene.room);
        free(scene.conv);
}

static void many_marks_of_one_frame_count_once_each(void **state)
{
        struct scene scene = scene_of(state);
        room_notify(scene.room, &scene.ann, "marks",
                    "{\"marks\":[{\"conv\":\"%s\",\"recv\":2,\"read\":2},{\"conv\":\"%s\",\"recv\":2,\"read\":2},"
                    "{\"conv\":\"%s\",\"recv\":5,\"read\":3},{\"conv\":\"cnv_0000000000001\",\"recv\":5,\"read\":5}]}",
                    scene.conv, scene.conv, scene.conv);
        assert_int_equal(1, row_of(&scene)->unread);
        room_check(scene.room);
        free(scene.conv);
}

static void marks_wait_for_a_second_or_the_next_batch(void **state)
{
        struct scene scene = scene_of(state);
        int64_t rev = desk_rev(scene.room->desk);
        mark(&scene, &scene.ann, 2, 2);
        mark(&scene, &scene.ann, 3, 3);
        assert_int_equal(rev, desk_rev(scene.room->desk));
        assert_int_equal(0, room_count(scene.room, NOTE_EVENT, "marks"));
        assert_in_range(desk_next_due_ms(scene.room->desk), 0, PROTOCOL_MARKS_EVERY_MS);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "x"));
        assert_int_equal(rev + 1, desk_rev(scene.room->desk));
        assert_int_equal(3, room_sql(scene.room, "SELECT customer_read FROM conversation"));
        assert_int_equal(1, room_count(scene.room, NOTE_EVENT, "marks"));
        free(scene.conv);
}

static void marks_are_told_at_most_once_a_second_a_conversation(void **state)
{
        struct scene scene = scene_of(state);
        mark(&scene, &scene.ann, 2, 2);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "x"));
        assert_int_equal(1, room_count(scene.room, NOTE_EVENT, "marks"));
        for (int read = 3; read <= 5; read++) {
                mark(&scene, &scene.ann, read, read);
                take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "x"));
        }
        assert_int_equal(1, room_count(scene.room, NOTE_EVENT, "marks"));
        room_flush(scene.room);
        assert_int_equal(2, room_count(scene.room, NOTE_EVENT, "marks"));
        const struct room_note *told = room_told(scene.room, NOTE_EVENT, "marks", 1);
        assert_int_equal(5, number(told->json, "marks.customer_read"));
        free(scene.conv);
}

static void stale_marks_change_nothing(void **state)
{
        struct scene scene = scene_of(state);
        mark(&scene, &scene.ann, 4, 4);
        room_flush(scene.room);
        int64_t rev = desk_rev(scene.room->desk);
        room_forget(scene.room);
        for (int i = 0; i < 5; i++)
                mark(&scene, &scene.ann, i, i);
        room_flush(scene.room);
        assert_int_equal(rev, desk_rev(scene.room->desk));
        assert_int_equal(0, room_count(scene.room, NOTE_EVENT, "marks"));
        free(scene.conv);
}

static void nobody_marks_what_is_not_his(void **state)
{
        struct scene scene = scene_of(state);
        struct client bob = room_customer(scene.room, "bob", 0);
        mark(&scene, &bob, 6, 6);
        assert_int_equal(0, row_of(&scene)->customer_read);
        assert_int_equal(0, row_of(&scene)->staff_read);
        assert_int_equal(0, room_count(scene.room, NOTE_REPLY, NULL));
        free(scene.conv);
}

static void typing_is_told_to_all_but_who_types_and_never_stored(void **state)
{
        struct scene scene = scene_of(state);
        int64_t rev = desk_rev(scene.room->desk);
        room_notify(scene.room, &scene.ann, "typing", "{\"conv\":\"%s\"}", scene.conv);
        const struct room_note *told = room_told(scene.room, NOTE_EVENT, "typing", 0);
        assert_non_null(told);
        assert_string_equal(scene.ann.id, words(told->json, "author"));
        struct client bob = room_customer(scene.room, "bob", 0);
        room_notify(scene.room, &bob, "typing", "{\"conv\":\"%s\"}", scene.conv);
        assert_int_equal(1, room_count(scene.room, NOTE_EVENT, "typing"));
        room_flush(scene.room);
        assert_int_equal(rev, desk_rev(scene.room->desk));
        free(scene.conv);
}

static void unanswered_counts_what_came_since_the_last_reply_of_an_agent(void **state)
{
        struct scene scene = scene_of(state);
        assert_int_equal(1, row_of(&scene)->unanswered);
        int64_t since = row_of(&scene)->waiting_since;
        clock_shift_wall(1000);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "x"));
        json_decref(room_note(scene.room, &scene.eve, scene.conv, "a note is no reply"));
        assert_int_equal(2, row_of(&scene)->unanswered);
        assert_int_equal(since, row_of(&scene)->waiting_since);
        take_seq(room_send(scene.room, &scene.eve, scene.conv, NULL, "x"));
        assert_int_equal(0, row_of(&scene)->unanswered);
        assert_int_equal(0, row_of(&scene)->waiting_since);
        room_check(scene.room);
        free(scene.conv);
}

static void the_feed_tells_each_changed_conversation_once_in_order_of_its_change(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        char *second = room_conversation(room, &scene.ann, "second");
        char *third = room_conversation(room, &scene.ann, "third");
        room_flush(room);
        room_forget(room);
        room->desk->feed_due_ms = UINT64_MAX; /* not yet */
        take_seq(room_send(room, &scene.ann, scene.conv, NULL, "1"));
        take_seq(room_send(room, &scene.ann, second, NULL, "2"));
        take_seq(room_send(room, &scene.ann, third, NULL, "3"));
        take_seq(room_send(room, &scene.ann, scene.conv, NULL, "4"));
        assert_int_equal(0, room_count(room, NOTE_FEED, NULL));
        room_flush(room);
        assert_int_equal(3, room_count(room, NOTE_FEED, NULL));
        int64_t before = 0;
        for (size_t i = 0; i < 3; i++) {
                const struct room_note *told = room_told(room, NOTE_FEED, NULL, i);
                assert_true(told->rev > before);
                assert_int_equal(told->rev, number(told->json, "rev"));
                before = told->rev;
        }
        assert_string_equal(scene.conv, words(room_told(room, NOTE_FEED, NULL, 2)->json, "conv"));
        free(second);
        free(third);
        free(scene.conv);
}

static void the_feed_does_not_tell_marks_that_are_not_on_disk(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        room->desk->feed_due_ms = UINT64_MAX;
        take_seq(room_send(room, &scene.ann, scene.conv, NULL, "x"));
        room->desk->feed_due_ms = 0;
        mark(&scene, &scene.ann, 5, 5);
        assert_int_equal(0, room_count(room, NOTE_FEED, NULL));
        room_flush(room);
        room_flush(room);
        assert_int_equal(1, room_count(room, NOTE_FEED, NULL));
        assert_int_equal(5, number(room_told(room, NOTE_FEED, NULL, 0)->json, "marks.customer_read"));
        free(scene.conv);
}

static void without_staff_there_is_no_feed(void **state)
{
        struct scene scene = scene_of(state);
        room_leave(scene.room, &scene.eve);
        room_flush(scene.room);
        room_forget(scene.room);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "x"));
        room_flush(scene.room);
        assert_int_equal(0, room_count(scene.room, NOTE_FEED, NULL));
        free(scene.conv);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(marks_only_grow),
                TEST(reading_implies_receiving_and_nothing_passes_the_head),
                TEST(unread_equals_a_recount_at_every_mark),
                TEST(many_marks_of_one_frame_count_once_each),
                TEST(marks_wait_for_a_second_or_the_next_batch),
                TEST(marks_are_told_at_most_once_a_second_a_conversation),
                TEST(stale_marks_change_nothing),
                TEST(nobody_marks_what_is_not_his),
                TEST(typing_is_told_to_all_but_who_types_and_never_stored),
                TEST(unanswered_counts_what_came_since_the_last_reply_of_an_agent),
                TEST(the_feed_tells_each_changed_conversation_once_in_order_of_its_change),
                TEST(the_feed_does_not_tell_marks_that_are_not_on_disk),
                TEST(without_staff_there_is_no_feed),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
