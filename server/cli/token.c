/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell token: a user token for a test, signed with an HS256 key of a data folder one owns. In production the app's
 * own back end signs. The key is read from the store, which only its owner can do; the server has no method for it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/app.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/folder.h"
#include "cli/identity.h"
#include "ops/clock.h"
#include "ops/files.h"
#include "protocol/ids.h"
#include "protocol/jwt.h"
#include "store/db.h"

struct wish {
        const char *data, *app, *user, *name, *hours;
        int64_t seconds;
};

/* The app said, or the only one; its row id and outside id. */
static int find_app(struct db *db, const char *said, int64_t *out_id, char out_app[FOLDER_ID])
{
        struct db_stmt *stmt = db_stmt(db, SQL_APPS_ALL);
        int rc, count = 0, matches = 0;

        while ((rc = db_step(stmt)) == DB_ROW) {
                char text[FOLDER_ID] = "";
                id_write(text, "app", (uint64_t)db_int(stmt, 2));
                count++;
                if (said && strcmp(said, text) != 0)
                        continue;
                matches++;
                *out_id = db_int(stmt, 0);
                memcpy(out_app, text, FOLDER_ID);
        }
        if (rc < 0)
                return cli_fail(EX_UNAVAILABLE, "the store cannot be read: %s", db_message(db));
        if (matches == 0)
                return cli_fail(EX_DATAERR, "there is no such app; see: deskbell app list");
        return matches == 1 ? EX_OK : cli_fail(EX_USAGE, "there are %d apps: say which with --app", count);
}

static char *sign_with(struct db_stmt *stmt, const struct wish *wish, const char *app)
{
        struct span kid = db_text(stmt, 1), material = db_blob(stmt, 3);
        char name[65];
        int64_t now_s = clock_wall_ms() / 1000;

        snprintf(name, sizeof(name), "%.*s", (int)kid.len, kid.at);
        return jwt_make_hs256(material, name, app, wish->user, wish->name, now_s, now_s + wish->seconds);
}

static int sign(struct db *db, const struct wish *wish, char **out_token)
{
        int64_t id = 0;
        char app[FOLDER_ID];
        int rc = find_app(db, wish->app, &id, app);
        if (rc != EX_OK)
                return rc;

        struct db_stmt *stmt = db_stmt(db, SQL_KEYS_ALL);
        bool is_found = false;
        while (!is_found && db_step(stmt) == DB_ROW) {
                is_found = db_int(stmt, 0) == id && db_int(stmt, 2) == JWT_HS256;
                if (is_found)
                        *out_token = sign_with(stmt, wish, app);
        }
        if (!is_found)
                return cli_fail(EX_DATAERR, "%s has no HS256 key; make one with: deskbell key add --alg HS256", app);
        db_reset(stmt);
        return *out_token ? EX_OK : cli_fail(EX_SOFTWARE, "the token cannot be signed");
}

static int make(const struct wish *wish, char **out_token)
{
        struct identity before;
        char *path = files_path(wish->data, "deskbell.db"), *why = NULL;
        struct db *db = NULL;
        int rc = path ? identity_borrow(wish->data, &before) : EX_OSERR;

        if (rc == EX_OK && !folder_has_store(wish->data))
                rc = cli_fail(EX_NOINPUT, "%s: no store there", wish->data);
        if (rc == EX_OK && db_open(&db_sqlite, path, DB_READER, &db, &why) < 0)
                rc = cli_fail(EX_UNAVAILABLE, "%s", why ? why : "the store cannot be opened");
        if (rc == EX_OK)
                rc = sign(db, wish, out_token);
        db_close(db);
        if (path)
                identity_return(&before);
        free(path);
        free(why);
        return rc;
}

static int read_wish(struct wish *wish)
{
        char *end;
        long hours = strtol(wish->hours, &end, 10);

        if (*end || hours < 1 || hours > 24)
                return cli_fail(EX_USAGE, "--hours: expected a number from 1 to 24");
        if (!wish->user || !*wish->user || strlen(wish->user) > 128)
                return cli_fail(EX_USAGE, "--user is needed: the app's own id of the user, 1 to 128 bytes");
        wish->seconds = hours * 3600;
        wish->data = cli_data(wish->data);
        return EX_OK;
}

int cli_token(int argc, char **argv)
{
        struct wish wish = {.hours = "1"};
        const struct cli_option options[] = {
                CLI_DATA(wish.data),
                {.name = "app", .value = "ID", .text = &wish.app, .help = "the app; default the only one"},
                {.name = "user", .value = "ID", .text = &wish.user, .help = "the app's own id of the user (needed)"},
                {.name = "name", .value = "NAME", .text = &wish.name, .help = "display name"},
                {.name = "hours", .value = "N", .text = &wish.hours, .help = "how long it is good, 1-24; default 1"},
        };
        const struct cli_page page = {
                .usage = "token --user ID [options]",
                .about = "A user token for a test, signed with an HS256 key of the app. In production your back end "
                         "signs\n"
                         "tokens with the key that init or key add printed.",
                .examples = "  deskbell token --user alice --name Alice\n",
                CLI_OPTIONS(options),
        };
        char *token = NULL;
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);

        int rc = read_wish(&wish);
        if (rc == EX_OK)
                rc = make(&wish, &token);
        if (rc == EX_OK) {
                printf("%s\n", token);
                rc = cli_finish();
        }
        free(token);
        return rc;
}
