/* SPDX-License-Identifier: Apache-2.0 */
/* survey.add, .set, .remove, .list, .get, .preview. A change is a new version; what was shown stays as it was shown. */
#include "desk/desk_private.h"
#include "desk/people/people.h"
#include "desk/rules/names.h"
#include "desk/surveys/survey_defs_private.h"
#include "desk/surveys/survey_words.h"
#include "desk/surveys/surveys_private.h"

/* ---- what is asked for ---- */

static int check_name(const struct desk *desk, struct span name, const struct survey *self, struct fault *fault)
{
        const struct survey *other = survey_named(desk, name);
        uint64_t ext = 0;
        if (id_read(name, "sur", &ext) == 0)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "form.name", "a name, not an id");
        return other && other != self
                       ? fault_set(fault, PROTOCOL_ERR_CONFLICT, "form.name", "a name that no other survey has")
                       : 0;
}

/* A copy of what was written, in the arena. 0 or -PROTOCOL_ERR_INTERNAL. */
static int keep_text(struct arena *arena, const struct writer *text, struct span *out_text)
{
        char *copy = text->failed ? NULL : arena_take(arena, text->len + 1);
        if (!copy)
                return -PROTOCOL_ERR_INTERNAL;
        if (text->len > 0)
                memcpy(copy, text->bytes, text->len);
        *out_text = (struct span){copy, text->len};
        return 0;
}

/* Checks the audience; *out_when is its canonical text, in the arena. */
static int take_when(struct desk *desk, struct arena *arena, struct span when, struct span *out_when,
                     struct fault *fault)
{
        struct condition *condition = NULL;
        int rc = rules_canonical(desk, arena, when, CONDITION_OF_VIEW, "form.when", &condition, out_when, fault);
        if (rc == 0 && condition_is_personal(condition))
                rc = fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "form.when",
                               "nothing about me: a survey has no reader");
        condition_free(condition);
        return rc;
}

/* What is stored of a version; in the arena of the call. */
struct draft {
        struct protocol_survey_form form; /* whole, without `when` */
        struct span when, text;           /* canonical audience; the form as JSON */
};

/* What `patch` makes of `base` (NULL: of nothing), checked. */
static int draft_make(struct desk *desk, struct arena *arena, const struct survey *base,
                      const struct protocol_survey_form *patch, struct draft *out, struct fault *fault)
{
        struct writer text;
        survey_form_merge(base ? base->form : NULL, patch, &out->form);
        out->when = base ? span_of(base->when) : SPAN("");
        int rc = survey_form_check(base ? base->form : NULL, &out->form, fault);
        if (rc == 0)
                rc = check_name(desk, out->form.name, base, fault);
        if (rc == 0 && patch->has_when)
                rc = take_when(desk, arena, patch->when, &out->when, fault);
        if (rc < 0)
                return rc;
        writer_init(&text, NULL, 0);
        protocol_survey_form_write(&text, &out->form);
        rc = keep_text(arena, &text, &out->text);
        writer_done(&text);
        return rc == 0 && out->text.len > SURVEY_FORM_BYTES
                       ? fault_set(fault, PROTOCOL_ERR_TOO_LARGE, "form.texts", "less text: 64 KiB in all")
                       : rc;
}

/* ---- writing ---- */

static int put_version(struct desk *desk, int64_t survey, int64_t number, const struct draft *draft, int64_t by)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SURVEY_VERSION_INSERT);
        db_bind_int(stmt, 1, survey);
        db_bind_int(stmt, 2, number);
        db_bind_text(stmt, 3, draft->form.name);
        db_bind_int(stmt, 4, (int64_t)draft->form.metric);
        db_bind_int(stmt, 5, draft->form.top);
        db_bind_text(stmt, 6, draft->when);
        db_bind_text(stmt, 7, draft->text);
        db_bind_int(stmt, 8, by);
        db_bind_int(stmt, 9, desk->now_ms);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

/* The audit trail and memory, after the rows were written; last of all, so that memory is never ahead of the store. */
static int changed(struct desk *desk, const struct caller *caller, const char *action, uint64_t ext)
{
        int rc = admin_audit(desk, caller, action, "sur", ext, (struct span){0});
        return rc == 0 ? survey_defs_read_again(desk) : rc;
}

static int insert(struct desk *desk, uint64_t ext, const struct draft *draft, int64_t by)
{
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SURVEY_INSERT);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_int(stmt, 2, (int64_t)ext);
        db_bind_int(stmt, 3, desk->now_ms);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : put_version(desk, db_last_id(desk->db), 1, draft, by);
}

int handle_survey_add(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_survey_add *params = command->params;
        struct protocol_survey_add_result result = {.survey = desk_new_id(desk), .version = 1};
        struct draft draft = {0};
        if (surveys_there(desk) >= SURVEYS_MAX)
                return -PROTOCOL_ERR_TOO_MANY;
        int rc = draft_make(desk, &command->arena, NULL, &params->form, &draft, fault);
        if (rc == 0)
                rc = insert(desk, result.survey, &draft, command->caller.principal);
        if (rc == 0)
                rc = changed(desk, &command->caller, "survey.add", result.survey);
        if (rc == 0)
                protocol_survey_add_result_write(out, &result);
        return rc;
}

/* The survey, when the caller knows its newest version. */
static int find_known(const struct desk *desk, uint64_t ext, int64_t version, const struct survey **out_survey,
                      struct fault *fault)
{
        const struct survey *survey = survey_find(desk, ext);
        if (!survey)
                return -PROTOCOL_ERR_NOT_FOUND;
        if (survey->version != version) {
                fault_set(fault, PROTOCOL_ERR_STALE, "version", "the version it has now");
                return -PROTOCOL_ERR_STALE;
        }
        *out_survey = survey;
        return 0;
}

/* Nothing of it differs from the newest version. */
static bool is_same(const struct survey *survey, const struct draft *draft)
{
        struct writer text;
        writer_init(&text, NULL, 0);
        protocol_survey_form_write(&text, survey->form);
        bool same = !text.failed && span_equal((struct span){text.bytes, text.len}, draft->text) &&
                    span_equal(span_of(survey->when), draft->when);
        writer_done(&text);
        return same;
}

static int run_for(struct desk *desk, enum sql_id sql, int64_t survey, int64_t value)
{
        struct db_stmt *stmt = db_stmt(desk->db, sql);
        db_bind_int(stmt, 1, survey);
        db_bind_int(stmt, 2, value);
        int rc = db_run(stmt);
        return rc < 0 ? desk_db_failed(desk, rc) : 0;
}

int handle_survey_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_survey_set *params = command->params;
        struct protocol_survey_set_result result = {.version = params->version};
        const struct survey *survey = NULL;
        struct draft draft = {0};
        int rc = find_known(desk, params->survey, params->version, &survey, fault);
        if (rc == 0)
                rc = draft_make(desk, &command->arena, survey, &params->form, &draft, fault);
        if (rc == 0 && !is_same(survey, &draft)) {
                result.version++;
                rc = put_version(desk, survey->id, result.version, &draft, command->caller.principal);
                if (rc == 0)
                        rc = run_for(desk, SQL_SURVEY_VERSION_IS, survey->id, result.version);
                if (rc == 0)
                        rc = changed(desk, &command->caller, "survey.set", params->survey);
        }
        if (rc == 0)
                protocol_survey_set_result_write(out, &result);
        return rc;
}

int handle_survey_remove(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_survey_remove *params = command->params;
        struct protocol_survey_remove_result result = {0};
        const struct survey *survey = NULL;
        int rc = find_known(desk, params->survey, params->version, &survey, fault);
        if (rc == 0)
                rc = run_for(desk, SQL_SURVEY_REMOVE, survey->id, desk->now_ms);
        if (rc == 0)
                rc = changed(desk, &command->caller, "survey.remove", params->survey);
        if (rc == 0)
                protocol_survey_remove_result_write(out, &result);
        return rc;
}

/* ---- reading ---- */

static bool describe(const struct survey *survey, struct arena *arena, struct protocol_survey_row *row)
{
        const struct protocol_survey_form *form = survey->form;
        *row = (struct protocol_survey_row){.survey = survey->ext,
                                            .version = survey->version,
                                            .since = survey->since_ms,
                                            .name = form->name,
                                            .enabled = survey->is_enabled,
                                            .metric = (enum protocol_survey_row_metric)form->metric,
                                            .style = (enum protocol_survey_row_style)form->style,
                                            .top = form->top,
                                            .on_count = form->on_count,
                                            .questions = (int64_t)form->questions_count};
        row->on = arena_take(arena, form->on_count * sizeof *row->on);
        row->langs = arena_take(arena, (SURVEY_LANGUAGES + SURVEY_BUILT_IN) * sizeof *row->langs);
        if (!row->on || !row->langs)
                return false;
        for (size_t i = 0; i < form->on_count; i++)
                row->on[i] = (enum protocol_survey_row_on)form->on[i];
        row->langs_count = survey_form_langs(form, row->langs);
        return true;
}

int handle_survey_list(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct survey_defs *defs = desk->surveys->defs;
        struct protocol_survey_list_result result = {0};
        result.surveys = arena_take(&command->arena, SURVEYS_MAX * sizeof *result.surveys);
        if (!result.surveys)
                return -PROTOCOL_ERR_INTERNAL;
        for (size_t i = 0; i < defs->count && result.surveys_count < SURVEYS_MAX; i++)
                if (!defs->all[i]->is_removed &&
                    !describe(defs->all[i], &command->arena, &result.surveys[result.surveys_count++]))
                        return -PROTOCOL_ERR_INTERNAL;
        protocol_survey_list_result_write(out, &result);
        return 0;
}

/* An audience as people write it: names instead of ids. */
static int show_when(struct desk *desk, struct span stored, struct arena *arena, struct protocol_survey_form *form)
{
        struct writer text;
        if (stored.len == 0)
                return 0;
        writer_init(&text, NULL, 0);
        struct condition *condition = rules_stored(desk, stored, CONDITION_OF_VIEW);
        if (condition)
                condition_print(condition, rules_show, desk, &text);
        condition_free(condition);
        int rc = keep_text(arena, &text, &form->when);
        form->has_when = rc == 0;
        writer_done(&text);
        return rc;
}

/* A version from the store, into the arena. */
static int load_version(struct desk *desk, const struct survey *survey, int64_t number, struct arena *arena,
                        struct protocol_survey_get_result *result)
{
        const struct protocol_survey_form *form = NULL;
        struct db_stmt *stmt = db_stmt(desk->db, SQL_SURVEY_VERSION_GET);
        db_bind_int(stmt, 1, survey->id);
        db_bind_int(stmt, 2, number);
        int rc = db_step(stmt), shown = 0;
        if (rc == DB_ROW) {
                result->since = db_int(stmt, 0);
                rc = survey_form_decode(db_text(stmt, 2), arena, &form);
                if (rc >= 0) {
                        result->form = *form;
                        shown = show_when(desk, db_text(stmt, 1), arena, &result->form);
                }
                rc = rc < 0 ? rc : DB_ROW;
        }
        db_reset(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        return rc == DB_OK ? -PROTOCOL_ERR_NOT_FOUND : shown;
}

int handle_survey_get(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_survey_get *params = command->params;
        const struct survey *survey = survey_find(desk, params->survey);
        if (!survey)
                return -PROTOCOL_ERR_NOT_FOUND;
        struct protocol_survey_get_result result = {.survey = survey->ext,
                                                    .newest = survey->version,
                                                    .version = params->has_version ? params->version : survey->version};
        int rc = load_version(desk, survey, result.version, &command->arena, &result);
        if (rc == -PROTOCOL_ERR_NOT_FOUND)
                return fault_set(fault, PROTOCOL_ERR_NOT_FOUND, "version", "a version of the survey");
        if (rc == 0)
                protocol_survey_get_result_write(out, &result);
        return rc;
}

int handle_survey_preview(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_survey_preview *params = command->params;
        const struct survey *survey = survey_find(desk, params->survey);
        struct protocol_content content;
        if (!survey)
                return -PROTOCOL_ERR_NOT_FOUND;
        struct span lang = params->has_lang ? params->lang : survey->form->lang;
        int rc = survey_show(survey, lang, &command->arena, &content);
        if (rc < 0)
                return rc;
        struct protocol_survey_preview_result result = {
                .lang = survey_lang(survey, lang), .text = content.text, .shown = content.survey};
        result.shown.offer = survey->ext;
        protocol_survey_preview_result_write(out, &result);
        return 0;
}
