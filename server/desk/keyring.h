/* SPDX-License-Identifier: Apache-2.0 */
/* Key ring: an immutable picture of all apps and their signing keys, made by the desk at each change and shared with
 * the network threads by reference count. */
#pragma once

#include "protocol/jwt.h"
#include "store/db.h"

struct keyring;

struct keyring_app {
        int64_t id, workspace; /* row ids */
        uint64_t ext;
        struct keyring_key *keys;
};

struct keyring_key {
        char kid[65];
        struct jwt_key *key;
        uint64_t tag; /* names (app, kid, when it was added); never 0 */
        struct keyring_key *next;
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
