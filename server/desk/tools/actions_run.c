/* SPDX-License-Identifier: Apache-2.0 */
/* Doing what was checked: each action through the same calls of the tickets and the log that an agent's own would take.
 */
#include "desk/bots.h"
#include "desk/customers/customers.h"
#include "desk/desk_private.h"
#include "desk/surveys/survey_defs.h"
#include "desk/tickets/ticket_private.h"
#include "desk/tools/actions.h"
#include "desk/tools/actions_private.h"
#include "desk/tools/canned.h"
#include "desk/tools/variables.h"
#include "desk/tools/work.h"

struct doing {
        struct desk *desk;
        struct desk_command *command;
        struct ticket *ticket;
        struct conversation *conversation;
        struct ticket_by by;
};

/* ---- writing ---- */

static int write_entry(struct doing *doing, enum entry_log log, struct span text)
{
        struct desk *desk = doing->desk;
        struct protocol_content content = {.has_text = true, .text = text};
        struct writer body;
        writer_init(&body, NULL, 0);
        content_store(&body, &content);
        struct entry_row entry = {.log = log,
                                  .author = doing->command->caller.principal,
                                  .kind = PROTOCOL_ENTRY_TEXT,
                                  .body = {body.bytes, body.len}};
        int rc = body.failed ? desk_db_failed(desk, DB_NOMEM)
                             : entry_add(desk, doing->conversation, &entry, &content, ROLE_AGENT);
        if (rc == 0)
                rc = work_sent(desk, doing->conversation, &entry, &content);
        if (rc == 0 && log == LOG_PUBLIC && (rc = bots_person_wrote(desk, doing->conversation)) == 0)
                rc = tickets_message(desk, doing->conversation, &entry, ROLE_AGENT);
        writer_done(&body);
        return rc;
}

static int text_of_canned(struct doing *doing, uint64_t ext, struct span *out_text)
{
        struct desk *desk = doing->desk;
        struct canned_row row;
        struct span wanted = span_of(doing->ticket->lang), lang;
        int rc = canned_by_ext(desk->db, desk->workspace, canned_viewer(&doing->command->caller), ext, &row);
        if (rc != DB_ROW)
                return desk_db_failed(desk, rc < 0 ? rc : DB_DAMAGED);
        if (wanted.len == 0 && (rc = customers_value(desk, doing->ticket->customer, SPAN("locale"), &wanted)) < 0)
                return rc;
        rc = canned_text_in(desk->db, &row, wanted, &doing->command->arena, &lang, out_text);
        return rc < 0 ? desk_db_failed(desk, rc) : canned_count_use(desk, row.id);
}

static int write_words(struct doing *doing, const struct protocol_macro_action *action, enum entry_log log)
{
        const struct variables_scene scene = {.customer = doing->ticket->customer,
                                              .agent = doing->command->caller.principal,
                                              .ticket = doing->ticket};
        struct variables_missing ignored;
        struct span text = action->text, filled = {0};
        int rc = action->has_canned ? text_of_canned(doing, action->canned, &text) : 0;
        if (rc == 0)
                rc = variables_fill(doing->desk, &scene, text, &doing->command->arena, &filled, &ignored);
        if (rc == 0)
                text = filled;
        else if (rc == -PROTOCOL_ERR_TOO_LARGE) /* values of hundreds of characters each: as it was written */
                rc = 0;
        return rc == 0 && text.len > 0 ? write_entry(doing, log, text) : rc;
}

/* ---- the ticket ---- */

static int set_status(struct doing *doing, enum protocol_macro_action_status to)
{
        struct ticket *ticket = doing->ticket;
        bool can_ask = ticket->status == TICKET_OPEN || ticket->status == TICKET_WAITING;
        if (ticket->status == action_status(to))
                return 0;
        if (to == PROTOCOL_MACRO_ACTION_STATUS_SOLVED && can_ask && action_asks(doing->desk, ticket->team))
                return ticket->consent_seq > 0 ? 0 : ticket_ask(doing->desk, ticket, doing->by.agent);
        return ticket_apply(doing->desk, ticket, &doing->by, action_event(to, ticket->status), NULL);
}

static int set_field(struct doing *doing, const struct protocol_macro_action *action)
{
        const struct ticket *ticket = doing->ticket;
        struct span json = ticket->fields ? span_of(ticket->fields) : (struct span){0}, made;
        int rc = fields_put(doing->desk, ATTRIBUTE_TICKET, json, action->name,
                            action->has_value ? action->value : (struct span){0}, &doing->command->arena, &made, NULL);
        if (rc < 0 || made.len >= TICKET_FIELDS_BYTES)
                return rc < 0 ? rc : 0;
        return ticket_set_fields(doing->desk, doing->ticket, &doing->by, made);
}

static int set_place(struct doing *doing, const struct protocol_macro_action *action)
{
        struct action_place place = {doing->ticket->team, doing->ticket->assignee};
        int rc = action_place(doing->desk, doing->command, action, &place, NULL);
        return rc < 0 ? rc : ticket_assign(doing->desk, doing->ticket, &doing->by, place.team, place.assignee);
}

/* What stands in the way of asking is in the log; the macro goes on. */
static int ask(struct doing *doing, const struct protocol_macro_action *action)
{
        const struct survey *survey = action->has_survey ? survey_named(doing->desk, action->survey) : NULL;
        return surveys_ask_by_macro(doing->desk, doing->ticket, survey, doing->by.agent);
}

static int snooze(struct doing *doing, const struct protocol_macro_action *action)
{
        int64_t until_ms = action->has_for_minutes ? doing->desk->now_ms + action->for_minutes * 60000 : 0;
        return ticket_snooze(doing->desk, doing->ticket, &doing->by, until_ms, NULL);
}

static int run_one(struct doing *doing, const struct protocol_macro_action *action)
{
        struct desk *desk = doing->desk;
        struct ticket *ticket = doing->ticket;
        switch (action->act) {
        case PROTOCOL_MACRO_ACTION_ACT_REPLY:
                return write_words(doing, action, LOG_PUBLIC);
        case PROTOCOL_MACRO_ACTION_ACT_NOTE:
                return write_words(doing, action, LOG_TEAM);
        case PROTOCOL_MACRO_ACTION_ACT_STATUS:
                return set_status(doing, action->status);
        case PROTOCOL_MACRO_ACTION_ACT_PRIORITY:
                return ticket_set_priority(desk, ticket, &doing->by, (enum ticket_priority)action->priority);
        case PROTOCOL_MACRO_ACTION_ACT_ADD_TAG:
                return ticket_add_tag(desk, ticket, &doing->by, action->tag);
        case PROTOCOL_MACRO_ACTION_ACT_REMOVE_TAG:
                return ticket_remove_tag(desk, ticket, &doing->by, action->tag);
        case PROTOCOL_MACRO_ACTION_ACT_SUBJECT:
                return ticket_set_subject(desk, ticket, &doing->by, action->text);
        case PROTOCOL_MACRO_ACTION_ACT_TOPIC:
                return ticket_set_topic(desk, ticket, &doing->by, action->text);
        case PROTOCOL_MACRO_ACTION_ACT_FIELD:
                return set_field(doing, action);
        case PROTOCOL_MACRO_ACTION_ACT_SNOOZE:
                return snooze(doing, action);
        case PROTOCOL_MACRO_ACTION_ACT_SURVEY:
                return ask(doing, action);
        default:
                return set_place(doing, action);
        }
}

int actions_run(struct desk *desk, struct desk_command *command, struct ticket *ticket,
                const struct protocol_macro_action *actions, size_t count, const char *why)
{
        struct doing doing = {.desk = desk,
                              .command = command,
                              .ticket = ticket,
                              .by = {.agent = command->caller.principal, .why = why}};
        int rc = ticket_conversation(desk, ticket, &doing.conversation);
        for (size_t i = 0; rc >= 0 && i < count; i++)
                rc = run_one(&doing, &actions[i]);
        if (rc >= 0)
                return 0;
        return desk->db_failure != 0 ? rc
                                     : desk_db_failed(desk, DB_DAMAGED); /* it was checked: half of it must not stay */
}
