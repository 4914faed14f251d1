/* SPDX-License-Identifier: Apache-2.0 */
/* In a game's loop: one call a frame, which costs next to nothing when nothing happened. The window's title tells what
 * came. Any key asks for help; closing the window, or SIGTERM, ends it. Usage: with_sdl URL APP TOKEN FOLDER */
#include "talk.h"

#include <SDL.h>
#include <stdio.h>

enum { FRAME_MS = 16 };

static void show_unread(SDL_Window *window, deskbell_client *client)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;
        char title[64];

        if (deskbell_status(client, &status) != DESKBELL_OK)
                return;
        snprintf(title, sizeof(title), "Game (%s, %lld unread)", status.is_online ? "online" : "offline",
                 (long long)status.unread);
        SDL_SetWindowTitle(window, title);
}

int main(int argc, char **argv)
{
        char call[] = "I need help in this level.";
        struct talk talk;
        SDL_Event event;
        int is_over = 0;

        if (talk_open(&talk, argc, argv))
                return 1;
        if (SDL_Init(SDL_INIT_VIDEO) != 0) {
                fprintf(stderr, "with_sdl: %s\n", SDL_GetError());
                talk_close(&talk);
                return 1;
        }
        SDL_Window *window = SDL_CreateWindow("Game", 0, 0, 320, 200, 0);
        talk_send(&talk, call);
        while (window && !is_over) {
                while (SDL_PollEvent(&event)) {
                        is_over |= event.type == SDL_QUIT;
                        if (event.type == SDL_KEYDOWN)
                                talk_send(&talk, call);
                }
                if (deskbell_dispatch(talk.client, 0) > 0)
                        show_unread(window, talk.client);
                SDL_Delay(FRAME_MS); /* here the game draws */
        }
        if (window)
                SDL_DestroyWindow(window);
        SDL_Quit();
        talk_close(&talk);
        return 0;
}
