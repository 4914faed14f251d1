/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz bot: a ranker's blob from a stranger, and any bytes as a question. Two bytes say how much of the input is the
 * question; the rest is the blob, whose checksum is made right, so that what comes after it is reached. A blob that is
 * taken has to answer within its promises. */
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bots/ranker.h"
#include "fuzz.h"

enum { HEAD = 2, BEST = 5 };

static void check(bool claim, const char *what)
{
        if (claim)
                return;
        fprintf(stderr, "fuzz_bot: %s\n", what);
        abort();
}

static void check_text(const struct bot_text *text, size_t bytes)
{
        check(text->count <= BOT_TEXT_POINTS && text->token_count <= text->count, "more points than there is room for");
        check(text->offsets[text->count] <= bytes, "read beyond the message");
        for (size_t i = 0; i < text->count; i++)
                check(text->offsets[i] < bytes && text->points[i] <= 0x10ffff, "a point from nowhere");
        for (size_t i = 0; i < text->token_count; i++)
                check(text->tokens[i].len && text->tokens[i].start + text->tokens[i].len <= text->count,
                      "a token beyond the text");
        check(strlen(bot_language_of(text, "xx")) == 2, "no language");
}

static void check_answers(const struct bot_ranker *ranker, const struct bot_text *text)
{
        struct bot_candidate best[BEST];
        size_t choices = 0, count = bot_ranker_rank(ranker, text, NULL, best, BEST);

        check(count <= BEST, "more candidates than room");
        for (size_t i = 0; i < count; i++) {
                check(best[i].answer < bot_ranker_answers(ranker), "an answer that is not there");
                check(i == 0 || best[i].score <= best[i - 1].score, "not best first");
                check(i == 0 || best[i].probability <= best[0].probability, "a later one is more probable");
        }
        enum bot_decision decision = bot_ranker_decide(ranker, best, count, 90, &choices);
        check(choices <= BOT_RANKER_CHOICES && choices <= count, "more choices than candidates");
        check(decision != BOT_LONE || count > 0, "a lone answer that is none");
}

static void try_blob(const uint8_t *bytes, size_t len, const struct bot_text *text)
{
        struct bot_ranker *ranker = NULL;
        char *blob = malloc(len + SHA256_DIGEST_LENGTH);

        check(blob != NULL, "memory");
        memcpy(blob, bytes, len);
        SHA256(bytes, len, (uint8_t *)blob + len);
        if (bot_ranker_load((struct span){blob, len + SHA256_DIGEST_LENGTH}, &ranker) == 0)
                check_answers(ranker, text);
        else
                check(ranker == NULL, "a refused blob that is given out");
        bot_ranker_free(ranker);
        free(blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
        static struct bot_text text;
        char key[BOT_TEXT_KEY];

        if (len < HEAD)
                return 0;
        size_t question = (size_t)(bytes[0] | bytes[1] << 8);
        if (question > len - HEAD)
                question = len - HEAD;
        char *exact = malloc(question + 1);
        check(exact != NULL, "memory");
        memcpy(exact, bytes + HEAD, question);
        bot_text_of((struct span){exact, question}, &text);
        free(exact);
        check_text(&text, question);
        check(bot_text_key(&text, key) <= sizeof(key), "a key longer than its room");
        try_blob(bytes + HEAD + question, len - HEAD - question, &text);
        return 0;
}
