/* SPDX-License-Identifier: Apache-2.0 */
/* What the user does in the window: writes, answers, taps, changes, deletes, tries again. And what others may know of
 * it: the status on the session bus. */
#include <string.h>

#include "window_private.h"

void window_say_error(struct window *window, int error)
{
        if (error != DESKBELL_OK)
                banner_say(window->banner, deskbell_error_text(error));
}

/* ---- the composer ------------------------------------------------------------------------------------------------ */

static bool on_send(void *data, const char *text, int64_t reply_to, int64_t number, int64_t version)
{
        struct window *window = data;
        int rc = number ? talk_edit(window->talk, number, version, text) : talk_send(window->talk, text, reply_to);

        window_say_error(window, rc);
        if (rc != DESKBELL_OK)
                return false;
        if (!number) {
                transcript_divide(talk_transcript(window->talk), -1);
                window_to_end(window);
        }
        return true;
}

static void on_writing(void *data)
{
        talk_typing(((struct window *)data)->talk);
}

static void on_edit_last(void *data)
{
        struct window *window = data;
        ChatItem *item = transcript_last_own(talk_transcript(window->talk));

        if (item)
                composer_edit(window->composer, item);
}

struct composer_listener window_composer_listener(struct window *window)
{
        return (struct composer_listener){window,     on_send,     window_send_files, window_choose_files,
                                          on_writing, on_edit_last};
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static void on_reply(void *data, ChatItem *item)
{
        composer_reply(((struct window *)data)->composer, item);
}

static void on_edit(void *data, ChatItem *item)
{
        composer_edit(((struct window *)data)->composer, item);
}

static void on_erase_answer(GtkDialog *dialog, int answer, gpointer data)
{
        struct window *window = data;
        const int64_t *number = g_object_get_data(G_OBJECT(dialog), "number");

        if (answer == GTK_RESPONSE_ACCEPT)
                window_say_error(window, talk_erase(window->talk, *number));
        gtk_window_destroy(GTK_WINDOW(dialog));
}

static void on_erase(void *data, ChatItem *item)
{
        struct window *window = data;
        GtkWidget *dialog =
                gtk_message_dialog_new(GTK_WINDOW(window->widget), GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT,
                                       GTK_MESSAGE_QUESTION, GTK_BUTTONS_NONE, "Delete this message?");

        gtk_message_dialog_format_secondary_text(GTK_MESSAGE_DIALOG(dialog), "It disappears for you and for support.");
        gtk_dialog_add_buttons(GTK_DIALOG(dialog), "Keep it", GTK_RESPONSE_CANCEL, "Delete", GTK_RESPONSE_ACCEPT, NULL);
        gtk_widget_add_css_class(gtk_dialog_get_widget_for_response(GTK_DIALOG(dialog), GTK_RESPONSE_ACCEPT),
                                 "destructive-action");
        g_object_set_data_full(G_OBJECT(dialog), "number", g_memdup2(&item->number, sizeof(item->number)), g_free);
        g_signal_connect(dialog, "response", G_CALLBACK(on_erase_answer), window);
        gtk_window_present(GTK_WINDOW(dialog));
}

static void on_retry(void *data, ChatItem *item)
{
        struct window *window = data;

        window_say_error(window, talk_retry(window->talk, item->cmid));
}

static void on_forget(void *data, ChatItem *item)
{
        struct window *window = data;

        window_say_error(window, talk_forget(window->talk, item->cmid));
}

static void on_press(void *data, ChatItem *item, const struct item_choice *choice)
{
        struct window *window = data;
        g_autofree char *id = g_strdup(choice->id), *label = g_strdup(choice->label);

        window_say_error(window, talk_press(window->talk, item->number, id, label));
        window_to_end(window);
}

static char *on_fill(void *data, ChatItem *item)
{
        struct window *window = data;
        const char *wrong = NULL;
        int rc = talk_fill(window->talk, item, &wrong);

        if (rc == DESKBELL_E_FORM)
                return g_strdup(wrong);
        window_say_error(window, rc);
        if (rc == DESKBELL_OK) {
                composer_focus(window->composer); /* the field that had it is gone */
                window_to_end(window);
        }
        return NULL;
}

static void on_rate(void *data, ChatItem *item, int score, const char *comment, int contact)
{
        struct window *window = data;
        g_autoptr(ChatItem) kept = g_object_ref(item);

        window_say_error(window, talk_rate(window->talk, kept, score, comment, contact));
}

static void on_say(void *data, ChatItem *item)
{
        struct window *window = data;
        g_autoptr(ChatItem) kept = g_object_ref(item);

        window_say_error(window, talk_say(window->talk, kept));
}

static void on_jump(void *data, int64_t number)
{
        window_show_message(data, number);
}

static void on_open(void *data, const char *link)
{
        struct window *window = data;

        gtk_show_uri(GTK_WINDOW(window->widget), link, GDK_CURRENT_TIME);
}

void window_fill_actions(struct window *window)
{
        window->row_actions = (struct row_actions){
                .data = window,
                .reply = on_reply,
                .edit = on_edit,
                .erase = on_erase,
                .retry = on_retry,
                .forget = on_forget,
                .press = on_press,
                .fill = on_fill,
                .rate = on_rate,
                .say = on_say,
                .jump = on_jump,
                .open = on_open,
        };
        window_fill_file_actions(window);
}

/* ---- status ------------------------------------------------------------------------------------------------------ */

static const char *connection_tag(enum deskbell_connection connection)
{
        static const char *const tags[] = {"disconnected", "connecting",  "online",  "waiting",
                                           "delayed",      "needs_token", "stopped", "paused"};

        return (unsigned)connection < G_N_ELEMENTS(tags) ? tags[connection] : "other";
}

static void count_own(GListModel *model, unsigned *out_queued, unsigned *out_failed)
{
        *out_queued = *out_failed = 0;
        for (unsigned i = g_list_model_get_n_items(model); i > 0; i--) {
                g_autoptr(ChatItem) item = g_list_model_get_item(model, i - 1);
                if (item->number > 0)
                        break;
                *out_failed += item_has_failed(item);
                *out_queued += !item_has_failed(item);
        }
}

GVariant *window_status(struct window *window)
{
        struct transcript *transcript = talk_transcript(window->talk);
        GListModel *model = transcript_model(transcript);
        GVariantDict dict;
        unsigned queued, failed;

        count_own(model, &queued, &failed);
        g_variant_dict_init(&dict, NULL);
        g_variant_dict_insert(&dict, "connection", "s", connection_tag(talk_connection(window->talk)));
        g_variant_dict_insert(&dict, "caught-up", "b", (gboolean)talk_is_caught_up(window->talk));
        g_variant_dict_insert(&dict, "active", "b", (gboolean)gtk_window_is_active(GTK_WINDOW(window->widget)));
        g_variant_dict_insert(&dict, "shown", "u", g_list_model_get_n_items(model));
        g_variant_dict_insert(&dict, "oldest", "x", transcript_oldest(transcript));
        g_variant_dict_insert(&dict, "newest", "x", transcript_newest(transcript));
        g_variant_dict_insert(&dict, "queued", "u", queued);
        g_variant_dict_insert(&dict, "failed", "u", failed);
        g_variant_dict_insert(&dict, "unread", "u", transcript_unread(transcript, talk_read_mark(window->talk)));
        g_variant_dict_insert(&dict, "read", "x", talk_read_mark(window->talk));
        g_variant_dict_insert(&dict, "read-by-support", "x", talk_staff_read(window->talk));
        g_variant_dict_insert(&dict, "divided", "b", (gboolean)transcript_is_divided(transcript));
        g_variant_dict_insert(&dict, "at-end", "b", (gboolean)scroller_is_at_end(window->scroller));
        g_variant_dict_insert(&dict, "beginning", "b", (gboolean)talk_has_beginning(window->talk));
        g_variant_dict_insert(&dict, "loading", "b", (gboolean)talk_is_loading(window->talk));
        g_variant_dict_insert(&dict, "typing", "s", window->typing ? window->typing : "");
        g_variant_dict_insert(&dict, "banner", "s", banner_text(window->banner));
        return g_variant_dict_end(&dict);
}

static gboolean tell_status(gpointer data)
{
        struct window *window = data;

        window->status_idle = 0;
        g_action_group_change_action_state(G_ACTION_GROUP(window->app), "status", window_status(window));
        return G_SOURCE_REMOVE;
}

void window_touch_status(struct window *window)
{
        if (!window->status_idle && window->widget)
                window->status_idle = g_idle_add(tell_status, window);
}
