/* SPDX-License-Identifier: Apache-2.0 */
/* Conversations: the registry of those this client knows, their rows in the file, and telling the application of
 * changes. */
#include "machine_private.h"

#include <stdlib.h>

/* ---- registry ---------------------------------------------------------------------------------------------------- */

static size_t slot_of(const struct machine *machine, uint64_t id)
{
        return (size_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (machine->index_room - 1);
}

static void index_put(struct machine *machine, size_t position)
{
        size_t slot = slot_of(machine, machine->convs[position]->id);

        while (machine->index[slot])
                slot = (slot + 1) & (machine->index_room - 1);
        machine->index[slot] = (uint32_t)position + 1;
}

/* Makes the index anew for `room` conversations. */
static int reindex(struct machine *machine, size_t room)
{
        size_t slots = 64;

        while (slots < 2 * room)
                slots *= 2;
        uint32_t *index = calloc(slots, sizeof(*index));
        if (!index)
                return DESKBELL_E_NOMEM;
        free(machine->index);
        machine->index = index;
        machine->index_room = slots;
        for (size_t i = 0; i < machine->conv_count; i++)
                if (machine->convs[i]->id)
                        index_put(machine, i);
        return 0;
}

static int make_room(struct machine *machine)
{
        if (machine->conv_count < machine->conv_room)
                return 0;

        size_t room = machine->conv_room ? 2 * machine->conv_room : 32;
        deskbell_conversation **convs = realloc(machine->convs, room * sizeof(*convs));
        if (!convs)
                return DESKBELL_E_NOMEM;
        machine->convs = convs;
        int rc = reindex(machine, room);
        if (rc == 0)
                machine->conv_room = room;
        return rc;
}

deskbell_conversation *conv_by_id(struct machine *machine, uint64_t id)
{
        if (!id || !machine->index_room)
                return NULL;
        for (size_t slot = slot_of(machine, id); machine->index[slot]; slot = (slot + 1) & (machine->index_room - 1)) {
                deskbell_conversation *conv = machine->convs[machine->index[slot] - 1];
                if (conv->id == id)
                        return conv;
        }
        return NULL;
}

deskbell_conversation *conv_by_key(struct machine *machine, struct span key)
{
        for (size_t i = 0; key.len && i < machine->conv_count; i++)
                if (span_equal(span_of(machine->convs[i]->key), key))
                        return machine->convs[i];
        return NULL;
}

deskbell_conversation *conv_by_row(struct machine *machine, int64_t row)
{
        for (size_t i = 0; row && i < machine->conv_count; i++)
                if (machine->convs[i]->row == row)
                        return machine->convs[i];
        return NULL;
}

static void copy_key(deskbell_conversation *conv, struct span key)
{
        size_t len = key.len < sizeof(conv->key) ? key.len : 0;

        if (len)
                memcpy(conv->key, key.at, len);
        conv->key[len] = '\0';
}

static deskbell_conversation *conv_new(struct machine *machine, uint64_t id, struct span key)
{
        if (make_room(machine) < 0)
                return NULL;
        deskbell_conversation *conv = calloc(1, sizeof(*conv));
        if (!conv)
                return NULL;

        conv->machine = machine;
        conv->id = id;
        copy_key(conv, key);
        machine->convs[machine->conv_count++] = conv;
        if (id)
                index_put(machine, machine->conv_count - 1);
        return conv;
}

deskbell_conversation *conv_add(struct machine *machine, uint64_t id, struct span key)
{
        deskbell_conversation *conv = conv_new(machine, id, key);

        if (conv)
                conv_need_row(conv);
        return conv;
}

/* The conversation of that key has another id than before: nothing that was cached under the old one holds. */
void conv_set_id(deskbell_conversation *conv, uint64_t id)
{
        if (conv->id == id)
                return;
        if (conv->id)
                conv_forget_numbers(conv);
        conv->id = id;
        conv_touch(conv, true);
        if (reindex(conv->machine, conv->machine->conv_room) < 0)
                cache_fail(conv->machine->cache);
}

void conv_free_all(struct machine *machine)
{
        for (size_t i = 0; i < machine->conv_count; i++) {
                free(machine->convs[i]->feed_text);
                free(machine->convs[i]);
        }
        free(machine->convs);
        free(machine->index);
        machine->convs = NULL;
        machine->conv_count = 0;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* Decodes a row into the conversation, over a copy of its own. */
static int read_feed(deskbell_conversation *conv, struct span json)
{
        struct arena arena;
        struct fault fault = {0};
        struct reader reader;
        struct protocol_feed_row row;
        char *text = malloc(json.len + 1);
        if (!text)
                return DESKBELL_E_NOMEM;

        memcpy(text, json.at, json.len);
        arena_init(&arena, NULL, 0);
        reader_init(&reader, text, json.len, READER_TOLERANT, &arena, &fault);
        int rc = protocol_feed_row_read(&reader, &row);
        arena_done(&arena); /* rows hold no arrays: their texts are in `text` */
        if (rc < 0) {
                free(text);
                return rc == -PROTOCOL_ERR_INTERNAL ? DESKBELL_E_NOMEM : DESKBELL_E_INVALID;
        }
        free(conv->feed_text);
        conv->feed_text = text;
        conv->feed = row;
        conv->has_feed = true;
        return 0;
}

int conv_set_feed(deskbell_conversation *conv, const struct protocol_feed_row *row)
{
        struct protocol_both_marks marks = conv->feed.marks;
        bool had_marks = conv->has_feed && conv->feed.has_marks;
        char room[1024];
        struct writer writer;

        writer_init(&writer, room, sizeof(room));
        protocol_feed_row_write(&writer, row);
        int rc = writer.failed ? DESKBELL_E_NOMEM : read_feed(conv, (struct span){writer.bytes, writer.len});
        writer_done(&writer);
        if (rc < 0)
                return rc;
        /* Marks only grow: those we have stay until marks_merge has compared. */
        if (had_marks) {
                conv->feed.has_marks = true;
                conv->feed.marks = marks;
        } else {
                conv->feed.marks = (struct protocol_both_marks){0};
        }
        if (!conv->key[0] && row->has_key)
                copy_key(conv, row->key);
        if (row->has_head && conv->place[0].at.head < row->head)
                conv->place[0].at.head = row->head;
        if (row->has_ihead && conv->place[1].at.head < row->ihead)
                conv->place[1].at.head = row->ihead;
        return 0;
}

/* For those who ask without the machine's lock. */
static void show(deskbell_conversation *conv)
{
        for (int log = 0; log < 2; log++) {
                conv->seen[log].low = conv->place[log].at.low;
                conv->seen[log].cursor = conv->place[log].at.cursor;
        }
}

static void from_cache(void *data, const struct cached_conv *row)
{
        deskbell_conversation *conv = data;

        conv->row = row->row;
        conv->id = row->id;
        copy_key(conv, row->key);
        conv->is_confirmed = row->is_confirmed;
        conv->has_left = row->has_left;
        for (int log = 0; log < 2; log++)
                conv->place[log].at = row->place[log];
        conv->my_read = row->my_read;
        if (row->feed.at && read_feed(conv, row->feed) == DESKBELL_E_NOMEM)
                cache_fail(conv->machine->cache);
        marks_count(conv);
        show(conv);
}

void conv_remember(deskbell_conversation *conv)
{
        struct conv_before *before = &conv->before;

        if (before->turn == conv->machine->turn)
                return;
        *before = (struct conv_before){.turn = conv->machine->turn,
                                       .is_opened = conv->is_opened,
                                       .is_opening = conv->is_opening,
                                       .shown_upto = conv->shown_upto};
        for (int log = 0; log < 2; log++) {
                before->given[log] = conv->place[log].given;
                before->snapshot_to[log] = conv->place[log].snapshot_to;
        }
}

/* Nothing of what this turn gave or opened has reached the application. */
void conv_take_back(deskbell_conversation *conv)
{
        struct conv_before *before = &conv->before;

        if (before->turn != conv->machine->turn)
                return;
        before->turn = 0;
        conv->is_opened = before->is_opened;
        conv->is_opening = before->is_opening;
        conv->shown_upto = before->shown_upto;
        for (int log = 0; log < 2; log++) {
                conv->place[log].given = before->given[log];
                conv->place[log].snapshot_to = before->snapshot_to[log];
        }
        conv->machine->has_to_give |= conv->is_opened;
}

static void reload(deskbell_conversation *conv)
{
        int64_t row = conv->row;

        conv->is_watched = conv->is_asked = false;
        conv->is_dirty = conv->is_changed = false;
        conv->in_flight = 0;
        conv->has_barrier = conv->is_draining = false;
        memset(&conv->place[0].at, 0, sizeof(conv->place[0].at));
        memset(&conv->place[1].at, 0, sizeof(conv->place[1].at));
        conv->is_confirmed = false;
        bool is_there = row && cache_conv_get(conv->machine->cache, row, from_cache, conv);
        if (!is_there) {
                if (!cache_has_failed(conv->machine->cache))
                        conv->row = 0; /* it was new in the turn that failed */
                conv->has_feed = false;
                conv->feed = (struct protocol_feed_row){0};
                show(conv);
        }
        conv->next_dirty = NULL;
        conv->machine->dirty_first = NULL;
        conv_take_back(conv);
}

void conv_reload_all(struct machine *machine)
{
        for (size_t i = 0; i < machine->conv_count; i++)
                reload(machine->convs[i]);
        if (machine->conv_room && reindex(machine, machine->conv_room) < 0)
                cache_fail(machine->cache);
}

static void load_one(void *data, const struct cached_conv *row)
{
        struct machine *machine = data;
        deskbell_conversation *conv = conv_new(machine, row->id, row->key);

        if (conv) {
                conv->row = row->row; /* first: counting reads its entries */
                from_cache(conv, row);
        } else {
                cache_fail(machine->cache);
        }
}

int conv_load_all(struct machine *machine)
{
        cache_convs(machine->cache, load_one, machine);
        return 0;
}

void conv_need_row(deskbell_conversation *conv)
{
        struct cached_conv row = {.id = conv->id, .key = span_of(conv->key)};

        if (!conv->row) {
                conv->row = cache_conv_put(conv->machine->cache, &row);
                conv_touch(conv, true);
        }
}

void conv_touch(deskbell_conversation *conv, bool is_changed)
{
        struct machine *machine = conv->machine;

        conv->is_changed |= is_changed;
        if (conv->is_dirty)
                return;
        conv->is_dirty = true;
        conv->next_dirty = machine->dirty_first;
        machine->dirty_first = conv;
}

void conv_write(struct machine *machine, deskbell_conversation *conv)
{
        struct cached_conv row = {
                .row = conv->row,
                .id = conv->id,
                .key = span_of(conv->key),
                .is_confirmed = conv->is_confirmed,
                .has_left = conv->has_left,
                .place = {conv->place[0].at, conv->place[1].at},
                .my_read = conv->my_read,
        };
        char room[1024];
        struct writer writer;

        writer_init(&writer, room, sizeof(room));
        if (conv->has_feed) {
                protocol_feed_row_write(&writer, &conv->feed);
                row.feed = (struct span){writer.bytes, writer.len};
        }
        if (writer.failed)
                cache_fail(machine->cache);
        else
                conv->row = cache_conv_put(machine->cache, &row);
        writer_done(&writer);
}

/* What was cached must not be shown any more; the numbers hold, and what was given is not given again. */
void conv_forget_entries(deskbell_conversation *conv)
{
        cache_entries_wipe(conv->machine->cache, conv->row);
        for (int log = 0; log < 2; log++)
                conv->place[log].at.low = conv->place[log].at.cursor = 0;
        conv_touch(conv, true);
        machine_notice(conv->machine, DESKBELL_NOTICE_CONVERSATION_ERASED, conv, "");
}

void conv_forget_numbers(deskbell_conversation *conv)
{
        conv_remember(conv);
        cache_entries_wipe(conv->machine->cache, conv->row);
        for (int log = 0; log < 2; log++)
                conv->place[log] = (struct place){0};
        conv->is_confirmed = conv->machine->set.is_staff && conv->id;
        conv->my_read = conv->told_recv = conv->told_read = 0;
        conv->feed.rev = 0;
        conv->has_feed = false;
        conv->feed.has_marks = false;
        conv->feed.marks = (struct protocol_both_marks){0};
        marks_count(conv);
        conv_touch(conv, true);
}

/* ---- telling of conversations ------------------------------------------------------------------------------------ */

/* `event` gives memory for the texts. */
static int fill_info(struct event *event, deskbell_conversation *conv, struct deskbell_conversation_info *out)
{
        const struct protocol_feed_row *row = &conv->feed;
        char text[ID_TEXT_BYTES];
        struct span id = SPAN(""), customer = SPAN(""), author = SPAN("");
        char customer_room[ID_TEXT_BYTES], author_room[ID_TEXT_BYTES];

        if (conv->id) {
                id_write(text, "cnv", conv->id);
                id = (struct span){text, ID_TEXT_BYTES};
        }
        if (row->has_customer)
                customer = (struct span){customer_room, principal_write(customer_room, row->customer)};
        if (row->has_last)
                author = (struct span){author_room, principal_write(author_room, row->last.author)};
        *out = (struct deskbell_conversation_info){
                .conversation = conv,
                .id = event_text(event, id),
                .key = event_text(event, span_of(conv->key)),
                .customer = event_text(event, customer),
                .customer_name = event_text(event, row->has_customer_name ? row->customer_name : SPAN("")),
                .has_left = conv->has_left,
                .head = conv->place[0].at.head,
                .ihead = conv->place[1].at.head,
                .rev = row->rev,
                .marks = {row->marks.customer_recv, row->marks.customer_read, row->marks.staff_recv,
                          row->marks.staff_read},
                .unread = conv->machine->set.is_staff ? 0 : conv->unread,
                .unanswered = row->has_unanswered ? row->unanswered : 0,
                .waiting_since_ms = row->has_waiting_since ? row->waiting_since : 0,
                .last_ts_ms = row->has_last ? row->last.ts : 0,
                .last_author = event_text(event, author),
                .last_preview =
                        event_text(event, row->has_last && row->last.has_preview ? row->last.preview : SPAN("")),
        };
        return out->id && out->key && out->customer && out->customer_name && out->last_author && out->last_preview
                       ? 0
                       : DESKBELL_E_NOMEM;
}

void conv_flush(struct machine *machine)
{
        while (machine->dirty_first) {
                deskbell_conversation *conv = machine->dirty_first;

                machine->dirty_first = conv->next_dirty;
                conv->is_dirty = false;
                conv_write(machine, conv);
                show(conv);
                if (!conv->is_changed)
                        continue;
                conv->is_changed = false;
                struct event *event = event_new(EVENT_CONVERSATION);
                if (event && fill_info(event, conv, &event->info) < 0)
                        event = event_free(event);
                machine_push(machine, event);
        }
}

static int newest_first(const void *a, const void *b)
{
        const deskbell_conversation *first = *(deskbell_conversation *const *)a;
        const deskbell_conversation *second = *(deskbell_conversation *const *)b;
        int64_t first_ms = first->feed.has_last ? first->feed.last.ts : 0;
        int64_t second_ms = second->feed.has_last ? second->feed.last.ts : 0;

        if (first_ms != second_ms)
                return first_ms > second_ms ? -1 : 1;
        return first->row < second->row ? -1 : first->row > second->row;
}

int machine_conversations(struct machine *machine,
                          int (*each)(const struct deskbell_conversation_info *info, void *data), void *data)
{
        deskbell_conversation **sorted = malloc((machine->conv_count + 1) * sizeof(*sorted));
        int rc = 0;
        if (!sorted)
                return DESKBELL_E_NOMEM;

        memcpy(sorted, machine->convs, machine->conv_count * sizeof(*sorted));
        qsort(sorted, machine->conv_count, sizeof(*sorted), newest_first);
        for (size_t i = 0; rc == 0 && i < machine->conv_count; i++) {
                struct event *event = event_new(EVENT_CONVERSATION);

                rc = event ? fill_info(event, sorted[i], &event->info) : DESKBELL_E_NOMEM;
                if (rc == 0)
                        rc = each(&event->info, data);
                event_free(event);
        }
        free(sorted);
        return rc;
}

deskbell_client *machine_conv_client(const deskbell_conversation *conv)
{
        return conv->machine->set.client;
}

uint64_t machine_conv_id(const deskbell_conversation *conv)
{
        return conv->id;
}
