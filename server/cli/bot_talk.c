/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell bot sim and why: a bot without a server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bots/trial.h"
#include "cli/bot.h"
#include "cli/bot_sources.h"
#include "cli/cli.h"

static int64_t wall_ms(void)
{
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const char *text_of(const json_t *object, const char *member)
{
        const char *text = json_string_value(json_object_get(object, member));
        return text ? text : "";
}

/* ---- sim ------------------------------------------------------------------------------------------------------- */

static void print_turn(const struct trial *trial)
{
        json_t *action, *option;
        size_t i, j, number = 1;
        json_array_foreach(trial->turn.actions, i, action) {
                const char *word = text_of(action, "do"), *text = text_of(action, "text");
                if (text[0])
                        printf("bot: %s\n", text);
                json_array_foreach(json_object_get(action, "options"), j, option)
                        printf("     /%zu %s\n", number++, text_of(option, "label"));
                if (!text[0]) {
                        char *rest = json_dumps(action, JSON_SORT_KEYS);
                        printf("     (%s %s)\n", word, rest ? rest : "");
                        free(rest);
                }
        }
        fflush(stdout);
}

/* /call {"status": "shipped"} and /call fails answer a call; /N taps; /set name=value is a fact. */
static int sim_command(struct trial *trial, const char *line)
{
        char name[72], value[256];
        if (strncmp(line, "call ", 5) == 0) {
                json_t *result = json_loads(line + 5, 0, NULL);
                int rc = trial_call(trial, json_is_object(result) ? result : NULL);
                json_decref(result);
                return rc;
        }
        if (sscanf(line, "set %70[a-z0-9_.]=%250[^\n]", name, value) == 2) {
                json_t *fact = json_loads(value, JSON_DECODE_ANY, NULL);
                json_object_set_new(trial->facts, name, fact ? fact : json_string(value));
                return 0;
        }
        return trial_taps(trial, span_of(line));
}

static int sim_line(struct trial *trial, char *line)
{
        line[strcspn(line, "\r\n")] = '\0';
        bot_turn_done(&trial->turn);
        int rc = line[0] == '/' ? sim_command(trial, line + 1) : trial_says(trial, span_of(line));
        if (rc > 0)
                fprintf(stderr, "nothing like that was offered\n");
        if (rc == 0)
                print_turn(trial);
        return rc;
}

int bot_run_sim(int argc, char **argv)
{
        const char *lang = NULL;
        const struct cli_option options[] = {
                {.name = "lang",
                 .value = "LANG",
                 .text = &lang,
                 .help = "the customer's language; default: what he writes"},
        };
        const struct cli_page page = {
                .usage = "bot sim [options] FILE...",
                .about = "Talk to a bot, in the terminal or in a pipe, a line each. /1 taps the first button; /call "
                         "{\"a\": 1} and\n"
                         "/call fails answer a call; /set open=false sets a fact.",
                .examples = "  deskbell bot sim shop/ --lang ko\n",
                CLI_OPTIONS(options),
                .max_free = 200,
        };
        struct bot_version *version = NULL;
        struct trial trial;
        char *line = NULL;
        size_t room = 0;
        int rc, first = cli_parse_named(&page, argc, argv, "which files? see: deskbell bot sim --help", &rc);
        if (first < 0)
                return rc;
        rc = bot_version_of(argv + first, &version, NULL);
        if (rc == EX_OK && trial_init(&trial, version, lang, wall_ms()) < 0)
                rc = cli_fail(EX_OSERR, "out of memory");
        if (rc != EX_OK) {
                bot_version_free(version);
                return rc;
        }
        bool has_terminal = isatty(STDIN_FILENO);
        for (;;) {
                if (has_terminal) {
                        printf("you: ");
                        fflush(stdout);
                }
                if (getline(&line, &room, stdin) < 0)
                        break;
                if (sim_line(&trial, line) < 0) {
                        rc = cli_fail(EX_OSERR, "out of memory");
                        break;
                }
        }
        free(line);
        trial_done(&trial);
        bot_version_free(version);
        return rc == EX_OK ? cli_finish() : rc;
}

/* ---- why ------------------------------------------------------------------------------------------------------- */

static int print_why(const struct trial *trial, bool as_json)
{
        json_t *reason, *action;
        size_t i;
        if (as_json)
                return cli_print(json_pack("{s:O, s:O}", "why", trial->turn.why, "actions", trial->turn.actions));
        json_array_foreach(trial->turn.why, i, reason) {
                const json_t *detail = json_object_get(reason, "detail");
                char *text = detail ? json_dumps(detail, JSON_ENCODE_ANY | JSON_SORT_KEYS) : NULL;
                printf("%-18s %s\n", text_of(reason, "what"), text ? text : "");
                free(text);
        }
        json_array_foreach(trial->turn.actions, i, action)
                printf("does               %s %s %s\n", text_of(action, "do"), text_of(action, "rule"),
                       text_of(action, "text"));
        return cli_finish();
}

int bot_run_why(int argc, char **argv)
{
        const char *lang = NULL, *text = NULL;
        bool json = false;
        const struct cli_option options[] = {
                {.name = "text", .value = "TEXT", .text = &text, .help = "what the customer writes; needed"},
                {.name = "lang",
                 .value = "LANG",
                 .text = &lang,
                 .help = "the customer's language; default: what he writes"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "bot why --text TEXT [options] FILE...",
                .about = "What the bot does with a message, and why: its normal form, the pattern or the best answers "
                         "with their scores\n"
                         "(of 65535) and what would have been needed.",
                .examples = "  deskbell bot why --text \"can I get my money back\" shop/\n",
                CLI_OPTIONS(options),
                .max_free = 200,
        };
        struct bot_version *version = NULL;
        struct trial trial;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (!text || first == argc)
                return cli_fail(EX_USAGE, "--text and files are needed; see: deskbell bot why --help");
        int rc = bot_version_of(argv + first, &version, NULL);
        if (rc == EX_OK && trial_init(&trial, version, lang, wall_ms()) == 0) {
                rc = trial_says(&trial, span_of(text)) == 0 ? print_why(&trial, json) : EX_OSERR;
                trial_done(&trial);
        }
        bot_version_free(version);
        return rc;
}
