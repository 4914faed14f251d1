/* SPDX-License-Identifier: Apache-2.0 */
/* Teams and profiles in memory: read from the store at start, after a commit that changed them, and after a batch that
 * is not kept. Records are never moved: what was lent stays good. */
#include "desk/people/people_private.h"

#include <stdlib.h>

#include "desk/hours/hours.h"
#include "desk/routing/routing.h"

/* ---- reading ---- */

static void keep_text(char *to, size_t room, struct span text)
{
        size_t len = text.len < room ? text.len : room - 1;
        if (len > 0)
                memcpy(to, text.at, len);
        to[len] = 0;
}

static void read_team(struct db_stmt *stmt, struct team *out)
{
        *out = (struct team){.id = db_int(stmt, 0),
                             .ext = (uint64_t)db_int(stmt, 1),
                             .manner = (enum people_manner)db_int(stmt, 3),
                             .sticky_ms = db_int(stmt, 4),
                             .accept_ms = db_int(stmt, 5),
                             .schedule = db_int(stmt, 6),
                             .requeue_ms = db_int(stmt, 7),
                             .wants_consent = db_int(stmt, 8) != 0,
                             .offline_requeue = db_int(stmt, 9) != 0,
                             .must_speak_language = db_int(stmt, 10) != 0,
                             .is_removed = db_int(stmt, 11) != 0};
        keep_text(out->name, sizeof out->name, db_text(stmt, 2));
}

/* The record of that id in a list by id, made when it is not there: rows come in that order. NULL: out of memory. */
static void *slot_for(void ***list, size_t *count, size_t at, int64_t id, size_t size)
{
        if (at < *count && *(int64_t *)(*list)[at] == id)
                return (*list)[at];
        void **longer = realloc(*list, (*count + 1) * sizeof *longer);
        if (!longer)
                return NULL;
        *list = longer;
        void *made = calloc(1, size);
        if (!made)
                return NULL;
        memmove(longer + at + 1, longer + at, (*count - at) * sizeof *longer);
        longer[at] = made;
        (*count)++;
        return made;
}

static int load_teams(struct desk *desk)
{
        struct people *people = desk->people;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_TEAMS_ALL);
        db_bind_int(stmt, 1, desk->workspace);
        int rc;
        for (size_t at = 0; (rc = db_step(stmt)) == DB_ROW; at++) {
                struct team *team =
                        slot_for((void ***)&people->teams, &people->team_count, at, db_int(stmt, 0), sizeof *team);
                if (!team) {
                        db_reset(stmt);
                        return DB_NOMEM;
                }
                read_team(stmt, team);
        }
        return rc;
}

/* Lines into an array of texts. */
static uint8_t read_lines(struct span text, char *to, size_t room, size_t max)
{
        uint8_t count = 0;
        while (text.len > 0 && count < max) {
                const char *end = memchr(text.at, '\n', text.len);
                size_t len = end ? (size_t)(end - text.at) : text.len;
                keep_text(to + room * count++, room, (struct span){text.at, len});
                size_t gone = end ? len + 1 : len;
                text = (struct span){text.at + gone, text.len - gone};
        }
        return count;
}

static uint32_t permissions_of(const struct people *people, int64_t role)
{
        for (size_t i = 0; i < people->role_count; i++)
                if (people->roles[i].id == role)
                        return people->roles[i].permissions;
        return permissions_of_role(role, (struct span){0});
}

static void read_profile(const struct people *people, struct db_stmt *stmt, struct agent_profile *out)
{
        out->id = db_int(stmt, 0);
        out->ext = (uint64_t)db_int(stmt, 1);
        out->is_gone = db_int(stmt, 2) != 0;
        out->role = db_int(stmt, 3);
        out->permissions = permissions_of(people, out->role);
        out->capacity = (int32_t)db_int(stmt, 4);
        out->wake_cap = (int32_t)db_int(stmt, 5);
        out->schedule = db_int(stmt, 6);
        out->language_count =
                read_lines(db_text(stmt, 7), out->languages[0], sizeof out->languages[0], PEOPLE_LANGUAGES);
        out->skill_count = read_lines(db_text(stmt, 8), out->skills[0], sizeof out->skills[0], PEOPLE_SKILLS);
        out->reach_rev = db_int(stmt, 9);
        out->status = (enum agent_status)db_int(stmt, 10);
        out->chosen = (enum agent_status)db_int(stmt, 11);
        keep_text(out->reason, sizeof out->reason, db_text(stmt, 12));
        out->since_ms = db_int(stmt, 13);
        out->away_before_ms = -1;
        out->team_count = 0;
        out->is_reach_moved = out->is_closing = false;
}

static int load_agents(struct desk *desk)
{
        struct people *people = desk->people;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_AGENT_PROFILES_ALL);
        db_bind_int(stmt, 1, desk->workspace);
        int rc;
        for (size_t at = 0; (rc = db_step(stmt)) == DB_ROW; at++) {
                struct agent_profile *agent =
                        slot_for((void ***)&people->agents, &people->agent_count, at, db_int(stmt, 0), sizeof *agent);
                if (!agent) {
                        db_reset(stmt);
                        return DB_NOMEM;
                }
                read_profile(people, stmt, agent);
        }
        return rc;
}

static int load_members(struct desk *desk)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_TEAM_MEMBERS_ALL);
        int rc;
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct agent_profile *agent = people_agent(desk, db_int(stmt, 0));
                if (agent && agent->team_count < PEOPLE_TEAMS_OF_AGENT)
                        agent->teams[agent->team_count++] = db_int(stmt, 1);
        }
        return rc;
}

static int load_roles(struct desk *desk)
{
        struct people *people = desk->people;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_ROLES_ALL);
        db_bind_int(stmt, 1, desk->workspace);
        int rc;
        people->role_count = 0;
        while ((rc = db_step(stmt)) == DB_ROW) {
                if (people->role_count == PEOPLE_ROLES)
                        continue;
                struct role *role = &people->roles[people->role_count++];
                *role = (struct role){.id = db_int(stmt, 0),
                                      .ext = (uint64_t)db_int(stmt, 1),
                                      .permissions = permissions_read(db_text(stmt, 3))};
                keep_text(role->name, sizeof role->name, db_text(stmt, 2));
        }
        return rc;
}

static int load_reasons(struct desk *desk)
{
        struct people *people = desk->people;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_AWAY_REASONS_ALL);
        db_bind_int(stmt, 1, desk->workspace);
        int rc;
        people->reason_count = 0;
        while ((rc = db_step(stmt)) == DB_ROW) {
                if (people->reason_count == AWAY_REASONS)
                        continue;
                struct away_reason *reason = &people->reasons[people->reason_count++];
                reason->minutes = db_int(stmt, 1);
                keep_text(reason->reason, sizeof reason->reason, db_text(stmt, 0));
        }
        return rc;
}

int people_load(struct desk *desk)
{
        if (!desk->people && !(desk->people = calloc(1, sizeof *desk->people)))
                return DB_NOMEM;
        int rc = load_roles(desk);
        if (rc >= 0)
                rc = load_reasons(desk);
        if (rc >= 0)
                rc = load_teams(desk);
        if (rc >= 0)
                rc = load_agents(desk);
        if (rc >= 0)
                rc = load_members(desk);
        if (rc < 0)
                return rc;
        desk->people->are_changed = desk->people->is_status_moved = desk->people->is_closing = false;
        people_status_loaded(desk);
        return DB_OK;
}

void people_done(struct desk *desk)
{
        struct people *people = desk->people;
        if (!people)
                return;
        for (size_t i = 0; i < people->team_count; i++)
                free(people->teams[i]);
        for (size_t i = 0; i < people->agent_count; i++)
                free(people->agents[i]);
        free(people->teams);
        free(people->agents);
        free(people);
        desk->people = NULL;
}

void people_changed(struct desk *desk)
{
        desk->people->are_changed = true;
}

static void read_again(struct desk *desk)
{
        int rc = people_load(desk);
        if (rc >= 0)
                return;
        desk->people->are_changed = true; /* tried again after the next commit */
        log_error(&desk->log, "teams and agents could not be read again; the old ones stay for now", "code", rc);
}

void people_committed(struct desk *desk)
{
        struct people *people = desk->people;
        people->uninvited_count = 0;
        people->is_status_moved = people->is_closing = false;
        if (!people->are_changed)
                return;
        read_again(desk);
        routing_people_changed(desk);
        recovery_look_again(desk);
}

void people_rolled_back(struct desk *desk)
{
        struct people *people = desk->people;
        people->uninvited_count = 0;
        if (!people->are_changed && !people->is_status_moved && !people->is_closing)
                return;
        read_again(desk);
        routing_people_changed(desk);
        recovery_look_again(desk);
}

/* ---- finding ---- */

const struct team *people_team(const struct desk *desk, int64_t id)
{
        const struct people *people = desk->people;
        size_t from = 0, to = people->team_count;
        while (from < to) {
                size_t middle = from + (to - from) / 2;
                if (people->teams[middle]->id < id)
                        from = middle + 1;
                else
                        to = middle;
        }
        bool is_it = from < people->team_count && people->teams[from]->id == id && !people->teams[from]->is_removed;
        return is_it ? people->teams[from] : NULL;
}

const struct team *people_team_ext(const struct desk *desk, uint64_t ext)
{
        for (size_t i = 0; i < desk->people->team_count; i++)
                if (desk->people->teams[i]->ext == ext && !desk->people->teams[i]->is_removed)
                        return desk->people->teams[i];
        return NULL;
}

const struct team *people_team_named(const struct desk *desk, struct span name)
{
        for (size_t i = 0; i < desk->people->team_count; i++)
                if (!desk->people->teams[i]->is_removed && span_equal(span_of(desk->people->teams[i]->name), name))
                        return desk->people->teams[i];
        return NULL;
}

void people_each_team(const struct desk *desk, bool (*each)(void *data, const struct team *team), void *data)
{
        for (size_t i = 0; i < desk->people->team_count; i++)
                if (!desk->people->teams[i]->is_removed && !each(data, desk->people->teams[i]))
                        return;
}

struct agent_profile *people_agent(const struct desk *desk, int64_t id)
{
        const struct people *people = desk->people;
        size_t from = 0, to = people->agent_count;
        while (from < to) {
                size_t middle = from + (to - from) / 2;
                if (people->agents[middle]->id < id)
                        from = middle + 1;
                else
                        to = middle;
        }
        return from < people->agent_count && people->agents[from]->id == id ? people->agents[from] : NULL;
}

struct agent_profile *people_agent_ext(const struct desk *desk, uint64_t ext)
{
        for (size_t i = 0; i < desk->people->agent_count; i++)
                if (desk->people->agents[i]->ext == ext && !desk->people->agents[i]->is_gone)
                        return desk->people->agents[i];
        return NULL;
}

void people_each_agent(const struct desk *desk, int64_t team, bool (*each)(void *data, struct agent_profile *agent),
                       void *data)
{
        for (size_t i = 0; i < desk->people->agent_count; i++) {
                struct agent_profile *agent = desk->people->agents[i];
                bool is_asked = !agent->is_gone && (team == 0 || people_is_member(agent, team));
                if (is_asked && !each(data, agent))
                        return;
        }
}

bool people_is_member(const struct agent_profile *agent, int64_t team)
{
        for (uint8_t i = 0; i < agent->team_count; i++)
                if (agent->teams[i] == team)
                        return true;
        return false;
}

bool people_has_skill(const struct agent_profile *agent, struct span skill)
{
        for (uint8_t i = 0; i < agent->skill_count; i++)
                if (span_equal(span_of(agent->skills[i]), skill))
                        return true;
        return false;
}

static size_t primary_len(struct span tag)
{
        const char *end = tag.len > 0 ? memchr(tag.at, '-', tag.len) : NULL;
        return end ? (size_t)(end - tag.at) : tag.len;
}

bool people_speaks(const struct agent_profile *agent, struct span language)
{
        size_t len = primary_len(language);
        for (uint8_t i = 0; i < agent->language_count; i++) {
                struct span own = span_of(agent->languages[i]);
                if (len > 0 && primary_len(own) == len && strncasecmp(own.at, language.at, len) == 0)
                        return true;
        }
        return false;
}

bool people_is_available(const struct desk *desk, const struct agent_profile *agent)
{
        return !agent->is_gone && agent->status == AGENT_ONLINE && agent->connections > 0 &&
               (agent->schedule == 0 || hours_is_open(desk, agent->schedule, desk->now_ms));
}

/* ---- what handlers share ---- */

void people_part(struct agent_profile *agent, int64_t team)
{
        uint8_t kept = 0;
        for (uint8_t i = 0; i < agent->team_count; i++)
                if (agent->teams[i] != team)
                        agent->teams[kept++] = agent->teams[i];
        agent->team_count = kept;
}

void people_join(struct agent_profile *agent, int64_t team)
{
        people_part(agent, team);
        if (agent->team_count == PEOPLE_TEAMS_OF_AGENT)
                return;
        uint8_t at = agent->team_count++;
        for (; at > 0 && agent->teams[at - 1] > team; at--)
                agent->teams[at] = agent->teams[at - 1];
        agent->teams[at] = team;
}

int people_find_schedule(struct desk *desk, uint64_t ext, int64_t *out_schedule, struct fault *fault)
{
        const struct schedule *schedule = hours_schedule_ext(desk, ext);
        if (!schedule)
                return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "schedule", "a schedule of this workspace");
        *out_schedule = schedule->id;
        return 0;
}

int people_make_profile(struct desk *desk, const struct agent_profile *agent)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_AGENT_PROFILE_MAKE);
        db_bind_int(stmt, 1, agent->id);
        db_bind_int(stmt, 2, desk->now_ms);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int people_rights_moved(struct desk *desk, struct agent_profile *agent, uint32_t was, uint32_t is)
{
        const uint32_t all = 1u << PROTOCOL_MAY_READ_ALL, reading = all | 1u << PROTOCOL_MAY_READ_UNASSIGNED;
        bool reads_all = (was & is & all) != 0, is_reach = !reads_all && (was == is || ((was ^ is) & reading) != 0);
        if (was == is && reads_all)
                return 0; /* another team: he read it before */
        int rc = people_make_profile(desk, agent);
        if (rc < 0)
                return rc;
        agent->is_closing = desk->people->is_closing = true;
        agent->is_reach_moved = agent->is_reach_moved || is_reach;
        return 0;
}

int64_t people_count(struct desk *desk, enum sql_id id)
{
        struct db_stmt *stmt = db_stmt(desk->db, id);
        db_bind_int(stmt, 1, desk->workspace);
        int rc = db_step(stmt);
        int64_t count = rc == DB_ROW ? db_int(stmt, 0) : 0;
        db_reset(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : count;
}
