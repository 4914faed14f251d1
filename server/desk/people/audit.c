/* SPDX-License-Identifier: Apache-2.0 */
/* The audit trail: who did what to which object. Lines are only ever added. */
#include "desk/people/people_private.h"
#include "desk/reading.h"

enum { AUDIT_DEFAULT = 100, DETAIL_MAX = 4096, ROW_ROOM = 256 };

/* At most that many bytes, and no half of a character. */
static struct span cut(struct span text, size_t max)
{
        if (text.len <= max)
                return text;
        size_t len = max;
        while (len > 0 && ((uint8_t)text.at[len] & 0xc0) == 0x80)
                len--;
        return (struct span){text.at, len};
}

int admin_audit(struct desk *desk, const struct caller *caller, const char *action, const char *prefix, uint64_t ext,
                struct span detail)
{
        char object[ID_TEXT_BYTES];
        if (ext != 0)
                id_write(object, prefix, ext);
        int rc = audit_put(desk->db, desk->now_ms, caller->principal, caller->role, action,
                           ext != 0 ? (struct span){object, sizeof object} : SPAN(""), cut(detail, DETAIL_MAX));
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* ---- audit.list ---- */

/* Row id of an actor; 0 = the operator or the server. */
static int find_actor(const struct reading *reading, struct principal_id who, int64_t *out_id)
{
        struct principal_row row;
        if (who.role == ROLE_OPERATOR || who.role == ROLE_SYSTEM) {
                *out_id = 0;
                return 0;
        }
        int rc = principals_load_ext(reading->db, who.id, &row);
        if (rc < 0)
                return reading_failed(reading, rc);
        bool is_here = rc == DB_ROW && row.role == who.role && row.workspace == reading->command->caller.workspace;
        *out_id = is_here ? row.id : -2; /* nobody's: no line */
        return 0;
}

static void write_row(const struct reading *reading, struct db_stmt *stmt)
{
        int64_t actor = db_int(stmt, 2);
        enum principal_role role = (enum principal_role)db_int(stmt, 3);
        struct span object = db_text(stmt, 5), detail = db_text(stmt, 6);
        struct protocol_audit_row row = {.id = db_int(stmt, 0),
                                         .at = db_int(stmt, 1),
                                         .actor = actor > 0 ? directory_author(reading->directory, actor)
                                                            : (struct principal_id){role, 0},
                                         .action = cut(db_text(stmt, 4), 64),
                                         .has_object = object.len > 0,
                                         .object = cut(object, 64),
                                         .has_detail = detail.len > 0,
                                         .detail = cut(detail, DETAIL_MAX)};
        protocol_audit_row_write(reading->out, &row);
}

int read_audit_list(const struct reading *reading)
{
        const struct protocol_audit_list *params = reading->command->params;
        int64_t actor = -1, limit = params->has_limit ? params->limit : AUDIT_DEFAULT, count = 0;
        bool more = false;
        if (params->has_after && params->has_before)
                return fault_set(reading->fault, PROTOCOL_ERR_BAD_REQUEST, "before", "not together with after");
        int rc = params->has_actor ? find_actor(reading, params->actor, &actor) : 0;
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(reading->db, params->has_after ? SQL_AUDIT_FORWARD : SQL_AUDIT_BACKWARD);
        db_bind_int(stmt, 1, params->has_after ? params->after : params->has_before ? params->before : INT64_MAX);
        db_bind_int(stmt, 2, limit + 1);
        db_bind_int(stmt, 3, actor);
        db_bind_text(stmt, 4, params->has_action ? params->action : SPAN(""));
        writer_raw(reading->out, SPAN("{\"rows\":["));
        size_t start = reading->out->len;
        while ((rc = db_step(stmt)) == DB_ROW) {
                size_t next = reading->out->len - start + db_text(stmt, 6).len + ROW_ROOM;
                more = count == limit || (count > 0 && next > PROTOCOL_PAGE_BYTES);
                if (more)
                        break;
                if (count++ > 0)
                        writer_char(reading->out, ',');
                write_row(reading, stmt);
        }
        db_reset(stmt);
        if (rc < 0)
                return reading_failed(reading, rc);
        writer_raw(reading->out, more ? SPAN("],\"more\":true}") : SPAN("]}"));
        return 0;
}
