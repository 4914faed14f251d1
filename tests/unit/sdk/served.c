/* SPDX-License-Identifier: Apache-2.0 */
/* Served: see served.h. */
#include "served.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "client-sdk/src/transfer.h"

static const atomic_bool go_on;

const char *served_file(void)
{
        static char bytes[SERVED_FILE_BYTES];

        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (char)('a' + i % 23);
        return bytes;
}

void served_init(struct served *served, struct stage *stage)
{
        *served = (struct served){.stage = stage, .log = json_array(), .changes = json_object(), .epoch = EPOCH};
}

void served_done(struct served *served)
{
        json_decref(served->log);
        json_decref(served->changes);
        free(served->bytes);
}

/* ---- the log ----------------------------------------------------------------------------------------------------- */

static int64_t head_of(const struct served *served)
{
        return (int64_t)json_array_size(served->log);
}

static bool is_online(const struct served *served)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        machine_status(served->stage->machine, &status);
        return status.is_online;
}

static void say_params(struct served *served, const char *method, json_t *params)
{
        char *text = json_dumps(params, JSON_COMPACT);

        stage_say(served->stage, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":%s}", method, text);
        free(text);
}

/* Takes `entry`. Each second one is not told live: the client finds it by the heartbeat. */
static int64_t append(struct served *served, json_t *entry)
{
        int64_t seq = head_of(served) + 1;

        json_object_set_new(entry, "conv", json_string(CONV));
        json_object_set_new(entry, "seq", json_integer(seq));
        json_object_set_new(entry, "ts", json_integer(1700000000000LL + seq));
        json_array_append_new(served->log, entry);
        served->rev++;
        return seq;
}

static void tell_last(struct served *served)
{
        if (head_of(served) % 2 == 0 && is_online(served))
                say_params(served, "entry", json_array_get(served->log, (size_t)head_of(served) - 1));
}

json_t *served_by_cmid(struct served *served, const char *cmid)
{
        size_t at;
        json_t *entry;

        json_array_foreach(served->log, at, entry) {
                const char *is = json_string_value(json_object_get(entry, "cmid"));
                if (is && strcmp(is, cmid) == 0)
                        return entry;
        }
        return NULL;
}

void served_write_before(struct served *served, const char *text)
{
        append(served, json_pack("{ssssss}", "author", AGENT, "kind", "text", "text", text));
}

void served_write(struct served *served, const char *text)
{
        served_write_before(served, text);
        tell_last(served);
}

int64_t served_ask(struct served *served)
{
        json_t *survey =
                json_pack("{s:s,s:s,s:i,s:s,s:s,s:i,s:i,s:s,s:s,s:I}", "offer", "off_000000000000a", "survey",
                          "sur_000000000000b", "version", 1, "metric", "csat", "style", "stars", "min", 1, "max", 5,
                          "comment", "Anything else?", "state", "waiting", "until", (json_int_t)9000000000000);
        int64_t seq = append(served, json_pack("{s:s,s:s,s:s,s:s,s:o}", "author", "sys", "kind", "survey", "text",
                                               "How was it?", "fallback_text", "How was it? (1-5)", "survey", survey));

        tell_last(served);
        return seq;
}

/* A survey always says its present state. */
static void rate(struct served *served, const json_t *rated)
{
        size_t at = (size_t)json_integer_value(json_object_get(rated, "seq")) - 1;
        json_t *survey = json_object_get(json_array_get(served->log, at), "survey");
        json_t *score = json_object_get(rated, "score"), *said = json_object_get(rated, "said");

        json_object_set_new(survey, "state", json_string("answered"));
        if (score)
                json_object_set(survey, "score", score);
        if (said) {
                json_object_set(survey, "said", said);
                json_object_set_new(survey, "locked", json_true());
        }
}

static void change(struct served *served, int64_t of, const char *text)
{
        json_t *message = json_array_get(served->log, (size_t)of - 1);
        json_int_t version = json_integer_value(json_object_get(message, "edited"));

        if (text) {
                json_object_set_new(message, "text", json_string(text));
                json_object_set_new(message, "edited", json_integer(version ? version + 1 : 2));
        } else {
                json_object_set_new(message, "kind", json_string("erased"));
                json_object_del(message, "text");
                json_object_del(message, "edited");
        }
}

static json_t *change_entry(struct served *served, const char *author, int64_t of, const char *text)
{
        json_t *message = json_array_get(served->log, (size_t)of - 1);

        change(served, of, text);
        if (!text)
                return json_pack("{sssssI}", "author", author, "kind", "erase", "of", (json_int_t)of);
        return json_pack("{sssssIsIss}", "author", author, "kind", "edit", "of", (json_int_t)of, "version",
                         json_integer_value(json_object_get(message, "edited")), "text", text);
}

void served_edit(struct served *served, int64_t of, const char *text)
{
        append(served, change_entry(served, AGENT, of, text));
        tell_last(served);
}

void served_erase(struct served *served, int64_t of)
{
        append(served, change_entry(served, AGENT, of, NULL));
        tell_last(served);
}

void served_lose_last(struct served *served, const char *epoch)
{
        json_array_remove(served->log, (size_t)head_of(served) - 1);
        served->epoch = epoch;
        served->rev = head_of(served);
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static json_t *params_of(json_t *request)
{
        return json_object_get(request, "params");
}

/* Takes `result`. */
static void answer(struct served *served, json_t *request, json_t *result)
{
        char *text = json_dumps(result, JSON_COMPACT);

        json_decref(result);
        stage_answer(served->stage, json_incref(request), "%s", text);
        free(text);
}

static void session_open(struct served *served, json_t *request)
{
        bool is_same = strcmp(stage_param(request, "epoch"), served->epoch) == 0 || !*stage_param(request, "epoch");

        if (strcmp(stage_param(request, "token"), SERVED_TOKEN) != 0) {
                stage_refuse(served->stage, json_incref(request), "token_expired", true, -1);
                return;
        }
        served->heard_ms = served->stage->mono_ms;
        stage_answer(served->stage, json_incref(request),
                     "{\"principal\":\"" USER "\",\"epoch\":\"%s\",\"rev\":%lld,\"now\":%lld,\"protocol\":1,"
                     "\"features\":[],\"http_token\":\"" HTTP_TOKEN "\",\"team\":\"here\",\"limits\":{\"in_flight\":16,"
                     "\"frame_bytes\":65536,\"key_window_days\":90,\"retry_days\":30,\"heartbeat_ms\":25000,"
                     "\"dead_ms\":35000}%s}",
                     served->epoch, (long long)served->rev, (long long)served->stage->wall_ms,
                     is_same ? "" : ",\"reset\":\"epoch\"");
}

static json_t *row_of(const struct served *served)
{
        return json_pack("{sssIsssI}", "conv", CONV, "rev", (json_int_t)served->rev, "key", "main", "head",
                         (json_int_t)head_of(served));
}

static void feed_read(struct served *served, json_t *request)
{
        json_t *rows = json_array();

        if (stage_number(request, "rev") < served->rev)
                json_array_append_new(rows, row_of(served));
        answer(served, request, json_pack("{sosI}", "rows", rows, "rev", (json_int_t)served->rev));
}

static void conversation_open(struct served *served, json_t *request)
{
        answer(served, request, json_pack("{so}", "row", row_of(served)));
}

static void entries_read(struct served *served, json_t *request)
{
        int64_t after = stage_number(request, "after"), before = stage_number(request, "before");
        int64_t limit = stage_number(request, "limit"), head = head_of(served), last = head;
        json_t *entries = json_array();

        if (after >= 0)
                last = after + limit < head ? after + limit : head;
        else if (before > 0)
                last = before - 1 < head ? before - 1 : head;
        int64_t first = after >= 0 ? after + 1 : last - limit + 1;
        for (int64_t seq = first > 1 ? first : 1; seq <= last; seq++)
                json_array_append(entries, json_array_get(served->log, (size_t)seq - 1));
        answer(served, request, json_pack("{sosI}", "entries", entries, "head", (json_int_t)head));
}

static void acked(struct served *served, json_t *request, int64_t seq, bool is_duplicate)
{
        answer(served, request,
               json_pack("{sIsIsbss}", "seq", (json_int_t)seq, "ts", (json_int_t)(1700000000000LL + seq), "dup",
                         (int)is_duplicate, "conv", CONV));
}

static void message_send(struct served *served, json_t *request)
{
        static const char *const envelope[] = {"conv", "key", "after", "log"};
        json_t *known = served_by_cmid(served, stage_param(request, "cmid")), *entry;

        if (known) {
                acked(served, request, json_integer_value(json_object_get(known, "seq")), true);
                return;
        }
        entry = json_copy(params_of(request));
        for (size_t i = 0; i < sizeof(envelope) / sizeof(envelope[0]); i++)
                json_object_del(entry, envelope[i]);
        json_object_set_new(entry, "author", json_string(USER));
        if (!json_object_get(entry, "kind"))
                json_object_set_new(entry, "kind", json_string("text"));
        int64_t seq = append(served, entry);
        if (json_object_get(entry, "rated"))
                rate(served, json_object_get(entry, "rated"));
        acked(served, request, seq, false);
        tell_last(served);
}

static void message_change(struct served *served, json_t *request)
{
        const char *cmid = stage_param(request, "cmid");
        bool is_edit = strcmp(json_string_value(json_object_get(request, "method")), "message.edit") == 0;
        json_t *known = json_object_get(served->changes, cmid);

        if (known) {
                acked(served, request, json_integer_value(known), true);
                return;
        }
        json_t *entry =
                change_entry(served, USER, stage_number(request, "of"), is_edit ? stage_param(request, "text") : NULL);
        json_object_set_new(entry, "cmid", json_string(cmid));
        int64_t seq = append(served, entry);
        json_object_set_new(served->changes, cmid, json_integer(seq));
        acked(served, request, seq, false);
        tell_last(served);
}

static void upload_begin(struct served *served, json_t *request)
{
        snprintf(served->upload, sizeof(served->upload), "%032x", 0xab00 + served->uploads++);
        served->bytes_len = 0;
        answer(served, request,
               json_pack("{sssIsIsI}", "file", served->upload, "offset", (json_int_t)0, "piece_bytes",
                         (json_int_t)262144, "expires", (json_int_t)1));
}

static void upload_end(struct served *served, json_t *request)
{
        answer(served, request,
               json_pack("{sssIss}", "file", stage_param(request, "file"), "size", (json_int_t)served->bytes_len,
                         "media", "text/plain"));
}

static void search_entries(struct served *served, json_t *request)
{
        answer(served, request,
               json_pack("{s[{sssssssIsIsssss{ssssss}}]sI}", "rows", "conv", CONV, "app", "app_0000000000009",
                         "customer", USER, "seq", (json_int_t)1, "ts", (json_int_t)1, "author", AGENT, "kind", "text",
                         "snippet", "before", "a ", "hit", "lamp", "after", "", "rev", (json_int_t)1));
}

/* A version of the bot, which is one piece. */
static void bot_offline(struct served *served, json_t *request)
{
        char part[5333], name[65];

        memset(name, '3', 64);
        name[64] = '\0';
        memset(part, 'A', sizeof(part) - 1);
        part[sizeof(part) - 1] = '\0';
        if (strcmp(stage_param(request, "have"), name) == 0)
                answer(served, request, json_pack("{ss}", "version", name));
        else
                answer(served, request,
                       json_pack("{sssIsIss}", "version", name, "size", (json_int_t)3999, "offset", (json_int_t)0,
                                 "part", part));
}

static void empty_answer(struct served *served, json_t *request)
{
        answer(served, request, json_object());
}

static void serve(struct served *served, json_t *request)
{
        static const struct {
                const char *method;
                void (*serve)(struct served *served, json_t *request);
        } methods[] = {
                {"session.open", session_open},       {"feed.read", feed_read},
                {"entries.read", entries_read},       {"conversation.open", conversation_open},
                {"message.send", message_send},       {"message.edit", message_change},
                {"message.erase", message_change},    {"upload.begin", upload_begin},
                {"upload.end", upload_end},           {"upload.cancel", empty_answer},
                {"search.entries", search_entries},   {"device.push", empty_answer},
                {"device.push_remove", empty_answer}, {"bot.offline", bot_offline},
        };
        const char *method = json_string_value(json_object_get(request, "method"));

        if (!json_object_get(request, "id"))
                return; /* a notification */
        served->asked++;
        for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
                if (strcmp(methods[i].method, method) == 0) {
                        methods[i].serve(served, request);
                        return;
                }
        }
        fail_msg("no answer is written for %s", method);
}

/* ---- jobs -------------------------------------------------------------------------------------------------------- */

static void put(struct served *served, struct job *job)
{
        char *piece = malloc(JOB_PIECE_BYTES);

        assert_non_null(piece);
        if (transfer_read(job, piece) == 0) {
                size_t end = (size_t)(job->offset + job->len);

                if (end > served->bytes_room) {
                        served->bytes = realloc(served->bytes, end);
                        served->bytes_room = end;
                }
                memcpy(served->bytes + job->offset, piece, (size_t)job->len);
                served->bytes_len = end;
                job->outcome = JOB_OK;
                job->status = 204;
                job->retry_after_ms = -1;
                job->told_offset = (int64_t)end;
        }
        free(piece);
}

static void get(struct job *job)
{
        if (job->offset < 0 && transfer_look(job) < 0)
                return;
        size_t left = (size_t)(job->size - job->offset), len = left < 1000 ? left : 1000;
        job->status = 206;
        job->retry_after_ms = -1;
        transfer_append(job, served_file() + job->offset, len);
}

static void work(struct served *served, struct job *job)
{
        switch (job->kind) {
        case JOB_HASH:
                transfer_hash(job, &go_on);
                break;
        case JOB_PUT:
                put(served, job);
                break;
        case JOB_GET:
                get(job);
                break;
        case JOB_SEAL:
                transfer_seal(job, &go_on);
                break;
        case JOB_UNLINK:
                remove(job->path);
                job_free(job);
                return;
        case JOB_ABORT:
                job_free(job);
                return;
        }
        stage_job_done(served->stage, job);
}

/* ---- rounds ------------------------------------------------------------------------------------------------------ */

void served_heartbeat(struct served *served)
{
        if (!is_online(served) || served->stage->mono_ms - served->heard_ms < 20000)
                return;
        served->heard_ms = served->stage->mono_ms;
        stage_say(served->stage,
                  "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"rev\":%lld,\"now\":%lld}}",
                  (long long)served->rev, (long long)served->stage->wall_ms);
}

int served_round(struct served *served)
{
        struct stage *stage = served->stage;
        json_t *request;
        int done = 0;

        if (stage->wish == WISH_OPEN) {
                stage_link_opens(stage);
                done++;
        }
        stage->wish = stage->wish == WISH_CLOSE ? WISH_NOTHING : stage->wish;
        while (stage->wish == WISH_NOTHING && (request = json_incref(json_array_get(stage->frames, 0)))) {
                json_array_remove(stage->frames, 0);
                serve(served, request);
                json_decref(request);
                done++;
        }
        while (stage->jobs) {
                struct job *job = stage->jobs;
                stage->jobs = job->next;
                job->next = NULL;
                work(served, job);
                done++;
        }
        return done;
}
