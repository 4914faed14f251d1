/* SPDX-License-Identifier: Apache-2.0 */
/* The table of libdeskbell-answers, and how a client calls it: on its own thread, with no lock held, so that no thread
 * of the application waits for the bot. What is loaded is data from outside: what is damaged or of another version is
 * refused. The server is a transport of the test's own, which answers where it is asked. */
#include "stage.h"

#include <glob.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bots/source.h"
#include "bots/version.h"
#include "deskbell/answers.h"

static const char source[] = "bot 1\n"
                             "lang en\n"
                             "faq opening\n"
                             "  ? When are you open?\n"
                             "  ? What are your opening hours?\n"
                             "  ? At what time do you close?\n"
                             "  = From 9 to 6.\n"
                             "faq refund\n"
                             "  ? How do I get a refund?\n"
                             "  ? I want my money back\n"
                             "  = Within 30 days.\n";

static struct writer blob; /* of `source` */
static char version[65];

static int make_blob(void **state)
{
        struct bot_file file = {"shop.bot", span_of(source)};
        struct bot_problems *problems = bot_problems_new();
        json_t *bot = bot_source_read(&file, 1, problems, NULL);
        const char *wrong = NULL;

        (void)state;
        writer_init(&blob, NULL, 0);
        assert_int_equal(0, bot_version_build(bot, problems, &blob, NULL));
        struct bot_version *loaded = bot_version_load((struct span){blob.bytes, blob.len}, &wrong);
        assert_non_null(loaded);
        memcpy(version, bot_version_id(loaded), sizeof(version));
        bot_version_free(loaded);
        json_decref(bot);
        bot_problems_free(problems);
        return 0;
}

static int free_blob(void **state)
{
        (void)state;
        writer_done(&blob);
        return 0;
}

/* ---- the table alone --------------------------------------------------------------------------------------------- */

static void a_version_answers_what_it_is_sure_of(void **state)
{
        const struct deskbell_answers *table = deskbell_answers();
        const char *text = NULL, *rule = NULL;

        (void)state;
        assert_true(strlen(table->name) <= 32);
        void *loaded = table->load(table->data, blob.bytes, blob.len, version);
        assert_non_null(loaded);
        assert_int_equal(1, table->answer(table->data, loaded, "When are you open?", NULL, &text, &rule));
        assert_string_equal("From 9 to 6.", text);
        assert_string_equal("faq opening", rule);
        assert_int_equal(1, table->answer(table->data, loaded, "I want my money back", "en-GB", &text, &rule));
        assert_string_equal("Within 30 days.", text);
        assert_int_equal(0, table->answer(table->data, loaded, "xyzzy plugh", NULL, &text, &rule));
        assert_int_equal(0, table->answer(table->data, loaded, "I want to talk to a person", NULL, &text, &rule));
        table->unload(table->data, loaded);
        table->unload(table->data, NULL);
}

static void what_is_not_that_version_whole_is_refused(void **state)
{
        const struct deskbell_answers *table = deskbell_answers();
        char other[65], *bytes = malloc(blob.len);

        (void)state;
        memcpy(other, version, sizeof(other));
        other[0] = other[0] == '0' ? '1' : '0';
        assert_null(table->load(table->data, blob.bytes, blob.len, other)); /* whole, but another one */
        assert_null(table->load(table->data, "", 0, version));
        for (size_t len = 0; len < blob.len; len += 1 + blob.len / 97)
                assert_null(table->load(table->data, blob.bytes, len, version));
        for (size_t at = 0; at < blob.len; at += 1 + blob.len / 499) {
                memcpy(bytes, blob.bytes, blob.len);
                bytes[at] = (char)(bytes[at] ^ 0x20);
                assert_null(table->load(table->data, bytes, blob.len, version));
        }
        free(bytes);
}

/* ---- a server in a few lines: every call is answered at once, on the caller's thread
 * --------------------------------- */

static atomic_bool is_reachable;
static atomic_size_t given; /* bytes of the blob */
static sem_t told;
static deskbell_link *current;

static void say(deskbell_link *link, json_t *frame, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(deskbell_link *link, json_t *frame, const char *format, ...)
{
        char *result = NULL, *text = NULL;
        va_list args;

        va_start(args, format);
        assert_true(vasprintf(&result, format, args) >= 0);
        va_end(args);
        assert_true(asprintf(&text, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":%s}",
                             json_integer_value(json_object_get(frame, "id")), result) >= 0);
        deskbell_link_text(link, text, strlen(text));
        free(text);
        free(result);
}

static void give_piece(deskbell_link *link, json_t *frame)
{
        size_t offset = stage_number(frame, "offset") > 0 ? (size_t)stage_number(frame, "offset") : 0;
        size_t len = blob.len - offset < 49152 ? blob.len - offset : 49152;
        char *part = malloc(len * 4 / 3 + 8);

        EVP_EncodeBlock((unsigned char *)part, (const unsigned char *)blob.bytes + offset, (int)len);
        say(link, frame, "{\"version\":\"%s\",\"size\":%zu,\"offset\":%zu,\"part\":\"%s\"%s}", version, blob.len,
            offset, part, offset + len < blob.len ? ",\"more\":true" : "");
        free(part);
        given = offset + len;
        sem_post(&told);
}

static void on_send(void *data, deskbell_link *link, const char *bytes, size_t len)
{
        json_t *frame = json_loadb(bytes, len, 0, NULL);
        const char *method = json_string_value(json_object_get(frame, "method"));

        (void)data;
        if (strcmp(method, "session.open") == 0)
                say(link, frame,
                    "{\"principal\":\"" USER "\",\"epoch\":\"" EPOCH
                    "\",\"rev\":1,\"now\":1700000000000,\"protocol\":1,\"features\":[],\"limits\":{\"in_flight\":16,"
                    "\"frame_bytes\":65536,\"key_window_days\":90,\"retry_days\":30,\"heartbeat_ms\":25000,"
                    "\"dead_ms\":35000}}");
        else if (strcmp(method, "conversation.open") == 0)
                say(link, frame, "{\"row\":{\"conv\":\"" CONV "\",\"rev\":1,\"key\":\"main\",\"head\":0}}");
        else if (strcmp(method, "feed.read") == 0)
                say(link, frame, "{\"rows\":[],\"rev\":1}");
        else if (strcmp(method, "bot.offline") == 0)
                give_piece(link, frame);
        json_decref(frame);
}

static int on_open(void *data, const char *url, const char *subprotocol, size_t max_message_bytes, deskbell_link *link)
{
        (void)data;
        (void)url;
        (void)subprotocol;
        (void)max_message_bytes;
        if (!is_reachable)
                return -1;
        current = link;
        deskbell_link_opened(link);
        return 0;
}

static void on_close(void *data, deskbell_link *link, int code)
{
        (void)data;
        (void)code;
        current = NULL;
        deskbell_link_closed(link, 1000);
}

static void on_resume(void *data, deskbell_link *link)
{
        (void)data;
        (void)link;
}

static void on_stop(void *data)
{
        (void)data;
}

static const struct deskbell_transport transport = {.size = sizeof(transport),
                                                    .open = on_open,
                                                    .send = on_send,
                                                    .close = on_close,
                                                    .resume = on_resume,
                                                    .stop = on_stop};

/* ---- the application --------------------------------------------------------------------------------------------- */

static char folder[64];
static struct deskbell_options options;
static deskbell_client *client;
static deskbell_conversation *conversation;
static atomic_llong mono_ms;
static sem_t is_asking, may_answer;
static char last_text[256];
static atomic_bool is_online, is_queued, has_answer, blocks;
static atomic_int calls, unloads;
static pthread_t app;
static struct deskbell_answers spy; /* the real table, watched */

static int64_t now_ms(void *data)
{
        (void)data;
        return mono_ms;
}

static void note_call(void)
{
        calls++;
        assert_false(pthread_equal(app, pthread_self()));
}

static void *spy_load(void *data, const void *bytes, size_t len, const char *name)
{
        note_call();
        return deskbell_answers()->load(data, bytes, len, name);
}

static int spy_answer(void *data, void *loaded, const char *text, const char *locale, const char **out_text,
                      const char **out_rule)
{
        note_call();
        if (blocks) {
                sem_post(&is_asking);
                sem_wait(&may_answer);
        }
        return deskbell_answers()->answer(data, loaded, text, locale, out_text, out_rule);
}

static void spy_unload(void *data, void *loaded)
{
        unloads++;
        deskbell_answers()->unload(data, loaded);
}

static void on_state(deskbell_client *which, const struct deskbell_state *state, void *data)
{
        (void)which;
        (void)data;
        is_online = state->connection == DESKBELL_ONLINE && state->caught_up;
        sem_post(&told);
}

static void on_message(deskbell_client *which, const struct deskbell_message *message, void *data)
{
        (void)which;
        (void)data;
        is_queued |= message->state == DESKBELL_QUEUED;
        sem_post(&told);
}

static void on_answer(deskbell_client *which, const struct deskbell_device_answer *answer, void *data)
{
        (void)data;
        assert_ptr_equal(client, which);
        assert_ptr_equal(conversation, answer->conversation);
        assert_string_equal(version, answer->version);
        snprintf(last_text, sizeof(last_text), "%s", answer->text);
        has_answer = true;
        sem_post(&told);
}

static int set_up(void **state)
{
        (void)state;
        stage_folder(folder);
        app = pthread_self();
        spy = *deskbell_answers();
        spy.load = spy_load;
        spy.answer = spy_answer;
        spy.unload = spy_unload;
        sem_init(&told, 0, 0);
        sem_init(&is_asking, 0, 0);
        sem_init(&may_answer, 0, 0);
        last_text[0] = '\0';
        calls = unloads = 0;
        blocks = false;
        is_reachable = true;
        is_online = is_queued = has_answer = false;
        given = 0;
        mono_ms = 1000;
        options = (struct deskbell_options)DESKBELL_OPTIONS_INIT;
        options.app = "app_0000000000001";
        options.token = "a.b.c";
        options.user = "ann";
        options.data_dir = folder;
        options.transport = &transport;
        options.mono_ms = now_ms;
        options.on_state = on_state;
        options.on_message = on_message;
        options.on_device_answer = on_answer;
        options.answers = &spy;
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        deskbell_close(client);
        client = NULL;
        sem_destroy(&told);
        sem_destroy(&is_asking);
        sem_destroy(&may_answer);
        return stage_folder_remove(folder);
}

/* Of the folder's first user's file: whether the version is whole in it. */
static bool has_version(void)
{
        char pattern[96], *aside = NULL;
        struct cache *cache = NULL;
        struct answers_record at = {0};
        glob_t found;

        snprintf(pattern, sizeof(pattern), "%s/*.deskbell", folder);
        assert_int_equal(0, glob(pattern, 0, NULL, &found));
        assert_int_equal(0, cache_open(found.gl_pathv[0], 1, &cache, &aside));
        assert_null(aside);
        bool has =
                cache_value_get(cache, "answers", &at, sizeof(at)) == sizeof(at) && at.whole.size == (int64_t)blob.len;
        cache_close(cache);
        globfree(&found);
        return has;
}

static void open_client(void)
{
        assert_int_equal(DESKBELL_OK, deskbell_open(&options, &client));
        assert_int_equal(DESKBELL_OK, deskbell_conversation_open(client, "main", &conversation));
}

/* The version is on the device, and the server is gone. */
static void fetch_and_lose(void)
{
        open_client();
        deskbell_connect(client);
        while (!is_online)
                sem_wait(&told);
        while (given < blob.len)
                sem_wait(&told);
        deskbell_close(client);
        client = NULL;
        assert_true(has_version());
        is_reachable = false;
        open_client();
}

static void ask(const char *text)
{
        struct deskbell_send_options how = DESKBELL_SEND_OPTIONS_INIT;

        how.wait_for_disk = 1;
        assert_int_equal(DESKBELL_OK, deskbell_send(conversation, text, &how, NULL));
        mono_ms += 2000;
        deskbell_tick(client);
}

static void await_answer(const char *text)
{
        while (!has_answer)
                sem_wait(&told);
        assert_string_equal(text, last_text);
}

static void the_table_is_called_on_the_clients_thread_while_no_lock_is_held(void **state)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;
        deskbell_conversation *other = NULL;

        (void)state;
        fetch_and_lose();
        blocks = true;
        ask("When are you open?");
        sem_wait(&is_asking);
        /* The bot thinks: whatever the application does meanwhile is done. */
        assert_int_equal(DESKBELL_OK, deskbell_status(client, &status));
        assert_int_equal(1, status.queued);
        assert_int_equal(DESKBELL_OK, deskbell_send(conversation, "hello?", NULL, NULL));
        assert_int_equal(DESKBELL_OK, deskbell_conversation_open(client, "other", &other));
        assert_int_equal(DESKBELL_OK, deskbell_network_changed(client));
        blocks = false;
        sem_post(&may_answer);
        await_answer("From 9 to 6.");
        assert_int_equal(2, calls); /* loaded, asked */
        deskbell_close(client);
        client = NULL;
        assert_int_equal(1, unloads);
}

static void sending_takes_no_longer_for_it(void **state)
{
        struct timespec before, after;

        (void)state;
        fetch_and_lose();
        clock_gettime(CLOCK_MONOTONIC, &before);
        assert_int_equal(DESKBELL_OK, deskbell_send(conversation, "When are you open?", NULL, NULL));
        clock_gettime(CLOCK_MONOTONIC, &after);
        long us = (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
        print_message("deskbell_send took %ld us\n", us);
        while (!is_queued)
                sem_wait(&told);
        assert_int_equal(0, calls); /* nothing was asked within it: when is for the clock to say */
        mono_ms += 2000;
        deskbell_tick(client);
        await_answer("From 9 to 6.");
}

static void nothing_is_left_of_it_after_a_log_out(void **state)
{
        char pattern[96];
        glob_t found;

        (void)state;
        fetch_and_lose();
        ask("When are you open?");
        await_answer("From 9 to 6.");
        assert_int_equal(DESKBELL_OK, deskbell_log_out(client, 1, NULL));
        client = NULL;
        assert_int_equal(1, unloads);
        snprintf(pattern, sizeof(pattern), "%s/*.deskbell*", folder);
        int rc = glob(pattern, 0, NULL, &found);
        assert_true(rc == GLOB_NOMATCH || (found.gl_pathc == 1 && strstr(found.gl_pathv[0], ".lock")));
        if (rc == 0)
                globfree(&found);
}

static void a_table_that_lacks_something_is_refused_and_staff_has_none(void **state)
{
        struct deskbell_answers table = spy;

        (void)state;
        options.answers = &table;
        for (int i = 0; i < 4; i++) {
                table = spy;
                if (i == 0)
                        table.size = 8;
                else if (i == 1)
                        table.load = NULL;
                else if (i == 2)
                        table.answer = NULL;
                else
                        table.unload = NULL;
                assert_int_equal(DESKBELL_E_INVALID, deskbell_open(&options, &client));
        }
        table = spy;
        options.token = NULL;
        options.agent_token = "agent";
        is_reachable = false;
        assert_int_equal(DESKBELL_OK, deskbell_open(&options, &client));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_version_answers_what_it_is_sure_of),
                cmocka_unit_test(what_is_not_that_version_whole_is_refused),
                T(the_table_is_called_on_the_clients_thread_while_no_lock_is_held),
                T(sending_takes_no_longer_for_it),
                T(nothing_is_left_of_it_after_a_log_out),
                T(a_table_that_lacks_something_is_refused_and_staff_has_none),
        };

        return cmocka_run_group_tests(tests, make_blob, free_blob);
}
