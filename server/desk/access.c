/* SPDX-License-Identifier: Apache-2.0 */
/* access.add, .list and .remove: the keys of apps' back ends and of bots. The store holds their hashes only; the key
 * ring carries them to the network threads, and a key that is gone closes what was opened with it. */
#include "desk/desk_private.h"

#include <stdio.h>

int access_find_bot(struct desk *desk, struct span name, int64_t *out_id, uint64_t *out_ext)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_BY_NAME);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_text(stmt, 2, name);
        int rc = db_step(stmt);
        if (rc == DB_ROW) {
                *out_id = db_int(stmt, 0);
                *out_ext = (uint64_t)db_int(stmt, 1);
                db_reset(stmt);
                return 0;
        }
        if (rc < 0)
                return desk_db_failed(desk, rc);
        struct principal_row row = {.workspace = desk->workspace, .ext = desk_new_id(desk), .role = ROLE_BOT};
        snprintf(row.name, sizeof row.name, "%.*s", (int)name.len, name.at);
        rc = principals_insert(desk->db, &row, NULL, NULL, 0, desk->now_ms);
        *out_id = row.id;
        *out_ext = row.ext;
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static int insert_access(struct desk *desk, const struct protocol_access_add *params, int64_t app, int64_t bot,
                         uint64_t ext)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_ACCESS_INSERT);
        db_bind_int(stmt, 1, app);
        db_bind_int(stmt, 2, (int64_t)ext);
        db_bind_int(stmt, 3, bot);
        db_bind_blob(stmt, 4, params->key_hash, sizeof params->key_hash);
        db_bind_text(stmt, 5, params->label);
        db_bind_int(stmt, 6, desk->now_ms);
        int rc = db_run(stmt);
        if (rc == DB_CONSTRAINT)
                return -PROTOCOL_ERR_CONFLICT; /* that key is in use */
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int handle_access_add(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_access_add *params = command->params;
        bool for_bot = params->kind == PROTOCOL_ACCESS_ADD_KIND_BOT;
        struct protocol_access_add_result result = {0};
        int64_t app = 0, bot = 0;
        if (for_bot != params->has_bot)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "bot",
                                 for_bot ? "the bot's name" : "nothing: the key is an app's");
        int rc = operator_find_app(desk, params->app, &app);
        if (rc == 0 && for_bot) {
                result.has_bot = true;
                result.bot.role = ROLE_BOT;
                rc = access_find_bot(desk, params->bot, &bot, &result.bot.id);
        }
        result.access = desk_new_id(desk);
        if (rc == 0)
                rc = insert_access(desk, params, app, bot, result.access);
        if (rc < 0)
                return rc;
        desk->keys_changed = true;
        protocol_access_add_result_write(out, &result);
        return operator_audit(desk, "access.add", "acc", result.access, params->label);
}

static int read_row(struct desk *desk, struct desk_command *command, struct db_stmt *stmt,
                    struct protocol_access_row *out_row)
{
        struct span label = db_text(stmt, 2);
        char *copy = arena_take(&command->arena, label.len);
        if (!copy)
                return -PROTOCOL_ERR_INTERNAL;
        if (label.len > 0)
                memcpy(copy, label.at, label.len);
        int64_t bot = db_int(stmt, 1);
        *out_row =
                (struct protocol_access_row){.access = (uint64_t)db_int(stmt, 0),
                                             .kind = bot ? PROTOCOL_ACCESS_ROW_KIND_BOT : PROTOCOL_ACCESS_ROW_KIND_APP,
                                             .has_bot = bot != 0,
                                             .label = {copy, label.len},
                                             .created = db_int(stmt, 3)};
        if (bot)
                out_row->bot = directory_author(desk->directory, bot);
        return 0;
}

int handle_access_list(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        enum { ACCESS_MAX = 100 };
        const struct protocol_access_list *params = command->params;
        struct protocol_access_list_result result = {0};
        int64_t app = 0;
        int rc = operator_find_app(desk, params->app, &app);
        if (rc < 0)
                return rc;
        result.keys = arena_take(&command->arena, ACCESS_MAX * sizeof *result.keys);
        if (!result.keys)
                return -PROTOCOL_ERR_INTERNAL;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_ACCESS_OF);
        db_bind_int(stmt, 1, app);
        int db_rc = DB_OK;
        while (rc == 0 && result.keys_count < ACCESS_MAX && (db_rc = db_step(stmt)) == DB_ROW)
                rc = read_row(desk, command, stmt, &result.keys[result.keys_count++]);
        db_reset(stmt);
        if (db_rc < 0)
                return desk_db_failed(desk, db_rc);
        if (rc == 0)
                protocol_access_list_result_write(out, &result);
        return rc;
}

int handle_access_remove(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_access_remove *params = command->params;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_ACCESS_REMOVE);
        db_bind_int(stmt, 1, (int64_t)params->access);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (db_changes(desk->db) == 0)
                return -PROTOCOL_ERR_NOT_FOUND;
        desk->keys_changed = true;
        struct protocol_access_remove_result result = {0};
        protocol_access_remove_result_write(out, &result);
        return operator_audit(desk, "access.remove", "acc", params->access, (struct span){0});
}
