/* SPDX-License-Identifier: Apache-2.0 */
/* message.edit and message.erase. Both append an entry that says what happened and change the message's own row, so
 * that a late reader sees what is true now (delivery, Edits and erasures). Checks come first, writes last. */
#include "desk/bot_numbers.h"
#include "desk/desk_private.h"

/* What is being revised, as it stands in the store; `content` lies in the command's memory. */
struct revised {
        struct conversation *conversation;
        struct entry_row row;
        struct protocol_content content;
};

static enum entry_log log_of(bool is_team)
{
        return is_team ? LOG_TEAM : LOG_PUBLIC;
}

static int decode_body(struct desk_command *command, struct span body, struct protocol_content *out_content)
{
        memset(out_content, 0, sizeof *out_content);
        if (!body.at)
                return 0;
        char *copy = arena_take(&command->arena, body.len);
        if (!copy)
                return -PROTOCOL_ERR_INTERNAL;
        memcpy(copy, body.at, body.len);
        struct reader reader;
        struct fault ignored = {0};
        reader_init(&reader, copy, body.len, READER_TOLERANT, &command->arena, &ignored);
        return protocol_content_read(&reader, out_content);
}

/* Finds a message of the caller's own; somebody else's is forbidden, in a conversation he may see. */
static int find_own(struct desk *desk, struct desk_command *command, uint64_t conv, enum entry_log log, int64_t of,
                    struct revised *out)
{
        int rc = conversation_for(desk, &command->caller, conv, &out->conversation);
        if (rc < 0)
                return rc;
        if (log == LOG_TEAM && command->caller.role != ROLE_AGENT)
                return -PROTOCOL_ERR_FORBIDDEN;
        if (command->caller.role == ROLE_AGENT)
                rc = people_authorize(desk, &command->caller, log == LOG_TEAM ? PROTOCOL_MAY_NOTE : PROTOCOL_MAY_REPLY);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt;
        rc = entries_get(desk->db, out->conversation->row.id, log, of, &out->row, &stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK)
                return -PROTOCOL_ERR_NOT_FOUND;
        rc = decode_body(command, out->row.body, &out->content);
        db_reset(stmt);
        out->row.body = (struct span){0};
        if (rc < 0)
                return rc;
        bool is_own = out->row.author == command->caller.principal ||
                      (command->caller.role == ROLE_CUSTOMER &&
                       claim_is_alias(desk, out->row.author, command->caller.principal));
        return is_own ? 0 : -PROTOCOL_ERR_FORBIDDEN;
}

/* Appends an entry about a message. 1: this cmid was accepted before, *entry says where. */
static int append_about(struct desk *desk, struct desk_command *command, struct conversation *conversation,
                        struct entry_row *entry)
{
        struct conversation_row *row = &conversation->row;
        bool team = entry->log == LOG_TEAM;
        entry->conv = row->id;
        entry->seq = (team ? row->ihead : row->head) + 1;
        entry->at_seq = row->head;
        entry->ts = desk->now_ms > row->last_ts ? desk->now_ms : row->last_ts;
        entry->author = command->caller.principal;
        if (entry->has_cmid) {
                entry->has_hash = true;
                memcpy(entry->hash, command->hash, sizeof entry->hash);
        }
        int rc = team ? desk_team_ts(desk, conversation, &entry->ts) : 0;
        if (rc < 0)
                return rc;
        rc = entries_append(desk->db, entry);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_ROW)
                return 1;
        if (team)
                row->ihead = entry->seq;
        else
                row->head = entry->seq;
        if (!team)
                row->last_ts = entry->ts;
        conversation_changed(desk, conversation, !team);
        return 0;
}

/* A repeat under the same cmid, found before anything else is looked at: the message may read differently by now. */
static int find_repeat(struct desk *desk, struct desk_command *command, const struct cmid *cmid,
                       const struct revised *revised, struct entry_row *out_stored)
{
        uint64_t ignored;
        int rc = entries_by_cmid(desk->db, cmid, command->caller.principal, out_stored);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK && (rc = claim_find_entry(desk, &command->caller, cmid, out_stored, &ignored)) <= 0)
                return rc;
        bool same = out_stored->conv == revised->row.conv && out_stored->log == revised->row.log &&
                    (!out_stored->has_hash || memcmp(out_stored->hash, command->hash, sizeof command->hash) == 0);
        return same ? 1 : -PROTOCOL_ERR_IDEMPOTENCY_CONFLICT;
}

static void write_place(const struct entry_row *entry, bool dup, bool is_edit, struct writer *out)
{
        bool team = entry->log == LOG_TEAM;
        struct protocol_message_edit_result result = {.has_seq = !team,
                                                      .seq = entry->seq,
                                                      .has_iseq = team,
                                                      .iseq = entry->seq,
                                                      .has_at_seq = team,
                                                      .at_seq = entry->at_seq,
                                                      .ts = entry->ts,
                                                      .has_dup = dup,
                                                      .dup = dup};
        if (is_edit) {
                protocol_message_edit_result_write(out, &result);
                return;
        }
        struct protocol_message_erase_result erased = {.has_seq = result.has_seq,
                                                       .seq = result.seq,
                                                       .has_iseq = result.has_iseq,
                                                       .iseq = result.iseq,
                                                       .has_at_seq = result.has_at_seq,
                                                       .at_seq = result.at_seq,
                                                       .ts = result.ts,
                                                       .has_dup = dup,
                                                       .dup = dup};
        protocol_message_erase_result_write(out, &erased);
}

static void set_preview(struct conversation_row *row, struct span text)
{
        size_t len = 0, points = 0;
        while (len < text.len && points < PROTOCOL_PREVIEW_POINTS) {
                len++;
                while (len < text.len && ((uint8_t)text.at[len] & 0xc0) == 0x80)
                        len++;
                points++;
        }
        memcpy(row->preview, text.at ? text.at : "", len);
        row->preview_len = len;
}

/* What the public message read before, for those who may see the team log. */
static int keep_revision(struct desk *desk, struct desk_command *command, const struct revised *revised)
{
        struct protocol_content old = {.has_of = true,
                                       .of = revised->row.seq,
                                       .has_version = true,
                                       .version = revised->row.version,
                                       .has_text = true,
                                       .text = revised->content.text};
        struct writer writer;
        writer_init(&writer, NULL, 0);
        content_store(&writer, &old);
        struct entry_row entry = {.log = LOG_TEAM, .kind = PROTOCOL_ENTRY_REVISION, .body = {writer.bytes, writer.len}};
        int rc = writer.failed ? desk_db_failed(desk, DB_NOMEM)
                               : append_about(desk, command, revised->conversation, &entry);
        if (rc == 0)
                desk_tell_entry(desk, revised->conversation, &entry);
        writer_done(&writer);
        return rc;
}

static int replace_content(struct desk *desk, const struct revised *revised, struct span text)
{
        struct protocol_content content = revised->content;
        content.has_text = true;
        content.text = text;
        struct writer writer;
        writer_init(&writer, NULL, 0);
        content_store(&writer, &content);
        int rc = writer.failed
                         ? DB_NOMEM
                         : entries_replace_content(desk->db, revised->row.conv, revised->row.log, revised->row.seq,
                                                   revised->row.version + 1, (struct span){writer.bytes, writer.len});
        writer_done(&writer);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int handle_message_edit(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_message_edit *params = command->params;
        enum entry_log log = log_of(params->has_log && params->log == PROTOCOL_MESSAGE_EDIT_LOG_TEAM);
        struct entry_row entry = {.log = log,
                                  .kind = PROTOCOL_ENTRY_EDIT,
                                  .has_cmid = true,
                                  .cmid = params->cmid,
                                  .body = command->stored};
        struct entry_row stored;
        struct revised revised;
        int rc = find_own(desk, command, params->conv, log, params->of, &revised);
        if (rc < 0)
                return rc;
        rc = find_repeat(desk, command, &params->cmid, &revised, &stored);
        if (rc == 1)
                write_place(&stored, true, true, out);
        if (rc != 0)
                return rc < 0 ? rc : 0;
        if (revised.row.kind == PROTOCOL_ENTRY_ERASED)
                return -PROTOCOL_ERR_ERASED;
        bool has_caption = revised.row.kind == PROTOCOL_ENTRY_ATTACHMENT && revised.content.has_text;
        if ((revised.row.kind != PROTOCOL_ENTRY_TEXT && !has_caption) || revised.content.has_pressed ||
            revised.content.has_filled)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "of",
                                 "a text message, or an attachment with a caption");
        if (revised.row.version != params->version)
                return -PROTOCOL_ERR_CONFLICT;
        rc = append_about(desk, command, revised.conversation, &entry);
        if (rc == 0 && log == LOG_PUBLIC)
                rc = keep_revision(desk, command, &revised);
        if (rc == 0)
                rc = replace_content(desk, &revised, params->text);
        if (rc < 0)
                return rc;
        if (log == LOG_PUBLIC && (rc = bot_forget_message(desk, revised.row.conv, params->of)) < 0)
                return rc;
        if (log == LOG_PUBLIC && revised.conversation->row.last_seq == params->of)
                set_preview(&revised.conversation->row, params->text);
        write_place(&entry, false, true, out);
        desk_tell_entry(desk, revised.conversation, &entry);
        return log == LOG_PUBLIC ? outbound_note_changed(desk, revised.conversation, "edited", params->of) : 0;
}

/* Content and hash of the message, of its edits and of what it read before. */
static int blank_everywhere(struct desk *desk, const struct revised *revised)
{
        int64_t conv = revised->row.conv, of = revised->row.seq;
        int rc = entries_blank(desk->db, conv, revised->row.log, of, PROTOCOL_ENTRY_ERASED);
        if (revised->row.version == 1) /* never edited: there is nothing to search for */
                return rc < 0 ? desk_db_failed(desk, rc) : 0;
        if (rc >= 0)
                rc = entries_blank_about(desk->db, conv, revised->row.log, PROTOCOL_ENTRY_EDIT, of, of);
        if (rc >= 0 && revised->row.log == LOG_PUBLIC)
                rc = entries_blank_about(desk->db, conv, LOG_TEAM, PROTOCOL_ENTRY_REVISION, of, 0);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* A message less: one by others may have been unread, one by the customer may have waited for an answer. */
static int count_erased(struct desk *desk, struct conversation_row *row, const struct entry_row *erased)
{
        if (erased->author != row->customer) {
                row->unread -= erased->seq > row->customer_read && row->unread > 0;
                return 0;
        }
        if (row->unanswered == 0 || erased->ts < row->waiting_since)
                return 0;
        int rc = entries_count_unanswered(desk->db, row->id, row->customer, &row->unanswered, &row->waiting_since);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int handle_message_erase(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_message_erase *params = command->params;
        enum entry_log log = log_of(params->has_log && params->log == PROTOCOL_MESSAGE_ERASE_LOG_TEAM);
        struct entry_row entry = {.log = log,
                                  .kind = PROTOCOL_ENTRY_ERASE,
                                  .has_cmid = true,
                                  .cmid = params->cmid,
                                  .body = command->stored};
        struct entry_row stored;
        struct revised revised;
        int rc = find_own(desk, command, params->conv, log, params->of, &revised);
        if (rc < 0)
                return rc;
        rc = find_repeat(desk, command, &params->cmid, &revised, &stored);
        if (rc == 1)
                write_place(&stored, true, false, out);
        if (rc != 0)
                return rc < 0 ? rc : 0;
        const struct protocol_entry_info *info = protocol_entry_info((enum protocol_entry_kind)revised.row.kind);
        if (revised.row.kind == PROTOCOL_ENTRY_ERASED)
                return -PROTOCOL_ERR_ERASED;
        if (!info || !info->unread) /* edits and erasures are not messages */
                return -PROTOCOL_ERR_FORBIDDEN;
        rc = blank_everywhere(desk, &revised);
        if (rc == 0 && revised.content.has_files)
                rc = uploads_erase_at(desk, revised.row.conv, revised.row.log, revised.row.seq);
        if (rc == 0)
                rc = append_about(desk, command, revised.conversation, &entry);
        if (rc == 0 && log == LOG_PUBLIC)
                rc = count_erased(desk, &revised.conversation->row, &revised.row);
        if (rc == 0 && log == LOG_PUBLIC)
                rc = bot_forget_message(desk, revised.row.conv, params->of);
        if (rc < 0)
                return rc;
        if (log == LOG_PUBLIC && revised.conversation->row.last_seq == params->of) {
                revised.conversation->row.last_kind = PROTOCOL_ENTRY_ERASED;
                revised.conversation->row.preview_len = 0;
        }
        write_place(&entry, false, false, out);
        desk_tell_entry(desk, revised.conversation, &entry);
        if (log != LOG_PUBLIC)
                return 0;
        rc = outbound_forget(desk, revised.conversation, params->of);
        return rc < 0 ? rc : outbound_note_changed(desk, revised.conversation, "erased", params->of);
}
