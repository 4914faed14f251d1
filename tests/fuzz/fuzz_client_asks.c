/* SPDX-License-Identifier: Apache-2.0 */
/* What the application of a play asks for: pages of the history, searches, calls by name, turns that it answers, and
 * questions that its own table answers. Each is answered exactly once, whatever the server says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client-sdk/src/answers.h"
#include "fuzz_client.h"

static char loaded_version; /* what the table has loaded, as far as anybody cares */

/* Events are counted, not delivered. */
static void on_history(deskbell_client *client, int error, const struct deskbell_entry *entries, size_t count,
                       int64_t head, int more, void *data)
{
        (void)client, (void)error, (void)entries, (void)count, (void)head, (void)more, (void)data;
}

static void on_found(deskbell_client *client, int error, const struct deskbell_found *found, size_t count,
                     const char *next, int is_cut, void *data)
{
        (void)client, (void)error, (void)found, (void)count, (void)next, (void)is_cut, (void)data;
}

static void on_called(deskbell_client *client, int error, const char *result, void *data)
{
        (void)client, (void)error, (void)result, (void)data;
}

static void ask_history(struct play *play, int64_t number)
{
        struct deskbell_history_options options = DESKBELL_HISTORY_OPTIONS_INIT;

        options.before = number;
        options.from_server = (int)(number & 1);
        if (machine_history(play->machine, play->conv, &options, on_history, NULL) == 0)
                play->histories++;
}

static void ask_search(struct play *play, struct span text)
{
        struct deskbell_search_options options = DESKBELL_SEARCH_OPTIONS_INIT;
        char query[64];

        if (!text.len || text.len >= sizeof(query))
                return;
        for (size_t i = 0; i < text.len; i++)
                query[i] = (char)(text.at[i] > ' ' && text.at[i] < 0x7f ? text.at[i] : 'x');
        query[text.len] = '\0';
        if (machine_search(play->machine, query, &options, on_found, NULL) == 0)
                play->searches++;
}

static void ask_by_name(struct play *play)
{
        if (machine_call(play->machine, "ticket.list", SPAN("{}"), on_called, NULL) == 0)
                play->calls++;
}

static void act(struct play *play, int64_t number)
{
        static const char actions[] = ",\"seq\":1,\"actions\":[{\"does\":\"close\"}]}";
        char text[256], id[ID_TEXT_BYTES], hex[33];
        struct cmid cmid = machine_cmid(play->machine, play->wall_ms);

        if (!play->turn_conv || number < 1)
                return;
        id_write(id, "cnv", play->turn_conv);
        cmid_write(hex, &cmid);
        hex[32] = '\0';
        int len = snprintf(text, sizeof(text), "{\"cmid\":\"%s\",\"conv\":\"%.*s\",\"turn\":%lld%s", hex,
                           (int)sizeof(id), id, (long long)number, actions);
        if (machine_act(play->machine, play->turn_conv, number, (struct span){text, (size_t)len}) == 0)
                play->acts++;
}

void asks_step(struct play *play, char what, struct span text, int64_t number)
{
        begin(play);
        if (what == 'h')
                ask_history(play, number);
        else if (what == 's')
                ask_search(play, text);
        else if (what == 'c')
                ask_by_name(play);
        else
                act(play, number);
        end(play);
}

/* ---- answered ---- */

static void check_object(const char *text)
{
        struct fault fault = {0};
        struct reader reader;
        struct arena arena;
        size_t len = strlen(text);
        char *copy = malloc(len + 1);

        promise(copy != NULL, "memory");
        memcpy(copy, text, len + 1);
        arena_init(&arena, NULL, 0);
        reader_init(&reader, copy, len, READER_TOLERANT, &arena, &fault);
        promise(*copy == '{' && reader_skip(&reader) == 0 && reader_end(&reader) == 0, "a JSON object");
        arena_done(&arena);
        free(copy);
}

static void check_device_answer(struct play *play, const struct deskbell_device_answer *found)
{
        struct sent *sent = sent_of(play, found->cmid);

        promise(sent != NULL, "only questions of the application are answered here");
        promise(sent->is_answered_here == (found->is_taken_back || found->is_again),
                "an answer of the device is told once and taken back once");
        sent->is_answered_here = !found->is_taken_back;
}

static void note_turn(struct play *play, const struct deskbell_turn *turn)
{
        promise(id_read(span_of(turn->conversation), "cnv", &play->turn_conv) == 0, "a turn is of a conversation");
}

void asks_event(struct play *play, const struct event *event)
{
        switch (event->kind) {
        case EVENT_HISTORY:
                promise(play->histories-- > 0, "a history is answered once");
                break;
        case EVENT_SEARCH:
                promise(play->searches-- > 0, "a search is answered once");
                break;
        case EVENT_CALLED:
                promise(play->calls-- > 0, "a call is answered once");
                if (event->called.error == 0 || event->called.error == DESKBELL_E_REFUSED)
                        check_object(event->called.result);
                break;
        case EVENT_ACTED:
                promise(play->acts-- > 0, "what a bot said has one outcome");
                break;
        case EVENT_TOLD:
                check_object(event->told.params);
                break;
        case EVENT_TURN:
                note_turn(play, &event->turn);
                break;
        case EVENT_DEVICE_ANSWER:
                check_device_answer(play, &event->found);
                break;
        default:
                break;
        }
}

/* ---- the application's table ---- */

/* It understands what begins as a version does, and knows an answer to everything. */
static void work(struct answers_task *task)
{
        task->old = NULL;
        if (!task->question)
                return;
        if (!task->loaded && task->len > 0 && task->bytes[0] == 'D')
                task->loaded = &loaded_version;
        task->is_unusable = !task->loaded;
        if (task->loaded)
                task->text = strdup("an answer");
}

void asks_answer_here(struct play *play)
{
        struct answers_task *task = machine_answers_take(play->machine);

        if (!task)
                return;
        work(task);
        begin(play);
        machine_answers_done(play->machine, task);
        end(play);
}

/* ---- a life ---- */

void asks_start(struct play *play)
{
        play->histories = play->searches = play->calls = play->acts = 0;
        play->turn_conv = 0;
        begin(play);
        promise(machine_hear_events(play->machine) == 0, "events are heard");
        if (play->settings.is_staff)
                promise(machine_serve_turns(play->machine) == 0, "turns are served");
        end(play);
}

void asks_end(struct play *play)
{
        begin(play);
        machine_cancel_histories(play->machine, DESKBELL_E_CANCELLED);
        machine_cancel_searches(play->machine, DESKBELL_E_CANCELLED);
        machine_cancel_calls(play->machine);
        end(play);
        promise(!play->histories && !play->searches && !play->calls, "whoever asked is answered");
        while (machine_answers_unload(play->machine))
                ;
}
