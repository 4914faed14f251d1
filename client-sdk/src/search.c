/* SPDX-License-Identifier: Apache-2.0 */
/* Search: questions to the server's index. Whoever asked is answered exactly once, whatever happens to the connection.
 */
#include "machine_private.h"

#include <stdlib.h>

static void search_free(struct search *search)
{
        event_free(search->answer);
        free(search->query);
        free(search->before);
        free(search);
}

static struct event *answer_new(deskbell_search_fn fn, void *data)
{
        struct event *event = event_new(EVENT_SEARCH);
        if (!event)
                return NULL;

        event->search.fn = fn;
        event->search.data = data;
        event->search.next = "";
        return event;
}

static void finish(struct machine *machine, struct search *search, int error)
{
        struct search **at = &machine->searches;
        struct event *event = search->answer;

        search->answer = NULL;
        event->search.error = error;
        if (error < 0) {
                event->search.found = NULL;
                event->search.count = 0;
                event->search.next = "";
        }
        machine_push(machine, event);
        while (*at != search)
                at = &(*at)->next;
        *at = search->next;
        search_free(search);
}

void machine_cancel_searches(struct machine *machine, int error)
{
        while (machine->searches)
                finish(machine, machine->searches, error);
}

int machine_search(struct machine *machine, const char *query, const struct deskbell_search_options *options,
                   deskbell_search_fn fn, void *data)
{
        struct search *search, **at = &machine->searches;

        if (machine->state != SESSION_OPEN)
                return DESKBELL_E_OFFLINE;
        search = calloc(1, sizeof(*search));
        if (!search)
                return DESKBELL_E_NOMEM;
        search->query = strdup(query);
        search->before = options->before ? strdup(options->before) : NULL;
        search->answer = answer_new(fn, data);
        if (!search->query || (options->before && !search->before) || !search->answer) {
                search_free(search);
                return DESKBELL_E_NOMEM;
        }
        search->limit = options->limit;
        while (*at)
                at = &(*at)->next;
        *at = search;
        return 0;
}

void search_pump(struct machine *machine)
{
        for (struct search *search = machine->searches; search; search = search->next) {
                struct protocol_search_entries params = {
                        .query = span_of(search->query),
                        .has_before = search->before != NULL,
                        .before = span_of(search->before),
                        .has_limit = true,
                        .limit = search->limit,
                };
                struct writer writer;

                if (search->asked || !machine_may_ask(machine))
                        continue;
                struct request *request =
                        machine_request_begin(machine, &writer, REQUEST_SEARCH, PROTOCOL_N_SEARCH_ENTRIES);
                if (!request)
                        return;
                search->asked = request->id;
                protocol_search_entries_write(&writer, &params);
                machine_frame_end(machine, &writer);
        }
}

static struct search *search_of(struct machine *machine, const struct request *request)
{
        struct search *search = machine->searches;

        while (search && search->asked != request->id)
                search = search->next;
        return search;
}

static bool fill_one(struct event *event, struct deskbell_found *out, const struct protocol_found *found)
{
        char id[ID_TEXT_BYTES];

        id_write(id, "cnv", found->conv);
        out->conversation = event_text(event, (struct span){id, sizeof(id)});
        out->customer = found->has_customer ? event_principal(event, found->customer) : "";
        out->log = found->has_iseq ? DESKBELL_TEAM : DESKBELL_PUBLIC;
        out->number = found->has_iseq ? found->iseq : found->has_seq ? found->seq : 0;
        out->ts_ms = found->ts;
        out->author = event_principal(event, found->author);
        out->kind = event_text(event, found->kind);
        out->before = event_text(event, found->snippet.before);
        out->hit = event_text(event, found->snippet.hit);
        out->after = event_text(event, found->snippet.after);
        return out->conversation && out->customer && out->author && out->kind && out->before && out->hit && out->after;
}

static bool fill(struct event *event, const struct protocol_search_entries_result *result)
{
        event->search.found = arena_take(&event->arena, (result->rows_count + 1) * sizeof(*event->search.found));
        if (!event->search.found)
                return false;
        for (; event->search.count < result->rows_count; event->search.count++)
                if (!fill_one(event, &event->search.found[event->search.count], &result->rows[event->search.count]))
                        return false;
        event->search.next = event_text(event, result->has_next ? result->next : SPAN(""));
        event->search.is_cut = result->has_cut && result->cut;
        return event->search.next != NULL;
}

void search_answered(struct machine *machine, const struct request *request, struct reader *reader)
{
        struct search *search = search_of(machine, request);
        struct protocol_search_entries_result result;
        if (!search)
                return;

        if (protocol_search_entries_result_read(reader, &result) < 0)
                finish(machine, search, DESKBELL_E_REFUSED);
        else
                finish(machine, search, fill(search->answer, &result) ? 0 : DESKBELL_E_NOMEM);
}

void search_refused(struct machine *machine, const struct request *request)
{
        struct search *search = search_of(machine, request);

        if (search)
                finish(machine, search, DESKBELL_E_REFUSED);
}
