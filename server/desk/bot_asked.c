/* SPDX-License-Identifier: Apache-2.0 */
/* What a bot of others is told of a turn: the conversation, its customer, the message. The same in the webhook's body,
 * in the event bot.turn and in bot.turns. */
#include <stdio.h>
#include <stdlib.h>

#include "desk/bot_private.h"

enum { FACTS_MAX = 64, ASKED_NAME_BYTES = 64, FACT_VALUE_BYTES = 1000, EVENT_ID_BYTES = 64 };

/* Copied into the arena; no bytes: no memory. */
static struct span keep(struct arena *arena, const char *text, size_t len)
{
        char *copy = arena_take(arena, len + 1);
        if (!copy)
                return (struct span){0};
        memcpy(copy, text, len);
        copy[len] = 0;
        return (struct span){copy, len};
}

/* A text field of the protocol carries no control characters but tab and newline. */
static bool is_plain(const char *text)
{
        for (; *text; text++)
                if ((uint8_t)*text == 0x7f || ((uint8_t)*text < ' ' && *text != '\n' && *text != '\t'))
                        return false;
        return true;
}

static size_t fit(const char *text)
{
        size_t len = strlen(text);
        if (len <= FACT_VALUE_BYTES)
                return len;
        len = FACT_VALUE_BYTES;
        while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
                len--;
        return len;
}

static bool put_fact(struct arena *arena, const char *name, const json_t *value, struct protocol_carried *out)
{
        char *dump = json_is_string(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        const char *text = dump ? dump : json_string_value(value);
        size_t name_len = strlen(name);
        bool is_good = text && name_len > 0 && name_len <= ASKED_NAME_BYTES && is_plain(name) && is_plain(text);
        if (is_good) {
                out->name = span_of(name);
                out->value = keep(arena, text, fit(text));
                is_good = out->value.at != NULL;
        }
        free(dump);
        return is_good;
}

static void put_facts(struct bot_asked *asked, struct protocol_bot_customer *out)
{
        const char *name;
        json_t *value;
        out->facts = arena_take(&asked->arena, FACTS_MAX * sizeof *out->facts);
        if (!out->facts)
                return;
        json_object_foreach(asked->facts, name, value) {
                if (out->facts_count == FACTS_MAX)
                        break;
                out->facts_count += put_fact(&asked->arena, name, value, &out->facts[out->facts_count]);
        }
        out->has_facts = out->facts_count > 0;
}

static void put_customer(struct bot_asked *asked, struct protocol_bot_customer *out)
{
        *out = (struct protocol_bot_customer){.id = {ROLE_CUSTOMER, asked->customer_ext},
                                              .has_external_id = asked->external_id && *asked->external_id,
                                              .has_name = asked->name && *asked->name,
                                              .has_locale = asked->locale && *asked->locale};
        if (out->has_external_id)
                out->external_id = span_of(asked->external_id);
        if (out->has_name)
                out->name = span_of(asked->name);
        if (out->has_locale)
                out->locale = span_of(asked->locale);
        put_facts(asked, out);
}

/* 1, 0: gone, or a db_error. */
static int put_conversation(struct db *db, const struct bot_task *task, struct bot_asked *asked,
                            struct protocol_bot_conversation *out)
{
        struct db_stmt *stmt = db_stmt(db, SQL_BOT_CONVERSATION);
        db_bind_int(stmt, 1, task->ask.conv);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        struct span key = db_text(stmt, 0);
        out->id = task->ask.conv_ext;
        out->key = keep(&asked->arena, key.at, key.len);
        out->app = (uint64_t)db_int(stmt, 1);
        db_reset(stmt);
        put_customer(asked, &out->customer);
        return out->key.at ? 1 : DB_NOMEM;
}

int bot_asked_fill(struct db *db, const struct bot_task *task, struct bot_asked *asked, struct protocol_bot_asked *out)
{
        char id[ID_TEXT_BYTES + 1] = "", event[EVENT_ID_BYTES];
        id_write(id, "cnv", task->ask.conv_ext);
        int len = snprintf(event, sizeof event, "%s-%lld", id, (long long)task->ask.turn);
        *out = (struct protocol_bot_asked){
                .event_id = keep(&asked->arena, event, (size_t)len),
                .turn = task->ask.turn,
                .seq = asked->seq,
                .has_state = asked->state && *asked->state,
                .message = {.content = asked->content, .kind = (enum protocol_entry_kind)asked->kind},
                .has_deadline = task->ask.deadline_ms > 0,
                .deadline = task->ask.deadline_ms};
        if (out->has_state)
                out->state = span_of(asked->state);
        if (!out->event_id.at)
                return DB_NOMEM;
        return put_conversation(db, task, asked, &out->conversation);
}
