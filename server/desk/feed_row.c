/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/feed_row.h"

static void fill_last(struct protocol_feed_row *out, const struct conversation_row *row, struct directory *directory)
{
        if (row->last_seq == 0)
                return;
        out->has_last = true;
        out->last.seq = row->last_seq;
        out->last.ts = row->last_ts;
        out->last.author = directory_author(directory, row->last_author);
        out->last.kind = (enum protocol_entry_kind)row->last_kind;
        if (row->preview_len > 0) {
                out->last.has_preview = true;
                out->last.preview = (struct span){row->preview, row->preview_len};
        }
}

static void fill_for_staff(struct protocol_feed_row *out, const struct conversation_row *row,
                           struct directory *directory)
{
        out->has_ihead = true;
        out->ihead = row->ihead;
        out->has_unanswered = true;
        out->unanswered = row->unanswered;
        if (row->waiting_since > 0) {
                out->has_waiting_since = true;
                out->waiting_since = row->waiting_since;
        }
        if (row->owner != OWNER_OPEN) {
                out->has_owner = out->has_owner_turn = true;
                out->owner = row->owner == OWNER_BOT ? PROTOCOL_FEED_ROW_OWNER_BOT : PROTOCOL_FEED_ROW_OWNER_PEOPLE;
                out->owner_turn = row->owner_turn;
        }
        if (row->handed_ms > 0) {
                out->has_handed = true;
                out->handed = row->handed_ms;
        }
        const struct principal *customer = directory_find(directory, row->customer);
        if (!customer)
                return;
        out->has_customer = true;
        out->customer = (struct principal_id){customer->role, customer->ext};
        if (customer->name) {
                out->has_customer_name = true;
                out->customer_name = span_of(customer->name);
        }
}

void feed_row_fill(struct protocol_feed_row *out_row, const struct conversation_row *row, bool for_staff,
                   struct directory *directory)
{
        struct protocol_feed_row *out = out_row;
        memset(out, 0, sizeof *out);
        out->conv = row->ext;
        out->rev = for_staff ? row->rev : row->public_rev; /* a note must not show by its rev */
        if (row->has_left) {
                out->has_left = true;
                out->left = true;
                return;
        }
        out->has_key = true;
        out->key = span_of(row->key);
        out->has_app = true;
        out->app = directory_app(directory, row->app);
        out->has_head = true;
        out->head = row->head;
        out->has_marks = true;
        out->marks = (struct protocol_both_marks){.customer_recv = row->customer_recv,
                                                  .customer_read = row->customer_read,
                                                  .staff_recv = row->staff_recv,
                                                  .staff_read = row->staff_read};
        fill_last(out, row, directory);
        if (for_staff) {
                fill_for_staff(out, row, directory);
        } else {
                out->has_unread = true;
                out->unread = row->unread;
        }
}
