/* SPDX-License-Identifier: Apache-2.0 */
/* Attendance: see attendance.h. Each person who is or was connected lately has a record. It is in one list at a time:
 * `ready` when something has to be told, in the wheel until then, among the `gone` when all is told of a customer who
 * is not there, and in none while all is told of somebody who is. */
#include "desk/attendance.h"

#include <stdlib.h>

#include "desk/desk_private.h"

enum {
        TICK_MS = 250,
        TOLD_AT_ONCE = 256, /* customers in one note; the rest in the next turn */
        GONE_KEPT = 20000,  /* customers who went and whose hour is remembered */
        MINUTE_MS = 60000,
};

_Static_assert(PROTOCOL_PRESENCE_GONE_MS + PROTOCOL_PRESENCE_EVERY_MS < ATTENDANCE_WHEEL * TICK_MS,
               "fits in the wheel");

struct attendant {
        int64_t principal; /* row id */
        uint64_t ext;
        struct attendant *hash_next;
        struct attendant_list *list; /* where it is; NULL = in none */
        struct attendant *next, *prev;
        uint64_t due_tick;         /* in the wheel */
        uint64_t gone_ms, told_ms; /* monotonic; 0 = never. gone_ms: of the last session */
        int64_t seen_ms;           /* wall: when the last session went */
        bool is_agent;
        bool is_here;    /* has a session */
        bool is_told;    /* customer: online, as told last */
        bool is_erased;  /* customer: nothing is told */
        bool is_counted; /* agent: one of agents_here */
        uint8_t word;    /* agent: 1 + enum protocol_presence_set_state; 0 = has said none */
};

/* ---- records ---- */

static size_t slot_of(int64_t principal, size_t slot_count)
{
        return ((uint64_t)principal * 0x9e3779b97f4a7c15u >> 24) & (slot_count - 1);
}

int attendance_init(struct attendance *attendance)
{
        attendance->slot_count = 1024;
        attendance->slots = calloc(attendance->slot_count, sizeof(struct attendant *));
        return attendance->slots ? DB_OK : DB_NOMEM;
}

void attendance_done(struct attendance *attendance)
{
        for (size_t i = 0; attendance->slots && i < attendance->slot_count; i++) {
                while (attendance->slots[i]) {
                        struct attendant *one = attendance->slots[i];
                        attendance->slots[i] = one->hash_next;
                        free(one);
                }
        }
        free(attendance->slots);
        *attendance = (struct attendance){0};
}

static struct attendant *find(const struct attendance *attendance, int64_t principal)
{
        struct attendant *one = attendance->slots[slot_of(principal, attendance->slot_count)];
        while (one && one->principal != principal)
                one = one->hash_next;
        return one;
}

static void grow(struct attendance *attendance)
{
        size_t wider = attendance->slot_count * 2;
        struct attendant **slots = calloc(wider, sizeof(struct attendant *));
        if (!slots)
                return; /* longer chains, nothing worse */
        for (size_t i = 0; i < attendance->slot_count; i++) {
                while (attendance->slots[i]) {
                        struct attendant *one = attendance->slots[i];
                        attendance->slots[i] = one->hash_next;
                        size_t slot = slot_of(one->principal, wider);
                        one->hash_next = slots[slot];
                        slots[slot] = one;
                }
        }
        free(attendance->slots);
        attendance->slots = slots;
        attendance->slot_count = wider;
}

static struct attendant *find_or_make(struct attendance *attendance, const struct principal *who)
{
        struct attendant *one = find(attendance, who->id);
        if (one)
                return one;
        if (attendance->count >= attendance->slot_count)
                grow(attendance);
        one = calloc(1, sizeof *one);
        if (!one)
                return NULL; /* nothing is promised of presence */
        one->principal = who->id;
        one->ext = who->ext;
        one->is_agent = who->role == ROLE_AGENT;
        size_t slot = slot_of(one->principal, attendance->slot_count);
        one->hash_next = attendance->slots[slot];
        attendance->slots[slot] = one;
        attendance->count++;
        return one;
}

static void unlist(struct attendant *one)
{
        if (!one->list)
                return;
        *(one->prev ? &one->prev->next : &one->list->first) = one->next;
        *(one->next ? &one->next->prev : &one->list->last) = one->prev;
        one->list->count--;
        one->list = NULL;
        one->next = one->prev = NULL;
}

static void enlist(struct attendant_list *list, struct attendant *one)
{
        unlist(one);
        one->list = list;
        one->prev = list->last;
        *(list->last ? &list->last->next : &list->first) = one;
        list->last = one;
        list->count++;
}

static void drop(struct attendance *attendance, struct attendant *one)
{
        unlist(one);
        struct attendant **link = &attendance->slots[slot_of(one->principal, attendance->slot_count)];
        while (*link != one)
                link = &(*link)->hash_next;
        *link = one->hash_next;
        attendance->count--;
        free(one);
}

/* ---- when something has to be told ---- */

static uint64_t later(uint64_t a, uint64_t b)
{
        return a > b ? a : b;
}

/* Monotonic ms; 0 = nothing is due. */
static uint64_t due_of(const struct attendant *one)
{
        uint64_t silent_until_ms = one->gone_ms + PROTOCOL_PRESENCE_GONE_MS;
        if (one->is_agent)
                return one->is_here ? 0 : silent_until_ms;
        if (one->is_here == one->is_told)
                return 0;
        uint64_t again_ms = one->told_ms == 0 ? 1 : one->told_ms + PROTOCOL_PRESENCE_EVERY_MS;
        return one->is_here ? again_ms : later(again_ms, silent_until_ms);
}

/* Puts the record where it belongs, or frees it. */
static void settle(struct attendance *attendance, struct attendant *one, uint64_t now_ms)
{
        uint64_t due_ms = due_of(one);
        if (one->is_agent && !one->is_here && one->word == 0) {
                drop(attendance, one);
        } else if (due_ms == 0 && one->is_here) {
                unlist(one);
        } else if (due_ms == 0) {
                enlist(&attendance->gone, one);
                if (attendance->gone.count > GONE_KEPT)
                        drop(attendance, attendance->gone.first);
        } else if (due_ms <= now_ms) {
                enlist(&attendance->ready, one);
        } else {
                one->due_tick = due_ms / TICK_MS + 1;
                enlist(&attendance->wheel[one->due_tick % ATTENDANCE_WHEEL], one);
        }
}

static void turn_wheel(struct attendance *attendance, uint64_t now_ms)
{
        uint64_t now_tick = now_ms / TICK_MS, first = attendance->ticked + 1;
        if (now_tick >= ATTENDANCE_WHEEL && first + ATTENDANCE_WHEEL <= now_tick)
                first = now_tick - ATTENDANCE_WHEEL + 1;
        for (uint64_t tick = first; tick <= now_tick; tick++) {
                struct attendant *one = attendance->wheel[tick % ATTENDANCE_WHEEL].first;
                while (one) {
                        struct attendant *next = one->next;
                        if (one->due_tick <= now_tick)
                                enlist(&attendance->ready, one);
                        one = next;
                }
        }
        attendance->ticked = now_tick;
}

/* ---- agents ---- */

static bool counts(const struct attendant *one, const struct principal *who)
{
        if (one->word == 1 + PROTOCOL_PRESENCE_SET_STATE_AWAY)
                return false;
        for (const struct desk_session *session = who->sessions; session; session = session->sibling)
                if (!session->is_idle || one->word == 1 + PROTOCOL_PRESENCE_SET_STATE_HERE)
                        return true;
        return false;
}

static void count_agent(struct attendance *attendance, struct attendant *one, const struct principal *who)
{
        bool is_counted = counts(one, who);
        if (one->is_counted == is_counted)
                return;
        one->is_counted = is_counted;
        if (is_counted)
                attendance->agents_here++;
        else if (--attendance->agents_here == 0)
                attendance->team_empty_since_ms = clock_mono_ms();
}

void attendance_idle(struct desk *desk, struct edge_ref ref, bool is_idle)
{
        struct desk_session *session = sessions_find(desk, ref);
        struct attendant *one = session ? find(&desk->attendance, session->who->id) : NULL;
        if (!one || !one->is_agent)
                return;
        session->is_idle = is_idle;
        count_agent(&desk->attendance, one, session->who);
}

int handle_presence_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_presence_set *params = command->params;
        const struct desk_session *session = sessions_find(desk, command->from);
        struct attendant *one = session ? find(&desk->attendance, session->who->id) : NULL;
        if (!one)
                return -PROTOCOL_ERR_INTERNAL;
        one->word = (uint8_t)(1 + params->state);
        count_agent(&desk->attendance, one, session->who);
        struct protocol_presence_set_result result = {0};
        protocol_presence_set_result_write(out, &result);
        return 0;
}

/* ---- who comes and goes ---- */

static bool is_followed(const struct principal *who)
{
        return who->role == ROLE_CUSTOMER || who->role == ROLE_AGENT;
}

void attendance_arrived(struct desk *desk, const struct principal *who)
{
        struct attendance *attendance = &desk->attendance;
        struct attendant *one = is_followed(who) ? find_or_make(attendance, who) : NULL;
        if (!one)
                return;
        one->is_here = true;
        one->is_erased = false; /* an erasure that was not kept: nobody erased comes back */
        if (one->is_agent)
                count_agent(attendance, one, who);
        settle(attendance, one, clock_mono_ms());
}

void attendance_left(struct desk *desk, const struct principal *who)
{
        struct attendance *attendance = &desk->attendance;
        struct attendant *one = find(attendance, who->id);
        if (!one)
                return;
        if (one->is_agent)
                count_agent(attendance, one, who);
        if (who->sessions)
                return;
        one->is_here = false;
        one->gone_ms = clock_mono_ms();
        one->seen_ms = clock_wall_ms();
        settle(attendance, one, one->gone_ms);
}

void attendance_forget(struct desk *desk, int64_t principal)
{
        struct attendant *one = find(&desk->attendance, principal);
        if (one)
                one->is_erased = true;
}

static int64_t minute_of(int64_t ms)
{
        return ms - ms % MINUTE_MS;
}

bool attendance_of(const struct desk *desk, int64_t principal, struct protocol_customer_presence *out_presence)
{
        const struct attendant *one = find(&desk->attendance, principal);
        struct protocol_customer_presence presence = {0};
        if (one && (one->is_erased || one->is_agent))
                return false;
        presence.online = one && (one->is_here || one->is_told);
        presence.has_last_seen = one && !presence.online && one->seen_ms > 0;
        presence.last_seen = presence.has_last_seen ? minute_of(one->seen_ms) : 0;
        *out_presence = presence;
        return true;
}

/* ---- telling ---- */

static void tell_changes(struct desk *desk, const struct attendance_change *changes, size_t count)
{
        struct span bytes = {(const char *)changes, count * sizeof *changes};
        for (uint32_t i = 0; i < desk->sink_count && count > 0; i++) {
                struct desk_note *note = note_new(NOTE_ATTENDANCE, (struct edge_ref){0}, bytes);
                if (note)
                        desk_leave(desk, i, note);
        }
}

/* What has to be told of one that was ready. True: `out_change`. The record is then where it belongs, or freed. */
static bool take_change(struct attendance *attendance, struct attendant *one, uint64_t now_ms,
                        struct attendance_change *out_change)
{
        if (one->is_agent && !one->is_here) { /* his word goes with him */
                drop(attendance, one);
                return false;
        }
        uint64_t due_ms = due_of(one);
        bool is_due = due_ms != 0 && due_ms <= now_ms;
        if (is_due) {
                one->is_told = one->is_here;
                one->told_ms = now_ms;
                *out_change = (struct attendance_change){.customer = one->principal,
                                                         .ext = one->ext,
                                                         .is_online = one->is_told,
                                                         .seen_ms = one->is_told ? 0 : minute_of(one->seen_ms)};
        }
        bool is_told = is_due && !one->is_erased;
        settle(attendance, one, now_ms);
        return is_told;
}

static struct attendant *take_ready(struct attendance *attendance)
{
        struct attendant_list *ready = &attendance->ready;
        struct attendant *one = ready->first;
        ready->first = one->next;
        *(one->next ? &one->next->prev : &ready->last) = NULL;
        ready->count--;
        one->list = NULL;
        one->next = one->prev = NULL;
        return one;
}

static void tell_customers(struct desk *desk, uint64_t now_ms)
{
        struct attendance_change changes[TOLD_AT_ONCE];
        struct attendance *attendance = &desk->attendance;
        size_t count = 0;
        for (int i = 0; i < TOLD_AT_ONCE && attendance->ready.first; i++)
                count += take_change(attendance, take_ready(attendance), now_ms, &changes[count]);
        if (desk->sessions.staff_count > 0) /* who watches later is answered what is so then */
                tell_changes(desk, changes, count);
}

/* Monotonic ms when the team's word changes as things are; UINT64_MAX = it is as told. */
static uint64_t team_due_ms(const struct attendance *attendance)
{
        bool is_here = attendance->agents_here > 0;
        if (is_here == attendance->is_team_here)
                return UINT64_MAX;
        uint64_t again_ms = attendance->team_told_ms == 0 ? 0 : attendance->team_told_ms + PROTOCOL_TEAM_EVERY_MS;
        return is_here ? again_ms : later(again_ms, attendance->team_empty_since_ms + PROTOCOL_TEAM_EVERY_MS);
}

static void tell_team(struct desk *desk, uint64_t now_ms)
{
        struct attendance *attendance = &desk->attendance;
        if (team_due_ms(attendance) > now_ms)
                return;
        attendance->is_team_here = !attendance->is_team_here;
        attendance->team_told_ms = now_ms;
        for (uint32_t i = 0; i < desk->sink_count; i++) {
                struct desk_note *note = note_new(NOTE_TEAM, (struct edge_ref){0}, (struct span){0});
                if (!note)
                        continue;
                note->workspace = desk->workspace;
                note->is_here = attendance->is_team_here;
                desk_leave(desk, i, note);
        }
}

void attendance_commit(struct desk *desk)
{
        uint64_t now_ms = clock_mono_ms();
        turn_wheel(&desk->attendance, now_ms);
        tell_customers(desk, now_ms);
        tell_team(desk, now_ms);
}

uint64_t attendance_due_ms(const struct desk *desk)
{
        const struct attendance *attendance = &desk->attendance;
        if (attendance->ready.first)
                return 0;
        uint64_t due_ms = team_due_ms(attendance);
        for (uint64_t tick = attendance->ticked + 1; tick <= attendance->ticked + ATTENDANCE_WHEEL; tick++)
                if (attendance->wheel[tick % ATTENDANCE_WHEEL].first)
                        return tick * TICK_MS < due_ms ? tick * TICK_MS : due_ms;
        return due_ms;
}
