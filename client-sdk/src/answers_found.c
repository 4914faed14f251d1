/* SPDX-License-Identifier: Apache-2.0 */
/* Answers, the finding: a text that was sent without a session is asked here, unless people have the conversation. What
 * is found is kept in the file, told to the application, and taken back when an entry of another stands behind the
 * question in the log, or the question is gone. It is no entry, has no number and is never sent. */
#include "machine_private.h"

#include <stdio.h>
#include <stdlib.h>

enum { LOOK_BACK = 200 };

/* ---- what was found ------------------------------------------------------------------------------------------------
 */

static void slot_name(char out[32], int slot)
{
        snprintf(out, 32, "device_answer.%d", slot);
}

static bool tell(struct machine *machine, const struct device_answer *found, bool is_again, bool is_taken_back)
{
        deskbell_conversation *conv = conv_by_row(machine, found->conv);
        struct event *event = conv ? event_new(EVENT_DEVICE_ANSWER) : NULL;
        char hex[2 * sizeof(found->version) + 1];
        if (!conv)
                return true; /* it has gone, and what was said in it */

        if (event) {
                struct deskbell_device_answer *out = &event->found;
                *out = (struct deskbell_device_answer){.conversation = conv,
                                                       .ts_ms = found->ts_ms,
                                                       .is_again = is_again,
                                                       .is_taken_back = is_taken_back};
                out->rule = event_text(event, span_of(found->texts));
                out->text = event_text(event, span_of(found->texts + strlen(found->texts) + 1));
                cmid_write(hex, &found->cmid);
                out->cmid = event_text(event, (struct span){hex, CMID_TEXT_BYTES});
                answers_name(hex, found->version);
                out->version = event_text(event, span_of(hex));
                if (!out->rule || !out->text || !out->cmid || !out->version)
                        event = event_free(event);
        }
        bool is_told = event != NULL;
        machine_push(machine, event);
        return is_told;
}

void answers_name(char out[2 * ANSWERS_VERSION + 1], const uint8_t version[ANSWERS_VERSION])
{
        for (int i = 0; i < ANSWERS_VERSION; i++)
                snprintf(out + 2 * i, 3, "%02x", version[i]);
}

static void drop_slot(struct machine *machine, int slot)
{
        char name[32];

        slot_name(name, slot);
        cache_value_drop(machine->cache, name);
        free(machine->answers.kept[slot]);
        machine->answers.kept[slot] = NULL;
}

static void take_back(struct machine *machine, int slot)
{
        if (tell(machine, machine->answers.kept[slot], false, true))
                drop_slot(machine, slot);
}

/* Two texts that end within `len` bytes, and a head. */
static bool is_whole(const struct device_answer *found, size_t len)
{
        size_t room = len > sizeof(*found) ? len - sizeof(*found) : 0;
        size_t rule = room ? strnlen(found->texts, room) + 1 : 0;

        return rule && rule < room && found->texts[room - 1] == '\0';
}

static void load_slot(struct machine *machine, int slot)
{
        char name[32], none;

        slot_name(name, slot);
        size_t len = cache_value_get(machine->cache, name, &none, 0);
        struct device_answer *found = len ? malloc(len) : NULL;
        if (!found) {
                if (len)
                        cache_fail(machine->cache);
                return;
        }
        if (cache_value_get(machine->cache, name, found, len) == len && is_whole(found, len))
                machine->answers.kept[slot] = found;
        else
                free(found);
}

static void forget_waiting(struct machine *machine)
{
        while (machine->answers.waiting) {
                struct waiting_question *next = machine->answers.waiting->next;

                free(machine->answers.waiting);
                machine->answers.waiting = next;
        }
}

void answers_load_kept(struct machine *machine)
{
        for (int slot = 0; slot < ANSWERS_KEPT; slot++) {
                free(machine->answers.kept[slot]);
                machine->answers.kept[slot] = NULL;
                load_slot(machine, slot);
        }
}

void answers_tell_shown(deskbell_conversation *conv)
{
        struct machine *machine = conv->machine;

        for (int slot = 0; slot < ANSWERS_KEPT; slot++)
                if (machine->answers.kept[slot] && machine->answers.kept[slot]->conv == conv->row)
                        tell(machine, machine->answers.kept[slot], true, false);
}

/* The slot of that question, else a free one, else the oldest one's, which is taken back. */
static int slot_for(struct machine *machine, const struct cmid *cmid)
{
        struct device_answer **kept = machine->answers.kept;
        int empty = -1, oldest = 0;

        for (int slot = 0; slot < ANSWERS_KEPT; slot++) {
                if (kept[slot] && memcmp(&kept[slot]->cmid, cmid, sizeof(*cmid)) == 0)
                        return slot;
                if (!kept[slot])
                        empty = slot;
                else if (kept[oldest] && kept[slot]->ts_ms < kept[oldest]->ts_ms)
                        oldest = slot;
        }
        if (empty < 0)
                take_back(machine, oldest);
        return empty < 0 ? oldest : empty;
}

void answers_gone(struct machine *machine, const struct cmid *cmid)
{
        for (int slot = 0; slot < ANSWERS_KEPT; slot++) {
                const struct device_answer *found = machine->answers.kept[slot];

                if (found && memcmp(&found->cmid, cmid, sizeof(*cmid)) == 0)
                        take_back(machine, slot);
        }
}

/* ---- reconciled ----------------------------------------------------------------------------------------------------
 */

static bool note_number(void *data, const struct cached_message *row)
{
        *(int64_t *)data = row->number;
        return false;
}

/* Where the question stands in the public log; 0 = nowhere yet. */
static int64_t place_of(struct machine *machine, const struct device_answer *found)
{
        int64_t number = cache_entry_find(machine->cache, found->conv, 0, &found->cmid);

        if (number == 0) /* not in the cache: perhaps before what was fetched first */
                cache_message_get(machine->cache, &found->cmid, note_number, &number);
        return number;
}

void answers_applied(deskbell_conversation *conv, int64_t number, const struct protocol_entry *entry)
{
        struct machine *machine = conv->machine;
        const struct protocol_entry_info *info = protocol_entry_info(entry->kind);

        if (entry->author.role == ROLE_CUSTOMER || !info || !info->unread)
                return;
        for (int slot = 0; slot < ANSWERS_KEPT; slot++) {
                const struct device_answer *found = machine->answers.kept[slot];
                if (!found || found->conv != conv->row)
                        continue;
                int64_t place = place_of(machine, found);
                if (place > 0 && place < number)
                        take_back(machine, slot);
        }
}

/* ---- questions -----------------------------------------------------------------------------------------------------
 */

static void add_question(struct machine *machine, const struct cmid *cmid, struct span text)
{
        struct waiting_question **at = &machine->answers.waiting, *question;
        int count = 0;

        for (; *at; at = &(*at)->next, count++)
                if (memcmp(&(*at)->cmid, cmid, sizeof(*cmid)) == 0)
                        return;
        question = calloc(1, sizeof(*question) + text.len + 1);
        if (!question)
                return; /* it is answered by the server */
        question->cmid = *cmid;
        question->due_ms = machine->now_ms + ANSWERS_AFTER_MS;
        memcpy(question->text, text.at, text.len);
        *at = question;
        if (count >= ANSWERS_WAITING) {
                question = machine->answers.waiting;
                machine->answers.waiting = question->next;
                free(question);
        }
}

void answers_sent(struct machine *machine, const struct cached_message *row)
{
        struct protocol_content content;
        struct arena arena;

        if (!machine->set.has_answers || machine->state == SESSION_OPEN || row->op != DESKBELL_OP_SEND || row->log != 0)
                return;
        arena_init(&arena, NULL, 0);
        if (sending_read_content(row->content, &arena, &content) == 0 && content.has_text && content.text.len &&
            !content.has_pressed && !content.has_filled)
                add_question(machine, &row->cmid, content.text);
        arena_done(&arena);
}

/* ---- people --------------------------------------------------------------------------------------------------------
 */

struct look {
        struct event *memory;
        int64_t since_ms;
        bool has_person;
};

static bool look_at(void *data, const struct cached_entry *row)
{
        struct look *look = data;
        struct protocol_entry entry;

        if (look->memory && event_read_entry(look->memory, row->body, &entry) == 0)
                look->has_person = entry.author.role == ROLE_AGENT && entry.ts >= look->since_ms;
        return !look->has_person;
}

/* An agent has written lately, among the newest LOOK_BACK entries that this device knows. */
static bool people_have(deskbell_conversation *conv)
{
        struct machine *machine = conv->machine;
        const struct protocol_last *last = conv->has_feed && conv->feed.has_last ? &conv->feed.last : NULL;
        struct look look = {.since_ms = machine_true_wall(machine) - ANSWERS_PEOPLE_DAYS * DAY_MS};

        if (last && last->author.role == ROLE_AGENT && last->ts >= look.since_ms)
                return true;
        look.memory = event_new(EVENT_ENTRY);
        cache_entries(machine->cache, conv->row, 0, 1, conv->place[0].at.cursor, LOOK_BACK, true, look_at, &look);
        event_free(look.memory);
        return look.has_person;
}

/* ---- asking --------------------------------------------------------------------------------------------------------
 */

static bool note_conv(void *data, const struct cached_message *row)
{
        *(int64_t *)data = row->state == DESKBELL_QUEUED ? row->conv : 0;
        return false;
}

/* Where that question waits to be sent; NULL: it does not. */
static deskbell_conversation *waits_in(struct machine *machine, const struct cmid *cmid)
{
        int64_t row = 0;

        cache_message_get(machine->cache, cmid, note_conv, &row);
        return conv_by_row(machine, row);
}

/* A connection that is being made has its time, too. */
static int64_t due_of(const struct machine *machine, const struct waiting_question *question)
{
        bool is_connecting = machine->state == SESSION_CONNECTING || machine->state == SESSION_OPENING;
        int64_t begun_ms = is_connecting ? machine->deadline_ms - CONNECT_MS : 0;

        return begun_ms + ANSWERS_AFTER_MS > question->due_ms ? begun_ms + ANSWERS_AFTER_MS : question->due_ms;
}

int64_t answers_question_ms(const struct machine *machine)
{
        const struct answers *answers = &machine->answers;
        bool is_asking = answers->task || answers->is_out;

        if (!answers->waiting || is_asking)
                return INT64_MAX;
        return due_of(machine, answers->waiting);
}

static void make_task(struct machine *machine, const struct waiting_question *question)
{
        struct answers *answers = &machine->answers;
        struct answers_task *task = calloc(1, sizeof(*task));

        if (task) {
                task->cmid = question->cmid;
                task->question = strdup(question->text);
                memcpy(task->version, answers->at.whole.name, sizeof(task->version));
                task->loaded = answers->loaded;
                if (!task->loaded)
                        task->bytes = answers_bytes(machine, &task->len);
                if (task->question && (task->loaded || task->bytes))
                        answers->loaded = NULL; /* it is the task's until that is done */
                else
                        task = answers_task_free(task);
        }
        answers->task = task;
}

void answers_time(struct machine *machine)
{
        struct answers *answers = &machine->answers;

        if (machine->state == SESSION_OPEN || machine->state == SESSION_STOPPED)
                forget_waiting(machine);
        while (answers_question_ms(machine) <= machine->now_ms) {
                struct waiting_question *question = answers->waiting;

                answers->waiting = question->next;
                deskbell_conversation *conv = answers->at.whole.size ? waits_in(machine, &question->cmid) : NULL;
                if (conv && !people_have(conv))
                        make_task(machine, question);
                free(question);
        }
}

/* ---- the table's side ----------------------------------------------------------------------------------------------
 */

struct answers_task *answers_task_free(struct answers_task *task)
{
        if (task) {
                free(task->bytes);
                free(task->question);
                free(task->text);
                free(task);
        }
        return NULL;
}

/* The table is not needed: what it has loaded goes. */
void answers_unload(struct machine *machine)
{
        struct answers *answers = &machine->answers;

        if (!answers->loaded || answers->task || answers->is_out)
                return; /* a task brings it back first */
        answers->task = calloc(1, sizeof(*answers->task));
        if (answers->task) {
                answers->task->old = answers->loaded;
                answers->loaded = NULL;
        }
}

void answers_back(struct machine *machine)
{
        struct answers *answers = &machine->answers;

        forget_waiting(machine);
        if (answers->task && answers->task->question) { /* nobody has begun with it */
                answers->loaded = answers->task->loaded;
                answers->task = answers_task_free(answers->task);
        }
        answers_unload(machine);
}

struct answers_task *machine_answers_take(struct machine *machine)
{
        struct answers_task *task = machine->answers.task;

        machine->answers.task = NULL;
        machine->answers.is_out = task != NULL;
        return task;
}

static void keep(struct machine *machine, deskbell_conversation *conv, const struct answers_task *task)
{
        int slot = slot_for(machine, &task->cmid);
        size_t rule_len = strlen(task->rule), text_len = strlen(task->text);
        size_t len = sizeof(struct device_answer) + rule_len + text_len + 2;
        struct device_answer *found = machine->answers.kept[slot] ? NULL : calloc(1, len);
        char name[32];
        if (!found)
                return;

        found->cmid = task->cmid;
        found->conv = conv->row;
        found->ts_ms = machine_true_wall(machine);
        memcpy(found->version, task->version, sizeof(found->version));
        memcpy(found->texts, task->rule, rule_len);
        memcpy(found->texts + rule_len + 1, task->text, text_len);
        machine->answers.kept[slot] = found;
        slot_name(name, slot);
        cache_value_set(machine->cache, name, found, len);
        tell(machine, found, false, false);
}

void machine_answers_done(struct machine *machine, struct answers_task *task)
{
        struct answers *answers = &machine->answers;
        bool is_current = memcmp(answers->at.whole.name, task->version, sizeof(task->version)) == 0;
        deskbell_conversation *conv = NULL;

        answers->is_out = false;
        answers->loaded = task->loaded;
        if (task->is_unusable)
                answers_unusable(machine, task->version);
        if (task->text && is_current && machine->state != SESSION_OPEN)
                conv = waits_in(machine, &task->cmid);
        if (conv)
                keep(machine, conv, task);
        answers_task_free(task);
        if (machine->state == SESSION_OPEN || !is_current)
                answers_unload(machine);
}

void *machine_answers_unload(struct machine *machine)
{
        struct answers *answers = &machine->answers;
        void *loaded = answers->loaded;

        if (answers->task) {
                loaded = answers->task->question ? answers->task->loaded : answers->task->old;
                answers->task = answers_task_free(answers->task);
        } else {
                answers->loaded = NULL;
        }
        return loaded;
}

void answers_free(struct machine *machine)
{
        forget_waiting(machine);
        answers_task_free(machine->answers.task);
        for (int slot = 0; slot < ANSWERS_KEPT; slot++)
                free(machine->answers.kept[slot]);
}
