/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's calls: methods run in the caller's thread on a store that is not served, or posted to the running desk
 * by the control socket. */
#include "desk/bot_builder.h"
#include "desk/desk_private.h"

static const struct request_id one = {1, "1"};

static void write_refusal(struct writer *out, int rc, const struct fault *fault)
{
        int64_t retry_ms = protocol_error_info((enum protocol_error) - rc)->permanent ? -1 : 1000;
        frame_error(out, &one, (enum protocol_error) - rc, retry_ms, fault);
}

static int operator_command(struct span method, char *params, size_t len, struct desk_command **out_command,
                            struct writer *refusal)
{
        struct fault fault = {0};
        int id = protocol_method_find(method);
        int rc = -PROTOCOL_ERR_UNKNOWN_METHOD;
        if (id >= 0 && (protocol_methods[id].who & PROTOCOL_WHO_OPERATOR))
                rc = command_decode((enum protocol_method)id, &one, (struct span){params, len}, ROLE_OPERATOR,
                                    out_command, &fault);
        if (rc < 0) {
                write_refusal(refusal, rc, &fault);
                return rc;
        }
        (*out_command)->caller = (struct caller){.role = ROLE_OPERATOR};
        return 0;
}

struct called {
        struct writer *out;
        bool is_error;
};

static void keep_response(void *data, struct span response)
{
        struct called *called = data;
        writer_raw(called->out, response);
        struct span good = SPAN("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":");
        called->is_error = response.len < good.len || memcmp(response.at, good.at, good.len) != 0;
}

/* On a store that is not served there is nobody to wait for it. */
static int build_here(struct desk *desk, struct desk_command *command, struct writer *refusal)
{
        struct fault fault = {0};
        int rc = bot_builder_prepare(desk->db, command, &fault);
        if (rc < 0) {
                write_refusal(refusal, rc, &fault);
                command_free(command);
        }
        return rc;
}

int desk_call(struct desk *desk, struct span method, char *params, size_t len, struct writer *out)
{
        struct desk_command *command = NULL;
        if (operator_command(method, params, len, &command, out) < 0)
                return 1;
        struct called called = {out, false};
        command->caller.workspace = desk->workspace;
        if (bot_builder_wants(command->method) && build_here(desk, command, out) < 0)
                return 1;
        command->done = keep_response;
        command->done_data = &called;
        command->item.next = NULL;
        desk->pending = &command->item;
        batch_run(desk);
        return called.is_error;
}

int desk_post_operator(struct desk *desk, struct span method, char *params, size_t len,
                       void (*done)(void *data, struct span response), void *data)
{
        struct desk_command *command = NULL;
        struct writer refusal;
        writer_init(&refusal, NULL, 0);
        if (operator_command(method, params, len, &command, &refusal) < 0) {
                done(data, (struct span){refusal.bytes, refusal.len});
                writer_done(&refusal);
                return 0;
        }
        writer_done(&refusal);
        command->caller.workspace = desk->workspace;
        command->done = done;
        command->done_data = data;
        bool is_read = protocol_methods[command->method].runs == PROTOCOL_RUNS_READ && desk->reader_count > 0;
        int rc = is_read                              ? desk_post_read(desk, command)
                 : bot_builder_wants(command->method) ? bot_builder_post(desk, command)
                                                      : desk_post(desk, command);
        if (rc < 0) {
                command->done = NULL;
                command_free(command);
        }
        return rc;
}
