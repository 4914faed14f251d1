/* SPDX-License-Identifier: Apache-2.0 */
/* sla.add and its sisters. A change is a new version; whether open tickets get it is asked, never guessed. */
#include "desk/desk_private.h"
#include "desk/hours/hours_private.h"
#include "desk/people/people.h"
#include "desk/rules/names.h"

#include <stdio.h>
#include <strings.h>

enum { PAGE_BYTES = 80000, ROW_BYTES = 3000, WARN_PERCENT = 80 };

/* What is stored of a version; spans are borrowed from the call or from memory. */
struct version_text {
        struct span name, when;
        int64_t schedule, from_ms;
        struct sla_terms terms; /* targets, pauses, warn_percent */
};

/* ---- what is asked for ---- */

static int check_name(const struct desk *desk, struct span name, const struct policy *self, struct fault *fault)
{
        for (size_t i = 0; i < desk->hours->policy_count; i++) {
                const struct policy *policy = &desk->hours->policies[i];
                const char *other = policy_newest(policy)->name;
                if (policy != self && !policy->is_removed && strlen(other) == name.len &&
                    strncasecmp(other, name.at, name.len) == 0)
                        return fault_set(fault, PROTOCOL_ERR_CONFLICT, "name", "a name that no other policy has");
        }
        return 0;
}

/* Checks the expression; *out_when is its canonical text, in the arena. */
static int take_when(struct desk *desk, struct arena *arena, struct span when, struct span *out_when,
                     struct fault *fault)
{
        struct condition *condition = NULL;
        int rc = rules_canonical(desk, arena, when, CONDITION_OF_VIEW, "when", &condition, out_when, fault);
        if (rc == 0 && condition_is_personal(condition))
                rc = fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "when", "nothing about me: a policy has no reader");
        if (rc == 0 && condition_is_timed(condition))
                rc = fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "when",
                               "nothing about how long: a policy is chosen when a ticket changes");
        condition_free(condition);
        return rc;
}

static int take_schedule(const struct desk *desk, uint64_t ext, int64_t *out_id, struct fault *fault)
{
        const struct schedule *schedule = hours_schedule_ext(desk, ext);
        if (!schedule)
                return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "schedule", "a schedule");
        *out_id = schedule->id;
        return 0;
}

static int take_target(const struct protocol_sla_target *target, struct sla_terms *terms)
{
        struct sla_target taken = {SLA_UNIT_SECONDS, (int32_t)target->seconds};
        if (target->has_seconds == target->has_working_days)
                return -PROTOCOL_ERR_BAD_REQUEST;
        if (target->has_working_days)
                taken = (struct sla_target){SLA_UNIT_WORKING_DAYS, (int32_t)target->working_days};
        int metric = (int)target->metric - 1;
        for (int p = 0; p < SLA_PRIORITIES; p++)
                if (!target->has_priority || (int)target->priority - 1 == p)
                        terms->targets[p][metric] = taken;
        return 0;
}

/* Those of all priorities first, so that one of a priority stands before them wherever it was said. */
static int take_targets(const struct protocol_sla_target *targets, size_t count, struct sla_terms *terms,
                        struct fault *fault)
{
        memset(terms->targets, 0, sizeof terms->targets);
        for (int pass = 0; pass < 2; pass++)
                for (size_t i = 0; i < count; i++) {
                        if (targets[i].has_priority != (pass == 1) || take_target(&targets[i], terms) == 0)
                                continue;
                        char field[32];
                        snprintf(field, sizeof field, "targets[%zu]", i);
                        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, field, "either seconds or working_days");
                }
        return 0;
}

static const enum ticket_status pausing[] = {TICKET_WAITING, TICKET_ON_HOLD, TICKET_SNOOZED};
enum { PAUSING = sizeof pausing / sizeof *pausing };

/* The enums of sla.add and sla.set count the same three from 1. */
static uint32_t pause_bit(int said)
{
        return 1u << pausing[said - 1];
}

/* ---- writing ---- */

static int put_version(struct desk *desk, int64_t policy, const struct version_text *text)
{
        char targets[TARGETS_TEXT_BYTES];
        policy_targets_write(&text->terms, targets);
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SLA_VERSION_INSERT);
        db_bind_int(stmt, 1, policy);
        db_bind_int(stmt, 2, text->from_ms);
        db_bind_text(stmt, 3, text->name);
        db_bind_text(stmt, 4, text->when.len ? text->when : SPAN(""));
        db_bind_int(stmt, 5, text->schedule);
        db_bind_text(stmt, 6, span_of(targets));
        db_bind_int(stmt, 7, text->terms.pauses);
        db_bind_int(stmt, 8, text->terms.warn_percent);
        db_bind_int(stmt, 9, desk->now_ms);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* Memory, the audit trail, and open tickets, after the rows were written. */
static int changed(struct desk *desk, const struct caller *caller, const char *action, uint64_t ext, bool also_open)
{
        int rc = admin_audit(desk, caller, action, "sla", ext, also_open ? SPAN("open tickets too") : (struct span){0});
        if (rc == 0)
                rc = hours_read_again(desk);
        return rc == 0 && also_open ? clocks_match(desk) : rc;
}

static int64_t next_place(const struct desk *desk)
{
        return (int64_t)desk->hours->policy_count + 1;
}

static int draft_add(struct desk *desk, struct arena *arena, const struct protocol_sla_add *params,
                     struct version_text *text, struct fault *fault)
{
        *text = (struct version_text){.name = params->name, .when = SPAN("")};
        text->terms.warn_percent = params->has_warn_percent ? (int32_t)params->warn_percent : WARN_PERCENT;
        text->from_ms = params->has_also_open && params->also_open ? 0 : desk->now_ms;
        for (int i = 0; i < PAUSING && !params->has_pauses; i++)
                text->terms.pauses |= pause_bit(i + 1);
        for (size_t i = 0; params->has_pauses && i < params->pauses_count; i++)
                text->terms.pauses |= pause_bit((int)params->pauses[i]);
        int rc = check_name(desk, params->name, NULL, fault);
        if (rc == 0 && params->has_when)
                rc = take_when(desk, arena, params->when, &text->when, fault);
        if (rc == 0 && params->has_schedule)
                rc = take_schedule(desk, params->schedule, &text->schedule, fault);
        return rc == 0 ? take_targets(params->targets, params->targets_count, &text->terms, fault) : rc;
}

int handle_sla_add(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_sla_add *params = command->params;
        struct protocol_sla_add_result result = {.policy = desk_new_id(desk)};
        struct version_text text;
        if (policies_there(desk) >= HOURS_POLICIES)
                return -PROTOCOL_ERR_TOO_MANY;
        int rc = draft_add(desk, &command->arena, params, &text, fault);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SLA_POLICY_INSERT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, (int64_t)result.policy);
        db_bind_int(stmt, 3, next_place(desk));
        db_bind_int(stmt, 4, desk->now_ms);
        if ((rc = db_run(stmt)) < 0)
                return desk_db_failed(desk, rc);
        rc = put_version(desk, db_last_id(desk->db), &text);
        if (rc == 0)
                rc = changed(desk, &command->caller, "sla.add", result.policy, text.from_ms == 0);
        if (rc == 0)
                protocol_sla_add_result_write(out, &result);
        return rc;
}

static int draft_set(struct desk *desk, struct arena *arena, const struct protocol_sla_set *params,
                     const struct policy *policy, struct version_text *text, struct fault *fault)
{
        const struct policy_version *newest = policy_newest(policy);
        *text = (struct version_text){.name = params->has_name ? params->name : span_of(newest->name),
                                      .when = span_of(newest->when),
                                      .schedule = params->has_always && params->always ? 0 : newest->schedule,
                                      .from_ms = params->also_open ? 0 : desk->now_ms,
                                      .terms = newest->terms};
        if (params->has_warn_percent)
                text->terms.warn_percent = (int32_t)params->warn_percent;
        if (params->has_pauses)
                text->terms.pauses = 0;
        for (size_t i = 0; params->has_pauses && i < params->pauses_count; i++)
                text->terms.pauses |= pause_bit((int)params->pauses[i]);
        int rc = check_name(desk, text->name, policy, fault);
        if (rc == 0 && params->has_always && params->always && params->has_schedule)
                rc = fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "always", "either always or a schedule");
        if (rc == 0 && params->has_when)
                rc = take_when(desk, arena, params->when, &text->when, fault);
        if (rc == 0 && params->has_schedule)
                rc = take_schedule(desk, params->schedule, &text->schedule, fault);
        if (rc == 0 && params->has_targets)
                rc = take_targets(params->targets, params->targets_count, &text->terms, fault);
        return rc;
}

int handle_sla_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_sla_set *params = command->params;
        const struct policy *policy = policies_ext(desk, params->policy);
        struct protocol_sla_set_result result = {.policy = params->policy};
        struct version_text text;
        if (!policy)
                return -PROTOCOL_ERR_NOT_FOUND;
        int rc = draft_set(desk, &command->arena, params, policy, &text, fault);
        if (rc == 0)
                rc = put_version(desk, policy->id, &text);
        if (rc == 0)
                rc = changed(desk, &command->caller, "sla.set", params->policy, params->also_open);
        if (rc == 0)
                protocol_sla_set_result_write(out, &result);
        return rc;
}

/* ---- order and end ---- */

static int set_place(struct desk *desk, int64_t policy, int64_t place)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SLA_POLICY_PLACE);
        db_bind_int(stmt, 1, policy);
        db_bind_int(stmt, 2, place);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static int check_order(struct desk *desk, const struct protocol_sla_order *params, struct fault *fault)
{
        bool is_all = params->policies_count == policies_there(desk);
        for (size_t i = 0; is_all && i < params->policies_count; i++) {
                is_all = policies_ext(desk, params->policies[i]) != NULL;
                for (size_t j = 0; is_all && j < i; j++)
                        is_all = params->policies[i] != params->policies[j];
        }
        return is_all ? 0 : fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "policies", "all policies, each once");
}

int handle_sla_order(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_sla_order *params = command->params;
        struct protocol_sla_order_result result = {0};
        int64_t place = 0;
        int rc = check_order(desk, params, fault);
        for (size_t i = 0; rc == 0 && i < params->policies_count; i++)
                rc = set_place(desk, policies_ext(desk, params->policies[i])->id, ++place);
        for (size_t i = 0; rc == 0 && i < desk->hours->policy_count; i++)
                if (desk->hours->policies[i].is_removed) /* behind them, as they were */
                        rc = set_place(desk, desk->hours->policies[i].id, ++place);
        if (rc == 0)
                rc = changed(desk, &command->caller, "sla.order", params->policies[0], false);
        if (rc == 0)
                protocol_sla_order_result_write(out, &result);
        return rc;
}

int handle_sla_remove(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_sla_remove *params = command->params;
        const struct policy *policy = policies_ext(desk, params->policy);
        struct protocol_sla_remove_result result = {0};
        if (!policy)
                return -PROTOCOL_ERR_NOT_FOUND;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SLA_POLICY_REMOVE);
        db_bind_int(stmt, 1, policy->id);
        db_bind_int(stmt, 2, params->also_open ? 0 : desk->now_ms);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        rc = changed(desk, &command->caller, "sla.remove", params->policy, params->also_open);
        if (rc == 0)
                protocol_sla_remove_result_write(out, &result);
        return rc;
}

/* ---- showing ---- */

static void describe_target(const struct sla_target *target, int metric, int priority, bool is_of_all,
                            struct protocol_sla_row *row)
{
        struct protocol_sla_target *out = &row->targets[row->targets_count++];
        *out = (struct protocol_sla_target){.metric = (enum protocol_sla_target_metric)(metric + 1),
                                            .has_priority = !is_of_all,
                                            .priority = (enum protocol_sla_target_priority)(priority + 1)};
        out->has_working_days = target->unit == SLA_UNIT_WORKING_DAYS;
        out->has_seconds = target->unit == SLA_UNIT_SECONDS;
        out->seconds = out->working_days = target->amount;
}

static void describe_targets(const struct sla_terms *terms, struct protocol_sla_row *row)
{
        for (int m = 0; m < SLA_TARGETS; m++) {
                const struct sla_target *first = &terms->targets[0][m];
                bool same = true;
                for (int p = 1; p < SLA_PRIORITIES; p++)
                        same &= terms->targets[p][m].unit == first->unit &&
                                terms->targets[p][m].amount == first->amount;
                for (int p = 0; p < (same ? 1 : SLA_PRIORITIES); p++)
                        if (terms->targets[p][m].unit != SLA_UNIT_NONE)
                                describe_target(&terms->targets[p][m], m, p, same, row);
        }
}

static bool describe(struct desk *desk, const struct policy *policy, struct arena *arena, struct protocol_sla_row *row)
{
        const struct policy_version *newest = policy_newest(policy);
        const struct schedule *schedule = hours_schedule(desk, newest->schedule);
        struct writer shown;
        writer_init(&shown, NULL, 0);
        struct condition *condition = rules_stored(desk, span_of(newest->when), CONDITION_OF_VIEW);
        if (condition)
                condition_print(condition, rules_show, desk, &shown);
        condition_free(condition);
        *row = (struct protocol_sla_row){.policy = policy->ext,
                                         .name = span_of(newest->name),
                                         .has_schedule = schedule != NULL,
                                         .schedule = schedule ? schedule->ext : 0,
                                         .warn_percent = newest->terms.warn_percent,
                                         .since = newest->from_ms};
        char *when = arena_take(arena, shown.len + 1);
        row->targets = arena_take(arena, SLA_PRIORITIES * SLA_TARGETS * sizeof *row->targets);
        row->pauses = arena_take(arena, PAUSING * sizeof *row->pauses);
        bool is_whole = when && row->targets && row->pauses && !shown.failed;
        if (is_whole && shown.len > 0)
                memcpy(when, shown.bytes, shown.len);
        row->when = (struct span){when, shown.len};
        writer_done(&shown);
        for (int i = 0; is_whole && i < PAUSING; i++)
                if (newest->terms.pauses & 1u << pausing[i])
                        row->pauses[row->pauses_count++] = i + 1;
        if (is_whole)
                describe_targets(&newest->terms, row);
        return is_whole;
}

/* A condition may be long, so a page ends by bytes. */
int handle_sla_list(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_sla_list *params = command->params;
        struct protocol_sla_list_result result = {0};
        bool is_past = !params->has_after;
        size_t bytes = 0;
        if (params->has_after && !policies_ext(desk, params->after))
                return -PROTOCOL_ERR_NOT_FOUND;
        result.policies = arena_take(&command->arena, HOURS_POLICIES * sizeof *result.policies);
        if (!result.policies)
                return -PROTOCOL_ERR_INTERNAL;
        for (size_t i = 0; i < desk->hours->policy_count; i++) {
                const struct policy *policy = &desk->hours->policies[i];
                if (is_past && !policy->is_removed && bytes > PAGE_BYTES) {
                        result.more = result.has_more = true;
                        break;
                }
                if (is_past && !policy->is_removed) {
                        struct protocol_sla_row *row = &result.policies[result.policies_count++];
                        if (!describe(desk, policy, &command->arena, row))
                                return -PROTOCOL_ERR_INTERNAL;
                        bytes += ROW_BYTES + row->when.len;
                }
                is_past |= params->has_after && policy->ext == params->after;
        }
        protocol_sla_list_result_write(out, &result);
        return 0;
}
