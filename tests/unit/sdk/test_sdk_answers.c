/* SPDX-License-Identifier: Apache-2.0 */
/* Answers on the device: the version comes in pieces and is kept; a question without a session is answered from it,
 * once, marked as such, and that answer goes when somebody else's stands behind the question. The table is this test's
 * own: what counts here is when it is asked, not what it knows. */
#include "stage.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client-sdk/src/machine_private.h"
#include "protocol/memory.h"

enum { PIECE = 48 * 1024, BLOB = 2 * PIECE + 5000, DAY = 86400000 };

static struct stage s;
static char folder[64], path[96];
static int loads, asks, unloads;
static bool cannot_load;
static const char one[] = "11", two[] = "22"; /* first digits of the versions' names */

static int set_up(void **state)
{
        (void)state;
        snprintf(path, sizeof(path), "%s/file", stage_folder(folder));
        stage_init(&s, path);
        s.settings.has_answers = true;
        snprintf(s.settings.answers_table, sizeof(s.settings.answers_table), "test 1");
        loads = asks = unloads = 0;
        cannot_load = false;
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        stage_done(&s);
        return stage_folder_remove(folder);
}

/* ---- the server -------------------------------------------------------------------------------------------------- */

static char byte_of(const char *version, size_t at)
{
        return (char)(version[0] + (char)(at % 7));
}

static const char *name_of(const char *version)
{
        static char name[65];

        for (size_t i = 0; i < 64; i++)
                name[i] = version[i % 2];
        return name;
}

static void give_part(json_t *request, const char *version, int64_t size, int64_t offset, int64_t len)
{
        char *bytes = malloc((size_t)len + 1), *text = malloc((size_t)len * 4 / 3 + 8);

        for (int64_t i = 0; i < len; i++)
                bytes[i] = byte_of(version, (size_t)(offset + i));
        EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes, (int)len);
        stage_answer(&s, request, "{\"version\":\"%s\",\"size\":%lld,\"offset\":%lld,\"part\":\"%s\"%s}",
                     name_of(version), (long long)size, (long long)offset, text,
                     offset + len < size ? ",\"more\":true" : "");
        free(bytes);
        free(text);
}

/* As the server does it; what the next request asks for. */
static void serve_piece(json_t *request, const char *version)
{
        bool goes_on = strcmp(stage_param(request, "part_of"), name_of(version)) == 0;
        int64_t offset = goes_on ? stage_number(request, "offset") : 0;

        give_part(request, version, BLOB, offset, BLOB - offset < PIECE ? BLOB - offset : PIECE);
}

static json_t *asked(void)
{
        return stage_find(&s, "bot.offline");
}

static void serve_all(const char *version)
{
        json_t *request = asked();

        assert_non_null(request);
        for (int pieces = 0; request; pieces++) {
                assert_true(pieces < 4);
                serve_piece(request, version);
                request = asked();
        }
}

/* Lost, and not to be had for half a minute. */
static void be_away(void)
{
        stage_link_closes(&s, PROTOCOL_CLOSE_TOO_MANY_ERRORS);
}

static void come_back(void)
{
        stage_pass(&s, 31000);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_feed(&s, 1, "");
}

static deskbell_conversation *begin(int head)
{
        stage_open(&s);
        return stage_main(&s, head);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

/* Knows one thing; what it was loaded with has to be that version, whole. */
static void work(struct answers_task *task)
{
        if (task->old) {
                unloads++;
                free(task->old);
                task->old = NULL;
        }
        if (!task->question)
                return;
        asks++;
        if (!task->loaded) {
                char first = (char)(task->version[0] % 16 + '0');

                loads++;
                for (size_t i = 0; !cannot_load && i < task->len; i++)
                        assert_int_equal((char)(first + (char)(i % 7)), task->bytes[i]);
                assert_int_equal(BLOB, task->len);
                task->loaded = cannot_load ? NULL : malloc(1);
                task->is_unusable = cannot_load;
        }
        if (task->loaded && strstr(task->question, "refund")) {
                task->text = memory_text("30 days");
                snprintf(task->rule, sizeof(task->rule), "faq refund");
        }
}

static void run_tasks(void)
{
        struct answers_task *task;

        while ((task = machine_answers_take(s.machine))) {
                work(task);
                stage_begin(&s);
                machine_answers_done(s.machine, task);
                stage_end(&s);
        }
}

static void unload_rest(void)
{
        void *loaded;

        while ((loaded = machine_answers_unload(s.machine)))
                free(loaded);
}

/* What was told of an answer: 1 found, 2 again, -1 taken back, 0 nothing. */
static int told(const struct cmid *question)
{
        struct event *event = stage_event(&s, EVENT_DEVICE_ANSWER);
        char text[33];
        if (!event)
                return 0;

        cmid_write(text, question);
        text[32] = '\0';
        assert_string_equal(text, event->found.cmid);
        assert_string_equal("30 days", event->found.text);
        assert_string_equal("faq refund", event->found.rule);
        assert_int_equal(64, strlen(event->found.version));
        int what = event->found.is_taken_back ? -1 : event->found.is_again ? 2 : 1;
        event_free(event);
        return what;
}

/* The usual beginning: the version is fetched, then the connection goes. */
static deskbell_conversation *fetched_and_offline(int head)
{
        deskbell_conversation *conv = NULL;
        char row[200];
        json_t *request;

        stage_open(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 1, "");
        snprintf(row, sizeof(row), "{\"conv\":\"%s\",\"rev\":1,\"key\":\"main\",\"head\":%d}", CONV, head);
        stage_feed(&s, 1, row);
        request = stage_find(&s, "conversation.open");
        if (request)
                stage_answer(&s, request, "{\"row\":%s}", row);
        request = stage_find(&s, "entries.read");
        if (request) {
                char *entries = stage_entries(1, head);
                stage_answer(&s, request, "%s", entries);
                free(entries);
        }
        serve_all(one);
        be_away();
        stage_drop_events(&s);
        return conv;
}

static struct cmid ask_offline(deskbell_conversation *conv, const char *text)
{
        struct cmid cmid = stage_send(&s, conv, text);

        stage_pass(&s, ANSWERS_AFTER_MS);
        run_tasks();
        return cmid;
}

/* The question is sent, and stands at `seq`. */
static void sent_at(const struct cmid *cmid, int64_t seq)
{
        char text[33];

        stage_acked(&s, stage_find(&s, "message.send"), seq);
        cmid_write(text, cmid);
        text[32] = '\0';
        stage_say(&s,
                  "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"conv\":\"" CONV
                  "\",\"seq\":%lld,\"ts\":1700000000000,\"author\":\"" USER
                  "\",\"cmid\":\"%s\",\"kind\":\"text\",\"text\":\"refund?\"}}",
                  (long long)seq, text);
}

/* ---- fetching ---------------------------------------------------------------------------------------------------- */

static void a_version_comes_in_pieces_and_goes_on_where_the_connection_was_lost(void **state)
{
        (void)state;
        begin(0);
        stage_link_closes(&s, 1006);
        come_back();
        json_t *request = asked();
        assert_non_null(request);
        assert_string_equal("", stage_param(request, "have"));
        assert_string_equal("", stage_param(request, "part_of"));
        serve_piece(request, one);
        json_decref(asked());
        stage_link_closes(&s, 1006); /* the second piece is lost */
        stage_kill(&s);              /* and the process dies */
        stage_open(&s);
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_feed(&s, 1, "");
        request = asked();
        assert_non_null(request);
        assert_string_equal(name_of(one), stage_param(request, "part_of"));
        assert_int_equal(PIECE, stage_number(request, "offset"));
        serve_piece(request, one);
        serve_piece(asked(), one);
        assert_null(asked());
        size_t len = 0;
        char *bytes = answers_bytes(s.machine, &len);
        assert_int_equal(BLOB, len);
        for (size_t i = 0; i < len; i++)
                assert_int_equal(byte_of(one, i), bytes[i]);
        free(bytes);
}

static void it_is_asked_for_once_a_day_and_only_what_has_changed_comes(void **state)
{
        (void)state;
        fetched_and_offline(0);
        come_back();
        assert_null(asked());
        stage_link_closes(&s, 1006);
        stage_pass(&s, DAY);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_feed(&s, 1, "");
        json_t *request = asked();
        assert_non_null(request);
        assert_string_equal(name_of(one), stage_param(request, "have"));
        stage_answer(&s, request, "{\"version\":\"%s\"}", name_of(one));
        assert_null(asked());
        assert_true(s.machine->answers.at.whole.size);
}

static void a_newer_version_takes_the_place_of_the_old_one_when_it_is_whole(void **state)
{
        (void)state;
        fetched_and_offline(0);
        stage_pass(&s, DAY);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_feed(&s, 1, "");
        serve_piece(asked(), two);
        assert_int_equal(0x11, s.machine->answers.at.whole.name[0]);
        serve_piece(asked(), two);
        serve_piece(asked(), two);
        assert_int_equal(0x22, s.machine->answers.at.whole.name[0]);
        assert_null(asked());
        char piece[64];
        snprintf(piece, sizeof(piece), "answers.1111111111111111.0");
        assert_int_equal(0, cache_value_get(stage_cache(&s), piece, piece, 0)); /* the old one takes no room */
}

static void a_version_that_changes_while_it_comes_is_begun_anew(void **state)
{
        (void)state;
        begin(0);
        stage_link_closes(&s, 1006);
        come_back();
        serve_piece(asked(), one);
        serve_all(two);
        assert_int_equal(0x22, s.machine->answers.at.whole.name[0]);
        assert_false(s.machine->answers.at.begun.size);
}

static void what_the_operator_takes_back_is_used_no_more(void **state)
{
        (void)state;
        deskbell_conversation *conv = fetched_and_offline(0);
        stage_pass(&s, DAY);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_feed(&s, 1, "");
        stage_answer(&s, asked(), "{}");
        assert_false(s.machine->answers.at.whole.size);
        stage_link_closes(&s, 1006);
        struct cmid cmid = ask_offline(conv, "refund?");
        assert_int_equal(0, told(&cmid));
        assert_int_equal(0, asks);
}

static void without_a_table_nothing_is_fetched(void **state)
{
        (void)state;
        s.settings.has_answers = false;
        begin(0);
        stage_link_closes(&s, 1006);
        come_back();
        assert_null(asked());
}

static void an_older_server_is_asked_once_a_day(void **state)
{
        (void)state;
        begin(0);
        stage_link_closes(&s, 1006);
        come_back();
        stage_refuse(&s, asked(), "unknown_method", true, -1);
        assert_null(asked());
        stage_link_closes(&s, 1006);
        come_back();
        assert_null(asked());
}

static void a_server_that_is_busy_is_asked_when_it_said(void **state)
{
        (void)state;
        begin(0);
        stage_link_closes(&s, 1006);
        come_back();
        stage_refuse(&s, asked(), "overloaded", false, 5000);
        assert_null(asked());
        stage_pass(&s, 4999);
        assert_null(asked());
        stage_pass(&s, 1000);
        serve_all(one);
        assert_true(s.machine->answers.at.whole.size);
}

static void messages_go_before_the_version(void **state)
{
        (void)state;
        deskbell_conversation *conv = begin(0);
        stage_link_closes(&s, 1006);
        struct cmid cmid = stage_send(&s, conv, "hello");
        come_back();
        assert_null(asked());
        sent_at(&cmid, 1);
        json_t *request = asked();
        assert_non_null(request);
        json_decref(request);
}

static void nothing_is_fetched_in_the_background(void **state)
{
        (void)state;
        begin(0);
        stage_link_closes(&s, 1006);
        come_back();
        json_t *request = asked();
        stage_begin(&s);
        machine_set_background(s.machine, true);
        stage_end(&s);
        serve_piece(request, one); /* what is under way is taken */
        assert_null(asked());
        assert_int_equal(PIECE, s.machine->answers.at.begun.offset);
}

/* Each does something that no good server does; returns whether there was a request to answer. */
static bool misbehave(int how, int round)
{
        json_t *request = asked();
        char version[3] = {(char)('1' + round % 9), (char)('1' + round / 9 % 9), '\0'};
        if (!request)
                return false;

        switch (how) {
        case 0:
                stage_answer(&s, request, "{\"version\":\"%s\",\"part\":\"AAAA\"}", name_of(one));
                break;
        case 1: /* larger than any may be: the codec refuses */
                give_part(request, one, PROTOCOL_OFFLINE_BYTES + 1, 0, PIECE);
                break;
        case 2:
                give_part(request, one, BLOB, PIECE, PIECE); /* not what follows */
                break;
        case 3:
                give_part(request, one, BLOB, 0, 3); /* crumbs */
                break;
        case 4:
                give_part(request, version, BLOB, 0, PIECE); /* another one each time */
                break;
        case 5:
                give_part(request, one, 100, 0, 200); /* more than the whole */
                break;
        case 6:
                stage_answer(&s, request, "{\"version\":\"%s\",\"size\":9000,\"offset\":0,\"part\":\"!!!!\"}",
                             name_of(one));
                break;
        case 7:
                stage_answer(&s, request, "{\"version\":\"%s\"}", name_of(two)); /* one that we lack, and no piece */
                break;
        default:
                stage_answer(&s, request, "[1]");
                break;
        }
        return true;
}

static void a_server_that_talks_nonsense_is_asked_no_more_that_day(void **state)
{
        (void)state;
        for (int how = 0; how <= 8; how++) {
                int rounds = 0;
                begin(0);
                stage_link_closes(&s, 1006);
                come_back();
                while (rounds < 20 && misbehave(how, rounds))
                        rounds++;
                assert_in_range(rounds, 1, how == 4 ? ANSWERS_SETBACKS + 2 : 1);
                assert_false(s.machine->answers.at.whole.size);
                assert_false(s.machine->answers.at.begun.size);
                stage_done(&s);
                assert_int_equal(0, remove(path));
                stage_init(&s, path);
                s.settings.has_answers = true;
        }
        stage_open(&s);
}

static void what_the_version_takes_in_the_file_costs_no_entries(void **state)
{
        (void)state;
        fetched_and_offline(0);
        assert_int_equal(BLOB, answers_used_bytes(s.machine));
}

/* ---- answering --------------------------------------------------------------------------------------------------- */

static void a_question_without_a_session_is_answered_here_and_sent_all_the_same(void **state)
{
        (void)state;
        deskbell_conversation *conv = fetched_and_offline(0);
        struct cmid cmid = stage_send(&s, conv, "refund please");
        stage_expect_message(&s, &cmid, DESKBELL_QUEUED);
        stage_pass(&s, ANSWERS_AFTER_MS - 1);
        run_tasks();
        assert_int_equal(0, told(&cmid)); /* the connection has a moment */
        stage_pass(&s, 1);
        run_tasks();
        assert_int_equal(1, told(&cmid));
        stage_pass(&s, 60000);
        run_tasks();
        assert_int_equal(0, told(&cmid));
        assert_int_equal(1, asks);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_feed(&s, 1, "");
        json_t *request = stage_find(&s, "message.send");
        assert_non_null(request);
        assert_string_equal("refund please", stage_param(request, "text"));
        json_decref(request);
        run_tasks();
        assert_int_equal(1, unloads); /* nothing of it is in memory while there is a session */
        unload_rest();
}

static void what_it_is_not_sure_of_and_what_is_no_text_is_left_to_the_server(void **state)
{
        (void)state;
        deskbell_conversation *conv = fetched_and_offline(0);
        struct cmid cmid = ask_offline(conv, "a person please");
        assert_int_equal(0, told(&cmid));
        assert_int_equal(1, asks);
        struct message_options tap = {.cmid = machine_cmid(s.machine, s.wall_ms), .pressed_seq = 1, .pressed_id = "a"};
        stage_begin(&s);
        assert_int_equal(0, stage_hand_send(&s, conv, "refund", &tap));
        stage_end(&s);
        stage_pass(&s, ANSWERS_AFTER_MS);
        run_tasks();
        assert_int_equal(1, asks);
        unload_rest();
}

static void a_session_that_opens_in_time_answers_itself(void **state)
{
        (void)state;
        deskbell_conversation *conv = fetched_and_offline(0);
        stage_pass(&s, 31000);
        stage_link_opens(&s);
        stage_link_closes(&s, 1006);
        struct cmid cmid = stage_send(&s, conv, "refund?");
        stage_pass(&s, 1000); /* the pause is no longer */
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_pass(&s, ANSWERS_AFTER_MS);
        run_tasks();
        assert_int_equal(0, told(&cmid));
        cmid = stage_send(&s, conv, "refund again?");
        stage_pass(&s, ANSWERS_AFTER_MS);
        run_tasks();
        assert_int_equal(0, asks);
}

static void an_answer_that_is_found_too_late_is_not_told(void **state)
{
        (void)state;
        deskbell_conversation *conv = fetched_and_offline(0);
        struct cmid cmid = stage_send(&s, conv, "refund?");
        stage_pass(&s, ANSWERS_AFTER_MS);
        struct answers_task *task = machine_answers_take(s.machine);
        assert_non_null(task);
        work(task);
        stage_pass(&s, 31000); /* meanwhile */
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_begin(&s);
        machine_answers_done(s.machine, task);
        stage_end(&s);
        run_tasks();
        assert_int_equal(0, told(&cmid));
        assert_int_equal(1, unloads);
}

static void where_a_person_has_written_lately_nothing_is_answered(void **state)
{
        (void)state;
        deskbell_conversation *conv = fetched_and_offline(3); /* an agent's, of 1700000000000 */
        s.wall_ms = 1700000000000 + 3 * (int64_t)DAY - 10000;
        struct cmid cmid = ask_offline(conv, "refund?");
        assert_int_equal(0, told(&cmid));
        assert_int_equal(0, asks);
        s.wall_ms += 20000;
        cmid = ask_offline(conv, "refund, anybody?");
        assert_int_equal(1, told(&cmid));
        unload_rest();
}

static void it_is_kept_in_the_transcript_over_a_restart(void **state)
{
        (void)state;
        deskbell_conversation *conv = fetched_and_offline(0);
        struct cmid cmid = ask_offline(conv, "refund?");
        assert_int_equal(1, told(&cmid));
        unload_rest();
        stage_kill(&s);
        stage_open(&s);
        assert_int_equal(0, told(&cmid));
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        assert_int_equal(2, told(&cmid));
        assert_int_equal(0, told(&cmid));
}

static void said_at(const char *author, int64_t seq)
{
        char *entry = stage_entry(seq, author, "30 days, as it says on the page");

        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":%s}", entry);
        free(entry);
}

#define BOT "bot_0000000000009"

static void it_is_taken_back_when_somebody_else_stands_behind_the_question(void **state)
{
        (void)state;
        deskbell_conversation *conv = fetched_and_offline(0);
        struct cmid cmid = ask_offline(conv, "refund?");
        assert_int_equal(1, told(&cmid));
        come_back();
        run_tasks();
        said_at(BOT, 1); /* before the question: about something else */
        assert_int_equal(0, told(&cmid));
        sent_at(&cmid, 2);
        assert_int_equal(0, told(&cmid));
        said_at(USER, 3); /* his own word is no answer */
        assert_int_equal(0, told(&cmid));
        said_at(BOT, 4);
        assert_int_equal(-1, told(&cmid));
        said_at(AGENT, 5);
        assert_int_equal(0, told(&cmid));
        stage_kill(&s);
        stage_open(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        assert_int_equal(0, told(&cmid));
}

static void a_take_back_that_could_not_be_written_comes_again(void **state)
{
        (void)state;
        deskbell_conversation *conv = fetched_and_offline(0);
        struct cmid cmid = ask_offline(conv, "refund?");
        assert_int_equal(1, told(&cmid));
        come_back();
        run_tasks();
        sent_at(&cmid, 1);
        stage_begin(&s);
        char text[400];
        char *entry = stage_entry(2, BOT, "30 days");
        snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":%s}", entry);
        free(entry);
        machine_link_text(s.machine, text, strlen(text));
        cache_fail(stage_cache(&s));
        assert_int_equal(DESKBELL_E_STORE, stage_end(&s));
        assert_int_equal(0, told(&cmid)); /* nothing of that turn was told */
        stage_pass(&s, 31000);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 2, "");
        stage_feed(&s, 2, "{\"conv\":\"" CONV "\",\"rev\":2,\"key\":\"main\",\"head\":2}");
        char *entries = stage_entry(2, BOT, "30 days");
        stage_answer(&s, stage_find(&s, "entries.read"), "{\"head\":2,\"entries\":[%s]}", entries);
        free(entries);
        assert_int_equal(-1, told(&cmid));
}

static void after_a_reset_the_place_in_the_new_log_counts(void **state)
{
        (void)state;
        deskbell_conversation *conv = fetched_and_offline(0);
        struct cmid cmid = ask_offline(conv, "refund?");
        assert_int_equal(1, told(&cmid));
        come_back();
        run_tasks();
        sent_at(&cmid, 1);
        be_away();
        stage_pass(&s, 31000);
        stage_link_opens(&s);
        stage_log_in(&s, NEW_EPOCH, 1, ",\"reset\":\"epoch\"");
        stage_feed(&s, 1, "{\"conv\":\"" CONV "\",\"rev\":1,\"key\":\"main\",\"head\":1}");
        char *entry = stage_entry(1, BOT, "before the restore");
        json_t *request = stage_find(&s, "entries.read");
        if (request)
                stage_answer(&s, request, "{\"head\":1,\"entries\":[%s]}", entry);
        free(entry);
        assert_int_equal(0, told(&cmid));
        sent_at(&cmid, 2);
        assert_int_equal(0, told(&cmid));
        said_at(BOT, 3);
        assert_int_equal(-1, told(&cmid));
}

static void an_answer_goes_with_its_question(void **state)
{
        (void)state;
        deskbell_conversation *conv = fetched_and_offline(0);
        struct cmid cmid = ask_offline(conv, "refund?"), again;
        assert_int_equal(1, told(&cmid));
        come_back();
        run_tasks();
        stage_refuse(&s, stage_find(&s, "message.send"), "forbidden", true, -1);
        assert_int_equal(0, told(&cmid)); /* what was found still helps */
        stage_begin(&s);
        assert_int_equal(0, stage_hand_retry(&s, &cmid, &again));
        stage_end(&s);
        assert_int_equal(-1, told(&cmid));
        stage_refuse(&s, stage_find(&s, "message.send"), "forbidden", true, -1);
        be_away();
        cmid = ask_offline(conv, "refund once more");
        assert_int_equal(1, told(&cmid));
        come_back();
        run_tasks();
        sent_at(&cmid, 1);
        stage_say(&s, "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"conv\":\"" CONV
                      "\",\"seq\":2,\"ts\":1700000000000,\"author\":\"" USER "\",\"kind\":\"erase\",\"of\":1}}");
        assert_int_equal(-1, told(&cmid));
}

static void a_version_that_cannot_be_used_is_fetched_once_more_and_then_not_again(void **state)
{
        (void)state;
        deskbell_conversation *conv = fetched_and_offline(0);
        cannot_load = true;
        struct cmid cmid = ask_offline(conv, "refund?");
        assert_int_equal(0, told(&cmid));
        come_back();
        sent_at(&cmid, 1);
        json_t *request = asked();
        assert_non_null(request);
        assert_string_equal("", stage_param(request, "have"));
        serve_piece(request, one);
        serve_piece(asked(), one);
        serve_piece(asked(), one);
        assert_null(asked());
        be_away();
        cmid = ask_offline(conv, "refund?");
        come_back();
        sent_at(&cmid, 2);
        assert_null(asked());
        be_away();
        stage_pass(&s, DAY);
        stage_link_opens(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_feed(&s, 1, "");
        request = asked();
        assert_non_null(request);
        assert_string_equal(name_of(one), stage_param(request, "have")); /* not that one */
        serve_piece(request, two);
        serve_piece(asked(), two);
        serve_piece(asked(), two);
        cannot_load = false;
        be_away();
        cmid = ask_offline(conv, "refund?");
        assert_int_equal(1, told(&cmid));
        unload_rest();
}

static void what_one_table_could_not_use_another_one_gets(void **state)
{
        (void)state;
        deskbell_conversation *conv = fetched_and_offline(0);
        cannot_load = true;
        struct cmid cmid = ask_offline(conv, "refund?");
        come_back();
        sent_at(&cmid, 1);
        serve_all(one);
        be_away();
        cmid = ask_offline(conv, "refund?");
        stage_kill(&s);
        snprintf(s.settings.answers_table, sizeof(s.settings.answers_table), "test 2");
        stage_open(&s);
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_feed(&s, 1, "");
        sent_at(&cmid, 2);
        json_t *request = asked();
        assert_non_null(request);
        assert_string_equal("", stage_param(request, "have"));
        json_decref(request);
}

static void a_piece_that_the_disk_has_lost_is_a_version_that_cannot_be_used(void **state)
{
        (void)state;
        deskbell_conversation *conv = fetched_and_offline(0);
        stage_begin(&s);
        cache_value_drop(stage_cache(&s), "answers.1111111111111111.1");
        stage_end(&s);
        stage_send(&s, conv, "refund?");
        stage_pass(&s, ANSWERS_AFTER_MS);
        struct answers_task *task = machine_answers_take(s.machine);
        assert_non_null(task);
        assert_int_not_equal(BLOB, task->len);
        task->is_unusable = true; /* so says every table */
        stage_begin(&s);
        machine_answers_done(s.machine, task);
        stage_end(&s);
        assert_false(s.machine->answers.at.whole.size);
}

static void the_oldest_of_many_answers_goes(void **state)
{
        (void)state;
        struct cmid first = {0}, cmid = {0};
        deskbell_conversation *conv = fetched_and_offline(0);
        stage_begin(&s);
        machine_disconnect(s.machine);
        stage_end(&s);
        for (int i = 0; i < ANSWERS_KEPT; i++) {
                cmid = ask_offline(conv, "refund?");
                assert_int_equal(1, told(&cmid));
                first = i == 0 ? cmid : first;
        }
        cmid = ask_offline(conv, "refund?");
        assert_int_equal(-1, told(&first));
        assert_int_equal(1, told(&cmid));
        unload_rest();
}

static void a_stopped_client_answers_nothing(void **state)
{
        (void)state;
        deskbell_conversation *conv = fetched_and_offline(0);
        stage_pass(&s, 31000);
        stage_link_opens(&s);
        stage_link_closes(&s, PROTOCOL_CLOSE_REVOKED);
        struct cmid cmid = ask_offline(conv, "refund?");
        assert_int_equal(0, told(&cmid));
        assert_int_equal(0, asks);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(a_version_comes_in_pieces_and_goes_on_where_the_connection_was_lost),
                T(it_is_asked_for_once_a_day_and_only_what_has_changed_comes),
                T(a_newer_version_takes_the_place_of_the_old_one_when_it_is_whole),
                T(a_version_that_changes_while_it_comes_is_begun_anew),
                T(what_the_operator_takes_back_is_used_no_more),
                T(without_a_table_nothing_is_fetched),
                T(an_older_server_is_asked_once_a_day),
                T(a_server_that_is_busy_is_asked_when_it_said),
                T(messages_go_before_the_version),
                T(nothing_is_fetched_in_the_background),
                T(a_server_that_talks_nonsense_is_asked_no_more_that_day),
                T(what_the_version_takes_in_the_file_costs_no_entries),
                T(a_question_without_a_session_is_answered_here_and_sent_all_the_same),
                T(what_it_is_not_sure_of_and_what_is_no_text_is_left_to_the_server),
                T(a_session_that_opens_in_time_answers_itself),
                T(an_answer_that_is_found_too_late_is_not_told),
                T(where_a_person_has_written_lately_nothing_is_answered),
                T(it_is_kept_in_the_transcript_over_a_restart),
                T(it_is_taken_back_when_somebody_else_stands_behind_the_question),
                T(a_take_back_that_could_not_be_written_comes_again),
                T(after_a_reset_the_place_in_the_new_log_counts),
                T(an_answer_goes_with_its_question),
                T(a_version_that_cannot_be_used_is_fetched_once_more_and_then_not_again),
                T(what_one_table_could_not_use_another_one_gets),
                T(a_piece_that_the_disk_has_lost_is_a_version_that_cannot_be_used),
                T(the_oldest_of_many_answers_goes),
                T(a_stopped_client_answers_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
