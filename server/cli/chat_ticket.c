/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on the ticket of the conversation that is shown. Each says the version that this client knows: when somebody
 * changed it meanwhile nothing is done, and the ticket is read again. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "chat.h"

const char chat_desk_help[] = "on the ticket of this conversation:\n"
                              "/ticket            what is known of it\n"
                              "/take              it is yours\n"
                              "/assign WHO [NOTE] to a team or an agent; \"nobody\" puts it back into the queue\n"
                              "/wait, /hold       for the customer; for others\n"
                              "/solve [ask]       solved; with ask the customer is asked first\n"
                              "/snooze WHEN       30m, 2h, 3d, tomorrow (9:00), reply (until the customer writes)\n"
                              "/reopen            open again\n"
                              "/close REASON      for good, as spam or duplicate\n"
                              "/priority WORD     low, normal, high or urgent\n"
                              "/tag, /untag WORD; /topic WORD; /subject TEXT; /field NAME=VALUE\n"
                              "/merge TICKET      into another one of the same customer\n"
                              "/split SEQ[,SEQ..] [SUBJECT]  those messages become a ticket of their own\n"
                              "/canned SHORTCUT   send a canned reply; without a shortcut: which there are\n"
                              "/macro NAME        run a macro; without a name: which there are\n"
                              "the desk:\n"
                              "/views             your views and how much is in them\n"
                              "/view NAME         show one, live; /view alone: no longer\n"
                              "/accept, /decline  what is offered to you\n"
                              "/status WORD [WHY] online, busy, away or offline\n"
                              "/team              colleagues, their status and load\n"
                              "/who               who else looks at this conversation\n"
                              "/invite AGENT [NOTE], /mentions\n"
                              "/customer          what is known of the customer, and the time line\n"
                              "/cases             recovery cases that are yours\n"
                              "/case              the one of this conversation; /case contact, action, done, cause,\n"
                              "                   gave, resolve: what was done in it";

/* ---- what is common ---------------------------------------------------------------------------------------------- */

/* The open conversation's ticket, or NULL and why. */
static json_t *need_ticket(struct chat *chat)
{
        json_t *ticket = chat_ticket(chat);

        if (!ticket) {
                chat_say(chat,
                         chat->conv ? "this conversation has no ticket" : "no conversation is open: /list, /open");
                chat->failed += chat->is_plain;
        }
        return ticket;
}

static void misused(struct chat *chat, const char *usage)
{
        chat_say(chat, "usage: %s", usage);
        chat->failed += chat->is_plain;
}

static json_t *begin(const json_t *ticket)
{
        return chat_params("{s:s, s:I}", "ticket", chat_member(ticket, "ticket"), "version",
                           json_integer_value(json_object_get(ticket, "version")));
}

/* What it is now is read, and told. */
static void on_done(struct chat *chat, json_t *result, const char *text)
{
        if (json_is_true(json_object_get(result, "over")))
                chat_say(chat, "that agent has more now than his capacity");
        if (text)
                chat_say(chat, "%s", text);
        chat_refresh_ticket(chat);
}

static void move(struct chat *chat, json_t *more, const char *to)
{
        json_t *ticket = need_ticket(chat);

        if (ticket) {
                json_t *params = begin(ticket);
                json_object_set_new(params, "to", json_string(to));
                json_object_update(params, more);
                chat_call(chat, "ticket.move", params, on_done, NULL);
        }
        json_decref(more);
}

static void set(struct chat *chat, json_t *more)
{
        json_t *ticket = need_ticket(chat);

        if (ticket) {
                json_t *params = begin(ticket);
                json_object_update(params, more);
                chat_call(chat, "ticket.set", params, on_done, NULL);
        }
        json_decref(more);
}

static void on_ticket(struct chat *chat, const char *text)
{
        char line[512];
        json_t *ticket = need_ticket(chat), *value, *tags = json_object_get(ticket, "tags");
        size_t i;

        (void)text;
        if (!ticket)
                return;
        chat_describe_ticket(ticket, line, sizeof(line));
        chat_say(chat, "%s  %s  version %lld", line, chat_member(ticket, "ticket"),
                 (long long)json_integer_value(json_object_get(ticket, "version")));
        line[0] = '\0';
        json_array_foreach(tags, i, value)
                snprintf(line + strlen(line), sizeof(line) - strlen(line), " %s", json_string_value(value));
        if (*line)
                chat_say(chat, "tags:%s", line);
        static const char *const others[] = {"subject", "topic", "lang", "fields"};
        for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
                if (*chat_member(ticket, others[i]))
                        chat_say(chat, "%s: %s", others[i], chat_member(ticket, others[i]));
}

/* ---- whose it is ------------------------------------------------------------------------------------------------- */

static void on_take(struct chat *chat, const char *text)
{
        json_t *ticket = need_ticket(chat);

        (void)text;
        if (!ticket)
                return;
        json_t *params = begin(ticket);
        json_object_set_new(params, "assignee", json_string(chat->desk.me));
        chat_call(chat, "ticket.assign", params, on_done, NULL);
}

/* The id whose name stands at the beginning of `text`, the longest there is. */
static const char *named(const json_t *names, const char *text, size_t *best)
{
        const char *id, *found = NULL;
        json_t *name;

        json_object_foreach((json_t *)names, id, name) {
                size_t len = strlen(json_string_value(name));
                bool fits = strncasecmp(text, json_string_value(name), len) == 0 && (!text[len] || text[len] == ' ');

                if (fits && len > *best) {
                        *best = len;
                        found = id;
                }
        }
        return found;
}

/* Team or agent by name or id; *out_rest: what follows. NULL: nobody is called so. */
static const char *find_who(struct chat *chat, const char *text, char room[24], const char **out_rest)
{
        size_t best = 0, word = strcspn(text, " ");
        const char *id = named(chat->desk.teams, text, &best), *agent = named(chat->desk.agents, text, &best);

        id = agent ? agent : id;
        if (!id && (strncmp(text, "tea_", 4) == 0 || strncmp(text, "agt_", 4) == 0) && word < 24) {
                snprintf(room, 24, "%.*s", (int)word, text);
                id = room;
                best = word;
        }
        *out_rest = text + best + strspn(text + best, " ");
        return id;
}

static void on_assign(struct chat *chat, const char *text)
{
        const char *rest = "";
        char room[24];
        bool is_nobody = strncmp(text, "nobody", 6) == 0 && (!text[6] || text[6] == ' ');
        const char *id = is_nobody ? "" : find_who(chat, text, room, &rest);

        if (!id) {
                chat_say(chat, *text ? "no team and no agent is called so" : "usage: /assign TEAM or AGENT [NOTE]");
                chat->failed += chat->is_plain;
                return;
        }
        json_t *ticket = need_ticket(chat);
        if (!ticket)
                return;
        json_t *params = begin(ticket);
        if (is_nobody) {
                json_object_set_new(params, "nobody", json_true());
                rest = text + 6 + strspn(text + 6, " ");
        } else {
                json_object_set_new(params, strncmp(id, "tea_", 4) == 0 ? "team" : "assignee", json_string(id));
        }
        if (*rest)
                json_object_set_new(params, "note", json_string(rest));
        chat_call(chat, "ticket.assign", params, on_done, NULL);
}

/* ---- its life ---------------------------------------------------------------------------------------------------- */

static void on_wait(struct chat *chat, const char *text)
{
        (void)text;
        move(chat, json_object(), "waiting");
}

static void on_hold(struct chat *chat, const char *text)
{
        (void)text;
        move(chat, json_object(), "on_hold");
}

static void on_reopen(struct chat *chat, const char *text)
{
        (void)text;
        move(chat, json_object(), "open");
}

static void on_solve(struct chat *chat, const char *text)
{
        if (*text && strcmp(text, "ask") != 0)
                misused(chat, "/solve [ask]");
        else
                move(chat, *text ? json_pack("{s:b}", "ask", 1) : json_object(), "solved");
}

static void on_close(struct chat *chat, const char *text)
{
        if (!*text)
                misused(chat, "/close REASON");
        else
                move(chat, json_pack("{s:s}", "reason", text), "closed");
}

/* ms since 1970; 0 = the next reply, -1 = not understood. */
static long long take_when(const char *text)
{
        time_t now = time(NULL);
        struct tm local;
        char *unit;

        if (strcmp(text, "reply") == 0)
                return 0;
        if (strcmp(text, "tomorrow") == 0 && localtime_r(&now, &local)) {
                local.tm_mday++;
                local.tm_hour = 9;
                local.tm_min = local.tm_sec = 0;
                local.tm_isdst = -1;
                return (long long)mktime(&local) * 1000;
        }
        long long count = strtoll(text, &unit, 10);
        long long size_s = strcmp(unit, "m") == 0   ? 60
                           : strcmp(unit, "h") == 0 ? 3600
                           : strcmp(unit, "d") == 0 ? 86400
                                                    : 0;
        if (strcmp(unit, "s") == 0)
                size_s = 1;
        if (unit == text || !size_s || count < 1 || count > 366LL * 86400 / size_s)
                return -1;
        return ((long long)now + count * size_s) * 1000;
}

static void on_snooze(struct chat *chat, const char *text)
{
        long long until = take_when(text);

        if (until < 0)
                misused(chat, "/snooze 30m, 2h, 3d, tomorrow or reply");
        else
                move(chat, until ? json_pack("{s:I}", "until", (json_int_t)until) : json_object(), "snoozed");
}

/* ---- what is said of it ------------------------------------------------------------------------------------------ */

static void on_priority(struct chat *chat, const char *text)
{
        if (!*text)
                misused(chat, "/priority low, normal, high or urgent");
        else
                set(chat, json_pack("{s:s}", "priority", text));
}

static void on_topic(struct chat *chat, const char *text)
{
        set(chat, json_pack("{s:s}", "topic", text));
}

static void on_subject(struct chat *chat, const char *text)
{
        set(chat, json_pack("{s:s}", "subject", text));
}

static void on_field(struct chat *chat, const char *text)
{
        const char *equals = strchr(text, '=');
        char name[80];

        if (!equals || equals == text || equals - text >= (long)sizeof(name)) {
                misused(chat, "/field NAME=VALUE");
                return;
        }
        snprintf(name, sizeof(name), "%.*s", (int)(equals - text), text);
        json_t *fields = json_object();
        json_object_set_new(fields, name, equals[1] ? json_string(equals + 1) : json_null());
        char *dumped = json_dumps(fields, JSON_COMPACT);
        set(chat, json_pack("{s:s}", "fields", dumped ? dumped : "{}"));
        free(dumped);
        json_decref(fields);
}

/* All tags are said at once: those of the ticket as it is now, with one more or one less. "+word" or "-word". */
static void set_tags(struct chat *chat, json_t *result, const char *change)
{
        json_t *ticket = json_object_get(result, "ticket"), *old = json_object_get(ticket, "tags"), *tag;
        json_t *tags = json_array();
        size_t i;

        json_array_foreach(old, i, tag)
                if (strcmp(json_string_value(tag), change + 1) != 0)
                        json_array_append(tags, tag);
        if (*change == '+')
                json_array_append_new(tags, json_string(change + 1));
        json_t *params = begin(ticket);
        json_object_set_new(params, "tags", tags);
        chat_call(chat, "ticket.set", params, on_done, NULL);
}

static void change_tags(struct chat *chat, char sign, const char *text)
{
        json_t *ticket = need_ticket(chat);
        char change[80];

        if (!ticket)
                return;
        snprintf(change, sizeof(change), "%c%s", sign, text);
        chat_call(chat, "ticket.get", json_pack("{s:s}", "ticket", chat_member(ticket, "ticket")), set_tags, change);
}

static void on_tag(struct chat *chat, const char *text)
{
        if (!*text || strlen(text) > 64)
                misused(chat, "/tag WORD");
        else
                change_tags(chat, '+', text);
}

static void on_untag(struct chat *chat, const char *text)
{
        if (!*text || strlen(text) > 64)
                misused(chat, "/untag WORD");
        else
                change_tags(chat, '-', text);
}

/* ---- several of them --------------------------------------------------------------------------------------------- */

static void on_merge(struct chat *chat, const char *text)
{
        const char *digits = text + (*text == '#');
        json_t *other = isdigit((unsigned char)*digits) ? chat_ticket_numbered(chat, strtoll(digits, NULL, 10)) : NULL;
        const char *into = strncmp(text, "tkt_", 4) == 0 ? text : chat_member(other, "ticket");
        json_t *ticket = *into ? need_ticket(chat) : NULL;

        if (!*into)
                misused(chat, "/merge NUMBER of a ticket that was listed, or tkt_...");
        if (!ticket)
                return;
        json_t *params = begin(ticket);
        json_object_set_new(params, "into", json_string(into));
        chat_call(chat, "ticket.merge", params, on_done, "merged");
}

static void on_split_done(struct chat *chat, json_t *result, const char *text)
{
        (void)text;
        chat_say(chat, "the new ticket is in /open %s", chat_member(result, "conv"));
        chat_refresh_ticket(chat);
}

static void on_split(struct chat *chat, const char *text)
{
        json_t *seqs = json_array(), *ticket;
        char *end = (char *)text;

        for (const char *at = text; isdigit((unsigned char)*at); at = end + (*end == ','))
                json_array_append_new(seqs, json_integer(strtoll(at, &end, 10)));
        if (!json_array_size(seqs) || (*end && *end != ' ')) {
                json_decref(seqs);
                misused(chat, "/split SEQ[,SEQ..] [SUBJECT]");
                return;
        }
        ticket = need_ticket(chat);
        if (!ticket) {
                json_decref(seqs);
                return;
        }
        json_t *params = begin(ticket);
        json_object_set_new(params, "seqs", seqs);
        end += strspn(end, " ");
        if (*end)
                json_object_set_new(params, "subject", json_string(end));
        chat_call(chat, "ticket.split", params, on_split_done, NULL);
}

static const struct desk_command commands[] = {
        {"/ticket", on_ticket}, {"/take", on_take},         {"/assign", on_assign}, {"/wait", on_wait},
        {"/hold", on_hold},     {"/solve", on_solve},       {"/snooze", on_snooze}, {"/reopen", on_reopen},
        {"/close", on_close},   {"/priority", on_priority}, {"/tag", on_tag},       {"/untag", on_untag},
        {"/topic", on_topic},   {"/subject", on_subject},   {"/field", on_field},   {"/merge", on_merge},
        {"/split", on_split},
};

bool chat_ticket_command(struct chat *chat, const char *line)
{
        return chat_run(chat, commands, sizeof(commands) / sizeof(commands[0]), line);
}

bool chat_ticket_has(const char *line)
{
        return chat_names(commands, sizeof(commands) / sizeof(commands[0]), line);
}
