/* SPDX-License-Identifier: Apache-2.0 */
/* ticket.get, .set, .assign, .move and the settings. Each checks all that is said before it changes anything: a refusal
 * leaves nothing behind. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "desk/customers/customers.h"
#include "desk/people/people.h"
#include "desk/routing/routing.h"
#include "desk/tickets/ticket_private.h"
#include "desk/tickets/ticket_rows.h"

static const int64_t SNOOZE_LONGEST_MS = 366LL * 24 * 3600 * 1000;

/* ---- finding ---- */

static bool is_his(struct desk *desk, const struct caller *caller, const struct ticket *ticket)
{
        return caller->role == ROLE_OPERATOR ||
               people_may_read(desk, caller, ticket->team, ticket->assignee, ticket->conv);
}

int ticket_for(struct desk *desk, const struct caller *caller, uint64_t ext, int64_t version,
               struct ticket **out_ticket, struct fault *fault)
{
        struct ticket *ticket = tickets_find(desk, ext), *closed = NULL;
        if (ticket) {
                if (!is_his(desk, caller, ticket))
                        return -PROTOCOL_ERR_NOT_FOUND;
                *out_ticket = ticket;
                if (version < 0 || version == ticket->version)
                        return 0;
                char text[FAULT_EXPECTED_BYTES];
                snprintf(text, sizeof text, "%lld, as it is now", (long long)ticket->version);
                fault_set(fault, PROTOCOL_ERR_STALE, "version", text);
                return -PROTOCOL_ERR_STALE;
        }
        int rc = ticket_row_by_ext(desk->db, desk->workspace, ext, &closed);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        bool is_seen = rc == DB_ROW && is_his(desk, caller, closed);
        ticket_free(closed);
        if (!is_seen)
                return -PROTOCOL_ERR_NOT_FOUND;
        fault_set(fault, PROTOCOL_ERR_LOCKED, "ticket", "one that is not closed");
        return -PROTOCOL_ERR_LOCKED;
}

static struct ticket_by by_of(const struct desk_command *command, struct span why)
{
        char *copy = why.len > 0 ? arena_take((struct arena *)&command->arena, why.len + 1) : NULL;
        if (copy) {
                memcpy(copy, why.at, why.len);
                copy[why.len] = '\0';
        }
        bool is_agent = command->caller.role == ROLE_AGENT;
        return (struct ticket_by){.agent = is_agent ? command->caller.principal : 0,
                                  .why = copy       ? copy
                                         : is_agent ? NULL
                                                    : "the operator"};
}

/* ---- ticket.get ---- */

static int find_any(struct desk *desk, const struct protocol_ticket_get *params, struct desk_command *command,
                    struct ticket **out_ticket, struct ticket **out_keep)
{
        struct conversation *conversation = NULL;
        int rc = 0;
        *out_keep = NULL;
        if (params->has_conv) {
                rc = command->caller.role == ROLE_OPERATOR
                             ? conversation_find(desk, params->conv, &conversation)
                             : conversation_for(desk, &command->caller, params->conv, &conversation);
                if (rc < 0)
                        return rc;
                *out_ticket = tickets_of_conversation(desk, conversation->row.id);
                rc = *out_ticket ? DB_ROW : ticket_row_newest(desk->db, conversation->row.id, out_keep);
        } else {
                *out_ticket = tickets_find(desk, params->ticket);
                rc = *out_ticket ? DB_ROW : ticket_row_by_ext(desk->db, desk->workspace, params->ticket, out_keep);
        }
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (!*out_ticket)
                *out_ticket = *out_keep;
        return *out_ticket && is_his(desk, &command->caller, *out_ticket) ? 0 : -PROTOCOL_ERR_NOT_FOUND;
}

int handle_ticket_get(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_ticket_get *params = command->params;
        struct ticket *ticket = NULL, *keep = NULL;
        if (params->has_ticket == params->has_conv)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "ticket", "exactly one of ticket and conv");
        int rc = find_any(desk, params, command, &ticket, &keep);
        struct protocol_ticket_get_result result = {0};
        if (rc == 0)
                rc = ticket_row_fill(desk, ticket, &command->arena, &result.ticket);
        if (rc == 0)
                protocol_ticket_get_result_write(out, &result);
        ticket_free(keep);
        return rc;
}

/* ---- ticket.set ---- */

/* `changes` put into what is there: null takes a field away. *out_json: absent = nothing is left. */
static int merge_fields(struct desk *desk, struct desk_command *command, const struct ticket *ticket,
                        struct span changes, struct span *out_json, struct fault *fault)
{
        json_error_t ignored;
        json_t *said = json_loadb(changes.at, changes.len, JSON_REJECT_DUPLICATES, &ignored), *value;
        const char *name;
        int rc = json_is_object(said) ? 0
                                      : fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "fields", "a JSON object of texts");
        *out_json = ticket->fields ? span_of(ticket->fields) : (struct span){0};
        json_object_foreach(said, name, value) {
                if (rc < 0)
                        break;
                if (!json_is_string(value) && !json_is_null(value)) {
                        rc = fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "fields", "a JSON object of texts");
                        break;
                }
                struct span text = {json_string_value(value), json_string_length(value)};
                rc = fields_put(desk, ATTRIBUTE_TICKET, *out_json, span_of(name), text, &command->arena, out_json,
                                fault);
        }
        json_decref(said);
        return rc;
}

static bool has_word(const struct span *words, size_t count, const char *word)
{
        for (size_t i = 0; i < count; i++)
                if (span_equal(words[i], span_of(word)))
                        return true;
        return false;
}

static int set_tags(struct desk *desk, struct ticket *ticket, const struct ticket_by *by, const struct span *tags,
                    size_t count)
{
        int rc = 0;
        for (size_t i = ticket->tag_count; i > 0 && rc >= 0; i--)
                if (!has_word(tags, count, ticket->tags[i - 1]))
                        rc = ticket_remove_tag(desk, ticket, by, span_of(ticket->tags[i - 1]));
        for (size_t i = 0; i < count && rc >= 0; i++)
                rc = ticket_add_tag(desk, ticket, by, tags[i]);
        return rc;
}

int handle_ticket_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_ticket_set *params = command->params;
        struct ticket *ticket = NULL;
        struct span fields = {0};
        int rc = ticket_for(desk, &command->caller, params->ticket, params->version, &ticket, fault);
        if (rc == 0 && params->has_fields)
                rc = merge_fields(desk, command, ticket, params->fields, &fields, fault);
        if (rc == 0 && fields.len >= TICKET_FIELDS_BYTES)
                rc = fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "fields", "at most 8,192 bytes together");
        if (rc != 0)
                return rc;
        struct ticket_by by = by_of(command, (struct span){0});
        if (params->has_priority)
                rc = ticket_set_priority(desk, ticket, &by, (enum ticket_priority)params->priority);
        if (rc >= 0 && params->has_subject)
                rc = ticket_set_subject(desk, ticket, &by, params->subject);
        if (rc >= 0 && params->has_topic)
                rc = ticket_set_topic(desk, ticket, &by, params->topic);
        if (rc >= 0 && params->has_lang)
                rc = ticket_set_lang(desk, ticket, &by, params->lang);
        if (rc >= 0 && params->has_tags)
                rc = set_tags(desk, ticket, &by, params->tags, params->tags_count);
        if (rc >= 0 && params->has_fields)
                rc = ticket_set_fields(desk, ticket, &by, fields);
        if (rc >= 0 && params->has_exempt)
                rc = ticket_set_exempt(desk, ticket, &by, params->exempt);
        if (rc < 0)
                return rc;
        struct protocol_ticket_set_result result = {.version = ticket->version};
        protocol_ticket_set_result_write(out, &result);
        return 0;
}

/* ---- ticket.assign ---- */

struct place {
        int64_t team, assignee;
        struct agent_profile *agent; /* NULL = nobody */
};

static int find_place(struct desk *desk, const struct desk_command *command, const struct ticket *ticket,
                      struct place *out, struct fault *fault)
{
        const struct protocol_ticket_assign *params = command->params;
        *out = (struct place){ticket->team, ticket->assignee, NULL};
        if ((params->has_team && params->has_no_team) || (params->has_assignee && params->has_nobody))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, params->has_team ? "no_team" : "nobody",
                                 "one of the two");
        if (!params->has_team && !params->has_no_team && !params->has_assignee && !params->has_nobody)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "assignee", "who gets it");
        const struct team *team = params->has_team ? people_team_ext(desk, params->team) : NULL;
        if (params->has_team && !team)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "team", "a team that is there");
        if (team || params->has_no_team)
                out->team = team ? team->id : 0;
        if (team && team->id != ticket->team && !params->has_assignee) /* the new team decides */
                out->assignee = 0;
        if (params->has_nobody)
                out->assignee = 0;
        if (!params->has_assignee)
                return 0;
        out->agent = params->assignee.role == ROLE_AGENT ? people_agent_ext(desk, params->assignee.id) : NULL;
        if (!out->agent)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "assignee", "an agent who is there");
        out->assignee = out->agent->id;
        return 0;
}

static int may_place(struct desk *desk, const struct desk_command *command, const struct ticket *ticket,
                     const struct place *place)
{
        bool takes = place->team == ticket->team && place->assignee == command->caller.principal;
        bool gives_back =
                place->team == ticket->team && place->assignee == 0 && ticket->assignee == command->caller.principal;
        return takes || gives_back ? 0 : people_authorize(desk, &command->caller, PROTOCOL_MAY_ASSIGN);
}

static int write_note(struct desk *desk, const struct desk_command *command, struct ticket *ticket, struct span text)
{
        struct conversation *conversation = NULL;
        int rc = ticket_conversation(desk, ticket, &conversation);
        if (rc < 0)
                return rc;
        struct protocol_content content = {.has_text = true, .text = text};
        struct writer body;
        writer_init(&body, NULL, 0);
        content_store(&body, &content);
        struct entry_row entry = {.log = LOG_TEAM,
                                  .author = command->caller.principal,
                                  .kind = PROTOCOL_ENTRY_TEXT,
                                  .body = {body.bytes, body.len}};
        rc = body.failed ? desk_db_failed(desk, DB_NOMEM) : entry_add(desk, conversation, &entry, &content, ROLE_AGENT);
        writer_done(&body);
        return rc < 0 ? rc : 0;
}

int handle_ticket_assign(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_ticket_assign *params = command->params;
        struct ticket *ticket = NULL;
        struct place place = {0};
        int rc = ticket_for(desk, &command->caller, params->ticket, params->version, &ticket, fault);
        if (rc == 0)
                rc = find_place(desk, command, ticket, &place, fault);
        if (rc == 0)
                rc = may_place(desk, command, ticket, &place);
        if (rc != 0)
                return rc;
        struct ticket_by by = by_of(command, (struct span){0});
        if (params->has_note)
                rc = write_note(desk, command, ticket, params->note);
        if (rc >= 0)
                rc = ticket_assign(desk, ticket, &by, place.team, place.assignee);
        if (rc >= 0 && place.assignee != 0 && ticket_may(ticket, TICKET_EVENT_TAKE) &&
            place.assignee == command->caller.principal) /* who takes one that waits or sleeps, opens it */
                rc = ticket_apply(desk, ticket, &by, TICKET_EVENT_TAKE, fault);
        if (rc < 0)
                return rc;
        bool is_over = place.assignee != 0 && routing_is_over(desk, place.assignee);
        struct protocol_ticket_assign_result result = {
                .version = ticket->version, .has_over = is_over, .over = is_over};
        protocol_ticket_assign_result_write(out, &result);
        return 0;
}

/* ---- ticket.move ---- */

static enum ticket_event event_to(const struct protocol_ticket_move *params, const struct ticket *ticket)
{
        switch (params->to) {
        case PROTOCOL_TICKET_MOVE_TO_WAITING:
                return TICKET_EVENT_WAIT;
        case PROTOCOL_TICKET_MOVE_TO_ON_HOLD:
                return TICKET_EVENT_HOLD;
        case PROTOCOL_TICKET_MOVE_TO_SNOOZED:
                return TICKET_EVENT_SNOOZE;
        case PROTOCOL_TICKET_MOVE_TO_SOLVED:
                return TICKET_EVENT_SOLVE;
        case PROTOCOL_TICKET_MOVE_TO_CLOSED:
                return TICKET_EVENT_DISCARD;
        default:
                return ticket->status == TICKET_SOLVED ? TICKET_EVENT_REOPEN : TICKET_EVENT_TAKE;
        }
}

static int check_move(const struct desk *desk, const struct protocol_ticket_move *params, const struct ticket *ticket,
                      enum ticket_event event, struct fault *fault)
{
        if (params->has_until && (event != TICKET_EVENT_SNOOZE || params->until <= desk->now_ms ||
                                  params->until > desk->now_ms + SNOOZE_LONGEST_MS))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "until",
                                 "with snoozed: a time to come, at most a year from now");
        if (params->has_ask && event != TICKET_EVENT_SOLVE)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "ask", "with solved only");
        if (params->has_reason != (event == TICKET_EVENT_DISCARD))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "reason", "with closed, and only with it");
        if (!ticket_may(ticket, event)) {
                char text[FAULT_EXPECTED_BYTES];
                snprintf(text, sizeof text, "no '%s' while it is '%s'", ticket_event_names[event],
                         ticket_status_names[ticket->status]);
                return fault_set(fault, PROTOCOL_ERR_CONFLICT, "to", text);
        }
        return 0;
}

/* Whether the customer is asked before it counts as solved: the agent says so, or else the team. */
static bool has_to_ask(const struct desk *desk, const struct protocol_ticket_move *params, const struct ticket *ticket)
{
        const struct team *team = ticket->team ? people_team(desk, ticket->team) : NULL;
        bool can = ticket->status == TICKET_OPEN || ticket->status == TICKET_WAITING;
        return can && (params->has_ask ? params->ask : team && team->wants_consent);
}

int handle_ticket_move(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_ticket_move *params = command->params;
        struct ticket *ticket = NULL;
        int rc = ticket_for(desk, &command->caller, params->ticket, params->version, &ticket, fault);
        if (rc != 0)
                return rc;
        enum ticket_event event = event_to(params, ticket);
        rc = check_move(desk, params, ticket, event, fault);
        if (rc < 0)
                return rc;
        struct ticket_by by = by_of(command, params->has_why ? params->why : (struct span){0});
        char reason[sizeof ticket->close_reason];
        snprintf(reason, sizeof reason, "%.*s", (int)params->reason.len, params->has_reason ? params->reason.at : "");
        if (event == TICKET_EVENT_SNOOZE)
                rc = ticket_snooze(desk, ticket, &by, params->has_until ? params->until : 0, fault);
        else if (event == TICKET_EVENT_DISCARD)
                rc = ticket_discard(desk, ticket, &by, reason);
        else if (event == TICKET_EVENT_SOLVE && has_to_ask(desk, params, ticket))
                rc = ticket->consent_seq > 0 ? 0 : ticket_ask(desk, ticket, by.agent);
        else
                rc = ticket_apply(desk, ticket, &by, event, fault);
        if (rc < 0)
                return rc;
        struct protocol_ticket_move_result result = {.version = ticket->version,
                                                     .status = (enum protocol_ticket_move_status)ticket->status};
        protocol_ticket_move_result_write(out, &result);
        return 0;
}

/* ---- what time does ---- */

int handle_ticket_settings(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)command;
        (void)fault;
        const struct ticket_settings *set = &desk->tickets.settings;
        struct protocol_ticket_settings_result result = {.settings = {.has_idle_ms = true,
                                                                      .idle_ms = set->idle_ms,
                                                                      .has_remind_ms = true,
                                                                      .remind_ms = set->remind_ms,
                                                                      .has_silent_ms = true,
                                                                      .silent_ms = set->silent_ms,
                                                                      .has_close_ms = true,
                                                                      .close_ms = set->close_ms,
                                                                      .has_bot_silent_ms = true,
                                                                      .bot_silent_ms = set->bot_silent_ms}};
        protocol_ticket_settings_result_write(out, &result);
        return 0;
}

int handle_ticket_settings_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_ticket_timers *set = &((struct protocol_ticket_settings_set *)command->params)->settings;
        const struct {
                bool is_said;
                const char *name;
                int64_t value;
        } said[] = {{set->has_idle_ms, "ticket_idle_ms", set->idle_ms},
                    {set->has_remind_ms, "ticket_remind_ms", set->remind_ms},
                    {set->has_silent_ms, "ticket_silent_ms", set->silent_ms},
                    {set->has_close_ms, "ticket_close_ms", set->close_ms},
                    {set->has_bot_silent_ms, "ticket_bot_silent_ms", set->bot_silent_ms}};
        char detail[200] = "";
        size_t len = 0;
        for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
                if (!said[i].is_said)
                        continue;
                int rc = meta_put_int(desk->db, said[i].name, said[i].value);
                if (rc < 0)
                        return desk_db_failed(desk, rc);
                len += (size_t)snprintf(detail + len, sizeof detail - len, "%s%s=%lld", len > 0 ? " " : "",
                                        said[i].name + strlen("ticket_"), (long long)said[i].value);
        }
        desk->tickets.are_settings_changed = true;
        struct protocol_ticket_settings_set_result result = {0};
        protocol_ticket_settings_set_result_write(out, &result);
        return admin_audit(desk, &command->caller, "ticket.settings_set", "", 0, span_of(detail));
}
