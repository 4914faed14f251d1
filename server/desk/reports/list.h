/* SPDX-License-Identifier: Apache-2.0 */
/* List: what the files of report.list share: list.c walks and knows tickets, askings and cases; list_more.c knows
 * messages, what agents were doing and what bots came to. Reader's thread. */
#pragma once

#include "desk/reading.h"
#include "desk/reports/reports_private.h"
#include "store/db.h"

struct list {
        const struct reading *reading;
        const struct zone *zone;
        struct report_period period;
        int64_t now_ms;
        int metric, hour; /* hour -1 = any */
        enum report_dim dim;
        char filter[KEY_BYTES];
        bool has_value; /* only what adds `value` */
        int64_t value;
        struct protocol_report_item *items;
        size_t count, limit, looked_at;
        int stage;
        int64_t at_ms, row, third; /* the last one looked at */
        bool more;
};

/* One way through the rows: by a moment, a row and, of some, a third number. Statements take the moment and the row
 * behind which to begin as $1 and $2, to_ms as $3, how many as $4, and the fifth, or the third number, as $5. */
struct walk {
        enum sql_id sql;
        int64_t from_ms, to_ms; /* of the moment it goes by */
        bool has_fifth, has_third;
        int64_t fifth;
        int (*take)(struct list *list, struct db_stmt *stmt); /* 0 or a negative db_error */
};

enum { LIST_STAGES = 2 };

void list_add(struct list *list, struct protocol_report_item item);
bool list_is_filtered(const struct list *list, char keys[DIMS][KEY_BYTES]); /* out */

/* The ways of a metric of messages, of the agents' time, of bots; the first walk has the period. How many there are. */
int list_plan_more(const struct list *list, struct walk walks[LIST_STAGES]);
