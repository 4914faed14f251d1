/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets which ticket: each manner of a team, and what holds in thousands of random worlds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/routing/choose.h"
#include "unit/ops/cmocka_all.h"

enum { AGENTS = 8, TEAMS = 3, TICKETS = 40, SKILLS = 4, LANGS = 3 };

static const char *const skills[SKILLS] = {"refunds", "orders", "billing", "returns"};
static const char *const langs[LANGS] = {"en", "ko", "ja"};

struct seat {
        struct choose_agent agent;
        const char *skills[SKILLS], *langs[LANGS];
        unsigned teams; /* bits */
};

struct waiting {
        struct queue_item item; /* first */
        struct want want;
        size_t team;
        int64_t given_to;
        bool has_come;
};

/* Agents, teams and tickets, and what a run did with them. */
struct world {
        struct seat seats[AGENTS];
        struct choose_agent *members[TEAMS][AGENTS];
        struct queue queues[TEAMS];
        struct choose_team teams[TEAMS];
        struct waiting tickets[TICKETS];
        int64_t turn;
        uint32_t dice;
        struct queue_item *order[TICKETS * 4];
        int64_t got[TICKETS * 4];
        size_t given;
};

static uint32_t roll(struct world *world, uint32_t sides)
{
        world->dice = world->dice * 1664525u + 1013904223u;
        return (world->dice >> 10) % sides;
}

static void seat_words(struct seat *seat, unsigned skill_bits, unsigned lang_bits)
{
        seat->agent.skills = seat->skills;
        seat->agent.langs = seat->langs;
        seat->agent.skill_count = seat->agent.lang_count = 0;
        for (unsigned i = 0; i < SKILLS; i++)
                if (skill_bits >> i & 1)
                        seat->skills[seat->agent.skill_count++] = skills[i];
        for (unsigned i = 0; i < LANGS; i++)
                if (lang_bits >> i & 1)
                        seat->langs[seat->agent.lang_count++] = langs[i];
}

static void settle_teams(struct world *world)
{
        for (size_t t = 0; t < TEAMS; t++) {
                world->teams[t].queue = &world->queues[t];
                world->teams[t].agents = world->members[t];
                world->teams[t].agent_count = 0;
                for (size_t a = 0; a < AGENTS; a++)
                        if (world->seats[a].teams >> t & 1)
                                world->members[t][world->teams[t].agent_count++] = &world->seats[a].agent;
        }
}

/* All speak everything, know everything and are in team 0, with room for two. */
static void simple_world(struct world *world, enum choose_manner manner)
{
        *world = (struct world){.dice = 1};
        for (size_t a = 0; a < AGENTS; a++) {
                world->seats[a].agent =
                        (struct choose_agent){.id = (int64_t)a + 1, .is_available = a < 3, .capacity = 2};
                world->seats[a].teams = 1;
                seat_words(&world->seats[a], 15, 7);
        }
        settle_teams(world);
        world->teams[0].manner = manner;
}

static struct waiting *come(struct world *world, size_t nth, size_t team, int32_t priority, int64_t since_ms)
{
        struct waiting *one = &world->tickets[nth];
        *one = (struct waiting){.item = {.priority = priority, .since_ms = since_ms, .id = (int64_t)nth},
                                .team = team,
                                .has_come = true};
        one->want.weight = 1;
        return one;
}

static void stand(struct world *world, struct waiting *one)
{
        want_settle(&one->want);
        assert_int_equal(0, queue_add(&world->queues[one->team], &one->item, &one->want));
}

static bool give(void *data, const struct choose_team *team, struct queue_item *item, struct choose_agent *agent)
{
        struct world *world = data;
        struct waiting *one = (struct waiting *)item;
        queue_remove(team->queue, item);
        agent->load += one->want.weight;
        agent->turn = ++world->turn;
        one->given_to = agent->id;
        world->order[world->given] = item;
        world->got[world->given++] = agent->id;
        return true;
}

static void run(struct world *world)
{
        world->given = 0;
        choose_run(world->teams, TEAMS, SIZE_MAX, give, world);
}

static void world_done(struct world *world)
{
        for (size_t t = 0; t < TEAMS; t++)
                queue_done(&world->queues[t]);
}

/* ---- one team ---- */

static void the_most_urgent_is_given_first_and_of_those_the_longest_wait(void **state)
{
        (void)state;
        struct world world;
        simple_world(&world, CHOOSE_LEAST_LOADED);
        stand(&world, come(&world, 0, 0, 2, 10));
        stand(&world, come(&world, 1, 0, 2, 5));
        stand(&world, come(&world, 2, 0, 4, 90));
        world.seats[1].agent.is_available = world.seats[2].agent.is_available = false;
        run(&world);
        assert_int_equal(2, world.given); /* that is his capacity */
        assert_ptr_equal(&world.tickets[2].item, world.order[0]);
        assert_ptr_equal(&world.tickets[1].item, world.order[1]);
        assert_int_equal(1, world.queues[0].count);
        world_done(&world);
}

static void the_least_loaded_by_share_of_his_capacity_gets_it(void **state)
{
        (void)state;
        struct world world;
        simple_world(&world, CHOOSE_LEAST_LOADED);
        world.seats[0].agent.load = 1; /* half */
        world.seats[1].agent.load = 2; /* a fifth */
        world.seats[1].agent.capacity = 10;
        world.seats[2].agent.load = 2; /* full */
        stand(&world, come(&world, 0, 0, 2, 1));
        run(&world);
        assert_int_equal(2, world.got[0]);
        world_done(&world);
}

static void round_robin_goes_on_where_it_was_whatever_the_load(void **state)
{
        (void)state;
        struct world world;
        simple_world(&world, CHOOSE_ROUND_ROBIN);
        world.seats[0].agent.load = 1;
        world.seats[0].agent.turn = 3;
        world.seats[1].agent.turn = 9;
        world.seats[2].agent.turn = 5;
        world.turn = 9;
        for (size_t i = 0; i < 4; i++)
                stand(&world, come(&world, i, 0, 2, (int64_t)i));
        run(&world);
        assert_int_equal(4, world.given);
        assert_int_equal(1, world.got[0]);
        assert_int_equal(3, world.got[1]);
        assert_int_equal(2, world.got[2]);
        assert_int_equal(3, world.got[3]); /* the first one is full */
        world_done(&world);
}

static void sticky_gives_it_to_the_last_agent_when_he_can_and_else_to_the_least_loaded(void **state)
{
        (void)state;
        struct world world;
        simple_world(&world, CHOOSE_STICKY);
        world.seats[2].agent.load = 1;
        struct waiting *one = come(&world, 0, 0, 2, 1), *other = come(&world, 1, 0, 2, 2);
        one->item.sticky = other->item.sticky = 3;
        stand(&world, one);
        stand(&world, other);
        run(&world);
        assert_int_equal(3, world.got[0]);
        assert_int_equal(1, world.got[1]); /* the third is full */
        world_done(&world);
}

static void all_skills_have_to_be_there(void **state)
{
        (void)state;
        struct world world;
        simple_world(&world, CHOOSE_LEAST_LOADED);
        seat_words(&world.seats[0], 1, 7);
        seat_words(&world.seats[1], 3, 7);
        seat_words(&world.seats[2], 2, 7);
        struct waiting *one = come(&world, 0, 0, 2, 1), *other = come(&world, 1, 0, 2, 2);
        strcpy(one->want.skills[0], "refunds");
        strcpy(one->want.skills[1], "orders");
        one->want.skill_count = 2;
        strcpy(other->want.skills[0], "returns");
        other->want.skill_count = 1;
        stand(&world, one);
        stand(&world, other);
        run(&world);
        assert_int_equal(1, world.given);
        assert_int_equal(2, world.got[0]);
        assert_non_null(other->item.lane); /* it still waits */
        world_done(&world);
}

static void a_language_is_preferred_before_load_and_a_demanded_one_is_waited_for(void **state)
{
        (void)state;
        struct world world;
        simple_world(&world, CHOOSE_LEAST_LOADED);
        seat_words(&world.seats[0], 15, 1);
        seat_words(&world.seats[1], 15, 2);
        seat_words(&world.seats[2], 15, 1);
        world.seats[1].agent.load = 1;
        for (size_t i = 0; i < 2; i++) {
                strcpy(come(&world, i, 0, 2, (int64_t)i)->want.lang, "ko-KR");
                stand(&world, &world.tickets[i]);
        }
        struct waiting *strict = come(&world, 2, 0, 2, 2);
        strcpy(strict->want.lang, "ko");
        strict->want.needs_lang = true;
        stand(&world, strict);
        run(&world);
        assert_int_equal(2, world.got[0]); /* who speaks it, though he has more */
        assert_int_equal(1, world.got[1]); /* he is full now: somebody at least */
        assert_int_equal(2, world.given);
        assert_non_null(strict->item.lane);
        world_done(&world);
}

static void who_had_his_chance_is_passed_over_and_others_in_the_queue_are_not_held_up(void **state)
{
        (void)state;
        struct world world;
        simple_world(&world, CHOOSE_LEAST_LOADED);
        world.seats[1].agent.is_available = world.seats[2].agent.is_available = false;
        struct waiting *one = come(&world, 0, 0, 4, 1);
        one->want.passed[one->want.passed_count++] = 1;
        stand(&world, one);
        stand(&world, come(&world, 1, 0, 2, 2));
        run(&world);
        assert_int_equal(1, world.given);
        assert_ptr_equal(&world.tickets[1].item, world.order[0]);
        world_done(&world);
}

static void a_ticket_heavier_than_a_whole_capacity_takes_all_of_it(void **state)
{
        (void)state;
        struct world world;
        simple_world(&world, CHOOSE_LEAST_LOADED);
        world.seats[0].agent.load = world.seats[1].agent.load = 1;
        world.seats[2].agent.capacity = 0; /* only by hand */
        struct waiting *heavy = come(&world, 0, 0, 4, 1);
        heavy->want.weight = 5;
        stand(&world, heavy);
        run(&world);
        assert_int_equal(0, world.given);
        world.seats[1].agent.load = 0;
        run(&world);
        assert_int_equal(1, world.given);
        assert_int_equal(2, world.got[0]);
        world_done(&world);
}

static void an_agent_of_two_teams_gets_the_more_urgent_of_both_queues(void **state)
{
        (void)state;
        struct world world;
        simple_world(&world, CHOOSE_LEAST_LOADED);
        for (size_t a = 0; a < AGENTS; a++)
                world.seats[a].teams = a == 0 ? 3 : 4;
        settle_teams(&world);
        world.seats[0].agent.capacity = 1;
        stand(&world, come(&world, 0, 0, 2, 1));
        stand(&world, come(&world, 1, 1, 3, 9));
        run(&world);
        assert_int_equal(1, world.given);
        assert_ptr_equal(&world.tickets[1].item, world.order[0]);
        world_done(&world);
}

static void a_run_ends_at_its_limit_and_the_next_goes_on(void **state)
{
        (void)state;
        struct world world;
        simple_world(&world, CHOOSE_ROUND_ROBIN);
        for (size_t i = 0; i < 6; i++)
                stand(&world, come(&world, i, 0, 2, (int64_t)i));
        assert_int_equal(4, choose_run(world.teams, TEAMS, 4, give, &world));
        assert_int_equal(2, choose_run(world.teams, TEAMS, 4, give, &world));
        assert_int_equal(0, world.queues[0].count);
        world_done(&world);
}

/* ---- random worlds ---- */

static void random_want(struct world *world, struct waiting *one)
{
        for (unsigned i = 0; i < SKILLS; i++)
                if (roll(world, 5) == 0)
                        strcpy(one->want.skills[one->want.skill_count++], skills[i]);
        if (roll(world, 3) == 0) {
                strcpy(one->want.lang, langs[roll(world, LANGS)]);
                one->want.needs_lang = roll(world, 2) == 0;
        }
        one->want.weight = 1 + (int32_t)roll(world, 3);
        while (roll(world, 5) == 0 && one->want.passed_count < WANT_PASSED)
                one->want.passed[one->want.passed_count++] = 1 + (int64_t)roll(world, AGENTS);
        one->item.sticky = roll(world, AGENTS + 1);
}

static void random_world(struct world *world, uint32_t seed)
{
        *world = (struct world){.dice = seed};
        for (size_t a = 0; a < AGENTS; a++) {
                struct seat *seat = &world->seats[a];
                seat->agent = (struct choose_agent){
                        .id = (int64_t)a + 1, .is_available = roll(world, 4) > 0, .capacity = (int32_t)roll(world, 5)};
                seat->teams = roll(world, 1u << TEAMS);
                seat_words(seat, roll(world, 1u << SKILLS), roll(world, 1u << LANGS));
        }
        settle_teams(world);
        for (size_t t = 0; t < TEAMS; t++)
                world->teams[t].manner = (enum choose_manner)roll(world, 3);
}

/* The same rules, written down a second time and slowly. */
static bool could_take(const struct waiting *one, const struct seat *seat)
{
        bool is_free = seat->agent.load + one->want.weight <= seat->agent.capacity ||
                       (seat->agent.load == 0 && seat->agent.capacity > 0);
        bool fits = seat->agent.is_available && is_free && (seat->teams >> one->team & 1);
        for (uint32_t i = 0; i < one->want.skill_count; i++) {
                bool has = false;
                for (uint32_t j = 0; j < seat->agent.skill_count; j++)
                        has = has || strcmp(seat->skills[j], one->want.skills[i]) == 0;
                fits = fits && has;
        }
        for (uint32_t i = 0; i < one->want.passed_count; i++)
                fits = fits && one->want.passed[i] != seat->agent.id;
        bool speaks = !one->want.needs_lang;
        for (uint32_t i = 0; i < seat->agent.lang_count; i++)
                speaks = speaks || strcmp(seat->langs[i], one->want.lang) == 0;
        return fits && speaks;
}

static void check_nobody_is_idle(const struct world *world)
{
        for (size_t i = 0; i < TICKETS; i++)
                for (size_t a = 0; a < AGENTS && world->tickets[i].item.lane; a++)
                        assert_false(could_take(&world->tickets[i], &world->seats[a]));
}

/* Before each ticket is given: nobody who waits and comes before it could have been given to anybody. */
static bool give_in_order(void *data, const struct choose_team *team, struct queue_item *item,
                          struct choose_agent *agent)
{
        struct world *world = data;
        const struct waiting *one = (const struct waiting *)item;
        assert_true(could_take(one, &world->seats[agent->id - 1]));
        for (size_t i = 0; i < TICKETS; i++) {
                const struct waiting *other = &world->tickets[i];
                if (!other->item.lane || !queue_is_before(&other->item, item))
                        continue;
                for (size_t a = 0; a < AGENTS; a++)
                        assert_false(could_take(other, &world->seats[a]));
        }
        return give(data, team, item, agent);
}

static void check_capacity(const struct world *world)
{
        for (size_t a = 0; a < AGENTS; a++) {
                int32_t sum = 0;
                size_t count = 0;
                for (size_t i = 0; i < TICKETS; i++) {
                        if (world->tickets[i].given_to != (int64_t)a + 1)
                                continue;
                        sum += world->tickets[i].want.weight;
                        count++;
                }
                assert_int_equal(sum, world->seats[a].agent.load);
                assert_true(sum <= world->seats[a].agent.capacity || count == 1);
                assert_true(world->seats[a].agent.capacity > 0 || count == 0);
        }
}

static void live_on(struct world *world, size_t steps)
{
        for (size_t step = 0; step < steps; step++) {
                struct waiting *one = &world->tickets[roll(world, TICKETS)];
                if (one->given_to != 0) { /* it is solved */
                        world->seats[one->given_to - 1].agent.load -= one->want.weight;
                        one->given_to = 0;
                        one->has_come = false;
                } else if (!one->has_come) {
                        size_t nth = (size_t)(one - world->tickets);
                        come(world, nth, roll(world, TEAMS), 1 + (int32_t)roll(world, 4), (int64_t)step / 3);
                        random_want(world, one);
                        stand(world, one);
                }
                struct seat *seat = &world->seats[roll(world, AGENTS)];
                if (roll(world, 4) == 0)
                        seat->agent.is_available = !seat->agent.is_available;
                world->given = 0;
                choose_run(world->teams, TEAMS, SIZE_MAX, give_in_order, world);
                check_nobody_is_idle(world);
                check_capacity(world);
        }
}

static void in_random_worlds_nobody_is_overloaded_idle_or_overtaken(void **state)
{
        (void)state;
        static struct world world;
        for (uint32_t seed = 1; seed <= 150; seed++) {
                random_world(&world, seed * 7919);
                live_on(&world, 120);
                world_done(&world);
        }
}

static void the_same_world_gives_the_same_answers(void **state)
{
        (void)state;
        static struct world first, second;
        for (uint32_t seed = 1; seed <= 20; seed++) {
                random_world(&first, seed);
                random_world(&second, seed);
                live_on(&first, 100);
                live_on(&second, 100);
                for (size_t i = 0; i < TICKETS; i++)
                        assert_int_equal(first.tickets[i].given_to, second.tickets[i].given_to);
                world_done(&first);
                world_done(&second);
        }
}

/* Tickets come one by one, and each is solved before the next: turns differ by at most one. */
static void round_robin_is_fair(void **state)
{
        (void)state;
        struct world world;
        int counts[AGENTS] = {0};
        simple_world(&world, CHOOSE_ROUND_ROBIN);
        for (int i = 0; i < 100; i++) {
                struct waiting *one = come(&world, 0, 0, 2, i);
                stand(&world, one);
                run(&world);
                counts[one->given_to - 1]++;
                world.seats[one->given_to - 1].agent.load--;
                int least = counts[0], most = counts[0];
                for (int a = 1; a < 3; a++) {
                        least = counts[a] < least ? counts[a] : least;
                        most = counts[a] > most ? counts[a] : most;
                }
                assert_true(most - least <= 1);
        }
        world_done(&world);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_most_urgent_is_given_first_and_of_those_the_longest_wait),
                cmocka_unit_test(the_least_loaded_by_share_of_his_capacity_gets_it),
                cmocka_unit_test(round_robin_goes_on_where_it_was_whatever_the_load),
                cmocka_unit_test(sticky_gives_it_to_the_last_agent_when_he_can_and_else_to_the_least_loaded),
                cmocka_unit_test(all_skills_have_to_be_there),
                cmocka_unit_test(a_language_is_preferred_before_load_and_a_demanded_one_is_waited_for),
                cmocka_unit_test(who_had_his_chance_is_passed_over_and_others_in_the_queue_are_not_held_up),
                cmocka_unit_test(a_ticket_heavier_than_a_whole_capacity_takes_all_of_it),
                cmocka_unit_test(an_agent_of_two_teams_gets_the_more_urgent_of_both_queues),
                cmocka_unit_test(a_run_ends_at_its_limit_and_the_next_goes_on),
                cmocka_unit_test(in_random_worlds_nobody_is_overloaded_idle_or_overtaken),
                cmocka_unit_test(the_same_world_gives_the_same_answers),
                cmocka_unit_test(round_robin_is_fair),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
