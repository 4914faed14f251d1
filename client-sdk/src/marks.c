/* SPDX-License-Identifier: Apache-2.0 */
/* Marks: how far each side has received and read (registers that only grow, told at most once a second), what follows
 * from them for own messages, unread counts, and who is typing. */
#include "machine_private.h"

#include <stdlib.h>

static int64_t lower(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

/* ---- unread ------------------------------------------------------------------------------------------------------ */

/* Whether the cache holds everything that may be unread. */
static bool is_unread_cached(const deskbell_conversation *conv)
{
        const struct cached_place *at = &conv->place[0].at;

        return conv->row && at->low > 0 && at->cursor >= at->head && at->low <= conv->my_read + 1;
}

static int64_t count_unread(const deskbell_conversation *conv)
{
        const struct protocol_feed_row *row = &conv->feed;

        if (conv->has_left)
                return 0;
        if (conv->machine->set.is_staff)
                return row->has_unanswered && row->unanswered > 0;
        if (is_unread_cached(conv))
                return cache_unread(conv->machine->cache, conv->row, conv->my_read);
        return row->has_unread ? row->unread : 0;
}

static void set_unread(deskbell_conversation *conv, int64_t unread)
{
        conv->machine->unread_total += unread - conv->unread;
        conv->unread = unread;
}

void marks_count(deskbell_conversation *conv)
{
        set_unread(conv, count_unread(conv));
}

bool marks_count_cached(deskbell_conversation *conv)
{
        if (conv->machine->set.is_staff || !is_unread_cached(conv))
                return false;
        marks_count(conv);
        return true;
}

void marks_counted(deskbell_conversation *conv, int64_t more)
{
        if (!conv->machine->set.is_staff)
                set_unread(conv, conv->unread + more);
}

void marks_tell_unread(struct machine *machine)
{
        struct event *event;

        if (machine->was_unread_told && machine->unread_told == machine->unread_total)
                return;
        machine->was_unread_told = true;
        machine->unread_told = machine->unread_total;
        event = event_new(EVENT_UNREAD);
        if (event) {
                event->unread = machine->unread_total;
                machine_push(machine, event);
        } else {
                machine->was_unread_told = false;
                machine_tell_later(machine);
        }
}

/* ---- out --------------------------------------------------------------------------------------------------------- */

static bool may_mark(const deskbell_conversation *conv)
{
        if (!conv->id || !conv->is_confirmed || conv->has_left)
                return false;
        return !conv->machine->set.is_staff || conv->is_watched;
}

static struct protocol_mark mark_of(const deskbell_conversation *conv)
{
        struct protocol_mark mark = {.conv = conv->id, .recv = conv->place[0].at.cursor, .read = conv->my_read};

        if (mark.recv < mark.read)
                mark.recv = mark.read;
        return mark;
}

void marks_stored(deskbell_conversation *conv)
{
        struct protocol_mark mark = mark_of(conv);

        if (mark.recv > conv->told_recv || mark.read > conv->told_read) {
                conv->is_mark_dirty = true;
                conv->machine->has_marks = true;
        }
}

void marks_begin(struct machine *machine)
{
        machine->marks_at_ms = 0;
        for (size_t i = 0; i < machine->conv_count; i++) {
                deskbell_conversation *conv = machine->convs[i];
                bool is_known = conv->feed.has_marks && !machine->set.is_staff;

                conv->told_recv = is_known ? lower(conv->feed.marks.customer_recv, conv->place[0].at.head) : 0;
                conv->told_read = is_known ? lower(conv->feed.marks.customer_read, conv->place[0].at.head) : 0;
                marks_stored(conv);
        }
}

/* True: something is left for later. */
static bool collect(struct machine *machine, struct protocol_marks *out)
{
        bool has_more = false;

        for (size_t i = 0; i < machine->conv_count; i++) {
                deskbell_conversation *conv = machine->convs[i];

                if (!conv->is_mark_dirty)
                        continue;
                if (!may_mark(conv))
                        continue; /* stays dirty until it may */
                if (out->marks_count == PROTOCOL_MARKS_PER_FRAME) {
                        has_more = true;
                        break;
                }
                struct protocol_mark mark = mark_of(conv);
                out->marks[out->marks_count++] = mark;
                conv->told_recv = mark.recv;
                conv->told_read = mark.read;
                conv->is_mark_dirty = conv->is_mark_urgent = false;
        }
        return has_more;
}

static bool is_urgent(const struct machine *machine)
{
        for (size_t i = 0; i < machine->conv_count; i++)
                if (machine->convs[i]->is_mark_dirty && machine->convs[i]->is_mark_urgent &&
                    may_mark(machine->convs[i]))
                        return true;
        return false;
}

void marks_pump(struct machine *machine)
{
        struct protocol_mark marks[PROTOCOL_MARKS_PER_FRAME];
        struct protocol_marks params = {.marks = marks};
        struct writer writer;

        if (!machine->has_marks || (machine->marks_at_ms > machine->now_ms && !is_urgent(machine)))
                return;
        machine->has_marks = collect(machine, &params);
        if (!params.marks_count)
                return;
        machine->marks_at_ms = machine->now_ms + PROTOCOL_MARKS_EVERY_MS;
        machine_notify_begin(machine, &writer, PROTOCOL_N_MARKS);
        protocol_marks_write(&writer, &params);
        machine_frame_end(machine, &writer);
}

void machine_mark_read(struct machine *machine, deskbell_conversation *conv, int64_t seq)
{
        if (seq > conv->place[0].at.cursor)
                seq = conv->place[0].at.cursor; /* only what is here can have been read */
        if (seq <= conv->my_read)
                return;
        conv->my_read = seq;
        marks_count(conv);
        conv_touch(conv, true);
        marks_stored(conv);
        (void)machine;
}

void machine_typing(struct machine *machine, deskbell_conversation *conv)
{
        struct protocol_typing params = {.conv = conv->id};
        struct writer writer;

        if (machine->state != SESSION_OPEN || !conv->id || !conv->is_confirmed)
                return;
        if (conv->typing_sent_ms && machine->now_ms - conv->typing_sent_ms < PROTOCOL_TYPING_EVERY_MS)
                return;
        conv->typing_sent_ms = machine->now_ms;
        machine_notify_begin(machine, &writer, PROTOCOL_N_TYPING);
        protocol_typing_write(&writer, &params);
        machine_frame_end(machine, &writer);
}

/* ---- in ---------------------------------------------------------------------------------------------------------- */

static bool grow(int64_t *mark, int64_t value)
{
        if (value <= *mark)
                return false;
        *mark = value;
        return true;
}

void marks_merge(deskbell_conversation *conv, const struct protocol_both_marks *marks)
{
        struct protocol_both_marks *ours = &conv->feed.marks;
        bool has_grown = grow(&ours->customer_recv, marks->customer_recv);

        has_grown |= grow(&ours->customer_read, marks->customer_read);
        has_grown |= grow(&ours->staff_recv, marks->staff_recv);
        has_grown |= grow(&ours->staff_read, marks->staff_read);
        conv->feed.has_marks = true;
        /* Another device of the same customer has read: what there is, and no more. */
        int64_t read = lower(ours->customer_read, conv->place[0].at.head);
        if (!conv->machine->set.is_staff && read > conv->my_read) {
                conv->my_read = read;
                marks_count(conv);
                conv_touch(conv, true);
        }
        if (!has_grown)
                return;
        conv_touch(conv, true);
        marks_progress(conv);
}

enum { PROGRESS_AT_ONCE = 32 };

struct progress {
        struct cmid cmids[PROGRESS_AT_ONCE];
        size_t count;
};

static bool note_cmid(void *data, const struct cached_message *row)
{
        struct progress *progress = data;

        progress->cmids[progress->count++] = row->cmid;
        return progress->count < PROGRESS_AT_ONCE;
}

struct step {
        deskbell_conversation *conv;
        int state;
};

/* SENT goes to READ by way of DELIVERED. */
static bool take_step(void *data, const struct cached_message *row)
{
        const struct step *step = data;
        struct cached_message copy = *row;

        while (copy.state < step->state) {
                copy.state++;
                sending_tell(step->conv->machine, step->conv, &copy, false);
        }
        cache_message_save(step->conv->machine->cache, &copy);
        return false;
}

static void reach(deskbell_conversation *conv, int64_t upto, int state)
{
        struct cache *cache = conv->machine->cache;
        struct progress progress;
        struct step step = {conv, state};

        if (upto <= 0 || !conv->row)
                return;
        do {
                progress.count = 0;
                cache_messages_below(cache, conv->row, upto, state, note_cmid, &progress);
                for (size_t i = 0; i < progress.count; i++)
                        cache_message_get(cache, &progress.cmids[i], take_step, &step);
        } while (progress.count == PROGRESS_AT_ONCE);
}

void marks_progress(deskbell_conversation *conv)
{
        const struct protocol_both_marks *marks = &conv->feed.marks;
        bool is_staff = conv->machine->set.is_staff;

        reach(conv, is_staff ? marks->customer_read : marks->staff_read, DESKBELL_READ);
        reach(conv, is_staff ? marks->customer_recv : marks->staff_recv, DESKBELL_DELIVERED);
}

/* ---- typing ------------------------------------------------------------------------------------------------------ */

static void tell_typing(struct machine *machine, const struct typist *typist, bool is_typing)
{
        struct event *event = event_new(EVENT_TYPING);
        char text[ID_TEXT_BYTES];

        if (event) {
                event->typing.conversation = typist->conv;
                event->typing.author = event_text(event, (struct span){text, principal_write(text, typist->who)});
                event->typing.is_typing = is_typing;
                if (!event->typing.author)
                        event = event_free(event);
        }
        machine_push_hint(machine, event);
}

static struct typist *typist_of(struct machine *machine, const deskbell_conversation *conv, struct principal_id who)
{
        for (size_t i = 0; i < sizeof(machine->typists) / sizeof(machine->typists[0]); i++) {
                struct typist *typist = &machine->typists[i];
                if (typist->conv == conv && typist->who.role == who.role && typist->who.id == who.id)
                        return typist;
        }
        return NULL;
}

void marks_typing(struct machine *machine, const struct protocol_event_typing *event)
{
        deskbell_conversation *conv = conv_by_id(machine, event->conv);
        bool is_own = event->author.role == machine->me.role && event->author.id == machine->me.id;
        if (!conv || !conv->is_opened || is_own)
                return;

        struct typist *typist = typist_of(machine, conv, event->author);
        if (typist) {
                typist->until_ms = machine->now_ms + PROTOCOL_TYPING_LIFE_MS;
                return;
        }
        typist = typist_of(machine, NULL, (struct principal_id){0});
        if (!typist)
                return; /* a crowd: nobody can follow it anyway */
        *typist = (struct typist){conv, event->author, machine->now_ms + PROTOCOL_TYPING_LIFE_MS};
        tell_typing(machine, typist, true);
}

void marks_wrote(deskbell_conversation *conv, struct principal_id who)
{
        struct typist *typist = typist_of(conv->machine, conv, who);

        if (typist) {
                tell_typing(conv->machine, typist, false);
                *typist = (struct typist){0};
        }
}

void marks_time(struct machine *machine)
{
        for (size_t i = 0; i < sizeof(machine->typists) / sizeof(machine->typists[0]); i++) {
                struct typist *typist = &machine->typists[i];
                if (typist->conv && typist->until_ms <= machine->now_ms)
                        marks_wrote(typist->conv, typist->who);
        }
}

int64_t marks_next_ms(const struct machine *machine)
{
        int64_t next = INT64_MAX;

        if (machine->state == SESSION_OPEN && machine->has_marks)
                next = machine->marks_at_ms;
        for (size_t i = 0; i < sizeof(machine->typists) / sizeof(machine->typists[0]); i++)
                if (machine->typists[i].conv && machine->typists[i].until_ms < next)
                        next = machine->typists[i].until_ms;
        return next;
}
