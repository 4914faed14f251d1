/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell agent: the people who answer. */
#include <stdio.h>
#include <string.h>

#include "cli/agent.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/folder.h"
#include "cli/login.h"

/* Makes the agent and, as asked, a session token or an invitation. Texts not asked for stay "". */
struct newcomer {
        const char *data, *name, *email;
        bool with_session;
        char agent[FOLDER_ID];
        char token[SECRET_TEXT];
        char invite_link[FOLDER_LINK];
};

static int make(struct newcomer *newcomer)
{
        struct console *console = NULL;
        char invite[SECRET_TEXT] = "", hash[SECRET_HASH];
        json_t *result = NULL;
        json_t *params =
                json_pack("{s:o, s:s, s:s*}", "cmid", secret_cmid(), "name", newcomer->name, "email", newcomer->email);

        if (!newcomer->with_session) {
                secret_make("dbi_", invite, hash);
                json_object_set_new(params, "invite", json_string(hash));
        }
        int rc = console_open(newcomer->data, CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = console_do(console, "agent.add", json_incref(params), &result);
        if (rc == EX_OK) {
                snprintf(newcomer->agent, sizeof(newcomer->agent), "%s", cli_text(result, "agent"));
                if (newcomer->with_session)
                        rc = folder_agent_session(console, newcomer->agent, "command line", newcomer->token);
                else
                        folder_invite_link(newcomer->data, NULL, invite, newcomer->invite_link);
        }
        console_close(console);
        secret_forget(invite, sizeof(invite));
        json_decref(params);
        json_decref(result);
        return rc;
}

static int print_newcomer(const struct newcomer *newcomer, bool json)
{
        if (json && newcomer->with_session)
                return cli_print(json_pack("{s:s, s:s}", "agent", newcomer->agent, "token", newcomer->token));
        if (json)
                return cli_print(
                        json_pack("{s:s, s:s}", "agent", newcomer->agent, "invite_link", newcomer->invite_link));
        printf("agent       %s\n", newcomer->agent);
        if (newcomer->with_session)
                printf("token       %s  (shown only now)\n", newcomer->token);
        else
                printf("invitation  %s  (once, 72 h)\n", newcomer->invite_link);
        return cli_finish();
}

static int run_add(int argc, char **argv)
{
        struct newcomer newcomer = {0};
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(newcomer.data),
                {.name = "name", .value = "NAME", .text = &newcomer.name, .help = "display name (needed)"},
                {.name = "email", .value = "ADDRESS", .text = &newcomer.email, .help = "mail address, unique"},
                {.name = "session",
                 .flag = &newcomer.with_session,
                 .help = "print a session token for programs instead of an invitation"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "agent add --name NAME [options]",
                .about = "Makes an agent and prints an invitation (good once, 72 h) or, with --session, a session "
                         "token.",
                .examples = "  deskbell agent add --name Ada\n"
                            "  deskbell agent add --name Ada --session --json\n",
                CLI_OPTIONS(options),
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (!newcomer.name)
                return cli_fail(EX_USAGE, "--name is needed; see: deskbell agent add --help");

        newcomer.data = cli_data(newcomer.data);
        int rc = make(&newcomer);
        if (rc == EX_OK)
                rc = print_newcomer(&newcomer, json);
        secret_forget(&newcomer, sizeof(newcomer));
        return rc;
}

static void print_row(const json_t *row)
{
        char when[32];
        printf("%s  %s  %-7s  %s\n", cli_text(row, "agent"),
               cli_time(json_integer_value(json_object_get(row, "created")), when),
               json_is_true(json_object_get(row, "revoked")) ? "revoked" : "", cli_text(row, "name"));
}

static int run_list(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "agent list [options]",
                .about = "All agents, oldest first; those without access are marked.",
                .examples = "  deskbell agent list\n",
                CLI_OPTIONS(options),
        };
        json_t *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);

        int rc = console_call(cli_data(data), "agent.list", NULL, &result);
        return cli_answer_rows(rc, json, result, "agents", print_row);
}

static int run_revoke(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "agent revoke ID [options]",
                .about = "Takes an agent's access back: all sessions end within 5 s. What the agent wrote stays.",
                .examples = "  deskbell agent revoke agt_0000000000001\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = cli_parse_named(&page, argc, argv, "which agent? see: deskbell agent list", &rc);
        if (first < 0)
                return rc;
        return console_call(cli_data(data), "agent.revoke",
                            json_pack("{s:o, s:s}", "cmid", secret_cmid(), "agent", argv[first]), NULL);
}

static int login(const char *data, const char *agent, const char *label, char *out_path, size_t room)
{
        struct console *console = NULL;
        char token[SECRET_TEXT];
        int rc = console_open(data, CONSOLE_USE, &console);

        if (rc == EX_OK)
                rc = folder_agent_session(console, agent, label, token);
        console_close(console);
        if (rc == EX_OK)
                rc = login_store(agent, token, out_path, room);
        secret_forget(token, sizeof(token));
        return rc;
}

static int run_login(int argc, char **argv)
{
        const char *data = NULL, *label = "deskbell agent login", *url = NULL, *email = NULL, *invite = NULL;
        const char *totp = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "url", .value = "URL", .text = &url, .help = "log in at that server with a password"},
                {.name = "email", .value = "ADDRESS", .text = &email, .help = "with --url: your mail address"},
                {.name = "totp", .value = "CODE", .text = &totp, .help = "with --url: what your authenticator shows"},
                {.name = "invite", .value = "LINK", .text = &invite, .help = "with --url: your invitation, once"},
                {.name = "label", .value = "TEXT", .text = &label, .help = "what the session is for"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "agent login ID|--url URL [options]",
                .about = "Opens a session for an agent of a data folder you own and keeps its token in your "
                         "configuration\n"
                         "folder, readable by you alone. Prints the name of that file. With --url: at a server "
                         "anywhere, with\n"
                         "the password, which is asked for or read from standard input; 12 h without use end it.",
                .examples =
                        "  deskbell agent login --url https://desk.example --email ada@desk.example\n"
                        "  file=$(deskbell agent login agt_0000000000001)\n"
                        "  DESKBELL_AGENT_TOKEN=$(cat $file) deskbell chat --url ws://127.0.0.1:8787 --app app_...\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        char path[1024];
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (url)
                return agent_login_at(url, email, invite, totp, label, json);
        if (first == argc)
                return cli_fail(EX_USAGE, "which agent? see: deskbell agent list");

        int rc = login(cli_data(data), argv[first], label, path, sizeof(path));
        if (rc == EX_OK && json) {
                rc = cli_print(json_pack("{s:s, s:s}", "agent", argv[first], "token_file", path));
        } else if (rc == EX_OK) {
                printf("%s\n", path);
                rc = cli_finish();
        }
        return rc;
}

int cli_agent(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"add", "make an agent", run_add},
                {"list", "show all agents", run_list},
                {"set", "change what is said of an agent", agent_run_set},
                {"status", "show what agents are doing", agent_run_status},
                {"away", "the reasons to be away", agent_run_away},
                {"revoke", "take an agent's access back", run_revoke},
                {"login", "open a session and keep its token", run_login},
                {"invite", "print a new invitation", agent_run_invite},
                {"reset", "end an agent's access and invite anew", agent_run_reset},
                {"sessions", "show an agent's login sessions", agent_run_sessions},
                {"logout", "end one login session", agent_run_logout},
        };

        return cli_group("agent", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
