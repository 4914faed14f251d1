/* SPDX-License-Identifier: Apache-2.0 */
/* report.words: words of comments that go with low scores. Words are cut as the search index cuts them, so that all
 * scripts have some. Of each word: how many low and how many other comments have it, and from those the log-odds
 *
 *      ln((a + 1/2) / (A - a + 1/2)) - ln((b + 1/2) / (B - b + 1/2)),  a of A low ones, b of B others,
 *
 * and its standard error, the root of the sum of the four inverse counts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "desk/reading.h"
#include "desk/reports/reports_private.h"
#include "store/db.h"
#include "store/tokens.h"

enum { COMMENTS = 20000, TOLD = 100, SLOTS = 16384, WORDS = 50000, LEAST = 3 };

struct word {
        struct word *next;
        int64_t low, other, seen; /* seen: number of the comment that had it last */
        double certainty;
        size_t len;
        char text[TOKEN_MAX_BYTES];
};

struct words {
        struct word *slots[SLOTS];
        size_t count;
        int64_t low, other, comment;
        bool is_low, is_short; /* is_short: of memory */
};

static int add_word(void *data, struct span token, bool is_beside)
{
        struct words *words = data;
        uint32_t hash = 2166136261u;
        (void)is_beside;
        if (token.len == 0 || token.len > TOKEN_MAX_BYTES)
                return 0;
        for (size_t i = 0; i < token.len; i++)
                hash = (hash ^ (uint8_t)token.at[i]) * 16777619u;
        struct word **slot = &words->slots[hash % SLOTS], *at = *slot;
        while (at && (at->len != token.len || memcmp(at->text, token.at, token.len) != 0))
                at = at->next;
        if (!at && words->count == WORDS)
                return 0;
        if (!at) {
                at = calloc(1, sizeof *at);
                if (!at) {
                        words->is_short = true;
                        return 1;
                }
                at->len = token.len;
                memcpy(at->text, token.at, token.len);
                at->next = *slot;
                *slot = at;
                words->count++;
        }
        if (at->seen == words->comment) /* once a comment */
                return 0;
        at->seen = words->comment;
        at->low += words->is_low;
        at->other += !words->is_low;
        return 0;
}

static int read_comments(const struct reading *reading, const struct report_period *period, struct words *words)
{
        const struct protocol_report_words *params = reading->command->params;
        struct db_stmt *stmt = db_stmt(reading->db, SQL_REPORT_COMMENTS);
        int rc;
        db_bind_int(stmt, 1, params->metric);
        db_bind_int(stmt, 2, period->from_ms);
        db_bind_int(stmt, 3, period->to_ms);
        db_bind_int(stmt, 4, COMMENTS);
        while ((rc = db_step(stmt)) == DB_ROW && !words->is_short) {
                words->comment++;
                words->is_low = db_int(stmt, 0) <= params->low;
                words->low += words->is_low;
                words->other += !words->is_low;
                if (tokens_cut(db_text(stmt, 2), TOKENS_QUERY, add_word, words) < 0)
                        words->is_short = true;
        }
        db_reset(stmt);
        return rc < 0 ? reading_failed(reading, rc) : words->is_short ? -PROTOCOL_ERR_INTERNAL : 0;
}

static double log_odds(const struct words *words, const struct word *word, double *out_error)
{
        double a = (double)word->low + 0.5, b = (double)word->other + 0.5;
        double c = (double)(words->low - word->low) + 0.5, d = (double)(words->other - word->other) + 0.5;
        *out_error = sqrt(1 / a + 1 / b + 1 / c + 1 / d);
        return log(a / c) - log(b / d);
}

static int most_certain(const void *a, const void *b)
{
        const struct word *x = *(struct word *const *)a, *y = *(struct word *const *)b;
        if (x->certainty != y->certainty)
                return x->certainty < y->certainty ? 1 : -1;
        int rc = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);
        return rc ? rc : (x->len > y->len) - (x->len < y->len);
}

static int tell(const struct reading *reading, const struct words *words)
{
        const struct protocol_report_words *params = reading->command->params;
        struct protocol_report_words_result result = {.low = words->low, .other = words->other};
        int64_t least = params->has_least ? params->least : LEAST;
        size_t count = 0;
        double error;
        struct word **list = calloc(words->count + 1, sizeof *list);
        result.words = arena_take(&reading->command->arena, TOLD * sizeof *result.words);
        if (!list || !result.words) {
                free(list);
                return -PROTOCOL_ERR_INTERNAL;
        }
        for (size_t i = 0; i < SLOTS; i++) {
                for (struct word *at = words->slots[i]; at; at = at->next) {
                        if (at->low + at->other < least)
                                continue;
                        at->certainty = log_odds(words, at, &error) / error;
                        if (at->certainty > 0)
                                list[count++] = at;
                }
        }
        if (count > 1)
                qsort(list, count, sizeof(*list), most_certain);
        for (size_t i = 0; i < count && i < TOLD; i++)
                result.words[result.words_count++] =
                        (struct protocol_report_word){.word = {list[i]->text, list[i]->len},
                                                      .low = list[i]->low,
                                                      .other = list[i]->other,
                                                      .weight = llround(log_odds(words, list[i], &error) * 1000),
                                                      .certainty = llround(list[i]->certainty * 1000)};
        free(list);
        protocol_report_words_result_write(reading->out, &result);
        return 0;
}

static void forget(struct words *words)
{
        for (size_t i = 0; words && i < SLOTS; i++) {
                for (struct word *at = words->slots[i], *next; at; at = next) {
                        next = at->next;
                        free(at);
                }
        }
        free(words);
}

int read_report_words(const struct reading *reading)
{
        const struct protocol_report_words *params = reading->command->params;
        struct report_state state = {0};
        struct report_period period;
        struct words *words = calloc(1, sizeof *words);
        int rc = words ? report_state_for(reading, &state) : -PROTOCOL_ERR_INTERNAL;
        if (rc == 0)
                rc = report_period_read(reading, state.zone, params->from, params->to, 3660, &period);
        if (rc == 0)
                rc = read_comments(reading, &period, words);
        if (rc == 0)
                rc = tell(reading, words);
        forget(words);
        report_state_done(&state);
        return rc;
}
