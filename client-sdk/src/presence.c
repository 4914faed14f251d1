/* SPDX-License-Identifier: Apache-2.0 */
/* Presence: what the server says of who is there, told to the application once for each change, and an agent's own
 * word, which is kept here because the server forgets it when the agent has no connection: it is said again in each
 * session. Nothing of it is in the file. */
#include "machine_private.h"

/* ---- in ---------------------------------------------------------------------------------------------------------- */

static void push(struct machine *machine, const struct deskbell_presence *presence, struct principal_id customer)
{
        struct event *event = event_new(EVENT_PRESENCE);
        char text[ID_TEXT_BYTES];

        if (event) {
                event->presence = *presence;
                event->presence.customer = "";
                if (customer.role != ROLE_NONE)
                        event->presence.customer =
                                event_text(event, (struct span){text, principal_write(text, customer)});
                if (!event->presence.customer)
                        event = event_free(event);
        }
        machine_push_hint(machine, event);
}

void presence_team(struct machine *machine, bool is_here)
{
        enum deskbell_availability word = is_here ? DESKBELL_HERE : DESKBELL_AWAY;
        struct deskbell_presence presence = {.of = DESKBELL_PRESENCE_TEAM, .is_here = is_here};

        if (machine->set.is_staff || machine->team_told == word)
                return;
        machine->team_told = word;
        push(machine, &presence, (struct principal_id){0});
}

void presence_customer(deskbell_conversation *conv, struct principal_id customer, bool is_online, int64_t last_seen_ms)
{
        struct deskbell_presence presence = {.of = DESKBELL_PRESENCE_CUSTOMER,
                                             .is_here = is_online,
                                             .conversation = conv,
                                             .last_seen_ms = is_online ? 0 : last_seen_ms};
        bool is_known =
                conv->has_presence && conv->is_online == is_online && conv->last_seen_ms == presence.last_seen_ms;

        if (!conv->machine->set.is_staff || !conv->is_opened || is_known)
                return;
        conv->has_presence = true;
        conv->is_online = is_online;
        conv->last_seen_ms = presence.last_seen_ms;
        push(conv->machine, &presence, customer);
}

void presence_watched(deskbell_conversation *conv, const struct protocol_conversation_watch_result *result)
{
        const struct protocol_customer_presence *presence = &result->presence;

        if (result->has_presence && result->row.has_customer)
                presence_customer(conv, result->row.customer, presence->online,
                                  presence->has_last_seen ? presence->last_seen : 0);
}

void presence_event(struct machine *machine, const struct protocol_event_presence *event)
{
        deskbell_conversation *conv = event->has_conv ? conv_by_id(machine, event->conv) : NULL;

        if (event->has_team)
                presence_team(machine, event->team == PROTOCOL_EVENT_PRESENCE_TEAM_HERE);
        if (conv && event->has_online && event->has_customer)
                presence_customer(conv, event->customer, event->online, event->has_last_seen ? event->last_seen : 0);
}

/* ---- out --------------------------------------------------------------------------------------------------------- */

int machine_set_presence(struct machine *machine, enum deskbell_availability word)
{
        if (!machine->set.is_staff)
                return DESKBELL_E_STATE;
        machine->own_word = word;
        return 0;
}

void presence_begin(struct machine *machine)
{
        machine->own_word_said = 0;
        machine->is_own_word_asked = false;
        machine->own_word_at_ms = 0;
}

static bool has_word_to_say(const struct machine *machine)
{
        return machine->own_word != machine->own_word_said && !machine->is_own_word_asked;
}

void presence_pump(struct machine *machine)
{
        bool is_here = machine->own_word == DESKBELL_HERE;
        struct protocol_presence_set params = {.state = is_here ? PROTOCOL_PRESENCE_SET_STATE_HERE
                                                                : PROTOCOL_PRESENCE_SET_STATE_AWAY};
        struct writer writer;

        if (!has_word_to_say(machine) || machine->own_word_at_ms > machine->now_ms || !machine_may_ask(machine) ||
            !machine_request_begin(machine, &writer, REQUEST_PRESENCE, PROTOCOL_N_PRESENCE_SET))
                return;
        machine->is_own_word_asked = true;
        machine->own_word_said = machine->own_word;
        protocol_presence_set_write(&writer, &params);
        machine_frame_end(machine, &writer);
}

void presence_answered(struct machine *machine)
{
        machine->own_word_failures = 0;
        machine->is_own_word_asked = false;
}

/* A refusal for good is the answer of a server that does not know the method, or not for this principal. */
void presence_refused(struct machine *machine, const struct protocol_error_body *error)
{
        machine->is_own_word_asked = false;
        if (error->permanent)
                return;
        machine->own_word_said = 0;
        machine->own_word_at_ms =
                machine->now_ms + machine_pause_ms(machine, &machine->own_word_failures, error->retry_after_ms);
}

int64_t presence_next_ms(const struct machine *machine)
{
        bool is_waiting = machine->state == SESSION_OPEN && has_word_to_say(machine) && machine->own_word_at_ms > 0;

        return is_waiting ? machine->own_word_at_ms : INT64_MAX;
}
