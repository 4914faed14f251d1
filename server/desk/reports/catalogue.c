/* SPDX-License-Identifier: Apache-2.0 */
/* report.metrics, and the lines that a workspace draws: report.target_set and report.target_list. */
#include "desk/desk_private.h"
#include "desk/reading.h"
#include "desk/reports/reports_private.h"

enum { BYS = METRIC_BY_BOT + 1, METRICS_AT_ONCE = 20 };

static int describe(const struct reading *reading, const struct metric *metric, struct protocol_report_metric *out)
{
        enum protocol_report_metric_by *by = arena_take(&reading->command->arena, BYS * sizeof *by);
        if (!by)
                return -PROTOCOL_ERR_INTERNAL;
        *out = (struct protocol_report_metric){.metric = span_of(metric->name),
                                               .unit = (enum protocol_report_metric_unit)((int)metric->unit + 1),
                                               .kind = (enum protocol_report_metric_kind)((int)metric->kind + 1),
                                               .day = (enum protocol_report_metric_day)((int)metric->day + 1),
                                               .by = by,
                                               .formula = span_of(metric->formula),
                                               .text = span_of(metric->text),
                                               .has_band_low = metric->band_high != 0,
                                               .band_low = metric->band_low,
                                               .has_band_high = metric->band_high != 0,
                                               .band_high = metric->band_high};
        for (int i = 0; i < BYS; i++)
                if (metric->by >> i & 1)
                        by[out->by_count++] = (enum protocol_report_metric_by)(i + 1);
        return 0;
}

static int add_targets(const struct reading *reading, struct protocol_report_metrics_result *result)
{
        struct db_stmt *stmt = db_stmt(reading->db, SQL_REPORT_TARGETS);
        int rc;
        db_bind_int(stmt, 1, reading->command->caller.workspace);
        while ((rc = db_step(stmt)) == DB_ROW) {
                for (size_t i = 0; i < result->metrics_count; i++) {
                        if (span_equal(db_text(stmt, 0), result->metrics[i].metric)) {
                                result->metrics[i].has_target = true;
                                result->metrics[i].target = db_int(stmt, 1);
                        }
                }
        }
        return rc < 0 ? reading_failed(reading, rc) : 0;
}

int read_report_metrics(const struct reading *reading)
{
        const struct protocol_report_metrics *params = reading->command->params;
        struct protocol_report_metrics_result result = {0};
        int first = 1;
        if (params->has_after) {
                first = report_metric_named(reading, params->after, "after") + 1;
                if (first == 1)
                        return -PROTOCOL_ERR_BAD_REQUEST;
        }
        result.metrics = arena_take(&reading->command->arena, METRICS_AT_ONCE * sizeof *result.metrics);
        if (!result.metrics)
                return -PROTOCOL_ERR_INTERNAL;
        for (int id = first; id < METRICS; id++) {
                if (result.metrics_count == METRICS_AT_ONCE) {
                        result.has_more = result.more = true;
                        break;
                }
                int rc = describe(reading, &metrics[id], &result.metrics[result.metrics_count++]);
                if (rc < 0)
                        return rc;
        }
        int rc = add_targets(reading, &result);
        if (rc < 0)
                return rc;
        protocol_report_metrics_result_write(reading->out, &result);
        return 0;
}

int read_report_target_list(const struct reading *reading)
{
        struct protocol_report_target_list_result result = {0};
        struct db_stmt *stmt = db_stmt(reading->db, SQL_REPORT_TARGETS);
        int rc;
        result.targets = arena_take(&reading->command->arena, METRICS * sizeof *result.targets);
        if (!result.targets)
                return -PROTOCOL_ERR_INTERNAL;
        db_bind_int(stmt, 1, reading->command->caller.workspace);
        while ((rc = db_step(stmt)) == DB_ROW && result.targets_count < METRICS)
                result.targets[result.targets_count++] = (struct protocol_report_target){
                        .metric = report_keep(reading, db_text(stmt, 0)), .value = db_int(stmt, 1)};
        db_reset(stmt);
        if (rc < 0)
                return reading_failed(reading, rc);
        protocol_report_target_list_result_write(reading->out, &result);
        return 0;
}

int handle_report_target_set(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_report_target_set *params = command->params;
        struct protocol_report_target_set_result result = {0};
        int id = 1;
        while (id < METRICS && !span_equal(params->metric, span_of(metrics[id].name)))
                id++;
        if (id == METRICS)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "metric", "a name of report.metrics");
        struct db_stmt *stmt = db_stmt(desk->db, params->has_value ? SQL_REPORT_TARGET_PUT : SQL_REPORT_TARGET_REMOVE);
        db_bind_int(stmt, 1, desk->workspace);
        db_bind_text(stmt, 2, params->metric);
        if (params->has_value)
                db_bind_int(stmt, 3, params->value);
        int rc = db_run(stmt);
        if (rc < 0)
                return desk_db_failed(desk, rc);
        protocol_report_target_set_result_write(out, &result);
        return admin_audit(desk, &command->caller, "report.target_set", "wsp", desk->workspace_ext, params->metric);
}
