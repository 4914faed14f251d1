/* SPDX-License-Identifier: Apache-2.0 */
/* Push tokens of devices: kept, replaced, told to the app's back end, moved with a claim, gone with access. */
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit/desk/room.h"

#define TOKENS "SELECT count(*) FROM device WHERE push_token IS NOT NULL"

static json_t *push(struct room *room, const struct client *client, const char *service, const char *token)
{
        return room_ask(room, client, "device.push", "{\"service\":\"%s\",\"token\":\"%s\"}", service, token);
}

/* The device may change its token again. */
static void wait_over(struct room *room)
{
        (void)room;
        clock_shift_wall(PROTOCOL_PUSH_EVERY_MS);
}

static void a_token_is_kept_with_its_device(void **state)
{
        struct room *room = *state;
        struct client phone = room_customer(room, "ann", 1), tablet = room_customer(room, "ann", 2);

        take_result(push(room, &phone, "fcm", "t-1"));
        assert_int_equal(1, room_sql(room, TOKENS " AND push_service = 'fcm' AND push_token = 't-1'"));
        take_result(push(room, &tablet, "apns", "t-2"));
        assert_int_equal(2, room_sql(room, TOKENS));
}

static void a_token_moves_to_the_device_of_the_same_person_that_says_it(void **state)
{
        struct room *room = *state;
        struct client old = room_customer(room, "ann", 1), new = room_customer(room, "ann", 2);
        struct client bob = room_customer(room, "bob", 3);

        take_result(push(room, &old, "fcm", "t-1"));
        take_result(push(room, &bob, "fcm", "t-1"));
        take_result(push(room, &new, "fcm", "t-1"));
        assert_int_equal(2, room_sql(room, TOKENS)); /* Bob uses the same phone: both are told */
        assert_int_equal(1, room_sql(room, TOKENS " AND principal = (SELECT id FROM principal WHERE external_id = "
                                                  "'ann')"));
}

static void a_token_is_changed_only_so_often_and_removed_at_any_time(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 1);

        take_result(push(room, &ann, "fcm", "t-1"));
        take_result(push(room, &ann, "fcm", "t-1")); /* the same again changes nothing */
        json_t *refused = push(room, &ann, "fcm", "t-2");
        assert_string_equal("rate_limited", words(refused, "error.data.tag"));
        assert_in_range(number(refused, "error.data.retry_after_ms"), 1, 5000);
        json_decref(refused);
        take_result(room_ask(room, &ann, "device.push_remove", "{}"));
        take_result(room_ask(room, &ann, "device.push_remove", "{}"));
        assert_int_equal(0, room_sql(room, TOKENS));
        wait_over(room);
        take_result(push(room, &ann, "wns", "t-2"));
        assert_int_equal(1, room_sql(room, TOKENS " AND push_token = 't-2'"));
}

static void what_is_not_a_token_is_refused(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 1);
        char long_token[PROTOCOL_PUSH_TOKEN_BYTES + 2];

        memset(long_token, 'x', sizeof long_token - 1);
        long_token[sizeof long_token - 1] = 0;
        take_error(push(room, &ann, "pigeon", "t"), "bad_request");
        take_error(push(room, &ann, "fcm", ""), "bad_request");
        take_error(push(room, &ann, "fcm", long_token), "bad_request");
        long_token[PROTOCOL_PUSH_TOKEN_BYTES] = 0;
        take_result(push(room, &ann, "fcm", long_token));
        assert_int_equal(1, room_sql(room, TOKENS " AND length(push_token) = 4096"));
}

static void logging_in_again_keeps_the_token_and_revoking_ends_it(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 1);

        take_result(push(room, &ann, "fcm", "t-1"));
        room_customer(room, "ann", 1);
        assert_int_equal(1, room_sql(room, TOKENS));
        take_result(room_operate(room, "customer.revoke", "{\"cmid\":\"%s\",\"customer\":\"%s\"}", room_cmid(room),
                                 ann.id));
        assert_int_equal(0, room_sql(room, TOKENS));
}

static void erasing_a_customer_ends_it_too(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 1);

        take_result(push(room, &ann, "fcm", "t-1"));
        take_result(
                room_operate(room, "customer.erase", "{\"cmid\":\"%s\",\"customer\":\"%s\"}", room_cmid(room), ann.id));
        assert_int_equal(0, room_sql(room, TOKENS));
}

static void a_claimed_visitors_device_becomes_the_users(void **state)
{
        struct room *room = *state;
        struct client visitor, ann = room_customer(room, "ann", 1);
        struct opening opening = {.how = OPENING_NEW_VISITOR, .workspace = room->desk->workspace, .app = room->app_row};
        struct opening claim = room_user(room, "ann");

        snprintf(opening.secret, sizeof opening.secret, "s1");
        SHA256((const uint8_t *)"s1", 2, opening.secret_hash);
        assert_true(room_enter(room, &opening, 2, NULL, &visitor, NULL));
        take_result(push(room, &visitor, "fcm", "t-1"));
        claim.has_claim = true;
        memcpy(claim.claim_hash, opening.secret_hash, sizeof claim.claim_hash);
        assert_true(room_enter(room, &claim, 3, NULL, &ann, NULL));
        assert_int_equal(1, room_sql(room, TOKENS " AND principal = (SELECT id FROM principal WHERE external_id = "
                                                  "'ann')"));
        wait_over(room);
        take_result(push(room, &ann, "fcm", "t-1")); /* the same phone under the user's own device */
        assert_int_equal(1, room_sql(room, TOKENS));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {
                TEST(a_token_is_kept_with_its_device),
                TEST(a_token_moves_to_the_device_of_the_same_person_that_says_it),
                TEST(a_token_is_changed_only_so_often_and_removed_at_any_time),
                TEST(what_is_not_a_token_is_refused),
                TEST(logging_in_again_keeps_the_token_and_revoking_ends_it),
                TEST(erasing_a_customer_ends_it_too),
                TEST(a_claimed_visitors_device_becomes_the_users),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
