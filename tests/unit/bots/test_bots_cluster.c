/* SPDX-License-Identifier: Apache-2.0 */
/* Questions that read alike stand together, in any script, and what they cost is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "bots/cluster.h"

enum { ROOM = 64 };

struct asked {
        const char *const *texts;
        size_t count;
        struct bot_clusters clusters;
};

static void put_together(struct asked *asked, const char *const *texts, size_t count)
{
        struct span spans[ROOM];
        assert_in_range(count, 0, ROOM);
        for (size_t i = 0; i < count; i++)
                spans[i] = span_of(texts[i]);
        *asked = (struct asked){.texts = texts, .count = count};
        assert_int_equal(0, bot_cluster(spans, count, &asked->clusters));
}

static uint32_t cluster_of(const struct asked *asked, uint32_t question)
{
        for (uint32_t c = 0; c < asked->clusters.count; c++) {
                const struct bot_cluster *cluster = &asked->clusters.list[c];
                for (uint32_t m = 0; m < cluster->count; m++)
                        if (asked->clusters.members[cluster->first + m] == question)
                                return c;
        }
        fail_msg("question %u is in no cluster", question);
        return 0;
}

/* The first `count` are together, and none of the others is with them. */
static void assert_together(const struct asked *asked, uint32_t from, uint32_t count)
{
        for (uint32_t q = 0; q < asked->count; q++) {
                bool is_one = q >= from && q < from + count;
                if (is_one != (cluster_of(asked, q) == cluster_of(asked, from)))
                        fail_msg("\"%s\" and \"%s\"", asked->texts[from], asked->texts[q]);
        }
}

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static void english_questions_meet_whatever_words_stand_around(void **state)
{
        static const char *const texts[] = {
                "where is my parcel",         "my parcel is not here yet, where is it?",
                "Where's my parcel??",        "can I change the delivery address",
                "change my delivery address", "I want to change the address of my delivery",
                "do you sell gift cards",
        };
        struct asked asked;
        (void)state;
        put_together(&asked, texts, COUNT(texts));
        assert_together(&asked, 0, 3);
        assert_together(&asked, 3, 3);
        assert_together(&asked, 6, 1);
        bot_clusters_done(&asked.clusters);
}

static void korean_questions_meet_with_and_without_blanks(void **state)
{
        static const char *const texts[] = {
                "배송 언제 오나요?",    "배송언제오나요",     "배송이 언제 와요",
                "환불은 어떻게 받나요", "환불 어떻게받나요?", "포인트를 선물할 수 있어요?",
        };
        struct asked asked;
        (void)state;
        put_together(&asked, texts, COUNT(texts));
        assert_together(&asked, 0, 3);
        assert_together(&asked, 3, 2);
        assert_together(&asked, 5, 1);
        bot_clusters_done(&asked.clusters);
}

static void chinese_questions_meet(void **state)
{
        static const char *const texts[] = {
                "我的包裹在哪里", "包裹在哪里啊？", "请问我的包裹现在在哪里",
                "怎么申请退款",   "退款怎么申请？", "有没有学生优惠",
        };
        struct asked asked;
        (void)state;
        put_together(&asked, texts, COUNT(texts));
        assert_together(&asked, 0, 3);
        assert_together(&asked, 3, 2);
        assert_together(&asked, 5, 1);
        bot_clusters_done(&asked.clusters);
}

static void japanese_questions_meet(void **state)
{
        static const char *const texts[] = {
                "荷物はいつ届きますか",     "荷物はいつ届くの？", "いつ荷物が届きますか",
                "ポイントの使い方を教えて", "ポイントの使い方",   "領収書をください",
        };
        struct asked asked;
        (void)state;
        put_together(&asked, texts, COUNT(texts));
        assert_together(&asked, 0, 3);
        assert_together(&asked, 3, 2);
        assert_together(&asked, 5, 1);
        bot_clusters_done(&asked.clusters);
}

static void the_largest_cluster_comes_first_under_its_most_central_question(void **state)
{
        static const char *const texts[] = {
                "do you ship to Norway please", "invoice", "do you ship to Norway", "can you ship it to Norway",
                "do you ship goods to Norway",
        };
        struct asked asked;
        (void)state;
        put_together(&asked, texts, COUNT(texts));
        assert_int_equal(2, asked.clusters.count);
        assert_int_equal(4, asked.clusters.list[0].count);
        assert_int_equal(2, asked.clusters.members[asked.clusters.list[0].first]);
        assert_int_equal(1, asked.clusters.list[1].count);
        bot_clusters_done(&asked.clusters);
}

static void what_says_nothing_is_a_cluster_all_the_same(void **state)
{
        static const char *const texts[] = {"", "?", "", "x", "x"};
        struct asked asked;
        (void)state;
        put_together(&asked, texts, COUNT(texts));
        assert_true(cluster_of(&asked, 0) == cluster_of(&asked, 2));
        assert_true(cluster_of(&asked, 3) == cluster_of(&asked, 4));
        assert_true(cluster_of(&asked, 0) != cluster_of(&asked, 3));
        bot_clusters_done(&asked.clusters);
        put_together(&asked, texts, 0);
        assert_int_equal(0, asked.clusters.count);
        bot_clusters_done(&asked.clusters);
}

/* ---- many ---- */

static struct span many[BOT_CLUSTER_QUESTIONS + 1];

static void free_many(size_t count)
{
        for (size_t i = 0; i < count; i++)
                free((char *)many[i].at);
}

/* Words drawn by a fixed sequence from a vocabulary that grows rarer towards its end. */
static void make_many(size_t count, uint32_t seed, uint32_t words, uint32_t vocabulary)
{
        for (size_t i = 0; i < count; i++) {
                char *text = calloc(1, 16 * words + 1), *to = text;
                for (uint32_t w = 0; w < words; w++) {
                        seed = seed * 1664525u + 1013904223u;
                        uint32_t x = (seed >> 8) % vocabulary;
                        to += sprintf(to, "%s%c%c%c", w ? " " : "", 'a' + x % 26, 'a' + x / 26 % 26,
                                      'a' + x / 676 % 26);
                }
                many[i] = span_of(text);
        }
}

/* Each question once; clusters by size; nobody lost. */
static void assert_whole(const struct bot_clusters *clusters, size_t count)
{
        char *seen = calloc(count + 1, 1);
        size_t total = 0;
        for (uint32_t c = 0; c < clusters->count; c++) {
                assert_true(clusters->list[c].count >= 1);
                assert_int_equal(total, clusters->list[c].first);
                if (c > 0)
                        assert_true(clusters->list[c].count <= clusters->list[c - 1].count);
                total += clusters->list[c].count;
        }
        assert_int_equal(count, total);
        for (size_t i = 0; i < count; i++) {
                assert_in_range(clusters->members[i], 0, count - 1);
                assert_int_equal(0, seen[clusters->members[i]]++);
        }
        free(seen);
}

static void each_question_stands_in_one_cluster_and_twice_the_same(void **state)
{
        (void)state;
        for (uint32_t seed = 1; seed <= 20; seed++) {
                struct bot_clusters once, again;
                size_t count = 10 * seed;
                make_many(count, seed, 1 + seed % 7, 40 * seed);
                assert_int_equal(0, bot_cluster(many, count, &once));
                assert_int_equal(0, bot_cluster(many, count, &again));
                assert_whole(&once, count);
                assert_int_equal(once.count, again.count);
                assert_memory_equal(once.members, again.members, count * sizeof *once.members);
                assert_memory_equal(once.list, again.list, once.count * sizeof *once.list);
                bot_clusters_done(&once);
                bot_clusters_done(&again);
                free_many(count);
        }
}

static void five_thousand_take_a_bounded_time_and_more_are_refused(void **state)
{
        struct bot_clusters clusters;
        (void)state;
        make_many(BOT_CLUSTER_QUESTIONS + 1, 7, 8, 2000);
        clock_t from = clock();
        assert_int_equal(0, bot_cluster(many, BOT_CLUSTER_QUESTIONS, &clusters));
        print_message("5,000 questions of 8 words: %ld ms\n", (long)((clock() - from) * 1000 / CLOCKS_PER_SEC));
        assert_whole(&clusters, BOT_CLUSTER_QUESTIONS);
        bot_clusters_done(&clusters);
        assert_int_equal(-1, bot_cluster(many, BOT_CLUSTER_QUESTIONS + 1, &clusters));
        free_many(BOT_CLUSTER_QUESTIONS + 1);
}

/* All of two letters and as long as is read: every n-gram is in every question. */
static void questions_made_to_be_slow_are_not(void **state)
{
        struct bot_clusters clusters;
        uint32_t seed = 3;
        (void)state;
        for (size_t i = 0; i < BOT_CLUSTER_QUESTIONS; i++) {
                char *text = calloc(1, 257);
                for (size_t k = 0; k < 256; k++) {
                        seed = seed * 1664525u + 1013904223u;
                        text[k] = seed >> 30 & 1 ? 'a' : 'b';
                }
                many[i] = span_of(text);
        }
        clock_t from = clock();
        assert_int_equal(0, bot_cluster(many, BOT_CLUSTER_QUESTIONS, &clusters));
        print_message("5,000 made to be slow: %ld ms\n", (long)((clock() - from) * 1000 / CLOCKS_PER_SEC));
        assert_whole(&clusters, BOT_CLUSTER_QUESTIONS);
        bot_clusters_done(&clusters);
        free_many(BOT_CLUSTER_QUESTIONS);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(english_questions_meet_whatever_words_stand_around),
                cmocka_unit_test(korean_questions_meet_with_and_without_blanks),
                cmocka_unit_test(chinese_questions_meet),
                cmocka_unit_test(japanese_questions_meet),
                cmocka_unit_test(the_largest_cluster_comes_first_under_its_most_central_question),
                cmocka_unit_test(what_says_nothing_is_a_cluster_all_the_same),
                cmocka_unit_test(each_question_stands_in_one_cluster_and_twice_the_same),
                cmocka_unit_test(five_thousand_take_a_bounded_time_and_more_are_refused),
                cmocka_unit_test(questions_made_to_be_slow_are_not),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
