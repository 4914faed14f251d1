/* SPDX-License-Identifier: Apache-2.0 */
/* Working fast in the terminal client: canned replies, macros, offers, one's own status, colleagues, the customer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chat.h"

enum { TIMELINE_ROWS = 15 };

static void misused(struct chat *chat, const char *usage)
{
        chat_say(chat, "usage: %s", usage);
        chat->failed += chat->is_plain;
}

/* ---- canned replies and macros ----------------------------------------------------------------------------------- */

static void list_canned(struct chat *chat, json_t *result, const char *text)
{
        json_t *rows = json_object_get(result, "rows"), *row;
        size_t i;

        (void)text;
        json_array_foreach(rows, i, row)
                chat_say(chat, "%s  %s%s%s", chat_member(row, "shortcut"), chat_member(row, "folder"),
                         *chat_member(row, "folder") ? ": " : "", chat_member(row, "name"));
        if (!json_array_size(rows))
                chat_say(chat, "there are no canned replies");
}

static void on_counted(struct chat *chat, json_t *result, const char *text)
{
        (void)chat, (void)result, (void)text;
}

static void send_canned(struct chat *chat, json_t *result, const char *text)
{
        json_t *missing = json_object_get(result, "missing"), *name;
        int rc = deskbell_send(chat->conv, chat_member(result, "text"), NULL, NULL);
        size_t i;

        (void)text;
        json_array_foreach(missing, i, name)
                chat_say(chat, "it says nothing for %s: that is not known", json_string_value(name));
        if (rc < 0) {
                chat_say(chat, "%s", deskbell_error_text(rc));
                chat->failed += chat->is_plain;
                return;
        }
        chat_ask(chat, "canned.used", chat_params("{s:s}", "canned", chat_member(result, "canned")), on_counted, NULL);
}

static void on_canned(struct chat *chat, const char *text)
{
        char conv[18];

        deskbell_conversation_id(chat->conv, conv);
        if (!*text)
                chat_call(chat, "canned.list", json_object(), list_canned, NULL);
        else if (!*conv)
                chat_say(chat, "no conversation is open: /list, /open");
        else
                chat_call(chat, "canned.render", json_pack("{s:s, s:s}", "shortcut", text, "conv", conv), send_canned,
                          NULL);
}

static void on_ran(struct chat *chat, json_t *result, const char *text)
{
        (void)result;
        chat_say(chat, "done: %s", text);
        chat_refresh_ticket(chat);
}

static void run_macro(struct chat *chat, json_t *result, const char *text)
{
        json_t *rows = json_object_get(result, "macros"), *row, *ticket = chat_ticket(chat);
        const char *macro = strncmp(text, "mac_", 4) == 0 ? text : NULL;
        size_t i;

        json_array_foreach(rows, i, row) {
                if (!*text)
                        chat_say(chat, "%s", chat_member(row, "name"));
                if (strcmp(chat_member(row, "name"), text) == 0)
                        macro = chat_member(row, "macro");
        }
        if (!*text) {
                if (!json_array_size(rows))
                        chat_say(chat, "there are no macros");
                return;
        }
        if (!macro || !ticket) {
                chat_say(chat, macro ? "this conversation has no ticket" : "no macro is called so");
                chat->failed += chat->is_plain;
                return;
        }
        chat_call(chat, "macro.run",
                  chat_params("{s:s, s:s, s:I}", "macro", macro, "ticket", chat_member(ticket, "ticket"), "version",
                              json_integer_value(json_object_get(ticket, "version"))),
                  on_ran, text);
}

static void on_macro(struct chat *chat, const char *text)
{
        chat_call(chat, "macro.list", json_object(), run_macro, text);
}

/* ---- offers and one's own status --------------------------------------------------------------------------------- */

static void on_accepted(struct chat *chat, json_t *result, const char *conv)
{
        (void)result;
        chat->desk.offer[0] = '\0';
        if (*conv)
                chat_open_conversation(chat, conv);
}

static void on_declined(struct chat *chat, json_t *result, const char *text)
{
        (void)result, (void)text;
        chat->desk.offer[0] = '\0';
        chat_say(chat, "declined");
}

static void on_accept(struct chat *chat, const char *text)
{
        (void)text;
        if (!*chat->desk.offer)
                chat_say(chat, "nothing is offered to you");
        else
                chat_call(chat, "offer.accept", json_pack("{s:s}", "ticket", chat->desk.offer), on_accepted,
                          chat->desk.offer_conv);
}

static void on_decline(struct chat *chat, const char *text)
{
        if (!*chat->desk.offer) {
                chat_say(chat, "nothing is offered to you");
                return;
        }
        json_t *params = json_pack("{s:s}", "ticket", chat->desk.offer);
        if (*text)
                json_object_set_new(params, "why", json_string(text));
        chat_call(chat, "offer.decline", params, on_declined, NULL);
}

static void tell_offer(struct chat *chat, const json_t *offer)
{
        long long left_s = json_integer_value(json_object_get(offer, "until")) / 1000 - (long long)time(NULL);

        snprintf(chat->desk.offer, sizeof(chat->desk.offer), "%s", chat_member(offer, "ticket"));
        snprintf(chat->desk.offer_conv, sizeof(chat->desk.offer_conv), "%s", chat_member(offer, "conv"));
        chat_say(chat, "offered: #%lld %s%s%s, %lld s to /accept or /decline",
                 (long long)json_integer_value(json_object_get(offer, "number")), chat_member(offer, "priority"),
                 *chat_member(offer, "subject") ? " " : "", chat_member(offer, "subject"), left_s < 0 ? 0 : left_s);
        if (!chat->is_plain)
                screen_text(&chat->screen, "\a");
}

static void list_offers(struct chat *chat, json_t *result, const char *text)
{
        json_t *offers = json_object_get(result, "offers"), *offer;
        size_t i;

        (void)text;
        json_array_foreach(offers, i, offer)
                tell_offer(chat, offer);
}

void chat_work_again(struct chat *chat)
{
        chat_ask(chat, "offer.list", json_object(), list_offers, NULL);
}

/* One's own, when it is another than was told. */
static void take_status(struct chat *chat, const json_t *row)
{
        const char *reason = chat_member(row, "reason");
        char now[sizeof(chat->desk.status)];

        snprintf(now, sizeof(now), "%s%s%s%s", chat_member(row, "status"), *reason ? " (" : "", reason,
                 *reason ? ")" : "");
        if (strcmp(chat_member(row, "agent"), chat->desk.me) != 0 || strcmp(now, chat->desk.status) == 0)
                return;
        memcpy(chat->desk.status, now, sizeof(now));
        chat_say(chat, "you are %s", now);
}

static void on_status_set(struct chat *chat, json_t *result, const char *text)
{
        (void)text;
        take_status(chat, json_object_get(result, "row"));
}

static void on_status(struct chat *chat, const char *text)
{
        size_t word = strcspn(text, " ");
        json_t *params = json_pack("{s:s%}", "status", text, word);

        if (!*text) {
                misused(chat, "/status online, busy, away or offline [WHY]");
                json_decref(params);
                return;
        }
        text += word + strspn(text + word, " ");
        if (*text)
                json_object_set_new(params, "reason", json_string(text));
        chat_call(chat, "status.set", params, on_status_set, NULL);
}

static void list_team(struct chat *chat, json_t *result, const char *text)
{
        json_t *rows = json_object_get(result, "agents"), *row;
        size_t i;

        (void)text;
        json_array_foreach(rows, i, row) {
                const char *id = chat_member(row, "agent"), *name = chat_member(chat->desk.agents, id);
                const char *reason = chat_member(row, "reason");
                chat_say(chat, "%-20s %s%s%s%s  %lld of %lld", *name ? name : id, chat_member(row, "status"),
                         *reason ? " (" : "", reason, *reason ? ")" : "",
                         (long long)json_integer_value(json_object_get(row, "load")),
                         (long long)json_integer_value(json_object_get(row, "capacity")));
        }
}

static void on_team(struct chat *chat, const char *text)
{
        (void)text;
        chat_call(chat, "status.list", json_object(), list_team, NULL);
}

/* ---- colleagues -------------------------------------------------------------------------------------------------- */

/* "Ben, Chris is writing" without oneself; "" = nobody. */
void chat_describe_viewers(const struct chat *chat, char *out, size_t room)
{
        json_t *viewer;
        size_t i;

        out[0] = '\0';
        json_array_foreach(chat->desk.viewers, i, viewer) {
                const char *name = chat_member(viewer, "name"), *agent = chat_member(viewer, "agent");
                size_t len = strlen(out);

                if (strcmp(agent, chat->desk.me) != 0)
                        snprintf(out + len, room - len, "%s%s%s", len ? ", " : "", *name ? name : agent,
                                 json_is_true(json_object_get(viewer, "typing")) ? " (writing)" : "");
        }
}

static void on_who(struct chat *chat, const char *text)
{
        char line[512];

        (void)text;
        chat_describe_viewers(chat, line, sizeof(line));
        chat_say(chat, "here too: %s", *line ? line : "nobody else");
}

static void on_invited(struct chat *chat, json_t *result, const char *text)
{
        (void)result;
        chat_say(chat, "%s is invited", text);
}

static void on_invite(struct chat *chat, const char *text)
{
        const char *id, *found = NULL, *rest;
        json_t *name;
        char conv[18];
        size_t best = 0;

        deskbell_conversation_id(chat->conv, conv);
        json_object_foreach(chat->desk.agents, id, name) {
                size_t len = strlen(json_string_value(name));
                if (len > best && strncmp(text, json_string_value(name), len) == 0 &&
                    (!text[len] || text[len] == ' ')) {
                        best = len;
                        found = id;
                }
        }
        if (!found || !*conv) {
                misused(chat, "/invite AGENT [NOTE], in a conversation");
                return;
        }
        rest = text + best + strspn(text + best, " ");
        json_t *params = chat_params("{s:s, s:s}", "conv", conv, "agent", found);
        if (*rest)
                json_object_set_new(params, "note", json_string(rest));
        chat_call(chat, "conversation.invite", params, on_invited, chat_member(chat->desk.agents, found));
}

static void list_mentions(struct chat *chat, json_t *result, const char *text)
{
        json_t *rows = json_object_get(result, "mentions"), *row;
        size_t i;

        (void)text;
        json_array_foreach(rows, i, row) {
                const char *by = chat_member(row, "by"), *name = chat_member(chat->desk.agents, by);
                chat_say(chat, "%s %s you: /open %s, note #%lld", *name ? name : by,
                         json_is_true(json_object_get(row, "invited")) ? "invited" : "mentioned",
                         chat_member(row, "conv"), (long long)json_integer_value(json_object_get(row, "iseq")));
        }
        if (!json_array_size(rows))
                chat_say(chat, "nobody has mentioned you");
        else
                chat_ask(chat, "mention.seen",
                         json_pack("{s:O}", "until", json_object_get(json_array_get(rows, 0), "mention")), on_counted,
                         NULL);
}

static void on_mentions(struct chat *chat, const char *text)
{
        (void)text;
        chat_call(chat, "mention.list", json_object(), list_mentions, NULL);
}

/* ---- the customer ------------------------------------------------------------------------------------------------ */

static void tell_happening(struct chat *chat, const json_t *row)
{
        time_t at = (time_t)(json_integer_value(json_object_get(row, "at")) / 1000);
        long long number = json_integer_value(json_object_get(row, "number"));
        const char *said = *chat_member(row, "title") ? chat_member(row, "title") : chat_member(row, "text");
        char when[24] = "", ticket[24] = "";
        struct tm local;

        if (localtime_r(&at, &local))
                strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &local);
        if (number)
                snprintf(ticket, sizeof(ticket), " #%lld", number);
        chat_say(chat, "%s  %s%s%s%s%s%s", when, chat_member(row, "kind"), ticket, *chat_member(row, "name") ? " " : "",
                 chat_member(row, "name"), *said ? ": " : "", said);
}

/* The newest stands last, nearest to the line being written. */
static void list_timeline(struct chat *chat, json_t *result, const char *text)
{
        json_t *rows = json_object_get(result, "rows");

        (void)text;
        for (size_t i = json_array_size(rows); i > 0; i--)
                tell_happening(chat, json_array_get(rows, i - 1));
}

static void tell_customer(struct chat *chat, json_t *result, const char *text)
{
        json_t *row = json_object_get(result, "customer"), *list = json_object_get(result, "attributes"), *one;
        char tags[512] = "";
        size_t i;

        (void)text;
        chat_say(chat, "%s  %s%s%s%s%s%s", chat_member(row, "customer"), chat_member(row, "name"),
                 *chat_member(row, "email") ? "  " : "", chat_member(row, "email"),
                 *chat_member(row, "tier") ? "  tier " : "", chat_member(row, "tier"),
                 json_object_get(row, "blocked") ? "  blocked" : "");
        json_array_foreach(list, i, one)
                chat_say(chat, "%s: %s (%s%s)", chat_member(one, "name"), chat_member(one, "value"),
                         chat_member(one, "origin"),
                         json_is_true(json_object_get(one, "verified")) ? ", verified" : "");
        list = json_object_get(result, "tags");
        json_array_foreach(list, i, one)
                snprintf(tags + strlen(tags), sizeof(tags) - strlen(tags), " %s", json_string_value(one));
        if (*tags)
                chat_say(chat, "tags:%s", tags);
        chat_call(chat, "timeline.read",
                  json_pack("{s:s, s:i}", "customer", chat_member(row, "customer"), "limit", TIMELINE_ROWS),
                  list_timeline, NULL);
}

static void on_customer(struct chat *chat, const char *text)
{
        char conv[18];

        (void)text;
        deskbell_conversation_id(chat->conv, conv);
        if (!*conv)
                chat_say(chat, "no conversation is open: /list, /open");
        else
                chat_call(chat, "customer.get", json_pack("{s:s}", "conv", conv), tell_customer, NULL);
}

/* ---- told -------------------------------------------------------------------------------------------------------- */

static void take_viewers(struct chat *chat, const json_t *params)
{
        char line[512];

        if (strcmp(chat_member(params, "conv"), chat->desk.viewing) != 0)
                return;
        json_decref(chat->desk.viewers);
        chat->desk.viewers = json_incref(json_object_get(params, "agents"));
        chat_describe_viewers(chat, line, sizeof(line));
        if (chat->is_plain)
                chat_say(chat, "here too: %s", *line ? line : "nobody else");
}

void chat_work_told(struct chat *chat, const char *event, const json_t *params)
{
        json_t *rows = json_object_get(params, "agents"), *row;
        size_t i;

        if (strcmp(event, "viewers") == 0) {
                take_viewers(chat, params);
        } else if (strcmp(event, "offer") == 0) {
                tell_offer(chat, params);
        } else if (strcmp(event, "offer_gone") == 0) {
                if (strcmp(chat_member(params, "ticket"), chat->desk.offer) == 0)
                        chat->desk.offer[0] = '\0';
                chat_say(chat, "the offer is over: %s", chat_member(params, "why"));
        } else if (strcmp(event, "mention") == 0) {
                chat_say(chat, "you are mentioned: /open %s", chat_member(params, "conv"));
        } else if (strcmp(event, "status") == 0) {
                json_array_foreach(rows, i, row)
                        take_status(chat, row);
        }
}

static const struct desk_command commands[] = {
        {"/canned", on_canned},     {"/macro", on_macro},       {"/accept", on_accept}, {"/decline", on_decline},
        {"/status", on_status},     {"/who", on_who},           {"/team", on_team},     {"/invite", on_invite},
        {"/mentions", on_mentions}, {"/customer", on_customer},
};

bool chat_work_command(struct chat *chat, const char *line)
{
        return chat_run(chat, commands, sizeof(commands) / sizeof(commands[0]), line);
}

bool chat_work_has(const char *line)
{
        return chat_names(commands, sizeof(commands) / sizeof(commands[0]), line);
}
