/* SPDX-License-Identifier: Apache-2.0 */
/* The user's file: sealing. Values are sealed and opened by two SQL functions within the statements that write and read
 * them (cache_private.h), so that SQLite's pages, log and temporary files hold only what is sealed. The wrapped data
 * key stands in the file twice, readable. */
#include "cache_private.h"

/* Either says that the file is sealed, and either is enough to open it. */
static const char *const key_names[] = {"data_key", "data_key_again"};
enum { KEY_NAMES = sizeof(key_names) / sizeof(key_names[0]) };

enum { FORM_TEXT = 1, FORM_BYTES = 2, PLACE_ROOM = 256 };

/* ---- the SQL functions ------------------------------------------------------------------------------------------- */

struct place {
        char bytes[PLACE_ROOM];
        size_t len;
        bool has_room;
};

static void add(struct place *place, char kind, const void *bytes, size_t len)
{
        place->has_room &= len < 256 && place->len + 2 + len <= PLACE_ROOM;
        if (!place->has_room)
                return;
        place->bytes[place->len++] = kind;
        place->bytes[place->len++] = (char)len;
        if (len)
                memcpy(place->bytes + place->len, bytes, len);
        place->len += len;
}

static void add_value(struct place *place, sqlite3_value *value)
{
        uint64_t number;
        uint8_t bytes[8];

        switch (sqlite3_value_type(value)) {
        case SQLITE_INTEGER:
                number = (uint64_t)sqlite3_value_int64(value);
                for (int i = 0; i < 8; i++)
                        bytes[i] = (uint8_t)(number >> (56 - 8 * i));
                add(place, 'i', bytes, sizeof(bytes));
                return;
        case SQLITE_NULL:
                add(place, 'n', "", 0);
                return;
        default:
                add(place, 'b', sqlite3_value_blob(value), (size_t)sqlite3_value_bytes(value));
        }
}

/* What, then the columns that tell where. */
static struct span place_of(struct place *place, int count, sqlite3_value **values)
{
        place->len = 0;
        place->has_room = true;
        for (int i = 1; i < count; i++)
                add_value(place, values[i]);
        return (struct span){place->bytes, place->len};
}

static struct span bytes_of(sqlite3_value *value)
{
        const char *at = sqlite3_value_blob(value);

        return (struct span){at ? at : "", at ? (size_t)sqlite3_value_bytes(value) : 0};
}

static void close_value(sqlite3_context *context, int count, sqlite3_value **values)
{
        struct seal *seal = *(struct seal **)sqlite3_user_data(context);
        uint8_t form = sqlite3_value_type(values[0]) == SQLITE_TEXT ? FORM_TEXT : FORM_BYTES;
        struct place room;

        if (!seal || sqlite3_value_type(values[0]) == SQLITE_NULL) {
                sqlite3_result_value(context, values[0]);
                return;
        }
        struct span place = place_of(&room, count, values), plain = bytes_of(values[0]);
        uint8_t *sealed = sqlite3_malloc64(plain.len + SEAL_EXTRA_BYTES);
        if (sealed && room.has_room && seal_close(seal, place, form, plain, sealed) == 0) {
                sqlite3_result_blob64(context, sealed, plain.len + SEAL_EXTRA_BYTES, sqlite3_free);
                return;
        }
        sqlite3_free(sealed);
        sqlite3_result_error_nomem(context);
}

/* What is not sealed, or not for this place, is damage. */
static void open_value(sqlite3_context *context, int count, sqlite3_value **values)
{
        struct seal *seal = *(struct seal **)sqlite3_user_data(context);
        struct place room;
        uint8_t form = 0;

        if (!seal || sqlite3_value_type(values[0]) == SQLITE_NULL) {
                sqlite3_result_value(context, values[0]);
                return;
        }
        struct span place = place_of(&room, count, values), sealed = bytes_of(values[0]);
        if (sqlite3_value_type(values[0]) != SQLITE_BLOB || sealed.len < SEAL_EXTRA_BYTES || !room.has_room) {
                sqlite3_result_error_code(context, SQLITE_CORRUPT);
                return;
        }
        size_t len = sealed.len - SEAL_EXTRA_BYTES;
        uint8_t *plain = sqlite3_malloc64(len + 1);
        if (!plain) {
                sqlite3_result_error_nomem(context);
        } else if (seal_open(seal, place, sealed, &form, plain) < 0) {
                sqlite3_free(plain);
                sqlite3_result_error_code(context, SQLITE_CORRUPT);
        } else if (form == FORM_TEXT) {
                sqlite3_result_text64(context, (char *)plain, len, sqlite3_free, SQLITE_UTF8);
        } else {
                sqlite3_result_blob64(context, plain, len, sqlite3_free);
        }
}

int cache_key_functions(sqlite3 *db, struct seal **seal)
{
        /* Not from a trigger or a view that somebody has put into the file. */
        const int how = SQLITE_UTF8 | SQLITE_DIRECTONLY;
        int rc = sqlite3_create_function_v2(db, "seal", -1, how, seal, close_value, NULL, NULL, NULL);

        return rc == SQLITE_OK ? sqlite3_create_function_v2(db, "unseal", -1, how, seal, open_value, NULL, NULL, NULL)
                               : rc;
}

/* ---- the data key ------------------------------------------------------------------------------------------------ */

/* SQLITE_ROW, and the bytes when there are so many; SQLITE_DONE; or a failure. */
static int read_wrapped(sqlite3 *db, const char *name, uint8_t out[SEAL_WRAPPED_BYTES], bool *out_is_whole)
{
        sqlite3_stmt *statement = NULL;
        int rc = sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE name = ?1", -1, &statement, NULL);

        *out_is_whole = false;
        if (rc == SQLITE_OK) {
                sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
                rc = sqlite3_step(statement);
        }
        if (rc == SQLITE_ROW && sqlite3_column_bytes(statement, 0) == SEAL_WRAPPED_BYTES) {
                memcpy(out, sqlite3_column_blob(statement, 0), SEAL_WRAPPED_BYTES);
                *out_is_whole = true;
        }
        sqlite3_finalize(statement);
        return rc;
}

enum key_verdict cache_key_read(sqlite3 *db, const uint8_t *key, struct seal **out_seal)
{
        static const uint8_t no_key[SEAL_KEY_BYTES];
        enum key_verdict verdict = KEY_NONE;
        struct seal *seal = NULL;

        for (int i = 0; i < KEY_NAMES; i++) {
                uint8_t wrapped[SEAL_WRAPPED_BYTES];
                bool is_whole;
                int rc = read_wrapped(db, key_names[i], wrapped, &is_whole);
                if (rc == SQLITE_DONE || rc == SQLITE_ERROR) /* no such row; no such table */
                        continue;
                if (rc != SQLITE_ROW)
                        return cache_is_damage(rc) ? KEY_DAMAGED : KEY_ERROR;
                rc = is_whole ? seal_unwrap(key ? key : no_key, wrapped, &seal) : SEAL_BROKEN;
                if (rc == 0 && !key) /* nobody gave it */
                        seal = seal_free(seal);
                if (rc == SEAL_NO_MEMORY)
                        return KEY_ERROR;
                if (rc == SEAL_REFUSED || !key)
                        verdict = rc == SEAL_BROKEN ? KEY_DAMAGED : KEY_WRONG;
                else
                        verdict = rc == 0 ? KEY_TAKEN : KEY_DAMAGED;
                if (verdict != KEY_DAMAGED)
                        break;
        }
        if (seal)
                *out_seal = seal;
        return verdict;
}

static void put_wrapped(struct cache *cache, const char *name, const uint8_t wrapped[SEAL_WRAPPED_BYTES])
{
        sqlite3_stmt *statement = cache_statement(cache, CACHE_NUMBER_SET);
        if (!statement)
                return;

        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        sqlite3_bind_blob(statement, 2, wrapped, SEAL_WRAPPED_BYTES, SQLITE_STATIC);
        cache_run(cache, statement);
}

void cache_key_write(struct cache *cache, const uint8_t *key)
{
        uint8_t wrapped[SEAL_WRAPPED_BYTES];

        for (int i = 0; i < KEY_NAMES; i++) {
                if (seal_wrap(cache->seal, key, wrapped) < 0) {
                        cache->has_failed = true;
                        return;
                }
                put_wrapped(cache, key_names[i], wrapped);
        }
}

bool cache_key_take(struct cache *cache, uint8_t out_wrapped[SEAL_WRAPPED_BYTES])
{
        static const uint8_t no_key[SEAL_KEY_BYTES];

        for (int i = 0; i < KEY_NAMES; i++) {
                struct seal *seal = NULL;
                bool is_whole;
                if (read_wrapped(cache->db, key_names[i], out_wrapped, &is_whole) != SQLITE_ROW || !is_whole)
                        continue;
                int rc = seal_unwrap(no_key, out_wrapped, &seal);
                seal_free(seal);
                if (rc == 0 || rc == SEAL_REFUSED) /* whole, and the key is the application's */
                        return true;
        }
        return false;
}

void cache_key_put(struct cache *cache, const uint8_t wrapped[SEAL_WRAPPED_BYTES])
{
        for (int i = 0; i < KEY_NAMES; i++)
                put_wrapped(cache, key_names[i], wrapped);
}

bool cache_is_sealed(const struct cache *cache)
{
        return cache->seal != NULL;
}

bool cache_key_change(struct cache *cache, const uint8_t *key)
{
        if (!cache->seal)
                return false;
        cache_key_write(cache, key);
        return true;
}

void cache_key_forget(struct cache *cache)
{
        cache_exec(cache, "PRAGMA wal_checkpoint(TRUNCATE)");
}
