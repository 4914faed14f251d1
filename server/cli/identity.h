/* SPDX-License-Identifier: Apache-2.0 */
/* Identity: root works in a data folder as the owner of that folder, so that no file in it ends up as root's and the
 * server, which does not run as root, can still use them. Others stay who they are. One thread. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct identity {
        uid_t uid;
        gid_t gid;
        bool is_borrowed;
};

/* EX_OK, or an exit code with the reason printed; *out_before is for identity_return in every case. */
int identity_borrow(const char *dir, struct identity *out_before);
void identity_return(const struct identity *before);
