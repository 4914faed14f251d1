/* SPDX-License-Identifier: Apache-2.0 */
/* Sweep: a client's whole day, over and over: each time another allocation, or another write to the disk, fails. Calls
 * may refuse with what the header says; but at the end, with memory and disk as they should be, the server has each
 * message that was taken exactly once and none that was refused, the application was told the outcome of each once and
 * given each entry once and in order, whoever asked was answered once, and the cache reads as the server's log does.
 *
 * By default some of the moments of each kind, evenly spread; all of them with SWEEP_ALL=1, one with SWEEP_AT=n
 * (and the SWEEP_WIDTH-1 behind it). */
#include "served.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client-sdk/src/machine_private.h"
#include "faults.h"
#include "protocol/memory.h"

enum { CALLS = 40, RUNS = 40, TRIES = 3, ROUNDS = 3000 };

/* A message, edit or erasure as the application knows it. */
struct call {
        char cmid[33];
        bool is_taken, is_change;
        bool is_lost;                 /* told as FAILED: there was neither memory nor disk to keep it */
        int outcomes, first_outcomes; /* first: not told as "again" */
        enum deskbell_message_state outcome;
};

static struct stage s;
static struct served served;
static char folder[64], path[96], sent_path[96], copy_path[96], fetch_path[96];

static struct {
        const char *kind; /* of the fault, and when it comes: for messages */
        long at, width;
        long held; /* blocks of memory, before */
        deskbell_conversation *conv;
        struct call calls[CALLS];
        size_t calls_count;
        char epoch[17];
        int64_t last; /* entry given last */
        int64_t head; /* the highest one given in this epoch */
        int opened, asked_opened, owed, answered;
        bool is_token_wanted, was_reset;
        struct deskbell_state state;
        int64_t unread;
        int device_answers; /* told and not taken back */
        int found_here;     /* told at all */
} app;

#define CHECK(claim)                                                                                                   \
        do {                                                                                                           \
                if (!(claim))                                                                                          \
                        fail_msg("%s %ld, %ld wide: not so: %s", app.kind, app.at, app.width, #claim);                 \
        } while (0)

/* ---- the application ----------------------------------------------------------------------------------------------
 */

static void on_entry(const struct deskbell_entry *entry)
{
        CHECK(entry->conversation == app.conv);
        if (strcmp(entry->epoch, app.epoch) != 0) {
                CHECK(app.was_reset || !app.epoch[0]);
                app.last = 0;
                app.was_reset = false;
        }
        snprintf(app.epoch, sizeof(app.epoch), "%s", entry->epoch);
        CHECK(app.last == 0 || entry->number == app.last + 1);
        app.last = entry->number;
}

static void on_message(const struct deskbell_message *message)
{
        for (size_t i = 0; i < app.calls_count; i++) {
                struct call *call = &app.calls[i];
                if (strcmp(call->cmid, message->cmid) != 0)
                        continue;
                CHECK(call->is_taken);
                if (message->state != DESKBELL_SENT && message->state != DESKBELL_FAILED &&
                    message->state != DESKBELL_EXPIRED)
                        return;
                call->outcomes++;
                call->first_outcomes += !message->is_again;
                call->outcome = message->state;
                call->is_lost = message->state == DESKBELL_FAILED && strcmp(message->tag, "store") == 0;
                return;
        }
        CHECK(!"a message of nobody");
}

static void on_done(deskbell_client *client, int64_t fetch, int error, const char *at, void *data)
{
        (void)client;
        (void)fetch;
        (void)error;
        (void)at;
        (void)data;
}

static void on_history(deskbell_client *client, int error, const struct deskbell_entry *entries, size_t count,
                       int64_t head, int more, void *data)
{
        (void)client;
        (void)error;
        (void)entries;
        (void)count;
        (void)head;
        (void)more;
        (void)data;
}

static void on_found(deskbell_client *client, int error, const struct deskbell_found *found, size_t count,
                     const char *next, int is_cut, void *data)
{
        (void)client;
        (void)error;
        (void)found;
        (void)count;
        (void)next;
        (void)is_cut;
        (void)data;
}

static void on_history_answer(const struct event *event)
{
        app.answered++;
        CHECK(event->history.error <= 0);
        if (event->history.error)
                CHECK(event->history.count == 0);
        for (size_t i = 1; i < event->history.count; i++)
                CHECK(event->history.entries[i].number == event->history.entries[i - 1].number + 1);
}

static void on_event(const struct event *event)
{
        switch (event->kind) {
        case EVENT_ENTRY:
                on_entry(&event->entry);
                break;
        case EVENT_MESSAGE:
                on_message(&event->message);
                break;
        case EVENT_OPENED:
                app.opened++;
                CHECK(app.opened <= app.asked_opened);
                break;
        case EVENT_TOKEN:
                app.is_token_wanted = true;
                break;
        case EVENT_STATE:
                app.state.connection = event->state.connection;
                app.state.caught_up = event->state.caught_up;
                break;
        case EVENT_DEVICE_ANSWER:
                app.device_answers += event->found.is_taken_back ? -1 : event->found.is_again ? 0 : 1;
                app.found_here++;
                break;
        case EVENT_UNREAD:
                app.unread = event->unread;
                break;
        case EVENT_NOTICE:
                app.was_reset |= event->notice.notice == DESKBELL_NOTICE_RESET;
                break;
        case EVENT_HISTORY:
                on_history_answer(event);
                break;
        case EVENT_SEARCH:
        case EVENT_FETCHED:
        case EVENT_PUSH:
                app.answered++;
                break;
        default:
                break;
        }
}

/* As the client's thread does it. */
static void hear(void)
{
        struct event *event;

        while ((event = event_list_pop(&s.events))) {
                on_event(event);
                if (event->told_pos) {
                        stage_begin(&s);
                        machine_told(s.machine, event->told_pos);
                        stage_end(&s);
                }
                event_free(event);
        }
        if (app.is_token_wanted) {
                stage_begin(&s);
                if (machine_set_token(s.machine, SERVED_TOKEN) == 0)
                        app.is_token_wanted = false;
                stage_end(&s);
        }
}

static bool is_quiet(void)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        machine_status(s.machine, &status);
        return status.is_caught_up && status.queued == 0 && !s.machine->fetches && !s.machine->searches &&
               !s.machine->histories && !s.machine->push.is_settling && !s.machine->push.is_wanted &&
               !machine_wants_to_give(s.machine) && s.machine->tell_again_ms == 0 &&
               app.last == (int64_t)json_array_size(served.log);
}

static void pass_time(void)
{
        int64_t wait = machine_next_ms(s.machine) - s.mono_ms;

        stage_pass(&s, wait < 0 ? 0 : wait > 10000 ? 10000 : wait);
        served_heartbeat(&served);
}

/* Until there is nothing more to do, or `ms` are over. */
static void settle(int64_t ms)
{
        int64_t until = s.mono_ms + ms;

        for (int round = 0; s.mono_ms < until; round++) {
                CHECK(round < ROUNDS);
                int done = served_round(&served);
                hear();
                if (done == 0 && is_quiet())
                        return;
                if (done == 0)
                        pass_time();
        }
}

/* ---- calls --------------------------------------------------------------------------------------------------------
 */

/* What the library's call would return; nothing but success, or one of the two that the faults can cause. */
static int end_call(int rc)
{
        int stored = stage_end(&s);

        rc = rc < 0 ? rc : stored;
        CHECK(rc == DESKBELL_OK || rc == DESKBELL_E_NOMEM || rc == DESKBELL_E_STORE);
        hear();
        return rc;
}

/* What is handed over is in the file soon, or told as FAILED. */
static bool end_hand_over(int rc)
{
        stage_end(&s);
        CHECK(rc == DESKBELL_OK || rc == DESKBELL_E_NOMEM || rc == DESKBELL_E_STORE);
        if (rc < 0)
                app.calls[app.calls_count - 1].is_taken = false;
        hear();
        return rc == 0;
}

static struct call *call_new(bool is_change, struct cmid *out_cmid)
{
        struct call *call = &app.calls[app.calls_count++];

        CHECK(app.calls_count < CALLS);
        memset(call, 0, sizeof(*call));
        *out_cmid = machine_cmid(s.machine, s.wall_ms);
        cmid_write(call->cmid, out_cmid);
        call->is_change = is_change;
        call->is_taken = true; /* told of during the call, perhaps */
        return call;
}

static void send_text(const char *text)
{
        for (int i = 0; i < TRIES; i++) {
                struct message_options options = {0};
                struct call *call = call_new(false, &options.cmid);

                stage_begin(&s);
                call->is_taken = end_hand_over(stage_hand_send(&s, app.conv, text, &options));
                if (call->is_taken)
                        return;
        }
}

static void rate(int64_t number, int score, const char *comment)
{
        struct deskbell_rating rating = {.size = sizeof(rating), .score = score, .said = comment, .wants_contact = -1};

        for (int i = 0; i < TRIES; i++) {
                struct message_options options = {0};
                struct call *call = call_new(false, &options.cmid);

                stage_begin(&s);
                call->is_taken = end_hand_over(stage_hand_rating(&s, app.conv, number, &rating, &options));
                if (call->is_taken)
                        return;
        }
}

/* Of the own message that reads `text`, when the client has its place. */
static void change_text(const char *text, const char *changed)
{
        size_t at;
        json_t *entry;

        json_array_foreach(served.log, at, entry) {
                const char *is = json_string_value(json_object_get(entry, "text"));
                struct message_options options = {0};

                if (!is || strcmp(is, text) != 0 || app.last < (int64_t)at + 1)
                        continue;
                struct call *call = call_new(true, &options.cmid);
                stage_begin(&s);
                int rc = changed ? stage_hand_edit(&s, app.conv, (int64_t)at + 1, 1, changed, &options)
                                 : stage_hand_erase(&s, app.conv, (int64_t)at + 1, &options);
                call->is_taken = end_hand_over(rc);
                return;
        }
}

static void write_file(const char *where, const char *bytes, size_t len)
{
        FILE *file = fopen(where, "w");

        assert_non_null(file);
        assert_int_equal(len, fwrite(bytes, 1, len, file));
        assert_int_equal(0, fclose(file));
}

static void send_files(void)
{
        struct file_source files[] = {
                {.path = sent_path, .name = "sent.txt", .media = "text/plain"},
                {.path = copy_path, .name = "copy.txt", .media = "text/plain", .is_copy = true},
        };
        struct stat info;

        write_file(sent_path, "what was sent", 13);
        write_file(copy_path, "what was copied", 15);
        for (size_t i = 0; i < 2; i++) {
                assert_int_equal(0, stat(files[i].path, &info));
                files[i].size = info.st_size;
                files[i].mtime_ns = (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec;
        }
        for (int i = 0; i < TRIES; i++) {
                struct message_options options = {0};
                struct call *call = call_new(false, &options.cmid);

                stage_begin(&s);
                call->is_taken = end_hand_over(stage_hand_files(&s, app.conv, files, 2, "files", &options));
                if (call->is_taken)
                        return;
        }
}

static void ask(void)
{
        struct deskbell_history_options page = DESKBELL_HISTORY_OPTIONS_INIT;
        struct deskbell_search_options words = DESKBELL_SEARCH_OPTIONS_INIT;
        struct deskbell_file file = {.id = SERVED_FILE, .name = "f", .media = "text/plain", .size = SERVED_FILE_BYTES};
        struct deskbell_status status = DESKBELL_STATUS_INIT;
        int64_t fetch;

        SHA256((const uint8_t *)served_file(), SERVED_FILE_BYTES, file.sha256);
        stage_begin(&s);
        int rc = machine_fetch(s.machine, &file, fetch_path, NULL, on_done, NULL, &fetch);
        app.owed += rc == 0; /* it is not in the file, and goes on when the turn fails */
        end_call(rc);
        machine_status(s.machine, &status);
        if (!status.is_online)
                return;
        page.before = 20;
        page.from_server = 1;
        stage_begin(&s);
        rc = machine_history(s.machine, app.conv, &page, on_history, NULL);
        app.owed += rc == 0;
        end_call(rc);
        stage_begin(&s);
        rc = s.machine->state == SESSION_OPEN ? machine_search(s.machine, "lamp", &words, on_found, NULL) : -1;
        app.owed += rc == 0;
        end_call(rc == -1 ? 0 : rc);
}

static void open_conv(void)
{
        app.conv = NULL;
        app.last = 0;
        app.epoch[0] = '\0';
        for (int i = 0; i < 10 * TRIES && !app.conv; i++) {
                deskbell_conversation *conv = NULL;

                stage_begin(&s);
                int rc = machine_conv_open(s.machine, SPAN("main"), &conv);
                app.asked_opened++;
                int stored = stage_end(&s);
                rc = rc < 0 ? rc : stored;
                CHECK(rc == DESKBELL_OK || rc == DESKBELL_E_NOMEM || rc == DESKBELL_E_STORE);
                app.conv = rc == 0 ? conv : NULL;
                app.asked_opened -= rc != 0;
                hear();
        }
        CHECK(app.conv != NULL);
}

static void close_conv(void)
{
        stage_begin(&s);
        machine_conv_close(s.machine, app.conv);
        stage_end(&s);
        app.opened = app.asked_opened; /* it owes no end any more */
        hear();
}

static void open_client(void)
{
        for (int i = 0; i < 10 * TRIES && !s.machine; i++) {
                struct cache *cache = NULL;
                char *aside = NULL;
                int rc = cache_open(path, s.wall_ms, &cache, &aside);

                CHECK(!aside);
                if (rc == 0)
                        rc = machine_new(&s.settings, cache, s.mono_ms, s.wall_ms, &s.machine);
                CHECK(rc == DESKBELL_OK || rc == DESKBELL_E_NOMEM || rc == DESKBELL_E_STORE);
                if (rc < 0)
                        cache_close(cache);
        }
        CHECK(s.machine != NULL);
        stage_begin(&s);
        machine_connect(s.machine);
        stage_end(&s);
        open_conv();
}

static void lose_link(void)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        machine_status(s.machine, &status);
        if (status.is_online)
                stage_link_closes(&s, 1006);
        hear();
}

static void small_calls(void)
{
        bool is_news = false;

        stage_begin(&s);
        machine_mark_read(s.machine, app.conv, 10);
        end_call(0);
        stage_begin(&s);
        machine_typing(s.machine, app.conv);
        end_call(0);
        stage_begin(&s);
        end_call(machine_set_push(s.machine, DESKBELL_PUSH_FCM, "token-of-the-platform"));
        stage_begin(&s);
        bool was_settling = s.machine->push.is_settling;
        int rc = machine_push_received(s.machine, 3, 100000, &is_news);
        app.owed += rc == 0 && is_news && !was_settling;
        stage_end(&s);
        hear();
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"typing\",\"params\":{\"conv\":\"" CONV "\",\"author\":\"" AGENT
                      "\"}}");
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"presence\",\"params\":{\"team\":\"away\"}}");
}

/* What is found on this device while there is no session, and an answer of the server. */
static void answer_here(void)
{
        struct answers_task *task;

        stage_begin(&s);
        machine_disconnect(s.machine);
        stage_end(&s);
        s.wall_ms += 4 * INT64_C(86400000); /* no agent has written lately */
        send_text("may I have it back?");
        stage_pass(&s, ANSWERS_AFTER_MS);
        while ((task = machine_answers_take(s.machine))) {
                if (task->question)
                        task->text = memory_text("30 days"); /* without memory there is none */
                stage_begin(&s);
                machine_answers_done(s.machine, task);
                stage_end(&s);
                hear();
        }
        for (int i = 0; i < TRIES && s.machine->state == SESSION_IDLE; i++) {
                stage_begin(&s);
                machine_connect(s.machine);
                stage_end(&s);
        }
        settle(3600000); /* however long the disk fails: the server answers what it has */
        served_write(&served, "30 days, as the page says");
        settle(120000);
}

/* ---- the day ------------------------------------------------------------------------------------------------------
 */

static void day(void)
{
        open_client();
        settle(120000);
        send_text("one");
        send_text("two");
        send_text("three");
        settle(120000);
        served_write(&served, "hello");
        served_edit(&served, 1, "changed");
        served_erase(&served, 2);
        settle(120000);
        change_text("one", "one, changed");
        change_text("two", NULL);
        settle(120000);
        send_files();
        ask();
        settle(120000);
        int64_t survey = served_ask(&served);
        settle(120000);
        rate(survey, 2, NULL);
        settle(120000);
        small_calls();
        lose_link();
        send_text("written offline");
        rate(survey, 4, "rated offline");
        stage_begin(&s);
        machine_network_changed(s.machine);
        stage_end(&s);
        settle(120000);
        close_conv();
        served_write(&served, "while it was closed");
        stage_pass(&s, 1000);
        open_conv();
        settle(120000);
        send_text("the restored server has lost this");
        settle(120000);
        served_lose_last(&served, NEW_EPOCH);
        lose_link();
        settle(120000);
        stage_kill(&s);
        open_client();
        settle(120000);
        answer_here();
}

/* ---- what has to be true ------------------------------------------------------------------------------------------
 */

static int times_in_log(const char *cmid)
{
        int times = 0;
        size_t at;
        json_t *entry;

        json_array_foreach(served.log, at, entry) {
                const char *is = json_string_value(json_object_get(entry, "cmid"));
                times += is && strcmp(is, cmid) == 0;
        }
        return times;
}

static void check_calls(void)
{
        for (size_t i = 0; i < app.calls_count; i++) {
                const struct call *call = &app.calls[i];

                CHECK(times_in_log(call->cmid) == (call->is_taken && !call->is_lost ? 1 : 0));
                CHECK(call->is_taken ? call->outcomes >= 1 : call->outcomes == 0);
                CHECK(call->first_outcomes <= 1);
                CHECK(!call->is_taken || call->is_lost || call->outcome == DESKBELL_SENT);
        }
}

static bool compare_one(void *data, const struct cached_entry *row)
{
        int64_t *count = data;
        json_t *entry = json_array_get(served.log, (size_t)row->number - 1);
        json_t *cached = json_loadb(row->body.at, row->body.len, 0, NULL);
        static const char *const fields[] = {"kind", "text", "cmid", "author", "edited", "survey", "rated"};

        CHECK(entry && cached);
        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
                json_t *want = json_object_get(entry, fields[i]), *is = json_object_get(cached, fields[i]);
                CHECK((want == NULL && is == NULL) || json_equal(want, is));
        }
        json_decref(cached);
        ++*count;
        return true;
}

static void check_cache(void)
{
        const struct cached_place *at = &app.conv->place[0].at;
        int64_t count = 0;

        CHECK(at->cursor == (int64_t)json_array_size(served.log) && at->low >= 1);
        cache_entries(stage_cache(&s), app.conv->row, 0, at->low, at->cursor, 100000, false, compare_one, &count);
        CHECK(count == at->cursor - at->low + 1);
}

static void check_end(void)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        machine_status(s.machine, &status);
        CHECK(is_quiet());
        CHECK(status.queued == 0 && status.failed == 0);
        CHECK(app.state.connection == DESKBELL_ONLINE && app.state.caught_up);
        CHECK(app.unread == status.unread);
        CHECK(app.opened == app.asked_opened);
        CHECK(app.answered == app.owed);
        CHECK(app.device_answers == 0);
        CHECK(app.at > 0 || app.found_here == 2);
        check_calls();
        check_cache();
        /* Who has no memory to remove a copy leaves it to the next start. */
        CHECK(access(copy_path, F_OK) != 0 || !machine_knows_copy(s.machine, copy_path));
}

static void one_run(enum fault_source source, const char *kind, long at, long width)
{
        snprintf(path, sizeof(path), "%s/file", stage_folder(folder));
        snprintf(sent_path, sizeof(sent_path), "%s/sent", folder);
        snprintf(copy_path, sizeof(copy_path), "%s/copy", folder);
        snprintf(fetch_path, sizeof(fetch_path), "%s/fetched", folder);
        memset(&app, 0, sizeof(app));
        app.kind = kind;
        app.at = at;
        app.width = width;
        app.held = faults_held();
        stage_init(&s, path);
        s.settings.asks_for_token = true;
        s.settings.cache_max_entries = 60;
        s.settings.has_answers = true;
        served_init(&served, &s);
        for (int i = 0; i < 70; i++)
                served_write_before(&served, "before");
        faults_arm(source, at, width);
        day();
        long seen = faults_seen();
        faults_arm(FAULT_NONE, 0, 0);
        settle(3600000);
        check_end();
        stage_done(&s);
        served_done(&served);
        CHECK(faults_held() == app.held);
        assert_int_equal(0, stage_folder_remove(folder));
        app.at = seen;
}

static void sweep(enum fault_source source, const char *kind)
{
        one_run(source, kind, 0, 0);
        long all = app.at;
        long step = getenv("SWEEP_ALL") || all < RUNS ? 1 : all / RUNS;

        if (getenv("SWEEP_AT")) {
                one_run(source, kind, atol(getenv("SWEEP_AT")),
                        getenv("SWEEP_WIDTH") ? atol(getenv("SWEEP_WIDTH")) : 1);
                return;
        }
        print_message("%s: %ld moments, each %ld.\n", kind, all, step);
        assert_true(all > 50);
        for (long at = 1; at <= all; at += step) {
                one_run(source, kind, at, 1);
                if ((at / step) % 4 == 0)
                        one_run(source, kind, at, 25);
        }
}

/* ---- the file is set aside, and the user leaves ---------------------------------------------------------------------
 */

static void begin_run(const char *kind, long at, long width)
{
        snprintf(path, sizeof(path), "%s/file", stage_folder(folder));
        memset(&app, 0, sizeof(app));
        app.kind = kind;
        app.at = at;
        app.width = width;
        app.held = faults_held();
        stage_init(&s, path);
        s.settings.token = SERVED_TOKEN;
        served_init(&served, &s);
}

static void end_run(void)
{
        stage_done(&s);
        served_done(&served);
        CHECK(faults_held() == app.held);
        assert_int_equal(0, stage_folder_remove(folder));
}

/* A library of tomorrow was here, and its tables are those we know: it is set aside, and its queue is taken over. */
static void make_newer(void)
{
        static const char version[] = {0, 0, 0, 99};
        FILE *file = fopen(path, "r+");

        assert_non_null(file);
        assert_int_equal(0, fseek(file, 60, SEEK_SET)); /* PRAGMA user_version */
        assert_int_equal(sizeof(version), fwrite(version, 1, sizeof(version), file));
        assert_int_equal(0, fclose(file));
}

static bool open_machine(void)
{
        struct cache *cache = NULL;
        char *aside = NULL;
        int rc;

        s.wall_ms += 1000;
        rc = cache_open(path, s.wall_ms, &cache, &aside);
        if (rc == 0)
                rc = machine_new(&s.settings, cache, s.mono_ms, s.wall_ms, &s.machine);
        CHECK(rc == DESKBELL_OK || rc == DESKBELL_E_NOMEM || rc == DESKBELL_E_STORE);
        memory_free(aside);
        if (rc < 0)
                cache_close(cache);
        return rc == 0;
}

/* Three messages wait in a file that is to be set aside; opening it saves them, or fails and saves them later. */
static long rescue_run(enum fault_source source, const char *kind, long at, long width)
{
        long seen;

        begin_run(kind, at, width);
        CHECK(open_machine());
        open_conv();
        send_text("one");
        send_text("two");
        send_text("three");
        stage_kill(&s);
        make_newer();
        faults_arm(source, at, width);
        open_machine();
        seen = faults_seen();
        faults_arm(FAULT_NONE, 0, 0);
        for (int i = 0; i < TRIES && !s.machine; i++)
                open_machine();
        CHECK(s.machine != NULL);
        stage_begin(&s);
        machine_connect(s.machine);
        stage_end(&s);
        open_conv();
        settle(600000);
        for (size_t i = 0; i < app.calls_count; i++)
                CHECK(times_in_log(app.calls[i].cmid) == 1);
        end_run();
        return seen;
}

/* After log-out nothing of the user is left, or that is said and wiping once more does it. */
static long leaving_run(enum fault_source source, const char *kind, long at, long width)
{
        int wiped = 1;
        char wal[112];
        long seen;

        begin_run(kind, at, width);
        CHECK(open_machine());
        open_conv();
        send_text("one");
        faults_arm(source, at, width);
        stage_begin(&s);
        int rc = machine_begin_log_out(s.machine, false);
        CHECK(rc == DESKBELL_E_UNSENT);
        stage_end(&s);
        stage_begin(&s);
        rc = machine_begin_log_out(s.machine, true);
        CHECK(rc == DESKBELL_OK);
        stage_end(&s);
        machine_wipe_at_close(s.machine, path, &wiped);
        stage_kill(&s);
        seen = faults_seen();
        faults_arm(FAULT_NONE, 0, 0);
        CHECK(wiped == DESKBELL_OK || wiped == DESKBELL_E_STORE);
        if (wiped < 0)
                CHECK(cache_wipe(path) == 0);
        snprintf(wal, sizeof(wal), "%s-wal", path);
        CHECK(access(path, F_OK) != 0 && access(wal, F_OK) != 0);
        end_run();
        return seen;
}

static void sweep_runs(long (*run)(enum fault_source source, const char *kind, long at, long width))
{
        static const struct {
                enum fault_source source;
                const char *kind;
        } sources[] = {
                {FAULT_MEMORY, "allocation"}, {FAULT_SQLITE_MEMORY, "allocation of SQLite"}, {FAULT_DISK, "write"}};

        for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
                long all = run(sources[i].source, sources[i].kind, 0, 0);
                long step = getenv("SWEEP_ALL") || all < RUNS ? 1 : all / RUNS;

                print_message("%s: %ld moments, each %ld.\n", sources[i].kind, all, step);
                assert_true(all > 0);
                for (long at = 1; at <= all; at += step)
                        run(sources[i].source, sources[i].kind, at, 1);
        }
}

static void whatever_fails_while_a_file_is_set_aside_its_queue_is_saved(void **state)
{
        (void)state;
        sweep_runs(rescue_run);
}

static void whatever_fails_at_log_out_nothing_is_left_or_that_is_said(void **state)
{
        (void)state;
        sweep_runs(leaving_run);
}

static void whichever_allocation_fails_everything_arrives_once(void **state)
{
        (void)state;
        sweep(FAULT_MEMORY, "allocation");
}

static void whichever_allocation_of_sqlite_fails_everything_arrives_once(void **state)
{
        (void)state;
        sweep(FAULT_SQLITE_MEMORY, "allocation of SQLite");
}

static void whichever_write_to_the_disk_fails_everything_arrives_once(void **state)
{
        (void)state;
        sweep(FAULT_DISK, "write");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(whichever_allocation_fails_everything_arrives_once),
                cmocka_unit_test(whichever_allocation_of_sqlite_fails_everything_arrives_once),
                cmocka_unit_test(whichever_write_to_the_disk_fails_everything_arrives_once),
                cmocka_unit_test(whatever_fails_while_a_file_is_set_aside_its_queue_is_saved),
                cmocka_unit_test(whatever_fails_at_log_out_nothing_is_left_or_that_is_said),
        };

        faults_init();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
