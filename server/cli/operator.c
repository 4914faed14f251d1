/* SPDX-License-Identifier: Apache-2.0 */
/* Operator: see operator.h. The choice between the two ways is made once, at opening, by the lock of the folder. */
#include "cli/operator.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/identity.h"
#include "config/config.h"
#include "desk/desk.h"
#include "ops/clock.h"
#include "ops/control.h"
#include "ops/files.h"
#include "ops/lock.h"

enum { OPEN_MS = 5000, RETRY_MS = 50, CALL_MS = 30000, BUILD_MS = 15 * 60 * 1000 };

_Static_assert(2 * PROTOCOL_BOT_SOURCE_BYTES + 4096 <= CONTROL_LINE_BYTES, "the socket takes the largest bot");

struct operator
{
        char *dir;
        struct desk *desk; /* NULL: through the socket */
        int lock_fd;       /* -1: through the socket */
        struct identity before;
};

static bool has_store(const char *dir)
{
        struct stat st;
        char *path = files_path(dir, "deskbell.db");
        bool has = path && stat(path, &st) == 0;

        free(path);
        return has;
}

static int open_desk(struct operator* operator, bool create)
{
        struct config config;
        struct config_errors errors = {0};
        char *why = NULL;
        if (config_read(SPAN(""), "", NULL, 0, &config, &errors) < 0) {
                config_errors_done(&errors);
                return cli_fail(EX_SOFTWARE, "the built-in settings are damaged");
        }
        struct desk_settings settings = {.data_dir = operator->dir,
                                         .readers = config.readers,
                                         .quick_check_mb = config.quick_check_mb,
                                         .retry_days = config.retry_days,
                                         .key_window_days = config.key_window_days,
                                         .in_flight = config.in_flight,
                                         .heartbeat_ms = config.heartbeat_ms,
                                         .dead_ms = config.dead_ms,
                                         .devices_per_customer = config.devices_per_customer,
                                         .devices_per_agent = config.devices_per_agent};
        int rc = desk_open(&settings, create, &operator->desk, &why);

        config_done(&config);
        if (rc < 0) {
                operator->desk = NULL;
                rc = cli_fail(rc == DB_DAMAGED || rc == DB_NEWER ? EX_DATAERR : EX_UNAVAILABLE, "%s",
                              why ? why : "the store cannot be opened");
        }
        free(why);
        return rc;
}

static bool answers(const char *dir)
{
        char *response = NULL;
        size_t len;
        bool ok = control_call(dir, SPAN("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"store.status\",\"params\":{}}"),
                               OPEN_MS, &response, &len, NULL) == 0;

        free(response);
        return ok;
}

/* Whoever holds the folder may be just starting, just stopping, or another command that is done in a moment. */
static int choose_way(struct operator* operator, bool create)
{
        uint64_t deadline = clock_mono_ms() + OPEN_MS;

        for (;;) {
                char *why = NULL;
                int rc = lock_take(operator->dir, &operator->lock_fd, &why);
                if (rc == 0)
                        return open_desk(operator, create);
                operator->lock_fd = - 1;
                bool is_over = clock_mono_ms() >= deadline;
                if (rc == -EWOULDBLOCK && !create && answers(operator->dir))
                        rc = EX_OK;
                else if (rc != -EWOULDBLOCK)
                        rc = cli_fail(EX_UNAVAILABLE, "%s", why ? why : strerror(-rc));
                else if (is_over || create)
                        rc = cli_fail(EX_TEMPFAIL, "%s", why ? why : "the data folder is in use");
                free(why);
                if (rc >= 0)
                        return rc;
                poll(NULL, 0, RETRY_MS);
        }
}

int operator_open(const char *dir, enum operator_mode mode, struct operator** out_operator)
{
        bool create = mode == OPERATOR_CREATE;
        struct operator* operator= calloc(1, sizeof(*operator));
        if (!operator|| !(operator->dir = strdup(dir))) {
                free(operator);
                return cli_fail(EX_OSERR, "out of memory");
        }
        operator->lock_fd = - 1;
        int rc = identity_borrow(dir, &operator->before);
        if (rc == EX_OK && !create && !has_store(dir))
                rc = cli_fail(EX_NOINPUT, "%s: no store there; make one with: deskbell init --data %s", dir, dir);
        if (rc == EX_OK)
                rc = choose_way(operator, create);
        if (rc != EX_OK)
                operator_close(operator);
        else
                *out_operator = operator;
        return rc;
}

struct operator* operator_close(struct operator* operator)
{
        if (!operator)
                return NULL;
        if (operator->desk)
                desk_close(operator->desk);
        lock_drop(operator->lock_fd);
        identity_return(&operator->before);
        free(operator->dir);
        free(operator);
        return NULL;
}

bool operator_is_remote(const struct operator* operator)
{
        return !operator->desk;
}

static char *call_desk(struct operator* operator, const char * method, char *params)
{
        struct writer out;

        writer_init(&out, NULL, 0);
        desk_call(operator->desk, span_of(method), params, strlen(params), &out);
        char *response = out.failed ? NULL : strndup(out.bytes, out.len);
        writer_done(&out);
        return response;
}

/* A connection that breaks leaves the outcome unknown; asking again is safe because methods that change something are
 * known again by their cmid. */
static int call_server(struct operator* operator, const char * method, const char *params, char **out_response)
{
        char *request = NULL, *why = NULL;
        /* A bot of tens of thousands of examples learns for minutes on a small machine; so long is everything counted.
         */
        bool is_long = strcmp(method, "bot.draft") == 0 || strcmp(method, "bot.learn") == 0 ||
                       strcmp(method, "report.check") == 0;
        unsigned wait_ms = is_long ? BUILD_MS : CALL_MS;
        size_t len;
        if (asprintf(&request, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method, params) < 0)
                return cli_fail(EX_OSERR, "out of memory");
        int rc = control_call(operator->dir, span_of(request), wait_ms, out_response, &len, &why);

        if (rc == -ECONNRESET || rc == -EPIPE) {
                free(why);
                why = NULL;
                rc = control_call(operator->dir, span_of(request), wait_ms, out_response, &len, &why);
        }
        free(request);
        if (rc == -EMSGSIZE)
                rc = cli_fail(EX_DATAERR, "%s: the request is too large", method);
        else if (rc == -ETIMEDOUT)
                rc = cli_fail(EX_TEMPFAIL, "%s: the server did not answer; whether it was done is not known", method);
        else if (rc < 0)
                rc = cli_fail(EX_UNAVAILABLE, "%s", why ? why : "the server has gone");
        free(why);
        return rc;
}

static int refused(const char *method, const json_t *error)
{
        const json_t *data = json_object_get(error, "data");
        const char *field = cli_text(data, "field"), *expected = cli_text(data, "expected");
        bool may_retry = strcmp(cli_text(data, "class"), "retry") == 0;
        int code = strcmp(cli_text(data, "tag"), "internal") == 0 ? EX_SOFTWARE : may_retry ? EX_TEMPFAIL : EX_DATAERR;

        return cli_fail(code, "%s: %s%s%s%s%s", method, cli_text(error, "message"), *field ? ": " : "", field,
                        *expected ? ": expected " : "", expected);
}

/* Takes `json`, the whole response. */
static int take_response(const char *method, json_t *json, json_t **out_result)
{
        json_t *result = json_object_get(json, "result"), *error = json_object_get(json, "error");
        int rc = EX_OK;

        if (error)
                rc = refused(method, error);
        else if (!result)
                rc = cli_fail(EX_SOFTWARE, "%s: the answer cannot be understood", method);
        else if (out_result)
                *out_result = json_incref(result);
        json_decref(json);
        return rc;
}

int operator_do(struct operator* operator, const char * method, json_t *params, json_t **out_result)
{
        char *text = params ? json_dumps(params, JSON_COMPACT) : strdup("{}"), *response = NULL;
        int rc = text ? EX_OK : cli_fail(EX_OSERR, "out of memory");

        json_decref(params);
        if (rc == EX_OK && operator->desk)
                response = call_desk(operator, method, text);
        else if (rc == EX_OK)
                rc = call_server(operator, method, text, &response);
        if (rc == EX_OK)
                rc = take_response(method, response ? json_loads(response, 0, NULL) : NULL, out_result);
        free(response);
        free(text);
        return rc;
}

int operator_do_as(struct operator* operator, const struct desk_voice * voice, const char *method, json_t *params,
                   json_t **out_result)
{
        char *text = json_dumps(params, JSON_COMPACT);
        struct writer out;

        json_decref(params);
        if (!operator->desk) {
                free(text);
                return cli_fail(EX_TEMPFAIL, "%s: a server is running on that folder", method);
        }
        if (!text)
                return cli_fail(EX_OSERR, "out of memory");
        writer_init(&out, NULL, 0);
        desk_call_as(operator->desk, voice, span_of(method), text, strlen(text), &out);
        int rc = take_response(method, out.failed ? NULL : json_loadb(out.bytes, out.len, 0, NULL), out_result);
        writer_done(&out);
        free(text);
        return rc;
}

void operator_pass(struct operator* operator, int64_t ms)
{
        if (operator->desk)
                desk_pass(operator->desk, ms);
}

void operator_gather_begin(struct operator* operator)
{
        if (operator->desk)
                desk_gather_begin(operator->desk);
}

int operator_gather_end(struct operator* operator)
{
        int rc = operator->desk ? desk_gather_end(operator->desk) : 0;

        return rc == 0 ? EX_OK : cli_fail(EX_IOERR, "what was made could not be written");
}

int operator_call(const char *dir, const char *method, json_t *params, json_t **out_result)
{
        struct operator* operator= NULL;
        int rc = operator_open(dir, OPERATOR_USE, &operator);

        if (rc == EX_OK)
                rc = operator_do(operator, method, params, out_result);
        else
                json_decref(params);
        operator_close(operator);
        return rc;
}
