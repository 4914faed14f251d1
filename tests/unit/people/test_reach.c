/* SPDX-License-Identifier: Apache-2.0 */
/* What is out of reach does not exist: every method that an agent may call is asked about a conversation of another
 * team, and neither finds nor shows nor counts it. A method that is not in the table below fails the test: whoever adds
 * one says here what it tells. */
#include "unit/people/crew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/indexer.h"

enum told {
        NOTHING,   /* it speaks of no conversation, ticket or customer */
        NOT_FOUND, /* named in the params: refused as unknown */
        ABSENT,    /* a list: the answer holds nothing of it */
        SILENT,    /* a notification: nothing happens */
};

/* %C conversation, %T ticket, %U customer, %Z one within reach, %M a new cmid, %A an agent, %G a team,
 * %O a survey that waits for an answer. */
struct asked {
        const char *method;
        enum told told;
        const char *params;
};

static const struct asked table[] = {
#include "unit/people/reach_table.h"
};

struct scene {
        struct room *room;
        struct client eve, bob; /* Eve is in the first team only */
        char teams[2][32], role[32], ticket[32], customer[32], other[32], offer[32];
        char *conv, *own; /* of the second team; of the first */
};

static const char secret[] = "gloxinia";

static void index_all(struct room *room)
{
        int rc;
        while ((rc = indexer_turn(room->desk->indexer)) == 1)
                ;
        assert_int_equal(0, rc);
}

/* In a conversation that belongs to nobody. */
static void ask_how_it_was(struct scene *scene, const struct client *customer)
{
        struct room *room = scene->room;
        char *conv = room_conversation(room, customer, "asked");
        take_result(room_operate(room, "survey.add", "{\"cmid\":\"%s\",\"form\":{\"name\":\"How was it\",\"on\":[]}}",
                                 room_cmid(room)));
        json_t *answer =
                room_operate(room, "survey.offer", "{\"cmid\":\"%s\",\"conv\":\"%s\",\"survey\":\"How was it\"}",
                             room_cmid(room), conv);
        assert_string_equal("waiting", words(answer, "result.state"));
        snprintf(scene->offer, sizeof scene->offer, "%s", words(answer, "result.offer"));
        json_decref(answer);
        free(conv);
}

/* Eve may do everything but read what is not hers. */
static struct scene scene_of(void **state)
{
        struct scene scene = {.room = *state};
        struct room *room = scene.room;
        char all[1024] = "";
        scene.eve = room_agent(room, "Eve", 0);
        scene.bob = room_agent(room, "Bob", 0);
        take_result(room_ask(room, &scene.eve, "status.set", "{\"status\":\"busy\"}")); /* nothing is given to them */
        take_result(room_ask(room, &scene.bob, "status.set", "{\"status\":\"busy\"}"));
        for (int i = 1; i < PROTOCOL_PERMISSIONS; i++) {
                const char *name = protocol_permission_names[i];
                if (i != PROTOCOL_MAY_READ_ALL && i != PROTOCOL_MAY_READ_UNASSIGNED)
                        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", *all ? "," : "", name);
        }
        crew_role(room, "narrow", all, scene.role);
        crew_team(room, "First", scene.teams[0]);
        crew_team(room, "Second", scene.teams[1]);
        crew_join(room, scene.teams[0], &scene.eve);
        crew_join(room, scene.teams[1], &scene.bob);
        crew_give_role(room, &scene.eve, scene.role);
        scene.conv = crew_conversation(room, "ann", "a gloxinia please");
        scene.own = crew_conversation(room, "zoe", "a primula please");
        take_result(room_note(room, &scene.bob, scene.conv, "the gloxinia is sold out"));
        crew_assign(room, scene.conv, scene.teams[1], &scene.bob);
        crew_assign(room, scene.own, scene.teams[0], NULL);
        id_write(scene.ticket, "tkt", ticket_in(room, scene.conv)->ext);
        scene.ticket[ID_TEXT_BYTES] = 0;
        take_result(
                room_operate(room, "recovery.open", "{\"cmid\":\"%s\",\"conv\":\"%s\"}", room_cmid(room), scene.conv));
        struct client ann = room_customer(room, "ann", 1);
        snprintf(scene.customer, sizeof scene.customer, "%s", ann.id);
        ask_how_it_was(&scene, &ann);
        room_leave(room, &ann);
        struct client zoe = room_customer(room, "zoe", 1);
        snprintf(scene.other, sizeof scene.other, "%s", zoe.id);
        room_leave(room, &zoe);
        index_all(room);
        room_flush(room);
        room_forget(room);
        return scene;
}

static void done_with(struct scene *scene)
{
        room_check(scene->room);
        free(scene->conv);
        free(scene->own);
}

static void fill_in(const struct scene *scene, const char *from, char *to, size_t room_bytes)
{
        size_t len = 0;
        for (; *from && len + 64 < room_bytes; from++) {
                if (*from != '%') {
                        to[len++] = *from;
                        continue;
                }
                const char *text = "";
                switch (*++from) {
                case 'C':
                        text = scene->conv;
                        break;
                case 'T':
                        text = scene->ticket;
                        break;
                case 'U':
                        text = scene->customer;
                        break;
                case 'Z':
                        text = scene->other;
                        break;
                case 'M':
                        text = room_cmid(scene->room);
                        break;
                case 'A':
                        text = scene->bob.id;
                        break;
                case 'G':
                        text = scene->teams[1];
                        break;
                case 'O':
                        text = scene->offer;
                        break;
                default:
                        fail_msg("%%%c is nothing", *from);
                }
                len += (size_t)sprintf(to + len, "%s", text);
        }
        to[len] = 0;
}

static const struct asked *find_method(const char *name)
{
        for (size_t i = 0; i < sizeof table / sizeof *table; i++)
                if (strcmp(table[i].method, name) == 0)
                        return &table[i];
        return NULL;
}

static json_t *ask(struct scene *scene, const struct asked *asked)
{
        const struct protocol_method_info *info = &protocol_methods[protocol_method_find(span_of(asked->method))];
        char params[1024];
        fill_in(scene, asked->params, params, sizeof params);
        return info->runs == PROTOCOL_RUNS_READ ? room_read(scene->room, &scene->eve, asked->method, "%s", params)
                                                : room_ask(scene->room, &scene->eve, asked->method, "%s", params);
}

static void holds_nothing(const struct scene *scene, const char *method, const json_t *answer)
{
        char *text = json_dumps(answer, JSON_COMPACT);
        const char *hidden[] = {scene->conv, scene->ticket, secret, scene->customer};
        for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
                if (strstr(text, hidden[i]))
                        fail_msg("%s tells of %s: %s", method, hidden[i], text);
        free(text);
}

static void check_method(struct scene *scene, const struct asked *asked)
{
        int64_t rev = desk_rev(scene->room->desk);
        if (asked->told == SILENT) {
                char params[1024];
                fill_in(scene, asked->params, params, sizeof params);
                room_forget(scene->room);
                room_notify(scene->room, &scene->eve, asked->method, "%s", params);
                assert_int_equal(0, room_count(scene->room, NOTE_EVENT, NULL));
                assert_int_equal(rev, desk_rev(scene->room->desk));
                return;
        }
        json_t *answer = ask(scene, asked);
        if (!answer)
                fail_msg("%s did not answer", asked->method);
        const char *tag = words(answer, "error.data.tag");
        if (asked->told == NOT_FOUND && (!tag || strcmp(tag, "not_found") != 0)) {
                char *text = json_dumps(answer, JSON_COMPACT);
                fail_msg("%s answers %s", asked->method, text);
        }
        if (asked->told != NOT_FOUND && tag)
                fail_msg("%s is refused: %s %s", asked->method, tag, words(answer, "error.data.field"));
        holds_nothing(scene, asked->method, answer);
        if (asked->told == NOT_FOUND)
                assert_int_equal(rev, desk_rev(scene->room->desk));
        json_decref(answer);
}

static void no_method_tells_of_a_conversation_out_of_reach(void **state)
{
        struct scene scene = scene_of(state);
        size_t asked = 0, missing = 0;
        for (int i = 0; i < PROTOCOL_METHODS; i++) {
                if (!(protocol_methods[i].who & PROTOCOL_WHO_AGENT))
                        continue;
                const struct asked *row = find_method(protocol_methods[i].name);
                if (!row) {
                        print_error("reach_table.h does not say what %s tells of a conversation out of reach\n",
                                    protocol_methods[i].name);
                        missing++;
                } else if (row->told != NOTHING) {
                        check_method(&scene, row);
                        asked++;
                }
        }
        assert_int_equal(0, missing);
        assert_true(asked > 20);
        done_with(&scene);
}

/* The same questions of Bob, who may: that they are refused for no other reason. */
static void the_same_is_there_for_who_may_read_it(void **state)
{
        struct scene scene = scene_of(state);
        struct client eve = scene.eve;
        crew_give_role(scene.room, &scene.bob, "rol_0000000000003");
        scene.eve = scene.bob;
        for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
                bool is_read =
                        table[i].told == NOT_FOUND &&
                        protocol_methods[protocol_method_find(span_of(table[i].method))].keyed == PROTOCOL_KEYED_NO;
                if (!is_read)
                        continue;
                json_t *answer = ask(&scene, &table[i]);
                const char *tag = words(answer, "error.data.tag");
                bool needs_more =
                        strncmp(table[i].method, "offer.", 6) == 0 || strncmp(table[i].method, "canned.", 7) == 0;
                if (tag && strcmp(tag, "not_found") == 0 && !needs_more)
                        fail_msg("%s does not find it for Bob either", table[i].method);
                json_decref(answer);
        }
        scene.eve = eve;
        done_with(&scene);
}

static size_t rows_of(struct scene *scene, const char *method, const char *params)
{
        json_t *answer = room_read(scene->room, &scene->eve, method, "%s", params);
        size_t count = json_array_size(json_object_get(json_object_get(answer, "result"), "rows"));
        json_decref(answer);
        return count;
}

static void an_invitation_opens_it_and_its_end_closes_it(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        assert_int_equal(1, rows_of(&scene, "feed.read", "{\"rev\":0}"));
        json_t *answer = room_read(room, &scene.eve, "feed.read", "{\"rev\":0}");
        json_int_t rev = number(answer, "result.rev");
        json_decref(answer);
        take_result(room_ask(room, &scene.bob, "conversation.invite",
                             "{\"cmid\":\"%s\",\"conv\":\"%s\",\"agent\":\"%s\"}", room_cmid(room), scene.conv,
                             scene.eve.id));
        answer = room_read(room, &scene.eve, "feed.read", "{\"rev\":%lld}", (long long)rev);
        assert_string_equal(scene.conv, words(answer, "result.rows.0.conv"));
        rev = number(answer, "result.rev");
        json_decref(answer);
        take_result(room_read(room, &scene.eve, "entries.read", "{\"conv\":\"%s\"}", scene.conv));
        take_result(room_ask(room, &scene.eve, "conversation.watch", "{\"conv\":\"%s\"}", scene.conv));
        assert_int_equal(2, rows_of(&scene, "conversation.list", "{}"));
        assert_int_equal(2, rows_of(&scene, "search.entries", "{\"query\":\"gloxinia\"}"));

        room_forget(room);
        assert_int_equal(DB_OK, db_begin(room->desk->db));
        room->desk->is_in_transaction = true;
        assert_int_equal(0, people_uninvite(room->desk, room_cached(room, scene.conv), scene.eve.caller.principal));
        room_turn(room);
        assert_int_equal(1, room_count(room, NOTE_MOVED, NULL));
        take_error(room_ask(room, &scene.eve, "conversation.watch", "{\"conv\":\"%s\"}", scene.conv), "not_found");
        answer = room_read(room, &scene.eve, "feed.read", "{\"rev\":%lld}", (long long)rev);
        assert_int_equal(1, json_array_size(json_object_get(json_object_get(answer, "result"), "rows")));
        assert_true(json_is_true(json_object_get(
                json_array_get(json_object_get(json_object_get(answer, "result"), "rows"), 0), "left")));
        json_decref(answer);
        assert_int_equal(0, rows_of(&scene, "search.entries", "{\"query\":\"gloxinia\"}"));
        done_with(&scene);
}

static void whoever_may_read_less_than_before_reads_everything_again(void **state)
{
        struct scene scene = scene_of(state);
        struct room *room = scene.room;
        char more[160], epoch[17];
        for (int i = 0; i < 8; i++)
                sprintf(epoch + 2 * i, "%02x", room->desk->epoch[i]);
        json_t *answer = NULL;
        struct client again;
        json_t *session = room_operate(room, "agent.session",
                                       "{\"cmid\":\"%s\",\"agent\":\"%s\",\"token_hash\":\"%064d\",\"label\":\"x\"}",
                                       room_cmid(room), scene.eve.id, 7);
        json_decref(session);
        struct opening opening = {.how = OPENING_STAFF};
        memset(opening.secret_hash, 0, sizeof opening.secret_hash);
        opening.secret_hash[31] = 7;
        int64_t rev = desk_rev(room->desk);
        snprintf(more, sizeof more, ",\"epoch\":\"%s\",\"rev\":%lld", epoch, (long long)rev);
        assert_true(room_enter(room, &opening, 2, more, &again, &answer));
        assert_null(words(answer, "result.reset"));
        json_decref(answer);
        room_forget(room);
        crew_part(room, scene.teams[0], &scene.eve);
        room_turn(room);
        assert_true(room_count(room, NOTE_CLOSE, NULL) > 0);
        assert_true(room_enter(room, &opening, 2, more, &again, &answer));
        assert_string_equal("reach", words(answer, "result.reset"));
        json_decref(answer);
        snprintf(more, sizeof more, ",\"epoch\":\"%s\",\"rev\":%lld", epoch, (long long)desk_rev(room->desk));
        assert_true(room_enter(room, &opening, 2, more, &again, &answer));
        assert_null(words(answer, "result.reset")); /* once is enough */
        json_decref(answer);
        assert_int_equal(0, rows_of(&scene, "feed.read", "{\"rev\":0}"));
        done_with(&scene);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, room_set_up, room_tear_down)
        const struct CMUnitTest tests[] = {
                TEST(no_method_tells_of_a_conversation_out_of_reach),
                TEST(the_same_is_there_for_who_may_read_it),
                TEST(an_invitation_opens_it_and_its_end_closes_it),
                TEST(whoever_may_read_less_than_before_reads_everything_again),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
