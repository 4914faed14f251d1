/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a ticket through the desk: what begins it, who may move it where, what the customer hears of it, what
 * time does, and that it survives whatever happens to the store. */
#include <stdlib.h>
#include <unistd.h>

#include "store/db_fault.h"
#include "unit/tickets/ticket_room.h"

struct scene {
        struct room *room;
        struct client ann, eve, kim;
        char *conv;
};

static struct scene scene_of(void **state)
{
        struct scene scene = {.room = *state};
        scene.ann = room_customer(scene.room, "ann", 0);
        scene.eve = room_agent(scene.room, "Eve", 0);
        scene.kim = room_agent(scene.room, "Kim", 0);
        scene.conv = room_conversation(scene.room, &scene.ann, "main");
        return scene;
}

static void scene_end(struct scene *scene)
{
        room_check(scene->room);
        tickets_check(scene->room);
        free(scene->conv);
}

static void ann_says(struct scene *scene, const char *text)
{
        take_seq(room_send(scene->room, &scene->ann, scene->conv, NULL, text));
}

static void eve_says(struct scene *scene, const char *text)
{
        take_seq(room_send(scene->room, &scene->eve, scene->conv, NULL, text));
}

static void eve_moves(struct scene *scene, const char *more)
{
        ticket_do(scene->room, &scene->eve, scene->conv, "ticket.move", more);
}

static void is_now(struct scene *scene, const char *status)
{
        assert_string_equal(status, ticket_status_in(scene->room, scene->conv));
}

/* ---- */

static void the_first_message_begins_a_ticket_that_waits_for_people(void **state)
{
        struct scene scene = scene_of(state);
        assert_int_equal(0, room_sql(scene.room, "SELECT COUNT(*) FROM ticket"));
        ann_says(&scene, "my order is late");
        const struct ticket *ticket = ticket_in(scene.room, scene.conv);
        is_now(&scene, "pending");
        assert_int_equal(1, ticket->number);
        assert_int_equal(1, ticket->first_seq);
        assert_true(ticket->queued_ms > 0);
        ann_says(&scene, "hello?");
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM ticket"));
        scene_end(&scene);
}

static void whoever_replies_first_has_it(void **state)
{
        struct scene scene = scene_of(state);
        ann_says(&scene, "my order is late");
        eve_says(&scene, "let me look");
        const struct ticket *ticket = ticket_in(scene.room, scene.conv);
        is_now(&scene, "open");
        assert_int_equal(scene.eve.caller.principal, ticket->assignee);
        assert_true(ticket->first_reply_ms > 0 && ticket->assigned_ms > 0);
        take_seq(room_send(scene.room, &scene.kim, scene.conv, NULL, "I help too"));
        assert_int_equal(scene.eve.caller.principal, ticket->assignee);
        scene_end(&scene);
}

static void what_we_write_first_is_hidden_until_the_customer_answers(void **state)
{
        struct scene scene = scene_of(state);
        eve_says(&scene, "how did you like it?");
        is_now(&scene, "new");
        ann_says(&scene, "very much");
        is_now(&scene, "open");
        assert_int_equal(scene.eve.caller.principal, ticket_in(scene.room, scene.conv)->assignee);
        scene_end(&scene);
}

static void a_note_moves_nothing(void **state)
{
        struct scene scene = scene_of(state);
        ann_says(&scene, "hello");
        json_decref(room_note(scene.room, &scene.eve, scene.conv, "a friend of the house"));
        is_now(&scene, "pending");
        scene_end(&scene);
}

/* Every status, and every place it can be moved to by hand: the table decides. */
static void what_the_table_does_not_have_is_refused_with_both_names(void **state)
{
        static const struct {
                const char *to, *more;
                enum ticket_event event;
        } moves[] = {
                {"waiting", "", TICKET_EVENT_WAIT},   {"on_hold", "", TICKET_EVENT_HOLD},
                {"snoozed", "", TICKET_EVENT_SNOOZE}, {"solved", "", TICKET_EVENT_SOLVE},
                {"open", "", TICKET_EVENT_TAKE},      {"closed", ",\"reason\":\"spam\"", TICKET_EVENT_DISCARD},
        };
        static const char *const ways[][3] = {
                {"pending"},         {"open"}, {"waiting", "waiting"}, {"on_hold", "on_hold"}, {"snoozed", "snoozed"},
                {"solved", "solved"}};
        for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
                for (size_t m = 0; m < sizeof moves / sizeof *moves; m++) {
                        struct scene scene = scene_of(state);
                        char more[80];
                        ann_says(&scene, "hello");
                        if (strcmp(ways[w][0], "pending") != 0)
                                eve_says(&scene, "hello Ann");
                        if (ways[w][1]) {
                                snprintf(more, sizeof more, ",\"to\":\"%s\"", ways[w][1]);
                                eve_moves(&scene, more);
                        }
                        is_now(&scene, ways[w][0]);
                        enum ticket_status from = ticket_in(scene.room, scene.conv)->status;
                        enum ticket_event event = moves[m].event == TICKET_EVENT_TAKE && from == TICKET_SOLVED
                                                          ? TICKET_EVENT_REOPEN
                                                          : moves[m].event;
                        snprintf(more, sizeof more, ",\"to\":\"%s\"%s", moves[m].to, moves[m].more);
                        json_t *answer = ticket_ask_for(scene.room, &scene.eve, scene.conv, "ticket.move", more);
                        if (ticket_life[from][event].to != 0) {
                                assert_non_null(json_object_get(answer, "result"));
                                is_now(&scene, moves[m].to);
                        } else {
                                assert_string_equal("conflict", words(answer, "error.data.tag"));
                                assert_non_null(strstr(words(answer, "error.data.expected"), ways[w][0]));
                                assert_non_null(
                                        strstr(words(answer, "error.data.expected"), ticket_event_names[event]));
                                is_now(&scene, ways[w][0]);
                        }
                        json_decref(answer);
                        scene_end(&scene);
                        room_tear_down(state);
                        room_set_up(state);
                }
        }
}

static void two_agents_never_overwrite_each_other_silently(void **state)
{
        struct scene scene = scene_of(state);
        char ext[ID_TEXT_BYTES + 1] = "";
        ann_says(&scene, "hello");
        const struct ticket *ticket = ticket_in(scene.room, scene.conv);
        long long version = ticket->version;
        id_write(ext, "tkt", ticket->ext);
        ticket_do(scene.room, &scene.eve, scene.conv, "ticket.set", ",\"priority\":\"high\"");
        json_t *answer = room_ask(scene.room, &scene.kim, "ticket.set",
                                  "{\"cmid\":\"%s\",\"ticket\":\"%s\",\"version\":%lld,\"priority\":\"low\"}",
                                  room_cmid(scene.room), ext, version);
        assert_string_equal("version", words(answer, "error.data.field"));
        take_error(answer, "stale");
        assert_int_equal(PRIORITY_HIGH, ticket->priority);
        scene_end(&scene);
}

static void each_change_is_an_entry_with_who_and_what_was_before(void **state)
{
        struct scene scene = scene_of(state);
        ann_says(&scene, "hello");
        ticket_do(scene.room, &scene.eve, scene.conv, "ticket.set",
                  ",\"priority\":\"urgent\",\"subject\":\"late order\",\"topic\":\"shipping\",\"lang\":\"ko\","
                  "\"tags\":[\"vip\",\"late\"]");
        ticket_do(scene.room, &scene.eve, scene.conv, "ticket.set", ",\"tags\":[\"late\"],\"subject\":\"\"");
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM entry WHERE log = 1 AND kind = 25 AND body LIKE"
                                                 " '%\"name\":\"priority\",\"old\":\"normal\",\"now\":\"urgent\"%'"));
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM entry WHERE log = 1 AND kind = 25 AND body LIKE"
                                                 " '%\"name\":\"tag\",\"old\":\"vip\"}%'"));
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM entry WHERE log = 1 AND kind = 25 AND body LIKE"
                                                 " '%\"name\":\"subject\",\"old\":\"late order\"}%'"));
        assert_int_equal(0, room_sql(scene.room, "SELECT COUNT(*) FROM entry WHERE kind = 25 AND (log = 0 OR author ="
                                                 " 0)"));
        assert_int_equal(1, ticket_in(scene.room, scene.conv)->tag_count);
        scene_end(&scene);
}

static int64_t labels_told(struct scene *scene)
{
        return room_sql(scene->room, "SELECT COUNT(*) FROM entry WHERE log = 0 AND kind = 26");
}

static void the_customer_hears_of_a_status_only_when_his_label_changes(void **state)
{
        struct scene scene = scene_of(state);
        ann_says(&scene, "hello");
        eve_says(&scene, "hello Ann");
        eve_moves(&scene, ",\"to\":\"on_hold\"");
        eve_moves(&scene, ",\"to\":\"open\"");
        assert_int_equal(0, labels_told(&scene));
        eve_moves(&scene, ",\"to\":\"waiting\"");
        assert_int_equal(1, labels_told(&scene));
        ann_says(&scene, "here I am");
        is_now(&scene, "open");
        assert_int_equal(2, labels_told(&scene));
        ticket_do(scene.room, &scene.eve, scene.conv, "ticket.set", ",\"lang\":\"ko-KR\"");
        eve_moves(&scene, ",\"to\":\"solved\"");
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM entry WHERE log = 0 AND kind = 26 AND body LIKE"
                                                 " '%해결됨%' AND body LIKE '%\"label\":\"solved\"%'"));
        eve_moves(&scene, ",\"to\":\"closed\",\"reason\":\"done\"");
        assert_int_equal(3, labels_told(&scene));
        assert_int_equal(1, room_cached(scene.room, scene.conv)->row.unread); /* only the message counts */
        scene_end(&scene);
}

static void a_label_of_the_workspace_takes_the_place_of_ours(void **state)
{
        struct scene scene = scene_of(state);
        json_decref(room_operate(scene.room, "ticket.label_set",
                                 "{\"cmid\":\"%s\",\"status\":\"solved\",\"lang\":\"en\",\"customer\":\"All done\"}",
                                 room_cmid(scene.room)));
        ann_says(&scene, "hello");
        eve_moves(&scene, ",\"to\":\"solved\"");
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM entry WHERE kind = 26 AND body LIKE"
                                                 " '%All done%'"));
        scene_end(&scene);
}

static void a_message_opens_a_solved_one_again_and_follows_a_closed_one(void **state)
{
        struct scene scene = scene_of(state);
        ann_says(&scene, "hello");
        eve_says(&scene, "hello Ann");
        eve_moves(&scene, ",\"to\":\"solved\"");
        ann_says(&scene, "not yet");
        assert_int_equal(1, ticket_in(scene.room, scene.conv)->reopens);
        eve_moves(&scene, ",\"to\":\"closed\",\"reason\":\"spam\"");
        assert_int_equal(0, room_sql(scene.room, "SELECT COUNT(*) FROM ticket WHERE status < 9"));
        ann_says(&scene, "something else");
        const struct ticket *next = ticket_in(scene.room, scene.conv);
        assert_int_equal(2, next->number);
        assert_int_equal(next->follows, room_sql(scene.room, "SELECT id FROM ticket WHERE number = 1"));
        scene_end(&scene);
}

static void press(struct scene *scene, const char *id, const char *label)
{
        long long seq = ticket_in(scene->room, scene->conv)->consent_seq;
        take_seq(room_ask(scene->room, &scene->ann, "message.send",
                          "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"%s\","
                          "\"pressed\":{\"seq\":%lld,\"id\":\"%s\"}}",
                          room_cmid(scene->room), scene->conv, label, seq, id));
}

static void it_is_solved_when_the_customer_agrees(void **state)
{
        struct scene scene = scene_of(state);
        ann_says(&scene, "hello");
        eve_says(&scene, "done");
        eve_moves(&scene, ",\"to\":\"solved\",\"ask\":true");
        is_now(&scene, "open");
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM entry WHERE log = 0 AND kind = 3"));
        eve_moves(&scene, ",\"to\":\"solved\",\"ask\":true"); /* asked already */
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM entry WHERE log = 0 AND kind = 3"));
        press(&scene, "solved", "Yes, solved");
        is_now(&scene, "solved");
        scene_end(&scene);
}

static void it_stays_open_when_he_does_not_or_writes_something_else(void **state)
{
        struct scene scene = scene_of(state);
        ann_says(&scene, "hello");
        eve_says(&scene, "done");
        eve_moves(&scene, ",\"to\":\"solved\",\"ask\":true");
        press(&scene, "not_solved", "No, not yet");
        is_now(&scene, "open");
        eve_moves(&scene, ",\"to\":\"solved\",\"ask\":true");
        ann_says(&scene, "one more thing");
        is_now(&scene, "open");
        assert_int_equal(0, ticket_in(scene.room, scene.conv)->consent_seq);
        scene_end(&scene);
}

static void wait_for_time(struct scene *scene, const char *status)
{
        for (int i = 0; i < 200 && strcmp(ticket_status_in(scene->room, scene->conv), status) != 0; i++) {
                usleep(20000);
                room_turn(scene->room);
        }
        is_now(scene, status);
}

static void a_silent_customer_is_waited_for_reminded_and_let_go(void **state)
{
        struct scene scene = scene_of(state);
        json_decref(room_operate(scene.room, "ticket.settings_set",
                                 "{\"cmid\":\"%s\",\"settings\":{\"idle_ms\":60,\"remind_ms\":60,\"silent_ms\":60,"
                                 "\"close_ms\":1000}}",
                                 room_cmid(scene.room)));
        ann_says(&scene, "hello");
        usleep(100000);
        room_turn(scene.room);
        is_now(&scene, "pending"); /* never idle when the customer spoke last */
        eve_says(&scene, "hello Ann");
        wait_for_time(&scene, "waiting");
        wait_for_time(&scene, "solved");
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM entry WHERE log = 0 AND kind = 7"));
        room_close(scene.room);
        room_open(scene.room);
        wait_for_time(&scene, "closed");
        room_check(scene.room);
        tickets_check(scene.room);
        free(scene.conv);
}

static void an_exempt_one_is_left_alone_by_time(void **state)
{
        struct scene scene = scene_of(state);
        json_decref(room_operate(scene.room, "ticket.settings_set",
                                 "{\"cmid\":\"%s\",\"settings\":{\"idle_ms\":30,\"remind_ms\":30}}",
                                 room_cmid(scene.room)));
        ann_says(&scene, "hello");
        ticket_do(scene.room, &scene.eve, scene.conv, "ticket.set", ",\"exempt\":true");
        eve_says(&scene, "hello Ann");
        usleep(100000);
        room_turn(scene.room);
        is_now(&scene, "open");
        scene_end(&scene);
}

static void a_snoozed_one_wakes_at_its_time_or_when_the_customer_writes(void **state)
{
        struct scene scene = scene_of(state);
        char more[80];
        ann_says(&scene, "hello");
        eve_says(&scene, "hello Ann");
        snprintf(more, sizeof more, ",\"to\":\"snoozed\",\"until\":%lld", (long long)clock_wall_ms() + 150);
        eve_moves(&scene, more);
        is_now(&scene, "snoozed");
        wait_for_time(&scene, "open");
        eve_moves(&scene, ",\"to\":\"snoozed\"");
        ann_says(&scene, "and another thing");
        is_now(&scene, "open");
        json_t *answer =
                ticket_ask_for(scene.room, &scene.eve, scene.conv, "ticket.move", ",\"to\":\"snoozed\",\"until\":12");
        take_error(answer, "bad_request");
        is_now(&scene, "open");
        scene_end(&scene);
}

static void a_merged_one_is_closed_and_names_where_it_goes_on(void **state)
{
        struct scene scene = scene_of(state);
        char into[ID_TEXT_BYTES + 1] = "", more[64];
        ann_says(&scene, "my order is late");
        ticket_do(scene.room, &scene.eve, scene.conv, "ticket.set", ",\"tags\":[\"late\"]");
        char *other = room_conversation(scene.room, &scene.ann, "orders");
        take_seq(room_send(scene.room, &scene.ann, other, NULL, "where is it?"));
        id_write(into, "tkt", ticket_in(scene.room, other)->ext);
        snprintf(more, sizeof more, ",\"into\":\"%s\"", into);
        ticket_do(scene.room, &scene.eve, scene.conv, "ticket.merge", more);
        is_now(&scene, "closed");
        assert_int_equal(2, room_sql(scene.room, "SELECT COUNT(*) FROM entry WHERE log = 1 AND body LIKE"
                                                 " '%\"what\":\"merge\"%'"));
        assert_string_equal("late", ticket_in(scene.room, other)->tags[0]);
        struct client bob = room_customer(scene.room, "bob", 0);
        char *his = room_conversation(scene.room, &bob, "main");
        take_seq(room_send(scene.room, &bob, his, NULL, "hello"));
        take_error(ticket_ask_for(scene.room, &scene.eve, his, "ticket.merge", more), "bad_request");
        free(other);
        free(his);
        scene_end(&scene);
}

static void a_split_one_has_a_conversation_whose_first_note_names_the_messages(void **state)
{
        struct scene scene = scene_of(state);
        ann_says(&scene, "my order is late");
        ann_says(&scene, "and my bill is wrong");
        take_error(ticket_ask_for(scene.room, &scene.eve, scene.conv, "ticket.split", ",\"seqs\":[2,9]"),
                   "bad_request");
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM conversation"));
        json_t *answer = ticket_ask_for(scene.room, &scene.eve, scene.conv, "ticket.split",
                                        ",\"seqs\":[2],\"subject\":\"the bill\"");
        char *other = strdup(words(answer, "result.conv"));
        json_decref(answer);
        const struct ticket *ticket = ticket_in(scene.room, other);
        assert_string_equal("the bill", ticket->subject);
        assert_int_equal(ticket->split_from, ticket_in(scene.room, scene.conv)->id);
        assert_int_equal(1, room_sql(scene.room, "SELECT COUNT(*) FROM entry WHERE log = 1 AND seq = 1 AND body LIKE"
                                                 " '%Split from ticket #1%my bill is wrong%'"));
        free(other);
        scene_end(&scene);
}

static void somebody_elses_ids_are_unknown(void **state)
{
        struct scene scene = scene_of(state);
        ann_says(&scene, "hello");
        take_error(room_ask(scene.room, &scene.eve, "ticket.get", "{\"ticket\":\"tkt_0000000000001\"}"), "not_found");
        take_error(room_ask(scene.room, &scene.eve, "ticket.get", "{}"), "bad_request");
        take_error(
                ticket_ask_for(scene.room, &scene.eve, scene.conv, "ticket.assign", ",\"team\":\"tea_0000000000001\""),
                "bad_request");
        take_error(ticket_ask_for(scene.room, &scene.eve, scene.conv, "ticket.assign",
                                  ",\"assignee\":\"agt_0000000000001\""),
                   "bad_request");
        take_error(ticket_ask_for(scene.room, &scene.eve, scene.conv, "ticket.set", ",\"fields\":\"[]\""),
                   "bad_request");
        scene_end(&scene);
}

/* The n-th write of a batch full of changes fails: nothing of it happened, in memory neither. */
static void a_batch_that_fails_leaves_tickets_as_they_were(void **state)
{
        bool was_hit = true;
        for (uint64_t nth = 1; was_hit; nth += 2) {
                struct scene scene = scene_of(state);
                char ext[ID_TEXT_BYTES + 1] = "";
                ann_says(&scene, "hello");
                const struct ticket *ticket = ticket_in(scene.room, scene.conv);
                int64_t version = ticket->version;
                id_write(ext, "tkt", ticket->ext);
                db_fault_reset(&db_sqlite);
                assert_true(db_fault_add((struct db_fault_rule){
                        .op = DB_FAULT_STEP, .kind = DB_FAULT_FAIL, .mode = DB_WRITER, .nth = nth, .error = DB_IO}));
                room_queue(scene.room, &scene.eve, "message.send",
                           "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"hello Ann\"}",
                           room_cmid(scene.room), scene.conv);
                room_queue(scene.room, &scene.kim, "ticket.set",
                           "{\"cmid\":\"%s\",\"ticket\":\"%s\",\"version\":%lld,\"tags\":[\"a\",\"b\"]}",
                           room_cmid(scene.room), ext, (long long)version + 1);
                room_turn(scene.room);
                was_hit = db_fault_calls(DB_FAULT_STEP, DB_WRITER) >= nth;
                db_fault_reset(&db_sqlite);
                if (was_hit)
                        assert_int_equal(version, ticket_in(scene.room, scene.conv)->version);
                else
                        is_now(&scene, "open");
                scene_end(&scene);
                room_tear_down(state);
                room_set_up(state);
        }
}

static void all_of_it_is_there_after_a_restart(void **state)
{
        struct scene scene = scene_of(state);
        ann_says(&scene, "hello");
        ticket_do(scene.room, &scene.eve, scene.conv, "ticket.set",
                  ",\"priority\":\"high\",\"subject\":\"s\",\"tags\":[\"b\",\"a\"],\"exempt\":true");
        eve_says(&scene, "hello Ann");
        eve_moves(&scene, ",\"to\":\"waiting\"");
        room_close(scene.room);
        room_open(scene.room);
        const struct ticket *ticket = ticket_in(scene.room, scene.conv);
        assert_int_equal(TICKET_WAITING, ticket->status);
        assert_string_equal("a", ticket->tags[0]);
        assert_true(ticket->is_exempt);
        tickets_check(scene.room);
        free(scene.conv);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {
                T(the_first_message_begins_a_ticket_that_waits_for_people),
                T(whoever_replies_first_has_it),
                T(what_we_write_first_is_hidden_until_the_customer_answers),
                T(a_note_moves_nothing),
                T(what_the_table_does_not_have_is_refused_with_both_names),
                T(two_agents_never_overwrite_each_other_silently),
                T(each_change_is_an_entry_with_who_and_what_was_before),
                T(the_customer_hears_of_a_status_only_when_his_label_changes),
                T(a_label_of_the_workspace_takes_the_place_of_ours),
                T(a_message_opens_a_solved_one_again_and_follows_a_closed_one),
                T(it_is_solved_when_the_customer_agrees),
                T(it_stays_open_when_he_does_not_or_writes_something_else),
                T(a_silent_customer_is_waited_for_reminded_and_let_go),
                T(an_exempt_one_is_left_alone_by_time),
                T(a_snoozed_one_wakes_at_its_time_or_when_the_customer_writes),
                T(a_merged_one_is_closed_and_names_where_it_goes_on),
                T(a_split_one_has_a_conversation_whose_first_note_names_the_messages),
                T(somebody_elses_ids_are_unknown),
                T(a_batch_that_fails_leaves_tickets_as_they_were),
                T(all_of_it_is_there_after_a_restart),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
