/* SPDX-License-Identifier: Apache-2.0 */
/* One thread and poll(2): the terminal and the client side by side. Usage: poll_loop URL APP TOKEN FOLDER */
#include "talk.h"

#include <poll.h>
#include <stdio.h>

int main(int argc, char **argv)
{
        struct talk talk;
        char line[4096];

        if (talk_open(&talk, argc, argv))
                return 1;
        setvbuf(stdin, NULL, _IONBF, 0); /* what stdio had read ahead, poll would not see */
        struct pollfd watched[] = {{0, POLLIN, 0}, {deskbell_fd(talk.client), POLLIN, 0}};
        while (poll(watched, 2, -1) > 0) {
                if (watched[1].revents)
                        deskbell_dispatch(talk.client, 0);
                if (!watched[0].revents)
                        continue;
                if (!fgets(line, sizeof(line), stdin))
                        break;
                talk_send(&talk, line);
        }
        talk_close(&talk);
        return 0;
}
