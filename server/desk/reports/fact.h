/* SPDX-License-Identifier: Apache-2.0 */
/* Fact: what is counted of one ticket. Pure: made from what the store keeps of the ticket, by one function, both when
 * something happens and when everything is made again.
 *
 * The story of a ticket goes up to its last solving: what comes after is counted when it is solved again. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ticket_life.h"

/* Numbers of a ticket; FIGURE_NONE where there is nothing. Their order is in the store. */
enum figure {
        FIGURE_FIRST_MS,
        FIGURE_FIRST_BUSINESS_MS,
        FIGURE_SLA_FIRST, /* 1 in time, 0 missed */
        FIGURE_NEXT_COUNT,
        FIGURE_NEXT_MS,
        FIGURE_NEXT_MISSED,
        FIGURE_RESOLUTION_MS,
        FIGURE_RESOLUTION_BUSINESS_MS,
        FIGURE_SLA_RESOLUTION,
        FIGURE_TOTAL_MS,
        FIGURE_TOTAL_BUSINESS_MS,
        FIGURE_QUEUE_MS,
        FIGURE_HANDLING_MS,
        FIGURE_WAITING_MS,
        FIGURE_HOLD_MS,
        FIGURE_BOT_MS,
        FIGURE_REPLIES,
        FIGURE_ONE_TOUCH,
        FIGURE_REOPENED,
        FIGURE_TRANSFERRED,
        FIGURE_TRANSFERS,
        FIGURE_BOT_SOLVED,
        FIGURES
};
#define FIGURE_NONE INT64_MIN

enum { FACT_WORD_BYTES = 72, FACT_FLOWS = 128 }; /* reopenings and solvings beyond FACT_FLOWS do not count */

struct ticket_fact {
        int64_t ticket; /* row id */
        bool counts;    /* false: nothing below means anything */
        int64_t issued_ms;
        int64_t solved_ms; /* first time; 0 = never */
        int64_t ended_ms;  /* last time; 0 = it is not solved now */
        int64_t app, team, agent, priority;
        bool by_bot; /* people never had it */
        char lang[FACT_WORD_BYTES], topic[FACT_WORD_BYTES], tier[FACT_WORD_BYTES];
        size_t flow_count;
        int64_t flows[FACT_FLOWS]; /* moments; below 0: a solving, above: a reopening */
        int64_t figures[FIGURES];
};

enum history_kind { HISTORY_MADE = 1, HISTORY_STATUS = 2, HISTORY_PLACE = 3 };

/* What the store keeps of a ticket. */
struct fact_story {
        int64_t ticket, app, team, agent, priority, issued_ms, first_reply_ms, solved_ms, last_solved_ms, reopens;
        int64_t transfers, first_seq;
        enum ticket_status status;
        bool has_reason; /* closed with one */
        char lang[FACT_WORD_BYTES], topic[FACT_WORD_BYTES], tier[FACT_WORD_BYTES];
        struct fact_event {
                enum history_kind kind;
                enum ticket_status status;
                int64_t at_ms, seq;
        } * events; /* in order */
        size_t event_count;
        struct fact_message {
                int64_t at_ms;
                bool is_by_customer; /* or by a person of the team */
        } * messages;                /* up to the last solving, in order; bots and the desk are left out */
        size_t message_count;
        struct fact_meter {
                bool is_over, is_missed, has_target; /* is_over: what it waited for has happened */
                bool is_dropped;
                int64_t counted_ms;
        } first, resolution, total; /* of its clock */
        int64_t next_missed;        /* next responses whose target passed before the last solving */
};

/* The whole of it. Any thread. */
void fact_of(const struct fact_story *story, struct ticket_fact *out_fact);
/* The head of the log at the last solving; INT64_MAX: it is not known, 0: it was never solved. */
int64_t fact_last_seq(const struct fact_story *story);
bool fact_same(const struct ticket_fact *a, const struct ticket_fact *b);
