/* SPDX-License-Identifier: Apache-2.0 */
/* Stand: see errors_stand.h. The server answers inside the transport's `send`, on the client's thread. It refuses a
 * message that says "refuse" for good, and stores the others; one that says "ask" becomes a form, "how" a survey, and
 * "how it was" one that has expired. */
#include "errors_stand.h"

#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define USER  "usr_0000000000001"
#define AGENT "agt_0000000000002"
#define CONV  "cnv_0000000000003"

char stand_long_text[40100];

enum { PATIENCE_S = 30, ALLOCATIONS = 60, OUTBOX = 500 };

static void give_up(const char *what)
{
        fprintf(stderr, "the stand failed: %s\n", what);
        abort();
}

/* ---- server ------------------------------------------------------------------------------------------------------ */

static void answer(deskbell_link *link, json_t *frame, const char *name, json_t *value)
{
        json_t *whole = json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", json_object_get(frame, "id"), name, value);
        char *text = json_dumps(whole, JSON_COMPACT);

        deskbell_link_text(link, text, strlen(text));
        free(text);
        json_decref(whole);
}

static void store(struct stand *stand, deskbell_link *link, json_t *frame)
{
        json_t *params = json_object_get(frame, "params");
        const char *text = json_string_value(json_object_get(params, "text"));

        if (text && strcmp(text, "refuse") == 0) {
                answer(link, frame, "error",
                       json_pack("{s:i, s:s, s:{s:s, s:s}}", "code", 23, "message", "no", "data", "tag", "bad_request",
                                 "class", "permanent"));
                return;
        }
        stand->seq++;
        answer(link, frame, "result",
               json_pack("{s:I, s:i, s:s}", "seq", (json_int_t)stand->seq, "ts", 1, "conv", CONV));
        json_t *event = json_pack("{s:s, s:s, s:{s:s, s:I, s:i, s:s, s:O, s:s, s:s}}", "jsonrpc", "2.0", "method",
                                  "entry", "params", "conv", CONV, "seq", (json_int_t)stand->seq, "ts", 1, "author",
                                  USER, "cmid", json_object_get(params, "cmid"), "kind", "text", "text", text);
        if (text && strcmp(text, "ask") == 0)
                json_object_update_new(json_object_get(event, "params"),
                                       json_pack("{s:s, s:s, s:[{s:s, s:s, s:s, s:b}]}", "kind", "form",
                                                 "fallback_text", "Who?", "form", "id", "name", "label", "Name",
                                                 "input", "text", "required", 1));
        if (text && strncmp(text, "how", 3) == 0)
                json_object_update_new(json_object_get(event, "params"),
                                       json_pack("{s:s, s:s, s:{s:s, s:s, s:i, s:s, s:s, s:i, s:i, s:s, s:s, s:I}}",
                                                 "kind", "survey", "text", "How?", "survey", "offer",
                                                 "off_000000000000a", "survey", "sur_000000000000b", "version", 1,
                                                 "metric", "csat", "style", "stars", "min", 1, "max", 5, "comment",
                                                 "Why?", "state", text[3] ? "expired" : "waiting", "until",
                                                 (json_int_t)9000000000000));
        char *bytes = json_dumps(event, JSON_COMPACT);
        deskbell_link_text(link, bytes, strlen(bytes));
        free(bytes);
        json_decref(event);
}

static json_t *session(const struct stand *stand)
{
        return json_pack("{s:s, s:s, s:i, s:I, s:i, s:[], s:{s:i, s:i, s:i, s:i, s:i, s:i}}", "principal",
                         stand->options.agent_token ? AGENT : USER, "epoch", "00000000000000e1", "rev", 1, "now",
                         (json_int_t)1700000000000, "protocol", 1, "features", "limits", "in_flight", 16, "frame_bytes",
                         65536, "key_window_days", 90, "retry_days", 30, "heartbeat_ms", 25000, "dead_ms", 35000);
}

static json_t *row(const struct stand *stand)
{
        return json_pack("{s:s, s:I, s:s, s:I}", "conv", CONV, "rev", (json_int_t)stand->seq + 1, "key", "main", "head",
                         (json_int_t)stand->seq);
}

static int on_open(void *data, const char *url, const char *subprotocol, size_t max_message_bytes, deskbell_link *link)
{
        (void)data;
        (void)url;
        (void)subprotocol;
        (void)max_message_bytes;
        deskbell_link_opened(link);
        return 0;
}

static void on_send(void *data, deskbell_link *link, const char *bytes, size_t len)
{
        struct stand *stand = data;
        json_t *frame = json_loadb(bytes, len, 0, NULL);
        const char *method = json_string_value(json_object_get(frame, "method"));

        if (strcmp(method, "session.open") == 0)
                answer(link, frame, "result", session(stand));
        else if (strcmp(method, "message.send") == 0)
                store(stand, link, frame);
        else if (strcmp(method, "conversation.open") == 0)
                answer(link, frame, "result", json_pack("{s:o}", "row", row(stand)));
        else if (strcmp(method, "feed.read") == 0)
                answer(link, frame, "result", json_pack("{s:[o], s:i}", "rows", row(stand), "rev", 1));
        else if (strcmp(method, "entries.read") == 0)
                answer(link, frame, "result", json_pack("{s:[], s:I}", "entries", "head", (json_int_t)stand->seq));
        json_decref(frame);
}

static void on_close(void *data, deskbell_link *link, int code)
{
        (void)data;
        deskbell_link_closed(link, code);
}

static void on_resume(void *data, deskbell_link *link)
{
        (void)data;
        (void)link;
}

static int on_http(void *data, const struct deskbell_http_request *request, deskbell_exchange *exchange)
{
        (void)data;
        (void)request;
        (void)exchange;
        return -1; /* files never get anywhere */
}

/* ---- memory and disk --------------------------------------------------------------------------------------------- */

static _Thread_local long asked, fails_at;

static bool fails(void)
{
        return fails_at > 0 && ++asked == fails_at;
}

static void *failing_malloc(size_t bytes, void *data)
{
        (void)data;
        return fails() ? NULL : malloc(bytes);
}

static void *failing_realloc(void *block, size_t bytes, void *data)
{
        (void)data;
        return fails() ? NULL : realloc(block, bytes);
}

static void plain_free(void *block, void *data)
{
        (void)data;
        free(block);
}

void stand_fail_allocation(long at)
{
        asked = 0;
        fails_at = at;
}

int stand_without_memory(struct stand *stand, int (*call)(struct stand *stand))
{
        int rc = 0;

        for (long at = 1; at < ALLOCATIONS && rc != DESKBELL_E_NOMEM; at++) {
                stand_fail_allocation(at);
                rc = call(stand);
        }
        stand_fail_allocation(0);
        return rc;
}

int stand_on_full_disk(struct stand *stand, int (*call)(struct stand *stand))
{
        struct rlimit before, none;

        getrlimit(RLIMIT_FSIZE, &before);
        none = before;
        none.rlim_cur = 0;
        setrlimit(RLIMIT_FSIZE, &none);
        int rc = call(stand);
        setrlimit(RLIMIT_FSIZE, &before);
        return rc;
}

/* ---- the application --------------------------------------------------------------------------------------------- */

static void on_state(deskbell_client *client, const struct deskbell_state *state, void *data)
{
        struct stand *stand = data;

        (void)client;
        stand->online = state->connection == DESKBELL_ONLINE && state->caught_up;
        if (stand->in_callback)
                stand->refused_in_callback = stand->in_callback(stand);
}

static void on_message(deskbell_client *client, const struct deskbell_message *message, void *data)
{
        struct stand *stand = data;

        (void)client;
        stand->sent += message->state == DESKBELL_SENT;
        stand->failed += message->state == DESKBELL_FAILED;
        stand->uploading += message->state == DESKBELL_UPLOADING;
        snprintf(stand->cmid, sizeof(stand->cmid), "%s", message->cmid);
}

void stand_prepare(struct stand *stand, enum stand_kind kind)
{
        static const struct deskbell_allocator failing = {sizeof(failing), NULL, failing_malloc, failing_realloc,
                                                          plain_free};

        /* In memory where that is: what is tried here is not whether a disk keeps things. */
        *stand = (struct stand){.folder = "/dev/shm/deskbell-errors-XXXXXX"};
        if (access("/dev/shm", W_OK) < 0)
                snprintf(stand->folder, sizeof(stand->folder), "/tmp/deskbell-errors-XXXXXX");
        if (!mkdtemp(stand->folder) || deskbell_set_allocator(&failing) != DESKBELL_OK)
                give_up("no folder, or a client is still open");
        stand->transport = (struct deskbell_transport){.size = sizeof(stand->transport),
                                                       .data = stand,
                                                       .open = on_open,
                                                       .send = on_send,
                                                       .close = on_close,
                                                       .resume = on_resume,
                                                       .http = on_http};
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        options.url = "ws://localhost:1";
        options.app = "app_0000000000001";
        options.data_dir = stand->folder;
        options.token = kind == CUSTOMER ? "t" : NULL;
        options.agent_token = kind == STAFF ? "t" : NULL;
        options.is_visitor = kind == VISITOR;
        options.user = "ann";
        options.callbacks_by_dispatch = 1;
        options.transport = &stand->transport;
        options.data = stand;
        options.on_state = on_state;
        options.on_message = on_message;
        stand->options = options;
}

void stand_begin(struct stand *stand, enum stand_kind kind)
{
        stand_prepare(stand, kind);
        if (deskbell_open(&stand->options, &stand->client) != DESKBELL_OK)
                give_up("open");
        if (kind != STAFF && deskbell_conversation_open(stand->client, "main", &stand->conversation) != DESKBELL_OK)
                give_up("conversation");
}

void stand_end(struct stand *stand)
{
        char command[128];

        deskbell_close(stand->client);
        snprintf(command, sizeof(command), "rm -rf '%s'", stand->folder);
        if (system(command) != 0) /* NOLINT(cert-env33-c): the folder's name is ours */
                give_up("its folder stays");
}

void stand_await(struct stand *stand, const int *count)
{
        struct pollfd events = {deskbell_fd(stand->client), POLLIN, 0};
        time_t end = time(NULL) + PATIENCE_S;

        while (!*count && time(NULL) < end) {
                poll(&events, 1, 1000);
                deskbell_dispatch(stand->client, 0);
        }
        if (!*count)
                give_up("what was awaited did not come");
}

void stand_connect(struct stand *stand)
{
        deskbell_connect(stand->client);
        stand_await(stand, &stand->online);
}

void stand_send(struct stand *stand, const char *text, int *count)
{
        *count = 0;
        if (deskbell_send(stand->conversation, text, NULL, NULL) != DESKBELL_OK)
                give_up("send");
        stand_await(stand, count);
}

void stand_upload(struct stand *stand)
{
        struct deskbell_file_source source = {.bytes = "abc", .bytes_len = 3, .name = "a.txt"};
        struct deskbell_file_options options = DESKBELL_FILE_OPTIONS_INIT;

        options.files = &source;
        options.files_count = 1;
        if (deskbell_send_file(stand->conversation, &options, NULL) != DESKBELL_OK)
                give_up("send_file");
        stand_await(stand, &stand->uploading);
}

void stand_fill(struct stand *stand)
{
        for (int i = 0; i < OUTBOX; i++)
                if (deskbell_send(stand->conversation, "x", NULL, NULL) == DESKBELL_E_OUTBOX_FULL)
                        return;
}
