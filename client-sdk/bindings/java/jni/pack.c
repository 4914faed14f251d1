/* SPDX-License-Identifier: Apache-2.0 */
/* The structs of deskbell.h as records: each function writes the members in the order in which the constructor of the
 * Java class of that name reads them. */
#include "bridge.h"

void pack_state(struct record *record, const struct deskbell_state *state)
{
        record_number(record, state->connection);
        record_number(record, state->retry_in_ms);
        record_text(record, state->why);
        record_number(record, state->caught_up);
        record_text(record, state->principal);
        record_text(record, state->name);
        record_text(record, state->epoch);
}

static void pack_files(struct record *record, const struct deskbell_file *files, size_t count)
{
        record_number(record, (int64_t)count);
        for (const struct deskbell_file *file = files; file < files + count; file++) {
                record_text(record, file->id);
                record_text(record, file->name);
                record_text(record, file->media);
                record_number(record, file->size);
                record_number(record, file->width);
                record_number(record, file->height);
                record_raw(record, file->sha256, sizeof(file->sha256));
        }
}

void pack_choices(struct record *record, const struct deskbell_choice *choices, size_t count)
{
        record_number(record, (int64_t)count);
        for (const struct deskbell_choice *choice = choices; choice < choices + count; choice++) {
                record_text(record, choice->id);
                record_text(record, choice->label);
        }
}

static void pack_form(struct record *record, const struct deskbell_form_field *form, size_t count)
{
        record_number(record, (int64_t)count);
        for (const struct deskbell_form_field *field = form; field < form + count; field++) {
                record_text(record, field->id);
                record_text(record, field->label);
                record_text(record, field->input);
                record_number(record, field->required);
        }
}

static void pack_filled(struct record *record, const struct deskbell_form_value *filled, size_t count)
{
        record_number(record, (int64_t)count);
        for (const struct deskbell_form_value *value = filled; value < filled + count; value++) {
                record_text(record, value->id);
                record_text(record, value->value);
        }
}

static void pack_entry_head(struct record *record, const struct deskbell_entry *entry)
{
        record_number(record, handle_of(entry->conversation));
        record_number(record, entry->origin);
        record_number(record, entry->log);
        record_number(record, entry->number);
        record_number(record, entry->at_seq);
        record_text(record, entry->epoch);
        record_number(record, entry->ts_ms);
        record_text(record, entry->author);
        record_text(record, entry->name);
        record_number(record, entry->is_mine);
        record_text(record, entry->cmid);
}

void pack_entry(struct record *record, const struct deskbell_entry *entry)
{
        pack_entry_head(record, entry);
        record_number(record, entry->kind);
        record_number(record, entry->version);
        record_number(record, entry->of);
        record_number(record, entry->reply_to);
        record_text(record, entry->text);
        pack_choices(record, entry->choices, entry->choices_count);
        pack_form(record, entry->form, entry->form_count);
        record_text(record, entry->title);
        record_text(record, entry->link);
        record_number(record, entry->pressed_seq);
        record_text(record, entry->pressed_id);
        record_raw(record, entry->hash, sizeof(entry->hash));
        pack_files(record, entry->files, entry->files_count);
        record_number(record, entry->filled_seq);
        pack_filled(record, entry->filled, entry->filled_count);
        pack_survey(record, entry->survey);
}

void pack_message(struct record *record, const struct deskbell_message *message)
{
        record_number(record, handle_of(message->conversation));
        record_text(record, message->cmid);
        record_number(record, message->operation);
        record_number(record, message->state);
        record_number(record, message->is_again);
        record_number(record, message->log);
        record_number(record, message->number);
        record_number(record, message->at_seq);
        record_number(record, message->ts_ms);
        record_text(record, message->epoch);
        record_number(record, message->is_duplicate);
        record_text(record, message->tag);
        record_text(record, message->text);
        record_number(record, message->of);
        record_raw(record, message->hash, sizeof(message->hash));
        pack_files(record, message->files, message->files_count);
        record_number(record, message->is_paused);
        record_number(record, message->pressed_seq);
        record_number(record, message->filled_seq);
        record_number(record, message->rated_seq);
}

void pack_progress(struct record *record, const struct deskbell_progress *progress)
{
        record_number(record, handle_of(progress->conversation));
        record_text(record, progress->cmid);
        record_number(record, (int64_t)progress->file);
        record_number(record, (int64_t)progress->files);
        record_number(record, progress->sent);
        record_number(record, progress->total);
}

void pack_presence(struct record *record, const struct deskbell_presence *presence)
{
        record_number(record, presence->of);
        record_number(record, presence->is_here);
        record_number(record, handle_of(presence->conversation));
        record_text(record, presence->customer);
        record_number(record, presence->last_seen_ms);
}

void pack_device_answer(struct record *record, const struct deskbell_device_answer *answer)
{
        record_number(record, handle_of(answer->conversation));
        record_text(record, answer->cmid);
        record_text(record, answer->text);
        record_text(record, answer->rule);
        record_text(record, answer->version);
        record_number(record, answer->ts_ms);
        record_number(record, answer->is_again);
        record_number(record, answer->is_taken_back);
}

void pack_info(struct record *record, const struct deskbell_conversation_info *info)
{
        record_number(record, handle_of(info->conversation));
        record_text(record, info->id);
        record_text(record, info->key);
        record_text(record, info->customer);
        record_text(record, info->customer_name);
        record_number(record, info->has_left);
        record_number(record, info->head);
        record_number(record, info->ihead);
        record_number(record, info->rev);
        record_number(record, info->marks.customer_recv);
        record_number(record, info->marks.customer_read);
        record_number(record, info->marks.staff_recv);
        record_number(record, info->marks.staff_read);
        record_number(record, info->unread);
        record_number(record, info->unanswered);
        record_number(record, info->waiting_since_ms);
        record_number(record, info->last_ts_ms);
        record_text(record, info->last_author);
        record_text(record, info->last_preview);
}

void pack_found(struct record *record, const struct deskbell_found *found)
{
        record_text(record, found->conversation);
        record_text(record, found->customer);
        record_number(record, found->log);
        record_number(record, found->number);
        record_number(record, found->ts_ms);
        record_text(record, found->author);
        record_text(record, found->kind);
        record_text(record, found->before);
        record_text(record, found->hit);
        record_text(record, found->after);
}

void pack_status(struct record *record, const struct deskbell_status *status)
{
        record_number(record, status->queued);
        record_number(record, status->queued_bytes);
        record_number(record, status->failed);
        record_number(record, status->unread);
        record_number(record, status->is_online);
        record_number(record, status->is_caught_up);
        record_number(record, status->callbacks_waiting);
}
