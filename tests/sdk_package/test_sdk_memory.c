/* SPDX-License-Identifier: Apache-2.0 */
/* The allocator an application hands in: the library's memory comes from it and goes back to it, and when any one
 * allocation fails, a call fails as its contract says and no message is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deskbell/deskbell.h"

#define APP "app_0000000000001"

static atomic_long held, asked, fails_at; /* fails_at 0 = never */

static void *limited_malloc(size_t bytes, void *data)
{
        assert_ptr_equal(&held, data);
        if (++asked == fails_at)
                return NULL;
        void *block = malloc(bytes);
        held += block != NULL;
        return block;
}

static void *limited_realloc(void *block, size_t bytes, void *data)
{
        assert_ptr_equal(&held, data);
        return ++asked == fails_at ? NULL : realloc(block, bytes);
}

static void limited_free(void *block, void *data)
{
        assert_ptr_equal(&held, data);
        held--;
        free(block);
}

static const struct deskbell_allocator limited = {sizeof(limited), &held, limited_malloc, limited_realloc,
                                                  limited_free};

/* A transport that never gets through. */
static int refuse(void *data, const char *url, const char *subprotocol, size_t max_message_bytes, deskbell_link *link)
{
        (void)data;
        (void)url;
        (void)subprotocol;
        (void)max_message_bytes;
        (void)link;
        return -1;
}

static void send_nothing(void *data, deskbell_link *link, const char *bytes, size_t len)
{
        (void)data;
        (void)link;
        (void)bytes;
        (void)len;
}

static void close_nothing(void *data, deskbell_link *link, int code)
{
        (void)data;
        (void)link;
        (void)code;
}

static void resume_nothing(void *data, deskbell_link *link)
{
        (void)data;
        (void)link;
}

static const struct deskbell_transport nowhere = {.size = sizeof(nowhere),
                                                  .open = refuse,
                                                  .send = send_nothing,
                                                  .close = close_nothing,
                                                  .resume = resume_nothing};

static atomic_int lost; /* messages told as FAILED for want of disk or memory */

static void on_message(deskbell_client *client, const struct deskbell_message *message, void *data)
{
        (void)client;
        (void)data;
        lost += message->state == DESKBELL_FAILED && strcmp(message->tag, "store") == 0;
}

static int open_in(const char *folder, deskbell_client **out_client)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;

        options.app = APP;
        options.token = "t";
        options.user = "ann";
        options.data_dir = folder;
        options.transport = &nowhere;
        options.on_message = on_message;
        return deskbell_open(&options, out_client);
}

static int begin(void **state)
{
        char *folder = strdup("/tmp/deskbell-memory-XXXXXX");

        *state = mkdtemp(folder);
        held = asked = fails_at = 0;
        return deskbell_set_allocator(&limited);
}

static int end(void **state)
{
        char command[128];

        snprintf(command, sizeof(command), "rm -rf '%s'", (char *)*state);
        free(*state);
        deskbell_set_allocator(NULL);
        return system(command); /* NOLINT(cert-env33-c): the folder's name is ours */
}

static void all_memory_comes_from_the_allocator_and_goes_back(void **state)
{
        deskbell_conversation *conversation = NULL;
        deskbell_client *client = NULL;

        assert_int_equal(DESKBELL_OK, open_in(*state, &client));
        assert_int_equal(DESKBELL_OK, deskbell_conversation_open(client, NULL, &conversation));
        assert_int_equal(DESKBELL_OK, deskbell_send(conversation, "Hello", NULL, NULL));
        assert_true(held > 5);
        deskbell_close(client);
        assert_int_equal(0, held);
}

static void the_allocator_cannot_change_under_a_client(void **state)
{
        struct deskbell_allocator half = limited;
        deskbell_client *client = NULL;

        half.realloc = NULL;
        assert_int_equal(DESKBELL_E_INVALID, deskbell_set_allocator(&half));
        assert_int_equal(DESKBELL_OK, open_in(*state, &client));
        assert_int_equal(DESKBELL_E_STATE, deskbell_set_allocator(NULL));
        deskbell_close(client);
        assert_int_equal(DESKBELL_OK, deskbell_set_allocator(NULL));
}

/* What a whole short life gave back for the message: queued or not. */
static int one_life(const char *folder, bool waits)
{
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;
        deskbell_conversation *conversation = NULL;
        deskbell_client *client = NULL;

        options.wait_for_disk = waits;
        int rc = open_in(folder, &client);
        if (rc == DESKBELL_OK)
                rc = deskbell_conversation_open(client, "main", &conversation);
        if (rc == DESKBELL_OK)
                rc = deskbell_send(conversation, "Is anybody there?", &options, NULL);
        if (client)
                deskbell_connect(client);
        deskbell_close(client);
        return rc;
}

static int64_t queued_in(const char *folder)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;
        deskbell_client *client = NULL;

        assert_int_equal(DESKBELL_OK, open_in(folder, &client));
        assert_int_equal(DESKBELL_OK, deskbell_status(client, &status));
        deskbell_close(client);
        return status.queued;
}

/* With `waits` the call alone says it; else on_message may take it back, by the end of the client. */
static void fail_each(const char *under, bool waits)
{
        bool has_failed = true;
        int refused = 0;

        for (long at = 1; has_failed; at++) {
                char folder[64];
                snprintf(folder, sizeof(folder), "%s/%d-%ld", under, waits, at);
                asked = 0;
                lost = 0;
                fails_at = at;
                int rc = one_life(folder, waits);
                has_failed = asked >= at;
                fails_at = 0;
                assert_int_equal(0, held);
                if (rc != DESKBELL_OK)
                        assert_true(rc == DESKBELL_E_NOMEM || rc == DESKBELL_E_STORE);
                refused += rc != DESKBELL_OK;
                assert_true(lost == 0 || (rc == DESKBELL_OK && !waits));
                assert_int_equal(rc == DESKBELL_OK && !lost, queued_in(folder));
        }
        assert_true(refused > 8);
}

static void a_message_is_queued_exactly_when_the_application_is_told_so_whichever_allocation_fails(void **state)
{
        fail_each(*state, false);
        fail_each(*state, true);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
        const struct CMUnitTest tests[] = {
                T(all_memory_comes_from_the_allocator_and_goes_back),
                T(the_allocator_cannot_change_under_a_client),
                T(a_message_is_queued_exactly_when_the_application_is_told_so_whichever_allocation_fails),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
