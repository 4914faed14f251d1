/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of offers, read and written whole. */
#include <string.h>

#include "desk/surveys/survey_offer.h"
#include "sql_generated.h"

static void copy(char *out, size_t room, struct span text)
{
        size_t len = text.len < room ? text.len : room - 1;
        if (len > 0)
                memcpy(out, text.at, len);
        out[len] = '\0';
}

static enum offer_reason reason_of(struct span word)
{
        for (int reason = OFFER_YES + 1; word.len > 0 && reason < OFFER_REASONS_COUNT; reason++)
                if (span_equal(word, span_of(offer_reason_word((enum offer_reason)reason))))
                        return (enum offer_reason)reason;
        return OFFER_YES;
}

static void read_row(struct db_stmt *stmt, struct survey_offer *out)
{
        *out = (struct survey_offer){.id = db_int(stmt, 0),
                                     .ext = (uint64_t)db_int(stmt, 1),
                                     .survey = db_int(stmt, 2),
                                     .version = db_int(stmt, 3),
                                     .metric = (int)db_int(stmt, 4),
                                     .top = (int)db_int(stmt, 5),
                                     .cause = (enum survey_cause)db_int(stmt, 6),
                                     .ticket = db_int(stmt, 7),
                                     .solving = db_int(stmt, 8),
                                     .recovery_case = db_int(stmt, 9),
                                     .conv = db_int(stmt, 10),
                                     .customer = db_int(stmt, 11),
                                     .app = db_int(stmt, 12),
                                     .state = (enum offer_state)db_int(stmt, 13),
                                     .reason = reason_of(db_text(stmt, 14)),
                                     .planned_ms = db_int(stmt, 15),
                                     .due_ms = db_int(stmt, 16),
                                     .seq = db_int(stmt, 17),
                                     .offered_ms = db_int(stmt, 18),
                                     .remind_ms = db_int(stmt, 19),
                                     .reminded_ms = db_int(stmt, 20),
                                     .until_ms = db_int(stmt, 21),
                                     .change_ms = db_int(stmt, 22),
                                     .ended_ms = db_int(stmt, 23),
                                     .answered_ms = db_int(stmt, 24),
                                     .changed_ms = db_int(stmt, 25),
                                     .has_score = !db_is_null(stmt, 26),
                                     .score = (int)db_int(stmt, 26),
                                     .wants_contact = db_int(stmt, 27) != 0,
                                     .is_locked = db_int(stmt, 28) != 0,
                                     .way = (enum offer_way)db_int(stmt, 29),
                                     .agent = db_int(stmt, 30),
                                     .team = db_int(stmt, 31),
                                     .by_bot = db_int(stmt, 35) != 0,
                                     .asked_by = db_int(stmt, 36)};
        copy(out->lang, sizeof out->lang, db_text(stmt, 32));
        copy(out->topic, sizeof out->topic, db_text(stmt, 33));
        copy(out->tier, sizeof out->tier, db_text(stmt, 34));
}

static int read_one(struct db_stmt *stmt, struct survey_offer *out)
{
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc;
        read_row(stmt, out);
        db_reset(stmt);
        return DB_ROW;
}

static int read_by(struct db *db, enum sql_id id, int64_t first, int64_t second, struct survey_offer *out)
{
        struct db_stmt *stmt = db_stmt(db, id);
        db_bind_int(stmt, 1, first);
        db_bind_int(stmt, 2, second);
        return read_one(stmt, out);
}

int survey_offer_by_id(struct db *db, int64_t id, struct survey_offer *out)
{
        struct db_stmt *stmt = db_stmt(db, SQL_SURVEY_OFFER_BY_ID);
        db_bind_int(stmt, 1, id);
        return read_one(stmt, out);
}

int survey_offer_by_ext(struct db *db, int64_t workspace, uint64_t ext, struct survey_offer *out)
{
        return read_by(db, SQL_SURVEY_OFFER_BY_EXT, (int64_t)ext, workspace, out);
}

int survey_offer_by_seq(struct db *db, int64_t conv, int64_t seq, struct survey_offer *out)
{
        return read_by(db, SQL_SURVEY_OFFER_BY_SEQ, conv, seq, out);
}

int survey_offer_of_solving(struct db *db, int64_t ticket, int64_t solving, struct survey_offer *out)
{
        return read_by(db, SQL_SURVEY_OFFER_OF_SOLVING, ticket, solving, out);
}

int survey_offer_insert(struct db *db, int64_t workspace, struct survey_offer *offer)
{
        struct db_stmt *stmt = db_stmt(db, SQL_SURVEY_OFFER_INSERT);
        db_bind_int(stmt, 1, workspace);
        db_bind_int(stmt, 2, (int64_t)offer->ext);
        db_bind_int(stmt, 3, offer->survey);
        db_bind_int(stmt, 4, offer->version);
        db_bind_int(stmt, 5, offer->metric);
        db_bind_int(stmt, 6, offer->top);
        db_bind_int(stmt, 7, offer->cause);
        db_bind_int(stmt, 8, offer->ticket);
        db_bind_int(stmt, 9, offer->solving);
        db_bind_int(stmt, 10, offer->recovery_case);
        db_bind_int(stmt, 11, offer->conv);
        db_bind_int(stmt, 12, offer->customer);
        db_bind_int(stmt, 13, offer->app);
        db_bind_int(stmt, 14, offer->state);
        db_bind_int(stmt, 15, offer->planned_ms);
        int rc = db_run(stmt);
        if (rc == DB_OK)
                offer->id = db_last_id(db);
        return rc;
}

static void bind_word(struct db_stmt *stmt, int index, const char *word)
{
        db_bind_text(stmt, index, word[0] ? span_of(word) : (struct span){0});
}

int survey_offer_save(struct db *db, const struct survey_offer *offer)
{
        struct db_stmt *stmt = db_stmt(db, SQL_SURVEY_OFFER_SAVE);
        db_bind_int(stmt, 1, offer->id);
        db_bind_int(stmt, 2, offer->version);
        db_bind_int(stmt, 3, offer->metric);
        db_bind_int(stmt, 4, offer->top);
        db_bind_int(stmt, 5, offer->state);
        bind_word(stmt, 6, offer_reason_word(offer->reason));
        db_bind_int(stmt, 7, offer->due_ms);
        db_bind_int(stmt, 8, offer->seq);
        db_bind_int(stmt, 9, offer->offered_ms);
        db_bind_int(stmt, 10, offer->remind_ms);
        db_bind_int(stmt, 11, offer->reminded_ms);
        db_bind_int(stmt, 12, offer->until_ms);
        db_bind_int(stmt, 13, offer->change_ms);
        db_bind_int(stmt, 14, offer->ended_ms);
        db_bind_int(stmt, 15, offer->answered_ms);
        db_bind_int(stmt, 16, offer->changed_ms);
        if (offer->has_score)
                db_bind_int(stmt, 17, offer->score);
        else
                db_bind_null(stmt, 17);
        db_bind_int(stmt, 18, offer->wants_contact);
        db_bind_int(stmt, 19, offer->is_locked);
        db_bind_int(stmt, 20, offer->way);
        db_bind_int(stmt, 21, offer->agent);
        db_bind_int(stmt, 22, offer->team);
        bind_word(stmt, 23, offer->lang);
        bind_word(stmt, 24, offer->topic);
        bind_word(stmt, 25, offer->tier);
        db_bind_int(stmt, 26, offer->by_bot);
        db_bind_int(stmt, 27, offer->asked_by);
        db_bind_int(stmt, 28, survey_offer_next_ms(offer));
        return db_run(stmt);
}

int64_t survey_offer_next_ms(const struct survey_offer *offer)
{
        if (offer->state == OFFER_PLANNED)
                return offer->due_ms;
        if (offer->state != OFFER_WAITING)
                return 0;
        bool will_remind = offer->remind_ms > 0 && offer->reminded_ms == 0 && offer->remind_ms < offer->until_ms;
        return will_remind ? offer->remind_ms : offer->until_ms;
}

int survey_offers_live(struct db *db, int64_t ticket, int64_t customer, int64_t *out_ids, int room)
{
        struct db_stmt *stmt =
                db_stmt(db, ticket ? SQL_SURVEY_OFFERS_LIVE_OF_TICKET : SQL_SURVEY_OFFERS_LIVE_OF_CUSTOMER);
        int count = 0, rc;
        db_bind_int(stmt, 1, ticket ? ticket : customer);
        db_bind_int(stmt, 2, room);
        while ((rc = db_step(stmt)) == DB_ROW)
                if (count < room)
                        out_ids[count++] = db_int(stmt, 0);
        return rc < 0 ? rc : count;
}
