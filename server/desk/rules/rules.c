/* SPDX-License-Identifier: Apache-2.0 */
/* The rules in memory, and what they do to a ticket. First the plan is made, then it is carried out: a condition never
 * sees what another rule did. */
#include "desk/rules/rules.h"

#include <stdlib.h>

#include "desk/desk_private.h"
#include "desk/people/people.h"

/* ---- reading ---- */

static void rule_done(struct rule *rule)
{
        condition_free(rule->condition);
        free(rule->memory);
}

static void free_rules(struct rule *all, size_t count)
{
        for (size_t i = 0; i < count; i++)
                rule_done(&all[i]);
        free(all);
}

void rules_done(struct desk *desk)
{
        free_rules(desk->rules.all, desk->rules.count);
        desk->rules = (struct rules){0};
}

void rules_stale(struct desk *desk)
{
        desk->rules.is_fresh = false;
}

static struct span keep(char **at, struct span text)
{
        struct span kept = {*at, text.len};
        if (text.len > 0)
                memcpy(*at, text.at, text.len);
        *at += text.len;
        return kept;
}

/* The lines of a text. */
static size_t split(struct span text, struct span *out, size_t most)
{
        size_t count = 0, from = 0;
        for (size_t i = 0; i <= text.len; i++) {
                if (i < text.len && text.at[i] != '\n')
                        continue;
                if (i > from && count < most)
                        out[count++] = (struct span){text.at + from, i - from};
                from = i + 1;
        }
        return count;
}

static int read_rule(struct desk *desk, struct db_stmt *stmt, struct rule *out_rule)
{
        struct span name = db_text(stmt, 3), when = db_text(stmt, 4), skills = db_text(stmt, 7),
                    tags = db_text(stmt, 8);
        char *memory = malloc(name.len + when.len + skills.len + tags.len + 1);
        if (!memory)
                return DB_NOMEM;
        char *at = memory;
        *out_rule = (struct rule){.id = db_int(stmt, 0),
                                  .ext = (uint64_t)db_int(stmt, 1),
                                  .place = db_int(stmt, 2),
                                  .team = db_int(stmt, 5),
                                  .priority = (enum ticket_priority)db_int(stmt, 6),
                                  .is_on = db_int(stmt, 9) != 0,
                                  .stops = db_int(stmt, 10) != 0,
                                  .created_ms = db_int(stmt, 11),
                                  .memory = memory};
        out_rule->name = keep(&at, name);
        out_rule->when = keep(&at, when);
        out_rule->skill_count = split(keep(&at, skills), out_rule->skills, TICKET_SKILLS);
        out_rule->tag_count = split(keep(&at, tags), out_rule->tags, TICKET_TAGS);
        out_rule->condition = rules_stored(desk, out_rule->when, CONDITION_OF_RULE);
        return DB_OK;
}

int rules_refresh(struct desk *desk)
{
        if (desk->rules.is_fresh)
                return 0;
        struct rule *all = calloc(RULES, sizeof *all);
        if (!all)
                return -PROTOCOL_ERR_INTERNAL;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RULES_ALL);
        db_bind_int(stmt, 1, desk->workspace);
        size_t count = 0;
        int rc = DB_OK;
        while (count < RULES && (rc = db_step(stmt)) == DB_ROW) {
                rc = read_rule(desk, stmt, &all[count]);
                if (rc < 0)
                        break;
                count++;
        }
        db_reset(stmt);
        if (rc < 0) {
                free_rules(all, count);
                return desk_db_failed(desk, rc);
        }
        rules_done(desk);
        desk->rules = (struct rules){.all = all, .count = count, .is_fresh = true};
        return 0;
}

/* ---- the plan ---- */

static void add_words(const struct rule *rule, const struct span *words, size_t word_count, size_t most,
                      struct span *planned, const struct rule **by, size_t *count)
{
        for (size_t i = 0; i < word_count; i++) {
                size_t at = 0;
                while (at < *count && !span_equal(planned[at], words[i]))
                        at++;
                if (at < *count || *count == most)
                        continue;
                by[*count] = rule;
                planned[(*count)++] = words[i];
        }
}

static void add_to_plan(struct desk *desk, const struct rule *rule, struct rules_plan *plan)
{
        if (plan->team == 0 && rule->team != 0 && people_team(desk, rule->team)) {
                plan->team = rule->team;
                plan->team_by = rule;
        }
        if (plan->priority == 0 && rule->priority != 0) {
                plan->priority = rule->priority;
                plan->priority_by = rule;
        }
        add_words(rule, rule->skills, rule->skill_count, TICKET_SKILLS, plan->skills, plan->skill_by,
                  &plan->skill_count);
        add_words(rule, rule->tags, rule->tag_count, TICKET_TAGS, plan->tags, plan->tag_by, &plan->tag_count);
}

int rules_make_plan(struct desk *desk, const struct fact_scene *scene, rules_say *say, void *data,
                    struct rules_plan *out_plan)
{
        *out_plan = (struct rules_plan){0};
        int rc = rules_refresh(desk);
        if (rc < 0)
                return rc;
        for (size_t i = 0; i < desk->rules.count; i++) {
                const struct rule *rule = &desk->rules.all[i];
                int matches =
                        rule->is_on && rule->condition ? condition_holds(rule->condition, &rules_world, scene) : 0;
                if (matches < 0)
                        return matches;
                if (say)
                        say(data, rule, matches, scene, out_plan);
                if (!matches)
                        continue;
                add_to_plan(desk, rule, out_plan);
                if (rule->stops)
                        break;
        }
        return 0;
}

/* ---- carrying it out ---- */

static struct ticket_by by_rule(const struct rule *rule, char why[PROTOCOL_LABEL_POINTS * 4 + 1])
{
        size_t len = rule->name.len < PROTOCOL_LABEL_POINTS * 4 ? rule->name.len : PROTOCOL_LABEL_POINTS * 4;
        memcpy(why, rule->name.at, len);
        why[len] = '\0';
        return (struct ticket_by){.why = why, .rule = rule->ext};
}

static int do_plan(struct desk *desk, struct ticket *ticket, const struct rules_plan *plan)
{
        char why[PROTOCOL_LABEL_POINTS * 4 + 1];
        int rc = 0;
        if (plan->priority_by && plan->priority != ticket->priority) {
                struct ticket_by by = by_rule(plan->priority_by, why);
                rc = ticket_set_priority(desk, ticket, &by, plan->priority);
        }
        for (size_t i = 0; rc >= 0 && i < plan->skill_count; i++) {
                struct ticket_by by = by_rule(plan->skill_by[i], why);
                rc = ticket_add_skill(desk, ticket, &by, plan->skills[i]);
        }
        for (size_t i = 0; rc >= 0 && i < plan->tag_count; i++) {
                struct ticket_by by = by_rule(plan->tag_by[i], why);
                rc = ticket_add_tag(desk, ticket, &by, plan->tags[i]);
        }
        if (rc >= 0 && plan->team_by && plan->team != ticket->team) {
                struct ticket_by by = by_rule(plan->team_by, why);
                rc = ticket_assign(desk, ticket, &by, plan->team, ticket->assignee);
        }
        return rc < 0 && desk->db_failure != 0 ? rc : 0;
}

int rules_run(struct desk *desk, struct ticket *ticket, struct conversation *conversation)
{
        struct fact_scene scene = {
                .desk = desk, .ticket = ticket, .conversation = conversation, .now_ms = desk->now_ms};
        struct rules_plan plan;
        int rc = rules_make_plan(desk, &scene, NULL, NULL, &plan);
        return rc < 0 ? rc : do_plan(desk, ticket, &plan);
}
