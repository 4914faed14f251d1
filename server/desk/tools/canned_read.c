/* SPDX-License-Identifier: Apache-2.0 */
/* canned.list and canned.get, from a reader's view. */
#include <stdio.h>
#include <stdlib.h>

#include "desk/customers/attributes.h"
#include "desk/customers/words.h"
#include "desk/desk_private.h"
#include "desk/reading.h"
#include "desk/tools/canned.h"
#include "desk/tools/work.h"

enum { ROWS_DEFAULT = 50 };

/* Its languages, its own first, and (when wanted) its texts. A db_error or 0. */
static int read_texts(const struct reading *reading, const struct canned_row *row, bool is_whole,
                      struct protocol_canned_text *out, size_t *out_count)
{
        struct db_stmt *stmt = db_stmt(reading->db, SQL_CANNED_TEXTS);
        db_bind_int(stmt, 1, row->id);
        size_t count = 0;
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW && count < CANNED_TEXTS) {
                out[count] = (struct protocol_canned_text){.lang = reading_copy(reading, db_text(stmt, 0))};
                if (is_whole)
                        out[count].text = reading_copy(reading, db_text(stmt, 1));
                if (span_equal(out[count].lang, span_of(row->lang)) && count > 0) {
                        struct protocol_canned_text own = out[count];
                        memmove(out + 1, out, count * sizeof *out);
                        out[0] = own;
                }
                count++;
        }
        db_reset(stmt);
        *out_count = count;
        return rc < 0 ? rc : 0;
}

/* 0 or a db_error. */
static int fill_row(const struct reading *reading, const struct canned_row *row,
                    const struct protocol_canned_text *texts, size_t count, struct protocol_canned_row *out)
{
        bool is_own = row->owner != 0;
        *out = (struct protocol_canned_row){.canned = row->ext,
                                            .shortcut = reading_copy(reading, span_of(row->shortcut)),
                                            .name = reading_copy(reading, span_of(row->name)),
                                            .has_folder = row->folder[0] != 0,
                                            .folder = reading_copy(reading, span_of(row->folder)),
                                            .has_own = is_own,
                                            .own = is_own,
                                            .version = row->version,
                                            .uses = row->uses,
                                            .has_used = row->used_ms > 0,
                                            .used = row->used_ms};
        out->langs = arena_take(&reading->command->arena, CANNED_TEXTS * sizeof *out->langs);
        if (!out->langs)
                return DB_NOMEM;
        for (size_t i = 0; i < count; i++)
                out->langs[out->langs_count++] = texts[i].lang;
        return 0;
}

int read_canned_get(const struct reading *reading)
{
        const struct protocol_canned_get *params = reading->command->params;
        const struct caller *caller = &reading->command->caller;
        struct protocol_canned_text texts[CANNED_TEXTS];
        struct protocol_canned_get_result result = {.texts = texts};
        struct canned_row row;
        int rc = canned_by_ext(reading->db, caller->workspace, canned_viewer(caller), params->canned, &row);
        if (rc == DB_OK)
                return -PROTOCOL_ERR_NOT_FOUND;
        if (rc >= 0)
                rc = read_texts(reading, &row, true, texts, &result.texts_count);
        if (rc >= 0)
                rc = fill_row(reading, &row, texts, result.texts_count, &result.row);
        if (rc < 0)
                return reading_failed(reading, rc);
        protocol_canned_get_result_write(reading->out, &result);
        return 0;
}

/* ---- canned.list ---- */

struct list {
        const struct reading *reading;
        const struct protocol_canned_list *params;
        struct word_range terms[WORD_TERMS];
        int term_count;
        char shortcut[65];
        int64_t id, limit;
        bool has_next;
};

/* The row id and shortcut of the last row, with a dot between. */
static bool read_position(struct list *list)
{
        char text[91], *end;
        snprintf(text, sizeof text, "%.*s", (int)list->params->after.len, list->params->after.at);
        list->id = strtoll(text, &end, 10);
        if (*end != '.' || list->id <= 0 || strlen(end + 1) >= sizeof list->shortcut)
                return false;
        snprintf(list->shortcut, sizeof list->shortcut, "%s", end + 1);
        return true;
}

static bool is_in_folder(const struct canned_row *row, struct span folder)
{
        size_t len = strlen(row->folder);
        return len >= folder.len && memcmp(row->folder, folder.at, folder.len) == 0 &&
               (len == folder.len || row->folder[folder.len] == '/');
}

/* 1, 0 or a db_error. */
static int is_asked_for(const struct list *list, const struct canned_row *row)
{
        if (list->params->has_folder && !is_in_folder(row, list->params->folder))
                return 0;
        int rc = 1;
        for (int i = 0; rc == 1 && i < list->term_count; i++) {
                struct db_stmt *stmt = db_stmt(list->reading->db, SQL_CANNED_HAS_WORD);
                db_bind_int(stmt, 1, row->id);
                db_bind_text(stmt, 2, list->terms[i].low);
                db_bind_text(stmt, 3, list->terms[i].high);
                rc = db_step(stmt);
                db_reset(stmt);
        }
        return rc;
}

static int take_one(struct list *list, const struct canned_row *row, struct protocol_canned_list_result *result)
{
        struct protocol_canned_text texts[CANNED_TEXTS];
        size_t count = 0;
        int rc = read_texts(list->reading, row, false, texts, &count);
        return rc < 0 ? rc : fill_row(list->reading, row, texts, count, &result->rows[result->rows_count++]);
}

static int fill_page(struct list *list, struct protocol_canned_list_result *result)
{
        const struct caller *caller = &list->reading->command->caller;
        struct db_stmt *stmt = db_stmt(list->reading->db, SQL_CANNED_PAGE);
        char shortcut[65];
        memcpy(shortcut, list->shortcut, sizeof shortcut);
        db_bind_int(stmt, 1, caller->workspace);
        db_bind_int(stmt, 2, caller->role == ROLE_AGENT ? caller->principal : -1);
        db_bind_text(stmt, 3, span_of(shortcut));
        db_bind_int(stmt, 4, list->id);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct canned_row row;
                canned_read_row(stmt, &row);
                int fits = is_asked_for(list, &row);
                list->has_next = fits == 1 && (int64_t)result->rows_count == list->limit;
                if (list->has_next)
                        break;
                if (fits == 1)
                        fits = take_one(list, &row, result);
                if (fits < 0) {
                        rc = fits;
                        break;
                }
                list->id = row.id;
                memcpy(list->shortcut, row.shortcut, sizeof list->shortcut);
        }
        db_reset(stmt);
        return rc < 0 ? rc : 0;
}

int read_canned_list(const struct reading *reading)
{
        struct list list = {.reading = reading, .params = reading->command->params};
        struct protocol_canned_list_result result = {0};
        list.limit = list.params->has_limit ? list.params->limit : ROWS_DEFAULT;
        if (list.params->has_after && !read_position(&list))
                return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "after", "`next` of a page before");
        if (list.params->has_query) {
                list.term_count = words_query(list.params->query, &reading->command->arena, list.terms);
                if (list.term_count <= 0)
                        return list.term_count < 0 ? -PROTOCOL_ERR_INTERNAL
                                                   : fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "query",
                                                               "letters or digits");
        }
        result.rows = arena_take(&reading->command->arena, (size_t)list.limit * sizeof *result.rows);
        if (!result.rows)
                return -PROTOCOL_ERR_INTERNAL;
        int rc = fill_page(&list, &result);
        if (rc < 0)
                return reading_failed(reading, rc);
        char next[91];
        if (list.has_next) {
                snprintf(next, sizeof next, "%lld.%s", (long long)list.id, list.shortcut);
                result.has_next = true;
                result.next = span_of(next);
        }
        protocol_canned_list_result_write(reading->out, &result);
        return 0;
}
