/* SPDX-License-Identifier: Apache-2.0 */
/* Steps, conditions, values and targets. */
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "entity.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

bool check_operand(struct check *check, const json_t *operand)
{
        const char *name = json_string_value(json_object_get(operand, "var"));
        const char *fact = json_string_value(json_object_get(operand, "fact"));
        name = name ? name : fact;
        if (json_is_object(operand) && json_object_size(operand) == 1 && name && check_is_path(name, !fact))
                return true;
        if (json_is_string(operand) || json_is_number(operand) || json_is_boolean(operand))
                return true;
        check_error(check, NULL, "A value is no $slot, text, number, true, false or fact.");
        return false;
}

void check_condition(struct check *check, const json_t *condition, int depth)
{
        static const struct {
                const char *word;
                size_t least, most; /* values */
                bool is_inner;      /* values are conditions */
        } kinds[] = {
                {"and", 2, 20, true}, {"or", 2, 20, true},  {"not", 1, 1, true}, {"is", 1, 1, false},
                {"has", 1, 1, false}, {"in", 2, 50, false}, {"==", 2, 2, false}, {"!=", 2, 2, false},
                {"<", 2, 2, false},   {"<=", 2, 2, false},  {">", 2, 2, false},  {">=", 2, 2, false},
        };
        const char *word = json_string_value(json_array_get(condition, 0));
        size_t values = json_array_size(condition) - 1;
        if (depth > BOT_NESTING_MAX) {
                check_error(check, NULL, "A condition is nested deeper than %d.", BOT_NESTING_MAX);
                return;
        }
        for (size_t i = 0; word && i < COUNT_OF(kinds); i++) {
                if (strcmp(word, kinds[i].word) != 0)
                        continue;
                if (values < kinds[i].least || values > kinds[i].most) {
                        check_error(check, NULL, "The condition `%s` has %zu values.", word, values);
                        return;
                }
                for (size_t j = 1; j <= values; j++) {
                        if (kinds[i].is_inner)
                                check_condition(check, json_array_get(condition, j), depth + 1);
                        else
                                check_operand(check, json_array_get(condition, j));
                }
                return;
        }
        check_error(check, NULL, "A condition is not understood.");
}

void check_target(struct check *check, const json_t *target)
{
        static const struct {
                const char *word, *group;
        } kinds[] = {{"flow ", "flows"}, {"faq ", "faqs"}, {"handoff ", "handoffs"}};
        const char *to = json_string_value(target);
        if (!to) {
                check_error(check, NULL, "Where to go on is no text.");
                return;
        }
        if (strcmp(to, "ticket") == 0 || strcmp(to, "close") == 0 || strcmp(to, "handoff default") == 0)
                return;
        for (size_t i = 0; i < COUNT_OF(kinds); i++) {
                size_t len = strlen(kinds[i].word);
                if (strncmp(to, kinds[i].word, len) != 0)
                        continue;
                if (!json_object_get(json_object_get(check->bot, kinds[i].group), to + len))
                        check_error(check, "Write that block, or correct the name.", "There is no %.80s.", to);
                return;
        }
        check_error(check, "Write flow NAME, faq NAME, handoff NAME, ticket or close.",
                    "\"%.80s\" is nowhere to go on.", to);
}

static void check_ask(struct check *check, const json_t *texts, const json_t *step)
{
        const char *entity = json_string_value(json_object_get(step, "entity"));
        if (!bot_entity_is_builtin(entity) && !json_object_get(json_object_get(check->bot, "entities"), entity))
                check_error(check,
                            "Declare it: entity NAME match \"...\", or use text, number, date, email, phone, yesno.",
                            "There is no entity %.64s.", entity);
        check_key(check, texts, json_object_get(step, "text"), "ask");
        if (json_object_get(step, "hint"))
                check_key(check, texts, json_object_get(step, "hint"), "ask");
}

static void check_options(struct check *check, const json_t *texts, const json_t *step)
{
        static const struct check_member members[] = {
                {.name = "label", .type = CHECK_KEY, .is_needed = true},
                {.name = "to", .type = CHECK_TARGET},
                {.name = "value", .type = CHECK_ANY},
        };
        const json_t *options = json_object_get(step, "options"), *option;
        size_t i;
        if (json_array_size(options) < 2 || json_array_size(options) > 10)
                check_error(check, NULL, "`choices` has %zu choices; 2 to 10 can be shown.", json_array_size(options));
        json_array_foreach(options, i, option) {
                if (!check_members(check, option, "A choice", members, COUNT_OF(members)))
                        continue;
                check_key(check, texts, json_object_get(option, "label"), "choices");
                const json_t *value = json_object_get(option, "value");
                if (value && check_operand(check, value) && !json_object_get(step, "as"))
                        check_error(check, "Write: choices \"Which?\" as NAME of \"A\" = \"a\" | ...",
                                    "A choice has a value, and `choices` no slot for it.");
                if (!value == !json_object_get(option, "to"))
                        check_error(check, NULL, "A choice has either a value or a place to go on.");
        }
        check_key(check, texts, json_object_get(step, "text"), "choices");
}

static void check_branch(struct check *check, const json_t *texts, const json_t *step, int depth)
{
        static const struct check_member members[] = {
                {.name = "when", .type = CHECK_CONDITION},
                {.name = "steps", .type = CHECK_LIST, .is_needed = true},
        };
        const json_t *cases = json_object_get(step, "cases"), *a_case;
        size_t i;
        json_array_foreach(cases, i, a_case) {
                if (!check_members(check, a_case, "A case", members, COUNT_OF(members)))
                        continue;
                if (!json_object_get(a_case, "when") && (i == 0 || i + 1 < json_array_size(cases)))
                        check_error(check, NULL, "`else` stands last, after a `when`.");
                if (json_array_size(json_object_get(a_case, "steps")) == 0)
                        check_error(check, "Write what happens, deeper indented below it.",
                                    "A `when` or `else` has no step.");
                check_steps(check, texts, json_object_get(a_case, "steps"), depth + 1);
        }
        if (json_array_size(cases) == 0)
                check_error(check, NULL, "A branch has no case.");
}

/* The steps of an `else`: what needs no answer, so that one line can hold them. */
static void check_else(struct check *check, const json_t *texts, const json_t *steps, int depth)
{
        const json_t *step;
        size_t i;
        json_array_foreach(steps, i, step) {
                const char *word = json_string_value(json_object_get(step, "do"));
                if (word && (strcmp(word, "ask") == 0 || strcmp(word, "choices") == 0 || strcmp(word, "call") == 0 ||
                             strcmp(word, "branch") == 0))
                        check_error(check, "Put these steps into a flow of their own: else goto flow NAME.",
                                    "`%s` cannot stand in an `else` of one line.", word);
        }
        if (steps && json_array_size(steps) == 0)
                check_error(check, NULL, "An `else` has no step.");
        check_steps(check, texts, steps, depth + 1);
}

static void check_call(struct check *check, const json_t *step)
{
        const char *name;
        json_t *value;
        json_object_foreach(json_object_get(step, "args"), name, value) {
                if (!check_is_slot(name))
                        check_error(check, NULL, "\"%.64s\" is no name of an argument.", name);
                check_operand(check, value);
        }
        if (json_object_size(json_object_get(step, "args")) > 20)
                check_error(check, NULL, "A call has more than 20 arguments.");
}

static const struct step_shape {
        const char *word;
        struct check_member members[6];
} SHAPES[] = {
        {"say", {{.name = "text", .type = CHECK_KEY, .is_needed = true}}},
        {"ask",
         {{.name = "entity", .type = CHECK_NAME, .is_needed = true},
          {.name = "as", .type = CHECK_SLOT, .is_needed = true},
          {.name = "text", .type = CHECK_KEY, .is_needed = true},
          {.name = "hint", .type = CHECK_KEY},
          {.name = "retry", .type = CHECK_COUNT, .least = 0, .most = 5},
          {.name = "else", .type = CHECK_LIST}}},
        {"choices",
         {{.name = "text", .type = CHECK_KEY, .is_needed = true},
          {.name = "options", .type = CHECK_LIST, .is_needed = true},
          {.name = "as", .type = CHECK_SLOT}}},
        {"set",
         {{.name = "as", .type = CHECK_SLOT, .is_needed = true},
          {.name = "value", .type = CHECK_ANY, .is_needed = true}}},
        {"call",
         {{.name = "name", .type = CHECK_NAME, .is_needed = true},
          {.name = "args", .type = CHECK_OBJECT},
          {.name = "into", .type = CHECK_SLOT},
          {.name = "timeout_ms", .type = CHECK_COUNT, .least = 100, .most = 10000},
          {.name = "else", .type = CHECK_LIST}}},
        {"branch", {{.name = "cases", .type = CHECK_LIST, .is_needed = true}}},
        {"goto", {{.name = "to", .type = CHECK_TARGET, .is_needed = true}}},
        {"article", {{.name = "ref", .type = CHECK_TEXT, .is_needed = true}}},
        {"handoff", {{.name = "to", .type = CHECK_NAME, .is_needed = true}}},
        {"tag", {{.name = "name", .type = CHECK_NAME, .is_needed = true}}},
        {"ticket", {{0}}},
        {"close", {{0}}},
};

static const struct step_shape *shape_of(const char *word)
{
        for (size_t i = 0; word && i < COUNT_OF(SHAPES); i++) {
                if (strcmp(SHAPES[i].word, word) == 0)
                        return &SHAPES[i];
        }
        return NULL;
}

static bool has_shape(struct check *check, const json_t *step, const char *word)
{
        const struct step_shape *shape = shape_of(word);
        struct check_member members[7] = {{.name = "do", .type = CHECK_NAME, .is_needed = true}};
        size_t count = 1;
        if (!shape) {
                check_error(check, NULL, "There is no step \"%.64s\".", word ? word : "");
                return false;
        }
        while (count < 7 && shape->members[count - 1].name) {
                members[count] = shape->members[count - 1];
                count++;
        }
        return check_members(check, step, word, members, count);
}

static void check_step(struct check *check, const json_t *texts, const json_t *step, int depth)
{
        const char *word = json_string_value(json_object_get(step, "do"));
        check->steps++;
        if (!has_shape(check, step, word))
                return;
        if (strcmp(word, "say") == 0)
                check_key(check, texts, json_object_get(step, "text"), word);
        else if (strcmp(word, "ask") == 0)
                check_ask(check, texts, step);
        else if (strcmp(word, "choices") == 0)
                check_options(check, texts, step);
        else if (strcmp(word, "set") == 0)
                check_operand(check, json_object_get(step, "value"));
        else if (strcmp(word, "call") == 0)
                check_call(check, step);
        else if (strcmp(word, "branch") == 0)
                check_branch(check, texts, step, depth);
        else if (strcmp(word, "handoff") == 0 &&
                 strcmp(json_string_value(json_object_get(step, "to")), "default") != 0 &&
                 !json_object_get(json_object_get(check->bot, "handoffs"),
                                  json_string_value(json_object_get(step, "to"))))
                check_error(check, "Write that block, or use: handoff default.", "There is no handoff %.64s.",
                            json_string_value(json_object_get(step, "to")));
        check_else(check, texts, json_object_get(step, "else"), depth);
}

void check_steps(struct check *check, const json_t *texts, const json_t *steps, int depth)
{
        const json_t *step;
        size_t i;
        if (depth > BOT_NESTING_MAX) {
                check_error(check, NULL, "Steps are nested deeper than %d.", BOT_NESTING_MAX);
                return;
        }
        json_array_foreach(steps, i, step)
                check_step(check, texts, step, depth);
}
