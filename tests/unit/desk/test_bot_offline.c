/* SPDX-License-Identifier: Apache-2.0 */
/* bot.offline: customers' devices get the live version of their app's bot, in pieces, when the operator lets it go. */
#include "unit/desk/room.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOB = 120000, PIECE = 48 * 1024 };

#define HASH  "1111111111111111111111111111111111111111111111111111111111111111"
#define OTHER "2222222222222222222222222222222222222222222222222222222222222222"

/* A bot of the room's app with two versions. */
static void make_bot(struct room *room)
{
        char script[1200];
        snprintf(script, sizeof script,
                 "INSERT INTO principal(id, ext, workspace, role, name, created_ms) SELECT 900, 900, workspace, 3, "
                 "'Ben', 1 FROM app LIMIT 1;"
                 "INSERT INTO bot(id, workspace, app, principal, kind, is_on, is_offline, live, created_ms)"
                 " SELECT 1, workspace, id, 900, 1, 1, 1, 1, 1 FROM app WHERE id = %lld;"
                 "INSERT INTO bot_version(id, bot, hash, source, blob, created_ms) VALUES"
                 "(1, 1, x'" HASH "', '{}', zeroblob(%d), 1), (2, 1, x'" OTHER "', '{}', x'aabbcc', 1)",
                 (long long)room->app_row, BLOB);
        if (db_exec(room->desk->db, script) != DB_OK)
                fail_msg("%s", db_message(room->desk->db));
}

static void set(struct room *room, const char *what)
{
        char script[200];
        snprintf(script, sizeof script, "UPDATE bot SET %s", what);
        assert_int_equal(DB_OK, db_exec(room->desk->db, script));
}

/* Bytes of the piece; -1: none. */
static int piece_len(const json_t *answer)
{
        const char *text = words(answer, "result.part");
        unsigned char bytes[PIECE + 3];
        if (!text)
                return -1;
        size_t len = strlen(text);
        assert_true(len / 4 * 3 <= sizeof bytes);
        int got = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len);
        return got - (text[len - 1] == '=') - (text[len - 2] == '=');
}

static void a_version_is_read_in_pieces_to_its_end(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        int64_t have = 0;
        make_bot(room);
        for (int piece = 0; have < BLOB; piece++) {
                json_t *answer = room_read(room, &ann, "bot.offline", "{\"part_of\":\"" HASH "\",\"offset\":%lld}",
                                           (long long)have);
                assert_true(piece < 4);
                assert_string_equal(HASH, words(answer, "result.version"));
                assert_int_equal(BLOB, number(answer, "result.size"));
                assert_int_equal(have, number(answer, "result.offset"));
                int len = piece_len(answer);
                assert_int_equal(BLOB - have < PIECE ? BLOB - have : PIECE, len);
                have += len;
                bool more = json_is_true(json_object_get(json_object_get(answer, "result"), "more"));
                assert_int_equal(have < BLOB, more);
                json_decref(answer);
        }
        json_t *answer = room_read(room, &ann, "bot.offline", "{\"have\":\"" HASH "\"}");
        assert_string_equal(HASH, words(answer, "result.version"));
        assert_int_equal(-1, piece_len(answer));
        json_decref(answer);
}

static void pieces_of_another_version_begin_anew(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        make_bot(room);
        set(room, "live = 2");
        json_t *answer = room_read(room, &ann, "bot.offline",
                                   "{\"have\":\"" HASH "\",\"part_of\":\"" HASH "\",\"offset\":%d}", PIECE);
        assert_string_equal(OTHER, words(answer, "result.version"));
        assert_int_equal(0, number(answer, "result.offset"));
        assert_string_equal("qrvM", words(answer, "result.part"));
        json_decref(answer);
        answer = room_read(room, &ann, "bot.offline", "{\"part_of\":\"" OTHER "\",\"offset\":3}"); /* its end */
        assert_int_equal(0, number(answer, "result.offset"));
        json_decref(answer);
}

static void expect_none(struct room *room, const struct client *who)
{
        json_t *answer = room_read(room, who, "bot.offline", "{\"have\":\"" HASH "\"}");
        assert_true(json_is_object(json_object_get(answer, "result")));
        assert_int_equal(0, json_object_size(json_object_get(answer, "result")));
        json_decref(answer);
}

static void what_is_off_removed_not_built_in_or_not_let_go_is_not_given(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        expect_none(room, &ann); /* no bot at all */
        make_bot(room);
        static const char *const changes[][2] = {{"is_on = 0", "is_on = 1"},
                                                 {"is_offline = 0", "is_offline = 1"},
                                                 {"live = 0", "live = 1"},
                                                 {"kind = 2", "kind = 1"},
                                                 {"removed_ms = 5", "removed_ms = 0"}};
        for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
                set(room, changes[i][0]);
                expect_none(room, &ann);
                set(room, changes[i][1]);
        }
        json_t *answer = room_read(room, &ann, "bot.offline", "{}");
        assert_int_equal(PIECE, piece_len(answer));
        json_decref(answer);
}

static void a_version_larger_than_devices_take_is_not_given(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        char script[160];
        make_bot(room);
        snprintf(script, sizeof script, "UPDATE bot_version SET blob = zeroblob(%d)", PROTOCOL_OFFLINE_BYTES + 1);
        assert_int_equal(DB_OK, db_exec(room->desk->db, script));
        expect_none(room, &ann);
}

static void the_bot_of_another_app_is_not_given(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        make_bot(room);
        json_t *added = room_operate(room, "app.add", "{\"cmid\":\"%s\",\"name\":\"other\"}", room_cmid(room));
        json_decref(added);
        char script[160];
        snprintf(script, sizeof script, "UPDATE bot SET app = (SELECT id FROM app WHERE id <> %lld LIMIT 1)",
                 (long long)room->app_row);
        assert_int_equal(DB_OK, db_exec(room->desk->db, script));
        expect_none(room, &ann);
}

static void staff_has_no_app_and_gets_nothing(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0);
        make_bot(room);
        expect_none(room, &eve); /* the session refuses it before */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {
                T(a_version_is_read_in_pieces_to_its_end),
                T(pieces_of_another_version_begin_anew),
                T(what_is_off_removed_not_built_in_or_not_let_go_is_not_given),
                T(a_version_larger_than_devices_take_is_not_given),
                T(the_bot_of_another_app_is_not_given),
                T(staff_has_no_app_and_gets_nothing),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
