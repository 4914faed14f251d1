/* SPDX-License-Identifier: Apache-2.0 */
/* Answers: which one a message asks for, and what is said with it. An option's id says what it does, so that a button
 * of an earlier turn still works: "a-" an answer, "g-" where a button leads, "y-" and "n-" helped or not, "s-"
 * an option of the step that waits, "none", "person", "keep". */
#include <stdlib.h>
#include <string.h>

#include "turn.h"

enum { CANDIDATES = 8, OFFER_PERSON_AFTER = 2 };

/* ---- giving an answer ----------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t x)
{
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u; /* splitmix64, Steele, Lea and Flood 2014 */
        x = (x ^ x >> 27) * 0x94D049BB133111EBu;
        return x ^ x >> 31;
}

static json_t *variant_of(struct turn *turn, const json_t *answers)
{
        size_t count = json_array_size(answers);
        if (count == 0)
                return NULL;
        uint64_t pick = mix(turn->event->conversation * 0x9E3779B97F4A7C15u + (uint64_t)state_count(turn, "turn"));
        return turn_fill(turn, json_string_value(json_array_get(answers, (size_t)(pick % count))));
}

static json_t *id_text(const char *sign, const char *target)
{
        char id[TARGET_ID];
        version_target_id(target, id);
        return json_sprintf("%s-%s", sign, id);
}

static json_t *option_for(const char *sign, const char *target, json_t *label)
{
        json_t *id = id_text(sign, target), *option = turn_option(json_string_value(id), label);
        json_decref(id);
        return option;
}

static json_t *person_option(struct turn *turn)
{
        return turn_option("person", turn_own_text(turn, "person.button"));
}

static json_t *buttons_of(struct turn *turn, const json_t *faq, const json_t *texts)
{
        json_t *options = json_array();
        const json_t *labels = json_object_get(texts, "buttons"), *target;
        size_t i;
        if (!labels)
                labels =
                        json_object_get(json_object_get(json_object_get(faq, "texts"), turn->version->lang), "buttons");
        json_array_foreach(json_object_get(faq, "buttons"), i, target) {
                const char *label = json_string_value(json_array_get(labels, i));
                if (label)
                        json_array_append_new(options,
                                              option_for("g", json_string_value(target), turn_fill(turn, label)));
        }
        return options;
}

static void ask_whether_helped(struct turn *turn, const char *name)
{
        json_t *options = json_array();
        json_array_append_new(options, option_for("y", name, turn_own_text(turn, "helped.yes")));
        json_array_append_new(options, option_for("n", name, turn_own_text(turn, "helped.no")));
        state_set(turn, "help", json_string(name));
        turn_offer(turn, turn_own_text(turn, "helped.ask"), options, name);
}

static void say_answer(struct turn *turn, const struct version_answer *answer, int score)
{
        const json_t *texts = version_texts(turn->version, json_object_get(answer->it, "texts"), turn->language->lang);
        json_t *text = variant_of(turn, json_object_get(texts, "answers")), *options = NULL;
        const json_t *article = json_object_get(answer->it, "article");
        if (!text && texts) {
                const json_t *own = json_object_get(json_object_get(answer->it, "texts"), turn->version->lang);
                text = variant_of(turn, json_object_get(own, "answers"));
        }
        options = buttons_of(turn, answer->it, texts);
        if (text && json_array_size(options) > 0) {
                turn_offer(turn, text, json_incref(options), answer->name);
        } else {
                turn_say(turn, text, answer->name);
        }
        json_decref(options);
        json_t *last = json_array_get(turn->actions, json_array_size(turn->actions) - 1);
        if (last && score > 0)
                json_object_set_new(last, "score", json_integer(score));
        if (article)
                turn_act(turn, json_pack("{s:s, s:O}", "do", "article", "ref", article), answer->name);
}

void answer_offer_person(struct turn *turn)
{
        json_t *options = json_array();
        json_array_append_new(options, person_option(turn));
        json_array_append_new(options, turn_option("keep", turn_own_text(turn, "person.keep")));
        turn_offer(turn, turn_own_text(turn, "person.offer"), options, NULL);
}

void answer_give(struct turn *turn, const struct version_answer *answer, int score, bool is_digression)
{
        const json_t *helped = json_object_get(answer->it, "helped");
        bool is_again = strcmp(state_text(turn, "last"), answer->name) == 0;
        char target[96];
        if (!is_digression)
                flow_leave(turn);
        state_set(turn, "misses", NULL);
        state_set(turn, "help", NULL);
        if (answer->is_flow) {
                state_set(turn, "last", NULL);
                flow_begin(turn, answer->name, "flow");
                return;
        }
        if (is_again && !is_digression) {
                turn_because(turn, "same_answer_twice", json_string(answer->name));
                state_set(turn, "last", NULL);
                say_answer(turn, answer, score);
                answer_offer_person(turn);
                return;
        }
        say_answer(turn, answer, score);
        state_set(turn, "last", json_string(answer->name));
        if (json_object_get(answer->it, "goto")) {
                snprintf(target, sizeof(target), "%s", json_string_value(json_object_get(answer->it, "goto")));
                if (!is_digression)
                        turn_go(turn, target, "flow");
        } else if (!is_digression && !json_is_string(helped)) {
                ask_whether_helped(turn, answer->name);
        }
}

void answer_helped(struct turn *turn, bool has_helped)
{
        const struct version_answer *answer = version_answer(turn->version, state_text(turn, "help"));
        if (!answer)
                return;
        const char *no = json_string_value(json_object_get(json_object_get(answer->it, "helped"), "no"));
        state_set(turn, "help", NULL);
        turn_act(turn, json_pack("{s:s, s:b}", "do", "helped", "helped", has_helped), answer->name);
        if (has_helped)
                turn_say(turn, turn_own_text(turn, "helped.thanks"), NULL);
        else if (no)
                turn_go(turn, no, "not_helped");
        else
                answer_offer_person(turn);
}

/* ---- finding one ---------------------------------------------------------------------------------------------- */

/* One bit an answer: those whose condition holds. NULL: all. Freed by the caller. */
static uint8_t *allowed_answers(struct turn *turn)
{
        const struct bot_version *version = turn->version;
        uint8_t *allowed = calloc(version->answer_count / 8 + 1, 1);
        for (size_t i = 0; allowed && i < version->answer_count; i++) {
                if (turn->knows_nobody || turn_holds(turn, json_object_get(version->answers[i].it, "when")))
                        allowed[i / 8] = (uint8_t)(allowed[i / 8] | 1u << (i % 8));
        }
        turn->has_failed = turn->has_failed || !allowed;
        return allowed;
}

struct found {
        struct bot_candidate candidates[CANDIDATES];
        size_t count, choices;
        enum bot_decision decision;
        int by_pattern; /* answer, or -1 */
};

static void note_found(struct turn *turn, const struct found *found)
{
        struct bot_thresholds marks = bot_ranker_thresholds(turn->language->ranker, 0);
        json_t *list = json_array();
        for (size_t i = 0; i < found->count; i++)
                json_array_append_new(list, json_pack("{s:s, s:i, s:i}", "answer",
                                                      turn->version->answers[found->candidates[i].answer].name, "score",
                                                      (int)found->candidates[i].score, "probability",
                                                      (int)found->candidates[i].probability));
        static const char *const decisions[] = {[BOT_MISS] = "miss", [BOT_CHOICES] = "choices", [BOT_LONE] = "answer"};
        turn_because(turn, "ranked",
                     json_pack("{s:s, s:o, s:{s:i, s:i, s:i}}", "decision", decisions[found->decision], "candidates",
                               list, "needed", "probability", (int)marks.probability, "score", (int)marks.score,
                               "choices", (int)marks.floor));
}

static void find(struct turn *turn, struct found *found)
{
        uint8_t *allowed = allowed_answers(turn);
        struct bot_pattern_hit hit;
        *found = (struct found){.decision = BOT_MISS, .by_pattern = -1};
        if (allowed && bot_patterns_match(turn->language->patterns, turn->text, allowed, &hit, 1) > 0) {
                found->by_pattern = (int)hit.rule;
                turn_because(turn, "pattern", json_string(turn->version->answers[hit.rule].name));
        } else if (allowed && turn->language->ranker) {
                found->count =
                        bot_ranker_rank(turn->language->ranker, turn->text, allowed, found->candidates, CANDIDATES);
                found->decision =
                        bot_ranker_decide(turn->language->ranker, found->candidates, found->count, 0, &found->choices);
                note_found(turn, found);
        }
        free(allowed);
}

const struct version_answer *answer_sure(struct turn *turn, int *out_score)
{
        struct found found;
        find(turn, &found);
        *out_score = found.by_pattern >= 0 ? BOT_SCORE_ONE : found.count ? found.candidates[0].score : 0;
        if (found.by_pattern >= 0)
                return &turn->version->answers[found.by_pattern];
        return found.decision == BOT_LONE ? &turn->version->answers[found.candidates[0].answer] : NULL;
}

/* ---- choices and misses --------------------------------------------------------------------------------------- */

/* What a customer would call it: its first question in his language. New reference; NULL: it has none. */
static json_t *title_of(struct turn *turn, const struct version_answer *answer)
{
        const json_t *where = json_object_get(answer->it, answer->is_flow ? "triggers" : "texts");
        const json_t *texts = version_texts(turn->version, where, turn->language->lang);
        const char *question = json_string_value(json_array_get(json_object_get(texts, "examples"), 0));
        size_t len = 0, characters = 0;
        if (!question)
                return NULL;
        for (; question[len]; len++) {
                characters += ((unsigned char)question[len] & 0xC0) != 0x80;
                if (characters > BOT_LABEL_CHARACTERS)
                        break;
        }
        return json_stringn(question, len);
}

static size_t add_choice(struct turn *turn, json_t *options, const struct version_answer *answer)
{
        json_t *title = title_of(turn, answer);
        if (!title)
                return 0;
        json_array_append_new(options, option_for("a", answer->name, title));
        return 1;
}

static void offer_choices(struct turn *turn, const struct found *found, json_t *text, size_t most, bool has_person)
{
        json_t *options = json_array();
        size_t count = 0;
        for (size_t i = 0; i < found->count && count < most; i++)
                count += add_choice(turn, options, &turn->version->answers[found->candidates[i].answer]);
        json_array_append_new(options, turn_option("none", turn_own_text(turn, "choices.none")));
        if (has_person)
                json_array_append_new(options, person_option(turn));
        turn_offer(turn, text, options, NULL);
}

static json_t *miss_text(struct turn *turn, const json_t *miss, const char *otherwise)
{
        const json_t *texts = json_object_get(json_object_get(turn->version->bot, "fallback"), "texts");
        const char *key = json_string_value(json_object_get(miss, "text"));
        const json_t *text = key ? json_object_get(json_object_get(texts, turn->language->lang), key) : NULL;
        return text ? turn_fill(turn, json_string_value(text)) : turn_own_text(turn, otherwise);
}

/* The ladder: the author's, else say it in other words, choices, a person. */
static void miss_step(struct turn *turn, const struct found *found, const char *why)
{
        static const char *const usual[] = {"rephrase", "choices", "handoff"};
        const json_t *misses = json_object_get(json_object_get(turn->version->bot, "fallback"), "misses");
        size_t steps = misses ? json_array_size(misses) : 3, at = (size_t)state_count(turn, "misses");
        const json_t *miss = json_array_get(misses, at);
        const char *word = miss                ? json_string_value(json_object_get(miss, "do"))
                           : !misses && at < 3 ? usual[at]
                                               : "handoff";
        const json_t *count = json_object_get(miss, "count");
        const char *to = json_string_value(json_object_get(miss, "to"));
        state_set(turn, "misses", json_integer((json_int_t)at + 1));
        state_set(turn, "last", NULL);
        turn_because(turn, "miss", json_pack("{s:i, s:s}", "number", (int)at + 1, "does", word));
        if (at >= steps || strcmp(word, "handoff") == 0)
                turn_hand_off(turn, to ? to : "default", why);
        else if (strcmp(word, "choices") == 0 && found->count > 0)
                offer_choices(turn, found, miss_text(turn, miss, "miss.choices"),
                              count ? (size_t)json_integer_value(count) : 3, true);
        else if (at + 1 >= OFFER_PERSON_AFTER)
                answer_offer_person(turn);
        else
                turn_say(turn, miss_text(turn, miss, "miss.rephrase"), NULL);
}

void answer_miss(struct turn *turn, const char *why)
{
        const struct found none = {.by_pattern = -1};
        miss_step(turn, &none, why);
}

void answer_message(struct turn *turn)
{
        struct found found;
        find(turn, &found);
        if (found.by_pattern >= 0)
                answer_give(turn, &turn->version->answers[found.by_pattern], BOT_SCORE_ONE, false);
        else if (found.decision == BOT_LONE)
                answer_give(turn, &turn->version->answers[found.candidates[0].answer], found.candidates[0].score,
                            false);
        else if (found.decision == BOT_CHOICES && state_count(turn, "misses") < OFFER_PERSON_AFTER)
                offer_choices(turn, &found, turn_own_text(turn, "choices.ask"), found.choices, false);
        else
                miss_step(turn, &found, "misses");
}
