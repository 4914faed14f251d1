/* SPDX-License-Identifier: Apache-2.0 */
/* Search in the terminal client: what was found, newest first, with the word that was looked for. */
#include "chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct naming {
        const char *id;
        char name[128];
};

static int name_one(const struct deskbell_conversation_info *info, void *data)
{
        struct naming *naming = data;

        if (strcmp(info->id, naming->id) != 0)
                return 0;
        snprintf(naming->name, sizeof(naming->name), "%s", info->customer_name);
        return 1;
}

/* Who wrote it, in a word. */
static void name_author(const struct chat *chat, const struct deskbell_found *found, char *out, size_t room)
{
        struct naming naming = {.id = found->conversation};
        bool is_customer = strncmp(found->author, "usr_", 4) == 0;

        if (is_customer && chat->is_staff)
                deskbell_conversations(chat->client, name_one, &naming);
        if (is_customer)
                snprintf(out, room, "%s", naming.name[0] ? naming.name : chat->is_staff ? "customer" : "me");
        else
                snprintf(out, room, "%s", strncmp(found->author, "agt_", 4) == 0 ? "support" : found->author);
}

static void show(struct chat *chat, const struct deskbell_found *found)
{
        time_t seconds = (time_t)(found->ts_ms / 1000);
        char when[24] = "", who[128], *line = NULL, *start = NULL;
        struct tm local;
        int hit_at;

        if (localtime_r(&seconds, &local))
                strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &local);
        name_author(chat, found, who, sizeof(who));
        hit_at = asprintf(&start, "%s #%lld%s %s %s: %s", found->conversation, (long long)found->number,
                          found->log == DESKBELL_TEAM ? " [note]" : "", when, who, found->before);
        if (hit_at < 0)
                return;
        if (asprintf(&line, "%s%s%s", start, found->hit, found->after) >= 0) {
                if (chat->is_plain)
                        chat_say(chat, "%s", line);
                else
                        transcript_hit(&chat->transcript, start, found->hit, found->after);
                free(line);
        }
        free(start);
        chat->is_dirty = true;
}

static void on_found(deskbell_client *client, int error, const struct deskbell_found *found, size_t count,
                     const char *next, int is_cut, void *data)
{
        struct chat *chat = data;

        (void)client;
        chat->searches--;
        if (error == DESKBELL_E_CANCELLED && chat->is_ending)
                return;
        if (error) {
                chat_say(chat, "the search failed: %s", deskbell_error_text(error));
                chat->failed += chat->is_plain;
                return;
        }
        for (size_t i = count; i > 0; i--) /* the newest stands last, nearest to the line being written */
                show(chat, &found[chat->is_plain ? count - i : i - 1]);
        if (!count)
                chat_say(chat, "nothing was found");
        else if (*next || is_cut)
                chat_say(chat, "there is more: say more words");
        chat->scroll = 0;
}

void chat_find_later(struct chat *chat)
{
        char *words = chat->find_later;

        chat->find_later = NULL;
        if (words)
                chat_find(chat, words);
        free(words);
}

void chat_find(struct chat *chat, const char *text)
{
        if (!*text) {
                chat_say(chat, "usage: /find WORDS");
                return;
        }
        int rc = deskbell_search(chat->client, text, NULL, on_found, chat);
        if (rc == DESKBELL_E_OFFLINE) {
                char *later = strdup(text);
                free(chat->find_later);
                chat->find_later = later;
                return;
        }
        if (rc < 0)
                chat_say(chat, "%s", deskbell_error_text(rc));
        chat->searches += rc == 0;
        chat->failed += chat->is_plain && rc < 0;
}
