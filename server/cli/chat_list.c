/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's list of conversations, and opening one. A conversation keeps the number it was first shown with for as
 * long as the program runs, so that a number read from the screen means the same when it is typed. */
#include "chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 50 };

size_t chat_list_number(struct chat *chat, const char *id)
{
        struct listed *list;

        for (size_t i = 0; i < chat->list_count; i++)
                if (strcmp(chat->list[i].id, id) == 0)
                        return i + 1;
        list = realloc(chat->list, (chat->list_count + 1) * sizeof(*list));
        if (!list)
                return 0;
        chat->list = list;
        list[chat->list_count] = (struct listed){.unanswered = 0};
        snprintf(list[chat->list_count].id, sizeof(list[0].id), "%s", id);
        return ++chat->list_count;
}

static void describe(struct chat *chat, const struct deskbell_conversation_info *info, size_t number, char *out,
                     size_t room)
{
        const json_t *known = chat_ticket_of(chat, info->id);
        char ticket[256] = "";

        if (known)
                chat_describe_ticket(known, ticket, sizeof(ticket));
        snprintf(out, room, "%3zu  %s%s  %s%s%s: %.120s", number, info->id, info->unanswered ? " *" : "",
                 info->customer_name[0] ? info->customer_name : info->key, known ? "  " : "", ticket,
                 info->last_preview);
}

struct listing {
        struct chat *chat;
        size_t count, len;
        char text[8000];
};

static int list_one(const struct deskbell_conversation_info *info, void *data)
{
        struct listing *listing = data;
        char line[512];

        if (info->has_left || !info->id[0] || listing->count == SHOWN)
                return 0;
        size_t number = chat_list_number(listing->chat, info->id);
        if (!number)
                return DESKBELL_E_NOMEM;
        describe(listing->chat, info, number, line, sizeof(line));
        int len = snprintf(listing->text + listing->len, sizeof(listing->text) - listing->len, "%s%s",
                           listing->len ? "\n" : "", line);
        if (len > 0 && (size_t)len < sizeof(listing->text) - listing->len)
                listing->len += (size_t)len;
        listing->count++;
        return 0;
}

static void write_listing(struct chat *chat, struct listing *listing)
{
        *listing = (struct listing){.chat = chat};
        deskbell_conversations(chat->client, list_one, listing);
        listing->text[listing->len] = '\0';
        if (!listing->len)
                snprintf(listing->text, sizeof(listing->text), "no conversations");
}

void chat_show_list(struct chat *chat, bool is_asked)
{
        struct listing listing;

        if (*chat->desk.view)
                chat_view_text(chat, listing.text, sizeof(listing.text));
        else
                write_listing(chat, &listing);
        transcript_listing(&chat->transcript, listing.text, is_asked);
        chat->is_dirty = true;
}

void chat_list(struct chat *chat)
{
        struct listing listing;

        chat_view_close(chat);
        if (chat->is_plain) {
                write_listing(chat, &listing);
                char *clean = chat_text_clean(listing.text, true);
                printf("-- %s\n", clean);
                fflush(stdout);
                free(clean);
                return;
        }
        chat_show_list(chat, true);
}

void chat_list_refresh(struct chat *chat)
{
        if (!chat->is_list_stale)
                return;
        chat->is_list_stale = false;
        chat_show_list(chat, false);
}

/* In a pipe a line tells that somebody waits who did not before; on a screen the list that is shown changes. */
void chat_list_changed(struct chat *chat, const struct deskbell_conversation_info *info)
{
        char line[512];
        size_t number = info->id[0] && !info->has_left ? chat_list_number(chat, info->id) : 0;

        if (!number)
                return;
        int64_t before = chat->list[number - 1].unanswered;
        chat->list[number - 1].unanswered = info->unanswered;
        if (!chat->is_plain) {
                chat->is_list_stale = chat->is_dirty = true;
        } else if (!chat->is_listing_wanted && info->conversation != chat->conv && info->unanswered > before) {
                describe(chat, info, number, line, sizeof(line));
                chat_say(chat, "%s", line);
        }
}

void chat_take_info(struct chat *chat, const struct deskbell_conversation_info *info)
{
        if (info->customer_name[0])
                snprintf(chat->customer_name, sizeof(chat->customer_name), "%s", info->customer_name);
        if (!chat->is_plain && chat->is_staff)
                transcript_marks(&chat->transcript, info->marks.customer_recv, info->marks.customer_read);
        else if (!chat->is_plain)
                transcript_marks(&chat->transcript, info->marks.staff_recv, info->marks.staff_read);
        chat->is_dirty = true;
}

static int take_opened(const struct deskbell_conversation_info *info, void *data)
{
        struct chat *chat = data;

        if (info->conversation != chat->conv)
                return 0;
        chat_take_info(chat, info);
        return 1;
}

void chat_open_conversation(struct chat *chat, const char *id)
{
        deskbell_conversation *conv = NULL;
        int rc;

        if (chat->conv)
                deskbell_conversation_close(chat->conv);
        chat->conv = NULL;
        transcript_clear(&chat->transcript);
        chat->read_seq = 0;
        chat->customer_name[0] = chat->typist[0] = '\0';
        if (chat->is_staff)
                chat->presence = (struct deskbell_presence){0};
        if (id)
                rc = deskbell_conversation_open_id(chat->client, id, &conv);
        else
                rc = deskbell_conversation_open(chat->client, chat->key, &conv);
        chat->is_dirty = true;
        if (rc < 0) {
                chat_say(chat, "%s", deskbell_error_text(rc));
                return;
        }
        chat->conv = conv;
        chat_desk_opened(chat);
        deskbell_conversations(chat->client, take_opened, chat); /* its names, before its entries are shown */
}
