/* SPDX-License-Identifier: Apache-2.0 */
/* agent.set and agent.list: what is said of an agent. */
#include "desk/people/people_private.h"

#include <stdio.h>

#include "desk/hours/hours.h"
#include "desk/routing/routing.h"

/* ---- agent.list ---- */

/* Role, capacity, languages, skills, teams, schedule; borrows from the profile and the arena. */
static int fill_profile(struct desk *desk, const struct agent_profile *agent, struct arena *arena,
                        struct protocol_agent_row *row)
{
        struct span role_name;
        uint64_t role = people_role_name(desk, agent->role, &role_name);
        const struct schedule *schedule = hours_schedule(desk, agent->schedule);
        struct span *texts = arena_take(arena, (PEOPLE_LANGUAGES + PEOPLE_SKILLS) * sizeof *texts);
        uint64_t *teams = arena_take(arena, PEOPLE_TEAMS_OF_AGENT * sizeof *teams);
        if (!texts || !teams)
                return -PROTOCOL_ERR_INTERNAL;
        row->has_role = row->has_role_name = role != 0;
        row->role = role;
        row->role_name = role_name;
        row->has_capacity = row->has_wake_cap = row->has_languages = row->has_skills = row->has_teams = true;
        row->capacity = agent->capacity;
        row->wake_cap = agent->wake_cap;
        row->languages = texts;
        row->skills = texts + PEOPLE_LANGUAGES;
        row->teams = teams;
        for (uint8_t i = 0; i < agent->language_count; i++)
                texts[row->languages_count++] = span_of(agent->languages[i]);
        for (uint8_t i = 0; i < agent->skill_count; i++)
                texts[PEOPLE_LANGUAGES + row->skills_count++] = span_of(agent->skills[i]);
        for (uint8_t i = 0; i < agent->team_count; i++) {
                const struct team *team = people_team(desk, agent->teams[i]);
                if (team)
                        teams[row->teams_count++] = team->ext;
        }
        row->has_schedule = schedule != NULL;
        row->schedule = schedule ? schedule->ext : 0;
        return 0;
}

static struct span copy_text(struct arena *arena, struct span text)
{
        char *copy = text.len > 0 ? arena_take(arena, text.len) : NULL;
        if (copy)
                memcpy(copy, text.at, text.len);
        return (struct span){copy, copy ? text.len : 0};
}

static int fill_row(struct desk *desk, struct db_stmt *stmt, bool with_email, struct arena *arena,
                    struct protocol_agent_row *row)
{
        const struct agent_profile *agent = people_agent(desk, db_int(stmt, 0));
        struct span email = db_text(stmt, 3);
        *row = (struct protocol_agent_row){.agent = {ROLE_AGENT, (uint64_t)db_int(stmt, 1)},
                                           .name = copy_text(arena, db_text(stmt, 2)),
                                           .has_email = with_email && email.at,
                                           .has_revoked = db_int(stmt, 4) != 0,
                                           .revoked = db_int(stmt, 4) != 0,
                                           .created = db_int(stmt, 5)};
        if (row->has_email)
                row->email = copy_text(arena, email);
        return agent ? fill_profile(desk, agent, arena, row) : 0; /* one made in this batch has nothing else yet */
}

/* The row id after which the page begins. */
static int find_after(struct desk *desk, const struct protocol_agent_list *params, int64_t *out_after,
                      struct fault *fault)
{
        struct principal_row row;
        *out_after = 0;
        if (!params->has_after)
                return 0;
        int rc = principals_load_ext(desk->db, params->after.id, &row);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        if (rc == DB_OK || row.role != ROLE_AGENT || params->after.role != ROLE_AGENT)
                return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "after", "an agent of this workspace");
        *out_after = row.id;
        return 0;
}

int handle_agent_list(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        enum { PAGE = 30 }; /* of an agent's connection: rows are long */
        struct protocol_agent_list_result result = {0};
        bool with_email = people_authorize(desk, &command->caller, PROTOCOL_MAY_AGENT_ADMIN) == 0;
        size_t limit = command->caller.role == ROLE_OPERATOR ? PEOPLE_AGENTS : PAGE;
        int64_t after = 0;
        int rc = find_after(desk, command->params, &after, fault);
        if (rc < 0)
                return rc;
        result.agents = arena_take(&command->arena, limit * sizeof *result.agents);
        if (!result.agents)
                return -PROTOCOL_ERR_INTERNAL;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_AGENTS_AFTER);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, after);
        db_bind_int(stmt, 3, (int64_t)limit + 1);
        int failed = 0;
        while (failed == 0 && (rc = db_step(stmt)) == DB_ROW) {
                result.has_more = result.more = result.agents_count == limit;
                if (result.more)
                        break;
                failed = fill_row(desk, stmt, with_email, &command->arena, &result.agents[result.agents_count++]);
        }
        db_reset(stmt);
        if (rc < 0 || failed < 0)
                return rc < 0 ? desk_db_failed(desk, rc) : failed;
        protocol_agent_list_result_write(out, &result);
        return 0;
}

/* ---- agent.set ---- */

/* Texts into lines; refused when one holds a line's end, or stands twice. */
static int take_lines(const struct span *items, size_t count, const char *field, char *to, size_t room,
                      uint8_t *out_count, struct fault *fault)
{
        for (size_t i = 0; i < count; i++) {
                if (memchr(items[i].at, '\n', items[i].len))
                        return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, field, "one line each");
                for (size_t j = 0; j < i; j++)
                        if (span_equal(items[i], items[j]))
                                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, field, "each once");
                snprintf(to + i * room, room, "%.*s", (int)items[i].len, items[i].at);
        }
        *out_count = (uint8_t)count;
        return 0;
}

static void write_lines(struct writer *writer, const char *from, size_t room, uint8_t count)
{
        for (uint8_t i = 0; i < count; i++) {
                if (i > 0)
                        writer_char(writer, '\n');
                writer_raw(writer, span_of(from + i * room));
        }
}

static int check_tags(const struct protocol_agent_set *params, struct fault *fault)
{
        for (size_t i = 0; params->has_languages && i < params->languages_count; i++) {
                struct span tag = params->languages[i];
                for (size_t at = 0; at < tag.len; at++) {
                        char c = tag.at[at];
                        bool fine =
                                (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
                        if (!fine)
                                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "languages",
                                                 "BCP 47 tags: ko, pt-BR");
                }
        }
        return 0;
}

/* A role that may more than the caller can neither be given nor taken. */
static int take_role(struct desk *desk, const struct caller *caller, uint64_t ext, struct agent_profile *profile,
                     struct fault *fault)
{
        uint32_t permissions = 0;
        int64_t role = people_role_ext(desk, ext, &permissions);
        if (role == 0)
                return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "role", "a role of this workspace");
        if (!people_has_all(desk, caller, permissions | profile->permissions))
                return fault_set(fault, PROTOCOL_ERR_FORBIDDEN, "role", "one that may no more than you");
        profile->role = role;
        profile->permissions = permissions;
        return 0;
}

static int take_params(struct desk *desk, const struct caller *caller, const struct protocol_agent_set *params,
                       struct agent_profile *profile, struct fault *fault)
{
        int rc = params->has_role ? take_role(desk, caller, params->role, profile, fault) : 0;
        if (rc == 0)
                rc = check_tags(params, fault);
        if (rc == 0 && params->has_languages)
                rc = take_lines(params->languages, params->languages_count, "languages", profile->languages[0],
                                sizeof profile->languages[0], &profile->language_count, fault);
        if (rc == 0 && params->has_skills)
                rc = take_lines(params->skills, params->skills_count, "skills", profile->skills[0],
                                sizeof profile->skills[0], &profile->skill_count, fault);
        if (params->has_no_schedule && params->no_schedule)
                profile->schedule = 0;
        if (rc == 0 && params->has_schedule)
                rc = people_find_schedule(desk, params->schedule, &profile->schedule, fault);
        if (params->has_capacity)
                profile->capacity = (int32_t)params->capacity;
        if (params->has_wake_cap)
                profile->wake_cap = (int32_t)params->wake_cap;
        return rc;
}

static int save(struct desk *desk, const struct agent_profile *profile)
{
        struct writer languages, skills;
        char first[PEOPLE_LANGUAGES * 36], second[PEOPLE_SKILLS * 65];
        writer_init(&languages, first, sizeof first);
        writer_init(&skills, second, sizeof second);
        write_lines(&languages, profile->languages[0], sizeof profile->languages[0], profile->language_count);
        write_lines(&skills, profile->skills[0], sizeof profile->skills[0], profile->skill_count);
        struct db_stmt *stmt = db_stmt(desk->db, SQL_AGENT_PROFILE_SAVE);
        db_bind_int(stmt, 1, profile->id);
        db_bind_int(stmt, 2, profile->role);
        db_bind_int(stmt, 3, profile->capacity);
        db_bind_int(stmt, 4, profile->wake_cap);
        db_bind_int(stmt, 5, profile->schedule);
        db_bind_text(stmt, 6, (struct span){languages.bytes, languages.len});
        db_bind_text(stmt, 7, (struct span){skills.bytes, skills.len});
        int rc = db_run(stmt);
        writer_done(&languages);
        writer_done(&skills);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static int rename_agent(struct desk *desk, const struct agent_profile *agent, struct span name)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_AGENT_RENAME);
        db_bind_int(stmt, 1, agent->id);
        db_bind_text(stmt, 2, name);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        struct principal_row row;
        if ((rc = principals_load(desk->db, agent->id, &row)) < 0)
                return desk_db_failed(desk, rc);
        desk->names_changed = true;
        return directory_put(desk->directory, &row) ? 0 : desk_db_failed(desk, DB_NOMEM);
}

static int audit_set(struct desk *desk, const struct desk_command *command, const struct agent_profile *was,
                     const struct agent_profile *is)
{
        const struct protocol_agent_set *params = command->params;
        struct span old_role, new_role;
        char detail[1024];
        people_role_name(desk, was->role, &old_role);
        people_role_name(desk, is->role, &new_role);
        int len = snprintf(detail, sizeof detail,
                           "role %.*s -> %.*s, capacity %d -> %d, wake_cap %d -> %d, languages %d -> %d, skills %d -> "
                           "%d, schedule %lld -> %lld%s",
                           (int)old_role.len, old_role.at, (int)new_role.len, new_role.at, was->capacity, is->capacity,
                           was->wake_cap, is->wake_cap, was->language_count, is->language_count, was->skill_count,
                           is->skill_count, (long long)was->schedule, (long long)is->schedule,
                           params->has_name ? ", renamed" : "");
        size_t used = len > 0 && (size_t)len < sizeof detail ? (size_t)len : sizeof detail - 1;
        return admin_audit(desk, &command->caller, "agent.set", "agt", is->ext, (struct span){detail, used});
}

static int write_row(struct desk *desk, struct desk_command *command, const struct agent_profile *profile,
                     struct writer *out)
{
        struct protocol_agent_set_result result = {0};
        struct principal_row row;
        int rc = principals_load(desk->db, profile->id, &row);
        if (rc != DB_ROW)
                return desk_db_failed(desk, rc < 0 ? rc : DB_DAMAGED);
        result.row = (struct protocol_agent_row){.agent = {ROLE_AGENT, profile->ext},
                                                 .name = span_of(row.name),
                                                 .created = (int64_t)(profile->ext >> 22)};
        rc = fill_profile(desk, profile, &command->arena, &result.row);
        if (rc == 0)
                protocol_agent_set_result_write(out, &result);
        return rc;
}

int handle_agent_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_agent_set *params = command->params;
        struct agent_profile *agent =
                params->agent.role == ROLE_AGENT ? people_agent_ext(desk, params->agent.id) : NULL;
        if (!agent)
                return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "agent", "an agent of this workspace");
        struct agent_profile profile = *agent;
        int rc = take_params(desk, &command->caller, params, &profile, fault);
        if (rc == 0)
                rc = people_make_profile(desk, agent);
        if (rc == 0)
                rc = save(desk, &profile);
        if (rc == 0 && params->has_name)
                rc = rename_agent(desk, agent, params->name);
        if (rc < 0)
                return rc;
        people_changed(desk);
        if ((rc = write_row(desk, command, &profile, out)) < 0 || (rc = audit_set(desk, command, agent, &profile)) < 0)
                return rc;
        uint32_t was = agent->permissions;
        *agent = profile; /* another command of this batch may change him too */
        routing_agent_changed(desk, agent);
        return was != agent->permissions ? people_rights_moved(desk, agent, was, agent->permissions) : 0;
}
