/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell agent invite, reset, sessions, logout, and the login over HTTP. */
#include <stdio.h>
#include <string.h>

#include "cli/agent.h"
#include "cli/cli.h"
#include "cli/console.h"
#include "cli/folder.h"
#include "cli/login.h"
#include "cli/remote.h"

enum { PASSWORD_BYTES = 1024 };

static int invite(const char *data, const char *agent, bool is_reset, bool json)
{
        char secret[SECRET_TEXT], hash[SECRET_HASH], link[FOLDER_LINK];
        secret_make("dbi_", secret, hash);
        int rc = console_call(data, "agent.invite",
                              json_pack("{s:o, s:s, s:s, s:b}", "cmid", secret_cmid(), "agent", agent, "invite", hash,
                                        "reset", is_reset),
                              NULL);
        folder_invite_link(data, NULL, secret, link);
        if (rc == EX_OK && json) {
                rc = cli_print(json_pack("{s:s, s:s}", "agent", agent, "invite_link", link));
        } else if (rc == EX_OK) {
                printf("invitation  %s  (once, 72 h)\n", link);
                rc = cli_finish();
        }
        secret_forget(secret, sizeof(secret));
        secret_forget(link, sizeof(link));
        return rc;
}

static int run_invite(int argc, char **argv, bool is_reset)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = is_reset ? "agent reset ID [options]" : "agent invite ID [options]",
                .about = is_reset ? "Ends an agent's sessions and password at once and prints a new invitation."
                                  : "Prints a new invitation for an agent; an older one is void. The password and the "
                                    "sessions\nstay until it is used.",
                .examples = is_reset ? "  deskbell agent reset agt_0000000000001\n"
                                     : "  deskbell agent invite agt_0000000000001\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = cli_parse_named(&page, argc, argv, "which agent? see: deskbell agent list", &rc);
        if (first < 0)
                return rc;
        return invite(cli_data(data), argv[first], is_reset, json);
}

int agent_run_invite(int argc, char **argv)
{
        return run_invite(argc, argv, false);
}

int agent_run_reset(int argc, char **argv)
{
        return run_invite(argc, argv, true);
}

static int print_sessions(json_t *result, bool json)
{
        json_t *row;
        size_t i;
        char created[32], seen[32];
        if (json)
                return cli_print(json_incref(result));
        json_array_foreach(json_object_get(result, "sessions"), i, row)
                printf("%s  since %s  seen %s  %s\n", cli_text(row, "session"),
                       cli_time(json_integer_value(json_object_get(row, "created")), created),
                       cli_time(json_integer_value(json_object_get(row, "seen")), seen), cli_text(row, "label"));
        return cli_finish();
}

int agent_run_sessions(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "agent sessions ID [options]",
                .about = "An agent's login sessions, newest first.",
                .examples = "  deskbell agent sessions agt_0000000000001\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int rc, first = cli_parse_named(&page, argc, argv, "which agent? see: deskbell agent list", &rc);
        if (first < 0)
                return rc;
        rc = console_call(cli_data(data), "agent.logins", json_pack("{s:s}", "agent", argv[first]), &result);
        if (rc == EX_OK)
                rc = print_sessions(result, json);
        json_decref(result);
        return rc;
}

int agent_run_logout(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "agent logout ID SESSION [options]",
                .about = "Ends one login session of an agent.",
                .examples = "  deskbell agent logout agt_0000000000001 0123456789abcdef\n",
                CLI_OPTIONS(options),
                .max_free = 2,
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (argc - first != 2)
                return cli_fail(EX_USAGE, "which agent and session? see: deskbell agent sessions ID");
        return console_call(
                cli_data(data), "agent.session_end",
                json_pack("{s:o, s:s, s:s}", "cmid", secret_cmid(), "agent", argv[first], "session", argv[first + 1]),
                NULL);
}

/* A link holds the secret behind its #. */
static const char *secret_of(const char *said)
{
        const char *mark = strrchr(said, '#');
        return mark ? mark + 1 : said;
}

static int keep(json_t *result, bool json)
{
        char path[1024];
        const char *agent = cli_text(result, "agent");
        int rc = login_store(agent, cli_text(result, "token"), path, sizeof(path));
        if (rc == EX_OK && json)
                return cli_print(json_pack("{s:s, s:s}", "agent", agent, "token_file", path));
        if (rc != EX_OK)
                return rc;
        printf("%s\n", path);
        return cli_finish();
}

int agent_login_at(const char *url, const char *email, const char *invitation, const char *totp, const char *label,
                   bool json)
{
        char password[PASSWORD_BYTES];
        json_t *result = NULL;
        if (!email == !invitation)
                return cli_fail(EX_USAGE, "with --url: either --email or --invite");
        int rc = remote_ask_secret(invitation ? "new password" : "password", password, sizeof(password));
        if (rc == EX_OK && invitation)
                rc = remote_call(url, "login.accept_invite",
                                 json_pack("{s:s, s:s, s:s}", "invite", secret_of(invitation), "password", password,
                                           "label", label),
                                 &result);
        else if (rc == EX_OK)
                rc = remote_call(url, "login.password",
                                 json_pack("{s:s, s:s, s:s, s:s*}", "email", email, "password", password, "label",
                                           label, "totp", totp),
                                 &result);
        secret_forget(password, sizeof(password));
        if (rc == EX_OK)
                rc = keep(result, json);
        json_decref(result);
        return rc;
}
