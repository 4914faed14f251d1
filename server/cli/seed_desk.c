/* SPDX-License-Identifier: Apache-2.0 */
/* What is set up in a seeded desk: three teams, ten agents, hours, SLA, rules, views, canned replies, macros, a survey.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/console.h"
#include "cli/secrets.h"
#include "cli/seed.h"
#include "protocol/ids.h"

const char *const seed_team_names[SEED_TEAMS] = {"Orders", "Returns", "Technical"};

static const struct person {
        const char *name, *role, *skills, *languages; /* lists with commas */
        int team, capacity;
} people[SEED_AGENTS] = {
        {"Ada", "admin", "invoices", "en", 0, 6},
        {"Ben", "supervisor", "invoices,shipping", "en,de", 0, 6},
        {"Chitra", "agent", "shipping", "en,hi", 0, 5},
        {"Daniel", "agent", "shipping", "en,es", 0, 5},
        {"Eun-ji", "supervisor", "refunds", "ko,en", 1, 6},
        {"Farid", "agent", "refunds", "en,fr", 1, 5},
        {"Grace", "agent", "refunds,invoices", "en,zh", 1, 5},
        {"Haruto", "supervisor", "accounts", "ja,en", 2, 6},
        {"Ines", "agent", "accounts,app", "en,pt", 2, 4},
        {"Jonas", "agent", "app", "de,en", 2, 4},
};

static const struct rule {
        const char *name, *when, *priority, *tag, *skill;
        int team;
} rules[] = {
        {"Refunds go to Returns", "message has \"refund\" or message has \"return\"", NULL, "refund", "refunds", 1},
        {"The app goes to Technical", "message has \"app\" or message has \"password\"", NULL, "app", NULL, 2},
        {"Double charges are urgent", "message has \"twice\"", "urgent", "billing", "invoices", 0},
        {"All others go to Orders", "not team is set", NULL, NULL, NULL, 0},
};

static const struct canned {
        const char *shortcut, *name, *folder, *text;
} canned[] = {
        {"hello", "Greeting", "General",
         "Hello {{customer.name|there}}, thank you for writing. I am looking at it now."},
        {"late", "A late parcel", "Orders",
         "I am sorry that your parcel is late. I have asked the carrier and shall tell you what they say today."},
        {"refund", "Refund is on its way", "Returns",
         "Your refund has left us today. Banks take three to five working days to show it."},
        {"label", "Return label", "Returns", "I have sent a return label to your address; it is good for 14 days."},
        {"reset", "New password", "Technical",
         "Please ask for a new password on the sign-in page; the mail comes within a minute."},
        {"bye", "Good-bye", "General", "Is there anything else that I can do for you?"},
};

static const struct view {
        const char *name, *when, *sort;
} views[] = {
        {"Refunds", "tag = refund and status in (pending, open, waiting)", "waiting"},
        {"Urgent and high", "priority >= high and status in (pending, open)", "due"},
        {"Waiting for Orders", "team = Orders and status = pending", "waiting"},
};

static int do_it(struct seed *seed, const char *method, json_t *params)
{
        json_object_set_new(params, "cmid", secret_cmid());
        return console_do(seed->console, method, params, NULL);
}

static json_t *words(const char *list)
{
        json_t *array = json_array();

        for (const char *at = list; at && *at;) {
                size_t len = strcspn(at, ",");
                json_array_append_new(array, json_stringn(at, len));
                at += len + (at[len] == ',');
        }
        return array;
}

/* Nobody is connected while it is made: tickets stay with who took them. */
static int add_teams(struct seed *seed)
{
        static const char *const manners[SEED_TEAMS] = {"least_loaded", "round_robin", "sticky"};
        int rc = EX_OK;

        for (int i = 0; rc == EX_OK && i < SEED_TEAMS; i++) {
                json_t *made = NULL;
                rc = console_do(seed->console, "team.add",
                                json_pack("{s:o, s:s, s:s, s:b}", "cmid", secret_cmid(), "name", seed_team_names[i],
                                          "manner", manners[i], "requeue", 0),
                                &made);
                snprintf(seed->teams[i], sizeof(seed->teams[i]), "%s", cli_text(made, "team"));
                json_decref(made);
        }
        return rc;
}

/* Who is there already is the first of them. */
static int find_agents(struct seed *seed, int *out_count)
{
        json_t *result = NULL, *row;
        size_t i;
        int rc = console_do(seed->console, "agent.list", NULL, &result);

        *out_count = 0;
        json_array_foreach(json_object_get(result, "agents"), i, row)
                if (*out_count < SEED_AGENTS && !json_is_true(json_object_get(row, "revoked")))
                        snprintf(seed->agent_ids[(*out_count)++], sizeof(seed->agent_ids[0]), "%s",
                                 cli_text(row, "agent"));
        json_decref(result);
        return rc;
}

static const char *role_of(const json_t *roles, const char *name)
{
        json_t *row;
        size_t i;

        json_array_foreach((json_t *)roles, i, row)
                if (strcmp(cli_text(row, "name"), name) == 0)
                        return cli_text(row, "role");
        return "";
}

static int describe_agent(struct seed *seed, int at, const json_t *roles)
{
        const struct person *person = &people[at];
        struct principal_id who;
        const char *id = seed->agent_ids[at];

        if (principal_read(span_of(id), &who) < 0)
                return cli_fail(EX_SOFTWARE, "%s is no agent", id);
        seed->agents[at] = (struct seed_agent){who.id, person->team};
        int rc = do_it(seed, "agent.set",
                       json_pack("{s:s, s:s, s:i, s:o, s:o}", "agent", id, "role", role_of(roles, person->role),
                                 "capacity", person->capacity, "skills", words(person->skills), "languages",
                                 words(person->languages)));
        if (rc == EX_OK)
                rc = do_it(seed, "team.member_add",
                           json_pack("{s:s, s:s}", "team", seed->teams[person->team], "agent", id));
        return rc;
}

static int add_agents(struct seed *seed)
{
        json_t *roles = NULL, *made = NULL;
        int count, rc = find_agents(seed, &count);

        for (int i = count; rc == EX_OK && i < SEED_AGENTS; i++) {
                rc = console_do(seed->console, "agent.add",
                                json_pack("{s:o, s:s}", "cmid", secret_cmid(), "name", people[i].name), &made);
                snprintf(seed->agent_ids[i], sizeof(seed->agent_ids[i]), "%s", cli_text(made, "agent"));
                json_decref(made);
                made = NULL;
        }
        if (rc == EX_OK)
                rc = console_do(seed->console, "role.list", NULL, &roles);
        for (int i = 0; rc == EX_OK && i < SEED_AGENTS; i++)
                rc = describe_agent(seed, i, json_object_get(roles, "roles"));
        json_decref(roles);
        return rc;
}

static int add_hours(struct seed *seed)
{
        json_t *made = NULL;
        int rc = console_do(seed->console, "schedule.add",
                            json_pack("{s:o, s:s, s:s, s:s}", "cmid", secret_cmid(), "name", "Office", "zone",
                                      "Asia/Seoul", "hours", "mon-fri 09:00-12:30,13:30-18:00; sat 10:00-14:00"),
                            &made);
        const char *schedule = cli_text(made, "schedule");

        if (rc == EX_OK)
                rc = do_it(seed, "sla.add",
                           json_pack("{s:s, s:s, s:s, s:[{s:s, s:i}, {s:s, s:i}]}", "name", "Urgent", "when",
                                     "priority = urgent", "schedule", schedule, "targets", "metric", "first_response",
                                     "seconds", 900, "metric", "resolution", "seconds", 4 * 3600));
        if (rc == EX_OK)
                rc = do_it(seed, "sla.add",
                           json_pack("{s:s, s:s, s:[{s:s, s:i}, {s:s, s:i}, {s:s, s:i}]}", "name", "Everybody",
                                     "schedule", schedule, "targets", "metric", "first_response", "seconds", 3600,
                                     "metric", "next_response", "seconds", 2 * 3600, "metric", "resolution",
                                     "working_days", 2));
        json_decref(made);
        return rc;
}

static int add_rules(struct seed *seed)
{
        int rc = EX_OK;

        for (size_t i = 0; rc == EX_OK && i < sizeof(rules) / sizeof(rules[0]); i++) {
                json_t *params = json_pack("{s:s, s:s, s:s, s:o, s:o}", "name", rules[i].name, "when", rules[i].when,
                                           "team", seed->teams[rules[i].team], "tags", words(rules[i].tag), "skills",
                                           words(rules[i].skill));
                if (rules[i].priority)
                        json_object_set_new(params, "priority", json_string(rules[i].priority));
                rc = do_it(seed, "rule.add", params);
        }
        return rc;
}

static int add_canned(struct seed *seed)
{
        int rc = EX_OK;

        for (size_t i = 0; rc == EX_OK && i < sizeof(canned) / sizeof(canned[0]); i++)
                rc = do_it(seed, "canned.add",
                           json_pack("{s:s, s:s, s:s, s:[{s:s, s:s}]}", "shortcut", canned[i].shortcut, "name",
                                     canned[i].name, "folder", canned[i].folder, "texts", "lang", "en", "text",
                                     canned[i].text));
        if (rc == EX_OK)
                rc = do_it(seed, "macro.add",
                           json_pack("{s:s, s:[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}]}", "name", "Ask for a photo",
                                     "actions", "act", "reply", "text", "Could you send us a photo of the damage?",
                                     "act", "add_tag", "tag", "photo", "act", "status", "status", "waiting"));
        return rc;
}

static int add_views(struct seed *seed)
{
        int rc = EX_OK;

        for (size_t i = 0; rc == EX_OK && i < sizeof(views) / sizeof(views[0]); i++)
                rc = do_it(seed, "view.add",
                           json_pack("{s:s, s:s, s:s, s:b}", "name", views[i].name, "when", views[i].when, "sort",
                                     views[i].sort, "shared", 1));
        return rc;
}

/* In the words that are built in: English, Korean, Chinese and Japanese. */
static int add_survey(struct seed *seed)
{
        return do_it(seed, "survey.add",
                     json_pack("{s:{s:s, s:s, s:[s], s:i, s:i, s:b, s:s}}", "form", "name", "After a ticket", "metric",
                               "csat", "on", "solved", "min_text", 0, "interval_days", 0, "contact", 1, "brand",
                               "Mill Lane Lamps"));
}

int seed_desk(struct seed *seed)
{
        static int (*const steps[])(struct seed * seed) = {add_teams,  add_agents, add_hours, add_rules,
                                                           add_canned, add_views,  add_survey};
        int rc = EX_OK;

        for (size_t i = 0; rc == EX_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
                rc = steps[i](seed);
        return rc == EX_OK ? do_it(seed, "tier.set", json_pack("{s:[s, s, s]}", "tiers", "bronze", "silver", "gold"))
                           : rc;
}
