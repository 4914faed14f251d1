/* SPDX-License-Identifier: Apache-2.0 */
/* The files threads on a real folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "files/file_store.h"

struct desk_side {
        char dir[64];
        struct file_store *files;
        struct mailbox back;
};

static const uint8_t one[FILE_ID_BYTES] = {0xab, 1};

static void give_back(struct file_job *job)
{
        struct desk_side *side = job->owner;
        mailbox_force(&side->back, &job->item, 0);
}

static int set_up_with(void **state, int64_t reserve)
{
        struct desk_side *side = calloc(1, sizeof *side);
        strcpy(side->dir, "/tmp/deskbell-files-XXXXXX");
        struct file_store_options options = {.data_dir = side->dir, .threads = 2, .reserve_bytes = reserve};
        mailbox_init(&side->back, 1000, 1000, NULL, NULL);
        *state = side;
        return mkdtemp(side->dir) && layout_make(side->dir) == 0 && file_store_start(&options, &side->files) == 0 ? 0
                                                                                                                  : -1;
}

static int set_up(void **state)
{
        return set_up_with(state, 0);
}

static int set_up_full(void **state)
{
        return set_up_with(state, INT64_MAX / 2); /* no disk has so much */
}

static int tear_down(void **state)
{
        struct desk_side *side = *state;
        char command[128];
        file_store_stop(side->files);
        file_store_free(side->files);
        mailbox_done(&side->back);
        snprintf(command, sizeof command, "rm -rf %s", side->dir);
        int rc = system(command); /* NOLINT(cert-env33-c): a folder of this test */
        free(side);
        return rc;
}

/* Posts and waits until it is back. */
static struct file_job *do_job(struct desk_side *side, struct file_job *job)
{
        job->done = give_back;
        job->owner = side;
        assert_int_equal(0, file_store_post(side->files, job));
        return (struct file_job *)mailbox_wait(&side->back, -1);
}

static int put(struct desk_side *side, enum file_job_kind kind, uint64_t claim, int64_t *offset, const char *bytes)
{
        size_t len = bytes ? strlen(bytes) : 0;
        struct file_job *job = file_job_new(kind, one, len);
        job->claim = claim;
        job->offset = *offset;
        job->len = len;
        memcpy(job->bytes, bytes ? bytes : "", len);
        job = do_job(side, job);
        int result = job->result;
        *offset = job->offset;
        file_job_free(job);
        return result;
}

static int finish(struct desk_side *side, const char *all, const char *said, struct media_facts *facts)
{
        struct file_job *job = file_job_new(FILE_FINISH, one, strlen(said));
        job->len = strlen(said);
        memcpy(job->bytes, said, job->len);
        job->size = (int64_t)strlen(all);
        SHA256((const uint8_t *)all, strlen(all), job->sha256);
        job = do_job(side, job);
        int result = job->result;
        if (facts)
                *facts = job->facts;
        file_job_free(job);
        return result;
}

static int64_t size_at(char *path)
{
        struct stat facts;
        int64_t size = stat(path, &facts) == 0 ? facts.st_size : -1;
        free(path);
        return size;
}

static void an_upload_in_two_puts_ends_in_its_place(void **state)
{
        struct desk_side *side = *state;
        struct media_facts facts;
        int64_t offset = 0;
        assert_int_equal(0, put(side, FILE_PUT_BEGIN, 1, &offset, NULL));
        assert_int_equal(0, put(side, FILE_PUT_BYTES, 1, &offset, "hello "));
        assert_int_equal(0, put(side, FILE_PUT_END, 1, &offset, NULL));
        assert_int_equal(6, offset);
        assert_int_equal(6, layout_offset(side->dir, one));
        assert_int_equal(-PROTOCOL_ERR_INCOMPLETE, finish(side, "hello world", "text/plain", NULL));
        assert_int_equal(0, put(side, FILE_PUT_BEGIN, 2, &offset, NULL));
        assert_int_equal(0, put(side, FILE_PUT_BYTES, 2, &offset, "world"));
        assert_int_equal(0, put(side, FILE_PUT_END, 2, &offset, NULL));
        assert_int_equal(0, finish(side, "hello world", "text/plain", &facts));
        assert_string_equal("text/plain", facts.media);
        assert_int_equal(11, size_at(layout_whole(side->dir, one)));
        assert_int_equal(-1, size_at(layout_part(side->dir, one)));
        assert_int_equal(0, finish(side, "hello world", "text/plain", NULL)); /* the answer was lost: once more */
        assert_int_equal(11, layout_offset(side->dir, one));
}

static void the_wrong_offset_is_told_the_right_one(void **state)
{
        struct desk_side *side = *state;
        int64_t offset = 5;
        assert_int_equal(-PROTOCOL_ERR_WRONG_OFFSET, put(side, FILE_PUT_BEGIN, 1, &offset, NULL));
        assert_int_equal(0, offset);
}

static void a_newer_put_takes_over_and_the_older_writes_nothing_more(void **state)
{
        struct desk_side *side = *state;
        int64_t offset = 0, old = 0;
        assert_int_equal(0, put(side, FILE_PUT_BEGIN, 1, &offset, NULL));
        assert_int_equal(0, put(side, FILE_PUT_BYTES, 1, &offset, "abc"));
        assert_int_equal(3, offset);
        assert_int_equal(0, put(side, FILE_PUT_BEGIN, 2, &offset, NULL));
        assert_int_equal(-PROTOCOL_ERR_CONFLICT, put(side, FILE_PUT_BYTES, 1, &old, "XYZ"));
        assert_int_equal(-PROTOCOL_ERR_CONFLICT, put(side, FILE_PUT_END, 1, &old, NULL));
        assert_int_equal(0, put(side, FILE_PUT_BYTES, 2, &offset, "def"));
        assert_int_equal(0, put(side, FILE_PUT_END, 2, &offset, NULL));
        assert_int_equal(0, finish(side, "abcdef", "", NULL));
}

static void wrong_bytes_are_thrown_away_at_the_end(void **state)
{
        struct desk_side *side = *state;
        int64_t offset = 0;
        assert_int_equal(0, put(side, FILE_PUT_BEGIN, 1, &offset, NULL));
        assert_int_equal(0, put(side, FILE_PUT_BYTES, 1, &offset, "abc"));
        assert_int_equal(-PROTOCOL_ERR_WRONG_HASH, finish(side, "abd", "", NULL));
        assert_int_equal(-1, size_at(layout_part(side->dir, one)));
        assert_int_equal(-1, size_at(layout_whole(side->dir, one)));
        assert_int_equal(0, layout_offset(side->dir, one));
}

static void a_removed_file_is_gone_and_removing_it_again_is_fine(void **state)
{
        struct desk_side *side = *state;
        int64_t offset = 0;
        assert_int_equal(0, put(side, FILE_PUT_BEGIN, 1, &offset, NULL));
        assert_int_equal(0, put(side, FILE_PUT_BYTES, 1, &offset, "abc"));
        assert_int_equal(0, finish(side, "abc", "", NULL));
        for (int i = 0; i < 2; i++) {
                struct file_job *job = do_job(side, file_job_new(FILE_REMOVE, one, 0));
                assert_int_equal(0, job->result);
                file_job_free(job);
                assert_int_equal(-1, size_at(layout_whole(side->dir, one)));
        }
}

static void pieces_are_read_from_the_file_that_was_opened_first(void **state)
{
        struct desk_side *side = *state;
        int64_t offset = 0;
        assert_int_equal(0, put(side, FILE_PUT_BEGIN, 1, &offset, NULL));
        assert_int_equal(0, put(side, FILE_PUT_BYTES, 1, &offset, "0123456789"));
        assert_int_equal(0, finish(side, "0123456789", "", NULL));
        struct file_job *job = file_job_new(FILE_READ, one, 4);
        job->size = 10;
        for (job->offset = 0; job->offset < 8; job->offset += 4) {
                job->len = 4;
                job = do_job(side, job);
                assert_int_equal(0, job->result);
                assert_memory_equal(&"0123456789"[job->offset], job -> bytes, 4);
        }
        job->kind = FILE_CLOSE;
        job = do_job(side, job);
        assert_int_equal(-1, job->fd);
        job->kind = FILE_READ;
        job->size = 11; /* not what its row says: not a byte of it */
        job->offset = 0;
        job = do_job(side, job);
        assert_int_equal(-PROTOCOL_ERR_INTERNAL, job->result);
        file_job_free(job);
}

static void what_messages_need_of_the_disk_is_never_taken(void **state)
{
        struct desk_side *side = *state;
        int64_t offset = 0;
        assert_int_equal(-PROTOCOL_ERR_STORAGE_FULL, put(side, FILE_PUT_BEGIN, 1, &offset, NULL));
        assert_int_equal(-1, size_at(layout_part(side->dir, one)));
}

static int keep_one(void *data, const uint8_t id[FILE_ID_BYTES])
{
        (void)data;
        return memcmp(id, one, sizeof one) == 0;
}

static void parts_that_nobody_knows_are_swept_at_a_start(void **state)
{
        struct desk_side *side = *state;
        int64_t offset = 0;
        char path[128];
        assert_int_equal(0, put(side, FILE_PUT_BEGIN, 1, &offset, NULL));
        assert_int_equal(0, put(side, FILE_PUT_BYTES, 1, &offset, "abc"));
        assert_int_equal(0, put(side, FILE_PUT_END, 1, &offset, NULL));
        for (int i = 0; i < 3; i++) {
                snprintf(path, sizeof path, "%s/files/part/%s%d", side->dir,
                         i ? "0123456789abcdef0123456789abcde" : "x", i);
                fclose(fopen(path, "w"));
        }
        assert_int_equal(3, layout_sweep_parts(side->dir, keep_one, NULL));
        assert_int_equal(3, layout_offset(side->dir, one));
        assert_int_equal(0, layout_sweep_parts(side->dir, keep_one, NULL));
}

static void nothing_is_taken_once_it_was_stopped(void **state)
{
        struct desk_side *side = *state;
        file_store_stop(side->files);
        struct file_job *job = file_job_new(FILE_REMOVE, one, 0);
        assert_int_equal(-PROTOCOL_ERR_OVERLOADED, file_store_post(side->files, job));
        file_job_free(job);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(an_upload_in_two_puts_ends_in_its_place, set_up, tear_down),
                cmocka_unit_test_setup_teardown(the_wrong_offset_is_told_the_right_one, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_newer_put_takes_over_and_the_older_writes_nothing_more, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(wrong_bytes_are_thrown_away_at_the_end, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_removed_file_is_gone_and_removing_it_again_is_fine, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(pieces_are_read_from_the_file_that_was_opened_first, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_messages_need_of_the_disk_is_never_taken, set_up_full, tear_down),
                cmocka_unit_test_setup_teardown(parts_that_nobody_knows_are_swept_at_a_start, set_up, tear_down),
                cmocka_unit_test_setup_teardown(nothing_is_taken_once_it_was_stopped, set_up, tear_down),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
