/* SPDX-License-Identifier: Apache-2.0 */
/* Client: the calls of deskbell/desk.h. Params are checked to be JSON here: what is none would end the connection. */
#include "client_private.h"

#include <stdlib.h>

enum { METHOD_BYTES = 64, PARAMS_BYTES = 60000 };

static bool is_method(const char *method)
{
        size_t len = strspn(method, "abcdefghijklmnopqrstuvwxyz_.");

        return len >= 1 && len <= METHOD_BYTES && !method[len] && strncmp(method, "session.", 8) != 0;
}

/* 0, INVALID or NOMEM. */
static int check_object(struct span params)
{
        struct fault fault = {0};
        struct reader reader;
        struct arena names; /* those with escapes */
        char *copy = malloc(params.len + 1);
        if (!copy)
                return DESKBELL_E_NOMEM;

        memcpy(copy, params.at, params.len);
        arena_init(&names, NULL, 0);
        reader_init(&reader, copy, params.len, READER_STRICT, &names, &fault);
        bool is_object = params.len && *copy == '{' && reader_skip(&reader) == 0 && reader_end(&reader) == 0;
        arena_done(&names);
        free(copy);
        if (is_object)
                return 0;
        return fault.code == PROTOCOL_ERR_INTERNAL ? DESKBELL_E_NOMEM : DESKBELL_E_INVALID;
}

int deskbell_call(deskbell_client *client, const char *method, const char *params, deskbell_call_fn fn, void *data)
{
        struct span body = span_of(params ? params : "{}");

        if (!client || !method || !is_method(method))
                return DESKBELL_E_INVALID;
        if (body.len > PARAMS_BYTES)
                return DESKBELL_E_TOO_LONG;
        int rc = check_object(body);
        if (rc < 0)
                return rc;
        client_begin(client, false);
        rc = machine_call(client->machine, method, body, fn, data);
        client_end(client);
        return rc;
}

int deskbell_on_event(deskbell_client *client, deskbell_event_fn fn, void *data)
{
        if (!client || !fn)
                return DESKBELL_E_INVALID;
        client_begin(client, false);
        int rc = machine_hear_events(client->machine);
        if (rc == 0) {
                client->on_event = fn;
                client->on_event_data = data;
        }
        client_end(client);
        return rc;
}
