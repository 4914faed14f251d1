/* SPDX-License-Identifier: Apache-2.0 */
/* One label, one button. The countdown ticks only while it is seen. */
#include "banner.h"

#include <string.h>

enum { SAID_S = 6 };

enum button { BUTTON_NONE, BUTTON_TRY, BUTTON_TOKEN };

struct banner {
        struct banner_listener listener;
        GtkWidget *root, *spinner, *label, *button, *token_button, *token;
        enum deskbell_connection connection;
        char why[32];
        gint64 retry_at_us, said_until_us;
        char *said;
        guint timer;
        bool was_online;
};

static void refresh(struct banner *banner);

const char *banner_word(enum deskbell_connection connection)
{
        switch (connection) {
        case DESKBELL_ONLINE:
                return "Online";
        case DESKBELL_CONNECTING:
                return "Connecting…";
        case DESKBELL_DELAYED:
                return "The server is busy";
        case DESKBELL_NEEDS_TOKEN:
                return "Signed out";
        case DESKBELL_STOPPED:
                return "Disconnected";
        default:
                return "Offline";
        }
}

/* Why nothing more will be tried. */
static const char *stopped_text(const char *why)
{
        if (strcmp(why, "replaced") == 0)
                return "This conversation was opened in another window.";
        if (strcmp(why, "revoked") == 0)
                return "Access to this conversation was withdrawn.";
        if (strcmp(why, "upgrade_required") == 0)
                return "This program is too old for the server. Please update it.";
        if (strcmp(why, "other_user") == 0)
                return "The token belongs to another user.";
        return "Disconnected.";
}

static int seconds_left(const struct banner *banner)
{
        gint64 left_us = banner->retry_at_us - g_get_monotonic_time();

        return left_us > 0 ? (int)((left_us + 999999) / 1000000) : 0;
}

static char *state_text(const struct banner *banner, enum button *out_button)
{
        int left = seconds_left(banner);

        *out_button = BUTTON_NONE;
        switch (banner->connection) {
        case DESKBELL_ONLINE:
        case DESKBELL_DISCONNECTED:
                return NULL;
        case DESKBELL_CONNECTING:
                return banner->was_online ? g_strdup("Connecting again…") : NULL;
        case DESKBELL_WAITING:
                *out_button = BUTTON_TRY;
                return left > 0 ? g_strdup_printf("No connection. Next try in %d s.", left)
                                : g_strdup("No connection. Trying…");
        case DESKBELL_DELAYED:
                return g_strdup_printf("The server is busy. Back in %d s.", left);
        case DESKBELL_NEEDS_TOKEN:
                *out_button = BUTTON_TOKEN;
                return g_strdup("Please sign in again to go on.");
        default:
                *out_button = strcmp(banner->why, "upgrade_required") == 0 ? BUTTON_NONE : BUTTON_TRY;
                return g_strdup(stopped_text(banner->why));
        }
}

static gboolean on_second(gpointer data)
{
        struct banner *banner = data;

        banner->timer = 0;
        refresh(banner);
        return G_SOURCE_REMOVE;
}

static void refresh(struct banner *banner)
{
        bool is_said = banner->said && g_get_monotonic_time() < banner->said_until_us;
        enum button button = BUTTON_NONE;
        g_autofree char *text = is_said ? g_strdup(banner->said) : state_text(banner, &button);
        bool counts = banner->connection == DESKBELL_WAITING || banner->connection == DESKBELL_DELAYED;

        gtk_revealer_set_reveal_child(GTK_REVEALER(banner->root), text != NULL);
        if (text && strcmp(text, gtk_label_get_text(GTK_LABEL(banner->label))) != 0)
                gtk_label_set_text(GTK_LABEL(banner->label), text);
        gtk_widget_set_visible(banner->button, button == BUTTON_TRY);
        gtk_widget_set_visible(banner->token_button, button == BUTTON_TOKEN);
        gtk_widget_set_visible(banner->spinner, !is_said && banner->connection == DESKBELL_CONNECTING);
        gtk_spinner_set_spinning(GTK_SPINNER(banner->spinner), banner->connection == DESKBELL_CONNECTING);
        g_clear_handle_id(&banner->timer, g_source_remove);
        if (is_said || (counts && seconds_left(banner) > 0))
                banner->timer = g_timeout_add(is_said ? 500 : 1000, on_second, banner);
}

void banner_state(struct banner *banner, const struct deskbell_state *state)
{
        banner->connection = state->connection;
        g_strlcpy(banner->why, state->why, sizeof(banner->why));
        banner->retry_at_us = g_get_monotonic_time() + state->retry_in_ms * 1000;
        banner->was_online =
                banner->was_online || state->connection == DESKBELL_ONLINE || state->connection == DESKBELL_WAITING;
        refresh(banner);
}

void banner_say(struct banner *banner, const char *text)
{
        g_free(banner->said);
        banner->said = g_strdup(text);
        banner->said_until_us = g_get_monotonic_time() + (gint64)SAID_S * 1000000;
        refresh(banner);
}

const char *banner_text(const struct banner *banner)
{
        bool is_shown = gtk_revealer_get_reveal_child(GTK_REVEALER(banner->root));

        return is_shown ? gtk_label_get_text(GTK_LABEL(banner->label)) : "";
}

/* ---- building ---------------------------------------------------------------------------------------------------- */

static void on_button(GtkButton *button, gpointer data)
{
        struct banner *banner = data;

        (void)button;
        banner->listener.try_now(banner->listener.data);
}

static void on_token(GtkWidget *widget, gpointer data)
{
        struct banner *banner = data;
        const char *token = gtk_editable_get_text(GTK_EDITABLE(banner->token));

        (void)widget;
        if (*token)
                banner->listener.set_token(banner->listener.data, token);
        gtk_editable_set_text(GTK_EDITABLE(banner->token), "");
        gtk_menu_button_popdown(GTK_MENU_BUTTON(banner->token_button));
}

static GtkWidget *build_token(struct banner *banner)
{
        GtkWidget *popover = gtk_popover_new(), *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
        GtkWidget *accept = gtk_button_new_with_label("Sign in");

        banner->token = gtk_password_entry_new();
        g_object_set(banner->token, "placeholder-text", "Token", "activates-default", FALSE, NULL);
        gtk_box_append(GTK_BOX(box), banner->token);
        gtk_box_append(GTK_BOX(box), accept);
        gtk_popover_set_child(GTK_POPOVER(popover), box);
        g_signal_connect(banner->token, "activate", G_CALLBACK(on_token), banner);
        g_signal_connect(accept, "clicked", G_CALLBACK(on_token), banner);
        banner->token_button = gtk_menu_button_new();
        gtk_menu_button_set_label(GTK_MENU_BUTTON(banner->token_button), "Sign in…");
        gtk_menu_button_set_popover(GTK_MENU_BUTTON(banner->token_button), popover);
        return banner->token_button;
}

struct banner *banner_new(const struct banner_listener *listener)
{
        struct banner *banner = g_new0(struct banner, 1);
        GtkWidget *row = g_object_new(GTK_TYPE_BOX, "spacing", 8, "accessible-role", GTK_ACCESSIBLE_ROLE_STATUS, NULL);

        banner->listener = *listener;
        banner->spinner = gtk_spinner_new();
        banner->label = gtk_label_new("");
        gtk_label_set_wrap(GTK_LABEL(banner->label), TRUE);
        gtk_label_set_xalign(GTK_LABEL(banner->label), 0);
        gtk_widget_set_hexpand(banner->label, TRUE);
        banner->button = gtk_button_new_with_label("Try now");
        g_signal_connect(banner->button, "clicked", G_CALLBACK(on_button), banner);
        GtkWidget *parts[] = {banner->spinner, banner->label, banner->button, build_token(banner)};
        for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
                gtk_widget_set_valign(parts[i], GTK_ALIGN_CENTER);
                gtk_box_append(GTK_BOX(row), parts[i]);
        }
        gtk_widget_add_css_class(row, "banner");
        banner->root = g_object_ref_sink(gtk_revealer_new());
        gtk_revealer_set_child(GTK_REVEALER(banner->root), row);
        return banner;
}

struct banner *banner_free(struct banner *banner)
{
        if (!banner)
                return NULL;
        g_clear_handle_id(&banner->timer, g_source_remove);
        g_object_unref(banner->root);
        g_free(banner->said);
        g_free(banner);
        return NULL;
}

GtkWidget *banner_widget(struct banner *banner)
{
        return banner->root;
}
