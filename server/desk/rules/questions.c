/* SPDX-License-Identifier: Apache-2.0 */
/* Asking many conditions together. Each distinct test stands once, under the fact that it asks for; a fact is fetched
 * once for each ticket and shown to all its tests; then every condition is put together from the answers of its tests,
 * a word for 64 tickets. */
#include "desk/rules/questions.h"

#include <stdlib.h>
#include <string.h>

#include "desk/rules/condition_private.h"

enum { WORDS = 63 }; /* of facts whose values are few: one bit each; the last one says "not set" */

struct test {
        const struct condition *condition;
        const struct condition_node *node;
        int64_t me;           /* 0 when it does not speak of him */
        uint64_t accepts;     /* of a fact with few values: which of them */
        uint64_t equals;      /* of others: a bit for each value that it knows, by its hash */
        int64_t limit;        /* of a test about how long, ms */
        bool is_not;          /* it passes when the value is none of those */
        uint64_t holds;       /* of which tickets */
        uint32_t group, next; /* index + 1 of the next one of its group; 0 = none */
};

/* Tests of one fact, and of customer.* and field.* of one name. */
struct group {
        const struct condition *condition; /* of its first test, which says what is asked */
        const struct condition_node *node;
        uint32_t first; /* index + 1 */
        bool has_few_values, is_timed;
};

struct questions {
        const struct condition_world *world;
        struct question *all;
        uint32_t *first_node; /* of each question, in test_of */
        uint32_t *test_of;    /* of each node: the index of its test */
        struct test *tests;
        struct group *groups;
        uint32_t *slots; /* while it is made: tests by what they say; index + 1 */
        size_t count, test_count, group_count, slot_count;
};

/* ---- making ---- */

static bool is_about_me(const struct condition *condition, const struct condition_node *node)
{
        for (unsigned i = 0; node->type == FACT_AS_ID && i < node->value_count; i++) {
                int64_t number = condition->values[node->first_value + i].number;
                if (number == CONDITION_ME || number == CONDITION_MINE)
                        return true;
        }
        return false;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
        return (hash ^ value) * 0x9e3779b97f4a7c15u;
}

static uint64_t hash_text(uint64_t hash, struct span text)
{
        for (size_t i = 0; i < text.len; i++)
                hash = mix(hash, (unsigned char)text.at[i]);
        return hash;
}

static uint64_t hash_of(const struct test *test)
{
        const struct condition_node *node = test->node;
        uint64_t hash = mix(mix((uint64_t)node->fact << 8 | node->compare, node->value_count), (uint64_t)test->me);
        hash = hash_text(hash, condition_name(test->condition, node));
        for (unsigned i = 0; i < node->value_count; i++) {
                const struct condition_value *value = &test->condition->values[node->first_value + i];
                hash = hash_text(mix(hash, (uint64_t)value->number), condition_text(test->condition, value));
        }
        return hash ^ hash >> 29;
}

static bool is_same_fact(const struct condition *a, const struct condition_node *at, const struct condition *b,
                         const struct condition_node *bt)
{
        return at->fact == bt->fact && span_equal(condition_name(a, at), condition_name(b, bt));
}

static bool is_same_test(const struct test *a, const struct test *b)
{
        const struct condition_node *at = a->node, *bt = b->node;
        if (at->compare != bt->compare || at->value_count != bt->value_count || a->me != b->me ||
            !is_same_fact(a->condition, at, b->condition, bt))
                return false;
        for (unsigned i = 0; i < at->value_count; i++) {
                const struct condition_value *x = &a->condition->values[at->first_value + i];
                const struct condition_value *y = &b->condition->values[bt->first_value + i];
                if (x->number != y->number || x->is_number != y->is_number ||
                    !span_equal(condition_text(a->condition, x), condition_text(b->condition, y)))
                        return false;
        }
        return true;
}

/* Which values of a fact with few of them the test accepts: as the test itself says of each. */
static uint64_t accepted(const struct test *test)
{
        struct look look = {.condition = test->condition};
        struct fact_value value = {.type = (enum fact_type)test->node->type, .is_set = true};
        uint64_t accepts = 0;
        for (int i = 0; i < WORDS; i++) {
                value.number = i;
                accepts |= (uint64_t)condition_passes(&look, test->node, &value) << i;
        }
        value.is_set = false;
        return accepts | (uint64_t)condition_passes(&look, test->node, &value) << WORDS;
}

static uint64_t bit_of_text(struct span text)
{
        uint64_t hash = 0;
        for (size_t i = 0; i < text.len; i++)
                hash = mix(hash, (unsigned char)condition_folded(text.at[i]));
        return UINT64_C(1) << (hash >> 58);
}

static uint64_t bit_of_number(int64_t number)
{
        return UINT64_C(1) << (mix(0, (uint64_t)number) >> 58);
}

/* Bits of the values one of which has to be equal for the test to pass, or (`is_not`) to fail. All bits: it is another
 * test, or its values say more than themselves. */
static uint64_t known_values(const struct test *test)
{
        const struct condition_node *node = test->node;
        bool is_equality = node->compare == COMPARE_EQUAL || node->compare == COMPARE_IN ||
                           node->compare == COMPARE_NOT_EQUAL || node->compare == COMPARE_NOT_IN;
        bool is_text = node->type == FACT_AS_TEXT || node->type == FACT_AS_SET;
        uint64_t bits = 0;
        if (!is_equality || node->fact == FACT_LANGUAGE || !(is_text || node->type == FACT_AS_ID))
                return UINT64_MAX;
        for (unsigned i = 0; i < node->value_count; i++) {
                const struct condition_value *value = &test->condition->values[node->first_value + i];
                if (!is_text && value->number < 0)
                        return UINT64_MAX; /* me, mine */
                bits |= is_text ? bit_of_text(condition_text(test->condition, value)) : bit_of_number(value->number);
        }
        return bits;
}

static uint64_t bits_of(const struct fact_value *found)
{
        uint64_t bits = 0;
        switch (found->type) {
        case FACT_AS_ID:
                return bit_of_number(found->number);
        case FACT_AS_TEXT:
                return bit_of_text(found->text);
        case FACT_AS_SET:
                for (uint32_t i = 0; i < found->count; i++)
                        bits |= bit_of_text(found->items[i]);
                return bits;
        default:
                return UINT64_MAX;
        }
}

static uint32_t group_of(struct questions *questions, const struct test *test)
{
        struct group *group = questions->groups;
        for (; group < questions->groups + questions->group_count; group++)
                if (is_same_fact(group->condition, group->node, test->condition, test->node))
                        return (uint32_t)(group - questions->groups);
        enum fact_type type = (enum fact_type)test->node->type;
        *group = (struct group){.condition = test->condition,
                                .node = test->node,
                                .has_few_values = type == FACT_AS_WORD || type == FACT_AS_LEVEL || type == FACT_AS_BOOL,
                                .is_timed = condition_type_is_timed(type)};
        return (uint32_t)questions->group_count++;
}

/* The index of the test that says that. */
static uint32_t put_test(struct questions *questions, const struct question *question,
                         const struct condition_node *node)
{
        struct test test = {.condition = question->condition, .node = node};
        test.me = is_about_me(question->condition, node) ? question->me : 0;
        size_t slot = hash_of(&test) & (questions->slot_count - 1);
        for (; questions->slots[slot] != 0; slot = (slot + 1) & (questions->slot_count - 1))
                if (is_same_test(&questions->tests[questions->slots[slot] - 1], &test))
                        return questions->slots[slot] - 1;
        uint32_t at = (uint32_t)questions->test_count++;
        test.group = group_of(questions, &test);
        struct group *group = &questions->groups[test.group];
        test.accepts = group->has_few_values ? accepted(&test) : 0;
        test.equals = known_values(&test);
        test.is_not = node->compare == COMPARE_NOT_EQUAL || node->compare == COMPARE_NOT_IN;
        if (group->is_timed && node->value_count > 0)
                test.limit = question->condition->values[node->first_value].number * 1000;
        test.next = group->first;
        group->first = questions->slots[slot] = at + 1;
        questions->tests[at] = test;
        return at;
}

static void put_question(struct questions *questions, size_t nth, uint32_t *nodes)
{
        const struct question *question = &questions->all[nth];
        questions->first_node[nth] = *nodes;
        for (unsigned i = 0; question->condition && i < question->condition->node_count; i++) {
                const struct condition_node *node = &question->condition->nodes[i];
                questions->test_of[(*nodes)++] = node->kind == CONDITION_TEST ? put_test(questions, question, node) : 0;
        }
}

static bool take_room(struct questions *questions, const struct question *all, size_t count)
{
        size_t nodes = 0, tests = 0;
        for (size_t i = 0; i < count; i++) {
                nodes += all[i].condition ? all[i].condition->node_count : 0u;
                tests += all[i].condition ? all[i].condition->test_count : 0u;
        }
        for (questions->slot_count = 64; questions->slot_count < tests * 2;)
                questions->slot_count *= 2;
        questions->all = calloc(count + 1, sizeof *questions->all);
        questions->first_node = calloc(count + 1, sizeof *questions->first_node);
        questions->test_of = calloc(nodes + 1, sizeof *questions->test_of);
        questions->tests = calloc(tests + 1, sizeof *questions->tests);
        questions->groups = calloc(tests + 1, sizeof *questions->groups);
        questions->slots = calloc(questions->slot_count, sizeof *questions->slots);
        return questions->all && questions->first_node && questions->test_of && questions->tests && questions->groups &&
               questions->slots;
}

struct questions *questions_new(const struct question *all, size_t count, const struct condition_world *world)
{
        struct questions *questions = calloc(1, sizeof *questions);
        uint32_t nodes = 0;
        if (!questions || !take_room(questions, all, count))
                return questions_free(questions);
        questions->world = world;
        questions->count = count;
        if (count > 0)
                memcpy(questions->all, all, count * sizeof *all);
        for (size_t i = 0; i < count; i++)
                put_question(questions, i, &nodes);
        free(questions->slots);
        questions->slots = NULL;
        return questions;
}

struct questions *questions_free(struct questions *questions)
{
        if (!questions)
                return NULL;
        free(questions->all);
        free(questions->first_node);
        free(questions->test_of);
        free(questions->tests);
        free(questions->groups);
        free(questions->slots);
        free(questions);
        return NULL;
}

bool questions_ask_for(const struct questions *questions, enum fact fact)
{
        for (size_t i = 0; i < questions->group_count; i++)
                if (questions->groups[i].node->fact == fact)
                        return true;
        return false;
}

/* ---- asking ---- */

static void show_word(struct questions *questions, const struct group *group, const struct fact_value *found,
                      uint64_t bit)
{
        uint64_t word = UINT64_C(1) << (found->is_set ? found->number & WORDS : WORDS);
        for (uint32_t at = group->first; at != 0; at = questions->tests[at - 1].next)
                questions->tests[at - 1].holds |= questions->tests[at - 1].accepts & word ? bit : 0;
}

/* How long it is, `ms`, grows with time or shrinks: when it comes to a limit, or has just passed it, some test turns.
 */
static void show_moment(struct questions *questions, const struct group *group, const struct fact_scene *scene,
                        const struct fact_value *found, uint64_t bit, int64_t *turns_ms)
{
        bool grows = group->node->type == FACT_AS_SINCE;
        int64_t ms = grows ? scene->now_ms - found->number : found->number - scene->now_ms, next_ms = INT64_MAX;
        for (uint32_t at = group->first; at != 0; at = questions->tests[at - 1].next) {
                struct test *test = &questions->tests[at - 1];
                if (test->node->value_count == 0) {
                        test->holds |= found->is_set == (test->node->compare == COMPARE_SET) ? bit : 0;
                        continue;
                }
                if (!found->is_set)
                        continue;
                int64_t until_ms = grows ? test->limit - ms : ms - test->limit;
                until_ms += until_ms == 0; /* before and at it, at it and behind it: one of the two is where it turns */
                test->holds |= condition_is_in_order(test->node->compare, ms, test->limit) ? bit : 0;
                next_ms = until_ms > 0 && until_ms < next_ms ? until_ms : next_ms;
        }
        if (next_ms != INT64_MAX && scene->now_ms + next_ms < *turns_ms)
                *turns_ms = scene->now_ms + next_ms;
}

/* One ticket's value, shown to all tests of its fact. */
static void show(struct questions *questions, const struct group *group, struct fact_scene *scene,
                 const struct fact_value *found, uint64_t bit)
{
        uint64_t bits = found->is_set ? bits_of(found) : UINT64_MAX;
        for (uint32_t at = group->first; at != 0; at = questions->tests[at - 1].next) {
                struct test *test = &questions->tests[at - 1];
                struct look look = {test->condition, questions->world, scene};
                scene->me = test->me;
                bool passes = (test->equals & bits) == 0 ? test->is_not : condition_passes(&look, test->node, found);
                test->holds |= passes ? bit : 0;
        }
}

/* Returns the tickets of which the fact could not be learned. */
static uint64_t ask_group(struct questions *questions, const struct group *group, struct fact_scene *scene,
                          const struct ticket *const *tickets, unsigned count, int64_t *turns_ms)
{
        struct fact_value found; /* large: not one for each ticket */
        uint64_t failed = 0;
        for (uint32_t at = group->first; at != 0; at = questions->tests[at - 1].next)
                questions->tests[at - 1].holds = 0;
        for (unsigned i = 0; i < count; i++) {
                struct look look = {group->condition, questions->world, scene};
                scene->ticket = tickets[i];
                scene->me = 0;
                uint64_t bit = UINT64_C(1) << i;
                if (condition_ask(&look, group->node, &found) < 0)
                        failed |= bit;
                else if (group->has_few_values)
                        show_word(questions, group, &found, bit);
                else if (group->is_timed)
                        show_moment(questions, group, scene, &found, bit, &turns_ms[i]);
                else
                        show(questions, group, scene, &found, bit);
        }
        return failed;
}

/* Of which of the tickets `of` the node holds. */
static uint64_t answer(const struct questions *questions, const struct condition *condition, const uint32_t *test_of,
                       unsigned at, uint64_t of)
{
        const struct condition_node *node = &condition->nodes[at];
        if (node->kind == CONDITION_TEST)
                return questions->tests[test_of[at]].holds & of;
        if (node->kind == CONDITION_NOT)
                return of & ~answer(questions, condition, test_of, at + 1, of);
        uint64_t open = of; /* not decided yet */
        for (unsigned child = at + 1; child < node->end && open != 0; child = condition->nodes[child].end) {
                uint64_t holds = answer(questions, condition, test_of, child, open);
                open = node->kind == CONDITION_AND ? holds : open & ~holds;
        }
        return node->kind == CONDITION_AND ? open : of & ~open;
}

uint64_t questions_ask(struct questions *questions, struct desk *desk, int64_t now_ms,
                       const struct ticket *const *tickets, unsigned count, uint64_t *out_holds,
                       int64_t out_turns_ms[QUESTIONS_TICKETS])
{
        struct fact_scene scene = {.desk = desk, .now_ms = now_ms};
        uint64_t failed = 0, asked = count < QUESTIONS_TICKETS ? (UINT64_C(1) << count) - 1 : UINT64_MAX;
        for (unsigned i = 0; i < count; i++)
                out_turns_ms[i] = INT64_MAX;
        for (size_t i = 0; i < questions->group_count; i++)
                failed |= ask_group(questions, &questions->groups[i], &scene, tickets, count, out_turns_ms);
        for (size_t i = 0; i < questions->count; i++) {
                const struct condition *condition = questions->all[i].condition;
                const uint32_t *test_of = &questions->test_of[questions->first_node[i]];
                out_holds[i] = !condition                   ? 0
                               : condition->node_count == 0 ? asked
                                                            : answer(questions, condition, test_of, 0, asked);
        }
        return failed;
}
