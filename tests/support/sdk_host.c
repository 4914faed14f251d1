/* SPDX-License-Identifier: Apache-2.0 */
/* A client made with the SDK that does what it is told, line by line, and writes down what it sees: one JSON line each
 * on stdout and in the history file. An invoke line is on disk before the operation begins, so that a process killed in
 * between leaves an operation whose outcome is unknown, never one that nobody announced. One thread: callbacks run in
 * deskbell_dispatch. Usage: see `usage`. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "protocol/hot.h"
#include "sdk_host.h"

static const char usage[] =
        "usage: sdk_host --url URL --app ID (--token T | --visitor | --agent-token T) --data DIR --history FILE --proc "
        "NAME\n"
        "                [--conv-key KEY,... | --conv ID,...]\n"
        "commands on stdin: send TEXT, note TEXT, edit SEQ VERSION TEXT, erase SEQ, read SEQ, away, here, quiesce, "
        "dump, "
        "quit, file PATH [CAPTION], pause CMID, resume CMID, cancel CMID, fetch ID SIZE SHA256 PATH, find WORDS, "
        "network, in N (the conversation that what follows is about), look, cache, cache team, background, foreground, "
        "offline, online, received CONV SEQ\n";

/* ---- writing down ------------------------------------------------------------------------------------------------ */

static int64_t now_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

json_t *line_new(const struct host *host, const char *kind, const char *op)
{
        return json_pack("{s:I, s:s, s:s, s:s}", "t_ns", (json_int_t)now_ns(), "proc", host->proc, "kind", kind, "op",
                         op);
}

void say(struct host *host, json_t *line, bool on_disk)
{
        char *text = json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII);
        size_t len = text ? strlen(text) : 0;

        json_decref(line);
        if (!text)
                abort();
        text[len++] = '\n';
        if (write(host->history_fd, text, len) != (ssize_t)len || (on_disk && fsync(host->history_fd) < 0)) {
                perror("sdk_host: history");
                exit(74);
        }
        if (fwrite(text, 1, len, stdout) != len || fflush(stdout) != 0)
                exit(74);
        free(text);
}

void set_text(json_t *line, const char *name, const char *value)
{
        if (value && *value)
                json_object_set_new(line, name, json_string(value));
}

void set_number(json_t *line, const char *name, int64_t value)
{
        json_object_set_new(line, name, json_integer((json_int_t)value));
}

void set_hash(json_t *line, const uint8_t hash[16])
{
        char text[33];

        for (int i = 0; i < 16; i++)
                snprintf(text + 2 * i, 3, "%02x", hash[i]);
        json_object_set_new(line, "hash", json_string(text));
}

void set_place(json_t *line, enum deskbell_log log, int64_t number)
{
        json_object_set_new(line, "log", json_string(log == DESKBELL_TEAM ? "team" : "public"));
        if (number > 0)
                set_number(line, log == DESKBELL_TEAM ? "iseq" : "seq", number);
}

void set_conv(json_t *line, const deskbell_conversation *conv)
{
        char id[18];

        deskbell_conversation_id(conv, id);
        set_text(line, "conv", id);
}

void hash_text(const char *text, uint8_t out[16])
{
        struct protocol_content content = {.has_text = true, .text = span_of(text)};
        struct writer writer;

        writer_init(&writer, NULL, 0);
        content_store(&writer, &content);
        content_hash(PROTOCOL_ENTRY_TEXT, (struct span){writer.bytes, writer.len}, out);
        writer_done(&writer);
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

json_t *invoke_line(struct host *host, const char *op, const char *cmid)
{
        json_t *line = line_new(host, "invoke", op);

        set_text(line, "cmid", cmid);
        set_text(line, "epoch", host->epoch);
        set_conv(line, host->conv);
        return line;
}

void refused(struct host *host, const char *op, const char *cmid, int error)
{
        json_t *line = line_new(host, "fail", op);

        set_text(line, "cmid", cmid);
        set_text(line, "tag", deskbell_error_text(error));
        set_conv(line, host->conv);
        say(host, line, false);
}

static void command_send(struct host *host, const char *text, enum deskbell_log log)
{
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;
        uint8_t hash[16];
        char cmid[33];

        deskbell_cmid_new(host->client, cmid);
        options.cmid = cmid;
        options.log = log;
        hash_text(text, hash);
        json_t *line = invoke_line(host, "send", cmid);
        set_place(line, log, 0);
        set_hash(line, hash);
        say(host, line, true);
        int rc = deskbell_send(host->conv, text, &options, NULL);
        if (rc < 0)
                refused(host, "send", cmid, rc);
}

static void command_edit(struct host *host, const char *arguments)
{
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;
        long long number, version;
        uint8_t hash[16];
        char cmid[33];
        int at = 0;

        if (sscanf(arguments, "%lld %lld %n", &number, &version, &at) < 2 || !at)
                return;
        deskbell_cmid_new(host->client, cmid);
        options.cmid = cmid;
        hash_text(arguments + at, hash);
        json_t *line = invoke_line(host, "edit", cmid);
        set_number(line, "of", number);
        set_number(line, "version", version);
        set_hash(line, hash);
        say(host, line, true);
        int rc = deskbell_edit(host->conv, number, version, arguments + at, &options, NULL);
        if (rc < 0)
                refused(host, "edit", cmid, rc);
}

static void command_erase(struct host *host, const char *arguments)
{
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;
        char cmid[33];
        int64_t number = atoll(arguments);

        deskbell_cmid_new(host->client, cmid);
        options.cmid = cmid;
        json_t *line = invoke_line(host, "erase", cmid);
        set_number(line, "of", number);
        say(host, line, true);
        int rc = deskbell_erase(host->conv, number, &options, NULL);
        if (rc < 0)
                refused(host, "erase", cmid, rc);
}

/* "NUMBER SCORE", and perhaps a comment. */
static void command_rate(struct host *host, const char *arguments)
{
        struct deskbell_rating rating = DESKBELL_RATING_INIT;
        long long number;
        char cmid[33];
        int at = 0;

        if (sscanf(arguments, "%lld %d %n", &number, &rating.score, &at) < 2 || !at)
                return;
        deskbell_cmid_new(host->client, cmid);
        rating.cmid = cmid;
        rating.said = arguments[at] ? arguments + at : NULL;
        json_t *line = invoke_line(host, "rate", cmid);
        set_number(line, "of", number);
        say(host, line, true);
        int rc = deskbell_survey_answer(host->conv, number, &rating, NULL);
        if (rc < 0)
                refused(host, "rate", cmid, rc);
}

static void on_dump(deskbell_client *client, int error, const struct deskbell_entry *entries, size_t count,
                    int64_t head, int more, void *data);

static void dump_from(struct host *host, int64_t after)
{
        struct deskbell_history_options options = DESKBELL_HISTORY_OPTIONS_INIT;

        options.after = after;
        options.limit = 200;
        options.log = host->dump_log;
        options.from_server = !host->is_cache_dump;
        if (deskbell_history(host->conv, &options, on_dump, host) < 0)
                on_dump(host->client, DESKBELL_E_OFFLINE, NULL, 0, 0, 0, host);
}

static void on_dump(deskbell_client *client, int error, const struct deskbell_entry *entries, size_t count,
                    int64_t head, int more, void *data)
{
        struct host *host = data;
        int64_t last = 0;
        json_t *line;

        (void)client;
        for (size_t i = 0; i < count; i++) {
                json_t *row = json_object();
                describe(row, &entries[i], "kind");
                json_array_append_new(host->dump, row);
                last = entries[i].number;
        }
        if (!error && more && count) {
                dump_from(host, last);
                return;
        }
        line = line_new(host, error ? "fail" : "info", error ? "dump" : "final");
        set_text(line, "epoch", host->epoch);
        set_conv(line, host->conv);
        set_place(line, host->dump_log, 0);
        set_number(line, "head", head);
        set_number(line, "first", 1);
        set_number(line, "began_ns", host->dump_began_ns);
        json_object_set_new(line, "entries", host->dump);
        if (error)
                set_text(line, "tag", deskbell_error_text(error));
        host->dump = NULL;
        host->is_dumping = false;
        say(host, line, false);
}

void host_dump(struct host *host, enum deskbell_log log, bool from_cache)
{
        if (host->is_dumping)
                return;
        host->is_dumping = true;
        host->dump_log = log;
        host->is_cache_dump = from_cache;
        host->dump = json_array();
        host->dump_began_ns = now_ns();
        dump_from(host, 0);
}

static void obey(struct host *host, char *line)
{
        if (host_obey_files(host, line) || host_obey_device(host, line))
                return;
        if (strncmp(line, "send ", 5) == 0)
                command_send(host, line + 5, DESKBELL_PUBLIC);
        else if (strncmp(line, "note ", 5) == 0)
                command_send(host, line + 5, DESKBELL_TEAM);
        else if (strncmp(line, "edit ", 5) == 0)
                command_edit(host, line + 5);
        else if (strncmp(line, "erase ", 6) == 0)
                command_erase(host, line + 6);
        else if (strncmp(line, "rate ", 5) == 0)
                command_rate(host, line + 5);
        else if (strncmp(line, "read ", 5) == 0)
                deskbell_mark_read(host->conv, atoll(line + 5));
        else if (strcmp(line, "away") == 0)
                deskbell_set_presence(host->client, DESKBELL_AWAY);
        else if (strcmp(line, "here") == 0)
                deskbell_set_presence(host->client, DESKBELL_HERE);
        else if (strcmp(line, "dump") == 0)
                host_dump(host, DESKBELL_PUBLIC, false);
        else if (strcmp(line, "quit") == 0)
                host->is_ending = true;
        else if (strcmp(line, "quiesce") == 0)
                host->wants_quiet = true;
        else
                fprintf(stderr, "sdk_host: unknown command: %s\n", line);
        if (host->wants_quiet)
                deskbell_network_changed(host->client); /* asks the server once more what there is */
}

static void check_quiet(struct host *host)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        if (!host->wants_quiet || deskbell_status(host->client, &status) < 0)
                return;
        if (status.queued || !status.is_caught_up || status.callbacks_waiting)
                return;
        host->wants_quiet = false;
        json_t *line = line_new(host, "info", "quiet");
        set_text(line, "epoch", host->epoch);
        set_number(line, "outbox", 0);
        say(host, line, false);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

/* The histories of this device's runs (NAME.RUN.jsonl beside our file), in the order of the runs; globfree what is
 * found. */
static void find_runs(const struct host *host, glob_t *out_found)
{
        static const char *const runs[] = {"[0-9]", "[0-9][0-9]", "[0-9][0-9][0-9]", "[0-9][0-9][0-9][0-9]"};
        const char *slash = strrchr(host->history_path, '/');
        int dir_len = slash ? (int)(slash - host->history_path) + 1 : 0;
        char pattern[1024];

        for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
                snprintf(pattern, sizeof(pattern), "%.*s%s.%s.jsonl", dir_len, host->history_path, host->proc, runs[i]);
                glob(pattern, i ? GLOB_APPEND : 0, NULL, out_found);
        }
}

/* What earlier runs of this device wrote tells which states are told again. */
static void recall_states(struct host *host)
{
        char *text = NULL;
        size_t room = 0;
        glob_t found = {0};

        host->states = json_object();
        host->attached = json_object();
        find_runs(host, &found);
        for (size_t i = 0; i < found.gl_pathc; i++) {
                FILE *file = fopen(found.gl_pathv[i], "re");
                while (file && getline(&text, &room, file) > 0) {
                        json_t *line = json_loads(text, 0, NULL);
                        const char *op = json_string_value(json_object_get(line, "op"));
                        if (op && strcmp(op, "attach") == 0)
                                json_object_set(host->attached, json_string_value(json_object_get(line, "cmid")),
                                                json_object_get(line, "t_ns"));
                        if (op && strcmp(op, "state") == 0)
                                json_object_set(host->states, json_string_value(json_object_get(line, "cmid")),
                                                json_object_get(line, "state"));
                        json_decref(line);
                }
                if (file)
                        fclose(file);
        }
        free(text);
        globfree(&found);
}

static bool take_argument(struct host *host, const char *name, const char *value)
{
        const struct {
                const char *name;
                const char **out;
        } known[] = {
                {"--url", &host->options.url},
                {"--app", &host->options.app},
                {"--token", &host->options.token},
                {"--agent-token", &host->options.agent_token},
                {"--data", &host->options.data_dir},
                {"--history", &host->history_path},
                {"--proc", &host->proc},
                {"--conv-key", &host->conv_keys},
                {"--conv", &host->conv_ids},
        };

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
                if (strcmp(name, known[i].name) == 0 && value) {
                        *known[i].out = value;
                        return true;
                }
        }
        return false;
}

static bool read_arguments(struct host *host, int argc, char **argv)
{
        for (int i = 1; i < argc; i++) {
                if (strcmp(argv[i], "--visitor") == 0)
                        host->options.is_visitor = 1;
                else if (take_argument(host, argv[i], argv[i + 1]))
                        i++;
                else
                        return false;
        }
        return host->history_path && host->proc && host->options.data_dir;
}

static int begin(struct host *host)
{
        struct deskbell_options *options = &host->options;

        options->callbacks_by_dispatch = 1;
        options->first_page = -1; /* the whole log: the checker compares it with the server's */
        options->snapshot = 0;
        options->client_name = "sdk_host";
        options->data = host;
        host_listen(options);
        int rc = deskbell_open(options, &host->client);
        return rc == 0 ? host_open_convs(host) : rc; /* an agent without conversations only connects */
}

struct lines {
        char *bytes;
        size_t len, room;
};

/* False at the end of input. */
static bool read_commands(struct host *host, struct lines *lines)
{
        if (lines->room - lines->len < 65536) {
                lines->room = lines->len + 131072;
                lines->bytes = realloc(lines->bytes, lines->room);
                if (!lines->bytes)
                        abort();
        }
        ssize_t got = read(STDIN_FILENO, lines->bytes + lines->len, lines->room - lines->len - 1);
        if (got < 0 && errno == EINTR)
                return true;
        if (got <= 0)
                return false;
        lines->len += (size_t)got;
        for (char *end; (end = memchr(lines->bytes, '\n', lines->len));) {
                size_t whole = (size_t)(end - lines->bytes) + 1;
                *end = '\0';
                obey(host, lines->bytes);
                lines->len -= whole;
                memmove(lines->bytes, end + 1, lines->len);
        }
        return true;
}

static void serve(struct host *host)
{
        struct lines lines = {0};
        struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                {.fd = deskbell_fd(host->client), .events = POLLIN}};

        while (!host->is_ending) {
                if (poll(fds, 2, host->wants_quiet ? 20 : -1) < 0 && errno != EINTR)
                        break;
                if (fds[1].revents)
                        deskbell_dispatch(host->client, 0);
                if (fds[0].revents && !read_commands(host, &lines))
                        break;
                check_quiet(host);
        }
        free(lines.bytes);
}

int main(int argc, char **argv)
{
        struct host host = {.options = DESKBELL_OPTIONS_INIT};

        if (!read_arguments(&host, argc, argv)) {
                fputs(usage, stderr);
                return 64;
        }
        signal(SIGPIPE, SIG_IGN);
        recall_states(&host);
        host.history_fd = open(host.history_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (host.history_fd < 0) {
                perror(host.history_path);
                return 73;
        }
        int rc = begin(&host);
        if (rc < 0) {
                fprintf(stderr, "sdk_host: %s\n", deskbell_error_text(rc));
                if (host.client)
                        deskbell_close(host.client);
                return rc == DESKBELL_E_LOCKED ? 75 : 70;
        }
        deskbell_connect(host.client);
        serve(&host);
        deskbell_close(host.client);
        json_decref(host.dump);
        json_decref(host.states);
        json_decref(host.attached);
        close(host.history_fd);
        return 0;
}
