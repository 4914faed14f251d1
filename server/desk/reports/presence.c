/* SPDX-License-Identifier: Apache-2.0 */
/* What agents were doing: how much of a stretch away is beyond what its reason allows. A reason allows so many minutes
 * in 24 hours; as on the board (people/status.c), what counts before a stretch is what he was away for the same reason
 * in the 24 hours before it began. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/people/people.h"
#include "desk/reports/reports_private.h"
#include "store/db.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)

int64_t presence_before(struct presence_past *past, const char *reason, int64_t before_ms)
{
        int64_t since_ms = before_ms - DAY_MS, sum_ms = 0;
        size_t gone = 0;
        while (gone < past->count && past->parts[gone].to_ms <= since_ms)
                gone++;
        if (gone > 0)
                memmove(past->parts, past->parts + gone, (past->count - gone) * sizeof *past->parts);
        past->count -= gone;
        for (size_t i = 0; i < past->count; i++) {
                const struct presence_part *part = &past->parts[i];
                if (strcmp(part->reason, reason) == 0 && part->to_ms > since_ms)
                        sum_ms += part->to_ms - (part->from_ms > since_ms ? part->from_ms : since_ms);
        }
        return sum_ms;
}

bool presence_keep(struct presence_past *past, const struct presence *stretch, int64_t to_ms)
{
        if (stretch->status != AGENT_AWAY || stretch->minutes == 0 || to_ms <= stretch->since_ms)
                return true;
        if (past->count == past->room) {
                size_t room = past->room ? past->room * 2 : 16;
                struct presence_part *parts = realloc(past->parts, room * sizeof *parts);
                if (!parts)
                        return false;
                past->parts = parts;
                past->room = room;
        }
        struct presence_part *part = &past->parts[past->count++];
        *part = (struct presence_part){.from_ms = stretch->since_ms, .to_ms = to_ms};
        snprintf(part->reason, sizeof part->reason, "%s", stretch->reason);
        return true;
}

int64_t presence_over_ms(const struct presence *stretch, int64_t used_ms)
{
        if (stretch->status != AGENT_AWAY || stretch->minutes == 0)
                return INT64_MAX;
        int64_t left_ms = stretch->minutes * 60000 - used_ms;
        return stretch->since_ms + (left_ms > 0 ? left_ms : 0);
}

int presence_used(struct db *db, const struct presence *stretch, int64_t row, int64_t *out_used_ms)
{
        struct db_stmt *stmt = db_stmt(db, SQL_REPORT_STATUS_BACK);
        int64_t to_ms = stretch->since_ms, since_ms = to_ms - DAY_MS, sum_ms = 0;
        int rc;
        db_bind_int(stmt, 1, stretch->agent);
        db_bind_int(stmt, 2, row);
        while ((rc = db_step(stmt)) == DB_ROW && to_ms > since_ms) {
                int64_t at_ms = db_int(stmt, 0), from_ms = at_ms > since_ms ? at_ms : since_ms;
                bool is_it = db_int(stmt, 1) == AGENT_AWAY && span_equal(db_text(stmt, 2), span_of(stretch->reason));
                if (is_it && to_ms > from_ms)
                        sum_ms += to_ms - from_ms;
                to_ms = at_ms;
        }
        db_reset(stmt);
        *out_used_ms = sum_ms;
        return rc < 0 ? rc : DB_OK;
}
