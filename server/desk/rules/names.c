/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/rules/names.h"

#include "desk/desk_private.h"
#include "desk/people/people.h"

/* ---- finding ---- */

static int64_t find_team(struct desk *desk, struct span text, uint64_t *out_ext)
{
        uint64_t ext = 0;
        const struct team *team =
                id_read(text, "tea", &ext) == 0 ? people_team_ext(desk, ext) : people_team_named(desk, text);
        if (!team)
                return 0;
        *out_ext = team->ext;
        return team->id;
}

static int64_t find_principal(struct desk *desk, struct span text, enum principal_role role, uint64_t *out_ext)
{
        struct principal_id who;
        struct principal_row row;
        if (principal_read(text, &who) < 0 || who.role != role || who.id == 0 ||
            principals_load_ext(desk->db, who.id, &row) != DB_ROW || row.role != role ||
            row.workspace != desk->workspace)
                return 0;
        *out_ext = row.ext;
        return row.id;
}

/* The only row of a statement that finds (id, ext) by a text. */
static int64_t find_by_text(struct desk *desk, enum sql_id sql, struct span text, uint64_t *out_ext)
{
        struct db_stmt *stmt = db_stmt(desk->db, sql);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_text(stmt, 2, text);
        int64_t id = 0;
        if (db_step(stmt) == DB_ROW) {
                id = db_int(stmt, 0);
                *out_ext = (uint64_t)db_int(stmt, 1);
                if (db_step(stmt) == DB_ROW)
                        id = 0; /* several */
        }
        db_reset(stmt);
        return id;
}

static int64_t find_app(struct desk *desk, struct span text, uint64_t *out_ext)
{
        int64_t id = 0;
        if (id_read(text, "app", out_ext) == 0)
                return operator_find_app(desk, *out_ext, &id) == 0 ? id : 0;
        return find_by_text(desk, SQL_RULE_APP_NAMED, text, out_ext);
}

static int64_t find_name(void *data, enum fact fact, struct span text, char out_ext[ID_TEXT_BYTES])
{
        struct desk *desk = data;
        static const char *const prefixes[FACTS_COUNT] = {
                [FACT_TEAM] = "tea", [FACT_ASSIGNEE] = "agt", [FACT_APP] = "app", [FACT_CUSTOMER] = "usr"};
        uint64_t ext = 0;
        int64_t id = 0;
        switch (fact) {
        case FACT_TEAM:
                id = find_team(desk, text, &ext);
                break;
        case FACT_ASSIGNEE:
                id = find_principal(desk, text, ROLE_AGENT, &ext);
                if (id == 0)
                        id = find_by_text(desk, SQL_RULE_AGENT_ADDRESSED, text, &ext);
                break;
        case FACT_APP:
                id = find_app(desk, text, &ext);
                break;
        case FACT_CUSTOMER:
                id = find_principal(desk, text, ROLE_CUSTOMER, &ext);
                break;
        default:
                break;
        }
        if (id > 0)
                id_write(out_ext, prefixes[fact], ext);
        return id;
}

struct condition_names rules_names(struct desk *desk)
{
        return (struct condition_names){find_name, desk};
}

/* ---- showing ---- */

static size_t copy(struct span text, char out[CONDITION_SHOWN_BYTES])
{
        if (text.len == 0 || text.len > CONDITION_SHOWN_BYTES)
                return 0;
        memcpy(out, text.at, text.len);
        return text.len;
}

static size_t show_by_id(struct desk *desk, enum sql_id sql, int64_t id, char out[CONDITION_SHOWN_BYTES])
{
        struct db_stmt *stmt = db_stmt(desk->db, sql);
        db_bind_int(stmt, 1, id);
        size_t len = db_step(stmt) == DB_ROW ? copy(db_text(stmt, 0), out) : 0;
        db_reset(stmt);
        return len;
}

size_t rules_show(void *data, enum fact fact, int64_t id, char out[CONDITION_SHOWN_BYTES])
{
        struct desk *desk = data;
        const struct team *team = fact == FACT_TEAM ? people_team(desk, id) : NULL;
        if (team)
                return copy(span_of(team->name), out);
        if (fact == FACT_ASSIGNEE)
                return show_by_id(desk, SQL_RULE_AGENT_ADDRESS, id, out);
        return fact == FACT_APP ? show_by_id(desk, SQL_RULE_APP_NAME, id, out) : 0;
}

/* ---- asking ---- */

static bool is_in_team(const struct fact_scene *scene, int64_t team)
{
        const struct agent_profile *agent = scene->me != 0 ? people_agent(scene->desk, scene->me) : NULL;
        return agent && people_is_member(agent, team);
}

const struct condition_world rules_world = {ticket_fact, is_in_team};

/* ---- compiling ---- */

int rules_compile(struct desk *desk, struct span text, enum condition_use use, const char *field,
                  struct condition **out_condition, struct writer *out_text, struct fault *fault)
{
        struct condition_names names = rules_names(desk);
        struct condition *condition = NULL;
        struct condition_error error;
        int rc = condition_compile(text, use, &names, &condition, &error);
        if (rc == -PROTOCOL_ERR_BAD_REQUEST)
                return condition_fault(&error, field, fault);
        if (rc < 0)
                return rc;
        condition_print(condition, NULL, NULL, out_text);
        rc = out_text->failed ? -PROTOCOL_ERR_INTERNAL : 0;
        if (rc == 0 && out_text->len > CONDITION_STORED_BYTES)
                rc = fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, field,
                               "fewer values: with ids instead of names it is too long");
        if (rc < 0) {
                condition_free(condition);
                return rc;
        }
        *out_condition = condition;
        return 0;
}

int rules_canonical(struct desk *desk, struct arena *arena, struct span text, enum condition_use use, const char *field,
                    struct condition **out_condition, struct span *out_text, struct fault *fault)
{
        struct condition *condition = NULL;
        struct writer canonical;
        writer_init(&canonical, NULL, 0);
        int rc = rules_compile(desk, text, use, field, &condition, &canonical, fault);
        char *kept = rc == 0 ? arena_take(arena, canonical.len + 1) : NULL;
        if (rc == 0 && !kept)
                rc = -PROTOCOL_ERR_INTERNAL;
        if (rc == 0 && canonical.len > 0)
                memcpy(kept, canonical.bytes, canonical.len);
        if (rc == 0)
                *out_text = (struct span){kept, canonical.len};
        writer_done(&canonical);
        if (rc == 0 && out_condition)
                *out_condition = condition;
        else
                condition_free(condition);
        return rc;
}

struct condition *rules_stored(struct desk *desk, struct span text, enum condition_use use)
{
        struct condition_names names = rules_names(desk);
        struct condition *condition = NULL;
        struct condition_error error;
        if (condition_compile(text, (unsigned)use | CONDITION_STORED, &names, &condition, &error) < 0) {
                log_error(&desk->log, "a stored condition could not be read", "at", (int64_t)error.at, "expected",
                          error.expected);
                return NULL;
        }
        return condition;
}
