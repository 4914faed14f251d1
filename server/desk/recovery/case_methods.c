/* SPDX-License-Identifier: Apache-2.0 */
/* The methods that change a case. Each checks all that is said before it changes anything: a refusal leaves nothing
 * behind. A case is changed by its owner, and by whoever has the permission `recovery_admin`; others do not learn that
 * it is there. */
#include "desk/recovery/recovery_private.h"

#include <stdio.h>

/* ---- finding ---- */

enum may { MAY_CHANGE, MAY_DO_ACTIONS };

static bool is_manager(const struct desk *desk, const struct caller *caller)
{
        return people_authorize(desk, caller, PROTOCOL_MAY_RECOVERY_ADMIN) == 0;
}

/* 1, 0, or the store failed. */
static int may_touch(struct desk *desk, const struct caller *caller, const struct recovery_case *one, enum may may)
{
        int64_t team, assignee, found;
        if (caller->role == ROLE_OPERATOR)
                return 1;
        int rc = case_place(desk, one, &team, &assignee);
        if (rc < 0 || !people_may_read(desk, caller, team, assignee, one->conv))
                return rc;
        if (one->owner == caller->principal || is_manager(desk, caller))
                return 1;
        if (may != MAY_DO_ACTIONS)
                return 0;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RECOVERY_HAS_ACTION);
        db_bind_int(stmt, 1, one->id);
        db_bind_int(stmt, 2, caller->principal);
        rc = db_step(stmt);
        found = rc == DB_ROW;
        db_reset(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : (int)found;
}

static int find(struct desk *desk, const struct caller *caller, uint64_t ext, int64_t version, enum may may,
                struct recovery_case *out, struct fault *fault)
{
        int64_t id;
        int rc = case_row_find(desk->db, desk->workspace, ext, &id);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc != DB_ROW)
                return -PROTOCOL_ERR_NOT_FOUND;
        rc = case_load(desk, id, out);
        if (rc == 0)
                rc = may_touch(desk, caller, out, may);
        if (rc <= 0)
                return rc < 0 ? rc : -PROTOCOL_ERR_NOT_FOUND;
        if (out->version == version)
                return 0;
        char text[FAULT_EXPECTED_BYTES];
        snprintf(text, sizeof text, "%lld, as it is now", (long long)out->version);
        return fault_set(fault, PROTOCOL_ERR_STALE, "version", text);
}

/* One that is not over. */
static int find_open(struct desk *desk, const struct caller *caller, uint64_t ext, int64_t version, enum may may,
                     struct recovery_case *out, struct fault *fault)
{
        int rc = find(desk, caller, ext, version, may, out, fault);
        if (rc == 0 && !case_is_open(out))
                rc = fault_set(fault, PROTOCOL_ERR_LOCKED, "recovery", "one that is not over");
        return rc;
}

/* ---- opening, giving ---- */

int handle_recovery_open(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_recovery_open *params = command->params;
        struct protocol_recovery_open_result result = {0};
        struct conversation *conversation = NULL;
        struct recovery_case one = {0};
        bool is_repeated = false;
        (void)fault;
        int rc = command->caller.role == ROLE_OPERATOR
                         ? conversation_find(desk, params->conv, &conversation)
                         : conversation_for(desk, &command->caller, params->conv, &conversation);
        if (rc < 0 || !conversation)
                return rc;
        const struct ticket *ticket = tickets_of_conversation(desk, conversation->row.id);
        struct case_reason reason = {.kind = KIND_HAND,
                                     .word = "by hand",
                                     .ticket = ticket ? ticket->id : 0,
                                     .conv = conversation->row.id,
                                     .customer = conversation->row.customer,
                                     .team = ticket ? ticket->team : conversation->row.team,
                                     .actor = command->caller.principal,
                                     .note = params->has_note ? params->note : (struct span){0}};
        rc = case_open(desk, &reason, &one, &is_repeated);
        if (rc < 0)
                return rc;
        result.recovery = one.ext;
        result.version = one.version;
        result.has_repeated = result.repeated = is_repeated;
        protocol_recovery_open_result_write(out, &result);
        return 0;
}

static int check_owner(struct desk *desk, const struct recovery_case *one, const struct agent_profile *agent,
                       struct fault *fault)
{
        if (!agent || !people_may(agent, PROTOCOL_MAY_RECOVERY))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "owner", "an agent with the permission recovery");
        int rc = case_is_about(desk, one, agent->id);
        if (rc > 0)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "owner", "not the agent it is about");
        return rc;
}

int handle_recovery_assign(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_recovery_assign *params = command->params;
        const struct agent_profile *agent =
                params->owner.role == ROLE_AGENT ? people_agent_ext(desk, params->owner.id) : NULL;
        struct recovery_case one = {0};
        int rc = find_open(desk, &command->caller, params->recovery, params->version, MAY_CHANGE, &one, fault);
        if (rc == 0)
                rc = check_owner(desk, &one, agent, fault);
        if (rc < 0 || !agent)
                return rc;
        int64_t had = one.owner;
        if (had != agent->id) {
                rc = case_give(desk, &one, agent->id);
                struct case_line line = {.what = WHAT_ASSIGNED, .word = "by hand", .number = agent->id};
                if (rc == 0)
                        rc = case_changed(desk, &one, command->caller.principal, &line);
        }
        if (rc < 0)
                return rc;
        struct protocol_recovery_assign_result result = {.version = one.version};
        protocol_recovery_assign_result_write(out, &result);
        return 0;
}

/* ---- contact, actions ---- */

int handle_recovery_contact(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_recovery_contact *params = command->params;
        struct recovery_case one = {0};
        int rc = find_open(desk, &command->caller, params->recovery, params->version, MAY_CHANGE, &one, fault);
        if (rc == 0)
                rc = case_contact(desk, &one, command->caller.principal, (int)params->channel, params->reached, 0,
                                  params->has_note ? params->note : (struct span){0});
        if (rc < 0)
                return rc;
        struct protocol_recovery_contact_result result = {.version = one.version};
        protocol_recovery_contact_result_write(out, &result);
        return 0;
}

static int put_action(struct desk *desk, const struct recovery_case *one, int64_t number, int64_t owner, int64_t due_ms,
                      struct span text)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RECOVERY_ACTION_INSERT);
        db_bind_int(stmt, 1, one->id);
        db_bind_int(stmt, 2, number);
        db_bind_int(stmt, 3, owner);
        db_bind_int(stmt, 4, due_ms);
        db_bind_text(stmt, 5, text);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* Who is to do it: the one named, or the caller, or (for the operator) the owner of the case. */
static int find_doer(struct desk *desk, const struct desk_command *command, const struct recovery_case *one,
                     int64_t *out_owner, struct fault *fault)
{
        const struct protocol_recovery_action_add *params = command->params;
        const struct agent_profile *agent = NULL;
        if (params->has_owner)
                agent = params->owner.role == ROLE_AGENT ? people_agent_ext(desk, params->owner.id) : NULL;
        else
                agent = people_agent(desk, command->caller.role == ROLE_AGENT ? command->caller.principal : one->owner);
        if (!agent || agent->is_gone)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "owner", "an agent who is there");
        if (!people_may(agent, PROTOCOL_MAY_RECOVERY) || !case_is_read_by(desk, one, agent))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "owner",
                                 "one with the permission recovery who may read the conversation");
        *out_owner = agent->id;
        return 0;
}

int handle_recovery_action_add(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_recovery_action_add *params = command->params;
        struct recovery_case one = {0};
        int64_t owner = 0, count = 0;
        int rc = find_open(desk, &command->caller, params->recovery, params->version, MAY_CHANGE, &one, fault);
        if (rc == 0 && params->has_due && params->due <= desk->now_ms)
                rc = fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "due", "a time to come");
        if (rc == 0)
                rc = find_doer(desk, command, &one, &owner, fault);
        if (rc == 0)
                rc = case_number(desk, SQL_RECOVERY_ACTION_COUNT, one.id, 0, &count);
        if (rc >= 0 && count >= CASE_ACTIONS)
                rc = -PROTOCOL_ERR_TOO_MANY;
        if (rc >= 0)
                rc = put_action(desk, &one, count + 1, owner, params->has_due ? params->due : 0, params->text);
        if (rc < 0)
                return rc;
        if (params->has_due)
                case_take_on(desk, &one);
        struct case_line line = {.what = WHAT_ACTION, .number = count + 1, .other = owner, .text = params->text};
        rc = case_changed(desk, &one, command->caller.principal, &line);
        struct protocol_recovery_action_add_result result = {.version = one.version, .action = count + 1};
        if (rc == 0)
                protocol_recovery_action_add_result_write(out, &result);
        return rc;
}

static int check_action(struct desk *desk, const struct desk_command *command, const struct recovery_case *one,
                        int64_t number, struct fault *fault)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RECOVERY_ACTION_GET);
        db_bind_int(stmt, 1, one->id);
        db_bind_int(stmt, 2, number);
        int rc = db_step(stmt);
        int64_t owner = rc == DB_ROW ? db_int(stmt, 0) : 0, done_ms = rc == DB_ROW ? db_int(stmt, 1) : 0;
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc != DB_ROW)
                return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "action", "an action of the case");
        bool may = command->caller.role == ROLE_OPERATOR || owner == command->caller.principal ||
                   one->owner == command->caller.principal || is_manager(desk, &command->caller);
        if (!may)
                return -PROTOCOL_ERR_FORBIDDEN;
        return done_ms ? fault_set(fault, PROTOCOL_ERR_CONFLICT, "action", "one that is not done yet") : 0;
}

int handle_recovery_action_done(struct desk *desk, struct desk_command *command, struct writer *out,
                                struct fault *fault)
{
        const struct protocol_recovery_action_done *params = command->params;
        struct recovery_case one = {0};
        int rc = find_open(desk, &command->caller, params->recovery, params->version, MAY_DO_ACTIONS, &one, fault);
        if (rc == 0)
                rc = check_action(desk, command, &one, params->action, fault);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RECOVERY_ACTION_DONE);
        db_bind_int(stmt, 1, one.id);
        db_bind_int(stmt, 2, params->action);
        db_bind_int(stmt, 3, desk->now_ms);
        db_bind_int(stmt, 4, command->caller.principal);
        rc = db_run(stmt);
        struct case_line line = {.what = WHAT_ACTION_DONE, .number = params->action};
        rc = rc < 0 ? desk_db_failed(desk, rc) : case_changed(desk, &one, command->caller.principal, &line);
        struct protocol_recovery_action_done_result result = {.version = one.version};
        if (rc == 0)
                protocol_recovery_action_done_result_write(out, &result);
        return rc;
}

/* ---- cause, compensation ---- */

int handle_recovery_cause(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_recovery_cause *params = command->params;
        struct recovery_case one = {0};
        int rc = find(desk, &command->caller, params->recovery, params->version, MAY_CHANGE, &one, fault);
        if (rc == 0 && one.stage == CASE_WITHDRAWN)
                rc = fault_set(fault, PROTOCOL_ERR_LOCKED, "recovery", "one that was not withdrawn");
        if (rc == 0 && (rc = recovery_has_cause(desk, params->cause)) == 0)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "cause", "a word of recovery.cause_list");
        if (rc < 0)
                return rc;
        snprintf(one.cause, sizeof one.cause, "%.*s", (int)params->cause.len, params->cause.at);
        struct case_line line = {.what = WHAT_CAUSE, .word = one.cause};
        rc = case_changed(desk, &one, command->caller.principal, &line);
        struct protocol_recovery_cause_result result = {.version = one.version};
        if (rc == 0)
                protocol_recovery_cause_result_write(out, &result);
        return rc;
}

static bool is_currency(struct span text)
{
        for (size_t i = 0; i < text.len; i++)
                if (text.at[i] < 'A' || text.at[i] > 'Z')
                        return false;
        return text.len == 3;
}

int handle_recovery_compensate(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_recovery_compensate *params = command->params;
        struct recovery_case one = {0};
        char word[80];
        if (!is_currency(params->currency))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "currency", "three capital letters, such as EUR");
        int rc = find(desk, &command->caller, params->recovery, params->version, MAY_CHANGE, &one, fault);
        if (rc == 0 && one.stage == CASE_WITHDRAWN)
                rc = fault_set(fault, PROTOCOL_ERR_LOCKED, "recovery", "one that was not withdrawn");
        if (rc < 0)
                return rc;
        snprintf(word, sizeof word, "%.3s %.*s", params->currency.at, (int)params->gave.len, params->gave.at);
        struct case_line line = {.what = WHAT_COMPENSATION,
                                 .word = word,
                                 .number = params->amount,
                                 .text = params->has_note ? params->note : (struct span){0}};
        rc = case_changed(desk, &one, command->caller.principal, &line);
        struct protocol_recovery_compensate_result result = {.version = one.version};
        if (rc == 0)
                protocol_recovery_compensate_result_write(out, &result);
        return rc;
}

/* ---- the end, and after it ---- */

int handle_recovery_resolve(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_recovery_resolve *params = command->params;
        struct recovery_case one = {0};
        int rc = find_open(desk, &command->caller, params->recovery, params->version, MAY_CHANGE, &one, fault);
        if (rc == 0 && one.contacted_ms == 0)
                rc = fault_set(fault, PROTOCOL_ERR_CONFLICT, "recovery",
                               "one whose customer was contacted, or tried to be, since it was opened");
        if (rc == 0)
                rc = case_resolve(desk, &one, command->caller.principal, (enum case_outcome)params->outcome, NULL,
                                  params->has_note ? params->note : (struct span){0});
        if (rc < 0)
                return rc;
        struct protocol_recovery_resolve_result result = {.version = one.version};
        protocol_recovery_resolve_result_write(out, &result);
        return 0;
}

int handle_recovery_reopen(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_recovery_reopen *params = command->params;
        struct recovery_case one = {0}, other = {0};
        int rc = find(desk, &command->caller, params->recovery, params->version, MAY_CHANGE, &one, fault);
        if (rc == 0 && (case_is_open(&one) || strcmp(one.reason, "merged") == 0 || strcmp(one.reason, "erased") == 0))
                rc = fault_set(fault, PROTOCOL_ERR_CONFLICT, "recovery",
                               "one that is over, neither merged nor of an erased customer");
        if (rc == 0 && (rc = case_open_of(desk, one.customer, one.id, &other)) == 1)
                rc = fault_set(fault, PROTOCOL_ERR_CONFLICT, "recovery", "one whose customer has no other open case");
        if (rc == 0)
                rc = case_reopen(desk, &one, CASE_REOPENED, command->caller.principal, "by hand", NULL,
                                 params->has_note ? params->note : (struct span){0});
        if (rc < 0)
                return rc;
        struct protocol_recovery_reopen_result result = {.version = one.version};
        protocol_recovery_reopen_result_write(out, &result);
        return 0;
}
