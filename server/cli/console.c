/* SPDX-License-Identifier: Apache-2.0 */
/* Console: see console.h. The choice between the two ways is made once, at opening, by the lock of the folder. */
#include "cli/console.h"

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

struct console {
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

static int open_desk(struct console *console, bool create)
{
        struct config config;
        struct config_errors errors = {0};
        char *why = NULL;
        if (config_read(SPAN(""), "", NULL, 0, &config, &errors) < 0) {
                config_errors_done(&errors);
                return cli_fail(EX_SOFTWARE, "the built-in settings are damaged");
        }
        struct desk_settings settings = {.data_dir = console->dir,
                                         .readers = config.readers,
                                         .quick_check_mb = config.quick_check_mb,
                                         .retry_days = config.retry_days,
                                         .key_window_days = config.key_window_days,
                                         .in_flight = config.in_flight,
                                         .heartbeat_ms = config.heartbeat_ms,
                                         .dead_ms = config.dead_ms,
                                         .devices_per_customer = config.devices_per_customer,
                                         .devices_per_agent = config.devices_per_agent};
        int rc = desk_open(&settings, create, &console->desk, &why);

        config_done(&config);
        if (rc < 0) {
                console->desk = NULL;
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
static int choose_way(struct console *console, bool create)
{
        uint64_t deadline = clock_mono_ms() + OPEN_MS;

        for (;;) {
                char *why = NULL;
                int rc = lock_take(console->dir, &console->lock_fd, &why);
                if (rc == 0)
                        return open_desk(console, create);
                console->lock_fd = -1;
                bool is_over = clock_mono_ms() >= deadline;
                if (rc == -EWOULDBLOCK && !create && answers(console->dir))
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

int console_open(const char *dir, enum console_mode mode, struct console **out_console)
{
        bool create = mode == CONSOLE_CREATE;
        struct console *console = calloc(1, sizeof(*console));
        if (!console || !(console->dir = strdup(dir))) {
                free(console);
                return cli_fail(EX_OSERR, "out of memory");
        }
        console->lock_fd = -1;
        int rc = identity_borrow(dir, &console->before);
        if (rc == EX_OK && !create && !has_store(dir))
                rc = cli_fail(EX_NOINPUT, "%s: no store there; make one with: deskbell init --data %s", dir, dir);
        if (rc == EX_OK)
                rc = choose_way(console, create);
        if (rc != EX_OK)
                console_close(console);
        else
                *out_console = console;
        return rc;
}

struct console *console_close(struct console *console)
{
        if (!console)
                return NULL;
        if (console->desk)
                desk_close(console->desk);
        lock_drop(console->lock_fd);
        identity_return(&console->before);
        free(console->dir);
        free(console);
        return NULL;
}

bool console_is_remote(const struct console *console)
{
        return !console->desk;
}

static char *call_desk(struct console *console, const char *method, char *params)
{
        struct writer out;

        writer_init(&out, NULL, 0);
        desk_call(console->desk, span_of(method), params, strlen(params), &out);
        char *response = out.failed ? NULL : strndup(out.bytes, out.len);
        writer_done(&out);
        return response;
}

/* A connection that breaks leaves the outcome unknown; asking again is safe because methods that change something are
 * known again by their cmid. */
static int call_server(struct console *console, const char *method, const char *params, char **out_response)
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
        int rc = control_call(console->dir, span_of(request), wait_ms, out_response, &len, &why);

        if (rc == -ECONNRESET || rc == -EPIPE) {
                free(why);
                why = NULL;
                rc = control_call(console->dir, span_of(request), wait_ms, out_response, &len, &why);
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

int console_do(struct console *console, const char *method, json_t *params, json_t **out_result)
{
        char *text = params ? json_dumps(params, JSON_COMPACT) : strdup("{}"), *response = NULL;
        int rc = text ? EX_OK : cli_fail(EX_OSERR, "out of memory");

        json_decref(params);
        if (rc == EX_OK && console->desk)
                response = call_desk(console, method, text);
        else if (rc == EX_OK)
                rc = call_server(console, method, text, &response);
        if (rc == EX_OK)
                rc = take_response(method, response ? json_loads(response, 0, NULL) : NULL, out_result);
        free(response);
        free(text);
        return rc;
}

int console_do_as(struct console *console, const struct desk_voice *voice, const char *method, json_t *params,
                  json_t **out_result)
{
        char *text = json_dumps(params, JSON_COMPACT);
        struct writer out;

        json_decref(params);
        if (!console->desk) {
                free(text);
                return cli_fail(EX_TEMPFAIL, "%s: a server is running on that folder", method);
        }
        if (!text)
                return cli_fail(EX_OSERR, "out of memory");
        writer_init(&out, NULL, 0);
        desk_call_as(console->desk, voice, span_of(method), text, strlen(text), &out);
        int rc = take_response(method, out.failed ? NULL : json_loadb(out.bytes, out.len, 0, NULL), out_result);
        writer_done(&out);
        free(text);
        return rc;
}

void console_pass(struct console *console, int64_t ms)
{
        if (console->desk)
                desk_pass(console->desk, ms);
}

void console_gather_begin(struct console *console)
{
        if (console->desk)
                desk_gather_begin(console->desk);
}

int console_gather_end(struct console *console)
{
        int rc = console->desk ? desk_gather_end(console->desk) : 0;

        return rc == 0 ? EX_OK : cli_fail(EX_IOERR, "what was made could not be written");
}

int console_call(const char *dir, const char *method, json_t *params, json_t **out_result)
{
        struct console *console = NULL;
        int rc = console_open(dir, CONSOLE_USE, &console);

        if (rc == EX_OK)
                rc = console_do(console, method, params, out_result);
        else
                json_decref(params);
        console_close(console);
        return rc;
}
