/* SPDX-License-Identifier: Apache-2.0 */
/* Query: the cells of a report, gathered from all that is counted: query_gather.c finds what belongs to which row,
 * query_value.c makes figures of sums. Reader's thread. */
#pragma once

#include "desk/reading.h"
#include "desk/reports/reports_private.h"

enum { QUERY_METRICS = 60, QUERY_DAYS = 3660, QUERY_ROWS = 400 };

struct query_group {
        char key[KEY_BYTES]; /* inside key of a dimension; of time the text of its row */
        int64_t until;       /* of time: its last day */
        struct cell cell;
        int64_t backlog; /* change of it in this row */
};

struct query {
        const struct reading *reading;
        const struct zone *zone;
        struct report_period period;
        int ids[QUERY_METRICS];
        size_t count;
        uint64_t wanted; /* 1 << metric */
        bool has_by;
        enum metric_by by;
        enum report_dim dim; /* of the rows, DIM_ALL: of time, or totals alone */
        enum report_dim filter_dim;
        char filter[KEY_BYTES];
        struct query_group *groups;
        size_t group_count, group_room;
        int64_t backlog_before; /* of the day before */
};

void query_done(struct query *query);
/* Fills groups; without `by` there is one. 0 or a negative protocol error. */
int query_gather(struct query *query);
/* The groups together. */
void query_total(const struct query *query, struct query_group *out_total);
/* The figure. `backlog`: at the end of it. */
struct protocol_report_value query_value(int metric, const struct cell *cell, int64_t backlog);
