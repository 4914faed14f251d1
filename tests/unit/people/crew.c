/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/people/crew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void done(json_t *answer)
{
        if (!json_object_get(answer, "result"))
                fail_msg("refused: %s %s", words(answer, "error.data.tag"),
                         words(answer, "error.data.field") ? words(answer, "error.data.field") : "");
        json_decref(answer);
}

void crew_team(struct room *room, const char *name, char out_team[32])
{
        json_t *made = room_operate(room, "team.add", "{\"cmid\":\"%s\",\"name\":\"%s\",\"accept_ms\":0}",
                                    room_cmid(room), name);
        assert_non_null(words(made, "result.team"));
        snprintf(out_team, 32, "%s", words(made, "result.team"));
        json_decref(made);
}

void crew_role(struct room *room, const char *name, const char *permissions, char out_role[32])
{
        json_t *list = json_array();
        for (const char *at = permissions; *at;) {
                size_t len = strcspn(at, ",");
                json_array_append_new(list, json_stringn(at, len));
                at += len + (at[len] == ',');
        }
        char *text = json_dumps(list, JSON_COMPACT);
        json_t *made = room_operate(room, "role.add", "{\"cmid\":\"%s\",\"name\":\"%s\",\"permissions\":%s}",
                                    room_cmid(room), name, text);
        assert_non_null(words(made, "result.role"));
        snprintf(out_role, 32, "%s", words(made, "result.role"));
        json_decref(made);
        json_decref(list);
        free(text);
}

void crew_join(struct room *room, const char *team, const struct client *agent)
{
        done(room_operate(room, "team.member_add", "{\"cmid\":\"%s\",\"team\":\"%s\",\"agent\":\"%s\"}",
                          room_cmid(room), team, agent->id));
}

void crew_part(struct room *room, const char *team, const struct client *agent)
{
        done(room_operate(room, "team.member_remove", "{\"cmid\":\"%s\",\"team\":\"%s\",\"agent\":\"%s\"}",
                          room_cmid(room), team, agent->id));
}

void crew_set(struct room *room, const struct client *agent, const char *more)
{
        done(room_operate(room, "agent.set", "{\"cmid\":\"%s\",\"agent\":\"%s\"%s}", room_cmid(room), agent->id, more));
}

void crew_give_role(struct room *room, const struct client *agent, const char *role)
{
        char more[64];
        snprintf(more, sizeof more, ",\"role\":\"%s\"", role);
        crew_set(room, agent, more);
}

char *crew_conversation(struct room *room, const char *subject, const char *text)
{
        struct client customer = room_customer(room, subject, 0);
        char *conv = room_conversation(room, &customer, "main");
        take_seq(room_send(room, &customer, conv, NULL, text));
        return conv;
}

void crew_assign(struct room *room, const char *conv, const char *team, const struct client *agent)
{
        const struct ticket *ticket = ticket_in(room, conv);
        char ticket_id[32], place[160];
        id_write(ticket_id, "tkt", ticket->ext);
        ticket_id[ID_TEXT_BYTES] = 0;
        int len = team ? snprintf(place, sizeof place, "\"team\":\"%s\"", team)
                       : snprintf(place, sizeof place, "\"no_team\":true");
        if (agent)
                snprintf(place + len, sizeof place - (size_t)len, ",\"assignee\":\"%s\"", agent->id);
        else
                snprintf(place + len, sizeof place - (size_t)len, ",\"nobody\":true");
        done(room_operate(room, "ticket.assign", "{\"cmid\":\"%s\",\"ticket\":\"%s\",\"version\":%lld,%s}",
                          room_cmid(room), ticket_id, (long long)ticket->version, place));
}
