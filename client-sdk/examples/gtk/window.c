/* SPDX-License-Identifier: Apache-2.0 */
/* Puts the parts together and says what the talk's events mean for them. Read is what the user could see: the window is
 * active and shows the end. The line of new messages stands where reading stopped until the user has answered or gone.
 */
#include <string.h>

#include "clamp.h"
#include "markup.h"
#include "window_private.h"

enum { DEFAULT_WIDTH = 460, DEFAULT_HEIGHT = 720, MIN_WIDTH = 360 };

/* ---- reading ----------------------------------------------------------------------------------------------------- */

bool window_is_seen(const struct window *window)
{
        return window->is_opened && gtk_window_is_active(GTK_WINDOW(window->widget)) &&
               scroller_is_at_end(window->scroller);
}

void window_refresh_unread(struct window *window)
{
        struct transcript *transcript = talk_transcript(window->talk);

        if (window_is_seen(window)) {
                talk_read(window->talk, transcript_newest(transcript));
                g_application_withdraw_notification(G_APPLICATION(window->app), "message");
        }
        scroller_set_unread(window->scroller, transcript_unread(transcript, talk_read_mark(window->talk)));
        window_touch_status(window);
}

static void divide_if_unread(struct window *window)
{
        struct transcript *transcript = talk_transcript(window->talk);

        if (!transcript_is_divided(transcript) && transcript_unread(transcript, talk_read_mark(window->talk)) > 0)
                transcript_divide(transcript, talk_read_mark(window->talk));
}

static void on_active(GtkWindow *widget, GParamSpec *spec, gpointer data)
{
        struct window *window = data;
        struct transcript *transcript = talk_transcript(window->talk);

        (void)spec;
        if (!gtk_window_is_active(widget) && transcript_unread(transcript, talk_read_mark(window->talk)) == 0)
                transcript_divide(transcript, -1);
        window_refresh_unread(window);
}

static void on_end_reached(void *data, bool is_end)
{
        (void)is_end;
        window_refresh_unread(data);
}

/* ---- what the talk tells ----------------------------------------------------------------------------------------- */

static void show_presence(struct window *window, enum deskbell_connection connection)
{
        bool is_online = connection == DESKBELL_ONLINE;
        const char *word = banner_word(connection);

        if (is_online && window->team != TEAM_UNKNOWN)
                word = window->team == TEAM_HERE ? "We are here" : "We answer when we are back";
        gtk_label_set_text(GTK_LABEL(window->subtitle), word);
        gtk_widget_remove_css_class(window->presence, "online");
        gtk_widget_remove_css_class(window->presence, "trouble");
        if (!is_online)
                gtk_widget_add_css_class(window->presence, "trouble");
        else if (window->team != TEAM_AWAY)
                gtk_widget_add_css_class(window->presence, "online");
}

static void on_state(void *data, const struct deskbell_state *state)
{
        struct window *window = data;
        bool is_online = state->connection == DESKBELL_ONLINE;

        banner_state(window->banner, state);
        if (!is_online) {
                window->team = TEAM_UNKNOWN;
                g_clear_pointer(&window->typing, g_free);
                scroller_set_typing(window->scroller, NULL);
        }
        show_presence(window, state->connection);
        window_touch_status(window);
}

static void on_presence(void *data, bool is_here)
{
        struct window *window = data;

        window->team = is_here ? TEAM_HERE : TEAM_AWAY;
        show_presence(window, talk_connection(window->talk));
}

static void on_opened(void *data)
{
        struct window *window = data;

        window->is_opened = true;
        divide_if_unread(window);
        scroller_to_end(window->scroller);
        window_refresh_unread(window);
}

static void notify(struct window *window, const struct deskbell_entry *entry)
{
        g_autofree char *name = markup_clean_line(*entry->name ? entry->name : "Support");
        g_autofree char *body = markup_preview(*entry->text ? entry->text : entry->title, 160);
        g_autoptr(GNotification) notification = g_notification_new(name);

        g_notification_set_body(notification, body);
        g_application_send_notification(G_APPLICATION(window->app), "message", notification);
}

static void on_entry(void *data, const struct deskbell_entry *entry)
{
        struct window *window = data;
        bool is_news = !entry->is_mine && entry->number > talk_read_mark(window->talk) && entry->log == DESKBELL_PUBLIC;

        if (is_news && !window_is_seen(window)) {
                divide_if_unread(window);
                if (talk_is_caught_up(window->talk) && entry->kind < DESKBELL_KIND_EDIT)
                        notify(window, entry);
        }
        window_refresh_unread(window);
}

static void on_message(void *data, const struct deskbell_message *message)
{
        struct window *window = data;
        bool has_failed = message->state == DESKBELL_FAILED || message->state == DESKBELL_EXPIRED;

        if (has_failed && message->operation == DESKBELL_OP_EDIT)
                banner_say(window->banner,
                           "Your change was not accepted: the message was changed or can no longer be.");
        else if (has_failed && message->operation == DESKBELL_OP_ERASE)
                banner_say(window->banner, "The message could not be deleted.");
        window_touch_status(window);
}

static void on_marks(void *data)
{
        window_refresh_unread(data);
}

static void on_typing(void *data, const char *name, bool is_typing)
{
        struct window *window = data;

        g_free(window->typing);
        window->typing = is_typing ? markup_clean_line(name) : NULL;
        scroller_set_typing(window->scroller, window->typing);
        window_touch_status(window);
}

static void on_notice(void *data, enum deskbell_notice notice, const char *detail)
{
        struct window *window = data;
        g_autofree char *refused = NULL;

        switch (notice) {
        case DESKBELL_NOTICE_STORE_FAILING:
                banner_say(window->banner, "This computer's disk is full or fails: new messages cannot be kept.");
                break;
        case DESKBELL_NOTICE_STORE_SET_ASIDE:
                banner_say(window->banner, "The messages kept here were damaged and are being fetched again.");
                break;
        case DESKBELL_NOTICE_CONVERSATION_REFUSED:
                refused = g_strdup_printf("This conversation cannot be opened (%s).", detail);
                banner_say(window->banner, refused);
                break;
        case DESKBELL_NOTICE_CLAIM_REFUSED:
                banner_say(window->banner, "What was said here before signing in could not be taken over.");
                break;
        default:
                break;
        }
        window_touch_status(window);
}

/* ---- older messages ---------------------------------------------------------------------------------------------- */

static void ask_for_more(struct window *window)
{
        if (!window->is_opened)
                return;
        talk_more(window->talk);
        scroller_set_loading(window->scroller, talk_is_loading(window->talk));
        window_touch_status(window);
}

static void on_near_top(void *data)
{
        ask_for_more(data);
}

static void on_to_end(void *data)
{
        struct window *window = data;

        window->wanted = 0;
        composer_focus(window->composer);
}

/* One page may follow another until the message that was asked for is there. */
void window_show_message(struct window *window, int64_t number)
{
        struct transcript *transcript = talk_transcript(window->talk);
        unsigned position;

        window->wanted = 0;
        if (transcript_find(transcript, number, &position)) {
                scroller_show(window->scroller, position);
        } else if (number > 0 && number < transcript_oldest(transcript)) {
                window->wanted = number;
                ask_for_more(window);
                if (!talk_is_loading(window->talk)) {
                        window->wanted = 0;
                        banner_say(window->banner, "That message is not here and cannot be fetched now.");
                }
        }
}

static void on_page(void *data, int error)
{
        struct window *window = data;

        scroller_set_loading(window->scroller, talk_is_loading(window->talk));
        if (error == DESKBELL_OK && window->wanted)
                window_show_message(window, window->wanted);
        else if (error != DESKBELL_OK)
                window->wanted = 0;
        window_touch_status(window);
}

void window_to_end(struct window *window)
{
        scroller_to_end(window->scroller);
        window_refresh_unread(window);
}

/* ---- building ---------------------------------------------------------------------------------------------------- */

static void on_try_now(void *data)
{
        struct window *window = data;

        if (talk_connection(window->talk) == DESKBELL_STOPPED)
                talk_connect(window->talk);
        else
                talk_network_changed(window->talk);
}

static void on_token(void *data, const char *token)
{
        struct window *window = data;

        window_say_error(window, talk_set_token(window->talk, token));
}

static GMenuModel *build_menu(void)
{
        GMenu *menu = g_menu_new(), *colours = g_menu_new(), *doing = g_menu_new(), *end = g_menu_new();

        g_menu_append(colours, "Like the system", "app.appearance::system");
        g_menu_append(colours, "Light", "app.appearance::light");
        g_menu_append(colours, "Dark", "app.appearance::dark");
        g_menu_append(colours, "High contrast", "app.contrast");
        g_menu_append(doing, "To the newest message", "app.to-end");
        g_menu_append(doing, "Save conversation…", "app.save");
        g_menu_append(end, "Quit", "app.quit");
        GMenu *parts[] = {colours, doing, end};
        for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
                g_menu_append_section(menu, NULL, G_MENU_MODEL(parts[i]));
                g_object_unref(parts[i]);
        }
        return G_MENU_MODEL(menu);
}

static GtkWidget *build_title(struct window *window)
{
        GtkWidget *column = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0), *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
        GtkWidget *title = gtk_label_new("Support");

        gtk_widget_add_css_class(title, "head-title");
        window->presence = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0);
        gtk_widget_add_css_class(window->presence, "presence");
        gtk_widget_set_valign(window->presence, GTK_ALIGN_CENTER);
        window->subtitle = gtk_label_new(banner_word(DESKBELL_CONNECTING));
        gtk_label_set_ellipsize(GTK_LABEL(window->subtitle), PANGO_ELLIPSIZE_END);
        gtk_widget_add_css_class(window->subtitle, "head-note");
        gtk_box_append(GTK_BOX(row), window->presence);
        gtk_box_append(GTK_BOX(row), window->subtitle);
        gtk_widget_set_halign(row, GTK_ALIGN_CENTER);
        gtk_box_append(GTK_BOX(column), title);
        gtk_box_append(GTK_BOX(column), row);
        gtk_widget_set_valign(column, GTK_ALIGN_CENTER);
        return column;
}

static GtkWidget *build_bar(struct window *window)
{
        GtkWidget *bar = gtk_header_bar_new(), *button = gtk_menu_button_new();
        GMenuModel *menu = build_menu();

        gtk_header_bar_set_title_widget(GTK_HEADER_BAR(bar), build_title(window));
        gtk_menu_button_set_icon_name(GTK_MENU_BUTTON(button), "open-menu-symbolic");
        gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(button), menu);
        gtk_menu_button_set_primary(GTK_MENU_BUTTON(button), TRUE);
        gtk_menu_button_set_has_frame(GTK_MENU_BUTTON(button), FALSE);
        gtk_widget_set_tooltip_text(button, "Menu (F10)");
        gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL, "Menu", -1);
        gtk_header_bar_pack_end(GTK_HEADER_BAR(bar), button);
        g_object_unref(menu);
        return bar;
}

static void build(struct window *window, const struct talk_options *options)
{
        const struct scroller_listener scrolling = {window, on_near_top, on_end_reached, on_to_end};
        const struct banner_listener connection = {window, on_try_now, on_token};
        const struct composer_listener writing = window_composer_listener(window);
        g_autofree char *drafts = g_build_filename(options->data_dir, "drafts.ini", NULL);
        GtkWidget *column = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);

        window->banner = banner_new(&connection);
        window->scroller = scroller_new(talk_transcript(window->talk), &window->row_actions, &scrolling);
        window->composer = composer_new(drafts, options->key, &writing);
        gtk_box_append(GTK_BOX(column), banner_widget(window->banner));
        gtk_box_append(GTK_BOX(column), scroller_widget(window->scroller));
        gtk_box_append(GTK_BOX(column), composer_widget(window->composer));
        gtk_widget_set_vexpand(scroller_widget(window->scroller), TRUE);

        window->widget = g_object_ref_sink(gtk_application_window_new(window->app));
        gtk_window_set_title(GTK_WINDOW(window->widget), "Support");
        gtk_window_set_default_size(GTK_WINDOW(window->widget), DEFAULT_WIDTH, DEFAULT_HEIGHT);
        gtk_widget_set_size_request(window->widget, MIN_WIDTH, -1);
        gtk_window_set_titlebar(GTK_WINDOW(window->widget), build_bar(window));
        gtk_window_set_child(GTK_WINDOW(window->widget), column);
        gtk_widget_add_css_class(window->widget, "support");
        window_accept_drops(window);
        g_signal_connect(window->widget, "notify::is-active", G_CALLBACK(on_active), window);
}

struct window *window_new(GtkApplication *app, const struct talk_options *options, int *out_error)
{
        struct window *window = g_new0(struct window, 1);
        const struct talk_listener listener = {
                .data = window,
                .on_state = on_state,
                .on_opened = on_opened,
                .on_entry = on_entry,
                .on_message = on_message,
                .on_marks = on_marks,
                .on_presence = on_presence,
                .on_typing = on_typing,
                .on_notice = on_notice,
                .on_page = on_page,
        };

        window->app = app;
        window_fill_actions(window);
        window->talk = talk_new(options, &listener, out_error);
        if (!window->talk)
                return window_free(window);
        g_autofree char *files = g_build_filename(options->data_dir, "files", NULL);
        window->shelf = shelf_new(window->talk, files);
        build(window, options);
        composer_focus(window->composer);
        return window;
}

/* Widgets go first: nothing of ours is called any more when the rest goes. */
struct window *window_free(struct window *window)
{
        if (!window)
                return NULL;
        if (window->widget) {
                g_signal_handlers_disconnect_by_data(window->widget, window);
                gtk_window_destroy(GTK_WINDOW(window->widget));
                g_object_unref(window->widget);
        }
        composer_free(window->composer);
        scroller_free(window->scroller);
        banner_free(window->banner);
        shelf_free(window->shelf);
        talk_free(window->talk);
        g_clear_handle_id(&window->status_idle, g_source_remove);
        g_free(window->typing);
        g_free(window);
        return NULL;
}

void window_present(struct window *window)
{
        gtk_window_present(GTK_WINDOW(window->widget));
}

GtkWindow *window_widget(struct window *window)
{
        return GTK_WINDOW(window->widget);
}

struct talk *window_talk(struct window *window)
{
        return window->talk;
}
