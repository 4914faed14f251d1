/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a case: contacted, resolved, withdrawn, opened again; and what time brings. Whether something was in
 * time is judged when it is done, by the schedule as it is then; timers only tell that a deadline has passed. */
#include "desk/hours/hours.h"
#include "desk/recovery/recovery_private.h"

#include <stdio.h>

static int64_t deadline(const struct desk *desk, const struct recovery_case *one, int64_t within_ms)
{
        const struct schedule *schedule = hours_schedule(desk, one->schedule);
        int64_t due_ms = schedule ? timetable_add(&schedule->times, one->from_ms, within_ms) : CALENDAR_NEVER;
        return due_ms == CALENDAR_NEVER ? one->from_ms + within_ms : due_ms; /* never open again: by the clock */
}

void case_reckon(const struct desk *desk, struct recovery_case *one)
{
        one->contact_due_ms = deadline(desk, one, one->contact_within_ms);
        one->fix_due_ms = deadline(desk, one, one->fix_within_ms);
}

static void set_reason(struct recovery_case *one, const char *reason)
{
        snprintf(one->reason, sizeof one->reason, "%s", reason ? reason : "");
}

int case_contact(struct desk *desk, struct recovery_case *one, int64_t actor, int channel, bool reached, int64_t seq,
                 struct span note)
{
        case_reckon(desk, one);
        if (one->first_ms == 0) {
                one->first_ms = desk->now_ms;
                one->is_in_time = desk->now_ms <= one->contact_due_ms;
        }
        if (one->contacted_ms == 0)
                one->contacted_ms = desk->now_ms;
        one->stage = CASE_CONTACTED;
        one->contacts++;
        struct case_line line = {
                .what = WHAT_CONTACT, .number = channel | (reached ? CONTACT_REACHED : 0), .other = seq, .text = note};
        return case_changed(desk, one, actor, &line);
}

void case_take_on(struct desk *desk, struct recovery_case *one)
{
        if (one->taken_on_ms != 0)
                return;
        case_reckon(desk, one);
        one->taken_on_ms = desk->now_ms;
        one->is_fix_in_time = desk->now_ms <= one->fix_due_ms;
}

static const char *const outcome_words[] = {"", "recovered", "not recovered", "unreachable", "declined"};

int case_resolve(struct desk *desk, struct recovery_case *one, int64_t actor, enum case_outcome outcome,
                 const char *reason, struct span note)
{
        char text[160];
        case_take_on(desk, one);
        one->stage = CASE_RESOLVED;
        one->outcome = outcome;
        one->resolved_ms = desk->now_ms;
        set_reason(one, reason);
        int64_t wait_ms = desk->recovery->settings.resurvey_ms;
        one->resurvey_ms = outcome == CASE_RECOVERED && wait_ms > 0 ? desk->now_ms + wait_ms : 0;
        one->asked_ms = 0;
        int rc = case_let_go(desk, one);
        struct case_line line = {.what = WHAT_RESOLVED, .word = reason, .number = outcome, .text = note};
        if (rc == 0)
                rc = case_changed(desk, one, actor, &line);
        snprintf(text, sizeof text, "was resolved: %s", outcome_words[outcome]);
        return rc == 0 && !reason ? case_note(desk, one, actor, text) : rc;
}

int case_withdraw(struct desk *desk, struct recovery_case *one, const char *reason)
{
        one->stage = CASE_WITHDRAWN;
        one->resolved_ms = desk->now_ms;
        set_reason(one, reason);
        int rc = case_let_go(desk, one);
        struct case_line line = {.what = WHAT_WITHDRAWN, .word = reason};
        if (rc == 0)
                rc = case_changed(desk, one, 0, &line);
        return rc == 0 ? case_note(desk, one, 0, "was withdrawn: nobody had spoken to the customer yet") : rc;
}

/* The owner it had stays, when he may own it still and can read the conversation. */
static int keep_owner(struct desk *desk, struct recovery_case *one)
{
        const struct agent_profile *agent = one->owner ? people_agent(desk, one->owner) : NULL;
        int is_about = agent ? case_is_about(desk, one, one->owner) : 0;
        if (is_about < 0)
                return is_about;
        int rc = agent && !is_about && people_may(agent, PROTOCOL_MAY_RECOVERY) ? case_give(desk, one, agent->id)
                                                                                : case_give(desk, one, 0);
        return rc == -PROTOCOL_ERR_TOO_MANY ? case_give(desk, one, 0) : rc;
}

int case_reopen(struct desk *desk, struct recovery_case *one, enum case_stage stage, int64_t actor, const char *reason,
                const struct case_score *score, struct span note)
{
        one->stage = stage;
        one->outcome = 0;
        one->from_ms = desk->now_ms;
        one->contacted_ms = one->taken_on_ms = one->resolved_ms = one->resurvey_ms = one->asked_ms = one->told = 0;
        one->is_fix_in_time = false;
        set_reason(one, "");
        case_reckon(desk, one);
        one->reopens++;
        struct case_line line = {.what = WHAT_REOPENED,
                                 .word = reason,
                                 .number = score && score->has_score ? score->score + 1 : 0,
                                 .text = note};
        int rc = keep_owner(desk, one);
        if (rc == 0)
                rc = case_changed(desk, one, actor, &line);
        if (rc == 0)
                rc = case_owner_check(desk, one, "reopened");
        return rc == 0 ? case_note(desk, one, actor, "was opened again") : rc;
}

/* ---- what time brings ---- */

static int escalate(struct desk *desk, struct recovery_case *one, enum case_told which)
{
        one->told |= which;
        one->escalations++;
        struct case_line line = {.what = WHAT_ESCALATED, .word = which == TOLD_CONTACT ? "contact" : "fix"};
        int rc = case_changed(desk, one, 0, &line);
        if (rc < 0)
                return rc;
        return case_note(desk, one, 0,
                         which == TOLD_CONTACT ? "is late: nobody has spoken to the customer in time"
                                               : "is late: it is not resolved, and nobody has taken it on with a date");
}

/* Once, whether the survey's own rules let him be asked or not. */
static int ask_again(struct desk *desk, struct recovery_case *one)
{
        int rc = surveys_ask_about_case(desk, one->conv, one->customer, one->id, one->owner, one->team);
        if (rc < 0)
                return rc;
        one->asked_ms = desk->now_ms;
        struct case_line line = {.what = WHAT_ASKED_AGAIN, .word = rc == 1 ? NULL : "not asked"};
        return case_changed(desk, one, 0, &line);
}

int case_run_due(struct desk *desk, struct recovery_case *one)
{
        int rc = 0;
        if (!case_is_open(one))
                return one->resurvey_ms > 0 && one->asked_ms == 0 && one->resurvey_ms <= desk->now_ms
                               ? ask_again(desk, one)
                               : case_save(desk, one);
        case_reckon(desk, one);
        if (one->contacted_ms == 0 && !(one->told & TOLD_CONTACT) && one->contact_due_ms < desk->now_ms)
                rc = escalate(desk, one, TOLD_CONTACT);
        if (rc == 0 && one->taken_on_ms == 0 && !(one->told & TOLD_FIX) && one->fix_due_ms < desk->now_ms)
                rc = escalate(desk, one, TOLD_FIX);
        return rc == 0 ? case_save(desk, one) : rc;
}
