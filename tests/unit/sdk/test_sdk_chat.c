/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal client's parts: harmless text, widths and wrapping, the line editor, the transcript. */
#include <jansson.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/cli/chat.h"

static void expect_clean(const char *expected, const char *text)
{
        char *clean = chat_text_clean(text, true);

        assert_string_equal(expected, clean);
        free(clean);
}

static void nothing_that_steers_a_terminal_comes_through(void **state)
{
        (void)state;
        expect_clean("\xef\xbf\xbd[31mred", "\x1b[31mred");
        expect_clean("a\xef\xbf\xbd"
                     "b",
                     "a\rb");
        expect_clean("\xef\xbf\xbd", "\xc2\x9b"); /* the eight-bit CSI */
        expect_clean("\xef\xbf\xbd"
                     "x",
                     "\xe2\x80\xae"
                     "x"); /* right-to-left override */
        expect_clean("a\nb c", "a\nb\tc");
        expect_clean("\xef\xbf\xbd\xef\xbf\xbd", "\xff\xfe");
        expect_clean("\xef\xbf\xbd\xef\xbf\xbd", "\xc0\xaf");
        expect_clean("\xf0\x9f\x98\x80\xc3\xa4", "\xf0\x9f\x98\x80\xc3\xa4");
        expect_clean("\xef\xbf\xbd", "\x7f");
}

static void no_byte_sequence_leaves_a_control_character(void **state)
{
        (void)state;
        srand(7);
        for (int round = 0; round < 20000; round++) {
                char text[9] = "";
                for (int i = 0; i < 8; i++)
                        text[i] = (char)(rand() % 255 + 1);
                char *clean = chat_text_clean(text, false);
                for (char *at = clean; *at; at++)
                        assert_true((unsigned char)*at >= 0x20 && *at != 0x7f);
                assert_null(strstr(clean, "\xc2\x9b"));
                free(clean);
        }
}

static void wide_characters_take_two_columns_and_marks_none(void **state)
{
        (void)state;
        assert_int_equal(3, chat_text_columns("abc", 3));
        assert_int_equal(4, chat_text_columns("\xe4\xbd\xa0\xe5\xa5\xbd", 6));
        assert_int_equal(1, chat_text_columns("e\xcc\x81", 3));
}

static void lines_break_at_spaces_and_within_words_that_are_too_long(void **state)
{
        size_t skip;

        (void)state;
        assert_int_equal(5, chat_text_wrap("hello world", 8, &skip));
        assert_int_equal(1, skip);
        assert_int_equal(4, chat_text_wrap("abcdefgh", 4, &skip));
        assert_int_equal(0, skip);
        assert_int_equal(6, chat_text_wrap("\xe4\xbd\xa0\xe5\xa5\xbd\xe4\xbd\xa0", 5, &skip));
        assert_int_equal(1, chat_text_wrap("a\nb", 80, &skip));
        assert_int_equal(1, skip);
        assert_int_equal(3, chat_text_wrap("abc", 3, &skip));
        assert_int_equal(3, chat_text_wrap("\xe4\xbd\xa0", 1, &skip)); /* always goes on */
}

static enum editor_event type(struct editor *editor, const char *keys)
{
        enum editor_event last = EDITOR_NOTHING;

        for (; *keys; keys++)
                last = editor_feed(editor, *keys);
        return last;
}

static void the_editor_knows_characters_and_not_bytes(void **state)
{
        struct editor *editor = calloc(1, sizeof(*editor));

        (void)state;
        type(editor, "a\xc3\xa4\xe4\xbd\xa0");
        type(editor, "\x1b[D\x1b[D");
        type(editor, "x");
        assert_string_equal("ax\xc3\xa4\xe4\xbd\xa0", editor->text);
        type(editor, "\x05\x7f");
        assert_string_equal("ax\xc3\xa4", editor->text);
        type(editor, "\x01\x1b[3~");
        assert_string_equal("x\xc3\xa4", editor->text);
        type(editor, "\x05 word\x17");
        assert_string_equal("x\xc3\xa4 ", editor->text);
        assert_int_equal(EDITOR_SUBMIT, type(editor, "\r"));
        editor_remember(editor);
        editor_clear(editor);
        type(editor, "\x1b[A");
        assert_string_equal("x\xc3\xa4 ", editor->text);
        type(editor, "\x15");
        assert_int_equal(EDITOR_QUIT, type(editor, "\x04"));
        editor_done(editor);
        free(editor);
}

static void what_is_pasted_is_not_sent_by_its_newlines(void **state)
{
        struct editor *editor = calloc(1, sizeof(*editor));

        (void)state;
        assert_int_not_equal(EDITOR_SUBMIT, type(editor, "\x1b[200~one\rtwo\x1b[201~"));
        assert_string_equal("one\ntwo", editor->text);
        assert_int_equal(EDITOR_SUBMIT, type(editor, "\r"));
        free(editor);
}

static void a_line_cannot_grow_over_its_room(void **state)
{
        struct editor *editor = calloc(1, sizeof(*editor));

        (void)state;
        for (int i = 0; i < EDITOR_BYTES + 10; i++)
                editor_feed(editor, 'x');
        assert_int_equal(EDITOR_BYTES, editor->len);
        free(editor);
}

static struct deskbell_entry entry_of(enum deskbell_log log, int64_t number, int64_t at_seq, const char *cmid)
{
        return (struct deskbell_entry){.log = log,
                                       .number = number,
                                       .at_seq = at_seq,
                                       .cmid = cmid,
                                       .text = "text",
                                       .name = "",
                                       .title = "",
                                       .link = "",
                                       .kind = DESKBELL_KIND_TEXT,
                                       .version = 1,
                                       .author = ""};
}

static void messages_stand_in_the_order_of_the_log_with_notes_between_and_waiting_ones_last(void **state)
{
        struct transcript transcript = {0};
        struct deskbell_message waiting = {
                .cmid = "c9", .operation = DESKBELL_OP_SEND, .state = DESKBELL_QUEUED, .text = "w", .tag = ""};
        struct deskbell_entry two = entry_of(DESKBELL_PUBLIC, 2, 0, "c2"), note = entry_of(DESKBELL_TEAM, 1, 1, "n1");
        struct deskbell_entry one = entry_of(DESKBELL_PUBLIC, 1, 0, "c1"), nine = entry_of(DESKBELL_PUBLIC, 3, 0, "c9");

        (void)state;
        transcript_message(&transcript, &waiting);
        transcript_entry(&transcript, &two, "x");
        transcript_entry(&transcript, &note, "x");
        transcript_entry(&transcript, &one, "x");
        transcript_entry(&transcript, &one, "x");
        assert_int_equal(4, transcript.count);
        assert_string_equal("c1", transcript.rows[0].cmid);
        assert_string_equal("n1", transcript.rows[1].cmid);
        assert_string_equal("c2", transcript.rows[2].cmid);
        assert_string_equal("c9", transcript.rows[3].cmid);
        nine.is_mine = 1;
        transcript_entry(&transcript, &nine, "me");
        assert_int_equal(4, transcript.count);
        assert_int_equal(3, transcript.rows[3].number);
        assert_int_equal(DESKBELL_SENT, transcript.rows[3].state);
        transcript_marks(&transcript, 3, 0);
        assert_int_equal(DESKBELL_DELIVERED, transcript.rows[3].state);
        transcript_clear(&transcript);
}

static void what_the_device_found_stands_below_its_question_wherever_that_goes(void **state)
{
        struct transcript transcript = {0};
        struct deskbell_message first = {
                .cmid = "c1", .operation = DESKBELL_OP_SEND, .state = DESKBELL_QUEUED, .text = "w", .tag = ""};
        struct deskbell_message second = first;
        struct deskbell_entry one = entry_of(DESKBELL_PUBLIC, 4, 0, "c1"), bot = entry_of(DESKBELL_PUBLIC, 5, 0, "b1");
        struct deskbell_device_answer found = {.cmid = "c1", .text = "30 days", .rule = "", .version = ""};

        (void)state;
        second.cmid = "c2";
        transcript_message(&transcript, &first);
        transcript_message(&transcript, &second);
        transcript_device_answer(&transcript, &found);
        transcript_device_answer(&transcript, &found); /* told again */
        assert_int_equal(3, transcript.count);
        assert_true(transcript.rows[1].is_device);
        assert_string_equal("c2", transcript.rows[2].cmid);
        one.is_mine = 1;
        transcript_entry(&transcript, &one, "me");
        assert_int_equal(4, transcript.rows[0].number);
        assert_true(transcript.rows[1].is_device);
        transcript_entry(&transcript, &bot, "bot");
        assert_string_equal("b1", transcript.rows[2].cmid);
        assert_ptr_equal(&transcript.rows[0], transcript_find_cmid(&transcript, "c1"));
        found.is_taken_back = 1;
        transcript_device_answer(&transcript, &found);
        assert_int_equal(3, transcript.count);
        assert_string_equal("b1", transcript.rows[1].cmid);
        transcript_clear(&transcript);
}

static void an_edit_changes_and_an_erasure_blanks_the_message_it_means(void **state)
{
        struct transcript transcript = {0};
        struct deskbell_entry one = entry_of(DESKBELL_PUBLIC, 1, 0, "c1"), edit = entry_of(DESKBELL_PUBLIC, 2, 0, "");
        struct deskbell_entry erase = entry_of(DESKBELL_PUBLIC, 3, 0, "");

        (void)state;
        transcript_entry(&transcript, &one, "x");
        edit.kind = DESKBELL_KIND_EDIT;
        edit.of = 1;
        edit.version = 2;
        edit.text = "better";
        transcript_entry(&transcript, &edit, "x");
        assert_int_equal(1, transcript.count);
        assert_string_equal("better", transcript.rows[0].text);
        erase.kind = DESKBELL_KIND_ERASE;
        erase.of = 1;
        transcript_entry(&transcript, &erase, "x");
        assert_true(transcript.rows[0].is_erased);
        assert_string_equal("", transcript.rows[0].text);
        transcript_clear(&transcript);
}

static void a_tick_never_falls_back_whatever_news_comes_late(void **state)
{
        struct transcript transcript = {0};
        struct deskbell_message message = {
                .cmid = "c1", .operation = DESKBELL_OP_SEND, .state = DESKBELL_QUEUED, .text = "w", .tag = ""};
        struct deskbell_entry one = entry_of(DESKBELL_PUBLIC, 1, 0, "c1");

        (void)state;
        transcript_message(&transcript, &message); /* written offline */
        transcript_marks(&transcript, 1, 1);       /* the other side is told of before we are */
        one.is_mine = 1;
        transcript_entry(&transcript, &one, "me");
        assert_int_equal(DESKBELL_READ, transcript.rows[0].state);
        message.state = DESKBELL_SENT;
        transcript_message(&transcript, &message);
        message.state = DESKBELL_DELIVERED;
        transcript_message(&transcript, &message);
        assert_int_equal(DESKBELL_READ, transcript.rows[0].state);
        assert_int_equal(1, transcript.count);
        transcript_clear(&transcript);
}

static void a_remark_stands_before_a_note_that_is_written_after_it(void **state)
{
        struct transcript transcript = {0};
        struct deskbell_entry one = entry_of(DESKBELL_PUBLIC, 1, 0, "c1"), first = entry_of(DESKBELL_TEAM, 1, 1, "n1");
        struct deskbell_entry second = entry_of(DESKBELL_TEAM, 2, 1, "n2");

        (void)state;
        transcript_entry(&transcript, &one, "x");
        transcript_entry(&transcript, &first, "x");
        transcript_remark(&transcript, "between");
        transcript_remark(&transcript, "and another");
        transcript_entry(&transcript, &second, "x");
        assert_int_equal(5, transcript.count);
        assert_string_equal("n1", transcript.rows[1].cmid);
        assert_string_equal("between", transcript.rows[2].text);
        assert_string_equal("and another", transcript.rows[3].text);
        assert_string_equal("n2", transcript.rows[4].cmid);
        transcript_clear(&transcript);
}

static void the_list_is_changed_where_it_stands_and_moves_only_when_asked_for(void **state)
{
        struct transcript transcript = {0};
        struct deskbell_entry one = entry_of(DESKBELL_PUBLIC, 1, 0, "c1");

        (void)state;
        transcript_listing(&transcript, "nobody asked", false);
        assert_int_equal(0, transcript.count);
        transcript_listing(&transcript, "one", true);
        transcript_entry(&transcript, &one, "x");
        transcript_listing(&transcript, "two", false);
        assert_int_equal(2, transcript.count);
        assert_string_equal("two", transcript.rows[0].text);
        transcript_listing(&transcript, "three", true);
        assert_int_equal(2, transcript.count);
        assert_string_equal("three", transcript.rows[1].text);
        transcript_clear(&transcript);
}

static void a_hit_is_marked_where_it_stands_and_cannot_steer_the_terminal(void **state)
{
        struct transcript transcript = {0};

        (void)state;
        transcript_hit(&transcript, "a \x1b[2J ", "Lamp", " is broken");
        const struct shown *row = &transcript.rows[0];
        assert_null(strchr(row->text, '\x1b'));
        assert_int_equal(4, row->hit_len);
        assert_memory_equal("Lamp", row->text + row->hit_at, 4);
        transcript_clear(&transcript);
}

static void what_the_disk_did_not_take_is_sent_anew_by_retry_with_what_was_written(void **state)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        struct deskbell_status status = DESKBELL_STATUS_INIT;
        struct chat *chat = calloc(1, sizeof(*chat));
        struct deskbell_message lost = {.cmid = "0000000000000000000000000000000a",
                                        .operation = DESKBELL_OP_SEND,
                                        .state = DESKBELL_FAILED,
                                        .text = "tab\there",
                                        .tag = "store"};

        (void)state;
        options.url = "ws://127.0.0.1:1/v1/ws";
        options.app = "app_0000000000009";
        options.token = "token";
        assert_int_equal(0, deskbell_open(&options, &chat->client));
        assert_int_equal(0, deskbell_conversation_open(chat->client, "main", &chat->conv));
        transcript_message(&chat->transcript, &lost);
        assert_string_equal("tab\there", chat->transcript.rows[0].unsent); /* and not as it is shown */
        chat_line(chat, "/retry");
        assert_int_equal(0, deskbell_status(chat->client, &status));
        assert_int_equal(1, status.queued);
        assert_null(transcript_find_cmid(&chat->transcript, lost.cmid)); /* it is a new message */
        chat_line(chat, "/retry");                                       /* once */
        assert_int_equal(0, deskbell_status(chat->client, &status));
        assert_int_equal(1, status.queued);
        deskbell_close(chat->client);
        transcript_clear(&chat->transcript);
        free(chat);
}

static void a_file_that_the_disk_did_not_take_is_chosen_anew_by_retry(void **state)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        struct deskbell_status status = DESKBELL_STATUS_INIT;
        struct chat *chat = calloc(1, sizeof(*chat));
        struct deskbell_file file = {.id = "", .name = "test_sdk_chat", .media = "application/octet-stream"};
        struct deskbell_message told = {.operation = DESKBELL_OP_SEND,
                                        .state = DESKBELL_FAILED,
                                        .text = "the lamp",
                                        .tag = "store",
                                        .files = &file,
                                        .files_count = 1};
        char cmid[33];

        (void)state;
        options.url = "ws://127.0.0.1:1/v1/ws";
        options.app = "app_0000000000009";
        options.token = "token";
        assert_int_equal(0, deskbell_open(&options, &chat->client));
        assert_int_equal(0, deskbell_conversation_open(chat->client, "main", &chat->conv));
        chat_line(chat, "/attach /proc/self/exe the lamp");
        assert_non_null(chat->attached);
        assert_string_equal("the lamp", chat->attached->caption);
        memcpy(cmid, chat->attached->cmid, sizeof(cmid));
        told.cmid = cmid;
        transcript_message(&chat->transcript, &told);
        chat_upload_told(chat, &told);
        assert_int_equal(0, deskbell_status(chat->client, &status));
        int64_t before = status.queued;
        chat_line(chat, "/retry");
        assert_int_equal(0, deskbell_status(chat->client, &status));
        assert_int_equal(before + 1, status.queued);
        assert_null(transcript_find_cmid(&chat->transcript, cmid)); /* it is a new message */
        assert_string_equal("/proc/self/exe", chat->attached->path);
        assert_null(chat->attached->next);
        memcpy(cmid, chat->attached->cmid, sizeof(cmid));
        told.state = DESKBELL_UPLOADING; /* now it is on the disk */
        told.tag = "";
        transcript_message(&chat->transcript, &told);
        chat_upload_told(chat, &told);
        assert_null(chat->attached);
        deskbell_close(chat->client);
        chat_files_done(chat);
        transcript_clear(&chat->transcript);
        free(chat);
}

static void a_retry_that_the_disk_did_not_take_is_shown_as_what_it_was(void **state)
{
        struct transcript transcript = {0};
        struct deskbell_message message = {
                .cmid = "old", .operation = DESKBELL_OP_SEND, .state = DESKBELL_FAILED, .text = "w", .tag = "conflict"};

        (void)state;
        transcript_message(&transcript, &message);
        strcpy(transcript.rows[0].retried, "old"); /* /retry was taken, under another cmid */
        strcpy(transcript.rows[0].cmid, "new");
        transcript.rows[0].state = DESKBELL_QUEUED;
        message.cmid = "new";
        message.tag = "store";
        transcript_message(&transcript, &message);
        message.cmid = "old";
        message.tag = "conflict";
        message.is_again = 1;
        transcript_message(&transcript, &message);
        assert_int_equal(1, transcript.count); /* else the next /retry would send it twice */
        assert_string_equal("old", transcript.rows[0].cmid);
        assert_int_equal(DESKBELL_FAILED, transcript.rows[0].state);
        assert_string_equal("conflict", transcript.rows[0].tag);
        assert_null(transcript.rows[0].unsent);
        transcript_clear(&transcript);
}

static void an_upload_shows_how_far_it_is_until_its_entry_comes(void **state)
{
        struct transcript transcript = {0};
        struct deskbell_message message = {
                .cmid = "c1", .operation = DESKBELL_OP_SEND, .state = DESKBELL_UPLOADING, .text = "w", .tag = ""};
        struct deskbell_entry one = entry_of(DESKBELL_PUBLIC, 1, 0, "c1");

        (void)state;
        transcript_message(&transcript, &message);
        shown_set_more(transcript_find_cmid(&transcript, "c1"), "[file: a.png]");
        transcript_progress(&transcript, "c1", 40, 1, 1);
        assert_int_equal(40, transcript.rows[0].percent);
        assert_int_equal(DESKBELL_UPLOADING, transcript.rows[0].state);
        one.is_mine = 1;
        transcript_entry(&transcript, &one, "me"); /* before the news that it was sent */
        assert_int_equal(1, transcript.count);
        assert_int_equal(DESKBELL_SENT, transcript.rows[0].state);
        assert_string_equal("[file: a.png]", transcript.rows[0].more);
        transcript_clear(&transcript);
}

static void a_text_that_only_names_the_files_is_known(void **state)
{
        const struct deskbell_file files[] = {{.name = "a.png"}, {.name = "b, c.txt"}};

        (void)state;
        assert_true(chat_files_say_it_all("a.png", files, 1));
        assert_true(chat_files_say_it_all("a.png, b, c.txt", files, 2));
        assert_false(chat_files_say_it_all("a.png", files, 2));
        assert_false(chat_files_say_it_all("a.png!", files, 1));
        assert_false(chat_files_say_it_all("", files, 0));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_that_steers_a_terminal_comes_through),
                cmocka_unit_test(no_byte_sequence_leaves_a_control_character),
                cmocka_unit_test(wide_characters_take_two_columns_and_marks_none),
                cmocka_unit_test(lines_break_at_spaces_and_within_words_that_are_too_long),
                cmocka_unit_test(the_editor_knows_characters_and_not_bytes),
                cmocka_unit_test(what_is_pasted_is_not_sent_by_its_newlines),
                cmocka_unit_test(a_line_cannot_grow_over_its_room),
                cmocka_unit_test(messages_stand_in_the_order_of_the_log_with_notes_between_and_waiting_ones_last),
                cmocka_unit_test(what_the_device_found_stands_below_its_question_wherever_that_goes),
                cmocka_unit_test(an_edit_changes_and_an_erasure_blanks_the_message_it_means),
                cmocka_unit_test(a_tick_never_falls_back_whatever_news_comes_late),
                cmocka_unit_test(a_remark_stands_before_a_note_that_is_written_after_it),
                cmocka_unit_test(the_list_is_changed_where_it_stands_and_moves_only_when_asked_for),
                cmocka_unit_test(a_hit_is_marked_where_it_stands_and_cannot_steer_the_terminal),
                cmocka_unit_test(what_the_disk_did_not_take_is_sent_anew_by_retry_with_what_was_written),
                cmocka_unit_test(a_file_that_the_disk_did_not_take_is_chosen_anew_by_retry),
                cmocka_unit_test(a_retry_that_the_disk_did_not_take_is_shown_as_what_it_was),
                cmocka_unit_test(an_upload_shows_how_far_it_is_until_its_entry_comes),
                cmocka_unit_test(a_text_that_only_names_the_files_is_known),
        };

        setlocale(LC_CTYPE, "C.UTF-8");
        return cmocka_run_group_tests(tests, NULL, NULL);
}
