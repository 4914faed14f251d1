/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/offers/offer_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void scene_survey(struct scene *scene, const char *name, const char *form, char out_survey[32])
{
        json_t *made =
                room_operate(scene->room, "survey.add", "{\"cmid\":\"%s\",\"form\":{\"name\":\"%s\"%s%s}}",
                             room_cmid(scene->room), name, strstr(form, "min_text") ? "" : ",\"min_text\":0", form);
        if (!words(made, "result.survey"))
                fail_msg("%s: %s", form, json_dumps(made, 0));
        snprintf(out_survey, 32, "%s", words(made, "result.survey"));
        json_decref(made);
}

char *talk(struct scene *scene, const struct client *customer, const char *key)
{
        char *conv = room_conversation(scene->room, customer, key);
        take_seq(room_send(scene->room, customer, conv, NULL, "where is it?"));
        take_seq(room_send(scene->room, &scene->eve, conv, NULL, "on its way"));
        return conv;
}

struct scene scene_open(void **state, const char *form)
{
        struct scene scene = {.room = *state};
        scene.ann = room_customer(scene.room, "ann", 0);
        scene.eve = room_agent(scene.room, "Eve", 0);
        if (form)
                scene_survey(&scene, "How was it", form, scene.survey);
        scene.conv = talk(&scene, &scene.ann, "main");
        return scene;
}

void scene_close(struct scene *scene)
{
        tickets_check(scene->room);
        room_check(scene->room);
        free(scene->conv);
}

void scene_again(struct scene *scene)
{
        room_close(scene->room);
        room_open(scene->room);
        scene->ann = room_customer(scene->room, "ann", 0);
        scene->eve = room_agent(scene->room, "Eve", 0);
}

void later(const struct scene *scene, int64_t ms)
{
        clock_shift_wall(ms);
        clock_shift_mono((uint64_t)ms);
        for (int i = 0; i < 4; i++)
                room_turn(scene->room);
}

void solve(const struct scene *scene, const char *conv)
{
        ticket_do(scene->room, &scene->eve, conv, "ticket.move", ",\"to\":\"solved\"");
}

void reopen(const struct scene *scene, const char *conv)
{
        ticket_do(scene->room, &scene->eve, conv, "ticket.move", ",\"to\":\"open\"");
}

int64_t offer_int(const struct scene *scene, const char *expression)
{
        char sql[600];
        snprintf(sql, sizeof sql, "SELECT %s FROM survey_offer o ORDER BY o.id DESC LIMIT 1", expression);
        return room_sql(scene->room, sql);
}

void offer_id(const struct scene *scene, char out[32])
{
        id_write(out, "off", (uint64_t)offer_int(scene, "ext"));
        out[ID_TEXT_BYTES] = 0;
}

int64_t count_kind(const struct scene *scene, int kind)
{
        char sql[80];
        snprintf(sql, sizeof sql, "SELECT count(*) FROM entry WHERE log = 0 AND kind = %d", kind);
        return room_sql(scene->room, sql);
}

void offer_is(const struct scene *scene, const char *state, const char *reason)
{
        static const char *const states[] = {"", "planned", "waiting", "answered", "expired", "withdrawn", "refused"};
        char expression[400];
        int64_t at = offer_int(scene, "state");
        assert_in_range(at, 1, 6);
        assert_string_equal(state, states[at]);
        snprintf(expression, sizeof expression, "coalesce(reason, '') = '%s'", reason);
        if (offer_int(scene, expression) != 1)
                fail_msg("%s: the reason is not '%s'", state, reason);
        if (offer_int(scene, "seq") == 0)
                return;
        snprintf(expression, sizeof expression,
                 "(SELECT json_extract(e.body, '$.survey.state') = '%s' FROM entry e WHERE e.conv = o.conv AND"
                 " e.log = 0 AND e.seq = o.seq)",
                 state);
        if (offer_int(scene, expression) != 1)
                fail_msg("the message does not say '%s'", state);
}

json_t *rate_as(const struct scene *scene, const struct client *who, const char *cmid, const char *what)
{
        return room_ask(scene->room, who, "message.send",
                        "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"rating\",\"rated\":{\"seq\":%lld%s},"
                        "\"fallback_text\":\"*\"}",
                        cmid ? cmid : room_cmid(scene->room), scene->conv, (long long)offer_int(scene, "seq"), what);
}

json_t *rate(const struct scene *scene, const char *what)
{
        return rate_as(scene, &scene->ann, NULL, what);
}

void refused(json_t *answer, const char *tag, const char *field)
{
        assert_string_equal(tag, words(answer, "error.data.tag"));
        if (field)
                assert_string_equal(field, words(answer, "error.data.field"));
        json_decref(answer);
}
