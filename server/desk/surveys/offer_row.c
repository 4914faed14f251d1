/* SPDX-License-Identifier: Apache-2.0 */
/* An offer as the wire says it, from a row of a page. Any thread that has its own connection
 * and directory. */
#include "desk/directory.h"
#include "desk/surveys/survey_offer.h"
#include "protocol/reader.h"
#include "protocol/writer.h"

static int keep(struct arena *arena, struct span from, bool *has, struct span *out)
{
        *has = false;
        if (!from.at || from.len == 0)
                return 0;
        char *copy = arena_take(arena, from.len);
        if (!copy)
                return -1;
        memcpy(copy, from.at, from.len);
        *has = true;
        *out = (struct span){copy, from.len};
        return 0;
}

/* Stored as an array; read as the member of an answer. */
static int take_answers(struct span json, struct arena *arena, struct protocol_survey_offer_row *out)
{
        static const struct span head = SPAN("{\"seq\":1,\"answers\":");
        if (!json.at)
                return 0;
        struct protocol_rated rated = {0};
        struct reader reader;
        struct fault ignored = {0};
        size_t len = head.len + json.len + 1;
        char *text = arena_take(arena, len);
        if (!text)
                return -1;
        memcpy(text, head.at, head.len);
        memcpy(text + head.len, json.at, json.len);
        text[len - 1] = '}';
        reader_init(&reader, text, len, READER_TOLERANT, arena, &ignored);
        if (protocol_rated_read(&reader, &rated) < 0)
                return 0;
        out->has_answers = rated.has_answers;
        out->answers = rated.answers;
        out->answers_count = rated.answers_count;
        return 0;
}

#define SAY_IF(member, value)                                                                                          \
        do {                                                                                                           \
                out->member = (value);                                                                                 \
                out->has_##member = out->member != 0;                                                                  \
        } while (0)

static void fill_times(struct db_stmt *stmt, struct protocol_survey_offer_row *out)
{
        out->planned = db_int(stmt, 15);
        SAY_IF(due, db_int(stmt, 16));
        SAY_IF(seq, db_int(stmt, 17));
        SAY_IF(offered, db_int(stmt, 18));
        SAY_IF(reminded, db_int(stmt, 20));
        SAY_IF(until, db_int(stmt, 21));
        SAY_IF(ended, db_int(stmt, 23));
        SAY_IF(answered, db_int(stmt, 24));
        SAY_IF(changed, db_int(stmt, 25));
}

static void fill_answer(struct db_stmt *stmt, struct protocol_survey_offer_row *out)
{
        out->has_score = !db_is_null(stmt, 26);
        out->score = db_int(stmt, 26);
        SAY_IF(wants_contact, db_int(stmt, 27) != 0);
        SAY_IF(locked, db_int(stmt, 28) != 0);
        out->has_way = db_int(stmt, 29) != 0;
        out->way = (enum protocol_survey_offer_row_way)db_int(stmt, 29);
}

static void fill_people(struct db_stmt *stmt, struct directory *directory, struct protocol_survey_offer_row *out)
{
        out->has_customer = true;
        out->customer = directory_author(directory, db_int(stmt, 11));
        SAY_IF(app, directory_app(directory, db_int(stmt, 12)));
        out->has_agent = db_int(stmt, 30) != 0;
        out->agent = directory_author(directory, db_int(stmt, 30));
        SAY_IF(team, (uint64_t)db_int(stmt, 46));
        SAY_IF(by_bot, db_int(stmt, 35) != 0);
        out->has_asked_by = db_int(stmt, 36) != 0;
        out->asked_by = directory_author(directory, db_int(stmt, 36));
}

int survey_offer_row_fill(struct db_stmt *stmt, struct directory *directory, struct arena *arena,
                          struct protocol_survey_offer_row *out_row)
{
        struct protocol_survey_offer_row *out = out_row;
        *out = (struct protocol_survey_offer_row){.offer = (uint64_t)db_int(stmt, 1),
                                                  .metric = (enum protocol_survey_offer_row_metric)db_int(stmt, 4),
                                                  .top = db_int(stmt, 5),
                                                  .cause = (enum protocol_survey_offer_row_cause)db_int(stmt, 6),
                                                  .state = (enum protocol_survey_offer_row_state)db_int(stmt, 13),
                                                  .survey = (uint64_t)db_int(stmt, 40),
                                                  .version = db_int(stmt, 42),
                                                  .conv = (uint64_t)db_int(stmt, 43)};
        SAY_IF(ticket, (uint64_t)db_int(stmt, 44));
        SAY_IF(number, db_int(stmt, 45));
        if (out->has_ticket) {
                out->has_solving = true;
                out->solving = db_int(stmt, 8);
        }
        fill_times(stmt, out);
        fill_answer(stmt, out);
        fill_people(stmt, directory, out);
        if (keep(arena, db_text(stmt, 14), &out->has_reason, &out->reason) < 0 ||
            keep(arena, db_text(stmt, 32), &out->has_lang, &out->lang) < 0 ||
            keep(arena, db_text(stmt, 33), &out->has_topic, &out->topic) < 0 ||
            keep(arena, db_text(stmt, 34), &out->has_tier, &out->tier) < 0 ||
            keep(arena, db_text(stmt, 37), &out->has_comment, &out->comment) < 0 ||
            keep(arena, db_text(stmt, 41), &out->has_survey_name, &out->survey_name) < 0)
                return -1;
        return take_answers(db_text(stmt, 38), arena, out);
}
