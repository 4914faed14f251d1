/* SPDX-License-Identifier: Apache-2.0 */
/* Messages with files on the machine: every step to the server with a scripted server and scripted files, and
 * everything that can come between. */
#include "stage.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "client-sdk/src/cache_private.h"

#define FILE_ID   "f0000000000000000000000000000001"
#define FILE_ID_2 "f0000000000000000000000000000002"
#define SIZE      600000

static struct stage s;
static deskbell_conversation *conv;
static const uint8_t sha[32] = {0xab, 0xcd};
#define SHA "abcd000000000000000000000000000000000000000000000000000000000000"

static int set_up(void **state)
{
        (void)state;
        stage_init(&s, NULL);
        stage_open(&s);
        conv = stage_main(&s, 0);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        stage_done(&s);
        return 0;
}

static struct cmid send_files(size_t count, const char *text)
{
        struct message_options options = {.cmid = machine_cmid(s.machine, s.wall_ms)};
        struct file_source files[10];

        for (size_t i = 0; i < count; i++)
                files[i] = (struct file_source){
                        .path = i ? "/files/two.txt" : "/files/one.png",
                        .name = i ? "two.txt" : "one.png",
                        .media = i ? "text/plain" : "image/png",
                        .size = SIZE,
                        .mtime_ns = 7,
                };
        stage_begin(&s);
        assert_int_equal(0, stage_hand_files(&s, conv, files, count, text, &options));
        assert_int_equal(0, stage_end(&s));
        return options.cmid;
}

static void hash_is_done(void)
{
        struct job *job = stage_job(&s, JOB_HASH);

        memcpy(job->sha256, sha, sizeof(sha));
        stage_job_done(&s, job);
}

/* Time passes while the server is heard of. */
static void wait_ms(int64_t ms)
{
        json_t *alive;

        for (int64_t step; ms > 0; ms -= step) {
                step = ms < 20000 ? ms : 20000;
                stage_pass(&s, step);
                stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"rev\":1,\"now\":%lld}}",
                          (long long)s.wall_ms);
                alive = stage_find(&s, "session.alive");
                assert_non_null(alive);
                json_decref(alive);
        }
}

static void message_was_sent(void)
{
        json_t *send = stage_find(&s, "message.send");

        assert_non_null(send);
        json_decref(send);
}

static json_t *begin_is_asked(void)
{
        json_t *frame = stage_take(&s, "upload.begin");

        assert_int_equal(SIZE, stage_number(frame, "size"));
        assert_string_equal("", stage_param(frame, "conv"));
        return frame;
}

static void begin_is_answered(json_t *request, const char *file, int64_t offset)
{
        stage_answer(&s, request, "{\"file\":\"%s\",\"offset\":%lld,\"piece_bytes\":262144,\"expires\":1}", file,
                     (long long)offset);
}

/* The piece that is sent next; answered with that status and offset. */
static void put(int64_t offset, int64_t len, int status, int64_t told)
{
        struct job *job = stage_job(&s, JOB_PUT);

        assert_int_equal(offset, job->offset);
        assert_int_equal(len, job->len);
        assert_string_equal(HTTP_TOKEN, job->token);
        job->status = status;
        job->told_offset = told;
        stage_job_done(&s, job);
}

static void end_is_answered(const char *file, const char *media)
{
        json_t *end = stage_take(&s, "upload.end");

        assert_string_equal(file, stage_param(end, "file"));
        assert_string_equal(SHA, stage_param(end, "sha256"));
        stage_answer(&s, end, "{\"file\":\"%s\",\"size\":%d,\"media\":\"%s\",\"width\":64,\"height\":48}", file, SIZE,
                     media);
}

static void pieces_go_up(void)
{
        put(0, 262144, 204, 262144);
        put(262144, 262144, 204, 524288);
        put(524288, SIZE - 524288, 204, SIZE);
}

static void whole_file_goes_up(const char *file, const char *media)
{
        hash_is_done();
        begin_is_answered(begin_is_asked(), file, 0);
        pieces_go_up();
        end_is_answered(file, media);
}

static void expect_failed(const struct cmid *cmid, const char *tag)
{
        struct event *event = stage_event(&s, EVENT_MESSAGE);
        char text[33];

        cmid_write(text, cmid);
        text[32] = '\0';
        assert_non_null(event);
        assert_string_equal(text, event->message.cmid);
        assert_int_equal(DESKBELL_FAILED, event->message.state);
        assert_string_equal(tag, event->message.tag);
        event_free(event);
}

static void start(struct cmid *out_cmid)
{
        *out_cmid = send_files(1, NULL);
        stage_expect_message(&s, out_cmid, DESKBELL_UPLOADING);
        hash_is_done();
        begin_is_answered(begin_is_asked(), FILE_ID, 0);
        stage_drop_events(&s);
}

static int64_t queued(void)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        machine_status(s.machine, &status);
        return status.queued;
}

/* ---- the way ----------------------------------------------------------------------------------------------------- */

static void files_go_up_in_pieces_and_then_the_message_leaves_with_what_the_server_called_them(void **state)
{
        (void)state;
        struct cmid cmid = send_files(1, "look");
        struct event *event = stage_event(&s, EVENT_MESSAGE);
        assert_int_equal(DESKBELL_UPLOADING, event->message.state);
        assert_string_equal("look", event->message.text);
        assert_int_equal(1, event->message.files_count);
        assert_string_equal("one.png", event->message.files[0].name);
        assert_string_equal("", event->message.files[0].id);
        event_free(event);
        whole_file_goes_up(FILE_ID, "image/jpeg");
        stage_expect_message(&s, &cmid, DESKBELL_QUEUED);
        json_t *send = stage_take(&s, "message.send");
        json_t *file = json_array_get(json_object_get(json_object_get(send, "params"), "files"), 0);
        assert_string_equal("attachment", stage_param(send, "kind"));
        assert_string_equal("look", stage_param(send, "text"));
        assert_string_equal("one.png", stage_param(send, "fallback_text"));
        assert_string_equal(FILE_ID, json_string_value(json_object_get(file, "file")));
        assert_string_equal("image/jpeg", json_string_value(json_object_get(file, "media")));
        assert_string_equal(SHA, json_string_value(json_object_get(file, "sha256")));
        assert_int_equal(SIZE, json_integer_value(json_object_get(file, "size")));
        assert_int_equal(64, json_integer_value(json_object_get(file, "width")));
        stage_acked(&s, send, 1);
        event = stage_event(&s, EVENT_MESSAGE);
        assert_int_equal(DESKBELL_SENT, event->message.state);
        assert_string_equal(FILE_ID, event->message.files[0].id);
        event_free(event);
        assert_int_equal(0, queued());
}

static void progress_is_told_for_each_piece_and_never_falls(void **state)
{
        int64_t expected[] = {0, 262144, 524288, SIZE};
        struct event *event;
        size_t told = 0;

        (void)state;
        send_files(1, NULL);
        whole_file_goes_up(FILE_ID, "image/png");
        while ((event = stage_event(&s, EVENT_PROGRESS))) {
                assert_true(told < 4);
                assert_int_equal(expected[told++], event->progress.sent);
                assert_int_equal(SIZE, event->progress.total);
                assert_int_equal(0, event->progress.file);
                assert_int_equal(1, event->progress.files);
                event_free(event);
        }
        assert_int_equal(4, told);
}

static void several_files_go_one_after_the_other_under_different_keys(void **state)
{
        char first[33];

        (void)state;
        struct cmid cmid = send_files(2, NULL);
        hash_is_done();
        json_t *begin = begin_is_asked();
        snprintf(first, sizeof(first), "%s", stage_param(begin, "cmid"));
        begin_is_answered(begin, FILE_ID, 0);
        pieces_go_up();
        end_is_answered(FILE_ID, "image/png");
        hash_is_done();
        begin = begin_is_asked();
        assert_string_not_equal(first, stage_param(begin, "cmid"));
        begin_is_answered(begin, FILE_ID_2, SIZE); /* all of it is there from a try before */
        end_is_answered(FILE_ID_2, "text/plain");
        json_t *send = stage_take(&s, "message.send");
        assert_int_equal(2, json_array_size(json_object_get(json_object_get(send, "params"), "files")));
        assert_string_equal("one.png, two.txt", stage_param(send, "fallback_text"));
        assert_string_equal("", stage_param(send, "text"));
        json_decref(send);
        stage_drop_events(&s);
        (void)cmid;
}

static void texts_written_meanwhile_go_first(void **state)
{
        struct cmid cmid, text;

        (void)state;
        start(&cmid);
        text = stage_send(&s, conv, "by the way");
        stage_expect_message(&s, &text, DESKBELL_QUEUED);
        json_t *send = stage_take(&s, "message.send");
        assert_string_equal("by the way", stage_param(send, "text"));
        pieces_go_up();
        end_is_answered(FILE_ID, "image/png");
        stage_drop_events(&s);
        json_t *second = stage_take(&s, "message.send");
        assert_string_equal("attachment", stage_param(second, "kind"));
        assert_string_equal(stage_param(send, "cmid"), stage_param(second, "after"));
        json_decref(second);
        json_decref(send);
}

/* ---- what comes between ------------------------------------------------------------------------------------------ */

static void an_upload_goes_on_where_the_server_says_after_a_restart_of_the_process(void **state)
{
        char folder[64], path[96], key[33];

        (void)state;
        stage_done(&s);
        snprintf(path, sizeof(path), "%s/file", stage_folder(folder));
        stage_init(&s, path);
        stage_open(&s);
        conv = stage_main(&s, 0);
        struct cmid cmid = send_files(1, "caption");
        hash_is_done();
        json_t *begin = begin_is_asked();
        snprintf(key, sizeof(key), "%s", stage_param(begin, "cmid"));
        begin_is_answered(begin, FILE_ID, 0);
        put(0, 262144, 204, 262144);
        stage_kill(&s);
        stage_open(&s);
        assert_int_equal(1, queued());
        conv = stage_main(&s, 0);
        stage_pass(&s, 1);
        /* the frames of stage_main were dropped: the request times out with the connection */
        stage_link_closes(&s, 1006);
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        begin = stage_find(&s, "upload.begin");
        assert_non_null(begin);
        assert_string_equal(key, stage_param(begin, "cmid"));
        begin_is_answered(begin, FILE_ID, 262144);
        put(262144, 262144, 204, 524288);
        put(524288, SIZE - 524288, 204, SIZE);
        json_array_clear(s.frames); /* upload.end, lost with the next connection */
        stage_drop_events(&s);
        stage_link_closes(&s, 1006);
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        json_t *end = stage_find(&s, "upload.end");
        assert_non_null(end);
        stage_answer(&s, end, "{\"file\":\"%s\",\"size\":%d,\"media\":\"image/png\"}", FILE_ID, SIZE);
        json_t *send = stage_find(&s, "message.send");
        assert_non_null(send);
        assert_string_equal("caption", stage_param(send, "text"));
        json_decref(send);
        stage_drop_events(&s);
        (void)cmid;
}

static void when_the_conversation_opens_the_upload_is_told_with_its_files(void **state)
{
        (void)state;
        struct cmid cmid = send_files(1, NULL);
        stage_begin(&s);
        machine_conv_close(s.machine, conv);
        stage_end(&s);
        stage_drop_events(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        struct event *event = stage_event(&s, EVENT_MESSAGE);
        assert_non_null(event);
        assert_int_equal(DESKBELL_UPLOADING, event->message.state);
        assert_true(event->message.is_again);
        assert_int_equal(1, event->message.files_count);
        event_free(event);
        (void)cmid;
}

static void the_offset_that_412_tells_is_believed(void **state)
{
        struct cmid cmid;

        (void)state;
        start(&cmid);
        put(0, 262144, 412, 500000);
        put(500000, 100000, 412, 100);     /* and back */
        assert_true(stage_has_no_job(&s)); /* after a pause */
        wait_ms(30000);
        put(100, 262144, 204, 262244);
        put(262244, 262144, 204, 524388);
        put(524388, SIZE - 524388, 204, SIZE);
        end_is_answered(FILE_ID, "image/png");
        message_was_sent();
}

static void an_offset_that_cannot_be_is_not_believed(void **state)
{
        struct cmid cmid;

        (void)state;
        start(&cmid);
        put(0, 262144, 204, SIZE + 1);
        assert_true(stage_has_no_job(&s));
        wait_ms(30000);
        put(0, 262144, 412, -1);
        wait_ms(30000);
        put(0, 262144, 204, 262144);
}

/* Each time it has a piece it says next that it has none. */
static void a_server_that_loses_pieces_over_and_over_is_given_up(void **state)
{
        struct cmid cmid;
        int begun = 0;

        (void)state;
        start(&cmid);
        struct deskbell_status status = DESKBELL_STATUS_INIT;
        for (int i = 0; i < 100 && !status.failed; i++) {
                json_t *begin = stage_find(&s, "upload.begin");
                if (begin) {
                        begun++;
                        begin_is_answered(begin, FILE_ID, 0);
                } else if (!stage_has_no_job(&s) && s.jobs->kind == JOB_HASH) {
                        hash_is_done();
                } else if (!stage_has_no_job(&s)) {
                        struct job *job = stage_job(&s, JOB_PUT);
                        job->status = job->offset ? 412 : 204;
                        job->told_offset = job->offset ? 0 : 262144;
                        stage_job_done(&s, job);
                } else {
                        wait_ms(20000);
                }
                machine_status(s.machine, &status);
        }
        assert_int_equal(1, begun); /* once more, under a new key */
        expect_failed(&cmid, "incomplete");
}

static void a_busy_server_is_left_alone_as_long_as_it_asks(void **state)
{
        static const int statuses[] = {429, 503, 507};
        struct cmid cmid;

        (void)state;
        start(&cmid);
        for (size_t i = 0; i < 3; i++) {
                struct job *job = stage_job(&s, JOB_PUT);
                job->status = statuses[i];
                job->retry_after_ms = 60000;
                stage_job_done(&s, job);
                wait_ms(59999);
                assert_true(stage_has_no_job(&s));
                wait_ms(1);
        }
        struct cmid text = stage_send(&s, conv, "not held up");
        json_t *send = stage_find(&s, "message.send");
        assert_non_null(send);
        json_decref(send);
        stage_expect_message(&s, &text, DESKBELL_QUEUED);
        put(0, 262144, 204, 262144);
}

static void a_lost_network_is_tried_again_with_growing_pauses(void **state)
{
        struct cmid cmid;

        (void)state;
        start(&cmid);
        s.is_rising = false;
        s.dice = 499; /* the whole of the smallest range */
        for (int i = 0; i < 4; i++) {
                struct job *job = stage_job(&s, JOB_PUT);
                job->outcome = JOB_NO_ANSWER;
                stage_job_done(&s, job);
                assert_true(stage_has_no_job(&s));
                stage_pass(&s, 500);
        }
        put(0, 262144, 204, 262144);
        put(262144, 262144, 204, 524288); /* at once again */
}

static void news_of_a_network_ends_a_pause_of_our_own_and_not_one_the_server_asked_for(void **state)
{
        struct cmid cmid;

        (void)state;
        start(&cmid);
        struct job *job = stage_job(&s, JOB_PUT);
        job->outcome = JOB_NO_ANSWER;
        stage_job_done(&s, job);
        assert_true(stage_has_no_job(&s));
        stage_begin(&s);
        machine_network_changed(s.machine);
        stage_end(&s);
        json_decref(stage_take(&s, "feed.read"));
        job = stage_job(&s, JOB_PUT);
        job->status = 503;
        job->retry_after_ms = 10000;
        stage_job_done(&s, job);
        stage_begin(&s);
        machine_network_changed(s.machine);
        stage_end(&s);
        assert_true(stage_has_no_job(&s));
}

static void a_second_connection_of_ours_that_still_lives_is_waited_for(void **state)
{
        struct cmid cmid;

        (void)state;
        start(&cmid);
        put(0, 262144, 409, -1);
        assert_true(stage_has_no_job(&s));
        wait_ms(30000);
        put(0, 262144, 204, 262144);
}

static void an_upload_the_server_has_lost_is_begun_once_more_under_a_new_key(void **state)
{
        struct cmid cmid;

        (void)state;
        start(&cmid);
        put(0, 262144, 204, 262144);
        put(262144, 262144, 404, -1);
        wait_ms(30000);
        hash_is_done();
        begin_is_answered(begin_is_asked(), FILE_ID_2, 0);
        stage_drop_events(&s);
        put(0, 262144, 404, -1);
        expect_failed(&cmid, "not_found");
        assert_true(stage_has_no_job(&s));
}

static void a_file_that_is_too_large_fails_and_can_be_forgotten(void **state)
{
        (void)state;
        struct cmid cmid = send_files(1, NULL);
        stage_drop_events(&s);
        hash_is_done();
        stage_refuse(&s, begin_is_asked(), "attachment_too_large", true, -1);
        expect_failed(&cmid, "attachment_too_large");
        stage_begin(&s);
        assert_int_equal(0, machine_forget(s.machine, &cmid));
        stage_end(&s);
        assert_int_equal(0, queued());
        start(&cmid);
        put(0, 262144, 413, -1);
        expect_failed(&cmid, "attachment_too_large");
}

static void a_refusal_to_retry_waits_as_long_as_it_says(void **state)
{
        (void)state;
        send_files(1, NULL);
        hash_is_done();
        stage_refuse(&s, begin_is_asked(), "rate_limited", false, 20000);
        wait_ms(19999);
        assert_true(stage_is_silent(&s));
        wait_ms(1);
        begin_is_answered(begin_is_asked(), FILE_ID, 0);
        put(0, 262144, 204, 262144);
}

static void hash_all(int count)
{
        for (int i = 0; i < count; i++)
                hash_is_done();
}

static void expect_no_upload(void)
{
        json_t *begin = stage_find(&s, "upload.begin");

        assert_null(begin);
        assert_true(stage_has_no_job(&s));
}

static void a_server_that_wants_no_uploads_now_is_asked_by_none_until_the_time_is_over(void **state)
{
        (void)state;
        for (int i = 0; i < 5; i++)
                send_files(1, NULL);
        hash_all(1);
        stage_refuse(&s, begin_is_asked(), "rate_limited", false, 20000);
        expect_no_upload(); /* not of the next message either */
        stage_begin(&s);
        machine_network_changed(s.machine);
        stage_end(&s);
        expect_no_upload();
        stage_link_closes(&s, 1006);
        stage_pass(&s, 5000);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, ""); /* and its budget may be another one */
        expect_no_upload();
        for (int is_on = 1; is_on >= 0; is_on--) {
                stage_begin(&s);
                machine_set_background(s.machine, is_on != 0);
                stage_end(&s);
                stage_pass(&s, 11000 * is_on);
        }
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        expect_no_upload();
        json_array_clear(s.frames);
        assert_true(machine_next_ms(s.machine) <= s.mono_ms + 4000); /* it wakes up for that by itself */
        stage_pass(&s, 3999);
        expect_no_upload();
        stage_pass(&s, 1);
        json_t *begin = stage_find(&s, "upload.begin");
        assert_non_null(begin);
        json_decref(begin);
}

static void what_is_refused_to_one_piece_for_all_is_asked_for_by_no_other(void **state)
{
        struct cmid cmid;

        (void)state;
        start(&cmid);
        send_files(1, NULL);
        stage_drop_events(&s);
        struct job *job = stage_job(&s, JOB_PUT);
        job->status = 429;
        job->retry_after_ms = 20000;
        stage_job_done(&s, job);
        expect_no_upload();
        wait_ms(19999);
        expect_no_upload();
        wait_ms(1);
        put(0, 262144, 204, 262144);
}

static void a_message_whose_content_the_disk_has_changed_fails_once_and_others_go_on(void **state)
{
        char folder[64], path[96];

        (void)state;
        if (stage_key())
                skip(); /* there such a row is found when the file is opened, and the file is set aside */
        stage_done(&s);
        snprintf(path, sizeof(path), "%s/file", stage_folder(folder));
        stage_init(&s, path);
        stage_open(&s);
        conv = stage_main(&s, 0);
        struct cmid cmid = send_files(1, "first"), next = send_files(1, "next");
        assert_int_equal(0, cache_exec(stage_cache(&s), "UPDATE outbox SET content = substr(content, 2) WHERE pos = "
                                                        "(SELECT min(pos) FROM outbox)"));
        stage_kill(&s);
        stage_open(&s);
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 1, "");
        json_array_clear(s.frames);
        hash_is_done();
        begin_is_answered(stage_find(&s, "upload.begin"), FILE_ID, SIZE);
        stage_drop_events(&s);
        end_is_answered(FILE_ID, "image/png");
        expect_failed(&cmid, "damaged");
        assert_true(stage_is_silent(&s)); /* nothing of it was sent */
        assert_int_equal(1, queued());
        whole_file_goes_up(FILE_ID_2, "image/png");
        stage_expect_message(&s, &next, DESKBELL_QUEUED);
        message_was_sent();
}

static void a_wrong_hash_is_tried_once_more_from_zero(void **state)
{
        struct cmid cmid;

        (void)state;
        start(&cmid);
        pieces_go_up();
        stage_drop_events(&s);
        stage_refuse(&s, stage_take(&s, "upload.end"), "wrong_hash", true, -1);
        wait_ms(30000);
        hash_is_done();
        begin_is_answered(begin_is_asked(), FILE_ID_2, 0);
        pieces_go_up();
        stage_drop_events(&s);
        stage_refuse(&s, stage_take(&s, "upload.end"), "wrong_hash", true, -1);
        expect_failed(&cmid, "wrong_hash");
}

static void a_server_that_misses_bytes_is_asked_where_it_stands(void **state)
{
        struct cmid cmid;

        (void)state;
        start(&cmid);
        pieces_go_up();
        stage_refuse(&s, stage_take(&s, "upload.end"), "incomplete", true, -1);
        wait_ms(30000);
        begin_is_answered(begin_is_asked(), FILE_ID, 524288);
        put(524288, SIZE - 524288, 204, SIZE);
        end_is_answered(FILE_ID, "image/png");
        message_was_sent();
}

static void a_key_that_the_server_knows_for_something_else_is_replaced(void **state)
{
        char first[33];

        (void)state;
        send_files(1, NULL);
        hash_is_done();
        json_t *begin = begin_is_asked();
        snprintf(first, sizeof(first), "%s", stage_param(begin, "cmid"));
        stage_refuse(&s, begin, "idempotency_conflict", true, -1);
        wait_ms(30000);
        hash_is_done();
        begin = begin_is_asked();
        assert_string_not_equal(first, stage_param(begin, "cmid"));
        json_decref(begin);
}

static void a_local_file_that_is_gone_or_changed_fails_the_message_alone(void **state)
{
        static const struct {
                enum job_outcome outcome;
                const char *tag;
        } cases[] = {{JOB_MISSING, "file_missing"}, {JOB_CHANGED, "file_changed"}, {JOB_DISK, "file_missing"}};
        struct cmid cmid;

        (void)state;
        for (size_t i = 0; i < 3; i++) {
                start(&cmid);
                struct job *job = stage_job(&s, JOB_PUT);
                job->outcome = cases[i].outcome;
                stage_job_done(&s, job);
                expect_failed(&cmid, cases[i].tag);
        }
        cmid = send_files(1, NULL);
        stage_drop_events(&s);
        struct job *job = stage_job(&s, JOB_HASH);
        assert_int_equal(SIZE, job->size);
        assert_int_equal(7, job->mtime_ns);
        job->outcome = JOB_CHANGED;
        stage_job_done(&s, job);
        expect_failed(&cmid, "file_changed");
        assert_true(stage_is_silent(&s));
        assert_int_equal(0, queued());
}

static void a_failed_one_can_be_retried_with_the_file_as_it_is_now(void **state)
{
        struct cmid cmid, again;

        (void)state;
        start(&cmid);
        struct job *job = stage_job(&s, JOB_PUT);
        job->outcome = JOB_CHANGED;
        stage_job_done(&s, job);
        expect_failed(&cmid, "file_changed");
        stage_begin(&s);
        assert_int_equal(0, stage_hand_retry(&s, &cmid, &again));
        stage_end(&s);
        stage_expect_message(&s, &again, DESKBELL_UPLOADING);
        job = stage_job(&s, JOB_HASH);
        assert_int_equal(-1, job->size);
        job->size = SIZE;
        job->mtime_ns = 8;
        memcpy(job->sha256, sha, sizeof(sha));
        stage_job_done(&s, job);
        begin_is_answered(begin_is_asked(), FILE_ID_2, 0);
        job = stage_job(&s, JOB_PUT);
        assert_int_equal(8, job->mtime_ns);
        job_free(job);
}

static void a_lost_connection_stops_nothing_that_has_its_answer_still_to_come(void **state)
{
        struct cmid cmid;

        (void)state;
        start(&cmid);
        struct job *job = stage_job(&s, JOB_PUT);
        stage_link_closes(&s, 1006);
        job->status = 204;
        job->told_offset = 262144;
        stage_job_done(&s, job);
        assert_true(stage_has_no_job(&s)); /* without a session there is no token */
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        put(262144, 262144, 204, 524288);
}

static void a_message_whose_files_the_server_lost_goes_up_once_more(void **state)
{
        struct cmid cmid;

        (void)state;
        start(&cmid);
        pieces_go_up();
        end_is_answered(FILE_ID, "image/png");
        stage_expect_message(&s, &cmid, DESKBELL_QUEUED);
        stage_drop_events(&s);
        stage_refuse(&s, stage_take(&s, "message.send"), "file_unknown", true, -1);
        stage_expect_message(&s, &cmid, DESKBELL_UPLOADING);
        whole_file_goes_up(FILE_ID_2, "image/png");
        stage_expect_message(&s, &cmid, DESKBELL_QUEUED);
        stage_drop_events(&s);
        stage_refuse(&s, stage_take(&s, "message.send"), "file_unknown", true, -1);
        expect_failed(&cmid, "file_unknown");
        assert_true(stage_has_no_job(&s));
}

/* ---- a server that was restored ---------------------------------------------------------------------------------- */

/* The message was sent; then the server comes back without it and without its files. */
static void lose_it_after_it_was_sent(const struct cmid *cmid)
{
        whole_file_goes_up(FILE_ID, "image/png");
        stage_acked(&s, stage_take(&s, "message.send"), 1);
        stage_drop_events(&s);
        stage_link_closes(&s, 1006);
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        stage_log_in(&s, NEW_EPOCH, 1, ",\"reset\":\"epoch\"");
        json_t *send = stage_find(&s, "message.send");
        char text[33] = "";
        cmid_write(text, cmid);
        assert_non_null(send);
        assert_string_equal(text, stage_param(send, "cmid"));
        stage_drop_events(&s);
        stage_refuse(&s, send, "file_unknown", true, -1);
        json_array_clear(s.frames);
}

static void a_restored_server_without_the_files_is_given_them_again_under_the_same_cmid(void **state)
{
        struct cmid cmid = send_files(1, "see");

        (void)state;
        lose_it_after_it_was_sent(&cmid);
        stage_expect_message(&s, &cmid, DESKBELL_UPLOADING);
        assert_string_equal("/files/one.png", s.jobs->path);
        assert_int_equal(7, s.jobs->mtime_ns); /* it has to be what it was */
        whole_file_goes_up(FILE_ID_2, "image/png");
        stage_expect_message(&s, &cmid, DESKBELL_QUEUED);
        json_t *send = stage_take(&s, "message.send");
        json_t *file = json_array_get(json_object_get(json_object_get(send, "params"), "files"), 0);
        assert_string_equal(FILE_ID_2, json_string_value(json_object_get(file, "file")));
        stage_acked(&s, send, 1);
        stage_expect_message(&s, &cmid, DESKBELL_SENT);
        assert_int_equal(0, queued());
}

static void a_file_that_is_gone_by_then_fails_and_says_so_once(void **state)
{
        struct cmid cmid = send_files(1, "see");

        (void)state;
        lose_it_after_it_was_sent(&cmid);
        stage_expect_message(&s, &cmid, DESKBELL_UPLOADING);
        struct job *job = stage_job(&s, JOB_HASH);
        job->outcome = JOB_MISSING;
        stage_job_done(&s, job);
        expect_failed(&cmid, "file_missing");
        assert_null(stage_event(&s, EVENT_MESSAGE));
        assert_int_equal(0, queued());
}

static void bytes_whose_copy_went_when_they_were_sent_fail_and_say_so_once(void **state)
{
        struct file_source copy = {.path = "/copies/1",
                                   .name = "one.png",
                                   .media = "image/png",
                                   .is_copy = true,
                                   .size = SIZE,
                                   .mtime_ns = 7};
        struct message_options options = {.cmid = machine_cmid(s.machine, s.wall_ms)};

        (void)state;
        stage_begin(&s);
        assert_int_equal(0, stage_hand_files(&s, conv, &copy, 1, NULL, &options));
        stage_end(&s);
        lose_it_after_it_was_sent(&options.cmid);
        expect_failed(&options.cmid, "file_missing");
        assert_null(stage_event(&s, EVENT_MESSAGE));
        job_free(stage_job(&s, JOB_UNLINK));
        assert_true(stage_has_no_job(&s));
}

/* ---- the application's wishes ------------------------------------------------------------------------------------ */

static void a_paused_one_waits_also_over_a_restart_and_lets_others_go(void **state)
{
        char folder[64], path[96];

        (void)state;
        stage_done(&s);
        snprintf(path, sizeof(path), "%s/file", stage_folder(folder));
        stage_init(&s, path);
        stage_open(&s);
        conv = stage_main(&s, 0);
        struct cmid cmid = send_files(1, NULL);
        struct job *hash = stage_job(&s, JOB_HASH);
        stage_drop_events(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_upload_pause(s.machine, &cmid, true));
        stage_end(&s);
        struct event *event = stage_event(&s, EVENT_MESSAGE);
        assert_int_equal(DESKBELL_UPLOADING, event->message.state);
        assert_true(event->message.is_paused);
        event_free(event);
        struct job *abort_hash = stage_job(&s, JOB_ABORT);
        assert_int_equal(hash->id, abort_hash->id);
        job_free(abort_hash);
        stage_job_done(&s, hash); /* too late: nobody waits for it */
        assert_true(stage_is_silent(&s));
        stage_kill(&s);
        stage_open(&s);
        conv = stage_main(&s, 0);
        assert_true(stage_has_no_job(&s));
        struct cmid other = send_files(1, NULL);
        stage_expect_message(&s, &other, DESKBELL_UPLOADING);
        job_free(stage_job(&s, JOB_HASH)); /* the other one's */
        assert_int_equal(DESKBELL_E_NOT_FOUND, machine_upload_pause(s.machine, &(struct cmid){{1}}, false));
        stage_begin(&s);
        assert_int_equal(0, machine_upload_cancel(s.machine, &other));
        assert_int_equal(0, machine_upload_pause(s.machine, &cmid, false));
        stage_end(&s);
        job_free(stage_job(&s, JOB_ABORT));
        hash_is_done();
        json_decref(begin_is_asked());
        stage_drop_events(&s);
}

static void a_cancelled_one_is_told_as_failed_and_forgotten_and_the_server_is_told(void **state)
{
        struct cmid cmid;

        (void)state;
        start(&cmid);
        job_free(stage_job(&s, JOB_PUT));
        stage_begin(&s);
        assert_int_equal(0, machine_upload_cancel(s.machine, &cmid));
        stage_end(&s);
        expect_failed(&cmid, "cancelled");
        job_free(stage_job(&s, JOB_ABORT));
        json_t *cancel = stage_take(&s, "upload.cancel");
        assert_string_equal(FILE_ID, stage_param(cancel, "file"));
        stage_refuse(&s, cancel, "not_found", true, -1); /* changes nothing */
        stage_begin(&s);
        assert_int_equal(DESKBELL_E_NOT_FOUND, machine_upload_cancel(s.machine, &cmid));
        stage_end(&s);
        assert_int_equal(0, queued());
}

static void cancelling_works_until_the_message_has_left(void **state)
{
        struct cmid cmid;

        (void)state;
        start(&cmid);
        pieces_go_up();
        json_t *end = stage_take(&s, "upload.end");
        for (int i = 0; i < 16; i++)
                stage_send(&s, conv, "fills the window");
        json_array_clear(s.frames);
        stage_drop_events(&s);
        stage_answer(&s, end, "{\"file\":\"%s\",\"size\":%d,\"media\":\"image/png\"}", FILE_ID, SIZE);
        stage_expect_message(&s, &cmid, DESKBELL_QUEUED);
        json_t *send = stage_take(&s, "message.send");
        assert_string_equal("text", stage_param(send, "kind")); /* the last of the sixteen; the files wait behind it */
        json_decref(send);
        assert_true(stage_is_silent(&s));
        stage_drop_events(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_upload_cancel(s.machine, &cmid));
        stage_end(&s);
        expect_failed(&cmid, "cancelled");
        assert_true(stage_is_silent(&s)); /* no request is free: the server forgets it by itself */
        stage_begin(&s);
        assert_int_equal(DESKBELL_E_NOT_FOUND, machine_upload_cancel(s.machine, &cmid));
        stage_end(&s);
}

static void what_has_left_cannot_be_cancelled(void **state)
{
        struct cmid cmid;

        (void)state;
        start(&cmid);
        pieces_go_up();
        end_is_answered(FILE_ID, "image/png");
        json_decref(stage_take(&s, "message.send"));
        stage_begin(&s);
        assert_int_equal(DESKBELL_E_STATE, machine_upload_cancel(s.machine, &cmid));
        assert_int_equal(DESKBELL_E_STATE, machine_upload_pause(s.machine, &cmid, true));
        stage_end(&s);
        stage_link_closes(&s, 1006);
        stage_begin(&s);
        assert_int_equal(DESKBELL_E_STATE, machine_upload_cancel(s.machine, &cmid)); /* it may have arrived */
        stage_end(&s);
}

static void a_copy_of_ours_goes_when_the_message_is_sent_or_forgotten_and_not_before(void **state)
{
        struct file_source copy = {.path = "/copies/1",
                                   .name = "file",
                                   .media = "image/png",
                                   .is_copy = true,
                                   .size = SIZE,
                                   .mtime_ns = 7};
        struct message_options options = {.cmid = machine_cmid(s.machine, s.wall_ms)};

        (void)state;
        stage_begin(&s);
        assert_int_equal(0, stage_hand_files(&s, conv, &copy, 1, NULL, &options));
        stage_end(&s);
        assert_true(machine_knows_copy(s.machine, "/copies/1"));
        whole_file_goes_up(FILE_ID, "image/png");
        assert_true(stage_has_no_job(&s));
        stage_acked(&s, stage_take(&s, "message.send"), 1);
        struct job *unlink_job = stage_job(&s, JOB_UNLINK);
        assert_string_equal("/copies/1", unlink_job->path);
        job_free(unlink_job);
        assert_false(machine_knows_copy(s.machine, "/copies/1"));
        options.cmid = machine_cmid(s.machine, s.wall_ms);
        copy.path = "/copies/2";
        stage_begin(&s);
        assert_int_equal(0, stage_hand_files(&s, conv, &copy, 1, NULL, &options));
        stage_end(&s);
        struct job *job = stage_job(&s, JOB_HASH);
        job->outcome = JOB_MISSING;
        stage_job_done(&s, job);
        assert_true(stage_has_no_job(&s));
        stage_begin(&s);
        assert_int_equal(0, machine_forget(s.machine, &options.cmid));
        stage_end(&s);
        job_free(stage_job(&s, JOB_UNLINK));
}

static void after_thirty_days_offline_it_has_expired_and_may_be_retried(void **state)
{
        struct cmid cmid = send_files(1, NULL), again;

        (void)state;
        job_free(stage_job(&s, JOB_HASH));
        stage_drop_events(&s);
        stage_link_closes(&s, 1006);
        s.wall_ms += INT64_C(31) * 86400000;
        stage_pass(&s, 3700000);
        struct event *event = stage_event(&s, EVENT_MESSAGE);
        assert_non_null(event);
        assert_int_equal(DESKBELL_EXPIRED, event->message.state);
        event_free(event);
        stage_begin(&s);
        assert_int_equal(0, stage_hand_retry(&s, &cmid, &again));
        stage_end(&s);
        assert_memory_equal(&cmid, &again, sizeof(cmid));
        stage_expect_message(&s, &again, DESKBELL_UPLOADING);
}

static void the_outbox_counts_uploads_too(void **state)
{
        struct message_options options = {.cmid = machine_cmid(s.machine, s.wall_ms)};
        struct file_source file = {
                .path = "/files/one.png", .name = "one.png", .media = "image/png", .size = SIZE, .mtime_ns = 7};

        (void)state;
        stage_link_closes(&s, 1006);
        stage_begin(&s);
        for (int i = 0; i < 500; i++) {
                options.cmid = machine_cmid(s.machine, s.wall_ms);
                assert_int_equal(0, stage_hand_files(&s, conv, &file, 1, NULL, &options));
        }
        assert_int_equal(DESKBELL_E_OUTBOX_FULL, stage_hand_files(&s, conv, &file, 1, NULL, &options));
        options.cmid = machine_cmid(s.machine, s.wall_ms);
        assert_int_equal(DESKBELL_E_OUTBOX_FULL, stage_hand_send(&s, conv, "one more", &options));
        stage_end(&s);
        assert_int_equal(500, queued());
}

static void a_turn_that_cannot_be_written_changes_nothing_and_the_work_goes_on_later(void **state)
{
        struct cmid cmid;

        (void)state;
        start(&cmid);
        pieces_go_up();
        json_t *end = stage_take(&s, "upload.end");
        stage_begin(&s);
        cache_fail(stage_cache(&s)); /* the disk is full just when the message would step into the outbox */
        char text[] = "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"rev\":1,\"now\":1}}";
        machine_link_text(s.machine, text, strlen(text));
        assert_int_equal(DESKBELL_E_STORE, stage_end(&s));
        json_decref(end);
        stage_drop_events(&s);
        assert_int_equal(1, queued());
        stage_pass(&s, 60000);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        json_t *begin = stage_find(&s, "upload.begin"); /* where it stands is asked anew */
        assert_non_null(begin);
        begin_is_answered(begin, FILE_ID, SIZE);
        end = stage_find(&s, "upload.end");
        stage_answer(&s, end, "{\"file\":\"%s\",\"size\":%d,\"media\":\"image/png\"}", FILE_ID, SIZE);
        json_t *send = stage_find(&s, "message.send");
        assert_non_null(send);
        stage_acked(&s, send, 1);
        assert_int_equal(0, queued());
}

static void a_customer_sends_no_files_in_notes(void **state)
{
        struct message_options options = {.cmid = machine_cmid(s.machine, s.wall_ms), .log = 1};
        struct file_source file = {
                .path = "/files/one.png", .name = "one.png", .media = "image/png", .size = SIZE, .mtime_ns = 7};

        (void)state;
        stage_begin(&s);
        assert_int_equal(DESKBELL_E_INVALID, stage_hand_files(&s, conv, &file, 1, NULL, &options));
        stage_end(&s);
}

static void a_received_attachment_is_given_with_its_files_and_kept_in_the_cache(void **state)
{
        (void)state;
        stage_say(&s,
                  "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"conv\":\"%s\",\"seq\":1,\"ts\":5,\"author\":"
                  "\"%s\",\"kind\":\"attachment\",\"fallback_text\":\"a.png\",\"files\":[{\"file\":\"%s\",\"name\":\"a."
                  "png\","
                  "\"media\":\"image/png\",\"size\":12,\"sha256\":\"%s\",\"width\":3,\"height\":4}]}}",
                  CONV, AGENT, FILE_ID, SHA);
        struct event *event = stage_event(&s, EVENT_ENTRY);
        assert_non_null(event);
        assert_int_equal(DESKBELL_KIND_ATTACHMENT, event->entry.kind);
        assert_string_equal("a.png", event->entry.text);
        event_free(event);
        stage_begin(&s);
        machine_conv_close(s.machine, conv);
        stage_end(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        event = stage_event(&s, EVENT_ENTRY);
        assert_non_null(event);
        assert_int_equal(1, event->entry.files_count);
        assert_string_equal(FILE_ID, event->entry.files[0].id);
        assert_string_equal("a.png", event->entry.files[0].name);
        assert_string_equal("image/png", event->entry.files[0].media);
        assert_int_equal(12, event->entry.files[0].size);
        assert_int_equal(3, event->entry.files[0].width);
        assert_int_equal(4, event->entry.files[0].height);
        assert_memory_equal(sha, event->entry.files[0].sha256, sizeof(sha));
        event_free(event);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        static const struct CMUnitTest tests[] = {
                TEST(files_go_up_in_pieces_and_then_the_message_leaves_with_what_the_server_called_them),
                TEST(progress_is_told_for_each_piece_and_never_falls),
                TEST(several_files_go_one_after_the_other_under_different_keys),
                TEST(texts_written_meanwhile_go_first),
                TEST(an_upload_goes_on_where_the_server_says_after_a_restart_of_the_process),
                TEST(when_the_conversation_opens_the_upload_is_told_with_its_files),
                TEST(the_offset_that_412_tells_is_believed),
                TEST(an_offset_that_cannot_be_is_not_believed),
                TEST(a_server_that_loses_pieces_over_and_over_is_given_up),
                TEST(a_busy_server_is_left_alone_as_long_as_it_asks),
                TEST(a_lost_network_is_tried_again_with_growing_pauses),
                TEST(news_of_a_network_ends_a_pause_of_our_own_and_not_one_the_server_asked_for),
                TEST(a_second_connection_of_ours_that_still_lives_is_waited_for),
                TEST(an_upload_the_server_has_lost_is_begun_once_more_under_a_new_key),
                TEST(a_file_that_is_too_large_fails_and_can_be_forgotten),
                TEST(a_refusal_to_retry_waits_as_long_as_it_says),
                TEST(a_server_that_wants_no_uploads_now_is_asked_by_none_until_the_time_is_over),
                TEST(what_is_refused_to_one_piece_for_all_is_asked_for_by_no_other),
                TEST(a_message_whose_content_the_disk_has_changed_fails_once_and_others_go_on),
                TEST(a_wrong_hash_is_tried_once_more_from_zero),
                TEST(a_server_that_misses_bytes_is_asked_where_it_stands),
                TEST(a_key_that_the_server_knows_for_something_else_is_replaced),
                TEST(a_local_file_that_is_gone_or_changed_fails_the_message_alone),
                TEST(a_failed_one_can_be_retried_with_the_file_as_it_is_now),
                TEST(a_lost_connection_stops_nothing_that_has_its_answer_still_to_come),
                TEST(a_message_whose_files_the_server_lost_goes_up_once_more),
                TEST(a_restored_server_without_the_files_is_given_them_again_under_the_same_cmid),
                TEST(a_file_that_is_gone_by_then_fails_and_says_so_once),
                TEST(bytes_whose_copy_went_when_they_were_sent_fail_and_say_so_once),
                TEST(a_paused_one_waits_also_over_a_restart_and_lets_others_go),
                TEST(a_cancelled_one_is_told_as_failed_and_forgotten_and_the_server_is_told),
                TEST(cancelling_works_until_the_message_has_left),
                TEST(what_has_left_cannot_be_cancelled),
                TEST(a_copy_of_ours_goes_when_the_message_is_sent_or_forgotten_and_not_before),
                TEST(after_thirty_days_offline_it_has_expired_and_may_be_retried),
                TEST(the_outbox_counts_uploads_too),
                TEST(a_turn_that_cannot_be_written_changes_nothing_and_the_work_goes_on_later),
                TEST(a_customer_sends_no_files_in_notes),
                TEST(a_received_attachment_is_given_with_its_files_and_kept_in_the_cache),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
