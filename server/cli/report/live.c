/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell report live: a board of queues and agents in the terminal, read anew each second from the running server. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/report/report.h"
#include "ops/clock.h"

enum { BOARD_ROWS = 24, BOARD_COLUMNS = 80, LINE_BYTES = 512 };

/* What the board shows, as read last. */
struct board {
        json_t *queues, *agents, *names; /* names: id -> name */
        int rows, columns, at;           /* of the terminal; lines written */
        bool is_terminal;
};

static json_int_t number(const json_t *row, const char *name)
{
        return json_integer_value(json_object_get(row, name));
}

static int read_names(struct console *console, struct board *board)
{
        json_t *result = NULL, *row;
        size_t i;
        int rc = console_do(console, "agent.list", NULL, &result);

        board->names = json_object();
        json_array_foreach(json_object_get(result, "agents"), i, row)
                json_object_set(board->names, cli_text(row, "agent"), json_object_get(row, "name"));
        json_decref(result);
        return rc;
}

/* All pages. */
static int read_agents(struct console *console, struct board *board)
{
        json_t *result = NULL;
        int rc = EX_OK;
        bool more = true;

        json_decref(board->agents);
        board->agents = json_array();
        while (rc == EX_OK && more) {
                json_t *params = json_object();
                size_t count = json_array_size(board->agents);
                if (count)
                        json_object_set(params, "after",
                                        json_object_get(json_array_get(board->agents, count - 1), "agent"));
                rc = console_do(console, "status.list", params, &result);
                json_array_extend(board->agents, json_object_get(result, "agents"));
                more = json_is_true(json_object_get(result, "more")) && json_array_size(board->agents) > count;
                json_decref(result);
                result = NULL;
        }
        return rc;
}

static int read_board(struct console *console, struct board *board)
{
        json_t *result = NULL;
        int rc = console_do(console, "queue.list", NULL, &result);

        json_decref(board->queues);
        board->queues = json_incref(json_object_get(result, "queues"));
        json_decref(result);
        return rc == EX_OK ? read_agents(console, board) : rc;
}

/* "12 s", "5 min", "3 h", "2 d" since then; "-" for 0. */
static const char *age(json_int_t since_ms, char out[16])
{
        json_int_t s = (clock_wall_ms() - since_ms) / 1000;

        s = s < 0 ? 0 : s;
        if (!since_ms)
                snprintf(out, 16, "-");
        else if (s < 120)
                snprintf(out, 16, "%d s", (int)s);
        else if (s < 7200)
                snprintf(out, 16, "%d min", (int)(s / 60));
        else if (s < 172800)
                snprintf(out, 16, "%d h", (int)(s / 3600));
        else
                snprintf(out, 16, "%d d", (int)(s / 86400));
        return out;
}

/* Cut at the edge of the terminal; the last line of it stays free. False: there is no room left. */
__attribute__((format(printf, 2, 3))) static bool put(struct board *board, const char *format, ...)
{
        char line[LINE_BYTES];
        va_list args;

        if (board->is_terminal && board->at >= board->rows - 1)
                return false;
        va_start(args, format);
        vsnprintf(line, sizeof(line), format, args);
        va_end(args);
        if (board->is_terminal && (size_t)board->columns < strlen(line))
                line[board->columns] = '\0';
        for (char *c = line; *c; c++)
                if ((unsigned char)*c < ' ' || *c == 0x7f)
                        *c = '?'; /* names are of others */
        printf("%s%s\n", line, board->is_terminal ? "\x1b[K" : "");
        board->at++;
        return true;
}

static void put_queues(struct board *board)
{
        json_t *row;
        char oldest[16], wait[16];
        size_t i;

        put(board, "%-16s %7s %7s %7s %7s %4s  %4s %4s %4s %4s %3s", "TEAM", "waiting", "offered", "oldest", "lately",
            "open", "free", "full", "busy", "away", "off");
        json_array_foreach(board->queues, i, row) {
                const char *name = *cli_text(row, "name") ? cli_text(row, "name") : "(no team)";
                json_int_t wait_s = number(row, "wait_s");
                snprintf(wait, sizeof(wait), wait_s < 120 ? "%d s" : "%d min",
                         (int)(wait_s < 120 ? wait_s : wait_s / 60));
                put(board, "%-16.16s %7d %7d %7s %7s %4d  %4d %4d %4d %4d %3d", name, (int)number(row, "waiting"),
                    (int)number(row, "offered"), age(number(row, "oldest"), oldest),
                    json_object_get(row, "wait_s") ? wait : "-", (int)number(row, "open"), (int)number(row, "free"),
                    (int)number(row, "full"), (int)number(row, "busy"), (int)number(row, "away"),
                    (int)number(row, "offline"));
        }
        if (!json_array_size(board->queues))
                put(board, "no teams");
}

static void put_agents(struct board *board)
{
        static const char *const order[] = {"online", "busy", "away", "offline"};
        json_t *row;
        char since[16];
        size_t i;

        put(board, "%s", "");
        put(board, "%-20s %-8s %8s %10s  %s", "AGENT", "status", "since", "load", "");
        for (size_t word = 0; word < sizeof(order) / sizeof(order[0]); word++) {
                json_array_foreach(board->agents, i, row) {
                        const char *id = cli_text(row, "agent"), *name = cli_text(board->names, id);
                        if (strcmp(cli_text(row, "status"), order[word]) != 0)
                                continue;
                        if (!put(board, "%-20.20s %-8s %8s %4d of %3d  %s%s", *name ? name : id, order[word],
                                 age(number(row, "since"), since), (int)number(row, "load"),
                                 (int)number(row, "capacity"), cli_text(row, "reason"),
                                 json_is_true(json_object_get(row, "over")) ? " (longer than allowed)" : ""))
                                return;
                }
        }
}

static void draw(struct board *board)
{
        struct winsize size;
        char when[32];

        board->rows = BOARD_ROWS;
        board->columns = BOARD_COLUMNS;
        board->at = 0;
        if (board->is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col) {
                board->rows = size.ws_row;
                board->columns = size.ws_col;
        }
        if (board->is_terminal)
                printf("\x1b[H");
        if (board->is_terminal)
                put(board, "deskbell, %s; Ctrl-C ends", cli_time(clock_wall_ms(), when));
        put_queues(board);
        put_agents(board);
        if (board->is_terminal)
                printf("\x1b[J");
        fflush(stdout);
}

static volatile sig_atomic_t is_over;

static void end_it(int signal_number)
{
        (void)signal_number;
        is_over = 1;
}

static int show(struct console *console, struct board *board)
{
        struct sigaction action = {.sa_handler = end_it};
        struct timespec second = {.tv_sec = 1};
        int rc = read_board(console, board);

        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        sigaction(SIGHUP, &action, NULL);
        printf("\x1b[?1049h\x1b[?25l\x1b[2J");
        while (rc == EX_OK && !is_over) {
                draw(board);
                nanosleep(&second, NULL); /* or until a signal */
                if (!is_over)
                        rc = read_board(console, board);
        }
        printf("\x1b[?25h\x1b[?1049l");
        return rc;
}

int report_live(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false, once = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "once", .flag = &once, .help = "print it once and end; so too when the output is no terminal"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "report live [options]",
                .about = "Queues and agents as they are, drawn anew each second: for each team how many wait, since "
                         "when the\n"
                         "oldest one, how long waiting took lately, and who is there; for each agent status and load.",
                .examples = "  deskbell report live --data /var/lib/deskbell\n"
                            "  deskbell report live --once --json\n",
                CLI_OPTIONS(options),
        };
        struct console *console = NULL;
        struct board board = {0};
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);

        int rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = read_names(console, &board);
        once |= json || (rc == EX_OK && !console_is_remote(console)); /* nothing changes without a server */
        board.is_terminal = !once && isatty(STDOUT_FILENO);
        if (rc == EX_OK && board.is_terminal)
                rc = show(console, &board);
        else if (rc == EX_OK && (rc = read_board(console, &board)) == EX_OK && !json)
                draw(&board);
        if (rc == EX_OK && json)
                rc = cli_print(json_pack("{s:O, s:O}", "queues", board.queues, "agents", board.agents));
        console_close(console);
        json_decref(board.queues);
        json_decref(board.agents);
        json_decref(board.names);
        return rc == EX_OK ? cli_finish() : rc;
}
