/* SPDX-License-Identifier: Apache-2.0 */
/* Many conditions asked together say what each of them says alone: random expressions over every kind of fact, random
 * tickets, some of whose facts cannot be learned. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/rules/questions.h"
#include "protocol_generated.h"
#include "unit/ops/cmocka_all.h"

enum { ROUNDS = 300, CONDITIONS = 60, NOW_S = 1000000 };

struct ticket {
        int64_t numbers[FACTS_COUNT]; /* 0 = not set */
        struct span texts[FACTS_COUNT], items[FACTS_COUNT][3];
        uint32_t counts[FACTS_COUNT];
        enum fact failing; /* FACTS_COUNT = none */
};

static uint64_t seed = 0x853c49e6748fea9bu;
static unsigned asked; /* facts */

static uint32_t dice(uint32_t sides)
{
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        return (uint32_t)(seed >> 33) % sides;
}

static const char *const texts[] = {"", "ko", "ko-KR", "Red", "red hat", "GOLD", "t1", "t2"};

static int fact_of(const struct fact_scene *scene, enum fact fact, struct span name, struct fact_value *out)
{
        const struct ticket *ticket = scene->ticket;
        asked++;
        if (ticket->failing == fact)
                return -PROTOCOL_ERR_INTERNAL;
        if (out->type == FACT_AS_DYNAMIC) {
                bool is_number = span_equal(name, SPAN("size"));
                out->type = is_number ? FACT_AS_NUMBER : FACT_AS_TEXT;
        }
        out->is_set = ticket->numbers[fact] != 0;
        out->number = ticket->numbers[fact];
        out->text = ticket->texts[fact];
        out->items = ticket->items[fact];
        out->count = ticket->counts[fact];
        return 0;
}

/* Agent 7 is in the teams 1 and 2, agent 8 in 3. */
static bool is_in_team(const struct fact_scene *scene, int64_t team)
{
        return (scene->me == 7 && (team == 1 || team == 2)) || (scene->me == 8 && team == 3);
}

static int64_t find_name(void *data, enum fact fact, struct span text, char out_ext[ID_TEXT_BYTES])
{
        (void)data, (void)fact;
        memset(out_ext, 'x', ID_TEXT_BYTES);
        return text.len > 1 && text.at[0] == 'n' ? text.at[1] - '0' : 0;
}

static const struct condition_world world = {fact_of, is_in_team};
static const struct condition_names names = {find_name, NULL};

static void write_test(char *out, size_t room)
{
        static const char *const compares[] = {"=", "!=", "<", "<=", ">", ">="};
        static const char *const levels[] = {"low", "normal", "high", "urgent"};
        static const char *const statuses[] = {"pending", "open", "waiting", "solved"};
        static const char *const teams[] = {"n1", "n2", "n3", "mine"};
        static const char *const agents[] = {"n7", "n8", "me"};
        const char *text = texts[1 + dice(7)];
        switch (dice(14)) {
        case 0:
                snprintf(out, room, "status %s %s", compares[dice(2)], statuses[dice(4)]);
                break;
        case 1:
                snprintf(out, room, "status %sin (%s, %s)", dice(2) ? "not " : "", statuses[dice(4)],
                         statuses[dice(4)]);
                break;
        case 2:
                snprintf(out, room, "priority %s %s", compares[dice(6)], levels[dice(4)]);
                break;
        case 3:
                snprintf(out, room, "team %s %s", compares[dice(2)], teams[dice(4)]);
                break;
        case 4:
                snprintf(out, room, "assignee %s %s", compares[dice(2)], agents[dice(3)]);
                break;
        case 5:
                snprintf(out, room, "%s %s %us", dice(2) ? "waiting" : "age", compares[2 + dice(4)], dice(6) * 10);
                break;
        case 6:
                snprintf(out, room, "due %s %us", compares[2 + dice(4)], dice(4) * 10);
                break;
        case 7:
                snprintf(out, room, "tag %s \"%s\"", dice(2) ? "=" : "has", text);
                break;
        case 8:
                snprintf(out, room, "subject %s \"%s\"", dice(2) ? "has" : "=", text);
                break;
        case 9:
                snprintf(out, room, "language %s \"%s\"", compares[dice(2)], text);
                break;
        case 10:
                snprintf(out, room, "customer.tier in (\"%s\", \"%s\")", text, texts[1 + dice(7)]);
                break;
        case 11:
                snprintf(out, room, "field.size %s %u", compares[dice(6)], dice(4));
                break;
        case 12:
                snprintf(out, room, "%s is %sset", dice(2) ? "assignee" : "field.colour", dice(2) ? "not " : "");
                break;
        default:
                snprintf(out, room, "%sbot", dice(2) ? "not " : "");
        }
}

static struct condition *make_condition(void)
{
        char text[1024] = "", test[128];
        size_t len = 0;
        unsigned tests = dice(5);
        struct condition *condition = NULL;
        struct condition_error error;
        for (unsigned i = 0; i < tests; i++) {
                write_test(test, sizeof test);
                const char *joined = i == 0 ? "" : dice(2) ? " and " : " or ";
                len += (size_t)snprintf(text + len, sizeof text - len, "%s%s(%s)", joined, dice(4) == 0 ? "not " : "",
                                        test);
        }
        if (condition_compile(span_of(text), CONDITION_OF_VIEW, &names, &condition, &error) < 0)
                fail_msg("%s: at %zu: %s", text, error.at, error.expected);
        return condition;
}

static void make_ticket(struct ticket *ticket)
{
        *ticket = (struct ticket){.failing = dice(20) == 0 ? FACT_TEAM : FACTS_COUNT};
        for (int i = 0; i < FACTS_COUNT; i++) {
                enum fact_type type = fact_info((enum fact)i).type;
                bool is_moment = type == FACT_AS_SINCE || type == FACT_AS_UNTIL;
                ticket->numbers[i] = is_moment ? (NOW_S - 40 + dice(80)) * 1000 : dice(5);
                ticket->texts[i] = span_of(texts[dice(8)]);
                ticket->counts[i] = dice(4);
                for (int item = 0; item < 3; item++)
                        ticket->items[i][item] = span_of(texts[1 + dice(7)]);
        }
        ticket->numbers[FACT_ASSIGNEE] = dice(2) ? 7 + dice(2) : 0;
}

struct asking {
        struct question all[CONDITIONS];
        struct condition *conditions[CONDITIONS];
        struct ticket tickets[QUESTIONS_TICKETS];
        const struct ticket *pointers[QUESTIONS_TICKETS];
        unsigned count;
};

static struct asking *make_asking(void)
{
        static struct asking asking;
        for (int i = 0; i < CONDITIONS; i++) {
                asking.conditions[i] = dice(20) == 0 ? NULL : make_condition();
                asking.all[i] = (struct question){asking.conditions[i], dice(2) ? 7 + dice(2) : 0};
        }
        asking.count = 1 + dice(QUESTIONS_TICKETS);
        for (unsigned i = 0; i < asking.count; i++) {
                make_ticket(&asking.tickets[i]);
                asking.pointers[i] = &asking.tickets[i];
        }
        return &asking;
}

/* What each of them says alone about that ticket. */
static void check_ticket(const struct asking *asking, unsigned nth, const uint64_t *holds, int64_t turns_ms)
{
        int64_t next = INT64_MAX;
        for (int i = 0; i < CONDITIONS; i++) {
                const struct question *question = &asking->all[i];
                struct fact_scene scene = {
                        .ticket = &asking->tickets[nth], .now_ms = NOW_S * INT64_C(1000), .me = question->me};
                bool is = question->condition && condition_holds(question->condition, &world, &scene) == 1;
                if (is != (holds[i] >> nth & 1))
                        fail_msg("question %d about ticket %u: %d", i, nth, is);
                int64_t turn =
                        question->condition ? condition_turns_ms(question->condition, &world, &scene) : INT64_MAX;
                next = turn < next ? turn : next;
        }
        assert_int_equal(turns_ms, next);
}

static void asked_together_they_say_what_each_says_alone(void **state)
{
        unsigned held = 0, failed = 0;
        (void)state;
        for (int round = 0; round < ROUNDS; round++) {
                uint64_t holds[CONDITIONS];
                int64_t turns_ms[QUESTIONS_TICKETS];
                struct asking *asking = make_asking();
                struct questions *questions = questions_new(asking->all, CONDITIONS, &world);
                assert_non_null(questions);
                bool asks_team = questions_ask_for(questions, FACT_TEAM);
                uint64_t unknown = questions_ask(questions, NULL, NOW_S * INT64_C(1000), asking->pointers,
                                                 asking->count, holds, turns_ms);
                for (unsigned i = 0; i < asking->count; i++) {
                        bool fails = asking->tickets[i].failing == FACT_TEAM && asks_team;
                        assert_int_equal(unknown >> i & 1, fails);
                        failed += fails;
                        if (!fails)
                                check_ticket(asking, i, holds, turns_ms[i]);
                }
                for (int i = 0; i < CONDITIONS; i++) {
                        if (asking->count < QUESTIONS_TICKETS) /* nothing is said of tickets that are not there */
                                assert_int_equal(holds[i] >> asking->count, 0);
                        held += holds[i] != 0;
                        condition_free(asking->conditions[i]);
                }
                questions_free(questions);
        }
        assert_true(held > ROUNDS * CONDITIONS / 4);
        assert_true(failed > ROUNDS / 4);
}

static void a_fact_is_asked_once_however_many_ask_for_it(void **state)
{
        struct question all[40];
        struct ticket ticket = {.failing = FACTS_COUNT, .numbers = {[FACT_STATUS] = 4, [FACT_NUMBER] = 17}};
        const struct ticket *pointer = &ticket;
        uint64_t holds[40];
        int64_t turns_ms[QUESTIONS_TICKETS];
        (void)state;
        for (int i = 0; i < 40; i++) {
                char text[64];
                struct condition *condition = NULL;
                struct condition_error error;
                snprintf(text, sizeof text, "status = open and number > %d", i);
                assert_int_equal(0, condition_compile(span_of(text), CONDITION_OF_VIEW, &names, &condition, &error));
                all[i] = (struct question){condition, 0};
        }
        struct questions *questions = questions_new(all, 40, &world);
        asked = 0;
        assert_int_equal(0, questions_ask(questions, NULL, 1, &pointer, 1, holds, turns_ms));
        assert_int_equal(2, asked);
        for (int i = 0; i < 40; i++) {
                assert_int_equal(i < 17, holds[i]);
                condition_free((struct condition *)(uintptr_t)all[i].condition);
        }
        questions_free(questions);
}

static void no_question_is_a_question_too(void **state)
{
        struct ticket ticket = {.failing = FACTS_COUNT};
        const struct ticket *pointer = &ticket;
        int64_t turns_ms[QUESTIONS_TICKETS] = {0};
        struct questions *questions = questions_new(NULL, 0, &world);
        (void)state;
        assert_non_null(questions);
        assert_int_equal(0, questions_ask(questions, NULL, 1, &pointer, 1, NULL, turns_ms));
        assert_int_equal(INT64_MAX, turns_ms[0]);
        questions_free(questions);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(asked_together_they_say_what_each_says_alone),
                cmocka_unit_test(a_fact_is_asked_once_however_many_ask_for_it),
                cmocka_unit_test(no_question_is_a_question_too),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
