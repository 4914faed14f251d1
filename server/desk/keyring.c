/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/keyring.h"

#include "protocol/reader.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct keyring {
        atomic_int refs;
        struct keyring_app *apps;
        size_t app_count;
        struct keyring_access *accesses;
};

struct keyring_origin {
        struct keyring_origin *next;
        size_t len;
        char text[];
};

static struct keyring *keyring_done(struct keyring *keyring)
{
        for (size_t i = 0; i < keyring->app_count; i++) {
                while (keyring->apps[i].keys) {
                        struct keyring_key *key = keyring->apps[i].keys;
                        keyring->apps[i].keys = key->next;
                        jwt_key_free(key->key);
                        free(key);
                }
                while (keyring->apps[i].origins) {
                        struct keyring_origin *origin = keyring->apps[i].origins;
                        keyring->apps[i].origins = origin->next;
                        free(origin);
                }
        }
        while (keyring->accesses) {
                struct keyring_access *access = keyring->accesses;
                keyring->accesses = access->next;
                free(access);
        }
        free(keyring->apps);
        free(keyring);
        return NULL;
}

static int add_origin(struct keyring_app *app, struct span text)
{
        struct keyring_origin *origin = malloc(sizeof *origin + text.len);
        if (!origin)
                return DB_NOMEM;
        origin->next = app->origins;
        origin->len = text.len;
        memcpy(origin->text, text.at, text.len);
        app->origins = origin;
        return DB_OK;
}

/* `stored`: a JSON array of texts, as app.add wrote it. */
static int read_origins(struct keyring_app *app, struct span stored)
{
        struct fault fault = {0};
        struct reader reader;
        struct reader_text text;
        char *copy = malloc(stored.len + 1);
        if (!copy)
                return DB_NOMEM;
        if (stored.len > 0)
                memcpy(copy, stored.at, stored.len);
        reader_init(&reader, copy, stored.len, READER_TOLERANT, NULL, &fault);
        int rc = DB_OK, more = reader_array(&reader, "origins");
        for (bool first = true; more >= 0 && rc == DB_OK; first = false) {
                more = reader_item(&reader, first);
                if (more <= 0)
                        break;
                more = reader_text(&reader, "an origin", &text);
                if (more >= 0)
                        rc = add_origin(app, text.span);
        }
        free(copy);
        return more < 0 ? DB_DAMAGED : rc;
}

static int load_apps(struct keyring *keyring, struct db *db)
{
        struct db_stmt *stmt = db_stmt(db, SQL_APPS_ALL);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct keyring_app *more = realloc(keyring->apps, (keyring->app_count + 1) * sizeof *more);
                if (!more) {
                        db_reset(stmt);
                        return DB_NOMEM;
                }
                keyring->apps = more;
                struct keyring_app *app = &more[keyring->app_count++];
                *app = (struct keyring_app){
                        .id = db_int(stmt, 0), .workspace = db_int(stmt, 1), .ext = (uint64_t)db_int(stmt, 2)};
                int read = read_origins(app, db_text(stmt, 4));
                if (read < 0) {
                        db_reset(stmt);
                        return read;
                }
        }
        return rc;
}

/* FNV-1a over what names a key; enough to tell keys apart, nothing is secret in it. */
static uint64_t tag_of(int64_t app, const char *kid, int64_t created_ms)
{
        uint64_t tag = 14695981039346656037u ^ (uint64_t)app;
        for (const char *at = kid; *at; at++)
                tag = (tag ^ (uint8_t)*at) * 1099511628211u;
        tag = (tag ^ (uint64_t)created_ms) * 1099511628211u;
        return tag ? tag : 1;
}

static struct keyring_key *read_key(struct db_stmt *stmt)
{
        struct keyring_key *key = calloc(1, sizeof *key);
        if (!key)
                return NULL;
        struct span kid = db_text(stmt, 1);
        size_t len = kid.len < sizeof key->kid ? kid.len : sizeof key->kid - 1;
        memcpy(key->kid, kid.at, len);
        key->key = jwt_key_new((enum jwt_alg)db_int(stmt, 2), db_blob(stmt, 3));
        key->tag = tag_of(db_int(stmt, 0), key->kid, db_int(stmt, 4));
        if (key->key)
                return key;
        free(key);
        return NULL;
}

static int load_keys(struct keyring *keyring, struct db *db, char **out_why)
{
        struct db_stmt *stmt = db_stmt(db, SQL_KEYS_ALL);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                int64_t app = db_int(stmt, 0);
                struct keyring_key *key = read_key(stmt);
                if (!key) {
                        if (asprintf(out_why, "a signing key of app %lld cannot be read", (long long)app) < 0)
                                *out_why = NULL;
                        db_reset(stmt);
                        return DB_DAMAGED;
                }
                for (size_t i = 0; i < keyring->app_count; i++) {
                        if (keyring->apps[i].id == app) {
                                key->next = keyring->apps[i].keys;
                                keyring->apps[i].keys = key;
                                key = NULL;
                                break;
                        }
                }
                if (key) { /* of no app: the foreign key forbids it */
                        jwt_key_free(key->key);
                        free(key);
                }
        }
        return rc;
}

static int load_accesses(struct keyring *keyring, struct db *db)
{
        struct db_stmt *stmt = db_stmt(db, SQL_ACCESS_ALL);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct span hash = db_blob(stmt, 3);
                struct keyring_access *access = calloc(1, sizeof *access);
                if (!access || hash.len != sizeof access->hash) {
                        free(access);
                        db_reset(stmt);
                        return access ? DB_DAMAGED : DB_NOMEM;
                }
                access->app = db_int(stmt, 0);
                access->workspace = db_int(stmt, 1);
                access->bot = db_int(stmt, 2);
                memcpy(access->hash, hash.at, hash.len);
                access->tag = tag_of(access->app, "access", db_int(stmt, 4));
                access->next = keyring->accesses;
                keyring->accesses = access;
        }
        return rc;
}

struct keyring *keyring_load(struct db *db, char **out_why)
{
        struct keyring *keyring = calloc(1, sizeof *keyring);
        if (!keyring)
                return NULL;
        atomic_init(&keyring->refs, 1);
        if (load_apps(keyring, db) < 0 || load_keys(keyring, db, out_why) < 0 || load_accesses(keyring, db) < 0)
                return keyring_done(keyring);
        return keyring;
}

struct keyring *keyring_ref(struct keyring *keyring)
{
        atomic_fetch_add_explicit(&keyring->refs, 1, memory_order_relaxed);
        return keyring;
}

struct keyring *keyring_unref(struct keyring *keyring)
{
        if (keyring && atomic_fetch_sub_explicit(&keyring->refs, 1, memory_order_acq_rel) == 1)
                keyring_done(keyring);
        return NULL;
}

const struct keyring_app *keyring_app(const struct keyring *keyring, uint64_t ext)
{
        for (size_t i = 0; i < keyring->app_count; i++)
                if (keyring->apps[i].ext == ext)
                        return &keyring->apps[i];
        return NULL;
}

const struct keyring_key *keyring_key(const struct keyring_app *app, const char *kid)
{
        for (const struct keyring_key *key = app->keys; key; key = key->next)
                if (strcmp(key->kid, kid) == 0)
                        return key;
        return NULL;
}

const struct keyring_app *keyring_app_at(const struct keyring *keyring, size_t index)
{
        return index < keyring->app_count ? &keyring->apps[index] : NULL;
}

bool keyring_has_tag(const struct keyring *keyring, uint64_t tag)
{
        for (size_t i = 0; i < keyring->app_count; i++)
                for (const struct keyring_key *key = keyring->apps[i].keys; key; key = key->next)
                        if (key->tag == tag)
                                return true;
        for (const struct keyring_access *access = keyring->accesses; access; access = access->next)
                if (access->tag == tag)
                        return true;
        return false;
}

const struct keyring_access *keyring_find_access(const struct keyring *keyring, const uint8_t hash[32])
{
        const struct keyring_access *access = keyring->accesses;
        while (access && memcmp(access->hash, hash, sizeof access->hash) != 0)
                access = access->next;
        return access;
}

static bool app_has_origin(const struct keyring_app *app, struct span origin)
{
        for (const struct keyring_origin *known = app->origins; known; known = known->next)
                if (span_equal((struct span){known->text, known->len}, origin))
                        return true;
        return false;
}

bool keyring_has_origin(const struct keyring *keyring, int64_t app, struct span origin)
{
        for (size_t i = 0; i < keyring->app_count; i++)
                if ((app == 0 || keyring->apps[i].id == app) && app_has_origin(&keyring->apps[i], origin))
                        return true;
        return false;
}
