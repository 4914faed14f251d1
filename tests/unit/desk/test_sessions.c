/* SPDX-License-Identifier: Apache-2.0 */
/* session.open, devices, keys, revocation, what an operator does once (A6, security 12, 14, 16), epoch and mark (R5).
 */
#include "unit/desk/room.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ops/mark.h"

#define A "01900000000000000000000000000a01"
#define B "01900000000000000000000000000b02"

static void a_user_is_one_principal_on_all_devices(void **state)
{
        struct room *room = *state;
        struct client phone = room_customer(room, "ann", 0), tablet = room_customer(room, "ann", 1);
        assert_string_equal(phone.id, tablet.id);
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM principal WHERE role = 1"));
        assert_int_equal(2, room_sql(room, "SELECT count(*) FROM device"));
        room_check(room);
}

static void a_name_in_the_token_replaces_the_one_known_and_a_missing_one_does_not(void **state)
{
        struct room *room = *state;
        struct opening opening = room_user(room, "ann");
        struct client client;
        json_t *answer;
        snprintf(opening.name, sizeof opening.name, "Ann");
        assert_true(room_enter(room, &opening, 0, NULL, &client, NULL));
        opening.name[0] = 0;
        assert_true(room_enter(room, &opening, 0, NULL, &client, &answer));
        assert_string_equal("Ann", words(answer, "result.name"));
        json_decref(answer);
        snprintf(opening.name, sizeof opening.name, "Anna");
        assert_true(room_enter(room, &opening, 0, NULL, &client, &answer));
        assert_string_equal("Anna", words(answer, "result.name"));
        json_decref(answer);
        room_check(room);
}

static void the_newer_connection_of_a_device_replaces_the_older(void **state)
{
        struct room *room = *state;
        struct client first = room_customer(room, "ann", 0);
        room_customer(room, "ann", 1);
        room_forget(room);
        struct client second = room_customer(room, "ann", 0);
        assert_int_equal(1, room_count(room, NOTE_CLOSE, NULL));
        const struct room_note *told = room_told(room, NOTE_CLOSE, NULL, 0);
        assert_int_equal(PROTOCOL_CLOSE_REPLACED, told->close_code);
        assert_int_equal(first.ref.slot, told->to.slot);
        room_leave(room, &first);
        assert_non_null(sessions_find(room->desk, second.ref));
        assert_int_equal(2, room->desk->sessions.count);
}

static void one_device_more_than_the_limit_is_refused_until_one_leaves(void **state)
{
        struct room *room = *state;
        struct client clients[3], more;
        struct opening opening = room_user(room, "ann");
        json_t *answer;
        for (int i = 0; i < 3; i++)
                clients[i] = room_customer(room, "ann", i);
        room_forget(room);
        assert_false(room_enter(room, &opening, 3, NULL, &more, &answer));
        take_error(answer, "too_many");
        assert_int_equal(PROTOCOL_CLOSE_RATE_LIMITED, room_told(room, NOTE_REFUSED, NULL, 0)->close_code);
        assert_true(room_enter(room, &opening, 2, NULL, &clients[2], NULL));
        room_leave(room, &clients[0]);
        assert_true(room_enter(room, &opening, 3, NULL, &more, NULL));
}

static void a_client_may_name_new_devices_for_ever_without_filling_the_store(void **state)
{
        struct room *room = *state;
        for (int i = 0; i < 200; i++) {
                struct client client = room_customer(room, "ann", i);
                room_leave(room, &client);
                clock_shift_wall(1000);
        }
        assert_in_range(room_sql(room, "SELECT count(*) FROM device"), 1, 65);
}

static void a_visitor_comes_back_with_his_secret_in_his_app_only(void **state)
{
        struct room *room = *state;
        struct opening opening = {.how = OPENING_NEW_VISITOR, .workspace = room->desk->workspace, .app = room->app_row};
        struct client visitor, again;
        json_t *answer;
        snprintf(opening.secret, sizeof opening.secret, "s3cret");
        memset(opening.secret_hash, 7, sizeof opening.secret_hash);
        assert_true(room_enter(room, &opening, 0, NULL, &visitor, &answer));
        assert_string_equal("s3cret", words(answer, "result.visitor_secret"));
        json_decref(answer);
        opening.how = OPENING_VISITOR;
        assert_true(room_enter(room, &opening, 0, NULL, &again, &answer));
        assert_string_equal(visitor.id, again.id);
        assert_null(words(answer, "result.visitor_secret"));
        json_decref(answer);
        opening.app++;
        room_forget(room);
        assert_false(room_enter(room, &opening, 0, NULL, &again, &answer));
        take_error(answer, "token_invalid");
        assert_int_equal(PROTOCOL_CLOSE_TOKEN_INVALID, room_told(room, NOTE_REFUSED, NULL, 0)->close_code);
        opening.app--;
        memset(opening.secret_hash, 8, sizeof opening.secret_hash);
        assert_false(room_enter(room, &opening, 0, NULL, &again, &answer));
        take_error(answer, "token_invalid");
}

static void no_common_version_is_refused_with_4010(void **state)
{
        struct room *room = *state;
        struct opening opening = room_user(room, "ann");
        struct desk_command *command = NULL;
        struct fault fault = {0};
        struct request_id id = {1, "9"};
        assert_int_equal(0, command_decode(PROTOCOL_M_SESSION_OPEN, &id,
                                           SPAN("{\"token\":\"x\",\"device\":\"00000000000000000000000000000001\","
                                                "\"protocol\":{\"min\":2,\"max\":9}}"),
                                           ROLE_NONE, &command, &fault));
        command->opening = malloc(sizeof opening);
        *command->opening = opening;
        command->from = (struct edge_ref){.slot = 77, .generation = 1};
        assert_int_equal(0, desk_post(room->desk, command));
        room_turn(room);
        take_error(room_answer(room, 9), "upgrade_required");
        assert_int_equal(PROTOCOL_CLOSE_UPGRADE_REQUIRED, room_told(room, NOTE_REFUSED, NULL, 0)->close_code);
        assert_int_equal(0, room->desk->sessions.count);
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM principal"));
}

/* --- revocation --- */

static void a_revoked_customer_is_closed_and_older_tokens_are_refused(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0), bob = room_customer(room, "bob", 0);
        struct opening opening = room_user(room, "ann");
        json_t *answer;
        (void)bob;
        room_forget(room);
        take_result(room_operate(room, "customer.revoke", "{\"cmid\":\"" A "\",\"customer\":\"%s\"}", ann.id));
        assert_int_equal(1, room_count(room, NOTE_CLOSE, NULL));
        assert_int_equal(PROTOCOL_CLOSE_REVOKED, room_told(room, NOTE_CLOSE, NULL, 0)->close_code);
        assert_int_equal(ann.ref.slot, room_told(room, NOTE_CLOSE, NULL, 0)->to.slot);
        assert_false(room_enter(room, &opening, 0, NULL, &ann, &answer));
        take_error(answer, "revoked");
        assert_int_equal(PROTOCOL_CLOSE_REVOKED, room_told(room, NOTE_REFUSED, NULL, 0)->close_code);
        opening.issued_s += 2;
        assert_true(room_enter(room, &opening, 0, NULL, &ann, NULL));
}

static void a_revoked_agent_is_closed_and_his_tokens_are_dead(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0), again;
        struct opening opening = room_staff_with("dbs_second");
        char hash[65], sql[128];
        json_t *answer;
        for (int i = 0; i < 32; i++)
                sprintf(hash + 2 * i, "%02x", opening.secret_hash[i]);
        take_result(room_operate(room, "agent.session",
                                 "{\"cmid\":\"%s\",\"agent\":\"%s\",\"token_hash\":\"%s\",\"label\":\"l\"}",
                                 room_cmid(room), eve.id, hash));
        room_forget(room);
        take_result(room_operate(room, "agent.revoke", "{\"cmid\":\"" A "\",\"agent\":\"%s\"}", eve.id));
        assert_int_equal(eve.ref.slot, room_told(room, NOTE_CLOSE, NULL, 0)->to.slot);
        assert_false(room_enter(room, &opening, 1, NULL, &again, &answer));
        take_error(answer, "token_invalid");
        snprintf(sql, sizeof sql, "SELECT count(*) FROM audit WHERE action = 'agent.revoke'");
        assert_int_equal(1, room_sql(room, sql));
        take_error(room_operate(room, "agent.session",
                                "{\"cmid\":\"%s\",\"agent\":\"%s\",\"token_hash\":\"%s\",\"label\":\"l\"}",
                                room_cmid(room), eve.id, hash),
                   "revoked");
}

static void a_revocation_behind_a_login_in_one_batch_closes_it(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0), again;
        char params[160];
        room_leave(room, &ann);
        room_forget(room);
        struct opening opening = room_user(room, "ann");
        int len = snprintf(params, sizeof params, "{\"cmid\":\"" A "\",\"customer\":\"%s\"}", ann.id);
        room_next_batch(room, SPAN("customer.revoke"), params, (size_t)len);
        assert_true(room_enter(room, &opening, 0, NULL, &again, NULL));
        assert_int_equal(again.ref.slot, room_told(room, NOTE_CLOSE, NULL, 0)->to.slot);
}

static void staff_sessions_end_after_twelve_idle_hours_and_thirty_days(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0), again;
        struct opening opening = room_staff_with("dbs_other");
        char hash[65];
        json_t *answer;
        for (int i = 0; i < 32; i++)
                sprintf(hash + 2 * i, "%02x", opening.secret_hash[i]);
        take_result(room_operate(room, "agent.session",
                                 "{\"cmid\":\"%s\",\"agent\":\"%s\",\"token_hash\":\"%s\",\"label\":\"l\"}",
                                 room_cmid(room), eve.id, hash));
        for (int hours = 0; hours < 29 * 24; hours += 11) {
                clock_shift_wall(11 * 3600 * 1000);
                assert_true(room_enter(room, &opening, 1, NULL, &again, NULL));
                room_leave(room, &again);
        }
        clock_shift_wall((int64_t)13 * 3600 * 1000);
        assert_false(room_enter(room, &opening, 1, NULL, &again, &answer));
        take_error(answer, "token_expired");
        clock_shift_wall((int64_t) - (29 * 24 + 20) * 3600 * 1000);
}

/* --- keys --- */

static void add_key(struct room *room, const char *cmid, const char *kid)
{
        take_result(room_operate(room, "key.add",
                                 "{\"cmid\":\"%s\",\"app\":\"%s\",\"kid\":\"%s\",\"alg\":\"HS256\",\"material\":"
                                 "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}",
                                 cmid, room->app, kid));
}

static uint64_t tag_of(struct room *room, const char *kid)
{
        struct keyring *ring = desk_keyring(room->desk);
        const struct keyring_key *key = keyring_key(keyring_app_at(ring, 0), kid);
        uint64_t tag = key ? key->tag : 0;
        keyring_unref(ring);
        return tag;
}

static void a_removed_key_closes_what_was_opened_with_it_and_nothing_else(void **state)
{
        struct room *room = *state;
        add_key(room, A, "old");
        add_key(room, B, "new");
        uint64_t version = desk_keyring_version(room->desk);
        struct opening opening = room_user(room, "ann");
        struct client with_old, with_new, late;
        json_t *answer;
        opening.key_tag = tag_of(room, "old");
        assert_true(opening.key_tag != 0);
        assert_true(room_enter(room, &opening, 0, NULL, &with_old, NULL));
        struct opening newer = room_user(room, "bob");
        newer.key_tag = tag_of(room, "new");
        assert_true(room_enter(room, &newer, 0, NULL, &with_new, NULL));
        room_forget(room);
        take_result(room_operate(room, "key.remove", "{\"cmid\":\"%s\",\"app\":\"%s\",\"kid\":\"old\"}",
                                 room_cmid(room), room->app));
        assert_int_equal(1, room_count(room, NOTE_CLOSE, NULL));
        assert_int_equal(with_old.ref.slot, room_told(room, NOTE_CLOSE, NULL, 0)->to.slot);
        assert_int_equal(PROTOCOL_CLOSE_REVOKED, room_told(room, NOTE_CLOSE, NULL, 0)->close_code);
        assert_true(desk_keyring_version(room->desk) > version);
        assert_int_equal(0, tag_of(room, "old"));
        /* a token that a network thread verified a moment before */
        assert_false(room_enter(room, &opening, 1, NULL, &late, &answer));
        take_error(answer, "token_invalid");
}

static void a_key_added_again_under_its_name_is_another_key(void **state)
{
        struct room *room = *state;
        add_key(room, A, "k");
        uint64_t first = tag_of(room, "k");
        take_result(room_operate(room, "key.remove", "{\"cmid\":\"%s\",\"app\":\"%s\",\"kid\":\"k\"}", room_cmid(room),
                                 room->app));
        clock_shift_wall(5);
        add_key(room, B, "k");
        assert_true(first != tag_of(room, "k"));
}

static void keys_are_checked_before_they_are_kept(void **state)
{
        struct room *room = *state;
        static const char *const refused[] = {
                "\"kid\":\"a b\",\"alg\":\"HS256\",\"material\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"",
                "\"kid\":\"a\",\"alg\":\"HS256\",\"material\":\"AAAA\"",
                "\"kid\":\"a\",\"alg\":\"HS256\",\"material\":\"%%%%\"",
                "\"kid\":\"a\",\"alg\":\"ES256\",\"material\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"",
                "\"kid\":\"../a\",\"alg\":\"HS256\",\"material\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"",
        };
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
                take_error(room_operate(room, "key.add", "{\"cmid\":\"%s\",\"app\":\"%s\",%s}", room_cmid(room),
                                        room->app, refused[i]),
                           "bad_request");
        take_error(
                room_operate(
                        room, "key.add",
                        "{\"cmid\":\"%s\",\"app\":\"app_0000000000001\",\"kid\":\"a\",\"alg\":\"HS256\",\"material\":"
                        "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}",
                        room_cmid(room)),
                "not_found");
        add_key(room, A, "k");
        take_error(room_operate(room, "key.add",
                                "{\"cmid\":\"%s\",\"app\":\"%s\",\"kid\":\"k\",\"alg\":\"HS256\",\"material\":"
                                "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}",
                                room_cmid(room), room->app),
                   "conflict");
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM app_key"));
        assert_int_equal(0, room->desk->commit_failures);
}

/* --- once only (A6) --- */

static void what_an_operator_repeats_happens_once(void **state)
{
        struct room *room = *state;
        json_t *first = room_operate(room, "agent.add", "{\"cmid\":\"" A "\",\"name\":\"Eve\"}");
        json_t *again = room_operate(room, "agent.add", "{\"cmid\":\"" A "\",\"name\":\"Eve\"}");
        assert_true(json_equal(first, again));
        json_decref(first);
        json_decref(again);
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM principal WHERE role = 2"));
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM audit WHERE action = 'agent.add'"));
        take_error(room_operate(room, "agent.add", "{\"cmid\":\"" A "\",\"name\":\"Adam\"}"), "idempotency_conflict");
        take_error(room_operate(room, "app.add", "{\"cmid\":\"" A "\",\"name\":\"Eve\"}"), "idempotency_conflict");
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM app"));
}

static void a_refused_call_is_not_remembered_and_disturbs_nobody(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        char *conv = room_conversation(room, &ann, "main");
        char params[160];
        int len = snprintf(params, sizeof params, "{\"cmid\":\"" A "\",\"app\":\"%s\",\"kid\":\"nope\"}", room->app);
        unsigned before = room_queue(room, &ann, "message.send",
                                     "{\"cmid\":\"" A "\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"1\"}", conv);
        assert_int_equal(0, desk_post_operator(room->desk, SPAN("key.remove"), params, (size_t)len, room_ignore, NULL));
        unsigned after = room_queue(room, &ann, "message.send",
                                    "{\"cmid\":\"" B "\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"2\"}", conv);
        room_turn(room);
        assert_int_equal(1, take_seq(room_answer(room, before)));
        assert_int_equal(2, take_seq(room_answer(room, after)));
        assert_int_equal(0, room->desk->commit_failures);
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM audit WHERE action = 'key.remove'"));
        add_key(room, room_cmid(room), "nope");
        take_result(
                room_operate(room, "key.remove", "{\"cmid\":\"" A "\",\"app\":\"%s\",\"kid\":\"nope\"}", room->app));
        room_check(room);
        free(conv);
}

static void a_token_in_use_is_a_conflict_and_disturbs_nobody(void **state)
{
        struct room *room = *state;
        struct client eve = room_agent(room, "Eve", 0);
        const char *hash = "00000000000000000000000000000000000000000000000000000000000000aa";
        for (int i = 0; i < 2; i++) {
                json_t *answer =
                        room_operate(room, "agent.session",
                                     "{\"cmid\":\"%s\",\"agent\":\"%s\",\"token_hash\":\"%s\",\"label\":\"l\"}",
                                     room_cmid(room), eve.id, hash);
                if (i == 0)
                        take_result(answer);
                else
                        take_error(answer, "conflict");
        }
        assert_int_equal(0, room->desk->commit_failures);
}

static void remembered_answers_are_forgotten_after_a_day(void **state)
{
        struct room *room = *state;
        take_result(room_operate(room, "agent.add", "{\"cmid\":\"" A "\",\"name\":\"Eve\"}"));
        clock_shift_wall((int64_t)23 * 3600 * 1000);
        room->desk->sweep_due_ms = 0;
        take_result(room_operate(room, "agent.add", "{\"cmid\":\"" B "\",\"name\":\"Adam\"}"));
        assert_int_equal(3, room_sql(room, "SELECT count(*) FROM done"));
        clock_shift_wall((int64_t)2 * 3600 * 1000);
        room->desk->sweep_due_ms = 0;
        take_result(room_operate(room, "agent.add", "{\"cmid\":\"%s\",\"name\":\"Cain\"}", room_cmid(room)));
        assert_int_equal(2, room_sql(room, "SELECT count(*) FROM done"));
        clock_shift_wall((int64_t)-25 * 3600 * 1000);
}

static void only_methods_of_the_operator_are_taken_from_him(void **state)
{
        struct room *room = *state;
        take_error(room_operate(room, "message.send", "{}"), "unknown_method");
        take_error(room_operate(room, "no.such", "{}"), "unknown_method");
        take_error(room_operate(room, "agent.add", "{\"cmid\":\"" A "\",\"name\":\"Eve\",\"role\":\"x\"}"),
                   "bad_request");
        take_result(room_operate(room, "store.status", "{}"));
}

/* --- epoch, rev and mark --- */

static void a_client_of_another_epoch_or_ahead_of_us_is_told_to_reset(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        free(room_conversation(room, &ann, "main"));
        struct opening opening = room_user(room, "ann");
        char more[96], epoch[17];
        json_t *answer;
        for (int i = 0; i < 8; i++)
                sprintf(epoch + 2 * i, "%02x", room->desk->epoch[i]);
        struct {
                const char *epoch;
                int64_t rev;
                const char *reset;
        } cases[] = {
                {epoch, desk_rev(room->desk), NULL},
                {epoch, desk_rev(room->desk) + 1, "ahead"},
                {"00000000000000ff", 0, "epoch"},
        };
        for (size_t i = 0; i < 3; i++) {
                snprintf(more, sizeof more, ",\"epoch\":\"%s\",\"rev\":%d", cases[i].epoch, (int)cases[i].rev);
                assert_true(room_enter(room, &opening, 0, more, &ann, &answer));
                const char *reset = words(answer, "result.reset");
                assert_true(cases[i].reset ? reset && strcmp(reset, cases[i].reset) == 0 : !reset);
                assert_string_equal(epoch, words(answer, "result.epoch"));
                json_decref(answer);
        }
}

static void the_rev_told_at_login_covers_what_its_batch_did_before(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0), bob;
        char *conv = room_conversation(room, &ann, "main");
        room_queue(room, &ann, "message.send", "{\"cmid\":\"" A "\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"1\"}",
                   conv);
        struct opening opening = room_user(room, "bob");
        json_t *answer;
        assert_true(room_enter(room, &opening, 0, NULL, &bob, &answer));
        assert_int_equal(desk_rev(room->desk), number(answer, "result.rev"));
        json_decref(answer);
        free(conv);
}

static void restart(struct room *room)
{
        room_close(room);
        room_forget(room);
        room_open(room);
}

static void rev_and_epoch_live_through_a_restart(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        char *conv = room_conversation(room, &ann, "main");
        take_seq(room_send(room, &ann, conv, A, "x"));
        uint8_t epoch[8];
        int64_t rev = desk_rev(room->desk);
        desk_epoch(room->desk, epoch);
        restart(room);
        assert_int_equal(rev, desk_rev(room->desk));
        assert_memory_equal(epoch, room->desk->epoch, 8);
        ann = room_customer(room, "ann", 0);
        json_t *again = room_send(room, &ann, conv, A, "x");
        assert_int_equal(1, number(again, "result.dup"));
        json_decref(again);
        assert_int_equal(2, take_seq(room_send(room, &ann, conv, B, "y")));
        room_check(room);
        free(conv);
}

static void a_store_behind_its_mark_gets_a_new_epoch_once(void **state)
{
        struct room *room = *state;
        uint8_t epoch[8], second[8];
        desk_epoch(room->desk, epoch);
        int64_t rev = desk_rev(room->desk);
        room_close(room);
        assert_int_equal(0, mark_write(room->dir, epoch, rev + 1));
        room_open(room);
        desk_epoch(room->desk, second);
        assert_memory_not_equal(epoch, second, 8);
        restart(room);
        assert_memory_equal(second, room->desk->epoch, 8);
}

static void a_store_whose_mark_is_of_another_epoch_gets_a_new_one(void **state)
{
        struct room *room = *state;
        uint8_t epoch[8], other[8] = {1, 2, 3, 4, 5, 6, 7, 8};
        desk_epoch(room->desk, epoch);
        room_close(room);
        assert_int_equal(0, mark_write(room->dir, other, 0));
        room_open(room);
        assert_memory_not_equal(epoch, room->desk->epoch, 8);
        assert_memory_not_equal(other, room->desk->epoch, 8);
}

static void a_missing_or_older_mark_changes_nothing(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 0);
        free(room_conversation(room, &ann, "main"));
        uint8_t epoch[8];
        char path[128];
        desk_epoch(room->desk, epoch);
        snprintf(path, sizeof path, "%s/mark", room->dir);
        room_close(room);
        unlink(path);
        room_open(room);
        assert_memory_equal(epoch, room->desk->epoch, 8);
        room_close(room);
        assert_int_equal(0, mark_write(room->dir, epoch, 0));
        room_open(room);
        assert_memory_equal(epoch, room->desk->epoch, 8);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_user_is_one_principal_on_all_devices),
                TEST(a_name_in_the_token_replaces_the_one_known_and_a_missing_one_does_not),
                TEST(the_newer_connection_of_a_device_replaces_the_older),
                TEST(one_device_more_than_the_limit_is_refused_until_one_leaves),
                TEST(a_client_may_name_new_devices_for_ever_without_filling_the_store),
                TEST(a_visitor_comes_back_with_his_secret_in_his_app_only),
                TEST(no_common_version_is_refused_with_4010),
                TEST(a_revoked_customer_is_closed_and_older_tokens_are_refused),
                TEST(a_revoked_agent_is_closed_and_his_tokens_are_dead),
                TEST(a_revocation_behind_a_login_in_one_batch_closes_it),
                TEST(staff_sessions_end_after_twelve_idle_hours_and_thirty_days),
                TEST(a_removed_key_closes_what_was_opened_with_it_and_nothing_else),
                TEST(a_key_added_again_under_its_name_is_another_key),
                TEST(keys_are_checked_before_they_are_kept),
                TEST(what_an_operator_repeats_happens_once),
                TEST(a_refused_call_is_not_remembered_and_disturbs_nobody),
                TEST(a_token_in_use_is_a_conflict_and_disturbs_nobody),
                TEST(remembered_answers_are_forgotten_after_a_day),
                TEST(only_methods_of_the_operator_are_taken_from_him),
                TEST(a_client_of_another_epoch_or_ahead_of_us_is_told_to_reset),
                TEST(the_rev_told_at_login_covers_what_its_batch_did_before),
                TEST(rev_and_epoch_live_through_a_restart),
                TEST(a_store_behind_its_mark_gets_a_new_epoch_once),
                TEST(a_store_whose_mark_is_of_another_epoch_gets_a_new_one),
                TEST(a_missing_or_older_mark_changes_nothing),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
