/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/backup.h"
#include "store/db_fault.h"

struct world {
        struct place place;
        struct db *db;
        char backup[96], data[96]; /* folders */
};

static const char *in(const char *dir, const char *name)
{
        static char paths[4][256];
        static int turn;
        char *out = paths[turn++ % 4];
        snprintf(out, sizeof paths[0], "%s/%s", dir, name);
        return out;
}

static void put_file(const char *path, const char *text)
{
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(text, file);
        fclose(file);
}

static int append(struct db *db, int64_t seq)
{
        int rc = db_begin(db);
        if (rc == DB_OK)
                rc = store_append(db, 1, seq, "text");
        return rc == DB_OK ? db_commit(db) : rc;
}

static void copy_store(struct world *world)
{
        struct db_backup *backup = NULL;
        int64_t left, total;
        int rc;
        assert_int_equal(DB_OK, db_backup_begin(world->db, in(world->backup, BACKUP_STORE), &backup));
        while ((rc = db_backup_step(backup, 5, &left, &total)) == DB_ROW)
                assert_true(left <= total);
        assert_int_equal(DB_OK, rc);
        assert_null(db_backup_end(backup));
}

/* A sealed backup of the store with one entry and one attachment. */
static void make_backup(struct world *world)
{
        assert_int_equal(DB_OK, append(world->db, 1));
        copy_store(world);
        assert_int_equal(0, mkdir(in(world->backup, "files"), 0700));
        assert_int_equal(0, mkdir(in(world->backup, "files/ab"), 0700));
        put_file(in(world->backup, "files/ab/abcdef"), "an attachment");
        char *why = NULL;
        if (backup_seal(world->backup, 1700000000000, &why) != DB_OK)
                fail_msg("%s", why ? why : "no reason");
}

static void verify_refuses(struct world *world, const char *words)
{
        char *why = NULL;
        uint8_t epoch[8];
        assert_int_equal(DB_DAMAGED, backup_verify(world->backup, NULL, &why));
        assert_non_null(why);
        if (!strstr(why, words))
                fail_msg("%s does not name %s", why, words);
        free(why);
        assert_int_equal(DB_DAMAGED, backup_restore(world->backup, world->data, epoch, NULL));
        assert_int_equal(-1, access(in(world->data, BACKUP_STORE), F_OK));
}

static void a_copy_taken_while_the_store_is_written_is_whole(void **state)
{
        struct world *world = *state;
        struct db_backup *backup = NULL;
        int64_t left, total, seq = 0;
        while (seq < 50)
                assert_int_equal(DB_OK, append(world->db, ++seq));
        const char *path = in(world->backup, BACKUP_STORE);
        assert_int_equal(DB_OK, db_backup_begin(world->db, path, &backup));
        int rc, steps = 0;
        while ((rc = db_backup_step(backup, 1, &left, &total)) == DB_ROW) {
                assert_int_equal(DB_OK, append(world->db, ++seq));
                steps++;
        }
        assert_int_equal(DB_OK, rc);
        db_backup_end(backup);
        assert_true(steps > 10);
        struct db *copy = store_open(&db_sqlite, path, DB_WRITER);
        assert_int_equal(0, count_findings(copy));
        assert_true(ask(copy, "SELECT max(seq) FROM entry") >= 50);
        db_close(copy);
        struct stat facts;
        assert_int_equal(0, stat(path, &facts));
        assert_int_equal(0600, facts.st_mode & 0777);
}

static void a_copy_that_is_cut_short_leaves_no_file(void **state)
{
        struct world *world = *state;
        struct db_backup *backup = NULL;
        int64_t left, total;
        const char *path = in(world->backup, BACKUP_STORE);
        assert_int_equal(DB_OK, db_backup_begin(world->db, path, &backup));
        assert_int_equal(DB_ROW, db_backup_step(backup, 1, &left, &total));
        assert_null(db_backup_end(backup));
        assert_int_equal(-1, access(path, F_OK));
}

static void a_copy_never_overwrites_a_file(void **state)
{
        struct world *world = *state;
        struct db_backup *backup = NULL;
        put_file(in(world->backup, BACKUP_STORE), "mine");
        assert_int_equal(DB_IO, db_backup_begin(world->db, in(world->backup, BACKUP_STORE), &backup));
        assert_true(file_holds(in(world->backup, BACKUP_STORE), "mine"));
}

static void a_copy_goes_through_the_failing_driver_too(void **state)
{
        struct world *world = *state;
        struct db_backup *backup = NULL;
        int64_t left, total;
        db_close(world->db);
        db_fault_reset(&db_sqlite);
        world->db = store_open(&db_fault, world->place.path, DB_WRITER);
        db_fault_add((struct db_fault_rule){.op = DB_FAULT_BACKUP, .kind = DB_FAULT_FAIL, .nth = 3, .error = DB_FULL});
        const char *path = in(world->backup, BACKUP_STORE);
        assert_int_equal(DB_OK, db_backup_begin(world->db, path, &backup));
        assert_int_equal(DB_ROW, db_backup_step(backup, 1, &left, &total));
        assert_int_equal(DB_FULL, db_backup_step(backup, 1, &left, &total));
        assert_null(db_backup_end(backup));
        assert_int_equal(-1, access(path, F_OK));
}

static void a_sealed_backup_verifies_and_restores_with_a_new_epoch(void **state)
{
        struct world *world = *state;
        make_backup(world);
        int64_t bytes = 0;
        uint8_t epoch[8];
        char *why = NULL;
        assert_int_equal(DB_OK, backup_verify(world->backup, &bytes, NULL));
        assert_true(bytes > 4096);
        if (backup_restore(world->backup, world->data, epoch, &why) != DB_OK)
                fail_msg("%s", why ? why : "no reason");
        struct db *restored = store_open(&db_sqlite, in(world->data, BACKUP_STORE), DB_WRITER);
        assert_int_equal(1, ask(restored, "SELECT count(*) FROM entry"));
        struct db_stmt *mine = db_prepare(world->db, "SELECT value FROM meta WHERE name = 'epoch'");
        struct db_stmt *theirs = db_prepare(restored, "SELECT value FROM meta WHERE name = 'epoch'");
        assert_int_equal(DB_ROW, db_step(mine));
        assert_int_equal(DB_ROW, db_step(theirs));
        assert_memory_equal(epoch, db_blob(theirs, 0).at, 8);
        assert_memory_not_equal(epoch, db_blob(mine, 0).at, 8);
        db_close(restored);
        assert_true(file_holds(in(world->data, "files/ab/abcdef"), "an attachment"));
        struct stat facts;
        assert_int_equal(0, stat(in(world->data, "files/ab/abcdef"), &facts));
        assert_int_equal(0600, facts.st_mode & 0777);
        assert_int_equal(0, stat(in(world->data, "files/ab"), &facts));
        assert_int_equal(0700, facts.st_mode & 0777);
        assert_int_equal(-1, access(in(world->data, BACKUP_STORE ".restored"), F_OK));
}

static void a_restore_keeps_the_store_that_was_there_with_its_last_commits(void **state)
{
        struct world *world = *state;
        make_backup(world);
        uint8_t epoch[8];
        struct db *old = store_make(&db_sqlite, in(world->data, BACKUP_STORE), 1);
        for (int i = 1; i <= 5; i++)
                assert_int_equal(DB_OK, append(old, i));
        db_abandon(old); /* its last commits are in the log only */
        put_file(in(world->data, "search.db"), "an index of the old store");
        assert_int_equal(DB_OK, backup_restore(world->backup, world->data, epoch, NULL));
        assert_int_equal(-1, access(in(world->data, BACKUP_STORE ".before-restore-wal"), F_OK)); /* it is in the file */
        struct db *restored = store_open(&db_sqlite, in(world->data, BACKUP_STORE), DB_WRITER);
        assert_int_equal(1, ask(restored, "SELECT count(*) FROM entry"));
        assert_int_equal(0, count_findings(restored));
        db_close(restored);
        old = store_open(&db_sqlite, in(world->data, BACKUP_STORE ".before-restore"), DB_WRITER);
        assert_int_equal(5, ask(old, "SELECT count(*) FROM entry"));
        db_close(old);
        assert_int_equal(-1, access(in(world->data, "search.db"), F_OK));
}

static void a_restore_over_a_damaged_store_keeps_it_as_it_was(void **state)
{
        struct world *world = *state;
        make_backup(world);
        uint8_t epoch[8];
        put_file(in(world->data, BACKUP_STORE), "what is left of a store, long enough to be read as a page or so");
        put_file(in(world->data, BACKUP_STORE "-wal"), "and of its log");
        assert_int_equal(DB_OK, backup_restore(world->backup, world->data, epoch, NULL));
        struct db *restored = store_open(&db_sqlite, in(world->data, BACKUP_STORE), DB_WRITER);
        assert_int_equal(0, count_findings(restored));
        db_close(restored);
        assert_true(file_holds(in(world->data, BACKUP_STORE ".before-restore"), "what is left"));
        assert_true(file_holds(in(world->data, BACKUP_STORE ".before-restore-wal"), "and of its log"));
}

static void a_restore_never_writes_into_a_file_shared_with_its_backup(void **state)
{
        struct world *world = *state;
        make_backup(world);
        uint8_t epoch[8];
        assert_int_equal(0, mkdir(in(world->data, "files"), 0700));
        assert_int_equal(0, mkdir(in(world->data, "files/ab"), 0700));
        assert_int_equal(0, link(in(world->backup, "files/ab/abcdef"), in(world->data, "files/ab/abcdef")));
        assert_int_equal(DB_OK, backup_restore(world->backup, world->data, epoch, NULL));
        assert_int_equal(DB_OK, backup_verify(world->backup, NULL, NULL));
        assert_true(file_holds(in(world->data, "files/ab/abcdef"), "an attachment"));
}

static void a_changed_byte_is_found(void **state)
{
        struct world *world = *state;
        make_backup(world);
        put_file(in(world->backup, "files/ab/abcdef"), "an attachmend");
        verify_refuses(world, "SHA-256");
}

static void a_shorter_file_is_found(void **state)
{
        struct world *world = *state;
        make_backup(world);
        assert_int_equal(0, truncate(in(world->backup, BACKUP_STORE), 8192));
        verify_refuses(world, "8192 bytes");
}

static void a_missing_file_is_found(void **state)
{
        struct world *world = *state;
        make_backup(world);
        assert_int_equal(0, unlink(in(world->backup, "files/ab/abcdef")));
        verify_refuses(world, "missing");
}

static void a_file_too_many_is_found(void **state)
{
        struct world *world = *state;
        make_backup(world);
        put_file(in(world->backup, "files/ab/stranger"), "who put me here");
        verify_refuses(world, "stranger");
}

static void a_folder_without_manifest_is_no_backup(void **state)
{
        struct world *world = *state;
        uint8_t epoch[8];
        copy_store(world);
        assert_int_equal(DB_IO, backup_verify(world->backup, NULL, NULL));
        assert_int_equal(DB_IO, backup_restore(world->backup, world->data, epoch, NULL));
}

static void a_manifest_cannot_name_files_elsewhere(void **state)
{
        struct world *world = *state;
        static const char *const names[] = {"../escape", "/etc/passwd", "a//b", "./a", "files/../../x", ""};
        make_backup(world);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
                char text[400];
                snprintf(text, sizeof text,
                         "{\"format\": 1, \"files\": {\"deskbell.db\": {\"bytes\": 1, \"sha256\": \"%064d\"},"
                         " \"%s\": {\"bytes\": 1, \"sha256\": \"%064d\"}}}",
                         0, names[i], 0);
                put_file(in(world->backup, BACKUP_MANIFEST), text);
                uint8_t epoch[8];
                assert_int_equal(DB_DAMAGED, backup_verify(world->backup, NULL, NULL));
                assert_int_equal(DB_DAMAGED, backup_restore(world->backup, world->data, epoch, NULL));
        }
}

static void a_manifest_that_makes_no_sense_is_refused(void **state)
{
        struct world *world = *state;
        static const char *const texts[] = {"",
                                            "[]",
                                            "{}",
                                            "{\"format\": 1}",
                                            "{\"format\": 1, \"files\": []}",
                                            "{\"format\": 1, \"files\": {}}",
                                            "{\"format\": 1, \"format\": 1}"};
        make_backup(world);
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
                put_file(in(world->backup, BACKUP_MANIFEST), texts[i]);
                assert_int_equal(DB_DAMAGED, backup_verify(world->backup, NULL, NULL));
        }
        put_file(in(world->backup, BACKUP_MANIFEST), "{\"format\": 2}");
        assert_int_equal(DB_NEWER, backup_verify(world->backup, NULL, NULL));
}

static void a_backup_holds_no_links(void **state)
{
        struct world *world = *state;
        make_backup(world);
        assert_int_equal(0, symlink("/etc/hostname", in(world->backup, "files/ab/link")));
        assert_int_equal(DB_DAMAGED, backup_seal(world->backup, 1, NULL));
        assert_int_equal(-1, access(in(world->backup, BACKUP_MANIFEST), F_OK));
}

static void a_copy_whose_log_does_not_fit_is_not_restored(void **state)
{
        struct world *world = *state;
        make_backup(world);
        struct db *db = store_open(&db_sqlite, in(world->backup, BACKUP_STORE), DB_WRITER);
        assert_int_equal(DB_OK, db_exec(db, "UPDATE conversation SET head = 9"));
        db_close(db);
        char *why = NULL;
        uint8_t epoch[8];
        assert_int_equal(DB_OK, backup_seal(world->backup, 1, NULL));
        assert_int_equal(DB_DAMAGED, backup_restore(world->backup, world->data, epoch, &why));
        if (!strstr(why, "head is 9"))
                fail_msg("%s", why);
        free(why);
        assert_int_equal(-1, access(in(world->data, BACKUP_STORE), F_OK));
}

static int set_up(void **state)
{
        struct world *world = calloc(1, sizeof *world);
        place_make(&world->place);
        snprintf(world->backup, sizeof world->backup, "%s/backup", world->place.dir);
        snprintf(world->data, sizeof world->data, "%s/data", world->place.dir);
        assert_int_equal(0, mkdir(world->backup, 0700));
        assert_int_equal(0, mkdir(world->data, 0700));
        world->db = store_make(&db_sqlite, world->place.path, 1);
        *state = world;
        return 0;
}

static int tear_down(void **state)
{
        struct world *world = *state;
        db_close(world->db);
        place_remove(&world->place);
        free(world);
        return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_copy_taken_while_the_store_is_written_is_whole),
                TEST(a_copy_that_is_cut_short_leaves_no_file),
                TEST(a_copy_never_overwrites_a_file),
                TEST(a_copy_goes_through_the_failing_driver_too),
                TEST(a_sealed_backup_verifies_and_restores_with_a_new_epoch),
                TEST(a_restore_keeps_the_store_that_was_there_with_its_last_commits),
                TEST(a_restore_over_a_damaged_store_keeps_it_as_it_was),
                TEST(a_restore_never_writes_into_a_file_shared_with_its_backup),
                TEST(a_changed_byte_is_found),
                TEST(a_shorter_file_is_found),
                TEST(a_missing_file_is_found),
                TEST(a_file_too_many_is_found),
                TEST(a_folder_without_manifest_is_no_backup),
                TEST(a_manifest_cannot_name_files_elsewhere),
                TEST(a_manifest_that_makes_no_sense_is_refused),
                TEST(a_backup_holds_no_links),
                TEST(a_copy_whose_log_does_not_fit_is_not_restored),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
