/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a customer outside of conversations: events of the app's back end, screens, notes of the team. Each
 * kind is bounded; the oldest events and screens make room. */
#include "desk/customers/customers.h"

#include <openssl/sha.h>

#include "desk/desk_private.h"

enum { SCREEN_EVERY_MS = 1000, EVENTS_PER_S = 50, EVENTS_BURST = 200, DATA_BYTES = 4096 };

struct story {
        int64_t customer, at_ms, author, app;
        enum story_kind kind;
        struct span event, name, title, url, data;
        const uint8_t *hash; /* 16 bytes; NULL = none */
};

static int insert(struct desk *desk, const struct story *story)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_STORY_INSERT);
        db_bind_int(stmt, 1, story->customer);
        db_bind_int(stmt, 2, story->at_ms);
        db_bind_int(stmt, 3, story->kind);
        db_bind_int(stmt, 4, story->author);
        db_bind_int(stmt, 5, story->app);
        db_bind_text(stmt, 6, story->event);
        if (story->hash)
                db_bind_blob(stmt, 7, story->hash, 16);
        else
                db_bind_null(stmt, 7);
        db_bind_text(stmt, 8, story->name);
        db_bind_text(stmt, 9, story->title);
        db_bind_text(stmt, 10, story->url);
        db_bind_text(stmt, 11, story->data);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static int trim(struct desk *desk, int64_t customer, enum story_kind kind, int64_t most)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_STORY_TRIM);
        db_bind_int(stmt, 1, customer);
        db_bind_int(stmt, 2, kind);
        db_bind_int(stmt, 3, most);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int story_add(struct desk *desk, int64_t customer, enum story_kind kind, int64_t author, struct span title)
{
        const struct story story = {
                .customer = customer, .at_ms = desk->now_ms, .kind = kind, .author = author, .title = title};
        return insert(desk, &story);
}

/* ---- customer.note ---- */

int handle_customer_note(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_customer_note *params = command->params;
        struct principal_row row;
        int rc = customers_find(desk, &command->caller, params->customer, &row);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_STORY_COUNT);
        db_bind_int(stmt, 1, row.id);
        db_bind_int(stmt, 2, STORY_NOTE);
        rc = db_step(stmt);
        bool is_full = rc == DB_ROW && db_int(stmt, 0) >= CUSTOMER_NOTES;
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (is_full)
                return -PROTOCOL_ERR_TOO_MANY;
        const struct story story = {.customer = row.id,
                                    .at_ms = desk->now_ms,
                                    .kind = STORY_NOTE,
                                    .author = command->caller.role == ROLE_AGENT ? command->caller.principal : 0,
                                    .data = params->text};
        struct protocol_customer_note_result result = {0};
        protocol_customer_note_result_write(out, &result);
        return insert(desk, &story);
}

/* ---- customer.screen ---- */

int handle_customer_screen(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_customer_screen *params = command->params;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_STORY_NEWEST);
        db_bind_int(stmt, 1, command->caller.principal);
        db_bind_int(stmt, 2, STORY_SCREEN);
        int rc = db_step(stmt);
        int64_t since_ms = rc == DB_ROW ? desk->now_ms - db_int(stmt, 1) : SCREEN_EVERY_MS;
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (since_ms >= 0 && since_ms < SCREEN_EVERY_MS) {
                desk->answer.retry_after_ms = SCREEN_EVERY_MS - since_ms;
                return -PROTOCOL_ERR_RATE_LIMITED;
        }
        const struct story story = {.customer = command->caller.principal,
                                    .at_ms = desk->now_ms,
                                    .kind = STORY_SCREEN,
                                    .app = command->caller.app,
                                    .title = params->name,
                                    .url = params->has_url ? params->url : (struct span){0}};
        rc = insert(desk, &story);
        if (rc == 0)
                rc = trim(desk, story.customer, STORY_SCREEN, CUSTOMER_SCREENS);
        struct protocol_customer_screen_result result = {0};
        protocol_customer_screen_result_write(out, &result);
        return rc;
}

/* ---- customer.event ---- */

/* A bucket an app; apps beyond the bound share the last one. */
static bool take_budget(struct desk *desk, int64_t app)
{
        struct customers *customers = &desk->customers;
        size_t most = sizeof customers->budgets / sizeof *customers->budgets, i = 0;
        while (i + 1 < most && customers->budgets[i].app != 0 && customers->budgets[i].app != app)
                i++;
        struct event_budget *budget = &customers->budgets[i];
        if (budget->app == 0)
                *budget = (struct event_budget){app, desk->now_ms, EVENTS_BURST};
        int64_t gone_ms = desk->now_ms - budget->at_ms;
        int64_t more = gone_ms < 0 ? 0 : gone_ms > 3600000 ? EVENTS_BURST : gone_ms * EVENTS_PER_S / 1000;
        if (more > 0 || gone_ms < 0)
                budget->at_ms = desk->now_ms;
        budget->left = budget->left + more > EVENTS_BURST ? EVENTS_BURST : budget->left + (int32_t)more;
        if (budget->left <= 0)
                return false;
        budget->left--;
        return true;
}

static void write_data(struct writer *writer, const struct protocol_customer_event *params)
{
        writer_char(writer, '[');
        for (size_t i = 0; params->has_data && i < params->data_count; i++) {
                if (i > 0)
                        writer_char(writer, ',');
                protocol_event_value_write(writer, &params->data[i]);
        }
        writer_char(writer, ']');
}

/* What a repeat has to equal: whom it is about and all that it says. */
static void hash_event(const struct story *story, int64_t said_ms, uint8_t out[16])
{
        uint8_t digest[SHA256_DIGEST_LENGTH];
        struct writer all;
        writer_init(&all, NULL, 0);
        writer_int(&all, story->customer);
        writer_char(&all, ' ');
        writer_int(&all, said_ms);
        writer_string(&all, story->name);
        writer_string(&all, story->title);
        writer_string(&all, story->url.at ? story->url : SPAN(""));
        writer_raw(&all, story->data.at ? story->data : SPAN(""));
        SHA256((const uint8_t *)(all.bytes ? all.bytes : ""), all.len, digest);
        memcpy(out, digest, 16);
        writer_done(&all);
}

/* 1: told before; 0: new. */
static int find_event(struct desk *desk, const struct story *story)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_STORY_EVENT);
        db_bind_int(stmt, 1, story->app);
        db_bind_text(stmt, 2, story->event);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc < 0 ? desk_db_failed(desk, rc) : 0;
        struct span hash = db_blob(stmt, 0);
        bool is_same = hash.len == 16 && memcmp(hash.at, story->hash, 16) == 0;
        db_reset(stmt);
        return is_same ? 1 : -PROTOCOL_ERR_IDEMPOTENCY_CONFLICT;
}

static int tell_event(struct desk *desk, const struct story *story, struct writer *out)
{
        int rc = find_event(desk, story);
        struct protocol_customer_event_result result = {.has_dup = rc == 1, .dup = true};
        if (rc == 0 && !take_budget(desk, story->app)) {
                desk->answer.retry_after_ms = 1000;
                return -PROTOCOL_ERR_RATE_LIMITED;
        }
        if (rc == 0 && (rc = insert(desk, story)) == 0)
                rc = trim(desk, story->customer, STORY_EVENT, CUSTOMER_EVENTS);
        if (rc < 0)
                return rc;
        protocol_customer_event_result_write(out, &result);
        return 0;
}

int handle_customer_event(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_customer_event *params = command->params;
        if (command->caller.role != ROLE_CUSTOMER)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "act_as", "a customer");
        uint8_t hash[16];
        char first[DATA_BYTES];
        struct writer data;
        writer_init(&data, first, sizeof first);
        if (params->has_data)
                write_data(&data, params);
        struct story story = {.customer = command->caller.principal,
                              .at_ms = params->has_at ? params->at : desk->now_ms,
                              .kind = STORY_EVENT,
                              .app = command->caller.app,
                              .event = params->event,
                              .name = params->kind,
                              .title = params->title,
                              .url = params->has_url ? params->url : (struct span){0},
                              .data = params->has_data ? (struct span){data.bytes, data.len} : (struct span){0},
                              .hash = hash};
        hash_event(&story, params->has_at ? params->at : 0, hash);
        int rc = data.failed ? -PROTOCOL_ERR_INTERNAL : tell_event(desk, &story, out);
        writer_done(&data);
        return rc;
}
