/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock: the process sees the files it needs and no others: its data to read and write, certificates and what the
 * system's libraries read. From ABI 4 on also which TCP ports may be connected to. The kernel's structures are spelled
 * out here because Debian 12's headers end at ABI 2. */
#include "ops/sandbox_private.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ACCESS_READ     (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_FILE     (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE)
#define ACCESS_ALL_1    ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)
#define ACCESS_REFER    (UINT64_C(1) << 13) /* ABI 2 */
#define ACCESS_TRUNCATE (UINT64_C(1) << 14) /* ABI 3 */
#define NET_CONNECT_TCP (UINT64_C(1) << 1)  /* ABI 4 */

enum { RULE_PATH = 1, RULE_PORT = 2 };

struct ruleset {
        uint64_t fs;
        uint64_t net;
};

struct port_rule {
        uint64_t access;
        uint64_t port;
};

/* What libraries read after the start: name look-up, time zones, trusted certificates, random, own state. */
static const char *const system_paths[] = {
        "/etc/resolv.conf",
        "/etc/hosts",
        "/etc/nsswitch.conf",
        "/etc/host.conf",
        "/etc/gai.conf",
        "/etc/ssl",
        "/etc/localtime",
        "/usr/share/zoneinfo",
        "/usr/share/ca-certificates",
        "/usr/lib",
        "/lib",
        "/lib64",
        "/run/systemd/resolve",
        "/dev/null",
        "/dev/urandom",
        "/proc/self",
        "/proc/meminfo",
        "/proc/sys",
        "/sys/devices/system/cpu",
        NULL,
};

static void allow_path(int ruleset, const char *path, uint64_t access)
{
        struct landlock_path_beneath_attr rule = {.allowed_access = access};
        struct stat st;

        rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
        if (rule.parent_fd < 0)
                return; /* what is not there needs no permission */
        if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
                rule.allowed_access &= ACCESS_FILE;
        syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &rule, 0);
        close(rule.parent_fd);
}

static void allow_paths(int ruleset, const char *const *paths, uint64_t access)
{
        for (; paths && *paths; paths++)
                allow_path(ruleset, *paths, access);
}

/* The folder of a file: a certificate is replaced by a rename, and permission would stay with the old one. */
static void allow_beside(int ruleset, const char *const *paths)
{
        for (; paths && *paths; paths++) {
                char folder[PATH_MAX];
                struct stat st;
                if (stat(*paths, &st) == 0 && S_ISDIR(st.st_mode)) {
                        allow_path(ruleset, *paths, ACCESS_READ);
                        continue;
                }
                if (snprintf(folder, sizeof(folder), "%s", *paths) >= (int)sizeof(folder))
                        continue;
                allow_path(ruleset, dirname(folder), ACCESS_READ);
                /* Where the path is a link, as certbot's are, also the folder it leads to. */
                char *real = realpath(*paths, NULL);
                if (real)
                        allow_path(ruleset, dirname(real), ACCESS_READ);
                free(real);
        }
}

static void allow_ports(int ruleset, const int *ports)
{
        for (; ports && *ports; ports++) {
                struct port_rule rule = {.access = NET_CONNECT_TCP, .port = (uint64_t)*ports};
                syscall(SYS_landlock_add_rule, ruleset, RULE_PORT, &rule, 0);
        }
}

static struct ruleset wanted(long abi, const struct sandbox_paths *paths)
{
        struct ruleset ruleset = {.fs = ACCESS_ALL_1};

        if (abi >= 2)
                ruleset.fs |= ACCESS_REFER;
        if (abi >= 3)
                ruleset.fs |= ACCESS_TRUNCATE;
        if (abi >= 4 && paths->connect_ports)
                ruleset.net = NET_CONNECT_TCP;
        return ruleset;
}

bool sandbox_landlock(const struct sandbox_paths *paths, const char *const *kept, const char **out_detail)
{
        long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
        if (abi < 1) {
                *out_detail = "this kernel does not have it";
                return false;
        }
        struct ruleset ruleset = wanted(abi, paths);
        size_t size = abi >= 4 ? sizeof(ruleset) : sizeof(ruleset.fs);
        int fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
        if (fd < 0) {
                *out_detail = "refused by this kernel";
                return false;
        }
        allow_paths(fd, paths->read_write, ruleset.fs & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE);
        allow_beside(fd, paths->read_only);
        allow_beside(fd, kept);
        allow_paths(fd, system_paths, ACCESS_READ);
        allow_ports(fd, ruleset.net ? paths->connect_ports : NULL);
        bool is_active = syscall(SYS_landlock_restrict_self, fd, 0) == 0;
        close(fd);
        *out_detail = !is_active ? "refused by this kernel" : ruleset.net ? "files and outgoing ports" : "files";
        return is_active;
}
