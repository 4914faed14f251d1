/* SPDX-License-Identifier: Apache-2.0 */
/* Views in the terminal client: which there are with what is in them, and one that is shown, live: its rows come, move
 * and go as the server tells. An event that is missing makes it read anew. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "chat.h"

enum { VIEW_ROWS = 50 };

static void describe_row(struct chat *chat, const json_t *row, char *out, size_t room)
{
        const json_t *ticket = json_object_get(row, "ticket");
        const char *conv = chat_member(row, "conv"), *name = chat_member(row, "customer_name");
        const char *subject = chat_member(ticket, "subject");
        char text[512];

        chat_describe_ticket(ticket, text, sizeof(text));
        snprintf(out, room, "%3zu  %s  %.80s%s%.100s", chat_list_number(chat, conv), text, name, *subject ? ": " : "",
                 subject);
}

void chat_view_text(struct chat *chat, char *out, size_t room)
{
        json_t *row;
        char line[800];
        size_t i;

        int len = snprintf(out, room, "%s: %lld", chat->desk.view_name, chat->desk.view_count);
        json_array_foreach(chat->desk.view_rows, i, row) {
                describe_row(chat, row, line, sizeof(line));
                if (len < 0 || (size_t)len + strlen(line) + 2 > room)
                        break;
                len += snprintf(out + len, room - (size_t)len, "\n%s", line);
        }
}

static void say_row(struct chat *chat, const char *sign, const json_t *row)
{
        char line[800];

        describe_row(chat, row, line, sizeof(line));
        chat_say(chat, "%s %s", sign, line);
}

static void take_page(struct chat *chat, json_t *result, const char *text)
{
        struct chat_desk *desk = &chat->desk;
        json_t *row;
        size_t i;

        json_decref(desk->view_rows);
        desk->view_rows = json_incref(json_object_get(result, "rows"));
        desk->view_count = json_integer_value(json_object_get(result, "count"));
        desk->view_turn = json_integer_value(json_object_get(result, "turn"));
        json_array_foreach(desk->view_rows, i, row)
                chat_take_ticket(chat, chat_member(row, "conv"), json_object_get(row, "ticket"));
        if (!chat->is_plain) {
                chat_show_list(chat, strcmp(text, "anew") != 0);
                return;
        }
        chat_say(chat, "view %s: %lld", desk->view_name, desk->view_count);
        json_array_foreach(desk->view_rows, i, row)
                say_row(chat, "view =", row);
}

static void open_view(struct chat *chat, const char *how)
{
        chat_call(chat, "view.open", json_pack("{s:s, s:i}", "view", chat->desk.view, "limit", VIEW_ROWS), take_page,
                  how);
}

void chat_view_again(struct chat *chat)
{
        if (*chat->desk.view)
                open_view(chat, "anew");
}

static void on_closed(struct chat *chat, json_t *result, const char *text)
{
        (void)chat, (void)result, (void)text;
}

void chat_view_close(struct chat *chat)
{
        struct chat_desk *desk = &chat->desk;

        if (*desk->view)
                chat_ask(chat, "view.close", json_pack("{s:s}", "view", desk->view), on_closed, NULL);
        desk->view[0] = '\0';
        json_decref(desk->view_rows);
        desk->view_rows = NULL;
}

/* ---- live -------------------------------------------------------------------------------------------------------- */

static bool is_ticket(const json_t *row, const char *ticket)
{
        return strcmp(chat_member(json_object_get(row, "ticket"), "ticket"), ticket) == 0;
}

static size_t place_of(const json_t *rows, const char *ticket)
{
        size_t i = 0;

        while (i < json_array_size(rows) && !is_ticket(json_array_get(rows, i), ticket))
                i++;
        return i;
}

/* Rows stand in the order of `at`. */
static void put_row(struct chat *chat, json_t *row)
{
        json_t *rows = chat->desk.view_rows;
        size_t old = place_of(rows, chat_member(json_object_get(row, "ticket"), "ticket")), place = 0;
        bool is_new = old == json_array_size(rows);

        if (!is_new)
                json_array_remove(rows, old);
        while (place < json_array_size(rows) &&
               strcmp(chat_member(json_array_get(rows, place), "at"), chat_member(row, "at")) < 0)
                place++;
        json_array_insert(rows, place, row);
        if (json_array_size(rows) > VIEW_ROWS)
                json_array_remove(rows, VIEW_ROWS);
        if (chat->is_plain)
                say_row(chat, is_new ? "view +" : "view *", row);
        chat_take_ticket(chat, chat_member(row, "conv"), json_object_get(row, "ticket"));
}

static void remove_row(struct chat *chat, const char *ticket)
{
        json_t *rows = chat->desk.view_rows;
        size_t place = place_of(rows, ticket);

        if (place == json_array_size(rows))
                return;
        if (chat->is_plain)
                say_row(chat, "view -", json_array_get(rows, place));
        json_array_remove(rows, place);
}

void chat_view_told(struct chat *chat, const json_t *params)
{
        struct chat_desk *desk = &chat->desk;
        json_t *row, *rows = json_object_get(params, "rows"), *left = json_object_get(params, "left");
        long long turn = json_integer_value(json_object_get(params, "turn")), before = desk->view_count;
        size_t i;

        if (strcmp(chat_member(params, "view"), desk->view) != 0 || !desk->view_rows || turn <= desk->view_turn)
                return;
        if (turn != desk->view_turn + 1 || json_is_true(json_object_get(params, "reset"))) {
                desk->view_turn = turn; /* what comes before the page is in it */
                open_view(chat, "anew");
                return;
        }
        desk->view_turn = turn;
        desk->view_count = json_integer_value(json_object_get(params, "count"));
        json_array_foreach(left, i, row)
                remove_row(chat, json_string_value(row));
        json_array_foreach(rows, i, row)
                put_row(chat, row);
        if (chat->is_plain && desk->view_count != before)
                chat_say(chat, "view %s: %lld", desk->view_name, desk->view_count);
        chat->is_list_stale = true;
}

void chat_views_told(struct chat *chat, const json_t *params)
{
        json_t *rows = json_object_get(params, "counts"), *row;
        size_t i;

        json_array_foreach(rows, i, row) {
                json_t *known = json_object_get(chat->desk.views, chat_member(row, "view"));
                json_object_set(known, "count", json_object_get(row, "count"));
                if (chat->is_plain && known)
                        chat_say(chat, "views %s: %lld", chat_member(known, "name"),
                                 (long long)json_integer_value(json_object_get(row, "count")));
        }
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

static void take_views(struct chat *chat, const json_t *result)
{
        json_t *rows = json_object_get(result, "views"), *row;
        size_t i;

        json_decref(chat->desk.views);
        chat->desk.views = json_object();
        json_array_foreach(rows, i, row)
                json_object_set(chat->desk.views, chat_member(row, "view"), row);
}

static void list_views(struct chat *chat, json_t *result, const char *text)
{
        const char *view;
        json_t *row;

        (void)text;
        take_views(chat, result);
        json_object_foreach(chat->desk.views, view, row)
                chat_say(chat, "%6lld  %s", (long long)json_integer_value(json_object_get(row, "count")),
                         chat_member(row, "name"));
}

static void on_views(struct chat *chat, const char *text)
{
        (void)text;
        chat_call(chat, "view.list", json_pack("{s:b}", "watch", 1), list_views, NULL);
}

static void open_named(struct chat *chat, json_t *result, const char *text)
{
        struct chat_desk *desk = &chat->desk;
        const char *view, *found = NULL;
        json_t *row;

        take_views(chat, result);
        json_object_foreach(desk->views, view, row)
                if (strcmp(view, text) == 0 || strcasecmp(chat_member(row, "name"), text) == 0)
                        found = view;
        if (!found) {
                chat_say(chat, "no view is called so; /views tells which there are");
                chat->failed += chat->is_plain;
                return;
        }
        chat_view_close(chat);
        snprintf(desk->view, sizeof(desk->view), "%s", found);
        snprintf(desk->view_name, sizeof(desk->view_name), "%s",
                 chat_member(json_object_get(desk->views, found), "name"));
        open_view(chat, "asked");
}

static void on_view(struct chat *chat, const char *text)
{
        if (*text)
                chat_call(chat, "view.list", json_object(), open_named, text);
        else
                chat_view_close(chat);
}

static const struct desk_command commands[] = {{"/views", on_views}, {"/view", on_view}};

bool chat_view_command(struct chat *chat, const char *line)
{
        return chat_run(chat, commands, sizeof(commands) / sizeof(commands[0]), line);
}

bool chat_is_desk_command(const char *line)
{
        return chat_ticket_has(line) || chat_work_has(line) || chat_case_has(line) ||
               chat_names(commands, sizeof(commands) / sizeof(commands[0]), line);
}
