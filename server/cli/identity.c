/* SPDX-License-Identifier: Apache-2.0 */
/* Identity: see identity.h. */
#include "cli/identity.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

int identity_borrow(const char *dir, struct identity *out_before)
{
        struct stat st;

        *out_before = (struct identity){.uid = geteuid(), .gid = getegid()};
        if (stat(dir, &st) < 0)
                return cli_fail(errno == ENOENT ? EX_NOINPUT : EX_UNAVAILABLE, "%s: %s", dir, strerror(errno));
        if (!S_ISDIR(st.st_mode))
                return cli_fail(EX_NOINPUT, "%s: not a folder", dir);
        if (out_before->uid != 0 || st.st_uid == 0)
                return EX_OK;
        if (setegid(st.st_gid) < 0 || seteuid(st.st_uid) < 0)
                return cli_fail(EX_OSERR, "%s: cannot act as its owner: %s", dir, strerror(errno));
        out_before->is_borrowed = true;
        return EX_OK;
}

void identity_return(const struct identity *before)
{
        if (!before->is_borrowed)
                return;
        /* Back to root; should that fail, the process goes on with fewer rights, not with more. */
        if (seteuid(before->uid) < 0 || setegid(before->gid) < 0)
                cli_fail(EX_OSERR, "cannot be root again: %s", strerror(errno));
}
