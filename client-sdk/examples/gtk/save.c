/* SPDX-License-Identifier: Apache-2.0 */
/* What is shown, in the order shown. */
#include "save.h"

#include <jansson.h>
#include <stdlib.h>

static const char *state_tag(enum deskbell_message_state state)
{
        static const char *const tags[] = {"", "queued", "sent", "delivered", "read", "failed", "expired", "uploading"};

        return (unsigned)state < G_N_ELEMENTS(tags) ? tags[state] : "other";
}

/* The answer as it is shown: to a question ids of choices, a number, or words. */
static json_t *answer_json(const struct item_question *question)
{
        json_t *ids = NULL;

        if (question->kind == QUESTION_SCALE)
                return json_integer(question->said.number);
        if (question->kind == QUESTION_TEXT)
                return json_string(question->said.words);
        ids = json_array();
        for (unsigned i = 0; i < question->choices->len; i++)
                if (question->said.picked & 1u << i)
                        json_array_append_new(ids,
                                              json_string(((struct item_choice *)question->choices->pdata[i])->id));
        return ids;
}

static json_t *survey_json(const ChatItem *item)
{
        const struct item_survey *survey = item->survey;
        json_t *asked = json_array(), *answers = json_object();

        for (unsigned i = 0; i < survey->questions->len; i++) {
                const struct item_question *question = survey->questions->pdata[i];
                if (!item_question_is_asked(survey, question))
                        continue;
                json_array_append_new(asked, json_string(question->id));
                if (!item_said_is_empty(&question->said))
                        json_object_set_new(answers, question->id, answer_json(question));
        }
        return json_pack("{s:i, s:s, s:b, s:o, s:o}", "score", survey->score, "said", survey->said, "open",
                         (int)item_survey_is_open(item), "asked", asked, "answers", answers);
}

static void append_json(GString *out, const ChatItem *item)
{
        json_t *line = json_pack("{s:I, s:s, s:s, s:s, s:b, s:I, s:I, s:s, s:s}", "number", (json_int_t)item->number,
                                 "cmid", item->cmid, "author", item->author, "name", item->name, "mine",
                                 (int)item->is_mine, "ts", (json_int_t)item->ts_ms, "version",
                                 (json_int_t)item->version, "text", item->text, "state", state_tag(item->state));
        char *text;

        if (item->kind == DESKBELL_KIND_ERASED)
                json_object_set_new(line, "erased", json_true());
        if (item->reply_to)
                json_object_set_new(line, "reply_to", json_integer((json_int_t)item->reply_to));
        if (item->chosen)
                json_object_set_new(line, "chosen", json_string(item->chosen));
        if (item->survey)
                json_object_set_new(line, "survey", survey_json(item));
        for (unsigned i = 0; item->files && i < item->files->len; i++) {
                const struct item_file *file = item->files->pdata[i];
                json_t *files = i ? json_object_get(line, "files") : json_array();
                if (!i)
                        json_object_set_new(line, "files", files);
                json_array_append_new(files, json_pack("{s:s, s:s, s:b}", "name", file->name, "media", file->media,
                                                       "shown", (int)(file->picture != NULL)));
        }
        if (item->begins_unread)
                json_object_set_new(line, "begins_unread", json_true());
        text = json_dumps(line, JSON_COMPACT);
        json_decref(line);
        if (text)
                g_string_append_printf(out, "%s\n", text);
        free(text);
}

static void append_text(GString *out, const ChatItem *item)
{
        g_autoptr(GDateTime) when = g_date_time_new_from_unix_local(item->ts_ms / 1000);
        g_autofree char *time = when ? g_date_time_format(when, "%Y-%m-%d %H:%M") : g_strdup("");
        const char *text = item->kind == DESKBELL_KIND_ERASED ? "(deleted)" : item->text;

        g_string_append_printf(out, "[%s] %s: %s%s%s%s\n", time, item_who(item), item->title,
                               *item->title && *text ? "\n" : "", text, item->version > 1 ? " (edited)" : "");
}

bool save_transcript(struct transcript *transcript, const char *path, GError **error)
{
        GListModel *model = transcript_model(transcript);
        g_autoptr(GString) out = g_string_new(NULL);
        bool is_json = g_str_has_suffix(path, ".jsonl");

        for (unsigned i = 0, n = g_list_model_get_n_items(model); i < n; i++) {
                g_autoptr(ChatItem) item = g_list_model_get_item(model, i);
                if (is_json)
                        append_json(out, item);
                else
                        append_text(out, item);
        }
        return g_file_set_contents_full(path, out->str, (gssize)out->len, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}
