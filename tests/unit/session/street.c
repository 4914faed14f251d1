/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/session/street.h"

#include <ftw.h>
#include <openssl/sha.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/members.h"

#define SECRET "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

/* --- the edge, in memory --- */

struct edge_frame {
        atomic_uint count;
        size_t len;
        char bytes[];
};

struct edge {
        const struct edge_handlers *on;
        void *owner;
        struct edge_options options;
        sem_t woken;
};

static struct street *here; /* the one street of the process */

int edge_new(const struct edge_options *options, struct edge **out_edge, char **out_why)
{
        *out_why = NULL;
        struct edge *edge = calloc(1, sizeof *edge);
        assert_non_null(edge);
        edge->on = options->handlers;
        edge->owner = options->owner;
        edge->options = *options;
        sem_init(&edge->woken, 0, 0);
        *out_edge = edge;
        return 0;
}

struct edge *edge_free(struct edge *edge)
{
        for (size_t i = 0; i < here->conn_count; i++)
                street_hang_up(here, &here->conns[i]);
        sem_destroy(&edge->woken);
        free(edge);
        return NULL;
}

void edge_run(struct edge *edge)
{
        (void)edge;
}

void edge_stop(struct edge *edge)
{
        (void)edge;
}

void edge_wake(struct edge *edge)
{
        sem_post(&edge->woken);
}

int edge_reload_tls(struct edge *edge, char **out_why)
{
        (void)edge;
        *out_why = NULL;
        return 0;
}

struct edge_ref edge_conn_ref(const struct edge_conn *conn)
{
        return (struct edge_ref){.slot = conn->slot, .generation = conn->generation};
}

struct edge_conn *edge_conn_of(struct edge *edge, struct edge_ref ref)
{
        (void)edge;
        struct edge_conn *conn = ref.slot < here->conn_count ? &here->conns[ref.slot] : NULL;
        return conn && conn->generation == ref.generation ? conn : NULL;
}

void *edge_conn_user(const struct edge_conn *conn)
{
        return conn->user;
}

static void tell(struct edge_conn *conn, const char *bytes, size_t len)
{
        json_error_t error;
        if (conn->closed)
                return;
        if (conn->told_count == STREET_TOLD)
                fail_msg("too much was told");
        json_t *json = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &error);
        if (!json)
                fail_msg("no JSON: %s: %.*s", error.text, (int)len, bytes);
        conn->told[conn->told_count++] = json;
}

void edge_send_answer(struct edge_conn *conn, struct span json)
{
        tell(conn, json.at, json.len);
}

int edge_send(struct edge_conn *conn, struct span json)
{
        if (conn->is_slow)
                return -1;
        tell(conn, json.at, json.len);
        return 0;
}

struct edge_frame *edge_frame_new(struct span json)
{
        struct edge_frame *frame = malloc(sizeof *frame + json.len);
        assert_non_null(frame);
        atomic_init(&frame->count, 1);
        frame->len = json.len;
        memcpy(frame->bytes, json.at, json.len);
        return frame;
}

struct edge_frame *edge_frame_ref(struct edge_frame *frame)
{
        atomic_fetch_add(&frame->count, 1);
        return frame;
}

struct edge_frame *edge_frame_unref(struct edge_frame *frame)
{
        if (atomic_fetch_sub(&frame->count, 1) == 1)
                free(frame);
        return NULL;
}

int edge_send_frame(struct edge_conn *conn, struct edge_frame *frame)
{
        return edge_send(conn, (struct span){frame->bytes, frame->len});
}

bool edge_is_slow(const struct edge_conn *conn)
{
        return conn->is_slow;
}

size_t edge_pending_bytes(const struct edge_conn *conn)
{
        return conn->pending;
}

void edge_close(struct edge_conn *conn, uint16_t code, const char *tag)
{
        if (conn->closed)
                return;
        conn->closed = code;
        snprintf(conn->closed_tag, sizeof conn->closed_tag, "%s", tag);
}

void edge_set_max_message(struct edge_conn *conn, size_t bytes)
{
        conn->max_message = bytes;
}

void edge_conn_trusted(struct edge_conn *conn)
{
        conn->is_trusted = true;
}

void edge_pause_reading(struct edge_conn *conn, bool paused)
{
        conn->is_paused = paused;
}

void edge_set_deadline(struct edge_conn *conn, uint32_t ms)
{
        conn->deadline_ms = ms;
}

void edge_refuse_with(struct edge_conn *conn, int status)
{
        conn->refused = status;
}

uint64_t edge_last_heard_ms(const struct edge_conn *conn)
{
        return conn->heard_ms;
}

int edge_reply(struct edge *edge, struct edge_ref ref, int status, const char *content_type, struct span headers,
               struct span body)
{
        (void)edge, (void)ref, (void)status, (void)content_type, (void)headers, (void)body;
        return 0;
}

int edge_reply_begin(struct edge *edge, struct edge_ref ref, int status, const char *content_type, struct span headers,
                     int64_t length)
{
        (void)edge, (void)ref, (void)status, (void)content_type, (void)headers, (void)length;
        return 0;
}

int edge_reply_piece(struct edge *edge, struct edge_ref ref, struct span bytes)
{
        (void)edge, (void)ref, (void)bytes;
        return 0;
}

void edge_resume(struct edge_conn *conn)
{
        (void)conn;
}

void edge_drop(struct edge *edge, struct edge_ref ref)
{
        (void)edge, (void)ref;
}

/* --- life --- */

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
        (void)facts, (void)kind, (void)where;
        return remove(path);
}

static void open_desk(struct street *street)
{
        struct desk_settings settings = {.data_dir = street->dir,
                                         .readers = 1,
                                         .retry_days = 30,
                                         .key_window_days = 90,
                                         .in_flight = 4,
                                         .heartbeat_ms = 25000,
                                         .dead_ms = 35000,
                                         .devices_per_customer = 60,
                                         .devices_per_agent = 60};
        char *why = NULL;
        if (desk_open(&settings, true, &street->desk, &why) != DB_OK)
                fail_msg("%s", why ? why : "cannot open the desk");
}

static void open_net(struct street *street)
{
        static const char *const nowhere[] = {NULL};
        static struct edge_options edge;
        edge = (struct edge_options){.listen = nowhere, .output_bytes = 262144};
        struct net_options options = {.desk = street->desk,
                                      .edge = &edge,
                                      .in_flight = 4,
                                      .rate_messages_per_s = 20,
                                      .rate_burst = 40,
                                      .auth_ms = 5000,
                                      .heartbeat_ms = 25000,
                                      .dead_ms = 35000,
                                      .drain_ms = 10000};
        char *why = NULL;
        assert_int_equal(0, net_new(&options, &street->net, &why));
        assert_int_equal(DB_OK, readers_start(street->desk));
}

int street_set_up(void **state)
{
        struct street *street = calloc(1, sizeof *street);
        assert_non_null(street);
        here = street;
        snprintf(street->dir, sizeof street->dir, "/tmp/deskbell-session-XXXXXX");
        assert_non_null(mkdtemp(street->dir));
        log_set_level(LOG_ERROR + 1);
        open_desk(street);
        json_t *made = street_operate(street, "app.add", "{\"cmid\":\"%s\",\"name\":\"Shop\"}", street_cmid(street));
        snprintf(street->app, sizeof street->app, "%s", street_words(made, "result.app"));
        json_decref(made);
        json_decref(street_operate(
                street, "key.add",
                "{\"cmid\":\"%s\",\"app\":\"%s\",\"kid\":\"k1\",\"alg\":\"HS256\",\"material\":\"" SECRET "\"}",
                street_cmid(street), street->app));
        open_net(street);
        *state = street;
        return 0;
}

int street_tear_down(void **state)
{
        struct street *street = *state;
        street_settle(street);
        readers_stop(street->desk);
        street->net = net_free(street->net);
        street->desk = desk_close(street->desk);
        for (size_t i = 0; i < street->conn_count; i++)
                for (size_t m = 0; m < street->conns[i].told_count; m++)
                        json_decref(street->conns[i].told[m]);
        nftw(street->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        free(street);
        return 0;
}

/* --- connections --- */

struct edge_conn *street_connect(struct street *street)
{
        assert_in_range(street->conn_count, 0, STREET_CONNS - 1);
        struct edge_conn *conn = &street->conns[street->conn_count];
        struct edge_peer peer = {.address.sin6_family = AF_INET6};
        *conn = (struct edge_conn){
                .slot = (uint32_t)street->conn_count++, .generation = 1, .heard_ms = clock_mono_ms()};
        conn->user = street->net->edge->on->on_open(street->net, conn, &peer);
        return conn;
}

void street_say(struct street *street, struct edge_conn *conn, const char *format, ...)
{
        char *text = NULL;
        va_list arguments;
        va_start(arguments, format);
        int len = vasprintf(&text, format, arguments);
        va_end(arguments);
        assert_true(len >= 0);
        if (!conn->closed)
                street->net->edge->on->on_text(conn->user, text, (size_t)len);
        free(text);
}

void street_hang_up(struct street *street, struct edge_conn *conn)
{
        if (!conn->user)
                return;
        street->net->edge->on->on_close(conn->user);
        conn->user = NULL;
        conn->generation++;
}

static unsigned pages_owed(const struct street *street)
{
        unsigned owed = 0;
        for (const struct session *session = street->net->newest; session; session = session->older)
                owed += session->reads;
        return owed;
}

static void hear(struct street *street)
{
        if (mailbox_count(&street->net->notes) > 0)
                street->net->edge->on->on_wake(street->net);
}

void street_settle(struct street *street)
{
        for (;;) {
                desk_turn(street->desk);
                hear(street);
                if (street->desk->pending || mailbox_count(&street->desk->in) > 0)
                        continue;
                if (pages_owed(street) == 0)
                        return;
                struct timespec until;
                clock_gettime(CLOCK_REALTIME, &until);
                until.tv_sec += 30;
                assert_int_equal(0, sem_timedwait(&street->net->edge->woken, &until));
                hear(street);
        }
}

void street_second(struct street *street, uint64_t later_ms)
{
        street->net->edge->on->on_second(street->net, clock_mono_ms() + later_ms);
}

void street_drained(struct street *street, struct edge_conn *conn)
{
        conn->is_slow = false;
        conn->pending = 0;
        street->net->edge->on->on_drained(street->net, edge_conn_ref(conn));
}

void street_deadline(struct edge_conn *conn)
{
        if (conn->deadline_ms)
                here->net->edge->on->on_deadline(conn->user);
}

/* --- requests --- */

const json_t *street_ask(struct street *street, struct edge_conn *conn, const char *method, const char *format, ...)
{
        char *params = NULL;
        va_list arguments;
        va_start(arguments, format);
        assert_true(vasprintf(&params, format, arguments) >= 0);
        va_end(arguments);
        unsigned id = ++street->next_id;
        street_say(street, conn, "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"%s\",\"params\":%s}", id, method, params);
        free(params);
        street_settle(street);
        return street_answer(conn, id);
}

const json_t *street_answer(const struct edge_conn *conn, unsigned id)
{
        for (size_t i = 0; i < conn->told_count; i++)
                if (json_integer_value(json_object_get(conn->told[i], "id")) == id)
                        return conn->told[i];
        return NULL;
}

json_int_t street_number(const json_t *object, const char *path)
{
        const json_t *value = member_at(object, path);
        return json_is_integer(value) ? json_integer_value(value) : -1;
}

const char *street_words(const json_t *object, const char *path)
{
        return json_string_value(member_at(object, path));
}

const char *street_tag(const json_t *answer)
{
        if (!answer)
                return "no answer";
        const char *tag = street_words(answer, "error.data.tag");
        return tag ? tag : "";
}

static const json_t *event_of(const json_t *message, const char *event)
{
        const char *method = street_words(message, "method");
        return method && strcmp(method, event) == 0 ? json_object_get(message, "params") : NULL;
}

size_t street_count(const struct edge_conn *conn, const char *event)
{
        size_t count = 0;
        for (size_t i = 0; i < conn->told_count; i++)
                count += event_of(conn->told[i], event) != NULL;
        return count;
}

const json_t *street_event(const struct edge_conn *conn, const char *event, size_t nth)
{
        for (size_t i = 0; i < conn->told_count; i++) {
                const json_t *params = event_of(conn->told[i], event);
                if (params && nth-- == 0)
                        return params;
        }
        return NULL;
}

/* --- people --- */

const char *street_cmid(struct street *street)
{
        static char texts[4][33];
        char *text = texts[street->next_cmid % 4];
        snprintf(text, sizeof texts[0], "0190%020x%08x", 7, ++street->next_cmid);
        return text;
}

json_t *street_operate(struct street *street, const char *method, const char *format, ...)
{
        char params[2048];
        va_list arguments;
        va_start(arguments, format);
        int len = vsnprintf(params, sizeof params, format, arguments);
        va_end(arguments);
        assert_in_range(len, 0, sizeof params - 1);
        struct writer out;
        json_error_t error;
        writer_init(&out, NULL, 0);
        desk_call(street->desk, span_of(method), params, (size_t)len, &out);
        json_t *answer = json_loadb(out.bytes, out.len, 0, &error);
        assert_non_null(answer);
        writer_done(&out);
        return answer;
}

char *street_token(struct street *street, const char *subject, int64_t lifetime_s)
{
        static const char zeros[32];
        int64_t now_s = clock_wall_ms() / 1000;
        char *token = jwt_make_hs256((struct span){zeros, sizeof zeros}, "k1", street->app, subject, NULL, now_s,
                                     now_s + lifetime_s);
        assert_non_null(token);
        return token;
}

static struct edge_conn *enter(struct street *street, const char *token, int device)
{
        struct edge_conn *conn = street_connect(street);
        assert_non_null(conn->user);
        const json_t *answer = street_ask(street, conn, "session.open",
                                          "{\"token\":\"%s\",\"device\":\"%032x\",\"protocol\":{\"min\":1,\"max\":1}}",
                                          token, (unsigned)device + 1);
        if (!json_object_get(answer, "result"))
                fail_msg("not let in: %s", street_tag(answer));
        return conn;
}

struct edge_conn *street_customer(struct street *street, const char *subject, int device)
{
        char *token = street_token(street, subject, 3600);
        struct edge_conn *conn = enter(street, token, device);
        free(token);
        return conn;
}

struct edge_conn *street_agent(struct street *street, const char *name, int device)
{
        char token[64], hash[65];
        uint8_t digest[32];
        json_t *made =
                street_operate(street, "agent.add", "{\"cmid\":\"%s\",\"name\":\"%s\"}", street_cmid(street), name);
        snprintf(token, sizeof token, "dbs_%s_%d", name, device);
        SHA256((const uint8_t *)token, strlen(token), digest);
        for (int i = 0; i < 32; i++)
                sprintf(hash + 2 * i, "%02x", digest[i]);
        json_decref(street_operate(street, "agent.session",
                                   "{\"cmid\":\"%s\",\"agent\":\"%s\",\"token_hash\":\"%s\",\"label\":\"test\"}",
                                   street_cmid(street), street_words(made, "result.agent"), hash));
        json_decref(made);
        return enter(street, token, device);
}

char *street_conversation(struct street *street, struct edge_conn *conn, const char *key)
{
        const json_t *answer = street_ask(street, conn, "conversation.open", "{\"key\":\"%s\"}", key);
        const char *id = street_words(answer, "result.row.conv");
        if (!id)
                fail_msg("no conversation: %s", street_tag(answer));
        return strdup(id);
}
