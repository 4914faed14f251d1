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

/* The pause after `failures` answers in a row that did not help: longer each time, and never shorter than asked for. */
static int64_t stuck_ms(int *failures, int64_t asked_ms)
{
        int64_t pause = (int64_t)STUCK_MS << (*failures < 6 ? *failures : 6);

        ++*failures;
        return asked_ms > pause ? asked_ms : pause;
}

void sync_want_feed(struct machine *machine)
{
        machine->is_feed_wanted = true;
}

void sync_begin(struct machine *machine)
{
        machine->is_feed_wanted = true;
        machine->is_feed_asked = false;
        machine->feed_at_ms = 0;
        machine->feed_failures = 0;
        machine->is_fullness_said = false;
        for (size_t i = 0; i < machine->conv_count; i++) {
                deskbell_conversation *conv = machine->convs[i];

                conv->is_watched = conv->is_asked = conv->is_refused = false;
                conv->ask_at_ms = 0;
                conv->ask_failures = 0;
                for (int log = 0; log < 2; log++) {
                        conv->place[log].is_fetching = false;
                        conv->place[log].stuck_until_ms = 0;
                        conv->place[log].failures = 0;
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

        if (!machine->is_feed_wanted || machine->is_feed_asked || machine->feed_at_ms > machine->now_ms ||
            !machine_may_ask(machine) || !machine_request_begin(machine, &writer, REQUEST_FEED, PROTOCOL_M_FEED_READ))
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
                machine_request_begin(machine, &writer, REQUEST_CONV_OPEN, PROTOCOL_M_CONVERSATION_OPEN);
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
        struct request *request = machine_request_begin(machine, &writer, REQUEST_WATCH, PROTOCOL_M_CONVERSATION_WATCH);
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
        if (conv->is_asked || conv->ask_at_ms > machine->now_ms || !machine_may_ask(machine))
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
        struct request *request = machine_request_begin(machine, &writer, REQUEST_ENTRIES, PROTOCOL_M_ENTRIES_READ);
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
        if (!place->is_fetching && place->stuck_until_ms <= machine->now_ms && machine_may_ask(machine) &&
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

int64_t sync_next_ms(const struct machine *machine)
{
        int64_t next = INT64_MAX;

        if (machine->state != SESSION_OPEN)
                return next;
        if (machine->is_feed_wanted && !machine->is_feed_asked && machine->feed_at_ms > 0)
                next = machine->feed_at_ms;
        for (const deskbell_conversation *conv = machine->sync_first; conv; conv = conv->next_sync) {
                if (conv->ask_at_ms > machine->now_ms && conv->ask_at_ms < next)
                        next = conv->ask_at_ms;
                for (int log = 0; log < 2; log++)
                        if (conv->place[log].stuck_until_ms > machine->now_ms && conv->place[log].stuck_until_ms < next)
                                next = conv->place[log].stuck_until_ms;
        }
        return next;
}

/* ---- applying ---------------------------------------------------------------------------------------------------- */

static bool is_me(const struct machine *machine, struct principal_id who)
{
        /* A conversation has one customer; what he wrote as a visitor, under another id, is his too. */
        if (machine->me.role == ROLE_CUSTOMER)
                return who.role == ROLE_CUSTOMER;
        return who.role == machine->me.role && who.id == machine->me.id;
}

void sync_put(struct machine *machine, deskbell_conversation *conv, int log, int64_t number,
              const struct protocol_entry *entry)
{
        const struct protocol_entry_info *info = protocol_entry_info(entry->kind);
        struct cached_entry row = {
                .log = log,
                .number = number,
                .kind = (int)entry->kind,
                .of = entry->content.has_of ? entry->content.of : 0,
                .counts = log == 0 && info && info->unread && !is_me(machine, entry->author),
                .cmid = entry->has_cmid ? &entry->cmid : NULL,
        };
        char room[2048];
        struct writer writer;

        conv_need_row(conv);
        row.conv = conv->row;
        writer_init(&writer, room, sizeof(room));
        protocol_entry_write(&writer, entry);
        row.body = (struct span){writer.bytes, writer.len};
        machine->evict_puts++;
        if (!writer.failed)
                cache_entry_put(machine->cache, &row);
        else
                cache_fail(machine->cache);
        writer_done(&writer);
}

/* One cached entry, decoded, in memory of its own. */
struct loaded {
        struct event *memory;
        struct protocol_entry entry;
        int64_t number;
        bool is_found, is_in_vain; /* in vain: no memory */
};

static struct loaded loaded_new(void)
{
        return (struct loaded){.memory = event_new(EVENT_ENTRY)};
}

static void loaded_done(struct machine *machine, struct loaded *loaded)
{
        if (!loaded->memory || loaded->is_in_vain)
                cache_fail(machine->cache); /* better the whole turn again than half of it */
        event_free(loaded->memory);
}

static bool load_one(void *data, const struct cached_entry *row)
{
        struct loaded *loaded = data;

        loaded->number = row->number;
        int rc = loaded->memory ? event_read_entry(loaded->memory, row->body, &loaded->entry) : DESKBELL_E_NOMEM;
        loaded->is_found = rc == 0;
        loaded->is_in_vain = rc == DESKBELL_E_NOMEM;
        return false;
}

static void change_message(struct machine *machine, deskbell_conversation *conv, int log,
                           const struct protocol_entry *edit)
{
        struct loaded loaded = loaded_new();
        int64_t version = edit->content.has_version ? edit->content.version : 0;

        cache_entries(machine->cache, conv->row, log, edit->content.of, edit->content.of, 1, false, load_one, &loaded);
        struct protocol_entry *message = &loaded.entry;
        if (loaded.is_found && message->kind != PROTOCOL_ENTRY_ERASED && edit->content.has_text &&
            version > (message->has_edited ? message->edited : 1)) {
                message->content.has_text = true;
                message->content.text = edit->content.text;
                message->has_edited = true;
                message->edited = version;
                sync_put(machine, conv, log, loaded.number, message);
        }
        loaded_done(machine, &loaded);
}

/* What tells of an erased message shows nothing any more either. */
static void blank_about(struct machine *machine, deskbell_conversation *conv, int log, enum protocol_entry_kind kind,
                        int64_t of)
{
        for (int64_t above = 0;;) {
                struct loaded loaded = loaded_new();
                bool is_found;

                cache_entries_about(machine->cache, conv->row, log, (int)kind, of, above, load_one, &loaded);
                is_found = loaded.is_found;
                if (is_found) {
                        loaded.entry.content.has_text = false;
                        sync_put(machine, conv, log, loaded.number, &loaded.entry);
                        above = loaded.number;
                }
                loaded_done(machine, &loaded);
                if (!is_found)
                        return;
        }
}

static void erase_message(struct machine *machine, deskbell_conversation *conv, int log, int64_t of)
{
        struct loaded loaded = loaded_new();

        cache_entries(machine->cache, conv->row, log, of, of, 1, false, load_one, &loaded);
        if (loaded.is_found) {
                if (loaded.entry.has_cmid)
                        cache_message_erase(machine->cache, &loaded.entry.cmid);
                loaded.entry.kind = PROTOCOL_ENTRY_ERASED;
                loaded.entry.content = (struct protocol_content){0};
                sync_put(machine, conv, log, loaded.number, &loaded.entry);
        }
        loaded_done(machine, &loaded);
        blank_about(machine, conv, log, PROTOCOL_ENTRY_EDIT, of);
        if (log == 0)
                blank_about(machine, conv, 1, PROTOCOL_ENTRY_REVISION, of);
}

static void apply(struct machine *machine, deskbell_conversation *conv, int log, const struct protocol_entry *entry)
{
        struct place *place = &conv->place[log];
        const struct protocol_entry_info *info = protocol_entry_info(entry->kind);
        bool was_behind = place->at.cursor < place->at.head;

        place->at.cursor++;
        if (place->at.head < place->at.cursor)
                place->at.head = place->at.cursor;
        sync_put(machine, conv, log, place->at.cursor, entry);
        if (entry->kind == PROTOCOL_ENTRY_EDIT && entry->content.has_of)
                change_message(machine, conv, log, entry);
        if (entry->kind == PROTOCOL_ENTRY_ERASE && entry->content.has_of)
                erase_message(machine, conv, log, entry->content.of);
        conv_give_live(conv, log, entry);
        conv_touch(conv, true);
        if (log == 0) {
                marks_wrote(conv, entry->author);
                marks_stored(conv);
                bool is_counted = conv->feed.has_unread && place->at.cursor <= conv->feed.head; /* in the row's count */
                /* The row's count was made with the marks of its time, and an erased message counts no more. */
                bool is_anew = was_behind || entry->kind == PROTOCOL_ENTRY_ERASE;
                if (!(is_anew && marks_count_cached(conv)) && info && info->unread && !is_me(machine, entry->author) &&
                    place->at.cursor > conv->my_read && !is_counted)
                        marks_counted(conv, 1);
        }
}

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
                apply(machine, conv, log, entry);
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
                place->failures = 0;
                return;
        }
        if (place->at.low > 0 && head <= place->at.cursor && place->failures >= HEAD_DOUBTS) {
                place->at.head = place->at.cursor;
                place->failures = 0;
                return;
        }
        machine_log(machine, DESKBELL_LOG_WARN, "entries.read gave nothing that follows");
        place->stuck_until_ms = machine->now_ms + stuck_ms(&place->failures, -1);
}

void sync_entries_answered(struct machine *machine, const struct request *request, struct reader *reader)
{
        struct protocol_entries_read_result result;
        deskbell_conversation *conv = request->conv;
        struct place *place = &conv->place[request->log];

        place->is_fetching = false;
        sync_want(machine, conv);
        if (protocol_entries_read_result_read(reader, &result) < 0) {
                place->stuck_until_ms = machine->now_ms + stuck_ms(&place->failures, -1);
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
                        apply(machine, conv, request->log, entry);
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
                machine->feed_at_ms = machine->now_ms + stuck_ms(&machine->feed_failures, -1);
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
        if (!has_more || is_further)
                machine->feed_failures = 0;
        machine->feed_at_ms = has_more && !is_further ? machine->now_ms + stuck_ms(&machine->feed_failures, -1) : 0;
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
                conv->ask_at_ms = machine->now_ms + stuck_ms(&conv->ask_failures, -1);
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
                conv->ask_at_ms = machine->now_ms + stuck_ms(&conv->ask_failures, -1);
        else
                conv->ask_failures = 0;
        conv->is_mark_urgent = true;
        marks_stored(conv);
}

/* The first time as long as the server says. */
static int64_t refused_ms(int *failures, const struct protocol_error_body *error)
{
        if (*failures == 0 && error->retry_after_ms >= 0) {
                ++*failures;
                return error->retry_after_ms;
        }
        return stuck_ms(failures, error->retry_after_ms);
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
                machine->feed_at_ms = machine->now_ms + refused_ms(&machine->feed_failures, error);
                return;
        }
        if (!conv)
                return;
        sync_want(machine, conv);
        if (request->kind == REQUEST_ENTRIES) {
                struct place *place = &conv->place[request->log];
                place->is_fetching = false;
                place->stuck_until_ms = machine->now_ms + refused_ms(&place->failures, error);
                return;
        }
        conv->is_asked = false;
        conv->ask_at_ms = machine->now_ms + refused_ms(&conv->ask_failures, error);
        if (error->permanent) {
                conv->is_refused = true;
                machine_notice(machine, DESKBELL_NOTICE_CONVERSATION_REFUSED, conv, tag);
        }
}
