/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell schedule: business hours. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/listed.h"
#include "cli/secrets.h"

enum { DAYS_MAX = 400, LINE_BYTES = 256 };

static const struct listed schedules = {
        .method = "schedule.list", .list = "schedules", .id = "schedule", .what = "schedule"};

/* ---- what add and set share ---- */

struct said {
        const char *data, *name, *zone, *hours[CLI_LIST], *days[CLI_LIST], *days_file;
        bool no_days, json;
};

#define SCHEDULE_OPTIONS(said)                                                                                         \
        CLI_DATA((said).data), {.name = "name", .value = "NAME", .text = &(said).name, .help = "its name"},            \
                {.name = "zone", .value = "AREA/PLACE", .text = &(said).zone, .help = "time zone: Asia/Seoul"},        \
                {.name = "hours",                                                                                      \
                 .value = "HOURS",                                                                                     \
                 .list = (said).hours,                                                                                 \
                 .help = "days and their hours: \"mon-fri 09:00-12:00,13:00-18:00\"; may be repeated"},                \
                {.name = "holiday",                                                                                    \
                 .value = "DATE",                                                                                      \
                 .list = (said).days,                                                                                  \
                 .help = "a date that is closed, or has the hours behind it: 2026-10-05, 01-01 (every year), "         \
                         "\"12-24 09:00-12:00\"; may be repeated"},                                                    \
                {.name = "holidays",                                                                                   \
                 .value = "FILE",                                                                                      \
                 .text = &(said).days_file,                                                                            \
                 .help = "such dates, one a line; # begins a remark"},                                                 \
                CLI_JSON((said).json)

/* All hours as one text, as the method wants them. */
static json_t *join_hours(const char *const *hours)
{
        char text[1024] = "";
        size_t len = 0;
        for (int i = 0; hours[i] && len < sizeof(text); i++)
                len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? "; " : "", hours[i]);
        return json_string(text);
}

static int add_line(json_t *days, char *line, const char *file, int number)
{
        char *end = strpbrk(line, "#\n");
        if (!end && strlen(line) == LINE_BYTES - 1)
                return cli_fail(EX_DATAERR, "%s, line %d: a line is at most 254 bytes long", file, number);
        if (end)
                *end = '\0';
        while (*line == ' ' || *line == '\t')
                line++;
        size_t len = strlen(line);
        while (len > 0 && strchr(" \t\r", line[len - 1]))
                line[--len] = '\0';
        if (len == 0)
                return EX_OK;
        if (json_array_size(days) == DAYS_MAX)
                return cli_fail(EX_DATAERR, "%s, line %d: more than %d dates", file, number, DAYS_MAX);
        json_t *day = json_string(line);
        if (!day)
                return cli_fail(EX_DATAERR, "%s, line %d: not UTF-8", file, number);
        json_array_append_new(days, day);
        return EX_OK;
}

static int read_file(json_t *days, const char *file)
{
        char line[LINE_BYTES];
        int rc = EX_OK, number = 0;
        FILE *stream = fopen(file, "re");
        if (!stream)
                return cli_fail(EX_NOINPUT, "%s: cannot be opened", file);
        while (rc == EX_OK && fgets(line, sizeof(line), stream))
                rc = add_line(days, line, file, ++number);
        if (rc == EX_OK && ferror(stream))
                rc = cli_fail(EX_IOERR, "%s: cannot be read", file);
        fclose(stream);
        return rc;
}

static int params_of(const struct said *said, json_t **out_params)
{
        json_t *params = json_pack("{s:o, s:s*, s:s*}", "cmid", secret_cmid(), "name", said->name, "zone", said->zone);
        int rc = params ? EX_OK : cli_fail(EX_DATAERR, "names are UTF-8");
        if (rc == EX_OK && said->hours[0])
                json_object_set_new(params, "hours", join_hours(said->hours));
        if (rc == EX_OK && (said->days[0] || said->days_file || said->no_days)) {
                json_t *days = json_array();
                for (int i = 0; said->days[i]; i++)
                        json_array_append_new(days, json_string(said->days[i]));
                if (said->days_file)
                        rc = read_file(days, said->days_file);
                json_object_set_new(params, "days", days);
        }
        if (rc == EX_OK)
                *out_params = params;
        else
                json_decref(params);
        return rc;
}

static int run_add(int argc, char **argv)
{
        struct said said = {0};
        const struct cli_option options[] = {SCHEDULE_OPTIONS(said)};
        const struct cli_page page = {
                .usage = "schedule add --name NAME --zone AREA/PLACE --hours HOURS [options]",
                .about = "Makes a schedule and prints its id. A day that is not named is closed; 24:00 is the end of a "
                         "day.\n"
                         "SLA policies, teams and agents use schedules.",
                .examples = "  deskbell schedule add --name Seoul --zone Asia/Seoul --hours \"mon-fri "
                            "09:00-12:00,13:00-18:00\" \\\n"
                            "          --holiday 01-01 --holiday 2026-10-05\n"
                            "  deskbell schedule add --name Night --zone Europe/Berlin --hours \"fri 22:00-24:00; sat "
                            "00:00-06:00\"\n",
                CLI_OPTIONS(options),
        };
        json_t *params = NULL, *result = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (!said.name || !said.zone || !said.hours[0])
                return cli_fail(EX_USAGE, "--name, --zone and --hours are needed; see: deskbell schedule add --help");
        int rc = params_of(&said, &params);
        if (rc == EX_OK)
                rc = console_call(cli_data(said.data), "schedule.add", params, &result);
        return cli_answer_id(rc, said.json, result, "schedule");
}

/* ---- one that is there ---- */

static int run_set(int argc, char **argv)
{
        struct said said = {0};
        const struct cli_option options[] = {
                SCHEDULE_OPTIONS(said),
                {.name = "no-holidays", .flag = &said.no_days, .help = "no dates of their own any more"},
        };
        const struct cli_page page = {
                .usage = "schedule set SCHEDULE [options]",
                .about = "Changes a schedule. Holidays that are said replace all that were there. Deadlines that run "
                         "are\n"
                         "reckoned again; what has counted already stays as it is.",
                .examples = "  deskbell schedule set Seoul --hours \"mon-fri 10:00-19:00\"\n"
                            "  deskbell schedule set Seoul --holidays holidays-2027.txt\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *params = NULL, *result = NULL;
        int rc, first = listed_parse(&schedules, &page, argc, argv, &rc);
        if (first < 0)
                return rc;
        rc = params_of(&said, &params);
        if (rc == EX_OK && json_object_size(params) == 1) {
                json_decref(params);
                return cli_fail(EX_USAGE, "nothing to change; see: deskbell schedule set --help");
        }
        if (rc == EX_OK)
                rc = listed_change(said.data, &schedules, argv[first], "schedule.set", params, &result);
        return cli_answer_id(rc, said.json, result, "schedule");
}

static int run_remove(int argc, char **argv)
{
        const char *data = NULL;
        const struct cli_option options[] = {CLI_DATA(data)};
        const struct cli_page page = {
                .usage = "schedule remove SCHEDULE [options]",
                .about = "Removes a schedule that no SLA policy, team or agent uses.",
                .examples = "  deskbell schedule remove Night\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = listed_parse(&schedules, &page, argc, argv, &rc);
        return first < 0 ? rc
                         : listed_change(data, &schedules, argv[first], "schedule.remove",
                                         json_pack("{s:o}", "cmid", secret_cmid()), NULL);
}

/* ---- list, show ---- */

static void print_row(const json_t *row)
{
        printf("%s  %-6s  %s  %s  %s\n", cli_text(row, "schedule"),
               json_is_true(json_object_get(row, "open")) ? "open" : "closed", cli_text(row, "name"),
               cli_text(row, "zone"), cli_text(row, "hours"));
}

static int run_list(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "schedule list [options]",
                .about = "All schedules, oldest first, and whether they are open now.",
                .examples = "  deskbell schedule list\n",
                CLI_OPTIONS(options),
        };
        int first = cli_parse(&page, argc, argv);
        return first < 0 ? cli_parsed(first) : listed_answer_all(data, &schedules, json, print_row);
}

static void print_schedule(const json_t *result)
{
        const json_t *row = json_object_get(result, "row"), *days = json_object_get(result, "days");
        char since[32];
        printf("schedule   %s\nname       %s\nzone       %s (time zone database %s)\nhours      %s\n",
               cli_text(row, "schedule"), cli_text(row, "name"), cli_text(row, "zone"), cli_text(row, "tzdata"),
               cli_text(row, "hours"));
        for (size_t i = 0; i < json_array_size(days); i++)
                printf("%s%s\n", i ? "           " : "holidays   ", json_string_value(json_array_get(days, i)));
        printf("version    %lld, since %s\nnow        %s\n",
               (long long)json_integer_value(json_object_get(row, "versions")),
               cli_time(json_integer_value(json_object_get(row, "since")), since),
               json_is_true(json_object_get(row, "open")) ? "open" : "closed");
}

static int run_show(int argc, char **argv)
{
        const char *data = NULL;
        bool json = false;
        const struct cli_option options[] = {CLI_DATA(data), CLI_JSON(json)};
        const struct cli_page page = {
                .usage = "schedule show SCHEDULE [options]",
                .about = "One schedule with its holidays.",
                .examples = "  deskbell schedule show Seoul\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL;
        int rc, first = listed_parse(&schedules, &page, argc, argv, &rc);
        if (first < 0)
                return rc;
        rc = listed_call(data, &schedules, argv[first], "schedule.show", json_object(), &result);
        return cli_answer(rc, json, result, print_schedule);
}

/* ---- test ---- */

static void print_test(const json_t *result)
{
        char text[32];
        const json_t *opens = json_object_get(result, "next_open"), *closes = json_object_get(result, "next_close");
        bool is_open = json_is_true(json_object_get(result, "open"));
        printf("%s\n", is_open ? "open" : "closed");
        if (!is_open && opens)
                printf("opens   %s\n", cli_time(json_integer_value(opens), text));
        if (closes)
                printf("closes  %s\n", cli_time(json_integer_value(closes), text));
}

static int run_test(int argc, char **argv)
{
        const char *data = NULL, *at = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "at", .value = "TIME", .text = &at, .help = "2026-11-23T08:30 (UTC); default now"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "schedule test SCHEDULE [options]",
                .about = "Whether a schedule is open at a moment, when it opens next, and when it closes then.",
                .examples = "  deskbell schedule test Seoul --at 2026-11-23T08:30\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        json_t *result = NULL, *params = NULL;
        struct tm tm = {0};
        int rc, first = listed_parse(&schedules, &page, argc, argv, &rc);
        if (first < 0)
                return rc;
        const char *end = at ? strptime(at, "%Y-%m-%dT%H:%M", &tm) : "";
        if (!end || (*end && strcmp(end, "Z") != 0) || (at && tm.tm_year < 70))
                return cli_fail(EX_USAGE, "--at is a time such as 2026-11-23T08:30, in UTC");
        params = at ? json_pack("{s:I}", "at", (json_int_t)timegm(&tm) * 1000) : json_object();
        rc = listed_call(data, &schedules, argv[first], "schedule.test", params, &result);
        return cli_answer(rc, json, result, print_test);
}

int cli_schedule(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"add", "make a schedule", run_add},
                {"set", "change a schedule", run_set},
                {"list", "show all schedules", run_list},
                {"show", "show one with its holidays", run_show},
                {"remove", "remove a schedule that nothing uses", run_remove},
                {"test", "is it open at a moment, and when next", run_test},
        };
        return cli_group("schedule", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
