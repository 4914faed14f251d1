/* SPDX-License-Identifier: Apache-2.0 */
/* History: pages of a conversation on request, from the cache where it holds them whole, else from the server. A page
 * that ends where the cache begins is kept. Whoever asked is answered exactly once, whatever happens to the connection.
 */
#include "machine_private.h"

#include <stdlib.h>

static struct event *answer_new(deskbell_history_fn fn, void *data)
{
        struct event *event = event_new(EVENT_HISTORY);
        if (!event)
                return NULL;

        event->history.fn = fn;
        event->history.data = data;
        return event;
}

/* Room for the entries of a page. */
static bool begin_page(struct event *event)
{
        event->history.entries = arena_take(&event->arena, PROTOCOL_PAGE_ROWS * sizeof(struct deskbell_entry));
        event->history.room = event->history.entries ? PROTOCOL_PAGE_ROWS : 0;
        return event->history.entries != NULL;
}

void history_finish(struct machine *machine, struct history *history, int error)
{
        struct history **at = &machine->histories;

        if (error < 0)
                history->answer->history.count = 0;
        history->answer->history.error = error;
        machine_push(machine, history->answer);
        while (*at && *at != history)
                at = &(*at)->next;
        if (*at)
                *at = history->next;
        free(history);
}

void machine_cancel_histories(struct machine *machine, int error)
{
        while (machine->histories)
                history_finish(machine, machine->histories, error);
}

/* 0 or DESKBELL_E_NOMEM. */
static int add_to_history(struct machine *machine, struct event *event, deskbell_conversation *conv,
                          const struct protocol_entry *entry)
{
        if (event->history.count == event->history.room)
                return 0;
        struct deskbell_entry *out = &event->history.entries[event->history.count];
        if (event_fill_entry(event, out, conv, entry, machine->epoch_text, machine->me) < 0)
                return DESKBELL_E_NOMEM;
        out->origin = DESKBELL_SNAPSHOT;
        event->history.count++;
        return 0;
}

struct page {
        struct machine *machine;
        struct event *event;
        deskbell_conversation *conv;
        int rc; /* 0 or DESKBELL_E_NOMEM */
};

static bool add_cached(void *data, const struct cached_entry *row)
{
        struct page *page = data;
        struct protocol_entry entry;

        int rc = event_read_entry(page->event, row->body, &entry);
        if (rc == 0)
                rc = add_to_history(page->machine, page->event, page->conv, &entry);
        if (rc == DESKBELL_E_NOMEM)
                page->rc = rc;
        return rc == 0;
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

/* Takes `event` on success. */
static int give_cached_page(struct machine *machine, deskbell_conversation *conv,
                            const struct deskbell_history_options *options, int64_t low, int64_t high,
                            struct event *event)
{
        int log = (int)options->log;
        struct page page = {machine, event, conv, 0};

        if (!begin_page(event))
                return DESKBELL_E_NOMEM;
        cache_entries(machine->cache, conv->row, log, low, high, options->limit, options->after < 0, add_cached, &page);
        if (page.rc < 0)
                return page.rc;
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
                        machine_request_begin(machine, &writer, REQUEST_HISTORY, PROTOCOL_N_ENTRIES_READ);
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

/* Takes `answer` on success. */
static int ask_later(struct machine *machine, deskbell_conversation *conv,
                     const struct deskbell_history_options *options, struct event *answer)
{
        struct history *history = malloc(sizeof(*history));
        if (!history)
                return DESKBELL_E_NOMEM;

        *history = (struct history){.next = machine->histories, .conv = conv, .options = *options, .answer = answer};
        machine->histories = history;
        return 0;
}

int machine_history(struct machine *machine, deskbell_conversation *conv,
                    const struct deskbell_history_options *options, deskbell_history_fn fn, void *data)
{
        int64_t low = 1, high = 0;
        bool is_here =
                is_cached(&conv->place[options->log], options, &low, &high) || (!conv->id && !options->from_server);
        struct event *answer;
        int rc;

        if (!is_here && (machine->state != SESSION_OPEN || !conv->id))
                return DESKBELL_E_OFFLINE;
        answer = answer_new(fn, data);
        if (!answer)
                return DESKBELL_E_NOMEM;
        rc = is_here ? give_cached_page(machine, conv, options, low, high, answer)
                     : ask_later(machine, conv, options, answer);
        if (rc < 0)
                event_free(answer);
        return rc;
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

/* What was asked for: of that conversation and log, on the right side, above what came before it. */
static bool belongs(const struct history *history, const struct protocol_entry *entry, const struct event *event)
{
        const struct deskbell_history_options *options = &history->options;
        int64_t number = sync_number(entry, (int)options->log);
        int64_t last = event->history.count ? event->history.entries[event->history.count - 1].number : 0;

        if (entry->conv != history->conv->id || number <= last)
                return false;
        if (options->after >= 0)
                return number > options->after;
        return options->before <= 0 || number < options->before;
}

void history_answered(struct machine *machine, struct history *history, struct reader *reader)
{
        struct protocol_entries_read_result result;
        struct event *event = history->answer;
        int rc;

        if (protocol_entries_read_result_read(reader, &result) < 0) {
                history_finish(machine, history, DESKBELL_E_REFUSED);
                return;
        }
        rc = begin_page(event) ? 0 : DESKBELL_E_NOMEM;
        for (size_t i = 0; rc == 0 && i < result.entries_count; i++)
                if (belongs(history, &result.entries[i], event))
                        rc = add_to_history(machine, event, history->conv, &result.entries[i]);
        if (rc == 0) {
                extend_down(machine, history, &result);
                event->history.head = result.head;
                event->history.more = result.has_more && result.more;
        }
        history_finish(machine, history, rc);
}
