/* SPDX-License-Identifier: Apache-2.0 */
/* Cli: see cli.h. */
#include "cli/cli.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PARSE_HELPED = -1, PARSE_WRONG = -2, MAX_OPTIONS = 32 };

static const struct cli_command *find(const struct cli_command *commands, size_t count, const char *name)
{
        for (size_t i = 0; i < count; i++)
                if (strcmp(commands[i].name, name) == 0)
                        return &commands[i];
        return NULL;
}

static void print_commands(FILE *out, const char *prefix, const struct cli_command *commands, size_t count)
{
        fprintf(out, "Usage: deskbell %s%s<command> [options]\n\n", prefix, *prefix ? " " : "");
        for (size_t i = 0; i < count; i++)
                fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
        fprintf(out, "\nMore on each: deskbell %s%s<command> --help\n", prefix, *prefix ? " " : "");
}

static bool is_help(const char *word)
{
        return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool is_version(const char *word)
{
        return strcmp(word, "version") == 0 || strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0;
}

/* `help serve` is `serve --help`. */
static int help_on(const struct cli_command *commands, size_t count, const char *name)
{
        static char help[] = "--help";
        char *copy = strdup(name);
        char *argv[] = {copy, help, NULL};
        const struct cli_command *command = find(commands, count, name);
        int rc = EX_USAGE;

        if (!copy)
                return EX_OSERR;
        if (command)
                rc = command->run(2, argv);
        else
                cli_fail(rc, "there is no command %s; see: deskbell help", name);
        free(copy);
        return rc;
}

int cli_main(const struct cli_command *commands, size_t count, int argc, char **argv)
{
        if (argc < 2) {
                print_commands(stderr, "", commands, count);
                return EX_USAGE;
        }
        if (is_version(argv[1])) {
                printf("deskbell %s\n", DESKBELL_VERSION);
                return cli_finish();
        }
        if (is_help(argv[1])) {
                if (argc > 2)
                        return help_on(commands, count, argv[2]);
                print_commands(stdout, "", commands, count);
                return cli_finish();
        }
        const struct cli_command *command = find(commands, count, argv[1]);
        if (!command)
                return cli_fail(EX_USAGE, "there is no command %s; see: deskbell help", argv[1]);
        return command->run(argc - 1, argv + 1);
}

int cli_group(const char *group, const struct cli_command *commands, size_t count, int argc, char **argv)
{
        if (argc < 2 || is_help(argv[1])) {
                print_commands(argc < 2 ? stderr : stdout, group, commands, count);
                return argc < 2 ? EX_USAGE : cli_finish();
        }
        const struct cli_command *command = find(commands, count, argv[1]);
        if (!command)
                return cli_fail(EX_USAGE, "there is no command %s %s; see: deskbell %s --help", group, argv[1], group);
        return command->run(argc - 1, argv + 1);
}

static void print_page(FILE *out, const struct cli_page *page)
{
        fprintf(out, "Usage: deskbell %s\n\n%s\n\nOptions:\n", page->usage, page->about);
        for (size_t i = 0; i < page->count; i++) {
                char name[64];
                const struct cli_option *option = &page->options[i];
                snprintf(name, sizeof(name), "--%s%s%s", option->name, option->value ? " " : "",
                         option->value ? option->value : "");
                fprintf(out, "  %-22s %s%s\n", name, option->help, option->list ? " (may be repeated)" : "");
        }
        fprintf(out, "  %-22s %s\n\nExamples:\n%s", "--help", "this page", page->examples);
}

static void keep(const struct cli_option *option, const char *value)
{
        if (option->flag)
                *option->flag = true;
        else if (option->text)
                *option->text = value;
        for (int i = 0; option->list && i < CLI_LIST - 1; i++)
                if (!option->list[i]) {
                        option->list[i] = value;
                        option->list[i + 1] = NULL;
                        break;
                }
}

/* The words before the first option or argument are the command's name. */
static int name_length(const char *usage)
{
        int len = (int)strcspn(usage, "-[<");

        for (int i = 0; i < len; i++)
                if (usage[i] == ' ' && usage[i + 1] >= 'A' && usage[i + 1] <= 'Z')
                        return i;
        while (len > 0 && usage[len - 1] == ' ')
                len--;
        return len;
}

static void complain(const struct cli_page *page, bool is_value_missing, const char *option)
{
        cli_fail(EX_USAGE,
                 is_value_missing ? "%s needs a value; see: deskbell %.*s --help"
                                  : "there is no option %s; see: deskbell %.*s --help",
                 option, name_length(page->usage), page->usage);
}

static void fill(const struct cli_page *page, struct option *longs)
{
        size_t i;

        for (i = 0; i < page->count && i < MAX_OPTIONS; i++)
                longs[i] = (struct option){.name = page->options[i].name,
                                           .has_arg = page->options[i].value ? required_argument : no_argument,
                                           .val = 256 + (int)i};
        longs[i] = (struct option){.name = "help", .val = 'h'};
        longs[i + 1] = (struct option){0};
}

int cli_parse(const struct cli_page *page, int argc, char **argv)
{
        struct option longs[MAX_OPTIONS + 2];
        int c;

        fill(page, longs);
        optind = 0; /* glibc: start anew */
        opterr = 0;
        while ((c = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
                if (c == 'h') {
                        print_page(stdout, page);
                        return PARSE_HELPED;
                }
                if (c == '?' || c == ':') {
                        complain(page, c == ':', argv[optind - 1]);
                        return PARSE_WRONG;
                }
                keep(&page->options[c - 256], optarg);
        }
        if (argc - optind > page->max_free) {
                cli_fail(EX_USAGE, "%s is one argument too many; usage: deskbell %s", argv[optind + page->max_free],
                         page->usage);
                return PARSE_WRONG;
        }
        return optind;
}

int cli_parsed(int negative)
{
        return negative == PARSE_HELPED ? cli_finish() : EX_USAGE;
}

int cli_parse_named(const struct cli_page *page, int argc, char **argv, const char *missing, int *out_rc)
{
        int first = cli_parse(page, argc, argv);

        *out_rc = first < 0 ? cli_parsed(first) : first < argc ? EX_OK : cli_fail(EX_USAGE, "%s", missing);
        return first < argc ? first : -1;
}

const char *cli_data(const char *said)
{
        const char *environment = getenv("DESKBELL_DATA");

        return said ? said : environment && *environment ? environment : "deskbell-data";
}

int cli_fail(int code, const char *format, ...)
{
        va_list args;

        fflush(stdout);
        fprintf(stderr, "deskbell: ");
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fprintf(stderr, "\n");
        return code;
}

int cli_finish(void)
{
        if (fflush(stdout) == EOF || ferror(stdout))
                return cli_fail(EX_IOERR, "standard output cannot be written");
        return EX_OK;
}

int cli_print(json_t *object)
{
        char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

        json_decref(object);
        if (!text)
                return cli_fail(EX_OSERR, "out of memory");
        printf("%s\n", text);
        free(text);
        return cli_finish();
}

int cli_answer(int rc, bool json, json_t *result, void (*print)(const json_t *result))
{
        if (rc == EX_OK && json)
                return cli_print(result);
        if (rc == EX_OK) {
                print(result);
                rc = cli_finish();
        }
        json_decref(result);
        return rc;
}

int cli_answer_page(int rc, bool json, json_t *result, const char *rows, void (*print_row)(const json_t *row),
                    const char *option)
{
        const json_t *shown = json_object_get(result, rows);

        if (rc == EX_OK && json)
                return cli_print(result);
        if (rc == EX_OK) {
                if (json_is_object(shown))
                        print_row(shown);
                for (size_t i = 0; i < json_array_size(shown); i++)
                        print_row(json_array_get(shown, i));
                if (option && *cli_text(result, "next"))
                        printf("more: %s %s\n", option, cli_text(result, "next"));
                rc = cli_finish();
        }
        json_decref(result);
        return rc;
}

int cli_answer_rows(int rc, bool json, json_t *result, const char *rows, void (*print_row)(const json_t *row))
{
        return cli_answer_page(rc, json, result, rows, print_row, NULL);
}

int cli_answer_id(int rc, bool json, json_t *result, const char *id)
{
        if (rc == EX_OK && json)
                return cli_print(result);
        if (rc == EX_OK) {
                printf("%s\n", cli_text(result, id));
                rc = cli_finish();
        }
        json_decref(result);
        return rc;
}

const char *cli_text(const json_t *object, const char *member)
{
        const char *text = json_string_value(json_object_get(object, member));

        return text ? text : "";
}

const char *cli_time(json_int_t ms, char out[32])
{
        time_t seconds = (time_t)(ms / 1000);
        struct tm tm;

        gmtime_r(&seconds, &tm);
        strftime(out, 32, "%Y-%m-%d %H:%M UTC", &tm);
        return out;
}
