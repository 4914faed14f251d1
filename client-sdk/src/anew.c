/* SPDX-License-Identifier: Apache-2.0 */
/* Anew: the disk has damaged the user's file while the client runs. As at the start the file is set aside, a new one
 * takes its place with the messages that could be rescued, and the server tells the rest again. What this process knows
 * by itself goes into it too: who it is, its conversations, and up to where the application was given each of them. */
#include "machine_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "handover.h"

enum { ANEW_EVERY_MS = 60000 }; /* a disk that damages one file after the other */

/* ---- what was in memory ------------------------------------------------------------------------------------------ */

void anew_remember(struct machine *machine, struct anew_before *out_before)
{
        *out_before = (struct anew_before){.first = machine->out_first,
                                           .uploads = machine->uploads,
                                           .me = machine->me,
                                           .has_epoch = machine->has_epoch};
        memcpy(out_before->device, machine->device, sizeof(machine->device));
        memcpy(out_before->epoch, machine->epoch, sizeof(machine->epoch));
        memcpy(out_before->visitor_secret, machine->visitor_secret, sizeof(machine->visitor_secret));
        memcpy(out_before->me_text, machine->me_text, sizeof(machine->me_text));
        machine->out_first = machine->out_last = NULL;
        machine->uploads = NULL;
}

/* A file that cannot be read says nothing of who we are. */
static void stay_who_we_are(struct machine *machine, const struct anew_before *before)
{
        machine->me = before->me;
        machine->has_epoch = before->has_epoch;
        memcpy(machine->device, before->device, sizeof(machine->device));
        memcpy(machine->epoch, before->epoch, sizeof(machine->epoch));
        memcpy(machine->visitor_secret, before->visitor_secret, sizeof(machine->visitor_secret));
        memcpy(machine->me_text, before->me_text, sizeof(machine->me_text));
}

static void release(struct machine *machine, struct anew_before *before)
{
        struct outgoing *first = machine->out_first, *last = machine->out_last;
        struct upload *uploads = machine->uploads;
        int64_t count = machine->out_count, bytes = machine->out_bytes;

        machine->out_first = before->first;
        machine->uploads = before->uploads;
        sending_clear(machine);
        uploads_clear(machine);
        machine->out_first = first;
        machine->out_last = last;
        machine->out_count = count;
        machine->out_bytes = bytes;
        machine->uploads = uploads;
}

static bool is_of_this_turn(const struct machine *machine, const struct cmid *cmid)
{
        for (const struct handed *handed = machine->taken; handed; handed = handed->next)
                if (memcmp(&handed->row.cmid, cmid, sizeof(*cmid)) == 0)
                        return true;
        return false;
}

/* A message that waited and is not in the new file is in the one set aside alone. */
static void tell_when_lost(struct machine *machine, const struct outgoing *out)
{
        struct cached_message row = out->row;

        if (out->is_offered_again || is_of_this_turn(machine, &row.cmid) ||
            cache_message_find(machine->cache, &row.cmid, NULL, NULL) != 0)
                return;
        row.state = DESKBELL_FAILED;
        row.tag = SPAN("damaged");
        row.is_told = true; /* there is no row that could say so */
        sending_tell(machine, out->conv, &row, false);
}

/* ---- the new file ------------------------------------------------------------------------------------------------ */

/* Unless it was rescued. */
static void keep_identity(struct machine *machine)
{
        struct cache *cache = machine->cache;
        uint8_t device[sizeof(machine->device)];

        cache_number_set(cache, "skew", machine->skew_ms);
        push_keep(machine);
        if (cache_value_get(cache, "device", device, sizeof(device)) == sizeof(device))
                return;
        cache_value_set(cache, "device", machine->device, sizeof(machine->device));
        if (machine->me.role != ROLE_NONE)
                cache_value_set(cache, "principal", machine->me_text, strlen(machine->me_text));
        if (machine->visitor_secret[0])
                cache_value_set(cache, "visitor_secret", machine->visitor_secret, strlen(machine->visitor_secret));
        if (machine->has_epoch) {
                cache_value_set(cache, "epoch", machine->epoch, sizeof(machine->epoch));
                cache_note_owner(cache);
        }
}

struct lookup {
        const deskbell_conversation *conv;
        int64_t row;
};

static void look(void *data, const struct cached_conv *row)
{
        struct lookup *lookup = data;
        const deskbell_conversation *conv = lookup->conv;

        if ((conv->id && row->id == conv->id) || (conv->key[0] && span_equal(row->key, span_of(conv->key))))
                lookup->row = row->row;
}

/* No entry is here any more. Reading goes on behind what the application has: with manual_ack, what it is done with. */
static void begin_behind(const deskbell_conversation *conv, struct place *place)
{
        bool is_manual = conv->machine->set.manual_ack;
        struct cached_place old = place->at;
        int64_t upto = conv->is_opened ? place->given : 0;

        if (is_manual)
                upto = old.done;
        place->at = (struct cached_place){.low = upto ? upto + 1 : 0,
                                          .cursor = upto,
                                          .head = old.head > upto ? old.head : upto,
                                          .done = old.done};
        if (is_manual && place->given > upto)
                place->given = upto;
}

static void keep_conv(struct machine *machine, deskbell_conversation *conv)
{
        struct lookup lookup = {.conv = conv};

        conv_take_back(conv);
        cache_convs(machine->cache, look, &lookup);
        conv->row = lookup.row;
        for (int log = 0; log < 2; log++)
                begin_behind(conv, &conv->place[log]);
        conv->feed.rev = 0; /* the server tells it again */
        conv_write(machine, conv);
        if (conv->is_opening)
                conv->shown_upto = cache_message_last(machine->cache);
        if (conv->is_opened)
                cache_opened_put(machine->cache, conv->row, machine->wall_ms);
}

static void fill(void *data)
{
        struct machine *machine = data;

        keep_identity(machine);
        for (size_t i = 0; i < machine->conv_count; i++)
                keep_conv(machine, machine->convs[i]);
}

static void tell(struct machine *machine, const struct anew_before *before, const char *aside)
{
        char rescued[24];

        machine_log(machine, DESKBELL_LOG_ERROR, "the file was damaged: it was set aside");
        for (struct outgoing *out = before ? before->first : NULL; out; out = out->next)
                tell_when_lost(machine, out);
        for (struct upload *upload = before ? before->uploads : NULL; upload; upload = upload->next)
                tell_when_lost(machine, upload->out);
        snprintf(rescued, sizeof(rescued), "%lld", (long long)cache_rescued(machine->cache));
        machine_notice(machine, DESKBELL_NOTICE_STORE_SET_ASIDE, NULL, aside);
        machine_notice(machine, DESKBELL_NOTICE_OUTBOX_RESCUED, NULL, rescued);
}

void anew_check(struct machine *machine, struct anew_before *before)
{
        bool is_due = machine->is_begun && cache_is_damaged(machine->cache) && machine->anew_at_ms <= machine->now_ms;
        char *aside = NULL;

        if (before && machine->is_reload_owed)
                stay_who_we_are(machine, before);
        if (is_due && cache_open_anew(machine->cache, machine->wall_ms, fill, machine, &aside) == 0) {
                machine->anew_at_ms = machine->now_ms + ANEW_EVERY_MS;
                machine_reload(machine);
                tell(machine, before, aside ? aside : "");
                free(aside);
        } else if (is_due) {
                machine->is_reload_owed = true; /* nothing can be read: the next turn tries again */
        }
        if (before)
                release(machine, before);
}
