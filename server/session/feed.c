/* SPDX-License-Identifier: Apache-2.0 */
/* The live feed of staff: the newest row of each conversation that changed, in order of its change. A row that changes
 * again before it was sent moves to the end, so the newest wins and a slow reader is told less, not later. */
#include <stdlib.h>

#include "session/net_private.h"

enum { SLOTS = sizeof((struct feed *)0)->slots / sizeof(struct feed_item *) };

static size_t slot_of(int64_t conv)
{
        return ((uint64_t)conv * 0x9e3779b97f4a7c15u >> 20) & (SLOTS - 1);
}

static void feed_unlink(struct feed *feed, struct feed_item *item)
{
        *(item->newer ? &item->newer->older : &feed->newest) = item->older;
        *(item->older ? &item->older->newer : &feed->oldest) = item->newer;
}

static void feed_append(struct feed *feed, struct feed_item *item)
{
        item->newer = NULL;
        item->older = feed->newest;
        *(feed->newest ? &feed->newest->newer : &feed->oldest) = item;
        feed->newest = item;
}

static void feed_forget(struct feed *feed, struct feed_item *item)
{
        struct feed_item **link = &feed->slots[slot_of(item->conv)];
        while (*link != item)
                link = &(*link)->hash_next;
        *link = item->hash_next;
        feed_unlink(feed, item);
        feed->count--;
        free(item->row);
        free(item->place);
        free(item);
}

void feed_done(struct feed *feed)
{
        while (feed->oldest)
                feed_forget(feed, feed->oldest);
}

static struct feed_item *feed_item_for(struct feed *feed, const struct desk_note *note)
{
        struct feed_item *item = feed->slots[slot_of(note->conv)];
        while (item && item->conv != note->conv)
                item = item->hash_next;
        if (item) {
                feed_unlink(feed, item);
                return item;
        }
        if (feed->count >= FEED_KEPT)
                feed_forget(feed, feed->oldest);
        item = calloc(1, sizeof *item);
        if (!item)
                return NULL;
        item->conv = note->conv;
        size_t slot = slot_of(note->conv);
        item->hash_next = feed->slots[slot];
        feed->slots[slot] = item;
        feed->count++;
        return item;
}

void feed_take(struct net *net, struct desk_note *note)
{
        struct feed *feed = &net->feed;
        if (!net->staff)
                return; /* who logs in later reads the feed */
        struct feed_item *item = feed_item_for(feed, note);
        if (!item)
                return; /* a push is a hint (R3) */
        char *row = realloc(item->row, note->len);
        feed_append(feed, item);
        if (!row)
                return;
        memcpy(row, note->bytes, note->len);
        free(item->place);
        item->place = note->place;
        note->place = NULL;
        item->row = row;
        item->len = note->len;
        item->rev = note->rev;
        item->workspace = note->workspace;
}

static bool is_seen(const struct feed_item *item, const struct reach *reach)
{
        if (item->workspace != reach->workspace || item->len == 0)
                return false;
        return reach->is_all || (item->place && reach_sees(reach, item->place));
}

/* The next rows above `after` that `reach` holds, as one frame; *out_to gets the rev up to which all was looked at. */
static void write_rows(const struct feed *feed, int64_t after, const struct reach *reach, struct writer *out,
                       int64_t *out_to)
{
        int count = 0;
        const struct feed_item *item = feed->newest;
        const struct feed_item *first = NULL;
        for (; item && item->rev > after; item = item->older)
                first = item;
        frame_call_begin(out, NULL, SPAN("feed"));
        writer_raw(out, SPAN("{\"rows\":["));
        for (item = first; item && count < FEED_ROWS && out->len < PROTOCOL_PAGE_BYTES; item = item->newer) {
                *out_to = item->rev > *out_to ? item->rev : *out_to;
                if (!is_seen(item, reach))
                        continue;
                if (count++ > 0)
                        writer_char(out, ',');
                writer_raw(out, (struct span){item->row, item->len});
        }
        writer_raw(out, SPAN("]}"));
        frame_end(out);
        if (count == 0)
                out->len = 0;
}

static struct edge_frame *frame_of(const struct feed *feed, int64_t after, const struct reach *reach, int64_t *out_to)
{
        struct writer out;
        writer_init(&out, NULL, 0);
        *out_to = after;
        write_rows(feed, after, reach, &out, out_to);
        struct edge_frame *frame =
                out.len > 0 && !out.failed ? edge_frame_new((struct span){out.bytes, out.len}) : NULL;
        if (out.len > 0 && !frame)
                *out_to = after; /* no memory: tried again */
        writer_done(&out);
        return frame;
}

/* Most of the staff have heard the same and may read all: their frame is made once. */
void feed_send(struct net *net)
{
        struct edge_frame *shared = NULL;
        int64_t from = -1, shared_to = -1, workspace = 0;
        for (struct session *session = net->staff; session; session = session->staff_next) {
                if (!net->feed.newest || session->fed_rev >= net->feed.newest->rev || edge_is_slow(session->conn) ||
                    session->state != SESSION_OPEN)
                        continue;
                const struct reach *reach = session->reach;
                struct edge_frame *own = NULL;
                int64_t to;
                if (!reach->is_all) {
                        own = frame_of(&net->feed, session->fed_rev, reach, &to);
                } else {
                        if (session->fed_rev != from || reach->workspace != workspace) {
                                if (shared)
                                        edge_frame_unref(shared);
                                from = session->fed_rev;
                                workspace = reach->workspace;
                                shared = frame_of(&net->feed, from, reach, &shared_to);
                        }
                        to = shared_to;
                }
                struct edge_frame *frame = own ? own : reach->is_all ? shared : NULL;
                if (!frame || edge_send_frame(session->conn, frame) == 0)
                        session->fed_rev = to;
                if (own)
                        edge_frame_unref(own);
        }
        if (shared)
                edge_frame_unref(shared);
}

/* ---- a conversation that belongs to others ---- */

static struct edge_frame *left_frame(const struct reach_move *move, int64_t rev)
{
        struct protocol_feed_row row = {.conv = move->conv_ext, .rev = rev, .has_left = true, .left = true};
        struct protocol_event_feed event = {.rows = &row, .rows_count = 1};
        char first[256];
        struct writer out;
        writer_init(&out, first, sizeof first);
        frame_call_begin(&out, NULL, SPAN("feed"));
        protocol_event_feed_write(&out, &event);
        frame_end(&out);
        struct edge_frame *frame = out.failed ? NULL : edge_frame_new((struct span){out.bytes, out.len});
        writer_done(&out);
        return frame;
}

/* A row that still waits was made before the move: it is not for whoever has lost the conversation. */
static void forget_waiting(struct feed *feed, int64_t conv)
{
        struct feed_item *item = feed->slots[slot_of(conv)];
        while (item && item->conv != conv)
                item = item->hash_next;
        if (item)
                feed_forget(feed, item); /* its newest row is on its way: every move changes the conversation */
}

void feed_moved(struct net *net, const struct desk_note *note)
{
        struct reach_move move;
        struct edge_frame *frame = NULL;
        if (note->len != sizeof move)
                return;
        memcpy(&move, note->bytes, sizeof move);
        forget_waiting(&net->feed, note->conv);
        for (struct session *session = net->staff; session; session = session->staff_next) {
                bool is_here = session->state == SESSION_OPEN && session->reach->workspace == note->workspace;
                if (!is_here || !reach_loses(session->reach, &move))
                        continue;
                watch_remove(net, session, note->conv);
                if (!frame && !(frame = left_frame(&move, note->rev)))
                        continue; /* no memory: it shows with the next feed.read */
                edge_send_frame(session->conn, frame);
        }
        if (frame)
                edge_frame_unref(frame);
}
