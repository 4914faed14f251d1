/* SPDX-License-Identifier: Apache-2.0 */
/* timeline.read: everything that happened with a customer, newest first. Each source is one indexed read behind the
 * same position, and the heads of all are merged. A position is the time, the source and the row id of the last row
 * told: rows of one time stand by source, then by id. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "desk/customers/attributes.h"
#include "desk/desk_private.h"
#include "desk/people/reach.h"
#include "desk/reading.h"

enum { ROWS_DEFAULT = 50, LOOKED_AT_MAX = 1000, DATA_MAX = 20 };

/* Of the same time, the higher one comes first. */
enum source { FROM_CONVERSATIONS, FROM_TICKETS, FROM_SOLVED, FROM_STORY, FROM_SURVEYS, SOURCES };

static const enum sql_id statements[SOURCES] = {
        [FROM_CONVERSATIONS] = SQL_TIMELINE_CONVERSATIONS,
        [FROM_TICKETS] = SQL_TIMELINE_TICKETS,
        [FROM_SOLVED] = SQL_TIMELINE_SOLVED,
        [FROM_STORY] = SQL_TIMELINE_STORY,
        [FROM_SURVEYS] = SQL_TIMELINE_OFFERS,
};

struct position {
        int64_t at_ms, source, id;
};

struct timeline {
        const struct reading *reading;
        struct db_stmt *stmts[SOURCES];
        bool has_row[SOURCES];
        struct reach reach;
        struct position last;
        int64_t limit;
        size_t bytes;
        bool has_next;
};

static bool read_position(struct span text, struct position *out)
{
        char copy[65], *at = copy;
        int64_t numbers[3];
        snprintf(copy, sizeof copy, "%.*s", (int)text.len, text.at);
        for (int i = 0; i < 3; i++) {
                char *end;
                numbers[i] = strtoll(at, &end, 10);
                if (end == at || *end != (i < 2 ? '.' : 0) || numbers[i] < 0)
                        return false;
                at = end + 1;
        }
        *out = (struct position){numbers[0], numbers[1], numbers[2]};
        return numbers[1] < SOURCES;
}

/* The next row of that source, if there is one. A db_error, or 0. */
static int step(struct timeline *timeline, int source)
{
        int rc = db_step(timeline->stmts[source]);
        timeline->has_row[source] = rc == DB_ROW;
        return rc < 0 ? rc : 0;
}

static int begin(struct timeline *timeline, int64_t customer)
{
        const struct position *last = &timeline->last;
        for (int source = 0; source < SOURCES; source++) {
                struct db_stmt *stmt = timeline->stmts[source] = db_stmt(timeline->reading->db, statements[source]);
                int64_t below = source < last->source ? INT64_MAX : source == last->source ? last->id : 0;
                db_bind_int(stmt, 1, customer);
                db_bind_int(stmt, 2, last->at_ms);
                db_bind_int(stmt, 3, below);
                db_bind_int(stmt, 4, LOOKED_AT_MAX);
                int rc = step(timeline, source);
                if (rc < 0)
                        return rc;
        }
        return 0;
}

/* The source whose row is the newest; -1: all are at their end. */
static int newest(const struct timeline *timeline)
{
        int found = -1;
        for (int source = 0; source < SOURCES; source++)
                if (timeline->has_row[source] &&
                    (found < 0 || db_int(timeline->stmts[source], 0) >= db_int(timeline->stmts[found], 0)))
                        found = source;
        return found;
}

/* ---- rows ---- */

static void put_app(const struct timeline *timeline, int64_t app, struct protocol_timeline_row *row)
{
        row->app = app > 0 ? directory_app(timeline->reading->directory, app) : 0;
        row->has_app = row->app != 0;
}

static void put_text(const struct timeline *timeline, struct span from, bool *has, struct span *out)
{
        *out = reading_copy(timeline->reading, from);
        *has = out->len > 0;
}

static void take_conversation(const struct timeline *timeline, struct db_stmt *stmt, struct protocol_timeline_row *row)
{
        row->kind = PROTOCOL_TIMELINE_ROW_KIND_CONVERSATION;
        row->has_conv = true;
        row->conv = (uint64_t)db_int(stmt, 2);
        put_app(timeline, db_int(stmt, 3), row);
        put_text(timeline, db_text(stmt, 4), &row->has_name, &row->name);
}

static void take_ticket(const struct timeline *timeline, struct db_stmt *stmt, bool is_solved,
                        struct protocol_timeline_row *row)
{
        row->kind = is_solved ? PROTOCOL_TIMELINE_ROW_KIND_SOLVED : PROTOCOL_TIMELINE_ROW_KIND_TICKET;
        row->has_ticket = row->has_number = row->has_conv = true;
        row->ticket = (uint64_t)db_int(stmt, 2);
        row->number = db_int(stmt, 3);
        put_text(timeline, db_text(stmt, 4), &row->has_title, &row->title);
        row->conv = (uint64_t)db_int(stmt, 5);
        put_app(timeline, db_int(stmt, 6), row);
}

/* Asked, or answered: it stands where the answer came. */
static void take_survey(const struct timeline *timeline, struct db_stmt *stmt, struct protocol_timeline_row *row)
{
        row->kind = PROTOCOL_TIMELINE_ROW_KIND_SURVEY;
        row->has_offer = row->has_state = row->has_metric = row->has_top = row->has_conv = true;
        row->offer = (uint64_t)db_int(stmt, 2);
        row->state = (enum protocol_timeline_row_state)db_int(stmt, 3);
        row->metric = (enum protocol_timeline_row_metric)db_int(stmt, 4);
        row->top = db_int(stmt, 5);
        row->has_score = !db_is_null(stmt, 6);
        row->score = db_int(stmt, 6);
        row->conv = (uint64_t)db_int(stmt, 7);
        put_app(timeline, db_int(stmt, 8), row);
        row->has_ticket = row->has_number = !db_is_null(stmt, 9);
        row->ticket = (uint64_t)db_int(stmt, 9);
        row->number = db_int(stmt, 10);
        put_text(timeline, db_text(stmt, 11), &row->has_title, &row->title);
}

static struct span text_of(const struct timeline *timeline, const json_t *object, const char *name)
{
        const json_t *value = json_object_get(object, name);
        return reading_copy(timeline->reading, (struct span){json_string_value(value), json_string_length(value)});
}

static void take_data(const struct timeline *timeline, struct span json, struct protocol_timeline_row *row)
{
        json_t *values = json_loadb(json.at, json.len, 0, NULL), *value;
        size_t i;
        row->data = arena_take(&timeline->reading->command->arena, DATA_MAX * sizeof *row->data);
        row->has_data = row->data && json_array_size(values) > 0;
        json_array_foreach(values, i, value) {
                if (row->has_data && row->data_count < DATA_MAX)
                        row->data[row->data_count++] = (struct protocol_event_value){
                                .name = text_of(timeline, value, "name"), .value = text_of(timeline, value, "value")};
        }
        json_decref(values);
}

static void take_story(const struct timeline *timeline, struct db_stmt *stmt, struct protocol_timeline_row *row)
{
        static const enum protocol_timeline_row_kind kinds[] = {
                [STORY_EVENT] = PROTOCOL_TIMELINE_ROW_KIND_EVENT,
                [STORY_SCREEN] = PROTOCOL_TIMELINE_ROW_KIND_SCREEN,
                [STORY_NOTE] = PROTOCOL_TIMELINE_ROW_KIND_NOTE,
                [STORY_BLOCKED] = PROTOCOL_TIMELINE_ROW_KIND_BLOCKED,
                [STORY_UNBLOCKED] = PROTOCOL_TIMELINE_ROW_KIND_UNBLOCKED,
                [STORY_MERGED] = PROTOCOL_TIMELINE_ROW_KIND_MERGED,
        };
        int64_t kind = db_int(stmt, 2);
        row->kind = kind >= STORY_EVENT && kind <= STORY_MERGED ? kinds[kind] : PROTOCOL_TIMELINE_ROW_KIND_EVENT;
        row->has_by = db_int(stmt, 3) != 0;
        row->by = directory_author(timeline->reading->directory, db_int(stmt, 3));
        put_app(timeline, db_int(stmt, 4), row);
        put_text(timeline, db_text(stmt, 5), &row->has_name, &row->name);
        put_text(timeline, db_text(stmt, 6), &row->has_title, &row->title);
        put_text(timeline, db_text(stmt, 7), &row->has_url, &row->url);
        if (kind == STORY_NOTE)
                put_text(timeline, db_text(stmt, 8), &row->has_text, &row->text);
        else if (!db_is_null(stmt, 8))
                take_data(timeline, db_text(stmt, 8), row);
}

static int is_readable(const struct timeline *timeline, int source, struct db_stmt *stmt)
{
        static const int conv_columns[SOURCES] = {
                [FROM_CONVERSATIONS] = 2, [FROM_TICKETS] = 5, [FROM_SOLVED] = 5, [FROM_SURVEYS] = 7};
        if (timeline->reach.is_all || source == FROM_STORY)
                return 1;
        uint64_t ext = (uint64_t)db_int(stmt, conv_columns[source]);
        struct conversation_row row;
        int rc = conversations_load(timeline->reading->db, ext, &row);
        return rc == DB_ROW ? reach_holds(&timeline->reach, timeline->reading->db, &row) : rc;
}

static void write_row(struct timeline *timeline, int source, struct db_stmt *stmt)
{
        struct protocol_timeline_row row = {.at = db_int(stmt, 0)};
        if (source == FROM_CONVERSATIONS)
                take_conversation(timeline, stmt, &row);
        else if (source == FROM_STORY)
                take_story(timeline, stmt, &row);
        else if (source == FROM_SURVEYS)
                take_survey(timeline, stmt, &row);
        else
                take_ticket(timeline, stmt, source == FROM_SOLVED, &row);
        protocol_timeline_row_write(timeline->reading->out, &row);
}

static int write_rows(struct timeline *timeline)
{
        struct writer *out = timeline->reading->out;
        size_t start = out->len;
        int64_t count = 0, looked_at = 0;
        int source;
        while ((source = newest(timeline)) >= 0) {
                struct db_stmt *stmt = timeline->stmts[source];
                bool is_full = count == timeline->limit || out->len - start > PROTOCOL_PAGE_BYTES - 32768;
                timeline->has_next = (count > 0 && is_full) || ++looked_at == LOOKED_AT_MAX;
                if (timeline->has_next)
                        break;
                int rc = is_readable(timeline, source, stmt);
                if (rc < 0)
                        return rc;
                if (rc == 1 && count++ > 0)
                        writer_char(out, ',');
                if (rc == 1)
                        write_row(timeline, source, stmt);
                timeline->last = (struct position){db_int(stmt, 0), source, db_int(stmt, 1)};
                if ((rc = step(timeline, source)) < 0)
                        return rc;
        }
        return 0;
}

static int tell(struct timeline *timeline, int64_t customer)
{
        struct writer *out = timeline->reading->out;
        writer_raw(out, SPAN("{\"rows\":["));
        int rc = begin(timeline, customer);
        if (rc == 0)
                rc = write_rows(timeline);
        for (int source = 0; source < SOURCES; source++)
                if (timeline->stmts[source])
                        db_reset(timeline->stmts[source]);
        if (rc < 0)
                return reading_failed(timeline->reading, rc);
        writer_char(out, ']');
        if (timeline->has_next) {
                char next[64];
                snprintf(next, sizeof next, "%lld.%lld.%lld", (long long)timeline->last.at_ms,
                         (long long)timeline->last.source, (long long)timeline->last.id);
                writer_raw(out, SPAN(",\"next\":"));
                writer_string(out, span_of(next));
        }
        writer_char(out, '}');
        return 0;
}

int read_timeline_read(const struct reading *reading)
{
        const struct protocol_timeline_read *params = reading->command->params;
        struct timeline timeline = {.reading = reading,
                                    .last = {INT64_MAX, 0, 0},
                                    .limit = params->has_limit ? params->limit : ROWS_DEFAULT};
        struct principal_row row;
        if (params->has_before && !read_position(params->before, &timeline.last))
                return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "before", "`next` of a page before");
        int rc = customers_look(reading->db, &reading->command->caller, params->customer, &row);
        if (rc == DB_ROW)
                rc = customers_reach(reading->db, &reading->command->caller, &timeline.reach);
        else if (rc == DB_OK)
                return -PROTOCOL_ERR_NOT_FOUND;
        if (rc < 0)
                return reading_failed(reading, rc);
        return tell(&timeline, row.id);
}
