/* SPDX-License-Identifier: Apache-2.0 */
/* Attachments at the desk: who may begin what, which message may carry what, and when a file leaves the disk: after the
 * commit that lets it go and never before (delivery, Attachments; A2, A4). */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "unit/desk/room.h"

#define SUM "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define A   "01900000000000000000000000000a01"
#define B   "01900000000000000000000000000b02"

enum { DAY_MS = 24 * 3600 * 1000 };

struct scene {
        struct room *room;
        struct client ann, bob, eve;
        char *conv;
        unsigned ends;
};

static struct scene scene_of(void **state)
{
        struct scene scene = {.room = *state};
        scene.ann = room_customer(scene.room, "ann", 0);
        scene.bob = room_customer(scene.room, "bob", 0);
        scene.eve = room_agent(scene.room, "Eve", 0);
        scene.conv = room_conversation(scene.room, &scene.ann, "main");
        return scene;
}

static json_t *begin(struct scene *scene, const struct client *who, const char *cmid, int size)
{
        return room_ask(scene->room, who, "upload.begin",
                        "{\"cmid\":\"%s\",\"name\":\"a.txt\",\"size\":%d,\"media\":\"text/plain\"}",
                        cmid ? cmid : room_cmid(scene->room), size);
}

/* The answer's file; consumes the answer. */
static void take_file(json_t *answer, char out[33])
{
        const char *file = words(answer, "result.file");
        assert_non_null(file);
        snprintf(out, 33, "%s", file);
        json_decref(answer);
}

static char *path_of(const struct scene *scene, const char *file)
{
        uint8_t id[FILE_ID_BYTES];
        assert_int_equal(0, file_id_read(span_of(file), id));
        return layout_whole(scene->room->dir, id);
}

static bool is_on_disk(const struct scene *scene, const char *file)
{
        struct stat facts;
        char *path = path_of(scene, file);
        bool is_there = stat(path, &facts) == 0;
        free(path);
        return is_there;
}

/* What a files thread would have found. */
static json_t *end(struct scene *scene, const struct client *who, const char *file, int result)
{
        struct request_id id = {0};
        struct fault fault = {0};
        struct desk_command *command = NULL;
        uint8_t bytes[FILE_ID_BYTES];
        char params[160];
        unsigned number = 900000 + scene->ends++;
        int len = snprintf(params, sizeof params, "{\"file\":\"%s\",\"sha256\":\"" SUM "\"}", file);
        id.len = (uint8_t)snprintf(id.raw, sizeof id.raw, "%u", number);
        assert_int_equal(0, file_id_read(span_of(file), bytes));
        assert_int_equal(0, command_decode(PROTOCOL_M_UPLOAD_END, &id, (struct span){params, (size_t)len},
                                           ROLE_CUSTOMER, &command, &fault));
        command->from = who->ref;
        command->caller = who->caller;
        command->ended = file_job_new(FILE_FINISH, bytes, 0);
        command->ended->result = result;
        command->ended->facts = (struct media_facts){"image/png", 640, 480};
        assert_int_equal(0, desk_post(scene->room->desk, command));
        room_turn(scene->room);
        return room_answer(scene->room, number);
}

/* A whole file, on the disk too. */
static void make_file(struct scene *scene, const struct client *who, char out[33])
{
        take_file(begin(scene, who, NULL, 5), out);
        take_result(end(scene, who, out, 0));
        char *path = path_of(scene, out), *slash = strrchr(path, '/');
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs("hello", file);
        fclose(file);
        free(path);
}

static json_t *send_file(struct scene *scene, const struct client *who, const char *cmid, const char *file,
                         const char *more)
{
        return room_ask(scene->room, who, "message.send",
                        "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"attachment\",\"fallback_text\":\"f\",\"files\":[{"
                        "\"file\":\"%s\",\"name\":\"a.txt\",\"media\":\"image/png\",\"size\":5,\"sha256\":\"" SUM
                        "\"%s}]}",
                        cmid ? cmid : room_cmid(scene->room), scene->conv, file, more);
}

static void a_repeat_of_begin_is_the_same_upload(void **state)
{
        struct scene scene = scene_of(state);
        char first[33], again[33], other[33];
        take_file(begin(&scene, &scene.ann, A, 5), first);
        take_file(begin(&scene, &scene.ann, A, 5), again);
        assert_string_equal(first, again);
        take_error(begin(&scene, &scene.ann, A, 6), "idempotency_conflict");
        take_file(begin(&scene, &scene.bob, A, 5), other); /* a key is its author's */
        assert_string_not_equal(first, other);
        assert_int_equal(2, room_sql(scene.room, "SELECT count(*) FROM file"));
        free(scene.conv);
}

static void size_day_and_quota_are_kept(void **state)
{
        struct scene scene = scene_of(state);
        take_error(begin(&scene, &scene.ann, NULL, (1 << 20) + 1), "attachment_too_large");
        take_result(begin(&scene, &scene.ann, NULL, 1 << 20));
        take_result(begin(&scene, &scene.ann, NULL, 1 << 20));
        take_result(begin(&scene, &scene.ann, NULL, 1 << 19));
        take_error(begin(&scene, &scene.ann, NULL, 1 << 20), "storage_full");
        take_result(begin(&scene, &scene.ann, NULL, 1 << 19));
        json_t *answer = begin(&scene, &scene.ann, NULL, 1);
        assert_string_equal("rate_limited", words(answer, "error.data.tag"));
        assert_in_range(number(answer, "error.data.retry_after_ms"), DAY_MS - 60000, DAY_MS);
        json_decref(answer);
        take_error(begin(&scene, &scene.eve, NULL, 1), "storage_full");
        free(scene.conv);
}

static void only_a_whole_file_of_ones_own_as_it_is_gets_into_one_message(void **state)
{
        struct scene scene = scene_of(state);
        char part[33], bobs[33], mine[33];
        take_file(begin(&scene, &scene.ann, NULL, 5), part);
        make_file(&scene, &scene.bob, bobs);
        make_file(&scene, &scene.ann, mine);
        take_error(send_file(&scene, &scene.ann, NULL, part, ""), "file_unknown");
        take_error(send_file(&scene, &scene.ann, NULL, bobs, ""), "file_unknown");
        take_error(send_file(&scene, &scene.ann, NULL, mine, ",\"width\":641"), "file_unknown");
        json_t *wrong = send_file(&scene, &scene.ann, NULL, "00000000000000000000000000000001", "");
        assert_string_equal("files[0]", words(wrong, "error.data.field"));
        json_decref(wrong);
        assert_int_equal(1, take_seq(send_file(&scene, &scene.ann, A, mine, ",\"width\":640,\"height\":480")));
        json_t *again = send_file(&scene, &scene.ann, A, mine, ",\"width\":640,\"height\":480");
        assert_true(json_is_true(json_object_get(json_object_get(again, "result"), "dup")));
        json_decref(again);
        take_error(send_file(&scene, &scene.ann, B, mine, ""), "file_unknown");
        assert_int_equal(1, room_sql(scene.room, "SELECT count(*) FROM file WHERE conv <> 0 AND seq = 1"));
        room_check(scene.room);
        free(scene.conv);
}

static void a_file_leaves_the_disk_only_after_its_erasure_was_committed(void **state)
{
        struct scene scene = scene_of(state);
        char file[33];
        make_file(&scene, &scene.ann, file);
        take_seq(send_file(&scene, &scene.ann, NULL, file, ""));
        assert_true(db_fault_add((struct db_fault_rule){.op = DB_FAULT_COMMIT,
                                                        .kind = DB_FAULT_FAIL,
                                                        .mode = DB_WRITER,
                                                        .nth = db_fault_calls(DB_FAULT_COMMIT, DB_WRITER) + 1,
                                                        .error = DB_FULL}));
        take_error(room_ask(scene.room, &scene.ann, "message.erase", "{\"cmid\":\"" A "\",\"conv\":\"%s\",\"of\":1}",
                            scene.conv),
                   "storage_full");
        assert_true(is_on_disk(&scene, file));
        db_fault_reset(&db_sqlite);
        scene.room->desk->retry_write_ms = 0;
        take_result(room_ask(scene.room, &scene.ann, "message.erase", "{\"cmid\":\"" A "\",\"conv\":\"%s\",\"of\":1}",
                             scene.conv));
        room_turn(scene.room);
        assert_false(is_on_disk(&scene, file));
        assert_int_equal(0, room_sql(scene.room, "SELECT count(*) FROM file WHERE state = 2 OR name <> ''"));
        free(scene.conv);
}

static void what_a_crash_left_after_the_commit_goes_at_the_next_start(void **state)
{
        struct scene scene = scene_of(state);
        char file[33];
        make_file(&scene, &scene.ann, file);
        room_close(scene.room);
        struct db *db = NULL;
        assert_int_equal(DB_OK, db_open(&db_sqlite, scene.room->path, DB_WRITER, &db, NULL));
        assert_int_equal(DB_OK, db_begin(db)); /* as the erasing transaction left it */
        struct file_row row;
        uint8_t id[FILE_ID_BYTES];
        file_id_read(span_of(file), id);
        assert_int_equal(DB_ROW, file_rows_by_ext(db, id, &row));
        assert_int_equal(DB_OK, file_rows_let_go(db, row.id));
        assert_int_equal(DB_OK, db_commit(db));
        db_close(db);
        assert_true(is_on_disk(&scene, file));
        room_open(scene.room);
        struct client ann = room_customer(scene.room, "ann", 0); /* the first commit */
        room_turn(scene.room);
        assert_false(is_on_disk(&scene, file));
        room_leave(scene.room, &ann);
        free(scene.conv);
}

static void what_no_message_carries_goes_after_a_day_and_not_before(void **state)
{
        struct scene scene = scene_of(state);
        char loose[33], sent[33], later[33];
        make_file(&scene, &scene.ann, loose);
        make_file(&scene, &scene.ann, sent);
        take_seq(send_file(&scene, &scene.ann, NULL, sent, ""));
        scene.room->desk->now_ms = clock_wall_ms() + DAY_MS / 2;
        assert_int_equal(0, uploads_sweep_run(scene.room->desk, 0, (struct span){0}));
        make_file(&scene, &scene.bob, later);
        assert_true(is_on_disk(&scene, loose));
        assert_int_equal(DB_OK, db_begin(scene.room->desk->db));
        scene.room->desk->now_ms = clock_wall_ms() + DAY_MS + 1000;
        assert_int_equal(0, uploads_sweep_run(scene.room->desk, 0, (struct span){0}));
        assert_int_equal(DB_OK, db_commit(scene.room->desk->db));
        uploads_committed(scene.room->desk);
        room_turn(scene.room);
        assert_false(is_on_disk(&scene, loose));
        assert_true(is_on_disk(&scene, sent));
        assert_int_equal(1,
                         room_sql(scene.room, "SELECT count(*) FROM job WHERE kind = 3")); /* asks again until done */
        free(scene.conv);
}

static void wrong_bytes_end_the_upload_and_missing_ones_do_not(void **state)
{
        struct scene scene = scene_of(state);
        char file[33];
        take_file(begin(&scene, &scene.ann, NULL, 5), file);
        take_error(end(&scene, &scene.ann, file, -PROTOCOL_ERR_INCOMPLETE), "incomplete");
        take_error(end(&scene, &scene.bob, file, 0), "not_found");
        take_error(end(&scene, &scene.ann, file, -PROTOCOL_ERR_STORAGE_FULL), "storage_full");
        take_error(end(&scene, &scene.ann, file, -PROTOCOL_ERR_WRONG_HASH), "wrong_hash");
        take_error(end(&scene, &scene.ann, file, 0), "not_found");
        take_error(room_ask(scene.room, &scene.ann, "upload.cancel", "{\"file\":\"%s\"}", file), "not_found");
        free(scene.conv);
}

static void an_erased_person_takes_every_file_of_his_conversations(void **state)
{
        struct scene scene = scene_of(state);
        char mine[33], answer[33], loose[33], bobs[33];
        make_file(&scene, &scene.ann, mine);
        make_file(&scene, &scene.eve, answer);
        make_file(&scene, &scene.ann, loose);
        make_file(&scene, &scene.bob, bobs);
        take_seq(send_file(&scene, &scene.ann, NULL, mine, ""));
        take_seq(send_file(&scene, &scene.eve, NULL, answer, ""));
        json_decref(room_operate(scene.room, "customer.erase", "{\"cmid\":\"%s\",\"customer\":\"%s\"}",
                                 room_cmid(scene.room), scene.ann.id));
        room_turn(scene.room);
        assert_false(is_on_disk(&scene, mine) || is_on_disk(&scene, answer) || is_on_disk(&scene, loose));
        assert_true(is_on_disk(&scene, bobs));
        free(scene.conv);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_repeat_of_begin_is_the_same_upload, room_set_up, room_tear_down),
                cmocka_unit_test_setup_teardown(size_day_and_quota_are_kept, room_set_up, room_tear_down),
                cmocka_unit_test_setup_teardown(only_a_whole_file_of_ones_own_as_it_is_gets_into_one_message,
                                                room_set_up, room_tear_down),
                cmocka_unit_test_setup_teardown(a_file_leaves_the_disk_only_after_its_erasure_was_committed,
                                                room_set_up, room_tear_down),
                cmocka_unit_test_setup_teardown(what_a_crash_left_after_the_commit_goes_at_the_next_start, room_set_up,
                                                room_tear_down),
                cmocka_unit_test_setup_teardown(what_no_message_carries_goes_after_a_day_and_not_before, room_set_up,
                                                room_tear_down),
                cmocka_unit_test_setup_teardown(wrong_bytes_end_the_upload_and_missing_ones_do_not, room_set_up,
                                                room_tear_down),
                cmocka_unit_test_setup_teardown(an_erased_person_takes_every_file_of_his_conversations, room_set_up,
                                                room_tear_down),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
