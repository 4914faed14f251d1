/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds: from held-back rows to what the bot needs before it speaks. For every wished precision two lines: the
 * least probability, which holds the wish among questions that have an answer, and the least score, which keeps
 * off-topic questions out. The second is raised line by line of the off-topic pack, and only as far as it costs few
 * answers: where the pack is on topic (a bot for everything), it is not to be trusted. */
#include <math.h>
#include <stdlib.h>

#include "calibrate.h"
#include "protocol/memory.h"

enum {
        LEAST_ANSWERED = 12,  /* a precision measured on fewer answers says nothing */
        OFF_TOPIC_LINES = 128 /* scores of the pack that are tried at most */
};

static const double off_topic_share = 0.04; /* of the pack may be answered alone */
static const double dearest = 0.07;         /* of the lone answers that refusing the pack may cost */
static const double caution = 0.5;          /* standard errors taken off what was measured */
static const double lost_share = 0.03;      /* of the right answers below the floor ... */
static const double lost_most = 0.1;        /* ... and at most, where the pack would have it higher */

/* A pair of thresholds and what it lets through. */
struct cut {
        uint16_t probability, score;
        uint32_t answered, off_topic;
};

struct sight {
        const struct calibrate_asked *asked; /* most probable first */
        uint32_t count, off_topic;
        uint16_t lines[OFF_TOPIC_LINES + 1]; /* scores that shut out ever more of the pack, ascending */
        uint32_t lines_count;
};

/* ---- the floor ---- */

static int descending(const void *a, const void *b)
{
        return (int)*(const uint16_t *)b - (int)*(const uint16_t *)a;
}

/* The score that `share` of the rows reach, off-topic ones or those whose answer was found; 0: there are none. */
static uint16_t score_of(const struct calibrate_asked *asked, uint32_t count, bool is_off_topic, double share,
                         uint16_t *room)
{
        uint32_t kept = 0;

        for (uint32_t i = 0; i < count; i++)
                if (asked[i].is_off_topic == is_off_topic && (is_off_topic || asked[i].place))
                        room[kept++] = asked[i].score;
        if (kept == 0)
                return 0;
        qsort(room, kept, sizeof(room[0]), descending);
        uint32_t at = (uint32_t)(share * kept);
        return room[at < kept ? at : kept - 1];
}

/* Below the floor is what half the pack does not reach, but few right answers. */
static uint16_t floor_of(uint16_t low, uint16_t middle, uint16_t most)
{
        uint16_t held = middle < most ? middle : most;

        return low > held ? low : held;
}

/* ---- a wish ---- */

/* What was measured on few answers has to be better. */
static bool is_reached(uint32_t right, uint32_t answered, unsigned wish)
{
        double share = (double)right / answered;

        return share - caution * sqrt(share * (1 - share) / answered) >= wish / 100.0;
}

/* With that least score: the probability that answers most and still holds the wish. */
static struct cut cut_at(const struct sight *sight, unsigned wish, uint16_t score)
{
        struct cut best = {.probability = BOT_SCORE_ONE, .score = score}, so_far = {.score = score};
        uint32_t right = 0;

        for (uint32_t i = 0; i < sight->count; i++) {
                const struct calibrate_asked *asked = &sight->asked[i];
                if (asked->score >= score) {
                        so_far.answered += !asked->is_off_topic;
                        so_far.off_topic += asked->is_off_topic;
                        right += asked->place == 1;
                }
                bool is_last_of_equals = i + 1 == sight->count || asked[1].probability != asked->probability;
                so_far.probability = asked->probability;
                if (is_last_of_equals && so_far.answered >= LEAST_ANSWERED && so_far.answered > best.answered &&
                    is_reached(right, so_far.answered, wish))
                        best = so_far;
        }
        return best;
}

static struct cut cut_for(const struct sight *sight, unsigned wish, uint16_t low)
{
        uint32_t most = cut_at(sight, wish, 0).answered;
        struct cut kept = cut_at(sight, wish, low);

        for (uint32_t i = 0; i < sight->lines_count && kept.off_topic > off_topic_share * sight->off_topic; i++) {
                if (sight->lines[i] <= low)
                        continue;
                struct cut next = cut_at(sight, wish, sight->lines[i]);
                if (next.answered < (1 - dearest) * most)
                        break;
                kept = next;
        }
        return kept;
}

/* ---- all wishes ---- */

static int by_probability(const void *a, const void *b)
{
        const struct calibrate_asked *left = a, *right = b;

        if (left->probability != right->probability)
                return left->probability > right->probability ? -1 : 1;
        return left->score > right->score ? -1 : left->score < right->score;
}

/* `room` = the pack's scores, highest first. */
static void take_lines(struct sight *sight, const uint16_t *room)
{
        uint32_t step = sight->off_topic / OFF_TOPIC_LINES + 1;

        for (uint32_t i = sight->off_topic; i >= step && sight->lines_count <= OFF_TOPIC_LINES; i -= step)
                sight->lines[sight->lines_count++] = (uint16_t)(room[i - step] + 1);
}

static uint16_t more(uint16_t a, uint16_t b)
{
        return a > b ? a : b;
}

/* A higher wish is never easier. */
static void set_wishes(const struct sight *sight, uint16_t low, struct bot_ranker *model)
{
        for (unsigned i = 0; i < BOT_WISHES; i++) {
                struct cut cut = cut_for(sight, BOT_WISH_LEAST + 2 * i, low);
                model->wishes[i] = more(cut.probability, i ? model->wishes[i - 1] : 0);
                model->scores[i] = more(cut.score, i ? model->scores[i - 1] : 0);
        }
}

bool calibrate_thresholds(struct calibrate_asked *asked, uint32_t count, struct bot_ranker *model)
{
        struct sight sight = {.asked = asked, .count = count};
        uint16_t *room = memory_alloc((count + 1) * sizeof(room[0]));

        if (!room)
                return false;
        uint16_t low = score_of(asked, count, false, 1 - lost_share, room);
        uint16_t most = score_of(asked, count, false, 1 - lost_most, room);
        uint16_t middle = score_of(asked, count, true, 0.5, room); /* leaves the pack's scores in `room` */
        model->floor = floor_of(low, middle, most);
        for (uint32_t i = 0; i < count; i++)
                sight.off_topic += asked[i].is_off_topic;
        take_lines(&sight, room);
        memory_free(room);
        qsort(asked, count, sizeof(asked[0]), by_probability);
        set_wishes(&sight, low, model);
        return true;
}
