/* SPDX-License-Identifier: Apache-2.0 */
/* Where notifications reach a device: device.push and device.push_remove. Nothing is written that is there already, and
 * a device may change its token only so often, because this is not counted by the budget of messages. */
#include "desk/desk_private.h"

static const struct desk_session *session_of(struct desk *desk, const struct desk_command *command)
{
        return sessions_find(desk, command->from);
}

int handle_device_push(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_device_push *params = command->params;
        const struct desk_session *session = session_of(desk, command);
        struct protocol_device_push_result result = {0};
        struct span service = span_of(protocol_device_push_service_text(params->service));
        struct device_push known;
        if (!session)
                return -PROTOCOL_ERR_INTERNAL; /* its connection went; nobody hears this */
        int rc = devices_push_get(desk->db, command->caller.principal, session->device, &known);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        bool is_same = span_equal(service, span_of(known.service)) && span_equal(params->token, span_of(known.token));
        int64_t since_ms = desk->now_ms - known.changed_ms;
        if (!is_same && known.changed_ms != 0 && since_ms >= 0 && since_ms < PROTOCOL_PUSH_EVERY_MS) {
                desk->answer.retry_after_ms = PROTOCOL_PUSH_EVERY_MS - since_ms;
                return -PROTOCOL_ERR_RATE_LIMITED;
        }
        if (!is_same)
                rc = devices_push_put(desk->db, command->caller.principal, session->device, service, params->token,
                                      desk->now_ms);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        protocol_device_push_result_write(out, &result);
        return 0;
}

int handle_device_push_remove(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct desk_session *session = session_of(desk, command);
        struct protocol_device_push_remove_result result = {0};
        if (!session)
                return -PROTOCOL_ERR_INTERNAL;
        int rc = devices_push_remove(desk->db, command->caller.principal, session->device);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        protocol_device_push_remove_result_write(out, &result);
        return 0;
}
