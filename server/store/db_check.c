/* SPDX-License-Identifier: Apache-2.0 */
/* The store's check of itself: the engine's, then what our own rules demand of the rows (delivery I5, I13, I21, I25).
 * Findings hold numbers only, never content. */
#include <stdio.h>

#include "store/db_private.h"

struct rule {
        enum sql_id id;
        bool deep;          /* reads the whole log */
        const char *format; /* for the three numbers of a row */
};

static const struct rule rules[] = {
        {SQL_CHECK_HEAD, false, "conversation %lld: head is %lld, its last entry has %lld"},
        {SQL_CHECK_TEAM_HEAD, false, "conversation %lld: ihead is %lld, its last team entry has %lld"},
        {SQL_CHECK_DENSITY, true, "conversation %lld: should hold %lld entries, holds %lld"},
        {SQL_CHECK_TEAM_DENSITY, true, "conversation %lld: should hold %lld team entries, holds %lld"},
        {SQL_CHECK_MARKS, false, "conversation %lld: marks do not fit its head %lld (customer received %lld)"},
        {SQL_CHECK_ENTRY_ORPHANS, true, "conversation %lld does not exist and has %lld entries, the first %lld"},
        {SQL_CHECK_SCOPE_ORPHANS, false, "conversation %lld does not exist and is in scope %lld at rev %lld"},
        {SQL_CHECK_CMID, true, "conversation %lld: author %lld has one client message id %lld times"},
        {SQL_CHECK_OUTBOUND, true, "conversation %lld: message %lld has no row for webhook %lld"},
        {SQL_CHECK_BOT_VERSION, false, "bot %lld: what it speaks with (%lld, or on trial %lld) is not a version of it"},
        {SQL_CHECK_BOT_STATE, false, "conversation %lld: its bot was asked %lld and answered %lld"},
        {SQL_CHECK_BOT_QUESTION, true,
         "conversation %lld: message %lld is erased, and bot event %lld holds what it asked"},
        {SQL_CHECK_TICKETS, false, "conversation %lld has %lld tickets that are not closed, the first #%lld"},
        {SQL_CHECK_RECOVERY, false, "customer (row %lld) has %lld open recovery cases, the first %lld"},
        {SQL_CHECK_RECOVERY_OWNER, true,
         "recovery case %lld: conversation %lld is another customer's, or agent %lld owns a case about himself"},
        {SQL_CHECK_RECOVERY_LOG, true, "recovery case %lld: its log does not count to %lld contacts, %lld reasons"},
        {SQL_CHECK_TICKET_ORPHANS, true,
         "ticket #%lld: its conversation %lld does not exist or is another customer's (row %lld)"},
        {SQL_CHECK_SURVEYS, false, "survey offer %lld: conversation %lld has no such message at %lld"},
        {SQL_CHECK_SURVEY_ANSWERS, false, "survey offer %lld (ticket %lld, solving %lld): its answer does not fit it"},
        {SQL_CHECK_TIME, true, "conversation %lld: in log %lld time goes backwards at %lld"},
};

static int check_rule(struct db *db, const struct rule *rule, void (*say)(void *data, const char *finding), void *data,
                      int *count)
{
        struct db_stmt *stmt = db_stmt(db, rule->id);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                char text[200];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
                snprintf(text, sizeof text, rule->format, (long long)db_int(stmt, 0), (long long)db_int(stmt, 1),
                         (long long)db_int(stmt, 2));
#pragma GCC diagnostic pop
                ++*count;
                say(data, text);
        }
        return rc;
}

int db_quick_check(struct db *db, void (*say)(void *data, const char *finding), void *data)
{
        int count = 0;
        int rc = db->driver->check(db, false, say, data, &count);
        return rc < 0 ? rc : count;
}

int db_check(struct db *db, bool deep, void (*say)(void *data, const char *finding), void *data)
{
        int count = 0;
        int rc = db->driver->check(db, deep, say, data, &count);
        if (rc < 0 || count > 0)
                return rc < 0 ? rc : count; /* rows of a damaged file prove nothing */
        for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
                if (rules[i].deep && !deep)
                        continue;
                rc = check_rule(db, &rules[i], say, data, &count);
                if (rc < 0)
                        return rc;
        }
        return count;
}
