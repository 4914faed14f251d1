/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/recovery/case_room.h"

#include <stdio.h>
#include <stdlib.h>

#include "ops/clock.h"

/* ---- answers: within a batch of the desk, in the transaction of a call ---- */

static const struct recovery_answer *pending; /* NULL = none */
static int pending_rc;

int __real_handle_recovery_settings(struct desk *desk, struct desk_command *command, struct writer *out,
                                    struct fault *fault);
int __wrap_handle_recovery_settings(struct desk *desk, struct desk_command *command, struct writer *out,
                                    struct fault *fault);

int __wrap_handle_recovery_settings(struct desk *desk, struct desk_command *command, struct writer *out,
                                    struct fault *fault)
{
        if (pending)
                pending_rc = recovery_answered(desk, pending);
        return pending && pending_rc < 0 ? pending_rc : __real_handle_recovery_settings(desk, command, out, fault);
}

static struct conversation_row row_of(struct room *room, const char *conv)
{
        struct conversation_row row;
        uint64_t ext;
        assert_int_equal(0, id_read(span_of(conv), "cnv", &ext));
        assert_int_equal(DB_ROW, conversations_load(room->view, ext, &row));
        return row;
}

bool case_answer(struct room *room, const char *conv, struct recovery_answer said)
{
        struct conversation_row row = row_of(room, conv);
        said.conv = row.id;
        said.customer = row.customer;
        said.offer_ext = (uint64_t)said.offer;
        pending = &said;
        pending_rc = -1;
        json_t *answer = room_operate(room, "recovery.settings", "{}");
        bool is_taken = answer && json_object_get(answer, "result") && pending_rc == 0;
        pending = NULL;
        json_decref(answer);
        return is_taken;
}

bool case_csat(struct room *room, const char *conv, const struct client *rated, int64_t offer, int score)
{
        const struct recovery_answer said = {.offer = offer,
                                             .metric = PROTOCOL_SURVEY_SHOWN_METRIC_CSAT,
                                             .top = 5,
                                             .has_score = score != NO_SCORE,
                                             .score = score != NO_SCORE ? score : 0,
                                             .agent = rated ? rated->caller.principal : 0};
        return case_answer(room, conv, said);
}

/* ---- finding, asking ---- */

static int64_t newest_in(struct room *room, const char *conv)
{
        char sql[100];
        snprintf(sql, sizeof sql, "SELECT MAX(id) FROM recovery_case WHERE conv = %lld",
                 (long long)row_of(room, conv).id);
        return room_sql(room, sql);
}

struct recovery_case case_in(struct room *room, const char *conv)
{
        struct recovery_case one = {0};
        assert_int_equal(DB_ROW, case_row_load(room->view, newest_in(room, conv), &one));
        return one;
}

int64_t case_count(struct room *room, const char *where)
{
        char sql[400];
        snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM recovery_case WHERE %s", where);
        return room_sql(room, sql);
}

int64_t case_lines(struct room *room, int64_t id, enum case_what what)
{
        char sql[120];
        snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM recovery_log WHERE case_id = %lld AND kind = %d", (long long)id,
                 (int)what);
        return room_sql(room, sql);
}

json_t *case_ask(struct room *room, const struct client *client, const char *conv, const char *method, const char *more)
{
        struct recovery_case one = case_in(room, conv);
        char ext[ID_TEXT_BYTES + 1] = "";
        id_write(ext, "rec", one.ext);
        if (!client)
                return room_operate(room, method, "{\"cmid\":\"%s\",\"recovery\":\"%s\",\"version\":%lld%s}",
                                    room_cmid(room), ext, (long long)one.version, more);
        return room_ask(room, client, method, "{\"cmid\":\"%s\",\"recovery\":\"%s\",\"version\":%lld%s}",
                        room_cmid(room), ext, (long long)one.version, more);
}

void case_do(struct room *room, const struct client *client, const char *conv, const char *method, const char *more)
{
        json_t *answer = case_ask(room, client, conv, method, more);
        if (!json_object_get(answer, "result"))
                fail_msg("%s%s: %s", method, more, json_dumps(answer, 0));
        json_decref(answer);
}

void case_refused(struct room *room, const struct client *client, const char *conv, const char *method,
                  const char *more, const char *tag)
{
        struct recovery_case before = case_in(room, conv);
        take_error(case_ask(room, client, conv, method, more), tag);
        assert_int_equal(before.version, case_in(room, conv).version);
}

void case_settings(struct room *room, const char *settings)
{
        take_result(room_operate(room, "recovery.settings_set", "{\"cmid\":\"%s\",\"settings\":%s}", room_cmid(room),
                                 settings));
}

void case_pass(struct room *room, int64_t ms)
{
        clock_shift_wall(ms);
        room_turn(room);
        room_turn(room);
}

/* ---- what always holds ---- */

static int64_t of_case(struct room *room, const char *format, int64_t id)
{
        char sql[300];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(sql, sizeof sql, format, (long long)id);
#pragma GCC diagnostic pop
        return room_sql(room, sql);
}

static void check_owner(struct room *room, const struct recovery_case *one)
{
        if (one->owner == 0) {
                assert_int_equal(WHAT_UNASSIGNED, of_case(room,
                                                          "SELECT kind FROM recovery_log WHERE case_id = %lld AND kind "
                                                          "IN (5, 6) ORDER BY id DESC LIMIT 1",
                                                          one->id));
                return;
        }
        const struct agent_profile *owner = people_agent(room->desk, one->owner);
        assert_non_null(owner);
        assert_true(people_may(owner, PROTOCOL_MAY_RECOVERY));
        assert_true(case_is_read_by(room->desk, one, owner));
        assert_int_equal(0, case_is_about(room->desk, one, one->owner));
        int64_t told = of_case(room,
                               "SELECT number FROM recovery_log WHERE case_id = %lld AND kind = 5 ORDER BY id DESC "
                               "LIMIT 1",
                               one->id);
        assert_int_equal(one->owner, told);
}

static void check_counts(struct room *room, const struct recovery_case *one)
{
        assert_int_equal(one->contacts, case_lines(room, one->id, WHAT_CONTACT));
        assert_int_equal(one->reopens, case_lines(room, one->id, WHAT_REOPENED));
        assert_int_equal(one->escalations, case_lines(room, one->id, WHAT_ESCALATED));
        assert_int_equal(one->version,
                         of_case(room, "SELECT MAX(version) FROM recovery_log WHERE case_id = %lld", one->id));
        int64_t moved = of_case(
                room, "SELECT coalesce(SUM(number), 0) FROM recovery_log WHERE case_id = %lld AND kind = 17", one->id);
        assert_int_equal(one->triggers,
                         case_lines(room, one->id, WHAT_OPENED) + case_lines(room, one->id, WHAT_REPEATED) + moved);
        assert_int_equal(one->triggers,
                         of_case(room, "SELECT COUNT(*) FROM recovery_trigger WHERE case_id = %lld", one->id));
}

static void check_times(struct room *room, const struct recovery_case *one)
{
        struct recovery_case again = *one;
        case_reckon(room->desk, &again);
        assert_int_equal(case_next_ms(one), one->next_ms);
        assert_true(one->first_ms == 0 || one->contacts > 0);
        assert_int_equal(one->contacted_ms != 0, one->stage == CASE_CONTACTED ||
                                                         (one->stage == CASE_RESOLVED && one->contacted_ms != 0) ||
                                                         (one->stage == CASE_WITHDRAWN && one->contacted_ms != 0));
        if (!case_is_open(one))
                return;
        assert_int_equal(again.contact_due_ms, one->contact_due_ms);
        assert_int_equal(again.fix_due_ms, one->fix_due_ms);
}

static int64_t check_all(struct room *room)
{
        int64_t above = 0, next_ms = INT64_MAX;
        for (;;) {
                struct recovery_case one;
                int64_t id = of_case(room, "SELECT MIN(id) FROM recovery_case WHERE id > %lld", above);
                if (id <= 0 || case_row_load(room->view, id, &one) != DB_ROW)
                        return next_ms;
                above = id;
                if (case_is_open(&one))
                        check_owner(room, &one);
                check_counts(room, &one);
                check_times(room, &one);
                if (one.next_ms > 0 && one.next_ms < next_ms)
                        next_ms = one.next_ms;
        }
}

void cases_check(struct room *room)
{
        const struct recovery *recovery = room->desk->recovery;
        int64_t next_ms = check_all(room);
        assert_int_equal(0, room_sql(room, "SELECT COUNT(*) FROM (SELECT customer FROM recovery_case WHERE stage IN "
                                           "(1, 2, 4) GROUP BY customer HAVING COUNT(*) > 1)"));
        assert_int_equal(recovery->open_count, case_count(room, "stage IN (1, 2, 4)"));
        assert_int_equal(recovery->ownerless_count, case_count(room, "stage IN (1, 2, 4) AND owner = 0"));
        assert_true(recovery->next_ms <= next_ms);
        assert_false(recovery->is_moved);
        assert_int_equal(0, room_sql(room, "SELECT COUNT(*) FROM recovery_case r JOIN conversation c ON c.id = r.conv "
                                           "WHERE c.customer <> r.customer"));
}
