/* SPDX-License-Identifier: Apache-2.0 */
/* Filling lists from nothing: all lists of one order in one walk over the tickets in that order, so that what they hold
 * comes out sorted. */
#include <stdlib.h>

#include "desk/views/views_private.h"

/* Every ticket by that order, into the list of all. */
int view_fill_all(struct desk *desk, enum view_sort sort)
{
        struct views *views = desk->views;
        struct order_item *items = malloc((views->seen_count + 1) * sizeof *items);
        size_t count = 0;
        if (!items)
                return -1;
        for (size_t i = 0; i < views->slot_count; i++)
                for (const struct seen *seen = views->slots[i]; seen; seen = seen->hash_next)
                        items[count++] = (struct order_item){seen->keys[sort], (int64_t)seen->ext};
        int rc = order_fill(&views->all[sort]->order, items, count);
        views->all[sort]->is_broken = rc < 0;
        free(items);
        return rc;
}

struct filling {
        struct view_list *list;
        struct order_item *items;
        size_t count, room;
};

static int filling_add(struct filling *filling, struct order_item item)
{
        if (filling->count == filling->room) {
                size_t room = filling->room ? filling->room * 2 : 256;
                struct order_item *items = realloc(filling->items, room * sizeof *items);
                if (!items)
                        return -1;
                filling->items = items;
                filling->room = room;
        }
        filling->items[filling->count++] = item;
        return 0;
}

/* The time at which some of these lists turn, whose conditions speak of time. */
static void look_at_turns(struct desk *desk, const struct view_list *const *timed, size_t count,
                          const struct ticket *ticket)
{
        int64_t next = INT64_MAX;
        for (size_t i = 0; i < count; i++) {
                struct fact_scene scene = view_scene(desk, ticket, timed[i]->me);
                int64_t turns = condition_turns_ms(timed[i]->condition, &rules_world, &scene);
                next = turns < next ? turns : next;
        }
        struct seen *seen = next != INT64_MAX ? seen_find(desk->views, ticket->ext) : NULL;
        if (seen && next < seen->turns_ms)
                seen_set_turns(desk->views, seen, next);
}

/* To every list that it belongs to. Lists of one agent stand together: what he may read is asked once. */
static int add_ticket(struct desk *desk, struct filling *fillings, size_t count, const struct ticket *ticket,
                      struct order_item item)
{
        int64_t asked = 0;
        bool may = true;
        for (size_t i = 0; i < count; i++) {
                const struct view_list *list = fillings[i].list;
                if (list->reach != asked) {
                        asked = list->reach;
                        may = view_may_read(desk, list, ticket);
                }
                if (may && view_holds(desk, list, ticket) && filling_add(&fillings[i], item) < 0)
                        return -1;
        }
        return 0;
}

/* All lists of one order in one walk; what they hold comes out sorted. */
static int fill_sorted(struct desk *desk, enum view_sort sort, struct filling *fillings, size_t count)
{
        enum { PAGE = 1024 };
        static struct order_item page[PAGE]; /* desk thread only */
        const struct order *all = &desk->views->all[sort]->order;
        const struct view_list **timed = calloc(count, sizeof(*timed));
        struct order_item last;
        size_t timed_count = 0;
        int rc = timed ? 0 : -1;
        for (size_t i = 0; timed && i < count; i++)
                if (fillings[i].list->condition && condition_is_timed(fillings[i].list->condition))
                        timed[timed_count++] = fillings[i].list;
        size_t got = order_page(all, NULL, page, PAGE);
        for (; rc == 0 && got > 0; got = order_page(all, &last, page, PAGE)) {
                for (size_t i = 0; rc == 0 && i < got; i++) {
                        const struct ticket *ticket = tickets_find(desk, (uint64_t)page[i].id);
                        if (!ticket)
                                continue; /* closed in this batch: it is told at its end */
                        rc = add_ticket(desk, fillings, count, ticket, page[i]);
                        look_at_turns(desk, timed, timed_count, ticket);
                }
                last = page[got - 1];
        }
        free(timed);
        return rc;
}

int view_fill(struct desk *desk, struct view_list *const *lists, size_t count)
{
        struct filling *fillings = calloc(count + 1, sizeof *fillings);
        int rc = fillings ? 0 : -1;
        for (int sort = 1; rc == 0 && sort < VIEW_SORTS; sort++) {
                size_t used = 0;
                for (size_t i = 0; i < count; i++)
                        if ((int)lists[i]->sort == sort)
                                fillings[used++] = (struct filling){.list = lists[i]};
                rc = used > 0 ? fill_sorted(desk, (enum view_sort)sort, fillings, used) : 0;
                for (size_t i = 0; i < used; i++) {
                        struct view_list *list = fillings[i].list;
                        if (rc == 0)
                                rc = order_fill(&list->order, fillings[i].items, fillings[i].count);
                        list->is_broken = rc < 0;
                        list->is_young = true;
                        free(fillings[i].items);
                }
        }
        free(fillings);
        return rc;
}
