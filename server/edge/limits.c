/* SPDX-License-Identifier: Apache-2.0 */
/* An open-addressed table, at most half full, swept a part at a time. Deleting moves the followers up, so that there
 * are no tombstones. Slot `crowd` is the bucket of all for whom there is no room. */
#include "edge/limits.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 256, MOST_ROOM = 65536, SWEEP_STEP = 1024 };

struct place {
        uint64_t key;   /* 0 = empty */
        uint64_t at_ms; /* when `tokens` was right */
        double tokens;
        uint32_t pending;
};

struct limits {
        struct place *places;
        size_t room, used, swept;
        double per_minute;
        uint32_t pending_max;
        struct place crowd;
};

struct limits *limits_new(uint32_t per_minute, uint32_t pending_max)
{
        struct limits *limits = calloc(1, sizeof(*limits));
        if (!limits)
                return NULL;

        limits->per_minute = per_minute;
        limits->pending_max = pending_max;
        limits->crowd.tokens = per_minute;
        limits->room = FIRST_ROOM;
        limits->places = calloc(limits->room, sizeof(*limits->places));
        if (!limits->places) {
                free(limits);
                return NULL;
        }
        return limits;
}

struct limits *limits_free(struct limits *limits)
{
        if (limits)
                free(limits->places);
        free(limits);
        return NULL;
}

uint64_t limits_key(const struct sockaddr_in6 *address)
{
        const uint8_t *bytes = address->sin6_addr.s6_addr;
        uint64_t key = 0;
        if (IN6_IS_ADDR_V4MAPPED(&address->sin6_addr)) {
                uint32_t v4;
                memcpy(&v4, bytes + 12, sizeof(v4));
                return 0xffffffff00000000u | ntohl(v4); /* ffff:: is multicast, so no v6 peer has this key */
        }
        for (int i = 0; i < 8; i++)
                key = key << 8 | bytes[i];
        return key ? key : 1; /* ::1 and its like */
}

static size_t home_of(const struct limits *limits, uint64_t key)
{
        return (size_t)((key * 0x9e3779b97f4a7c15u) >> 32) & (limits->room - 1);
}

static struct place *find(struct limits *limits, uint64_t key)
{
        size_t i = home_of(limits, key);
        while (limits->places[i].key && limits->places[i].key != key)
                i = (i + 1) & (limits->room - 1);
        return &limits->places[i];
}

static bool grow(struct limits *limits)
{
        if (limits->room >= MOST_ROOM)
                return false;
        struct place *old = limits->places;
        size_t old_room = limits->room;
        struct place *places = calloc(old_room * 2, sizeof(*places));
        if (!places)
                return false;

        limits->places = places;
        limits->room = old_room * 2;
        limits->swept = 0;
        for (size_t i = 0; i < old_room; i++)
                if (old[i].key)
                        *find(limits, old[i].key) = old[i];
        free(old);
        return true;
}

static void refill(struct limits *limits, struct place *place, uint64_t now_ms)
{
        if (now_ms > place->at_ms)
                place->tokens += (double)(now_ms - place->at_ms) * limits->per_minute / 60000.0;
        if (place->tokens > limits->per_minute)
                place->tokens = limits->per_minute;
        place->at_ms = now_ms;
}

static void remove_place(struct limits *limits, size_t hole)
{
        size_t mask = limits->room - 1, i = hole;
        limits->used--;
        for (;;) {
                limits->places[hole].key = 0;
                size_t home;
                do {
                        i = (i + 1) & mask;
                        if (!limits->places[i].key)
                                return;
                        home = home_of(limits, limits->places[i].key);
                } while (((i - home) & mask) < ((i - hole) & mask)); /* its home lies behind the hole: it stays */
                limits->places[hole] = limits->places[i];
                hole = i;
        }
}

/* True when the place may be given up now. */
static bool is_idle(struct limits *limits, struct place *place, uint64_t now_ms)
{
        if (!place->key || place->pending)
                return false;
        refill(limits, place, now_ms);
        return place->tokens >= limits->per_minute;
}

void limits_sweep(struct limits *limits, uint64_t now_ms)
{
        size_t steps = limits->room < SWEEP_STEP ? limits->room : SWEEP_STEP;
        while (steps--) {
                size_t i = limits->swept & (limits->room - 1);
                if (is_idle(limits, &limits->places[i], now_ms))
                        remove_place(limits, i); /* another may have moved here: look again next time */
                else
                        limits->swept = i + 1;
        }
}

static struct place *place_of(struct limits *limits, uint64_t key, bool is_new, uint64_t now_ms)
{
        struct place *place = find(limits, key);
        if (place->key)
                return place;
        if (!is_new)
                return &limits->crowd;
        if ((limits->used + 1) * 2 > limits->room && !grow(limits)) {
                limits_sweep(limits, now_ms);
                if ((limits->used + 1) * 2 > limits->room)
                        return &limits->crowd;
        }
        place = find(limits, key);
        *place = (struct place){.key = key, .at_ms = now_ms, .tokens = limits->per_minute};
        limits->used++;
        return place;
}

bool limits_enter(struct limits *limits, uint64_t key, uint64_t now_ms)
{
        struct place *place = place_of(limits, key, true, now_ms);
        refill(limits, place, now_ms);
        if (place->tokens < 1 || place->pending >= limits->pending_max)
                return false;
        place->tokens -= 1;
        place->pending++;
        return true;
}

void limits_leave(struct limits *limits, uint64_t key, bool has_proved, uint64_t now_ms)
{
        struct place *place = place_of(limits, key, false, now_ms);
        refill(limits, place, now_ms);
        if (place->pending)
                place->pending--;
        if (has_proved && place->tokens < limits->per_minute)
                place->tokens += 1;
}

size_t limits_count(const struct limits *limits)
{
        return limits->used;
}
