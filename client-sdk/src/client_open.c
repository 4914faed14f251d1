/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing a client: options are checked and copied here, the user's file is named and opened. */
#include "client_private.h"

#include "allocator.h"
#include "seal.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/sha.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_BYTES (INT64_C(256) << 20)

enum { CACHE_LEAST_BYTES = 1 << 20, RANDOM_PAUSE_MS = 10 };

bool client_take_struct(void *out, size_t room, const void *in, size_t least)
{
        size_t size;

        memcpy(&size, in, sizeof(size));
        if (size < least || size > 4096)
                return false;
        memset(out, 0, room);
        memcpy(out, in, size < room ? size : room);
        return true;
}

static size_t base64url_decode(struct span text, char *out)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        uint32_t bits = 0;
        size_t count = 0, len = 0;

        for (size_t i = 0; i < text.len; i++) {
                const char *digit = text.at[i] ? strchr(digits, text.at[i]) : NULL;
                if (!digit)
                        return 0;
                bits = bits << 6 | (uint32_t)(digit - digits);
                if (++count % 4 != 1)
                        out[len++] = (char)(bits >> (6 - 2 * ((count - 1) % 4)));
        }
        return len;
}

/* The subject a user token names, not believed: it only chooses the file. malloc'd, or NULL. */
static char *subject_of(const char *token)
{
        const char *first = strchr(token, '.');
        const char *second = first ? strchr(first + 1, '.') : NULL;
        if (!second || second - first > PROTOCOL_TOKEN_BYTES)
                return NULL;

        char *claims = malloc((size_t)(second - first));
        if (!claims)
                return NULL;
        size_t len = base64url_decode((struct span){first + 1, (size_t)(second - first - 1)}, claims);
        json_auto_t *root = len ? json_loadb(claims, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
        const char *subject = json_string_value(json_object_get(root, "sub"));
        free(claims);
        return subject && *subject ? strdup(subject) : NULL;
}

static int make_dirs(const char *path)
{
        char *copy = strdup(path);
        int rc = 0;
        if (!copy)
                return DESKBELL_E_NOMEM;

        for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                mkdir(copy, 0700); /* whether it worked is seen at the last one */
                *slash = '/';
        }
        if (mkdir(copy, 0700) < 0 && errno != EEXIST)
                rc = DESKBELL_E_STORE;
        free(copy);
        return rc;
}

/* DIR/app_...-<16 hex digits of the user>.deskbell */
static int file_path(const struct deskbell_options *options, char **out_path)
{
        uint8_t hash[SHA256_DIGEST_LENGTH];
        char hex[17], *who = NULL, *subject = NULL;
        const char *user = options->user;
        int rc = make_dirs(options->data_dir);
        if (rc < 0)
                return rc;

        if (!user && options->token)
                user = subject = subject_of(options->token);
        if (!user)
                user = "default";
        const char *kind = options->is_visitor ? "visitor" : options->agent_token ? "agent" : "user";
        if (asprintf(&who, "%s:%s", kind, user) < 0)
                who = NULL;
        free(subject);
        if (!who)
                return DESKBELL_E_NOMEM;
        SHA256((const uint8_t *)who, strlen(who), hash);
        free(who);
        for (int i = 0; i < 8; i++)
                snprintf(hex + 2 * i, 3, "%02x", hash[i]);
        return asprintf(out_path, "%s/%s-%s.deskbell", options->data_dir, options->app, hex) < 0 ? DESKBELL_E_NOMEM : 0;
}

/* Opens the file of the visitor that is to be claimed, when there is one. */
static int open_visitor(struct deskbell_client *client, const struct deskbell_options *options,
                        struct cache **out_cache, bool *out_is_other_key)
{
        struct deskbell_options visitor = {.app = options->app, .data_dir = options->data_dir, .is_visitor = 1};
        char *aside = NULL;
        int rc;

        if (!options->claims_visitor || !options->data_dir)
                return 0;
        rc = file_path(&visitor, &client->visitor_path);
        if (rc < 0 || access(client->visitor_path, F_OK) < 0)
                return rc;
        rc = cache_open_sealed(client->visitor_path, options->store_key, client_wall_ms(client), out_cache, &aside);
        free(aside);
        *out_is_other_key = rc == DESKBELL_E_KEY; /* that need not keep the user out */
        return rc == DESKBELL_E_KEY ? 0 : rc;
}

/* What was claimed stands in the user's file, on disk. The lock's file stays: somebody may wait for it. */
static void remove_visitor(struct deskbell_client *client)
{
        static const char *const tails[] = {"", "-wal", "-shm"};
        char *path = NULL;

        for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
                if (asprintf(&path, "%s%s", client->visitor_path, tails[i]) < 0)
                        return;
                unlink(path);
                free(path);
        }
}

static bool fits(const char *text, size_t max)
{
        return !text || strlen(text) <= max;
}

static bool is_url(const char *url)
{
        return url && strlen(url) <= PROTOCOL_URL_BYTES &&
               (strncmp(url, "ws://", 5) == 0 || strncmp(url, "wss://", 6) == 0);
}

static bool are_valid(const struct deskbell_options *options, uint64_t *out_app)
{
        int ways = (options->token || options->on_token) + (options->is_visitor != 0);

        ways += options->agent_token && !options->token && !options->on_token;
        if (options->agent_token && options->token)
                return false;
        if (ways != 1 || (options->is_visitor && options->agent_token))
                return false;
        if (options->claims_visitor && (options->is_visitor || options->agent_token))
                return false;
        if (!options->app || id_read(span_of(options->app), "app", out_app) < 0)
                return false;
        if (!options->transport && !is_url(options->url))
                return false;
        if (options->transport &&
            (!options->transport->open || !options->transport->send || !options->transport->close ||
             !options->transport->resume || options->transport->size < offsetof(struct deskbell_transport, http)))
                return false;
        if (options->first_page < -1 || options->first_page > PROTOCOL_PAGE_ROWS || options->snapshot < -1 ||
            options->snapshot > 100000)
                return false;
        if (options->cache_max_bytes < -1 ||
            (options->cache_max_bytes > 0 && options->cache_max_bytes < CACHE_LEAST_BYTES))
                return false;
        if (options->cache_max_entries_per_conversation != 0 &&
            (options->cache_max_entries_per_conversation < 50 || options->cache_max_entries_per_conversation > 1000000))
                return false;
        if (options->store_key ? options->store_key_len != SEAL_KEY_BYTES : options->store_key_len != 0)
                return false;
        if (!client_answers_are_valid(options))
                return false;
        return fits(options->user, 128) && fits(options->locale, 35) && fits(options->client_name, 64) &&
               fits(options->client_version, 64) && fits(options->token, PROTOCOL_TOKEN_BYTES) &&
               fits(options->agent_token, PROTOCOL_TOKEN_BYTES);
}

/* ws://host:port has the path of the protocol. */
static char *whole_url(const char *url)
{
        char *whole = NULL;
        const char *path = url ? strchr(strstr(url, "://") + 3, '/') : NULL;

        if (!url)
                return strdup("");
        return asprintf(&whole, "%s%s", url, path ? "" : "/v1/ws") < 0 ? NULL : whole;
}

static void fill_random(void *data, void *bytes, size_t len)
{
        struct deskbell_client *client = data;

        if (client->options.random) {
                pthread_mutex_lock(&client->own_lock);
                client->options.random(client->options.data, bytes, len);
                pthread_mutex_unlock(&client->own_lock);
                return;
        }
        while (!platform_random(bytes, len)) /* it was there when the client was opened */
                poll(NULL, 0, RANDOM_PAUSE_MS);
}

static void write_log(void *data, enum deskbell_level level, const char *line)
{
        struct deskbell_client *client = data;

        if (client->options.on_log)
                client->options.on_log(level, line, client->options.data);
}

static int make_machine(struct deskbell_client *client, const struct deskbell_options *options, uint64_t app)
{
        struct machine_settings settings = {
                .app = app,
                .is_visitor = options->is_visitor != 0,
                .is_staff = options->agent_token != NULL,
                .asks_for_token = options->on_token != NULL,
                .token = options->agent_token ? options->agent_token : options->token,
                .locale = options->locale,
                .client_name = options->client_name ? options->client_name : "libdeskbell",
                .client_version = options->client_version ? options->client_version : DESKBELL_VERSION,
                .manual_ack = options->manual_ack != 0,
                .with_team_log = options->with_team_log != 0,
                .first_page = options->first_page ? options->first_page : 50,
                .snapshot = options->snapshot,
                .cache_max_bytes = options->cache_max_bytes ? options->cache_max_bytes : CACHE_BYTES,
                .cache_max_entries = options->cache_max_entries_per_conversation,
                .client = client,
                .random = fill_random,
                .log = write_log,
                .data = client,
        };
        char *path = NULL, *aside = NULL, rescued[24];
        const uint8_t *key = options->store_key;
        struct cache *cache = NULL;
        bool is_other_key = false;
        int rc = options->data_dir ? file_path(options, &path) : 0;

        if (rc == 0)
                rc = cache_open_sealed(path, key, client_wall_ms(client), &cache, &aside);
        if (rc == 0 && path && asprintf(&client->copies_dir, "%s.files", path) < 0) {
                client->copies_dir = NULL;
                rc = DESKBELL_E_NOMEM;
        }
        client->store_path = path;
        settings.has_answers = client->answers.size != 0;
        if (settings.has_answers && client->answers.name)
                snprintf(settings.answers_table, sizeof(settings.answers_table), "%s", client->answers.name);
        if (rc == 0)
                rc = open_visitor(client, options, &settings.visitor, &is_other_key);
        if (rc == 0)
                rc = machine_new(&settings, cache, client_mono_ms(client), client_wall_ms(client), &client->machine);
        if (rc == DESKBELL_E_STORE && cache && cache_is_damaged(cache) && !aside) {
                cache_close(cache); /* damage that only reading has shown: the file is set aside now */
                cache = NULL;
                rc = cache_open_sealed(client->store_path, key, client_wall_ms(client), &cache, &aside);
                if (rc == 0)
                        rc = machine_new(&settings, cache, client_mono_ms(client), client_wall_ms(client),
                                         &client->machine);
        }
        if (rc < 0) {
                cache_close(cache);
                cache_close(settings.visitor);
        }
        client->is_sealed = rc == 0 && cache_is_sealed(cache);
        if (is_other_key && rc == 0) {
                machine_begin(client->machine, client_mono_ms(client), client_wall_ms(client), false);
                machine_say(client->machine, DESKBELL_NOTICE_CLAIM_REFUSED, "key");
                rc = machine_end(client->machine);
        }
        if (rc == 0 && aside) {
                machine_begin(client->machine, client_mono_ms(client), client_wall_ms(client), false);
                machine_say(client->machine, DESKBELL_NOTICE_STORE_SET_ASIDE, aside);
                snprintf(rescued, sizeof(rescued), "%lld", (long long)cache_rescued(cache));
                machine_say(client->machine, DESKBELL_NOTICE_OUTBOX_RESCUED, rescued);
                rc = machine_end(client->machine);
        }
        free(aside);
        return rc;
}

static void forget_strings(struct deskbell_options *options)
{
        options->url = options->app = options->data_dir = options->token = options->agent_token = NULL;
        options->user = options->locale = options->client_name = options->client_version = options->ca_file = NULL;
        options->proxy = NULL;
        options->store_key = NULL;
        options->tls_pins = NULL;
        options->transport = NULL;
        options->answers = NULL;
}

static int open_parts(struct deskbell_client *client, const struct deskbell_options *options, uint64_t app)
{
        char die;
        int rc = 0;

        if (!options->random && !platform_random(&die, sizeof(die)))
                return DESKBELL_E_NOMEM; /* names of messages could meet */
        client->url = whole_url(options->url);
        if (!client->url)
                return DESKBELL_E_NOMEM;
        rc = road_new(client->url, options, &client->road);
        if (rc < 0)
                return rc;
        client->road->log = write_log;
        client->road->log_data = client;
        rc = client_open_answers(client, options);
        if (rc == 0)
                rc = make_machine(client, options, app);
        if (rc < 0)
                return rc;
        if (options->transport)
                client_take_struct(&client->transport, sizeof(client->transport), options->transport,
                                   offsetof(struct deskbell_transport, http));
        else
                rc = transport_lws_new(client->road, &client->transport);
        if (rc < 0)
                return rc;
        rc = client_open_files(client, options);
        if (rc == 0)
                rc = client_start(client);
        if (rc < 0 && !options->transport && client->transport.stop)
                client->transport.stop(client->transport.data);
        return rc;
}

int deskbell_open(const struct deskbell_options *given, deskbell_client **out_client)
{
        struct deskbell_options options;
        uint64_t app = 0;

        if (!given || !out_client ||
            !client_take_struct(&options, sizeof(options), given, offsetof(struct deskbell_options, locale)) ||
            !are_valid(&options, &app))
                return DESKBELL_E_INVALID;
        allocator_hold();
        struct deskbell_client *client = calloc(1, sizeof(*client));
        if (!client) {
                allocator_release();
                return DESKBELL_E_NOMEM;
        }
        pthread_mutex_init(&client->own_lock, NULL);
        client->options = options;
        forget_strings(&client->options);
        int rc = open_parts(client, &options, app);
        if (rc < 0) {
                client_close_answers(client);
                machine_free(client->machine);
                transfer_free(client->transfer);
                free(client->copies_dir);
                free(client->url);
                road_free(client->road);
                free(client->visitor_path);
                free(client->store_path);
                pthread_mutex_destroy(&client->own_lock);
                free(client);
                allocator_release();
                return rc;
        }
        *out_client = client;
        return 0;
}

int deskbell_close(deskbell_client *client)
{
        if (!client)
                return DESKBELL_OK;
        if (client_is_in_callback(client) || (client->waker.fd < 0 && pthread_equal(client->thread, pthread_self())))
                return DESKBELL_E_WRONG_THREAD;
        client_stop(client);
        event_list_clear(&client->events);
        bool has_claimed = machine_has_claimed(client->machine);
        client_close_answers(client);
        machine_free(client->machine);
        if (has_claimed)
                remove_visitor(client);
        free(client->copies_dir);
        free(client->url);
        road_free(client->road);
        free(client->visitor_path);
        free(client->store_path);
        pthread_mutex_destroy(&client->own_lock);
        free(client);
        allocator_release();
        return DESKBELL_OK;
}
