/* SPDX-License-Identifier: Apache-2.0 */
/* Turns under way, in memory: which conversations wait for their bot, since when, and how often it was asked. The store
 * knows the same from bot_state, so nothing is lost with the process. Changes of a batch count from its commit on. */
#include <stdlib.h>

#include "desk/bot_thread.h"
#include "desk/desk_private.h"

enum {
        SLOTS = 4096,
        TRIES = 3,
        WAITS = 3,            /* for versions that are learned anew */
        ASK_AGAIN_MS = 10000, /* a built-in bot: it takes a fraction of a millisecond, but its thread may be busy */
        CALL_MS = 15000,      /* with a call of at most ten seconds */
        PROGRAM_MS = 10000,   /* a program with a bot key: it may be connecting again; three times */
        AFTER_FAILURE_MS = 1000,
};

struct under_way {
        uint64_t ext;
        uint64_t due_ms; /* monotonic; 0 = not asked yet */
        uint32_t tries, waits;
        int64_t waits_for;                     /* a version that is learned anew; 0 = none */
        uint64_t wait_until_ms;                /* monotonic; of all its waits */
        int64_t lost;                          /* a version that it has to do without; 0 = none */
        bool is_wanted, has_ended, is_touched; /* in the running batch */
        struct under_way *hash_next, *touched_next;
};

struct bot_turns {
        struct under_way *slots[SLOTS];
        struct under_way *touched;
        uint64_t due_ms; /* of the first; UINT64_MAX = none */
        size_t count;
};

int bot_turns_init(struct desk *desk)
{
        desk->bots.turns = calloc(1, sizeof *desk->bots.turns);
        if (!desk->bots.turns)
                return DB_NOMEM;
        desk->bots.turns->due_ms = UINT64_MAX;
        return 0;
}

void bot_turns_done(struct desk *desk)
{
        struct bot_turns *turns = desk->bots.turns;
        for (size_t i = 0; turns && i < SLOTS; i++) {
                while (turns->slots[i]) {
                        struct under_way *gone = turns->slots[i];
                        turns->slots[i] = gone->hash_next;
                        free(gone);
                }
        }
        free(turns);
        desk->bots.turns = NULL;
}

static struct under_way **slot_of(struct bot_turns *turns, uint64_t ext)
{
        struct under_way **link = &turns->slots[(ext * 0x9e3779b97f4a7c15u >> 40) % SLOTS];
        while (*link && (*link)->ext != ext)
                link = &(*link)->hash_next;
        return link;
}

static void touch(struct bot_turns *turns, struct under_way *turn)
{
        if (turn->is_touched)
                return;
        turn->is_touched = true;
        turn->touched_next = turns->touched;
        turns->touched = turn;
}

void bot_turns_want(struct desk *desk, const struct conversation *conversation)
{
        struct bot_turns *turns = desk->bots.turns;
        struct under_way **link = slot_of(turns, conversation->row.ext), *turn = *link;
        if (!turn) {
                turn = calloc(1, sizeof *turn);
                if (!turn) { /* the store knows; asked at the next message or start */
                        log_error(&desk->log, "no memory to ask a bot");
                        return;
                }
                turn->ext = conversation->row.ext;
                *link = turn;
                turns->count++;
        }
        turn->is_wanted = turn->due_ms == 0 || turn->has_ended;
        if (turn->is_wanted)
                touch(turns, turn);
}

void bot_turns_end(struct desk *desk, const struct conversation *conversation)
{
        struct under_way *turn = *slot_of(desk->bots.turns, conversation->row.ext);
        if (!turn)
                return;
        turn->has_ended = true;
        turn->is_wanted = false;
        touch(desk->bots.turns, turn);
}

void bot_turns_extend(struct desk *desk, const struct conversation *conversation, uint32_t ms)
{
        struct under_way *turn = *slot_of(desk->bots.turns, conversation->row.ext);
        if (!turn)
                return;
        turn->tries = TRIES; /* it has answered: it is not asked again */
        turn->due_ms = clock_mono_ms() + ms;
}

bool bot_turns_wait(struct desk *desk, const struct conversation *conversation, int64_t version)
{
        struct under_way *turn = *slot_of(desk->bots.turns, conversation->row.ext);
        if (!turn || turn->waits >= WAITS)
                return false;
        if (turn->waits++ == 0)
                turn->wait_until_ms = clock_mono_ms() + BOT_LEARNING_MS;
        turn->waits_for = version;
        turn->due_ms = turn->wait_until_ms;
        return true;
}

static void forget(struct bot_turns *turns, struct under_way *turn)
{
        *slot_of(turns, turn->ext) = turn->hash_next;
        turns->count--;
        free(turn);
}

static uint32_t time_for(const struct bot *bot)
{
        switch (bot->kind) {
        case BOT_WEBHOOK:
                return (bot->timeout_ms ? bot->timeout_ms : BOT_WEBHOOK_MS) + ASK_AGAIN_MS;
        case BOT_PROGRAM:
                return PROGRAM_MS;
        default:
                return bot->url ? CALL_MS : ASK_AGAIN_MS;
        }
}

/* When people get the conversation, as the bot is told. */
static int64_t deadline_of(const struct bot *bot, const struct under_way *turn)
{
        if (bot->kind == BOT_WEBHOOK)
                return clock_wall_ms() + (bot->timeout_ms ? bot->timeout_ms : BOT_WEBHOOK_MS);
        return clock_wall_ms() + (int64_t)(turn->tries < TRIES ? TRIES - turn->tries : 1) * PROGRAM_MS;
}

static int64_t version_for(const struct bot *bot, const struct conversation *conversation)
{
        int share = (int)((conversation->row.ext * 0xbf58476d1ce4e5b9u >> 33) % 100);
        return bot->canary != 0 && share < bot->canary_share ? bot->canary : bot->live;
}

/* 0, or why nobody can be asked. */
static const char *ask(struct desk *desk, struct under_way *turn, struct conversation *conversation)
{
        const struct bot *bot = bots_of_app(desk, conversation->row.app);
        if (!bot)
                return "off";
        struct bot_question question = {.conv = conversation->row.id,
                                        .conv_ext = conversation->row.ext,
                                        .customer = conversation->row.customer,
                                        .turn = conversation->row.owner_turn,
                                        .version = bot->kind == BOT_BUILT_IN ? version_for(bot, conversation) : 0,
                                        .lost = turn->lost,
                                        .hours = bot_hours_of(desk, conversation),
                                        .now_ms = clock_wall_ms(),
                                        .deadline_ms = deadline_of(bot, turn)};
        turn->due_ms = clock_mono_ms() + time_for(bot);
        turn->tries++;
        turn->waits_for = 0;
        return bot_thread_ask(desk, bot, &question) < 0 ? "busy" : NULL;
}

static void ask_or_forget(struct desk *desk, struct under_way *turn)
{
        struct conversation *conversation = NULL;
        if (conversation_find(desk, turn->ext, &conversation) < 0 || conversation->row.owner != OWNER_BOT)
                forget(desk->bots.turns, turn);
        else if (ask(desk, turn, conversation))
                turn->due_ms = clock_mono_ms() + AFTER_FAILURE_MS; /* then asked again, or given up, in a batch */
}

static void next_due(struct bot_turns *turns)
{
        turns->due_ms = UINT64_MAX;
        for (size_t i = 0; turns->count > 0 && i < SLOTS; i++)
                for (struct under_way *at = turns->slots[i]; at; at = at->hash_next)
                        if (at->due_ms != 0 && at->due_ms < turns->due_ms)
                                turns->due_ms = at->due_ms;
}

void bot_turns_committed(struct desk *desk)
{
        struct bot_turns *turns = desk->bots.turns;
        if (!turns->touched)
                return;
        while (turns->touched) {
                struct under_way *turn = turns->touched;
                turns->touched = turn->touched_next;
                turn->is_touched = false;
                if (!turn->is_wanted && turn->has_ended) {
                        forget(turns, turn);
                        continue;
                }
                turn->has_ended = false;
                if (!turn->is_wanted)
                        continue;
                turn->is_wanted = false;
                turn->tries = turn->waits = 0;
                turn->lost = 0;
                ask_or_forget(desk, turn);
        }
        next_due(turns);
}

/* What ended is asked again soon: its turn was not kept. What was wanted was never stored. */
void bot_turns_rolled_back(struct desk *desk)
{
        struct bot_turns *turns = desk->bots.turns;
        while (turns->touched) {
                struct under_way *turn = turns->touched;
                turns->touched = turn->touched_next;
                turn->is_touched = turn->is_wanted = false;
                if (turn->due_ms == 0) {
                        forget(turns, turn);
                        continue;
                }
                if (turn->has_ended)
                        turn->due_ms = clock_mono_ms() + AFTER_FAILURE_MS;
                turn->has_ended = false;
        }
        next_due(turns);
}

void bot_turns_wake(struct desk *desk, int64_t version, uint32_t in_ms)
{
        struct bot_turns *turns = desk->bots.turns;
        for (size_t i = 0; turns->count > 0 && i < SLOTS; i++) {
                struct under_way *turn = turns->slots[i], *next;
                for (; turn; turn = next) {
                        next = turn->hash_next;
                        if (turn->waits_for != version)
                                continue;
                        turn->waits_for = 0;
                        turn->tries = 0; /* the bot was heard of */
                        turn->due_ms = clock_mono_ms() + in_ms;
                        if (in_ms == 0)
                                ask_or_forget(desk, turn);
                }
        }
        next_due(turns);
}

const char *bot_turns_without(struct desk *desk, struct conversation *conversation, int64_t version)
{
        struct under_way *turn = *slot_of(desk->bots.turns, conversation->row.ext);
        const struct bot *bot = bots_of_app(desk, conversation->row.app);
        if (!turn || !bot || turn->lost == version || version == version_for(bot, conversation))
                return "version"; /* there is no other */
        turn->lost = version;
        turn->tries = 0;
        return ask(desk, turn, conversation);
}

int bot_turns_recover(struct desk *desk)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_STATES_DUE);
        struct bot_turns *turns = desk->bots.turns;
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct conversation named = {.row.ext = (uint64_t)db_int(stmt, 0)};
                bot_turns_want(desk, &named);
        }
        if (rc < 0)
                return rc;
        if (turns->count > 0)
                log_info(&desk->log, "conversations wait for their bot", "count", turns->count);
        bot_turns_committed(desk);
        return 0;
}

bool bot_turns_are_due(const struct desk *desk)
{
        return desk->bots.turns->due_ms <= clock_mono_ms();
}

uint64_t bot_turns_due_ms(const struct desk *desk)
{
        return desk->bots.turns->due_ms;
}

/* Nobody answered: asked again, the third time it is given up. */
static void run_one(struct desk *desk, struct under_way *turn)
{
        struct conversation *conversation = NULL;
        if (conversation_find(desk, turn->ext, &conversation) < 0 || conversation->row.owner != OWNER_BOT) {
                if (desk->db_failure == 0)
                        forget(desk->bots.turns, turn);
                return;
        }
        const char *why = turn->waits_for != 0  ? "version"
                          : turn->tries < TRIES ? ask(desk, turn, conversation)
                                                : "silent";
        if (why && strcmp(why, "busy") == 0) {
                turn->due_ms = clock_mono_ms() + AFTER_FAILURE_MS;
        } else if (why) {
                const struct bot *bot = bots_in_app(desk, conversation->row.app);
                turn->due_ms = clock_mono_ms() + AFTER_FAILURE_MS; /* should the batch be rolled back */
                if (bot)
                        bots_fail(desk, bot, conversation, why);
                else
                        bots_abandon(desk, conversation);
        }
}

void bot_turns_run_due(struct desk *desk)
{
        struct bot_turns *turns = desk->bots.turns;
        uint64_t now_ms = clock_mono_ms();
        for (size_t i = 0; i < SLOTS && desk->db_failure == 0; i++) {
                struct under_way *at = turns->slots[i];
                while (at && desk->db_failure == 0) {
                        struct under_way *next = at->hash_next;
                        if (at->due_ms != 0 && at->due_ms <= now_ms)
                                run_one(desk, at);
                        at = next;
                }
        }
        next_due(turns);
}
