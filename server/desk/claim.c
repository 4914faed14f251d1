/* SPDX-License-Identifier: Apache-2.0 */
/* Claim of a visitor: a user token and the visitor's secret, proved at once by one session.open. To a user nobody knew
 * the visitor simply becomes him; to a known one it becomes an alias: authors stay what they are, its conversations go
 * to the user, and what it sent is still recognised when the user repeats it. Either way the secret opens no session
 * from that commit on. Its hash stays, so that the same user may repeat a claim whose answer he never heard: that
 * changes nothing. */
#include "desk/desk_private.h"

#include <stdio.h>

static int refuse(struct desk *desk, struct opening *opening)
{
        opening->is_claim_refused = true;
        desk->answer.kind = NOTE_REFUSED;
        desk->answer.close_code = PROTOCOL_CLOSE_TOKEN_INVALID;
        return -PROTOCOL_ERR_TOKEN_INVALID;
}

/* 1: the visitor can be claimed; 0: `user` (a row id, or 0) has claimed it before. */
static int find_claimed(struct desk *desk, struct opening *opening, int64_t user, struct principal_row *out_visitor)
{
        int rc = principals_find_secret(desk->db, opening->claim_hash, out_visitor);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK)
                return refuse(desk, opening);
        if (user != 0 && (out_visitor->id == user || out_visitor->alias_of == user))
                return 0;
        bool is_free =
                !principal_is_claimed(out_visitor) && out_visitor->app == opening->app && out_visitor->revoked_ms == 0;
        return is_free ? 1 : refuse(desk, opening);
}

/* Whatever was opened with the secret has to go. */
static int end_visitor(struct desk *desk, int64_t visitor, struct principal **out_who)
{
        struct principal *who = directory_find(desk->directory, visitor);
        if (!who)
                return desk_db_failed(desk, DB_NOMEM);
        sessions_close_principal(desk, who, PROTOCOL_CLOSE_REPLACED);
        http_tokens_drop_principal(desk->http_tokens, visitor);
        desk->names_changed = true; /* read again by everybody, and here after a rollback */
        *out_who = who;
        return 0;
}

static int end_claimed(struct desk *desk, int64_t visitor, int64_t user, const struct opening *opening)
{
        struct principal *who = NULL;
        int rc = end_visitor(desk, visitor, &who);
        if (rc < 0)
                return rc;
        char object[ID_TEXT_BYTES], app[ID_TEXT_BYTES];
        id_write(object, "usr", who->ext);
        id_write(app, "app", directory_app(desk->directory, opening->app));
        rc = audit_put(desk->db, desk->now_ms, user, ROLE_CUSTOMER, "visitor.claim",
                       (struct span){object, sizeof object}, (struct span){app, sizeof app});
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int claim_become(struct desk *desk, struct opening *opening, struct principal_row *row)
{
        int rc = find_claimed(desk, opening, 0, row);
        if (rc < 0)
                return rc;
        rc = principals_become(desk->db, row->id, span_of(opening->subject));
        if (rc < 0)
                return desk_db_failed(desk, rc);
        rc = end_claimed(desk, row->id, row->id, opening);
        row->app = 0;
        snprintf(row->external_id, sizeof row->external_id, "%s", opening->subject);
        return rc < 0 ? rc : customers_index(desk, row->id);
}

/* "visitor:<id>" is the visitor's main conversation; others, and one whose key the user has used himself, carry an id.
 */
static int make_key(struct desk *desk, const struct conversation_row *row, const struct principal_row *visitor,
                    int64_t user, char out_key[PROTOCOL_KEY_BYTES + 1])
{
        enum { TRIES = 4 };
        char who[ID_TEXT_BYTES], conv[ID_TEXT_BYTES];
        id_write(who, "usr", visitor->ext);
        for (int i = strcmp(row->key, "main") == 0 ? 0 : 1; i < TRIES; i++) {
                uint64_t taken;
                id_write(conv, "cnv", i == 1 ? row->ext : desk_new_id(desk));
                snprintf(out_key, PROTOCOL_KEY_BYTES + 1, i == 0 ? "visitor:%.*s" : "visitor:%.*s:%.*s", ID_TEXT_BYTES,
                         who, ID_TEXT_BYTES, conv);
                int rc = conversations_find_key(desk->db, row->app, user, span_of(out_key), &taken);
                if (rc < 0)
                        return desk_db_failed(desk, rc);
                if (rc == DB_OK)
                        return 0;
        }
        return desk_db_failed(desk, DB_DAMAGED);
}

/* Who watches the conversation follows the user's presence from now on. */
static void tell_given(struct desk *desk, const struct conversation *conversation)
{
        const struct conversation_row *row = &conversation->row;
        const struct principal *user = directory_find(desk->directory, row->customer);
        struct protocol_customer_presence presence;
        struct attendance_change change = {.customer = row->customer, .ext = user ? user->ext : 0, .is_online = true};
        bool is_online = user && attendance_of(desk, row->customer, &presence) && presence.online;
        struct span bytes = {(const char *)&change, is_online ? sizeof change : 0};
        for (uint32_t i = 0; i < desk->sink_count; i++) {
                struct desk_note *note = note_new(NOTE_GIVEN, (struct edge_ref){0}, bytes);
                if (!note)
                        continue;
                note->conv = row->id;
                note->customer = row->customer;
                desk_leave(desk, i, note);
        }
}

static int give_conversation(struct desk *desk, uint64_t ext, const struct principal_row *visitor, int64_t user)
{
        struct conversation *conversation = NULL;
        char key[PROTOCOL_KEY_BYTES + 1];
        int rc = conversation_find(desk, ext, &conversation);
        if (rc == 0)
                rc = make_key(desk, &conversation->row, visitor, user, key);
        if (rc < 0)
                return rc;
        rc = conversations_give(desk->db, conversation->row.id, user, span_of(key));
        if (rc < 0)
                return desk_db_failed(desk, rc);
        conversation_changed(desk, conversation, true); /* first: a rollback forgets what is changed */
        conversation->row.customer = user;
        memcpy(conversation->row.key, key, sizeof key);
        tell_given(desk, conversation);
        rc = tickets_given(desk, conversation);
        if (rc < 0)
                return rc;
        return outbound_note_changed(desk, conversation, "claimed", 0);
}

static int give_conversations(struct desk *desk, const struct principal_row *visitor, int64_t user)
{
        enum { AT_ONCE = 128 };
        uint64_t found[AT_ONCE];
        int count;
        do { /* what was given is not found again */
                int rc;
                struct db_stmt *stmt = db_stmt(desk->db, SQL_CONVERSATIONS_OF);
                db_bind_int(stmt, 1, visitor->id);
                db_bind_int(stmt, 2, 0);
                for (count = 0; count < AT_ONCE && (rc = db_step(stmt)) == DB_ROW; count++)
                        found[count] = (uint64_t)db_int(stmt, 1);
                db_reset(stmt);
                if (rc < 0)
                        return desk_db_failed(desk, rc);
                for (int i = 0; i < count; i++)
                        if ((rc = give_conversation(desk, found[i], visitor, user)) < 0)
                                return rc;
        } while (count == AT_ONCE);
        return 0;
}

int claim_join(struct desk *desk, struct opening *opening, struct principal_row *user)
{
        struct principal_row visitor;
        int rc = find_claimed(desk, opening, user->id, &visitor);
        if (rc <= 0)
                return rc;
        rc = principals_alias(desk->db, visitor.id, user->id);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        rc = end_claimed(desk, visitor.id, user->id, opening);
        if (rc < 0)
                return rc;
        visitor.alias_of = user->id;
        user->has_aliases = true;
        if (!directory_put(desk->directory, &visitor))
                return desk_db_failed(desk, DB_NOMEM);
        rc = devices_push_move(desk->db, visitor.id, user->id);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        rc = give_conversations(desk, &visitor, user->id);
        return rc < 0 ? rc : customers_joined(desk, visitor.id, user->id);
}

int claim_merge(struct desk *desk, struct principal_row *visitor, struct principal_row *into)
{
        struct principal *who = NULL;
        int rc = principals_alias(desk->db, visitor->id, into->id);
        if (rc >= 0)
                rc = devices_push_end(desk->db, visitor->id); /* its devices are not proved to be the other one's */
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if ((rc = end_visitor(desk, visitor->id, &who)) < 0)
                return rc;
        visitor->alias_of = into->id;
        into->has_aliases = true;
        if (!directory_put(desk->directory, visitor) || !directory_put(desk->directory, into))
                return desk_db_failed(desk, DB_NOMEM);
        rc = give_conversations(desk, visitor, into->id);
        return rc < 0 ? rc : customers_joined(desk, visitor->id, into->id);
}

bool claim_is_alias(struct desk *desk, int64_t principal, int64_t of)
{
        const struct principal *who = directory_find(desk->directory, principal);
        return who && who->alias_of != 0 && (of == 0 || who->alias_of == of);
}

int claim_find_entry(struct desk *desk, const struct caller *caller, const struct cmid *cmid,
                     struct entry_row *out_stored, uint64_t *out_conv)
{
        if (caller->role != ROLE_CUSTOMER)
                return 0;
        const struct principal *who = directory_find(desk->directory, caller->principal);
        if (!who || !who->has_aliases)
                return 0;
        int rc = entries_by_cmid_alias(desk->db, cmid, caller->principal, out_stored, out_conv);
        return rc < 0 ? desk_db_failed(desk, rc) : rc == DB_ROW;
}
