/* SPDX-License-Identifier: Apache-2.0 */
/* Forms: what was filled in leaves as the protocol writes it, is kept like any message, comes back typed; what does not
 * fit what was asked is refused before it is queued. */
#include "stage.h"

#include "client-sdk/src/client_private.h"

#define FORM                                                                                                           \
        "\"kind\":\"form\",\"fallback_text\":\"Who are you?\",\"form\":["                                              \
        "{\"id\":\"name\",\"label\":\"Your name\",\"input\":\"text\",\"required\":true},"                              \
        "{\"id\":\"mail\",\"label\":\"E-mail\",\"input\":\"email\"},"                                                  \
        "{\"id\":\"age\",\"label\":\"Age\",\"input\":\"number\"}]"
#define VALUES(...) ((const struct deskbell_form_value[]){__VA_ARGS__})

static struct stage s;
static deskbell_conversation *conv;

static int set_up(void **state)
{
        (void)state;
        stage_init(&s, NULL);
        stage_open(&s);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        stage_done(&s);
        return 0;
}

static void say_entry(int seq, const char *author, const char *members)
{
        stage_say(&s,
                  "{\"jsonrpc\":\"2.0\",\"method\":\"entry\",\"params\":{\"conv\":\"" CONV
                  "\",\"seq\":%d,\"ts\":1700000000009,\"author\":\"%s\",\"cmid\":\"%032x\",%s}}",
                  seq, author, 0xf0000 + seq, members);
}

/* Entry 1 is a text, entry 2 the form. */
static void ask(void)
{
        conv = stage_main(&s, 1);
        say_entry(2, AGENT, FORM);
        stage_drop_events(&s);
}

static int fill(int64_t seq, const char *text, const struct deskbell_form_value *values, size_t count,
                struct cmid *out_cmid)
{
        struct message_options options = {
                .cmid = machine_cmid(s.machine, s.wall_ms), .filled_seq = seq, .filled = values, .filled_count = count};

        stage_begin(&s);
        int rc = stage_hand_send(&s, conv, text, &options);
        assert_int_equal(0, stage_end(&s));
        if (out_cmid)
                *out_cmid = options.cmid;
        return rc;
}

static char *param_json(json_t *frame, const char *name)
{
        return json_dumps(json_object_get(json_object_get(frame, "params"), name), JSON_COMPACT);
}

static void expect_param(json_t *frame, const char *name, const char *expected)
{
        char *text = param_json(frame, name);

        assert_non_null(text);
        assert_string_equal(expected, text);
        free(text);
}

static int64_t queued(void)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        machine_status(s.machine, &status);
        return status.queued;
}

#define ANN "{\"seq\":2,\"values\":[{\"id\":\"name\",\"value\":\"Ann\"},{\"id\":\"mail\",\"value\":\"\"}]}"

static void an_answer_leaves_as_a_text_that_names_the_form_and_comes_back_typed(void **state)
{
        struct cmid cmid;

        (void)state;
        ask();
        assert_int_equal(0, fill(2, "I am Ann", VALUES({"name", "Ann"}, {"mail", ""}), 2, &cmid));
        struct event *told = stage_event(&s, EVENT_MESSAGE);
        assert_int_equal(2, told->message.filled_seq);
        assert_int_equal(0, told->message.pressed_seq);
        json_t *send = stage_take(&s, "message.send");
        assert_string_equal("text", stage_param(send, "kind"));
        assert_string_equal("I am Ann", stage_param(send, "text"));
        expect_param(send, "filled", ANN);
        json_decref(send);

        say_entry(3, USER, "\"kind\":\"text\",\"text\":\"I am Ann\",\"filled\":" ANN);
        struct event *event = stage_event(&s, EVENT_ENTRY);
        assert_non_null(event);
        assert_int_equal(DESKBELL_KIND_TEXT, event->entry.kind);
        assert_int_equal(2, event->entry.filled_seq);
        assert_int_equal(2, event->entry.filled_count);
        assert_string_equal("name", event->entry.filled[0].id);
        assert_string_equal("Ann", event->entry.filled[0].value);
        assert_string_equal("mail", event->entry.filled[1].id);
        assert_string_equal("", event->entry.filled[1].value);
        assert_memory_equal(told->message.hash, event->entry.hash, 16);
        event_free(told);
        event_free(event);
}

static void the_values_belong_to_what_the_hash_is_of(void **state)
{
        uint8_t first[16];

        (void)state;
        ask();
        assert_int_equal(0, fill(2, "same", VALUES({"name", "Ann"}), 1, NULL));
        struct event *told = stage_event(&s, EVENT_MESSAGE);
        memcpy(first, told->message.hash, sizeof(first));
        event_free(told);
        assert_int_equal(0, fill(2, "same", VALUES({"name", "Bob"}), 1, NULL));
        told = stage_event(&s, EVENT_MESSAGE);
        assert_memory_not_equal(first, told->message.hash, sizeof(first));
        event_free(told);
}

static void without_a_text_of_its_own_it_says_the_labels_and_what_was_filled_in(void **state)
{
        (void)state;
        ask();
        assert_int_equal(0, fill(2, NULL, VALUES({"name", "Ann"}, {"mail", " "}, {"age", "41"}), 3, NULL));
        json_t *send = stage_take(&s, "message.send");
        assert_string_equal("Your name: Ann\nAge: 41", stage_param(send, "text"));
        json_decref(send);
}

static void what_does_not_fit_the_form_is_refused_and_nothing_is_queued(void **state)
{
        static const struct {
                struct deskbell_form_value values[3];
                size_t count;
        } wrong[] = {
                {{{"mail", "ann@example.com"}}, 1},          /* the required one is missing */
                {{{"name", ""}}, 1},                         /* or empty */
                {{{"name", " \t"}}, 1},                      /* or blank */
                {{{"name", "Ann"}, {"town", "Ulm"}}, 2},     /* not asked for */
                {{{"name", "Ann"}, {"name", "Bob"}}, 2},     /* twice */
                {{{"name", "Ann"}, {"mail", "nowhere"}}, 2}, /* not what the input wants */
                {{{"name", "Ann"}, {"age", "forty"}}, 2},
        };

        (void)state;
        ask();
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                assert_int_equal(DESKBELL_E_FORM, fill(2, "x", wrong[i].values, wrong[i].count, NULL));
        assert_int_equal(0, queued());
        assert_true(stage_is_silent(&s));
}

static void only_forms_are_filled_in_and_only_by_customers(void **state)
{
        (void)state;
        ask();
        assert_int_equal(DESKBELL_E_INVALID, fill(1, "x", VALUES({"name", "Ann"}), 1, NULL));
        stage_done(&s);
        stage_init(&s, NULL);
        s.settings.is_staff = true;
        stage_open(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open_id(s.machine, 3, &conv));
        stage_end(&s);
        assert_int_equal(DESKBELL_E_INVALID, fill(2, "x", VALUES({"name", "Ann"}), 1, NULL));
        assert_int_equal(0, queued());
}

static void a_form_that_is_not_in_the_cache_is_checked_by_the_server(void **state)
{
        struct cmid cmid;

        (void)state;
        conv = stage_main(&s, 1);
        assert_int_equal(0, fill(7, NULL, VALUES({"name", "Ann"}, {"odd", "1"}), 2, &cmid));
        stage_expect_message(&s, &cmid, DESKBELL_QUEUED);
        json_t *send = stage_take(&s, "message.send");
        assert_string_equal("name: Ann\nodd: 1", stage_param(send, "text"));
        stage_refuse(&s, send, "bad_request", true, -1);
        struct event *told = stage_event(&s, EVENT_MESSAGE);
        assert_int_equal(DESKBELL_FAILED, told->message.state);
        assert_string_equal("bad_request", told->message.tag);
        assert_int_equal(7, told->message.filled_seq);
        event_free(told);
}

static void a_text_made_of_nothing_or_of_too_much_is_refused(void **state)
{
        struct deskbell_form_value values[20];
        char long_value[1001], ids[20][16];

        (void)state;
        conv = stage_main(&s, 1);
        memset(long_value, 'x', 1000);
        long_value[1000] = '\0';
        for (int i = 0; i < 20; i++) {
                snprintf(ids[i], sizeof(ids[i]), "f%d", i);
                values[i] = (struct deskbell_form_value){ids[i], long_value};
        }
        assert_int_equal(DESKBELL_E_TOO_LONG, fill(7, NULL, values, 20, NULL));
        assert_int_equal(0, fill(7, "in short", values, 20, NULL));
        assert_int_equal(DESKBELL_E_TEXT, fill(7, NULL, VALUES({"a", ""}, {"b", "\n"}), 2, NULL));
        assert_int_equal(1, queued());
}

static void an_answer_survives_the_process_and_is_sent_as_it_was(void **state)
{
        char room[64], path[96];

        (void)state;
        stage_done(&s);
        snprintf(path, sizeof(path), "%s/file", stage_folder(room));
        stage_init(&s, path);
        stage_open(&s);
        ask();
        stage_link_closes(&s, 1006);
        struct cmid cmid;
        assert_int_equal(0, fill(2, NULL, VALUES({"name", "Ann"}, {"mail", ""}), 2, &cmid));
        stage_kill(&s);
        stage_open(&s);
        stage_begin(&s);
        assert_int_equal(0, machine_conv_open(s.machine, SPAN("main"), &conv));
        stage_end(&s);
        struct event *told = stage_event(&s, EVENT_MESSAGE);
        assert_int_equal(2, told->message.filled_seq);
        event_free(told);
        stage_connect(&s);
        stage_log_in(&s, EPOCH, 1, "");
        stage_feed(&s, 1, "");
        json_t *send = stage_find(&s, "message.send");
        assert_non_null(send);
        char text[33];
        cmid_write(text, &cmid);
        text[32] = '\0';
        assert_string_equal(text, stage_param(send, "cmid"));
        assert_string_equal("Your name: Ann", stage_param(send, "text"));
        expect_param(send, "filled", ANN);
        json_decref(send);
}

static void an_answer_that_failed_is_retried_with_its_values(void **state)
{
        struct cmid cmid, again;

        (void)state;
        ask();
        assert_int_equal(0, fill(2, "Ann", VALUES({"name", "Ann"}, {"mail", ""}), 2, &cmid));
        stage_refuse(&s, stage_take(&s, "message.send"), "forbidden", true, -1);
        stage_begin(&s);
        assert_int_equal(0, stage_hand_retry(&s, &cmid, &again));
        stage_end(&s);
        json_t *send = stage_take(&s, "message.send");
        expect_param(send, "filled", ANN);
        json_decref(send);
}

static bool is_given(const char *values)
{
        char members[1024];

        stage_done(&s);
        stage_init(&s, NULL);
        stage_open(&s);
        conv = stage_main(&s, 1);
        snprintf(members, sizeof(members), "\"kind\":\"text\",\"text\":\"t\",\"filled\":{\"seq\":1,\"values\":[%s]}",
                 values);
        say_entry(2, USER, members);
        struct event *event = stage_event(&s, EVENT_ENTRY);
        bool found = event != NULL;
        event_free(event);
        return found;
}

static void what_no_server_may_say_of_a_form_is_not_given(void **state)
{
        static const char *const odd[] = {"", "{\"id\":\"\",\"value\":\"x\"}", "{\"id\":\"a\",\"value\":7}",
                                          "{\"id\":\"a\"}", "{\"id\":\"a\\nb\",\"value\":\"x\"}"};
        char values[21 * 32] = "";
        size_t len = 0;

        (void)state;
        for (int i = 0; i < 21; i++) {
                len += (size_t)snprintf(values + len, sizeof(values) - len, "%s{\"id\":\"f%d\",\"value\":\"x\"}",
                                        i ? "," : "", i);
                assert_true(is_given(values) == (i < 20));
        }
        for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
                assert_false(is_given(odd[i]));
}

/* ---- deskbell_form_check ------------------------------------------------------------------------------------------
 */

static void each_kind_of_input_takes_its_own(void **state)
{
        static const struct {
                const char *input, *good[7], *bad[9];
        } kinds[] = {
                {"text", {"x", "a b", "7"}, {" ", "\n"}},
                {"email",
                 {"a@b", "ann.lee+x@example.com", "\"a@b\"@c"},
                 {"a", "@", "a@", "@b", "a b@c", "a@b c", "a@b\n"}},
                {"number",
                 {"0", "41", "-3", "+7", "3.50", "3,5", ".5"},
                 {"", "-", ".", "1e3", "1 2", "1.2.3", "--1", "0x1", "1-"}},
                {"date",
                 {"2026-11-22", "2024-02-29", "2000-02-29", "0001-01-01"},
                 {"2026-13-01", "2026-00-10", "2026-04-31", "2023-02-29", "1900-02-29", "22.11.2026", "2026-1-2",
                  "2026-11-220", "2026-11-00"}},
                {"colour", {"red"}, {""}}, /* of a newer server: as text */
        };

        (void)state;
        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
                const struct deskbell_form_field field = {"f", "F", kinds[k].input, 1};
                for (size_t i = 0; i < 9; i++) {
                        const char *value = i < 7 ? kinds[k].good[i] : NULL;
                        if (value)
                                assert_int_equal(0, deskbell_form_check(&field, 1, VALUES({"f", value}), 1, NULL));
                        if (kinds[k].bad[i])
                                assert_int_equal(
                                        DESKBELL_E_FORM,
                                        deskbell_form_check(&field, 1, VALUES({"f", kinds[k].bad[i]}), 1, NULL));
                }
        }
}

static void a_check_names_the_first_field_that_does_not_fit(void **state)
{
        static const struct deskbell_form_field form[] = {
                {"name", "Name", "text", 1}, {"mail", "E-mail", "email", 0}, {"age", "Age", "number", 0}};
        const char *id = "untouched";

        (void)state;
        assert_int_equal(0, deskbell_form_check(form, 3, VALUES({"name", "Ann"}), 1, &id));
        assert_string_equal("untouched", id);
        assert_int_equal(DESKBELL_E_FORM, deskbell_form_check(form, 3, VALUES({"age", "x"}, {"mail", "x"}), 2, &id));
        assert_string_equal("name", id);
        assert_int_equal(DESKBELL_E_FORM,
                         deskbell_form_check(form, 3, VALUES({"age", "x"}, {"mail", "x"}, {"name", "A"}), 3, &id));
        assert_string_equal("mail", id);
        assert_int_equal(DESKBELL_E_FORM, deskbell_form_check(form, 3, VALUES({"town", "x"}, {"name", "A"}), 2, &id));
        assert_string_equal("town", id);
        assert_int_equal(DESKBELL_E_FORM, deskbell_form_check(NULL, 0, VALUES({"town", "x"}), 1, &id));
        assert_int_equal(0, deskbell_form_check(NULL, 0, NULL, 0, &id));
}

static void what_the_application_hands_over_is_bounded(void **state)
{
        struct deskbell_form_value many[21];
        char long_value[4004], long_id[66];
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;

        (void)state;
        for (int i = 0; i < 21; i++)
                many[i] = (struct deskbell_form_value){"a", "x"};
        for (int i = 0; i < 1001; i++)
                memcpy(long_value + (size_t)4 * (size_t)i % 4000, "\xf0\x9f\x98\x80", 4);
        long_value[4000] = '\0'; /* 1,000 characters of four bytes */
        memset(long_id, 'i', 65);
        long_id[65] = '\0';

        options.filled = many;
        assert_int_equal(DESKBELL_E_INVALID, client_check_filled(&options)); /* values of no form */
        options.filled_seq = 2;
        assert_int_equal(DESKBELL_E_INVALID, client_check_filled(&options)); /* none */
        options.filled_count = 21;
        assert_int_equal(DESKBELL_E_INVALID, client_check_filled(&options));
        options.filled_count = 20;
        assert_int_equal(0, client_check_filled(&options));
        options.pressed_seq = 1;
        assert_int_equal(DESKBELL_E_INVALID, client_check_filled(&options));
        options.pressed_seq = 0;
        options.filled_seq = INT64_MAX;
        assert_int_equal(DESKBELL_E_INVALID, client_check_filled(&options));
        options.filled_seq = 2;
        options.log = DESKBELL_TEAM;
        assert_int_equal(DESKBELL_E_INVALID, client_check_filled(&options));
        options.log = DESKBELL_PUBLIC;
        options.filled_count = 1;
        many[0].id = long_id;
        assert_int_equal(DESKBELL_E_INVALID, client_check_filled(&options));
        many[0].id = "\xff";
        assert_int_equal(DESKBELL_E_INVALID, client_check_filled(&options));
        many[0] = (struct deskbell_form_value){"a", long_value};
        assert_int_equal(0, client_check_filled(&options));
        memcpy(long_value + 4000, "y", 2);
        assert_int_equal(DESKBELL_E_TOO_LONG, client_check_filled(&options));
        many[0].value = "\x01";
        assert_int_equal(DESKBELL_E_TEXT, client_check_filled(&options));
        many[0].value = NULL;
        assert_int_equal(DESKBELL_E_INVALID, client_check_filled(&options));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(an_answer_leaves_as_a_text_that_names_the_form_and_comes_back_typed),
                TEST(the_values_belong_to_what_the_hash_is_of),
                TEST(without_a_text_of_its_own_it_says_the_labels_and_what_was_filled_in),
                TEST(what_does_not_fit_the_form_is_refused_and_nothing_is_queued),
                TEST(only_forms_are_filled_in_and_only_by_customers),
                TEST(a_form_that_is_not_in_the_cache_is_checked_by_the_server),
                TEST(a_text_made_of_nothing_or_of_too_much_is_refused),
                TEST(an_answer_survives_the_process_and_is_sent_as_it_was),
                TEST(an_answer_that_failed_is_retried_with_its_values),
                TEST(what_no_server_may_say_of_a_form_is_not_given),
                TEST(each_kind_of_input_takes_its_own),
                TEST(a_check_names_the_first_field_that_does_not_fit),
                TEST(what_the_application_hands_over_is_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
