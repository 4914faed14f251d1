/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ops/cmocka_all.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/config_private.h"

static struct config_errors errors;

static int set_up(void **state)
{
        (void)state;
        for (size_t i = 0; i < setting_count; i++) {
                char name[64] = "DESKBELL_";
                for (size_t c = 0; settings[i].key[c]; c++)
                        name[9 + c] = (char)(settings[i].key[c] - (settings[i].key[c] >= 'a' ? 32 : 0));
                unsetenv(name);
        }
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        config_errors_done(&errors);
        return 0;
}

static int read_text(const char *text, struct config *config)
{
        return config_read(span_of(text), "test.ini", NULL, 0, config, &errors);
}

static void expect_refused(const char *text, const char *reason)
{
        struct config config = {.readers = 77};

        config_errors_done(&errors);
        assert_int_equal(read_text(text, &config), -EINVAL);
        assert_int_equal(config.readers, 77);
        assert_non_null(errors.text);
        if (!strstr(errors.text, reason))
                fail_msg("expected \"%s\" in:\n%s", reason, errors.text);
}

static void without_a_word_the_defaults_hold(void **state)
{
        struct config config;
        (void)state;

        assert_int_equal(config_load(NULL, NULL, 0, &config, &errors), 0);
        assert_string_equal(config.listen[0], "127.0.0.1:8787");
        assert_null(config.listen[1]);
        assert_null(config.hosts[0]);
        assert_string_equal(config.data, "deskbell-data");
        assert_false(config.insecure_dev);
        assert_int_equal(config.max_connections, 20000);
        assert_true(config.net_threads >= 1);
        assert_int_equal(config.readers, 1);
        assert_int_equal(config.in_flight, 16);
        assert_int_equal(config.rate_messages_per_s, 20);
        assert_int_equal(config.rate_burst, 40);
        assert_int_equal(config.handshakes_per_minute, 100);
        assert_int_equal(config.pending_per_address, 64);
        assert_int_equal(config.max_handshakes, 2000);
        assert_int_equal(config.output_bytes, 262144);
        assert_int_equal(config.heartbeat_ms, 25000);
        assert_int_equal(config.dead_ms, 35000);
        assert_int_equal(config.auth_ms, 5000);
        assert_int_equal(config.retry_days, 30);
        assert_int_equal(config.key_window_days, 90);
        assert_int_equal(config.devices_per_customer, 10);
        assert_int_equal(config.devices_per_agent, 20);
        assert_int_equal(config.log_level, LOG_INFO);
        config_done(&config);
}

static void the_file_overrides_defaults_the_environment_the_file_and_the_command_line_all(void **state)
{
        static const char text[] = "[limits]\nin_flight = 5\nreaders_are_elsewhere\n";
        struct config config;
        (void)state;

        char path[] = "/tmp/deskbell-config-XXXXXX";
        int fd = mkstemp(path);
        assert_int_equal(write(fd, text, 23), 23);
        close(fd);
        assert_int_equal(config_load(path, NULL, 0, &config, &errors), 0);
        assert_int_equal(config.in_flight, 5);
        config_done(&config);
        setenv("DESKBELL_IN_FLIGHT", "6", 1);
        assert_int_equal(config_load(path, NULL, 0, &config, &errors), 0);
        assert_int_equal(config.in_flight, 6);
        config_done(&config);
        struct config_override overrides[] = {{"in_flight", "7", "--set"}};
        assert_int_equal(config_load(path, overrides, 1, &config, &errors), 0);
        assert_int_equal(config.in_flight, 7);
        config_done(&config);
        unlink(path);
}

static void all_mistakes_are_told_at_once_with_file_line_key_and_what_was_expected(void **state)
{
        (void)state;
        expect_refused("[limits]\n"
                       "in_flight = many\n"
                       "no_such = 1\n"
                       "just words\n"
                       "rate_burst = 0\n"
                       "[log]\n"
                       "log_level = loud\n"
                       "[listen]\n"
                       "insecure_dev = perhaps\n",
                       "");
        assert_string_equal(errors.text,
                            "test.ini:2: in_flight: expected a number from 1 to 4096 (requests), not \"many\"\n"
                            "test.ini:3: no_such: there is no such setting\n"
                            "test.ini:4: expected key = value, [section] or a comment\n"
                            "test.ini:5: rate_burst: expected a number from 1 to 1000000 (messages), not \"0\"\n"
                            "test.ini:7: log_level: expected debug, info, warn or error, not \"loud\"\n"
                            "test.ini:9: insecure_dev: expected yes or no, not \"perhaps\"\n");
        assert_int_equal(errors.count, 6);
}

static void numbers_are_exactly_numbers(void **state)
{
        static const char *const wrong[] = {
                "", "-1", "+5", "5 ", "0x10", "1e3", "4097", "5.0", "4294967312", "\t5", "99999999999999999999"};
        struct config config;
        (void)state;

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                struct config_override override = {"in_flight", wrong[i], "--set"};
                assert_int_equal(config_read(SPAN(""), "", &override, 1, &config, &errors), -EINVAL);
        }
        struct config_override last = {"in_flight", "4096", "--set"};
        assert_int_equal(config_read(SPAN(""), "", &last, 1, &config, &errors), 0);
        assert_int_equal(config.in_flight, 4096);
        config_done(&config);
}

static void a_key_in_the_wrong_section_or_said_twice_is_refused(void **state)
{
        (void)state;
        expect_refused("in_flight = 5\n", "test.ini:1: in_flight: expected in section [limits], not in []");
        expect_refused("[limits]\nin_flight = 5\nin_flight = 5\n", "test.ini:3: in_flight: is said twice");
        expect_refused("[limits\nin_flight = 5\n", "test.ini:1: expected [section]");
}

static void lists_take_several_words_and_several_lines(void **state)
{
        struct config config;
        (void)state;

        assert_int_equal(read_text("[listen]\nlisten = 127.0.0.1:1, 127.0.0.2:2\n  listen = [::1]:3\n"
                                   "hosts = a.example b.example ; both\n",
                                   &config),
                         0);
        assert_string_equal(config.listen[0], "127.0.0.1:1");
        assert_string_equal(config.listen[1], "127.0.0.2:2");
        assert_string_equal(config.listen[2], "[::1]:3");
        assert_null(config.listen[3]);
        assert_string_equal(config.hosts[1], "b.example");
        assert_null(config.hosts[2]);
        config_done(&config);
}

static void repeated_overrides_of_a_list_add_up_and_replace_the_file(void **state)
{
        struct config_override overrides[] = {{"listen", "127.0.0.1:5", "--listen"},
                                              {"listen", "127.0.0.1:6", "--listen"}};
        struct config config;
        (void)state;

        assert_int_equal(config_read(SPAN("[listen]\nlisten = 127.0.0.1:4\n"), "", overrides, 2, &config, &errors), 0);
        assert_string_equal(config.listen[0], "127.0.0.1:5");
        assert_string_equal(config.listen[1], "127.0.0.1:6");
        assert_null(config.listen[2]);
        config_done(&config);
}

static void listening_in_the_open_needs_tls_or_the_operators_word(void **state)
{
        static const char *const open[] = {"0.0.0.0:80", "[::]:80", "10.1.2.3:80", "[2001:db8::1]:80", "128.0.0.1:80"};
        char text[128];
        struct config config;
        (void)state;

        for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
                snprintf(text, sizeof(text), "[listen]\nlisten = %s\n", open[i]);
                expect_refused(text, "is not loopback: set cert and key, or insecure_dev = yes");
                snprintf(text, sizeof(text), "[listen]\nlisten = %s\ninsecure_dev = yes\n", open[i]);
                assert_int_equal(read_text(text, &config), 0);
                config_done(&config);
        }
        assert_int_equal(read_text("[listen]\nlisten = 127.9.9.9:0 [::1]:80 localhost:81\n", &config), 0);
        assert_string_equal(config.listen[2], "127.0.0.1:81");
        config_done(&config);
        assert_int_equal(read_text("[listen]\nlisten = 0.0.0.0:443\ncert = /etc/passwd\nkey = /etc/passwd\n", &config),
                         0);
        config_done(&config);
}

static void what_is_no_address_is_refused(void **state)
{
        static const char *const wrong[] = {"127.0.0.1",        "8787",    ":8787",   "127.0.0.1:", "127.0.0.1:65536",
                                            "127.0.0.1:80x",    "::1:80",  "[::1]80", "[::1]:",     "shop.example:80",
                                            "127.0.0.1:000080", "1.2.3:4", "*:80"};
        char text[128];
        (void)state;

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                snprintf(text, sizeof(text), "[listen]\nlisten = %s\n", wrong[i]);
                expect_refused(text, "listen: expected ADDRESS:PORT");
        }
        expect_refused("[listen]\nlisten =\n", "listen: expected at least one ADDRESS:PORT");
        expect_refused("[listen]\nops_listen = monitoring:1\n", "ops_listen: expected ADDRESS:PORT");
}

static void certificates_come_in_pairs_of_readable_files(void **state)
{
        (void)state;
        expect_refused("[listen]\ncert = /etc/passwd\n", "key: expected together with cert");
        expect_refused("[listen]\nkey = /etc/passwd\n", "cert: expected together with key");
        expect_refused("[listen]\ncert = /nonexistent\nkey = /nonexistent\n", "cert: expected a readable file");
}

static void windows_that_would_let_a_message_in_twice_are_refused(void **state)
{
        (void)state;
        expect_refused("[times]\nretry_days = 90\n", "retry_days: expected less than key_window_days (90), not 90");
        expect_refused("[times]\nkey_window_days = 30\n", "retry_days: expected less than key_window_days (30)");
        expect_refused("[times]\nheartbeat_ms = 35000\n", "heartbeat_ms: expected less than dead_ms");
}

static void a_line_too_long_or_with_a_nul_is_told_and_not_guessed_at(void **state)
{
        char text[1024];
        struct config config;
        (void)state;

        memset(text, 'a', sizeof(text));
        memcpy(text, "[log]\nlog_level = ", 18);
        text[sizeof(text) - 1] = '\0';
        expect_refused(text, "test.ini:2: the line is too long");
        assert_int_equal(
                config_read((struct span){"[log]\nlog_level = in\0fo\n", 24}, "test.ini", NULL, 0, &config, &errors),
                -EINVAL);
        assert_non_null(strstr(errors.text, "test.ini:2: expected text, there is a NUL byte"));
}

static void control_characters_of_a_file_do_not_reach_the_terminal(void **state)
{
        (void)state;
        expect_refused("[log]\nlog_level = \x1b[31mred\n", "not \"?[31mred\"");
}

static void comments_blank_lines_windows_line_ends_and_a_byte_order_mark_are_fine(void **state)
{
        struct config config;
        (void)state;

        assert_int_equal(read_text("\xef\xbb\xbf# a comment\r\n\r\n  ; another\r\n[limits]\r\n  in_flight=9\r\n"
                                   "rate_burst = 50 ; why\r\n",
                                   &config),
                         0);
        assert_int_equal(config.in_flight, 9);
        assert_int_equal(config.rate_burst, 50);
        config_done(&config);
}

static char *printed(bool uncommented)
{
        char *text = NULL;
        size_t len = 0;
        FILE *out = open_memstream(&text, &len);

        config_print_default(out);
        fclose(out);
        for (char *at = text; uncommented && (at = strstr(at, "\n#"));) {
                at++;
                if (at[1] != ' ')
                        *at = ' ';
        }
        return text;
}

static void differ(void *data, const char *key, bool is_live)
{
        (void)data;
        (void)is_live;
        fail_msg("%s differs from its default", key);
}

static void the_printed_file_reads_back_as_the_defaults(void **state)
{
        struct config config, defaults;
        (void)state;

        assert_int_equal(read_text("", &defaults), 0);
        for (int i = 0; i < 2; i++) {
                char *text = printed(i);
                int rc = read_text(text, &config);
                if (rc < 0)
                        fail_msg("%s\n%s", errors.text, text);
                config_compare(&defaults, &config, differ, NULL);
                config_done(&config);
                free(text);
        }
        config_done(&defaults);
}

static void every_setting_is_printed_with_its_environment_name(void **state)
{
        char *text = printed(false);
        (void)state;

        assert_non_null(strstr(text, "DESKBELL_MAX_CONNECTIONS\n#max_connections = 20000\n"));
        for (size_t i = 0; i < setting_count; i++) {
                char line[128];
                snprintf(line, sizeof(line), "\n#%s = ", settings[i].key);
                assert_non_null(strstr(text, line));
        }
        free(text);
}

static int live_count, fixed_count;

static void count(void *data, const char *key, bool is_live)
{
        (void)data;
        (void)key;
        live_count += is_live;
        fixed_count += !is_live;
}

static void a_reload_takes_what_may_change_and_names_what_may_not(void **state)
{
        struct config running, fresh;
        (void)state;

        assert_int_equal(read_text("", &running), 0);
        assert_int_equal(
                read_text("[limits]\nrate_burst = 99\n[listen]\nlisten = 127.0.0.1:9\npublic_url = https://x\n",
                          &fresh),
                0);
        const char *borrowed = running.listen[0];
        live_count = fixed_count = 0;
        config_compare(&running, &fresh, count, NULL);
        assert_int_equal(live_count, 2);
        assert_int_equal(fixed_count, 1);
        assert_int_equal(config_apply_live(&running, &fresh), 0);
        assert_int_equal(running.rate_burst, 99);
        assert_string_equal(running.public_url, "https://x");
        assert_ptr_equal(running.listen[0], borrowed);
        assert_string_equal(running.listen[0], "127.0.0.1:8787");
        live_count = fixed_count = 0;
        config_compare(&running, &fresh, count, NULL);
        assert_int_equal(live_count, 0);
        assert_int_equal(fixed_count, 1);
        config_done(&running);
        config_done(&fresh);
}

static void a_file_that_cannot_be_read_is_a_mistake_not_a_default(void **state)
{
        struct config config;
        (void)state;

        assert_int_equal(config_load("/nonexistent.ini", NULL, 0, &config, &errors), -EINVAL);
        assert_string_equal(errors.text, "/nonexistent.ini: No such file or directory\n");
        config_errors_done(&errors);
        assert_int_equal(config_load("/etc", NULL, 0, &config, &errors), -EINVAL);
}

static void an_override_nobody_knows_is_refused(void **state)
{
        struct config_override override = {"no_such", "1", "--set"};
        struct config config;
        (void)state;

        assert_int_equal(config_load(NULL, &override, 1, &config, &errors), -EINVAL);
        assert_string_equal(errors.text, "--set: no_such: there is no such setting\n");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(without_a_word_the_defaults_hold),
                TEST(the_file_overrides_defaults_the_environment_the_file_and_the_command_line_all),
                TEST(all_mistakes_are_told_at_once_with_file_line_key_and_what_was_expected),
                TEST(numbers_are_exactly_numbers),
                TEST(a_key_in_the_wrong_section_or_said_twice_is_refused),
                TEST(lists_take_several_words_and_several_lines),
                TEST(repeated_overrides_of_a_list_add_up_and_replace_the_file),
                TEST(listening_in_the_open_needs_tls_or_the_operators_word),
                TEST(what_is_no_address_is_refused),
                TEST(certificates_come_in_pairs_of_readable_files),
                TEST(windows_that_would_let_a_message_in_twice_are_refused),
                TEST(a_line_too_long_or_with_a_nul_is_told_and_not_guessed_at),
                TEST(control_characters_of_a_file_do_not_reach_the_terminal),
                TEST(comments_blank_lines_windows_line_ends_and_a_byte_order_mark_are_fine),
                TEST(the_printed_file_reads_back_as_the_defaults),
                TEST(every_setting_is_printed_with_its_environment_name),
                TEST(a_reload_takes_what_may_change_and_names_what_may_not),
                TEST(a_file_that_cannot_be_read_is_a_mistake_not_a_default),
                TEST(an_override_nobody_knows_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
