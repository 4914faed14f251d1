/* SPDX-License-Identifier: Apache-2.0 */
/* What a bot is asked, read from the store: its state, the customer's next message, and what is known of him. */
#include <stdlib.h>

#include "desk/bot_private.h"

void bot_asked_done(struct bot_asked *asked)
{
        free(asked->state);
        free(asked->external_id);
        free(asked->locale);
        free(asked->name);
        json_decref(asked->call);
        json_decref(asked->facts);
        arena_done(&asked->arena);
}

static char *copy_of(struct span text)
{
        return text.at ? strndup(text.at, text.len) : NULL;
}

static json_t *object_of(struct span text)
{
        json_t *value = text.at ? json_loadb(text.at, text.len, 0, NULL) : NULL;
        if (json_is_object(value))
                return value;
        json_decref(value);
        return NULL;
}

/* 1, 0: there is no such state, or a db_error. */
static int read_state(struct db *db, const struct bot_task *task, struct bot_asked *out, int64_t *out_asked)
{
        struct db_stmt *stmt = db_stmt(db, SQL_BOT_STATE_GET);
        db_bind_int(stmt, 1, task->ask.conv);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        bool is_his = db_int(stmt, 0) == task->bot.id;
        out->version = db_int(stmt, 1);
        out->is_in_flow = db_int(stmt, 2) != 0;
        *out_asked = db_int(stmt, 3);
        out->seq = db_int(stmt, 4);
        out->call = object_of(db_text(stmt, 5));
        out->state = copy_of(db_text(stmt, 6));
        db_reset(stmt);
        return is_his;
}

static int read_message(struct db *db, const struct bot_task *task, int64_t asked, struct bot_asked *out)
{
        struct db_stmt *stmt = db_stmt(db, SQL_BOT_QUESTION);
        db_bind_int(stmt, 1, task->ask.conv);
        db_bind_int(stmt, 2, out->seq);
        db_bind_int(stmt, 3, asked);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc; /* erased before it was answered */
        struct span body = db_text(stmt, 2);
        out->seq = db_int(stmt, 0);
        out->kind = (int)db_int(stmt, 1);
        char *copy = body.at ? arena_take(&out->arena, body.len) : NULL;
        if (copy) {
                struct reader reader;
                struct fault ignored = {0};
                memcpy(copy, body.at, body.len);
                reader_init(&reader, copy, body.len, READER_TOLERANT, &out->arena, &ignored);
                out->has_content = protocol_content_read(&reader, &out->content) == 0;
        }
        db_reset(stmt);
        return out->has_content ? 1 : DB_DAMAGED;
}

static int read_customer(struct db *db, const struct bot_task *task, struct bot_asked *out)
{
        struct db_stmt *stmt = db_stmt(db, SQL_BOT_CUSTOMER);
        db_bind_int(stmt, 1, task->ask.customer);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        out->customer_ext = (uint64_t)db_int(stmt, 0);
        out->external_id = copy_of(db_text(stmt, 1));
        out->locale = copy_of(db_text(stmt, 2));
        out->facts = object_of(db_text(stmt, 3));
        out->name = copy_of(db_text(stmt, 4));
        db_reset(stmt);
        out->facts = bot_hours_facts(&task->ask.hours, out->facts);
        return out->facts ? 1 : DB_NOMEM;
}

int bot_read(struct db *db, const struct bot_task *task, struct bot_asked *out)
{
        int64_t asked = 0;
        memset(out, 0, sizeof *out);
        arena_init(&out->arena, NULL, 0);
        int rc = read_state(db, task, out, &asked);
        if (rc == 1)
                rc = read_customer(db, task, out);
        if (rc == 1 && !out->call)
                rc = read_message(db, task, asked, out);
        if (rc != 1)
                bot_asked_done(out);
        return rc;
}
