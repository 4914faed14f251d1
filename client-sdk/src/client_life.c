/* SPDX-License-Identifier: Apache-2.0 */
/* The public calls about the life of the application around a client: background, notifications, the end of a user's
 * use of this device. */
#include "client_private.h"
#include "seal.h"

#include <stdlib.h>

enum { FORGET_PUSH_MS = 3000 };

int deskbell_set_background(deskbell_client *client, int is_background)
{
        if (!client || (is_background != 0 && is_background != 1))
                return DESKBELL_E_INVALID;
        client_begin_all(client); /* the process may be ended in the background */
        machine_set_background(client->machine, is_background != 0);
        client_end(client);
        return DESKBELL_OK;
}

static bool is_push_token(const char *token)
{
        size_t len = strlen(token);

        for (size_t i = 0; i < len; i++)
                if (token[i] < 0x20 || token[i] > 0x7e)
                        return false;
        return len >= 1 && len <= PROTOCOL_PUSH_TOKEN_BYTES;
}

int deskbell_set_push(deskbell_client *client, enum deskbell_push service, const char *token)
{
        bool is_service = service >= DESKBELL_PUSH_FCM && service <= DESKBELL_PUSH_CUSTOM;

        if (!client || (token && (!is_service || !is_push_token(token))))
                return DESKBELL_E_INVALID;
        client_begin(client, true);
        int rc = machine_set_push(client->machine, (int)service, token);
        int stored = client_end(client);
        return rc < 0 ? rc : stored;
}

int deskbell_push_received(deskbell_client *client, const char *conversation, int64_t seq, int *out_is_news)
{
        uint64_t conv_id = 0;
        bool is_news = false;

        if (!client || !out_is_news || seq < 0)
                return DESKBELL_E_INVALID;
        if (conversation && id_read(span_of(conversation), "cnv", &conv_id) < 0)
                return DESKBELL_E_INVALID;
        client_begin(client, false);
        int rc = machine_push_received(client->machine, conv_id, seq, &is_news);
        client_end(client);
        if (rc == 0)
                *out_is_news = is_news;
        return rc;
}

int deskbell_change_store_key(deskbell_client *client, const uint8_t *new_key, size_t new_key_len)
{
        if (!client || !new_key || new_key_len != SEAL_KEY_BYTES)
                return DESKBELL_E_INVALID;
        client_begin(client, true);
        int rc = machine_change_store_key(client->machine, new_key);
        int stored = client_end(client);
        if (rc < 0 || stored < 0)
                return rc < 0 ? rc : stored;
        pthread_mutex_lock(&client->lock);
        machine_forget_old_key(client->machine);
        pthread_mutex_unlock(&client->lock);
        return DESKBELL_OK;
}

/* Until the server knows that no notification is wanted here any more; false: it could not be told. */
static bool await_forgotten(struct deskbell_client *client)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;
        int64_t until_ms = platform_mono_ms() + FORGET_PUSH_MS;
        bool has_time = true;

        pthread_mutex_lock(&client->lock);
        machine_status(client->machine, &status);
        while (!machine_is_push_known(client->machine) && status.is_online && has_time) {
                has_time = platform_cond_wait(&client->turned, &client->lock, until_ms);
                machine_status(client->machine, &status);
        }
        bool is_known = machine_is_push_known(client->machine);
        pthread_mutex_unlock(&client->lock);
        return is_known;
}

static void close_handover(struct deskbell_client *client, bool is_closed)
{
        pthread_mutex_lock(&client->inbox_lock);
        client->handover.is_closed = is_closed;
        pthread_mutex_unlock(&client->inbox_lock);
}

int deskbell_log_out(deskbell_client *client, int discard, int *out_was_told)
{
        int wiped = 0;

        if (!client || (discard != 0 && discard != 1))
                return DESKBELL_E_INVALID;
        if (client_is_in_callback(client) || (client->waker.fd < 0 && pthread_equal(client->thread, pthread_self())))
                return DESKBELL_E_WRONG_THREAD;
        close_handover(client, true);
        client_begin_all(client);
        int rc = machine_begin_log_out(client->machine, discard != 0);
        client_end(client);
        if (rc < 0) {
                close_handover(client, false);
                return rc;
        }
        bool was_told = await_forgotten(client);
        char *path = client->store_path;
        client->store_path = NULL;
        machine_wipe_at_close(client->machine, path, &wiped);
        deskbell_close(client);
        free(path);
        if (out_was_told)
                *out_was_told = was_told;
        return wiped;
}
