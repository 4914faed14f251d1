/* SPDX-License-Identifier: Apache-2.0 */
/* In a libuv loop: the client's descriptor is one more handle. Usage: with_libuv URL APP TOKEN FOLDER */
#include "talk.h"

#include <stdio.h>
#include <uv.h>

struct app {
        struct talk talk;
        uv_poll_t events, lines;
};

static void on_deskbell(uv_poll_t *handle, int status, int events)
{
        struct app *app = handle->data;

        (void)status;
        (void)events;
        deskbell_dispatch(app->talk.client, 0);
}

static void on_line(uv_poll_t *handle, int status, int events)
{
        struct app *app = handle->data;
        char line[4096];

        (void)status;
        (void)events;
        if (fgets(line, sizeof(line), stdin)) {
                talk_send(&app->talk, line);
                return;
        }
        uv_close((uv_handle_t *)&app->events, NULL); /* with no handle left the loop ends */
        uv_close((uv_handle_t *)&app->lines, NULL);
}

int main(int argc, char **argv)
{
        uv_loop_t *loop = uv_default_loop();
        struct app app;

        if (talk_open(&app.talk, argc, argv))
                return 1;
        setvbuf(stdin, NULL, _IONBF, 0); /* what stdio had read ahead, the loop would not see */
        app.events.data = app.lines.data = &app;
        uv_poll_init(loop, &app.events, deskbell_fd(app.talk.client));
        uv_poll_init(loop, &app.lines, 0);
        uv_poll_start(&app.events, UV_READABLE, on_deskbell);
        uv_poll_start(&app.lines, UV_READABLE, on_line);
        uv_run(loop, UV_RUN_DEFAULT);
        talk_close(&app.talk);
        uv_loop_close(loop);
        return 0;
}
