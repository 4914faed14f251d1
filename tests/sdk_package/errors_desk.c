/* SPDX-License-Identifier: Apache-2.0 */
/* The errors of calls by name (deskbell/desk.h). */
#include "deskbell/desk.h"

#include <string.h>

#include "errors_stand.h"

static void on_answer(deskbell_client *client, int error, const char *result, void *data)
{
        (void)client, (void)error, (void)result, (void)data;
}

static void on_event(deskbell_client *client, const char *event, const char *params, void *data)
{
        (void)client, (void)event, (void)params, (void)data;
}

static int call(struct stand *stand, const char *method, const char *params)
{
        return deskbell_call(stand->client, method, params, on_answer, NULL);
}

static int call_at_length(struct stand *stand)
{
        static char params[70000];

        memset(params, ' ', sizeof(params) - 1);
        params[0] = '{';
        params[sizeof(params) - 2] = '}';
        return call(stand, "ticket.list", params);
}

/* INVALID only when all that should be so is, and nothing else. */
static int call_oddly(struct stand *stand)
{
        static const char *const odd[][2] = {
                {"", "{}"},
                {"Ticket", "{}"},
                {"session.open", "{}"},
                {"a\"b", "{}"},
                {"a", ""},
                {"a", "[1]"},
                {"a", "{} {}"},
                {"a", "{\"b\":}"},
                {"a", "{\"b\""},
                {"a", "{\"b\":\"\xff\"}"},
                {"a", "{\"b\":1,\"\\u0062\":2}"},
        };

        for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
                if (call(stand, odd[i][0], odd[i][1]) != DESKBELL_E_INVALID)
                        return DESKBELL_OK;
        if (call(stand, "a", "{\"\\u0062\":{\"\\u0063\":1}}") != DESKBELL_OK)
                return DESKBELL_OK;
        return deskbell_call(stand->client, NULL, NULL, on_answer, NULL);
}

static int listen_twice(struct stand *stand)
{
        int rc = deskbell_on_event(stand->client, on_event, NULL);

        return rc < 0 ? rc : deskbell_on_event(stand->client, on_event, NULL);
}

static void offline(struct stand *stand)
{
        stand_begin(stand, CUSTOMER);
}

static void online(struct stand *stand)
{
        stand_begin(stand, CUSTOMER);
        stand_connect(stand);
}

CALL(call_now, call(stand, "ticket.list", NULL))
CALL(listen_to_nothing, deskbell_on_event(stand->client, NULL, NULL))

const struct row errors_desk[] = {
        ROW(call, INVALID, online, call_oddly, CALLED),
        ROW(call, TOO_LONG, online, call_at_length, CALLED),
        ROW(call, NOMEM, online, call_now, WITHOUT_MEMORY),
        ROW(call, OFFLINE, offline, call_now, CALLED),
        ROW(on_event, INVALID, offline, listen_to_nothing, CALLED),
        ROW(on_event, STATE, offline, listen_twice, CALLED),
        {0},
};
