/* SPDX-License-Identifier: Apache-2.0 */
/* The two forms of a bot: what authors write, and the canonical object. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "bots/check.h"

static json_t *read_text(const char *text, struct bot_problems *problems)
{
        struct bot_file file = {"a.bot", span_of(text)};
        return bot_source_read(&file, 1, problems, NULL);
}

static char *again(const json_t *bot, struct bot_problems *problems)
{
        struct writer out;
        writer_init(&out, NULL, 0);
        bot_source_write(bot, &out);
        struct bot_file file = {"again.bot", {out.bytes, out.len}};
        json_t *copy = bot_source_read(&file, 1, problems, NULL);
        for (size_t i = 0; i < problems->count; i++)
                print_error("%d:%d: %s\n%.*s\n", problems->list[i].place.line, problems->list[i].place.column,
                            problems->list[i].what, (int)out.len, out.bytes);
        assert_non_null(copy);
        char *canonical = bot_canonical(copy);
        json_decref(copy);
        writer_done(&out);
        return canonical;
}

static void assert_round_trip(const json_t *bot)
{
        struct bot_problems *problems = bot_problems_new();
        char *before = bot_canonical(bot), *after = again(bot, problems);
        assert_string_equal(before, after);
        free(before);
        free(after);
        bot_problems_free(problems);
}

static const char whole[] = "bot 1\nlang en\n# a comment\n"
                            "entity order match \"[A-Z]{2}[0-9]+\" example \"AB1\"\n"
                            "entity thing list phone: handset, mobile; pad\n"
                            "syn refund = money back, reimburse*\n"
                            "faq a.b priority 7 when $plan == \"pro\" and not (open or x in (1, 2.5, \"y\"))\n"
                            "  ? one  # of two blanks is a comment\n"
                            "  ? two # is not\n"
                            "  ~ (x | y) .. z*\n"
                            "  ! three\n"
                            "  = first line\n"
                            "  |\n"
                            "  | third \\# line\n"
                            "  = a variant\n"
                            "  article \"docs/x y\"\n"
                            "  buttons \"B \\\"1\\\"\" -> flow f | \"B2\" -> close\n"
                            "  helped? no -> handoff h\n"
                            "flow f\n"
                            "  ? go\n"
                            "  ask order as o \"Which?\" hint \"AB1\" retry 2 else say \"Oh.\" then handoff h\n"
                            "  ask thing @t \"Thing?\"\n"
                            "  choices \"Pick\" as p of \"A\" = 1 | \"B\" = \"b\" | \"C\" -> ticket\n"
                            "  set n = 5\n"
                            "  call look.up id=$o what=\"x\" into r timeout 500ms else close\n"
                            "  when has $r\n"
                            "    say \"Yes $r.x\"\n"
                            "    when $r.x >= 3 tag big\n"
                            "    else article \"y\"\n"
                            "  when $r.y != true goto faq a.b\n"
                            "  else\n"
                            "    ticket\n"
                            "handoff h\n  team t priority high carry o n\n  open say \"Hi\" then tag x\n  closed\n    "
                            "ask email as m \"Mail?\"\n    ticket\n"
                            "fallback\n  miss 1 rephrase \"What?\"\n  miss 2 choices 2 \"These?\"\n  miss 3 handoff h\n"
                            "texts\n  @helped.ask \"OK?\"\n"
                            "test \"t\"\n  at 2026-11-21T23:30+09:00\n  closed\n  fact plan = \"pro\"\n  user \"one\" "
                            "expect faq a.b, says \"first\"\n"
                            "  expect slot n = 5\n  user tap helped=no expect choices a.b f\n  call look.up gives x=3 "
                            "y=true expect silence\n"
                            "  call look.up fails\n"
                            "lang ko\n"
                            "entity thing list phone: 휴대폰\n"
                            "faq a.b\n  ? 하나\n  = 첫 줄\n  buttons \"일\" | \"이\"\n"
                            "flow f\n  ? 가자\n  @o \"무엇?\"\n"
                            "texts\n  @helped.ask \"됐나요?\"\n"
                            "test \"한국어\"\n  user \"하나\" expect language ko\n";

static void everything_an_author_can_write_is_read_checked_and_printed_back(void **state)
{
        struct bot_problems *problems = bot_problems_new();
        json_t *bot = read_text(whole, problems);
        (void)state;
        if (bot)
                bot_check(bot, NULL, NULL, problems);
        for (size_t i = 0; i < problems->count; i++)
                print_error("%d: %s\n", problems->list[i].place.line, problems->list[i].what);
        assert_int_equal(problems->errors, 0);
        assert_round_trip(bot);
        const json_t *texts = json_object_get(json_object_get(json_object_get(bot, "faqs"), "a.b"), "texts");
        const json_t *own = json_object_get(texts, "en");
        assert_string_equal(json_string_value(json_array_get(json_object_get(own, "examples"), 0)), "one");
        assert_string_equal(json_string_value(json_array_get(json_object_get(own, "examples"), 1)), "two # is not");
        assert_string_equal(json_string_value(json_array_get(json_object_get(own, "answers"), 0)),
                            "first line\n\nthird # line");
        assert_int_equal(json_array_size(json_object_get(own, "answers")), 2);
        json_decref(bot);
        bot_problems_free(problems);
}

/* In memory of exactly its size, so that a sanitizer sees who reads behind it. */
static void a_file_may_end_anywhere(void **state)
{
        (void)state;
        for (size_t len = 0; len < sizeof(whole); len++) {
                char *cut = malloc(len ? len : 1);
                struct bot_problems *problems = bot_problems_new();
                assert_non_null(cut);
                memcpy(cut, whole, len);
                struct bot_file file = {"f", {cut, len}};
                json_t *bot = bot_source_read(&file, 1, problems, NULL);
                assert_true(bot || problems->errors > 0);
                json_decref(bot);
                bot_problems_free(problems);
                free(cut);
        }
}

static void a_mistake_is_named_with_line_and_column_and_the_rest_is_still_read(void **state)
{
        static const struct {
                const char *text;
                int line, column;
        } cases[] = {
                {"faq a\n  ? x\n", 1, 5},
                {"lang en\nfaq A\n", 2, 5},
                {"lang en\nfaq a\n  nonsense\n", 3, 3},
                {"lang en\nfaq a\n  ?\n", 3, 3},
                {"lang en\nfoo\n", 2, 1},
                {"lang en\nflow f\n  say\n", 3, 6},
                {"lang en\nflow f\n  say \"a\n", 3, 7},
                {"lang en\nflow f\n  say \"a\\q\"\n", 3, 7},
                {"lang en\nflow f\n  when $a == say \"x\"\n", 3, 18},
                {"lang en\nflow f\n  else say \"x\"\n", 3, 3},
                {"lang en\nflow f\n  ask text as a \"한국\" 5\n", 3, 22},
                {"lang en\nflow f\n  goto nowhere\n", 3, 8},
                {"lang en\nfaq a\n  = x\nfaq a\n  = y\n", 4, 5},
                {"lang en\nfaq a\n  = x\nlang ko\nfaq a\n  article x\n", 6, 3},
                {"bot 2\n", 1, 5},
                {"lang e\n", 1, 6},
                {"lang en\ntest \"x\"\n  user \"y\" expect wonders\n", 3, 19},
                {"lang en\ntest \"x\"\n  closed\n  expect silence\n", 4, 3},
                {"lang en\nfallback\n  miss 2 rephrase \"x\"\n", 3, 3},
                {"lang en\nentity x\n", 2, 9},
                {"lang en\nfaq a\n  = ok \xff\n", 3, 4},
                {"lang en\nfaq a\n  ! a\n  |  b\n", 4, 3},
        };
        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct bot_problems *problems = bot_problems_new();
                json_t *bot = read_text(cases[i].text, problems);
                if (bot || problems->errors == 0)
                        fail_msg("read without an error: %s", cases[i].text);
                const struct bot_problem *first = &problems->list[0];
                if (first->place.line != cases[i].line || first->place.column != cases[i].column)
                        fail_msg("%s: at %d:%d: %s", cases[i].text, first->place.line, first->place.column,
                                 first->what);
                bot_problems_free(problems);
        }
        struct bot_problems *problems = bot_problems_new();
        assert_null(read_text("lang en\nfaq A\n  ? lost\nflow f\n  wrong\n  say \"x\"\n  bad\nfaq ok\n  wrong\n",
                              problems));
        assert_int_equal(problems->errors, 4);
        bot_problems_free(problems);
}

static void the_check_refuses_what_could_not_run(void **state)
{
        static const char *const wrong[] = {
                "lang en\nflow f\n  ask nothing as a \"x\"\n",
                "lang en\nflow f\n  goto flow g\n",
                "lang en\nflow f\n  handoff nobody\n",
                "lang en\nflow f\n  say @lost\n",
                "lang en\nfaq a\n  ? x\n",
                "lang en\nfaq a\n  = x\n  ~ (\n",
                "lang en\nfaq a\n  = x\n  buttons \"y\" -> flow lost\n",
                "lang en\nentity e match \"(\"\nfaq a\n  = x\n",
                "lang en\nentity e match \"[0-9]+\" example \"x\"\nfaq a\n  = x\n",
                "lang en\nentity date match \"x\"\nfaq a\n  = x\n",
                "lang en\nflow f\n  choices \"x\" of \"a\" = 1\n",
                "lang en\nflow f\n  choices \"x\" of \"a\" = 1 | \"b\" = 2\n",
                "lang en\nflow f\n  call a else ask text as b \"x\"\n",
                "lang en\nflow f\n  call a timeout 60s\n",
                "lang en\nflow f\n  ask text as a \"x\" retry 9\n",
                "lang en\nhandoff h\n  priority huge\nfaq a\n  = x\n",
                "lang en\nfaq a priority 12\n  = x\n",
                "lang en\n",
                "lang en\nflow f\n  when $a == 1\n",
        };
        (void)state;
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                struct bot_problems *problems = bot_problems_new();
                json_t *bot = read_text(wrong[i], problems);
                if (!bot)
                        fail_msg("not even read: %s: %s", wrong[i], problems->list[0].what);
                if (bot_check(bot, NULL, NULL, problems) || problems->errors == 0)
                        fail_msg("taken: %s", wrong[i]);
                json_decref(bot);
                bot_problems_free(problems);
        }
}

static void what_is_expected_belongs_to_something_said_in_an_object_too(void **state)
{
        struct bot_problems *problems = bot_problems_new();
        json_t *bot = read_text("lang en\nfaq a\n  ? x\n  = y\ntest \"t\"\n  user \"x\" expect faq a\n", problems);
        (void)state;
        assert_true(bot_check(bot, NULL, NULL, problems));
        json_t *test = json_array_get(json_object_get(bot, "tests"), 0);
        json_t *turn = json_array_get(json_object_get(test, "turns"), 0);
        json_object_del(turn, "user");
        json_object_set_new(turn, "facts", json_pack("{s:b}", "open", 1));
        assert_false(bot_check(bot, NULL, NULL, problems));
        json_decref(bot);
        bot_problems_free(problems);
}

/* Every member of the whole bot replaced by something else, one at a time: refused or taken, but never a crash; what is
 * taken can be printed and read again. */
static size_t spoil(json_t *bot, json_t *at)
{
        json_t *values[] = {json_null(),     json_integer(-1),        json_integer(1LL << 60),
                            json_string(""), json_string("x"),        json_string("\n"),
                            json_real(0.5),  json_object(),           json_array(),
                            json_true(),     json_pack("[s]", "and"), json_pack("{s:s}", "do", "say")};
        size_t count = sizeof(values) / sizeof(values[0]), tried = 0, index = 0;
        const char *name = NULL;
        void *iter = json_is_object(at) ? json_object_iter(at) : NULL;
        while (iter || (json_is_array(at) && index < json_array_size(at))) {
                json_t *kept = json_incref(iter ? json_object_iter_value(iter) : json_array_get(at, index));
                name = iter ? json_object_iter_key(iter) : NULL;
                tried += spoil(bot, kept);
                for (size_t i = 0; i < count; i++) {
                        struct bot_problems *problems = bot_problems_new();
                        if (name)
                                json_object_set(at, name, values[i]);
                        else
                                json_array_set(at, index, values[i]);
                        if (bot_check(bot, NULL, NULL, problems)) {
                                bot_lint(bot, NULL, NULL, problems);
                                struct writer out;
                                writer_init(&out, NULL, 0);
                                bot_source_write(bot, &out);
                                writer_done(&out);
                        }
                        bot_problems_free(problems);
                        tried++;
                }
                if (name)
                        json_object_set_new(at, name, kept);
                else
                        json_array_set_new(at, index, kept);
                iter = iter ? json_object_iter_next(at, json_object_iter_at(at, name)) : NULL;
                index++;
        }
        for (size_t i = 0; i < count; i++)
                json_decref(values[i]);
        return tried;
}

static void an_object_from_outside_never_breaks_the_check(void **state)
{
        struct bot_problems *problems = bot_problems_new();
        json_t *bot = read_text(whole, problems);
        (void)state;
        assert_non_null(bot);
        assert_true(spoil(bot, bot) > 2000);
        assert_true(bot_check(bot, NULL, NULL, problems));
        json_decref(bot);
        bot_problems_free(problems);
}

/* ---- bots made by chance -------------------------------------------------------------------------------------- */

static uint32_t seed;

static uint32_t dice(uint32_t sides)
{
        seed = seed * 1664525u + 1013904223u;
        return (seed >> 8) % sides;
}

static json_t *some_text(void)
{
        static const char *const texts[] = {
                "hello",       "한국어 텍스트", "a \"quoted\" word", "back\\slash", "two\nlines",
                "with # sign", "  # x",         "$slot and $o.x",    "日本語。",    "a|b -> c = d"};
        return json_string(texts[dice(10)]);
}

static json_t *some_line(void)
{
        json_t *text = some_text();
        if (!strchr(json_string_value(text), '\n') && json_string_value(text)[0] != ' ')
                return text;
        json_decref(text);
        return json_string("plain");
}

static json_t *some_operand(void)
{
        switch (dice(5)) {
        case 0:
                return json_pack("{s:s}", "var", "a.b");
        case 1:
                return json_pack("{s:s}", "fact", "plan");
        case 2:
                return json_integer((json_int_t)dice(1000) - 500);
        case 3:
                return json_boolean(dice(2));
        default:
                return some_line();
        }
}

static json_t *some_condition(int depth)
{
        static const char *const signs[] = {"==", "!=", "<", "<=", ">", ">="};
        switch (depth > 3 ? 3 : dice(6)) {
        case 0:
                return json_pack("[s,o,o]", "and", some_condition(depth + 1), some_condition(depth + 1));
        case 1:
                return json_pack("[s,o,o,o]", "or", some_condition(depth + 1), some_condition(depth + 1),
                                 some_condition(depth + 1));
        case 2:
                return json_pack("[s,o]", "not", some_condition(depth + 1));
        case 4:
                return json_pack("[s,o,o,o]", "in", some_operand(), some_operand(), some_operand());
        case 5:
                return json_pack("[s,o]", dice(2) ? "has" : "is", some_operand());
        default:
                return json_pack("[s,o,o]", signs[dice(6)], some_operand(), some_operand());
        }
}

static const char *new_key(json_t *texts, char key[16])
{
        snprintf(key, 16, "k%zu", json_object_size(texts));
        json_object_set_new(texts, key, some_text());
        return key;
}

static json_t *some_steps(json_t *texts, int depth)
{
        json_t *steps = json_array();
        char key[16], other[16];
        for (uint32_t i = 0; i <= dice(4); i++) {
                switch (dice(depth > 2 ? 7 : 8)) {
                case 0:
                        json_array_append_new(steps, json_pack("{s:s,s:s,s:s,s:s,s:i,s:[{s:s}]}", "do", "ask", "entity",
                                                               "text", "as", "a", "text", new_key(texts, key), "retry",
                                                               2, "else", "do", "ticket"));
                        break;
                case 1:
                        json_array_append_new(
                                steps, json_pack("{s:s,s:s,s:o}", "do", "set", "as", "b", "value", some_operand()));
                        break;
                case 2:
                        json_array_append_new(steps,
                                              json_pack("{s:s,s:s,s:{s:o},s:s,s:i}", "do", "call", "name", "c.d",
                                                        "args", "x", some_operand(), "into", "o", "timeout_ms", 1500));
                        break;
                case 3:
                        new_key(texts, key);
                        new_key(texts, other);
                        json_array_append_new(steps, json_pack("{s:s,s:s,s:s,s:[{s:s,s:o},{s:s,s:s}]}", "do", "choices",
                                                               "text", key, "as", "c", "options", "label", key, "value",
                                                               some_operand(), "label", other, "to", "close"));
                        break;
                case 4:
                        json_array_append_new(steps, json_pack("{s:s,s:s}", "do", "tag", "name", "t"));
                        break;
                case 5:
                        json_array_append_new(steps, json_pack("{s:s,s:s}", "do", "goto", "to", "flow f"));
                        break;
                case 7:
                        json_array_append_new(steps,
                                              json_pack("{s:s,s:[{s:o,s:o},{s:o}]}", "do", "branch", "cases", "when",
                                                        some_condition(0), "steps", some_steps(texts, depth + 1),
                                                        "steps", some_steps(texts, depth + 1)));
                        break;
                default:
                        json_array_append_new(steps, json_pack("{s:s,s:s}", "do", "say", "text", new_key(texts, key)));
                        break;
                }
        }
        return steps;
}

static json_t *some_bot(uint32_t from)
{
        seed = from;
        json_t *texts = json_object(), *steps = some_steps(texts, 0), *other = json_object();
        json_object_set_new(other, "k0", some_text());
        json_object_set_new(texts, "more", some_text());
        json_t *faq = json_pack("{s:{s:{s:[o,o],s:[o]},s:{s:[o]}},s:i,s:o}", "texts", "en", "examples", some_line(),
                                some_line(), "answers", some_text(), "ko", "examples", some_line(), "priority",
                                (int)dice(10), "when", some_condition(0));
        return json_pack("{s:s,s:s,s:{s:o},s:{s:{s:{s:o,s:o},s:o}}}", "schema", "bot/1", "lang", "en", "faqs", "q", faq,
                         "flows", "f", "texts", "en", texts, "ko", other, "steps", steps);
}

static void bots_made_by_chance_are_printed_and_read_without_loss(void **state)
{
        (void)state;
        for (uint32_t i = 1; i <= 500; i++) {
                struct bot_problems *problems = bot_problems_new();
                json_t *bot = some_bot(i * 7919);
                assert_non_null(bot);
                bot_check(bot, NULL, NULL, problems);
                for (size_t j = 0; j < problems->count; j++)
                        fail_msg("bot %u: %s", i, problems->list[j].what);
                assert_round_trip(bot);
                json_decref(bot);
                bot_problems_free(problems);
        }
}

static void formatting_keeps_the_meaning_and_settles_at_once(void **state)
{
        static const char messy[] = "bot 1\r\nlang en\n\n\n\nfaq a\n\t?how\n\t=  yes\n\t|\n    | more\n# above\nflow "
                                    "f\n   say \"x\"   \n   when "
                                    "$a\n        say \"y\"\n   else\n        say \"z\"\n\n\n";
        struct writer once, twice;
        struct bot_problems *problems = bot_problems_new();
        (void)state;
        writer_init(&once, NULL, 0);
        writer_init(&twice, NULL, 0);
        bot_source_format(SPAN(messy), &once);
        bot_source_format((struct span){once.bytes, once.len}, &twice);
        assert_true(span_equal((struct span){once.bytes, once.len}, (struct span){twice.bytes, twice.len}));
        assert_true(span_equal(
                (struct span){once.bytes, once.len},
                SPAN("bot 1\nlang en\n\nfaq a\n  ? how\n  = yes\n  |\n  | more\n\n# above\nflow f\n  say \"x\"\n  when "
                     "$a\n    say \"y\"\n  else\n    say \"z\"\n")));
        json_t *before = read_text(messy, problems);
        struct bot_file file = {"f", {once.bytes, once.len}};
        json_t *after = bot_source_read(&file, 1, problems, NULL);
        assert_true(before && after && json_equal(before, after));
        json_decref(before);
        json_decref(after);
        writer_done(&once);
        writer_done(&twice);
        bot_problems_free(problems);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(everything_an_author_can_write_is_read_checked_and_printed_back),
                cmocka_unit_test(a_file_may_end_anywhere),
                cmocka_unit_test(a_mistake_is_named_with_line_and_column_and_the_rest_is_still_read),
                cmocka_unit_test(the_check_refuses_what_could_not_run),
                cmocka_unit_test(what_is_expected_belongs_to_something_said_in_an_object_too),
                cmocka_unit_test(an_object_from_outside_never_breaks_the_check),
                cmocka_unit_test(bots_made_by_chance_are_printed_and_read_without_loss),
                cmocka_unit_test(formatting_keeps_the_meaning_and_settles_at_once),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
