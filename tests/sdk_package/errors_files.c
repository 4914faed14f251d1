/* SPDX-License-Identifier: Apache-2.0 */
/* The errors of messages with files and of fetching files. */
#include "errors_stand.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct deskbell_file_source source = {.bytes = "abc", .bytes_len = 3, .name = "a.txt"};

static struct deskbell_file_options files(void)
{
        struct deskbell_file_options options = DESKBELL_FILE_OPTIONS_INIT;

        options.files = &source;
        options.files_count = 1;
        return options;
}

static int upload_as(struct stand *stand, const char *text, const char *cmid)
{
        struct deskbell_file_options options = files();

        options.text = text;
        options.cmid = cmid;
        return deskbell_send_file(stand->conversation, &options, NULL);
}

static void on_fetched(deskbell_client *client, int64_t fetch, int error, const char *path, void *data)
{
        (void)client;
        (void)fetch;
        (void)error;
        (void)path;
        (void)data;
}

static int fetch_to(struct stand *stand, const char *name)
{
        struct deskbell_file file = {.id = "0123456789abcdef0123456789abcdef", .name = "a.txt", .size = 3};
        char path[128];

        snprintf(path, sizeof(path), "%s/%s", stand->folder, name);
        return deskbell_file_fetch(stand->client, &file, path, NULL, on_fetched, NULL, NULL);
}

static int fetch_next(struct stand *stand)
{
        static int number;
        char name[24];

        snprintf(name, sizeof(name), "fetched-%d", ++number);
        return fetch_to(stand, name);
}

CALL(upload_one, upload_as(stand, NULL, NULL))
CALL(upload_pause, deskbell_upload_pause(stand->client, stand->cmid))
CALL(upload_resume, deskbell_upload_resume(stand->client, stand->cmid))
CALL(upload_cancel, deskbell_upload_cancel(stand->client, stand->cmid))
CALL(pause_unknown, deskbell_upload_pause(stand->client, UNKNOWN))
CALL(resume_unknown, deskbell_upload_resume(stand->client, UNKNOWN))
CALL(cancel_unknown, deskbell_upload_cancel(stand->client, UNKNOWN))
CALL(fetch_cancel_unknown, deskbell_file_fetch_cancel(stand->client, 77))
CALL(upload_long, upload_as(stand, stand_long_text, NULL))
CALL(upload_odd, upload_as(stand, "\x01", NULL))

static int upload_same_twice(struct stand *stand)
{
        assert_int_equal(0, upload_as(stand, NULL, UNKNOWN));
        return upload_as(stand, NULL, UNKNOWN);
}

static int fetch_same_twice(struct stand *stand)
{
        assert_int_equal(0, fetch_to(stand, "same"));
        return fetch_to(stand, "same");
}

static int upload_missing(struct stand *stand)
{
        struct deskbell_file_source missing = {.path = "/proc/nowhere/a.txt"};
        struct deskbell_file_options options = files();

        options.files = &missing;
        return deskbell_send_file(stand->conversation, &options, NULL);
}

static void without_http(struct stand *stand)
{
        stand_prepare(stand, CUSTOMER);
        stand->transport.http = NULL;
        assert_int_equal(0, deskbell_open(&stand->options, &stand->client));
        assert_int_equal(0, deskbell_conversation_open(stand->client, "main", &stand->conversation));
}

static void nothing(struct stand *stand)
{
        stand_begin(stand, CUSTOMER);
}

static void full(struct stand *stand)
{
        stand_begin(stand, CUSTOMER);
        stand_fill(stand);
}

static void one_queued(struct stand *stand)
{
        stand_begin(stand, CUSTOMER);
        deskbell_send(stand->conversation, "Hello", NULL, stand->cmid);
}

static void one_uploading(struct stand *stand)
{
        stand_begin(stand, CUSTOMER);
        stand_upload(stand);
}

static void one_paused(struct stand *stand)
{
        one_uploading(stand);
        upload_pause(stand);
}

const struct row errors_files[] = {
        ROW(send_file, NOMEM, nothing, upload_one, WITHOUT_MEMORY),
        ROW(send_file, STORE, nothing, upload_one, ON_FULL_DISK),
        ROW(send_file, OUTBOX_FULL, full, upload_one, CALLED),
        ROW(send_file, TOO_LONG, nothing, upload_long, CALLED),
        ROW(send_file, TEXT, nothing, upload_odd, CALLED),
        ROW(send_file, EXISTS, nothing, upload_same_twice, CALLED),
        ROW(send_file, NOT_FOUND, nothing, upload_missing, CALLED),
        ROW(send_file, STATE, without_http, upload_one, CALLED),
        ROW(upload_pause, NOT_FOUND, nothing, pause_unknown, CALLED),
        ROW(upload_pause, STATE, one_queued, upload_pause, CALLED),
        ROW(upload_pause, STORE, one_uploading, upload_pause, ON_FULL_DISK),
        ROW(upload_resume, NOT_FOUND, nothing, resume_unknown, CALLED),
        ROW(upload_resume, STATE, one_queued, upload_resume, CALLED),
        ROW(upload_resume, STORE, one_paused, upload_resume, ON_FULL_DISK),
        ROW(upload_cancel, NOT_FOUND, nothing, cancel_unknown, CALLED),
        ROW(upload_cancel, STATE, one_queued, upload_cancel, CALLED),
        ROW(upload_cancel, STORE, one_uploading, upload_cancel, ON_FULL_DISK),
        ROW(file_fetch, EXISTS, nothing, fetch_same_twice, CALLED),
        ROW(file_fetch, NOMEM, nothing, fetch_next, WITHOUT_MEMORY),
        ROW(file_fetch, STATE, without_http, fetch_next, CALLED),
        ROW(file_fetch_cancel, NOT_FOUND, nothing, fetch_cancel_unknown, CALLED),
        {0},
};
