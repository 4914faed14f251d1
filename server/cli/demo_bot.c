/* SPDX-License-Identifier: Apache-2.0 */
/* The demo's bot: the ready-made bot of a shop, put into the store before the server starts, switched on when the
 * demo's people have talked. */
#include <stdlib.h>
#include <string.h>

#include "bots/check.h"
#include "bots/pack.h"
#include "cli/cli.h"
#include "cli/console.h"
#include "cli/demo.h"

enum { FILES_MAX = 200 };

/* The canonical text of the pack; NULL: it was printed why. */
static char *pack_source(const char *pack)
{
        struct bot_file files[FILES_MAX];
        size_t count = 0;
        for (const struct bot_pack_file *each = bot_pack_files; each->pack && count < FILES_MAX; each++)
                if (strcmp(each->pack, pack) == 0)
                        files[count++] = (struct bot_file){each->name, span_of(each->text)};
        struct bot_problems *problems = bot_problems_new();
        json_t *bot = problems ? bot_source_read(files, count, problems, NULL) : NULL;
        char *text = bot && bot_check(bot, NULL, files, problems) ? bot_canonical(bot) : NULL;
        json_decref(bot);
        bot_problems_free(problems);
        if (!text)
                cli_fail(EX_SOFTWARE, "the demo's bot cannot be read");
        return text;
}

static int publish(struct console *console, const char *bot, const char *source)
{
        json_t *draft = NULL;
        int rc = console_do(console, "bot.draft", json_pack("{s:s, s:s}", "bot", bot, "source", source), &draft);
        if (rc == EX_OK)
                rc = console_do(console, "bot.publish",
                                json_pack("{s:o, s:s, s:s, s:i}", "cmid", secret_cmid(), "bot", bot, "version",
                                          cli_text(draft, "version"), "share", 100),
                                NULL);
        json_decref(draft);
        return rc;
}

int demo_bot_make(struct demo *demo)
{
        struct console *console = NULL;
        json_t *made = NULL;
        char *source = pack_source("shop");
        int rc = source ? console_open(demo->dir, CONSOLE_USE, &console) : EX_SOFTWARE;
        if (rc == EX_OK)
                rc = console_do(console, "bot.add",
                                json_pack("{s:o, s:s, s:s, s:s}", "cmid", secret_cmid(), "app", demo->folder.app,
                                          "name", "Robin, the shop's bot", "kind", "built_in"),
                                &made);
        if (rc == EX_OK) {
                snprintf(demo->bot, sizeof(demo->bot), "%s", cli_text(made, "bot"));
                rc = console_do(console, "bot.set",
                                json_pack("{s:o, s:s, s:b}", "cmid", secret_cmid(), "bot", demo->bot, "on", false),
                                NULL);
        }
        if (rc == EX_OK)
                rc = publish(console, demo->bot, source);
        console_close(console);
        json_decref(made);
        free(source);
        return rc;
}

int demo_bot_start(struct demo *demo)
{
        struct console *console = NULL;
        char secret[SECRET_WEBHOOK_TEXT];
        int rc = console_open(demo->dir, CONSOLE_USE, &console);
        secret_make_webhook(secret); /* the shop trusts whom it hears on its address: nobody else is there */
        if (rc == EX_OK)
                rc = console_do(console, "bot.set",
                                json_pack("{s:o, s:s, s:b, s:b, s:s, s:s}", "cmid", secret_cmid(), "bot", demo->bot,
                                          "on", true, "offline", true, "url", demo->shop_url, "secret", secret),
                                NULL);
        secret_forget(secret, sizeof(secret));
        console_close(console);
        return rc;
}
