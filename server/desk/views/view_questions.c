/* SPDX-License-Identifier: Apache-2.0 */
/* What lists ask: each distinct condition, with whom it means by `me`, stands once at a place of its own, and all are
 * asked of a ticket together. Beside each ticket that the lists have seen stands a row of bits: of which places the
 * condition held when it was last told. So what a change means for hundreds of lists is seen in a few words.
 *
 * Always true between batches: the bit of a known question says whether its condition holds. Bits of places that are
 * not known, or that nobody has, mean nothing. */
#include <stdlib.h>

#include "desk/views/views_private.h"

enum { FIRST_ROWS = 256, FIRST_WORDS = 2, NO_ROW = UINT32_MAX };

/* ---- rows of bits ---- */

uint64_t *view_row_of(const struct views *views, const struct seen *seen)
{
        return &views->bits[seen->row * views->words];
}

/* Rows as wide as that many words. */
static int widen_rows(struct views *views, size_t words)
{
        uint64_t *bits = calloc(views->row_room * words + 1, sizeof *bits);
        if (!bits)
                return -1;
        for (size_t i = 0; i < views->row_room; i++)
                memcpy(&bits[i * words], &views->bits[i * views->words], views->words * sizeof *bits);
        free(views->bits);
        views->bits = bits;
        views->words = words;
        return 0;
}

static int more_rows(struct views *views)
{
        size_t room = views->row_room ? views->row_room * 2 : FIRST_ROWS;
        uint64_t *bits = realloc(views->bits, room * views->words * sizeof *bits);
        if (!bits)
                return -1;
        views->bits = bits;
        for (size_t i = room; i > views->row_room; i--) { /* a free one names the next free one */
                bits[(i - 1) * views->words] = views->free_row;
                views->free_row = (uint32_t)(i - 1);
        }
        views->row_room = room;
        return 0;
}

int view_row_take(struct views *views, struct seen *seen)
{
        if (views->free_row == NO_ROW && more_rows(views) < 0)
                return -1;
        seen->row = views->free_row;
        uint64_t *row = view_row_of(views, seen);
        views->free_row = (uint32_t)row[0];
        memset(row, 0, views->words * sizeof *row);
        return 0;
}

void view_row_free(struct views *views, const struct seen *seen)
{
        view_row_of(views, seen)[0] = views->free_row;
        views->free_row = seen->row;
}

/* ---- places ---- */

int view_questions_init(struct views *views)
{
        views->free_row = NO_ROW;
        views->words = FIRST_WORDS;
        views->questions = calloc(FIRST_WORDS * 64, sizeof(*views->questions));
        return views->questions ? 0 : -1;
}

void view_questions_done(struct views *views)
{
        views->asked = questions_free(views->asked);
        free(views->holds);
        free(views->questions);
        free(views->bits);
}

static int more_places(struct views *views)
{
        size_t room = views->words * 64;
        struct view_question **questions = calloc(room * 2 + 1, sizeof(*questions));
        if (!questions || widen_rows(views, views->words * 2) < 0) {
                free(questions);
                return -1;
        }
        memcpy(questions, views->questions, room * sizeof(*questions));
        free(views->questions);
        views->questions = questions;
        return 0;
}

/* All are asked together; that is put together again before the next ticket. */
static void ask_anew(struct views *views)
{
        views->asked = questions_free(views->asked);
        free(views->holds);
        views->holds = NULL;
}

static struct view_question *question_new(struct desk *desk, struct span text, int64_t me)
{
        struct views *views = desk->views;
        uint32_t place = 0;
        while (place < views->place_count && views->questions[place])
                place++;
        if (place == views->words * 64 && more_places(views) < 0)
                return NULL;
        struct view_question *question = calloc(1, sizeof *question);
        if (!question || !(question->text = strndup(text.at ? text.at : "", text.len))) {
                free(question);
                return NULL;
        }
        question->text_len = text.len;
        question->me = me;
        question->place = place;
        question->condition = rules_stored(desk, text, CONDITION_OF_VIEW);
        views->questions[place] = question;
        if (place == views->place_count)
                views->place_count++;
        ask_anew(views);
        return question;
}

struct view_question *view_question_for(struct desk *desk, struct span text, int64_t me)
{
        struct views *views = desk->views;
        for (uint32_t i = 0; i < views->place_count; i++) {
                struct view_question *question = views->questions[i];
                if (question && question->me == me &&
                    span_equal((struct span){question->text, question->text_len}, text))
                        return question;
        }
        return question_new(desk, text, me);
}

void view_question_free(struct views *views, struct view_question *question)
{
        views->questions[question->place] = NULL;
        while (views->place_count > 0 && !views->questions[views->place_count - 1])
                views->place_count--;
        ask_anew(views);
        condition_free(question->condition);
        free(question->text);
        free(question);
}

void view_questions_young(struct views *views, bool is_kept)
{
        for (uint32_t i = 0; i < views->place_count; i++) {
                struct view_question *question = views->questions[i];
                if (!question || !question->is_young)
                        continue;
                question->is_known = is_kept;
                question->is_young = false;
        }
}

/* ---- asking ---- */

static int make_asked(struct views *views)
{
        struct question *all = calloc(views->place_count + 1, sizeof *all);
        views->holds = calloc(views->place_count + 1, sizeof(*views->holds));
        for (uint32_t i = 0; all && i < views->place_count; i++)
                if (views->questions[i])
                        all[i] = (struct question){views->questions[i]->condition, views->questions[i]->me};
        views->asked = all && views->holds ? questions_new(all, views->place_count, &rules_world) : NULL;
        free(all);
        if (views->asked)
                return 0;
        ask_anew(views);
        return -1;
}

int view_ask(struct desk *desk, const struct ticket *ticket, uint64_t *out_row, int64_t *out_turns_ms)
{
        struct views *views = desk->views;
        int64_t turns_ms[QUESTIONS_TICKETS];
        if (!views->asked && make_asked(views) < 0)
                return -1;
        if (questions_ask(views->asked, desk, desk->now_ms, &ticket, 1, views->holds, turns_ms) != 0)
                return -1;
        memset(out_row, 0, views->words * sizeof *out_row);
        for (uint32_t i = 0; i < views->place_count; i++)
                out_row[i / 64] |= views->holds[i] << i % 64;
        *out_turns_ms = turns_ms[0];
        return 0;
}
