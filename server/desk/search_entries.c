/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/search_entries.h"

#include <stdio.h>
#include <stdlib.h>

#include "desk/desk_private.h"
#include "desk/indexer.h"
#include "protocol/planted.h"
#include "store/search.h"
#include "store/tokens.h"

enum {
        ROWS_DEFAULT = 20,
        HITS_AT_ONCE = 64,
        BEFORE_POINTS = 40,
        HIT_POINTS = 64,
        AFTER_POINTS = 120,
};

/* One search. */
struct asking {
        struct desk *desk;
        struct db *db;
        struct directory *directory;
        struct search *search;
        const struct caller *caller;
        struct reach reach; /* of an agent */
        struct span typed;
        struct writer *out;
        int64_t scope, within, before, limit;
        uint64_t end_ms; /* monotonic */
        int64_t rows;
        bool has_more, is_cut;
        char next[65]; /* of the last row written */
};

static bool is_agent(const struct caller *caller)
{
        return caller->role == ROLE_AGENT;
}

static int store_failed(const struct asking *asking, int rc)
{
        log_error(&asking->desk->log, "a search could not read the store", "code", rc);
        return -PROTOCOL_ERR_INTERNAL;
}

void search_view_done(struct search_view *view)
{
        view->search = search_close(view->search);
}

/* The index is another file when it had to be made anew. 0, or -PROTOCOL_ERR_OVERLOADED: it is not there yet. */
static int view_open(struct desk *desk, struct search_view *view)
{
        uint64_t generation = indexer_generation(desk->indexer);
        if (view->search && view->generation == generation)
                return 0;
        search_view_done(view);
        char *why = NULL;
        int rc = search_open(indexer_path(desk->indexer), DB_READER, &view->search, NULL, &why);
        free(why);
        view->generation = generation;
        return rc < 0 ? -PROTOCOL_ERR_OVERLOADED : 0;
}

/* ---- where a page goes on ---- */

static int bad_before(struct fault *fault)
{
        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "before", "`next` of a page before");
}

static void keep_next(struct asking *asking, int64_t ts, const struct search_hit *hit, uint64_t conv)
{
        snprintf(asking->next, sizeof asking->next, "%lld.%d.%lld.%llu", (long long)ts, hit->log, (long long)hit->seq,
                 (unsigned long long)conv);
}

/* Four numbers with dots between them, as keep_next writes them; nothing before, between or behind. */
static bool read_numbers(struct span text, uint64_t out[4])
{
        static const uint64_t most[4] = {INT64_MAX, 1, INT64_MAX, UINT64_MAX};
        size_t at = 0;
        for (int i = 0; i < 4; i++) {
                if (i > 0 && (at == text.len || text.at[at++] != '.'))
                        return false;
                size_t start = at;
                for (out[i] = 0; at < text.len && text.at[at] >= '0' && text.at[at] <= '9'; at++) {
                        uint64_t digit = (uint64_t)(text.at[at] - '0');
                        if (out[i] > (most[i] - digit) / 10)
                                return false;
                        out[i] = 10 * out[i] + digit;
                }
                if (at == start)
                        return false;
        }
        return at == text.len;
}

/* A page names its last row by what the caller knows of it: the numbers of the index would tell of other entries. If
 * the row has gone, the page starts with all of its millisecond again. */
static int read_before(struct asking *asking, struct span before, struct fault *fault)
{
        uint64_t numbers[4];
        if (!read_numbers(before, numbers) || numbers[2] < 1 || (numbers[1] == 1 && !is_agent(asking->caller)))
                return bad_before(fault);
        int64_t ts = (int64_t)numbers[0], seq = (int64_t)numbers[2];
        int log = (int)numbers[1];
        uint64_t ext = numbers[3];
        int64_t conv = 0, head;
        struct conversation_row row = {0};
        int rc = is_agent(asking->caller)
                         ? reach_view(asking->db, asking->caller, ext, &row)
                         : conversations_view_customer(asking->db, ext, asking->caller->principal, &conv, &head);
        if (rc < 0)
                return store_failed(asking, rc);
        if (rc == DB_OK)
                return bad_before(fault);
        if (is_agent(asking->caller))
                conv = row.id;
        if (search_place(asking->search, conv, log, seq, &asking->before) != DB_ROW)
                asking->before = search_place_after(ts);
        return 0;
}

static int find_app(struct asking *asking, uint64_t ext, int64_t *out_app)
{
        struct db_stmt *stmt = db_stmt(asking->db, SQL_APP_BY_EXT);
        db_bind_int(stmt, 1, (int64_t)ext);
        int rc = db_step(stmt);
        *out_app = rc == DB_ROW && db_int(stmt, 1) == asking->caller->workspace ? db_int(stmt, 0) : -1;
        db_reset(stmt);
        return rc < 0 ? store_failed(asking, rc) : 0;
}

/* ---- what is shown ---- */

static bool is_inner(char byte)
{
        return ((uint8_t)byte & 0xc0) == 0x80;
}

static size_t forward(struct span text, size_t at, int points)
{
        for (; at < text.len && points > 0; points--) {
                at++;
                while (at < text.len && is_inner(text.at[at]))
                        at++;
        }
        return at;
}

static size_t backward(struct span text, size_t at, int points)
{
        for (; at > 0 && points > 0; points--) {
                at--;
                while (at > 0 && is_inner(text.at[at]))
                        at--;
        }
        return at;
}

static struct span cut(struct span text, size_t from, size_t to)
{
        return (struct span){text.at + from, to - from};
}

static struct protocol_snippet snippet_of(struct span text, struct span hit)
{
        size_t at = hit.at ? (size_t)(hit.at - text.at) : 0;
        size_t hit_end = forward(text, at, HIT_POINTS);
        if (at + hit.len < hit_end)
                hit_end = at + hit.len;
        return (struct protocol_snippet){.before = cut(text, backward(text, at, BEFORE_POINTS), at),
                                         .hit = cut(text, at, hit_end),
                                         .after = cut(text, hit_end, forward(text, hit_end, AFTER_POINTS))};
}

/* The hit as it stands in the log. */
struct shown {
        int64_t ts, author, version, app, customer, workspace, team, assignee, invited;
        int kind;
        uint64_t conv;
        struct span body;
};

/* 1, 0, or a negative protocol error. */
static int may_see(const struct asking *asking, const struct search_hit *hit, const struct shown *shown)
{
        if (!is_agent(asking->caller))
                return hit->log == LOG_PUBLIC && shown->customer == asking->caller->principal;
        struct conversation_row row = {.id = hit->conv,
                                       .workspace = shown->workspace,
                                       .team = shown->team,
                                       .assignee = shown->assignee,
                                       .invited = shown->invited};
        int rc = reach_holds(&asking->reach, asking->db, &row);
        return rc < 0 ? store_failed(asking, rc) : rc;
}

static void write_row(struct asking *asking, const struct search_hit *hit, const struct shown *shown, struct span text,
                      struct span found)
{
        bool team = hit->log == LOG_TEAM;
        const struct protocol_entry_info *info = protocol_entry_info((enum protocol_entry_kind)shown->kind);
        struct protocol_found row = {.conv = shown->conv,
                                     .app = directory_app(asking->directory, shown->app),
                                     .has_customer = is_agent(asking->caller),
                                     .has_seq = !team,
                                     .seq = hit->seq,
                                     .has_iseq = team,
                                     .iseq = hit->seq,
                                     .ts = shown->ts,
                                     .author = directory_author(asking->directory, shown->author),
                                     .kind = span_of(info ? info->name : "other"),
                                     .snippet = snippet_of(text, found)};
        if (row.has_customer)
                row.customer = directory_author(asking->directory, shown->customer);
        if (asking->rows++ > 0)
                writer_char(asking->out, ',');
        protocol_found_write(asking->out, &row);
        keep_next(asking, shown->ts, hit, shown->conv);
}

/* An edit that the index has not seen yet may have taken the words away. */
static int show(struct asking *asking, const struct search_hit *hit, const struct shown *shown)
{
        struct arena arena;
        struct reader reader;
        struct fault ignored = {0};
        struct protocol_content content = {0};
        char first[4096];
        arena_init(&arena, first, sizeof first);
        char *copy = arena_take(&arena, shown->body.len);
        int rc = copy ? 0 : -PROTOCOL_ERR_INTERNAL;
        if (rc == 0 && shown->body.len > 0) {
                memcpy(copy, shown->body.at, shown->body.len);
                reader_init(&reader, copy, shown->body.len, READER_TOLERANT, &arena, &ignored);
                rc = protocol_content_read(&reader, &content);
        }
        struct span text = content.has_text ? content.text : content.fallback_text, found = {0};
        if (!text.at)
                text = SPAN("");
        int all = rc == 0 ? tokens_find(text, asking->typed, &found) : 0;
        if (all < 0)
                rc = -PROTOCOL_ERR_INTERNAL;
        if (rc == 0 && (all == 1 || shown->version == 1 || PLANTED("erased_text_in_search"))) {
                asking->has_more = asking->rows == asking->limit;
                if (!asking->has_more)
                        write_row(asking, hit, shown, text, found);
        }
        arena_done(&arena);
        return rc;
}

static int look_up(struct asking *asking, const struct search_hit *hit)
{
        struct db_stmt *stmt = db_stmt(asking->db, SQL_SEARCH_FOUND);
        db_bind_int(stmt, 1, hit->conv);
        db_bind_int(stmt, 2, hit->log);
        db_bind_int(stmt, 3, hit->seq);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc < 0 ? store_failed(asking, rc) : 0;
        struct shown shown = {.ts = db_int(stmt, 0),
                              .author = db_int(stmt, 1),
                              .kind = (int)db_int(stmt, 2),
                              .version = db_int(stmt, 3),
                              .body = db_text(stmt, 4),
                              .conv = (uint64_t)db_int(stmt, 5),
                              .app = db_int(stmt, 6),
                              .customer = db_int(stmt, 7),
                              .workspace = db_int(stmt, 8),
                              .team = db_int(stmt, 9),
                              .assignee = db_int(stmt, 10),
                              .invited = db_int(stmt, 11)};
        bool is_gone = shown.kind == PROTOCOL_ENTRY_ERASED && !PLANTED("erased_text_in_search");
        rc = is_gone ? 0 : may_see(asking, hit, &shown);
        if (rc == 1)
                rc = show(asking, hit, &shown);
        db_reset(stmt);
        return rc;
}

/* ---- the search ---- */

static int look_through(struct asking *asking)
{
        struct search_hit hits[HITS_AT_ONCE];
        size_t count = HITS_AT_ONCE;
        while (count == HITS_AT_ONCE && !asking->has_more && !asking->is_cut) {
                int64_t left_ms = (int64_t)(asking->end_ms - clock_mono_ms());
                struct search_query query = {.typed = asking->typed,
                                             .scopes = &asking->scope,
                                             .scope_count = 1,
                                             .within = asking->within,
                                             .before = asking->before,
                                             .budget_ms = left_ms > 0 ? (int)left_ms : 1};
                size_t wanted = (size_t)(asking->limit - asking->rows) + 1;
                int rc = search_query(asking->search, &query, wanted < HITS_AT_ONCE ? wanted : HITS_AT_ONCE, hits,
                                      &count, &asking->is_cut);
                if (rc < 0)
                        return -PROTOCOL_ERR_OVERLOADED; /* it is being made anew */
                bool is_last = count < (wanted < HITS_AT_ONCE ? wanted : HITS_AT_ONCE);
                for (size_t i = 0; i < count && !asking->has_more; i++) {
                        asking->before = hits[i].place;
                        if ((rc = look_up(asking, &hits[i])) < 0)
                                return rc;
                }
                if (clock_mono_ms() >= asking->end_ms && !is_last)
                        asking->is_cut = true;
                count = is_last ? 0 : HITS_AT_ONCE;
        }
        return 0;
}

static int prepare(struct asking *asking, const struct protocol_search_entries *params, struct fault *fault)
{
        const struct caller *caller = asking->caller;
        asking->typed = params->query;
        asking->limit = params->has_limit ? params->limit : ROWS_DEFAULT;
        asking->scope = is_agent(caller) ? scope_of_workspace(caller->workspace) : scope_of_customer(caller->principal);
        asking->end_ms = clock_mono_ms() + SEARCH_BUDGET_MS;
        int rc = is_agent(caller) ? reach_load(asking->db, caller, &asking->reach) : 0;
        if (rc < 0)
                return store_failed(asking, rc);
        rc = params->has_before ? read_before(asking, params->before, fault) : 0;
        int64_t app = 0;
        if (rc == 0 && params->has_app && (rc = find_app(asking, params->app, &app)) == 0)
                asking->within = scope_of_app(app);
        return rc;
}

int search_entries(struct desk *desk, struct db *db, struct directory *directory, struct search_view *view,
                   const struct desk_command *command, struct writer *out, struct fault *fault)
{
        struct asking asking = {.desk = desk, .db = db, .directory = directory, .caller = &command->caller, .out = out};
        if (command->caller.role != ROLE_AGENT && command->caller.role != ROLE_CUSTOMER)
                return -PROTOCOL_ERR_FORBIDDEN;
        int rc = view_open(desk, view);
        if (rc < 0)
                return rc;
        asking.search = view->search;
        int64_t rev = indexer_rev(desk->indexer); /* before the search: it is at least as far */
        rc = prepare(&asking, command->params, fault);
        if (rc < 0)
                return rc;
        writer_raw(out, SPAN("{\"rows\":["));
        if ((rc = look_through(&asking)) < 0)
                return rc;
        writer_char(out, ']');
        if ((asking.has_more || asking.is_cut) && asking.rows > 0) {
                writer_raw(out, SPAN(",\"next\":"));
                writer_string(out, span_of(asking.next));
        }
        if (asking.is_cut)
                writer_raw(out, SPAN(",\"cut\":true"));
        writer_raw(out, SPAN(",\"rev\":"));
        writer_int(out, rev);
        writer_char(out, '}');
        return 0;
}
