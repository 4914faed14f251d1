/* SPDX-License-Identifier: Apache-2.0 */
/* Each test gives something up for good, so each runs in a child. */
#include "tests/unit/ops/cmocka_all.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "ops/files.h"
#include "ops/log.h"
#include "ops/sandbox.h"
#include "ops/sandbox_private.h"
#include "tests/unit/ops/tmpdir.h"

static char *dir;

static void drop_line(void *data, const char *line, size_t len)
{
        (void)data;
        (void)line;
        (void)len;
}

static int set_up(void **state)
{
        (void)state;
        log_set_sink(drop_line, NULL);
        dir = tmpdir_make();
        return dir ? 0 : -1;
}

static int tear_down(void **state)
{
        (void)state;
        tmpdir_drop(dir);
        return 0;
}

/* 0 = all well; else the line that was not. */
static int in_child(int (*body)(void))
{
        int status;
        pid_t child = fork();

        if (child == 0)
                _exit(body());
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

#define CHECK(condition)                                                                                               \
        do {                                                                                                           \
                if (!(condition))                                                                                      \
                        return __LINE__ & 0xff ? __LINE__ & 0xff : 1;                                                  \
        } while (0)

static int early(void)
{
        struct rlimit limit;

        umask(0);
        sandbox_early();
        CHECK(umask(0) == 077);
        CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
        CHECK(SANDBOX_IS_CHECKED_BUILD || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
        CHECK(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0);
        CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == limit.rlim_max);
        return 0;
}

static void an_early_call_closes_umask_core_and_privileges(void **state)
{
        (void)state;
        assert_int_equal(in_child(early), 0);
}

static int drop(void)
{
        char *why = NULL;

        sandbox_early();
        CHECK(chown(dir, 65534, 65534) == 0);
        CHECK(sandbox_drop_root(dir, &why) == 0);
        CHECK(getuid() == 65534 && geteuid() == 65534 && getgid() == 65534);
        CHECK(setuid(0) < 0);
        CHECK(SANDBOX_IS_CHECKED_BUILD || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
        CHECK(files_replace(dir, "f", SPAN("x")) == 0);
        return 0;
}

/* A port below 1024 can be bound between giving up root and entering the sandbox, and not after. */
static bool can_bind_low_port(void)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        bool is_denied = false, is_bound = false;

        for (uint16_t port = 1023; port > 1000 && !is_bound; port--) {
                int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                address.sin_port = htons(port);
                is_bound = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
                is_denied = is_denied || (!is_bound && errno == EACCES);
                close(fd);
        }
        return is_bound && !is_denied;
}

static int low_ports(void)
{
        const char *mine[] = {dir, NULL};
        char *why = NULL;

        sandbox_early();
        CHECK(chown(dir, 65534, 65534) == 0);
        CHECK(sandbox_drop_root(dir, &why) == 0);
        CHECK(can_bind_low_port());
        CHECK(chown(dir, 0, 0) < 0);
        sandbox_enter(&(struct sandbox_paths){.read_write = mine});
        CHECK(!can_bind_low_port());
        return 0;
}

static void low_ports_can_be_bound_until_the_sandbox_is_entered(void **state)
{
        FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
        int start = 1024;
        (void)state;

        if (file && fscanf(file, "%d", &start) != 1)
                start = 1024;
        if (file)
                fclose(file);
        if (geteuid() != 0 || start < 1024)
                skip();
        assert_int_equal(in_child(low_ports), 0);
}

static int keep_root(void)
{
        char *why = NULL;

        CHECK(sandbox_drop_root(dir, &why) == 0);
        CHECK(geteuid() == 0);
        CHECK(files_replace(dir, "f", SPAN("x")) == 0);
        CHECK(chown(dir, 65534, 65534) < 0 && errno == EPERM); /* needs a capability */
        return 0;
}

static void root_becomes_the_owner_of_the_folder(void **state)
{
        (void)state;
        if (geteuid() != 0)
                skip();
        assert_int_equal(in_child(drop), 0);
}

static void root_in_a_folder_of_its_own_keeps_no_capability(void **state)
{
        (void)state;
        if (geteuid() != 0)
                skip();
        assert_int_equal(in_child(keep_root), 0);
}

static void a_fresh_folder_of_root_is_given_to_somebody_who_can_reach_it(void **state)
{
        struct stat st;
        (void)state;
        if (geteuid() != 0)
                skip();
        assert_int_equal(sandbox_give_away(dir), 0);
        assert_int_equal(stat(dir, &st), 0);
        assert_int_not_equal(st.st_uid, 0);

        /* Behind a folder that is closed to them it stays root's. */
        char *closed = files_path(dir, "closed"), *inner = files_path(dir, "closed/inner");
        assert_int_equal(mkdir(closed, 0700), 0);
        assert_int_equal(mkdir(inner, 0700), 0);
        assert_int_equal(sandbox_give_away(inner), 0);
        assert_int_equal(stat(inner, &st), 0);
        assert_int_equal(st.st_uid, 0);
        free(closed);
        free(inner);
}

static bool is_active(const char *layer)
{
        const char *detail;

        return strcmp(layer, "seccomp") == 0
                       ? sandbox_seccomp(&detail)
                       : sandbox_landlock(&(struct sandbox_paths){.read_write = NULL}, NULL, &detail);
}

static int has_landlock(void)
{
        return is_active("landlock");
}

static int kept_file(void)
{
        const char *mine[] = {NULL};
        char *path = files_path(dir, "cert.pem"), text[8];
        const char *kept[] = {path, NULL}, *detail;
        size_t len;

        sandbox_early();
        CHECK(files_replace(dir, "cert.pem", SPAN("old")) == 0);
        int fds[2];
        CHECK(pipe(fds) == 0);
        pid_t outside = fork();
        if (outside == 0) {
                char go;
                CHECK(read(fds[0], &go, 1) == 1);
                _exit(files_replace(dir, "cert.pem", SPAN("new")) == 0 ? 0 : 1);
        }
        CHECK(sandbox_landlock(&(struct sandbox_paths){.read_write = mine}, kept, &detail));
        CHECK(files_replace(dir, "cert.pem", SPAN("no")) == -EACCES);
        int status;
        CHECK(write(fds[1], "x", 1) == 1 && waitpid(outside, &status, 0) == outside && status == 0);
        CHECK(files_read(NULL, path, text, sizeof(text), &len) == 0 && len == 3 && memcmp(text, "new", 3) == 0);
        return 0;
}

static void a_certificate_that_was_replaced_by_a_rename_can_still_be_read(void **state)
{
        (void)state;
        if (!in_child(has_landlock))
                skip();
        assert_int_equal(in_child(kept_file), 0);
}

static int files_only(void)
{
        const char *mine[] = {dir, NULL};
        const char *detail, *names[] = {"a", "b"};
        char *path = files_path(dir, "moved"), *from = files_path(dir, "a");

        sandbox_early();
        CHECK(sandbox_landlock(&(struct sandbox_paths){.read_write = mine}, NULL, &detail));
        for (int i = 0; i < 2; i++)
                CHECK(files_replace(dir, names[i], SPAN("x")) == 0);
        CHECK(rename(from, path) == 0);
        CHECK(unlink(path) == 0);
        CHECK(open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES);
        CHECK(open("/tmp/deskbell-outside", O_CREAT | O_WRONLY | O_CLOEXEC, 0600) < 0 && errno == EACCES);
        CHECK(open("/etc/resolv.conf", O_WRONLY | O_CLOEXEC) < 0);
        CHECK(open("/dev/urandom", O_RDONLY | O_CLOEXEC) >= 0);
        return 0;
}

static void files_outside_the_data_folder_are_out_of_reach(void **state)
{
        (void)state;
        if (!in_child(has_landlock))
                skip();
        assert_int_equal(in_child(files_only), 0);
}

static int has_seccomp(void)
{
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        return is_active("seccomp");
}

static int no_exec(void)
{
        static char program[] = "/bin/true";
        char *argv[] = {program, NULL};
        const char *detail;

        sandbox_early();
        CHECK(sandbox_seccomp(&detail));
        CHECK(execv(program, argv) < 0 && errno == EPERM);
        CHECK(files_replace(dir, "f", SPAN("x")) == 0);
        pid_t child = fork();
        if (child == 0)
                _exit(execv(program, argv) < 0 && errno == EPERM ? 0 : 1);
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
        return 0;
}

static void programs_can_no_longer_be_started(void **state)
{
        (void)state;
        if (!in_child(has_seccomp))
                skip();
        assert_int_equal(in_child(no_exec), 0);
}

static int count_layers;

static void count(void *data, const char *layer, bool active, const char *detail)
{
        (void)data;
        (void)active;
        count_layers += *layer && *detail;
}

static int report(void)
{
        const char *mine[] = {dir, NULL};

        sandbox_early();
        sandbox_enter(&(struct sandbox_paths){.read_write = mine});
        sandbox_report(count, NULL);
        CHECK(count_layers == 6);
        return 0;
}

static void every_layer_is_reported(void **state)
{
        (void)state;
        assert_int_equal(in_child(report), 0);
}

#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_DIR(an_early_call_closes_umask_core_and_privileges),
                WITH_DIR(root_becomes_the_owner_of_the_folder),
                WITH_DIR(low_ports_can_be_bound_until_the_sandbox_is_entered),
                WITH_DIR(root_in_a_folder_of_its_own_keeps_no_capability),
                WITH_DIR(a_fresh_folder_of_root_is_given_to_somebody_who_can_reach_it),
                WITH_DIR(files_outside_the_data_folder_are_out_of_reach),
                WITH_DIR(a_certificate_that_was_replaced_by_a_rename_can_still_be_read),
                WITH_DIR(programs_can_no_longer_be_started),
                WITH_DIR(every_layer_is_reported),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
