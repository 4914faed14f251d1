/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of principals, their devices and the sessions of staff. Errors are db_error. */
#pragma once

#include "protocol/ids.h"
#include "protocol_generated.h"
#include "store/db.h"

struct principal_row {
        int64_t id;
        int64_t workspace;
        uint64_t ext;
        enum principal_role role;
        int64_t app;                            /* visitors: the app they are known in; 0 for everybody else */
        char external_id[129];                  /* named users; "" otherwise */
        char name[801], email[255], locale[36]; /* "" = not known */
        int64_t revoked_ms;                     /* 0 = not revoked */
        int64_t valid_from_s;                   /* tokens issued before are refused */
        int64_t alias_of;                       /* a claimed visitor: the user it belongs to; 0 otherwise */
        bool has_aliases;
};

/* A visitor that a user has claimed, or a named user: its secret opens no session. */
static inline bool principal_is_claimed(const struct principal_row *row)
{
        return row->alias_of != 0 || row->external_id[0] != 0;
}

/* Each: DB_ROW when found, DB_OK when there is none. */
int principals_load(struct db *db, int64_t id, struct principal_row *out_row);
int principals_load_ext(struct db *db, uint64_t ext, struct principal_row *out_row);
int principals_find_external(struct db *db, int64_t workspace, struct span external_id, struct principal_row *out_row);
int principals_find_secret(struct db *db, const uint8_t secret_hash[32], struct principal_row *out_row);

/* Inserts; row->id is set. Either hash may be NULL. DB_CONSTRAINT: such a one exists. */
int principals_insert(struct db *db, struct principal_row *row, const uint8_t *secret_hash, const uint8_t *invite_hash,
                      int64_t invite_until_ms, int64_t now_ms);
int principals_describe(struct db *db, const struct principal_row *row);   /* name, email, locale */
int principals_become(struct db *db, int64_t id, struct span external_id); /* a visitor is this user from now on */
int principals_alias(struct db *db, int64_t id, int64_t alias_of);
int principals_revoke(struct db *db, int64_t id, int64_t revoked_ms, int64_t valid_from_s);

/* Remembers a device; not written again within a day unless it is new. The 64 seen last are kept. */
int devices_seen(struct db *db, int64_t principal, const uint8_t device[16], struct span locale, struct span client,
                 int64_t now_ms);

/* Where notifications reach a device. Put: the same token at another device of that principal goes. */
struct device_push {
        char service[16]; /* "" = not registered */
        char token[PROTOCOL_PUSH_TOKEN_BYTES + 1];
        int64_t changed_ms;
};
int devices_push_get(struct db *db, int64_t principal, const uint8_t device[16], struct device_push *out_push);
int devices_push_put(struct db *db, int64_t principal, const uint8_t device[16], struct span service, struct span token,
                     int64_t now_ms);
int devices_push_remove(struct db *db, int64_t principal, const uint8_t device[16]);
int devices_push_end(struct db *db, int64_t principal);              /* of all its devices */
int devices_push_move(struct db *db, int64_t visitor, int64_t user); /* the devices go with it */

struct staff_session_row {
        int64_t principal, expires_ms, seen_ms;
};
int staff_sessions_find(struct db *db, const uint8_t token_hash[32], struct staff_session_row *out_row);
int staff_sessions_put(struct db *db, const uint8_t token_hash[32], int64_t principal, struct span label,
                       int64_t now_ms, int64_t expires_ms);
int staff_sessions_seen(struct db *db, const uint8_t token_hash[32], int64_t now_ms);
int staff_sessions_end(struct db *db, int64_t principal);
