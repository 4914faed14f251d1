/* SPDX-License-Identifier: Apache-2.0 */
/* Marks, typing and the live feed of staff: what travels often, is coalesced here, and never waits for anything.
 * Marks are registers that only grow; they are written with the next batch or after a second, and told to the other
 * side after that commit, at most once a second a conversation. */
#include "desk/desk_private.h"
#include "desk/tickets/ticket_rows.h"

#include "protocol/planted.h"

static int64_t within(int64_t value, int64_t low, int64_t high)
{
        return value < low ? low : value > high ? high : value;
}

/* What the mark has passed is read. Only that is looked at, so that a log is gone through once however many marks come.
 */
static int count_unread(struct desk *desk, struct conversation_row *row, int64_t was_read)
{
        if (row->customer_read >= row->head)
                row->unread = 0;
        if (row->unread == 0)
                return 0;
        int64_t passed = 0;
        int rc = entries_count_unread(desk->db, row->id, was_read, row->customer_read, row->customer, &passed);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        row->unread = passed < row->unread ? row->unread - passed : 0;
        return 0;
}

/* Merges by max within 0 <= read <= recv <= head; read implies recv. True when something grew. */
static bool merge(int64_t *recv, int64_t *read, const struct protocol_mark *mark, int64_t head)
{
        int64_t new_read = within(mark->read, 0, head);
        int64_t new_recv = within(mark->recv, new_read, head);
        if (PLANTED("backward_mark")) {
                bool differs = *recv != new_recv || *read != new_read;
                *recv = new_recv;
                *read = new_read;
                return differs;
        }
        bool grew = new_recv > *recv || new_read > *read;
        *recv = new_recv > *recv ? new_recv : *recv;
        *read = new_read > *read ? new_read : *read;
        *recv = *read > *recv ? *read : *recv;
        return grew;
}

static int merge_one(struct desk *desk, const struct caller *caller, const struct protocol_mark *mark)
{
        struct conversation *conversation = NULL;
        int rc = conversation_for(desk, caller, mark->conv, &conversation);
        if (rc < 0)
                return rc;
        struct conversation_row *row = &conversation->row;
        bool is_customer = caller->role == ROLE_CUSTOMER;
        int64_t was_read = row->customer_read;
        bool grew = is_customer ? merge(&row->customer_recv, &row->customer_read, mark, row->head)
                                : merge(&row->staff_recv, &row->staff_read, mark, row->head);
        if (!grew)
                return 0;
        conversation_changed(desk, conversation, true);
        if (is_customer && (rc = count_unread(desk, row, was_read)) < 0)
                return rc;
        if (desk->flush_due_ms == 0)
                desk->flush_due_ms = clock_mono_ms() + PROTOCOL_MARKS_EVERY_MS;
        if (!conversation->is_marked) {
                conversation->is_marked = true;
                conversation->marked_next = desk->marked_first;
                desk->marked_first = conversation;
        }
        return 0;
}

/* A notification: what names an unknown conversation is passed over. */
int handle_marks_take(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)out;
        (void)fault;
        const struct protocol_marks *params = command->params;
        for (size_t i = 0; i < params->marks_count; i++) {
                merge_one(desk, &command->caller, &params->marks[i]);
                if (desk->db_failure != 0)
                        return -PROTOCOL_ERR_INTERNAL;
        }
        return 0;
}

static void tell_event(struct desk *desk, const struct conversation *conversation, struct span name,
                       void (*write)(struct writer *writer, const void *event), const void *event,
                       struct edge_ref except)
{
        char first[512];
        struct writer writer;
        writer_init(&writer, first, sizeof first);
        frame_call_begin(&writer, NULL, name);
        write(&writer, event);
        frame_end(&writer);
        struct edge_frame *frame = writer.failed ? NULL : edge_frame_new((struct span){writer.bytes, writer.len});
        writer_done(&writer);
        if (!frame)
                return;
        for (uint32_t i = 0; i < desk->sink_count; i++) {
                struct desk_note *note = note_new(NOTE_EVENT, (struct edge_ref){0}, (struct span){0});
                if (!note)
                        continue;
                note->conv = conversation->row.id;
                note->customer = conversation->row.customer;
                note->workspace = conversation->row.workspace;
                note->except = except;
                note->frame = edge_frame_ref(frame);
                desk_leave(desk, i, note);
        }
        edge_frame_unref(frame);
}

static void write_typing(struct writer *writer, const void *event)
{
        protocol_event_typing_write(writer, event);
}

static void write_marks(struct writer *writer, const void *event)
{
        protocol_event_marks_write(writer, event);
}

int handle_typing_take(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)out;
        (void)fault;
        const struct protocol_typing *params = command->params;
        struct conversation *conversation = NULL;
        int rc = conversation_for(desk, &command->caller, params->conv, &conversation);
        if (rc < 0)
                return rc;
        if (command->caller.role == ROLE_AGENT && people_authorize(desk, &command->caller, PROTOCOL_MAY_REPLY) < 0)
                return 0; /* nobody is told of what will not come */
        if (command->caller.role == ROLE_AGENT)
                work_types(desk, conversation, command->caller.principal);
        struct protocol_event_typing event = {.conv = params->conv,
                                              .author = directory_author(desk->directory, command->caller.principal)};
        tell_event(desk, conversation, SPAN("typing"), write_typing, &event, command->from);
        return 0;
}

static void tell_marks(struct desk *desk, const struct conversation *conversation)
{
        const struct conversation_row *row = &conversation->row;
        struct protocol_event_marks event = {.conv = row->ext,
                                             .has_rev = true,
                                             .rev = row->public_rev, /* a note must not show by it */
                                             .marks = {.customer_recv = row->customer_recv,
                                                       .customer_read = row->customer_read,
                                                       .staff_recv = row->staff_recv,
                                                       .staff_read = row->staff_read}};
        tell_event(desk, conversation, SPAN("marks"), write_marks, &event, (struct edge_ref){0});
}

void marks_commit(struct desk *desk)
{
        uint64_t now_ms = clock_mono_ms();
        if (!desk->marked_first || now_ms < desk->marks_due_ms)
                return;
        desk->marks_due_ms = 0;
        struct conversation **link = &desk->marked_first;
        while (*link) {
                struct conversation *conversation = *link;
                uint64_t due_ms = conversation->marks_told_ms + PROTOCOL_MARKS_EVERY_MS;
                if (conversation->is_changed || now_ms < due_ms) { /* not on disk yet, or told just now */
                        if (!conversation->is_changed && (desk->marks_due_ms == 0 || due_ms < desk->marks_due_ms))
                                desk->marks_due_ms = due_ms;
                        link = &conversation->marked_next;
                        continue;
                }
                *link = conversation->marked_next;
                conversation->is_marked = false;
                conversation->marks_told_ms = now_ms;
                tell_marks(desk, conversation);
        }
}

static void tell_feed(struct desk *desk, const struct conversation *conversation)
{
        struct protocol_feed_row row;
        char first[1024];
        struct writer writer;
        struct ticket *keep = NULL;
        struct reach_place place = {.team = conversation->row.team, .assignee = conversation->row.assignee};
        int invited = people_invited(desk, conversation, place.invited);
        if (invited < 0)
                desk->db_failure = 0; /* the same: those who are invited read it with feed.read */
        place.invited_count = invited > 0 ? (uint32_t)invited : 0;
        feed_row_fill(&row, &conversation->row, true, desk->directory);
        if (ticket_feed_fill(desk, conversation->row.id, &keep, &row) < 0)
                desk->db_failure = 0; /* a push is a hint (R3): it goes without its ticket */
        writer_init(&writer, first, sizeof first);
        protocol_feed_row_write(&writer, &row);
        ticket_free(keep);
        for (uint32_t i = 0; !writer.failed && i < desk->sink_count; i++) {
                struct desk_note *note =
                        note_new(NOTE_FEED, (struct edge_ref){0}, (struct span){writer.bytes, writer.len});
                if (!note)
                        continue;
                note->place = reach_place_copy(&place);
                note->conv = conversation->row.id;
                note->workspace = conversation->row.workspace;
                note->rev = conversation->row.rev;
                desk_leave(desk, i, note);
        }
        writer_done(&writer);
}

static struct conversation *merge_by_rev(struct conversation *a, struct conversation *b)
{
        struct conversation *first = NULL, **last = &first;
        while (a && b) {
                struct conversation **older = a->row.rev <= b->row.rev ? &a : &b;
                *last = *older;
                last = &(*older)->feed_next;
                *older = (*older)->feed_next;
        }
        *last = a ? a : b;
        return first;
}

/* Empties the list. In the order of the last changes: a reader of the feed counts what it has heard by rev. */
static struct conversation *take_feed_sorted(struct desk *desk)
{
        enum { RUNS = 32 };
        struct conversation *runs[RUNS] = {NULL}, *rest = desk->feed_first;
        desk->feed_first = NULL;
        desk->feed_last = &desk->feed_first;
        while (rest) {
                struct conversation *run = rest;
                rest = rest->feed_next;
                run->feed_next = NULL;
                int i = 0;
                for (; i < RUNS - 1 && runs[i]; i++) {
                        run = merge_by_rev(runs[i], run);
                        runs[i] = NULL;
                }
                runs[i] = merge_by_rev(runs[i], run);
        }
        struct conversation *sorted = NULL;
        for (int i = 0; i < RUNS; i++)
                sorted = merge_by_rev(runs[i], sorted);
        return sorted;
}

void feed_commit(struct desk *desk)
{
        uint64_t now_ms = clock_mono_ms();
        if (!desk->feed_first || now_ms < desk->feed_due_ms)
                return;
        desk->feed_due_ms = now_ms + FEED_EVERY_MS;
        struct conversation *conversation = take_feed_sorted(desk);
        while (conversation) {
                struct conversation *next = conversation->feed_next;
                if (conversation->is_changed) { /* by marks that are not on disk yet */
                        conversation->feed_next = NULL;
                        *desk->feed_last = conversation;
                        desk->feed_last = &conversation->feed_next;
                } else {
                        conversation->is_in_feed = false;
                        tell_feed(desk, conversation);
                }
                conversation = next;
        }
}

int64_t desk_next_due_ms(const struct desk *desk)
{
        uint64_t due_ms = jobs_due_mono_ms(desk);
        if (desk->flush_due_ms != 0 && desk->flush_due_ms < due_ms)
                due_ms = desk->flush_due_ms;
        int64_t part_ms[] = {tickets_due_ms(desk), surveys_due_ms(desk), recovery_due_ms(desk)};
        int64_t wall_ms = clock_wall_ms(), soonest_ms = INT64_MAX;
        for (size_t i = 0; i < sizeof part_ms / sizeof *part_ms; i++)
                soonest_ms = part_ms[i] < soonest_ms ? part_ms[i] : soonest_ms;
        if (soonest_ms != INT64_MAX) {
                uint64_t at_ms = clock_mono_ms() + (soonest_ms > wall_ms ? (uint64_t)(soonest_ms - wall_ms) : 0);
                due_ms = at_ms < due_ms ? at_ms : due_ms;
        }
        uint64_t routing_ms = routing_due_mono_ms(desk);
        due_ms = routing_ms < due_ms ? routing_ms : due_ms;
        if (desk_is_read_only(desk)) /* nothing is written before, and then it is tried whatever is due */
                due_ms = desk->retry_write_ms;
        if (desk->marked_first && desk->marks_due_ms != 0 && desk->marks_due_ms < due_ms)
                due_ms = desk->marks_due_ms;
        if (desk->feed_first && desk->feed_due_ms < due_ms)
                due_ms = desk->feed_due_ms;
        uint64_t turns_ms = bot_turns_due_ms(desk);
        due_ms = turns_ms < due_ms ? turns_ms : due_ms;
        uint64_t people_ms = people_due_ms(desk);
        due_ms = people_ms < due_ms ? people_ms : due_ms;
        uint64_t views_ms = views_due_mono_ms(desk);
        due_ms = views_ms < due_ms ? views_ms : due_ms;
        uint64_t attendance_ms = attendance_due_ms(desk);
        due_ms = attendance_ms < due_ms ? attendance_ms : due_ms;
        if (due_ms == UINT64_MAX)
                return -1;
        uint64_t now_ms = clock_mono_ms();
        return due_ms > now_ms ? (int64_t)(due_ms - now_ms) : 0;
}
