/* SPDX-License-Identifier: Apache-2.0 */
/* Outbox: the messages without a final answer, in the order of queueing, as the file has them; and telling the
 * application what became of each. */
#include "machine_private.h"

#include <stdlib.h>

/* ---- the list ---------------------------------------------------------------------------------------------------- */

/* Memory of its own for content and tag. */
struct outgoing *outbox_row(const struct cached_message *row)
{
        struct outgoing *out = calloc(1, sizeof(*out) + row->content.len + row->tag.len + 2);
        if (!out)
                return NULL;

        char *content = (char *)(out + 1), *tag = content + row->content.len + 1;
        out->row = *row;
        if (row->content.len)
                memcpy(content, row->content.at, row->content.len);
        if (row->tag.len)
                memcpy(tag, row->tag.at, row->tag.len);
        out->row.content.at = content;
        out->row.tag.at = tag;
        return out;
}

static void list_add(struct machine *machine, struct outgoing *out)
{
        out->prev = machine->out_last;
        if (machine->out_last)
                machine->out_last->next = out;
        else
                machine->out_first = out;
        machine->out_last = out;
        if (!out->is_offered_again) {
                machine->out_count++;
                machine->out_bytes += (int64_t)out->row.content.len;
        }
}

void outbox_remove(struct machine *machine, struct outgoing *out)
{
        if (out->prev)
                out->prev->next = out->next;
        else
                machine->out_first = out->next;
        if (out->next)
                out->next->prev = out->prev;
        else
                machine->out_last = out->prev;
        if (!out->is_offered_again) {
                machine->out_count--;
                machine->out_bytes -= (int64_t)out->row.content.len;
        }
        free(out);
}

static bool load_one(void *data, const struct cached_message *row)
{
        struct machine *machine = data;
        deskbell_conversation *conv = conv_by_row(machine, row->conv);
        struct outgoing *out = conv ? outbox_row(row) : NULL;

        if (conv && !out)
                cache_fail(machine->cache);
        if (!out)
                return true;
        out->conv = conv;
        out->is_offered_again = row->state != DESKBELL_QUEUED;
        out->may_have_left = true;
        list_add(machine, out);
        return true;
}

int sending_load(struct machine *machine)
{
        cache_messages(machine->cache, MESSAGES_UNSENT, 0, load_one, machine);
        machine->failed_count = cache_failed_count(machine->cache);
        return 0;
}

void sending_clear(struct machine *machine)
{
        struct outgoing *next;

        for (struct outgoing *out = machine->out_first; out; out = next) {
                next = out->next;
                free(out);
        }
        machine->out_first = machine->out_last = NULL;
        machine->out_count = machine->out_bytes = 0;
}

void sending_lost_link(struct machine *machine)
{
        for (struct outgoing *out = machine->out_first; out; out = out->next)
                out->is_in_flight = false;
        for (size_t i = 0; i < machine->conv_count; i++) {
                machine->convs[i]->in_flight = 0;
                machine->convs[i]->has_barrier = machine->convs[i]->is_draining = false;
        }
}

void sending_offer_again(struct machine *machine)
{
        int64_t since = machine_true_wall(machine) - machine->retry_days * DAY_MS;

        sending_clear(machine);
        cache_messages_sweep(machine->cache, since);
        cache_messages_offer_again(machine->cache);
        sending_load(machine);
        sending_lost_link(machine);
}

/* ---- telling ----------------------------------------------------------------------------------------------------- */

void sending_tell(struct machine *machine, deskbell_conversation *conv, const struct cached_message *row, bool is_again)
{
        bool is_outcome =
                row->state == DESKBELL_SENT || row->state == DESKBELL_FAILED || row->state == DESKBELL_EXPIRED;
        struct event *event = event_new(EVENT_MESSAGE);

        if (event && event_fill_message(event, conv, row) < 0)
                event = event_free(event);
        bool has_files = event && !event->message.files_count && row->op == DESKBELL_OP_SEND;
        if (has_files && !uploads_tell_files(machine, event, row->pos))
                event = event_free(event);
        if (event) {
                event->message.is_again = is_again;
                event->told_pos = is_outcome && !row->is_told ? row->pos : 0;
        }
        machine_push(machine, event);
}

static bool tell_untold(void *data, const struct cached_message *row)
{
        struct machine *machine = data;
        deskbell_conversation *conv = conv_by_row(machine, row->conv);
        struct cached_message copy = *row;

        if (!conv)
                return true;
        if (row->state == DESKBELL_DELIVERED || row->state == DESKBELL_READ) {
                copy.state = DESKBELL_SENT;
                sending_tell(machine, conv, &copy, true);
        }
        sending_tell(machine, conv, row, true);
        return true;
}

void sending_tell_untold(struct machine *machine)
{
        cache_messages(machine->cache, MESSAGES_UNTOLD, 0, tell_untold, machine);
}

struct showing {
        struct machine *machine;
        deskbell_conversation *conv;
};

static bool show_one(void *data, const struct cached_message *row)
{
        struct showing *showing = data;

        if (row->pos > showing->conv->shown_upto)
                return false; /* was queued since, and told then */
        sending_tell(showing->machine, showing->conv, row, true);
        return true;
}

void sending_tell_shown(struct machine *machine, deskbell_conversation *conv)
{
        struct showing showing = {machine, conv};

        cache_messages(machine->cache, MESSAGES_SHOWN, conv->row, show_one, &showing);
}

void machine_told(struct machine *machine, int64_t pos)
{
        cache_message_told(machine->cache, pos);
}

/* ---- queueing ---------------------------------------------------------------------------------------------------- */

int outbox_append(struct machine *machine, deskbell_conversation *conv, struct cached_message *row)
{
        row->state = DESKBELL_QUEUED;
        conv_need_row(conv);
        row->conv = conv->row;
        cache_message_add(machine->cache, row);
        struct outgoing *out = outbox_row(row);
        if (!out) {
                cache_fail(machine->cache);
                return DESKBELL_E_NOMEM;
        }
        out->conv = conv;
        list_add(machine, out);
        sending_tell(machine, conv, row, false);
        return 0;
}

/* ---- never ------------------------------------------------------------------------------------------------------- */

static bool copy_row(void *data, const struct cached_message *row)
{
        *(struct outgoing **)data = outbox_row(row);
        return false;
}

int machine_forget(struct machine *machine, const struct cmid *cmid)
{
        struct outgoing *old = NULL;
        int rc = DESKBELL_E_STATE;

        if (!cache_message_get(machine->cache, cmid, copy_row, &old))
                return DESKBELL_E_NOT_FOUND;
        if (!old)
                return DESKBELL_E_NOMEM;
        if (old->row.state == DESKBELL_FAILED || old->row.state == DESKBELL_EXPIRED) {
                uploads_forget_copies(machine, old->row.pos);
                cache_message_drop(machine->cache, old->row.pos);
                answers_gone(machine, cmid);
                machine->failed_count--;
                rc = 0;
        }
        free(old);
        return rc;
}

void machine_status(struct machine *machine, struct deskbell_status *out_status)
{
        out_status->queued = machine->out_count;
        for (const struct outgoing *out = machine->out_first; out; out = out->next)
                out_status->queued += out->is_offered_again;
        out_status->queued += (int64_t)uploads_count(machine);
        out_status->queued_bytes = machine->out_bytes;
        out_status->failed = machine->failed_count;
        out_status->unread = machine->unread_total;
        out_status->is_online = machine->state == SESSION_OPEN;
        out_status->is_caught_up = machine->state == SESSION_OPEN && sync_is_caught_up(machine);
}
