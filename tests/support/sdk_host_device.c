/* SPDX-License-Identifier: Apache-2.0 */
/* sdk_host: its conversations, and what happens to a device rather than to its messages: background, foreground, a
 * network taken away, a notification that came, a look at everything it shows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk_host.h"

/* ---- conversations ----------------------------------------------------------------------------------------------- */

static int open_one(struct host *host, const char *name, bool is_id)
{
        struct host_conv *one = &host->convs[host->convs_count];
        int rc = is_id ? deskbell_conversation_open_id(host->client, name, &one->handle)
                       : deskbell_conversation_open(host->client, name, &one->handle);

        if (rc == 0)
                host->convs_count++;
        return rc;
}

int host_open_convs(struct host *host)
{
        const char *names = host->conv_ids ? host->conv_ids : host->conv_keys;
        char copy[1024], *rest = copy;
        int rc = 0;

        if (!names && !host->options.agent_token)
                rc = open_one(host, NULL, false);
        if (names && strlen(names) < sizeof(copy)) {
                strcpy(copy, names);
                for (char *name; rc == 0 && (name = strtok_r(rest, ",", &rest)) && host->convs_count < HOST_CONVS_MAX;)
                        rc = open_one(host, name, host->conv_ids != NULL);
        }
        host->conv = host->convs[0].handle;
        return rc;
}

struct host_conv *host_conv_of(struct host *host, const deskbell_conversation *conv)
{
        for (int i = 0; i < host->convs_count; i++)
                if (host->convs[i].handle == conv)
                        return &host->convs[i];
        return NULL;
}

static void choose(struct host *host, const char *number)
{
        int at = atoi(number);

        if (at >= 0 && at < host->convs_count)
                host->conv = host->convs[at].handle;
}

/* ---- a look at everything ---------------------------------------------------------------------------------------- */

static int look_at(const struct deskbell_conversation_info *info, void *data)
{
        const struct deskbell_marks *marks = &info->marks;

        json_array_append_new(
                data, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "conv", info->id, "head", (json_int_t)info->head,
                                "unread", (json_int_t)info->unread, "customer_recv", (json_int_t)marks->customer_recv,
                                "customer_read", (json_int_t)marks->customer_read, "staff_recv",
                                (json_int_t)marks->staff_recv, "staff_read", (json_int_t)marks->staff_read));
        return 0;
}

static void look(struct host *host)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;
        json_t *line = line_new(host, "info", "look"), *rows = json_array();

        deskbell_conversations(host->client, look_at, rows);
        deskbell_status(host->client, &status);
        json_object_set_new(line, "rows", rows);
        set_number(line, "unread", status.unread);
        set_number(line, "queued", status.queued);
        set_number(line, "failed", status.failed);
        say(host, line, false);
}

/* ---- the device -------------------------------------------------------------------------------------------------- */

void host_on_push_settled(deskbell_client *client, int is_caught_up, void *data)
{
        struct host *host = data;
        json_t *line = line_new(host, "info", "settled");

        (void)client;
        json_object_set_new(line, "caught_up", json_boolean(is_caught_up));
        say(host, line, false);
}

static void push_received(struct host *host, const char *arguments)
{
        char conv[24];
        long long seq;
        int is_news = -1;

        if (sscanf(arguments, "%23s %lld", conv, &seq) != 2)
                return;
        int rc = deskbell_push_received(host->client, conv, seq, &is_news);
        json_t *line = line_new(host, rc < 0 ? "fail" : "info", "pushed");
        set_number(line, "news", is_news);
        say(host, line, false);
}

bool host_obey_device(struct host *host, const char *line)
{
        if (strncmp(line, "in ", 3) == 0)
                choose(host, line + 3);
        else if (strcmp(line, "look") == 0)
                look(host);
        else if (strcmp(line, "cache") == 0)
                host_dump(host, DESKBELL_PUBLIC, true);
        else if (strcmp(line, "cache team") == 0)
                host_dump(host, DESKBELL_TEAM, true);
        else if (strcmp(line, "background") == 0)
                deskbell_set_background(host->client, 1);
        else if (strcmp(line, "foreground") == 0)
                deskbell_set_background(host->client, 0);
        else if (strcmp(line, "offline") == 0)
                deskbell_disconnect(host->client);
        else if (strcmp(line, "online") == 0)
                deskbell_connect(host->client);
        else if (strncmp(line, "received ", 9) == 0)
                push_received(host, line + 9);
        else
                return false;
        return true;
}
