/* SPDX-License-Identifier: Apache-2.0 */
/* Random days of the desk: customers write, agents come, go, take, decline, solve and fall silent, time passes, batches
 * are not kept, and the server crashes. After each step what always holds is counted again, slowly. */
#include "unit/routing/scene.h"

#include <stdio.h>

#include "desk/routing/routing_private.h"

enum { AGENTS = 3, CUSTOMERS = 10, STEPS = 250, SEEDS = 4 };

struct days {
        struct scene scene;
        struct client agents[AGENTS];
        bool is_here[AGENTS];
        uint32_t dice;
        bool by_hand; /* agents take and open tickets themselves, too: loads may be above capacities */
};

static uint32_t roll(struct days *days, uint32_t sides)
{
        days->dice = days->dice * 1664525u + 1013904223u;
        return (days->dice >> 10) % sides;
}

/* ---- what always holds ---- */

static bool is_silent(const struct ticket *ticket, int64_t now_ms)
{
        int64_t quiet_ms = ticket->last_ms > ticket->status_ms ? ticket->last_ms : ticket->status_ms;
        return ticket->customer_ms == 0 && ticket->last_ms > 0 && now_ms >= quiet_ms + SILENT_MS;
}

/* What he has by the tickets alone. A silence that has just begun may not have been noticed yet. */
static void check_load(const struct days *days, const struct client *client)
{
        const struct desk *desk = days->scene.room->desk;
        const struct seat *seat = seat_find(desk->routing, client->caller.principal);
        const struct ticket *ticket;
        int32_t works = 0, asked_for = 0;
        if (!seat)
                return;
        tickets_each(desk, i, ticket)
        {
                int64_t until_ms;
                bool counts = ticket->status == TICKET_OPEN && !is_silent(ticket, desk->now_ms);
                works += counts && ticket->assignee == seat->agent.id;
                asked_for += routing_offered_to(ticket, &until_ms) == seat->agent.id;
        }
        assert_int_equal(works, seat->agent.load - seat->offered);
        assert_int_equal(works, seat->profile->load);
        assert_int_equal(asked_for, seat->offered);
        if (!days->by_hand)
                assert_true(seat->agent.load <= seat->profile->capacity + seat->profile->wake_cap);
}

/* Every pending ticket waits in one queue or is offered to one agent, every other one does neither. */
static void check_queues(const struct days *days)
{
        const struct routing *routing = days->scene.room->desk->routing;
        const struct ticket *ticket;
        size_t pending = 0, waiting = 0, offered = 0;
        tickets_each(days->scene.room->desk, i, ticket)
        {
                const struct ticket_route *route = ticket->route;
                bool is_pending = ticket->status == TICKET_PENDING;
                assert_int_equal(is_pending, (route->item.lane != NULL) + (route->asked != NULL));
                assert_true(!is_pending || ticket->assignee == 0);
                assert_true(ticket->status != TICKET_OPEN || ticket->assignee != 0);
                pending += is_pending;
        }
        for (size_t i = 0; i < routing->queue_count; i++) {
                waiting += routing->queues[i]->queue.count;
                offered += routing->queues[i]->offered;
        }
        assert_int_equal(pending, waiting + offered);
        assert_int_equal(offered, room_sql(days->scene.room, "SELECT COUNT(*) FROM routing_offer"));
}

/* Nobody who could have a ticket is left without while it waits. */
static void check_nobody_is_idle(const struct days *days)
{
        struct desk *desk = days->scene.room->desk;
        const struct ticket *ticket;
        tickets_each(desk, i, ticket)
        {
                const struct ticket_route *route = ticket->route;
                for (size_t a = 0; a < AGENTS && route->item.lane; a++) {
                        struct seat *seat = seat_find(desk->routing, days->agents[a].caller.principal);
                        bool is_there = seat && people_is_available(desk, seat->profile) &&
                                        people_is_member(seat->profile, ticket->team);
                        struct choose_agent agent = seat ? seat->agent : (struct choose_agent){0};
                        agent.is_available = is_there;
                        assert_false(is_there && choose_can(&route->item.lane->want, &agent));
                }
        }
}

static void check(const struct days *days)
{
        check_queues(days);
        check_nobody_is_idle(days);
        for (size_t a = 0; a < AGENTS; a++)
                check_load(days, &days->agents[a]);
}

/* ---- what happens ---- */

static void come(struct days *days, size_t nth)
{
        static const char *const names[AGENTS] = {"Eve", "Bob", "Kim"};
        days->agents[nth] = room_agent(days->scene.room, names[nth], 0);
        days->is_here[nth] = true;
}

static void go_or_come(struct days *days, size_t nth)
{
        if (days->is_here[nth])
                room_leave(days->scene.room, &days->agents[nth]);
        if (days->is_here[nth])
                days->is_here[nth] = false;
        else
                come(days, nth);
}

/* One of the tickets that are not closed; NULL: there is none. */
static const struct ticket *any_ticket(struct days *days)
{
        const struct tickets *tickets = &days->scene.room->desk->tickets;
        return tickets->count > 0 ? tickets->all[roll(days, (uint32_t)tickets->count)] : NULL;
}

static void write_in(struct days *days)
{
        char name[16];
        snprintf(name, sizeof name, "c%u", roll(days, CUSTOMERS));
        writes(&days->scene, name);
}

static void answer_offer(struct days *days, const struct client *agent, const struct ticket *ticket)
{
        json_decref(room_ask(days->scene.room, agent, roll(days, 3) ? "offer.accept" : "offer.decline",
                             "{\"ticket\":\"%s\"}", id_of(ticket)));
}

static void move(struct days *days, const struct client *agent, const struct ticket *ticket, const char *to)
{
        json_decref(room_ask(days->scene.room, agent, "ticket.move",
                             "{\"cmid\":\"%s\",\"ticket\":\"%s\",\"version\":%lld,\"to\":\"%s\"}",
                             room_cmid(days->scene.room), id_of(ticket), (long long)ticket->version, to));
}

static void reply(struct days *days, const struct client *agent, const struct ticket *ticket)
{
        char conv[ID_TEXT_BYTES + 1];
        id_write(conv, "cnv", ticket->conv_ext);
        conv[ID_TEXT_BYTES] = '\0';
        json_decref(room_send(days->scene.room, agent, conv, NULL, "it is on its way"));
}

static void give_by_hand(struct days *days, const struct client *agent, const struct ticket *ticket)
{
        json_decref(room_ask(days->scene.room, agent, "ticket.assign",
                             "{\"cmid\":\"%s\",\"ticket\":\"%s\",\"version\":%lld,\"assignee\":\"%s\"}",
                             room_cmid(days->scene.room), id_of(ticket), (long long)ticket->version,
                             days->agents[roll(days, AGENTS)].id));
}

/* A message that meets a full disk at one of its writes. */
static void fail_once(struct days *days)
{
        db_fault_reset(&db_sqlite);
        assert_true(db_fault_add((struct db_fault_rule){.op = DB_FAULT_STEP,
                                                        .kind = DB_FAULT_FAIL,
                                                        .mode = DB_WRITER,
                                                        .nth = 1 + roll(days, 40),
                                                        .error = DB_FULL}));
        const struct ticket *ticket = any_ticket(days);
        if (ticket)
                move(days, &days->agents[roll(days, AGENTS)], ticket, "solved");
        db_fault_reset(&db_sqlite);
        days->scene.room->desk->retry_write_ms = 0;
        clock_shift_mono(1000);
        room_turn(days->scene.room);
}

static void crash(struct days *days)
{
        room_close(days->scene.room);
        room_open(days->scene.room);
        for (size_t a = 0; a < AGENTS; a++)
                come(days, a);
        room_turn(days->scene.room);
}

static void act(struct days *days, const struct client *agent, const struct ticket *ticket, uint32_t what)
{
        static const char *const statuses[] = {"online", "online", "busy", "away"};
        static const char *const ways[] = {"solved", "solved", "waiting", "on_hold", "open"};
        if (what < 3)
                says(&days->scene, agent, statuses[roll(days, 4)]);
        else if (ticket && what < 7)
                answer_offer(days, agent, ticket);
        else if (ticket && what < 11)
                move(days, agent, ticket, ways[roll(days, days->by_hand ? 5 : 4)]);
        else if (ticket && what < 14 && (days->by_hand || (ticket->status == TICKET_OPEN && ticket->customer_ms != 0)))
                reply(days, agent, ticket);
        else if (ticket && what < 15 && days->by_hand)
                give_by_hand(days, agent, ticket);
}

static void step(struct days *days)
{
        uint32_t what = roll(days, 30), nth = roll(days, AGENTS);
        if (what < 15 && days->is_here[nth])
                act(days, &days->agents[nth], any_ticket(days), what);
        else if (what < 23)
                write_in(days);
        else if (what < 26)
                later(&days->scene, roll(days, 2) ? 31000 : roll(days, 400000));
        else if (what < 28)
                go_or_come(days, nth);
        else if (what < 29)
                fail_once(days);
        else if (roll(days, 4) == 0)
                crash(days);
        later(&days->scene, 1);
}

static void begin(struct days *days, void **state, uint32_t seed)
{
        *days = (struct days){
                .scene = scene_new(state, seed % 2 ? AT_ONCE : ASKS), .dice = seed * 7919, .by_hand = seed > SEEDS / 2};
        struct client kim = room_agent(days->scene.room, "Kim", 0);
        take_result(room_operate(days->scene.room, "team.member_add",
                                 "{\"cmid\":\"%s\",\"team\":\"%s\",\"agent\":\"%s\"}", room_cmid(days->scene.room),
                                 days->scene.team, kim.id));
        agent_has(&days->scene, &kim, "\"capacity\":3,\"wake_cap\":1");
        says(&days->scene, &kim, "online");
        days->agents[0] = days->scene.eve;
        days->agents[1] = days->scene.bob;
        days->agents[2] = kim;
        for (size_t a = 0; a < AGENTS; a++)
                days->is_here[a] = true;
}

static void whatever_happens_what_always_holds_does(void **state)
{
        static struct days days;
        for (uint32_t seed = 1; seed <= SEEDS; seed++) {
                begin(&days, state, seed);
                for (int i = 0; i < STEPS; i++) {
                        step(&days);
                        check(&days);
                }
                scene_done(&days.scene);
                room_tear_down(state);
                room_set_up(state);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(whatever_happens_what_always_holds_does, room_set_up, room_tear_down),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
