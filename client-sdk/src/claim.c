/* SPDX-License-Identifier: Apache-2.0 */
/* Claim: the visitor of this device is the user of this client from now on. The visitor's file stays as it is until the
 * server has said yes; in that turn its conversations and what it had not sent are taken over, under their old keys and
 * cmids, and once the turn is in the user's file the visitor's is not needed any more. Being interrupted anywhere is
 * harmless: the same user may repeat a claim, and what is in the outbox already is not taken again. */
#include "machine_private.h"

#include "protocol/ids.h"

/* One conversation of the visitor that is being taken over. */
struct taking {
        struct machine *machine;
        deskbell_conversation *conv;
        bool is_same;   /* the visitor became the user: its conversations are where they were */
        bool has_taken; /* messages */
        int64_t pos;    /* of the message taken last */
};

void claim_load(struct machine *machine)
{
        size_t room = sizeof(machine->claim_secret) - 1, len;

        machine->claim_secret[0] = '\0';
        if (!machine->set.visitor || machine->is_claimed || machine->is_claim_refused)
                return;
        len = cache_value_get(machine->set.visitor, "visitor_secret", machine->claim_secret, room);
        machine->claim_secret[len <= room ? len : 0] = '\0';
}

/* Where the user has one already he goes on in it. To a known user the server gives the visitor's conversations under
 * keys of their own, which the feed tells: until then nothing is sent there. */
static deskbell_conversation *conv_for(const struct taking *taking, const struct cached_conv *row)
{
        struct machine *machine = taking->machine;
        bool is_moved = row->id && !taking->is_same;
        deskbell_conversation *conv = row->id ? conv_by_id(machine, row->id) : NULL;

        if (!conv && !is_moved)
                conv = conv_by_key(machine, row->key);
        return conv ? conv : conv_add(machine, is_moved ? row->id : 0, is_moved ? SPAN("") : row->key);
}

static bool is_there(void *data, const struct cached_message *row)
{
        (void)row;
        *(bool *)data = true;
        return false;
}

/* Where the visitor's copies of bytes are they stay: the path is whole. */
static bool take_file(void *data, const struct cached_upload *row)
{
        struct taking *taking = data;
        struct cached_upload copy = *row;

        copy.pos = taking->pos;
        cache_upload_put(taking->machine->cache, &copy);
        return true;
}

static bool take_message(void *data, const struct cached_message *row)
{
        struct taking *taking = data;
        struct cache *cache = taking->machine->cache;
        struct cached_message copy = *row;
        bool is_known = false;

        cache_message_get(cache, &row->cmid, is_there, &is_known);
        if (is_known)
                return true;
        conv_need_row(taking->conv);
        copy.conv = taking->conv->row;
        if (copy.state != DESKBELL_FAILED && copy.state != DESKBELL_EXPIRED && copy.state != DESKBELL_UPLOADING)
                copy.state = DESKBELL_QUEUED;
        cache_message_add(cache, &copy);
        cache_message_save(cache, &copy);
        taking->pos = copy.pos;
        cache_uploads(taking->machine->set.visitor, row->pos, take_file, taking);
        taking->has_taken = true;
        if (taking->conv->is_opened && !taking->conv->is_opening)
                sending_tell(taking->machine, taking->conv, &copy, false);
        return true;
}

static void take_conv(void *data, const struct cached_conv *row)
{
        struct taking *taking = data;
        struct cache *visitor = taking->machine->set.visitor;

        taking->conv = conv_for(taking, row);
        if (!taking->conv) {
                cache_fail(taking->machine->cache);
                return;
        }
        cache_messages(visitor, MESSAGES_UNSENT, row->row, take_message, taking);
        cache_messages(visitor, MESSAGES_SHOWN, row->row, take_message, taking);
}

/* What the user has queued since was written later: it goes behind what the visitor had queued. */
static void line_up(struct machine *machine)
{
        for (struct outgoing *out = machine->out_first; out; out = out->next) {
                struct cached_message copy = out->row;
                if (copy.state != DESKBELL_QUEUED)
                        continue;
                int64_t before = copy.pos;
                cache_uploads_move(machine->cache, before, -before);
                cache_message_drop(machine->cache, before);
                cache_message_add(machine->cache, &copy);
                cache_uploads_move(machine->cache, -before, copy.pos);
        }
        for (size_t i = 0; i < machine->conv_count; i++)
                if (machine->convs[i]->is_opening)
                        machine->convs[i]->shown_upto = cache_message_last(machine->cache);
}

void claim_accepted(struct machine *machine)
{
        struct taking taking = {.machine = machine};
        char who[ID_TEXT_BYTES + 1];
        size_t len;

        if (!machine->set.visitor || machine->is_claimed || machine->is_claim_refused)
                return;
        len = cache_value_get(machine->set.visitor, "principal", who, ID_TEXT_BYTES);
        taking.is_same = span_equal((struct span){who, len <= ID_TEXT_BYTES ? len : 0}, span_of(machine->me_text));
        cache_begin(machine->set.visitor, false); /* a turn without changes: it says whether reading went well */
        cache_convs(machine->set.visitor, take_conv, &taking);
        if (cache_commit(machine->set.visitor) < 0)
                cache_fail(machine->cache);
        if (taking.has_taken)
                line_up(machine);
        sending_clear(machine);
        sending_load(machine);
        uploads_clear(machine);
        uploads_load(machine);
        machine->is_claiming = true;
}

bool claim_refused(struct machine *machine, const struct protocol_error_body *error)
{
        if (!machine->claim_secret[0] || !span_equal(error->field, SPAN("claim")))
                return false;
        machine->is_claim_refused = true;
        machine->claim_secret[0] = '\0';
        machine_notice(machine, DESKBELL_NOTICE_CLAIM_REFUSED, NULL, "");
        return true;
}

void claim_turn_ended(struct machine *machine, bool is_kept)
{
        if (machine->is_claiming && is_kept) {
                machine->is_claimed = true;
                machine->claim_secret[0] = '\0';
        }
        machine->is_claiming = false;
}

bool machine_has_claimed(const struct machine *machine)
{
        return machine->is_claimed;
}
