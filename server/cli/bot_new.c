/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell bot new: the files of a ready-made bot, to be made one's own. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bots/pack.h"
#include "cli/bot.h"
#include "cli/cli.h"

/* An existing file is never written over: it is somebody's work. */
static int write_one(const char *folder, const struct bot_pack_file *file)
{
        char path[1024];
        if (snprintf(path, sizeof(path), "%s/%s", folder, file->name) >= (int)sizeof(path))
                return cli_fail(EX_USAGE, "%s: the name is too long", folder);
        FILE *out = fopen(path, "wx");
        if (!out)
                return cli_fail(EX_CANTCREAT, "%s: %s", path, strerror(errno));
        bool is_written = fputs(file->text, out) >= 0;
        is_written = fclose(out) == 0 && is_written;
        return is_written ? EX_OK : cli_fail(EX_IOERR, "%s: %s", path, strerror(errno));
}

static int write_pack(const char *pack, const char *folder)
{
        int count = 0, rc = EX_OK;
        for (const struct bot_pack_file *file = bot_pack_files; file->pack; file++)
                count += strcmp(file->pack, pack) == 0;
        if (count == 0)
                return cli_fail(EX_USAGE, "there is no pack %s; there is: %s", pack, bot_pack_files[0].pack);
        if (mkdir(folder, 0777) < 0 && errno != EEXIST)
                return cli_fail(EX_CANTCREAT, "%s: %s", folder, strerror(errno));
        for (const struct bot_pack_file *file = bot_pack_files; rc == EX_OK && file->pack; file++)
                if (strcmp(file->pack, pack) == 0)
                        rc = write_one(folder, file);
        if (rc != EX_OK)
                return rc;
        printf("%d files in %s. Put in your own amounts, days and addresses (the lines with =), then:\n"
               "  deskbell bot test %s\n"
               "  deskbell bot push --publish %s\n",
               count, folder, folder, folder);
        return cli_finish();
}

int bot_run_new(int argc, char **argv)
{
        const char *pack = "shop";
        const struct cli_option options[] = {
                {.name = "pack", .value = "NAME", .text = &pack, .help = "which ready-made bot; default shop"},
        };
        const struct cli_page page = {
                .usage = "bot new [options] FOLDER",
                .about = "Writes the files of a ready-made bot into a folder, to be made your own: answers, flows,\n"
                         "hand-offs and tests of a shop in English, Korean, Chinese and Japanese. Writes over nothing.",
                .examples = "  deskbell bot new my-shop\n",
                CLI_OPTIONS(options),
                .max_free = 1,
        };
        int rc, first = cli_parse_named(&page, argc, argv, "which folder? see: deskbell bot new --help", &rc);
        if (first < 0)
                return rc;
        return write_pack(pack, argv[first]);
}
