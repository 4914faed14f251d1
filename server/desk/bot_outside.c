/* SPDX-License-Identifier: Apache-2.0 */
/* Bots of others: a webhook is posted its turn and answers with its actions, or promises them; a program with a bot key
 * is told on its connections. And what a built-in bot calls: its back end. What does not answer, or answers badly, has
 * failed at once: people take over. Nothing is asked twice from here; the desk asks again what was lost.
 * The bot thread's, but for the functions that the poster calls on its own. */
#include <stdio.h>
#include <stdlib.h>

#include "desk/bot_private.h"
#include "outbound/bot_post.h"

enum {
        STATUS_OK = 200,
        STATUS_ACCEPTED = 202,
        STATUS_TOO_MANY = 429,
        STATUS_SERVER = 500, /* and above: the server's own fault */
        CALL_MS = 3000,
        BODY_FIRST = 4096,
};

/* A request under way. */
struct outside {
        struct bot_thread *thread;
        struct bot_task *task; /* owned */
        int64_t seq;
};

static struct outside *outside_new(struct bot_thread *thread, const struct bot_task *task, int64_t seq)
{
        struct outside *outside = calloc(1, sizeof *outside);
        if (!outside)
                return NULL;
        *outside = (struct outside){.thread = thread, .task = bot_task_copy(task), .seq = seq};
        if (outside->task)
                return outside;
        free(outside);
        return NULL;
}

static void outside_free(struct outside *outside)
{
        bot_task_free(outside->task);
        free(outside);
}

static struct bot_poster *poster_of(struct bot_thread *thread)
{
        struct desk *desk = thread->side.desk;
        struct bot_poster_options options = {.allow = desk->settings.webhook_allow,
                                             .ca_path = desk->settings.webhook_ca,
                                             .asked = &desk->bot_posts,
                                             .failed = &desk->bot_posts_failed,
                                             .circuits = &desk->bot_circuits};
        if (!thread->poster && bot_poster_start(&options, &thread->poster) < 0)
                log_error(&desk->log, "the thread that asks bots cannot be started");
        return thread->poster;
}

void bot_outside_stop(struct bot_thread *thread)
{
        thread->poster = bot_poster_stop(thread->poster);
}

/* 0: `fn` will run with an `outside`, which it frees. */
static int ask(struct bot_thread *thread, const struct bot_task *task, const struct bot_asked *asked,
               const struct bot_post_request *request, bot_posted_fn fn)
{
        struct bot_poster *poster = task->bot.url && task->bot.secret_len > 0 ? poster_of(thread) : NULL;
        struct outside *outside = poster ? outside_new(thread, task, asked->seq) : NULL;
        if (!outside)
                return -1;
        if (bot_poster_ask(poster, request, fn, outside) == 0)
                return 0;
        outside_free(outside);
        return -1;
}

/* ---- a webhook ---- */

/* Its answer is bot.act without what the server knows itself; the strict decoder refuses what is said twice. */
static bool act_on(struct outside *outside, struct span answer)
{
        struct writer act;
        char first[BODY_FIRST];
        size_t at = 0;
        while (at < answer.len && strchr(" \t\r\n", answer.at[at]) && answer.at[at])
                at++;
        if (at == answer.len || answer.at[at] != '{') {
                bot_thread_failed(outside->thread, outside->task, "garbage");
                return false;
        }
        writer_init(&act, first, sizeof first);
        writer_raw(&act, SPAN("{\"cmid\":\"" NO_CMID "\",\"conv\":"));
        writer_id(&act, "cnv", outside->task->ask.conv_ext);
        writer_raw(&act, SPAN(",\"turn\":"));
        writer_int(&act, outside->task->ask.turn);
        writer_raw(&act, SPAN(",\"seq\":"));
        writer_int(&act, outside->seq);
        writer_char(&act, ',');
        writer_raw(&act, (struct span){answer.at + at + 1, answer.len - at - 1});
        bool is_good = !act.failed &&
                       bot_thread_act(outside->thread, outside->task, 0, "", (struct span){act.bytes, act.len}) == 0;
        writer_done(&act);
        return is_good;
}

static bool on_webhook(void *data, const struct bot_posted *posted)
{
        struct outside *outside = data;
        bool is_good = false;
        if (posted->why) {
                if (!posted->is_stopped) /* else asked again at the next start */
                        bot_thread_failed(outside->thread, outside->task, posted->why);
        } else if (posted->status == STATUS_OK) {
                is_good = act_on(outside, posted->answer);
        } else if (posted->status == STATUS_ACCEPTED) {
                bot_thread_promised(outside->thread, outside->task);
                is_good = true;
        } else {
                bot_thread_failed(outside->thread, outside->task, "status");
        }
        outside_free(outside);
        return is_good;
}

static void ask_webhook(struct bot_thread *thread, const struct bot_task *task, const struct bot_asked *asked,
                        const struct protocol_bot_asked *turn)
{
        struct writer body;
        char first[BODY_FIRST];
        writer_init(&body, first, sizeof first);
        protocol_bot_asked_write(&body, turn);
        struct bot_post_request request = {.bot = task->bot.id,
                                           .url = task->bot.url,
                                           .secret = {(const char *)task->bot.secret, task->bot.secret_len},
                                           .id = turn->event_id,
                                           .body = {body.bytes, body.len},
                                           .timeout_ms = task->bot.timeout_ms ? task->bot.timeout_ms : BOT_WEBHOOK_MS};
        if (body.failed || ask(thread, task, asked, &request, on_webhook) < 0)
                bot_thread_failed(thread, task, "not_asked");
        writer_done(&body);
}

/* ---- a program ---- */

/* To all connections of the bot; none: it is asked again, and asks itself when it comes. */
static void tell_program(struct bot_thread *thread, const struct bot_task *task, const struct protocol_bot_asked *turn)
{
        struct desk *desk = thread->side.desk;
        struct protocol_event_bot_turn event = {.bot_asked = *turn};
        struct writer text;
        char first[BODY_FIRST];
        writer_init(&text, first, sizeof first);
        frame_call_begin(&text, NULL, SPAN("bot.turn"));
        protocol_event_bot_turn_write(&text, &event);
        frame_end(&text);
        struct edge_frame *frame = text.failed ? NULL : edge_frame_new((struct span){text.bytes, text.len});
        writer_done(&text);
        for (uint32_t i = 0; frame && i < desk->sink_count; i++) {
                struct desk_note *note = note_new(NOTE_EVENT, (struct edge_ref){0}, (struct span){0});
                if (!note)
                        continue;
                note->customer = task->bot.principal; /* whose connections hear it */
                note->frame = edge_frame_ref(frame);
                if (mailbox_push(desk->sinks[i], &note->item, sizeof *note) < 0)
                        note_free(note);
        }
        if (frame)
                edge_frame_unref(frame);
}

void bot_outside_ask(struct bot_thread *thread, const struct bot_task *task, struct bot_asked *asked)
{
        struct protocol_bot_asked turn;
        int rc = bot_asked_fill(thread->side.db, task, asked, &turn);
        if (rc < 0)
                bot_thread_failed(thread, task, "store");
        else if (rc == 1 && task->bot.kind == BOT_WEBHOOK)
                ask_webhook(thread, task, asked, &turn);
        else if (rc == 1)
                tell_program(thread, task, &turn);
}

/* ---- a call ---- */

/* The answer goes into the bot thread's mailbox: the turn goes on there. */
static bool on_call(void *data, const struct bot_posted *posted)
{
        struct outside *outside = data;
        struct bot_task *task = outside->task;
        bool is_object = false;
        if (!posted->why && posted->status == STATUS_OK) {
                json_t *value = json_loadb(posted->answer.at, posted->answer.len, JSON_REJECT_DUPLICATES, NULL);
                is_object = json_is_object(value);
                json_decref(value);
        }
        task->is_call = true;
        task->result = is_object ? strndup(posted->answer.at, posted->answer.len) : NULL;
        if (posted->is_stopped || mailbox_push(&outside->thread->side.in, &task->item, sizeof *task) < 0)
                bot_task_free(task);
        free(outside);
        /* A 404 is a word of a back end that is well, only not the one that the flow hoped for. */
        return posted->status == STATUS_OK ? is_object
                                           : posted->status < STATUS_SERVER && posted->status != STATUS_TOO_MANY;
}

static void write_args(struct writer *body, const json_t *args)
{
        size_t i;
        json_t *arg;
        json_array_foreach(args, i, arg) {
                const char *name = json_string_value(json_object_get(arg, "name"));
                const char *value = json_string_value(json_object_get(arg, "value"));
                if (i > 0)
                        writer_char(body, ',');
                writer_string(body, span_of(name ? name : ""));
                writer_char(body, ':');
                writer_string(body, span_of(value ? value : ""));
        }
}

static void write_call(struct writer *body, const struct bot_asked *asked, const struct protocol_bot_asked *turn)
{
        const char *name = json_string_value(json_object_get(asked->call, "name"));
        writer_raw(body, SPAN("{\"event_id\":"));
        writer_string(body, turn->event_id);
        writer_raw(body, SPAN(",\"call\":"));
        writer_string(body, span_of(name ? name : ""));
        writer_raw(body, SPAN(",\"args\":{"));
        write_args(body, json_object_get(asked->call, "args"));
        writer_raw(body, SPAN("},\"conversation\":"));
        protocol_bot_conversation_write(body, &turn->conversation);
        writer_char(body, '}');
}

bool bot_outside_call(struct bot_thread *thread, const struct bot_task *task, struct bot_asked *asked)
{
        struct protocol_bot_asked turn;
        struct writer body;
        char first[BODY_FIRST];
        json_int_t ms = json_integer_value(json_object_get(asked->call, "timeout_ms"));
        if (!task->bot.url || bot_asked_fill(thread->side.db, task, asked, &turn) != 1)
                return false;
        writer_init(&body, first, sizeof first);
        write_call(&body, asked, &turn);
        uint32_t timeout_ms = ms > 0 ? (uint32_t)ms : CALL_MS;
        if (task->bot.timeout_ms != 0 && task->bot.timeout_ms < timeout_ms)
                timeout_ms = task->bot.timeout_ms;
        struct bot_post_request request = {.bot = task->bot.id,
                                           .url = task->bot.url,
                                           .secret = {(const char *)task->bot.secret, task->bot.secret_len},
                                           .id = turn.event_id,
                                           .body = {body.bytes, body.len},
                                           .timeout_ms = timeout_ms};
        bool is_asked = !body.failed && ask(thread, task, asked, &request, on_call) == 0;
        writer_done(&body);
        return is_asked;
}
