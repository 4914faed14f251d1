/* SPDX-License-Identifier: Apache-2.0 */
/* Links: what a transport says, from any thread, waits in the inbox; and the links themselves, opened and closed as the
 * machine wishes. */
#include "client_private.h"

#include <stdlib.h>

enum {
        RETRY_AFTER_MOST_MS = 3600000,
        INPUT_PAUSE_BYTES = 1 << 20,
        INPUT_FLOOD_BYTES = 32 << 20, /* a transport that does not pause */
};

static const char subprotocol[] = "deskbell.v1";

/* ---- inbox: any thread ------------------------------------------------------------------------------------------- */

void client_poke(struct deskbell_client *client)
{
        pthread_mutex_lock(&client->inbox_lock);
        client->is_poked = true;
        pthread_cond_signal(&client->inbox_wake);
        pthread_mutex_unlock(&client->inbox_lock);
}

/* With the inbox lock held. */
static void push_input(struct deskbell_client *client, struct input *input)
{
        input->next = NULL;
        if (client->last_input)
                client->last_input->next = input;
        else
                client->first_input = input;
        client->last_input = input;
        client->input_bytes += input->len;
        pthread_cond_signal(&client->inbox_wake);
}

static struct input *input_new(struct deskbell_link *link, enum input_kind kind, const char *bytes, size_t len)
{
        struct input *input = malloc(sizeof(*input) + len);
        if (!input)
                return NULL;

        *input = (struct input){.link = link, .kind = kind, .len = len};
        if (len)
                memcpy(input->bytes, bytes, len);
        return input;
}

void deskbell_link_opened(deskbell_link *link)
{
        struct input *input = input_new(link, INPUT_OPENED, NULL, 0);

        pthread_mutex_lock(&link->client->inbox_lock);
        link->is_open = true;
        if (input)
                push_input(link->client, input); /* without memory: the machine's patience with it ends by itself */
        pthread_mutex_unlock(&link->client->inbox_lock);
}

int deskbell_link_text(deskbell_link *link, const char *bytes, size_t len)
{
        struct deskbell_client *client = link->client;
        struct input *input = len <= PROTOCOL_SERVER_FRAME_BYTES ? input_new(link, INPUT_TEXT, bytes, len) : NULL;

        pthread_mutex_lock(&client->inbox_lock);
        if (!input || client->input_bytes + len > INPUT_FLOOD_BYTES)
                link->is_flooded = true;
        if (link->is_flooded || link->is_closed) {
                free(input);
                client->is_poked = true;
                pthread_cond_signal(&client->inbox_wake);
        } else {
                push_input(client, input);
        }
        bool is_full = client->input_bytes > INPUT_PAUSE_BYTES || link->is_flooded;
        if (is_full)
                link->is_paused = true;
        pthread_mutex_unlock(&client->inbox_lock);
        return is_full;
}

void deskbell_link_closed(deskbell_link *link, int code)
{
        struct deskbell_client *client = link->client;
        struct input *input = input_new(link, INPUT_CLOSED, NULL, 0);

        pthread_mutex_lock(&client->inbox_lock);
        link->is_closed = true;
        if (input) {
                input->code = code;
                push_input(client, input);
        }
        client->is_poked = true;
        pthread_cond_signal(&client->inbox_wake);
        pthread_mutex_unlock(&client->inbox_lock);
}

/* The ones that are told, spelled once. */
static const char *known_reason(const char *why)
{
        static const char *const reasons[] = {"tls", "tls_pin", "proxy", "proxy_auth", "handshake"};

        for (size_t i = 0; why && i < sizeof(reasons) / sizeof(reasons[0]); i++)
                if (strcmp(why, reasons[i]) == 0)
                        return reasons[i];
        return "network";
}

void deskbell_link_failed(deskbell_link *link, const char *why, const char *detail, int64_t retry_after_ms)
{
        struct deskbell_client *client = link->client;
        const char *reason = known_reason(why);
        struct input *input = input_new(link, INPUT_FAILED, reason, strlen(reason) + 1);

        if (detail)
                road_log(client->road, DESKBELL_LOG_INFO, reason, detail);
        pthread_mutex_lock(&client->inbox_lock);
        link->is_closed = true;
        if (input) {
                input->retry_after_ms = retry_after_ms < RETRY_AFTER_MOST_MS ? retry_after_ms : RETRY_AFTER_MOST_MS;
                push_input(client, input);
        }
        client->is_poked = true;
        pthread_cond_signal(&client->inbox_wake);
        pthread_mutex_unlock(&client->inbox_lock);
}

/* ---- links: the client's thread, under the lock ------------------------------------------------------------------ */

void client_unlink(struct deskbell_client *client, struct deskbell_link *link)
{
        struct deskbell_link **at = &client->links;

        while (*at != link)
                at = &(*at)->next;
        *at = link->next;
        if (client->current == link)
                client->current = NULL;
        free(link);
}

void client_close_link(struct deskbell_client *client, int code)
{
        struct deskbell_link *link = client->current;
        if (!link)
                return;

        client->current = NULL;
        pthread_mutex_lock(&client->inbox_lock);
        bool is_closed = link->is_closed;
        pthread_mutex_unlock(&client->inbox_lock);
        if (!is_closed)
                client->transport.close(client->transport.data, link, code);
}

static void open_link(struct deskbell_client *client)
{
        struct deskbell_link *link = calloc(1, sizeof(*link));

        client_close_link(client, 1000);
        if (link) {
                link->client = client;
                link->next = client->links;
                client->links = link;
                client->current = link;
                if (client->transport.open(client->transport.data, client->url, subprotocol,
                                           PROTOCOL_SERVER_FRAME_BYTES, link) == 0)
                        return;
                client_unlink(client, link);
        }
        machine_begin(client->machine, client_mono_ms(client), client_wall_ms(client), false);
        machine_link_closed(client->machine, 1006);
        machine_end(client->machine);
}

void client_obey(struct deskbell_client *client)
{
        struct machine_frame *frame;
        enum machine_wish wish;
        struct job *job;
        int code;

        while ((wish = machine_wish(client->machine, &code)) != WISH_NOTHING) {
                if (wish == WISH_OPEN)
                        open_link(client);
                else
                        client_close_link(client, code);
        }
        while ((job = machine_job_take(client->machine))) {
                if (client->transfer)
                        transfer_post(client->transfer, job);
                else
                        job_free(job);
        }
        while ((frame = machine_frame_take(client->machine))) {
                if (client->current)
                        client->transport.send(client->transport.data, client->current, frame->bytes, frame->len);
                free(frame);
        }
}
