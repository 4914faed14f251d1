/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell serve: reads the settings, makes the data folder when nobody said which, and runs the server. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/folder.h"
#include "config/config.h"
#include "ops/clock.h"
#include "ops/sandbox.h"
#include "serve.h"

enum { MAX_OVERRIDES = 3 * CLI_LIST };

/* A clock before 2025 cannot judge tokens. */
#define CLOCK_FLOOR_MS INT64_C(1735689600000)

struct wish {
        const char *data, *config, *cert, *key, *ops_listen, *log_level, *public_url;
        const char *listen[CLI_LIST], *sets[CLI_LIST];
        bool insecure_dev, check_config, print_config, init;
        struct config_override overrides[MAX_OVERRIDES];
        size_t count;
        char *split[CLI_LIST]; /* copies of `sets`, cut at their '=' */
};

static void add(struct wish *wish, const char *key, const char *value, const char *said_as)
{
        if (value && wish->count < MAX_OVERRIDES)
                wish->overrides[wish->count++] = (struct config_override){key, value, said_as};
}

static int add_sets(struct wish *wish)
{
        for (int i = 0; wish->sets[i]; i++) {
                char *copy = wish->split[i] = strdup(wish->sets[i]);
                char *equals = copy ? strchr(copy, '=') : NULL;
                if (!equals)
                        return cli_fail(EX_USAGE, "--set %s: expected KEY=VALUE", wish->sets[i]);
                *equals = '\0';
                add(wish, copy, equals + 1, "--set");
        }
        return EX_OK;
}

static int gather(struct wish *wish)
{
        add(wish, "data", wish->data, "--data");
        for (int i = 0; wish->listen[i]; i++)
                add(wish, "listen", wish->listen[i], "--listen");
        add(wish, "cert", wish->cert, "--cert");
        add(wish, "key", wish->key, "--key");
        add(wish, "ops_listen", wish->ops_listen, "--ops-listen");
        add(wish, "public_url", wish->public_url, "--public-url");
        add(wish, "log_level", wish->log_level, "--log-level");
        add(wish, "insecure_dev", wish->insecure_dev ? "yes" : NULL, "--insecure-dev");
        return add_sets(wish);
}

static int load(struct wish *wish, struct config *out_config)
{
        struct config_errors errors = {0};
        char *path = folder_config(cli_data(wish->data), wish->config);
        int rc = config_load(path, wish->overrides, wish->count, out_config, &errors);

        if (rc == -ENOMEM)
                rc = cli_fail(EX_OSERR, "out of memory");
        else if (rc < 0) {
                fprintf(stderr, "%s", errors.text ? errors.text : "");
                rc = cli_fail(EX_CONFIG, "%zu mistake%s in the settings", errors.count, errors.count == 1 ? "" : "s");
        }
        config_errors_done(&errors);
        free(path);
        return rc;
}

/* SIGHUP: the same sources again; what is wrong goes to the log, line by line. */
static int load_again(void *data, struct config *out_config)
{
        static const struct log log = {.area = "config"};
        struct wish *wish = data;
        struct config_errors errors = {0};
        char *path = folder_config(cli_data(wish->data), wish->config);
        int rc = config_load(path, wish->overrides, wish->count, out_config, &errors);

        for (char *line = errors.text, *end; line && *line; line = end + 1) {
                end = strchr(line, '\n');
                log_error(&log, "not a setting", "why", ((struct span){line, (size_t)(end - line)}));
        }
        config_errors_done(&errors);
        free(path);
        return rc;
}

/* A server started without a word about its folder should just work: then the folder is made and its secrets shown. */
static int prepare(const struct config *config, bool may_make)
{
        struct folder folder;

        if (folder_has_store(config->data))
                return EX_OK;
        if (!may_make)
                return cli_fail(EX_NOINPUT, "%s: no store there; make one with: deskbell init --data %s, or add --init",
                                config->data, config->data);
        int rc = folder_make(&(struct folder_options){.dir = config->data,
                                                      .app_name = "Main",
                                                      .agent_name = "Admin",
                                                      .public_url = *config->public_url ? config->public_url : NULL},
                             &folder);
        if (rc == EX_OK)
                printf("%s is new. Keep what follows: it is shown only now.\n"
                       "  app          %s\n  signing key  %s  (id %s, HS256, base64)\n"
                       "  first agent  %s\n  its token    %s\n  its invitation (once, 72 h)  %s\n",
                       config->data, folder.app, folder.signing_key, folder.kid, folder.agent, folder.agent_token,
                       folder.invite_link);
        folder_forget(&folder);
        fflush(stdout);
        return rc;
}

static int serve(struct wish *wish, struct config *config)
{
        struct serve_reload reload = {.load = load_again, .data = wish};
        char *path = folder_config(cli_data(wish->data), wish->config);

        if (path)
                sandbox_keep_readable(path);
        int rc = serve_run(config, &reload);
        free(path);
        return rc;
}

static int run(struct wish *wish)
{
        struct config config;
        int rc = gather(wish);
        if (rc == EX_OK)
                rc = load(wish, &config);
        if (rc != EX_OK)
                return rc;
        if (wish->check_config) {
                printf("ok\n");
                config_done(&config);
                return cli_finish();
        }
        log_set_level(config.log_level);
        sandbox_early();
        if (clock_wall_ms() < CLOCK_FLOOR_MS)
                rc = cli_fail(EX_CONFIG, "the clock of this machine says a time before 2025: set it first");
        if (rc == EX_OK)
                rc = prepare(&config, wish->init || (!wish->data && !getenv("DESKBELL_DATA") && !wish->config));
        if (rc == EX_OK)
                rc = serve(wish, &config);
        config_done(&config);
        return rc;
}

int cli_serve(int argc, char **argv)
{
        struct wish wish = {0};
        const struct cli_option options[] = {
                CLI_DATA(wish.data),
                {.name = "listen", .value = "ADDRESS:PORT", .list = wish.listen, .help = "where clients connect"},
                {.name = "config",
                 .value = "FILE",
                 .text = &wish.config,
                 .help = "settings; default $DESKBELL_CONFIG, else DIR/deskbell.ini when it is there"},
                {.name = "set", .value = "KEY=VALUE", .list = wish.sets, .help = "any setting"},
                {.name = "cert", .value = "FILE", .text = &wish.cert, .help = "certificate chain, PEM"},
                {.name = "key", .value = "FILE", .text = &wish.key, .help = "its private key, PEM"},
                {.name = "insecure-dev", .flag = &wish.insecure_dev, .help = "listen beyond loopback without TLS"},
                {.name = "ops-listen",
                 .value = "ADDRESS:PORT",
                 .text = &wish.ops_listen,
                 .help = "/readyz and /metrics; \"\" = off"},
                {.name = "public-url", .value = "URL", .text = &wish.public_url, .help = "base of links handed out"},
                {.name = "log-level", .value = "LEVEL", .text = &wish.log_level, .help = "debug, info, warn, error"},
                {.name = "init", .flag = &wish.init, .help = "make the data folder when it holds no store"},
                {.name = "print-config", .flag = &wish.print_config, .help = "print all settings, commented"},
                {.name = "check-config", .flag = &wish.check_config, .help = "check the settings and end"},
        };
        const struct cli_page page = {
                .usage = "serve [options]",
                .about = "Runs the server until SIGTERM or SIGINT. Settings come from the file, over them the "
                         "environment\n"
                         "(DESKBELL_MAX_CONNECTIONS, ...), over them the command line. Without any word about its "
                         "folder\n"
                         "it uses ./deskbell-data and makes it when it is not there.",
                .examples = "  deskbell serve\n"
                            "  deskbell serve --data /var/lib/deskbell --listen 127.0.0.1:8787\n"
                            "  deskbell serve --data /var/lib/deskbell --listen 0.0.0.0:443 --cert c.pem --key k.pem\n"
                            "  deskbell serve --print-config > deskbell.ini\n",
                CLI_OPTIONS(options),
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);
        if (wish.print_config) {
                config_print_default(stdout);
                return cli_finish();
        }
        int rc = run(&wish);
        for (int i = 0; i < CLI_LIST; i++)
                free(wish.split[i]);
        return rc;
}
