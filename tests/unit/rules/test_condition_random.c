/* SPDX-License-Identifier: Apache-2.0 */
/* Random expressions, written with more brackets and spaces than they need: what is printed compiles to what prints the
 * same, and means what a second evaluation over the generator's own tree says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk/rules/condition.h"
#include "protocol_generated.h"
#include "unit/ops/cmocka_all.h"

enum { ROUNDS = 20000, FACT_NUMBERS = 4 };

struct ticket {
        int64_t number, reopens, unanswered, priority;
};

static uint64_t seed = 0x853c49e6748fea9bu;

static uint32_t dice(uint32_t sides)
{
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        return (uint32_t)(seed >> 33) % sides;
}

static int64_t value_of(const struct ticket *ticket, int fact)
{
        return fact == 0   ? ticket->number
               : fact == 1 ? ticket->reopens
               : fact == 2 ? ticket->unanswered
                           : ticket->priority;
}

static int fact_of(const struct fact_scene *scene, enum fact fact, struct span name, struct fact_value *out)
{
        const struct ticket *ticket = scene->ticket;
        (void)name;
        out->number = fact == FACT_NUMBER       ? ticket->number
                      : fact == FACT_REOPENS    ? ticket->reopens
                      : fact == FACT_UNANSWERED ? ticket->unanswered
                                                : ticket->priority;
        out->is_set = true;
        return 0;
}

static int64_t no_name(void *data, enum fact fact, struct span text, char out_ext[ID_TEXT_BYTES])
{
        (void)data, (void)fact, (void)text, (void)out_ext;
        return 0;
}

static const struct condition_world world = {fact_of, NULL};
static const struct condition_names names = {no_name, NULL};

static void say(char *text, const char *part)
{
        static const char *const spaces[] = {" ", "  ", " \n", "\t"};
        strcat(text, spaces[dice(4)]);
        strcat(text, part);
}

/* Appends a test and returns whether it holds. */
static bool make_test(char *text, const struct ticket *ticket)
{
        static const char *const facts[] = {"number", "reopens", "unanswered", "priority"};
        static const char *const levels[] = {"low", "low", "normal", "high", "urgent"};
        static const char *const compares[] = {"=", "!=", "<", "<=", ">", ">="};
        int fact = (int)dice(FACT_NUMBERS), compare = (int)dice(6);
        int64_t wanted = 1 + dice(4), found = value_of(ticket, fact);
        char number[8];
        snprintf(number, sizeof number, "%d", (int)wanted);
        say(text, facts[fact]);
        if (dice(4) == 0) {
                say(text, "not in (");
                say(text, fact == 3 ? levels[wanted] : number);
                say(text, ")");
                return found != wanted;
        }
        say(text, compares[compare]);
        say(text, fact == 3 ? levels[wanted] : number);
        const bool truths[] = {found == wanted, found != wanted, found<wanted, found <= wanted, found> wanted,
                               found >= wanted};
        return truths[compare];
}

static bool make_any(char *text, const struct ticket *ticket, int depth);

static bool make_part(char *text, const struct ticket *ticket, int depth)
{
        uint32_t kind = depth > 0 ? dice(4) : 3;
        if (kind == 0) {
                say(text, "not");
                return !make_part(text, ticket, depth - 1);
        }
        if (kind == 1) {
                say(text, "(");
                bool is_true = make_any(text, ticket, depth - 1);
                say(text, ")");
                return is_true;
        }
        return make_test(text, ticket);
}

static bool make_all(char *text, const struct ticket *ticket, int depth)
{
        bool is_true = make_part(text, ticket, depth);
        while (dice(3) == 0) {
                say(text, dice(2) ? "and" : "AND");
                bool next = make_part(text, ticket, depth);
                is_true = is_true && next;
        }
        return is_true;
}

static bool make_any(char *text, const struct ticket *ticket, int depth)
{
        bool is_true = make_all(text, ticket, depth);
        while (dice(3) == 0) {
                say(text, "or");
                bool next = make_all(text, ticket, depth);
                is_true = is_true || next;
        }
        return is_true;
}

static void print(const struct condition *condition, char *out, size_t room)
{
        struct writer writer;
        writer_init(&writer, NULL, 0);
        condition_print(condition, NULL, NULL, &writer);
        assert_true(!writer.failed && writer.len < room);
        if (writer.len > 0)
                memcpy(out, writer.bytes, writer.len);
        out[writer.len] = 0;
        writer_done(&writer);
}

static void what_is_printed_compiles_to_the_same(void **state)
{
        static char text[1 << 20], printed[1 << 20], again[1 << 20];
        int compiled = 0, held = 0;
        (void)state;
        for (int round = 0; round < ROUNDS; round++) {
                struct ticket ticket = {1 + dice(4), 1 + dice(4), 1 + dice(4), 1 + dice(4)};
                struct fact_scene scene = {.ticket = &ticket};
                struct condition *condition = NULL, *second = NULL;
                struct condition_error error;
                text[0] = 0;
                bool is_true = make_any(text, &ticket, 4);
                if (condition_compile(span_of(text), 0, &names, &condition, &error) < 0) {
                        assert_true(strncmp(error.expected, "at most 50", 10) == 0 ||
                                    strncmp(error.expected, "the end: at most", 16) == 0);
                        continue;
                }
                compiled++;
                assert_int_equal(condition_holds(condition, &world, &scene), is_true);
                held += is_true;
                print(condition, printed, sizeof printed);
                assert_int_equal(condition_compile(span_of(printed), CONDITION_STORED, &names, &second, &error), 0);
                print(second, again, sizeof again);
                assert_string_equal(again, printed);
                assert_int_equal(condition_holds(second, &world, &scene), is_true);
                condition_free(second);
                condition_free(condition);
        }
        assert_in_range(compiled, ROUNDS / 2, ROUNDS);
        assert_in_range(held, compiled / 4, compiled);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_printed_compiles_to_the_same)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
