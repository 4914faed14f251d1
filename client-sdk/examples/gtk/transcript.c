/* SPDX-License-Identifier: Apache-2.0 */
/* The list is sorted at all times: by number, and what has no number yet stands behind, in the order it was written. A
 * message of this device enters it when it is queued and moves to its place when the log gives it one; both are the
 * same item, found by cmid. */
#include "transcript.h"

#include <string.h>

struct transcript {
        GListStore *items;
        GHashTable *waiting; /* cmid -> item without a number */
        GHashTable *taps;    /* number of an entry -> id of the choice; "" for a form */
        int64_t first, last; /* numbers known */
        struct deskbell_marks marks;
        int64_t divided_after; /* -1 = no line */
        ChatItem *divided;     /* has the line; NULL = none yet */
};

struct transcript *transcript_new(void)
{
        struct transcript *transcript = g_new0(struct transcript, 1);

        transcript->items = g_list_store_new(CHAT_TYPE_ITEM);
        transcript->waiting = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_object_unref);
        transcript->taps = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
        transcript->divided_after = -1;
        return transcript;
}

struct transcript *transcript_free(struct transcript *transcript)
{
        if (!transcript)
                return NULL;
        g_hash_table_unref(transcript->waiting);
        g_hash_table_unref(transcript->taps);
        g_object_unref(transcript->items);
        g_free(transcript);
        return NULL;
}

GListModel *transcript_model(struct transcript *transcript)
{
        return G_LIST_MODEL(transcript->items);
}

void transcript_clear(struct transcript *transcript)
{
        g_list_store_remove_all(transcript->items);
        g_hash_table_remove_all(transcript->waiting);
        g_hash_table_remove_all(transcript->taps);
        transcript->first = transcript->last = 0;
        transcript->marks = (struct deskbell_marks){0};
        transcript->divided_after = -1;
        transcript->divided = NULL;
}

/* ---- finding ----------------------------------------------------------------------------------------------------- */

static unsigned count(const struct transcript *transcript)
{
        return g_list_model_get_n_items(G_LIST_MODEL(transcript->items));
}

/* Borrowed: the list keeps it. NULL outside the list. */
static ChatItem *at(const struct transcript *transcript, unsigned position)
{
        g_autoptr(ChatItem) item = g_list_model_get_item(G_LIST_MODEL(transcript->items), position);

        return item;
}

/* First position whose number is `number` or more; waiting messages count as more than any. */
static unsigned lower_bound(const struct transcript *transcript, int64_t number)
{
        unsigned low = 0, high = count(transcript);

        while (low < high) {
                unsigned middle = low + (high - low) / 2;
                const ChatItem *item = at(transcript, middle);
                if (item->number > 0 && item->number < number)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

ChatItem *transcript_find(const struct transcript *transcript, int64_t number, unsigned *out_position)
{
        unsigned position = lower_bound(transcript, number);
        ChatItem *item = number > 0 ? at(transcript, position) : NULL;

        if (!item || item->number != number)
                return NULL;
        if (out_position)
                *out_position = position;
        return item;
}

ChatItem *transcript_find_cmid(const struct transcript *transcript, const char *cmid)
{
        ChatItem *item = g_hash_table_lookup(transcript->waiting, cmid);

        for (unsigned i = count(transcript); !item && *cmid && i > 0; i--) {
                ChatItem *each = at(transcript, i - 1);
                item = strcmp(each->cmid, cmid) == 0 ? each : NULL;
        }
        return item;
}

static unsigned position_of(const struct transcript *transcript, const ChatItem *item)
{
        unsigned position = item->number > 0 ? lower_bound(transcript, item->number) : count(transcript) - 1;

        while (position > 0 && at(transcript, position) != item)
                position--;
        return position;
}

ChatItem *transcript_last_own(const struct transcript *transcript)
{
        for (unsigned i = count(transcript); i > 0; i--) {
                ChatItem *item = at(transcript, i - 1);
                if (item_can_be_edited(item))
                        return item;
        }
        return NULL;
}

int64_t transcript_oldest(const struct transcript *transcript)
{
        return transcript->first;
}

int64_t transcript_newest(const struct transcript *transcript)
{
        return transcript->last;
}

static bool counts_as_unread(const ChatItem *item)
{
        return !item->is_mine && item->number > 0 && !item->is_remark && item->kind != DESKBELL_KIND_ERASED;
}

unsigned transcript_unread(const struct transcript *transcript, int64_t seq)
{
        unsigned unread = 0;

        for (unsigned i = lower_bound(transcript, seq + 1), n = count(transcript); i < n; i++)
                unread += counts_as_unread(at(transcript, i));
        return unread;
}

/* ---- neighbours -------------------------------------------------------------------------------------------------- */

static int day_of(const ChatItem *item)
{
        g_autoptr(GDateTime) when = g_date_time_new_from_unix_local(item->ts_ms / 1000);

        return when ? g_date_time_get_year(when) * 1000 + g_date_time_get_day_of_year(when) : 0;
}

static bool follows(const ChatItem *before, const ChatItem *item)
{
        if (before->is_mine != item->is_mine || before->is_remark || item->is_remark || item->begins_unread)
                return false;
        if (!item->is_mine && g_strcmp0(before->author, item->author) != 0)
                return false;
        return before->ts_ms / 60000 == item->ts_ms / 60000;
}

/* Sets how the item stands to its neighbours, and tells its row when that is new. */
static void settle(struct transcript *transcript, unsigned position)
{
        ChatItem *item = at(transcript, position);
        const ChatItem *before = position > 0 ? at(transcript, position - 1) : NULL;
        const ChatItem *after = at(transcript, position + 1);

        if (!item)
                return;
        bool begins_day = !before || day_of(before) != day_of(item);
        bool begins_unread = item == transcript->divided;
        bool was_unread = item->begins_unread;
        item->begins_unread = begins_unread;
        bool begins_group = begins_day || !follows(before, item);
        bool ends_group = !after || after == transcript->divided || !follows(item, after);
        if (begins_day == item->begins_day && begins_unread == was_unread && begins_group == item->begins_group &&
            ends_group == item->ends_group)
                return;
        item->begins_day = begins_day;
        item->begins_group = begins_group;
        item->ends_group = ends_group;
        item_changed(item);
}

static void settle_around(struct transcript *transcript, unsigned position)
{
        if (position > 0)
                settle(transcript, position - 1);
        settle(transcript, position);
        settle(transcript, position + 1);
}

static void place_divider(struct transcript *transcript)
{
        ChatItem *found = NULL, *before = transcript->divided;

        if (transcript->divided_after >= 0)
                for (unsigned i = lower_bound(transcript, transcript->divided_after + 1), n = count(transcript);
                     i < n && !found; i++)
                        found = counts_as_unread(at(transcript, i)) ? at(transcript, i) : NULL;
        if (found == before)
                return;
        transcript->divided = found;
        if (before)
                settle_around(transcript, position_of(transcript, before));
        if (found)
                settle_around(transcript, position_of(transcript, found));
}

void transcript_divide(struct transcript *transcript, int64_t seq)
{
        transcript->divided_after = seq;
        place_divider(transcript);
}

bool transcript_is_divided(const struct transcript *transcript)
{
        return transcript->divided != NULL;
}

/* ---- changing ---------------------------------------------------------------------------------------------------- */

static enum deskbell_message_state state_by_marks(const struct transcript *transcript, const ChatItem *item)
{
        if (item->number <= transcript->marks.staff_read)
                return DESKBELL_READ;
        if (item->number <= transcript->marks.staff_recv && item->state < DESKBELL_DELIVERED)
                return DESKBELL_DELIVERED;
        return item->state;
}

/* What is known beside the entry itself. */
static void complete(struct transcript *transcript, ChatItem *item)
{
        if (item->is_mine && item->number > 0)
                item->state = state_by_marks(transcript, item);
        if (item->choices || item->form)
                item_set_chosen(item, g_hash_table_lookup(transcript->taps, &item->number));
}

void transcript_choose(struct transcript *transcript, int64_t number, const char *id)
{
        ChatItem *item = transcript_find(transcript, number, NULL);

        if (id)
                g_hash_table_insert(transcript->taps, g_memdup2(&number, sizeof(number)), g_strdup(id));
        else
                g_hash_table_remove(transcript->taps, &number);
        if (item) {
                item_set_chosen(item, id);
                item_changed(item);
        }
}

static ChatItem *change(struct transcript *transcript, const struct deskbell_entry *entry)
{
        ChatItem *item = transcript_find(transcript, entry->of, NULL);

        if (!item)
                return NULL;
        item->changing = NULL;
        if (entry->kind == DESKBELL_KIND_ERASE) {
                item->kind = DESKBELL_KIND_ERASED;
                g_clear_pointer(&item->choices, g_ptr_array_unref);
                g_clear_pointer(&item->form, g_ptr_array_unref);
                g_clear_pointer(&item->files, g_ptr_array_unref);
                item_drop_survey(item);
                item_set_text(item, "");
                g_clear_pointer(&item->title, g_free);
                item->title = g_strdup("");
        } else if (item->kind != DESKBELL_KIND_ERASED && entry->version > item->version) {
                item->version = entry->version;
                item_set_text(item, entry->text);
        }
        item_changed(item);
        if (item == transcript->divided)
                place_divider(transcript);
        return item;
}

static bool has_row(const struct deskbell_entry *entry)
{
        if (entry->kind == DESKBELL_KIND_EDIT || entry->kind == DESKBELL_KIND_ERASE ||
            entry->kind == DESKBELL_KIND_REVISION || entry->kind == DESKBELL_KIND_RATING ||
            entry->kind == DESKBELL_KIND_SURVEY_END || entry->log != DESKBELL_PUBLIC)
                return false;
        return entry->kind != DESKBELL_KIND_OTHER || *entry->text;
}

static void know(struct transcript *transcript, const struct deskbell_entry *entry)
{
        if (entry->log != DESKBELL_PUBLIC)
                return;
        if (!transcript->first || entry->number < transcript->first)
                transcript->first = entry->number;
        if (entry->number > transcript->last)
                transcript->last = entry->number;
        if (entry->pressed_seq > 0)
                transcript_choose(transcript, entry->pressed_seq, entry->pressed_id);
        if (entry->filled_seq > 0)
                transcript_choose(transcript, entry->filled_seq, "");
        ChatItem *asked = entry->survey ? transcript_find(transcript, entry->of, NULL) : NULL;
        if (asked) {
                item_take_survey(asked, entry->survey, entry->kind);
                item_changed(asked);
        }
}

static void insert(struct transcript *transcript, ChatItem *item)
{
        unsigned position = item->number > 0 ? lower_bound(transcript, item->number) : count(transcript);

        g_list_store_insert(transcript->items, position, item);
        settle_around(transcript, position);
}

/* The message this device had queued has its place now. */
static ChatItem *promote(struct transcript *transcript, ChatItem *waiting, const struct deskbell_entry *entry)
{
        g_autoptr(ChatItem) item = g_object_ref(waiting);
        unsigned from = position_of(transcript, item), to = lower_bound(transcript, entry->number);

        g_hash_table_remove(transcript->waiting, entry->cmid);
        if (from == to) { /* as a rule: it stays where it is, and its row too */
                item_take_entry(item, entry);
                complete(transcript, item);
                item_changed(item);
                settle_around(transcript, to);
                return item;
        }
        g_list_store_remove(transcript->items, from);
        settle_around(transcript, from);
        item_take_entry(item, entry);
        complete(transcript, item);
        insert(transcript, item);
        return item;
}

ChatItem *transcript_entry(struct transcript *transcript, const struct deskbell_entry *entry)
{
        know(transcript, entry);
        if (entry->kind == DESKBELL_KIND_EDIT || entry->kind == DESKBELL_KIND_ERASE)
                return change(transcript, entry);
        if (!has_row(entry) || transcript_find(transcript, entry->number, NULL))
                return NULL;
        ChatItem *waiting = *entry->cmid ? g_hash_table_lookup(transcript->waiting, entry->cmid) : NULL;
        if (waiting)
                return promote(transcript, waiting, entry);
        g_autoptr(ChatItem) item = item_of_entry(entry);
        complete(transcript, item);
        insert(transcript, item);
        if (!transcript->divided)
                place_divider(transcript);
        return item;
}

/* Messages that answer something on this page show it from now on. */
static void refresh_quotes(struct transcript *transcript, int64_t from, int64_t to)
{
        for (unsigned i = lower_bound(transcript, to + 1), n = count(transcript); i < n; i++) {
                ChatItem *item = at(transcript, i);
                if (item->reply_to >= from && item->reply_to <= to)
                        item_changed(item);
        }
}

void transcript_page(struct transcript *transcript, const struct deskbell_entry *entries, size_t entries_count)
{
        g_autoptr(GPtrArray) page = g_ptr_array_new_with_free_func(g_object_unref);
        int64_t from = entries_count ? entries[0].number : 0, to = from;

        for (size_t i = 0; i < entries_count; i++) {
                to = MAX(to, entries[i].number);
                if (has_row(&entries[i]) && !transcript_find(transcript, entries[i].number, NULL))
                        g_ptr_array_add(page, item_of_entry(&entries[i]));
        }
        for (size_t i = 0; i < entries_count; i++)
                know(transcript, &entries[i]);
        for (unsigned i = 0; i < page->len; i++)
                complete(transcript, page->pdata[i]);
        unsigned position = page->len ? lower_bound(transcript, ((ChatItem *)page->pdata[0])->number) : 0;
        g_list_store_splice(transcript->items, position, 0, page->pdata, page->len);
        for (unsigned i = position ? position - 1 : 0; page->len && i <= position + page->len; i++)
                settle(transcript, i);
        place_divider(transcript);
        refresh_quotes(transcript, from, to);
}

/* ---- the outbox -------------------------------------------------------------------------------------------------- */

void transcript_forget(struct transcript *transcript, const char *cmid)
{
        ChatItem *item = g_hash_table_lookup(transcript->waiting, cmid);

        if (!item)
                return;
        unsigned position = position_of(transcript, item);
        g_list_store_remove(transcript->items, position);
        g_hash_table_remove(transcript->waiting, cmid);
        settle_around(transcript, position);
}

static ChatItem *wait_for(struct transcript *transcript, const struct deskbell_message *message)
{
        ChatItem *item = item_of_message(message);

        item_take_message(item, message);
        g_hash_table_insert(transcript->waiting, g_strdup(message->cmid), item);
        insert(transcript, item);
        return item;
}

void transcript_written(struct transcript *transcript, const char *cmid, const char *text, int64_t reply_to)
{
        struct deskbell_message message = {
                .cmid = cmid,
                .text = text,
                .state = DESKBELL_QUEUED,
                .tag = "",
                .ts_ms = g_get_real_time() / 1000,
        };
        ChatItem *item = transcript_find_cmid(transcript, cmid);

        if (!item)
                item = wait_for(transcript, &message);
        if (item->reply_to != reply_to) {
                item->reply_to = reply_to;
                item_changed(item);
        }
}

/* An edit or an erasure: shown at the message it means while it is under way. */
static void follow_change(struct transcript *transcript, const struct deskbell_message *message)
{
        ChatItem *item = transcript_find(transcript, message->of, NULL);

        if (!item)
                return;
        bool is_under_way = message->state == DESKBELL_QUEUED;
        item->changing = !is_under_way ? NULL : message->operation == DESKBELL_OP_EDIT ? "Saving…" : "Deleting…";
        item_changed(item);
}

void transcript_message(struct transcript *transcript, const struct deskbell_message *message)
{
        if (message->operation != DESKBELL_OP_SEND) {
                follow_change(transcript, message);
                return;
        }
        if (message->state == DESKBELL_FAILED && strcmp(message->tag, "cancelled") == 0) {
                transcript_forget(transcript, message->cmid);
                return;
        }
        ChatItem *item = transcript_find_cmid(transcript, message->cmid);
        if (!item) {
                if (message->number > 0) /* its entry comes or came by itself */
                        return;
                item = wait_for(transcript, message);
        }
        item_take_message(item, message);
        item_changed(item);
}

void transcript_marks(struct transcript *transcript, const struct deskbell_marks *marks)
{
        int64_t from = MIN(transcript->marks.staff_recv, transcript->marks.staff_read);

        transcript->marks = *marks;
        for (unsigned i = lower_bound(transcript, from), n = count(transcript); i < n; i++) {
                ChatItem *item = at(transcript, i);
                if (!item->is_mine || item->number == 0 || item->number > marks->staff_recv)
                        continue;
                enum deskbell_message_state state = state_by_marks(transcript, item);
                if (state != item->state) {
                        item->state = state;
                        item_changed(item);
                }
        }
}
