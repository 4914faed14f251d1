/* SPDX-License-Identifier: Apache-2.0 */
/* bot.turns: what waits for a bot of others. The store is asked, not the memory of what is under way: that and what has
 * not been asked yet are the same to a bot that comes back. On the desk thread, which knows what holds of the team; a
 * page takes 2 ms at most, and is asked for once a connection. */
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
static int write_one(struct desk *desk, const struct waiting *waiting, bool is_first, struct writer *out)
{
        struct bot_task task = {.bot.id = waiting->bot, .ask = waiting->ask};
        struct bot_asked asked;
        struct protocol_bot_asked turn;
        struct conversation *conversation = NULL;
        if (conversation_find(desk, waiting->ask.conv_ext, &conversation) < 0)
                return desk->db_failure;
        task.ask.hours = bot_hours_of(desk, conversation);
        int rc = bot_read(desk->db, &task, &asked);
        if (rc != 1)
                return rc;
        rc = bot_asked_fill(desk->db, &task, &asked, &turn);
        if (rc == 1) {
                if (!is_first)
                        writer_char(out, ',');
                protocol_bot_asked_write(out, &turn);
        }
        bot_asked_done(&asked);
        return rc;
}

int handle_bot_turns(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_bot_turns *params = command->params;
        struct waiting waiting[TURNS_MAX + 1];
        int limit = params->has_limit ? (int)params->limit : TURNS_MAX, written = 0;
        size_t start = out->len;
        int count = find_waiting(desk->db, command->caller.principal, limit + 1, waiting), rc = count < 0 ? count : 0;
        bool more = count > limit;
        writer_raw(out, SPAN("{\"turns\":["));
        for (int i = 0; rc >= 0 && i < count && i < limit; i++) {
                size_t before = out->len;
                rc = write_one(desk, &waiting[i], written == 0, out);
                if (written > 0 && out->len - start > PROTOCOL_PAGE_BYTES) {
                        out->len = before;
                        more = true;
                        break;
                }
                written += rc == 1;
        }
        writer_raw(out, more ? SPAN("],\"more\":true}") : SPAN("]}"));
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}
