/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching on the machine: pieces, pauses, wrong bytes, ends; and the file side of it on a real folder. */
#include "stage.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client-sdk/src/transfer.h"

#define FILE_ID "f0000000000000000000000000000001"
#define SIZE    600000

static struct stage s;

static int set_up(void **state)
{
        (void)state;
        stage_init(&s, NULL);
        stage_open(&s);
        stage_main(&s, 0);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        stage_done(&s);
        return 0;
}

static void on_progress(deskbell_client *client, int64_t fetch, int64_t received, int64_t total, void *data)
{
        (void)client;
        (void)fetch;
        (void)received;
        (void)total;
        (void)data;
}

static void on_done(deskbell_client *client, int64_t fetch, int error, const char *path, void *data)
{
        (void)client;
        (void)fetch;
        (void)error;
        (void)path;
        (void)data;
}

static int64_t fetch_to(const char *path)
{
        struct deskbell_file file = {.id = FILE_ID, .size = SIZE, .sha256 = {9}};
        int64_t fetch = 0;

        stage_begin(&s);
        assert_int_equal(0, machine_fetch(s.machine, &file, path, on_progress, on_done, NULL, &fetch));
        stage_end(&s);
        return fetch;
}

static void got(int64_t from, int status, int64_t offset)
{
        struct job *job = stage_job(&s, JOB_GET);

        assert_int_equal(from, job->offset);
        assert_string_equal("/there/x.png.f0000000.part", job->path);
        assert_string_equal(FILE_ID, job->file);
        assert_string_equal(HTTP_TOKEN, job->token);
        job->status = status;
        job->offset = offset;
        stage_job_done(&s, job);
}

static void sealed(enum job_outcome outcome)
{
        struct job *job = stage_job(&s, JOB_SEAL);

        assert_string_equal("/there/x.png", job->target);
        assert_int_equal(9, job->sha256[0]);
        job->outcome = outcome;
        stage_job_done(&s, job);
}

static void expect_end(int64_t fetch, int error)
{
        struct event *event = stage_event(&s, EVENT_FETCHED);

        assert_non_null(event);
        assert_int_equal(fetch, event->fetch.fetch);
        assert_int_equal(error, event->fetch.error);
        assert_string_equal("/there/x.png", event->fetch.path);
        event_free(event);
        assert_null(stage_event(&s, EVENT_FETCHED));
        assert_true(stage_has_no_job(&s));
}

static void a_file_comes_in_pieces_and_is_sealed(void **state)
{
        (void)state;
        int64_t fetch = fetch_to("/there/x.png");
        got(-1, 206, 262144);
        struct event *event = stage_event(&s, EVENT_FETCHING);
        assert_int_equal(262144, event->fetch.received);
        assert_int_equal(SIZE, event->fetch.total);
        event_free(event);
        got(262144, 206, 524288);
        got(524288, 206, SIZE);
        sealed(JOB_OK);
        expect_end(fetch, 0);
}

static void a_part_of_before_is_gone_on_with(void **state)
{
        (void)state;
        int64_t fetch = fetch_to("/there/x.png");
        got(-1, 206, SIZE); /* all of it was there */
        sealed(JOB_OK);
        expect_end(fetch, 0);
}

static void wrong_bytes_are_fetched_once_more_and_then_given_up(void **state)
{
        (void)state;
        int64_t fetch = fetch_to("/there/x.png");
        got(-1, 206, SIZE);
        sealed(JOB_CHANGED);
        assert_true(stage_has_no_job(&s));
        stage_pass(&s, 30000);
        got(-1, 206, SIZE);
        sealed(JOB_CHANGED);
        expect_end(fetch, DESKBELL_E_DAMAGED);
}

static void ends_that_no_patience_helps(void **state)
{
        static const struct {
                int status, error;
        } cases[] = {{404, DESKBELL_E_NOT_FOUND},
                     {410, DESKBELL_E_NOT_FOUND},
                     {403, DESKBELL_E_REFUSED},
                     {416, DESKBELL_E_DAMAGED},
                     {400, DESKBELL_E_REFUSED}};

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                int64_t fetch = fetch_to("/there/x.png");
                got(-1, cases[i].status, -1);
                expect_end(fetch, cases[i].error);
        }
        int64_t fetch = fetch_to("/there/x.png");
        struct job *job = stage_job(&s, JOB_GET);
        job->outcome = JOB_DISK;
        stage_job_done(&s, job);
        expect_end(fetch, DESKBELL_E_STORE);
}

static void what_may_get_better_is_waited_for(void **state)
{
        static const int statuses[] = {401, 409, 429, 500, 503, 206};

        (void)state;
        int64_t fetch = fetch_to("/there/x.png");
        for (size_t i = 0; i < 6; i++) {
                got(-1, statuses[i], -1);
                assert_true(stage_has_no_job(&s));
                stage_pass(&s, 20001);
                stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"rev\":1,\"now\":1}}");
        }
        struct job *job = stage_job(&s, JOB_GET);
        job->outcome = JOB_NO_ANSWER;
        stage_job_done(&s, job);
        stage_link_closes(&s, 1006);
        stage_pass(&s, 60000);
        assert_true(stage_has_no_job(&s)); /* no session */
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        got(-1, 206, SIZE);
        sealed(JOB_OK);
        expect_end(fetch, 0);
}

static void a_server_that_wants_no_fetches_now_is_asked_by_none_of_them(void **state)
{
        (void)state;
        fetch_to("/there/x.png");
        fetch_to("/there/y.png");
        fetch_to("/there/z.png");
        struct job *first = stage_job(&s, JOB_GET), *second = stage_job(&s, JOB_GET);
        first->status = second->status = 429;
        first->retry_after_ms = 10000;
        stage_job_done(&s, first);
        stage_job_done(&s, second);
        assert_true(stage_has_no_job(&s)); /* the third one neither */
        stage_begin(&s);
        machine_network_changed(s.machine);
        stage_end(&s);
        stage_link_closes(&s, 1006);
        stage_pass(&s, 5000);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        assert_true(stage_has_no_job(&s));
        stage_pass(&s, 4999);
        assert_true(stage_has_no_job(&s));
        stage_pass(&s, 1);
        job_free(stage_job(&s, JOB_GET));
        job_free(stage_job(&s, JOB_GET));
}

static void one_path_is_fetched_to_once_at_a_time_and_a_cancelled_one_is_told(void **state)
{
        struct deskbell_file file = {.id = FILE_ID, .size = SIZE};
        int64_t other = 0, fetch = fetch_to("/there/x.png");

        (void)state;
        struct job *job = stage_job(&s, JOB_GET);
        stage_begin(&s);
        assert_int_equal(DESKBELL_E_EXISTS,
                         machine_fetch(s.machine, &file, "/there/x.png", NULL, on_done, NULL, &other));
        assert_int_equal(0, machine_fetch_cancel(s.machine, fetch));
        assert_int_equal(DESKBELL_E_NOT_FOUND, machine_fetch_cancel(s.machine, fetch));
        stage_end(&s);
        struct job *abort_job = stage_job(&s, JOB_ABORT);
        assert_int_equal(job->id, abort_job->id);
        job_free(abort_job);
        stage_job_done(&s, job);
        expect_end(fetch, DESKBELL_E_CANCELLED);
}

static void the_end_of_the_client_answers_all(void **state)
{
        int64_t fetch = fetch_to("/there/x.png");

        (void)state;
        job_free(stage_job(&s, JOB_GET));
        stage_begin(&s);
        machine_cancel_fetches(s.machine);
        stage_end(&s);
        job_free(stage_job(&s, JOB_ABORT));
        expect_end(fetch, DESKBELL_E_CANCELLED);
}

/* ---- local files ------------------------------------------------------------------------------------------------- */

static char folder[64], path[128], target[128];

static void write_file(const char *name, const char *bytes)
{
        int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(strlen(bytes), write(fd, bytes, strlen(bytes)));
        close(fd);
}

static int make_folder(void **state)
{
        (void)state;
        stage_folder(folder);
        snprintf(path, sizeof(path), "%s/part", folder);
        snprintf(target, sizeof(target), "%s/whole", folder);
        return 0;
}

static atomic_bool go_on;

static struct job *hash_of(const char *name)
{
        struct job *job = job_new(JOB_HASH, name);

        job->size = -1;
        transfer_hash(job, &go_on);
        return job;
}

static void a_hash_is_of_the_bytes_and_says_what_the_file_was(void **state)
{
        static const uint8_t abc[4] = {0xba, 0x78, 0x16, 0xbf};
        struct stat info;

        (void)state;
        write_file(path, "abc");
        struct job *job = hash_of(path);
        assert_int_equal(JOB_OK, job->outcome);
        assert_int_equal(3, job->size);
        assert_memory_equal(abc, job->sha256, 4);
        assert_int_equal(0, stat(path, &info));
        assert_int_equal(info.st_mtim.tv_nsec, job->mtime_ns % 1000000000);
        job->mtime_ns--;
        transfer_hash(job, &go_on);
        assert_int_equal(JOB_CHANGED, job->outcome);
        job_free(job);
        job = hash_of(folder);
        assert_int_equal(JOB_MISSING, job->outcome);
        job_free(job);
        job = hash_of("/nowhere/at/all");
        assert_int_equal(JOB_MISSING, job->outcome);
        job_free(job);
        write_file(path, "");
        job = hash_of(path);
        assert_int_equal(JOB_CHANGED, job->outcome);
        job_free(job);
}

static void a_piece_is_read_from_its_place_unless_the_file_has_changed(void **state)
{
        static char piece[JOB_PIECE_BYTES];

        (void)state;
        write_file(path, "0123456789");
        struct job *job = hash_of(path);
        job->offset = 4;
        job->len = 3;
        assert_int_equal(0, transfer_read(job, piece));
        assert_memory_equal("456", piece, 3);
        write_file(path, "0123456789+");
        assert_int_equal(-1, transfer_read(job, piece));
        assert_int_equal(JOB_CHANGED, job->outcome);
        unlink(path);
        assert_int_equal(-1, transfer_read(job, piece));
        assert_int_equal(JOB_MISSING, job->outcome);
        job_free(job);
}

static void a_part_grows_and_takes_its_name_only_when_it_is_right(void **state)
{
        struct job *job = job_new(JOB_GET, path), *want;
        struct stat info;

        (void)state;
        unlink(path);
        job->size = 6;
        assert_int_equal(0, transfer_look(job));
        assert_int_equal(0, job->offset);
        transfer_append(job, "abc", 3);
        assert_int_equal(0, transfer_look(job));
        assert_int_equal(3, job->offset);
        transfer_append(job, "def", 3);
        assert_int_equal(6, job->offset);
        assert_int_equal(JOB_OK, job->outcome);
        want = hash_of(path);
        job->target = strdup(target);
        memcpy(job->sha256, want->sha256, 32);
        job->sha256[5] ^= 1;
        transfer_seal(job, &go_on);
        assert_int_equal(JOB_CHANGED, job->outcome);
        assert_int_equal(-1, stat(path, &info)); /* what is wrong is not gone on with */
        assert_int_equal(-1, stat(target, &info));
        write_file(path, "abcdef");
        job->sha256[5] ^= 1;
        transfer_seal(job, &go_on);
        assert_int_equal(JOB_OK, job->outcome);
        assert_int_equal(0, stat(target, &info));
        assert_int_equal(6, info.st_size);
        assert_int_equal(-1, stat(path, &info));
        job_free(want);
        job_free(job);
}

static void a_part_that_is_not_one_is_not_followed_and_a_longer_one_begins_anew(void **state)
{
        struct job *job = job_new(JOB_GET, path);

        (void)state;
        unlink(path);
        write_file(path, "far too long");
        job->size = 4;
        assert_int_equal(0, transfer_look(job));
        assert_int_equal(0, job->offset);
        unlink(path);
        assert_int_equal(0, symlink("/etc/hostname", path));
        assert_int_equal(-1, transfer_look(job));
        assert_int_equal(JOB_DISK, job->outcome);
        unlink(path);
        job_free(job);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        static const struct CMUnitTest tests[] = {
                TEST(a_file_comes_in_pieces_and_is_sealed),
                TEST(a_part_of_before_is_gone_on_with),
                TEST(wrong_bytes_are_fetched_once_more_and_then_given_up),
                TEST(ends_that_no_patience_helps),
                TEST(what_may_get_better_is_waited_for),
                TEST(a_server_that_wants_no_fetches_now_is_asked_by_none_of_them),
                TEST(one_path_is_fetched_to_once_at_a_time_and_a_cancelled_one_is_told),
                TEST(the_end_of_the_client_answers_all),
                cmocka_unit_test_setup(a_hash_is_of_the_bytes_and_says_what_the_file_was, make_folder),
                cmocka_unit_test_setup(a_piece_is_read_from_its_place_unless_the_file_has_changed, make_folder),
                cmocka_unit_test_setup(a_part_grows_and_takes_its_name_only_when_it_is_right, make_folder),
                cmocka_unit_test_setup(a_part_that_is_not_one_is_not_followed_and_a_longer_one_begins_anew,
                                       make_folder),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
