/* SPDX-License-Identifier: Apache-2.0 */
/* ticket.merge and ticket.split. Logs are never merged or cut: a merged ticket is closed and names the one that goes
 * on, with an entry in both; a split one begins in a conversation of its own, whose first note names the messages. */
#include <stdio.h>

#include "desk/tickets/ticket_private.h"

static void name_ticket(const struct ticket *ticket, char room[32])
{
        snprintf(room, 32, "#%lld", (long long)ticket->number);
}

static int unite(struct desk *desk, struct ticket *from, struct ticket *into, const struct ticket_by *by)
{
        char from_name[32], into_name[32];
        name_ticket(from, from_name);
        name_ticket(into, into_name);
        for (size_t i = 0; i < from->tag_count; i++) {
                int rc = ticket_add_tag(desk, into, by, span_of(from->tags[i]));
                if (rc < 0)
                        return rc;
        }
        struct changed_field field = {"merged_from", {0}, span_of(from_name)};
        int rc = ticket_tell(desk, into, by, "merge", &field, 1, TICKET_DETAILS);
        if (rc < 0)
                return rc;
        from->merged_into = into->id;
        field = (struct changed_field){"merged_into", {0}, span_of(into_name)};
        rc = ticket_tell(desk, from, by, "merge", &field, 1, TICKET_DETAILS);
        return rc < 0 ? rc : ticket_discard(desk, from, by, "merged");
}

int handle_ticket_merge(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_ticket_merge *params = command->params;
        struct ticket *from = NULL, *into = NULL;
        int rc = ticket_for(desk, &command->caller, params->ticket, params->version, &from, fault);
        if (rc == 0)
                rc = ticket_for(desk, &command->caller, params->into, -1, &into, fault);
        if (rc != 0)
                return rc;
        if (from == into)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "into", "another ticket");
        if (from->customer != into->customer)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "into", "a ticket of the same customer");
        struct ticket_by by = {.agent = command->caller.principal};
        rc = unite(desk, from, into, &by);
        if (rc < 0)
                return rc;
        struct protocol_ticket_merge_result result = {0};
        protocol_ticket_merge_result_write(out, &result);
        return 0;
}

/* ---- split ---- */

static int check_seqs(struct desk *desk, struct desk_command *command, struct conversation *conversation,
                      struct fault *fault)
{
        const struct protocol_ticket_split *params = command->params;
        for (size_t i = 0; i < params->seqs_count; i++) {
                struct protocol_content content;
                int kind = 0;
                bool is_in_order = i == 0 || params->seqs[i] > params->seqs[i - 1];
                int rc = params->seqs[i] <= conversation->row.head && is_in_order
                                 ? entry_content(desk, conversation, params->seqs[i], &command->arena, &kind, &content)
                                 : -PROTOCOL_ERR_NOT_FOUND;
                if (rc == 0 && !protocol_entry_info((enum protocol_entry_kind)kind)->unread)
                        rc = -PROTOCOL_ERR_NOT_FOUND;
                if (rc == -PROTOCOL_ERR_NOT_FOUND)
                        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "seqs", "messages of it, in their order");
                if (rc < 0)
                        return rc;
        }
        return 0;
}

/* The first note of the new conversation: where it comes from, with the words of the messages. */
static int write_origin(struct desk *desk, struct desk_command *command, struct conversation *old,
                        const struct ticket *from, struct conversation *conversation)
{
        const struct protocol_ticket_split *params = command->params;
        struct writer text, body;
        char line[96];
        writer_init(&text, NULL, 0);
        writer_init(&body, NULL, 0);
        snprintf(line, sizeof line, "Split from ticket #%lld. It is about:", (long long)from->number);
        writer_raw(&text, span_of(line));
        int rc = 0;
        for (size_t i = 0; i < params->seqs_count && rc == 0 && text.len < PROTOCOL_TEXT_BYTES / 2; i++) {
                struct protocol_content content;
                int kind = 0;
                rc = entry_content(desk, old, params->seqs[i], &command->arena, &kind, &content);
                struct span said = content.has_text ? content.text : content.fallback_text;
                snprintf(line, sizeof line, "\n\n**%lld:** ", (long long)params->seqs[i]);
                writer_raw(&text, span_of(line));
                if (said.at && said.len <= PROTOCOL_TEXT_BYTES / 4)
                        writer_raw(&text, said);
        }
        struct protocol_content content = {.has_text = true, .text = {text.bytes, text.len}};
        content_store(&body, &content);
        struct entry_row entry = {.log = LOG_TEAM,
                                  .author = command->caller.principal,
                                  .kind = PROTOCOL_ENTRY_TEXT,
                                  .body = {body.bytes, body.len}};
        if (rc == 0)
                rc = text.failed || body.failed ? desk_db_failed(desk, DB_NOMEM)
                                                : entry_add(desk, conversation, &entry, &content, ROLE_AGENT);
        writer_done(&text);
        writer_done(&body);
        return rc < 0 ? rc : 0;
}

static int begin_split(struct desk *desk, struct desk_command *command, struct conversation *old, struct ticket *from,
                       struct conversation *conversation, struct ticket **out_ticket)
{
        const struct protocol_ticket_split *params = command->params;
        struct ticket_by by = {.agent = command->caller.principal};
        char name[32];
        struct ticket *ticket = ticket_begin(desk, conversation, from->id);
        if (!ticket)
                return -PROTOCOL_ERR_INTERNAL;
        ticket->issued_ms = desk->now_ms;
        memcpy(ticket->lang, from->lang, sizeof ticket->lang);
        ticket_happened(desk, ticket, TICKET_MADE, desk->now_ms, 0);
        int rc = write_origin(desk, command, old, from, conversation);
        if (rc == 0)
                rc = ticket_belongs(desk, ticket);
        if (rc == 0)
                rc = ticket_happens(desk, ticket, &by, TICKET_EVENT_FIRST_MESSAGE);
        if (rc == 0 && params->has_subject)
                rc = ticket_set_subject(desk, ticket, &by, params->subject);
        if (rc >= 0 && ticket->team == 0 && (from->team || from->assignee))
                rc = ticket_assign(desk, ticket, &by, from->team, from->assignee);
        name_ticket(ticket, name);
        struct changed_field field = {"split_into", {0}, span_of(name)};
        if (rc >= 0)
                rc = ticket_tell(desk, from, &by, "split", &field, 1, TICKET_DETAILS);
        *out_ticket = ticket;
        return rc < 0 ? rc : 0;
}

int handle_ticket_split(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_ticket_split *params = command->params;
        struct ticket *from = NULL, *ticket = NULL;
        struct conversation *old = NULL, *conversation = NULL;
        bool is_made = false;
        char key[32];
        int rc = ticket_for(desk, &command->caller, params->ticket, params->version, &from, fault);
        if (rc == 0)
                rc = ticket_conversation(desk, from, &old);
        if (rc == 0)
                rc = check_seqs(desk, command, old, fault);
        if (rc != 0)
                return rc;
        /* one a version: a second split of the same moment is a repeat of the first */
        snprintf(key, sizeof key, "split:%lld.%lld", (long long)from->number, (long long)from->version);
        struct caller customer = {.principal = old->row.customer,
                                  .workspace = old->row.workspace,
                                  .app = old->row.app,
                                  .role = ROLE_CUSTOMER};
        rc = conversation_find_key(desk, &customer, span_of(key), &is_made, &conversation);
        if (rc < 0)
                return rc;
        rc = begin_split(desk, command, old, from, conversation, &ticket);
        if (rc < 0)
                return rc;
        struct protocol_ticket_split_result result = {
                .ticket = ticket->ext, .conv = conversation->row.ext, .version = from->version};
        protocol_ticket_split_result_write(out, &result);
        return outbound_note_changed(desk, conversation, "opened", 0);
}
