/* SPDX-License-Identifier: Apache-2.0 */
/* Lone: see lone.h. The same matching as a step's, with every answer allowed: one that wins by conditions nobody can
 * judge here is then no answer, and does not make room for the next best. */
#include "bots/lone.h"

#include <stdlib.h>
#include <string.h>

#include "always.h"
#include "turn.h"

static bool has_variable(const char *text)
{
        for (; *text; text++) {
                if (text[0] == '$' && text[1] >= 'a' && text[1] <= 'z')
                        return true;
        }
        return false;
}

static bool have_variables(const json_t *texts)
{
        const json_t *answer;
        size_t i;
        json_array_foreach(json_object_get(texts, "answers"), i, answer) {
                if (has_variable(json_string_value(answer)))
                        return true;
        }
        return false;
}

/* Nothing of it depends on the server: the customer, the hour, what comes next. */
static bool stands_alone(const struct version_answer *answer)
{
        const char *lang;
        json_t *texts;
        if (answer->is_flow || json_object_get(answer->it, "when") || json_object_get(answer->it, "goto"))
                return false;
        json_object_foreach(json_object_get(answer->it, "texts"), lang, texts) {
                if (have_variables(texts))
                        return false;
        }
        return true;
}

/* 1, 0 or -1, as bot_lone_answer. */
static int answer_of(struct turn *turn, struct bot_lone *out)
{
        int score = 0;
        if (turn->text->token_count == 0)
                return 0;
        turn_choose_language(turn);
        const char *spoken = bot_language_of(turn->text, turn->event->locale);
        if (always_match(turn->version->always, spoken, turn->text) >= 0)
                return 0;
        const struct version_answer *answer = answer_sure(turn, &score);
        if (turn->has_failed || !answer || !stands_alone(answer))
                return turn->has_failed ? -1 : 0;
        answer_give(turn, answer, score, true);
        const char *text = json_string_value(json_object_get(json_array_get(turn->actions, 0), "text"));
        if (turn->has_failed || !text || !*text)
                return turn->has_failed ? -1 : 0; /* all it has is an article, whose place the server knows */
        out->text = strdup(text);
        snprintf(out->rule, sizeof(out->rule), "%s", answer->name);
        return out->text ? 1 : -1;
}

int bot_lone_answer(const struct bot_version *version, struct span text, const char *locale, struct bot_lone *out)
{
        struct bot_event event = {.kind = BOT_EVENT_MESSAGE, .text = text, .locale = locale};
        struct turn turn = {.version = version, .event = &event, .knows_nobody = true};
        struct bot_lone found = {0};
        struct bot_text read;
        bot_text_of(text, &read);
        turn.text = &read;
        turn.state = json_pack("{s:{}}", "slots");
        turn.actions = json_array();
        turn.why = json_array();
        int rc = turn.state && turn.actions && turn.why ? answer_of(&turn, &found) : -1;
        struct bot_turn made = {turn.state, turn.actions, turn.why};
        bot_turn_done(&made);
        if (rc == 1)
                *out = found;
        return rc;
}
