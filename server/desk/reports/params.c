/* SPDX-License-Identifier: Apache-2.0 */
/* What the reads of reports share: who may read what, days, names of metrics, keys and their names. Reader's thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/hours/civil.h"
#include "desk/hours/zone.h"
#include "desk/people/people.h"
#include "desk/reading.h"
#include "desk/reports/reports_private.h"
#include "store/db.h"

int report_reader(const struct reading *reading, int64_t *out_agent)
{
        const struct caller *caller = &reading->command->caller;
        *out_agent = 0;
        int rc = people_authorize_read(reading->db, caller, PROTOCOL_MAY_REPORT_READ);
        if (rc == -PROTOCOL_ERR_FORBIDDEN && caller->role == ROLE_AGENT) {
                *out_agent = caller->principal;
                return 0;
        }
        return rc;
}

struct span report_keep(const struct reading *reading, struct span text)
{
        char *copy = text.len > 0 ? arena_take(&reading->command->arena, text.len) : NULL;
        if (copy)
                memcpy(copy, text.at, text.len);
        return (struct span){copy ? copy : "", copy ? text.len : 0};
}

int report_state_for(const struct reading *reading, struct report_state *out_state)
{
        int rc = report_state_load(reading->db, reading->command->caller.workspace, out_state);
        if (rc < 0)
                return reading_failed(reading, rc);
        return 0;
}

int report_metric_named(const struct reading *reading, struct span name, const char *field)
{
        for (int id = 1; id < METRICS; id++)
                if (span_equal(name, span_of(metrics[id].name)))
                        return id;
        fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, field, "a name of report.metrics");
        return 0;
}

static bool read_number(struct span *text, int64_t *out_number)
{
        bool is_below = text->len > 0 && *text->at == '-';
        int64_t value = 0;
        size_t digits = 0, at = is_below;
        for (; at < text->len && text->at[at] >= '0' && text->at[at] <= '9'; at++, digits++) {
                int digit = text->at[at] - '0';
                if (value > (INT64_MAX - digit) / 10)
                        return false;
                value = value * 10 + digit;
        }
        *out_number = is_below ? -value : value;
        *text = (struct span){text->at + at, text->len - at};
        return digits > 0;
}

bool report_place_read(struct span text, int64_t *out_numbers, int count)
{
        for (int i = 0; i < count; i++) {
                bool is_parted = i == 0 || (text.len > 0 && *text.at == '.');
                if (i > 0 && is_parted)
                        text = (struct span){text.at + 1, text.len - 1};
                if (!is_parted || !read_number(&text, &out_numbers[i]))
                        return false;
        }
        return text.len == 0;
}

/* ---- days ---- */

void report_day_write(char out[11], int64_t day)
{
        struct civil date = civil_from_days(day);
        unsigned year = date.year < 0 ? 0 : date.year > 9999 ? 9999 : (unsigned)date.year;
        snprintf(out, 11, "%04u-%02u-%02u", year, (unsigned)date.month % 100, (unsigned)date.day % 100);
}

static bool day_read(struct span text, int64_t *out_day)
{
        int parts[3] = {0};
        static const int lengths[3] = {4, 2, 2};
        const char *at = text.at;
        if (text.len != 10 || at[4] != '-' || at[7] != '-')
                return false;
        for (int i = 0; i < 3; i++, at++) {
                for (int j = 0; j < lengths[i]; j++, at++) {
                        if (*at < '0' || *at > '9')
                                return false;
                        parts[i] = parts[i] * 10 + (*at - '0');
                }
        }
        if (parts[0] < 1970 || parts[1] < 1 || parts[1] > 12 || parts[2] < 1 ||
            parts[2] > civil_month_days(parts[0], parts[1]))
                return false;
        *out_day = civil_to_days(parts[0], parts[1], parts[2]);
        return true;
}

int report_period_read(const struct reading *reading, const struct zone *zone, struct span from, struct span to,
                       int most_days, struct report_period *out_period)
{
        char expected[80];
        struct report_period period = {0};
        if (!day_read(from, &period.from))
                return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "from", "a day such as 2026-10-01");
        if (!day_read(to, &period.to))
                return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "to", "a day such as 2026-10-31");
        snprintf(expected, sizeof expected, "not before `from`, and at most %d days behind it", most_days);
        if (period.to < period.from || period.to - period.from >= most_days)
                return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "to", expected);
        period.from_ms = report_day_begins_ms(zone, period.from);
        period.to_ms = report_day_begins_ms(zone, period.to + 1);
        *out_period = period;
        return 0;
}

/* ---- keys ---- */

static int find_number(const struct reading *reading, enum sql_id sql, int64_t first, int64_t second,
                       char out[KEY_BYTES])
{
        struct db_stmt *stmt = db_stmt(reading->db, sql);
        db_bind_int(stmt, 1, first);
        if (second > 0)
                db_bind_int(stmt, 2, second);
        int rc = db_step(stmt);
        if (rc == DB_ROW)
                snprintf(out, KEY_BYTES, "%lld", (long long)db_int(stmt, 0));
        db_reset(stmt);
        if (rc < 0)
                return reading_failed(reading, rc);
        return rc == DB_ROW ? 0 : -PROTOCOL_ERR_NOT_FOUND;
}

static int agent_inside(const struct reading *reading, struct span outside, char out[KEY_BYTES])
{
        struct principal_id who;
        struct principal_row row;
        if (principal_read(outside, &who) < 0 || who.role != ROLE_AGENT)
                return -PROTOCOL_ERR_NOT_FOUND;
        int rc = principals_load_ext(reading->db, who.id, &row);
        if (rc < 0)
                return reading_failed(reading, rc);
        if (rc != DB_ROW || row.role != ROLE_AGENT)
                return -PROTOCOL_ERR_NOT_FOUND;
        snprintf(out, KEY_BYTES, "%lld", (long long)row.id);
        return 0;
}

/* sur_.../2 */
static int survey_inside(const struct reading *reading, struct span outside, char out[KEY_BYTES])
{
        char number[8] = "";
        uint64_t ext = 0;
        if (outside.len <= ID_TEXT_BYTES + 1 || outside.len > ID_TEXT_BYTES + 7 || outside.at[ID_TEXT_BYTES] != '/' ||
            id_read((struct span){outside.at, ID_TEXT_BYTES}, "sur", &ext) < 0)
                return -PROTOCOL_ERR_NOT_FOUND;
        snprintf(number, sizeof number, "%.*s", (int)(outside.len - ID_TEXT_BYTES - 1), outside.at + ID_TEXT_BYTES + 1);
        int64_t version = strtol(number, NULL, 10);
        return version > 0 ? find_number(reading, SQL_REPORT_SURVEY_ID, (int64_t)ext, version, out)
                           : -PROTOCOL_ERR_NOT_FOUND;
}

static int priority_inside(struct span outside, char out[KEY_BYTES])
{
        static const char *const names[] = {"low", "normal", "high", "urgent"};
        for (int i = 0; i < 4; i++) {
                if (span_equal(outside, span_of(names[i]))) {
                        snprintf(out, KEY_BYTES, "%d", i + 1);
                        return 0;
                }
        }
        return -PROTOCOL_ERR_NOT_FOUND;
}

int report_key_inside(const struct reading *reading, enum report_dim dim, struct span outside, char out[KEY_BYTES])
{
        uint64_t ext = 0;
        int rc = 0;
        memset(out, 0, KEY_BYTES);
        if (outside.len == 0)
                return 0;
        switch (dim) {
        case DIM_TEAM:
                rc = id_read(outside, "tea", &ext) < 0 ? -PROTOCOL_ERR_NOT_FOUND
                                                       : find_number(reading, SQL_REPORT_TEAM_ID, (int64_t)ext, 0, out);
                break;
        case DIM_APP:
                rc = id_read(outside, "app", &ext) < 0 ? -PROTOCOL_ERR_NOT_FOUND
                                                       : find_number(reading, SQL_REPORT_APP_ID, (int64_t)ext, 0, out);
                break;
        case DIM_BOT:
                rc = id_read(outside, "bot", &ext) < 0 ? -PROTOCOL_ERR_NOT_FOUND
                                                       : find_number(reading, SQL_REPORT_BOT_ID, (int64_t)ext, 0, out);
                break;
        case DIM_AGENT:
                rc = agent_inside(reading, outside, out);
                break;
        case DIM_SURVEY:
                rc = survey_inside(reading, outside, out);
                break;
        case DIM_PRIORITY:
                rc = priority_inside(outside, out);
                break;
        default:
                if (outside.len >= KEY_BYTES)
                        return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "filter", "at most 71 bytes");
                memcpy(out, outside.at, outside.len);
                break;
        }
        return rc == -PROTOCOL_ERR_NOT_FOUND
                       ? fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "filter", "a key of that dimension")
                       : rc;
}

static int named(const struct reading *reading, enum sql_id sql, const char *prefix, int64_t id, struct span *out_key,
                 struct span *out_name)
{
        char text[ID_TEXT_BYTES + 8];
        struct db_stmt *stmt = db_stmt(reading->db, sql);
        db_bind_int(stmt, 1, id);
        int rc = db_step(stmt);
        if (rc == DB_ROW) {
                bool is_survey = sql == SQL_REPORT_SURVEY_OF;
                id_write(text, prefix, (uint64_t)db_int(stmt, 0));
                size_t len = ID_TEXT_BYTES;
                if (is_survey)
                        len += (size_t)snprintf(text + len, 8, "/%d", (int)(db_int(stmt, 1) % 100000));
                *out_key = report_keep(reading, (struct span){text, len});
                *out_name = report_keep(reading, db_text(stmt, is_survey ? 2 : 1));
        }
        db_reset(stmt);
        return rc < 0 ? reading_failed(reading, rc) : 0;
}

static int agent_named(const struct reading *reading, int64_t id, struct span *out_key, struct span *out_name)
{
        char text[ID_TEXT_BYTES];
        const struct principal *agent = directory_find(reading->directory, id);
        if (!agent)
                return 0;
        size_t len = principal_write(text, (struct principal_id){agent->role, agent->ext});
        *out_key = report_keep(reading, (struct span){text, len});
        *out_name = report_keep(reading, agent->name ? span_of(agent->name) : SPAN(""));
        return 0;
}

int report_key_outside(const struct reading *reading, enum report_dim dim, const char *inside, struct span *out_key,
                       struct span *out_name)
{
        static const char *const priorities[] = {"", "low", "normal", "high", "urgent"};
        int64_t id = strtoll(inside, NULL, 10);
        *out_key = report_keep(reading, span_of(inside));
        *out_name = SPAN("");
        if (*inside == '\0')
                return 0;
        switch (dim) {
        case DIM_TEAM:
                return named(reading, SQL_REPORT_TEAM_OF, "tea", id, out_key, out_name);
        case DIM_APP:
                return named(reading, SQL_REPORT_APP_OF, "app", id, out_key, out_name);
        case DIM_SURVEY:
                return named(reading, SQL_REPORT_SURVEY_OF, "sur", id, out_key, out_name);
        case DIM_BOT:
                return named(reading, SQL_REPORT_BOT_OF, "bot", id, out_key, out_name);
        case DIM_AGENT:
                return agent_named(reading, id, out_key, out_name);
        case DIM_PRIORITY:
                *out_key = span_of(priorities[id >= 1 && id <= 4 ? id : 0]);
                return 0;
        default:
                return 0;
        }
}
