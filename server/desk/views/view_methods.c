/* SPDX-License-Identifier: Apache-2.0 */
/* Methods of views: saved, changed, removed, listed, opened. */
#include <stdlib.h>

#include "desk/views/views_private.h"

/* ---- saving ---- */

static int check_name(struct desk *desk, struct span name, int64_t owner, const struct view *self, struct fault *fault)
{
        for (size_t i = 0; i < desk->views->view_count; i++) {
                const struct view *view = &desk->views->views[i];
                if (view != self && view->owner == owner && span_equal(span_of(view->name), name))
                        return fault_set(fault, PROTOCOL_ERR_CONFLICT, "name", "a name that no other view has");
        }
        return 0;
}

/* The views have changed, and a shared one's change is an administrative act. */
static int changed(struct desk *desk, const struct desk_command *command, int64_t owner, const char *action,
                   uint64_t ext, struct span name)
{
        desk->views->is_fresh = false;
        return owner == 0 ? admin_audit(desk, &command->caller, action, "vie", ext, name) : 0;
}

int handle_view_add(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_view_add *params = command->params;
        bool is_shared = command->caller.role != ROLE_AGENT || (params->has_shared && params->shared);
        int64_t owner = is_shared ? 0 : command->caller.principal;
        struct span when = {0};
        int rc = is_shared ? people_authorize(desk, &command->caller, PROTOCOL_MAY_VIEW_SHARED) : 0;
        if (rc == 0)
                rc = views_refresh(desk);
        if (rc == 0)
                rc = check_name(desk, params->name, owner, NULL, fault);
        if (rc == 0)
                rc = rules_canonical(desk, &command->arena, params->when, CONDITION_OF_VIEW, "when", NULL, &when,
                                     fault);
        if (rc == 0 && desk->views->view_count >= VIEWS_BUILT_IN + VIEWS_SAVED)
                rc = fault_set(fault, PROTOCOL_ERR_TOO_MANY, "", "at most 500 views");
        if (rc < 0)
                return rc;
        struct protocol_view_add_result result = {.view = desk_new_id(desk)};
        struct db_stmt *stmt = db_stmt(desk->db, SQL_VIEW_INSERT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, (int64_t)result.view);
        db_bind_int(stmt, 3, owner);
        db_bind_text(stmt, 4, params->name);
        db_bind_text(stmt, 5, when);
        db_bind_int(stmt, 6, params->sort);
        db_bind_int(stmt, 7, desk->now_ms);
        rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        protocol_view_add_result_write(out, &result);
        return changed(desk, command, owner, "view.add", result.view, params->name);
}

/* A saved view that the caller may change. 0 or a negative protocol error. */
static int find_own(struct desk *desk, const struct caller *caller, uint64_t ext, struct view **out_view,
                    struct fault *fault)
{
        char word[VIEW_WORD] = {0};
        int rc = views_refresh(desk);
        if (rc < 0)
                return rc;
        id_write(word, "vie", ext);
        struct view *view = view_find(desk, caller, span_of(word));
        if (!view)
                return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "view", "a saved view");
        *out_view = view;
        return view->owner == 0 ? people_authorize(desk, caller, PROTOCOL_MAY_VIEW_SHARED) : 0;
}

int handle_view_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_view_set *params = command->params;
        struct view *view = NULL;
        int rc = find_own(desk, &command->caller, params->view, &view, fault);
        if (rc < 0 || !view)
                return rc;
        if (params->has_name)
                rc = check_name(desk, params->name, view->owner, view, fault);
        struct span when = span_of(view->text);
        if (rc == 0 && params->has_when)
                rc = rules_canonical(desk, &command->arena, params->when, CONDITION_OF_VIEW, "when", NULL, &when,
                                     fault);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_VIEW_SAVE);
        db_bind_int(stmt, 1, view->id);
        db_bind_text(stmt, 2, params->has_name ? params->name : span_of(view->name));
        db_bind_text(stmt, 3, when);
        db_bind_int(stmt, 4, params->has_sort ? (int64_t)params->sort : (int64_t)view->sort);
        rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        struct protocol_view_set_result result = {0};
        protocol_view_set_result_write(out, &result);
        return changed(desk, command, view->owner, "view.set", params->view, span_of(view->name));
}

int handle_view_remove(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_view_remove *params = command->params;
        struct view *view = NULL;
        int rc = find_own(desk, &command->caller, params->view, &view, fault);
        if (rc < 0 || !view)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_VIEW_DELETE);
        db_bind_int(stmt, 1, view->id);
        rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        struct protocol_view_remove_result result = {0};
        protocol_view_remove_result_write(out, &result);
        return changed(desk, command, view->owner, "view.remove", params->view, span_of(view->name));
}

/* ---- listing ---- */

enum { SHOWN_BYTES = 40000 };

static struct span shown(struct desk *desk, struct arena *arena, const struct view *view)
{
        struct condition *condition = rules_stored(desk, span_of(view->text), CONDITION_OF_VIEW);
        struct writer text;
        struct span result = span_of(view->text);
        writer_init(&text, NULL, 0);
        if (condition)
                condition_print(condition, rules_show, desk, &text);
        condition_free(condition);
        char *kept = !text.failed && text.len > 0 && text.len <= SHOWN_BYTES ? arena_take(arena, text.len) : NULL;
        if (kept) {
                memcpy(kept, text.bytes, text.len);
                result = (struct span){kept, text.len};
        }
        writer_done(&text);
        return result;
}

static struct protocol_view_row row_of(struct desk *desk, struct desk_command *command, struct view *view)
{
        struct protocol_view_row row = {.view = span_of(view->word),
                                        .name = span_of(view->name),
                                        .when = span_of(view->text),
                                        .shown = shown(desk, &command->arena, view),
                                        .sort = (enum protocol_view_row_sort)view->sort,
                                        .shared = view->owner == 0,
                                        .built_in = view->id == 0};
        if (view->is_personal && command->caller.role != ROLE_AGENT)
                return row;
        struct view_list *list = view_list_of(desk, view, &command->caller);
        row.has_count = list != NULL;
        row.count = list ? (int64_t)order_count(&list->order) : 0;
        view_list_unref(list);
        return row;
}

static int watch(struct desk *desk, const struct desk_command *command, bool wants)
{
        struct view_watcher *watcher = view_watcher_of(desk, command, wants);
        if (!watcher)
                return 0;
        if (wants)
                return watcher->wants_counts ? 0 : view_watch_counts(desk, watcher);
        watcher->wants_counts = false;
        view_watcher_unneeded(desk, watcher);
        return 0;
}

/* All lists of the caller are filled in one walk. */
static void prepare(struct desk *desk, const struct caller *caller)
{
        for (size_t i = 0; i < desk->views->view_count; i++) {
                const struct view *view = &desk->views->views[i];
                if (view_is_seen_by(view, caller) && !(view->is_personal && caller->role != ROLE_AGENT))
                        view_list_unref(view_list_of(desk, view, caller));
        }
        view_lists_ready(desk);
}

/* The index behind the view of that name; 0 = there is none. */
static size_t behind(struct desk *desk, const struct caller *caller, struct span word)
{
        const struct view *view = view_find(desk, caller, word);
        return view ? (size_t)(view - desk->views->views) + 1 : 0;
}

int handle_view_list(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_view_list *params = command->params;
        enum { LIMIT = 100, ROW_BYTES = 1024 };
        struct protocol_view_list_result result = {0};
        int rc = views_refresh(desk);
        if (rc < 0)
                return rc;
        size_t limit = params->has_limit ? (size_t)params->limit : LIMIT, bytes = 0;
        size_t at = params->has_after ? behind(desk, &command->caller, params->after) : 0;
        if (params->has_after && at == 0)
                return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "after", "a view");
        result.views = arena_take(&command->arena, limit * sizeof *result.views);
        if (!result.views)
                return -PROTOCOL_ERR_INTERNAL;
        prepare(desk, &command->caller);
        for (; at < desk->views->view_count; at++) {
                if (!view_is_seen_by(&desk->views->views[at], &command->caller))
                        continue;
                result.more = result.views_count == limit;
                if (result.more)
                        break;
                struct protocol_view_row row = row_of(desk, command, &desk->views->views[at]);
                bytes += row.when.len + row.shown.len + ROW_BYTES;
                result.more = bytes > PROTOCOL_PAGE_BYTES && result.views_count > 0;
                if (result.more)
                        break;
                result.views[result.views_count++] = row;
        }
        if (params->has_watch && (rc = watch(desk, command, params->watch)) < 0)
                return rc;
        protocol_view_list_result_write(out, &result);
        return 0;
}

/* ---- opening ---- */

/* The connection hears of the list from now on. 0 or a negative protocol error; nothing for who has no connection. */
static int subscribe(struct desk *desk, const struct desk_command *command, const struct view *view,
                     struct view_list *list, struct fault *fault)
{
        struct view_watcher *watcher = view_watcher_of(desk, command, true);
        if (!watcher)
                return 0;
        for (uint32_t i = 0; i < watcher->open_count; i++)
                if (strcmp(watcher->open[i].word, view->word) == 0)
                        return 0;
        if (watcher->open_count == VIEWS_OPEN)
                return fault_set(fault, PROTOCOL_ERR_TOO_MANY, "view", "at most 8 views open on a connection");
        if (!list->pending && !(list->pending = calloc(VIEWS_PENDING, sizeof *list->pending))) {
                view_watcher_unneeded(desk, watcher);
                return -PROTOCOL_ERR_INTERNAL;
        }
        struct view_open *open = &watcher->open[watcher->open_count++];
        memcpy(open->word, view->word, sizeof open->word);
        open->list = list;
        list->refs++;
        if (list->open_count++ == 0)
                list->window = (struct order_item){INT64_MIN, 0};
        return 0;
}

/* Somebody has read the list as far as that: what changes up to there is told. */
static void widen(struct view_list *list, const struct order_item *last, bool more)
{
        if (list->open_count == 0)
                return;
        if (!more)
                list->is_whole = true;
        else if (last &&
                 (last->key > list->window.key || (last->key == list->window.key && last->id > list->window.id)))
                list->window = *last;
}

struct page {
        struct protocol_view_ticket *rows;
        size_t count;
        bool more;
};

static int read_page(struct desk *desk, struct arena *arena, struct view_list *list, const struct order_item *after,
                     size_t limit, struct page *out_page)
{
        enum { MOST = 100 };
        struct order_item items[MOST + 1];
        size_t got = order_page(&list->order, after, items, limit + 1);
        char(*places)[VIEW_PLACE + 1] = arena_take(arena, limit * sizeof *places);
        out_page->rows = arena_take(arena, limit * sizeof *out_page->rows);
        if (!places || !out_page->rows)
                return -PROTOCOL_ERR_INTERNAL;
        size_t read = 0, bytes = 0;
        for (; read < got && read < limit && bytes < PROTOCOL_PAGE_BYTES; read++) {
                const struct ticket *ticket = tickets_find(desk, (uint64_t)items[read].id);
                if (!ticket)
                        continue; /* closed in this batch */
                struct protocol_view_ticket *row = &out_page->rows[out_page->count];
                view_row_fill(desk, ticket, items[read], places[out_page->count], row);
                bytes += view_brief_bytes(&row->ticket, row->customer_name);
                out_page->count++;
        }
        out_page->more = read < got;
        widen(list, read > 0 ? &items[read - 1] : NULL, out_page->more);
        return 0;
}

int handle_view_open(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_view_open *params = command->params;
        enum { LIMIT = 50 };
        struct order_item after;
        struct page page = {0};
        int rc = views_refresh(desk);
        if (rc < 0)
                return rc;
        struct view *view = view_find(desk, &command->caller, params->view);
        if (!view)
                return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "view", "a view");
        if (params->has_after && view_place_read(params->after, &after) < 0)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "after", "`at` of a row");
        struct view_list *list = view_list_of(desk, view, &command->caller);
        if (!list)
                return -PROTOCOL_ERR_INTERNAL;
        view_lists_ready(desk);
        rc = list->is_broken ? -PROTOCOL_ERR_INTERNAL : subscribe(desk, command, view, list, fault);
        if (rc == 0)
                rc = read_page(desk, &command->arena, list, params->has_after ? &after : NULL,
                               params->has_limit ? (size_t)params->limit : LIMIT, &page);
        struct protocol_view_open_result result = {.rows = page.rows,
                                                   .rows_count = page.count,
                                                   .more = page.more,
                                                   .count = (int64_t)order_count(&list->order),
                                                   .turn = (int64_t)list->turn};
        if (rc == 0)
                protocol_view_open_result_write(out, &result);
        view_list_unref(list);
        return rc;
}

int handle_view_close(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_view_close *params = command->params;
        struct view_watcher *watcher = view_watcher_of(desk, command, false);
        bool is_open = false;
        for (uint32_t i = 0; watcher && i < watcher->open_count && !is_open; i++)
                if (span_equal(span_of(watcher->open[i].word), params->view)) {
                        view_close_at(watcher, i);
                        is_open = true;
                }
        if (!is_open)
                return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "view", "a view that this connection has open");
        view_watcher_unneeded(desk, watcher);
        struct protocol_view_close_result result = {0};
        protocol_view_close_result_write(out, &result);
        return 0;
}
