/* SPDX-License-Identifier: Apache-2.0 */
/* One small function an action. Actions without a window do nothing. `status` can only be read: its state is what the
 * window shows, told again on each change. */
#include "commands.h"

#include "save.h"

static void send_text(GSimpleAction *action, GVariant *parameter, gpointer data)
{
        struct commands *commands = data;

        (void)action;
        if (!commands->window)
                return;
        window_say_error(commands->window,
                         talk_send(window_talk(commands->window), g_variant_get_string(parameter, NULL), 0));
        window_to_end(commands->window);
}

static void answer_text(GSimpleAction *action, GVariant *parameter, gpointer data)
{
        struct commands *commands = data;
        gint64 number;
        const char *text;

        (void)action;
        g_variant_get(parameter, "(x&s)", &number, &text);
        if (commands->window)
                window_say_error(commands->window, talk_send(window_talk(commands->window), text, number));
}

static void edit_text(GSimpleAction *action, GVariant *parameter, gpointer data)
{
        struct commands *commands = data;
        gint64 number;
        const char *text;

        (void)action;
        g_variant_get(parameter, "(x&s)", &number, &text);
        if (!commands->window)
                return;
        struct talk *talk = window_talk(commands->window);
        ChatItem *item = transcript_find(talk_transcript(talk), number, NULL);
        window_say_error(commands->window, item ? talk_edit(talk, number, item->version, text) : DESKBELL_E_NOT_FOUND);
}

static void erase_message(GSimpleAction *action, GVariant *parameter, gpointer data)
{
        struct commands *commands = data;

        (void)action;
        if (commands->window)
                window_say_error(commands->window,
                                 talk_erase(window_talk(commands->window), g_variant_get_int64(parameter)));
}

static const char *label_of(const ChatItem *item, const char *id)
{
        for (unsigned i = 0; item && item->choices && i < item->choices->len; i++) {
                const struct item_choice *choice = item->choices->pdata[i];
                if (g_strcmp0(choice->id, id) == 0)
                        return choice->label;
        }
        return NULL;
}

static void press_choice(GSimpleAction *action, GVariant *parameter, gpointer data)
{
        struct commands *commands = data;
        gint64 number;
        const char *id;

        (void)action;
        g_variant_get(parameter, "(x&s)", &number, &id);
        if (!commands->window)
                return;
        struct talk *talk = window_talk(commands->window);
        const char *label = label_of(transcript_find(talk_transcript(talk), number, NULL), id);
        window_say_error(commands->window, label ? talk_press(talk, number, id, label) : DESKBELL_E_NOT_FOUND);
}

/* What the user would type into the form's fields. */
static void fill_form(GSimpleAction *action, GVariant *parameter, gpointer data)
{
        struct commands *commands = data;
        g_autoptr(GVariant) given = NULL;
        const char *wrong = NULL;
        gint64 number;

        (void)action;
        g_variant_get(parameter, "(x@a{ss})", &number, &given);
        if (!commands->window)
                return;
        struct talk *talk = window_talk(commands->window);
        ChatItem *item = transcript_find(talk_transcript(talk), number, NULL);
        for (unsigned i = 0; item && item->form && i < item->form->len; i++) {
                struct item_field *field = item->form->pdata[i];
                g_free(field->value);
                if (!g_variant_lookup(given, field->id, "s", &field->value))
                        field->value = g_strdup("");
        }
        window_say_error(commands->window, item && item->form ? talk_fill(talk, item, &wrong) : DESKBELL_E_NOT_FOUND);
}

/* A score (-1 = none) and a comment ("" = none). */
static void rate(GSimpleAction *action, GVariant *parameter, gpointer data)
{
        struct commands *commands = data;
        const char *comment;
        gint64 number;
        gint32 score;

        (void)action;
        g_variant_get(parameter, "(xi&s)", &number, &score, &comment);
        if (!commands->window)
                return;
        struct talk *talk = window_talk(commands->window);
        ChatItem *item = transcript_find(talk_transcript(talk), number, NULL);
        window_say_error(commands->window, item ? talk_rate(talk, item, score, comment, -1) : DESKBELL_E_NOT_FOUND);
}

/* What a survey asks besides the score: answers by the ids of their questions, and a comment ("" = none). */
static void say(GSimpleAction *action, GVariant *parameter, gpointer data)
{
        struct commands *commands = data;
        g_autoptr(GVariant) given = NULL;
        const char *comment, *text;
        gint64 number;

        (void)action;
        g_variant_get(parameter, "(x@a{ss}&s)", &number, &given, &comment);
        if (!commands->window)
                return;
        struct talk *talk = window_talk(commands->window);
        ChatItem *item = transcript_find(talk_transcript(talk), number, NULL);
        for (unsigned i = 0; item && item->survey && i < item->survey->questions->len; i++) {
                struct item_question *question = item->survey->questions->pdata[i];
                if (g_variant_lookup(given, question->id, "&s", &text))
                        item_question_fill(question, text);
        }
        if (item && item->survey) {
                g_free(item->survey->draft);
                item->survey->draft = g_strdup(comment);
        }
        window_say_error(commands->window, item ? talk_say(talk, item) : DESKBELL_E_NOT_FOUND);
}

/* All failed messages, by one of the two. */
static void each_failed(struct commands *commands, int (*act)(struct talk *, const char *))
{
        g_autoptr(GPtrArray) failed = g_ptr_array_new_with_free_func(g_object_unref);

        if (!commands->window)
                return;
        struct talk *talk = window_talk(commands->window);
        GListModel *model = transcript_model(talk_transcript(talk));
        for (unsigned i = 0, n = g_list_model_get_n_items(model); i < n; i++) {
                ChatItem *item = g_list_model_get_item(model, i);
                if (item_has_failed(item))
                        g_ptr_array_add(failed, item);
                else
                        g_object_unref(item);
        }
        for (unsigned i = 0; i < failed->len; i++)
                window_say_error(commands->window, act(talk, ((ChatItem *)failed->pdata[i])->cmid));
}

static void retry_failed(GSimpleAction *action, GVariant *parameter, gpointer data)
{
        (void)action;
        (void)parameter;
        each_failed(data, talk_retry);
}

static void discard_failed(GSimpleAction *action, GVariant *parameter, gpointer data)
{
        (void)action;
        (void)parameter;
        each_failed(data, talk_forget);
}

static void attach(GSimpleAction *action, GVariant *parameter, gpointer data)
{
        struct commands *commands = data;

        (void)action;
        if (commands->window)
                window_attach(commands->window, g_variant_get_string(parameter, NULL));
}

static void send_draft(GSimpleAction *action, GVariant *parameter, gpointer data)
{
        struct commands *commands = data;

        (void)action;
        (void)parameter;
        if (commands->window)
                window_send_draft(commands->window);
}

static void to_end(GSimpleAction *action, GVariant *parameter, gpointer data)
{
        struct commands *commands = data;

        (void)action;
        (void)parameter;
        if (commands->window)
                window_to_end(commands->window);
}

static void show_message(GSimpleAction *action, GVariant *parameter, gpointer data)
{
        struct commands *commands = data;

        (void)action;
        if (commands->window)
                window_show_message(commands->window, g_variant_get_int64(parameter));
}

static void network_changed(GSimpleAction *action, GVariant *parameter, gpointer data)
{
        struct commands *commands = data;

        (void)action;
        (void)parameter;
        if (commands->window)
                talk_network_changed(window_talk(commands->window));
}

static void quit(GSimpleAction *action, GVariant *parameter, gpointer data)
{
        struct commands *commands = data;

        (void)action;
        (void)parameter;
        g_application_quit(G_APPLICATION(commands->app));
}

/* ---- saving ------------------------------------------------------------------------------------------------------ */

static void save_to_path(struct commands *commands, const char *path)
{
        g_autoptr(GError) error = NULL;

        if (!commands->window)
                return;
        if (!save_transcript(talk_transcript(window_talk(commands->window)), path, &error))
                window_say_error(commands->window, DESKBELL_E_STORE);
}

static void save_to(GSimpleAction *action, GVariant *parameter, gpointer data)
{
        (void)action;
        save_to_path(data, g_variant_get_string(parameter, NULL));
}

static void on_chosen(GtkNativeDialog *dialog, int answer, gpointer data)
{
        if (answer == GTK_RESPONSE_ACCEPT) {
                g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
                g_autofree char *path = file ? g_file_get_path(file) : NULL;
                if (path)
                        save_to_path(data, path);
        }
        g_object_unref(dialog);
}

static void save(GSimpleAction *action, GVariant *parameter, gpointer data)
{
        struct commands *commands = data;

        (void)action;
        (void)parameter;
        if (!commands->window)
                return;
        GtkFileChooserNative *dialog = gtk_file_chooser_native_new("Save conversation", window_widget(commands->window),
                                                                   GTK_FILE_CHOOSER_ACTION_SAVE, "Save", "Cancel");
        gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(dialog), "conversation.txt");
        g_signal_connect(dialog, "response", G_CALLBACK(on_chosen), commands);
        gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

/* ---- states ------------------------------------------------------------------------------------------------------ */

static void change_appearance(GSimpleAction *action, GVariant *value, gpointer data)
{
        struct commands *commands = data;

        appearance_set_scheme(commands->appearance, g_variant_get_string(value, NULL));
        g_simple_action_set_state(action, g_variant_new_string(appearance_scheme(commands->appearance)));
}

static void change_contrast(GSimpleAction *action, GVariant *value, gpointer data)
{
        struct commands *commands = data;

        appearance_set_contrast(commands->appearance, g_variant_get_boolean(value));
        g_simple_action_set_state(action, value);
}

static void add_states(struct commands *commands)
{
        g_autoptr(GSimpleAction) scheme = g_simple_action_new_stateful(
                "appearance", G_VARIANT_TYPE_STRING, g_variant_new_string(appearance_scheme(commands->appearance)));
        g_autoptr(GSimpleAction) contrast = g_simple_action_new_stateful(
                "contrast", NULL, g_variant_new_boolean(appearance_contrast(commands->appearance)));
        g_autoptr(GSimpleAction) status =
                g_simple_action_new_stateful("status", NULL, g_variant_new_array(G_VARIANT_TYPE("{sv}"), NULL, 0));

        g_signal_connect(scheme, "change-state", G_CALLBACK(change_appearance), commands);
        g_signal_connect(contrast, "change-state", G_CALLBACK(change_contrast), commands);
        g_action_map_add_action(G_ACTION_MAP(commands->app), G_ACTION(scheme));
        g_action_map_add_action(G_ACTION_MAP(commands->app), G_ACTION(contrast));
        g_action_map_add_action(G_ACTION_MAP(commands->app), G_ACTION(status));
}

void commands_add(struct commands *commands)
{
        static const GActionEntry entries[] = {
                {.name = "send-text", .activate = send_text, .parameter_type = "s"},
                {.name = "answer-text", .activate = answer_text, .parameter_type = "(xs)"},
                {.name = "edit-text", .activate = edit_text, .parameter_type = "(xs)"},
                {.name = "erase", .activate = erase_message, .parameter_type = "x"},
                {.name = "press", .activate = press_choice, .parameter_type = "(xs)"},
                {.name = "fill", .activate = fill_form, .parameter_type = "(xa{ss})"},
                {.name = "rate", .activate = rate, .parameter_type = "(xis)"},
                {.name = "say", .activate = say, .parameter_type = "(xa{ss}s)"},
                {.name = "retry-failed", .activate = retry_failed},
                {.name = "discard-failed", .activate = discard_failed},
                {.name = "attach", .activate = attach, .parameter_type = "s"},
                {.name = "send-draft", .activate = send_draft},
                {.name = "to-end", .activate = to_end},
                {.name = "show-message", .activate = show_message, .parameter_type = "x"},
                {.name = "network-changed", .activate = network_changed},
                {.name = "save", .activate = save},
                {.name = "save-to", .activate = save_to, .parameter_type = "s"},
                {.name = "quit", .activate = quit},
        };
        static const struct {
                const char *action, *keys[2];
        } accels[] = {
                {"app.quit", {"<Ctrl>q", NULL}},
                {"app.save", {"<Ctrl>s", NULL}},
                {"app.to-end", {"<Ctrl>End", NULL}},
                {"app.network-changed", {"<Ctrl>r", NULL}},
        };

        g_action_map_add_action_entries(G_ACTION_MAP(commands->app), entries, G_N_ELEMENTS(entries), commands);
        add_states(commands);
        for (size_t i = 0; i < G_N_ELEMENTS(accels); i++)
                gtk_application_set_accels_for_action(commands->app, accels[i].action, accels[i].keys);
}
