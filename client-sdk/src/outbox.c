/* SPDX-License-Identifier: Apache-2.0 */
/* Outbox: the messages without a final answer, in the order of queueing, as the file has them; queueing, retrying and
 * forgetting; and telling the application what became of each. */
#include "machine_private.h"

#include <stdlib.h>

#include "protocol/hot.h"

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
        if (event && !event->message.files_count && row->op == DESKBELL_OP_SEND)
                uploads_tell_files(machine, event, row->pos);
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

static bool exists(void *data, const struct cached_message *row)
{
        (void)data;
        (void)row;
        return false;
}

int outbox_check(struct machine *machine, const struct cached_message *row)
{
        int64_t waiting = machine->out_count + (int64_t)uploads_count(machine);

        if (machine->is_logging_out)
                return DESKBELL_E_STATE;
        if (waiting >= OUTBOX_MESSAGES || machine->out_bytes + (int64_t)row->content.len > OUTBOX_BYTES)
                return DESKBELL_E_OUTBOX_FULL;
        return cache_message_get(machine->cache, &row->cmid, exists, NULL) ? DESKBELL_E_EXISTS : 0;
}

int outbox_append(struct machine *machine, deskbell_conversation *conv, struct cached_message *row)
{
        row->state = DESKBELL_QUEUED;
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

/* Writes the row and tells QUEUED. `row` borrows its content. */
static int queue(struct machine *machine, deskbell_conversation *conv, struct cached_message *row)
{
        int rc = outbox_check(machine, row);
        if (rc < 0)
                return rc;

        conv_need_row(conv);
        row->conv = conv->row;
        row->queued_ms = machine_true_wall(machine);
        if (!row->first_ms)
                row->first_ms = row->queued_ms;
        return outbox_append(machine, conv, row);
}

static int queue_content(struct machine *machine, deskbell_conversation *conv, struct cached_message *row,
                         const struct protocol_content *content)
{
        char room[1024];
        struct writer writer;

        writer_init(&writer, room, sizeof(room));
        content_store(&writer, content);
        row->content = (struct span){writer.bytes, writer.len};
        if (row->op != DESKBELL_OP_ERASE && !writer.failed) /* of an edit: to know it whole after damage */
                content_hash(row->op == DESKBELL_OP_SEND ? PROTOCOL_ENTRY_TEXT : PROTOCOL_ENTRY_EDIT, row->content,
                             row->hash);
        int rc = writer.failed ? DESKBELL_E_NOMEM : queue(machine, conv, row);
        writer_done(&writer);
        return rc;
}

int machine_send(struct machine *machine, deskbell_conversation *conv, const char *text,
                 const struct message_options *options)
{
        struct protocol_content content = {
                .has_text = true,
                .text = span_of(text),
                .has_reply_to = options->reply_to > 0,
                .reply_to = options->reply_to,
                .has_pressed = options->pressed_seq > 0,
                .pressed = {.seq = options->pressed_seq, .id = span_of(options->pressed_id)},
        };
        struct cached_message row = {.cmid = options->cmid, .op = DESKBELL_OP_SEND, .log = options->log};

        if (options->log == 1 && !machine->set.is_staff)
                return DESKBELL_E_INVALID;
        return queue_content(machine, conv, &row, &content);
}

struct found {
        bool is_found, has_cmid;
        struct cmid cmid;
};

static bool found_entry(void *data, const struct cached_entry *entry)
{
        struct found *found = data;

        found->is_found = true;
        found->has_cmid = entry->cmid != NULL;
        if (entry->cmid)
                found->cmid = *entry->cmid;
        return false;
}

/* A row that means message `number`, which must be in the cache. */
static int begin_change(struct machine *machine, deskbell_conversation *conv, int64_t number,
                        const struct message_options *options, struct cached_message *row)
{
        struct found found = {0};

        if (conv->row)
                cache_entries(machine->cache, conv->row, options->log, number, number, 1, false, found_entry, &found);
        if (!found.is_found)
                return DESKBELL_E_NOT_FOUND;
        row->cmid = options->cmid;
        row->log = options->log;
        row->of = number;
        row->has_target = found.has_cmid;
        row->target = found.cmid;
        memcpy(row->epoch, machine->epoch, sizeof(row->epoch));
        return 0;
}

int machine_edit(struct machine *machine, deskbell_conversation *conv, int64_t number, int64_t version,
                 const char *text, const struct message_options *options)
{
        struct protocol_content content = {.has_text = true, .text = span_of(text)};
        struct cached_message row = {.op = DESKBELL_OP_EDIT, .version = version};
        int rc = begin_change(machine, conv, number, options, &row);

        return rc < 0 ? rc : queue_content(machine, conv, &row, &content);
}

int machine_erase(struct machine *machine, deskbell_conversation *conv, int64_t number,
                  const struct message_options *options)
{
        struct protocol_content content = {0};
        struct cached_message row = {.op = DESKBELL_OP_ERASE};
        int rc = begin_change(machine, conv, number, options, &row);

        return rc < 0 ? rc : queue_content(machine, conv, &row, &content);
}

/* ---- again, or never --------------------------------------------------------------------------------------------- */

static bool copy_row(void *data, const struct cached_message *row)
{
        *(struct outgoing **)data = outbox_row(row);
        return false;
}

static int put_back(struct machine *machine, deskbell_conversation *conv, struct cached_message *row)
{
        int64_t before = row->pos;
        int rc;

        cache_uploads_move(machine->cache, before, -before); /* dropping the message would take its files along */
        cache_message_drop(machine->cache, before);
        machine->failed_count--;
        row->tag = SPAN("");
        row->number = row->at_seq = row->ts_ms = 0;
        row->is_told = row->is_duplicate = false;
        rc = uploads_wait_again(machine, conv, row, -before) ? 0 : queue(machine, conv, row);
        if (rc == 0 && row->state == DESKBELL_QUEUED)
                cache_uploads_move(machine->cache, -before, row->pos);
        return rc;
}

int machine_retry(struct machine *machine, const struct cmid *cmid, struct cmid *out_cmid)
{
        struct outgoing *old = NULL;
        int64_t allowed_ms = (machine->key_window_days - machine->retry_days) * DAY_MS;

        if (!cache_message_get(machine->cache, cmid, copy_row, &old))
                return DESKBELL_E_NOT_FOUND;
        if (!old)
                return DESKBELL_E_NOMEM;

        struct cached_message row = old->row;
        deskbell_conversation *conv = conv_by_row(machine, row.conv);
        int rc = DESKBELL_E_STATE;
        if (row.state == DESKBELL_FAILED) {
                row.cmid = machine_cmid(machine, machine_true_wall(machine));
                row.first_ms = 0;
                rc = 0;
        } else if (row.state == DESKBELL_EXPIRED && machine_true_wall(machine) - row.first_ms < allowed_ms) {
                rc = 0; /* the server still knows this cmid, should it have arrived */
        }
        if (rc == 0 && machine->is_logging_out)
                rc = DESKBELL_E_STATE;
        if (rc == 0 && machine->out_count + (int64_t)uploads_count(machine) >= OUTBOX_MESSAGES)
                rc = DESKBELL_E_OUTBOX_FULL;
        if (rc == 0 && conv)
                rc = put_back(machine, conv, &row);
        if (rc == 0)
                *out_cmid = row.cmid;
        free(old);
        return rc;
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
