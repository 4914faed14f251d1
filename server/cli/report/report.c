/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell report: numbers of the desk. Each can be opened down to the tickets behind it (`list`), and counted again
 * from what `export` gives. */
#include "cli/report/report.h"

#include "cli/commands.h"

int cli_report(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"overview", "all numbers of a period, beside those of the period before", report_overview},
                {"show", "one or more numbers, by day, week, month, team, agent ..., drawn in the terminal",
                 report_show},
                {"list", "the tickets, answers or cases behind a number", report_list},
                {"html", "a page with charts, in one file", report_page},
                {"words", "words of comments that go with low scores", report_words},
                {"metrics", "what can be asked for, with its formula", report_metrics},
                {"target", "the lines to reach", report_target},
                {"live", "a board of queues and agents", report_live},
                {"export", "the rows behind all numbers, as NDJSON or CSV", report_export},
                {"check", "counts everything again and compares", report_check},
                {"rebuild", "makes all numbers again from what is stored", report_rebuild},
        };

        return cli_group("report", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
