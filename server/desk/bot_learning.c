/* SPDX-License-Identifier: Apache-2.0 */
/* bot.learn and bot.settle: questions become examples of a draft, or are put away; and what the numbers keep of a
 * person's words is forgotten with him. Always true: nothing that is learned here speaks before it is published. */
#include "bots/learn.h"
#include "desk/bot_admin.h"
#include "desk/bot_numbers.h"

#include <stdlib.h>

enum { LESSONS_MAX = 100, LANG_BYTES = 36, ANSWER_BYTES = 81 };

/* ---- what both reads and this file need ---- */

int bot_numbers_failed(struct desk *desk, struct db *db, int rc)
{
        if (desk)
                log_error(&desk->log, "the numbers of a bot could not be read", "code", rc, "why", db_message(db));
        return -PROTOCOL_ERR_INTERNAL;
}

int bot_look_up(struct desk *desk, struct db *db, struct principal_id who, struct bot_looked_up *out)
{
        struct db_stmt *stmt = db_stmt(db, SQL_BOT_BY_PRINCIPAL);
        db_bind_int(stmt, 1, (int64_t)who.id);
        int rc = db_step(stmt);
        if (rc == DB_ROW)
                *out = (struct bot_looked_up){.id = db_int(stmt, 0),
                                              .live = db_int(stmt, 10),
                                              .is_built_in = db_int(stmt, 2) == BOT_BUILT_IN};
        db_reset(stmt);
        if (rc < 0)
                return bot_numbers_failed(desk, db, rc);
        return rc == DB_ROW && who.role == ROLE_BOT ? 0 : -PROTOCOL_ERR_NOT_FOUND;
}

int bot_numbers_read(struct desk *desk, struct db *db, struct desk_command *command, struct writer *out,
                     struct fault *fault)
{
        switch (command->method) {
        case PROTOCOL_M_BOT_REPORT:
                return bot_report_read(desk, db, command, out, fault);
        case PROTOCOL_M_BOT_QUESTIONS:
                return bot_questions_read(desk, db, command, out, fault);
        default:
                return -PROTOCOL_ERR_UNKNOWN_METHOD;
        }
}

/* ---- bot.learn, on the way to the desk ---- */

struct lessons {
        struct bot_lesson list[LESSONS_MAX];
        char langs[LESSONS_MAX][LANG_BYTES];
        size_t count;
};

static int read_lessons(struct db *db, struct desk_command *command, int64_t bot, struct lessons *out)
{
        const struct protocol_bot_learn *params = command->params;
        for (size_t i = 0; i < params->questions_count && out->count < LESSONS_MAX; i++) {
                struct db_stmt *stmt = db_stmt(db, SQL_BOT_QUESTION_TEXT);
                db_bind_int(stmt, 1, params->questions[i]);
                db_bind_int(stmt, 2, bot);
                int rc = db_step(stmt);
                struct span text = rc == DB_ROW ? db_text(stmt, 0) : (struct span){0};
                struct span lang = rc == DB_ROW ? db_text(stmt, 1) : (struct span){0};
                char *copy = text.len > 0 ? arena_take(&command->arena, text.len) : NULL;
                if (copy && lang.len < LANG_BYTES) {
                        memcpy(copy, text.at, text.len);
                        memcpy(out->langs[out->count], lang.at ? lang.at : "", lang.len);
                        out->list[out->count] = (struct bot_lesson){{copy, text.len}, out->langs[out->count]};
                        out->count++;
                }
                db_reset(stmt);
                if (rc < 0)
                        return -PROTOCOL_ERR_INTERNAL;
        }
        return out->count > 0 ? 0 : -PROTOCOL_ERR_NOT_FOUND;
}

/* The version to learn on. New reference. */
static int read_base(struct db *db, int64_t bot, int64_t *out_id, json_t **out_bot)
{
        struct db_stmt *stmt = db_stmt(db, SQL_BOT_LEARN_FROM);
        db_bind_int(stmt, 1, bot);
        int rc = db_step(stmt);
        if (rc == DB_ROW) {
                struct span source = db_text(stmt, 1);
                *out_id = db_int(stmt, 0);
                *out_bot = json_loadb(source.at, source.len, 0, NULL);
                rc = *out_bot ? DB_ROW : DB_DAMAGED;
        }
        db_reset(stmt);
        return rc < 0 ? -PROTOCOL_ERR_INTERNAL : rc == DB_ROW;
}

static int build_learned(const struct protocol_bot_learn *params, const json_t *base, int64_t base_id,
                         const struct lessons *lessons, struct bot_draft **out_draft, struct fault *fault)
{
        char answer[ANSWER_BYTES] = "";
        size_t added = 0;
        if (params->answer.len < sizeof answer)
                memcpy(answer, params->answer.at, params->answer.len);
        json_t *learned = bot_learn(base, answer, lessons->list, lessons->count, &added);
        if (!learned)
                return added == 0 ? fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "answer",
                                              "faq NAME or flow NAME, of the newest version")
                                  : -PROTOCOL_ERR_INTERNAL;
        char *source = bot_canonical(learned);
        json_decref(learned);
        int rc = source ? bot_draft_make(span_of(source), out_draft, fault) : -PROTOCOL_ERR_INTERNAL;
        free(source);
        if (rc < 0)
                return rc;
        (*out_draft)->base = base_id;
        (*out_draft)->learned = added;
        return 0;
}

int bot_learn_prepare(struct db *db, struct desk_command *command, struct fault *fault)
{
        const struct protocol_bot_learn *params = command->params;
        struct bot_looked_up bot;
        int64_t base_id = 0;
        json_t *base = NULL;
        int rc = bot_look_up(NULL, db, params->bot, &bot);
        if (rc < 0)
                return rc;
        struct lessons *lessons = calloc(1, sizeof *lessons);
        rc = lessons ? read_lessons(db, command, bot.id, lessons) : -PROTOCOL_ERR_INTERNAL;
        if (rc == 0)
                rc = read_base(db, bot.id, &base_id, &base);
        else if (rc == -PROTOCOL_ERR_NOT_FOUND)
                fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "questions", "ids of bot.questions");
        if (rc == 0)
                rc = fault_set(fault, PROTOCOL_ERR_CONFLICT, "bot", "a version to learn on: push one first");
        else if (rc > 0)
                rc = build_learned(params, base, base_id, lessons, &command->draft, fault);
        json_decref(base);
        free(lessons);
        return rc;
}

/* ---- in the desk ---- */

static int settle(struct desk *desk, int64_t bot, const int64_t *questions, size_t count, int64_t *out_settled)
{
        *out_settled = 0;
        for (size_t i = 0; i < count; i++) {
                struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_QUESTION_SETTLE);
                db_bind_int(stmt, 1, questions[i]);
                db_bind_int(stmt, 2, bot);
                int rc = db_run(stmt);
                if (rc < 0)
                        return desk_db_failed(desk, rc);
                *out_settled += db_changes(desk->db);
        }
        return 0;
}

/* A draft that came while this one was built would lose what it says. */
static int check_base(struct desk *desk, int64_t bot, int64_t base, struct fault *fault)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_LEARN_FROM);
        db_bind_int(stmt, 1, bot);
        int rc = db_step(stmt);
        int64_t newest = rc == DB_ROW ? db_int(stmt, 0) : 0;
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        return newest == base ? 0
                              : fault_set(fault, PROTOCOL_ERR_CONFLICT, "bot",
                                          "no other draft meanwhile: learn again, under a new cmid");
}

int handle_bot_learn(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_bot_learn *params = command->params;
        struct protocol_bot_learn_result result = {0};
        struct bot_row bot;
        int64_t id = 0;
        bool is_new = false;
        int rc = command->draft ? bot_admin_find(desk, params->bot, &bot) : -PROTOCOL_ERR_INTERNAL;
        if (rc == 0)
                rc = check_base(desk, bot.id, command->draft->base, fault);
        if (rc == 0)
                rc = bot_publish_keep(desk, &bot, command->draft, SPAN("learned from questions"), &id, &is_new);
        if (rc == 0)
                rc = settle(desk, bot.id, params->questions, params->questions_count, &result.settled);
        if (rc < 0)
                return rc;
        result.added = (int64_t)command->draft->learned;
        memcpy(result.version, command->draft->hash, sizeof result.version);
        protocol_bot_learn_result_write(out, &result);
        return bot_admin_audit(desk, "bot.learn", params->bot, params->answer);
}

int handle_bot_settle(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_bot_settle *params = command->params;
        struct protocol_bot_settle_result result = {0};
        struct bot_row bot;
        (void)fault;
        int rc = bot_admin_find(desk, params->bot, &bot);
        if (rc == 0)
                rc = settle(desk, bot.id, params->questions, params->questions_count, &result.settled);
        if (rc < 0)
                return rc;
        protocol_bot_settle_result_write(out, &result);
        return bot_admin_audit(desk, "bot.settle", params->bot, (struct span){0});
}

/* ---- what is forgotten ---- */

static int forget(struct desk *desk, enum sql_id id, int64_t conv, int64_t seq)
{
        struct db_stmt *stmt = db_stmt(desk->db, id);
        db_bind_int(stmt, 1, conv);
        if (seq > 0)
                db_bind_int(stmt, 2, seq);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int bot_forget_message(struct desk *desk, int64_t conv, int64_t seq)
{
        return forget(desk, SQL_BOT_EVENT_FORGET_MESSAGE, conv, seq);
}

int bot_forget_conversation(struct desk *desk, int64_t conv)
{
        int rc = forget(desk, SQL_BOT_EVENT_FORGET, conv, 0);
        return rc < 0 ? rc : forget(desk, SQL_BOT_STATE_FORGET, conv, 0);
}
