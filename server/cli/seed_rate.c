/* SPDX-License-Identifier: Apache-2.0 */
/* What the customers of a seeded desk answer when they are asked how it went: most are content, some are not, some say
 * why, in their own language. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/console.h"
#include "cli/secrets.h"
#include "cli/seed.h"
#include "desk/desk.h"

enum { LANGUAGES = 4, WORDS = 3 };

static const char *const content[LANGUAGES][WORDS] = {
        {"Quick and friendly, thank you!", "Solved within the hour.", "Very clear answer."},
        {"빠르고 친절했어요. 감사합니다!", "한 시간 안에 해결됐어요.", "설명이 정말 명확했어요."},
        {"又快又友好，谢谢！", "一个小时就解决了。", "回答得很清楚。"},
        {"早くて親切でした。ありがとうございます！", "一時間で解決しました。", "とても分かりやすい回答でした。"},
};
static const char *const unhappy[LANGUAGES][WORDS] = {
        {"It took far too long until somebody answered.", "I had to explain it twice.",
         "Still waiting for the refund."},
        {"답변을 받기까지 너무 오래 걸렸어요.", "같은 설명을 두 번 해야 했어요.", "환불을 아직 기다리고 있어요."},
        {"等了太久才有人回复。", "同样的事情我解释了两遍。", "还在等退款。"},
        {"返信が来るまで長すぎました。", "同じ説明を二度しました。", "返金をまだ待っています。"},
};

static int language_of(const char *locale)
{
        static const char *const names[LANGUAGES] = {"en", "ko", "zh", "ja"};

        for (int i = 0; i < LANGUAGES; i++)
                if (strncmp(locale, names[i], 2) == 0)
                        return i;
        return 0;
}

static int score_of(struct seed *seed)
{
        int draw = seed_below(seed, 100);

        return draw < 50 ? 5 : draw < 76 ? 4 : draw < 86 ? 3 : draw < 93 ? 2 : 1;
}

/* The survey that waits in that conversation: its seq, 0 = none. */
static int find_waiting(struct seed *seed, const char *conv, json_int_t *out_seq)
{
        json_t *result = NULL;
        int rc = console_do(seed->console, "survey.offers",
                            json_pack("{s:s, s:s, s:i}", "conv", conv, "state", "waiting", "limit", 1), &result);

        *out_seq = json_integer_value(json_object_get(json_array_get(json_object_get(result, "offers"), 0), "seq"));
        json_decref(result);
        return rc;
}

int seed_rate(struct seed *seed, const struct desk_voice *customer, const char *conv)
{
        json_int_t seq = 0;
        char stars[32] = "";
        int rc = find_waiting(seed, conv, &seq), score = score_of(seed), language = language_of(customer->locale);

        if (rc != EX_OK || seq == 0)
                return rc;
        json_t *rated = json_pack("{s:I, s:i}", "seq", seq, "score", score);
        if (seed_below(seed, 10) < (score <= 2 ? 7 : 3)) {
                const char *const(*words)[WORDS] = score <= 3 ? unhappy : content;
                json_object_set_new(rated, "said", json_string(words[language][seed_below(seed, WORDS)]));
        }
        if (score <= 2 && seed_below(seed, 4) == 0)
                json_object_set_new(rated, "contact", json_true());
        for (int i = 0; i < 5; i++)
                snprintf(stars + strlen(stars), sizeof(stars) - strlen(stars), "%s", i < score ? "★" : "☆");
        return console_do_as(seed->console, customer, "message.send",
                             json_pack("{s:o, s:s, s:s, s:o, s:s}", "cmid", secret_cmid(), "conv", conv, "kind",
                                       "rating", "rated", rated, "fallback_text", stars),
                             NULL);
}
