/* SPDX-License-Identifier: Apache-2.0 */
/* What both ends of the control socket share. */
#pragma once

#include <sys/un.h>

/* Address of DIR/control.sock that fits whatever the length of DIR: it goes through an open descriptor of the folder,
 * which the caller closes after bind or connect. Descriptor, or a negative errno. */
int control_address(const char *dir, struct sockaddr_un *out_address);
