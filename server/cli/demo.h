/* SPDX-License-Identifier: Apache-2.0 */
/* Demo: who and what is in it, shared by the command and by those who talk in it. */
#pragma once

#include <sys/types.h>

#include "cli/folder.h"

enum { DEMO_AGENTS = 2, DEMO_CUSTOMERS = 3 };

struct demo {
        char dir[512];
        bool is_temporary;
        int tickets; /* of the past */
        struct folder folder;
        char agents[DEMO_AGENTS][SECRET_TEXT];         /* session tokens */
        char *customers[DEMO_CUSTOMERS];               /* user tokens, malloc'd */
        char url[128];                                 /* ws://HOST:PORT/v1/ws */
        char conversations[DEMO_CUSTOMERS][FOLDER_ID]; /* known once they have talked */
        char *guest;                                   /* user token of a customer who has not written yet, malloc'd */
        char bot[FOLDER_ID], shop_url[64];
        pid_t shop; /* answers what the bot calls; 0 = none */
};

/* Plays the conversations through the client SDK against the running server. EX_OK, or an exit code with the reason
 * printed. Starts threads and ends them. */
int demo_talk(struct demo *demo);

/* The bot of the shop pack, learned and published, still off; before the server starts. */
int demo_bot_make(struct demo *demo);
int demo_bot_start(
        struct demo *demo); /* on, its calls go to shop_url; while the server runs, which allows that address */

/* A child that is the shop's back end, on a port of its own; shop_url and shop are set. */
int demo_shop_start(struct demo *demo);
void demo_shop_stop(struct demo *demo);

/* The customers' ids in the app. */
extern const char *const demo_users[DEMO_CUSTOMERS];
extern const char *const demo_names[DEMO_CUSTOMERS];
