/* SPDX-License-Identifier: Apache-2.0 */
/* Folder: see folder.h. */
#include "cli/folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/console.h"
#include "config/config.h"
#include "ops/files.h"
#include "ops/sandbox.h"

bool folder_has_store(const char *dir)
{
        char *path = files_path(dir, "deskbell.db");
        bool has = path && access(path, F_OK) == 0;

        free(path);
        return has;
}

char *folder_config(const char *dir, const char *said)
{
        const char *environment = getenv("DESKBELL_CONFIG");
        if (said || (environment && *environment))
                return strdup(said ? said : environment);
        char *path = files_path(dir, "deskbell.ini");
        if (path && access(path, F_OK) == 0)
                return path;
        free(path);
        return NULL;
}

/* What clients would use to reach the first listen address. */
static void default_base(const struct config *config, char *out, size_t room)
{
        const char *address = config->listen[0];

        if (*config->public_url)
                snprintf(out, room, "%s", config->public_url);
        else
                snprintf(out, room, "%s://%s", *config->cert ? "https" : "http", address);
        size_t len = strlen(out);
        if (len > 0 && out[len - 1] == '/')
                out[len - 1] = '\0';
}

void folder_invite_link(const char *dir, const char *base, const char *secret, char out_link[FOLDER_LINK])
{
        char from_config[256] = "http://127.0.0.1:8787";
        struct config config;
        struct config_errors errors = {0};
        char *path = base ? NULL : folder_config(dir, NULL);

        if (!base && config_load(path, NULL, 0, &config, &errors) == 0) {
                default_base(&config, from_config, sizeof(from_config));
                config_done(&config);
        }
        config_errors_done(&errors);
        free(path);
        snprintf(out_link, FOLDER_LINK, "%.*s/invite#%s", (int)(FOLDER_LINK - SECRET_TEXT - 16),
                 base ? base : from_config, secret);
}

static int make_dir(const char *dir)
{
        struct stat st;

        if (mkdir(dir, 0700) == 0) {
                int rc = sandbox_give_away(dir);
                return rc < 0 ? cli_fail(EX_CANTCREAT, "%s: %s", dir, strerror(-rc)) : EX_OK;
        }
        if (errno != EEXIST || stat(dir, &st) < 0)
                return cli_fail(EX_CANTCREAT, "%s: %s", dir, strerror(errno));
        if (!S_ISDIR(st.st_mode))
                return cli_fail(EX_CANTCREAT, "%s: not a folder", dir);
        if (folder_has_store(dir))
                return cli_fail(EX_CANTCREAT, "%s: holds a store already; it was left as it is", dir);
        if ((st.st_mode & 077) && chmod(dir, 0700) < 0)
                return cli_fail(EX_CANTCREAT, "%s: is open to others and cannot be closed: %s", dir, strerror(errno));
        return EX_OK;
}

/* Copies a member of a result; "" when it is not there. */
static void take(json_t *result, const char *member, char *out, size_t room)
{
        snprintf(out, room, "%s", cli_text(result, member));
}

static int make_app(struct console *console, const char *name, struct folder *folder)
{
        json_t *result = NULL;
        int rc = console_do(console, "app.add", json_pack("{s:o, s:s}", "cmid", secret_cmid(), "name", name), &result);

        take(result, "app", folder->app, sizeof(folder->app));
        json_decref(result);
        if (rc != EX_OK)
                return rc;
        secret_make_kid(folder->kid);
        secret_make_key(folder->signing_key);
        return console_do(console, "key.add",
                          json_pack("{s:o, s:s, s:s, s:s, s:s}", "cmid", secret_cmid(), "app", folder->app, "kid",
                                    folder->kid, "alg", "HS256", "material", folder->signing_key),
                          NULL);
}

int folder_agent_session(struct console *console, const char *agent, const char *label, char out_token[SECRET_TEXT])
{
        char hash[SECRET_HASH];

        secret_make("dbs_", out_token, hash);
        return console_do(console, "agent.session",
                          json_pack("{s:o, s:s, s:s, s:s}", "cmid", secret_cmid(), "agent", agent, "token_hash", hash,
                                    "label", label),
                          NULL);
}

static int make_agent(struct console *console, const struct folder_options *options, struct folder *folder)
{
        char invite[SECRET_TEXT], hash[SECRET_HASH];
        json_t *result = NULL;

        secret_make("dbi_", invite, hash);
        int rc = console_do(
                console, "agent.add",
                json_pack("{s:o, s:s, s:s}", "cmid", secret_cmid(), "name", options->agent_name, "invite", hash),
                &result);
        take(result, "agent", folder->agent, sizeof(folder->agent));
        json_decref(result);
        folder_invite_link(options->dir, options->public_url, invite, folder->invite_link);
        secret_forget(invite, sizeof(invite));
        if (rc == EX_OK)
                rc = folder_agent_session(console, folder->agent, "first session", folder->agent_token);
        return rc;
}

int folder_make(const struct folder_options *options, struct folder *out_folder)
{
        struct console *console = NULL;
        json_t *status = NULL;
        int rc = make_dir(options->dir);

        *out_folder = (struct folder){0};
        if (rc == EX_OK)
                rc = console_open(options->dir, CONSOLE_CREATE, &console);
        if (rc == EX_OK)
                rc = console_do(console, "store.status", NULL, &status);
        if (rc == EX_OK) {
                take(status, "workspace", out_folder->workspace, sizeof(out_folder->workspace));
                rc = make_app(console, options->app_name, out_folder);
        }
        if (rc == EX_OK)
                rc = make_agent(console, options, out_folder);
        json_decref(status);
        console_close(console);
        return rc;
}

void folder_forget(struct folder *folder)
{
        secret_forget(folder, sizeof(*folder));
}
