/* SPDX-License-Identifier: Apache-2.0 */
/* The screen of the terminal client: the transcript, a line that tells the state, the line being written. */
#include "chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t chat_mono_ms(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void chat_describe_connection(const struct chat *chat, char *out, size_t room)
{
        int64_t left_s = (chat->retry_at_ms - chat_mono_ms() + 999) / 1000;

        left_s = left_s < 0 ? 0 : left_s;
        switch (chat->state.connection) {
        case DESKBELL_ONLINE:
                snprintf(out, room, chat->state.caught_up ? "online" : "online, catching up");
                break;
        case DESKBELL_CONNECTING:
                snprintf(out, room, "connecting");
                break;
        case DESKBELL_WAITING:
                snprintf(out, room, "offline (%s), next try in %lld s", chat->why_room, (long long)left_s);
                break;
        case DESKBELL_DELAYED:
                snprintf(out, room, "the server asked to wait (%s), %lld s", chat->why_room, (long long)left_s);
                break;
        case DESKBELL_NEEDS_TOKEN:
                snprintf(out, room, "the token is not accepted (%s)", chat->why_room);
                break;
        case DESKBELL_STOPPED:
                snprintf(out, room, "stopped: %s", chat->why_room);
                break;
        default:
                snprintf(out, room, "offline");
                break;
        }
}

void chat_describe_presence(const struct chat *chat, char *out, size_t room)
{
        const struct deskbell_presence *presence = &chat->presence;
        const char *name = chat->customer_name[0] ? chat->customer_name : "the customer";
        time_t seen = (time_t)(presence->last_seen_ms / 1000);
        char at[16] = "";
        struct tm when;

        if (presence->last_seen_ms > 0 && localtime_r(&seen, &when))
                strftime(at, sizeof(at), "%H:%M", &when);
        if (presence->of == DESKBELL_PRESENCE_TEAM)
                snprintf(out, room, "support is %s", presence->is_here ? "here" : "away");
        else if (presence->of == DESKBELL_PRESENCE_CUSTOMER && (presence->is_here || !at[0]))
                snprintf(out, room, "%s is %s", name, presence->is_here ? "online" : "offline");
        else if (presence->of == DESKBELL_PRESENCE_CUSTOMER)
                snprintf(out, room, "%s was last seen %s", name, at);
        else
                out[0] = '\0';
}

static void draw_status(struct chat *chat)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;
        struct screen *screen = &chat->screen;
        char line[2048], connection[160], queued[48] = "", typing[96] = "", saving[32] = "", presence[320];
        char ticket[256] = "", others[256] = "";

        deskbell_status(chat->client, &status);
        if (chat->saving)
                snprintf(saving, sizeof(saving), " | saving, %d %%", chat->saved_percent);
        chat_describe_connection(chat, connection, sizeof(connection));
        if (status.queued)
                snprintf(queued, sizeof(queued), " | %lld queued", (long long)status.queued);
        if (chat->typist[0])
                snprintf(typing, sizeof(typing), " | %s is writing", chat->typist);
        if (chat_ticket(chat))
                chat_describe_ticket(chat_ticket(chat), ticket, sizeof(ticket));
        if (chat->is_staff)
                chat_describe_viewers(chat, others, sizeof(others));
        chat_describe_presence(chat, presence, sizeof(presence));
        if (!presence[0] || chat->state.connection != DESKBELL_ONLINE)
                snprintf(presence, sizeof(presence), "%s", chat->customer_name);
        snprintf(line, sizeof(line), " %s%s%s%s%s%s%s%s%s%s%s", connection, queued, saving, ticket[0] ? " | " : "",
                 ticket, typing, presence[0] ? " | " : "", presence, others[0] ? " | here too: " : "", others,
                 chat->desk.offer[0] ? " | /accept?" : "");
        char *clean = chat_text_clean(line, false);
        size_t skip, len = chat_text_wrap(clean, screen->columns, &skip);
        screen_move(screen, screen->rows - 1, 1);
        screen_text(screen, "\x1b[2K");
        screen_style(screen, chat->state.connection == DESKBELL_ONLINE ? "7" : "7;33");
        screen_raw(screen, clean, len);
        for (int column = chat_text_columns(clean, len); column < screen->columns; column++)
                screen_raw(screen, " ", 1);
        screen_style(screen, "");
        free(clean);
}

/* The line being written, scrolled sideways so that the cursor is seen. Newlines in it are shown as a sign. */
static void draw_editor(struct chat *chat)
{
        const struct editor *editor = &chat->editor;
        struct screen *screen = &chat->screen;
        const char *at = editor->text, *cursor = editor->text + editor->cursor, *end = editor->text + editor->len;
        int room = screen->columns - 3, column = 0;

        while (chat_text_columns(at, (size_t)(cursor - at)) >= room)
                at += chat_text_char(at, end);
        screen_move(screen, screen->rows, 1);
        screen_text(screen, "\x1b[2K> ");
        while (at < end) {
                size_t len = chat_text_char(at, end);
                char one[8] = "";
                memcpy(one, at, len < sizeof(one) ? len : 1);
                char *clean = *at == '\n' ? strdup("\xe2\x8f\x8e") : chat_text_clean(one, false);
                int columns = clean ? chat_text_columns(clean, strlen(clean)) : 0;
                if (at < cursor)
                        column += columns;
                if (clean && columns <= room)
                        screen_text(screen, clean);
                free(clean);
                if (columns > room)
                        break;
                room -= columns;
                at += len;
        }
        screen_move(screen, screen->rows, column + 3);
}

void chat_draw(struct chat *chat)
{
        if (chat->is_plain || !chat->is_dirty)
                return;
        chat->is_dirty = false;
        chat_list_refresh(chat);
        screen_text(&chat->screen, "\x1b[?25l");
        chat->scroll = transcript_draw(&chat->transcript, &chat->screen, chat->screen.rows - 2, chat->scroll);
        draw_status(chat);
        draw_editor(chat);
        screen_text(&chat->screen, "\x1b[?25h");
        screen_flush(&chat->screen);
}
