/* SPDX-License-Identifier: Apache-2.0 */
/* Folder: makes a data folder ready for use: the folder, the store, one app with a signing key, the first agent with an
 * invitation and a session. Used by init, by serve when it finds nothing, and by demo. */
#pragma once

#include <stdbool.h>

#include "cli/secrets.h"

struct folder_options {
        const char *dir;
        const char *app_name, *agent_name;
        const char *public_url; /* base of the invitation link; NULL = as configured for that folder */
};

enum { FOLDER_ID = 24, FOLDER_LINK = 512 };

/* What the operator has to be told once. Secrets: folder_forget when done. */
struct folder {
        char workspace[FOLDER_ID], app[FOLDER_ID], agent[FOLDER_ID];
        char kid[16];
        char signing_key[SECRET_KEY_TEXT];
        char agent_token[SECRET_TEXT];
        char invite_link[FOLDER_LINK];
};

/* The folder is made (0700) when it is missing; one that holds a store is refused. Exit code, printed when not 0:
 * EX_CANTCREAT, or what the store answered. */
int folder_make(const struct folder_options *options, struct folder *out_folder);
void folder_forget(struct folder *folder);

bool folder_has_store(const char *dir);

/* "<base>/invite#<secret>"; the secret stands behind the #, where no server and no log sees it. `base` NULL = as
 * configured for the data folder. */
void folder_invite_link(const char *dir, const char *base, const char *secret, char out_link[FOLDER_LINK]);

/* malloc'd path of the configuration file to read: `said`, else $DESKBELL_CONFIG, else DIR/deskbell.ini when it is
 * there, else NULL. */
char *folder_config(const char *dir, const char *said);

/* A session for an agent: makes the token, tells the server its hash. Exit code. */
struct console;
int folder_agent_session(struct console *console, const char *agent, const char *label, char out_token[SECRET_TEXT]);
