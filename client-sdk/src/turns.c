/* SPDX-License-Identifier: Apache-2.0 */
/* Turns: a bot's (deskbell/bot.h). What the server asks is told once a turn; what the bot answers is said, under one
 * cmid, until the server has answered. All of it is in memory only: the server asks again what was not answered. */
#include "machine_private.h"

#include <stdlib.h>

enum { TURNS_MAX = 10000, TAG_ROOM = 40 };

/* The newest turn of a conversation that was told, and its answer. */
struct turn {
        struct turn *next;
        uint64_t conv;
        int64_t turn;
        bool is_listed; /* in the answer to bot.turns that is looked at */
        char *params;   /* of bot.act; NULL = it has not answered */
        size_t len;
        int64_t asked; /* id of the request; 0 = to be sent */
        int64_t hold_until_ms;
        int failures;
        struct event *acted; /* made with `params`: it is owed, and must not fail */
};

static struct turn **find(struct machine *machine, uint64_t conv)
{
        struct turn **at = &machine->turns.first;

        while (*at && (*at)->conv != conv)
                at = &(*at)->next;
        return at;
}

static void take_back(struct turn *turn)
{
        free(turn->params);
        event_free(turn->acted);
        turn->params = NULL;
        turn->acted = NULL;
        turn->asked = turn->hold_until_ms = 0;
        turn->failures = 0;
}

static void forget(struct machine *machine, struct turn **at)
{
        struct turn *gone = *at;

        if (!gone)
                return;
        *at = gone->next;
        take_back(gone);
        free(gone);
        machine->turns.count--;
}

void turns_free(struct machine *machine)
{
        while (machine->turns.first)
                forget(machine, &machine->turns.first);
}

/* NULL: no memory, or too many. */
static struct turn *turn_of(struct machine *machine, uint64_t conv)
{
        struct turn **at = find(machine, conv);

        if (*at || machine->turns.count == TURNS_MAX || !(*at = calloc(1, sizeof(**at))))
                return *at;
        (*at)->conv = conv;
        (*at)->turn = -1;
        machine->turns.count++;
        return *at;
}

/* ---- in ---------------------------------------------------------------------------------------------------------- */

static const struct deskbell_form_value *copy_facts(struct event *event, const struct protocol_carried *facts,
                                                    size_t count)
{
        struct deskbell_form_value *values = arena_take(&event->arena, (count + 1) * sizeof(*values));

        for (size_t i = 0; values && i < count; i++) {
                values[i].id = event_text(event, facts[i].name);
                values[i].value = event_text(event, facts[i].value);
                if (!values[i].id || !values[i].value)
                        return NULL;
        }
        return values;
}

static bool fill_customer(struct event *event, struct deskbell_turn *out, const struct protocol_bot_customer *customer)
{
        out->customer = event_principal(event, customer->id);
        out->external_id = event_text(event, customer->has_external_id ? customer->external_id : SPAN(""));
        out->name = event_text(event, customer->has_name ? customer->name : SPAN(""));
        out->locale = event_text(event, customer->has_locale ? customer->locale : SPAN(""));
        out->facts_count = customer->has_facts ? customer->facts_count : 0;
        out->facts = copy_facts(event, customer->facts, out->facts_count);
        return out->customer && out->external_id && out->name && out->locale && out->facts;
}

static bool fill(struct event *event, const struct protocol_bot_asked *asked)
{
        struct deskbell_turn *out = &event->turn;
        const struct protocol_content *content = &asked->message.content;
        struct deskbell_entry entry = {0};
        char id[ID_TEXT_BYTES];

        id_write(id, "cnv", asked->conversation.id);
        out->conversation = event_text(event, (struct span){id, sizeof(id)});
        out->turn = asked->turn;
        out->seq = asked->seq;
        out->key = event_text(event, asked->conversation.key);
        out->state = event_text(event, asked->has_state ? asked->state : SPAN(""));
        out->deadline_ms = asked->has_deadline ? asked->deadline : 0;
        if (event_fill_content(event, &entry, content) < 0)
                return false;
        out->text = entry.text;
        out->pressed_id = entry.pressed_id;
        out->filled = entry.filled;
        out->filled_count = entry.filled_count;
        return out->conversation && out->key && out->state && fill_customer(event, out, &asked->conversation.customer);
}

/* What cannot be told for want of memory is asked again by the server. */
void turns_event(struct machine *machine, const struct protocol_bot_asked *asked)
{
        struct turn *turn = machine->turns.is_served ? turn_of(machine, asked->conversation.id) : NULL;
        if (!turn) {
                machine->turns.is_wanted = machine->turns.is_served; /* what is over makes room */
                return;
        }

        turn->is_listed = true;
        if (turn->params)
                machine->turns.has_more |= turn->turn < asked->turn; /* first what became of the one before */
        if (turn->params || turn->turn >= asked->turn)
                return;
        struct event *event = event_new(EVENT_TURN);
        if (event && !fill(event, asked))
                event = event_free(event);
        if (event)
                turn->turn = asked->turn;
        machine_push_hint(machine, event);
}

void turns_listed(struct machine *machine, struct reader *reader)
{
        struct protocol_bot_turns_result result;
        struct turns *turns = &machine->turns;

        turns->is_asked = false;
        turns->failures = 0;
        if (protocol_bot_turns_result_read(reader, &result) < 0)
                return;
        for (struct turn *turn = turns->first; turn; turn = turn->next)
                turn->is_listed = false;
        turns->has_more = false;
        for (size_t i = 0; i < result.turns_count; i++)
                turns_event(machine, &result.turns[i]);
        turns->has_more |= result.has_more && result.more;
        for (struct turn **at = &turns->first; *at && !turns->has_more;) {
                if ((*at)->is_listed || (*at)->params)
                        at = &(*at)->next;
                else
                        forget(machine, at); /* it is over */
        }
}

/* A refusal for good is the answer of a server that does not know the method. */
void turns_unlisted(struct machine *machine, const struct protocol_error_body *error)
{
        struct turns *turns = &machine->turns;

        turns->is_asked = false;
        turns->is_wanted = !error->permanent;
        turns->at_ms = machine->now_ms + machine_pause_ms(machine, &turns->failures, error->retry_after_ms);
}

/* ---- out --------------------------------------------------------------------------------------------------------- */

int machine_serve_turns(struct machine *machine)
{
        if (!machine->set.is_staff || machine->turns.is_served)
                return DESKBELL_E_STATE;
        machine->turns.is_served = machine->turns.is_wanted = true;
        return 0;
}

void turns_begin(struct machine *machine)
{
        struct turns *turns = &machine->turns;

        turns->is_wanted = turns->is_served;
        turns->is_asked = false;
        turns->at_ms = 0;
        for (struct turn *turn = turns->first; turn; turn = turn->next)
                turn->asked = 0;
}

static struct event *acted_new(uint64_t conv, int64_t number)
{
        struct event *event = event_new(EVENT_ACTED);
        char id[ID_TEXT_BYTES];

        if (!event)
                return NULL;
        id_write(id, "cnv", conv);
        event->acted.conversation = event_text(event, (struct span){id, sizeof(id)});
        event->acted.turn = number;
        event->acted.tag = arena_take(&event->arena, TAG_ROOM);
        return event->acted.conversation && event->acted.tag ? event : event_free(event);
}

int machine_act(struct machine *machine, uint64_t conv, int64_t number, struct span params)
{
        struct turn *turn = machine->turns.is_served ? turn_of(machine, conv) : NULL;

        if (!machine->turns.is_served)
                return DESKBELL_E_STATE;
        if (turn && turn->params)
                return DESKBELL_E_EXISTS;
        struct event *acted = acted_new(conv, number);
        char *copy = turn && acted ? malloc(params.len) : NULL;
        if (!copy) {
                event_free(acted);
                return DESKBELL_E_NOMEM;
        }
        memcpy(copy, params.at, params.len);
        turn->params = copy;
        turn->len = params.len;
        turn->acted = acted;
        if (turn->turn < number)
                turn->turn = number;
        return 0;
}

static void ask(struct machine *machine)
{
        struct turns *turns = &machine->turns;
        struct protocol_bot_turns params = {0};
        struct writer writer;

        if (!turns->is_wanted || turns->is_asked || turns->at_ms > machine->now_ms || !machine_may_ask(machine) ||
            !machine_request_begin(machine, &writer, REQUEST_TURNS, PROTOCOL_N_BOT_TURNS))
                return;
        turns->is_asked = true;
        turns->is_wanted = false;
        protocol_bot_turns_write(&writer, &params);
        machine_frame_end(machine, &writer);
}

void turns_pump(struct machine *machine)
{
        ask(machine);
        for (struct turn *turn = machine->turns.first; turn; turn = turn->next) {
                struct request *request;
                struct writer writer;

                if (!turn->params || turn->asked || turn->hold_until_ms > machine->now_ms || !machine_may_ask(machine))
                        continue;
                request = machine_request_begin(machine, &writer, REQUEST_ACT, PROTOCOL_N_BOT_ACT);
                if (!request)
                        return;
                turn->asked = request->id;
                writer_raw(&writer, (struct span){turn->params, turn->len});
                machine_frame_end(machine, &writer);
        }
}

static struct turn *turn_asked(struct machine *machine, const struct request *request)
{
        struct turn *turn = machine->turns.first;

        while (turn && turn->asked != request->id)
                turn = turn->next;
        return turn;
}

static void conclude(struct machine *machine, struct turn *turn, int error, struct span tag)
{
        struct event *event = turn->acted;
        size_t most = TAG_ROOM - 1;

        event->acted.error = error;
        if (tag.len)
                memcpy((char *)event->acted.tag, tag.at, tag.len < most ? tag.len : most);
        turn->acted = NULL;
        forget(machine, find(machine, turn->conv));
        machine_push(machine, event);
        machine->turns.is_wanted |= machine->turns.has_more;
        machine->turns.has_more = false;
}

void turns_acted(struct machine *machine, const struct request *request)
{
        struct turn *turn = turn_asked(machine, request);

        if (turn)
                conclude(machine, turn, 0, SPAN(""));
}

void turns_refused(struct machine *machine, const struct request *request, const struct protocol_error_body *error)
{
        struct turn *turn = turn_asked(machine, request);
        if (!turn)
                return;

        if (error->permanent) {
                conclude(machine, turn, DESKBELL_E_REFUSED, error->tag);
                return;
        }
        turn->asked = 0;
        turn->hold_until_ms = machine->now_ms + machine_pause_ms(machine, &turn->failures, error->retry_after_ms);
}

int64_t turns_next_ms(const struct machine *machine)
{
        const struct turns *turns = &machine->turns;
        int64_t next = INT64_MAX;

        if (machine->state != SESSION_OPEN)
                return INT64_MAX;
        if (turns->is_wanted && turns->at_ms > machine->now_ms)
                next = turns->at_ms;
        for (const struct turn *turn = turns->first; turn; turn = turn->next)
                if (turn->params && !turn->asked && turn->hold_until_ms > 0 && turn->hold_until_ms < next)
                        next = turn->hold_until_ms;
        return next;
}
