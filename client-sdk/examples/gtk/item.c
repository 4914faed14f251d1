/* SPDX-License-Identifier: Apache-2.0 */
/* What a message is, and the words for it. Texts of the SDK live for its callback only: all are copied here. */
#include "item.h"

#include <gio/gio.h>
#include <string.h>

#include "markup.h"

G_DEFINE_FINAL_TYPE(ChatItem, chat_item, G_TYPE_OBJECT)

static guint changed_signal;

static void choice_free(void *data)
{
        struct item_choice *choice = data;

        g_free(choice->id);
        g_free(choice->label);
        g_free(choice);
}

static void field_free(void *data)
{
        struct item_field *field = data;

        g_free(field->id);
        g_free(field->label);
        g_free(field->input);
        g_free(field->value);
        g_free(field);
}

static void file_free(void *data)
{
        struct item_file *file = data;

        g_free(file->id);
        g_free(file->name);
        g_free(file->media);
        g_free(file->path);
        g_clear_object(&file->picture);
        g_free(file);
}

static void finalize(GObject *object)
{
        ChatItem *item = CHAT_ITEM(object);

        g_free(item->author);
        g_free(item->name);
        g_free(item->text);
        g_free(item->title);
        g_free(item->link);
        g_free(item->chosen);
        g_free(item->tag);
        g_clear_pointer(&item->choices, g_ptr_array_unref);
        g_clear_pointer(&item->form, g_ptr_array_unref);
        g_clear_pointer(&item->files, g_ptr_array_unref);
        item_drop_survey(item);
        G_OBJECT_CLASS(chat_item_parent_class)->finalize(object);
}

static void chat_item_class_init(ChatItemClass *class)
{
        G_OBJECT_CLASS(class)->finalize = finalize;
        changed_signal =
                g_signal_new("changed", CHAT_TYPE_ITEM, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void chat_item_init(ChatItem *item)
{
        item->version = 1;
        item->tag = g_strdup("");
}

void item_changed(ChatItem *item)
{
        g_signal_emit(item, changed_signal, 0);
}

static void set_string(char **slot, char *value)
{
        g_free(*slot);
        *slot = value;
}

void item_set_text(ChatItem *item, const char *text)
{
        set_string(&item->text, g_utf8_make_valid(text, -1));
}

void item_set_chosen(ChatItem *item, const char *id)
{
        set_string(&item->chosen, g_strdup(id));
}

/* ---- from the SDK ------------------------------------------------------------------------------------------------ */

static void copy_choices(ChatItem *item, const struct deskbell_entry *entry)
{
        g_clear_pointer(&item->choices, g_ptr_array_unref);
        if (!entry->choices_count)
                return;
        item->choices = g_ptr_array_new_with_free_func(choice_free);
        for (size_t i = 0; i < entry->choices_count; i++) {
                struct item_choice *choice = g_new0(struct item_choice, 1);
                choice->id = g_strdup(entry->choices[i].id);
                choice->label = markup_clean_line(entry->choices[i].label);
                g_ptr_array_add(item->choices, choice);
        }
}

static void copy_form(ChatItem *item, const struct deskbell_entry *entry)
{
        if (item->form || !entry->form_count)
                return; /* a form never changes; what was typed into it stays */
        item->form = g_ptr_array_new_with_free_func(field_free);
        for (size_t i = 0; i < entry->form_count; i++) {
                struct item_field *field = g_new0(struct item_field, 1);
                field->id = g_strdup(entry->form[i].id);
                field->label = markup_clean_line(entry->form[i].label);
                field->input = g_strdup(entry->form[i].input);
                field->required = entry->form[i].required != 0;
                field->value = g_strdup("");
                g_ptr_array_add(item->form, field);
        }
}

/* Keeps what is known of a file that was there before: its picture and where it lies. */
static void copy_files(ChatItem *item, const struct deskbell_file *files, size_t count)
{
        if (!item->files && count)
                item->files = g_ptr_array_new_with_free_func(file_free);
        for (size_t i = 0; i < count; i++) {
                if (i >= item->files->len)
                        g_ptr_array_add(item->files, g_new0(struct item_file, 1));
                struct item_file *file = item->files->pdata[i];
                set_string(&file->id, g_strdup(files[i].id));
                set_string(&file->name, markup_clean_line(files[i].name));
                set_string(&file->media, g_strdup(files[i].media));
                file->size = files[i].size;
                file->width = files[i].width;
                file->height = files[i].height;
                memcpy(file->sha256, files[i].sha256, sizeof(file->sha256));
        }
}

void item_add_file(ChatItem *item, const char *name, const char *path, GObject *picture)
{
        struct item_file *file = g_new0(struct item_file, 1);
        g_autofree char *type = g_content_type_guess(name, NULL, 0, NULL);

        if (!item->files)
                item->files = g_ptr_array_new_with_free_func(file_free);
        item->kind = DESKBELL_KIND_ATTACHMENT;
        file->id = g_strdup("");
        file->name = markup_clean_line(name);
        file->media = g_content_type_get_mime_type(type);
        if (!file->media)
                file->media = g_strdup("application/octet-stream");
        file->size = -1;
        file->path = g_strdup(path);
        file->place = path ? FILE_HERE : FILE_AWAY;
        file->picture = picture ? g_object_ref(picture) : NULL;
        g_ptr_array_add(item->files, file);
}

struct item_file *item_file_at(const ChatItem *item, unsigned index)
{
        return item->files && index < item->files->len ? item->files->pdata[index] : NULL;
}

bool item_file_is_image(const struct item_file *file)
{
        static const char *const shown[] = {"image/png", "image/jpeg", "image/gif", "image/webp"};

        for (size_t i = 0; i < G_N_ELEMENTS(shown); i++)
                if (strcmp(file->media, shown[i]) == 0)
                        return true;
        return false;
}

void item_take_message(ChatItem *item, const struct deskbell_message *message)
{
        item->state = message->state;
        item->is_paused = message->is_paused != 0;
        set_string(&item->tag, g_strdup(message->tag));
        if (message->files_count) {
                item->kind = DESKBELL_KIND_ATTACHMENT;
                copy_files(item, message->files, message->files_count);
        }
}

void item_take_entry(ChatItem *item, const struct deskbell_entry *entry)
{
        item->number = entry->number;
        g_strlcpy(item->cmid, entry->cmid, sizeof(item->cmid));
        item->kind = entry->kind;
        item->is_mine = entry->is_mine != 0;
        item->is_remark = strcmp(entry->author, "sys") == 0 && !entry->survey;
        item->ts_ms = entry->ts_ms;
        item->version = entry->version;
        item->reply_to = entry->reply_to;
        set_string(&item->author, g_strdup(entry->author));
        set_string(&item->name, markup_clean_line(entry->survey ? entry->survey->brand : entry->name));
        set_string(&item->title, markup_clean_line(entry->title));
        set_string(&item->link, g_strdup(markup_link_is_safe(entry->link) ? entry->link : ""));
        item_set_text(item, entry->text);
        copy_choices(item, entry);
        copy_form(item, entry);
        copy_files(item, entry->files, entry->files_count);
        if (entry->survey)
                item_take_survey(item, entry->survey, entry->kind);
        if (item->is_mine && item->state != DESKBELL_DELIVERED && item->state != DESKBELL_READ)
                item->state = DESKBELL_SENT;
}

ChatItem *item_of_entry(const struct deskbell_entry *entry)
{
        ChatItem *item = g_object_new(CHAT_TYPE_ITEM, NULL);

        item_take_entry(item, entry);
        return item;
}

ChatItem *item_of_message(const struct deskbell_message *message)
{
        ChatItem *item = g_object_new(CHAT_TYPE_ITEM, NULL);

        g_strlcpy(item->cmid, message->cmid, sizeof(item->cmid));
        item->kind = DESKBELL_KIND_TEXT;
        item->is_mine = true;
        item->ts_ms = message->ts_ms;
        item->author = g_strdup("");
        item->name = g_strdup("");
        item->title = g_strdup("");
        item->link = g_strdup("");
        item_set_text(item, message->text);
        return item;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

bool item_has_failed(const ChatItem *item)
{
        return item->state == DESKBELL_FAILED || item->state == DESKBELL_EXPIRED;
}

bool item_is_nowhere(const ChatItem *item)
{
        return item->state == DESKBELL_FAILED && strcmp(item->tag, "store") == 0;
}

bool item_can_be_edited(const ChatItem *item)
{
        return item->is_mine && item->number > 0 && item->kind == DESKBELL_KIND_TEXT;
}

bool item_can_be_erased(const ChatItem *item)
{
        return item->is_mine && item->number > 0 && item->kind != DESKBELL_KIND_ERASED;
}

const char *item_who(const ChatItem *item)
{
        if (item->is_mine)
                return "You";
        return *item->name ? item->name : "Support";
}

const char *item_state_text(const ChatItem *item)
{
        switch (item->state) {
        case DESKBELL_QUEUED:
                return "Waiting to be sent";
        case DESKBELL_UPLOADING:
                return item->is_paused ? "Paused" : "Sending";
        case DESKBELL_SENT:
                return "Sent";
        case DESKBELL_DELIVERED:
                return "Delivered";
        case DESKBELL_READ:
                return "Read";
        case DESKBELL_FAILED:
        case DESKBELL_EXPIRED:
                return "Not sent";
        default:
                return "";
        }
}

const char *item_failure_text(const ChatItem *item)
{
        static const struct {
                const char *tag, *text;
        } reasons[] = {
                {"conflict", "The message was changed elsewhere in the meantime."},
                {"forbidden", "You may not write in this conversation."},
                {"not_found", "What it answers is no longer there."},
                {"idempotency_conflict", "Another message was sent under the same mark."},
                {"rate_limited", "Too many messages in a short time."},
                {"file_missing", "A file is no longer where it was."},
                {"file_changed", "A file was changed before it was sent."},
                {"attachment_too_large", "A file is larger than support accepts."},
                {"store", "This computer's disk is full or failed."},
                {"target_unknown", "The message it belongs to was never sent."},
        };

        if (item->state == DESKBELL_EXPIRED)
                return "The server could not be reached for 30 days.";
        for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++)
                if (strcmp(item->tag, reasons[i].tag) == 0)
                        return reasons[i].text;
        return "The server did not accept this message.";
}

static GDateTime *local_time(int64_t ts_ms)
{
        GDateTime *when = g_date_time_new_from_unix_local(ts_ms / 1000);

        return when ? when : g_date_time_new_from_unix_utc(0);
}

char *item_time(const ChatItem *item)
{
        g_autoptr(GDateTime) when = local_time(item->ts_ms);

        return g_date_time_format(when, "%H:%M");
}

char *item_day(const ChatItem *item)
{
        g_autoptr(GDateTime) when = local_time(item->ts_ms);
        g_autoptr(GDateTime) now = g_date_time_new_now_local();
        g_autoptr(GDateTime) yesterday = g_date_time_add_days(now, -1);

        if (g_date_time_get_year(when) == g_date_time_get_year(now)) {
                if (g_date_time_get_day_of_year(when) == g_date_time_get_day_of_year(now))
                        return g_strdup("Today");
                if (g_date_time_get_day_of_year(when) == g_date_time_get_day_of_year(yesterday))
                        return g_strdup("Yesterday");
                return g_date_time_format(when, "%A, %-e %B");
        }
        return g_date_time_format(when, "%-e %B %Y");
}

char *item_spoken(const ChatItem *item)
{
        g_autofree char *when = item_time(item);
        g_autofree char *text = markup_preview(item->text, 2000);
        GString *out = g_string_new(NULL);

        if (!item->is_remark)
                g_string_append_printf(out, "%s, %s: ", item_who(item), when);
        if (*item->title)
                g_string_append_printf(out, "%s. ", item->title);
        g_string_append(out, item->kind == DESKBELL_KIND_ERASED ? "deleted message" : text);
        if (item->version > 1 && item->kind != DESKBELL_KIND_ERASED)
                g_string_append(out, ", edited");
        if (*item_state_text(item))
                g_string_append_printf(out, ", %s", item_state_text(item));
        return g_string_free(out, FALSE);
}
