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

void feed_take(struct net *net, const struct desk_note *note)
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
        item->row = row;
        item->len = note->len;
        item->rev = note->rev;
        item->workspace = note->workspace;
}

/* The next rows above `after`, as one frame. Returns the rev said, or `after` when there is nothing. */
static int64_t write_rows(const struct feed *feed, int64_t after, int64_t workspace, struct writer *out)
{
        int count = 0;
        const struct feed_item *item = feed->newest;
        const struct feed_item *first = NULL;
        for (; item && item->rev > after; item = item->older)
                first = item;
        frame_call_begin(out, NULL, SPAN("feed"));
        writer_raw(out, SPAN("{\"rows\":["));
        for (item = first; item && count < FEED_ROWS && out->len < PROTOCOL_PAGE_BYTES; item = item->newer) {
                if (item->workspace != workspace || item->len == 0)
                        continue;
                if (count++ > 0)
                        writer_char(out, ',');
                writer_raw(out, (struct span){item->row, item->len});
                after = item->rev;
        }
        writer_raw(out, SPAN("]}"));
        frame_end(out);
        if (count == 0)
                out->len = 0;
        return after;
}

/* Most of the staff have heard the same: their frame is made once. */
void feed_send(struct net *net)
{
        struct edge_frame *frame = NULL;
        int64_t from = -1, to = -1, workspace = 0;
        for (struct session *session = net->staff; session; session = session->staff_next) {
                if (!net->feed.newest || session->fed_rev >= net->feed.newest->rev || edge_is_slow(session->conn) ||
                    session->state != SESSION_OPEN)
                        continue;
                if (session->fed_rev != from || session->caller.workspace != workspace) {
                        if (frame)
                                frame = edge_frame_unref(frame);
                        struct writer out;
                        writer_init(&out, NULL, 0);
                        from = session->fed_rev;
                        workspace = session->caller.workspace;
                        to = write_rows(&net->feed, from, workspace, &out);
                        if (out.len > 0 && !out.failed)
                                frame = edge_frame_new((struct span){out.bytes, out.len});
                        writer_done(&out);
                }
                if (frame && edge_send_frame(session->conn, frame) == 0)
                        session->fed_rev = to;
        }
        if (frame)
                edge_frame_unref(frame);
}
