/* SPDX-License-Identifier: Apache-2.0 */
/* When a case is opened, its deadlines, and the words for what was the matter. */
#include "desk/recovery/recovery_private.h"

#include <stdio.h>
#include <stdlib.h>

#define HOUR_MS ((int64_t)3600 * 1000)

static const char *const built_in[] = {"attitude", "delivery",       "other",       "policy",
                                       "price",    "product_defect", "slow_answer", "wrong_answer"};
enum { BUILT_IN = sizeof built_in / sizeof *built_in };

/* ---- settings ---- */

static const struct recovery_settings defaults = {.csat_low = 2,
                                                  .nps_low = 6,
                                                  .ces_low = 3,
                                                  .takes_tick = true,
                                                  .is_business = true,
                                                  .contact_ms = 24 * HOUR_MS,
                                                  .fix_ms = 48 * HOUR_MS,
                                                  .resurvey_ms = 7 * 24 * HOUR_MS};

int recovery_settings_load(struct desk *desk)
{
        struct recovery_settings *out = &desk->recovery->settings;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RECOVERY_SETTINGS_GET);
        db_bind_int(stmt, 1, desk->workspace);
        int rc = db_step(stmt);
        if (rc >= 0)
                *out = defaults;
        if (rc == DB_ROW) {
                struct span tiers = db_text(stmt, 8);
                *out = (struct recovery_settings){.csat_low = (int)db_int(stmt, 0),
                                                  .nps_low = (int)db_int(stmt, 1),
                                                  .ces_low = (int)db_int(stmt, 2),
                                                  .takes_tick = db_int(stmt, 3) != 0,
                                                  .contact_ms = db_int(stmt, 4),
                                                  .fix_ms = db_int(stmt, 5),
                                                  .is_business = db_int(stmt, 6) != 0,
                                                  .resurvey_ms = db_int(stmt, 7)};
                snprintf(out->tiers, sizeof out->tiers, "%.*s", (int)tiers.len, tiers.at ? tiers.at : "");
        }
        db_reset(stmt);
        return rc < 0 ? rc : DB_OK;
}

/* The next line of `text`, which goes on behind it. */
static struct span next_line(struct span *text)
{
        const char *end = memchr(text->at, '\n', text->len);
        struct span line = {text->at, end ? (size_t)(end - text->at) : text->len};
        size_t gone = end ? line.len + 1 : line.len;
        *text = (struct span){text->at + gone, text->len - gone};
        return line;
}

bool recovery_has_tier(const struct recovery_settings *settings, struct span tier)
{
        struct span rest = span_of(settings->tiers);
        while (rest.len > 0)
                if (tier.len > 0 && span_equal(next_line(&rest), tier))
                        return true;
                else if (tier.len == 0)
                        return false;
        return false;
}

int handle_recovery_settings(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct recovery_settings *set = &desk->recovery->settings;
        struct span tiers[CASE_TIERS], rest = span_of(set->tiers);
        struct protocol_recovery_settings_result result = {.settings = {.has_csat_low = true,
                                                                        .csat_low = set->csat_low,
                                                                        .has_nps_low = true,
                                                                        .nps_low = set->nps_low,
                                                                        .has_ces_low = true,
                                                                        .ces_low = set->ces_low,
                                                                        .has_contact_tick = true,
                                                                        .contact_tick = set->takes_tick,
                                                                        .has_contact_ms = true,
                                                                        .contact_ms = set->contact_ms,
                                                                        .has_fix_ms = true,
                                                                        .fix_ms = set->fix_ms,
                                                                        .has_business_hours = true,
                                                                        .business_hours = set->is_business,
                                                                        .has_resurvey_ms = true,
                                                                        .resurvey_ms = set->resurvey_ms,
                                                                        .has_tiers = true,
                                                                        .tiers = tiers}};
        (void)command;
        (void)fault;
        while (rest.len > 0 && result.settings.tiers_count < CASE_TIERS)
                tiers[result.settings.tiers_count++] = next_line(&rest);
        protocol_recovery_settings_result_write(out, &result);
        return 0;
}

static int merge_settings(const struct protocol_recovery_rules *said, struct recovery_settings *set,
                          struct fault *fault)
{
        size_t len = 0;
        set->csat_low = said->has_csat_low ? (int)said->csat_low : set->csat_low;
        set->nps_low = said->has_nps_low ? (int)said->nps_low : set->nps_low;
        set->ces_low = said->has_ces_low ? (int)said->ces_low : set->ces_low;
        set->takes_tick = said->has_contact_tick ? said->contact_tick : set->takes_tick;
        set->contact_ms = said->has_contact_ms ? said->contact_ms : set->contact_ms;
        set->fix_ms = said->has_fix_ms ? said->fix_ms : set->fix_ms;
        set->is_business = said->has_business_hours ? said->business_hours : set->is_business;
        set->resurvey_ms = said->has_resurvey_ms ? said->resurvey_ms : set->resurvey_ms;
        if (set->fix_ms < set->contact_ms)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "settings.fix_ms", "not less than contact_ms");
        if (said->has_tiers)
                set->tiers[0] = 0;
        for (size_t i = 0; said->has_tiers && i < said->tiers_count; i++)
                len += (size_t)snprintf(set->tiers + len, sizeof set->tiers - len, "%.*s\n", (int)said->tiers[i].len,
                                        said->tiers[i].at);
        return 0;
}

static int put_settings(struct desk *desk, const struct recovery_settings *set)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RECOVERY_SETTINGS_PUT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, set->csat_low);
        db_bind_int(stmt, 3, set->nps_low);
        db_bind_int(stmt, 4, set->ces_low);
        db_bind_int(stmt, 5, set->takes_tick);
        db_bind_int(stmt, 6, set->contact_ms);
        db_bind_int(stmt, 7, set->fix_ms);
        db_bind_int(stmt, 8, set->is_business);
        db_bind_int(stmt, 9, set->resurvey_ms);
        db_bind_text(stmt, 10, span_of(set->tiers));
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int handle_recovery_settings_set(struct desk *desk, struct desk_command *command, struct writer *out,
                                 struct fault *fault)
{
        const struct protocol_recovery_settings_set *params = command->params;
        struct recovery_settings set = desk->recovery->settings;
        char detail[240];
        int rc = merge_settings(&params->settings, &set, fault);
        if (rc == 0)
                rc = put_settings(desk, &set);
        if (rc < 0)
                return rc;
        desk->recovery->settings = set;
        desk->recovery->are_settings_moved = true; /* read again when the batch is not kept */
        struct protocol_recovery_settings_set_result result = {0};
        protocol_recovery_settings_set_result_write(out, &result);
        snprintf(detail, sizeof detail,
                 "csat_low=%d nps_low=%d ces_low=%d contact_tick=%d contact_ms=%lld fix_ms=%lld business_hours=%d "
                 "resurvey_ms=%lld",
                 set.csat_low, set.nps_low, set.ces_low, set.takes_tick, (long long)set.contact_ms,
                 (long long)set.fix_ms, set.is_business, (long long)set.resurvey_ms);
        return admin_audit(desk, &command->caller, "recovery.settings_set", "", 0, span_of(detail));
}

/* ---- causes ---- */

struct causes {
        struct cause {
                char word[CASE_WORD];
                bool is_built_in, is_removed;
        } at[CASE_CAUSES + BUILT_IN];
        size_t count;
};

static size_t cause_place(const struct causes *causes, struct span word)
{
        size_t i = 0;
        while (i < causes->count && !span_equal(span_of(causes->at[i].word), word))
                i++;
        return i;
}

static int compare_causes(const void *a, const void *b)
{
        return strcmp(((const struct cause *)a)->word, ((const struct cause *)b)->word);
}

/* All of them, those removed too; the built-in ones first. */
static int read_causes(struct desk *desk, struct causes *out)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RECOVERY_CAUSES);
        int rc = DB_OK;
        *out = (struct causes){.count = BUILT_IN};
        for (size_t i = 0; i < BUILT_IN; i++) {
                snprintf(out->at[i].word, CASE_WORD, "%s", built_in[i]);
                out->at[i].is_built_in = true;
        }
        db_bind_int(stmt, 1, desk->workspace);
        while (out->count < CASE_CAUSES + BUILT_IN && (rc = db_step(stmt)) == DB_ROW) {
                struct span word = db_text(stmt, 0);
                size_t place = cause_place(out, word);
                out->count += place == out->count;
                snprintf(out->at[place].word, CASE_WORD, "%.*s", (int)word.len, word.at);
                out->at[place].is_removed = db_int(stmt, 1) != 0;
        }
        db_reset(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int recovery_has_cause(struct desk *desk, struct span cause)
{
        struct causes causes;
        int rc = read_causes(desk, &causes);
        size_t place = rc == 0 ? cause_place(&causes, cause) : 0;
        return rc < 0 ? rc : place < causes.count && !causes.at[place].is_removed;
}

static bool is_word(struct span text)
{
        for (size_t i = 0; i < text.len; i++)
                if (!((text.at[i] >= 'a' && text.at[i] <= 'z') || (text.at[i] >= '0' && text.at[i] <= '9') ||
                      text.at[i] == '_'))
                        return false;
        return text.len > 0;
}

static int put_cause(struct desk *desk, const struct caller *caller, struct span cause, int64_t removed_ms,
                     const char *action)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_RECOVERY_CAUSE_PUT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_text(stmt, 2, cause);
        db_bind_int(stmt, 3, removed_ms);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : admin_audit(desk, caller, action, "", 0, cause);
}

int handle_recovery_cause_add(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_recovery_cause_add *params = command->params;
        struct causes causes;
        if (!is_word(params->cause))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "cause", "small letters, digits and _");
        int rc = read_causes(desk, &causes);
        if (rc < 0)
                return rc;
        size_t place = cause_place(&causes, params->cause);
        if (place < causes.count && !causes.at[place].is_removed)
                return fault_set(fault, PROTOCOL_ERR_CONFLICT, "cause", "one that is not there yet");
        if (place == causes.count && causes.count >= CASE_CAUSES)
                return -PROTOCOL_ERR_TOO_MANY;
        struct protocol_recovery_cause_add_result result = {0};
        protocol_recovery_cause_add_result_write(out, &result);
        return put_cause(desk, &command->caller, params->cause, 0, "recovery.cause_add");
}

int handle_recovery_cause_remove(struct desk *desk, struct desk_command *command, struct writer *out,
                                 struct fault *fault)
{
        const struct protocol_recovery_cause_remove *params = command->params;
        (void)fault;
        int rc = recovery_has_cause(desk, params->cause);
        if (rc <= 0)
                return rc < 0 ? rc : -PROTOCOL_ERR_NOT_FOUND;
        struct protocol_recovery_cause_remove_result result = {0};
        protocol_recovery_cause_remove_result_write(out, &result);
        return put_cause(desk, &command->caller, params->cause, desk->now_ms, "recovery.cause_remove");
}

int handle_recovery_cause_list(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        struct protocol_recovery_code rows[CASE_CAUSES + BUILT_IN];
        struct protocol_recovery_cause_list_result result = {.causes = rows};
        struct causes causes;
        (void)command;
        (void)fault;
        int rc = read_causes(desk, &causes);
        if (rc < 0)
                return rc;
        qsort(causes.at, causes.count, sizeof causes.at[0], compare_causes);
        for (size_t i = 0; i < causes.count && result.causes_count < CASE_CAUSES; i++)
                if (!causes.at[i].is_removed)
                        rows[result.causes_count++] =
                                (struct protocol_recovery_code){.cause = span_of(causes.at[i].word),
                                                                .has_built_in = causes.at[i].is_built_in,
                                                                .built_in = causes.at[i].is_built_in};
        protocol_recovery_cause_list_result_write(out, &result);
        return 0;
}
