/* SPDX-License-Identifier: Apache-2.0 */
/* Cluster: questions that read alike, put together. Alike = the cosine of their character n-grams, blanks and marks
 * left out, rare n-grams counting more. Integers only: the same questions in the same order give the same clusters on
 * every machine. Any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "protocol/span.h"

enum {
        BOT_CLUSTER_QUESTIONS = 5000, /* at once, at most */
        BOT_CLUSTER_POINTS = 200,     /* of a question that are read */
};

struct bot_cluster {
        uint32_t first; /* in `members` */
        uint32_t count; /* at least 1 */
};

struct bot_clusters {
        struct bot_cluster *list; /* largest first; of equal ones that of the earliest question first */
        uint32_t count;
        uint32_t *members; /* indices of questions, cluster by cluster; most central first: the title */
};

/* Each question stands in exactly one cluster. 0; -1: out of memory, or more than BOT_CLUSTER_QUESTIONS; `out` is then
 * untouched. Time is bounded whatever the questions are: where n-grams are so common that comparing would take longer,
 * the most common ones are left out. */
int bot_cluster(const struct span *questions, size_t count, struct bot_clusters *out);

void bot_clusters_done(struct bot_clusters *clusters);
