/* SPDX-License-Identifier: Apache-2.0 */
/* Control, the server's end: see control.h. Requests live on the heap until their answer has come, and keep the shared
 * state alive, so that an answer later than control_stop meets valid memory. */
#include "ops/control.h"

#include <errno.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ops/control_private.h"
#include "ops/door.h"
#include "ops/files.h"
#include "ops/log.h"
#include "ops/mailbox.h"

enum { IDLE_MS = 30000 };

static const struct log log_control = {.area = "control"};

struct control {
        struct control_options options;
        char *dir;
        struct door *door; /* NULL while it is being started */
        struct mailbox answers;
        pthread_mutex_t wake_lock; /* door is only woken while it exists */
        bool can_wake;             /* under wake_lock */
        atomic_int users;          /* control_stop and each request under way */
};

struct request {
        struct mailbox_item item; /* first member */
        struct control *control;
        uint64_t conn;
        json_t *id;
        char *params;
        char *response; /* malloc'd; NULL: out of memory */
        size_t response_len;
};

static void free_request(struct request *request)
{
        json_decref(request->id);
        free(request->params);
        free(request->response);
        free(request);
}

static void unref(struct control *control)
{
        if (atomic_fetch_sub(&control->users, 1) != 1)
                return;
        for (struct mailbox_item *item = mailbox_take(&control->answers), *next; item; item = next) {
                next = item->next;
                free_request((struct request *)item);
        }
        mailbox_done(&control->answers);
        pthread_mutex_destroy(&control->wake_lock);
        free(control->dir);
        free(control);
}

static void send_json(struct door_conn *conn, json_t *json)
{
        char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

        if (text) {
                door_send(conn, text, strlen(text));
                door_send(conn, "\n", 1);
        } else {
                door_finish(conn);
        }
        free(text);
        json_decref(json);
}

/* Takes no reference of `id`; NULL is null. */
static void send_error(struct door_conn *conn, json_t *id, int code, const char *message, const char *tag,
                       const char *class)
{
        send_json(conn, json_pack("{s:s, s:O?, s:{s:i, s:s, s:{s:s, s:s}}}", "jsonrpc", "2.0", "id", id, "error",
                                  "code", code, "message", message, "data", "tag", tag, "class", class));
}

static void wake_door(void *data)
{
        struct control *control = data;

        pthread_mutex_lock(&control->wake_lock);
        if (control->can_wake)
                door_wake(control->door);
        pthread_mutex_unlock(&control->wake_lock);
}

/* The answer to a request, on whatever thread the method ran. */
static void on_done(void *data, struct span response)
{
        struct request *request = data;
        struct control *control = request->control;

        request->response = malloc(response.len);
        if (request->response) {
                memcpy(request->response, response.at, response.len);
                request->response_len = response.len;
        }
        if (mailbox_force(&control->answers, &request->item, 0) < 0)
                free_request(request);
        unref(control);
}

static void deliver(struct control *control, struct request *request)
{
        struct door_conn *conn = door_find(control->door, request->conn);
        json_t *json = request->response ? json_loadb(request->response, request->response_len, 0, NULL) : NULL;

        if (conn) {
                if (json_is_object(json)) {
                        json_object_set(json, "id", request->id);
                        send_json(conn, json_incref(json));
                } else {
                        send_error(conn, request->id, 23, "something went wrong here; retry later", "internal",
                                   "retry");
                }
                door_hold(conn, false);
        }
        json_decref(json);
        free_request(request);
}

static void on_wake(void *owner)
{
        struct control *control = owner;

        for (struct mailbox_item *item = mailbox_take(&control->answers), *next; item; item = next) {
                next = item->next;
                deliver(control, (struct request *)item);
        }
}

static struct request *new_request(struct control *control, struct door_conn *conn, json_t *id, json_t *params)
{
        struct request *request = calloc(1, sizeof(*request));
        if (!request)
                return NULL;
        *request = (struct request){.control = control, .conn = door_conn_number(conn), .id = json_incref(id)};
        request->params = params ? json_dumps(params, JSON_COMPACT) : strdup("{}");
        if (!request->params) {
                free_request(request);
                return NULL;
        }
        return request;
}

static void start_method(struct control *control, struct door_conn *conn, json_t *id, const char *method,
                         json_t *params)
{
        struct request *request = new_request(control, conn, id, params);
        if (!request) {
                send_error(conn, id, 23, "something went wrong here; retry later", "internal", "retry");
                return;
        }
        atomic_fetch_add(&control->users, 1);
        door_hold(conn, true);
        int rc = control->options.post(control->options.post_data, span_of(method), request->params,
                                       strlen(request->params), on_done, request);
        if (rc < 0) {
                door_hold(conn, false);
                send_error(conn, id, 11, "the server is busy; retry later", "overloaded", "retry");
                free_request(request);
                atomic_fetch_sub(&control->users, 1);
        }
}

static void on_line(struct control *control, struct door_conn *conn, struct span line)
{
        json_t *root = json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES, NULL);
        json_t *id = json_object_get(root, "id");
        json_t *method = json_object_get(root, "method");
        json_t *params = json_object_get(root, "params");
        const char *version = json_string_value(json_object_get(root, "jsonrpc"));

        if (!root)
                send_error(conn, NULL, -32700, "the bytes are not one JSON value", "parse_error", "permanent");
        else if (!version || strcmp(version, "2.0") != 0 || !json_is_string(method) ||
                 !(json_is_string(id) || json_is_integer(id)) || (params && !json_is_object(params)))
                send_error(conn, NULL, -32600, "not a JSON-RPC 2.0 request", "invalid_request", "permanent");
        else
                start_method(control, conn, id, json_string_value(method), params);
        json_decref(root);
}

static ptrdiff_t on_bytes(void *owner, struct door_conn *conn, char *bytes, size_t len, size_t seen)
{
        char *end = memchr(bytes + seen, '\n', len - seen);
        if (!end)
                return 0;
        on_line(owner, conn, (struct span){bytes, (size_t)(end - bytes)});
        return end - bytes + 1;
}

static void on_too_much(void *owner, struct door_conn *conn)
{
        (void)owner;
        send_error(conn, NULL, 9, "larger than the limit", "too_large", "permanent");
}

static bool on_peer(void *owner, int fd)
{
        struct ucred peer;
        socklen_t len = sizeof(peer);

        (void)owner;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
                return false;
        if (peer.uid == geteuid() || peer.uid == 0)
                return true;
        log_warn(&log_control, "a stranger was shown out", "uid", peer.uid);
        return false;
}

static int listen_in(const char *dir)
{
        struct sockaddr_un address;
        int dir_fd = control_address(dir, &address);
        if (dir_fd < 0)
                return dir_fd;
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int rc = fd < 0 ? -errno : 0;

        if (rc == 0) {
                unlinkat(dir_fd, "control.sock", 0);
                mode_t before = umask(0177); /* the socket is never open to others, not even for a moment */
                if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, DOOR_CONNECTIONS) < 0)
                        rc = -errno;
                umask(before);
        }
        if (rc < 0 && fd >= 0)
                close(fd);
        close(dir_fd);
        return rc < 0 ? rc : fd;
}

static struct control *new_control(const struct control_options *options)
{
        struct control *control = calloc(1, sizeof(*control));
        char *dir = strdup(options->dir);

        if (!control || !dir) {
                free(control);
                free(dir);
                return NULL;
        }
        control->options = *options;
        control->options.dir = control->dir = dir;
        control->users = 1;
        pthread_mutex_init(&control->wake_lock, NULL);
        mailbox_init(&control->answers, SIZE_MAX, SIZE_MAX, wake_door, control);
        return control;
}

int control_start(const struct control_options *options, struct control **out_control, char **out_why)
{
        struct control *control = new_control(options);
        int rc = control ? listen_in(options->dir) : -ENOMEM;

        if (rc >= 0) {
                struct door_options door = {.listen_fd = rc,
                                            .name = "control",
                                            .max_input = CONTROL_LINE_BYTES,
                                            .deadline_ms = IDLE_MS,
                                            .owner = control,
                                            .on_peer = on_peer,
                                            .on_bytes = on_bytes,
                                            .on_too_much = on_too_much,
                                            .on_wake = on_wake};
                /* The door's thread looks at control->door only when woken, which can_wake holds back until it is set.
                 */
                rc = door_start(&door, &control->door);
        }
        if (rc < 0) {
                if (out_why && asprintf(out_why, "%s/control.sock: %s", options->dir, strerror(-rc)) < 0)
                        *out_why = NULL;
                if (control)
                        unref(control);
                return rc;
        }
        pthread_mutex_lock(&control->wake_lock);
        control->can_wake = true;
        pthread_mutex_unlock(&control->wake_lock);
        door_wake(control->door);
        *out_control = control;
        return 0;
}

struct control *control_stop(struct control *control)
{
        if (!control)
                return NULL;
        pthread_mutex_lock(&control->wake_lock);
        control->can_wake = false;
        pthread_mutex_unlock(&control->wake_lock);
        mailbox_close(&control->answers);
        door_stop(control->door);

        char *path = files_path(control->dir, "control.sock");
        if (path)
                unlink(path);
        free(path);
        unref(control);
        return NULL;
}
