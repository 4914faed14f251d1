/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a message out of the application's thread: it is handed over in memory, and the client's thread, which is
 * woken, writes all that waits in one turn. Whoever wants to know at once, or is about to end the client, has such a
 * turn on his own thread. */
#include "client_private.h"

#include <assert.h>

struct cmid client_cmid(struct deskbell_client *client)
{
        return machine_cmid(client->machine, client_wall_ms(client));
}

static void write_cmid(char *out_cmid, const struct cmid *cmid)
{
        if (!out_cmid)
                return;
        cmid_write(out_cmid, cmid);
        out_cmid[CMID_TEXT_BYTES] = '\0';
}

/* ---- turns that write what waits --------------------------------------------------------------------------------- */

struct handed *client_take_handed(struct deskbell_client *client)
{
        pthread_mutex_lock(&client->inbox_lock);
        struct handed *all = handover_take(&client->handover);
        pthread_mutex_unlock(&client->inbox_lock);
        for (struct handed *handed = all; handed; handed = handed->next)
                handed->is_broken = handed->files_count && !client_sync_copies(client, handed);
        return all;
}

void client_settle(struct deskbell_client *client)
{
        pthread_mutex_lock(&client->inbox_lock);
        handover_settle(&client->handover, client->machine);
        pthread_mutex_unlock(&client->inbox_lock);
}

void client_begin_all(struct deskbell_client *client)
{
        client_begin(client, true);
        machine_take(client->machine, client_take_handed(client));
}

/* ---- handing over ------------------------------------------------------------------------------------------------ */

static int put(struct deskbell_client *client, struct handed *handed)
{
        pthread_mutex_lock(&client->inbox_lock);
        int rc = handover_put(&client->handover, handed);
        if (rc == 0 && !client->is_poked) {
                client->is_poked = true;
                pthread_cond_signal(&client->inbox_wake);
        }
        pthread_mutex_unlock(&client->inbox_lock);
        return rc;
}

/* A cmid of the application's own may be in the file, or on its way into it: nothing moves while this looks. */
static int put_named(struct deskbell_client *client, struct handed *handed)
{
        pthread_mutex_lock(&client->lock);
        int rc = machine_has_message(client->machine, &handed->row.cmid);
        if (rc == 0)
                rc = put(client, handed);
        pthread_mutex_unlock(&client->lock);
        return rc;
}

int client_hand_over(struct deskbell_client *client, struct handed *handed, bool waits, char *out_cmid)
{
        struct handed_wait wait = {0};

        assert(handed);
        struct cmid cmid = handed->row.cmid;
        if (waits)
                handed->wait = &wait;
        int rc = handed->is_named ? put_named(client, handed) : put(client, handed);
        if (rc < 0) {
                handed_free(handed);
                return rc;
        }
        if (waits) {
                client_begin_all(client); /* after the turn of the client's thread, which may have written it */
                client_end(client);
        }
        if (wait.rc == 0)
                write_cmid(out_cmid, &cmid);
        return wait.rc;
}

bool client_waits_with(struct deskbell_client *client, const struct cmid *cmid)
{
        pthread_mutex_lock(&client->inbox_lock);
        bool has = handover_has(&client->handover, cmid);
        pthread_mutex_unlock(&client->inbox_lock);
        return has;
}

/* ---- the public calls -------------------------------------------------------------------------------------------- */

void deskbell_cmid_new(deskbell_client *client, char out_cmid[33])
{
        if (!out_cmid)
                return;
        out_cmid[0] = '\0';
        if (!client)
                return;
        struct cmid cmid = client_cmid(client);
        write_cmid(out_cmid, &cmid);
}

int client_take_cmid(struct deskbell_client *client, const char *cmid, struct message_options *out)
{
        out->is_named = cmid != NULL;
        if (cmid)
                return cmid_read(span_of(cmid), &out->cmid) < 0 ? DESKBELL_E_INVALID : 0;
        out->cmid = client_cmid(client);
        return 0;
}

static int take_options(deskbell_client *client, const struct deskbell_send_options *given, struct message_options *out)
{
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;

        if (given &&
            !client_take_struct(&options, sizeof(options), given, offsetof(struct deskbell_send_options, reply_to)))
                return DESKBELL_E_INVALID;
        bool has_id = options.pressed_id && client_is_line(options.pressed_id, 64);
        if ((options.log != DESKBELL_PUBLIC && options.log != DESKBELL_TEAM) || options.reply_to < 0 ||
            options.pressed_seq < 0 || (options.pressed_seq > 0) != has_id ||
            (options.wait_for_disk != 0 && options.wait_for_disk != 1))
                return DESKBELL_E_INVALID;
        int rc = client_check_filled(&options);
        if (rc < 0)
                return rc;
        *out = (struct message_options){
                .waits = options.wait_for_disk != 0,
                .log = (int)options.log,
                .reply_to = options.reply_to,
                .pressed_seq = options.pressed_seq,
                .pressed_id = options.pressed_id,
                .filled_seq = options.filled_seq,
                .filled = options.filled,
                .filled_count = options.filled_count,
        };
        return client_take_cmid(client, options.cmid, out);
}

/* The form that was filled in is looked up in the cache; all else needs no lock. */
static int make_send(deskbell_client *client, deskbell_conversation *conversation, const char *text,
                     const struct message_options *how, struct handed **out_handed)
{
        if (!how->filled_seq)
                return handed_send(conversation, text, how, out_handed);
        pthread_mutex_lock(&client->lock);
        int rc = handed_send(conversation, text, how, out_handed);
        pthread_mutex_unlock(&client->lock);
        return rc;
}

int deskbell_send(deskbell_conversation *conversation, const char *text, const struct deskbell_send_options *options,
                  char *out_cmid)
{
        struct message_options how = {0};
        struct handed *handed = NULL;

        if (!conversation)
                return DESKBELL_E_INVALID;
        deskbell_client *client = machine_conv_client(conversation);
        int rc = text ? client_check_text(text) : 0;
        if (rc == 0)
                rc = take_options(client, options, &how);
        if (rc == 0 && !text && !how.filled_seq)
                rc = DESKBELL_E_INVALID;
        if (rc == 0)
                rc = make_send(client, conversation, text, &how, &handed);
        return rc < 0 ? rc : client_hand_over(client, handed, how.waits, out_cmid);
}

int deskbell_edit(deskbell_conversation *conversation, int64_t number, int64_t version, const char *text,
                  const struct deskbell_send_options *options, char *out_cmid)
{
        struct message_options how = {0};
        struct handed *handed = NULL;

        if (!conversation || !text || number < 1 || version < 1)
                return DESKBELL_E_INVALID;
        deskbell_client *client = machine_conv_client(conversation);
        int rc = client_check_text(text);
        if (rc == 0)
                rc = take_options(client, options, &how);
        if (rc == 0)
                rc = handed_edit(conversation, number, version, text, &how, &handed);
        return rc < 0 ? rc : client_hand_over(client, handed, how.waits, out_cmid);
}

int deskbell_erase(deskbell_conversation *conversation, int64_t number, const struct deskbell_send_options *options,
                   char *out_cmid)
{
        struct message_options how = {0};
        struct handed *handed = NULL;

        if (!conversation || number < 1)
                return DESKBELL_E_INVALID;
        deskbell_client *client = machine_conv_client(conversation);
        int rc = take_options(client, options, &how);
        if (rc == 0)
                rc = handed_erase(conversation, number, &how, &handed);
        return rc < 0 ? rc : client_hand_over(client, handed, how.waits, out_cmid);
}

int deskbell_retry(deskbell_client *client, const char *cmid, char *out_cmid)
{
        struct handed *handed = NULL;
        struct cmid old, fresh = {0};

        if (!client || !cmid || cmid_read(span_of(cmid), &old) < 0)
                return DESKBELL_E_INVALID;
        pthread_mutex_lock(&client->lock);
        int rc = handed_retry(client->machine, &old, client_wall_ms(client), &handed);
        if (rc == DESKBELL_E_NOT_FOUND && client_waits_with(client, &old))
                rc = DESKBELL_E_STATE;
        if (rc == 0) {
                fresh = handed->row.cmid;
                rc = put(client, handed);
                if (rc < 0)
                        handed_free(handed);
        }
        pthread_mutex_unlock(&client->lock);
        if (rc == 0)
                write_cmid(out_cmid, &fresh);
        return rc;
}

int deskbell_forget(deskbell_client *client, const char *cmid)
{
        struct cmid old;

        if (!client || !cmid || cmid_read(span_of(cmid), &old) < 0)
                return DESKBELL_E_INVALID;
        client_begin_all(client);
        int rc = machine_forget(client->machine, &old);
        int stored = client_end(client);
        return rc < 0 ? rc : stored;
}
