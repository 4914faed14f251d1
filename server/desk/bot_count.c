/* SPDX-License-Identifier: Apache-2.0 */
/* Counting for bot.report: the rows of one conversation become episodes (bot_outcomes.h), and those that are asked for
 * are added to the result. Always true: what is counted for an answer or a day belongs to an episode that is counted.
 */
#include <stdio.h>
#include <stdlib.h>

#include "desk/bot_numbers.h"
#include "desk/bot_report_private.h"

enum { LOOK_AFTER = 8 }; /* entries behind a question, for the tap on what was offered */

/* ---- one conversation's rows ---- */

/* Room for one more; what is new is zero. */
bool report_make_room(struct report *report, void **list, size_t *room, size_t count, size_t size)
{
        if (count < *room)
                return true;
        size_t more = *room ? 2 * *room : 64;
        while (more <= count)
                more *= 2;
        char *longer = realloc(*list, more * size);
        if (!longer) {
                report->is_short = true;
                return false;
        }
        memset(longer + *room * size, 0, (more - *room) * size);
        *list = longer;
        *room = more;
        return true;
}

/* Between the message that the row is about and the one before it; the gap between the rows when there is none. */
static int find_silence(struct db *db, int64_t conv, int64_t seq, int64_t *silent_ms)
{
        struct db_stmt *stmt = db_stmt(db, SQL_BOT_REPORT_SILENCE);
        db_bind_int(stmt, 1, conv);
        db_bind_int(stmt, 2, seq);
        int rc = db_step(stmt);
        if (rc == DB_ROW && !db_is_null(stmt, 0) && db_int(stmt, 0) < *silent_ms)
                *silent_ms = db_int(stmt, 0);
        db_reset(stmt);
        return rc;
}

static uint32_t number_of(struct report *report, struct span text)
{
        int64_t number = bot_names_number(&report->names, text, NULL);
        report->is_short = report->is_short || number < 0;
        if (number > 0)
                report_make_room(report, (void **)&report->answers, &report->answer_room, (size_t)number,
                                 sizeof *report->answers);
        return number < 0 ? 0 : (uint32_t)number;
}

void report_add_row(struct report *report, struct db_stmt *stmt)
{
        size_t before = report->room;
        if (!report_make_room(report, (void **)&report->rows, &report->room, report->count, sizeof *report->rows))
                return;
        if (report->room != before) {
                struct bot_episode *episodes = realloc(report->episodes, report->room * sizeof *episodes);
                if (!episodes) {
                        report->is_short = true;
                        return;
                }
                report->episodes = episodes;
        }
        report->rows[report->count++] = (struct bot_happened){.at_ms = db_int(stmt, 1),
                                                              .seq = db_int(stmt, 2),
                                                              .kind = (enum bot_happening)db_int(stmt, 3),
                                                              .version = db_int(stmt, 4),
                                                              .rule = number_of(report, db_text(stmt, 5)),
                                                              .lang = number_of(report, db_text(stmt, 6))};
}

/* The log is asked only where the rows alone would begin an episode. */
int bot_find_silences(struct db *db, int64_t conv, struct bot_happened *rows, size_t count)
{
        int rc = DB_OK;
        for (size_t i = 1; i < count && rc >= 0; i++) {
                struct bot_happened *row = &rows[i];
                row->silent_ms = row->at_ms - rows[i - 1].at_ms;
                bool may_begin = row->silent_ms >= BOT_EPISODE_SILENT_MS && bot_happening_is_turn(row->kind);
                if (may_begin && row->seq > 0)
                        rc = find_silence(db, conv, row->seq, &row->silent_ms);
        }
        return rc < 0 ? rc : DB_OK;
}

/* ---- counting ---- */

static void count_day(struct report *report, const struct bot_happened *row, bool is_miss)
{
        char key[80];
        int64_t day = row->at_ms / BOT_DAY_MS;
        int len = snprintf(key, sizeof key, "%lld %s", (long long)day, report->names.texts[row->lang]);
        bool is_new;
        int64_t number = bot_names_number(&report->day_names, (struct span){key, (size_t)len}, &is_new);
        report->is_short = report->is_short || number < 0;
        if (number <= 0 ||
            !report_make_room(report, (void **)&report->days, &report->day_room, (size_t)number, sizeof *report->days))
                return;
        if (is_new)
                report->days[number] = (struct report_day){.number = day, .lang = row->lang};
        report->days[number].questions++;
        report->days[number].missed += is_miss;
}

/* The number of the choice in the message, from 1; 4 for what is no answer, or comes later; 0: cannot be told. */
static int position_of(const struct protocol_content *choices, struct span id)
{
        for (size_t i = 0; i < choices->choices_count; i++) {
                bool is_word =
                        span_equal(id, SPAN("none")) || span_equal(id, SPAN("person")) || span_equal(id, SPAN("keep"));
                if (span_equal(choices->choices[i].id, id))
                        return is_word || i > 2 ? 4 : (int)i + 1;
        }
        return 0;
}

static bool read_content(struct arena *arena, struct span body, struct protocol_content *out)
{
        char *copy = body.at ? arena_take(arena, body.len) : NULL;
        if (!copy)
                return false;
        struct reader reader;
        struct fault ignored = {0};
        memcpy(copy, body.at, body.len);
        memset(out, 0, sizeof *out);
        reader_init(&reader, copy, body.len, READER_TOLERANT, arena, &ignored);
        return protocol_content_read(&reader, out) == 0;
}

/* The tap that belongs to choices offered for the question `seq`: soon behind it in the log, or never. */
static int find_tap(struct report *report, int64_t seq)
{
        struct protocol_content content, offered = {0};
        struct arena arena;
        int64_t offered_at = 0;
        int position = 0;
        arena_init(&arena, NULL, 0);
        struct db_stmt *stmt = db_stmt(report->db, SQL_BOT_REPORT_AFTER);
        db_bind_int(stmt, 1, report->conv);
        db_bind_int(stmt, 2, seq);
        db_bind_int(stmt, 3, LOOK_AFTER);
        while (position == 0 && db_step(stmt) == DB_ROW) {
                int kind = (int)db_int(stmt, 1);
                if ((kind != PROTOCOL_ENTRY_CHOICES && kind != PROTOCOL_ENTRY_TEXT) ||
                    !read_content(&arena, db_text(stmt, 2), &content))
                        continue;
                if (kind == PROTOCOL_ENTRY_CHOICES && offered_at == 0) {
                        offered = content;
                        offered_at = db_int(stmt, 0);
                } else if (offered_at != 0 && content.has_pressed && content.pressed.seq == offered_at) {
                        position = position_of(&offered, content.pressed.id);
                }
        }
        db_reset(stmt);
        arena_done(&arena);
        return position;
}

static void count_offer(struct report *report, const struct bot_happened *row)
{
        struct protocol_bot_choices *choices = &report->result.choices;
        int64_t *const places[] = {NULL, &choices->first, &choices->second, &choices->third, &choices->other};
        int position = row->seq > 0 ? find_tap(report, row->seq) : 0;
        choices->offered++;
        if (position > 0)
                ++*places[position];
}

static void count_question(struct report *report, const struct bot_happened *row)
{
        struct protocol_bot_coverage *coverage = &report->result.coverage;
        if (row->kind != BOT_ANSWERED && row->kind != BOT_OFFERED && row->kind != BOT_MISSED)
                return;
        coverage->answered += row->kind == BOT_ANSWERED;
        coverage->choices += row->kind == BOT_OFFERED;
        coverage->missed += row->kind == BOT_MISSED;
        if (row->kind == BOT_OFFERED)
                count_offer(report, row);
        count_day(report, row, row->kind == BOT_MISSED);
}

/* What each answer did: shown, and what the customer said of it; who was last before a person was needed. */
static void count_answers(struct report *report, const struct bot_episode *episode)
{
        uint32_t last = 0, in_flow = 0;
        bool is_needed = false;
        for (size_t i = episode->first; i <= episode->last; i++) {
                const struct bot_happened *row = &report->rows[i];
                bool is_flow = (row->kind == BOT_IN_FLOW || row->kind == BOT_CLOSED) && row->rule != 0;
                if (row->kind == BOT_ANSWERED || (is_flow && row->rule != in_flow)) {
                        report->answers[row->rule].shown++;
                        last = row->rule;
                }
                if (is_flow)
                        in_flow = row->rule;
                else if (bot_happening_is_turn(row->kind) && row->kind != BOT_CLOSED)
                        in_flow = 0;
                uint32_t of = row->rule != 0 ? row->rule : last;
                report->answers[of].helped += row->kind == BOT_HELPED;
                report->answers[of].not_helped += row->kind == BOT_NOT_HELPED;
                report->result.helped += row->kind == BOT_HELPED;
                report->result.not_helped += row->kind == BOT_NOT_HELPED;
                if (bot_happening_is_people(row->kind) && !is_needed) {
                        report->answers[last].handed_off++;
                        is_needed = true;
                }
        }
}

/* From a hand-off to the first word of a person, wherever that is, but not behind another hand-off. */
static void count_wait(struct report *report, size_t at)
{
        report->result.waits.handed++;
        for (size_t i = at + 1; i < report->count && !bot_happening_is_handoff(report->rows[i].kind); i++) {
                if (report->rows[i].kind != BOT_PERSON)
                        continue;
                if (report_make_room(report, (void **)&report->waits, &report->wait_room, report->wait_count,
                                     sizeof *report->waits))
                        report->waits[report->wait_count++] = report->rows[i].at_ms - report->rows[at].at_ms;
                report->result.waits.reached++;
                return;
        }
}

/* The language and the version of its first row that has one. */
static bool is_wanted(const struct report *report, const struct bot_episode *episode)
{
        int64_t version = 0, start = report->rows[episode->first].at_ms;
        uint32_t lang = 0;
        for (size_t i = episode->last + 1; i-- > episode->first;) {
                version = report->rows[i].version ? report->rows[i].version : version;
                lang = report->rows[i].lang ? report->rows[i].lang : lang;
        }
        return start >= report->from && start < report->to && (report->version == 0 || version == report->version) &&
               (report->lang.len == 0 || span_equal(report->lang, span_of(report->names.texts[lang])));
}

static void count_episode(struct report *report, const struct bot_episode *episode)
{
        struct protocol_bot_outcomes *outcomes = &report->result.outcomes;
        int64_t *const places[BOT_OUTCOMES] = {
                [BOT_CONFIRMED] = &outcomes->confirmed, [BOT_ASSUMED] = &outcomes->assumed,
                [BOT_RETURNED] = &outcomes->returned,   [BOT_HANDED_OFF] = &outcomes->handed_off,
                [BOT_LEFT] = &outcomes->left,           [BOT_OPEN] = &outcomes->open,
        };
        ++*places[episode->outcome];
        outcomes->episodes++;
        for (size_t i = episode->first; i <= episode->last; i++) {
                count_question(report, &report->rows[i]);
                if (bot_happening_is_handoff(report->rows[i].kind))
                        count_wait(report, i);
        }
        count_answers(report, episode);
}

/* A conversation that met the bot, or was held out, at least 72 h ago: whether a person spoke within those. */
static void count_holdout(struct report *report)
{
        struct protocol_bot_holdout *holdout = &report->result.holdout;
        size_t i = 0;
        while (i < report->count &&
               (report->rows[i].at_ms < report->from ||
                (report->rows[i].kind != BOT_HELD_OUT && !bot_happening_is_turn(report->rows[i].kind))))
                i++;
        if (i == report->count || report->rows[i].at_ms >= report->to ||
            report->now - report->rows[i].at_ms < BOT_DECIDED_AFTER_MS)
                return;
        bool is_held_out = report->rows[i].kind == BOT_HELD_OUT, has_person = false;
        int64_t until = report->rows[i].at_ms + BOT_DECIDED_AFTER_MS;
        for (; i < report->count && report->rows[i].at_ms < until; i++)
                has_person = has_person || report->rows[i].kind == BOT_PERSON;
        ++*(is_held_out ? &holdout->held_out : &holdout->bot);
        *(is_held_out ? &holdout->held_out_people : &holdout->bot_people) += has_person;
}

void report_end_conversation(struct report *report)
{
        bool is_counted = false;
        if (report->count == 0)
                return;
        int rc = bot_find_silences(report->db, report->conv, report->rows, report->count);
        report->failure = rc < 0 ? rc : report->failure;
        size_t made = bot_episodes(report->rows, report->count, report->now, report->episodes);
        for (size_t i = 0; i < made; i++) {
                if (!is_wanted(report, &report->episodes[i]))
                        continue;
                count_episode(report, &report->episodes[i]);
                is_counted = true;
        }
        report->result.outcomes.conversations += is_counted;
        count_holdout(report);
        report->count = 0;
}
