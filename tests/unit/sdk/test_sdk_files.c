/* SPDX-License-Identifier: Apache-2.0 */
/* The public calls for files with real threads and a transport of the test's own, which answers inside its functions:
 * WebSocket and HTTP. */
#include "stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/sha.h>

#define FILE_ID "f0000000000000000000000000000001"
enum { SIZE = 300000 };

static struct {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        int sent, failed, fetched, fetch_error, puts, is_online;
        bool keeps_http_waiting;
        deskbell_exchange *waiting;
        char tag[40], url[256], token[128];
        unsigned char bytes[SIZE];
        size_t have;
} seen;

static void change(int *count)
{
        pthread_mutex_lock(&seen.lock);
        ++*count;
        pthread_cond_broadcast(&seen.changed);
        pthread_mutex_unlock(&seen.lock);
}

static void wait_for(const int *count)
{
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 30;
        pthread_mutex_lock(&seen.lock);
        while (!*count)
                if (pthread_cond_timedwait(&seen.changed, &seen.lock, &until) == ETIMEDOUT)
                        break;
        int got = *count;
        pthread_mutex_unlock(&seen.lock);
        assert_true(got > 0);
}

/* ---- a server in a few lines ------------------------------------------------------------------------------------- */

static void answer(deskbell_link *link, json_t *frame, const char *result)
{
        char *text = NULL;

        assert_true(asprintf(&text, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":%s}",
                             json_integer_value(json_object_get(frame, "id")), result) > 0);
        deskbell_link_text(link, text, strlen(text));
        free(text);
}

static void on_send(void *data, deskbell_link *link, const char *bytes, size_t len)
{
        json_t *frame = json_loadb(bytes, len, 0, NULL);
        const char *method = json_string_value(json_object_get(frame, "method"));
        char result[512];

        (void)data;
        if (strcmp(method, "session.open") == 0)
                answer(link, frame,
                       "{\"principal\":\"" USER "\",\"epoch\":\"" EPOCH
                       "\",\"rev\":1,\"now\":1700000000000,\"protocol\":1,\"http_token\":\"" HTTP_TOKEN
                       "\",\"features\":[],\"limits\":{\"in_flight\":16,\"frame_bytes\":65536,\"key_window_days\":90,"
                       "\"retry_days\":30,\"heartbeat_ms\":25000,\"dead_ms\":35000}}");
        else if (strcmp(method, "conversation.open") == 0)
                answer(link, frame, "{\"row\":{\"conv\":\"" CONV "\",\"rev\":1,\"key\":\"main\",\"head\":0}}");
        else if (strcmp(method, "feed.read") == 0)
                answer(link, frame, "{\"rows\":[],\"rev\":1}");
        else if (strcmp(method, "upload.begin") == 0)
                answer(link, frame, "{\"file\":\"" FILE_ID "\",\"offset\":0,\"piece_bytes\":262144,\"expires\":1}");
        else if (strcmp(method, "message.send") == 0)
                answer(link, frame, "{\"seq\":1,\"ts\":1,\"conv\":\"" CONV "\"}");
        if (strcmp(method, "upload.end") == 0) {
                snprintf(result, sizeof(result), "{\"file\":\"%s\",\"size\":%d,\"media\":\"image/png\"}", FILE_ID,
                         SIZE);
                answer(link, frame, result);
        }
        json_decref(frame);
}

static const char *header_of(const struct deskbell_http_request *request, const char *name)
{
        for (size_t i = 0; i < request->headers_count; i++)
                if (strncmp(request->headers[i], name, strlen(name)) == 0)
                        return request->headers[i] + strlen(name);
        return "";
}

/* Takes a piece, or gives one. */
static int on_http(void *data, const struct deskbell_http_request *request, deskbell_exchange *exchange)
{
        struct deskbell_http_answer answered = {.size = sizeof(answered), .headers_count = 1};
        char line[96];
        const char *headers[] = {line};
        long long from = 0, to = 0;

        (void)data;
        answered.headers = headers;
        snprintf(seen.url, sizeof(seen.url), "%s", request->url);
        snprintf(seen.token, sizeof(seen.token), "%s", header_of(request, "Authorization: "));
        if (seen.keeps_http_waiting) {
                seen.waiting = exchange;
                change(&seen.puts);
                return 0;
        }
        if (strcmp(request->method, "PUT") == 0) {
                from = atoll(header_of(request, "Upload-Offset: "));
                assert_true((size_t)from + request->body_len <= SIZE);
                memcpy(seen.bytes + from, request->body, request->body_len);
                seen.have = (size_t)from + request->body_len;
                answered.status = 204;
                snprintf(line, sizeof(line), "upload-offset:%zu", seen.have); /* as other stacks write it */
        } else {
                assert_int_equal(2, sscanf(header_of(request, "Range: "), "bytes=%lld-%lld", &from, &to));
                answered.status = 206;
                answered.body = seen.bytes + from;
                answered.body_len = (size_t)(to - from + 1);
                snprintf(line, sizeof(line), "Content-Range: bytes %lld-%lld/%d", from, to, SIZE);
        }
        deskbell_http_done(exchange, &answered);
        return 0;
}

static void on_http_cancel(void *data, deskbell_exchange *exchange)
{
        (void)data;
        if (seen.waiting == exchange)
                deskbell_http_done(exchange, NULL);
        seen.waiting = NULL;
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

/* ---- the application --------------------------------------------------------------------------------------------- */

static void on_message(deskbell_client *client, const struct deskbell_message *message, void *data)
{
        (void)client;
        (void)data;
        if (message->state == DESKBELL_FAILED) {
                snprintf(seen.tag, sizeof(seen.tag), "%s", message->tag);
                change(&seen.failed);
        }
        if (message->state == DESKBELL_SENT)
                change(&seen.sent);
}

static void on_state(deskbell_client *client, const struct deskbell_state *state, void *data)
{
        (void)client;
        (void)data;
        if (state->connection == DESKBELL_ONLINE)
                change(&seen.is_online);
}

static void on_done(deskbell_client *client, int64_t fetch, int error, const char *path, void *data)
{
        (void)client;
        (void)fetch;
        (void)path;
        (void)data;
        seen.fetch_error = error;
        change(&seen.fetched);
}

static char folder[64];
static deskbell_client *client;
static deskbell_conversation *conv;
static struct deskbell_transport transport = {
        .size = sizeof(transport),
        .open = on_open,
        .send = on_send,
        .close = on_close,
        .resume = on_resume,
        .http = on_http,
        .http_cancel = on_http_cancel,
};

static void open_client(const char *data_dir)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;

        options.url = "wss://example.com:444/v1/ws";
        options.app = "app_0000000000009";
        options.token = "token";
        options.transport = &transport;
        options.data_dir = data_dir;
        options.store_key = stage_key();
        options.store_key_len = options.store_key ? 32 : 0;
        options.on_message = on_message;
        options.on_state = on_state;
        assert_int_equal(0, deskbell_open(&options, &client));
        assert_int_equal(0, deskbell_conversation_open(client, NULL, &conv));
        assert_int_equal(0, deskbell_connect(client));
}

static int set_up(void **state)
{
        (void)state;
        memset(&seen, 0, sizeof(seen));
        pthread_mutex_init(&seen.lock, NULL);
        pthread_cond_init(&seen.changed, NULL);
        transport.http = on_http;
        open_client(stage_folder(folder));
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        return deskbell_close(client);
}

static int send_one(const char *path, const void *bytes, size_t len)
{
        struct deskbell_file_source source = {.path = path, .bytes = bytes, .bytes_len = len, .name = "a.png"};
        struct deskbell_file_options options = DESKBELL_FILE_OPTIONS_INIT;

        options.files = &source;
        options.files_count = 1;
        return deskbell_send_file(conv, &options, NULL);
}

/* Files below the folder of copies. */
static int copies(void)
{
        char path[512];
        const struct dirent *found, *copy;
        int count = 0;
        DIR *all = opendir(folder);

        while ((found = readdir(all))) {
                snprintf(path, sizeof(path), "%s/%s", folder, found->d_name);
                DIR *dir = strstr(found->d_name, ".files") ? opendir(path) : NULL;
                while (dir && (copy = readdir(dir)))
                        count += copy->d_name[0] != '.';
                if (dir)
                        closedir(dir);
        }
        closedir(all);
        return count;
}

static unsigned char pattern[SIZE];

static void bytes_go_up_through_the_applications_http_and_come_back(void **state)
{
        struct deskbell_file file = {.id = FILE_ID, .size = SIZE};
        char path[128];
        struct stat info;

        (void)state;
        for (size_t i = 0; i < SIZE; i++)
                pattern[i] = (unsigned char)(i * 7 >> 3);
        assert_int_equal(0, send_one(NULL, pattern, SIZE));
        wait_for(&seen.sent);
        assert_string_equal("https://example.com:444/v1/files/" FILE_ID, seen.url);
        assert_string_equal("Bearer " HTTP_TOKEN, seen.token);
        assert_memory_equal(pattern, seen.bytes, SIZE);
        snprintf(path, sizeof(path), "%s/back.png", folder);
        SHA256(pattern, SIZE, file.sha256);
        assert_int_equal(0, deskbell_file_fetch(client, &file, path, NULL, on_done, NULL, NULL));
        wait_for(&seen.fetched);
        assert_int_equal(0, seen.fetch_error);
        assert_int_equal(0, stat(path, &info));
        assert_int_equal(SIZE, info.st_size);
        assert_int_equal(0, copies()); /* the thread did that before the fetch */
        file.sha256[0] ^= 1;
        seen.fetched = 0;
        snprintf(path, sizeof(path), "%s/wrong.png", folder);
        assert_int_equal(0, deskbell_file_fetch(client, &file, path, NULL, on_done, NULL, NULL));
        wait_for(&seen.fetched);
        assert_int_equal(DESKBELL_E_DAMAGED, seen.fetch_error);
        assert_int_equal(-1, stat(path, &info));
}

static void closing_answers_a_fetch_that_is_under_way_and_waits_for_the_transport(void **state)
{
        struct deskbell_file file = {.id = FILE_ID, .size = SIZE};
        char path[128];

        (void)state;
        seen.keeps_http_waiting = true;
        snprintf(path, sizeof(path), "%s/never", folder);
        assert_int_equal(0, deskbell_file_fetch(client, &file, path, NULL, on_done, NULL, NULL));
        wait_for(&seen.puts);
        assert_int_equal(0, deskbell_close(client));
        assert_int_equal(1, seen.fetched);
        assert_int_equal(DESKBELL_E_CANCELLED, seen.fetch_error);
        assert_null(seen.waiting);
        open_client(folder);
}

/* The one copy there is. */
static void find_copy(char path[512])
{
        char command[256];

        snprintf(command, sizeof(command), "ls %s/*.files/*", folder);
        FILE *names = popen(command, "r"); /* NOLINT(cert-env33-c): the folder's name is ours */
        assert_non_null(fgets(path, 512, names));
        pclose(names);
        path[strcspn(path, "\n")] = '\0';
}

static void a_sealed_copy_hides_the_bytes_and_fails_when_it_was_changed(void **state)
{
        static unsigned char copy[2 * SIZE];
        struct stat info;
        char path[512];

        (void)state;
        if (!stage_key())
                skip(); /* plain copies are known by size and time only */
        for (size_t i = 0; i < SIZE; i++)
                pattern[i] = (unsigned char)(i * 7 >> 3);
        assert_int_equal(0, deskbell_disconnect(client));
        assert_int_equal(0, send_one(NULL, pattern, SIZE));
        find_copy(path);
        int fd = open(path, O_RDWR);
        assert_int_equal(0, fstat(fd, &info));
        assert_int_equal(info.st_size, read(fd, copy, sizeof(copy)));
        for (size_t at = 0; at + 64 < SIZE; at += 64)
                assert_null(memmem(copy, (size_t)info.st_size, pattern + at, 64));
        copy[SIZE / 2] ^= 1;
        assert_int_equal(info.st_size, pwrite(fd, copy, (size_t)info.st_size, 0));
        const struct timespec times[2] = {info.st_atim, info.st_mtim};
        assert_int_equal(0, futimens(fd, times));
        close(fd);
        assert_int_equal(0, deskbell_connect(client));
        wait_for(&seen.failed);
        assert_string_equal("file_changed", seen.tag);
}

static void a_file_that_changes_after_it_was_queued_fails(void **state)
{
        char path[128];
        int fd;

        (void)state;
        assert_int_equal(0, deskbell_disconnect(client));
        snprintf(path, sizeof(path), "%s/mine.png", folder);
        fd = open(path, O_WRONLY | O_CREAT, 0600);
        assert_int_equal(SIZE, write(fd, pattern, SIZE));
        assert_int_equal(0, send_one(path, NULL, 0));
        assert_int_equal(1, write(fd, "!", 1));
        close(fd);
        assert_int_equal(0, deskbell_connect(client));
        wait_for(&seen.failed);
        assert_string_equal("file_changed", seen.tag);
}

static void what_cannot_be_sent_is_said_at_once_and_leaves_nothing(void **state)
{
        struct deskbell_file_options options = DESKBELL_FILE_OPTIONS_INIT;
        struct deskbell_file file = {.id = FILE_ID, .size = 0};

        (void)state;
        assert_int_equal(DESKBELL_E_NOT_FOUND, send_one("/nowhere/at/all", NULL, 0));
        assert_int_equal(DESKBELL_E_NOT_FOUND, send_one(folder, NULL, 0));
        assert_int_equal(DESKBELL_E_INVALID, send_one("/dev/null", "x", 1));
        assert_int_equal(DESKBELL_E_INVALID, send_one(NULL, "x", 0));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_send_file(conv, &options, NULL));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_send_file(NULL, &options, NULL));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_file_fetch(client, &file, "x", NULL, on_done, NULL, NULL));
        assert_int_equal(DESKBELL_E_NOT_FOUND, deskbell_file_fetch_cancel(client, 77));
        assert_int_equal(DESKBELL_E_NOT_FOUND, deskbell_upload_cancel(client, "00000000000000000000000000000001"));
        assert_int_equal(DESKBELL_E_INVALID, deskbell_upload_pause(client, "not a cmid"));
        assert_int_equal(0, copies());
        struct deskbell_status status = DESKBELL_STATUS_INIT;
        deskbell_status(client, &status);
        assert_int_equal(0, status.queued);
}

static void without_http_or_a_folder_files_are_refused(void **state)
{
        struct deskbell_file file = {.id = FILE_ID, .size = 5};

        (void)state;
        assert_int_equal(0, deskbell_close(client));
        open_client(NULL);
        assert_int_equal(DESKBELL_E_STATE, send_one(NULL, "x", 1));
        assert_int_equal(0, deskbell_close(client));
        transport.http = NULL;
        open_client(folder);
        assert_int_equal(DESKBELL_E_STATE, send_one(NULL, "x", 1));
        assert_int_equal(DESKBELL_E_STATE, deskbell_file_fetch(client, &file, "x", NULL, on_done, NULL, NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        static const struct CMUnitTest tests[] = {
                TEST(bytes_go_up_through_the_applications_http_and_come_back),
                TEST(closing_answers_a_fetch_that_is_under_way_and_waits_for_the_transport),
                TEST(a_sealed_copy_hides_the_bytes_and_fails_when_it_was_changed),
                TEST(a_file_that_changes_after_it_was_queued_fails),
                TEST(what_cannot_be_sent_is_said_at_once_and_leaves_nothing),
                TEST(without_http_or_a_folder_files_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
