/* SPDX-License-Identifier: Apache-2.0 */
/* Learning from examples, and what is answered. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "protocol/memory.h"
#include "train.h"
#include "unit/bots/sample.h"

struct taught {
        struct sample sample;
        struct writer blob;
        struct bot_ranker *ranker;
        struct bot_train_report report;
        struct bot_candidate best[3];
        size_t count;
};

static void learn(struct taught *taught, const char *lang)
{
        writer_init(&taught->blob, NULL, 0);
        assert_int_equal(0, bot_ranker_train(taught->sample.examples, taught->sample.examples_count, lang,
                                             bot_off_topic(lang), &taught->blob, &taught->report));
        assert_int_equal(0, bot_ranker_load((struct span){taught->blob.bytes, taught->blob.len}, &taught->ranker));
}

static void forget(struct taught *taught)
{
        sample_done(&taught->sample);
        writer_done(&taught->blob);
        taught->ranker = bot_ranker_free(taught->ranker);
        assert_null(taught->ranker);
}

static enum bot_decision ask_among(struct taught *taught, const char *question, const uint8_t *allowed)
{
        struct bot_text text;

        bot_text_of(span_of(question), &text);
        taught->count = bot_ranker_rank(taught->ranker, &text, allowed, taught->best, 3);
        return bot_ranker_decide(taught->ranker, taught->best, taught->count, 0, NULL);
}

static enum bot_decision ask(struct taught *taught, const char *question)
{
        return ask_among(taught, question, NULL);
}

static void check_test_lines(const char *path, const char *lang)
{
        struct taught taught = {0};

        assert_true(sample_read(path, &taught.sample));
        learn(&taught, lang);
        for (size_t i = 0; i < taught.sample.count; i++) {
                if (!taught.sample.is_test[i])
                        continue;
                enum bot_decision decision = ask(&taught, taught.sample.texts[i]);
                if (taught.sample.labels[i] < 0)
                        assert_int_not_equal(BOT_LONE, decision);
                else
                        assert_int_equal(taught.sample.labels[i], taught.best[0].answer);
        }
        forget(&taught);
}

static void questions_in_other_words_find_their_answer(void **state)
{
        (void)state;
        check_test_lines(SAMPLE_EN, "en");
        check_test_lines(SAMPLE_KO, "ko");
}

static void an_example_is_certain_whatever_its_blanks_and_marks(void **state)
{
        struct taught taught = {0};

        (void)state;
        assert_true(sample_read(SAMPLE_KO, &taught.sample));
        learn(&taught, "ko");
        assert_int_equal(BOT_LONE, ask(&taught, "환불 해주 세요!!"));
        assert_int_equal(BOT_SCORE_ONE, taught.best[0].score);
        assert_int_equal(BOT_SCORE_ONE, taught.best[0].probability);
        assert_int_equal(0, taught.best[0].answer);
        ask(&taught, "환불해 주실래요");
        assert_true(taught.best[0].score < BOT_SCORE_ONE && taught.best[0].probability < BOT_SCORE_ONE);
        forget(&taught);
}

static void candidates_come_best_first_and_share_what_is_probable(void **state)
{
        struct taught taught = {0};

        (void)state;
        assert_true(sample_read(SAMPLE_EN, &taught.sample));
        learn(&taught, "en");
        ask(&taught, "please cancel the refund of my order");
        assert_int_equal(3, taught.count);
        unsigned sum = 0;
        for (size_t i = 0; i < 3; i++) {
                sum += taught.best[i].probability;
                if (i)
                        assert_true(taught.best[i].score <= taught.best[i - 1].score &&
                                    taught.best[i].probability <= taught.best[i - 1].probability);
        }
        assert_true(sum <= BOT_SCORE_ONE + 3);
        forget(&taught);
}

static void an_answer_that_is_not_allowed_is_no_candidate(void **state)
{
        struct taught taught = {0};
        const uint8_t all_but_the_first = 0xfe, none = 0;

        (void)state;
        assert_true(sample_read(SAMPLE_EN, &taught.sample));
        learn(&taught, "en");
        ask_among(&taught, "How do I get my money back?", &all_but_the_first);
        assert_int_equal(3, taught.count);
        for (size_t i = 0; i < taught.count; i++)
                assert_int_not_equal(0, taught.best[i].answer);
        assert_int_equal(BOT_MISS, ask_among(&taught, "How do I get my money back?", &none));
        assert_int_equal(0, taught.count);
        forget(&taught);
}

static void nothing_to_go_by_is_a_miss(void **state)
{
        struct taught taught = {0};

        (void)state;
        assert_true(sample_read(SAMPLE_EN, &taught.sample));
        learn(&taught, "en");
        assert_int_equal(BOT_MISS, ask(&taught, ""));
        assert_int_equal(BOT_MISS, ask(&taught, " \t\n"));
        assert_int_equal(BOT_MISS, ask(&taught, "🙂🙂 !!!"));
        assert_int_equal(BOT_MISS, ask(&taught, "\xff\xff\xff"));
        forget(&taught);
}

/* Teaches texts; even ones are answer 0, odd ones answer 1. */
static int teach(const char *const *texts, size_t count, struct bot_train_report *report, struct writer *blob)
{
        struct bot_example examples[8];

        for (size_t i = 0; i < count; i++)
                examples[i] = (struct bot_example){.answer = (uint32_t)(i % 2), .text = span_of(texts[i])};
        writer_init(blob, NULL, 0);
        return bot_ranker_train(examples, count, "en", SPAN(""), blob, report);
}

static void a_text_under_two_answers_is_certain_for_none(void **state)
{
        const char *const texts[] = {"open today", "Open today!", "the door is open", "return a parcel"};
        struct taught taught = {0};

        (void)state;
        assert_int_equal(0, teach(texts, 4, &taught.report, &taught.blob));
        assert_int_equal(2, taught.report.shared);
        assert_int_equal(0, bot_ranker_load((struct span){taught.blob.bytes, taught.blob.len}, &taught.ranker));
        ask(&taught, "open today");
        assert_true(taught.best[0].score < BOT_SCORE_ONE);
        ask(&taught, "the door is open");
        assert_int_equal(BOT_SCORE_ONE, taught.best[0].score);
        forget(&taught);
}

static void too_few_examples_reach_no_wish_and_offer_choices_only(void **state)
{
        const char *const texts[] = {"open today", "send it back", "when do you open", "return a parcel"};
        struct taught taught = {0};

        (void)state;
        assert_int_equal(0, teach(texts, 4, &taught.report, &taught.blob));
        assert_int_equal(0, taught.report.wish_most);
        assert_int_equal(0, bot_ranker_load((struct span){taught.blob.bytes, taught.blob.len}, &taught.ranker));
        assert_int_equal(BOT_CHOICES, ask(&taught, "when do you open the shop"));
        assert_int_equal(0, taught.best[0].answer);
        assert_int_equal(BOT_LONE, ask(&taught, "open today"));
        forget(&taught);
}

static void a_negative_example_keeps_its_answer_away(void **state)
{
        struct bot_example examples[] = {
                {.answer = 0, .text = SPAN("refund my order")},
                {.answer = 0, .text = SPAN("how do refunds work")},
                {.answer = 0, .text = SPAN("I want a refund")},
                {.answer = 1, .text = SPAN("where is my parcel")},
                {.answer = 1, .text = SPAN("where is my delivery")},
                {.answer = 1, .text = SPAN("track the parcel")},
                {.answer = 0, .text = SPAN("where is my refund"), .is_negative = true},
        };
        struct taught taught = {0};
        int32_t scores[2];

        (void)state;
        for (size_t with = 0; with < 2; with++) {
                writer_init(&taught.blob, NULL, 0);
                assert_int_equal(0, bot_ranker_train(examples, 6 + with, "en", SPAN(""), &taught.blob, NULL));
                assert_int_equal(0, bot_ranker_load((struct span){taught.blob.bytes, taught.blob.len}, &taught.ranker));
                ask(&taught, "where is my refund please");
                scores[with] = taught.best[taught.best[0].answer == 0 ? 0 : 1].score;
                if (with)
                        assert_int_equal(1, taught.best[0].answer);
                forget(&taught);
        }
        assert_true(scores[1] < scores[0]);
}

static void nothing_to_learn_from_is_refused(void **state)
{
        struct bot_example example = {.answer = 0, .text = SPAN("!!!")};
        struct writer blob;

        (void)state;
        writer_init(&blob, NULL, 0);
        assert_int_equal(-BOT_RANKER_NO_EXAMPLES, bot_ranker_train(NULL, 0, "en", SPAN(""), &blob, NULL));
        assert_int_equal(-BOT_RANKER_NO_EXAMPLES, bot_ranker_train(&example, 1, "en", SPAN(""), &blob, NULL));
        example.answer = BOT_RANKER_ANSWERS;
        assert_int_equal(-BOT_RANKER_TOO_MANY, bot_ranker_train(&example, 1, "en", SPAN(""), &blob, NULL));
        assert_int_equal(0, blob.len);
        writer_done(&blob);
}

static void a_higher_wish_is_never_easier(void **state)
{
        struct taught taught = {0};

        (void)state;
        assert_true(sample_read(SAMPLE_EN, &taught.sample));
        learn(&taught, "en");
        struct bot_thresholds before = bot_ranker_thresholds(taught.ranker, BOT_WISH_LEAST);
        for (unsigned wish = 40; wish <= 100; wish++) {
                struct bot_thresholds least = bot_ranker_thresholds(taught.ranker, wish);
                assert_true(least.probability >= before.probability && least.score >= before.score);
                assert_int_equal(before.floor, least.floor);
                before = least;
        }
        assert_int_equal(bot_ranker_thresholds(taught.ranker, BOT_WISH_USUAL).probability,
                         bot_ranker_thresholds(taught.ranker, 0).probability);
        forget(&taught);
}

static void a_changed_or_cut_blob_is_refused(void **state)
{
        struct taught taught = {0};
        struct bot_ranker *other = NULL;

        (void)state;
        assert_true(sample_read(SAMPLE_KO, &taught.sample));
        learn(&taught, "ko");
        for (size_t i = 8; i < taught.blob.len; i += 997) {
                taught.blob.bytes[i] ^= 0x10;
                assert_int_equal(-BOT_RANKER_DAMAGED,
                                 bot_ranker_load((struct span){taught.blob.bytes, taught.blob.len}, &other));
                taught.blob.bytes[i] ^= 0x10;
                assert_int_equal(-BOT_RANKER_DAMAGED, bot_ranker_load((struct span){taught.blob.bytes, i}, &other));
        }
        taught.blob.bytes[4]++; /* the recipe */
        assert_int_equal(-BOT_RANKER_OTHER_RECIPE,
                         bot_ranker_load((struct span){taught.blob.bytes, taught.blob.len}, &other));
        assert_null(other);
        forget(&taught);
}

/* ---- off-topic lines that are on topic ---- */

/* A bot that tells jokes: lines about jokes behind those of the pack are not nobody's; of the pack nearly all stay so.
 */
static void a_line_that_an_answers_examples_claim_is_not_learned_as_nobodys(void **state)
{
        static const char *const jokes[] = {
                "tell me a joke",       "do you know a good joke", "a joke please",       "make a joke",
                "tell me a funny joke", "one more joke",           "another joke for me", "say a joke",
                "can you tell a joke",  "know any funny jokes?",   "joke of the day",     "I want to hear a joke"};
        static const char *const orders[] = {"where is my order", "track my order",   "order status",
                                             "has my order left", "is my order sent", "when does my order come"};
        static const char about_jokes[] = "tell me a good joke\ncan you tell me a funny joke\ndo you know a joke\n";
        enum { JOKES = sizeof(jokes) / sizeof(jokes[0]), ORDERS = sizeof(orders) / sizeof(orders[0]) };
        struct bot_example examples[JOKES + ORDERS] = {{0}};
        struct train_rows rows = {0};
        struct bot_ranker model = {0};
        struct bot_train_report report = {0};
        struct writer lines;
        uint32_t claimed = 0, nobodys = 0;

        (void)state;
        writer_init(&lines, NULL, 0);
        writer_raw(&lines, bot_off_topic("en"));
        writer_raw(&lines, span_of(about_jokes));
        for (uint32_t i = 0; i < JOKES + ORDERS; i++)
                examples[i] = (struct bot_example){.answer = i >= JOKES,
                                                   .text = span_of(i < JOKES ? jokes[i] : orders[i - JOKES])};
        assert_int_equal(0, train_rows_make(examples, JOKES + ORDERS, bot_writing_of("en"),
                                            (struct span){lines.bytes, lines.len}, &rows));
        assert_int_equal(0, train_calibrate(&rows, bot_writing_of("en"), &model, &report));
        for (uint32_t row = 0; row < rows.count; row++) {
                claimed += rows.kind[row] == TRAIN_CLAIMED;
                nobodys += rows.kind[row] == TRAIN_OFF_TOPIC;
        }
        for (uint32_t row = rows.count - 3; row < rows.count; row++)
                assert_int_equal(TRAIN_CLAIMED, rows.kind[row]);
        assert_true(nobodys > 20 * claimed);
        writer_done(&lines);
        model_done(&model);
        train_rows_done(&rows);
}

/* ---- the recipe ---- */

/* What each recipe learned from the two samples, with off-topic lines of their own: the digest of the blobs, and of
 * what was answered. When this fails, the same examples give other bytes than before: raise BOT_RANKER_RECIPE and put
 * the new digest into a new row; a row that was released stays as it is. */
static const struct {
        unsigned recipe;
        const char *digest;
} learned[] = {
        {2, "4faae1bcd749b065318844a5fd930f190f2d55cf4226c70a26086c9cbc82302a"},
};

static void add_to_digest(EVP_MD_CTX *digest, const char *path, const char *lang)
{
        struct taught taught = {0};

        assert_true(sample_read(path, &taught.sample));
        writer_init(&taught.blob, NULL, 0);
        assert_int_equal(0,
                         bot_ranker_train(taught.sample.examples, taught.sample.examples_count, lang,
                                          SPAN("why is the sky blue\nwho painted this\n달은 왜 뜨나요\n시를 써 줘\n"),
                                          &taught.blob, NULL));
        assert_int_equal(0, bot_ranker_load((struct span){taught.blob.bytes, taught.blob.len}, &taught.ranker));
        EVP_DigestUpdate(digest, taught.blob.bytes, taught.blob.len);
        for (size_t i = 0; i < taught.sample.count; i++) {
                char said[96];
                enum bot_decision decision = ask(&taught, taught.sample.texts[i]);
                int len = snprintf(said, sizeof(said), "%d %zu %u %u %u\n", (int)decision, taught.count,
                                   taught.best[0].answer, taught.best[0].score, taught.best[0].probability);
                EVP_DigestUpdate(digest, said, (size_t)len);
        }
        forget(&taught);
}

static void who_learns_differently_has_a_recipe_of_its_own(void **state)
{
        const size_t newest = sizeof(learned) / sizeof(learned[0]) - 1;
        uint8_t digest[EVP_MAX_MD_SIZE];
        char text[65];
        EVP_MD_CTX *context = EVP_MD_CTX_new();

        (void)state;
        EVP_DigestInit_ex(context, EVP_sha256(), NULL);
        add_to_digest(context, SAMPLE_EN, "en");
        add_to_digest(context, SAMPLE_KO, "ko");
        EVP_DigestFinal_ex(context, digest, NULL);
        EVP_MD_CTX_free(context);
        for (size_t i = 0; i < 32; i++)
                snprintf(text + 2 * i, 3, "%02x", digest[i]);
        assert_int_equal(BOT_RANKER_RECIPE, learned[newest].recipe);
        assert_string_equal(learned[newest].digest, text);
        for (size_t i = 0; i < newest; i++) {
                assert_true(learned[i].recipe < learned[i + 1].recipe);
                assert_string_not_equal(learned[i].digest, text);
        }
}

/* ---- memory ---- */

static size_t allocations_left, blocks_held;

static void *failing_alloc(size_t bytes, void *data)
{
        (void)data;
        if (allocations_left == 0)
                return NULL;
        allocations_left--;
        blocks_held++;
        return malloc(bytes);
}

static void *failing_resize(void *block, size_t bytes, void *data)
{
        (void)data;
        if (allocations_left == 0)
                return NULL;
        allocations_left--;
        blocks_held += block == NULL;
        return realloc(block, bytes);
}

static void counting_free(void *block, void *data)
{
        (void)data;
        blocks_held--;
        free(block);
}

static void every_failed_allocation_is_said_and_nothing_leaks(void **state)
{
        static const struct memory failing = {
                .malloc = failing_alloc, .realloc = failing_resize, .free = counting_free};
        const char *const texts[] = {"open today", "send it back", "when do you open", "return a parcel"};
        size_t failed = 0;
        int rc = -BOT_RANKER_NO_MEMORY;

        (void)state;
        for (size_t room = 0; rc != 0; room++) {
                struct bot_ranker *ranker = NULL;
                struct writer blob;
                memory_use(&failing);
                allocations_left = room;
                blocks_held = 0;
                rc = teach(texts, 4, NULL, &blob);
                if (rc == 0)
                        rc = bot_ranker_load((struct span){blob.bytes, blob.len}, &ranker);
                if (rc != 0)
                        assert_int_equal(-BOT_RANKER_NO_MEMORY, rc);
                failed += rc != 0;
                bot_ranker_free(ranker);
                writer_done(&blob);
                memory_use(NULL);
                assert_int_equal(0, blocks_held);
        }
        assert_true(failed > 60);
}

/* ---- numbers ---- */

static void fixed_numbers_follow_the_real_ones(void **state)
{
        (void)state;
        for (int x = 0; x < 11 * MODEL_ONE; x += 37)
                assert_true(fabs(exp(-(double)x / MODEL_ONE) * 65536 - fixed_exp(x)) <
                            3 + 0.004 * 65536 * exp(-(double)x / MODEL_ONE));
        for (uint64_t x = 1; x < 1ull << 40; x += 1 + x / 3)
                assert_true(fabs(log((double)x / 65536) - (double)fixed_ln(x) / MODEL_ONE) < 0.01);
        assert_int_equal(65536, fixed_exp(0));
        assert_int_equal(0, fixed_exp(100 * MODEL_ONE));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(questions_in_other_words_find_their_answer),
                cmocka_unit_test(an_example_is_certain_whatever_its_blanks_and_marks),
                cmocka_unit_test(candidates_come_best_first_and_share_what_is_probable),
                cmocka_unit_test(an_answer_that_is_not_allowed_is_no_candidate),
                cmocka_unit_test(nothing_to_go_by_is_a_miss),
                cmocka_unit_test(a_text_under_two_answers_is_certain_for_none),
                cmocka_unit_test(too_few_examples_reach_no_wish_and_offer_choices_only),
                cmocka_unit_test(a_negative_example_keeps_its_answer_away),
                cmocka_unit_test(nothing_to_learn_from_is_refused),
                cmocka_unit_test(a_higher_wish_is_never_easier),
                cmocka_unit_test(a_changed_or_cut_blob_is_refused),
                cmocka_unit_test(a_line_that_an_answers_examples_claim_is_not_learned_as_nobodys),
                cmocka_unit_test(who_learns_differently_has_a_recipe_of_its_own),
                cmocka_unit_test(every_failed_allocation_is_said_and_nothing_leaks),
                cmocka_unit_test(fixed_numbers_follow_the_real_ones),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
