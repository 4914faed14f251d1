/* SPDX-License-Identifier: Apache-2.0 */
/* The layer over a database, through every driver there is. */
#include "fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/db_fault.h"

struct world {
        const struct db_driver *driver;
        struct place place;
        struct db *db;
};

static void numbers_texts_and_blobs_come_back_as_they_were_bound(void **state)
{
        struct world *world = *state;
        static const char bytes[] = {0, 1, 2, (char)255};
        struct db_stmt *stmt = db_prepare(world->db, "SELECT $1, $2, $3, $4, $5, $6");
        db_bind_int(stmt, 1, INT64_MIN);
        db_bind_text(stmt, 2, SPAN("환불"));
        db_bind_blob(stmt, 3, bytes, sizeof bytes);
        db_bind_null(stmt, 4);
        db_bind_text(stmt, 5, SPAN(""));
        db_bind_text(stmt, 6, (struct span){NULL, 0});
        assert_int_equal(DB_ROW, db_step(stmt));
        assert_true(db_int(stmt, 0) == INT64_MIN);
        assert_true(span_equal(SPAN("환불"), db_text(stmt, 1)));
        assert_int_equal(sizeof bytes, db_blob(stmt, 2).len);
        assert_memory_equal(bytes, db_blob(stmt, 2).at, sizeof bytes);
        assert_true(db_is_null(stmt, 3));
        assert_false(db_is_null(stmt, 4));
        assert_non_null(db_text(stmt, 4).at);
        assert_int_equal(0, db_text(stmt, 4).len);
        assert_true(db_is_null(stmt, 5));
        assert_null(db_text(stmt, 5).at);
        assert_int_equal(DB_OK, db_step(stmt));
}

static void parameters_are_bound_by_number_whatever_their_order_in_the_text(void **state)
{
        struct world *world = *state;
        struct db_stmt *stmt = db_prepare(world->db, "SELECT $2, $1, '$1'");
        db_bind_int(stmt, 1, 10);
        db_bind_int(stmt, 2, 20);
        assert_int_equal(DB_ROW, db_step(stmt));
        assert_int_equal(20, db_int(stmt, 0));
        assert_int_equal(10, db_int(stmt, 1));
        assert_true(span_equal(SPAN("$1"), db_text(stmt, 2)));
        db_reset(stmt);
}

static void a_reset_statement_has_forgotten_what_was_bound(void **state)
{
        struct world *world = *state;
        struct db_stmt *stmt = db_prepare(world->db, "SELECT $1");
        db_bind_int(stmt, 1, 5);
        assert_int_equal(DB_ROW, db_step(stmt));
        db_reset(stmt);
        assert_int_equal(DB_ROW, db_step(stmt));
        assert_true(db_is_null(stmt, 0));
        db_reset(stmt);
}

static void a_statement_asked_for_again_is_ready_though_it_was_left_at_a_row(void **state)
{
        struct world *world = *state;
        struct db_stmt *stmt = db_stmt(world->db, SQL_META_GET);
        db_bind_text(stmt, 1, SPAN("schema"));
        assert_int_equal(DB_ROW, db_step(stmt));
        stmt = db_stmt(world->db, SQL_META_GET);
        db_bind_text(stmt, 1, SPAN("nothing of that name"));
        assert_int_equal(DB_OK, db_step(stmt));
}

static void a_statement_that_cannot_be_prepared_answers_its_error(void **state)
{
        struct world *world = *state;
        struct db_stmt *stmt = db_prepare(world->db, "SELECT nothing FROM nowhere");
        assert_non_null(stmt);
        db_bind_int(stmt, 1, 1);
        assert_int_equal(DB_MISUSE, db_step(stmt));
        assert_int_equal(DB_MISUSE, db_run(stmt));
        db_reset(stmt);
}

static void a_parameter_out_of_range_is_answered_by_the_step(void **state)
{
        struct world *world = *state;
        struct db_stmt *stmt = db_prepare(world->db, "SELECT $1");
        db_bind_int(stmt, 2, 1);
        assert_int_equal(DB_MISUSE, db_step(stmt));
        db_bind_int(stmt, 1, 1);
        assert_int_equal(DB_ROW, db_step(stmt));
        db_reset(stmt);
}

static void a_broken_rule_fails_its_statement_and_not_the_transaction(void **state)
{
        struct world *world = *state;
        assert_int_equal(DB_OK, db_begin(world->db));
        assert_int_equal(DB_OK, store_append(world->db, 1, 1, "one"));
        assert_int_equal(DB_CONSTRAINT, db_exec(world->db, "INSERT INTO entry (conv, log, seq, ts, kind) "
                                                           "VALUES (1, 0, 1, 0, 1)"));
        assert_int_equal(DB_CONSTRAINT, db_exec(world->db, "INSERT INTO app (workspace, ext, created_ms) "
                                                           "VALUES (99, 2, 0)"));
        assert_int_equal(DB_OK, db_commit(world->db));
        assert_int_equal(1, ask(world->db, "SELECT count(*) FROM entry"));
}

static void changes_tell_an_insert_from_one_that_met_its_key(void **state)
{
        struct world *world = *state;
        assert_int_equal(DB_OK, store_append(world->db, 1, 1, "one"));
        struct db_stmt *stmt = db_prepare(world->db, "INSERT INTO entry (conv, log, seq, ts, kind) "
                                                     "VALUES (1, 0, $1, 0, 1) ON CONFLICT DO NOTHING");
        db_bind_int(stmt, 1, 1);
        assert_int_equal(DB_OK, db_run(stmt));
        assert_int_equal(0, db_changes(world->db));
        db_bind_int(stmt, 1, 2);
        assert_int_equal(DB_OK, db_run(stmt));
        assert_int_equal(1, db_changes(world->db));
}

static void a_savepoint_undoes_its_part_only(void **state)
{
        struct world *world = *state;
        assert_int_equal(DB_OK, db_begin(world->db));
        assert_int_equal(DB_OK, db_savepoint(world->db));
        assert_int_equal(DB_OK, store_append(world->db, 1, 1, "kept"));
        assert_int_equal(DB_OK, db_release(world->db));
        assert_int_equal(DB_OK, db_savepoint(world->db));
        assert_int_equal(DB_OK, store_append(world->db, 2, 1, "undone"));
        db_rollback_to(world->db);
        assert_int_equal(DB_OK, db_commit(world->db));
        assert_int_equal(1, ask(world->db, "SELECT count(*) FROM entry"));
        assert_int_equal(0, count_findings(world->db));
}

static void a_rollback_leaves_nothing(void **state)
{
        struct world *world = *state;
        assert_int_equal(DB_OK, db_begin(world->db));
        assert_int_equal(DB_OK, store_append(world->db, 1, 1, "one"));
        db_rollback(world->db);
        assert_int_equal(0, ask(world->db, "SELECT count(*) FROM entry"));
        assert_int_equal(DB_OK, db_begin(world->db));
        assert_int_equal(DB_OK, db_commit(world->db));
}

static void transactions_out_of_turn_are_misuse(void **state)
{
        struct world *world = *state;
        assert_int_equal(DB_MISUSE, db_savepoint(world->db));
        assert_int_equal(DB_MISUSE, db_commit(world->db));
        assert_int_equal(DB_OK, db_begin(world->db));
        assert_int_equal(DB_MISUSE, db_begin(world->db));
        assert_int_equal(DB_MISUSE, db_checkpoint(world->db, true));
        db_rollback(world->db);
}

static void a_reader_keeps_its_view_from_begin_to_end(void **state)
{
        struct world *world = *state;
        struct db *reader = store_open(world->driver, world->place.path, DB_READER);
        assert_int_equal(DB_OK, db_snapshot_begin(reader));
        assert_int_equal(DB_OK, db_begin(world->db));
        assert_int_equal(DB_OK, store_append(world->db, 1, 1, "one"));
        assert_int_equal(DB_OK, db_commit(world->db));
        assert_int_equal(0, ask(reader, "SELECT count(*) FROM entry"));
        db_snapshot_end(reader);
        assert_int_equal(1, ask(reader, "SELECT count(*) FROM entry"));
        db_close(reader);
}

static void a_reader_cannot_write(void **state)
{
        struct world *world = *state;
        struct db *reader = store_open(world->driver, world->place.path, DB_READER);
        assert_int_equal(DB_IO, db_exec(reader, "DELETE FROM meta"));
        assert_int_equal(DB_MISUSE, db_checkpoint(reader, true));
        assert_true(ask(reader, "SELECT count(*) FROM meta") > 0);
        db_close(reader);
}

static void a_reader_does_not_make_a_store(void **state)
{
        struct world *world = *state;
        struct db *reader = NULL;
        char *why = NULL;
        const char *path = place_path(&world->place, "none.db");
        assert_int_equal(DB_IO, db_open(world->driver, path, DB_READER, &reader, &why));
        assert_non_null(strstr(why, "none.db"));
        assert_int_equal(-1, access(path, F_OK));
        free(why);
}

static void files_are_the_owners_alone_under_any_umask(void **state)
{
        struct world *world = *state;
        static const char *const names[] = {"open.db", "open.db-wal", "open.db-shm"};
        mode_t old = umask(0);
        struct db *db = store_make(world->driver, place_path(&world->place, "open.db"), 1);
        for (int i = 0; i < 3; i++) {
                struct stat facts;
                assert_int_equal(0, stat(place_path(&world->place, names[i]), &facts));
                assert_int_equal(0600, facts.st_mode & 0777);
        }
        db_close(db);
        assert_int_equal(0, chmod(place_path(&world->place, "open.db"), 0644));
        db_close(store_open(world->driver, place_path(&world->place, "open.db"), DB_WRITER));
        struct stat facts;
        assert_int_equal(0, stat(place_path(&world->place, "open.db"), &facts));
        assert_int_equal(0600, facts.st_mode & 0777);
        umask(old);
}

static void a_store_has_the_settings_of_the_house(void **state)
{
        struct world *world = *state;
        assert_int_equal(2, ask(world->db, "PRAGMA synchronous"));
        assert_int_equal(1, ask(world->db, "PRAGMA secure_delete"));
        assert_int_equal(1, ask(world->db, "PRAGMA cell_size_check"));
        assert_int_equal(1, ask(world->db, "PRAGMA foreign_keys"));
        assert_int_equal(0, ask(world->db, "PRAGMA trusted_schema"));
        assert_int_equal(0, ask(world->db, "PRAGMA wal_autocheckpoint"));
        assert_int_equal(2, ask(world->db, "PRAGMA temp_store"));
        assert_int_equal(-65536, ask(world->db, "PRAGMA cache_size"));
        struct db *reader = store_open(world->driver, world->place.path, DB_READER);
        assert_int_equal(-8192, ask(reader, "PRAGMA cache_size"));
        assert_int_equal(1, ask(reader, "PRAGMA query_only"));
        db_close(reader);
}

static void a_new_store_has_an_epoch_of_its_own_and_keeps_it(void **state)
{
        struct world *world = *state;
        assert_int_equal(8, ask(world->db, "SELECT length(value) FROM meta WHERE name = 'epoch'"));
        int64_t made = ask(world->db, "SELECT value FROM meta WHERE name = 'made_ms'");
        assert_true(made > 1500000000000);
        struct db *other = store_make(world->driver, place_path(&world->place, "other.db"), 0);
        struct db_stmt *mine = db_prepare(world->db, "SELECT value FROM meta WHERE name = 'epoch'");
        struct db_stmt *theirs = db_prepare(other, "SELECT value FROM meta WHERE name = 'epoch'");
        assert_int_equal(DB_ROW, db_step(mine));
        assert_int_equal(DB_ROW, db_step(theirs));
        assert_memory_not_equal(db_blob(mine, 0).at, db_blob(theirs, 0).at, 8);
        db_reset(mine);
        db_reset(theirs);
        db_close(other);
        assert_int_equal(DB_OK, db_migrate(world->db, NULL));
        assert_true(made == ask(world->db, "SELECT value FROM meta WHERE name = 'made_ms'"));
}

static void a_renewed_epoch_is_another_one(void **state)
{
        struct world *world = *state;
        uint8_t first[8], second[8];
        assert_int_equal(DB_OK, db_epoch_renew(world->db, first));
        assert_int_equal(DB_OK, db_epoch_renew(world->db, second));
        assert_memory_not_equal(first, second, 8);
        struct db_stmt *stmt = db_prepare(world->db, "SELECT value FROM meta WHERE name = 'epoch'");
        assert_int_equal(DB_ROW, db_step(stmt));
        assert_memory_equal(second, db_blob(stmt, 0).at, 8);
        db_reset(stmt);
}

static void what_was_committed_survives_the_death_of_the_process(void **state)
{
        struct world *world = *state;
        assert_int_equal(DB_OK, db_begin(world->db));
        assert_int_equal(DB_OK, store_append(world->db, 1, 1, "one"));
        assert_int_equal(DB_OK, db_commit(world->db));
        assert_int_equal(DB_OK, db_begin(world->db));
        assert_int_equal(DB_OK, store_append(world->db, 1, 2, "two"));
        world->db = db_abandon(world->db);
        world->db = store_open(world->driver, world->place.path, DB_WRITER);
        assert_true(db_was_left_open(world->db));
        assert_int_equal(1, ask(world->db, "SELECT max(seq) FROM entry"));
        assert_int_equal(0, count_findings(world->db));
        world->db = db_close(world->db);
        world->db = store_open(world->driver, world->place.path, DB_WRITER);
        assert_false(db_was_left_open(world->db));
}

static void an_emptied_log_keeps_nothing_of_what_was_erased(void **state)
{
        struct world *world = *state;
        assert_int_equal(DB_OK, db_begin(world->db));
        assert_int_equal(DB_OK, store_append(world->db, 1, 1, "xyzzy-secret"));
        assert_int_equal(DB_OK, db_commit(world->db));
        assert_int_equal(DB_OK, db_exec(world->db, "UPDATE entry SET body = NULL, hash = NULL"));
        const char *log = place_path(&world->place, "deskbell.db-wal");
        assert_true(file_holds(log, "xyzzy-secret"));
        assert_int_equal(DB_OK, db_checkpoint_empty(world->db));
        assert_false(file_holds(log, "xyzzy-secret"));
        assert_false(file_holds(world->place.path, "xyzzy-secret"));
}

static void an_emptied_log_waits_for_a_reader_and_says_so(void **state)
{
        struct world *world = *state;
        struct db *reader = store_open(world->driver, world->place.path, DB_READER);
        assert_int_equal(DB_OK, db_snapshot_begin(reader));
        assert_int_equal(DB_OK, store_append(world->db, 1, 1, "one"));
        assert_int_equal(DB_BUSY, db_checkpoint_empty(world->db));
        db_snapshot_end(reader);
        assert_int_equal(DB_OK, db_checkpoint_empty(world->db));
        db_close(reader);
}

static off_t size_of(const char *path)
{
        struct stat facts;
        return stat(path, &facts) == 0 ? facts.st_size : -1;
}

static void write_rows(struct db *db, int count)
{
        assert_int_equal(DB_OK, db_begin(db));
        struct db_stmt *stmt = db_prepare(db, "INSERT INTO audit (at_ms, action, detail) VALUES (1, 'x', $1)");
        static char text[3000];
        memset(text, 'a', sizeof text);
        for (int i = 0; i < count; i++) {
                db_bind_text(stmt, 1, (struct span){text, sizeof text});
                assert_int_equal(DB_OK, db_run(stmt));
        }
        assert_int_equal(DB_OK, db_commit(db));
}

static void the_log_is_moved_only_when_it_is_worth_while(void **state)
{
        struct world *world = *state;
        assert_int_equal(DB_OK, db_checkpoint_empty(world->db));
        off_t before = size_of(world->place.path);
        write_rows(world->db, 100);
        assert_int_equal(DB_OK, db_checkpoint(world->db, true));
        assert_true(size_of(world->place.path) == before);
        write_rows(world->db, 1500);
        assert_int_equal(DB_OK, db_checkpoint(world->db, false));
        assert_true(size_of(world->place.path) == before);
        assert_int_equal(DB_OK, db_checkpoint(world->db, true));
        if (size_of(world->place.path) <= before + 1000 * 4096)
                fail_msg("%lld bytes, before %lld; %s", (long long)size_of(world->place.path), (long long)before,
                         db_message(world->db));
}

static void a_log_that_was_moved_is_used_again_from_its_beginning(void **state)
{
        struct world *world = *state;
        for (int i = 0; i < 4; i++) {
                write_rows(world->db, 1500);
                assert_int_equal(DB_OK, db_checkpoint(world->db, true));
        }
        off_t log = size_of(place_path(&world->place, "deskbell.db-wal"));
        assert_true(log < 2500 * 4200);
}

struct watcher {
        struct world *world;
        _Atomic bool is_over;
        int looks, torn;
};

static void *watch(void *data)
{
        struct watcher *watcher = data;
        struct db *reader = NULL;
        if (db_open(watcher->world->driver, watcher->world->place.path, DB_READER, &reader, NULL) != DB_OK)
                return NULL;
        struct db_stmt *stmt = db_prepare(reader, "SELECT (SELECT count(*) FROM entry), sum(head) FROM conversation");
        while (!watcher->is_over) {
                int rc = db_step(stmt);
                if (rc != DB_ROW || db_int(stmt, 0) != db_int(stmt, 1) || db_int(stmt, 0) % 30 != 0)
                        watcher->torn++;
                db_reset(stmt);
                watcher->looks++;
        }
        db_close(reader);
        return NULL;
}

static void readers_see_whole_batches_while_the_writer_commits_and_checkpoints(void **state)
{
        struct world *world = *state;
        struct watcher watchers[2] = {{.world = world}, {.world = world}};
        pthread_t threads[2];
        static char text[2000];
        memset(text, 'a', sizeof text - 1);
        for (int i = 0; i < 2; i++)
                assert_int_equal(0, pthread_create(&threads[i], NULL, watch, &watchers[i]));
        for (int batch = 0; batch < 200; batch++) {
                assert_int_equal(DB_OK, db_begin(world->db));
                for (int i = 0; i < 30; i++)
                        assert_int_equal(DB_OK, store_append(world->db, i % 3 + 1, batch * 10 + i / 3 + 1, text));
                assert_int_equal(DB_OK, db_commit(world->db));
                assert_int_equal(DB_OK, db_checkpoint(world->db, true));
        }
        for (int i = 0; i < 2; i++) {
                watchers[i].is_over = true;
                pthread_join(threads[i], NULL);
                assert_true(watchers[i].looks > 0);
                assert_int_equal(0, watchers[i].torn);
        }
        assert_int_equal(0, count_findings(world->db));
}

static void a_newer_store_is_refused_by_name(void **state)
{
        struct world *world = *state;
        char *why = NULL;
        assert_int_equal(DB_OK, db_exec(world->db, "UPDATE meta SET value = 999 WHERE name = 'schema'"));
        assert_int_equal(DB_NEWER, db_migrate(world->db, &why));
        assert_non_null(strstr(why, "999"));
        free(why);
}

static void a_foreign_database_is_not_taken_over(void **state)
{
        struct world *world = *state;
        struct db *db = store_open(world->driver, place_path(&world->place, "foreign.db"), DB_WRITER);
        assert_int_equal(DB_OK, db_exec(db, "CREATE TABLE meta (name TEXT, value TEXT)"));
        assert_int_equal(DB_DAMAGED, db_migrate(db, NULL));
        assert_int_equal(1, ask(db, "SELECT count(*) FROM sqlite_schema"));
        db_close(db);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
        struct world *world = *state;
        const char *path = place_path(&world->place, "letter.db");
        FILE *file = fopen(path, "w");
        for (int i = 0; i < 1000; i++)
                fputs("this is not a database at all\n", file);
        fclose(file);
        struct db *db = NULL;
        char *why = NULL;
        assert_int_equal(DB_DAMAGED, db_open(world->driver, path, DB_WRITER, &db, &why));
        assert_non_null(strstr(why, "letter.db"));
        free(why);
}

static const struct sql_migration steps[] = {
        {"core", "CREATE TABLE meta (name TEXT PRIMARY KEY, value); PRAGMA application_id = 1147499371;"},
        {"more", "CREATE TABLE more (id INTEGER PRIMARY KEY); INSERT INTO more VALUES (7);"},
        {"wrong", "CREATE TABLE half (id INTEGER PRIMARY KEY); INSERT INTO nowhere VALUES (1);"},
};

static void a_store_is_brought_up_to_date_and_its_old_form_kept(void **state)
{
        struct world *world = *state;
        const char *path = place_path(&world->place, "old.db");
        struct db *db = store_open(world->driver, path, DB_WRITER);
        assert_int_equal(DB_OK, db_migrate_list(db, (struct db_migrations){steps, 1}, true, NULL));
        assert_int_equal(DB_OK, db_migrate_list(db, (struct db_migrations){steps, 2}, true, NULL));
        assert_int_equal(7, ask(db, "SELECT id FROM more"));
        assert_int_equal(2, ask(db, "SELECT value FROM meta WHERE name = 'schema'"));
        struct db *old = store_open(world->driver, place_path(&world->place, "old.db.schema-1"), DB_WRITER);
        assert_int_equal(1, ask(old, "SELECT value FROM meta WHERE name = 'schema'"));
        db_close(old);
        db_close(db);
}

static void a_migration_that_fails_leaves_the_store_as_it_was(void **state)
{
        struct world *world = *state;
        char *why = NULL;
        struct db *db = store_open(world->driver, place_path(&world->place, "old.db"), DB_WRITER);
        assert_int_equal(DB_OK, db_migrate_list(db, (struct db_migrations){steps, 2}, true, NULL));
        assert_int_equal(DB_MISUSE, db_migrate_list(db, (struct db_migrations){steps, 3}, true, &why));
        assert_non_null(strstr(why, "wrong"));
        free(why);
        assert_int_equal(2, ask(db, "SELECT value FROM meta WHERE name = 'schema'"));
        assert_int_equal(0, ask(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'"));
        db_close(db);
}

static void every_statement_can_be_prepared(void **state)
{
        struct world *world = *state;
        for (int id = 0; id < SQL_COUNT; id++) {
                struct db_stmt *stmt = db_stmt(world->db, (enum sql_id)id);
                for (int i = 1; i <= sql_param_counts[id]; i++)
                        db_bind_int(stmt, i, 1);
                assert_int_equal(DB_OK, db_begin(world->db));
                int rc = db_step(stmt);
                db_reset(stmt);
                db_rollback(world->db);
                if (rc != DB_OK && rc != DB_ROW && rc != DB_CONSTRAINT)
                        fail_msg("%s: %s", sql_names[id], db_message(world->db));
        }
}

static void the_check_finds(struct world *world, const char *damage)
{
        assert_int_equal(DB_OK, db_begin(world->db));
        assert_int_equal(DB_OK, store_append(world->db, 1, 1, "one"));
        assert_int_equal(DB_OK, store_append(world->db, 1, 2, "two"));
        assert_int_equal(DB_OK, store_append(world->db, 2, 1, "one"));
        assert_int_equal(DB_OK, db_commit(world->db));
        assert_int_equal(0, count_findings(world->db));
        assert_int_equal(DB_OK, db_exec(world->db, damage));
        if (count_findings(world->db) <= 0)
                fail_msg("not found: %s", damage);
}

static void the_check_finds_a_head_beyond_the_log(void **state)
{
        the_check_finds(*state, "UPDATE conversation SET head = 3 WHERE id = 1");
}

static void the_check_finds_a_hole_in_a_log(void **state)
{
        the_check_finds(*state, "DELETE FROM entry WHERE conv = 1 AND seq = 1");
}

static void the_check_finds_a_team_log_without_its_head(void **state)
{
        the_check_finds(*state, "INSERT INTO entry (conv, log, seq, ts, kind) VALUES (1, 1, 1, 9, 1)");
}

static void the_check_finds_entries_of_no_conversation(void **state)
{
        the_check_finds(*state, "INSERT INTO entry (conv, log, seq, ts, kind) VALUES (77, 0, 1, 9, 1)");
}

static void the_check_finds_a_scope_row_of_no_conversation(void **state)
{
        the_check_finds(*state, "INSERT INTO scope (scope, rev, conv) VALUES (8, 1, 77)");
}

static void the_check_finds_a_read_mark_beyond_the_head(void **state)
{
        the_check_finds(*state, "UPDATE conversation SET customer_recv = 9, customer_read = 9 WHERE id = 1");
}

static void the_check_finds_a_client_message_id_used_twice(void **state)
{
        the_check_finds(*state, "DROP INDEX entry_cmid; UPDATE entry SET cmid = x'00112233445566778899aabbccddeeff'");
}

static void the_check_finds_time_going_backwards(void **state)
{
        the_check_finds(*state, "UPDATE entry SET ts = 1 WHERE conv = 1 AND seq = 2");
}

static void the_check_finds_a_message_without_its_row_for_a_webhook(void **state)
{
        the_check_finds(*state,
                        "INSERT INTO webhook (workspace, ext, url, events, secret, since_ms, created_ms) VALUES "
                        "(1, 7, 'https://shop.example/', 1, x'00', 1001, 1)");
}

static void the_check_finds_a_bot_that_speaks_with_nothing_of_its_own(void **state)
{
        the_check_finds(*state, "INSERT INTO app (id, workspace, ext, name, created_ms) VALUES (9, 1, 9, 'Shop', 1);"
                                "INSERT INTO principal (id, workspace, ext, role, created_ms) VALUES (9, 1, 9, 3, 1);"
                                "INSERT INTO bot (id, workspace, app, principal, kind, live, created_ms) "
                                "VALUES (1, 1, 9, 9, 1, 7, 1)");
}

static void the_check_finds_a_bot_that_answered_what_nobody_asked(void **state)
{
        the_check_finds(*state, "INSERT INTO app (id, workspace, ext, name, created_ms) VALUES (9, 1, 9, 'Shop', 1);"
                                "INSERT INTO principal (id, workspace, ext, role, created_ms) VALUES (9, 1, 9, 3, 1);"
                                "INSERT INTO bot (id, workspace, app, principal, kind, created_ms) "
                                "VALUES (1, 1, 9, 9, 2, 1);"
                                "INSERT INTO bot_state (conv, bot, asked, answered) VALUES (1, 1, 1, 2)");
}

static void the_check_finds_a_question_kept_longer_than_its_message(void **state)
{
        the_check_finds(*state, "INSERT INTO bot_event (bot, conv, seq, at_ms, kind, question) "
                                "VALUES (1, 1, 1, 9, 3, 'one');"
                                "UPDATE entry SET body = NULL WHERE conv = 1 AND seq = 1");
}

static void the_check_finds_a_broken_reference(void **state)
{
        the_check_finds(*state, "PRAGMA foreign_keys = OFF; UPDATE conversation SET customer = 99 WHERE id = 2");
}

static void the_check_finds_a_flipped_byte(void **state)
{
        struct world *world = *state;
        write_rows(world->db, 300);
        world->db = db_close(world->db);
        FILE *file = fopen(world->place.path, "r+b");
        fseek(file, 200 * 4096, SEEK_SET);
        for (int i = 0; i < 64; i++)
                fputc(0xee, file);
        fclose(file);
        world->db = store_open(world->driver, world->place.path, DB_WRITER);
        assert_true(count_findings(world->db) > 0);
}

static int set_up_with(void **state, const struct db_driver *driver)
{
        struct world *world = calloc(1, sizeof *world);
        db_fault_reset(&db_sqlite);
        world->driver = driver;
        place_make(&world->place);
        world->db = store_make(driver, world->place.path, 3);
        *state = world;
        return 0;
}

static int set_up_plain(void **state)
{
        return set_up_with(state, &db_sqlite);
}

static int set_up_wrapped(void **state)
{
        return set_up_with(state, &db_fault);
}

static int tear_down(void **state)
{
        struct world *world = *state;
        db_close(world->db);
        place_remove(&world->place);
        free(world);
        return 0;
}

#define ALL_TESTS(X)                                                                                                   \
        X(numbers_texts_and_blobs_come_back_as_they_were_bound)                                                        \
        X(parameters_are_bound_by_number_whatever_their_order_in_the_text)                                             \
        X(a_reset_statement_has_forgotten_what_was_bound)                                                              \
        X(a_statement_asked_for_again_is_ready_though_it_was_left_at_a_row)                                            \
        X(a_statement_that_cannot_be_prepared_answers_its_error)                                                       \
        X(a_parameter_out_of_range_is_answered_by_the_step)                                                            \
        X(a_broken_rule_fails_its_statement_and_not_the_transaction)                                                   \
        X(changes_tell_an_insert_from_one_that_met_its_key)                                                            \
        X(a_savepoint_undoes_its_part_only)                                                                            \
        X(a_rollback_leaves_nothing)                                                                                   \
        X(transactions_out_of_turn_are_misuse)                                                                         \
        X(a_reader_keeps_its_view_from_begin_to_end)                                                                   \
        X(a_reader_cannot_write)                                                                                       \
        X(a_reader_does_not_make_a_store)                                                                              \
        X(files_are_the_owners_alone_under_any_umask)                                                                  \
        X(a_store_has_the_settings_of_the_house)                                                                       \
        X(a_new_store_has_an_epoch_of_its_own_and_keeps_it)                                                            \
        X(a_renewed_epoch_is_another_one)                                                                              \
        X(what_was_committed_survives_the_death_of_the_process)                                                        \
        X(an_emptied_log_keeps_nothing_of_what_was_erased)                                                             \
        X(an_emptied_log_waits_for_a_reader_and_says_so)                                                               \
        X(the_log_is_moved_only_when_it_is_worth_while)                                                                \
        X(a_log_that_was_moved_is_used_again_from_its_beginning)                                                       \
        X(readers_see_whole_batches_while_the_writer_commits_and_checkpoints)                                          \
        X(a_newer_store_is_refused_by_name)                                                                            \
        X(a_foreign_database_is_not_taken_over)                                                                        \
        X(a_file_that_is_no_database_is_refused)                                                                       \
        X(a_store_is_brought_up_to_date_and_its_old_form_kept)                                                         \
        X(a_migration_that_fails_leaves_the_store_as_it_was)                                                           \
        X(every_statement_can_be_prepared)                                                                             \
        X(the_check_finds_a_head_beyond_the_log)                                                                       \
        X(the_check_finds_a_hole_in_a_log)                                                                             \
        X(the_check_finds_a_team_log_without_its_head)                                                                 \
        X(the_check_finds_entries_of_no_conversation)                                                                  \
        X(the_check_finds_a_scope_row_of_no_conversation)                                                              \
        X(the_check_finds_a_read_mark_beyond_the_head)                                                                 \
        X(the_check_finds_a_client_message_id_used_twice)                                                              \
        X(the_check_finds_time_going_backwards)                                                                        \
        X(the_check_finds_a_message_without_its_row_for_a_webhook)                                                     \
        X(the_check_finds_a_bot_that_speaks_with_nothing_of_its_own)                                                   \
        X(the_check_finds_a_bot_that_answered_what_nobody_asked)                                                       \
        X(the_check_finds_a_question_kept_longer_than_its_message)                                                     \
        X(the_check_finds_a_broken_reference)                                                                          \
        X(the_check_finds_a_flipped_byte)

#define PLAIN(name)   cmocka_unit_test_setup_teardown(name, set_up_plain, tear_down),
#define WRAPPED(name) cmocka_unit_test_setup_teardown(name, set_up_wrapped, tear_down),

int main(void)
{
        const struct CMUnitTest plain[] = {ALL_TESTS(PLAIN)};
        const struct CMUnitTest wrapped[] = {ALL_TESTS(WRAPPED)};
        int failed = cmocka_run_group_tests_name("sqlite", plain, NULL, NULL);
        return failed + cmocka_run_group_tests_name("fault around sqlite", wrapped, NULL, NULL);
}
