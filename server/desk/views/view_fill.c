/* SPDX-License-Identifier: Apache-2.0 */
/* Filling lists from nothing. First the conditions that are not known yet are asked of all tickets, together; then all
 * lists of one order are made in one walk over the tickets in that order, so that what they hold comes out sorted. */
#include <stdlib.h>

#include "desk/customers/customers.h"
#include "desk/views/views_private.h"

/* ---- every ticket ---- */

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

/* ---- what holds ---- */

/* Questions that are not known yet. */
struct learning {
        struct view_question **all;
        size_t count;
        struct questions *asked;
        uint64_t *holds;
        const struct ticket *tickets[QUESTIONS_TICKETS]; /* to be asked about */
        struct seen *seen[QUESTIONS_TICKETS];
        unsigned ticket_count;
};

static int learning_init(struct learning *learning, struct view_list *const *lists, size_t count)
{
        struct question *questions = calloc(count + 1, sizeof *questions);
        learning->all = calloc(count + 1, sizeof(*learning->all));
        learning->holds = calloc(count + 1, sizeof *learning->holds);
        for (size_t i = 0; questions && learning->all && i < count; i++) {
                struct view_question *question = lists[i]->question;
                if (question->is_known || question->is_wanted)
                        continue;
                question->is_wanted = true;
                questions[learning->count] = (struct question){question->condition, question->me};
                learning->all[learning->count++] = question;
        }
        if (questions && learning->all && learning->holds)
                learning->asked = questions_new(questions, learning->count, &rules_world);
        free(questions);
        return learning->asked ? 0 : -1;
}

static void learning_done(struct learning *learning, bool is_learned)
{
        for (size_t i = 0; i < learning->count; i++) {
                learning->all[i]->is_wanted = false;
                learning->all[i]->is_known = learning->all[i]->is_young = is_learned;
        }
        questions_free(learning->asked);
        free(learning->all);
        free(learning->holds);
}

/* Nothing holds of any ticket. */
static int clear_places(struct views *views, const struct learning *learning)
{
        uint64_t *kept = malloc(views->words * sizeof *kept);
        if (!kept)
                return -1;
        memset(kept, 0xff, views->words * sizeof *kept);
        for (size_t i = 0; i < learning->count; i++)
                kept[learning->all[i]->place / 64] &= ~(UINT64_C(1) << learning->all[i]->place % 64);
        for (size_t i = 0; i < views->slot_count; i++)
                for (const struct seen *seen = views->slots[i]; seen; seen = seen->hash_next) {
                        uint64_t *row = view_row_of(views, seen);
                        for (size_t w = 0; w < views->words; w++)
                                row[w] &= kept[w];
                }
        free(kept);
        return 0;
}

/* What the store knows of the customers, for many at once. 0 or negative. */
static int prepare_customers(struct desk *desk, const struct learning *learning)
{
        static const enum fact facts[] = {FACT_CUSTOMER_NAME, FACT_CUSTOMER_EMAIL,    FACT_CUSTOMER_TIER,
                                          FACT_CUSTOMER_TAG,  FACT_CUSTOMER_VERIFIED, FACT_CUSTOMER_ATTRIBUTE};
        int64_t customers[QUESTIONS_TICKETS];
        int rc = 0;
        for (unsigned i = 0; i < learning->ticket_count; i++)
                customers[i] = learning->tickets[i]->customer;
        for (size_t i = 0; rc == 0 && i < sizeof facts / sizeof *facts; i++)
                if (questions_ask_for(learning->asked, facts[i]))
                        rc = customers_prepare(desk, facts[i], customers, learning->ticket_count);
        return rc;
}

/* Asks about those that were gathered. 0, or -1 = something could not be learned. */
static int learn_gathered(struct desk *desk, struct learning *learning)
{
        struct views *views = desk->views;
        int64_t turns_ms[QUESTIONS_TICKETS];
        unsigned count = learning->ticket_count;
        int rc = prepare_customers(desk, learning);
        learning->ticket_count = 0;
        if (rc < 0 || questions_ask(learning->asked, desk, desk->now_ms, learning->tickets, count, learning->holds,
                                    turns_ms) != 0)
                return -1;
        for (size_t i = 0; i < learning->count; i++) {
                uint32_t place = learning->all[i]->place;
                for (uint64_t holds = learning->holds[i]; holds != 0; holds &= holds - 1)
                        view_row_of(views, learning->seen[__builtin_ctzll(holds)])[place / 64] |= UINT64_C(1)
                                                                                                  << place % 64;
        }
        for (unsigned i = 0; i < count; i++)
                if (turns_ms[i] < learning->seen[i]->turns_ms)
                        seen_set_turns(views, learning->seen[i], turns_ms[i]);
        return 0;
}

/* Of each ticket that the lists know, whether those conditions hold of it that nobody has asked yet. */
static int learn(struct desk *desk, struct view_list *const *lists, size_t count)
{
        struct learning learning = {0};
        struct ticket *ticket;
        int rc = learning_init(&learning, lists, count);
        if (rc == 0 && learning.count > 0)
                rc = clear_places(desk->views, &learning);
        for (size_t i = 0; rc == 0 && learning.count > 0 && i < desk->tickets.count; i++) {
                ticket = desk->tickets.all[i];
                struct seen *seen = seen_find(desk->views, ticket->ext);
                if (!seen || ticket->status == TICKET_CLOSED)
                        continue; /* new or closed in this batch: told at its end */
                learning.tickets[learning.ticket_count] = ticket;
                learning.seen[learning.ticket_count++] = seen;
                if (learning.ticket_count == QUESTIONS_TICKETS)
                        rc = learn_gathered(desk, &learning);
        }
        if (rc == 0 && learning.ticket_count > 0)
                rc = learn_gathered(desk, &learning);
        learning_done(&learning, rc == 0);
        return rc;
}

/* ---- lists ---- */

struct filling {
        struct view_list *list;
        struct order order;
        uint32_t next; /* of the same question: index + 1 */
};

/* All lists of one order. */
struct fillings {
        struct filling *all;
        size_t count;
        uint32_t *at_place; /* first filling of each question: index + 1 */
        uint64_t *wanted;   /* as a row of bits: questions that some filling has */
};

static void fillings_of(struct fillings *fillings, struct view_list *const *lists, size_t count, enum view_sort sort)
{
        fillings->count = 0;
        for (size_t i = 0; i < count; i++) {
                uint32_t place = lists[i]->question->place;
                if (lists[i]->sort != sort)
                        continue;
                fillings->all[fillings->count] = (struct filling){.list = lists[i], .next = fillings->at_place[place]};
                fillings->at_place[place] = (uint32_t)++fillings->count;
                fillings->wanted[place / 64] |= UINT64_C(1) << place % 64;
        }
}

/* To all lists of one question. What an agent may read is asked once for those that stand together. */
static int add_to(struct desk *desk, struct fillings *fillings, uint32_t place, struct order_item item)
{
        const struct ticket *ticket = NULL;
        int64_t asked = 0;
        bool may = true;
        for (uint32_t at = fillings->at_place[place]; at != 0;) {
                struct filling *filling = &fillings->all[at - 1];
                at = filling->next;
                if (filling->list->reach != asked) {
                        asked = filling->list->reach;
                        ticket = ticket ? ticket : tickets_find(desk, (uint64_t)item.id);
                        may = ticket && view_may_read(desk, filling->list, ticket);
                }
                if (may && order_append(&filling->order, item) < 0)
                        return -1;
        }
        return 0;
}

/* All lists of one order in one walk; what they hold comes out sorted. */
static int fill_sorted(struct desk *desk, enum view_sort sort, struct fillings *fillings)
{
        enum { PAGE = 1024 };
        static struct order_item page[PAGE]; /* desk thread only */
        struct views *views = desk->views;
        const struct order *all = &views->all[sort]->order;
        struct order_item last;
        int rc = 0;
        size_t got = order_page(all, NULL, page, PAGE);
        for (; rc == 0 && got > 0; got = order_page(all, &last, page, PAGE)) {
                for (size_t i = 0; rc == 0 && i < got; i++) {
                        const struct seen *seen = seen_find(views, (uint64_t)page[i].id);
                        const uint64_t *row = view_row_of(views, seen);
                        for (size_t w = 0; rc == 0 && w < views->words; w++)
                                for (uint64_t holds = row[w] & fillings->wanted[w]; rc == 0 && holds != 0;
                                     holds &= holds - 1)
                                        rc = add_to(desk, fillings,
                                                    (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(holds), page[i]);
                }
                last = page[got - 1];
        }
        return rc;
}

/* The lists have what was found, or stay as they were and are to be filled. */
static void settle(struct fillings *fillings, int rc)
{
        for (size_t i = 0; i < fillings->count; i++) {
                struct filling *filling = &fillings->all[i];
                struct view_list *list = filling->list;
                list->is_broken = rc < 0;
                list->is_young = list->views->has_young = true;
                fillings->at_place[list->question->place] = 0;
                fillings->wanted[list->question->place / 64] = 0;
                if (rc == 0) {
                        order_done(&list->order);
                        list->order = filling->order;
                } else {
                        order_done(&filling->order);
                }
        }
}

int view_fill(struct desk *desk, struct view_list *const *lists, size_t count)
{
        struct views *views = desk->views;
        struct fillings fillings = {.all = calloc(count + 1, sizeof *fillings.all),
                                    .at_place = calloc(views->place_count + 1, sizeof *fillings.at_place),
                                    .wanted = calloc(views->words, sizeof *fillings.wanted)};
        int rc = fillings.all && fillings.at_place && fillings.wanted ? learn(desk, lists, count) : -1;
        for (int sort = 1; rc == 0 && sort < VIEW_SORTS; sort++) {
                fillings_of(&fillings, lists, count, (enum view_sort)sort);
                rc = fillings.count > 0 ? fill_sorted(desk, (enum view_sort)sort, &fillings) : 0;
                settle(&fillings, rc);
        }
        free(fillings.all);
        free(fillings.at_place);
        free(fillings.wanted);
        return rc;
}
