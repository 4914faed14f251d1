/* SPDX-License-Identifier: Apache-2.0 */
/* Stage: see stage.h. */
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client-sdk/src/machine_private.h"
#include "protocol/memory.h"

static void roll(void *data, void *bytes, size_t len)
{
        struct stage *stage = data;
        uint64_t value = stage->dice;

        memset(bytes, 0, len);
        /* Long ones (cmids, devices) differ in their last bytes: some of the first bits are not used. */
        size_t at = len > sizeof(value) ? len - sizeof(value) : 0;
        if (at)
                value <<= 16;
        memcpy((char *)bytes + at, &value, len - at);
        if (stage->is_rising)
                stage->dice++;
}

static void take_log(void *data, enum deskbell_level level, const char *line)
{
        (void)data;
        if (getenv("STAGE_LOG"))
                fprintf(stderr, "log %d: %s\n", (int)level, line);
}

const uint8_t *stage_key(void)
{
        static const uint8_t key[32] = "a key that only the tests have.";

        return getenv("STAGE_SEALED") ? key : NULL;
}

int stage_cache_open(const char *path, int64_t wall_ms, struct cache **out_cache, char **out_set_aside)
{
        return cache_open_sealed(path, stage_key(), wall_ms, out_cache, out_set_aside);
}

struct cache *stage_cache(struct stage *stage)
{
        return stage->machine->cache;
}

void stage_init(struct stage *stage, const char *path)
{
        *stage = (struct stage){.path = path, .mono_ms = 1000, .wall_ms = 1700000000000, .dice = 1, .is_rising = true};
        stage->settings = (struct machine_settings){
                .app = 9,
                .token = "token-1",
                .client_name = "stage",
                .client_version = "1",
                .with_team_log = true,
                .first_page = 50,
                .snapshot = 50,
                .random = roll,
                .log = take_log,
                .data = stage,
        };
        stage->frames = json_array();
}

static void look(struct stage *stage)
{
        struct machine_frame *frame;
        int code;
        enum machine_wish wish = machine_wish(stage->machine, &code);

        if (wish != WISH_NOTHING) {
                stage->wish = wish;
                stage->wish_code = code;
                stage->opens += wish == WISH_OPEN;
                stage->closes += wish == WISH_CLOSE;
                json_array_clear(stage->frames);
        }
        while ((frame = machine_frame_take(stage->machine))) {
                json_t *root = json_loadb(frame->bytes, frame->len, JSON_REJECT_DUPLICATES, NULL);
                assert_non_null(root);
                json_array_append_new(stage->frames, root);
                memory_free(frame);
        }
        event_list_move(&stage->events, machine_events(stage->machine));
        for (struct job *job, **at = &stage->jobs; (job = machine_job_take(stage->machine));) {
                while (*at)
                        at = &(*at)->next;
                *at = job;
        }
}

static void drop_jobs(struct stage *stage)
{
        while (stage->jobs) {
                struct job *job = stage->jobs;
                stage->jobs = job->next;
                job_free(job);
        }
}

struct job *stage_job(struct stage *stage, enum job_kind kind)
{
        struct job *job = stage->jobs;

        if (!job)
                fail_msg("nothing is to be done, awaited a job of kind %d", (int)kind);
        assert_int_equal(kind, job->kind);
        stage->jobs = job->next;
        job->next = NULL;
        return job;
}

bool stage_has_no_job(struct stage *stage)
{
        return !stage->jobs;
}

void stage_job_done(struct stage *stage, struct job *job)
{
        stage_begin(stage);
        machine_job_done(stage->machine, job);
        stage_end(stage);
}

void stage_open(struct stage *stage)
{
        struct cache *cache = NULL;
        char *aside = NULL;

        assert_int_equal(0, stage_cache_open(stage->path, stage->wall_ms, &cache, &aside));
        assert_null(aside);
        assert_int_equal(0, machine_new(&stage->settings, cache, stage->mono_ms, stage->wall_ms, &stage->machine));
        handover_settle(&stage->handover, stage->machine);
        look(stage);
}

void stage_kill(struct stage *stage)
{
        json_array_clear(stage->frames);
        event_list_clear(&stage->events);
        drop_jobs(stage);
        handover_clear(&stage->handover);
        stage->handover = (struct handover){0};
        machine_free(stage->machine);
        stage->machine = NULL;
        stage->wish = WISH_NOTHING;
}

void stage_done(struct stage *stage)
{
        if (stage->machine)
                stage_kill(stage);
        json_decref(stage->frames);
}

void stage_begin(struct stage *stage)
{
        machine_begin(stage->machine, stage->mono_ms, stage->wall_ms, true);
}

int stage_end(struct stage *stage)
{
        int rc;

        if (machine_wants_to_give(stage->machine))
                machine_give(stage->machine, 100000);
        machine_take(stage->machine, handover_take(&stage->handover));
        rc = machine_end(stage->machine);
        handover_settle(&stage->handover, stage->machine);
        look(stage);
        return rc;
}

void stage_pass(struct stage *stage, int64_t ms)
{
        stage->mono_ms += ms;
        stage->wall_ms += ms;
        stage_begin(stage);
        machine_time(stage->machine);
        stage_end(stage);
}

void stage_link_opens(struct stage *stage)
{
        assert_int_equal(WISH_OPEN, stage->wish);
        stage->wish = WISH_NOTHING;
        stage_begin(stage);
        machine_link_opened(stage->machine);
        stage_end(stage);
}

void stage_connect(struct stage *stage)
{
        stage_begin(stage);
        machine_connect(stage->machine);
        stage_end(stage);
        stage_link_opens(stage);
}

void stage_link_closes(struct stage *stage, int code)
{
        json_array_clear(stage->frames);
        stage_begin(stage);
        machine_link_closed(stage->machine, code);
        stage_end(stage);
}

static void say(struct stage *stage, char *text)
{
        stage_begin(stage);
        machine_link_text(stage->machine, text, strlen(text));
        stage_end(stage);
        free(text);
}

void stage_say(struct stage *stage, const char *format, ...)
{
        char *text = NULL;
        va_list args;

        va_start(args, format);
        assert_true(vasprintf(&text, format, args) >= 0);
        va_end(args);
        say(stage, text);
}

json_t *stage_take(struct stage *stage, const char *method)
{
        json_t *frame = json_incref(json_array_get(stage->frames, 0));

        if (!frame)
                fail_msg("nothing was sent, awaited %s", method);
        assert_string_equal(method, json_string_value(json_object_get(frame, "method")));
        json_array_remove(stage->frames, 0);
        return frame;
}

json_t *stage_find(struct stage *stage, const char *method)
{
        size_t at;
        json_t *frame;

        json_array_foreach(stage->frames, at, frame) {
                if (strcmp(json_string_value(json_object_get(frame, "method")), method) == 0) {
                        json_incref(frame);
                        json_array_remove(stage->frames, at);
                        return frame;
                }
        }
        return NULL;
}

json_t *stage_asked(struct stage *stage, const char *method)
{
        json_t *frame = stage_find(stage, method);

        if (!frame)
                fail_msg("%s was not asked", method);
        return frame;
}

bool stage_is_silent(struct stage *stage)
{
        if (json_array_size(stage->frames) == 0)
                return true;
        char *text = json_dumps(json_array_get(stage->frames, 0), 0);
        print_message("sent: %s\n", text);
        free(text);
        return false;
}

void stage_answer(struct stage *stage, json_t *request, const char *format, ...)
{
        char *result = NULL, *text = NULL;
        va_list args;

        va_start(args, format);
        assert_true(vasprintf(&result, format, args) >= 0);
        va_end(args);
        assert_true(asprintf(&text, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":%s}",
                             json_integer_value(json_object_get(request, "id")), result) > 0);
        free(result);
        json_decref(request);
        say(stage, text);
}

void stage_refuse(struct stage *stage, json_t *request, const char *tag, bool permanent, int retry_after_ms)
{
        char after[48] = "", *text = NULL;

        if (retry_after_ms >= 0)
                snprintf(after, sizeof(after), ",\"retry_after_ms\":%d", retry_after_ms);
        assert_true(asprintf(&text,
                             "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"error\":{\"code\":23,\"message\":\"no\",\"data\":"
                             "{\"tag\":\"%s\",\"class\":\"%s\"%s}}}",
                             json_integer_value(json_object_get(request, "id")), tag, permanent ? "permanent" : "retry",
                             after) > 0);
        json_decref(request);
        say(stage, text);
}

void stage_log_in(struct stage *stage, const char *epoch, int64_t rev, const char *more)
{
        json_t *request = stage_take(stage, "session.open");
        const char *who = stage->settings.is_staff ? AGENT : USER;

        stage_answer(stage, request,
                     "{\"principal\":\"%s\",\"epoch\":\"%s\",\"rev\":%lld,\"now\":%lld,\"protocol\":1,\"features\":[],"
                     "\"http_token\":\"" HTTP_TOKEN "\","
                     "\"limits\":{\"in_flight\":16,\"frame_bytes\":65536,\"key_window_days\":90,\"retry_days\":30,"
                     "\"heartbeat_ms\":25000,\"dead_ms\":35000}%s}",
                     who, epoch, (long long)rev, (long long)stage->wall_ms, more);
}

void stage_feed(struct stage *stage, int64_t rev, const char *rows)
{
        json_t *request = stage_find(stage, "feed.read");

        assert_non_null(request);
        stage_answer(stage, request, "{\"rows\":[%s],\"rev\":%lld}", rows, (long long)rev);
}

deskbell_conversation *stage_main(struct stage *stage, int head)
{
        deskbell_conversation *conv = NULL;
        char row[256], *entries = stage_entries(1, head);
        json_t *request;

        stage_begin(stage);
        assert_int_equal(0, machine_conv_open(stage->machine, SPAN("main"), &conv));
        stage_end(stage);
        stage_connect(stage);
        stage_log_in(stage, EPOCH, 1, "");
        snprintf(row, sizeof(row), "{\"conv\":\"%s\",\"rev\":1,\"key\":\"main\",\"head\":%d}", CONV, head);
        stage_feed(stage, 1, row);
        request = stage_find(stage, "conversation.open");
        if (request)
                stage_answer(stage, request, "{\"row\":%s}", row);
        request = stage_find(stage, "entries.read");
        if (request)
                stage_answer(stage, request, "%s", entries);
        free(entries);
        json_array_clear(stage->frames);
        stage_drop_events(stage);
        return conv;
}

const char *stage_param(json_t *frame, const char *name)
{
        const char *value = json_string_value(json_object_get(json_object_get(frame, "params"), name));

        return value ? value : "";
}

int64_t stage_number(json_t *frame, const char *name)
{
        json_t *value = json_object_get(json_object_get(frame, "params"), name);

        return value ? json_integer_value(value) : -1;
}

char *stage_entry(int64_t seq, const char *author, const char *text)
{
        char *entry = NULL;

        assert_true(asprintf(&entry,
                             "{\"conv\":\"%s\",\"seq\":%lld,\"ts\":%lld,\"author\":\"%s\",\"cmid\":\"%032llx\","
                             "\"kind\":\"text\",\"text\":\"%s\"}",
                             CONV, (long long)seq, 1700000000000LL + seq, author, 0xc0000LL + seq, text) > 0);
        return entry;
}

char *stage_entries(int64_t first, int64_t last)
{
        size_t room = 256 * (size_t)(last - first + 2) + 256, len = 0;
        char *text = malloc(room);

        assert_non_null(text);
        len += (size_t)snprintf(text, room, "{\"head\":%lld,\"entries\":[", (long long)last);
        for (int64_t seq = first; seq <= last; seq++) {
                char *entry = stage_entry(seq, AGENT, "before");
                len += (size_t)snprintf(text + len, room - len, "%s%s", seq > first ? "," : "", entry);
                free(entry);
        }
        snprintf(text + len, room - len, "]}");
        return text;
}

struct event *stage_event(struct stage *stage, enum event_kind kind)
{
        struct event_list others = {0};
        struct event *event, *found = NULL;

        while ((event = event_list_pop(&stage->events))) {
                if (!found && event->kind == kind)
                        found = event;
                else
                        event_list_push(&others, event);
        }
        stage->events = others;
        return found;
}

void stage_drop_events(struct stage *stage)
{
        event_list_clear(&stage->events);
}

/* As client_hand_over. */
static int hand_over(struct stage *stage, int rc, struct handed *handed)
{
        if (rc == 0 && handed->is_named)
                rc = machine_has_message(stage->machine, &handed->row.cmid);
        if (rc == 0)
                rc = handover_put(&stage->handover, handed);
        if (rc < 0)
                handed_free(handed);
        return rc;
}

int stage_hand_send(struct stage *stage, deskbell_conversation *conv, const char *text,
                    const struct message_options *options)
{
        struct handed *handed = NULL;
        int rc = handed_send(conv, text, options, &handed);

        return hand_over(stage, rc, handed);
}

int stage_hand_edit(struct stage *stage, deskbell_conversation *conv, int64_t number, int64_t version, const char *text,
                    const struct message_options *options)
{
        struct handed *handed = NULL;
        int rc = handed_edit(conv, number, version, text, options, &handed);

        return hand_over(stage, rc, handed);
}

int stage_hand_rating(struct stage *stage, deskbell_conversation *conv, int64_t number,
                      const struct deskbell_rating *rating, const struct message_options *options)
{
        struct handed *handed = NULL;
        int rc = handed_rating(conv, number, rating, options, &handed);

        return hand_over(stage, rc, handed);
}

int stage_hand_erase(struct stage *stage, deskbell_conversation *conv, int64_t number,
                     const struct message_options *options)
{
        struct handed *handed = NULL;
        int rc = handed_erase(conv, number, options, &handed);

        return hand_over(stage, rc, handed);
}

int stage_hand_files(struct stage *stage, deskbell_conversation *conv, const struct file_source *files, size_t count,
                     const char *text, const struct message_options *options)
{
        struct handed *handed = NULL;
        int rc = handed_files(conv, files, count, text, options, &handed);

        return hand_over(stage, rc, handed);
}

int stage_hand_retry(struct stage *stage, const struct cmid *cmid, struct cmid *out_cmid)
{
        struct handed *handed = NULL;
        int rc = handed_retry(stage->machine, cmid, stage->wall_ms, &handed);

        if (rc == 0)
                *out_cmid = handed->row.cmid;
        return hand_over(stage, rc, handed);
}

struct cmid stage_send(struct stage *stage, deskbell_conversation *conv, const char *text)
{
        struct message_options options = {.cmid = machine_cmid(stage->machine, stage->wall_ms)};

        stage_begin(stage);
        assert_int_equal(0, stage_hand_send(stage, conv, text, &options));
        assert_int_equal(0, stage_end(stage));
        return options.cmid;
}

void stage_acked(struct stage *stage, json_t *request, int64_t seq)
{
        stage_answer(stage, request, "{\"seq\":%lld,\"ts\":%lld}", (long long)seq, 1700000000000LL + seq);
}

void stage_expect_message(struct stage *stage, const struct cmid *cmid, enum deskbell_message_state state)
{
        struct event *event = stage_event(stage, EVENT_MESSAGE);
        char text[33];

        if (!event)
                fail_msg("no message was told of, awaited state %d", (int)state);
        cmid_write(text, cmid);
        text[32] = '\0';
        assert_string_equal(text, event->message.cmid);
        assert_int_equal(state, event->message.state);
        event_free(event);
}
