/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/desk/room.h"

#include <ftw.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/members.h"

/* --- frames, in place of the edge's --- */

struct edge_frame {
        atomic_uint count; /* as the edge's: the bot thread makes frames, too */
        size_t len;
        char bytes[];
};

struct edge_frame *edge_frame_new(struct span json)
{
        struct edge_frame *frame = malloc(sizeof *frame + json.len);
        if (!frame)
                return NULL;
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

/* --- life --- */

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
        (void)facts, (void)kind, (void)where;
        return remove(path);
}

void room_open(struct room *room)
{
        struct desk_settings settings = {.data_dir = room->dir,
                                         .readers = 1,
                                         .retry_days = 30,
                                         .key_window_days = 90,
                                         .in_flight = 16,
                                         .heartbeat_ms = 25000,
                                         .dead_ms = 35000,
                                         .devices_per_customer = 3,
                                         .devices_per_agent = 3,
                                         .attachment_bytes = 1 << 20,
                                         .attachments_per_day = 4,
                                         .attachment_quota_bytes = 3 << 20,
                                         .driver = &db_fault};
        char *why = NULL;
        if (desk_open(&settings, true, &room->desk, &why) != DB_OK)
                fail_msg("%s", why ? why : "cannot open the desk");
        desk_add_sink(room->desk, 0, &room->notes);
        why = NULL;
        if (db_open(&db_sqlite, room->path, DB_READER, &room->view, &why) != DB_OK)
                fail_msg("%s", why ? why : "cannot look at the store");
}

void room_close(struct room *room)
{
        room->view = db_close(room->view);
        readers_stop(room->desk);
        room->desk = desk_close(room->desk);
}

static void make_app(struct room *room)
{
        json_t *made = room_operate(room, "app.add", "{\"cmid\":\"%s\",\"name\":\"Shop\"}", room_cmid(room));
        snprintf(room->app, sizeof room->app, "%s", words(made, "result.app"));
        json_decref(made);
        room->app_row = room_sql(room, "SELECT id FROM app");
}

int room_set_up(void **state)
{
        struct room *room = calloc(1, sizeof *room);
        assert_non_null(room);
        snprintf(room->dir, sizeof room->dir, "/tmp/deskbell-desk-XXXXXX");
        assert_non_null(mkdtemp(room->dir));
        snprintf(room->path, sizeof room->path, "%s/deskbell.db", room->dir);
        mailbox_init(&room->notes, SIZE_MAX / 2, SIZE_MAX / 2, NULL, NULL);
        room->answers = json_object();
        db_fault_reset(&db_sqlite);
        log_set_level(LOG_ERROR + 1);
        room_open(room);
        make_app(room);
        *state = room;
        return 0;
}

int room_tear_down(void **state)
{
        struct room *room = *state;
        db_fault_reset(&db_sqlite);
        room_close(room);
        room_forget(room);
        json_decref(room->answers);
        mailbox_done(&room->notes);
        nftw(room->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        free(room);
        return 0;
}

/* --- what the desk tells --- */

static void keep_answer(struct room *room, json_t *answer)
{
        char id[32];
        snprintf(id, sizeof id, "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(answer, "id")));
        json_object_set_new(room->answers, id, answer);
}

static json_t *parse(const char *bytes, size_t len)
{
        json_error_t error;
        json_t *json = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &error);
        if (!json)
                fail_msg("no JSON: %s: %.*s", error.text, (int)len, bytes);
        return json;
}

static json_t *parse_frame(const struct edge_frame *frame)
{
        return parse(frame->bytes, frame->len);
}

/* Each change by itself, as "online" or "offline". */
static void keep_changes(struct room *room, const struct desk_note *note)
{
        struct attendance_change change;
        for (size_t at = 0; at < note->len; at += sizeof change) {
                memcpy(&change, note->bytes + at, sizeof change);
                if (room->told_count == ROOM_EVENTS)
                        fail_msg("too many notes for the room");
                struct room_note *told = &room->told[room->told_count++];
                *told = (struct room_note){.kind = note->kind, .conv = note->conv, .customer = change.customer};
                snprintf(told->method, sizeof told->method, "%s", change.is_online ? "online" : "offline");
                told->json = json_pack("{s:I}", "seen", (json_int_t)change.seen_ms);
        }
}

static bool is_answer(enum note_kind kind)
{
        return kind == NOTE_REPLY || kind == NOTE_OPENED || kind == NOTE_REFUSED || kind == NOTE_WATCH ||
               kind == NOTE_UNWATCH;
}

static void keep_note(struct room *room, const struct desk_note *note)
{
        if (note->kind == NOTE_ATTENDANCE) {
                keep_changes(room, note);
                return;
        }
        if (room->told_count == ROOM_EVENTS)
                fail_msg("too many notes for the room");
        struct room_note *told = &room->told[room->told_count++];
        *told = (struct room_note){.kind = note->kind,
                                   .to = note->to,
                                   .conv = note->conv,
                                   .customer = note->customer,
                                   .rev = note->rev,
                                   .close_code = note->close_code};
        if (note->frame) {
                json_t *frame = parse_frame(note->frame);
                snprintf(told->method, sizeof told->method, "%s", words(frame, "method"));
                told->json = json_incref(json_object_get(frame, "params"));
                json_decref(frame);
        } else if (note->kind == NOTE_FEED) {
                told->json = parse(note->bytes, note->len);
        }
        if (note->kind == NOTE_TEAM)
                snprintf(told->method, sizeof told->method, "%s", note->is_here ? "here" : "away");
        if (note->len > 0 && is_answer(note->kind))
                keep_answer(room, parse(note->bytes, note->len));
}

static struct caller last_caller;
static struct principal_id last_who;

static void take_notes(struct room *room)
{
        struct mailbox_item *item = mailbox_take(&room->notes);
        while (item) {
                struct desk_note *note = note_of(item);
                item = item->next;
                if (note->kind == NOTE_OPENED) {
                        last_caller = note->caller;
                        last_who = note->who;
                }
                keep_note(room, note);
                note_free(note);
        }
}

void room_forget(struct room *room)
{
        for (size_t i = 0; i < room->told_count; i++)
                json_decref(room->told[i].json);
        room->told_count = 0;
}

static bool is_told(const struct room_note *told, enum note_kind kind, const char *method)
{
        return told->kind == kind && (!method || strcmp(told->method, method) == 0);
}

const struct room_note *room_told(const struct room *room, enum note_kind kind, const char *method, size_t nth)
{
        for (size_t i = 0; i < room->told_count; i++)
                if (is_told(&room->told[i], kind, method) && nth-- == 0)
                        return &room->told[i];
        return NULL;
}

size_t room_count(const struct room *room, enum note_kind kind, const char *method)
{
        size_t count = 0;
        for (size_t i = 0; i < room->told_count; i++)
                count += is_told(&room->told[i], kind, method);
        return count;
}

/* --- the operator --- */

json_t *room_operate(struct room *room, const char *method, const char *format, ...)
{
        char params[4096];
        va_list arguments;
        va_start(arguments, format);
        int len = vsnprintf(params, sizeof params, format, arguments);
        va_end(arguments);
        assert_in_range(len, 0, sizeof params - 1);
        struct writer out;
        writer_init(&out, NULL, 0);
        desk_call(room->desk, span_of(method), params, (size_t)len, &out);
        json_t *answer = parse(out.bytes, out.len);
        writer_done(&out);
        take_notes(room);
        return answer;
}

/* --- sessions --- */

struct opening room_user(const struct room *room, const char *subject)
{
        struct opening opening = {.how = OPENING_USER,
                                  .workspace = room->desk->workspace,
                                  .app = room->app_row,
                                  .issued_s = clock_wall_ms() / 1000,
                                  .expires_ms = clock_wall_ms() + 3600 * 1000};
        snprintf(opening.subject, sizeof opening.subject, "%s", subject);
        return opening;
}

struct opening room_staff_with(const char *token)
{
        struct opening opening = {.how = OPENING_STAFF};
        SHA256((const uint8_t *)token, strlen(token), opening.secret_hash);
        return opening;
}

static struct desk_command *decode(struct room *room, const struct client *client, enum protocol_method method,
                                   const char *params, json_t **out_refusal, unsigned *out_id)
{
        struct request_id id = {0};
        struct desk_command *command = NULL;
        struct fault fault = {0};
        *out_id = ++room->next_id;
        if (!protocol_methods[method].notification)
                id.len = (uint8_t)snprintf(id.raw, sizeof id.raw, "%u", *out_id);
        int rc = command_decode(method, &id, span_of(params), client->caller.role, &command, &fault);
        if (rc == 0) {
                command->from = client->ref;
                command->caller = client->caller;
                return command;
        }
        struct writer out;
        writer_init(&out, NULL, 0);
        frame_error(&out, &id, (enum protocol_error) - rc, -1, &fault);
        *out_refusal = parse(out.bytes, out.len);
        writer_done(&out);
        return NULL;
}

static enum protocol_method method_of(const char *name)
{
        int method = protocol_method_find(span_of(name));
        if (method < 0)
                fail_msg("no method %s", name);
        return (enum protocol_method)method;
}

bool room_enter(struct room *room, const struct opening *opening, int device, const char *more,
                struct client *out_client, json_t **out_answer)
{
        char params[512];
        json_t *refusal = NULL;
        unsigned id;
        struct client client = {.ref = {.slot = room->next_slot++, .generation = 1}};
        snprintf(params, sizeof params,
                 "{\"visitor\":{\"app\":\"%s\"},\"device\":\"%032x\",\"protocol\":{\"min\":1,\"max\":1}%s}", room->app,
                 (unsigned)device + 1, more ? more : "");
        struct desk_command *command = decode(room, &client, PROTOCOL_M_SESSION_OPEN, params, &refusal, &id);
        assert_non_null(command);
        command->opening = malloc(sizeof *opening);
        assert_non_null(command->opening);
        *command->opening = *opening;
        last_who = (struct principal_id){0};
        assert_int_equal(0, desk_post(room->desk, command));
        if (room->behind.at)
                desk_post_operator(room->desk, room->behind, room->behind_params, room->behind_len, room_ignore, NULL);
        room->behind = (struct span){0};
        room_turn(room);
        json_t *answer = room_answer(room, id);
        bool is_open = last_who.role != ROLE_NONE;
        client.caller = last_caller;
        if (is_open)
                client.id[principal_write(client.id, last_who)] = 0;
        *out_client = client;
        if (out_answer)
                *out_answer = answer;
        else
                json_decref(answer);
        return is_open;
}

void room_ignore(void *data, struct span response)
{
        (void)data, (void)response;
}

void room_next_batch(struct room *room, struct span method, char *params, size_t len)
{
        room->behind = method;
        room->behind_params = params;
        room->behind_len = len;
}

struct client room_customer(struct room *room, const char *subject, int device)
{
        struct opening opening = room_user(room, subject);
        struct client client;
        if (!room_enter(room, &opening, device, NULL, &client, NULL))
                fail_msg("%s was not let in", subject);
        return client;
}

static void hex(char *out, const uint8_t *bytes, size_t count)
{
        for (size_t i = 0; i < count; i++)
                sprintf(out + 2 * i, "%02x", bytes[i]);
}

struct client room_agent(struct room *room, const char *name, int device)
{
        char sql[1024], token[96], hash[65];
        snprintf(sql, sizeof sql, "SELECT id FROM principal WHERE role = 2 AND name = '%s'", name);
        if (room_sql(room, sql) < 0)
                take_result(
                        room_operate(room, "agent.add", "{\"cmid\":\"%s\",\"name\":\"%s\"}", room_cmid(room), name));
        snprintf(sql, sizeof sql, "SELECT ext FROM principal WHERE role = 2 AND name = '%s'", name);
        char id[ID_TEXT_BYTES + 1] = {0};
        principal_write(id, (struct principal_id){ROLE_AGENT, (uint64_t)room_sql(room, sql)});
        snprintf(token, sizeof token, "dbs_%.16s_%d_%u", name, device, room->next_cmid);
        struct opening opening = room_staff_with(token);
        hex(hash, opening.secret_hash, 32);
        take_result(room_operate(room, "agent.session",
                                 "{\"cmid\":\"%s\",\"agent\":\"%s\",\"token_hash\":\"%s\",\"label\":\"test\"}",
                                 room_cmid(room), id, hash));
        struct client client;
        if (!room_enter(room, &opening, device, NULL, &client, NULL))
                fail_msg("%s was not let in", name);
        return client;
}

void room_leave(struct room *room, const struct client *client)
{
        struct desk_command *command = command_new(COMMAND_CLOSED, 0);
        assert_non_null(command);
        command->from = client->ref;
        assert_int_equal(0, desk_post(room->desk, command));
        room_turn(room);
}

/* --- requests --- */

static unsigned queue_text(struct room *room, const struct client *client, const char *method, const char *params)
{
        json_t *refusal = NULL;
        unsigned id;
        struct desk_command *command = decode(room, client, method_of(method), params, &refusal, &id);
        if (!command)
                keep_answer(room, refusal);
        else if (protocol_methods[command->method].runs == PROTOCOL_RUNS_READ)
                assert_int_equal(0, desk_post_read(room->desk, command));
        else
                assert_int_equal(0, desk_post(room->desk, command));
        return id;
}

#define FORMAT_PARAMS(params, format)                                                                                  \
        char *params = NULL;                                                                                           \
        va_list arguments;                                                                                             \
        va_start(arguments, format);                                                                                   \
        assert_true(vasprintf(&params, format, arguments) >= 0);                                                       \
        va_end(arguments)

unsigned room_queue(struct room *room, const struct client *client, const char *method, const char *format, ...)
{
        FORMAT_PARAMS(params, format);
        unsigned id = queue_text(room, client, method, params);
        free(params);
        return id;
}

void room_turn(struct room *room)
{
        do {
                desk_turn(room->desk);
        } while (!room->desk->has_ended && (room->desk->pending || mailbox_count(&room->desk->in) > 0));
        take_notes(room);
}

json_t *room_answer(struct room *room, unsigned id)
{
        char name[32];
        snprintf(name, sizeof name, "%u", id);
        json_t *answer = json_incref(json_object_get(room->answers, name));
        if (answer)
                json_object_del(room->answers, name);
        return answer;
}

json_t *room_ask(struct room *room, const struct client *client, const char *method, const char *format, ...)
{
        FORMAT_PARAMS(params, format);
        unsigned id = queue_text(room, client, method, params);
        free(params);
        room_turn(room);
        return room_answer(room, id);
}

void room_notify(struct room *room, const struct client *client, const char *method, const char *format, ...)
{
        FORMAT_PARAMS(params, format);
        queue_text(room, client, method, params);
        free(params);
        room_turn(room);
}

json_t *room_read(struct room *room, const struct client *client, const char *method, const char *format, ...)
{
        FORMAT_PARAMS(params, format);
        if (room->desk->reader_count == 0)
                assert_int_equal(DB_OK, readers_start(room->desk));
        unsigned id = queue_text(room, client, method, params);
        free(params);
        json_t *answer = room_answer(room, id);
        while (!answer) {
                struct mailbox_item *item = mailbox_wait(&room->notes, 30000);
                if (!item)
                        fail_msg("no reader answered");
                for (struct mailbox_item *next; item; item = next) {
                        next = item->next;
                        keep_note(room, note_of(item));
                        note_free(note_of(item));
                }
                answer = room_answer(room, id);
        }
        return answer;
}

void room_flush(struct room *room)
{
        if (room->desk->flush_due_ms != 0)
                room->desk->flush_due_ms = 1;
        for (struct conversation *at = room->desk->marked_first; at; at = at->marked_next)
                at->marks_told_ms = 0;
        room->desk->marks_due_ms = 0;
        room->desk->feed_due_ms = 0;
        room_turn(room);
}

/* --- usual steps --- */

const char *room_cmid(struct room *room)
{
        static char texts[8][33];
        char *text = texts[room->next_cmid % 8];
        snprintf(text, sizeof texts[0], "0190%020x%08x", 7, ++room->next_cmid);
        return text;
}

char *room_conversation(struct room *room, const struct client *client, const char *key)
{
        json_t *answer = room_ask(room, client, "conversation.open", "{\"key\":\"%s\"}", key);
        const char *id = words(answer, "result.row.conv");
        if (!id)
                fail_msg("no conversation %s: %s", key, words(answer, "error.data.tag"));
        char *copy = strdup(id);
        json_decref(answer);
        return copy;
}

json_t *room_send(struct room *room, const struct client *client, const char *conv, const char *cmid, const char *text)
{
        return room_ask(room, client, "message.send",
                        "{\"cmid\":\"%s\",\"conv\":\"%s\",\"kind\":\"text\",\"text\":\"%s\"}",
                        cmid ? cmid : room_cmid(room), conv, text);
}

json_t *room_note(struct room *room, const struct client *client, const char *conv, const char *text)
{
        return room_ask(room, client, "message.send",
                        "{\"cmid\":\"%s\",\"conv\":\"%s\",\"log\":\"team\",\"kind\":\"text\",\"text\":\"%s\"}",
                        room_cmid(room), conv, text);
}

/* --- what an answer says --- */

json_int_t number(const json_t *object, const char *path)
{
        const json_t *value = member_at(object, path);
        if (json_is_boolean(value))
                return json_is_true(value);
        return json_is_integer(value) ? json_integer_value(value) : -1;
}

const char *words(const json_t *object, const char *path)
{
        return json_string_value(member_at(object, path));
}

static void show(const json_t *answer, const char *expected)
{
        char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
        print_message("expected %s, was %s\n", expected, text ? text : "no answer");
        free(text);
}

json_int_t take_seq(json_t *answer)
{
        json_int_t seq = number(answer, "result.seq");
        if (seq < 0)
                show(answer, "a seq");
        assert_true(seq > 0);
        json_decref(answer);
        return seq;
}

void take_error(json_t *answer, const char *tag)
{
        const char *was = words(answer, "error.data.tag");
        if (!was || strcmp(was, tag) != 0) {
                show(answer, tag);
                fail();
        }
        bool is_retry = strcmp(words(answer, "error.data.class"), "retry") == 0;
        if (is_retry != (number(answer, "error.data.retry_after_ms") >= 0)) {
                show(answer, "retry_after_ms with retry and never else");
                fail();
        }
        json_decref(answer);
}

void take_result(json_t *answer)
{
        if (!json_object_get(answer, "result")) {
                show(answer, "a result");
                fail();
        }
        json_decref(answer);
}

/* --- what is on disk --- */

int64_t room_sql(struct room *room, const char *sql)
{
        struct db_stmt *stmt = db_prepare(room->view, sql);
        assert_non_null(stmt);
        int rc = db_step(stmt);
        if (rc < 0)
                fail_msg("%s: %d %s", sql, rc, db_message(room->view));
        int64_t value = rc == DB_ROW ? db_int(stmt, 0) : -1;
        db_reset(stmt);
        return value;
}

struct conversation *room_cached(struct room *room, const char *conv)
{
        uint64_t ext = 0;
        assert_int_equal(0, id_read(span_of(conv), "cnv", &ext));
        for (struct conversation *at = room->desk->cache.newest; at; at = at->older)
                if (at->row.ext == ext)
                        return at;
        return NULL;
}

static void same_row(const struct conversation_row *memory, const struct conversation_row *disk)
{
#define SAME(field) assert_int_equal(memory->field, disk->field)
        SAME(id);
        SAME(customer);
        SAME(rev);
        SAME(public_rev);
        SAME(head);
        SAME(ihead);
        SAME(last_ts);
        SAME(last_seq);
        SAME(last_author);
        SAME(last_kind);
        SAME(unread);
        SAME(unanswered);
        SAME(waiting_since);
        SAME(customer_recv);
        SAME(customer_read);
        SAME(staff_recv);
        SAME(staff_read);
        SAME(preview_len);
#undef SAME
        assert_memory_equal(memory->preview, disk->preview, memory->preview_len);
        assert_string_equal(memory->key, disk->key);
}

/* How the counts are defined, written once more without the desk's own statements. */
#define HIS                                                                                                            \
        "(e.author = c.customer OR EXISTS (SELECT 1 FROM principal h WHERE h.id = e.author AND h.alias_of = "          \
        "c.customer))"
#define NOT_HIS "NOT " HIS

static const char *const recounts[] = {
        "SELECT count(*) FROM conversation c WHERE unread <> (SELECT count(*) FROM entry e WHERE e.conv = c.id AND"
        " e.log = 0 AND e.kind < 20 AND e.kind <> 9 AND " NOT_HIS " AND e.seq > c.customer_read)",
        "SELECT count(*) FROM conversation c WHERE unanswered <> (SELECT count(*) FROM entry e WHERE e.conv = c.id AND"
        " e.log = 0 AND e.kind < 20 AND e.kind <> 9 AND " HIS
        " AND NOT EXISTS (SELECT 1 FROM entry a JOIN principal p ON"
        " p.id = a.author WHERE a.conv = c.id AND a.log = 0 AND p.role = 2 AND a.seq > e.seq AND (a.kind < 20 OR"
        " (a.kind = 22 AND a.version > 0))))",
        "SELECT count(*) FROM conversation c WHERE unanswered > 0 AND waiting_since <> (SELECT min(ts) FROM entry e"
        " WHERE e.conv = c.id AND e.log = 0 AND e.kind < 20 AND e.kind <> 9 AND " HIS " AND NOT EXISTS (SELECT 1 FROM"
        " entry a JOIN principal p ON p.id = a.author WHERE a.conv = c.id AND a.log = 0 AND p.role = 2 AND a.seq > "
        "e.seq"
        " AND (a.kind < 20 OR (a.kind = 22 AND a.version > 0))))",
        "SELECT count(*) FROM conversation WHERE unanswered = 0 AND waiting_since <> 0",
        "SELECT count(*) FROM conversation c WHERE head <> (SELECT coalesce(max(seq), 0) FROM entry e WHERE e.conv = "
        "c.id"
        " AND e.log = 0) OR ihead <> (SELECT coalesce(max(seq), 0) FROM entry e WHERE e.conv = c.id AND e.log = 1)",
        "SELECT count(*) FROM conversation c WHERE last_ts < (SELECT coalesce(max(ts), 0) FROM entry e WHERE"
        " e.conv = c.id AND e.log = 0)",
        "SELECT count(*) FROM conversation WHERE public_rev > rev",
        "SELECT count(*) FROM conversation c WHERE (SELECT count(*) FROM scope s WHERE s.conv = c.id AND s.rev = c.rev"
        " AND s.is_left = 0) <> 1 OR (SELECT count(*) FROM scope s WHERE s.conv = c.id AND s.is_left = 0) <> 1",
        "SELECT count(*) FROM conversation c JOIN ticket t ON t.conv = c.id WHERE t.status < 9"
        " AND (c.team <> t.team OR c.assignee <> t.assignee)",
        "SELECT count(*) FROM conversation c WHERE c.invited <>"
        " (SELECT count(*) FROM conversation_invite i WHERE i.conv = c.id)",
        "SELECT count(*) FROM entry WHERE kind = 22 AND (body IS NOT NULL OR hash IS NOT NULL)",
};

static void say_finding(void *data, const char *finding)
{
        (void)data;
        print_message("finding: %s\n", finding);
}

void room_check(struct room *room)
{
        struct desk *desk = room->desk;
        room_flush(room);
        for (struct conversation *at = desk->cache.newest; at; at = at->older) {
                struct conversation_row disk;
                assert_int_equal(DB_ROW, conversations_load(room->view, at->row.ext, &disk));
                same_row(&at->row, &disk);
                assert_false(at->is_changed);
        }
        for (size_t i = 0; i < sizeof recounts / sizeof *recounts; i++)
                if (room_sql(room, recounts[i]) != 0)
                        fail_msg("%s", recounts[i]);
        assert_int_equal(desk->rev, room_sql(room, "SELECT coalesce((SELECT value FROM meta WHERE name = 'rev'), 0)"));
        assert_int_equal(desk->rev, desk_rev(desk));
        assert_int_equal(0, db_check(desk->db, true, say_finding, NULL));
        for (size_t i = 0; i < desk->sessions.slot_count; i++) {
                for (struct desk_session *at = desk->sessions.slots[i]; at; at = at->hash_next) {
                        struct principal_row row;
                        assert_int_equal(DB_ROW, principals_load(room->view, at->who->id, &row));
                        assert_int_equal(row.ext, at->who->ext);
                        assert_string_equal(row.name, at->who->name ? at->who->name : "");
                }
        }
}
