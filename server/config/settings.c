/* SPDX-License-Identifier: Apache-2.0 */
/* The table of settings: the one place where a setting is described. A new one needs a member in struct config and a
 * row here; reading, printing, overriding and comparing follow. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_private.h"

#define AT(member) offsetof(struct config, member)

/* clang-format off */
const struct setting settings[] = {
        { "listen", "listen", SETTING_LIST, false, 0, 0, AT(listen), "127.0.0.1:8787", "ADDRESS:PORT",
          "Where clients connect; several are separated by spaces. Addresses are numbers; v6 in brackets; port 0 = any.\n"
          "Beyond loopback needs cert and key, or insecure_dev." },
        { "listen", "cert", SETTING_TEXT, false, 0, 0, AT(cert), "", "file",
          "Certificate chain in PEM. Read again on SIGHUP; a pair that does not fit is refused and the old one stays." },
        { "listen", "key", SETTING_TEXT, false, 0, 0, AT(key), "", "file", "Its private key in PEM." },
        { "listen", "hosts", SETTING_LIST, false, 0, 0, AT(hosts), "", "names",
          "Host names clients may ask for besides the addresses above, without port. None = any." },
        { "listen", "insecure_dev", SETTING_BOOL, false, 0, 0, AT(insecure_dev), "no", "yes or no",
          "Listen beyond loopback without TLS. Tokens and messages can then be read on the way: for development only,\n"
          "or behind a proxy that ends TLS on a private network." },
        { "listen", "public_url", SETTING_TEXT, true, 0, 0, AT(public_url), "", "URL",
          "Base of links that are handed out (invitations). Never taken from a request. Empty = the first address." },
        { "listen", "ops_listen", SETTING_TEXT, false, 0, 0, AT(ops_listen), "127.0.0.1:9464", "ADDRESS:PORT",
          "Where /readyz and /metrics are answered, for your monitoring. Empty = nowhere. A busy port is a warning." },

        { "store", "data", SETTING_TEXT, false, 0, 0, AT(data), "deskbell-data", "folder",
          "Everything the server keeps. One process at a time." },
        { "store", "readers", SETTING_NUMBER, false, 1, 16, AT(readers), "1", "threads",
          "Threads that answer history, feed and list requests." },
        { "store", "quick_check_mb", SETTING_NUMBER, false, 0, 1000000, AT(quick_check_mb), "256", "MiB",
          "After an unclean end a store of up to this size is checked before it is served (about 1 s a GiB, more from a\n"
          "cold disk); of a larger one the log says that `deskbell check` is due. 0 = never." },

        { "limits", "max_connections", SETTING_NUMBER, false, 1, 1000000, AT(max_connections), "20000", "connections",
          "Live connections at once. Bounded by the limit of open files." },
        { "limits", "net_threads", SETTING_NUMBER, false, 0, 64, AT(net_threads), "0", "threads",
          "Network threads. 0 = one less than there are processors, at least one." },
        { "limits", "in_flight", SETTING_NUMBER, true, 1, 4096, AT(in_flight), "16", "requests",
          "Unanswered requests a connection may have." },
        { "limits", "rate_messages_per_s", SETTING_NUMBER, true, 1, 1000000, AT(rate_messages_per_s), "20",
          "messages a second", "What one principal may send in the long run." },
        { "limits", "rate_burst", SETTING_NUMBER, true, 1, 1000000, AT(rate_burst), "40", "messages",
          "What it may send at once after a pause." },
        { "limits", "handshakes_per_minute", SETTING_NUMBER, false, 1, 1000000, AT(handshakes_per_minute), "100",
          "handshakes", "Unfinished or failed handshakes of one address (v6: one /64) a minute. Logging in gives it back." },
        { "limits", "pending_per_address", SETTING_NUMBER, false, 1, 1000000, AT(pending_per_address), "64",
          "handshakes", "Unfinished handshakes of one address at once." },
        { "limits", "max_handshakes", SETTING_NUMBER, false, 1, 1000000, AT(max_handshakes), "2000", "handshakes",
          "Unfinished handshakes in all; accepting pauses beyond." },
        { "limits", "visitors_per_minute", SETTING_NUMBER, false, 1, 1000000, AT(visitors_per_minute), "60", "visitors",
          "New visitors of one address (v6: one /64) a minute, on each network thread; beyond it 4029." },
        { "limits", "output_bytes", SETTING_NUMBER, false, 16384, 67108864, AT(output_bytes), "262144", "bytes",
          "Output that may wait for one connection; beyond it pushing stops, after 30 s it is closed with 4008." },
        { "limits", "devices_per_customer", SETTING_NUMBER, true, 1, 1000, AT(devices_per_customer), "10", "devices",
          "Devices of one customer connected at once." },
        { "limits", "devices_per_agent", SETTING_NUMBER, true, 1, 1000, AT(devices_per_agent), "20", "devices",
          "Devices of one agent connected at once." },
        { "limits", "attachment_bytes", SETTING_NUMBER, false, 1, 1073741824, AT(attachment_bytes), "26214400", "bytes",
          "Largest attachment." },
        { "limits", "attachments_per_day", SETTING_NUMBER, false, 1, 1000000, AT(attachments_per_day), "100",
          "attachments", "What one customer may begin to upload in a day; agents and bots ten times as many." },
        { "limits", "attachment_quota_mib", SETTING_NUMBER, false, 0, 1000000000, AT(attachment_quota_mib), "0", "MiB",
          "All attachments together; 0 = as many as the disk holds. 64 MiB of the disk are always left for messages." },

        { "times", "heartbeat_ms", SETTING_NUMBER, false, 1000, 600000, AT(heartbeat_ms), "25000", "ms",
          "How often the server says heartbeat." },
        { "times", "dead_ms", SETTING_NUMBER, false, 1000, 600000, AT(dead_ms), "35000", "ms",
          "Silence after which a connection is closed. More than heartbeat_ms." },
        { "times", "auth_ms", SETTING_NUMBER, false, 100, 60000, AT(auth_ms), "5000", "ms",
          "Time a new connection has to open its session." },
        { "times", "drain_ms", SETTING_NUMBER, true, 0, 600000, AT(drain_ms), "10000", "ms",
          "Time a stopping server gives what is under way." },
        { "times", "retry_days", SETTING_NUMBER, false, 1, 3650, AT(retry_days), "30", "days",
          "How long clients repeat a message that got no answer. Less than key_window_days." },
        { "times", "key_window_days", SETTING_NUMBER, false, 2, 36500, AT(key_window_days), "90", "days",
          "How long a repeated message is recognised at the least, even when it was erased." },

        { "webhooks", "webhook_allow", SETTING_LIST, false, 0, 0, AT(webhook_allow), "", "hosts or networks",
          "Where webhooks may go besides https on port 443 in the public internet: host names, addresses, networks such as\n"
          "10.1.0.0/16. There http and other ports are fine too. Loopback and private networks are refused otherwise." },
        { "webhooks", "webhook_tries_s", SETTING_LIST, false, 0, 0, AT(webhook_tries_s),
          "5 60 300 1800 7200 21600 43200 86400 172800", "seconds",
          "When a webhook that failed is tried again, counted from the first try; then the event is given up." },
        { "webhooks", "webhook_ca", SETTING_TEXT, false, 0, 0, AT(webhook_ca), "", "file",
          "Certificates (PEM) that webhooks trust instead of the system's." },

        { "log", "log_level", SETTING_LEVEL, true, 0, 0, AT(log_level), "info", "debug, info, warn or error",
          "Lines below are not written." },
};
/* clang-format on */

const size_t setting_count = sizeof(settings) / sizeof(settings[0]);

const struct setting *setting_find(struct span key)
{
        for (size_t i = 0; i < setting_count; i++)
                if (span_equal(key, span_of(settings[i].key)))
                        return &settings[i];
        return NULL;
}

static void refuse(const struct setting *setting, struct span value, const char *where, struct config_errors *errors)
{
        int shown = value.len > 64 ? 64 : (int)value.len;

        if (setting->type == SETTING_NUMBER)
                config_error(errors, where, setting->key, "expected a number from %u to %u (%s), not \"%.*s\"",
                             setting->min, setting->max, setting->unit, shown, value.at);
        else
                config_error(errors, where, setting->key, "expected %s, not \"%.*s\"", setting->unit, shown, value.at);
}

static bool read_number(struct span value, uint32_t min, uint32_t max, uint32_t *out)
{
        uint64_t number = 0;

        if (value.len == 0 || value.len > 10)
                return false;
        for (size_t i = 0; i < value.len; i++) {
                if (value.at[i] < '0' || value.at[i] > '9')
                        return false;
                number = number * 10 + (uint64_t)(value.at[i] - '0');
        }
        if (number < min || number > max)
                return false;
        *out = (uint32_t)number;
        return true;
}

static bool read_bool(struct span value, bool *out)
{
        static const char *const words[][2] = {{"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}};

        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                for (int j = 0; j < 2; j++)
                        if (span_equal(value, span_of(words[i][j]))) {
                                *out = j;
                                return true;
                        }
        return false;
}

static size_t list_length(char *const *list)
{
        size_t count = 0;

        while (list && list[count])
                count++;
        return count;
}

static int list_add(char ***list, struct span word)
{
        size_t count = list_length(*list);
        char **longer = realloc(*list, (count + 2) * sizeof(*longer));

        if (!longer)
                return -ENOMEM;
        *list = longer;
        longer[count] = strndup(word.at, word.len);
        longer[count + 1] = NULL;
        return longer[count] ? 0 : -ENOMEM;
}

static bool is_gap(char c)
{
        return c == ' ' || c == ',' || c == '\t';
}

static int put_list(char ***list, struct span value)
{
        size_t at = 0;
        int rc = 0;

        if (!*list && !(*list = calloc(1, sizeof(**list))))
                return -ENOMEM;
        while (rc == 0 && at < value.len) {
                while (at < value.len && is_gap(value.at[at]))
                        at++;
                size_t start = at;
                while (at < value.len && !is_gap(value.at[at]))
                        at++;
                if (at > start)
                        rc = list_add(list, (struct span){value.at + start, at - start});
        }
        return rc;
}

static int put_text(char **text, struct span value)
{
        char *fresh = strndup(value.at, value.len);
        if (!fresh)
                return -ENOMEM;
        free(*text);
        *text = fresh;
        return 0;
}

int setting_put(struct config *config, const struct setting *setting, struct span value, const char *where,
                struct config_errors *errors)
{
        void *at = setting_at(config, setting);
        bool ok = true;

        switch (setting->type) {
        case SETTING_NUMBER:
                ok = read_number(value, setting->min, setting->max, at);
                break;
        case SETTING_BOOL:
                ok = read_bool(value, at);
                break;
        case SETTING_LEVEL:
                ok = log_level_read(value, at) == 0;
                break;
        case SETTING_TEXT:
                return put_text(at, value);
        case SETTING_LIST:
                return put_list(at, value);
        }
        if (!ok)
                refuse(setting, value, where, errors);
        return 0;
}

void setting_clear(struct config *config, const struct setting *setting)
{
        if (setting->type == SETTING_TEXT) {
                char **text = setting_at(config, setting);
                free(*text);
                *text = NULL;
        } else if (setting->type == SETTING_LIST) {
                char ***list = setting_at(config, setting);
                for (size_t i = 0; *list && (*list)[i]; i++)
                        free((*list)[i]);
                free(*list);
                *list = NULL;
        }
}

static int copy_list(struct config *to, const struct config *from, const struct setting *setting)
{
        char ***list = setting_at(to, setting);
        char **source = *(char ***)setting_at(from, setting);
        int rc = put_list(list, SPAN(""));

        for (size_t i = 0; rc == 0 && source && source[i]; i++)
                rc = list_add(list, span_of(source[i]));
        return rc;
}

int setting_copy(struct config *to, const struct config *from, const struct setting *setting)
{
        switch (setting->type) {
        case SETTING_NUMBER:
                *(uint32_t *)setting_at(to, setting) = *(uint32_t *)setting_at(from, setting);
                return 0;
        case SETTING_BOOL:
                *(bool *)setting_at(to, setting) = *(bool *)setting_at(from, setting);
                return 0;
        case SETTING_LEVEL:
                *(enum log_level *)setting_at(to, setting) = *(enum log_level *)setting_at(from, setting);
                return 0;
        case SETTING_TEXT:
                return put_text(setting_at(to, setting), span_of(*(char **)setting_at(from, setting)));
        case SETTING_LIST:
                setting_clear(to, setting);
                return copy_list(to, from, setting);
        }
        return 0;
}

static size_t setting_size(enum setting_type type)
{
        switch (type) {
        case SETTING_NUMBER:
                return sizeof(uint32_t);
        case SETTING_BOOL:
                return sizeof(bool);
        case SETTING_LEVEL:
                return sizeof(enum log_level);
        case SETTING_TEXT:
                return sizeof(char *);
        case SETTING_LIST:
                return sizeof(char **);
        }
        return 0;
}

void setting_swap(struct config *a, struct config *b, const struct setting *setting)
{
        char kept[sizeof(char **)];
        size_t size = setting_size(setting->type);

        memcpy(kept, setting_at(a, setting), size);
        memcpy(setting_at(a, setting), setting_at(b, setting), size);
        memcpy(setting_at(b, setting), kept, size);
}

static bool lists_equal(char *const *a, char *const *b)
{
        size_t count = list_length(a);

        if (count != list_length(b))
                return false;
        for (size_t i = 0; i < count; i++)
                if (strcmp(a[i], b[i]) != 0)
                        return false;
        return true;
}

bool setting_equal(const struct config *a, const struct config *b, const struct setting *setting)
{
        const void *x = setting_at(a, setting), *y = setting_at(b, setting);

        switch (setting->type) {
        case SETTING_NUMBER:
                return *(const uint32_t *)x == *(const uint32_t *)y;
        case SETTING_BOOL:
                return *(const bool *)x == *(const bool *)y;
        case SETTING_LEVEL:
                return *(const enum log_level *)x == *(const enum log_level *)y;
        case SETTING_TEXT:
                return strcmp(*(char *const *)x, *(char *const *)y) == 0;
        case SETTING_LIST:
                return lists_equal(*(char **const *)x, *(char **const *)y);
        }
        return true;
}
