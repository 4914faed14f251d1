/* SPDX-License-Identifier: Apache-2.0 */
/* The life of the bot thread, and its way back to the desk. */
#include "desk/bot_thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "desk/bot_private.h"

enum { WAITING_MAX = 100000 };

void bot_task_free(struct bot_task *task)
{
        if (!task)
                return;
        free(task->bot.url);
        free(task->bot.articles);
        free(task->result);
        free(task);
}

/* ---- back to the desk ---- */

static void post(struct bot_thread *thread, const struct bot_task *task, struct desk_command *command,
                 enum command_kind kind, const struct bot_origin *origin)
{
        command->kind = kind;
        command->caller = (struct caller){.principal = task->bot.principal, .role = ROLE_BOT, .app = task->bot.app};
        command->bot_origin = *origin;
        command->bot_origin.conv = task->ask.conv_ext;
        command->bot_origin.turn = task->ask.turn;
        command->bot_origin.bot = task->bot.id;
        if (desk_post(thread->side.desk, command) < 0)
                command_free(command);
}

void bot_thread_failed(struct bot_thread *thread, const struct bot_task *task, const char *why)
{
        struct desk_command *command = command_new(COMMAND_BOT_FAILED, 0);
        struct bot_origin origin = {.why = why};
        if (command) /* else the desk asks again, and gives up in the end */
                post(thread, task, command, COMMAND_BOT_FAILED, &origin);
}

void bot_thread_unreadable(struct bot_thread *thread, const struct bot_task *task, int64_t version)
{
        struct desk_command *command = command_new(COMMAND_BOT_UNREADABLE, 0);
        struct bot_origin origin = {.version = version};
        if (command)
                post(thread, task, command, COMMAND_BOT_UNREADABLE, &origin);
}

void bot_thread_promised(struct bot_thread *thread, const struct bot_task *task)
{
        struct desk_command *command = command_new(COMMAND_BOT_PROMISED, 0);
        struct bot_origin origin = {0};
        if (command)
                post(thread, task, command, COMMAND_BOT_PROMISED, &origin);
}

int bot_thread_act(struct bot_thread *thread, const struct bot_task *task, int64_t version, const char *version_name,
                   struct span act)
{
        struct desk_command *command = NULL;
        struct fault fault = {0};
        int rc = command_decode(PROTOCOL_M_BOT_ACT, NULL, act, ROLE_BOT, &command, &fault);
        if (rc == 0)
                rc = bot_act_check(command->params, task->bot.kind == BOT_BUILT_IN, &fault);
        if (rc < 0) {
                command_free(command);
                log_warn(&thread->side.desk->log, "a bot's turn cannot be read", "field", fault.field, "expected",
                         fault.expected);
                bot_thread_failed(thread, task, "invalid");
                return -1;
        }
        struct bot_origin origin = {.version = version};
        snprintf(origin.version_name, sizeof origin.version_name, "%s", version_name);
        post(thread, task, command, COMMAND_BOT_TURN, &origin);
        return 0;
}

/* ---- the thread ---- */

/* A call is not made for a version that could do nothing with what it gives. */
static bool is_called(struct bot_thread *thread, struct bot_task *task, struct bot_asked *asked)
{
        return asked->call && !task->is_call && built_in_is_ready(thread, task, asked) &&
               bot_outside_call(thread, task, asked);
}

static void run(struct bot_thread *thread, struct bot_task *task)
{
        struct bot_asked asked;
        int rc = bot_read(thread->side.db, task, &asked);
        if (rc < 0)
                bot_thread_failed(thread, task, "store");
        if (rc <= 0)
                return;
        if (task->bot.kind != BOT_BUILT_IN)
                bot_outside_ask(thread, task, &asked);
        else if (!is_called(thread, task, &asked))
                built_in_run(thread, task, &asked);
        bot_asked_done(&asked);
}

static void *bot_main(void *data)
{
        struct bot_thread *thread = data;
        prctl(PR_SET_NAME, "bot"); /* for who looks at threads, and bench_bot.py */
        for (;;) {
                struct mailbox_item *item = mailbox_wait(&thread->side.in, -1);
                if (!item)
                        return NULL; /* closed */
                while (item) {
                        struct bot_task *task = (struct bot_task *)item;
                        item = item->next;
                        if (!atomic_load(&thread->side.is_stopping))
                                run(thread, task);
                        bot_task_free(task);
                }
        }
}

int bot_thread_start(struct desk *desk)
{
        desk->bot_thread = calloc(1, sizeof *desk->bot_thread);
        if (!desk->bot_thread)
                return DB_NOMEM;
        return side_thread_start(&desk->bot_thread->side, desk, WAITING_MAX, "bot", bot_main, desk->bot_thread);
}

void bot_thread_stop(struct desk *desk)
{
        if (desk->bot_thread && side_thread_stop(&desk->bot_thread->side))
                bot_outside_stop(desk->bot_thread);
}

void bot_thread_free(struct desk *desk)
{
        struct bot_thread *thread = desk->bot_thread;
        if (!thread)
                return;
        bot_thread_stop(desk);
        struct mailbox_item *item = mailbox_take(&thread->side.in);
        while (item) {
                struct mailbox_item *next = item->next;
                bot_task_free((struct bot_task *)item);
                item = next;
        }
        built_in_done(thread);
        side_thread_done(&thread->side);
        free(thread);
        desk->bot_thread = NULL;
}

static bool copy_text(char **to, const char *from)
{
        *to = from ? strdup(from) : NULL;
        return !from || *to;
}

static struct bot_task *task_new(const struct bot *bot, const struct bot_question *question)
{
        struct bot_task *task = calloc(1, sizeof *task);
        if (!task)
                return NULL;
        task->bot = *bot;
        task->ask = *question;
        bool is_whole = copy_text(&task->bot.url, bot->url);
        is_whole = copy_text(&task->bot.articles, bot->articles) && is_whole;
        if (is_whole)
                return task;
        bot_task_free(task);
        return NULL;
}

struct bot_task *bot_task_copy(const struct bot_task *task)
{
        return task_new(&task->bot, &task->ask);
}

int bot_thread_ask(struct desk *desk, const struct bot *bot, const struct bot_question *question)
{
        struct bot_task *task = desk->bot_thread ? task_new(bot, question) : NULL;
        if (!task)
                return -1;
        if (mailbox_push(&desk->bot_thread->side.in, &task->item, sizeof *task) == 0)
                return 0;
        bot_task_free(task);
        return -1;
}
