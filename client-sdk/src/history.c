/* SPDX-License-Identifier: Apache-2.0 */
/* History: pages of a conversation on request, from the cache where it holds them whole, else from the server. A page
 * that ends where the cache begins is kept. Whoever asked is answered exactly once, whatever happens to the connection.
 */
#include "machine_private.h"

#include <stdlib.h>

static struct event *history_event(const struct history *history, int error)
{
        struct event *event = event_new(EVENT_HISTORY);
        if (!event)
                return NULL;

        event->history.fn = history->fn;
        event->history.data = history->data;
        event->history.error = error;
        event->history.entries = arena_take(&event->arena, PROTOCOL_PAGE_ROWS * sizeof(struct deskbell_entry));
        event->history.room = event->history.entries ? PROTOCOL_PAGE_ROWS : 0;
        return event;
}

static void history_remove(struct machine *machine, struct history *history)
{
        struct history **at = &machine->histories;

        while (*at && *at != history)
                at = &(*at)->next;
        if (*at)
                *at = history->next;
        free(history);
}

void history_finish(struct machine *machine, struct history *history, int error)
{
        machine_push(machine, history_event(history, error));
        history_remove(machine, history);
}

void machine_cancel_histories(struct machine *machine, int error)
{
        while (machine->histories)
                history_finish(machine, machine->histories, error);
}

static bool add_to_history(struct machine *machine, struct event *event, deskbell_conversation *conv,
                           const struct protocol_entry *entry)
{
        if (event->history.count == event->history.room)
                return false;
        struct deskbell_entry *out = &event->history.entries[event->history.count];
        if (event_fill_entry(event, out, conv, entry, machine->epoch_text, machine->me) < 0)
                return false;
        out->origin = DESKBELL_SNAPSHOT;
        event->history.count++;
        return true;
}

struct page {
        struct machine *machine;
        struct event *event;
        deskbell_conversation *conv;
};

static bool add_cached(void *data, const struct cached_entry *row)
{
        struct page *page = data;
        struct protocol_entry entry;

        return event_read_entry(page->event, row->body, &entry) == 0 &&
               add_to_history(page->machine, page->event, page->conv, &entry);
}

/* Whether the cache holds the whole page; then *out_low and *out_high are its ends. */
static bool is_cached(const struct place *place, const struct deskbell_history_options *options, int64_t *out_low,
                      int64_t *out_high)
{
        if (options->from_server || place->at.low == 0)
                return false;
        if (options->after >= 0) {
                *out_low = options->after + 1;
                *out_high = place->at.cursor;
                bool reaches_far =
                        options->after + options->limit <= place->at.cursor || place->at.cursor == place->at.head;
                return options->after + 1 >= place->at.low && reaches_far;
        }
        *out_high = options->before > 0 && options->before <= place->at.cursor ? options->before - 1 : place->at.cursor;
        *out_low = *out_high - options->limit + 1;
        if (*out_low < 1)
                *out_low = 1;
        return *out_low >= place->at.low;
}

static int give_cached_page(struct machine *machine, deskbell_conversation *conv, const struct history *history,
                            int64_t low, int64_t high)
{
        const struct deskbell_history_options *options = &history->options;
        int log = (int)options->log;
        struct event *event = history_event(history, 0);
        struct page page = {machine, event, conv};
        if (!event)
                return DESKBELL_E_NOMEM;

        cache_entries(machine->cache, conv->row, log, low, high, options->limit, options->after < 0, add_cached, &page);
        event->history.head = conv->place[log].at.head;
        if (options->after >= 0)
                event->history.more = options->after + (int64_t)event->history.count < event->history.head;
        else
                event->history.more = low > 1;
        machine_push(machine, event);
        return 0;
}

void history_pump(struct machine *machine)
{
        for (struct history *history = machine->histories; history; history = history->next) {
                const struct deskbell_history_options *options = &history->options;
                struct protocol_entries_read params = {.conv = history->conv->id, .has_limit = true};
                struct writer writer;

                if (history->is_asked || !machine_may_ask(machine))
                        continue;
                struct request *request =
                        machine_request_begin(machine, &writer, REQUEST_HISTORY, PROTOCOL_M_ENTRIES_READ);
                if (!request)
                        return;
                history->is_asked = true;
                request->history = history;
                params.limit = options->limit;
                params.has_log = options->log == DESKBELL_TEAM;
                params.log = PROTOCOL_ENTRIES_READ_LOG_TEAM;
                params.has_after = options->after >= 0;
                params.after = options->after;
                params.has_before = !params.has_after && options->before > 0;
                params.before = options->before;
                protocol_entries_read_write(&writer, &params);
                machine_frame_end(machine, &writer);
        }
}

int machine_history(struct machine *machine, deskbell_conversation *conv,
                    const struct deskbell_history_options *options, deskbell_history_fn fn, void *data)
{
        struct history asked = {.conv = conv, .options = *options, .fn = fn, .data = data};
        int64_t low = 1, high = 0;

        if (is_cached(&conv->place[options->log], options, &low, &high) || (!conv->id && !options->from_server))
                return give_cached_page(machine, conv, &asked, low, high);
        if (machine->state != SESSION_OPEN || !conv->id)
                return DESKBELL_E_OFFLINE;
        struct history *history = malloc(sizeof(*history));
        if (!history)
                return DESKBELL_E_NOMEM;
        *history = asked;
        history->next = machine->histories;
        machine->histories = history;
        return 0;
}

/* Keeps a page that ends where the cache begins. */
static void extend_down(struct machine *machine, const struct history *history,
                        const struct protocol_entries_read_result *result)
{
        deskbell_conversation *conv = history->conv;
        int log = (int)history->options.log;
        struct cached_place *at = &conv->place[log].at;

        if (history->options.from_server || history->options.after >= 0 || at->low == 0)
                return;
        for (size_t i = result->entries_count; i > 0; i--) {
                const struct protocol_entry *entry = &result->entries[i - 1];

                if (entry->conv == conv->id && at->low > 1 && sync_number(entry, log) == at->low - 1) {
                        sync_put(machine, conv, log, at->low - 1, entry);
                        at->low--;
                        conv_touch(conv, false);
                }
        }
}

void history_answered(struct machine *machine, struct history *history, struct reader *reader)
{
        struct protocol_entries_read_result result;
        struct event *event;

        if (protocol_entries_read_result_read(reader, &result) < 0) {
                history_finish(machine, history, DESKBELL_E_REFUSED);
                return;
        }
        extend_down(machine, history, &result);
        event = history_event(history, 0);
        if (event) {
                for (size_t i = 0; i < result.entries_count; i++)
                        if (!add_to_history(machine, event, history->conv, &result.entries[i]))
                                break;
                event->history.head = result.head;
                event->history.more = result.has_more && result.more;
        }
        machine_push(machine, event);
        history_remove(machine, history);
}
