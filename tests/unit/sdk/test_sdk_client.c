/* SPDX-License-Identifier: Apache-2.0 */
/* The public calls with real threads and a transport of the test's own: a server that answers on a thread of its own.
 */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- a server in a few lines --------------------------------------------------------------------------------------
 */

enum what { OPENED, SENT, CLOSED };

struct message {
        struct message *next;
        enum what what;
        char *bytes;
        deskbell_link *link;
};

struct server {
        pthread_mutex_t lock;
        pthread_cond_t wake;
        pthread_t thread;
        struct message *first, *last;
        bool is_stopping, refuses;
        deskbell_link *link; /* the server's thread only */
        int64_t seq;
        atomic_int opens, sends, cuts_at; /* cut the connection at that send, unanswered */
        atomic_bool reads_nothing;        /* entries.read is not answered */
};

static struct server server;

static void post(enum what what, deskbell_link *link, const char *bytes, size_t len)
{
        struct message *message = calloc(1, sizeof(*message));

        message->what = what;
        message->link = link;
        message->bytes = bytes ? strndup(bytes, len) : NULL;
        pthread_mutex_lock(&server.lock);
        if (server.last)
                server.last->next = message;
        else
                server.first = message;
        server.last = message;
        pthread_cond_signal(&server.wake);
        pthread_mutex_unlock(&server.lock);
}

static void answer(deskbell_link *link, json_t *frame, const char *result)
{
        char *text = NULL;

        assert_true(asprintf(&text, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":%s}",
                             json_integer_value(json_object_get(frame, "id")), result) > 0);
        deskbell_link_text(link, text, strlen(text));
        free(text);
}

static void answer_send(deskbell_link *link, json_t *frame)
{
        char result[64], *entry = NULL;

        if (++server.sends == server.cuts_at) {
                server.link = NULL;
                deskbell_link_closed(link, 1006);
                return;
        }
        snprintf(result, sizeof(result), "{\"seq\":%lld,\"ts\":1,\"conv\":\"%s\"}", (long long)++server.seq, CONV);
        answer(link, frame, result);
        assert_true(
                asprintf(&entry,
                         "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"conv\":\"%s\",\"seq\":%lld,\"ts\":1,"
                         "\"author\":\"%s\",\"cmid\":\"%s\",\"kind\":\"text\",\"text\":\"%s\"}}",
                         CONV, (long long)server.seq, USER, stage_param(frame, "cmid"),
                         stage_param(frame, "text")) > 0);
        deskbell_link_text(link, entry, strlen(entry));
        free(entry);
}

static void serve(deskbell_link *link, const char *bytes)
{
        json_t *frame = json_loads(bytes, 0, NULL);
        const char *method = json_string_value(json_object_get(frame, "method"));
        char row[256];

        if (link != server.link) {
                json_decref(frame);
                return;
        }
        snprintf(row, sizeof(row), "{\"conv\":\"%s\",\"rev\":%lld,\"key\":\"main\",\"head\":%lld}", CONV,
                 (long long)server.seq + 1, (long long)server.seq);
        if (strcmp(method, "session.open") == 0) {
                answer(link, frame,
                       "{\"principal\":\"" USER "\",\"epoch\":\"" EPOCH
                       "\",\"rev\":1,\"now\":1700000000000,\"protocol\":1,"
                       "\"features\":[],\"limits\":{\"in_flight\":16,\"frame_bytes\":65536,\"key_window_days\":90,"
                       "\"retry_days\":30,\"heartbeat_ms\":25000,\"dead_ms\":35000}}");
        } else if (strcmp(method, "message.send") == 0) {
                answer_send(link, frame);
        } else if (strcmp(method, "conversation.open") == 0 || strcmp(method, "feed.read") == 0) {
                char result[320];
                bool is_feed = *method == 'f';
                snprintf(result, sizeof(result), is_feed ? "{\"rows\":[%s],\"rev\":1}" : "{\"row\":%s}", row);
                answer(link, frame, result);
        } else if (strcmp(method, "entries.read") == 0 && !server.reads_nothing) {
                answer(link, frame, "{\"entries\":[],\"head\":0}");
        }
        json_decref(frame);
}

static void *run_server(void *data)
{
        (void)data;
        for (;;) {
                pthread_mutex_lock(&server.lock);
                while (!server.first && !server.is_stopping)
                        pthread_cond_wait(&server.wake, &server.lock);
                struct message *message = server.first;
                if (message)
                        server.first = message->next;
                if (!server.first)
                        server.last = NULL;
                pthread_mutex_unlock(&server.lock);
                if (!message)
                        return NULL;
                if (message->what == OPENED) {
                        server.link = message->link;
                        deskbell_link_opened(message->link);
                } else if (message->what == SENT) {
                        serve(message->link, message->bytes);
                } else if (message->link == server.link) {
                        server.link = NULL;
                        deskbell_link_closed(message->link, 1000);
                }
                free(message->bytes);
                free(message);
        }
}

static int on_open(void *data, const char *url, const char *subprotocol, size_t max_message_bytes, deskbell_link *link)
{
        (void)data;
        (void)url;
        assert_string_equal("deskbell.v1", subprotocol);
        assert_true(max_message_bytes >= 131072);
        server.opens++;
        if (server.refuses)
                return -1;
        post(OPENED, link, NULL, 0);
        return 0;
}

static void on_send(void *data, deskbell_link *link, const char *bytes, size_t len)
{
        (void)data;
        post(SENT, link, bytes, len);
}

static void on_close(void *data, deskbell_link *link, int code)
{
        (void)data;
        (void)code;
        post(CLOSED, link, NULL, 0);
}

static void on_resume(void *data, deskbell_link *link)
{
        (void)data;
        (void)link;
}

static void on_stop(void *data)
{
        (void)data;
        pthread_mutex_lock(&server.lock);
        server.is_stopping = true;
        pthread_cond_signal(&server.wake);
        pthread_mutex_unlock(&server.lock);
        pthread_join(server.thread, NULL);
}

static struct deskbell_transport transport = {.size = sizeof(transport),
                                              .open = on_open,
                                              .send = on_send,
                                              .close = on_close,
                                              .resume = on_resume,
                                              .stop = on_stop};

/* ---- what the application saw -------------------------------------------------------------------------------------
 */

enum { MESSAGES = 200, WRITERS = 4, ANSWERS = 6 };

static struct {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        int queued, sent, entries, histories, history_error, inside;
        int64_t last_number;
        bool is_out_of_order, is_concurrent, is_online, close_was_refused, was_sent_before_queued;
        int queued_of[WRITERS], sent_of[WRITERS];
} seen;

static void enter(void)
{
        pthread_mutex_lock(&seen.lock);
        seen.is_concurrent |= seen.inside != 0;
        seen.inside = 1;
}

static void leave(void)
{
        seen.inside = 0;
        pthread_cond_broadcast(&seen.changed);
        pthread_mutex_unlock(&seen.lock);
}

static void on_message(deskbell_client *client, const struct deskbell_message *message, void *data)
{
        (void)client;
        (void)data;
        enter();
        seen.queued += message->state == DESKBELL_QUEUED;
        seen.sent += message->state == DESKBELL_SENT;
        leave();
}

static void on_numbered(deskbell_client *client, const struct deskbell_message *message, void *data)
{
        int writer = 0, number = 0;

        (void)client;
        (void)data;
        assert_int_equal(2, sscanf(message->text, "%d %d", &writer, &number));
        enter();
        int *next = message->state == DESKBELL_QUEUED ? &seen.queued_of[writer] : &seen.sent_of[writer];
        seen.is_out_of_order |= number != *next;
        ++*next;
        seen.was_sent_before_queued |= seen.sent_of[writer] > seen.queued_of[writer];
        seen.queued += message->state == DESKBELL_QUEUED;
        seen.sent += message->state == DESKBELL_SENT;
        leave();
}

/* Answers each that is queued with the next number, until there are enough; every second one waits for the disk. */
static void on_message_answer(deskbell_client *client, const struct deskbell_message *message, void *data)
{
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;
        int number = atoi(message->text);
        char text[16];

        on_message(client, message, data);
        if (message->state == DESKBELL_SENT || number + 1 == ANSWERS)
                return;
        pthread_mutex_lock(&seen.lock);
        seen.is_out_of_order |= number + 1 != seen.queued;
        pthread_mutex_unlock(&seen.lock);
        options.wait_for_disk = number % 2;
        snprintf(text, sizeof(text), "%d", number + 1);
        assert_int_equal(0, deskbell_send(message->conversation, text, &options, NULL));
}

static void on_entry(deskbell_client *client, const struct deskbell_entry *entry, void *data)
{
        (void)client;
        (void)data;
        enter();
        seen.entries++;
        seen.is_out_of_order |= entry->number != seen.last_number + 1;
        seen.last_number = entry->number;
        leave();
}

static void on_state(deskbell_client *client, const struct deskbell_state *state, void *data)
{
        (void)data;
        enter();
        seen.is_online = state->connection == DESKBELL_ONLINE;
        seen.close_was_refused = deskbell_close(client) == DESKBELL_E_WRONG_THREAD;
        leave();
}

static void on_history(deskbell_client *client, int error, const struct deskbell_entry *entries, size_t count,
                       int64_t head, int more, void *data)
{
        (void)client;
        (void)entries;
        (void)count;
        (void)head;
        (void)more;
        (void)data;
        enter();
        seen.histories++;
        seen.history_error = error;
        leave();
}

static struct deskbell_options options_of_test(void)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;

        options.app = "app_0000000000009";
        options.token = "token";
        options.transport = &transport;
        options.on_message = on_message;
        options.on_entry = on_entry;
        options.on_state = on_state;
        return options;
}

static int set_up(void **state)
{
        (void)state;
        memset(&server, 0, sizeof(server));
        memset(&seen, 0, sizeof(seen));
        pthread_mutex_init(&server.lock, NULL);
        pthread_cond_init(&server.wake, NULL);
        pthread_mutex_init(&seen.lock, NULL);
        pthread_cond_init(&seen.changed, NULL);
        return pthread_create(&server.thread, NULL, run_server, NULL);
}

static void wait_for(const int *count, int least)
{
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 30;
        pthread_mutex_lock(&seen.lock);
        while (*count < least)
                if (pthread_cond_timedwait(&seen.changed, &seen.lock, &until) == ETIMEDOUT)
                        break;
        int got = *count;
        pthread_mutex_unlock(&seen.lock);
        assert_true(got >= least);
}

static void *write_many(void *data)
{
        for (int i = 0; i < MESSAGES; i++)
                while (deskbell_send(data, "x", NULL, NULL) == DESKBELL_E_OUTBOX_FULL)
                        usleep(1000);
        return NULL;
}

static void messages_of_many_threads_are_each_stored_and_told_once(void **state)
{
        struct deskbell_options options = options_of_test();
        deskbell_conversation *conv = NULL;
        deskbell_client *client = NULL;
        pthread_t writers[WRITERS];

        (void)state;
        assert_int_equal(0, deskbell_open(&options, &client));
        assert_int_equal(0, deskbell_conversation_open(client, NULL, &conv));
        assert_ptr_equal(client, deskbell_conversation_client(conv));
        assert_int_equal(0, deskbell_connect(client));
        for (int i = 0; i < WRITERS; i++)
                pthread_create(&writers[i], NULL, write_many, conv);
        for (int i = 0; i < WRITERS; i++)
                pthread_join(writers[i], NULL);
        wait_for(&seen.sent, MESSAGES * WRITERS);
        wait_for(&seen.entries, MESSAGES * WRITERS);
        assert_int_equal(0, deskbell_close(client));
        assert_int_equal(MESSAGES * WRITERS, seen.queued);
        assert_int_equal(MESSAGES * WRITERS, seen.sent);
        assert_false(seen.is_out_of_order);
        assert_false(seen.is_concurrent);
        assert_true(seen.close_was_refused);
}

/* Each writer's texts are numbered; what arrives of each must rise by one. */
struct writer_of {
        deskbell_conversation *conv;
        int number;
};

static void *write_numbered(void *data)
{
        const struct writer_of *writer = data;
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;
        char text[32];

        options.wait_for_disk = writer->number == 0;
        for (int i = 0; i < MESSAGES / 2; i++) {
                snprintf(text, sizeof(text), "%d %d", writer->number, i);
                assert_int_equal(0, deskbell_send(writer->conv, text, &options, NULL));
        }
        return NULL;
}

static void every_thread_finds_its_messages_in_its_own_order(void **state)
{
        struct deskbell_options options = options_of_test();
        struct writer_of writers[WRITERS];
        deskbell_conversation *conv = NULL;
        deskbell_client *client = NULL;
        pthread_t threads[WRITERS];
        char folder[64];

        (void)state;
        options.data_dir = stage_folder(folder);
        options.on_message = on_numbered;
        assert_int_equal(0, deskbell_open(&options, &client));
        assert_int_equal(0, deskbell_conversation_open(client, NULL, &conv));
        assert_int_equal(0, deskbell_connect(client));
        for (int i = 0; i < WRITERS; i++) {
                writers[i] = (struct writer_of){conv, i};
                pthread_create(&threads[i], NULL, write_numbered, &writers[i]);
        }
        for (int i = 0; i < WRITERS; i++)
                pthread_join(threads[i], NULL);
        wait_for(&seen.sent, MESSAGES / 2 * WRITERS);
        assert_int_equal(0, deskbell_close(client));
        assert_int_equal(MESSAGES / 2 * WRITERS, seen.queued);
        assert_false(seen.is_out_of_order);
        assert_false(seen.was_sent_before_queued);
}

/* By a connection of its own, while the client has the file open: what is on the disk. */
static int rows_in(const char *folder)
{
        sqlite3_stmt *statement = NULL;
        sqlite3 *db = NULL;
        glob_t found;
        char pattern[96];

        snprintf(pattern, sizeof(pattern), "%s/*.deskbell", folder);
        assert_int_equal(0, glob(pattern, 0, NULL, &found));
        assert_int_equal(SQLITE_OK, sqlite3_open(found.gl_pathv[0], &db));
        assert_int_equal(SQLITE_OK, sqlite3_prepare_v2(db, "SELECT count(*) FROM outbox", -1, &statement, NULL));
        assert_int_equal(SQLITE_ROW, sqlite3_step(statement));
        int count = sqlite3_column_int(statement, 0);
        sqlite3_finalize(statement);
        sqlite3_close(db);
        globfree(&found);
        return count;
}

static int count_queued(const struct deskbell_options *options)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;
        deskbell_client *client = NULL;

        assert_int_equal(0, deskbell_open(options, &client));
        assert_int_equal(0, deskbell_status(client, &status));
        assert_int_equal(0, deskbell_close(client));
        return (int)status.queued;
}

static void what_was_handed_over_right_before_the_end_is_in_the_file(void **state)
{
        enum { ENDS = 4, CLOSE = 0, BACKGROUND, MUTE, LOG_OUT };
        struct deskbell_transport without_stop = transport;

        (void)state;
        without_stop.stop = NULL;
        for (int end = CLOSE; end < ENDS; end++) {
                struct deskbell_options options = options_of_test();
                struct deskbell_status status = DESKBELL_STATUS_INIT;
                deskbell_conversation *conv = NULL;
                deskbell_client *client = NULL;
                char folder[64];

                options.transport = &without_stop;
                options.callbacks_by_dispatch = 1;
                options.data_dir = stage_folder(folder);
                assert_int_equal(0, deskbell_open(&options, &client));
                assert_int_equal(0, deskbell_conversation_open(client, "main", &conv));
                for (int i = 0; i < 5; i++)
                        assert_int_equal(0, deskbell_send(conv, "goodbye", NULL, NULL));
                assert_int_equal(0, deskbell_status(client, &status));
                assert_int_equal(5, status.queued);
                if (end == BACKGROUND)
                        assert_int_equal(0, deskbell_set_background(client, 1));
                else if (end == MUTE)
                        assert_int_equal(0, deskbell_mute(client));
                else if (end == LOG_OUT)
                        assert_int_equal(DESKBELL_E_UNSENT, deskbell_log_out(client, 0, NULL));
                if (end != CLOSE)
                        assert_int_equal(5, rows_in(folder));
                assert_int_equal(0, deskbell_close(client));
                assert_int_equal(5, count_queued(&options));
        }
        transport.stop(NULL);
}

static void a_callback_may_send_and_wait_for_the_disk(void **state)
{
        struct deskbell_options options = options_of_test();
        deskbell_conversation *conv = NULL;
        deskbell_client *client = NULL;
        char folder[64];

        (void)state;
        options.data_dir = stage_folder(folder);
        options.on_message = on_message_answer;
        assert_int_equal(0, deskbell_open(&options, &client));
        assert_int_equal(0, deskbell_conversation_open(client, NULL, &conv));
        assert_int_equal(0, deskbell_connect(client));
        assert_int_equal(0, deskbell_send(conv, "0", NULL, NULL));
        wait_for(&seen.sent, ANSWERS);
        assert_int_equal(0, deskbell_close(client));
        assert_int_equal(ANSWERS, seen.queued);
        assert_false(seen.is_out_of_order);
}

static void a_lost_connection_costs_nothing(void **state)
{
        struct deskbell_options options = options_of_test();
        deskbell_conversation *conv = NULL;
        deskbell_client *client = NULL;

        (void)state;
        server.cuts_at = 7;
        assert_int_equal(0, deskbell_open(&options, &client));
        assert_int_equal(0, deskbell_conversation_open(client, "main", &conv));
        for (int i = 0; i < 20; i++)
                assert_int_equal(0, deskbell_send(conv, "x", NULL, NULL));
        assert_int_equal(0, deskbell_connect(client));
        wait_for(&seen.sent, 20);
        assert_int_equal(2, server.opens);
        assert_int_equal(0, deskbell_close(client));
        assert_int_equal(20, seen.sent);
}

static void an_outcome_that_was_told_is_not_told_again_after_a_restart(void **state)
{
        struct deskbell_options options = options_of_test();
        struct deskbell_transport without_stop = transport;
        deskbell_conversation *conv = NULL;
        deskbell_client *client = NULL;
        char folder[64];

        (void)state;
        without_stop.stop = NULL;
        options.transport = &without_stop;
        options.data_dir = stage_folder(folder);
        assert_int_equal(0, deskbell_open(&options, &client));
        assert_int_equal(0, deskbell_conversation_open(client, "main", &conv));
        assert_int_equal(0, deskbell_send(conv, "x", NULL, NULL));
        assert_int_equal(0, deskbell_connect(client));
        wait_for(&seen.sent, 1);
        assert_int_equal(0, deskbell_close(client));
        options.transport = &transport;
        options.callbacks_by_dispatch = 1;
        assert_int_equal(0, deskbell_open(&options, &client));
        deskbell_dispatch(client, 0);
        assert_int_equal(1, seen.sent);
        assert_int_equal(0, deskbell_close(client));
}

static void wait_for_outcomes(deskbell_client *client, int count)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        for (int i = 0; i < 30000; i++) {
                assert_int_equal(0, deskbell_status(client, &status));
                if (server.sends >= count && status.queued == 0)
                        return;
                usleep(1000);
        }
        fail_msg("the messages were not answered");
}

static void a_muted_client_tells_nothing_more_and_the_next_one_tells_the_rest(void **state)
{
        struct deskbell_options options = options_of_test();
        struct deskbell_transport without_stop = transport;
        deskbell_conversation *conv = NULL;
        deskbell_client *client = NULL;
        char folder[64];

        (void)state;
        assert_int_equal(DESKBELL_E_INVALID, deskbell_mute(NULL));
        without_stop.stop = NULL;
        options.transport = &without_stop;
        options.callbacks_by_dispatch = 1;
        options.data_dir = stage_folder(folder);
        assert_int_equal(0, deskbell_open(&options, &client));
        assert_int_equal(0, deskbell_conversation_open(client, "main", &conv));
        assert_int_equal(0, deskbell_connect(client));
        for (int i = 0; i < 3; i++)
                assert_int_equal(0, deskbell_send(conv, "x", NULL, NULL));
        wait_for_outcomes(client, 3);
        assert_int_equal(0, deskbell_mute(client));
        assert_int_equal(0, deskbell_mute(client));
        assert_int_equal(0, deskbell_dispatch(client, 0));
        assert_int_equal(0, seen.queued + seen.sent + seen.entries);
        assert_int_equal(0, deskbell_close(client));
        options.transport = &transport;
        assert_int_equal(0, deskbell_open(&options, &client));
        assert_int_equal(0, deskbell_conversation_open(client, "main", &conv));
        for (int i = 0; i < 30000 && seen.sent < 3; i++)
                deskbell_dispatch(client, 0);
        assert_int_equal(3, seen.sent);
        assert_int_equal(0, deskbell_close(client));
}

static void callbacks_run_in_dispatch_and_nowhere_else(void **state)
{
        struct deskbell_options options = options_of_test();
        struct deskbell_status status = DESKBELL_STATUS_INIT;
        deskbell_conversation *conv = NULL;
        deskbell_client *client = NULL;
        struct pollfd ready = {.events = POLLIN};

        (void)state;
        options.callbacks_by_dispatch = 1;
        assert_int_equal(0, deskbell_open(&options, &client));
        ready.fd = deskbell_fd(client);
        assert_true(ready.fd >= 0);
        assert_int_equal(0, deskbell_conversation_open(client, "main", &conv));
        assert_int_equal(0, deskbell_connect(client));
        assert_int_equal(0, deskbell_send(conv, "x", NULL, NULL));
        assert_int_equal(0, seen.queued);
        while (seen.entries == 0 || seen.sent == 0) {
                assert_int_equal(1, poll(&ready, 1, 30000));
                assert_true(deskbell_dispatch(client, 1) == 1);
        }
        assert_int_equal(0, deskbell_status(client, &status));
        assert_int_equal(0, status.queued);
        assert_int_equal(0, deskbell_close(client));
}

static void a_descriptor_is_quiet_when_nothing_waits(void **state)
{
        struct deskbell_options options = options_of_test();
        deskbell_client *client = NULL;
        struct pollfd ready = {.events = POLLIN};

        (void)state;
        options.callbacks_by_dispatch = 1;
        assert_int_equal(0, deskbell_open(&options, &client));
        ready.fd = deskbell_fd(client);
        while (poll(&ready, 1, 0) == 1)
                deskbell_dispatch(client, 0);
        assert_int_equal(0, deskbell_dispatch(client, 0));
        assert_int_equal(0, deskbell_close(client));
}

static void a_history_is_answered_even_by_closing(void **state)
{
        struct deskbell_options options = options_of_test();
        struct deskbell_history_options which = DESKBELL_HISTORY_OPTIONS_INIT;
        deskbell_conversation *conv = NULL;
        deskbell_client *client = NULL;

        (void)state;
        assert_int_equal(0, deskbell_open(&options, &client));
        assert_int_equal(0, deskbell_conversation_open(client, "main", &conv));
        assert_int_equal(0, deskbell_connect(client));
        assert_int_equal(0, deskbell_send(conv, "x", NULL, NULL));
        wait_for(&seen.entries, 1);
        which.from_server = 1;
        server.reads_nothing = true;
        assert_int_equal(0, deskbell_history(conv, &which, on_history, NULL));
        assert_int_equal(0, deskbell_close(client));
        assert_int_equal(1, seen.histories);
        assert_int_equal(DESKBELL_E_CANCELLED, seen.history_error);
}

static void a_transport_that_fails_at_once_is_tried_again(void **state)
{
        struct deskbell_options options = options_of_test();
        deskbell_client *client = NULL;

        (void)state;
        server.refuses = true;
        assert_int_equal(0, deskbell_open(&options, &client));
        assert_int_equal(0, deskbell_connect(client));
        for (int i = 0; i < 3000 && server.opens < 3; i++)
                usleep(1000); /* pauses of at most 500 and 1000 ms, by the real clock */
        assert_true(server.opens >= 3);
        assert_int_equal(0, deskbell_close(client));
}

static void arguments_are_checked(void **state)
{
        struct deskbell_options options = options_of_test();
        deskbell_client *client = NULL;
        deskbell_conversation *conv = NULL;
        char *text = malloc(50000);

        (void)state;
        options.token = NULL;
        assert_int_equal(DESKBELL_E_INVALID, deskbell_open(&options, &client)); /* nobody */
        options.is_visitor = 1;
        options.token = "x";
        assert_int_equal(DESKBELL_E_INVALID, deskbell_open(&options, &client)); /* two at once */
        options.is_visitor = 0;
        options.app = "app_1";
        assert_int_equal(DESKBELL_E_INVALID, deskbell_open(&options, &client));
        options = options_of_test();
        options.transport = NULL;
        options.url = "http://x";
        assert_int_equal(DESKBELL_E_INVALID, deskbell_open(&options, &client));
        options = options_of_test();
        assert_int_equal(0, deskbell_open(&options, &client));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_conversation_open(client, "", &conv));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_conversation_open_id(client, "usr_0000000000001", &conv));
        assert_int_equal(0, deskbell_conversation_open(client, "k", &conv));
        assert_int_equal(DESKBELL_E_TEXT, deskbell_send(conv, "", NULL, NULL));
        assert_int_equal(DESKBELL_E_TEXT, deskbell_send(conv, "a\x01", NULL, NULL));
        assert_int_equal(DESKBELL_E_TEXT, deskbell_send(conv, "\xc0\xaf", NULL, NULL));
        assert_int_equal(DESKBELL_E_TEXT, deskbell_send(conv, "\xed\xa0\x80", NULL, NULL));
        assert_int_equal(DESKBELL_E_TEXT, deskbell_send(conv, "\xf4\x90\x80\x80", NULL, NULL));
        assert_int_equal(0, deskbell_send(conv, "tab\tnewline\n\xc3\xa4\xe4\xbd\xa0\xf0\x9f\x98\x80", NULL, NULL));
        memset(text, 'x', 49999);
        text[10001] = '\0';
        assert_int_equal(DESKBELL_E_TOO_LONG, deskbell_send(conv, text, NULL, NULL));
        text[10000] = '\0';
        assert_int_equal(0, deskbell_send(conv, text, NULL, NULL));
        free(text);
        struct deskbell_send_options how = DESKBELL_SEND_OPTIONS_INIT;
        how.log = DESKBELL_TEAM;
        assert_int_equal(DESKBELL_E_INVALID, deskbell_send(conv, "note of a customer", &how, NULL));
        assert_int_equal(DESKBELL_E_STATE, deskbell_entry_done(conv, DESKBELL_PUBLIC, 1));
        assert_int_equal(-1, deskbell_fd(client));
        assert_int_equal(DESKBELL_E_STATE, deskbell_dispatch(client, 0));
        assert_int_equal(0, deskbell_close(client));
}

static char told_refusal[16];
static bool is_opened;

static void note_refusal(deskbell_client *client, enum deskbell_notice notice, deskbell_conversation *conversation,
                         const char *detail, void *data)
{
        (void)client;
        (void)conversation;
        (void)data;
        if (notice == DESKBELL_NOTICE_CLAIM_REFUSED)
                snprintf(told_refusal, sizeof(told_refusal), "%s", detail);
}

static void note_opened(deskbell_client *client, deskbell_conversation *conversation, int64_t seq, int64_t iseq,
                        void *data)
{
        (void)client;
        (void)conversation;
        (void)seq;
        (void)iseq;
        (void)data;
        is_opened = true;
}

/* Until all that opening tells was told. */
static void open_and_close(const struct deskbell_options *options)
{
        deskbell_client *client = NULL;
        deskbell_conversation *conversation = NULL;

        told_refusal[0] = '\0';
        assert_int_equal(0, deskbell_open(options, &client));
        assert_int_equal(0, deskbell_conversation_open(client, NULL, &conversation));
        for (is_opened = false; !is_opened; deskbell_dispatch(client, 0)) {
                struct pollfd waiting = {deskbell_fd(client), POLLIN, 0};
                assert_int_equal(1, poll(&waiting, 1, 5000));
        }
        deskbell_close(client);
}

static void a_visitors_file_under_another_key_is_left_alone_and_its_user_is_told(void **state)
{
        static const uint8_t key[32] = "the visitor's", other[32] = "the user's";
        struct deskbell_options visitor = DESKBELL_OPTIONS_INIT, user;
        char folder[64];

        (void)state;
        visitor.url = "ws://127.0.0.1:1/v1/ws";
        visitor.app = "app_0000000000009";
        visitor.data_dir = stage_folder(folder);
        visitor.is_visitor = visitor.callbacks_by_dispatch = 1;
        visitor.store_key = key;
        visitor.store_key_len = sizeof(key);
        visitor.on_notice = note_refusal;
        visitor.on_opened = note_opened;
        user = visitor;
        user.is_visitor = 0;
        user.claims_visitor = 1;
        user.token = "token";
        user.user = "u-1";
        open_and_close(&visitor);
        user.store_key = other;
        open_and_close(&user);
        assert_string_equal("key", told_refusal);
        user.user = "u-2";
        user.store_key = NULL; /* and with none at all */
        user.store_key_len = 0;
        open_and_close(&user);
        assert_string_equal("key", told_refusal);
        user.user = "u-3";
        user.store_key = key;
        user.store_key_len = sizeof(key);
        open_and_close(&user);
        assert_string_equal("", told_refusal); /* with the right one there is nothing to tell before the server has */
        open_and_close(&visitor);              /* the visitor's file is as it was */
}

static void two_clients_of_one_user_cannot_share_a_folder_and_two_users_can(void **state)
{
        struct deskbell_options options = options_of_test();
        deskbell_client *client = NULL, *second = NULL;
        char folder[64];

        (void)state;
        options.data_dir = stage_folder(folder);
        options.user = "ann";
        assert_int_equal(0, deskbell_open(&options, &client));
        pthread_t thread = server.thread;
        struct deskbell_transport without_stop = transport;
        without_stop.stop = NULL;
        options.transport = &without_stop;
        assert_int_equal(DESKBELL_E_LOCKED, deskbell_open(&options, &second));
        options.user = "bob";
        assert_int_equal(0, deskbell_open(&options, &second));
        assert_int_equal(0, deskbell_close(second));
        server.thread = thread;
        assert_int_equal(0, deskbell_close(client));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, set_up)
        const struct CMUnitTest tests[] = {
                T(messages_of_many_threads_are_each_stored_and_told_once),
                T(every_thread_finds_its_messages_in_its_own_order),
                T(what_was_handed_over_right_before_the_end_is_in_the_file),
                T(a_callback_may_send_and_wait_for_the_disk),
                T(a_lost_connection_costs_nothing),
                T(an_outcome_that_was_told_is_not_told_again_after_a_restart),
                T(a_muted_client_tells_nothing_more_and_the_next_one_tells_the_rest),
                T(callbacks_run_in_dispatch_and_nowhere_else),
                T(a_descriptor_is_quiet_when_nothing_waits),
                T(a_history_is_answered_even_by_closing),
                T(a_transport_that_fails_at_once_is_tried_again),
                cmocka_unit_test(a_visitors_file_under_another_key_is_left_alone_and_its_user_is_told),
                T(two_clients_of_one_user_cannot_share_a_folder_and_two_users_can),
                T(arguments_are_checked),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
