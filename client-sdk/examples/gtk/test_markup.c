/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever somebody writes, the markup made of it is well formed, holds only our elements, and says the same words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "markup.h"

/* ---- reading markup back ----------------------------------------------------------------------------------------- */

struct reading {
        GString *text;
        int links;
};

static void on_element(GMarkupParseContext *context, const char *name, const char **names, const char **values,
                       gpointer data, GError **error)
{
        static const char *const ours[] = {"m", "b", "i", "s", "tt", "a"};
        struct reading *reading = data;
        bool is_ours = false;

        (void)context;
        (void)error;
        for (size_t i = 0; i < G_N_ELEMENTS(ours); i++)
                is_ours = is_ours || strcmp(name, ours[i]) == 0;
        assert_true(is_ours);
        if (strcmp(name, "a") != 0) {
                assert_null(names[0]);
                return;
        }
        reading->links++;
        for (size_t i = 0; names[i]; i++) {
                assert_true(strcmp(names[i], "href") == 0 || strcmp(names[i], "title") == 0);
                assert_true(markup_link_is_safe(values[i]));
        }
}

static void on_text(GMarkupParseContext *context, const char *text, gsize len, gpointer data, GError **error)
{
        (void)context;
        (void)error;
        g_string_append_len(((struct reading *)data)->text, text, (gssize)len);
}

/* The words in it; fails the test when it is not well formed. g_free. */
static char *read_markup(const char *text, int *out_links)
{
        static const GMarkupParser parser = {.start_element = on_element, .text = on_text};
        struct reading reading = {.text = g_string_new(NULL)};
        g_autofree char *markup = markup_of(text);
        g_autofree char *whole = g_strdup_printf("<m>%s</m>", markup);
        GMarkupParseContext *context = g_markup_parse_context_new(&parser, 0, &reading, NULL);
        g_autoptr(GError) error = NULL;

        if (!g_markup_parse_context_parse(context, whole, -1, &error) ||
            !g_markup_parse_context_end_parse(context, &error))
                fail_msg("%s: %s", error->message, whole);
        g_markup_parse_context_free(context);
        if (out_links)
                *out_links = reading.links;
        return g_string_free(reading.text, FALSE);
}

static void expect(const char *text, const char *markup)
{
        g_autofree char *got = markup_of(text);

        assert_string_equal(markup, got);
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static void marks_become_elements(void **state)
{
        (void)state;
        expect("a **b** c", "a <b>b</b> c");
        expect("*i* and _j_ and ~~s~~", "<i>i</i> and <i>j</i> and <s>s</s>");
        expect("`x < y`", "<tt>x &lt; y</tt>");
        expect("**bold *and* more**", "<b>bold <i>and</i> more</b>");
        expect("- one\n- two", " •  one\n •  two");
        expect("```\nif (a < b)\n```\nend", "<tt>if (a &lt; b)</tt>\nend");
        expect("\\*not\\*", "*not*");
}

static void what_is_no_mark_stays_as_it_is(void **state)
{
        (void)state;
        expect("2 * 3 * 4", "2 * 3 * 4");
        expect("snake_case_name", "snake_case_name");
        expect("**never ended", "**never ended");
        expect("a ` b", "a ` b");
        expect("[x] (y)", "[x] (y)");
        expect("AT&T <b>", "AT&amp;T &lt;b&gt;");
}

static void only_safe_links_become_links(void **state)
{
        static const char *const refused[] = {
                "javascript:alert(1)",
                "JaVaScRiPt:alert(1)",
                "data:text/html,x",
                "file:///etc/passwd",
                "vbscript:x",
                "http:",
                "https://",
                "http://a b.example",
                "mailto:",
                "//example.com",
                "example.com",
                "ssh://host",
                "http://e\x01vil.com",
                "help:gnome",
                "\xe2\x80\xaehttp://x",
                "http://x/\xe2\x80\xae",
        };
        int links;

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
                assert_false(markup_link_is_safe(refused[i]));
                g_autofree char *text = g_strdup_printf("[press](%s)", refused[i]);
                g_autofree char *read = read_markup(text, &links);
                assert_true(strstr(read, "press") != NULL);
                if (strstr(text, "http") == NULL) /* a part of it may be an address of its own */
                        assert_int_equal(0, links);
        }
        assert_true(markup_link_is_safe("https://example.com/a?b=c&d=e#f"));
        assert_true(markup_link_is_safe("mailto:help@example.com"));
        expect("see https://example.com/a?b=1&c=2.",
               "see <a href=\"https://example.com/a?b=1&amp;c=2\" title=\"https://example.com/a?b=1&amp;c=2\">"
               "https://example.com/a?b=1&amp;c=2</a>.");
        g_autofree char *chinese = read_markup("请看https://example.com/包裹。谢谢", &links);
        assert_int_equal(1, links);
        assert_string_equal("请看https://example.com/包裹。谢谢", chinese);
}

static const char *const hostile[] = {
        "<span font='100'>big</span>",
        "<a href=\"javascript:alert(1)\">x</a>",
        "</b></i></a></markup>",
        "&lt;b&gt; &amp; &#0; &#x1F; &bogus; &",
        "<![CDATA[x]]><!-- x --><?php x ?>",
        "**<b>**</b>**",
        "[<b>](https://example.com/\"onclick=\"x)",
        "[a](https://example.com/?\"><b>x</b>)",
        "https://example.com/\"><script>alert(1)</script>",
        "[[[[[[[[a](https://example.com)](https://example.com)",
        "*_**~~`*_**~~`*_**~~`",
        "***a***b***c***",
        "__**__**__**",
        "~~~~~~~~",
        "``````",
        "```\n```\n```",
        "```\nnever ended",
        "> > > *",
        "### ** # _",
        "\xff\xfe broken \xc3 bytes \xe2\x82",
        "\xe2\x80\xae reversed \xe2\x81\xa6 isolated",
        "👨‍👩‍👧‍👦 **👩🏽** _한국어_ *中文* مرحبا *بك*",
        "<svg/onload=alert(1)> <img src=x onerror=alert(1)>",
        "{{7*7}} ${7*7} %s %n",
        "[x](mailto:a@b.c?subject=\"<b>\")",
        "\\\\\\*\\[\\_\\",
        "*",
        "",
        "\n\n\n",
};

static void hostile_text_is_never_markup(void **state)
{
        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(hostile); i++) {
                g_autofree char *read = read_markup(hostile[i], NULL);
                assert_true(g_utf8_validate(read, -1, NULL));
                g_autofree char *preview = markup_preview(hostile[i], 20);
                assert_true(g_utf8_strlen(preview, -1) <= 20);
        }
        g_autofree char *tag = read_markup("<span font='100'>big</span>", NULL);
        assert_string_equal("<span font='100'>big</span>", tag);
}

/* Pieces of all that means something, thrown together. */
static void no_mixture_of_marks_breaks_it(void **state)
{
        static const char *const pieces[] = {"*", "**", "_",  "__", "~~", "`",  "```",          "\n",
                                             "[", "](", ")",  "<",  ">",  "&",  "https://a.bc", "x",
                                             " ", "\\", "- ", "# ", "> ", "한", "\"",           "'"};
        guint32 seed = 4711;

        (void)state;
        for (int round = 0; round < 20000; round++) {
                GString *text = g_string_new(NULL);
                for (int i = 0; i < 14; i++) {
                        seed = seed * 1664525u + 1013904223u;
                        g_string_append(text, pieces[(seed >> 16) % G_N_ELEMENTS(pieces)]);
                }
                g_autofree char *read = read_markup(text->str, NULL);
                (void)read;
                g_string_free(text, TRUE);
        }
}

static void the_longest_message_takes_no_time(void **state)
{
        static const char *const units[] = {"*a", "_a ", "[", "`", "**", "https://", "[a](", "~~a", "*a **b "};

        (void)state;
        for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
                GString *text = g_string_new(NULL);
                while (text->len + strlen(units[i]) < 40000)
                        g_string_append(text, units[i]);
                gint64 began = g_get_monotonic_time();
                g_autofree char *markup = markup_of(text->str);
                assert_true(g_get_monotonic_time() - began < 2000000);
                assert_non_null(markup);
                g_string_free(text, TRUE);
        }
}

static void names_cannot_turn_what_stands_around_them(void **state)
{
        g_autofree char *name = markup_clean_line(" Mi\xe2\x80\xaena\n\x1b[31m \xe2\x81\xa9Park ");

        (void)state;
        assert_string_equal("Mina  [31m Park", name);
        g_autofree char *latin = markup_initials("mina park jones"), *korean = markup_initials("박미나");
        g_autofree char *none = markup_initials("--");
        assert_string_equal("MP", latin);
        assert_string_equal("박", korean);
        assert_string_equal("", none);
}

static void a_preview_has_the_words_without_the_marks(void **state)
{
        g_autofree char *preview = markup_preview("**Order** [here](https://example.com)\n& <more>", 100);
        g_autofree char *cut = markup_preview("안녕하세요 여러분", 5);

        (void)state;
        assert_string_equal("Order here & <more>", preview);
        assert_string_equal("안녕하세…", cut);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(marks_become_elements),
                cmocka_unit_test(what_is_no_mark_stays_as_it_is),
                cmocka_unit_test(only_safe_links_become_links),
                cmocka_unit_test(hostile_text_is_never_markup),
                cmocka_unit_test(no_mixture_of_marks_breaks_it),
                cmocka_unit_test(the_longest_message_takes_no_time),
                cmocka_unit_test(names_cannot_turn_what_stands_around_them),
                cmocka_unit_test(a_preview_has_the_words_without_the_marks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
