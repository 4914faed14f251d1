/* SPDX-License-Identifier: Apache-2.0 */
/* Methods of rules: made, changed, put in order, removed, listed, tried. Each change leaves a line in the audit trail;
 * memory is read again before the rules are used next. */
#include "desk/desk_private.h"
#include "desk/people/people.h"
#include "desk/rules/rules.h"

/* ---- what they share ---- */

static struct rule *rule_of(struct desk *desk, uint64_t ext)
{
        for (size_t i = 0; i < desk->rules.count; i++)
                if (desk->rules.all[i].ext == ext)
                        return &desk->rules.all[i];
        return NULL;
}

/* The rule of that id, after the rules were read. 0 or a negative protocol error. */
static int find_rule(struct desk *desk, uint64_t ext, const char *field, struct rule **out_rule, struct fault *fault)
{
        int rc = rules_refresh(desk);
        if (rc < 0)
                return rc;
        *out_rule = rule_of(desk, ext);
        return *out_rule ? 0 : fault_set(fault, PROTOCOL_ERR_NOT_FOUND, field, "a rule");
}

static int find_team(struct desk *desk, bool has_team, uint64_t ext, int64_t *out_team, struct fault *fault)
{
        const struct team *team = has_team ? people_team_ext(desk, ext) : NULL;
        if (has_team && !team)
                return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "team", "a team");
        if (team)
                *out_team = team->id;
        return 0;
}

static int check_name(struct desk *desk, struct span name, const struct rule *self, struct fault *fault)
{
        for (size_t i = 0; i < desk->rules.count; i++)
                if (&desk->rules.all[i] != self && span_equal(desk->rules.all[i].name, name))
                        return fault_set(fault, PROTOCOL_ERR_CONFLICT, "name", "a name that no other rule has");
        return 0;
}

/* One a line, into the arena. */
static struct span lines_of(struct arena *arena, const struct span *words, size_t count)
{
        size_t len = 0;
        for (size_t i = 0; i < count; i++)
                len += words[i].len + 1;
        char *at = arena_take(arena, len + 1);
        struct span text = {at, 0};
        for (size_t i = 0; at && i < count; i++) {
                memcpy(at + text.len, words[i].at, words[i].len);
                text.len += words[i].len;
                at[text.len++] = '\n';
        }
        return text;
}

/* What is stored of a rule but its place. */
struct rule_text {
        struct span name, when, skills, tags;
        int64_t team, priority;
        bool is_on, stops;
};

static struct rule_text text_of(struct arena *arena, const struct rule *rule)
{
        return (struct rule_text){.name = rule->name,
                                  .when = rule->when,
                                  .skills = lines_of(arena, rule->skills, rule->skill_count),
                                  .tags = lines_of(arena, rule->tags, rule->tag_count),
                                  .team = rule->team,
                                  .priority = rule->priority,
                                  .is_on = rule->is_on,
                                  .stops = rule->stops};
}

static void bind_text(struct db_stmt *stmt, int first, const struct rule_text *text)
{
        db_bind_text(stmt, first, text->name);
        db_bind_text(stmt, first + 1, text->when);
        db_bind_int(stmt, first + 2, text->team);
        db_bind_int(stmt, first + 3, text->priority);
        db_bind_text(stmt, first + 4, text->skills);
        db_bind_text(stmt, first + 5, text->tags);
        db_bind_int(stmt, first + 6, text->is_on);
        db_bind_int(stmt, first + 7, text->stops);
}

static int set_place(struct desk *desk, const struct rule *rule, int64_t place)
{
        if (rule->place == place)
                return 0;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RULE_PLACE);
        db_bind_int(stmt, 1, rule->id);
        db_bind_int(stmt, 2, place);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

static int changed(struct desk *desk, const struct desk_command *command, const char *action, uint64_t ext,
                   struct span detail)
{
        rules_stale(desk);
        return admin_audit(desk, &command->caller, action, "rul", ext, detail);
}

/* ---- add ---- */

static int insert(struct desk *desk, uint64_t ext, int64_t place, const struct rule_text *text)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RULE_INSERT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, (int64_t)ext);
        db_bind_int(stmt, 3, place);
        bind_text(stmt, 4, text);
        db_bind_int(stmt, 12, desk->now_ms);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int handle_rule_add(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_rule_add *params = command->params;
        struct rule_text text = {.name = params->name,
                                 .skills = lines_of(&command->arena, params->skills, params->skills_count),
                                 .tags = lines_of(&command->arena, params->tags, params->tags_count),
                                 .priority = params->has_priority ? (int64_t)params->priority : 0,
                                 .is_on = !(params->has_off && params->off),
                                 .stops = params->has_stop && params->stop};
        struct rule *before = NULL;
        int rc = params->has_before ? find_rule(desk, params->before, "before", &before, fault) : rules_refresh(desk);
        if (rc == 0)
                rc = check_name(desk, params->name, NULL, fault);
        if (rc == 0)
                rc = find_team(desk, params->has_team, params->team, &text.team, fault);
        if (rc == 0)
                rc = rules_canonical(desk, &command->arena, params->when, CONDITION_OF_RULE, "when", NULL, &text.when,
                                     fault);
        if (rc == 0 && desk->rules.count >= RULES)
                rc = fault_set(fault, PROTOCOL_ERR_TOO_MANY, "", "at most 200 rules");
        size_t at = before ? (size_t)(before - desk->rules.all) : desk->rules.count;
        for (size_t i = 0; rc == 0 && i < desk->rules.count; i++)
                rc = set_place(desk, &desk->rules.all[i], (int64_t)(i < at ? i + 1 : i + 2));
        struct protocol_rule_add_result result = {.rule = desk_new_id(desk)};
        if (rc == 0)
                rc = insert(desk, result.rule, (int64_t)at + 1, &text);
        if (rc < 0)
                return rc;
        protocol_rule_add_result_write(out, &result);
        return changed(desk, command, "rule.add", result.rule, params->name);
}

/* ---- set, order, remove ---- */

static int merge(struct desk *desk, struct desk_command *command, const struct rule *rule, struct rule_text *text,
                 struct fault *fault)
{
        const struct protocol_rule_set *params = command->params;
        int rc = params->has_name ? check_name(desk, params->name, rule, fault) : 0;
        if (rc == 0)
                rc = find_team(desk, params->has_team, params->team, &text->team, fault);
        if (rc == 0 && params->has_when)
                rc = rules_canonical(desk, &command->arena, params->when, CONDITION_OF_RULE, "when", NULL, &text->when,
                                     fault);
        if (rc < 0)
                return rc;
        if (params->has_name)
                text->name = params->name;
        if (params->has_no_team && params->no_team)
                text->team = 0;
        if (params->has_priority)
                text->priority = params->priority;
        if (params->has_no_priority && params->no_priority)
                text->priority = 0;
        if (params->has_skills)
                text->skills = lines_of(&command->arena, params->skills, params->skills_count);
        if (params->has_tags)
                text->tags = lines_of(&command->arena, params->tags, params->tags_count);
        if (params->has_on)
                text->is_on = params->on;
        if (params->has_stop)
                text->stops = params->stop;
        return 0;
}

int handle_rule_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_rule_set *params = command->params;
        struct rule *rule = NULL;
        int rc = find_rule(desk, params->rule, "rule", &rule, fault);
        if (rc < 0)
                return rc;
        struct rule_text text = text_of(&command->arena, rule);
        rc = merge(desk, command, rule, &text, fault);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RULE_SAVE);
        db_bind_int(stmt, 1, rule->id);
        bind_text(stmt, 2, &text);
        rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        struct protocol_rule_set_result result = {0};
        protocol_rule_set_result_write(out, &result);
        return changed(desk, command, "rule.set", params->rule, text.name);
}

int handle_rule_order(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_rule_order *params = command->params;
        int rc = rules_refresh(desk);
        if (rc < 0)
                return rc;
        if (params->rules_count != desk->rules.count)
                return fault_set(fault, PROTOCOL_ERR_CONFLICT, "rules", "every rule, once");
        bool is_named[RULES] = {false};
        for (size_t i = 0; i < params->rules_count; i++) {
                struct rule *rule = rule_of(desk, params->rules[i]);
                if (!rule || is_named[rule - desk->rules.all])
                        return fault_set(fault, PROTOCOL_ERR_CONFLICT, "rules", "every rule, once");
                is_named[rule - desk->rules.all] = true;
        }
        for (size_t i = 0; rc == 0 && i < params->rules_count; i++)
                rc = set_place(desk, rule_of(desk, params->rules[i]), (int64_t)i + 1);
        if (rc < 0)
                return rc;
        struct protocol_rule_order_result result = {0};
        protocol_rule_order_result_write(out, &result);
        return changed(desk, command, "rule.order", params->rules[0], SPAN("the first of the new order"));
}

int handle_rule_remove(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_rule_remove *params = command->params;
        struct rule *rule = NULL;
        int rc = find_rule(desk, params->rule, "rule", &rule, fault);
        if (rc < 0)
                return rc;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RULE_DELETE);
        db_bind_int(stmt, 1, rule->id);
        rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        struct protocol_rule_remove_result result = {0};
        protocol_rule_remove_result_write(out, &result);
        return changed(desk, command, "rule.remove", params->rule, rule->name);
}

/* ---- list ---- */

enum { SHOWN_BYTES = 40000 };

/* The expression with the names of today; as it is stored when that would be too long. */
static struct span shown(struct desk *desk, struct arena *arena, const struct rule *rule)
{
        struct writer text;
        struct span result = rule->when;
        writer_init(&text, NULL, 0);
        if (rule->condition)
                condition_print(rule->condition, rules_show, desk, &text);
        char *kept = !text.failed && text.len > 0 && text.len <= SHOWN_BYTES ? arena_take(arena, text.len) : NULL;
        if (kept) {
                memcpy(kept, text.bytes, text.len);
                result = (struct span){kept, text.len};
        }
        writer_done(&text);
        return result;
}

static struct protocol_rule_row row_of(struct desk *desk, struct arena *arena, struct rule *rule)
{
        const struct team *team = rule->team != 0 ? people_team(desk, rule->team) : NULL;
        return (struct protocol_rule_row){.rule = rule->ext,
                                          .name = rule->name,
                                          .when = rule->when,
                                          .shown = shown(desk, arena, rule),
                                          .has_team = team != NULL,
                                          .team = team ? team->ext : 0,
                                          .has_team_name = team != NULL,
                                          .team_name = team ? span_of(team->name) : (struct span){0},
                                          .has_priority = rule->priority != 0,
                                          .priority = (enum protocol_rule_row_priority)rule->priority,
                                          .skills = rule->skills,
                                          .skills_count = rule->skill_count,
                                          .tags = rule->tags,
                                          .tags_count = rule->tag_count,
                                          .on = rule->is_on,
                                          .stop = rule->stops,
                                          .created = rule->created_ms};
}

int handle_rule_list(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_rule_list *params = command->params;
        enum { LIMIT = 50, ROW_BYTES = 1024 };
        struct protocol_rule_list_result result = {0};
        struct rule *after = NULL;
        int rc = params->has_after ? find_rule(desk, params->after, "after", &after, fault) : rules_refresh(desk);
        if (rc < 0)
                return rc;
        size_t limit = params->has_limit ? (size_t)params->limit : LIMIT, bytes = 0;
        size_t at = after ? (size_t)(after - desk->rules.all) + 1 : 0;
        result.rules = arena_take(&command->arena, limit * sizeof *result.rules);
        if (!result.rules)
                return -PROTOCOL_ERR_INTERNAL;
        for (; at < desk->rules.count && result.rules_count < limit; at++) {
                struct protocol_rule_row row = row_of(desk, &command->arena, &desk->rules.all[at]);
                bytes += row.when.len + row.shown.len + ROW_BYTES;
                if (bytes > PROTOCOL_PAGE_BYTES && result.rules_count > 0)
                        break;
                result.rules[result.rules_count++] = row;
        }
        result.more = at < desk->rules.count;
        protocol_rule_list_result_write(out, &result);
        return 0;
}

/* ---- test ---- */

struct trial {
        struct desk *desk;
        struct arena *arena;
        struct protocol_rule_finding *findings;
        size_t count;
};

static void say_overruled(const struct rule *rule, const struct rules_plan *before, struct writer *out)
{
        const struct rule *team = rule->team != 0 ? before->team_by : NULL;
        const struct rule *priority = rule->priority != 0 ? before->priority_by : NULL;
        if (team) {
                writer_raw(out, SPAN("its team is not set: "));
                writer_raw(out, team->name);
                writer_raw(out, SPAN(" comes before it"));
        }
        if (priority) {
                writer_raw(out, team ? SPAN("; its priority is not set: ") : SPAN("its priority is not set: "));
                writer_raw(out, priority->name);
                writer_raw(out, SPAN(" comes before it"));
        }
}

/* At most as many bytes as fit, ending between characters. */
static size_t cut(const char *text, size_t len, size_t most)
{
        if (len <= most)
                return len;
        while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80)
                most--;
        return most;
}

static void say_finding(void *data, const struct rule *rule, bool matches, const struct fact_scene *scene,
                        const struct rules_plan *before)
{
        struct trial *trial = data;
        enum { WHY_BYTES = 1000 };
        struct protocol_rule_finding *finding = &trial->findings[trial->count++];
        struct writer why;
        writer_init(&why, NULL, 0);
        *finding = (struct protocol_rule_finding){.rule = rule->ext, .name = rule->name, .matches = matches};
        if (!rule->is_on)
                writer_raw(&why, SPAN("it is off"));
        else if (!rule->condition)
                writer_raw(&why, SPAN("its condition cannot be read"));
        else if (!matches)
                condition_why_not(rule->condition, &rules_world, scene, &why);
        else
                say_overruled(rule, before, &why);
        size_t len = why.failed ? 0 : cut(why.bytes, why.len, WHY_BYTES);
        char *kept = len > 0 ? arena_take(trial->arena, len) : NULL;
        if (kept) {
                memcpy(kept, why.bytes, len);
                finding->has_why = true;
                finding->why = (struct span){kept, len};
        }
        writer_done(&why);
}

int handle_rule_test(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_rule_test *params = command->params;
        struct ticket *ticket = NULL;
        struct conversation *conversation = NULL;
        struct rules_plan plan;
        int rc = ticket_for(desk, &command->caller, params->ticket, -1, &ticket, fault);
        if (rc == 0)
                rc = ticket_conversation(desk, ticket, &conversation);
        if (rc < 0)
                return rc;
        struct trial trial = {.desk = desk,
                              .arena = &command->arena,
                              .findings = arena_take(&command->arena, RULES * sizeof *trial.findings)};
        if (!trial.findings)
                return -PROTOCOL_ERR_INTERNAL;
        struct fact_scene scene = {
                .desk = desk, .ticket = ticket, .conversation = conversation, .now_ms = desk->now_ms};
        rc = rules_make_plan(desk, &scene, say_finding, &trial, &plan);
        if (rc < 0)
                return rc;
        const struct team *team = plan.team != 0 ? people_team(desk, plan.team) : NULL;
        struct protocol_rule_test_result result = {.findings = trial.findings,
                                                   .findings_count = trial.count,
                                                   .has_team = team != NULL,
                                                   .team = team ? team->ext : 0,
                                                   .has_priority = plan.priority != 0,
                                                   .priority = (enum protocol_rule_test_priority)plan.priority,
                                                   .skills = plan.skills,
                                                   .skills_count = plan.skill_count,
                                                   .tags = plan.tags,
                                                   .tags_count = plan.tag_count};
        protocol_rule_test_result_write(out, &result);
        return 0;
}
