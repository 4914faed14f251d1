/* SPDX-License-Identifier: Apache-2.0 */
/* canned.add, .set, .remove, .render, .used: replies that are written once and used often, each in several languages.
 */
#include "desk/tools/canned.h"

#include "desk/customers/words.h"
#include "desk/desk_private.h"
#include "desk/people/people.h"
#include "desk/tools/variables.h"
#include "desk/tools/work.h"

enum { WORDS_OF_CANNED = 300 };

/* ---- checks ---- */

static bool is_shortcut(struct span text)
{
        for (size_t i = 0; i < text.len; i++)
                if (text.at[i] == ' ')
                        return false;
        return text.len > 0;
}

static int check_texts(struct desk *desk, const struct protocol_canned_text *texts, size_t count, struct fault *fault)
{
        for (size_t i = 0; i < count; i++) {
                for (size_t other = 0; other < i; other++)
                        if (span_equal(texts[i].lang, texts[other].lang))
                                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "texts", "one text a language");
                int rc = variables_check(desk, texts[i].text, "text", fault);
                if (rc < 0) {
                        fault_at_item(fault, i);
                        fault_at_member(fault, "texts", 5);
                        return rc;
                }
        }
        return 0;
}

/* 0; or a negative protocol error: somebody has that shortcut (but for row `own`). */
static int check_shortcut(struct desk *desk, int64_t owner, struct span shortcut, int64_t own, struct fault *fault)
{
        if (!is_shortcut(shortcut))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "shortcut", "no spaces");
        struct db_stmt *stmt = db_stmt(desk->db, SQL_CANNED_BY_SHORTCUT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, owner);
        db_bind_text(stmt, 3, shortcut);
        int rc = db_step(stmt);
        bool is_taken = rc == DB_ROW && db_int(stmt, 0) != own;
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        return is_taken ? fault_set(fault, PROTOCOL_ERR_CONFLICT, "shortcut", "one that is not there yet") : 0;
}

static int count_all(struct desk *desk, enum sql_id id, int64_t *out_count)
{
        struct db_stmt *stmt = db_stmt(desk->db, id);
        db_bind_int(stmt, 1, desk->workspace);
        int rc = db_step(stmt);
        *out_count = rc == DB_ROW ? db_int(stmt, 0) : 0;
        db_reset(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* ---- writing ---- */

static int run_for(struct desk *desk, enum sql_id id, int64_t canned)
{
        struct db_stmt *stmt = db_stmt(desk->db, id);
        db_bind_int(stmt, 1, canned);
        return db_run(stmt);
}

static int put_texts(struct desk *desk, int64_t canned, const struct protocol_canned_text *texts, size_t count)
{
        int rc = run_for(desk, SQL_CANNED_TEXTS_DELETE, canned);
        for (size_t i = 0; rc >= 0 && i < count; i++) {
                struct db_stmt *stmt = db_stmt(desk->db, SQL_CANNED_TEXT_PUT);
                db_bind_int(stmt, 1, canned);
                db_bind_text(stmt, 2, texts[i].lang);
                db_bind_text(stmt, 3, texts[i].text);
                rc = db_run(stmt);
        }
        return rc;
}

static int add_texts(struct desk *desk, int64_t canned, struct words *words)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_CANNED_TEXTS);
        db_bind_int(stmt, 1, canned);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                if (words_add(words, db_text(stmt, 1)) < 0) {
                        db_reset(stmt);
                        return DB_NOMEM;
                }
        }
        return rc;
}

/* What it is found by: shortcut, name, folder, texts. */
static int put_words(struct desk *desk, const struct canned_row *row, struct arena *arena)
{
        struct words words;
        bool is_full = words_init(&words, arena, WORDS_OF_CANNED) < 0 ||
                       words_add(&words, span_of(row->shortcut)) < 0 || words_add(&words, span_of(row->name)) < 0 ||
                       words_add(&words, span_of(row->folder)) < 0;
        int rc = is_full ? DB_NOMEM : add_texts(desk, row->id, &words);
        if (rc >= 0)
                rc = run_for(desk, SQL_CANNED_WORDS_DELETE, row->id);
        for (size_t i = 0; rc >= 0 && i < words.count; i++) {
                struct db_stmt *stmt = db_stmt(desk->db, SQL_CANNED_WORD_PUT);
                db_bind_int(stmt, 1, desk->workspace);
                db_bind_text(stmt, 2, words.at[i]);
                db_bind_int(stmt, 3, row->id);
                rc = db_run(stmt);
        }
        return rc;
}

static void set_text(char *to, size_t room, struct span text)
{
        size_t len = text.len < room ? text.len : room - 1;
        if (len > 0)
                memcpy(to, text.at, len);
        to[len] = 0;
}

static int insert(struct desk *desk, struct canned_row *row)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_CANNED_INSERT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, (int64_t)row->ext);
        db_bind_int(stmt, 3, row->owner);
        db_bind_text(stmt, 4, span_of(row->shortcut));
        db_bind_text(stmt, 5, span_of(row->name));
        db_bind_text(stmt, 6, span_of(row->folder));
        db_bind_text(stmt, 7, span_of(row->lang));
        db_bind_int(stmt, 8, desk->now_ms);
        int rc = db_run(stmt);
        row->id = db_last_id(desk->db);
        return rc;
}

/* ---- canned.add ---- */

static int check_add(struct desk *desk, const struct desk_command *command, int64_t owner, struct fault *fault)
{
        const struct protocol_canned_add *params = command->params;
        int64_t count = 0;
        if (params->has_own && params->own && owner == 0)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "own", "only agents have their own");
        int rc = canned_may_change(desk, &command->caller, owner);
        if (rc == 0)
                rc = check_shortcut(desk, owner, params->shortcut, 0, fault);
        if (rc == 0)
                rc = check_texts(desk, params->texts, params->texts_count, fault);
        if (rc == 0)
                rc = count_all(desk, SQL_CANNED_COUNT, &count);
        return rc == 0 && count >= CANNED_MAX ? -PROTOCOL_ERR_TOO_MANY : rc;
}

int handle_canned_add(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_canned_add *params = command->params;
        struct canned_row row = {.owner = params->has_own && params->own ? canned_viewer(&command->caller) : 0};
        int rc = check_add(desk, command, row.owner, fault);
        if (rc < 0)
                return rc;
        row.ext = desk_new_id(desk);
        set_text(row.shortcut, sizeof row.shortcut, params->shortcut);
        set_text(row.name, sizeof row.name, params->name);
        set_text(row.folder, sizeof row.folder, params->has_folder ? params->folder : SPAN(""));
        set_text(row.lang, sizeof row.lang, params->texts[0].lang);
        rc = insert(desk, &row);
        if (rc >= 0)
                rc = put_texts(desk, row.id, params->texts, params->texts_count);
        if (rc >= 0)
                rc = put_words(desk, &row, &command->arena);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        struct protocol_canned_add_result result = {.canned = row.ext};
        protocol_canned_add_result_write(out, &result);
        return row.owner ? 0 : admin_audit(desk, &command->caller, "canned.add", "can", row.ext, (struct span){0});
}

/* ---- canned.set, canned.remove ---- */

/* One that the caller sees and may change. */
static int find_own(struct desk *desk, const struct caller *caller, uint64_t ext, struct canned_row *out_row)
{
        int rc = canned_by_ext(desk->db, desk->workspace, canned_viewer(caller), ext, out_row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        return rc == DB_OK ? -PROTOCOL_ERR_NOT_FOUND : canned_may_change(desk, caller, out_row->owner);
}

static int check_set(struct desk *desk, const struct protocol_canned_set *params, const struct canned_row *row,
                     struct fault *fault)
{
        if (params->version != row->version)
                return fault_set(fault, PROTOCOL_ERR_STALE, "version", "the version it has now");
        int rc = params->has_shortcut ? check_shortcut(desk, row->owner, params->shortcut, row->id, fault) : 0;
        return rc == 0 && params->has_texts ? check_texts(desk, params->texts, params->texts_count, fault) : rc;
}

int handle_canned_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_canned_set *params = command->params;
        struct canned_row row = {0};
        int rc = find_own(desk, &command->caller, params->canned, &row);
        if (rc == 0)
                rc = check_set(desk, params, &row, fault);
        if (rc < 0)
                return rc;
        if (params->has_shortcut)
                set_text(row.shortcut, sizeof row.shortcut, params->shortcut);
        if (params->has_name)
                set_text(row.name, sizeof row.name, params->name);
        if (params->has_folder)
                set_text(row.folder, sizeof row.folder, params->folder);
        if (params->has_texts)
                set_text(row.lang, sizeof row.lang, params->texts[0].lang);
        struct db_stmt *stmt = db_stmt(desk->db, SQL_CANNED_SAVE);
        db_bind_int(stmt, 1, row.id);
        db_bind_text(stmt, 2, span_of(row.shortcut));
        db_bind_text(stmt, 3, span_of(row.name));
        db_bind_text(stmt, 4, span_of(row.folder));
        db_bind_text(stmt, 5, span_of(row.lang));
        rc = db_run(stmt);
        if (rc >= 0 && params->has_texts)
                rc = put_texts(desk, row.id, params->texts, params->texts_count);
        if (rc >= 0)
                rc = put_words(desk, &row, &command->arena);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        struct protocol_canned_set_result result = {.version = row.version + 1};
        protocol_canned_set_result_write(out, &result);
        return row.owner ? 0 : admin_audit(desk, &command->caller, "canned.set", "can", row.ext, (struct span){0});
}

int handle_canned_remove(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        static const enum sql_id all[] = {SQL_CANNED_TEXTS_DELETE, SQL_CANNED_WORDS_DELETE, SQL_CANNED_DELETE};
        const struct protocol_canned_remove *params = command->params;
        struct canned_row row = {0};
        int rc = find_own(desk, &command->caller, params->canned, &row);
        if (rc < 0)
                return rc;
        for (size_t i = 0; rc >= 0 && i < sizeof all / sizeof *all; i++)
                rc = run_for(desk, all[i], row.id);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        struct protocol_canned_remove_result result = {0};
        protocol_canned_remove_result_write(out, &result);
        return row.owner ? 0 : admin_audit(desk, &command->caller, "canned.remove", "can", row.ext, (struct span){0});
}

/* ---- canned.render, canned.used ---- */

/* The language wanted: as asked for, else the ticket's, else the customer's. */
static int language_of(struct desk *desk, const struct protocol_canned_render *params,
                       const struct variables_scene *scene, struct span *out_lang)
{
        *out_lang = params->has_lang ? params->lang : span_of(scene->ticket ? scene->ticket->lang : NULL);
        return out_lang->len > 0 ? 0 : customers_value(desk, scene->customer, SPAN("locale"), out_lang);
}

static int find_named(struct desk *desk, const struct desk_command *command, struct canned_row *out_row,
                      struct fault *fault)
{
        const struct protocol_canned_render *params = command->params;
        int64_t viewer = canned_viewer(&command->caller);
        if (params->has_canned == params->has_shortcut)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "canned", "exactly one of canned and shortcut");
        int rc = params->has_canned ? canned_by_ext(desk->db, desk->workspace, viewer, params->canned, out_row)
                                    : canned_by_shortcut(desk->db, desk->workspace, viewer, params->shortcut, out_row);
        return rc < 0 ? desk_db_failed(desk, rc) : rc == DB_ROW ? 0 : -PROTOCOL_ERR_NOT_FOUND;
}

int handle_canned_render(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_canned_render *params = command->params;
        struct protocol_canned_render_result result = {0};
        struct conversation *conversation = NULL;
        struct canned_row row = {0};
        struct span lang = {0}, text = {0};
        int rc = find_named(desk, command, &row, fault);
        if (rc == 0)
                rc = conversation_for(desk, &command->caller, params->conv, &conversation);
        if (rc < 0 || !conversation)
                return rc;
        struct variables_scene scene = {.customer = conversation->row.customer,
                                        .agent = command->caller.principal,
                                        .ticket = tickets_of_conversation(desk, conversation->row.id)};
        struct variables_missing missing;
        rc = language_of(desk, params, &scene, &lang);
        if (rc < 0)
                return rc;
        rc = canned_text_in(desk->db, &row, lang, &command->arena, &result.lang, &text);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        rc = variables_fill(desk, &scene, text, &command->arena, &result.text, &missing);
        if (rc < 0)
                return rc;
        result.canned = row.ext;
        result.has_missing = missing.count > 0;
        result.missing = missing.names;
        result.missing_count = missing.count;
        protocol_canned_render_result_write(out, &result);
        return 0;
}

int handle_canned_used(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_canned_used *params = command->params;
        struct canned_row row = {0};
        int rc = canned_by_ext(desk->db, desk->workspace, canned_viewer(&command->caller), params->canned, &row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK)
                return -PROTOCOL_ERR_NOT_FOUND;
        struct protocol_canned_used_result result = {0};
        protocol_canned_used_result_write(out, &result);
        return canned_count_use(desk, row.id);
}
