/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever write fails: what is known of customers is in memory what it is on disk, and the same calls made again are
 * done once. */
#include "unit/customers/people_known.h"

#include <stdio.h>
#include <stdlib.h>

struct scene {
        struct room *room;
        struct client ann, visitor, eve;
        char *conv, ticket[ID_TEXT_BYTES + 1], macro[32];
        char kept[4][33];
        int version; /* of the ticket, as the macro was asked for; 0 = not yet */
};

static void begin(struct scene *scene, struct room *room)
{
        *scene = (struct scene){.room = room};
        scene->eve = known_agent(room, "Eve");
        scene->ann = room_customer(room, "ann", 0);
        scene->visitor = known_visitor(room, "s1");
        scene->conv = room_conversation(room, &scene->visitor, "main");
        take_seq(room_send(room, &scene->visitor, scene->conv, NULL, "hello"));
        take_result(known_set(room, &scene->visitor, ",\"attributes\":[{\"name\":\"phone\",\"value\":\"555\"}]"));
        json_t *made = room_operate(room, "macro.add",
                                    "{\"cmid\":\"%s\",\"name\":\"M\",\"actions\":[{\"act\":\"reply\",\"text\":\"r\"},"
                                    "{\"act\":\"add_tag\",\"tag\":\"t\"}]}",
                                    room_cmid(room));
        snprintf(scene->macro, sizeof scene->macro, "%s", words(made, "result.macro"));
        json_decref(made);
        id_write(scene->ticket, "tkt", ticket_in(room, scene->conv)->ext);
        for (int i = 0; i < 4; i++)
                snprintf(scene->kept[i], sizeof scene->kept[i], "%s", room_cmid(room));
}

static json_t *run_one(struct scene *scene, int which)
{
        struct room *room = scene->room;
        switch (which) {
        case 0:
                return room_ask(room, &scene->eve, "customer.set",
                                "{\"cmid\":\"%s\",\"customer\":\"%s\",\"add_tags\":[\"vip\"],\"attributes\":[{\"name\":"
                                "\"company\",\"value\":\"Acme\"}]}",
                                scene->kept[0], scene->visitor.id);
        case 1:
                return room_ask(room, &scene->eve, "macro.run",
                                "{\"cmid\":\"%s\",\"macro\":\"%s\",\"ticket\":\"%s\",\"version\":%d}", scene->kept[1],
                                scene->macro, scene->ticket, scene->version);
        case 2:
                return room_ask(room, &scene->eve, "customer.merge",
                                "{\"cmid\":\"%s\",\"from\":\"%s\",\"into\":\"%s\"}", scene->kept[2], scene->visitor.id,
                                scene->ann.id);
        default:
                return room_ask(room, &scene->eve, "customer.block", "{\"cmid\":\"%s\",\"customer\":\"%s\"}",
                                scene->kept[3], scene->ann.id);
        }
}

/* Each call in a batch of its own, until one is refused. True: all were done. */
static bool run(struct scene *scene)
{
        for (int which = 0; which < 4; which++) {
                if (which == 1 && scene->version == 0)
                        scene->version = (int)scene->room->desk->tickets.all[0]->version;
                json_t *answer = run_one(scene, which);
                bool is_done = json_object_get(answer, "result") != NULL;
                json_decref(answer);
                if (!is_done)
                        return false;
        }
        return true;
}

static void expect_memory_is_the_disk(struct scene *scene)
{
        struct room *room = scene->room;
        struct fact_value value = {0};
        char sql[160];
        int64_t ids[] = {scene->ann.caller.principal, scene->visitor.caller.principal};
        for (int i = 0; i < 2; i++) {
                snprintf(sql, sizeof sql,
                         "SELECT count(*) FROM customer_profile WHERE blocked_ms > 0 AND customer = %lld",
                         (long long)ids[i]);
                assert_int_equal(room_sql(room, sql), customers_is_blocked(room->desk, ids[i]));
                snprintf(sql, sizeof sql, "SELECT count(*) FROM customer_tag WHERE customer = %lld", (long long)ids[i]);
                assert_int_equal(0, customers_fact(room->desk, ids[i], FACT_CUSTOMER_TAG, (struct span){0}, &value));
                assert_int_equal(room_sql(room, sql), value.is_set ? value.count : 0);
                snprintf(sql, sizeof sql,
                         "SELECT count(*) FROM customer_attribute WHERE name = 'phone' AND customer = %lld",
                         (long long)ids[i]);
                assert_int_equal(0, customers_fact(room->desk, ids[i], FACT_CUSTOMER_ATTRIBUTE, SPAN("phone"), &value));
                assert_int_equal(room_sql(room, sql), value.is_set);
                value = (struct fact_value){0};
        }
        tickets_check(room);
        room_check(room);
}

static void expect_all_once(struct scene *scene)
{
        struct room *room = scene->room;
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM customer_tag"));
        assert_int_equal(2, room_sql(room, "SELECT count(*) FROM customer_attribute"));
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM customer_story WHERE kind = 6"));
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM customer_story WHERE kind = 4"));
        assert_int_equal(
                1, room_sql(room, "SELECT count(*) FROM entry WHERE log = 0 AND author <> 0 AND body LIKE '%\"r\"%'"));
        assert_int_equal(1, room_sql(room, "SELECT uses FROM macro"));
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM ticket WHERE status < 9"));
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM customer_profile WHERE blocked_ms > 0"));
}

static void sweep(void **state, enum db_fault_op op, int error, uint64_t stride)
{
        bool was_hit = true;
        for (uint64_t nth = 1; was_hit; nth += stride) {
                struct scene scene;
                begin(&scene, *state);
                db_fault_reset(&db_sqlite);
                assert_true(db_fault_add((struct db_fault_rule){
                        .op = op, .kind = DB_FAULT_FAIL, .mode = DB_WRITER, .nth = nth, .error = error}));
                bool is_done = run(&scene);
                was_hit = db_fault_calls(op, DB_WRITER) >= nth;
                db_fault_reset(&db_sqlite);
                assert_true(was_hit || is_done);
                scene.room->desk->retry_write_ms = 0;
                expect_memory_is_the_disk(&scene);
                assert_true(run(&scene));
                assert_true(run(&scene)); /* repeats */
                expect_memory_is_the_disk(&scene);
                expect_all_once(&scene);
                free(scene.conv);
                room_tear_down(state);
                room_set_up(state);
        }
}

static void a_failed_write_at_any_place_leaves_memory_as_the_disk(void **state)
{
        sweep(state, DB_FAULT_STEP, DB_IO, 5);
}

static void a_full_disk_at_any_commit_leaves_memory_as_the_disk(void **state)
{
        sweep(state, DB_FAULT_COMMIT, DB_FULL, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
                ROW(a_failed_write_at_any_place_leaves_memory_as_the_disk),
                ROW(a_full_disk_at_any_commit_leaves_memory_as_the_disk),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
