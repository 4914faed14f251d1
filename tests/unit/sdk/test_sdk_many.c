/* SPDX-License-Identifier: Apache-2.0 */
/* Several accounts in one process: twenty clients, ten users in each of two apps, one folder. Each has a server of its
 * own that answers inside the transport's calls, and each sees what is its own and nothing else. */
#include <dirent.h>
#include <jansson.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "deskbell/deskbell.h"
#include "folder.h"

enum { CLIENTS = 20, USERS = 10, MESSAGES = 20, THREADS = 4, PATIENCE_S = 30 };

/* One account: its client, its server, and what its callbacks were told. `lock` guards what both sides touch. */
struct account {
        int number;
        char user[32], app[32];
        deskbell_client *client;
        deskbell_conversation *conversation;
        struct deskbell_transport transport;
        pthread_mutex_t lock;
        pthread_cond_t changed;
        char texts[MESSAGES][64], cmids[MESSAGES][33];
        size_t len;
        int sent, entries, strange, set_aside, rescued;
        bool is_caught_up;
};

static struct account accounts[CLIENTS];
static char folder[64];

/* ---- the server of one account ----------------------------------------------------------------------------------- */

static void say(deskbell_link *link, json_t *frame)
{
        char *text = json_dumps(frame, JSON_COMPACT);

        deskbell_link_text(link, text, strlen(text));
        free(text);
        json_decref(frame);
}

static json_t *entry_of(const struct account *account, size_t at)
{
        return json_pack("{s:s, s:I, s:i, s:s, s:s, s:s, s:s}", "conv", "cnv_0000000000003", "seq", (json_int_t)at + 1,
                         "ts", 1, "author", "usr_0000000000001", "cmid", account->cmids[at], "kind", "text", "text",
                         account->texts[at]);
}

static json_t *entries_of(const struct account *account, int64_t after)
{
        json_t *entries = json_array();

        for (size_t i = after > 0 ? (size_t)after : 0; i < account->len; i++)
                json_array_append_new(entries, entry_of(account, i));
        return json_pack("{s:I, s:o}", "head", (json_int_t)account->len, "entries", entries);
}

static json_t *row_of(const struct account *account)
{
        return json_pack("{s:s, s:I, s:s, s:I}", "conv", "cnv_0000000000003", "rev", (json_int_t)account->len + 1,
                         "key", "main", "head", (json_int_t)account->len);
}

static json_t *take_message(struct account *account, json_t *params)
{
        if (account->len < MESSAGES) {
                snprintf(account->texts[account->len], sizeof(account->texts[0]), "%s",
                         json_string_value(json_object_get(params, "text")));
                snprintf(account->cmids[account->len++], 33, "%s", json_string_value(json_object_get(params, "cmid")));
        }
        return json_pack("{s:I, s:i, s:s}", "seq", (json_int_t)account->len, "ts", 1, "conv", "cnv_0000000000003");
}

static json_t *session_of(const struct account *account)
{
        return json_pack("{s:s, s:s, s:I, s:i, s:i, s:[], s:{s:i, s:i, s:i, s:i, s:i, s:i}}", "principal",
                         "usr_0000000000001", "epoch", "00000000000000e1", "rev", (json_int_t)account->len + 1, "now",
                         1, "protocol", 1, "features", "limits", "in_flight", 16, "frame_bytes", 65536,
                         "key_window_days", 90, "retry_days", 30, "heartbeat_ms", 25000, "dead_ms", 35000);
}

static json_t *answer_to(struct account *account, const char *method, json_t *params)
{
        if (strcmp(method, "session.open") == 0)
                return session_of(account);
        if (strcmp(method, "feed.read") == 0)
                return json_pack("{s:[o], s:I}", "rows", row_of(account), "rev", (json_int_t)account->len + 1);
        if (strcmp(method, "conversation.open") == 0)
                return json_pack("{s:o}", "row", row_of(account));
        if (strcmp(method, "entries.read") == 0)
                return entries_of(account, json_integer_value(json_object_get(params, "after")));
        if (strcmp(method, "message.send") == 0)
                return take_message(account, params);
        return json_object();
}

static int on_open(void *data, const char *url, const char *subprotocol, size_t max_message_bytes, deskbell_link *link)
{
        (void)data, (void)url, (void)subprotocol, (void)max_message_bytes;
        deskbell_link_opened(link);
        return 0;
}

static void on_send(void *data, deskbell_link *link, const char *bytes, size_t len)
{
        struct account *account = data;
        json_t *frame = json_loadb(bytes, len, 0, NULL), *id = json_object_get(frame, "id");
        const char *method = json_string_value(json_object_get(frame, "method"));

        pthread_mutex_lock(&account->lock);
        json_t *result = id ? answer_to(account, method, json_object_get(frame, "params")) : NULL;
        bool is_new = id && strcmp(method, "message.send") == 0;
        json_t *entry = is_new ? entry_of(account, account->len - 1) : NULL;
        pthread_mutex_unlock(&account->lock);
        if (result)
                say(link, json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", id, "result", result));
        if (entry)
                say(link, json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method", "entry", "params", entry));
        json_decref(frame);
}

static void on_close(void *data, deskbell_link *link, int code)
{
        (void)data;
        deskbell_link_closed(link, code);
}

static void on_resume(void *data, deskbell_link *link)
{
        (void)data, (void)link;
}

/* ---- what the application is told -------------------------------------------------------------------------------- */

static bool is_of(const struct account *account, const char *text)
{
        char start[32];

        snprintf(start, sizeof(start), "account %d:", account->number);
        return strncmp(text, start, strlen(start)) == 0;
}

static void on_message(deskbell_client *client, const struct deskbell_message *message, void *data)
{
        struct account *account = data;

        pthread_mutex_lock(&account->lock);
        account->sent += message->state == DESKBELL_SENT;
        account->strange += !is_of(account, message->text) || (account->client && client != account->client);
        pthread_cond_broadcast(&account->changed);
        pthread_mutex_unlock(&account->lock);
}

static void on_entry(deskbell_client *client, const struct deskbell_entry *entry, void *data)
{
        struct account *account = data;

        (void)client;
        pthread_mutex_lock(&account->lock);
        account->entries++;
        account->strange += !is_of(account, entry->text) || entry->number != account->entries;
        pthread_cond_broadcast(&account->changed);
        pthread_mutex_unlock(&account->lock);
}

static void on_notice(deskbell_client *client, enum deskbell_notice notice, deskbell_conversation *conversation,
                      const char *detail, void *data)
{
        struct account *account = data;

        (void)client, (void)conversation;
        pthread_mutex_lock(&account->lock);
        account->set_aside += notice == DESKBELL_NOTICE_STORE_SET_ASIDE;
        if (notice == DESKBELL_NOTICE_OUTBOX_RESCUED)
                account->rescued = (int)strtol(detail, NULL, 10);
        pthread_cond_broadcast(&account->changed);
        pthread_mutex_unlock(&account->lock);
}

static void on_state(deskbell_client *client, const struct deskbell_state *state, void *data)
{
        struct account *account = data;

        (void)client;
        pthread_mutex_lock(&account->lock);
        account->is_caught_up = state->caught_up != 0;
        pthread_cond_broadcast(&account->changed);
        pthread_mutex_unlock(&account->lock);
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static int try_open(struct account *account, deskbell_client **out_client)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;

        account->transport = (struct deskbell_transport){
                .size = sizeof(account->transport),
                .data = account,
                .open = on_open,
                .send = on_send,
                .close = on_close,
                .resume = on_resume,
                .stop = NULL,
                .http = NULL,
                .http_cancel = NULL,
        };
        options.app = account->app;
        options.user = account->user;
        options.token = "token";
        options.data_dir = folder;
        options.transport = &account->transport;
        options.data = account;
        options.on_message = on_message;
        options.on_entry = on_entry;
        options.on_state = on_state;
        options.on_notice = on_notice;
        return deskbell_open(&options, out_client);
}

static void open_account(struct account *account)
{
        deskbell_client *client = NULL;

        assert_int_equal(DESKBELL_OK, try_open(account, &client));
        pthread_mutex_lock(&account->lock);
        account->client = client;
        pthread_mutex_unlock(&account->lock);
        assert_int_equal(DESKBELL_OK, deskbell_conversation_open(client, "main", &account->conversation));
}

static void init_account(struct account *account, int number)
{
        memset(account, 0, sizeof(*account));
        account->number = number;
        snprintf(account->user, sizeof(account->user), "user-%d", number % USERS);
        snprintf(account->app, sizeof(account->app), "app_000000000000%d", 1 + number / USERS);
        pthread_mutex_init(&account->lock, NULL);
        pthread_cond_init(&account->changed, NULL);
}

static void await(struct account *account, const int *count, int wanted)
{
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += PATIENCE_S;
        pthread_mutex_lock(&account->lock);
        while (*count < wanted)
                if (pthread_cond_timedwait(&account->changed, &account->lock, &until) != 0)
                        break;
        assert_int_equal(wanted, *count);
        pthread_mutex_unlock(&account->lock);
}

/* Every client is written to by every thread. */
static void *write_to_all(void *data)
{
        int thread = *(int *)data;
        char text[64];

        for (int i = thread; i < MESSAGES; i += THREADS)
                for (int c = 0; c < CLIENTS; c++) {
                        snprintf(text, sizeof(text), "account %d: message %d", c, i);
                        if (deskbell_send(accounts[c].conversation, text, NULL, NULL) != DESKBELL_OK)
                                return data;
                }
        return NULL;
}

static void write_everywhere(void)
{
        pthread_t threads[THREADS];
        int numbers[THREADS];

        for (int i = 0; i < THREADS; i++) {
                numbers[i] = i;
                assert_int_equal(0, pthread_create(&threads[i], NULL, write_to_all, &numbers[i]));
        }
        for (int i = 0; i < THREADS; i++) {
                void *failed = NULL;
                pthread_join(threads[i], &failed);
                assert_null(failed);
        }
}

static int count_files(void)
{
        DIR *dir = opendir(folder);
        const struct dirent *entry;
        int count = 0;

        assert_non_null(dir);
        while ((entry = readdir(dir))) {
                const char *end = strstr(entry->d_name, ".deskbell");
                count += end && strcmp(end, ".deskbell") == 0;
        }
        closedir(dir);
        return count;
}

static int set_up(void **state)
{
        (void)state;
        stage_folder(folder);
        for (int i = 0; i < CLIENTS; i++) {
                init_account(&accounts[i], i);
                open_account(&accounts[i]);
        }
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        for (int i = 0; i < CLIENTS; i++) {
                assert_int_equal(DESKBELL_OK, deskbell_close(accounts[i].client));
                pthread_mutex_destroy(&accounts[i].lock);
                pthread_cond_destroy(&accounts[i].changed);
        }
        return stage_folder_remove(folder);
}

static void each_account_sees_its_own_messages_and_no_other(void **state)
{
        (void)state;
        assert_int_equal(CLIENTS, count_files());
        for (int i = 0; i < CLIENTS; i++)
                deskbell_connect(accounts[i].client);
        write_everywhere();
        for (int i = 0; i < CLIENTS; i++) {
                await(&accounts[i], &accounts[i].sent, MESSAGES);
                await(&accounts[i], &accounts[i].entries, MESSAGES);
                pthread_mutex_lock(&accounts[i].lock);
                assert_int_equal(0, accounts[i].strange);
                pthread_mutex_unlock(&accounts[i].lock);
        }
}

/* What the callbacks have noted there by now. */
static int look(struct account *account, const int *noted)
{
        pthread_mutex_lock(&account->lock);
        int value = *noted;
        pthread_mutex_unlock(&account->lock);
        return value;
}

static void what_is_queued_offline_waits_in_its_own_file(void **state)
{
        (void)state;
        write_everywhere();
        for (int i = 0; i < CLIENTS; i++) {
                struct deskbell_status status = DESKBELL_STATUS_INIT;
                assert_int_equal(DESKBELL_OK, deskbell_close(accounts[i].client));
                accounts[i].client = NULL;
                open_account(&accounts[i]);
                deskbell_status(accounts[i].client, &status);
                assert_int_equal(MESSAGES, status.queued);
        }
        for (int i = 0; i < CLIENTS; i++)
                deskbell_connect(accounts[i].client);
        for (int i = 0; i < CLIENTS; i++)
                await(&accounts[i], &accounts[i].sent, MESSAGES);
        for (int i = 0; i < CLIENTS; i++)
                assert_int_equal(0, look(&accounts[i], &accounts[i].strange));
}

static void an_account_is_open_once(void **state)
{
        deskbell_client *second = NULL;
        struct account again;

        (void)state;
        init_account(&again, 3);
        assert_int_equal(DESKBELL_E_LOCKED, try_open(&again, &second));
        assert_null(second);
}

static void one_that_logs_out_takes_nothing_of_the_others(void **state)
{
        int was_told = -1;

        (void)state;
        for (int i = 0; i < CLIENTS; i++)
                deskbell_connect(accounts[i].client);
        write_everywhere();
        for (int i = 0; i < CLIENTS; i++)
                await(&accounts[i], &accounts[i].sent, MESSAGES);
        assert_int_equal(DESKBELL_OK, deskbell_log_out(accounts[3].client, 0, &was_told));
        assert_int_equal(CLIENTS - 1, count_files());
        accounts[3].client = NULL;
        for (int i = 0; i < CLIENTS; i++)
                if (i != 3)
                        await(&accounts[i], &accounts[i].entries, MESSAGES);
}

static void nobody_loses_what_waits_by_logging_out(void **state)
{
        (void)state;
        assert_int_equal(DESKBELL_OK, deskbell_send(accounts[5].conversation, "account 5: wait", NULL, NULL));
        assert_int_equal(DESKBELL_E_UNSENT, deskbell_log_out(accounts[5].client, 0, NULL));
        assert_int_equal(CLIENTS, count_files());
        assert_int_equal(DESKBELL_E_INVALID, deskbell_log_out(accounts[5].client, 2, NULL));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_log_out(NULL, 1, NULL));
        assert_int_equal(DESKBELL_OK, deskbell_log_out(accounts[5].client, 1, NULL));
        accounts[5].client = NULL;
        assert_int_equal(CLIENTS - 1, count_files());
}

/* As a library of a later year would leave it. */
static void make_newer(const char *name)
{
        static const char version[4] = {0, 0, 0, 99};
        char path[400];

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        FILE *file = fopen(path, "r+b");
        assert_non_null(file);
        assert_int_equal(0, fseek(file, 60, SEEK_SET)); /* user_version */
        assert_int_equal(sizeof(version), fwrite(version, 1, sizeof(version), file));
        fclose(file);
}

static void a_file_set_aside_says_how_many_messages_were_rescued(void **state)
{
        struct account *account = &accounts[0];
        struct dirent *entry;
        DIR *dir;

        (void)state;
        write_everywhere();
        for (int i = 0; i < CLIENTS; i++) {
                assert_int_equal(DESKBELL_OK, deskbell_close(accounts[i].client));
                accounts[i].client = NULL;
        }
        dir = opendir(folder);
        while ((entry = readdir(dir))) {
                const char *end = strstr(entry->d_name, ".deskbell");
                if (end && strcmp(end, ".deskbell") == 0)
                        make_newer(entry->d_name);
        }
        closedir(dir);
        open_account(account);
        await(account, &account->rescued, MESSAGES);
        assert_int_equal(1, look(account, &account->set_aside));
        deskbell_connect(account->client);
        await(account, &account->sent, MESSAGES);
        assert_int_equal(0, look(account, &account->strange));
        assert_int_equal(DESKBELL_OK, deskbell_log_out(account->client, 0, NULL)); /* takes what was set aside along */
        account->client = NULL;
        assert_int_equal(CLIENTS - 1, count_files());
}

static void what_cannot_be_is_refused(void **state)
{
        deskbell_client *client = accounts[0].client;
        char long_token[4098];
        int is_news = 7;

        (void)state;
        memset(long_token, 'x', sizeof(long_token) - 1);
        long_token[sizeof(long_token) - 1] = '\0';
        assert_int_equal(DESKBELL_E_INVALID, deskbell_set_background(NULL, 1));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_set_background(client, 2));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_set_push(NULL, DESKBELL_PUSH_FCM, "t"));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_set_push(client, (enum deskbell_push)0, "t"));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_set_push(client, DESKBELL_PUSH_FCM, ""));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_set_push(client, DESKBELL_PUSH_FCM, "a\nb"));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_set_push(client, DESKBELL_PUSH_FCM, long_token));
        assert_int_equal(DESKBELL_OK, deskbell_set_push(client, DESKBELL_PUSH_FCM, long_token + 1));
        assert_int_equal(DESKBELL_OK, deskbell_set_push(client, DESKBELL_PUSH_FCM, NULL));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_push_received(client, "cnv_nonsense", 1, &is_news));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_push_received(client, NULL, -1, &is_news));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_push_received(client, NULL, 0, NULL));
        assert_int_equal(DESKBELL_E_STATE, deskbell_push_received(client, NULL, 0, &is_news));
        assert_int_equal(7, is_news);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(each_account_sees_its_own_messages_and_no_other),
                T(what_is_queued_offline_waits_in_its_own_file),
                T(an_account_is_open_once),
                T(one_that_logs_out_takes_nothing_of_the_others),
                T(nobody_loses_what_waits_by_logging_out),
                T(a_file_set_aside_says_how_many_messages_were_rescued),
                T(what_cannot_be_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
