/* SPDX-License-Identifier: Apache-2.0 */
/* Giving: opening conversations and giving the application their entries: a snapshot out of the cache, then what
 * follows, each number once and in order. */
#include "machine_private.h"

static bool push_entry(deskbell_conversation *conv, int log, int64_t number, struct event *event,
                       const struct protocol_entry *entry)
{
        struct machine *machine = conv->machine;

        if (event_fill_entry(event, &event->entry, conv, entry, machine->epoch_text, machine->me) < 0) {
                event_free(event);
                return false;
        }
        conv_remember(conv);
        event->entry.origin = number <= conv->place[log].snapshot_to ? DESKBELL_SNAPSHOT : DESKBELL_FOLLOWING;
        conv->place[log].given = number;
        machine_push(machine, event);
        return true;
}

static bool gives(const deskbell_conversation *conv, int log)
{
        return conv->is_opened && (log == 0 || (conv->machine->set.is_staff && conv->machine->set.with_team_log));
}

/* Right after it was applied; later, from the cache, when something before it has still to be given. */
void conv_give_live(deskbell_conversation *conv, int log, const struct protocol_entry *entry)
{
        struct place *place = &conv->place[log];

        if (!gives(conv, log) || place->given >= place->at.cursor)
                return; /* given before it was fetched anew */
        bool is_next = place->given == place->at.cursor - 1 || place->at.cursor == place->at.low;
        struct event *event = is_next && !conv->is_opening ? event_new(EVENT_ENTRY) : NULL;
        if (!event || !push_entry(conv, log, place->at.cursor, event, entry))
                conv->machine->has_to_give = true;
}

struct giving {
        deskbell_conversation *conv;
        int log;
        bool has_failed;
        bool is_unreadable; /* what is cached is damaged */
};

static bool give_one(void *data, const struct cached_entry *row)
{
        struct giving *giving = data;
        struct event *event = event_new(EVENT_ENTRY);
        struct protocol_entry entry;

        int rc = event ? event_read_entry(event, row->body, &entry) : DESKBELL_E_NOMEM;
        if (rc < 0) {
                giving->is_unreadable = rc == DESKBELL_E_INVALID;
                giving->has_failed = rc == DESKBELL_E_NOMEM;
                event_free(event);
                return false;
        }
        giving->has_failed = !push_entry(giving->conv, giving->log, row->number, event, &entry);
        return !giving->has_failed;
}

/* What is cached cannot be read: the server gives it anew, and what was given already is not given again. */
static void fetch_anew(deskbell_conversation *conv)
{
        machine_log(conv->machine, DESKBELL_LOG_WARN, "cached entries cannot be read: they are fetched anew");
        conv_remember(conv);
        cache_entries_wipe(conv->machine->cache, conv->row);
        for (int log = 0; log < 2; log++) {
                struct place *place = &conv->place[log];
                place->at.low = place->at.cursor = 0;
                if (place->snapshot_to > place->given)
                        place->snapshot_to = place->given;
        }
        conv_touch(conv, false);
        sync_want(conv->machine, conv);
}

/* Gives what the cache holds above `given`, at most `limit`; returns how many are left to be given. */
static int64_t give_log(deskbell_conversation *conv, int log, size_t *limit)
{
        struct place *place = &conv->place[log];
        struct giving giving = {.conv = conv, .log = log};
        int64_t before = place->given;

        if (!gives(conv, log) || place->given >= place->at.cursor)
                return 0;
        conv_remember(conv);
        if (before < place->at.low - 1)
                before = place->at.low - 1;
        place->given = before;
        if (*limit)
                cache_entries(conv->machine->cache, conv->row, log, before + 1, place->at.cursor, (int64_t)*limit,
                              false, give_one, &giving);
        *limit -= (size_t)(place->given - before) < *limit ? (size_t)(place->given - before) : *limit;
        if (giving.has_failed)
                cache_fail(conv->machine->cache);
        if (giving.is_unreadable) {
                fetch_anew(conv);
                return 0;
        }
        return place->at.cursor - place->given;
}

static void tell_opened(deskbell_conversation *conv)
{
        struct event *event = event_new(EVENT_OPENED);

        conv_remember(conv);
        conv->is_opening = false;
        if (event) {
                event->opened.conversation = conv;
                event->opened.seq = conv->place[0].snapshot_to;
                event->opened.iseq = conv->place[1].snapshot_to;
        }
        machine_push(conv->machine, event);
}

void conv_check_opened(deskbell_conversation *conv)
{
        if (!conv->is_opening || conv->place[0].given < conv->place[0].snapshot_to)
                return;
        if (gives(conv, 1) && conv->place[1].given < conv->place[1].snapshot_to)
                return;
        sending_tell_shown(conv->machine, conv);
        answers_tell_shown(conv);
        tell_opened(conv);
}

bool machine_wants_to_give(const struct machine *machine)
{
        return machine->has_to_give;
}

void machine_give(struct machine *machine, size_t limit)
{
        machine->has_to_give = false;
        for (size_t i = 0; i < machine->conv_count; i++) {
                deskbell_conversation *conv = machine->convs[i];

                if (!conv->is_opened)
                        continue;
                if (give_log(conv, 0, &limit) > 0 || give_log(conv, 1, &limit) > 0)
                        machine->has_to_give = true;
                conv_check_opened(conv);
        }
}

/* Where giving begins: `snapshot` entries before the end, or after what the application is done with. */
static void begin_giving(deskbell_conversation *conv)
{
        const struct machine_settings *set = &conv->machine->set;

        for (int log = 0; log < 2; log++) {
                struct place *place = &conv->place[log];

                place->snapshot_to = gives(conv, log) && !set->manual_ack ? place->at.cursor : 0;
                place->given = place->at.low > 0 ? place->at.low - 1 : 0;
                if (set->manual_ack && place->given < place->at.done)
                        place->given = place->at.done;
                if (!set->manual_ack && set->snapshot >= 0 && place->given < place->at.cursor - set->snapshot)
                        place->given = place->at.cursor - set->snapshot;
        }
}

static int open_conv(struct machine *machine, deskbell_conversation *conv)
{
        if (conv->is_opened)
                return 0;
        conv_remember(conv);
        conv->is_opened = conv->is_opening = true;
        conv->shown_upto = cache_message_last(machine->cache);
        conv->is_refused = false;
        if (!conv->ask.is_the_servers)
                conv->ask.until_ms = 0;
        evict_opened(conv);
        begin_giving(conv);
        machine->has_to_give = true;
        sync_want(machine, conv);
        return 0;
}

static size_t opened_count(const struct machine *machine)
{
        size_t count = 0;

        for (size_t i = 0; i < machine->conv_count; i++)
                count += machine->convs[i]->is_opened;
        return count;
}

int machine_conv_open(struct machine *machine, struct span key, deskbell_conversation **out_conv)
{
        if (machine->set.is_staff)
                return DESKBELL_E_STATE;

        deskbell_conversation *conv = conv_by_key(machine, key);
        if (!conv)
                conv = conv_add(machine, 0, key);
        if (!conv)
                return DESKBELL_E_NOMEM;
        *out_conv = conv;
        return open_conv(machine, conv);
}

int machine_conv_open_id(struct machine *machine, uint64_t id, deskbell_conversation **out_conv)
{
        deskbell_conversation *conv = conv_by_id(machine, id);

        if (machine->set.is_staff && !(conv && conv->is_opened) && opened_count(machine) >= WATCHES_MAX)
                return DESKBELL_E_STATE;
        if (!conv)
                conv = conv_add(machine, id, SPAN(""));
        if (!conv)
                return DESKBELL_E_NOMEM;
        if (machine->set.is_staff)
                conv->is_confirmed = true;
        *out_conv = conv;
        return open_conv(machine, conv);
}

void machine_conv_close(struct machine *machine, deskbell_conversation *conv)
{
        struct protocol_conversation_unwatch params = {.conv = conv->id};
        struct writer writer;

        if (conv->is_watched && machine->state == SESSION_OPEN && machine_may_ask(machine) &&
            machine_request_begin(machine, &writer, REQUEST_UNWATCH, PROTOCOL_N_CONVERSATION_UNWATCH)) {
                protocol_conversation_unwatch_write(&writer, &params);
                machine_frame_end(machine, &writer);
        }
        conv->is_opened = conv->is_opening = conv->is_watched = conv->has_presence = false;
        evict_opened(conv);
}

int machine_entry_done(struct machine *machine, deskbell_conversation *conv, int log, int64_t number)
{
        struct cached_place *at = &conv->place[log].at;

        if (!machine->set.manual_ack)
                return DESKBELL_E_STATE;
        if (number > at->cursor)
                number = at->cursor;
        if (number > at->done) {
                at->done = number;
                conv_touch(conv, false);
        }
        return 0;
}
