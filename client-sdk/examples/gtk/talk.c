/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the window become calls of the SDK, callbacks of the SDK become changes of the transcript and then a word to
 * the window. Callbacks are dispatched in portions, so that a long catch-up does not keep the window from drawing. */
#include "talk.h"

#include <glib-unix.h>
#include <string.h>

enum { PORTION = 100, PAGE = 100 };

struct talk {
        deskbell_client *client;
        deskbell_conversation *conversation;
        struct transcript *transcript;
        struct talk_listener listener;
        guint source;
        enum deskbell_connection connection;
        bool is_caught_up, is_opened;
        bool is_loading, has_beginning, has_failed;
        int64_t read_mark, staff_read;
        GHashTable *taps;  /* cmid -> number of the entry that it answers, choices or a form */
        GHashTable *names; /* author -> display name */
};

/* ---- callbacks --------------------------------------------------------------------------------------------------- */

static void on_state(deskbell_client *client, const struct deskbell_state *state, void *data)
{
        struct talk *talk = data;

        (void)client;
        talk->connection = state->connection;
        talk->is_caught_up = state->caught_up != 0;
        if (state->connection == DESKBELL_ONLINE)
                talk->has_failed = false;
        if (talk->listener.on_state)
                talk->listener.on_state(talk->listener.data, state);
}

static void on_entry(deskbell_client *client, const struct deskbell_entry *entry, void *data)
{
        struct talk *talk = data;

        (void)client;
        if (entry->conversation != talk->conversation)
                return;
        if (*entry->name)
                g_hash_table_insert(talk->names, g_strdup(entry->author), g_strdup(entry->name));
        transcript_entry(talk->transcript, entry);
        talk->has_beginning = talk->has_beginning || entry->number == 1;
        if (talk->listener.on_entry && talk->is_opened)
                talk->listener.on_entry(talk->listener.data, entry);
}

static void forget_tap(struct talk *talk, const struct deskbell_message *message)
{
        const int64_t *number = g_hash_table_lookup(talk->taps, message->cmid);

        if (!number)
                return;
        transcript_choose(talk->transcript, *number, NULL);
        g_hash_table_remove(talk->taps, message->cmid);
}

/* It waits in the outbox since before this window was opened. */
static void take_tap(struct talk *talk, const struct deskbell_message *message)
{
        int64_t number = message->pressed_seq + message->filled_seq; /* one of them, or none */

        if (number <= 0 || g_hash_table_contains(talk->taps, message->cmid))
                return;
        g_hash_table_insert(talk->taps, g_strdup(message->cmid), g_memdup2(&number, sizeof(number)));
        transcript_choose(talk->transcript, number, "");
}

/* It is shown at its survey. What was refused can be tapped anew, when the survey still takes it. */
static void take_rating(struct talk *talk, const struct deskbell_message *message)
{
        ChatItem *item = transcript_find(talk->transcript, message->rated_seq, NULL);
        bool has_failed = message->state == DESKBELL_FAILED || message->state == DESKBELL_EXPIRED;

        if (!has_failed)
                return;
        if (item && item->survey) {
                item->survey->tapped = -1;
                item->survey->is_sending = false;
                item_changed(item);
        }
        deskbell_forget(talk->client, message->cmid);
        if (talk->listener.on_message)
                talk->listener.on_message(talk->listener.data, message);
}

static void on_message(deskbell_client *client, const struct deskbell_message *message, void *data)
{
        struct talk *talk = data;
        bool has_failed = message->state == DESKBELL_FAILED || message->state == DESKBELL_EXPIRED;

        if (message->conversation != talk->conversation)
                return;
        if (message->rated_seq > 0) {
                take_rating(talk, message);
                return;
        }
        transcript_message(talk->transcript, message);
        if (has_failed)
                forget_tap(talk, message);
        else if (message->number == 0)
                take_tap(talk, message);
        if (has_failed && message->operation != DESKBELL_OP_SEND)
                deskbell_forget(client, message->cmid); /* told below; there is nothing to try again */
        if (talk->listener.on_message)
                talk->listener.on_message(talk->listener.data, message);
}

static void on_conversation(deskbell_client *client, const struct deskbell_conversation_info *info, void *data)
{
        struct talk *talk = data;

        (void)client;
        if (info->conversation != talk->conversation)
                return;
        talk->read_mark = MAX(talk->read_mark, info->marks.customer_read);
        talk->staff_read = info->marks.staff_read;
        transcript_marks(talk->transcript, &info->marks);
        if (talk->listener.on_marks)
                talk->listener.on_marks(talk->listener.data);
}

static void on_opened(deskbell_client *client, deskbell_conversation *conversation, int64_t seq, int64_t iseq,
                      void *data)
{
        struct talk *talk = data;

        (void)client;
        (void)seq;
        (void)iseq;
        if (conversation != talk->conversation || talk->is_opened)
                return;
        talk->is_opened = true;
        if (talk->listener.on_opened)
                talk->listener.on_opened(talk->listener.data);
}

static void on_typing(deskbell_client *client, deskbell_conversation *conversation, const char *author, int is_typing,
                      void *data)
{
        struct talk *talk = data;
        const char *name = g_hash_table_lookup(talk->names, author);

        (void)client;
        if (conversation == talk->conversation && talk->listener.on_typing)
                talk->listener.on_typing(talk->listener.data, name ? name : "Support", is_typing != 0);
}

static void on_progress(deskbell_client *client, const struct deskbell_progress *progress, void *data)
{
        struct talk *talk = data;
        ChatItem *item = transcript_find_cmid(talk->transcript, progress->cmid);
        struct item_file *file = item ? item_file_at(item, (unsigned)progress->file) : NULL;

        (void)client;
        if (!file)
                return;
        file->done = progress->sent;
        file->total = progress->total;
        item_changed(item);
}

static void on_presence(deskbell_client *client, const struct deskbell_presence *presence, void *data)
{
        struct talk *talk = data;

        (void)client;
        if (presence->of == DESKBELL_PRESENCE_TEAM && talk->listener.on_presence)
                talk->listener.on_presence(talk->listener.data, presence->is_here != 0);
}

static void on_notice(deskbell_client *client, enum deskbell_notice notice, deskbell_conversation *conversation,
                      const char *detail, void *data)
{
        struct talk *talk = data;

        (void)client;
        if (conversation && conversation != talk->conversation)
                return;
        if (notice == DESKBELL_NOTICE_RESET) {
                transcript_clear(talk->transcript);
                talk->has_beginning = false;
                talk->read_mark = 0;
        }
        if (talk->listener.on_notice)
                talk->listener.on_notice(talk->listener.data, notice, detail ? detail : "");
}

static gboolean dispatch(gint fd, GIOCondition condition, gpointer data)
{
        struct talk *talk = data;

        (void)fd;
        (void)condition;
        deskbell_dispatch(talk->client, PORTION);
        return G_SOURCE_CONTINUE;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void fill_options(struct deskbell_options *sdk, const struct talk_options *options, struct talk *talk)
{
        sdk->url = options->url;
        sdk->app = options->app;
        sdk->token = options->token;
        sdk->is_visitor = !options->token;
        sdk->claims_visitor = options->token != NULL;
        sdk->data_dir = options->data_dir;
        sdk->ca_file = options->ca_file;
        sdk->client_name = "deskbell-gtk";
        sdk->callbacks_by_dispatch = 1;
        sdk->first_page = PAGE;
        sdk->snapshot = PAGE;
        sdk->data = talk;
        sdk->on_state = on_state;
        sdk->on_entry = on_entry;
        sdk->on_message = on_message;
        sdk->on_conversation = on_conversation;
        sdk->on_opened = on_opened;
        sdk->on_typing = on_typing;
        sdk->on_progress = on_progress;
        sdk->on_presence = on_presence;
        sdk->on_notice = on_notice;
}

static int find_read_mark(const struct deskbell_conversation_info *info, void *data)
{
        struct talk *talk = data;

        if (info->conversation == talk->conversation) {
                talk->read_mark = info->marks.customer_read;
                talk->staff_read = info->marks.staff_read;
                transcript_marks(talk->transcript, &info->marks);
        }
        return 0;
}

struct talk *talk_new(const struct talk_options *options, const struct talk_listener *listener, int *out_error)
{
        struct deskbell_options sdk = DESKBELL_OPTIONS_INIT;
        struct talk *talk = g_new0(struct talk, 1);

        talk->listener = *listener;
        talk->transcript = transcript_new();
        talk->taps = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        talk->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        fill_options(&sdk, options, talk);
        int rc = deskbell_open(&sdk, &talk->client);
        if (rc == DESKBELL_OK)
                rc = deskbell_conversation_open(talk->client, options->key, &talk->conversation);
        if (rc == DESKBELL_OK)
                rc = deskbell_connect(talk->client);
        if (rc != DESKBELL_OK) {
                *out_error = rc;
                return talk_free(talk);
        }
        deskbell_conversations(talk->client, find_read_mark, talk);
        talk->source = g_unix_fd_add(deskbell_fd(talk->client), G_IO_IN, dispatch, talk);
        return talk;
}

struct talk *talk_free(struct talk *talk)
{
        if (!talk)
                return NULL;
        g_clear_handle_id(&talk->source, g_source_remove);
        if (talk->client)
                deskbell_close(talk->client);
        g_hash_table_unref(talk->taps);
        g_hash_table_unref(talk->names);
        transcript_free(talk->transcript);
        g_free(talk);
        return NULL;
}

struct transcript *talk_transcript(struct talk *talk)
{
        return talk->transcript;
}

enum deskbell_connection talk_connection(const struct talk *talk)
{
        return talk->connection;
}

bool talk_is_caught_up(const struct talk *talk)
{
        return talk->is_caught_up;
}

int64_t talk_read_mark(const struct talk *talk)
{
        return talk->read_mark;
}

int64_t talk_staff_read(const struct talk *talk)
{
        return talk->staff_read;
}

/* ---- doing ------------------------------------------------------------------------------------------------------- */

int talk_send(struct talk *talk, const char *text, int64_t reply_to)
{
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;
        char cmid[33];

        options.reply_to = reply_to;
        int rc = deskbell_send(talk->conversation, text, &options, cmid);
        if (rc == DESKBELL_OK)
                transcript_written(talk->transcript, cmid, text, reply_to);
        return rc;
}

static void show_files(struct talk *talk, const char *cmid, const GPtrArray *files, const char *text, int64_t reply_to)
{
        transcript_written(talk->transcript, cmid, text, reply_to);
        ChatItem *item = transcript_find_cmid(talk->transcript, cmid);
        if (!item || item->files)
                return;
        for (unsigned i = 0; i < files->len; i++) {
                const struct staged_file *file = files->pdata[i];
                item_add_file(item, file->name, file->path, (GObject *)file->picture);
        }
        item->state = DESKBELL_UPLOADING;
        item_changed(item);
}

int talk_send_files(struct talk *talk, const GPtrArray *files, const char *text, int64_t reply_to)
{
        struct deskbell_file_options options = DESKBELL_FILE_OPTIONS_INIT;
        struct deskbell_file_source sources[STAGING_MAX] = {0};
        char cmid[33];

        for (unsigned i = 0; i < files->len && i < STAGING_MAX; i++) {
                const struct staged_file *file = files->pdata[i];
                gsize len = 0;
                sources[i].path = file->path;
                sources[i].bytes = file->bytes ? g_bytes_get_data(file->bytes, &len) : NULL;
                sources[i].bytes_len = len;
                sources[i].name = file->name;
        }
        options.files = sources;
        options.files_count = files->len;
        options.text = *text ? text : NULL;
        options.reply_to = reply_to;
        int rc = deskbell_send_file(talk->conversation, &options, cmid);
        if (rc == DESKBELL_OK)
                show_files(talk, cmid, files, text, reply_to);
        return rc;
}

int talk_upload(struct talk *talk, const char *cmid, bool is_paused)
{
        return is_paused ? deskbell_upload_pause(talk->client, cmid) : deskbell_upload_resume(talk->client, cmid);
}

int talk_upload_cancel(struct talk *talk, const char *cmid)
{
        return deskbell_upload_cancel(talk->client, cmid);
}

int talk_fetch(struct talk *talk, const struct item_file *file, const char *path, deskbell_fetch_progress_fn progress,
               deskbell_fetch_done_fn done, void *data)
{
        struct deskbell_file wanted = {.id = file->id, .name = file->name, .media = file->media, .size = file->size};

        memcpy(wanted.sha256, file->sha256, sizeof(wanted.sha256));
        return deskbell_file_fetch(talk->client, &wanted, path, progress, done, data, NULL);
}

int talk_press(struct talk *talk, int64_t number, const char *id, const char *label)
{
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;
        char cmid[33];

        options.pressed_seq = number;
        options.pressed_id = id;
        int rc = deskbell_send(talk->conversation, label, &options, cmid);
        if (rc != DESKBELL_OK)
                return rc;
        g_hash_table_insert(talk->taps, g_strdup(cmid), g_memdup2(&number, sizeof(number)));
        transcript_written(talk->transcript, cmid, label, 0);
        transcript_choose(talk->transcript, number, id);
        return rc;
}

/* Values for the fields that have one, and the form as the SDK knows it. g_free both. */
static size_t values_of(const ChatItem *item, struct deskbell_form_field **out_form,
                        struct deskbell_form_value **out_values)
{
        size_t count = 0;

        *out_form = g_new0(struct deskbell_form_field, item->form->len);
        *out_values = g_new0(struct deskbell_form_value, item->form->len);
        for (unsigned i = 0; i < item->form->len; i++) {
                const struct item_field *field = item->form->pdata[i];
                (*out_form)[i] = (struct deskbell_form_field){field->id, field->label, field->input, field->required};
                if (*field->value)
                        (*out_values)[count++] = (struct deskbell_form_value){field->id, field->value};
        }
        return count;
}

/* Shown at once as the SDK will say it: it comes with its QUEUED. */
int talk_fill(struct talk *talk, const ChatItem *item, const char **out_wrong)
{
        struct deskbell_send_options options = DESKBELL_SEND_OPTIONS_INIT;
        g_autofree struct deskbell_form_field *form = NULL;
        g_autofree struct deskbell_form_value *values = NULL;
        size_t count = values_of(item, &form, &values);
        int64_t number = item->number;
        char cmid[33];

        /* NOLINTBEGIN(clang-analyzer-unix.Malloc): g_autofree is not known there */
        int rc = deskbell_form_check(form, item->form->len, values, count, out_wrong);
        if (rc != DESKBELL_OK)
                return rc;
        options.filled_seq = number;
        options.filled = values;
        options.filled_count = count;
        rc = count ? deskbell_send(talk->conversation, NULL, &options, cmid) : DESKBELL_E_TEXT;
        if (rc != DESKBELL_OK)
                return rc;
        g_hash_table_insert(talk->taps, g_strdup(cmid), g_memdup2(&number, sizeof(number)));
        transcript_choose(talk->transcript, number, "");
        return rc;
        /* NOLINTEND(clang-analyzer-unix.Malloc) */
}

deskbell_conversation *talk_conversation(const struct talk *talk)
{
        return talk->conversation;
}

int talk_edit(struct talk *talk, int64_t number, int64_t version, const char *text)
{
        return deskbell_edit(talk->conversation, number, version, text, NULL, NULL);
}

int talk_erase(struct talk *talk, int64_t number)
{
        return deskbell_erase(talk->conversation, number, NULL, NULL);
}

/* There is nothing to put back: it is written anew, with the files as they were chosen. NOT_FOUND: one of them was in
 * memory alone. */
static int send_anew(struct talk *talk, const ChatItem *item)
{
        g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);

        for (unsigned i = 0; item_file_at(item, i); i++) {
                const struct item_file *file = item_file_at(item, i);
                struct staged_file *staged = g_new0(struct staged_file, 1);
                g_ptr_array_add(files, staged);
                if (!file->path)
                        return DESKBELL_E_NOT_FOUND;
                staged->path = file->path;
                staged->name = file->name;
                staged->picture = (GdkTexture *)file->picture;
        }
        return files->len ? talk_send_files(talk, files, item->text, item->reply_to)
                          : talk_send(talk, item->text, item->reply_to);
}

/* A failed message gets a new cmid: its old row goes, and the new one comes with its QUEUED. */
int talk_retry(struct talk *talk, const char *cmid)
{
        g_autofree char *held = g_strdup(cmid);
        const ChatItem *item = transcript_find_cmid(talk->transcript, held);
        char again[33];

        if (item && item_is_nowhere(item)) {
                int sent = send_anew(talk, item);
                if (sent == DESKBELL_OK)
                        transcript_forget(talk->transcript, held);
                return sent;
        }
        int rc = deskbell_retry(talk->client, held, again);
        if (rc == DESKBELL_OK && strcmp(held, again) != 0)
                transcript_forget(talk->transcript, held);
        return rc;
}

int talk_forget(struct talk *talk, const char *cmid)
{
        g_autofree char *held = g_strdup(cmid);
        const ChatItem *item = transcript_find_cmid(talk->transcript, held);
        int rc = item && item_is_nowhere(item) ? DESKBELL_OK : deskbell_forget(talk->client, held);

        if (rc == DESKBELL_OK)
                transcript_forget(talk->transcript, held);
        return rc;
}

void talk_read(struct talk *talk, int64_t seq)
{
        if (seq <= talk->read_mark)
                return;
        talk->read_mark = seq;
        deskbell_mark_read(talk->conversation, seq);
}

void talk_typing(struct talk *talk)
{
        deskbell_typing(talk->conversation);
}

void talk_network_changed(struct talk *talk)
{
        deskbell_network_changed(talk->client);
}

void talk_connect(struct talk *talk)
{
        deskbell_connect(talk->client);
}

int talk_set_token(struct talk *talk, const char *token)
{
        return deskbell_set_token(talk->client, token);
}

/* ---- older messages ---------------------------------------------------------------------------------------------- */

static void on_history(deskbell_client *client, int error, const struct deskbell_entry *entries, size_t count,
                       int64_t head, int more, void *data)
{
        struct talk *talk = data;

        (void)client;
        (void)head;
        talk->is_loading = false;
        if (error == DESKBELL_E_CANCELLED && !talk->source)
                return; /* the window is closing */
        if (error == DESKBELL_OK) {
                transcript_page(talk->transcript, entries, count);
                talk->has_beginning = !more;
        } else {
                talk->has_failed = true;
        }
        if (talk->listener.on_page)
                talk->listener.on_page(talk->listener.data, error);
}

bool talk_more(struct talk *talk)
{
        struct deskbell_history_options options = DESKBELL_HISTORY_OPTIONS_INIT;

        options.before = transcript_oldest(talk->transcript);
        options.limit = PAGE;
        if (!options.before || options.before == 1 || talk->is_loading || talk->has_beginning || talk->has_failed)
                return false;
        talk->is_loading = deskbell_history(talk->conversation, &options, on_history, talk) == DESKBELL_OK;
        talk->has_failed = !talk->is_loading;
        return talk->is_loading;
}

bool talk_is_loading(const struct talk *talk)
{
        return talk->is_loading;
}

bool talk_has_beginning(const struct talk *talk)
{
        return talk->has_beginning;
}
