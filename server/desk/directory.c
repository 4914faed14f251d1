/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/directory.h"

#include <stdlib.h>

enum { FORGET_ABOVE = 65536 };

struct known_app {
        int64_t id;
        uint64_t ext;
};

struct directory {
        struct db *db;
        struct principal **slots;
        size_t slot_count; /* a power of two */
        size_t count, fresh_count;
        struct known_app *apps;
        size_t app_count;
};

static size_t slot_of(const struct directory *directory, int64_t id)
{
        return ((uint64_t)id * 0x9e3779b97f4a7c15u >> 20) & (directory->slot_count - 1);
}

struct directory *directory_new(struct db *db)
{
        struct directory *directory = calloc(1, sizeof *directory);
        if (!directory)
                return NULL;
        directory->db = db;
        directory->slot_count = 1024;
        directory->slots = calloc(directory->slot_count, sizeof *directory->slots);
        if (!directory->slots) {
                free(directory);
                return NULL;
        }
        return directory;
}

/* Removes every principal for which `goes` says so. */
static void sweep(struct directory *directory, bool (*goes)(const struct principal *principal))
{
        for (size_t i = 0; i < directory->slot_count; i++) {
                struct principal **link = &directory->slots[i];
                while (*link) {
                        struct principal *principal = *link;
                        if (!goes(principal)) {
                                link = &principal->hash_next;
                                continue;
                        }
                        *link = principal->hash_next;
                        free(principal->name);
                        free(principal);
                        directory->count--;
                }
        }
}

static bool is_any(const struct principal *principal)
{
        (void)principal;
        return true;
}

static bool is_free(const struct principal *principal)
{
        return principal->refs == 0;
}

static bool is_fresh(const struct principal *principal)
{
        return principal->is_fresh && principal->refs == 0;
}

struct directory *directory_free(struct directory *directory)
{
        if (!directory)
                return NULL;
        sweep(directory, is_any);
        free(directory->apps);
        free(directory->slots);
        free(directory);
        return NULL;
}

static void grow(struct directory *directory)
{
        size_t wider = directory->slot_count * 2;
        struct principal **slots = calloc(wider, sizeof *slots);
        if (!slots)
                return; /* longer chains, nothing worse */
        struct principal **old = directory->slots;
        size_t old_count = directory->slot_count;
        directory->slots = slots;
        directory->slot_count = wider;
        for (size_t i = 0; i < old_count; i++) {
                while (old[i]) {
                        struct principal *principal = old[i];
                        old[i] = principal->hash_next;
                        size_t slot = slot_of(directory, principal->id);
                        principal->hash_next = slots[slot];
                        slots[slot] = principal;
                }
        }
        free(old);
}

static struct principal *known(struct directory *directory, int64_t id)
{
        struct principal *principal = directory->slots[slot_of(directory, id)];
        while (principal && principal->id != id)
                principal = principal->hash_next;
        return principal;
}

static bool set_name(struct principal *principal, const char *name)
{
        char *copy = NULL;
        if (name[0]) {
                copy = strdup(name);
                if (!copy)
                        return false;
        }
        free(principal->name);
        principal->name = copy;
        return true;
}

struct principal *directory_put(struct directory *directory, const struct principal_row *row)
{
        struct principal *principal = known(directory, row->id);
        if (!principal) {
                if (directory->count >= FORGET_ABOVE)
                        sweep(directory, is_free);
                if (directory->count >= directory->slot_count)
                        grow(directory);
                principal = calloc(1, sizeof *principal);
                if (!principal)
                        return NULL;
                principal->id = row->id;
                size_t slot = slot_of(directory, row->id);
                principal->hash_next = directory->slots[slot];
                directory->slots[slot] = principal;
                directory->count++;
        }
        principal->workspace = row->workspace;
        principal->app = row->app;
        principal->ext = row->ext;
        principal->role = row->role;
        principal->revoked_ms = row->revoked_ms;
        principal->valid_from_s = row->valid_from_s;
        principal->alias_of = row->alias_of;
        principal->has_aliases = row->has_aliases;
        return set_name(principal, row->name) ? principal : NULL;
}

struct principal *directory_find(struct directory *directory, int64_t id)
{
        struct principal *principal = known(directory, id);
        if (principal || id <= 0)
                return principal;
        struct principal_row row;
        if (principals_load(directory->db, id, &row) != DB_ROW)
                return NULL;
        return directory_put(directory, &row);
}

struct principal_id directory_author(struct directory *directory, int64_t id)
{
        if (id == 0)
                return (struct principal_id){ROLE_SYSTEM, 0};
        const struct principal *principal = directory_find(directory, id);
        if (!principal)
                return (struct principal_id){ROLE_ERASED, 0};
        return (struct principal_id){principal->role, principal->ext};
}

static void load_apps(struct directory *directory)
{
        struct db_stmt *stmt = db_stmt(directory->db, SQL_APPS_ALL);
        directory->app_count = 0;
        while (db_step(stmt) == DB_ROW) {
                struct known_app *more = realloc(directory->apps, (directory->app_count + 1) * sizeof *more);
                if (!more)
                        break;
                directory->apps = more;
                more[directory->app_count++] = (struct known_app){db_int(stmt, 0), (uint64_t)db_int(stmt, 2)};
        }
        db_reset(stmt);
}

uint64_t directory_app(struct directory *directory, int64_t id)
{
        for (int attempt = 0; attempt < 2; attempt++) {
                for (size_t i = 0; i < directory->app_count; i++)
                        if (directory->apps[i].id == id)
                                return directory->apps[i].ext;
                load_apps(directory);
        }
        return 0;
}

void directory_made(struct directory *directory, struct principal *principal)
{
        directory->fresh_count += !principal->is_fresh;
        principal->is_fresh = true;
}

void directory_drop_fresh(struct directory *directory)
{
        directory->app_count = 0;
        if (directory->fresh_count > 0)
                sweep(directory, is_fresh);
        directory->fresh_count = 0;
}

void directory_settle(struct directory *directory)
{
        if (directory->fresh_count == 0)
                return;
        directory->fresh_count = 0;
        for (size_t i = 0; i < directory->slot_count; i++)
                for (struct principal *principal = directory->slots[i]; principal; principal = principal->hash_next)
                        principal->is_fresh = false;
}

void directory_forget(struct directory *directory)
{
        directory->app_count = 0;
        sweep(directory, is_free);
}

void directory_reread(struct directory *directory)
{
        directory_forget(directory);
        for (size_t i = 0; i < directory->slot_count; i++) {
                for (struct principal *principal = directory->slots[i]; principal; principal = principal->hash_next) {
                        struct principal_row row;
                        if (principals_load(directory->db, principal->id, &row) == DB_ROW)
                                directory_put(directory, &row); /* known: nothing is moved */
                }
        }
}
