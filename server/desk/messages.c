/* SPDX-License-Identifier: Apache-2.0 */
/* message.send: the hot path. All checks come before the one INSERT, so that a refusal has nothing to undo; the store's
 * unique key on (cmid, author) decides what is a repeat (delivery A4), never a read before the write. */
#include "desk/desk_private.h"

#include "protocol/planted.h"

static bool is_customer(const struct desk_command *command)
{
        return command->caller.role == ROLE_CUSTOMER;
}

/* `after` (delivery O3): met by the connection's last send there, or by the store. */
static int check_after(struct desk *desk, struct desk_command *command, int64_t conv)
{
        const struct protocol_message_send *params = command->params;
        if (!params->has_after || PLANTED("predecessor_ignored"))
                return 0;
        const struct desk_session *session = sessions_find(desk, command->from);
        const struct predecessor *last = session ? session_last_sent(session, conv) : NULL;
        if (last && last->is_accepted && memcmp(&last->cmid, &params->after, sizeof last->cmid) == 0)
                return 0;
        struct entry_row stored;
        uint64_t ignored;
        int rc = entries_by_cmid(desk->db, &params->after, command->caller.principal, &stored);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK && (rc = claim_find_entry(desk, &command->caller, &params->after, &stored, &ignored)) < 0)
                return rc;
        return rc != 0 ? 0 : -PROTOCOL_ERR_PREDECESSOR_UNKNOWN;
}

/* The public entry that a tap, a form or a reply names, decoded from the store; `keep` holds its bytes. */
int entry_content(struct desk *desk, const struct conversation *conversation, int64_t seq, struct arena *arena,
                  int *out_kind, struct protocol_content *out_content)
{
        struct entry_row row;
        struct db_stmt *stmt;
        int rc = entries_get(desk->db, conversation->row.id, LOG_PUBLIC, seq, &row, &stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK)
                return -PROTOCOL_ERR_NOT_FOUND;
        memset(out_content, 0, sizeof *out_content);
        *out_kind = row.kind;
        rc = 0;
        char *copy = row.body.at ? arena_take(arena, row.body.len) : NULL;
        if (copy) {
                struct reader reader;
                struct fault ignored = {0};
                memcpy(copy, row.body.at, row.body.len);
                reader_init(&reader, copy, row.body.len, READER_TOLERANT, arena, &ignored);
                rc = protocol_content_read(&reader, out_content) < 0 ? -PROTOCOL_ERR_INTERNAL : 0;
        } else if (row.body.at) {
                rc = -PROTOCOL_ERR_INTERNAL;
        }
        db_reset(stmt);
        return rc;
}

static int check_pressed(struct desk *desk, const struct conversation *conversation, struct desk_command *command,
                         struct fault *fault)
{
        const struct protocol_content *content = &((struct protocol_message_send *)command->params)->content;
        struct protocol_content named = {0};
        int kind = 0;
        int rc = entry_content(desk, conversation, content->pressed.seq, &command->arena, &kind, &named);
        if (rc == -PROTOCOL_ERR_NOT_FOUND || (rc == 0 && kind != PROTOCOL_ENTRY_CHOICES))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "pressed.seq", "the seq of a message with choices");
        if (rc < 0)
                return rc;
        for (size_t i = 0; i < named.choices_count; i++) {
                if (!span_equal(named.choices[i].id, content->pressed.id))
                        continue;
                return span_equal(named.choices[i].label, content->text)
                               ? 0
                               : fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "text", "the label of the choice pressed");
        }
        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "pressed.id", "the id of one of its choices");
}

static int check_filled(struct desk *desk, const struct conversation *conversation, struct desk_command *command,
                        struct fault *fault)
{
        const struct protocol_content *content = &((struct protocol_message_send *)command->params)->content;
        struct protocol_content named = {0};
        int kind = 0;
        int rc = entry_content(desk, conversation, content->filled.seq, &command->arena, &kind, &named);
        if (rc == -PROTOCOL_ERR_NOT_FOUND || (rc == 0 && kind != PROTOCOL_ENTRY_FORM))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "filled.seq", "the seq of a message with a form");
        if (rc < 0)
                return rc;
        for (size_t f = 0; f < named.form_count; f++) {
                size_t given = 0;
                for (size_t v = 0; v < content->filled.values_count; v++)
                        given += span_equal(named.form[f].id, content->filled.values[v].id);
                if (given > 1 || (given == 0 && named.form[f].has_required && named.form[f].required))
                        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "filled.values", "each required field once");
        }
        for (size_t v = 0; v < content->filled.values_count; v++) {
                bool known = false;
                for (size_t f = 0; f < named.form_count && !known; f++)
                        known = span_equal(named.form[f].id, content->filled.values[v].id);
                if (!known)
                        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "filled.values", "only fields of the form");
        }
        return 0;
}

static int check_references(struct desk *desk, const struct conversation *conversation, struct desk_command *command,
                            struct fault *fault)
{
        const struct protocol_content *content = &((struct protocol_message_send *)command->params)->content;
        if (content->has_reply_to && content->reply_to > conversation->row.head)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "reply_to", "the seq of an entry that is there");
        if ((content->has_pressed || content->has_filled) && !is_customer(command))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, content->has_pressed ? "pressed" : "filled",
                                 "nothing: only customers answer");
        if (content->has_pressed) {
                int rc = check_pressed(desk, conversation, command, fault);
                if (rc < 0)
                        return rc;
        }
        if (content->has_rated)
                return surveys_check_rating(desk, conversation, command, fault);
        if (content->has_files)
                return uploads_check(desk, command, content, fault);
        return content->has_filled ? check_filled(desk, conversation, command, fault) : 0;
}

static int find_conversation(struct desk *desk, struct desk_command *command, bool *out_made,
                             struct conversation **out_conversation, struct fault *fault)
{
        const struct protocol_message_send *params = command->params;
        if (params->has_conv == params->has_key)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "conv", "exactly one of conv and key");
        if (params->has_conv)
                return conversation_for(desk, &command->caller, params->conv, out_conversation);
        if (!is_customer(command))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "key",
                                 "conv: only customers name a conversation by key");
        return conversation_find_key(desk, &command->caller, params->key, out_made, out_conversation);
}

/* First characters of a message for lists: whole code points, at most PROTOCOL_PREVIEW_POINTS. */
static size_t preview_of(struct span text, char *out)
{
        size_t len = 0, points = 0;
        while (len < text.len) {
                size_t next = len + 1;
                while (next < text.len && ((uint8_t)text.at[next] & 0xc0) == 0x80)
                        next++;
                if (points++ == PROTOCOL_PREVIEW_POINTS)
                        break;
                len = next;
        }
        memcpy(out, text.at, len);
        return len;
}

static void count_public(struct conversation_row *row, const struct entry_row *entry, enum principal_role role,
                         const struct protocol_content *content)
{
        row->last_seq = entry->seq;
        row->last_author = entry->author;
        row->last_kind = entry->kind;
        struct span shown = content->has_text ? content->text : content->fallback_text;
        row->preview_len = preview_of(shown.at ? shown : SPAN(""), row->preview);
        if (role == ROLE_CUSTOMER) {
                if (row->unanswered++ == 0)
                        row->waiting_since = entry->ts;
                return;
        }
        row->unread++;
        if (role == ROLE_AGENT) {
                row->unanswered = 0;
                row->waiting_since = 0;
        }
}

static void write_answer(const struct desk_command *command, const struct conversation *conversation,
                         const struct entry_row *entry, bool dup, struct writer *out)
{
        const struct protocol_message_send *params = command->params;
        hot_send_result(out, &command->id, params->has_key ? conversation->row.ext : 0, entry->log == LOG_TEAM,
                        entry->seq, entry->at_seq, entry->ts, dup);
}

/* (cmid, author) is there: the same message gives the original answer, another one is a conflict. */
static int answer_repeat(struct desk *desk, struct desk_command *command, const struct conversation *conversation,
                         const struct entry_row *attempt, struct writer *out)
{
        struct entry_row stored;
        int rc = entries_by_cmid(desk->db, &attempt->cmid, attempt->author, &stored);
        if (rc != DB_ROW)
                return desk_db_failed(desk, rc < 0 ? rc : DB_DAMAGED);
        bool same = stored.conv == attempt->conv && stored.log == attempt->log &&
                    (!stored.has_hash || (stored.kind == attempt->kind || stored.kind == PROTOCOL_ENTRY_ERASED)) &&
                    (!stored.has_hash || memcmp(stored.hash, attempt->hash, sizeof stored.hash) == 0);
        if (!same)
                return -PROTOCOL_ERR_IDEMPOTENCY_CONFLICT;
        atomic_fetch_add_explicit(&desk->duplicates, 1, memory_order_relaxed);
        write_answer(command, conversation, &stored, true, out);
        return 0;
}

/* The place after the newest entry of its log. */
static void place_entry(const struct desk *desk, const struct conversation *conversation, struct entry_row *entry)
{
        const struct conversation_row *row = &conversation->row;
        int64_t gap = PLANTED("gap_in_seq") && row->head % 97 == 96 ? 1 : 0;
        entry->conv = row->id;
        entry->seq = (entry->log == LOG_TEAM ? row->ihead : row->head) + 1 + gap;
        entry->at_seq = row->head;
        entry->ts = desk->now_ms > row->last_ts ? desk->now_ms : row->last_ts;
}

static struct entry_row entry_of(const struct desk *desk, const struct desk_command *command,
                                 const struct conversation *conversation)
{
        const struct protocol_message_send *params = command->params;
        bool team = params->has_log && params->log == PROTOCOL_MESSAGE_SEND_LOG_TEAM;
        struct entry_row entry = {.log = team ? LOG_TEAM : LOG_PUBLIC,
                                  .author = command->caller.principal,
                                  .kind = (int)params->kind,
                                  .has_cmid = true,
                                  .has_hash = true,
                                  .cmid = params->cmid,
                                  .body = command->stored};
        place_entry(desk, conversation, &entry);
        memcpy(entry.hash, command->hash, sizeof entry.hash);
        return entry;
}

/* It is in the log: the conversation's row, its watchers and subscribers hear of it. */
static int entry_added(struct desk *desk, struct conversation *conversation, const struct entry_row *entry,
                       const struct protocol_content *content, enum principal_role role)
{
        struct conversation_row *row = &conversation->row;
        bool team = entry->log == LOG_TEAM;
        if (team) { /* last_ts stays: a customer must not see by it that a note was written */
                row->ihead = entry->seq;
        } else {
                row->last_ts = entry->ts;
                row->head = entry->seq;
                if (protocol_entry_info((enum protocol_entry_kind)entry->kind)->unread)
                        count_public(row, entry, role, content);
        }
        conversation_changed(desk, conversation, !team);
        if (!PLANTED("event_lost"))
                desk_tell_entry(desk, conversation, entry);
        return outbound_note_message(desk, conversation, entry);
}

int entry_add(struct desk *desk, struct conversation *conversation, struct entry_row *entry,
              const struct protocol_content *content, enum principal_role role)
{
        place_entry(desk, conversation, entry);
        int rc = entry->log == LOG_TEAM ? desk_team_ts(desk, conversation, &entry->ts) : 0;
        if (rc < 0)
                return rc;
        rc = entries_append(desk->db, entry);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        return rc == DB_ROW ? 1 : entry_added(desk, conversation, entry, content, role);
}

/* A customer repeats what he sent as a visitor, before he claimed it: it stands where it stood. 1 = answered. */
static int answer_as_visitor(struct desk *desk, struct desk_command *command, struct writer *out)
{
        const struct protocol_message_send *params = command->params;
        struct entry_row stored;
        uint64_t conv = 0;
        int rc = claim_find_entry(desk, &command->caller, &params->cmid, &stored, &conv);
        if (rc <= 0 || params->has_conv == params->has_key)
                return rc < 0 ? rc : 0;
        bool team = params->has_log && params->log == PROTOCOL_MESSAGE_SEND_LOG_TEAM;
        bool same = !team && stored.log == LOG_PUBLIC && (!params->has_conv || params->conv == conv) &&
                    (!stored.has_hash ||
                     (stored.kind == (int)params->kind && memcmp(stored.hash, command->hash, sizeof stored.hash) == 0));
        if (!same)
                return -PROTOCOL_ERR_IDEMPOTENCY_CONFLICT;
        atomic_fetch_add_explicit(&desk->duplicates, 1, memory_order_relaxed);
        hot_send_result(out, &command->id, params->has_key ? conv : 0, false, stored.seq, stored.at_seq, stored.ts,
                        true);
        struct desk_session *session = sessions_find(desk, command->from);
        if (session)
                session_note_sent(session, stored.conv, &params->cmid, true);
        return 1;
}

/* A message that is stored already is never refused, whatever has become of what it refers to (A3: a permanent answer
 * says that it is not stored). */
static int refuse_unless_stored(struct desk *desk, struct desk_command *command,
                                const struct conversation *conversation, int refusal, struct writer *out,
                                struct fault *fault)
{
        struct entry_row entry = entry_of(desk, command, conversation), stored;
        int rc = entries_by_cmid(desk->db, &entry.cmid, entry.author, &stored);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK)
                return refusal;
        fault_clear(fault);
        return answer_repeat(desk, command, conversation, &entry, out);
}

/* Planted: a repeat is known only on the connection of the first try; the store's own key is dodged by another one. */
static int append_twice(struct desk *desk, const struct desk_command *command, struct entry_row *entry)
{
        const struct desk_session *session = sessions_find(desk, command->from);
        const struct predecessor *last = session ? session_last_sent(session, entry->conv) : NULL;
        if (last && memcmp(&last->cmid, &entry->cmid, sizeof last->cmid) == 0)
                return DB_ROW;
        entry->cmid.bytes[15] ^= 0xff;
        return entries_append(desk->db, entry);
}

static int append(struct desk *desk, struct desk_command *command, struct conversation *conversation,
                  struct writer *out)
{
        const struct protocol_message_send *params = command->params;
        struct conversation_row *row = &conversation->row;
        struct entry_row entry = entry_of(desk, command, conversation);
        bool team = entry.log == LOG_TEAM;
        int rc = team ? desk_team_ts(desk, conversation, &entry.ts) : 0;
        if (rc < 0)
                return rc;
        rc = entries_append(desk->db, &entry);
        if (rc == DB_ROW && PLANTED("dedupe_per_connection"))
                rc = append_twice(desk, command, &entry);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_ROW)
                return answer_repeat(desk, command, conversation, &entry, out);
        rc = params->content.has_files ? uploads_attach(desk, command, &params->content, &entry) : 0;
        if (rc < 0)
                return rc;
        int64_t silent_ms = entry.ts - row->last_ts;
        write_answer(command, conversation, &entry, false, out);
        atomic_fetch_add_explicit(&desk->messages, 1, memory_order_relaxed);
        rc = entry_added(desk, conversation, &entry, &params->content, command->caller.role);
        if (rc == 0 && command->caller.role == ROLE_AGENT)
                rc = work_sent(desk, conversation, &entry, &params->content);
        if (rc < 0 || team)
                return rc;
        if (params->kind == PROTOCOL_ENTRY_RATING) {
                rc = surveys_rated(desk, conversation, &entry, &params->content);
                return rc < 0 && desk->db_failure == 0 ? desk_db_failed(desk, DB_NOMEM) : rc;
        }
        if (command->caller.role == ROLE_AGENT)
                rc = bots_person_wrote(desk, conversation);
        else if (is_customer(command))
                rc = bots_customer_wrote(desk, conversation, &entry, silent_ms);
        if (rc == 0)
                rc = tickets_message(desk, conversation, &entry, command->caller.role);
        return rc < 0 && desk->db_failure == 0 ? desk_db_failed(desk, DB_NOMEM) : rc; /* it is stored: all or nothing */
}

static int may_write(struct desk *desk, const struct desk_command *command)
{
        const struct protocol_message_send *params = command->params;
        bool is_note = params->has_log && params->log == PROTOCOL_MESSAGE_SEND_LOG_TEAM;
        if (command->caller.role != ROLE_AGENT)
                return 0;
        return people_authorize(desk, &command->caller, is_note ? PROTOCOL_MAY_NOTE : PROTOCOL_MAY_REPLY);
}

int handle_message_send(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_message_send *params = command->params;
        struct conversation *conversation = NULL;
        bool made = false;
        int rc = answer_as_visitor(desk, command, out);
        if (rc != 0)
                return rc < 0 ? rc : 0;
        if ((rc = may_write(desk, command)) < 0)
                return rc;
        rc = find_conversation(desk, command, &made, &conversation, fault);
        if (!conversation)
                return rc;
        rc = check_after(desk, command, conversation->row.id);
        if (rc == 0 && command->caller.role == ROLE_BOT)
                rc = bots_may_send(desk, conversation, command->caller.principal);
        if (rc == 0)
                rc = check_references(desk, conversation, command, fault);
        if (rc == 0) {
                rc = append(desk, command, conversation, out);
                if (rc == 0 && made)
                        rc = outbound_note_changed(desk, conversation, "opened", 0);
        } else if (desk->db_failure == 0)
                rc = refuse_unless_stored(desk, command, conversation, rc, out, fault);
        if (rc < 0 && made) /* a refusal leaves nothing behind, no conversation either */
                return desk->db_failure == 0 ? conversation_unmake(desk, conversation, rc) : rc;
        struct desk_session *session = sessions_find(desk, command->from);
        if (session)
                session_note_sent(session, conversation->row.id, &params->cmid, rc == 0);
        return rc;
}
