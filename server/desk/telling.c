/* SPDX-License-Identifier: Apache-2.0 */
/* What handlers say besides their answer: events to connections, and new ids. All of it waits in `leaving` until the
 * batch is on disk. Desk thread only. */
#include "desk/desk_private.h"

#include "protocol/planted.h"

void desk_leave(struct desk *desk, uint32_t thread, struct desk_note *note)
{
        if (thread >= desk->sink_count)
                note_free(note);
        else
                mailbox_list_add(&desk->leaving[thread], &note->item, sizeof *note + note->len);
}

void desk_broadcast(struct desk *desk, const struct conversation *conversation, bool team, struct edge_frame *frame)
{
        for (uint32_t i = 0; i < desk->sink_count; i++) {
                struct desk_note *note = note_new(NOTE_EVENT, (struct edge_ref){0}, (struct span){0});
                if (!note)
                        continue; /* a push is a hint (R3) */
                note->conv = conversation->row.id;
                note->customer = team ? 0 : conversation->row.customer;
                note->workspace = conversation->row.workspace;
                note->frame = edge_frame_ref(frame);
                desk_leave(desk, i, note);
        }
}

struct entry_head desk_entry_head(struct desk *desk, const struct conversation *conversation,
                                  const struct entry_row *entry)
{
        const struct principal *author = directory_find(desk->directory, entry->author);
        struct entry_head head = {.conv = conversation->row.ext,
                                  .team = entry->log == LOG_TEAM && !PLANTED("note_leak"),
                                  .number = entry->seq,
                                  .at_seq = entry->at_seq,
                                  .ts = entry->ts,
                                  .author = directory_author(desk->directory, entry->author),
                                  .cmid = entry->has_cmid ? &entry->cmid : NULL,
                                  .kind = entry->kind,
                                  .version = 1,
                                  .content = entry->body};
        if (author && author->name && author->role != ROLE_CUSTOMER)
                head.name = span_of(author->name);
        return head;
}

void desk_tell_entry(struct desk *desk, const struct conversation *conversation, const struct entry_row *entry)
{
        struct entry_head head = desk_entry_head(desk, conversation, entry);
        char first[2048];
        struct writer writer;
        writer_init(&writer, first, sizeof first);
        hot_entry_event(&writer, &head);
        struct edge_frame *frame = writer.failed ? NULL : edge_frame_new((struct span){writer.bytes, writer.len});
        writer_done(&writer);
        if (!frame)
                return; /* a push is a hint (R3) */
        desk_broadcast(desk, conversation, head.team, frame);
        edge_frame_unref(frame);
}

int desk_team_ts(struct desk *desk, const struct conversation *conversation, int64_t *ts)
{
        struct entry_row newest;
        struct db_stmt *stmt;
        if (conversation->row.ihead == 0)
                return 0;
        int rc = entries_get(desk->db, conversation->row.id, LOG_TEAM, conversation->row.ihead, &newest, &stmt);
        if (rc != DB_ROW)
                return desk_db_failed(desk, rc < 0 ? rc : DB_DAMAGED);
        db_reset(stmt);
        if (*ts < newest.ts)
                *ts = newest.ts;
        return 0;
}

/* Ids of one millisecond are steps of an odd, random width from a random start: 22 bits drawn anew for each would meet
 * the same ones again within one batch of a thousand. */
uint64_t desk_new_id(struct desk *desk)
{
        if (desk->id_ms != desk->now_ms) {
                desk->id_ms = desk->now_ms;
                random_bytes(&desk->id_bits, sizeof desk->id_bits);
                random_bytes(&desk->id_step, sizeof desk->id_step);
        }
        desk->id_bits += desk->id_step | 1;
        return id_make((uint64_t)desk->now_ms, desk->id_bits & 0x3fffff);
}
