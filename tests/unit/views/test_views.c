/* SPDX-License-Identifier: Apache-2.0 */
/* Views through the desk: what is in them, who is told what and when. The clock is turned by the test. */
#include <stdlib.h>
#include <string.h>

#include "desk/views/views_private.h"
#include "store/db_fault.h"
#include "unit/views/view_room.h"

struct scene {
        struct room *room;
        struct client ann, eve;
        char *conv;
};

static struct scene scene_of(void **state)
{
        struct scene scene = {.room = *state};
        scene.ann = room_customer(scene.room, "ann", 0);
        scene.eve = room_agent(scene.room, "Eve", 0);
        scene.conv = room_conversation(scene.room, &scene.ann, "main");
        return scene;
}

static void scene_end(struct scene *scene)
{
        views_check(scene->room);
        free(scene->conv);
}

static void ann_says(struct scene *scene, const char *text)
{
        take_seq(room_send(scene->room, &scene->ann, scene->conv, NULL, text));
}

/* The one row of an agent's page of a view; NULL = it is empty. The caller's. */
static json_t *first_row(struct scene *scene, const struct client *client, const char *view)
{
        json_t *answer = room_ask(scene->room, client, "view.open", "{\"view\":\"%s\"}", view);
        json_t *row = json_incref(json_array_get(json_object_get(json_object_get(answer, "result"), "rows"), 0));
        assert_non_null(json_object_get(answer, "result"));
        assert_int_equal(number(answer, "result.count"),
                         json_array_size(json_object_get(json_object_get(answer, "result"), "rows")));
        json_decref(answer);
        return row;
}

static bool has_one(struct scene *scene, const char *view)
{
        json_t *row = first_row(scene, &scene->eve, view);
        bool is_there = row != NULL;
        json_decref(row);
        return is_there;
}

static char *add_view(struct scene *scene, const char *name, const char *when, const char *sort)
{
        json_t *result = room_operate(scene->room, "view.add",
                                      "{\"cmid\":\"%s\",\"name\":\"%s\",\"when\":\"%s\",\"sort\":\"%s\"}",
                                      room_cmid(scene->room), name, when, sort);
        assert_non_null(words(result, "result.view"));
        char *id = strdup(words(result, "result.view"));
        json_decref(result);
        return id;
}

/* ---- */

static void a_ticket_is_in_the_built_in_views_that_speak_of_it(void **state)
{
        struct scene scene = scene_of(state);
        ann_says(&scene, "my order is late");
        assert_true(has_one(&scene, "unassigned"));
        assert_true(has_one(&scene, "open"));
        assert_false(has_one(&scene, "mine"));
        take_seq(room_send(scene.room, &scene.eve, scene.conv, NULL, "I look"));
        assert_false(has_one(&scene, "unassigned"));
        assert_true(has_one(&scene, "mine"));
        ticket_do(scene.room, &scene.eve, scene.conv, "ticket.move", ",\"to\":\"solved\"");
        assert_false(has_one(&scene, "mine"));
        assert_false(has_one(&scene, "open"));
        scene_end(&scene);
}

static void who_has_a_view_open_hears_what_comes_and_what_leaves(void **state)
{
        struct scene scene = scene_of(state);
        struct mirror mirror = {.client = &scene.eve, .view = "unassigned"};
        mirror_open(scene.room, &mirror);
        assert_int_equal(json_object_size(mirror.rows), 0);
        views_settle(scene.room);
        room_forget(scene.room);
        clock_shift_mono(VIEWS_ROWS_EVERY_MS);
        ann_says(&scene, "my order is late");
        mirror_follow(scene.room, &mirror); /* the first change after a pause: in the same turn */
        assert_int_equal(json_object_size(mirror.rows), 1);
        assert_int_equal(mirror.count, 1);
        room_forget(scene.room);
        take_seq(room_send(scene.room, &scene.eve, scene.conv, NULL, "I look"));
        assert_null(room_told(scene.room, NOTE_VIEW, "view", 0)); /* too soon after the last one */
        views_settle(scene.room);
        mirror_follow(scene.room, &mirror);
        assert_int_equal(json_object_size(mirror.rows), 0);
        assert_int_equal(mirror.count, 0);
        mirror_check(scene.room, &mirror);
        mirror_done(&mirror);
        scene_end(&scene);
}

static void a_closed_view_is_told_no_more(void **state)
{
        struct scene scene = scene_of(state);
        json_decref(first_row(&scene, &scene.eve, "open"));
        take_result(room_ask(scene.room, &scene.eve, "view.close", "{\"view\":\"open\"}"));
        take_error(room_ask(scene.room, &scene.eve, "view.close", "{\"view\":\"open\"}"), "not_found");
        ann_says(&scene, "my order is late");
        views_settle(scene.room);
        assert_null(room_told(scene.room, NOTE_VIEW, "view", 0));
        json_decref(first_row(&scene, &scene.eve, "open"));
        room_leave(scene.room, &scene.eve);
        ann_says(&scene, "hello?");
        views_settle(scene.room);
        assert_null(room_told(scene.room, NOTE_VIEW, "view", 0));
        assert_null(scene.room->desk->views->watchers);
        scene_end(&scene);
}

static void eight_views_may_be_open(void **state)
{
        struct scene scene = scene_of(state);
        char *extra = add_view(&scene, "All", "", "created"), *ninth = add_view(&scene, "Others", "", "due");
        const char *const words_of[] = {"mine",    "unassigned", "my_teams", "open",
                                        "waiting", "overdue",    "snoozed",  extra};
        for (size_t i = 0; i < 8; i++)
                json_decref(first_row(&scene, &scene.eve, words_of[i]));
        take_error(room_ask(scene.room, &scene.eve, "view.open", "{\"view\":\"%s\"}", ninth), "too_many");
        json_decref(first_row(&scene, &scene.eve, "mine")); /* one of them again */
        free(extra);
        free(ninth);
        scene_end(&scene);
}

static void counts_are_told_when_they_change_and_five_times_a_second_at_most(void **state)
{
        struct scene scene = scene_of(state);
        views_settle(scene.room);
        take_result(room_ask(scene.room, &scene.eve, "view.list", "{\"watch\":true}"));
        views_settle(scene.room);
        room_forget(scene.room);
        for (int i = 0; i < 5; i++) {
                char subject[16];
                snprintf(subject, sizeof subject, "c%d", i);
                struct client customer = room_customer(scene.room, subject, 0);
                char *conv = room_conversation(scene.room, &customer, "main");
                take_seq(room_send(scene.room, &customer, conv, NULL, "hello"));
                free(conv);
        }
        assert_true(room_count(scene.room, NOTE_VIEW_COUNTS, "views") <= 1);
        views_settle(scene.room);
        assert_true(room_count(scene.room, NOTE_VIEW_COUNTS, "views") <= 2);
        const struct room_note *note = NULL, *next;
        for (size_t i = 0; (next = room_told(scene.room, NOTE_VIEW_COUNTS, "views", i)) != NULL; i++)
                note = next;
        assert_non_null(note);
        json_t *count;
        size_t i;
        bool has_unassigned = false;
        json_array_foreach(json_object_get(note->json, "counts"), i, count) {
                assert_string_not_equal(words(count, "view"), "mine"); /* it has not changed */
                if (strcmp(words(count, "view"), "unassigned") == 0) {
                        has_unassigned = true;
                        assert_int_equal(number(count, "count"), 5);
                }
        }
        assert_true(has_unassigned);
        scene_end(&scene);
}

static void time_alone_moves_a_ticket_into_a_view(void **state)
{
        struct scene scene = scene_of(state);
        char *view = add_view(&scene, "Waits long", "waiting > 30m", "waiting");
        struct mirror mirror = {.client = &scene.eve, .view = view};
        ann_says(&scene, "hello?");
        mirror_open(scene.room, &mirror);
        assert_int_equal(mirror.count, 0);
        room_forget(scene.room);
        clock_shift_wall(29 * 60 * 1000);
        views_settle(scene.room);
        assert_int_equal(room_count(scene.room, NOTE_VIEW, "view"), 0);
        clock_shift_wall(2 * 60 * 1000);
        assert_int_equal(desk_next_due_ms(scene.room->desk), 0); /* it does not have to be asked */
        views_settle(scene.room);
        mirror_follow(scene.room, &mirror);
        assert_int_equal(mirror.count, 1);
        assert_int_equal(json_object_size(mirror.rows), 1);
        take_seq(room_send(scene.room, &scene.eve, scene.conv, NULL, "here I am"));
        views_settle(scene.room);
        mirror_follow(scene.room, &mirror);
        assert_int_equal(mirror.count, 0);
        mirror_done(&mirror);
        free(view);
        scene_end(&scene);
}

static void an_own_view_is_nobody_elses(void **state)
{
        struct scene scene = scene_of(state);
        struct client kim = room_agent(scene.room, "Kim", 0);
        json_t *answer = room_ask(scene.room, &scene.eve, "view.add",
                                  "{\"cmid\":\"%s\",\"name\":\"Mine too\",\"when\":\"assignee = me\",\"sort\":\"due\"}",
                                  room_cmid(scene.room));
        const char *view = words(answer, "result.view");
        assert_non_null(view);
        json_decref(first_row(&scene, &scene.eve, view));
        take_error(room_ask(scene.room, &kim, "view.open", "{\"view\":\"%s\"}", view), "not_found");
        take_error(room_ask(scene.room, &kim, "view.remove", "{\"cmid\":\"%s\",\"view\":\"%s\"}", room_cmid(scene.room),
                            view),
                   "not_found");
        take_error(room_ask(scene.room, &kim, "view.add",
                            "{\"cmid\":\"%s\",\"name\":\"For all\",\"when\":\"\",\"sort\":\"due\",\"shared\":true}",
                            room_cmid(scene.room)),
                   "forbidden");
        take_result(room_ask(scene.room, &scene.eve, "view.remove", "{\"cmid\":\"%s\",\"view\":\"%s\"}",
                             room_cmid(scene.room), view));
        take_error(room_ask(scene.room, &scene.eve, "view.open", "{\"view\":\"%s\"}", view), "not_found");
        json_decref(answer);
        scene_end(&scene);
}

static void a_view_that_is_changed_is_read_again(void **state)
{
        struct scene scene = scene_of(state);
        char *view = add_view(&scene, "Urgent", "priority = urgent", "created");
        ann_says(&scene, "hello?");
        struct mirror mirror = {.client = &scene.eve, .view = view};
        mirror_open(scene.room, &mirror);
        assert_int_equal(mirror.count, 0);
        views_settle(scene.room);
        room_forget(scene.room);
        json_decref(room_operate(scene.room, "view.set",
                                 "{\"cmid\":\"%s\",\"view\":\"%s\",\"when\":\"priority = normal\"}",
                                 room_cmid(scene.room), view));
        views_settle(scene.room);
        mirror_follow(scene.room, &mirror);
        assert_int_equal(mirror.resets, 1);
        assert_int_equal(mirror.count, 1);
        mirror_check(scene.room, &mirror);
        mirror_done(&mirror);
        free(view);
        scene_end(&scene);
}

static void a_wrong_expression_names_the_place(void **state)
{
        struct scene scene = scene_of(state);
        json_t *answer = room_ask(
                scene.room, &scene.eve, "view.add",
                "{\"cmid\":\"%s\",\"name\":\"V\",\"when\":\"status = open and team = Nobody\",\"sort\":\"due\"}",
                room_cmid(scene.room));
        assert_string_equal(words(answer, "error.data.field"), "when");
        assert_string_equal(words(answer, "error.data.expected"), "at character 26: a team, by name or id");
        json_decref(answer);
        answer = room_ask(scene.room, &scene.eve, "ticket.list", "{\"when\":\"message has x\"}");
        assert_string_equal(words(answer, "error.data.expected"),
                            "at character 1: a fact that views know: this one is only in rules");
        json_decref(answer);
        scene_end(&scene);
}

static void nobody_sees_or_counts_what_he_may_not_read(void **state)
{
        struct scene scene = scene_of(state);
        char *billing = view_team(scene.room, "Billing"), *sales = view_team(scene.room, "Sales");
        struct client rob = view_agent(scene.room, "Rob", "\"reply\",\"assign\"");
        view_join(scene.room, sales, &rob);
        room_leave(scene.room, &rob);
        rob = room_agent(scene.room, "Rob", 1);
        struct mirror mirror = {.client = &rob, .view = "open"};
        mirror_open(scene.room, &mirror);
        take_result(room_ask(scene.room, &rob, "view.list", "{\"watch\":true}"));
        ann_says(&scene, "my order is late");
        views_settle(scene.room);
        mirror_follow(scene.room, &mirror);
        assert_int_equal(mirror.count, 0); /* it belongs to nobody, which he may not read */
        char team[64];
        snprintf(team, sizeof team, ",\"team\":\"%s\"", sales);
        ticket_do(scene.room, &scene.eve, scene.conv, "ticket.assign", team);
        views_settle(scene.room);
        mirror_follow(scene.room, &mirror);
        assert_int_equal(mirror.count, 1);
        assert_int_equal(json_object_size(mirror.rows), 1);
        room_forget(scene.room);
        snprintf(team, sizeof team, ",\"team\":\"%s\"", billing);
        ticket_do(scene.room, &scene.eve, scene.conv, "ticket.assign", team);
        views_settle(scene.room);
        mirror_follow(scene.room, &mirror);
        assert_int_equal(mirror.count, 0);
        assert_int_equal(json_object_size(mirror.rows), 0);
        json_t *answer = room_ask(scene.room, &rob, "ticket.list", "{}");
        assert_int_equal(json_array_size(json_object_get(json_object_get(answer, "result"), "rows")), 0);
        json_decref(answer);
        mirror_done(&mirror);
        free(billing);
        free(sales);
        scene_end(&scene);
}

static void an_invitation_shows_the_ticket_and_its_end_takes_it_away(void **state)
{
        struct scene scene = scene_of(state);
        struct client rob = view_agent(scene.room, "Rob", "\"reply\"");
        struct mirror mirror = {.client = &rob, .view = "open"};
        struct conversation *conversation;
        ann_says(&scene, "my order is late");
        mirror_open(scene.room, &mirror);
        assert_int_equal(mirror.count, 0);
        conversation = room_cached(scene.room, scene.conv);
        for (int round = 0; round < 2; round++) {
                struct desk *desk = scene.room->desk;
                assert_int_equal(db_begin(desk->db), DB_OK);
                if (round == 0)
                        assert_int_equal(people_invite(desk, conversation, rob.caller.principal, 0), 0);
                else
                        assert_int_equal(people_uninvite(desk, conversation, rob.caller.principal), 0);
                assert_int_equal(db_commit(desk->db), DB_OK);
                views_settle(scene.room);
                mirror_follow(scene.room, &mirror);
                assert_int_equal(mirror.count, round == 0);
                views_check(scene.room);
        }
        mirror_done(&mirror);
        scene_end(&scene);
}

static void pages_hold_every_ticket_once(void **state)
{
        struct scene scene = scene_of(state);
        enum { TICKETS = 45 };
        for (int i = 0; i < TICKETS; i++) {
                char subject[16];
                snprintf(subject, sizeof subject, "p%d", i);
                struct client customer = room_customer(scene.room, subject, 0);
                char *conv = room_conversation(scene.room, &customer, "main");
                take_seq(room_send(scene.room, &customer, conv, NULL, "hello"));
                room_leave(scene.room, &customer);
                free(conv);
        }
        struct mirror mirror = {.client = &scene.eve, .view = "unassigned"};
        mirror_open(scene.room, &mirror); /* by 20 */
        assert_int_equal(json_object_size(mirror.rows), TICKETS);
        assert_int_equal(mirror.count, TICKETS);
        json_t *seen = json_object(), *row;
        char after[64] = "";
        for (bool more = true; more;) {
                json_t *answer = room_ask(scene.room, &scene.eve, "ticket.list",
                                          "{\"when\":\"number > 5\",\"sort\":\"created\",\"limit\":7%s}", after);
                size_t i;
                json_array_foreach(json_object_get(json_object_get(answer, "result"), "rows"), i, row) {
                        assert_null(json_object_get(seen, words(row, "ticket.ticket")));
                        json_object_set(seen, words(row, "ticket.ticket"), row);
                }
                more = json_is_true(json_object_get(json_object_get(answer, "result"), "more"));
                if (more)
                        snprintf(after, sizeof after, ",\"after\":\"%s\"", words(answer, "result.next"));
                json_decref(answer);
        }
        assert_int_equal(json_object_size(seen), TICKETS - 5);
        json_decref(seen);
        mirror_done(&mirror);
        scene_end(&scene);
}

static void only_what_was_read_of_a_view_is_told(void **state)
{
        struct scene scene = scene_of(state);
        char *view = add_view(&scene, "All", "", "created");
        for (int i = 0; i < 4; i++) {
                char key[16];
                snprintf(key, sizeof key, "k%d", i);
                char *conv = room_conversation(scene.room, &scene.ann, key);
                take_seq(room_send(scene.room, &scene.ann, conv, NULL, "hello"));
                free(conv);
                clock_shift_wall(1000);
        }
        json_t *answer = room_ask(scene.room, &scene.eve, "view.open", "{\"view\":\"%s\",\"limit\":2}", view);
        assert_int_equal(number(answer, "result.count"), 4);
        json_decref(answer);
        views_settle(scene.room);
        room_forget(scene.room);
        char *oldest = room_conversation(scene.room, &scene.ann, "k0"),
             *newest = room_conversation(scene.room, &scene.ann, "k3");
        take_seq(room_send(scene.room, &scene.ann, oldest, NULL, "again"));
        views_settle(scene.room);
        assert_int_equal(room_count(scene.room, NOTE_VIEW, "view"), 0);
        take_seq(room_send(scene.room, &scene.ann, newest, NULL, "again"));
        views_settle(scene.room);
        assert_int_equal(room_count(scene.room, NOTE_VIEW, "view"), 1);
        free(oldest);
        free(newest);
        free(view);
        scene_end(&scene);
}

static void views_are_the_same_after_a_restart(void **state)
{
        struct scene scene = scene_of(state);
        char *view = add_view(&scene, "Late", "waiting > 1m and tag is not set", "waiting");
        ann_says(&scene, "hello?");
        clock_shift_wall(120000);
        views_settle(scene.room);
        assert_true(has_one(&scene, view));
        room_close(scene.room);
        room_open(scene.room);
        scene.eve = room_agent(scene.room, "Eve", 0);
        assert_true(has_one(&scene, view));
        assert_true(has_one(&scene, "unassigned"));
        free(view);
        scene_end(&scene);
}

/* Whatever step of the store fails, lists are as the tickets are. */
static void a_batch_that_is_not_kept_leaves_the_lists_as_they_were(void **state)
{
        struct scene scene = scene_of(state);
        ann_says(&scene, "hello?");
        json_decref(first_row(&scene, &scene.eve, "open"));
        bool was_hit = true;
        for (uint64_t nth = 1; was_hit; nth++) {
                db_fault_reset(&db_sqlite);
                assert_true(db_fault_add((struct db_fault_rule){
                        .op = DB_FAULT_STEP, .kind = DB_FAULT_FAIL, .mode = DB_WRITER, .nth = nth, .error = DB_IO}));
                json_t *answer =
                        ticket_ask_for(scene.room, &scene.eve, scene.conv, "ticket.set", ",\"priority\":\"high\"");
                json_decref(answer);
                was_hit = db_fault_calls(DB_FAULT_STEP, DB_WRITER) >= nth;
                db_fault_reset(&db_sqlite);
                views_settle(scene.room);
                views_check(scene.room);
                json_decref(ticket_ask_for(scene.room, &scene.eve, scene.conv, "ticket.set", ",\"priority\":\"low\""));
                assert_true(nth < 500);
        }
        scene_end(&scene);
}

static void a_saved_view_of_a_batch_that_is_not_kept_is_not_there(void **state)
{
        struct scene scene = scene_of(state);
        db_fault_reset(&db_sqlite);
        assert_true(db_fault_add((struct db_fault_rule){
                .op = DB_FAULT_COMMIT, .kind = DB_FAULT_FAIL, .mode = DB_WRITER, .nth = 1, .error = DB_FULL}));
        unsigned add =
                room_queue(scene.room, &scene.eve, "view.add",
                           "{\"cmid\":\"%s\",\"name\":\"Own\",\"when\":\"\",\"sort\":\"due\"}", room_cmid(scene.room));
        unsigned list = room_queue(scene.room, &scene.eve, "view.list", "{}");
        room_turn(scene.room);
        db_fault_reset(&db_sqlite);
        take_error(room_answer(scene.room, add), "storage_full");
        take_error(room_answer(scene.room, list), "storage_full");
        clock_shift_mono(10000);
        room_turn(scene.room);
        json_t *answer = room_ask(scene.room, &scene.eve, "view.list", "{}");
        assert_int_equal(json_array_size(json_object_get(json_object_get(answer, "result"), "views")), VIEWS_BUILT_IN);
        json_decref(answer);
        scene_end(&scene);
}

static void a_message_that_is_erased_waits_for_no_answer(void **state)
{
        struct scene scene = scene_of(state);
        char *view = add_view(&scene, "Impatient", "unanswered > 1 and waiting > 0s", "waiting");
        ann_says(&scene, "where is it?");
        take_seq(room_send(scene.room, &scene.ann, scene.conv, NULL, "hello?"));
        clock_shift_wall(1000);
        room_turn(scene.room);
        assert_true(has_one(&scene, view));
        json_t *erased = room_ask(scene.room, &scene.ann, "message.erase", "{\"cmid\":\"%s\",\"conv\":\"%s\",\"of\":2}",
                                  room_cmid(scene.room), scene.conv);
        assert_non_null(json_object_get(erased, "result"));
        json_decref(erased);
        assert_false(has_one(&scene, view));
        views_check(scene.room);
        room_close(scene.room);
        room_open(scene.room);
        scene.eve = room_agent(scene.room, "Eve", 1);
        assert_false(has_one(&scene, view));
        free(view);
        scene_end(&scene);
}

static void hundreds_of_views_are_kept_up_to_date(void **state)
{
        enum { VIEWS = 150 };
        struct scene scene = scene_of(state);
        char *views[VIEWS], name[16], when[64];
        ann_says(&scene, "hello");
        for (int i = 0; i < VIEWS; i++) {
                snprintf(name, sizeof name, "V %d", i);
                snprintf(when, sizeof when, "number %s %d and priority >= high", i % 2 ? "=" : ">", i / 2 % 3);
                views[i] = add_view(&scene, name, when, i % 5 ? "created" : "activity");
        }
        views_check(scene.room);
        assert_false(has_one(&scene, views[0]));
        json_decref(ticket_ask_for(scene.room, &scene.eve, scene.conv, "ticket.set", ",\"priority\":\"urgent\""));
        views_check(scene.room);
        for (int i = 0; i < VIEWS; i++) { /* number 1 */
                assert_int_equal(has_one(&scene, views[i]), i % 2 ? i / 2 % 3 == 1 : i / 2 % 3 == 0);
                if (i % 3 == 0)
                        json_decref(room_operate(scene.room, "view.remove", "{\"cmid\":\"%s\",\"view\":\"%s\"}",
                                                 room_cmid(scene.room), views[i]));
                json_decref(room_ask(scene.room, &scene.eve, "view.close", "{\"view\":\"%s\"}", views[i]));
                free(views[i]);
        }
        free(add_view(&scene, "Anew", "number = 1 and status = pending", "due"));
        ann_says(&scene, "hello?");
        scene_end(&scene);
}

/* ---- closed tickets ---- */

static void closed_tickets_come_newest_first_in_pages(void **state)
{
        struct scene scene = scene_of(state);
        enum { TICKETS = 5 };
        for (int i = 0; i < TICKETS; i++) {
                ann_says(&scene, "hello");
                clock_shift_wall(1000);
                ticket_do(scene.room, &scene.eve, scene.conv, "ticket.move", ",\"to\":\"closed\",\"reason\":\"spam\"");
        }
        json_int_t last = INT64_MAX;
        char after[64] = "";
        int count = 0;
        for (bool more = true; more;) {
                json_t *row, *answer = room_read(scene.room, &scene.eve, "ticket.closed",
                                                 "{\"customer\":\"%s\",\"limit\":2%s}", scene.ann.id, after);
                size_t i;
                json_array_foreach(json_object_get(json_object_get(answer, "result"), "rows"), i, row) {
                        assert_true(number(row, "closed") <= last);
                        last = number(row, "closed");
                        assert_string_equal(words(row, "ticket.status"), "closed");
                        count++;
                }
                more = json_is_true(json_object_get(json_object_get(answer, "result"), "more"));
                if (more)
                        snprintf(after, sizeof after, ",\"after\":\"%s\"", words(answer, "result.next"));
                json_decref(answer);
        }
        assert_int_equal(count, TICKETS);
        json_t *answer = room_read(scene.room, &scene.eve, "ticket.closed", "{\"assignee\":\"%s\",\"customer\":\"%s\"}",
                                   scene.eve.id, scene.ann.id);
        take_error(answer, "bad_request");
        scene_end(&scene);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_ticket_is_in_the_built_in_views_that_speak_of_it),
                TEST(who_has_a_view_open_hears_what_comes_and_what_leaves),
                TEST(a_closed_view_is_told_no_more),
                TEST(eight_views_may_be_open),
                TEST(counts_are_told_when_they_change_and_five_times_a_second_at_most),
                TEST(time_alone_moves_a_ticket_into_a_view),
                TEST(an_own_view_is_nobody_elses),
                TEST(a_view_that_is_changed_is_read_again),
                TEST(a_wrong_expression_names_the_place),
                TEST(nobody_sees_or_counts_what_he_may_not_read),
                TEST(an_invitation_shows_the_ticket_and_its_end_takes_it_away),
                TEST(pages_hold_every_ticket_once),
                TEST(only_what_was_read_of_a_view_is_told),
                TEST(views_are_the_same_after_a_restart),
                TEST(a_batch_that_is_not_kept_leaves_the_lists_as_they_were),
                TEST(a_saved_view_of_a_batch_that_is_not_kept_is_not_there),
                TEST(a_message_that_is_erased_waits_for_no_answer),
                TEST(hundreds_of_views_are_kept_up_to_date),
                TEST(closed_tickets_come_newest_first_in_pages),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
