/* SPDX-License-Identifier: Apache-2.0 */
/* Applying: an entry whose turn it is goes into the file, together with the cursor that counts it; what it says of
 * earlier ones changes those. */
#include "machine_private.h"

static bool is_me(const struct machine *machine, struct principal_id who)
{
        /* A conversation has one customer; what he wrote as a visitor, under another id, is his too. */
        if (machine->me.role == ROLE_CUSTOMER)
                return who.role == ROLE_CUSTOMER;
        return who.role == machine->me.role && who.id == machine->me.id;
}

void sync_put(struct machine *machine, deskbell_conversation *conv, int log, int64_t number,
              const struct protocol_entry *entry)
{
        const struct protocol_entry_info *info = protocol_entry_info(entry->kind);
        struct cached_entry row = {
                .log = log,
                .number = number,
                .kind = (int)entry->kind,
                .of = entry->content.has_of ? entry->content.of : 0,
                .counts = log == 0 && info && info->unread && !is_me(machine, entry->author),
                .cmid = entry->has_cmid ? &entry->cmid : NULL,
        };
        char room[2048];
        struct writer writer;

        conv_need_row(conv);
        row.conv = conv->row;
        writer_init(&writer, room, sizeof(room));
        protocol_entry_write(&writer, entry);
        row.body = (struct span){writer.bytes, writer.len};
        machine->evict_puts++;
        if (!writer.failed)
                cache_entry_put(machine->cache, &row);
        else
                cache_fail(machine->cache);
        writer_done(&writer);
}

/* One cached entry, decoded, in memory of its own. */
struct loaded {
        struct event *memory;
        struct protocol_entry entry;
        int64_t number;
        bool is_found, is_in_vain; /* in vain: no memory */
};

static struct loaded loaded_new(void)
{
        return (struct loaded){.memory = event_new(EVENT_ENTRY)};
}

static void loaded_done(struct machine *machine, struct loaded *loaded)
{
        if (!loaded->memory || loaded->is_in_vain)
                cache_fail(machine->cache); /* better the whole turn again than half of it */
        event_free(loaded->memory);
}

static bool load_one(void *data, const struct cached_entry *row)
{
        struct loaded *loaded = data;

        loaded->number = row->number;
        int rc = loaded->memory ? event_read_entry(loaded->memory, row->body, &loaded->entry) : DESKBELL_E_NOMEM;
        loaded->is_found = rc == 0;
        loaded->is_in_vain = rc == DESKBELL_E_NOMEM;
        return false;
}

static void change_message(struct machine *machine, deskbell_conversation *conv, int log,
                           const struct protocol_entry *edit)
{
        struct loaded loaded = loaded_new();
        int64_t version = edit->content.has_version ? edit->content.version : 0;

        cache_entries(machine->cache, conv->row, log, edit->content.of, edit->content.of, 1, false, load_one, &loaded);
        struct protocol_entry *message = &loaded.entry;
        if (loaded.is_found && message->kind != PROTOCOL_ENTRY_ERASED && edit->content.has_text &&
            version > (message->has_edited ? message->edited : 1)) {
                message->content.has_text = true;
                message->content.text = edit->content.text;
                message->has_edited = true;
                message->edited = version;
                sync_put(machine, conv, log, loaded.number, message);
        }
        loaded_done(machine, &loaded);
}

/* What tells of an erased message shows nothing any more either. */
static void blank_about(struct machine *machine, deskbell_conversation *conv, int log, enum protocol_entry_kind kind,
                        int64_t of)
{
        for (int64_t above = 0;;) {
                struct loaded loaded = loaded_new();
                bool is_found;

                cache_entries_about(machine->cache, conv->row, log, (int)kind, of, above, load_one, &loaded);
                is_found = loaded.is_found;
                if (is_found) {
                        loaded.entry.content.has_text = false;
                        sync_put(machine, conv, log, loaded.number, &loaded.entry);
                        above = loaded.number;
                }
                loaded_done(machine, &loaded);
                if (!is_found)
                        return;
        }
}

static void erase_message(struct machine *machine, deskbell_conversation *conv, int log, int64_t of)
{
        struct loaded loaded = loaded_new();

        cache_entries(machine->cache, conv->row, log, of, of, 1, false, load_one, &loaded);
        if (loaded.is_found) {
                if (loaded.entry.has_cmid) {
                        cache_message_erase(machine->cache, &loaded.entry.cmid);
                        answers_gone(machine, &loaded.entry.cmid);
                }
                loaded.entry.kind = PROTOCOL_ENTRY_ERASED;
                loaded.entry.content = (struct protocol_content){0};
                sync_put(machine, conv, log, loaded.number, &loaded.entry);
        }
        loaded_done(machine, &loaded);
        blank_about(machine, conv, log, PROTOCOL_ENTRY_EDIT, of);
        if (log == 0)
                blank_about(machine, conv, 1, PROTOCOL_ENTRY_REVISION, of);
}

/* The survey says from now on what became of it. */
static void change_survey(struct machine *machine, deskbell_conversation *conv, int64_t of,
                          const struct protocol_content *content)
{
        struct protocol_survey_said room[SURVEY_ANSWERS];
        struct loaded loaded = loaded_new();

        cache_entries(machine->cache, conv->row, 0, of, of, 1, false, load_one, &loaded);
        if (loaded.is_found && loaded.entry.content.has_survey) {
                survey_merge(&loaded.entry.content.survey, content, room);
                sync_put(machine, conv, 0, loaded.number, &loaded.entry);
        }
        loaded_done(machine, &loaded);
}

void sync_apply(struct machine *machine, deskbell_conversation *conv, int log, const struct protocol_entry *entry)
{
        struct place *place = &conv->place[log];
        const struct protocol_entry_info *info = protocol_entry_info(entry->kind);
        bool was_behind = place->at.cursor < place->at.head;

        place->at.cursor++;
        if (place->at.head < place->at.cursor)
                place->at.head = place->at.cursor;
        sync_put(machine, conv, log, place->at.cursor, entry);
        if (entry->kind == PROTOCOL_ENTRY_EDIT && entry->content.has_of)
                change_message(machine, conv, log, entry);
        if (entry->kind == PROTOCOL_ENTRY_ERASE && entry->content.has_of)
                erase_message(machine, conv, log, entry->content.of);
        if (log == 0 && entry->content.has_rated)
                change_survey(machine, conv, entry->content.rated.seq, &entry->content);
        if (log == 0 && entry->content.has_survey_end)
                change_survey(machine, conv, entry->content.of, &entry->content);
        conv_give_live(conv, log, entry);
        conv_touch(conv, true);
        if (log == 0) {
                marks_wrote(conv, entry->author);
                answers_applied(conv, place->at.cursor, entry);
                marks_stored(conv);
                bool is_counted = conv->feed.has_unread && place->at.cursor <= conv->feed.head; /* in the row's count */
                /* The row's count was made with the marks of its time, and an erased message counts no more. */
                bool is_anew = was_behind || entry->kind == PROTOCOL_ENTRY_ERASE;
                if (!(is_anew && marks_count_cached(conv)) && info && info->unread && !is_me(machine, entry->author) &&
                    place->at.cursor > conv->my_read && !is_counted)
                        marks_counted(conv, 1);
        }
}
