/* SPDX-License-Identifier: Apache-2.0 */
/* Why a case is opened: a low score, the tick, a missed target of a tier, somebody. A customer has at most one open
 * case: what comes meanwhile is added to it. */
#include "desk/customers/customers.h"
#include "desk/hours/hours.h"
#include "desk/recovery/recovery_private.h"

#include <stdio.h>

/* ---- scores ---- */

static int top_of(int metric, int top)
{
        if (top > 0)
                return top;
        return metric == PROTOCOL_SURVEY_SHOWN_METRIC_NPS ? 10 : metric == PROTOCOL_SURVEY_SHOWN_METRIC_CES ? 7 : 5;
}

bool score_is_low(const struct recovery_settings *settings, const struct case_score *score)
{
        if (!score->has_score)
                return false;
        if (score->metric == PROTOCOL_SURVEY_SHOWN_METRIC_NPS)
                return score->score <= settings->nps_low;
        if (score->metric == PROTOCOL_SURVEY_SHOWN_METRIC_CES)
                return settings->ces_low > 0 && score->score * 7 <= settings->ces_low * score->top;
        if (settings->csat_low <= 0)
                return false;
        if (score->top == 1)
                return score->score == 0;
        if (score->top == 3)
                return score->score == 1;
        return score->score * 5 <= settings->csat_low * score->top;
}

int case_score_before(struct desk *desk, struct recovery_case *one)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RECOVERY_SCORE_BEFORE);
        db_bind_int(stmt, 1, one->id);
        int rc = db_step(stmt);
        one->before = (struct case_score){0};
        if (rc == DB_ROW)
                one->before =
                        (struct case_score){(int)db_int(stmt, 0), true, (int)db_int(stmt, 1), (int)db_int(stmt, 2)};
        db_reset(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* ---- reasons ---- */

static int put_reason(struct desk *desk, const struct recovery_case *one, const struct case_reason *reason)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RECOVERY_TRIGGER_INSERT);
        db_bind_int(stmt, 1, one->id);
        db_bind_int(stmt, 2, reason->kind);
        db_bind_int(stmt, 3, reason->offer);
        db_bind_int(stmt, 4, (int64_t)reason->offer_ext);
        db_bind_int(stmt, 5, reason->ticket);
        db_bind_int(stmt, 6, reason->rated);
        db_bind_int(stmt, 7, reason->score.metric);
        if (reason->score.has_score)
                db_bind_int(stmt, 8, reason->score.score);
        else
                db_bind_null(stmt, 8);
        db_bind_int(stmt, 9, reason->score.top);
        db_bind_int(stmt, 10, desk->now_ms);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static struct case_line line_of(enum case_what what, const struct case_reason *reason)
{
        return (struct case_line){.what = what,
                                  .word = reason->word,
                                  .number = reason->score.has_score ? reason->score.score + 1 : 0,
                                  .text = reason->note};
}

int case_add_reason(struct desk *desk, struct recovery_case *one, const struct case_reason *reason)
{
        int rc = put_reason(desk, one, reason);
        one->triggers++;
        if (rc == 0)
                rc = case_score_before(desk, one);
        struct case_line line = line_of(WHAT_REPEATED, reason);
        if (rc == 0)
                rc = case_changed(desk, one, reason->actor, &line);
        return rc == 0 ? case_owner_check(desk, one, "rated") : rc;
}

int case_open_of(struct desk *desk, int64_t customer, int64_t but, struct recovery_case *out_case)
{
        int64_t ids[2];
        int count = case_ids(desk, SQL_RECOVERY_OPEN_OF_CUSTOMER, customer, 0, ids, 2);
        for (int i = 0; i < count; i++) {
                if (ids[i] == but)
                        continue;
                int rc = case_load(desk, ids[i], out_case);
                return rc < 0 ? rc : 1;
        }
        return count < 0 ? count : 0;
}

/* ---- a new one ---- */

static int put_case(struct desk *desk, struct recovery_case *one)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RECOVERY_INSERT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, (int64_t)one->ext);
        db_bind_int(stmt, 3, one->customer);
        db_bind_int(stmt, 4, one->conv);
        db_bind_int(stmt, 5, one->ticket);
        db_bind_int(stmt, 6, one->rated);
        db_bind_int(stmt, 7, one->team);
        db_bind_int(stmt, 8, one->stage);
        db_bind_text(stmt, 9, span_of(one->tier));
        db_bind_int(stmt, 10, one->opened_ms);
        db_bind_int(stmt, 11, one->schedule);
        db_bind_int(stmt, 12, one->contact_within_ms);
        db_bind_int(stmt, 13, one->fix_within_ms);
        db_bind_int(stmt, 14, one->contact_due_ms);
        db_bind_int(stmt, 15, one->fix_due_ms);
        db_bind_int(stmt, 16, one->earlier);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        one->id = db_last_id(desk->db);
        return 0;
}

/* What a new one is, by its reason and the settings. */
static int begin(struct desk *desk, const struct case_reason *reason, struct recovery_case *one)
{
        const struct recovery_settings *settings = &desk->recovery->settings;
        const struct team *team = reason->team ? people_team(desk, reason->team) : NULL;
        struct span tier = {0};
        *one = (struct recovery_case){.ext = desk_new_id(desk),
                                      .customer = reason->customer,
                                      .conv = reason->conv,
                                      .ticket = reason->ticket,
                                      .rated = reason->rated,
                                      .team = team ? team->id : 0,
                                      .stage = CASE_OPEN,
                                      .opened_ms = desk->now_ms,
                                      .from_ms = desk->now_ms,
                                      .schedule = team && settings->is_business ? team->schedule : 0,
                                      .contact_within_ms = settings->contact_ms,
                                      .fix_within_ms = settings->fix_ms,
                                      .before = reason->score,
                                      .triggers = 1,
                                      .version = 1};
        int rc = customers_value(desk, reason->customer, SPAN("tier"), &tier);
        if (rc < 0)
                return rc;
        snprintf(one->tier, sizeof one->tier, "%.*s", (int)tier.len, tier.at ? tier.at : "");
        rc = case_number(desk, SQL_RECOVERY_EARLIER, reason->customer, 0, &one->earlier);
        case_reckon(desk, one);
        return rc < 0 ? rc : 0;
}

static int say_opened(struct desk *desk, const struct recovery_case *one, const struct case_reason *reason)
{
        char text[200], score[64];
        case_describe_score(&reason->score, score);
        snprintf(text, sizeof text, "was opened: %s%s%s", reason->word, reason->score.has_score ? ", " : "",
                 reason->score.has_score ? score : "");
        return case_note(desk, one, reason->actor, text);
}

int case_open(struct desk *desk, const struct case_reason *reason, struct recovery_case *out_case, bool *out_repeated)
{
        int rc = case_open_of(desk, reason->customer, 0, out_case);
        *out_repeated = rc == 1;
        if (rc != 0)
                return rc < 0 ? rc : case_add_reason(desk, out_case, reason);
        rc = begin(desk, reason, out_case);
        if (rc == 0)
                rc = put_case(desk, out_case);
        if (rc == 0)
                rc = case_row_load(desk->db, out_case->id, out_case) == DB_ROW ? 0 : desk_db_failed(desk, DB_IO);
        if (rc < 0)
                return rc;
        out_case->before = reason->score;
        out_case->triggers = 1;
        struct case_line line = line_of(WHAT_OPENED, reason);
        rc = put_reason(desk, out_case, reason);
        if (rc == 0)
                rc = case_log(desk, out_case, reason->actor, &line);
        if (rc == 0)
                rc = case_save(desk, out_case);
        if (rc == 0)
                rc = case_owner_check(desk, out_case, "opened");
        if (rc == 0)
                case_tell(desk, out_case, WHAT_OPENED);
        return rc == 0 ? say_opened(desk, out_case, reason) : rc;
}

int case_fold(struct desk *desk, struct recovery_case *from, struct recovery_case *into)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RECOVERY_TRIGGERS_MOVE);
        db_bind_int(stmt, 1, from->id);
        db_bind_int(stmt, 2, into->id);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        struct case_line gone = {.what = WHAT_MERGED, .number = -from->triggers};
        struct case_line come = {.what = WHAT_MERGED, .number = from->triggers};
        into->triggers += from->triggers;
        from->triggers = 0;
        rc = case_score_before(desk, into);
        if (rc == 0)
                rc = case_changed(desk, into, 0, &come);
        if (rc == 0)
                rc = case_log(desk, from, 0, &gone);
        if (rc == 0)
                rc = case_withdraw(desk, from, "merged");
        return rc == 0 ? case_owner_check(desk, into, "rated") : rc;
}

/* ---- what the desk tells ---- */

struct known_reason {
        int64_t id, case_id;
        bool has_score, is_standing;
        int score;
};

/* 1, 0 = the answer stands at no case, or the store failed. */
static int find_reason(struct desk *desk, int64_t offer, struct known_reason *out)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RECOVERY_TRIGGER_OF_OFFER);
        db_bind_int(stmt, 1, offer);
        int rc = db_step(stmt);
        if (rc == DB_ROW)
                *out = (struct known_reason){.id = db_int(stmt, 0),
                                             .case_id = db_int(stmt, 1),
                                             .has_score = !db_is_null(stmt, 3),
                                             .score = (int)db_int(stmt, 3),
                                             .is_standing = db_int(stmt, 4) != 0};
        db_reset(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : rc == DB_ROW;
}

static int save_reason(struct desk *desk, int64_t id, const struct case_reason *reason, bool is_standing, int64_t at)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RECOVERY_TRIGGER_SAVE);
        db_bind_int(stmt, 1, id);
        db_bind_int(stmt, 2, reason->kind);
        if (reason->score.has_score)
                db_bind_int(stmt, 3, reason->score.score);
        else
                db_bind_null(stmt, 3);
        db_bind_int(stmt, 4, is_standing);
        db_bind_int(stmt, 5, at);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* A withdrawn case counts again, or its answer goes to the customer's open one. */
static int counts_again(struct desk *desk, struct recovery_case *one, int64_t id, const struct case_reason *reason)
{
        struct recovery_case open = {0};
        int rc = case_open_of(desk, one->customer, one->id, &open);
        if (rc == 0)
                return case_reopen(desk, one, CASE_OPEN, 0, reason->word, &reason->score, (struct span){0});
        if (rc == 1)
                rc = save_reason(desk, id, reason, true, open.id);
        struct case_line gone = {.what = WHAT_MERGED, .number = -1}, come = {.what = WHAT_MERGED, .number = 1};
        one->triggers--;
        open.triggers++;
        if (rc == 0)
                rc = case_score_before(desk, one);
        if (rc == 0)
                rc = case_changed(desk, one, 0, &gone);
        if (rc == 0)
                rc = case_score_before(desk, &open);
        if (rc == 0)
                rc = case_changed(desk, &open, 0, &come);
        return rc == 0 ? case_owner_check(desk, &open, "rated") : rc;
}

/* An answer that stands at a case has changed. */
static int answer_changed(struct desk *desk, const struct known_reason *known, const struct case_reason *reason,
                          bool is_serious)
{
        struct recovery_case one = {0};
        int64_t standing = 0;
        bool is_same = known->is_standing == is_serious && known->has_score == reason->score.has_score &&
                       (!known->has_score || known->score == reason->score.score);
        if (is_same)
                return 0;
        int rc = save_reason(desk, known->id, reason, is_serious, known->case_id);
        if (rc == 0)
                rc = case_load(desk, known->case_id, &one);
        if (rc == 0)
                rc = case_score_before(desk, &one);
        if (rc == 0)
                rc = case_number(desk, SQL_RECOVERY_TRIGGERS_STANDING, known->case_id, 0, &standing);
        if (rc < 0)
                return rc;
        struct case_line line = line_of(WHAT_ANSWER_CHANGED, reason);
        rc = case_changed(desk, &one, 0, &line);
        if (rc == 0 && standing == 0 && case_is_open(&one) && one.first_ms == 0)
                return case_withdraw(desk, &one, "answer_changed");
        if (rc == 0 && is_serious && one.stage == CASE_WITHDRAWN)
                return counts_again(desk, &one, known->id, reason);
        return rc;
}

/* Asked again about a case: the score after it; a low one opens it again. */
static int answered_again(struct desk *desk, int64_t case_id, struct case_reason *reason, bool is_serious)
{
        struct recovery_case one = {0}, open = {0};
        struct known_reason known = {0};
        int rc = case_load(desk, case_id, &one);
        if (rc < 0)
                return rc == -PROTOCOL_ERR_NOT_FOUND ? 0 : rc;
        bool is_new = one.after.has_score != reason->score.has_score || one.after.score != reason->score.score;
        one.after = reason->score;
        struct case_line line = line_of(WHAT_ANSWERED_AGAIN, reason);
        if (is_new && (rc = case_changed(desk, &one, 0, &line)) < 0)
                return rc;
        rc = find_reason(desk, reason->offer, &known);
        if (rc != 0)
                return rc < 0 ? rc : save_reason(desk, known.id, reason, is_serious, known.case_id);
        if (!is_serious)
                return 0;
        rc = case_open_of(desk, one.customer, one.id, &open);
        if (rc != 0)
                return rc < 0 ? rc : case_add_reason(desk, &open, reason);
        rc = case_add_reason(desk, &one, reason);
        return rc == 0 && !case_is_open(&one)
                       ? case_reopen(desk, &one, CASE_REOPENED, 0, reason->word, &reason->score, (struct span){0})
                       : rc;
}

int recovery_answered(struct desk *desk, const struct recovery_answer *answer)
{
        const struct recovery_settings *settings = &desk->recovery->settings;
        struct case_reason reason = {
                .offer = answer->offer,
                .offer_ext = answer->offer_ext,
                .ticket = answer->ticket,
                .conv = answer->conv,
                .customer = answer->customer,
                .rated = answer->agent,
                .team = answer->team,
                .score = {answer->metric, answer->has_score, answer->score, top_of(answer->metric, answer->top)}};
        struct recovery_case opened = {0};
        struct known_reason known = {0};
        bool is_repeated, is_low = score_is_low(settings, &reason.score);
        bool is_serious = is_low || (settings->takes_tick && answer->wants_contact);
        reason.kind = answer->is_resurvey ? KIND_AGAIN : is_low ? KIND_SCORE : KIND_TICK;
        reason.word = is_low ? "low score" : "asked to be contacted";
        if (answer->is_resurvey)
                return answered_again(desk, answer->case_id, &reason, is_serious);
        int rc = find_reason(desk, answer->offer, &known);
        if (rc != 0)
                return rc < 0 ? rc : answer_changed(desk, &known, &reason, is_serious);
        return is_serious ? case_open(desk, &reason, &opened, &is_repeated) : 0;
}

int recovery_sla_missed(struct desk *desk, struct ticket *ticket, int metric, int64_t due_ms)
{
        static const char *const words[] = {"first response missed", "next response missed", "resolution missed"};
        struct span tier = {0};
        struct recovery_case opened = {0};
        bool is_repeated;
        (void)due_ms;
        if (!desk->recovery || desk->recovery->settings.tiers[0] == 0 || metric < 0 || metric >= SLA_TARGETS)
                return 0;
        int rc = customers_value(desk, ticket->customer, SPAN("tier"), &tier);
        if (rc < 0 || !recovery_has_tier(&desk->recovery->settings, tier))
                return rc;
        struct case_reason reason = {.kind = KIND_SLA,
                                     .word = words[metric],
                                     .ticket = ticket->id,
                                     .conv = ticket->conv,
                                     .customer = ticket->customer,
                                     .rated = ticket->assignee,
                                     .team = ticket->team};
        return case_open(desk, &reason, &opened, &is_repeated);
}
