/* SPDX-License-Identifier: Apache-2.0 */
/* SLA policies as the store has them, and which one a ticket gets: of the first that fits, the newest version that is
 * meant for tickets as old as it. A version is never changed; clocks name versions, so what was promised stays known.
 */
#include "desk/desk_private.h"
#include "desk/hours/hours_private.h"
#include "desk/rules/names.h"

#include <stdio.h>
#include <stdlib.h>

const struct policy_version *policy_newest(const struct policy *policy)
{
        return policy->versions[policy->version_count - 1];
}

struct policy *policies_ext(struct desk *desk, uint64_t ext)
{
        for (size_t i = 0; i < desk->hours->policy_count; i++)
                if (desk->hours->policies[i].ext == ext && !desk->hours->policies[i].is_removed)
                        return &desk->hours->policies[i];
        return NULL;
}

size_t policies_there(const struct desk *desk)
{
        size_t count = 0;
        for (size_t i = 0; i < desk->hours->policy_count; i++)
                count += !desk->hours->policies[i].is_removed;
        return count;
}

const struct policy_version *policies_version(const struct desk *desk, int64_t number)
{
        for (size_t i = 0; i < desk->hours->version_count; i++)
                if (desk->hours->versions[i]->terms.number == number)
                        return desk->hours->versions[i];
        return NULL;
}

const struct sla_terms *policies_terms(void *data, int64_t number)
{
        const struct policy_version *version = policies_version(data, number);
        return version ? &version->terms : NULL;
}

/* ---- memory ---- */

static void version_free(struct policy_version *version)
{
        if (!version)
                return;
        condition_free(version->condition);
        free(version->name);
        free(version->when);
        free(version);
}

void policies_free(struct hours *hours)
{
        for (size_t i = 0; i < hours->version_count; i++)
                version_free(hours->versions[i]);
        free(hours->versions);
        free(hours->policies);
        hours->versions = NULL;
        hours->policies = NULL;
        hours->version_count = hours->policy_count = 0;
}

/* ---- targets as text: unit:amount of each priority and metric ---- */

void policy_targets_write(const struct sla_terms *terms, char out[TARGETS_TEXT_BYTES])
{
        size_t len = 0;
        out[0] = '\0';
        for (int p = 0; p < SLA_PRIORITIES; p++)
                for (int m = 0; m < SLA_TARGETS; m++) {
                        const struct sla_target *target = &terms->targets[p][m];
                        len += (size_t)snprintf(out + len, TARGETS_TEXT_BYTES - len, "%s%d:%d", len ? " " : "",
                                                (int)target->unit, (int)target->amount);
                }
}

bool policy_targets_read(struct span span, struct sla_terms *terms)
{
        char text[TARGETS_TEXT_BYTES], *at = text;
        if (span.len >= sizeof text)
                return false;
        memcpy(text, span.at, span.len);
        text[span.len] = '\0';
        for (int i = 0; i < SLA_PRIORITIES * SLA_TARGETS; i++) {
                char *colon, *end;
                long unit = strtol(at, &colon, 10), amount = *colon == ':' ? strtol(colon + 1, &end, 10) : -1;
                if (unit < SLA_UNIT_NONE || unit > SLA_UNIT_WORKING_DAYS || amount < 0 || amount > SLA_SECONDS_MAX)
                        return false;
                terms->targets[i / SLA_TARGETS][i % SLA_TARGETS] =
                        (struct sla_target){(enum sla_unit)unit, (int32_t)amount};
                at = end;
        }
        return *at == '\0';
}

/* ---- reading ---- */

static struct policy_version *read_version(struct db_stmt *stmt, const struct hours *hours)
{
        struct policy_version *version = calloc(1, sizeof *version);
        struct span name = db_text(stmt, 3), when = db_text(stmt, 4);
        if (version) {
                version->name = strndup(name.at, name.len);
                version->when = strndup(when.at, when.len);
        }
        if (!version || !version->name || !version->when) {
                version_free(version);
                return NULL;
        }
        const struct schedule *schedule = schedules_find(hours, db_int(stmt, 5));
        version->policy = db_int(stmt, 1);
        version->from_ms = db_int(stmt, 2);
        version->schedule = db_int(stmt, 5);
        version->terms.number = db_int(stmt, 0);
        version->terms.times = schedule ? &schedule->times : &timetable_always;
        version->terms.pauses = (uint32_t)db_int(stmt, 7);
        version->terms.warn_percent = (int32_t)db_int(stmt, 8);
        return version;
}

static int read_versions(struct desk *desk, struct hours *hours)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SLA_VERSIONS);
        int rc;
        db_bind_int(stmt, 1, desk->workspace);
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct policy_version **more = realloc(hours->versions, (hours->version_count + 1) * sizeof *more);
                if (more)
                        hours->versions = more;
                struct policy_version *version = more ? read_version(stmt, hours) : NULL;
                rc = !version ? DB_NOMEM : policy_targets_read(db_text(stmt, 6), &version->terms) ? DB_OK : DB_DAMAGED;
                if (rc < 0) {
                        version_free(version);
                        db_reset(stmt);
                        return rc;
                }
                hours->versions[hours->version_count++] = version;
        }
        return rc;
}

static int read_policies(struct desk *desk, struct hours *hours)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SLA_POLICIES_ALL);
        int rc;
        db_bind_int(stmt, 1, desk->workspace);
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct policy *more = realloc(hours->policies, (hours->policy_count + 1) * sizeof *more);
                if (!more) {
                        db_reset(stmt);
                        return DB_NOMEM;
                }
                hours->policies = more;
                more[hours->policy_count++] = (struct policy){.id = db_int(stmt, 0),
                                                              .ext = (uint64_t)db_int(stmt, 1),
                                                              .is_removed = db_int(stmt, 2) != 0,
                                                              .removed_from_ms = db_int(stmt, 3)};
        }
        return rc;
}

int policies_read(struct desk *desk, struct hours *hours)
{
        int rc = read_versions(desk, hours);
        if (rc == DB_OK)
                rc = read_policies(desk, hours);
        for (size_t i = 0; rc == DB_OK && i < hours->policy_count; i++) {
                struct policy *policy = &hours->policies[i];
                for (size_t v = 0; v < hours->version_count; v++) {
                        if (hours->versions[v]->policy != policy->id)
                                continue;
                        if (policy->version_count++ == 0)
                                policy->versions = &hours->versions[v];
                }
                if (policy->version_count == 0)
                        rc = DB_DAMAGED;
        }
        return rc;
}

/* ---- which one ---- */

static struct policy_version *version_for(const struct policy *policy, int64_t issued_ms)
{
        if (policy->is_removed && issued_ms >= policy->removed_from_ms)
                return NULL;
        for (size_t i = policy->version_count; i > 0; i--)
                if (policy->versions[i - 1]->from_ms <= issued_ms)
                        return policy->versions[i - 1];
        return NULL;
}

/* 1 it fits, 0 not. A condition that is damaged fits nothing; that was logged. */
static int fits(struct desk *desk, struct policy_version *version, const struct ticket *ticket)
{
        if (!version->is_compiled) {
                version->condition = rules_stored(desk, span_of(version->when), CONDITION_OF_VIEW);
                version->is_compiled = true;
        }
        struct fact_scene scene = {.desk = desk, .ticket = ticket, .now_ms = desk->now_ms};
        return version->condition ? condition_holds(version->condition, &rules_world, &scene) : 0;
}

int64_t policies_match(struct desk *desk, const struct ticket *ticket)
{
        for (size_t i = 0; i < desk->hours->policy_count; i++) {
                struct policy_version *version = version_for(&desk->hours->policies[i], ticket->issued_ms);
                int rc = version ? fits(desk, version, ticket) : 0;
                if (rc != 0)
                        return rc < 0 ? rc : version->terms.number;
        }
        return 0;
}
