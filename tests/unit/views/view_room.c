/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/views/view_room.h"

#include <stdlib.h>
#include <string.h>

#include "desk/views/views_private.h"

/* ---- what always holds ---- */

static bool belongs(struct desk *desk, const struct view_list *list, const struct ticket *ticket)
{
        struct fact_scene scene = {.desk = desk, .ticket = ticket, .now_ms = desk->now_ms, .me = list->question->me};
        struct caller caller = {.principal = list->reach, .workspace = desk->workspace, .role = ROLE_AGENT};
        return condition_holds(list->question->condition, &rules_world, &scene) == 1 &&
               (list->reach == 0 || people_may_read(desk, &caller, ticket->team, ticket->assignee, ticket->conv));
}

static void check_list(struct desk *desk, const struct view_list *list)
{
        struct order_item items[512];
        size_t count = order_page(&list->order, NULL, items, 512), expected = 0;
        assert_false(list->is_broken);
        assert_int_equal(order_count(&list->order), count);
        for (size_t i = 0; i < desk->tickets.count; i++) {
                const struct ticket *ticket = desk->tickets.all[i];
                const struct seen *seen = seen_find(desk->views, ticket->ext);
                assert_non_null(seen);
                struct order_item item = view_item(list, seen);
                bool is = belongs(desk, list, ticket);
                expected += is;
                if (order_has(&list->order, item) != is)
                        fail_msg("'%s' %s ticket %lld", list->question->text, is ? "lacks" : "has",
                                 (long long)ticket->number);
        }
        assert_int_equal(count, expected);
        for (size_t i = 1; i < count; i++)
                assert_true(items[i - 1].key < items[i].key ||
                            (items[i - 1].key == items[i].key && items[i - 1].id < items[i].id));
}

void views_check(struct room *room)
{
        struct desk *desk = room->desk;
        assert_int_equal(desk->views->seen_count, desk->tickets.count);
        for (size_t i = 0; i < desk->tickets.count; i++) {
                int64_t keys[VIEW_SORTS] = {0};
                seen_keys(desk, desk->tickets.all[i], keys);
                const struct seen *seen = seen_find(desk->views, desk->tickets.all[i]->ext);
                assert_non_null(seen);
                for (int sort = 1; sort < VIEW_SORTS; sort++)
                        assert_int_equal(seen->keys[sort], keys[sort]);
        }
        for (const struct view_list *list = desk->views->lists; list; list = list->next)
                check_list(desk, list);
}

void views_settle(struct room *room)
{
        do {
                clock_shift_mono(VIEWS_COUNTS_EVERY_MS);
                room_turn(room);
        } while (room->desk->views->has_rows || room->desk->views->has_counts);
}

/* ---- what a connection keeps ---- */

static void keep_row(struct mirror *mirror, json_t *row)
{
        json_object_set(mirror->rows, words(row, "ticket.ticket"), row);
}

void mirror_open(struct room *room, struct mirror *mirror)
{
        char after[64] = "";
        json_decref(mirror->rows);
        mirror->rows = json_object();
        for (bool more = true; more;) {
                json_t *row, *answer = room_ask(room, mirror->client, "view.open", "{\"view\":\"%s\",\"limit\":20%s}",
                                                mirror->view, after);
                size_t i;
                assert_non_null(json_object_get(answer, "result"));
                json_t *result = json_object_get(answer, "result");
                json_array_foreach(json_object_get(result, "rows"), i, row) {
                        keep_row(mirror, row);
                        snprintf(after, sizeof after, ",\"after\":\"%s\"", words(row, "at"));
                }
                mirror->turn = number(result, "turn");
                mirror->count = number(result, "count");
                more = json_is_true(json_object_get(result, "more"));
                json_decref(answer);
        }
}

static bool apply(struct mirror *mirror, const json_t *event)
{
        json_t *row, *id;
        size_t i;
        if (number(event, "turn") <= mirror->turn)
                return true;
        if (number(event, "turn") != mirror->turn + 1 || json_is_true(json_object_get(event, "reset")))
                return false;
        mirror->turn = number(event, "turn");
        mirror->count = number(event, "count");
        json_array_foreach(json_object_get(event, "rows"), i, row)
                keep_row(mirror, row);
        json_array_foreach(json_object_get(event, "left"), i, id)
                json_object_del(mirror->rows, json_string_value(id));
        return true;
}

void mirror_follow(struct room *room, struct mirror *mirror)
{
        for (size_t nth = 0;; nth++) {
                const struct room_note *note = room_told(room, NOTE_VIEW, "view", nth);
                if (!note)
                        return;
                if (strcmp(words(note->json, "view"), mirror->view) != 0 || apply(mirror, note->json))
                        continue;
                mirror->resets++;
                mirror_open(room, mirror);
                return;
        }
}

void mirror_check(struct room *room, struct mirror *mirror)
{
        struct mirror now = {.client = mirror->client, .view = mirror->view};
        const char *ticket;
        json_t *row;
        mirror_open(room, &now);
        assert_int_equal(json_object_size(mirror->rows), json_object_size(now.rows));
        assert_int_equal(mirror->turn, now.turn);
        json_object_foreach(now.rows, ticket, row) {
                json_t *kept = json_object_get(mirror->rows, ticket);
                assert_non_null(kept);
                assert_string_equal(words(kept, "at"), words(row, "at"));
                assert_string_equal(words(kept, "ticket.status"), words(row, "ticket.status"));
                assert_int_equal(number(kept, "ticket.version"), number(row, "ticket.version"));
        }
        mirror_done(&now);
}

void mirror_done(struct mirror *mirror)
{
        json_decref(mirror->rows);
        mirror->rows = NULL;
}

/* ---- people ---- */

struct client view_agent(struct room *room, const char *name, const char *permissions)
{
        struct client first = room_agent(room, name, 1);
        json_t *role = room_operate(room, "role.add", "{\"cmid\":\"%s\",\"name\":\"of %s\",\"permissions\":[%s]}",
                                    room_cmid(room), name, permissions);
        json_t *set = room_operate(room, "agent.set", "{\"cmid\":\"%s\",\"agent\":\"%s\",\"role\":\"%s\"}",
                                   room_cmid(room), first.id, words(role, "result.role"));
        assert_non_null(json_object_get(json_object_get(set, "result"), "row"));
        json_decref(set);
        json_decref(role);
        room_leave(room, &first); /* what he may read has changed */
        return room_agent(room, name, 1);
}

char *view_team(struct room *room, const char *name)
{
        json_t *result = room_operate(room, "team.add", "{\"cmid\":\"%s\",\"name\":\"%s\",\"accept_ms\":600000}",
                                      room_cmid(room), name);
        assert_non_null(words(result, "result.team"));
        char *id = strdup(words(result, "result.team"));
        json_decref(result);
        return id;
}

void view_join(struct room *room, const char *team, const struct client *agent)
{
        json_t *result = room_operate(room, "team.member_add", "{\"cmid\":\"%s\",\"team\":\"%s\",\"agent\":\"%s\"}",
                                      room_cmid(room), team, agent->id);
        assert_non_null(json_object_get(result, "result"));
        json_decref(result);
}
