/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/keyring.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct keyring {
        atomic_int refs;
        struct keyring_app *apps;
        size_t app_count;
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
        }
        free(keyring->apps);
        free(keyring);
        return NULL;
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
                more[keyring->app_count++] = (struct keyring_app){ .id = db_int(stmt, 0),
                                                                   .workspace = db_int(stmt, 1),
                                                                   .ext = (uint64_t)db_int(stmt, 2) };
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

struct keyring *keyring_load(struct db *db, char **out_why)
{
        struct keyring *keyring = calloc(1, sizeof *keyring);
        if (!keyring)
                return NULL;
        atomic_init(&keyring->refs, 1);
        if (load_apps(keyring, db) < 0 || load_keys(keyring, db, out_why) < 0)
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
        return false;
}
