/* SPDX-License-Identifier: Apache-2.0 */
/* What the two files of the clusters share: cluster_vectors.c reads questions into vectors of n-grams, cluster.c puts
 * together those that are alike. */
#pragma once

#include <stdbool.h>

#include "bots/cluster.h"

enum { CLUSTER_ONE = 1 << 12 }; /* length of a vector */
#define CLUSTER_NONE UINT32_MAX

struct gram {
        uint32_t key, item;
        uint32_t times;
};

/* One n-gram of one item, in the list of the item; as a posting in that of the n-gram. */
struct part {
        uint32_t gram; /* its number */
        uint32_t weight;
};

struct posting {
        uint32_t item, weight;
};

struct rank {
        uint64_t value;
        uint32_t index;
};

struct item {
        uint32_t question;    /* the first one that reads so */
        uint32_t count;       /* questions that do */
        uint32_t first, size; /* in parts */
        uint32_t cluster;     /* the item that began it; CLUSTER_NONE */
        uint32_t nearness;    /* to that one */
        uint64_t middle;      /* how near to all of its cluster */
        bool is_first;        /* it began one */
};

struct cluster_work {
        struct item *items;
        uint32_t *item_of; /* of each question */
        uint32_t item_count;
        struct gram *grams;
        size_t gram_count;
        struct part *parts;
        uint32_t *posting_at; /* by number of a gram: where its postings begin; one more at the end */
        struct posting *postings;
        uint32_t gram_numbers; /* grams that are kept */
        uint32_t *cosines, *group;
        struct rank *ranks;
        uint64_t *sums; /* by number of a gram; zero but in find_middle */
};

/* Items, their parts and the postings. 0; -1: out of memory. */
int cluster_make_vectors(struct cluster_work *work, const struct span *questions, size_t count);
