/* SPDX-License-Identifier: Apache-2.0 */
/* The definitions in memory: read from the store as a whole, at the start, after each change within its transaction,
 * and after a rollback. Nothing is changed in place but audiences, which are compiled when they are first asked. */
#include "desk/surveys/survey_defs_private.h"

#include <stdlib.h>
#include <strings.h>

#include "desk/desk_private.h"
#include "desk/rules/names.h"
#include "desk/surveys/surveys_private.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };
static const int64_t day_ms = 24 * (int64_t)HOUR_MS;

/* ---- memory ---- */

static struct survey *survey_free(struct survey *survey)
{
        if (!survey)
                return NULL;
        condition_free(survey->audience);
        arena_done(&survey->arena);
        free(survey);
        return NULL;
}

struct survey_defs *survey_defs_free(struct survey_defs *defs)
{
        if (!defs)
                return NULL;
        for (size_t i = 0; i < defs->count; i++)
                survey_free(defs->all[i]);
        free(defs->all);
        free(defs);
        return NULL;
}

/* A terminated copy. NULL: out of memory. */
static char *keep(struct arena *arena, struct span text)
{
        char *copy = arena_take(arena, text.len + 1);
        if (copy && text.len > 0)
                memcpy(copy, text.at, text.len);
        return copy;
}

int survey_form_decode(struct span stored, struct arena *arena, const struct protocol_survey_form **out_form)
{
        struct protocol_survey_form *form = arena_take(arena, sizeof *form);
        char *copy = keep(arena, stored);
        struct reader reader;
        struct fault ignored = {0};
        if (!form || !copy)
                return DB_NOMEM;
        reader_init(&reader, copy, stored.len, READER_TOLERANT, arena, &ignored);
        if (protocol_survey_form_read(&reader, form) < 0)
                return DB_DAMAGED;
        *out_form = form;
        return DB_OK;
}

/* What the form says, in the units of the desk. */
static void spread(struct survey *survey, const struct protocol_survey_form *form)
{
        survey->metric = (int)form->metric;
        survey->style = (int)form->style;
        survey->max = (int)form->top;
        survey->min = survey_lowest(survey->metric, survey->style);
        survey->is_enabled = form->enabled;
        for (size_t i = 0; i < form->on_count; i++)
                survey->triggers |= 1u << survey_cause_of(form->on[i]);
        survey->delay_ms = form->delay_minutes * MINUTE_MS;
        survey->days_after_ms = form->days_after * day_ms;
        survey->remind_ms = form->remind_hours * HOUR_MS;
        survey->until_ms = form->until_hours * HOUR_MS;
        survey->change_ms = form->change_hours * HOUR_MS;
        survey->sample_percent = (int)form->sample_percent;
        survey->customer_interval_ms = form->interval_days * day_ms;
        survey->min_text = form->min_text;
        survey->max_age_ms = form->max_age_days * day_ms;
        survey->asks_bot = form->asks_bot;
        survey->takes_comment = form->comment;
        survey->takes_contact = form->contact;
}

static int read_survey(struct db_stmt *stmt, struct survey **out_survey)
{
        struct survey *survey = calloc(1, sizeof *survey);
        if (!survey)
                return DB_NOMEM;
        arena_init(&survey->arena, NULL, 0);
        survey->id = db_int(stmt, 0);
        survey->ext = (uint64_t)db_int(stmt, 1);
        survey->is_removed = db_int(stmt, 2) != 0;
        survey->version_id = db_int(stmt, 3);
        survey->version = db_int(stmt, 4);
        survey->since_ms = db_int(stmt, 5);
        survey->when = keep(&survey->arena, db_text(stmt, 6));
        int rc = survey->when ? survey_form_decode(db_text(stmt, 7), &survey->arena, &survey->form) : DB_NOMEM;
        survey->name = rc >= 0 ? keep(&survey->arena, survey->form->name) : NULL;
        if (rc >= 0 && !survey->name)
                rc = DB_NOMEM;
        if (rc < 0) {
                survey_free(survey);
                return rc;
        }
        spread(survey, survey->form);
        *out_survey = survey;
        return DB_OK;
}

static int add(struct survey_defs *defs, struct survey *survey)
{
        struct survey **more = realloc(defs->all, (defs->count + 1) * sizeof(*more));
        if (!more) {
                survey_free(survey);
                return DB_NOMEM;
        }
        defs->all = more;
        more[defs->count++] = survey;
        return DB_OK;
}

int survey_defs_init(struct desk *desk, struct survey_defs **out_defs)
{
        struct survey_defs *defs = calloc(1, sizeof *defs);
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SURVEYS_ALL);
        int rc = defs ? DB_OK : DB_NOMEM;
        if (rc < 0)
                return rc;
        db_bind_int(stmt, 1, desk->workspace);
        while ((rc = db_step(stmt)) == DB_ROW) {
                struct survey *survey = NULL;
                if ((rc = read_survey(stmt, &survey)) < 0 || (rc = add(defs, survey)) < 0)
                        break;
        }
        db_reset(stmt);
        if (rc < 0)
                survey_defs_free(defs);
        else
                *out_defs = defs;
        return rc < 0 ? rc : DB_OK;
}

static int read_anew(struct desk *desk)
{
        struct survey_defs *fresh = NULL;
        int rc = survey_defs_init(desk, &fresh);
        if (rc < 0)
                return rc;
        fresh->is_changed = desk->surveys->defs->is_changed;
        survey_defs_free(desk->surveys->defs);
        desk->surveys->defs = fresh;
        return DB_OK;
}

int survey_defs_read_again(struct desk *desk)
{
        desk->surveys->defs->is_changed = true;
        int rc = read_anew(desk);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

void survey_defs_committed(struct desk *desk)
{
        desk->surveys->defs->is_changed = false;
}

void survey_defs_rolled_back(struct desk *desk)
{
        struct survey_defs *defs = desk->surveys->defs;
        if (defs->is_changed && read_anew(desk) < 0)
                log_error(&desk->log, "the surveys could not be read again");
        else
                desk->surveys->defs->is_changed = false;
}

/* ---- finding ---- */

size_t surveys_there(const struct desk *desk)
{
        const struct survey_defs *defs = desk->surveys->defs;
        size_t count = 0;
        for (size_t i = 0; i < defs->count; i++)
                count += !defs->all[i]->is_removed;
        return count;
}

const struct survey *survey_find(const struct desk *desk, uint64_t ext)
{
        const struct survey_defs *defs = desk->surveys->defs;
        for (size_t i = 0; i < defs->count; i++)
                if (defs->all[i]->ext == ext && !defs->all[i]->is_removed)
                        return defs->all[i];
        return NULL;
}

const struct survey *survey_by_id(const struct desk *desk, int64_t id)
{
        const struct survey_defs *defs = desk->surveys->defs;
        for (size_t i = 0; i < defs->count; i++)
                if (defs->all[i]->id == id)
                        return defs->all[i];
        return NULL;
}

const struct survey *survey_named(const struct desk *desk, struct span name)
{
        const struct survey_defs *defs = desk->surveys->defs;
        uint64_t ext = 0;
        if (id_read(name, "sur", &ext) == 0)
                return survey_find(desk, ext);
        for (size_t i = 0; i < defs->count; i++)
                if (!defs->all[i]->is_removed && strlen(defs->all[i]->name) == name.len &&
                    strncasecmp(defs->all[i]->name, name.at, name.len) == 0)
                        return defs->all[i];
        return NULL;
}

/* ---- which one ---- */

/* A condition that is damaged fits nothing; that was logged. */
static bool fits(struct desk *desk, struct survey *survey, const struct ticket *ticket)
{
        if (survey->when[0] == '\0')
                return true;
        if (!survey->is_audience_read) {
                survey->audience = rules_stored(desk, span_of(survey->when), CONDITION_OF_VIEW);
                survey->audience_tests = survey->audience ? condition_tests(survey->audience) : 0;
                survey->is_audience_read = true;
        }
        struct fact_scene scene = {.desk = desk, .ticket = ticket, .now_ms = desk->now_ms};
        return survey->audience && condition_holds(survey->audience, &rules_world, &scene) > 0;
}

/* The one that says most of whom it asks; of equals the older. */
static const struct survey *best_for(struct desk *desk, const struct ticket *ticket, enum survey_cause cause)
{
        const struct survey_defs *defs = desk->surveys->defs;
        const struct survey *best = NULL;
        for (size_t i = 0; i < defs->count; i++) {
                struct survey *survey = defs->all[i];
                bool asks = survey->is_enabled && !survey->is_removed && (survey->triggers & 1u << cause);
                if (asks && fits(desk, survey, ticket) && (!best || survey->audience_tests > best->audience_tests))
                        best = survey;
        }
        return best;
}

const struct survey *survey_for(struct desk *desk, const struct ticket *ticket, enum survey_cause cause)
{
        const struct survey *best = best_for(desk, ticket, cause);
        return !best && cause == SURVEY_CAUSE_CASE ? best_for(desk, ticket, SURVEY_CAUSE_SOLVED) : best;
}

bool survey_asks_ticket(struct desk *desk, const struct survey *survey, const struct ticket *ticket)
{
        const struct survey_defs *defs = desk->surveys->defs;
        for (size_t i = 0; i < defs->count; i++)
                if (defs->all[i] == survey)
                        return fits(desk, defs->all[i], ticket);
        return false;
}
