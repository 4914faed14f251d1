/* SPDX-License-Identifier: Apache-2.0 */
/* Roles: sets of permissions, and the one place that decides whether somebody may do a thing. What is not known allows
 * nothing. */
#include "desk/people/people_private.h"

#include <stdio.h>

#define MAY(name) (1u << PROTOCOL_MAY_##name)

static const uint32_t of_agent = MAY(READ_ALL) | MAY(READ_UNASSIGNED) | MAY(REPLY) | MAY(NOTE) | MAY(TICKET_EDIT) |
                                 MAY(ASSIGN) | MAY(MERGE) | MAY(CUSTOMER_EDIT) | MAY(RECOVERY);
static const uint32_t of_supervisor = MAY(CUSTOMER_BLOCK) | MAY(CANNED_SHARED) | MAY(VIEW_SHARED) | MAY(LIVE) |
                                      MAY(REPORT_READ) | MAY(RECOVERY_ADMIN);

static const struct {
        enum people_role role;
        const char *name;
} built_in[] = {{PEOPLE_ROLE_AGENT, "agent"}, {PEOPLE_ROLE_SUPERVISOR, "supervisor"}, {PEOPLE_ROLE_ADMIN, "admin"}};

enum { BUILT_IN = sizeof built_in / sizeof *built_in };

/* ---- permissions ---- */

static enum protocol_permission permission_named(struct span name)
{
        for (int i = 1; i < PROTOCOL_PERMISSIONS; i++)
                if (span_equal(span_of(protocol_permission_names[i]), name))
                        return (enum protocol_permission)i;
        return PROTOCOL_MAY_ANYTHING;
}

uint32_t permissions_read(struct span text)
{
        uint32_t permissions = 0;
        while (text.len > 0) {
                const char *end = memchr(text.at, ' ', text.len);
                size_t len = end ? (size_t)(end - text.at) : text.len;
                permissions |= 1u << permission_named((struct span){text.at, len});
                size_t gone = end ? len + 1 : len;
                text = (struct span){text.at + gone, text.len - gone};
        }
        return permissions & ~1u;
}

struct span permissions_write(uint32_t permissions, char out[PERMISSIONS_TEXT])
{
        struct writer writer;
        writer_init(&writer, out, PERMISSIONS_TEXT);
        for (int i = 1; i < PROTOCOL_PERMISSIONS; i++) {
                if (!(permissions & 1u << i))
                        continue;
                if (writer.len > 0)
                        writer_char(&writer, ' ');
                writer_raw(&writer, span_of(protocol_permission_names[i]));
        }
        return (struct span){out, writer.len};
}

uint32_t permissions_of_role(int64_t role, struct span custom)
{
        switch (role) {
        case PEOPLE_ROLE_AGENT:
                return of_agent;
        case PEOPLE_ROLE_SUPERVISOR:
                return of_agent | of_supervisor;
        case PEOPLE_ROLE_ADMIN:
                return (uint32_t)((1ull << PROTOCOL_PERMISSIONS) - 2);
        default:
                return custom.at ? permissions_read(custom) : 0;
        }
}

bool people_may(const struct agent_profile *agent, enum protocol_permission permission)
{
        return permission == PROTOCOL_MAY_ANYTHING || (!agent->is_gone && agent->permissions & 1u << permission);
}

/* An agent who is not in memory yet was made in this very batch: he has the first role. */
static uint32_t permissions_of_caller(const struct desk *desk, const struct caller *caller)
{
        if (caller->role == ROLE_OPERATOR)
                return permissions_of_role(PEOPLE_ROLE_ADMIN, (struct span){0});
        if (caller->role != ROLE_AGENT)
                return 0;
        const struct agent_profile *agent = people_agent(desk, caller->principal);
        return !agent ? of_agent : agent->is_gone ? 0 : agent->permissions;
}

int people_authorize(const struct desk *desk, const struct caller *caller, enum protocol_permission permission)
{
        if (permission == PROTOCOL_MAY_ANYTHING || permissions_of_caller(desk, caller) & 1u << permission)
                return 0;
        return -PROTOCOL_ERR_FORBIDDEN;
}

bool people_has_all(const struct desk *desk, const struct caller *caller, uint32_t permissions)
{
        return (permissions & ~permissions_of_caller(desk, caller)) == 0;
}

int people_may_manage(const struct desk *desk, const struct caller *caller, const struct agent_profile *agent,
                      struct fault *fault)
{
        if (people_has_all(desk, caller, agent ? agent->permissions : of_agent))
                return 0;
        return fault_set(fault, PROTOCOL_ERR_FORBIDDEN, "agent", "one who may no more than you");
}

int people_authorize_read(struct db *db, const struct caller *caller, enum protocol_permission permission)
{
        if (permission == PROTOCOL_MAY_ANYTHING || caller->role == ROLE_OPERATOR)
                return 0;
        if (caller->role != ROLE_AGENT)
                return -PROTOCOL_ERR_FORBIDDEN;
        struct db_stmt *stmt = db_stmt(db, SQL_AGENT_ROLE);
        db_bind_int(stmt, 1, caller->principal);
        int rc = db_step(stmt);
        uint32_t permissions = rc == DB_ROW ? permissions_of_role(db_int(stmt, 0), db_text(stmt, 1)) : 0;
        db_reset(stmt);
        if (rc < 0)
                return -PROTOCOL_ERR_INTERNAL;
        return permissions & 1u << permission ? 0 : -PROTOCOL_ERR_FORBIDDEN;
}

/* ---- roles ---- */

uint64_t people_role_name(const struct desk *desk, int64_t role, struct span *out_name)
{
        for (size_t i = 0; i < BUILT_IN; i++) {
                if ((int64_t)built_in[i].role == role) {
                        *out_name = span_of(built_in[i].name);
                        return (uint64_t)role;
                }
        }
        for (size_t i = 0; i < desk->people->role_count; i++) {
                if (desk->people->roles[i].id == role) {
                        *out_name = span_of(desk->people->roles[i].name);
                        return desk->people->roles[i].ext;
                }
        }
        *out_name = SPAN("");
        return 0;
}

int64_t people_role_ext(const struct desk *desk, uint64_t ext, uint32_t *out_permissions)
{
        if (ext >= 1 && ext <= BUILT_IN) { /* rol_0000000000001 ... */
                *out_permissions = permissions_of_role((int64_t)ext, (struct span){0});
                return (int64_t)ext;
        }
        for (size_t i = 0; i < desk->people->role_count; i++) {
                if (desk->people->roles[i].ext == ext) {
                        *out_permissions = desk->people->roles[i].permissions;
                        return desk->people->roles[i].id;
                }
        }
        return 0;
}

/* What a handler was told: all of them known, and all of them the caller's own. */
static int take_permissions(struct desk *desk, const struct caller *caller, const struct span *names, size_t count,
                            uint32_t *out_permissions, struct fault *fault)
{
        *out_permissions = 0;
        for (size_t i = 0; i < count; i++) {
                enum protocol_permission permission = permission_named(names[i]);
                if (permission == PROTOCOL_MAY_ANYTHING)
                        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "permissions", "names of docs/desk.md");
                *out_permissions |= 1u << permission;
        }
        if (!people_has_all(desk, caller, *out_permissions))
                return fault_set(fault, PROTOCOL_ERR_FORBIDDEN, "permissions", "what you have yourself");
        return 0;
}

static int check_name(struct desk *desk, struct span name, int64_t except, struct fault *fault)
{
        for (size_t i = 0; i < BUILT_IN; i++)
                if (span_equal(span_of(built_in[i].name), name))
                        return fault_set(fault, PROTOCOL_ERR_CONFLICT, "name", "a name that no other role has");
        struct db_stmt *stmt = db_stmt(desk->db, SQL_ROLE_CLASH);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_text(stmt, 2, name);
        db_bind_int(stmt, 3, except);
        int rc = db_step(stmt);
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        return rc == DB_ROW ? fault_set(fault, PROTOCOL_ERR_CONFLICT, "name", "a name that no other role has") : 0;
}

int handle_role_add(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_role_add *params = command->params;
        char text[PERMISSIONS_TEXT];
        uint32_t permissions = 0;
        int rc = take_permissions(desk, &command->caller, params->permissions, params->permissions_count, &permissions,
                                  fault);
        if (rc == 0)
                rc = check_name(desk, params->name, 0, fault);
        int64_t count = rc == 0 ? people_count(desk, SQL_ROLE_COUNT) : 0;
        if (rc < 0 || count < 0)
                return rc < 0 ? rc : (int)count;
        if (count >= PEOPLE_ROLES)
                return -PROTOCOL_ERR_TOO_MANY;
        struct protocol_role_add_result result = {.role = desk_new_id(desk)};
        struct span written = permissions_write(permissions, text);
        struct db_stmt *stmt = db_stmt(desk->db, SQL_ROLE_INSERT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, (int64_t)result.role);
        db_bind_text(stmt, 3, params->name);
        db_bind_text(stmt, 4, written);
        db_bind_int(stmt, 5, desk->now_ms);
        rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        people_changed(desk);
        protocol_role_add_result_write(out, &result);
        return admin_audit(desk, &command->caller, "role.add", "rol", result.role, written);
}

/* A role as the store has it now; texts in `room`. */
struct stored_role {
        int64_t id;
        char name[321], permissions[PERMISSIONS_TEXT];
};

static int find_role(struct desk *desk, const struct caller *caller, uint64_t ext, struct stored_role *out,
                     struct fault *fault)
{
        if (ext >= 1 && ext <= BUILT_IN)
                return fault_set(fault, PROTOCOL_ERR_CONFLICT, "role", "one that is not built in");
        struct db_stmt *stmt = db_stmt(desk->db, SQL_ROLE_BY_EXT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, (int64_t)ext);
        int rc = db_step(stmt);
        if (rc != DB_ROW)
                return rc < 0 ? desk_db_failed(desk, rc) : -PROTOCOL_ERR_NOT_FOUND;
        struct span name = db_text(stmt, 1), permissions = db_text(stmt, 2);
        out->id = db_int(stmt, 0);
        snprintf(out->name, sizeof out->name, "%.*s", (int)name.len, name.at);
        snprintf(out->permissions, sizeof out->permissions, "%.*s", (int)permissions.len, permissions.at);
        db_reset(stmt);
        if (!people_has_all(desk, caller, permissions_read(span_of(out->permissions))))
                return fault_set(fault, PROTOCOL_ERR_FORBIDDEN, "role", "one that may no more than you");
        return 0;
}

static int64_t count_users(struct desk *desk, int64_t role)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_ROLE_USERS);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, role);
        int rc = db_step(stmt);
        int64_t count = rc == DB_ROW ? db_int(stmt, 0) : 0;
        db_reset(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : count;
}

static void fill_row(struct protocol_role_row *out, uint64_t ext, struct span name, uint32_t permissions,
                     struct span names[PROTOCOL_PERMISSIONS])
{
        *out = (struct protocol_role_row){.role = ext, .name = name, .permissions = names};
        for (int i = 1; i < PROTOCOL_PERMISSIONS; i++)
                if (permissions & 1u << i)
                        names[out->permissions_count++] = span_of(protocol_permission_names[i]);
}

struct moving {
        struct desk *desk;
        int64_t role;
        uint32_t was, is;
        int rc;
};

static bool move_reach(void *data, struct agent_profile *agent)
{
        struct moving *moving = data;
        if (agent->role == moving->role)
                moving->rc = people_rights_moved(moving->desk, agent, moving->was, moving->is);
        return moving->rc == 0;
}

static int save_role(struct desk *desk, const struct stored_role *role, struct span name, struct span permissions)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_ROLE_SAVE);
        db_bind_int(stmt, 1, role->id);
        db_bind_text(stmt, 2, name);
        db_bind_text(stmt, 3, permissions);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        people_changed(desk);
        if (span_equal(span_of(role->permissions), permissions))
                return 0;
        struct moving moving = {.desk = desk,
                                .role = role->id,
                                .was = permissions_read(span_of(role->permissions)),
                                .is = permissions_read(permissions)};
        people_each_agent(desk, 0, move_reach, &moving);
        return moving.rc;
}

int handle_role_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_role_set *params = command->params;
        struct stored_role role = {0};
        char text[PERMISSIONS_TEXT], detail[2 * PERMISSIONS_TEXT + 8];
        int rc = find_role(desk, &command->caller, params->role, &role, fault);
        if (rc == 0 && params->has_name)
                rc = check_name(desk, params->name, role.id, fault);
        uint32_t permissions = rc == 0 ? permissions_read(span_of(role.permissions)) : 0;
        if (rc == 0 && params->has_permissions)
                rc = take_permissions(desk, &command->caller, params->permissions, params->permissions_count,
                                      &permissions, fault);
        if (rc < 0)
                return rc;
        struct span name = params->has_name ? params->name : span_of(role.name);
        struct span written = permissions_write(permissions, text), names[PROTOCOL_PERMISSIONS];
        if ((rc = save_role(desk, &role, name, written)) < 0)
                return rc;
        struct protocol_role_set_result result = {0};
        int64_t users = count_users(desk, role.id);
        if (users < 0)
                return (int)users;
        fill_row(&result.row, params->role, name, permissions, names);
        result.row.agents = users;
        protocol_role_set_result_write(out, &result);
        int len = snprintf(detail, sizeof detail, "%s -> %.*s", role.permissions, (int)written.len, written.at);
        return admin_audit(desk, &command->caller, "role.set", "rol", params->role, (struct span){detail, (size_t)len});
}

int handle_role_remove(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_role_remove *params = command->params;
        struct stored_role role = {0};
        int rc = find_role(desk, &command->caller, params->role, &role, fault);
        if (rc < 0)
                return rc;
        int64_t users = count_users(desk, role.id);
        if (users != 0)
                return users < 0 ? (int)users
                                 : fault_set(fault, PROTOCOL_ERR_CONFLICT, "role", "one that nobody has any more");
        struct db_stmt *stmt = db_stmt(desk->db, SQL_ROLE_REMOVE);
        db_bind_int(stmt, 1, role.id);
        rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        people_changed(desk);
        struct protocol_role_remove_result result = {0};
        protocol_role_remove_result_write(out, &result);
        return admin_audit(desk, &command->caller, "role.remove", "rol", params->role, span_of(role.permissions));
}

int handle_role_list(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        enum { ROWS = BUILT_IN + PEOPLE_ROLES };
        struct protocol_role_list_result result = {0};
        result.roles = arena_take(&command->arena, ROWS * sizeof *result.roles);
        struct span *names = arena_take(&command->arena, ROWS * PROTOCOL_PERMISSIONS * sizeof *names);
        if (!result.roles || !names)
                return -PROTOCOL_ERR_INTERNAL;
        for (size_t i = 0; i < BUILT_IN + desk->people->role_count; i++) {
                bool is_custom = i >= BUILT_IN;
                const struct role *role = is_custom ? &desk->people->roles[i - BUILT_IN] : NULL;
                int64_t id = role ? role->id : (int64_t)built_in[i].role;
                struct protocol_role_row *row = &result.roles[result.roles_count++];
                fill_row(row, role ? role->ext : (uint64_t)id, span_of(role ? role->name : built_in[i].name),
                         role ? role->permissions : permissions_of_role(id, (struct span){0}),
                         names + i * PROTOCOL_PERMISSIONS);
                row->built_in = !is_custom;
                row->agents = count_users(desk, id);
                if (row->agents < 0)
                        return (int)row->agents;
        }
        protocol_role_list_result_write(out, &result);
        return 0;
}
