/* SPDX-License-Identifier: Apache-2.0 */
/* Claim of a visitor (delivery A5, security 12): user token and visitor's secret proved by one session.open. */
#include "unit/desk/room.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define A "01900000000000000000000000000a01"
#define B "01900000000000000000000000000b02"

#define EDIT "{\"cmid\":\"%s\",\"conv\":\"%s\",\"of\":1,\"version\":1,\"text\":\"hello\"}"

static struct opening visitor_with(const struct room *room, const char *secret, bool is_new)
{
        struct opening opening = {.how = is_new ? OPENING_NEW_VISITOR : OPENING_VISITOR,
                                  .workspace = room->desk->workspace,
                                  .app = room->app_row};
        snprintf(opening.secret, sizeof opening.secret, "%s", secret);
        SHA256((const uint8_t *)secret, strlen(secret), opening.secret_hash);
        return opening;
}

static struct client new_visitor(struct room *room, const char *secret, int device)
{
        struct opening opening = visitor_with(room, secret, true);
        struct client client;
        if (!room_enter(room, &opening, device, NULL, &client, NULL))
                fail_msg("a visitor was not let in");
        return client;
}

static bool claims(struct room *room, const char *subject, const char *secret, int device, struct client *out_client,
                   json_t **out_answer)
{
        struct opening opening = room_user(room, subject);
        opening.has_claim = true;
        SHA256((const uint8_t *)secret, strlen(secret), opening.claim_hash);
        return room_enter(room, &opening, device, NULL, out_client, out_answer);
}

static struct client claim(struct room *room, const char *subject, const char *secret, int device)
{
        struct client client;
        if (!claims(room, subject, secret, device, &client, NULL))
                fail_msg("a claim was refused");
        return client;
}

static void a_visitor_becomes_a_user_nobody_knew_and_keeps_its_id_and_conversation(void **state)
{
        struct room *room = *state;
        struct client visitor = new_visitor(room, "s1", 0);
        char *conv = room_conversation(room, &visitor, "main");
        take_result(room_send(room, &visitor, conv, A, "before"));
        struct client ann = claim(room, "ann", "s1", 0);
        assert_string_equal(visitor.id, ann.id);
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM principal WHERE role = 1"));
        assert_int_equal(0, room_sql(room, "SELECT app FROM principal WHERE external_id = 'ann'"));
        char *same = room_conversation(room, &ann, "main");
        assert_string_equal(conv, same);
        json_t *again = room_send(room, &ann, conv, A, "before");
        assert_true(json_is_true(json_object_get(json_object_get(again, "result"), "dup")));
        json_decref(again);
        struct client plain = room_customer(room, "ann", 1);
        assert_string_equal(ann.id, plain.id);
        room_check(room);
        free(conv);
        free(same);
}

static void a_known_user_gets_the_visitors_conversations_beside_his_own(void **state)
{
        struct room *room = *state;
        struct client visitor = new_visitor(room, "s1", 0), ann = room_customer(room, "ann", 1);
        char *theirs = room_conversation(room, &visitor, "main"), *other = room_conversation(room, &visitor, "order-7");
        char *own = room_conversation(room, &ann, "main"), key[64];
        take_result(room_send(room, &visitor, theirs, A, "as a visitor"));
        int64_t known = room->desk->rev;
        struct client now = claim(room, "ann", "s1", 0);
        assert_string_equal(ann.id, now.id);
        snprintf(key, sizeof key, "visitor:%s", visitor.id);
        char *given = room_conversation(room, &now, key), *main_of_ann = room_conversation(room, &now, "main");
        assert_string_equal(theirs, given);
        assert_string_equal(own, main_of_ann);
        snprintf(key, sizeof key, "SELECT count(*) FROM conversation WHERE key = '%s'", "order-7");
        assert_int_equal(0, room_sql(room, key));
        assert_int_equal(2, room_sql(room, "SELECT count(*) FROM conversation WHERE key LIKE 'visitor:usr_%'"));
        take_result(room_send(room, &now, theirs, B, "as myself"));
        take_result(room_send(room, &ann, other, NULL, "from the other device"));
        assert_int_equal(0, readers_start(room->desk));
        json_t *feed = room_read(room, &ann, "feed.read", "{\"rev\":%lld}", (long long)known);
        assert_int_equal(2, json_array_size(json_object_get(json_object_get(feed, "result"), "rows")));
        json_decref(feed);
        feed = room_read(room, &now, "feed.read", "{\"rev\":0}");
        assert_int_equal(3, json_array_size(json_object_get(json_object_get(feed, "result"), "rows")));
        json_decref(feed);
        json_t *log = room_read(room, &now, "entries.read", "{\"conv\":\"%s\",\"after\":0}", theirs);
        json_t *entries = json_object_get(json_object_get(log, "result"), "entries");
        assert_int_equal(2, json_array_size(entries));
        assert_string_equal(visitor.id, json_string_value(json_object_get(json_array_get(entries, 0), "author")));
        assert_string_equal(ann.id, json_string_value(json_object_get(json_array_get(entries, 1), "author")));
        json_decref(log);
        room_check(room);
        free(theirs), free(other), free(own), free(given), free(main_of_ann);
}

static void who_watches_a_visitor_follows_the_user_he_is_known_to_be(void **state)
{
        struct room *room = *state;
        struct client visitor = new_visitor(room, "s1", 0);
        char *conv = room_conversation(room, &visitor, "main");
        struct client ann = room_customer(room, "ann", 1);
        room_forget(room);
        claim(room, "ann", "s1", 0);
        const struct room_note *given = room_told(room, NOTE_GIVEN, NULL, 0);
        assert_int_equal(1, room_count(room, NOTE_GIVEN, NULL));
        assert_int_equal(room_cached(room, conv)->row.id, given->conv);
        assert_int_equal(ann.caller.principal, given->customer);
        free(conv);
}

static void the_secret_is_dead_and_its_sockets_close(void **state)
{
        struct room *room = *state;
        struct client visitor = new_visitor(room, "s1", 0), known = room_customer(room, "ann", 1), client;
        json_t *answer;
        assert_non_null(known.id);
        room_forget(room);
        claim(room, "ann", "s1", 0);
        assert_int_equal(1, room_count(room, NOTE_CLOSE, NULL));
        const struct room_note *told = room_told(room, NOTE_CLOSE, NULL, 0);
        assert_int_equal(PROTOCOL_CLOSE_REPLACED, told->close_code);
        assert_int_equal(visitor.ref.slot, told->to.slot);
        struct opening opening = visitor_with(room, "s1", false);
        assert_false(room_enter(room, &opening, 5, NULL, &client, &answer));
        take_error(answer, "token_invalid");
        assert_false(claims(room, "eve", "s1", 6, &client, &answer));
        assert_string_equal("claim", words(answer, "error.data.field"));
        take_error(answer, "token_invalid");
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM principal WHERE external_id = 'eve'"));
        room_check(room);
}

static void the_secret_of_one_who_became_a_user_is_dead_too(void **state)
{
        struct room *room = *state;
        new_visitor(room, "s1", 0);
        claim(room, "ann", "s1", 0);
        struct opening opening = visitor_with(room, "s1", false);
        struct client client;
        json_t *answer;
        assert_false(room_enter(room, &opening, 5, NULL, &client, &answer));
        take_error(answer, "token_invalid");
        assert_false(claims(room, "eve", "s1", 6, &client, &answer));
        take_error(answer, "token_invalid");
        room_customer(room, "bob", 7);
        assert_false(claims(room, "bob", "s1", 7, &client, &answer));
        take_error(answer, "token_invalid");
        assert_false(claims(room, "ann", "never given out", 0, &client, &answer));
        take_error(answer, "token_invalid");
}

static void the_same_user_may_repeat_a_claim_and_nothing_changes(void **state)
{
        struct room *room = *state;
        struct client visitor = new_visitor(room, "s1", 0), known = room_customer(room, "ann", 1);
        char *conv = room_conversation(room, &visitor, "main");
        assert_non_null(known.id);
        claim(room, "ann", "s1", 0);
        int64_t rev = room->desk->rev;
        claim(room, "ann", "s1", 0);
        assert_int_equal(rev, room->desk->rev);
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM audit WHERE action = 'visitor.claim'"));
        free(conv);
}

static void what_was_sent_as_a_visitor_is_a_duplicate_when_the_user_repeats_it(void **state)
{
        struct room *room = *state;
        struct client visitor = new_visitor(room, "s1", 0), known = room_customer(room, "ann", 1);
        char *conv = room_conversation(room, &visitor, "main");
        assert_non_null(known.id);
        take_result(room_send(room, &visitor, conv, A, "hello"));
        struct client ann = claim(room, "ann", "s1", 0);
        json_t *answer = room_send(room, &ann, conv, A, "hello");
        assert_int_equal(1, number(answer, "result.seq"));
        assert_true(json_is_true(json_object_get(json_object_get(answer, "result"), "dup")));
        json_decref(answer);
        answer = room_ask(room, &ann, "message.send",
                          "{\"cmid\":\"" A "\",\"key\":\"main\",\"kind\":\"text\",\"text\":\"hello\"}");
        assert_string_equal(conv, words(answer, "result.conv"));
        json_decref(answer);
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM conversation"));
        take_error(room_send(room, &ann, conv, A, "something else"), "idempotency_conflict");
        take_result(room_ask(
                room, &ann, "message.send",
                "{\"cmid\":\"" B "\",\"conv\":\"%s\",\"after\":\"" A "\",\"kind\":\"text\",\"text\":\"next\"}", conv));
        assert_int_equal(2, room_sql(room, "SELECT count(*) FROM entry"));
        room_check(room);
        free(conv);
}

static void a_user_edits_what_he_wrote_as_a_visitor_and_others_do_not(void **state)
{
        struct room *room = *state;
        struct client visitor = new_visitor(room, "s1", 0), known = room_customer(room, "ann", 1);
        char *conv = room_conversation(room, &visitor, "main");
        assert_non_null(known.id);
        take_result(room_send(room, &visitor, conv, A, "helo"));
        struct client ann = claim(room, "ann", "s1", 0), eve = room_customer(room, "eve", 3);
        take_result(room_ask(room, &ann, "message.edit", EDIT, room_cmid(room), conv));
        take_error(room_ask(room, &eve, "message.edit", EDIT, room_cmid(room), conv), "not_found");
        room_check(room);
        free(conv);
}

static void what_a_visitors_socket_still_says_after_the_claim_is_refused(void **state)
{
        struct room *room = *state;
        struct client visitor = new_visitor(room, "s1", 0), known = room_customer(room, "ann", 1);
        char *conv = room_conversation(room, &visitor, "main");
        assert_non_null(known.id);
        claim(room, "ann", "s1", 0);
        take_error(room_send(room, &visitor, conv, A, "late"), "revoked");
        take_error(room_ask(room, &visitor, "conversation.open", "{\"key\":\"main\"}"), "revoked");
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM conversation"));
        free(conv);
}

static void a_claim_that_is_not_kept_leaves_the_visitor_as_it_was(void **state)
{
        struct room *room = *state;
        struct client visitor = new_visitor(room, "s1", 0), known = room_customer(room, "ann", 1), ann;
        char *conv = room_conversation(room, &visitor, "main");
        json_t *answer;
        assert_non_null(known.id);
        db_fault_reset(&db_sqlite);
        assert_true(db_fault_add((struct db_fault_rule){
                .op = DB_FAULT_COMMIT, .kind = DB_FAULT_FAIL, .mode = DB_WRITER, .nth = 1, .error = DB_FULL}));
        assert_false(claims(room, "ann", "s1", 2, &ann, &answer));
        take_error(answer, "storage_full");
        db_fault_reset(&db_sqlite);
        room->desk->retry_write_ms = 0;
        take_result(room_send(room, &visitor, conv, A, "still me"));
        struct opening opening = visitor_with(room, "s1", false);
        struct client back;
        assert_true(room_enter(room, &opening, 0, NULL, &back, NULL));
        assert_string_equal(visitor.id, back.id);
        claim(room, "ann", "s1", 2);
        room_check(room);
        free(conv);
}

static void an_erasure_reaches_what_was_written_as_a_visitor(void **state)
{
        struct room *room = *state;
        struct client visitor = new_visitor(room, "s1", 0), known = room_customer(room, "ann", 1);
        char *conv = room_conversation(room, &visitor, "main");
        assert_non_null(known.id);
        take_result(room_send(room, &visitor, conv, A, "secret"));
        claim(room, "ann", "s1", 0);
        take_result(room_operate(room, "customer.erase", "{\"cmid\":\"%s\",\"customer\":\"%s\"}", room_cmid(room),
                                 visitor.id)); /* either id is the person */
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM entry WHERE body IS NOT NULL OR author > 0"));
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM principal WHERE secret_hash IS NOT NULL"));
        room_check(room);
        free(conv);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_visitor_becomes_a_user_nobody_knew_and_keeps_its_id_and_conversation),
                TEST(a_known_user_gets_the_visitors_conversations_beside_his_own),
                TEST(who_watches_a_visitor_follows_the_user_he_is_known_to_be),
                TEST(the_secret_is_dead_and_its_sockets_close),
                TEST(the_secret_of_one_who_became_a_user_is_dead_too),
                TEST(the_same_user_may_repeat_a_claim_and_nothing_changes),
                TEST(what_was_sent_as_a_visitor_is_a_duplicate_when_the_user_repeats_it),
                TEST(a_user_edits_what_he_wrote_as_a_visitor_and_others_do_not),
                TEST(what_a_visitors_socket_still_says_after_the_claim_is_refused),
                TEST(a_claim_that_is_not_kept_leaves_the_visitor_as_it_was),
                TEST(an_erasure_reaches_what_was_written_as_a_visitor),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
