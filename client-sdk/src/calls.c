/* SPDX-License-Identifier: Apache-2.0 */
/* Calls (deskbell/desk.h): methods by name, JSON in and out, and events that the machine has no use for. Whoever called
 * is answered exactly once, whatever happens to the connection. */
#include "machine_private.h"

#include <stdlib.h>

enum { CALLS_IN_FLIGHT = 16 };

struct call {
        struct call *next;
        int64_t asked;        /* id of the request; 0 = not asked yet */
        struct event *answer; /* as a history's */
        const char *method;
        struct span params; /* both in the answer's memory */
};

static void finish(struct machine *machine, struct call **at, int error, const char *result)
{
        struct call *call = *at;

        call->answer->called.error = result ? error : DESKBELL_E_NOMEM;
        call->answer->called.result = result ? result : "";
        machine_push(machine, call->answer);
        *at = call->next;
        free(call);
}

void machine_cancel_calls(struct machine *machine)
{
        while (machine->calls)
                finish(machine, &machine->calls, DESKBELL_E_CANCELLED, "");
}

static int say(struct machine *machine, const char *method, struct span params)
{
        struct writer writer;

        machine_notify_begin(machine, &writer, method);
        writer_raw(&writer, params);
        machine_frame_end(machine, &writer);
        return 0;
}

int machine_call(struct machine *machine, const char *method, struct span params, deskbell_call_fn fn, void *data)
{
        struct call *call, **at = &machine->calls;

        if (machine->state != SESSION_OPEN)
                return DESKBELL_E_OFFLINE;
        if (!fn)
                return say(machine, method, params);
        struct event *answer = event_new(EVENT_CALLED);
        call = answer ? calloc(1, sizeof(*call)) : NULL;
        if (call) {
                call->answer = answer;
                call->method = event_text(answer, span_of(method));
                call->params = (struct span){event_text(answer, params), params.len};
        }
        if (!call || !call->method || !call->params.at) {
                event_free(answer);
                free(call);
                return DESKBELL_E_NOMEM;
        }
        answer->called.fn = fn;
        answer->called.data = data;
        while (*at)
                at = &(*at)->next;
        *at = call;
        return 0;
}

void calls_pump(struct machine *machine)
{
        int left = CALLS_IN_FLIGHT;

        for (struct call *call = machine->calls; call && left > 0; call = call->next, left--) {
                struct writer writer;
                struct request *request;

                if (call->asked)
                        continue;
                request = machine_may_ask(machine) ? machine_request_begin(machine, &writer, REQUEST_CALL, call->method)
                                                   : NULL;
                if (!request)
                        return;
                call->asked = request->id;
                writer_raw(&writer, call->params);
                machine_frame_end(machine, &writer);
        }
}

static struct call **call_of(struct machine *machine, const struct request *request)
{
        struct call **at = &machine->calls;

        while (*at && (*at)->asked != request->id)
                at = &(*at)->next;
        return at;
}

void calls_answered(struct machine *machine, const struct request *request, struct span result)
{
        struct call **at = call_of(machine, request);

        if (!result.len || *result.at != '{')
                session_give_up(machine, "invalid_message", -1); /* what is no object is no answer: it is CANCELLED */
        else if (*at)
                finish(machine, at, 0, event_text((*at)->answer, result));
}

static void put(struct writer *writer, const char *name, struct span text)
{
        if (text.at) {
                writer_raw(writer, span_of(name));
                writer_string(writer, text);
        }
}

void calls_refused(struct machine *machine, const struct request *request, const struct protocol_error_body *error)
{
        struct call **at = call_of(machine, request);
        struct writer writer;
        char *why = NULL;
        if (!*at)
                return;

        writer_init(&writer, NULL, 0);
        put(&writer, "{\"tag\":", error->tag.at ? error->tag : SPAN(""));
        put(&writer, ",\"message\":", error->message);
        put(&writer, ",\"field\":", error->field);
        put(&writer, ",\"expected\":", error->expected);
        if (error->retry_after_ms >= 0) {
                writer_raw(&writer, SPAN(",\"retry_after_ms\":"));
                writer_int(&writer, error->retry_after_ms);
        }
        writer_char(&writer, '}');
        if (!writer.failed)
                why = event_text((*at)->answer, (struct span){writer.bytes, writer.len});
        writer_done(&writer);
        finish(machine, at, DESKBELL_E_REFUSED, why);
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

int machine_hear_events(struct machine *machine)
{
        if (machine->hears_events)
                return DESKBELL_E_STATE;
        machine->hears_events = true;
        return 0;
}

void calls_event(struct machine *machine, struct span name, struct span params)
{
        struct event *event = machine->hears_events ? event_new(EVENT_TOLD) : NULL;

        if (event) {
                event->told.name = event_text(event, name);
                event->told.params = event_text(event, params);
                if (!event->told.name || !event->told.params)
                        event = event_free(event);
        }
        if (machine->hears_events)
                machine_push_hint(machine, event);
}
