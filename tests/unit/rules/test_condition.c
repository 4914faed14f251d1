/* SPDX-License-Identifier: Apache-2.0 */
/* What an expression means, and how a wrong one is refused. The ticket is a handful of values. */
#include <string.h>

#include "desk/rules/condition.h"
#include "protocol_generated.h"
#include "unit/ops/cmocka_all.h"

#define NOW ((int64_t)1700000000000)

enum { TEAM_BILLING = 7, TEAM_SALES = 8, AGENT_ANN = 21, AGENT_BOB = 22 };

struct ticket {
        int64_t status, priority, team, assignee, number, bot;
        int64_t waiting_ms, due_ms; /* 0 = not set */
        const char *subject, *language, *color, *tier, *tags[4];
        int64_t amount; /* field.amount */
};

static const struct ticket refund = {
        .status = 4,
        .priority = 3,
        .team = TEAM_BILLING,
        .assignee = AGENT_ANN,
        .number = 1042,
        .waiting_ms = NOW - 45 * 60000,
        .due_ms = NOW + 600000,
        .subject = "Where is my Order 7?",
        .language = "ko-KR",
        .color = "Red",
        .tier = "gold",
        .tags = {"refund", "vip"},
        .amount = 250,
};

static int text_fact(const char *text, struct fact_value *out)
{
        out->type = FACT_AS_TEXT;
        out->is_set = text != NULL;
        out->text = span_of(text);
        return 0;
}

static int number_fact(int64_t number, struct fact_value *out)
{
        out->is_set = number != 0;
        out->number = number;
        return 0;
}

static int field_fact(const struct ticket *ticket, struct span name, struct fact_value *out)
{
        if (span_equal(name, SPAN("color")))
                return text_fact(ticket->color, out);
        if (span_equal(name, SPAN("amount"))) {
                out->type = FACT_AS_NUMBER;
                return number_fact(ticket->amount, out);
        }
        return 0;
}

static int fact_of(const struct fact_scene *scene, enum fact fact, struct span name, struct fact_value *out)
{
        const struct ticket *ticket = scene->ticket;
        switch (fact) {
        case FACT_STATUS:
                return number_fact(ticket->status, out);
        case FACT_PRIORITY:
                return number_fact(ticket->priority, out);
        case FACT_TEAM:
                return number_fact(ticket->team, out);
        case FACT_ASSIGNEE:
                return number_fact(ticket->assignee, out);
        case FACT_NUMBER:
                return number_fact(ticket->number, out);
        case FACT_WAITING:
                return number_fact(ticket->waiting_ms, out);
        case FACT_DUE:
                return number_fact(ticket->due_ms, out);
        case FACT_BOT:
                out->is_set = true;
                out->number = ticket->bot;
                return 0;
        case FACT_SUBJECT:
                return text_fact(ticket->subject, out);
        case FACT_LANGUAGE:
                return text_fact(ticket->language, out);
        case FACT_CUSTOMER_TIER:
                return text_fact(ticket->tier, out);
        case FACT_FIELD:
                return field_fact(ticket, name, out);
        case FACT_TAG:
                while (out->count < 4 && ticket->tags[out->count]) {
                        out->room[out->count] = span_of(ticket->tags[out->count]);
                        out->count++;
                }
                out->items = out->room;
                out->is_set = true;
                return 0;
        default:
                return 0;
        }
}

static bool is_in_team(const struct fact_scene *scene, int64_t team)
{
        return scene->me == AGENT_ANN && team == TEAM_BILLING;
}

static const struct condition_world world = {fact_of, is_in_team};

static int64_t find_name(void *data, enum fact fact, struct span text, char out_ext[ID_TEXT_BYTES])
{
        static const struct {
                enum fact fact;
                int64_t id;
                const char *name, *ext;
        } known[] = {{FACT_TEAM, TEAM_BILLING, "Billing \"EU\"", "tea_0000000000001"},
                     {FACT_TEAM, TEAM_SALES, "Sales", "tea_0000000000002"},
                     {FACT_ASSIGNEE, AGENT_ANN, "ann@example.org", "agt_0000000000003"},
                     {FACT_ASSIGNEE, AGENT_BOB, "bob@example.org", "agt_0000000000004"}};
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
                if (known[i].fact == fact &&
                    (span_equal(text, span_of(known[i].name)) || span_equal(text, span_of(known[i].ext)))) {
                        memcpy(out_ext, known[i].ext, ID_TEXT_BYTES);
                        return known[i].id;
                }
        *(int *)data += 1;
        return 0;
}

static int unknown_names;
static const struct condition_names names = {find_name, &unknown_names};

static struct condition *compiled(const char *text, unsigned use)
{
        struct condition *condition = NULL;
        struct condition_error error;
        int rc = condition_compile(span_of(text), use, &names, &condition, &error);
        if (rc < 0)
                fail_msg("%s: at %zu: %s", text, error.character, error.expected);
        return condition;
}

static struct fact_scene scene_of(const struct ticket *ticket, int64_t me)
{
        return (struct fact_scene){.ticket = ticket, .now_ms = NOW, .me = me};
}

static bool holds(const char *text, const struct ticket *ticket)
{
        struct condition *condition = compiled(text, CONDITION_OF_VIEW);
        struct fact_scene scene = scene_of(ticket, AGENT_ANN);
        int rc = condition_holds(condition, &world, &scene);
        condition_free(condition);
        assert_true(rc == 0 || rc == 1);
        return rc == 1;
}

static void assert_printed(const char *text, const char *expected)
{
        struct condition *condition = compiled(text, CONDITION_OF_VIEW);
        struct writer out;
        writer_init(&out, NULL, 0);
        condition_print(condition, NULL, NULL, &out);
        writer_char(&out, 0);
        assert_string_equal(out.bytes, expected);
        writer_done(&out);
        condition_free(condition);
}

static void assert_refused(const char *text, unsigned use, size_t character, const char *expected)
{
        struct condition *condition = NULL;
        struct condition_error error;
        assert_int_equal(condition_compile(span_of(text), use, &names, &condition, &error), -PROTOCOL_ERR_BAD_REQUEST);
        assert_null(condition);
        assert_string_equal(error.expected, expected);
        assert_int_equal(error.character, character);
}

static void the_example_of_the_manual_holds_for_the_ticket_it_describes(void **state)
{
        (void)state;
        assert_true(holds("status in (open, pending) and (priority >= high or tag = unknown) and not language = ja and "
                          "customer.tier = gold and waiting > 30m and subject has \"order\" and field.color = \"red\" "
                          "and assignee = me",
                          &refund));
}

static void and_binds_closer_than_or(void **state)
{
        (void)state;
        assert_true(holds("tag = refund or tag = a and tag = b", &refund));
        assert_false(holds("(tag = refund or tag = a) and tag = b", &refund));
        assert_true(holds("not tag = a and tag = vip", &refund));
}

static void the_empty_expression_always_holds(void **state)
{
        (void)state;
        struct ticket nothing = {0};
        assert_true(holds("", &nothing));
        assert_true(holds(" \t\n", &nothing));
}

static void what_is_not_set_is_equal_to_nothing_and_in_no_order(void **state)
{
        (void)state;
        struct ticket nothing = {0};
        const char *const false_ones[] = {"team = Sales", "assignee = me", "priority >= low",   "priority <= urgent",
                                          "waiting > 0s", "due < 3d",      "field.color = red", "subject has a",
                                          "tag = vip",    "team is set",   "field.amount < 5"};
        const char *const true_ones[] = {"team != Sales", "team is not set", "tag not in (a, b)",
                                         "field.x != 1",  "assignee = none", "priority = none"};
        for (size_t i = 0; i < sizeof false_ones / sizeof *false_ones; i++)
                assert_false(holds(false_ones[i], &nothing));
        for (size_t i = 0; i < sizeof true_ones / sizeof *true_ones; i++)
                assert_true(holds(true_ones[i], &nothing));
}

static void levels_have_an_order_and_words_have_none(void **state)
{
        (void)state;
        assert_true(holds("priority > normal and priority <= high and priority < urgent", &refund));
        assert_false(holds("priority > high", &refund));
        assert_refused("status > open", 0, 8, "= or !=: this fact has no order");
}

static void texts_are_compared_without_regard_to_ascii_case(void **state)
{
        (void)state;
        assert_true(holds("subject = \"WHERE is my order 7?\"", &refund));
        assert_true(holds("subject has ORDER and tag = ReFund", &refund));
        assert_false(holds("subject = \"Where is\"", &refund));
        assert_false(holds("subject has \"order 7?!\"", &refund));
}

static void a_language_is_its_regions_too(void **state)
{
        (void)state;
        assert_true(holds("language = ko", &refund));
        assert_true(holds("language = KO-kr", &refund));
        assert_false(holds("language = k", &refund));
        assert_false(holds("language = ko-KP", &refund));
}

static void a_field_is_what_it_turns_out_to_be(void **state)
{
        (void)state;
        assert_true(holds("field.amount >= 250 and field.amount in (1, 250)", &refund));
        assert_false(holds("field.amount > 250", &refund));
        assert_false(holds("field.amount = \"250\"", &refund)); /* a text is no number */
        assert_true(holds("field.color in (blue, red)", &refund));
        assert_false(holds("field.color > 1", &refund));
}

static void names_are_ids_from_then_on(void **state)
{
        (void)state;
        assert_true(holds("team = \"Billing \\\"EU\\\"\" and assignee = ann@example.org", &refund));
        assert_false(holds("team = tea_0000000000002 or assignee in (bob@example.org)", &refund));
        assert_printed("team = Sales", "team = tea_0000000000002");
}

static void me_and_mine_are_who_looks(void **state)
{
        (void)state;
        struct condition *condition = compiled("assignee = me and team = mine", CONDITION_OF_VIEW);
        struct fact_scene ann = scene_of(&refund, AGENT_ANN), bob = scene_of(&refund, AGENT_BOB),
                          nobody = scene_of(&refund, 0);
        assert_true(condition_is_personal(condition));
        assert_int_equal(condition_holds(condition, &world, &ann), 1);
        assert_int_equal(condition_holds(condition, &world, &bob), 0);
        assert_int_equal(condition_holds(condition, &world, &nobody), 0);
        condition_free(condition);
        assert_refused("assignee = me", CONDITION_OF_RULE, 12, "an agent: nobody is \"me\" in a rule");
        assert_refused("team = mine", CONDITION_OF_RULE, 8, "a team: no team is \"mine\" in a rule");
}

static void the_moment_at_which_time_changes_the_answer_is_known(void **state)
{
        (void)state;
        struct condition *condition = compiled("waiting > 1h and due < 5m", CONDITION_OF_VIEW);
        struct fact_scene scene = scene_of(&refund, 0);
        bool was = false;
        int turns = 0;
        for (int64_t next = 0; next != INT64_MAX; turns++) {
                next = condition_turns_ms(condition, &world, &scene);
                assert_true(next > scene.now_ms);
                if (next == INT64_MAX)
                        break;
                scene.now_ms = next - 1; /* nothing has changed just before */
                assert_int_equal(condition_holds(condition, &world, &scene), was);
                scene.now_ms = next;
                was = condition_holds(condition, &world, &scene) == 1;
        }
        assert_true(was); /* it has waited for an hour, and its due time is near or over */
        assert_in_range(turns, 2, 4);
        condition_free(condition);
}

static void spaces_capitals_and_brackets_do_not_show_in_what_is_printed(void **state)
{
        (void)state;
        assert_printed("status=OPEN AND((tag=vip))", "status = open and tag = vip");
        assert_printed("not(bot)", "not bot = yes");
        assert_printed("(tag = a and tag = b) and not (tag = c or tag has \"d e\")",
                       "tag = a and tag = b and not (tag = c or tag = \"d e\")");
        assert_printed("(tag = a and tag = b) or tag = c", "tag = a and tag = b or tag = c");
        assert_printed("waiting > 90m and due < 86400 and age >= 0", "waiting > 90m and due < 1d and age >= 0s");
        assert_printed("team = none and priority != none", "team is not set and priority is set");
        assert_printed("subject = \"a \\\"quoted\\\" \\\\ word\"", "subject = \"a \\\"quoted\\\" \\\\ word\"");
}

static void a_wrong_expression_is_refused_with_the_place_and_what_was_expected(void **state)
{
        (void)state;
        assert_refused("statu = open", 0, 1, "a fact such as status, team, tag, customer.tier or field.x");
        assert_refused("status = opened", 0, 10,
                       "one of new, pending, bot, open, waiting, on_hold, snoozed, solved, closed");
        assert_refused("status open", 0, 8, "=, !=, <, <=, >, >=, in, not in, has or is set");
        assert_refused("status in (open, ", 0, 18, "a value");
        assert_refused("status in (open pending)", 0, 17, ", or )");
        assert_refused("(status = open", 0, 15, "and, or, or )");
        assert_refused("status = open)", 0, 14, "and, or, or the end");
        assert_refused("subject = \"caf\xc3\xa9\" and team = Nobody", 0, 29, "a team, by name or id");
        assert_refused("waiting > 5x", 0, 11, "a duration such as 90s, 30m, 2h, 3d");
        assert_refused("waiting = 5m", 0, 9, "<, <=, > or >= for how long it is");
        assert_refused("number = many", 0, 10, "a whole number");
        assert_refused("subject = \"open", 0, 11, "a value");
        assert_refused("priority has high", 0, 10, "= or in: only texts and sets have parts");
        assert_refused("message has hello", CONDITION_OF_VIEW, 1, "a fact that views know: this one is only in rules");
        assert_refused("tag = a and", 0, 12, "a fact such as status, team, tag, customer.tier or field.x");
}

static void the_51st_condition_is_refused_and_named(void **state)
{
        (void)state;
        char text[1024] = "bot";
        for (int i = 1; i < 50; i++)
                strcat(text, " or bot");
        condition_free(compiled(text, 0));
        size_t place = strlen(text) + 5;
        strcat(text, " or bot");
        assert_refused(text, 0, place, "at most 50 conditions");
}

static void the_sixth_level_is_refused_and_named(void **state)
{
        (void)state;
        condition_free(compiled("(((((bot)))))", 0));
        assert_refused("((((((bot))))))", 0, 6, "at most 5 levels of parentheses and not");
        assert_refused("not not not not not not bot", 0, 21, "at most 5 levels of parentheses and not");
}

static void a_name_that_is_gone_stays_written_and_matches_nothing(void **state)
{
        (void)state;
        struct condition *condition = compiled("team = \"tea_000000000000z\" or bot", CONDITION_STORED);
        struct fact_scene scene = scene_of(&refund, 0);
        struct writer out;
        writer_init(&out, NULL, 0);
        assert_int_equal(condition_holds(condition, &world, &scene), 0);
        condition_print(condition, NULL, NULL, &out);
        writer_char(&out, 0);
        assert_string_equal(out.bytes, "team = \"tea_000000000000z\" or bot = yes");
        writer_done(&out);
        condition_free(condition);
}

static void why_not_names_the_part_that_failed_and_what_was_there(void **state)
{
        (void)state;
        struct condition *condition = compiled("tag = vip and (priority = low and bot) and bot", 0);
        struct fact_scene scene = scene_of(&refund, 0);
        struct writer out;
        writer_init(&out, NULL, 0);
        condition_why_not(condition, &world, &scene, &out);
        writer_char(&out, 0);
        assert_string_equal(out.bytes, "priority = low: it is high");
        writer_done(&out);
        condition_free(condition);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_example_of_the_manual_holds_for_the_ticket_it_describes),
                cmocka_unit_test(and_binds_closer_than_or),
                cmocka_unit_test(the_empty_expression_always_holds),
                cmocka_unit_test(what_is_not_set_is_equal_to_nothing_and_in_no_order),
                cmocka_unit_test(levels_have_an_order_and_words_have_none),
                cmocka_unit_test(texts_are_compared_without_regard_to_ascii_case),
                cmocka_unit_test(a_language_is_its_regions_too),
                cmocka_unit_test(a_field_is_what_it_turns_out_to_be),
                cmocka_unit_test(names_are_ids_from_then_on),
                cmocka_unit_test(me_and_mine_are_who_looks),
                cmocka_unit_test(the_moment_at_which_time_changes_the_answer_is_known),
                cmocka_unit_test(spaces_capitals_and_brackets_do_not_show_in_what_is_printed),
                cmocka_unit_test(a_wrong_expression_is_refused_with_the_place_and_what_was_expected),
                cmocka_unit_test(the_51st_condition_is_refused_and_named),
                cmocka_unit_test(the_sixth_level_is_refused_and_named),
                cmocka_unit_test(a_name_that_is_gone_stays_written_and_matches_nothing),
                cmocka_unit_test(why_not_names_the_part_that_failed_and_what_was_there),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
