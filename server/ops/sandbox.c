/* SPDX-License-Identifier: Apache-2.0 */
/* Sandbox: see sandbox.h. Which layers are active is kept in one table, written before other threads exist. */
#include "ops/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ops/log.h"
#include "ops/sandbox_private.h"

/* Until sandbox_enter: ports below 1024, and a private key that only root may read. */
#define START_CAPABILITIES (UINT64_C(1) << CAP_NET_BIND_SERVICE | UINT64_C(1) << CAP_DAC_READ_SEARCH)

enum { KEPT_FILES = 8 };

static const char *kept_files[KEPT_FILES + 1];
static int kept_count;

static const struct log log_sandbox = {.area = "sandbox"};

enum layer { LAYER_CORE, LAYER_PRIVILEGES, LAYER_USER, LAYER_FILES, LAYER_LANDLOCK, LAYER_SECCOMP, LAYER_COUNT };

static struct {
        const char *name;
        bool is_active;
        const char *detail;
} layers[LAYER_COUNT] = {
        [LAYER_CORE] = {"core", false, "not asked for"},
        [LAYER_PRIVILEGES] = {"privileges", false, "not asked for"},
        [LAYER_USER] = {"user", true, "not root"},
        [LAYER_FILES] = {"files", false, "not asked for"},
        [LAYER_LANDLOCK] = {"landlock", false, "not asked for"},
        [LAYER_SECCOMP] = {"seccomp", false, "not asked for"},
};

static void note(enum layer layer, bool is_active, const char *detail)
{
        layers[layer].is_active = is_active;
        layers[layer].detail = detail;
        if (!is_active)
                log_warn(&log_sandbox, "a layer of protection is missing", "layer", layers[layer].name, "why", detail);
}

void sandbox_early(void)
{
        struct rlimit core = {0, 0}, files;

        umask(077);
        signal(SIGPIPE, SIG_IGN);
        note(LAYER_FILES, true, "umask 077");
        bool has_nnp = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
        note(LAYER_PRIVILEGES, has_nnp, has_nnp ? "no new privileges" : "refused by this kernel");
        bool has_no_core = setrlimit(RLIMIT_CORE, &core) == 0;
        if (!SANDBOX_IS_CHECKED_BUILD)
                has_no_core = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && has_no_core;
        note(LAYER_CORE, has_no_core, has_no_core ? "no core file, memory closed to others" : "refused by this kernel");

        if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
                files.rlim_cur = files.rlim_max;
                setrlimit(RLIMIT_NOFILE, &files);
        }
}

static int set_capabilities(uint64_t wanted)
{
        struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[2] = {
                {.effective = (uint32_t)wanted, .permitted = (uint32_t)wanted},
                {.effective = (uint32_t)(wanted >> 32), .permitted = (uint32_t)(wanted >> 32)},
        };

        return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

/* No program started from here can ever have a capability. */
static int bound_capabilities(void)
{
        for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
                if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
                        return -errno;
        return 0;
}

static int become(uid_t uid, gid_t gid)
{
        if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0)
                return -errno;
        if (setresuid(uid, uid, uid) < 0)
                return -errno;
        if (setuid(0) == 0)
                return -EPERM; /* root could be had back */
        /* The change of user has made the process dumpable again. */
        if (!SANDBOX_IS_CHECKED_BUILD && layers[LAYER_CORE].is_active)
                prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        return 0;
}

int sandbox_drop_root(const char *dir, char **out_why)
{
        struct stat st;
        if (geteuid() != 0)
                return 0;
        int rc = stat(dir, &st) < 0 ? -errno : bound_capabilities();
        if (rc == 0 && st.st_uid != 0)
                rc = become(st.st_uid, st.st_gid);
        if (rc == 0)
                rc = set_capabilities(START_CAPABILITIES);
        if (rc < 0) {
                if (out_why && asprintf(out_why, "%s: cannot give up being root: %s", dir, strerror(-rc)) < 0)
                        *out_why = NULL;
                return rc;
        }
        if (st.st_uid == 0)
                note(LAYER_USER, false, "root without capabilities, because the data folder is root's");
        else
                note(LAYER_USER, true, "the owner of the data folder");
        return 0;
}

/* Tried out by a child that becomes the user. */
static bool can_reach(const char *dir, uid_t uid, gid_t gid)
{
        int status;
        pid_t child = fork();

        if (child == 0) {
                bool ok = setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0;
                _exit(ok && access(dir, F_OK) == 0 ? 0 : 1);
        }
        return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int parent_owner(const char *dir, uid_t *out_uid, gid_t *out_gid)
{
        char *parent = NULL;
        struct stat st;

        if (asprintf(&parent, "%s/..", dir) < 0)
                return -ENOMEM;
        int rc = stat(parent, &st) < 0 ? -errno : 0;
        free(parent);
        if (rc == 0) {
                *out_uid = st.st_uid;
                *out_gid = st.st_gid;
        }
        return rc;
}

int sandbox_give_away(const char *dir)
{
        uid_t uid = 0;
        gid_t gid = 0;
        if (geteuid() != 0)
                return 0;
        int rc = parent_owner(dir, &uid, &gid);
        if (rc < 0)
                return rc;
        if (uid == 0) {
                const struct passwd *user = getpwnam("deskbell");
                if (!user)
                        user = getpwnam("nobody");
                if (!user)
                        return 0;
                uid = user->pw_uid;
                gid = user->pw_gid;
        }
        if (!can_reach(dir, uid, gid))
                return 0;
        return chown(dir, uid, gid) < 0 ? -errno : 0;
}

void sandbox_keep_readable(const char *path)
{
        if (kept_count < KEPT_FILES)
                kept_files[kept_count++] = path;
}

void sandbox_enter(const struct sandbox_paths *paths)
{
        const char *detail;
        set_capabilities(0);
        bool is_active = sandbox_landlock(paths, kept_files, &detail);

        note(LAYER_LANDLOCK, is_active, detail);
        is_active = sandbox_seccomp(&detail);
        note(LAYER_SECCOMP, is_active, detail);
}

void sandbox_report(void (*say)(void *data, const char *layer, bool is_active, const char *detail), void *data)
{
        for (int i = 0; i < LAYER_COUNT; i++)
                say(data, layers[i].name, layers[i].is_active, layers[i].detail);
}
