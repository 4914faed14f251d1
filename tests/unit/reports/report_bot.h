/* SPDX-License-Identifier: Apache-2.0 */
/* A bot whose happenings the test writes down, as the desk does in a batch, and its numbers as bot.report has them
 * beside those of report.query. */
#pragma once

#include "unit/tickets/ticket_room.h"

/* An app's bot that is on, or only known. Its outside id. */
void report_bot_add(struct room *room, bool is_on, char out_bot[32]);
/* SQL on the disk, past the desk. */
void report_disk(struct room *room, const char *sql);
/* Of the newest bot in that conversation, now. False: the store failed, and nothing is written. */
bool report_bot_does(struct room *room, const char *conv, enum bot_happening kind, int64_t seq, const char *rule,
                     const char *lang);
/* The outcomes of the last 390 days, before which there is nothing, are the same by both. How many episodes there are.
 */
json_int_t report_bot_agrees(struct room *room, const char *bot);
/* The numbers that are made again are whole: waits for that, and report.check finds nothing. */
void report_settle(struct room *room);
