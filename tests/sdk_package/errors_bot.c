/* SPDX-License-Identifier: Apache-2.0 */
/* The errors of bots (deskbell/bot.h). */
#include "deskbell/bot.h"

#include "errors_stand.h"

static void on_turn(deskbell_client *client, const struct deskbell_turn *turn, void *data)
{
        (void)client, (void)turn, (void)data;
}

static int begin(struct stand *stand)
{
        struct deskbell_bot bot = DESKBELL_BOT_INIT;

        bot.on_turn = on_turn;
        return deskbell_bot_start(stand->client, &bot);
}

static int begin_deaf(struct stand *stand)
{
        struct deskbell_bot bot = DESKBELL_BOT_INIT;

        return deskbell_bot_start(stand->client, &bot);
}

static int say(struct stand *stand, int64_t number, const char *text)
{
        static char conversation[] = "cnv_0000000000003";
        struct deskbell_turn turn = {.conversation = conversation, .turn = number, .seq = 6};

        conversation[sizeof(conversation) - 2] = (char)('0' + number % 10); /* a new one each time memory fails */
        return deskbell_act_say(stand->client, &turn, text);
}

static int say_next(struct stand *stand)
{
        static int64_t number = 1;

        return say(stand, number++, "Hi");
}

static int say_twice(struct stand *stand)
{
        int rc = say(stand, 5, "Hi");

        return rc < 0 ? rc : say(stand, 5, "Hi");
}

static void customer(struct stand *stand)
{
        stand_begin(stand, CUSTOMER);
}

static void bot(struct stand *stand)
{
        stand_begin(stand, STAFF);
        begin(stand);
}

static void staff(struct stand *stand)
{
        stand_begin(stand, STAFF);
}

CALL(say_nothing, say(stand, -1, "Hi"))
CALL(say_odd, say(stand, 5, "\xff"))
CALL(say_long, say(stand, 5, stand_long_text))

const struct row errors_bot[] = {
        ROW(bot_start, INVALID, staff, begin_deaf, CALLED),
        ROW(bot_start, STATE, customer, begin, CALLED),
        ROW(bot_start, STATE, bot, begin, CALLED),
        ROW(act, INVALID, bot, say_nothing, CALLED),
        ROW(act, TEXT, bot, say_odd, CALLED),
        ROW(act, TOO_LONG, bot, say_long, CALLED),
        ROW(act, NOMEM, bot, say_next, WITHOUT_MEMORY),
        ROW(act, EXISTS, bot, say_twice, CALLED),
        ROW(act, STATE, staff, say_next, CALLED),
        {0},
};
