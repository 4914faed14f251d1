/* SPDX-License-Identifier: Apache-2.0 */
/* report.export: the rows that numbers are made from, as lines, in pages. What is in a line is what happened, not what
 * the reports make of it; no name, text, token or address is among it. A place is "row" or "row.number". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/hours/hours_private.h"
#include "desk/reading.h"
#include "desk/reports/reports_private.h"
#include "protocol/writer.h"
#include "store/db.h"

enum { LOOKED_AT = 20000, TEXT_BYTES = 60000, PLACE_BYTES = 41 };

struct lines {
        const struct reading *reading;
        struct report_period period;
        bool is_csv, is_first;
        struct writer out, names, values;
        int members; /* of the line under way */
        int64_t rows, looked_at, row, number;
        bool more;
};

/* ---- one line ---- */

static void name(struct lines *lines, const char *member)
{
        struct writer *out = &lines->values;
        if (lines->members++ > 0) {
                writer_char(out, ',');
                writer_char(&lines->names, ',');
        }
        writer_raw(&lines->names, span_of(member));
        if (lines->is_csv)
                return;
        writer_string(out, span_of(member));
        writer_char(out, ':');
}

static void say_int(struct lines *lines, const char *member, int64_t value)
{
        name(lines, member);
        writer_int(&lines->values, value);
}

static void say_nothing(struct lines *lines, const char *member)
{
        name(lines, member);
        if (!lines->is_csv)
                writer_raw(&lines->values, SPAN("null"));
}

static void say_moment(struct lines *lines, const char *member, int64_t ms)
{
        if (ms > 0)
                say_int(lines, member, ms);
        else
                say_nothing(lines, member);
}

static void say_word(struct lines *lines, const char *member, struct span word)
{
        if (!word.at || word.len == 0) {
                say_nothing(lines, member);
                return;
        }
        name(lines, member);
        if (!lines->is_csv) {
                writer_string(&lines->values, word);
                return;
        }
        writer_char(&lines->values, '"');
        for (size_t i = 0; i < word.len; i++) {
                if (word.at[i] == '"')
                        writer_char(&lines->values, '"');
                writer_char(&lines->values, word.at[i]);
        }
        writer_char(&lines->values, '"');
}

static void say_id(struct lines *lines, const char *member, const char *prefix, int64_t ext)
{
        char text[ID_TEXT_BYTES];
        id_write(text, prefix, (uint64_t)ext);
        say_word(lines, member, ext != 0 ? (struct span){text, sizeof text} : (struct span){0});
}

static void say_who(struct lines *lines, const char *member, enum principal_role role, int64_t ext)
{
        char text[ID_TEXT_BYTES];
        size_t len = principal_write(text, (struct principal_id){role, (uint64_t)ext});
        say_word(lines, member, ext != 0 ? (struct span){text, len} : (struct span){0});
}

static void say_bool(struct lines *lines, const char *member, bool value)
{
        name(lines, member);
        writer_bool(&lines->values, value);
}

static void say_one_of(struct lines *lines, const char *member, const char *const *words, int64_t count, int64_t at)
{
        say_word(lines, member, at >= 0 && at < count ? span_of(words[at]) : (struct span){0});
}
#define SAY_ONE_OF(lines, member, words, at) say_one_of(lines, member, words, sizeof(words) / sizeof *(words), at)

static void end_line(struct lines *lines)
{
        if (lines->is_csv && lines->is_first) {
                writer_raw(&lines->out, (struct span){lines->names.bytes, lines->names.len});
                writer_raw(&lines->out, SPAN("\r\n"));
        }
        lines->is_first = false;
        if (!lines->is_csv)
                writer_char(&lines->out, '{');
        writer_raw(&lines->out, (struct span){lines->values.bytes, lines->values.len});
        writer_raw(&lines->out, lines->is_csv ? SPAN("\r\n") : SPAN("}\n"));
        lines->names.len = lines->values.len = 0;
        lines->members = 0;
        lines->rows++;
}

static bool is_within(const struct lines *lines, int64_t at_ms)
{
        return at_ms >= lines->period.from_ms && at_ms < lines->period.to_ms;
}

/* ---- tickets ---- */

static const char *const priorities[] = {"", "low", "normal", "high", "urgent"};

static void say_meter(struct lines *lines, const char *prefix, const struct sla_meter *meter)
{
        static const char *const phases[] = {"idle", "running", "paused", "done", "dropped"};
        char member[48];
        snprintf(member, sizeof member, "%s_state", prefix);
        SAY_ONE_OF(lines, member, phases, meter ? (int64_t)meter->phase : -1);
        snprintf(member, sizeof member, "%s_business_ms", prefix);
        say_int(lines, member, meter ? meter->counted_ms : 0);
        snprintf(member, sizeof member, "%s_promised", prefix);
        say_bool(lines, member, meter && meter->target_ms > 0);
        snprintf(member, sizeof member, "%s_missed", prefix);
        say_bool(lines, member, meter && meter->is_missed);
}

static int say_misses(struct lines *lines, int64_t ticket)
{
        struct db_stmt *stmt = db_stmt(lines->reading->db, SQL_EXPORT_MISSES);
        struct writer text;
        char first[256];
        int rc;
        writer_init(&text, first, sizeof first);
        db_bind_int(stmt, 1, ticket);
        while ((rc = db_step(stmt)) == DB_ROW) {
                if (text.len > 0)
                        writer_char(&text, ' ');
                if (text.len < 1000)
                        writer_int(&text, db_int(stmt, 0));
        }
        say_word(lines, "next_missed", text.len > 0 ? (struct span){text.bytes, text.len} : (struct span){0});
        writer_done(&text);
        return rc;
}

static int put_ticket(struct lines *lines, struct db_stmt *stmt)
{
        struct sla_clock *clock = NULL;
        int64_t ticket = db_int(stmt, 0);
        if (!is_within(lines, db_int(stmt, 12)))
                return DB_OK;
        say_id(lines, "ticket", "tkt", db_int(stmt, 1));
        say_int(lines, "number", db_int(stmt, 2));
        say_id(lines, "conv", "cnv", db_int(stmt, 3));
        say_id(lines, "app", "app", db_int(stmt, 4));
        say_id(lines, "team", "tea", db_int(stmt, 5));
        say_who(lines, "agent", ROLE_AGENT, db_int(stmt, 6));
        SAY_ONE_OF(lines, "priority", priorities, db_int(stmt, 7));
        say_word(lines, "lang", db_text(stmt, 8));
        say_word(lines, "topic", db_text(stmt, 9));
        say_word(lines, "status", span_of(ticket_status_names[db_int(stmt, 10) % TICKET_STATUSES]));
        say_word(lines, "close_reason", db_text(stmt, 11));
        say_moment(lines, "issued", db_int(stmt, 12));
        say_int(lines, "first_seq", db_int(stmt, 13));
        int rc = clock_read(lines->reading->db, ticket, &clock);
        if (rc < 0)
                return rc;
        say_meter(lines, "first", clock ? &clock->count.meters[SLA_FIRST] : NULL);
        say_meter(lines, "resolution", clock ? &clock->count.meters[SLA_RESOLUTION] : NULL);
        say_meter(lines, "total", clock ? &clock->count.meters[SLA_TOTAL] : NULL);
        free(clock);
        rc = say_misses(lines, ticket);
        end_line(lines);
        return rc;
}

static int put_event(struct lines *lines, struct db_stmt *stmt)
{
        static const char *const kinds[] = {"", "made", "status", "place"};
        if (!is_within(lines, db_int(stmt, 4)))
                return DB_OK;
        say_id(lines, "ticket", "tkt", db_int(stmt, 2));
        say_int(lines, "number", db_int(stmt, 1));
        SAY_ONE_OF(lines, "kind", kinds, db_int(stmt, 3));
        say_moment(lines, "at", db_int(stmt, 4));
        say_word(lines, "status", span_of(ticket_status_names[db_int(stmt, 5) % TICKET_STATUSES]));
        say_id(lines, "team", "tea", db_int(stmt, 6));
        say_who(lines, "agent", ROLE_AGENT, db_int(stmt, 7));
        say_int(lines, "seq", db_int(stmt, 8));
        say_word(lines, "tier", db_text(stmt, 9));
        end_line(lines);
        return DB_OK;
}

static int put_message(struct lines *lines, struct db_stmt *stmt)
{
        static const char *const roles[] = {"", "customer", "person", "bot"};
        if (!is_within(lines, db_int(stmt, 3)))
                return DB_OK;
        say_id(lines, "conv", "cnv", db_int(stmt, 2));
        say_int(lines, "seq", db_int(stmt, 1));
        say_moment(lines, "at", db_int(stmt, 3));
        SAY_ONE_OF(lines, "by", roles, db_int(stmt, 4));
        say_who(lines, "agent", ROLE_AGENT, db_int(stmt, 4) == ROLE_AGENT ? db_int(stmt, 5) : 0);
        say_bool(lines, "erased", db_int(stmt, 6) != 0);
        end_line(lines);
        return DB_OK;
}

/* ---- answers, cases, agents ---- */

static int put_answer(struct lines *lines, struct db_stmt *stmt)
{
        static const char *const names_of_metrics[] = {"", "csat", "nps", "ces"};
        static const char *const states[] = {"", "planned", "waiting", "answered", "expired", "withdrawn", "refused"};
        static const char *const causes[] = {"", "solved", "closed", "later", "hand", "app", "automation", "recovery"};
        static const char *const ways[] = {"", "chat", "link"};
        if (!is_within(lines, db_int(stmt, 11)))
                return DB_OK;
        say_id(lines, "offer", "off", db_int(stmt, 1));
        say_id(lines, "ticket", "tkt", db_int(stmt, 2));
        say_id(lines, "conv", "cnv", db_int(stmt, 3));
        say_id(lines, "survey", "sur", db_int(stmt, 4));
        say_int(lines, "version", db_int(stmt, 5));
        SAY_ONE_OF(lines, "metric", names_of_metrics, db_int(stmt, 6));
        say_int(lines, "top", db_int(stmt, 7));
        SAY_ONE_OF(lines, "state", states, db_int(stmt, 8));
        SAY_ONE_OF(lines, "cause", causes, db_int(stmt, 9));
        say_word(lines, "reason", db_text(stmt, 10));
        say_moment(lines, "offered", db_int(stmt, 11));
        say_moment(lines, "answered", db_int(stmt, 12));
        say_moment(lines, "changed", db_int(stmt, 13));
        if (db_is_null(stmt, 14))
                say_nothing(lines, "score");
        else
                say_int(lines, "score", db_int(stmt, 14));
        say_bool(lines, "wants_contact", db_int(stmt, 15) != 0);
        SAY_ONE_OF(lines, "way", ways, db_int(stmt, 16));
        say_who(lines, "agent", ROLE_AGENT, db_int(stmt, 17));
        say_id(lines, "team", "tea", db_int(stmt, 18));
        say_id(lines, "app", "app", db_int(stmt, 19));
        say_word(lines, "lang", db_text(stmt, 20));
        say_word(lines, "topic", db_text(stmt, 21));
        say_word(lines, "tier", db_text(stmt, 22));
        say_bool(lines, "by_bot", db_int(stmt, 23) != 0);
        say_bool(lines, "has_comment", db_int(stmt, 24) != 0);
        end_line(lines);
        return DB_OK;
}

static int put_case(struct lines *lines, struct db_stmt *stmt)
{
        static const char *const stages[] = {"", "open", "contacted", "resolved", "reopened", "withdrawn"};
        static const char *const outcomes[] = {"", "recovered", "not_recovered", "unreachable", "declined"};
        if (!is_within(lines, db_int(stmt, 10)))
                return DB_OK;
        say_id(lines, "case", "rec", db_int(stmt, 1));
        say_id(lines, "ticket", "tkt", db_int(stmt, 2));
        say_id(lines, "conv", "cnv", db_int(stmt, 3));
        say_who(lines, "owner", ROLE_AGENT, db_int(stmt, 4));
        say_id(lines, "team", "tea", db_int(stmt, 5));
        SAY_ONE_OF(lines, "stage", stages, db_int(stmt, 6));
        SAY_ONE_OF(lines, "outcome", outcomes, db_int(stmt, 7));
        say_word(lines, "cause", db_text(stmt, 8));
        say_word(lines, "tier", db_text(stmt, 9));
        say_moment(lines, "opened", db_int(stmt, 10));
        say_moment(lines, "contacted", db_int(stmt, 11));
        say_bool(lines, "in_time", db_int(stmt, 12) != 0);
        say_moment(lines, "resolved", db_int(stmt, 13));
        for (int i = 0; i < 2; i++) {
                const char *member = i == 0 ? "score_before" : "score_after";
                if (db_is_null(stmt, 14 + i))
                        say_nothing(lines, member);
                else
                        say_int(lines, member, db_int(stmt, 14 + i));
        }
        end_line(lines);
        return DB_OK;
}

static int put_agent(struct lines *lines, struct db_stmt *stmt)
{
        static const char *const statuses[] = {"", "online", "busy", "away", "offline"};
        if (!is_within(lines, db_int(stmt, 2)))
                return DB_OK;
        say_who(lines, "agent", ROLE_AGENT, db_int(stmt, 1));
        say_moment(lines, "at", db_int(stmt, 2));
        SAY_ONE_OF(lines, "status", statuses, db_int(stmt, 3));
        say_word(lines, "reason", db_text(stmt, 4));
        say_int(lines, "minutes", db_int(stmt, 5));
        end_line(lines);
        return DB_OK;
}

static int put_bot(struct lines *lines, struct db_stmt *stmt)
{
        static const char *const kinds[] = {"",           "answered",   "offered", "missed", "in_flow", "helped",
                                            "not_helped", "handed",     "ticket",  "closed", "failed",  "held_out",
                                            "person",     "given_back", "silent",  "tagged"};
        if (!is_within(lines, db_int(stmt, 4)))
                return DB_OK;
        say_id(lines, "conv", "cnv", db_int(stmt, 1));
        say_id(lines, "bot", "bot", db_int(stmt, 2));
        say_id(lines, "app", "app", db_int(stmt, 3));
        say_moment(lines, "at", db_int(stmt, 4));
        SAY_ONE_OF(lines, "kind", kinds, db_int(stmt, 5));
        say_int(lines, "seq", db_int(stmt, 6));
        say_word(lines, "rule", db_text(stmt, 7));
        say_word(lines, "lang", db_text(stmt, 8));
        say_moment(lines, "sent", db_int(stmt, 9));
        say_moment(lines, "before", db_int(stmt, 10));
        end_line(lines);
        return DB_OK;
}

/* ---- pages ---- */

static const struct source {
        enum sql_id sql;
        bool has_number; /* the place has two parts */
        int (*put)(struct lines *lines, struct db_stmt *stmt);
} sources[] = {[PROTOCOL_REPORT_EXPORT_WHAT_TICKETS] = {SQL_EXPORT_TICKETS, false, put_ticket},
               [PROTOCOL_REPORT_EXPORT_WHAT_EVENTS] = {SQL_EXPORT_EVENTS, true, put_event},
               [PROTOCOL_REPORT_EXPORT_WHAT_MESSAGES] = {SQL_EXPORT_MESSAGES, true, put_message},
               [PROTOCOL_REPORT_EXPORT_WHAT_ANSWERS] = {SQL_EXPORT_ANSWERS, false, put_answer},
               [PROTOCOL_REPORT_EXPORT_WHAT_CASES] = {SQL_EXPORT_CASES, false, put_case},
               [PROTOCOL_REPORT_EXPORT_WHAT_AGENTS] = {SQL_EXPORT_AGENTS, false, put_agent},
               [PROTOCOL_REPORT_EXPORT_WHAT_BOTS] = {SQL_EXPORT_BOTS, false, put_bot}};

static int read_page(struct lines *lines, const struct source *source)
{
        struct db_stmt *stmt = db_stmt(lines->reading->db, source->sql);
        int rc, next = 1;
        db_bind_int(stmt, next++, lines->row);
        if (source->has_number)
                db_bind_int(stmt, next++, lines->number);
        db_bind_int(stmt, next++, LOOKED_AT + 1);
        if (source->sql == SQL_EXPORT_MESSAGES) {
                db_bind_int(stmt, next++, PROTOCOL_ENTRY_SYSTEM);
                db_bind_int(stmt, next++, PROTOCOL_ENTRY_ERASED);
                db_bind_int(stmt, next++, PROTOCOL_ENTRY_CHOICES);
        }
        while ((rc = db_step(stmt)) == DB_ROW) {
                lines->more = lines->looked_at == LOOKED_AT || lines->out.len > TEXT_BYTES;
                if (lines->more)
                        break;
                lines->row = db_int(stmt, 0);
                lines->number = source->has_number ? db_int(stmt, 1) : 0;
                lines->looked_at++;
                rc = source->put(lines, stmt);
                if (rc < 0)
                        break;
        }
        db_reset(stmt);
        return rc < 0 ? reading_failed(lines->reading, rc) : 0;
}

static int read_params(struct lines *lines, const struct zone *zone)
{
        const struct protocol_report_export *params = lines->reading->command->params;
        int64_t numbers[2];
        lines->is_csv = params->has_format && params->format == PROTOCOL_REPORT_EXPORT_FORMAT_CSV;
        lines->is_first = !params->has_after;
        if (params->has_after) {
                if (!report_place_read(params->after, numbers, 2))
                        return fault_set(lines->reading->fault, PROTOCOL_ERR_BAD_REQUEST, "after",
                                         "`next` of the page before");
                lines->row = numbers[0];
                lines->number = numbers[1];
        }
        return report_period_read(lines->reading, zone, params->from, params->to, 36600, &lines->period);
}

static int answer(struct lines *lines)
{
        const struct protocol_report_export *params = lines->reading->command->params;
        char next[PLACE_BYTES];
        int rc = read_page(lines, &sources[params->what]);
        if (rc == 0 && (lines->out.failed || lines->names.failed || lines->values.failed))
                rc = -PROTOCOL_ERR_INTERNAL;
        if (rc < 0)
                return rc;
        snprintf(next, sizeof next, "%" PRId64 ".%" PRId64, lines->row, lines->number);
        struct protocol_report_export_result result = {
                .text = lines->out.len > 0 ? (struct span){lines->out.bytes, lines->out.len} : SPAN(""),
                .rows = lines->rows,
                .more = lines->more,
                .has_next = lines->more,
                .next = span_of(next)};
        protocol_report_export_result_write(lines->reading->out, &result);
        return 0;
}

int read_report_export(const struct reading *reading)
{
        struct report_state state = {0};
        struct lines lines = {.reading = reading};
        writer_init(&lines.out, NULL, 0);
        writer_init(&lines.names, NULL, 0);
        writer_init(&lines.values, NULL, 0);
        int rc = report_state_for(reading, &state);
        if (rc == 0)
                rc = read_params(&lines, state.zone);
        if (rc == 0)
                rc = answer(&lines);
        writer_done(&lines.out);
        writer_done(&lines.names);
        writer_done(&lines.values);
        report_state_done(&state);
        return rc;
}
