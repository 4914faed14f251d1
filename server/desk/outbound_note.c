/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of events for webhooks, one a subscriber, under one event id. Nothing here is done when nobody subscribes. */
#include "desk/desk_private.h"

#include <stdio.h>
#include <stdlib.h>

enum { PUSH_AFTER_MS = 5000, DEVICES_TOLD = 64 };

/* An event on its way into rows. */
struct event {
        enum webhook_event kind;
        const char *type;
        const struct conversation *conversation;
        int64_t seq, author; /* author: row id, 0 = none */
        uint64_t id;
        struct writer body;
};

static bool wants(const struct webhook_target *target, const struct event *event)
{
        return target->state == WEBHOOK_ACTIVE && (target->events & event->kind) &&
               (target->app == 0 || target->app == event->conversation->row.app) &&
               (target->bot == 0 || target->bot != event->author);
}

static bool is_wanted(const struct desk *desk, const struct event *event)
{
        if (!(desk->webhooks.wanted & event->kind))
                return false;
        for (size_t i = 0; i < desk->webhooks.count; i++)
                if (wants(&desk->webhooks.targets[i], event))
                        return true;
        return false;
}

static int put_row(struct desk *desk, const struct event *event, int64_t target)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_OUTBOUND_PUT);
        db_bind_int(stmt, 1, OUTBOUND_WEBHOOK);
        db_bind_int(stmt, 2, target);
        db_bind_int(stmt, 3, event->conversation ? event->conversation->row.id : 0);
        db_bind_int(stmt, 4, event->seq);
        db_bind_int(stmt, 5, (int64_t)event->id);
        db_bind_text(stmt, 6, span_of(event->type));
        db_bind_text(stmt, 7, (struct span){event->body.bytes, event->body.len});
        db_bind_int(stmt, 8, desk->now_ms);
        int rc = db_run(stmt);
        desk->webhooks.is_changed = true;
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static void member(struct writer *writer, const char *name)
{
        if (writer->len > 0 && writer->bytes[writer->len - 1] != '{')
                writer_char(writer, ',');
        writer_string(writer, span_of(name));
        writer_char(writer, ':');
}

/* {"type":..,"id":..,"timestamp":..,"workspace":..,"app":..,"data":{ and what follows is the caller's. */
static void begin(struct desk *desk, struct event *event)
{
        struct writer *body = &event->body;
        event->id = desk_new_id(desk);
        writer_init(body, NULL, 0);
        writer_char(body, '{');
        member(body, "type");
        writer_string(body, span_of(event->type));
        member(body, "id");
        writer_id(body, "evt", event->id);
        member(body, "timestamp");
        writer_int(body, desk->now_ms);
        member(body, "workspace");
        writer_id(body, "wsp", desk->workspace_ext);
        if (event->conversation) {
                member(body, "app");
                writer_id(body, "app", directory_app(desk->directory, event->conversation->row.app));
        }
        member(body, "data");
        writer_char(body, '{');
}

static int put_all(struct desk *desk, struct event *event)
{
        int rc = 0;
        writer_raw(&event->body, SPAN("}}"));
        if (event->body.failed)
                rc = desk_db_failed(desk, DB_NOMEM); /* an event that was accepted must not be lost */
        for (size_t i = 0; rc == 0 && i < desk->webhooks.count; i++)
                if (wants(&desk->webhooks.targets[i], event))
                        rc = put_row(desk, event, desk->webhooks.targets[i].id);
        writer_done(&event->body);
        return rc;
}

/* Conversation and customer, under the ids the app's back end knows. */
static int write_place(struct desk *desk, struct event *event)
{
        const struct conversation_row *row = &event->conversation->row;
        struct principal_row customer;
        struct writer *body = &event->body;
        int rc = principals_load(desk->db, row->customer, &customer);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        member(body, "conv");
        writer_id(body, "cnv", row->ext);
        member(body, "key");
        writer_string(body, span_of(row->key));
        member(body, "customer");
        writer_principal(body, directory_author(desk->directory, row->customer));
        if (rc == DB_ROW && customer.external_id[0]) {
                member(body, "external_id");
                writer_string(body, span_of(customer.external_id));
        }
        return 0;
}

static int end(struct desk *desk, struct event *event, int rc)
{
        if (rc == 0)
                return put_all(desk, event);
        writer_done(&event->body);
        return rc;
}

/* A job for the conversation unless one is waiting: it will see this message too. */
static int want_push(struct desk *desk, const struct conversation *conversation, int64_t seq, int64_t due_ms)
{
        char text[24];
        int64_t subject = (int64_t)conversation->row.ext;
        int rc = jobs_has(desk, JOB_PUSH_WANTED, subject);
        if (rc != 0)
                return rc < 0 ? rc : 0;
        int len = snprintf(text, sizeof text, "%lld", (long long)seq);
        return jobs_put(desk, JOB_PUSH_WANTED, subject, due_ms, (struct span){text, (size_t)len});
}

static void write_entry(struct desk *desk, struct event *event, const struct entry_row *entry)
{
        struct entry_head head = desk_entry_head(desk, event->conversation, entry);
        member(&event->body, "entry");
        hot_entry_write(&event->body, &head);
}

int outbound_note_message(struct desk *desk, const struct conversation *conversation, const struct entry_row *entry)
{
        if (desk->webhooks.wanted == 0 || entry->log != LOG_PUBLIC) /* the team's log does not leave the house */
                return 0;
        struct event event = {.kind = WEBHOOK_MESSAGE_CREATED,
                              .type = "message.created",
                              .conversation = conversation,
                              .seq = entry->seq,
                              .author = entry->author};
        int rc = 0;
        if (is_wanted(desk, &event)) {
                begin(desk, &event);
                rc = write_place(desk, &event);
                if (rc == 0)
                        write_entry(desk, &event, entry);
                rc = end(desk, &event, rc);
        }
        event.kind = WEBHOOK_PUSH_WANTED;
        event.author = 0;
        if (rc == 0 && entry->author != conversation->row.customer && is_wanted(desk, &event))
                rc = want_push(desk, conversation, entry->seq, desk->now_ms + PUSH_AFTER_MS);
        return rc;
}

int outbound_note_changed(struct desk *desk, const struct conversation *conversation, const char *what, int64_t seq)
{
        struct event event = {
                .kind = WEBHOOK_CONVERSATION_CHANGED, .type = "conversation.changed", .conversation = conversation};
        if (!is_wanted(desk, &event))
                return 0;
        begin(desk, &event);
        int rc = write_place(desk, &event);
        member(&event.body, "what");
        writer_string(&event.body, span_of(what));
        if (seq > 0) {
                member(&event.body, "of");
                writer_int(&event.body, seq);
        }
        member(&event.body, "head");
        writer_int(&event.body, conversation->row.head);
        return end(desk, &event, rc);
}

int outbound_note_test(struct desk *desk, const struct webhook_target *target, uint64_t *out_event)
{
        struct event event = {.type = "webhook.test"};
        begin(desk, &event);
        member(&event.body, "webhook");
        writer_id(&event.body, "whk", target->ext);
        writer_raw(&event.body, SPAN("}}"));
        int rc = event.body.failed ? -PROTOCOL_ERR_INTERNAL : put_row(desk, &event, target->id);
        writer_done(&event.body);
        *out_event = event.id;
        return rc;
}

int outbound_forget(struct desk *desk, const struct conversation *conversation, int64_t seq)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_OUTBOUND_ERASE);
        db_bind_int(stmt, 1, conversation->row.id);
        db_bind_int(stmt, 2, seq);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* ---- push.wanted ---- */

static int write_devices(struct desk *desk, struct event *event)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_PUSH_DEVICES);
        db_bind_int(stmt, 1, event->conversation->row.customer);
        db_bind_int(stmt, 2, DEVICES_TOLD);
        member(&event->body, "devices");
        writer_char(&event->body, '[');
        int rc;
        for (bool is_first = true; (rc = db_step(stmt)) == DB_ROW; is_first = false) {
                struct span device = db_blob(stmt, 0), service = db_text(stmt, 1), token = db_text(stmt, 2);
                if (!is_first)
                        writer_char(&event->body, ',');
                writer_char(&event->body, '{');
                member(&event->body, "device");
                writer_hex(&event->body, (const uint8_t *)device.at, device.len);
                if (service.at && token.at) {
                        member(&event->body, "service");
                        writer_string(&event->body, service);
                        member(&event->body, "token");
                        writer_string(&event->body, token);
                }
                writer_char(&event->body, '}');
        }
        writer_char(&event->body, ']');
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static int want_now(struct desk *desk, const struct conversation *conversation)
{
        const struct conversation_row *row = &conversation->row;
        struct event event = {
                .kind = WEBHOOK_PUSH_WANTED, .type = "push.wanted", .conversation = conversation, .seq = row->last_seq};
        if (!is_wanted(desk, &event))
                return 0;
        begin(desk, &event);
        int rc = write_place(desk, &event);
        if (rc == 0)
                rc = write_devices(desk, &event);
        const struct protocol_entry_info *kind = protocol_entry_info((enum protocol_entry_kind)row->last_kind);
        member(&event.body, "seq");
        writer_int(&event.body, row->last_seq);
        member(&event.body, "kind");
        writer_string(&event.body, span_of(kind ? kind->name : "other"));
        member(&event.body, "unread");
        writer_int(&event.body, row->unread);
        member(&event.body, "preview");
        writer_string(&event.body, (struct span){row->preview, row->preview_len});
        return end(desk, &event, rc);
}

int push_wanted_run(struct desk *desk, int64_t subject, struct span body)
{
        struct conversation *conversation = NULL;
        char text[24];
        snprintf(text, sizeof text, "%.*s", (int)body.len, body.at ? body.at : "");
        int64_t seq = strtoll(text, NULL, 10);
        int rc = conversation_find(desk, (uint64_t)subject, &conversation);
        if (rc < 0)
                return desk->db_failure != 0 ? rc : 0; /* gone meanwhile */
        const struct conversation_row *row = &conversation->row;
        bool is_theirs = row->last_author != row->customer && row->last_kind != PROTOCOL_ENTRY_ERASED;
        if (!is_theirs || row->last_seq <= row->customer_recv)
                return 0;
        if (row->customer_recv < seq)
                return want_now(desk, conversation);
        int64_t due_ms = row->last_ts + PUSH_AFTER_MS; /* that one came through; a newer one has its own five seconds */
        char next[24];
        int len = snprintf(next, sizeof next, "%lld", (long long)row->last_seq);
        return jobs_put(desk, JOB_PUSH_WANTED, subject, due_ms > desk->now_ms ? due_ms : desk->now_ms,
                        (struct span){next, (size_t)len});
}
