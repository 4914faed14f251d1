/* SPDX-License-Identifier: Apache-2.0 */
/* The style sheet names colours; a palette gives them values. The system's wish comes from the settings portal, which
 * is asked in the background: without one, GTK's own setting counts. */
#include "appearance.h"

#include <string.h>

#define PORTAL          "org.freedesktop.portal.Desktop"
#define PORTAL_PATH     "/org/freedesktop/portal/desktop"
#define PORTAL_SETTINGS "org.freedesktop.portal.Settings"
#define NAMESPACE       "org.freedesktop.appearance"

struct appearance {
        char *path;
        const char *scheme;
        bool wants_contrast;
        bool system_dark, system_contrast; /* the portal's */
        bool settings_dark;                /* GTK's, as it was before we changed it */
        GtkCssProvider *style, *palette;
        GDBusProxy *portal;
        GCancellable *cancellable;
};

static void apply(struct appearance *appearance)
{
        GtkSettings *settings = gtk_settings_get_default();
        g_autofree char *theme = NULL;

        g_object_get(settings, "gtk-theme-name", &theme, NULL);
        bool is_system = strcmp(appearance->scheme, "system") == 0;
        bool is_dark = is_system ? appearance->system_dark || appearance->settings_dark
                                 : strcmp(appearance->scheme, "dark") == 0;
        bool is_high = appearance->wants_contrast || appearance->system_contrast ||
                       (theme && strstr(theme, "HighContrast") != NULL);
        g_autofree char *resource = g_strdup_printf("/org/deskbell/Support/%s%s.css", is_dark ? "dark" : "light",
                                                    is_high ? "-contrast" : "");

        g_object_set(settings, "gtk-application-prefer-dark-theme", is_dark, NULL);
        gtk_css_provider_load_from_resource(appearance->palette, resource);
}

static void keep(const struct appearance *appearance)
{
        g_autoptr(GKeyFile) file = g_key_file_new();

        g_key_file_set_string(file, "appearance", "scheme", appearance->scheme);
        g_key_file_set_boolean(file, "appearance", "contrast", appearance->wants_contrast);
        if (!g_key_file_save_to_file(file, appearance->path, NULL))
                g_warning("The appearance could not be kept.");
}

static const char *known_scheme(const char *scheme)
{
        if (g_strcmp0(scheme, "dark") == 0)
                return "dark";
        return g_strcmp0(scheme, "light") == 0 ? "light" : "system";
}

void appearance_set_scheme(struct appearance *appearance, const char *scheme)
{
        appearance->scheme = known_scheme(scheme);
        apply(appearance);
        keep(appearance);
}

const char *appearance_scheme(const struct appearance *appearance)
{
        return appearance->scheme;
}

void appearance_set_contrast(struct appearance *appearance, bool is_high)
{
        appearance->wants_contrast = is_high;
        apply(appearance);
        keep(appearance);
}

bool appearance_contrast(const struct appearance *appearance)
{
        return appearance->wants_contrast;
}

/* ---- the system's wish ------------------------------------------------------------------------------------------- */

/* The portal wraps some values once more. */
static void take_setting(struct appearance *appearance, const char *key, GVariant *value)
{
        g_autoptr(GVariant) bare = g_variant_ref(value);

        while (g_variant_is_of_type(bare, G_VARIANT_TYPE_VARIANT)) {
                GVariant *inner = g_variant_get_variant(bare);
                g_variant_unref(bare);
                bare = inner;
        }
        if (!g_variant_is_of_type(bare, G_VARIANT_TYPE_UINT32))
                return;
        if (strcmp(key, "color-scheme") == 0)
                appearance->system_dark = g_variant_get_uint32(bare) == 1;
        else if (strcmp(key, "contrast") == 0)
                appearance->system_contrast = g_variant_get_uint32(bare) == 1;
        else
                return;
        apply(appearance);
}

static void on_portal_signal(GDBusProxy *proxy, const char *sender, const char *signal, GVariant *args, gpointer data)
{
        const char *space, *key;
        g_autoptr(GVariant) value = NULL;

        (void)proxy;
        (void)sender;
        if (strcmp(signal, "SettingChanged") != 0 || !g_variant_is_of_type(args, G_VARIANT_TYPE("(ssv)")))
                return;
        g_variant_get(args, "(&s&sv)", &space, &key, &value);
        if (strcmp(space, NAMESPACE) == 0)
                take_setting(data, key, value);
}

static void on_read(GObject *source, GAsyncResult *result, gpointer data)
{
        g_autoptr(GVariant) answer = g_dbus_proxy_call_finish(G_DBUS_PROXY(source), result, NULL);
        GVariantIter *keys = NULL;
        const char *space;

        if (!answer || !g_variant_is_of_type(answer, G_VARIANT_TYPE("(a{sa{sv}})")))
                return; /* cancelled, or no such portal */
        g_autoptr(GVariant) spaces = g_variant_get_child_value(answer, 0);
        GVariantIter iter;
        g_variant_iter_init(&iter, spaces);
        while (g_variant_iter_next(&iter, "{&sa{sv}}", &space, &keys)) {
                const char *key;
                GVariant *value;
                while (g_variant_iter_next(keys, "{&sv}", &key, &value)) {
                        take_setting(data, key, value);
                        g_variant_unref(value);
                }
                g_variant_iter_free(keys);
        }
}

static void on_portal(GObject *source, GAsyncResult *result, gpointer data)
{
        struct appearance *appearance;
        static const char *const spaces[] = {NAMESPACE, NULL};
        GDBusProxy *portal = g_dbus_proxy_new_for_bus_finish(result, NULL);

        (void)source;
        if (!portal)
                return; /* cancelled: `data` may be gone */
        appearance = data;
        appearance->portal = portal;
        g_signal_connect(portal, "g-signal", G_CALLBACK(on_portal_signal), appearance);
        g_dbus_proxy_call(portal, "ReadAll", g_variant_new("(^as)", spaces), G_DBUS_CALL_FLAGS_NO_AUTO_START, 2000,
                          appearance->cancellable, on_read, appearance);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct appearance *appearance_new(const char *path)
{
        struct appearance *appearance = g_new0(struct appearance, 1);
        g_autoptr(GKeyFile) file = g_key_file_new();
        gboolean is_dark = FALSE;

        appearance->path = g_strdup(path);
        g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL);
        g_autofree char *scheme = g_key_file_get_string(file, "appearance", "scheme", NULL);
        appearance->scheme = known_scheme(scheme);
        appearance->wants_contrast = g_key_file_get_boolean(file, "appearance", "contrast", NULL);
        g_object_get(gtk_settings_get_default(), "gtk-application-prefer-dark-theme", &is_dark, NULL);
        appearance->settings_dark = is_dark;
        appearance->palette = gtk_css_provider_new();
        appearance->style = gtk_css_provider_new();
        gtk_css_provider_load_from_resource(appearance->style, "/org/deskbell/Support/style.css");
        gtk_style_context_add_provider_for_display(gdk_display_get_default(), GTK_STYLE_PROVIDER(appearance->palette),
                                                   GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
        gtk_style_context_add_provider_for_display(gdk_display_get_default(), GTK_STYLE_PROVIDER(appearance->style),
                                                   GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
        apply(appearance);
        appearance->cancellable = g_cancellable_new();
        g_dbus_proxy_new_for_bus(G_BUS_TYPE_SESSION,
                                 G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES | G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START, NULL,
                                 PORTAL, PORTAL_PATH, PORTAL_SETTINGS, appearance->cancellable, on_portal, appearance);
        return appearance;
}

struct appearance *appearance_free(struct appearance *appearance)
{
        if (!appearance)
                return NULL;
        g_cancellable_cancel(appearance->cancellable);
        g_object_unref(appearance->cancellable);
        if (appearance->portal)
                g_signal_handlers_disconnect_by_data(appearance->portal, appearance);
        g_clear_object(&appearance->portal);
        g_object_unref(appearance->palette);
        g_object_unref(appearance->style);
        g_free(appearance->path);
        g_free(appearance);
        return NULL;
}
