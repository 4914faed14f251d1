/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of this folder share: who may see a case, and a case as the protocol says it. In the thread of the
 * reader. */
#pragma once

#include "desk/people/reach.h"
#include "desk/reading.h"
#include "desk/recovery/recovery_private.h"

struct case_viewer {
        const struct reading *reading;
        struct reach reach;
        bool is_all;     /* the operator */
        bool is_manager; /* has the permission recovery_admin */
};

int case_viewer_init(const struct reading *reading, struct case_viewer *out); /* 0, or a negative protocol error */
/* 1, 0, or a negative db_error. */
int case_viewer_sees(const struct case_viewer *viewer, const struct recovery_case *one);
int case_viewer_reaches(const struct case_viewer *viewer, int64_t conv); /* the same of its conversation alone */
/* Spans are lent by the arena of the command and the directory. 0 or a negative db_error. */
int case_describe(const struct case_viewer *viewer, const struct recovery_case *one, struct protocol_recovery_row *out);
struct span case_team_name(const struct reading *reading, int64_t team, uint64_t *out_ext); /* absent: none */

/* The numbers of a report, and what stands behind each: asked of one case. */
struct counted_case {
        int64_t id, conv, opened_ms, team, customer, first_ms, contact_due_ms, triggers, earlier;
        char cause[CASE_WORD];
        enum case_stage stage;
        enum case_outcome outcome;
        bool is_in_time;
        struct case_score before, after;
};
bool case_is_in_cell(const struct counted_case *one, enum protocol_recovery_list_cell cell, int64_t now_ms); /* pure */
