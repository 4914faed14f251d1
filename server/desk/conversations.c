/* SPDX-License-Identifier: Apache-2.0 */
/* conversation.open, .watch and .unwatch. */
#include "desk/desk_private.h"
#include "desk/tickets/ticket_rows.h"

static void write_watched(struct desk *desk, const struct conversation *conversation, enum principal_role role,
                          struct writer *out)
{
        struct protocol_conversation_watch_result result = {0};
        struct ticket *keep = NULL;
        feed_row_fill(&result.row, &conversation->row, true, desk->directory);
        ticket_feed_fill(desk, conversation->row.id, &keep, &result.row);
        result.has_presence = role == ROLE_AGENT && attendance_of(desk, conversation->row.customer, &result.presence);
        protocol_conversation_watch_result_write(out, &result);
        ticket_free(keep);
}

static void write_opened(struct desk *desk, const struct conversation *conversation, bool was_made, struct writer *out)
{
        struct protocol_conversation_open_result result = {0};
        feed_row_fill(&result.row, &conversation->row, false, desk->directory);
        routing_fill_row(desk, conversation->row.id, &result.row);
        result.has_made = was_made;
        result.made = was_made;
        protocol_conversation_open_result_write(out, &result);
}

int handle_conversation_open(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_conversation_open *params = command->params;
        struct conversation *conversation = NULL;
        bool made = false;
        struct span key = params->has_key ? params->key : SPAN("main");
        int rc = conversation_find_key(desk, &command->caller, key, &made, &conversation);
        if (rc < 0)
                return rc;
        write_opened(desk, conversation, made, out);
        return made ? outbound_note_changed(desk, conversation, "opened", 0) : 0;
}

int handle_conversation_watch(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_conversation_watch *params = command->params;
        struct conversation *conversation = NULL;
        int rc = conversation_for(desk, &command->caller, params->conv, &conversation);
        if (rc < 0)
                return rc;
        desk->answer.kind = NOTE_WATCH;
        desk->answer.conv = conversation->row.id;
        desk->answer.customer = conversation->row.customer;
        desk->answer.conv_ext = conversation->row.ext;
        write_watched(desk, conversation, command->caller.role, out);
        return 0;
}

int handle_conversation_unwatch(struct desk *desk, struct desk_command *command, struct writer *out,
                                struct fault *fault)
{
        (void)fault;
        const struct protocol_conversation_unwatch *params = command->params;
        struct conversation *conversation = NULL;
        int rc = conversation_for(desk, &command->caller, params->conv, &conversation);
        if (rc < 0)
                return rc;
        desk->answer.kind = NOTE_UNWATCH;
        desk->answer.conv = conversation->row.id;
        struct protocol_conversation_unwatch_result result = {0};
        protocol_conversation_unwatch_result_write(out, &result);
        return 0;
}
