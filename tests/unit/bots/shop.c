/* SPDX-License-Identifier: Apache-2.0 */
#include "shop.h"

#include <stdio.h>
#include <stdlib.h>

static const char english[] =
        "bot 1\n"
        "lang en\n"
        "entity order_no match \"[A-Z]{2}-?[0-9]{6,10}\" example \"KR-2041987\"\n"
        "entity product list phone: handset, mobile; tablet: pad\n"
        "syn refund = money back\n"
        "faq refund.policy\n"
        "  ? How do I get a refund?\n"
        "  ~ refund .. (how | policy | rule*)\n"
        "  ! where is my parcel\n"
        "  = You can return items within 30 days.\n"
        "  buttons \"Start a return\" -> flow return.start | \"Billing\" -> handoff billing\n"
        "  helped? no -> handoff billing\n"
        "faq opening\n"
        "  ? when are you open\n"
        "  ? what are your opening hours\n"
        "  = We are open from 9 to 18.\n"
        "faq gold when plan == \"gold\"\n"
        "  ? what is my gold bonus\n"
        "  = You have a bonus of 5 %.\n"
        "  helped? off\n"
        "flow return.start\n"
        "  ? I want to return an item\n"
        "  ask order_no as order \"What is your order number?\" hint \"It looks like KR-2041987\" retry 1 "
        "else handoff billing\n"
        "  call orders.lookup id=$order into o else say \"I cannot look.\" then handoff billing\n"
        "  when $o.status == \"shipped\" say \"On its way: $o.tracking\"\n"
        "  when $o.age_days > 30\n"
        "    say \"That is too old.\"\n"
        "    choices \"Which one?\" as what of \"Phone\" = \"phone\" | \"Stop\" -> handoff billing\n"
        "    say \"It was a $what.\"\n"
        "  else handoff billing\n"
        "flow endless\n"
        "  ? run in circles\n"
        "  goto flow endless\n"
        "flow chatter\n"
        "  ? talk a lot\n"
        "  say \"1\"\n  say \"2\"\n  say \"3\"\n  say \"4\"\n  say \"5\"\n  say \"6\"\n  say \"7\"\n"
        "  handoff billing\n"
        "handoff billing\n"
        "  team billing priority high carry order\n"
        "  open say \"A person comes. Usual wait $wait.\"\n"
        "  closed ask email as mail \"Where can we write to you?\" then ticket\n"
        "fallback\n"
        "  miss 1 rephrase \"Other words, please.\"\n"
        "  miss 2 choices 3 \"One of these?\"\n"
        "  miss 3 handoff default\n";

static const char korean[] = "lang ko\n"
                             "faq opening\n"
                             "  ? 영업 시간이 어떻게 되나요\n"
                             "  = 9시부터 18시까지예요.\n"
                             "flow return.start\n"
                             "  ? 반품하고 싶어요\n"
                             "  @order \"주문 번호가 무엇인가요?\"\n";

struct bot_version *shop_build(const char *const *texts, size_t count)
{
        struct bot_file files[8];
        struct bot_problems *problems = bot_problems_new();
        struct writer blob;
        const char *wrong = NULL;
        struct bot_version *version = NULL;
        for (size_t i = 0; i < count; i++)
                files[i] = (struct bot_file){"shop.bot", span_of(texts[i])};
        json_t *bot = bot_source_read(files, count, problems, NULL);
        writer_init(&blob, NULL, 0);
        if (bot && bot_version_build(bot, problems, &blob, NULL) == 0)
                version = bot_version_load((struct span){blob.bytes, blob.len}, &wrong);
        for (size_t i = 0; !version && i < problems->count; i++)
                fprintf(stderr, "%d: %s\n", problems->list[i].place.line, problems->list[i].what);
        if (!version) {
                fprintf(stderr, "%s\n", wrong ? wrong : "not built");
                abort();
        }
        writer_done(&blob);
        json_decref(bot);
        bot_problems_free(problems);
        return version;
}

struct bot_version *shop_open(void)
{
        const char *const files[] = {english, korean};
        return shop_build(files, 2);
}
