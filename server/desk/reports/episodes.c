/* SPDX-License-Identifier: Apache-2.0 */
/* What bots came to: the rows of bot_event become episodes as bot.report has them (bot_outcomes.h), and each is kept
 * with what it comes to once it is decided, and when that is. So nothing that is kept changes by time passing alone;
 * who asks takes those that are open then apart (query_gather.c).
 *
 * Always true: a new row changes nothing of episodes before the last but one that is kept; only from there on they are
 * made again. */
#include <stdlib.h>
#include <string.h>

#include "desk/bot_names.h"
#include "desk/bot_numbers.h"
#include "desk/desk_private.h"
#include "desk/reports/reports_private.h"

/* Of one bot in one conversation. */
struct rows {
        struct bot_happened *all;
        int64_t *ids; /* of the rows of bot_event */
        size_t count, room;
        int64_t app;
        struct bot_names names;
};

void episodes_done(struct episode_list *list)
{
        free(list->facts);
        *list = (struct episode_list){0};
}

static struct episode_fact *add_fact(struct episode_list *list)
{
        if (list->count == list->room) {
                size_t room = list->room ? list->room * 2 : 4;
                struct episode_fact *facts = realloc(list->facts, room * sizeof *facts);
                if (!facts)
                        return NULL;
                list->facts = facts;
                list->room = room;
        }
        struct episode_fact *fact = &list->facts[list->count++];
        memset(fact, 0, sizeof *fact);
        return fact;
}

bool episode_same(const struct episode_fact *a, const struct episode_fact *b)
{
        return a->episode == b->episode && a->conv == b->conv && a->bot == b->bot && a->app == b->app &&
               a->began_ms == b->began_ms && a->open_ms == b->open_ms && a->outcome == b->outcome &&
               strcmp(a->lang, b->lang) == 0;
}

/* ---- making ---- */

static bool make_room(struct rows *rows)
{
        if (rows->count < rows->room)
                return true;
        size_t room = rows->room ? rows->room * 2 : 16;
        struct bot_happened *all = realloc(rows->all, room * sizeof *all);
        if (all)
                rows->all = all;
        int64_t *ids = all ? realloc(rows->ids, room * sizeof *ids) : NULL;
        if (!ids)
                return false;
        rows->ids = ids;
        rows->room = room;
        return true;
}

static int read_rows(struct db *db, struct rows *rows, int64_t conv, int64_t bot, int64_t from)
{
        struct db_stmt *stmt = db_stmt(db, SQL_REPORT_BOT_ROWS);
        int rc;
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, bot);
        db_bind_int(stmt, 3, from);
        while ((rc = db_step(stmt)) == DB_ROW) {
                int64_t rule = bot_names_number(&rows->names, db_text(stmt, 4), NULL);
                int64_t lang = bot_names_number(&rows->names, db_text(stmt, 5), NULL);
                if (rule < 0 || lang < 0 || !make_room(rows)) {
                        db_reset(stmt);
                        return DB_NOMEM;
                }
                rows->ids[rows->count] = db_int(stmt, 0);
                rows->all[rows->count++] = (struct bot_happened){.at_ms = db_int(stmt, 1),
                                                                 .seq = db_int(stmt, 2),
                                                                 .kind = (enum bot_happening)db_int(stmt, 3),
                                                                 .rule = (uint32_t)rule,
                                                                 .lang = (uint32_t)lang};
                rows->app = db_int(stmt, 6);
        }
        return rc;
}

static bool tell(const struct rows *rows, const struct bot_episode *made, struct episode_list *out_list)
{
        struct episode_fact *fact = add_fact(out_list);
        uint32_t lang = 0;
        if (!fact)
                return false;
        for (size_t i = made->first; i <= made->last && lang == 0; i++)
                lang = rows->all[i].lang;
        fact->episode = rows->ids[made->first];
        fact->began_ms = rows->all[made->first].at_ms;
        fact->open_ms = made->outcome == BOT_HANDED_OFF ? 0 : rows->all[made->last].at_ms + BOT_DECIDED_AFTER_MS;
        fact->outcome = made->outcome;
        fact->app = rows->app;
        fact_keep_word(fact->lang, span_of(rows->names.texts[lang]));
        return true;
}

static int make(struct db *db, struct rows *rows, int64_t conv, int64_t bot, int64_t from,
                struct episode_list *out_list)
{
        int rc = bot_names_init(&rows->names) < 0 ? DB_NOMEM : read_rows(db, rows, conv, bot, from);
        if (rc < 0 || rows->count == 0)
                return rc;
        rc = bot_find_silences(db, conv, rows->all, rows->count);
        if (rc < 0)
                return rc;
        struct bot_episode *made = calloc(rows->count, sizeof *made);
        if (!made)
                return DB_NOMEM;
        size_t count = bot_episodes(rows->all, rows->count, INT64_MAX, made); /* all are decided by then */
        for (size_t i = 0; i < count && rc >= 0; i++) {
                rc = tell(rows, &made[i], out_list) ? DB_OK : DB_NOMEM;
                if (rc == DB_OK) {
                        out_list->facts[i].conv = conv;
                        out_list->facts[i].bot = bot;
                }
        }
        free(made);
        return rc;
}

int episodes_make(struct db *db, int64_t conv, int64_t bot, int64_t from, struct episode_list *out_list)
{
        struct rows rows = {0};
        *out_list = (struct episode_list){0};
        int rc = make(db, &rows, conv, bot, from, out_list);
        bot_names_done(&rows.names);
        free(rows.all);
        free(rows.ids);
        return rc < 0 ? rc : DB_OK;
}

/* ---- what is kept ---- */

int episodes_load(struct db *db, int64_t conv, int64_t bot, int64_t from, struct episode_list *out_list)
{
        struct db_stmt *stmt = db_stmt(db, SQL_REPORT_EPISODES_OF);
        int rc;
        *out_list = (struct episode_list){0};
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, bot);
        db_bind_int(stmt, 3, from);
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct episode_fact *fact = add_fact(out_list);
                if (!fact) {
                        db_reset(stmt);
                        return DB_NOMEM;
                }
                fact->conv = conv;
                fact->bot = bot;
                fact->episode = db_int(stmt, 0);
                fact->began_ms = db_int(stmt, 1);
                fact->open_ms = db_int(stmt, 2);
                fact->outcome = (int)db_int(stmt, 3);
                fact->app = db_int(stmt, 4);
                fact_keep_word(fact->lang, db_text(stmt, 5));
        }
        return rc;
}

static int save(struct db *db, const struct episode_fact *fact)
{
        struct db_stmt *stmt = db_stmt(db, SQL_REPORT_EPISODE_PUT);
        const int64_t numbers[] = {fact->episode, fact->conv,    fact->bot, fact->began_ms,
                                   fact->open_ms, fact->outcome, fact->app};
        for (int i = 0; i < 7; i++)
                db_bind_int(stmt, i + 1, numbers[i]);
        db_bind_text(stmt, 8, span_of(fact->lang));
        return db_run(stmt);
}

static int replace(struct db *db, int64_t conv, int64_t bot, int64_t from, const struct episode_list *list)
{
        struct db_stmt *stmt = db_stmt(db, SQL_REPORT_EPISODES_REMOVE);
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, bot);
        db_bind_int(stmt, 3, from);
        int rc = db_run(stmt);
        for (size_t i = 0; rc >= 0 && i < list->count; i++)
                rc = save(db, &list->facts[i]);
        return rc;
}

int episodes_bots(struct db *db, int64_t conv, int64_t out_bots[REPORT_BOTS])
{
        struct db_stmt *stmt = db_stmt(db, SQL_REPORT_BOTS_OF);
        int count = 0, rc;
        db_bind_int(stmt, 1, conv);
        while ((rc = db_step(stmt)) == DB_ROW && count < REPORT_BOTS)
                out_bots[count++] = db_int(stmt, 0);
        db_reset(stmt);
        return rc < 0 ? rc : count;
}

/* ---- counting ---- */

static bool is_same(const struct episode_list *a, const struct episode_list *b)
{
        bool same = a->count == b->count;
        for (size_t i = 0; same && i < a->count; i++)
                same = episode_same(&a->facts[i], &b->facts[i]);
        return same;
}

static int count_from(struct desk *desk, struct tally *tally, int64_t conv, int64_t bot, int64_t from)
{
        struct episode_list was = {0}, is = {0};
        int rc = episodes_load(desk->db, conv, bot, from, &was);
        if (rc >= 0)
                rc = episodes_make(desk->db, conv, bot, from, &is);
        if (rc >= 0 && !is_same(&was, &is)) {
                for (size_t i = 0; i < was.count; i++)
                        tally_episode(tally, &was.facts[i], -1);
                for (size_t i = 0; i < is.count; i++)
                        tally_episode(tally, &is.facts[i], 1);
                rc = replace(desk->db, conv, bot, from, &is);
        }
        episodes_done(&was);
        episodes_done(&is);
        return rc < 0 ? rc : DB_OK;
}

int reports_count_met(struct desk *desk, struct tally *tally, int64_t conv, int64_t bot)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_REPORT_EPISODE_FROM);
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, bot);
        int rc = db_step(stmt);
        int64_t from = rc == DB_ROW ? db_int(stmt, 0) : 0;
        db_reset(stmt);
        return rc < 0 ? rc : count_from(desk, tally, conv, bot, from);
}

int reports_count_episodes(struct desk *desk, struct tally *tally, int64_t conv)
{
        int64_t bots[REPORT_BOTS];
        int count = episodes_bots(desk->db, conv, bots), rc = count < 0 ? count : DB_OK;
        for (int i = 0; rc >= 0 && i < count; i++)
                rc = count_from(desk, tally, conv, bots[i], 0);
        return rc;
}
