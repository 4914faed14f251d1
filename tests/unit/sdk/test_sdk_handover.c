/* SPDX-License-Identifier: Apache-2.0 */
/* What is handed over: written together, told only when it is on the disk, in order, and with one outcome whatever the
 * disk does. */
#include "stage.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "client-sdk/src/cache_private.h"
#include "client-sdk/src/machine_private.h"
#include "faults.h"

enum { GROUP = 50, MOMENTS = 60, FOR_EVER = 1000000 };

static struct stage s;
static deskbell_conversation *conv;
static char folder[64], path[96];

static int set_up(void **state)
{
        (void)state;
        snprintf(path, sizeof(path), "%s/file", stage_folder(folder));
        stage_init(&s, path);
        stage_open(&s);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        faults_arm(FAULT_NONE, 0, 0);
        stage_done(&s);
        return stage_folder_remove(folder);
}

static void turn(void)
{
        stage_begin(&s);
        stage_end(&s);
}

static struct message_options fresh(void)
{
        return (struct message_options){.cmid = machine_cmid(s.machine, s.wall_ms)};
}

static struct cmid hand(const char *text)
{
        struct message_options options = fresh();

        assert_int_equal(0, stage_hand_send(&s, conv, text, &options));
        return options.cmid;
}

static int64_t queued(void)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        machine_status(s.machine, &status);
        handover_status(&s.handover, &status);
        return status.queued;
}

static int64_t failed(void)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        machine_status(s.machine, &status);
        handover_status(&s.handover, &status);
        return status.failed;
}

static void expect(const struct cmid *cmid, enum deskbell_message_state state, const char *tag, bool is_again)
{
        struct event *event = stage_event(&s, EVENT_MESSAGE);
        char text[33] = "";

        if (!event)
                fail_msg("nothing was told, awaited state %d", (int)state);
        cmid_write(text, cmid);
        assert_string_equal(text, event->message.cmid);
        assert_int_equal(state, event->message.state);
        assert_string_equal(tag, event->message.tag);
        assert_int_equal(is_again, event->message.is_again);
        event_free(event);
}

static void expect_nothing(void)
{
        assert_null(stage_event(&s, EVENT_MESSAGE));
}

static int count_commit(void *data)
{
        ++*(int *)data;
        return 0;
}

static int count_rows(void)
{
        sqlite3_stmt *statement = NULL;

        assert_int_equal(SQLITE_OK,
                         sqlite3_prepare_v2(stage_cache(&s)->db, "SELECT count(*) FROM outbox", -1, &statement, NULL));
        assert_int_equal(SQLITE_ROW, sqlite3_step(statement));
        int count = sqlite3_column_int(statement, 0);
        sqlite3_finalize(statement);
        return count;
}

static void again(void)
{
        stage_kill(&s);
        s.handover = (struct handover){0};
        stage_open(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
}

/* ---- together ---------------------------------------------------------------------------------------------------- */

static void what_was_handed_over_together_is_one_transaction_in_its_order(void **state)
{
        struct cmid cmids[GROUP];
        int commits = 0;

        (void)state;
        conv = stage_main(&s, 0);
        for (int i = 0; i < GROUP; i++)
                cmids[i] = hand("one of many");
        sqlite3_commit_hook(stage_cache(&s)->db, count_commit, &commits);
        turn();
        sqlite3_commit_hook(stage_cache(&s)->db, NULL, NULL);
        assert_int_equal(1, commits);
        for (int i = 0; i < GROUP; i++)
                expect(&cmids[i], DESKBELL_QUEUED, "", false);
        for (int i = 0; i < 16; i++) {
                json_t *send = stage_take(&s, "message.send");
                char text[33] = "";
                cmid_write(text, &cmids[i]);
                assert_string_equal(text, stage_param(send, "cmid"));
                json_decref(send);
        }
        assert_true(stage_is_silent(&s));
}

static void nothing_is_told_and_nothing_leaves_before_it_is_on_disk(void **state)
{
        (void)state;
        conv = stage_main(&s, 0);
        struct cmid cmid = hand("patience");
        assert_int_equal(1, queued());
        assert_int_equal(0, count_rows());
        stage_begin(&s);
        expect_nothing();
        assert_true(stage_is_silent(&s));
        stage_end(&s);
        expect(&cmid, DESKBELL_QUEUED, "", false);
        json_decref(stage_take(&s, "message.send"));
        assert_int_equal(1, queued());
        assert_int_equal(1, count_rows());
}

static void what_dies_with_the_process_before_it_was_written_is_gone_and_nothing_else(void **state)
{
        (void)state;
        conv = stage_main(&s, 0);
        stage_send(&s, conv, "on disk");
        hand("in memory");
        again();
        struct event *event = stage_event(&s, EVENT_MESSAGE);
        assert_string_equal("on disk", event->message.text);
        event_free(event);
        expect_nothing();
        assert_int_equal(1, queued());
}

static void edits_and_erasures_keep_their_place_among_the_texts(void **state)
{
        struct message_options options;
        static const int ops[] = {DESKBELL_OP_SEND, DESKBELL_OP_EDIT, DESKBELL_OP_SEND, DESKBELL_OP_ERASE};

        (void)state;
        conv = stage_main(&s, 3);
        stage_link_closes(&s, 1006);
        hand("first");
        options = fresh();
        assert_int_equal(0, stage_hand_edit(&s, conv, 2, 1, "better", &options));
        hand("third");
        options = fresh();
        assert_int_equal(0, stage_hand_erase(&s, conv, 3, &options));
        turn();
        struct outgoing *out = s.machine->out_first;
        for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++, out = out->next) {
                assert_non_null(out);
                assert_int_equal(ops[i], out->row.op);
                assert_int_equal(i == 1 ? 2 : i == 3 ? 3 : 0, out->row.of);
                assert_int_equal(i % 2, out->row.has_target);
        }
        assert_null(out);
}

static void an_edit_of_what_is_not_in_the_cache_is_refused_without_a_look_at_the_disk(void **state)
{
        struct message_options options = fresh();

        (void)state;
        conv = stage_main(&s, 3);
        faults_arm(FAULT_DISK, 1, FOR_EVER);
        assert_int_equal(DESKBELL_E_NOT_FOUND, stage_hand_edit(&s, conv, 4, 1, "x", &options));
        options.log = 1;
        assert_int_equal(DESKBELL_E_NOT_FOUND, stage_hand_erase(&s, conv, 1, &options));
        options.log = 0;
        assert_int_equal(0, stage_hand_edit(&s, conv, 3, 1, "x", &options));
        faults_arm(FAULT_NONE, 0, 0);
        assert_int_equal(1, queued());
}

static void an_edit_handed_over_before_a_reset_means_nothing_after_it(void **state)
{
        struct message_options options = fresh();

        (void)state;
        conv = stage_main(&s, 2);
        stage_link_closes(&s, 1006);
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        assert_int_equal(0, stage_hand_edit(&s, conv, 2, 1, "x", &options));
        stage_log_in(&s, NEW_EPOCH, 1, ",\"reset\":\"epoch\""); /* in the turn that writes the edit */
        expect(&options.cmid, DESKBELL_QUEUED, "", false);
        stage_feed(&s, 1, "{\"conv\":\"" CONV "\",\"rev\":1,\"key\":\"main\",\"head\":0}");
        expect(&options.cmid, DESKBELL_FAILED, "target_unknown", false);
        expect_nothing();
}

/* ---- room -------------------------------------------------------------------------------------------------------- */

static void the_last_place_in_the_outbox_is_given_once_handed_over_or_stored(void **state)
{
        struct message_options options;

        (void)state;
        conv = stage_main(&s, 0);
        for (int i = 0; i < 499; i++)
                hand("x");
        turn();
        hand("the last");
        options = fresh();
        assert_int_equal(DESKBELL_E_OUTBOX_FULL, stage_hand_send(&s, conv, "one more", &options));
        struct handed *taken = handover_take(&s.handover); /* being written: still there */
        assert_int_equal(DESKBELL_E_OUTBOX_FULL, stage_hand_send(&s, conv, "one more", &options));
        stage_begin(&s);
        machine_take(s.machine, taken);
        assert_int_equal(0, machine_end(s.machine));
        handover_settle(&s.handover, s.machine);
        assert_int_equal(500, queued());
        assert_int_equal(DESKBELL_E_OUTBOX_FULL, stage_hand_send(&s, conv, "one more", &options));
        stage_acked(&s, stage_take(&s, "message.send"), 1);
        assert_int_equal(0, stage_hand_send(&s, conv, "one more", &options));
        options = fresh();
        assert_int_equal(DESKBELL_E_OUTBOX_FULL, stage_hand_send(&s, conv, "and one more", &options));
}

static void a_cmid_of_the_applications_own_is_taken_once(void **state)
{
        struct message_options options = fresh();

        (void)state;
        conv = stage_main(&s, 0);
        options.is_named = true;
        assert_int_equal(0, stage_hand_send(&s, conv, "x", &options));
        assert_int_equal(DESKBELL_E_EXISTS, stage_hand_send(&s, conv, "x", &options));
        turn();
        assert_int_equal(DESKBELL_E_EXISTS, stage_hand_send(&s, conv, "x", &options));
        stage_acked(&s, stage_take(&s, "message.send"), 1);
        assert_int_equal(DESKBELL_E_EXISTS, stage_hand_send(&s, conv, "x", &options));
        assert_int_equal(1, count_rows());
}

/* ---- conversations ----------------------------------------------------------------------------------------------- */

static void a_conversation_opened_meanwhile_is_given_everything_once_the_new_at_the_end(void **state)
{
        struct event *event;
        const char *told[8] = {0};
        size_t count = 0;

        (void)state;
        conv = stage_main(&s, 2);
        stage_link_closes(&s, 1006);
        stage_send(&s, conv, "old");
        stage_begin(&s);
        machine_conv_close(s.machine, conv);
        stage_end(&s);
        stage_drop_events(&s);
        hand("new");
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        turn();
        while ((event = event_list_pop(&s.events))) {
                if (event->kind == EVENT_ENTRY)
                        told[count++] = "entry";
                else if (event->kind == EVENT_MESSAGE)
                        told[count++] = strcmp(event->message.text, "old") == 0 ? "old" : "new";
                else if (event->kind == EVENT_OPENED)
                        told[count++] = "opened";
                event_free(event);
        }
        assert_int_equal(5, count);
        assert_string_equal("entry", told[1]);
        assert_string_equal("old", told[2]);
        assert_string_equal("opened", told[3]);
        assert_string_equal("new", told[4]);
}

/* ---- a disk that fails ------------------------------------------------------------------------------------------- */

static void one_write_that_fails_whichever_costs_no_message(void **state)
{
        (void)state;
        conv = stage_main(&s, 1);
        stage_link_closes(&s, 1006);
        for (long at = 1, seen = 1; at <= seen; at++) {
                struct message_options edit = fresh();
                struct cmid one = hand("one"), two = hand("two");
                int before = count_rows();

                assert_int_equal(0, stage_hand_edit(&s, conv, 1, 1, "better", &edit));
                faults_arm(FAULT_DISK, at, 1);
                turn();
                seen = faults_seen();
                faults_arm(FAULT_NONE, 0, 0);
                assert_true(seen > 0);
                expect(&one, DESKBELL_QUEUED, "", false);
                expect(&two, DESKBELL_QUEUED, "", false);
                expect(&edit.cmid, DESKBELL_QUEUED, "", false);
                expect_nothing();
                assert_int_equal(before + 3, count_rows());
                stage_drop_events(&s);
        }
        assert_int_equal(0, failed());
}

static void a_disk_that_goes_on_failing_is_told_once_for_each_message_and_keeps_none(void **state)
{
        bool is_through = false;
        int before;

        (void)state;
        conv = stage_main(&s, 1);
        stage_link_closes(&s, 1006);
        stage_send(&s, conv, "from better days");
        before = count_rows();
        for (long at = 1; at <= MOMENTS; at++) {
                struct message_options edit = fresh();
                struct cmid one = hand("one"), two = hand("two");

                assert_int_equal(0, stage_hand_edit(&s, conv, 1, 1, "better", &edit));
                stage_drop_events(&s);
                faults_arm(FAULT_DISK, at, FOR_EVER);
                turn();
                long seen = faults_seen();
                faults_arm(FAULT_NONE, 0, 0);
                if (seen < at) { /* no write was left to fail */
                        stage_drop_events(&s);
                        is_through = true;
                        break;
                }
                expect(&one, DESKBELL_FAILED, "store", false);
                expect(&two, DESKBELL_FAILED, "store", false);
                expect(&edit.cmid, DESKBELL_FAILED, "store", false);
                expect_nothing();
                turn();
                expect_nothing();
                assert_int_equal(before, count_rows());
                assert_int_equal(1, queued());
        }
        assert_true(is_through);
        assert_int_equal(0, failed());
        again();
        assert_int_equal(4, queued());
}

static void a_turn_that_fails_for_something_else_does_not_cost_what_was_handed_over(void **state)
{
        (void)state;
        conv = stage_main(&s, 0);
        struct cmid cmid = hand("not my fault");
        stage_begin(&s);
        cache_fail(stage_cache(&s));
        assert_int_equal(DESKBELL_E_STORE, stage_end(&s));
        expect(&cmid, DESKBELL_QUEUED, "", false);
        expect_nothing();
        assert_true(stage_is_silent(&s)); /* the connection was given up with the turn */
        assert_int_equal(1, count_rows());
}

static void who_waits_for_the_disk_is_told_by_the_call_alone(void **state)
{
        struct message_options options = fresh();
        struct handed_wait wait = {0};
        struct handed *handed = NULL;

        (void)state;
        conv = stage_main(&s, 0);
        for (int is_failing = 0; is_failing < 2; is_failing++) {
                options = fresh();
                assert_int_equal(0, handed_send(conv, "well?", &options, &handed));
                wait = (struct handed_wait){0};
                handed->wait = &wait;
                assert_int_equal(0, handover_put(&s.handover, handed));
                faults_arm(is_failing ? FAULT_DISK : FAULT_NONE, 1, FOR_EVER);
                turn();
                faults_arm(FAULT_NONE, 0, 0);
                assert_true(wait.is_done);
                assert_int_equal(is_failing ? DESKBELL_E_STORE : 0, wait.rc);
                if (!is_failing)
                        expect(&options.cmid, DESKBELL_QUEUED, "", false);
                expect_nothing();
        }
}

static void a_message_that_cannot_be_put_back_is_what_it_was(void **state)
{
        struct cmid fresh_cmid;

        (void)state;
        conv = stage_main(&s, 0);
        struct cmid cmid = stage_send(&s, conv, "no");
        stage_refuse(&s, stage_take(&s, "message.send"), "forbidden", true, -1);
        stage_drop_events(&s);
        assert_int_equal(0, stage_hand_retry(&s, &cmid, &fresh_cmid));
        assert_int_equal(DESKBELL_E_STATE, stage_hand_retry(&s, &cmid, &fresh_cmid));
        assert_int_equal(0, failed());
        assert_int_equal(1, queued());
        struct cmid given = s.handover.first->row.cmid;
        faults_arm(FAULT_DISK, 1, FOR_EVER);
        turn();
        faults_arm(FAULT_NONE, 0, 0);
        expect(&given, DESKBELL_FAILED, "store", false);
        expect(&cmid, DESKBELL_FAILED, "forbidden", true);
        expect_nothing();
        assert_int_equal(1, failed());
        assert_int_equal(0, queued());
        assert_int_equal(0, stage_hand_retry(&s, &cmid, &fresh_cmid));
        turn();
        expect(&fresh_cmid, DESKBELL_QUEUED, "", false);
        assert_int_equal(0, failed());
}

static void a_copy_of_bytes_goes_with_the_message_that_could_not_be_stored(void **state)
{
        struct file_source copy = {
                .path = "/copies/1", .name = "file", .media = "image/png", .is_copy = true, .size = 3, .mtime_ns = 7};
        struct message_options options = fresh();

        (void)state;
        conv = stage_main(&s, 0);
        assert_int_equal(0, stage_hand_files(&s, conv, &copy, 1, "see", &options));
        faults_arm(FAULT_DISK, 1, FOR_EVER);
        turn();
        faults_arm(FAULT_NONE, 0, 0);
        struct event *event = stage_event(&s, EVENT_MESSAGE);
        assert_int_equal(DESKBELL_FAILED, event->message.state);
        assert_string_equal("store", event->message.tag);
        assert_int_equal(1, event->message.files_count);
        assert_string_equal("file", event->message.files[0].name);
        event_free(event);
        struct job *job = stage_job(&s, JOB_UNLINK);
        assert_string_equal("/copies/1", job->path);
        job_free(job);
        assert_false(machine_knows_copy(s.machine, "/copies/1"));
}

static void without_memory_to_tell_it_is_told_later(void **state)
{
        (void)state;
        conv = stage_main(&s, 0);
        struct cmid cmid = hand("x");
        stage_begin(&s);
        machine_take(s.machine, handover_take(&s.handover));
        cache_fail(stage_cache(&s));
        faults_arm(FAULT_MEMORY, 1, FOR_EVER);
        machine_end(s.machine);
        faults_arm(FAULT_NONE, 0, 0);
        handover_settle(&s.handover, s.machine);
        assert_true(machine_next_ms(s.machine) < INT64_MAX);
        stage_pass(&s, machine_next_ms(s.machine) - s.mono_ms);
        expect(&cmid, DESKBELL_FAILED, "store", false);
        expect_nothing();
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(what_was_handed_over_together_is_one_transaction_in_its_order),
                T(nothing_is_told_and_nothing_leaves_before_it_is_on_disk),
                T(what_dies_with_the_process_before_it_was_written_is_gone_and_nothing_else),
                T(edits_and_erasures_keep_their_place_among_the_texts),
                T(an_edit_of_what_is_not_in_the_cache_is_refused_without_a_look_at_the_disk),
                T(an_edit_handed_over_before_a_reset_means_nothing_after_it),
                T(the_last_place_in_the_outbox_is_given_once_handed_over_or_stored),
                T(a_cmid_of_the_applications_own_is_taken_once),
                T(a_conversation_opened_meanwhile_is_given_everything_once_the_new_at_the_end),
                T(one_write_that_fails_whichever_costs_no_message),
                T(a_disk_that_goes_on_failing_is_told_once_for_each_message_and_keeps_none),
                T(a_turn_that_fails_for_something_else_does_not_cost_what_was_handed_over),
                T(who_waits_for_the_disk_is_told_by_the_call_alone),
                T(a_message_that_cannot_be_put_back_is_what_it_was),
                T(a_copy_of_bytes_goes_with_the_message_that_could_not_be_stored),
                T(without_memory_to_tell_it_is_told_later),
        };

        faults_init();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
