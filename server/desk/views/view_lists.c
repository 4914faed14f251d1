/* SPDX-License-Identifier: Apache-2.0 */
/* Lists: what is in them, kept up to date. A ticket's former places follow from its `seen`, so a list needs no index
 * beside its order. Always true: a list that is not broken holds an item for a ticket exactly when its condition held
 * and its readers might read it when the ticket was last told. */
#include <stdlib.h>

#include "desk/views/views_private.h"

enum {
        LISTS_AT_ONCE = 512, /* filled in one walk */
        TOLD_MS = 200,
};

/* ---- who may read, what holds ---- */

static int compare_ids(const void *a, const void *b)
{
        int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
        return x < y ? -1 : x > y;
}

bool view_may_read(struct desk *desk, const struct view_list *list, const struct ticket *ticket)
{
        if (list->reach == 0)
                return true;
        const struct agent_profile *agent = people_agent(desk, list->reach);
        return agent && (people_reaches(agent, ticket->team, ticket->assignee) ||
                         (list->invited_count > 0 && bsearch(&ticket->conv, list->invited, list->invited_count,
                                                             sizeof *list->invited, compare_ids)));
}

/* Reads again what the agent of a bounded list was invited to. False: the store failed, or memory ran out. */
static bool read_invited(struct desk *desk, struct view_list *list)
{
        int64_t *invited = NULL;
        size_t count = 0, room = 0;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_VIEW_INVITED);
        db_bind_int(stmt, 1, list->reach);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                if (count == room) {
                        room = room ? room * 2 : 16;
                        int64_t *more = realloc(invited, room * sizeof *invited);
                        if (!more) {
                                rc = DB_NOMEM;
                                break;
                        }
                        invited = more;
                }
                invited[count++] = db_int(stmt, 0);
        }
        db_reset(stmt);
        if (rc < 0) {
                free(invited);
                return false;
        }
        free(list->invited);
        list->invited = invited;
        list->invited_count = count;
        return true;
}

bool view_holds(struct desk *desk, const struct view_list *list, const struct ticket *ticket)
{
        struct fact_scene scene = view_scene(desk, ticket, list->me);
        return list->condition && condition_holds(list->condition, &rules_world, &scene) == 1;
}

static bool belongs(struct desk *desk, const struct view_list *list, const struct ticket *ticket)
{
        return view_holds(desk, list, ticket) && view_may_read(desk, list, ticket);
}

/* ---- a ticket has changed ---- */

static void list_hears(struct desk *desk, struct view_list *list, const struct ticket *ticket,
                       const struct seen *before, const struct seen *after, bool is_gone)
{
        struct order_item old = view_item(list, before), now = view_item(list, after);
        bool was = before->keys[0] != 0 && order_has(&list->order, old);
        bool is = !is_gone && belongs(desk, list, ticket), has_moved = old.key != now.key;
        if (!was && !is)
                return;
        if (is && (!was || has_moved) && order_insert(&list->order, now) < 0)
                list->is_broken = true;
        if (was && (!is || has_moved))
                order_remove(&list->order, old);
        view_list_moved(desk, list, was ? &old : NULL, is ? &now : NULL);
}

void views_committed(struct desk *desk, struct ticket *ticket, bool is_gone)
{
        struct views *views = desk->views;
        if (!views)
                return; /* while the desk is opened */
        struct seen *seen = seen_find(views, ticket->ext);
        bool is_known = seen != NULL;
        if (!seen && (is_gone || !(seen = seen_add(views, ticket->ext)))) {
                for (struct view_list *list = views->lists; !is_gone && list; list = list->next)
                        list->is_broken = true;
                return;
        }
        struct seen before = *seen;
        before.keys[0] = is_known; /* whether lists may have it */
        seen_keys(desk, ticket, seen->keys);
        for (struct view_list *list = views->lists; list; list = list->next)
                if (!list->is_broken)
                        list_hears(desk, list, ticket, &before, seen, is_gone);
        seen_set_turns(views, seen, is_gone ? INT64_MAX : seen_next_turn(desk, ticket));
        if (is_gone)
                seen_forget(views, seen);
}

void views_reach_moved(struct desk *desk, int64_t conv)
{
        struct views *views = desk->views;
        if (views && views->moved_count < VIEWS_MOVED)
                views->moved[views->moved_count] = conv;
        if (views)
                views->moved_count++;
}

/* Somebody was invited, or is not any more: what is bounded is looked at again. */
static void run_moved(struct desk *desk)
{
        struct views *views = desk->views;
        size_t count = views->moved_count;
        views->moved_count = 0;
        for (struct view_list *list = views->lists; count > 0 && list; list = list->next)
                if (list->reach != 0)
                        list->is_broken |= !read_invited(desk, list) || count > VIEWS_MOVED;
        for (size_t i = 0; count <= VIEWS_MOVED && i < count; i++) {
                struct ticket *ticket = tickets_of_conversation(desk, views->moved[i]);
                if (ticket)
                        views_committed(desk, ticket, false);
        }
}

/* ---- lists come and go ---- */

/* Empty, and marked as to be filled. */
static struct view_list *list_new(struct desk *desk, struct span text, enum view_sort sort, int64_t me)
{
        struct view_list *list = calloc(1, sizeof *list);
        if (!list || !(list->text = strndup(text.at ? text.at : "", text.len))) {
                free(list);
                return NULL;
        }
        list->sort = sort;
        list->me = me;
        list->is_broken = true;
        list->condition = rules_stored(desk, text, CONDITION_OF_VIEW);
        list->next = desk->views->lists;
        desk->views->lists = list;
        return list;
}

static void list_free(struct view_list *list)
{
        order_done(&list->order);
        condition_free(list->condition);
        free(list->pending);
        free(list->invited);
        free(list->text);
        free(list);
}

void view_list_unref(struct view_list *list)
{
        if (list)
                list->refs--;
}

/* The agent whose reach bounds what the caller sees; NULL = nothing bounds it. */
static const struct agent_profile *bounding(const struct desk *desk, const struct caller *caller)
{
        const struct agent_profile *agent = caller->role == ROLE_AGENT ? people_agent(desk, caller->principal) : NULL;
        return agent && !people_may(agent, PROTOCOL_MAY_READ_ALL) ? agent : NULL;
}

struct view_list *view_list_for(struct desk *desk, const struct caller *caller, struct span text, enum view_sort sort,
                                bool is_personal)
{
        const struct agent_profile *agent = caller ? bounding(desk, caller) : NULL;
        int64_t me = caller && is_personal ? caller->principal : 0;
        int64_t reach = agent ? agent->id : 0;
        uint64_t rev = agent ? agent->reach_rev : 0;
        struct view_list *list = desk->views->lists;
        while (list && !(list->sort == sort && list->me == me && list->reach == reach && list->reach_rev == rev &&
                         span_equal(span_of(list->text), text)))
                list = list->next;
        if (!list && (list = list_new(desk, text, sort, me)) != NULL) {
                list->reach = reach;
                list->reach_rev = rev;
        }
        if (list)
                list->refs++;
        return list;
}

int view_lists_ready(struct desk *desk)
{
        struct view_list *broken[LISTS_AT_ONCE];
        size_t count = 0;
        int rc = 0;
        for (struct view_list *list = desk->views->lists; list; list = list->next) {
                if (!list->is_broken)
                        continue;
                if (list->open_count > 0)
                        list->is_reset = true;
                desk->views->has_rows = desk->views->has_counts = true;
                if (desk->views->all[list->sort] == list)
                        rc |= view_fill_all(desk, list->sort);
                else if (list->reach == 0 || read_invited(desk, list))
                        broken[count++] = list;
                if (count == LISTS_AT_ONCE) {
                        rc |= view_fill(desk, broken, count);
                        count = 0;
                }
        }
        return (count > 0 ? view_fill(desk, broken, count) : 0) | rc;
}

int view_lists_pin(struct desk *desk, struct view *views, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (views[i].owner == 0 && !views[i].is_personal)
                        views[i].pinned = view_list_for(desk, NULL, span_of(views[i].text), views[i].sort, false);
        return view_lists_ready(desk);
}

void view_lists_sweep(struct desk *desk)
{
        struct view_list **link = &desk->views->lists;
        while (*link) {
                struct view_list *list = *link;
                if (list->refs == 0) {
                        *link = list->next;
                        list_free(list);
                        continue;
                }
                link = &list->next;
        }
        view_lists_ready(desk); /* what could not be filled is tried again in the next turn */
}

void view_lists_young(struct desk *desk, bool is_kept)
{
        for (struct view_list *list = desk->views->lists; list; list = list->next) {
                list->is_broken = list->is_broken || (list->is_young && !is_kept);
                list->is_young = false;
        }
}

/* ---- life ---- */

int views_init(struct desk *desk)
{
        struct views *views = calloc(1, sizeof *views);
        struct ticket *ticket;
        if (!views || seen_init(views) < 0) {
                free(views);
                return DB_NOMEM;
        }
        uint64_t start_ms = clock_mono_ms();
        desk->views = views;
        desk->now_ms = clock_wall_ms();
        tickets_each(desk, at, ticket)
        {
                struct seen *seen = seen_add(views, ticket->ext);
                if (!seen)
                        return DB_NOMEM;
                seen_keys(desk, ticket, seen->keys);
        }
        for (int sort = 1; sort < VIEW_SORTS; sort++) {
                views->all[sort] = list_new(desk, SPAN(""), (enum view_sort)sort, 0);
                if (!views->all[sort] || view_fill_all(desk, (enum view_sort)sort) < 0)
                        return DB_NOMEM;
                views->all[sort]->refs++;
        }
        int rc = views_refresh(desk);
        if (rc < 0) {
                rc = desk->db_failure < 0 ? desk->db_failure : DB_NOMEM;
                desk->db_failure = 0;
                return rc;
        }
        if (clock_mono_ms() - start_ms >= TOLD_MS) /* an operator who waits for a start wants to know why */
                log_info(&desk->log, "views are filled", "tickets", desk->tickets.count, "views", views->view_count,
                         "ms", clock_mono_ms() - start_ms);
        return DB_OK;
}

void views_done(struct desk *desk)
{
        struct views *views = desk->views;
        if (!views)
                return;
        while (views->watchers)
                view_watcher_drop(desk, views->watchers);
        views_free_definitions(desk);
        while (views->lists) {
                struct view_list *next = views->lists->next;
                list_free(views->lists);
                views->lists = next;
        }
        order_done(&views->turns);
        seen_free_all(views);
        free(views);
        desk->views = NULL;
}

void views_rolled_back(struct desk *desk)
{
        if (!desk->views)
                return;
        desk->views->is_fresh = false;
        view_lists_young(desk, false);
}

/* Tickets for which a moment has come that some condition speaks of. */
static void run_turns(struct desk *desk)
{
        struct order_item item;
        while (order_page(&desk->views->turns, NULL, &item, 1) == 1 && item.key <= desk->now_ms) {
                struct ticket *ticket = tickets_find(desk, (uint64_t)item.id);
                struct seen *seen = seen_find(desk->views, (uint64_t)item.id);
                if (!ticket || !seen) {
                        order_remove(&desk->views->turns, item);
                        continue;
                }
                views_committed(desk, ticket, false);
        }
}

void views_turn(struct desk *desk)
{
        if (!desk->views)
                return;
        view_lists_young(desk, true);
        run_moved(desk);
        run_turns(desk);
        if (!desk->views->is_fresh && views_refresh(desk) < 0)
                desk->db_failure = 0; /* tried again in the next turn */
        view_watchers_sync(desk);
        view_lists_sweep(desk);
        view_tell_due(desk);
}

uint64_t views_due_mono_ms(const struct desk *desk)
{
        const struct views *views = desk->views;
        uint64_t due_ms = UINT64_MAX;
        struct order_item item;
        if (!views)
                return due_ms;
        if (views->has_rows)
                due_ms = views->rows_told_ms + VIEWS_ROWS_EVERY_MS;
        if (views->has_counts && views->counts_told_ms + VIEWS_COUNTS_EVERY_MS < due_ms)
                due_ms = views->counts_told_ms + VIEWS_COUNTS_EVERY_MS;
        if (order_page(&views->turns, NULL, &item, 1) == 1) {
                int64_t wall_ms = clock_wall_ms();
                uint64_t turns_ms = clock_mono_ms() + (uint64_t)(item.key > wall_ms ? item.key - wall_ms : 0);
                due_ms = turns_ms < due_ms ? turns_ms : due_ms;
        }
        return due_ms;
}
