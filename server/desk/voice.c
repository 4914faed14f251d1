/* SPDX-License-Identifier: Apache-2.0 */
/* Calls in the name of somebody, by the owner of a data folder that is not served: what a seed of a demo is made with.
 * They take the way of every other call; what is missing is only the proof of who calls. */
#include <stdio.h>
#include <stdlib.h>

#include "desk/desk_private.h"

static const struct request_id one = {1, "1"};

static void refuse(struct writer *out, int rc, const struct fault *fault)
{
        int64_t retry_ms = protocol_error_info((enum protocol_error) - rc)->permanent ? -1 : 1000;
        frame_error(out, &one, (enum protocol_error) - rc, retry_ms, fault);
}

static int find_agent(struct desk *desk, uint64_t agent, struct caller *out_caller)
{
        struct principal_row row;
        int rc = principals_load_ext(desk->db, agent, &row);
        if (rc < 0)
                return -PROTOCOL_ERR_INTERNAL;
        if (rc == DB_OK || row.role != ROLE_AGENT || row.revoked_ms != 0)
                return -PROTOCOL_ERR_NOT_FOUND;
        if (!directory_put(desk->directory, &row))
                return -PROTOCOL_ERR_INTERNAL;
        *out_caller = (struct caller){.principal = row.id, .workspace = row.workspace, .role = ROLE_AGENT};
        return 0;
}

/* The desk makes the user when he comes for the first time, as over HTTP. */
static int find_user(struct desk *desk, const struct desk_voice *voice, struct opening **out_opening)
{
        const struct keyring_app *app = keyring_app(desk->keyring, voice->app);
        struct opening *opening = app ? calloc(1, sizeof *opening) : NULL;
        if (!opening)
                return app ? -PROTOCOL_ERR_INTERNAL : -PROTOCOL_ERR_NOT_FOUND;
        *opening = (struct opening){.how = OPENING_USER,
                                    .workspace = app->workspace,
                                    .app = app->id,
                                    .issued_s = clock_wall_ms() / 1000,
                                    .expires_ms = clock_wall_ms() + 3600 * 1000};
        snprintf(opening->subject, sizeof opening->subject, "%s", voice->user);
        snprintf(opening->name, sizeof opening->name, "%s", voice->name ? voice->name : "");
        snprintf(opening->email, sizeof opening->email, "%s", voice->email ? voice->email : "");
        snprintf(opening->locale, sizeof opening->locale, "%s", voice->locale ? voice->locale : "");
        *out_opening = opening;
        return 0;
}

struct said {
        struct writer *out;
        bool is_error;
};

static void keep(void *data, struct span response)
{
        struct span good = SPAN("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":");
        struct said *said = data;
        writer_raw(said->out, response);
        said->is_error = response.len < good.len || memcmp(response.at, good.at, good.len) != 0;
}

int desk_call_as(struct desk *desk, const struct desk_voice *voice, struct span method, char *params, size_t len,
                 struct writer *out)
{
        enum principal_role role = voice->agent ? ROLE_AGENT : ROLE_CUSTOMER;
        uint32_t who = voice->agent ? PROTOCOL_WHO_AGENT : PROTOCOL_WHO_CUSTOMER;
        struct desk_command *command = NULL;
        struct fault fault = {0};
        struct said said = {out, false};
        int id = protocol_method_find(method), rc = -PROTOCOL_ERR_UNKNOWN_METHOD;
        if (id >= 0 && (protocol_methods[id].who & who) && protocol_methods[id].runs == PROTOCOL_RUNS_DESK)
                rc = command_decode((enum protocol_method)id, &one, (struct span){params, len}, role, &command, &fault);
        if (rc == 0 && voice->agent)
                rc = find_agent(desk, voice->agent, &command->caller);
        else if (rc == 0)
                rc = find_user(desk, voice, &command->opening);
        if (rc < 0) {
                command_free(command);
                refuse(out, rc, &fault);
                return 1;
        }
        command->is_http = true; /* the opening is looked at, and there is no session */
        command->done = keep;
        command->done_data = &said;
        command->item.next = NULL;
        desk->pending = &command->item;
        batch_run(desk);
        return said.is_error;
}

void desk_pass(struct desk *desk, int64_t ms)
{
        clock_shift_wall(ms);
        clock_shift_mono((uint64_t)ms);
        batch_run(desk);
}

void desk_gather_begin(struct desk *desk)
{
        db_gather_begin(desk->db);
}

int desk_gather_end(struct desk *desk)
{
        return db_gather_end(desk->db);
}
