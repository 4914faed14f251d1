/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell seed: the past of a desk. Each ticket is a small play: the customer writes, an agent takes it and answers,
 * the customer writes again, the agent solves it; some are opened again. What comes next stands in a heap by time, and
 * the clock is let go on from one to the next, so that tickets overlap and timers run as they would. */
#include "cli/seed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/named.h"
#include "cli/secrets.h"
#include "desk/desk.h"
#include "ops/clock.h"

enum { MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 86400000, QUIET_MS = 3 * DAY_MS, OFFICE_HOURS = 9, FRESH = 24 };

static const struct topic {
        const char *word, *tag, *asked, *answered, *said, *settled, *note;
        int team;
} topics[] = {
        {"delivery", "late", "My order %d was due on Monday and has not come.",
         "I am looking it up, one moment please.", "Thank you. I need it before the weekend.",
         "It left the depot this morning and is with you tomorrow.", "Carrier promised tomorrow before noon.", 0},
        {"address", "address", "Can I change the address of order %d? I have moved.",
         "Yes, as long as it is not packed. What is the new address?", "12 Mill Lane, second floor.",
         "Done: it goes to the new address.", NULL, 0},
        {"invoice", "invoice", "I need an invoice with our tax number for order %d.",
         "Of course. Which tax number shall I put on it?", "It is 214/5620/1187.", "The invoice is in your mailbox.",
         "Tax number kept with the customer.", 0},
        {"charge", "charged-twice", "I was charged twice for order %d!", "I am sorry. I can see both payments.",
         "When do I get the money back?", "One of them was sent back today; banks take up to five days.",
         "Payment provider had an outage that hour.", 0},
        {"refund", "refund", "I want a refund for order %d, the lamp is broken.", "I am sorry. Could you send a photo?",
         "I have sent it to you by mail.", "Thank you. The refund is on its way.", NULL, 1},
        {"return", "return", "How do I return what I ordered under %d? It is too small.",
         "With the label that I have just sent to you.", "Thanks! Where do I bring it?",
         "To any parcel shop; they scan the label.", NULL, 1},
        {"exchange", "exchange", "May I return order %d for a larger size?", "Yes. Which size would you like?",
         "One size up, please.", "The larger one leaves us tomorrow.", "Stock checked: 14 left.", 1},
        {"login", "login", "My password is refused since yesterday (customer %d).",
         "Let me look: you are locked after five tries.", "Can you unlock it?", "You can sign in again now.", NULL, 2},
        {"app", "app-crash", "The app closes when I open order %d.", "Which version of it do you have?",
         "3.2 on an older phone.", "Version 3.3 has the remedy; it is in the store now.", "Known bug, fixed in 3.3.",
         2},
        {"stock", "stock", "When will article %d be there again?", "We expect it next week.",
         "Could you keep one for me?", "It is kept for you for seven days.", NULL, 0},
};

static const char *const given[] = {"Alice", "Bilal", "Chiyo", "Dana", "Emil", "Fatma", "Goran",
                                    "Hana",  "Igor",  "Jia",   "Kofi", "Lena", "Mina",  "Noor",
                                    "Oskar", "Priya", "Quinn", "Rosa", "Sang", "Tariq"};
static const char *const family[] = {"Ahmed",   "Berg",   "Chen",  "Diaz", "Evans",
                                     "Fischer", "Garcia", "Hoang", "Ito",  "Jansen"};
static const char *const locales[] = {"en", "en", "ko", "en", "ja", "zh", "en", "de"};

enum step { ASK, ANSWER, SAY, SETTLE, SOLVE, ASK_AGAIN, ANSWER_AGAIN, SOLVE_AGAIN, RATE, CONTACT, RESOLVE, RATE_AGAIN };

struct scene {
        int64_t at_ms;
        int ticket;
        enum step step;
};

struct play {
        int customer, topic, agent, order;
        char conv[24];
};

struct past {
        struct seed seed;
        struct scene *heap;
        size_t count;
        struct play *plays;
};

int seed_below(struct seed *seed, int bound)
{
        uint64_t z = seed->dice += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return (int)((z ^ (z >> 31)) % (uint64_t)bound);
}

static bool is_before(const struct scene *one, const struct scene *other)
{
        return one->at_ms != other->at_ms ? one->at_ms < other->at_ms : one->ticket < other->ticket;
}

/* Each ticket has one scene in the heap at most. What would come after the end is left out: those tickets are the ones
 * that wait now. */
static void push(struct past *past, int64_t at_ms, int ticket, enum step step)
{
        struct scene scene = {at_ms, ticket, step};
        size_t at = past->count;

        if (at_ms >= past->seed.end_ms)
                return;
        past->count++;
        for (; at > 0 && is_before(&scene, &past->heap[(at - 1) / 2]); at = (at - 1) / 2)
                past->heap[at] = past->heap[(at - 1) / 2];
        past->heap[at] = scene;
}

static struct scene pop(struct past *past)
{
        struct scene first = past->heap[0], last = past->heap[--past->count];
        size_t at = 0;

        for (size_t below = 1; below < past->count; below = 2 * at + 1) {
                if (below + 1 < past->count && is_before(&past->heap[below + 1], &past->heap[below]))
                        below++;
                if (!is_before(&past->heap[below], &last))
                        break;
                past->heap[at] = past->heap[below];
                at = below;
        }
        past->heap[at] = last;
        return first;
}

static void pass_until(struct seed *seed, int64_t at_ms)
{
        if (at_ms > seed->now_ms) {
                console_pass(seed->console, at_ms - seed->now_ms);
                seed->now_ms = at_ms;
        }
}

/* ---- scenes ------------------------------------------------------------------------------------------------------ */

static int say(struct past *past, const struct desk_voice *voice, struct play *play, const char *line, const char *log)
{
        char text[512];
        json_t *result = NULL, *params;

        const char *number = strstr(line, "%d"); /* the order's */
        if (number)
                snprintf(text, sizeof(text), "%.*s%d%s", (int)(number - line), line, play->order, number + 2);
        else
                snprintf(text, sizeof(text), "%s", line);
        params = json_pack("{s:o, s:s, s:s}", "cmid", secret_cmid(), "kind", "text", "text", text);
        if (*play->conv)
                json_object_set_new(params, "conv", json_string(play->conv));
        else
                json_object_set_new(params, "key", json_string("main"));
        if (log)
                json_object_set_new(params, "log", json_string(log));
        int rc = console_do_as(past->seed.console, voice, "message.send", params, &result);
        if (rc == EX_OK && *cli_text(result, "conv"))
                snprintf(play->conv, sizeof(play->conv), "%s", cli_text(result, "conv"));
        json_decref(result);
        past->seed.entries++;
        return rc;
}

/* Who a customer is. */
struct person {
        char user[32], name[64], email[64];
};

static struct desk_voice customer_of(const struct past *past, const struct play *play, struct person *person)
{
        int at = play->customer;

        snprintf(person->user, sizeof(person->user), "seed-%03d", at + 1);
        snprintf(person->name, sizeof(person->name), "%s %s", given[at % 20], family[at / 20 % 10]);
        snprintf(person->email, sizeof(person->email), "%s.%s@mail.example", given[at % 20], family[at / 20 % 10]);
        return (struct desk_voice){.app = past->seed.app,
                                   .user = person->user,
                                   .name = person->name,
                                   .email = person->email,
                                   .locale = locales[at % 8]};
}

static int customer_says(struct past *past, struct play *play, const char *text)
{
        struct person person;
        struct desk_voice voice = customer_of(past, play, &person);

        return say(past, &voice, play, text, NULL);
}

static int customer_rates(struct past *past, struct play *play)
{
        struct person person;
        struct desk_voice voice = customer_of(past, play, &person);

        return seed_rate(&past->seed, &voice, play->conv);
}

static struct desk_voice agent_of(const struct past *past, const struct play *play)
{
        return (struct desk_voice){.agent = past->seed.agents[play->agent].id};
}

/* A change by the agent of the ticket as it is now; `more` is taken. */
static int change(struct past *past, const struct play *play, const char *method, json_t *more)
{
        struct desk_voice voice = agent_of(past, play);
        json_t *result = NULL;
        int rc = console_do_as(past->seed.console, &voice, "ticket.get", json_pack("{s:s}", "conv", play->conv),
                               &result);
        json_t *ticket = json_object_get(result, "ticket");

        if (rc == EX_OK) {
                json_object_set_new(more, "cmid", secret_cmid());
                json_object_set(more, "ticket", json_object_get(ticket, "ticket"));
                json_object_set(more, "version", json_object_get(ticket, "version"));
                rc = console_do_as(past->seed.console, &voice, method, json_incref(more), NULL);
        }
        json_decref(result);
        json_decref(more);
        return rc;
}

static int take_and_answer(struct past *past, struct play *play, const struct topic *topic)
{
        struct desk_voice voice = agent_of(past, play);
        int rc = change(past, play, "ticket.assign",
                        json_pack("{s:s, s:s}", "team", past->seed.teams[topic->team], "assignee",
                                  past->seed.agent_ids[play->agent]));

        return rc == EX_OK ? say(past, &voice, play, topic->answered, NULL) : rc;
}

static int settle(struct past *past, struct play *play, const struct topic *topic)
{
        struct desk_voice voice = agent_of(past, play);
        int rc = EX_OK;

        if (topic->note && seed_below(&past->seed, 2))
                rc = say(past, &voice, play, topic->note, "team");
        if (rc == EX_OK)
                rc = say(past, &voice, play, topic->settled, NULL);
        return rc == EX_OK ? change(past, play, "ticket.set",
                                    json_pack("{s:s, s:[s]}", "topic", topic->word, "tags", topic->tag))
                           : rc;
}

static int solve(struct past *past, struct play *play)
{
        return change(past, play, "ticket.move", json_pack("{s:s}", "to", "solved"));
}

/* Half of them answer, most at once. */
static void push_answer(struct past *past, int64_t at_ms, int ticket)
{
        struct seed *seed = &past->seed;
        int minutes = 1 + seed_below(seed, seed_below(seed, 3) ? 10 : 900);

        if (seed_below(seed, 100) < 55)
                push(past, at_ms + minutes * (int64_t)MINUTE_MS, ticket, RATE);
}

static int play_scene(struct past *past, const struct scene *scene)
{
        struct play *play = &past->plays[scene->ticket];
        const struct topic *topic = &topics[play->topic];
        struct seed *seed = &past->seed;
        int64_t at_ms = scene->at_ms;
        bool has_case = false;
        int rc;

        switch (scene->step) {
        case ASK:
                rc = customer_says(past, play, topic->asked);
                push(past, at_ms + (2 + seed_below(seed, seed_below(seed, 10) ? 60 : 360)) * (int64_t)MINUTE_MS,
                     scene->ticket, ANSWER);
                return rc;
        case ANSWER:
                rc = take_and_answer(past, play, topic);
                push(past, at_ms + (3 + seed_below(seed, 90)) * (int64_t)MINUTE_MS, scene->ticket, SAY);
                return rc;
        case SAY:
                rc = customer_says(past, play, topic->said);
                push(past, at_ms + (2 + seed_below(seed, 45)) * (int64_t)MINUTE_MS, scene->ticket, SETTLE);
                return rc;
        case SETTLE:
                rc = settle(past, play, topic);
                push(past, at_ms + (5 + seed_below(seed, 60)) * (int64_t)MINUTE_MS, scene->ticket, SOLVE);
                return rc;
        case SOLVE:
                rc = solve(past, play);
                if (seed_below(seed, 12) == 0)
                        push(past, at_ms + (1 + seed_below(seed, 20)) * (int64_t)HOUR_MS, scene->ticket, ASK_AGAIN);
                else
                        push_answer(past, at_ms, scene->ticket);
                return rc;
        case ASK_AGAIN:
                rc = customer_says(past, play, "It is still not right, sorry.");
                push(past, at_ms + (5 + seed_below(seed, 60)) * (int64_t)MINUTE_MS, scene->ticket, ANSWER_AGAIN);
                return rc;
        case ANSWER_AGAIN: {
                struct desk_voice voice = agent_of(past, play);
                rc = say(past, &voice, play, "I am sorry about that. I have put it right now.", NULL);
                push(past, at_ms + (5 + seed_below(seed, 30)) * (int64_t)MINUTE_MS, scene->ticket, SOLVE_AGAIN);
                return rc;
        }
        case SOLVE_AGAIN:
                push_answer(past, at_ms, scene->ticket);
                return solve(past, play);
        case RATE:
                rc = customer_rates(past, play);
                push(past, at_ms + (1 + seed_below(seed, seed_below(seed, 5) ? 20 : 40)) * (int64_t)HOUR_MS,
                     scene->ticket, CONTACT);
                return rc;
        case CONTACT:
                rc = seed_contact(seed, play->conv, &has_case);
                if (has_case)
                        push(past, at_ms + (4 + seed_below(seed, 30)) * (int64_t)HOUR_MS, scene->ticket, RESOLVE);
                return rc;
        case RESOLVE:
                rc = seed_resolve(seed, play->conv);
                push(past, at_ms + 8 * (int64_t)DAY_MS, scene->ticket, RATE_AGAIN); /* it was asked again after seven */
                return rc;
        case RATE_AGAIN:
                return customer_rates(past, play);
        }
        return EX_SOFTWARE;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* Most write during the day, in Seoul. */
static int64_t at_some_hour(struct seed *seed, int64_t at_ms)
{
        int hours = seed_below(seed, 6) ? OFFICE_HOURS : 24;

        return at_ms - at_ms % DAY_MS + seed_below(seed, hours * 60) * (int64_t)MINUTE_MS;
}

/* The tickets of a customer keep three days between them, so that the one before is closed. The last few are of the
 * last hours: they are what waits when it is done. */
static int64_t begin_of(struct seed *seed, int ticket, int tickets)
{
        int rounds = (tickets + seed->customers - 1) / seed->customers;
        int64_t begin_ms = seed->end_ms - (int64_t)seed->days * DAY_MS,
                round_ms = (int64_t)seed->days * DAY_MS / rounds;
        int64_t slack_ms = round_ms > QUIET_MS ? round_ms - QUIET_MS : MINUTE_MS;
        int64_t at_ms = begin_ms + ticket / seed->customers * round_ms + (round_ms - slack_ms);

        if (ticket >= tickets - FRESH)
                return seed->end_ms - (1 + seed_below(seed, 5 * 60)) * (int64_t)MINUTE_MS;
        at_ms = at_some_hour(seed, at_ms + seed_below(seed, (int)(slack_ms / MINUTE_MS)) * (int64_t)MINUTE_MS);
        if (at_ms >= seed->end_ms) /* of today only what has been */
                at_ms -= DAY_MS;
        return at_ms < begin_ms ? begin_ms : at_ms;
}

static void cast(struct past *past, int tickets)
{
        struct seed *seed = &past->seed;

        for (int i = 0; i < tickets; i++) {
                struct play *play = &past->plays[i];

                play->customer = i % seed->customers;
                play->topic = seed_below(seed, (int)(sizeof(topics) / sizeof(topics[0])));
                play->order = 10000 + seed_below(seed, 90000);
                do
                        play->agent = seed_below(seed, SEED_AGENTS);
                while (seed->agents[play->agent].team != topics[play->topic].team);
                push(past, begin_of(seed, i, tickets), i, ASK);
        }
}

static int make_past(struct past *past, int tickets)
{
        int rc = seed_desk(&past->seed);

        if (rc == EX_OK)
                rc = console_do(past->seed.console, "ticket.settings_set",
                                json_pack("{s:o, s:{s:i}}", "cmid", secret_cmid(), "settings", "close_ms", DAY_MS),
                                NULL);
        past->seed.entries = 0;
        if (rc == EX_OK)
                cast(past, tickets);
        while (rc == EX_OK && past->count) {
                struct scene scene = pop(past);
                pass_until(&past->seed, scene.at_ms);
                rc = play_scene(past, &scene);
        }
        return rc;
}

/* One that has an app and nothing in it. */
static int check_store(struct seed *seed)
{
        json_t *apps = NULL, *status = NULL;
        int rc = console_do(seed->console, "store.status", NULL, &status);

        if (rc == EX_OK)
                rc = console_do(seed->console, "app.list", NULL, &apps);
        const char *app = cli_text(json_array_get(json_object_get(apps, "apps"), 0), "app");
        if (rc == EX_OK && json_integer_value(json_object_get(status, "conversations")) > 0)
                rc = cli_fail(EX_DATAERR, "there are conversations in that store: only a new one can be seeded");
        else if (rc == EX_OK && (!*app || id_read(span_of(app), "app", &seed->app) < 0))
                rc = cli_fail(EX_DATAERR, "there is no app in that store; make one with: deskbell app add");
        json_decref(apps);
        json_decref(status);
        return rc;
}

/* Two tickets of one are six days apart at least, where there are enough of them. */
static int customers_for(int tickets, int days)
{
        int each = days / 6 > 0 ? days / 6 : 1, wanted = (tickets + each - 1) / each;

        return wanted > SEED_CUSTOMERS && days > SEED_DAYS ? wanted : SEED_CUSTOMERS;
}

int seed_folder(const char *dir, int tickets, int days, uint64_t number)
{
        struct past past = {.seed = {.dice = number, .end_ms = clock_wall_ms(), .days = days}};
        struct seed *seed = &past.seed;
        int64_t back_ms = (int64_t)days * DAY_MS;

        seed->customers = customers_for(tickets, days);

        past.heap = calloc((size_t)tickets, sizeof(*past.heap));
        past.plays = calloc((size_t)tickets, sizeof(*past.plays));
        seed->now_ms = seed->end_ms - back_ms;
        clock_shift_wall(-back_ms);
        int rc = past.heap && past.plays ? console_open(dir, CONSOLE_USE, &seed->console) : EX_OSERR;
        if (rc == EX_OK && console_is_remote(seed->console))
                rc = cli_fail(EX_TEMPFAIL, "a server is running on that folder");
        if (rc == EX_OK)
                rc = check_store(seed);
        if (rc == EX_OK) {
                console_gather_begin(seed->console);
                rc = make_past(&past, tickets);
                if (rc == EX_OK)
                        pass_until(seed, seed->end_ms);
                int ended = console_gather_end(seed->console);
                rc = rc == EX_OK ? ended : rc;
        }
        clock_shift_wall(seed->end_ms - seed->now_ms); /* as far as it is still turned */
        console_close(seed->console);
        free(past.heap);
        free(past.plays);
        return rc;
}

int cli_seed(int argc, char **argv)
{
        const char *data = NULL, *tickets = NULL, *days = NULL, *number = NULL;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "tickets", .value = "N", .text = &tickets, .help = "1 to 2000000; default 2000"},
                {.name = "days", .value = "N", .text = &days, .help = "how long its past is: 1 to 3660; default 60"},
                {.name = "number",
                 .value = "N",
                 .text = &number,
                 .help = "the same number gives the same desk; default 1"},
        };
        const struct cli_page page = {
                .usage = "seed [options]",
                .about = "Fills a new store, which no server holds, with three teams, ten agents, rules, hours, SLA, a "
                         "survey, "
                         "views "
                         "and\n"
                         "canned replies, and with 200 customers or more whose tickets of the last days are made by "
                         "the same "
                         "calls\n"
                         "that people and programs make, with the clock turned back.",
                .examples = "  deskbell init --data /tmp/try && deskbell seed --data /tmp/try\n",
                CLI_OPTIONS(options),
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        long long wanted = SEED_TICKETS;
        if (tickets && named_number("tickets", tickets, SEED_TICKETS_MOST, &wanted) != EX_OK)
                return EX_USAGE;
        if (wanted < 1)
                return cli_fail(EX_USAGE, "--tickets 1 to %d", SEED_TICKETS_MOST);
        long long span_days = SEED_DAYS;
        if (days && named_number("days", days, SEED_DAYS_MOST, &span_days) != EX_OK)
                return EX_USAGE;
        if (span_days < 1)
                return cli_fail(EX_USAGE, "--days 1 to %d", SEED_DAYS_MOST);

        uint64_t begun = clock_mono_ms();
        int rc = seed_folder(cli_data(data), (int)wanted, (int)span_days, number ? strtoull(number, NULL, 10) : 1);
        if (rc != EX_OK)
                return rc;
        uint64_t took = clock_mono_ms() - begun - (uint64_t)span_days * DAY_MS;
        long long customers = customers_for((int)wanted, (int)span_days);
        printf("%lld tickets of %lld customers in %.1f s\n", wanted, wanted < customers ? wanted : customers,
               (double)took / 1000);
        return cli_finish();
}
