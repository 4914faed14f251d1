/* SPDX-License-Identifier: Apache-2.0 */
/* See sealed_store.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sealed_store.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client-sdk/src/seal.h"
#include "deskbell/deskbell.h"
#include "protocol/hot.h"
#include "protocol_generated.h"

const uint8_t store_key[32] = "the key that the app has in use",
              store_other_key[32] = "the key the app has afterwards.";

#define KEY  "order of the " WORD
#define FEED "{\"conv\":\"cnv_0000000000007\",\"rev\":1,\"key\":\"" KEY "\",\"head\":0,\"last_preview\":\"" WORD "\"}"

static const char secret[] = "a " WORD " secret", push_token[] = "a " WORD " token";
static const uint8_t sha[32] = "a " WORD " of a hash of 32 bytes..";

static const char *text_of(int number)
{
        static char text[80];

        snprintf(text, sizeof(text), "{\"text\":\"%d, a " WORD " in the coal mine\"}", number);
        return text;
}

static struct cmid cmid_of(int number)
{
        struct cmid cmid = {.bytes = {1, 2, 3}};

        cmid.bytes[15] = (uint8_t)number;
        return cmid;
}

/* ---- filling ----------------------------------------------------------------------------------------------------- */

static struct cached_upload make_copy(const char *path, char copy_path[256])
{
        char bytes[STORE_COPY_BYTES], folder[256];
        struct stat info;

        snprintf(folder, sizeof(folder), "%s.files", path);
        assert_int_equal(0, mkdir(folder, 0700));
        snprintf(copy_path, 256, "%s.files/copy", path);
        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = WORD[i % (sizeof(WORD) - 1)];
        int fd = open(copy_path, O_WRONLY | O_CREAT, 0600);
        assert_int_equal(sizeof(bytes), write(fd, bytes, sizeof(bytes)));
        assert_int_equal(0, fstat(fd, &info));
        close(fd);
        return (struct cached_upload){
                .at = 0,
                .cmid = cmid_of(99),
                .path = span_of(copy_path),
                .is_copy = true,
                .name = SPAN("my " WORD ".txt"),
                .media = SPAN("text/" WORD),
                .size = sizeof(bytes),
                .mtime_ns = (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec,
        };
}

static void add_message(struct cache *cache, int number, int64_t conv)
{
        struct cached_message message = {.cmid = cmid_of(number), .conv = conv, .op = DESKBELL_OP_SEND};

        message.state = number == STORE_MESSAGES ? DESKBELL_UPLOADING : DESKBELL_QUEUED;
        message.content = span_of(text_of(number));
        content_hash(PROTOCOL_ENTRY_TEXT, message.content, message.hash);
        cache_message_add(cache, &message);
        assert_int_equal(number, message.pos);
}

void store_fill(struct cache *cache, const char *path)
{
        struct cached_conv conv = {.id = 7, .key = SPAN(KEY), .feed = SPAN(FEED)};
        char copy_path[256];

        cache_begin(cache, true);
        conv.row = cache_conv_put(cache, &conv);
        cache_opened_put(cache, conv.row, 5);
        for (int i = 1; i <= STORE_ENTRIES; i++) {
                struct cmid cmid = cmid_of(100 + i);
                struct cached_entry entry = {.conv = conv.row, .number = i, .kind = 1, .counts = true, .cmid = &cmid};
                entry.body = span_of(text_of(i));
                cache_entry_put(cache, &entry);
        }
        for (int i = 1; i <= STORE_MESSAGES; i++)
                add_message(cache, i, conv.row);
        struct cached_upload upload = make_copy(path, copy_path);
        upload.pos = STORE_MESSAGES;
        upload.has_sha256 = true;
        memcpy(upload.sha256, sha, sizeof(sha));
        cache_upload_put(cache, &upload);
        cache_value_set(cache, "visitor_secret", secret, sizeof(secret));
        cache_value_set(cache, "push_token", push_token, sizeof(push_token));
        cache_number_set(cache, "rev", 77);
        cache_note_owner(cache);
        assert_int_equal(0, cache_commit(cache));
}

void store_make_plain(const char *path)
{
        struct cache *cache = NULL;
        char *aside = NULL;

        assert_int_equal(0, cache_open(path, 1, &cache, &aside));
        store_fill(cache, path);
        cache_close(cache);
}

/* ---- checking ---------------------------------------------------------------------------------------------------- */

struct seen {
        struct cache *cache;
        int count;
};

static bool check_entry(void *data, const struct cached_entry *entry)
{
        struct seen *seen = data;
        struct cmid cmid = cmid_of(100 + ++seen->count);

        assert_int_equal(seen->count, entry->number);
        assert_true(span_equal(span_of(text_of(seen->count)), entry->body));
        assert_memory_equal(&cmid, entry->cmid, sizeof(cmid));
        return true;
}

static bool check_message(void *data, const struct cached_message *message)
{
        struct seen *seen = data;
        struct cmid cmid = cmid_of(++seen->count);

        assert_memory_equal(&cmid, &message->cmid, sizeof(cmid));
        assert_true(span_equal(span_of(text_of(seen->count)), message->content));
        assert_true(cache_message_is_whole(message));
        return true;
}

static void check_copy(const struct cached_upload *upload, bool is_sealed)
{
        static char bytes[STORE_COPY_BYTES];
        char path[256];

        snprintf(path, sizeof(path), "%.*s", (int)upload->path.len, upload->path.at);
        int fd = open(path, O_RDONLY);
        assert_true(fd >= 0);
        assert_int_equal(is_sealed, upload->has_secret);
        if (is_sealed)
                assert_int_equal(0, seal_file_read(fd, upload->secret, 0, upload->size, 0, bytes, sizeof(bytes)));
        else
                assert_int_equal(sizeof(bytes), read(fd, bytes, sizeof(bytes)));
        for (size_t i = 0; i < sizeof(bytes); i++)
                assert_int_equal(WORD[i % (sizeof(WORD) - 1)], bytes[i]);
        struct stat info;
        assert_int_equal(0, fstat(fd, &info));
        assert_true(upload->mtime_ns == (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec);
        close(fd);
}

static bool check_upload(void *data, const struct cached_upload *upload)
{
        struct seen *seen = data;

        seen->count++;
        assert_true(span_equal(SPAN("my " WORD ".txt"), upload->name));
        assert_true(span_equal(SPAN("text/" WORD), upload->media));
        assert_memory_equal(sha, upload->sha256, sizeof(sha));
        assert_int_equal(STORE_COPY_BYTES, upload->size);
        assert_true(cache_upload_knows(seen->cache, upload->path));
        assert_false(cache_upload_knows(seen->cache, SPAN("/another/path")));
        check_copy(upload, cache_is_sealed(seen->cache));
        return true;
}

static void check_conv(void *data, const struct cached_conv *conv)
{
        (*(int *)data)++;
        assert_int_equal(7, conv->id);
        assert_true(span_equal(SPAN(KEY), conv->key));
        assert_true(span_equal(SPAN(FEED), conv->feed));
}

void store_check(struct cache *cache)
{
        struct seen entries = {cache, 0}, messages = {cache, 0}, uploads = {cache, 0};
        struct cached_message next = {.cmid = cmid_of(50), .conv = 1, .op = 1, .state = 1, .content = SPAN("{}")};
        char value[64];
        int convs = 0;

        cache_convs(cache, check_conv, &convs);
        assert_int_equal(1, convs);
        cache_entries(cache, 1, 0, 1, 1000, 1000, false, check_entry, &entries);
        assert_int_equal(STORE_ENTRIES, entries.count);
        cache_messages(cache, MESSAGES_UNSENT, 0, check_message, &messages);
        cache_messages(cache, MESSAGES_UPLOADING, 0, check_message, &messages);
        assert_int_equal(STORE_MESSAGES, messages.count);
        cache_uploads(cache, STORE_MESSAGES, check_upload, &uploads);
        assert_int_equal(1, uploads.count);
        assert_int_equal(sizeof(secret), cache_value_get(cache, "visitor_secret", value, sizeof(value)));
        assert_string_equal(secret, value);
        assert_int_equal(sizeof(push_token), cache_value_get(cache, "push_token", value, sizeof(value)));
        assert_string_equal(push_token, value);
        assert_int_equal(77, cache_number_get(cache, "rev"));
        assert_false(cache_is_damaged(cache));
        cache_begin(cache, false); /* what comes next gets a place that was never another's */
        cache_message_add(cache, &next);
        assert_int_equal(STORE_MESSAGES + 1, next.pos);
        cache_rollback(cache);
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

static int leaks;

static int look(const char *path, const struct stat *info, int kind, struct FTW *where)
{
        char *bytes = malloc((size_t)info->st_size + 1);
        int fd = kind == FTW_F ? open(path, O_RDONLY) : -1;
        ssize_t len = fd >= 0 ? read(fd, bytes, (size_t)info->st_size) : 0;

        (void)where;
        if (len > 0 && memmem(bytes, (size_t)len, WORD, sizeof(WORD) - 1)) {
                print_message("%s can be read\n", path);
                leaks++;
        }
        if (fd >= 0)
                close(fd);
        free(bytes);
        return 0;
}

int store_leaks(const char *folder)
{
        leaks = 0;
        assert_int_equal(0, nftw(folder, look, 8, FTW_PHYS));
        return leaks;
}
