/* SPDX-License-Identifier: Apache-2.0 */
/* Login: see login.h. */
#include "cli/login.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "ops/files.h"

enum { PATH_BYTES = 900 };

static int make(const char *dir)
{
        return mkdir(dir, 0700) < 0 && errno != EEXIST ? -1 : 0;
}

static int config_dir(char *out)
{
        const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
        int len;

        if (xdg && *xdg == '/')
                len = snprintf(out, PATH_BYTES, "%s", xdg);
        else if (home && *home)
                len = snprintf(out, PATH_BYTES, "%s/.config", home);
        else
                return cli_fail(EX_CONFIG, "neither XDG_CONFIG_HOME nor HOME is set: no place to keep the session");
        if (len >= PATH_BYTES - 16)
                return cli_fail(EX_CONFIG, "the path of the configuration folder is too long");
        if (make(out) < 0)
                return cli_fail(EX_CANTCREAT, "%s: %s", out, strerror(errno));
        snprintf(out + len, (size_t)(PATH_BYTES - len), "/deskbell");
        if (make(out) < 0)
                return cli_fail(EX_CANTCREAT, "%s: %s", out, strerror(errno));
        return EX_OK;
}

/* Ids name files: nothing else gets here. */
static int is_id(const char *agent)
{
        return *agent && strspn(agent, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(agent);
}

int login_store(const char *agent, const char *token, char *out_path, size_t room)
{
        char dir[PATH_BYTES], name[64];
        if (!is_id(agent) || snprintf(name, sizeof(name), "%s.token", agent) >= (int)sizeof(name))
                return cli_fail(EX_USAGE, "expected an agent's id such as agt_0000000000001");
        int rc = config_dir(dir);
        if (rc != EX_OK)
                return rc;
        int error = files_replace(dir, name, (struct span){token, strlen(token)});
        if (error < 0)
                return cli_fail(EX_CANTCREAT, "%s/%s: %s", dir, name, strerror(-error));
        if (snprintf(out_path, room, "%s/%s", dir, name) >= (int)room)
                return cli_fail(EX_CANTCREAT, "%s: the path is too long", dir);
        return EX_OK;
}
