/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of actions. The status that a ticket will have is followed along the table of its life; where the table
 * has two ways, both are followed. */
#include <stdio.h>

#include "desk/desk_private.h"
#include "desk/people/people.h"
#include "desk/surveys/survey_defs.h"
#include "desk/tools/actions.h"
#include "desk/tools/actions_private.h"
#include "desk/tools/canned.h"
#include "desk/tools/variables.h"
#include "desk/tools/work.h"

/* ---- what an action says by itself ---- */

static const char *missing_of(const struct protocol_macro_action *action)
{
        switch (action->act) {
        case PROTOCOL_MACRO_ACTION_ACT_REPLY:
                return action->has_text == action->has_canned ? "canned" : NULL;
        case PROTOCOL_MACRO_ACTION_ACT_NOTE:
        case PROTOCOL_MACRO_ACTION_ACT_SUBJECT:
        case PROTOCOL_MACRO_ACTION_ACT_TOPIC:
                return action->has_text ? NULL : "text";
        case PROTOCOL_MACRO_ACTION_ACT_STATUS:
                return action->has_status ? NULL : "status";
        case PROTOCOL_MACRO_ACTION_ACT_PRIORITY:
                return action->has_priority ? NULL : "priority";
        case PROTOCOL_MACRO_ACTION_ACT_ADD_TAG:
        case PROTOCOL_MACRO_ACTION_ACT_REMOVE_TAG:
                return action->has_tag ? NULL : "tag";
        case PROTOCOL_MACRO_ACTION_ACT_FIELD:
                return action->has_name ? NULL : "name";
        default:
                return NULL;
        }
}

/* Members that go with no action but their own. */
static const char *stray_of(const struct protocol_macro_action *action)
{
        bool is_reply = action->act == PROTOCOL_MACRO_ACTION_ACT_REPLY,
             is_field = action->act == PROTOCOL_MACRO_ACTION_ACT_FIELD;
        bool has_words = is_reply || action->act == PROTOCOL_MACRO_ACTION_ACT_NOTE ||
                         action->act == PROTOCOL_MACRO_ACTION_ACT_SUBJECT ||
                         action->act == PROTOCOL_MACRO_ACTION_ACT_TOPIC;
        bool is_tag =
                action->act == PROTOCOL_MACRO_ACTION_ACT_ADD_TAG || action->act == PROTOCOL_MACRO_ACTION_ACT_REMOVE_TAG;
        return action->has_text && !has_words                                               ? "text"
               : action->has_canned && !is_reply                                            ? "canned"
               : action->has_status && action->act != PROTOCOL_MACRO_ACTION_ACT_STATUS      ? "status"
               : action->has_priority && action->act != PROTOCOL_MACRO_ACTION_ACT_PRIORITY  ? "priority"
               : action->has_tag && !is_tag                                                 ? "tag"
               : action->has_team && action->act != PROTOCOL_MACRO_ACTION_ACT_TEAM          ? "team"
               : action->has_agent && action->act != PROTOCOL_MACRO_ACTION_ACT_ASSIGNEE     ? "agent"
               : (action->has_name || action->has_value) && !is_field                       ? "name"
               : action->has_for_minutes && action->act != PROTOCOL_MACRO_ACTION_ACT_SNOOZE ? "for_minutes"
               : action->has_survey && action->act != PROTOCOL_MACRO_ACTION_ACT_SURVEY      ? "survey"
                                                                                            : NULL;
}

static size_t points_of(struct span text)
{
        size_t points = 0;
        for (size_t i = 0; i < text.len; i++)
                points += ((uint8_t)text.at[i] & 0xc0) != 0x80;
        return points;
}

static int check_words(struct desk *desk, const struct protocol_macro_action *action, struct fault *fault)
{
        bool is_subject = action->act == PROTOCOL_MACRO_ACTION_ACT_SUBJECT,
             is_topic = action->act == PROTOCOL_MACRO_ACTION_ACT_TOPIC;
        if (is_subject &&
            (points_of(action->text) > TICKET_SUBJECT_POINTS || memchr(action->text.at, '\n', action->text.len)))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "text", "one line of at most 200 characters");
        if (is_topic && (action->text.len > TICKET_WORD_BYTES || memchr(action->text.at, '\n', action->text.len)))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "text", "one line of at most 64 bytes");
        return is_subject || is_topic ? 0 : variables_check(desk, action->text, "text", fault);
}

static int check_field(struct desk *desk, const struct protocol_macro_action *action, struct fault *fault)
{
        const struct attribute *attribute = attribute_find(desk, ATTRIBUTE_TICKET, action->name);
        if (!attribute)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "name", "the name of a ticket's custom field");
        return action->has_value ? attribute_check(attribute, action->value, "value", fault) : 0;
}

static int check_form(struct desk *desk, const struct protocol_macro_action *action, struct fault *fault)
{
        const char *wrong = missing_of(action);
        if (wrong)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, wrong, "what the action needs");
        if ((wrong = stray_of(action)) != NULL)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, wrong, "nothing: the action has no use for it");
        int rc = action->has_text ? check_words(desk, action, fault) : 0;
        return rc == 0 && action->has_name ? check_field(desk, action, fault) : rc;
}

/* Says which of them it was. */
static int at_action(struct fault *fault, size_t which, int rc)
{
        if (rc < 0) {
                fault_set(fault, -rc, "act", "something the caller may do to that ticket");
                fault_at_item(fault, which);
                fault_at_member(fault, "actions", 7);
        }
        return rc;
}

int actions_check_form(struct desk *desk, const struct protocol_macro_action *actions, size_t count,
                       struct fault *fault)
{
        for (size_t i = 0; i < count; i++) {
                int rc = check_form(desk, &actions[i], fault);
                if (rc < 0)
                        return at_action(fault, i, rc);
        }
        return 0;
}

/* ---- what it needs of the world ---- */

static enum protocol_permission needs_of(const struct protocol_macro_action *action, int64_t caller, int64_t assignee)
{
        switch (action->act) {
        case PROTOCOL_MACRO_ACTION_ACT_REPLY:
        case PROTOCOL_MACRO_ACTION_ACT_SURVEY:
                return PROTOCOL_MAY_REPLY;
        case PROTOCOL_MACRO_ACTION_ACT_NOTE:
                return PROTOCOL_MAY_NOTE;
        case PROTOCOL_MACRO_ACTION_ACT_TEAM:
                return PROTOCOL_MAY_ASSIGN;
        case PROTOCOL_MACRO_ACTION_ACT_ASSIGNEE:
                return assignee == caller ? PROTOCOL_MAY_ANYTHING : PROTOCOL_MAY_ASSIGN;
        default:
                return PROTOCOL_MAY_TICKET_EDIT;
        }
}

int action_place(struct desk *desk, const struct desk_command *command, const struct protocol_macro_action *action,
                 struct action_place *place, struct fault *fault)
{
        if (action->act == PROTOCOL_MACRO_ACTION_ACT_TEAM) {
                const struct team *team = action->has_team ? people_team_ext(desk, action->team) : NULL;
                if (action->has_team && !team)
                        return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "team", "a team that is there");
                int64_t id = team ? team->id : 0;
                if (id != place->team) /* the new team decides who */
                        place->assignee = 0;
                place->team = id;
        }
        if (action->act == PROTOCOL_MACRO_ACTION_ACT_ASSIGNEE) {
                const struct agent_profile *agent = action->has_agent && action->agent.role == ROLE_AGENT
                                                            ? people_agent_ext(desk, action->agent.id)
                                                            : NULL;
                if (action->has_agent && !agent)
                        return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "agent", "an agent who is there");
                place->assignee = agent ? agent->id : command->caller.principal;
        }
        return 0;
}

static int check_canned(struct desk *desk, const struct desk_command *command,
                        const struct protocol_macro_action *action, struct fault *fault)
{
        struct canned_row row;
        int rc = canned_by_ext(desk->db, desk->workspace, canned_viewer(&command->caller), action->canned, &row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        return rc == DB_ROW ? 0 : fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "canned", "a canned reply that is there");
}

/* ---- the status it will have ---- */

bool action_asks(const struct desk *desk, int64_t team)
{
        const struct team *row = team ? people_team(desk, team) : NULL;
        return row && row->wants_consent;
}

enum ticket_event action_event(enum protocol_macro_action_status to, enum ticket_status from)
{
        switch (to) {
        case PROTOCOL_MACRO_ACTION_STATUS_WAITING:
                return TICKET_EVENT_WAIT;
        case PROTOCOL_MACRO_ACTION_STATUS_ON_HOLD:
                return TICKET_EVENT_HOLD;
        case PROTOCOL_MACRO_ACTION_STATUS_SOLVED:
                return TICKET_EVENT_SOLVE;
        default:
                return from == TICKET_SOLVED ? TICKET_EVENT_REOPEN : TICKET_EVENT_TAKE;
        }
}

enum ticket_status action_status(enum protocol_macro_action_status to)
{
        return to == PROTOCOL_MACRO_ACTION_STATUS_WAITING   ? TICKET_WAITING
               : to == PROTOCOL_MACRO_ACTION_STATUS_ON_HOLD ? TICKET_ON_HOLD
               : to == PROTOCOL_MACRO_ACTION_STATUS_SOLVED  ? TICKET_SOLVED
                                                            : TICKET_OPEN;
}

static uint32_t ways_of(enum ticket_status from, enum ticket_event event)
{
        const struct ticket_row *row = &ticket_life[from][event];
        return row->to == 0 ? 0 : 1u << row->to | (row->or_to != 0 ? 1u << row->or_to : 0);
}

/* All that may be after `event` happens to each of `from`; what has no such row stays, or (`must`) is refused: 0. */
static uint32_t after(uint32_t from, enum ticket_event event, bool must)
{
        uint32_t to = 0;
        for (int status = 1; status < TICKET_STATUSES; status++) {
                if (!(from & 1u << status))
                        continue;
                uint32_t ways = ways_of((enum ticket_status)status, event);
                if (ways == 0 && must)
                        return 0;
                to |= ways != 0 ? ways : 1u << status;
        }
        return to;
}

static uint32_t after_status(uint32_t from, enum protocol_macro_action_status wanted)
{
        uint32_t to = 0;
        for (int status = 1; status < TICKET_STATUSES; status++) {
                if (!(from & 1u << status))
                        continue;
                if (status == (int)action_status(wanted)) { /* it is there already */
                        to |= 1u << status;
                        continue;
                }
                uint32_t ways = ways_of((enum ticket_status)status, action_event(wanted, (enum ticket_status)status));
                if (ways == 0)
                        return 0;
                to |= ways;
        }
        return to;
}

static uint32_t statuses_after(struct desk *desk, const struct protocol_macro_action *action,
                               const struct action_place *was, const struct action_place *now, uint32_t from)
{
        bool is_placed = was->team != now->team || was->assignee != now->assignee;
        if (action->act == PROTOCOL_MACRO_ACTION_ACT_STATUS) {
                uint32_t to = after_status(from, action->status), may_ask = 1u << TICKET_OPEN | 1u << TICKET_WAITING;
                bool asks = action->status == PROTOCOL_MACRO_ACTION_STATUS_SOLVED && action_asks(desk, now->team);
                return to != 0 && asks ? to | (from & may_ask) : to;
        }
        if (action->act == PROTOCOL_MACRO_ACTION_ACT_SNOOZE)
                return after(from, TICKET_EVENT_SNOOZE, true);
        if (action->act == PROTOCOL_MACRO_ACTION_ACT_REPLY)
                return after(from, TICKET_EVENT_TAKE, false);
        if (is_placed)
                return after(from, now->assignee != 0 ? TICKET_EVENT_ASSIGN : TICKET_EVENT_RELEASE, false);
        return from;
}

static int refuse_way(const struct protocol_macro_action *action, uint32_t from, struct fault *fault)
{
        char text[FAULT_EXPECTED_BYTES];
        enum ticket_status status = TICKET_NEW;
        for (int i = 1; i < TICKET_STATUSES; i++) {
                enum ticket_event event = action->act == PROTOCOL_MACRO_ACTION_ACT_SNOOZE
                                                  ? TICKET_EVENT_SNOOZE
                                                  : action_event(action->status, (enum ticket_status)i);
                if (from & 1u << i && ways_of((enum ticket_status)i, event) == 0)
                        status = (enum ticket_status)i;
        }
        enum ticket_event event = action->act == PROTOCOL_MACRO_ACTION_ACT_SNOOZE
                                          ? TICKET_EVENT_SNOOZE
                                          : action_event(action->status, status);
        snprintf(text, sizeof text, "no '%s' while it is '%s'", ticket_event_names[event], ticket_status_names[status]);
        return fault_set(fault, PROTOCOL_ERR_CONFLICT, "act", text);
}

/* ---- all of it ---- */

static int check_one(struct desk *desk, const struct desk_command *command, const struct protocol_macro_action *action,
                     struct action_place *place, uint32_t *statuses, struct fault *fault)
{
        struct action_place was = *place;
        int rc = check_form(desk, action, fault);
        if (rc == 0)
                rc = action_place(desk, command, action, place, fault);
        if (rc == 0)
                rc = people_authorize(desk, &command->caller,
                                      needs_of(action, command->caller.principal, place->assignee));
        if (rc == 0 && action->has_canned)
                rc = check_canned(desk, command, action, fault);
        if (rc == 0 && action->has_survey && !survey_named(desk, action->survey))
                rc = fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "survey", "the name or id of a survey that is there");
        if (rc < 0)
                return rc;
        uint32_t next = statuses_after(desk, action, &was, place, *statuses);
        if (next == 0)
                return refuse_way(action, *statuses, fault);
        *statuses = next;
        return 0;
}

int actions_check(struct desk *desk, const struct desk_command *command, const struct ticket *ticket,
                  const struct protocol_macro_action *actions, size_t count, struct fault *fault)
{
        struct action_place place = {ticket->team, ticket->assignee};
        uint32_t statuses = 1u << ticket->status;
        for (size_t i = 0; i < count; i++) {
                int rc = check_one(desk, command, &actions[i], &place, &statuses, fault);
                if (rc < 0)
                        return at_action(fault, i, rc);
        }
        return 0;
}
