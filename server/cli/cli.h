/* SPDX-License-Identifier: Apache-2.0 */
/* Cli: what the subcommands share: dispatch by table, options with help and examples, exit codes, answers in JSON. Each
 * subcommand is one file and one function. Results go to standard output, everything else to standard error. One
 * thread.
 *
 * A function that returns an exit code has printed why when it is not 0. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sysexits.h>

struct cli_command {
        const char *name;
        const char *summary;               /* one line */
        int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns an exit code */
};

/* The whole program: `deskbell <command> ...`, help and version. */
int cli_main(const struct cli_command *commands, size_t count, int argc, char **argv);

/* Commands inside a command: `deskbell <group> <command> ...`. */
int cli_group(const char *group, const struct cli_command *commands, size_t count, int argc, char **argv);

/* One long option. Exactly one of text, list and flag is set. */
struct cli_option {
        const char *name;
        const char *value; /* what its value is called; NULL for a flag */
        const char *help;
        const char **text; /* the last one said wins */
        const char **list; /* every one said, up to CLI_LIST, NULL-terminated */
        bool *flag;
};

enum { CLI_LIST = 32 };

struct cli_page {
        const char *usage;    /* "app add --name NAME [options]" */
        const char *about;    /* sentences */
        const char *examples; /* lines */
        const struct cli_option *options;
        size_t count;
        int max_free; /* arguments that are no options */
};

/* The members of a page for an array of options. */
#define CLI_OPTIONS(array) .options = (array), .count = sizeof(array) / sizeof((array)[0])

/* Reads the options; argv is put into order. Returns the index of the first free argument, or a negative value to be
 * handed to cli_parsed. --help is answered here. */
int cli_parse(const struct cli_page *page, int argc, char **argv);
int cli_parsed(int negative); /* the exit code */
/* The same for a command that names something. -1 when that is all, with *out_rc to be returned; `missing` is printed
 * when nothing is named: "which team? see: deskbell team list". */
int cli_parse_named(const struct cli_page *page, int argc, char **argv, const char *missing, int *out_rc);

/* The common ones. */
#define CLI_DATA(variable)                                                                                             \
        {                                                                                                              \
                .name = "data", .value = "DIR", .text = &(variable),                                                   \
                .help = "data folder; default $DESKBELL_DATA, else deskbell-data"                                      \
        }
#define CLI_JSON(variable)                                                                                             \
        {                                                                                                              \
                .name = "json", .flag = &(variable), .help = "answer as one JSON object"                               \
        }

/* `said`, or $DESKBELL_DATA, or "deskbell-data". */
const char *cli_data(const char *said);

/* "deskbell: ..." on standard error; returns `code`. */
__attribute__((format(printf, 2, 3))) int cli_fail(int code, const char *format, ...);

/* One line of JSON on standard output; takes the reference. Returns an exit code. */
int cli_print(json_t *object);

/* The end of a command: `rc` when it is not EX_OK, else `result` as JSON, or as `print` shows it. Takes `result`, which
 * may be NULL when there is none. Returns the exit code. */
int cli_answer(int rc, bool json, json_t *result, void (*print)(const json_t *result));
/* Without JSON shows the member `rows`: an object, or an array of them, one by one. */
int cli_answer_rows(int rc, bool json, json_t *result, const char *rows, void (*print_row)(const json_t *row));
/* The same for a list that comes in pages: below it how to go on, when there is more: `option` with its member next. */
int cli_answer_page(int rc, bool json, json_t *result, const char *rows, void (*print_row)(const json_t *row),
                    const char *option);
/* Without JSON shows the text `id` alone, as scripts like it. */
int cli_answer_id(int rc, bool json, json_t *result, const char *id);

/* Standard output was really written: EX_OK, or EX_IOERR. */
int cli_finish(void);

/* A member that is a string, or "". */
const char *cli_text(const json_t *object, const char *member);

/* Makes "2025-01-31 12:00 UTC" of milliseconds. */
const char *cli_time(json_int_t ms, char out[32]);
