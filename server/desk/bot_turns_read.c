/* SPDX-License-Identifier: Apache-2.0 */
/* bot.turns. The store is asked, not the desk's memory: what is under way and what has not been asked yet are the same
 * to a bot that comes back. */
#include "desk/bot_turns_read.h"

#include "desk/bot_private.h"

enum { TURNS_MAX = 50 };

struct waiting {
        int64_t bot;
        struct bot_question ask;
};

/* How many, at most `most`, or a negative db_error. */
static int find_waiting(struct db *db, int64_t principal, int most, struct waiting *out)
{
        struct db_stmt *stmt = db_stmt(db, SQL_BOT_TURNS_WAITING);
        int count = 0, rc;
        db_bind_int(stmt, 1, principal);
        db_bind_int(stmt, 2, most);
        while ((rc = db_step(stmt)) == DB_ROW && count < most) {
                struct waiting *waiting = &out[count++];
                *waiting = (struct waiting){.bot = db_int(stmt, 0),
                                            .ask = {.conv = db_int(stmt, 1),
                                                    .conv_ext = (uint64_t)db_int(stmt, 2),
                                                    .customer = db_int(stmt, 3),
                                                    .turn = db_int(stmt, 4)}};
        }
        db_reset(stmt);
        return rc < 0 ? rc : count;
}

/* 1: written, 0: there is nothing to ask, or a negative db_error. */
static int write_one(struct desk *desk, struct db *db, const struct waiting *waiting, bool is_first, struct writer *out)
{
        struct bot_task task = {.bot.id = waiting->bot, .ask = waiting->ask};
        struct bot_asked asked;
        struct protocol_bot_asked turn;
        task.ask.is_open = atomic_load_explicit(&desk->is_somebody_here, memory_order_relaxed);
        int rc = bot_read(db, &task, &asked);
        if (rc != 1)
                return rc;
        rc = bot_asked_fill(db, &task, &asked, &turn);
        if (rc == 1) {
                if (!is_first)
                        writer_char(out, ',');
                protocol_bot_asked_write(out, &turn);
        }
        bot_asked_done(&asked);
        return rc;
}

int bot_turns_read(struct desk *desk, struct db *db, const struct desk_command *command, struct writer *out)
{
        const struct protocol_bot_turns *params = command->params;
        struct waiting waiting[TURNS_MAX + 1];
        int limit = params->has_limit ? (int)params->limit : TURNS_MAX, written = 0;
        size_t start = out->len;
        int count = find_waiting(db, command->caller.principal, limit + 1, waiting), rc = count < 0 ? count : 0;
        bool more = count > limit;
        writer_raw(out, SPAN("{\"turns\":["));
        for (int i = 0; rc >= 0 && i < count && i < limit; i++) {
                size_t before = out->len;
                rc = write_one(desk, db, &waiting[i], written == 0, out);
                if (written > 0 && out->len - start > PROTOCOL_PAGE_BYTES) {
                        out->len = before;
                        more = true;
                        break;
                }
                written += rc == 1;
        }
        writer_raw(out, more ? SPAN("],\"more\":true}") : SPAN("]}"));
        if (rc >= 0)
                return 0;
        log_error(&desk->log, "a read failed", "code", rc, "why", db_message(db));
        return -PROTOCOL_ERR_INTERNAL;
}
