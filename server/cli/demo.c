/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell demo: a server with something in it, and what to type to talk on both sides. The server runs in a child;
 * this process plays the conversations, shows the commands, and waits for it. A folder made here goes when the demo
 * ends. */
#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/demo.h"
#include "cli/named.h"
#include "cli/seed.h"
#include "config/config.h"
#include "ops/clock.h"
#include "ops/sandbox.h"
#include "protocol/jwt.h"
#include "serve.h"

enum { PORT = 8787, TOKEN_HOURS = 24 };

const char *const demo_users[DEMO_CUSTOMERS] = {"alice", "bilal", "chiyo"};
const char *const demo_names[DEMO_CUSTOMERS] = {"Alice", "Bilal", "Chiyo"};
static const char *const agent_names[DEMO_AGENTS] = {"Ada", "Ben"};

static int choose_dir(struct demo *demo, const char *said)
{
        const char *base = getenv("TMPDIR");
        struct stat st;

        if (said) {
                snprintf(demo->dir, sizeof(demo->dir), "%s", said);
                return EX_OK;
        }
        /* The folder itself is made by folder_make: here only its name, in a folder that root would share. */
        if (!base || stat(base, &st) < 0 || !S_ISDIR(st.st_mode))
                base = "/tmp";
        snprintf(demo->dir, sizeof(demo->dir), "%s/deskbell-demo-XXXXXX", base);
        if (!mkdtemp(demo->dir))
                return cli_fail(EX_CANTCREAT, "%s: %s", demo->dir, strerror(errno));
        demo->is_temporary = true;
        int rc = sandbox_give_away(demo->dir);
        return rc < 0 ? cli_fail(EX_CANTCREAT, "%s: %s", demo->dir, strerror(-rc)) : EX_OK;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        (void)st;
        (void)type;
        (void)ftw;
        return remove(path);
}

static void clean_up(struct demo *demo)
{
        if (demo->is_temporary)
                nftw(demo->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
        for (int i = 0; i < DEMO_CUSTOMERS; i++)
                free(demo->customers[i]);
        free(demo->guest);
        demo_shop_stop(demo);
        secret_forget(demo, sizeof(*demo));
}

static int add_agent(struct console *console, const char *name, char out_token[SECRET_TEXT])
{
        json_t *result = NULL;
        int rc =
                console_do(console, "agent.add", json_pack("{s:o, s:s}", "cmid", secret_cmid(), "name", name), &result);

        if (rc == EX_OK)
                rc = folder_agent_session(console, cli_text(result, "agent"), "demo", out_token);
        json_decref(result);
        return rc;
}

static int make_people(struct demo *demo)
{
        struct console *console = NULL;
        unsigned char secret[SECRET_KEY_TEXT];
        int64_t now_s = clock_wall_ms() / 1000;
        int rc = console_open(demo->dir, CONSOLE_USE, &console);

        snprintf(demo->agents[0], SECRET_TEXT, "%s", demo->folder.agent_token);
        for (int i = 1; rc == EX_OK && i < DEMO_AGENTS; i++)
                rc = add_agent(console, agent_names[i], demo->agents[i]);
        console_close(console);

        EVP_DecodeBlock(secret, (const unsigned char *)demo->folder.signing_key, SECRET_KEY_TEXT - 1);
        for (int i = 0; i <= DEMO_CUSTOMERS; i++) {
                bool is_guest = i == DEMO_CUSTOMERS;
                char *token =
                        jwt_make_hs256((struct span){(char *)secret, SECRET_KEY_BYTES}, demo->folder.kid,
                                       demo->folder.app, is_guest ? "dana" : demo_users[i],
                                       is_guest ? "Dana" : demo_names[i], now_s, now_s + INT64_C(3600) * TOKEN_HOURS);
                *(is_guest ? &demo->guest : &demo->customers[i]) = token;
                if (!token && rc == EX_OK)
                        rc = cli_fail(EX_SOFTWARE, "a token cannot be signed");
        }
        secret_forget(secret, sizeof(secret));
        return rc;
}

/* The usual port, or any when somebody has it. */
static bool is_free(int port)
{
        struct sockaddr_in address = {
                .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
        if (fd >= 0)
                close(fd);
        return ok;
}

static int load(const struct demo *demo, const char *listen, struct config *out_config)
{
        char usual[32];
        snprintf(usual, sizeof(usual), "127.0.0.1:%d", is_free(PORT) ? PORT : 0);
        struct config_override overrides[] = {
                {"data", demo->dir, "--data"},
                {"listen", listen ? listen : usual, "--listen"},
                {"ops_listen", "", "demo"},
                {"webhook_allow", "127.0.0.1", "demo"}, /* the shop's back end */
        };
        struct config_errors errors = {0};
        int rc = config_load(NULL, overrides, sizeof(overrides) / sizeof(overrides[0]), out_config, &errors);

        if (rc < 0)
                rc = cli_fail(EX_CONFIG, "%s", errors.text ? errors.text : "out of memory");
        config_errors_done(&errors);
        return rc;
}

/* The child: its standard output is the pipe. It ends with its parent. */
static void run_server(struct config *config, int pipe_fd, pid_t parent)
{
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent || dup2(pipe_fd, STDOUT_FILENO) < 0)
                _exit(EX_OSERR);
        close(pipe_fd);
        log_set_level(LOG_WARN);
        sandbox_early();
        int rc = serve_run(config, NULL);
        fflush(stdout);
        exit(rc);
}

static pid_t start_server(struct config *config, FILE **out_stdout)
{
        int fds[2];
        pid_t parent = getpid();

        if (pipe(fds) < 0)
                return -1;
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
                close(fds[0]);
                run_server(config, fds[1], parent);
        }
        close(fds[1]);
        *out_stdout = child > 0 ? fdopen(fds[0], "r") : NULL;
        if (!*out_stdout)
                close(fds[0]);
        return child;
}

static int read_url(FILE *from, struct demo *demo)
{
        static const char start[] = "listening on ";
        char line[256];

        while (fgets(line, sizeof(line), from)) {
                line[strcspn(line, "\n")] = '\0';
                if (strncmp(line, start, sizeof(start) - 1) == 0) {
                        snprintf(demo->url, sizeof(demo->url), "ws://%.64s/v1/ws", line + sizeof(start) - 1);
                        return EX_OK;
                }
        }
        return cli_fail(EX_UNAVAILABLE, "the server ended before it listened");
}

/* What to type to start this very program: its bare name when the shell would find it, else its path. */
static const char *own_name(char *path, size_t room)
{
        const char *search = getenv("PATH");
        char *paths = strdup(search ? search : ""), *rest = paths, *folder, *candidate;
        ssize_t len = readlink("/proc/self/exe", path, room - 1);
        bool is_found = false;

        path[len > 0 ? len : 0] = '\0';
        while (paths && !is_found && (folder = strsep(&rest, ":"))) {
                struct stat there, here;
                if (asprintf(&candidate, "%s/deskbell", folder) < 0)
                        break;
                is_found = stat(candidate, &there) == 0 && stat(path, &here) == 0 && there.st_ino == here.st_ino &&
                           there.st_dev == here.st_dev;
                free(candidate);
        }
        free(paths);
        return is_found || !*path ? "deskbell" : path;
}

static int print_invitation(const struct demo *demo)
{
        char path[512];
        const char *program = own_name(path, sizeof(path));

        printf("\nDeskbell is running at %s with a bot, %d customers, %d agents and %d tickets.\n"
               "Data: %s%s\n\n"
               "In a second terminal, as the customer Dana, whom the bot answers first (in English, Korean, Chinese "
               "or\n"
               "Japanese; ask it when parcels come, where order KR-2041987 is, or for a person):\n\n"
               "  %s chat --url %s --app %s --token %s\n\n"
               "In a third one, as the agent %s (/view Unassigned shows who waits, /open NUMBER opens one; /help):\n\n"
               "  %s chat --url %s --app %s --agent-token %s --conv %s\n\n"
               "Ctrl-C ends the demo.\n",
               demo->url, DEMO_CUSTOMERS + (demo->tickets ? SEED_CUSTOMERS : 0),
               demo->tickets ? SEED_AGENTS : DEMO_AGENTS, demo->tickets, demo->dir,
               demo->is_temporary ? " (removed at the end)" : "", program, demo->url, demo->folder.app, demo->guest,
               agent_names[0], program, demo->url, demo->folder.app, demo->agents[0], demo->conversations[0]);
        return cli_finish();
}

/* Ctrl-C reaches the child by itself; a plain SIGTERM has to be handed on. A terminal that is closed ends the demo,
 * whose server would take a SIGHUP for a wish to read its configuration again. */
static volatile sig_atomic_t server_pid;

static void hand_on(int signal_number)
{
        if (server_pid > 0)
                kill((pid_t)server_pid, signal_number == SIGHUP ? SIGTERM : signal_number);
}

static int wait_for(pid_t child)
{
        int status;

        while (waitpid(child, &status, 0) < 0)
                if (errno != EINTR)
                        return EX_OSERR;
        return WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
}

static int run(struct demo *demo, struct config *config)
{
        FILE *from = NULL;
        pid_t child = start_server(config, &from);
        if (child < 0)
                return cli_fail(EX_OSERR, "the server cannot be started: %s", strerror(errno));
        server_pid = child;
        signal(SIGINT, hand_on);
        signal(SIGTERM, hand_on);
        signal(SIGHUP, hand_on);

        int rc = from ? read_url(from, demo) : EX_OSERR;
        if (rc == EX_OK)
                rc = demo_talk(demo);
        if (rc == EX_OK)
                rc = demo_bot_start(demo);
        if (rc == EX_OK)
                rc = print_invitation(demo);
        if (rc != EX_OK)
                kill(child, SIGTERM);
        int ended = wait_for(child);
        if (from)
                fclose(from);
        return rc == EX_OK ? ended : rc;
}

int cli_demo(int argc, char **argv)
{
        const char *data = NULL, *listen = NULL, *tickets = NULL;
        const struct cli_option options[] = {
                {.name = "data",
                 .value = "DIR",
                 .text = &data,
                 .help = "folder to make and keep; default a temporary one"},
                {.name = "listen", .value = "ADDRESS:PORT", .text = &listen, .help = "default 127.0.0.1:8787 or any"},
                {.name = "tickets", .value = "N", .text = &tickets, .help = "of the past; 0 = none; default 2000"},
        };
        const struct cli_page page = {
                .usage = "demo [options]",
                .about =
                        "Starts a server with an app, a bot, three teams, ten agents and 2,000 tickets of the past "
                        "(see\n"
                        "deskbell seed), and prints what to type in two further terminals to talk as a customer and as "
                        "an\n"
                        "agent.",
                .examples = "  deskbell demo\n",
                CLI_OPTIONS(options),
        };
        struct demo demo = {.is_temporary = false};
        struct config config;
        long long wanted = SEED_TICKETS;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);

        if (tickets && named_number("tickets", tickets, SEED_TICKETS_MOST, &wanted) != EX_OK)
                return EX_USAGE;
        demo.tickets = (int)wanted;

        int rc = choose_dir(&demo, data);
        if (rc == EX_OK)
                rc = folder_make(&(struct folder_options){.dir = demo.dir,
                                                          .app_name = "Demo shop",
                                                          .agent_name = agent_names[0]},
                                 &demo.folder);
        if (rc == EX_OK)
                rc = make_people(&demo);
        if (rc == EX_OK && demo.tickets > 0)
                rc = seed_folder(demo.dir, demo.tickets, SEED_DAYS, 1);
        if (rc == EX_OK)
                rc = demo_shop_start(&demo);
        if (rc == EX_OK)
                rc = demo_bot_make(&demo);
        if (rc == EX_OK)
                rc = load(&demo, listen, &config);
        if (rc == EX_OK) {
                rc = run(&demo, &config);
                config_done(&config);
        }
        clean_up(&demo);
        return rc;
}
