/* SPDX-License-Identifier: Apache-2.0 */
/* What the user can say that is not a message. A line that begins with two slashes is a message that begins with one.
 */
#include "chat.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
        "commands:\n"
        "/note TEXT         a note for the team only (agents)\n"
        "/reply SEQ TEXT    answer message SEQ\n"
        "/press SEQ N       choose button N of message SEQ\n"
        "/fill [SEQ]        fill in a form, field by field (or /fill [SEQ] FIELD=VALUE ...)\n"
        "/rate N [COMMENT]  answer the survey (#SEQ before N: that one), /contact asks to be contacted\n"
        "/edit SEQ TEXT     change an own message\n"
        "/erase SEQ         erase an own message\n"
        "/retry             send again what failed\n"
        "/older             show older messages (or Page Up)\n"
        "/attach PATH [TEXT] send a file, with a caption; quote a path with spaces\n"
        "/cancel            give up the form being filled in, the survey's questions, or the upload "
        "begun last\n"
        "/save N [PATH]     save file N, into this folder or to PATH\n"
        "/find WORDS        look for words in all you may read\n"
        "/list              conversations (agents); a number stays the same\n"
        "/open N or ID      another conversation (agents)\n"
        "/away, /here       whether customers may count on you (agents)\n"
        "/quit              end; what is queued stays queued";

void chat_say(struct chat *chat, const char *format, ...)
{
        char text[2048];
        va_list args;

        va_start(args, format);
        vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        if (chat->is_plain) {
                char *clean = chat_text_clean(text, true);
                printf("-- %s\n", clean);
                fflush(stdout);
                free(clean);
        } else {
                transcript_remark(&chat->transcript, text);
                chat->is_dirty = true;
        }
}

static void tell(struct chat *chat, int error)
{
        if (error < 0) {
                chat_say(chat, "%s", deskbell_error_text(error));
                if (chat->is_plain)
                        chat->failed++;
        }
}

static void send_text(struct chat *chat, const char *text, enum deskbell_log log, int64_t reply_to)
{
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;

        if (!chat->conv) {
                chat_say(chat, "no conversation is open: /list, then /open");
                return;
        }
        options.log = log;
        options.reply_to = reply_to;
        chat->scroll = 0;
        tell(chat, deskbell_send(chat->conv, text, &options, NULL));
}

struct arguments {
        long long number;
        const char *rest;
};

/* "12 the rest" */
static bool take_number(const char *text, struct arguments *out)
{
        char *end;

        out->number = strtoll(text, &end, 10);
        if (end == text || out->number < 1)
                return false;
        while (*end == ' ')
                end++;
        out->rest = end;
        return true;
}

static void on_edit(struct chat *chat, const char *text)
{
        struct arguments with;
        struct shown *row;

        if (!chat->conv || !take_number(text, &with) || !*with.rest) {
                chat_say(chat, "usage: /edit SEQ TEXT");
                return;
        }
        row = transcript_find(&chat->transcript, DESKBELL_PUBLIC, with.number);
        tell(chat, deskbell_edit(chat->conv, with.number, row ? row->version : 1, with.rest, NULL, NULL));
}

static void on_erase(struct chat *chat, const char *text)
{
        struct arguments with;

        if (!chat->conv || !take_number(text, &with))
                chat_say(chat, "usage: /erase SEQ");
        else
                tell(chat, deskbell_erase(chat->conv, with.number, NULL, NULL));
}

static void on_reply(struct chat *chat, const char *text)
{
        struct arguments with;

        if (!take_number(text, &with) || !*with.rest)
                chat_say(chat, "usage: /reply SEQ TEXT");
        else
                send_text(chat, with.rest, DESKBELL_PUBLIC, with.number);
}

/* A pressed button needs the choice's id, which only the entry knows: it is read again. */
struct press {
        struct chat *chat;
        long long number, which;
};

static void on_pressed_entry(deskbell_client *client, int error, const struct deskbell_entry *entries, size_t count,
                             int64_t head, int more, void *data)
{
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;
        struct press *press = data;
        const struct deskbell_entry *entry = count ? &entries[count - 1] : NULL;

        (void)client;
        (void)head;
        (void)more;
        if (error || !entry || entry->number != press->number || (size_t)press->which > entry->choices_count) {
                chat_say(press->chat, "no such button");
        } else {
                options.pressed_seq = press->number;
                options.pressed_id = entry->choices[press->which - 1].id;
                tell(press->chat,
                     deskbell_send(entry->conversation, entry->choices[press->which - 1].label, &options, NULL));
        }
        free(press);
}

static void on_press(struct chat *chat, const char *text)
{
        struct deskbell_history_options options = DESKBELL_HISTORY_OPTIONS_INIT;
        struct arguments entry, which;
        struct press *press = malloc(sizeof(*press));

        if (!press || !chat->conv || !take_number(text, &entry) || !take_number(entry.rest, &which)) {
                chat_say(chat, "usage: /press SEQ N");
                free(press);
                return;
        }
        *press = (struct press){chat, entry.number, which.number};
        options.before = entry.number + 1;
        options.limit = 1;
        int rc = deskbell_history(chat->conv, &options, on_pressed_entry, press);
        if (rc < 0) {
                tell(chat, rc);
                free(press);
        }
}

/* Of a message that is in no file there is nothing to put back: its text, or its file, is sent as a new one. */
static int send_again(struct chat *chat, struct shown *row, char out_cmid[33])
{
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;

        options.log = row->log;
        if (row->unsent)
                return deskbell_send(chat->conv, row->unsent, &options, out_cmid);
        if (chat_attach_again(chat, row->cmid, out_cmid) == 0)
                return 0;
        int rc = deskbell_retry(chat->client, row->cmid, out_cmid);
        if (rc == 0)
                memcpy(row->retried, row->cmid, sizeof(row->retried));
        return rc;
}

static void on_retry(struct chat *chat)
{
        size_t count = 0;

        for (size_t i = chat->transcript.count; i > 0; i--) {
                struct shown *row = &chat->transcript.rows[i - 1];
                char cmid[33];

                if (row->state != DESKBELL_FAILED && row->state != DESKBELL_EXPIRED)
                        continue;
                if (send_again(chat, row, cmid) == 0) {
                        memcpy(row->cmid, cmid, sizeof(cmid));
                        if (row->state != DESKBELL_UPLOADING)
                                row->state = DESKBELL_QUEUED;
                        count++;
                }
        }
        chat_say(chat, count ? "sending again" : "nothing has failed");
}

static void on_open(struct chat *chat, const char *text)
{
        struct arguments with;

        if (!chat->is_staff)
                chat_say(chat, "only agents open other conversations");
        else if (strncmp(text, "cnv_", 4) == 0)
                chat_open_conversation(chat, text);
        else if (take_number(text, &with) && (size_t)with.number <= chat->list_count)
                chat_open_conversation(chat, chat->list[with.number - 1].id);
        else
                chat_say(chat, "usage: /open N (of /list) or /open cnv_...");
}

static void on_note(struct chat *chat, const char *text)
{
        if (!chat->is_staff)
                chat_say(chat, "only agents write notes");
        else if (!*text)
                chat_say(chat, "usage: /note TEXT");
        else
                send_text(chat, text, DESKBELL_TEAM, 0);
}

static void say_presence(struct chat *chat, enum deskbell_availability availability)
{
        int rc = deskbell_set_presence(chat->client, availability);

        if (rc == DESKBELL_E_STATE)
                chat_say(chat, "only agents are here or away");
        else if (rc < 0)
                tell(chat, rc);
        else
                chat_say(chat, "you are %s", availability == DESKBELL_HERE ? "here" : "away");
}

static void on_away(struct chat *chat)
{
        say_presence(chat, DESKBELL_AWAY);
}

static void on_here(struct chat *chat)
{
        say_presence(chat, DESKBELL_HERE);
}

static void on_cancel(struct chat *chat)
{
        if (chat->filling)
                chat_fill_cancel(chat);
        else if (chat->survey.is_asking)
                chat_survey_cancel(chat);
        else
                chat_cancel(chat);
}

static const char *after(const char *line, const char *name)
{
        size_t len = strlen(name);

        if (strncmp(line, name, len) != 0 || (line[len] != ' ' && line[len] != '\0'))
                return NULL;
        line += len;
        while (*line == ' ')
                line++;
        return line;
}

static void on_command(struct chat *chat, const char *line)
{
        static const struct {
                const char *name;
                void (*with)(struct chat *chat, const char *text);
                void (*without)(struct chat *chat);
        } commands[] = {
                {"/note", on_note, NULL},       {"/reply", on_reply, NULL}, {"/press", on_press, NULL},
                {"/edit", on_edit, NULL},       {"/erase", on_erase, NULL}, {"/retry", NULL, on_retry},
                {"/open", on_open, NULL},       {"/list", NULL, chat_list}, {"/older", NULL, chat_older},
                {"/attach", chat_attach, NULL}, {"/save", chat_save, NULL}, {"/find", chat_find, NULL},
                {"/cancel", NULL, on_cancel},   {"/away", NULL, on_away},   {"/here", NULL, on_here},
                {"/fill", chat_fill, NULL},     {"/rate", chat_rate, NULL}, {"/contact", NULL, chat_contact},
        };

        if (after(line, "/quit")) {
                chat->is_ending = true;
                return;
        }
        if (after(line, "/help")) {
                chat_say(chat, "%s", help);
                if (chat->is_staff)
                        chat_say(chat, "%s", chat_desk_help);
                return;
        }
        for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
                const char *text = after(line, commands[i].name);
                if (!text)
                        continue;
                if (commands[i].with)
                        commands[i].with(chat, text);
                else
                        commands[i].without(chat);
                return;
        }
        if (chat->is_staff && (chat_ticket_command(chat, line) || chat_work_command(chat, line) ||
                               chat_view_command(chat, line) || chat_case_command(chat, line)))
                return;
        chat_say(chat, "unknown command; /help tells all, // begins a message with a slash");
}

void chat_line(struct chat *chat, const char *line)
{
        if (!chat_desk_takes(chat, line))
                chat_line_now(chat, line);
}

void chat_line_now(struct chat *chat, const char *line)
{
        if (!*line && !chat->filling && !chat->survey.is_asking)
                return;
        if (line[0] == '/' && line[1] != '/')
                on_command(chat, line);
        else if (chat->filling)
                chat_fill_answer(chat, line[0] == '/' ? line + 1 : line);
        else if (!chat_survey_line(chat, line[0] == '/' ? line + 1 : line))
                send_text(chat, line[0] == '/' ? line + 1 : line, DESKBELL_PUBLIC, 0);
}
