/* SPDX-License-Identifier: Apache-2.0 */
/* A2: a batch that cannot be kept is refused whole, leaves memory as it was on disk, and is healed by repeating it; a
 * commit of unknown outcome ends everything. */
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "unit/desk/script.h"

static void order(enum db_fault_op op, enum db_fault_kind kind, uint64_t nth, int error)
{
        db_fault_reset(&db_sqlite);
        assert_true(db_fault_add(
                (struct db_fault_rule){.op = op, .kind = kind, .mode = DB_WRITER, .nth = nth, .error = error}));
}

/* The n-th call of that kind fails, for n = 1, 2, ... until there are no more; each time on a fresh store. */
static void sweep(void **state, enum db_fault_op op, int error)
{
        bool was_hit = true;
        for (uint64_t nth = 1; was_hit; nth++) {
                struct script script;
                struct room *room = *state;
                script_begin(&script, room);
                order(op, DB_FAULT_FAIL, nth, error);
                int refused = script_run(&script);
                was_hit = db_fault_calls(op, DB_WRITER) >= nth;
                db_fault_reset(&db_sqlite);
                if (!was_hit)
                        assert_int_equal(0, refused);
                assert_true(was_hit || nth > 1);
                assert_int_equal(refused > 0 && (error == DB_FULL || error == DB_BUSY), desk_is_read_only(room->desk));
                room->desk->retry_write_ms = 0;
                room_check(room);
                script_heal(&script);
                script_end(&script);
                room_tear_down(state);
                room_set_up(state);
        }
}

static void a_full_disk_at_any_write_loses_and_doubles_nothing(void **state)
{
        sweep(state, DB_FAULT_STEP, DB_FULL);
}

static void a_failed_write_at_any_place_loses_and_doubles_nothing(void **state)
{
        sweep(state, DB_FAULT_STEP, DB_IO);
}

static void a_full_disk_at_commit_loses_and_doubles_nothing(void **state)
{
        sweep(state, DB_FAULT_COMMIT, DB_FULL);
}

static void a_locked_store_at_begin_loses_and_doubles_nothing(void **state)
{
        sweep(state, DB_FAULT_BEGIN, DB_BUSY);
}

static void a_failed_savepoint_loses_and_doubles_nothing(void **state)
{
        struct room *room = *state;
        for (uint64_t nth = 1; nth <= 2; nth++) {
                char cmid[33];
                snprintf(cmid, sizeof cmid, "%s", room_cmid(room));
                order(DB_FAULT_SAVEPOINT, DB_FAULT_FAIL, nth, DB_FULL);
                take_error(room_operate(room, "agent.add", "{\"cmid\":\"%s\",\"name\":\"Eve\"}", cmid), "storage_full");
                assert_true(desk_is_read_only(room->desk));
                db_fault_reset(&db_sqlite);
                room->desk->retry_write_ms = 0;
                take_result(room_operate(room, "agent.add", "{\"cmid\":\"%s\",\"name\":\"Eve\"}", cmid));
                assert_int_equal((int)nth, room_sql(room, "SELECT count(*) FROM principal WHERE role = 2"));
        }
}

static void while_there_is_no_space_writes_are_refused_and_reads_go_on(void **state)
{
        struct script script;
        struct room *room = *state;
        script_begin(&script, room);
        order(DB_FAULT_COMMIT, DB_FAULT_FAIL, 1, DB_FULL);
        take_error(room_send(room, &script.ann, script.conv, NULL, "x"), "storage_full");
        assert_true(desk_is_read_only(room->desk));
        uint64_t begins = db_fault_calls(DB_FAULT_BEGIN, DB_WRITER);
        json_t *answer = room_send(room, &script.ann, script.conv, NULL, "x");
        assert_int_equal(READ_ONLY_RETRY_MS, number(answer, "error.data.retry_after_ms"));
        take_error(answer, "storage_full");
        take_error(room_operate(room, "agent.add", "{\"cmid\":\"%s\",\"name\":\"X\"}", room_cmid(room)),
                   "storage_full");
        assert_int_equal(begins, db_fault_calls(DB_FAULT_BEGIN, DB_WRITER));
        json_t *page = room_read(room, &script.ann, "entries.read", "{\"conv\":\"%s\"}", script.conv);
        assert_int_equal(3, number(page, "result.head"));
        json_decref(page);
        script_end(&script);
}

static void it_writes_again_by_itself_when_there_is_space(void **state)
{
        struct script script;
        struct room *room = *state;
        script_begin(&script, room);
        order(DB_FAULT_COMMIT, DB_FAULT_FAIL, 1, DB_FULL);
        take_error(room_send(room, &script.ann, script.conv, NULL, "x"), "storage_full");
        assert_in_range(desk_next_due_ms(room->desk), 1, READ_ONLY_RETRY_MS);
        room->desk->retry_write_ms = 0;
        assert_int_equal(0, desk_next_due_ms(room->desk));
        room_turn(room);
        assert_false(desk_is_read_only(room->desk));
        script_end(&script);
}

static void it_stays_read_only_as_long_as_trying_fails(void **state)
{
        struct script script;
        struct room *room = *state;
        script_begin(&script, room);
        db_fault_reset(&db_sqlite);
        db_fault_add((struct db_fault_rule){.op = DB_FAULT_COMMIT,
                                            .kind = DB_FAULT_FAIL,
                                            .mode = DB_WRITER,
                                            .nth = 1,
                                            .times = UINT64_MAX,
                                            .error = DB_FULL});
        take_error(room_send(room, &script.ann, script.conv, NULL, "x"), "storage_full");
        for (int i = 0; i < 3; i++) {
                room->desk->retry_write_ms = 0;
                room_turn(room);
                assert_true(desk_is_read_only(room->desk));
                assert_in_range(desk_next_due_ms(room->desk), 1, READ_ONLY_RETRY_MS);
        }
        script_end(&script);
}

static void marks_that_wait_for_space_do_not_keep_the_desk_busy(void **state)
{
        struct script script;
        struct room *room = *state;
        script_begin(&script, room);
        order(DB_FAULT_COMMIT, DB_FAULT_FAIL, 1, DB_FULL);
        take_error(room_send(room, &script.ann, script.conv, NULL, "x"), "storage_full");
        room_notify(room, &script.ann, "marks", "{\"marks\":[{\"conv\":\"%s\",\"recv\":2,\"read\":2}]}", script.conv);
        room->desk->flush_due_ms = 1;
        assert_in_range(desk_next_due_ms(room->desk), 1, READ_ONLY_RETRY_MS);
        room->desk->retry_write_ms = 0;
        room_turn(room);
        assert_int_equal(2, room_sql(room, "SELECT customer_read FROM conversation"));
        script_end(&script);
}

static void a_read_that_fails_for_a_notification_does_not_refuse_the_next_batch(void **state)
{
        struct script script;
        struct room *room = *state;
        script_begin(&script, room);
        order(DB_FAULT_STEP, DB_FAULT_FAIL, 1, DB_IO);
        room_notify(room, &script.ann, "marks", "{\"marks\":[{\"conv\":\"cnv_0000000000001\",\"recv\":2,\"read\":2}]}");
        assert_int_equal(1, db_fault_calls(DB_FAULT_STEP, DB_WRITER));
        db_fault_reset(&db_sqlite);
        assert_int_equal(4, take_seq(room_send(room, &script.ann, script.conv, NULL, "x")));
        assert_int_equal(0, room->desk->commit_failures);
        script_end(&script);
}

static void a_refused_message_does_not_meet_after(void **state)
{
        struct script script;
        struct room *room = *state;
        script_begin(&script, room);
        const char *first = "01900000000000000000000000000a01";
        order(DB_FAULT_COMMIT, DB_FAULT_FAIL, 1, DB_FULL);
        take_error(room_send(room, &script.ann, script.conv, first, "1"), "storage_full");
        room->desk->retry_write_ms = 0;
        take_error(room_ask(room, &script.ann, "message.send",
                            "{\"cmid\":\"%s\",\"after\":\"%s\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"2\"}",
                            room_cmid(room), first, script.conv),
                   "predecessor_unknown");
        script_end(&script);
}

static void no_event_of_a_refused_batch_leaves(void **state)
{
        struct script script;
        struct room *room = *state;
        script_begin(&script, room);
        room_forget(room);
        order(DB_FAULT_COMMIT, DB_FAULT_FAIL, 1, DB_FULL);
        assert_true(script_run(&script) > 0);
        assert_int_equal(0, room_count(room, NOTE_EVENT, NULL));
        assert_int_equal(0, room_count(room, NOTE_FEED, NULL));
        assert_int_equal(0, room_count(room, NOTE_CLOSE, NULL));
        assert_int_equal(0, room_count(room, NOTE_OPENED, NULL));
        script_end(&script);
}

static void a_drain_leaves_even_with_a_refused_batch(void **state)
{
        struct script script;
        struct room *room = *state;
        script_begin(&script, room);
        order(DB_FAULT_COMMIT, DB_FAULT_FAIL, 1, DB_FULL);
        unsigned id = room_queue(room, &script.ann, "message.send",
                                 "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"1\"}", room_cmid(room),
                                 script.conv);
        desk_post_drain(room->desk);
        room_turn(room);
        take_error(room_answer(room, id), "storage_full");
        assert_int_equal(1, room_count(room, NOTE_DRAIN, NULL));
        assert_int_equal(PROTOCOL_CLOSE_DRAIN, room_told(room, NOTE_DRAIN, NULL, 0)->close_code);
        script_end(&script);
}

/* The newer login was refused with its batch: the older connection lives on and has to stay within reach. */
static void a_connection_whose_replacement_was_refused_can_still_be_revoked(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0), again;
        struct opening opening = room_user(room, "ann");
        json_t *answer;
        order(DB_FAULT_COMMIT, DB_FAULT_FAIL, 1, DB_FULL);
        assert_false(room_enter(room, &opening, 0, NULL, &again, &answer));
        take_error(answer, "storage_full");
        room->desk->retry_write_ms = 0;
        room_forget(room);
        take_result(room_operate(room, "customer.revoke", "{\"cmid\":\"%s\",\"customer\":\"%s\"}", room_cmid(room),
                                 ann.id));
        assert_int_equal(1, room_count(room, NOTE_CLOSE, NULL));
        assert_int_equal(ann.ref.slot, room_told(room, NOTE_CLOSE, NULL, 0)->to.slot);
}

static void a_connection_whose_replacement_was_refused_is_replaced_by_the_next(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0), again;
        struct opening opening = room_user(room, "ann");
        order(DB_FAULT_COMMIT, DB_FAULT_FAIL, 1, DB_FULL);
        assert_false(room_enter(room, &opening, 0, NULL, &again, NULL));
        room->desk->retry_write_ms = 0;
        room_forget(room);
        assert_true(room_enter(room, &opening, 0, NULL, &again, NULL));
        assert_int_equal(1, room_count(room, NOTE_CLOSE, NULL));
        assert_int_equal(ann.ref.slot, room_told(room, NOTE_CLOSE, NULL, 0)->to.slot);
}

static void a_new_customer_of_a_refused_batch_is_forgotten(void **state)
{
        struct room *room = *state;
        struct opening opening = room_user(room, "ann");
        struct client client;
        json_t *answer;
        order(DB_FAULT_COMMIT, DB_FAULT_FAIL, 1, DB_FULL);
        assert_false(room_enter(room, &opening, 0, NULL, &client, &answer));
        take_error(answer, "storage_full");
        room->desk->retry_write_ms = 0;
        /* bob now gets the row id that ann would have had */
        struct client bob = room_customer(room, "bob", 0);
        free(room_conversation(room, &bob, "main"));
        room_check(room);
        struct client ann = room_customer(room, "ann", 0);
        assert_string_not_equal(ann.id, bob.id);
        room_check(room);
}

/* --- unknown outcome --- */

static int fatal_count;

static void count_fatal(void *data)
{
        (void)data;
        fatal_count++;
}

static void nobody_is_answered_when_the_outcome_of_a_commit_is_unknown(void **state)
{
        struct script script;
        struct room *room = *state;
        script_begin(&script, room);
        room_forget(room);
        room->desk->on_fatal = count_fatal;
        fatal_count = 0;
        order(DB_FAULT_COMMIT, DB_FAULT_FAIL_AFTER, 1, DB_UNKNOWN);
        assert_int_equal(SCRIPT_SENDS + 1, script_run(&script));
        assert_int_equal(1, fatal_count);
        assert_int_equal(0, room->told_count);
        assert_true(room->desk->has_ended);
        db_fault_reset(&db_sqlite);
        room_close(
                room); /* as after a restart: what was committed is there, and the mark does not say more than disk */
        room_open(room);
        script.ann = room_customer(room, "ann", 0);
        script.eve = room_agent(room, "Eve", 0);
        script_heal(&script);
        script_end(&script);
}

static void a_flush_that_fails_at_any_statement_ends_it_too(void **state)
{
        struct script script;
        struct room *room = *state;
        script_begin(&script, room);
        room_forget(room);
        room->desk->on_fatal = count_fatal;
        fatal_count = 0;
        order(DB_FAULT_STEP, DB_FAULT_FAIL, 3, DB_UNKNOWN);
        assert_int_equal(SCRIPT_SENDS + 1, script_run(&script));
        assert_int_equal(1, fatal_count);
        assert_int_equal(0, room->told_count);
        script_end(&script);
}

static void marks_flushed_alone_with_unknown_outcome_end_it_too(void **state)
{
        struct script script;
        struct room *room = *state;
        script_begin(&script, room);
        room->desk->on_fatal = count_fatal;
        fatal_count = 0;
        room_notify(room, &script.ann, "marks", "{\"marks\":[{\"conv\":\"%s\",\"recv\":2,\"read\":2}]}", script.conv);
        room_forget(room);
        order(DB_FAULT_COMMIT, DB_FAULT_FAIL, 1, DB_UNKNOWN);
        room->desk->flush_due_ms = 1;
        room_turn(room);
        assert_int_equal(1, fatal_count);
        assert_true(room->desk->has_ended);
        assert_int_equal(0, room->told_count);
        script_end(&script);
}

static void the_operator_is_told_that_the_outcome_is_unknown(void **state)
{
        struct room *room = *state;
        order(DB_FAULT_COMMIT, DB_FAULT_FAIL, 1, DB_UNKNOWN);
        take_error(room_operate(room, "agent.add", "{\"cmid\":\"%s\",\"name\":\"Eve\"}", room_cmid(room)), "internal");
}

static void post(void *data)
{
        sem_post(data);
}

static void a_checkpoint_that_fails_to_flush_ends_it_too(void **state)
{
        struct script script;
        struct room *room = *state;
        sem_t fatal;
        script_begin(&script, room);
        sem_init(&fatal, 0, 0);
        order(DB_FAULT_CHECKPOINT, DB_FAULT_FAIL, 1, DB_UNKNOWN);
        assert_int_equal(DB_OK, desk_start(room->desk, post, &fatal));
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 30;
        int rc;
        while ((rc = sem_timedwait(&fatal, &until)) < 0 && errno == EINTR)
                continue;
        assert_int_equal(0, rc);
        desk_stop(room->desk);
        sem_destroy(&fatal);
        script_end(&script);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_full_disk_at_any_write_loses_and_doubles_nothing),
                TEST(a_failed_write_at_any_place_loses_and_doubles_nothing),
                TEST(a_full_disk_at_commit_loses_and_doubles_nothing),
                TEST(a_locked_store_at_begin_loses_and_doubles_nothing),
                TEST(a_failed_savepoint_loses_and_doubles_nothing),
                TEST(while_there_is_no_space_writes_are_refused_and_reads_go_on),
                TEST(it_writes_again_by_itself_when_there_is_space),
                TEST(it_stays_read_only_as_long_as_trying_fails),
                TEST(marks_that_wait_for_space_do_not_keep_the_desk_busy),
                TEST(a_read_that_fails_for_a_notification_does_not_refuse_the_next_batch),
                TEST(a_refused_message_does_not_meet_after),
                TEST(no_event_of_a_refused_batch_leaves),
                TEST(a_drain_leaves_even_with_a_refused_batch),
                TEST(a_connection_whose_replacement_was_refused_can_still_be_revoked),
                TEST(a_connection_whose_replacement_was_refused_is_replaced_by_the_next),
                TEST(a_new_customer_of_a_refused_batch_is_forgotten),
                TEST(nobody_is_answered_when_the_outcome_of_a_commit_is_unknown),
                TEST(a_flush_that_fails_at_any_statement_ends_it_too),
                TEST(marks_flushed_alone_with_unknown_outcome_end_it_too),
                TEST(the_operator_is_told_that_the_outcome_is_unknown),
                TEST(a_checkpoint_that_fails_to_flush_ends_it_too),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
