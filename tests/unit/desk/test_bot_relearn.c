/* SPDX-License-Identifier: Apache-2.0 */
/* Versions that this program cannot load, because another one has learned them or the disk has spoilt them: the server
 * learns them anew from their source, in their place, and nobody is sent to people for it. */
#include <stdlib.h>

#include "desk/bot_builder.h"
#include "desk/bot_relearn.h"
#include "desk/bot_thread.h"
#include "unit/desk/bot_scene.h"

enum { PATIENCE_MS = 30000 };

/* Learned from examples, which takes a moment; the others know patterns alone. */
static const char taught[] = "bot 1\nlang en\n"
                             "faq opening\n"
                             "  ? When are you open?\n"
                             "  ? What are your opening hours?\n"
                             "  = Monday to Friday, 9 to 6.\n"
                             "faq refund\n"
                             "  ? How do I get a refund?\n"
                             "  ? I want my money back\n"
                             "  = Within 30 days.\n";
static const char shop[] = "bot 1\nlang en\n"
                           "entity order match \"[A-Z]{2}-?[0-9]{6,10}\" example \"KR-2041987\"\n"
                           "faq refund\n"
                           "  ~ refund\n"
                           "  = Within 30 days.\n"
                           "flow status\n"
                           "  ~ where .. order\n"
                           "  ask order as order \"What is your order number?\"\n"
                           "  say \"I look for it.\" then handoff default\n"
                           "handoff default\n"
                           "  team support\n"
                           "  open say \"I connect you to a person.\"\n"
                           "  closed say \"Nobody is here now.\" then ticket\n";
static const char short_shop[] = "bot 1\nlang en\nfaq refund\n  ~ refund\n  = Within 60 days.\n";

static void after_an_upgrade_the_bot_answers_as_before(void **state)
{
        struct scene scene = scene_new(state, taught);
        char name[65];
        char *version = scene_draft(&scene, taught);
        snprintf(name, sizeof name, "%.16s", version);
        free(version);
        scene_give_other_recipe(&scene, scene.live);
        assert_false(scene_can_be_loaded(&scene, scene.live));
        scene_restart(&scene);
        scene_say(&scene, "What are your opening hours?"); /* known from examples alone */
        assert_int_equal(1, scene_said(&scene, "Monday to Friday"));
        assert_true(scene_said(&scene, name) > 0); /* the version is the same */
        assert_int_equal(0, scene_failures(&scene));
        assert_int_equal(OWNER_BOT, scene_row(&scene)->owner);
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM bot_version"));
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM bot_version WHERE report LIKE '%examples%'"));
        assert_true(scene_can_be_loaded(&scene, scene.live));
        assert_int_equal(1, scene_logged("was learned anew"));
        assert_int_equal(2, scene_logged("by another deskbell")); /* when it begins and when it ends */
        assert_int_equal(2, scene_logged(name));
        scene_done(&scene);
}

static void it_is_learned_at_start_before_anybody_asks(void **state)
{
        struct scene scene = scene_new(state, shop);
        scene_spoil(&scene, scene.live);
        scene_restart(&scene);
        scene_until_loadable(&scene, scene.live);
        assert_int_equal(1, scene_logged("was learned anew"));
        scene_done(&scene);
}

static void what_can_be_loaded_stays_as_it_is(void **state)
{
        struct scene scene = scene_new(state, shop);
        scene_restart(&scene);
        scene_take_next(&scene); /* it was looked at */
        scene_say(&scene, "a refund");
        assert_int_equal(1, scene_said(&scene, "Within 30 days."));
        assert_int_equal(0, scene_logged("learned anew"));
        scene_done(&scene);
}

static void a_version_spoilt_while_the_server_runs_is_learned_when_it_is_needed(void **state)
{
        struct scene scene = scene_new(state, shop);
        scene_serve(&scene);
        scene_take_next(&scene); /* it was good at the start */
        scene_spoil(&scene, scene.live);
        scene_say(&scene, "a refund");
        assert_int_equal(1, scene_said(&scene, "Within 30 days."));
        assert_int_equal(0, scene_failures(&scene));
        assert_int_equal(1, scene_logged("was learned anew"));
        scene_done(&scene);
}

static void a_question_from_before_the_upgrade_is_answered_after_it(void **state)
{
        struct scene scene = scene_new(state, shop);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "a refund")); /* nobody is there to answer */
        scene_spoil(&scene, scene.live);
        scene_restart(&scene);
        scene_settle(&scene);
        assert_int_equal(1, scene_said(&scene, "Within 30 days."));
        assert_int_equal(0, scene_failures(&scene));
        scene_done(&scene);
}

static void a_dialogue_is_finished_by_the_version_that_began_it(void **state)
{
        struct scene scene = scene_new(state, shop);
        int64_t first = scene.live;
        scene_serve(&scene);
        scene_say(&scene, "where is my order");
        scene_publish_text(&scene, short_shop);
        scene_spoil(&scene, first);
        scene_spoil(&scene, scene.live);
        scene_restart(&scene);
        scene_until_loadable(&scene, first);
        assert_true(scene_can_be_loaded(&scene, scene.live)); /* that one first: most need it */
        scene_say(&scene, "KR-2041987");
        assert_int_equal(1, scene_said(&scene, "I look for it."));
        assert_int_equal(first, room_sql(scene.room, "SELECT version FROM bot_state"));
        assert_int_equal(0, scene_failures(&scene));
        scene_done(&scene);
}

static void a_dialogue_whose_version_is_lost_goes_on_with_the_newest(void **state)
{
        struct scene scene = scene_new(state, shop);
        int64_t first = scene.live;
        scene_serve(&scene);
        scene_say(&scene, "where is my order");
        scene_publish_text(&scene, short_shop);
        scene_spoil(&scene, first);
        scene_put_source(&scene, first, "{\"schema\":\"bot/9\"}");
        scene_restart(&scene);
        scene_say(&scene, "a refund then");
        assert_int_equal(1, scene_said(&scene, "Within 60 days."));
        assert_int_equal(scene.live, room_sql(scene.room, "SELECT version FROM bot_state"));
        assert_int_equal(0, scene_failures(&scene));
        scene_done(&scene);
}

static void a_source_that_is_refused_today_opens_the_conversations(void **state)
{
        struct scene scene = scene_new(state, shop);
        scene_spoil(&scene, scene.live);
        scene_put_source(&scene, scene.live, "{\"lang\":\"en\",\"schema\":\"bot/1\",\"faqs\":{\"a\":{}}}");
        scene_restart(&scene);
        scene_say(&scene, "a refund");
        assert_int_equal(OWNER_PEOPLE, scene_row(&scene)->owner);
        assert_int_equal(1, scene_failures(&scene));
        assert_int_equal(1, room_sql(scene.room, "SELECT rule = 'version' FROM bot_event WHERE kind = 10"));
        assert_int_equal(1, scene_logged("cannot be learned anew"));
        assert_int_equal(1, scene_logged("\"wrong\":\"")); /* the check's own words */
        free(scene.conv);
        scene.conv = room_conversation(scene.room, &scene.ann, "second");
        scene_say(&scene, "a refund");
        assert_int_equal(2, scene_failures(&scene));
        assert_int_equal(1, scene_logged("cannot be learned anew")); /* and not tried once more */
        scene_done(&scene);
}

static void a_lost_version_answers_again_once_its_files_are_pushed(void **state)
{
        struct scene scene = scene_new(state, shop);
        scene_spoil(&scene, scene.live);
        scene_put_source(&scene, scene.live, "{}");
        scene_restart(&scene);
        scene_say(&scene, "a refund");
        assert_int_equal(1, scene_failures(&scene));
        free(scene_draft(&scene, shop));
        char *source = scene_source(shop);
        scene_put_source(&scene, scene.live, source);
        scene_spoil(&scene, scene.live); /* once more, and not given up for the first time */
        free(source);
        free(scene.conv);
        scene.conv = room_conversation(scene.room, &scene.ann, "second");
        scene_say(&scene, "a refund");
        assert_int_equal(1, scene_failures(&scene));
        assert_int_equal(1, scene_said(&scene, "Within 30 days."));
        scene_done(&scene);
}

static void an_old_draft_is_learned_when_it_is_published(void **state)
{
        struct scene scene = scene_new(state, shop);
        char *version = scene_draft(&scene, short_shop);
        int64_t row = room_sql(scene.room, "SELECT MAX(id) FROM bot_version");
        scene_spoil(&scene, row);
        scene_restart(&scene);
        scene_take_next(&scene); /* the live one was looked at, and it alone */
        assert_false(scene_can_be_loaded(&scene, row));
        scene_publish(&scene, version);
        scene_until_loadable(&scene, row);
        scene_say(&scene, "a refund");
        assert_int_equal(1, scene_said(&scene, "Within 60 days."));
        free(version);
        scene_done(&scene);
}

static void what_was_learned_replaces_what_the_thread_has_loaded(void **state)
{
        struct scene scene = scene_new(state, shop);
        char *other = scene_source(short_shop);
        scene_serve(&scene);
        scene_take_next(&scene); /* it was good at the start */
        scene_say(&scene, "a refund");
        assert_int_equal(1, scene_said(&scene, "Within 30 days."));
        scene_spoil(&scene, scene.live);
        scene_put_source(&scene, scene.live, other); /* to tell them apart: nobody else writes a source */
        assert_true(bot_relearn_want(scene.room->desk, scene.live));
        assert_true(bot_relearn_want(scene.room->desk, scene.live)); /* once is enough */
        scene_until_loadable(&scene, scene.live);
        scene_say(&scene, "a refund");
        assert_int_equal(1, scene_said(&scene, "Within 60 days."));
        assert_int_equal(1, scene_logged("was learned anew"));
        free(other);
        scene_done(&scene);
}

static void nobody_waits_longer_than_a_minute(void **state)
{
        struct scene scene = scene_new(state, shop);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "a refund"));
        assert_true(bot_turns_wait(scene.room->desk, room_cached(scene.room, scene.conv), scene.live));
        clock_shift_mono(BOT_LEARNING_MS - 2000);
        room_turn(scene.room);
        assert_int_equal(OWNER_BOT, scene_row(&scene)->owner);
        assert_true(
                bot_turns_wait(scene.room->desk, room_cached(scene.room, scene.conv), scene.live)); /* no new minute */
        clock_shift_mono(2000);
        room_turn(scene.room);
        assert_int_equal(OWNER_PEOPLE, scene_row(&scene)->owner);
        assert_int_equal(1, room_sql(scene.room, "SELECT rule = 'version' FROM bot_event WHERE kind = 10"));
        scene_done(&scene);
}

static void a_person_who_answers_meanwhile_has_the_last_word(void **state)
{
        struct scene scene = scene_new(state, shop);
        struct client eve = room_agent(scene.room, "Eve", 1);
        struct desk *desk = scene.room->desk;
        scene_spoil(&scene, scene.live);
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "a refund")); /* nobody is there to answer */
        assert_true(bot_turns_wait(desk, room_cached(scene.room, scene.conv), scene.live));
        take_seq(room_send(scene.room, &eve, scene.conv, NULL, "Hello, this is Eve"));
        int64_t head = scene_row(&scene)->head;
        assert_int_equal(DB_OK, bot_thread_start(desk));
        assert_int_equal(DB_OK, bot_builder_start(desk));
        assert_true(bot_relearn_want(desk, scene.live));
        scene_until_loadable(&scene, scene.live);
        char *first = scene.conv;
        scene.conv = room_conversation(scene.room, &scene.ann, "second");
        scene_say(&scene, "a refund"); /* asked behind whatever is still asked in the first one */
        assert_int_equal(1, scene_said(&scene, "Within 30 days."));
        free(scene.conv);
        scene.conv = first;
        assert_int_equal(OWNER_PEOPLE, scene_row(&scene)->owner);
        assert_int_equal(head, scene_row(&scene)->head);
        assert_int_equal(0, scene_failures(&scene));
        scene_done(&scene);
}

static void what_could_not_be_stored_is_learned_again(void **state)
{
        struct scene scene = scene_new(state, shop);
        struct desk *desk = scene.room->desk;
        scene_spoil(&scene, scene.live);
        for (int i = 0; i < 2; i++) {
                if (i == 0)
                        assert_int_equal(DB_OK, bot_builder_start(desk));
                assert_true(bot_relearn_want(desk, scene.live));
                desk->pending = mailbox_wait(&desk->in, PATIENCE_MS);
                assert_non_null(desk->pending);
                db_fault_reset(&db_sqlite);
                if (i == 0) /* else it is not tried at all: no space since then */
                        assert_true(db_fault_add((struct db_fault_rule){.op = DB_FAULT_COMMIT,
                                                                        .kind = DB_FAULT_FAIL,
                                                                        .mode = DB_WRITER,
                                                                        .nth = 1,
                                                                        .error = DB_FULL}));
                room_turn(scene.room);
                assert_true(desk_is_read_only(desk));
                assert_false(scene_can_be_loaded(&scene, scene.live));
        }
        db_fault_reset(&db_sqlite);
        desk->retry_write_ms = 0;
        assert_int_equal(DB_OK, bot_thread_start(desk));
        scene_say(&scene, "a refund");
        assert_int_equal(1, scene_said(&scene, "Within 30 days."));
        assert_int_equal(0, scene_failures(&scene));
        scene_done(&scene);
}

static void a_server_that_stops_while_it_learns_learns_at_the_next_start(void **state)
{
        struct scene scene = scene_new(state, taught);
        scene_give_other_recipe(&scene, scene.live);
        assert_int_equal(DB_OK, bot_builder_start(scene.room->desk));
        assert_int_equal(DB_OK, bot_relearn_recover(scene.room->desk));
        bot_builder_stop(scene.room->desk);
        assert_false(scene_can_be_loaded(&scene, scene.live)); /* what it has made, if anything, was not stored */
        scene_restart(&scene);
        scene_say(&scene, "What are your opening hours?");
        assert_int_equal(1, scene_said(&scene, "Monday to Friday"));
        assert_int_equal(0, scene_failures(&scene));
        scene_done(&scene);
}

static void a_bot_that_is_removed_meanwhile_keeps_nothing(void **state)
{
        struct scene scene = scene_new(state, shop);
        struct desk *desk = scene.room->desk;
        scene_spoil(&scene, scene.live);
        assert_int_equal(DB_OK, bot_builder_start(desk));
        assert_true(bot_relearn_want(desk, scene.live));
        struct mailbox_item *learned = mailbox_wait(&desk->in, PATIENCE_MS);
        assert_non_null(learned);
        json_decref(scene_operate(&scene, "bot.remove",
                                  json_pack("{s:s, s:s}", "cmid", room_cmid(scene.room), "bot", scene.bot)));
        desk->pending = learned;
        room_turn(scene.room);
        assert_int_equal(0, room_sql(scene.room, "SELECT SUM(LENGTH(source) + LENGTH(blob)) FROM bot_version"));
        assert_int_equal(0, scene_logged("was learned anew"));
        scene_done(&scene);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {
                TEST(after_an_upgrade_the_bot_answers_as_before),
                TEST(it_is_learned_at_start_before_anybody_asks),
                TEST(what_can_be_loaded_stays_as_it_is),
                TEST(a_version_spoilt_while_the_server_runs_is_learned_when_it_is_needed),
                TEST(a_question_from_before_the_upgrade_is_answered_after_it),
                TEST(a_dialogue_is_finished_by_the_version_that_began_it),
                TEST(a_dialogue_whose_version_is_lost_goes_on_with_the_newest),
                TEST(a_source_that_is_refused_today_opens_the_conversations),
                TEST(a_lost_version_answers_again_once_its_files_are_pushed),
                TEST(an_old_draft_is_learned_when_it_is_published),
                TEST(what_was_learned_replaces_what_the_thread_has_loaded),
                TEST(nobody_waits_longer_than_a_minute),
                TEST(a_person_who_answers_meanwhile_has_the_last_word),
                TEST(what_could_not_be_stored_is_learned_again),
                TEST(a_server_that_stops_while_it_learns_learns_at_the_next_start),
                TEST(a_bot_that_is_removed_meanwhile_keeps_nothing),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
