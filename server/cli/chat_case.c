/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery cases in the terminal client: a notice when one is opened, changed or late, and what its owner does in it.
 * A command about a case reads it first, so that it changes what is there now and nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chat.h"

static const char usage[] =
        "/case [contact chat|phone|mail|elsewhere [NOTE] | missed chat|phone|mail|elsewhere [NOTE] | "
        "action TEXT | done N | cause WORD | gave AMOUNT CURRENCY [WHAT] | resolve OUTCOME]";

static void misused(struct chat *chat, const char *text)
{
        chat_say(chat, "usage: %s", text);
        chat->failed += chat->is_plain;
}

/* "2026-11-22 18:00", the clock of this machine. */
static const char *moment(json_int_t ms, char out[32])
{
        time_t at = (time_t)(ms / 1000);
        struct tm local;
        if (!localtime_r(&at, &local) || strftime(out, 32, "%Y-%m-%d %H:%M", &local) == 0)
                snprintf(out, 32, "?");
        return out;
}

/* ---- telling ---- */

static void tell_case(struct chat *chat, const json_t *row)
{
        const char *who = chat_member(row, "customer_name"), *outcome = chat_member(row, "outcome");
        json_t *score = json_object_get(row, "score_before");
        char line[400], until[32];
        int len = snprintf(line, sizeof line, "case %s %s, %s", chat_member(row, "recovery"), chat_member(row, "stage"),
                           *who ? who : chat_member(row, "customer"));
        if (score)
                len += snprintf(line + len, sizeof line - (size_t)len, ", %s %lld of %lld",
                                chat_member(row, "metric_before"), (long long)json_integer_value(score),
                                (long long)json_integer_value(json_object_get(row, "top_before")));
        if (*outcome)
                len += snprintf(line + len, sizeof line - (size_t)len, ", %s", outcome);
        else if (!json_object_get(row, "contacted"))
                len += snprintf(line + len, sizeof line - (size_t)len, ", contact until %s",
                                moment(json_integer_value(json_object_get(row, "contact_due")), until));
        else if (!json_object_get(row, "taken_on"))
                len += snprintf(line + len, sizeof line - (size_t)len, ", fix until %s",
                                moment(json_integer_value(json_object_get(row, "fix_due")), until));
        snprintf(line + len, sizeof line - (size_t)len, "%s  %s",
                 json_is_true(json_object_get(row, "overdue")) ? ", OVERDUE" : "", chat_member(row, "conv"));
        chat_say(chat, "%s", line);
}

static void on_listed(struct chat *chat, json_t *result, const char *text)
{
        json_t *rows = json_object_get(result, "cases"), *row;
        size_t i;
        (void)text;
        json_array_foreach(rows, i, row)
                tell_case(chat, row);
        if (!json_array_size(rows))
                chat_say(chat, "no recovery case");
}

void chat_case_told(struct chat *chat, const json_t *params)
{
        const char *what = chat_member(params, "what"), *conv = chat_member(params, "conv");
        json_t *due = json_object_get(params, "contact_due");
        bool is_mine = json_is_true(json_object_get(params, "mine"));
        char until[32];
        if (strcmp(what, "opened") == 0 || strcmp(what, "assigned") == 0 || strcmp(what, "reopened") == 0)
                chat_say(chat, "%s: contact the customer%s%s: /open %s",
                         is_mine ? "a recovery case is yours" : "a recovery case", due ? " until " : "",
                         due ? moment(json_integer_value(due), until) : "", conv);
        else if (strcmp(what, "escalated") == 0)
                chat_say(chat, "%s is late: /open %s", is_mine ? "your recovery case" : "a recovery case", conv);
        else if (strcmp(what, "unassigned") == 0)
                chat_say(chat, "a recovery case has no owner: /open %s", conv);
}

/* ---- changing ---- */

static void on_changed(struct chat *chat, json_t *result, const char *text)
{
        (void)result;
        chat_say(chat, "done: /case %s", text);
}

/* The next word of `text`, into `out`; what is behind it. */
static const char *next_word(const char *text, char *out, size_t room)
{
        size_t len = strcspn(text, " ");
        snprintf(out, room, "%.*s", (int)len, text);
        return text + len + strspn(text + len, " ");
}

/* What the words ask for; NULL: they ask for nothing that there is. The caller's. */
static json_t *params_of(const char *text, const char **out_method)
{
        char verb[16], word[72], currency[8];
        const char *rest = next_word(text, verb, sizeof verb);
        if (strcmp(verb, "contact") == 0 || strcmp(verb, "missed") == 0) {
                *out_method = "recovery.contact";
                rest = next_word(rest, word, sizeof word);
                return *word ? json_pack("{s:s, s:b, s:s*}", "channel", word, "reached", strcmp(verb, "contact") == 0,
                                         "note", *rest ? rest : NULL)
                             : NULL;
        }
        if (strcmp(verb, "action") == 0 && *rest) {
                *out_method = "recovery.action_add";
                return json_pack("{s:s}", "text", rest);
        }
        if (strcmp(verb, "done") == 0 && strtol(rest, NULL, 10) > 0) {
                *out_method = "recovery.action_done";
                return json_pack("{s:I}", "action", (json_int_t)strtol(rest, NULL, 10));
        }
        if (strcmp(verb, "cause") == 0 && *rest) {
                *out_method = "recovery.cause";
                return json_pack("{s:s}", "cause", rest);
        }
        if (strcmp(verb, "resolve") == 0 && *rest) {
                *out_method = "recovery.resolve";
                return json_pack("{s:s}", "outcome", rest);
        }
        rest = strcmp(verb, "gave") == 0 ? next_word(next_word(rest, word, sizeof word), currency, sizeof currency)
                                         : NULL;
        if (!rest || !*currency || strspn(word, "0123456789") != strlen(word))
                return NULL;
        *out_method = "recovery.compensate";
        return json_pack("{s:I, s:s, s:s}", "amount", (json_int_t)strtoll(word, NULL, 10), "currency", currency, "gave",
                         *rest ? rest : "refund");
}

/* The open case of this conversation, as it is now. */
static void change(struct chat *chat, json_t *result, const char *text)
{
        const json_t *row = json_array_get(json_object_get(result, "cases"), 0);
        const char *method = NULL;
        json_t *said = row ? params_of(text, &method) : NULL;
        if (!row || !said) {
                chat_say(chat, "%s", row ? "usage:" : "this conversation has no open recovery case that is yours");
                if (row)
                        chat_say(chat, "%s", usage);
                chat->failed += chat->is_plain;
                return;
        }
        json_t *params = chat_params("{s:s, s:I}", "recovery", chat_member(row, "recovery"), "version",
                                     json_integer_value(json_object_get(row, "version")));
        json_object_update(params, said);
        json_decref(said);
        chat_call(chat, method, params, on_changed, text);
}

static void on_case(struct chat *chat, const char *text)
{
        const char *method;
        char conv[18] = "";
        if (chat->conv)
                deskbell_conversation_id(chat->conv, conv);
        if (!*conv) {
                chat_say(chat, "no conversation is open: /list, /open");
                chat->failed += chat->is_plain;
                return;
        }
        if (!*text) {
                chat_call(chat, "recovery.list", json_pack("{s:s}", "conv", conv), on_listed, NULL);
                return;
        }
        json_t *said = params_of(text, &method);
        if (said)
                chat_call(chat, "recovery.list", json_pack("{s:s, s:b}", "conv", conv, "open", 1), change, text);
        else
                misused(chat, usage);
        json_decref(said);
}

static void on_cases(struct chat *chat, const char *text)
{
        (void)text;
        chat_call(chat, "recovery.list", json_pack("{s:b, s:b}", "mine", 1, "open", 1), on_listed, NULL);
}

static const struct desk_command commands[] = {{"/case", on_case}, {"/cases", on_cases}};

bool chat_case_command(struct chat *chat, const char *line)
{
        return chat_run(chat, commands, sizeof(commands) / sizeof(commands[0]), line);
}

bool chat_case_has(const char *line)
{
        return chat_names(commands, sizeof(commands) / sizeof(commands[0]), line);
}
