/* SPDX-License-Identifier: Apache-2.0 */
/* bot.report: the rows of a bot, conversation by conversation, are counted (bot_count.c). One pass; a
 * conversation at a time is in memory. What a number means stands in docs/bots.md, "Is it any good". */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "desk/bot_admin.h"
#include "desk/bot_numbers.h"
#include "desk/bot_report_private.h"

enum { DAYS_USUAL = 30, DAYS_MOST = 400, ANSWERS_TOLD = 500, DAYS_TOLD = 4000, DAY_TEXT = 11 };

/* ---- reading ---- */

static int read_rows(struct report *report)
{
        struct db_stmt *stmt = db_stmt(report->db, SQL_BOT_REPORT_ROWS);
        int rc;
        db_bind_int(stmt, 1, report->bot);
        db_bind_int(stmt, 2, report->from);
        db_bind_int(stmt, 3, report->to);
        while ((rc = db_step(stmt)) == DB_ROW && !report->is_short) {
                if (db_int(stmt, 0) != report->conv) {
                        report_end_conversation(report);
                        report->conv = db_int(stmt, 0);
                }
                report_add_row(report, stmt);
        }
        db_reset(stmt);
        report_end_conversation(report);
        rc = rc < 0 ? rc : report->failure;
        return rc < 0 ? rc : report->is_short ? DB_NOMEM : DB_OK;
}

/* ---- telling ---- */

static int compare_numbers(const void *a, const void *b)
{
        int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
        return x < y ? -1 : x > y;
}

/* The smallest value that `hundredths` of all do not exceed. */
static int64_t quantile(const int64_t *sorted, size_t count, size_t hundredths)
{
        return sorted[(count * hundredths + 99) / 100 - 1];
}

static void tell_waits(struct report *report)
{
        struct protocol_bot_waits *waits = &report->result.waits;
        if (report->wait_count == 0)
                return;
        qsort(report->waits, report->wait_count, sizeof *report->waits, compare_numbers);
        waits->has_median_ms = waits->has_p90_ms = true;
        waits->median_ms = quantile(report->waits, report->wait_count, 50);
        waits->p90_ms = quantile(report->waits, report->wait_count, 90);
}

static void tell_holdout(struct report *report)
{
        struct protocol_bot_holdout *holdout = &report->result.holdout;
        struct bot_difference found;
        if (!bot_difference_of(holdout->held_out_people, holdout->held_out, holdout->bot_people, holdout->bot, &found))
                return;
        holdout->has_difference = holdout->has_low = holdout->has_high = true;
        holdout->difference = llround(found.difference * 10000);
        holdout->low = llround(found.low * 10000);
        holdout->high = llround(found.high * 10000);
}

static int compare_days(const void *a, const void *b)
{
        const struct protocol_bot_day *x = a, *y = b;
        int rc = strcmp(x->day.at, y->day.at);
        return rc ? rc : strcmp(x->lang.at, y->lang.at);
}

static struct span day_text(struct desk_command *command, int64_t number)
{
        char *text = arena_take(&command->arena, DAY_TEXT);
        time_t seconds = (time_t)(number * BOT_DAY_MS / 1000);
        struct tm parts;
        bool is_good = text && gmtime_r(&seconds, &parts) && strftime(text, DAY_TEXT, "%Y-%m-%d", &parts) > 0;
        return is_good ? span_of(text) : SPAN("");
}

static bool tell_days(struct report *report, struct desk_command *command)
{
        struct protocol_bot_report_result *result = &report->result;
        uint32_t count = report->day_names.count;
        result->days = arena_take(&command->arena, (count + 1u) * sizeof *result->days);
        if (!result->days)
                return false;
        for (uint32_t i = 1; i <= count; i++) {
                const struct report_day *day = &report->days[i];
                result->days[i - 1] = (struct protocol_bot_day){.day = day_text(command, day->number),
                                                                .has_lang = day->lang != 0,
                                                                .lang = span_of(report->names.texts[day->lang]),
                                                                .questions = day->questions,
                                                                .missed = day->missed};
        }
        if (count > 0)
                qsort(result->days, count, sizeof *result->days, compare_days);
        result->days_count = count < DAYS_TOLD ? count : DAYS_TOLD;
        if (result->days_count < count)
                result->has_more = result->more = true;
        return true;
}

static int compare_answers(const void *a, const void *b)
{
        const struct protocol_bot_answer *x = a, *y = b;
        if (x->shown != y->shown)
                return x->shown > y->shown ? -1 : 1;
        size_t len = x->rule.len < y->rule.len ? x->rule.len : y->rule.len;
        int rc = memcmp(x->rule.at, y->rule.at, len);
        return rc ? rc : x->rule.len < y->rule.len ? -1 : x->rule.len > y->rule.len;
}

static bool tell_answers(struct report *report, struct desk_command *command)
{
        struct protocol_bot_report_result *result = &report->result;
        result->answers = arena_take(&command->arena, (report->names.count + 1u) * sizeof *result->answers);
        if (!result->answers)
                return false;
        for (uint32_t i = 1; i <= report->names.count; i++) {
                const struct report_answer *answer = &report->answers[i];
                if (answer->shown + answer->helped + answer->not_helped + answer->handed_off == 0)
                        continue;
                result->answers[result->answers_count++] =
                        (struct protocol_bot_answer){.rule = span_of(report->names.texts[i]),
                                                     .shown = answer->shown,
                                                     .helped = answer->helped,
                                                     .not_helped = answer->not_helped,
                                                     .handed_off = answer->handed_off};
        }
        if (result->answers_count > 0)
                qsort(result->answers, result->answers_count, sizeof *result->answers, compare_answers);
        if (result->answers_count > ANSWERS_TOLD || report->names.is_full || report->day_names.is_full)
                result->has_more = result->more = true;
        if (result->answers_count > ANSWERS_TOLD)
                result->answers_count = ANSWERS_TOLD;
        return true;
}

/* ---- the method ---- */

static int find_version(struct report *report, struct span digits, struct fault *fault)
{
        uint8_t low[32], high[32];
        if (!bot_publish_prefix(digits, low, high))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "version", "8 to 64 lower-case hex digits");
        struct db_stmt *stmt = db_stmt(report->db, SQL_BOT_VERSION_FIND);
        db_bind_int(stmt, 1, report->bot);
        db_bind_blob(stmt, 2, low, sizeof low);
        db_bind_blob(stmt, 3, high, sizeof high);
        int rc = db_step(stmt), second = DB_OK;
        if (rc == DB_ROW) {
                report->version = db_int(stmt, 0);
                second = db_step(stmt);
        }
        db_reset(stmt);
        if (rc < 0 || second < 0)
                return bot_numbers_failed(report->desk, report->db, rc < 0 ? rc : second);
        if (second == DB_ROW)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "version", "more digits: several begin so");
        return rc == DB_ROW ? 0 : -PROTOCOL_ERR_NOT_FOUND;
}

static int read_params(struct report *report, const struct protocol_bot_report *params, struct fault *fault)
{
        struct bot_looked_up bot;
        int rc = bot_look_up(report->desk, report->db, params->bot, &bot);
        if (rc < 0)
                return rc;
        report->bot = bot.id;
        report->to = params->has_to ? params->to : report->now;
        report->from = params->has_from ? params->from : report->to - DAYS_USUAL * BOT_DAY_MS;
        report->lang = params->has_lang ? params->lang : SPAN("");
        if (report->from < 0)
                report->from = 0;
        if (report->from >= report->to || report->to - report->from > DAYS_MOST * BOT_DAY_MS)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "from", "before `to`, at most 400 days");
        report->result.from = report->from;
        report->result.to = report->to;
        return params->has_version ? find_version(report, params->version, fault) : 0;
}

static void report_done(struct report *report)
{
        bot_names_done(&report->names);
        bot_names_done(&report->day_names);
        free(report->days);
        free(report->answers);
        free(report->rows);
        free(report->episodes);
        free(report->waits);
}

static int run_report(struct report *report, struct desk_command *command, struct writer *out, struct fault *fault)
{
        /* Number 0 is counted, for nobody. */
        if (bot_names_init(&report->names) < 0 || bot_names_init(&report->day_names) < 0 ||
            !report_make_room(report, (void **)&report->answers, &report->answer_room, 0, sizeof *report->answers) ||
            !report_make_room(report, (void **)&report->days, &report->day_room, 0, sizeof *report->days))
                return -PROTOCOL_ERR_INTERNAL;
        int rc = read_params(report, command->params, fault);
        if (rc < 0)
                return rc;
        rc = read_rows(report);
        if (rc < 0)
                return bot_numbers_failed(report->desk, report->db, rc);
        tell_waits(report);
        tell_holdout(report);
        if (!tell_days(report, command) || !tell_answers(report, command))
                return -PROTOCOL_ERR_INTERNAL;
        protocol_bot_report_result_write(out, &report->result);
        return 0;
}

int bot_report_read(struct desk *desk, struct db *db, struct desk_command *command, struct writer *out,
                    struct fault *fault)
{
        struct report report = {.desk = desk, .db = db, .now = clock_wall_ms()};
        int rc = run_report(&report, command, out, fault);
        report_done(&report);
        return rc;
}

int handle_bot_report(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        return bot_report_read(desk, desk->db, command, out, fault);
}
