/* SPDX-License-Identifier: Apache-2.0 */
/* Options. One table feeds getopt and the reading of numbers with their ranges. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
        OPT_PAIRS = 256,
        OPT_IN_FLIGHT,
        OPT_SECONDS,
        OPT_WARM,
        OPT_PATIENCE,
        OPT_SIZE,
        OPT_RATE,
        OPT_CONVERSATIONS,
        OPT_IDLE,
        OPT_HISTORY,
        OPT_FLOOR,
        OPT_ONLY_FLOOR,
        OPT_NO_STORE,
        OPT_URL,
        OPT_KEYS,
        OPT_DATA,
        OPT_PID,
        OPT_PROGRAM,
        OPT_DIR,
        OPT_KEEP,
        OPT_SERVER_CPU,
        OPT_DRIVER_CPU,
        OPT_JSON,
        OPT_HELP,
};

static const struct option names[] = {
        {"pairs", required_argument, NULL, OPT_PAIRS},
        {"in-flight", required_argument, NULL, OPT_IN_FLIGHT},
        {"seconds", required_argument, NULL, OPT_SECONDS},
        {"warm", required_argument, NULL, OPT_WARM},
        {"patience", required_argument, NULL, OPT_PATIENCE},
        {"size", required_argument, NULL, OPT_SIZE},
        {"rate", required_argument, NULL, OPT_RATE},
        {"conversations", required_argument, NULL, OPT_CONVERSATIONS},
        {"idle", required_argument, NULL, OPT_IDLE},
        {"history", required_argument, NULL, OPT_HISTORY},
        {"floor", required_argument, NULL, OPT_FLOOR},
        {"only-floor", no_argument, NULL, OPT_ONLY_FLOOR},
        {"no-store", no_argument, NULL, OPT_NO_STORE},
        {"url", required_argument, NULL, OPT_URL},
        {"keys", required_argument, NULL, OPT_KEYS},
        {"data", required_argument, NULL, OPT_DATA},
        {"pid", required_argument, NULL, OPT_PID},
        {"program", required_argument, NULL, OPT_PROGRAM},
        {"dir", required_argument, NULL, OPT_DIR},
        {"keep", no_argument, NULL, OPT_KEEP},
        {"server-cpu", required_argument, NULL, OPT_SERVER_CPU},
        {"driver-cpu", required_argument, NULL, OPT_DRIVER_CPU},
        {"json", no_argument, NULL, OPT_JSON},
        {"help", no_argument, NULL, OPT_HELP},
        {NULL, 0, NULL, 0},
};

struct number_option {
        int option;
        const char *name;
        double least, most;
};

static const struct number_option numbers[] = {
        {OPT_PAIRS, "pairs", 1, 5000},
        {OPT_IN_FLIGHT, "in-flight", 1, 4000},
        {OPT_SECONDS, "seconds", 0.1, 86400},
        {OPT_WARM, "warm", 0, 3600},
        {OPT_PATIENCE, "patience", 0.1, 3600},
        {OPT_SIZE, "size", 1, 10000},
        {OPT_RATE, "rate", 0.1, 10e6},
        {OPT_CONVERSATIONS, "conversations", 1, 1000000},
        {OPT_IDLE, "idle", 2, 60000},
        {OPT_HISTORY, "history", HISTORY_PAGE, 1e9},
        {OPT_PID, "pid", 1, 1 << 22},
        {OPT_SERVER_CPU, "server-cpu", -1, 1023},
        {OPT_DRIVER_CPU, "driver-cpu", -1, 1023},
};

static const char help[] =
        "usage: deskbell bench [options]\n"
        "\n"
        "Measures a server: pairs of a customer and an agent write to each other, each message is stored, "
        "acknowledged\n"
        "and delivered, and every one is accounted for. Without --url a server is started in a temporary folder with\n"
        "its limits lifted, pinned to one core, and stopped afterwards; this program drives it from another core.\n"
        "Settings under DESKBELL_* in the environment reach that server.\n"
        "\n"
        "What to measure\n"
        "  --pairs N            pairs, two connections each                       1-5000     default 100\n"
        "  --in-flight K        unanswered messages each side keeps under way     1-4000     default 1\n"
        "  --size BYTES         bytes of a text                                   1-10000    default 200\n"
        "  --conversations N    in all, a multiple of pairs, at most 200 a pair   default one a pair\n"
        "  --rate R             offer R messages/s in all, whatever the answers do, and measure how long each takes\n"
        "                       from the moment it was due (default: as fast as the windows allow)\n"
        "  --seconds S          length of the measured window, or of holding idle connections      default 10\n"
        "  --warm S             seconds before it that do not count               default 1\n"
        "  --patience S         silence after which what is missing counts as lost                 default 20\n"
        "  --idle N             instead: open N logged-in connections, print the memory of each\n"
        "  --history M          instead: fill one conversation with M messages, read its last 50 over and over\n"
        "\n"
        "What to compare with\n"
        "  --floor PATH         run the bare relay PATH under the same load in the same run, print the ratio\n"
        "  --no-store           that relay stores nothing\n"
        "  --only-floor         no server, only the relay\n"
        "\n"
        "Which server\n"
        "  --program PATH       the deskbell to start                             default this program\n"
        "  --dir DIR            make the temporary folder there                   default /var/tmp\n"
        "  --keep               leave that folder\n"
        "  --server-cpu N       core of the server, -1 = any                      default 0 when there are two\n"
        "  --driver-cpu N       core of this program, -1 = any                    default 1 when there are two\n"
        "  --url ws://HOST:PORT drive a server that runs; needs --keys FILE (what `deskbell init --json` printed) and\n"
        "                       --data DIR (its folder, to add agents); --pid PID tells whose memory and time to read\n"
        "\n"
        "  --json               one JSON object instead of lines\n"
        "\n"
        "Exit codes: 0 measured, every message accounted for; 1 not accounted for; 64 usage; 69 a server could not be\n"
        "reached or ended; 70 out of memory or descriptors; 73 no temporary folder; 130 interrupted.\n"
        "\n"
        "Examples\n"
        "  deskbell bench --in-flight 32\n"
        "  deskbell bench --rate 2000 --seconds 30 --floor ./floor\n"
        "  deskbell bench --conversations 20000 --in-flight 8\n"
        "  deskbell bench --idle 19000\n"
        "  deskbell bench --history 1000000\n";

const char *options_help(void)
{
        return help;
}

static int number_read(int option, const char *text, double *out, struct bench_error *error)
{
        for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
                if (numbers[i].option != option)
                        continue;
                char *end;
                errno = 0;
                double value = strtod(text, &end);
                if (end == text || *end || errno || !(value >= numbers[i].least && value <= numbers[i].most))
                        return bench_fail(error, BENCH_USAGE, "--%s wants a number from %g to %g, not %.40s",
                                          numbers[i].name, numbers[i].least, numbers[i].most, text);
                *out = value;
                return 0;
        }
        return 0;
}

static void number_take(struct options *options, int option, double value)
{
        switch (option) {
        case OPT_PAIRS:
                options->load.pairs = (uint32_t)value;
                break;
        case OPT_IN_FLIGHT:
                options->load.in_flight = (uint32_t)value;
                break;
        case OPT_SECONDS:
                options->load.seconds = value;
                break;
        case OPT_WARM:
                options->load.warm_s = value;
                break;
        case OPT_PATIENCE:
                options->load.patience_s = value;
                break;
        case OPT_SIZE:
                options->load.text_bytes = (uint32_t)value;
                break;
        case OPT_RATE:
                options->load.rate = value;
                break;
        case OPT_CONVERSATIONS:
                options->load.conversations = (uint32_t)value;
                break;
        case OPT_IDLE:
                options->idle.conns = (uint32_t)value;
                break;
        case OPT_HISTORY:
                options->history.messages = (uint64_t)value;
                break;
        case OPT_PID:
                options->target.pid = (pid_t)value;
                break;
        case OPT_SERVER_CPU:
                options->target.server_cpu = (int)value;
                break;
        case OPT_DRIVER_CPU:
                options->driver_cpu = (int)value;
                break;
        }
}

static void text_take(struct options *options, int option, const char *text)
{
        switch (option) {
        case OPT_FLOOR:
                options->floor = text;
                break;
        case OPT_ONLY_FLOOR:
                options->only_floor = true;
                break;
        case OPT_NO_STORE:
                options->target.floor_no_store = true;
                break;
        case OPT_URL:
                options->target.url = text;
                break;
        case OPT_KEYS:
                options->target.keys_path = text;
                break;
        case OPT_DATA:
                options->target.data = text;
                break;
        case OPT_PROGRAM:
                snprintf(options->program, sizeof(options->program), "%s", text);
                break;
        case OPT_DIR:
                options->target.parent_dir = text;
                break;
        case OPT_KEEP:
                options->target.is_kept = true;
                break;
        case OPT_JSON:
                options->as_json = true;
                break;
        }
}

static int options_finish(struct options *options, struct bench_error *error)
{
        struct load_plan *load = &options->load;
        if (!load->conversations)
                load->conversations = load->pairs;
        if (load->conversations % load->pairs)
                return bench_fail(error, BENCH_USAGE, "--conversations has to be a multiple of --pairs (%u)",
                                  load->pairs);
        if (load->conversations / load->pairs > 200)
                return bench_fail(error, BENCH_USAGE, "a customer has at most 200 conversations; raise --pairs");
        if (options->idle.conns && options->history.messages)
                return bench_fail(error, BENCH_USAGE, "--idle and --history are two measurements; ask for one");
        if (options->target.url && !options->only_floor && (!options->target.keys_path || !options->target.data))
                return bench_fail(error, BENCH_USAGE, "--url needs --keys and --data");
        if (options->only_floor && !options->floor)
                return bench_fail(error, BENCH_USAGE, "--only-floor needs --floor PATH");
        options->idle.seconds = options->history.seconds = load->seconds;
        options->history.warm_s = load->warm_s;
        options->history.readers = load->pairs;
        options->history.text_bytes = load->text_bytes;
        uint32_t conns = options->idle.conns ? options->idle.conns : load_conns(load, false);
        options->target.max_conns = conns + 100;
        options->target.in_flight = load->in_flight + 64 > 2048 ? load->in_flight + 64 : 2048;
        /* Answers to a whole window may leave in one turn; what does not fit the cap the server is free to drop. */
        options->target.output_bytes = load->in_flight > 128 ? load->in_flight * 4096 : 0;
        options->target.agents = options->idle.conns ? 0 : load->pairs;
        options->target.program = options->program;
        return 0;
}

static void options_default(struct options *options)
{
        bool has_two = sysconf(_SC_NPROCESSORS_ONLN) > 1;
        *options = (struct options){
                .load = {.pairs = 100, .in_flight = 1, .text_bytes = 200, .warm_s = 1, .patience_s = 20, .seconds = 10},
                .target = {.parent_dir = "/var/tmp", .server_cpu = has_two ? 0 : -1},
                .driver_cpu = has_two ? 1 : -1,
        };
        ssize_t len = readlink("/proc/self/exe", options->program, sizeof(options->program) - 1);
        options->program[len > 0 ? len : 0] = '\0';
}

enum options_verdict options_read(int argc, char **argv, struct options *options, struct bench_error *error)
{
        options_default(options);
        optind = 0;
        opterr = 0;
        for (int option; (option = getopt_long(argc, argv, ":", names, NULL)) != -1;) {
                double value = 0;
                if (option == OPT_HELP)
                        return OPTIONS_HELP;
                if (option == '?' || option == ':') {
                        bench_fail(error, BENCH_USAGE, option == ':' ? "%s wants a value" : "no such option: %s",
                                   argv[optind - 1]);
                        return OPTIONS_WRONG;
                }
                if (optarg && number_read(option, optarg, &value, error) < 0)
                        return OPTIONS_WRONG;
                number_take(options, option, value);
                text_take(options, option, optarg);
        }
        if (optind < argc) {
                bench_fail(error, BENCH_USAGE, "no such option: %s", argv[optind]);
                return OPTIONS_WRONG;
        }
        return options_finish(options, error) < 0 ? OPTIONS_WRONG : OPTIONS_RUN;
}
