/* SPDX-License-Identifier: Apache-2.0 */
/* Key ring: an immutable picture of all apps, their origins, their signing keys and the keys of back ends and bots,
 * made by the desk at each change and shared with the network threads by reference count. */
#pragma once

#include "protocol/jwt.h"
#include "store/db.h"

struct keyring;

struct keyring_app {
        int64_t id, workspace; /* row ids */
        uint64_t ext;
        struct keyring_key *keys;
        struct keyring_origin *origins;
};

struct keyring_key {
        char kid[65];
        struct jwt_key *key;
        uint64_t tag; /* names (app, kid, when it was added); never 0 */
        struct keyring_key *next;
};

/* What an app's back end (bot 0) or a bot proves itself with; only the hash is known here. */
struct keyring_access {
        uint8_t hash[32];
        int64_t app, workspace, bot; /* row ids */
        uint64_t tag;
        struct keyring_access *next;
};

/* Reads the store. Count 1. NULL: out of memory or a key that cannot be read (then *out_why, malloc'd). */
struct keyring *keyring_load(struct db *db, char **out_why);
struct keyring *keyring_ref(struct keyring *keyring);   /* any thread */
struct keyring *keyring_unref(struct keyring *keyring); /* any thread; NULL is welcome; returns NULL */

/* Lent as long as the ring is held; NULL: none. Any thread. */
const struct keyring_app *keyring_app(const struct keyring *keyring, uint64_t ext);
const struct keyring_key *keyring_key(const struct keyring_app *app, const char *kid);
const struct keyring_app *keyring_app_at(const struct keyring *keyring, size_t index); /* NULL behind the last */
bool keyring_has_tag(const struct keyring *keyring, uint64_t tag);
const struct keyring_access *keyring_find_access(const struct keyring *keyring, const uint8_t hash[32]);
/* Whether pages of that web origin may call the app with that row id; 0 = any app. Exact, byte for byte. */
bool keyring_has_origin(const struct keyring *keyring, int64_t app, struct span origin);
