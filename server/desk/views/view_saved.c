/* SPDX-License-Identifier: Apache-2.0 */
/* The views that there are: the built-in ones and those that were saved, as the store has them. */
#include <stdio.h>
#include <stdlib.h>

#include "desk/views/views_private.h"

static const struct {
        const char *word, *name, *text;
        enum view_sort sort;
} built_in[VIEWS_BUILT_IN] = {
        {"mine", "Mine", "assignee = me and status in (pending, open, waiting, on_hold)", VIEW_ACTIVITY},
        {"unassigned", "Unassigned", "status = pending and assignee is not set", VIEW_PRIORITY},
        {"my_teams", "My teams", "team = mine and status in (pending, open, waiting, on_hold)", VIEW_ACTIVITY},
        {"open", "All open", "status in (pending, open, waiting, on_hold)", VIEW_ACTIVITY},
        {"waiting", "Waiting for the customer", "status = waiting", VIEW_ACTIVITY},
        {"overdue", "Overdue", "due < 0s", VIEW_DUE},
        {"snoozed", "Snoozed", "status = snoozed", VIEW_ACTIVITY},
};

/* ---- reading ---- */

static void view_done(struct view *view)
{
        view_list_unref(view->pinned);
        free(view->name);
        free(view->text);
}

static void free_views(struct view *all, size_t count)
{
        for (size_t i = 0; all && i < count; i++)
                view_done(&all[i]);
        free(all);
}

void views_free_definitions(struct desk *desk)
{
        free_views(desk->views->views, desk->views->view_count);
        desk->views->views = NULL;
        desk->views->view_count = 0;
        desk->views->is_fresh = false;
}

static int put_texts(struct desk *desk, struct view *view, struct span name, struct span text)
{
        struct condition *condition = rules_stored(desk, text, CONDITION_OF_VIEW);
        view->is_personal = condition && condition_is_personal(condition);
        condition_free(condition);
        view->name = strndup(name.at ? name.at : "", name.len);
        view->text = strndup(text.at ? text.at : "", text.len);
        return view->name && view->text ? DB_OK : DB_NOMEM;
}

static int put_built_in(struct desk *desk, struct view *views)
{
        for (size_t i = 0; i < VIEWS_BUILT_IN; i++) {
                views[i].sort = built_in[i].sort;
                snprintf(views[i].word, sizeof views[i].word, "%s", built_in[i].word);
                int rc = put_texts(desk, &views[i], span_of(built_in[i].name), span_of(built_in[i].text));
                if (rc < 0)
                        return rc;
        }
        return DB_OK;
}

static int read_view(struct desk *desk, struct db_stmt *stmt, struct view *view)
{
        view->id = db_int(stmt, 0);
        id_write(view->word, "vie", (uint64_t)db_int(stmt, 1));
        view->owner = db_int(stmt, 2);
        view->sort = (enum view_sort)db_int(stmt, 5);
        if (view->sort < VIEW_ACTIVITY || view->sort >= VIEW_SORTS)
                view->sort = VIEW_ACTIVITY;
        return put_texts(desk, view, db_text(stmt, 3), db_text(stmt, 4));
}

static int read_saved(struct desk *desk, struct view *views, size_t *count)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_VIEWS_ALL);
        db_bind_int(stmt, 1, desk->workspace);
        int rc = DB_OK;
        while (*count < VIEWS_BUILT_IN + VIEWS_SAVED && (rc = db_step(stmt)) == DB_ROW) {
                (*count)++;
                if ((rc = read_view(desk, stmt, &views[*count - 1])) < 0)
                        break;
        }
        db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

int views_refresh(struct desk *desk)
{
        if (desk->views->is_fresh)
                return 0;
        struct view *all = calloc(VIEWS_BUILT_IN + VIEWS_SAVED, sizeof *all);
        size_t count = VIEWS_BUILT_IN;
        int rc = all ? put_built_in(desk, all) : DB_NOMEM;
        if (rc >= 0)
                rc = read_saved(desk, all, &count);
        if (rc >= 0 && view_lists_pin(desk, all, count) != 0)
                rc = DB_NOMEM;
        if (rc < 0) {
                free_views(all, count);
                return desk_db_failed(desk, rc);
        }
        views_free_definitions(desk);
        desk->views->views = all;
        desk->views->view_count = count;
        desk->views->is_fresh = true;
        desk->views->definitions++;
        return 0;
}

/* ---- finding ---- */

bool view_is_seen_by(const struct view *view, const struct caller *caller)
{
        return view->owner == 0 || (caller->role == ROLE_AGENT && view->owner == caller->principal);
}

struct view *view_find(struct desk *desk, const struct caller *caller, struct span word)
{
        for (size_t i = 0; i < desk->views->view_count; i++) {
                struct view *view = &desk->views->views[i];
                if (span_equal(span_of(view->word), word))
                        return view_is_seen_by(view, caller) ? view : NULL;
        }
        return NULL;
}

struct view_list *view_list_of(struct desk *desk, const struct view *view, const struct caller *caller)
{
        return view_list_for(desk, caller, span_of(view->text), view->sort, view->is_personal);
}
