/* SPDX-License-Identifier: Apache-2.0 */
/* Damage: bytes of a user's file are flipped at 200 places, each time a client is opened on it and talks to a server
 * that knows what was ever written. Whatever was hit: the client works, and what reaches the server is what was
 * written, once. */
#include "stage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client-sdk/src/machine_private.h"

enum { QUEUED = 40, PLACES = 200, PLACES_IN_LOG = 60, LOG_ROOM = 128 };

static struct stage s;
static char folder[64], base[112], path[112];

/* What was queued, and the server's log. */
static char cmids[QUEUED + 2][33], texts[QUEUED + 2][320];
static size_t written;
static char log_cmids[LOG_ROOM][33], log_texts[LOG_ROOM][320];
static size_t log_len;

static void copy_file(const char *from, const char *to)
{
        char bytes[65536];
        int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        ssize_t got;

        assert_true(out >= 0);
        while (in >= 0 && (got = read(in, bytes, sizeof(bytes))) > 0)
                assert_int_equal(got, write(out, bytes, (size_t)got));
        close(out);
        if (in >= 0)
                close(in);
}

static void flip(const char *file, uint64_t dice)
{
        struct stat info;
        unsigned char byte;
        int fd = open(file, O_RDWR);

        assert_true(fd >= 0);
        assert_int_equal(0, fstat(fd, &info));
        off_t at = (off_t)((dice >> 16) % (uint64_t)info.st_size);
        assert_int_equal(1, pread(fd, &byte, 1, at));
        byte ^= (unsigned char)(1 + dice % 255);
        assert_int_equal(1, pwrite(fd, &byte, 1, at));
        close(fd);
}

static size_t index_of(const char (*list)[33], size_t count, const char *cmid)
{
        size_t i = 0;

        while (i < count && strcmp(list[i], cmid) != 0)
                i++;
        return i;
}

/* ---- the server -------------------------------------------------------------------------------------------------- */

static void take_send(json_t *frame)
{
        const char *cmid = stage_param(frame, "cmid"), *text = stage_param(frame, "text");
        size_t known = index_of((const char(*)[33])cmids, written, cmid);
        size_t at = index_of((const char(*)[33])log_cmids, log_len, cmid);

        assert_true(known < written); /* nobody wrote that */
        assert_string_equal(texts[known], text);
        for (size_t i = 0; i < log_len; i++)
                if (i != at)
                        assert_string_not_equal(log_texts[i], text);
        bool is_repeat = at < log_len;
        if (!is_repeat) {
                assert_true(log_len < LOG_ROOM);
                snprintf(log_cmids[log_len], 33, "%s", cmid);
                snprintf(log_texts[log_len++], 320, "%s", text);
        }
        stage_answer(&s, frame, "{\"seq\":%zu,\"ts\":1%s,\"conv\":\"" CONV "\"}", at + 1,
                     is_repeat ? ",\"dup\":true" : "");
}

static void give_entries(json_t *frame)
{
        int64_t after = stage_number(frame, "after");
        char *answer = malloc(LOG_ROOM * 600);
        size_t len = (size_t)sprintf(answer, "{\"head\":%zu,\"entries\":[", log_len);

        for (size_t i = after > 0 ? (size_t)after : 0; i < log_len; i++)
                len += (size_t)sprintf(answer + len,
                                       "%s{\"conv\":\"" CONV "\",\"seq\":%zu,\"ts\":1,\"author\":\"" USER
                                       "\",\"cmid\":\"%s\",\"kind\":\"text\",\"text\":\"%s\"}",
                                       answer[len - 1] == '[' ? "" : ",", i + 1, log_cmids[i], log_texts[i]);
        sprintf(answer + len, "]}");
        stage_answer(&s, frame, "%s", answer);
        free(answer);
}

#define ROW "{\"conv\":\"" CONV "\",\"rev\":%zu,\"key\":\"main\",\"head\":%zu}"

/* Answers until nothing is asked any more. */
static void serve(void)
{
        json_t *frame;

        while ((frame = json_incref(json_array_get(s.frames, 0)))) {
                const char *method = json_string_value(json_object_get(frame, "method"));

                json_array_remove(s.frames, 0);
                if (strcmp(method, "message.send") == 0)
                        take_send(frame);
                else if (strcmp(method, "entries.read") == 0)
                        give_entries(frame);
                else if (strcmp(method, "feed.read") == 0)
                        stage_answer(&s, frame, "{\"rows\":[" ROW "],\"rev\":%zu}", log_len + 1, log_len, log_len + 1);
                else if (strcmp(method, "conversation.open") == 0)
                        stage_answer(&s, frame, "{\"row\":" ROW "}", log_len + 1, log_len);
                else
                        json_decref(frame);
        }
}

/* ---- the client -------------------------------------------------------------------------------------------------- */

static int64_t rescued;

/* As deskbell_open does. */
static void open_client(void)
{
        int rc = DESKBELL_E_STORE;

        for (int i = 0; i < 2 && rc == DESKBELL_E_STORE; i++) {
                struct cache *cache = NULL;
                char *aside = NULL;

                assert_int_equal(0, stage_cache_open(path, s.wall_ms + i, &cache, &aside));
                if (cache_rescued(cache) >= 0)
                        rescued = cache_rescued(cache);
                rc = machine_new(&s.settings, cache, s.mono_ms, s.wall_ms, &s.machine);
                if (rc < 0)
                        cache_close(cache);
                free(aside);
        }
        assert_int_equal(0, rc);
}

static void note_written(const struct cmid *cmid, const char *text)
{
        cmid_write(cmids[written], cmid);
        cmids[written][32] = '\0';
        snprintf(texts[written++], sizeof(texts[0]), "%s", text);
}

/* True: a new message reached the server. */
static bool works(void)
{
        deskbell_conversation *conv = NULL;
        struct message_options options = {.cmid = machine_cmid(s.machine, s.wall_ms)};
        size_t before = log_len;
        char text[32];

        stage_begin(&s);
        int rc = machine_conv_open(s.machine, SPAN("main"), &conv);
        if (rc == 0)
                machine_connect(s.machine);
        if (stage_end(&s) < 0 || rc < 0 || s.wish != WISH_OPEN)
                return false;
        stage_link_opens(&s);
        if (json_array_size(s.frames) == 0)
                return false;
        stage_log_in(&s, EPOCH, (int64_t)log_len + 1, "");
        serve();
        snprintf(text, sizeof(text), "new one number %zu", written - QUEUED);
        note_written(&options.cmid, text); /* it may be kept though the turn failed: it is written once more, alone */
        stage_begin(&s);
        rc = stage_hand_send(&s, conv, text, &options);
        if (stage_end(&s) < 0 || rc < 0)
                return false;
        serve();
        return log_len > before && strcmp(log_texts[log_len - 1], text) == 0;
}

static void make_base(void)
{
        char text[320];

        stage_init(&s, base);
        stage_open(&s);
        deskbell_conversation *conv = stage_main(&s, 0);
        stage_link_closes(&s, 1006);
        for (int i = 0; i < QUEUED; i++) {
                int len = snprintf(text, sizeof(text), "message %d of a long journey ", i);
                memset(text + len, '0' + i % 10, 200 + (size_t)i % 60);
                text[len + 200 + i % 60] = '\0';
                struct cmid cmid = stage_send(&s, conv, text);
                note_written(&cmid, text);
        }
}

static int64_t one_run(int place, bool has_log)
{
        char from[128], to[128];
        uint64_t dice = 0x9e3779b97f4a7c15u * (uint64_t)(place + 1);

        dice ^= dice >> 29;
        dice *= 0xbf58476d1ce4e5b9u;
        snprintf(path, sizeof(path), "%s/run-%d-%d", folder, has_log, place);
        snprintf(from, sizeof(from), "%s-wal", base);
        snprintf(to, sizeof(to), "%s-wal", path);
        copy_file(base, path);
        if (has_log)
                copy_file(from, to);
        flip(has_log && place % 2 ? to : path, dice);
        log_len = 0;
        written = QUEUED;
        rescued = -1;
        stage_init(&s, path);
        s.wall_ms += 1000;
        s.dice = 1000000; /* other cmids than the ones of before */
        open_client();
        if (!works()) {
                stage_kill(&s);
                json_array_clear(s.frames);
                open_client(); /* what only use has shown is seen at the next opening */
                assert_true(works());
        }
        stage_done(&s);
        return rescued;
}

static void flip_everywhere(bool has_log)
{
        int set_aside = 0;
        int64_t total = 0;

        int places = has_log ? PLACES_IN_LOG : stage_key() ? PLACES / 2 : PLACES;
        for (int place = 0; place < places; place++) {
                int64_t count = one_run(place, has_log);
                set_aside += count >= 0;
                total += count > 0 ? count : 0;
        }
        print_message("%d of %d files were set aside, %lld of their %d messages rescued\n", set_aside, places,
                      (long long)total, set_aside * QUEUED);
        if (!has_log)
                assert_true(set_aside > 0 && total > 0);
}

static int set_up(void **state)
{
        (void)state;
        stage_folder(folder);
        snprintf(base, sizeof(base), "%s/base", folder);
        written = 0;
        make_base();
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        return stage_folder_remove(folder);
}

static void a_file_with_any_byte_flipped_opens_to_a_working_client(void **state)
{
        (void)state;
        stage_done(&s);
        flip_everywhere(false);
}

static void and_so_does_one_whose_process_was_killed(void **state)
{
        char from[128], kept[112], kept_log[128];

        (void)state;
        snprintf(kept, sizeof(kept), "%s/killed", folder);
        snprintf(kept_log, sizeof(kept_log), "%s/killed-wal", folder);
        snprintf(from, sizeof(from), "%s-wal", base);
        copy_file(base, kept);
        copy_file(from, kept_log);
        stage_done(&s);
        snprintf(base, sizeof(base), "%s", kept);
        flip_everywhere(true);
}

static void a_page_of_the_outbox_loses_only_its_own_messages(void **state)
{
        char junk[4096];

        (void)state;
        stage_done(&s);
        snprintf(path, sizeof(path), "%s/page", folder);
        copy_file(base, path);
        memset(junk, 0x5a, sizeof(junk));
        struct stat info;
        assert_int_equal(0, stat(path, &info));
        int best = 0;
        for (off_t page = 2; page < info.st_size / 4096; page++) {
                copy_file(base, path);
                int fd = open(path, O_RDWR);
                assert_int_equal(4096, pwrite(fd, junk, 4096, page * 4096));
                close(fd);
                log_len = 0;
                written = QUEUED;
                rescued = -1;
                stage_init(&s, path);
                s.wall_ms += 1000;
                s.dice = 1000000;
                open_client();
                if (rescued < 0 && !works()) {
                        stage_kill(&s);
                        open_client();
                }
                if (rescued > 0 && rescued < QUEUED && rescued > best)
                        best = (int)rescued;
                stage_done(&s);
                snprintf(path, sizeof(path), "%s/page-%lld", folder, (long long)page);
        }
        assert_in_range(best, QUEUED / 2, QUEUED - 1);
}

static void a_process_killed_while_it_rescues_begins_again(void **state)
{
        char waiting[144];

        (void)state;
        stage_done(&s);
        snprintf(path, sizeof(path), "%s/half", folder);
        snprintf(waiting, sizeof(waiting), "%s.rescue-5", path);
        copy_file(base, waiting); /* set aside, and then nothing more was done */
        log_len = 0;
        written = QUEUED;
        rescued = -1;
        stage_init(&s, path);
        s.wall_ms += 1000;
        s.dice = 1000000;
        open_client();
        assert_int_equal(QUEUED, rescued);
        assert_true(works());
        assert_int_equal(QUEUED + 1, log_len);
        assert_int_not_equal(0, access(waiting, F_OK));
        stage_done(&s);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(a_file_with_any_byte_flipped_opens_to_a_working_client),
                T(and_so_does_one_whose_process_was_killed),
                T(a_page_of_the_outbox_loses_only_its_own_messages),
                T(a_process_killed_while_it_rescues_begins_again),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
