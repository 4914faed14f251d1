/* SPDX-License-Identifier: Apache-2.0 */
/* Which app has a bot, and who answers a conversation. */
#include "desk/bots.h"

#include <stdio.h>
#include <stdlib.h>

#include "desk/bot_relearn.h"
#include "desk/desk_private.h"
#include "desk/tickets/ticket_rows.h"

/* ---- the table ---- */

static void rows_free(struct bot *rows, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                free(rows[i].url);
                free(rows[i].articles);
        }
        free(rows);
}

static char *keep_text(struct span text)
{
        return text.at ? strndup(text.at, text.len) : NULL;
}

static void read_row(struct db_stmt *stmt, struct bot *out)
{
        struct span secret = db_blob(stmt, 12);
        *out = (struct bot){.id = db_int(stmt, 0),
                            .app = db_int(stmt, 1),
                            .principal = db_int(stmt, 2),
                            .kind = (enum bot_kind)db_int(stmt, 3),
                            .is_on = db_int(stmt, 4) != 0,
                            .is_offline = db_int(stmt, 5) != 0,
                            .live = db_int(stmt, 6),
                            .canary = db_int(stmt, 7),
                            .canary_share = (int)db_int(stmt, 8),
                            .holdout = (int)db_int(stmt, 9),
                            .url = keep_text(db_text(stmt, 10)),
                            .articles = keep_text(db_text(stmt, 11)),
                            .timeout_ms = (uint32_t)db_int(stmt, 13)};
        if (secret.at && secret.len <= sizeof out->secret) {
                memcpy(out->secret, secret.at, secret.len);
                out->secret_len = secret.len;
        }
}

int bots_load(struct desk *desk)
{
        struct bot *rows = NULL;
        size_t count = 0;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOTS_ALL);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct bot *longer = realloc(rows, (count + 1) * sizeof *rows);
                if (!longer) {
                        db_reset(stmt);
                        rows_free(rows, count);
                        return DB_NOMEM;
                }
                rows = longer;
                read_row(stmt, &rows[count++]);
        }
        if (rc < 0) {
                rows_free(rows, count);
                return rc;
        }
        rows_free(desk->bots.rows, desk->bots.count);
        desk->bots.rows = rows;
        desk->bots.count = count;
        desk->bots.are_changed = false;
        return DB_OK;
}

void bots_done(struct desk *desk)
{
        rows_free(desk->bots.rows, desk->bots.count);
        desk->bots.rows = NULL;
        desk->bots.count = 0;
}

void bots_committed(struct desk *desk)
{
        if (!desk->bots.are_changed)
                return;
        int rc = bots_load(desk);
        if (rc < 0) /* tried again after the next commit */
                log_error(&desk->log, "the bots could not be read again; the old ones stay for now", "code", rc);
        else
                bot_relearn_look(desk);
}

const struct bot *bots_of_app(const struct desk *desk, int64_t app)
{
        for (size_t i = 0; i < desk->bots.count; i++) {
                const struct bot *bot = &desk->bots.rows[i];
                if (bot->app == app && bot->is_on && (bot->kind != BOT_BUILT_IN || bot->live != 0))
                        return bot;
        }
        return NULL;
}

const struct bot *bots_find(const struct desk *desk, int64_t id)
{
        for (size_t i = 0; i < desk->bots.count; i++)
                if (desk->bots.rows[i].id == id)
                        return &desk->bots.rows[i];
        return NULL;
}

const struct bot *bots_in_app(const struct desk *desk, int64_t app)
{
        for (size_t i = 0; i < desk->bots.count; i++)
                if (desk->bots.rows[i].app == app)
                        return &desk->bots.rows[i];
        return NULL;
}

/* ---- what happened ---- */

int bots_happened(struct desk *desk, const struct bot *bot, const struct conversation *conversation,
                  const struct bot_event_row *event)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_EVENT_PUT);
        db_bind_int(stmt, 1, bot->id);
        db_bind_int(stmt, 2, conversation->row.id);
        db_bind_int(stmt, 3, event->seq);
        db_bind_int(stmt, 4, desk->now_ms);
        db_bind_int(stmt, 5, event->kind);
        db_bind_int(stmt, 6, event->version);
        db_bind_text(stmt, 7, event->rule.at ? event->rule : SPAN(""));
        db_bind_int(stmt, 8, event->score);
        db_bind_text(stmt, 9, event->lang.at ? event->lang : SPAN(""));
        db_bind_text(stmt, 10, event->question);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        reports_bot_happened(desk, conversation->row.id, bot->id);
        return 0;
}

static int happened(struct desk *desk, const struct bot *bot, const struct conversation *conversation,
                    enum bot_happening kind)
{
        return bots_happened(desk, bot, conversation, &(struct bot_event_row){.kind = kind});
}

/* ---- who answers ---- */

static int own(struct desk *desk, struct conversation *conversation, enum conversation_owner owner, int64_t handed_ms)
{
        conversation->row.owner = owner;
        conversation->row.owner_turn++;
        conversation->row.handed_ms = handed_ms;
        conversation_changed(desk, conversation, false);
        return tickets_owner_changed(desk, conversation);
}

/* The bot knows nothing of what was before; it has to answer what came after `answered`. */
static int begin(struct desk *desk, const struct bot *bot, struct conversation *conversation, int64_t asked,
                 int64_t answered)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_STATE_BEGIN);
        db_bind_int(stmt, 1, conversation->row.id);
        db_bind_int(stmt, 2, bot->id);
        db_bind_int(stmt, 3, asked);
        db_bind_int(stmt, 4, answered);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        return own(desk, conversation, OWNER_BOT, 0);
}

static int end(struct desk *desk, struct conversation *conversation, int64_t handed_ms)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_STATE_END);
        db_bind_int(stmt, 1, conversation->row.id);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        bot_turns_end(desk, conversation);
        return own(desk, conversation, OWNER_PEOPLE, handed_ms);
}

int bots_abandon(struct desk *desk, struct conversation *conversation)
{
        return end(desk, conversation, desk->now_ms);
}

/* Always the same conversations, whatever else is set: a number from 0 to 99. */
static int share_of(const struct conversation *conversation)
{
        return (int)((conversation->row.ext * 0x9e3779b97f4a7c15u >> 33) % 100);
}

/* A conversation that nobody answers yet, or that people had and left: the bot's, or one of those it is not let near.
 */
static int decide(struct desk *desk, const struct bot *bot, struct conversation *conversation, int64_t seq)
{
        if (share_of(conversation) >= bot->holdout) {
                int rc = begin(desk, bot, conversation, seq, seq - 1);
                if (rc == 0)
                        bot_turns_want(desk, conversation);
                return rc;
        }
        int rc = own(desk, conversation, OWNER_PEOPLE, desk->now_ms);
        return rc == 0 ? happened(desk, bot, conversation, BOT_HELD_OUT) : rc;
}

/* Before this message, which is counted already, a person had the last word, and that was long ago. */
static bool have_people_left(const struct conversation *conversation, int64_t silent_ms)
{
        const struct conversation_row *row = &conversation->row;
        return row->owner == OWNER_PEOPLE && row->handed_ms == 0 && row->unanswered == 1 &&
               silent_ms >= BOT_RETURNS_AFTER_MS;
}

/* From before there was a bot: a person had the last word, and not long ago. */
static bool is_with_people(const struct conversation *conversation, const struct entry_row *entry, int64_t silent_ms)
{
        return entry->seq > 1 && conversation->row.unanswered == 1 && silent_ms < BOT_RETURNS_AFTER_MS;
}

int bots_customer_wrote(struct desk *desk, struct conversation *conversation, const struct entry_row *entry,
                        int64_t silent_ms)
{
        const struct bot *bot = desk->bots.count > 0 ? bots_of_app(desk, conversation->row.app) : NULL;
        if (!bot)
                return conversation->row.owner == OWNER_BOT ? bots_abandon(desk, conversation) : 0;
        if (conversation->row.owner == OWNER_OPEN && is_with_people(conversation, entry, silent_ms)) {
                return own(desk, conversation, OWNER_PEOPLE, 0);
        }
        if (conversation->row.owner == OWNER_OPEN || have_people_left(conversation, silent_ms))
                return decide(desk, bot, conversation, entry->seq);
        if (conversation->row.owner != OWNER_BOT)
                return 0;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_STATE_ASK);
        db_bind_int(stmt, 1, conversation->row.id);
        db_bind_int(stmt, 2, entry->seq);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        bot_turns_want(desk, conversation);
        return 0;
}

int bots_person_wrote(struct desk *desk, struct conversation *conversation)
{
        const struct bot *bot = desk->bots.count > 0 ? bots_in_app(desk, conversation->row.app) : NULL;
        if (!bot || (conversation->row.owner == OWNER_PEOPLE && conversation->row.handed_ms == 0))
                return 0;
        int rc = end(desk, conversation, 0);
        return rc == 0 ? happened(desk, bot, conversation, BOT_PERSON) : rc;
}

int bots_may_send(const struct desk *desk, const struct conversation *conversation, int64_t principal)
{
        const struct bot *bot = desk->bots.count > 0 ? bots_in_app(desk, conversation->row.app) : NULL;
        if (!bot || (conversation->row.owner == OWNER_BOT && bot->principal == principal))
                return 0;
        return -PROTOCOL_ERR_NOT_OWNER;
}

/* ---- from the bot to people ---- */

static void say_carried(struct writer *text, const struct protocol_handoff *handoff)
{
        for (size_t i = 0; i < handoff->carry_count; i++) {
                writer_raw(text, i == 0 ? SPAN("\n\n") : SPAN("\n"));
                writer_raw(text, SPAN("**"));
                writer_raw(text, handoff->carry[i].name);
                writer_raw(text, SPAN(":** "));
                writer_raw(text, handoff->carry[i].value);
        }
}

/* In plain English, for those who read it as a note. */
static void say_handoff(struct writer *text, const struct protocol_handoff *handoff)
{
        static const struct {
                const char *why, *words;
        } reasons[] = {
                {"asked", "The customer asked for a person."},
                {"misses", "The bot did not understand."},
                {"not_helped", "The answer did not help."},
                {"flow", "The bot's dialogue leads to a person."},
                {"care", "The customer may need care: words at which no bot should go on alone."},
                {"error", "The bot could not go on."},
                {"failed", "The bot did not answer."},
        };
        struct span words = SPAN("The bot handed over.");
        for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
                if (span_equal(handoff->why, span_of(reasons[i].why)))
                        words = span_of(reasons[i].words);
        writer_raw(text, words);
        if (handoff->has_team) {
                writer_raw(text, SPAN(" For the team "));
                writer_raw(text, handoff->team);
                writer_char(text, '.');
        }
        switch (handoff->has_priority ? handoff->priority : PROTOCOL_HANDOFF_PRIORITY_NORMAL) {
        case PROTOCOL_HANDOFF_PRIORITY_LOW:
                writer_raw(text, SPAN(" Priority: low."));
                break;
        case PROTOCOL_HANDOFF_PRIORITY_HIGH:
                writer_raw(text, SPAN(" Priority: high."));
                break;
        case PROTOCOL_HANDOFF_PRIORITY_URGENT:
                writer_raw(text, SPAN(" Priority: urgent."));
                break;
        default:
                break;
        }
        if (handoff->has_ticket && handoff->ticket)
                writer_raw(text, SPAN(" Nobody was there; the customer was told that the answer comes later."));
        say_carried(text, handoff);
}

static int write_handoff(struct desk *desk, const struct bot *bot, struct conversation *conversation,
                         const struct protocol_handoff *handoff)
{
        struct writer text, body;
        char first[512], first_body[1024];
        writer_init(&text, first, sizeof first);
        writer_init(&body, first_body, sizeof first_body);
        say_handoff(&text, handoff);
        struct protocol_content content = {
                .has_text = true, .text = {text.bytes, text.len}, .has_handoff = true, .handoff = *handoff};
        content_store(&body, &content);
        int rc = text.failed || body.failed ? desk_db_failed(desk, DB_NOMEM) : 0;
        if (rc == 0) {
                struct entry_row entry = {.log = LOG_TEAM,
                                          .author = bot->principal,
                                          .kind = PROTOCOL_ENTRY_HANDOFF,
                                          .body = {body.bytes, body.len}};
                rc = entry_add(desk, conversation, &entry, &content, ROLE_BOT);
        }
        writer_done(&text);
        writer_done(&body);
        return rc < 0 ? rc : 0;
}

int bots_hand_over(struct desk *desk, const struct bot *bot, struct conversation *conversation,
                   const struct protocol_handoff *handoff, enum bot_happening kind, int64_t version)
{
        int rc = write_handoff(desk, bot, conversation, handoff); /* first: rules look at it */
        if (rc == 0)
                rc = end(desk, conversation, desk->now_ms);
        struct bot_event_row event = {.kind = kind, .version = version, .rule = handoff->why, .lang = handoff->lang};
        return rc == 0 ? bots_happened(desk, bot, conversation, &event) : rc;
}

int bots_fail(struct desk *desk, const struct bot *bot, struct conversation *conversation, const char *why)
{
        struct protocol_handoff handoff = {.why = SPAN("failed")};
        struct bot_event_row event = {.kind = BOT_FAILED, .rule = span_of(why)};
        log_warn(&desk->log, "a bot did not answer; the conversation is open to people", "why", why);
        atomic_fetch_add_explicit(&desk->bot_turns_failed, 1, memory_order_relaxed);
        int rc = write_handoff(desk, bot, conversation, &handoff);
        if (rc == 0)
                rc = end(desk, conversation, desk->now_ms);
        return rc == 0 ? bots_happened(desk, bot, conversation, &event) : rc;
}

/* ---- conversation.give ---- */

static int give_to_bot(struct desk *desk, struct conversation *conversation)
{
        const struct bot *bot = bots_of_app(desk, conversation->row.app);
        if (!bot)
                return -PROTOCOL_ERR_CONFLICT;
        if (conversation->row.owner == OWNER_BOT)
                return 0;
        int rc = begin(desk, bot, conversation, conversation->row.head, conversation->row.head);
        return rc == 0 ? happened(desk, bot, conversation, BOT_GIVEN_BACK) : rc;
}

int handle_conversation_give(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_conversation_give *params = command->params;
        struct conversation *conversation = NULL;
        int rc = conversation_for(desk, &command->caller, params->conv, &conversation);
        if (rc < 0)
                return rc;
        rc = params->to == PROTOCOL_CONVERSATION_GIVE_TO_BOT ? give_to_bot(desk, conversation)
                                                             : bots_person_wrote(desk, conversation);
        if (rc == 0 && params->to == PROTOCOL_CONVERSATION_GIVE_TO_PEOPLE && command->caller.role == ROLE_AGENT)
                rc = tickets_taken(desk, conversation, command->caller.principal);
        if (rc < 0)
                return rc;
        struct protocol_conversation_give_result result = {0};
        struct ticket *keep = NULL;
        feed_row_fill(&result.row, &conversation->row, true, desk->directory);
        rc = ticket_feed_fill(desk, conversation->row.id, &keep, &result.row);
        protocol_conversation_give_result_write(out, &result);
        ticket_free(keep);
        return rc;
}
