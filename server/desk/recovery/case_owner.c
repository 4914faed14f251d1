/* SPDX-License-Identifier: Apache-2.0 */
/* Who owns a case: somebody with the permission `recovery` who may read the conversation and whom the case is not
 * about; those of its team first, then those who are there, then who has the fewest cases, then the oldest account. */
#include "desk/recovery/recovery_private.h"

/* ---- who may read it ---- */

int case_place(struct desk *desk, const struct recovery_case *one, int64_t *out_team, int64_t *out_assignee)
{
        const struct ticket *ticket = tickets_of_conversation(desk, one->conv);
        struct conversation *conversation = NULL;
        int rc = ticket ? 0 : conversation_find(desk, one->conv_ext, &conversation);
        if (rc < 0)
                return rc;
        *out_team = ticket ? ticket->team : conversation ? conversation->row.team : 0;
        *out_assignee = ticket ? ticket->assignee : conversation ? conversation->row.assignee : 0;
        return 0;
}

bool case_is_read_by(struct desk *desk, const struct recovery_case *one, const struct agent_profile *agent)
{
        const struct caller caller = {.principal = agent->id, .workspace = desk->workspace, .role = ROLE_AGENT};
        int64_t team, assignee;
        return case_place(desk, one, &team, &assignee) == 0 &&
               people_may_read(desk, &caller, team, assignee, one->conv);
}

int case_is_about(struct desk *desk, const struct recovery_case *one, int64_t agent)
{
        int64_t found;
        if (one->rated == agent)
                return 1;
        return case_ids(desk, SQL_RECOVERY_IS_RATED, one->id, agent, &found, 1);
}

/* ---- giving it ---- */

int case_let_go(struct desk *desk, struct recovery_case *one)
{
        struct conversation *conversation = NULL;
        if (!one->is_invited)
                return 0;
        one->is_invited = false;
        int rc = conversation_find(desk, one->conv_ext, &conversation);
        if (rc == 0)
                rc = people_uninvite(desk, conversation, one->owner);
        return rc == -PROTOCOL_ERR_OVERLOADED ? 0 : rc; /* then he stays invited */
}

static bool is_invited(const int64_t *invited, int count, int64_t agent)
{
        for (int i = 0; i < count; i++)
                if (invited[i] == agent)
                        return true;
        return false;
}

int case_give(struct desk *desk, struct recovery_case *one, int64_t agent)
{
        const struct agent_profile *profile = agent ? people_agent(desk, agent) : NULL;
        struct conversation *conversation = NULL;
        int64_t invited[PEOPLE_INVITED];
        int rc = case_let_go(desk, one);
        if (rc < 0)
                return rc;
        one->owner = 0;
        if (!profile)
                return 0;
        bool needs_it = !people_may(profile, PROTOCOL_MAY_READ_ALL); /* what he reads by its place may move away */
        rc = needs_it ? conversation_find(desk, one->conv_ext, &conversation) : 0;
        int count = rc == 0 && needs_it ? people_invited(desk, conversation, invited) : 0;
        if (rc == 0 && count >= 0 && needs_it && !is_invited(invited, count, agent)) {
                bool reads = case_is_read_by(desk, one, profile);
                rc = people_invite(desk, conversation, agent, 0);
                one->is_invited = rc == 0;
                if (rc == -PROTOCOL_ERR_TOO_MANY && reads)
                        rc = 0;
        }
        if (rc == 0 && count >= 0)
                one->owner = agent;
        return count < 0 ? count : rc;
}

/* ---- choosing ---- */

struct choice {
        struct desk *desk;
        const struct recovery_case *one;
        const struct agent_profile *best;
        bool best_in_team, best_there;
        int64_t best_cases;
        int failure;
        size_t owner_count;
        struct owner_load {
                int64_t owner, cases;
        } owners[PEOPLE_AGENTS];
};

static int64_t cases_of(const struct choice *choice, int64_t agent)
{
        for (size_t i = 0; i < choice->owner_count; i++)
                if (choice->owners[i].owner == agent)
                        return choice->owners[i].cases;
        return 0;
}

static bool consider(void *data, struct agent_profile *agent)
{
        struct choice *choice = data;
        if (!people_may(agent, PROTOCOL_MAY_RECOVERY))
                return true;
        bool in_team = choice->one->team != 0 && people_is_member(agent, choice->one->team);
        bool is_there = people_is_available(choice->desk, agent);
        int64_t cases = cases_of(choice, agent->id);
        bool is_better = !choice->best                     ? true
                         : in_team != choice->best_in_team ? in_team
                         : is_there != choice->best_there  ? is_there
                                                           : cases < choice->best_cases; /* then the first */
        if (!is_better || !case_is_read_by(choice->desk, choice->one, agent))
                return choice->desk->db_failure == 0;
        int is_about = case_is_about(choice->desk, choice->one, agent->id);
        if (is_about != 0) {
                choice->failure = is_about < 0 ? is_about : 0;
                return is_about > 0;
        }
        choice->best = agent;
        choice->best_in_team = in_team;
        choice->best_there = is_there;
        choice->best_cases = cases;
        return true;
}

static int read_loads(struct desk *desk, struct choice *choice)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RECOVERY_CASES_OF_OWNERS);
        int rc = DB_OK;
        while (choice->owner_count < PEOPLE_AGENTS && (rc = db_step(stmt)) == DB_ROW)
                choice->owners[choice->owner_count++] = (struct owner_load){db_int(stmt, 0), db_int(stmt, 1)};
        db_reset(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* 0 with *out_agent (0 = nobody), or the store failed. */
static int choose(struct desk *desk, const struct recovery_case *one, int64_t *out_agent)
{
        static struct choice choice; /* desk thread only */
        choice = (struct choice){.desk = desk, .one = one};
        int rc = read_loads(desk, &choice);
        if (rc == 0)
                people_each_agent(desk, 0, consider, &choice);
        if (rc == 0)
                rc = desk->db_failure != 0 ? -PROTOCOL_ERR_INTERNAL : choice.failure;
        *out_agent = rc == 0 && choice.best ? choice.best->id : 0;
        return rc;
}

/* 1: the owner it has may stay; when only his place lets him read the conversation, he is invited from now on. 0: he
 * may not. Or the store failed. */
static int may_stay(struct desk *desk, struct recovery_case *one)
{
        const struct agent_profile *owner = one->owner ? people_agent(desk, one->owner) : NULL;
        int is_about = owner ? case_is_about(desk, one, one->owner) : 0;
        if (!owner || is_about != 0 || !people_may(owner, PROTOCOL_MAY_RECOVERY) || !case_is_read_by(desk, one, owner))
                return is_about < 0 ? is_about : desk->db_failure != 0 ? -PROTOCOL_ERR_INTERNAL : 0;
        if (one->is_invited || people_may(owner, PROTOCOL_MAY_READ_ALL))
                return 1;
        int rc = case_give(desk, one, one->owner);
        if (rc == 0 && one->is_invited)
                rc = case_save(desk, one);
        return rc < 0 ? rc : 1;
}

int case_owner_check(struct desk *desk, struct recovery_case *one, const char *why)
{
        int64_t had = one->owner, found = 0;
        int rc = case_is_open(one) ? may_stay(desk, one) : 1;
        if (rc != 0)
                return rc < 0 ? rc : 0;
        rc = choose(desk, one, &found);
        if (rc == 0)
                rc = case_give(desk, one, found);
        if (rc == -PROTOCOL_ERR_TOO_MANY)
                rc = case_give(desk, one, found = 0);
        bool is_news = found != 0 || had != 0 || strcmp(why, "opened") == 0 || strcmp(why, "reopened") == 0;
        if (rc < 0 || !is_news)
                return rc;
        struct case_line line = {
                .what = found ? WHAT_ASSIGNED : WHAT_UNASSIGNED, .word = found ? why : "nobody may", .number = found};
        return case_changed(desk, one, 0, &line);
}
