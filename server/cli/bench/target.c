/* SPDX-License-Identifier: Apache-2.0 */
/* Target. Children get SIGTERM when we die (a server that gives up root loses that; SIGINT and SIGTERM to us still end
 * it). Limits of the server are lifted through its environment; what the caller has set there already is left alone, so
 * settings can be tried out. */
#include "target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "driver.h"
#include "progress.h"
#include "protocol/jwt.h"

enum { START_MS = 20000, STOP_MS = 15000, OUTPUT_BYTES = 16384 };

static void set_default(const char *name, uint64_t value)
{
        char text[24];
        snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
        setenv(name, text, 0);
}

static void lift_limits(const struct target_options *options, const struct target *target)
{
        set_default("DESKBELL_RATE_MESSAGES_PER_S", 1000000);
        set_default("DESKBELL_RATE_BURST", 1000000);
        set_default("DESKBELL_IN_FLIGHT", options->in_flight);
        set_default("DESKBELL_HANDSHAKES_PER_MINUTE", 1000000);
        set_default("DESKBELL_MAX_CONNECTIONS", options->max_conns);
        set_default("DESKBELL_PENDING_PER_ADDRESS", 2000);
        if (options->output_bytes)
                set_default("DESKBELL_OUTPUT_BYTES", options->output_bytes);
        setenv("DESKBELL_OPS_LISTEN", target->metrics_address, 0);
}

/* In the child between fork and exec. `err_path` NULL: standard error stays ours. */
static _Noreturn void child_run(const char *const argv[], int out, int cpu, const char *err_path, pid_t parent)
{
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
                _exit(71);
        int in = open("/dev/null", O_RDONLY);
        int err = err_path ? open(err_path, O_WRONLY | O_CREAT | O_APPEND, 0600) : STDERR_FILENO;
        if (in < 0 || err < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
            dup2(err, STDERR_FILENO) < 0)
                _exit(71);
        cpu_set_t set;
        CPU_ZERO(&set);
        for (int i = 0; i < CPU_SETSIZE; i++) /* not pinned: every core, also those we keep off ourselves */
                if (cpu < 0 || cpu == i)
                        CPU_SET((unsigned)i, &set);
        sched_setaffinity(0, sizeof(set), &set);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(72);
}

static pid_t child_start(const char *const argv[], int cpu, const char *err_path, int *out_fd,
                         struct bench_error *error)
{
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0)
                return bench_fail(error, BENCH_SOFTWARE, "pipe: %s", strerror(errno));
        pid_t parent = getpid(), pid = fork();
        if (pid == 0)
                child_run(argv, ends[1], cpu, err_path, parent);
        close(ends[1]);
        if (pid < 0) {
                close(ends[0]);
                return bench_fail(error, BENCH_SOFTWARE, "fork: %s", strerror(errno));
        }
        *out_fd = ends[0];
        return pid;
}

/* Reads until `until` was seen (NULL: until the end). `text` is terminated. -1: it ended or time ran out before. */
static int output_read(int fd, const char *until, char *text, size_t room, int timeout_ms)
{
        size_t len = 0;
        text[0] = '\0';
        uint64_t deadline = driver_clock_ns() + (uint64_t)timeout_ms * 1000000;
        while (len + 1 < room && driver_clock_ns() < deadline && !bench_is_interrupted()) {
                struct pollfd ready = {.fd = fd, .events = POLLIN};
                if (poll(&ready, 1, 100) <= 0)
                        continue;
                ssize_t n = read(fd, text + len, room - 1 - len);
                if (n <= 0)
                        return until || n < 0 ? -1 : 0;
                len += (size_t)n;
                text[len] = '\0';
                const char *found = until ? strstr(text, until) : NULL;
                if (found && strchr(found, '\n'))
                        return 0;
        }
        return -1;
}

/* Runs to the end and reads its one JSON object. NULL with `error` filled. */
static json_t *command_json(const char *const argv[], struct bench_error *error)
{
        char text[OUTPUT_BYTES];
        int fd = -1, status = 0;
        pid_t pid = child_start(argv, -1, NULL, &fd, error);
        if (pid < 0)
                return NULL;
        int rc = output_read(fd, NULL, text, sizeof(text), START_MS);
        close(fd);
        if (rc < 0)
                kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        if (rc < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
                bench_fail(error, BENCH_UNAVAILABLE, "`%s %s` failed (status %d)", argv[0], argv[1],
                           WIFEXITED(status) ? WEXITSTATUS(status) : -1);
                return NULL;
        }
        json_t *answer = json_loads(text, 0, NULL);
        if (!answer)
                bench_fail(error, BENCH_UNAVAILABLE, "`%s %s` did not print JSON", argv[0], argv[1]);
        return answer;
}

static int keys_take(struct target *target, const json_t *keys, struct bench_error *error)
{
        const char *app = json_string_value(json_object_get(keys, "app"));
        const char *kid = json_string_value(json_object_get(keys, "kid"));
        const char *key = json_string_value(json_object_get(keys, "signing_key"));
        size_t len = key ? strlen(key) : 0;
        if (!app || !kid || len < 4 || len % 4 || len / 4 * 3 > sizeof(target->secret))
                return bench_fail(error, BENCH_UNAVAILABLE, "the keys lack app, kid or signing_key (base64)");
        int bytes = EVP_DecodeBlock(target->secret, (const unsigned char *)key, (int)len);
        if (bytes < 0)
                return bench_fail(error, BENCH_UNAVAILABLE, "signing_key is not base64");
        target->secret_len = (size_t)bytes - (key[len - 1] == '=') - (key[len - 2] == '=');
        snprintf(target->app, sizeof(target->app), "%s", app);
        snprintf(target->kid, sizeof(target->kid), "%s", kid);
        return 0;
}

static int agents_add(const struct target_options *options, struct target *target, const char *data,
                      struct bench_error *error)
{
        struct progress progress;
        progress_init(&progress, "agents", options->agents);
        target->agent_tokens = calloc(options->agents + 1, sizeof(*target->agent_tokens));
        if (!target->agent_tokens)
                return bench_fail(error, BENCH_SOFTWARE, "out of memory");
        while (target->agent_count < options->agents && !error->exit_code) {
                char name[32];
                snprintf(name, sizeof(name), "Bench %05u", target->agent_count + 1);
                const char *argv[] = {options->program, "agent", "add",       "--data", data,
                                      "--name",         name,    "--session", "--json", NULL};
                json_t *made = command_json(argv, error);
                const char *token = json_string_value(json_object_get(made, "token"));
                if (token && (target->agent_tokens[target->agent_count] = strdup(token)))
                        target->agent_count++;
                else
                        bench_fail(error, BENCH_UNAVAILABLE, "`deskbell agent add --session` gave no token");
                json_decref(made);
                progress_show(&progress, target->agent_count);
        }
        progress_done(&progress);
        return error->exit_code ? -1 : 0;
}

/* A port that is free now, for /metrics. */
static void metrics_choose(struct target *target)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0 &&
            getsockname(fd, (struct sockaddr *)&address, &len) == 0)
                snprintf(target->metrics_address, sizeof(target->metrics_address), "127.0.0.1:%u",
                         ntohs(address.sin_port));
        if (fd >= 0)
                close(fd);
}

static int listening_wait(struct target *target, const char *who, const char *log_path, struct bench_error *error)
{
        static const char line[] = "listening on ";
        char text[OUTPUT_BYTES];
        if (output_read(target->out, line, text, sizeof(text), START_MS) < 0) {
                target->is_kept = target->is_kept || !bench_is_interrupted();
                return bench_fail(error, BENCH_UNAVAILABLE, "%s did not say where it listens; see %s", who, log_path);
        }
        const char *at = strstr(text, line) + sizeof(line) - 1;
        size_t len = strcspn(at, " \r\n");
        snprintf(target->address, sizeof(target->address), "%.*s", (int)(len < 63 ? len : 63), at);
        return 0;
}

static int server_start(const struct target_options *options, struct target *target, struct bench_error *error)
{
        char data[300], log_path[300];
        snprintf(data, sizeof(data), "%s/data", target->dir);
        snprintf(log_path, sizeof(log_path), "%s/server.log", target->dir);
        metrics_choose(target);
        lift_limits(options, target);

        const char *init[] = {options->program, "init", "--data", data, "--json", NULL};
        json_t *keys = command_json(init, error);
        int rc = keys ? keys_take(target, keys, error) : -1;
        json_decref(keys);
        if (rc < 0 || agents_add(options, target, data, error) < 0)
                return -1;

        const char *serve[] = {options->program, "serve", "--data", data, "--listen", "127.0.0.1:0", NULL};
        target->pid = child_start(serve, options->server_cpu, log_path, &target->out, error);
        target->is_child = target->pid > 0;
        return target->is_child ? listening_wait(target, "the server", log_path, error) : -1;
}

static int floor_start(const struct target_options *options, struct target *target, struct bench_error *error)
{
        char log_path[300], err_path[300];
        snprintf(log_path, sizeof(log_path), "%s/floor.log", target->dir);
        snprintf(err_path, sizeof(err_path), "%s/floor.err", target->dir);
        const char *stored[] = {options->floor, "--log", log_path, NULL};
        const char *unstored[] = {options->floor, "--no-store", NULL};
        target->is_plain = true;
        target->pid = child_start(options->floor_no_store ? unstored : stored, options->server_cpu, err_path,
                                  &target->out, error);
        target->is_child = target->pid > 0;
        return target->is_child ? listening_wait(target, "the floor", err_path, error) : -1;
}

static int url_take(const struct target_options *options, struct target *target, struct bench_error *error)
{
        const char *at = options->url;
        if (strncmp(at, "ws://", 5) != 0)
                return bench_fail(error, BENCH_USAGE, "--url has to begin with ws://");
        at += 5;
        size_t len = strcspn(at, "/");
        if (len >= sizeof(target->address))
                return bench_fail(error, BENCH_USAGE, "--url is too long");
        memcpy(target->address, at, len);
        target->pid = options->pid;

        json_t *keys = json_load_file(options->keys_path, 0, NULL);
        if (!keys)
                return bench_fail(error, BENCH_USAGE, "%s cannot be read as JSON", options->keys_path);
        int rc = keys_take(target, keys, error);
        json_decref(keys);
        return rc < 0 ? rc : agents_add(options, target, options->data, error);
}

int target_start(const struct target_options *options, struct target *target, struct bench_error *error)
{
        target->out = -1;
        target->is_kept = options->is_kept;
        if (options->url && !options->floor)
                return url_take(options, target, error);
        const char *program = options->floor ? options->floor : options->program;
        if (strchr(program, '/') && access(program, X_OK) < 0)
                return bench_fail(error, BENCH_UNAVAILABLE, "%s cannot be run: %s", program, strerror(errno));
        snprintf(target->dir, sizeof(target->dir), "%s/deskbell-bench-XXXXXX", options->parent_dir);
        if (!mkdtemp(target->dir)) {
                target->dir[0] = '\0';
                return bench_fail(error, BENCH_CANNOT_CREATE, "a folder in %s: %s", options->parent_dir,
                                  strerror(errno));
        }
        return options->floor ? floor_start(options, target, error) : server_start(options, target, error);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
        (void)info;
        (void)type;
        (void)where;
        return remove(path);
}

/* Returns the wait status. */
static int child_end(pid_t pid)
{
        int status = 0;
        kill(pid, SIGTERM);
        for (int waited_ms = 0; waited_ms < STOP_MS; waited_ms += 10) {
                if (waitpid(pid, &status, WNOHANG) == pid)
                        return status;
                nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        }
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        return status;
}

/* After a failure the server's folder is evidence: it stays, and the error says where. */
static void keep_evidence(struct target *target, struct bench_error *error)
{
        bool is_evidence = error->exit_code == BENCH_UNAVAILABLE || error->exit_code == BENCH_UNACCOUNTED;
        if (!is_evidence || target->is_plain || !target->is_child || target->is_kept)
                return;
        size_t len = strlen(error->text);
        target->is_kept = true;
        snprintf(error->text + len, sizeof(error->text) - len, "; its log and data are left in %s", target->dir);
}

int target_stop(struct target *target, struct bench_error *error)
{
        keep_evidence(target, error);
        if (target->is_child) {
                int status = child_end(target->pid);
                bool is_clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
                target->is_child = false;
                if (!is_clean && !bench_is_interrupted() && !error->exit_code) {
                        target->is_kept = true;
                        bench_fail(error, BENCH_UNAVAILABLE, "%s ended with %s %d when it was told to stop; see %s",
                                   target->is_plain ? "the floor" : "the server",
                                   WIFEXITED(status) ? "status" : "signal",
                                   WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), target->dir);
                }
        }
        if (target->out >= 0)
                close(target->out);
        target->out = -1;
        if (target->dir[0] && !target->is_kept)
                nftw(target->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        target->dir[0] = '\0';
        for (uint32_t i = 0; i < target->agent_count; i++)
                free(target->agent_tokens[i]);
        free(target->agent_tokens);
        target->agent_tokens = NULL;
        target->agent_count = 0;
        return error->exit_code ? -1 : 0;
}

char *target_customer_token(const struct target *target, const char *prefix, uint32_t number)
{
        if (target->is_plain)
                return strdup("floor");
        char subject[64];
        snprintf(subject, sizeof(subject), "%s-%u", prefix, number);
        int64_t now_s = (int64_t)time(NULL);
        struct span secret = {(const char *)target->secret, target->secret_len};
        return jwt_make_hs256(secret, target->kid, target->app, subject, NULL, now_s, now_s + 12 * 3600);
}
