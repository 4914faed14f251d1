/* SPDX-License-Identifier: Apache-2.0 */
/* Hand-over: see handover.h. A message has one block of memory, for itself and its texts. */
#include "handover.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "machine_private.h"
#include "protocol/hot.h"

/* ---- making ------------------------------------------------------------------------------------------------------ */

static char *put_text(char **at, struct span text)
{
        char *copy = *at;

        if (text.len)
                memcpy(copy, text.at, text.len);
        copy[text.len] = '\0';
        *at += text.len + 1;
        return copy;
}

static size_t room_for(const struct file_source *files, size_t count)
{
        size_t room = count * sizeof(*files);

        for (size_t i = 0; i < count; i++)
                room += strlen(files[i].path) + strlen(files[i].name) + strlen(files[i].media) + 3;
        return room;
}

static void copy_files(struct handed *handed, const struct file_source *files, size_t count, char **at)
{
        for (size_t i = 0; i < count; i++) {
                handed->files[i] = files[i];
                handed->files[i].path = put_text(at, span_of(files[i].path));
                handed->files[i].name = put_text(at, span_of(files[i].name));
                handed->files[i].media = put_text(at, span_of(files[i].media));
        }
        handed->files_count = count;
}

/* A copy of the row with its content, and of the files. NULL: out of memory. */
static struct handed *handed_new(deskbell_conversation *conv, const struct cached_message *row,
                                 const struct file_source *files, size_t count)
{
        struct handed *handed = calloc(1, sizeof(*handed) + room_for(files, count) + row->content.len + 1);
        if (!handed)
                return NULL;

        handed->conv = conv;
        handed->row = *row;
        handed->files = (struct file_source *)(handed + 1);
        char *at = (char *)(handed->files + count);
        copy_files(handed, files, count, &at);
        handed->row.content.at = put_text(&at, row->content);
        return handed;
}

struct handed *handed_free(struct handed *handed)
{
        if (handed && handed->files_count) /* keys of sealed copies */
                OPENSSL_cleanse(handed->files, handed->files_count * sizeof(*handed->files));
        free(handed);
        return NULL;
}

static int make(deskbell_conversation *conv, const struct message_options *options, struct cached_message *row,
                const struct protocol_content *content, const struct file_source *files, size_t count,
                struct handed **out_handed)
{
        char room[1024];
        struct writer writer;
        struct handed *handed = NULL;

        row->cmid = options->cmid;
        row->log = options->log;
        writer_init(&writer, room, sizeof(room));
        content_store(&writer, content);
        row->content = (struct span){writer.bytes, writer.len};
        if (!writer.failed)
                handed = handed_new(conv, row, files, count);
        writer_done(&writer);
        if (!handed)
                return DESKBELL_E_NOMEM;
        handed->what = count ? HANDED_FILES : HANDED_MESSAGE;
        handed->is_named = options->is_named;
        *out_handed = handed;
        return 0;
}

int handed_send(deskbell_conversation *conv, const char *text, const struct message_options *options,
                struct handed **out_handed)
{
        struct machine *machine = conv->machine;
        struct protocol_content content = {
                .has_text = true,
                .text = span_of(text ? text : ""),
                .has_reply_to = options->reply_to > 0,
                .reply_to = options->reply_to,
                .has_pressed = options->pressed_seq > 0,
                .pressed = {.seq = options->pressed_seq, .id = span_of(options->pressed_id)},
        };
        struct cached_message row = {.op = DESKBELL_OP_SEND};
        struct arena arena;
        int rc = 0;

        if (options->log == 1 && !machine->set.is_staff)
                return DESKBELL_E_INVALID;
        arena_init(&arena, NULL, 0);
        if (options->filled_seq)
                rc = forms_answer(machine, conv, options, &arena, &content);
        if (rc == 0)
                rc = make(conv, options, &row, &content, NULL, 0, out_handed);
        arena_done(&arena);
        return rc;
}

/* A row that means message `number`, which must be in the cache. Its cmid is looked up when it is written. */
static int begin_change(const deskbell_conversation *conv, int64_t number, const struct message_options *options,
                        struct cached_message *row)
{
        int64_t low = conv->seen[options->log].low, cursor = conv->seen[options->log].cursor;
        uint64_t epoch = conv->machine->seen_epoch;

        if (low < 1 || number < low || number > cursor)
                return DESKBELL_E_NOT_FOUND;
        row->of = number;
        memcpy(row->epoch, &epoch, sizeof(row->epoch));
        return 0;
}

int handed_edit(deskbell_conversation *conv, int64_t number, int64_t version, const char *text,
                const struct message_options *options, struct handed **out_handed)
{
        struct protocol_content content = {.has_text = true, .text = span_of(text)};
        struct cached_message row = {.op = DESKBELL_OP_EDIT, .version = version};
        int rc = begin_change(conv, number, options, &row);

        return rc < 0 ? rc : make(conv, options, &row, &content, NULL, 0, out_handed);
}

int handed_erase(deskbell_conversation *conv, int64_t number, const struct message_options *options,
                 struct handed **out_handed)
{
        struct protocol_content content = {0};
        struct cached_message row = {.op = DESKBELL_OP_ERASE};
        int rc = begin_change(conv, number, options, &row);

        return rc < 0 ? rc : make(conv, options, &row, &content, NULL, 0, out_handed);
}

int handed_files(deskbell_conversation *conv, const struct file_source *files, size_t count, const char *text,
                 const struct message_options *options, struct handed **out_handed)
{
        struct protocol_content content = {
                .has_text = text != NULL,
                .text = span_of(text),
                .has_reply_to = options->reply_to > 0,
                .reply_to = options->reply_to,
        };
        struct cached_message row = {.op = DESKBELL_OP_SEND};

        if (options->log == 1 && !conv->machine->set.is_staff)
                return DESKBELL_E_INVALID;
        return make(conv, options, &row, &content, files, count, out_handed);
}

int handed_rating(deskbell_conversation *conv, int64_t number, const struct deskbell_rating *rating,
                  const struct message_options *options, struct handed **out_handed)
{
        struct protocol_content content = {0};
        struct cached_message row = {.op = DESKBELL_OP_SEND};
        struct arena arena;

        arena_init(&arena, NULL, 0);
        int rc = surveys_answer(conv->machine, conv, number, rating, &arena, &content);
        if (rc == 0)
                rc = make(conv, options, &row, &content, NULL, 0, out_handed);
        if (rc == 0)
                (*out_handed)->is_rating = true;
        arena_done(&arena);
        return rc;
}

/* ---- making a message of one that failed ------------------------------------------------------------------------- */

struct putting_back {
        struct machine *machine;
        int64_t now_ms; /* corrected wall clock */
        int64_t wall_ms;
        struct handed *handed;
        int rc;
};

/* A new cmid after FAILED; after EXPIRED the old one, as long as the server still knows it, should it have arrived. */
static bool take_old(void *data, const struct cached_message *row)
{
        struct putting_back *back = data;
        struct machine *machine = back->machine;
        deskbell_conversation *conv = conv_by_row(machine, row->conv);
        int64_t allowed_ms = (machine->key_window_days - machine->retry_days) * DAY_MS;
        bool is_late = row->state == DESKBELL_EXPIRED && back->now_ms - row->first_ms >= allowed_ms;

        back->rc = DESKBELL_E_STATE;
        if (!conv || is_late || (row->state != DESKBELL_FAILED && row->state != DESKBELL_EXPIRED))
                return false;
        struct handed *handed = handed_new(conv, row, NULL, 0);
        back->rc = handed ? 0 : DESKBELL_E_NOMEM;
        if (!handed)
                return false;
        handed->what = HANDED_RETRY;
        handed->old = row->cmid;
        handed->row.tag = SPAN("");
        if (row->state == DESKBELL_FAILED) {
                handed->row.cmid = machine_cmid(machine, back->wall_ms);
                handed->row.first_ms = 0;
        }
        back->handed = handed;
        return false;
}

int handed_retry(struct machine *machine, const struct cmid *cmid, int64_t wall_ms, struct handed **out_handed)
{
        struct putting_back back = {machine, wall_ms + machine->skew_ms, wall_ms, NULL, DESKBELL_E_NOT_FOUND};

        if (cache_message_find(machine->cache, cmid, take_old, &back) < 0)
                return DESKBELL_E_STORE;
        if (back.rc == 0)
                *out_handed = back.handed;
        return back.rc;
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

static int64_t bytes_of(const struct handed *handed)
{
        return (int64_t)handed->row.content.len;
}

static bool is_same(const struct cmid *a, const struct cmid *b)
{
        return memcmp(a, b, sizeof(*a)) == 0;
}

static bool is_put_back(const struct handover *handover, const struct cmid *old)
{
        for (const struct handed *handed = handover->first; handed; handed = handed->next)
                if (handed->what == HANDED_RETRY && is_same(&handed->old, old))
                        return true;
        return false;
}

bool handover_has(const struct handover *handover, const struct cmid *cmid)
{
        for (const struct handed *handed = handover->first; handed; handed = handed->next)
                if (is_same(&handed->row.cmid, cmid))
                        return true;
        return false;
}

int handover_put(struct handover *handover, struct handed *handed)
{
        int64_t count = handover->count + handover->taken_count + handover->stored_count;
        int64_t bytes = handover->bytes + handover->taken_bytes + handover->stored_bytes;

        if (handover->is_closed || (handed->what == HANDED_RETRY && is_put_back(handover, &handed->old)))
                return DESKBELL_E_STATE;
        if (handed->is_named && handover_has(handover, &handed->row.cmid))
                return DESKBELL_E_EXISTS;
        if (count >= OUTBOX_MESSAGES || bytes + bytes_of(handed) > OUTBOX_BYTES)
                return DESKBELL_E_OUTBOX_FULL;
        handed->next = NULL;
        if (handover->last)
                handover->last->next = handed;
        else
                handover->first = handed;
        handover->last = handed;
        handover->count++;
        handover->bytes += bytes_of(handed);
        return 0;
}

struct handed *handover_take(struct handover *handover)
{
        struct handed *all = handover->first;

        handover->first = handover->last = NULL;
        handover->taken_count += handover->count;
        handover->taken_bytes += handover->bytes;
        handover->count = handover->bytes = 0;
        return all;
}

void handover_settle(struct handover *handover, const struct machine *machine)
{
        handover->taken_count = handover->taken_bytes = 0;
        handover->stored_count = machine->out_count + (int64_t)uploads_count(machine);
        handover->stored_bytes = machine->out_bytes;
}

void handover_status(const struct handover *handover, struct deskbell_status *status)
{
        status->queued += handover->count;
        status->queued_bytes += handover->bytes;
        for (const struct handed *handed = handover->first; handed; handed = handed->next)
                status->failed -= handed->what == HANDED_RETRY;
}

void handover_clear(struct handover *handover)
{
        struct handed *next, *handed = handover_take(handover);

        for (; handed; handed = next) {
                next = handed->next;
                handed_free(handed);
        }
}
