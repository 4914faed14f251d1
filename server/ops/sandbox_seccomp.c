/* SPDX-License-Identifier: Apache-2.0 */
/* Seccomp: system calls that a running server never makes, and that somebody who got in would want, fail with EPERM. A
 * list of what is denied, not of what is allowed: the C library of tomorrow may use other calls than that of today. */
#include "ops/sandbox_private.h"

#ifdef OPS_HAVE_SECCOMP
#include <errno.h>
#include <seccomp.h>
#include <stddef.h>

static const char *const denied[] = {
        "execve",
        "execveat",
        "ptrace",
        "process_vm_readv",
        "process_vm_writev",
        "mount",
        "umount2",
        "move_mount",
        "open_tree",
        "fsopen",
        "fsmount",
        "fsconfig",
        "fspick",
        "mount_setattr",
        "pivot_root",
        "chroot",
        "bpf",
        "keyctl",
        "add_key",
        "request_key",
        "perf_event_open",
        "userfaultfd",
        "kexec_load",
        "kexec_file_load",
        "init_module",
        "finit_module",
        "delete_module",
        "reboot",
        "swapon",
        "swapoff",
        "unshare",
        "setns",
        "acct",
        "open_by_handle_at",
        "io_uring_setup",
        "io_uring_enter",
        "io_uring_register",
        "settimeofday",
        "clock_settime",
        "adjtimex",
        "sethostname",
        "setdomainname",
};

static int fill(scmp_filter_ctx filter)
{
        for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++) {
                int number = seccomp_syscall_resolve_name(denied[i]);
                if (number == __NR_SCMP_ERROR)
                        continue; /* not known to this libseccomp: not known to the C library either */
                int rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
                if (rc < 0)
                        return rc;
        }
        return seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
}

bool sandbox_seccomp(const char **out_detail)
{
        if (SANDBOX_IS_CHECKED_BUILD) {
                *out_detail = "left out of builds for checkers";
                return false;
        }
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        bool is_active = filter && fill(filter) == 0 && seccomp_load(filter) == 0;

        if (filter)
                seccomp_release(filter);
        *out_detail =
                is_active ? "no exec, ptrace, mount, bpf, keyctl and their like" : "not available on this machine";
        return is_active;
}
#else
bool sandbox_seccomp(const char **out_detail)
{
        *out_detail = "this program was built without libseccomp";
        return false;
}
#endif
