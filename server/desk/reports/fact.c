/* SPDX-License-Identifier: Apache-2.0 */
/* Fact: see fact.h. */
#include "desk/reports/fact.h"

#include <string.h>

static int64_t at_least_0(int64_t ms)
{
        return ms > 0 ? ms : 0;
}

static bool is_over(enum ticket_status status)
{
        return status == TICKET_SOLVED || status == TICKET_CLOSED;
}

static bool is_with_people(enum ticket_status status)
{
        return status >= TICKET_PENDING && status <= TICKET_SNOOZED && status != TICKET_BOT;
}

/* Spam, merged, and what was closed without ever being solved is no work that anybody did. */
static bool counts(const struct fact_story *story)
{
        bool is_put_away = story->status == TICKET_CLOSED && (story->has_reason || story->solved_ms == 0);
        return story->issued_ms > 0 && !is_put_away;
}

int64_t fact_last_seq(const struct fact_story *story)
{
        int64_t seq = story->solved_ms > 0 ? INT64_MAX : 0;
        for (size_t i = 0; i < story->event_count; i++)
                if (story->events[i].kind == HISTORY_STATUS && story->events[i].status == TICKET_SOLVED)
                        seq = story->events[i].seq;
        return seq;
}

/* ---- its history ---- */

static void add_flow(struct ticket_fact *fact, int64_t moment)
{
        if (fact->flow_count < FACT_FLOWS)
                fact->flows[fact->flow_count++] = moment;
}

struct history {
        int64_t people_ms; /* since when people have it; 0 = never */
        bool began_with_bot;
        int64_t spent_ms[TICKET_STATUSES];
};

static void spend(struct history *history, enum ticket_status status, int64_t from_ms, int64_t to_ms, int64_t end_ms)
{
        to_ms = to_ms < end_ms ? to_ms : end_ms;
        history->spent_ms[status] += at_least_0(to_ms - from_ms);
}

static void walk(const struct fact_story *story, struct ticket_fact *fact, struct history *history)
{
        enum ticket_status status = TICKET_NEW;
        int64_t since_ms = story->issued_ms;
        for (size_t i = 0; i < story->event_count; i++) {
                const struct fact_event *event = &story->events[i];
                if (event->kind != HISTORY_STATUS)
                        continue;
                int64_t at_ms = event->at_ms > story->issued_ms ? event->at_ms : story->issued_ms;
                spend(history, status, since_ms, at_ms, story->last_solved_ms);
                if (status == TICKET_NEW && event->status == TICKET_BOT)
                        history->began_with_bot = true;
                if (is_with_people(event->status) && history->people_ms == 0)
                        history->people_ms = at_ms;
                if (event->status == TICKET_SOLVED)
                        add_flow(fact, -at_ms);
                else if (status == TICKET_SOLVED && event->status != TICKET_CLOSED)
                        add_flow(fact, at_ms);
                status = event->status;
                since_ms = at_ms;
        }
        spend(history, status, since_ms, story->last_solved_ms, story->last_solved_ms);
}

/* ---- what was said ---- */

static void listen(const struct fact_story *story, int64_t figures[FIGURES])
{
        int64_t replies = 0, waits = 0, waited_ms = 0, since_ms = 0;
        for (size_t i = 0; i < story->message_count; i++) {
                const struct fact_message *message = &story->messages[i];
                if (message->is_by_customer) {
                        since_ms = replies > 0 && since_ms == 0 ? message->at_ms : since_ms;
                        continue;
                }
                replies++;
                if (since_ms > 0) {
                        waits++;
                        waited_ms += at_least_0(message->at_ms - since_ms);
                        since_ms = 0;
                }
        }
        figures[FIGURE_REPLIES] = replies;
        if (replies > 0)
                figures[FIGURE_ONE_TOUCH] = replies == 1;
        if (waits > 0) {
                figures[FIGURE_NEXT_COUNT] = waits;
                figures[FIGURE_NEXT_MS] = waited_ms;
        }
}

static int64_t judged(const struct fact_meter *meter)
{
        if (!meter->has_target || (!meter->is_over && !(meter->is_dropped && meter->is_missed)))
                return FIGURE_NONE;
        return !meter->is_missed;
}

/* ---- all of it ---- */

static void measure_answer(const struct fact_story *story, const struct history *history, int64_t figures[FIGURES])
{
        if (story->first_reply_ms > 0) {
                int64_t from_ms = history->people_ms > 0 ? history->people_ms : story->issued_ms;
                figures[FIGURE_FIRST_MS] = at_least_0(story->first_reply_ms - from_ms);
        }
        if (story->first.is_over)
                figures[FIGURE_FIRST_BUSINESS_MS] = story->first.counted_ms;
        figures[FIGURE_SLA_FIRST] = judged(&story->first);
}

static void measure_solving(const struct fact_story *story, const struct history *history, struct ticket_fact *fact)
{
        int64_t *figures = fact->figures;
        figures[FIGURE_RESOLUTION_MS] = at_least_0(story->solved_ms - story->issued_ms);
        figures[FIGURE_TOTAL_MS] = at_least_0(story->last_solved_ms - story->issued_ms);
        if (story->resolution.is_over)
                figures[FIGURE_RESOLUTION_BUSINESS_MS] = story->resolution.counted_ms;
        if (story->resolution.is_over && fact->ended_ms > 0)
                figures[FIGURE_TOTAL_BUSINESS_MS] = story->total.counted_ms;
        figures[FIGURE_SLA_RESOLUTION] = judged(&story->resolution);
        figures[FIGURE_QUEUE_MS] = history->spent_ms[TICKET_PENDING];
        figures[FIGURE_HANDLING_MS] = history->spent_ms[TICKET_OPEN];
        figures[FIGURE_WAITING_MS] = history->spent_ms[TICKET_WAITING];
        figures[FIGURE_HOLD_MS] = history->spent_ms[TICKET_ON_HOLD];
        if (history->began_with_bot)
                figures[FIGURE_BOT_MS] = history->spent_ms[TICKET_BOT];
        figures[FIGURE_NEXT_MISSED] = story->next_missed;
        figures[FIGURE_REOPENED] = story->reopens > 0;
        figures[FIGURE_TRANSFERRED] = story->transfers > 0;
        figures[FIGURE_TRANSFERS] = story->transfers;
        listen(story, figures);
}

void fact_of(const struct fact_story *story, struct ticket_fact *out_fact)
{
        struct history history = {0};
        memset(out_fact, 0, sizeof *out_fact);
        out_fact->ticket = story->ticket;
        out_fact->counts = counts(story);
        if (!out_fact->counts)
                return;
        out_fact->issued_ms = story->issued_ms;
        out_fact->solved_ms = story->solved_ms;
        out_fact->ended_ms = is_over(story->status) ? story->last_solved_ms : 0;
        out_fact->app = story->app;
        out_fact->team = story->team;
        out_fact->agent = story->agent;
        out_fact->priority = story->priority;
        memcpy(out_fact->lang, story->lang, sizeof out_fact->lang);
        memcpy(out_fact->topic, story->topic, sizeof out_fact->topic);
        memcpy(out_fact->tier, story->tier, sizeof out_fact->tier);
        for (int i = 0; i < FIGURES; i++)
                out_fact->figures[i] = FIGURE_NONE;
        walk(story, out_fact, &history);
        out_fact->by_bot = history.began_with_bot && history.people_ms == 0;
        measure_answer(story, &history, out_fact->figures);
        if (history.began_with_bot)
                out_fact->figures[FIGURE_BOT_SOLVED] = out_fact->by_bot && story->solved_ms > 0;
        if (story->solved_ms > 0)
                measure_solving(story, &history, out_fact);
}

static bool same_place(const struct ticket_fact *a, const struct ticket_fact *b)
{
        return a->app == b->app && a->team == b->team && a->agent == b->agent && a->priority == b->priority &&
               a->by_bot == b->by_bot && strcmp(a->lang, b->lang) == 0 && strcmp(a->topic, b->topic) == 0 &&
               strcmp(a->tier, b->tier) == 0;
}

bool fact_same(const struct ticket_fact *a, const struct ticket_fact *b)
{
        bool same = a->ticket == b->ticket && a->counts == b->counts && a->issued_ms == b->issued_ms &&
                    a->solved_ms == b->solved_ms && a->ended_ms == b->ended_ms && same_place(a, b) &&
                    a->flow_count == b->flow_count;
        for (size_t i = 0; same && i < a->flow_count; i++)
                same = a->flows[i] == b->flows[i];
        for (int i = 0; same && i < FIGURES; i++)
                same = a->figures[i] == b->figures[i];
        return same;
}
