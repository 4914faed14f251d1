/* SPDX-License-Identifier: Apache-2.0 */
/* What a store does when the disk fails (delivery A2, faults F1, F2, F5, F6): first with calls of the C library that
 * fail under the real driver, then with the driver that fails on purpose at every place in turn. */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "store/db_fault.h"

/* --- the C library, failing --- */

static int write_errno, flush_errno; /* 0: works */
static int flushes;                  /* none of them reaches the disk: no power is cut here, and the sweeps are long */

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
        if (write_errno) {
                errno = write_errno;
                return -1;
        }
        return syscall(SYS_pwrite64, fd, bytes, len, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
        return pwrite(fd, bytes, len, at);
}

int fdatasync(int fd)
{
        flushes++;
        if (flush_errno) {
                errno = flush_errno;
                return -1;
        }
        (void)fd;
        return 0;
}

struct world {
        struct place place;
        struct db *db;
};

static void reopen(struct world *world, const struct db_driver *driver)
{
        world->db = db_close(world->db);
        world->db = store_open(driver, world->place.path, DB_WRITER);
}

static void a_full_disk_at_commit_loses_the_batch_and_nothing_else(void **state)
{
        struct world *world = *state;
        assert_int_equal(DB_OK, db_begin(world->db));
        assert_int_equal(DB_OK, store_append(world->db, 1, 1, "one"));
        write_errno = ENOSPC;
        assert_int_equal(DB_FULL, db_commit(world->db));
        assert_int_equal(0, ask(world->db, "SELECT count(*) FROM entry"));
        assert_int_equal(DB_OK, db_begin(world->db));
        assert_int_equal(DB_OK, store_append(world->db, 1, 1, "one"));
        assert_int_equal(DB_FULL, db_commit(world->db));
        write_errno = 0;
        assert_int_equal(DB_OK, db_begin(world->db));
        assert_int_equal(DB_OK, store_append(world->db, 1, 1, "one"));
        assert_int_equal(DB_OK, db_commit(world->db));
        reopen(world, &db_sqlite);
        assert_int_equal(1, ask(world->db, "SELECT count(*) FROM entry"));
        assert_int_equal(0, count_findings(world->db));
}

static void a_failed_write_at_commit_has_an_unknown_outcome(void **state)
{
        struct world *world = *state;
        assert_int_equal(DB_OK, db_begin(world->db));
        assert_int_equal(DB_OK, store_append(world->db, 1, 1, "one"));
        write_errno = EIO;
        assert_int_equal(DB_UNKNOWN, db_commit(world->db));
        write_errno = 0;
        assert_int_equal(DB_UNKNOWN, db_begin(world->db));
        reopen(world, &db_sqlite);
        assert_int_equal(0, count_findings(world->db));
}

static void after_a_failed_flush_nothing_is_answered_and_nothing_flushed(void **state)
{
        struct world *world = *state;
        assert_int_equal(DB_OK, db_begin(world->db));
        assert_int_equal(DB_OK, store_append(world->db, 1, 1, "one"));
        flush_errno = EIO;
        assert_int_equal(DB_UNKNOWN, db_commit(world->db));
        flush_errno = 0;
        flushes = 0;
        db_rollback(world->db);
        assert_int_equal(DB_UNKNOWN, db_begin(world->db));
        assert_int_equal(DB_UNKNOWN, db_commit(world->db));
        assert_int_equal(DB_UNKNOWN, db_exec(world->db, "DELETE FROM entry"));
        assert_int_equal(DB_UNKNOWN, db_run(db_stmt(world->db, SQL_CHECK_HEAD)));
        assert_int_equal(DB_UNKNOWN, db_checkpoint(world->db, true));
        assert_int_equal(DB_UNKNOWN, db_checkpoint_empty(world->db));
        world->db = db_close(world->db);
        assert_int_equal(0, flushes);
        world->db = store_open(&db_sqlite, world->place.path, DB_WRITER);
        assert_true(ask(world->db, "SELECT count(*) FROM entry") <= 1);
        assert_int_equal(0, count_findings(world->db));
}

static void a_checkpoint_that_cannot_flush_is_the_end_too(void **state)
{
        struct world *world = *state;
        assert_int_equal(DB_OK, store_append(world->db, 1, 1, "one"));
        flush_errno = EIO;
        assert_int_equal(DB_UNKNOWN, db_checkpoint_empty(world->db));
        flush_errno = 0;
        assert_int_equal(DB_UNKNOWN, db_begin(world->db));
        reopen(world, &db_sqlite);
        assert_int_equal(1, ask(world->db, "SELECT count(*) FROM entry"));
}

static void a_checkpoint_on_a_full_disk_can_be_tried_again(void **state)
{
        struct world *world = *state;
        assert_int_equal(DB_OK, store_append(world->db, 1, 1, "one"));
        write_errno = ENOSPC;
        assert_int_equal(DB_FULL, db_checkpoint_empty(world->db));
        write_errno = 0;
        assert_int_equal(DB_OK, db_checkpoint_empty(world->db));
        assert_int_equal(1, ask(world->db, "SELECT count(*) FROM entry"));
}

/* A transaction larger than the cache writes before COMMIT; when that fails the engine drops all of it. */
static void nothing_of_a_dropped_transaction_can_be_committed(void **state)
{
        struct world *world = *state;
        assert_int_equal(DB_OK, db_exec(world->db, "PRAGMA cache_size = 20"));
        assert_int_equal(DB_OK, db_begin(world->db));
        assert_int_equal(DB_OK, store_append(world->db, 1, 1, "one"));
        static char text[3000];
        memset(text, 'a', sizeof text - 1);
        write_errno = ENOSPC;
        int rc = DB_OK;
        for (int i = 2; i < 500 && rc == DB_OK; i++)
                rc = store_append(world->db, 1, i, text);
        assert_int_equal(DB_FULL, rc);
        write_errno = 0;
        assert_int_equal(DB_FULL, store_append(world->db, 2, 1, "a straggler"));
        assert_int_equal(DB_FULL, db_savepoint(world->db));
        assert_int_equal(DB_FULL, db_exec(world->db, "DELETE FROM meta"));
        assert_int_equal(DB_FULL, db_commit(world->db));
        assert_int_equal(0, ask(world->db, "SELECT count(*) FROM entry"));
        assert_int_equal(DB_OK, db_begin(world->db));
        assert_int_equal(DB_OK, store_append(world->db, 1, 1, "one"));
        assert_int_equal(DB_OK, db_commit(world->db));
        assert_int_equal(0, count_findings(world->db));
}

/* One batch of entries too large for the cache, some of them undone, on a disk that is full now and then. True when it
 * was acknowledged. */
static bool random_batch(struct world *world, unsigned *seed, int64_t head, int64_t *out_head)
{
        static char text[5000];
        memset(text, 'a', sizeof text - 1);
        int count = rand_r(seed) % 60;
        int full_from = rand_r(seed) % 120, full_until = full_from + rand_r(seed) % 20;
        int64_t seq = head;
        int rc = db_begin(world->db);
        for (int i = 0; i < count && rc == DB_OK; i++) {
                write_errno = i >= full_from && i < full_until ? ENOSPC : 0;
                bool is_undone = rand_r(seed) % 4 == 0;
                text[rand_r(seed) % 4000 + 100] = 'b';
                rc = db_savepoint(world->db);
                if (rc == DB_OK)
                        rc = store_append(world->db, 1, seq + 1, text + rand_r(seed) % 4900);
                if (rc == DB_OK && is_undone)
                        db_rollback_to(world->db);
                else if (rc == DB_OK && (rc = db_release(world->db)) == DB_OK)
                        seq++;
        }
        write_errno = rand_r(seed) % 8 == 0 ? ENOSPC : 0;
        if (rc == DB_OK)
                rc = db_commit(world->db);
        else
                db_rollback(world->db);
        write_errno = 0;
        assert_true(rc == DB_OK || rc == DB_FULL);
        *out_head = seq;
        return rc == DB_OK;
}

static void a_log_holds_what_was_acknowledged_however_it_was_written(void **state)
{
        struct world *world = *state;
        unsigned seed = 20;
        int64_t head = 0;
        int refused = 0;
        struct db *reader = store_open(&db_sqlite, world->place.path, DB_READER);
        for (int round = 0; round < 400; round++) {
                assert_int_equal(DB_OK, db_exec(world->db, "PRAGMA cache_size = 10"));
                int64_t next = head;
                if (random_batch(world, &seed, head, &next))
                        head = next;
                else
                        refused++;
                assert_int_equal(head, ask(reader, "SELECT count(*) FROM entry"));
                assert_int_equal(head, ask(reader, "SELECT head FROM conversation WHERE id = 1"));
                if (rand_r(&seed) % 10 == 0)
                        assert_int_equal(DB_OK, db_checkpoint(world->db, true));
                if (rand_r(&seed) % 20 == 0)
                        assert_int_equal(DB_OK, db_checkpoint_empty(world->db));
                if (rand_r(&seed) % 20 == 0) {
                        world->db = db_abandon(world->db);
                        world->db = store_open(&db_sqlite, world->place.path, DB_WRITER);
                        assert_int_equal(head, ask(world->db, "SELECT count(*) FROM entry"));
                }
                if (round % 50 == 0)
                        assert_int_equal(0, count_findings(world->db));
        }
        db_close(reader);
        assert_int_equal(0, count_findings(world->db));
        assert_true(refused > 20 && head > 2000);
}

/* --- the driver, failing --- */

enum { BATCHES = 4, BATCH = 3 };

/* Appends in batches, each append under a savepoint. Returns how many batches were acknowledged; *out_rc: the first
 * answer that was not DB_OK. */
static int work(struct db *db, int from, int *out_rc)
{
        int done = from;
        int rc = DB_OK;
        while (done < BATCHES && rc == DB_OK) {
                rc = db_begin(db);
                for (int i = 1; i <= BATCH && rc == DB_OK; i++) {
                        rc = db_savepoint(db);
                        if (rc == DB_OK)
                                rc = store_append(db, 1, done * BATCH + i, "text");
                        if (rc == DB_OK)
                                rc = db_release(db);
                }
                if (rc == DB_OK)
                        rc = db_commit(db);
                else
                        db_rollback(db);
                if (rc == DB_OK)
                        done++;
                if (rc == DB_OK)
                        rc = db_checkpoint(db, true);
        }
        *out_rc = rc;
        return done;
}

static bool add_rule(enum db_fault_op op, enum db_fault_kind kind, uint64_t nth, int error)
{
        struct db_fault_rule rule = {.op = op, .kind = kind, .mode = DB_WRITER, .nth = nth, .error = error};
        return db_fault_add(rule);
}

static void a_process_that_dies_anywhere_keeps_what_it_acknowledged(struct world *world, enum db_fault_kind kind)
{
        bool reached_end = false;
        uint64_t nth;
        for (nth = 1; !reached_end; nth++) {
                assert_true(nth < 1000);
                db_close(world->db);
                place_remove(&world->place);
                place_make(&world->place);
                db_fault_reset(&db_sqlite);
                world->db = store_make(&db_fault, world->place.path, 1);
                db_fault_reset(&db_sqlite);
                add_rule(DB_FAULT_ANY, kind, nth, 0);
                int rc = DB_OK;
                int acked = work(world->db, 0, &rc);
                reached_end = rc == DB_OK;
                world->db = db_close(world->db);
                db_fault_reset(&db_sqlite);
                world->db = store_open(&db_sqlite, world->place.path, DB_WRITER);
                int64_t kept = ask(world->db, "SELECT count(*) FROM entry");
                assert_true(kept >= acked * BATCH);
                assert_true(kept <= (acked + 1) * BATCH && kept % BATCH == 0);
                assert_int_equal(0, count_findings(world->db));
        }
        assert_true(nth > BATCHES * BATCH * 3);
}

static void a_death_before_any_call_keeps_what_was_acknowledged(void **state)
{
        a_process_that_dies_anywhere_keeps_what_it_acknowledged(*state, DB_FAULT_CUT);
}

static void a_death_after_any_call_keeps_what_was_acknowledged(void **state)
{
        a_process_that_dies_anywhere_keeps_what_it_acknowledged(*state, DB_FAULT_CUT_AFTER);
}

static void an_error_anywhere_can_be_tried_again(void **state)
{
        struct world *world = *state;
        static const int errors[] = {DB_FULL, DB_BUSY, DB_IO, DB_NOMEM};
        for (uint64_t nth = 1; nth < 60; nth++) {
                db_close(world->db);
                place_remove(&world->place);
                place_make(&world->place);
                db_fault_reset(&db_sqlite);
                world->db = store_make(&db_fault, world->place.path, 1);
                db_fault_reset(&db_sqlite);
                add_rule(DB_FAULT_STEP, DB_FAULT_FAIL, nth, errors[nth % 4]);
                int rc = DB_OK;
                int acked = work(world->db, 0, &rc);
                if (rc != DB_OK)
                        acked = work(world->db, acked, &rc);
                assert_int_equal(DB_OK, rc);
                assert_int_equal(BATCHES, acked);
                db_fault_reset(&db_sqlite);
                assert_int_equal(BATCHES * BATCH, ask(world->db, "SELECT count(*) FROM entry"));
                assert_int_equal(0, count_findings(world->db));
        }
}

static void an_ordered_failure_of_commit_may_have_been_kept_or_not(void **state)
{
        struct world *world = *state;
        for (int is_after = 0; is_after <= 1; is_after++) {
                reopen(world, &db_fault);
                db_fault_reset(&db_sqlite);
                add_rule(DB_FAULT_COMMIT, is_after ? DB_FAULT_FAIL_AFTER : DB_FAULT_FAIL, 1, DB_UNKNOWN);
                assert_int_equal(DB_OK, db_begin(world->db));
                assert_int_equal(DB_OK, store_append(world->db, 1, 1, "one"));
                assert_int_equal(DB_UNKNOWN, db_commit(world->db));
                assert_int_equal(DB_UNKNOWN, db_begin(world->db));
                reopen(world, &db_sqlite);
                assert_int_equal(is_after, ask(world->db, "SELECT count(*) FROM entry"));
        }
}

static void an_ordered_full_disk_loses_the_running_transaction(void **state)
{
        struct world *world = *state;
        reopen(world, &db_fault);
        db_fault_reset(&db_sqlite);
        add_rule(DB_FAULT_STEP, DB_FAULT_FAIL, 3, DB_FULL);
        assert_int_equal(DB_OK, db_begin(world->db));
        assert_int_equal(DB_OK, store_append(world->db, 1, 1, "one"));
        assert_int_equal(DB_FULL, store_append(world->db, 1, 2, "two"));
        assert_int_equal(DB_FULL, store_append(world->db, 1, 2, "two"));
        assert_int_equal(DB_FULL, db_commit(world->db));
        assert_int_equal(0, ask(world->db, "SELECT count(*) FROM entry"));
}

static void rules_are_for_their_calls_only(void **state)
{
        struct world *world = *state;
        reopen(world, &db_fault);
        db_fault_reset(&db_sqlite);
        struct db_fault_rule rule = {DB_FAULT_BEGIN, DB_FAULT_FAIL, DB_WRITER, 2, 2, DB_BUSY, 0};
        assert_true(db_fault_add(rule));
        static const int expected[] = {DB_OK, DB_BUSY, DB_BUSY, DB_OK};
        for (int i = 0; i < 4; i++) {
                assert_int_equal(expected[i], db_begin(world->db));
                db_rollback(world->db);
        }
        assert_int_equal(4, db_fault_calls(DB_FAULT_BEGIN, DB_WRITER));
        assert_int_equal(0, db_fault_calls(DB_FAULT_BEGIN, DB_READER));
        for (int i = 1; i < DB_FAULT_RULES; i++)
                assert_true(db_fault_add(rule));
        assert_false(db_fault_add(rule));
}

static void a_slow_disk_is_waited_for(void **state)
{
        struct world *world = *state;
        reopen(world, &db_fault);
        db_fault_reset(&db_sqlite);
        struct db_fault_rule rule = {DB_FAULT_COMMIT, DB_FAULT_DELAY, DB_WRITER, 1, 1, 0, 40};
        assert_true(db_fault_add(rule));
        struct timespec before, after;
        assert_int_equal(DB_OK, db_begin(world->db));
        clock_gettime(CLOCK_MONOTONIC, &before);
        assert_int_equal(DB_OK, db_commit(world->db));
        clock_gettime(CLOCK_MONOTONIC, &after);
        int64_t waited_ns = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
        assert_true(waited_ns >= 40 * 1000000);
}

static int set_up(void **state)
{
        struct world *world = calloc(1, sizeof *world);
        write_errno = flush_errno = 0;
        db_fault_reset(&db_sqlite);
        place_make(&world->place);
        world->db = store_make(&db_sqlite, world->place.path, 2);
        *state = world;
        return 0;
}

static int tear_down(void **state)
{
        struct world *world = *state;
        write_errno = flush_errno = 0;
        db_close(world->db);
        place_remove(&world->place);
        free(world);
        return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_full_disk_at_commit_loses_the_batch_and_nothing_else),
                TEST(a_failed_write_at_commit_has_an_unknown_outcome),
                TEST(after_a_failed_flush_nothing_is_answered_and_nothing_flushed),
                TEST(a_checkpoint_that_cannot_flush_is_the_end_too),
                TEST(a_checkpoint_on_a_full_disk_can_be_tried_again),
                TEST(nothing_of_a_dropped_transaction_can_be_committed),
                TEST(a_log_holds_what_was_acknowledged_however_it_was_written),
                TEST(a_death_before_any_call_keeps_what_was_acknowledged),
                TEST(a_death_after_any_call_keeps_what_was_acknowledged),
                TEST(an_error_anywhere_can_be_tried_again),
                TEST(an_ordered_failure_of_commit_may_have_been_kept_or_not),
                TEST(an_ordered_full_disk_loses_the_running_transaction),
                TEST(rules_are_for_their_calls_only),
                TEST(a_slow_disk_is_waited_for),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
