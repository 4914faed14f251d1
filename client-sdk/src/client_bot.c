/* SPDX-License-Identifier: Apache-2.0 */
/* Client: the calls of deskbell/bot.h. What a bot says is checked and written at once, by hand: the tables of the
 * generated encoder would be larger than all of this. */
#include "client_private.h"

enum {
        ACTIONS = 8,
        WORD_BYTES = 64,
        RULE_BYTES = 128,
        LABEL_BYTES = 4 * PROTOCOL_LABEL_POINTS,
        STATE_BYTES = 4096,
        FALLBACK_BYTES = PROTOCOL_FALLBACK_POINTS, /* a byte is at most a code point */
};

int deskbell_bot_start(deskbell_client *client, const struct deskbell_bot *given)
{
        struct deskbell_bot bot;

        if (!client || !given ||
            !client_take_struct(&bot, sizeof(bot), given, offsetof(struct deskbell_bot, data) + sizeof(bot.data)) ||
            !bot.on_turn)
                return DESKBELL_E_INVALID;
        client_begin(client, false);
        int rc = machine_serve_turns(client->machine);
        if (rc == 0)
                client->bot = bot;
        client_end(client);
        return rc;
}

static void put(struct writer *writer, const char *raw)
{
        writer_raw(writer, span_of(raw));
}

/* A member whose value is a line: 1 to `most` bytes. `name` brings comma, quotes and colon along. */
static int put_word(struct writer *writer, const char *name, const char *text, size_t most)
{
        size_t points = 0;

        if (!text || !client_is_line(text, most) || !client_is_utf8(text, &points) || points > PROTOCOL_LABEL_POINTS)
                return DESKBELL_E_INVALID;
        put(writer, name);
        writer_string(writer, span_of(text));
        return 0;
}

static int put_text(struct writer *writer, const char *name, const char *text)
{
        int rc = text ? client_check_text(text) : DESKBELL_E_INVALID;

        put(writer, name);
        writer_string(writer, span_of(text));
        return rc;
}

static int put_choices(struct writer *writer, const struct deskbell_action *action)
{
        size_t len = strlen(action->text);
        int rc = action->choices && action->choices_count >= 1 && action->choices_count <= PROTOCOL_CHOICES
                         ? 0
                         : DESKBELL_E_INVALID;

        if (len > FALLBACK_BYTES) /* what a client that knows no buttons shows */
                for (len = FALLBACK_BYTES; ((unsigned char)action->text[len] & 0xc0) == 0x80;)
                        len--;
        put(writer, ",\"fallback_text\":");
        writer_string(writer, (struct span){action->text, len});
        put(writer, ",\"choices\":[");
        for (size_t i = 0; rc == 0 && i < action->choices_count; i++) {
                rc = put_word(writer, i ? ",{\"id\":" : "{\"id\":", action->choices[i].id, WORD_BYTES);
                if (rc == 0)
                        rc = put_word(writer, ",\"label\":", action->choices[i].label, LABEL_BYTES);
                put(writer, "}");
        }
        put(writer, "]");
        return rc;
}

static int put_message(struct writer *writer, const struct deskbell_action *action, const char *rule)
{
        bool has_choices = action->does == DESKBELL_OFFER;

        put(writer, has_choices ? "\"message\",\"kind\":\"choices\"" : "\"message\",\"kind\":\"text\"");
        int rc = rule ? put_word(writer, ",\"rule\":", rule, RULE_BYTES) : 0;
        if (rc == 0)
                rc = put_text(writer, ",\"content\":{\"text\":", action->text);
        if (rc == 0 && has_choices)
                rc = put_choices(writer, action);
        put(writer, "}");
        return rc;
}

static int put_action(struct writer *writer, const struct deskbell_action *action, const char *rule)
{
        int rc;

        switch (action->does) {
        case DESKBELL_SAY:
        case DESKBELL_OFFER:
                return put_message(writer, action, rule);
        case DESKBELL_HAND_OFF:
                rc = put_word(writer, "\"handoff\",\"handoff\":{\"why\":", action->why ? action->why : "asked",
                              WORD_BYTES);
                if (rc == 0 && action->team)
                        rc = put_word(writer, ",\"team\":", action->team, WORD_BYTES);
                put(writer, "}");
                return rc;
        case DESKBELL_TAG:
                return put_word(writer, "\"tag\",\"name\":", action->text, WORD_BYTES);
        case DESKBELL_END:
                put(writer, "\"close\"");
                return 0;
        }
        return DESKBELL_E_INVALID;
}

static int put_actions(struct writer *writer, const struct deskbell_act *act)
{
        int rc = 0;

        put(writer, ",\"actions\":[");
        for (size_t i = 0; rc == 0 && i < act->actions_count; i++) {
                const struct deskbell_action *action = &act->actions[i];
                bool is_end = action->does == DESKBELL_HAND_OFF || action->does == DESKBELL_END;

                if (is_end && i + 1 < act->actions_count)
                        return DESKBELL_E_INVALID;
                put(writer, i ? ",{\"does\":" : "{\"does\":");
                rc = put_action(writer, action, act->rule);
                put(writer, "}");
        }
        put(writer, "]}");
        return rc;
}

static int put_decision(struct writer *writer, const struct deskbell_act *act)
{
        static const char decisions[][12] = {"", "answer", "choices", "miss", "flow", "helped", "not_helped"};
        unsigned decision = (unsigned)act->decision;
        int rc = 0;

        if (decision >= sizeof(decisions) / sizeof(*decisions))
                return DESKBELL_E_INVALID;
        if (decision)
                rc = put_word(writer, ",\"decision\":", decisions[decision], WORD_BYTES);
        return rc == 0 && act->rule ? put_word(writer, ",\"rule\":", act->rule, RULE_BYTES) : rc;
}

/* The params of bot.act. */
static int put_act(struct writer *writer, const struct cmid *cmid, uint64_t conv, const struct deskbell_turn *turn,
                   const struct deskbell_act *act)
{
        int rc;

        put(writer, "{\"cmid\":");
        writer_cmid(writer, cmid);
        put(writer, ",\"conv\":");
        writer_id(writer, "cnv", conv);
        put(writer, ",\"turn\":");
        writer_int(writer, turn->turn);
        put(writer, ",\"seq\":");
        writer_int(writer, turn->seq);
        rc = put_decision(writer, act);
        if (rc == 0 && act->state && *act->state)
                rc = strlen(act->state) > STATE_BYTES ? DESKBELL_E_TOO_LONG
                                                      : put_text(writer, ",\"state\":", act->state);
        return rc < 0 ? rc : put_actions(writer, act);
}

int deskbell_act(deskbell_client *client, const struct deskbell_turn *turn, const struct deskbell_act *given)
{
        struct deskbell_act act;
        struct writer writer;
        uint64_t conv;

        if (!client || !turn || !given || !turn->conversation || turn->turn < 0 || turn->seq < 1 ||
            !client_take_struct(&act, sizeof(act), given, offsetof(struct deskbell_act, rule) + sizeof(act.rule)) ||
            act.actions_count > ACTIONS || (!act.actions && act.actions_count) ||
            id_read(span_of(turn->conversation), "cnv", &conv) < 0)
                return DESKBELL_E_INVALID;
        struct cmid cmid = client_cmid(client);
        writer_init(&writer, NULL, 0);
        int rc = put_act(&writer, &cmid, conv, turn, &act);
        if (rc == 0 && writer.failed)
                rc = DESKBELL_E_NOMEM;
        if (rc == 0) {
                client_begin(client, false);
                rc = machine_act(client->machine, conv, turn->turn, (struct span){writer.bytes, writer.len});
                client_end(client);
        }
        writer_done(&writer);
        return rc;
}
