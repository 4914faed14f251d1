/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of random happenings: customers write, agents take, move and tag tickets, teams change, views are saved and
 * removed, time goes on. After each the lists are what a recount says; from time to time what three connections were
 * told adds up to what they would read. */
#include <stdlib.h>
#include <string.h>

#include "desk/views/views_private.h"
#include "unit/views/view_room.h"

enum { STEPS = 3000, CUSTOMERS = 12, LOOK_EVERY = 20, MIRROR_EVERY = 25, MIRRORS = 4 };

struct world {
        struct room *room;
        struct client customers[CUSTOMERS], eve, rob;
        char *convs[CUSTOMERS], *teams[2], *saved, *timed;
        char *spare; /* a view that comes and goes; NULL = gone */
        struct mirror mirrors[MIRRORS];
        size_t resets;
};

static uint64_t seed = 20240229;

static uint32_t dice(uint32_t sides)
{
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        return (uint32_t)(seed >> 33) % sides;
}

static char *add_view(struct room *room, const char *name, const char *when, const char *sort)
{
        json_t *result =
                room_operate(room, "view.add", "{\"cmid\":\"%s\",\"name\":\"%s\",\"when\":\"%s\",\"sort\":\"%s\"}",
                             room_cmid(room), name, when, sort);
        assert_non_null(words(result, "result.view"));
        char *id = strdup(words(result, "result.view"));
        json_decref(result);
        return id;
}

static void begin(struct world *world)
{
        struct room *room = world->room;
        world->teams[0] = view_team(room, "Billing");
        world->teams[1] = view_team(room, "Sales");
        world->eve = room_agent(room, "Eve", 0);
        world->rob = view_agent(room, "Rob", "\"reply\",\"assign\",\"ticket_edit\",\"read_unassigned\"");
        view_join(room, world->teams[1], &world->rob);
        room_leave(room, &world->rob);
        world->rob = room_agent(room, "Rob", 1);
        world->saved = add_view(room, "Hot", "priority >= high or tag in (t0, t1)", "priority");
        world->timed = add_view(room, "Late", "waiting > 10m or age > 2h and not status = solved", "waiting");
        for (int i = 0; i < CUSTOMERS; i++) {
                char subject[16];
                snprintf(subject, sizeof subject, "c%d", i);
                world->customers[i] = room_customer(room, subject, 0);
                world->convs[i] = room_conversation(room, &world->customers[i], "main");
        }
        world->mirrors[0] = (struct mirror){.client = &world->eve, .view = "open"};
        world->mirrors[1] = (struct mirror){.client = &world->eve, .view = world->timed};
        world->mirrors[2] = (struct mirror){.client = &world->rob, .view = world->saved};
        world->mirrors[3] = (struct mirror){.client = &world->rob, .view = "mine"};
        for (int i = 0; i < MIRRORS; i++)
                mirror_open(room, &world->mirrors[i]);
}

static void end(struct world *world)
{
        for (int i = 0; i < MIRRORS; i++)
                mirror_done(&world->mirrors[i]);
        for (int i = 0; i < CUSTOMERS; i++)
                free(world->convs[i]);
        free(world->teams[0]);
        free(world->teams[1]);
        free(world->saved);
        free(world->timed);
        free(world->spare);
}

static bool has_ticket(struct world *world, int at)
{
        return tickets_of_conversation(world->room->desk, room_cached(world->room, world->convs[at])->row.id) != NULL;
}

/* Refusals are part of it: not every move is in the table. */
static void ask(struct world *world, int at, const char *method, const char *more)
{
        const struct client *who = dice(3) == 0 ? &world->rob : &world->eve;
        if (has_ticket(world, at))
                json_decref(ticket_ask_for(world->room, who, world->convs[at], method, more));
}

static void change_views(struct world *world)
{
        static const char *const words[] = {"status = open",
                                            "unanswered > 1",
                                            "priority >= high or tag in (t0, t1)",
                                            "not bot and team is set",
                                            "customer.verified and age < 90m",
                                            ""};
        static const char *const sorts[] = {"activity", "waiting", "due", "priority", "created"};
        if (!world->spare) {
                world->spare = add_view(world->room, "Spare", words[dice(6)], sorts[dice(5)]);
                return;
        }
        json_decref(room_operate(world->room, "view.remove", "{\"cmid\":\"%s\",\"view\":\"%s\"}",
                                 room_cmid(world->room), world->spare));
        free(world->spare);
        world->spare = NULL;
}

static void step(struct world *world)
{
        static const char *const moves[] = {"waiting", "on_hold", "solved", "open", "closed"};
        static const char *const priorities[] = {"low", "normal", "high", "urgent"};
        int at = (int)dice(CUSTOMERS);
        char more[128];
        switch (dice(12)) {
        case 0:
        case 1:
        case 2:
                json_decref(room_send(world->room, &world->customers[at], world->convs[at], NULL, "hello"));
                break;
        case 3:
        case 4:
                json_decref(room_send(world->room, dice(2) ? &world->eve : &world->rob, world->convs[at], NULL, "yes"));
                break;
        case 5:
        case 6:
                snprintf(more, sizeof more, ",\"to\":\"%s\"%s", moves[dice(5)], dice(2) ? ",\"reason\":\"spam\"" : "");
                ask(world, at, "ticket.move", more);
                break;
        case 7:
                snprintf(more, sizeof more, ",\"team\":\"%s\"", world->teams[dice(2)]);
                ask(world, at, "ticket.assign", more);
                break;
        case 8:
                snprintf(more, sizeof more, ",\"priority\":\"%s\"", priorities[dice(4)]);
                ask(world, at, "ticket.set", more);
                break;
        case 9:
                snprintf(more, sizeof more, ",\"tags\":[\"t%u\"]", dice(4));
                ask(world, at, "ticket.set", more);
                break;
        case 10:
                clock_shift_wall((int64_t)dice(8) * 60000);
                clock_shift_mono(VIEWS_ROWS_EVERY_MS);
                room_turn(world->room);
                break;
        default:
                if (dice(4) == 0)
                        change_views(world);
        }
}

static void look(struct world *world)
{
        views_settle(world->room);
        for (int i = 0; i < MIRRORS; i++) {
                mirror_follow(world->room, &world->mirrors[i]);
                mirror_check(world->room, &world->mirrors[i]);
        }
        room_forget(world->room);
}

static void what_is_told_adds_up_to_what_is_there(void **state)
{
        const char *wanted = getenv("STEPS"); /* the long test says how many */
        int steps = wanted ? atoi(wanted) : STEPS;
        struct world world = {.room = *state};
        begin(&world);
        for (int at = 1; at <= steps; at++) {
                step(&world);
                if (at % LOOK_EVERY == 0)
                        views_check(world.room);
                if (at % MIRROR_EVERY == 0)
                        look(&world);
        }
        tickets_check(world.room);
        assert_true(room_sql(world.room, "SELECT COUNT(*) FROM ticket WHERE status = 9") > 10);
        for (int i = 0; i < MIRRORS; i++)
                assert_int_equal(world.mirrors[i].resets, 0); /* nothing was lost on the way */
        end(&world);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_is_told_adds_up_to_what_is_there, room_set_up, room_tear_down)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
