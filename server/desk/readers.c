/* SPDX-License-Identifier: Apache-2.0 */
/* Readers: threads with read-only connections that answer the methods that `runs` on "read" in the schema. Each answer
 * comes from one consistent view of what is committed; who may see what is part of the query. */
#include "desk/bot_numbers.h"
#include "desk/bot_offline.h"
#include "desk/desk_private.h"
#include "desk/file_look.h"
#include "desk/reading.h"
#include "desk/search_entries.h"
#include "desk/tickets/ticket_rows.h"
#include "protocol/planted.h"

#include <stdio.h>
#include <stdlib.h>

enum {
        QUEUE_ITEMS = 50000,
        QUEUE_BYTES = 16 * 1024 * 1024,
        ENTRIES_DEFAULT = 50,
        ENTRY_ROOM = 512 + PROTOCOL_LABEL_POINTS * 4, /* of an entry, beside its body */
};

struct reader_thread {
        struct desk *desk;
        struct db *db;
        struct directory *directory;
        uint64_t directory_version;
        struct mailbox in;
        struct search_view search;
        pthread_t thread;
        bool is_running;
        struct writer out;
};

static int store_failed(const struct reader_thread *reader, int rc)
{
        log_error(&reader->desk->log, "a read failed", "code", rc, "why", db_message(reader->db));
        return -PROTOCOL_ERR_INTERNAL;
}

static bool is_staff(const struct caller *caller)
{
        return caller->role == ROLE_AGENT || caller->role == ROLE_BOT;
}

/* ---- entries.read ---- */

static int find_log(struct reader_thread *reader, const struct caller *caller, uint64_t ext, bool team,
                    int64_t *out_conv, int64_t *out_head)
{
        if (!is_staff(caller)) {
                int rc = conversations_view_customer(reader->db, ext, caller->principal, out_conv, out_head);
                return rc < 0 ? store_failed(reader, rc) : rc == DB_OK ? -PROTOCOL_ERR_NOT_FOUND : 0;
        }
        struct conversation_row row;
        int rc = reach_view(reader->db, caller, ext, &row);
        if (rc < 0)
                return store_failed(reader, rc);
        if (rc == DB_OK)
                return -PROTOCOL_ERR_NOT_FOUND;
        *out_conv = row.id;
        *out_head = team ? row.ihead : row.head;
        return 0;
}

static void write_entry(struct reader_thread *reader, uint64_t conv, bool team, const struct entry_row *row)
{
        struct entry_head head = {.conv = conv,
                                  .team = team,
                                  .number = row->seq,
                                  .at_seq = row->at_seq,
                                  .ts = row->ts,
                                  .author = directory_author(reader->directory, row->author),
                                  .cmid = row->has_cmid ? &row->cmid : NULL,
                                  .kind = row->kind,
                                  .version = row->version,
                                  .content = row->body};
        if (head.author.role == ROLE_AGENT || head.author.role == ROLE_BOT) {
                const struct principal *author = directory_find(reader->directory, row->author);
                if (author && author->name)
                        head.name = span_of(author->name);
        }
        hot_entry_write(&reader->out, &head);
}

struct page {
        int64_t after, until, limit; /* numbers above after and up to until */
        bool stops_early;            /* the page was full before its end */
};

static int write_entries(struct reader_thread *reader, int64_t conv, uint64_t ext, bool team, struct page *page)
{
        struct db_stmt *stmt = db_stmt(reader->db, SQL_ENTRIES_AFTER);
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, team ? LOG_TEAM : LOG_PUBLIC);
        db_bind_int(stmt, 3, page->after);
        db_bind_int(stmt, 4, page->limit);
        size_t start = reader->out.len;
        int count = 0, rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct entry_row row;
                entries_read_row(stmt, &row);
                bool is_full = count > 0 && reader->out.len - start + row.body.len + ENTRY_ROOM > PROTOCOL_PAGE_BYTES;
                if (row.seq > page->until || is_full) {
                        page->stops_early = is_full;
                        break;
                }
                if (count++ > 0)
                        writer_char(&reader->out, ',');
                write_entry(reader, ext, team, &row);
                page->after = row.seq;
        }
        db_reset(stmt);
        return rc < 0 ? store_failed(reader, rc) : 0;
}

/* Where the newest rows up to `until` start that fit into a page together. */
static int fit_backward(struct reader_thread *reader, int64_t conv, bool team, struct page *page)
{
        struct db_stmt *stmt = db_stmt(reader->db, SQL_ENTRIES_BEFORE);
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, team ? LOG_TEAM : LOG_PUBLIC);
        db_bind_int(stmt, 3, page->until + 1);
        db_bind_int(stmt, 4, page->limit);
        size_t bytes = 0;
        int rc;
        page->after = page->until;
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct entry_row row;
                entries_read_row(stmt, &row);
                bytes += row.body.len + ENTRY_ROOM;
                if (bytes > PROTOCOL_PAGE_BYTES && page->after < page->until)
                        break;
                page->after = row.seq - 1;
        }
        db_reset(stmt);
        return rc < 0 ? store_failed(reader, rc) : 0;
}

static int read_entries(struct reader_thread *reader, struct desk_command *command, struct fault *fault)
{
        const struct protocol_entries_read *params = command->params;
        bool team = params->has_log && params->log == PROTOCOL_ENTRIES_READ_LOG_TEAM;
        if (team && command->caller.role == ROLE_BOT)
                return -PROTOCOL_ERR_FORBIDDEN;
        if (team && command->caller.role != ROLE_AGENT)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "log", "public");
        if (params->has_after && params->has_before)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "before", "not together with after");
        int64_t conv = 0, head = 0;
        int rc = find_log(reader, &command->caller, params->conv, team, &conv, &head);
        if (rc < 0)
                return rc;
        struct page page = {.limit = params->has_limit ? params->limit : ENTRIES_DEFAULT, .until = head};
        bool is_backward = !params->has_after;
        int64_t floor = 0;
        if (is_backward) {
                int64_t before = params->has_before && params->before <= head ? params->before : head + 1;
                page.until = before - 1;
                page.after = page.until > page.limit ? page.until - page.limit : 0; /* logs are dense */
                floor = page.after;
        } else {
                page.after = params->after;
        }
        writer_raw(&reader->out, SPAN("{\"entries\":["));
        size_t start = reader->out.len;
        rc = write_entries(reader, conv, params->conv, team, &page);
        if (rc == 0 && is_backward && page.stops_early) { /* long texts: the newest count, not the oldest */
                reader->out.len = start;
                page.stops_early = false;
                rc = fit_backward(reader, conv, team, &page);
                floor = page.after;
                if (rc == 0)
                        rc = write_entries(reader, conv, params->conv, team, &page);
        }
        if (rc < 0)
                return rc;
        writer_raw(&reader->out, SPAN("],\"head\":"));
        writer_int(&reader->out, head);
        bool more = is_backward ? floor > 0 || page.stops_early : page.after < head;
        if (more)
                writer_raw(&reader->out, SPAN(",\"more\":true"));
        writer_char(&reader->out, '}');
        return 0;
}

/* ---- the thread ---- */

int reading_failed(const struct reading *reading, int db_rc)
{
        log_error(&reading->desk->log, "a read failed", "code", db_rc, "why", db_message(reading->db));
        return -PROTOCOL_ERR_INTERNAL;
}

typedef int read_fn(const struct reading *reading);

static read_fn *const parts[PROTOCOL_METHODS] = {
#define ROW(method, name) [PROTOCOL_M_##method] = read_##name,
        PART_READERS(ROW)
#undef ROW
};

int reading_here(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        struct reading reading = {.desk = desk,
                                  .db = desk->db,
                                  .directory = desk->directory,
                                  .command = command,
                                  .out = out,
                                  .fault = fault};
        return parts[command->method] ? parts[command->method](&reading) : -PROTOCOL_ERR_UNKNOWN_METHOD;
}

static int run_part(struct reader_thread *reader, struct desk_command *command, struct fault *fault)
{
        struct reading reading = {.desk = reader->desk,
                                  .db = reader->db,
                                  .directory = reader->directory,
                                  .command = command,
                                  .out = &reader->out,
                                  .fault = fault};
        return parts[command->method](&reading);
}

static int run_read(struct reader_thread *reader, struct desk_command *command, struct fault *fault)
{
        int rc = people_authorize_read(reader->db, &command->caller, protocol_methods[command->method].needs);
        if (rc < 0)
                return rc;
        if (parts[command->method])
                return run_part(reader, command, fault);
        switch (command->method) {
        case PROTOCOL_M_ENTRIES_READ:
                return read_entries(reader, command, fault);
        case PROTOCOL_M_SEARCH_ENTRIES:
                return search_entries(reader->desk, reader->db, reader->directory, &reader->search, command,
                                      &reader->out, fault);
        case PROTOCOL_M_BOT_OFFLINE:
                return bot_offline_read(reader->desk, reader->db, command, &reader->out);
        case PROTOCOL_M_FILE_LINK:
                return file_link_make(reader->desk, reader->db, command, &reader->out);
        case PROTOCOL_M_UPLOAD_END:
                return upload_end_pass(reader->desk, reader->db, command, &reader->out, fault);
        default:
                return bot_numbers_read(reader->desk, reader->db, command, &reader->out, fault);
        }
}

static void send_note(const struct desk *desk, const struct desk_command *command, struct desk_note *note)
{
        if (command->from.thread >= desk->sink_count ||
            mailbox_force(desk->sinks[command->from.thread], &note->item, sizeof *note + note->len) < 0)
                note_free(note);
}

static void answer(struct reader_thread *reader, struct desk_command *command)
{
        struct span bytes = {reader->out.bytes, reader->out.failed ? 0 : reader->out.len};
        if (command->done) { /* the operator */
                command->done(command->done_data, bytes);
                command->done = NULL;
                return;
        }
        struct desk_note *note = note_new(NOTE_REPLY, command->from, bytes); /* no bytes: the client asks again */
        if (!note)
                return;
        note->is_page = true;
        note->is_http = command->is_http;
        send_note(reader->desk, command, note);
}

/* What a snapshot begins with: who asks, when he has proved himself over HTTP. */
static int begin_view(struct reader_thread *reader, struct desk_command *command)
{
        int rc = db_snapshot_begin(reader->db);
        if (rc < 0)
                return store_failed(reader, rc);
        return command->is_http && command->opening
                       ? opening_look(reader->db, command->opening, clock_wall_ms(), &command->caller)
                       : 0;
}

static void look_for_file(struct reader_thread *reader, struct desk_command *command)
{
        const struct file_look *look = command->params;
        struct file_grant grant = {.transfer = look->transfer};
        int rc = begin_view(reader, command);
        if (rc == 0)
                rc = file_look_run(reader->desk, reader->db, command, &grant.row);
        db_snapshot_end(reader->db);
        grant.error = -rc;
        grant.caller = command->caller;
        struct desk_note *note = note_new(NOTE_FILE, command->from, (struct span){(const char *)&grant, sizeof grant});
        if (note) /* without it the transfer is given up by its thread */
                send_note(reader->desk, command, note);
}

/* 1: somebody else has the command now. */
static int run_one(struct reader_thread *reader, struct desk_command *command)
{
        struct fault fault = {0};
        reader->out.len = 0;
        reader->out.failed = false;
        frame_result_begin(&reader->out, &command->id);
        int rc = begin_view(reader, command);
        if (rc == 0)
                rc = run_read(reader, command, &fault);
        db_snapshot_end(reader->db);
        if (rc == 1)
                return 1;
        frame_end(&reader->out);
        if (rc == 0 && reader->out.failed)
                rc = -PROTOCOL_ERR_INTERNAL;
        if (rc < 0) {
                reader->out.len = 0;
                int64_t retry_ms = protocol_error_info((enum protocol_error) - rc)->permanent ? -1 : 1000;
                reader->out.failed = false;
                frame_error(&reader->out, &command->id, (enum protocol_error) - rc, retry_ms, &fault);
                struct principal_id who = {ROLE_NONE, 0};
                if (command->caller.principal > 0)
                        who = directory_author(reader->directory, command->caller.principal);
                if (!command->done)
                        denied_say(protocol_methods[command->method].name, -rc, who, (struct span){0});
        }
        answer(reader, command);
        return 0;
}

static void run_command(struct reader_thread *reader, struct desk_command *command)
{
        if (command->kind == COMMAND_FILE_LOOK)
                look_for_file(reader, command);
        else if (run_one(reader, command) == 1)
                return;
        command_free(command);
}

static void *reader_main(void *data)
{
        struct reader_thread *reader = data;
        struct mailbox_item *item;
        while (!atomic_load_explicit(&reader->desk->is_stopping, memory_order_relaxed)) {
                item = mailbox_wait(&reader->in, -1);
                uint64_t version = atomic_load_explicit(&reader->desk->directory_version, memory_order_acquire);
                if (version != reader->directory_version) {
                        directory_forget(reader->directory);
                        reader->directory_version = version;
                }
                if (!item)
                        break; /* closed */
                while (item) {
                        struct desk_command *command = command_of(item);
                        item = item->next;
                        command->item.next = NULL;
                        run_command(reader, command);
                }
        }
        return NULL;
}

static struct reader_thread *reader_free(struct reader_thread *reader)
{
        struct mailbox_item *item = mailbox_take(&reader->in);
        while (item) {
                struct mailbox_item *next = item->next;
                struct desk_command *command = command_of(item);
                reader->out.len = 0;
                reader->out.failed = false;
                if (command->done) {
                        frame_error(&reader->out, &command->id, PROTOCOL_ERR_UNAVAILABLE, 1000, &(struct fault){0});
                        answer(reader, command);
                }
                command_free(command);
                item = next;
        }
        search_view_done(&reader->search);
        directory_free(reader->directory);
        db_close(reader->db);
        writer_done(&reader->out);
        mailbox_done(&reader->in);
        free(reader);
        return NULL;
}

static int reader_new(struct desk *desk, struct reader_thread **out_reader)
{
        char *path = NULL, *why = NULL;
        struct reader_thread *reader = calloc(1, sizeof *reader);
        if (!reader || asprintf(&path, "%s/deskbell.db", desk->data_dir) < 0) {
                free(reader);
                return DB_NOMEM;
        }
        reader->desk = desk;
        mailbox_init(&reader->in, QUEUE_ITEMS, QUEUE_BYTES, NULL, NULL);
        writer_init(&reader->out, NULL, 0);
        int rc = db_open(desk->settings.driver, path, DB_READER, &reader->db, &why);
        free(path);
        if (rc == DB_OK && !(reader->directory = directory_new(reader->db)))
                rc = DB_NOMEM;
        if (rc < 0) {
                log_error(&desk->log, "a reader could not be started", "why", why);
                free(why);
                reader_free(reader);
                return rc;
        }
        *out_reader = reader;
        return DB_OK;
}

int readers_start(struct desk *desk)
{
        uint32_t wanted = desk->settings.readers;
        if (wanted < 1 || wanted > READERS_MAX)
                return DB_MISUSE;
        for (; desk->reader_count < wanted; desk->reader_count++) {
                struct reader_thread *reader = NULL;
                int rc = reader_new(desk, &reader);
                if (rc < 0) {
                        readers_stop(desk);
                        return rc;
                }
                if (pthread_create(&reader->thread, NULL, reader_main, reader) != 0) {
                        reader_free(reader);
                        readers_stop(desk);
                        return DB_NOMEM;
                }
                reader->is_running = true;
                desk->readers[desk->reader_count] = reader;
        }
        return DB_OK;
}

void readers_stop(struct desk *desk)
{
        for (uint32_t i = 0; i < desk->reader_count; i++)
                mailbox_close(&desk->readers[i]->in);
        for (uint32_t i = 0; i < desk->reader_count; i++) {
                if (desk->readers[i]->is_running)
                        pthread_join(desk->readers[i]->thread, NULL);
                desk->readers[i]->is_running = false;
        }
}

void readers_free(struct desk *desk)
{
        for (uint32_t i = 0; i < desk->reader_count; i++)
                desk->readers[i] = reader_free(desk->readers[i]);
        desk->reader_count = 0;
}

int readers_post(struct desk *desk, struct desk_command *command)
{
        uint32_t turn = atomic_fetch_add_explicit(&desk->read_turn, 1, memory_order_relaxed);
        struct reader_thread *reader = desk->readers[turn % desk->reader_count];
        return mailbox_push(&reader->in, &command->item, command->bytes);
}
