/* SPDX-License-Identifier: Apache-2.0 */
/* Cluster: see cluster.h. An item (cluster_vectors.c) with many like it begins a cluster before one with few, and every
 * item goes to the beginning that it is most like. Always true: an item that begins a cluster stays in it, so no
 * cluster is empty. */
#include "cluster_private.h"

#include <stdlib.h>
#include <string.h>

enum { ALIKE = 7 * CLUSTER_ONE / 20 * CLUSTER_ONE }; /* from this cosine on; docs/bots.md says why this one */

/* A question on its way out, by the cluster it is in. */
struct member {
        uint32_t cluster_count, cluster_first; /* questions; the earliest of them */
        uint64_t middle;
        uint32_t item, question;
};

/* ---- clusters ---- */

/* How like each item is to this one: work->cosines, in CLUSTER_ONE * CLUSTER_ONE. */
static void compare_with_all(struct cluster_work *work, uint32_t one)
{
        const struct item *item = &work->items[one];
        memset(work->cosines, 0, work->item_count * sizeof *work->cosines);
        for (uint32_t k = 0; k < item->size; k++) {
                const struct part *part = &work->parts[item->first + k];
                for (uint32_t i = work->posting_at[part->gram]; i < work->posting_at[part->gram + 1]; i++)
                        work->cosines[work->postings[i].item] += part->weight * work->postings[i].weight;
        }
}

/* Most first; of equals the one that came first. */
static int compare_ranks(const void *a, const void *b)
{
        const struct rank *x = a, *y = b;
        if (x->value != y->value)
                return x->value > y->value ? -1 : 1;
        return x->index < y->index ? -1 : x->index > y->index;
}

static void count_alike(struct cluster_work *work)
{
        for (uint32_t i = 0; i < work->item_count; i++) {
                uint32_t like = work->items[i].count;
                compare_with_all(work, i);
                for (uint32_t other = 0; other < work->item_count; other++)
                        if (other != i && work->cosines[other] >= ALIKE)
                                like += work->items[other].count;
                work->ranks[i] = (struct rank){like, i};
        }
        qsort(work->ranks, work->item_count, sizeof *work->ranks, compare_ranks);
}

/* The item begins a cluster: what is alike goes there, unless it is more like an earlier beginning. */
static void begin_cluster(struct cluster_work *work, uint32_t one)
{
        compare_with_all(work, one);
        for (uint32_t other = 0; other < work->item_count; other++) {
                struct item *item = &work->items[other];
                if (item->is_first || work->cosines[other] < ALIKE || work->cosines[other] <= item->nearness)
                        continue;
                item->cluster = one;
                item->nearness = work->cosines[other];
        }
        work->items[one].cluster = one;
        work->items[one].is_first = true;
}

static void make_clusters(struct cluster_work *work)
{
        count_alike(work);
        for (uint32_t i = 0; i < work->item_count; i++)
                if (work->items[work->ranks[i].index].cluster == CLUSTER_NONE)
                        begin_cluster(work, work->ranks[i].index);
}

/* ---- who is in the middle ---- */

/* `members`: items of one cluster. An item's place is its likeness to all of them together. */
static void find_middle(struct cluster_work *work, const uint32_t *members, uint32_t count)
{
        for (uint32_t m = 0; m < count; m++) {
                const struct item *item = &work->items[members[m]];
                for (uint32_t k = 0; k < item->size; k++) {
                        const struct part *part = &work->parts[item->first + k];
                        work->sums[part->gram] += (uint64_t)part->weight * item->count;
                }
        }
        for (uint32_t m = 0; m < count; m++) {
                struct item *item = &work->items[members[m]];
                for (uint32_t k = 0; k < item->size; k++) {
                        const struct part *part = &work->parts[item->first + k];
                        item->middle += part->weight * work->sums[part->gram];
                }
        }
        for (uint32_t m = 0; m < count; m++) {
                const struct item *item = &work->items[members[m]];
                for (uint32_t k = 0; k < item->size; k++)
                        work->sums[work->parts[item->first + k].gram] = 0;
        }
}

static int compare_members(const void *a, const void *b)
{
        const struct member *x = a, *y = b;
        if (x->cluster_count != y->cluster_count)
                return x->cluster_count > y->cluster_count ? -1 : 1;
        if (x->cluster_first != y->cluster_first)
                return x->cluster_first < y->cluster_first ? -1 : 1;
        if (x->middle != y->middle)
                return x->middle > y->middle ? -1 : 1;
        if (x->item != y->item)
                return x->item < y->item ? -1 : 1;
        return x->question < y->question ? -1 : x->question > y->question;
}

/* Items cluster by cluster, in work->ranks; then how central each is. */
static void find_middles(struct cluster_work *work)
{
        for (uint32_t i = 0; i < work->item_count; i++)
                work->ranks[i] = (struct rank){work->items[i].cluster, i};
        qsort(work->ranks, work->item_count, sizeof *work->ranks, compare_ranks);
        for (uint32_t i = 0; i < work->item_count; i++)
                work->group[i] = work->ranks[i].index;
        for (uint32_t from = 0, i = 1; i <= work->item_count; i++)
                if (i == work->item_count || work->ranks[i].value != work->ranks[from].value) {
                        find_middle(work, work->group + from, i - from);
                        from = i;
                }
}

static int write_out(struct cluster_work *work, size_t count, struct bot_clusters *out)
{
        struct member *members = calloc(count + 1, sizeof *members);
        struct bot_clusters made = {.list = calloc(count + 1, sizeof *made.list),
                                    .members = calloc(count + 1, sizeof *made.members)};
        uint32_t *counts = work->group, *firsts = work->cosines; /* by the item that began; both free by now */
        if (!members || !made.list || !made.members) {
                free(members);
                bot_clusters_done(&made);
                return -1;
        }
        memset(counts, 0, work->item_count * sizeof *counts);
        memset(firsts, 0xff, work->item_count * sizeof *firsts);
        for (uint32_t i = 0; i < work->item_count; i++) {
                const struct item *item = &work->items[i];
                counts[item->cluster] += item->count;
                if (item->question < firsts[item->cluster])
                        firsts[item->cluster] = item->question;
        }
        for (uint32_t q = 0; q < count; q++) {
                const struct item *item = &work->items[work->item_of[q]];
                members[q] = (struct member){.cluster_count = counts[item->cluster],
                                             .cluster_first = firsts[item->cluster],
                                             .middle = item->middle,
                                             .item = work->item_of[q],
                                             .question = q};
        }
        if (count > 0)
                qsort(members, count, sizeof *members, compare_members);
        for (uint32_t q = 0; q < count; q++) {
                if (q == 0 || members[q].cluster_first != members[q - 1].cluster_first)
                        made.list[made.count++].first = q;
                made.list[made.count - 1].count++;
                made.members[q] = members[q].question;
        }
        free(members);
        *out = made;
        return 0;
}

static void work_done(struct cluster_work *work)
{
        free(work->items);
        free(work->item_of);
        free(work->grams);
        free(work->parts);
        free(work->posting_at);
        free(work->postings);
        free(work->cosines);
        free(work->group);
        free(work->ranks);
        free(work->sums);
}

static int find_clusters(struct cluster_work *work, const struct span *questions, size_t count,
                         struct bot_clusters *out)
{
        if (!work->items || !work->item_of || !work->cosines || !work->group || !work->ranks ||
            cluster_make_vectors(work, questions, count) < 0)
                return -1;
        work->sums = calloc(work->gram_numbers + 1u, sizeof *work->sums);
        if (!work->sums)
                return -1;
        make_clusters(work);
        find_middles(work);
        return write_out(work, count, out);
}

int bot_cluster(const struct span *questions, size_t count, struct bot_clusters *out)
{
        if (count > BOT_CLUSTER_QUESTIONS)
                return -1;
        struct cluster_work work = {.items = calloc(count + 1, sizeof *work.items),
                                    .item_of = calloc(count + 1, sizeof *work.item_of),
                                    .cosines = calloc(count + 1, sizeof *work.cosines),
                                    .group = calloc(count + 1, sizeof *work.group),
                                    .ranks = calloc(count + 1, sizeof *work.ranks)};
        int rc = find_clusters(&work, questions, count, out);
        work_done(&work);
        return rc;
}

void bot_clusters_done(struct bot_clusters *clusters)
{
        free(clusters->list);
        free(clusters->members);
        *clusters = (struct bot_clusters){0};
}
