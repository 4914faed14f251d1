/* SPDX-License-Identifier: Apache-2.0 */
/* Every error that the header documents, provoked through the public call: a row for each function and code. `--list`
 * prints the rows; errors.py compares them with the header, so that a code that is documented without a row, or a row
 * without documentation, fails. */
#include "errors_stand.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

/* ---- good calls: they succeed where memory and disk are as they should be ---------------------------------------- */

static void on_history(deskbell_client *client, int error, const struct deskbell_entry *entries, size_t count,
                       int64_t head, int more, void *data)
{
        (void)client;
        (void)error;
        (void)entries;
        (void)count;
        (void)head;
        (void)more;
        (void)data;
}

static void on_found(deskbell_client *client, int error, const struct deskbell_found *found, size_t count,
                     const char *next, int is_cut, void *data)
{
        (void)client;
        (void)error;
        (void)found;
        (void)count;
        (void)next;
        (void)is_cut;
        (void)data;
}

static int see(const struct deskbell_conversation_info *info, void *data)
{
        (void)info;
        (void)data;
        return 0;
}

static int open_again(struct stand *stand)
{
        deskbell_client *second = NULL;
        int rc = deskbell_open(&stand->options, &second);

        deskbell_close(second);
        return rc;
}

static int open_next(struct stand *stand)
{
        static int number;
        deskbell_conversation *conversation = NULL;
        char key[24];

        snprintf(key, sizeof(key), "key-%d", ++number);
        return deskbell_conversation_open(stand->client, key, &conversation);
}

static int open_next_id(struct stand *stand)
{
        static int number;
        deskbell_conversation *conversation = NULL;
        char id[24];

        snprintf(id, sizeof(id), "cnv_%013d", 100 + ++number);
        return deskbell_conversation_open_id(stand->client, id, &conversation);
}

/* `cmid` NULL: one made by the call, which then waits for the disk. */
static struct deskbell_send_options how(const char *cmid)
{
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;

        options.cmid = cmid;
        options.wait_for_disk = !cmid;
        return options;
}

static int send_as(struct stand *stand, const char *text, const char *cmid)
{
        struct deskbell_send_options options = how(cmid);

        return deskbell_send(stand->conversation, text, &options, NULL);
}

static int fill_in(struct stand *stand, const char *value)
{
        const struct deskbell_form_value values[] = {{"name", value}};
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;

        options.filled_seq = 1;
        options.filled = values;
        options.filled_count = 1;
        return deskbell_send(stand->conversation, NULL, &options, NULL);
}

static int edit_as(struct stand *stand, const char *text, const char *cmid)
{
        struct deskbell_send_options options = how(cmid);

        return deskbell_edit(stand->conversation, 1, 1, text, &options, NULL);
}

static int erase_as(struct stand *stand, const char *cmid)
{
        struct deskbell_send_options options = how(cmid);

        return deskbell_erase(stand->conversation, 1, &options, NULL);
}

static int read_history(struct stand *stand)
{
        struct deskbell_history_options options = DESKBELL_HISTORY_OPTIONS_INIT;

        options.from_server = 1;
        return deskbell_history(stand->conversation, &options, on_history, NULL);
}

static int receive_push(struct stand *stand)
{
        int is_news;

        return deskbell_push_received(stand->client, NULL, 0, &is_news);
}

CALL(set_token, deskbell_set_token(stand->client, "another"))
CALL(set_push, deskbell_set_push(stand->client, DESKBELL_PUSH_FCM, "device"))
CALL(list, deskbell_conversations(stand->client, see, NULL))
CALL(send_one, send_as(stand, "Hello", NULL))
CALL(fill_one, fill_in(stand, "Ann"))
CALL(edit_one, edit_as(stand, "Hello again", NULL))
CALL(erase_one, erase_as(stand, NULL))
CALL(retry_last, deskbell_retry(stand->client, stand->cmid, NULL))
CALL(forget_last, deskbell_forget(stand->client, stand->cmid))
CALL(mark_read, deskbell_mark_read(stand->conversation, 1))
CALL(entry_done, deskbell_entry_done(stand->conversation, DESKBELL_PUBLIC, 1))
CALL(search, deskbell_search(stand->client, "printer", NULL, on_found, NULL))
CALL(log_out, deskbell_log_out(stand->client, 0, NULL))
CALL(close_client, deskbell_close(stand->client))
CALL(dispatch, deskbell_dispatch(stand->client, 0))

/* ---- what comes before a call ------------------------------------------------------------------------------------ */

static void nothing(struct stand *stand)
{
        stand_begin(stand, CUSTOMER);
}

static void staff(struct stand *stand)
{
        stand_begin(stand, STAFF);
}

static void online(struct stand *stand)
{
        stand_begin(stand, CUSTOMER);
        stand_connect(stand);
}

/* A message of this user has a place: number 1. */
static void one_stored(struct stand *stand)
{
        online(stand);
        stand_send(stand, "Hello", &stand->sent);
}

/* Entry 1 is a form. */
static void one_asked(struct stand *stand)
{
        online(stand);
        stand_send(stand, "ask", &stand->sent);
        stand_send(stand, "is it there?", &stand->sent); /* when this is, so is the form */
}

static void one_refused(struct stand *stand)
{
        online(stand);
        stand_send(stand, "refuse", &stand->failed);
}

static void one_queued(struct stand *stand)
{
        stand_begin(stand, CUSTOMER);
        deskbell_send(stand->conversation, "Hello", NULL, stand->cmid);
}

static void full(struct stand *stand)
{
        stand_begin(stand, CUSTOMER);
        stand_fill(stand);
}

static void stored_and_full(struct stand *stand)
{
        one_stored(stand);
        deskbell_disconnect(stand->client);
        stand_fill(stand);
}

static void refused_and_full(struct stand *stand)
{
        char cmid[33];

        one_refused(stand);
        memcpy(cmid, stand->cmid, sizeof(cmid));
        deskbell_disconnect(stand->client);
        stand_fill(stand);
        memcpy(stand->cmid, cmid, sizeof(cmid));
}

static void manual(struct stand *stand)
{
        stand_prepare(stand, CUSTOMER);
        stand->options.manual_ack = 1;
        assert_int_equal(0, deskbell_open(&stand->options, &stand->client));
        assert_int_equal(0, deskbell_conversation_open(stand->client, "main", &stand->conversation));
        stand_connect(stand);
        stand_send(stand, "Hello", &stand->sent);
}

static void visitor(struct stand *stand)
{
        stand_begin(stand, VISITOR);
}

static void unopened(struct stand *stand)
{
        stand_prepare(stand, CUSTOMER);
}

static void staff_with_fifty(struct stand *stand)
{
        stand_begin(stand, STAFF);
        for (int i = 0; i < 50; i++)
                assert_int_equal(0, open_next_id(stand));
}

static int check_empty(struct stand *stand)
{
        static const struct deskbell_form_field field = {"name", "Name", "text", 1};

        (void)stand;
        return deskbell_form_check(&field, 1, NULL, 0, NULL);
}

/* ---- calls that are special -------------------------------------------------------------------------------------- */

static int in_callback(struct stand *stand, int (*call)(struct stand *stand))
{
        stand->in_callback = call;
        stand_connect(stand);
        stand->in_callback = NULL;
        return stand->refused_in_callback;
}

static int open_nowhere(struct stand *stand)
{
        stand->options.data_dir = "/proc/nowhere";
        return open_again(stand);
}

static const uint8_t store_key[32] = "a key of the application's own.";

static void sealed(struct stand *stand)
{
        stand_prepare(stand, CUSTOMER);
        stand->options.store_key = store_key;
        stand->options.store_key_len = sizeof(store_key);
        assert_int_equal(0, deskbell_open(&stand->options, &stand->client));
}

static int open_without_key(struct stand *stand)
{
        deskbell_close(stand->client);
        stand->client = NULL;
        stand->options.store_key = NULL;
        stand->options.store_key_len = 0;
        return open_again(stand);
}

static int change_key(struct stand *stand)
{
        return deskbell_change_store_key(stand->client, store_key, sizeof(store_key));
}

static void change_file(struct stand *stand, const char *sql)
{
        char command[256], path[128] = "";
        sqlite3 *db = NULL;

        snprintf(command, sizeof(command), "ls %s/*.deskbell", stand->folder);
        FILE *names = popen(command, "r"); /* NOLINT(cert-env33-c): the folder's name is ours */
        assert_non_null(fgets(path, sizeof(path), names));
        pclose(names);
        path[strcspn(path, "\n")] = '\0';
        assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
        assert_int_equal(SQLITE_OK, sqlite3_exec(db, sql, NULL, NULL, NULL));
        sqlite3_close(db);
}

/* A file whose tables nobody here knows, by a library to come. */
static int open_newer(struct stand *stand)
{
        assert_int_equal(0, open_again(stand));
        change_file(stand, "ALTER TABLE outbox RENAME COLUMN cmid TO other; PRAGMA user_version = 99;");
        return open_again(stand);
}

/* Somebody has taken a table away under the open client: nothing can be looked up. */
static int retry_unreadable(struct stand *stand)
{
        change_file(stand, "ALTER TABLE outbox RENAME TO elsewhere;");
        return retry_last(stand);
}

static int send_same_twice(struct stand *stand)
{
        assert_int_equal(0, send_as(stand, "Hello", UNKNOWN));
        return send_as(stand, "Hello", UNKNOWN);
}

static int edit_same_twice(struct stand *stand)
{
        assert_int_equal(0, edit_as(stand, "one", UNKNOWN));
        return edit_as(stand, "two", UNKNOWN);
}

static int erase_same_twice(struct stand *stand)
{
        assert_int_equal(0, send_as(stand, "Hello", UNKNOWN));
        return erase_as(stand, UNKNOWN);
}

static int allocator_again(struct stand *stand)
{
        (void)stand;
        return deskbell_set_allocator(NULL);
}

static int log_out_full_disk(struct stand *stand)
{
        int rc = stand_on_full_disk(stand, log_out);

        stand->client = NULL; /* it is closed all the same */
        return rc;
}

static int search_nothing(struct stand *stand)
{
        return deskbell_search(stand->client, "\n", NULL, on_found, NULL);
}

CALL(retry_unknown, deskbell_retry(stand->client, UNKNOWN, NULL))
CALL(forget_unknown, deskbell_forget(stand->client, UNKNOWN))
CALL(send_long, send_as(stand, stand_long_text, NULL))
CALL(send_empty, send_as(stand, "", NULL))
CALL(fill_long, fill_in(stand, stand_long_text))
CALL(fill_odd, fill_in(stand, "\x01"))
CALL(fill_empty, fill_in(stand, ""))
CALL(edit_long, edit_as(stand, stand_long_text, NULL))
CALL(edit_empty, edit_as(stand, "\xff", NULL))
CALL(set_presence, deskbell_set_presence(stand->client, DESKBELL_HERE))
CALL(close_there, in_callback(stand, close_client))
CALL(log_out_there, in_callback(stand, log_out))
CALL(dispatch_there, in_callback(stand, dispatch))

static int dispatch_without(struct stand *stand)
{
        stand->options.callbacks_by_dispatch = 0;
        assert_int_equal(0, deskbell_open(&stand->options, &stand->client));
        return dispatch(stand);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static const struct row errors_others[] = {
        ROW(set_allocator, STATE, nothing, allocator_again, CALLED),
        ROW(open, LOCKED, nothing, open_again, CALLED),
        ROW(open, NOMEM, unopened, open_again, WITHOUT_MEMORY),
        ROW(open, STORE, unopened, open_nowhere, CALLED),
        ROW(open, STORE_NEWER, unopened, open_newer, CALLED),
        ROW(open, KEY, sealed, open_without_key, CALLED),
        ROW(change_store_key, STATE, nothing, change_key, CALLED),
        ROW(change_store_key, STORE, sealed, change_key, ON_FULL_DISK),
        ROW(close, WRONG_THREAD, nothing, close_there, CALLED),
        ROW(log_out, WRONG_THREAD, nothing, log_out_there, CALLED),
        ROW(log_out, UNSENT, one_queued, log_out, CALLED),
        ROW(log_out, STORE, nothing, log_out_full_disk, CALLED),
        ROW(dispatch, WRONG_THREAD, nothing, dispatch_there, CALLED),
        ROW(dispatch, STATE, unopened, dispatch_without, CALLED),
        ROW(set_token, NOMEM, nothing, set_token, WITHOUT_MEMORY),
        ROW(set_token, STATE, visitor, set_token, CALLED),
        ROW(set_push, STORE, nothing, set_push, ON_FULL_DISK),
        ROW(set_push, STATE, staff, set_push, CALLED),
        ROW(push_received, STATE, nothing, receive_push, CALLED),
        ROW(conversation_open, NOMEM, nothing, open_next, WITHOUT_MEMORY),
        ROW(conversation_open, STORE, nothing, open_next, ON_FULL_DISK),
        ROW(conversation_open, STATE, staff, open_next, CALLED),
        ROW(conversation_open_id, NOMEM, nothing, open_next_id, WITHOUT_MEMORY),
        ROW(conversation_open_id, STORE, nothing, open_next_id, ON_FULL_DISK),
        ROW(conversation_open_id, STATE, staff_with_fifty, open_next_id, CALLED),
        ROW(conversations, NOMEM, nothing, list, WITHOUT_MEMORY),
        ROW(send, NOMEM, nothing, send_one, WITHOUT_MEMORY),
        ROW(send, STORE, nothing, send_one, ON_FULL_DISK),
        ROW(send, OUTBOX_FULL, full, send_one, CALLED),
        ROW(send, TOO_LONG, nothing, send_long, CALLED),
        ROW(send, TEXT, nothing, send_empty, CALLED),
        ROW(send, EXISTS, nothing, send_same_twice, CALLED),
        ROW(send, NOMEM, one_asked, fill_one, WITHOUT_MEMORY),
        ROW(send, INVALID, one_stored, fill_one, CALLED),
        ROW(send, TOO_LONG, one_asked, fill_long, CALLED),
        ROW(send, TEXT, one_asked, fill_odd, CALLED),
        ROW(send, TEXT, nothing, fill_empty, CALLED),
        ROW(send, FORM, one_asked, fill_empty, CALLED),
        ROW(form_check, FORM, nothing, check_empty, CALLED),
        ROW(edit, NOMEM, one_stored, edit_one, WITHOUT_MEMORY),
        ROW(edit, STORE, one_stored, edit_one, ON_FULL_DISK),
        ROW(edit, OUTBOX_FULL, stored_and_full, edit_one, CALLED),
        ROW(edit, TOO_LONG, one_stored, edit_long, CALLED),
        ROW(edit, TEXT, one_stored, edit_empty, CALLED),
        ROW(edit, EXISTS, one_stored, edit_same_twice, CALLED),
        ROW(edit, NOT_FOUND, nothing, edit_one, CALLED),
        ROW(erase, NOMEM, one_stored, erase_one, WITHOUT_MEMORY),
        ROW(erase, STORE, one_stored, erase_one, ON_FULL_DISK),
        ROW(erase, OUTBOX_FULL, stored_and_full, erase_one, CALLED),
        ROW(erase, EXISTS, one_stored, erase_same_twice, CALLED),
        ROW(erase, NOT_FOUND, nothing, erase_one, CALLED),
        ROW(retry, NOMEM, one_refused, retry_last, WITHOUT_MEMORY),
        ROW(retry, STORE, one_refused, retry_unreadable, CALLED),
        ROW(retry, OUTBOX_FULL, refused_and_full, retry_last, CALLED),
        ROW(retry, NOT_FOUND, nothing, retry_unknown, CALLED),
        ROW(retry, STATE, one_queued, retry_last, CALLED),
        ROW(forget, NOMEM, one_refused, forget_last, WITHOUT_MEMORY),
        ROW(forget, STORE, one_refused, forget_last, ON_FULL_DISK),
        ROW(forget, NOT_FOUND, nothing, forget_unknown, CALLED),
        ROW(forget, STATE, one_queued, forget_last, CALLED),
        ROW(mark_read, STORE, one_stored, mark_read, ON_FULL_DISK),
        ROW(set_presence, STATE, nothing, set_presence, CALLED),
        ROW(entry_done, STATE, one_stored, entry_done, CALLED),
        ROW(entry_done, STORE, manual, entry_done, ON_FULL_DISK),
        ROW(history, NOMEM, online, read_history, WITHOUT_MEMORY),
        ROW(history, OFFLINE, nothing, read_history, CALLED),
        ROW(search, NOMEM, online, search, WITHOUT_MEMORY),
        ROW(search, OFFLINE, nothing, search, CALLED),
        ROW(search, TEXT, nothing, search_nothing, CALLED),
        {0},
};

static const struct row *const tables[] = {errors_invalid, errors_bot,     errors_desk,
                                           errors_files,   errors_surveys, errors_others};

enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

static int provoke(const struct row *row)
{
        struct stand stand;
        int rc;

        row->before(&stand);
        if (row->how == WITHOUT_MEMORY)
                rc = stand_without_memory(&stand, row->call);
        else
                rc = row->how == ON_FULL_DISK ? stand_on_full_disk(&stand, row->call) : row->call(&stand);
        stand_end(&stand);
        return rc;
}

static void every_documented_error_is_what_its_function_returns(void **state)
{
        int wrong = 0;

        (void)state;
        for (int i = 0; i < TABLES; i++) {
                for (const struct row *row = tables[i]; row->function; row++) {
                        int rc = provoke(row);
                        if (rc == row->error)
                                continue;
                        print_error("%s: %s expected, got %d (%s)\n", row->function, row->code, rc,
                                    deskbell_error_text(rc));
                        wrong++;
                }
        }
        assert_int_equal(0, wrong);
}

static void each_code_has_a_sentence_of_its_own(void **state)
{
        (void)state;
        for (int code = DESKBELL_E_INVALID; code >= DESKBELL_E_KEY; code--) {
                assert_string_not_equal(deskbell_error_text(-9999), deskbell_error_text(code));
                for (int other = DESKBELL_OK; other > code; other--)
                        assert_string_not_equal(deskbell_error_text(other), deskbell_error_text(code));
        }
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_documented_error_is_what_its_function_returns),
                cmocka_unit_test(each_code_has_a_sentence_of_its_own),
        };

        if (argc == 2 && strcmp(argv[1], "--list") == 0) {
                for (int i = 0; i < TABLES; i++)
                        for (const struct row *row = tables[i]; row->function; row++)
                                printf("%s %s\n", row->function, row->code);
                return 0;
        }
        memset(stand_long_text, 'x', sizeof(stand_long_text) - 1);
        signal(SIGXFSZ, SIG_IGN); /* a write beyond the limit is an error, not the end */
        return cmocka_run_group_tests(tests, NULL, NULL);
}
