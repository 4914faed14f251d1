/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/desk/script.h"

#include <stdio.h>
#include <stdlib.h>

#define KEY(n) "0190000000000000000000000000f00" #n

void script_begin(struct script *script, struct room *room)
{
        *script = (struct script){.room = room};
        struct opening opening = room_user(room, "ann");
        snprintf(opening.name, sizeof opening.name, "Ann");
        assert_true(room_enter(room, &opening, 0, NULL, &script->ann, NULL));
        script->eve = room_agent(room, "Eve", 0);
        script->conv = room_conversation(room, &script->ann, "main");
        for (int i = 0; i < 3; i++)
                take_seq(room_send(room, i == 1 ? &script->eve : &script->ann, script->conv, NULL, "before"));
        room_check(room);
}

void script_end(struct script *script)
{
        free(script->conv);
}

static void queue_login(struct script *script)
{
        struct room *room = script->room;
        struct desk_command *command = NULL;
        struct fault fault = {0};
        struct request_id id = {.len = 3, .raw = "999"};
        char params[] =
                "{\"token\":\"x\",\"device\":\"00000000000000000000000000000001\",\"protocol\":{\"min\":1,\"max\":1}}";
        if (command_decode(PROTOCOL_M_SESSION_OPEN, &id, span_of(params), ROLE_NONE, &command, &fault) < 0)
                return;
        script->late.ref = (struct edge_ref){.slot = 10000 + room->next_slot++, .generation = 1};
        command->from = script->late.ref;
        command->opening = malloc(sizeof *command->opening);
        assert_non_null(command->opening);
        *command->opening = room_user(room, "ann"); /* device 0: replaces Ann's connection */
        snprintf(command->opening->name, sizeof command->opening->name, "Anna");
        if (desk_post(room->desk, command) < 0)
                command_free(command);
}

void script_queue(struct script *script)
{
        struct room *room = script->room;
        const char *conv = script->conv;
        script->ids[0] =
                room_queue(room, &script->ann, "message.send",
                           "{\"cmid\":\"" KEY(0) "\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"one\"}", conv);
        script->ids[1] =
                room_queue(room, &script->ann, "message.send",
                           "{\"cmid\":\"" KEY(1) "\",\"after\":\"" KEY(0) "\",\"key\":\"fresh\",\"kind\":\"text\","
                                                                          "\"text\":\"two\"}");
        script->ids[2] = room_queue(
                room, &script->eve, "message.send",
                "{\"cmid\":\"" KEY(2) "\",\"conv\":\"%s\",\"log\":\"team\",\"kind\":\"text\",\"text\":\"note\"}", conv);
        script->ids[3] = room_queue(
                room, &script->ann, "message.edit",
                "{\"cmid\":\"" KEY(3) "\",\"conv\":\"%s\",\"of\":1,\"version\":1,\"text\":\"edited\"}", conv);
        script->ids[4] = room_queue(room, &script->ann, "message.erase",
                                    "{\"cmid\":\"" KEY(4) "\",\"conv\":\"%s\",\"of\":3}", conv);
        room_queue(room, &script->ann, "marks", "{\"marks\":[{\"conv\":\"%s\",\"recv\":2,\"read\":2}]}", conv);
        queue_login(script);
        script->ids[5] =
                room_queue(room, &script->eve, "message.send",
                           "{\"cmid\":\"" KEY(5) "\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"reply\"}", conv);
}

int script_run(struct script *script)
{
        int refused = 0;
        script_queue(script);
        room_turn(script->room);
        for (int i = 0; i < SCRIPT_SENDS; i++) {
                json_t *answer = room_answer(script->room, script->ids[i]);
                refused += !json_object_get(answer, "result");
                json_decref(answer);
        }
        json_t *login = room_answer(script->room, 999);
        script->is_late_in = json_object_get(login, "result");
        json_decref(login);
        return refused + !script->is_late_in;
}

void script_heal(struct script *script)
{
        struct room *room = script->room;
        room->desk->retry_write_ms = 0;
        assert_int_equal(0, script_run(script));
        room_check(room);
        assert_int_equal(0, room_sql(room, "SELECT count(*) FROM (SELECT cmid FROM entry WHERE cmid IS NOT NULL"
                                           " GROUP BY cmid, author HAVING count(*) > 1)"));
        assert_int_equal(7, room_sql(room, "SELECT head FROM conversation WHERE key = 'main'"));
        assert_int_equal(1, room_sql(room, "SELECT head FROM conversation WHERE key = 'fresh'"));
        assert_int_equal(3,
                         room_sql(room, "SELECT ihead FROM conversation WHERE key = 'main'")); /* with the ticket's */
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM principal WHERE role = 1 AND name = 'Anna'"));
        assert_int_equal(1, room_sql(room, "SELECT count(*) FROM principal WHERE role = 1"));
}
