/* SPDX-License-Identifier: Apache-2.0 */
/* The desk's side of learning versions anew: which are known to be readable, at the builder's, or lost, and what
 * follows from a batch in which one came back. The builder's side is in bot_builder.c. */
#include "desk/bot_relearn.h"

#include <stdio.h>
#include <stdlib.h>

#include "desk/bot_admin.h"

enum { SOON_MS = 1000 };

/* A version that was looked at. */
struct looked_at {
        int64_t id;
        enum { AT_THE_BUILDER, READABLE, LOST } state;
        bool has_ended;  /* in the running batch: `outcome` */
        bool is_learned; /* here, not by somebody's push */
        enum bot_relearn_outcome outcome;
        struct bot_origin origin; /* what there is to say of it */
};

struct bot_relearning {
        struct looked_at *list;
        size_t count, room;
        bool have_ended; /* some, in the running batch */
};

int bot_relearn_init(struct desk *desk)
{
        desk->bots.relearning = calloc(1, sizeof *desk->bots.relearning);
        return desk->bots.relearning ? DB_OK : DB_NOMEM;
}

void bot_relearn_done(struct desk *desk)
{
        if (desk->bots.relearning)
                free(desk->bots.relearning->list);
        free(desk->bots.relearning);
        desk->bots.relearning = NULL;
}

/* ---- the list ---- */

static struct looked_at *find(struct bot_relearning *all, int64_t version)
{
        for (size_t i = 0; i < all->count; i++)
                if (all->list[i].id == version)
                        return &all->list[i];
        return NULL;
}

/* NULL: no memory. */
static struct looked_at *add(struct bot_relearning *all, int64_t version)
{
        if (all->count == all->room) {
                size_t room = all->room ? 2 * all->room : 8;
                struct looked_at *longer = realloc(all->list, room * sizeof *longer);
                if (!longer)
                        return NULL;
                all->list = longer;
                all->room = room;
        }
        all->list[all->count] = (struct looked_at){.id = version};
        return &all->list[all->count++];
}

static void drop(struct bot_relearning *all, size_t index)
{
        all->list[index] = all->list[--all->count];
}

/* ---- to the builder ---- */

/* False: there is no builder, or no memory. */
static bool post(struct desk *desk, int64_t version)
{
        struct desk_command *command = desk->bot_builder ? command_new(COMMAND_BOT_LEARNED, 0) : NULL;
        if (!command)
                return false;
        command->bot_origin.version = version;
        if (bot_builder_relearn(desk, command) == 0)
                return true;
        command_free(command);
        return false;
}

bool bot_relearn_want(struct desk *desk, int64_t version)
{
        struct bot_relearning *all = desk->bots.relearning;
        struct looked_at *it = find(all, version);
        if (it && it->state != READABLE) /* else it was: since then it has been damaged, or memory was short */
                return it->state == AT_THE_BUILDER;
        if (!it && !(it = add(all, version)))
                return false;
        it->state = AT_THE_BUILDER;
        if (post(desk, version))
                return true;
        drop(all, (size_t)(it - all->list));
        return false;
}

static bool is_in_place(const struct desk *desk, int64_t version)
{
        for (size_t i = 0; i < desk->bots.count; i++)
                if (desk->bots.rows[i].live == version || desk->bots.rows[i].canary == version)
                        return true;
        return false;
}

static void look_at(struct desk *desk, int64_t version)
{
        if (version != 0 && !find(desk->bots.relearning, version))
                bot_relearn_want(desk, version);
}

void bot_relearn_look(struct desk *desk)
{
        struct bot_relearning *all = desk->bots.relearning;
        for (size_t i = all->count; i-- > 0;) /* when it is needed again it is looked at again */
                if (all->list[i].state == READABLE && !all->list[i].has_ended && !is_in_place(desk, all->list[i].id))
                        drop(all, i);
        for (size_t i = 0; i < desk->bots.count; i++)
                look_at(desk, desk->bots.rows[i].live);
        for (size_t i = 0; i < desk->bots.count; i++)
                look_at(desk, desk->bots.rows[i].canary);
}

int bot_relearn_recover(struct desk *desk)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_VERSIONS_NEEDED);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW)
                look_at(desk, db_int(stmt, 0));
        return rc;
}

/* ---- from the builder ---- */

static void end(struct desk *desk, struct looked_at *it, enum bot_relearn_outcome outcome)
{
        it->has_ended = true;
        it->outcome = outcome;
        desk->bots.relearning->have_ended = true;
}

void bot_relearn_replaced(struct desk *desk, int64_t version)
{
        struct looked_at *it = find(desk->bots.relearning, version);
        if (!it) {
                it = add(desk->bots.relearning, version);
                if (!it)
                        return; /* the bot thread goes on with what it has */
                it->state = READABLE;
        }
        it->is_learned = false;
        end(desk, it, BOT_RELEARN_LEARNED);
}

void bot_relearn_came(struct desk *desk, struct desk_command *command)
{
        const struct bot_origin *origin = &command->bot_origin;
        enum bot_relearn_outcome outcome = (enum bot_relearn_outcome)origin->outcome;
        struct looked_at *it = find(desk->bots.relearning, origin->version);
        if (!it)
                return;
        if (outcome == BOT_RELEARN_LEARNED) {
                int rc = command->draft ? bot_publish_again(desk, origin->version, command->draft, SPAN("")) : 0;
                if (desk->db_failure != 0)
                        return;                                             /* the batch is rolled back */
                outcome = rc == 1 ? BOT_RELEARN_LEARNED : BOT_RELEARN_LOST; /* its bot was removed meanwhile */
                it = find(desk->bots.relearning, origin->version);
        }
        if (!it)
                return;
        it->origin = *origin;
        it->is_learned = outcome == BOT_RELEARN_LEARNED;
        end(desk, it, outcome);
}

static void settle(struct desk *desk, struct looked_at *it)
{
        it->has_ended = false;
        it->state = it->outcome == BOT_RELEARN_LOST ? LOST : READABLE;
        if (it->outcome != BOT_RELEARN_LEARNED)
                return;
        atomic_fetch_add_explicit(&desk->bot_blobs, 1, memory_order_release);
        if (it->is_learned)
                log_info(&desk->log, "a version of a bot was learned anew", "version", it->origin.version_name, "why",
                         it->origin.why, "ms", it->origin.took_ms);
}

void bot_relearn_committed(struct desk *desk)
{
        struct bot_relearning *all = desk->bots.relearning;
        if (!all->have_ended)
                return;
        all->have_ended = false;
        for (size_t i = all->count; i-- > 0;) {
                int64_t version = all->list[i].id;
                if (!all->list[i].has_ended)
                        continue;
                settle(desk, &all->list[i]);
                if (all->list[i].outcome == BOT_RELEARN_FAILED)
                        drop(all, i);
                bot_turns_wake(desk, version, 0);
        }
}

void bot_relearn_refused(struct desk *desk, const struct desk_command *command)
{
        struct bot_relearning *all = desk->bots.relearning;
        struct looked_at *it = find(all, command->bot_origin.version);
        if (!it)
                return;
        drop(all, (size_t)(it - all->list));
        bot_turns_wake(desk, command->bot_origin.version, SOON_MS);
}

void bot_relearn_rolled_back(struct desk *desk)
{
        struct bot_relearning *all = desk->bots.relearning;
        for (struct mailbox_item *item = desk->batch.first; item; item = item->next)
                if (command_of(item)->kind == COMMAND_BOT_LEARNED)
                        bot_relearn_refused(desk, command_of(item));
        for (size_t i = 0; i < all->count; i++) /* what was pushed again is as it was */
                all->list[i].has_ended = false;
        all->have_ended = false;
}
