/* SPDX-License-Identifier: Apache-2.0 */
/* Sync: the feed tells what changed, entries.read fills what is missing, live entries are applied when they are the
 * very next. An entry and the cursor that counts it are written in the same turn. What comes twice is dropped by its
 * number. */
#include "machine_private.h"

#include <stdlib.h>

#include "protocol/planted.h"

enum {
        HEAD_DOUBTS = 3, /* answers that know no higher number, until what was told of one is forgotten */
        /* A page of the feed with so many rows is progress, of smaller ones only so many in a row: a server that has
         * always more to tell and tells nothing is asked less and less often. */
        ROWS_OF_PROGRESS = 16,
        SMALLS = 16,
};

/* ---- asking ------------------------------------------------------------------------------------------------------ */

void sync_want(struct machine *machine, deskbell_conversation *conv)
{
        if (conv->is_in_sync_list)
                return;
        conv->is_in_sync_list = true;
        conv->next_sync = machine->sync_first;
        machine->sync_first = conv;
}

/* An answer did not help: longer each time. */
static void pause_stuck(const struct machine *machine, struct pause *pause)
{
        pause->until_ms = machine->now_ms + ((int64_t)STUCK_MS << (pause->failures < 6 ? pause->failures : 6));
        pause->failures++;
        pause->is_the_servers = false;
}

/* The server refused: the first time as long as it says, later never shorter than that. */
static void pause_refused(const struct machine *machine, struct pause *pause, int64_t asked_ms)
{
        bool is_first = pause->failures == 0;
        int64_t asked_until_ms = machine->now_ms + asked_ms;

        pause_stuck(machine, pause);
        if (asked_ms < 0 || (!is_first && asked_until_ms < pause->until_ms))
                return;
        pause->until_ms = asked_until_ms;
        pause->is_the_servers = true;
}

static void pause_end(struct pause *pause)
{
        *pause = (struct pause){0};
}

/* A new session ends a pause of our own. */
static void pause_of_before(const struct machine *machine, struct pause *pause)
{
        if (!pause->is_the_servers || pause->until_ms <= machine->now_ms)
                pause_end(pause);
}

/* Until when a read of that pause has to wait; 0 = it has not. */
static int64_t waits_until_ms(const struct machine *machine, const struct pause *pause)
{
        int64_t until_ms =
                pause->until_ms > machine->reads_hold_until_ms ? pause->until_ms : machine->reads_hold_until_ms;

        return until_ms > machine->now_ms ? until_ms : 0;
}

void sync_want_feed(struct machine *machine)
{
        machine->is_feed_wanted = true;
}

void sync_begin(struct machine *machine)
{
        machine->is_feed_wanted = true;
        machine->is_feed_asked = false;
        pause_of_before(machine, &machine->feed_pause);
        machine->is_fullness_said = false;
        for (size_t i = 0; i < machine->conv_count; i++) {
                deskbell_conversation *conv = machine->convs[i];

                conv->is_watched = conv->is_asked = conv->is_refused = false;
                pause_of_before(machine, &conv->ask);
                for (int log = 0; log < 2; log++) {
                        conv->place[log].is_fetching = false;
                        pause_of_before(machine, &conv->place[log].pause);
                }
                sync_want(machine, conv);
        }
}

void sync_reset(struct machine *machine)
{
        for (size_t i = 0; i < machine->conv_count; i++)
                conv_forget_numbers(machine->convs[i]);
        sending_offer_again(machine);
        uploads_reset(machine);
        machine_notice(machine, DESKBELL_NOTICE_RESET, NULL, "");
}

bool sync_follows(const struct machine *machine, const deskbell_conversation *conv, int log)
{
        if (conv->has_left || !conv->id)
                return false;
        if (machine->set.is_staff)
                return conv->is_opened && conv->is_watched && (log == 0 || machine->set.with_team_log);
        return log == 0 && conv->is_confirmed;
}

static void ask_feed(struct machine *machine)
{
        struct protocol_feed_read params = {.rev = machine->rev, .has_limit = true, .limit = PROTOCOL_PAGE_ROWS};
        struct writer writer;

        if (!machine->is_feed_wanted || machine->is_feed_asked || waits_until_ms(machine, &machine->feed_pause) > 0 ||
            !machine_may_ask(machine) || !machine_request_begin(machine, &writer, REQUEST_FEED, PROTOCOL_N_FEED_READ))
                return;
        machine->is_feed_wanted = false;
        machine->is_feed_asked = true;
        protocol_feed_read_write(&writer, &params);
        machine_frame_end(machine, &writer);
}

static void ask_by_key(struct machine *machine, deskbell_conversation *conv)
{
        struct protocol_conversation_open params = {.has_key = true, .key = span_of(conv->key)};
        struct writer writer;
        struct request *request =
                machine_request_begin(machine, &writer, REQUEST_CONV_OPEN, PROTOCOL_N_CONVERSATION_OPEN);
        if (!request)
                return;

        request->conv = conv;
        conv->is_asked = true;
        protocol_conversation_open_write(&writer, &params);
        machine_frame_end(machine, &writer);
}

static void ask_watch(struct machine *machine, deskbell_conversation *conv)
{
        struct protocol_conversation_watch params = {.conv = conv->id};
        struct writer writer;
        struct request *request = machine_request_begin(machine, &writer, REQUEST_WATCH, PROTOCOL_N_CONVERSATION_WATCH);
        if (!request)
                return;

        request->conv = conv;
        conv->is_asked = true;
        protocol_conversation_watch_write(&writer, &params);
        machine_frame_end(machine, &writer);
}

/* What has to be said before entries can be read. True: something is still missing. */
static bool introduce(struct machine *machine, deskbell_conversation *conv)
{
        bool is_needed;

        if (machine->set.is_staff)
                is_needed = conv->is_opened && !conv->is_watched;
        else
                is_needed = conv->is_opened && !conv->is_confirmed && conv->key[0];
        if (!is_needed || conv->is_refused || conv->has_left)
                return false;
        if (conv->is_asked || waits_until_ms(machine, &conv->ask) > 0 || !machine_may_ask(machine))
                return true;
        if (machine->set.is_staff)
                ask_watch(machine, conv);
        else
                ask_by_key(machine, conv);
        return true;
}

static void ask_entries(struct machine *machine, deskbell_conversation *conv, int log)
{
        struct place *place = &conv->place[log];
        bool is_first = place->at.low == 0, wants_all = machine->set.first_page < 0;
        struct protocol_entries_read params = {.conv = conv->id, .has_limit = true, .limit = PROTOCOL_PAGE_ROWS};
        struct writer writer;
        struct request *request = machine_request_begin(machine, &writer, REQUEST_ENTRIES, PROTOCOL_N_ENTRIES_READ);
        if (!request)
                return;

        request->conv = conv;
        request->log = log;
        request->asked = is_first && !wants_all ? -1 : place->at.cursor;
        place->is_fetching = true;
        params.has_log = log == 1;
        params.log = log == 1 ? PROTOCOL_ENTRIES_READ_LOG_TEAM : PROTOCOL_ENTRIES_READ_LOG_PUBLIC;
        params.has_after = request->asked >= 0;
        params.after = place->at.cursor;
        if (request->asked < 0)
                params.limit = machine->set.first_page;
        protocol_entries_read_write(&writer, &params);
        machine_frame_end(machine, &writer);
}

/* True: entries of that log are known to be missing. */
static bool fetch(struct machine *machine, deskbell_conversation *conv, int log)
{
        struct place *place = &conv->place[log];

        if (!sync_follows(machine, conv, log) || conv->is_refused)
                return false;
        if (place->at.low == 0 && conv->has_feed && place->at.head == 0 && !place->is_fetching) {
                place->at.low = 1; /* an empty log is known whole */
                conv_touch(conv, false);
        }
        if (place->at.low > 0 && place->at.cursor >= place->at.head && !place->is_fetching)
                return false;
        if (!place->is_fetching && waits_until_ms(machine, &place->pause) == 0 && machine_may_ask(machine) &&
            machine->reads_in_flight < READS_IN_FLIGHT)
                ask_entries(machine, conv, log);
        return true;
}

void sync_pump(struct machine *machine)
{
        deskbell_conversation *conv = machine->sync_first, *next;

        ask_feed(machine);
        machine->sync_first = NULL;
        for (; conv; conv = next) {
                next = conv->next_sync;
                conv->is_in_sync_list = false;
                bool is_missing = introduce(machine, conv);
                is_missing |= fetch(machine, conv, 0);
                is_missing |= fetch(machine, conv, 1);
                conv_check_opened(conv);
                if (is_missing)
                        sync_want(machine, conv);
        }
        history_pump(machine);
}

bool sync_is_caught_up(const struct machine *machine)
{
        return !machine->is_feed_wanted && !machine->is_feed_asked && !machine->sync_first;
}

static int64_t sooner(const struct machine *machine, const struct pause *pause, int64_t next)
{
        int64_t until_ms = waits_until_ms(machine, pause);

        return until_ms > 0 && until_ms < next ? until_ms : next;
}

int64_t sync_next_ms(const struct machine *machine)
{
        int64_t next = INT64_MAX;

        if (machine->state != SESSION_OPEN)
                return next;
        if (machine->is_feed_wanted && !machine->is_feed_asked)
                next = sooner(machine, &machine->feed_pause, next);
        for (const deskbell_conversation *conv = machine->sync_first; conv; conv = conv->next_sync) {
                next = sooner(machine, &conv->ask, next);
                for (int log = 0; log < 2; log++)
                        next = sooner(machine, &conv->place[log].pause, next);
        }
        return next;
}

/* ---- applying ---------------------------------------------------------------------------------------------------- */

int64_t sync_number(const struct protocol_entry *entry, int log)
{
        if (log == 1)
                return entry->has_iseq ? entry->iseq : 0;
        return entry->has_seq && !entry->has_iseq ? entry->seq : 0;
}

void sync_entry(struct machine *machine, const struct protocol_entry *entry)
{
        deskbell_conversation *conv = conv_by_id(machine, entry->conv);
        int log = entry->has_iseq ? 1 : 0;
        int64_t number = sync_number(entry, log);

        if (!conv) {
                sync_want_feed(machine); /* its row tells the key */
                return;
        }
        if (number < 1 || !sync_follows(machine, conv, log))
                return;
        struct place *place = &conv->place[log];
        if (place->at.low == 0 && number == 1 && !place->is_fetching)
                place->at.low = 1; /* with the first entry the log is known whole */
        bool is_next = number == place->at.cursor + 1;
        if (place->at.low > 0 && (is_next || (PLANTED("gap_passed_over") && number > place->at.cursor))) {
                sync_apply(machine, conv, log, entry);
        } else if (number > place->at.cursor) {
                if (number > place->at.head)
                        place->at.head = number;
                conv_touch(conv, false);
                sync_want(machine, conv);
        }
}

/* The first page of a log tells where the cache begins; unless it is of something else. */
static void begin_place(const deskbell_conversation *conv, struct place *place,
                        const struct protocol_entries_read_result *result, int log)
{
        const struct protocol_entry *entry = result->entries_count ? &result->entries[0] : NULL;
        int64_t first = entry ? sync_number(entry, log) : 1;

        if (first < 1 || first > result->head + 1 || (entry && entry->conv != conv->id))
                return;
        place->at.low = first;
        place->at.cursor = first - 1;
}

/* Nothing that follows came. What was told of a higher number may have been wrong: reading has the last word, but not
 * its first one, since it may be a little behind. */
static void check_progress(struct machine *machine, struct place *place, int64_t before, int64_t head)
{
        if (place->at.low > 0 && (place->at.cursor > before || place->at.cursor >= place->at.head)) {
                place->pause.failures = 0;
                return;
        }
        if (place->at.low > 0 && head <= place->at.cursor && place->pause.failures >= HEAD_DOUBTS) {
                place->at.head = place->at.cursor;
                place->pause.failures = 0;
                return;
        }
        machine_log(machine, DESKBELL_LOG_WARN, "entries.read gave nothing that follows");
        pause_stuck(machine, &place->pause);
}

void sync_entries_answered(struct machine *machine, const struct request *request, struct reader *reader)
{
        struct protocol_entries_read_result result;
        deskbell_conversation *conv = request->conv;
        struct place *place = &conv->place[request->log];

        place->is_fetching = false;
        sync_want(machine, conv);
        if (protocol_entries_read_result_read(reader, &result) < 0) {
                pause_stuck(machine, &place->pause);
                return;
        }
        if (place->at.low == 0)
                begin_place(conv, place, &result, request->log);
        int64_t before = place->at.cursor;
        if (place->at.head < result.head)
                place->at.head = result.head;
        for (size_t i = 0; i < result.entries_count; i++) {
                const struct protocol_entry *entry = &result.entries[i];

                if (entry->conv == conv->id && sync_number(entry, request->log) == place->at.cursor + 1)
                        sync_apply(machine, conv, request->log, entry);
        }
        conv_touch(conv, true);
        check_progress(machine, place, before, result.head);
}

/* ---- feed -------------------------------------------------------------------------------------------------------- */

/* What a server names is kept for good: it must not be without end. */
static bool is_full(struct machine *machine)
{
        size_t most = machine->set.is_staff ? STAFF_CONVERSATIONS : CUSTOMER_CONVERSATIONS;

        if (machine->conv_count < most)
                return false;
        if (!machine->is_fullness_said)
                machine_log(machine, DESKBELL_LOG_WARN,
                            "the server names more than %zu conversations: others are left out", most);
        machine->is_fullness_said = true;
        return true;
}

static deskbell_conversation *conv_of_row(struct machine *machine, const struct protocol_feed_row *row)
{
        deskbell_conversation *conv = conv_by_id(machine, row->conv);

        if (!conv && row->has_key && !machine->set.is_staff) {
                conv = conv_by_key(machine, row->key);
                if (conv && conv->is_confirmed)
                        conv = NULL; /* that key has another id in this epoch already */
                if (conv)
                        conv_set_id(conv, row->conv);
        }
        if (!conv && !row->has_left && !is_full(machine)) {
                conv = conv_add(machine, row->conv, row->has_key ? row->key : SPAN(""));
                if (!conv)
                        cache_fail(machine->cache); /* the feed does not tell it twice */
        }
        return conv;
}

static void row_of_left(deskbell_conversation *conv)
{
        conv->has_left = true;
        conv->is_watched = false;
        marks_count(conv);
        conv_touch(conv, true);
}

void sync_row(struct machine *machine, const struct protocol_feed_row *row)
{
        deskbell_conversation *conv = conv_of_row(machine, row);
        if (!conv)
                return;

        if (row->has_left && row->left) {
                row_of_left(conv);
                return;
        }
        conv->is_confirmed = true;
        conv->has_left = false;
        if (conv->has_feed && row->rev < conv->feed.rev)
                return; /* older than what is known */
        /* A log that has messages and no last one any more: its customer was erased. */
        bool is_erased = conv->has_feed && conv->feed.has_last && !row->has_last && row->has_head && row->head > 0;
        if (conv_set_feed(conv, row) < 0) {
                cache_fail(machine->cache); /* no memory, and the feed does not tell it twice */
                return;
        }
        if (row->has_marks)
                marks_merge(conv, &row->marks);
        if (is_erased)
                conv_forget_entries(conv);
        marks_count(conv);
        conv_touch(conv, true);
        sync_want(machine, conv);
}

void sync_feed_answered(struct machine *machine, struct reader *reader)
{
        struct protocol_feed_read_result result;

        machine->is_feed_asked = false;
        if (protocol_feed_read_result_read(reader, &result) < 0) {
                machine->is_feed_wanted = true;
                pause_stuck(machine, &machine->feed_pause);
                return;
        }
        for (size_t i = 0; i < result.rows_count; i++)
                sync_row(machine, &result.rows[i]);
        machine->feed_smalls = result.rows_count >= ROWS_OF_PROGRESS ? 0 : machine->feed_smalls + 1;
        bool is_further = result.rev > machine->rev && machine->feed_smalls <= SMALLS;
        if (result.rev > machine->rev) {
                machine->rev = result.rev;
                cache_number_set(machine->cache, "rev", machine->rev);
        }
        bool has_more = result.has_more && result.more;
        machine->is_feed_wanted |= has_more;
        if (has_more && !is_further)
                pause_stuck(machine, &machine->feed_pause);
        else
                pause_end(&machine->feed_pause);
}

void sync_conv_answered(struct machine *machine, const struct request *request, struct reader *reader)
{
        struct protocol_conversation_open_result opened;
        struct protocol_conversation_watch_result watched;
        deskbell_conversation *conv = request->conv;
        const struct protocol_feed_row *row = NULL;

        conv->is_asked = false;
        sync_want(machine, conv);
        if (request->kind == REQUEST_CONV_OPEN && protocol_conversation_open_result_read(reader, &opened) == 0)
                row = &opened.row;
        if (request->kind == REQUEST_WATCH && protocol_conversation_watch_result_read(reader, &watched) == 0)
                row = &watched.row;
        if (!row) {
                pause_stuck(machine, &conv->ask);
                return;
        }
        if (request->kind == REQUEST_CONV_OPEN && conv->id != row->conv && !conv_by_id(machine, row->conv))
                conv_set_id(conv, row->conv);
        if (request->kind == REQUEST_WATCH)
                conv->is_watched = conv->is_opened;
        if (request->kind == REQUEST_WATCH)
                presence_watched(conv, &watched);
        sync_row(machine, row);
        if (request->kind == REQUEST_CONV_OPEN && !conv->is_confirmed) /* it spoke of another one */
                pause_stuck(machine, &conv->ask);
        else
                pause_end(&conv->ask);
        conv->is_mark_urgent = true;
        marks_stored(conv);
}

/* What is refused to one for all is asked for by no other, also in a session of later. */
static void take_refusal(struct machine *machine, struct pause *pause, const struct protocol_error_body *error)
{
        pause_refused(machine, pause, error->retry_after_ms);
        if (sending_is_for_all(error->tag) && pause->until_ms > machine->reads_hold_until_ms)
                machine->reads_hold_until_ms = pause->until_ms;
}

void sync_refused(struct machine *machine, const struct request *request, const struct protocol_error_body *error)
{
        deskbell_conversation *conv = request->conv;
        char tag[40];
        size_t len = error->tag.len < sizeof(tag) - 1 ? error->tag.len : sizeof(tag) - 1;

        if (len)
                memcpy(tag, error->tag.at, len);
        tag[len] = '\0';
        if (request->kind == REQUEST_FEED) {
                machine->is_feed_asked = false;
                machine->is_feed_wanted = true;
                take_refusal(machine, &machine->feed_pause, error);
                return;
        }
        if (!conv)
                return;
        sync_want(machine, conv);
        if (request->kind == REQUEST_ENTRIES) {
                struct place *place = &conv->place[request->log];
                place->is_fetching = false;
                take_refusal(machine, &place->pause, error);
                return;
        }
        conv->is_asked = false;
        take_refusal(machine, &conv->ask, error);
        if (error->permanent) {
                conv->is_refused = true;
                machine_notice(machine, DESKBELL_NOTICE_CONVERSATION_REFUSED, conv, tag);
        }
}
