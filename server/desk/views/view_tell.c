/* SPDX-License-Identifier: Apache-2.0 */
/* What connections hear of views: rows of those they have open at most ten times a second, counts at most five times.
 * The first change after a pause is told at once. A frame is made once for all connections that hear it. */
#include <stdlib.h>

#include "desk/views/views_private.h"

enum { REFS = 256 }; /* connections named by one note */

/* ---- connections ---- */

static bool is_same_ref(struct edge_ref a, struct edge_ref b)
{
        return a.slot == b.slot && a.generation == b.generation && a.thread == b.thread;
}

struct view_watcher *view_watcher_of(struct desk *desk, const struct desk_command *command, bool make)
{
        struct views *views = desk->views;
        if (command->caller.role != ROLE_AGENT || command->is_http || !sessions_find(desk, command->from))
                return NULL;
        struct view_watcher *watcher = views->watchers;
        while (watcher && !is_same_ref(watcher->ref, command->from))
                watcher = watcher->next;
        if (watcher || !make || !(watcher = calloc(1, sizeof *watcher)))
                return watcher;
        watcher->ref = command->from;
        watcher->caller = command->caller;
        watcher->definitions = views->definitions;
        watcher->next = views->watchers;
        views->watchers = watcher;
        return watcher;
}

static void forget_counts(struct view_watcher *watcher)
{
        for (size_t i = 0; i < watcher->counted_count; i++)
                view_list_unref(watcher->counted[i].list);
        free(watcher->counted);
        watcher->counted = NULL;
        watcher->counted_count = 0;
}

static void close_list(struct view_list *list)
{
        if (--list->open_count == 0) {
                list->pending_count = 0;
                list->is_reset = list->is_whole = false;
        }
        view_list_unref(list);
}

void view_close_at(struct view_watcher *watcher, uint32_t at)
{
        close_list(watcher->open[at].list);
        watcher->open[at] = watcher->open[--watcher->open_count];
}

void view_watcher_drop(struct desk *desk, struct view_watcher *watcher)
{
        struct view_watcher **link = &desk->views->watchers;
        while (*link != watcher)
                link = &(*link)->next;
        *link = watcher->next;
        for (uint32_t i = 0; i < watcher->open_count; i++)
                close_list(watcher->open[i].list);
        forget_counts(watcher);
        free(watcher);
}

void view_watcher_unneeded(struct desk *desk, struct view_watcher *watcher)
{
        if (watcher->open_count == 0 && !watcher->wants_counts)
                view_watcher_drop(desk, watcher);
}

void views_session_gone(struct desk *desk, struct edge_ref ref)
{
        struct view_watcher *watcher = desk->views ? desk->views->watchers : NULL;
        while (watcher && !is_same_ref(watcher->ref, ref))
                watcher = watcher->next;
        if (watcher)
                view_watcher_drop(desk, watcher);
}

int view_watch_counts(struct desk *desk, struct view_watcher *watcher)
{
        struct views *views = desk->views;
        struct view_counted *counted = calloc(views->view_count, sizeof *counted);
        size_t count = 0;
        if (!counted)
                return -PROTOCOL_ERR_INTERNAL;
        for (size_t i = 0; i < views->view_count; i++) {
                struct view *view = &views->views[i];
                struct view_list *list =
                        view_is_seen_by(view, &watcher->caller) ? view_list_of(desk, view, &watcher->caller) : NULL;
                if (!list)
                        continue;
                memcpy(counted[count].word, view->word, sizeof view->word);
                counted[count].list = list;
                counted[count++].told = -1;
        }
        forget_counts(watcher);
        watcher->counted = counted;
        watcher->counted_count = count;
        watcher->wants_counts = true;
        views->has_counts = true;
        view_lists_ready(desk);
        return 0;
}

/* ---- what has changed ---- */

static bool is_within(const struct view_list *list, const struct order_item *item)
{
        if (!item)
                return false;
        return list->is_whole || item->key < list->window.key ||
               (item->key == list->window.key && item->id <= list->window.id);
}

void view_list_moved(struct desk *desk, struct view_list *list, const struct order_item *was,
                     const struct order_item *is)
{
        if (!was != !is)
                desk->views->has_counts = desk->views->watchers != NULL;
        if (list->open_count == 0 || list->is_reset || !(is_within(list, was) || is_within(list, is)))
                return;
        uint64_t ext = (uint64_t)(was ? was : is)->id;
        desk->views->has_rows = true;
        for (uint32_t i = 0; i < list->pending_count; i++)
                if (list->pending[i] == ext)
                        return;
        if (list->pending_count == VIEWS_PENDING)
                list->is_reset = true;
        else
                list->pending[list->pending_count++] = ext;
}

/* ---- telling ---- */

static void send_to(struct desk *desk, enum note_kind kind, struct edge_frame *frame, uint32_t thread,
                    const struct edge_ref *refs, size_t count)
{
        struct span bytes = {(const char *)refs, count * sizeof *refs};
        struct desk_note *note = count > 0 ? note_new(kind, (struct edge_ref){0}, bytes) : NULL;
        if (!note)
                return; /* a gap in the turns, or the next count, shows it */
        note->frame = edge_frame_ref(frame);
        desk_leave(desk, thread, note);
}

/* To every connection that has the list open under that name. */
static void send_to_open(struct desk *desk, struct edge_frame *frame, const struct view_list *list, const char *word)
{
        for (uint32_t thread = 0; thread < desk->sink_count; thread++) {
                struct edge_ref refs[REFS];
                size_t count = 0;
                for (const struct view_watcher *at = desk->views->watchers; at; at = at->next) {
                        if (at->ref.thread != thread)
                                continue;
                        for (uint32_t i = 0; i < at->open_count; i++)
                                if (at->open[i].list == list && strcmp(at->open[i].word, word) == 0)
                                        refs[count++] = at->ref;
                        if (count + 1 < REFS)
                                continue;
                        send_to(desk, NOTE_VIEW, frame, thread, refs, count);
                        count = 0;
                }
                send_to(desk, NOTE_VIEW, frame, thread, refs, count);
        }
}

static struct edge_frame *finish(struct writer *writer)
{
        frame_end(writer);
        struct edge_frame *frame = writer->failed ? NULL : edge_frame_new((struct span){writer->bytes, writer->len});
        writer_done(writer);
        return frame;
}

/* Room for what one event says. Desk thread only. */
static struct protocol_view_ticket rows[VIEWS_PENDING];
static char places[VIEWS_PENDING][VIEW_PLACE + 1];
static uint64_t left[VIEWS_PENDING];

/* False: more than one event holds. */
static bool collect(struct desk *desk, const struct view_list *list, struct protocol_event_view *event)
{
        size_t bytes = 0;
        event->rows = rows;
        event->left = left;
        for (uint32_t i = 0; i < list->pending_count; i++) {
                const struct ticket *ticket = tickets_find(desk, list->pending[i]);
                const struct seen *seen = seen_find(desk->views, list->pending[i]);
                struct order_item item = seen ? view_item(list, seen) : (struct order_item){0};
                if (!ticket || !seen || !order_has(&list->order, item)) {
                        left[event->left_count++] = list->pending[i];
                        continue;
                }
                struct protocol_view_ticket *row = &rows[event->rows_count];
                view_row_fill(desk, ticket, item, places[event->rows_count++], row);
                bytes += view_brief_bytes(&row->ticket, row->customer_name);
        }
        return bytes < PROTOCOL_PAGE_BYTES;
}

static struct edge_frame *frame_of(const struct protocol_event_view *event)
{
        struct writer writer;
        writer_init(&writer, NULL, 0);
        frame_call_begin(&writer, NULL, SPAN("view"));
        protocol_event_view_write(&writer, event);
        return finish(&writer);
}

static void tell_list(struct desk *desk, struct view_list *list)
{
        struct protocol_event_view event = {.turn = (int64_t)++list->turn, .count = (int64_t)order_count(&list->order)};
        if (list->is_reset || !collect(desk, list, &event)) {
                event.rows_count = event.left_count = 0;
                event.has_reset = event.reset = true;
        }
        list->pending_count = 0;
        list->is_reset = false;
        for (size_t i = 0; i < desk->views->view_count; i++) { /* usually one view has this list */
                const char *word = desk->views->views[i].word;
                bool is_open = false;
                for (const struct view_watcher *at = desk->views->watchers; at && !is_open; at = at->next)
                        for (uint32_t o = 0; o < at->open_count; o++)
                                is_open = is_open || (at->open[o].list == list && strcmp(at->open[o].word, word) == 0);
                if (!is_open)
                        continue;
                event.view = span_of(word);
                struct edge_frame *frame = frame_of(&event);
                if (!frame)
                        continue;
                send_to_open(desk, frame, list, word);
                edge_frame_unref(frame);
        }
}

static void tell_counts_to(struct desk *desk, struct view_watcher *watcher)
{
        static struct protocol_view_count counts[VIEWS_BUILT_IN + VIEWS_SAVED]; /* desk thread only */
        struct protocol_event_views event = {.counts = counts};
        for (size_t i = 0; i < watcher->counted_count; i++) {
                struct view_counted *counted = &watcher->counted[i];
                int64_t count = (int64_t)order_count(&counted->list->order);
                if (count == counted->told)
                        continue;
                counted->told = count;
                counts[event.counts_count++] = (struct protocol_view_count){span_of(counted->word), count};
        }
        if (event.counts_count == 0)
                return;
        struct writer writer;
        writer_init(&writer, NULL, 0);
        frame_call_begin(&writer, NULL, SPAN("views"));
        protocol_event_views_write(&writer, &event);
        struct edge_frame *frame = finish(&writer);
        if (!frame)
                return;
        send_to(desk, NOTE_VIEW_COUNTS, frame, watcher->ref.thread, &watcher->ref, 1);
        edge_frame_unref(frame);
}

void view_tell_due(struct desk *desk)
{
        struct views *views = desk->views;
        uint64_t now_ms = clock_mono_ms();
        if (views->has_rows && now_ms >= views->rows_told_ms + VIEWS_ROWS_EVERY_MS) {
                views->has_rows = false;
                views->rows_told_ms = now_ms;
                for (struct view_list *list = views->lists; list; list = list->next)
                        if (list->open_count > 0 && (list->pending_count > 0 || list->is_reset))
                                tell_list(desk, list);
        }
        if (views->has_counts && now_ms >= views->counts_told_ms + VIEWS_COUNTS_EVERY_MS) {
                views->has_counts = false;
                views->counts_told_ms = now_ms;
                for (struct view_watcher *at = views->watchers; at; at = at->next)
                        tell_counts_to(desk, at);
        }
}

/* ---- views were changed ---- */

/* An open view whose list is another one now: it is read again. One that is gone is closed. */
static void sync_open(struct desk *desk, struct view_watcher *watcher)
{
        for (uint32_t i = 0; i < watcher->open_count;) {
                struct view_open *open = &watcher->open[i];
                struct view *view = view_find(desk, &watcher->caller, span_of(open->word));
                struct view_list *list = view ? view_list_of(desk, view, &watcher->caller) : NULL;
                if (list == open->list) {
                        view_list_unref(list);
                        i++;
                        continue;
                }
                struct protocol_event_view event = {.view = span_of(open->word),
                                                    .turn = (int64_t)++open->list->turn,
                                                    .has_reset = true,
                                                    .reset = true};
                struct edge_frame *frame = frame_of(&event);
                if (frame) {
                        send_to(desk, NOTE_VIEW, frame, watcher->ref.thread, &watcher->ref, 1);
                        edge_frame_unref(frame);
                }
                view_list_unref(list);
                view_close_at(watcher, i);
        }
}

void view_watchers_sync(struct desk *desk)
{
        struct view_watcher *next;
        for (struct view_watcher *watcher = desk->views->watchers; watcher; watcher = next) {
                next = watcher->next;
                if (watcher->definitions == desk->views->definitions || !desk->views->is_fresh)
                        continue;
                watcher->definitions = desk->views->definitions;
                sync_open(desk, watcher);
                if (watcher->wants_counts)
                        view_watch_counts(desk, watcher);
                view_watcher_unneeded(desk, watcher);
        }
}
