/* SPDX-License-Identifier: Apache-2.0 */
/* Macros: several actions under a name, done to a ticket whole or not at all; and one action on many tickets, each
 * answered by itself. */
#include <stdio.h>
#include <stdlib.h>

#include "desk/customers/attributes.h"
#include "desk/desk_private.h"
#include "desk/people/people.h"
#include "desk/reading.h"
#include "desk/tools/actions.h"
#include "desk/tools/canned.h"
#include "desk/tools/work.h"

enum { MACROS_TOLD = 100, ACTIONS_BYTES = 8192 };

struct macro_row {
        int64_t id, owner, version, uses, used_ms;
        uint64_t ext;
        char name[801];
        struct span actions; /* in the command's arena */
};

/* ---- rows ---- */

static bool take_row(struct db_stmt *stmt, struct arena *arena, struct macro_row *out)
{
        struct span name = db_text(stmt, 3), actions = db_text(stmt, 4);
        *out = (struct macro_row){.id = db_int(stmt, 0),
                                  .ext = (uint64_t)db_int(stmt, 1),
                                  .owner = db_int(stmt, 2),
                                  .version = db_int(stmt, 5),
                                  .uses = db_int(stmt, 6),
                                  .used_ms = db_int(stmt, 7)};
        snprintf(out->name, sizeof out->name, "%.*s", (int)name.len, name.at);
        char *copy = arena_take(arena, actions.len + 1);
        if (copy)
                memcpy(copy, actions.at, actions.len);
        out->actions = (struct span){copy, actions.len};
        return copy != NULL;
}

/* One that the caller sees. 0 or a negative protocol error. */
static int find_macro(struct desk *desk, struct desk_command *command, uint64_t ext, struct macro_row *out)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_MACRO_BY_EXT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, (int64_t)ext);
        int rc = db_step(stmt);
        bool is_kept = rc != DB_ROW || take_row(stmt, &command->arena, out);
        db_reset(stmt);
        if (rc < 0 || !is_kept)
                return desk_db_failed(desk, rc < 0 ? rc : DB_NOMEM);
        bool is_his = rc == DB_ROW && (out->owner == 0 || out->owner == canned_viewer(&command->caller));
        return is_his ? 0 : -PROTOCOL_ERR_NOT_FOUND;
}

/* Stored actions, decoded in place. 0 or -1. */
static int read_actions(struct arena *arena, struct span json, struct protocol_macro_action *out, size_t *out_count)
{
        struct reader reader;
        struct fault ignored = {0};
        size_t count = 0;
        reader_init(&reader, (char *)json.at, json.len, READER_TOLERANT, arena, &ignored);
        int rc = reader_array(&reader, "actions");
        while (rc >= 0 && (rc = reader_item(&reader, count == 0)) == 1) {
                if (count == MACRO_ACTIONS)
                        return -1;
                rc = protocol_macro_action_read(&reader, &out[count++]);
        }
        *out_count = count;
        return rc < 0 ? -1 : 0;
}

static void write_actions(struct writer *writer, const struct protocol_macro_action *actions, size_t count)
{
        writer_char(writer, '[');
        for (size_t i = 0; i < count; i++) {
                if (i > 0)
                        writer_char(writer, ',');
                protocol_macro_action_write(writer, &actions[i]);
        }
        writer_char(writer, ']');
}

/* ---- macro.add, .set, .remove ---- */

static int check_name(struct desk *desk, int64_t owner, struct span name, int64_t own, struct fault *fault)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_MACRO_BY_NAME);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, owner);
        db_bind_text(stmt, 3, name);
        int rc = db_step(stmt);
        bool is_taken = rc == DB_ROW && db_int(stmt, 0) != own;
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        return is_taken ? fault_set(fault, PROTOCOL_ERR_CONFLICT, "name", "one that is not there yet") : 0;
}

static int check_count(struct desk *desk)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_MACRO_COUNT);
        db_bind_int(stmt, 1, desk->workspace);
        int rc = db_step(stmt);
        bool is_full = rc == DB_ROW && db_int(stmt, 0) >= MACROS_MAX;
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        return is_full ? -PROTOCOL_ERR_TOO_MANY : 0;
}

int handle_macro_add(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_macro_add *params = command->params;
        int64_t owner = params->has_own && params->own ? canned_viewer(&command->caller) : 0;
        if (params->has_own && params->own && owner == 0)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "own", "only agents have their own");
        int rc = canned_may_change(desk, &command->caller, owner);
        if (rc == 0)
                rc = actions_check_form(desk, params->actions, params->actions_count, fault);
        if (rc == 0)
                rc = check_name(desk, owner, params->name, 0, fault);
        if (rc == 0)
                rc = check_count(desk);
        if (rc < 0)
                return rc;
        struct writer actions;
        struct protocol_macro_add_result result = {.macro = desk_new_id(desk)};
        writer_init(&actions, NULL, 0);
        write_actions(&actions, params->actions, params->actions_count);
        struct db_stmt *stmt = db_stmt(desk->db, SQL_MACRO_INSERT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, (int64_t)result.macro);
        db_bind_int(stmt, 3, owner);
        db_bind_text(stmt, 4, params->name);
        db_bind_text(stmt, 5, (struct span){actions.bytes, actions.len});
        db_bind_int(stmt, 6, desk->now_ms);
        rc = actions.failed ? DB_NOMEM : db_run(stmt);
        writer_done(&actions);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        protocol_macro_add_result_write(out, &result);
        return owner ? 0 : admin_audit(desk, &command->caller, "macro.add", "mac", result.macro, (struct span){0});
}

static int save(struct desk *desk, const struct protocol_macro_set *params, const struct macro_row *row)
{
        struct writer actions;
        writer_init(&actions, NULL, 0);
        if (params->has_actions)
                write_actions(&actions, params->actions, params->actions_count);
        else
                writer_raw(&actions, row->actions);
        struct db_stmt *stmt = db_stmt(desk->db, SQL_MACRO_SAVE);
        db_bind_int(stmt, 1, row->id);
        db_bind_text(stmt, 2, params->has_name ? params->name : span_of(row->name));
        db_bind_text(stmt, 3, (struct span){actions.bytes, actions.len});
        int rc = actions.failed ? DB_NOMEM : db_run(stmt);
        writer_done(&actions);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int handle_macro_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_macro_set *params = command->params;
        struct macro_row row = {0};
        int rc = find_macro(desk, command, params->macro, &row);
        if (rc == 0)
                rc = canned_may_change(desk, &command->caller, row.owner);
        if (rc == 0 && params->version != row.version)
                return fault_set(fault, PROTOCOL_ERR_STALE, "version", "the version it has now");
        if (rc == 0 && params->has_actions)
                rc = actions_check_form(desk, params->actions, params->actions_count, fault);
        if (rc == 0 && params->has_name)
                rc = check_name(desk, row.owner, params->name, row.id, fault);
        if (rc == 0)
                rc = save(desk, params, &row);
        if (rc < 0)
                return rc;
        struct protocol_macro_set_result result = {.version = row.version + 1};
        protocol_macro_set_result_write(out, &result);
        return row.owner ? 0 : admin_audit(desk, &command->caller, "macro.set", "mac", row.ext, (struct span){0});
}

int handle_macro_remove(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_macro_remove *params = command->params;
        struct macro_row row = {0};
        int rc = find_macro(desk, command, params->macro, &row);
        if (rc == 0)
                rc = canned_may_change(desk, &command->caller, row.owner);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_MACRO_DELETE);
        db_bind_int(stmt, 1, row.id);
        rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        struct protocol_macro_remove_result result = {0};
        protocol_macro_remove_result_write(out, &result);
        return row.owner ? 0 : admin_audit(desk, &command->caller, "macro.remove", "mac", row.ext, (struct span){0});
}

/* ---- macro.list ---- */

static int fill_row(const struct reading *reading, const struct macro_row *row, struct protocol_macro_row *out)
{
        *out = (struct protocol_macro_row){.macro = row->ext,
                                           .name = reading_copy(reading, span_of(row->name)),
                                           .has_own = row->owner != 0,
                                           .own = row->owner != 0,
                                           .version = row->version,
                                           .uses = row->uses,
                                           .has_used = row->used_ms > 0,
                                           .used = row->used_ms};
        out->actions = arena_take(&reading->command->arena, MACRO_ACTIONS * sizeof *out->actions);
        return out->actions ? read_actions(&reading->command->arena, row->actions, out->actions, &out->actions_count)
                            : -1;
}

static int fill_page(const struct reading *reading, int64_t after, struct protocol_macro_list_result *result,
                     char next[24])
{
        const struct caller *caller = &reading->command->caller;
        struct db_stmt *stmt = db_stmt(reading->db, SQL_MACRO_PAGE);
        db_bind_int(stmt, 1, caller->workspace);
        db_bind_int(stmt, 2, caller->role == ROLE_AGENT ? caller->principal : -1);
        db_bind_int(stmt, 3, after);
        size_t bytes = 0;
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct macro_row row;
                bytes += db_text(stmt, 4).len;
                if (result->macros_count > 0 &&
                    (result->macros_count == MACROS_TOLD || bytes > PROTOCOL_PAGE_BYTES / 2)) {
                        result->has_next = true;
                        snprintf(next, 24, "%lld", (long long)after);
                        result->next = span_of(next);
                        break;
                }
                if (!take_row(stmt, &reading->command->arena, &row) ||
                    fill_row(reading, &row, &result->macros[result->macros_count++]) < 0) {
                        rc = DB_DAMAGED;
                        break;
                }
                after = row.id;
        }
        db_reset(stmt);
        return rc;
}

int read_macro_list(const struct reading *reading)
{
        const struct protocol_macro_list *params = reading->command->params;
        struct protocol_macro_list_result result = {0};
        char text[33], *end, next[24];
        snprintf(text, sizeof text, "%.*s", params->has_after ? (int)params->after.len : 0,
                 params->has_after ? params->after.at : "");
        int64_t after = strtoll(text, &end, 10);
        if (*end || after < 0)
                return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "after", "`next` of a page before");
        result.macros = arena_take(&reading->command->arena, MACROS_TOLD * sizeof *result.macros);
        if (!result.macros)
                return -PROTOCOL_ERR_INTERNAL;
        int rc = fill_page(reading, after, &result, next);
        if (rc < 0)
                return reading_failed(reading, rc);
        protocol_macro_list_result_write(reading->out, &result);
        return 0;
}

/* ---- doing it ---- */

int handle_macro_run(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_macro_run *params = command->params;
        struct protocol_macro_action actions[MACRO_ACTIONS];
        struct ticket *ticket = NULL;
        struct macro_row row = {0};
        size_t count = 0;
        int rc = find_macro(desk, command, params->macro, &row);
        if (rc == 0)
                rc = ticket_for(desk, &command->caller, params->ticket, params->version, &ticket, fault);
        if (rc == 0 && read_actions(&command->arena, row.actions, actions, &count) < 0)
                rc = desk_db_failed(desk, DB_DAMAGED);
        if (rc == 0)
                rc = actions_check(desk, command, ticket, actions, count, fault);
        if (rc < 0 || !ticket)
                return rc;
        char why[160];
        snprintf(why, sizeof why, "macro %.140s", row.name);
        rc = actions_run(desk, command, ticket, actions, count, why);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_MACRO_USED);
        db_bind_int(stmt, 1, row.id);
        db_bind_int(stmt, 2, desk->now_ms);
        rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        struct protocol_macro_run_result result = {.version = ticket->version};
        protocol_macro_run_result_write(out, &result);
        return 0;
}

/* One ticket of a bulk. 0, or the store failed. */
static int run_bulk(struct desk *desk, struct desk_command *command, const struct protocol_bulk_ticket *one,
                    struct protocol_bulk_answer *out)
{
        const struct protocol_ticket_bulk *params = command->params;
        struct ticket *ticket = NULL;
        struct fault ignored = {0};
        int rc = ticket_for(desk, &command->caller, one->ticket, one->version, &ticket, &ignored);
        if (rc == 0)
                rc = actions_check(desk, command, ticket, &params->action, 1, &ignored);
        if (rc == 0)
                rc = actions_run(desk, command, ticket, &params->action, 1, "bulk");
        if (desk->db_failure != 0)
                return -PROTOCOL_ERR_INTERNAL;
        *out = (struct protocol_bulk_answer){.ticket = one->ticket, .has_version = ticket != NULL};
        if (ticket)
                out->version = ticket->version;
        if (rc < 0) {
                out->has_error = true;
                out->error = span_of(protocol_error_info((enum protocol_error) - rc)->tag);
        }
        return 0;
}

static int check_bulk(struct desk *desk, const struct protocol_ticket_bulk *params, struct fault *fault)
{
        for (size_t i = 0; i < params->tickets_count; i++)
                for (size_t other = 0; other < i; other++)
                        if (params->tickets[i].ticket == params->tickets[other].ticket)
                                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "tickets", "none twice");
        int rc = actions_check_form(desk, &params->action, 1, fault);
        return rc;
}

int handle_ticket_bulk(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_ticket_bulk *params = command->params;
        struct protocol_ticket_bulk_result result = {0};
        int rc = check_bulk(desk, params, fault);
        if (rc < 0)
                return rc;
        result.answers = arena_take(&command->arena, params->tickets_count * sizeof *result.answers);
        if (!result.answers)
                return -PROTOCOL_ERR_INTERNAL;
        for (size_t i = 0; rc == 0 && i < params->tickets_count; i++)
                rc = run_bulk(desk, command, &params->tickets[i], &result.answers[result.answers_count++]);
        if (rc < 0)
                return rc;
        protocol_ticket_bulk_result_write(out, &result);
        return 0;
}
