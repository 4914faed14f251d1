/* SPDX-License-Identifier: Apache-2.0 */
/* A bot's turn: checked first, then written whole: what it says, what it gives to people, its state, the next question.
 * A turn that is over, or of a conversation that is a person's by now, is refused and leaves nothing behind. */
#include <ctype.h>
#include <openssl/sha.h>
#include <stdio.h>

#include "desk/bot_relearn.h"
#include "desk/desk_private.h"

/* ---- checking ---- */

static int check_message(const struct protocol_bot_action *action, struct fault *fault)
{
        static const char kinds[] = "text, choices, card, form or article";
        if (!action->has_kind || !action->has_content)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "actions.content", "a message has kind and content");
        if (action->kind != PROTOCOL_ENTRY_TEXT && action->kind != PROTOCOL_ENTRY_CHOICES &&
            action->kind != PROTOCOL_ENTRY_CARD && action->kind != PROTOCOL_ENTRY_FORM &&
            action->kind != PROTOCOL_ENTRY_ARTICLE)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "actions.kind", kinds);
        if (action->content.has_bot || action->content.has_pressed || action->content.has_filled)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "actions.content", "only what a bot may say");
        return protocol_content_check(action->kind, false, ROLE_BOT, &action->content, fault);
}

static bool ends_turn(const struct protocol_bot_action *action)
{
        return action->does == PROTOCOL_BOT_ACTION_DOES_HANDOFF || action->does == PROTOCOL_BOT_ACTION_DOES_CLOSE ||
               action->does == PROTOCOL_BOT_ACTION_DOES_CALL;
}

static int check_action(const struct protocol_bot_action *action, bool is_built_in, struct fault *fault)
{
        switch (action->does) {
        case PROTOCOL_BOT_ACTION_DOES_MESSAGE:
                return check_message(action, fault);
        case PROTOCOL_BOT_ACTION_DOES_HANDOFF:
                return action->has_handoff
                               ? 0
                               : fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "actions.handoff", "to whom and why");
        case PROTOCOL_BOT_ACTION_DOES_TAG:
                return action->has_name ? 0 : fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "actions.name", "the tag");
        case PROTOCOL_BOT_ACTION_DOES_CALL:
                return is_built_in && action->has_name && action->has_id
                               ? 0
                               : fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "actions.does",
                                           "a call has name and id, and only built-in bots make one");
        default:
                return 0;
        }
}

int bot_act_check(const struct protocol_bot_act *act, bool is_built_in, struct fault *fault)
{
        for (size_t i = 0; i < act->actions_count; i++) {
                int rc = check_action(&act->actions[i], is_built_in, fault);
                if (rc < 0)
                        return rc;
                if (ends_turn(&act->actions[i]) && i + 1 < act->actions_count)
                        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "actions",
                                         "nothing behind a handoff, a close or a call");
        }
        return 0;
}

/* ---- what the bot says ---- */

/* design.md 6 of the bot: the first 16 bytes of SHA-256 over event and number, so that a retry cannot speak twice. */
static struct cmid cmid_of(uint64_t conv, int64_t turn, size_t number)
{
        struct cmid cmid;
        char text[96];
        uint8_t digest[SHA256_DIGEST_LENGTH];
        int len = snprintf(text, sizeof text, "%llx:%lld:%zu", (unsigned long long)conv, (long long)turn, number);
        SHA256((const uint8_t *)text, (size_t)len, digest);
        memcpy(cmid.bytes, digest, sizeof cmid.bytes);
        return cmid;
}

static int say(struct desk *desk, const struct bot *bot, struct conversation *conversation,
               const struct protocol_bot_action *action, const char *version, struct cmid cmid)
{
        struct protocol_content content = action->content;
        struct writer body;
        char first[2048];
        content.has_bot = true;
        content.bot = (struct protocol_bot_note){.has_version = version[0] != 0,
                                                 .version = span_of(version),
                                                 .has_rule = action->has_rule,
                                                 .rule = action->rule,
                                                 .has_score = action->has_score,
                                                 .score = action->score};
        writer_init(&body, first, sizeof first);
        content_store(&body, &content);
        struct entry_row entry = {.log = LOG_PUBLIC,
                                  .author = bot->principal,
                                  .kind = (int)action->kind,
                                  .has_cmid = true,
                                  .has_hash = true,
                                  .cmid = cmid,
                                  .body = {body.bytes, body.len}};
        content_hash(entry.kind, entry.body, entry.hash);
        int rc = body.failed ? desk_db_failed(desk, DB_NOMEM)
                             : entry_add(desk, conversation, &entry, &content, ROLE_BOT);
        writer_done(&body);
        atomic_fetch_add_explicit(&desk->messages, rc == 0, memory_order_relaxed);
        return rc < 0 ? rc : 0;
}

/* ---- numbers ---- */

/* Digits and words with an @ are left out: what somebody asked is kept for the authors, not who he is. */
static struct span mask(char *text, size_t len)
{
        size_t out = 0;
        for (size_t at = 0; at < len;) {
                size_t end = at;
                bool is_mail = false;
                while (end < len && !isspace((unsigned char)text[end]))
                        is_mail |= text[end++] == '@';
                if (is_mail) {
                        text[out++] = '@';
                } else {
                        for (size_t i = at; i < end; i++)
                                text[out++] = (char)(text[i] >= '0' && text[i] <= '9' ? '#' : text[i]);
                }
                if (end < len)
                        text[out++] = ' ';
                at = end + 1;
        }
        return (struct span){text, out};
}

static int count_decision(struct desk *desk, const struct bot *bot, struct conversation *conversation,
                          struct desk_command *command, const struct protocol_bot_act *act, int64_t version)
{
        static const enum bot_happening kinds[] = {
                [PROTOCOL_BOT_ACT_DECISION_ANSWER] = BOT_ANSWERED,
                [PROTOCOL_BOT_ACT_DECISION_CHOICES] = BOT_OFFERED,
                [PROTOCOL_BOT_ACT_DECISION_MISS] = BOT_MISSED,
                [PROTOCOL_BOT_ACT_DECISION_FLOW] = BOT_IN_FLOW,
                [PROTOCOL_BOT_ACT_DECISION_HELPED] = BOT_HELPED,
                [PROTOCOL_BOT_ACT_DECISION_NOT_HELPED] = BOT_NOT_HELPED,
                [PROTOCOL_BOT_ACT_DECISION_NONE] = BOT_SILENT,
        };
        struct bot_event_row event = {.kind = BOT_SILENT,
                                      .seq = act->seq,
                                      .version = version,
                                      .rule = act->rule,
                                      .lang = act->lang,
                                      .score = act->has_score ? (int)act->score : 0};
        if (act->has_decision && (size_t)act->decision < sizeof kinds / sizeof *kinds)
                event.kind = kinds[act->decision];
        bool ends = act->actions_count > 0 && ends_turn(&act->actions[act->actions_count - 1]);
        if (event.kind == BOT_IN_FLOW && act->has_in_flow && !act->in_flow && !ends)
                event.kind = BOT_CLOSED; /* the dialogue has run to its end */
        if (event.kind == BOT_SILENT && act->actions_count > 0 && ends_turn(&act->actions[act->actions_count - 1]))
                return 0; /* that is counted itself */
        if (event.kind == BOT_MISSED || event.kind == BOT_OFFERED) {
                struct protocol_content asked;
                int kind = 0;
                int rc = entry_content(desk, conversation, act->seq, &command->arena, &kind, &asked);
                if (desk->db_failure != 0)
                        return rc;
                char *copy = rc == 0 && asked.has_text ? arena_take(&command->arena, asked.text.len) : NULL;
                if (copy) {
                        memcpy(copy, asked.text.at, asked.text.len);
                        event.question = mask(copy, asked.text.len);
                }
        }
        return bots_happened(desk, bot, conversation, &event);
}

/* ---- the turn ---- */

struct standing { /* of the bot in that conversation */
        int64_t asked, answered;
        bool is_calling;
};

static int read_standing(struct desk *desk, const struct conversation *conversation, struct standing *out)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_STATE_GET);
        db_bind_int(stmt, 1, conversation->row.id);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc < 0 ? desk_db_failed(desk, rc) : -PROTOCOL_ERR_NOT_OWNER;
        *out = (struct standing){
                .asked = db_int(stmt, 3), .answered = db_int(stmt, 4), .is_calling = db_text(stmt, 5).at != NULL};
        db_reset(stmt);
        return 0;
}

static int keep_state(struct desk *desk, struct conversation *conversation, const struct protocol_bot_act *act,
                      int64_t version, const struct protocol_bot_action *last)
{
        bool has_closed = last && last->does == PROTOCOL_BOT_ACTION_DOES_CLOSE;
        bool is_calling = last && last->does == PROTOCOL_BOT_ACTION_DOES_CALL;
        struct writer call;
        char first[512];
        writer_init(&call, first, sizeof first);
        if (is_calling)
                protocol_bot_action_write(&call, last);
        struct db_stmt *stmt = db_stmt(desk->db, SQL_BOT_STATE_ACT);
        db_bind_int(stmt, 1, conversation->row.id);
        db_bind_int(stmt, 2, version);
        db_bind_int(stmt, 3, act->has_in_flow && act->in_flow && !has_closed);
        db_bind_int(stmt, 4, act->seq);
        db_bind_text(stmt, 5, is_calling ? (struct span){call.bytes, call.len} : (struct span){0});
        db_bind_text(stmt, 6, act->has_state && !has_closed ? act->state : (struct span){0});
        int rc = call.failed ? DB_NOMEM : db_run(stmt);
        writer_done(&call);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static int run_action(struct desk *desk, const struct bot *bot, struct conversation *conversation,
                      const struct bot_origin *origin, const struct protocol_bot_action *action, size_t number)
{
        struct bot_event_row event = {.version = origin->version};
        switch (action->does) {
        case PROTOCOL_BOT_ACTION_DOES_MESSAGE:
                return say(desk, bot, conversation, action, origin->version_name,
                           cmid_of(conversation->row.ext, origin->turn, number));
        case PROTOCOL_BOT_ACTION_DOES_HANDOFF:
                return bots_hand_over(desk, bot, conversation, &action->handoff,
                                      action->handoff.has_ticket && action->handoff.ticket ? BOT_TICKET : BOT_HANDED,
                                      origin->version);
        case PROTOCOL_BOT_ACTION_DOES_TAG:
                event.kind = BOT_TAGGED;
                event.rule = action->name;
                return bots_happened(desk, bot, conversation, &event);
        case PROTOCOL_BOT_ACTION_DOES_CLOSE:
                event.kind = BOT_CLOSED;
                return bots_happened(desk, bot, conversation, &event);
        default:
                return 0;
        }
}

/* Whether `act` answers what the bot was asked. */
static bool is_asked(const struct protocol_bot_act *act, const struct standing *standing)
{
        if (standing->is_calling)
                return act->seq == standing->answered;
        return act->seq > standing->answered && act->seq <= standing->asked;
}

/* A person was asked for, and the bot still collects what he will need: people see it already. */
static void note_wish(struct desk *desk, struct conversation *conversation, const struct protocol_bot_act *act)
{
        bool is_wished = act->has_wants_person && act->wants_person;
        if (!is_wished || conversation->row.handed_ms == 0)
                conversation->row.handed_ms = is_wished ? desk->now_ms : 0;
}

static int take_turn(struct desk *desk, const struct bot *bot, struct conversation *conversation,
                     struct desk_command *command, const struct bot_origin *origin, struct fault *fault)
{
        const struct protocol_bot_act *act = command->params;
        struct standing standing = {0};
        if (conversation->row.owner != OWNER_BOT || conversation->row.owner_turn != act->turn)
                return -PROTOCOL_ERR_NOT_OWNER;
        int rc = read_standing(desk, conversation, &standing);
        if (rc == 0 && !is_asked(act, &standing))
                rc = -PROTOCOL_ERR_NOT_OWNER;
        if (rc == 0)
                rc = bot_act_check(act, bot->kind == BOT_BUILT_IN, fault);
        if (rc < 0)
                return rc;
        const struct protocol_bot_action *last = act->actions_count ? &act->actions[act->actions_count - 1] : NULL;
        bot_turns_end(desk, conversation);
        atomic_fetch_add_explicit(&desk->bot_turns_taken, 1, memory_order_relaxed);
        rc = count_decision(desk, bot, conversation, command, act, origin->version);
        if (rc == 0)
                rc = keep_state(desk, conversation, act, origin->version, last);
        conversation->row.owner_turn++;
        note_wish(desk, conversation, act);
        conversation_changed(desk, conversation, false);
        for (size_t i = 0; rc == 0 && i < act->actions_count; i++)
                rc = run_action(desk, bot, conversation, origin, &act->actions[i], i);
        bool is_calling = last && last->does == PROTOCOL_BOT_ACTION_DOES_CALL;
        if (rc == 0 && conversation->row.owner == OWNER_BOT && (standing.asked > act->seq || is_calling))
                bot_turns_want(desk, conversation);
        return rc;
}

int handle_bot_act(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_bot_act *act = command->params;
        struct conversation *conversation = NULL;
        int rc = conversation_for(desk, &command->caller, act->conv, &conversation);
        if (rc < 0)
                return rc;
        const struct bot *bot = bots_of_app(desk, conversation->row.app);
        if (!bot || bot->principal != command->caller.principal || bot->kind == BOT_BUILT_IN)
                return -PROTOCOL_ERR_NOT_OWNER;
        struct bot_origin origin = {.turn = act->turn, .bot = bot->id};
        rc = take_turn(desk, bot, conversation, command, &origin, fault);
        if (rc < 0)
                return rc;
        struct protocol_bot_act_result result = {.turn = conversation->row.owner_turn};
        result.has_seq = conversation->row.last_author == bot->principal;
        result.seq = conversation->row.last_seq;
        protocol_bot_act_result_write(out, &result);
        return 0;
}

/* The bot that the turn comes from, when it still answers there. */
static const struct bot *bot_behind(struct desk *desk, const struct bot_origin *origin,
                                    struct conversation **out_conversation)
{
        if (conversation_find(desk, origin->conv, out_conversation) < 0)
                return NULL;
        const struct bot *bot = bots_find(desk, origin->bot);
        return bot && bot->app == (*out_conversation)->row.app ? bot : NULL;
}

void bot_act_came(struct desk *desk, struct desk_command *command)
{
        struct conversation *conversation = NULL;
        struct fault fault = {0};
        const struct bot *bot = bot_behind(desk, &command->bot_origin, &conversation);
        if (!bot)
                return;
        int rc = take_turn(desk, bot, conversation, command, &command->bot_origin, &fault);
        if (rc == 0 || rc == -PROTOCOL_ERR_NOT_OWNER || desk->db_failure != 0)
                return; /* over, or a person spoke meanwhile */
        log_warn(&desk->log, "a bot's turn is not as it has to be", "field", fault.field, "expected", fault.expected);
        bots_fail(desk, bot, conversation, "invalid");
}

void bot_act_promised(struct desk *desk, struct desk_command *command)
{
        struct conversation *conversation = NULL;
        const struct bot_origin *origin = &command->bot_origin;
        const struct bot *bot = bot_behind(desk, origin, &conversation);
        if (bot && conversation->row.owner == OWNER_BOT && conversation->row.owner_turn == origin->turn)
                bot_turns_extend(desk, conversation, BOT_PROMISED_MS);
}

void bot_act_unreadable(struct desk *desk, struct desk_command *command)
{
        struct conversation *conversation = NULL;
        const struct bot_origin *origin = &command->bot_origin;
        const struct bot *bot = bot_behind(desk, origin, &conversation);
        const char *why = "version";
        if (!bot || conversation->row.owner != OWNER_BOT || conversation->row.owner_turn != origin->turn)
                return;
        if (!bot_relearn_want(desk, origin->version))
                why = bot_turns_without(desk, conversation, origin->version);
        else if (bot_turns_wait(desk, conversation, origin->version))
                why = NULL;
        if (why)
                bots_fail(desk, bot, conversation, why);
}

void bot_act_failed(struct desk *desk, struct desk_command *command)
{
        struct conversation *conversation = NULL;
        const struct bot_origin *origin = &command->bot_origin;
        const struct bot *bot = bot_behind(desk, origin, &conversation);
        if (bot && conversation->row.owner == OWNER_BOT && conversation->row.owner_turn == origin->turn)
                bots_fail(desk, bot, conversation, origin->why);
}
