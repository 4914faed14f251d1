/* SPDX-License-Identifier: Apache-2.0 */
/* The desk's side of the terminal client: calls of methods by name, lines that wait for their turn, events. */
#include <deskbell/desk.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "chat.h"

struct desk_line {
        struct desk_line *next;
        char text[];
};

const char *chat_member(const json_t *object, const char *member)
{
        const char *text = json_string_value(json_object_get(object, member));

        return text ? text : "";
}

json_t *chat_params(const char *format, ...)
{
        unsigned char bytes[16];
        char cmid[33];
        va_list args;
        json_t *params;

        va_start(args, format);
        params = json_vpack_ex(NULL, 0, format, args);
        va_end(args);
        if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes) || !params)
                abort();
        uint64_t now = (uint64_t)time(NULL) * 1000;
        for (int i = 0; i < 6; i++)
                bytes[i] = (unsigned char)(now >> (40 - 8 * i));
        bytes[6] = 0x70 | (bytes[6] & 15);
        bytes[8] = 0x80 | (bytes[8] & 63);
        for (size_t i = 0; i < sizeof(bytes); i++)
                snprintf(cmid + 2 * i, 3, "%02x", bytes[i]);
        json_object_set_new(params, "cmid", json_string(cmid));
        return params;
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

struct desk_call {
        struct chat *chat;
        chat_answer *fn;
        bool is_quiet;
        char *text;
};

static void tell_refusal(struct chat *chat, const json_t *why, int error)
{
        const char *field = chat_member(why, "field"), *expected = chat_member(why, "expected");

        if (error != DESKBELL_E_REFUSED)
                chat_say(chat, "not done: %s", deskbell_error_text(error));
        else
                chat_say(chat, "not done: %s%s%s%s%s", chat_member(why, "message"), *field ? ": " : "", field,
                         *expected ? ": expected " : "", expected);
        chat->failed += chat->is_plain;
        if (strcmp(chat_member(why, "tag"), "stale") == 0)
                chat_refresh_ticket(chat);
}

static void on_answer(deskbell_client *client, int error, const char *result, void *data)
{
        struct desk_call *call = data;
        struct chat *chat = call->chat;
        json_t *json = *result ? json_loads(result, 0, NULL) : NULL;

        (void)client;
        chat->desk.calls--;
        if (error == DESKBELL_OK && json)
                call->fn(chat, json, call->text);
        else if (!call->is_quiet && !(error == DESKBELL_E_CANCELLED && chat->is_ending))
                tell_refusal(chat, json, error == DESKBELL_OK ? DESKBELL_E_NOMEM : error);
        json_decref(json);
        free(call->text);
        free(call);
        chat->is_dirty = true;
        chat_desk_pump(chat);
}

static void begin_call(struct chat *chat, const char *method, json_t *params, struct desk_call say)
{
        char *body = json_dumps(params, JSON_COMPACT);
        struct desk_call *call = malloc(sizeof(*call));
        int rc = DESKBELL_E_NOMEM;

        if (body && call && (!say.text || (say.text = strdup(say.text)))) {
                *call = say;
                rc = deskbell_call(chat->client, method, body, on_answer, call);
                if (rc < 0)
                        free(say.text);
        }
        if (rc < 0) {
                free(call);
                if (!say.is_quiet)
                        tell_refusal(chat, NULL, rc);
        } else {
                chat->desk.calls++;
        }
        json_decref(params);
        free(body);
}

void chat_call(struct chat *chat, const char *method, json_t *params, chat_answer *fn, const char *text)
{
        begin_call(chat, method, params, (struct desk_call){chat, fn, false, (char *)text});
}

void chat_ask(struct chat *chat, const char *method, json_t *params, chat_answer *fn, const char *text)
{
        begin_call(chat, method, params, (struct desk_call){chat, fn, true, (char *)text});
}

/* ---- lines that wait --------------------------------------------------------------------------------------------- */

static const struct desk_command *find(const struct desk_command *commands, size_t count, const char *line)
{
        for (size_t i = 0; i < count; i++) {
                size_t len = strlen(commands[i].name);

                if (strncmp(line, commands[i].name, len) == 0 && (line[len] == ' ' || line[len] == '\0'))
                        return &commands[i];
        }
        return NULL;
}

bool chat_names(const struct desk_command *commands, size_t count, const char *line)
{
        return find(commands, count, line) != NULL;
}

bool chat_run(struct chat *chat, const struct desk_command *commands, size_t count, const char *line)
{
        const struct desk_command *command = find(commands, count, line);

        if (command) {
                line += strlen(command->name);
                command->run(chat, line + strspn(line, " "));
        }
        return command != NULL;
}

/* With a session, all that was written before answered by the server, and in a pipe the ticket as it is now. */
static bool is_ready(struct chat *chat)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        return chat->state.connection == DESKBELL_ONLINE && chat->state.caught_up && chat->desk.is_greeted &&
               chat->desk.calls == 0 && deskbell_status(chat->client, &status) == 0 && status.queued == 0;
}

void chat_desk_pump(struct chat *chat)
{
        struct chat_desk *desk = &chat->desk;

        while (desk->waiting && is_ready(chat) && !chat->is_ending) {
                struct desk_line *line = desk->waiting;

                if (chat->is_plain && !desk->is_fresh && chat->conv && chat_is_desk_command(line->text)) {
                        desk->is_fresh = true;
                        chat_refresh_ticket(chat);
                        continue;
                }
                desk->waiting = line->next;
                desk->is_fresh = false;
                chat_line_now(chat, line->text);
                free(line);
        }
}

bool chat_desk_takes(struct chat *chat, const char *line)
{
        struct desk_line *wait, **at = &chat->desk.waiting;
        size_t len = strlen(line) + 1;

        if (!chat->is_staff || (!chat->desk.waiting && !chat_is_desk_command(line)))
                return false;
        if (!chat->is_plain && chat->state.connection != DESKBELL_ONLINE) {
                if (!chat_is_desk_command(line))
                        return false;
                chat_say(chat, "that needs a connection; try again when there is one");
                return true;
        }
        wait = malloc(sizeof(*wait) + len);
        if (!wait)
                return false;
        wait->next = NULL;
        memcpy(wait->text, line, len);
        while (*at)
                at = &(*at)->next;
        *at = wait;
        chat_desk_pump(chat);
        return true;
}

bool chat_desk_is_idle(const struct chat *chat)
{
        return !chat->desk.waiting && chat->desk.calls == 0;
}

/* ---- sessions and events ----------------------------------------------------------------------------------------- */

static void take_names(struct chat *chat, json_t *result, const char *which)
{
        bool is_teams = strcmp(which, "team") == 0;
        json_t *rows = json_object_get(result, is_teams ? "teams" : "agents"), *row;
        size_t i;

        json_array_foreach(rows, i, row)
                if (*chat_member(row, "name"))
                        json_object_set(is_teams ? chat->desk.teams : chat->desk.agents, chat_member(row, which),
                                        json_object_get(row, "name"));
}

void chat_desk_state(struct chat *chat, const char *principal)
{
        struct chat_desk *desk = &chat->desk;

        if (*principal)
                snprintf(desk->me, sizeof(desk->me), "%s", principal);
        if (chat->state.connection != DESKBELL_ONLINE)
                desk->is_greeted = false;
        if (!chat->is_staff || chat->state.connection != DESKBELL_ONLINE || !chat->state.caught_up)
                return;
        if (!desk->is_greeted) {
                desk->is_greeted = true;
                chat_ask(chat, "team.list", json_object(), take_names, "team");
                chat_ask(chat, "agent.list", json_object(), take_names, "agent");
                chat_desk_opened(chat);
                chat_view_again(chat);
                chat_work_again(chat);
        }
        chat_desk_pump(chat);
}

static void say_viewing(struct chat *chat, const char *conv, bool is_on)
{
        char params[64];

        snprintf(params, sizeof(params), "{\"conv\":\"%s\",\"on\":%s}", conv, is_on ? "true" : "false");
        deskbell_call(chat->client, "viewing", params, NULL, NULL); /* a hint: without a session nobody looks */
}

void chat_desk_opened(struct chat *chat)
{
        struct chat_desk *desk = &chat->desk;
        char id[18];

        if (!chat->is_staff || !desk->is_greeted)
                return;
        json_decref(desk->viewers);
        desk->viewers = NULL;
        deskbell_conversation_id(chat->conv, id);
        if (*desk->viewing && strcmp(desk->viewing, id) != 0)
                say_viewing(chat, desk->viewing, false);
        memcpy(desk->viewing, id, sizeof(id));
        if (*id)
                say_viewing(chat, id, true);
        chat_refresh_ticket(chat);
}

static void tell_queue(struct chat *chat, const json_t *params)
{
        const json_t *queue = json_object_get(params, "queue");
        long long position = json_integer_value(json_object_get(queue, "position"));
        long long wait = json_integer_value(json_object_get(queue, "wait_s"));
        time_t by = (time_t)(json_integer_value(json_object_get(queue, "answer_by")) / 1000);
        char text[128] = "", at[32];
        struct tm local;

        if (position == 1)
                snprintf(text, sizeof(text), "you are next");
        else if (position > 1)
                snprintf(text, sizeof(text), "you are number %lld in the queue", position);
        else if (!by)
                snprintf(text, sizeof(text), "you are not in the queue any more");
        if (wait > 0)
                snprintf(text + strlen(text), sizeof(text) - strlen(text), ", about %lld min", (wait + 59) / 60);
        if (by && localtime_r(&by, &local) && strftime(at, sizeof(at), "%Y-%m-%d %H:%M", &local))
                snprintf(text + strlen(text), sizeof(text) - strlen(text), "%sanswer by %s", *text ? ", " : "", at);
        chat_say(chat, "%s", text);
}

static void on_event(deskbell_client *client, const char *event, const char *text, void *data)
{
        struct chat *chat = data;
        json_t *params = json_loads(text, 0, NULL), *rows = json_object_get(params, "rows"), *row;
        size_t i;

        (void)client;
        if (strcmp(event, "feed") == 0 && chat->is_staff) {
                json_array_foreach(rows, i, row)
                        if (json_object_get(row, "ticket"))
                                chat_take_ticket(chat, chat_member(row, "conv"), json_object_get(row, "ticket"));
        } else if (strcmp(event, "queue") == 0) {
                tell_queue(chat, params);
        } else if (strcmp(event, "view") == 0) {
                chat_view_told(chat, params);
        } else if (strcmp(event, "views") == 0) {
                chat_views_told(chat, params);
        } else if (strcmp(event, "recovery") == 0) {
                chat_case_told(chat, params);
        } else {
                chat_work_told(chat, event, params);
        }
        json_decref(params);
        chat->is_dirty = true;
}

int chat_desk_begin(struct chat *chat)
{
        chat->desk.tickets = json_object();
        chat->desk.teams = json_object();
        chat->desk.agents = json_object();
        return deskbell_on_event(chat->client, on_event, chat);
}

void chat_desk_done(struct chat *chat)
{
        struct chat_desk *desk = &chat->desk;

        while (desk->waiting) {
                struct desk_line *line = desk->waiting;
                desk->waiting = line->next;
                free(line);
        }
        json_decref(desk->tickets);
        json_decref(desk->teams);
        json_decref(desk->agents);
        json_decref(desk->viewers);
        json_decref(desk->view_rows);
        json_decref(desk->views);
}
