/* SPDX-License-Identifier: Apache-2.0 */
/* Lists: what is in them, kept up to date. A ticket's former places follow from its `seen`, so a list needs no index
 * beside its order; which lists a change concerns follows from its row of bits. Always true: a list that is not broken
 * holds an item for a ticket exactly when its condition held and its readers might read it when the ticket was last
 * told; the question of such a list is known. */
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

/* It has to be filled. */
static void list_break(struct view_list *list)
{
        list->is_broken = list->views->has_broken = true;
}

/* ---- a ticket has changed ---- */

struct change {
        const struct ticket *ticket;
        struct seen before, after;
};

/* `held`, `holds`: whether its condition did before the change, and does now. */
static void list_hears(struct desk *desk, struct view_list *list, const struct change *change, bool held, bool holds)
{
        struct order_item old = view_item(list, &change->before), now = view_item(list, &change->after);
        bool was = held && (list->reach == 0 || order_has(&list->order, old));
        bool is = holds && view_may_read(desk, list, change->ticket), has_moved = old.key != now.key;
        if (!was && !is)
                return;
        if (is && (!was || has_moved) && order_insert(&list->order, now) < 0)
                list_break(list);
        if (was && (!is || has_moved))
                order_remove(&list->order, old);
        view_list_moved(desk, list, was ? &old : NULL, is ? &now : NULL);
}

/* To the lists of those questions that held before or hold now; `row` becomes what holds now. */
static void lists_hear(struct desk *desk, const struct change *change, uint64_t *row, const uint64_t *now)
{
        struct views *views = desk->views;
        for (size_t w = 0; w < views->words; w++) {
                uint64_t old = row[w];
                row[w] = now[w];
                for (uint64_t concerned = old | now[w]; concerned != 0; concerned &= concerned - 1) {
                        unsigned bit = (unsigned)__builtin_ctzll(concerned);
                        struct view_question *question = views->questions[w * 64 + bit];
                        for (struct view_list *list = question ? question->lists : NULL; list;
                             list = list->question_next)
                                if (!list->is_broken)
                                        list_hears(desk, list, change, old >> bit & 1, now[w] >> bit & 1);
                }
        }
}

/* Memory or the store failed: what the lists have stays, and the ticket is told again in the next turn. */
static void tell_later(struct desk *desk, struct seen *seen)
{
        desk->views->has_stale = true;
        desk->db_failure = 0; /* the batch is over */
        if (seen)
                seen->is_stale = true;
}

void views_committed(struct desk *desk, struct ticket *ticket, bool is_gone)
{
        struct views *views = desk->views;
        if (!views)
                return; /* while the desk is opened */
        struct seen *seen = seen_find(views, ticket->ext);
        if (!seen && is_gone)
                return;
        int64_t turns_ms = INT64_MAX;
        uint64_t *now = calloc(views->words, sizeof *now);
        bool is_told = now && (is_gone || view_ask(desk, ticket, now, &turns_ms) == 0) &&
                       (seen || (seen = seen_add(views, ticket->ext)) != NULL);
        if (!is_told) {
                tell_later(desk, seen);
                free(now);
                return;
        }
        struct change change = {.ticket = ticket, .before = *seen};
        seen->is_stale = false;
        seen_keys(desk, ticket, seen->keys);
        change.after = *seen;
        lists_hear(desk, &change, view_row_of(views, seen), now);
        free(now);
        seen_set_turns(views, seen, turns_ms);
        if (is_gone)
                seen_forget(views, seen);
}

/* What could not be told when it changed. */
static void run_stale(struct desk *desk)
{
        struct ticket *ticket;
        if (!desk->views->has_stale)
                return;
        desk->views->has_stale = false;
        tickets_each(desk, at, ticket)
        {
                const struct seen *seen = seen_find(desk->views, ticket->ext);
                if (!seen || seen->is_stale)
                        views_committed(desk, ticket, false);
        }
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
                if (list->reach != 0 && (!read_invited(desk, list) || count > VIEWS_MOVED))
                        list_break(list);
        for (size_t i = 0; count <= VIEWS_MOVED && i < count; i++) {
                struct ticket *ticket = tickets_of_conversation(desk, views->moved[i]);
                if (ticket)
                        views_committed(desk, ticket, false);
        }
}

/* ---- lists come and go ---- */

/* Empty, and marked as to be filled. */
static struct view_list *list_new(struct desk *desk, struct view_question *question, enum view_sort sort)
{
        struct view_list *list = question ? calloc(1, sizeof *list) : NULL;
        if (!list) {
                if (question && !question->lists)
                        view_question_free(desk->views, question);
                return NULL;
        }
        list->sort = sort;
        list->views = desk->views;
        list->question = question;
        list->question_next = question->lists;
        question->lists = list;
        list->next = desk->views->lists;
        desk->views->lists = list;
        list_break(list);
        return list;
}

static void list_free(struct view_list *list)
{
        struct view_question *question = list->question;
        struct view_list **link = &question->lists;
        while (*link != list)
                link = &(*link)->question_next;
        *link = list->question_next;
        if (!question->lists)
                view_question_free(list->views, question);
        order_done(&list->order);
        free(list->pending);
        free(list->invited);
        free(list);
}

void view_list_unref(struct view_list *list)
{
        if (list && --list->refs == 0)
                list->views->has_idle = true;
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
        struct view_question *question = view_question_for(desk, text, me);
        struct view_list *list = question ? question->lists : NULL;
        while (list && !(list->sort == sort && list->reach == reach && list->reach_rev == rev))
                list = list->question_next;
        if (!list && (list = list_new(desk, question, sort)) != NULL) {
                list->reach = reach;
                list->reach_rev = rev;
        }
        if (list)
                list->refs++;
        return list;
}

/* One that is open is read again by those who have it. */
static void will_be_told(struct view_list *list)
{
        list->is_reset = list->is_reset || list->open_count > 0;
        list->views->has_rows = list->views->has_counts = true;
}

int view_lists_ready(struct desk *desk)
{
        struct views *views = desk->views;
        struct view_list *broken[LISTS_AT_ONCE];
        size_t count = 0;
        int rc = 0;
        if (!views->has_broken)
                return 0;
        views->has_broken = false;
        for (int sort = 1; sort < VIEW_SORTS; sort++) {
                if (!views->all[sort]->is_broken)
                        continue;
                will_be_told(views->all[sort]);
                rc |= view_fill_all(desk, (enum view_sort)sort);
        }
        for (struct view_list *list = views->lists; rc == 0 && list; list = list->next) {
                if (!list->is_broken)
                        continue;
                will_be_told(list);
                if (list->reach == 0 || read_invited(desk, list))
                        broken[count++] = list;
                else
                        rc = -1;
                if (count == LISTS_AT_ONCE) {
                        rc |= view_fill(desk, broken, count);
                        count = 0;
                }
        }
        rc |= count > 0 ? view_fill(desk, broken, count) : 0;
        views->has_broken = rc != 0;
        return rc;
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
        while (desk->views->has_idle && *link) {
                struct view_list *list = *link;
                if (list->refs == 0) {
                        *link = list->next;
                        list_free(list);
                        continue;
                }
                link = &list->next;
        }
        desk->views->has_idle = false;
        if (view_lists_ready(desk) != 0) /* what could not be filled is tried again in the next turn */
                desk->db_failure = 0;
}

void view_lists_young(struct desk *desk, bool is_kept)
{
        if (!desk->views->has_young)
                return;
        desk->views->has_young = false;
        for (struct view_list *list = desk->views->lists; list; list = list->next) {
                if (list->is_young && !is_kept)
                        list_break(list);
                list->is_young = false;
        }
        view_questions_young(desk->views, is_kept);
}

/* ---- life ---- */

/* Every ticket is seen, and in the lists of all, whose question is the first that there is. */
static int list_all(struct desk *desk)
{
        struct views *views = desk->views;
        struct view_question *question = view_question_for(desk, SPAN(""), 0);
        struct ticket *ticket;
        for (int sort = 1; sort < VIEW_SORTS; sort++) {
                views->all[sort] = list_new(desk, question, (enum view_sort)sort);
                if (!views->all[sort])
                        return -1;
                views->all[sort]->refs++;
        }
        tickets_each(desk, at, ticket)
        {
                struct seen *seen = seen_add(views, ticket->ext);
                if (!seen)
                        return -1;
                seen_keys(desk, ticket, seen->keys);
                view_row_of(views, seen)[question->place / 64] |= UINT64_C(1) << question->place % 64;
        }
        question->is_known = true;
        return view_lists_ready(desk);
}

int views_init(struct desk *desk)
{
        struct views *views = calloc(1, sizeof *views);
        if (!views || seen_init(views) < 0 || view_questions_init(views) < 0) {
                if (views)
                        free(views->slots);
                free(views);
                return DB_NOMEM;
        }
        uint64_t start_ms = clock_mono_ms();
        desk->views = views;
        desk->now_ms = clock_wall_ms();
        if (list_all(desk) < 0)
                return DB_NOMEM;
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
        view_questions_done(views);
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
        run_stale(desk);
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
