/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell key: the keys with which an app's back end signs user tokens, the app keys with which it calls over HTTP,
 * and the keys of bots. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/app.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/folder.h"
#include "ops/files.h"

enum { PEM_BYTES = 8192 };

/* The key's material: made here for HS256, else a public key read from a file ("-": standard input). */
static int read_material(const char *alg, const char *file, char *out, size_t room)
{
        size_t len = 0;

        if (strcmp(alg, "HS256") == 0) {
                secret_make_key(out);
                return file ? cli_fail(EX_USAGE, "HS256 keys are made here: leave --public-key out") : EX_OK;
        }
        if (!file)
                return cli_fail(EX_USAGE, "%s needs --public-key FILE (PEM, or - for standard input)", alg);
        int rc = files_read(NULL, strcmp(file, "-") == 0 ? "/dev/stdin" : file, out, room - 1, &len);
        if (rc < 0)
                return cli_fail(EX_NOINPUT, "%s: %s", file, strerror(-rc));
        out[len] = '\0';
        if (strlen(out) != len || !strstr(out, "-----BEGIN PUBLIC KEY-----"))
                return cli_fail(EX_DATAERR, "%s: expected a public key in PEM (-----BEGIN PUBLIC KEY-----)", file);
        return EX_OK;
}

static int add(const char *data, const char *app_said, const char *kid, const char *alg, const char *material,
               char *out_app)
{
        struct console *console = NULL;
        int rc = console_open(data, CONSOLE_USE, &console);

        if (rc == EX_OK)
                rc = app_choose(console, app_said, out_app, FOLDER_ID);
        if (rc == EX_OK)
                rc = console_do(console, "key.add",
                                json_pack("{s:o, s:s, s:s, s:s, s:s}", "cmid", secret_cmid(), "app", out_app, "kid",
                                          kid, "alg", alg, "material", material),
                                NULL);
        console_close(console);
        return rc;
}

/* An app key (`bot` NULL) or a bot's: made here, the server is told its hash. */
static int add_access(const char *data, const char *app_said, const char *bot, const char *label, bool json)
{
        struct console *console = NULL;
        json_t *result = NULL;
        char app[FOLDER_ID], key[SECRET_TEXT], hash[SECRET_HASH];
        secret_make(bot ? "dbb_" : "dba_", key, hash);
        int rc = console_open(data, CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = app_choose(console, app_said, app, sizeof(app));
        if (rc == EX_OK)
                rc = console_do(console, "access.add",
                                json_pack("{s:o, s:s, s:s, s:s*, s:s, s:s}", "cmid", secret_cmid(), "kind",
                                          bot ? "bot" : "app", "app", app, "bot", bot, "key_hash", hash, "label",
                                          label),
                                &result);
        console_close(console);
        if (rc == EX_OK && json) {
                rc = cli_print(json_pack("{s:s, s:s, s:s, s:O*}", "app", app, "access", cli_text(result, "access"),
                                         "key", key, "bot", json_object_get(result, "bot")));
        } else if (rc == EX_OK) {
                printf("%s of %s\n", cli_text(result, "access"), bot ? cli_text(result, "bot") : app);
                printf("%s key, shown only now: %s\n", bot ? "bot" : "app", key);
                rc = cli_finish();
        }
        secret_forget(key, sizeof(key));
        json_decref(result);
        return rc;
}

static int print_added(bool json, const char *app, const char *kid, const char *alg, const char *secret)
{
        if (json)
                return cli_print(
                        json_pack("{s:s, s:s, s:s, s:s*}", "app", app, "kid", kid, "alg", alg, "signing_key", secret));
        printf("key %s of %s (%s)\n", kid, app, alg);
        if (secret)
                printf("signing key, base64, shown only now: %s\n", secret);
        return cli_finish();
}

static int run_add(int argc, char **argv)
{
        const char *data = NULL, *app_said = NULL, *alg = "HS256", *kid = NULL, *file = NULL;
        const char *bot = NULL, *label = "command line";
        bool json = false, for_app = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "app", .value = "ID", .text = &app_said, .help = "the app; default the only one"},
                {.name = "alg",
                 .value = "ALG",
                 .text = &alg,
                 .help = "HS256 (default), ES256, EdDSA or RS256; the key is good for nothing else"},
                {.name = "kid", .value = "NAME", .text = &kid, .help = "its name in tokens; default made up"},
                {.name = "public-key",
                 .value = "FILE",
                 .text = &file,
                 .help = "PEM of the public key, for all but HS256; - = standard input"},
                {.name = "app-key", .flag = &for_app, .help = "make an app key: your back end calls over HTTP with it"},
                {.name = "bot", .value = "NAME", .text = &bot, .help = "make a key for the bot of that name"},
                {.name = "label", .value = "TEXT", .text = &label, .help = "what an app key or bot key is for"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "key add [options]",
                .about = "Gives an app a key. HS256: 32 random bytes are made and printed once, in base64; keep them "
                         "in\n"
                         "your back end. Others: the server gets the public key only, the private one stays with you.\n"
                         "With --app-key or --bot: a key of another kind, printed once; the server keeps its hash.",
                .examples = "  deskbell key add --alg HS256\n"
                            "  openssl genpkey -algorithm ed25519 -out key.pem\n"
                            "  openssl pkey -in key.pem -pubout | deskbell key add --alg EdDSA --public-key -\n"
                            "  deskbell key add --app-key --label \"shop back end\"\n"
                            "  deskbell key add --bot Robin\n",
                CLI_OPTIONS(options),
        };
        char app[FOLDER_ID], made_kid[16], material[PEM_BYTES];
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);

        if (for_app && bot)
                return cli_fail(EX_USAGE, "--app-key and --bot are two keys: make one after the other");
        if (for_app || bot)
                return add_access(cli_data(data), app_said, bot, label, json);
        int rc = read_material(alg, file, material, sizeof(material));
        if (!kid) {
                secret_make_kid(made_kid);
                kid = made_kid;
        }
        if (rc == EX_OK)
                rc = add(cli_data(data), app_said, kid, alg, material, app);
        if (rc == EX_OK)
                rc = print_added(json, app, kid, alg, file ? NULL : material);
        secret_forget(material, sizeof(material));
        return rc;
}

/* Both lists, oldest first; `accesses` is that of access.list. */
static int print_keys(json_t *result, json_t *accesses, bool json)
{
        json_t *row;
        size_t i;
        char when[32];
        if (json)
                return cli_print(json_pack("{s:O, s:O}", "keys", json_object_get(result, "keys"), "access",
                                           json_object_get(accesses, "keys")));
        json_array_foreach(json_object_get(accesses, "keys"), i, row)
                printf("%s  %-5s  %s  %s%s%s\n", cli_time(json_integer_value(json_object_get(row, "created")), when),
                       cli_text(row, "kind"), cli_text(row, "access"), cli_text(row, "bot"),
                       *cli_text(row, "bot") ? "  " : "", cli_text(row, "label"));
        json_array_foreach(json_object_get(result, "keys"), i, row)
                printf("%s  %-5s  %s\n", cli_time(json_integer_value(json_object_get(row, "created")), when),
                       cli_text(row, "alg"), cli_text(row, "kid"));
        return cli_finish();
}

static int run_list(int argc, char **argv)
{
        const char *data = NULL, *app_said = NULL;
        bool json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "app", .value = "ID", .text = &app_said, .help = "the app; default the only one"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "key list [options]",
                .about = "The keys of an app, without their secrets: app keys and bot keys, then signing keys, oldest "
                         "first.",
                .examples = "  deskbell key list\n",
                CLI_OPTIONS(options),
        };
        struct console *console = NULL;
        json_t *result = NULL, *accesses = NULL;
        char app[FOLDER_ID];
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);

        int rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = app_choose(console, app_said, app, sizeof(app));
        if (rc == EX_OK)
                rc = console_do(console, "key.list", json_pack("{s:s}", "app", app), &result);
        if (rc == EX_OK)
                rc = console_do(console, "access.list", json_pack("{s:s}", "app", app), &accesses);
        console_close(console);
        if (rc == EX_OK)
                rc = print_keys(result, accesses, json);
        json_decref(accesses);
        json_decref(result);
        return rc;
}

static int run_remove(int argc, char **argv)
{
        const char *data = NULL, *app_said = NULL;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "app", .value = "ID", .text = &app_said, .help = "the app; default the only one"},
        };
        const struct cli_page page = {
                .usage = "key remove KID|ACCESS [options]",
                .about = "Takes a key back: its tokens are refused from now on, and connections opened with it are "
                         "closed\n"
                         "within 5 s.",
                .examples = "  deskbell key remove key_01ab23cd\n"
                            "  deskbell key remove acc_0000000000001\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        struct console *console = NULL;
        char app[FOLDER_ID];
        int rc, first = cli_parse_named(&page, argc, argv, "which key? see: deskbell key list", &rc);
        if (first < 0)
                return rc;
        if (strncmp(argv[first], "acc_", 4) == 0)
                return console_call(cli_data(data), "access.remove",
                                    json_pack("{s:o, s:s}", "cmid", secret_cmid(), "access", argv[first]), NULL);

        rc = console_open(cli_data(data), CONSOLE_USE, &console);
        if (rc == EX_OK)
                rc = app_choose(console, app_said, app, sizeof(app));
        if (rc == EX_OK)
                rc = console_do(console, "key.remove",
                                json_pack("{s:o, s:s, s:s}", "cmid", secret_cmid(), "app", app, "kid", argv[first]),
                                NULL);
        console_close(console);
        return rc;
}

int cli_key(int argc, char **argv)
{
        static const struct cli_command commands[] = {
                {"add", "give an app a signing key", run_add},
                {"list", "show an app's keys, without secrets", run_list},
                {"remove", "take a key back", run_remove},
        };

        return cli_group("key", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
