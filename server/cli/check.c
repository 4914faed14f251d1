/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell check: the store's check of itself, from the command line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/attachments.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/folder.h"
#include "cli/identity.h"
#include "ops/files.h"
#include "ops/lock.h"
#include "sql_generated.h"
#include "store/db.h"
#include "store/meta.h"

struct findings {
        json_t *list; /* NULL: print at once */
};

static void say(void *data, const char *finding)
{
        struct findings *findings = data;

        if (findings->list)
                json_array_append_new(findings->list, json_string(finding));
        else
                printf("%s\n", finding);
}

/* What is checked is laid out as this version lays it out; an older store becomes so when it is opened. */
static int check_schema(struct db *db, const char *path)
{
        int64_t schema = 0;
        int rc = meta_get_int(db, "schema", &schema);

        if (rc == DB_ROW && schema < SQL_MIGRATIONS_SQLITE)
                return cli_fail(
                        EX_UNAVAILABLE,
                        "%s was made by an older version: its schema is %lld, this one's %d. 'deskbell status' or the "
                        "server brings it up to date and keeps a copy of what was; check after that",
                        path, (long long)schema, SQL_MIGRATIONS_SQLITE);
        return EX_OK;
}

static int examine(const char *dir, bool is_ours, bool deep, struct findings *findings, int *out_count)
{
        char *path = files_path(dir, "deskbell.db"), *why = NULL;
        struct db *db = NULL;
        if (!path)
                return cli_fail(EX_OSERR, "out of memory");
        /* Whoever holds the folder may write: then put back what a crash left in the log. Else only look. */
        int rc = db_open(&db_sqlite, path, is_ours ? DB_WRITER : DB_READER, &db, &why);

        if (rc < 0)
                rc = cli_fail(rc == DB_DAMAGED || rc == DB_NEWER ? EX_DATAERR : EX_UNAVAILABLE, "%s",
                              why ? why : "the store cannot be opened");
        else
                rc = check_schema(db, path);
        if (rc == EX_OK)
                *out_count = db_check(db, deep, say, findings);
        if (rc == EX_OK && *out_count == 0) /* rows of a damaged store prove nothing */
                rc = attachments_check(db, dir, deep, say, findings, out_count);
        db_close(db);
        free(path);
        free(why);
        return rc;
}

static int check(const char *dir, bool deep, struct findings *findings, int *out_count)
{
        struct identity before;
        char *why = NULL;
        int fd = -1;
        int rc = identity_borrow(dir, &before);

        if (rc == EX_OK && !folder_has_store(dir))
                rc = cli_fail(EX_NOINPUT, "%s: no store there", dir);
        if (rc == EX_OK) {
                int error = lock_take(dir, &fd, &why);
                if (error == -EWOULDBLOCK && deep)
                        rc = cli_fail(EX_TEMPFAIL, "%s; --deep needs the store for itself", why ? why : dir);
                else if (error < 0 && error != -EWOULDBLOCK)
                        rc = cli_fail(EX_UNAVAILABLE, "%s", why ? why : strerror(-error));
                else
                        rc = examine(dir, error == 0, deep, findings, out_count);
        }
        free(why);
        lock_drop(fd);
        identity_return(&before);
        return rc;
}

static int print_verdict(json_t *list, int count)
{
        int rc;

        if (list) {
                rc = cli_print(json_pack("{s:b, s:O}", "ok", count == 0, "findings", list));
        } else {
                if (count == 0)
                        printf("ok\n");
                rc = cli_finish();
        }
        return rc != EX_OK ? rc : count == 0 ? EX_OK : EX_DATAERR;
}

int cli_check(int argc, char **argv)
{
        const char *data = NULL;
        bool deep = false, json = false;
        const struct cli_option options[] = {
                CLI_DATA(data),
                {.name = "deep", .flag = &deep, .help = "read every page and entry; the server must not run"},
                CLI_JSON(json),
        };
        const struct cli_page page = {
                .usage = "check [options]",
                .about = "Checks a store: prints ok, or what does not fit together (numbers only, never content) and "
                         "exits\n"
                         "with 65. Changes nothing of what is stored.",
                .examples = "  deskbell check --data /var/lib/deskbell\n"
                            "  deskbell check --data /var/lib/deskbell --deep --json\n",
                CLI_OPTIONS(options),
        };
        int count = 0, first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);

        struct findings findings = {.list = json ? json_array() : NULL};
        int rc = check(cli_data(data), deep, &findings, &count);
        if (rc == EX_OK && count < 0)
                rc = cli_fail(EX_UNAVAILABLE, "the check could not be finished");
        if (rc == EX_OK)
                rc = print_verdict(findings.list, count);
        json_decref(findings.list);
        return rc;
}
