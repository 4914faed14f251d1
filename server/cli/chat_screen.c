/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal: raw mode and the second screen, with plain ANSI sequences. Output is collected and written at once. */
#include "chat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void screen_measure(struct screen *screen)
{
        struct winsize size;

        screen->rows = 24;
        screen->columns = 80;
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
                screen->rows = size.ws_row < 4 ? 4 : size.ws_row;
                screen->columns = size.ws_col < 20 ? 20 : size.ws_col;
        }
}

int screen_open(struct screen *screen)
{
        static const char begin[] = "\x1b[?1049h\x1b[?2004h\x1b[2J";
        const char *term = getenv("TERM");

        if (screen->is_raw)
                return 0;
        if (!term || strcmp(term, "dumb") == 0 || tcgetattr(STDIN_FILENO, &screen->before) < 0)
                return -1;
        struct termios raw = screen->before;
        raw.c_iflag &= ~(tcflag_t)(ICRNL | IXON | INLCR | ISTRIP | BRKINT);
        raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG | IEXTEN);
        raw.c_cc[VMIN] = 1;
        raw.c_cc[VTIME] = 0;
        if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) < 0)
                return -1;
        screen->is_raw = true;
        screen->has_colours = !getenv("NO_COLOR");
        screen_measure(screen);
        screen_raw(screen, begin, sizeof(begin) - 1);
        screen_flush(screen);
        return 0;
}

void screen_close(struct screen *screen)
{
        static const char end[] = "\x1b[0m\x1b[?2004l\x1b[?25h\x1b[?1049l";

        if (screen->is_raw) {
                screen->len = 0;
                screen_raw(screen, end, sizeof(end) - 1);
                screen_flush(screen);
                tcsetattr(STDIN_FILENO, TCSAFLUSH, &screen->before);
                screen->is_raw = false;
        }
        free(screen->out);
        screen->out = NULL;
        screen->len = screen->room = 0;
}

void screen_raw(struct screen *screen, const char *bytes, size_t len)
{
        if (screen->len + len > screen->room) {
                size_t room = 2 * (screen->len + len) + 4096;
                char *out = realloc(screen->out, room);
                if (!out)
                        return; /* a frame is incomplete; the next one is whole */
                screen->out = out;
                screen->room = room;
        }
        memcpy(screen->out + screen->len, bytes, len);
        screen->len += len;
}

void screen_text(struct screen *screen, const char *text)
{
        screen_raw(screen, text, strlen(text));
}

void screen_move(struct screen *screen, int row, int column)
{
        char text[32];

        screen_raw(screen, text, (size_t)snprintf(text, sizeof(text), "\x1b[%d;%dH", row, column));
}

void screen_style(struct screen *screen, const char *sgr)
{
        char text[32];

        if (screen->has_colours)
                screen_raw(screen, text, (size_t)snprintf(text, sizeof(text), "\x1b[0%s%sm", *sgr ? ";" : "", sgr));
}

void screen_flush(struct screen *screen)
{
        size_t at = 0;

        while (at < screen->len) {
                ssize_t wrote = write(STDOUT_FILENO, screen->out + at, screen->len - at);
                if (wrote < 0 && errno != EINTR)
                        break;
                at += wrote > 0 ? (size_t)wrote : 0;
        }
        screen->len = 0;
}
