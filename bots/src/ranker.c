/* SPDX-License-Identifier: Apache-2.0 */
/* Ranker: see bots/ranker.h: loading, ranking and deciding. */
#include "bots/ranker.h"

#include "blob.h"
#include "packs.h"
#include "protocol/memory.h"
#include "train.h"

enum { LEAST_CHOICE = 1966 /* 3 %: what is less probable is no choice */, ROOM_MOST = 64 };

struct span bot_off_topic(const char *lang)
{
        size_t found = 0;

        for (size_t i = 0; i < bot_packs_count; i++) {
                size_t len = strlen(bot_packs[i].lang);
                if (strcmp(bot_packs[i].lang, "en") == 0 && found == 0)
                        found = i;
                if (lang && strncmp(lang, bot_packs[i].lang, len) == 0 &&
                    (lang[len] == 0 || lang[len] == '-' || lang[len] == '_'))
                        return (struct span){bot_packs[i].lines, bot_packs[i].len};
        }
        return (struct span){bot_packs[found].lines, bot_packs[found].len};
}

int bot_ranker_load(struct span blob, struct bot_ranker **out_ranker)
{
        struct bot_ranker *ranker = memory_zeroed(1, sizeof(*ranker));
        int rc = ranker ? blob_read(blob, ranker) : -BOT_RANKER_NO_MEMORY;

        if (rc < 0) {
                bot_ranker_free(ranker);
                return rc;
        }
        *out_ranker = ranker;
        return 0;
}

struct bot_ranker *bot_ranker_free(struct bot_ranker *ranker)
{
        if (ranker)
                model_done(ranker);
        memory_free(ranker);
        return NULL;
}

uint32_t bot_ranker_answers(const struct bot_ranker *ranker)
{
        return ranker->answers;
}

size_t bot_ranker_bytes(const struct bot_ranker *ranker)
{
        return sizeof(*ranker) + 8u * (ranker->answers + 1u) + 10u * (ranker->features + 1u) +
               3u * (ranker->postings + 1u) + 10u * (ranker->exacts + 1u) + 4u * (ranker->slot_mask + 1u);
}

/* The answer that has this text as an example; BOT_RANKER_ANSWERS: none. */
static uint32_t find_exact(const struct bot_ranker *ranker, const struct bot_text *text)
{
        uint64_t key = model_exact_key(text);
        uint32_t low = 0, high = ranker->exacts;

        while (low < high) {
                uint32_t middle = low + (high - low) / 2;
                if (ranker->exact_keys[middle] < key)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < ranker->exacts && ranker->exact_keys[low] == key ? ranker->exact_answers[low] : BOT_RANKER_ANSWERS;
}

/* Moves or puts the exact answer to the front; nobody else may be certain beside it. */
static size_t put_first(struct bot_candidate *out, size_t count, size_t room, uint32_t answer)
{
        size_t at = 0;

        while (at < count && out[at].answer != answer)
                at++;
        if (at == count)
                count < room ? count++ : at--;
        for (; at > 0; at--)
                out[at] = out[at - 1];
        out[0] = (struct bot_candidate){.answer = answer, .score = BOT_SCORE_ONE, .probability = BOT_SCORE_ONE};
        for (size_t i = 1; i < count; i++)
                out[i].probability /= 8;
        return count;
}

size_t bot_ranker_rank(const struct bot_ranker *ranker, const struct bot_text *text, const uint8_t *allowed,
                       struct bot_candidate *out, size_t room)
{
        struct bot_features features;
        int32_t margins[BOT_RANKER_ANSWERS + 1];
        size_t count = 0;

        room = room < ROOM_MOST ? room : ROOM_MOST;
        if (text->token_count == 0 || room == 0)
                return 0;
        bot_features_of(text, ranker->writing, &features);
        if (model_margins(ranker, &features, margins)) {
                count = model_best(ranker, margins, allowed, out, room);
                model_judge(ranker, margins, allowed, out, count);
        }
        uint32_t exact = find_exact(ranker, text);
        if (exact < ranker->answers && (!allowed || (allowed[exact / 8] >> exact % 8 & 1)))
                count = put_first(out, count, room, exact);
        return count;
}

struct bot_thresholds bot_ranker_thresholds(const struct bot_ranker *ranker, unsigned wish)
{
        wish = wish == 0 ? BOT_WISH_USUAL : wish < BOT_WISH_LEAST ? BOT_WISH_LEAST : wish;
        wish = wish > BOT_WISH_MOST ? BOT_WISH_MOST : wish;
        unsigned row = (wish - BOT_WISH_LEAST + 1) / 2;
        uint16_t probability = ranker->wishes[row];

        return (struct bot_thresholds){.probability = probability,
                                       .score = probability == BOT_SCORE_ONE ? BOT_SCORE_ONE : ranker->scores[row],
                                       .floor = ranker->floor};
}

enum bot_decision bot_ranker_decide(const struct bot_ranker *ranker, const struct bot_candidate *candidates,
                                    size_t count, unsigned wish, size_t *out_choices)
{
        struct bot_thresholds least = bot_ranker_thresholds(ranker, wish);
        size_t choices = 0;

        if (count && candidates[0].score >= least.floor)
                for (choices = 1; choices < count && choices < BOT_RANKER_CHOICES; choices++)
                        if (candidates[choices].probability < LEAST_CHOICE)
                                break;
        if (out_choices)
                *out_choices = choices;
        if (count && candidates[0].probability >= least.probability && candidates[0].score >= least.score)
                return BOT_LONE;
        return choices ? BOT_CHOICES : BOT_MISS;
}
