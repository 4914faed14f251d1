/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets as the terminal client knows them: by conversation, whole as ticket.get told, kept fresh by the feed. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "chat.h"

/* What a brief may leave out because there is none. */
static const char *const optional[] = {"team", "team_name", "assignee", "assignee_name", "subject",
                                       "due",  "missed",    "offered",  "snooze_until"};

json_t *chat_ticket_of(const struct chat *chat, const char *conv)
{
        return json_object_get(chat->desk.tickets, conv);
}

json_t *chat_ticket(struct chat *chat)
{
        char id[18];

        deskbell_conversation_id(chat->conv, id);
        return chat_ticket_of(chat, id);
}

json_t *chat_ticket_numbered(const struct chat *chat, long long number)
{
        const char *conv;
        json_t *ticket;

        json_object_foreach(chat->desk.tickets, conv, ticket)
                if (json_integer_value(json_object_get(ticket, "number")) == number)
                        return ticket;
        return NULL;
}

static void put(char *out, size_t room, const char *between, const char *text)
{
        size_t len = strlen(out);

        if (*text)
                snprintf(out + len, room - len, "%s%s", between, text);
}

/* "due in 12 min", "late by 3 h" */
static void describe_due(long long due_ms, char *out, size_t room)
{
        long long left_s = due_ms / 1000 - (long long)time(NULL), size = left_s < 0 ? -left_s : left_s;
        const char *words = left_s < 0 ? "late by" : "due in";

        if (size < 120)
                snprintf(out, room, "%s %lld s", words, size);
        else if (size < 7200)
                snprintf(out, room, "%s %lld min", words, size / 60);
        else if (size < 172800)
                snprintf(out, room, "%s %lld h", words, size / 3600);
        else
                snprintf(out, room, "%s %lld days", words, size / 86400);
}

void chat_describe_ticket(const json_t *ticket, char *out, size_t room)
{
        long long due = json_integer_value(json_object_get(ticket, "due"));
        long long missed = json_integer_value(json_object_get(ticket, "missed"));
        const char *priority = chat_member(ticket, "priority"), *owner = chat_member(ticket, "assignee_name");
        char text[48];

        snprintf(out, room, "#%lld %s", (long long)json_integer_value(json_object_get(ticket, "number")),
                 chat_member(ticket, "status"));
        if (strcmp(priority, "normal") != 0)
                put(out, room, ", ", priority);
        put(out, room, ", ", *chat_member(ticket, "team_name") ? chat_member(ticket, "team_name") : "no team");
        put(out, room, ", ", *owner ? owner : *chat_member(ticket, "assignee") ? "assigned" : "nobody");
        if (due) {
                describe_due(due, text, sizeof(text));
                put(out, room, ", ", text);
        }
        if (missed) {
                snprintf(text, sizeof(text), "missed %lld", missed);
                put(out, room, ", ", text);
        }
}

/* In a pipe: all that is known, so that a script need not guess. */
static void say_ticket(struct chat *chat, const json_t *ticket)
{
        char text[512], tags[512] = "";
        json_t *list = json_object_get(ticket, "tags"), *tag;
        size_t i;

        chat_describe_ticket(ticket, text, sizeof(text));
        json_array_foreach(list, i, tag)
                put(tags, sizeof(tags), i ? ", " : "; tags ", json_string_value(tag));
        put(tags, sizeof(tags), "; topic ", chat_member(ticket, "topic"));
        put(tags, sizeof(tags), "; ", chat_member(ticket, "subject"));
        chat_say(chat, "ticket %s%s", text, tags);
}

static bool says_the_same(const json_t *old, const json_t *told)
{
        const char *name;
        json_t *value;

        json_object_foreach((json_t *)told, name, value)
                if (!json_equal(json_object_get(old, name), value))
                        return false;
        for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++)
                if (json_object_get(old, optional[i]) && !json_object_get(told, optional[i]))
                        return false;
        return old != NULL;
}

void chat_take_ticket(struct chat *chat, const char *conv, const json_t *told)
{
        json_t *old = chat_ticket_of(chat, conv);
        long long version = json_integer_value(json_object_get(told, "version"));
        bool is_another = strcmp(chat_member(old, "ticket"), chat_member(told, "ticket")) != 0;

        if (!*conv || (!is_another && version < json_integer_value(json_object_get(old, "version"))))
                return; /* an answer that a newer event has overtaken */
        bool is_same = says_the_same(old, told);
        json_t *fresh = is_another ? json_object() : json_incref(old);
        for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++)
                json_object_del(fresh, optional[i]);
        json_object_update(fresh, (json_t *)told);
        json_object_set_new(chat->desk.tickets, conv, fresh);
        chat->is_list_stale = chat->is_dirty = true;
        if (!is_same && fresh == chat_ticket(chat) && chat->is_plain)
                say_ticket(chat, fresh);
}

static void take_whole(struct chat *chat, json_t *result, const char *text)
{
        json_t *ticket = json_object_get(result, "ticket");

        (void)text;
        chat_take_ticket(chat, chat_member(ticket, "conv"), ticket);
}

void chat_refresh_ticket(struct chat *chat)
{
        char id[18];

        deskbell_conversation_id(chat->conv, id);
        if (chat->is_staff && *id)
                chat_ask(chat, "ticket.get", json_pack("{s:s}", "conv", id), take_whole, NULL);
}
