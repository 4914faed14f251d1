/* SPDX-License-Identifier: Apache-2.0 */
/* survey.offer and survey.withdraw: asking by hand, or by a back end, and taking it back. */
#include "desk/desk_private.h"
#include "desk/surveys/survey_offer.h"
#include "desk/tickets/ticket_rows.h"

/* Who may reply may ask; who makes surveys may too. A back end asks for its own users. */
static int may_ask(struct desk *desk, const struct caller *caller)
{
        if (caller->role == ROLE_OPERATOR || (caller->role == ROLE_CUSTOMER && caller->via_app))
                return 0;
        if (people_authorize(desk, caller, PROTOCOL_MAY_SURVEY_ADMIN) == 0)
                return 0;
        return people_authorize(desk, caller, PROTOCOL_MAY_REPLY);
}

static bool is_his(struct desk *desk, const struct caller *caller, const struct ticket *ticket)
{
        if (caller->role == ROLE_OPERATOR)
                return true;
        if (caller->role == ROLE_AGENT)
                return people_may_read(desk, caller, ticket->team, ticket->assignee, ticket->conv);
        return caller->via_app && ticket->customer == caller->principal && ticket->app == caller->app;
}

static int find_ticket(struct desk *desk, const struct caller *caller, uint64_t ext, struct ticket **out_ticket,
                       struct ticket **out_keep)
{
        *out_ticket = tickets_find(desk, ext);
        int rc = *out_ticket ? DB_ROW : ticket_row_by_ext(desk->db, desk->workspace, ext, out_keep);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        *out_ticket = *out_ticket ? *out_ticket : *out_keep;
        return *out_ticket && is_his(desk, caller, *out_ticket) ? 0 : -PROTOCOL_ERR_NOT_FOUND;
}

static int find_conversation(struct desk *desk, const struct caller *caller, uint64_t ext,
                             struct offer_subject *subject, struct ticket **out_keep)
{
        struct conversation *conversation = NULL;
        int rc = caller->role == ROLE_OPERATOR ? conversation_find(desk, ext, &conversation)
                                               : conversation_for(desk, caller, ext, &conversation);
        if (rc < 0)
                return rc;
        *subject = (struct offer_subject){.conv = conversation->row.id,
                                          .customer = conversation->row.customer,
                                          .app = conversation->row.app,
                                          .ticket = tickets_of_conversation(desk, conversation->row.id)};
        if (!subject->ticket && (rc = ticket_row_newest(desk->db, conversation->row.id, out_keep)) < 0)
                return desk_db_failed(desk, rc);
        subject->ticket = subject->ticket ? subject->ticket : *out_keep;
        return 0;
}

static int find_subject(struct desk *desk, const struct desk_command *command, struct offer_subject *subject,
                        struct ticket **out_keep)
{
        const struct protocol_survey_offer *params = command->params;
        if (params->has_conv)
                return find_conversation(desk, &command->caller, params->conv, subject, out_keep);
        struct ticket *ticket = NULL;
        int rc = find_ticket(desk, &command->caller, params->ticket, &ticket, out_keep);
        if (rc == 0)
                *subject = (struct offer_subject){
                        .ticket = ticket, .conv = ticket->conv, .customer = ticket->customer, .app = ticket->app};
        return rc;
}

static int find_survey(struct desk *desk, const struct protocol_survey_offer *params,
                       const struct offer_subject *subject, const struct survey **out_survey, struct fault *fault)
{
        if (params->has_survey)
                *out_survey = survey_named(desk, params->survey);
        else if (subject->ticket)
                *out_survey = survey_for(desk, subject->ticket, SURVEY_CAUSE_SOLVED);
        if (*out_survey)
                return 0;
        return fault_set(fault, params->has_survey ? PROTOCOL_ERR_NOT_FOUND : PROTOCOL_ERR_BAD_REQUEST, "survey",
                         params->has_survey ? "the name or id of a survey that is there"
                                            : "a name: no survey is for that by itself");
}

/* The results of both methods are alike. */
#define RESULT_OF(offer)                                                                                               \
        {                                                                                                              \
                .offer = (offer).ext, .state = (int)(offer).state, .has_reason = (offer).reason != OFFER_YES,          \
                .reason = span_of(offer_reason_word((offer).reason)), .has_due = (offer).due_ms > 0,                   \
                .due = (offer).due_ms, .has_seq = (offer).seq > 0, .seq = (offer).seq,                                 \
                .has_until = (offer).until_ms > 0, .until = (offer).until_ms                                           \
        }

static int begin(struct desk *desk, struct desk_command *command, const struct survey *survey,
                 struct offer_subject *subject, struct writer *out)
{
        struct survey_offer offer;
        bool is_agent = command->caller.role == ROLE_AGENT;
        subject->asked_by = is_agent ? command->caller.principal : 0;
        int rc = survey_offer_begin(desk, survey, command->caller.via_app ? SURVEY_CAUSE_APP : SURVEY_CAUSE_HAND,
                                    subject, &offer);
        if (rc < 0)
                return desk->db_failure != 0 ? rc : desk_db_failed(desk, DB_DAMAGED);
        struct protocol_survey_offer_result result = RESULT_OF(offer);
        protocol_survey_offer_result_write(out, &result);
        return 0;
}

int handle_survey_offer(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_survey_offer *params = command->params;
        const struct survey *survey = NULL;
        struct offer_subject subject = {0};
        struct ticket *keep = NULL;
        if (params->has_ticket == params->has_conv)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "ticket", "exactly one of ticket and conv");
        int rc = may_ask(desk, &command->caller);
        if (rc == 0)
                rc = find_subject(desk, command, &subject, &keep);
        if (rc == 0)
                rc = find_survey(desk, params, &subject, &survey, fault);
        if (rc == 0)
                rc = begin(desk, command, survey, &subject, out);
        ticket_free(keep);
        return rc;
}

/* One whose conversation the caller may read. */
static int find_offer(struct desk *desk, const struct caller *caller, uint64_t ext, struct survey_offer *out)
{
        struct conversation *conversation = NULL;
        int rc = survey_offer_by_ext(desk->db, desk->workspace, ext, out);
        if (rc != DB_ROW)
                return rc < 0 ? desk_db_failed(desk, rc) : -PROTOCOL_ERR_NOT_FOUND;
        if ((rc = survey_offer_conversation(desk, out, &conversation)) < 0 || caller->role == ROLE_OPERATOR)
                return rc;
        return conversation_for(desk, caller, conversation->row.ext, &conversation);
}

int handle_survey_withdraw(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_survey_withdraw *params = command->params;
        struct survey_offer offer = {0};
        int rc = may_ask(desk, &command->caller);
        if (rc == 0)
                rc = find_offer(desk, &command->caller, params->offer, &offer);
        if (rc < 0)
                return rc;
        bool is_live = offer.state == OFFER_PLANNED || offer.state == OFFER_WAITING;
        if (!is_live && offer.state != OFFER_WITHDRAWN)
                return -PROTOCOL_ERR_LOCKED;
        if (is_live)
                rc = survey_offer_end(desk, &offer, OFFER_WITHDRAWN, OFFER_TAKEN_BACK);
        if (rc < 0)
                return desk->db_failure != 0 ? rc : desk_db_failed(desk, DB_DAMAGED);
        struct protocol_survey_withdraw_result result = RESULT_OF(offer);
        protocol_survey_withdraw_result_write(out, &result);
        return 0;
}
