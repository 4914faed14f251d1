/* SPDX-License-Identifier: Apache-2.0 */
/* Evict: keeps the cache within its limits. Entries go from the beginning of a log, so that what is left is still whole
 * from its low to its cursor, and history comes from the server again. Conversations that are open, the newest entries
 * of each, and whatever is unread or not done with stay; the outbox is not touched. */
#include "machine_private.h"

#include <stdlib.h>

enum { LOOK_EVERY = 256, KEEP_NEWEST = 50, CHUNK = 500, AT_ONCE = 4000 };

static int64_t lower(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

/* The highest number that may go, leaving `keep` entries. */
static int64_t may_go_upto(const deskbell_conversation *conv, int log, int64_t keep)
{
        const struct machine_settings *set = &conv->machine->set;
        const struct cached_place *at = &conv->place[log].at;
        int64_t upto = at->cursor - keep;

        if (conv->is_opened || at->low == 0)
                return 0;
        if (log == 0 && !set->is_staff)
                upto = lower(upto, conv->my_read); /* the others are counted as unread */
        if (set->manual_ack)
                upto = lower(upto, at->done);
        return upto;
}

/* How many entries went. */
static int64_t drop(deskbell_conversation *conv, int log, int64_t upto)
{
        struct cached_place *at = &conv->place[log].at;
        int64_t count = upto - at->low + 1;

        if (count <= 0)
                return 0;
        cache_entries_drop(conv->machine->cache, conv->row, log, upto);
        at->low = upto + 1;
        conv_touch(conv, false);
        return count;
}

static int64_t drop_beyond_count(struct machine *machine)
{
        int64_t max = machine->set.cache_max_entries, count = 0;

        for (size_t i = 0; max > 0 && i < machine->conv_count; i++)
                for (int log = 0; log < 2; log++)
                        count += drop(machine->convs[i], log, may_go_upto(machine->convs[i], log, max));
        return count;
}

struct order {
        struct machine *machine;
        deskbell_conversation **convs;
        size_t count;
};

static void note_conv(void *data, int64_t row)
{
        struct order *order = data;
        deskbell_conversation *conv = conv_by_row(order->machine, row);

        if (conv && order->count < order->machine->conv_count)
                order->convs[order->count++] = conv;
}

/* What the bot's version takes is not to cost entries. */
static int64_t used_bytes(const struct machine *machine)
{
        return cache_used_bytes(machine->cache) - answers_used_bytes(machine);
}

/* The oldest entries of the conversations that were opened longest ago, until nine tenths of the limit are left. */
static int64_t drop_beyond_bytes(struct machine *machine)
{
        int64_t max = machine->set.cache_max_bytes, count = 0;
        struct order order = {.machine = machine};
        bool is_too_big = max > 0 && used_bytes(machine) > max;

        if (!is_too_big || machine->conv_count == 0)
                return 0;
        order.convs = calloc(machine->conv_count, sizeof(*order.convs));
        if (!order.convs)
                return 0; /* another time */
        cache_by_opening(machine->cache, note_conv, &order);
        for (size_t i = 0; is_too_big && count < AT_ONCE && i < order.count; i++)
                for (int log = 0; log < 2; log++) {
                        int64_t upto = may_go_upto(order.convs[i], log, KEEP_NEWEST), went = 1;
                        while (is_too_big && went > 0 && count < AT_ONCE) {
                                went = drop(order.convs[i], log,
                                            lower(upto, order.convs[i]->place[log].at.low + CHUNK - 1));
                                count += went;
                                is_too_big = used_bytes(machine) > max / 10 * 9;
                        }
                }
        free(order.convs);
        machine->evict_wanted = is_too_big && count >= AT_ONCE; /* the rest in the next turn */
        return count;
}

void evict_check(struct machine *machine)
{
        if (!machine->evict_wanted && machine->evict_puts < LOOK_EVERY)
                return;
        machine->evict_wanted = false;
        machine->evict_puts = 0;
        int64_t went = drop_beyond_count(machine) + drop_beyond_bytes(machine);
        if (went > 0)
                cache_shrink(machine->cache);
}

void evict_opened(deskbell_conversation *conv)
{
        struct machine *machine = conv->machine;

        if (conv->row)
                cache_opened_put(machine->cache, conv->row, machine->wall_ms);
        machine->evict_wanted |= !conv->is_opened;
}

int64_t evict_next_ms(const struct machine *machine)
{
        return machine->evict_wanted ? machine->now_ms : INT64_MAX;
}
