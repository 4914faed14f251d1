/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments that are missing, malformed or out of their range: one call for each function, INVALID from each. */
#include "errors_stand.h"

static void on_found(deskbell_client *client, int error, const struct deskbell_found *found, size_t count,
                     const char *next, int is_cut, void *data)
{
        (void)client;
        (void)error;
        (void)found;
        (void)count;
        (void)next;
        (void)is_cut;
        (void)data;
}

static void on_fetched(deskbell_client *client, int64_t fetch, int error, const char *path, void *data)
{
        (void)client;
        (void)fetch;
        (void)error;
        (void)path;
        (void)data;
}

static void nothing(struct stand *stand)
{
        stand_begin(stand, CUSTOMER);
}

static int bad_open(struct stand *stand)
{
        return deskbell_open(NULL, &stand->client);
}

static int bad_mute(struct stand *stand)
{
        (void)stand;
        return deskbell_mute(NULL);
}

static int bad_connect(struct stand *stand)
{
        (void)stand;
        return deskbell_connect(NULL);
}

static int bad_disconnect(struct stand *stand)
{
        (void)stand;
        return deskbell_disconnect(NULL);
}

static int bad_network_changed(struct stand *stand)
{
        (void)stand;
        return deskbell_network_changed(NULL);
}

static int bad_set_background(struct stand *stand)
{
        (void)stand;
        return deskbell_set_background(NULL, 1);
}

static int bad_set_token(struct stand *stand)
{
        return deskbell_set_token(stand->client, "");
}

static int bad_log_out(struct stand *stand)
{
        return deskbell_log_out(stand->client, 7, NULL);
}

static int bad_change_key(struct stand *stand)
{
        return deskbell_change_store_key(stand->client, (const uint8_t *)"short", 5);
}

static int bad_set_push(struct stand *stand)
{
        return deskbell_set_push(stand->client, (enum deskbell_push)99, "device");
}

static int bad_push_received(struct stand *stand)
{
        return deskbell_push_received(stand->client, "odd", 0, NULL);
}

static int bad_conversation_open(struct stand *stand)
{
        return deskbell_conversation_open(stand->client, "\n", &stand->conversation);
}

static int bad_conversation_open_id(struct stand *stand)
{
        return deskbell_conversation_open_id(stand->client, "cnv_", &stand->conversation);
}

static int bad_conversation_close(struct stand *stand)
{
        (void)stand;
        return deskbell_conversation_close(NULL);
}

static int bad_conversations(struct stand *stand)
{
        return deskbell_conversations(stand->client, NULL, NULL);
}

static int bad_send(struct stand *stand)
{
        return deskbell_send(stand->conversation, NULL, NULL, NULL);
}

static int bad_form_check(struct stand *stand)
{
        (void)stand;
        return deskbell_form_check(NULL, 1, NULL, 0, NULL);
}

static int bad_edit(struct stand *stand)
{
        return deskbell_edit(stand->conversation, 0, 1, "x", NULL, NULL);
}

static int bad_erase(struct stand *stand)
{
        return deskbell_erase(stand->conversation, 0, NULL, NULL);
}

static int bad_retry(struct stand *stand)
{
        return deskbell_retry(stand->client, "odd", NULL);
}

static int bad_forget(struct stand *stand)
{
        return deskbell_forget(stand->client, NULL);
}

static int bad_send_file(struct stand *stand)
{
        return deskbell_send_file(stand->conversation, NULL, NULL);
}

static int bad_upload_pause(struct stand *stand)
{
        return deskbell_upload_pause(stand->client, "odd");
}

static int bad_upload_resume(struct stand *stand)
{
        return deskbell_upload_resume(stand->client, "odd");
}

static int bad_upload_cancel(struct stand *stand)
{
        return deskbell_upload_cancel(stand->client, "odd");
}

static int bad_file_fetch(struct stand *stand)
{
        return deskbell_file_fetch(stand->client, NULL, "x", NULL, on_fetched, NULL, NULL);
}

static int bad_file_fetch_cancel(struct stand *stand)
{
        (void)stand;
        return deskbell_file_fetch_cancel(NULL, 1);
}

static int bad_mark_read(struct stand *stand)
{
        return deskbell_mark_read(stand->conversation, -1);
}

static int bad_typing(struct stand *stand)
{
        (void)stand;
        return deskbell_typing(NULL);
}

static int bad_set_presence(struct stand *stand)
{
        return deskbell_set_presence(stand->client, (enum deskbell_availability)99);
}

static int bad_entry_done(struct stand *stand)
{
        return deskbell_entry_done(stand->conversation, DESKBELL_PUBLIC, -1);
}

static int bad_history(struct stand *stand)
{
        return deskbell_history(stand->conversation, NULL, NULL, NULL);
}

static int bad_search(struct stand *stand)
{
        return deskbell_search(stand->client, NULL, NULL, on_found, NULL);
}

static int bad_status(struct stand *stand)
{
        return deskbell_status(stand->client, NULL);
}

static int allocator_half(struct stand *stand)
{
        struct deskbell_allocator half = {.size = sizeof(half)};

        (void)stand;
        return deskbell_set_allocator(&half);
}

const struct row errors_invalid[] = {
        ROW(open, INVALID, nothing, bad_open, CALLED),
        ROW(mute, INVALID, nothing, bad_mute, CALLED),
        ROW(connect, INVALID, nothing, bad_connect, CALLED),
        ROW(disconnect, INVALID, nothing, bad_disconnect, CALLED),
        ROW(network_changed, INVALID, nothing, bad_network_changed, CALLED),
        ROW(set_background, INVALID, nothing, bad_set_background, CALLED),
        ROW(set_token, INVALID, nothing, bad_set_token, CALLED),
        ROW(log_out, INVALID, nothing, bad_log_out, CALLED),
        ROW(change_store_key, INVALID, nothing, bad_change_key, CALLED),
        ROW(set_push, INVALID, nothing, bad_set_push, CALLED),
        ROW(push_received, INVALID, nothing, bad_push_received, CALLED),
        ROW(conversation_open, INVALID, nothing, bad_conversation_open, CALLED),
        ROW(conversation_open_id, INVALID, nothing, bad_conversation_open_id, CALLED),
        ROW(conversation_close, INVALID, nothing, bad_conversation_close, CALLED),
        ROW(conversations, INVALID, nothing, bad_conversations, CALLED),
        ROW(send, INVALID, nothing, bad_send, CALLED),
        ROW(form_check, INVALID, nothing, bad_form_check, CALLED),
        ROW(edit, INVALID, nothing, bad_edit, CALLED),
        ROW(erase, INVALID, nothing, bad_erase, CALLED),
        ROW(retry, INVALID, nothing, bad_retry, CALLED),
        ROW(forget, INVALID, nothing, bad_forget, CALLED),
        ROW(send_file, INVALID, nothing, bad_send_file, CALLED),
        ROW(upload_pause, INVALID, nothing, bad_upload_pause, CALLED),
        ROW(upload_resume, INVALID, nothing, bad_upload_resume, CALLED),
        ROW(upload_cancel, INVALID, nothing, bad_upload_cancel, CALLED),
        ROW(file_fetch, INVALID, nothing, bad_file_fetch, CALLED),
        ROW(file_fetch_cancel, INVALID, nothing, bad_file_fetch_cancel, CALLED),
        ROW(mark_read, INVALID, nothing, bad_mark_read, CALLED),
        ROW(typing, INVALID, nothing, bad_typing, CALLED),
        ROW(set_presence, INVALID, nothing, bad_set_presence, CALLED),
        ROW(entry_done, INVALID, nothing, bad_entry_done, CALLED),
        ROW(history, INVALID, nothing, bad_history, CALLED),
        ROW(search, INVALID, nothing, bad_search, CALLED),
        ROW(status, INVALID, nothing, bad_status, CALLED),
        ROW(set_allocator, INVALID, nothing, allocator_half, CALLED),
        {0},
};
