/* SPDX-License-Identifier: Apache-2.0 */
/* Thin: which answers have examples that are too unlike each other. Every example is asked of those beside it; an
 * answer of which fewer than half are found is named, with the examples that were lost. */
#include <stdio.h>
#include <stdlib.h>

#include "bots/ranker.h"
#include "check/check.h"
#include "protocol/writer.h"

enum {
        LEAST_ASKED = 5, /* with fewer examples, `lint` has already asked for more */
        NAMED = 3,       /* lost examples that are said */
};

struct answer {
        char name[96]; /* "faq opening" */
        uint32_t asked, found;
};

struct thin {
        struct check check;
        const char *lang;
        struct bot_example *examples;
        uint32_t *first;
        size_t count, answer_count;
        struct answer answers[BOT_ANSWERS_MAX];
};

/* Where the questions of answers stand. */
static const struct {
        const char *group, *member, *word;
} groups[] = {{"faqs", "texts", "faq"}, {"flows", "triggers", "flow"}};

static void take_examples(struct thin *thin, const json_t *questions)
{
        json_t *text;
        size_t i;

        json_array_foreach(json_object_get(questions, "examples"), i, text) {
                if (thin->count < BOT_EXAMPLES_MAX)
                        thin->examples[thin->count++] = (struct bot_example){
                                .answer = (uint32_t)thin->answer_count,
                                .text = {json_string_value(text), json_string_length(text)},
                        };
        }
}

/* The examples of one language. */
static void gather(struct thin *thin)
{
        const char *name;
        json_t *one;

        thin->count = thin->answer_count = 0;
        for (size_t group = 0; group < sizeof(groups) / sizeof(groups[0]); group++)
                json_object_foreach(json_object_get(thin->check.bot, groups[group].group), name, one) {
                        if (thin->answer_count == BOT_ANSWERS_MAX)
                                return;
                        struct answer *answer = &thin->answers[thin->answer_count];
                        *answer = (struct answer){.asked = 0};
                        snprintf(answer->name, sizeof(answer->name), "%s %.64s", groups[group].word, name);
                        take_examples(thin, json_object_get(json_object_get(one, groups[group].member), thin->lang));
                        thin->answer_count++;
                }
}

/* Those that went elsewhere: "a" (taken for faq x), "b" (...). */
static void say_lost(const struct thin *thin, uint32_t answer, struct writer *out)
{
        size_t said = 0;

        for (size_t i = 0; i < thin->count && said < NAMED; i++) {
                const struct bot_example *example = &thin->examples[i];
                uint32_t first = thin->first[i];
                if (example->answer != answer || first == answer || first >= thin->answer_count)
                        continue;
                writer_raw(out, span_of(said++ ? ", \"" : " \""));
                writer_raw(out, example->text);
                writer_raw(out, SPAN("\" (taken for "));
                writer_raw(out, span_of(thin->answers[first].name));
                writer_raw(out, SPAN(")"));
        }
}

static void note_answer(struct thin *thin, uint32_t number, struct bot_problems *notes)
{
        const struct answer *answer = &thin->answers[number];
        struct writer lost;

        writer_init(&lost, NULL, 0);
        say_lost(thin, number, &lost);
        snprintf(thin->check.what, sizeof(thin->check.what), "%s", answer->name);
        bot_problem_warn(notes, check_place(&thin->check),
                         "Write beside each a second one that says the same in nearly the same words.",
                         "Of the %u examples of %s in %s the others find only %u; lost:%.*s.", answer->asked,
                         answer->name, thin->lang, answer->found, lost.failed ? 0 : (int)lost.len, lost.bytes);
        writer_done(&lost);
}

/* False: out of memory. */
static bool look_at(struct thin *thin, const char *lang, struct bot_problems *notes)
{
        thin->lang = lang;
        gather(thin);
        int rc = bot_ranker_held_back(thin->examples, thin->count, lang, bot_off_topic(lang), thin->first);
        if (rc < 0)
                return rc != -BOT_RANKER_NO_MEMORY;
        for (size_t i = 0; i < thin->count; i++) {
                struct answer *answer = &thin->answers[thin->examples[i].answer];
                answer->asked += thin->first[i] != UINT32_MAX;
                answer->found += thin->first[i] == thin->examples[i].answer;
        }
        for (uint32_t i = 0; i < thin->answer_count; i++)
                if (thin->answers[i].asked >= LEAST_ASKED && 2 * thin->answers[i].found < thin->answers[i].asked)
                        note_answer(thin, i, notes);
        return true;
}

static json_t *languages_of(const json_t *bot)
{
        json_t *languages = json_object(), *one, *unused;
        const char *name, *lang;

        for (size_t group = 0; group < sizeof(groups) / sizeof(groups[0]); group++)
                json_object_foreach(json_object_get(bot, groups[group].group), name, one)
                        json_object_foreach(json_object_get(one, groups[group].member), lang, unused)
                                json_object_set_new(languages, lang, json_true());
        return languages;
}

int bot_lint_thin(const json_t *bot, const json_t *places, const struct bot_file *files, struct bot_problems *notes)
{
        struct thin *thin = calloc(1, sizeof(*thin));
        json_t *languages = languages_of(bot), *unused;
        const char *lang;
        bool is_done = thin && languages;

        if (thin) {
                thin->check = (struct check){.bot = bot, .places = places, .files = files};
                thin->examples = calloc(BOT_EXAMPLES_MAX, sizeof(thin->examples[0]));
                thin->first = calloc(BOT_EXAMPLES_MAX, sizeof(thin->first[0]));
                is_done = is_done && thin->examples && thin->first;
        }
        json_object_foreach(languages, lang, unused)
                is_done = is_done && look_at(thin, lang, notes);
        if (thin) {
                free(thin->examples);
                free(thin->first);
        }
        free(thin);
        json_decref(languages);
        return is_done ? 0 : -1;
}
