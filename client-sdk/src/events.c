/* SPDX-License-Identifier: Apache-2.0 */
/* Events: copies of what the protocol decoded, in memory that lives as long as the event. */
#include "events.h"

#include <stdlib.h>

#include "protocol/hot.h"

struct event *event_new(enum event_kind kind)
{
        struct event *event = calloc(1, sizeof(*event));
        if (!event)
                return NULL;

        event->kind = kind;
        arena_init(&event->arena, NULL, 0);
        return event;
}

bool event_is_owed(const struct event *event)
{
        return event->kind == EVENT_HISTORY || event->kind == EVENT_FETCHED || event->kind == EVENT_SEARCH ||
               event->kind == EVENT_CALLED || (event->kind == EVENT_MESSAGE && event->is_lost);
}

struct event *event_free(struct event *event)
{
        if (event) {
                arena_done(&event->arena);
                free(event);
        }
        return NULL;
}

char *event_text(struct event *event, struct span text)
{
        char *copy = arena_take(&event->arena, text.len + 1);
        if (copy && text.len)
                memcpy(copy, text.at, text.len);
        return copy;
}

const char *event_principal(struct event *event, struct principal_id who)
{
        char text[ID_TEXT_BYTES];

        if (who.role == ROLE_NONE)
                return "";
        return event_text(event, (struct span){text, principal_write(text, who)});
}

static const char *cmid_text(struct event *event, const struct cmid *cmid)
{
        char text[CMID_TEXT_BYTES];

        cmid_write(text, cmid);
        return event_text(event, (struct span){text, sizeof(text)});
}

static int fill_choices(struct event *event, struct deskbell_entry *out, const struct protocol_content *content)
{
        struct deskbell_choice *choices = arena_take(&event->arena, content->choices_count * sizeof(*choices));
        if (!choices)
                return DESKBELL_E_NOMEM;

        for (size_t i = 0; i < content->choices_count; i++) {
                choices[i].id = event_text(event, content->choices[i].id);
                choices[i].label = event_text(event, content->choices[i].label);
                if (!choices[i].id || !choices[i].label)
                        return DESKBELL_E_NOMEM;
        }
        out->choices = choices;
        out->choices_count = content->choices_count;
        return 0;
}

int event_fill_form(struct event *event, struct deskbell_entry *out, const struct protocol_content *content)
{
        struct deskbell_form_field *form = arena_take(&event->arena, content->form_count * sizeof(*form));
        if (!form)
                return DESKBELL_E_NOMEM;

        for (size_t i = 0; i < content->form_count; i++) {
                form[i].id = event_text(event, content->form[i].id);
                form[i].label = event_text(event, content->form[i].label);
                form[i].input = protocol_form_field_input_text(content->form[i].input);
                form[i].required = content->form[i].has_required && content->form[i].required;
                if (!form[i].id || !form[i].label)
                        return DESKBELL_E_NOMEM;
        }
        out->form = form;
        out->form_count = content->form_count;
        return 0;
}

static int fill_filled(struct event *event, struct deskbell_entry *out, const struct protocol_filled *filled)
{
        struct deskbell_form_value *values = arena_take(&event->arena, filled->values_count * sizeof(*values));
        if (!values)
                return DESKBELL_E_NOMEM;

        for (size_t i = 0; i < filled->values_count; i++) {
                values[i].id = event_text(event, filled->values[i].id);
                values[i].value = event_text(event, filled->values[i].value);
                if (!values[i].id || !values[i].value)
                        return DESKBELL_E_NOMEM;
        }
        out->filled_seq = filled->seq;
        out->filled = values;
        out->filled_count = filled->values_count;
        return 0;
}

static struct span text_to_show(const struct protocol_content *content)
{
        if (content->has_text)
                return content->text;
        return content->has_fallback_text ? content->fallback_text : SPAN("");
}

static const char *hex_text_of(struct event *event, const uint8_t *bytes, size_t count)
{
        static const char digits[] = "0123456789abcdef";
        char *text = arena_take(&event->arena, 2 * count + 1);

        for (size_t i = 0; text && i < count; i++) {
                text[2 * i] = digits[bytes[i] >> 4];
                text[2 * i + 1] = digits[bytes[i] & 15];
        }
        return text;
}

static struct deskbell_file *fill_files(struct event *event, const struct protocol_content *content)
{
        struct deskbell_file *files = arena_take(&event->arena, content->files_count * sizeof(*files));
        if (!files)
                return NULL;

        for (size_t i = 0; i < content->files_count; i++) {
                const struct protocol_file_info *info = &content->files[i];

                files[i].id = hex_text_of(event, info->file, sizeof(info->file));
                files[i].name = event_text(event, info->name);
                files[i].media = event_text(event, info->media);
                files[i].size = info->size;
                files[i].width = info->has_width ? (int)info->width : 0;
                files[i].height = info->has_height ? (int)info->height : 0;
                memcpy(files[i].sha256, info->sha256, sizeof(files[i].sha256));
                if (!files[i].id || !files[i].name || !files[i].media)
                        return NULL;
        }
        return files;
}

int event_add_upload(struct event *event, const struct cached_upload *upload)
{
        struct deskbell_message *message = &event->message;
        struct deskbell_file *files = (struct deskbell_file *)message->files;

        if (!files)
                message->files = files = arena_take(&event->arena, PROTOCOL_ATTACHMENTS * sizeof(*files));
        if (!files || message->files_count == PROTOCOL_ATTACHMENTS)
                return DESKBELL_E_NOMEM;
        struct deskbell_file *out = &files[message->files_count];
        out->id = upload->has_file && upload->is_complete ? hex_text_of(event, upload->file, sizeof(upload->file)) : "";
        out->name = event_text(event, upload->name);
        out->media = event_text(event, upload->media);
        out->size = upload->size;
        out->width = upload->width;
        out->height = upload->height;
        if (upload->has_sha256)
                memcpy(out->sha256, upload->sha256, sizeof(out->sha256));
        if (!out->id || !out->name || !out->media)
                return DESKBELL_E_NOMEM;
        message->is_paused |= upload->is_paused && message->state == DESKBELL_UPLOADING;
        message->files_count++;
        return 0;
}

int event_fill_content(struct event *event, struct deskbell_entry *out, const struct protocol_content *content)
{
        struct span title = SPAN(""), link = SPAN("");

        if (content->has_card) {
                title = content->card.title;
                link = content->card.has_url ? content->card.url : link;
        } else if (content->has_article) {
                title = content->article.title;
                link = content->article.url;
        }
        out->reply_to = content->has_reply_to ? content->reply_to : 0;
        out->of = content->has_of ? content->of : 0;
        out->text = event_text(event, text_to_show(content));
        out->title = event_text(event, title);
        out->link = event_text(event, link);
        out->pressed_seq = content->has_pressed ? content->pressed.seq : 0;
        out->pressed_id = event_text(event, content->has_pressed ? content->pressed.id : SPAN(""));
        if (!out->text || !out->title || !out->link || !out->pressed_id)
                return DESKBELL_E_NOMEM;
        if (content->choices_count && fill_choices(event, out, content) < 0)
                return DESKBELL_E_NOMEM;
        if (content->has_filled && fill_filled(event, out, &content->filled) < 0)
                return DESKBELL_E_NOMEM;
        if (content->files_count) {
                out->files = fill_files(event, content);
                out->files_count = out->files ? content->files_count : 0;
                if (!out->files)
                        return DESKBELL_E_NOMEM;
        }
        if ((content->has_survey || content->has_rated || content->has_survey_end) &&
            event_fill_survey(event, out, content) < 0)
                return DESKBELL_E_NOMEM;
        return content->form_count ? event_fill_form(event, out, content) : 0;
}

static int fill_hash(struct deskbell_entry *out, const struct protocol_entry *entry)
{
        char room[1024];
        struct writer writer;

        writer_init(&writer, room, sizeof(room));
        content_store(&writer, &entry->content);
        int rc = writer.failed ? DESKBELL_E_NOMEM : 0;
        if (rc == 0)
                content_hash((int)entry->kind, (struct span){writer.bytes, writer.len}, out->hash);
        writer_done(&writer);
        return rc;
}

int event_fill_entry(struct event *event, struct deskbell_entry *out, deskbell_conversation *conversation,
                     const struct protocol_entry *entry, const char *epoch, struct principal_id who_am_i)
{
        out->conversation = conversation;
        out->log = entry->has_iseq ? DESKBELL_TEAM : DESKBELL_PUBLIC;
        out->number = entry->has_iseq ? entry->iseq : entry->seq;
        out->at_seq = entry->has_iseq && entry->has_at_seq ? entry->at_seq : 0;
        out->epoch = event_text(event, span_of(epoch));
        out->ts_ms = entry->ts;
        out->author = event_principal(event, entry->author);
        out->name = event_text(event, entry->has_name ? entry->name : SPAN(""));
        /* A conversation has one customer, under whatever id he wrote. */
        bool is_mine = entry->author.id == who_am_i.id || who_am_i.role == ROLE_CUSTOMER;
        out->is_mine = is_mine && entry->author.role == who_am_i.role && who_am_i.role != ROLE_NONE;
        out->cmid = entry->has_cmid ? cmid_text(event, &entry->cmid) : "";
        out->kind = (enum deskbell_kind)entry->kind;
        out->version = entry->has_edited ? entry->edited : 1;
        bool tells_version = entry->kind == PROTOCOL_ENTRY_EDIT || entry->kind == PROTOCOL_ENTRY_REVISION;
        if (tells_version && entry->content.has_version)
                out->version = entry->content.version;
        if (!out->epoch || !out->author || !out->name || !out->cmid)
                return DESKBELL_E_NOMEM;
        int rc = fill_hash(out, entry);
        return rc < 0 ? rc : event_fill_content(event, out, &entry->content);
}

/* The `text` member of stored content; its files and what it answers go into the event. NULL: out of memory. */
static const char *take_stored(struct event *event, struct span stored)
{
        char *copy = event_text(event, stored);
        struct reader reader;
        struct fault fault = {0};
        struct protocol_content content;
        if (!copy)
                return NULL;

        reader_init(&reader, copy, stored.len, READER_TOLERANT, &event->arena, &fault);
        int rc = protocol_content_read(&reader, &content);
        if (rc < 0)
                return rc == -PROTOCOL_ERR_INTERNAL ? NULL : "";
        if (content.files_count) {
                event->message.files = fill_files(event, &content);
                event->message.files_count = content.files_count;
                if (!event->message.files)
                        return NULL;
        }
        event->message.pressed_seq = content.has_pressed ? content.pressed.seq : 0;
        event->message.filled_seq = content.has_filled ? content.filled.seq : 0;
        event->message.rated_seq = content.has_rated ? content.rated.seq : 0;
        if (content.has_rated)
                return event_text(event, content.fallback_text);
        return content.has_text ? event_text(event, content.text) : "";
}

static void hex_text(char out[17], const uint8_t bytes[8])
{
        static const char digits[] = "0123456789abcdef";

        for (int i = 0; i < 8; i++) {
                out[2 * i] = digits[bytes[i] >> 4];
                out[2 * i + 1] = digits[bytes[i] & 15];
        }
        out[16] = '\0';
}

int event_fill_message(struct event *event, deskbell_conversation *conversation, const struct cached_message *row)
{
        struct deskbell_message *out = &event->message;
        bool has_place = row->number > 0;
        char epoch[17];

        hex_text(epoch, row->epoch);
        out->conversation = conversation;
        out->cmid = cmid_text(event, &row->cmid);
        out->operation = (enum deskbell_operation)row->op;
        out->state = (enum deskbell_message_state)row->state;
        out->log = (enum deskbell_log)row->log;
        out->number = row->number;
        out->at_seq = row->at_seq;
        out->ts_ms = has_place ? row->ts_ms : row->queued_ms;
        out->epoch = event_text(event, has_place ? span_of(epoch) : SPAN(""));
        out->is_duplicate = row->is_duplicate;
        out->tag = event_text(event, row->tag);
        out->text = take_stored(event, row->content);
        out->of = row->of;
        if (row->op == DESKBELL_OP_SEND)
                memcpy(out->hash, row->hash, sizeof(out->hash));
        return out->cmid && out->epoch && out->tag && out->text ? 0 : DESKBELL_E_NOMEM;
}

int event_read_entry(struct event *event, struct span json, struct protocol_entry *out)
{
        char *copy = event_text(event, json);
        struct reader reader;
        struct fault fault = {0};
        if (!copy)
                return DESKBELL_E_NOMEM;

        reader_init(&reader, copy, json.len, READER_TOLERANT, &event->arena, &fault);
        int rc = protocol_entry_read(&reader, out);
        if (rc < 0)
                return rc == -PROTOCOL_ERR_INTERNAL ? DESKBELL_E_NOMEM : DESKBELL_E_INVALID;
        return 0;
}

void event_list_push(struct event_list *list, struct event *event)
{
        event->next = NULL;
        if (list->last)
                list->last->next = event;
        else
                list->first = event;
        list->last = event;
        list->count++;
}

struct event *event_list_pop(struct event_list *list)
{
        struct event *event = list->first;
        if (!event)
                return NULL;

        list->first = event->next;
        if (!list->first)
                list->last = NULL;
        list->count--;
        event->next = NULL;
        return event;
}

void event_list_move(struct event_list *to, struct event_list *from)
{
        if (!from->first)
                return;
        if (to->last)
                to->last->next = from->first;
        else
                to->first = from->first;
        to->last = from->last;
        to->count += from->count;
        *from = (struct event_list){0};
}

void event_list_clear(struct event_list *list)
{
        struct event *event;

        while ((event = event_list_pop(list)))
                event_free(event);
}
