/* SPDX-License-Identifier: Apache-2.0 */
/* What the examples of event loops have in common: a customer's conversation whose callbacks run in deskbell_dispatch,
 * on the thread of the loop. How a loop watches deskbell_fd is what each of them shows. */
#ifndef TALK_H
#define TALK_H

#include <deskbell/deskbell.h>

struct talk {
        deskbell_client *client;
        deskbell_conversation *conversation;
};

/* Opens and connects with the arguments URL APP TOKEN FOLDER. 0; or 1, told on stderr. */
int talk_open(struct talk *talk, int argc, char **argv);

/* Sends a line as typed; a newline at its end is taken off and an empty line is left out. */
void talk_send(struct talk *talk, char *line);

void talk_close(struct talk *talk);

#endif
