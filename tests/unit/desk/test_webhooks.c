/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks on the desk's side: which rows are written with which event, and what comes of tries. */
#include <stdio.h>
#include <stdlib.h>

#include "unit/desk/room.h"

static const char secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

static json_t *try_add(struct room *room, const char *url, const char *events, const char *more)
{
        return room_operate(room, "webhook.add", "{\"cmid\":\"%s\",\"url\":\"%s\",\"events\":[%s],\"secret\":\"%s\"%s}",
                            room_cmid(room), url, events, secret, more);
}

/* A webhook's id; in a buffer of eight. */
static const char *add(struct room *room, const char *events, const char *more)
{
        static char ids[8][32];
        static unsigned turn;
        char *id = ids[turn++ % 8];
        json_t *made = try_add(room, "https://shop.example/hook", events, more);
        const char *text = words(made, "result.webhook");
        assert_non_null(text);
        snprintf(id, sizeof ids[0], "%s", text);
        json_decref(made);
        return id;
}

static json_t *body_of(struct room *room, const char *where)
{
        char sql[256];
        snprintf(sql, sizeof sql, "SELECT id FROM outbound WHERE %s", where);
        int64_t id = room_sql(room, sql);
        assert_true(id > 0);
        struct db_stmt *stmt = db_stmt(room->desk->db, SQL_OUTBOUND_READY);
        db_bind_int(stmt, 1, 1);
        db_bind_int(stmt, 2, INT64_MAX);
        db_bind_int(stmt, 3, 100);
        db_bind_int(stmt, 4, 0);
        json_t *body = NULL;
        while (db_step(stmt) == DB_ROW)
                if (db_int(stmt, 0) == id && db_text(stmt, 3).at)
                        body = json_loadb(db_text(stmt, 3).at, db_text(stmt, 3).len, 0, NULL);
        return body;
}

static void settle(struct room *room, int64_t id, int64_t target, int64_t tries, enum outbound_state state)
{
        struct outbound_result result = {.id = id, .target = target, .tries = tries, .state = state, .status = 500};
        assert_int_equal(desk_post_outbound(room->desk, &result, 1), 0);
        room_turn(room);
}

static void a_message_makes_one_row_for_each_subscriber_under_one_id(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 1);
        char *conv = room_conversation(room, &ann, "main");
        add(room, "\"message.created\"", "");
        add(room, "\"message.created\",\"push.wanted\"", "");
        add(room, "\"conversation.changed\"", "");
        take_seq(room_send(room, &ann, conv, NULL, "hello"));
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM outbound"), 2);
        assert_int_equal(room_sql(room, "SELECT COUNT(DISTINCT ext) FROM outbound"), 1);
        json_t *body = body_of(room, "target = 1");
        assert_string_equal(words(body, "type"), "message.created");
        assert_string_equal(words(body, "data.conv"), conv);
        assert_string_equal(words(body, "data.external_id"), "ann");
        assert_string_equal(words(body, "data.entry.text"), "hello");
        assert_int_equal(number(body, "data.entry.seq"), 1);
        json_decref(body);
        free(conv);
}

static void nobody_subscribed_means_no_row_and_no_job(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 1), kim = room_agent(room, "Kim", 1);
        char *conv = room_conversation(room, &ann, "main");
        take_seq(room_send(room, &kim, conv, NULL, "hello"));
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM outbound"), 0);
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM job"), 0);
        free(conv);
}

static void a_repeat_a_refusal_and_a_note_make_no_event(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 1), kim = room_agent(room, "Kim", 1);
        char *conv = room_conversation(room, &ann, "main");
        add(room, "\"message.created\"", "");
        const char *cmid = room_cmid(room);
        take_seq(room_send(room, &ann, conv, cmid, "hello"));
        take_seq(room_send(room, &ann, conv, cmid, "hello"));
        take_error(room_send(room, &ann, conv, cmid, "other"), "idempotency_conflict");
        json_decref(room_note(room, &kim, conv, "for us only"));
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM outbound"), 1);
        free(conv);
}

static void a_batch_that_is_rolled_back_leaves_no_event(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 1);
        char *conv = room_conversation(room, &ann, "main");
        add(room, "\"message.created\"", "");
        db_fault_reset(&db_sqlite);
        assert_true(db_fault_add((struct db_fault_rule){
                .op = DB_FAULT_COMMIT, .kind = DB_FAULT_FAIL, .mode = DB_WRITER, .nth = 1, .error = DB_FULL}));
        take_error(room_send(room, &ann, conv, NULL, "hello"), "storage_full");
        db_fault_reset(&db_sqlite);
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM outbound"), 0);
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM entry"), 0);
        assert_int_equal(room->desk->webhooks.count, 1);
        free(conv);
}

static void a_bot_is_not_told_what_it_said_itself(void **state)
{
        struct room *room = *state;
        struct principal_row bot = {.workspace = room->desk->workspace, .ext = 77, .role = ROLE_BOT};
        char more[64], id[ID_TEXT_BYTES + 1] = "";
        assert_int_equal(principals_insert(room->desk->db, &bot, NULL, NULL, 0, 1), DB_OK);
        principal_write(id, (struct principal_id){ROLE_BOT, 77});
        snprintf(more, sizeof more, ",\"bot\":\"%s\"", id);
        add(room, "\"message.created\"", more);
        add(room, "\"message.created\"", "");
        struct client ann = room_customer(room, "ann", 1);
        char *conv = room_conversation(room, &ann, "main");
        take_seq(room_send(room, &ann, conv, NULL, "hello"));
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM outbound"), 2);

        struct conversation *conversation = room_cached(room, conv);
        struct entry_row entry = {.conv = conversation->row.id,
                                  .seq = 2,
                                  .author = bot.id,
                                  .kind = PROTOCOL_ENTRY_TEXT,
                                  .body = SPAN("{\"text\":\"hi\"}")};
        assert_int_equal(db_begin(room->desk->db), DB_OK);
        assert_int_equal(outbound_note_message(room->desk, conversation, &entry), 0);
        assert_int_equal(db_commit(room->desk->db), DB_OK);
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM outbound WHERE seq = 2"), 1);
        assert_int_equal(room_sql(room, "SELECT target FROM outbound WHERE seq = 2"), 2);
        free(conv);
}

static void an_erased_message_loses_its_body_wherever_it_waits(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 1);
        char *conv = room_conversation(room, &ann, "main");
        add(room, "\"message.created\"", "");
        take_seq(room_send(room, &ann, conv, NULL, "hello"));
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM outbound WHERE body IS NOT NULL"), 1);
        take_result(room_ask(room, &ann, "message.erase", "{\"cmid\":\"%s\",\"conv\":\"%s\",\"of\":1}", room_cmid(room),
                             conv));
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM outbound WHERE body IS NULL AND state = 0"), 1);
        free(conv);
}

static void an_erased_person_is_in_nothing_that_waits(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 1);
        char *conv = room_conversation(room, &ann, "main");
        add(room, "\"message.created\",\"conversation.changed\"", "");
        take_seq(room_send(room, &ann, conv, NULL, "hello"));
        free(room_conversation(room, &ann, "second"));
        assert_true(room_sql(room, "SELECT COUNT(*) FROM outbound WHERE body IS NOT NULL") >= 2);
        take_result(
                room_operate(room, "customer.erase", "{\"cmid\":\"%s\",\"customer\":\"%s\"}", room_cmid(room), ann.id));
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM outbound WHERE body IS NOT NULL"), 0);
        free(conv);
}

static void a_result_counts_once_however_often_it_is_said(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 1);
        char *conv = room_conversation(room, &ann, "main");
        add(room, "\"message.created\"", "");
        take_seq(room_send(room, &ann, conv, NULL, "hello"));
        settle(room, 1, 1, 1, OUTBOUND_WAITING);
        settle(room, 1, 1, 1, OUTBOUND_WAITING);
        assert_int_equal(room_sql(room, "SELECT tries FROM outbound"), 1);
        assert_int_equal(room_sql(room, "SELECT failures FROM webhook"), 1);
        settle(room, 1, 1, 2, OUTBOUND_DELIVERED);
        settle(room, 1, 1, 1, OUTBOUND_WAITING); /* late */
        assert_int_equal(room_sql(room, "SELECT state FROM outbound"), OUTBOUND_DELIVERED);
        assert_int_equal(room_sql(room, "SELECT failures FROM webhook"), 0);
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM outbound WHERE body IS NOT NULL"), 0);
        free(conv);
}

static void what_fails_in_mass_is_paused_then_suspended_and_can_be_resumed(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 1);
        char *conv = room_conversation(room, &ann, "main");
        const char *id = add(room, "\"message.created\"", "");
        take_seq(room_send(room, &ann, conv, NULL, "hello"));
        take_seq(room_send(room, &ann, conv, NULL, "hello again"));
        for (int tries = 1; tries <= 19; tries++)
                settle(room, 1, 1, tries, OUTBOUND_WAITING);
        assert_int_equal(room_sql(room, "SELECT paused_until_ms FROM webhook"), 0);
        settle(room, 1, 1, 20, OUTBOUND_WAITING);
        assert_true(room_sql(room, "SELECT paused_until_ms FROM webhook") > room->desk->now_ms);

        room->desk->webhooks.targets[0].failing_since_ms -= (int64_t)7 * 24 * 3600 * 1000;
        settle(room, 1, 1, 21, OUTBOUND_WAITING);
        assert_int_equal(room_sql(room, "SELECT state FROM webhook"), WEBHOOK_SUSPENDED);
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM outbound WHERE state = 2"), 2);
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM audit WHERE action = 'webhook.suspend'"), 1);
        take_seq(room_send(room, &ann, conv, NULL, "unheard"));
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM outbound"), 2);

        take_result(room_operate(room, "webhook.resume", "{\"cmid\":\"%s\",\"webhook\":\"%s\"}", room_cmid(room), id));
        json_t *replayed =
                room_operate(room, "webhook.replay", "{\"cmid\":\"%s\",\"webhook\":\"%s\"}", room_cmid(room), id);
        assert_int_equal(number(replayed, "result.count"), 2);
        json_decref(replayed);
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM outbound WHERE state = 0 AND tries = 0"), 2);
        take_seq(room_send(room, &ann, conv, NULL, "heard"));
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM outbound"), 3);
        free(conv);
}

static void count_one(void *data, const char *finding)
{
        (void)finding;
        ++*(int *)data;
}

static void the_check_misses_a_row_that_should_be_there_and_no_other(void **state)
{
        struct room *room = *state;
        struct desk *desk = room->desk;
        struct client ann = room_customer(room, "ann", 1);
        char *conv = room_conversation(room, &ann, "main");
        int findings = 0;
        take_seq(room_send(room, &ann, conv, NULL, "before there was a webhook"));
        clock_shift_wall(5);
        add(room, "\"message.created\"", "");
        clock_shift_wall(5);
        take_seq(room_send(room, &ann, conv, NULL, "delivered, and later swept"));
        settle(room, 1, 1, 1, OUTBOUND_DELIVERED);
        assert_int_equal(db_check(desk->db, true, count_one, &findings), 0);

        assert_int_equal(DB_OK, db_begin(desk->db));
        assert_int_equal(DB_OK, db_exec(desk->db, "DELETE FROM outbound"));
        assert_int_equal(db_check(desk->db, true, count_one, &findings), 1);
        db_rollback(desk->db);

        assert_int_equal(DB_OK, db_begin(desk->db));
        desk->now_ms += (int64_t)4 * 24 * 3600 * 1000;
        desk->webhooks.sweep_due_ms = 0;
        assert_int_equal(DB_OK, webhooks_sweep(desk));
        assert_int_equal(DB_OK, db_commit(desk->db));
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM outbound"), 0);
        assert_int_equal(db_check(desk->db, true, count_one, &findings), 0);
        free(conv);
}

static void one_push_job_waits_for_a_conversation(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 1), kim = room_agent(room, "Kim", 1);
        char *conv = room_conversation(room, &ann, "main");
        add(room, "\"push.wanted\"", "");
        take_seq(room_send(room, &kim, conv, NULL, "one"));
        take_seq(room_send(room, &kim, conv, NULL, "two"));
        take_seq(room_send(room, &ann, conv, NULL, "mine"));
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM job"), 1);
        free(conv);
}

static void run_push(struct room *room, const char *conv, const char *seq)
{
        struct conversation *conversation = room_cached(room, conv);
        assert_int_equal(db_begin(room->desk->db), DB_OK);
        assert_int_equal(push_wanted_run(room->desk, (int64_t)conversation->row.ext, span_of(seq)), 0);
        assert_int_equal(db_commit(room->desk->db), DB_OK);
}

static void a_push_is_wanted_only_for_what_no_device_has(void **state)
{
        struct room *room = *state;
        struct client ann = room_customer(room, "ann", 1), kim = room_agent(room, "Kim", 1);
        char *conv = room_conversation(room, &ann, "main");
        add(room, "\"push.wanted\"", "");
        take_seq(room_send(room, &kim, conv, NULL, "one"));
        room_notify(room, &ann, "marks", "{\"marks\":[{\"conv\":\"%s\",\"recv\":1,\"read\":0}]}", conv);
        run_push(room, conv, "1");
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM outbound"), 0);
        take_seq(room_send(room, &kim, conv, NULL, "two"));
        run_push(room, conv, "2");
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM outbound"), 1);
        json_t *body = body_of(room, "seq = 2");
        assert_int_equal(number(body, "data.seq"), 2);
        assert_int_equal(number(body, "data.unread"), 2);
        assert_string_equal(words(body, "data.preview"), "two");
        assert_string_equal(words(body, "data.kind"), "text");
        json_t *devices = json_object_get(json_object_get(body, "data"), "devices");
        assert_int_equal(json_array_size(devices), 1);
        assert_null(words(json_array_get(devices, 0), "token"));
        json_decref(body);
        free(conv);
}

static void a_push_names_the_token_of_each_device_that_has_one(void **state)
{
        struct room *room = *state;
        struct client phone = room_customer(room, "ann", 1), kim = room_agent(room, "Kim", 1);
        room_customer(room, "ann", 2);
        char *conv = room_conversation(room, &phone, "main");
        add(room, "\"push.wanted\"", "");
        take_result(room_ask(room, &phone, "device.push", "{\"service\":\"apns\",\"token\":\"t-\\\"1\"}"));
        take_seq(room_send(room, &kim, conv, NULL, "one"));
        run_push(room, conv, "1");
        json_t *body = body_of(room, "seq = 1"), *devices = json_object_get(json_object_get(body, "data"), "devices");
        size_t with = 0;
        assert_int_equal(json_array_size(devices), 2);
        for (size_t i = 0; i < 2; i++) {
                json_t *device = json_array_get(devices, i);
                assert_int_equal(32, strlen(words(device, "device")));
                if (!words(device, "token"))
                        continue;
                with++;
                assert_string_equal("apns", words(device, "service"));
                assert_string_equal("t-\"1", words(device, "token"));
        }
        assert_int_equal(1, with);
        json_decref(body);
        free(conv);
}

static void what_cannot_be_a_webhook_is_refused(void **state)
{
        struct room *room = *state;
        take_error(try_add(room, "http://shop.example/", "\"message.created\"", ""), "bad_request");
        take_error(try_add(room, "https://127.0.0.1/", "\"message.created\"", ""), "bad_request");
        take_error(try_add(room, "https://shop.example/", "\"message.sent\"", ""), "bad_request");
        take_error(try_add(room, "https://shop.example/", "\"message.created\"", ",\"app\":\"app_0000000000001\""),
                   "not_found");
        assert_int_equal(room_sql(room, "SELECT COUNT(*) FROM webhook"), 0);
}

static void webhooks_are_known_again_after_a_restart(void **state)
{
        struct room *room = *state;
        add(room, "\"message.created\"", "");
        room_close(room);
        room_open(room);
        assert_int_equal(room->desk->webhooks.count, 1);
        assert_int_equal(room->desk->webhooks.wanted, WEBHOOK_MESSAGE_CREATED);
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                IN_ROOM(a_message_makes_one_row_for_each_subscriber_under_one_id),
                IN_ROOM(nobody_subscribed_means_no_row_and_no_job),
                IN_ROOM(a_repeat_a_refusal_and_a_note_make_no_event),
                IN_ROOM(a_batch_that_is_rolled_back_leaves_no_event),
                IN_ROOM(a_bot_is_not_told_what_it_said_itself),
                IN_ROOM(an_erased_message_loses_its_body_wherever_it_waits),
                IN_ROOM(an_erased_person_is_in_nothing_that_waits),
                IN_ROOM(a_result_counts_once_however_often_it_is_said),
                IN_ROOM(what_fails_in_mass_is_paused_then_suspended_and_can_be_resumed),
                IN_ROOM(the_check_misses_a_row_that_should_be_there_and_no_other),
                IN_ROOM(one_push_job_waits_for_a_conversation),
                IN_ROOM(a_push_is_wanted_only_for_what_no_device_has),
                IN_ROOM(a_push_names_the_token_of_each_device_that_has_one),
                IN_ROOM(what_cannot_be_a_webhook_is_refused),
                IN_ROOM(webhooks_are_known_again_after_a_restart),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
