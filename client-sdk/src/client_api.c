/* SPDX-License-Identifier: Apache-2.0 */
/* The public calls: arguments are checked here, once; what is left is a turn of the machine. */
#include "client_private.h"

const char *deskbell_error_text(int error)
{
        switch (error) {
        case DESKBELL_OK:
                return "it went well";
        case DESKBELL_E_INVALID:
                return "an argument is missing, malformed or out of its range";
        case DESKBELL_E_NOMEM:
                return "out of memory";
        case DESKBELL_E_LOCKED:
                return "another client has this user's file open";
        case DESKBELL_E_STORE:
                return "this device's disk failed or is full";
        case DESKBELL_E_STORE_NEWER:
                return "the file was written by a newer library";
        case DESKBELL_E_OUTBOX_FULL:
                return "too many messages wait to be sent";
        case DESKBELL_E_TOO_LONG:
                return "the text is too long";
        case DESKBELL_E_TEXT:
                return "the text is empty, not UTF-8, or has control characters";
        case DESKBELL_E_NOT_FOUND:
                return "no such message or conversation here";
        case DESKBELL_E_EXISTS:
                return "that message is queued or was sent already";
        case DESKBELL_E_STATE:
                return "not possible in this state";
        case DESKBELL_E_OFFLINE:
                return "there is no session with the server now";
        case DESKBELL_E_REFUSED:
                return "the server refused";
        case DESKBELL_E_WRONG_THREAD:
                return "not allowed inside a callback";
        case DESKBELL_E_TRANSPORT:
                return "the transport could not be started";
        case DESKBELL_E_CANCELLED:
                return "the client is being closed, or the connection went away";
        case DESKBELL_E_OTHER_USER:
                return "the token names another user than this file belongs to";
        case DESKBELL_E_DAMAGED:
                return "the bytes that came are not those of the file";
        case DESKBELL_E_UNSENT:
                return "messages wait to be sent and would be lost";
        case DESKBELL_E_KEY:
                return "the file is sealed under another key, or no key was given";
        case DESKBELL_E_FORM:
                return "what was filled in does not fit the form or survey";
        default:
                return "unknown error";
        }
}

const char *deskbell_version(void)
{
        return DESKBELL_VERSION;
}

/* ---- connection -------------------------------------------------------------------------------------------------- */

static int simple(deskbell_client *client, void (*act)(struct machine *machine))
{
        if (!client)
                return DESKBELL_E_INVALID;
        client_begin(client, false);
        act(client->machine);
        client_end(client);
        return DESKBELL_OK;
}

int deskbell_connect(deskbell_client *client)
{
        return simple(client, machine_connect);
}

int deskbell_disconnect(deskbell_client *client)
{
        return simple(client, machine_disconnect);
}

int deskbell_network_changed(deskbell_client *client)
{
        return simple(client, machine_network_changed);
}

void deskbell_tick(deskbell_client *client)
{
        if (client)
                client_poke(client);
}

int deskbell_set_token(deskbell_client *client, const char *token)
{
        if (!client || !token || !*token || strlen(token) > PROTOCOL_TOKEN_BYTES)
                return DESKBELL_E_INVALID;
        client_begin(client, false);
        int rc = machine_set_token(client->machine, token);
        client_end(client);
        return rc;
}

int deskbell_fd(const deskbell_client *client)
{
        return client ? client->waker.fd : -1;
}

int deskbell_dispatch(deskbell_client *client, int max)
{
        if (!client || client->waker.fd < 0)
                return DESKBELL_E_STATE;
        if (client_is_in_callback(client))
                return DESKBELL_E_WRONG_THREAD;

        pthread_mutex_lock(&client->lock);
        size_t waiting = client->events.count;
        pthread_mutex_unlock(&client->lock);
        if (max > 0 && (size_t)max < waiting)
                waiting = (size_t)max;
        int ran = client_deliver(client, waiting);
        client_poke(client);
        return ran;
}

int deskbell_mute(deskbell_client *client)
{
        if (!client)
                return DESKBELL_E_INVALID;
        client_begin_all(client);
        client_end(client);
        client->is_muted = true;
        return DESKBELL_OK;
}

/* ---- conversations ----------------------------------------------------------------------------------------------- */

bool client_is_line(const char *text, size_t max)
{
        size_t len = strlen(text);

        for (size_t i = 0; i < len; i++)
                if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
                        return false;
        return len >= 1 && len <= max;
}

int deskbell_conversation_open(deskbell_client *client, const char *key, deskbell_conversation **out_conversation)
{
        if (!client || !out_conversation)
                return DESKBELL_E_INVALID;
        key = key ? key : "main";
        if (!client_is_line(key, PROTOCOL_KEY_BYTES))
                return DESKBELL_E_INVALID;

        deskbell_conversation *conv = NULL;
        client_begin(client, false);
        int rc = machine_conv_open(client->machine, span_of(key), &conv);
        int stored = client_end(client);
        if (rc == 0 && stored == 0)
                *out_conversation = conv;
        return rc < 0 ? rc : stored;
}

int deskbell_conversation_open_id(deskbell_client *client, const char *id, deskbell_conversation **out_conversation)
{
        uint64_t number;

        if (!client || !id || !out_conversation || id_read(span_of(id), "cnv", &number) < 0)
                return DESKBELL_E_INVALID;

        deskbell_conversation *conv = NULL;
        client_begin(client, false);
        int rc = machine_conv_open_id(client->machine, number, &conv);
        int stored = client_end(client);
        if (rc == 0 && stored == 0)
                *out_conversation = conv;
        return rc < 0 ? rc : stored;
}

int deskbell_conversation_close(deskbell_conversation *conversation)
{
        if (!conversation)
                return DESKBELL_E_INVALID;
        deskbell_client *client = machine_conv_client(conversation);
        client_begin(client, false);
        machine_conv_close(client->machine, conversation);
        client_end(client);
        return DESKBELL_OK;
}

int deskbell_conversations(deskbell_client *client,
                           int (*each)(const struct deskbell_conversation_info *info, void *data), void *data)
{
        if (!client || !each)
                return DESKBELL_E_INVALID;
        pthread_mutex_lock(&client->lock);
        int rc = machine_conversations(client->machine, each, data);
        pthread_mutex_unlock(&client->lock);
        return rc;
}

deskbell_client *deskbell_conversation_client(const deskbell_conversation *conversation)
{
        return conversation ? machine_conv_client(conversation) : NULL;
}

void deskbell_conversation_id(const deskbell_conversation *conversation, char out_id[18])
{
        if (!out_id)
                return;
        out_id[0] = '\0';
        if (!conversation)
                return;

        deskbell_client *client = machine_conv_client(conversation);
        pthread_mutex_lock(&client->lock);
        uint64_t id = machine_conv_id(conversation);
        pthread_mutex_unlock(&client->lock);
        if (id) {
                id_write(out_id, "cnv", id);
                out_id[ID_TEXT_BYTES] = '\0';
        }
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

/* Length of the UTF-8 character at `at`, 0 when it is not one. */
static size_t utf8_len(const unsigned char *at, size_t left)
{
        static const struct {
                unsigned char mask, lead, low, high;
                size_t len;
        } forms[] = {
                {0x80, 0x00, 0, 0, 1},       {0xff, 0xe0, 0xa0, 0xbf, 3}, {0xff, 0xed, 0x80, 0x9f, 3},
                {0xff, 0xf0, 0x90, 0xbf, 4}, {0xff, 0xf4, 0x80, 0x8f, 4}, {0xf0, 0xe0, 0x80, 0xbf, 3},
                {0xf8, 0xf0, 0x80, 0xbf, 4}, {0xe0, 0xc0, 0x80, 0xbf, 2},
        };

        if (*at == 0xc0 || *at == 0xc1 || *at > 0xf4)
                return 0;
        for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
                if ((*at & forms[i].mask) != forms[i].lead)
                        continue;
                if (forms[i].len > left)
                        return 0;
                if (forms[i].len > 1 && (at[1] < forms[i].low || at[1] > forms[i].high))
                        return 0;
                for (size_t k = 2; k < forms[i].len; k++)
                        if ((at[k] & 0xc0) != 0x80)
                                return 0;
                return forms[i].len;
        }
        return 0;
}

int client_check_text(const char *text)
{
        const unsigned char *at = (const unsigned char *)text;
        size_t left = strlen(text), points = 0;

        if (left == 0)
                return DESKBELL_E_TEXT;
        if (left > PROTOCOL_TEXT_BYTES)
                return DESKBELL_E_TOO_LONG;
        for (; left; points++) {
                size_t len = utf8_len(at, left);
                if (len == 0 || (*at < 0x20 && *at != '\t' && *at != '\n') || *at == 0x7f)
                        return DESKBELL_E_TEXT;
                at += len;
                left -= len;
        }
        return points > PROTOCOL_TEXT_POINTS ? DESKBELL_E_TOO_LONG : 0;
}

bool client_is_utf8(const char *text, size_t *out_points)
{
        const unsigned char *at = (const unsigned char *)text;
        size_t left = strlen(text), len = 1;

        for (*out_points = 0; left && len; ++*out_points) {
                len = utf8_len(at, left);
                at += len;
                left -= len;
        }
        return left == 0;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

int deskbell_mark_read(deskbell_conversation *conversation, int64_t seq)
{
        if (!conversation || seq < 0)
                return DESKBELL_E_INVALID;
        deskbell_client *client = machine_conv_client(conversation);
        client_begin(client, false);
        machine_mark_read(client->machine, conversation, seq);
        return client_end(client);
}

int deskbell_typing(deskbell_conversation *conversation)
{
        if (!conversation)
                return DESKBELL_E_INVALID;
        deskbell_client *client = machine_conv_client(conversation);
        client_begin(client, false);
        machine_typing(client->machine, conversation);
        client_end(client);
        return DESKBELL_OK;
}

int deskbell_set_presence(deskbell_client *client, enum deskbell_availability availability)
{
        if (!client || (availability != DESKBELL_HERE && availability != DESKBELL_AWAY))
                return DESKBELL_E_INVALID;
        client_begin(client, false);
        int rc = machine_set_presence(client->machine, availability);
        client_end(client);
        return rc;
}

int deskbell_entry_done(deskbell_conversation *conversation, enum deskbell_log log, int64_t number)
{
        if (!conversation || number < 0 || (log != DESKBELL_PUBLIC && log != DESKBELL_TEAM))
                return DESKBELL_E_INVALID;
        deskbell_client *client = machine_conv_client(conversation);
        client_begin_all(client); /* an answer that was handed over is on disk with it, not after it */
        int rc = machine_entry_done(client->machine, conversation, (int)log, number);
        int stored = client_end(client);
        return rc < 0 ? rc : stored;
}

int deskbell_history(deskbell_conversation *conversation, const struct deskbell_history_options *given,
                     deskbell_history_fn fn, void *data)
{
        struct deskbell_history_options options = DESKBELL_HISTORY_OPTIONS_INIT;

        if (!conversation || !fn)
                return DESKBELL_E_INVALID;
        if (given && !client_take_struct(&options, sizeof(options), given, sizeof(*given)))
                return DESKBELL_E_INVALID;
        if (options.limit < 1 || options.limit > PROTOCOL_PAGE_ROWS || options.before < 0 || options.after < -1 ||
            (options.before > 0 && options.after >= 0) ||
            (options.log != DESKBELL_PUBLIC && options.log != DESKBELL_TEAM))
                return DESKBELL_E_INVALID;
        deskbell_client *client = machine_conv_client(conversation);
        client_begin(client, false);
        int rc = machine_history(client->machine, conversation, &options, fn, data);
        /* When the turn fails the callback still comes: it is owed. */
        client_end(client);
        return rc;
}

int deskbell_status(deskbell_client *client, struct deskbell_status *out_status)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        if (!client || !out_status || out_status->size < sizeof(size_t) || out_status->size > 4096)
                return DESKBELL_E_INVALID;
        pthread_mutex_lock(&client->lock);
        machine_status(client->machine, &status);
        pthread_mutex_lock(&client->inbox_lock);
        handover_status(&client->handover, &status);
        pthread_mutex_unlock(&client->inbox_lock);
        status.callbacks_waiting = (int)client->events.count;
        pthread_mutex_unlock(&client->lock);
        status.size = out_status->size;
        memcpy(out_status, &status, status.size < sizeof(status) ? status.size : sizeof(status));
        return DESKBELL_OK;
}
