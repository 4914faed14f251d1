/* SPDX-License-Identifier: Apache-2.0 */
/* sdk_host: the commands about files, and looking for words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk_host.h"

static void command_file(struct host *host, char *arguments)
{
        struct deskbell_file_options options = DESKBELL_FILE_OPTIONS_INIT;
        struct deskbell_file_source source = {.path = arguments};
        char *space = strchr(arguments, ' '), cmid[33];

        if (space)
                *space = '\0';
        deskbell_cmid_new(host->client, cmid);
        options.files = &source;
        options.files_count = 1;
        options.text = space ? space + 1 : NULL;
        options.cmid = cmid;
        json_t *line = invoke_line(host, "attach", cmid);
        json_object_set(host->attached, cmid, json_object_get(line, "t_ns"));
        say(host, line, true);
        int rc = deskbell_send_file(host->conv, &options, NULL);
        if (rc < 0)
                refused(host, "upload", cmid, rc);
}

static void on_fetched(deskbell_client *client, int64_t fetch, int error, const char *path, void *data)
{
        struct host *host = data;
        json_t *line = line_new(host, error ? "fail" : "info", "fetched");

        (void)client;
        (void)fetch;
        set_text(line, "path", path);
        if (error)
                set_text(line, "tag", deskbell_error_text(error));
        say(host, line, false);
}

static void on_fetching(deskbell_client *client, int64_t fetch, int64_t received, int64_t total, void *data)
{
        struct host *host = data;
        json_t *line = line_new(host, "info", "fetching");

        (void)client;
        (void)fetch;
        set_number(line, "received", received);
        set_number(line, "total", total);
        say(host, line, false);
}

static void command_fetch(struct host *host, const char *arguments)
{
        struct deskbell_file file = {0};
        char id[33], sha256[65], path[1024];
        long long size;

        if (sscanf(arguments, "%32s %lld %64s %1023s", id, &size, sha256, path) != 4)
                return;
        file.id = id;
        file.size = size;
        for (int i = 0; i < 32; i++)
                if (sscanf(sha256 + 2 * i, "%2hhx", &file.sha256[i]) != 1)
                        return;
        int rc = deskbell_file_fetch(host->client, &file, path, on_fetching, on_fetched, host, NULL);
        if (rc < 0)
                on_fetched(host->client, 0, rc, path, host);
}

static void on_found(deskbell_client *client, int error, const struct deskbell_found *found, size_t count,
                     const char *next, int is_cut, void *data)
{
        struct host *host = data;
        json_t *line = line_new(host, error ? "fail" : "info", "found"), *rows = json_array();

        (void)client;
        (void)next;
        (void)is_cut;
        for (size_t i = 0; i < count; i++)
                json_array_append_new(rows, json_pack("{s:s, s:I, s:s}", "conv", found[i].conversation, "number",
                                                      (json_int_t)found[i].number, "hit", found[i].hit));
        json_object_set_new(line, "rows", rows);
        say(host, line, false);
}

/* pause, resume, cancel */
static void command_upload(struct host *host, const char *what, const char *cmid)
{
        int rc = *what == 'p'   ? deskbell_upload_pause(host->client, cmid)
                 : *what == 'r' ? deskbell_upload_resume(host->client, cmid)
                                : deskbell_upload_cancel(host->client, cmid);

        if (rc < 0)
                refused(host, "upload", cmid, rc);
}

static void command_find(struct host *host, const char *words)
{
        if (deskbell_search(host->client, words, NULL, on_found, host) < 0)
                on_found(host->client, DESKBELL_E_OFFLINE, NULL, 0, "", 0, host);
}

bool host_obey_files(struct host *host, char *line)
{
        if (strncmp(line, "file ", 5) == 0)
                command_file(host, line + 5);
        else if (strncmp(line, "fetch ", 6) == 0)
                command_fetch(host, line + 6);
        else if (strncmp(line, "pause ", 6) == 0)
                command_upload(host, line, line + 6);
        else if (strncmp(line, "resume ", 7) == 0 || strncmp(line, "cancel ", 7) == 0)
                command_upload(host, line, line + 7);
        else if (strncmp(line, "find ", 5) == 0)
                command_find(host, line + 5);
        else if (strcmp(line, "network") == 0)
                deskbell_network_changed(host->client);
        else
                return false;
        return true;
}
