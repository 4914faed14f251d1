/* SPDX-License-Identifier: Apache-2.0 */
/* What the subcommands ask of the desk, print and exit with. */
#include "tests/unit/ops/cmocka_all.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/secrets.h"
#include "config/config.h"
#include "ops/files.h"
#include "serve.h"
#include "tests/unit/cli/fake_console.h"
#include "tests/unit/ops/tmpdir.h"

static const struct cli_command commands[] = {
        {"serve", "run", cli_serve},   {"init", "make", cli_init},     {"app", "apps", cli_app},
        {"key", "keys", cli_key},      {"agent", "agents", cli_agent}, {"customer", "people", cli_customer},
        {"status", "say", cli_status},
};

static char out[65536], err[65536];
static char *dir;
static int served;

int serve_run(struct config *config, const struct serve_reload *reload)
{
        assert_non_null(config->listen[0]);
        assert_non_null(reload);
        served++;
        return EX_OK;
}

static int set_up(void **state)
{
        (void)state;
        fake_reset();
        served = 0;
        dir = tmpdir_make();
        unsetenv("DESKBELL_DATA");
        unsetenv("DESKBELL_CONFIG");
        return dir ? 0 : -1;
}

static int tear_down(void **state)
{
        (void)state;
        fake_reset();
        tmpdir_drop(dir);
        return 0;
}

static int redirect(int fd, const char *path, int *out_before)
{
        int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        fflush(fd == 1 ? stdout : stderr);
        *out_before = dup(fd);
        dup2(file, fd);
        return file;
}

static void restore(int fd, int file, int before, char *text, size_t room)
{
        fflush(fd == 1 ? stdout : stderr);
        dup2(before, fd);
        close(before);
        ssize_t len = pread(file, text, room - 1, 0);
        text[len > 0 ? len : 0] = '\0';
        close(file);
}

/* Runs `deskbell` with these words. */
static int run(const char *first, ...)
{
        char *argv[32] = {strdup("deskbell")}, path_out[256], path_err[256];
        int argc = 1, before[2], files[2];
        va_list args;

        va_start(args, first);
        for (const char *word = first; word; word = va_arg(args, const char *))
                argv[argc++] = strdup(word);
        va_end(args);
        snprintf(path_out, sizeof(path_out), "%s/stdout", dir);
        snprintf(path_err, sizeof(path_err), "%s/stderr", dir);
        files[0] = redirect(1, path_out, &before[0]);
        files[1] = redirect(2, path_err, &before[1]);
        int rc = cli_main(commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
        restore(1, files[0], before[0], out, sizeof(out));
        restore(2, files[1], before[1], err, sizeof(err));
        unlink(path_out);
        unlink(path_err);
        for (int i = 0; i < argc; i++)
                free(argv[i]);
        return rc;
}

static json_t *printed(void)
{
        json_t *json = json_loads(out, JSON_REJECT_DUPLICATES, NULL);

        if (!json)
                fail_msg("no JSON: %s", out);
        return json;
}

static const char *asked(int call, const char *member)
{
        assert_true(call < fake_count);
        return cli_text(fake_calls[call].params, member);
}

static void expect_hash_of(const char *text, const char *hash)
{
        unsigned char digest[SHA256_DIGEST_LENGTH];
        char hex[SECRET_HASH];

        SHA256((const unsigned char *)text, strlen(text), digest);
        for (size_t i = 0; i < sizeof(digest); i++)
                snprintf(hex + 2 * i, 3, "%02x", digest[i]);
        assert_string_equal(hash, hex);
}

static void help_and_version_are_answered_and_nonsense_is_a_usage_error(void **state)
{
        (void)state;
        assert_int_equal(run("--version", NULL), EX_OK);
        assert_string_equal(out, "deskbell " DESKBELL_VERSION "\n");
        assert_int_equal(run("help", NULL), EX_OK);
        assert_non_null(strstr(out, "  serve "));
        assert_int_equal(run("help", "serve", NULL), EX_OK);
        assert_non_null(strstr(out, "Usage: deskbell serve"));
        assert_int_equal(run("app", "add", "--help", NULL), EX_OK);
        assert_non_null(strstr(out, "Examples:"));
        assert_int_equal(run(NULL, NULL), EX_USAGE);
        assert_int_equal(run("sing", NULL), EX_USAGE);
        assert_non_null(strstr(err, "there is no command sing"));
        assert_int_equal(run("app", "sing", NULL), EX_USAGE);
        assert_int_equal(run("app", "add", "--nonsense", NULL), EX_USAGE);
        assert_non_null(strstr(err, "there is no option --nonsense; see: deskbell app add --help"));
        assert_int_equal(run("app", "add", "--name", NULL), EX_USAGE);
        assert_int_equal(run("app", "list", "extra", NULL), EX_USAGE);
        assert_int_equal(fake_count, 0);
}

static void app_add_sends_name_origins_and_a_fresh_cmid(void **state)
{
        (void)state;
        fake_answer("app.add", 0, "{\"app\":\"app_0000000000001\"}");
        assert_int_equal(run("app", "add", "--data", dir, "--name", "Shop", "--origin", "https://a", "--origin",
                             "https://b", NULL),
                         EX_OK);
        assert_string_equal(out, "app_0000000000001\n");
        assert_string_equal(fake_dir, dir);
        assert_string_equal(asked(0, "name"), "Shop");
        assert_int_equal(strlen(asked(0, "cmid")), 32);
        assert_int_equal(json_array_size(json_object_get(fake_calls[0].params, "origins")), 2);
        assert_int_equal(run("app", "add", "--data", dir, "--name", "Shop", NULL), EX_OK);
        assert_string_not_equal(asked(0, "cmid"), asked(1, "cmid"));
        assert_null(json_object_get(fake_calls[1].params, "origins"));
        assert_int_equal(run("app", "add", "--data", dir, NULL), EX_USAGE);
        assert_int_equal(fake_count, 2);
}

static void an_agents_token_is_printed_once_and_only_its_hash_is_sent(void **state)
{
        (void)state;
        fake_answer("agent.add", 0, "{\"agent\":\"agt_0000000000001\"}");
        assert_int_equal(run("agent", "add", "--data", dir, "--name", "Ada", "--session", "--json", NULL), EX_OK);
        json_t *json = printed();
        const char *token = cli_text(json, "token");
        assert_int_equal(json_object_size(json), 2);
        assert_string_equal(cli_text(json, "agent"), "agt_0000000000001");
        assert_int_equal(strlen(token), 47);
        assert_memory_equal(token, "dbs_", 4);
        assert_int_equal(strspn(token + 4, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
        assert_string_equal(fake_calls[1].method, "agent.session");
        assert_string_equal(asked(1, "agent"), "agt_0000000000001");
        expect_hash_of(token, asked(1, "token_hash"));
        for (int i = 0; i < fake_count; i++) {
                char *sent = json_dumps(fake_calls[i].params, 0);
                assert_null(strstr(sent, token + 4));
                free(sent);
        }
        assert_null(json_object_get(fake_calls[0].params, "invite"));
        json_decref(json);
}

static void an_invitation_is_a_link_whose_secret_stands_behind_the_hash_sign(void **state)
{
        (void)state;
        fake_answer("agent.add", 0, "{\"agent\":\"agt_0000000000001\"}");
        assert_int_equal(files_replace(dir, "deskbell.ini", SPAN("[listen]\npublic_url = https://desk.example/\n")), 0);
        assert_int_equal(run("agent", "add", "--data", dir, "--name", "Ada", "--email", "a@b.c", "--json", NULL),
                         EX_OK);
        json_t *json = printed();
        const char *link = cli_text(json, "invite_link"), *secret = strchr(link, '#');
        assert_memory_equal(link, "https://desk.example/invite#dbi_", 32);
        expect_hash_of(secret + 1, asked(0, "invite"));
        assert_string_equal(asked(0, "email"), "a@b.c");
        assert_int_equal(fake_count, 1);
        json_decref(json);
}

static void init_makes_a_closed_folder_and_prints_everything_needed(void **state)
{
        char *data = files_path(dir, "data");
        struct stat st;
        (void)state;

        fake_answer("store.status", 0, "{\"workspace\":\"wsp_0000000000001\"}");
        fake_answer("app.add", 0, "{\"app\":\"app_0000000000001\"}");
        fake_answer("agent.add", 0, "{\"agent\":\"agt_0000000000001\"}");
        assert_int_equal(run("init", "--data", data, "--json", NULL), EX_OK);
        json_t *json = printed();
        static const char *const members[] = {"workspace", "app",         "kid",        "signing_key",
                                              "agent",     "agent_token", "invite_link"};
        assert_int_equal(json_object_size(json), 7);
        for (size_t i = 0; i < 7; i++)
                assert_true(*cli_text(json, members[i]));
        assert_string_equal(cli_text(json, "workspace"), "wsp_0000000000001");
        assert_int_equal(stat(data, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0700);

        unsigned char secret[64];
        const char *key = cli_text(json, "signing_key");
        assert_int_equal(strlen(key), 44);
        assert_int_equal(EVP_DecodeBlock(secret, (const unsigned char *)key, 44), 33); /* 32 and one of padding */
        assert_string_equal(fake_calls[2].method, "key.add");
        assert_string_equal(asked(2, "material"), key);
        assert_string_equal(asked(2, "alg"), "HS256");
        assert_string_equal(asked(2, "kid"), cli_text(json, "kid"));
        expect_hash_of(cli_text(json, "agent_token"), asked(4, "token_hash"));
        json_decref(json);
        free(data);
}

static void init_refuses_a_folder_that_holds_a_store(void **state)
{
        (void)state;
        assert_int_equal(files_replace(dir, "deskbell.db", SPAN("x")), 0);
        assert_int_equal(run("init", "--data", dir, NULL), EX_CANTCREAT);
        assert_non_null(strstr(err, "holds a store already"));
        assert_string_equal(out, "");
        assert_int_equal(fake_count, 0);
        assert_int_equal(run("init", "--data", "/nonexistent/a/b", NULL), EX_CANTCREAT);
}

static void what_the_desk_refuses_is_the_exit_code_and_nothing_is_printed_as_result(void **state)
{
        (void)state;
        fake_answer("agent.add", EX_DATAERR, "{}");
        assert_int_equal(run("agent", "add", "--data", dir, "--name", "Ada", "--session", "--json", NULL), EX_DATAERR);
        assert_string_equal(out, "");
        assert_int_equal(fake_count, 1);
        fake_open_code = EX_TEMPFAIL;
        assert_int_equal(run("app", "list", "--data", dir, NULL), EX_TEMPFAIL);
        assert_int_equal(run("key", "add", "--data", dir, NULL), EX_TEMPFAIL);
        assert_string_equal(out, "");
}

static void the_only_app_is_meant_and_several_have_to_be_told_apart(void **state)
{
        (void)state;
        fake_answer("app.list", 0, "{\"apps\":[{\"app\":\"app_0000000000001\",\"name\":\"A\",\"created\":0}]}");
        assert_int_equal(run("key", "add", "--data", dir, "--json", NULL), EX_OK);
        json_t *json = printed();
        assert_string_equal(cli_text(json, "app"), "app_0000000000001");
        assert_string_equal(cli_text(json, "signing_key"), asked(1, "material"));
        json_decref(json);
        fake_reset();
        fake_answer("app.list", 0, "{\"apps\":[{\"app\":\"app_0000000000001\"},{\"app\":\"app_0000000000002\"}]}");
        assert_int_equal(run("key", "add", "--data", dir, NULL), EX_USAGE);
        assert_non_null(strstr(err, "there are 2 apps: say which with --app"));
        assert_int_equal(run("key", "list", "--data", dir, "--app", "app_0000000000002", NULL), EX_OK);
        assert_string_equal(asked(fake_count - 1, "app"), "app_0000000000002");
}

static void a_private_key_is_not_taken_for_a_public_one(void **state)
{
        char *file = files_path(dir, "key.pem");
        (void)state;

        assert_int_equal(files_replace(dir, "key.pem", SPAN("-----BEGIN PRIVATE KEY-----\nx\n")), 0);
        assert_int_equal(run("key", "add", "--data", dir, "--app", "app_0000000000001", "--alg", "EdDSA",
                             "--public-key", file, NULL),
                         EX_DATAERR);
        assert_int_equal(run("key", "add", "--data", dir, "--app", "app_0000000000001", "--alg", "EdDSA", NULL),
                         EX_USAGE);
        assert_int_equal(run("key", "add", "--data", dir, "--app", "app_0000000000001", "--public-key", file, NULL),
                         EX_USAGE);
        assert_int_equal(fake_count, 0);
        assert_int_equal(files_replace(dir, "key.pem", SPAN("-----BEGIN PUBLIC KEY-----\nx\n")), 0);
        assert_int_equal(run("key", "add", "--data", dir, "--app", "app_0000000000001", "--alg", "EdDSA",
                             "--public-key", file, "--kid", "mine", "--json", NULL),
                         EX_OK);
        assert_string_equal(asked(0, "material"), "-----BEGIN PUBLIC KEY-----\nx\n");
        json_t *json = printed();
        assert_string_equal(cli_text(json, "kid"), "mine");
        assert_null(json_object_get(json, "signing_key"));
        json_decref(json);
        free(file);
}

static void revocations_name_whom_they_mean(void **state)
{
        (void)state;
        assert_int_equal(run("agent", "revoke", "--data", dir, "agt_0000000000001", NULL), EX_OK);
        assert_string_equal(asked(0, "agent"), "agt_0000000000001");
        assert_int_equal(run("customer", "revoke", "usr_0000000000001", "--data", dir, NULL), EX_OK);
        assert_string_equal(asked(1, "customer"), "usr_0000000000001");
        assert_int_equal(run("key", "remove", "key_1", "--app", "app_0000000000001", "--data", dir, NULL), EX_OK);
        assert_string_equal(asked(2, "kid"), "key_1");
        assert_int_equal(run("agent", "revoke", "--data", dir, NULL), EX_USAGE);
        assert_int_equal(run("customer", "revoke", "--data", dir, NULL), EX_USAGE);
        assert_int_equal(fake_count, 3);
}

static void a_login_keeps_its_token_where_only_the_user_can_read_it(void **state)
{
        char token[64], hash_of[64], *home = files_path(dir, "home");
        struct stat st;
        size_t len = 0;
        (void)state;

        assert_int_equal(mkdir(home, 0755), 0);
        setenv("XDG_CONFIG_HOME", home, 1);
        assert_int_equal(run("agent", "login", "agt_0000000000001", "--data", dir, NULL), EX_OK);
        out[strcspn(out, "\n")] = '\0';
        assert_non_null(strstr(out, "/deskbell/agt_0000000000001.token"));
        assert_int_equal(stat(out, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        assert_int_equal(files_read(NULL, out, token, sizeof(token) - 1, &len), 0);
        token[len] = '\0';
        expect_hash_of(token, asked(0, "token_hash"));
        snprintf(hash_of, sizeof(hash_of), "%s", "../../etc/x");
        assert_int_equal(run("agent", "login", hash_of, "--data", dir, NULL), EX_USAGE);
        unsetenv("XDG_CONFIG_HOME");
        free(home);
}

static void status_says_whether_a_server_runs(void **state)
{
        (void)state;
        fake_answer("store.status", 0, "{\"epoch\":\"00ff\",\"rev\":7,\"read_only\":false}");
        fake_is_remote = true;
        assert_int_equal(run("status", "--data", dir, NULL), EX_OK);
        assert_non_null(strstr(out, "rev            7\n"));
        assert_non_null(strstr(out, "running        yes\n"));
        fake_is_remote = false;
        assert_int_equal(run("status", "--data", dir, "--json", NULL), EX_OK);
        json_t *json = printed();
        assert_true(json_is_false(json_object_get(json, "running")));
        json_decref(json);
}

static void the_folder_comes_from_the_option_then_the_environment_then_the_default(void **state)
{
        (void)state;
        setenv("DESKBELL_DATA", "/from/environment", 1);
        assert_int_equal(run("app", "list", "--data", dir, NULL), EX_OK);
        assert_string_equal(fake_dir, dir);
        assert_int_equal(run("app", "list", NULL), EX_OK);
        assert_string_equal(fake_dir, "/from/environment");
        unsetenv("DESKBELL_DATA");
        assert_int_equal(run("app", "list", NULL), EX_OK);
        assert_string_equal(fake_dir, "deskbell-data");
}

static void serve_prints_and_checks_its_settings_without_running(void **state)
{
        (void)state;
        assert_int_equal(run("serve", "--print-config", NULL), EX_OK);
        assert_non_null(strstr(out, "#max_connections = 20000\n"));
        assert_int_equal(run("serve", "--check-config", "--data", dir, "--set", "in_flight=4", NULL), EX_OK);
        assert_string_equal(out, "ok\n");
        assert_int_equal(
                run("serve", "--check-config", "--data", dir, "--set", "in_flight=none", "--listen", "0.0.0.0:1", NULL),
                EX_CONFIG);
        assert_non_null(strstr(err, "--set: in_flight: expected a number"));
        assert_non_null(strstr(err, "is not loopback"));
        assert_non_null(strstr(err, "2 mistakes in the settings"));
        assert_int_equal(run("serve", "--check-config", "--set", "in_flight", NULL), EX_USAGE);
        assert_int_equal(served, 0);
}

static void serve_refuses_a_folder_without_a_store_unless_told_to_make_it(void **state)
{
        char *data = files_path(dir, "data");
        (void)state;

        assert_int_equal(run("serve", "--data", data, NULL), EX_NOINPUT);
        assert_non_null(strstr(err, "deskbell init --data"));
        assert_int_equal(served, 0);
        assert_int_equal(fake_count, 0);
        assert_int_equal(files_replace(dir, "deskbell.db", SPAN("x")), 0);
        assert_int_equal(run("serve", "--data", dir, NULL), EX_OK);
        assert_int_equal(served, 1);
        free(data);
}

static void a_file_of_settings_in_the_data_folder_is_used(void **state)
{
        (void)state;
        assert_int_equal(files_replace(dir, "deskbell.ini", SPAN("[limits]\nnonsense = 1\n")), 0);
        assert_int_equal(run("serve", "--check-config", "--data", dir, NULL), EX_CONFIG);
        assert_non_null(strstr(err, "deskbell.ini:2: nonsense: there is no such setting"));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(help_and_version_are_answered_and_nonsense_is_a_usage_error),
                TEST(app_add_sends_name_origins_and_a_fresh_cmid),
                TEST(an_agents_token_is_printed_once_and_only_its_hash_is_sent),
                TEST(an_invitation_is_a_link_whose_secret_stands_behind_the_hash_sign),
                TEST(init_makes_a_closed_folder_and_prints_everything_needed),
                TEST(init_refuses_a_folder_that_holds_a_store),
                TEST(what_the_desk_refuses_is_the_exit_code_and_nothing_is_printed_as_result),
                TEST(the_only_app_is_meant_and_several_have_to_be_told_apart),
                TEST(a_private_key_is_not_taken_for_a_public_one),
                TEST(revocations_name_whom_they_mean),
                TEST(a_login_keeps_its_token_where_only_the_user_can_read_it),
                TEST(status_says_whether_a_server_runs),
                TEST(the_folder_comes_from_the_option_then_the_environment_then_the_default),
                TEST(serve_prints_and_checks_its_settings_without_running),
                TEST(serve_refuses_a_folder_without_a_store_unless_told_to_make_it),
                TEST(a_file_of_settings_in_the_data_folder_is_used),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
