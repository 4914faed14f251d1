/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target of what authors hand in. The first byte chooses: 'B' the bytes are a .bot file, 'J' a canonical object,
 * 'V' a built version, 'M' an expression and after a zero byte the text it looks in, 'S' the state of a conversation.
 * Promises: no crash; what is read and passes the check is printed and read again as the same object; a version that
 * loads answers; a state from outside never keeps the bot from answering. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bots/step.h"
#include "bots/trial.h"
#include "fuzz.h"
#include "match.h"

static void promise(bool kept, const char *what)
{
        if (!kept) {
                fprintf(stderr, "broken: %s\n", what);
                abort();
        }
}

static const char small[] =
        "bot 1\nlang en\nfaq a\n  ? when are you open\n  = always\nflow f\n  ? begin\n  ask number as n \"How "
        "many?\"\n  choices \"Which?\" as c of \"A\" = 1 | \"B\" -> close\n  when $n > 3 say \"Many\"\n  else handoff "
        "default\n";

static struct bot_version *version_of(const json_t *bot)
{
        struct bot_problems *problems = bot_problems_new();
        struct writer blob;
        struct bot_version *version = NULL;
        writer_init(&blob, NULL, 0);
        if (bot_version_build(bot, problems, &blob, NULL) == 0)
                version = bot_version_load((struct span){blob.bytes, blob.len}, NULL);
        writer_done(&blob);
        bot_problems_free(problems);
        return version;
}

/* A checked bot: linted, printed, read. */
static void use(const json_t *bot, struct bot_problems *problems)
{
        struct writer out;
        bot_lint(bot, NULL, NULL, problems);
        writer_init(&out, NULL, 0);
        bot_source_write(bot, &out);
        struct bot_file file = {"again", {out.bytes, out.len}};
        struct bot_problems *more = bot_problems_new();
        json_t *again = bot_source_read(&file, 1, more, NULL);
        promise(again != NULL, "what was printed can be read");
        char *before = bot_canonical(bot), *after = bot_canonical(again);
        promise(strcmp(before, after) == 0, "what was printed reads as the same object");
        free(before);
        free(after);
        json_decref(again);
        bot_problems_free(more);
        writer_done(&out);
}

static void fuzz_file(struct span text)
{
        struct bot_problems *problems = bot_problems_new();
        struct bot_file file = {"a.bot", text};
        struct writer once, twice;
        json_t *bot = bot_source_read(&file, 1, problems, NULL);
        promise(bot || problems->errors > 0, "a file that is not read has an error");
        if (bot && bot_check(bot, NULL, NULL, problems))
                use(bot, problems);
        json_decref(bot);
        bot_problems_free(problems);
        writer_init(&once, NULL, 0);
        writer_init(&twice, NULL, 0);
        bot_source_format(text, &once);
        bot_source_format((struct span){once.bytes, once.len}, &twice);
        promise(span_equal((struct span){once.bytes, once.len}, (struct span){twice.bytes, twice.len}),
                "the form is stable");
        writer_done(&once);
        writer_done(&twice);
}

static void fuzz_object(struct span text)
{
        struct bot_problems *problems = bot_problems_new();
        json_t *bot = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, NULL);
        if (bot && bot_check(bot, NULL, NULL, problems))
                bot_lint(bot, NULL, NULL, problems);
        json_decref(bot);
        bot_problems_free(problems);
}

static void answer(const struct bot_version *version, struct span state)
{
        const struct bot_event events[] = {{.kind = BOT_EVENT_MESSAGE, .text = SPAN("when are you open")},
                                           {.kind = BOT_EVENT_TAP, .text = SPAN("s-1-1")},
                                           {.kind = BOT_EVENT_CALL, .call = SPAN("c1-1")}};
        for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
                struct bot_turn turn;
                promise(bot_step(version, state, &events[i], 0, &turn) == 0, "a turn");
                promise(json_array_size(turn.actions) <= BOT_TURN_ACTIONS, "few actions");
                bot_turn_done(&turn);
        }
}

static void fuzz_version(struct span blob)
{
        const char *wrong = NULL;
        struct bot_version *version = bot_version_load(blob, &wrong);
        promise(version || wrong, "a reason");
        if (version)
                answer(version, SPAN(""));
        bot_version_free(version);
}

static void fuzz_match(struct span both)
{
        const char *zero = both.len ? memchr(both.at, '\0', both.len) : NULL;
        size_t len = zero ? (size_t)(zero - both.at) : both.len;
        struct span text = {both.at + len, both.len - len}, found;
        const char *wrong = NULL;
        struct bot_match *match = bot_match_new((struct span){both.at, len}, &wrong);
        promise(match || wrong, "a reason");
        if (match && bot_match_find(match, text, &found))
                promise(found.at >= text.at && found.at + found.len <= text.at + text.len && found.len > 0,
                        "a part of it");
        bot_match_free(match);
}

static void fuzz_state(struct span state)
{
        static struct bot_version *version;
        if (!version) {
                struct bot_problems *problems = bot_problems_new();
                struct bot_file file = {"small", SPAN(small)};
                json_t *bot = bot_source_read(&file, 1, problems, NULL);
                version = version_of(bot);
                promise(version != NULL, "the small bot");
                json_decref(bot);
                bot_problems_free(problems);
        }
        answer(version, state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct span rest = {(const char *)data + 1, size - 1};

        if (size < 1)
                return 0;
        if (data[0] == 'J')
                fuzz_object(rest);
        else if (data[0] == 'V')
                fuzz_version(rest);
        else if (data[0] == 'M')
                fuzz_match(rest);
        else if (data[0] == 'S')
                fuzz_state(rest);
        else
                fuzz_file(rest);
        return 0;
}
