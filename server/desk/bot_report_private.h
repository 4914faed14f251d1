/* SPDX-License-Identifier: Apache-2.0 */
/* What the two files of bot.report share: bot_report.c reads rows and tells what was counted, bot_count.c counts. */
#pragma once

#include "desk/bot_names.h"
#include "desk/bot_outcomes.h"
#include "desk/desk_private.h"

#define BOT_DAY_MS ((int64_t)24 * 3600 * 1000)

/* A day in one language. */
struct report_day {
        int64_t number; /* days since 1970 */
        uint32_t lang;
        int64_t questions, missed;
};

struct report_answer {
        int64_t shown, helped, not_helped, handed_off;
};

struct report {
        struct desk *desk;
        struct db *db;
        int64_t bot, from, to, now;
        int64_t version;  /* row id; 0 = any */
        struct span lang; /* "" = any */
        struct bot_names names, day_names;
        struct report_day *days;       /* by number in day_names */
        struct report_answer *answers; /* by number in names */
        size_t day_room, answer_room;
        struct bot_happened *rows; /* of one conversation */
        struct bot_episode *episodes;
        size_t count, room;
        int64_t conv;
        int64_t *waits;
        size_t wait_count, wait_room;
        bool is_short; /* of memory */
        int failure;   /* a db_error; 0 = none */
        struct protocol_bot_report_result result;
};

/* Room for one more in a list that begins as NULL; what is new is zero. False: out of memory, and report->is_short. */
bool report_make_room(struct report *report, void **list, size_t *room, size_t count, size_t size);

/* Rows come conversation by conversation, in order; the end of each has to be said. */
void report_add_row(struct report *report, struct db_stmt *stmt);
void report_end_conversation(struct report *report);
