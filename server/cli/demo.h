/* SPDX-License-Identifier: Apache-2.0 */
/* Demo: who and what is in it, shared by the command and by those who talk in it. */
#pragma once

#include "cli/folder.h"

enum { DEMO_AGENTS = 2, DEMO_CUSTOMERS = 3 };

struct demo {
        char dir[512];
        bool is_temporary;
        struct folder folder;
        char agents[DEMO_AGENTS][SECRET_TEXT];         /* session tokens */
        char *customers[DEMO_CUSTOMERS];               /* user tokens, malloc'd */
        char url[128];                                 /* ws://HOST:PORT/v1/ws */
        char conversations[DEMO_CUSTOMERS][FOLDER_ID]; /* known once they have talked */
};

/* Plays the conversations through the client SDK against the running server. EX_OK, or an exit code with the reason
 * printed. Starts threads and ends them. */
int demo_talk(struct demo *demo);

/* The customers' ids in the app. */
extern const char *const demo_users[DEMO_CUSTOMERS];
extern const char *const demo_names[DEMO_CUSTOMERS];
